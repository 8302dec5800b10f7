/* SPDX-License-Identifier: GPL-2.0 */
/*
 * block.h - the parts of the block device
 *
 *	ring -> block.c: what is asked for -> block_io.c: read, write -> file, bio
 *	                                      block_range.c: flush, discard, zeroes
 *	ring <- block.c, in serve() or in any context <----------------- its end
 */
#ifndef RF_BLOCK_H
#define RF_BLOCK_H

#include <linux/blk_types.h>
#include <linux/bvec.h>
#include <linux/fs.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include <uapi/linux/virtio_blk.h>

#include "backend.h"
#include "block_extent.h"
#include "block_limit.h"

/* What the guest is told that one request may be, and is held to. */
#define RF_BLOCK_SEG_MAX	128
#define RF_BLOCK_SIZE_MAX	32768
#define RF_BLOCK_MAX_LEN	(RF_BLOCK_SEG_MAX * RF_BLOCK_SIZE_MAX)
#define RF_BLOCK_MAX_RANGES	16

/* Most of what one range of a discard may have, and of write-zeroes: sectors. */
#define RF_BLOCK_MAX_DISCARD	(1U << 21)
#define RF_BLOCK_MAX_ZEROES	(1U << 15)

/* Pages for which a request has room of its own. */
#define RF_BLOCK_INLINE_BVECS	8

struct rf_block;

/**
 * enum rf_block_state - whose a request is
 * @RF_BLOCK_BEGUN: Of serve(), which will look whether it has ended
 * @RF_BLOCK_ASYNC: Of whoever ends it
 * @RF_BLOCK_ENDED: Of whoever saw it change to this
 */
enum rf_block_state {
	RF_BLOCK_BEGUN,
	RF_BLOCK_ASYNC,
	RF_BLOCK_ENDED,
};

/**
 * struct rf_block_request - a request; there is one for each head of a queue
 * @blk: The device
 * @q: The queue
 * @next: Begun by the same serve()
 * @head: By which it is given back
 * @busy: Taken and not given back; the guest must not use @head meanwhile
 * @nowait: It was begun so that it would rather fail than wait
 * @type: VIRTIO_BLK_T_*
 * @state: Whose it is
 * @err: How it ended: 0 or -errno
 * @status_gpa: Guest physical address of the status byte
 * @status: Its page, if the request ends in any context
 * @pos: First byte of the file
 * @len: Bytes to read or write
 * @bvecs: Guest pages, pinned
 * @nr_bvecs: How many
 * @ranges: To discard or zero
 * @nr_ranges: How many
 * @bio: For block devices that were opened O_DIRECT
 * @iocb: For other files
 * @work: For what has to wait
 * @room: For @bvecs, if that is enough
 */
struct rf_block_request {
	struct rf_block *blk;
	struct rf_queue *q;
	struct rf_block_request *next;
	u16 head;
	bool busy;
	bool nowait;
	u32 type;
	int state;
	int err;
	u64 status_gpa;
	struct bio_vec status;
	u64 pos;
	u32 len;
	u32 nr_bvecs;
	struct bio_vec *bvecs;
	struct virtio_blk_discard_write_zeroes *ranges;
	u32 nr_ranges;
	union {
		struct bio bio;
		struct kiocb iocb;
	};
	struct work_struct work;
	struct bio_vec room[RF_BLOCK_INLINE_BVECS];
};

/**
 * struct rf_block_queue - what the device keeps for a queue that is set up
 * @requests: By head
 * @first: Of those that the serve() under way has begun
 * @last: Where the next one is linked
 * @held: @chain was taken, and waits until a limit lets it pass
 * @chain: What was taken last
 */
struct rf_block_queue {
	struct rf_block_request *requests;
	struct rf_block_request *first;
	struct rf_block_request **last;
	bool held;
	struct rf_chain chain;
};

/**
 * struct rf_block - a block device of a guest
 * @dev: On the bus
 * @file: Where the bytes are
 * @bdev: The same as a block device, if bios go there directly
 * @iocb_flags: IOCB_* by which @file was opened
 * @read_only: The guest may not write
 * @stable: The guest knows no flush, so each write is on the medium when it ends
 * @align_mask: Of guest addresses and lengths that can be read and written directly
 * @extent: What of it is the guest's
 * @limit_lock: For the two limits
 * @limited: There is one
 * @iops: Requests a second
 * @bytes: Bytes a second
 * @serial: What the guest reads as such
 * @wq: For what has to wait
 * @queues: From start to stop
 */
struct rf_block {
	struct rf_device dev;
	struct file *file;
	struct block_device *bdev;
	int iocb_flags;
	bool read_only;
	bool stable;
	u32 align_mask;
	struct rf_extent extent;

	spinlock_t limit_lock;		/* the buckets */
	bool limited;
	struct rf_bucket iops;
	struct rf_bucket bytes;

	char serial[VIRTIO_BLK_ID_BYTES];
	struct workqueue_struct *wq;
	struct rf_block_queue **queues;
};

/* block.c: @err is how the request ended; it is no longer the caller's.  Any context. */
void rf_block_end(struct rf_block_request *rq, int err);

/* block_io.c: begin it; rf_block_end() follows. */
void rf_block_submit(struct rf_block_request *rq, bool nowait);
/* The same from and to pages of the host's, and wait for it.  0 or -errno. */
int rf_block_rw_sync(struct rf_block *blk, bool write, u64 pos, struct bio_vec *bvecs, u32 nr,
		     u32 len);

/* block_range.c: may wait for long.  0 or -errno. */
int rf_block_flush(struct rf_block *blk);
int rf_block_discard(struct rf_block_request *rq);
int rf_block_zeroes(struct rf_block_request *rq);
/* Is there nothing to flush, ever? */
bool rf_block_needs_no_flush(const struct rf_block *blk);

#endif /* RF_BLOCK_H */
