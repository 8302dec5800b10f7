// SPDX-License-Identifier: GPL-2.0
/*
 * How a guest ends is told as it says: by SCHEDOP_shutdown, by the older form of
 * the call, or by the code it has latched before.
 *
 * A guest that crashes with no strength left but for one call may be told as one
 * that powered off.  "end=N" on the command line ends it that way;
 * tests/guest/outside.sh looks at what the launcher says.
 */
#include "guest.h"

static long shutdown_code(u32 reason)
{
	struct sched_shutdown op = { .reason = reason };

	return sched_op(SCHEDOP_shutdown_code, &op);
}

static long compat(u64 cmd, u64 arg)
{
	return hypercall(__HYPERVISOR_sched_op_compat, cmd, arg, 0, 0, 0);
}

static void bad_codes_are_refused(void)
{
	EXPECT_EQ(shutdown_code(SHUTDOWN_MAX + 1), -EINVAL);
	EXPECT_EQ(shutdown_code(0xffffffff), -EINVAL);
	EXPECT_EQ(sched_op(SCHEDOP_shutdown_code, (void *)0x123456789000), -EFAULT);
	EXPECT_EQ(compat(SCHEDOP_shutdown, SHUTDOWN_MAX + 1), -EINVAL);
	EXPECT_EQ(compat(SCHEDOP_shutdown, 1UL << 32), -EINVAL);
	EXPECT_EQ(compat(SCHEDOP_poll, 0), -ENOSYS);
	EXPECT_EQ(compat(99, 0), -ENOSYS);
}

/* Yield and block of the older form. */
static void the_older_form_sleeps_as_well(void)
{
	u32 port = bind_virq(VIRQ_TIMER, 0);
	u64 start = now_ns();

	EXPECT_EQ(compat(SCHEDOP_yield, 0), 0);
	event_forget();
	set_timer_op(start + 5000000);
	EXPECT_EQ(compat(SCHEDOP_block, 0), 0);
	events_off();
	EXPECT(now_ns() - start >= 5000000);
	EXPECT_EQ(event_log.count[port], 1);
}

static void end(void)
{
	switch (cmdline_number("end=", 0)) {
	case 1:		/* powers off, and yet it has crashed */
		EXPECT_EQ(shutdown_code(SHUTDOWN_crash), 0);
		shut_down(SHUTDOWN_poweroff);
	case 2:		/* the first code is kept */
		EXPECT_EQ(shutdown_code(SHUTDOWN_poweroff), 0);
		EXPECT_EQ(shutdown_code(SHUTDOWN_crash), 0);
		shut_down(SHUTDOWN_crash);
	case 3:
		compat(SCHEDOP_shutdown, SHUTDOWN_crash);
		break;
	case 4:
		compat(SCHEDOP_shutdown, SHUTDOWN_poweroff);
		break;
	default:
		test_skip("each end=N ends it");
		return;
	}
	EXPECT(!"alive");
}

GUEST_TEST(CASE(bad_codes_are_refused), CASE(the_older_form_sleeps_as_well), CASE(end));
