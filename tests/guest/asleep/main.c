// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU that blocks sleeps until something is due to it, and then wakes once.
 *
 * It may not: what the host does on its own account, a tick or a kick, could wake
 * it as well.  With forever=1 on the command line nothing is ever due, and
 * tests/boot/host/idle.sh counts what it costs.
 */
#include "guest.h"

#define MS	1000000UL

static u64 blocked_ns(void)
{
	struct vcpu_runstate_info info;

	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
	return info.time[RUNSTATE_blocked];
}

static void it_sleeps_until_its_timer(void)
{
	u32 port = bind_virq(VIRQ_TIMER, 0);
	u64 before = blocked_ns(), due = now_ns() + 300 * MS;

	event_forget();
	set_timer_op(due);
	sched_op(SCHEDOP_block, NULL);
	events_off();
	EXPECT(now_ns() >= due);
	EXPECT_EQ(event_log.count[port], 1);
	EXPECT_EQ(event_log.upcalls, 1);
	EXPECT(blocked_ns() - before >= 250 * MS);
	EXPECT_EQ(port_close(port), 0);
}

static void it_sleeps_for_ever(void)
{
	if (!cmdline_number("forever=", 0)) {
		test_skip("forever=1 is not given");
		return;
	}
	print("# asleep\n");
	for (;;) {
		sched_op(SCHEDOP_block, NULL);
		events_off();
		print("# awake\n");
	}
}

GUEST_TEST(CASE(it_sleeps_until_its_timer), CASE(it_sleeps_for_ever));
