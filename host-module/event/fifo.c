// SPDX-License-Identifier: GPL-2.0
/*
 * fifo.c - the FIFO-based event channel ABI
 *
 *	control block of a vCPU          event array, a word a port
 *	 ready   1 bit a priority         P M L B  link
 *	 head[priority] ----------------> port --> port --> tail
 *
 * The host appends at the tail, which it alone remembers; the guest takes from
 * the head, clearing a word's link as it goes.  Every word is the guest's to
 * write: links are never followed here, and each loop over one is bounded.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "../../uapi/ringfence_state.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"

#define WORDS_PER_PAGE	(PAGE_SIZE / sizeof(event_word_t))
#define MAX_PAGES	(RF_MAX_PORTS / WORDS_PER_PAGE)

#define PENDING		BIT(EVTCHN_FIFO_PENDING)
#define MASKED		BIT(EVTCHN_FIFO_MASKED)
#define LINKED		BIT(EVTCHN_FIFO_LINKED)
#define BUSY		BIT(EVTCHN_FIFO_BUSY)

/* Changes a guest may make to a linked word while it is held BUSY. */
#define MAX_LINK_TRIES	4

struct fifo_vcpu {
	struct page *page;
	rf_gfn_t gfn;
	struct evtchn_fifo_control_block *control;
	u32 tail[EVTCHN_FIFO_MAX_QUEUES];	/* port linked last; 0: none */
};

struct rf_fifo {
	u32 nr_pages;
	struct page *pages[MAX_PAGES];
	rf_gfn_t gfns[MAX_PAGES];
	struct fifo_vcpu vcpus[RF_MAX_VCPUS];
};

/* The word of a port, or NULL while the guest has given no page for it. */
static atomic_t *fifo_word(const struct rf_fifo *fifo, u32 index)
{
	u32 page = index / WORDS_PER_PAGE;

	if (page >= fifo->nr_pages)
		return NULL;
	page = array_index_nospec(page, MAX_PAGES);
	return (atomic_t *)page_address(fifo->pages[page]) + index % WORDS_PER_PAGE;
}

static bool fifo_test(const struct rf_evtchns *evtchns, u32 index, u32 bit)
{
	const atomic_t *word = fifo_word(evtchns->fifo, index);

	lockdep_assert_held(&evtchns->lock);

	return word && (atomic_read(word) & bit);
}

bool rf_fifo_is_pending(struct rf_evtchns *evtchns, u32 index)
{
	return fifo_test(evtchns, index, PENDING);
}

/* Still on a queue, though its port may be closed. */
bool rf_fifo_is_busy(struct rf_evtchns *evtchns, u32 index)
{
	return fifo_test(evtchns, index, LINKED);
}

/*
 * Let the tail point to @port.
 *
 * Return: false if the guest has taken the tail off the queue, which is empty
 * then.
 */
static bool fifo_link(atomic_t *tail, u32 port)
{
	int old = atomic_read(tail);
	int try;

	for (try = 0; try <= MAX_LINK_TRIES; try++) {
		if (!(old & LINKED)) {
			if (try)
				atomic_andnot(BUSY, tail);
			return false;
		}
		if (atomic_try_cmpxchg(tail, &old,
				       (old & ~(BUSY | EVTCHN_FIFO_LINK_MASK)) | port))
			return true;

		/* From here on a guest that obeys the ABI does not unmask. */
		if (!try)
			old = atomic_fetch_or(BUSY, tail) | BUSY;
	}

	/* It does not obey: its queue is its own loss. */
	atomic_andnot(BUSY, tail);
	return true;
}

/* Put @port at the end of its queue.  Return: whether the queue was empty. */
static bool fifo_append(struct rf_evtchns *evtchns, u32 index, struct fifo_vcpu *queues)
{
	struct rf_port *port = &evtchns->ports[index];
	struct rf_fifo *fifo = evtchns->fifo;
	u32 *old_tail = &fifo->vcpus[port->queue_vcpu].tail[port->queue_priority];
	u32 *tail = &queues->tail[port->priority];
	bool linked = false;

	/*
	 * Where it was the tail, the queue has been emptied: its word says
	 * linked again, but on another queue.
	 */
	if (*old_tail == index)
		*old_tail = 0;
	port->queue_vcpu = queues - fifo->vcpus;
	port->queue_priority = port->priority;

	if (*tail)
		linked = fifo_link(fifo_word(fifo, *tail), index);
	if (!linked)
		WRITE_ONCE(queues->control->head[port->priority], index);
	*tail = index;
	return !linked;
}

