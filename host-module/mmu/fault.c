// SPDX-License-Identifier: GPL-2.0
/*
 * fault.c - a page fault: fix it, or say whose it is
 *
 *	guest tables --walk--> leaf entry --look-up--> host page
 *	                           |                       |
 *	                           '---> shadow entry <----'
 *
 * Three ways, tried in this order: by the shadows that are linked already, when
 * the host page is known as well; with the shadows linked and the page looked
 * up; and with shadows made.
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "../guestmem.h"
#include "shadow.h"

/* Tries before the guest is let run, so that signals are looked at. */
#define MAX_TRIES	4

static int read_guest_entry(void *ctx, rf_gfn_t table, unsigned int index, u64 *entry)
{
	return rf_guest_read_entry(ctx, entry, (table.v << PAGE_SHIFT) + index * sizeof(u64));
}

static rf_gfn_t current_root(const struct rf_vcpu *vcpu)
{
	return rf_vcpu_in_kernel(vcpu) ? vcpu->mmu.kernel_gfn : vcpu->mmu.user_gfn;
}

int rf_walk_guest(struct rf_vcpu *vcpu, struct rf_walk *walk, u64 gva)
{
	walk->read_entry = read_guest_entry;
	walk->ctx = vcpu->vm;
	return rf_walk(walk, current_root(vcpu), gva);
}

int rf_mmu_kernel_gfn(struct rf_vcpu *vcpu, u64 gva, rf_gfn_t *gfn)
{
	struct rf_walk walk = { .read_entry = read_guest_entry, .ctx = vcpu->vm };

	if (!rf_gva_ok(gva) || rf_walk(&walk, vcpu->mmu.kernel_gfn, gva))
		return -EFAULT;
	*gfn = rf_pte_gfn(walk.entry[1]);
	return rf_gfn_in_memory(vcpu->vm, *gfn) ? 0 : -EFAULT;
}

/* @rights: what the entries above the leaf allow (W) and forbid (NX). */
static struct rf_shadow *find_leaf(struct rf_shadow *root, u64 gva, u64 *rights)
{
	struct rf_shadow *sh = root;
	int level;

	*rights = RF_PTE_W;
	for (level = RF_LEVELS; sh && level > 1; level--) {
		u64 spte = READ_ONCE(*rf_spte_at(sh, rf_walk_index(gva, level)));

		if (!spte)
			return NULL;
		*rights = (*rights & (spte | ~RF_PTE_W)) | (spte & RF_PTE_NX);
		sh = rf_spte_child(spte);
	}
	return sh;
}

static const struct rf_leaf_place *leaf_place(struct rf_vcpu *vcpu, u64 gva)
{
	u64 region = gva >> PMD_SHIFT, now = vcpu->vm->mmu.nr_link_changes;
	struct rf_leaf_place *place = &vcpu->mmu.leaf_places[region % RF_LEAF_PLACES];
	struct rf_shadow *root, *leaf;
	u64 rights;

	root = rf_vcpu_in_kernel(vcpu) ? vcpu->mmu.kernel_root : vcpu->mmu.user_root;
	if (place->region == region && place->root == root && place->nr_link_changes == now)
		return place;

	leaf = find_leaf(root, gva, &rights);
	*place = (struct rf_leaf_place) {
		.region = region, .root = root, .nr_link_changes = now, .leaf = leaf,
		.rights = rights,
	};
	return place;
}

struct rf_shadow *rf_shadow_leaf(struct rf_vcpu *vcpu, u64 gva)
{
	return leaf_place(vcpu, gva)->leaf;
}

void *rf_mmu_translate(struct rf_vcpu *vcpu, u64 gva, u32 access)
{
	const struct rf_leaf_place *place;
	u64 spte;

	if (!rf_gva_ok(gva))
		return NULL;
	place = leaf_place(vcpu, gva);
	if (!place->leaf)
		return NULL;
	spte = READ_ONCE(place->leaf->spt[rf_walk_index(gva, 1)]);
	if (!rf_spte_mapped(spte))
		return NULL;
	if ((access & RF_PF_WRITE) && !(spte & place->rights & RF_PTE_W))
		return NULL;
	if ((access & RF_PF_FETCH) && ((spte | place->rights) & RF_PTE_NX))
		return NULL;
	return __va(spte & RF_PTE_GFN) + offset_in_page(gva);
}

