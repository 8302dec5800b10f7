/* SPDX-License-Identifier: GPL-2.0 */
/*
 * shadow.h - shadow tables; private to the MMU
 *
 * An entry of a shadow has a number, shadow number * 512 + index, and a link
 * of its own by which it hangs in one list: a leaf entry in the reverse map of
 * the frame it maps, any other among the parents of the shadow it points to.
 * So mapping and unmapping never allocate.
 */
#ifndef RF_MMU_SHADOW_H
#define RF_MMU_SHADOW_H

#include <linux/bitops.h>
#include <linux/hash.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/spinlock.h>

#include "../vcpu.h"
#include "../vm.h"
#include "entry.h"
#include "walk.h"

#define RF_ENTRIES	512

struct rf_link {
	u32 next;
	u32 prev;		/* 0: first of its list */
};

/**
 * struct rf_shadow - the shadow of one guest table at one level
 * @lock: Entries, below vm->mmu.lock held for reading
 * @spt: What the hardware walks
 * @synced: The guest entry each shadow entry was made from; where there is no
 *	shadow entry, it may be anything
 * @links: See above
 * @used: Entries that may be other than in a new shadow: @synced 0, and @spt
 *	rf_spte_absent in a leaf, 0 in any other.  Not the hypervisor's own
 * @leaf_before: New entries are those of a leaf
 * @alone: It has been the only one of its frame since it was made
 * @parents: First entry that points here; 0 if none
 * @table: The guest's table in host memory; NULL when the host has moved it
 *	and nobody has looked since.  No reference is held: the notifier clears
 *	it before the page goes
 * @pml5: On a 5-level host, the page above a root
 * @lower: And the page after it, the lower half of the root: @spt has the upper
 *	half only, so neither is found again at addresses of 57 bits
 * @out_of_sync: The guest may be writing to its table
 */
struct rf_shadow {
	/* In the places that the switcher knows, see below. */
	u64 *spt;
	u64 *synced;
	struct rf_link *links;
	u64 *table;
	u32 id;
	unsigned long used[RF_ENTRIES / BITS_PER_LONG];

	struct hlist_node hash;
	struct list_head node;		/* leaves, tables, orphans, zombies or a cache */
	struct list_head oos_node;
	rf_gfn_t gfn;
	int level;
	spinlock_t lock;		/* entries */
	u32 parents;
	bool leaf_before;
	bool alone;
	u64 *pml5;
	u64 *lower;
	bool out_of_sync;
};

static_assert(offsetof(struct rf_shadow, spt) == RF_SHADOW_SPT);
static_assert(offsetof(struct rf_shadow, synced) == RF_SHADOW_SYNCED);
static_assert(offsetof(struct rf_shadow, links) == RF_SHADOW_LINKS);
static_assert(offsetof(struct rf_shadow, table) == RF_SHADOW_TABLE);
static_assert(offsetof(struct rf_shadow, id) == RF_SHADOW_ID);
static_assert(offsetof(struct rf_shadow, used) == RF_SHADOW_USED);
static_assert(offsetof(struct rf_link, next) == 0 && offsetof(struct rf_link, prev) == 4);

/* The entry is changed.  Leaves: lock for reading and sh->lock, or for writing. */
static inline void rf_entry_use(struct rf_shadow *sh, unsigned int index)
{
	__set_bit(index, sh->used);
}

static inline u32 rf_entry_id(const struct rf_shadow *sh, unsigned int index)
{
	return sh->id * RF_ENTRIES + index;
}

static inline struct rf_shadow *rf_entry_shadow(struct rf_vm *vm, u32 id)
{
	return vm->mmu.by_id[id / RF_ENTRIES];
}

static inline struct hlist_head *rf_shadow_bucket(struct rf_vm *vm, rf_gfn_t gfn)
{
	return &vm->mmu.hash[hash_64(gfn.v, RF_SHADOW_HASH_BITS)];
}

static inline spinlock_t *rf_rmap_lock(struct rf_vm *vm, rf_gfn_t gfn)
{
	return &vm->mmu.rmap_locks[gfn.v % RF_RMAP_LOCKS];
}

/* An entry of a table that may be a root. */
static inline u64 *rf_spte_at(const struct rf_shadow *sh, unsigned int index)
{
	return sh->lower && index < RF_ENTRIES / 2 ? &sh->lower[index] : &sh->spt[index];
}

/* The shadow whose table a shadow entry points to. */
static inline struct rf_shadow *rf_spte_child(u64 spte)
{
	return (void *)page_private(pfn_to_page((spte & RF_PTE_GFN) >> PAGE_SHIFT));
}

/* A root the guest kernel runs on has the M2P; one for its user alone has not. */
static inline void rf_shadow_show_m2p(struct rf_shadow *root)
{
	WRITE_ONCE(root->spt[RF_M2P_SLOT], rf_m2p_root_entry());
}

/* Is the slot of a top-level table the hypervisor's? */
static inline bool rf_slot_reserved(int level, unsigned int index)
{
	return level == RF_LEVELS && index >= 256 && index < 272;
}

/*
 * Leaf entries and the reverse map are changed by C with the MMU's lock held and
 * the gate entered, or by the switcher of one vCPU, which holds no lock: it does
 * nothing while anybody is in.  So it is entered right after the lock is taken.
 */
