// SPDX-License-Identifier: GPL-2.0
/*
 * Linux stores into live page tables as if it had the machine to itself, though
 * it has mapped them read-only: such a store goes through, and has its effect by
 * the next flush at the latest.
 *
 * It may be lost, if the shadow is brought up to date before the store is done,
 * or go on without a fault after the table has been closed again.
 */
#include "guest.h"

#define VA	(FREE_VA + 0x400000)
#define NR	64

static u64 *table;		/* the entries of VA and up */
static u64 mfns[NR];

static u64 page_value(u32 i)
{
	return READ_ONCE(*(u64 *)(VA + i * PAGE_SIZE));
}

static void set_up(void)
{
	u32 i;

	for (i = 0; i < NR; i++) {
		u64 *page = page_alloc();

		page[0] = i;
		mfns[i] = mfn_of(page);
		map(kernel_root(), VA + i * PAGE_SIZE, mkpte(mfns[i], PTE_RW));
	}
	table = pte_find(kernel_root(), VA, 1);
	for (i = 0; i < NR; i++)
		EXPECT_EQ(page_value(i), i);
}

static void the_table_is_mapped_read_only(void)
{
	EXPECT_EQ(*pte_find(kernel_root(), (u64)table, 1) & PTE_W, 0);
}

static void a_store_takes_effect_at_the_flush(void)
{
	EXPECT_EQ(try_write((u64)&table[0], 0), VEC_NONE);
	EXPECT_EQ(table[0], 0);
	flush_tlb_local();
	EXPECT_EQ(try_read(VA, NULL), 14);
	EXPECT_EQ(try_write((u64)&table[0], mkpte(mfns[0], PTE_RW)), VEC_NONE);
	flush_tlb_local();
	EXPECT_EQ(page_value(0), 0);
}

/* What was not present before needs no flush: the fault looks at the table. */
static void a_new_entry_needs_no_flush(void)
{
	EXPECT_EQ(try_write((u64)&table[NR], mkpte(mfns[5], PTE_RW)), VEC_NONE);
	EXPECT_EQ(page_value(NR), 5);
	table[NR] = 0;
	flush_tlb_local();
}

static void many_stores_are_all_seen(void)
{
	u32 i, round, wrong = 0;

	for (round = 1; round <= 20; round++) {
		for (i = 0; i < NR; i++)
			table[i] = mkpte(mfns[(i + round) % NR], PTE_RW);
		flush_tlb_all();
		for (i = 0; i < NR; i++)
			wrong += page_value(i) != (i + round) % NR;
	}
	EXPECT_EQ(wrong, 0);
}

static void exchange_clears_one(void)
{
	u64 old = 0;

	EXPECT_EQ(TRY("xchgq %0, %1", : "+r" (old), "+m" (table[1])), VEC_NONE);
	EXPECT(old & PTE_P);
	flush_tlb_local();
	EXPECT_EQ(try_read(VA + PAGE_SIZE, NULL), 14);
	table[1] = old;
	flush_tlb_local();
	EXPECT_EQ(try_read(VA + PAGE_SIZE, NULL), VEC_NONE);
}

static void write_protection_by_a_store(void)
{
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
	EXPECT_EQ(TRY("lock btrq $1, %0", : "+m" (table[0])), VEC_NONE);
	flush_tlb_local();
	EXPECT_EQ(try_write(VA, 1), 14);
	EXPECT_EQ(TRY("lock btsq $1, %0", : "+m" (table[0])), VEC_NONE);
	flush_tlb_local();
	EXPECT_EQ(try_write(VA, 1), VEC_NONE);
}

/* Stores, hypercalls and flushes in turn, on one table. */
static void stores_and_hypercalls_mix(void)
{
	u32 i, wrong = 0;

	for (i = 0; i < NR; i++) {
		table[i] = mkpte(mfns[(i + 1) % NR], PTE_RW);
		pte_write(&table[i], mkpte(mfns[i], PTE_RW));
		if (i % 8 == 7)
			flush_tlb_local();
		((volatile u64 *)table)[i] |= PTE_A;
	}
	flush_tlb_local();
	for (i = 0; i < NR; i++)
		wrong += (table[i] & PTE_MFN) >> 12 != mfns[i];
	EXPECT_EQ(wrong, 0);
	for (i = 0; i < NR; i++)
		WRITE_ONCE(*(u64 *)(VA + i * PAGE_SIZE), i);
	for (i = 0; i < NR; i++)
		wrong += *(u64 *)va_of(mfns[i]) != i;
	EXPECT_EQ(wrong, 0);
}

static void a_store_of_nonsense_maps_nothing(void)
{
	u64 before = table[2];

	table[2] = mkpte(start_info->nr_pages + 0x12345, PTE_RW);
	flush_tlb_local();
	EXPECT_EQ(try_read(VA + 2 * PAGE_SIZE, NULL), 14);
	table[2] = ~0UL;
	flush_tlb_local();
	EXPECT_EQ(try_read(VA + 2 * PAGE_SIZE, NULL), 14);
	table[2] = before;
	flush_tlb_local();
	EXPECT_EQ(try_read(VA + 2 * PAGE_SIZE, NULL), VEC_NONE);
}

/* Upper levels as well: Linux clears them when it frees page tables. */
static void a_store_one_level_up(void)
{
	u64 *upper = pte_find(kernel_root(), VA, 2), entry = *upper;

	EXPECT_EQ(try_write((u64)upper, 0), VEC_NONE);
	flush_tlb_local();
	EXPECT_EQ(try_read(VA, NULL), 14);
	EXPECT_EQ(try_write((u64)upper, entry), VEC_NONE);
	flush_tlb_local();
	EXPECT_EQ(page_value(3), 3);
}

/* As fork() does with a large process: more open tables than are looked after. */
static void many_tables_are_open_at_once(void)
{
	u64 va = FREE_VA + 0x8000000000, i, wrong = 0;
	const u64 nr = 300, step = 0x200000;

	for (i = 0; i < nr; i++)
		map(kernel_root(), va + i * step, mkpte(mfns[i % NR], PTE_RW));
	for (i = 0; i < nr; i++)
		wrong += try_write(va + i * step, i % NR) != VEC_NONE;
	for (i = 0; i < nr; i++)
		wrong += try_write((u64)pte_find(kernel_root(), va + i * step, 1),
				   mkpte(mfns[(i + 1) % NR], PTE_RO)) != VEC_NONE;
	flush_tlb_all();
	for (i = 0; i < nr; i++) {
		wrong += READ_ONCE(*(u64 *)(va + i * step)) != (i + 1) % NR;
		wrong += try_write(va + i * step, 0) != 14;
	}
	EXPECT_EQ(wrong, 0);
}

GUEST_TEST(CASE(set_up), CASE(the_table_is_mapped_read_only),
	   CASE(a_store_takes_effect_at_the_flush), CASE(a_new_entry_needs_no_flush),
	   CASE(many_stores_are_all_seen), CASE(exchange_clears_one),
	   CASE(write_protection_by_a_store), CASE(stores_and_hypercalls_mix),
	   CASE(a_store_of_nonsense_maps_nothing), CASE(a_store_one_level_up),
	   CASE(many_tables_are_open_at_once));
