// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables changed at random, by hypercall and by plain stores, at both lower
 * levels; after each flush every access ends as a walk of the guest's own tables
 * says it must, and A and D come when they should.
 *
 * It may not, in some order of things nobody thought of.  "seed=N" repeats one
 * run, "rounds=N" makes it longer.
 */
#include "guest.h"

#define BASE		(FREE_VA + 0x80000000UL)
#define NR_TABLES	4
#define NR_SLOTS	6		/* in the table above, for NR_TABLES tables */
#define NR_FRAMES	48

static u64 seed, tables[NR_TABLES], frames[NR_FRAMES], *upper;

static u64 rnd(u64 below)
{
	return (random64(&seed) >> 20) % below;
}

static u64 random_va(void)
{
	/* Few entries, so that they are hit again and again. */
	return BASE + rnd(NR_SLOTS) * 0x200000 + rnd(24) * PAGE_SIZE;
}

static u64 random_leaf(void)
{
	static const u64 flags[] = {
		PTE_RW, PTE_RW, PTE_RO, PTE_P | PTE_W | PTE_U, PTE_P | PTE_U, 0,
		PTE_RW | PTE_NX, PTE_RO | PTE_NX, PTE_P | PTE_W | PTE_U | PTE_A, PTE_W | PTE_A,
	};

	/* A table may be mapped too, as it is: read-only. */
	if (rnd(16) == 0)
		return mkpte(tables[rnd(NR_TABLES)], PTE_P | PTE_U | (rnd(2) ? PTE_A : 0));
	return mkpte(frames[rnd(NR_FRAMES)], flags[rnd(ARRAY_SIZE(flags))]);
}

static u64 random_upper(void)
{
	u64 entry = mkpte(tables[rnd(NR_TABLES)], PTE_RW);

	switch (rnd(8)) {
	case 0:
		return 0;
	case 1:
		return entry & ~PTE_W;
	case 2:
		return entry | PTE_NX;
	case 3:
		return entry & ~PTE_A;
	default:
		return entry;
	}
}

/* Change one entry of some table, in one of the ways there are. */
static void mutate(void)
{
	bool up = rnd(8) == 0;
	u64 *entry = up ? &upper[rnd(NR_SLOTS)] :
			  (u64 *)va_of(tables[rnd(NR_TABLES)]) + rnd(24);
	u64 val = up ? random_upper() : random_leaf();
	struct mmu_update update = { pte_ma(entry), val };

	/* The ABI has plain stores to the lowest level only. */
	switch (rnd(up ? 3 : 6)) {
	case 0:
	case 1:
		EXPECT_EQ(mmu_update(&update, 1, NULL), 0);
		break;
	case 2:
		update.ptr |= MMU_PT_UPDATE_PRESERVE_AD;
		EXPECT_EQ(mmu_update(&update, 1, NULL), 0);
		break;
	case 3:
		update_va_mapping(random_va(), val, rnd(2) ? UVMF_INVLPG : UVMF_NONE);
		break;
	case 4:
		EXPECT_EQ(try_write((u64)entry, val), VEC_NONE);
		break;
	case 5:
		EXPECT_EQ(TRY("lock andq %1, %0", : "+m" (*entry)
			      : "r" (~(rnd(2) ? PTE_A : rnd(2) ? PTE_D : PTE_W))), VEC_NONE);
		break;
	}
}

struct walk {
	u64 *leaf;
	bool present, writable, nx;
	u64 mfn;
};

static struct walk walk(u64 va)
{
	u64 entry = upper[(va - BASE) >> 21];
	struct walk w = { };

	if (!(entry & PTE_P))
		return w;
	w.writable = entry & PTE_W;
	w.nx = entry & PTE_NX;
	w.leaf = (u64 *)va_of((entry & PTE_MFN) >> 12) + ((va >> 12) & 511);
	entry = READ_ONCE(*w.leaf);
	w.present = entry & PTE_P;
	w.writable &= !!(entry & PTE_W);
	w.nx |= !!(entry & PTE_NX);
	w.mfn = (entry & PTE_MFN) >> 12;
	return w;
}

static bool is_table(u64 mfn)
{
	u32 i;

	for (i = 0; i < NR_TABLES; i++)
		if (tables[i] == mfn)
			return true;
	return false;
}

/* One access; what should come of it is known before. */
static bool check(u64 va)
{
	struct walk w = walk(va);
	u64 value = 0, vector, error = this_cpu()->last.error;
	u32 how = rnd(3);

	if (how == 0) {
		vector = try_read(va, &value);
		if (w.present && !is_table(w.mfn) && value != w.mfn)
			return false;
	} else if (how == 1) {
		if (w.present && is_table(w.mfn))
			return true;
		vector = try_write(va + 64, va);
		if (w.present && w.writable && ((u64 *)va_of(w.mfn))[8] != va)
			return false;
	} else {
		if (w.present && is_table(w.mfn))
			return true;
		vector = try_call(va + 8);
	}
	error = this_cpu()->last.error;

	if (!w.present)
		return vector == 14 && error == (how == 1 ? PF_W : how == 2 ? PF_FETCH : 0);
	if (how == 1 && !w.writable)
		return vector == 14 && error == (PF_P | PF_W);
	if (how == 2 && w.nx)
		return vector == 14 && error == (PF_P | PF_FETCH);
	return vector == VEC_NONE && (*w.leaf & PTE_A) && (how != 1 || (*w.leaf & PTE_D));
}

static void set_up(void)
{
	u32 i;

	seed = cmdline_number("seed=", 1);
	print("# seed=%lu\n", seed);
	for (i = 0; i < NR_FRAMES; i++) {
		u64 *page = page_alloc();

		frames[i] = mfn_of(page);
		page[0] = frames[i];
		page[1] = 0xc3;		/* ret */
	}
	for (i = 0; i < NR_TABLES; i++) {
		tables[i] = table_alloc();
		EXPECT_EQ(mmuext(MMUEXT_PIN_L1_TABLE, tables[i]), 0);
	}
	map(kernel_root(), BASE, 0);
	upper = pte_find(kernel_root(), BASE, 2);
}

static void every_access_ends_as_the_tables_say(void)
{
	u64 rounds = cmdline_number("rounds=", 1500), round;

	for (round = 0; round < rounds; round++) {
		u64 n = 1 + rnd(6), before = seed;

		while (n--)
			mutate();
		if (rnd(2))
			flush_tlb_local();
		else
			flush_tlb_all();
		for (n = 0; n < 4; n++) {
			u64 va = random_va();

			if (!check(va) || test_has_failed()) {
				print("# round %lu, seed %lu, at %#lx: leaf %#lx\n", round, before,
				      va, walk(va).leaf ? *walk(va).leaf : 0);
				EXPECT(!"as the tables say");
				return;
			}
		}
	}
}

GUEST_TEST(CASE(set_up), CASE(every_access_ends_as_the_tables_say));