static inline void rf_gate_enter(struct rf_vm *vm)
{
	atomic_t *gate = &vm->mmu.shared.gate;
	int users = atomic_read(gate);

	do {
		while (unlikely(users < 0)) {
			cpu_relax();
			users = atomic_read(gate);
		}
	} while (!atomic_try_cmpxchg(gate, &users, users + 1));
}

static inline void rf_gate_leave(struct rf_vm *vm)
{
	atomic_dec(&vm->mmu.shared.gate);
}

/* For writing, and through the gate; rf_shadow_unlock() gives back both. */
static inline void rf_shadow_lock(struct rf_vm *vm) __acquires(&vm->mmu.lock)
{
	write_lock(&vm->mmu.lock);
	rf_gate_enter(vm);
}

/* shadow.c; all under vm->mmu.lock held for writing unless said */
int rf_shadow_top_up(struct rf_vcpu *vcpu);		/* no lock */
void rf_shadow_free_cache(struct rf_vcpu *vcpu);	/* no lock */
struct rf_shadow *rf_shadow_find(struct rf_vm *vm, rf_gfn_t gfn, int level);	/* reading */
struct rf_shadow *rf_shadow_get(struct rf_vcpu *vcpu, rf_gfn_t gfn, int level);
void rf_shadow_drop(struct rf_vm *vm, struct rf_shadow *sh);
void rf_shadow_drop_gfn(struct rf_vm *vm, rf_gfn_t gfn);
unsigned int rf_shadow_reclaim(struct rf_vm *vm, unsigned int nr);
void rf_shadow_make_room(struct rf_vm *vm);
void rf_shadow_link(struct rf_vm *vm, struct rf_shadow *parent,
		    unsigned int index, u64 entry, struct rf_shadow *child);
void rf_shadow_unlink(struct rf_vm *vm, struct rf_shadow *parent, unsigned int index);
void rf_shadow_free_list(struct rf_vm *vm, struct list_head *list);	/* no lock */
unsigned int rf_shadow_free_spares(struct rf_vm *vm);			/* no lock */

/* Leave the lock for writing; then flush and free what was dropped under it. */
void rf_shadow_unlock(struct rf_vm *vm) __releases(&vm->mmu.lock);

/* Leaf entries: vm->mmu.lock for reading and sh->lock, or for writing. */
void rf_leaf_set(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index,
		 u64 entry, u64 spte);
void rf_leaf_clear(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index);
u64 rf_rmap_known(struct rf_vm *vm, rf_gfn_t gfn);

/* tlb.c: run on @sh from the next entry on; reading */
void rf_mmu_use_root(struct rf_vcpu *vcpu, struct rf_shadow *sh, bool kernel);

/* tlb.c: the vCPU goes, and is nobody's last on any CPU */
void rf_mmu_forget_pcids(struct rf_vcpu *vcpu);

/* tlb.c: let the switcher change entries of this leaf table by itself; reading */
void rf_mmu_show_leaf(struct rf_vcpu *vcpu, struct rf_shadow *sh);

/* tlb.c: no longer, for any vCPU; writing */
void rf_mmu_forget_leaf(struct rf_vm *vm, const struct rf_shadow *sh);

/* tlb.c: the root's shadow goes; writing */
void rf_mmu_forget_root(struct rf_vm *vm, struct rf_shadow *sh);

/* shrink.c: before the first vCPU, and when none runs any more */
int rf_shrink_init(struct rf_vm *vm);
void rf_shrink_exit(struct rf_vm *vm);

/* absent.c: RF_SPTE_ABSENT, or 0 where the CPU's faults would not tell */
extern u64 rf_spte_absent;
void rf_absent_init(void);

/* m2p.c */
int rf_m2p_init(void);
void rf_m2p_exit(void);

/* sync.c */
void rf_sync_table(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index, u64 entry);
void rf_sync_leaf(struct rf_vm *vm, struct rf_shadow *sh, unsigned int index, u64 entry);
void rf_sync_all_leaves(struct rf_vm *vm, struct rf_shadow *sh);
void rf_sync_new_leaves(struct rf_vm *vm, struct rf_shadow *sh);
void rf_mark_out_of_sync(struct rf_vm *vm, struct rf_shadow *sh);
bool rf_open_table(struct rf_vm *vm, rf_gfn_t gfn, u32 entry_id);	/* reading */
void rf_close_tables(struct rf_vcpu *vcpu);		/* no lock */

/* fault.c: the leaf shadow that @gva is mapped by, if it is linked; reading */
struct rf_shadow *rf_shadow_leaf(struct rf_vcpu *vcpu, u64 gva);
int rf_walk_guest(struct rf_vcpu *vcpu, struct rf_walk *walk, u64 gva);

/*
 * memory.c: nothing can be filled while the host takes pages away, however long
 * that takes.  Wait for its end; -ERESTARTSYS if a fatal signal comes first.
 */
int rf_memory_wait(struct rf_vm *vm);

static inline bool rf_memory_retry(struct rf_vm *vm, unsigned long seq)
{
	return vm->mmu.notifier_count || vm->mmu.notifier_seq != seq;
}

#endif /* RF_MMU_SHADOW_H */
