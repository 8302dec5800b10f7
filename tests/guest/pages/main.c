// SPDX-License-Identifier: GPL-2.0
/*
 * A mapping gives what its entries say: present, writable and executable only if
 * every level says so, gone when it is taken away, another frame when it is
 * changed, at every level of the tables.
 *
 * It may not, for the CPU walks other tables than the guest's, made from them
 * and kept up to date.
 */
#include "guest.h"

#define VA	(FREE_VA + 0x200000)

static u64 *first, *second;
static u64 last_error(void) { return this_cpu()->last.error; }

static u64 root_entry_ma(u64 va, int level)
{
	return pte_ma(pte_find(kernel_root(), va, level));
}

static long write_level(u64 va, int level, u64 val)
{
	struct mmu_update update = { root_entry_ma(va, level), val };

	return mmu_update(&update, 1, NULL);
}

static void set_up(void)
{
	first = page_alloc();
	second = page_alloc();
	first[0] = 111;
	second[0] = 222;
	first[1] = 0xc3;	/* ret */
	map(kernel_root(), VA, mkpte(mfn_of(first), PTE_RW));
	EXPECT_EQ(*(u64 *)VA, 111);
}

static void a_mapping_is_the_same_memory(void)
{
	WRITE_ONCE(*(u64 *)(VA + 64), 5);
	EXPECT_EQ(first[8], 5);
	first[8] = 6;
	EXPECT_EQ(READ_ONCE(*(u64 *)(VA + 64)), 6);
}

static void another_frame_takes_its_place(void)
{
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(second), PTE_RW), UVMF_INVLPG), 0);
	EXPECT_EQ(READ_ONCE(*(u64 *)VA), 222);
	EXPECT_EQ(write_level(VA, 1, mkpte(mfn_of(first), PTE_RW)), 0);
	flush_tlb_local();
	EXPECT_EQ(READ_ONCE(*(u64 *)VA), 111);
}

static void what_is_taken_away_is_gone(void)
{
	EXPECT_EQ(update_va_mapping(VA, 0, UVMF_INVLPG), 0);
	EXPECT_EQ(try_read(VA, NULL), 14);
	EXPECT_EQ(last_error(), 0);
	EXPECT_EQ(try_write(VA, 0), 14);
	EXPECT_EQ(last_error(), PF_W);
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(first), PTE_RW), 0), 0);
	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
}

static void read_only_is_read_only(void)
{
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(first), PTE_RO), UVMF_INVLPG), 0);
	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
	EXPECT_EQ(try_write(VA, 7), 14);
	EXPECT_EQ(last_error(), PF_P | PF_W);
	EXPECT_EQ(first[0], 111);
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(first), PTE_RW), UVMF_INVLPG), 0);
	EXPECT_EQ(try_write(VA, 111), VEC_NONE);
}

static void nx_is_not_executable(void)
{
	EXPECT_EQ(try_call(VA + 8), VEC_NONE);
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(first), PTE_RW | PTE_NX), UVMF_INVLPG), 0);
	EXPECT_EQ(try_call(VA + 8), 14);
	EXPECT_EQ(last_error(), PF_P | PF_FETCH);
	EXPECT_EQ(this_cpu()->info->arch.cr2, VA + 8);
	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(first), PTE_RW), UVMF_INVLPG), 0);
	EXPECT_EQ(try_call(VA + 8), VEC_NONE);
}

/* The same at each level above: the entry that says no has the last word. */
static void upper_levels_count(void)
{
	int level;

	for (level = 2; level <= 4; level++) {
		u64 entry = *pte_find(kernel_root(), VA, level);

		EXPECT_EQ(write_level(VA, level, entry & ~PTE_W), 0);
		flush_tlb_local();
		EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
		EXPECT_EQ(try_write(VA, 111), 14);
		EXPECT_EQ(last_error(), PF_P | PF_W);

		EXPECT_EQ(write_level(VA, level, entry | PTE_NX), 0);
		flush_tlb_local();
		EXPECT_EQ(try_call(VA + 8), 14);
		EXPECT_EQ(last_error(), PF_P | PF_FETCH);
		EXPECT_EQ(try_write(VA, 111), VEC_NONE);

		EXPECT_EQ(write_level(VA, level, 0), 0);
		flush_tlb_local();
		EXPECT_EQ(try_read(VA, NULL), 14);
		EXPECT_EQ(last_error(), 0);

		EXPECT_EQ(write_level(VA, level, entry), 0);
		EXPECT_EQ(try_write(VA, 111), VEC_NONE);
		EXPECT_EQ(try_call(VA + 8), VEC_NONE);
	}
}

static void one_table_may_hang_in_two_places(void)
{
	u64 other = VA + (1UL << 30);
	u64 table = *pte_find(kernel_root(), VA, 2);

	map(kernel_root(), other, 0);
	EXPECT_EQ(write_level(other, 2, table), 0);
	flush_tlb_local();
	EXPECT_EQ(READ_ONCE(*(u64 *)other), 111);
	EXPECT_EQ(update_va_mapping(VA, mkpte(mfn_of(second), PTE_RW), 0), 0);
	flush_tlb_local();
	EXPECT_EQ(READ_ONCE(*(u64 *)other), 222);
	EXPECT_EQ(write_level(other, 2, 0), 0);
	flush_tlb_local();
	EXPECT_EQ(try_read(other, NULL), 14);
	EXPECT_EQ(try_read(VA, NULL), VEC_NONE);
	update_va_mapping(VA, mkpte(mfn_of(first), PTE_RW), UVMF_INVLPG);
}

static void a_large_page_is_refused_or_faults(void)
{
	u64 va = VA + (2UL << 30);

	map(kernel_root(), va, 0);
	if (!write_level(va, 2, mkpte(0, PTE_RW | PTE_PS))) {
		flush_tlb_local();
		EXPECT_EQ(try_read(va, NULL), 14);
	}
	write_level(va, 2, 0);
}

GUEST_TEST(CASE(set_up), CASE(a_mapping_is_the_same_memory),
	   CASE(another_frame_takes_its_place), CASE(what_is_taken_away_is_gone),
	   CASE(read_only_is_read_only), CASE(nx_is_not_executable), CASE(upper_levels_count),
	   CASE(one_table_may_hang_in_two_places), CASE(a_large_page_is_refused_or_faults));
