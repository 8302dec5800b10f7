// SPDX-License-Identifier: GPL-2.0
/*
 * entry_test.c - a shadow entry gives no more than guest and host both give
 *
 * Also a host program: tests/unit/mmu/entry_test.c.
 */
#include <kunit/test.h>
#include <linux/module.h>

#include "../../../host-module/mmu/entry.c"

#define PFN		RF_PFN(0x12345)
#define FULL		(RF_PTE_P | RF_PTE_W | RF_PTE_U | RF_PTE_A | RF_PTE_D)

/* What a shadow leaf may have besides a frame. */
#define MAY_HAVE	(FULL | RF_PTE_NX | RF_SPTE_HOST_WRITABLE)

static void full_rights_are_given(struct kunit *test)
{
	u64 spte = rf_entry_leaf(FULL | (77ULL << 12), PFN, true, false);

	KUNIT_EXPECT_EQ(test, spte, (PFN.v << 12) | FULL | RF_SPTE_HOST_WRITABLE);
}

/* Else the guest would never learn that the page was used. */
static void without_a_there_is_no_entry(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rf_entry_leaf(FULL & ~RF_PTE_A, PFN, true, false), 0ULL);
	KUNIT_EXPECT_EQ(test, rf_entry_leaf(RF_PTE_P, PFN, true, false), 0ULL);
}

/* Else it would never learn that the page was written to. */
static void without_d_there_is_no_writing(struct kunit *test)
{
	u64 spte = rf_entry_leaf(FULL & ~RF_PTE_D, PFN, true, false);

	KUNIT_EXPECT_TRUE(test, spte & RF_PTE_P);
	KUNIT_EXPECT_FALSE(test, spte & RF_PTE_W);
	KUNIT_EXPECT_TRUE(test, spte & RF_SPTE_HOST_WRITABLE);
}

static void what_the_host_may_not_write_the_guest_may_not(struct kunit *test)
{
	u64 spte = rf_entry_leaf(FULL, PFN, false, false);

	KUNIT_EXPECT_FALSE(test, spte & RF_PTE_W);
	KUNIT_EXPECT_FALSE(test, spte & RF_SPTE_HOST_WRITABLE);
}

static void a_live_table_is_not_writable(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, rf_entry_leaf(FULL, PFN, true, true) & RF_PTE_W);
}

static void nx_is_kept(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, rf_entry_leaf(FULL | RF_PTE_NX, PFN, true, false) & RF_PTE_NX);
	KUNIT_EXPECT_FALSE(test, rf_entry_leaf(FULL, PFN, true, false) & RF_PTE_NX);
	KUNIT_EXPECT_TRUE(test, rf_entry_table(FULL | RF_PTE_NX, 0x1000) & RF_PTE_NX);
}

/* Global, cache attributes, protection keys, what is reserved: none get in. */
static void no_other_bit_of_the_guests_gets_in(struct kunit *test)
{
	u64 spte = rf_entry_leaf(~0ULL, PFN, true, false);

	KUNIT_EXPECT_EQ(test, spte & ~(MAY_HAVE | RF_PTE_GFN), 0ULL);
	KUNIT_EXPECT_EQ(test, spte & RF_PTE_GFN, PFN.v << 12);
	spte = rf_entry_table(~0ULL, 0x5000);
	KUNIT_EXPECT_EQ(test, spte & ~(FULL | RF_PTE_NX), 0x5000ULL);
}

static void the_frame_is_the_hosts(struct kunit *test)
{
	const rf_pfn_t high = RF_PFN(0xffffffffffULL);

	KUNIT_EXPECT_EQ(test, rf_entry_leaf(FULL | (77ULL << 12), high, true, false) & RF_PTE_GFN,
			RF_PTE_GFN);
}

/* All combinations: the rule in one line. */
static void writing_needs_everyones_consent(struct kunit *test)
{
	u64 bits;

	for (bits = 0; bits < 256; bits++) {
		bool host = bits & 1, table = bits & 2;
		u64 entry = RF_PTE_P | (bits & 4 ? RF_PTE_W : 0) | (bits & 8 ? RF_PTE_A : 0) |
			    (bits & 16 ? RF_PTE_D : 0) | (bits & 32 ? RF_PTE_U : 0) |
			    (bits & 64 ? RF_PTE_NX : 0) | (bits & 128 ? RF_PTE_PS : 0);
		u64 spte = rf_entry_leaf(entry, PFN, host, table);
		bool consent = host && !table && (bits & 4) && (bits & 8) && (bits & 16);

		KUNIT_EXPECT_EQ(test, !!(spte & RF_PTE_W), consent);
		KUNIT_EXPECT_EQ(test, !!(spte & RF_PTE_P), !!(bits & 8));
		KUNIT_EXPECT_EQ(test, spte & RF_SPTE_OUT_OF_SYNC, 0ULL);
	}
}

