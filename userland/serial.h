/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's serial port: the UART on one side, people and files on the other. */
#ifndef RF_SERIAL_H
#define RF_SERIAL_H

#include "config.h"
#include "error.h"
#include "ringfence.h"

struct rf_serial;

/* Open what it needs, before confinement.  Return: the port, or NULL. */
struct rf_serial *rf_serial_create(const struct rf_config *config, struct rf_error *err);

/* Start its thread. */
int rf_serial_start(struct rf_serial *serial, struct rf_error *err);

/* What is left goes out within two seconds. */
void rf_serial_destroy(struct rf_serial *serial);

/* A guest begins. */
void rf_serial_reset(struct rf_serial *serial);

/* One byte at register @reg, for a vCPU's thread. */
uint8_t rf_serial_read(struct rf_serial *serial, unsigned int reg);
void rf_serial_write(struct rf_serial *serial, unsigned int reg, uint8_t value);

#endif /* RF_SERIAL_H */
