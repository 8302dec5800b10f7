/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bus.h - the ringfence bus
 *
 *	bus.c		which slot has a device: scan, add, remove
 *	device.c	a device as the virtio core sees it
 *	queue.c		its queues: rings, doorbells, interrupts
 *
 * What the host says is checked where it is read, once, and kept.
 */
#ifndef RF_BUS_H
#define RF_BUS_H

#include <linux/cpumask.h>
#include <linux/platform_device.h>
#include <linux/virtio.h>

#include "../../uapi/ringfence_guest.h"
#include "../compat.h"
#include "../ids.h"

struct irq_affinity;

/**
 * struct rf_vq - a queue of a device
 * @vq: The core's
 * @port: Event channel, 0 if the host has given none
 * @irq: Of the event channel, 0 if it is not bound
 * @cpus: vCPUs it serves, if its interrupt is to be spread; or those the driver said
 * @spread: Are they for the driver to see?
 * @early: The driver rang before the device was ready to hear
 * @name: Of the interrupt
 */
struct rf_vq {
	struct virtqueue *vq;
	u32 port;
	int irq;
	cpumask_var_t cpus;
	bool spread;
	bool early;
	char name[32];
};

/**
 * struct rf_bus_device - a device in a slot
 * @vdev: For the virtio core, which frees it
 * @slot: Its slot
 * @nr_queues: Queues, at most RF_GUEST_MAX_QUEUES
 * @config_len: Bytes of configuration, at most RF_GUEST_MAX_CONFIG
 * @features: Offered
 * @status: What this side has written; the host can take bits away, not add them
 * @vqs: Queues that are set up
 */
struct rf_bus_device {
	struct virtio_device vdev;
	u32 slot;
	u32 nr_queues;
	u32 config_len;
	u64 features;
	u8 status;
	struct rf_vq *vqs[RF_GUEST_MAX_QUEUES];
};

static inline struct rf_bus_device *rf_bus_device(struct virtio_device *vdev)
{
	return container_of(vdev, struct rf_bus_device, vdev);
}

/* --- bus.c: the id by which the virtio core is to know a device */
u32 rf_bus_presented_id(u32 slot, u32 device_id);

/* --- device.c */
extern struct platform_driver rf_device_driver;

/* Its configuration has changed. */
void rf_device_changed(struct platform_device *pdev);

/* The host has taken it away: what was finished is taken, then nothing works. */
void rf_device_gone(struct platform_device *pdev);

/* Nothing of it is in use by the host when this returns. */
void rf_device_reset(struct virtio_device *vdev);

/* --- queue.c */
int rf_queues_find(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],
		   struct virtqueue_info infos[], struct irq_affinity *desc);
void rf_queues_del(struct virtio_device *vdev);
void rf_queues_synchronize(struct virtio_device *vdev);

/* The device is ready: ring where drivers have done so too early. */
void rf_queues_ring_early(struct rf_bus_device *dev);
void rf_queues_take_finished(struct rf_bus_device *dev);
int rf_queue_set_affinity(struct virtqueue *vq, const struct cpumask *cpus);
const struct cpumask *rf_queue_get_affinity(struct virtio_device *vdev, int index);

#endif /* RF_BUS_H */
