// SPDX-License-Identifier: GPL-2.0
/*
 * A second vCPU starts where VCPUOP_initialise says, runs beside the first, takes
 * IPIs, and goes down and up again.
 *
 * It may not: the two meet in everything the hypervisor keeps for the guest.
 */
#include "guest.h"

static u32 stage;
static struct {
	u64 cpu_id;
	u16 cs, ss;
	u8 mask;
	u64 flags;
} found;

static void look_around(void)
{
	asm volatile("movw %%cs, %0; movw %%ss, %1; pushfq; popq %2"
		     : "=r" (found.cs), "=r" (found.ss), "=r" (found.flags));
	found.cpu_id = this_cpu()->id;
	found.mask = this_cpu()->info->evtchn_upcall_mask;
}

static bool alone(void)
{
	if (cpu_count() >= 2)
		return false;
	test_skip("one vCPU");
	return true;
}

static void it_starts_as_told(void)
{
	if (alone())
		return;
	EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	EXPECT(cpu_run(1, look_around));
	cpu_wait(1);
	EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
	EXPECT_EQ(found.cpu_id, 1);
	EXPECT_EQ(found.cs, FLAT_KERNEL_CS);
	EXPECT_EQ(found.ss, FLAT_KERNEL_SS);
	EXPECT_EQ(found.mask, 1);
	EXPECT_EQ(found.flags & FLAGS_IF, FLAGS_IF);
	EXPECT_EQ(this_cpu()->id, 0);
}

static u64 shared_count, nr_rounds;

static void count(void)
{
	u64 i;

	for (i = 0; i < nr_rounds; i++)
		__atomic_add_fetch(&shared_count, 1, __ATOMIC_SEQ_CST);
}

static void both_run_at_once(void)
{
	if (alone())
		return;
	nr_rounds = 100000;
	EXPECT(cpu_run(1, count));
	count();
	cpu_wait(1);
	EXPECT_EQ(shared_count, 200000);
}

static void trap_often(void)
{
	u64 i;

	for (i = 0; i < 2000; i++) {
		u64 vector = i & 1 ? TRY("ud2") : try_read(0x1000 + i * 8, NULL);

		if (vector != (i & 1 ? 6 : 14))
			__atomic_add_fetch(&shared_count, 1, __ATOMIC_SEQ_CST);
	}
}

static void traps_are_each_ones_own(void)
{
	if (alone())
		return;
	shared_count = 0;
	EXPECT(cpu_run(1, trap_often));
	trap_often();
	cpu_wait(1);
	EXPECT_EQ(shared_count, 0);
}

static u32 ping, pong;
static u32 nr_pings, pings_over;

/*
 * Take pings by upcall while asleep; give a pong for each.  Events are off
 * around each look, for what comes between a look and the sleep must end the
 * sleep: it unmasks them.
 */
static void answer_pings(void)
{
	__atomic_store_n(&stage, 1, __ATOMIC_SEQ_CST);
	while (!READ_ONCE(pings_over)) {
		sched_op(SCHEDOP_block, NULL);
		events_off();
	}
}

static bool pong_on_ping(struct regs *regs)
{
	if (regs->vector != VEC_EVENT || this_cpu()->id != 1)
		return false;
	event_upcall();
	port_send(pong);
	return true;
}

static void ipis_go_both_ways(void)
{
	u64 limit;
	u32 i;

	if (alone())
		return;
	event_forget();
	ping = bind_ipi(1);
	pong = bind_ipi(0);
	nr_pings = 200;
	trap_hook = pong_on_ping;
	EXPECT(cpu_run(1, answer_pings));
	while (!__atomic_load_n(&stage, __ATOMIC_SEQ_CST))
		relax();
	events_on();
	for (i = 1; i <= nr_pings; i++) {
		EXPECT_EQ(port_send(ping), 0);
		limit = now_ns() + 10000000000;
		while (READ_ONCE(event_log.count[pong]) < i && now_ns() < limit)
			relax();
		if (READ_ONCE(event_log.count[pong]) < i)
			break;
	}
	EXPECT_EQ(i, nr_pings + 1);
	EXPECT_EQ(event_log.count[ping], nr_pings);
	WRITE_ONCE(pings_over, 1);
	port_send(ping);
	cpu_wait(1);
	events_off();
	trap_hook = NULL;
}

/* A timer of its own wakes it, not the other. */
static u32 timer_port;

static void sleep_a_while(void)
{
	set_timer_op(now_ns() + 20000000);
	sched_op(SCHEDOP_block, NULL);
	events_off();
}

static void each_has_its_timer(void)
{
	u64 start = now_ns();

	if (alone())
		return;
	event_forget();
	timer_port = bind_virq(VIRQ_TIMER, 1);
	EXPECT(timer_port);
	EXPECT(cpu_run(1, sleep_a_while));
	cpu_wait(1);
	EXPECT_EQ(event_log.count[timer_port], 1);
	EXPECT(now_ns() - start >= 20000000);
}

static u64 theirs;

static void read_clock(void)
{
	theirs = now_ns();
}

static void clocks_agree(void)
{
	u64 before, after;
	u32 i;

	if (alone())
		return;
	for (i = 0; i < 50; i++) {
		before = now_ns();
		cpu_run(1, read_clock);
		cpu_wait(1);
		after = now_ns();
		EXPECT(before <= theirs && theirs <= after);
	}
}

static void it_goes_down_and_up(void)
{
	if (alone())
		return;
	EXPECT_EQ(vcpu_op(VCPUOP_down, 1, NULL), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);
	nr_rounds = 10;
	shared_count = 0;
	EXPECT(cpu_run(1, count));
	cpu_wait(1);
	EXPECT_EQ(shared_count, 10);
}

/* Up again before it has noticed that it was down. */
static void it_goes_down_and_up_at_once(void)
{
	u32 i;

	if (alone())
		return;
	shared_count = 0;
	for (i = 0; i < 2000; i++) {
		vcpu_op(VCPUOP_down, 1, NULL);
		vcpu_op(VCPUOP_up, 1, NULL);
		EXPECT(cpu_run(1, count));
		cpu_wait(1);
	}
	EXPECT_EQ(shared_count, 2000 * nr_rounds);
}

GUEST_TEST(CASE(it_starts_as_told), CASE(both_run_at_once), CASE(traps_are_each_ones_own),
	   CASE(ipis_go_both_ways), CASE(each_has_its_timer), CASE(clocks_agree),
	   CASE(it_goes_down_and_up), CASE(it_goes_down_and_up_at_once));
