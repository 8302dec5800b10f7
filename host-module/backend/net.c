// SPDX-License-Identifier: GPL-2.0
/*
 * net.c - network device (virtio specification 1.2, section 5.1)
 *
 *	queue 0, 2, 4, ...	buffers to receive into		net_rx.c
 *	queue 1, 3, 5, ...	packets to send			net_tx.c
 *	the one after these	control: how many pairs are used
 */
#include <linux/etherdevice.h>
#include <linux/file.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio_byteorder.h>

#include <uapi/linux/virtio_ids.h>

#include "net.h"

#define DEFAULT_QUEUE_NUM	256
#define MIN_QUEUE_NUM		16

/* --- queues -------------------------------------------------------------------------- */

/* Pairs there are for this driver. */
static u32 net_pairs(const struct rf_net *net)
{
	return rf_device_has(&net->dev, VIRTIO_NET_F_MQ) ? net->nic->nr_pairs : 1;
}

static u8 control_pairs(struct rf_net *net, const struct rf_chain *chain, u32 offset)
{
	struct virtio_net_ctrl_mq mq;
	u32 pairs;

	if (!rf_device_has(&net->dev, VIRTIO_NET_F_MQ) ||
	    chain->read_len != offset + sizeof(mq) ||
	    rf_chain_read(net->dev.vm, chain, offset, &mq, sizeof(mq)))
		return VIRTIO_NET_ERR;
	pairs = __virtio16_to_cpu(true, mq.virtqueue_pairs);
	if (!pairs || pairs > net->nic->nr_pairs)
		return VIRTIO_NET_ERR;
	WRITE_ONCE(net->nic->active_pairs, pairs);
	return VIRTIO_NET_OK;
}

static u8 control(struct rf_net *net, const struct rf_chain *chain)
{
	struct virtio_net_ctrl_hdr hdr;

	if (chain->read_len < sizeof(hdr) ||
	    rf_chain_read(net->dev.vm, chain, 0, &hdr, sizeof(hdr)))
		return VIRTIO_NET_ERR;
	if (hdr.class == VIRTIO_NET_CTRL_MQ && hdr.cmd == VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET)
		return control_pairs(net, chain, sizeof(hdr));
	return VIRTIO_NET_ERR;
}

static void control_serve(struct rf_net *net, struct rf_queue *q)
{
	struct rf_chain *chain = &net->chains[q->index];

	while (rf_queue_next(q, chain) > 0) {
		u8 ack = control(net, chain);
		bool told = !rf_chain_write(net->dev.vm, chain, 0, &ack, sizeof(ack));

		if (!told || ack != VIRTIO_NET_OK)
			atomic64_inc(&net->dev.errors);
		rf_queue_finish(q, chain->head, told ? sizeof(ack) : 0);
	}
}

static void net_serve(struct rf_queue *q)
{
	struct rf_net *net = rf_net_of(q->dev);
	u32 pairs = net_pairs(net), pair = q->index / 2;

	if (READ_ONCE(q->dev->broken))
		return;
	if (pair >= pairs) {
		if (q->index == 2 * pairs && rf_device_has(q->dev, VIRTIO_NET_F_CTRL_VQ))
			control_serve(net, q);
		return;
	}
	pair = array_index_nospec(pair, pairs);
	if (q->index % 2)
		rf_tx_serve(net, q, pair);
	else
		rf_rx_serve(net, q, &net->nic->rx[pair]);
}

/* --- start and stop ------------------------------------------------------------------ */

static void net_close(struct rf_net *net)
{
	u32 i;

	rf_nic_set_carrier(net->nic, false);
	for (i = 0; i < net->nic->nr_pairs; i++)
		rf_rx_close(&net->nic->rx[i]);
}

static netdev_features_t guest_offloads(const struct rf_device *dev)
{
	netdev_features_t offloads = 0;

	/* Whoever cannot add up cannot be given what is to be cut up either. */
	if (!rf_device_has(dev, VIRTIO_NET_F_GUEST_CSUM))
		return 0;
	offloads |= NETIF_F_HW_CSUM;
	if (rf_device_has(dev, VIRTIO_NET_F_GUEST_TSO4))
		offloads |= NETIF_F_TSO;
	if (rf_device_has(dev, VIRTIO_NET_F_GUEST_TSO6))
		offloads |= NETIF_F_TSO6;
	return offloads;
}

