// SPDX-License-Identifier: GPL-2.0
/*
 * block.c - block device (virtio specification 1.2, section 5.2)
 *
 * serve() takes requests and begins them.  What has ended by the time it has
 * begun all of them is given back there: no page pinned for the status, no
 * event.  Of the others it lets go: whoever ends them gives them back.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/ktime.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_byteorder.h>

#include <uapi/linux/virtio_ids.h>

#include "../guestmem.h"
#include "../vm.h"
#include "block.h"

/* Requests of one device that wait in threads of the host's, at most. */
#define MAX_WAITING	16

#define DEFAULT_QUEUE_NUM	256
#define MIN_QUEUE_NUM		16

static struct rf_block *block_of(struct rf_device *dev)
{
	return container_of(dev, struct rf_block, dev);
}

/* --- the end of a request --------------------------------------------------------- */

static u8 status_of(int err)
{
	switch (err) {
	case 0:
		return VIRTIO_BLK_S_OK;
	case -EOPNOTSUPP:
		return VIRTIO_BLK_S_UNSUPP;
	default:
		return VIRTIO_BLK_S_IOERR;
	}
}

/* Bytes at the beginning of what the device writes that are what they should be. */
static u32 written_of(const struct rf_block_request *rq)
{
	if (rq->type == VIRTIO_BLK_T_IN)
		return rq->err ? 0 : rq->len + 1;
	if (rq->type == VIRTIO_BLK_T_GET_ID)
		return rq->err ? 0 : VIRTIO_BLK_ID_BYTES + 1;
	return 1;
}

static void request_count(struct rf_block_request *rq)
{
	struct rf_device *dev = &rq->blk->dev;

	if (rq->err)
		atomic64_inc(&dev->errors);
	else if (rq->type == VIRTIO_BLK_T_IN)
		atomic64_add(rq->len, &dev->read_bytes);
	else if (rq->type == VIRTIO_BLK_T_OUT)
		atomic64_add(rq->len, &dev->written_bytes);
}

/*
 * Pages are marked as dirty before the device writes to them.  If the host has
 * written them back meanwhile, it does not know of what came later.
 */
static bool page_is_clean(const struct bio_vec *bvec)
{
	return bvec->bv_page && !PageDirty(bvec->bv_page);
}

static bool request_is_clean(const struct rf_block_request *rq)
{
	u32 i;

	if (page_is_clean(&rq->status))
		return true;
	if (rq->type != VIRTIO_BLK_T_IN)
		return false;
	for (i = 0; i < rq->nr_bvecs; i++)
		if (page_is_clean(&rq->bvecs[i]))
			return true;
	return false;
}

static void bvecs_dirty(struct bio_vec *bvecs, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (page_is_clean(&bvecs[i]))
			set_page_dirty_lock(bvecs[i].bv_page);
}

static void request_dirty(struct rf_block_request *rq)
{
	bvecs_dirty(&rq->status, 1);
	if (rq->type == VIRTIO_BLK_T_IN)
		bvecs_dirty(rq->bvecs, rq->nr_bvecs);
}

static void request_release(struct rf_block_request *rq)
{
	rf_bvecs_unpin(rq->bvecs, rq->nr_bvecs, false);
	rq->nr_bvecs = 0;
	if (rq->bvecs != rq->room)
		kfree(rq->bvecs);
	rq->bvecs = rq->room;
	kfree(rq->ranges);
	rq->ranges = NULL;
	rq->nr_ranges = 0;
}

/* In serve(), where the guest's memory can be written to as it is. */
static void request_finish(struct rf_block_request *rq)
{
	u8 status = status_of(rq->err);
	u32 written = written_of(rq);

	request_count(rq);
	request_dirty(rq);
	request_release(rq);
	if (rf_guest_write_gpa(rq->blk->dev.vm, rq->status_gpa, &status, 1))
		written = 0;
	rq->busy = false;
	rf_queue_finish(rq->q, rq->head, written);
}

