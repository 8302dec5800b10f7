// SPDX-License-Identifier: GPL-2.0
/*
 * store_ring.c - struct xenstore_domain_interface, host side  (pure)
 *
 *	guest -> req[] -> rf_store_ring_read()
 *	guest <- rsp[] <- rf_store_ring_write()
 *
 * As the console's ring: indices run freely and wrap with their type; each is
 * read once, checked, and used masked.
 */
#include "store_ring.h"

#define MASK_XENSTORE_IDX(idx)	((idx) & (XENSTORE_RING_SIZE - 1))

void rf_store_ring_init(struct rf_store_ring *ring, void *page)
{
	*ring = (struct rf_store_ring){ .shared = page };
	ring->shared->server_features = XENSTORE_SERVER_FEATURE_ERROR;
}

size_t rf_store_ring_read(struct rf_store_ring *ring, void *buf, size_t len)
{
	struct xenstore_domain_interface *shared = ring->shared;
	uint32_t prod, ready;
	size_t done = 0;
	char *to = buf;

	if (ring->broken)
		return 0;
	prod = __atomic_load_n(&shared->req_prod, __ATOMIC_ACQUIRE);
	ready = prod - ring->req_cons;
	if (ready > XENSTORE_RING_SIZE) {
		ring->broken = true;
		return 0;
	}
	while (done < len && done < ready) {
		uint32_t i = MASK_XENSTORE_IDX(ring->req_cons + done);

		to[done++] = __atomic_load_n(&shared->req[i], __ATOMIC_RELAXED);
	}
	ring->req_cons += done;
	__atomic_store_n(&shared->req_cons, ring->req_cons, __ATOMIC_RELEASE);
	return done;
}

size_t rf_store_ring_write(struct rf_store_ring *ring, const void *buf,
			   size_t len)
{
	struct xenstore_domain_interface *shared = ring->shared;
	const char *from = buf;
	uint32_t cons, used;
	size_t done = 0;

	if (ring->broken)
		return 0;
	cons = __atomic_load_n(&shared->rsp_cons, __ATOMIC_ACQUIRE);
	used = ring->rsp_prod - cons;
	if (used > XENSTORE_RING_SIZE) {
		ring->broken = true;
		return 0;
	}
	while (done < len && used + done < XENSTORE_RING_SIZE) {
		uint32_t i = MASK_XENSTORE_IDX(ring->rsp_prod + done);

		__atomic_store_n(&shared->rsp[i], from[done++],
				 __ATOMIC_RELAXED);
	}
	ring->rsp_prod += done;
	__atomic_store_n(&shared->rsp_prod, ring->rsp_prod, __ATOMIC_RELEASE);
	return done;
}

void rf_store_ring_close(struct rf_store_ring *ring, uint32_t error)
{
	ring->broken = true;
	__atomic_store_n(&ring->shared->error, error, __ATOMIC_RELEASE);
}
