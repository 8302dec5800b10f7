// SPDX-License-Identifier: GPL-2.0
/*
 * shadow.c - shadow tables: find, build, drop; the reverse map
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "../switcher/switcher.h"
#include "../trace.h"
#include "shadow.h"

/* A walk makes at most one shadow a level, and a root change one more. */
#define CACHE_WANTED	(RF_LEVELS + 1)

/* What a root has besides on a 5-level host: the level above, its lower half. */
#define ROOT_ORDER	1

/* Shadows dropped at one go to make room, and of those that nothing reaches. */
#define DROP_BATCH	64

/*
 * Freed shadows that a VM keeps: their entries are clear already, which is most
 * of what making one costs.
 */
#define MAX_SPARES	32

/* --- lists of entries ---------------------------------------------------- */

static struct rf_link *link_of(struct rf_vm *vm, u32 id)
{
	return &rf_entry_shadow(vm, id)->links[id % RF_ENTRIES];
}

static void list_insert(struct rf_vm *vm, u32 *head, u32 id)
{
	struct rf_link *link = link_of(vm, id);

	link->prev = 0;
	link->next = *head;
	if (*head)
		link_of(vm, *head)->prev = id;
	*head = id;
}

static void list_remove(struct rf_vm *vm, u32 *head, u32 id)
{
	struct rf_link *link = link_of(vm, id);

	if (link->next)
		link_of(vm, link->next)->prev = link->prev;
	if (link->prev)
		link_of(vm, link->prev)->next = link->next;
	else
		*head = link->next;
}

/* --- leaf entries --------------------------------------------------------- */

/*
 * Map: the entry hangs in the reverse map of its frame for exactly as long as
 * it is present.  Presence and list change under the frame's lock together, so
 * whoever finds an entry in the list may use its host frame.
 */
void rf_leaf_set(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index,
		 u64 entry, u64 spte)
{
	rf_gfn_t gfn = rf_pte_gfn(entry);

	if (rf_spte_mapped(sh->spt[index]) && !rf_gfn_eq(rf_pte_gfn(sh->synced[index]), gfn))
		rf_leaf_clear(vm, sh, index);

	if (rf_spte_mapped(sh->spt[index])) {
		WRITE_ONCE(sh->spt[index], spte);
	} else {
		spinlock_t *lock = rf_rmap_lock(vm, gfn);

		spin_lock(lock);
		if (!vm->mmu.rmap[gfn.v])
			atomic64_inc(&vm->mmu.nr_mapped);
		list_insert(vm, &vm->mmu.rmap[gfn.v], rf_entry_id(sh, index));
		WRITE_ONCE(sh->spt[index], spte);
		spin_unlock(lock);
		rf_entry_use(sh, index);
	}
	sh->synced[index] = entry;
}

void rf_leaf_clear(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index)
{
	rf_gfn_t gfn = rf_pte_gfn(sh->synced[index]);
	spinlock_t *lock = rf_rmap_lock(vm, gfn);

	if (!rf_spte_mapped(sh->spt[index]))
		return;

	spin_lock(lock);
	WRITE_ONCE(sh->spt[index], 0);
	list_remove(vm, &vm->mmu.rmap[gfn.v], rf_entry_id(sh, index));
	if (!vm->mmu.rmap[gfn.v])
		atomic64_dec(&vm->mmu.nr_mapped);
	spin_unlock(lock);
}

/* Some present entry that maps @gfn, for its host frame; 0 if there is none. */
u64 rf_rmap_known(struct rf_vm *vm, rf_gfn_t gfn)
{
	spinlock_t *lock = rf_rmap_lock(vm, gfn);
	u64 spte = 0;
	u32 id;

	spin_lock(lock);
	id = vm->mmu.rmap[gfn.v];
	if (id)
		spte = READ_ONCE(rf_entry_shadow(vm, id)->spt[id % RF_ENTRIES]);
	spin_unlock(lock);
	return spte;
}

/* --- entries that point to tables ------------------------------------------ */

