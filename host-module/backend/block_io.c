// SPDX-License-Identifier: GPL-2.0
/*
 * block_io.c - read and write, straight from and to guest pages
 *
 *	block device, O_DIRECT:	a bio, unless pages of it are cached
 *	any other file:		read_iter() and write_iter()
 *
 * Both are first tried in the vCPU's thread, such that they would rather fail
 * than wait; what fails so is done by the device's workqueue.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/mm.h>
#include <linux/uio.h>

#include "block.h"

static bool is_write(const struct rf_block_request *rq)
{
	return rq->type == VIRTIO_BLK_T_OUT;
}

static void submit_later(struct rf_block_request *rq)
{
	queue_work(rq->blk->wq, &rq->work);
}

/* --- bio -------------------------------------------------------------------------- */

static void bio_end(struct bio *bio)
{
	struct rf_block_request *rq = container_of(bio, struct rf_block_request, bio);
	blk_status_t status = bio->bi_status;

	bio_uninit(bio);
	if (status == BLK_STS_AGAIN && rq->nowait)
		submit_later(rq);
	else
		rf_block_end(rq, blk_status_to_errno(status));
}

static void bio_start(struct rf_block_request *rq, bool nowait)
{
	struct rf_block *blk = rq->blk;
	blk_opf_t opf = is_write(rq) ? REQ_OP_WRITE | REQ_SYNC | REQ_IDLE : REQ_OP_READ;

	if (nowait)
		opf |= REQ_NOWAIT;
	if (is_write(rq) && (blk->stable || (blk->iocb_flags & IOCB_DSYNC)))
		opf |= REQ_FUA;
	bio_init(&rq->bio, blk->bdev, rq->bvecs, rq->nr_bvecs, opf);
	rq->bio.bi_vcnt = rq->nr_bvecs;
	rq->bio.bi_iter.bi_size = rq->len;
	rq->bio.bi_iter.bi_sector = rq->pos >> SECTOR_SHIFT;
	rq->bio.bi_end_io = bio_end;
	submit_bio(&rq->bio);
}

/* --- kiocb ------------------------------------------------------------------------- */

/* What a file system says that would have had to wait, or cannot tell. */
static bool wants_to_wait(const struct rf_block_request *rq, long ret)
{
	return ret == -EAGAIN || ret == -EOPNOTSUPP || ret == -EINTR ||
	       ret == -ERESTARTSYS || (ret >= 0 && ret < rq->len);
}

static void file_end(struct kiocb *iocb, long ret)
{
	struct rf_block_request *rq = container_of(iocb, struct rf_block_request, iocb);

	if (is_write(rq) && S_ISREG(file_inode(iocb->ki_filp)->i_mode))
		kiocb_end_write(iocb);
	if (rq->nowait && wants_to_wait(rq, ret))
		submit_later(rq);
	else
		rf_block_end(rq, ret < 0 ? ret : ret == rq->len ? 0 : -EIO);
}

/* Against a file system that is being frozen. */
static bool write_start(struct kiocb *iocb, bool nowait)
{
	struct inode *inode = file_inode(iocb->ki_filp);

	if (!S_ISREG(inode->i_mode))
		return true;
	if (!nowait) {
		kiocb_start_write(iocb);
		return true;
	}
	if (!sb_start_write_trylock(inode->i_sb))
		return false;
	__sb_writers_release(inode->i_sb, SB_FREEZE_WRITE);
	return true;
}

static void file_start(struct rf_block_request *rq, bool nowait)
{
	struct rf_block *blk = rq->blk;
	struct iov_iter iter;
	ssize_t ret;

	rq->iocb = (struct kiocb) {
		.ki_filp	= blk->file,
		.ki_pos		= rq->pos,
		.ki_flags	= blk->iocb_flags | (nowait ? IOCB_NOWAIT : 0),
		.ki_complete	= file_end,
	};
	iov_iter_bvec(&iter, is_write(rq) ? ITER_SOURCE : ITER_DEST, rq->bvecs, rq->nr_bvecs,
		      rq->len);
	if (!is_write(rq)) {
		ret = blk->file->f_op->read_iter(&rq->iocb, &iter);
	} else {
		if (blk->stable)
			rq->iocb.ki_flags |= IOCB_DSYNC;
		if (!write_start(&rq->iocb, nowait)) {
			submit_later(rq);
			return;
		}
		ret = blk->file->f_op->write_iter(&rq->iocb, &iter);
	}
	if (ret != -EIOCBQUEUED)
		file_end(&rq->iocb, ret);
}

