// SPDX-License-Identifier: GPL-2.0
/*
 * fifo_test.c - the FIFO ABI, with a guest that obeys it and one that does not
 */
/* The module has the tracepoints. */
#define NOTRACE

#include <linux/module.h>
#include <linux/prandom.h>

#include "../../../host-module/event/evtchn.c"
#include "../../../host-module/event/fifo.c"
#include "../../../host-module/event/upcall.c"
#include "fake.h"

/* Guest frames: control blocks of vCPU 0 and 1, then the event array. */
#define CONTROL_GFN	1
#define ARRAY_GFN	3

static struct evtchn_fifo_control_block *control_of(u32 vcpu)
{
	return page_address(fake->pages[CONTROL_GFN + vcpu]);
}

static u32 *word_of(u32 port)
{
	return (u32 *)page_address(fake->pages[ARRAY_GFN]) + port;
}

static long init_control(u64 gfn, u32 offset, u32 vcpu)
{
	struct evtchn_init_control op = { .control_gfn = gfn, .offset = offset, .vcpu = vcpu };

	return rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_init_control, &op);
}

static long expand_array(u64 gfn)
{
	struct evtchn_expand_array op = { .array_gfn = gfn };

	return rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_expand_array, &op);
}

static long set_priority(u32 port, u32 priority)
{
	struct evtchn_set_priority op = { .port = port, .priority = priority };

	return rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_set_priority, &op);
}

static void switch_to_fifo(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, init_control(CONTROL_GFN, 0, 0), 0);
	KUNIT_ASSERT_EQ(test, init_control(CONTROL_GFN + 1, 0, 1), 0);
	KUNIT_ASSERT_EQ(test, expand_array(ARRAY_GFN), 0);
}

static u32 bind_ipi(struct kunit *test, u32 vcpu)
{
	u32 port;

	KUNIT_ASSERT_EQ(test, guest_bind_ipi(vcpu, &port), 0);
	return port;
}

/* A guest takes the head of its highest queue; 0 if there is none. */
static u32 consume(u32 vcpu, u32 heads[EVTCHN_FIFO_MAX_QUEUES])
{
	struct evtchn_fifo_control_block *control = control_of(vcpu);
	u32 queue, port, link;

	if (!control->ready)
		return 0;
	queue = __ffs(control->ready);
	port = heads[queue] ?: control->head[queue];
	link = *word_of(port) & EVTCHN_FIFO_LINK_MASK;
	*word_of(port) &= ~(LINKED | EVTCHN_FIFO_LINK_MASK | PENDING);
	heads[queue] = link;
	if (!link)
		control->ready &= ~BIT(queue);
	return port;
}

static void events_keep_their_order(struct kunit *test)
{
	u32 heads[EVTCHN_FIFO_MAX_QUEUES] = {};
	u32 i, ports[5];

	switch_to_fifo(test);
	for (i = 0; i < 5; i++)
		ports[i] = bind_ipi(test, 1);
	for (i = 5; i-- > 0;)
		guest_send(ports[i]);
	guest_send(ports[3]);

	KUNIT_EXPECT_TRUE(test, fake->vcpu[1].kicked);
	KUNIT_EXPECT_EQ(test, fake->vcpu[1].event.info->evtchn_upcall_pending, 1);
	KUNIT_EXPECT_EQ(test, control_of(0)->ready, 0);
	for (i = 5; i-- > 0;)
		KUNIT_EXPECT_EQ(test, consume(1, heads), ports[i]);
	KUNIT_EXPECT_EQ(test, consume(1, heads), 0);
}

static void higher_priority_comes_first(struct kunit *test)
{
	u32 heads[EVTCHN_FIFO_MAX_QUEUES] = {};
	u32 low, high;

	switch_to_fifo(test);
	low = bind_ipi(test, 0);
	high = bind_ipi(test, 0);
	KUNIT_EXPECT_EQ(test, set_priority(high, EVTCHN_FIFO_PRIORITY_MAX), 0);
	KUNIT_EXPECT_EQ(test, set_priority(low, EVTCHN_FIFO_PRIORITY_MIN + 1), -EINVAL);
	guest_send(low);
	guest_send(high);
	KUNIT_EXPECT_EQ(test, consume(0, heads), high);
	KUNIT_EXPECT_EQ(test, consume(0, heads), low);
}

static void event_moves_to_its_new_queue_once_consumed(struct kunit *test)
{
	u32 heads[EVTCHN_FIFO_MAX_QUEUES] = {};
	u32 port, other;

	switch_to_fifo(test);
	port = bind_ipi(test, 0);
	other = bind_ipi(test, 0);
	guest_send(port);
	KUNIT_EXPECT_EQ(test, consume(0, heads), port);

	/* It was the tail there; the old queue must not be linked through it. */
	set_priority(port, 3);
	guest_send(port);
	guest_send(other);
	KUNIT_EXPECT_EQ(test, *word_of(port) & EVTCHN_FIFO_LINK_MASK, 0);
	KUNIT_EXPECT_EQ(test, consume(0, heads), port);
	KUNIT_EXPECT_EQ(test, consume(0, heads), other);
}

