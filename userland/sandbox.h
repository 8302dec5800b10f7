/* SPDX-License-Identifier: GPL-2.0 */
/* What a launcher gives up before a guest's first byte is looked at. */
#ifndef RF_SANDBOX_H
#define RF_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "error.h"

/* Whom to become: ids of --user, or this process's own if @user is NULL. */
int rf_sandbox_find_user(const char *user, uid_t *uid, gid_t *gid,
			 struct rf_error *err);

/*
 * Become @uid and @gid, drop every capability, forbid new privileges and, if
 * @seccomp, all system calls but those a running guest needs.  To be called
 * before there are threads: capabilities belong to a thread.
 */
int rf_sandbox_enter(uid_t uid, gid_t gid, bool seccomp, struct rf_error *err);

#endif /* RF_SANDBOX_H */
