// SPDX-License-Identifier: GPL-2.0
/*
 * queue.c - queues of a device: memory, doorbell, interrupt
 *
 *	find	the ring is made, the host is told of it and gives a port
 *	del	the device is reset first: until then the host raises the port and
 *		writes to the ring
 */
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <xen/events.h>
#include <xen/interface/xen.h>
#include <xen/interface/event_channel.h>

#include "bus.h"
#include "hypercall.h"

/* --- doorbell and interrupt ------------------------------------------------------------- */

static bool is_ready(const struct rf_bus_device *dev)
{
	return READ_ONCE(dev->status) & VIRTIO_CONFIG_S_DRIVER_OK;
}

/*
 * Served when it returns, or later.  A device that has gone breaks the queue.
 * The kernel's virtio_balloon rings for its statistics before its device is
 * ready, when the host refuses: that is made up for.
 */
static bool queue_notify(struct virtqueue *vq)
{
	struct rf_bus_device *dev = rf_bus_device(vq->vdev);
	struct rf_vq *rvq = vq->priv;

	if (!is_ready(dev)) {
		WRITE_ONCE(rvq->early, true);
		/* Either this sees that it is ready now, or rf_queues_ring_early() sees that. */
		smp_mb();
		if (!is_ready(dev))
			return true;
	}
	return !rf_tell(RF_GUEST_DOORBELL, dev->slot, vq->index);
}

void rf_queues_ring_early(struct rf_bus_device *dev)
{
	u32 i;

	smp_mb();	/* pairs with that in queue_notify(); the status is written */
	for (i = 0; i < ARRAY_SIZE(dev->vqs); i++) {
		struct rf_vq *rvq = dev->vqs[i];

		if (!rvq || !READ_ONCE(rvq->early))
			continue;
		WRITE_ONCE(rvq->early, false);
		queue_notify(rvq->vq);
	}
}

/* A driver that looks by itself may have been quicker: that is no stray interrupt. */
static irqreturn_t queue_interrupt(int irq, void *data)
{
	struct rf_vq *rvq = data;

	vring_interrupt(irq, rvq->vq);
	return IRQ_HANDLED;
}

/* --- set-up -------------------------------------------------------------------------------- */

static int queue_size(struct rf_bus_device *dev, u32 index, u32 *num)
{
	struct rf_guest_queue_info info = { .slot = dev->slot, .queue = index };
	int err;

	if (index >= dev->nr_queues)
		return -ENOENT;
	err = rf_ask(RF_GUEST_QUEUE_INFO, &info);
	if (err)
		return err;
	*num = info.max_num;
	if (*num < 2 || *num > RF_GUEST_MAX_QUEUE_NUM || !is_power_of_2(*num))
		return -EINVAL;
	return 0;
}

static int queue_tell_host(struct rf_bus_device *dev, u32 index, struct rf_vq *rvq)
{
	struct rf_guest_queue set = {
		.slot	= dev->slot,
		.queue	= index,
		.num	= virtqueue_get_vring_size(rvq->vq),
		.desc	= virtqueue_get_desc_addr(rvq->vq),
		.driver	= virtqueue_get_avail_addr(rvq->vq),
		.device	= virtqueue_get_used_addr(rvq->vq),
	};
	int err = rf_ask(RF_GUEST_QUEUE_SET, &set);

	if (err)
		return err;
	/* A port that is in use here is none of the host's to give. */
	if (!set.port || (int)irq_from_evtchn(set.port) > 0)
		return -EINVAL;
	rvq->port = set.port;
	return 0;
}

static int queue_bind(struct rf_bus_device *dev, struct rf_vq *rvq, const char *name)
{
	int irq;

	snprintf(rvq->name, sizeof(rvq->name), "%s-%s", dev_name(&dev->vdev.dev), name);
	irq = bind_evtchn_to_irqhandler(rvq->port, queue_interrupt, 0, rvq->name, rvq);
	if (irq < 0)
		return irq;
	rvq->irq = irq;
	return 0;
}

/* On failure the rest is rf_queues_del()'s. */
static int queue_make(struct rf_bus_device *dev, u32 index, const struct virtqueue_info *info)
{
	struct rf_vq *rvq;
	u32 num;
	int err;

	err = queue_size(dev, index, &num);
	if (err)
		return err;
	rvq = kzalloc(sizeof(*rvq), GFP_KERNEL);
	if (!rvq)
		return -ENOMEM;
	dev->vqs[index] = rvq;
	if (!zalloc_cpumask_var(&rvq->cpus, GFP_KERNEL))
		return -ENOMEM;
	rvq->vq = vring_create_virtqueue(index, num, SMP_CACHE_BYTES, &dev->vdev, true, true,
					 info->ctx, queue_notify, info->callback, info->name);
	if (!rvq->vq)
		return -ENOMEM;
	rvq->vq->num_max = num;
	rvq->vq->priv = rvq;
	err = queue_tell_host(dev, index, rvq);
	if (err)
		return err;
	return queue_bind(dev, rvq, info->name);
}

