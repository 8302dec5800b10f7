// SPDX-License-Identifier: GPL-2.0
/*
 * nets.c - the network devices of a guest: interfaces of the host, on its bus
 *
 *	rf_nets_open() -> rf_nets_connect(), at each start
 *
 * The interface is made and set up before the launcher confines itself; then
 * its descriptor is all that is needed.
 */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "link.h"
#include "nets.h"
#include "rf_api.h"

void rf_nets_close(struct rf_nets *nets)
{
	while (nets->nr)
		close(nets->net[--nets->nr].fd);
}

static int create_error(const struct rf_net_spec *spec, int error,
			struct rf_error *err)
{
	switch (error) {
	case -EPERM:
		return rf_error_set(err, "net %s: making an interface takes CAP_NET_ADMIN: run "
					 "as root, or in a network namespace of your own",
				    spec->name);
	case -EEXIST:
		return rf_error_set(err, "net %s: there is an interface of that name",
				    spec->name);
	case -ENOTTY:
		return rf_error_set(err, "net %s: the module that is loaded has no network "
					 "devices", spec->name);
	default:
		return rf_error_set(err, "net %s: the module will not make it: %s",
				    spec->name, strerror(-error));
	}
}

static int set_up(const struct rf_net_spec *spec, unsigned int ifindex,
		  struct rf_error *err)
{
	unsigned int bridge = 0;
	int ret;

	if (spec->bridge[0]) {
		bridge = if_nametoindex(spec->bridge);
		if (!bridge)
			return rf_error_set(err, "net %s: there is no bridge %s",
					    spec->name, spec->bridge);
	}
	ret = rf_link_up(ifindex, bridge);
	if (!ret)
		return 0;
	if (bridge)
		return rf_error_set(err, "net %s: cannot make it a port of %s: %s",
				    spec->name, spec->bridge, strerror(-ret));
	return rf_error_set(err, "net %s: cannot set it up: %s", spec->name,
			    strerror(-ret));
}

int rf_nets_open(struct rf_nets *nets, int system_fd,
		 const struct rf_net_spec *spec, struct rf_error *err)
{
	struct rf_net *net = &nets->net[nets->nr];
	struct rf_create_nic create = {
		.flags = spec->lock_mac ? RF_NIC_LOCK_MAC : 0,
		.nr_pairs = spec->nr_pairs,
		.mtu = spec->mtu,
	};

	memcpy(create.name, spec->name, sizeof(create.name));
	memcpy(create.mac, spec->mac, sizeof(create.mac));
	net->fd = rf_api_create_nic(system_fd, &create);
	if (net->fd < 0)
		return create_error(spec, net->fd, err);
	net->spec = *spec;
	net->slot = -1;
	memcpy(net->spec.mac, create.mac, sizeof(create.mac));
	nets->nr++;
	return set_up(spec, create.ifindex, err);
}

int rf_nets_connect(struct rf_nets *nets, int vm_fd, struct rf_error *err)
{
	nets->vm_fd = vm_fd;
	for (unsigned int i = 0; i < nets->nr; i++) {
		struct rf_net *net = &nets->net[i];
		struct rf_add_net add = { .fd = net->fd };
		int ret = rf_api_add_net(vm_fd, &add);

		if (ret == -ENOSPC)
			return rf_error_set(err, "net %s: the guest's bus is full",
					    net->spec.name);
		if (ret < 0)
			return rf_error_set(err, "net %s: the module will not take it: %s",
					    net->spec.name, strerror(-ret));
		net->slot = add.slot;
	}
	return 0;
}

void rf_nets_disconnect(struct rf_nets *nets)
{
	nets->vm_fd = -1;
	for (unsigned int i = 0; i < nets->nr; i++)
		nets->net[i].slot = -1;
}

static void report_counters(const struct rf_device_state *state,
			    struct cJSON *object)
{
	/* DRIVER_OK, of the virtio specification. */
	cJSON_AddBoolToObject(object, "driver", state->status & 4);
	cJSON_AddNumberToObject(object, "received_bytes", state->read_bytes);
	cJSON_AddNumberToObject(object, "sent_bytes", state->written_bytes);
	cJSON_AddNumberToObject(object, "errors", state->errors);
	cJSON_AddNumberToObject(object, "doorbells", state->doorbells);
	cJSON_AddNumberToObject(object, "interrupts", state->events);
}

static void report_net(int vm_fd, const struct rf_net *net, struct cJSON *object)
{
	const uint8_t *mac = net->spec.mac;
	struct rf_device_state state;
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		 mac[2], mac[3], mac[4], mac[5]);
	cJSON_AddNumberToObject(object, "slot", net->slot);
	cJSON_AddStringToObject(object, "interface", net->spec.name);
	cJSON_AddStringToObject(object, "mac", text);
	if (net->spec.bridge[0])
		cJSON_AddStringToObject(object, "bridge", net->spec.bridge);
	if (!rf_api_get_device(vm_fd, net->slot, &state))
		report_counters(&state, object);
}

void rf_nets_report(struct rf_nets *nets, struct cJSON *array)
{
	for (unsigned int i = 0; i < nets->nr && nets->vm_fd >= 0; i++) {
		cJSON *object = cJSON_CreateObject();

		report_net(nets->vm_fd, &nets->net[i], object);
		cJSON_AddItemToArray(array, object);
	}
}
