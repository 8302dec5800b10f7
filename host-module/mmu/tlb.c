// SPDX-License-Identifier: GPL-2.0
/*
 * tlb.c - what must be flushed, where; roots
 */
#include <linux/cpumask.h>
#include <linux/percpu.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/tlbflush.h>

#include "../trace.h"
#include "shadow.h"

static_assert(RF_CR3_NOFLUSH == X86_CR3_PCID_NOFLUSH);

/* Whose entries are in this CPU's TLB, behind the guests' PCIDs. */
static DEFINE_PER_CPU(struct rf_pcids *, last_pcids);

static void ack_flush(void *unused)
{
	/* To run here at all, the CPU has left the guest. */
}

void rf_mmu_flush_vcpus(struct rf_vm *vm, const unsigned long *mask)
{
	struct rf_vcpu *vcpu;
	cpumask_var_t cpus;
	unsigned int i;
	u32 nr = 0;

	if (!zalloc_cpumask_var(&cpus, GFP_ATOMIC)) {
		/* No memory for a mask: bring every CPU out. */
		rf_for_each_vcpu(vm, vcpu, i)
			WRITE_ONCE(vcpu->mmu.flush, true);
		smp_mb();	/* flag, then whoever is in the guest */
		smp_call_function(ack_flush, NULL, 1);
		return;
	}

	preempt_disable();
	rf_for_each_vcpu(vm, vcpu, i) {
		if (mask && !test_bit(i, mask))
			continue;
		WRITE_ONCE(vcpu->mmu.flush, true);
	}
	smp_mb();	/* pairs with the one in rf_vcpu_run(): flag, then mode */
	rf_for_each_vcpu(vm, vcpu, i) {
		if (mask && !test_bit(i, mask))
			continue;
		if (READ_ONCE(vcpu->mode) != RF_IN_GUEST)
			continue;
		cpumask_set_cpu(READ_ONCE(vcpu->cpu), cpus);
		rf_count(vcpu, SHOOTDOWN);
		nr++;
	}
	trace_rf_flush(vm, nr);
	if (nr)
		smp_call_function_many(cpus, ack_flush, NULL, true);
	preempt_enable();
	free_cpumask_var(cpus);
}

/* --- roots ------------------------------------------------------------------ */

static u64 root_cr3(const struct rf_shadow *root)
{
	return root ? __sme_pa(root->pml5 ? root->pml5 : root->spt) : 0;
}

/*
 * Let the switcher change to this root by itself.  Lock held: when the shadow
 * goes, rf_mmu_forget_root() takes it back.
 */
static void show_root(struct rf_vcpu *vcpu, struct rf_shadow *sh, bool kernel)
{
	struct rf_world *world = vcpu->world;
	struct rf_world_root *roots = kernel ? world->kernel_roots : world->user_roots;
	struct rf_world_root *free = &roots[vcpu->mmu.next_root++ % RF_WORLD_ROOTS];
	u64 cr3 = root_cr3(sh);
	unsigned int i;

	for (i = 0; i < RF_WORLD_ROOTS; i++)
		if (roots[i].gfn == sh->gfn.v)
			free = &roots[i];
	if (cpu_feature_enabled(X86_FEATURE_PCID))
		cr3 = rf_pcid_cr3_flush(kernel ? RF_PCID_KERNEL : RF_PCID_USER, cr3);
	free->gfn = sh->gfn.v;
	WRITE_ONCE(free->cr3, cr3);
}

/* The vCPU may be in the guest: it is made to leave before the shadow is freed. */
static void hide_root(struct rf_world_root *roots, rf_gfn_t gfn)
{
	unsigned int i;

	for (i = 0; i < RF_WORLD_ROOTS; i++)
		if (READ_ONCE(roots[i].gfn) == gfn.v)
			WRITE_ONCE(roots[i].cr3, 0);
}

void rf_mmu_forget_root(struct rf_vm *vm, struct rf_shadow *sh)
{
	struct rf_vcpu *vcpu;
	unsigned int i;

	lockdep_assert_held_write(&vm->mmu.lock);
	rf_for_each_vcpu(vm, vcpu, i) {
		hide_root(vcpu->world->kernel_roots, sh->gfn);
		hide_root(vcpu->world->user_roots, sh->gfn);
		if (vcpu->mmu.kernel_root == sh)
			WRITE_ONCE(vcpu->mmu.kernel_root, NULL);
		if (vcpu->mmu.user_root == sh)
			WRITE_ONCE(vcpu->mmu.user_root, NULL);
		smp_wmb();	/* root, then flag; see rf_mmu_update_world() */
		WRITE_ONCE(vcpu->mmu.roots_stale, true);
	}
}

