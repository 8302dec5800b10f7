// SPDX-License-Identifier: GPL-2.0
/*
 * map.c - the switcher's pages in every address space
 *
 *	launcher's mm->pgd  --.
 *	                       +--> host view: every CPU, every VM's vCPUs
 *	                      -'
 *	guest roots of VM v ------> VM view: every CPU, the vCPUs of v only
 *
 * Both views are one upper table (a PUD page) each and share everything
 * below.  A VM's slot is one PUD entry, 1 GiB; the first eight are the CPUs'.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/smp.h>

#include <asm/io.h>
#include <asm/pgtable.h>
#include <asm/tlbflush.h>

#include "switcher.h"

#define CPU_PUDS	8

/* Guard hole for hypervisors, Documentation/x86/x86_64/mm.rst. */
#define HOLE_4LEVEL	0xffff830000000000ULL
#define HOLE_5LEVEL	0xff00000000000000ULL

struct rf_hole {
	u32 slot;
	u64 *p4d;		/* 5-level hosts: the table above @pud */
	u64 *pud;
};

static DEFINE_MUTEX(hole_lock);
static struct rf_hole host_view;
static DECLARE_BITMAP(hole_slots, RF_MAX_VMS);

static u64 hole_base(void)
{
	return pgtable_l5_enabled() ? HOLE_5LEVEL : HOLE_4LEVEL;
}

