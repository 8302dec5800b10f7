/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mmu.h - what other rooms may ask of the MMU
 */
#ifndef RF_MMU_H
#define RF_MMU_H

#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "../switcher/switcher.h"
#include "../types.h"
#include "../xen_abi.h"
#include "pcid.h"

struct rf_vm;
struct rf_vcpu;
struct rf_shadow;
struct rf_stream;
struct seq_file;
struct shrinker;

/* Page-fault error code bits, as the hardware reports them. */
#define RF_PF_PRESENT	(1U << 0)
#define RF_PF_WRITE	(1U << 1)
#define RF_PF_USER	(1U << 2)
#define RF_PF_RSVD	(1U << 3)
#define RF_PF_FETCH	(1U << 4)

#define RF_SHADOW_HASH_BITS	10
#define RF_RMAP_LOCKS		64

/* Leaves by which the guest stores to its tables, between two flushes. */
#define RF_MAX_OPEN		128

struct rf_open_leaf {
	u32 entry;			/* the leaf's number */
	u32 gfn;			/* the table's */
};

/**
 * struct rf_vm_mmu - a VM's shadow MMU
 *
 * @lock: Held for reading while entries of existing shadows change (together
 *	with the shadow's own lock), for writing while shadows are made, linked
 *	and dropped, and while the notifier zaps.
 */
struct rf_vm_mmu {
	rwlock_t lock;
	struct rf_leaves shared;	/* with the switcher: see rf_gate_enter() */

	struct hlist_head hash[1 << RF_SHADOW_HASH_BITS];	/* @lock */
	struct rf_shadow **by_id;	/* shadow number -> shadow */
	unsigned long *ids;		/* numbers in use */
	u32 nr_shadows;
	u32 max_shadows;
	struct list_head leaves;	/* least recently made or linked first */
	struct list_head tables;	/* the same, of those above leaves */
	struct list_head orphans;	/* nothing reaches them any more */
	struct shrinker *shrinker;

	u32 *rmap;			/* gfn -> first entry that maps it */
	spinlock_t rmap_locks[RF_RMAP_LOCKS];
	unsigned long *pinned;		/* gfn is pinned as a page table */
	unsigned long *shadowed;	/* gfn has a shadow */
	unsigned long *open;		/* gfn is a table the guest stores to */

	spinlock_t out_of_sync_lock;	/* the rest, while @lock is only read */
	struct list_head out_of_sync;
	int nr_out_of_sync;
	struct rf_open_leaf open_leaves[RF_MAX_OPEN];
	u32 nr_open_leaves;

	spinlock_t spares_lock;		/* what follows */
	struct list_head spares;	/* freed, empty, and kept for the next ones */
	u32 nr_spares;

	struct list_head zombies;	/* dropped, to be freed after a flush */

	/* Host unmaps under way, and how many there have been. */
	unsigned long notifier_count;
	unsigned long notifier_seq;
	wait_queue_head_t notifier_wait;	/* until there are none */

	atomic64_t nr_mapped;
	u64 nr_link_changes;	/* how often what hangs below what has changed */
};

/* Where a vCPU found the shadow of a leaf table; true until a link changes. */
struct rf_leaf_place {
	u64 region;		/* address / 2M */
	const struct rf_shadow *root;
	u64 nr_link_changes;
	struct rf_shadow *leaf;
	u64 rights;		/* of the entries above it: W and NX */
};

#define RF_LEAF_PLACES	8

/* Entries copied from the guest at a time. */
#define RF_UPDATES	32

/**
 * struct rf_vcpu_mmu - the roots a vCPU runs on
 * @kernel_gfn: NEW_BASEPTR
 * @user_gfn: NEW_USER_BASEPTR; frame 0 is none
 * @kernel_root: Its shadow, or NULL: to be looked up before the next entry.
 *	Written under the MMU's lock
 */
struct rf_vcpu_mmu {
	rf_gfn_t kernel_gfn;
	rf_gfn_t user_gfn;
	struct rf_shadow *kernel_root;
	struct rf_shadow *user_root;
	struct list_head cache;		/* shadows made ahead, out of any lock */
	u32 nr_cached;
	u64 *root_pages;		/* and what one root has besides, or NULL */
	u32 next_root;			/* place in the world for one more */
	struct rf_leaf_place leaf_places[RF_LEAF_PLACES];
	struct mmu_update updates[RF_UPDATES];	/* of the mmu_update under way */
	bool flush;			/* drop the TLB before the next entry */
	bool roots_stale;		/* the world does not have the roots above */
	struct rf_pcids pcids;
};

int rf_mmu_init(void);
void rf_mmu_exit(void);
int rf_mmu_vm_init(struct rf_vm *vm, u64 max_shadows);

/* Memory is complete: size what goes by gfn.  Once, before the first vCPU. */
int rf_mmu_vm_size(struct rf_vm *vm);
void rf_mmu_vm_exit(struct rf_vm *vm);
void rf_mmu_vcpu_init(struct rf_vcpu *vcpu);
void rf_mmu_vcpu_exit(struct rf_vcpu *vcpu);

