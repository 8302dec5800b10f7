// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c - frames and page tables
 *
 * Everything lies in the mapping that the domain builder made: frame n at
 * VIRT_BASE + n * 4096, page tables read-only.  What is behind the boot stack
 * is free.
 */
#include "guest.h"

/* The mapping ends at the first 4 MiB boundary 512 KiB after the stack. */
#define PAD_PAGES	128
#define ALIGN_PAGES	1024

static u64 next_free, end_free;
static u8 shared_info_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

u64 kernel_root(void)
{
	return mfn_of((void *)start_info->pt_base);
}

void memory_init(void)
{
	u64 stack = kernel_root() + start_info->nr_pt_frames;

	next_free = stack + 1;
	end_free = (next_free + PAD_PAGES + ALIGN_PAGES - 1) & ~(ALIGN_PAGES - 1);

	update_va_mapping((u64)shared_info_page, start_info->shared_info | PTE_RW | PTE_NX,
			  UVMF_INVLPG);
	shared_info = (void *)shared_info_page;
}

void *page_alloc(void)
{
	void *page;

	if (next_free == end_free) {
		print("not ok 9998 out of pages\n");
		shut_down(SHUTDOWN_crash);
	}
	page = (void *)va_of(next_free++);
	memset(page, 0, PAGE_SIZE);
	return page;
}

u64 table_alloc(void)
{
	void *page = page_alloc();

	update_va_mapping((u64)page, mkpte(mfn_of(page), PTE_RO), UVMF_INVLPG);
	return mfn_of(page);
}

u64 *pte_find(u64 root, u64 va, int level)
{
	u64 *table = (u64 *)va_of(root);
	int at;

	for (at = 4; ; at--) {
		u64 *entry = &table[(va >> (12 + 9 * (at - 1))) & 511];

		if (at == level)
			return entry;
		if (!(*entry & PTE_P))
			return NULL;
		table = (u64 *)va_of((*entry & PTE_MFN) >> 12);
	}
}

long pte_write(const u64 *entry, u64 val)
{
	struct mmu_update update = { .ptr = pte_ma(entry), .val = val };

	return mmu_update(&update, 1, NULL);
}

void map(u64 root, u64 va, u64 pte)
{
	int level;

	for (level = 3; level >= 1; level--)
		if (!pte_find(root, va, level))
			pte_write(pte_find(root, va, level + 1),
				  mkpte(table_alloc(), PTE_RW));
	if (pte_write(pte_find(root, va, 1), pte))
		print("# no mapping at %#lx: %#lx\n", va, pte);
}
