// SPDX-License-Identifier: GPL-2.0
/*
 * block.c - a disk whose requests are often finished when the doorbell returns
 *
 *	queue_rq ---> ring ---> doorbell ---> reap what is finished already
 *	                           |             '---> nothing is left: no interrupt
 *	                           '- - interrupt - -> reap, if something was left
 *
 * Interrupts stay off (used_event is kept away) unless requests are outstanding
 * after a look at the ring.  Requests end outside the queue's lock, for their
 * end may start others.
 */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/virtio.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include "../compat.h"
#include "../ids.h"
#include "block.h"

#define PART_BITS	4
#define INLINE_SEGMENTS	2

/* A status that the device has not written is an error as well. */
#define STATUS_NONE	0xff

#define MAX_QUEUES	64U
#define MAX_DEPTH	256U

static int block_major;
static DEFINE_IDA(block_ids);

/**
 * struct block_queue - one queue of a disk
 * @lock: Of the ring and @outstanding; irq-safe
 * @vq: The ring
 * @outstanding: Requests in the ring
 * @name: Of its interrupt
 */
struct block_queue {
	spinlock_t lock;		/* ring */
	struct virtqueue *vq;
	unsigned int outstanding;
	char name[24];
} ____cacheline_aligned_in_smp;

/**
 * struct block - a disk
 * @vdev: Its device
 * @disk: Its disk
 * @tags: Requests
 * @changed: Looks at the configuration after a change
 * @broken: Gives every request back once the device is no use any more
 * @id: Number of its name
 * @nr_queues: Queues
 * @queues: Array of them
 */
struct block {
	struct virtio_device *vdev;
	struct gendisk *disk;
	struct blk_mq_tag_set tags;
	struct work_struct changed;
	struct work_struct broken;
	int id;
	unsigned int nr_queues;
	struct block_queue *queues;
};

/**
 * struct block_rq - the driver's part of a request
 * @header: What the device is asked for
 * @range: For discard and write-zeroes
 * @status: What became of it
 * @next: In a list of finished ones
 * @table: Data
 * @inline_sg: Short data
 */
struct block_rq {
	struct virtio_blk_outhdr header;
	struct virtio_blk_discard_write_zeroes range;
	u8 status;
	struct request *next;
	struct sg_table table;
	struct scatterlist inline_sg[INLINE_SEGMENTS];
};

/* --- request out ------------------------------------------------------------------------ */

static bool rq_type(struct request *rq, u32 *type)
{
	switch (req_op(rq)) {
	case REQ_OP_READ:
		*type = VIRTIO_BLK_T_IN;
		return true;
	case REQ_OP_WRITE:
		*type = VIRTIO_BLK_T_OUT;
		return true;
	case REQ_OP_FLUSH:
		*type = VIRTIO_BLK_T_FLUSH;
		return true;
	case REQ_OP_DISCARD:
		*type = VIRTIO_BLK_T_DISCARD;
		return true;
	case REQ_OP_WRITE_ZEROES:
		*type = VIRTIO_BLK_T_WRITE_ZEROES;
		return true;
	case REQ_OP_DRV_IN:
		*type = VIRTIO_BLK_T_GET_ID;
		return true;
	default:
		return false;
	}
}

/* Return: segments, 0 for none, or -ENOMEM. */
static int rq_map(struct request *rq, struct block_rq *brq)
{
	int err;

	if (!blk_rq_nr_phys_segments(rq) || req_op(rq) == REQ_OP_DISCARD ||
	    req_op(rq) == REQ_OP_WRITE_ZEROES)
		return 0;
	brq->table.sgl = brq->inline_sg;
	err = sg_alloc_table_chained(&brq->table, blk_rq_nr_phys_segments(rq), brq->inline_sg,
				     INLINE_SEGMENTS);
	if (err) {
		brq->table.sgl = NULL;
		return err;
	}
	return blk_rq_map_sg(rq->q, rq, brq->table.sgl);
}

