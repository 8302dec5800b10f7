// SPDX-License-Identifier: GPL-2.0
/*
 * A guest starts as the ABI says: start_info in %rsi, flat segments, its frames
 * mapped from VIRT_BASE up, page tables read-only, events masked.
 *
 * It may not, if the domain builder and the module disagree about any of it.
 */
#include "guest.h"

extern u8 hypercall_page[], image_end[];

static void it_is_told_that_this_is_xen(void)
{
	EXPECT(!memcmp(start_info->magic, "xen-3.0-x86_64", 15));
	EXPECT_EQ(xen_version(XENVER_version, NULL), (4 << 16) | 17);
}

static void the_hypercall_page_calls(void)
{
	long ret;

	asm volatile("call *%1"
		     : "=a" (ret)
		     : "r" (hypercall_page + 32 * __HYPERVISOR_xen_version), "D" (0), "S" (0)
		     : "rcx", "r11", "memory");
	EXPECT_EQ(ret, (4 << 16) | 17);
}

static void segments_are_flat_and_ring_3(void)
{
	u16 cs, ss;

	asm volatile("mov %%cs, %0; mov %%ss, %1" : "=r" (cs), "=r" (ss));
	EXPECT_EQ(cs, FLAT_RING3_CS64);
	EXPECT_EQ(ss, FLAT_RING3_SS64);
}

static void interrupts_are_on_and_events_masked(void)
{
	u64 flags;

	asm volatile("pushfq; popq %0" : "=r" (flags));
	EXPECT_EQ(flags & 0x200, 0x200);
	EXPECT_EQ(shared_info->vcpu_info[0].evtchn_upcall_mask, 1);
}

static void the_frame_list_is_the_identity(void)
{
	const u64 *list = (const u64 *)start_info->mfn_list;
	u64 pfn, wrong = 0;

	for (pfn = 0; pfn < start_info->nr_pages; pfn++)
		wrong += list[pfn] != pfn;
	EXPECT_EQ(wrong, 0);
	EXPECT(start_info->nr_pages >= 4096);
}

static void page_tables_are_read_only(void)
{
	u64 *entry = pte_find(kernel_root(), start_info->pt_base, 1);

	EXPECT_EQ(*entry & (PTE_P | PTE_W), PTE_P);
	EXPECT_EQ((*entry & PTE_MFN) >> 12, kernel_root());
}

static void what_it_has_is_writable_and_zero(void)
{
	u64 *page = page_alloc();
	u32 i, used = 0;

	EXPECT(mfn_of(page) > mfn_of(image_end));
	for (i = 0; i < 512; i++)
		used += page[i] != 0;
	EXPECT_EQ(used, 0);
	WRITE_ONCE(page[0], 1);
	EXPECT_EQ(page[0], 1);
}

static void there_is_a_console_ring(void)
{
	const struct xencons_interface *ring =
		(void *)va_of(start_info->console.domU.mfn);

	EXPECT_EQ(ring->out_prod, 0);
	EXPECT(start_info->console.domU.evtchn);
}

static void time_has_begun(void)
{
	u64 first = now_ns(), second;

	xen_version(XENVER_version, NULL);
	second = now_ns();
	EXPECT(first);
	EXPECT(second > first);
	EXPECT(second < 60UL * 1000000000);
}

GUEST_TEST(CASE(it_is_told_that_this_is_xen),
	   CASE(the_hypercall_page_calls),
	   CASE(segments_are_flat_and_ring_3),
	   CASE(interrupts_are_on_and_events_masked),
	   CASE(the_frame_list_is_the_identity),
	   CASE(page_tables_are_read_only),
	   CASE(what_it_has_is_writable_and_zero),
	   CASE(there_is_a_console_ring),
	   CASE(time_has_begun));
