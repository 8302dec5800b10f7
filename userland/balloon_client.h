/* SPDX-License-Identifier: GPL-2.0 */
/* ringfence balloon NAME [SIZE] */
#ifndef RF_BALLOON_CLIENT_H
#define RF_BALLOON_CLIENT_H

#include "config.h"

enum rf_exit rf_balloon_client(const struct rf_config *config);

#endif /* RF_BALLOON_CLIENT_H */
