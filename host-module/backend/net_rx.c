// SPDX-License-Identifier: GPL-2.0
/*
 * net_rx.c - what a guest receives
 *
 *	doorbell -> rf_rx_serve(): buffers taken, their pages held
 *	host     -> rf_rx_send(): packet copied into them, event raised
 *
 * Whoever sends may not sleep, and is in another address space.  So the pages of
 * a buffer are looked up when the guest posts it and held until it is filled:
 * a packet is copied once, by its sender, and is there when the send returns.
 *
 * While the guest has no room the host's queue is stopped, as a card's is whose
 * ring is full; but not for long, for a packet may be dear to its sender.  A
 * guest that has not made room by then loses packets until it does.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_net.h>

#include "../vm.h"
#include "net.h"

/* Held for one queue. */
#define MAX_PAGES	1024

/* How long packets wait for a guest. */
#define STALL_AFTER	HZ

/* Pages of what most drivers post. */
#define FEW_BVECS	3

/* Of a buffer, so much is used at most. */
#define MAX_BUFFER	(RF_NET_HEADER + RF_NET_MAX_FRAME)

/**
 * struct rf_rx_buffer - posted by the guest
 * @head: By which it is given back
 * @len: Bytes
 * @nr_bvecs: Pages of it
 * @bvecs: @few, or allocated
 * @few: Room for few of them
 */
struct rf_rx_buffer {
	u16 head;
	u32 len;
	u32 nr_bvecs;
	struct bio_vec *bvecs;
	struct bio_vec few[FEW_BVECS];
};

/* The @i-th that is posted. */
static struct rf_rx_buffer *buffer_at(struct rf_nic_rx *rx, u32 i)
{
	return &rx->buffers[(rx->first + i) & (rx->q->num - 1)];
}

static void buffer_release(struct rf_rx_buffer *buffer, bool dirty)
{
	rf_bvecs_unpin(buffer->bvecs, buffer->nr_bvecs, dirty);
	if (buffer->bvecs != buffer->few)
		kfree(buffer->bvecs);
}

/* --- stopping and waking ------------------------------------------------------------- */

static void rx_wake(struct rf_nic_rx *rx)
{
	lockdep_assert_held(&rx->lock);

	if (!rx->stopped)
		return;
	rx->stopped = false;
	if (rx->txq)
		netif_tx_wake_queue(rx->txq);
}

static void rx_stall(struct timer_list *timer)
{
	struct rf_nic_rx *rx = container_of(timer, struct rf_nic_rx, timer);

	spin_lock(&rx->lock);
	if (rx->stopped) {
		rx->stalled = true;
		rx_wake(rx);
	}
	spin_unlock(&rx->lock);
}

static void rx_stop(struct rf_nic_rx *rx)
{
	lockdep_assert_held(&rx->lock);

	rx->stopped = true;
	netif_tx_stop_queue(rx->txq);
	mod_timer(&rx->timer, jiffies + STALL_AFTER);
}

void rf_rx_init(struct rf_nic *nic, struct rf_nic_rx *rx)
{
	rx->nic = nic;
	spin_lock_init(&rx->lock);
	timer_setup(&rx->timer, rx_stall, 0);
}

void rf_rx_bind(struct rf_nic_rx *rx, struct netdev_queue *txq)
{
	spin_lock_bh(&rx->lock);
	rx->txq = txq;
	spin_unlock_bh(&rx->lock);
}

void rf_rx_unbind(struct rf_nic_rx *rx)
{
	rf_rx_bind(rx, NULL);
	del_timer_sync(&rx->timer);
}

void rf_rx_up(struct rf_nic_rx *rx)
{
	spin_lock_bh(&rx->lock);
	rx->stopped = false;
	spin_unlock_bh(&rx->lock);
}

/* --- buffers ------------------------------------------------------------------------- */

/* Where the host's file system keeps track of pages, it is to know beforehand. */
static void buffer_dirty(struct rf_rx_buffer *buffer)
{
	u32 i;

	for (i = 0; i < buffer->nr_bvecs; i++)
		if (!PageDirty(buffer->bvecs[i].bv_page))
			set_page_dirty_lock(buffer->bvecs[i].bv_page);
}

static int buffer_make(struct rf_net *net, const struct rf_chain *chain,
		       struct rf_rx_buffer *buffer)
{
	u32 len = min_t(u32, chain->write_len, MAX_BUFFER);
	u32 max = chain->nr + (len >> PAGE_SHIFT) + 1;
	int nr;

	if (chain->read_len || len < RF_NET_HEADER)
		return -EINVAL;
	*buffer = (struct rf_rx_buffer) {
		.head = chain->head, .len = len, .bvecs = buffer->few,
	};
	if (max > FEW_BVECS)
		buffer->bvecs = kmalloc_array(max, sizeof(*buffer->bvecs), GFP_KERNEL_ACCOUNT);
	if (!buffer->bvecs)
		return -ENOMEM;
	nr = rf_chain_hold(net->dev.vm, chain, len, buffer->bvecs, max);
	if (nr < 0) {
		if (buffer->bvecs != buffer->few)
			kfree(buffer->bvecs);
		return nr;
	}
	buffer->nr_bvecs = nr;
	buffer_dirty(buffer);
	return 0;
}