/* Leaves go first: a table above holds many that would have to go as well. */
static struct list_head *shadow_lru(struct rf_vm *vm, const struct rf_shadow *sh)
{
	return sh->level == 1 ? &vm->mmu.leaves : &vm->mmu.tables;
}

void rf_shadow_unlink(struct rf_vm *vm, struct rf_shadow *parent, unsigned int index)
{
	u64 *spte = rf_spte_at(parent, index);
	struct rf_shadow *child;

	lockdep_assert_held_write(&vm->mmu.lock);
	if (!*spte || rf_slot_reserved(parent->level, index))
		return;

	child = rf_spte_child(*spte);
	WRITE_ONCE(*spte, 0);
	vm->mmu.nr_link_changes++;
	list_remove(vm, &child->parents, rf_entry_id(parent, index));
}

void rf_shadow_link(struct rf_vm *vm, struct rf_shadow *parent,
		    unsigned int index, u64 entry, struct rf_shadow *child)
{
	u64 spte = rf_entry_table(entry, __pa(child->spt));

	lockdep_assert_held_write(&vm->mmu.lock);
	if (rf_slot_reserved(parent->level, index))
		return;
	parent->synced[index] = entry;
	if (*rf_spte_at(parent, index) == spte)
		return;

	rf_shadow_unlink(vm, parent, index);
	if (!child->parents)	/* an orphan no more */
		list_move_tail(&child->node, shadow_lru(vm, child));
	list_insert(vm, &child->parents, rf_entry_id(parent, index));
	WRITE_ONCE(*rf_spte_at(parent, index), spte);
	rf_entry_use(parent, index);
	vm->mmu.nr_link_changes++;
}

/* --- make and drop ---------------------------------------------------------- */

static void shadow_free(struct rf_shadow *sh)
{
	if (sh->spt) {
		set_page_private(virt_to_page(sh->spt), 0);
		free_page((unsigned long)sh->spt);
	}
	free_page((unsigned long)sh->synced);
	free_page((unsigned long)sh->links);
	free_pages((unsigned long)sh->pml5, ROOT_ORDER);
	kfree(sh);
}

static struct rf_shadow *shadow_alloc(void)
{
	const gfp_t gfp = GFP_KERNEL_ACCOUNT | __GFP_ZERO;
	struct rf_shadow *sh;

	BUILD_BUG_ON(sizeof(struct rf_link) * RF_ENTRIES != PAGE_SIZE);

	sh = kzalloc(sizeof(*sh), GFP_KERNEL_ACCOUNT);
	if (!sh)
		return NULL;
	spin_lock_init(&sh->lock);
	INIT_LIST_HEAD(&sh->oos_node);
	sh->spt = (u64 *)__get_free_page(gfp);
	sh->synced = (u64 *)__get_free_page(gfp);
	sh->links = (struct rf_link *)__get_free_page(gfp);
	if (!sh->spt || !sh->synced || !sh->links) {
		shadow_free(sh);
		return NULL;
	}
	set_page_private(virt_to_page(sh->spt), (unsigned long)sh);
	return sh;
}

/* Have the entries of a new shadow again, where they are others. */
static void shadow_renew(struct rf_shadow *sh)
{
	u64 new = sh->level == 1 ? rf_spte_absent : 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sh->used); i++) {
		if (!sh->used[i])
			continue;
		memset64(&sh->spt[i * BITS_PER_LONG], new, BITS_PER_LONG);
		memset64(&sh->synced[i * BITS_PER_LONG], 0, BITS_PER_LONG);
		sh->used[i] = 0;
	}
	if (sh->level == RF_LEVELS) {
		sh->spt[RF_M2P_SLOT] = 0;
		if (!sh->pml5)
			sh->spt[rf_hole_root_index()] = 0;
	}
	sh->leaf_before = sh->level == 1;
}

/* Keep a shadow that was dropped for another table, if there are few. */
static bool shadow_spare(struct rf_vm *vm, struct rf_shadow *sh)
{
	bool keep;

	shadow_renew(sh);
	free_pages((unsigned long)sh->pml5, ROOT_ORDER);
	sh->pml5 = NULL;
	sh->lower = NULL;
	sh->table = NULL;

	spin_lock(&vm->mmu.spares_lock);
	keep = vm->mmu.nr_spares < MAX_SPARES;
	if (keep) {
		list_add(&sh->node, &vm->mmu.spares);
		vm->mmu.nr_spares++;
	}
	spin_unlock(&vm->mmu.spares_lock);
	return keep;
}

