/* SPDX-License-Identifier: GPL-2.0 */
/*
 * device.h - a device of the VM's bus, driven by hand
 *
 *	struct ring ring;
 *
 *	device_begin(slot, features);
 *	ring_set(&ring, slot, 0, 8);
 *	device_ready(slot);
 *	ring.desc[0] = (struct vring_desc) { ... };
 *	ring_offer(&ring, 0);
 *	doorbell(slot, 0);
 */
#ifndef GUEST_DEVICE_H
#define GUEST_DEVICE_H

#include "guest.h"

#include "../../../uapi/ringfence_guest.h"

#define DEVICE_RNG		4
#define DEVICE_BALLOON		5

#define STATUS_ACKNOWLEDGE	1
#define STATUS_DRIVER		2
#define STATUS_DRIVER_OK	4
#define STATUS_FEATURES_OK	8
#define STATUS_NEEDS_RESET	0x40

#define F_INDIRECT		(1UL << 28)
#define F_EVENT_IDX		(1UL << 29)
#define F_VERSION_1		(1UL << 32)

#define DESC_NEXT		1
#define DESC_WRITE		2
#define DESC_INDIRECT		4

/* Virtio specification 1.2, section 2.7. */
struct vring_desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

struct vring_avail {
	u16 flags;
	u16 idx;
	u16 ring[];
};

struct vring_used {
	u16 flags;
	u16 idx;
	struct {
		u32 id;
		u32 len;
	} ring[];
};

/* A ring whose three parts are a page each: 2 to 256 descriptors. */
struct ring {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	u32 num;
	u32 port;
};

static inline long device_op(u32 op, void *arg)
{
	return hypercall(RF_GUEST_HYPERCALL, op, (u64)arg, 0, 0, 0);
}

static inline long doorbell(u64 slot, u64 queue)
{
	return hypercall(RF_GUEST_HYPERCALL, RF_GUEST_DOORBELL, slot, queue, 0, 0);
}

static inline long get_status(u64 slot)
{
	return hypercall(RF_GUEST_HYPERCALL, RF_GUEST_GET_STATUS, slot, 0, 0, 0);
}

static inline long set_status(u64 slot, u64 status)
{
	return hypercall(RF_GUEST_HYPERCALL, RF_GUEST_SET_STATUS, slot, status, 0, 0);
}

static inline long set_features(u32 slot, u64 features)
{
	struct rf_guest_features set = { .slot = slot, .features = features };

	return device_op(RF_GUEST_SET_FEATURES, &set);
}

static inline u64 gpa_of(const void *p)
{
	return (u64)p - VIRT_BASE;
}

static inline u16 *used_event(struct ring *ring)
{
	return &ring->avail->ring[ring->num];
}

static inline u16 *avail_event(struct ring *ring)
{
	return (u16 *)&ring->used->ring[ring->num];
}

/* device.c */

/* Slot of the first device of a kind, or -1. */
int device_find(u32 device_id);

/* Reset it, and accept @features and VERSION_1: queues can be set up. */
void device_begin(u32 slot, u64 features);
void device_ready(u32 slot);

/* Make a ring, or one that was zero again, and give it to the device. */
void ring_set(struct ring *ring, u32 slot, u32 queue, u32 num);

/* Put the chain that begins at @head into the available ring. */
void ring_offer(struct ring *ring, u16 head);

#endif /* GUEST_DEVICE_H */