static void rq_unmap(struct block_rq *brq)
{
	if (!brq->table.sgl)
		return;
	sg_free_table_chained(&brq->table, INLINE_SEGMENTS);
	brq->table.sgl = NULL;
}

static void rq_range(struct request *rq, struct block_rq *brq)
{
	bool unmap = req_op(rq) == REQ_OP_WRITE_ZEROES && !(rq->cmd_flags & REQ_NOUNMAP);

	brq->range.sector = cpu_to_le64(blk_rq_pos(rq));
	brq->range.num_sectors = cpu_to_le32(blk_rq_sectors(rq));
	brq->range.flags = cpu_to_le32(unmap ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0);
}

/* All but the data.  Return: false for what disks do not do. */
static bool rq_fill(struct block *block, struct request *rq, struct block_rq *brq)
{
	u32 type;

	if (!rq_type(rq, &type))
		return false;
	brq->header.type = cpu_to_virtio32(block->vdev, type);
	brq->header.ioprio = 0;
	brq->header.sector = 0;
	if (type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_OUT)
		brq->header.sector = cpu_to_virtio64(block->vdev, blk_rq_pos(rq));
	brq->status = STATUS_NONE;
	rq_range(rq, brq);
	return true;
}

/* Into the ring, lock held. */
static int ring_add(struct block_queue *queue, struct request *rq, unsigned int segments)
{
	struct block_rq *brq = blk_mq_rq_to_pdu(rq);
	struct scatterlist header, status, range, *sgs[3];
	unsigned int out = 0, in = 0;

	lockdep_assert_held(&queue->lock);

	sg_init_one(&header, &brq->header, sizeof(brq->header));
	sg_init_one(&status, &brq->status, sizeof(brq->status));
	sgs[out++] = &header;
	if (req_op(rq) == REQ_OP_DISCARD || req_op(rq) == REQ_OP_WRITE_ZEROES) {
		sg_init_one(&range, &brq->range, sizeof(brq->range));
		sgs[out++] = &range;
	} else if (segments && op_is_write(req_op(rq))) {
		sgs[out++] = brq->table.sgl;
	} else if (segments) {
		sgs[out + in++] = brq->table.sgl;
	}
	sgs[out + in++] = &status;
	return virtqueue_add_sgs(queue->vq, sgs, out, in, rq, GFP_ATOMIC);
}

/* --- completion in ---------------------------------------------------------------------- */

static blk_status_t rq_result(const struct block_rq *brq)
{
	switch (READ_ONCE(brq->status)) {
	case VIRTIO_BLK_S_OK:
		return BLK_STS_OK;
	case VIRTIO_BLK_S_UNSUPP:
		return BLK_STS_NOTSUPP;
	default:
		return BLK_STS_IOERR;
	}
}

/* Requests of a list, each by what its status says. */
static void end_list(struct request *list)
{
	while (list) {
		struct request *rq = list;
		struct block_rq *brq = blk_mq_rq_to_pdu(rq);

		list = brq->next;
		rq_unmap(brq);
		blk_mq_end_request(rq, rq_result(brq));
	}
}

/* What is finished, added to @list; interrupts stay off.  Lock held. */
static struct request *ring_take(struct block_queue *queue, struct request *list)
{
	struct request *rq;
	unsigned int len;

	lockdep_assert_held(&queue->lock);

	while ((rq = virtqueue_get_buf(queue->vq, &len))) {
		struct block_rq *brq = blk_mq_rq_to_pdu(rq);

		brq->next = list;
		list = rq;
		queue->outstanding--;
	}
	return list;
}

/*
 * Take what is finished, and have an interrupt for what is not.  A ring that is
 * broken with requests in it is for block_broken().
 */
static void queue_reap(struct block *block, struct block_queue *queue)
{
	struct request *list;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	virtqueue_disable_cb(queue->vq);
	list = ring_take(queue, NULL);
	/* What finishes while interrupts are being asked for is told by false. */
	while (queue->outstanding && !virtqueue_is_broken(queue->vq) &&
	       !virtqueue_enable_cb(queue->vq)) {
		virtqueue_disable_cb(queue->vq);
		list = ring_take(queue, list);
	}
	if (queue->outstanding && virtqueue_is_broken(queue->vq))
		schedule_work(&block->broken);
	spin_unlock_irqrestore(&queue->lock, flags);
	end_list(list);
}

