/* SPDX-License-Identifier: GPL-2.0 */
/*
 * segment.h - what a selector means to a vCPU, from the checked copies
 */
#ifndef RF_EMUL_SEGMENT_H
#define RF_EMUL_SEGMENT_H

#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "../vcpu.h"

#define RF_DESC_TYPE		(0xfULL << 40)
#define RF_DESC_ACCESSED	(1ULL << 40)
#define RF_DESC_WRITABLE	(1ULL << 41)	/* code: readable */
#define RF_DESC_CODE		(1ULL << 43)
#define RF_DESC_S		(1ULL << 44)	/* not a system descriptor */
#define RF_DESC_DPL		(3ULL << 45)
#define RF_DESC_P		(1ULL << 47)
#define RF_DESC_L		(1ULL << 53)
#define RF_DESC_D		(1ULL << 54)

#define RF_SELECTOR_LDT		4
#define RF_DESCS_PER_PAGE	(PAGE_SIZE / sizeof(u64))

/* The flat segments at the end of every GDT, as far as code may ask for them. */
static inline u64 rf_segment_reserved(u16 selector)
{
	switch (selector | 3) {
	case RF_FLAT_USER_CS64:
		return 0x00affb000000ffffULL;
	case RF_FLAT_USER_CS32:
		return 0x00cffb000000ffffULL;
	case RF_FLAT_USER_SS:
		return 0x00cff3000000ffffULL;
	default:
		return 0;
	}
}

/**
 * rf_segment_get() - Descriptor behind a selector
 * @vcpu: The vCPU
 * @selector: Any selector
 *
 * Return: the descriptor as the CPU has it, or 0 where loading would fault.
 */
static inline u64 rf_segment_get(const struct rf_vcpu *vcpu, u16 selector)
{
	bool ldt = selector & RF_SELECTOR_LDT;
	u32 nr = ldt ? vcpu->nr_ldt_entries : RF_FIRST_RESERVED_GDT_ENTRY;
	u32 index = selector >> 3;
	struct page *page;
	u64 desc;

	if (!ldt && index >= nr)
		return rf_segment_reserved(selector);
	if (!index || index >= nr)
		return 0;

	index = array_index_nospec(index, nr);
	page = (ldt ? vcpu->ldt_pages : vcpu->gdt_pages)[index / RF_DESCS_PER_PAGE];
	if (!page)
		return 0;
	desc = READ_ONCE(((u64 *)page_address(page))[index % RF_DESCS_PER_PAGE]);
	return (desc & RF_DESC_P) && (desc & RF_DESC_S) ? desc : 0;
}

static inline u32 rf_segment_base(u64 desc)
{
	return ((desc >> 16) & 0xffffff) | ((desc >> 56) << 24);
}

static inline bool rf_segment_is_code(u64 desc)
{
	return desc & RF_DESC_CODE;
}

/* Fit for %ss: a writable data segment. */
static inline bool rf_segment_is_stack(u64 desc)
{
	return !(desc & RF_DESC_CODE) && (desc & RF_DESC_WRITABLE);
}

/* Fit for %ds and its kin: data, or code that may be read. */
static inline bool rf_segment_is_readable(u64 desc)
{
	return desc && (!(desc & RF_DESC_CODE) || (desc & RF_DESC_WRITABLE));
}

#endif /* RF_EMUL_SEGMENT_H */
