// SPDX-License-Identifier: GPL-2.0
/*
 * device.c - a device of the bus, as the virtio core sees it
 *
 * Each device is the child of a platform device of its own, which has the DMA
 * mask and its place in the order of suspend.  Bus addresses are guest
 * physical: in a guest of ringfence, frames of the machine are its own.
 */
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "bus.h"
#include "hypercall.h"

/* Of the features that are the transport's to understand, these it does. */
#define TRANSPORT_FEATURES	(BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |	\
				 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |	\
				 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) |	\
				 BIT_ULL(VIRTIO_F_VERSION_1))

/* --- configuration ------------------------------------------------------------------- */

/* A piece of the configuration; zeros if the host will not tell. */
static void config_read(struct rf_bus_device *dev, unsigned int offset, void *buf,
			unsigned int len)
{
	struct rf_guest_config config = { .slot = dev->slot, .offset = offset, .len = len };

	if (offset > dev->config_len || len > dev->config_len - offset ||
	    rf_ask(RF_GUEST_READ_CONFIG, &config))
		memset(buf, 0, len);
	else
		memcpy(buf, config.data, len);
}

static void device_get(struct virtio_device *vdev, unsigned int offset, void *buf,
		       unsigned int len)
{
	unsigned int now;

	for (; len; len -= now, offset += now, buf += now) {
		now = min_t(unsigned int, len, RF_GUEST_MAX_CONFIG);
		config_read(rf_bus_device(vdev), offset, buf, now);
	}
}

static void device_set(struct virtio_device *vdev, unsigned int offset, const void *buf,
		       unsigned int len)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);
	struct rf_guest_config config = { .slot = dev->slot, .offset = offset, .len = len };

	if (offset > dev->config_len || len > dev->config_len - offset)
		return;
	memcpy(config.data, buf, len);
	if (rf_ask(RF_GUEST_WRITE_CONFIG, &config))
		dev_dbg(&vdev->dev, "configuration at %u not written\n", offset);
}

static u32 device_generation(struct virtio_device *vdev)
{
	struct rf_guest_device_info info = { .slot = rf_bus_device(vdev)->slot };

	return rf_ask(RF_GUEST_DEVICE_INFO, &info) ? 0 : info.generation;
}

/* --- status and features ---------------------------------------------------------------- */

/* A device that has gone has status 0, as if it had been reset. */
static u8 device_get_status(struct virtio_device *vdev)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);
	int status = rf_tell(RF_GUEST_GET_STATUS, dev->slot, 0);

	if (status < 0 || !dev->status)
		return 0;
	return status & (dev->status | VIRTIO_CONFIG_S_NEEDS_RESET);
}

static void device_set_status(struct virtio_device *vdev, u8 status)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);
	bool ready = status & VIRTIO_CONFIG_S_DRIVER_OK;
	int err;

	/* No doorbell is to reach the host outside of what it takes for ready. */
	if (!ready)
		WRITE_ONCE(dev->status, status);
	err = rf_tell(RF_GUEST_SET_STATUS, dev->slot, status);
	WRITE_ONCE(dev->status, status);
	if (err)
		dev_dbg(&vdev->dev, "status %#x not taken\n", status);
	else if (ready)
		rf_queues_ring_early(dev);
}

void rf_device_reset(struct virtio_device *vdev)
{
	device_set_status(vdev, 0);
}

static u64 device_get_features(struct virtio_device *vdev)
{
	u64 transport = GENMASK_ULL(VIRTIO_TRANSPORT_F_END - 1, VIRTIO_TRANSPORT_F_START);

	return rf_bus_device(vdev)->features & (~transport | TRANSPORT_FEATURES);
}

static int device_finalize_features(struct virtio_device *vdev)
{
	struct rf_guest_features set = { .slot = rf_bus_device(vdev)->slot };

	vring_transport_features(vdev);
	set.features = vdev->features;
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1))
		return -EINVAL;
	return rf_ask(RF_GUEST_SET_FEATURES, &set);
}

static const char *device_bus_name(struct virtio_device *vdev)
{
	return dev_name(vdev->dev.parent);
}

RF_FIND_VQS(device_find_vqs, rf_queues_find)

static const struct virtio_config_ops device_ops = {
	.get			= device_get,
	.set			= device_set,
	.generation		= device_generation,
	.get_status		= device_get_status,
	.set_status		= device_set_status,
	.reset			= rf_device_reset,
	.find_vqs		= device_find_vqs,
	.del_vqs		= rf_queues_del,
	.synchronize_cbs	= rf_queues_synchronize,
	.get_features		= device_get_features,
	.finalize_features	= device_finalize_features,
	.bus_name		= device_bus_name,
	.set_vq_affinity	= rf_queue_set_affinity,
	.get_vq_affinity	= rf_queue_get_affinity,
};

/* --- coming and going ------------------------------------------------------------------- */

static void device_release(struct device *dev)
{
	kfree(rf_bus_device(dev_to_virtio(dev)));
}

static int device_probe(struct platform_device *pdev)
{
	const struct rf_guest_device_info *info = dev_get_platdata(&pdev->dev);
	struct rf_bus_device *dev;
	int err;

	if (info->nr_queues > RF_GUEST_MAX_QUEUES || info->config_len > RF_GUEST_MAX_CONFIG)
		return dev_err_probe(&pdev->dev, -EINVAL, "%u queues, %u bytes of configuration\n",
				     info->nr_queues, info->config_len);
	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return -ENOMEM;

	dev->vdev.dev.parent = &pdev->dev;
	dev->vdev.dev.release = device_release;
	dev->vdev.config = &device_ops;
	dev->vdev.id.device = rf_bus_presented_id(info->slot, info->device_id);
	dev->vdev.id.vendor = RF_ID_VENDOR;
	dev->slot = info->slot;
	dev->nr_queues = info->nr_queues;
	dev->config_len = info->config_len;
	dev->features = info->features;

	err = register_virtio_device(&dev->vdev);
	if (err) {
		put_device(&dev->vdev.dev);
		return err;
	}
	platform_set_drvdata(pdev, dev);
	return 0;
}

static void device_remove(struct platform_device *pdev)
{
	struct rf_bus_device *dev = platform_get_drvdata(pdev);

	unregister_virtio_device(&dev->vdev);
}

void rf_device_changed(struct platform_device *pdev)
{
	struct rf_bus_device *dev = platform_get_drvdata(pdev);

	if (dev)
		virtio_config_changed(&dev->vdev);
}

void rf_device_gone(struct platform_device *pdev)
{
	struct rf_bus_device *dev = platform_get_drvdata(pdev);

	if (!dev)
		return;
	/* Its driver stays, or has gone. */
	device_lock(&dev->vdev.dev);
	rf_queues_take_finished(dev);
	virtio_break_device(&dev->vdev);
	rf_queues_synchronize(&dev->vdev);
	device_unlock(&dev->vdev.dev);
}

static int device_freeze(struct device *parent)
{
	struct rf_bus_device *dev = dev_get_drvdata(parent);

	return virtio_device_freeze(&dev->vdev);
}

static int device_restore(struct device *parent)
{
	struct rf_bus_device *dev = dev_get_drvdata(parent);

	return virtio_device_restore(&dev->vdev);
}

static DEFINE_SIMPLE_DEV_PM_OPS(device_pm_ops, device_freeze, device_restore);

struct platform_driver rf_device_driver = {
	.driver		= {
		.name			= "ringfence-slot",
		.pm			= pm_sleep_ptr(&device_pm_ops),
		.suppress_bind_attrs	= true,
	},
	.probe		= device_probe,
	.remove_new	= device_remove,
};
