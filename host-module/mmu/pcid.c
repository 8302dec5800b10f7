// SPDX-License-Identifier: GPL-2.0
/*
 * pcid.c - when the TLB may keep what it has of a guest root (pure)
 *
 * A CR3 without the no-flush bit flushes its PCID.  It is written without for a
 * root that the PCID has not held since the last flush was asked for; whoever
 * has loaded it adds the bit to the stored value.  So after the exit the bit
 * says which roots were loaded, and a flush that one has missed is still owed
 * to it.
 */
#include "pcid.h"
#include "walk.h"

/*
 * Linux does not use these: it takes the lowest few, and those with bit 11 set.
 * Two are enough for all guests, for a vCPU that finds another's entries behind
 * them flushes first.
 */
#define FIRST_PCID	0x7f0ULL

void rf_pcid_init(struct rf_pcids *pcids)
{
	*pcids = (struct rf_pcids){ .cpu = -1 };
}

/*
 * That the vCPU was the last here is not enough: what it changed while it ran
 * elsewhere was flushed there only.
 */
void rf_pcid_enter(struct rf_pcids *pcids, struct rf_pcids **last, int cpu, bool flush)
{
	int i;

	if (flush || *last != pcids || pcids->cpu != cpu)
		for (i = 0; i < RF_NR_PCIDS; i++)
			pcids->loaded[i] = 0;
	*last = pcids;
	pcids->cpu = cpu;
}

u64 rf_pcid_cr3_flush(enum rf_pcid pcid, u64 root)
{
	return root | (FIRST_PCID + pcid);
}

u64 rf_pcid_cr3(const struct rf_pcids *pcids, enum rf_pcid pcid, u64 root)
{
	return rf_pcid_cr3_flush(pcid, root) |
	       (pcids->loaded[pcid] == root ? RF_CR3_NOFLUSH : 0);
}

void rf_pcid_left(struct rf_pcids *pcids, enum rf_pcid pcid, u64 cr3)
{
	pcids->loaded[pcid] = cr3 & RF_CR3_NOFLUSH ? cr3 & RF_PTE_GFN : 0;
}
