/* SPDX-License-Identifier: GPL-2.0 */
/*
 * records.h - a saved state as a test sees it
 */
#ifndef RECORDS_H
#define RECORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence_state.h"

struct state {
	uint8_t *buffer;
	size_t len;
	size_t room;
};

/* Save, in as much room as it takes.  Return: 0 or -errno. */
int state_save(struct state *state, int vm_fd);

/* The next record after @record, the first if that is NULL; NULL: no more. */
void *state_next(const struct state *state, const void *record);

/* The record of @type of a vCPU, or of the VM (0); NULL if there is none. */
void *state_find(const struct state *state, unsigned int type, unsigned int vcpu_id);

/* Is it bound to an eventfd of the launcher? */
bool port_is_launchers(const struct rf_saved_port *port);

/* Are they of the same guest at the same moment, but for its clocks? */
bool state_same(const struct state *a, const struct state *b);

#endif /* RECORDS_H */
