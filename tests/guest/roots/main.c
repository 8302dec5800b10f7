// SPDX-License-Identifier: GPL-2.0
/*
 * The guest kernel changes its root, and the user's, as Linux does with each
 * process: what is mapped there is seen at once, what was mapped before is not.
 * A page that was a table is a page again once it is unpinned.
 *
 * It may not be, if the TLB, a remembered root or an old shadow lives on.
 */
#include "guest.h"

#define VA	0x500000000000UL	/* a slot of its own in each root */
#define NR	4

USER_ASM(code_read, "movq (%rdi), %rax; ud2");

static u64 roots[NR], users[NR];
static struct regs r;

/* A root like the first one, which has @page at VA. */
static u64 root_make(u64 like, u64 *page)
{
	u64 *table = page_alloc();
	u64 mfn = mfn_of(table), i;

	for (i = 0; i < 512; i++)
		table[i] = i >= 256 && i < 272 ? 0 : ((u64 *)va_of(like))[i];
	table[(VA >> 39) & 511] = 0;
	update_va_mapping((u64)table, mkpte(mfn, PTE_RO), UVMF_INVLPG);
	map(mfn, VA, mkpte(mfn_of(page), PTE_RW));
	EXPECT_EQ(mmuext(MMUEXT_PIN_L4_TABLE, mfn), 0);
	return mfn;
}

static void set_up(void)
{
	u32 i;

	for (i = 0; i < NR; i++) {
		u64 *page = page_alloc();

		page[0] = 100 + i;
		roots[i] = root_make(kernel_root(), page);
		page = page_alloc();
		page[0] = 200 + i;
		users[i] = root_make(user_root, page);
	}
}

static void each_root_has_its_own(void)
{
	u32 round, i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR; i++) {
			EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, roots[i]), 0);
			EXPECT_EQ(READ_ONCE(*(u64 *)VA), 100 + i);
		}
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, kernel_root()), 0);
	EXPECT_EQ(try_read(VA, NULL), 14);
}

static u64 user_reads(u64 va)
{
	r = user_regs(code_read);
	r.rdi = va;
	return user_run(&r);
}

static void each_user_root_has_its_own(void)
{
	u32 round, i;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < NR; i++) {
			EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, users[i]), 0);
			EXPECT_EQ(user_reads(VA), 6);
			EXPECT_EQ(r.rax, 200 + i);
		}
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root), 0);
	EXPECT_EQ(user_reads(VA), 14);
}

/* As in a switch of processes: both roots and a stack, in one batch. */
static void both_change_in_one_batch(void)
{
	struct mmuext_op ops[2] = {
		{ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = roots[1] },
		{ .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = users[2] },
	};

	EXPECT_EQ(mmuext_op(ops, 2, NULL), 0);
	EXPECT_EQ(READ_ONCE(*(u64 *)VA), 101);
	EXPECT_EQ(user_reads(VA), 6);
	EXPECT_EQ(r.rax, 202);
	EXPECT_EQ(READ_ONCE(*(u64 *)VA), 101);
	ops[0].arg1.mfn = kernel_root();
	ops[1].arg1.mfn = user_root;
	EXPECT_EQ(mmuext_op(ops, 2, NULL), 0);
}

/* As to a kernel thread, which has no user, and back to a process. */
static void there_may_be_no_user_root(void)
{
	struct mmuext_op ops[2] = {
		{ .cmd = MMUEXT_NEW_BASEPTR },
		{ .cmd = MMUEXT_NEW_USER_BASEPTR },
	};
	u32 i;

	for (i = 0; i < 2 * NR; i++) {
		ops[0].arg1.mfn = roots[i % NR];
		ops[1].arg1.mfn = 0;
		EXPECT_EQ(mmuext_op(ops, 2, NULL), 0);
		EXPECT_EQ(READ_ONCE(*(u64 *)VA), 100 + i % NR);
		ops[0].arg1.mfn = kernel_root();
		ops[1].arg1.mfn = users[i % NR];
		EXPECT_EQ(mmuext_op(ops, 2, NULL), 0);
		EXPECT_EQ(user_reads(VA), 6);
		EXPECT_EQ(r.rax, 200 + i % NR);
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, 0), 0);
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root), 0);
	EXPECT_EQ(user_reads(VA), 14);
}

/* The guest's own MOV to CR3 is the same. */
static void cr3_is_the_kernels_root(void)
{
	u64 cr3;

	asm volatile("movq %%cr3, %0" : "=r" (cr3));
	EXPECT_EQ(cr3, xen_pfn_to_cr3(kernel_root()));
	asm volatile("movq %0, %%cr3" : : "r" (xen_pfn_to_cr3(roots[3])) : "memory");
	EXPECT_EQ(READ_ONCE(*(u64 *)VA), 103);
	asm volatile("movq %0, %%cr3" : : "r" (cr3) : "memory");
	EXPECT_EQ(try_read(VA, NULL), 14);
}

