// SPDX-License-Identifier: GPL-2.0
/*
 * One more than there may be of anything is refused, and storms of what is
 * allowed end: the numbers are those of docs/security.md.
 *
 * They may not, if a bound is looked at in one place and not in another.
 */
#include "guest.h"

#define MAX_ENTRIES	65536
#define MAX_POLL	128
#define MAX_VCPUS	64
#define FIFO_PAGES	4
#define STORM		20000

static void entries_of_a_batch(void)
{
	u64 *page = page_alloc();

	EXPECT_EQ(mmu_update((void *)page, MAX_ENTRIES + 1, NULL), -EINVAL);
	EXPECT_EQ(mmu_update((void *)page, ~0U, NULL), -EINVAL);
	EXPECT_EQ(mmuext_op((void *)page, MAX_ENTRIES + 1, NULL), -EINVAL);
	EXPECT_EQ(mmuext_op((void *)page, ~0U, NULL), -EINVAL);
}

/* As many as may be, each of them a flush of everything. */
static void a_batch_as_long_as_it_may_be(void)
{
	u64 va = FREE_VA + 0x10000000, mfn = mfn_of(page_alloc()), i;
	struct mmuext_op *ops = page_alloc();
	u32 done = 0;

	for (i = 0; i < PAGE_SIZE / sizeof(*ops); i++)
		ops[i].cmd = MMUEXT_TLB_FLUSH_ALL;
	mfn = mfn_of(ops);
	for (i = 0; i <= MAX_ENTRIES * sizeof(*ops) / PAGE_SIZE; i++)
		map(kernel_root(), va + i * PAGE_SIZE, mkpte(mfn, PTE_RO));
	EXPECT_EQ(mmuext_op((void *)va, PAGE_SIZE / sizeof(*ops), &done), 0);
	EXPECT_EQ(done, PAGE_SIZE / sizeof(*ops));
	/* One that lies across two pages is another, and may end the batch. */
	mmuext_op((void *)va, MAX_ENTRIES, &done);
	EXPECT(done >= PAGE_SIZE / sizeof(*ops));
}

static void ports_of_a_poll(void)
{
	u32 *ports = page_alloc();
	struct sched_poll poll = { .nr_ports = MAX_POLL + 1, .timeout = 1 };

	set_xen_guest_handle(poll.ports, ports);
	EXPECT_EQ(sched_op(SCHEDOP_poll, &poll), -EINVAL);
	poll.nr_ports = ~0U;
	EXPECT_EQ(sched_op(SCHEDOP_poll, &poll), -EINVAL);
}

static void vcpus(void)
{
	static const u32 ids[] = { MAX_VCPUS, MAX_VCPUS + 1, 0x7fffffff, ~0U };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		EXPECT_EQ(vcpu_op(VCPUOP_is_up, ids[i], NULL), -ENOENT);
		EXPECT_EQ(vcpu_op(VCPUOP_up, ids[i], NULL), -ENOENT);
	}
}

static void descriptors(void)
{
	unsigned long frames[16] = { };
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg2.nr_ents = 8193 };

	op.arg1.linear_addr = (u64)page_alloc();
	EXPECT_EQ(mmuext_op(&op, 1, NULL), -EINVAL);
	EXPECT_EQ(set_gdt(frames, 14 * 512 + 1), -EINVAL);
	EXPECT_EQ(set_gdt(frames, ~0U), -EINVAL);
}

static void pages_of_ports(void)
{
	struct evtchn_init_control control = { .control_gfn = mfn_of(page_alloc()) };
	struct evtchn_expand_array array = { };
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	u32 i;

	EXPECT_EQ(event_channel_op(EVTCHNOP_init_control, &control), 0);
	for (i = 0; i < FIFO_PAGES; i++) {
		array.array_gfn = mfn_of(page_alloc());
		EXPECT_EQ(event_channel_op(EVTCHNOP_expand_array, &array), 0);
	}
	EXPECT_EQ(event_channel_op(EVTCHNOP_expand_array, &array), -ENOSPC);
	EXPECT_EQ(event_channel_op(EVTCHNOP_reset, &reset), 0);
}

/* Ports made, sent to and closed, until there is no other, again and again. */
static void a_storm_of_ports(void)
{
	u32 round, port, n = 0;

	for (round = 0; round < 3; round++) {
		for (n = 0; n < 5000; n++) {
			struct evtchn_alloc_unbound op = { .dom = DOMID_SELF,
							   .remote_dom = DOMID_SELF };

			if (event_channel_op(EVTCHNOP_alloc_unbound, &op))
				break;
			port_send(op.port);
		}
		EXPECT(n > 4000 && n < 4096);
		for (port = 1; port < 4096; port++)
			port_close(port);
	}
}

static void a_storm_of_events(void)
{
	u32 port = bind_ipi(0), i;

	for (i = 0; i < STORM; i++) {
		port_send(port);
		set_timer_op(now_ns() + i % 3000);
		if (i % 4 == 0)
			console_io(CONSOLEIO_write, 0, NULL);
	}
	set_timer_op(0);
	EXPECT_EQ(xen_version(XENVER_pagesize, NULL), 4096);
}

GUEST_TEST(CASE(entries_of_a_batch), CASE(a_batch_as_long_as_it_may_be), CASE(ports_of_a_poll),
	   CASE(vcpus), CASE(descriptors), CASE(pages_of_ports), CASE(a_storm_of_ports),
	   CASE(a_storm_of_events));
