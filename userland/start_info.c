// SPDX-License-Identifier: GPL-2.0
/*
 * start_info.c - the domain builder: guest memory at the first instruction  (pure)
 *
 * The layout is the one include/xen/interface/xen.h describes and the
 * reference builder makes, from frame 0 up:
 *
 *	kernel | initrd | frame list | start_info | store | console | page tables | stack | pad
 *	'--------------------------- initial mapping, from VIRT_BASE ---------------------'
 *
 * A kernel that says so has its initrd (MOD_START_PFN) and frame list
 * (INIT_P2M) after the pad, the list with page tables of its own:
 *
 *	kernel | start_info | store | console | page tables | stack | pad | initrd |
 *	list | its tables
 *
 * Machine frames are guest frames, so the frame list is the identity.
 */
#include <stdbool.h>
#include <string.h>

#include "start_info.h"
#include "xen_start_info.h"

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define TABLE_SHIFT		9
#define NR_LEVELS		4
#define TOP			(NR_LEVELS - 1)

/* The guarantee of the ABI: 512 KiB free, then up to the next 4 MiB. */
#define PAD_PAGES		((512 * 1024) >> PAGE_SHIFT)
#define MAPPING_ALIGN		(4UL << 20)

#define PTE_PRESENT		(1ULL << 0)
#define PTE_RW			(1ULL << 1)
#define PTE_USER		(1ULL << 2)
#define PTE_ACCESSED		(1ULL << 5)
#define PTE_DIRTY		(1ULL << 6)
#define PTE_TABLE	(PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED | PTE_DIRTY)

/* Top-level slots that belong to the hypervisor. */
#define HOLE_FIRST_SLOT		256
#define HOLE_LAST_SLOT		271

static uint64_t round_up(uint64_t value, uint64_t align)
{
	return (value + align - 1) & ~(align - 1);
}

static uint64_t pages_of(uint64_t len)
{
	return len / PAGE_SIZE + !!(len % PAGE_SIZE);
}

/* Bits below the index of a table at @level: one table at level 0 maps 2 MiB. */
static unsigned int table_shift(unsigned int level)
{
	return PAGE_SHIFT + TABLE_SHIFT * (level + 1);
}

static unsigned int top_slot(uint64_t va)
{
	return va >> table_shift(TOP - 1) & 511;
}

static bool range_is_canonical(uint64_t from, uint64_t len)
{
	uint64_t last = from + len - 1;

	if (!len || last < from)
		return false;
	return last < 1ULL << 47 || from >= -(1ULL << 47);
}

static bool range_meets_hole(uint64_t from, uint64_t len)
{
	return top_slot(from) <= HOLE_LAST_SLOT &&
	       top_slot(from + len - 1) >= HOLE_FIRST_SLOT;
}

/* Tables of one level that a range needs. */
static uint64_t tables_at(uint64_t from, uint64_t len, unsigned int level)
{
	unsigned int shift = table_shift(level);

	return ((from + len - 1) >> shift) - (from >> shift) + 1;
}

/* Tables below the top level that a range needs. */
static uint64_t tables_below_top(uint64_t from, uint64_t len)
{
	uint64_t nr = 0;

	for (unsigned int level = 0; level < TOP; level++)
		nr += tables_at(from, len, level);
	return nr;
}

static uint64_t segment_gpa(const struct rf_kernel *kernel,
			    const struct rf_segment *segment)
{
	return segment->paddr - kernel->paddr_offset;
}

static uint64_t layout_va(const struct rf_layout *layout, uint64_t pfn)
{
	return layout->virt_base + (pfn << PAGE_SHIFT);
}

static uint64_t frames_take(struct rf_layout *layout, uint64_t nr)
{
	uint64_t pfn = layout->end_pfn;

	layout->end_pfn += nr;
	return pfn;
}

static int too_small(const struct rf_build *build, uint64_t nr_pages,
		     struct rf_error *err)
{
	return rf_error_set(err, "%llu MiB of memory are too few: this kernel "
				 "and initrd need %llu MiB before they start; "
				 "use -m",
			    (unsigned long long)build->nr_pages >> 8,
			    (unsigned long long)(nr_pages + 255) >> 8);
}