void rf_fifo_set_pending(struct rf_evtchns *evtchns, u32 index, struct rf_vcpu *vcpu)
{
	struct fifo_vcpu *queues = &evtchns->fifo->vcpus[vcpu->id];
	atomic_t *word = fifo_word(evtchns->fifo, index);
	struct rf_port *port = &evtchns->ports[index];
	int old;

	lockdep_assert_held(&evtchns->lock);

	/* rf_fifo_expand_array() makes up for it. */
	if (!word) {
		port->pending = true;
		return;
	}

	old = atomic_fetch_or(PENDING, word);

	/* Without a control block the guest may not have unmasked anything. */
	if (!queues->control)
		return;

	if (!(old & MASKED) && !(atomic_fetch_or(LINKED, word) & LINKED) &&
	    fifo_append(evtchns, index, queues) &&
	    !(atomic_fetch_or(BIT(port->priority), (atomic_t *)&queues->control->ready) &
	      BIT(port->priority)))
		rf_upcall_raise(vcpu);

	if (!(old & PENDING))
		rf_upcall_end_polls(evtchns, index);
}

void rf_fifo_clear_pending(struct rf_evtchns *evtchns, u32 index)
{
	atomic_t *word = fifo_word(evtchns->fifo, index);

	/* It stays linked: the guest takes it off and finds nothing pending. */
	if (word)
		atomic_andnot(PENDING, word);
}

void rf_fifo_unmask(struct rf_evtchns *evtchns, u32 index, struct rf_vcpu *vcpu)
{
	atomic_t *word = fifo_word(evtchns->fifo, index);

	if (word && (atomic_fetch_andnot(MASKED, word) & PENDING))
		rf_fifo_set_pending(evtchns, index, vcpu);
}

/* The first control block: from now on the guest looks here. */
static void fifo_take_over(struct rf_evtchns *evtchns, struct rf_fifo *fifo)
{
	struct shared_info *shared = evtchns->vm->shared;
	u32 index;

	evtchns->fifo = fifo;

	for_each_set_bit(index, evtchns->used, RF_MAX_PORTS) {
		struct rf_port *port = &evtchns->ports[index];

		port->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
		if (shared && test_and_clear_bit(index, (unsigned long *)shared->evtchn_pending))
			port->pending = true;
	}
}

static long fifo_set_control(struct rf_evtchns *evtchns, u32 id, rf_gfn_t gfn,
			     struct page *page, u32 offset)
{
	struct fifo_vcpu *queues;
	struct rf_vcpu *vcpu = rf_evtchn_vcpu(evtchns, id);

	if (!vcpu)
		return -ENOENT;

	queues = &evtchns->fifo->vcpus[vcpu->id];
	if (queues->control)
		return -EINVAL;

	queues->page = page;
	queues->gfn = gfn;
	queues->control = page_address(page) + offset;
	return 0;
}

static bool control_offset_ok(u32 *offset)
{
	const u32 last = PAGE_SIZE - sizeof(struct evtchn_fifo_control_block);

	if (*offset > last || !IS_ALIGNED(*offset, 8))
		return false;
	*offset = array_index_nospec(*offset, last + 1);
	return true;
}

long rf_fifo_init_control(struct rf_evtchns *evtchns, struct evtchn_init_control *op)
{
	u32 offset = op->offset;
	struct rf_fifo *fifo;
	struct page *page;
	long ret;

	op->link_bits = EVTCHN_FIFO_LINK_BITS;

	if (!control_offset_ok(&offset))
		return -EINVAL;

	page = rf_guest_pin(evtchns->vm, RF_GFN(op->control_gfn));
	if (IS_ERR(page))
		return PTR_ERR(page) == -ENOMEM ? -ENOMEM : -EINVAL;

	fifo = kvzalloc(sizeof(*fifo), GFP_KERNEL_ACCOUNT);
	if (!fifo) {
		rf_guest_unpin(page);
		return -ENOMEM;
	}

	spin_lock_irq(&evtchns->lock);
	if (!rf_evtchn_vcpu(evtchns, op->vcpu)) {
		ret = -ENOENT;
	} else {
		if (!evtchns->fifo) {
			fifo_take_over(evtchns, fifo);
			fifo = NULL;
		}
		ret = fifo_set_control(evtchns, op->vcpu, RF_GFN(op->control_gfn),
				       page, offset);
	}
	spin_unlock_irq(&evtchns->lock);

	kvfree(fifo);
	if (ret)
		rf_guest_unpin(page);
	return ret;
}

