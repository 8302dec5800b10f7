// SPDX-License-Identifier: GPL-2.0
/*
 * balloon.c - memory that the host wants back, and gives back
 *
 *	configuration: so many pages ---> resize: take or give back pieces
 *	free memory of the guest     ---> report: the host may have it until it is used
 *	out of memory                ---> some come back
 *	the host asks                ---> statistics
 */
#include <linux/completion.h>
#include <linux/freezer.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/oom.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>
#include <linux/vmstat.h>
#include <linux/virtio.h>
#include <linux/virtio_balloon.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>

#include "../compat.h"
#include "../ids.h"
#include "memory.h"

/* Page numbers that the host is told at once. */
#define PFNS		1024U
#define OOM_PAGES	512U
#define RETRY		(HZ / 5)

/* It does not grow for so long after memory was out. */
#define OOM_PEACE	(10 * HZ)

enum { INFLATE, DEFLATE, STATS, REPORTS, NR_QUEUES };

/**
 * struct balloon - the balloon
 * @vdev: Its device
 * @vqs: By purpose; NULL for what the host does not do
 * @finished: By purpose: something is in the used ring
 * @resize: Makes it as large as the host wants it
 * @tell_stats: Fills in @stats and brings them to the host
 * @closing: No more work
 * @peace: Memory was out: not to grow before @peace_until
 * @peace_until: jiffies
 * @lock: What it holds, and who tells the host of it
 * @pieces: What it holds
 * @pfns: For the host
 * @stats: For the host
 * @oom: Called when memory is out
 * @reporting: Free pages
 */
struct balloon {
	struct virtio_device *vdev;
	struct virtqueue *vqs[NR_QUEUES];
	struct completion finished[NR_QUEUES];
	struct delayed_work resize;
	struct work_struct tell_stats;
	bool closing;
	bool peace;
	unsigned long peace_until;

	struct mutex lock;		/* what follows; balloon_oom() only tries */
	struct rf_pieces pieces;
	__le32 pfns[PFNS];

	struct virtio_balloon_stat stats[VIRTIO_BALLOON_S_NR];
	struct notifier_block oom;
	struct page_reporting_dev_info reporting;
};

/* --- request out, completion in ------------------------------------------------------- */

static void balloon_interrupt(struct virtqueue *vq)
{
	struct balloon *balloon = vq->vdev->priv;
	int i;

	for (i = 0; i < NR_QUEUES; i++) {
		if (balloon->vqs[i] == vq)
			complete(&balloon->finished[i]);
	}
}

/*
 * The one request of a queue, until the host is done with it.  Usually it is
 * when the doorbell returns.
 */
static int balloon_ask(struct balloon *balloon, int which, struct scatterlist *sg,
		       unsigned int nents, bool in)
{
	struct virtqueue *vq = balloon->vqs[which];
	struct scatterlist *sgs[] = { sg };
	unsigned int len;
	int err;

	sg_mark_end(&sg[nents - 1]);
	virtqueue_disable_cb(vq);
	reinit_completion(&balloon->finished[which]);
	err = virtqueue_add_sgs(vq, sgs, !in, in, balloon, GFP_NOWAIT);
	if (err)
		return err;
	if (!virtqueue_kick(vq))
		return -EIO;
	while (!virtqueue_get_buf(vq, &len)) {
		if (virtqueue_is_broken(vq))
			return -EIO;
		/* A device that goes breaks its queues, and interrupts nobody. */
		if (virtqueue_enable_cb(vq))
			wait_for_completion_timeout(&balloon->finished[which], HZ);
		virtqueue_disable_cb(vq);
	}
	return 0;
}

/* The pages of a piece, next to each other: the host sees one range. */
static int balloon_tell(struct balloon *balloon, int which, struct page *piece)
{
	u64 pfn = page_to_pfn(piece), i, nr = rf_piece_pages(piece);
	struct scatterlist sg;

	lockdep_assert_held(&balloon->lock);
	BUILD_BUG_ON(1 << RF_PIECE_ORDER > PFNS);

	for (i = 0; i < nr; i++)
		balloon->pfns[i] = cpu_to_le32(pfn + i);
	sg_init_one(&sg, balloon->pfns, nr * sizeof(balloon->pfns[0]));
	return balloon_ask(balloon, which, &sg, 1, false);
}

