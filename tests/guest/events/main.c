// SPDX-License-Identifier: GPL-2.0
/*
 * An event sent is an upcall had: once, at the next moment events are unmasked,
 * with the port's bit and its word's bit set; a masked port waits for unmask.
 *
 * It may be lost, between a look at the mask and the return to the guest, or
 * come twice, or come where it is masked.
 */
#include "guest.h"

static u32 a, b;

static void set_up(void)
{
	a = bind_ipi(0);
	b = bind_ipi(0);
	EXPECT(a && b && a != b);
}

static void masked_it_waits(void)
{
	event_forget();
	port_send(a);
	xen_version(XENVER_extraversion, NULL);
	EXPECT_EQ(event_log.upcalls, 0);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_pending, 1);
	EXPECT_EQ(this_cpu()->info->evtchn_pending_sel, 1UL << (a / 64));
	events_on();
	EXPECT_EQ(event_log.upcalls, 1);
	EXPECT_EQ(event_log.count[a], 1);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_pending, 0);
	events_off();
}

static void unmasked_it_comes_at_once(void)
{
	event_forget();
	events_on();
	port_send(a);
	EXPECT_EQ(event_log.count[a], 1);
	port_send(a);
	EXPECT_EQ(event_log.count[a], 2);
	events_off();
}

static void sent_twice_it_comes_once(void)
{
	event_forget();
	port_send(a);
	port_send(a);
	port_send(b);
	events_on();
	EXPECT_EQ(event_log.count[a], 1);
	EXPECT_EQ(event_log.count[b], 1);
	EXPECT_EQ(event_log.upcalls, 1);
	events_off();
}

static void a_masked_port_only_pends(void)
{
	event_forget();
	port_mask(a);
	events_on();
	port_send(a);
	EXPECT_EQ(event_log.upcalls, 0);
	EXPECT(port_is_pending(a));
	port_unmask(a);
	EXPECT_EQ(event_log.count[a], 1);
	port_unmask(b);
	EXPECT_EQ(event_log.upcalls, 1);
	events_off();
}

static struct regs seen;

static bool look(struct regs *regs)
{
	if (regs->vector == VEC_EVENT) {
		seen = *regs;
		EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 1);
	}
	return false;
}

static void an_upcall_masks_and_its_return_unmasks(void)
{
	trap_hook = look;
	events_on();
	port_send(a);
	EXPECT_EQ(seen.cs, FLAT_KERNEL_CS & ~3);
	EXPECT_EQ(seen.rflags & FLAGS_IF, FLAGS_IF);
	EXPECT_EQ(seen.entry_flags & (FLAGS_TF | FLAGS_AC | FLAGS_NT), 0);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 0);
}

/* While an upcall is under way another event waits, and then is not forgotten. */
static bool send_another(struct regs *regs)
{
	if (regs->vector != VEC_EVENT || event_log.upcalls)
		return false;
	event_upcall();
	port_send(b);
	EXPECT_EQ(event_log.count[b], 0);
	return true;
}

static void one_in_another_comes_after(void)
{
	event_forget();
	trap_hook = send_another;
	events_on();
	port_send(a);
	EXPECT_EQ(event_log.count[a], 1);
	EXPECT_EQ(event_log.count[b], 1);
	EXPECT_EQ(event_log.upcalls, 2);
}

static void block_returns_with_events_unmasked(void)
{
	event_forget();
	port_send(a);
	EXPECT_EQ(sched_op(SCHEDOP_block, NULL), 0);
	EXPECT_EQ(event_log.count[a], 1);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 0);
	events_off();
}

static void poll_sees_a_port_that_is_masked(void)
{
	evtchn_port_t ports[2] = { a, b };
	struct sched_poll op = { .ports = ports, .nr_ports = 2 };
	u64 start;

	event_forget();
	port_mask(b);
	port_send(b);
	EXPECT_EQ(sched_op(SCHEDOP_poll, &op), 0);
	EXPECT_EQ(event_log.upcalls, 0);
	port_unmask(b);
	events_on();
	events_off();
	/* With nothing pending the time-out ends it. */
	start = now_ns();
	op.timeout = start + 20000000;
	EXPECT_EQ(sched_op(SCHEDOP_poll, &op), 0);
	EXPECT(now_ns() >= start + 20000000);
	EXPECT(now_ns() < start + 2000000000);
	op.nr_ports = 1000;
	EXPECT_EQ(sched_op(SCHEDOP_poll, &op), -EINVAL);
	ports[0] = 5000;
	op.nr_ports = 1;
	EXPECT_EQ(sched_op(SCHEDOP_poll, &op), -EINVAL);
	op.ports = (void *)0x123456789000;
	EXPECT_EQ(sched_op(SCHEDOP_poll, &op), -EFAULT);
}

static void a_storm_is_counted_right(void)
{
	u32 i;

	event_forget();
	events_on();
	for (i = 0; i < 1000; i++)
		port_send(i & 1 ? a : b);
	events_off();
	EXPECT_EQ(event_log.count[a], 500);
	EXPECT_EQ(event_log.count[b], 500);
}

GUEST_TEST(CASE(set_up), CASE(masked_it_waits), CASE(unmasked_it_comes_at_once),
	   CASE(sent_twice_it_comes_once), CASE(a_masked_port_only_pends),
	   CASE(an_upcall_masks_and_its_return_unmasks), CASE(one_in_another_comes_after),
	   CASE(block_returns_with_events_unmasked), CASE(poll_sees_a_port_that_is_masked),
	   CASE(a_storm_is_counted_right));
