/* SPDX-License-Identifier: GPL-2.0 */
/* ringfence vcpus NAME [N] */
#ifndef RF_VCPUS_CLIENT_H
#define RF_VCPUS_CLIENT_H

#include "config.h"

enum rf_exit rf_vcpus_client(const struct rf_config *config);

#endif /* RF_VCPUS_CLIENT_H */