static struct rf_shadow *shadow_take_spare(struct rf_vm *vm)
{
	struct rf_shadow *sh;

	spin_lock(&vm->mmu.spares_lock);
	sh = list_first_entry_or_null(&vm->mmu.spares, struct rf_shadow, node);
	if (sh) {
		list_del(&sh->node);
		vm->mmu.nr_spares--;
	}
	spin_unlock(&vm->mmu.spares_lock);
	return sh;
}

unsigned int rf_shadow_free_spares(struct rf_vm *vm)
{
	struct rf_shadow *sh;
	unsigned int nr = 0;

	while ((sh = shadow_take_spare(vm))) {
		shadow_free(sh);
		nr++;
	}
	return nr;
}

int rf_shadow_top_up(struct rf_vcpu *vcpu)
{
	if (pgtable_l5_enabled() && !vcpu->mmu.root_pages) {
		vcpu->mmu.root_pages = (u64 *)__get_free_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO,
							       ROOT_ORDER);
		if (!vcpu->mmu.root_pages)
			return -ENOMEM;
	}
	while (vcpu->mmu.nr_cached < CACHE_WANTED) {
		struct rf_shadow *sh = shadow_take_spare(vcpu->vm);

		if (!sh)
			sh = shadow_alloc();
		if (!sh)
			return -ENOMEM;
		list_add(&sh->node, &vcpu->mmu.cache);
		vcpu->mmu.nr_cached++;
	}
	return 0;
}

void rf_shadow_free_cache(struct rf_vcpu *vcpu)
{
	struct rf_shadow *sh, *next;

	/* Not to be kept: the VM is going, and has freed what it kept. */
	list_for_each_entry_safe(sh, next, &vcpu->mmu.cache, node) {
		list_del(&sh->node);
		shadow_free(sh);
	}
	vcpu->mmu.nr_cached = 0;
	free_pages((unsigned long)vcpu->mmu.root_pages, ROOT_ORDER);
	vcpu->mmu.root_pages = NULL;
}

void rf_shadow_free_list(struct rf_vm *vm, struct list_head *list)
{
	struct rf_shadow *sh, *next;

	list_for_each_entry_safe(sh, next, list, node) {
		list_del(&sh->node);
		if (!shadow_spare(vm, sh))
			shadow_free(sh);
	}
}

struct rf_shadow *rf_shadow_find(struct rf_vm *vm, rf_gfn_t gfn, int level)
{
	struct rf_shadow *sh;

	if (!test_bit(gfn.v, vm->mmu.shadowed))
		return NULL;
	hlist_for_each_entry(sh, rf_shadow_bucket(vm, gfn), hash)
		if (rf_gfn_eq(sh->gfn, gfn) && (!level || sh->level == level))
			return sh;
	return NULL;
}

static void shadow_init_root(struct rf_vcpu *vcpu, struct rf_shadow *sh)
{
	u64 hole = rf_hole_root_entry(vcpu->vm->hole);

	if (!pgtable_l5_enabled()) {
		sh->spt[rf_hole_root_index()] = hole;
		return;
	}
	sh->pml5 = vcpu->mmu.root_pages;
	sh->lower = sh->pml5 + RF_ENTRIES;
	vcpu->mmu.root_pages = NULL;

	/* Each half of the guest's 48 bits in its own half, and the hole between. */
	sh->pml5[0] = __pa(sh->lower) | RF_PTE_P | RF_PTE_W | RF_PTE_U | RF_PTE_A;
	sh->pml5[511] = __pa(sh->spt) | RF_PTE_P | RF_PTE_W | RF_PTE_U | RF_PTE_A;
	sh->pml5[rf_hole_root_index()] = hole;
}