/* --- its size ---------------------------------------------------------------------------- */

static void tell_actual(struct balloon *balloon)
{
	u32 actual = READ_ONCE(balloon->pieces.pages);

	virtio_cwrite_le(balloon->vdev, struct virtio_balloon_config, actual, &actual);
}

static void piece_drop(struct balloon *balloon, struct page *piece)
{
	list_del(&piece->lru);
	balloon->pieces.pages -= rf_piece_pages(piece);
	rf_piece_give_back(piece);
}

/* Return: pages, 0 if there are none to be had, or an error. */
static long inflate(struct balloon *balloon, u64 most)
{
	struct page *piece = rf_piece_take(most);
	long pages;
	int err;

	if (!piece)
		return 0;
	pages = rf_piece_pages(piece);
	list_add(&piece->lru, &balloon->pieces.list);
	balloon->pieces.pages += pages;
	err = balloon_tell(balloon, INFLATE, piece);
	if (err)
		piece_drop(balloon, piece);
	return err ?: pages;
}

/* One piece, even if it is more than was wanted. */
static long deflate(struct balloon *balloon)
{
	struct page *piece = list_first_entry_or_null(&balloon->pieces.list, struct page, lru);
	long pages;

	if (!piece)
		return 0;
	pages = rf_piece_pages(piece);
	/* It comes back when it is touched, whether the host heard of it or not. */
	balloon_tell(balloon, DEFLATE, piece);
	piece_drop(balloon, piece);
	return pages;
}

static u64 target(struct balloon *balloon)
{
	u32 pages;

	virtio_cread_le(balloon->vdev, struct virtio_balloon_config, num_pages, &pages);
	/* The host may be wrong, but not take what was never there. */
	return min_t(u64, pages, totalram_pages() + balloon->pieces.pages);
}

static bool in_peace(struct balloon *balloon)
{
	if (READ_ONCE(balloon->peace) &&
	    time_after_eq(jiffies, READ_ONCE(balloon->peace_until)))
		WRITE_ONCE(balloon->peace, false);
	return READ_ONCE(balloon->peace);
}

/*
 * One piece more, or less; the lock is free in between, for balloon_oom().
 *
 * Return: pages; 0 if it has its size, or cannot get there now; or an error.
 */
static long resize_step(struct balloon *balloon, bool *there)
{
	long done = 0;
	u64 want;

	mutex_lock(&balloon->lock);
	want = target(balloon);
	if (want < balloon->pieces.pages)
		done = deflate(balloon);
	else if (want > balloon->pieces.pages && !in_peace(balloon))
		done = inflate(balloon, want - balloon->pieces.pages);
	*there = want == balloon->pieces.pages;
	mutex_unlock(&balloon->lock);
	return done;
}

static void balloon_resize(struct work_struct *work)
{
	struct balloon *balloon = container_of(work, struct balloon, resize.work);
	unsigned long told = jiffies;
	bool there = false;
	long done = 1;

	while (!there && done > 0 && !READ_ONCE(balloon->closing)) {
		done = resize_step(balloon, &there);
		/* Where memory is hard to find, the host sees that something is done. */
		if (time_after(jiffies, told + HZ)) {
			tell_actual(balloon);
			told = jiffies;
		}
		cond_resched();
	}
	tell_actual(balloon);

	/* Memory is short now; it need not be later. */
	if (!there && !done && !READ_ONCE(balloon->closing))
		queue_delayed_work(system_freezable_wq, &balloon->resize, RETRY);
}

/* Programs would be killed otherwise. */
static int balloon_oom(struct notifier_block *nb, unsigned long dummy, void *data)
{
	struct balloon *balloon = container_of(nb, struct balloon, oom);
	unsigned long *freed = data;
	long done;

	WRITE_ONCE(balloon->peace_until, jiffies + OOM_PEACE);
	WRITE_ONCE(balloon->peace, true);
	/* Who has the lock may wait for memory himself. */
	if (!mutex_trylock(&balloon->lock))
		return NOTIFY_OK;
	for (done = 0; done < OOM_PAGES;) {
		long pages = deflate(balloon);

		if (!pages)
			break;
		done += pages;
	}
	tell_actual(balloon);
	mutex_unlock(&balloon->lock);
	*freed += done;
	return NOTIFY_OK;
}

