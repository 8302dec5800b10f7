// SPDX-License-Identifier: GPL-2.0
/*
 * Two vCPUs work on the same page tables: what one takes away and flushes, the
 * other cannot reach any more; what both change is one of the two.
 *
 * It may be reached still, through the other CPU's TLB, or through a shadow
 * entry that one fills while the other empties it.
 */
#include "guest.h"

#define VA	(FREE_VA + 0x600000)
#define NR	32

static u64 mfns[2][NR];
static u32 stop, faults, wrong, rounds;

static bool alone(void)
{
	if (cpu_count() >= 2)
		return false;
	test_skip("one vCPU");
	return true;
}

static void set_up(void)
{
	u32 i, j;

	for (i = 0; i < NR; i++) {
		for (j = 0; j < 2; j++) {
			u64 *page = page_alloc();

			page[0] = (j << 16) | i;
			mfns[j][i] = mfn_of(page);
		}
		map(kernel_root(), VA + i * PAGE_SIZE, mkpte(mfns[0][i], PTE_RW));
	}
}

/* Read all the time; a fault is allowed, a wrong page is not. */
static void reader(void)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		u32 i;

		for (i = 0; i < NR; i++) {
			u64 value, vector = try_read(VA + i * PAGE_SIZE, &value);

			if (vector == 14)
				faults++;
			else if ((value & 0xffff) != i)
				wrong++;
		}
		__atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
	}
}

static void start_reader(void (*fn)(void))
{
	stop = 0;
	faults = 0;
	wrong = 0;
	rounds = 0;
	EXPECT(cpu_run(1, fn));
	while (!__atomic_load_n(&rounds, __ATOMIC_ACQUIRE))
		relax();
}

static void stop_reader(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	cpu_wait(1);
}

static void one_reads_what_the_other_remaps(void)
{
	u32 round, i;

	if (alone())
		return;
	start_reader(reader);
	for (round = 0; round < 100; round++)
		for (i = 0; i < NR; i++)
			update_va_mapping(VA + i * PAGE_SIZE,
					  mkpte(mfns[round & 1][i], PTE_RW),
					  UVMF_INVLPG | UVMF_ALL);
	stop_reader();
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(faults, 0);
}

static void one_reads_what_the_other_unmaps(void)
{
	u32 round, i;

	if (alone())
		return;
	start_reader(reader);
	for (round = 0; round < 50; round++) {
		for (i = 0; i < NR; i++)
			update_va_mapping(VA + i * PAGE_SIZE, 0, 0);
		flush_tlb_all();
		for (i = 0; i < NR; i++)
			update_va_mapping(VA + i * PAGE_SIZE, mkpte(mfns[0][i], PTE_RW), 0);
	}
	stop_reader();
	EXPECT_EQ(wrong, 0);
}

/* Write to the page as long as it is there. */
static void writer(void)
{
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		try_write(VA + 8, 1);
		__atomic_add_fetch(&rounds, 1, __ATOMIC_SEQ_CST);
	}
}

/* After the flush the old page must not change any more. */
static void check_no_write_after(u64 mfn)
{
	u64 *page = (u64 *)va_of(mfn);
	u32 i, before;

	WRITE_ONCE(page[1], 0);
	before = __atomic_load_n(&rounds, __ATOMIC_ACQUIRE);
	for (i = 0; i < 1000 && __atomic_load_n(&rounds, __ATOMIC_ACQUIRE) < before + 20; i++)
		relax();
	if (READ_ONCE(page[1]))
		wrong++;
}

static void a_flush_of_all_ends_writes(void)
{
	u32 round;

	if (alone())
		return;
	start_reader(writer);
	for (round = 0; round < 30; round++) {
		update_va_mapping(VA, mkpte(mfns[1][0], PTE_RW), UVMF_NONE);
		flush_tlb_all();
		check_no_write_after(mfns[0][0]);
		update_va_mapping(VA, mkpte(mfns[0][0], PTE_RW), UVMF_NONE);
		flush_tlb_all();
		check_no_write_after(mfns[1][0]);
	}
	stop_reader();
	EXPECT_EQ(wrong, 0);
}

static void a_flush_by_mask_ends_writes(void)
{
	unsigned long mask[2] = { 2, 0 };
	struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_MULTI, .arg2.vcpumask = mask };
	u32 round;

	if (alone())
		return;
	start_reader(writer);
	for (round = 0; round < 30; round++) {
		u64 old = mfns[round & 1][0], new = mfns[~round & 1][0];

		update_va_mapping(VA, mkpte(new, PTE_RW), UVMF_NONE);
		EXPECT_EQ(mmuext_op(&op, 1, NULL), 0);
		check_no_write_after(old);
	}
	stop_reader();
	EXPECT_EQ(wrong, 0);
}

/* D set by a write on one vCPU while the other clears it by a store: not lost. */
static void dirty_is_not_lost(void)
{
	u64 *entry = pte_find(kernel_root(), VA, 1);
	u32 round, lost = 0;

	if (alone())
		return;
	start_reader(writer);
	for (round = 0; round < 100; round++) {
		u64 *page = (u64 *)va_of((*entry & PTE_MFN) >> 12);

		asm volatile("lock btrq $6, %0" : "+m" (*entry));
		flush_tlb_all();
		WRITE_ONCE(page[1], 0);
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (READ_ONCE(page[1]) && !(READ_ONCE(*entry) & PTE_D))
			lost++;
	}
	stop_reader();
	EXPECT_EQ(lost, 0);
	EXPECT_EQ(*entry & PTE_D, PTE_D);
}

static u64 *shared_table;

static void hammer(void)
{
	u32 i;

	for (i = 0; i < 3000; i++) {
		u32 at = i % NR;

		if (i & 1)
			pte_write(&shared_table[at], mkpte(mfns[this_cpu()->id][at], PTE_RW));
		else
			WRITE_ONCE(shared_table[at], mkpte(mfns[this_cpu()->id][at], PTE_RW));
		if (i % 5 == 0)
			flush_tlb_local();
		if (try_read(VA + at * PAGE_SIZE, NULL) != VEC_NONE)
			__atomic_add_fetch(&wrong, 1, __ATOMIC_SEQ_CST);
	}
}

static void both_change_the_same_table(void)
{
	u32 i;

	if (alone())
		return;
	wrong = 0;
	shared_table = pte_find(kernel_root(), VA, 1);
	EXPECT(cpu_run(1, hammer));
	hammer();
	cpu_wait(1);
	flush_tlb_all();
	EXPECT_EQ(wrong, 0);
	for (i = 0; i < NR; i++) {
		u64 value = READ_ONCE(*(u64 *)(VA + i * PAGE_SIZE));

		EXPECT_EQ(value, *(u64 *)va_of((shared_table[i] & PTE_MFN) >> 12));
	}
}

GUEST_TEST(CASE(set_up), CASE(one_reads_what_the_other_remaps),
	   CASE(one_reads_what_the_other_unmaps), CASE(a_flush_of_all_ends_writes),
	   CASE(a_flush_by_mask_ends_writes), CASE(dirty_is_not_lost),
	   CASE(both_change_the_same_table));
