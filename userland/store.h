/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A xenstore for one guest: bytes in, bytes out.
 *
 * The guest is domain 1 and has it to itself; the host writes into it by
 * rf_store_set().  No descriptors, no threads: who has the ring carries bytes.
 */
#ifndef RF_STORE_H
#define RF_STORE_H

#include <stdbool.h>
#include <stddef.h>

struct rf_store;

enum rf_store_limits {
	RF_STORE_WATCHES = 64,
	RF_STORE_TOKEN = 256,		/* bytes, the 0 included */
	RF_STORE_TRANSACTIONS = 8,
	RF_STORE_CHANGES = 32,		/* in one transaction */
	RF_STORE_OUT = 2 << 20,		/* bytes of answers and events */
};

/* An empty store.  Return: NULL if there is no memory. */
struct rf_store *rf_store_create(void);
void rf_store_destroy(struct rf_store *store);

/*
 * What the host puts in.  Watches fire; a value that is there already is left
 * alone, for whoever cares about it has been told.  Return: 0 or -errno.
 */
int rf_store_set(struct rf_store *store, const char *path, const char *value);

/* Let the guest write to @path, and make nodes below.  Return: 0 or -errno. */
int rf_store_give(struct rf_store *store, const char *path);

/* Is the value of @path the string @value? */
bool rf_store_says(const struct rf_store *store, const char *path,
		   const char *value);

/* Does the guest watch @path, or something above it? */
bool rf_store_is_watched(const struct rf_store *store, const char *path);

/*
 * Bytes it takes now: at least one, and not more than one message.  None as
 * long as there is anything to be fetched, so that a guest that does not read
 * is not listened to.
 */
size_t rf_store_wants(const struct rf_store *store);
void rf_store_put(struct rf_store *store, const void *buf, size_t len);

/* What is to go to the guest.  Return: bytes at @data. */
size_t rf_store_peek(const struct rf_store *store, const void **data);
void rf_store_took(struct rf_store *store, size_t len);

/* Has it given up on its guest?  Return: why, or NULL. */
const char *rf_store_broken(const struct rf_store *store);

#endif /* RF_STORE_H */
