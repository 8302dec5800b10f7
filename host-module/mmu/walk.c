// SPDX-License-Identifier: GPL-2.0
/*
 * walk.c - walk the guest's own page tables (pure)
 */
#include <linux/errno.h>

#include "walk.h"

int rf_walk(struct rf_walk *walk, rf_gfn_t root, u64 gva)
{
	rf_gfn_t table = root;
	int level, err;

	walk->writable = true;
	walk->nx = false;

	for (level = RF_LEVELS; level >= 1; level--) {
		u64 entry;

		walk->level = level;
		walk->table[level] = table;
		err = walk->read_entry(walk->ctx, table, rf_walk_index(gva, level), &entry);
		if (err)
			return err;

		walk->entry[level] = entry;
		if (!(entry & RF_PTE_P))
			return -ENOENT;
		if (level > 1 && (entry & RF_PTE_PS))
			return -EINVAL;
		walk->writable &= !!(entry & RF_PTE_W);
		walk->nx |= !!(entry & RF_PTE_NX);
		table = rf_pte_gfn(entry);
	}
	return 0;
}