static void block_interrupt(struct virtqueue *vq)
{
	struct block *block = vq->vdev->priv;

	queue_reap(block, &block->queues[vq->index]);
}

/* --- the doorbell ------------------------------------------------------------------------- */

static void queue_ring(struct block *block, struct block_queue *queue)
{
	unsigned long flags;
	bool kick;

	spin_lock_irqsave(&queue->lock, flags);
	kick = virtqueue_kick_prepare(queue->vq);
	spin_unlock_irqrestore(&queue->lock, flags);

	/* If the device has gone, the ring is broken from here on. */
	if (kick)
		virtqueue_notify(queue->vq);
	queue_reap(block, queue);
}

static blk_status_t block_queue_rq(struct blk_mq_hw_ctx *hctx,
				   const struct blk_mq_queue_data *bd)
{
	struct block *block = hctx->queue->queuedata;
	struct block_queue *queue = &block->queues[hctx->queue_num];
	struct block_rq *brq = blk_mq_rq_to_pdu(bd->rq);
	unsigned long flags;
	int segments, err;

	if (!rq_fill(block, bd->rq, brq))
		return BLK_STS_NOTSUPP;
	segments = rq_map(bd->rq, brq);
	if (segments < 0)
		return BLK_STS_RESOURCE;
	blk_mq_start_request(bd->rq);

	spin_lock_irqsave(&queue->lock, flags);
	err = ring_add(queue, bd->rq, segments);
	if (!err)
		queue->outstanding++;
	spin_unlock_irqrestore(&queue->lock, flags);
	if (err)
		rq_unmap(brq);
	/* Full: the host is to take what is there; this one comes again. */
	if (bd->last || err)
		queue_ring(block, queue);

	switch (err) {
	case 0:
		return BLK_STS_OK;
	case -ENOSPC:
	case -ENOMEM:
		return BLK_STS_RESOURCE;
	default:
		return BLK_STS_IOERR;
	}
}

static void block_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	struct block *block = hctx->queue->queuedata;

	queue_ring(block, &block->queues[hctx->queue_num]);
}

/* --- when things go wrong ------------------------------------------------------------ */

/* Every request of the ring, as failed; the host has let go of them. */
static void queue_fail(struct block_queue *queue)
{
	struct request *list = NULL, *rq;
	unsigned long flags;

	spin_lock_irqsave(&queue->lock, flags);
	while ((rq = virtqueue_detach_unused_buf(queue->vq))) {
		struct block_rq *brq = blk_mq_rq_to_pdu(rq);

		brq->status = VIRTIO_BLK_S_IOERR;
		brq->next = list;
		list = rq;
		queue->outstanding--;
	}
	spin_unlock_irqrestore(&queue->lock, flags);
	end_list(list);
}

/*
 * The device does not work any more, or has gone.  What is in the rings fails,
 * after a reset: until then the host may be writing to its pages.  Later
 * requests find the queues broken.
 */
static void block_fail(struct block *block)
{
	unsigned int i;

	blk_mq_quiesce_queue(block->disk->queue);
	virtio_break_device(block->vdev);
	virtio_synchronize_cbs(block->vdev);
	virtio_reset_device(block->vdev);
	for (i = 0; i < block->nr_queues; i++)
		queue_fail(&block->queues[i]);
	blk_mq_unquiesce_queue(block->disk->queue);
}

static void block_broken(struct work_struct *work)
{
	struct block *block = container_of(work, struct block, broken);

	dev_err(&block->vdev->dev, "%s: device has gone or needs a reset\n",
		block->disk->disk_name);
	block_fail(block);
}

