/* SPDX-License-Identifier: GPL-2.0 */
/* ringfence inspect. */
#ifndef RF_INSPECT_H
#define RF_INSPECT_H

#include "config.h"

enum rf_exit rf_inspect_main(const struct rf_config *config);

#endif /* RF_INSPECT_H */
