// SPDX-License-Identifier: GPL-2.0
/*
 * balloon.c - memory the guest gives back (virtio specification 1.2, section 5.5)
 *
 * A page in the balloon, or one that is reported free, goes back to the host
 * before the doorbell returns: the hole is punched into the file that the
 * launcher has mapped as guest memory, as the launcher itself could.  If the
 * guest touches such a page again it finds another one, with zeros in it.
 */
#include <linux/bitops.h>
#include <linux/falloc.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include <uapi/linux/virtio_balloon.h>
#include <uapi/linux/virtio_ids.h>

#include "../guestmem.h"
#include "../vm.h"
#include "backend.h"

enum { QUEUE_INFLATE, QUEUE_DEFLATE, QUEUE_STATS, MAX_QUEUES = 4 };

#define QUEUE_NUM	128
#define PFNS_AT_ONCE	256

/* Of one request: Linux sends 256, and what is beyond this is left alone. */
#define MAX_PFNS	4096
#define MAX_STATS	ARRAY_SIZE(((struct rf_balloon *)NULL)->stats)

/**
 * struct rf_balloon_device - a VM's balloon
 * @dev: Device
 * @chains: The request at hand, by queue; its serve_lock
 * @pfns: Page numbers of an inflate request; its serve_lock
 * @stats_lock: What follows
 * @stats: As last told
 * @stats_valid: Which of them were told
 * @reported_pages: Given back by free page reporting
 * @holding: The guest's stats buffer is here; the stats queue's serve_lock
 * @held: Its head
 */
struct rf_balloon_device {
	struct rf_device dev;
	struct rf_chain chains[MAX_QUEUES];
	__le32 pfns[PFNS_AT_ONCE];

	spinlock_t stats_lock;		/* what follows */
	u64 stats[MAX_STATS];
	u64 stats_valid;
	u64 reported_pages;

	bool holding;
	u16 held;
};

static struct rf_balloon_device *balloon_of(struct rf_device *dev)
{
	return container_of(dev, struct rf_balloon_device, dev);
}

/* --- giving memory back --------------------------------------------------------- */

/* The file behind launcher memory from @uva on, and how much of @len it is for. */
static struct file *file_behind(struct mm_struct *mm, unsigned long uva, u64 *len,
				loff_t *offset)
{
	struct vm_area_struct *vma;
	struct file *file = NULL;

	mmap_read_lock(mm);
	vma = find_vma(mm, uva);
	if (vma && vma->vm_start <= uva && vma->vm_file && (vma->vm_flags & VM_SHARED)) {
		*offset = uva - vma->vm_start + ((loff_t)vma->vm_pgoff << PAGE_SHIFT);
		*len = min_t(u64, *len, vma->vm_end - uva);
		file = get_file(vma->vm_file);
	}
	mmap_read_unlock(mm);
	return file;
}

static u64 release_at(struct mm_struct *mm, unsigned long uva, u64 nr)
{
	u64 released = 0, len;
	struct file *file;
	loff_t offset;

	for (; nr; uva += len, nr -= len >> PAGE_SHIFT) {
		len = nr << PAGE_SHIFT;
		file = file_behind(mm, uva, &len, &offset);
		if (!file)
			break;
		if (!vfs_fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len))
			released += len >> PAGE_SHIFT;
		fput(file);
	}
	return released;
}

/* Frames given back; what is not the guest's, or cannot be, is passed over. */
static u64 release(struct rf_vm *vm, u64 gfn, u64 nr)
{
	u64 released = 0;
	u32 i;

	for (i = 0; i < vm->nr_slots; i++) {
		const struct rf_memslot *slot = &vm->slots[i];
		u64 from = max(gfn, slot->base_gfn);
		u64 to = min(gfn + nr, slot->base_gfn + slot->nr_pages);

		if (from < to)
			released += release_at(vm->mm, slot->uva +
					       ((from - slot->base_gfn) << PAGE_SHIFT), to - from);
	}
	return released;
}

/* --- inflate and deflate ------------------------------------------------------------ */

static int compare_pfns(const void *a, const void *b)
{
	u32 x = le32_to_cpu(*(const __le32 *)a), y = le32_to_cpu(*(const __le32 *)b);

	return x < y ? -1 : x > y;
}