/* A slot of the ring that nobody else writes to is filled; now it is posted. */
static void buffer_post(struct rf_nic_rx *rx, const struct rf_rx_buffer *buffer)
{
	spin_lock_bh(&rx->lock);
	rx->nr++;
	rx->len += buffer->len;
	rx->nr_pages += buffer->nr_bvecs;
	spin_unlock_bh(&rx->lock);
}

/* Where the next one goes; NULL if there are as many as may be held. */
static struct rf_rx_buffer *buffer_room(struct rf_nic_rx *rx)
{
	struct rf_rx_buffer *buffer = NULL;

	spin_lock_bh(&rx->lock);
	rx->starved = rx->nr == rx->q->num || rx->nr_pages >= MAX_PAGES;
	if (!rx->starved)
		buffer = buffer_at(rx, rx->nr);
	spin_unlock_bh(&rx->lock);
	return buffer;
}

static void buffers_take(struct rf_net *net, struct rf_queue *q, struct rf_nic_rx *rx)
{
	struct rf_chain *chain = &net->chains[q->index];
	struct rf_rx_buffer *buffer;
	int err;

	while ((buffer = buffer_room(rx)) && rf_queue_next(q, chain) > 0) {
		err = buffer_make(net, chain, buffer);
		if (!err) {
			buffer_post(rx, buffer);
			continue;
		}
		atomic64_inc(&net->dev.errors);
		rf_queue_finish(q, chain->head, 0);
		if (err == -ENOMEM)
			continue;
		/* No buffer, or none of the guest's memory. */
		rf_device_broken(&net->dev);
		return;
	}
}

/* Only it puts buffers into the ring: q->serve_lock is held. */
void rf_rx_serve(struct rf_net *net, struct rf_queue *q, struct rf_nic_rx *rx)
{
	/* Open, unless the guest has set up only half a pair. */
	if (READ_ONCE(rx->q) != q)
		return;
	buffers_take(net, q, rx);
	spin_lock_bh(&rx->lock);
	rx->stalled = false;
	rx_wake(rx);
	spin_unlock_bh(&rx->lock);
}

int rf_rx_open(struct rf_nic_rx *rx, struct rf_queue *q, bool mergeable)
{
	struct rf_rx_buffer *buffers;
	struct rf_used *used;

	buffers = kvcalloc(q->num, sizeof(*buffers), GFP_KERNEL_ACCOUNT);
	used = kvcalloc(q->num, sizeof(*used), GFP_KERNEL_ACCOUNT);
	if (!buffers || !used) {
		kvfree(buffers);
		kvfree(used);
		return -ENOMEM;
	}
	spin_lock_bh(&rx->lock);
	rx->buffers = buffers;
	rx->used = used;
	rx->first = 0;
	rx->nr = 0;
	rx->len = 0;
	rx->nr_pages = 0;
	rx->starved = false;
	rx->stalled = false;
	rx->mergeable = mergeable;
	rx->q = q;
	spin_unlock_bh(&rx->lock);
	return 0;
}

/* Nobody serves the queue; when it is out of sight, nobody fills a buffer either. */
void rf_rx_close(struct rf_nic_rx *rx)
{
	struct rf_queue *q = rx->q;
	u32 i;

	if (!q)
		return;
	spin_lock_bh(&rx->lock);
	rx->q = NULL;
	rx_wake(rx);
	spin_unlock_bh(&rx->lock);

	for (i = 0; i < rx->nr; i++) {
		struct rf_rx_buffer *buffer = &rx->buffers[(rx->first + i) & (q->num - 1)];

		buffer_release(buffer, false);
		rf_queue_finish(q, buffer->head, 0);
	}
	kvfree(rx->buffers);
	kvfree(rx->used);
	rx->buffers = NULL;
	rx->used = NULL;
}

/* --- filling them -------------------------------------------------------------------- */

/* @len bytes at @at of a buffer, from a packet at @offset, or from @src. */
static int buffer_fill(const struct rf_rx_buffer *buffer, u32 at, const struct sk_buff *skb,
		       u32 offset, const void *src, u32 len)
{
	const struct bio_vec *bvec = buffer->bvecs;
	u32 now;

	for (; len; len -= now, offset += now, at = 0, bvec++) {
		void *to;

		for (; at >= bvec->bv_len; bvec++)
			at -= bvec->bv_len;
		to = page_address(bvec->bv_page) + bvec->bv_offset + at;
		now = min(len, bvec->bv_len - at);
		if (src)
			memcpy(to, src + offset, now);
		else if (skb_copy_bits(skb, offset, to, now))
			return -EFAULT;
	}
	return 0;
}

