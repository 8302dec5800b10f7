// SPDX-License-Identifier: GPL-2.0
/*
 * The FIFO event channel ABI: a control block a vCPU, words in pages the guest
 * gives, sixteen queues that are served in the order of their priority.
 *
 * It may go wrong, for guest and hypervisor change the same words at once, and a
 * link is an index that the guest can bend.
 */
#include "guest.h"

#define PENDING	(1U << EVTCHN_FIFO_PENDING)
#define MASKED	(1U << EVTCHN_FIFO_MASKED)
#define LINKED	(1U << EVTCHN_FIFO_LINKED)
#define LINK	EVTCHN_FIFO_LINK_MASK

static struct evtchn_fifo_control_block *control;
static event_word_t *words;
static u32 order[64], nr_seen;

/* The head is the hypervisor's to write, and only read when a queue is begun. */
static void take(u32 priority)
{
	u32 port = READ_ONCE(control->head[priority]), word;

	while (port) {
		word = __atomic_fetch_and(&words[port], ~(LINKED | LINK), __ATOMIC_SEQ_CST);
		if ((word & PENDING) && !(word & MASKED)) {
			__atomic_fetch_and(&words[port], ~PENDING, __ATOMIC_SEQ_CST);
			if (nr_seen < ARRAY_SIZE(order))
				order[nr_seen++] = port;
		}
		port = word & LINK;
	}
}

static bool fifo_upcall(struct regs *regs)
{
	u32 ready, priority;

	if (regs->vector != VEC_EVENT)
		return false;
	WRITE_ONCE(this_cpu()->info->evtchn_upcall_pending, 0);
	ready = __atomic_exchange_n(&control->ready, 0, __ATOMIC_SEQ_CST);
	for (priority = 0; priority < EVTCHN_FIFO_MAX_QUEUES; priority++)
		if (ready & (1 << priority))
			take(priority);
	return true;
}

static void bad_arguments_are_refused(void)
{
	struct evtchn_init_control init = { .control_gfn = mfn_of(page_alloc()) };
	struct evtchn_expand_array expand = { .array_gfn = mfn_of(page_alloc()) };
	struct evtchn_set_priority priority = { .port = 1, .priority = 1 };

	EXPECT(event_channel_op(EVTCHNOP_expand_array, &expand) < 0);
	EXPECT(event_channel_op(EVTCHNOP_set_priority, &priority) < 0);
	init.vcpu = 999;
	EXPECT_EQ(event_channel_op(EVTCHNOP_init_control, &init), -ENOENT);
	init.vcpu = 0;
	init.offset = 4;
	EXPECT_EQ(event_channel_op(EVTCHNOP_init_control, &init), -EINVAL);
	init.offset = 4096 - 64;
	EXPECT_EQ(event_channel_op(EVTCHNOP_init_control, &init), -EINVAL);
	init = (struct evtchn_init_control){ .control_gfn = ~0UL };
	EXPECT(event_channel_op(EVTCHNOP_init_control, &init) < 0);
}

static void it_is_set_up(void)
{
	struct evtchn_init_control init;
	struct evtchn_expand_array expand;

	control = page_alloc();
	words = page_alloc();
	init = (struct evtchn_init_control){ .control_gfn = mfn_of(control) };
	EXPECT_EQ(event_channel_op(EVTCHNOP_init_control, &init), 0);
	EXPECT_EQ(init.link_bits, EVTCHN_FIFO_LINK_BITS);
	expand.array_gfn = ~0UL;
	EXPECT(event_channel_op(EVTCHNOP_expand_array, &expand) < 0);
	expand.array_gfn = mfn_of(words);
	EXPECT_EQ(event_channel_op(EVTCHNOP_expand_array, &expand), 0);
}

static u32 port_at(u32 priority)
{
	struct evtchn_bind_ipi bind = { .vcpu = 0 };
	struct evtchn_set_priority op;

	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_ipi, &bind), 0);
	op = (struct evtchn_set_priority){ .port = bind.port, .priority = priority };
	EXPECT_EQ(event_channel_op(EVTCHNOP_set_priority, &op), 0);
	__atomic_fetch_and(&words[bind.port], ~MASKED, __ATOMIC_SEQ_CST);
	return bind.port;
}

static void events_come_in_order_of_priority(void)
{
	u32 low = port_at(15), high = port_at(0), middle = port_at(7), middle2 = port_at(7);

	trap_hook = fifo_upcall;
	nr_seen = 0;
	port_send(low);
	port_send(middle2);
	port_send(middle);
	port_send(high);
	EXPECT_EQ(nr_seen, 0);
	events_on();
	events_off();
	EXPECT_EQ(nr_seen, 4);
	EXPECT_EQ(order[0], high);
	EXPECT_EQ(order[1], middle2);
	EXPECT_EQ(order[2], middle);
	EXPECT_EQ(order[3], low);
	EXPECT_EQ(words[low] | words[high] | words[middle] | words[middle2], 0);
}

static void a_masked_one_waits_for_unmask(void)
{
	struct evtchn_unmask unmask = { .port = port_at(3) };

	trap_hook = fifo_upcall;
	nr_seen = 0;
	words[unmask.port] |= MASKED;
	events_on();
	port_send(unmask.port);
	EXPECT_EQ(nr_seen, 0);
	EXPECT_EQ(words[unmask.port] & PENDING, PENDING);
	EXPECT_EQ(event_channel_op(EVTCHNOP_unmask, &unmask), 0);
	EXPECT_EQ(nr_seen, 1);
	events_off();
}

static void many_are_none_lost(void)
{
	u32 ports[32], i, round;

	trap_hook = fifo_upcall;
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		ports[i] = port_at(i % 16);
	for (round = 0; round < 20; round++) {
		nr_seen = 0;
		for (i = 0; i < ARRAY_SIZE(ports); i++)
			port_send(ports[(i * 7 + round) % ARRAY_SIZE(ports)]);
		events_on();
		events_off();
		EXPECT_EQ(nr_seen, ARRAY_SIZE(ports));
	}
}

/* Links that lead in a circle or out of the array: the guest's own trouble. */
static void bent_words_harm_nobody(void)
{
	u32 port = port_at(5), other = port_at(5), i;

	for (i = 0; i < 200; i++) {
		words[port] = (u32)(i * 0x9e3779b1) | LINKED;
		words[other] = LINKED | PENDING | port;
		control->head[5] = i % 2 ? port : 0x1ffff;
		port_send(port);
		port_send(other);
	}
	EXPECT_EQ(port_close(port), 0);
	EXPECT_EQ(port_close(other), 0);
	EXPECT_EQ(xen_version(XENVER_pagesize, NULL), 4096);
}

static void reset_is_back_to_the_old(void)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	u32 port;

	EXPECT_EQ(event_channel_op(EVTCHNOP_reset, &reset), 0);
	this_cpu()->info->evtchn_upcall_pending = 0;
	this_cpu()->info->evtchn_pending_sel = 0;
	event_forget();
	port = bind_ipi(0);
	events_on();
	port_send(port);
	EXPECT_EQ(event_log.count[port], 1);
	events_off();
}

GUEST_TEST(CASE(bad_arguments_are_refused), CASE(it_is_set_up),
	   CASE(events_come_in_order_of_priority), CASE(a_masked_one_waits_for_unmask),
	   CASE(many_are_none_lost), CASE(bent_words_harm_nobody),
	   CASE(reset_is_back_to_the_old));