/* A vCPU runs on it, or may the next moment. */
static bool shadow_in_use(struct rf_vm *vm, const struct rf_shadow *sh)
{
	struct rf_vcpu *vcpu;
	unsigned int i;

	if (sh->level < RF_LEVELS)
		return false;
	rf_for_each_vcpu(vm, vcpu, i)
		if (READ_ONCE(vcpu->mmu.kernel_root) == sh ||
		    READ_ONCE(vcpu->mmu.user_root) == sh)
			return true;
	return false;
}

static unsigned int drop_oldest(struct rf_vm *vm, struct list_head *list, unsigned int nr)
{
	struct rf_shadow *sh;
	unsigned int dropped = 0;
	LIST_HEAD(in_use);

	/* A drop may take others off this list: begin anew each time. */
	while (dropped < nr && !list_empty(list)) {
		sh = list_first_entry(list, struct rf_shadow, node);
		if (shadow_in_use(vm, sh)) {
			list_move_tail(&sh->node, &in_use);
			continue;
		}
		rf_shadow_drop(vm, sh);
		dropped++;
	}
	list_splice_tail(&in_use, list);
	return dropped;
}

/*
 * Drop up to @nr shadows: what nothing reaches any more, then leaves, then
 * tables above them, but no root that a vCPU runs on.  Says how many.
 */
unsigned int rf_shadow_reclaim(struct rf_vm *vm, unsigned int nr)
{
	unsigned int dropped;

	lockdep_assert_held_write(&vm->mmu.lock);
	dropped = drop_oldest(vm, &vm->mmu.orphans, nr);
	dropped += drop_oldest(vm, &vm->mmu.leaves, nr - dropped);
	dropped += drop_oldest(vm, &vm->mmu.tables, nr - dropped);
	return dropped;
}

/*
 * Have numbers for all the shadows that one walk may need.  Before the caller
 * holds any shadow, for it may be one that goes.
 */
void rf_shadow_make_room(struct rf_vm *vm)
{
	struct rf_vm_mmu *mmu = &vm->mmu;

	/* Number 0 is never given out. */
	if (mmu->nr_shadows + 1 + CACHE_WANTED > mmu->max_shadows)
		rf_shadow_reclaim(vm, min(mmu->max_shadows / 16, (u32)DROP_BATCH) + CACHE_WANTED);
}

/* A frame that is a table at several levels is changed by C alone, in all of them. */
static void shadow_meet_others(struct rf_vm *vm, struct rf_shadow *sh)
{
	struct rf_shadow *other;

	sh->alone = true;
	if (!test_bit(sh->gfn.v, vm->mmu.shadowed))
		return;
	hlist_for_each_entry(other, rf_shadow_bucket(vm, sh->gfn), hash) {
		if (!rf_gfn_eq(other->gfn, sh->gfn))
			continue;
		sh->alone = false;
		other->alone = false;
		rf_mmu_forget_leaf(vm, other);
	}
}

/*
 * The shadow of @gfn at @level, made from the vCPU's cache if there is none.
 * NULL if the cache is empty or the numbers have run out: top it up before the
 * lock is taken, and make room under it.
 */
struct rf_shadow *rf_shadow_get(struct rf_vcpu *vcpu, rf_gfn_t gfn, int level)
{
	struct rf_vm *vm = vcpu->vm;
	struct rf_vm_mmu *mmu = &vm->mmu;
	bool leaf = level == 1;
	struct rf_shadow *sh;
	u32 id;

	lockdep_assert_held_write(&mmu->lock);
	sh = rf_shadow_find(vm, gfn, level);
	if (sh)
		return sh;

	id = find_next_zero_bit(mmu->ids, mmu->max_shadows, 1);
	if (id >= mmu->max_shadows || list_empty(&vcpu->mmu.cache))
		return NULL;
	if (level == RF_LEVELS && pgtable_l5_enabled() && !vcpu->mmu.root_pages)
		return NULL;