static void balloon_config_changed(struct virtio_device *vdev)
{
	struct balloon *balloon = vdev->priv;

	if (!READ_ONCE(balloon->closing))
		mod_delayed_work(system_freezable_wq, &balloon->resize, 0);
}

/* --- free pages --------------------------------------------------------------------------- */

static int balloon_report(struct page_reporting_dev_info *reporting, struct scatterlist *sg,
			  unsigned int nents)
{
	struct balloon *balloon = container_of(reporting, struct balloon, reporting);

	return balloon_ask(balloon, REPORTS, sg, nents, true);
}

/* --- statistics ---------------------------------------------------------------------------- */

static unsigned int fill_stats(struct virtio_balloon_stat *stats)
{
	unsigned long events[NR_VM_EVENT_ITEMS];
	struct sysinfo info;
	unsigned int n = 0;

#define STAT(_tag, _value) (stats[n++] = (struct virtio_balloon_stat) {			\
	.tag = (__force __virtio16)cpu_to_le16(VIRTIO_BALLOON_S_##_tag),		\
	.val = (__force __virtio64)cpu_to_le64(_value),					\
})
	all_vm_events(events);
	si_meminfo(&info);
	STAT(SWAP_IN, (u64)events[PSWPIN] << PAGE_SHIFT);
	STAT(SWAP_OUT, (u64)events[PSWPOUT] << PAGE_SHIFT);
	STAT(MAJFLT, events[PGMAJFAULT]);
	STAT(MINFLT, events[PGFAULT]);
	STAT(MEMFREE, (u64)info.freeram << PAGE_SHIFT);
	STAT(MEMTOT, (u64)info.totalram << PAGE_SHIFT);
	STAT(AVAIL, (u64)si_mem_available() << PAGE_SHIFT);
	STAT(CACHES, (u64)global_node_page_state(NR_FILE_PAGES) << PAGE_SHIFT);
#undef STAT
	return n;
}

/* The host keeps the buffer until it wants newer ones. */
static void balloon_tell_stats(struct work_struct *work)
{
	struct balloon *balloon = container_of(work, struct balloon, tell_stats);
	struct virtqueue *vq = balloon->vqs[STATS];
	struct scatterlist sg;
	unsigned int n = fill_stats(balloon->stats);

	sg_init_one(&sg, balloon->stats, n * sizeof(balloon->stats[0]));
	if (!virtqueue_add_outbuf(vq, &sg, 1, balloon, GFP_KERNEL))
		virtqueue_kick(vq);
}

static void stats_interrupt(struct virtqueue *vq)
{
	struct balloon *balloon = vq->vdev->priv;
	unsigned int len;

	if (virtqueue_get_buf(vq, &len) && !READ_ONCE(balloon->closing))
		queue_work(system_freezable_wq, &balloon->tell_stats);
}

/* --- probe ---------------------------------------------------------------------------------- */

static int balloon_find_queues(struct balloon *balloon)
{
	struct virtqueue_info infos[NR_QUEUES] = {
		[INFLATE] = { "inflate", balloon_interrupt },
		[DEFLATE] = { "deflate", balloon_interrupt },
	};

	if (virtio_has_feature(balloon->vdev, VIRTIO_BALLOON_F_STATS_VQ))
		infos[STATS] = (struct virtqueue_info) { "stats", stats_interrupt };
	if (virtio_has_feature(balloon->vdev, VIRTIO_BALLOON_F_REPORTING))
		infos[REPORTS] = (struct virtqueue_info) { "reports", balloon_interrupt };
	return rf_virtio_find_vqs(balloon->vdev, NR_QUEUES, balloon->vqs, infos, NULL);
}