/* Neighbours together: the guest names them in whatever order it found them. */
static void release_pfns(struct rf_balloon_device *balloon, u32 nr)
{
	struct rf_device *dev = &balloon->dev;
	u32 from, to, last;

	sort(balloon->pfns, nr, sizeof(balloon->pfns[0]), compare_pfns, NULL);
	for (from = 0; from < nr; from = to) {
		u32 first = le32_to_cpu(balloon->pfns[from]);
		u64 released;

		/* One may be named twice. */
		for (last = first, to = from + 1; to < nr; to++) {
			u32 next = le32_to_cpu(balloon->pfns[to]);

			if (next != last && next != last + 1)
				break;
			last = next;
		}
		released = release(dev->vm, first, last - first + 1);
		atomic64_add(released << PAGE_SHIFT, &dev->written_bytes);
		if (released != last - first + 1)
			atomic64_inc(&dev->errors);
	}
}

static void inflate(struct rf_balloon_device *balloon, const struct rf_chain *chain)
{
	u32 len = min_t(u32, round_down(chain->read_len, sizeof(__le32)),
			MAX_PFNS * sizeof(__le32));
	struct rf_device *dev = &balloon->dev;
	u32 at, now;

	for (at = 0; at < len && !fatal_signal_pending(current); at += now) {
		now = min_t(u32, len - at, sizeof(balloon->pfns));
		if (rf_chain_read(dev->vm, chain, at, balloon->pfns, now)) {
			atomic64_inc(&dev->errors);
			return;
		}
		release_pfns(balloon, now / sizeof(__le32));
		cond_resched();
	}
}

/* --- statistics ------------------------------------------------------------------------ */

static void read_stats(struct rf_balloon_device *balloon, const struct rf_chain *chain)
{
	struct virtio_balloon_stat stat;
	u64 stats[MAX_STATS] = {}, valid = 0;
	u32 at, i;

	/* Twice as many as there are is all that is looked at. */
	for (at = 0, i = 0; at + sizeof(stat) <= chain->read_len && i < 2 * MAX_STATS; i++) {
		u16 tag;

		if (rf_chain_read(balloon->dev.vm, chain, at, &stat, sizeof(stat)))
			break;
		at += sizeof(stat);
		tag = le16_to_cpu((__force __le16)stat.tag);
		if (tag >= MAX_STATS)
			continue;
		tag = array_index_nospec(tag, MAX_STATS);
		stats[tag] = le64_to_cpu((__force __le64)stat.val);
		valid |= BIT_ULL(tag);
	}

	spin_lock(&balloon->stats_lock);
	memcpy(balloon->stats, stats, sizeof(stats));
	balloon->stats_valid = valid;
	spin_unlock(&balloon->stats_lock);
}

/* Give the buffer back: the guest fills it again and brings it. */
static void ask_for_stats(struct rf_balloon_device *balloon)
{
	struct rf_queue *q = &balloon->dev.queues[QUEUE_STATS];

	mutex_lock(&q->serve_lock);
	if (balloon->holding) {
		balloon->holding = false;
		rf_queue_finish(q, balloon->held, 0);
		rf_queue_signal(q);
	}
	mutex_unlock(&q->serve_lock);
}

static void serve_stats(struct rf_balloon_device *balloon, struct rf_queue *q)
{
	struct rf_chain *chain = &balloon->chains[QUEUE_STATS];

	while (rf_queue_next(q, chain) > 0) {
		read_stats(balloon, chain);
		if (balloon->holding)
			rf_queue_finish(q, balloon->held, 0);
		balloon->holding = true;
		balloon->held = chain->head;
	}
}

/* --- the device -------------------------------------------------------------------------- */

/* Free page reporting: each piece is memory that the guest does not use now. */
static void serve_reports(struct rf_balloon_device *balloon, struct rf_queue *q)
{
	struct rf_chain *chain = &balloon->chains[q->index];
	u32 i;

	while (rf_queue_next(q, chain) > 0) {
		u64 released = 0;

		for (i = 0; i < chain->nr && !fatal_signal_pending(current); i++) {
			const struct rf_segment *segment = &chain->segments[i];
			u64 first = PFN_UP(segment->gpa);
			u64 end = (segment->gpa + segment->len) >> PAGE_SHIFT;

			/* Far from where sums wrap. */
			if (segment->gpa >> PAGE_SHIFT >= RF_MAX_PAGES)
				continue;
			if (segment->write && end > first)
				released += release(balloon->dev.vm, first, end - first);
		}
		spin_lock(&balloon->stats_lock);
		balloon->reported_pages += released;
		spin_unlock(&balloon->stats_lock);
		rf_queue_finish(q, chain->head, 0);
		cond_resched();
	}
}

