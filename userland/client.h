/* SPDX-License-Identifier: GPL-2.0 */
/* The verbs that talk to a running guest. */
#ifndef RF_CLIENT_H
#define RF_CLIENT_H

#include "config.h"

/* list */
enum rf_exit rf_client_list(const struct rf_config *config);

/* info, pause, resume, stop, kill, stats */
enum rf_exit rf_client_ask(const struct rf_config *config);

/* console */
enum rf_exit rf_client_console(const struct rf_config *config);

#endif /* RF_CLIENT_H */
