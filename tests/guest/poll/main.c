// SPDX-License-Identifier: GPL-2.0
/*
 * SCHEDOP_poll sleeps until one of the ports it names is pending, masked or not,
 * until an event is due, or until a time; spin locks of a guest hang on it.
 *
 * It may sleep through the event that came just before, or wake for nothing and
 * never sleep at all, or look at the first port only.
 */
#include "guest.h"

#define MS	1000000UL
#define NR	128

static evtchn_port_t ports[NR + 1];

static long poll(u32 nr_ports, u64 abs_ns)
{
	struct sched_poll op = { .ports = ports, .nr_ports = nr_ports, .timeout = abs_ns };

	return sched_op(SCHEDOP_poll, &op);
}

/* As many as one poll may name, all masked. */
static void set_up(void)
{
	u32 i;

	for (i = 0; i < NR; i++) {
		ports[i] = bind_ipi(0);
		EXPECT(ports[i]);
		port_mask(ports[i]);
	}
	ports[NR] = ports[0];
}

/* Take back what is pending on a masked port. */
static void drop(u32 port)
{
	port_unmask(port);
	events_on();
	events_off();
	port_mask(port);
}

static void each_of_them_counts(void)
{
	u64 start;
	u32 i;

	for (i = 0; i < NR; i += 9) {
		port_send(ports[i]);
		start = now_ns();
		EXPECT_EQ(poll(NR, start + 2000 * MS), 0);
		EXPECT(now_ns() - start < 1000 * MS);
		EXPECT(port_is_pending(ports[i]));
		drop(ports[i]);
		EXPECT(!port_is_pending(ports[i]));
	}
}

static void others_do_not(void)
{
	u64 start = now_ns();

	port_send(ports[NR - 1]);
	EXPECT_EQ(poll(NR - 1, start + 30 * MS), 0);
	EXPECT(now_ns() - start >= 30 * MS);
	EXPECT_EQ(poll(1, now_ns() + 10 * MS), 0);
	EXPECT(now_ns() - start >= 40 * MS);
	drop(ports[NR - 1]);
}

static void no_port_is_a_sleep(void)
{
	u64 start = now_ns();

	ports[0] = 0xffffffff;
	EXPECT_EQ(poll(0, start + 20 * MS), 0);
	EXPECT(now_ns() - start >= 20 * MS);
	ports[0] = ports[NR];
}

/* A time that has passed does not make it wait, nor one that cannot be told. */
static void the_past_ends_it(void)
{
	u64 start = now_ns();

	EXPECT_EQ(poll(1, 1), 0);
	EXPECT_EQ(poll(3, start), 0);
	EXPECT_EQ(poll(0, start - MS), 0);
	EXPECT(now_ns() - start < 1000 * MS);
	port_send(ports[2]);
	EXPECT_EQ(poll(3, 0), 0);
	EXPECT_EQ(poll(3, 0xffffffffffffffff), 0);
	EXPECT_EQ(poll(3, 0x7fffffffffffffff), 0);
	drop(ports[2]);
	EXPECT(now_ns() - start < 1000 * MS);
}

/* With events masked an event is no reason; with events on it is. */
static void an_event_that_is_due_ends_it(void)
{
	u32 port = bind_virq(VIRQ_TIMER, 0);
	u64 start = now_ns();

	set_timer_op(start + 10 * MS);
	EXPECT_EQ(poll(2, start + 40 * MS), 0);
	EXPECT(now_ns() - start >= 10 * MS);
	events_on();
	events_off();
	event_forget();
	start = now_ns();
	set_timer_op(start + 20 * MS);
	events_on();
	EXPECT_EQ(poll(2, start + 3000 * MS), 0);
	EXPECT_EQ(event_log.count[port], 1);
	events_off();
	EXPECT(now_ns() - start >= 20 * MS);
	EXPECT(now_ns() - start < 1500 * MS);
	port_close(port);
}

static void what_is_wrong_is_refused(void)
{
	EXPECT_EQ(poll(NR + 1, 1), -EINVAL);
	EXPECT_EQ(poll(0xffffffff, 1), -EINVAL);
	ports[NR - 1] = 4096;
	EXPECT_EQ(poll(NR, 1), -EINVAL);
	EXPECT_EQ(poll(NR - 1, 1), 0);
	ports[NR - 1] = 0x80000000;
	EXPECT_EQ(poll(NR, 1), -EINVAL);
	ports[NR - 1] = 1000;	/* closed: nothing will ever come */
	EXPECT_EQ(poll(NR, now_ns() + MS), 0);
}

static u32 rounds;

static void send_in_turn(void)
{
	u32 i;

	for (i = 0; i < 64; i++) {
		while (READ_ONCE(rounds) != i)
			relax();
		port_send(ports[i]);
	}
}

/* Nothing between the look and the sleep is missed: no time-out would save it. */
static void one_that_sleeps_is_woken(void)
{
	u64 start = now_ns();
	u32 i;

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	EXPECT(cpu_run(1, send_in_turn));
	for (i = 0; i < 64; i++) {
		WRITE_ONCE(rounds, i);
		while (!port_is_pending(ports[i]))
			EXPECT_EQ(i & 1 ? poll(NR - 1, 0) :
				  sched_op(SCHEDOP_poll, &(struct sched_poll){
					.ports = &ports[i], .nr_ports = 1 }), 0);
		drop(ports[i]);
	}
	WRITE_ONCE(rounds, 64);
	cpu_wait(1);
	EXPECT(now_ns() - start < 20000 * MS);
}

GUEST_TEST(CASE(set_up), CASE(each_of_them_counts), CASE(others_do_not), CASE(no_port_is_a_sleep),
	   CASE(the_past_ends_it), CASE(an_event_that_is_due_ends_it),
	   CASE(what_is_wrong_is_refused), CASE(one_that_sleeps_is_woken));