static void an_entry_in_another_root_can_be_changed(void)
{
	u64 *page = page_alloc();

	page[0] = 77;
	EXPECT_EQ(pte_write(pte_find(roots[0], VA, 1), mkpte(mfn_of(page), PTE_RW)), 0);
	EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, roots[0]), 0);
	EXPECT_EQ(READ_ONCE(*(u64 *)VA), 77);
	EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, kernel_root()), 0);
}

/*
 * To the table of a root that is known, and had its page before: the change of
 * root is the flush that the store waits for.
 */
static void a_direct_store_counts_when_the_root_changes(void)
{
	u64 *entry = pte_find(roots[1], VA, 1), *page = page_alloc();
	u32 i;

	for (i = 0; i < 3; i++) {
		page[0] = 500 + i;
		EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, roots[1]), 0);
		EXPECT_EQ(READ_ONCE(*(u64 *)VA), i ? 499 + i : 101);
		EXPECT_EQ(try_write((u64)entry, mkpte(mfn_of(page), PTE_RW)), VEC_NONE);
		EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, roots[1]), 0);
		EXPECT_EQ(READ_ONCE(*(u64 *)VA), 500 + i);
		page = page_alloc();
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, kernel_root()), 0);
	EXPECT_EQ(try_read(VA, NULL), 14);
}

/* The number of those known is bounded, that of roots is not. */
static void more_roots_than_are_remembered(void)
{
	u64 *page = page_alloc(), many[20];
	u32 round, i;

	for (i = 0; i < ARRAY_SIZE(many); i++) {
		page = page_alloc();
		page[0] = 1000 + i;
		many[i] = root_make(kernel_root(), page);
	}
	for (round = 0; round < 3; round++) {
		for (i = 0; i < ARRAY_SIZE(many); i++) {
			EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, many[i]), 0);
			EXPECT_EQ(READ_ONCE(*(u64 *)VA), 1000 + i);
		}
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_BASEPTR, kernel_root()), 0);
	for (i = 0; i < ARRAY_SIZE(many); i++)
		EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, many[i]), 0);
}

/* What was a table is a page: stores to it are only stores. */
static void an_unpinned_table_is_memory_again(void)
{
	u64 mfn = users[3], *table = (u64 *)va_of(mfn), i;

	EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, mfn), 0);
	EXPECT_EQ(update_va_mapping((u64)table, mkpte(mfn, PTE_RW), UVMF_INVLPG), 0);
	for (i = 0; i < 512; i++)
		WRITE_ONCE(table[i], i * 0x1111111111111111);
	flush_tlb_local();
	for (i = 0; i < 512; i++)
		if (table[i] != i * 0x1111111111111111)
			break;
	EXPECT_EQ(i, 512);
}

/* And can be one again, with other contents. */
static void memory_can_be_a_table_again(void)
{
	u64 mfn = users[3], *table = (u64 *)va_of(mfn), *page = page_alloc();

	memset(table, 0, PAGE_SIZE);
	table[0] = ((u64 *)va_of(user_root))[0];
	update_va_mapping((u64)table, mkpte(mfn, PTE_RO), UVMF_INVLPG);
	map(mfn, VA, mkpte(mfn_of(page), PTE_RW));
	page[0] = 99;
	EXPECT_EQ(mmuext(MMUEXT_PIN_L4_TABLE, mfn), 0);
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn), 0);
	EXPECT_EQ(user_reads(VA), 6);
	EXPECT_EQ(r.rax, 99);
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root), 0);
}

static void m2p_is_the_identity(void)
{
	u64 mfn, wrong = 0;

	for (mfn = 0; mfn < start_info->nr_pages; mfn += 97)
		wrong += ((const u64 *)MACH2PHYS_VIRT_START)[mfn] != mfn;
	EXPECT_EQ(wrong, 0);
	EXPECT_EQ(try_write(MACH2PHYS_VIRT_START, 1), 14);
	EXPECT_EQ(try_call(MACH2PHYS_VIRT_START), 14);
	EXPECT_EQ(try_read(MACH2PHYS_VIRT_END - 8, NULL), 14);
}

GUEST_TEST(CASE(set_up), CASE(each_root_has_its_own), CASE(each_user_root_has_its_own),
	   CASE(both_change_in_one_batch), CASE(there_may_be_no_user_root),
	   CASE(cr3_is_the_kernels_root),
	   CASE(an_entry_in_another_root_can_be_changed),
	   CASE(a_direct_store_counts_when_the_root_changes),
	   CASE(more_roots_than_are_remembered),
	   CASE(an_unpinned_table_is_memory_again), CASE(memory_can_be_a_table_again),
	   CASE(m2p_is_the_identity));