/* Set A, and D for a write, in the guest's entries.  0, -EAGAIN or -EFAULT. */
static int set_accessed_dirty(struct rf_vm *vm, struct rf_walk *walk, u64 gva, bool write)
{
	int level;

	for (level = RF_LEVELS; level >= 1; level--) {
		u64 old = walk->entry[level];
		u64 new = old | RF_PTE_A | (level == 1 && write ? RF_PTE_D : 0);
		u64 gpa = (walk->table[level].v << PAGE_SHIFT) +
			  rf_walk_index(gva, level) * sizeof(u64);
		int done;

		if (new == old)
			continue;
		done = rf_guest_cmpxchg_gpa(vm, gpa, &old, new);
		if (done <= 0)
			return done ? done : -EAGAIN;
		walk->entry[level] = new;
	}
	return 0;
}

/* One fault, once its walk has shown that it is ours. */
struct fault {
	struct rf_vcpu *vcpu;
	struct rf_walk *walk;
	u64 gva;
	bool write;
	bool direct_store;	/* into a page table the guest maps read-only */
	struct page *page;
	bool host_writable;
	unsigned long seq;
};

static int fault_get_page(struct fault *f)
{
	struct rf_vm *vm = f->vcpu->vm;
	rf_gfn_t gfn = rf_pte_gfn(f->walk->entry[1]);
	unsigned long uva = rf_memory_uva(vm, gfn);
	bool want_write = f->write || (f->walk->entry[1] & RF_PTE_W);

	/* Writable if that costs nothing, so that a first write needs no fault. */
	if (want_write && get_user_pages_fast_only(uva, 1, FOLL_WRITE, &f->page) == 1) {
		f->host_writable = true;
		return 0;
	}
	f->page = rf_memory_get_page(vm, gfn, f->write);
	if (IS_ERR(f->page))
		return PTR_ERR(f->page);
	f->host_writable = f->write;
	return 0;
}

/* Lock held for reading, with sh->lock, or for writing. */
static void fault_fill(struct fault *f, struct rf_shadow *sh)
{
	struct rf_vm *vm = f->vcpu->vm;
	u64 entry = f->walk->entry[1];
	rf_gfn_t gfn = rf_pte_gfn(entry);
	u64 spte;

	spte = rf_entry_leaf(entry, RF_PFN(page_to_pfn(f->page)), f->host_writable,
			     test_bit(gfn.v, vm->mmu.shadowed));
	if (!spte)	/* A has been cleared meanwhile: fault again */
		return;
	if (f->direct_store && f->host_writable) {
		rf_count(f->vcpu, OUT_OF_SYNC);
		/* Too many at once: the next try closes those first. */
		if (!rf_open_table(vm, gfn, rf_entry_id(sh, rf_walk_index(f->gva, 1))))
			return;
		spte |= RF_PTE_W | RF_SPTE_OUT_OF_SYNC;
	}
	rf_leaf_set(vm, sh, rf_walk_index(f->gva, 1), entry, spte);
	rf_count(f->vcpu, SHADOW_FILL);
}

/*
 * Has the guest's entry stayed what the walk found?  What changes from here on
 * is seen by whoever changes it, for it finds the shadow.  A and D may have been
 * set by another vCPU's fault, or cleared: what they are now is what counts.
 */
static bool walk_still_true(const struct fault *f, int level, const u64 *table)
{
	u64 now = READ_ONCE(table[rf_walk_index(f->gva, level)]);

	if ((now ^ f->walk->entry[level]) & ~(RF_PTE_A | RF_PTE_D))
		return false;
	f->walk->entry[level] = now;
	return true;
}

/* The tables are linked already: fill the leaf with the lock shared. */
static int fault_fast(struct fault *f)
{
	struct rf_vm *vm = f->vcpu->vm;
	struct rf_shadow *sh;
	int err = -ENOENT;

	read_lock(&vm->mmu.lock);
	if (rf_memory_retry(vm, f->seq)) {
		err = -EAGAIN;
		goto out;
	}
	/* A page table that the guest may write to is one no more. */
	if (f->write && !f->direct_store &&
	    test_bit(rf_pte_gfn(f->walk->entry[1]).v, vm->mmu.shadowed))
		goto out;
	sh = rf_shadow_leaf(f->vcpu, f->gva);
	if (!sh || !sh->table || !rf_gfn_eq(sh->gfn, f->walk->table[1]))
		goto out;
	rf_gate_enter(vm);
	spin_lock(&sh->lock);
	err = -EAGAIN;
	if (walk_still_true(f, 1, sh->table)) {
		fault_fill(f, sh);
		err = 0;
	}
	spin_unlock(&sh->lock);
	rf_gate_leave(vm);
out:
	read_unlock(&vm->mmu.lock);
	return err;
}

