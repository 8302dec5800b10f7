/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's balloon, launcher's side. */
#ifndef RF_BALLOON_H
#define RF_BALLOON_H

#include <stdint.h>

#include "error.h"

struct cJSON;
struct rf_vm;

/* run --balloon auto: open what tells how pressed the host is. */
int rf_balloon_create(struct rf_vm *vm, struct rf_error *err);
void rf_balloon_destroy(struct rf_vm *vm);

/* What the guest has and is to have, in bytes, and what it says of its memory. */
int rf_balloon_report(struct rf_vm *vm, struct cJSON *answer,
		      struct rf_error *err);

/* Ask the guest to keep @memory bytes, and give back the rest. */
int rf_balloon_set(struct rf_vm *vm, uint64_t memory, struct rf_error *err);

/* For the main loop: ms until rf_balloon_tick() is due, or -1: never. */
int rf_balloon_due(const struct rf_vm *vm);
void rf_balloon_tick(struct rf_vm *vm);

#endif /* RF_BALLOON_H */
