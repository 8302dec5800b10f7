// SPDX-License-Identifier: GPL-2.0
/*
 * bus.c - which devices there are
 *
 *	event of the bus ---> scan ---> each slot: came, went, changed, is wanted back
 */
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/virtio_ids.h>
#include <linux/workqueue.h>

#include <asm/cpu_device_id.h>

#include <xen/events.h>
#include <xen/xen.h>

#include "bus.h"
#include "hypercall.h"

/**
 * struct slot - what is known of a slot
 * @pdev: Its device, or NULL
 * @instance: Of the device
 * @generation: Of its configuration, when it was last looked at
 */
struct slot {
	struct platform_device *pdev;
	u32 instance;
	u32 generation;
};

static struct {
	struct device *root;
	struct workqueue_struct *wq;
	struct work_struct scan;
	int irq;
	u32 nr_slots;
	struct slot slots[RF_GUEST_MAX_SLOTS];
} bus;

static char *stock[RF_GUEST_MAX_SLOTS];
static unsigned int nr_stock;
module_param_array(stock, charp, &nr_stock, 0444);
MODULE_PARM_DESC(stock, "What the kernel's own virtio drivers get: block, balloon, or slots by number");

/* --- what a device is called ---------------------------------------------------------- */

static bool is_stock(u32 slot, const char *kind)
{
	unsigned int i, number;

	for (i = 0; i < nr_stock; i++) {
		if (!strcmp(stock[i], kind))
			return true;
		if (!kstrtouint(stock[i], 10, &number) && number == slot)
			return true;
	}
	return false;
}

u32 rf_bus_presented_id(u32 slot, u32 device_id)
{
	switch (device_id) {
	case VIRTIO_ID_BLOCK:
		return is_stock(slot, "block") ? device_id : RF_ID_BLOCK;
	case VIRTIO_ID_BALLOON:
		return is_stock(slot, "balloon") ? device_id : RF_ID_BALLOON;
	default:
		return device_id;
	}
}

/* --- slots ------------------------------------------------------------------------------ */

static void slot_add(struct slot *slot, const struct rf_guest_device_info *info)
{
	struct platform_device_info pdevinfo = {
		.parent		= bus.root,
		.name		= rf_device_driver.driver.name,
		.id		= info->slot,
		.data		= info,
		.size_data	= sizeof(*info),
		.dma_mask	= DMA_BIT_MASK(64),
	};
	struct platform_device *pdev = platform_device_register_full(&pdevinfo);

	if (IS_ERR(pdev)) {
		dev_err(bus.root, "slot %u: %ld\n", info->slot, PTR_ERR(pdev));
		return;
	}
	slot->pdev = pdev;
	slot->instance = info->instance;
	slot->generation = info->generation;
}

/* Its driver resets the device; if there is none, somebody has to. */
static void slot_remove(struct slot *slot)
{
	u32 nr = slot - bus.slots;

	platform_device_unregister(slot->pdev);
	slot->pdev = NULL;
	rf_tell(RF_GUEST_SET_STATUS, nr, 0);
}

static void slot_look(struct slot *slot)
{
	struct rf_guest_device_info info = { .slot = slot - bus.slots };
	bool leaving;

	/* What the host cannot tell of is not there. */
	if (rf_ask(RF_GUEST_DEVICE_INFO, &info))
		info.device_id = 0;
	info.slot = slot - bus.slots;
	leaving = info.flags & RF_GUEST_DEVICE_LEAVING;

	if (slot->pdev && (!info.device_id || info.instance != slot->instance)) {
		rf_device_gone(slot->pdev);
		slot_remove(slot);
	} else if (slot->pdev && leaving) {
		slot_remove(slot);
	} else if (slot->pdev && info.generation != slot->generation) {
		slot->generation = info.generation;
		rf_device_changed(slot->pdev);
	}

	if (slot->pdev || !info.device_id)
		return;
	if (leaving)
		rf_tell(RF_GUEST_SET_STATUS, info.slot, 0);
	else
		slot_add(slot, &info);
}

static void bus_scan(struct work_struct *work)
{
	u32 i;

	for (i = 0; i < bus.nr_slots; i++)
		slot_look(&bus.slots[i]);
}

/*
 * Events are not delayed when they come in storms, as lateeoi would: who could
 * send these storms is the one who runs this kernel.
 */
static irqreturn_t bus_interrupt(int irq, void *data)
{
	queue_work(bus.wq, &bus.scan);
	return IRQ_HANDLED;
}

/* --- coming and going ---------------------------------------------------------------- */

/* Is there a bus, and one that this driver understands? */
static int bus_find(struct rf_guest_bus_info *info)
{
	*info = (struct rf_guest_bus_info) {};
	if (!xen_pv_domain() || rf_ask(RF_GUEST_BUS_INFO, info))
		return -ENODEV;
	if (info->version < RF_GUEST_VERSION || !info->nr_slots ||
	    info->nr_slots > RF_GUEST_MAX_SLOTS || !info->port ||
	    (int)irq_from_evtchn(info->port) > 0)
		return -ENODEV;
	return 0;
}

static int bus_start(const struct rf_guest_bus_info *info)
{
	INIT_WORK(&bus.scan, bus_scan);
	bus.nr_slots = info->nr_slots;
	bus.irq = bind_evtchn_to_irqhandler(info->port, bus_interrupt, 0, "ringfence", &bus);
	if (bus.irq < 0)
		return bus.irq;

	queue_work(bus.wq, &bus.scan);
	flush_work(&bus.scan);
	return 0;
}

static int __init bus_init(void)
{
	struct rf_guest_bus_info info;
	int err = bus_find(&info);

	if (err)
		return err;
	bus.root = root_device_register("ringfence");
	if (IS_ERR(bus.root))
		return PTR_ERR(bus.root);
	err = -ENOMEM;
	bus.wq = alloc_ordered_workqueue("rf_bus", WQ_FREEZABLE);
	if (!bus.wq)
		goto err_root;
	err = platform_driver_register(&rf_device_driver);
	if (err)
		goto err_wq;
	err = bus_start(&info);
	if (err)
		goto err_driver;
	return 0;

err_driver:
	platform_driver_unregister(&rf_device_driver);
err_wq:
	destroy_workqueue(bus.wq);
err_root:
	root_device_unregister(bus.root);
	return err;
}
module_init(bus_init);

static void __exit bus_exit(void)
{
	u32 i;

	unbind_from_irqhandler(bus.irq, &bus);
	destroy_workqueue(bus.wq);
	for (i = 0; i < bus.nr_slots; i++) {
		if (bus.slots[i].pdev)
			slot_remove(&bus.slots[i]);
	}
	platform_driver_unregister(&rf_device_driver);
	root_device_unregister(bus.root);
}
module_exit(bus_exit);

/*
 * There is nothing on a bus by which udev could find the bus.  But there are
 * the CPUs, and what they can is in their alias.  Under Xen itself, bus_find()
 * finds nothing.
 */
static const struct x86_cpu_id __maybe_unused bus_cpu_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_XENPV, NULL),
	{}
};
MODULE_DEVICE_TABLE(x86cpu, bus_cpu_ids);

MODULE_DESCRIPTION("Devices of a ringfence guest");
MODULE_LICENSE("GPL");
