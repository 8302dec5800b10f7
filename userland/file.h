/* SPDX-License-Identifier: GPL-2.0 */
/* Whole files as memory. */
#ifndef RF_FILE_H
#define RF_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct rf_file {
	const uint8_t *data;
	size_t len;
};

/* Map the regular, non-empty file @path.  @what names it in messages. */
int rf_file_map(struct rf_file *file, const char *what, const char *path,
		struct rf_error *err);
void rf_file_unmap(struct rf_file *file);

#endif /* RF_FILE_H */