static int net_start(struct rf_device *dev)
{
	bool mergeable = rf_device_has(dev, VIRTIO_NET_F_MRG_RXBUF);
	struct rf_net *net = rf_net_of(dev);
	struct rf_nic *nic = net->nic;
	int err = 0;
	u32 i;

	for (i = 0; !err && i < net_pairs(net); i++)
		if (dev->queues[2 * i].num)
			err = rf_rx_open(&nic->rx[i], &dev->queues[2 * i], mergeable);
	if (err) {
		net_close(net);
		return err;
	}
	WRITE_ONCE(nic->active_pairs, 1);
	WRITE_ONCE(nic->offloads, guest_offloads(dev));
	rf_nic_set_carrier(nic, true);
	return 0;
}

static void net_stop(struct rf_device *dev)
{
	net_close(rf_net_of(dev));
}

static void net_destroy(struct rf_device *dev)
{
	struct rf_net *net = rf_net_of(dev);

	if (net->nic) {
		rf_nic_detach(net->nic);
		cancel_work_sync(&net->link_work);
		/* Its last user, in a context where the host may be waited for. */
		fput(net->file);
	}
	kvfree(net->chains);
	rf_device_free_queues(dev);
	kfree(net);
}

static const struct rf_device_ops net_ops = {
	.start		= net_start,
	.stop		= net_stop,
	.serve		= net_serve,
	.destroy	= net_destroy,
};

/* --- adding -------------------------------------------------------------------------- */

static void link_work(struct work_struct *work)
{
	struct rf_net *net = container_of(work, struct rf_net, link_work);
	bool up = rf_nic_is_up(net->nic);
	__virtio16 status = __cpu_to_virtio16(true, up ? VIRTIO_NET_S_LINK_UP : 0);

	rf_device_set_config(&net->dev, offsetof(struct virtio_net_config, status), &status,
			     sizeof(status));
}

static void set_config(struct rf_net *net)
{
	struct rf_device *dev = &net->dev;
	struct virtio_net_config config = {
		.max_virtqueue_pairs = __cpu_to_virtio16(true, net->nic->nr_pairs),
		.mtu	= __cpu_to_virtio16(true, rf_nic_mtu(net->nic)),
	};

	ether_addr_copy(config.mac, net->nic->mac);
	dev->config_len = offsetofend(struct virtio_net_config, mtu);
	memcpy(dev->config, &config, dev->config_len);

	dev->offered |= BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_MTU) |
			BIT_ULL(VIRTIO_NET_F_STATUS) | BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) |
			BIT_ULL(VIRTIO_NET_F_CSUM) | BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) |
			BIT_ULL(VIRTIO_NET_F_HOST_TSO4) | BIT_ULL(VIRTIO_NET_F_HOST_TSO6) |
			BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | BIT_ULL(VIRTIO_NET_F_GUEST_TSO6);
	if (net->nic->nr_pairs > 1)
		dev->offered |= BIT_ULL(VIRTIO_NET_F_MQ) | BIT_ULL(VIRTIO_NET_F_CTRL_VQ);
}

static int net_make(struct rf_net *net, struct rf_vm *vm, const struct rf_add_net *add)
{
	struct rf_nic *nic;
	u32 nr_queues;
	int err;

	INIT_WORK(&net->link_work, link_work);
	nic = rf_nic_attach(add->fd, &net->file);
	if (IS_ERR(nic))
		return PTR_ERR(nic);
	net->nic = nic;
	nr_queues = 2 * nic->nr_pairs + (nic->nr_pairs > 1);
	err = rf_device_init(&net->dev, vm, &net_ops, VIRTIO_ID_NET, nr_queues,
			     add->queue_num ?: DEFAULT_QUEUE_NUM);
	if (err)
		return err;
	net->chains = kvcalloc(nr_queues, sizeof(*net->chains), GFP_KERNEL_ACCOUNT);
	if (!net->chains)
		return -ENOMEM;
	set_config(net);
	rf_nic_watch_link(nic, &net->link_work);
	return 0;
}

int rf_net_add(struct rf_vm *vm, struct rf_add_net *add)
{
	struct rf_net *net;
	int ret;

	if (add->flags)
		return -EOPNOTSUPP;
	if (add->reserved || (add->queue_num && add->queue_num < MIN_QUEUE_NUM))
		return -EINVAL;
	net = kzalloc(sizeof(*net), GFP_KERNEL_ACCOUNT);
	if (!net)
		return -ENOMEM;
	ret = net_make(net, vm, add);
	if (!ret)
		ret = rf_bus_add(vm, &net->dev, false);
	if (ret < 0) {
		net_destroy(&net->dev);
		return ret;
	}
	add->slot = ret;
	return 0;
}
