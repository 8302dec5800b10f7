// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c - guest frame to host page; the mmu_notifier
 *
 * Guest memory is the launcher's own mapping.  Pages are looked up when they
 * are needed and not held: the notifier zaps what refers to them before the
 * host takes them away, and whoever looked one up meanwhile sees the sequence
 * number move and looks again.
 */
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "../trace.h"
#include "../vm.h"
#include "shadow.h"

struct page *rf_memory_get_page(struct rf_vm *vm, rf_gfn_t gfn, bool write)
{
	unsigned long uva = rf_memory_uva(vm, gfn);
	struct page *page;
	int nr;

	if (!uva)
		return ERR_PTR(-EFAULT);
	nr = get_user_pages_fast(uva, 1, write ? FOLL_WRITE : 0, &page);
	if (nr == 1)
		return page;
	return ERR_PTR(nr < 0 ? nr : -EFAULT);
}

/* Frames, or entries of one, zapped before others get a chance at the lock. */
#define ZAP_BATCH	1024

static void zap_gfn(struct rf_vm *vm, rf_gfn_t gfn, bool may_yield)
{
	struct rf_shadow *sh;
	u32 id, nr = 0;

	if (vm->mmu.rmap[gfn.v])
		rf_count_vm(vm, NOTIFIER_ZAP);
	while ((id = vm->mmu.rmap[gfn.v])) {
		rf_leaf_clear(vm, rf_entry_shadow(vm, id), id % RF_ENTRIES);
		if (may_yield && ++nr % ZAP_BATCH == 0)
			cond_resched_rwlock_write(&vm->mmu.lock);
	}

	if (test_bit(gfn.v, vm->mmu.shadowed))
		hlist_for_each_entry(sh, rf_shadow_bucket(vm, gfn), hash)
			if (rf_gfn_eq(sh->gfn, gfn))
				sh->table = NULL;
}

/*
 * Nothing is filled while notifier_count is up, so the lock may be given to
 * others in between.
 */
static bool zap_uva_range(struct rf_vm *vm, unsigned long start, unsigned long end,
			  bool may_yield)
{
	bool zapped = false;
	u32 i;

	for (i = 0; i < vm->nr_slots; i++) {
		const struct rf_memslot *slot = &vm->slots[i];
		unsigned long slot_end = slot->uva + (slot->nr_pages << PAGE_SHIFT);
		unsigned long from = max(start, slot->uva);
		unsigned long to = min(end, slot_end);
		u64 gfn, last;

		if (from >= to)
			continue;
		gfn = slot->base_gfn + ((from - slot->uva) >> PAGE_SHIFT);
		last = slot->base_gfn + ((to - 1 - slot->uva) >> PAGE_SHIFT);
		for (; gfn <= last; gfn++) {
			zap_gfn(vm, RF_GFN(gfn), may_yield);
			if (may_yield && gfn % ZAP_BATCH == 0)
				cond_resched_rwlock_write(&vm->mmu.lock);
		}
		zapped = true;
	}
	return zapped;
}

static int notifier_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct rf_vm *vm = container_of(mn, struct rf_vm, notifier);

	trace_rf_notifier(vm, range->start, range->end);
	write_lock(&vm->mmu.lock);
	vm->mmu.notifier_count++;
	rf_gate_enter(vm);	/* until notifier_end() */
	if (vm->mmu.rmap && zap_uva_range(vm, range->start, range->end,
					  mmu_notifier_range_blockable(range)))
		rf_mmu_flush_vcpus(vm, NULL);
	write_unlock(&vm->mmu.lock);
	return 0;
}

static void notifier_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct rf_vm *vm = container_of(mn, struct rf_vm, notifier);
	bool last;

	write_lock(&vm->mmu.lock);
	vm->mmu.notifier_seq++;
	last = !--vm->mmu.notifier_count;
	rf_gate_leave(vm);
	write_unlock(&vm->mmu.lock);
	if (last && wq_has_sleeper(&vm->mmu.notifier_wait))
		wake_up_all(&vm->mmu.notifier_wait);
}

int rf_memory_wait(struct rf_vm *vm)
{
	return wait_event_killable(vm->mmu.notifier_wait,
				   !READ_ONCE(vm->mmu.notifier_count) || READ_ONCE(vm->dead));
}

/* The launcher's address space goes, and with it the guest's memory. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct rf_vm *vm = container_of(mn, struct rf_vm, notifier);

	rf_vm_kill(vm, "the launcher has gone");
	write_lock(&vm->mmu.lock);
	vm->mmu.notifier_count++;	/* for good: nothing is filled any more */
	rf_gate_enter(vm);
	if (vm->mmu.rmap)
		zap_uva_range(vm, 0, ULONG_MAX, true);
	write_unlock(&vm->mmu.lock);
	rf_mmu_flush_vcpus(vm, NULL);
}

const struct mmu_notifier_ops rf_mmu_notifier_ops = {
	.invalidate_range_start	= notifier_start,
	.invalidate_range_end	= notifier_end,
	.release		= notifier_release,
};