/* In any context; may be the last there is of the device. */
static void request_complete(struct rf_block_request *rq)
{
	struct rf_queue *q = rq->q;
	u32 written = written_of(rq);
	u16 head = rq->head;

	request_count(rq);
	request_release(rq);
	if (rq->status.bv_page) {
		u8 *at = page_address(rq->status.bv_page) + rq->status.bv_offset;

		WRITE_ONCE(*at, status_of(rq->err));
		rf_bvecs_unpin(&rq->status, 1, false);
		rq->status.bv_page = NULL;
	} else {
		written = 0;
	}
	/* The guest may use the head once more as soon as it is in the ring. */
	smp_store_release(&rq->busy, false);
	rf_queue_complete(q, head, written);
}

void rf_block_end(struct rf_block_request *rq, int err)
{
	rq->err = err;
	/* Full barrier: what it has read and written goes before. */
	if (xchg(&rq->state, RF_BLOCK_ENDED) == RF_BLOCK_BEGUN)
		return;
	if (request_is_clean(rq))
		queue_work(rq->blk->wq, &rq->work);
	else
		request_complete(rq);
}

/* --- what has to wait ------------------------------------------------------------- */

static void request_run(struct rf_block_request *rq)
{
	switch (rq->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		rf_block_submit(rq, false);
		return;
	case VIRTIO_BLK_T_FLUSH:
		rf_block_end(rq, rf_block_flush(rq->blk));
		return;
	case VIRTIO_BLK_T_DISCARD:
		rf_block_end(rq, rf_block_discard(rq));
		return;
	default:
		rf_block_end(rq, rf_block_zeroes(rq));
	}
}

static void request_work(struct work_struct *work)
{
	struct rf_block_request *rq = container_of(work, struct rf_block_request, work);

	if (READ_ONCE(rq->state) != RF_BLOCK_ENDED) {
		request_run(rq);
		return;
	}
	request_dirty(rq);
	request_complete(rq);
}

/* --- what is asked for ------------------------------------------------------------ */

static int rw_pin(struct rf_block_request *rq, const struct rf_chain *chain)
{
	bool read = rq->type == VIRTIO_BLK_T_IN;
	u32 max = chain->nr + (rq->len >> PAGE_SHIFT) + 1;
	int nr;

	if (max > RF_BLOCK_INLINE_BVECS && rq->len > PAGE_SIZE) {
		rq->bvecs = kmalloc_array(max, sizeof(*rq->bvecs), GFP_KERNEL_ACCOUNT);
		if (!rq->bvecs) {
			rq->bvecs = rq->room;
			return -ENOMEM;
		}
	} else {
		max = RF_BLOCK_INLINE_BVECS;
	}
	nr = rf_chain_pin(rq->blk->dev.vm, chain, read,
			  read ? 0 : sizeof(struct virtio_blk_outhdr), rq->len, rq->bvecs, max);
	if (nr < 0)
		return nr;
	rq->nr_bvecs = nr;
	if (read)
		bvecs_dirty(rq->bvecs, nr);
	return 0;
}

static int rw_begin(struct rf_block_request *rq, const struct rf_chain *chain, u64 sector)
{
	int err;

	if (rq->len > RF_BLOCK_MAX_LEN ||
	    !rf_extent_map(&rq->blk->extent, sector, rq->len, &rq->pos))
		return -EIO;
	if (!rq->len)
		return 0;
	err = rw_pin(rq, chain);
	if (err)
		return err;
	rf_block_submit(rq, true);
	return -EIOCBQUEUED;
}

static int flush_begin(struct rf_block_request *rq)
{
	if (rf_block_needs_no_flush(rq->blk))
		return 0;
	queue_work(rq->blk->wq, &rq->work);
	return -EIOCBQUEUED;
}

static int get_id(struct rf_block_request *rq, const struct rf_chain *chain)
{
	if (chain->write_len < VIRTIO_BLK_ID_BYTES + 1)
		return -EIO;
	return rf_chain_write(rq->blk->dev.vm, chain, 0, rq->blk->serial, VIRTIO_BLK_ID_BYTES);
}

