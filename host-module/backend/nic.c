// SPDX-License-Identifier: GPL-2.0
/*
 * nic.c - an interface of the host's whose other end is a guest's
 *
 * To the host it is an interface as any other: bridges, routes, filters and
 * counters are the host's own.  What the host sends goes to net_rx.c in the
 * sender's context; what the guest sends comes from net_tx.c in the vCPU's.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/ethtool.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/nsproxy.h>
#include <linux/rtnetlink.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/virtio_net.h>
#include <net/net_namespace.h>
#include <net/rtnetlink.h>

#include "backend.h"
#include "nic.h"

#define OFFLOADS	(NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HIGHDMA | NETIF_F_HW_CSUM | \
			 NETIF_F_TSO | NETIF_F_TSO6)

/* Of these a guest says which it can do with, packet by packet. */
#define GUEST_OFFLOADS	(NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6)

static void nic_free(struct kref *ref)
{
	struct rf_nic *nic = container_of(ref, struct rf_nic, ref);

	kvfree(nic);
}

static void nic_put(struct rf_nic *nic)
{
	kref_put(&nic->ref, nic_free);
}

/* A net_device's own part. */
static struct rf_nic **nic_slot(struct net_device *netdev)
{
	return netdev_priv(netdev);
}

static struct rf_nic *nic_of(struct net_device *netdev)
{
	return *nic_slot(netdev);
}

/* --- as the host sees it ------------------------------------------------------------- */

static void link_changed(struct rf_nic *nic)
{
	spin_lock_bh(&nic->lock);
	if (nic->link_work)
		queue_work(system_unbound_wq, nic->link_work);
	spin_unlock_bh(&nic->lock);
}

static void netdev_destructor(struct net_device *netdev)
{
	free_percpu(netdev->tstats);
	nic_put(nic_of(netdev));
}

static int netdev_init(struct net_device *netdev)
{
	struct rf_nic *nic = nic_of(netdev);
	u32 i;

	netdev->tstats = netdev_alloc_pcpu_stats(struct pcpu_sw_netstats);
	if (!netdev->tstats)
		return -ENOMEM;
	/* From here on it is called, whatever becomes of the interface. */
	netdev->priv_destructor = netdev_destructor;
	kref_get(&nic->ref);
	for (i = 0; i < nic->nr_pairs; i++)
		rf_rx_bind(&nic->rx[i], netdev_get_tx_queue(netdev, i));
	rcu_assign_pointer(nic->netdev, netdev);
	return 0;
}

/* Before it is freed, all who found it by RCU are done with it. */
static void netdev_uninit(struct net_device *netdev)
{
	struct rf_nic *nic = nic_of(netdev);
	u32 i;

	RCU_INIT_POINTER(nic->netdev, NULL);
	for (i = 0; i < nic->nr_pairs; i++)
		rf_rx_unbind(&nic->rx[i]);
	link_changed(nic);
}

static int netdev_open(struct net_device *netdev)
{
	struct rf_nic *nic = nic_of(netdev);
	u32 i;

	for (i = 0; i < nic->nr_pairs; i++)
		rf_rx_up(&nic->rx[i]);
	netif_tx_start_all_queues(netdev);
	link_changed(nic);
	return 0;
}

static int netdev_stop(struct net_device *netdev)
{
	netif_tx_stop_all_queues(netdev);
	link_changed(nic_of(netdev));
	return 0;
}

static u16 netdev_select_queue(struct net_device *netdev, struct sk_buff *skb,
			       struct net_device *sb_dev)
{
	u32 pairs = READ_ONCE(nic_of(netdev)->active_pairs);

	return pairs > 1 ? reciprocal_scale(skb_get_hash(skb), pairs) : 0;
}

/* For what the guest cannot do with, the host cuts it up and adds it up itself. */
static netdev_features_t netdev_features_check(struct sk_buff *skb, struct net_device *netdev,
					       netdev_features_t features)
{
	return features & (~GUEST_OFFLOADS | READ_ONCE(nic_of(netdev)->offloads));
}

static netdev_tx_t netdev_start_xmit_to_guest(struct sk_buff *skb, struct net_device *netdev)
{
	return rf_rx_send(&nic_of(netdev)->rx[skb_get_queue_mapping(skb)], skb);
}

