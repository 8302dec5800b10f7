// SPDX-License-Identifier: GPL-2.0
/*
 * A timer raises VIRQ_TIMER when guest time has come to it and not before: once
 * by set_singleshot_timer and set_timer_op, again and again by
 * set_periodic_timer, never again once stopped.
 *
 * It may not, if guest time and the host's timers run by different clocks, or
 * a time in the past is taken for one far away.
 */
#include "guest.h"

#define MS	1000000UL

static u32 port;

static void set_up(void)
{
	port = bind_virq(VIRQ_TIMER, 0);
	EXPECT(port);
}

static long set_singleshot(u64 abs_ns, u32 flags)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = abs_ns, .flags = flags };

	return vcpu_op(VCPUOP_set_singleshot_timer, 0, &op);
}

/* Sleep until @nr ticks have come; false if that takes two seconds. */
static bool ticks(u32 nr)
{
	u64 limit = now_ns() + 2000 * MS;
	evtchn_port_t ports[1] = { port };
	struct sched_poll op = { .ports = ports, .nr_ports = 1, .timeout = limit };

	while (READ_ONCE(event_log.count[port]) < nr && now_ns() < limit) {
		sched_op(SCHEDOP_poll, &op);
		events_on();
		events_off();
	}
	return READ_ONCE(event_log.count[port]) >= nr;
}

static void a_single_shot_comes_in_time(void)
{
	u64 due = now_ns() + 20 * MS;

	event_forget();
	EXPECT_EQ(set_singleshot(due, 0), 0);
	EXPECT(ticks(1));
	EXPECT(now_ns() >= due);
	EXPECT(now_ns() < due + 500 * MS);
	/* And once only. */
	xen_version(XENVER_extraversion, NULL);
	EXPECT_EQ(event_log.count[port], 1);
}

static void it_wakes_a_vcpu_that_blocks(void)
{
	u64 due = now_ns() + 20 * MS;

	event_forget();
	set_singleshot(due, 0);
	EXPECT_EQ(sched_op(SCHEDOP_block, NULL), 0);
	events_off();
	EXPECT_EQ(event_log.count[port], 1);
	EXPECT(now_ns() >= due);
}

static void the_past_is_now_or_an_error(void)
{
	event_forget();
	EXPECT_EQ(set_singleshot(now_ns() - MS, VCPU_SSHOTTMR_future), -ETIME);
	EXPECT_EQ(event_log.count[port], 0);
	EXPECT_EQ(set_singleshot(now_ns() - MS, 0), 0);
	EXPECT(ticks(1));
	EXPECT_EQ(set_singleshot(1, 0), 0);
	EXPECT(ticks(2));
}

static void one_that_is_stopped_does_not_come(void)
{
	evtchn_port_t ports[1] = { port };
	struct sched_poll op = { .ports = ports, .nr_ports = 1 };

	event_forget();
	set_singleshot(now_ns() + 30 * MS, 0);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0);
	op.timeout = now_ns() + 60 * MS;
	sched_op(SCHEDOP_poll, &op);
	events_on();
	EXPECT_EQ(event_log.count[port], 0);
	/* The later of two takes the place of the first. */
	set_singleshot(now_ns() + 10 * MS, 0);
	set_singleshot(now_ns() + 0x3fffffffffffffff, 0);
	op.timeout = now_ns() + 40 * MS;
	sched_op(SCHEDOP_poll, &op);
	EXPECT_EQ(event_log.count[port], 0);
}

static void set_timer_op_does_the_same(void)
{
	u64 due = now_ns() + 15 * MS;

	event_forget();
	EXPECT_EQ(set_timer_op(due), 0);
	EXPECT(ticks(1));
	EXPECT(now_ns() >= due);
	EXPECT_EQ(set_timer_op(0), 0);
	/* What has wrapped is soon, as the ABI has it. */
	EXPECT_EQ(set_timer_op(0xffffffffffffffff), 0);
	EXPECT(ticks(2));
}

static long set_periodic(u64 period_ns)
{
	struct vcpu_set_periodic_timer op = { .period_ns = period_ns };

	return vcpu_op(VCPUOP_set_periodic_timer, 0, &op);
}

static void a_period_comes_again(void)
{
	u64 start = now_ns();
	u32 seen;

	event_forget();
	EXPECT_EQ(set_periodic(10 * MS), 0);
	EXPECT(ticks(5));
	EXPECT(now_ns() - start >= 40 * MS);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	events_on();
	seen = event_log.count[port];
	start = now_ns();
	while (now_ns() - start < 30 * MS)
		;
	EXPECT_EQ(event_log.count[port], seen);
}

static void a_storm_is_refused(void)
{
	EXPECT_EQ(set_periodic(0), -EINVAL);
	EXPECT_EQ(set_periodic(1000), -EINVAL);
	EXPECT_EQ(set_periodic(0xffffffffffffffff), -EINVAL);
	EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, (void *)0x123456789000), -EFAULT);
	EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, (void *)0x123456789000), -EFAULT);
}

/* Time does not stand still or go back, not even over a sleep. */
static void time_goes_on(void)
{
	u64 last = now_ns(), now, i;

	for (i = 0; i < 20000; i++) {
		now = now_ns();
		if (now < last)
			break;
		last = now;
	}
	EXPECT_EQ(i, 20000);
}

GUEST_TEST(CASE(set_up), CASE(a_single_shot_comes_in_time), CASE(it_wakes_a_vcpu_that_blocks),
	   CASE(the_past_is_now_or_an_error), CASE(one_that_is_stopped_does_not_come),
	   CASE(set_timer_op_does_the_same), CASE(a_period_comes_again), CASE(a_storm_is_refused),
	   CASE(time_goes_on));
