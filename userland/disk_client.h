/* SPDX-License-Identifier: GPL-2.0 */
/* The verbs about disks of a running guest. */
#ifndef RF_DISK_CLIENT_H
#define RF_DISK_CLIENT_H

#include "config.h"

enum rf_exit rf_disk_client_list(const struct rf_config *config);
enum rf_exit rf_disk_client_attach(const struct rf_config *config);
enum rf_exit rf_disk_client_detach(const struct rf_config *config);

#endif /* RF_DISK_CLIENT_H */
