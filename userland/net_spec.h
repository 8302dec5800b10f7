/* SPDX-License-Identifier: GPL-2.0 */
/* What --net says of a network device. */
#ifndef RF_NET_SPEC_H
#define RF_NET_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define RF_MAX_NETS		8
#define RF_NET_NAME		16

/**
 * struct rf_net_spec - one network device
 * @name: Of the interface on the host
 * @bridge: It is made a port of, or empty
 * @mac: Of the guest's end; all 0: random
 * @lock_mac: Frames from another address are dropped
 * @nr_pairs: Of queues, 0: one
 * @mtu: 0: 1500
 */
struct rf_net_spec {
	char name[RF_NET_NAME];
	char bridge[RF_NET_NAME];
	uint8_t mac[6];
	bool lock_mac;
	unsigned int nr_pairs;
	unsigned int mtu;
};

/*
 * "if=NAME[,bridge=BR][,mac=M][,lockmac][,queues=N][,mtu=N]".
 * Return: 0, or -1 and what is wrong.
 */
int rf_net_spec_parse(struct rf_net_spec *spec, const char *text,
		      struct rf_error *err);

#endif /* RF_NET_SPEC_H */