/* --- by way of the host's pages ------------------------------------------------------- */

int rf_block_rw_sync(struct rf_block *blk, bool write, u64 pos, struct bio_vec *bvecs, u32 nr,
		     u32 len)
{
	struct iov_iter iter;
	struct kiocb iocb;
	ssize_t ret;

	init_sync_kiocb(&iocb, blk->file);
	iocb.ki_pos = pos;
	iocb.ki_flags = blk->iocb_flags | (write && blk->stable ? IOCB_DSYNC : 0);
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, bvecs, nr, len);
	if (!write) {
		ret = blk->file->f_op->read_iter(&iocb, &iter);
	} else {
		write_start(&iocb, false);
		ret = blk->file->f_op->write_iter(&iocb, &iter);
		if (S_ISREG(file_inode(blk->file)->i_mode))
			kiocb_end_write(&iocb);
	}
	return ret < 0 ? ret : ret == len ? 0 : -EIO;
}

/* Buffers at addresses from which no device can read: page by page, copied. */
static int bounce(struct rf_block_request *rq)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT);
	struct iov_iter iter;
	u32 done, now;
	int err = 0;

	if (!page)
		return -ENOMEM;
	iov_iter_bvec(&iter, is_write(rq) ? ITER_SOURCE : ITER_DEST, rq->bvecs, rq->nr_bvecs,
		      rq->len);
	for (done = 0; !err && done < rq->len; done += now) {
		struct bio_vec bvec = { .bv_page = page };

		now = min_t(u32, rq->len - done, PAGE_SIZE);
		bvec.bv_len = now;
		if (is_write(rq) && copy_from_iter(page_address(page), now, &iter) != now)
			err = -EFAULT;
		if (!err)
			err = rf_block_rw_sync(rq->blk, is_write(rq), rq->pos + done, &bvec, 1,
					       now);
		if (!err && !is_write(rq) && copy_to_iter(page_address(page), now, &iter) != now)
			err = -EFAULT;
	}
	__free_page(page);
	return err;
}

static bool is_aligned(const struct rf_block_request *rq)
{
	u32 i;

	if (!(rq->blk->iocb_flags & IOCB_DIRECT))
		return true;
	for (i = 0; i < rq->nr_bvecs; i++)
		if ((rq->bvecs[i].bv_offset | rq->bvecs[i].bv_len) & rq->blk->align_mask)
			return false;
	return true;
}

/* --- which ---------------------------------------------------------------------------- */

static bool may_not_wait(const struct rf_block_request *rq)
{
	if (rq->blk->bdev)
		return bdev_nowait(rq->blk->bdev);
	/* To make a write stable, a file system waits whatever it is told. */
	if (is_write(rq) && rq->blk->stable)
		return false;
	return rq->blk->file->f_mode & FMODE_NOWAIT;
}

/*
 * A bio knows nothing of the page cache.  Where somebody else on the host has
 * read the device through that, the device's own direct I/O keeps both in step.
 */
static bool wants_bio(const struct rf_block *blk)
{
	return blk->bdev && !READ_ONCE(blk->file->f_mapping->nrpages);
}

void rf_block_submit(struct rf_block_request *rq, bool nowait)
{
	bool aligned = is_aligned(rq);

	if (nowait && (!aligned || !may_not_wait(rq))) {
		submit_later(rq);
		return;
	}
	rq->nowait = nowait;
	if (!aligned)
		rf_block_end(rq, bounce(rq));
	else if (wants_bio(rq->blk))
		bio_start(rq, nowait);
	else
		file_start(rq, nowait);
}
