/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pcid.h - when the TLB may keep what it has of a guest root
 */
#ifndef RF_MMU_PCID_H
#define RF_MMU_PCID_H

#include <linux/types.h>

/* Bit 63 of a CR3 that is written: do not flush its PCID. */
#define RF_CR3_NOFLUSH	(1ULL << 63)

/* Guest kernel and guest user have a PCID each, the same for all vCPUs. */
enum rf_pcid {
	RF_PCID_KERNEL,
	RF_PCID_USER,
	RF_NR_PCIDS
};

/**
 * struct rf_pcids - what a vCPU has left in a TLB
 * @loaded: By PCID: the root whose entries the TLB of @cpu holds, 0 if it must
 *	be flushed first
 * @cpu: Where it last ran
 */
struct rf_pcids {
	u64 loaded[RF_NR_PCIDS];
	int cpu;
};

void rf_pcid_init(struct rf_pcids *pcids);

/**
 * rf_pcid_enter() - Before entry: what of the TLB may still be believed
 * @pcids: The vCPU's
 * @last: This CPU's: whose entries are behind the PCIDs
 * @cpu: This CPU
 * @flush: Somebody has asked for a flush since the last entry
 *
 * The guest is entered after this, on this CPU, with CR3s by rf_pcid_cr3().
 */
void rf_pcid_enter(struct rf_pcids *pcids, struct rf_pcids **last, int cpu, bool flush);

/* CR3 for the address of a root: flushing its PCID, or not. */
u64 rf_pcid_cr3(const struct rf_pcids *pcids, enum rf_pcid pcid, u64 root);

/* The same, flushing whatever the PCID holds. */
u64 rf_pcid_cr3_flush(enum rf_pcid pcid, u64 root);

/**
 * rf_pcid_left() - After the exit
 * @pcids: The vCPU's
 * @pcid: Which
 * @cr3: What it was entered with, or the switcher has put in its place;
 *	RF_CR3_NOFLUSH was added when it was loaded
 */
void rf_pcid_left(struct rf_pcids *pcids, enum rf_pcid pcid, u64 cr3);

#endif /* RF_MMU_PCID_H */