static int plan_kernel(const struct rf_build *build, struct rf_layout *layout,
		       struct rf_error *err)
{
	const struct rf_kernel *kernel = build->kernel;
	uint64_t end = 0;

	for (unsigned int i = 0; i < kernel->nr_segments; i++) {
		const struct rf_segment *segment = &kernel->segments[i];
		uint64_t gpa = segment_gpa(kernel, segment);

		if (segment->paddr < kernel->paddr_offset ||
		    gpa + segment->mem_size < gpa ||
		    gpa + segment->mem_size > 1ULL << 46)
			return rf_error_set(err, "the kernel is damaged: a "
						 "segment at %#llx cannot be "
						 "loaded",
					    (unsigned long long)segment->paddr);
		if (gpa + segment->mem_size > end)
			end = gpa + segment->mem_size;
	}
	layout->kernel_end_pfn = pages_of(end);
	layout->end_pfn = layout->kernel_end_pfn;
	if (layout->end_pfn > build->nr_pages)
		return too_small(build, layout->end_pfn, err);
	return 0;
}

/* May the frame list be where INIT_P2M wants it? */
static bool p2m_can_be_apart(const struct rf_build *build)
{
	const struct rf_kernel *kernel = build->kernel;
	uint64_t va = kernel->init_p2m, len = build->nr_pages * 8;

	if (va == RF_NOTE_UNSET || va % PAGE_SIZE || va >= kernel->virt_base)
		return false;
	len = round_up(len, PAGE_SIZE);
	if (!range_is_canonical(va, len) || range_meets_hole(va, len))
		return false;
	/* Its tables hang off the top level by themselves. */
	return top_slot(va + len - 1) < top_slot(kernel->virt_base);
}

/*
 * Page tables map themselves, the stack and the pad, so their number depends
 * on itself; it settles in two or three rounds.
 */
static int plan_tables(struct rf_layout *layout, struct rf_error *err)
{
	uint64_t extra = 1 + PAD_PAGES, nr = 0, len, end;

	for (;;) {
		end = layout_va(layout, layout->end_pfn + nr + extra);
		end = round_up(end, MAPPING_ALIGN);
		len = end - layout->virt_base;
		if (!range_is_canonical(layout->virt_base, len) ||
		    range_meets_hole(layout->virt_base, len))
			return rf_error_set(err, "the kernel is damaged: it "
						 "cannot be mapped at %#llx",
					    (unsigned long long)layout->virt_base);
		if (nr == 1 + tables_below_top(layout->virt_base, len))
			break;
		nr = 1 + tables_below_top(layout->virt_base, len);
	}
	layout->virt_end = end;
	layout->nr_tables = nr;
	layout->tables_pfn = frames_take(layout, nr);
	layout->stack_pfn = frames_take(layout, 1);
	layout->end_pfn = len >> PAGE_SHIFT;
	return 0;
}

static void plan_p2m(const struct rf_build *build, struct rf_layout *layout)
{
	uint64_t nr = pages_of(build->nr_pages * 8);

	layout->nr_p2m_frames = nr;
	layout->p2m_va = layout_va(layout, layout->end_pfn);
	if (layout->p2m_apart) {
		layout->p2m_va = build->kernel->init_p2m;
		layout->nr_p2m_frames += tables_below_top(layout->p2m_va,
							  nr << PAGE_SHIFT);
	}
	layout->p2m_pfn = frames_take(layout, layout->nr_p2m_frames);
}

static void plan_initrd(const struct rf_build *build, struct rf_layout *layout)
{
	if (build->initrd_len)
		layout->initrd_pfn = frames_take(layout,
						 pages_of(build->initrd_len));
}

static int check_notes(const struct rf_build *build,
		       const struct rf_layout *layout, struct rf_error *err)
{
	const struct rf_kernel *kernel = build->kernel;
	uint64_t page = kernel->hypercall_page;

	if (kernel->entry < layout->virt_base ||
	    kernel->entry >= layout->virt_end)
		return rf_error_set(err, "the kernel is damaged: its entry "
					 "point %#llx is not in it",
				    (unsigned long long)kernel->entry);
	if (page != RF_NOTE_UNSET &&
	    (page % PAGE_SIZE || page < layout->virt_base ||
	     page >= layout_va(layout, layout->kernel_end_pfn)))
		return rf_error_set(err, "the kernel is damaged: its hypercall "
					 "page %#llx is not in it",
				    (unsigned long long)page);
	if (strlen(build->cmdline) >= MAX_GUEST_CMDLINE)
		return rf_error_set(err, "the command line is longer than the "
					 "%d bytes the ABI has for it",
				    MAX_GUEST_CMDLINE - 1);
	return 0;
}

