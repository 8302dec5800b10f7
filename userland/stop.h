/* SPDX-License-Identifier: GPL-2.0 */
/* Ask a guest to shut down, and see it through. */
#ifndef RF_STOP_H
#define RF_STOP_H

#include "config.h"

/* stop, reboot */
enum rf_exit rf_stop_main(const struct rf_config *config);

#endif /* RF_STOP_H */
