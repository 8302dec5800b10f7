// SPDX-License-Identifier: GPL-2.0
/*
 * shrink.c - give shadow pages back when the host is short of memory
 *
 * A shadow says nothing that the guest's own tables do not: one that is dropped
 * costs the faults that build it again.
 */
#include "../compat.h"
#include "../vm.h"
#include "shadow.h"

/* Shadows dropped with the lock held once. */
#define SHRINK_BATCH	32

static unsigned long shrink_count(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct rf_vm *vm = rf_shrinker_private(shrinker);
	u32 nr = READ_ONCE(vm->mmu.nr_shadows) + READ_ONCE(vm->mmu.nr_spares);

	return nr ? nr : SHRINK_EMPTY;
}

/* Whoever is short of memory does not wait for a guest that builds shadows. */
static unsigned int drop_some(struct rf_vm *vm, unsigned int nr)
{
	unsigned int dropped;

	if (!write_trylock(&vm->mmu.lock))
		return 0;
	rf_gate_enter(vm);
	dropped = rf_shadow_reclaim(vm, nr);
	rf_shadow_unlock(vm);
	return dropped;
}

static unsigned long shrink_scan(struct shrinker *shrinker, struct shrink_control *sc)
{
	struct rf_vm *vm = rf_shrinker_private(shrinker);
	unsigned int freed = rf_shadow_free_spares(vm);

	if (freed < sc->nr_to_scan)
		freed += drop_some(vm, sc->nr_to_scan - freed);
	/* Those dropped have become spares. */
	rf_shadow_free_spares(vm);
	return freed ? freed : SHRINK_STOP;
}

int rf_shrink_init(struct rf_vm *vm)
{
	if (!vm->mmu.shrinker)
		vm->mmu.shrinker = rf_shrinker_create(shrink_count, shrink_scan,
						      SHRINK_BATCH, vm);
	return vm->mmu.shrinker ? 0 : -ENOMEM;
}

/* Waits for a scan under way. */
void rf_shrink_exit(struct rf_vm *vm)
{
	if (vm->mmu.shrinker)
		rf_shrinker_destroy(vm->mmu.shrinker);
	vm->mmu.shrinker = NULL;
}