static void queue_free(struct rf_vq *rvq)
{
	struct evtchn_close close = { .port = rvq->port };

	if (rvq->irq) {
		irq_update_affinity_hint(rvq->irq, NULL);
		/* Closes the port, and must not fail. */
		unbind_from_irqhandler(rvq->irq, rvq);
	} else if (rvq->port) {
		rf_raw_hypercall(__HYPERVISOR_event_channel_op, EVTCHNOP_close,
				 (unsigned long)&close, 0);
	}
	if (rvq->vq)
		vring_del_virtqueue(rvq->vq);
	free_cpumask_var(rvq->cpus);
	kfree(rvq);
}

void rf_queues_del(struct virtio_device *vdev)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);
	u32 i;

	/* Drivers that fail to start leave this out. */
	if (dev->status)
		rf_device_reset(vdev);
	for (i = 0; i < ARRAY_SIZE(dev->vqs); i++) {
		if (!dev->vqs[i])
			continue;
		queue_free(dev->vqs[i]);
		dev->vqs[i] = NULL;
	}
}

/* --- whose interrupt it is -------------------------------------------------------------- */

int rf_queue_set_affinity(struct virtqueue *vq, const struct cpumask *cpus)
{
	struct rf_vq *rvq = rf_bus_device(vq->vdev)->vqs[vq->index];

	if (!vq->callback)
		return -EINVAL;
	if (!cpus)
		return irq_update_affinity_hint(rvq->irq, NULL);
	cpumask_copy(rvq->cpus, cpus);
	return irq_set_affinity_and_hint(rvq->irq, rvq->cpus);
}

const struct cpumask *rf_queue_get_affinity(struct virtio_device *vdev, int index)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);

	if (index < 0 || index >= ARRAY_SIZE(dev->vqs))
		return NULL;
	if (!dev->vqs[index] || !dev->vqs[index]->spread)
		return NULL;
	return dev->vqs[index]->cpus;
}

/* Each vCPU has one of the queues, and each queue's interrupt goes to one of its vCPUs. */
static void queues_spread(struct rf_bus_device *dev, unsigned int nvqs,
			  const struct irq_affinity *desc)
{
	unsigned int first = desc->pre_vectors, i;
	int cpu;

	if (first + desc->post_vectors >= nvqs)
		return;
	nvqs -= first + desc->post_vectors;
	for_each_possible_cpu(cpu) {
		i = first + cpu % nvqs;
		if (dev->vqs[i])
			cpumask_set_cpu(cpu, dev->vqs[i]->cpus);
	}
	for (i = first; i < first + nvqs; i++) {
		if (!dev->vqs[i] || cpumask_empty(dev->vqs[i]->cpus))
			continue;
		dev->vqs[i]->spread = true;
		irq_set_affinity_and_hint(dev->vqs[i]->irq, dev->vqs[i]->cpus);
	}
}

/* Queues that are not wanted have no number, as with other transports of Linux. */
int rf_queues_find(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		   struct virtqueue_info infos[], struct irq_affinity *desc)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);
	unsigned int i, number = 0;
	int err;

	for (i = 0; i < nvqs; i++) {
		vqs[i] = NULL;
		if (!infos[i].name)
			continue;
		err = queue_make(dev, number, &infos[i]);
		if (err)
			goto err_del;
		vqs[i] = dev->vqs[number++]->vq;
	}
	if (desc)
		queues_spread(dev, number, desc);
	return 0;

err_del:
	rf_queues_del(vdev);
	return err;
}

/* --- waiting ----------------------------------------------------------------------------- */

void rf_queues_synchronize(struct virtio_device *vdev)
{
	struct rf_bus_device *dev = rf_bus_device(vdev);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(dev->vqs); i++) {
		if (dev->vqs[i] && dev->vqs[i]->irq)
			synchronize_irq(dev->vqs[i]->irq);
	}
}

/* As if each queue was interrupted once more. */
void rf_queues_take_finished(struct rf_bus_device *dev)
{
	unsigned long flags;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(dev->vqs); i++) {
		struct rf_vq *rvq = dev->vqs[i];

		if (!rvq || !rvq->irq)
			continue;
		disable_irq(rvq->irq);
		local_irq_save(flags);
		queue_interrupt(rvq->irq, rvq);
		local_irq_restore(flags);
		enable_irq(rvq->irq);
	}
}
