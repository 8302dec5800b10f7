// SPDX-License-Identifier: GPL-2.0
/*
 * records.c - a saved state as a test sees it
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "records.h"
#include "rf_api.h"

/* EVTCHNSTAT_interdomain, DOMID_SELF */
#define PORT_INTERDOMAIN	2
#define DOMID_SELF		0x7ff0

int state_save(struct state *state, int vm_fd)
{
	int ret;

	for (;;) {
		state->len = state->room;
		ret = rf_api_save_state(vm_fd, state->buffer, &state->len);
		if (ret < 0 || state->len <= state->room)
			return ret;
		state->room = state->len + 4096;
		state->buffer = realloc(state->buffer, state->room);
		if (!state->buffer)
			return -ENOMEM;
	}
}

void *state_next(const struct state *state, const void *record)
{
	const struct rf_saved_head *head = record;
	uint8_t *next = state->buffer;

	if (head)
		next = (uint8_t *)head + head->size;
	if (next >= state->buffer + state->len)
		return NULL;
	return next;
}

void *state_find(const struct state *state, unsigned int type, unsigned int vcpu_id)
{
	struct rf_saved_head *head = NULL;

	while ((head = state_next(state, head)))
		if (head->type == type && head->vcpu_id == vcpu_id)
			return head;
	return NULL;
}

bool port_is_launchers(const struct rf_saved_port *port)
{
	return port->type == PORT_INTERDOMAIN && port->remote_domid != DOMID_SELF;
}

/* Time goes on, and timers come, between one save and the next. */
static void forget_clocks(void *record)
{
	struct rf_saved_head *head = record;
	struct rf_saved_domain *domain = record;
	struct rf_saved_time *time = record;
	struct rf_saved_ports *ports = record;
	struct rf_saved_shared_info *shared = record;

	switch (head->type) {
	case RF_SAVED_DOMAIN:
		domain->guest_ns = 0;
		break;
	case RF_SAVED_TIME:
		time->flags &= RF_SAVED_INFO;
		time->time_version = 0;
		time->singleshot = 0;
		time->periodic = 0;
		time->period_ns = 0;
		time->poll_timeout = 0;
		time->poll = 0;
		time->poll_port = 0;
		break;
	case RF_SAVED_SHARED_INFO:
		/* Its vcpu_infos have the time, and so has its end. */
		memset(shared->page, 0, 32 * 64);
		memset(shared->page + 32 * 64 + 2 * 512, 0, 4096 - 32 * 64 - 2 * 512);
		break;
	case RF_SAVED_PORTS:
		ports->wc_version = 0;
		for (unsigned int i = 0; i < ports->nr_ports; i++)
			ports->ports[i].flags = 0;
		break;
	}
}

static bool record_same(const void *a, const void *b)
{
	const struct rf_saved_head *head = a;
	uint8_t *copies = malloc(2 * (size_t)head->size);
	bool same;

	if (!copies || memcmp(a, b, sizeof(*head))) {
		free(copies);
		return false;
	}
	memcpy(copies, a, head->size);
	memcpy(copies + head->size, b, head->size);
	forget_clocks(copies);
	forget_clocks(copies + head->size);
	same = !memcmp(copies, copies + head->size, head->size);
	free(copies);
	return same;
}

bool state_same(const struct state *a, const struct state *b)
{
	const struct rf_saved_head *of_a = NULL, *of_b = NULL;

	if (a->len != b->len)
		return false;
	while ((of_a = state_next(a, of_a))) {
		of_b = state_next(b, of_b);
		if (record_same(of_a, of_b))
			continue;
		fprintf(stderr, "record %u of vCPU %u differs\n", of_a->type, of_a->vcpu_id);
		return false;
	}
	return true;
}
