// SPDX-License-Identifier: GPL-2.0
/*
 * entry.c - guest entry to shadow entry (pure)
 *
 * Guest kernel and guest user both run in ring 3, so every shadow entry is a
 * user entry; what keeps the guest's user out of its kernel is the user root,
 * as the ABI has it.
 */
#include "entry.h"

u64 rf_entry_leaf(u64 entry, rf_pfn_t pfn, bool host_writable, bool is_table)
{
	u64 spte;

	if (!(entry & RF_PTE_A))
		return 0;

	spte = (pfn.v << 12) | RF_PTE_P | RF_PTE_U | RF_PTE_A | RF_PTE_D;
	spte |= entry & RF_PTE_NX;
	if (host_writable) {
		spte |= RF_SPTE_HOST_WRITABLE;
		if (!is_table && (entry & RF_PTE_W) && (entry & RF_PTE_D))
			spte |= RF_PTE_W;
	}
	return spte;
}

u64 rf_entry_table(u64 entry, u64 table_pa)
{
	return table_pa | RF_PTE_P | RF_PTE_U | RF_PTE_A | RF_PTE_D |
	       (entry & (RF_PTE_W | RF_PTE_NX));
}