static bool is_working(struct block *block)
{
	u8 status = block->vdev->config->get_status(block->vdev);

	return (status & VIRTIO_CONFIG_S_DRIVER_OK) && !(status & VIRTIO_CONFIG_S_NEEDS_RESET) &&
	       !virtqueue_is_broken(block->queues[0].vq);
}

/* It may be finished without this side having noticed; and a host may be slow. */
static enum blk_eh_timer_return block_timeout(struct request *rq)
{
	struct block *block = rq->q->queuedata;

	queue_reap(block, &block->queues[rq->mq_hctx->queue_num]);
	if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT)
		return BLK_EH_DONE;
	if (!is_working(block))
		schedule_work(&block->broken);
	return BLK_EH_RESET_TIMER;
}

static void block_map_queues(struct blk_mq_tag_set *set)
{
	struct blk_mq_queue_map *map = &set->map[HCTX_TYPE_DEFAULT];
	int cpu;

	/* As the bus spreads their interrupts. */
	for_each_possible_cpu(cpu)
		map->mq_map[cpu] = map->queue_offset + cpu % map->nr_queues;
}

static int block_init_request(struct blk_mq_tag_set *set, struct request *rq,
			      unsigned int hctx, unsigned int node)
{
	struct block_rq *brq = blk_mq_rq_to_pdu(rq);

	brq->table.sgl = NULL;
	return 0;
}

static const struct blk_mq_ops block_mq_ops = {
	.queue_rq	= block_queue_rq,
	.commit_rqs	= block_commit_rqs,
	.timeout	= block_timeout,
	.map_queues	= block_map_queues,
	.init_request	= block_init_request,
};

/* --- sysfs ---------------------------------------------------------------------------------- */

/* Ask the device who it is.  Return: 0 and @id, not ended if full. */
static int block_get_id(struct block *block, char *id)
{
	struct request_queue *q = block->disk->queue;
	struct request *rq = blk_mq_alloc_request(q, REQ_OP_DRV_IN, 0);
	int err;

	if (IS_ERR(rq))
		return PTR_ERR(rq);
	err = blk_rq_map_kern(q, rq, id, VIRTIO_BLK_ID_BYTES, GFP_KERNEL);
	if (!err)
		err = blk_status_to_errno(blk_execute_rq(rq, false));
	blk_mq_free_request(rq);
	return err;
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct gendisk *disk = dev_to_disk(dev);
	char *id = kzalloc(VIRTIO_BLK_ID_BYTES + 1, GFP_KERNEL);
	int err;

	if (!id)
		return -ENOMEM;
	err = block_get_id(disk->private_data, id);
	err = err ?: sysfs_emit(buf, "%s", id);
	kfree(id);
	return err;
}
static DEVICE_ATTR_RO(serial);

static struct attribute *block_attrs[] = {
	&dev_attr_serial.attr,
	NULL,
};
ATTRIBUTE_GROUPS(block);

/* --- probe ---------------------------------------------------------------------------------- */

static const struct block_device_operations block_fops = {
	.owner	= THIS_MODULE,
};

/* rfa to rfz, rfaa, ... */
static void disk_name(int id, char *name, size_t size)
{
	char letters[8], *p = &letters[sizeof(letters) - 1];

	*p = 0;
	do {
		*--p = 'a' + id % 26;
		id = id / 26 - 1;
	} while (id >= 0);
	snprintf(name, size, "rf%s", p);
}

static unsigned int wanted_queues(struct virtio_device *vdev)
{
	u16 nr;

	if (virtio_cread_feature(vdev, VIRTIO_BLK_F_MQ, struct virtio_blk_config, num_queues,
				 &nr))
		return 1;
	return clamp_t(unsigned int, nr, 1, min(num_possible_cpus(), MAX_QUEUES));
}

