/* SPDX-License-Identifier: GPL-2.0 */
/* Our end of the console ring, against a guest that may say anything. */
#ifndef RF_CONSOLE_RING_H
#define RF_CONSOLE_RING_H

#include <stdbool.h>
#include <stddef.h>

#include "xen_start_info.h"

/**
 * struct rf_console_ring - the launcher's side
 * @shared: The page; the guest writes to it whenever it likes
 * @out_cons: How far output was read; the guest's copy is not believed
 * @in_prod: How far input was written
 * @broken: The guest's indices made no sense; nothing is read any more
 */
struct rf_console_ring {
	struct xencons_interface *shared;
	uint32_t out_cons;
	uint32_t in_prod;
	bool broken;
};

void rf_console_ring_init(struct rf_console_ring *ring, void *page);

/* Take output.  Return: bytes taken. */
size_t rf_console_ring_read(struct rf_console_ring *ring, char *buf,
			    size_t len);

/* Give input.  Return: bytes that found room. */
size_t rf_console_ring_write(struct rf_console_ring *ring, const char *buf,
			     size_t len);

#endif /* RF_CONSOLE_RING_H */
