// SPDX-License-Identifier: GPL-2.0
/*
 * mmu_update, update_va_mapping and mmuext_op do what they are asked if every
 * frame is the guest's own, say how far they came, and else leave things as
 * they were.
 *
 * They may not: each takes frame numbers, addresses and counts at face value
 * from whoever runs in the guest kernel.
 */
#include "guest.h"

#define UNMAPPED	((void *)0x123456789000UL)
#define BAD_MFN		(start_info->nr_pages + 0x1000)

static u64 va, *entry;

static void set_up(void)
{
	va = FREE_VA;
	map(kernel_root(), va, mkpte(mfn_of(page_alloc()), PTE_RW));
	entry = pte_find(kernel_root(), va, 1);
	EXPECT_EQ(try_write(va, 1), VEC_NONE);
}

static void entries_are_written_in_order(void)
{
	u64 mfn = mfn_of(page_alloc());
	struct mmu_update updates[] = {
		{ pte_ma(entry), 0 },
		{ pte_ma(entry), mkpte(mfn, PTE_RO) },
		{ pte_ma(entry), mkpte(mfn, PTE_RW) },
	};
	u32 done = 99;

	EXPECT_EQ(mmu_update(updates, ARRAY_SIZE(updates), &done), 0);
	EXPECT_EQ(done, 3);
	EXPECT_EQ(*entry, mkpte(mfn, PTE_RW));
	EXPECT_EQ(mmu_update(updates, 0, &done), 0);
	EXPECT_EQ(done, 0);
	EXPECT_EQ(mmu_update(updates, 1, NULL), 0);
	EXPECT_EQ(*entry, 0);
	EXPECT_EQ(pte_write(entry, mkpte(mfn, PTE_RW)), 0);
}

static void a_bad_update_stops_the_rest(void)
{
	u64 before = *entry;
	struct mmu_update updates[] = {
		{ pte_ma(entry), before },
		{ pte_ma(entry), mkpte(BAD_MFN, PTE_RW) },
		{ pte_ma(entry), 0 },
	};
	u32 done = 99;

	EXPECT_EQ(mmu_update(updates, ARRAY_SIZE(updates), &done), -EINVAL);
	EXPECT_EQ(done, 1);
	EXPECT_EQ(*entry, before);
}

static long update(u64 ptr, u64 val)
{
	struct mmu_update update = { ptr, val };

	return mmu_update(&update, 1, NULL);
}

static void bad_updates_are_refused(void)
{
	u64 before = *entry;
	struct mmu_update update_ok = { pte_ma(entry), before };

	EXPECT_EQ(update(pte_ma(entry) + 4, before), -EINVAL);
	EXPECT_EQ(update(BAD_MFN << 12, before), -EINVAL);
	EXPECT_EQ(update(~7UL, before), -EINVAL);
	EXPECT_EQ(update(pte_ma(entry), mkpte(0xffffffffff, PTE_RW)), -EINVAL);
	EXPECT_EQ(update(pte_ma(entry), mkpte(BAD_MFN, PTE_P)), -EINVAL);
	EXPECT_EQ(*entry, before);
	EXPECT_EQ(mmu_update(UNMAPPED, 1, NULL), -EFAULT);
	EXPECT_EQ(mmu_update(&update_ok, 1, UNMAPPED), -EFAULT);
	EXPECT(HYPERCALL4(mmu_update, &update_ok, 1, 0, DOMID_IO) < 0);
	EXPECT(HYPERCALL4(mmu_update, &update_ok, 1, 0, 5) < 0);
	EXPECT(mmu_update(&update_ok, 0xffffffff, NULL) < 0);
	/* An entry that is not present may say what it likes. */
	EXPECT_EQ(update(pte_ma(entry), mkpte(0xffffffffff, 0)), 0);
	EXPECT_EQ(try_read(va, NULL), 14);
	EXPECT_EQ(update(pte_ma(entry), before), 0);
	EXPECT_EQ(try_read(va, NULL), VEC_NONE);
}

static void a_and_d_can_be_preserved(void)
{
	u64 mfn = mfn_of(page_alloc());

	EXPECT_EQ(pte_write(entry, mkpte(mfn, PTE_RW)), 0);
	EXPECT_EQ(update(pte_ma(entry) | MMU_PT_UPDATE_PRESERVE_AD, mkpte(mfn, PTE_P | PTE_U)), 0);
	EXPECT_EQ(*entry, mkpte(mfn, PTE_P | PTE_U | PTE_A | PTE_D));
	EXPECT_EQ(pte_write(entry, mkpte(mfn, PTE_RW)), 0);
}

static void m2p_is_what_it_is(void)
{
	EXPECT_EQ(update((5 << 12) | MMU_MACHPHYS_UPDATE, 5), 0);
	EXPECT_EQ(update((5 << 12) | MMU_MACHPHYS_UPDATE, 6), -EINVAL);
	EXPECT_EQ(update((BAD_MFN << 12) | MMU_MACHPHYS_UPDATE, BAD_MFN), -EINVAL);
}

