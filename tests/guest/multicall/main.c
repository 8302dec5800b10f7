// SPDX-License-Identifier: GPL-2.0
/*
 * A multicall makes each call in turn and leaves each result in its entry; one
 * that fails does not stop the others.  A multicall in a multicall is refused.
 *
 * It may not, where a call changes the registers or the page tables that the
 * batch itself is read through.
 */
#include "guest.h"

#define UNMAPPED	((void *)0x123456789000UL)

static struct multicall_entry entries[300];

static void each_has_its_result(void)
{
	entries[0] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version,
					       .args = { XENVER_version } };
	entries[1] = (struct multicall_entry){ .op = 1000, .result = 1 };
	entries[2] = (struct multicall_entry){ .op = __HYPERVISOR_set_segment_base,
					       .args = { SEGBASE_FS, 0x1234000 } };
	entries[3] = (struct multicall_entry){ .op = __HYPERVISOR_set_segment_base,
					       .args = { SEGBASE_FS, 0x8000000000000000 } };
	entries[4] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version,
					       .args = { XENVER_pagesize } };
	EXPECT_EQ(multicall(entries, 5), 0);
	EXPECT_EQ(entries[0].result, (4 << 16) | 17);
	EXPECT_EQ(entries[1].result, -ENOSYS);
	EXPECT_EQ(entries[2].result, 0);
	EXPECT_EQ(entries[3].result, -EINVAL);
	EXPECT_EQ(entries[4].result, 4096);
	set_segment_base(SEGBASE_FS, 0);
}

static void none_is_none(void)
{
	EXPECT_EQ(multicall(entries, 0), 0);
	EXPECT_EQ(multicall(UNMAPPED, 0), 0);
	EXPECT_EQ(multicall(UNMAPPED, 1), -EFAULT);
}

static void many_are_all_made(void)
{
	u32 i, wrong = 0;

	for (i = 0; i < ARRAY_SIZE(entries); i++)
		entries[i] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version,
						       .args = { XENVER_pagesize } };
	EXPECT_EQ(multicall(entries, ARRAY_SIZE(entries)), 0);
	for (i = 0; i < ARRAY_SIZE(entries); i++)
		wrong += entries[i].result != 4096;
	EXPECT_EQ(wrong, 0);
}

static void one_in_another_is_refused(void)
{
	struct multicall_entry inner = { .op = __HYPERVISOR_xen_version, .result = 77 };

	entries[0] = (struct multicall_entry){ .op = __HYPERVISOR_multicall,
					       .args = { (u64)&inner, 1 } };
	entries[1] = (struct multicall_entry){ .op = __HYPERVISOR_multicall,
					       .args = { (u64)entries, 2 } };
	entries[2] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	EXPECT_EQ(multicall(entries, 3), 0);
	EXPECT(entries[0].result < 0);
	EXPECT(entries[1].result < 0);
	EXPECT_EQ(entries[2].result, (4 << 16) | 17);
	EXPECT_EQ(inner.result, 77);
}

static void iret_has_no_place_in_one(void)
{
	entries[0] = (struct multicall_entry){ .op = __HYPERVISOR_iret };
	entries[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	EXPECT_EQ(multicall(entries, 2), 0);
	EXPECT(entries[0].result < 0);
	EXPECT_EQ(entries[1].result, (4 << 16) | 17);
}

/* The batch lies over a page boundary, and the second page is read-only. */
static void a_result_that_cannot_be_written_ends_it(void)
{
	u64 va = FREE_VA;
	u64 second = mfn_of(page_alloc());
	struct multicall_entry *batch = (void *)(va + PAGE_SIZE - sizeof(*batch));

	map(kernel_root(), va, mkpte(mfn_of(page_alloc()), PTE_RW));
	map(kernel_root(), va + PAGE_SIZE, mkpte(second, PTE_RW));
	batch[0] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	batch[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	update_va_mapping(va + PAGE_SIZE, mkpte(second, PTE_RO), UVMF_INVLPG);
	EXPECT_EQ(multicall(batch, 2), -EFAULT);
	EXPECT_EQ(batch[0].result, (4 << 16) | 17);
	EXPECT_EQ(batch[1].result, 0);
}

/* The first call takes away the page the second is on. */
static void one_that_unmaps_the_batch_ends_it(void)
{
	u64 va = FREE_VA;
	struct multicall_entry *batch = (void *)va;
	u64 frame = mfn_of(page_alloc());

	map(kernel_root(), va, mkpte(frame, PTE_RW));
	batch[0] = (struct multicall_entry){ .op = __HYPERVISOR_update_va_mapping,
					     .args = { va, 0, UVMF_INVLPG } };
	batch[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	EXPECT_EQ(multicall(batch, 2), -EFAULT);
	map(kernel_root(), va, mkpte(frame, PTE_RW));
	EXPECT_EQ(batch[1].result, 0);
}

/* An event sent in the middle waits for the end. */
static void events_come_after_it(void)
{
	struct evtchn_send send = { .port = bind_ipi(0) };

	event_forget();
	entries[0] = (struct multicall_entry){ .op = __HYPERVISOR_event_channel_op,
					       .args = { EVTCHNOP_send, (u64)&send } };
	entries[1] = (struct multicall_entry){ .op = __HYPERVISOR_xen_version };
	this_cpu()->info->evtchn_upcall_mask = 0;
	EXPECT_EQ(multicall(entries, 2), 0);
	EXPECT_EQ(event_log.count[send.port], 1);
	events_off();
	EXPECT_EQ(entries[1].result, (4 << 16) | 17);
	port_close(send.port);
}

GUEST_TEST(CASE(each_has_its_result), CASE(none_is_none), CASE(many_are_all_made),
	   CASE(one_in_another_is_refused), CASE(iret_has_no_place_in_one),
	   CASE(a_result_that_cannot_be_written_ends_it),
	   CASE(one_that_unmaps_the_batch_ends_it), CASE(events_come_after_it));