/* The root of the mode the vCPU is in, remembered for the next entry. */
static struct rf_shadow *fault_root(struct rf_vcpu *vcpu)
{
	struct rf_shadow *sh = rf_shadow_get(vcpu, current_root(vcpu), RF_LEVELS);

	rf_mmu_use_root(vcpu, sh, rf_vcpu_in_kernel(vcpu));
	return sh;
}

/*
 * Hold the tables of the walk, but for those that a shadow knows where they are:
 * their place in @pages stays empty.
 */
static int get_tables(struct fault *f, struct page **pages)
{
	struct rf_vm *vm = f->vcpu->vm;
	bool known[RF_LEVELS + 1];
	int level;

	read_lock(&vm->mmu.lock);
	for (level = RF_LEVELS; level >= 1; level--) {
		struct rf_shadow *sh = rf_shadow_find(vm, f->walk->table[level], level);

		known[level] = sh && sh->table;
	}
	read_unlock(&vm->mmu.lock);

	for (level = RF_LEVELS; level >= 1; level--) {
		struct page *page;

		if (known[level])
			continue;
		page = rf_memory_get_page(vm, f->walk->table[level], true);
		if (IS_ERR(page))
			return PTR_ERR(page);
		pages[level] = page;
	}
	return 0;
}

static void put_tables(struct page **pages)
{
	int level;

	for (level = 1; level <= RF_LEVELS; level++)
		if (pages[level])
			put_page(pages[level]);
}

/* Are the tables still there, with the entries of the walk?  Lock held. */
static bool tables_still_true(struct fault *f, struct page **pages)
{
	struct rf_shadow *sh;
	const u64 *table;
	int level;

	for (level = RF_LEVELS; level >= 1; level--) {
		sh = rf_shadow_find(f->vcpu->vm, f->walk->table[level], level);
		table = pages[level] ? page_address(pages[level]) : sh ? sh->table : NULL;
		if (!table || !walk_still_true(f, level, table))
			return false;
	}
	return true;
}

/* The shadow of the walk's table at @level, which has that table.  Lock held. */
static struct rf_shadow *build_one(struct fault *f, struct page **pages, int level)
{
	struct rf_shadow *sh;

	sh = level == RF_LEVELS ? fault_root(f->vcpu) :
	     rf_shadow_get(f->vcpu, f->walk->table[level], level);
	if (!sh || sh->table)
		return sh;
	sh->table = page_address(pages[level]);
	set_page_dirty(pages[level]);
	if (level == 1)
		rf_sync_new_leaves(f->vcpu->vm, sh);
	return sh;
}

/*
 * Build or link what is missing, then fill.  Guest tables that were not mapped
 * are, so that stores to them can be followed.
 */
static int build(struct fault *f, struct page **pages)
{
	struct rf_vm *vm = f->vcpu->vm;
	struct rf_shadow *sh = NULL;
	int level;

	if (rf_memory_retry(vm, f->seq))
		return -EAGAIN;
	/* These drop shadows: before any is taken hold of. */
	if (f->write && !f->direct_store)
		rf_shadow_drop_gfn(vm, rf_pte_gfn(f->walk->entry[1]));
	rf_shadow_make_room(vm);
	if (!tables_still_true(f, pages))
		return -EAGAIN;

	for (level = RF_LEVELS; level >= 1; level--) {
		struct rf_shadow *child = build_one(f, pages, level);

		if (!child)
			return -ENOMEM;
		if (sh)
			rf_shadow_link(vm, sh, rf_walk_index(f->gva, level + 1),
				       f->walk->entry[level + 1], child);
		sh = child;
	}
	fault_fill(f, sh);
	return 0;
}

static int fault_slow(struct fault *f)
{
	struct rf_vm *vm = f->vcpu->vm;
	struct page *pages[RF_LEVELS + 1] = {};
	int err;

	if (rf_shadow_top_up(f->vcpu))
		return -ENOMEM;
	err = get_tables(f, pages);
	if (!err) {
		rf_shadow_lock(vm);
		err = build(f, pages);
		rf_shadow_unlock(vm);
	}
	put_tables(pages);
	return err;
}

static bool walk_uses(const struct rf_walk *walk, rf_gfn_t gfn)
{
	int level;

	for (level = 1; level <= RF_LEVELS; level++)
		if (rf_gfn_eq(walk->table[level], gfn))
			return true;
	return false;
}

/* The error code of an address that is not mapped. */
static u32 error_not_present(const struct fault *f, u32 asked)
{
	return (asked & (RF_PF_WRITE | RF_PF_FETCH)) |
	       (rf_vcpu_in_kernel(f->vcpu) ? 0 : RF_PF_USER);
}

