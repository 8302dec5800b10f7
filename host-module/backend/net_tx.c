// SPDX-License-Identifier: GPL-2.0
/*
 * net_tx.c - what a guest sends
 *
 * A packet is copied when the doorbell rings, and the buffer is the guest's
 * again before anybody on the host has seen the packet.  The host's network
 * takes the copies in the vCPU's context, some at a time.
 */
#include <linux/sched.h>
#include <linux/sched/signal.h>

#include "net.h"

/* Handed on at once, with bottom halves off. */
#define AT_ONCE		64

/* As much of a packet is in one piece at its beginning; headers are. */
#define LINEAR		256
#define MAX_LINEAR	SKB_WITH_OVERHEAD(4096 - NET_SKB_PAD - NET_IP_ALIGN)

/* Does the header ask for no more than the features that were agreed on? */
static bool header_ok(const struct rf_device *dev, const struct virtio_net_hdr *hdr)
{
	u8 flags = hdr->flags & ~VIRTIO_NET_HDR_F_DATA_VALID;

	if (flags & ~VIRTIO_NET_HDR_F_NEEDS_CSUM)
		return false;
	if (flags && !rf_device_has(dev, VIRTIO_NET_F_CSUM))
		return false;
	switch (hdr->gso_type) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return flags && rf_device_has(dev, VIRTIO_NET_F_HOST_TSO4);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return flags && rf_device_has(dev, VIRTIO_NET_F_HOST_TSO6);
	default:
		return false;
	}
}

static struct sk_buff *packet_alloc(u32 len)
{
	u32 linear = len <= MAX_LINEAR ? len : LINEAR;
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear, len - linear,
				   PAGE_ALLOC_COSTLY_ORDER, &err, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len += len - linear;
	return skb;
}

static int packet_fill(struct rf_device *dev, const struct rf_chain *chain, struct sk_buff *skb)
{
	u32 at = RF_NET_HEADER, i;
	int err;

	err = rf_chain_read(dev->vm, chain, at, skb->data, skb_headlen(skb));
	at += skb_headlen(skb);
	for (i = 0; !err && i < skb_shinfo(skb)->nr_frags; i++) {
		const skb_frag_t *frag = &skb_shinfo(skb)->frags[i];

		err = rf_chain_read(dev->vm, chain, at, skb_frag_address(frag),
				    skb_frag_size(frag));
		at += skb_frag_size(frag);
	}
	return err;
}

/* A request as a packet, its header in @cb; NULL if it is none. */
static struct sk_buff *packet_take(struct rf_device *dev, const struct rf_chain *chain)
{
	struct virtio_net_hdr hdr;
	struct sk_buff *skb;
	u32 len;

	if (chain->read_len < RF_NET_HEADER + ETH_HLEN ||
	    chain->read_len > RF_NET_HEADER + RF_NET_MAX_FRAME)
		return NULL;
	if (rf_chain_read(dev->vm, chain, 0, &hdr, sizeof(hdr)) || !header_ok(dev, &hdr))
		return NULL;
	len = chain->read_len - RF_NET_HEADER;
	skb = packet_alloc(len);
	if (!skb)
		return NULL;
	if (packet_fill(dev, chain, skb)) {
		kfree_skb(skb);
		return NULL;
	}
	BUILD_BUG_ON(sizeof(hdr) > sizeof(skb->cb));
	memcpy(skb->cb, &hdr, sizeof(hdr));
	atomic64_add(len, &dev->written_bytes);
	return skb;
}

static u32 packets_take(struct rf_net *net, struct rf_queue *q, struct list_head *packets)
{
	struct rf_chain *chain = &net->chains[q->index];
	u32 nr;

	for (nr = 0; nr < AT_ONCE && rf_queue_next(q, chain) > 0; nr++) {
		struct sk_buff *skb = packet_take(&net->dev, chain);

		rf_queue_finish(q, chain->head, 0);
		if (skb)
			list_add_tail(&skb->list, packets);
		else
			atomic64_inc(&net->dev.errors);
	}
	return nr;
}

void rf_tx_serve(struct rf_net *net, struct rf_queue *q, u32 pair)
{
	LIST_HEAD(packets);
	u32 nr;

	do {
		nr = packets_take(net, q, &packets);
		atomic64_add(rf_nic_receive(net->nic, &packets, pair), &net->dev.errors);
		cond_resched();
	} while (nr == AT_ONCE && !fatal_signal_pending(current));
}
