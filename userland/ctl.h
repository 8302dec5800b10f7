/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket of a running guest, launcher's side.
 *
 * One connection is one request: a line of JSON, {"verb": "info"}.  The answer
 * is a line of JSON, with "ok": true, or "ok": false and "error".  After the
 * answer to "console" the connection carries the console, both ways, as bytes.
 * Only root and the user the launcher runs as are listened to.
 */
#ifndef RF_CTL_H
#define RF_CTL_H

#include <poll.h>
#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

struct cJSON;

#define RF_CTL_MAX_CLIENTS	16
#define RF_CTL_LINE		4096
#define RF_CTL_NR_POLLS		(1 + RF_CTL_MAX_CLIENTS)

/* What becomes of the connection after the answer. */
enum rf_ctl_after {
	RF_CTL_CLOSE,
	RF_CTL_KEEP,		/* until the launcher goes: the peer sees that */
	RF_CTL_GIVEN_AWAY,	/* somebody else has the descriptor now */
};

/**
 * struct rf_ctl_request - what somebody asks for
 * @verb: The request's
 * @members: All of it: an object
 * @fd: The connection, for verbs that want it
 * @passed: Descriptor that came with it, or -1; whoever takes it sets -1
 */
struct rf_ctl_request {
	const char *verb;
	const struct cJSON *members;
	int fd;
	int passed;
};

/**
 * typedef rf_ctl_handler - do what a request says
 * @ctx: From rf_ctl_create()
 * @request: The request
 * @answer: An object to put members into
 * @err: Filled in on failure
 *
 * A handler that gives the connection away sends the answer itself, beforehand,
 * by rf_ctl_answer().
 *
 * Return: enum rf_ctl_after, or -1.
 */
typedef int (*rf_ctl_handler)(void *ctx, struct rf_ctl_request *request,
			      struct cJSON *answer, struct rf_error *err);

struct rf_ctl;

struct rf_ctl *rf_ctl_create(const char *run_dir, const char *name, uid_t owner,
			     rf_ctl_handler handler, void *ctx,
			     struct rf_error *err);
void rf_ctl_destroy(struct rf_ctl *ctl);

/* For the main loop: what to wait for, and serve what came. */
void rf_ctl_prepare(struct rf_ctl *ctl, struct pollfd *polls);
void rf_ctl_serve(struct rf_ctl *ctl, const struct pollfd *polls);

/*
 * The guest has ended: send @news to every connection that is kept, and close
 * those if the launcher goes on.
 */
void rf_ctl_tell(struct rf_ctl *ctl, const struct cJSON *news, bool goes_on);

/* Send @answer with "ok": true. */
void rf_ctl_answer(int fd, struct cJSON *answer);

#endif /* RF_CTL_H */
