// SPDX-License-Identifier: GPL-2.0
/*
 * mmu.c - set up and taken down: the module's, a VM's and a vCPU's share
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "shadow.h"

int rf_mmu_init(void)
{
	rf_absent_init();
	return rf_m2p_init();
}

void rf_mmu_exit(void)
{
	rf_m2p_exit();
}

/* --- a vCPU's ----------------------------------------------------------------- */

void rf_mmu_vcpu_init(struct rf_vcpu *vcpu)
{
	INIT_LIST_HEAD(&vcpu->mmu.cache);
	vcpu->mmu.flush = true;
	vcpu->mmu.roots_stale = true;
	rf_pcid_init(&vcpu->mmu.pcids);
}

void rf_mmu_vcpu_exit(struct rf_vcpu *vcpu)
{
	rf_mmu_forget_pcids(vcpu);
	rf_shadow_free_cache(vcpu);
}

/* --- a VM's -------------------------------------------------------------------- */

int rf_mmu_vm_init(struct rf_vm *vm, u64 max_shadows)
{
	struct rf_vm_mmu *mmu = &vm->mmu;
	int i;

	rwlock_init(&mmu->lock);
	init_waitqueue_head(&mmu->notifier_wait);
	for (i = 0; i < ARRAY_SIZE(mmu->hash); i++)
		INIT_HLIST_HEAD(&mmu->hash[i]);
	for (i = 0; i < RF_RMAP_LOCKS; i++)
		spin_lock_init(&mmu->rmap_locks[i]);
	spin_lock_init(&mmu->out_of_sync_lock);
	spin_lock_init(&mmu->spares_lock);
	INIT_LIST_HEAD(&mmu->spares);
	INIT_LIST_HEAD(&mmu->leaves);
	INIT_LIST_HEAD(&mmu->tables);
	INIT_LIST_HEAD(&mmu->orphans);
	INIT_LIST_HEAD(&mmu->out_of_sync);
	INIT_LIST_HEAD(&mmu->zombies);
	mmu->max_shadows = min_t(u64, max_shadows, 1U << 22);
	return 0;
}

static void free_tables(struct rf_vm_mmu *mmu)
{
	kvfree(mmu->by_id);
	kvfree(mmu->ids);
	kvfree(mmu->pinned);
	kvfree(mmu->shadowed);
	kvfree(mmu->open);
	kvfree(mmu->rmap);
	mmu->by_id = NULL;
	mmu->ids = NULL;
	mmu->pinned = NULL;
	mmu->shadowed = NULL;
	mmu->open = NULL;
	mmu->rmap = NULL;
}

/* What the switcher needs of it, without looking through ranges of memory. */
static void show_leaves(struct rf_vm *vm)
{
	struct rf_vm_mmu *mmu = &vm->mmu;

	if (!vm->slots[0].base_gfn)
		mmu->shared.nr_frames = vm->slots[0].nr_pages;
	mmu->shared.shadowed = mmu->shadowed;
	mmu->shared.rmap = mmu->rmap;
	mmu->shared.by_id = mmu->by_id;
}

int rf_mmu_vm_size(struct rf_vm *vm)
{
	struct rf_vm_mmu *mmu = &vm->mmu;

	/* Tables of 1/16 of the memory, and what 64 vCPUs at least need. */
	if (!mmu->max_shadows)
		mmu->max_shadows = vm->max_gfn / 16 + 1024;
	mmu->max_shadows = max(mmu->max_shadows, 1024U);
	if (rf_shrink_init(vm))
		return -ENOMEM;

	mmu->by_id = kvcalloc(mmu->max_shadows, sizeof(*mmu->by_id), GFP_KERNEL_ACCOUNT);
	mmu->ids = kvcalloc(BITS_TO_LONGS(mmu->max_shadows), sizeof(long), GFP_KERNEL_ACCOUNT);
	mmu->pinned = kvcalloc(BITS_TO_LONGS(vm->max_gfn), sizeof(long), GFP_KERNEL_ACCOUNT);
	mmu->shadowed = kvcalloc(BITS_TO_LONGS(vm->max_gfn), sizeof(long), GFP_KERNEL_ACCOUNT);
	mmu->open = kvcalloc(BITS_TO_LONGS(vm->max_gfn), sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!mmu->by_id || !mmu->ids || !mmu->pinned || !mmu->shadowed || !mmu->open)
		goto err_free;

	/* Last: the notifier takes it for "ready". */
	mmu->rmap = kvcalloc(vm->max_gfn, sizeof(*mmu->rmap), GFP_KERNEL_ACCOUNT);
	if (mmu->rmap) {
		show_leaves(vm);
		return 0;
	}
err_free:
	free_tables(mmu);
	return -ENOMEM;
}

/* No vCPU runs, and the notifier is gone. */
void rf_mmu_vm_exit(struct rf_vm *vm)
{
	struct rf_vm_mmu *mmu = &vm->mmu;
	u32 id;

	rf_shrink_exit(vm);
	if (mmu->rmap) {
		rf_shadow_lock(vm);
		for_each_set_bit(id, mmu->ids, mmu->max_shadows) {
			rf_shadow_drop(vm, mmu->by_id[id]);
			cond_resched_rwlock_write(&mmu->lock);
		}
		rf_shadow_unlock(vm);
	}
	rf_shadow_free_spares(vm);
	free_tables(mmu);
}
