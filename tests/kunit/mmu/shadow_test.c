// SPDX-License-Identifier: GPL-2.0
/*
 * shadow_test.c - shadows are found, linked, bounded and dropped; the reverse
 * map knows every entry of a frame, and no other
 */
/* The module has the tracepoints. */
#define NOTRACE

#include <kunit/test.h>
#include <linux/bitmap.h>
#include <linux/module.h>

#include "../../../host-module/mmu/entry.c"
#include "../../../host-module/mmu/shadow.c"

#define NR_FRAMES	64
#define NR_SHADOWS	32
#define HOLE_SLOT	262
#define HOLE_ENTRY	0xdead067ULL
#define LEAF		(RF_PTE_P | RF_PTE_W | RF_PTE_U | RF_PTE_A | RF_PTE_D)

struct fake {
	struct rf_vm vm;
	struct rf_vcpu vcpu;
	struct rf_shadow *by_id[NR_SHADOWS];
	unsigned long ids[BITS_TO_LONGS(NR_SHADOWS)];
	u32 rmap[NR_FRAMES];
	unsigned long pinned[BITS_TO_LONGS(NR_FRAMES)];
	unsigned long shadowed[BITS_TO_LONGS(NR_FRAMES)];
	unsigned long open[BITS_TO_LONGS(NR_FRAMES)];
	unsigned int nr_flushes;
	unsigned int nr_marked;
};

static struct fake *fake;

u64 rf_spte_absent = RF_SPTE_ABSENT;

/* What shadow.c stands on. */

u64 rf_hole_root_entry(struct rf_hole *hole)
{
	return HOLE_ENTRY;
}

void rf_mmu_forget_root(struct rf_vm *vm, struct rf_shadow *sh)
{
	struct rf_vcpu_mmu *mmu = &vm->vcpus[0]->mmu;

	if (mmu->kernel_root == sh)
		mmu->kernel_root = NULL;
	if (mmu->user_root == sh)
		mmu->user_root = NULL;
}

void rf_mmu_forget_leaf(struct rf_vm *vm, const struct rf_shadow *sh)
{
}

unsigned int rf_hole_root_index(void)
{
	return HOLE_SLOT;
}

u64 rf_m2p_root_entry(void)
{
	return 0;
}

void rf_mmu_flush_vcpus(struct rf_vm *vm, const unsigned long *mask)
{
	fake->nr_flushes++;
}

void rf_mark_out_of_sync(struct rf_vm *vm, struct rf_shadow *sh)
{
	fake->nr_marked++;
	if (sh->out_of_sync)
		return;
	sh->out_of_sync = true;
	list_add_tail(&sh->oos_node, &vm->mmu.out_of_sync);
	vm->mmu.nr_out_of_sync++;
}

static int fake_init(struct kunit *test)
{
	struct rf_vm_mmu *mmu;
	int i;

	fake = kvzalloc(sizeof(*fake), GFP_KERNEL);
	if (!fake)
		return -ENOMEM;
	mmu = &fake->vm.mmu;
	rwlock_init(&mmu->lock);
	for (i = 0; i < RF_RMAP_LOCKS; i++)
		spin_lock_init(&mmu->rmap_locks[i]);
	spin_lock_init(&mmu->out_of_sync_lock);
	INIT_LIST_HEAD(&mmu->leaves);
	INIT_LIST_HEAD(&mmu->tables);
	INIT_LIST_HEAD(&mmu->orphans);
	INIT_LIST_HEAD(&mmu->out_of_sync);
	INIT_LIST_HEAD(&mmu->zombies);
	mmu->by_id = fake->by_id;
	mmu->ids = fake->ids;
	mmu->max_shadows = NR_SHADOWS;
	mmu->rmap = fake->rmap;
	mmu->pinned = fake->pinned;
	mmu->shadowed = fake->shadowed;
	mmu->open = fake->open;
	fake->vm.max_vcpus = 1;
	fake->vm.vcpus[0] = &fake->vcpu;
	fake->vcpu.vm = &fake->vm;
	spin_lock_init(&mmu->spares_lock);
	INIT_LIST_HEAD(&mmu->spares);
	INIT_LIST_HEAD(&fake->vcpu.mmu.cache);
	return 0;
}

