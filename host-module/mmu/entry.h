/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.h - guest entry to shadow entry
 */
#ifndef RF_MMU_ENTRY_H
#define RF_MMU_ENTRY_H

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

#endif /* RF_MMU_ENTRY_H */
