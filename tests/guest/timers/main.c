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

/* What never comes does not come later either; a busy host takes its time. */
#define PATIENCE	(20000 * MS)

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

/* Sleep until @nr ticks have come; false if they do not. */
static bool ticks(u32 nr)
{
	u64 limit = now_ns() + PATIENCE;
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

/* Ticks of port @p that have come within @ns, by counting them. */
static u32 ticks_within(u32 p, u64 ns)
{
	struct sched_poll op = { .timeout = now_ns() + ns };
	u32 before = READ_ONCE(event_log.count[p]);

	while (now_ns() < op.timeout) {
		sched_op(SCHEDOP_poll, &op);
		events_on();
		events_off();
	}
	return READ_ONCE(event_log.count[p]) - before;
}

/* It does not drift: what is late by one tick is not late by the next. */
static void a_period_is_kept(void)
{
	u64 start = now_ns(), took;

	event_forget();
	EXPECT_EQ(set_periodic(10 * MS), 0);
	EXPECT(ticks(30));
	took = now_ns() - start;
	vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
	EXPECT(took >= 295 * MS);
	/* The shortest there is; then what comes just below and above the bounds. */
	EXPECT_EQ(set_periodic(MS), 0);
	EXPECT_EQ(set_periodic(MS - 1), -EINVAL);
	EXPECT_EQ(set_periodic(0x3fffffffffffffff), 0);
	EXPECT_EQ(set_periodic(0x4000000000000000), -EINVAL);
	EXPECT(ticks_within(port, 20 * MS) <= 1);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
}

/* Set as often as can be, for times of every kind: one tick at most for each. */
static void a_storm_of_settings(void)
{
	static const u64 times[] = {
		1, 0, 0x7fffffffffffffff, 0xffffffffffffffff, 0x8000000000000000, 1UL << 50,
	};
	u64 now = now_ns();
	u32 i;

	event_forget();
	for (i = 0; i < 4000; i++) {
		u64 at = i % 8 < ARRAY_SIZE(times) ? times[i % 8] : now_ns() + i;

		EXPECT_EQ(i & 8 ? set_timer_op(at) : set_singleshot(at, 0), 0);
		events_on();
		events_off();
	}
	EXPECT(event_log.count[port] <= 4000);
	EXPECT(event_log.count[port] >= 500);
	EXPECT(now_ns() > now);
	set_timer_op(0);
	events_on();
	events_off();
	EXPECT_EQ(ticks_within(port, 20 * MS), 0);
}

/* As far away as that a guest means "whenever": soon, but not now. */
static void far_away_is_soon_but_not_now(void)
{
	u64 start = now_ns();

	event_forget();
	EXPECT_EQ(set_timer_op(start + (1UL << 50) + 10000 * MS), 0);
	EXPECT_EQ(ticks_within(port, 20 * MS), 0);
	EXPECT(ticks(1));
	EXPECT(now_ns() - start >= 100 * MS);
	EXPECT_EQ(set_timer_op(now_ns() + (1UL << 49)), 0);
	EXPECT_EQ(ticks_within(port, 150 * MS), 0);
	EXPECT_EQ(set_timer_op(0), 0);
}

static u32 port_1;
static u32 up, leave;

static void take_ticks(void)
{
	WRITE_ONCE(up, 1);
	events_on();
	while (!READ_ONCE(leave))
		sched_op(SCHEDOP_block, NULL);
	events_off();
}

static void go_down(void)
{
	vcpu_op(VCPUOP_down, this_cpu()->id, NULL);
}

static bool ticks_1(u32 more)
{
	u64 limit = now_ns() + PATIENCE;
	u32 from = READ_ONCE(event_log.count[port_1]);

	while (READ_ONCE(event_log.count[port_1]) < from + more && now_ns() < limit)
		relax();
	return READ_ONCE(event_log.count[port_1]) >= from + more;
}

static void relax_ns(u64 ns)
{
	u64 start = now_ns();

	while (now_ns() - start < ns)
		relax();
}

/* One vCPU sets another's, also while that is down; down, it takes no ticks. */
static void another_vcpus_period(void)
{
	struct vcpu_set_periodic_timer op = { .period_ns = 5 * MS };
	u32 seen;

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	port_1 = bind_virq(VIRQ_TIMER, 1);
	EXPECT(port_1);
	EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 1, &op), 0);
	EXPECT(cpu_run(1, take_ticks));
	EXPECT(ticks_1(4));
	WRITE_ONCE(leave, 1);
	cpu_wait(1);
	EXPECT(cpu_run(1, go_down));
	while (vcpu_op(VCPUOP_is_up, 1, NULL))
		relax();
	seen = READ_ONCE(event_log.count[port_1]);
	relax_ns(30 * MS);
	EXPECT_EQ(READ_ONCE(event_log.count[port_1]), seen);
	EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 1, &op), 0);
	WRITE_ONCE(leave, 0);
	EXPECT_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);
	EXPECT(cpu_run(1, take_ticks));
	EXPECT(ticks_1(4));
	EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL), 0);
	/* One may be pending, and one be counted this moment; then none comes. */
	seen = READ_ONCE(event_log.count[port_1]);
	relax_ns(300 * MS);
	EXPECT(READ_ONCE(event_log.count[port_1]) - seen <= 2);
	WRITE_ONCE(leave, 1);
	op.period_ns = 2 * MS;
	EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 1, &op), 0);
	cpu_wait(1);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 1, NULL), 0);
}

/* Only its own single-shot timer. */
static void not_another_vcpus_single_shot(void)
{
	struct vcpu_set_singleshot_timer op = { .timeout_abs_ns = now_ns() + MS };

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 1, &op), -EINVAL);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_singleshot_timer, 1, NULL), -EINVAL);
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
	   CASE(a_period_is_kept), CASE(a_storm_of_settings), CASE(far_away_is_soon_but_not_now),
	   CASE(another_vcpus_period), CASE(not_another_vcpus_single_shot), CASE(time_goes_on));