static void fake_exit(struct kunit *test)
{
	u32 id;

	rf_shadow_lock(&fake->vm);
	for_each_set_bit(id, fake->ids, NR_SHADOWS)
		rf_shadow_drop(&fake->vm, fake->by_id[id]);
	rf_shadow_unlock(&fake->vm);
	KUNIT_EXPECT_EQ(test, fake->vm.mmu.nr_shadows, 0U);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fake->vm.mmu.nr_mapped), 0LL);
	KUNIT_EXPECT_TRUE(test, bitmap_empty(fake->shadowed, NR_FRAMES));
	rf_shadow_free_list(&fake->vm, &fake->vcpu.mmu.cache);
	rf_shadow_free_spares(&fake->vm);
	KUNIT_EXPECT_EQ(test, fake->vm.mmu.nr_spares, 0U);
	kvfree(fake);
}

/* Under the lock for writing, from a cache that is never empty. */
static struct rf_shadow *get(u64 gfn, int level)
{
	struct rf_shadow *sh;

	rf_shadow_top_up(&fake->vcpu);
	rf_shadow_lock(&fake->vm);
	rf_shadow_make_room(&fake->vm);
	sh = rf_shadow_get(&fake->vcpu, RF_GFN(gfn), level);
	rf_shadow_unlock(&fake->vm);
	return sh;
}

static void drop(struct rf_shadow *sh)
{
	rf_shadow_lock(&fake->vm);
	rf_shadow_drop(&fake->vm, sh);
	rf_shadow_unlock(&fake->vm);
}

static void link_to(struct rf_shadow *parent, unsigned int index, struct rf_shadow *child)
{
	write_lock(&fake->vm.mmu.lock);
	rf_shadow_link(&fake->vm, parent, index, (child->gfn.v << 12) | LEAF, child);
	write_unlock(&fake->vm.mmu.lock);
}

static void leaf_set(struct rf_shadow *sh, unsigned int index, u64 gfn)
{
	rf_leaf_set(&fake->vm, sh, index, (gfn << 12) | LEAF, ((gfn + 1000) << 12) | LEAF);
}

/* Entries in the list of a frame; each of them must map it. */
static unsigned int count_mapped(struct kunit *test, u64 gfn)
{
	u32 id = fake->rmap[gfn], before = 0;
	unsigned int n = 0;

	for (; id && n <= NR_SHADOWS * RF_ENTRIES; n++) {
		struct rf_shadow *sh = rf_entry_shadow(&fake->vm, id);
		unsigned int index = id % RF_ENTRIES;

		KUNIT_EXPECT_EQ(test, sh->spt[index] >> 12 & 0xfffff, gfn + 1000);
		KUNIT_EXPECT_EQ(test, sh->links[index].prev, before);
		before = id;
		id = sh->links[index].next;
	}
	return n;
}

static void shadow_is_found_by_frame_and_level(struct kunit *test)
{
	struct rf_shadow *one = get(5, 1), *two = get(5, 2);

	KUNIT_ASSERT_NOT_NULL(test, one);
	KUNIT_ASSERT_NOT_NULL(test, two);
	KUNIT_EXPECT_PTR_NE(test, one, two);
	KUNIT_EXPECT_PTR_EQ(test, get(5, 1), one);
	KUNIT_EXPECT_PTR_EQ(test, rf_shadow_find(&fake->vm, RF_GFN(5), 2), two);
	KUNIT_EXPECT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(5), 3));
	KUNIT_EXPECT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(6), 0));
	KUNIT_EXPECT_EQ(test, fake->vm.mmu.nr_shadows, 2U);
}

static void frame_is_shadowed_until_its_last_shadow_goes(struct kunit *test)
{
	struct rf_shadow *one = get(5, 1), *two = get(5, 2);

	drop(one);
	KUNIT_EXPECT_TRUE(test, test_bit(5, fake->shadowed));
	drop(two);
	KUNIT_EXPECT_FALSE(test, test_bit(5, fake->shadowed));
}

/* Entry 0 of shadow 0 would be the end of every list. */
static void number_0_is_not_given_out(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, get(1, 1)->id, 1U);
	KUNIT_EXPECT_EQ(test, get(2, 1)->id, 2U);
	drop(rf_shadow_find(&fake->vm, RF_GFN(1), 1));
	KUNIT_EXPECT_EQ(test, get(3, 1)->id, 1U);
}

