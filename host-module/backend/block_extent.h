/* SPDX-License-Identifier: GPL-2.0 */
/* block_extent.h - which bytes of a file a guest's sectors are */
#ifndef RF_BLOCK_EXTENT_H
#define RF_BLOCK_EXTENT_H

#include <linux/types.h>

#define RF_SECTOR_SHIFT		9

/**
 * struct rf_extent - the bytes of a file that are a guest's
 * @offset: First
 * @len: How many; @offset + @len is no overflow
 * @block_size: A power of 2; requests are of whole blocks
 */
struct rf_extent {
	u64 offset;
	u64 len;
	u32 block_size;
};

/**
 * rf_extent_make() - An extent of a file, if it is one
 * @extent: Out
 * @file_len: Bytes there are
 * @offset: First byte
 * @len: Bytes; 0: as many whole blocks as there are from @offset on
 * @block_size: A power of 2, 512 or more
 *
 * Return: whether it lies in the file, is not empty, and of whole blocks.
 */
bool rf_extent_make(struct rf_extent *extent, u64 file_len, u64 offset, u64 len,
		    u32 block_size);

/**
 * rf_extent_map() - Where sectors are
 * @extent: Of the guest
 * @sector: First sector of 512 bytes, as the guest says
 * @len: Bytes, as the guest says
 * @pos: Out: byte of the file
 *
 * Return: whether all of them are the guest's, and whole blocks.
 */
bool rf_extent_map(const struct rf_extent *extent, u64 sector, u64 len, u64 *pos);

#endif /* RF_BLOCK_EXTENT_H */
