/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vm.h - a virtual machine
 *
 * Lock order, outermost first:
 *
 *	vcpu->run_lock		one thread runs a vCPU; only tried, so that a
 *				holder of any lock may ask for it
 *	 vm->config_lock	set-up ioctls against each other, and against a
 *				guest that starts a vCPU; with it, vm->nr_busy
 *				keeps all vCPUs' threads out
 *	  bus->lock		slots: devices stay
 *	   dev->lock		what the guest configures of a device
 *	    queue->serve_lock	taking requests from a ring
 *	  vm->descriptor_lock	copies of descriptors, and what they are of
 *	   mm->mmap_lock	taken by page look-up
 *	    vm->mmu.lock	rwlock: shadow structure
 *	     mmu.shared.gate	keeps switchers from leaf entries
 *	     shadow->lock	entries of one shadow
 *	      rmap_locks[]	reverse map, by gfn
 *	 rx->lock		in nic.h, bottom halves off: posted buffers
 *	 queue->used_lock	irq-safe: giving requests back
 *	  evtchns->lock		irq-safe: ports
 *	   vm->state_lock	irq-safe: death and its reason
 *
 * rf_vm_create() tells lockdep, so a kernel that has it objects to the first
 * path that goes another way, whether two threads ever meet on it or not.
 */
#ifndef RF_VM_H
#define RF_VM_H

#include <linux/atomic.h>
#include <linux/kref.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/types.h>

#include "../uapi/ringfence.h"
#include "emul/emul.h"
#include "mmu/mmu.h"
#include "types.h"
#include "xen_abi.h"

struct rf_bus;
struct rf_evtchns;
struct rf_hole;
struct rf_vcpu;
struct dentry;

#define RF_MAX_MEMSLOTS		8
#define RF_MAX_PAGES		(1ULL << 26)	/* 256 GiB */

struct rf_memslot {
	u64 base_gfn;
	u64 nr_pages;
	unsigned long uva;
};

/**
 * struct rf_vm - a virtual machine
 * @mm: The launcher's address space; RUN is refused from any other
 * @max_gfn: First frame beyond the guest's memory
 * @nr_pages: What the guest is told its memory is
 * @dead: No vCPU runs any more; @state says why
 */
struct rf_vm {
	struct kref ref;
	struct mutex config_lock;	/* set-up, see above */
	struct mm_struct *mm;
	struct mmu_notifier notifier;
	bool mm_gone;
	struct list_head node;
	struct dentry *debugfs;

	char name[RF_NAME_LEN];
	u32 id;
	u32 max_vcpus;
	u32 nr_vcpus;
	struct rf_vcpu *vcpus[RF_MAX_VCPUS];

	struct rf_memslot slots[RF_MAX_MEMSLOTS];
	u32 nr_slots;
	u64 max_gfn;
	u64 nr_pages;
	u64 nr_p2m_pages;

	struct rf_hole *hole;
	struct rf_vm_mmu mmu;
	struct rf_evtchns *evtchns;
	struct rf_bus *bus;
	struct rf_cpuid_policy cpuid;
	struct mutex descriptor_lock;	/* GDT and LDT copies */

	struct shared_info *shared;	/* pinned guest page; NULL until set */
	struct page *shared_page;
	rf_gfn_t shared_gfn;
	u64 clock_base_ns;		/* host CLOCK_MONOTONIC at guest time 0 */
	s64 wallclock_offset_ns;
	u32 wc_version;
	unsigned long vm_assist;

	bool dead;
	bool started;			/* a vCPU has run, or a state was loaded */
	atomic_t nr_busy;		/* threads in vCPUs; -1: kept out, see state.c */
	spinlock_t state_lock;
	u32 state;			/* RF_STATE_* */
	u32 reason;			/* SHUTDOWN_* */
	u32 shutdown_code;		/* takes the place of it, if there is one */
	bool has_shutdown_code;
	char text[RF_REASON_LEN];
};

struct rf_vm *rf_vm_create(const struct rf_create_vm *create);
void rf_vm_get(struct rf_vm *vm);
void rf_vm_put(struct rf_vm *vm);
int rf_vm_set_memory(struct rf_vm *vm, const struct rf_set_memory *set);
int rf_vm_set_domain(struct rf_vm *vm, const struct rf_set_domain *set);
int rf_vm_set_cpuid(struct rf_vm *vm, const struct rf_cpuid_policy *policy);
u32 rf_vm_count(void);

/**
 * rf_vm_kill() - The guest is beyond help, or its owner says so
 * @vm: The VM
 * @fmt: Why, in words for its owner; the first reason is kept
 *
 * Any context.  Every vCPU leaves the guest and RF_VCPU_RUN returns
 * RF_RUN_ENDED.
 */
__printf(2, 3) void rf_vm_kill(struct rf_vm *vm, const char *fmt, ...);

/* The guest shut itself down: SHUTDOWN_poweroff, SHUTDOWN_crash, ... */
void rf_vm_shutdown(struct rf_vm *vm, u32 reason);

/* As which of them any later shutdown is to be told; the first one is kept. */
void rf_vm_set_shutdown_code(struct rf_vm *vm, u32 code);

/* Launcher address of a guest frame, 0 if the guest does not have it. */
static inline unsigned long rf_memory_uva(const struct rf_vm *vm, rf_gfn_t gfn)
{
	u32 i;

	for (i = 0; i < vm->nr_slots; i++) {
		const struct rf_memslot *slot = &vm->slots[i];

		if (gfn.v - slot->base_gfn < slot->nr_pages)
			return slot->uva + ((gfn.v - slot->base_gfn) << PAGE_SHIFT);
	}
	return 0;
}

static inline bool rf_gfn_in_memory(const struct rf_vm *vm, rf_gfn_t gfn)
{
	return rf_memory_uva(vm, gfn) != 0;
}

/* vCPU @id, or NULL; stable for the VM's life once it exists. */
static inline struct rf_vcpu *rf_vm_vcpu(struct rf_vm *vm, u32 id)
{
	return id < RF_MAX_VCPUS ? READ_ONCE(vm->vcpus[id]) : NULL;
}

/* The next vCPU there is from @id on, or NULL. */
static inline struct rf_vcpu *rf_vm_next_vcpu(struct rf_vm *vm, u32 *id)
{
	for (; *id < vm->max_vcpus; ++*id) {
		struct rf_vcpu *vcpu = rf_vm_vcpu(vm, *id);

		if (vcpu)
			return vcpu;
	}
	return NULL;
}

#define rf_for_each_vcpu(_vm, _vcpu, _i)				\
	for ((_i) = 0; ((_vcpu) = rf_vm_next_vcpu((_vm), &(_i))); (_i)++)

#endif /* RF_VM_H */
