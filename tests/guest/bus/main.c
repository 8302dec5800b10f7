// SPDX-License-Identifier: GPL-2.0
/*
 * The bus and its hypercall, by the device that every guest has: the host's
 * random numbers.  What is asked for wrongly is refused; a ring that breaks the
 * rules ends its device, until that is reset, and nothing else.
 */
#include "device.h"

#define NUM	8

static int rng;
static struct ring ring;
static u8 *data;

static void begin(u64 features)
{
	device_begin(rng, features);
	ring_set(&ring, rng, 0, NUM);
	device_ready(rng);
	memset(data, 0, PAGE_SIZE);
}

static struct vring_desc *fill(u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	ring.desc[i] = (struct vring_desc) {
		.addr = addr, .len = len, .flags = flags, .next = next,
	};
	return &ring.desc[i];
}

static u32 nonzero(const u8 *p, u32 len)
{
	u32 i, n = 0;

	for (i = 0; i < len; i++)
		n += p[i] != 0;
	return n;
}

static void there_is_a_bus(void)
{
	struct rf_guest_bus_info info = {}, again = {};

	EXPECT_EQ(device_op(RF_GUEST_BUS_INFO, &info), 0);
	EXPECT_EQ(info.version, RF_GUEST_VERSION);
	EXPECT_EQ(info.nr_slots, RF_GUEST_MAX_SLOTS);
	EXPECT(info.port);
	EXPECT_EQ(device_op(RF_GUEST_BUS_INFO, &again), 0);
	EXPECT_EQ(again.port, info.port);
	/* Another one, once that is closed. */
	EXPECT_EQ(port_close(info.port), 0);
	EXPECT_EQ(device_op(RF_GUEST_BUS_INFO, &again), 0);
	EXPECT(again.port);

	data = page_alloc();
	rng = device_find(DEVICE_RNG);
	EXPECT(rng >= 0);
}

static void what_is_wrong_is_refused(void)
{
	struct rf_guest_device_info info = { .slot = RF_GUEST_MAX_SLOTS };
	struct rf_guest_config config = { .slot = rng, .len = 1 };
	struct rf_guest_queue_info queue = { .slot = rng, .queue = 1 };
	u32 op;

	EXPECT_EQ(device_op(RF_GUEST_DEVICE_INFO, &info), -EINVAL);
	info.slot = 0xffffffff;
	EXPECT_EQ(device_op(RF_GUEST_DEVICE_INFO, &info), -EINVAL);
	EXPECT_EQ(device_op(RF_GUEST_READ_CONFIG, &config), -EINVAL);
	config.len = 0xffffffff;
	EXPECT_EQ(device_op(RF_GUEST_READ_CONFIG, &config), -EINVAL);
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
	EXPECT_EQ(device_op(RF_GUEST_QUEUE_INFO, &queue), -EINVAL);
	queue.queue = 0;
	EXPECT_EQ(device_op(RF_GUEST_QUEUE_INFO, &queue), 0);
	EXPECT(queue.max_num >= NUM);
	EXPECT_EQ(queue.port, 0);

	for (op = 0; op < 9; op++) {
		if (op == RF_GUEST_GET_STATUS || op == RF_GUEST_SET_STATUS)
			continue;
		EXPECT_EQ(device_op(op, NULL), -EFAULT);
		EXPECT_EQ(device_op(op, (void *)0x8000000000000000), -EFAULT);
	}
	EXPECT_EQ(device_op(10, data), -ENOSYS);
	EXPECT_EQ(device_op(0xffffffff, data), -ENOSYS);
	EXPECT_EQ(get_status(31), -ENODEV);
	EXPECT_EQ(get_status(32), -ENODEV);
	EXPECT_EQ(get_status(1UL << 32 | rng), -EINVAL);
	EXPECT_EQ(doorbell(1UL << 32 | rng, 0), -EINVAL);
	EXPECT_EQ(doorbell(rng, 1UL << 32), -EINVAL);
	EXPECT_EQ(doorbell(31, 0), -ENODEV);
}

