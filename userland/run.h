/* SPDX-License-Identifier: GPL-2.0 */
/* ringfence run. */
#ifndef RF_RUN_H
#define RF_RUN_H

#include "config.h"

/* Run a guest until it ends for good.  Return: exit status. */
enum rf_exit rf_run_main(const struct rf_config *config);

#endif /* RF_RUN_H */
