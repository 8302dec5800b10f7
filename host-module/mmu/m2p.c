// SPDX-License-Identifier: GPL-2.0
/*
 * m2p.c - the identity M2P table, one for all guests
 *
 * The ABI has the guest read machine-to-physical frame numbers at
 * 0xffff800000000000.  Here the two are the same number, so one read-only
 * table serves everyone; its pages are made when a guest first looks.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mutex.h>

#include "../vm.h"
#include "mmu.h"
#include "shadow.h"

#define USER_TABLE	(RF_PTE_P | RF_PTE_W | RF_PTE_U | RF_PTE_A | RF_PTE_D)
#define USER_PAGE	(RF_PTE_P | RF_PTE_U | RF_PTE_A | RF_PTE_D | RF_PTE_NX)

static DEFINE_MUTEX(m2p_lock);
static u64 *m2p_pud;

u64 rf_m2p_root_entry(void)
{
	return __sme_pa(m2p_pud) | USER_TABLE;
}

static u64 *m2p_below(u64 *table, unsigned int index)
{
	u64 *below;

	if (table[index])
		return __va(table[index] & RF_PTE_GFN & ~sme_me_mask);
	below = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (below)
		WRITE_ONCE(table[index], __sme_pa(below) | USER_TABLE);
	return below;
}

/* A guest reads the table at @gva: 0 if it may now, -EFAULT if it may not. */
int rf_m2p_fault(struct rf_vm *vm, u64 gva)
{
	u64 first = (gva - RF_M2P_VIRT_START) / PAGE_SIZE * (PAGE_SIZE / sizeof(u64));
	u64 *pmd, *pte, *page;
	unsigned int i;
	int err = -ENOMEM;

	if (gva < RF_M2P_VIRT_START || gva >= RF_M2P_VIRT_END || first >= vm->max_gfn)
		return -EFAULT;

	mutex_lock(&m2p_lock);
	pmd = m2p_below(m2p_pud, rf_walk_index(gva, 3));
	pte = pmd ? m2p_below(pmd, rf_walk_index(gva, 2)) : NULL;
	if (!pte)
		goto out;
	err = 0;
	if (pte[rf_walk_index(gva, 1)])
		goto out;

	err = -ENOMEM;
	page = (u64 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!page)
		goto out;
	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		page[i] = first + i;
	WRITE_ONCE(pte[rf_walk_index(gva, 1)], __sme_pa(page) | USER_PAGE);
	err = 0;
out:
	mutex_unlock(&m2p_lock);
	return err;
}

int rf_m2p_init(void)
{
	m2p_pud = (u64 *)get_zeroed_page(GFP_KERNEL);
	return m2p_pud ? 0 : -ENOMEM;
}

static void m2p_free(u64 *table, int level)
{
	int i;

	for (i = 0; level > 0 && i < PTRS_PER_PTE; i++)
		if (table[i])
			m2p_free(__va(table[i] & RF_PTE_GFN & ~sme_me_mask), level - 1);
	free_page((unsigned long)table);
}

void rf_m2p_exit(void)
{
	m2p_free(m2p_pud, 3);
}
