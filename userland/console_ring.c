// SPDX-License-Identifier: GPL-2.0
/*
 * console_ring.c - struct xencons_interface, host side  (pure)
 *
 *	guest -> out[] -> rf_console_ring_read()
 *	guest <- in[]  <- rf_console_ring_write()
 *
 * Indices run freely and wrap with their type.  Each is read once, checked,
 * and used masked, so a guest that changes them meanwhile hurts itself only.
 */
#include "console_ring.h"

#define MASK_XENCONS_IDX(idx, ring)	((idx) & (sizeof(ring) - 1))

void rf_console_ring_init(struct rf_console_ring *ring, void *page)
{
	*ring = (struct rf_console_ring){ .shared = page };
}

size_t rf_console_ring_read(struct rf_console_ring *ring, char *buf,
			    size_t len)
{
	struct xencons_interface *shared = ring->shared;
	uint32_t prod, ready;
	size_t done = 0;

	if (ring->broken)
		return 0;
	prod = __atomic_load_n(&shared->out_prod, __ATOMIC_ACQUIRE);
	ready = prod - ring->out_cons;
	if (ready > sizeof(shared->out)) {
		ring->broken = true;
		return 0;
	}
	while (done < len && done < ready) {
		uint32_t i = MASK_XENCONS_IDX(ring->out_cons + done,
					      shared->out);

		buf[done++] = __atomic_load_n(&shared->out[i],
					      __ATOMIC_RELAXED);
	}
	ring->out_cons += done;
	__atomic_store_n(&shared->out_cons, ring->out_cons, __ATOMIC_RELEASE);
	return done;
}

size_t rf_console_ring_write(struct rf_console_ring *ring, const char *buf,
			     size_t len)
{
	struct xencons_interface *shared = ring->shared;
	uint32_t cons, used;
	size_t done = 0;

	if (ring->broken)
		return 0;
	cons = __atomic_load_n(&shared->in_cons, __ATOMIC_ACQUIRE);
	used = ring->in_prod - cons;
	if (used > sizeof(shared->in)) {
		ring->broken = true;
		return 0;
	}
	while (done < len && used + done < sizeof(shared->in)) {
		uint32_t i = MASK_XENCONS_IDX(ring->in_prod + done,
					      shared->in);

		__atomic_store_n(&shared->in[i], buf[done++],
				 __ATOMIC_RELAXED);
	}
	ring->in_prod += done;
	__atomic_store_n(&shared->in_prod, ring->in_prod, __ATOMIC_RELEASE);
	return done;
}
