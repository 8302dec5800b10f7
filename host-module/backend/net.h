/* SPDX-License-Identifier: GPL-2.0 */
/*
 * net.h - what the files of the network device share
 *
 *	net_tx.c  ring -> sk_buff -> nic.c -> the host's network
 *	net_rx.c  ring <- buffers <- sk_buff <- nic.c <- the host's network
 */
#ifndef RF_NET_H
#define RF_NET_H

#include <linux/compiler.h>
#include <linux/if_vlan.h>
#include <linux/workqueue.h>

#include <uapi/linux/virtio_net.h>

#include "backend.h"
#include "nic.h"

/* A device of version 1 has no shorter header, whatever else was agreed on. */
#define RF_NET_HEADER	sizeof(struct virtio_net_hdr_v1)

/* The longest frame that there is, segmentation by the other end included. */
#define RF_NET_MAX_FRAME	(65536 + VLAN_ETH_HLEN)

/**
 * struct rf_net - a network device in a slot
 * @dev: Device
 * @nic: The host's end
 * @file: Keeps it
 * @link_work: Tells the guest whether the host's end is up
 * @chains: The request at hand, one a queue; its serve_lock
 */
struct rf_net {
	struct rf_device dev;
	struct rf_nic *nic;
	struct file *file;
	struct work_struct link_work;
	struct rf_chain *chains;
};

static inline struct rf_net *rf_net_of(struct rf_device *dev)
{
	return container_of(dev, struct rf_net, dev);
}

/* net_tx.c: serve() of a queue by which the guest sends; of @pair. */
void rf_tx_serve(struct rf_net *net, struct rf_queue *q, u32 pair);

/* net_rx.c: serve() of a queue of buffers. */
void rf_rx_serve(struct rf_net *net, struct rf_queue *q, struct rf_nic_rx *rx);

#endif /* RF_NET_H */