static void reverse_map_has_every_entry(struct kunit *test)
{
	struct rf_shadow *a = get(1, 1), *b = get(2, 1);

	leaf_set(a, 0, 9);
	leaf_set(a, 511, 9);
	leaf_set(b, 7, 9);
	KUNIT_EXPECT_EQ(test, count_mapped(test, 9), 3U);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fake->vm.mmu.nr_mapped), 1LL);
	rf_leaf_clear(&fake->vm, a, 511);
	KUNIT_EXPECT_EQ(test, count_mapped(test, 9), 2U);
	rf_leaf_clear(&fake->vm, a, 511);
	KUNIT_EXPECT_EQ(test, count_mapped(test, 9), 2U);
	rf_leaf_clear(&fake->vm, b, 7);
	rf_leaf_clear(&fake->vm, a, 0);
	KUNIT_EXPECT_EQ(test, fake->rmap[9], 0U);
	KUNIT_EXPECT_EQ(test, atomic64_read(&fake->vm.mmu.nr_mapped), 0LL);
}

static void entry_moves_from_frame_to_frame(struct kunit *test)
{
	struct rf_shadow *sh = get(1, 1);

	leaf_set(sh, 3, 9);
	leaf_set(sh, 3, 10);
	KUNIT_EXPECT_EQ(test, count_mapped(test, 9), 0U);
	KUNIT_EXPECT_EQ(test, count_mapped(test, 10), 1U);
	KUNIT_EXPECT_EQ(test, rf_rmap_known(&fake->vm, RF_GFN(9)), 0ULL);
	KUNIT_EXPECT_EQ(test, rf_rmap_known(&fake->vm, RF_GFN(10)), sh->spt[3]);
}

static void dropped_shadow_maps_nothing(struct kunit *test)
{
	struct rf_shadow *sh = get(1, 1);
	unsigned int i;

	for (i = 0; i < RF_ENTRIES; i++)
		leaf_set(sh, i, i % NR_FRAMES);
	drop(sh);
	for (i = 0; i < NR_FRAMES; i++)
		KUNIT_EXPECT_EQ(test, fake->rmap[i], 0U);
}

/* Nothing of the table that a shadow was of before shows in its next one. */
static void expect_new(struct kunit *test, const struct rf_shadow *sh)
{
	u64 entry = sh->level == 1 ? rf_spte_absent : 0;
	unsigned int i;

	for (i = 0; i < RF_ENTRIES; i++) {
		if (rf_slot_reserved(sh->level, i))
			continue;
		KUNIT_EXPECT_EQ(test, sh->spt[i], entry);
		KUNIT_EXPECT_EQ(test, sh->synced[i], 0ULL);
	}
}

static void shadow_of_another_table_is_as_new(struct kunit *test)
{
	static const int levels[] = { 1, 1, 2, RF_LEVELS, 1, RF_LEVELS, 3, 2, 1 };
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		struct rf_shadow *child, *sh = get(i + 1, levels[i]);

		expect_new(test, sh);
		child = levels[i] > 1 ? get(30, levels[i] - 1) : NULL;
		for (j = i; j < RF_ENTRIES; j += 37) {
			if (child)
				link_to(sh, j, child);
			else
				leaf_set(sh, j, 9);
		}
		drop(sh);	/* and the child with it */
	}
}

/* Against a model: which frame, or none, each entry maps. */
static void reverse_map_survives_chance(struct kunit *test)
{
	static u8 model[4][RF_ENTRIES];
	struct rf_shadow *sh[4];
	unsigned int count[NR_FRAMES] = {}, i, j, step;
	u32 x = 2463534242U;

	memset(model, 0, sizeof(model));
	for (i = 0; i < 4; i++)
		sh[i] = get(i + 1, 1);
	for (step = 0; step < 20000; step++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		i = x & 3;
		j = (x >> 2) % RF_ENTRIES;
		if (model[i][j])
			count[model[i][j]]--;
		model[i][j] = x & (1U << 30) ? 0 : 1 + (x >> 12) % (NR_FRAMES - 1);
		if (model[i][j]) {
			leaf_set(sh[i], j, model[i][j]);
			count[model[i][j]]++;
		} else {
			rf_leaf_clear(&fake->vm, sh[i], j);
		}
	}
	for (i = 1; i < NR_FRAMES; i++)
		KUNIT_EXPECT_EQ(test, count_mapped(test, i), count[i]);
}

static void link_is_taken_back_when_the_child_goes(struct kunit *test)
{
	struct rf_shadow *a = get(1, 2), *b = get(2, 2), *child = get(3, 1);

	link_to(a, 0, child);
	link_to(a, 5, child);
	link_to(b, 511, child);
	KUNIT_EXPECT_PTR_EQ(test, rf_spte_child(a->spt[5]), child);
	drop(child);
	KUNIT_EXPECT_EQ(test, a->spt[0] | a->spt[5] | b->spt[511], 0ULL);
}