static int block_find_queues(struct block *block)
{
	struct irq_affinity spread = {};
	struct virtqueue_info *infos;
	struct virtqueue **vqs;
	unsigned int i;
	int err = -ENOMEM;

	infos = kcalloc(block->nr_queues, sizeof(*infos), GFP_KERNEL);
	vqs = kcalloc(block->nr_queues, sizeof(*vqs), GFP_KERNEL);
	if (!infos || !vqs)
		goto out;
	for (i = 0; i < block->nr_queues; i++) {
		snprintf(block->queues[i].name, sizeof(block->queues[i].name), "requests.%u", i);
		infos[i].name = block->queues[i].name;
		infos[i].callback = block_interrupt;
	}
	err = rf_virtio_find_vqs(block->vdev, block->nr_queues, vqs, infos, &spread);
	if (err)
		goto out;
	for (i = 0; i < block->nr_queues; i++) {
		block->queues[i].vq = vqs[i];
		block->queues[i].outstanding = 0;
		virtqueue_disable_cb(vqs[i]);
	}
out:
	kfree(vqs);
	kfree(infos);
	return err;
}

static unsigned int smallest_queue(const struct block *block)
{
	unsigned int i, num = UINT_MAX;

	for (i = 0; i < block->nr_queues; i++)
		num = min(num, virtqueue_get_vring_size(block->queues[i].vq));
	return num;
}

static void block_changed(struct work_struct *work)
{
	struct block *block = container_of(work, struct block, changed);

	if (is_working(block))
		set_capacity_and_notify(block->disk, rf_block_capacity(block->vdev));
	else
		block_fail(block);
}

static int block_make_disk(struct block *block)
{
	struct virtio_device *vdev = block->vdev;
	unsigned int num = smallest_queue(block);
	struct queue_limits lim;
	struct gendisk *disk;
	int err;

	err = rf_block_read_limits(vdev, num, &lim);
	if (err)
		return dev_err_probe(&vdev->dev, err, "its configuration makes no sense\n");
	block->tags = (struct blk_mq_tag_set) {
		.ops		= &block_mq_ops,
		.nr_hw_queues	= block->nr_queues,
		.queue_depth	= min(num, MAX_DEPTH),
		.numa_node	= NUMA_NO_NODE,
		.flags		= BLK_MQ_F_SHOULD_MERGE | BLK_MQ_F_NO_SCHED_BY_DEFAULT,
		.cmd_size	= sizeof(struct block_rq),
		.driver_data	= block,
	};
	err = blk_mq_alloc_tag_set(&block->tags);
	if (err)
		return err;
	disk = rf_alloc_disk(&block->tags, &lim, virtio_has_feature(vdev, VIRTIO_BLK_F_FLUSH),
			     block);
	if (IS_ERR(disk)) {
		blk_mq_free_tag_set(&block->tags);
		return PTR_ERR(disk);
	}

	block->disk = disk;
	disk->major = block_major;
	disk->first_minor = block->id << PART_BITS;
	disk->minors = 1 << PART_BITS;
	disk->fops = &block_fops;
	disk->private_data = block;
	disk_name(block->id, disk->disk_name, sizeof(disk->disk_name));
	set_disk_ro(disk, virtio_has_feature(vdev, VIRTIO_BLK_F_RO));
	set_capacity(disk, rf_block_capacity(vdev));
	return 0;
}

static struct block *block_alloc(struct virtio_device *vdev)
{
	struct block *block = kzalloc(sizeof(*block), GFP_KERNEL);
	unsigned int i;

	if (!block)
		return NULL;
	block->vdev = vdev;
	block->nr_queues = wanted_queues(vdev);
	block->queues = kcalloc(block->nr_queues, sizeof(*block->queues), GFP_KERNEL);
	if (!block->queues) {
		kfree(block);
		return NULL;
	}
	for (i = 0; i < block->nr_queues; i++)
		spin_lock_init(&block->queues[i].lock);
	INIT_WORK(&block->changed, block_changed);
	INIT_WORK(&block->broken, block_broken);
	vdev->priv = block;
	return block;
}

static void block_free(struct block *block)
{
	kfree(block->queues);
	kfree(block);
}

