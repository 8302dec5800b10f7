/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the block driver share. */
#ifndef RF_BLOCK_H
#define RF_BLOCK_H

#include <linux/blkdev.h>
#include <linux/virtio.h>

/* A chain has a header and a status next to the data. */
#define RF_BLOCK_OVERHEAD	2
#define RF_BLOCK_MAX_SEGMENTS	254U

/*
 * What the device says it can do, checked, into @lim.  @num: descriptors of its
 * smallest queue.  Return: 0, -EINVAL for what makes no sense.
 */
int rf_block_read_limits(struct virtio_device *vdev, unsigned int num,
			 struct queue_limits *lim);

/* Sectors of 512 bytes, no more than can be counted in bytes. */
sector_t rf_block_capacity(struct virtio_device *vdev);

#endif /* RF_BLOCK_H */