static void child_that_nothing_else_reaches_goes_along(struct kunit *test)
{
	struct rf_shadow *a = get(1, 2), *b = get(2, 2);

	link_to(a, 0, get(3, 1));
	link_to(a, 1, get(4, 1));
	link_to(b, 1, get(4, 1));
	link_to(a, 2, get(5, 1));
	__set_bit(5, fake->pinned);
	drop(a);
	KUNIT_EXPECT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(3), 1));
	KUNIT_EXPECT_NOT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(4), 1));
	KUNIT_EXPECT_NOT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(5), 1));
	KUNIT_EXPECT_EQ(test, get(5, 1)->parents, 0U);
}

/* A guest may hang one table into itself: one frame, a shadow for each level. */
static void frame_that_is_all_levels_goes_at_once(struct kunit *test)
{
	int level;

	for (level = RF_LEVELS; level > 1; level--)
		link_to(get(7, level), 0, get(7, level - 1));
	KUNIT_EXPECT_EQ(test, fake->vm.mmu.nr_shadows, 4U);
	rf_shadow_lock(&fake->vm);
	rf_shadow_drop_gfn(&fake->vm, RF_GFN(7));
	rf_shadow_unlock(&fake->vm);
	KUNIT_EXPECT_EQ(test, fake->vm.mmu.nr_shadows, 0U);
}

static void slots_of_the_hypervisor_are_never_the_guests(struct kunit *test)
{
	struct rf_shadow *root = get(1, RF_LEVELS), *table = get(2, RF_LEVELS - 1);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, root->spt[HOLE_SLOT], HOLE_ENTRY);
	for (i = 256; i < 272; i++) {
		link_to(root, i, table);
		KUNIT_EXPECT_EQ(test, root->spt[i], i == HOLE_SLOT ? HOLE_ENTRY : 0ULL);
	}
	KUNIT_EXPECT_EQ(test, table->parents, 0U);
	link_to(root, 272, table);
	KUNIT_EXPECT_PTR_EQ(test, rf_spte_child(root->spt[272]), table);
}

static void nobody_runs_on_a_dropped_root(struct kunit *test)
{
	struct rf_shadow *root = get(1, RF_LEVELS), *user = get(2, RF_LEVELS);

	fake->vcpu.mmu.kernel_root = root;
	fake->vcpu.mmu.user_root = user;
	drop(root);
	KUNIT_EXPECT_NULL(test, fake->vcpu.mmu.kernel_root);
	KUNIT_EXPECT_PTR_EQ(test, fake->vcpu.mmu.user_root, user);
	drop(user);
	KUNIT_EXPECT_NULL(test, fake->vcpu.mmu.user_root);
}

/* A CPU may be walking it until it has been brought out of the guest. */
static void flush_comes_before_the_end(struct kunit *test)
{
	struct rf_shadow *sh = get(1, 1);
	unsigned int before = fake->nr_flushes;

	rf_shadow_lock(&fake->vm);
	rf_shadow_drop(&fake->vm, sh);
	KUNIT_EXPECT_FALSE(test, list_empty(&fake->vm.mmu.zombies));
	KUNIT_EXPECT_EQ(test, fake->nr_flushes, before);
	rf_shadow_unlock(&fake->vm);
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->vm.mmu.zombies));
	KUNIT_EXPECT_EQ(test, fake->nr_flushes, before + 1);
}

static void bound_is_kept_by_dropping_the_oldest_leaves(struct kunit *test)
{
	u64 gfn;

	KUNIT_ASSERT_NOT_NULL(test, get(0, 2));
	for (gfn = 1; gfn < 60; gfn++) {
		KUNIT_ASSERT_NOT_NULL(test, get(gfn, 1));
		KUNIT_EXPECT_LT(test, fake->vm.mmu.nr_shadows, (u32)NR_SHADOWS);
	}
	KUNIT_EXPECT_NOT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(0), 2));
	KUNIT_EXPECT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(1), 1));
	KUNIT_EXPECT_NOT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(59), 1));
}

