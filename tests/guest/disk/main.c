// SPDX-License-Identifier: GPL-2.0
/*
 * A block device of 1 MiB, driven by hand.  Requests that are right do what they
 * say; those that lie are answered as errors, or end the device until it is
 * reset.  Nothing outside the megabyte may change, which the host looks at
 * afterwards: tests/boot/host/disks.sh.
 */
#include "device.h"

#define DEVICE_BLOCK	2
#define NUM		64
#define NR_SECTORS	2048

#define F_RO		(1UL << 5)
#define F_FLUSH		(1UL << 9)
#define F_DISCARD	(1UL << 13)
#define F_ZEROES	(1UL << 14)
#define F_WANTED	(F_FLUSH | F_DISCARD | F_ZEROES | F_EVENT_IDX | F_INDIRECT)

#define T_IN		0
#define T_OUT		1
#define T_FLUSH		4
#define T_GET_ID	8
#define T_DISCARD	11
#define T_ZEROES	13

#define S_OK		0
#define S_IOERR		1
#define S_UNSUPP	2
#define S_NONE		0xaa	/* nobody has answered */

struct header {
	u32 type;
	u32 reserved;
	u64 sector;
};

struct range {
	u64 sector;
	u32 nr_sectors;
	u32 flags;
};

static int disk = -1;
static u64 offered;
static struct ring ring;
static struct header *header;
static u8 *status, *data, *other;

static void begin(u64 features)
{
	device_begin(disk, features & offered);
	ring_set(&ring, disk, 0, NUM);
	device_ready(disk);
}

static void fill(u32 i, u64 addr, u32 len, u16 flags, u16 next)
{
	ring.desc[i] = (struct vring_desc) {
		.addr = addr, .len = len, .flags = flags, .next = next,
	};
}

/* As long as a disk of a busy host may take. */
static bool wait_for(u16 idx)
{
	u64 i;

	for (i = 0; i < 20000; i++) {
		if (READ_ONCE(ring.used->idx) == idx)
			return true;
		hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
	}
	return false;
}

/* One request: header, @len bytes at @gpa, status.  Return: the status. */
static u8 request(u32 type, u64 sector, u64 gpa, u32 len)
{
	bool writes = type == T_IN || type == T_GET_ID;
	u16 idx = ring.used->idx;

	*header = (struct header) { .type = type, .sector = sector };
	*status = S_NONE;
	fill(0, gpa_of(header), sizeof(*header), DESC_NEXT, len ? 1 : 2);
	fill(1, gpa, len, DESC_NEXT | (writes ? DESC_WRITE : 0), 2);
	fill(2, gpa_of(status), 1, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(disk, 0), 0);
	if (!wait_for(idx + 1))
		return S_NONE;
	return READ_ONCE(*status);
}

static bool is_ended(void)
{
	doorbell(disk, 0);
	return get_status(disk) & STATUS_NEEDS_RESET;
}

static void paint(u8 *p, u8 seed)
{
	u32 i;

	for (i = 0; i < PAGE_SIZE; i++)
		p[i] = seed + i * 7 + (i >> 8);
}

static bool same(const u8 *a, const u8 *b, u32 len)
{
	u32 i;

	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			return false;
	return true;
}

/* What a discard that is wrong comes to, where there may be none at all. */
static u8 no_discard(void)
{
	return offered & F_DISCARD ? S_IOERR : S_UNSUPP;
}

static bool is_there(void)
{
	if (disk < 0)
		test_skip("no disk");
	return disk >= 0;
}

static bool is_writable(void)
{
	if (!is_there())
		return false;
	if (offered & F_RO)
		test_skip("it is read-only");
	return !(offered & F_RO);
}

