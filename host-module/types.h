/* SPDX-License-Identifier: GPL-2.0 */
/*
 * types.h - frame numbers that the compiler keeps apart
 *
 * The PV ABI speaks of guest frames (gfn, which here are also its machine
 * frames) and the host of its own (pfn).  Mixing them is the classic mistake.
 */
#ifndef RF_TYPES_H
#define RF_TYPES_H

#include <linux/types.h>
#include <asm/page_types.h>

/**
 * struct rf_gfn - a guest frame; the guest's machine frame as well
 * @v: Frame number, the guest physical address shifted by 12
 */
typedef struct rf_gfn {
	u64 v;
} rf_gfn_t;

/**
 * struct rf_pfn - a frame of the host
 * @v: Frame number
 */
typedef struct rf_pfn {
	u64 v;
} rf_pfn_t;

#define RF_GFN(_v)	((rf_gfn_t){ .v = (_v) })
#define RF_PFN(_v)	((rf_pfn_t){ .v = (_v) })
#define RF_NO_GFN	RF_GFN(~0ULL)

static inline bool rf_gfn_eq(rf_gfn_t a, rf_gfn_t b)
{
	return a.v == b.v;
}

/* Is @addr an address that 48-bit paging can hold? */
static inline bool rf_canonical(u64 addr)
{
	return (u64)((s64)(addr << 16) >> 16) == addr;
}

/* Does the guest own @addr, as opposed to the hole between its halves? */
static inline bool rf_gva_ok(u64 addr)
{
	return rf_canonical(addr) &&
	       (addr < 0xffff800000000000ULL || addr >= 0xffff880000000000ULL);
}

#endif /* RF_TYPES_H */
