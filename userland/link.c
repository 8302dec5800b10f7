// SPDX-License-Identifier: GPL-2.0
/*
 * link.c - an interface of the host's is set up, by rtnetlink
 */
#include <errno.h>
#include <net/if.h>

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "link.h"

#define ROOM	8192

static int ask(struct mnl_socket *socket, struct nlmsghdr *message)
{
	char answer[ROOM];
	ssize_t len;

	if (mnl_socket_sendto(socket, message, message->nlmsg_len) < 0)
		return -errno;
	len = mnl_socket_recvfrom(socket, answer, sizeof(answer));
	if (len < 0)
		return -errno;
	if (mnl_cb_run(answer, len, message->nlmsg_seq,
		       mnl_socket_get_portid(socket), NULL, NULL) < 0)
		return -errno;
	return 0;
}

int rf_link_up(unsigned int ifindex, unsigned int bridge)
{
	char room[ROOM];
	struct nlmsghdr *message = mnl_nlmsg_put_header(room);
	struct mnl_socket *socket;
	struct ifinfomsg *info;
	int ret;

	message->nlmsg_type = RTM_NEWLINK;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	message->nlmsg_seq = 1;
	info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = ifindex;
	info->ifi_change = IFF_UP;
	info->ifi_flags = IFF_UP;
	if (bridge)
		mnl_attr_put_u32(message, IFLA_MASTER, bridge);

	socket = mnl_socket_open(NETLINK_ROUTE);
	if (!socket)
		return -errno;
	ret = mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ? -errno : ask(socket, message);
	mnl_socket_close(socket);
	return ret;
}