static int balloon_start(struct balloon *balloon)
{
	int err = 0;

	if (virtio_has_feature(balloon->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM)) {
		err = register_oom_notifier(&balloon->oom);
		if (err)
			return err;
	}
	if (balloon->vqs[REPORTS]) {
		err = page_reporting_register(&balloon->reporting);
		if (err)
			goto err_oom;
	}
	if (balloon->vqs[STATS])
		queue_work(system_freezable_wq, &balloon->tell_stats);
	balloon_config_changed(balloon->vdev);
	return 0;

err_oom:
	if (virtio_has_feature(balloon->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		unregister_oom_notifier(&balloon->oom);
	return err;
}

static int balloon_probe(struct virtio_device *vdev)
{
	struct balloon *balloon = kzalloc(sizeof(*balloon), GFP_KERNEL);
	int err, i;

	if (!balloon)
		return -ENOMEM;
	vdev->priv = balloon;
	balloon->vdev = vdev;
	balloon->oom.notifier_call = balloon_oom;
	balloon->reporting.report = balloon_report;
	mutex_init(&balloon->lock);
	INIT_LIST_HEAD(&balloon->pieces.list);
	INIT_DELAYED_WORK(&balloon->resize, balloon_resize);
	INIT_WORK(&balloon->tell_stats, balloon_tell_stats);
	for (i = 0; i < NR_QUEUES; i++)
		init_completion(&balloon->finished[i]);

	err = balloon_find_queues(balloon);
	if (err)
		goto err_free;
	virtio_device_ready(vdev);
	err = balloon_start(balloon);
	if (err)
		goto err_queues;
	return 0;

err_queues:
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
err_free:
	kfree(balloon);
	return err;
}

/* What the host puts in place of reported pages is zeros. */
static int balloon_validate(struct virtio_device *vdev)
{
	if (want_init_on_free() || page_poisoning_enabled_static())
		__virtio_clear_bit(vdev, VIRTIO_BALLOON_F_REPORTING);
	return 0;
}

/* --- remove ---------------------------------------------------------------------------------- */

static void balloon_stop(struct balloon *balloon)
{
	WRITE_ONCE(balloon->closing, true);
	if (balloon->vqs[REPORTS])
		page_reporting_unregister(&balloon->reporting);
	if (virtio_has_feature(balloon->vdev, VIRTIO_BALLOON_F_DEFLATE_ON_OOM))
		unregister_oom_notifier(&balloon->oom);
	cancel_delayed_work_sync(&balloon->resize);
	cancel_work_sync(&balloon->tell_stats);
}

/* Give all of it back, and be silent. */
static void balloon_quit(struct balloon *balloon)
{
	struct virtio_device *vdev = balloon->vdev;

	balloon_stop(balloon);
	mutex_lock(&balloon->lock);
	while (deflate(balloon) > 0)
		cond_resched();
	mutex_unlock(&balloon->lock);
	tell_actual(balloon);
	virtio_reset_device(vdev);
	vdev->config->del_vqs(vdev);
}

static void balloon_remove(struct virtio_device *vdev)
{
	struct balloon *balloon = vdev->priv;

	balloon_quit(balloon);
	kfree(balloon);
}

/* The host may be another one afterwards, and knows of no page in a balloon. */
static int balloon_freeze(struct virtio_device *vdev)
{
	balloon_quit(vdev->priv);
	return 0;
}

static int balloon_restore(struct virtio_device *vdev)
{
	struct balloon *balloon = vdev->priv;
	int err = balloon_find_queues(balloon);

	if (err)
		return err;
	WRITE_ONCE(balloon->closing, false);
	virtio_device_ready(vdev);
	return balloon_start(balloon);
}

static const struct virtio_device_id balloon_ids[] = {
	{ RF_ID_BALLOON, VIRTIO_DEV_ANY_ID },
	{}
};
MODULE_DEVICE_TABLE(virtio, balloon_ids);

static const unsigned int balloon_features[] = {
	VIRTIO_BALLOON_F_STATS_VQ, VIRTIO_BALLOON_F_DEFLATE_ON_OOM, VIRTIO_BALLOON_F_REPORTING,
};

static struct virtio_driver balloon_driver = {
	.driver.name		= "rf_balloon",
	.driver.owner		= THIS_MODULE,
	.id_table		= balloon_ids,
	.feature_table		= balloon_features,
	.feature_table_size	= ARRAY_SIZE(balloon_features),
	.validate		= balloon_validate,
	.probe			= balloon_probe,
	.remove			= balloon_remove,
	.config_changed		= balloon_config_changed,
	.freeze			= pm_sleep_ptr(balloon_freeze),
	.restore		= pm_sleep_ptr(balloon_restore),
};
module_virtio_driver(balloon_driver);

MODULE_DESCRIPTION("Memory balloon of a ringfence guest");
MODULE_LICENSE("GPL");