int rf_start_info_plan(const struct rf_build *build, struct rf_layout *layout,
		       struct rf_error *err)
{
	const struct rf_kernel *kernel = build->kernel;

	memset(layout, 0, sizeof(*layout));
	layout->virt_base = kernel->virt_base;
	if (layout->virt_base % PAGE_SIZE)
		return rf_error_set(err, "the kernel is damaged: VIRT_BASE "
					 "%#llx is not a page's address",
				    (unsigned long long)layout->virt_base);
	if (plan_kernel(build, layout, err))
		return -1;

	layout->p2m_apart = p2m_can_be_apart(build);
	if (!kernel->mod_start_pfn)
		plan_initrd(build, layout);
	if (!layout->p2m_apart)
		plan_p2m(build, layout);
	layout->start_info_pfn = frames_take(layout, 1);
	layout->store_pfn = frames_take(layout, 1);
	layout->console_pfn = frames_take(layout, 1);
	if (plan_tables(layout, err))
		return -1;
	if (kernel->mod_start_pfn)
		plan_initrd(build, layout);
	if (layout->p2m_apart)
		plan_p2m(build, layout);
	layout->shared_info_pfn = build->nr_pages;

	if (layout->end_pfn > build->nr_pages)
		return too_small(build, layout->end_pfn, err);
	return check_notes(build, layout, err);
}

static void *frame(const struct rf_build *build, uint64_t pfn)
{
	return build->memory + (pfn << PAGE_SHIFT);
}

/*
 * Map @len bytes at @va to frames from @pfn on.  Tables are at @tables, level
 * by level downwards, as the reference builder has them; @top is shared.
 * Frames from @first_ro to @last_ro are tables, and read-only.
 */
struct mapping {
	uint64_t va;
	uint64_t len;
	uint64_t pfn;
	uint64_t top;
	uint64_t tables;
	uint64_t first_ro;
	uint64_t last_ro;
};

/* Frame of the table at @level that maps @va. */
static uint64_t mapping_table(const struct mapping *map, unsigned int level,
			      uint64_t va)
{
	uint64_t pfn = map->tables;

	if (level == TOP)
		return map->top;
	for (unsigned int above = TOP - 1; above > level; above--)
		pfn += tables_at(map->va, map->len, above);
	return pfn + (va >> table_shift(level)) -
	       (map->va >> table_shift(level));
}

static void mapping_set(const struct rf_build *build,
			const struct mapping *map, unsigned int level,
			uint64_t va, uint64_t pfn)
{
	uint64_t *table = frame(build, mapping_table(map, level, va));
	unsigned int shift = table_shift(level) - TABLE_SHIFT;
	uint64_t flags = PTE_TABLE;

	if (!level && pfn >= map->first_ro && pfn <= map->last_ro)
		flags &= ~PTE_RW;
	table[va >> shift & 511] = pfn << PAGE_SHIFT | flags;
}

static void mapping_fill(const struct rf_build *build,
			 const struct mapping *map)
{
	for (uint64_t off = 0; off < map->len; off += PAGE_SIZE)
		mapping_set(build, map, 0, map->va + off,
			    map->pfn + (off >> PAGE_SHIFT));

	for (unsigned int level = 1; level < NR_LEVELS; level++) {
		uint64_t step = 1ULL << table_shift(level - 1);
		uint64_t first = map->va & ~(step - 1);
		uint64_t nr = tables_at(map->va, map->len, level - 1);

		for (uint64_t i = 0; i < nr; i++) {
			uint64_t va = i ? first + i * step : map->va;

			mapping_set(build, map, level, va,
				    mapping_table(map, level - 1, va));
		}
	}
}

static void fill_kernel(const struct rf_build *build)
{
	const struct rf_kernel *kernel = build->kernel;

	for (unsigned int i = 0; i < kernel->nr_segments; i++) {
		const struct rf_segment *segment = &kernel->segments[i];

		memcpy(build->memory + segment_gpa(kernel, segment),
		       kernel->elf + segment->offset, segment->file_size);
	}
}