/* How many buffers @need bytes take; 0: more than there are. */
static u32 buffers_for(struct rf_nic_rx *rx, u32 need)
{
	u32 nr, len;

	if (!rx->mergeable)
		return rx->nr ? 1 : 0;
	if (rx->len < need)
		return 0;
	for (nr = 0, len = 0; nr < rx->nr && len < need; nr++)
		len += buffer_at(rx, nr)->len;
	return nr;
}

static int header_make(struct rf_nic_rx *rx, const struct sk_buff *skb, u32 nr,
		       struct virtio_net_hdr_v1 *hdr)
{
	bool csum = rf_device_has(rx->q->dev, VIRTIO_NET_F_GUEST_CSUM);
	int err;

	err = virtio_net_hdr_from_skb(skb, (struct virtio_net_hdr *)hdr, true, csum, 0);
	hdr->num_buffers = __cpu_to_virtio16(true, nr);
	return err;
}

/* The packet and its header into the first @nr buffers, as far as they go. */
static int packet_copy(struct rf_nic_rx *rx, const struct sk_buff *skb, u32 nr)
{
	u32 offset = 0, skip = RF_NET_HEADER, now, i;
	struct virtio_net_hdr_v1 hdr;
	int err;

	err = header_make(rx, skb, nr, &hdr);
	if (!err)
		err = buffer_fill(buffer_at(rx, 0), 0, NULL, 0, &hdr, sizeof(hdr));
	for (i = 0; !err && i < nr; i++, skip = 0, offset += now) {
		const struct rf_rx_buffer *buffer = buffer_at(rx, i);

		now = min(buffer->len - skip, skb->len - offset);
		err = buffer_fill(buffer, skip, skb, offset, NULL, now);
		rx->used[i] = (struct rf_used) { .head = buffer->head, .written = skip + now };
	}
	return err;
}

static void buffers_give(struct rf_nic_rx *rx, u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		struct rf_rx_buffer *buffer = buffer_at(rx, i);

		rx->len -= buffer->len;
		rx->nr_pages -= buffer->nr_bvecs;
		buffer_release(buffer, true);
	}
	rx->first += nr;
	rx->nr -= nr;
	rf_queue_finish_all(rx->q, rx->used, nr);
	/* The guest does not ring again for those it has posted before. */
	if (rx->starved && rx->nr_pages < MAX_PAGES / 2 && rx->nr <= rx->q->num / 2) {
		rx->starved = false;
		rf_queue_serve_later(rx->q, 0);
	}
}

/* What the interface has been told of the guest may be a moment old. */
static bool packet_ok(struct rf_nic_rx *rx, struct sk_buff *skb)
{
	const struct rf_device *dev = rx->q->dev;

	if (READ_ONCE(dev->broken))
		return false;
	if (skb_is_gso(skb) &&
	    !rf_device_has(dev, skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4 ?
			   VIRTIO_NET_F_GUEST_TSO4 : VIRTIO_NET_F_GUEST_TSO6))
		return false;
	return skb->ip_summed != CHECKSUM_PARTIAL ||
	       rf_device_has(dev, VIRTIO_NET_F_GUEST_CSUM) || !skb_checksum_help(skb);
}

/* Return: 0, -EBUSY if it has to wait, or -EIO if the guest cannot have it. */
static int rx_put(struct rf_nic_rx *rx, struct sk_buff *skb)
{
	u32 need = RF_NET_HEADER + skb->len, nr;

	if (!rx->q || !packet_ok(rx, skb))
		return -EIO;
	nr = buffers_for(rx, need);
	if (!nr)
		return rx->stalled || rx->nr == rx->q->num ? -EIO : -EBUSY;
	if (!rx->mergeable && buffer_at(rx, 0)->len < need)
		return -EIO;
	if (packet_copy(rx, skb, nr))
		return -EIO;
	buffers_give(rx, nr);
	atomic64_add(skb->len, &rx->q->dev->read_bytes);
	return 0;
}

netdev_tx_t rf_rx_send(struct rf_nic_rx *rx, struct sk_buff *skb)
{
	struct net_device *netdev = skb->dev;
	u32 len = skb->len;
	int err;

	spin_lock(&rx->lock);
	err = rx_put(rx, skb);
	if (err == -EBUSY)
		rx_stop(rx);
	if (rx->q && (err || !netdev_xmit_more()))
		rf_queue_signal(rx->q);
	spin_unlock(&rx->lock);

	if (err == -EBUSY)
		return NETDEV_TX_BUSY;
	if (err) {
		dev_core_stats_tx_dropped_inc(netdev);
		kfree_skb(skb);
	} else {
		dev_sw_netstats_tx_add(netdev, 1, len);
		consume_skb(skb);
	}
	return NETDEV_TX_OK;
}
