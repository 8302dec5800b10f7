// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables in shapes no kernel makes: that map themselves, that are tables of
 * several levels at once, that are full of noise, that are written to while they
 * are live.  The guest gets what its tables say or a fault; the host notices
 * nothing.
 *
 * It may notice: one guest frame has a shadow for each level it is used at, and
 * dropping one drops what hangs below.
 */
#include "guest.h"

#define SLOT		300UL
#define MARK		0x200UL		/* in an entry that is not present */
#define LOOP(_a, _b, _c, _d)						\
	(0xffff000000000000 | (_a) << 39 | (_b) << 30 | (_c) << 21 | (_d) << 12)

USER_ASM(code_ud, "ud2");
USER_ASM(code_read, "movq (%rdi), %rax; ud2");

static u64 *root;
static struct regs r;

static void a_root_that_maps_itself_can_be_read(void)
{
	u64 value = 0, vector;

	root = (u64 *)va_of(kernel_root());
	if (pte_write(&root[SLOT], mkpte(kernel_root(), PTE_RO))) {
		test_skip("refused");
		return;
	}
	vector = try_read(LOOP(SLOT, SLOT, SLOT, SLOT) + 511 * 8, &value);
	if (vector == VEC_NONE)
		EXPECT_EQ(value, root[511]);
	vector = try_read(LOOP(SLOT, SLOT, 511UL, 0UL), &value);
	EXPECT(vector == VEC_NONE || vector == 14);
}

static void a_root_that_maps_itself_can_be_written(void)
{
	u64 before = root[SLOT], vector, i;

	if (pte_write(&root[SLOT], mkpte(kernel_root(), PTE_RW))) {
		test_skip("refused");
		return;
	}
	for (i = 0; i < 20; i++) {
		vector = try_write(LOOP(SLOT, SLOT, SLOT, SLOT) + 200 * 8, i);
		EXPECT(vector == VEC_NONE || vector == 14);
		if (vector == VEC_NONE)
			EXPECT_EQ(root[200], i);
		if (i % 3 == 0)
			flush_tlb_all();
	}
	pte_write(&root[200], 0);
	pte_write(&root[SLOT], before);
	flush_tlb_all();
	EXPECT_EQ(try_read((u64)root, NULL), VEC_NONE);
	pte_write(&root[SLOT], 0);
	flush_tlb_all();
	EXPECT_EQ(try_read(LOOP(SLOT, SLOT, SLOT, SLOT), NULL), 14);
}

/* One frame, entry 0 of which points to itself: a table of every level. */
static void one_frame_is_all_levels(void)
{
	u64 mfn = table_alloc(), *table = (u64 *)va_of(mfn), value = 0, i;

	EXPECT_EQ(pte_write(&table[0], mkpte(mfn, PTE_RW)), 0);
	EXPECT_EQ(pte_write(&table[1], mkpte(mfn_of(page_alloc()), PTE_RW)), 0);
	EXPECT_EQ(pte_write(&root[SLOT], mkpte(mfn, PTE_RW)), 0);
	EXPECT_EQ(try_read(LOOP(SLOT, 0UL, 0UL, 0UL), &value), VEC_NONE);
	EXPECT_EQ(value, mkpte(mfn, PTE_RW));
	EXPECT_EQ(try_write(LOOP(SLOT, 0UL, 0UL, 1UL), 55), VEC_NONE);
	for (i = 0; i < 50; i++) {
		try_write(LOOP(SLOT, 0UL, 0UL, 0UL) + (i % 512) * 8, i * 0x123456789);
		try_read(LOOP(SLOT, i % 3, i % 2, 1UL), NULL);
		if (i % 7 == 0)
			flush_tlb_local();
	}
	EXPECT_EQ(pte_write(&root[SLOT], 0), 0);
	flush_tlb_all();
	EXPECT_EQ(try_read(LOOP(SLOT, 0UL, 0UL, 0UL), NULL), 14);
}

static void noise_maps_nothing_it_should_not(void)
{
	u64 seed = 1, i, mfn = mfn_of(page_alloc()), *page = (u64 *)va_of(mfn);

	for (i = 0; i < 512; i++)
		page[i] = random64(&seed);
	EXPECT_EQ(pte_write(&root[SLOT], mkpte(mfn, PTE_RW)), 0);
	for (i = 0; i < 300; i++) {
		u64 va = LOOP(SLOT, random64(&seed) & 511, random64(&seed) & 511,
			      random64(&seed) & 511);
		u64 vector = try_read(va, NULL);

		EXPECT(vector == VEC_NONE || vector == 14);
	}
	/* Written to as the data it is, while it is a table as well. */
	for (i = 0; i < 200; i++)
		page[random64(&seed) & 511] = random64(&seed) | PTE_P;
	flush_tlb_all();
	for (i = 0; i < 300; i++)
		try_read(LOOP(SLOT, random64(&seed) & 511, i, random64(&seed) & 511), NULL);
	EXPECT_EQ(pte_write(&root[SLOT], 0), 0);
}

