/* SPDX-License-Identifier: GPL-2.0 */
/*
 * nic.h - an interface of the host's whose other end is a guest's
 *
 *	descriptor, VM --> struct rf_nic <--> struct net_device
 *
 * The interface may go at any time (somebody deletes it, its namespace ends),
 * and so may the guest; what is between the two stays until both have gone.
 * Nobody who holds a lock of a VM's takes the host's rtnl lock, and nobody who
 * holds that waits for a guest.
 */
#ifndef RF_NIC_H
#define RF_NIC_H

#include <linux/etherdevice.h>
#include <linux/kref.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "../../uapi/ringfence.h"

struct file;
struct rf_queue;
struct rf_rx_buffer;
struct rf_used;

/**
 * struct rf_nic_rx - the way of packets from the host to a queue of the guest's
 * @lock: All of it; bottom halves off
 * @nic: The interface
 * @txq: The host's queue, stopped while the guest has no room; NULL: none any more
 * @q: The guest's, NULL: closed, packets are dropped
 * @mergeable: A packet may take several buffers
 * @buffers: Posted by the guest, a ring of @q->num
 * @used: Room to give as many back at once
 * @first: The next one to be filled
 * @nr: How many there are
 * @len: Bytes of them
 * @nr_pages: Held for them
 * @starved: There are more to be had, which nobody has taken yet
 * @stopped: @txq is stopped
 * @stalled: The guest has not made room for a while: packets are dropped
 * @timer: Turns the one into the other
 */
struct rf_nic_rx {
	spinlock_t lock;		/* all of it */
	struct rf_nic *nic;
	struct netdev_queue *txq;
	struct rf_queue *q;
	bool mergeable;
	struct rf_rx_buffer *buffers;
	struct rf_used *used;
	u32 first;
	u32 nr;
	u32 len;
	u32 nr_pages;
	bool starved;
	bool stopped;
	bool stalled;
	struct timer_list timer;
};

/**
 * struct rf_nic - the interface
 * @ref: Its descriptor, its net_device
 * @netdev: NULL when it is gone; rtnl lock or RCU
 * @mac: Of the guest's end
 * @lock_mac: Frames from another address are dropped
 * @nr_pairs: Of queues
 * @active_pairs: Of them the guest uses so many
 * @offloads: NETIF_F_* that the guest can do with
 * @lock: What follows
 * @attached: A VM has it
 * @link_work: To be queued when the interface goes up or down, or NULL
 * @rx: One a pair
 */
struct rf_nic {
	struct kref ref;
	struct net_device __rcu *netdev;
	u8 mac[ETH_ALEN];
	bool lock_mac;
	u32 nr_pairs;
	u32 active_pairs;
	netdev_features_t offloads;

	spinlock_t lock;		/* whose it is */
	bool attached;
	struct work_struct *link_work;

	struct rf_nic_rx rx[];
};

/* --- nic.c ------------------------------------------------------------------------- */

/* What is behind a descriptor: for one VM at a time.  ERR_PTR(-EBADF, -EBUSY). */
struct rf_nic *rf_nic_attach(int fd, struct file **file);

/* @link_work is not queued any more, but may still run. */
void rf_nic_detach(struct rf_nic *nic);

/* From now on the VM hears of it when the interface goes up or down. */
void rf_nic_watch_link(struct rf_nic *nic, struct work_struct *link_work);
bool rf_nic_is_up(struct rf_nic *nic);
u32 rf_nic_mtu(struct rf_nic *nic);

/* The guest has a driver, or none any more: does the cable end somewhere? */
void rf_nic_set_carrier(struct rf_nic *nic, bool on);

/**
 * rf_nic_receive() - The guest has sent packets
 * @nic: The interface
 * @packets: sk_buffs with the Ethernet header first, and the guest's struct
 *	virtio_net_hdr in @cb; empty afterwards
 * @queue: Of which pair
 *
 * Return: how many were no packets that the host can do with.
 */
u32 rf_nic_receive(struct rf_nic *nic, struct list_head *packets, u32 queue);

/* --- net_rx.c ---------------------------------------------------------------------- */

void rf_rx_init(struct rf_nic *nic, struct rf_nic_rx *rx);

/* The interface is there, and goes. */
void rf_rx_bind(struct rf_nic_rx *rx, struct netdev_queue *txq);
void rf_rx_unbind(struct rf_nic_rx *rx);

/* It goes up: nothing is stopped. */
void rf_rx_up(struct rf_nic_rx *rx);

/* The guest's queue, or none: what it has posted is given back, empty. */
int rf_rx_open(struct rf_nic_rx *rx, struct rf_queue *q, bool mergeable);
void rf_rx_close(struct rf_nic_rx *rx);

/* A packet for the guest, in its sender's context; as ndo_start_xmit. */
netdev_tx_t rf_rx_send(struct rf_nic_rx *rx, struct sk_buff *skb);

#endif /* RF_NIC_H */