static void it_says_what_it_is(void)
{
	struct rf_guest_device_info info = {};
	struct rf_guest_config config = { .len = 8 };

	header = page_alloc();
	status = page_alloc();
	data = page_alloc();
	other = page_alloc();
	disk = device_find(DEVICE_BLOCK);
	if (!is_there())
		return;
	info.slot = disk;
	config.slot = disk;
	EXPECT_EQ(device_op(RF_GUEST_DEVICE_INFO, &info), 0);
	offered = info.features;
	EXPECT(offered & F_FLUSH);
	EXPECT_EQ(device_op(RF_GUEST_READ_CONFIG, &config), 0);
	EXPECT_EQ(*(u64 *)config.data, NR_SECTORS);
	/* It is the host's to say. */
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
	begin(F_WANTED);
	EXPECT_EQ(request(T_GET_ID, 0, gpa_of(data), 20), S_OK);
	EXPECT(same(data, (const u8 *)"hand-driven\0", 12));
	EXPECT_EQ(request(T_FLUSH, 0, 0, 0), S_OK);
}

static void what_was_written_is_read(void)
{
	u32 i;

	if (!is_writable())
		return;
	begin(F_WANTED);
	for (i = 0; i < 8; i++) {
		paint(data, i);
		EXPECT_EQ(request(T_OUT, i * 256, gpa_of(data), PAGE_SIZE), S_OK);
	}
	EXPECT_EQ(request(T_FLUSH, 0, 0, 0), S_OK);
	for (i = 0; i < 8; i++) {
		paint(data, i);
		memset(other, 0, PAGE_SIZE);
		EXPECT_EQ(request(T_IN, i * 256, gpa_of(other), PAGE_SIZE), S_OK);
		EXPECT(same(data, other, PAGE_SIZE));
		EXPECT_EQ(ring.used->ring[(u16)(ring.used->idx - 1) & (NUM - 1)].len, 4097);
	}
	/* The last sector there is. */
	EXPECT_EQ(request(T_OUT, NR_SECTORS - 1, gpa_of(data), 512), S_OK);
	EXPECT_EQ(request(T_IN, NR_SECTORS - 1, gpa_of(other), 512), S_OK);
}

/* Header, data and status cut into pieces anywhere. */
static void pieces_of_any_size(void)
{
	u16 idx, i;

	if (!is_writable())
		return;
	begin(F_WANTED);
	paint(data, 99);
	*header = (struct header) { .type = T_OUT, .sector = 40 };
	*status = S_NONE;
	idx = ring.used->idx;
	fill(0, gpa_of(header), 5, DESC_NEXT, 1);
	fill(1, gpa_of(header) + 5, 11, DESC_NEXT, 2);
	fill(2, gpa_of(data), 3, DESC_NEXT, 3);
	fill(3, gpa_of(data) + 3, 500, DESC_NEXT, 4);
	fill(4, gpa_of(data) + 503, 521, DESC_NEXT, 5);
	fill(5, gpa_of(status), 1, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(disk, 0), 0);
	EXPECT(wait_for(idx + 1));
	EXPECT_EQ(*status, S_OK);

	/* Read to odd places, with the status at the end of the data's page. */
	memset(other, 0, PAGE_SIZE);
	*header = (struct header) { .type = T_IN, .sector = 40 };
	fill(0, gpa_of(header), 16, DESC_NEXT, 1);
	for (i = 1; i < 5; i++)
		fill(i, gpa_of(other) + 1 + (i - 1) * 256, 256, DESC_WRITE | DESC_NEXT, i + 1);
	fill(5, gpa_of(other) + 4095, 1, DESC_WRITE, 0);
	other[4095] = S_NONE;
	ring_offer(&ring, 0);
	EXPECT_EQ(doorbell(disk, 0), 0);
	EXPECT(wait_for(idx + 2));
	EXPECT_EQ(other[4095], S_OK);
	EXPECT(same(other + 1, data, 1024));
}