/* User mode on a root of noise: a fault in user mode, and the kernel goes on. */
static void a_user_root_of_noise(void)
{
	u64 *page = page_alloc();
	u32 fill;

	for (fill = 0; fill < 256; fill += 85) {
		memset(page, fill, PAGE_SIZE);
		EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, mfn_of(page)), 0);
		r = user_regs(code_ud);
		EXPECT_EQ(user_run(&r), 14);
		EXPECT_EQ(r.rip, user_va(code_ud));
	}
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root), 0);
}

/* The kernel's root for the user's: what it maps there is the guest's affair. */
static void one_root_for_both(void)
{
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, kernel_root()), 0);
	r = user_regs(code_read);
	r.rdi = 0xffff830000000000;
	EXPECT_EQ(user_run(&r), 14);
	EXPECT_EQ(r.error & ~PF_P, PF_U);
	EXPECT_EQ(mmuext(MMUEXT_NEW_USER_BASEPTR, user_root), 0);
}

/* Live roots are unpinned, and pinned at another level. */
static void pins_of_a_live_root(void)
{
	u32 i;

	for (i = 0; i < 10; i++) {
		mmuext(MMUEXT_UNPIN_TABLE, kernel_root());
		EXPECT_EQ(try_read((u64)root, NULL), VEC_NONE);
		mmuext(MMUEXT_PIN_L1_TABLE + i % 4, kernel_root());
		mmuext(MMUEXT_UNPIN_TABLE, user_root);
		r = user_regs(code_ud);
		EXPECT_EQ(user_run(&r), 6);
	}
	mmuext(MMUEXT_UNPIN_TABLE, kernel_root());
	EXPECT_EQ(mmuext(MMUEXT_PIN_L4_TABLE, kernel_root()), 0);
	EXPECT_EQ(mmuext(MMUEXT_PIN_L4_TABLE, user_root), 0);
}

/* A page table cleared or copied over behind its own back. */
static void a_live_table_is_cleared(void)
{
	u64 va = FREE_VA + 0x40000000, *entry;
	long err;

	map(kernel_root(), va, mkpte(mfn_of(page_alloc()), PTE_RW));
	entry = pte_find(kernel_root(), va, 1);
	EXPECT_EQ(try_write(va, 1), VEC_NONE);
	err = mmuext(MMUEXT_CLEAR_PAGE, mfn_of((void *)((u64)entry & ~4095UL)));
	flush_tlb_all();
	/* Refused, or it has cleared it. */
	EXPECT_EQ(try_write(va, 1), err ? VEC_NONE : 14);
}

/*
 * What an entry above forbids is forbidden to hypercalls and to the hypervisor's
 * help with stores to tables as well, though the leaf allows it.
 */
static void an_entry_above_forbids_writing(void)
{
	u64 va = FREE_VA + 0x50000000, table = table_alloc(), *above, *leaf;
	struct xen_platform_parameters *page = page_alloc();

	map(kernel_root(), va, mkpte(mfn_of(page), PTE_RW));
	map(kernel_root(), va + PAGE_SIZE, mkpte(table, PTE_RO));
	EXPECT_EQ(mmuext(MMUEXT_PIN_L1_TABLE, table), 0);
	above = pte_find(kernel_root(), va, 2);
	leaf = pte_find(kernel_root(), va, 1);
	EXPECT_EQ(try_write(va, 1), VEC_NONE);
	EXPECT_EQ(xen_version(XENVER_platform_parameters, (void *)va), 0);
	page->virt_start = 0;

	pte_write(above, *above & ~PTE_W);
	flush_tlb_all();
	EXPECT_EQ(try_write(va, 1), 14);
	EXPECT_EQ(xen_version(XENVER_platform_parameters, (void *)va), -EFAULT);
	EXPECT_EQ(page->virt_start, 0);
	EXPECT_EQ(try_write(va + PAGE_SIZE, MARK), 14);
	EXPECT_EQ(*(u64 *)va_of(table), 0);

	pte_write(above, *above | PTE_W);
	flush_tlb_all();
	EXPECT_EQ(xen_version(XENVER_platform_parameters, (void *)va), 0);
	EXPECT(page->virt_start);
	EXPECT_EQ(try_write(va + PAGE_SIZE, MARK), VEC_NONE);
	pte_write(leaf, 0);
	EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, table), 0);
}

GUEST_TEST(CASE(a_root_that_maps_itself_can_be_read), CASE(noise_maps_nothing_it_should_not),
	   CASE(a_user_root_of_noise), CASE(one_root_for_both), CASE(pins_of_a_live_root),
	   CASE(an_entry_above_forbids_writing), CASE(a_live_table_is_cleared),
	   CASE(one_frame_is_all_levels),
	   CASE(a_root_that_maps_itself_can_be_written));
