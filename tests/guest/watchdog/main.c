// SPDX-License-Identifier: GPL-2.0
/*
 * A watchdog bites a guest that does not poke it in time, and only then; one that
 * was switched off does not, and there are two.
 *
 * It may bite too early, or a guest that hangs may hang for ever.  "bite=1" on
 * the command line lets one bite; tests/guest/outside.sh looks at the end.
 */
#include "guest.h"

#define SECOND	1000000000UL

static long watchdog(u32 id, u32 timeout_s)
{
	struct sched_watchdog op = { .id = id, .timeout = timeout_s };

	return sched_op(SCHEDOP_watchdog, &op);
}

static void sleep_ns(u64 ns)
{
	struct sched_poll op = { .timeout = now_ns() + ns };

	while (now_ns() < op.timeout)
		sched_op(SCHEDOP_poll, &op);
}

static void those_that_are_not_there(void)
{
	static const u32 ids[] = { 1, 2, 3, 4, 0x7fffffff, 0xffffffff };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(watchdog(ids[i], 1), -EINVAL);
		EXPECT_EQ(watchdog(ids[i], 0), -EINVAL);
	}
	EXPECT_EQ(watchdog(0, 0), -EINVAL);
	EXPECT_EQ(sched_op(SCHEDOP_watchdog, (void *)0x123456789000), -EFAULT);
}

static void there_are_two(void)
{
	long a = watchdog(0, 60), b = watchdog(0, 60);

	EXPECT_EQ(a, 1);
	EXPECT_EQ(b, 2);
	EXPECT_EQ(watchdog(0, 60), -ENOSPC);
	EXPECT_EQ(watchdog(a, 0), 0);
	EXPECT_EQ(watchdog(0, 60), a);
	EXPECT_EQ(watchdog(a, 0), 0);
	EXPECT_EQ(watchdog(b, 0), 0);
	EXPECT_EQ(watchdog(b, 60), -EINVAL);
}

/* Any of these that bites ends the guest, and the plan is not kept. */
static void one_that_is_switched_off_does_not_bite(void)
{
	long id = watchdog(0, 1);

	EXPECT_EQ(watchdog(id, 0), 0);
	sleep_ns(SECOND + SECOND / 2);
}

static void one_that_is_poked_does_not_bite(void)
{
	long id = watchdog(0, 3);
	int i;

	/* It leaves a busy machine much time to be late. */
	for (i = 0; i < 7; i++) {
		sleep_ns(SECOND / 2);
		EXPECT_EQ(watchdog(id, 3), 0);
	}
	/* A longer time takes the place of the shorter. */
	EXPECT_EQ(watchdog(id, 0xffffffff), 0);
	sleep_ns(3 * SECOND + SECOND / 4);
	EXPECT_EQ(watchdog(id, 0), 0);
}

static void one_that_is_forgotten_bites(void)
{
	u64 start;

	if (!cmdline_number("bite=", 0)) {
		test_skip("it would end this guest");
		return;
	}
	EXPECT_EQ(watchdog(0, 60), 1);
	EXPECT_EQ(watchdog(0, 1), 2);
	start = now_ns();
	print("# the watchdog is hungry\n");
	while (now_ns() - start < SECOND * 9 / 10)
		;
	print("# not yet\n");
	while (now_ns() - start < 20 * SECOND)
		;
	EXPECT(!"bitten");
}

GUEST_TEST(CASE(those_that_are_not_there), CASE(there_are_two),
	   CASE(one_that_is_switched_off_does_not_bite),
	   CASE(one_that_is_poked_does_not_bite), CASE(one_that_is_forgotten_bites));