static void status_goes_one_way(void)
{
	struct rf_guest_queue set = { .slot = rng, .num = NUM };

	EXPECT_EQ(set_status(rng, 0), 0);
	EXPECT_EQ(doorbell(rng, 0), -EBUSY);
	EXPECT_EQ(set_status(rng, STATUS_DRIVER_OK), -EINVAL);
	EXPECT_EQ(set_status(rng, 0x100), -EINVAL);
	EXPECT_EQ(device_op(RF_GUEST_QUEUE_SET, &set), -EBUSY);
	EXPECT_EQ(set_features(rng, F_EVENT_IDX), -EINVAL);
	EXPECT_EQ(set_features(rng, F_VERSION_1 | 1), -EINVAL);
	/* Features that were never accepted do not stick. */
	EXPECT_EQ(set_status(rng, STATUS_DRIVER | STATUS_FEATURES_OK), 0);
	EXPECT_EQ(get_status(rng), STATUS_DRIVER);

	device_begin(rng, F_EVENT_IDX);
	EXPECT_EQ(set_features(rng, F_VERSION_1), -EBUSY);
	EXPECT_EQ(set_status(rng, STATUS_DRIVER), -EINVAL);
	device_ready(rng);
	set.desc = gpa_of(data);
	set.driver = gpa_of(data);
	set.device = gpa_of(data);
	EXPECT_EQ(device_op(RF_GUEST_QUEUE_SET, &set), -EBUSY);
	/* A queue that was not set up is rung in vain. */
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(doorbell(rng, 1), -EINVAL);
}

static long queue_set(u32 num, u64 desc, u64 driver, u64 device)
{
	struct rf_guest_queue set = {
		.slot = rng, .num = num, .desc = desc, .driver = driver, .device = device,
	};

	return device_op(RF_GUEST_QUEUE_SET, &set);
}

static void rings_lie_in_the_guest(void)
{
	const u64 end = (u64)start_info->nr_pages * PAGE_SIZE, good = gpa_of(data);
	const u64 bad[] = { end + (64 << 20), 1UL << 45, 1UL << 52, 1UL << 63, -16UL, -4096UL };
	u32 i;

	device_begin(rng, 0);
	EXPECT_EQ(queue_set(0, good, good, good), -EINVAL);
	EXPECT_EQ(queue_set(1, good, good, good), -EINVAL);
	EXPECT_EQ(queue_set(6, good, good, good), -EINVAL);
	EXPECT_EQ(queue_set(1 << 16, good, good, good), -EINVAL);
	EXPECT_EQ(queue_set(0x80000000, good, good, good), -EINVAL);
	EXPECT_EQ(queue_set(NUM, good + 8, good, good), -EINVAL);
	EXPECT_EQ(queue_set(NUM, good, good + 1, good), -EINVAL);
	EXPECT_EQ(queue_set(NUM, good, good, good + 2), -EINVAL);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(queue_set(NUM, bad[i], good, good), -EFAULT);
		EXPECT_EQ(queue_set(NUM, good, bad[i], good), -EFAULT);
		EXPECT_EQ(queue_set(NUM, good, good, bad[i]), -EFAULT);
	}
	/* All of that has taken nothing. */
	EXPECT_EQ(queue_set(NUM, good, good + 1024, good + 2048), 0);
	EXPECT_EQ(queue_set(NUM, good, good + 1024, good + 2048), -EBUSY);
}

static void random_numbers_come_with_the_doorbell(void)
{
	begin(F_EVENT_IDX);
	/* Not to be told: nothing is finished behind the guest's back. */
	WRITE_ONCE(*used_event(&ring), 0x8000);
	fill(0, gpa_of(data), 64, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 1);
	EXPECT_EQ(ring.used->ring[0].id, 0);
	EXPECT_EQ(ring.used->ring[0].len, 64);
	EXPECT(nonzero(data, 64) > 32);
	EXPECT_EQ(nonzero(data + 64, PAGE_SIZE - 64), 0);
	EXPECT(!port_is_pending(ring.port));
	EXPECT_EQ(*avail_event(&ring), 1);

	/* The next one, with an event. */
	WRITE_ONCE(*used_event(&ring), 1);
	fill(3, gpa_of(data) + 100, 16, DESC_WRITE | DESC_NEXT, 5);
	fill(5, gpa_of(data) + 200, 16, DESC_WRITE, 0);
	ring_offer(&ring, 3);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 2);
	EXPECT_EQ(ring.used->ring[1].id, 3);
	EXPECT_EQ(ring.used->ring[1].len, 32);
	EXPECT(nonzero(data + 100, 16) && nonzero(data + 200, 16));
	EXPECT_EQ(nonzero(data + 116, 84), 0);
	EXPECT(port_is_pending(ring.port));
}

