/* SPDX-License-Identifier: GPL-2.0 */
/* The verbs that talk to a running guest. */
#ifndef RF_CLIENT_H
#define RF_CLIENT_H

#include <stdbool.h>

#include "config.h"
#include "error.h"

struct cJSON;

/* list */
enum rf_exit rf_client_list(const struct rf_config *config);

/* info, pause, resume, kill, stats */
enum rf_exit rf_client_ask(const struct rf_config *config);

/* console */
enum rf_exit rf_client_console(const struct rf_config *config);

/*
 * Ask the launcher of the guest that @config names for @verb.  The answer is
 * the caller's to delete.  Return: the connection, or -1.
 */
int rf_client_connect(const struct rf_config *config, enum rf_verb verb,
		      struct cJSON **answer, struct rf_error *err);

/*
 * Send a request with members besides its verb, and the descriptor @passed
 * unless that is -1.  Return: the answer, to be deleted, or NULL.
 */
struct cJSON *rf_client_request(const struct rf_config *config,
				const struct cJSON *request, int passed,
				struct rf_error *err);

/* The next line on @fd, if it is short in coming.  Return: JSON, or NULL. */
struct cJSON *rf_client_hear(int fd);

/* Until nobody is at the other end of @fd; says so if that takes too long. */
bool rf_client_wait(const struct rf_config *config, int fd);

#endif /* RF_CLIENT_H */