/* Flags nobody has heard of, or which make no sense. */
static bool ranges_are_known(const struct rf_block_request *rq)
{
	bool zeroes = rq->type == VIRTIO_BLK_T_WRITE_ZEROES;
	u32 known = zeroes ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0;
	u32 i;

	for (i = 0; i < rq->nr_ranges; i++)
		if (le32_to_cpu(rq->ranges[i].flags) & ~known)
			return false;
	return true;
}

static bool ranges_are_short(const struct rf_block_request *rq)
{
	u32 max = rq->type == VIRTIO_BLK_T_DISCARD ? RF_BLOCK_MAX_DISCARD : RF_BLOCK_MAX_ZEROES;
	u32 i;

	for (i = 0; i < rq->nr_ranges; i++)
		if (le32_to_cpu(rq->ranges[i].num_sectors) > max)
			return false;
	return true;
}

static int ranges_begin(struct rf_block_request *rq, const struct rf_chain *chain, u32 feature)
{
	u32 len = chain->read_len - sizeof(struct virtio_blk_outhdr);

	if (!rf_device_has(&rq->blk->dev, feature))
		return -EOPNOTSUPP;
	if (!len || len % sizeof(*rq->ranges) || len / sizeof(*rq->ranges) > RF_BLOCK_MAX_RANGES)
		return -EIO;
	rq->ranges = kmalloc(len, GFP_KERNEL_ACCOUNT);
	if (!rq->ranges)
		return -ENOMEM;
	rq->nr_ranges = len / sizeof(*rq->ranges);
	if (rf_chain_read(rq->blk->dev.vm, chain, sizeof(struct virtio_blk_outhdr), rq->ranges,
			  len))
		return -EFAULT;
	if (!ranges_are_known(rq))
		return -EOPNOTSUPP;
	if (!ranges_are_short(rq))
		return -EIO;
	queue_work(rq->blk->wq, &rq->work);
	return -EIOCBQUEUED;
}

/* Return: how it has ended, or -EIOCBQUEUED if rf_block_end() will say. */
static int request_begin(struct rf_block_request *rq, const struct rf_chain *chain, u64 sector)
{
	bool writes = rq->type == VIRTIO_BLK_T_OUT || rq->type == VIRTIO_BLK_T_DISCARD ||
		      rq->type == VIRTIO_BLK_T_WRITE_ZEROES;

	if (writes && rq->blk->read_only)
		return -EIO;
	switch (rq->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return rw_begin(rq, chain, sector);
	case VIRTIO_BLK_T_FLUSH:
		return flush_begin(rq);
	case VIRTIO_BLK_T_GET_ID:
		return get_id(rq, chain);
	case VIRTIO_BLK_T_DISCARD:
		return ranges_begin(rq, chain, VIRTIO_BLK_F_DISCARD);
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return ranges_begin(rq, chain, VIRTIO_BLK_F_WRITE_ZEROES);
	default:
		return -EOPNOTSUPP;
	}
}

/* --- limits ----------------------------------------------------------------------- */

/* How many ns until a request of @len bytes may begin; 0: it may, and is counted. */
static u64 limit_take(struct rf_block *blk, u32 len)
{
	u64 now = ktime_get_ns(), wait;

	spin_lock(&blk->limit_lock);
	wait = max(rf_bucket_wait(&blk->iops, now), rf_bucket_wait(&blk->bytes, now));
	if (!wait) {
		rf_bucket_take(&blk->iops, now, 1);
		rf_bucket_take(&blk->bytes, now, len);
	}
	spin_unlock(&blk->limit_lock);
	return wait;
}

