// SPDX-License-Identifier: GPL-2.0
/*
 * ring.c - split virtqueues, as the virtio specification 1.2, section 2.7, has them
 *
 * A ring is guest memory: whatever is read there is read once, and then
 * checked.  The three parts are pinned, so a request can be given back in any
 * context; what descriptors point to is looked up when it is used.
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <uapi/linux/virtio_config.h>

#include "../event/event.h"
#include "../guestmem.h"
#include "../vm.h"
#include "backend.h"

/* Rings that another vCPU keeps filling: after so many times all of it, later. */
#define MAX_ROUNDS	2

/* A device of version 1 is little-endian. */
#define from16(_v)	le16_to_cpu((__force __le16)READ_ONCE(_v))
#define from32(_v)	le32_to_cpu((__force __le32)READ_ONCE(_v))
#define from64(_v)	le64_to_cpu((__force __le64)READ_ONCE(_v))
#define to16(_v)	((__force __virtio16)cpu_to_le16(_v))
#define to32(_v)	((__force __virtio32)cpu_to_le32(_v))

/* A descriptor, looked at once. */
struct desc {
	u64 addr;
	u32 len;
	u16 flags;
	u16 next;
};

/* --- memory ----------------------------------------------------------------------- */

static void area_unmap(struct rf_ring_area *area)
{
	u32 i;

	if (area->map)
		vunmap(area->map);
	for (i = 0; i < area->nr_pages; i++)
		rf_guest_unpin(area->pages[i]);
	kvfree(area->pages);
	*area = (struct rf_ring_area) {};
}

static void *area_map(struct rf_vm *vm, struct rf_ring_area *area, u64 gpa, size_t len)
{
	u32 nr = PFN_UP(offset_in_page(gpa) + len);
	u64 gfn = gpa >> PAGE_SHIFT;

	area->pages = kvcalloc(nr, sizeof(*area->pages), GFP_KERNEL_ACCOUNT);
	if (!area->pages)
		return ERR_PTR(-ENOMEM);

	for (area->nr_pages = 0; area->nr_pages < nr; area->nr_pages++) {
		struct page *page = rf_guest_pin(vm, RF_GFN(gfn + area->nr_pages));

		if (IS_ERR(page))
			return page;
		area->pages[area->nr_pages] = page;
	}
	area->map = vmap(area->pages, nr, VM_MAP, PAGE_KERNEL);
	if (!area->map)
		return ERR_PTR(-ENOMEM);
	return area->map + offset_in_page(gpa);
}

void rf_ring_unmap(struct rf_queue *q)
{
	int i;

	q->num = 0;
	q->desc = NULL;
	q->avail = NULL;
	q->used = NULL;
	for (i = 0; i < ARRAY_SIZE(q->areas); i++)
		area_unmap(&q->areas[i]);
}

int rf_ring_map(struct rf_queue *q, const struct rf_guest_queue *set)
{
	struct rf_vm *vm = q->dev->vm;
	u32 num = set->num;
	void *desc, *avail, *used;

	/* Each ring ends in the event index. */
	desc = area_map(vm, &q->areas[0], set->desc, num * sizeof(struct vring_desc));
	if (IS_ERR(desc))
		goto err;
	avail = area_map(vm, &q->areas[1], set->driver, struct_size(q->avail, ring, num + 1));
	desc = IS_ERR(avail) ? avail : desc;
	if (IS_ERR(desc))
		goto err;
	used = area_map(vm, &q->areas[2], set->device,
			struct_size(q->used, ring, num) + sizeof(u16));
	desc = IS_ERR(used) ? used : desc;
	if (IS_ERR(desc))
		goto err;

	q->desc = desc;
	q->avail = avail;
	q->used = used;
	q->last_avail = 0;
	q->used_idx = 0;
	q->signalled = 0;
	q->broken = false;
	q->num = num;
	return 0;
err:
	rf_ring_unmap(q);
	return PTR_ERR(desc);
}

/* --- taking requests ----------------------------------------------------------------- */

static int end_queue(struct rf_queue *q)
{
	q->broken = true;
	rf_device_broken(q->dev);
	return -EINVAL;
}