static void beyond_the_end(void)
{
	static const struct {
		u64 sector;
		u32 len;
	} bad[] = {
		{ NR_SECTORS, 512 }, { NR_SECTORS - 1, 1024 }, { NR_SECTORS + 1, 512 },
		{ -1UL, 512 }, { 1UL << 55, 512 }, { (1UL << 55) - 1, 512 },
		{ 1UL << 63, 4096 }, { -8UL, 4096 }, { 0x007fffffffffffff, 512 },
		{ 1UL << 54, 512 }, { (1UL << 55) - 2048, 4096 },
	};
	u32 i;

	if (!is_there())
		return;
	begin(F_WANTED);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		memset(data, 0x5a, PAGE_SIZE);
		EXPECT_EQ(request(T_IN, bad[i].sector, gpa_of(data), bad[i].len), S_IOERR);
		EXPECT_EQ(request(T_OUT, bad[i].sector, gpa_of(data), bad[i].len), S_IOERR);
	}
	EXPECT_EQ(data[0], 0x5a);
	EXPECT_EQ(data[4095], 0x5a);
	/* Half a sector. */
	EXPECT_EQ(request(T_IN, 0, gpa_of(data), 511), S_IOERR);
	EXPECT_EQ(request(T_IN, 0, gpa_of(data), 513), S_IOERR);
	EXPECT_EQ(request(T_OUT, 0, gpa_of(data), 100), S_IOERR);
	EXPECT(!is_ended());
}

static void ranges_beyond_the_end(void)
{
	static const struct range bad[] = {
		{ NR_SECTORS, 1, 0 }, { NR_SECTORS - 1, 2, 0 }, { 0, NR_SECTORS + 1, 0 },
		{ -1UL, 1, 0 }, { -1UL, 0xffffffff, 0 }, { 0, 0xffffffff, 0 }, { 1UL << 55, 8, 0 },
		{ (1UL << 55) - 8, 16, 0 }, { 0, 0, 0 },
	};
	struct range *range = (void *)data;
	u32 i;

	if (!is_writable())
		return;
	begin(F_WANTED);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		*range = bad[i];
		EXPECT_EQ(request(T_DISCARD, 0, gpa_of(data), sizeof(*range)), no_discard());
		EXPECT_EQ(request(T_ZEROES, 0, gpa_of(data), sizeof(*range)), S_IOERR);
	}
	*range = (struct range) { 0, 8, 2 };
	EXPECT_EQ(request(T_DISCARD, 0, gpa_of(data), sizeof(*range)), S_UNSUPP);
	EXPECT_EQ(request(T_ZEROES, 0, gpa_of(data), sizeof(*range)), S_UNSUPP);
	*range = (struct range) { 0, 8, 0 };
	EXPECT_EQ(request(T_DISCARD, 0, gpa_of(data), 15), no_discard());
	EXPECT_EQ(request(T_DISCARD, 0, gpa_of(data), 17 * 16), no_discard());
	EXPECT_EQ(request(T_DISCARD, 0, 1UL << 45, 16), no_discard());
	EXPECT_EQ(request(T_DISCARD, 0, 0, 0), no_discard());
}

/* 16 are the most there may be in a request. */
static void more_ranges_than_there_may_be(void)
{
	struct range *ranges = (void *)data;
	u32 i;

	if (!is_writable())
		return;
	begin(F_WANTED);
	for (i = 0; i < 17; i++)
		ranges[i] = (struct range) { NR_SECTORS - 8, 8, 0 };
	EXPECT_EQ(request(T_ZEROES, 0, gpa_of(data), 16 * sizeof(*ranges)), S_OK);
	EXPECT_EQ(request(T_ZEROES, 0, gpa_of(data), 17 * sizeof(*ranges)), S_IOERR);
	EXPECT(!is_ended());
}