static void a_table_has_the_rights_of_its_entry(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rf_entry_table(FULL, 0x7000), 0x7000ULL | FULL);
	KUNIT_EXPECT_EQ(test, rf_entry_table(FULL & ~RF_PTE_W, 0x7000),
			0x7000ULL | (FULL & ~RF_PTE_W));
	/* A and D of a table are kept in the guest's entry when it is walked. */
	KUNIT_EXPECT_EQ(test, rf_entry_table(RF_PTE_P, 0x7000),
			0x7000ULL | (FULL & ~RF_PTE_W));
}

/* --- entries that somebody else stores to --------------------------------------- */

/* An entry; that somebody changes @nr_changes times while it is looked at. */
struct restless {
	u64 entry;
	int nr_changes;
	int nr_tries;
};

static int try_restless(void *at, u64 *old, u64 new)
{
	struct restless *r = at;

	r->nr_tries++;
	if (r->nr_changes) {
		r->nr_changes--;
		r->entry ^= RF_PTE_D;
	}
	if (r->entry != *old) {
		*old = r->entry;
		return 0;
	}
	r->entry = new;
	return 1;
}

static int try_nothing(void *at, u64 *old, u64 new)
{
	return -EFAULT;
}

static void a_and_d_of_the_last_moment_are_kept(struct kunit *test)
{
	const u64 new = RF_PTE_P | RF_PTE_U | (5 << 12);
	int changes;

	for (changes = 0; changes < 8; changes++) {
		struct restless r = { RF_PTE_P | RF_PTE_W | RF_PTE_A | (7 << 12), changes };
		u64 val = new;

		KUNIT_EXPECT_EQ(test, rf_entry_exchange(&r, &val, r.entry, try_restless), 0);
		KUNIT_EXPECT_EQ(test, r.entry, val);
		KUNIT_EXPECT_EQ(test, val, new | RF_PTE_A | (changes & 1 ? RF_PTE_D : 0));
		KUNIT_EXPECT_EQ(test, r.nr_tries, changes + 1);
	}
}

static void one_that_does_not_stand_still_is_given_up(struct kunit *test)
{
	struct restless r = { RF_PTE_P | RF_PTE_A, 1000 };
	u64 val = RF_PTE_P | (5 << 12);

	KUNIT_EXPECT_EQ(test, rf_entry_exchange(&r, &val, r.entry, try_restless), -EAGAIN);
	KUNIT_EXPECT_EQ(test, r.nr_tries, RF_ENTRY_TRIES);
	KUNIT_EXPECT_EQ(test, val & ~RF_PTE_D, RF_PTE_P | RF_PTE_A | (5 << 12));
	KUNIT_EXPECT_EQ(test, rf_entry_exchange(NULL, &val, 0, try_nothing), -EFAULT);
}

static struct kunit_case entry_cases[] = {
	KUNIT_CASE(full_rights_are_given),
	KUNIT_CASE(without_a_there_is_no_entry),
	KUNIT_CASE(without_d_there_is_no_writing),
	KUNIT_CASE(what_the_host_may_not_write_the_guest_may_not),
	KUNIT_CASE(a_live_table_is_not_writable),
	KUNIT_CASE(nx_is_kept),
	KUNIT_CASE(no_other_bit_of_the_guests_gets_in),
	KUNIT_CASE(the_frame_is_the_hosts),
	KUNIT_CASE(writing_needs_everyones_consent),
	KUNIT_CASE(a_table_has_the_rights_of_its_entry),
	KUNIT_CASE(a_and_d_of_the_last_moment_are_kept),
	KUNIT_CASE(one_that_does_not_stand_still_is_given_up),
	{}
};

static struct kunit_suite entry_suite = {
	.name = "rf_mmu_entry",
	.test_cases = entry_cases,
};

kunit_test_suite(entry_suite);
MODULE_LICENSE("GPL");