static bool chain_add(struct rf_chain *chain, const struct desc *desc)
{
	bool write = desc->flags & VRING_DESC_F_WRITE;
	u32 *sum = write ? &chain->write_len : &chain->read_len;

	if (chain->nr == RF_MAX_SEGMENTS || check_add_overflow(*sum, desc->len, sum))
		return false;
	if (!write && chain->nr && chain->segments[chain->nr - 1].write)
		return false;
	chain->segments[chain->nr++] = (struct rf_segment) {
		.gpa	= desc->addr,
		.len	= desc->len,
		.write	= write,
	};
	return true;
}

/* Only within its table, and no further than there are segments: loops end. */
static bool chain_walk(struct rf_chain *chain, const struct vring_desc *table, u32 num,
		       u32 first)
{
	u32 i = first, n;

	for (n = 0; n < num && i < num; n++) {
		/* The table may be the guest's: one look at each. */
		struct desc desc = {
			.addr	= from64(table[i].addr),
			.len	= from32(table[i].len),
			.flags	= from16(table[i].flags),
			.next	= from16(table[i].next),
		};

		if ((desc.flags & VRING_DESC_F_INDIRECT) || !chain_add(chain, &desc))
			return false;
		if (!(desc.flags & VRING_DESC_F_NEXT))
			return true;
		i = desc.next;
	}
	return false;
}

/* An indirect table stands for the whole request, and is copied first. */
static bool chain_indirect(struct rf_queue *q, struct rf_chain *chain, u64 gpa, u32 len)
{
	u32 nr = len / sizeof(*q->table);

	if (!nr || len % sizeof(*q->table) || nr > RF_MAX_SEGMENTS)
		return false;
	if (rf_guest_read_gpa(q->dev->vm, q->table, gpa, len))
		return false;
	return chain_walk(chain, q->table, nr, 0);
}

static bool chain_take(struct rf_queue *q, struct rf_chain *chain, u16 head)
{
	const struct vring_desc *desc;

	if (head >= q->num)
		return false;

	chain->head = head;
	chain->nr = 0;
	chain->read_len = 0;
	chain->write_len = 0;
	desc = &q->desc[array_index_nospec(head, q->num)];
	if (!(from16(desc->flags) & VRING_DESC_F_INDIRECT))
		return chain_walk(chain, q->desc, q->num, head);
	if (!rf_device_has(q->dev, VIRTIO_RING_F_INDIRECT_DESC))
		return false;
	return chain_indirect(q, chain, from64(desc->addr), from32(desc->len));
}

/* Is there a request?  If not, have the guest ring for the next one. */
static bool queue_has_next(struct rf_queue *q, u16 *avail)
{
	__virtio16 *event = (__virtio16 *)&q->used->ring[q->num];

	*avail = from16(q->avail->idx);
	if (*avail != q->last_avail)
		return true;
	if (!rf_device_has(q->dev, VIRTIO_RING_F_EVENT_IDX))
		return false;

	WRITE_ONCE(*event, to16(q->last_avail));
	smp_mb();	/* ask for the doorbell, then look once more */
	*avail = from16(q->avail->idx);
	return *avail != q->last_avail;
}

int rf_queue_next(struct rf_queue *q, struct rf_chain *chain)
{
	u16 avail, head;

	lockdep_assert_held(&q->serve_lock);

	if (q->broken)
		return -EINVAL;
	if (!queue_has_next(q, &avail))
		return 0;
	if ((u16)(avail - q->last_avail) > q->num)
		return end_queue(q);
	if (!q->budget) {
		rf_queue_serve_later(q, 0);
		return 0;
	}
	q->budget--;

	smp_rmb();	/* the index, then what it is of */
	head = from16(q->avail->ring[q->last_avail & (q->num - 1)]);
	if (!chain_take(q, chain, head))
		return end_queue(q);
	q->last_avail++;
	atomic_inc(&q->dev->in_flight);
	return 1;
}

void rf_queue_serve(struct rf_queue *q)
{
	struct rf_device *dev = q->dev;

	mutex_lock(&q->serve_lock);
	if (READ_ONCE(dev->running) && q->num) {
		q->budget = q->num * MAX_ROUNDS;
		dev->ops->serve(q);
		rf_queue_signal(q);
	}
	mutex_unlock(&q->serve_lock);
}

void rf_queue_serve_later(struct rf_queue *q, unsigned long delay)
{
	mod_delayed_work(system_unbound_wq, &q->work, delay);
}

/* --- giving them back ------------------------------------------------------------------ */