/* --- leaf tables ---------------------------------------------------------------- */

void rf_mmu_show_leaf(struct rf_vcpu *vcpu, struct rf_shadow *sh)
{
	struct rf_world_leaf *leaf = &vcpu->world->leaf_tables[sh->gfn.v % RF_WORLD_LEAVES];

	leaf->gfn = sh->gfn.v;
	leaf->shadow = (unsigned long)sh;
}

/* Through the gate, so no switcher is at it. */
void rf_mmu_forget_leaf(struct rf_vm *vm, const struct rf_shadow *sh)
{
	struct rf_vcpu *vcpu;
	unsigned int i;

	lockdep_assert_held_write(&vm->mmu.lock);
	rf_for_each_vcpu(vm, vcpu, i) {
		struct rf_world_leaf *leaf;

		leaf = &vcpu->world->leaf_tables[sh->gfn.v % RF_WORLD_LEAVES];
		if (leaf->shadow == (unsigned long)sh)
			leaf->shadow = 0;
	}
}

void rf_mmu_open_gate(struct rf_vcpu *vcpu)
{
	atomic_cmpxchg(&vcpu->vm->mmu.shared.gate, vcpu->world->gate_mark, 0);
}

/* --- roots, again ----------------------------------------------------------------- */

/* Lock held. */
void rf_mmu_use_root(struct rf_vcpu *vcpu, struct rf_shadow *sh, bool kernel)
{
	if (sh && kernel)
		rf_shadow_show_m2p(sh);
	if (sh)
		show_root(vcpu, sh, kernel);
	WRITE_ONCE(*(kernel ? &vcpu->mmu.kernel_root : &vcpu->mmu.user_root), sh);
	WRITE_ONCE(vcpu->mmu.roots_stale, true);
}

/* The root the vCPU is to run on, if it has a shadow.  Frame 0 is no user root. */
static bool find_root(struct rf_vcpu *vcpu, bool kernel)
{
	rf_gfn_t gfn = kernel ? vcpu->mmu.kernel_gfn : vcpu->mmu.user_gfn;
	struct rf_vm *vm = vcpu->vm;
	struct rf_shadow *sh = NULL;

	read_lock(&vm->mmu.lock);
	if (kernel || gfn.v)
		sh = rf_shadow_find(vm, gfn, RF_LEVELS);
	rf_mmu_use_root(vcpu, sh, kernel);
	read_unlock(&vm->mmu.lock);
	return sh;
}

static int load_root(struct rf_vcpu *vcpu, bool kernel)
{
	rf_gfn_t gfn = kernel ? vcpu->mmu.kernel_gfn : vcpu->mmu.user_gfn;
	struct rf_vm *vm = vcpu->vm;
	struct rf_shadow *sh;

	if (find_root(vcpu, kernel))
		return 0;
	if (rf_shadow_top_up(vcpu))
		return -ENOMEM;
	rf_shadow_lock(vm);
	rf_shadow_make_room(vm);
	sh = rf_shadow_get(vcpu, gfn, RF_LEVELS);
	rf_mmu_use_root(vcpu, sh, kernel);
	rf_shadow_unlock(vm);
	return sh ? 0 : -ENOMEM;
}

int rf_mmu_load_roots(struct rf_vcpu *vcpu)
{
	int err = 0;

	if (!READ_ONCE(vcpu->mmu.kernel_root))
		err = load_root(vcpu, true);
	if (!err && vcpu->mmu.user_gfn.v && !READ_ONCE(vcpu->mmu.user_root))
		err = load_root(vcpu, false);
	return err;
}

long rf_mmu_set_root(struct rf_vcpu *vcpu, rf_gfn_t gfn, bool kernel)
{
	struct rf_vcpu_mmu *mmu = &vcpu->mmu;

	if (kernel ? !rf_gfn_in_memory(vcpu->vm, gfn) :
		     gfn.v && !rf_gfn_in_memory(vcpu->vm, gfn))
		return -EINVAL;

	rf_mmu_sync(vcpu);
	if (kernel)
		mmu->kernel_gfn = gfn;
	else
		mmu->user_gfn = gfn;
	find_root(vcpu, kernel);
	return 0;
}

/*
 * May the switcher change roots by itself?  Not while a table is out of sync,
 * for then a change is what brings it up to date.  Whoever marks one counts it
 * first, then takes the flag from every vCPU: see rf_mark_out_of_sync().
 */