static void bound_is_kept_without_a_leaf_to_drop(struct kunit *test)
{
	u64 gfn;

	for (gfn = 0; gfn < 60; gfn++) {
		KUNIT_ASSERT_NOT_NULL(test, get(gfn, 2 + gfn % 3));
		KUNIT_EXPECT_LT(test, fake->vm.mmu.nr_shadows, (u32)NR_SHADOWS);
	}
	KUNIT_EXPECT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(0), 2));
}

/* It may be in the hardware's hands at this moment. */
static void root_that_a_vcpu_runs_on_is_kept(struct kunit *test)
{
	struct rf_shadow *root = get(0, RF_LEVELS), *user = get(1, RF_LEVELS);
	u64 gfn;

	fake->vcpu.mmu.kernel_root = root;
	fake->vcpu.mmu.user_root = user;
	for (gfn = 2; gfn < 60; gfn++)
		KUNIT_ASSERT_NOT_NULL(test, get(gfn, RF_LEVELS));
	KUNIT_EXPECT_PTR_EQ(test, rf_shadow_find(&fake->vm, RF_GFN(0), RF_LEVELS), root);
	KUNIT_EXPECT_PTR_EQ(test, rf_shadow_find(&fake->vm, RF_GFN(1), RF_LEVELS), user);
	KUNIT_EXPECT_PTR_EQ(test, fake->vcpu.mmu.kernel_root, root);
	fake->vcpu.mmu.kernel_root = NULL;
	fake->vcpu.mmu.user_root = NULL;
}

static void what_hung_below_a_reclaimed_table_goes_too(struct kunit *test)
{
	struct rf_shadow *table = get(0, 2), *other;

	link_to(table, 0, get(1, 1));
	link_to(table, 1, get(2, 1));
	other = get(3, 2);
	rf_shadow_lock(&fake->vm);
	rf_shadow_drop(&fake->vm, table);
	KUNIT_EXPECT_FALSE(test, list_empty(&fake->vm.mmu.orphans));
	/* Found before its turn came. */
	rf_shadow_link(&fake->vm, other, 5, (2 << 12) | LEAF,
		       rf_shadow_find(&fake->vm, RF_GFN(2), 1));
	rf_shadow_unlock(&fake->vm);
	KUNIT_EXPECT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(1), 1));
	KUNIT_EXPECT_NOT_NULL(test, rf_shadow_find(&fake->vm, RF_GFN(2), 1));
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->vm.mmu.orphans));
}

static void shadow_of_an_open_table_is_out_of_sync_from_the_start(struct kunit *test)
{
	struct rf_shadow *sh;

	__set_bit(4, fake->open);
	sh = get(4, 1);
	KUNIT_EXPECT_TRUE(test, sh->out_of_sync);
	drop(sh);
	KUNIT_EXPECT_EQ(test, fake->vm.mmu.nr_out_of_sync, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->vm.mmu.out_of_sync));
}

static struct kunit_case shadow_cases[] = {
	KUNIT_CASE(shadow_is_found_by_frame_and_level),
	KUNIT_CASE(frame_is_shadowed_until_its_last_shadow_goes),
	KUNIT_CASE(number_0_is_not_given_out),
	KUNIT_CASE(reverse_map_has_every_entry),
	KUNIT_CASE(entry_moves_from_frame_to_frame),
	KUNIT_CASE(dropped_shadow_maps_nothing),
	KUNIT_CASE(shadow_of_another_table_is_as_new),
	KUNIT_CASE(reverse_map_survives_chance),
	KUNIT_CASE(link_is_taken_back_when_the_child_goes),
	KUNIT_CASE(child_that_nothing_else_reaches_goes_along),
	KUNIT_CASE(frame_that_is_all_levels_goes_at_once),
	KUNIT_CASE(slots_of_the_hypervisor_are_never_the_guests),
	KUNIT_CASE(nobody_runs_on_a_dropped_root),
	KUNIT_CASE(flush_comes_before_the_end),
	KUNIT_CASE(bound_is_kept_by_dropping_the_oldest_leaves),
	KUNIT_CASE(bound_is_kept_without_a_leaf_to_drop),
	KUNIT_CASE(root_that_a_vcpu_runs_on_is_kept),
	KUNIT_CASE(what_hung_below_a_reclaimed_table_goes_too),
	KUNIT_CASE(shadow_of_an_open_table_is_out_of_sync_from_the_start),
	{}
};

static struct kunit_suite shadow_suite = {
	.name = "rf_mmu_shadow",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = shadow_cases,
};

kunit_test_suite(shadow_suite);
MODULE_LICENSE("GPL");