static void balloon_serve(struct rf_queue *q)
{
	struct rf_balloon_device *balloon = balloon_of(q->dev);
	struct rf_chain *chain = &balloon->chains[q->index];

	/* Which queue is which depends on the features. */
	if (q->index == QUEUE_STATS && rf_device_has(q->dev, VIRTIO_BALLOON_F_STATS_VQ)) {
		serve_stats(balloon, q);
		return;
	}
	if (q->index >= QUEUE_STATS) {
		if (rf_device_has(q->dev, VIRTIO_BALLOON_F_REPORTING))
			serve_reports(balloon, q);
		return;
	}
	while (rf_queue_next(q, chain) > 0) {
		/* What leaves the balloon comes back when it is touched. */
		if (q->index == QUEUE_INFLATE)
			inflate(balloon, chain);
		rf_queue_finish(q, chain->head, 0);
	}
}

static void balloon_stop(struct rf_device *dev)
{
	struct rf_balloon_device *balloon = balloon_of(dev);

	ask_for_stats(balloon);
	spin_lock(&balloon->stats_lock);
	balloon->stats_valid = 0;
	spin_unlock(&balloon->stats_lock);
	memset(dev->config + offsetof(struct virtio_balloon_config, actual), 0, sizeof(__le32));
}

/* The driver says how much it holds, and nothing else. */
static int balloon_set_config(struct rf_device *dev, u32 offset, u32 len, const u8 *data)
{
	if (offset != offsetof(struct virtio_balloon_config, actual) || len != sizeof(__le32))
		return -EINVAL;
	memcpy(dev->config + offset, data, len);
	return 0;
}

static void balloon_destroy(struct rf_device *dev)
{
	rf_device_free_queues(dev);
	kfree(balloon_of(dev));
}

static const struct rf_device_ops balloon_ops = {
	.stop		= balloon_stop,
	.serve		= balloon_serve,
	.set_config	= balloon_set_config,
	.destroy	= balloon_destroy,
};

int rf_balloon_add(struct rf_vm *vm, struct rf_add_device *add)
{
	struct rf_balloon_device *balloon;
	int slot;

	balloon = kzalloc(sizeof(*balloon), GFP_KERNEL_ACCOUNT);
	if (!balloon)
		return -ENOMEM;
	spin_lock_init(&balloon->stats_lock);
	slot = rf_device_init(&balloon->dev, vm, &balloon_ops, VIRTIO_ID_BALLOON, MAX_QUEUES,
			      QUEUE_NUM);
	if (!slot) {
		balloon->dev.offered |= BIT_ULL(VIRTIO_BALLOON_F_STATS_VQ) |
					BIT_ULL(VIRTIO_BALLOON_F_DEFLATE_ON_OOM) |
					BIT_ULL(VIRTIO_BALLOON_F_REPORTING);
		balloon->dev.config_len = offsetofend(struct virtio_balloon_config, actual);
		slot = rf_bus_add(vm, &balloon->dev, true);
	}
	if (slot < 0) {
		balloon_destroy(&balloon->dev);
		return slot;
	}
	add->slot = slot;
	return 0;
}

static int balloon_set_target(struct rf_balloon_device *balloon, u64 pages)
{
	__le32 num_pages = cpu_to_le32(pages);

	if (pages > balloon->dev.vm->nr_pages || pages > U32_MAX)
		return -EINVAL;
	ask_for_stats(balloon);
	rf_device_set_config(&balloon->dev, offsetof(struct virtio_balloon_config, num_pages),
			     &num_pages, sizeof(num_pages));
	return 0;
}

static void balloon_read(struct rf_balloon_device *balloon, struct rf_balloon *out)
{
	struct virtio_balloon_config config;

	mutex_lock(&balloon->dev.lock);
	memcpy(&config, balloon->dev.config, balloon->dev.config_len);
	mutex_unlock(&balloon->dev.lock);
	out->target_pages = le32_to_cpu(config.num_pages);
	out->actual_pages = le32_to_cpu(config.actual);

	spin_lock(&balloon->stats_lock);
	out->reported_pages = balloon->reported_pages;
	out->stats_valid = balloon->stats_valid;
	memcpy(out->stats, balloon->stats, sizeof(out->stats));
	spin_unlock(&balloon->stats_lock);
}

int rf_balloon_control(struct rf_vm *vm, struct rf_balloon *control)
{
	struct rf_device *dev = rf_bus_lookup(vm, VIRTIO_ID_BALLOON);
	int err = 0;

	if (!dev)
		return -ENODEV;
	if (control->flags & RF_BALLOON_SET)
		err = balloon_set_target(balloon_of(dev), control->target_pages);
	if (!err)
		balloon_read(balloon_of(dev), control);
	rf_bus_unlock(vm);
	return err;
}
