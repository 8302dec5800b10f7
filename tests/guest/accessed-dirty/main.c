// SPDX-License-Identifier: GPL-2.0
/*
 * The first access of a page sets A in its entry, the first write D, and neither
 * comes by itself.  A guest that clears them is told again.
 *
 * It may not be: the CPU sets its bits in the shadow's entry, and a shadow entry
 * that is more than the guest's hides what happens behind it.  Losing D is
 * losing data.
 */
#include "guest.h"

#define VA	(FREE_VA + 0x300000)
#define CLEAN	(PTE_P | PTE_W | PTE_U)

static u64 mfn, *entry;

static u64 bits(void)
{
	return READ_ONCE(*entry) & (PTE_A | PTE_D);
}

static void set_up(void)
{
	mfn = mfn_of(page_alloc());
	map(kernel_root(), VA, mkpte(mfn, CLEAN));
	entry = pte_find(kernel_root(), VA, 1);
}

static void nothing_touched_nothing_set(void)
{
	EXPECT_EQ(bits(), 0);
	EXPECT_EQ(try_read(VA + PAGE_SIZE, NULL), 14);
	EXPECT_EQ(bits(), 0);
}

static void a_read_sets_a_only(void)
{
	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A);
	EXPECT_EQ(try_read(VA + 8, NULL), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A);
}

static void a_write_sets_d(void)
{
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A | PTE_D);
}

static void a_first_write_sets_both(void)
{
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn, CLEAN), UVMF_INVLPG), 0);
	EXPECT_EQ(bits(), 0);
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A | PTE_D);
}

static void a_fetch_sets_a(void)
{
	*(u8 *)VA = 0xc3;
	update_va_mapping(VA, mkpte(mfn, CLEAN), UVMF_INVLPG);
	EXPECT_EQ(try_call(VA), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A);
}

static void a_fault_sets_neither(void)
{
	update_va_mapping(VA, mkpte(mfn, PTE_P | PTE_U), UVMF_INVLPG);
	EXPECT_EQ(try_write(VA, 1), 14);
	EXPECT_EQ(bits() & PTE_D, 0);
	update_va_mapping(VA, mkpte(mfn, PTE_P | PTE_U | PTE_NX), UVMF_INVLPG);
	EXPECT_EQ(try_call(VA), 14);
	EXPECT_EQ(bits() & PTE_D, 0);
}

static void cleared_they_are_set_again(void)
{
	u32 i;

	update_va_mapping(VA, mkpte(mfn, CLEAN), UVMF_INVLPG);
	for (i = 0; i < 10; i++) {
		EXPECT_EQ(try_write(VA, i), VEC_NONE);
		EXPECT_EQ(bits(), PTE_A | PTE_D);
		EXPECT_EQ(pte_write(entry, mkpte(mfn, CLEAN | PTE_A)), 0);
		flush_tlb_local();
		EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
		EXPECT_EQ(bits(), PTE_A);
		EXPECT_EQ(pte_write(entry, mkpte(mfn, CLEAN)), 0);
		flush_tlb_local();
		EXPECT_EQ(bits(), 0);
	}
}

/* As Linux looks for old pages: clear A in the live table by a store. */
static void cleared_by_a_store_they_are_set_again(void)
{
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A | PTE_D);
	EXPECT_EQ(TRY("lock btrq $5, %0", : "+m" (*entry)), VEC_NONE);
	EXPECT_EQ(TRY("lock btrq $6, %0", : "+m" (*entry)), VEC_NONE);
	EXPECT_EQ(bits(), 0);
	flush_tlb_local();
	EXPECT_EQ(bits(), 0);
	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A);
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
	EXPECT_EQ(bits(), PTE_A | PTE_D);
}

/* What the hypervisor itself reads and writes for the guest counts as well. */
static void a_hypercall_is_an_access(void)
{
	struct xen_platform_parameters *p = (void *)VA;

	update_va_mapping(VA, mkpte(mfn, CLEAN), UVMF_INVLPG);
	EXPECT_EQ(xen_version(XENVER_platform_parameters, p), 0);
	EXPECT_EQ(bits(), PTE_A | PTE_D);
	update_va_mapping(VA, mkpte(mfn, CLEAN), UVMF_INVLPG);
	console_io(CONSOLEIO_write, 0, p);
	EXPECT_EQ(bits() & PTE_D, 0);
}

static void upper_entries_are_accessed_too(void)
{
	u64 *upper = pte_find(kernel_root(), VA, 2);

	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
	EXPECT_EQ(READ_ONCE(*upper) & PTE_A, PTE_A);
}

/* Two entries of one frame have bits of their own. */
static void aliases_do_not_share(void)
{
	u64 *other;

	map(kernel_root(), VA + 0x10000, mkpte(mfn, CLEAN));
	other = pte_find(kernel_root(), VA + 0x10000, 1);
	update_va_mapping(VA, mkpte(mfn, CLEAN), UVMF_INVLPG);
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
	EXPECT_EQ(READ_ONCE(*other) & (PTE_A | PTE_D), 0);
	EXPECT_EQ(try_read(VA + 0x10000, NULL), VEC_NONE);
	EXPECT_EQ(READ_ONCE(*other) & (PTE_A | PTE_D), PTE_A);
}

GUEST_TEST(CASE(set_up), CASE(nothing_touched_nothing_set), CASE(a_read_sets_a_only),
	   CASE(a_write_sets_d), CASE(a_first_write_sets_both), CASE(a_fetch_sets_a),
	   CASE(a_fault_sets_neither), CASE(cleared_they_are_set_again),
	   CASE(cleared_by_a_store_they_are_set_again), CASE(a_hypercall_is_an_access),
	   CASE(upper_entries_are_accessed_too), CASE(aliases_do_not_share));
