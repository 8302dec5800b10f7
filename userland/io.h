/* SPDX-License-Identifier: GPL-2.0 */
/* Emulated devices, and who of them answers at which port. */
#ifndef RF_IO_H
#define RF_IO_H

#include "config.h"
#include "error.h"
#include "ringfence.h"

struct rf_io;

/* Open what the devices need, before confinement.  Return: NULL if that fails. */
struct rf_io *rf_io_create(const struct rf_config *config, struct rf_error *err);

/* Start what they have of threads. */
int rf_io_start(struct rf_io *io, struct rf_error *err);
void rf_io_destroy(struct rf_io *io);

/* A guest begins: its devices are as if switched on. */
void rf_io_reset(struct rf_io *io);

/* Serve the RF_RUN_IO exit in @run, and leave there what an IN or INS reads. */
void rf_io_serve(struct rf_io *io, struct rf_run *run);

#endif /* RF_IO_H */
