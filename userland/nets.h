/* SPDX-License-Identifier: GPL-2.0 */
/* The network devices of a guest: interfaces of the host, put on its bus. */
#ifndef RF_NETS_H
#define RF_NETS_H

#include "net_spec.h"

struct cJSON;

/**
 * struct rf_net - a network device of a guest
 * @spec: What it is
 * @fd: Owns the interface
 * @slot: On the bus of the guest that runs, or -1
 */
struct rf_net {
	struct rf_net_spec spec;
	int fd;
	int slot;
};

/**
 * struct rf_nets - all network devices of a guest
 * @vm_fd: The guest that runs, or -1
 * @nr: How many
 * @net: They
 */
struct rf_nets {
	int vm_fd;
	unsigned int nr;
	struct rf_net net[RF_MAX_NETS];
};

/* Make the interface @spec says, set it up, and make it a port of its bridge. */
int rf_nets_open(struct rf_nets *nets, int system_fd,
		 const struct rf_net_spec *spec, struct rf_error *err);
void rf_nets_close(struct rf_nets *nets);

/* A guest is made, with no network yet: @vm_fd gets all of them. */
int rf_nets_connect(struct rf_nets *nets, int vm_fd, struct rf_error *err);
void rf_nets_disconnect(struct rf_nets *nets);

/* Into @array, one object a device, with counters. */
void rf_nets_report(struct rf_nets *nets, struct cJSON *array);

#endif /* RF_NETS_H */