static void flags_do_without_event_index(void)
{
	begin(0);
	WRITE_ONCE(ring.avail->flags, 1);
	fill(0, gpa_of(data), 8, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 1);
	EXPECT(!port_is_pending(ring.port));
	WRITE_ONCE(ring.avail->flags, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT(port_is_pending(ring.port));
}

static void indirect_tables(void)
{
	struct vring_desc *table = page_alloc();

	table[0] = (struct vring_desc) { gpa_of(data), 8, DESC_WRITE | DESC_NEXT, 2 };
	table[2] = (struct vring_desc) { gpa_of(data) + 512, 8, DESC_WRITE, 0 };
	begin(F_INDIRECT);
	fill(7, gpa_of(table), 48, DESC_INDIRECT, 0);
	ring_offer(&ring, 7);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 1);
	EXPECT_EQ(ring.used->ring[0].len, 16);
	EXPECT(nonzero(data, 8) && nonzero(data + 512, 8));
}

/* What the guest does not have, the device cannot write: the request fails alone. */
static void wild_buffers_fail(void)
{
	const u64 bad[] = { 1UL << 45, 1UL << 63, -8UL, (u64)start_info->nr_pages << 13 };
	u32 i;

	begin(0);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		fill(0, bad[i], 64, DESC_WRITE, 0);
		ring_offer(&ring, 0);
		EXPECT_EQ(doorbell(rng, 0), 0);
		EXPECT_EQ(ring.used->idx, i + 1);
		EXPECT_EQ(ring.used->ring[i].len, 0);
	}
	EXPECT(!(get_status(rng) & STATUS_NEEDS_RESET));
}

static void is_ended(const char *what)
{
	if (doorbell(rng, 0) || !(get_status(rng) & STATUS_NEEDS_RESET) || ring.used->idx)
		test_fail(__FILE__, __LINE__, what);
	/* For good: what is right now comes too late. */
	fill(0, gpa_of(data), 8, DESC_WRITE, 0);
	WRITE_ONCE(ring.avail->idx, 1);
	WRITE_ONCE(ring.avail->ring[0], 0);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 0);
}

