// SPDX-License-Identifier: GPL-2.0
/*
 * walk_test.c - the walker finds what the guest's tables say, and ends
 *
 * Also a host program: tests/unit/mmu/walk_test.c.
 */
#include <kunit/test.h>
#include <linux/errno.h>
#include <linux/module.h>

#include "../../../host-module/mmu/walk.c"

#define NR_TABLES	6
#define ROOT		RF_GFN(0)
#define TABLE		(RF_PTE_P | RF_PTE_W | RF_PTE_U | RF_PTE_A)
#define LEAF		(TABLE | RF_PTE_D)

/* An address with another index at each level: 1, 2, 3, 4. */
#define GVA		((1ULL << 39) | (2ULL << 30) | (3ULL << 21) | (4ULL << 12) | 0x123)

/* Guest memory in miniature: frame n is table n. */
static u64 memory[NR_TABLES][512];
static unsigned int nr_reads;

static int fake_read_entry(void *ctx, rf_gfn_t table, unsigned int index, u64 *entry)
{
	nr_reads++;
	if (table.v >= NR_TABLES || index >= 512)
		return -EFAULT;
	*entry = memory[table.v][index];
	return 0;
}

static struct rf_walk walk;

static int walk_to(u64 gva)
{
	memset(&walk, 0, sizeof(walk));
	walk.read_entry = fake_read_entry;
	nr_reads = 0;
	return rf_walk(&walk, ROOT, gva);
}

/* GVA mapped to frame 77 by tables 0, 1, 2 and 3. */
static int walk_init(struct kunit *test)
{
	memset(memory, 0, sizeof(memory));
	memory[0][1] = (1ULL << 12) | TABLE;
	memory[1][2] = (2ULL << 12) | TABLE;
	memory[2][3] = (3ULL << 12) | TABLE;
	memory[3][4] = (77ULL << 12) | LEAF;
	return 0;
}

static u64 *entry_of_level(int level)
{
	return &memory[RF_LEVELS - level][1 + RF_LEVELS - level];
}

static void walk_finds_the_leaf(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, walk_to(GVA), 0);
	KUNIT_EXPECT_EQ(test, walk.level, 1);
	KUNIT_EXPECT_EQ(test, rf_pte_gfn(walk.entry[1]).v, 77ULL);
	KUNIT_EXPECT_TRUE(test, walk.writable);
	KUNIT_EXPECT_FALSE(test, walk.nx);
	KUNIT_EXPECT_EQ(test, nr_reads, 4U);
}

static void walk_tells_each_table_and_entry(struct kunit *test)
{
	int level;

	KUNIT_EXPECT_EQ(test, walk_to(GVA), 0);
	for (level = 1; level <= RF_LEVELS; level++) {
		KUNIT_EXPECT_EQ(test, walk.table[level].v, (u64)(RF_LEVELS - level));
		KUNIT_EXPECT_EQ(test, walk.entry[level], *entry_of_level(level));
	}
}

static void walk_ends_where_nothing_is_present(struct kunit *test)
{
	int level;

	for (level = 1; level <= RF_LEVELS; level++) {
		walk_init(test);
		*entry_of_level(level) &= ~RF_PTE_P;
		KUNIT_EXPECT_EQ(test, walk_to(GVA), -ENOENT);
		KUNIT_EXPECT_EQ(test, walk.level, level);
		/* What is not present may say what it likes. */
		*entry_of_level(level) = ~RF_PTE_P;
		KUNIT_EXPECT_EQ(test, walk_to(GVA), -ENOENT);
	}
}

/* A guest may point a table at memory it does not have. */
static void walk_refuses_a_frame_outside_the_guest(struct kunit *test)
{
	int level;

	for (level = 2; level <= RF_LEVELS; level++) {
		walk_init(test);
		*entry_of_level(level) = (99ULL << 12) | TABLE;
		KUNIT_EXPECT_EQ(test, walk_to(GVA), -EFAULT);
		KUNIT_EXPECT_EQ(test, walk.level, level - 1);
	}
	memory[0][1] = RF_PTE_GFN | TABLE;
	KUNIT_EXPECT_EQ(test, walk_to(GVA), -EFAULT);
}

