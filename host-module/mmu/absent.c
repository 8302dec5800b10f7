// SPDX-License-Identifier: GPL-2.0
/*
 * absent.c - can a fault say by itself that the guest does not map the address?
 */
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <asm/processor.h>

#include "shadow.h"

u64 rf_spte_absent __read_mostly;

/*
 * Find out whether an address beyond the CPU's makes a fault, for there are
 * hypervisors that tell their guests of fewer bits than the CPU has.
 */
void rf_absent_init(void)
{
	unsigned int level;
	u64 data = 0;
	pte_t *pte, old;
	void *page;

	if ((cpuid_eax(0x80000008) & 0xff) >= 52)
		return;
	page = vmalloc(PAGE_SIZE);
	pte = page ? lookup_address((unsigned long)page, &level) : NULL;
	if (pte && level == PG_LEVEL_4K) {
		preempt_disable();
		old = *pte;
		set_pte(pte, __pte(RF_SPTE_ABSENT));
		asm volatile("invlpg (%0)" : : "r" (page) : "memory");
		if (copy_from_kernel_nofault(&data, page, sizeof(data)))
			rf_spte_absent = RF_SPTE_ABSENT;
		set_pte(pte, old);
		asm volatile("invlpg (%0)" : : "r" (page) : "memory");
		preempt_enable();
	}
	vfree(page);
}

bool rf_mmu_marks_absent(void)
{
	return rf_spte_absent;
}