/* Does a limit make the request wait?  Then the queue is served again later. */
static bool limit_holds(struct rf_queue *q, struct rf_block_queue *bq, u32 len)
{
	u64 wait = limit_take(block_of(q->dev), min_t(u32, len, RF_BLOCK_MAX_LEN));

	if (!wait)
		return false;
	bq->held = true;
	rf_queue_serve_later(q, nsecs_to_jiffies(min_t(u64, wait, NSEC_PER_SEC)) + 1);
	return true;
}

/* --- serving ---------------------------------------------------------------------- */

static u64 status_gpa(const struct rf_chain *chain)
{
	u32 i = chain->nr;

	while (i--)
		if (chain->segments[i].write && chain->segments[i].len)
			break;
	return chain->segments[i].gpa + chain->segments[i].len - 1;
}

/* Data of a read or write; nothing else has any. */
static u32 data_len(const struct rf_chain *chain, u32 type)
{
	if (type == VIRTIO_BLK_T_IN)
		return chain->write_len - 1;
	if (type == VIRTIO_BLK_T_OUT)
		return chain->read_len - sizeof(struct virtio_blk_outhdr);
	return 0;
}

/*
 * Is it a request at all?  One without a header or a status cannot be answered;
 * one under a head that is in use has been given back by nobody.
 */
static bool header_read(struct rf_queue *q, struct rf_block_queue *bq,
			struct virtio_blk_outhdr *header)
{
	const struct rf_chain *chain = &bq->chain;

	return chain->read_len >= sizeof(*header) && chain->write_len &&
	       /* After request_complete() is done with it. */
	       !smp_load_acquire(&bq->requests[chain->head].busy) &&
	       !rf_chain_read(q->dev->vm, chain, 0, header, sizeof(*header));
}

static void request_set(struct rf_block_request *rq, const struct rf_chain *chain, u32 type)
{
	rq->busy = true;
	rq->type = type;
	rq->state = RF_BLOCK_BEGUN;
	rq->next = NULL;
	rq->len = data_len(chain, type);
	rq->status_gpa = status_gpa(chain);
}

static bool queue_take(struct rf_queue *q, struct rf_block_queue *bq)
{
	struct rf_block *blk = block_of(q->dev);
	struct rf_chain *chain = &bq->chain;
	struct virtio_blk_outhdr header;
	struct rf_block_request *rq;
	u32 type;
	int err;

	if (!bq->held && rf_queue_next(q, chain) <= 0)
		return false;
	bq->held = false;
	if (!header_read(q, bq, &header)) {
		rf_queue_finish(q, chain->head, 0);
		rf_device_broken(q->dev);
		return false;
	}

	type = __virtio32_to_cpu(true, header.type);
	if (blk->limited && limit_holds(q, bq, data_len(chain, type)))
		return false;

	rq = &bq->requests[chain->head];
	request_set(rq, chain, type);
	*bq->last = rq;
	bq->last = &rq->next;
	err = request_begin(rq, chain, __virtio64_to_cpu(true, header.sector));
	if (err != -EIOCBQUEUED)
		rf_block_end(rq, err);
	return true;
}

/* Return: whether it is whoever ends it that gives it back. */
static bool let_go(struct rf_block_request *rq)
{
	rq->status = (struct bio_vec) {
		.bv_page	= rf_gpa_pin(rq->blk->dev.vm, rq->status_gpa, true),
		.bv_len		= 1,
		.bv_offset	= offset_in_page(rq->status_gpa),
	};
	bvecs_dirty(&rq->status, 1);
	if (cmpxchg(&rq->state, RF_BLOCK_BEGUN, RF_BLOCK_ASYNC) == RF_BLOCK_BEGUN)
		return true;

	/* Meanwhile it has ended. */
	if (rq->status.bv_page)
		rf_bvecs_unpin(&rq->status, 1, false);
	rq->status.bv_page = NULL;
	return false;
}

static void queue_settle(struct rf_block_queue *bq)
{
	struct rf_block_request *rq = bq->first, *next;

	for (; rq; rq = next) {
		next = rq->next;
		/* With rf_block_end(): then how it ended is there to be read. */
		if (smp_load_acquire(&rq->state) == RF_BLOCK_ENDED || !let_go(rq))
			request_finish(rq);
	}
}

