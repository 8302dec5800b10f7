// SPDX-License-Identifier: GPL-2.0
/*
 * A guest with more page tables than it may have shadows is slow, and goes on:
 * shadows made long ago make room for new ones.
 *
 * It may not: shadows are memory of the host's, so there is a bound, and what is
 * dropped to keep it may be in use.
 */
#include "guest.h"

#define LEAVES		0xffffc98000000000UL	/* slots of their own */
#define UPPER		0xffffca0000000000UL
#define ROOTS		0xffffca8000000000UL
#define NR		4000UL
#define FRAME(_n)	(4096 + (_n))		/* nothing else is in these */

/* Every frame of memory in turn is a table in use: more than there are shadows. */
static void many_tables_more_than_shadows(void)
{
	u64 *like = page_alloc(), va = LEAVES, i, wrong = 0;
	struct mmuext_op op = { .cmd = MMUEXT_COPY_PAGE, .arg2.src_mfn = mfn_of(like) };

	map(kernel_root(), va, 0);
	like[0] = mkpte(mfn_of(like), PTE_RW);
	for (i = 0; i < NR; i++) {
		op.arg1.mfn = FRAME(i);
		mmuext_op(&op, 1, NULL);
		pte_write(pte_find(kernel_root(), va, 2), mkpte(FRAME(i), PTE_RW));
		flush_tlb_local();
		wrong += try_read(va, NULL) != VEC_NONE;
	}
	EXPECT_EQ(wrong, 0);
	pte_write(pte_find(kernel_root(), LEAVES, 4), 0);
	flush_tlb_all();
	EXPECT_EQ(TRY("ud2"), 6);
}

/* The same one level up, where none can be dropped without those below. */
static void many_upper_tables(void)
{
	u64 *like = page_alloc(), va = UPPER, i, wrong = 0;
	u64 leaf = table_alloc();
	struct mmuext_op op = { .cmd = MMUEXT_COPY_PAGE, .arg2.src_mfn = mfn_of(like) };

	map(kernel_root(), va, 0);
	pte_write((u64 *)va_of(leaf), mkpte(mfn_of(like), PTE_RW));
	like[0] = mkpte(leaf, PTE_RW);
	for (i = 0; i < NR; i++) {
		op.arg1.mfn = FRAME(NR + i);
		mmuext_op(&op, 1, NULL);
		pte_write(pte_find(kernel_root(), va, 3), mkpte(FRAME(NR + i), PTE_RW));
		flush_tlb_local();
		wrong += try_read(va, NULL) != VEC_NONE;
	}
	EXPECT_EQ(wrong, 0);
	pte_write(pte_find(kernel_root(), UPPER, 4), 0);
	flush_tlb_all();
}

/* A process each, as it were: a root and all below it. */
static void many_roots(void)
{
	u64 *like = page_alloc(), i, wrong = 0;
	struct mmuext_op op = { .cmd = MMUEXT_COPY_PAGE, .arg2.src_mfn = mfn_of(like) };

	map(kernel_root(), ROOTS, mkpte(mfn_of(page_alloc()), PTE_RW));
	memcpy(like, (void *)va_of(kernel_root()), PAGE_SIZE);
	for (i = 0; i < NR; i++) {
		op.arg1.mfn = FRAME(2 * NR + i);
		EXPECT_EQ(mmuext_op(&op, 1, NULL), 0);
		EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, FRAME(2 * NR + i)), 0);
		wrong += try_read(ROOTS, NULL) != VEC_NONE;
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, kernel_root()), 0);
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(try_read(ROOTS, NULL), VEC_NONE);
}

/* All vCPUs at once, on the roots that are there: each takes away the others'. */
static void run_on_roots(void)
{
	u64 i, wrong = 0;

	for (i = 0; i < NR / 2; i++) {
		u64 mfn = FRAME(2 * NR + (i * 7 + this_cpu()->id * 1000) % NR);

		wrong += mmuext(MMUEXT_NEW_BASEPTR, mfn) != 0;
		wrong += try_read(ROOTS, NULL) != VEC_NONE;
	}
	wrong += mmuext(MMUEXT_NEW_BASEPTR, kernel_root()) != 0;
	EXPECT_EQ(wrong, 0);
}

static void many_roots_on_all_vcpus(void)
{
	u32 i, cpus = cpu_count();

	if (cpus < 2) {
		test_skip("one vCPU");
		return;
	}
	for (i = 1; i < cpus; i++)
		EXPECT(cpu_run(i, run_on_roots));
	run_on_roots();
	for (i = 1; i < cpus; i++)
		cpu_wait(i);
	EXPECT_EQ(TRY("ud2"), 6);
}

GUEST_TEST(CASE(many_tables_more_than_shadows), CASE(many_upper_tables), CASE(many_roots),
	   CASE(many_roots_on_all_vcpus));
