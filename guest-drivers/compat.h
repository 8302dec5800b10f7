/* SPDX-License-Identifier: GPL-2.0 */
/* Differences between the kernels that guests run; the only mention of versions. */
#ifndef RF_GUEST_COMPAT_H
#define RF_GUEST_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/slab.h>
#include <linux/version.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

struct irq_affinity;

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)

/* Since 6.11 one array says what were three. */
struct virtqueue_info {
	const char *name;
	vq_callback_t *callback;
	bool ctx;
};

typedef int rf_find_vqs_fn(struct virtio_device *vdev, unsigned int nvqs,
			   struct virtqueue *vqs[], struct virtqueue_info infos[],
			   struct irq_affinity *desc);

/* A transport's find_vqs as this kernel calls it, from one as newer kernels do. */
#define RF_FIND_VQS(_name, _fn)								\
static int _name(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],	\
		 vq_callback_t *callbacks[], const char * const names[],		\
		 const bool *ctx, struct irq_affinity *desc)				\
{											\
	return rf_find_vqs_by(_fn, vdev, nvqs, vqs, callbacks, names, ctx, desc);	\
}

static inline int rf_find_vqs_by(rf_find_vqs_fn *fn, struct virtio_device *vdev,
				 unsigned int nvqs, struct virtqueue *vqs[],
				 vq_callback_t *callbacks[], const char * const names[],
				 const bool *ctx, struct irq_affinity *desc)
{
	struct virtqueue_info *infos = kcalloc(nvqs, sizeof(*infos), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!infos)
		return -ENOMEM;
	for (i = 0; i < nvqs; i++)
		infos[i] = (struct virtqueue_info) {
			.name		= names[i],
			.callback	= callbacks[i],
			.ctx		= ctx ? ctx[i] : false,
		};
	err = fn(vdev, nvqs, vqs, infos, desc);
	kfree(infos);
	return err;
}

/* What a driver calls, as newer kernels have it. */
static inline int rf_virtio_find_vqs(struct virtio_device *vdev, unsigned int nvqs,
				     struct virtqueue *vqs[], struct virtqueue_info infos[],
				     struct irq_affinity *desc)
{
	vq_callback_t **callbacks = kcalloc(nvqs, sizeof(*callbacks), GFP_KERNEL);
	const char **names = kcalloc(nvqs, sizeof(*names), GFP_KERNEL);
	unsigned int i;
	int err = -ENOMEM;

	if (callbacks && names) {
		for (i = 0; i < nvqs; i++) {
			callbacks[i] = infos[i].callback;
			names[i] = infos[i].name;
		}
		err = virtio_find_vqs(vdev, nvqs, vqs, callbacks, names, desc);
	}
	kfree(names);
	kfree(callbacks);
	return err;
}

#else

#define RF_FIND_VQS(_name, _fn)								\
static int _name(struct virtio_device *vdev, unsigned int nvqs, struct virtqueue *vqs[],	\
		 struct virtqueue_info infos[], struct irq_affinity *desc)		\
{											\
	return _fn(vdev, nvqs, vqs, infos, desc);					\
}

#define rf_virtio_find_vqs	virtio_find_vqs

#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)

/* Since 6.11 a disk is made with its limits; earlier they are set one by one. */
#define rf_alloc_disk(_set, _lim, _write_cache, _data)					\
({											\
	struct gendisk *__disk = blk_mq_alloc_disk(_set, _data);			\
											\
	if (!IS_ERR(__disk))								\
		rf_set_limits(__disk->queue, _lim, _write_cache);			\
	__disk;										\
})

static inline void rf_set_limits(struct request_queue *q, const struct queue_limits *lim,
				 bool write_cache)
{
	blk_queue_write_cache(q, write_cache, false);
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_max_segment_size(q, lim->max_segment_size);
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_alignment_offset(q, lim->alignment_offset);
	blk_queue_io_min(q, lim->io_min);
	blk_queue_io_opt(q, lim->io_opt);
	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	blk_queue_max_discard_segments(q, 1);
	q->limits.discard_granularity = lim->discard_granularity;
	blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
}

#else

#define rf_alloc_disk(_set, _lim, _write_cache, _data)					\
({											\
	if (_write_cache)								\
		(_lim)->features |= BLK_FEAT_WRITE_CACHE;				\
	blk_mq_alloc_disk(_set, _lim, _data);						\
})

#endif

#endif /* RF_GUEST_COMPAT_H */