static int block_probe(struct virtio_device *vdev)
{
	struct block *block = block_alloc(vdev);
	int err;

	if (!block)
		return -ENOMEM;
	block->id = ida_alloc_max(&block_ids, (1 << (MINORBITS - PART_BITS)) - 1, GFP_KERNEL);
	err = block->id;
	if (err < 0)
		goto err_free;
	err = block_find_queues(block);
	if (err)
		goto err_id;
	err = block_make_disk(block);
	if (err)
		goto err_queues;
	virtio_device_ready(vdev);
	err = device_add_disk(&vdev->dev, block->disk, block_groups);
	if (err)
		goto err_disk;
	return 0;

err_disk:
	virtio_reset_device(vdev);
	put_disk(block->disk);
	blk_mq_free_tag_set(&block->tags);
err_queues:
	vdev->config->del_vqs(vdev);
err_id:
	ida_free(&block_ids, block->id);
err_free:
	block_free(block);
	return err;
}

/* --- remove ------------------------------------------------------------------------- */

static void block_remove(struct virtio_device *vdev)
{
	struct block *block = vdev->priv;

	cancel_work_sync(&block->changed);
	/* Nobody is to wait for what will not come. */
	if (!is_working(block))
		block_fail(block);
	del_gendisk(block->disk);
	cancel_work_sync(&block->broken);
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	put_disk(block->disk);
	blk_mq_free_tag_set(&block->tags);
	ida_free(&block_ids, block->id);
	block_free(block);
}

static void block_config_changed(struct virtio_device *vdev)
{
	struct block *block = vdev->priv;

	schedule_work(&block->changed);
}

static int block_freeze(struct virtio_device *vdev)
{
	struct block *block = vdev->priv;

	flush_work(&block->changed);
	/* What is under way ends; what comes waits. */
	blk_mq_freeze_queue(block->disk->queue);
	blk_mq_quiesce_queue_nowait(block->disk->queue);
	blk_mq_unfreeze_queue(block->disk->queue);
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
	return 0;
}

static int block_restore(struct virtio_device *vdev)
{
	struct block *block = vdev->priv;
	int err = block_find_queues(block);

	if (err)
		return err;
	virtio_device_ready(vdev);
	blk_mq_unquiesce_queue(block->disk->queue);
	return 0;
}

static const struct virtio_device_id block_device_ids[] = {
	{ RF_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{}
};
MODULE_DEVICE_TABLE(virtio, block_device_ids);

static const unsigned int block_features[] = {
	VIRTIO_BLK_F_SEG_MAX, VIRTIO_BLK_F_SIZE_MAX, VIRTIO_BLK_F_RO, VIRTIO_BLK_F_BLK_SIZE,
	VIRTIO_BLK_F_FLUSH, VIRTIO_BLK_F_TOPOLOGY, VIRTIO_BLK_F_MQ, VIRTIO_BLK_F_DISCARD,
	VIRTIO_BLK_F_WRITE_ZEROES,
};

static struct virtio_driver block_driver = {
	.driver.name		= "rf_block",
	.driver.owner		= THIS_MODULE,
	.id_table		= block_device_ids,
	.feature_table		= block_features,
	.feature_table_size	= ARRAY_SIZE(block_features),
	.probe			= block_probe,
	.remove			= block_remove,
	.config_changed		= block_config_changed,
	.freeze			= pm_sleep_ptr(block_freeze),
	.restore		= pm_sleep_ptr(block_restore),
};

static int __init block_init(void)
{
	int err;

	block_major = register_blkdev(0, "rfblk");
	if (block_major < 0)
		return block_major;
	err = register_virtio_driver(&block_driver);
	if (err)
		unregister_blkdev(block_major, "rfblk");
	return err;
}
module_init(block_init);

static void __exit block_exit(void)
{
	unregister_virtio_driver(&block_driver);
	unregister_blkdev(block_major, "rfblk");
	ida_destroy(&block_ids);
}
module_exit(block_exit);

MODULE_DESCRIPTION("Disks of a ringfence guest");
MODULE_LICENSE("GPL");
