// SPDX-License-Identifier: GPL-2.0
/*
 * device.c - a device of the VM's bus, driven by hand
 */
#include "device.h"

int device_find(u32 device_id)
{
	u32 slot;

	for (slot = 0; slot < RF_GUEST_MAX_SLOTS; slot++) {
		struct rf_guest_device_info info = { .slot = slot };

		if (!device_op(RF_GUEST_DEVICE_INFO, &info) && info.device_id == device_id)
			return slot;
	}
	return -1;
}

void device_begin(u32 slot, u64 features)
{
	const u64 status = STATUS_ACKNOWLEDGE | STATUS_DRIVER;

	EXPECT_EQ(set_status(slot, 0), 0);
	EXPECT_EQ(set_status(slot, status), 0);
	EXPECT_EQ(set_features(slot, features | F_VERSION_1), 0);
	EXPECT_EQ(set_status(slot, status | STATUS_FEATURES_OK), 0);
	EXPECT_EQ(get_status(slot), status | STATUS_FEATURES_OK);
}

void device_ready(u32 slot)
{
	EXPECT_EQ(set_status(slot, get_status(slot) | STATUS_DRIVER_OK), 0);
}

void ring_set(struct ring *ring, u32 slot, u32 queue, u32 num)
{
	struct rf_guest_queue set = { .slot = slot, .queue = queue, .num = num };

	if (!ring->desc) {
		ring->desc = page_alloc();
		ring->avail = page_alloc();
		ring->used = page_alloc();
	}
	memset(ring->desc, 0, PAGE_SIZE);
	memset(ring->avail, 0, PAGE_SIZE);
	memset(ring->used, 0, PAGE_SIZE);
	ring->num = num;
	set.desc = gpa_of(ring->desc);
	set.driver = gpa_of(ring->avail);
	set.device = gpa_of(ring->used);
	EXPECT_EQ(device_op(RF_GUEST_QUEUE_SET, &set), 0);
	EXPECT(set.port);
	ring->port = set.port;
}

void ring_offer(struct ring *ring, u16 head)
{
	u16 idx = ring->avail->idx;

	ring->avail->ring[idx & (ring->num - 1)] = head;
	barrier();
	WRITE_ONCE(ring->avail->idx, idx + 1);
}