/* A direct store is let through by its leaf: the entries above have to allow it. */
static bool writable_above(const struct rf_walk *walk)
{
	int level;

	for (level = 2; level <= RF_LEVELS; level++)
		if (!(walk->entry[level] & RF_PTE_W))
			return false;
	return true;
}

/* Whose fault is it, by a walk that has reached the leaf?  0: ours, 1: the guest's. */
static int fault_judge(struct fault *f, u32 *error)
{
	struct rf_vm *vm = f->vcpu->vm;
	bool fetch = *error & RF_PF_FETCH;
	rf_gfn_t gfn;

	gfn = rf_pte_gfn(f->walk->entry[1]);
	if (!rf_gfn_in_memory(vm, gfn))
		return 1;
	if (fetch && f->walk->nx) {
		*error |= RF_PF_PRESENT;
		return 1;
	}
	/* A write through the very table it changes: let it, and look after it. */
	if (f->write && f->walk->writable && walk_uses(f->walk, gfn)) {
		f->direct_store = true;
		return 0;
	}
	if (f->write && !f->walk->writable) {
		f->direct_store = rf_vcpu_in_kernel(f->vcpu) && writable_above(f->walk) &&
				  (test_bit(gfn.v, vm->mmu.shadowed) ||
				   test_bit(gfn.v, vm->mmu.pinned));
		if (!f->direct_store) {
			*error |= RF_PF_PRESENT;
			return 1;
		}
	}
	return 0;
}

/* Whose fault is it?  0: ours, 1: the guest's. */
static int fault_check(struct fault *f, u32 *error)
{
	int err;

	*error = error_not_present(f, *error);
	err = rf_walk_guest(f->vcpu, f->walk, f->gva);
	if (err == -ENOENT || err == -EFAULT)
		return 1;
	if (err) {
		*error |= RF_PF_PRESENT | RF_PF_RSVD;
		return 1;
	}
	return fault_judge(f, error);
}

/* --- by the shadows alone ------------------------------------------------------ */

/*
 * Walk the guest's tables where the shadows know them to be.  The leaf's shadow;
 * NULL if one is missing, or no longer what the guest's table says; or
 * ERR_PTR(-ENOENT): an entry is not present.  Lock held for reading.
 */
static struct rf_shadow *walk_shadows(struct rf_vcpu *vcpu, struct rf_walk *walk, u64 gva)
{
	struct rf_shadow *sh;
	int level;

	sh = rf_vcpu_in_kernel(vcpu) ? vcpu->mmu.kernel_root : vcpu->mmu.user_root;
	walk->writable = true;
	walk->nx = false;
	for (level = RF_LEVELS; sh && sh->table; level--) {
		unsigned int index = rf_walk_index(gva, level);
		u64 entry = READ_ONCE(sh->table[index]);
		u64 spte;

		walk->table[level] = sh->gfn;
		walk->entry[level] = entry;
		if (!(entry & RF_PTE_P))
			return ERR_PTR(-ENOENT);
		walk->writable &= !!(entry & RF_PTE_W);
		walk->nx |= !!(entry & RF_PTE_NX);
		if (level == 1)
			return sh;
		spte = READ_ONCE(*rf_spte_at(sh, index));
		if (!spte || ((entry ^ sh->synced[index]) & ~(RF_PTE_A | RF_PTE_D)) ||
		    (entry & RF_PTE_PS))
			return NULL;
		sh = rf_spte_child(spte);
	}
	return NULL;
}

/* Set A, and D for a write.  False if an entry has changed.  Lock held for reading. */
static bool mark_entries(struct fault *f, struct rf_shadow *leaf)
{
	int level;

	for (level = RF_LEVELS; level >= 1; level--) {
		unsigned int index = rf_walk_index(f->gva, level);
		u64 old = f->walk->entry[level];
		u64 new = old | RF_PTE_A | (level == 1 && f->write ? RF_PTE_D : 0);
		struct rf_shadow *sh = leaf;

		if (new == old)
			continue;
		if (level > 1)
			sh = rf_shadow_find(f->vcpu->vm, f->walk->table[level], level);
		if (!sh || !sh->table || !try_cmpxchg64(&sh->table[index], &old, new))
			return false;
		f->walk->entry[level] = new;
	}
	return true;
}

