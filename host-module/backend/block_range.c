// SPDX-License-Identifier: GPL-2.0
/*
 * block_range.c - flush, discard, write zeroes: in the device's workqueue
 */
#include <linux/blkdev.h>
#include <linux/falloc.h>
#include <linux/mm.h>

#include "block.h"

#define ZERO_PAGES	16

bool rf_block_needs_no_flush(const struct rf_block *blk)
{
	return blk->read_only || (blk->bdev && !bdev_write_cache(blk->bdev));
}

int rf_block_flush(struct rf_block *blk)
{
	if (rf_block_needs_no_flush(blk))
		return 0;
	if (blk->bdev)
		return blkdev_issue_flush(blk->bdev);
	return vfs_fsync(blk->file, 1);
}

/* --- discard ------------------------------------------------------------------------ */

static struct block_device *file_device(struct file *file)
{
	struct inode *inode = file->f_mapping->host;

	return S_ISBLK(inode->i_mode) ? I_BDEV(inode) : NULL;
}

static int discard_one(struct rf_block *blk, u64 pos, u64 len)
{
	struct block_device *bdev = file_device(blk->file);

	if (bdev)
		return blkdev_issue_discard(bdev, pos >> SECTOR_SHIFT, len >> SECTOR_SHIFT,
					    GFP_KERNEL);
	return vfs_fallocate(blk->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, pos, len);
}

/* --- zeroes ---------------------------------------------------------------------------- */

static int write_zeroes(struct rf_block *blk, u64 pos, u64 len)
{
	struct bio_vec bvecs[ZERO_PAGES];
	int err = 0;
	u32 i, now;

	for (i = 0; i < ZERO_PAGES; i++)
		bvecs[i] = (struct bio_vec) {
			.bv_page = ZERO_PAGE(0),
			.bv_len = PAGE_SIZE,
		};
	for (; !err && len; len -= now, pos += now) {
		now = min_t(u64, len, ZERO_PAGES * PAGE_SIZE);
		err = rf_block_rw_sync(blk, true, pos, bvecs, ZERO_PAGES, now);
	}
	return err;
}

/* Not every file can do each of them. */
static int zero_one(struct rf_block *blk, u64 pos, u64 len, bool unmap)
{
	const int zero = FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
	const int punch = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	int err = -EOPNOTSUPP;

	if (unmap)
		err = vfs_fallocate(blk->file, punch, pos, len);
	if (err == -EOPNOTSUPP)
		err = vfs_fallocate(blk->file, zero, pos, len);
	if (err == -EOPNOTSUPP)
		err = write_zeroes(blk, pos, len);
	else if (!err && blk->stable)
		err = vfs_fsync(blk->file, 1);
	return err;
}

/* --- ranges ------------------------------------------------------------------------------ */

static bool range_map(const struct rf_block *blk,
		      const struct virtio_blk_discard_write_zeroes *range, u64 *pos, u64 *len)
{
	*len = (u64)le32_to_cpu(range->num_sectors) << SECTOR_SHIFT;
	return *len && rf_extent_map(&blk->extent, le64_to_cpu(range->sector), *len, pos);
}

int rf_block_discard(struct rf_block_request *rq)
{
	u64 pos, len;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < rq->nr_ranges; i++) {
		if (!range_map(rq->blk, &rq->ranges[i], &pos, &len))
			return -EIO;
		err = discard_one(rq->blk, pos, len);
	}
	return err;
}

int rf_block_zeroes(struct rf_block_request *rq)
{
	const __le32 unmap = cpu_to_le32(VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP);
	u64 pos, len;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < rq->nr_ranges; i++) {
		if (!range_map(rq->blk, &rq->ranges[i], &pos, &len))
			return -EIO;
		err = zero_one(rq->blk, pos, len, rq->ranges[i].flags & unmap);
	}
	return err;
}
