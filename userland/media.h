/* SPDX-License-Identifier: GPL-2.0 */
/* Files as media of emulated drives. */
#ifndef RF_MEDIA_H
#define RF_MEDIA_H

#include "ata.h"
#include "error.h"

struct rf_media_file {
	int fd;
	struct rf_ata_media media;	/* its ctx is this */
};

/**
 * rf_media_open() - Open a regular file or a block device
 * @file: Filled in
 * @what: For messages: "disk"
 * @path: Of the file
 * @read_only: Never write to it
 * @sector: Its size must be a multiple of this
 * @err: Filled in on failure
 *
 * The file is locked against others that would write to it; two may read.
 *
 * Return: 0, or -1 and nothing is open.
 */
int rf_media_open(struct rf_media_file *file, const char *what, const char *path,
		  bool read_only, unsigned int sector, struct rf_error *err);
void rf_media_close(struct rf_media_file *file);

#endif /* RF_MEDIA_H */
