// SPDX-License-Identifier: GPL-2.0
/*
 * The time a vCPU works, waits for a CPU, and sleeps adds up to the time that passes.
 *
 * It may not: of a host with more to do than CPUs, it must learn what it did not
 * get.  With ms=N on the command line it works so long, and says how much it did:
 * tests/boot/host/fair.sh compares guests.
 */
#include "guest.h"

#define MS	1000000UL

/* The rest is time between two looks. */
#define SLACK_NS	(20 * MS)

static u64 work(u64 ns)
{
	u64 until = now_ns() + ns, done = 0;
	u32 i;

	do {
		for (i = 0; i < 20000; i++)
			barrier();
		done++;
	} while (now_ns() < until);
	return done;
}

static u64 sum(const struct vcpu_runstate_info *info)
{
	u64 ns = 0;
	u32 i;

	for (i = 0; i < 4; i++)
		ns += info->time[i];
	return ns;
}

static void its_times_add_up(void)
{
	u64 ms = cmdline_number("ms=", 300), start, elapsed, done, counted;
	struct vcpu_runstate_info before, after;

	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &before), 0);
	start = now_ns();
	done = work(ms * MS);
	elapsed = now_ns() - start;
	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &after), 0);

	counted = sum(&after) - sum(&before);
	EXPECT(counted + SLACK_NS > elapsed && counted < elapsed + SLACK_NS);
	EXPECT_EQ(after.time[RUNSTATE_blocked], before.time[RUNSTATE_blocked]);
	print("# spun %lu in %lu ms: ran %lu waited %lu\n", done, elapsed / MS,
	      (after.time[RUNSTATE_running] - before.time[RUNSTATE_running]) / MS,
	      (after.time[RUNSTATE_runnable] - before.time[RUNSTATE_runnable]) / MS);
}

GUEST_TEST(CASE(its_times_add_up));