static u64 *table_alloc(void)
{
	return (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
}

static u64 table_entry(const void *table)
{
	return __pa(table) | _KERNPG_TABLE_NOENC | _PAGE_ENC;
}

static u64 *table_of(u64 entry)
{
	return __va(entry & PTE_PFN_MASK);
}

static u64 page_entry(struct page *page, bool writable, bool exec)
{
	u64 entry = page_to_phys(page) | _PAGE_PRESENT | _PAGE_ACCESSED | _PAGE_ENC;

	if (writable)
		entry |= _PAGE_RW | _PAGE_DIRTY;
	if (!exec)
		entry |= _PAGE_NX;
	return entry;
}

/* The table that the entry at @index of @table points to, made if need be. */
static u64 *table_below(u64 *table, unsigned int index)
{
	u64 *below;

	if (table[index])
		return table_of(table[index]);

	below = table_alloc();
	if (below)
		WRITE_ONCE(table[index], table_entry(below));
	return below;
}

static int map_page(u64 *pud, u64 va, u64 entry)
{
	u64 *pmd, *pte;

	lockdep_assert_held(&hole_lock);

	pmd = table_below(pud, pud_index(va));
	if (!pmd)
		return -ENOMEM;
	pte = table_below(pmd, pmd_index(va));
	if (!pte)
		return -ENOMEM;

	WRITE_ONCE(pte[pte_index(va)], entry);
	return 0;
}

/* Free what hangs below entry @index of @pud. */
static void free_below(u64 *pud, unsigned int index)
{
	u64 *pmd;
	int i;

	if (!pud[index])
		return;

	pmd = table_of(pud[index]);
	pud[index] = 0;
	for (i = 0; i < PTRS_PER_PMD; i++)
		if (pmd[i])
			free_page((unsigned long)table_of(pmd[i]));
	free_page((unsigned long)pmd);
}

static void flush_cpu(void *unused)
{
	__flush_tlb_all();
}

/*
 * A CPU may keep entries of the upper tables for any launcher's address space,
 * the host view being in all of them, and of those whose PCID is not loaded.
 * Nothing is freed, and no slot used again, before they are gone: the CPU walks
 * ahead of what is executed, through pages that may be somebody else's by then;
 * and an NMI right after the way out of the guest reads its gate's descriptor
 * by the guest's GDT, in the VM's slot of the host view.
 */
static void flush_hole(void)
{
	on_each_cpu(flush_cpu, NULL, 1);
}

static int view_init(struct rf_hole *view)
{
	view->pud = table_alloc();
	if (!view->pud)
		return -ENOMEM;

	if (pgtable_l5_enabled()) {
		view->p4d = table_alloc();
		if (!view->p4d) {
			free_page((unsigned long)view->pud);
			return -ENOMEM;
		}
		view->p4d[0] = table_entry(view->pud);
	}
	return 0;
}

static void view_exit(struct rf_hole *view)
{
	free_page((unsigned long)view->p4d);
	free_page((unsigned long)view->pud);
}

u64 rf_hole_cpu_va(int cpu)
{
	return hole_base() + ((u64)cpu << RF_CPU_AREA_SHIFT);
}

int rf_hole_map_cpu_page(int cpu, unsigned int page_index, struct page *page,
			 bool exec)
{
	u64 va = rf_hole_cpu_va(cpu) + ((u64)page_index << PAGE_SHIFT);
	int err;

	if (pud_index(va) >= CPU_PUDS)
		return -ENOSPC;

	mutex_lock(&hole_lock);
	err = map_page(host_view.pud, va, page_entry(page, !exec, exec));
	mutex_unlock(&hole_lock);
	return err;
}

u64 rf_hole_vcpu_va(struct rf_hole *hole, unsigned int vcpu_id)
{
	return hole_base() + ((u64)(CPU_PUDS + hole->slot) << PUD_SHIFT) +
	       ((u64)vcpu_id << RF_VCPU_AREA_SHIFT);
}

/* @page NULL takes the page out; the caller flushes. */
int rf_hole_map_vcpu_page(struct rf_hole *hole, unsigned int vcpu_id,
			  unsigned int page_index, struct page *page,
			  bool writable)
{
	u64 va = rf_hole_vcpu_va(hole, vcpu_id) + ((u64)page_index << PAGE_SHIFT);
	unsigned int index = pud_index(va);
	int err;

	mutex_lock(&hole_lock);
	err = map_page(hole->pud, va,
		       page ? page_entry(page, writable, false) : 0);
	if (!err)
		WRITE_ONCE(host_view.pud[index], hole->pud[index]);
	mutex_unlock(&hole_lock);
	return err;
}

struct rf_hole *rf_hole_create(void)
{
	struct rf_hole *hole;
	int err;

	hole = kzalloc(sizeof(*hole), GFP_KERNEL_ACCOUNT);
	if (!hole)
		return ERR_PTR(-ENOMEM);

	err = view_init(hole);
	if (err)
		goto err_free;

	mutex_lock(&hole_lock);
	hole->slot = find_first_zero_bit(hole_slots, RF_MAX_VMS);
	err = hole->slot < RF_MAX_VMS ? 0 : -ENOSPC;
	if (!err) {
		__set_bit(hole->slot, hole_slots);
		memcpy(hole->pud, host_view.pud, CPU_PUDS * sizeof(u64));
	}
	mutex_unlock(&hole_lock);
	if (err)
		goto err_view;
	return hole;

err_view:
	view_exit(hole);
err_free:
	kfree(hole);
	return ERR_PTR(err);
}

void rf_hole_destroy(struct rf_hole *hole)
{
	unsigned int index = CPU_PUDS + hole->slot;

	mutex_lock(&hole_lock);
	WRITE_ONCE(host_view.pud[index], 0);
	flush_hole();
	free_below(hole->pud, index);
	__clear_bit(hole->slot, hole_slots);
	mutex_unlock(&hole_lock);

	view_exit(hole);
	kfree(hole);
}

static u64 view_root_entry(const struct rf_hole *view)
{
	return table_entry(view->p4d ? view->p4d : view->pud);
}

u64 rf_hole_root_entry(struct rf_hole *hole)
{
	return view_root_entry(hole);
}

unsigned int rf_hole_root_index(void)
{
	return pgd_index(hole_base());
}

/*
 * The kernel's own entries of this slot are empty in every mm, and nothing but
 * a hypervisor may use it, so a plain store is all there is to it.
 */
void rf_hole_attach(struct mm_struct *mm)
{
	WRITE_ONCE(pgd_offset(mm, hole_base())->pgd, view_root_entry(&host_view));
}

void rf_hole_detach(struct mm_struct *mm)
{
	WRITE_ONCE(pgd_offset(mm, hole_base())->pgd, 0);
}

int rf_hole_init(void)
{
	return view_init(&host_view);
}

void rf_hole_exit(void)
{
	int i;

	flush_hole();
	for (i = 0; i < CPU_PUDS; i++)
		free_below(host_view.pud, i);
	view_exit(&host_view);
}