static void used_put(struct rf_queue *q, const struct rf_used *used)
{
	struct vring_used_elem *elem = &q->used->ring[q->used_idx & (q->num - 1)];

	lockdep_assert_held(&q->used_lock);

	WRITE_ONCE(elem->id, to32(used->head));
	WRITE_ONCE(elem->len, to32(used->written));
	q->used_idx++;
}

static void used_show(struct rf_queue *q)
{
	smp_wmb();	/* the entries before the index */
	WRITE_ONCE(q->used->idx, to16(q->used_idx));
}

static void used_add(struct rf_queue *q, u16 head, u32 written)
{
	const struct rf_used used = { .head = head, .written = written };

	used_put(q, &used);
	used_show(q);
}

/* Does the guest want to hear of what was added since it last was told? */
static bool used_news(struct rf_queue *q)
{
	u16 from = q->signalled, event;

	lockdep_assert_held(&q->used_lock);

	q->signalled = q->used_idx;
	if (from == q->used_idx)
		return false;
	smp_mb();	/* the index before the guest's wish */
	if (!rf_device_has(q->dev, VIRTIO_RING_F_EVENT_IDX))
		return !(from16(q->avail->flags) & VRING_AVAIL_F_NO_INTERRUPT);
	event = from16(q->avail->ring[q->num]);
	return vring_need_event(event, q->used_idx, from);
}

/* The last thing done with a request: after it, a reset may be over. */
static void in_flight_put(struct rf_device *dev, u32 nr)
{
	unsigned long flags;

	if (atomic_add_unless(&dev->in_flight, -nr, nr))
		return;
	spin_lock_irqsave(&dev->idle.lock, flags);
	if (atomic_sub_and_test(nr, &dev->in_flight))
		wake_up_locked(&dev->idle);
	spin_unlock_irqrestore(&dev->idle.lock, flags);
}

void rf_device_drain(struct rf_device *dev)
{
	wait_event(dev->idle, !atomic_read(&dev->in_flight));
	/* Whoever gave the last one back is done with the device, too. */
	spin_lock_irq(&dev->idle.lock);
	spin_unlock_irq(&dev->idle.lock);
}

static void queue_raise(struct rf_queue *q)
{
	atomic64_inc(&q->dev->events);
	rf_evtchn_raise(q->dev->vm, q->port);
}

void rf_queue_finish(struct rf_queue *q, u16 head, u32 written)
{
	unsigned long flags;

	spin_lock_irqsave(&q->used_lock, flags);
	used_add(q, head, written);
	spin_unlock_irqrestore(&q->used_lock, flags);
	atomic64_inc(&q->dev->requests);
	in_flight_put(q->dev, 1);
}

void rf_queue_finish_all(struct rf_queue *q, const struct rf_used *used, u32 nr)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&q->used_lock, flags);
	for (i = 0; i < nr; i++)
		used_put(q, &used[i]);
	used_show(q);
	spin_unlock_irqrestore(&q->used_lock, flags);
	atomic64_add(nr, &q->dev->requests);
	in_flight_put(q->dev, nr);
}

void rf_queue_signal(struct rf_queue *q)
{
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&q->used_lock, flags);
	news = used_news(q);
	spin_unlock_irqrestore(&q->used_lock, flags);
	if (news)
		queue_raise(q);
}

void rf_queue_complete(struct rf_queue *q, u16 head, u32 written)
{
	struct rf_device *dev = q->dev;
	unsigned long flags;
	bool news;

	spin_lock_irqsave(&q->used_lock, flags);
	used_add(q, head, written);
	news = used_news(q);
	spin_unlock_irqrestore(&q->used_lock, flags);
	atomic64_inc(&dev->requests);
	if (news)
		queue_raise(q);
	in_flight_put(dev, 1);
}

/* --- what a request points to ------------------------------------------------------------ */

/**
 * struct cursor - a way through one part of a chain
 * @chain: The chain
 * @i: Segment
 * @skip: Bytes of it that have been passed
 * @write: Which part
 */
struct cursor {
	const struct rf_chain *chain;
	u32 i;
	u32 skip;
	bool write;
};