static void zeroes_are_read_as_such(void)
{
	struct range *range = (void *)other;
	u32 unmap, i;

	if (!is_writable())
		return;
	begin(F_WANTED);
	for (unmap = 0; unmap < 2; unmap++) {
		paint(data, 3);
		EXPECT_EQ(request(T_OUT, 64, gpa_of(data), PAGE_SIZE), S_OK);
		*range = (struct range) { 65, 6, unmap };
		EXPECT_EQ(request(T_ZEROES, 0, gpa_of(range), sizeof(*range)), S_OK);
		EXPECT_EQ(request(T_IN, 64, gpa_of(other), PAGE_SIZE), S_OK);
		EXPECT(same(other, data, 512));
		EXPECT(same(other + 7 * 512, data + 7 * 512, 512));
		for (i = 512; i < 7 * 512 && !other[i]; i++)
			;
		EXPECT_EQ(i, 7 * 512);
	}
	*range = (struct range) { 64, 8, 0 };
	EXPECT_EQ(request(T_DISCARD, 0, gpa_of(range), sizeof(*range)),
		  offered & F_DISCARD ? S_OK : S_UNSUPP);
}

static void nothing_is_written_to_a_read_only_disk(void)
{
	struct range *range = (void *)data;

	if (!is_there())
		return;
	if (!(offered & F_RO)) {
		test_skip("it is not");
		return;
	}
	EXPECT(!(offered & (F_DISCARD | F_ZEROES)));
	begin(F_WANTED);
	memset(data, 0, PAGE_SIZE);
	EXPECT_EQ(request(T_OUT, 0, gpa_of(data), PAGE_SIZE), S_IOERR);
	*range = (struct range) { 0, 8, 0 };
	EXPECT_EQ(request(T_DISCARD, 0, gpa_of(data), sizeof(*range)), S_IOERR);
	EXPECT_EQ(request(T_ZEROES, 0, gpa_of(data), sizeof(*range)), S_IOERR);
	EXPECT_EQ(request(T_IN, 0, gpa_of(data), PAGE_SIZE), S_OK);
}

static void wild_buffers_fail(void)
{
	const u64 bad[] = {
		1UL << 45, 1UL << 63, -512UL, -4096UL, (u64)start_info->nr_pages << 13,
	};
	u32 i;

	if (!is_there())
		return;
	begin(F_WANTED);
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		EXPECT_EQ(request(T_IN, 0, bad[i], 512), S_IOERR);
		EXPECT_EQ(request(T_IN, 0, bad[i], 1 << 20), S_IOERR);
		EXPECT_EQ(request(T_IN, 0, bad[i], 0xfffffe00), S_IOERR);
		EXPECT_EQ(request(T_OUT, 0, bad[i], 512), S_IOERR);
		EXPECT_EQ(request(T_GET_ID, 0, bad[i], 20), S_IOERR);
	}
	EXPECT_EQ(request(99, 0, 0, 0), S_UNSUPP);
	EXPECT_EQ(request(0xffffffff, -1UL, 0, 0), S_UNSUPP);
	EXPECT_EQ(request(T_GET_ID, 0, gpa_of(data), 19), S_IOERR);
	EXPECT(!is_ended());

	/* A status that goes nowhere: nobody hears, and nobody is hurt. */
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u16 idx = ring.used->idx;

		*header = (struct header) { .type = i & 1 ? T_FLUSH : T_GET_ID };
		fill(0, gpa_of(header), 16, DESC_NEXT, 1);
		fill(1, gpa_of(data), 20, DESC_WRITE | DESC_NEXT, 2);
		fill(2, bad[i], 1, DESC_WRITE, 0);
		ring_offer(&ring, 0);
		EXPECT_EQ(doorbell(disk, 0), 0);
		EXPECT(wait_for(idx + 1));
		EXPECT_EQ(ring.used->ring[idx & (NUM - 1)].len, 0);
	}
}

