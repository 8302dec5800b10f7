// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon, by hand: what goes in is the host's, and reads as zero if it is
 * touched again; what is not the guest's is passed over.
 */
#include "device.h"

#define NUM		8
#define INFLATE		0
#define DEFLATE		1
#define STATS		2
#define REPORTING	3

#define F_STATS_VQ	(1UL << 1)
#define F_REPORTING	(1UL << 5)

static struct ring rings[4];
static u32 *pfns;
static int slot;

static void begin(void)
{
	u32 i;

	device_begin(slot, F_STATS_VQ | F_REPORTING | F_EVENT_IDX);
	for (i = 0; i < ARRAY_SIZE(rings); i++)
		ring_set(&rings[i], slot, i, NUM);
	device_ready(slot);
}

static void hand_over(u32 queue, u64 addr, u32 len, u16 flags)
{
	struct ring *ring = &rings[queue];
	u16 before = ring->used->idx;

	ring->desc[0] = (struct vring_desc) { .addr = addr, .len = len, .flags = flags };
	ring_offer(ring, 0);
	EXPECT_EQ(doorbell(slot, queue), 0);
	EXPECT_EQ(ring->used->idx, (u16)(before + (queue != STATS)));
}

static void pages_in_the_balloon_are_gone(void)
{
	u64 *pages[5];
	u32 i;

	slot = device_find(DEVICE_BALLOON);
	EXPECT(slot >= 0);
	begin();
	pfns = page_alloc();
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		pages[i] = page_alloc();
		pages[i][0] = 0x1111 * (i + 1);
		pages[i][511] = 7;
	}
	/* In no order, one left out, one twice. */
	pfns[0] = mfn_of(pages[4]);
	pfns[1] = mfn_of(pages[0]);
	pfns[2] = mfn_of(pages[1]);
	pfns[3] = mfn_of(pages[3]);
	pfns[4] = mfn_of(pages[0]);
	hand_over(INFLATE, gpa_of(pfns), 20, 0);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		EXPECT_EQ(pages[i][0], i == 2 ? 0x3333 : 0);
		EXPECT_EQ(pages[i][511], i == 2 ? 7 : 0);
		/* And there again for whoever wants it. */
		pages[i][0] = 0x99;
		EXPECT_EQ(pages[i][0], 0x99);
	}
	hand_over(DEFLATE, gpa_of(pfns), 20, 0);
	EXPECT_EQ(pages[0][0], 0x99);
}

static void what_is_not_the_guests_is_passed_over(void)
{
	u64 *kept = page_alloc();
	u32 i;

	kept[0] = 0x77;
	for (i = 0; i < 1024; i++)
		pfns[i] = 0xffffffff - i * 0x10001;
	hand_over(INFLATE, gpa_of(pfns), 4096, 0);
	/* Lengths that are no numbers of pages, memory that is not there. */
	hand_over(INFLATE, gpa_of(pfns), 3, 0);
	hand_over(INFLATE, gpa_of(pfns), 0, 0);
	hand_over(INFLATE, 1UL << 45, 4096, 0);
	hand_over(INFLATE, gpa_of(pfns), 0xfffffffc, 0);
	hand_over(INFLATE, gpa_of(pfns), 4096, DESC_WRITE);
	EXPECT_EQ(kept[0], 0x77);
	EXPECT(!(get_status(slot) & STATUS_NEEDS_RESET));
}

/* The page numbers of a request that count are 4096. */
static void more_than_a_request_may_name(void)
{
	u64 *last = page_alloc(), *beyond = page_alloc();
	u32 *many = page_alloc(), i;

	for (i = 1; i < 5; i++)
		EXPECT_EQ((u64)page_alloc(), (u64)many + i * PAGE_SIZE);
	memset(many, 0xff, 5 * PAGE_SIZE);
	last[0] = 1;
	beyond[0] = 2;
	many[4095] = mfn_of(last);
	many[4096] = mfn_of(beyond);
	hand_over(INFLATE, gpa_of(many), 5 * PAGE_SIZE, 0);
	EXPECT_EQ(last[0], 0);
	EXPECT_EQ(beyond[0], 2);
}

static void reported_pages_are_given_back(void)
{
	u64 *page = page_alloc(), *next = page_alloc();

	page[0] = 1;
	next[0] = 2;
	/* What is not whole stays. */
	hand_over(REPORTING, gpa_of(page) + 8, 4088, DESC_WRITE);
	EXPECT_EQ(page[0], 1);
	hand_over(REPORTING, gpa_of(page), 4097, DESC_WRITE);
	EXPECT_EQ(page[0], 0);
	EXPECT_EQ(next[0], 2);
	hand_over(REPORTING, gpa_of(next), 4096, 0);
	EXPECT_EQ(next[0], 2);
	hand_over(REPORTING, 0xfffffffffffff000, 0xffffffff, DESC_WRITE);
	hand_over(REPORTING, 1UL << 45, 0xffffffff, DESC_WRITE);
}

static void statistics_are_kept_until_they_are_wanted(void)
{
	struct {
		u16 tag;
		u64 val;
	} __attribute__((packed)) *stats = page_alloc();

	stats[0].tag = 4;
	stats[0].val = 12345;
	stats[1].tag = 0xffff;
	stats[1].val = 1;
	hand_over(STATS, gpa_of(stats), 20, 0);
	EXPECT_EQ(rings[STATS].used->idx, 0);
	/* A second one is against the rules, and pushes the first one out. */
	ring_offer(&rings[STATS], 0);
	EXPECT_EQ(doorbell(slot, STATS), 0);
	EXPECT_EQ(rings[STATS].used->idx, 1);
	/* A reset takes it back. */
	EXPECT_EQ(set_status(slot, 0), 0);
}

static void only_what_it_holds_is_the_guests_to_write(void)
{
	struct rf_guest_config config = { .slot = slot, .len = 4 };

	begin();
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
	config.offset = 2;
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
	config.offset = 4;
	config.data[0] = 5;
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), 0);
	config.data[0] = 0;
	EXPECT_EQ(device_op(RF_GUEST_READ_CONFIG, &config), 0);
	EXPECT_EQ(config.data[0], 5);
	config.offset = 8;
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
	config.offset = 0xfffffffe;
	EXPECT_EQ(device_op(RF_GUEST_WRITE_CONFIG, &config), -EINVAL);
}

static u32 done;

static void touch(void)
{
	u64 *page = (u64 *)va_of(pfns[0]);

	while (!READ_ONCE(done))
		WRITE_ONCE(page[8], READ_ONCE(page[8]) + 1);
}

/* One vCPU uses what another puts into the balloon. */
static void the_balloon_races_with_its_pages(void)
{
	u32 i;

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	begin();
	pfns[0] = mfn_of(page_alloc());
	EXPECT(cpu_run(1, touch));
	for (i = 0; i < 500; i++)
		hand_over(INFLATE, gpa_of(pfns), 4, 0);
	WRITE_ONCE(done, 1);
	cpu_wait(1);
}

GUEST_TEST(CASE(pages_in_the_balloon_are_gone), CASE(what_is_not_the_guests_is_passed_over),
	   CASE(more_than_a_request_may_name),
	   CASE(reported_pages_are_given_back), CASE(statistics_are_kept_until_they_are_wanted),
	   CASE(only_what_it_holds_is_the_guests_to_write), CASE(the_balloon_races_with_its_pages));