/* The next piece of at most @len bytes within one page; 0 at the end of the part. */
static u32 cursor_next(struct cursor *c, u32 len, u64 *gpa)
{
	const struct rf_segment *segment;
	u32 now;

	for (; c->i < c->chain->nr; c->i++, c->skip = 0) {
		segment = &c->chain->segments[c->i];
		if (segment->write == c->write && c->skip < segment->len)
			break;
	}
	if (c->i == c->chain->nr || !len)
		return 0;
	*gpa = segment->gpa + c->skip;
	now = min_t(u32, min(len, segment->len - c->skip), PAGE_SIZE - offset_in_page(*gpa));
	c->skip += now;
	return now;
}

static struct cursor cursor_at(const struct rf_chain *chain, bool write, u32 offset)
{
	struct cursor c = { .chain = chain, .write = write };
	const struct rf_segment *segment;

	for (; c.i < chain->nr; c.i++) {
		segment = &chain->segments[c.i];
		if (segment->write != write)
			continue;
		if (offset < segment->len)
			break;
		offset -= segment->len;
	}
	c.skip = offset;
	return c;
}

int rf_chain_read(struct rf_vm *vm, const struct rf_chain *chain, u32 offset, void *dst,
		  u32 len)
{
	struct cursor c = cursor_at(chain, false, offset);
	u64 gpa;
	u32 now;

	for (; len; len -= now, dst += now) {
		now = cursor_next(&c, len, &gpa);
		if (!now || rf_guest_read_gpa(vm, dst, gpa, now))
			return -EFAULT;
	}
	return 0;
}

int rf_chain_write(struct rf_vm *vm, const struct rf_chain *chain, u32 offset,
		   const void *src, u32 len)
{
	struct cursor c = cursor_at(chain, true, offset);
	u64 gpa;
	u32 now;

	for (; len; len -= now, src += now) {
		now = cursor_next(&c, len, &gpa);
		if (!now || rf_guest_write_gpa(vm, gpa, src, now))
			return -EFAULT;
	}
	return 0;
}

static struct page *gpa_pin(struct rf_vm *vm, u64 gpa, unsigned int how)
{
	unsigned long uva = rf_memory_uva(vm, RF_GFN(gpa >> PAGE_SHIFT));
	struct page *page;

	if (!uva || pin_user_pages_fast(uva, 1, how, &page) != 1)
		return NULL;
	return page;
}

struct page *rf_gpa_pin(struct rf_vm *vm, u64 gpa, bool write)
{
	return gpa_pin(vm, gpa, write ? FOLL_WRITE : 0);
}

static int pin_along(struct rf_vm *vm, struct cursor *c, unsigned int how, u32 len,
		     struct bio_vec *bvecs, u32 max)
{
	int err = -EFAULT;
	u32 nr = 0, now;
	u64 gpa;

	for (; len; len -= now) {
		now = cursor_next(c, len, &gpa);
		if (!now)
			goto err;
		if (nr == max) {
			err = -E2BIG;
			goto err;
		}
		bvecs[nr].bv_page = gpa_pin(vm, gpa, how);
		if (!bvecs[nr].bv_page)
			goto err;
		bvecs[nr].bv_offset = offset_in_page(gpa);
		bvecs[nr].bv_len = now;
		nr++;
	}
	return nr;
err:
	rf_bvecs_unpin(bvecs, nr, false);
	return err;
}

int rf_chain_pin(struct rf_vm *vm, const struct rf_chain *chain, bool write, u32 offset,
		 u32 len, struct bio_vec *bvecs, u32 max)
{
	struct cursor c = cursor_at(chain, write, offset);

	return pin_along(vm, &c, write ? FOLL_WRITE : 0, len, bvecs, max);
}

int rf_chain_hold(struct rf_vm *vm, const struct rf_chain *chain, u32 len,
		  struct bio_vec *bvecs, u32 max)
{
	struct cursor c = cursor_at(chain, true, 0);

	return pin_along(vm, &c, FOLL_WRITE | FOLL_LONGTERM, len, bvecs, max);
}

void rf_bvecs_unpin(struct bio_vec *bvecs, u32 nr, bool dirty)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		/*
		 * Anonymous memory, or shared: with another file's the file
		 * system would want to know, in a context where it may sleep.
		 */
		if (dirty && folio_test_swapbacked(page_folio(bvecs[i].bv_page)))
			set_page_dirty(bvecs[i].bv_page);
		unpin_user_page(bvecs[i].bv_page);
	}
}