	sh = list_first_entry(&vcpu->mmu.cache, struct rf_shadow, node);
	vcpu->mmu.nr_cached--;
	sh->gfn = gfn;
	sh->level = level;
	if (sh->leaf_before != leaf)
		memset64(sh->spt, leaf ? rf_spte_absent : 0, RF_ENTRIES);
	sh->id = id;
	__set_bit(id, mmu->ids);
	mmu->by_id[id] = sh;
	mmu->nr_shadows++;
	list_move_tail(&sh->node, shadow_lru(vm, sh));
	shadow_meet_others(vm, sh);
	hlist_add_head(&sh->hash, rf_shadow_bucket(vm, gfn));
	set_bit(gfn.v, mmu->shadowed);
	if (level == RF_LEVELS)
		shadow_init_root(vcpu, sh);
	/* The guest has been storing to it already. */
	if (test_bit(gfn.v, mmu->open))
		rf_mark_out_of_sync(vm, sh);
	rf_count(vcpu, SHADOW_CREATE);
	trace_rf_shadow_create(vm, gfn.v, level);
	return sh;
}

static void table_clear(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index)
{
	struct rf_shadow *child;

	if (!*rf_spte_at(sh, index))
		return;

	child = rf_spte_child(*rf_spte_at(sh, index));
	rf_shadow_unlink(vm, sh, index);
	/*
	 * A table below that nothing else reaches is dead as well.  Its turn
	 * comes later: there may be any number of them.
	 */
	if (!child->parents && !test_bit(child->gfn.v, vm->mmu.pinned))
		list_move_tail(&child->node, &vm->mmu.orphans);
}

/* What is mapped or linked is no more; shadow_renew() does the rest. */
static void shadow_clear(struct rf_vm *vm, struct rf_shadow *sh)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sh->used); i++) {
		unsigned long used = sh->used[i];

		for (; used; used &= used - 1) {
			unsigned int index = i * BITS_PER_LONG + __ffs(used);

			if (sh->level == 1)
				rf_leaf_clear(vm, sh, index);
			else
				table_clear(vm, sh, index);
		}
	}
}

void rf_shadow_drop(struct rf_vm *vm, struct rf_shadow *sh)
{
	struct rf_vm_mmu *mmu = &vm->mmu;

	lockdep_assert_held_write(&mmu->lock);
	while (sh->parents)
		rf_shadow_unlink(vm, rf_entry_shadow(vm, sh->parents),
				 sh->parents % RF_ENTRIES);
	shadow_clear(vm, sh);
	mmu->nr_link_changes++;
	if (sh->level == RF_LEVELS)
		rf_mmu_forget_root(vm, sh);
	else if (sh->level == 1)
		rf_mmu_forget_leaf(vm, sh);

	if (sh->out_of_sync) {
		list_del_init(&sh->oos_node);
		mmu->nr_out_of_sync--;
		sh->out_of_sync = false;
	}
	hlist_del(&sh->hash);
	if (!rf_shadow_find(vm, sh->gfn, 0))
		clear_bit(sh->gfn.v, mmu->shadowed);
	mmu->by_id[sh->id] = NULL;
	__clear_bit(sh->id, mmu->ids);
	mmu->nr_shadows--;
	list_move(&sh->node, &mmu->zombies);
	rf_count_vm(vm, SHADOW_DROP);
	trace_rf_shadow_drop(vm, sh->gfn.v, sh->level);
}

void rf_shadow_drop_gfn(struct rf_vm *vm, rf_gfn_t gfn)
{
	struct rf_shadow *sh;

	while ((sh = rf_shadow_find(vm, gfn, 0)))
		rf_shadow_drop(vm, sh);
}

/*
 * A dropped table is freed only after every CPU that may be walking it has
 * been made to leave the guest.
 */
void rf_shadow_unlock(struct rf_vm *vm)
	__releases(&vm->mmu.lock)
{
	LIST_HEAD(dead);

	drop_oldest(vm, &vm->mmu.orphans, DROP_BATCH);
	list_splice_init(&vm->mmu.zombies, &dead);
	rf_gate_leave(vm);
	write_unlock(&vm->mmu.lock);
	if (list_empty(&dead))
		return;

	rf_mmu_flush_vcpus(vm, NULL);
	rf_shadow_free_list(vm, &dead);
}