/* The notifier, registered by vm.c on the launcher's address space. */
extern const struct mmu_notifier_ops rf_mmu_notifier_ops;

enum rf_fault {
	RF_FAULT_FIXED,		/* run again */
	RF_FAULT_GUEST,		/* the guest's own; *error is what it sees */
	RF_FAULT_KILLED,
	RF_FAULT_RETRY,		/* not now: the host takes pages away, or a fatal signal */
};

/**
 * rf_mmu_fault() - A page fault at @gva: ours to fix, or the guest's
 * @vcpu: The caller's own vCPU
 * @gva: Address
 * @error: In: RF_PF_WRITE and RF_PF_FETCH count; out: the guest's error code
 */
enum rf_fault rf_mmu_fault(struct rf_vcpu *vcpu, u64 gva, u32 *error);

/* Do shadows mark what the guest does not map, so that faults there say so? */
bool rf_mmu_marks_absent(void);

/**
 * rf_mmu_translate() - Host address of @gva, if the shadow has it now
 * @vcpu: The caller's own vCPU
 * @gva: Address
 * @access: RF_PF_WRITE: must be writable; RF_PF_FETCH: must be executable
 *
 * Caller holds vm->mmu.lock for reading, and uses the address only under it.
 */
void *rf_mmu_translate(struct rf_vcpu *vcpu, u64 gva, u32 access);

/**
 * rf_mmu_kernel_gfn() - Frame behind an address of the guest kernel
 * @vcpu: The caller's own vCPU, in whichever mode
 * @gva: Address in the guest kernel's tables
 * @gfn: Out: a frame that the guest has
 *
 * Return: 0 or -EFAULT.
 */
int rf_mmu_kernel_gfn(struct rf_vcpu *vcpu, u64 gva, rf_gfn_t *gfn);

/* hypercall/mmu.c. */

/**
 * rf_mmu_write_entries() - Write guest entries, and what shadows there are of them
 * @vcpu: The caller's own vCPU
 * @updates: Entries; the caller's copy.  The two lowest bits of ptr do not count
 * @nr: How many
 * @keep_ad: Leave A and D in them where they are set
 *
 * Return: how many are written; those after that are of one table with the first
 * that is not, or it is bad: -EINVAL or -EFAULT, if it is the first of all.
 */
long rf_mmu_write_entries(struct rf_vcpu *vcpu, const struct mmu_update *updates, u32 nr,
			  bool keep_ad);
long rf_mmu_write_va(struct rf_vcpu *vcpu, u64 gva, u64 val);
long rf_mmu_pin(struct rf_vcpu *vcpu, rf_gfn_t gfn, int level);
long rf_mmu_unpin(struct rf_vcpu *vcpu, rf_gfn_t gfn);
long rf_mmu_set_root(struct rf_vcpu *vcpu, rf_gfn_t gfn, bool kernel);

/* Is the frame a live page table?  Then only the calls above may change it. */
bool rf_mmu_is_table(struct rf_vm *vm, rf_gfn_t gfn);

/* Guest asks for a flush: bring what it stored up to date, everywhere. */
void rf_mmu_sync(struct rf_vcpu *vcpu);

/**
 * rf_mmu_flush_vcpus() - Have vCPUs drop their TLBs before this returns
 * @vm: The VM
 * @mask: vCPU numbers, or NULL for all
 *
 * Only those in the guest at this moment are interrupted.
 */
void rf_mmu_flush_vcpus(struct rf_vm *vm, const unsigned long *mask);

/* Before entry: have roots, and their CR3 values in the world. */
int rf_mmu_load_roots(struct rf_vcpu *vcpu);

/* With interrupts off and the vCPU marked as in the guest; false: look again. */
bool rf_mmu_update_world(struct rf_vcpu *vcpu);

/*
 * Between that and the entry: the CR3 to enter with; right after the exit; and
 * with interrupts on again: the roots the switcher has changed to.
 */
u64 rf_mmu_first_cr3(struct rf_vcpu *vcpu);
void rf_mmu_left_guest(struct rf_vcpu *vcpu);
void rf_mmu_follow_roots(struct rf_vcpu *vcpu);

/* The switcher has faulted, maybe where it keeps C from the VM's leaf entries. */
void rf_mmu_open_gate(struct rf_vcpu *vcpu);

/* Host page of a gfn, faulted in; holds a reference (put_page()). */
struct page *rf_memory_get_page(struct rf_vm *vm, rf_gfn_t gfn, bool write);

/* The identity M2P at 0xffff800000000000, slot 256 of every root. */
#define RF_M2P_SLOT	256
u64 rf_m2p_root_entry(void);
int rf_m2p_fault(struct rf_vm *vm, u64 gva);

/* state.c: the VM's part of its state; no vCPU runs. */
int rf_mmu_save(struct rf_vm *vm, struct rf_stream *stream);
int rf_mmu_load(struct rf_vm *vm, struct rf_stream *stream);

void rf_mmu_show(struct seq_file *m, struct rf_vm *vm);

#endif /* RF_MMU_H */