static long fifo_add_page(struct rf_evtchns *evtchns, rf_gfn_t gfn, struct page *page)
{
	struct rf_fifo *fifo = evtchns->fifo;
	u32 first, last, index;

	if (!fifo)
		return -EOPNOTSUPP;
	if (fifo->nr_pages >= MAX_PAGES)
		return -ENOSPC;

	first = fifo->nr_pages * WORDS_PER_PAGE;
	last = first + WORDS_PER_PAGE;
	fifo->gfns[fifo->nr_pages] = gfn;
	fifo->pages[fifo->nr_pages++] = page;

	/* Raised before there was a word to say so. */
	for (index = first; index < last; index++) {
		struct rf_port *port = &evtchns->ports[index];

		if (!port->pending)
			continue;
		port->pending = false;
		rf_port_set_pending(evtchns, index);
	}
	return 0;
}

long rf_fifo_expand_array(struct rf_evtchns *evtchns, const struct evtchn_expand_array *op)
{
	struct page *page;
	long ret;

	page = rf_guest_pin(evtchns->vm, RF_GFN(op->array_gfn));
	if (IS_ERR(page))
		return PTR_ERR(page) == -ENOMEM ? -ENOMEM : -EINVAL;

	spin_lock_irq(&evtchns->lock);
	ret = fifo_add_page(evtchns, RF_GFN(op->array_gfn), page);
	spin_unlock_irq(&evtchns->lock);

	if (ret)
		rf_guest_unpin(page);
	return ret;
}

/* No port can be raised by way of it. */
static void fifo_free(struct rf_fifo *fifo)
{
	u32 i;

	for (i = 0; i < fifo->nr_pages; i++)
		rf_guest_unpin(fifo->pages[i]);
	for (i = 0; i < RF_MAX_VCPUS; i++)
		if (fifo->vcpus[i].page)
			rf_guest_unpin(fifo->vcpus[i].page);
	kvfree(fifo);
}

void rf_fifo_destroy(struct rf_evtchns *evtchns)
{
	struct rf_fifo *fifo;

	spin_lock_irq(&evtchns->lock);
	fifo = evtchns->fifo;
	evtchns->fifo = NULL;
	spin_unlock_irq(&evtchns->lock);
	if (fifo)
		fifo_free(fifo);
}

/*
 * State: what the host remembers of queues that are in guest memory
 */

void rf_fifo_save(const struct rf_evtchns *evtchns, struct rf_saved_fifo *saved)
{
	const struct rf_fifo *fifo = evtchns->fifo;
	u32 i;

	lockdep_assert_held(&evtchns->lock);

	if (!fifo)
		return;
	saved->flags = RF_SAVED_FIFO_ON;
	saved->nr_pages = fifo->nr_pages;
	for (i = 0; i < fifo->nr_pages; i++)
		saved->pfn[i] = fifo->gfns[i].v;
	for (i = 0; i < RF_MAX_VCPUS; i++) {
		const struct fifo_vcpu *vcpu = &fifo->vcpus[i];

		if (!vcpu->page)
			continue;
		saved->queues[i].flags = RF_SAVED_CONTROL;
		saved->queues[i].offset = offset_in_page(vcpu->control);
		saved->queues[i].pfn = vcpu->gfn.v;
		memcpy(saved->queues[i].tail, vcpu->tail, sizeof(vcpu->tail));
	}
}

static int fifo_load_page(struct rf_vm *vm, u64 gfn, struct page **page)
{
	struct page *pinned = rf_guest_pin(vm, RF_GFN(gfn));

	if (IS_ERR(pinned))
		return PTR_ERR(pinned) == -ENOMEM ? -ENOMEM : -EINVAL;
	*page = pinned;
	return 0;
}

