/* SPDX-License-Identifier: GPL-2.0 */
/* The directory in which each running guest has a socket. */
#ifndef RF_RUN_DIR_H
#define RF_RUN_DIR_H

#include <stddef.h>
#include <sys/types.h>

#include "error.h"

/* Room for a path that fits in a socket's address. */
#define RF_SOCKET_PATH	108

/**
 * rf_run_dir_find() - the directory to look in
 * @wanted: --run-dir, or NULL for /run/ringfence (root) or
 *	$XDG_RUNTIME_DIR/ringfence (others)
 * @path: Room for RF_SOCKET_PATH bytes
 * @err: Filled in on failure
 *
 * Return: 0 or -1.
 */
int rf_run_dir_find(const char *wanted, char *path, struct rf_error *err);

/**
 * rf_run_dir_listen() - take a name: make the directory and the socket
 * @wanted: As above
 * @name: Of the guest
 * @owner: Whom the socket is to belong to; if that is not the caller, it is
 *	made in a subdirectory of theirs, so that they can remove it
 * @path: Out: the socket, RF_SOCKET_PATH bytes
 * @err: Filled in on failure
 *
 * What a launcher that was killed left under this name is removed.
 *
 * Return: a listening socket, or -1.
 */
int rf_run_dir_listen(const char *wanted, const char *name, uid_t owner,
		      char *path, struct rf_error *err);

/* Connect to guest @name.  Return: a socket, or -1. */
int rf_run_dir_connect(const char *wanted, const char *name,
		       struct rf_error *err);

/*
 * Call @each with the name of, and a connection to, every guest that answers;
 * sockets nobody listens at are removed.
 */
int rf_run_dir_each(const char *wanted,
		    void (*each)(void *ctx, const char *name, int fd),
		    void *ctx, struct rf_error *err);

#endif /* RF_RUN_DIR_H */