static void allow_fast_roots(struct rf_vcpu *vcpu)
{
	struct rf_world *world = vcpu->world;
	struct rf_vm_mmu *mmu = &vcpu->vm->mmu;

	if (READ_ONCE(world->fast_roots) || READ_ONCE(mmu->nr_out_of_sync))
		return;
	WRITE_ONCE(world->fast_roots, 1);
	smp_mb();	/* flag, then count */
	if (READ_ONCE(mmu->nr_out_of_sync))
		WRITE_ONCE(world->fast_roots, 0);
}

static bool update_roots(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_mmu *mmu = &vcpu->mmu;
	struct rf_world *world = vcpu->world;
	struct rf_shadow *kernel_root, *user_root;

	WRITE_ONCE(mmu->roots_stale, false);
	smp_mb();	/* flag, then roots: who takes one away sets the flag after it */
	kernel_root = READ_ONCE(mmu->kernel_root);
	user_root = READ_ONCE(mmu->user_root);
	if (!kernel_root || (mmu->user_gfn.v && !user_root)) {
		WRITE_ONCE(mmu->roots_stale, true);
		return false;
	}
	if (WARN_ON_ONCE(!user_root && !rf_vcpu_in_kernel(vcpu))) {
		rf_vm_kill(vcpu->vm, "vCPU %u: in user mode without a page table", vcpu->id);
		return false;
	}
	world->kernel_cr3 = root_cr3(kernel_root);
	world->user_cr3 = root_cr3(user_root);
	world->kernel_gfn = mmu->kernel_gfn.v;
	world->user_gfn = mmu->user_gfn.v;
	return true;
}

bool rf_mmu_update_world(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_mmu *mmu = &vcpu->mmu;
	struct rf_world *world = vcpu->world;

	allow_fast_roots(vcpu);
	if (!cpu_feature_enabled(X86_FEATURE_PCID))
		return likely(!READ_ONCE(mmu->roots_stale)) || update_roots(vcpu);

	/* Every CR3 is made anew, with what the TLB holds of it by now. */
	if (!update_roots(vcpu))
		return false;

	rf_pcid_enter(&mmu->pcids, this_cpu_ptr(&last_pcids), smp_processor_id(),
		      xchg(&mmu->flush, false));
	world->cr3_noflush = RF_CR3_NOFLUSH;
	world->kernel_cr3 = rf_pcid_cr3(&mmu->pcids, RF_PCID_KERNEL, world->kernel_cr3);
	if (world->user_cr3)
		world->user_cr3 = rf_pcid_cr3(&mmu->pcids, RF_PCID_USER, world->user_cr3);
	return true;
}

u64 rf_mmu_first_cr3(struct rf_vcpu *vcpu)
{
	struct rf_world *world = vcpu->world;
	u64 *cr3 = rf_vcpu_in_kernel(vcpu) ? &world->kernel_cr3 : &world->user_cr3;
	u64 first = *cr3;

	*cr3 |= world->cr3_noflush;
	return first;
}

void rf_mmu_left_guest(struct rf_vcpu *vcpu)
{
	const struct rf_world *world = vcpu->world;

	if (!cpu_feature_enabled(X86_FEATURE_PCID))
		return;
	rf_pcid_left(&vcpu->mmu.pcids, RF_PCID_KERNEL, world->kernel_cr3);
	rf_pcid_left(&vcpu->mmu.pcids, RF_PCID_USER, world->user_cr3);
}

/* Interrupts on: whoever changes a shadow waits for the others with the lock held. */
void rf_mmu_follow_roots(struct rf_vcpu *vcpu)
{
	const struct rf_world *world = vcpu->world;
	struct rf_vcpu_mmu *mmu = &vcpu->mmu;

	/* It may have faulted behind the gate, which whoever has the lock waits at. */
	if (unlikely(vcpu->regs->exit == RF_EXIT_SENTINEL))
		return;
	if (world->kernel_gfn != mmu->kernel_gfn.v) {
		mmu->kernel_gfn = RF_GFN(world->kernel_gfn);
		find_root(vcpu, true);
	}
	if (world->user_gfn != mmu->user_gfn.v) {
		mmu->user_gfn = RF_GFN(world->user_gfn);
		find_root(vcpu, false);
	}
}

void rf_mmu_forget_pcids(struct rf_vcpu *vcpu)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(per_cpu_ptr(&last_pcids, cpu), &vcpu->mmu.pcids, NULL);
}
