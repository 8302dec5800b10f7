// SPDX-License-Identifier: GPL-2.0
/*
 * sync.c - the guest changed a live table: by hypercall, or by a plain store
 *
 * By hypercall, its entry and the shadow's are written in one step.  A plain
 * store first faults, for the guest maps its live tables read-only; the table
 * is then left open and out of sync, and brought up to date at the next flush,
 * which the guest must ask for anyway before it relies on the change.
 */
#include <linux/mm.h>

#include "../guestmem.h"
#include "../trace.h"
#include "shadow.h"

/* The same frame as before, already mapped: only its rights can have changed. */
static bool sync_rights(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index, u64 entry)
{
	u64 known = sh->spt[index], spte;

	if (!(entry & RF_PTE_P) || !rf_spte_mapped(known) ||
	    ((entry ^ sh->synced[index]) & RF_PTE_GFN))
		return false;
	spte = rf_entry_leaf(entry, RF_PFN((known & RF_PTE_GFN) >> PAGE_SHIFT),
			     known & RF_SPTE_HOST_WRITABLE,
			     test_bit(rf_pte_gfn(entry).v, vm->mmu.shadowed));
	if (!spte)
		return false;
	WRITE_ONCE(sh->spt[index], spte);
	sh->synced[index] = entry;
	return true;
}

/* A guest entry has changed: follow, as far as no page has to be faulted in. */
void rf_sync_leaf(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index, u64 entry)
{
	rf_gfn_t gfn = rf_pte_gfn(entry);
	u64 known = 0, spte = 0;

	if (sync_rights(vm, sh, index, entry))
		return;

	/* While the host takes pages away it might never get to the list's end. */
	if ((entry & RF_PTE_P) && (entry & RF_PTE_A) && rf_gfn_in_memory(vm, gfn) &&
	    !vm->mmu.notifier_count)
		known = rf_rmap_known(vm, gfn);
	if (known)
		spte = rf_entry_leaf(entry, RF_PFN((known & RF_PTE_GFN) >> PAGE_SHIFT),
				     known & RF_SPTE_HOST_WRITABLE,
				     test_bit(gfn.v, vm->mmu.shadowed));

	if (spte) {
		rf_leaf_set(vm, sh, index, entry, spte);
		return;
	}
	rf_leaf_clear(vm, sh, index);
	WRITE_ONCE(sh->spt[index], entry & RF_PTE_P ? 0 : rf_spte_absent);
	sh->synced[index] = entry;
	rf_entry_use(sh, index);
}

/* The same for an entry that points to a table.  Lock held for writing. */
void rf_sync_table(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index, u64 entry)
{
	rf_gfn_t gfn = rf_pte_gfn(entry);
	struct rf_shadow *child = NULL;

	lockdep_assert_held_write(&vm->mmu.lock);
	if ((entry & RF_PTE_P) && !(entry & RF_PTE_PS) && rf_gfn_in_memory(vm, gfn))
		child = rf_shadow_find(vm, gfn, sh->level - 1);

	if (child) {
		rf_shadow_link(vm, sh, index, entry, child);
	} else {
		rf_shadow_unlink(vm, sh, index);
		sh->synced[index] = entry;
		rf_entry_use(sh, index);
	}
}

/* Entries looked at together, to see whether there is anything to do for any. */
#define GROUP	8

static u64 any_differs(const u64 *a, const u64 *b)
{
	return (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]) |
	       (a[4] ^ b[4]) | (a[5] ^ b[5]) | (a[6] ^ b[6]) | (a[7] ^ b[7]);
}

static u64 any_set(const u64 *a)
{
	return a[0] | a[1] | a[2] | a[3] | a[4] | a[5] | a[6] | a[7];
}

void rf_sync_all_leaves(struct rf_vm *vm, struct rf_shadow *sh)
{
	unsigned int group, i;

	for (group = 0; group < RF_ENTRIES; group += GROUP) {
		if (!any_differs(&sh->table[group], &sh->synced[group]))
			continue;
		for (i = group; i < group + GROUP; i++) {
			u64 entry = READ_ONCE(sh->table[i]);

			if (entry != sh->synced[i])
				rf_sync_leaf(vm, sh, i, entry);
		}
	}
}