static void block_serve(struct rf_queue *q)
{
	struct rf_block_queue *bq = block_of(q->dev)->queues[q->index];
	struct blk_plug plug;

	bq->first = NULL;
	bq->last = &bq->first;
	blk_start_plug(&plug);
	while (queue_take(q, bq))
		;
	blk_finish_plug(&plug);
	queue_settle(bq);
}

/* --- start and stop --------------------------------------------------------------- */

static void queues_free(struct rf_block *blk)
{
	u32 i;

	if (!blk->queues)
		return;
	for (i = 0; i < blk->dev.nr_queues; i++) {
		if (blk->queues[i])
			kvfree(blk->queues[i]->requests);
		kfree(blk->queues[i]);
	}
	kvfree(blk->queues);
	blk->queues = NULL;
}

static int queue_make(struct rf_block *blk, struct rf_queue *q)
{
	struct rf_block_queue *bq = kzalloc(sizeof(*bq), GFP_KERNEL_ACCOUNT);
	u32 i;

	blk->queues[q->index] = bq;
	if (!bq)
		return -ENOMEM;
	bq->requests = kvcalloc(q->num, sizeof(*bq->requests), GFP_KERNEL_ACCOUNT);
	if (!bq->requests)
		return -ENOMEM;
	for (i = 0; i < q->num; i++) {
		struct rf_block_request *rq = &bq->requests[i];

		rq->blk = blk;
		rq->q = q;
		rq->head = i;
		rq->bvecs = rq->room;
		INIT_WORK(&rq->work, request_work);
	}
	return 0;
}

/* Only for queues that the guest has set up: nobody pays for others. */
static int block_start(struct rf_device *dev)
{
	struct rf_block *blk = block_of(dev);
	int err = 0;
	u32 i;

	blk->stable = !rf_device_has(dev, VIRTIO_BLK_F_FLUSH);
	blk->queues = kvcalloc(dev->nr_queues, sizeof(*blk->queues), GFP_KERNEL_ACCOUNT);
	if (!blk->queues)
		return -ENOMEM;
	for (i = 0; !err && i < dev->nr_queues; i++)
		if (dev->queues[i].num)
			err = queue_make(blk, &dev->queues[i]);
	if (err)
		queues_free(blk);
	return err;
}

static void block_stop(struct rf_device *dev)
{
	struct rf_block *blk = block_of(dev);
	u32 i;

	if (!blk->queues)
		return;
	for (i = 0; i < dev->nr_queues; i++) {
		struct rf_block_queue *bq = blk->queues[i];

		if (!bq || !bq->held)
			continue;
		bq->held = false;
		rf_queue_finish(&dev->queues[i], bq->chain.head, 0);
	}
	rf_device_drain(dev);
	queues_free(blk);
}

static void block_destroy(struct rf_device *dev)
{
	struct rf_block *blk = block_of(dev);

	if (blk->wq)
		destroy_workqueue(blk->wq);
	if (blk->file)
		fput(blk->file);
	rf_device_free_queues(dev);
	kfree(blk);
}

static const struct rf_device_ops block_ops = {
	.start		= block_start,
	.stop		= block_stop,
	.serve		= block_serve,
	.destroy	= block_destroy,
};

/* --- adding ----------------------------------------------------------------------- */

static int file_check(struct file *file, bool read_only)
{
	struct inode *inode = file->f_mapping->host;

	if (!S_ISREG(inode->i_mode) && !S_ISBLK(inode->i_mode))
		return -EINVAL;
	if (!(file->f_mode & FMODE_READ) || (!read_only && !(file->f_mode & FMODE_WRITE)))
		return -EBADF;
	if (!file->f_op->read_iter || (!read_only && !file->f_op->write_iter))
		return -EINVAL;
	if (read_only)
		return 0;
	if (IS_SWAPFILE(inode))
		return -ETXTBSY;
	return S_ISBLK(inode->i_mode) && bdev_read_only(I_BDEV(inode)) ? -EROFS : 0;
}

