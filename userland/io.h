/* SPDX-License-Identifier: GPL-2.0 */
/* Port I/O that the module hands up. */
#ifndef RF_IO_H
#define RF_IO_H

#include "ringfence.h"

/* Serve the RF_RUN_IO exit in @run, and leave the value of an IN in it. */
void rf_io_serve(struct rf_run *run);

#endif /* RF_IO_H */