/* The same, when what @sh has been synced with is not known, where it is used. */
void rf_sync_new_leaves(struct rf_vm *vm, struct rf_shadow *sh)
{
	const u8 *used = (const u8 *)sh->used;	/* a byte a group */
	unsigned int group, i;

	BUILD_BUG_ON(GROUP != BITS_PER_BYTE);

	for (group = 0; group < RF_ENTRIES; group += GROUP) {
		if (!any_set(&sh->table[group]) && !used[group / GROUP])
			continue;
		for (i = group; i < group + GROUP; i++)
			rf_sync_leaf(vm, sh, i, READ_ONCE(sh->table[i]));
	}
}

/* --- direct stores -------------------------------------------------------- */

/* @sh's table is writable for the guest from now on.  Lock held for reading. */
void rf_mark_out_of_sync(struct rf_vm *vm, struct rf_shadow *sh)
{
	struct rf_vm_mmu *mmu = &vm->mmu;
	struct rf_vcpu *vcpu;
	unsigned int i;

	spin_lock(&mmu->out_of_sync_lock);
	if (!sh->out_of_sync) {
		sh->out_of_sync = true;
		list_add_tail(&sh->oos_node, &mmu->out_of_sync);
		WRITE_ONCE(mmu->nr_out_of_sync, mmu->nr_out_of_sync + 1);
		smp_mb();	/* pairs with allow_fast_roots(): count, then flag */
		rf_for_each_vcpu(vm, vcpu, i)
			WRITE_ONCE(vcpu->world->fast_roots, 0);
		trace_rf_out_of_sync(vm, sh->gfn.v, sh->level);
	}
	spin_unlock(&mmu->out_of_sync_lock);
}

/*
 * Let the guest store to table @gfn by the leaf @entry_id, which the caller is
 * about to fill.  False if there are as many such leaves as there may be.
 */
bool rf_open_table(struct rf_vm *vm, rf_gfn_t gfn, u32 entry_id)
{
	struct rf_vm_mmu *mmu = &vm->mmu;
	struct rf_shadow *sh;
	bool room;

	spin_lock(&mmu->out_of_sync_lock);
	room = mmu->nr_open_leaves < RF_MAX_OPEN;
	if (room) {
		mmu->open_leaves[mmu->nr_open_leaves].entry = entry_id;
		mmu->open_leaves[mmu->nr_open_leaves].gfn = gfn.v;
		WRITE_ONCE(mmu->nr_open_leaves, mmu->nr_open_leaves + 1);
	}
	spin_unlock(&mmu->out_of_sync_lock);
	if (!room)
		return false;

	set_bit(gfn.v, mmu->open);
	hlist_for_each_entry(sh, rf_shadow_bucket(vm, gfn), hash)
		if (rf_gfn_eq(sh->gfn, gfn))
			rf_mark_out_of_sync(vm, sh);
	return true;
}

/* Take back the writable entries that let the guest store into its tables. */
static void protect_tables(struct rf_vm *vm)
{
	struct rf_vm_mmu *mmu = &vm->mmu;
	u32 i;

	for (i = 0; i < mmu->nr_open_leaves; i++) {
		const struct rf_open_leaf *open = &mmu->open_leaves[i];
		struct rf_shadow *sh = rf_entry_shadow(vm, open->entry);

		clear_bit(open->gfn, mmu->open);
		if (sh && (sh->spt[open->entry % RF_ENTRIES] & RF_SPTE_OUT_OF_SYNC)) {
			u64 *spte = &sh->spt[open->entry % RF_ENTRIES];

			WRITE_ONCE(*spte, *spte & ~(RF_SPTE_OUT_OF_SYNC | RF_PTE_W));
		}
	}
	WRITE_ONCE(mmu->nr_open_leaves, 0);
}

static void resync(struct rf_vm *vm, struct rf_shadow *sh)
{
	unsigned int i;

	/* The host has moved the table: forget the shadow, a fault remakes it. */
	if (!sh->table) {
		rf_shadow_drop(vm, sh);
		return;
	}

	if (sh->level == 1) {
		rf_sync_all_leaves(vm, sh);
		return;
	}
	for (i = 0; i < RF_ENTRIES; i++) {
		u64 entry = READ_ONCE(sh->table[i]);

		if (entry != sh->synced[i] && !rf_slot_reserved(sh->level, i))
			rf_sync_table(vm, sh, i, entry);
	}
}