/* The smallest block that can be read from or written to the medium. */
static u32 file_block_size(const struct rf_block *blk)
{
	struct inode *inode = blk->file->f_mapping->host;

	if (S_ISBLK(inode->i_mode))
		return bdev_logical_block_size(I_BDEV(inode));
	if ((blk->iocb_flags & IOCB_DIRECT) && inode->i_sb->s_bdev)
		return bdev_logical_block_size(inode->i_sb->s_bdev);
	return SECTOR_SIZE;
}

/* Addresses: those of the device, but brd and others want whole sectors. */
static u32 file_align_mask(const struct rf_block *blk)
{
	u32 mask = blk->bdev ? SECTOR_SIZE - 1 : file_block_size(blk) - 1;

	return blk->bdev ? mask | bdev_dma_alignment(blk->bdev) : mask;
}

static int block_open(struct rf_block *blk, const struct rf_add_block *add)
{
	u32 block_size;
	int err;

	blk->file = fget(add->fd);
	if (!blk->file)
		return -EBADF;
	blk->read_only = add->flags & RF_BLOCK_READ_ONLY;
	err = file_check(blk->file, blk->read_only);
	if (err)
		return err;
	blk->iocb_flags = blk->file->f_iocb_flags & (IOCB_DIRECT | IOCB_DSYNC | IOCB_SYNC);
	if (S_ISBLK(file_inode(blk->file)->i_mode) && (blk->iocb_flags & IOCB_DIRECT))
		blk->bdev = I_BDEV(blk->file->f_mapping->host);
	blk->align_mask = file_align_mask(blk);

	block_size = add->block_size ?: file_block_size(blk);
	/* 2048 is what a CD-ROM has. */
	if (!is_power_of_2(block_size) || block_size < SECTOR_SIZE || block_size > PAGE_SIZE)
		return -EINVAL;
	if ((blk->iocb_flags & IOCB_DIRECT) && block_size < file_block_size(blk))
		return -EINVAL;
	if (!rf_extent_make(&blk->extent, i_size_read(blk->file->f_mapping->host), add->offset,
			    add->len, block_size))
		return -EINVAL;
	return 0;
}

static void set_limits(struct rf_block *blk, const struct rf_add_block *add)
{
	spin_lock_init(&blk->limit_lock);
	rf_bucket_init(&blk->iops, add->iops, add->iops_burst);
	rf_bucket_init(&blk->bytes, add->bytes, add->bytes_burst);
	blk->limited = add->iops || add->bytes;
}

static bool can_discard(struct rf_block *blk, const struct rf_add_block *add)
{
	struct inode *inode = blk->file->f_mapping->host;

	if (blk->read_only || !(add->flags & RF_BLOCK_DISCARD))
		return false;
	if (S_ISBLK(inode->i_mode))
		return bdev_max_discard_sectors(I_BDEV(inode));
	return blk->file->f_op->fallocate;
}

static void set_topology(struct rf_block *blk, struct virtio_blk_config *config)
{
	u32 block_size = blk->extent.block_size;
	struct block_device *bdev = blk->bdev;

	if (!bdev)
		return;
	config->physical_block_exp = ilog2(max(bdev_physical_block_size(bdev), block_size) /
					   block_size);
	config->min_io_size = __cpu_to_virtio16(true, min_t(u32, bdev_io_min(bdev) / block_size,
							    U16_MAX));
	config->opt_io_size = __cpu_to_virtio32(true, bdev_io_opt(bdev) / block_size);
}

