/* SPDX-License-Identifier: GPL-2.0 */
/* Our end of the store's ring, against a guest that may say anything. */
#ifndef RF_STORE_RING_H
#define RF_STORE_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "xen_store_wire.h"

/**
 * struct rf_store_ring - the launcher's side
 * @shared: The page; the guest writes to it whenever it likes
 * @req_cons: How far requests were read; the guest's copy is not believed
 * @rsp_prod: How far answers were written
 * @broken: The guest's indices made no sense; nothing goes either way any more
 */
struct rf_store_ring {
	struct xenstore_domain_interface *shared;
	uint32_t req_cons;
	uint32_t rsp_prod;
	bool broken;
};

void rf_store_ring_init(struct rf_store_ring *ring, void *page);

/* Take what the guest asks.  Return: bytes taken. */
size_t rf_store_ring_read(struct rf_store_ring *ring, void *buf, size_t len);

/* Give answers.  Return: bytes that found room. */
size_t rf_store_ring_write(struct rf_store_ring *ring, const void *buf,
			   size_t len);

/* Tell the guest, in its page, why nobody answers any more. */
void rf_store_ring_close(struct rf_store_ring *ring, uint32_t error);

#endif /* RF_STORE_RING_H */