static int fifo_load_pages(struct rf_vm *vm, struct rf_fifo *fifo,
			   const struct rf_saved_fifo *saved)
{
	int err;

	if (saved->nr_pages > MAX_PAGES)
		return -EINVAL;
	while (fifo->nr_pages < saved->nr_pages) {
		u32 i = fifo->nr_pages;

		err = fifo_load_page(vm, saved->pfn[i], &fifo->pages[i]);
		if (err)
			return err;
		fifo->gfns[i] = RF_GFN(saved->pfn[i]);
		fifo->nr_pages++;
	}
	return 0;
}

static int fifo_load_vcpu(struct rf_evtchns *evtchns, struct rf_fifo *fifo, u32 id,
			  const struct rf_saved_queues *saved)
{
	struct fifo_vcpu *vcpu = &fifo->vcpus[id];
	u32 offset = saved->offset;
	int err;

	if (!saved->flags)
		return memchr_inv(saved, 0, sizeof(*saved)) ? -EINVAL : 0;
	if (saved->flags != RF_SAVED_CONTROL || !control_offset_ok(&offset) ||
	    !rf_evtchn_vcpu(evtchns, id))
		return -EINVAL;
	err = fifo_load_page(evtchns->vm, saved->pfn, &vcpu->page);
	if (err)
		return err;
	vcpu->gfn = RF_GFN(saved->pfn);
	vcpu->control = page_address(vcpu->page) + offset;
	memcpy(vcpu->tail, saved->tail, sizeof(vcpu->tail));
	return 0;
}

/* Each tail is a port that has a word, and the tail of one queue only. */
static bool fifo_tails_ok(const struct rf_fifo *fifo)
{
	DECLARE_BITMAP(seen, RF_MAX_PORTS) = {};
	u32 i, q;

	for (i = 0; i < RF_MAX_VCPUS; i++)
		for (q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
			u32 tail = fifo->vcpus[i].tail[q];

			if (!tail)
				continue;
			if (tail >= RF_MAX_PORTS || !fifo_word(fifo, tail) ||
			    __test_and_set_bit(tail, seen))
				return false;
		}
	return true;
}

/* Whose tail a port is; of no other port does it matter where it was. */
static void fifo_use_tails(struct rf_evtchns *evtchns)
{
	u32 i, q;

	for (i = 0; i < RF_MAX_VCPUS; i++)
		for (q = 0; q < EVTCHN_FIFO_MAX_QUEUES; q++) {
			u32 tail = evtchns->fifo->vcpus[i].tail[q];

			if (!tail)
				continue;
			evtchns->ports[tail].queue_vcpu = i;
			evtchns->ports[tail].queue_priority = q;
		}
}

static int fifo_use(struct rf_evtchns *evtchns, struct rf_fifo *fifo)
{
	int err = -EBUSY;

	spin_lock_irq(&evtchns->lock);
	if (!evtchns->fifo) {
		evtchns->fifo = fifo;
		fifo_use_tails(evtchns);
		err = 0;
	}
	spin_unlock_irq(&evtchns->lock);
	return err;
}

int rf_fifo_load(struct rf_evtchns *evtchns, const struct rf_saved_fifo *saved)
{
	struct rf_fifo *fifo;
	int err;
	u32 i;

	BUILD_BUG_ON(MAX_PAGES != RF_SAVED_FIFO_PAGES);
	BUILD_BUG_ON(EVTCHN_FIFO_MAX_QUEUES != RF_SAVED_FIFO_QUEUES);

	if (saved->flags & ~RF_SAVED_FIFO_ON)
		return -EINVAL;
	if (!saved->flags)
		return 0;
	fifo = kvzalloc(sizeof(*fifo), GFP_KERNEL_ACCOUNT);
	if (!fifo)
		return -ENOMEM;

	err = fifo_load_pages(evtchns->vm, fifo, saved);
	for (i = 0; i < RF_MAX_VCPUS && !err; i++)
		err = fifo_load_vcpu(evtchns, fifo, i, &saved->queues[i]);
	if (!err && !fifo_tails_ok(fifo))
		err = -EINVAL;
	if (!err)
		err = fifo_use(evtchns, fifo);
	if (err)
		fifo_free(fifo);
	return err;
}
