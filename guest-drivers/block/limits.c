// SPDX-License-Identifier: GPL-2.0
/*
 * limits.c - what a disk can do, from its configuration
 *
 * The block layer believes its drivers and warns, divides or overflows if they
 * say what makes no sense; a driver cannot believe the host like that.
 */
#include <linux/log2.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include "block.h"

#define CONFIG(_vdev, _feature, _member, _ptr)						\
	virtio_cread_feature(_vdev, _feature, struct virtio_blk_config, _member, _ptr)

sector_t rf_block_capacity(struct virtio_device *vdev)
{
	u64 capacity;

	virtio_cread(vdev, struct virtio_blk_config, capacity, &capacity);
	return min_t(u64, capacity, LLONG_MAX >> SECTOR_SHIFT);
}

static int read_segments(struct virtio_device *vdev, unsigned int num,
			 struct queue_limits *lim)
{
	u32 segments, size;

	if (num <= RF_BLOCK_OVERHEAD)
		return -EINVAL;
	num = min(num - RF_BLOCK_OVERHEAD, RF_BLOCK_MAX_SEGMENTS);
	/* 0: the device leaves it to the driver. */
	if (CONFIG(vdev, VIRTIO_BLK_F_SEG_MAX, seg_max, &segments) || !segments)
		segments = 1;
	if (CONFIG(vdev, VIRTIO_BLK_F_SIZE_MAX, size_max, &size))
		size = UINT_MAX;
	if (size < PAGE_SIZE)
		return -EINVAL;

	lim->max_segments = min(segments, num);
	lim->max_segment_size = size;
	lim->max_hw_sectors = UINT_MAX;
	return 0;
}

static int read_blocks(struct virtio_device *vdev, struct queue_limits *lim)
{
	u32 size;

	if (CONFIG(vdev, VIRTIO_BLK_F_BLK_SIZE, blk_size, &size))
		size = SECTOR_SIZE;
	if (size < SECTOR_SIZE || size > PAGE_SIZE || !is_power_of_2(size))
		return -EINVAL;
	lim->logical_block_size = size;
	lim->physical_block_size = size;
	lim->io_min = size;
	return 0;
}

/* Hints: one that makes no sense is left out. */
static void read_topology(struct virtio_device *vdev, struct queue_limits *lim)
{
	u32 size = lim->logical_block_size, optimal;
	u16 minimal;
	u8 exponent, offset;

	if (CONFIG(vdev, VIRTIO_BLK_F_TOPOLOGY, physical_block_exp, &exponent) ||
	    CONFIG(vdev, VIRTIO_BLK_F_TOPOLOGY, alignment_offset, &offset) ||
	    CONFIG(vdev, VIRTIO_BLK_F_TOPOLOGY, min_io_size, &minimal) ||
	    CONFIG(vdev, VIRTIO_BLK_F_TOPOLOGY, opt_io_size, &optimal))
		return;

	if (exponent <= 11)
		lim->physical_block_size = size << exponent;
	lim->io_min = lim->physical_block_size;
	if (offset && size * offset < lim->physical_block_size)
		lim->alignment_offset = size * offset;
	if (minimal > 1 && size * minimal >= lim->physical_block_size)
		lim->io_min = size * minimal;
	if (optimal && optimal <= UINT_MAX / size)
		lim->io_opt = size * optimal;
}

static void read_discard(struct virtio_device *vdev, struct queue_limits *lim)
{
	u32 sectors, alignment;

	if (!CONFIG(vdev, VIRTIO_BLK_F_WRITE_ZEROES, max_write_zeroes_sectors, &sectors))
		lim->max_write_zeroes_sectors = min_t(u32, sectors, UINT_MAX >> SECTOR_SHIFT);
	if (CONFIG(vdev, VIRTIO_BLK_F_DISCARD, max_discard_sectors, &sectors) ||
	    CONFIG(vdev, VIRTIO_BLK_F_DISCARD, discard_sector_alignment, &alignment))
		return;
	lim->max_hw_discard_sectors = min_t(u32, sectors, UINT_MAX >> SECTOR_SHIFT);
	lim->max_discard_segments = 1;
	lim->discard_granularity = lim->logical_block_size;
	if (alignment && alignment <= UINT_MAX >> SECTOR_SHIFT &&
	    IS_ALIGNED(alignment << SECTOR_SHIFT, lim->logical_block_size))
		lim->discard_granularity = alignment << SECTOR_SHIFT;
}

int rf_block_read_limits(struct virtio_device *vdev, unsigned int num,
			 struct queue_limits *lim)
{
	int err;

	*lim = (struct queue_limits) {};
	err = read_segments(vdev, num, lim);
	if (err)
		return err;
	err = read_blocks(vdev, lim);
	if (err)
		return err;
	read_topology(vdev, lim);
	read_discard(vdev, lim);
	return 0;
}
