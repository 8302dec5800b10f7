/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - guest entry to shadow entry
 */
#ifndef RF_MMU_ENTRY_H
#define RF_MMU_ENTRY_H

#include <linux/errno.h>

#include "walk.h"

/* Bits the CPU ignores in a shadow entry. */
#define RF_SPTE_HOST_WRITABLE	(1ULL << 9)	/* the host's mapping is */
#define RF_SPTE_OUT_OF_SYNC	(1ULL << 10)	/* writable, though the guest says no */

/*
 * A leaf that the guest's own entry does not map either: present, of an address
 * that no CPU of less than 52 bits has, so the fault's error code says so by
 * itself.  The address is the highest, where no memory is to be speculated on.
 */
#define RF_SPTE_ABSENT		(RF_PTE_GFN | RF_PTE_P)

/* A leaf that maps something. */
static inline bool rf_spte_mapped(u64 spte)
{
	return spte & RF_PTE_A;
}

/**
 * rf_entry_leaf() - Shadow of a leaf entry
 * @entry: The guest's; present
 * @pfn: Host frame behind it
 * @host_writable: The host's mapping allows writing
 * @is_table: The frame is a live page table, so writes must be seen
 *
 * No more rights than both give, and none that would hide a first access or a
 * first write from the guest's A and D bits.
 *
 * Return: the shadow entry, 0 if A is clear.
 */
u64 rf_entry_leaf(u64 entry, rf_pfn_t pfn, bool host_writable, bool is_table);

/* Shadow of an entry that points to a table, given the table's address. */
u64 rf_entry_table(u64 entry, u64 table_pa);

/* Against a vCPU that changes an entry as fast as it can. */
#define RF_ENTRY_TRIES		64

/**
 * rf_entry_exchange() - Replace a guest's entry, but for A and D
 * @at: What @try is to know
 * @val: The new entry; returns what was stored, or what is to be
 * @old: What the entry was when it was last read
 * @try: Store @new if the entry is @old still: 1 if it was, 0 and what it is in
 *	@old if not, -errno
 *
 * Return: 0; -EAGAIN if the entry did not stand still, or what @try returned.
 * After -EAGAIN, @val has A and D of a moment ago: to store it is as if whoever
 * stored since had done so before.
 */
static inline int rf_entry_exchange(void *at, u64 *val, u64 old,
				    int (*try)(void *at, u64 *old, u64 new))
{
	u64 entry = *val;
	int i, done;

	for (i = 0; i < RF_ENTRY_TRIES; i++) {
		*val = entry | (old & (RF_PTE_A | RF_PTE_D));
		done = try(at, &old, *val);
		if (done)
			return done < 0 ? done : 0;
	}
	return -EAGAIN;
}

#endif /* RF_MMU_ENTRY_H */