static void set_config(struct rf_block *blk, bool discard)
{
	struct virtio_blk_config config = {
		.capacity	= __cpu_to_virtio64(true, blk->extent.len >> RF_SECTOR_SHIFT),
		.size_max	= __cpu_to_virtio32(true, RF_BLOCK_SIZE_MAX),
		.seg_max	= __cpu_to_virtio32(true, RF_BLOCK_SEG_MAX),
		.blk_size	= __cpu_to_virtio32(true, blk->extent.block_size),
		.num_queues	= __cpu_to_virtio16(true, blk->dev.nr_queues),
		.max_write_zeroes_sectors = __cpu_to_virtio32(true, RF_BLOCK_MAX_ZEROES),
		.max_write_zeroes_seg	= __cpu_to_virtio32(true, 1),
		.write_zeroes_may_unmap	= discard,
	};

	if (discard) {
		config.max_discard_sectors = __cpu_to_virtio32(true, RF_BLOCK_MAX_DISCARD);
		config.max_discard_seg = __cpu_to_virtio32(true, RF_BLOCK_MAX_RANGES);
		config.discard_sector_alignment =
			__cpu_to_virtio32(true, blk->extent.block_size >> RF_SECTOR_SHIFT);
	}
	set_topology(blk, &config);
	blk->dev.config_len = offsetofend(struct virtio_blk_config, unused1);
	memcpy(blk->dev.config, &config, blk->dev.config_len);
}

static void set_features(struct rf_block *blk, bool discard)
{
	u64 offered = BIT_ULL(VIRTIO_BLK_F_SIZE_MAX) | BIT_ULL(VIRTIO_BLK_F_SEG_MAX) |
		      BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) |
		      BIT_ULL(VIRTIO_BLK_F_FLUSH);

	if (blk->dev.nr_queues > 1)
		offered |= BIT_ULL(VIRTIO_BLK_F_MQ);
	if (blk->read_only)
		offered |= BIT_ULL(VIRTIO_BLK_F_RO);
	else
		offered |= BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES);
	if (discard)
		offered |= BIT_ULL(VIRTIO_BLK_F_DISCARD);
	blk->dev.offered |= offered;
}

static int add_check(const struct rf_add_block *add)
{
	if (add->flags & ~(RF_BLOCK_READ_ONLY | RF_BLOCK_DISCARD))
		return -EOPNOTSUPP;
	if (add->reserved || add->nr_queues > RF_MAX_VCPUS ||
	    memchr_inv(add->serial + VIRTIO_BLK_ID_BYTES, 0,
		       sizeof(add->serial) - VIRTIO_BLK_ID_BYTES))
		return -EINVAL;
	if (add->queue_num && add->queue_num < MIN_QUEUE_NUM)
		return -EINVAL;
	return 0;
}

static int block_make(struct rf_block *blk, struct rf_vm *vm, const struct rf_add_block *add)
{
	bool discard;
	int err;

	err = block_open(blk, add);
	if (err)
		return err;
	err = rf_device_init(&blk->dev, vm, &block_ops, VIRTIO_ID_BLOCK, add->nr_queues ?: 1,
			     add->queue_num ?: DEFAULT_QUEUE_NUM);
	if (err)
		return err;
	discard = can_discard(blk, add);
	set_features(blk, discard);
	set_config(blk, discard);
	set_limits(blk, add);
	memcpy(blk->serial, add->serial, sizeof(blk->serial));
	blk->wq = alloc_workqueue("rf_block", WQ_UNBOUND, MAX_WAITING);
	return blk->wq ? 0 : -ENOMEM;
}

int rf_block_add(struct rf_vm *vm, struct rf_add_block *add)
{
	struct rf_block *blk;
	int ret;

	ret = add_check(add);
	if (ret)
		return ret;
	blk = kzalloc(sizeof(*blk), GFP_KERNEL_ACCOUNT);
	if (!blk)
		return -ENOMEM;
	ret = block_make(blk, vm, add);
	if (!ret)
		ret = rf_bus_add(vm, &blk->dev, false);
	if (ret < 0) {
		block_destroy(&blk->dev);
		return ret;
	}
	add->slot = ret;
	return 0;
}
