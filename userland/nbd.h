/* SPDX-License-Identifier: GPL-2.0 */
/* Images that are not raw: qemu-nbd reads them, the kernel's nbd shows them. */
#ifndef RF_NBD_H
#define RF_NBD_H

#include <stddef.h>

#include "disk_spec.h"

/* Connect a free /dev/nbdN, whose name comes out.  Return: 0 or -1. */
int rf_nbd_start(const struct rf_disk_spec *spec, char *device, size_t room,
		 struct rf_error *err);

/*
 * Leave a process behind that disconnects @device as soon as nobody has it
 * open for himself: also after this process, or who got the descriptor from it,
 * was killed.
 */
void rf_nbd_guard(const char *device);

#endif /* RF_NBD_H */