/* push %rcx; push %r11; mov $nr,%eax; syscall; pop %r11; pop %rcx; ret */
static const uint8_t hypercall_stub[32] = {
	0x51, 0x41, 0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3,
	[14 ... 31] = 0xcc,
};

/* push %rcx; push %r11; push %rax; mov $23,%eax; syscall */
static const uint8_t iret_stub[32] = {
	0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05,
	[11 ... 31] = 0xcc,
};

static void fill_hypercall_page(const struct rf_build *build)
{
	uint64_t page = build->kernel->hypercall_page;
	uint8_t *stub;

	if (page == RF_NOTE_UNSET)
		return;
	stub = build->memory + (page - build->kernel->virt_base);
	for (unsigned int nr = 0; nr < PAGE_SIZE / 32; nr++, stub += 32) {
		memcpy(stub, hypercall_stub, sizeof(hypercall_stub));
		stub[4] = nr;
		if (nr == __HYPERVISOR_iret)
			memcpy(stub, iret_stub, sizeof(iret_stub));
	}
}

static void fill_tables(const struct rf_build *build,
			const struct rf_layout *layout)
{
	struct mapping map = {
		.va = layout->virt_base,
		.len = layout->virt_end - layout->virt_base,
		.top = layout->tables_pfn,
		.tables = layout->tables_pfn + 1,
		.first_ro = layout->tables_pfn,
		.last_ro = layout->tables_pfn + layout->nr_tables - 1,
	};

	mapping_fill(build, &map);
	if (!layout->p2m_apart)
		return;

	map.va = layout->p2m_va;
	map.len = round_up(build->nr_pages * 8, PAGE_SIZE);
	map.pfn = layout->p2m_pfn;
	map.tables = layout->p2m_pfn + (map.len >> PAGE_SHIFT);
	mapping_fill(build, &map);
}

static void fill_p2m(const struct rf_build *build,
		     const struct rf_layout *layout)
{
	uint64_t *list = frame(build, layout->p2m_pfn);

	for (uint64_t pfn = 0; pfn < build->nr_pages; pfn++)
		list[pfn] = pfn;
}

static void fill_start_info(const struct rf_build *build,
			    const struct rf_layout *layout)
{
	struct start_info *si = frame(build, layout->start_info_pfn);
	bool told_as_pfn = build->kernel->mod_start_pfn;

	strcpy(si->magic, "xen-3.0-x86_64");
	si->nr_pages = build->nr_pages;
	si->shared_info = layout->shared_info_pfn << PAGE_SHIFT;
	si->flags = SIF_VIRT_P2M_4TOOLS;
	si->store_mfn = layout->store_pfn;
	si->store_evtchn = build->store_port;
	si->console.mfn = layout->console_pfn;
	si->console.evtchn = build->console_port;
	si->pt_base = layout_va(layout, layout->tables_pfn);
	si->nr_pt_frames = layout->nr_tables;
	si->mfn_list = layout->p2m_va;
	if (layout->p2m_apart) {
		si->first_p2m_pfn = layout->p2m_pfn;
		si->nr_p2m_frames = layout->nr_p2m_frames;
	}
	if (build->initrd_len) {
		si->mod_start = told_as_pfn ? layout->initrd_pfn :
				layout_va(layout, layout->initrd_pfn);
		si->mod_len = build->initrd_len;
		si->flags |= told_as_pfn ? SIF_MOD_START_PFN : 0;
	}
	memcpy(si->cmd_line, build->cmdline, strlen(build->cmdline) + 1);
}

void rf_start_info_fill(const struct rf_build *build,
			const struct rf_layout *layout, struct rf_entry *entry)
{
	fill_kernel(build);
	fill_hypercall_page(build);
	if (build->initrd_len)
		memcpy(frame(build, layout->initrd_pfn), build->initrd,
		       build->initrd_len);
	fill_p2m(build, layout);
	fill_tables(build, layout);
	fill_start_info(build, layout);

	entry->rip = build->kernel->entry;
	entry->rsp = layout_va(layout, layout->stack_pfn + 1);
	entry->rsi = layout_va(layout, layout->start_info_pfn);
	entry->cr3_pfn = layout->tables_pfn;
}