/* In a leaf the same bit is a cache attribute. */
static void walk_refuses_large_pages_only(struct kunit *test)
{
	int level;

	for (level = 2; level <= RF_LEVELS; level++) {
		walk_init(test);
		*entry_of_level(level) |= RF_PTE_PS;
		KUNIT_EXPECT_EQ(test, walk_to(GVA), -EINVAL);
	}
	walk_init(test);
	*entry_of_level(1) |= RF_PTE_PS;
	KUNIT_EXPECT_EQ(test, walk_to(GVA), 0);
}

static void every_level_must_allow_writing(struct kunit *test)
{
	int level;

	for (level = 1; level <= RF_LEVELS; level++) {
		walk_init(test);
		*entry_of_level(level) &= ~RF_PTE_W;
		KUNIT_EXPECT_EQ(test, walk_to(GVA), 0);
		KUNIT_EXPECT_FALSE(test, walk.writable);
	}
}

static void any_level_can_forbid_fetching(struct kunit *test)
{
	int level;

	for (level = 1; level <= RF_LEVELS; level++) {
		walk_init(test);
		*entry_of_level(level) |= RF_PTE_NX;
		KUNIT_EXPECT_EQ(test, walk_to(GVA), 0);
		KUNIT_EXPECT_TRUE(test, walk.nx);
		KUNIT_EXPECT_TRUE(test, walk.writable);
	}
}

static void bits_that_are_no_frame_do_not_count(struct kunit *test)
{
	memory[0][1] |= 0x7ff0000000000e18ULL;
	memory[3][4] |= 0x7ff0000000000f98ULL;
	KUNIT_EXPECT_EQ(test, walk_to(GVA), 0);
	KUNIT_EXPECT_EQ(test, walk.table[3].v, 1ULL);
	KUNIT_EXPECT_EQ(test, rf_pte_gfn(walk.entry[1]).v, 77ULL);
}

/* One table that is its own at every level: four reads, and no more. */
static void walk_of_a_table_in_itself_ends(struct kunit *test)
{
	memory[0][511] = (0ULL << 12) | TABLE;
	KUNIT_EXPECT_EQ(test, walk_to(~0ULL), 0);
	KUNIT_EXPECT_EQ(test, nr_reads, 4U);
	KUNIT_EXPECT_EQ(test, rf_pte_gfn(walk.entry[1]).v, 0ULL);
}

static void the_last_page_has_the_last_indices(struct kunit *test)
{
	int level;

	for (level = 1; level <= RF_LEVELS; level++) {
		KUNIT_EXPECT_EQ(test, rf_walk_index(~0ULL, level), 511U);
		KUNIT_EXPECT_EQ(test, rf_walk_index(0, level), 0U);
		KUNIT_EXPECT_EQ(test, rf_walk_index(GVA, level), 5U - level);
	}
}

/* Tables of noise: an end after at most four reads, and nothing made up. */
static void walk_of_noise_ends(struct kunit *test)
{
	u64 x = 88172645463325252ULL;
	int i, j, round;

	for (round = 0; round < 2000; round++) {
		for (i = 0; i < NR_TABLES; i++) {
			for (j = 0; j < 8; j++) {
				x ^= x << 13;
				x ^= x >> 7;
				x ^= x << 17;
				memory[i][j] = (x & ~(7ULL << 15)) | (x % 5 ? RF_PTE_P : 0);
			}
		}
		if (!walk_to(x & 0x0038070e0070ULL))
			KUNIT_EXPECT_EQ(test, walk.level, 1);
		KUNIT_EXPECT_LE(test, nr_reads, 4U);
	}
}

static struct kunit_case walk_cases[] = {
	KUNIT_CASE(walk_finds_the_leaf),
	KUNIT_CASE(walk_tells_each_table_and_entry),
	KUNIT_CASE(walk_ends_where_nothing_is_present),
	KUNIT_CASE(walk_refuses_a_frame_outside_the_guest),
	KUNIT_CASE(walk_refuses_large_pages_only),
	KUNIT_CASE(every_level_must_allow_writing),
	KUNIT_CASE(any_level_can_forbid_fetching),
	KUNIT_CASE(bits_that_are_no_frame_do_not_count),
	KUNIT_CASE(walk_of_a_table_in_itself_ends),
	KUNIT_CASE(the_last_page_has_the_last_indices),
	KUNIT_CASE(walk_of_noise_ends),
	{}
};

static struct kunit_suite walk_suite = {
	.name = "rf_mmu_walk",
	.init = walk_init,
	.test_cases = walk_cases,
};

kunit_test_suite(walk_suite);
MODULE_LICENSE("GPL");
