/* SPDX-License-Identifier: GPL-2.0 */
/*
 * state.h - RF_SAVE_STATE and RF_LOAD_STATE
 */
#ifndef RF_STATE_H
#define RF_STATE_H

#include "../uapi/ringfence.h"

struct rf_vm;

/* As the uapi header says; @state->len is filled in. */
int rf_state_save(struct rf_vm *vm, struct rf_state_buffer *state);
int rf_state_load(struct rf_vm *vm, const struct rf_state_buffer *state);

#endif /* RF_STATE_H */