static const struct net_device_ops netdev_ops = {
	.ndo_init		= netdev_init,
	.ndo_uninit		= netdev_uninit,
	.ndo_open		= netdev_open,
	.ndo_stop		= netdev_stop,
	.ndo_start_xmit		= netdev_start_xmit_to_guest,
	.ndo_select_queue	= netdev_select_queue,
	.ndo_features_check	= netdev_features_check,
	.ndo_get_stats64	= dev_get_tstats64,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

static const struct ethtool_ops netdev_ethtool_ops = {
	.get_link		= ethtool_op_get_link,
};

/*
 * By these the interface may be deleted by anybody with the right to, and goes
 * with its namespace.  It is made by RF_CREATE_NIC alone.
 */
static struct rtnl_link_ops link_ops __read_mostly = {
	.kind		= "ringfence",
	.dellink	= unregister_netdevice_queue,
};

int rf_nic_init(void)
{
	return rtnl_link_register(&link_ops);
}

/* Waits for interfaces that somebody else is about to free. */
void rf_nic_exit(void)
{
	rtnl_link_unregister(&link_ops);
}

/* --- a descriptor -------------------------------------------------------------------- */

/* The interface goes, if it has not gone before. */
static void nic_delete(struct rf_nic *nic)
{
	struct net_device *netdev;

	rtnl_lock();
	netdev = rtnl_dereference(nic->netdev);
	if (netdev)
		unregister_netdevice(netdev);
	rtnl_unlock();
	nic_put(nic);
}

static int nic_release(struct inode *inode, struct file *file)
{
	nic_delete(file->private_data);
	return 0;
}

static const struct file_operations nic_fops = {
	.owner		= THIS_MODULE,
	.release	= nic_release,
	.llseek		= noop_llseek,
};

static void netdev_setup(struct net_device *netdev)
{
	ether_setup(netdev);
	netdev->netdev_ops = &netdev_ops;
	netdev->ethtool_ops = &netdev_ethtool_ops;
	netdev->rtnl_link_ops = &link_ops;
	netdev->needs_free_netdev = true;
	netdev->priv_flags |= IFF_LIVE_ADDR_CHANGE;
	netdev->min_mtu = ETH_MIN_MTU;
	netdev->max_mtu = ETH_MAX_MTU;
	netdev->features = OFFLOADS;
	netdev->hw_features = OFFLOADS & ~NETIF_F_HIGHDMA;
	netdev->vlan_features = OFFLOADS;
}

/* The host's end: like the guest's, but above those a bridge would take for its own. */
static void set_address(struct net_device *netdev, const struct rf_nic *nic)
{
	u8 mac[ETH_ALEN];

	ether_addr_copy(mac, nic->mac);
	mac[0] = mac[0] == 0xfe ? 0xfa : 0xfe;
	eth_hw_addr_set(netdev, mac);
}

static int nic_register(struct rf_nic *nic, struct rf_create_nic *create)
{
	unsigned char kind = strchr(create->name, '%') ? NET_NAME_ENUM : NET_NAME_USER;
	struct net_device *netdev;
	int err;

	netdev = alloc_netdev_mqs(sizeof(struct rf_nic *), create->name, kind, netdev_setup,
				  nic->nr_pairs, nic->nr_pairs);
	if (!netdev)
		return -ENOMEM;
	*nic_slot(netdev) = nic;
	dev_net_set(netdev, current->nsproxy->net_ns);
	netdev->mtu = create->mtu ?: ETH_DATA_LEN;
	set_address(netdev, nic);
	netif_carrier_off(netdev);

	rtnl_lock();
	err = register_netdevice(netdev);
	if (!err) {
		strscpy(create->name, netdev->name, sizeof(create->name));
		create->ifindex = netdev->ifindex;
	}
	rtnl_unlock();
	if (err)
		free_netdev(netdev);
	return err;
}

static int create_check(struct rf_create_nic *create)
{
	if (create->flags & ~RF_NIC_LOCK_MAC)
		return -EOPNOTSUPP;
	if (create->reserved || create->nr_pairs > RF_MAX_NIC_PAIRS)
		return -EINVAL;
	if (create->mtu && (create->mtu < ETH_MIN_MTU || create->mtu > ETH_MAX_MTU))
		return -EINVAL;
	if (!is_zero_ether_addr(create->mac) && !is_valid_ether_addr(create->mac))
		return -EINVAL;
	if (!create->name[0])
		strscpy(create->name, "rf%d", sizeof(create->name));
	if (strnlen(create->name, sizeof(create->name)) == sizeof(create->name) ||
	    !dev_valid_name(create->name))
		return -EINVAL;
	return 0;
}

static struct rf_nic *nic_make(struct rf_create_nic *create)
{
	u32 nr_pairs = create->nr_pairs ?: 1, i;
	struct rf_nic *nic;

	nic = kvzalloc(struct_size(nic, rx, nr_pairs), GFP_KERNEL_ACCOUNT);
	if (!nic)
		return NULL;
	kref_init(&nic->ref);
	spin_lock_init(&nic->lock);
	nic->nr_pairs = nr_pairs;
	nic->lock_mac = create->flags & RF_NIC_LOCK_MAC;
	if (is_zero_ether_addr(create->mac))
		eth_random_addr(create->mac);
	ether_addr_copy(nic->mac, create->mac);
	for (i = 0; i < nr_pairs; i++)
		rf_rx_init(nic, &nic->rx[i]);
	return nic;
}

int rf_nic_create(struct rf_create_nic *create)
{
	struct rf_nic *nic;
	int ret;

	ret = create_check(create);
	if (ret)
		return ret;
	if (!ns_capable(current->nsproxy->net_ns->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	nic = nic_make(create);
	if (!nic)
		return -ENOMEM;
	ret = nic_register(nic, create);
	if (ret) {
		nic_put(nic);
		return ret;
	}
	/* From here on whoever closes the descriptor is its end. */
	ret = anon_inode_getfd("ringfence-nic", &nic_fops, nic, O_RDWR | O_CLOEXEC);
	if (ret < 0)
		nic_delete(nic);
	return ret;
}

/* --- as a VM sees it ----------------------------------------------------------------- */

struct rf_nic *rf_nic_attach(int fd, struct file **file)
{
	struct rf_nic *nic;
	bool busy;

	*file = fget(fd);
	if (!*file)
		return ERR_PTR(-EBADF);
	if ((*file)->f_op != &nic_fops) {
		fput(*file);
		return ERR_PTR(-EBADF);
	}
	nic = (*file)->private_data;
	spin_lock_bh(&nic->lock);
	busy = nic->attached;
	nic->attached = true;
	spin_unlock_bh(&nic->lock);
	if (!busy)
		return nic;
	fput(*file);
	return ERR_PTR(-EBUSY);
}

void rf_nic_detach(struct rf_nic *nic)
{
	spin_lock_bh(&nic->lock);
	nic->link_work = NULL;
	nic->attached = false;
	spin_unlock_bh(&nic->lock);
}

void rf_nic_watch_link(struct rf_nic *nic, struct work_struct *link_work)
{
	spin_lock_bh(&nic->lock);
	nic->link_work = link_work;
	spin_unlock_bh(&nic->lock);
	link_changed(nic);
}

bool rf_nic_is_up(struct rf_nic *nic)
{
	struct net_device *netdev;
	bool up;

	rcu_read_lock();
	netdev = rcu_dereference(nic->netdev);
	up = netdev && (READ_ONCE(netdev->flags) & IFF_UP);
	rcu_read_unlock();
	return up;
}

u32 rf_nic_mtu(struct rf_nic *nic)
{
	struct net_device *netdev;
	u32 mtu;

	rcu_read_lock();
	netdev = rcu_dereference(nic->netdev);
	mtu = netdev ? READ_ONCE(netdev->mtu) : ETH_DATA_LEN;
	rcu_read_unlock();
	return mtu;
}

void rf_nic_set_carrier(struct rf_nic *nic, bool on)
{
	struct net_device *netdev;

	rcu_read_lock();
	netdev = rcu_dereference(nic->netdev);
	if (netdev && on)
		netif_carrier_on(netdev);
	else if (netdev)
		netif_carrier_off(netdev);
	rcu_read_unlock();
}

/* --- from the guest ------------------------------------------------------------------ */

/* Make a packet of the host's of it; false: it is none. */
static bool packet_set(struct rf_nic *nic, struct net_device *netdev, struct sk_buff *skb,
		       u32 queue)
{
	const struct virtio_net_hdr *hdr = (void *)skb->cb;

	skb->dev = netdev;
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	if (nic->lock_mac && !ether_addr_equal(eth_hdr(skb)->h_source, nic->mac))
		return false;
	if (virtio_net_hdr_to_skb(skb, hdr, true))
		return false;
	memset(skb->cb, 0, sizeof(*hdr));
	skb->protocol = eth_type_trans(skb, netdev);
	skb_reset_network_header(skb);
	skb_probe_transport_header(skb);
	skb_record_rx_queue(skb, queue);
	dev_sw_netstats_rx_add(netdev, skb->len + ETH_HLEN);
	return true;
}

u32 rf_nic_receive(struct rf_nic *nic, struct list_head *packets, u32 queue)
{
	struct net_device *netdev;
	struct sk_buff *skb, *next;
	u32 dropped = 0;

	local_bh_disable();
	rcu_read_lock();
	netdev = rcu_dereference(nic->netdev);
	if (netdev && !(READ_ONCE(netdev->flags) & IFF_UP))
		netdev = NULL;
	list_for_each_entry_safe(skb, next, packets, list) {
		if (netdev && packet_set(nic, netdev, skb, queue))
			continue;
		skb_list_del_init(skb);
		kfree_skb(skb);
		if (netdev)
			dev_core_stats_rx_dropped_inc(netdev);
		dropped++;
	}
	netif_receive_skb_list(packets);
	rcu_read_unlock();
	local_bh_enable();
	return dropped;
}