void rf_close_tables(struct rf_vcpu *vcpu)
{
	struct rf_vm *vm = vcpu->vm;
	struct rf_vm_mmu *mmu = &vm->mmu;
	struct rf_shadow *sh;

	rf_shadow_lock(vm);
	/*
	 * Close the tables on every CPU first.  A store through a stale TLB
	 * entry after its entry has been read here would be lost.
	 */
	protect_tables(vm);
	rf_mmu_flush_vcpus(vm, NULL);

	while (!list_empty(&mmu->out_of_sync)) {
		sh = list_first_entry(&mmu->out_of_sync, struct rf_shadow, oos_node);
		list_del_init(&sh->oos_node);
		sh->out_of_sync = false;
		mmu->nr_out_of_sync--;
		trace_rf_resync(vm, sh->gfn.v, sh->level);
		resync(vm, sh);
		rf_count(vcpu, RESYNC);
	}
	rf_shadow_unlock(vm);
}

void rf_mmu_sync(struct rf_vcpu *vcpu)
{
	/* The vCPU's own stores come before its own flush. */
	vcpu->mmu.flush = true;
	if (READ_ONCE(vcpu->vm->mmu.nr_out_of_sync))
		rf_close_tables(vcpu);
}

/* --- hypercalls -------------------------------------------------------------- */

static int try_entry(void *entry, u64 *old, u64 new)
{
	return try_cmpxchg64((u64 *)entry, old, new);
}

/* Write a guest entry in place; returns what it is now. */
static u64 store_entry(u64 *entry, u64 val, bool keep_ad)
{
	if (!keep_ad || rf_entry_exchange(entry, &val, READ_ONCE(*entry), try_entry))
		WRITE_ONCE(*entry, val);
	return val;
}

struct plain_entry {
	struct rf_vm *vm;
	u64 gpa;
};

static int try_plain(void *at, u64 *old, u64 new)
{
	const struct plain_entry *entry = at;

	return rf_guest_cmpxchg_gpa(entry->vm, entry->gpa, old, new);
}

/* One whose A and D are to stay. */
static int exchange_plain(struct rf_vm *vm, u64 gpa, u64 val)
{
	struct plain_entry entry = { vm, gpa };
	u64 old;
	int err;

	err = rf_guest_read_entry(vm, &old, gpa);
	if (!err)
		err = rf_entry_exchange(&entry, &val, old, try_plain);
	return err == -EAGAIN ? rf_guest_write_entry(vm, gpa, val) : err;
}

/* Not shadowed: just memory. */
static long write_plain(struct rf_vm *vm, rf_gfn_t gfn, const struct mmu_update *updates,
			u32 nr, bool keep_ad)
{
	int err = 0;
	u32 i;

	if (!keep_ad)
		return rf_guest_write_entries(vm, gfn, updates, nr);

	for (i = 0; i < nr && !err; i++)
		err = exchange_plain(vm, updates[i].ptr & ~7ULL, updates[i].val);
	return err;
}

static unsigned int update_index(const struct mmu_update *update)
{
	return offset_in_page(update->ptr) / sizeof(u64);
}

/* The common case: leaves of a table that is shadowed once. */
static bool write_leaves(struct rf_vcpu *vcpu, rf_gfn_t gfn, const struct mmu_update *updates,
			 u32 nr, bool keep_ad)
{
	struct rf_vm *vm = vcpu->vm;
	struct rf_shadow *sh;
	u32 i;

	if (!test_bit(gfn.v, vm->mmu.shadowed))
		return false;

	read_lock(&vm->mmu.lock);
	sh = rf_shadow_find(vm, gfn, 0);
	if (!sh || sh->level != 1 || !sh->alone || !sh->table) {
		read_unlock(&vm->mmu.lock);
		return false;
	}
	rf_gate_enter(vm);
	spin_lock(&sh->lock);
	for (i = 0; i < nr; i++) {
		unsigned int index = update_index(&updates[i]);
		u64 val = store_entry(&sh->table[index], updates[i].val, keep_ad);

		rf_sync_leaf(vm, sh, index, val);
	}
	spin_unlock(&sh->lock);
	rf_gate_leave(vm);
	rf_mmu_show_leaf(vcpu, sh);
	read_unlock(&vm->mmu.lock);
	return true;
}

/* An entry of a shadowed table has changed in memory. */
static void follow_entry(struct rf_vm *vm, rf_gfn_t gfn, unsigned int index)
{
	struct rf_shadow *sh;
	u64 val;

again:
	hlist_for_each_entry(sh, rf_shadow_bucket(vm, gfn), hash) {
		if (!rf_gfn_eq(sh->gfn, gfn) || rf_slot_reserved(sh->level, index))
			continue;
		/* The host has moved the table: a fault remakes the shadow. */
		if (!sh->table) {
			rf_shadow_drop(vm, sh);
			goto again;
		}
		val = READ_ONCE(sh->table[index]);
		if (sh->level == 1)
			rf_sync_leaf(vm, sh, index, val);
		else
			rf_sync_table(vm, sh, index, val);
	}
}

