// SPDX-License-Identifier: GPL-2.0
/*
 * block_extent.c - which bytes of a file a guest's sectors are  (pure)
 *
 * Every number may be any number; whatever is added or shifted has been
 * compared with a length before.
 */
#include "block_extent.h"

/* The largest position a file has (loff_t). */
#define MAX_FILE	0x7fffffffffffffffULL

bool rf_extent_make(struct rf_extent *extent, u64 file_len, u64 offset, u64 len,
		    u32 block_size)
{
	u64 mask = block_size - 1;

	if (file_len > MAX_FILE || offset > file_len || (offset & mask))
		return false;
	if (!len)
		len = (file_len - offset) & ~mask;
	if (!len || (len & mask) || len > file_len - offset)
		return false;
	*extent = (struct rf_extent) {
		.offset		= offset,
		.len		= len,
		.block_size	= block_size,
	};
	return true;
}

bool rf_extent_map(const struct rf_extent *extent, u64 sector, u64 len, u64 *pos)
{
	u64 start;

	if (sector > extent->len >> RF_SECTOR_SHIFT)
		return false;
	start = sector << RF_SECTOR_SHIFT;
	if (len > extent->len - start)
		return false;
	if ((start | len) & (extent->block_size - 1))
		return false;
	*pos = extent->offset + start;
	return true;
}
