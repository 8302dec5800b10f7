// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that minds its own business finds its memory as it left it, its timer
 * ticking, its clock going on, and no event that is not its own.
 *
 * It may not, next to a guest that does what it can; tests/boot/host/isolation.sh
 * gives it such neighbours, and "seconds=N" for how long, "seed=N" for what it
 * writes.
 */
#include "guest.h"

#define NR_PAGES	512
#define PERIOD_NS	20000000UL

static u64 *pages[NR_PAGES], seed, ns;
static u32 port;

static u64 word(u64 page, u64 i)
{
	return (page * 512 + i + seed) * 0x9e3779b97f4a7c15;
}

static void set_up(void)
{
	struct vcpu_set_periodic_timer timer = { .period_ns = PERIOD_NS };
	u64 i, j;

	seed = cmdline_number("seed=", 1);
	ns = cmdline_number("seconds=", 1) * 1000000000;
	for (i = 0; i < NR_PAGES; i++) {
		pages[i] = page_alloc();
		for (j = 0; j < 512; j++)
			pages[i][j] = word(i, j);
	}
	port = bind_virq(VIRQ_TIMER, 0);
	event_forget();
	events_on();
	EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &timer), 0);
}

static u64 look_at_memory(void)
{
	u64 i, j, wrong = 0;

	for (i = 0; i < NR_PAGES; i++)
		for (j = 0; j < 512; j++)
			wrong += READ_ONCE(pages[i][j]) != word(i, j);
	return wrong;
}

static void all_stays_its_own(void)
{
	u64 start = now_ns(), last = start, wrong = 0, back = 0, now, i;

	events_on();
	while ((now = now_ns()) - start < ns) {
		back += now < last;
		last = now;
		wrong += look_at_memory();
	}
	events_off();
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(back, 0);
	/* It may have had a quarter of a CPU. */
	EXPECT(event_log.count[port] >= ns / PERIOD_NS / 8);
	EXPECT(event_log.count[port] <= (now - start) / PERIOD_NS + ns / PERIOD_NS + 2);
	for (i = 0; i < ARRAY_SIZE(event_log.count); i++)
		if (i != port)
			EXPECT_EQ(event_log.count[i], 0);
}

GUEST_TEST(CASE(set_up), CASE(all_stays_its_own));