static long write_table(struct rf_vcpu *vcpu, rf_gfn_t gfn, const struct mmu_update *updates,
			u32 nr, bool keep_ad)
{
	struct rf_vm *vm = vcpu->vm;
	long err;
	u32 i;

	if (write_leaves(vcpu, gfn, updates, nr, keep_ad))
		return 0;

	/* Not a table, or one above the leaves: links change. */
	err = write_plain(vm, gfn, updates, nr, keep_ad);
	smp_mb();	/* entry, then shadow; a fault makes the shadow, then reads */
	if (!test_bit(gfn.v, vm->mmu.shadowed))
		return err;

	rf_shadow_lock(vm);
	for (i = 0; i < nr; i++)
		follow_entry(vm, gfn, update_index(&updates[i]));
	rf_shadow_unlock(vm);
	return err;
}

static bool update_ok(struct rf_vm *vm, const struct mmu_update *update)
{
	return !(update->val & RF_PTE_P) || rf_gfn_in_memory(vm, rf_pte_gfn(update->val));
}

long rf_mmu_write_entries(struct rf_vcpu *vcpu, const struct mmu_update *updates, u32 nr,
			  bool keep_ad)
{
	rf_gfn_t gfn = RF_GFN(updates->ptr >> PAGE_SHIFT);
	struct rf_vm *vm = vcpu->vm;
	long err;
	u32 n;

	if (!rf_gfn_in_memory(vm, gfn))
		return -EINVAL;
	for (n = 0; n < nr && updates[n].ptr >> PAGE_SHIFT == gfn.v; n++)
		if (!update_ok(vm, &updates[n]))
			break;
	if (!n)
		return -EINVAL;

	err = write_table(vcpu, gfn, updates, n, keep_ad);
	return err ? err : n;
}

/* The table that has the leaf entry of @gva, which need not be present. */
static rf_gfn_t find_leaf_table(struct rf_vcpu *vcpu, u64 gva)
{
	struct rf_walk walk;

	rf_walk_guest(vcpu, &walk, gva);
	return walk.level == 1 ? walk.table[1] : RF_NO_GFN;
}

long rf_mmu_write_va(struct rf_vcpu *vcpu, u64 gva, u64 val)
{
	struct mmu_update update = { .val = val };
	struct rf_vm *vm = vcpu->vm;
	struct rf_shadow *sh;
	rf_gfn_t table = RF_NO_GFN;
	long err;

	if (!rf_gva_ok(gva))
		return -EINVAL;

	read_lock(&vm->mmu.lock);
	sh = rf_shadow_leaf(vcpu, gva);
	if (sh)
		table = sh->gfn;
	read_unlock(&vm->mmu.lock);

	if (!sh)
		table = find_leaf_table(vcpu, gva);
	if (rf_gfn_eq(table, RF_NO_GFN))
		return -EINVAL;
	update.ptr = (table.v << PAGE_SHIFT) + rf_walk_index(gva, 1) * sizeof(u64);
	err = rf_mmu_write_entries(vcpu, &update, 1, false);
	return err < 0 ? err : 0;
}

bool rf_mmu_is_table(struct rf_vm *vm, rf_gfn_t gfn)
{
	return rf_gfn_in_memory(vm, gfn) && test_bit(gfn.v, vm->mmu.shadowed);
}

/* --- pinning ------------------------------------------------------------------ */

long rf_mmu_pin(struct rf_vcpu *vcpu, rf_gfn_t gfn, int level)
{
	struct rf_vm *vm = vcpu->vm;

	if (!rf_gfn_in_memory(vm, gfn))
		return -EINVAL;
	if (test_and_set_bit(gfn.v, vm->mmu.pinned))
		return -EINVAL;
	return 0;
}

/* The guest is done with a table: so is its shadow. */
long rf_mmu_unpin(struct rf_vcpu *vcpu, rf_gfn_t gfn)
{
	struct rf_vm *vm = vcpu->vm;

	if (!rf_gfn_in_memory(vm, gfn) || !test_and_clear_bit(gfn.v, vm->mmu.pinned))
		return -EINVAL;
	if (!test_bit(gfn.v, vm->mmu.shadowed))
		return 0;

	rf_shadow_lock(vm);
	rf_shadow_drop_gfn(vm, gfn);
	rf_shadow_unlock(vm);
	return 0;
}