static void what_is_no_request_ends_the_device(void)
{
	if (!is_there())
		return;
	*header = (struct header) { .type = T_FLUSH };

	begin(F_WANTED);
	fill(0, gpa_of(header), 15, DESC_NEXT, 1);
	fill(1, gpa_of(status), 1, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT(is_ended());

	begin(F_WANTED);
	fill(0, gpa_of(header), 16, 0, 0);
	ring_offer(&ring, 0);
	EXPECT(is_ended());

	begin(F_WANTED);
	fill(0, gpa_of(header), 16, DESC_NEXT, 1);
	fill(1, gpa_of(status), 0, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT(is_ended());

	begin(F_WANTED);
	fill(0, 1UL << 45, 16, DESC_NEXT, 1);
	fill(1, gpa_of(status), 1, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	EXPECT(is_ended());

	/* It works again, once it is reset. */
	begin(F_WANTED);
	EXPECT_EQ(request(T_IN, 0, gpa_of(data), PAGE_SIZE), S_OK);
}

/* One head twice, while the first is not back. */
static void a_head_is_used_once(void)
{
	if (!is_writable())
		return;
	begin(F_WANTED);
	*header = (struct header) { .type = T_FLUSH };
	fill(0, gpa_of(header), 16, DESC_NEXT, 1);
	fill(1, gpa_of(status), 1, DESC_WRITE, 0);
	ring_offer(&ring, 0);
	ring_offer(&ring, 0);
	EXPECT(is_ended());
}

static void offer_many(u32 nr)
{
	u32 i;

	*header = (struct header) { .type = T_OUT, .sector = 128 };
	for (i = 0; i < nr; i++) {
		fill(3 * i, gpa_of(header), 16, DESC_NEXT, 3 * i + 1);
		fill(3 * i + 1, gpa_of(data), 4096, DESC_NEXT, 3 * i + 2);
		fill(3 * i + 2, gpa_of(status) + i, 1, DESC_WRITE, 0);
		ring_offer(&ring, 3 * i);
	}
}

/* What is under way has ended when a reset returns: nothing changes after it. */
static void a_reset_waits(void)
{
	u32 round, i;
	u16 idx;

	if (!is_writable())
		return;
	paint(data, 3);
	for (round = 0; round < 50; round++) {
		begin(F_WANTED);
		offer_many(20);
		doorbell(disk, 0);
		EXPECT_EQ(set_status(disk, 0), 0);
		idx = READ_ONCE(ring.used->idx);
		memset(status, S_NONE, 64);
		for (i = 0; i < 10; i++)
			hypercall(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0, 0, 0);
		EXPECT_EQ(READ_ONCE(ring.used->idx), idx);
		for (i = 0; i < 20 && status[i] == S_NONE; i++)
			;
		EXPECT_EQ(i, 20);
		EXPECT_EQ(port_close(ring.port), 0);
	}
}

static u32 storm_stop;

static void storm(void)
{
	struct rf_guest_config config = { .slot = disk, .len = 60 };

	while (!READ_ONCE(storm_stop)) {
		doorbell(disk, 0);
		get_status(disk);
		device_op(RF_GUEST_READ_CONFIG, &config);
	}
}

static void doorbells_storm(void)
{
	u32 i;

	if (!is_writable())
		return;
	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	begin(F_WANTED);
	EXPECT(cpu_run(1, storm));
	for (i = 0; i < 200; i++) {
		paint(data, i);
		EXPECT_EQ(request(T_OUT, i * 8, gpa_of(data), PAGE_SIZE), S_OK);
		EXPECT_EQ(request(T_IN, i * 8, gpa_of(other), PAGE_SIZE), S_OK);
		EXPECT(same(data, other, PAGE_SIZE));
	}
	/* Resets under it. */
	for (i = 0; i < 50; i++) {
		begin(F_WANTED);
		offer_many(20);
		doorbell(disk, 0);
		EXPECT_EQ(set_status(disk, 0), 0);
		EXPECT_EQ(port_close(ring.port), 0);
	}
	WRITE_ONCE(storm_stop, 1);
	cpu_wait(1);
}

GUEST_TEST(CASE(it_says_what_it_is), CASE(what_was_written_is_read), CASE(pieces_of_any_size),
	   CASE(beyond_the_end), CASE(ranges_beyond_the_end), CASE(more_ranges_than_there_may_be),
	   CASE(zeroes_are_read_as_such),
	   CASE(nothing_is_written_to_a_read_only_disk), CASE(wild_buffers_fail),
	   CASE(what_is_no_request_ends_the_device), CASE(a_head_is_used_once),
	   CASE(a_reset_waits), CASE(doorbells_storm));