static void masked_event_is_linked_when_unmasked(struct kunit *test)
{
	u32 heads[EVTCHN_FIFO_MAX_QUEUES] = {};
	u32 port;

	switch_to_fifo(test);
	port = bind_ipi(test, 0);
	*word_of(port) |= MASKED;
	guest_send(port);
	KUNIT_EXPECT_EQ(test, *word_of(port), PENDING | MASKED);
	KUNIT_EXPECT_EQ(test, control_of(0)->ready, 0);
	KUNIT_EXPECT_EQ(test, guest_unmask(port), 0);
	KUNIT_EXPECT_EQ(test, consume(0, heads), port);
}

static void event_of_the_other_abi_is_not_lost(struct kunit *test)
{
	u32 heads[EVTCHN_FIFO_MAX_QUEUES] = {};
	u32 port = bind_ipi(test, 0);

	guest_send(port);
	KUNIT_ASSERT_EQ(test, init_control(CONTROL_GFN, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, control_of(0)->ready, 0);
	KUNIT_ASSERT_EQ(test, expand_array(ARRAY_GFN), 0);
	KUNIT_EXPECT_EQ(test, consume(0, heads), port);
}

static void port_on_a_queue_is_not_given_out(struct kunit *test)
{
	u32 heads[EVTCHN_FIFO_MAX_QUEUES] = {};
	u32 port;

	switch_to_fifo(test);
	port = bind_ipi(test, 0);
	guest_send(port);
	guest_close(port);
	KUNIT_EXPECT_EQ(test, *word_of(port) & PENDING, 0);
	KUNIT_EXPECT_NE(test, bind_ipi(test, 0), port);
	consume(0, heads);
	KUNIT_EXPECT_EQ(test, bind_ipi(test, 0), port);
}

static void control_block_must_fit(struct kunit *test)
{
	u32 last = PAGE_SIZE - sizeof(struct evtchn_fifo_control_block);

	KUNIT_EXPECT_EQ(test, expand_array(ARRAY_GFN), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, set_priority(1, 0), -ENOSYS);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, 4, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, last + 8, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, ~0U, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, init_control(NR_FAKE_PAGES, 0, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, 0, NR_FAKE_VCPUS), -ENOENT);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, 0, ~0U), -ENOENT);
	KUNIT_EXPECT_EQ(test, expand_array(ARRAY_GFN), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, last & ~7U, 0), 0);
	KUNIT_EXPECT_EQ(test, init_control(CONTROL_GFN, 0, 0), -EINVAL);
}

static void array_has_an_end(struct kunit *test)
{
	int i;

	switch_to_fifo(test);
	for (i = 1; i < MAX_PAGES; i++)
		KUNIT_EXPECT_EQ(test, expand_array(ARRAY_GFN), 0);
	KUNIT_EXPECT_EQ(test, expand_array(ARRAY_GFN), -ENOSPC);
	KUNIT_EXPECT_EQ(test, expand_array(NR_FAKE_PAGES), -EINVAL);
}

static void reset_goes_back_to_two_levels(struct kunit *test)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	u32 port;

	switch_to_fifo(test);
	bind_ipi(test, 0);
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_reset, &reset), 0);
	KUNIT_EXPECT_EQ(test, fake->nr_pinned, 0);
	port = bind_ipi(test, 0);
	guest_send(port);
	KUNIT_EXPECT_TRUE(test, test_bit(port, (unsigned long *)fake->vm.shared->evtchn_pending));
}

/* Whatever stands in its pages, the host reads no link and loops over none. */
static void guest_that_scribbles_harms_itself(struct kunit *test)
{
	u32 i, k, ports[16];
	struct rnd_state rnd;

	prandom_seed_state(&rnd, 1);
	switch_to_fifo(test);
	for (i = 0; i < ARRAY_SIZE(ports); i++)
		ports[i] = bind_ipi(test, i & 1);

	for (i = 0; i < 20000; i++) {
		u32 *page = page_address(fake->pages[CONTROL_GFN + i % 3]);

		for (k = 0; k < 8; k++)
			page[prandom_u32_state(&rnd) % 32] = prandom_u32_state(&rnd);
		set_priority(ports[i % 16], prandom_u32_state(&rnd) % 16);
		guest_send(ports[prandom_u32_state(&rnd) % 16]);
		guest_unmask(prandom_u32_state(&rnd) % 32);
		if (i % 64 == 0) {
			guest_close(ports[i / 64 % 16]);
			guest_bind_ipi(i & 1, &ports[i / 64 % 16]);
		}
	}
	KUNIT_SUCCEED(test);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(events_keep_their_order),
	KUNIT_CASE(higher_priority_comes_first),
	KUNIT_CASE(event_moves_to_its_new_queue_once_consumed),
	KUNIT_CASE(masked_event_is_linked_when_unmasked),
	KUNIT_CASE(event_of_the_other_abi_is_not_lost),
	KUNIT_CASE(port_on_a_queue_is_not_given_out),
	KUNIT_CASE(control_block_must_fit),
	KUNIT_CASE(array_has_an_end),
	KUNIT_CASE(reset_goes_back_to_two_levels),
	KUNIT_CASE(guest_that_scribbles_harms_itself),
	{}
};

static struct kunit_suite suite = {
	.name = "rf_event_fifo",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("ringfence tests: FIFO event channels");
MODULE_LICENSE("GPL");