/* Fill from another entry that maps the frame.  Lock held for reading. */
static int fill_known(struct fault *f, struct rf_shadow *sh)
{
	struct rf_vm *vm = f->vcpu->vm;
	rf_gfn_t gfn = rf_pte_gfn(f->walk->entry[1]);
	u64 known = rf_rmap_known(vm, gfn), spte = 0;

	if (!known || (f->write && !(known & RF_SPTE_HOST_WRITABLE)) ||
	    test_bit(gfn.v, vm->mmu.shadowed) || !mark_entries(f, sh))
		return -EAGAIN;

	spin_lock(&sh->lock);
	if (walk_still_true(f, 1, sh->table))
		spte = rf_entry_leaf(f->walk->entry[1], RF_PFN((known & RF_PTE_GFN) >> PAGE_SHIFT),
				     known & RF_SPTE_HOST_WRITABLE, false);
	if (spte)
		rf_leaf_set(vm, sh, rf_walk_index(f->gva, 1), f->walk->entry[1], spte);
	spin_unlock(&sh->lock);
	if (!spte)
		return -EAGAIN;
	rf_count(f->vcpu, SHADOW_FILL);
	return 0;
}

/* 0: fixed, 1: the guest's, -EAGAIN: it takes more than that. */
static int fault_by_shadow(struct fault *f, u32 *error)
{
	struct rf_vm *vm = f->vcpu->vm;
	struct rf_shadow *sh;
	int err = -EAGAIN;

	*error = error_not_present(f, *error);
	read_lock(&vm->mmu.lock);
	sh = vm->mmu.notifier_count ? NULL : walk_shadows(f->vcpu, f->walk, f->gva);
	if (IS_ERR(sh))
		err = 1;
	else if (sh)
		err = fault_judge(f, error);
	if (!err && f->direct_store) {
		err = -EAGAIN;
	} else if (!err) {
		rf_gate_enter(vm);
		err = fill_known(f, sh);
		rf_gate_leave(vm);
	}
	read_unlock(&vm->mmu.lock);
	return err;
}

/* --- all of it ------------------------------------------------------------------ */

static int fault_once(struct rf_vcpu *vcpu, u64 gva, bool write, u32 *error)
{
	struct rf_walk walk;
	struct fault f = { .vcpu = vcpu, .walk = &walk, .gva = gva, .write = write };
	struct rf_vm *vm = vcpu->vm;
	int err;

	err = fault_by_shadow(&f, error);
	if (err >= 0)
		return err;
	f.direct_store = false;

	err = rf_memory_wait(vm);
	if (err)
		return err;
	f.seq = READ_ONCE(vm->mmu.notifier_seq);
	smp_rmb();	/* before any look at guest or host tables */

	err = fault_check(&f, error);
	if (err)
		return err;
	if (f.direct_store && READ_ONCE(vm->mmu.nr_open_leaves) == RF_MAX_OPEN)
		rf_close_tables(vcpu);
	err = set_accessed_dirty(vm, &walk, gva, write && !f.direct_store);
	if (err)
		return err;
	err = fault_get_page(&f);
	if (err)
		return err;

	err = fault_fast(&f);
	if (err == -ENOENT)
		err = fault_slow(&f);
	if (!err && f.host_writable)
		set_page_dirty(f.page);
	put_page(f.page);
	return err;
}

enum rf_fault rf_mmu_fault(struct rf_vcpu *vcpu, u64 gva, u32 *error)
{
	bool write = *error & RF_PF_WRITE;
	u32 asked = *error;
	int try, err;

	if (!rf_gva_ok(gva)) {
		*error = (*error & (RF_PF_WRITE | RF_PF_FETCH)) |
			 (rf_vcpu_in_kernel(vcpu) ? 0 : RF_PF_USER);
		if (!(asked & (RF_PF_WRITE | RF_PF_FETCH)) && rf_vcpu_in_kernel(vcpu) &&
		    !rf_m2p_fault(vcpu->vm, gva))
			return RF_FAULT_FIXED;
		return RF_FAULT_GUEST;
	}

	for (try = 0; try < MAX_TRIES; try++) {
		*error = asked;
		err = fault_once(vcpu, gva, write, error);
		if (!err)
			return RF_FAULT_FIXED;
		if (err > 0)
			return RF_FAULT_GUEST;
		if (fatal_signal_pending(current))
			return RF_FAULT_RETRY;
		if (err != -EAGAIN && err != -EINTR && err != -ERESTARTSYS) {
			rf_vm_kill(vcpu->vm, "no host memory behind guest address %#llx: error %d",
				   gva, err);
			return RF_FAULT_KILLED;
		}
		cond_resched();
	}
	return RF_FAULT_RETRY;
}
