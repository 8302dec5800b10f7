/* SPDX-License-Identifier: GPL-2.0 */
/*
 * walk.h - walk the guest's own page tables
 */
#ifndef RF_MMU_WALK_H
#define RF_MMU_WALK_H

#include "../types.h"

#define RF_LEVELS	4

/* Bits of a guest entry; the same as the hardware's. */
#define RF_PTE_P	(1ULL << 0)
#define RF_PTE_W	(1ULL << 1)
#define RF_PTE_U	(1ULL << 2)
#define RF_PTE_A	(1ULL << 5)
#define RF_PTE_D	(1ULL << 6)
#define RF_PTE_PS	(1ULL << 7)
#define RF_PTE_NX	(1ULL << 63)
#define RF_PTE_GFN	0x000ffffffffff000ULL

static inline rf_gfn_t rf_pte_gfn(u64 entry)
{
	return RF_GFN((entry & RF_PTE_GFN) >> 12);
}

/* Index of @gva in a table of @level, 1 being the leaf. */
static inline unsigned int rf_walk_index(u64 gva, int level)
{
	return (gva >> (12 + 9 * (level - 1))) & 511;
}

/**
 * struct rf_walk - one walk
 * @read_entry: Read entry @index of the table in frame @table; 0 or -EFAULT
 * @ctx: For @read_entry
 * @table: Out: frame of the table of each level; [0] is unused
 * @entry: Out: the entry used in each
 * @level: Out: level at which the walk ended; 1 if it reached the leaf
 * @writable: Out: every level allows writing
 * @nx: Out: some level forbids fetching
 */
struct rf_walk {
	int (*read_entry)(void *ctx, rf_gfn_t table, unsigned int index, u64 *entry);
	void *ctx;
	rf_gfn_t table[RF_LEVELS + 1];
	u64 entry[RF_LEVELS + 1];
	int level;
	bool writable;
	bool nx;
};

/**
 * rf_walk() - Walk to the leaf entry of @gva
 * @walk: With @read_entry and @ctx set
 * @root: Frame of the level-4 table
 * @gva: Address
 *
 * Return: 0, -ENOENT if an entry is not present, -EFAULT if a table is in a
 * frame the guest does not have, -EINVAL for a large page: the ABI has none.
 */
int rf_walk(struct rf_walk *walk, rf_gfn_t root, u64 gva);

#endif /* RF_MMU_WALK_H */