static void rings_that_break_the_rules(void)
{
	struct vring_desc *table = page_alloc();
	const u64 at = gpa_of(data);
	u32 i;

	begin(F_INDIRECT);
	ring_offer(&ring, NUM);
	is_ended("a head outside the table");

	begin(F_INDIRECT);
	WRITE_ONCE(ring.avail->idx, NUM + 1);
	is_ended("more requests than the ring has");

	begin(F_INDIRECT);
	fill(0, at, 8, DESC_WRITE | DESC_NEXT, 1);
	fill(1, at, 8, DESC_WRITE | DESC_NEXT, 0);
	ring_offer(&ring, 0);
	is_ended("a loop");

	begin(F_INDIRECT);
	fill(0, at, 8, DESC_WRITE | DESC_NEXT, NUM);
	ring_offer(&ring, 0);
	is_ended("a next outside the table");

	begin(F_INDIRECT);
	fill(0, at, 8, DESC_WRITE | DESC_NEXT, 1);
	fill(1, at, 8, 0, 0);
	ring_offer(&ring, 0);
	is_ended("readable after writable");

	begin(F_INDIRECT);
	fill(0, at, 0xffffffff, DESC_WRITE | DESC_NEXT, 1);
	fill(1, at, 2, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	is_ended("4 GiB in all");

	begin(F_INDIRECT);
	fill(0, gpa_of(table), 24, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("half a descriptor");

	begin(F_INDIRECT);
	fill(0, gpa_of(table), 0, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("an empty table");

	begin(F_INDIRECT);
	fill(0, gpa_of(table), 0xfffffff0, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("a table of 4 GiB");

	begin(F_INDIRECT);
	fill(0, 1UL << 45, 16, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("a table that the guest does not have");

	begin(F_INDIRECT);
	table[0] = (struct vring_desc) { gpa_of(table), 16, DESC_INDIRECT, 0 };
	fill(0, gpa_of(table), 16, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("a table in a table");

	begin(F_INDIRECT);
	for (i = 0; i < 256; i++)
		table[i] = (struct vring_desc) { at, 1, DESC_WRITE | DESC_NEXT, i + 1 };
	fill(0, gpa_of(table), 4096, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("more pieces than there may be");

	begin(0);
	table[0] = (struct vring_desc) { at, 8, DESC_WRITE, 0 };
	fill(0, gpa_of(table), 16, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("a table that was not agreed on");
}

/* 130 pieces are the most, and 256 bytes at once, however many are asked for. */
static void as_much_as_there_may_be(void)
{
	struct vring_desc *table = page_alloc();
	u32 i;

	for (i = 0; i < 131; i++)
		table[i] = (struct vring_desc) { gpa_of(data) + 4 * i, 4, DESC_WRITE | DESC_NEXT,
						 i + 1 };
	table[129].flags = DESC_WRITE;
	begin(F_INDIRECT);
	fill(0, gpa_of(table), 130 * 16, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 1);
	EXPECT_EQ(ring.used->ring[0].len, 256);
	EXPECT(nonzero(data, 256) > 128);
	EXPECT_EQ(nonzero(data + 256, PAGE_SIZE - 256), 0);

	table[129].flags = DESC_WRITE | DESC_NEXT;
	table[130].flags = DESC_WRITE;
	begin(F_INDIRECT);
	fill(0, gpa_of(table), 131 * 16, DESC_INDIRECT, 0);
	ring_offer(&ring, 0);
	is_ended("one piece more than there may be");
}

/* A reset takes the ring away: the memory is the guest's alone again. */
static void a_reset_is_the_end(void)
{
	begin(0);
	fill(0, gpa_of(data), 8, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(set_status(rng, 0), 0);
	EXPECT_EQ(doorbell(rng, 0), -EBUSY);
	EXPECT_EQ(ring.used->idx, 0);
	EXPECT_EQ(nonzero(data, 8), 0);
	EXPECT_EQ(port_close(ring.port), 0);
	begin(0);
	fill(0, gpa_of(data), 8, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(rng, 0), 0);
	EXPECT_EQ(ring.used->idx, 1);
}

static u32 storm_stop;

static void storm(void)
{
	while (!READ_ONCE(storm_stop)) {
		doorbell(rng, 0);
		get_status(rng);
	}
}

/* One vCPU rings, another resets and sets up again. */
static void doorbells_race_with_resets(void)
{
	u32 i;

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	EXPECT(cpu_run(1, storm));
	for (i = 0; i < 300; i++) {
		begin(F_EVENT_IDX);
		fill(0, gpa_of(data), 16, DESC_WRITE, 0);
		ring_offer(&ring, 0);
		doorbell(rng, 0);
		EXPECT_EQ(READ_ONCE(ring.used->idx), 1);
		EXPECT_EQ(set_status(rng, 0), 0);
		EXPECT_EQ(port_close(ring.port), 0);
	}
	WRITE_ONCE(storm_stop, 1);
	cpu_wait(1);
}

GUEST_TEST(CASE(there_is_a_bus), CASE(what_is_wrong_is_refused), CASE(status_goes_one_way),
	   CASE(rings_lie_in_the_guest), CASE(random_numbers_come_with_the_doorbell),
	   CASE(flags_do_without_event_index), CASE(indirect_tables), CASE(wild_buffers_fail),
	   CASE(rings_that_break_the_rules), CASE(as_much_as_there_may_be),
	   CASE(a_reset_is_the_end),
	   CASE(doorbells_race_with_resets));