static void a_page_that_is_no_table_is_memory(void)
{
	u64 *page = page_alloc();

	EXPECT_EQ(pte_write(&page[7], mkpte(mfn_of(page), PTE_RW)), 0);
	EXPECT_EQ(page[7], mkpte(mfn_of(page), PTE_RW));
}

static void va_mappings_are_checked(void)
{
	u64 before = *entry;

	EXPECT_EQ(update_va_mapping(va, mkpte(BAD_MFN, PTE_RW), UVMF_INVLPG), -EINVAL);
	EXPECT_EQ(update_va_mapping(0xffff830000000000, before, 0), -EINVAL);
	EXPECT_EQ(update_va_mapping(0x800000000000, before, 0), -EINVAL);
	EXPECT(update_va_mapping(0x600000000000, before, 0) < 0);
	EXPECT_EQ(update_va_mapping(va, before, UVMF_TLB_FLUSH | UVMF_ALL), 0);
	EXPECT_EQ(update_va_mapping(va, 0, UVMF_INVLPG | UVMF_LOCAL), 0);
	EXPECT_EQ(try_read(va, NULL), 14);
	EXPECT_EQ(update_va_mapping(va, before, UVMF_NONE), 0);
	EXPECT_EQ(try_write(va, 2), VEC_NONE);
	EXPECT_EQ(update_va_mapping(va, before, UVMF_INVLPG | (u64)UNMAPPED), -EFAULT);
	EXPECT_EQ(*entry, before);
}

static void mmuext_frames_are_checked(void)
{
	static const u32 commands[] = {
		MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
		MMUEXT_PIN_L4_TABLE, MMUEXT_UNPIN_TABLE, MMUEXT_NEW_BASEPTR,
		MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE, MMUEXT_COPY_PAGE,
	};
	struct mmuext_op op;
	u32 i, done = 99;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		op = (struct mmuext_op){ .cmd = commands[i], .arg1.mfn = BAD_MFN };
		EXPECT_EQ(mmuext_op(&op, 1, &done), -EINVAL);
		EXPECT_EQ(done, 0);
		EXPECT_EQ(mmuext(commands[i], ~0UL), -EINVAL);
		EXPECT_EQ(mmuext(commands[i], 1UL << 40), -EINVAL);
	}
	op = (struct mmuext_op){ .cmd = MMUEXT_COPY_PAGE, .arg1.mfn = mfn_of(page_alloc()),
				 .arg2.src_mfn = BAD_MFN };
	EXPECT_EQ(mmuext_op(&op, 1, NULL), -EINVAL);
	op = (struct mmuext_op){ .cmd = MMUEXT_TLB_FLUSH_MULTI, .arg2.vcpumask = UNMAPPED };
	EXPECT_EQ(mmuext_op(&op, 1, NULL), -EFAULT);
	EXPECT_EQ(mmuext(21, 0), -ENOSYS);
	EXPECT_EQ(mmuext(14, 0), -ENOSYS);
	EXPECT_EQ(mmuext(~0U, 0), -ENOSYS);
	EXPECT(mmuext(MMUEXT_MARK_SUPER, 0) < 0);
	EXPECT_EQ(mmuext_op(UNMAPPED, 1, NULL), -EFAULT);
	EXPECT(mmuext_op(&op, 0xffffffff, NULL) < 0);
	EXPECT(HYPERCALL4(mmuext_op, &op, 1, 0, 5) < 0);
	EXPECT_EQ(mmuext_op(UNMAPPED, 0, &done), 0);
}

static void pins_pair_with_unpins(void)
{
	u64 table = table_alloc();

	EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, table), -EINVAL);
	EXPECT_EQ(mmuext(MMUEXT_PIN_L1_TABLE, table), 0);
	EXPECT_EQ(mmuext(MMUEXT_PIN_L1_TABLE, table), -EINVAL);
	EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, table), 0);
	EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, table), -EINVAL);
}

static void pages_are_cleared_and_copied(void)
{
	u64 *src = page_alloc(), *dst = page_alloc();
	struct mmuext_op op = {
		.cmd = MMUEXT_COPY_PAGE, .arg1.mfn = mfn_of(dst), .arg2.src_mfn = mfn_of(src),
	};

	memset(src, 0x5a, PAGE_SIZE);
	EXPECT_EQ(mmuext_op(&op, 1, NULL), 0);
	EXPECT(!memcmp(src, dst, PAGE_SIZE));
	EXPECT_EQ(mmuext(MMUEXT_CLEAR_PAGE, mfn_of(src)), 0);
	EXPECT_EQ(src[0] | src[511], 0);
	EXPECT_EQ(dst[511], 0x5a5a5a5a5a5a5a5a);
}

GUEST_TEST(CASE(set_up), CASE(entries_are_written_in_order), CASE(a_bad_update_stops_the_rest),
	   CASE(bad_updates_are_refused), CASE(a_and_d_can_be_preserved), CASE(m2p_is_what_it_is),
	   CASE(a_page_that_is_no_table_is_memory), CASE(va_mappings_are_checked),
	   CASE(mmuext_frames_are_checked), CASE(pins_pair_with_unpins),
	   CASE(pages_are_cleared_and_copied));
