/* SPDX-License-Identifier: GPL-2.0 */
/* A guest's console: the ring on one side, people and files on the other. */
#ifndef RF_CONSOLE_H
#define RF_CONSOLE_H

#include <stddef.h>

#include "config.h"
#include "error.h"

struct rf_console;

/**
 * rf_console_create() - open what the console of a VM needs
 * @config: Where it goes
 * @on_quit: Called (from the console's thread) when a person asks, with the
 *	escape character, that the guest be ended
 * @ctx: For @on_quit
 * @err: Filled in on failure
 *
 * Return: the console, or NULL.
 */
struct rf_console *rf_console_create(const struct rf_config *config,
				     void (*on_quit)(void *ctx), void *ctx,
				     struct rf_error *err);

/*
 * Take the terminal, if that is where the console goes, and start the thread.
 */
int rf_console_start(struct rf_console *console, struct rf_error *err);

/* Give what is left to whoever takes it within two seconds, and go. */
void rf_console_destroy(struct rf_console *console);

/* The two ends of the guest's event channel, for RF_BIND_PORT. */
int rf_console_to_launcher(const struct rf_console *console);
int rf_console_from_launcher(const struct rf_console *console);

/* A guest begins, with its ring in @page; it ends, and @page goes away. */
void rf_console_connect(struct rf_console *console, void *page);
void rf_console_disconnect(struct rf_console *console);

/* Text from outside the ring: the guest's emergency console. */
void rf_console_write(struct rf_console *console, const char *text, size_t len);

/* May one more person come?  Return: 0, or -1 and why not. */
int rf_console_has_room(struct rf_console *console, struct rf_error *err);

/* One more person: a connected socket, which is the console's from now on. */
void rf_console_attach(struct rf_console *console, int fd);

#endif /* RF_CONSOLE_H */
