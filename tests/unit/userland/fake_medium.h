/* SPDX-License-Identifier: GPL-2.0 */
/* A medium in memory, that fails from a byte on if asked to. */
#ifndef RF_FAKE_MEDIUM_H
#define RF_FAKE_MEDIUM_H

#include <stdlib.h>
#include <string.h>

#include "userland/ata.h"

static struct {
	uint8_t bytes[256 << 10];
	struct rf_ata_media media;
	uint64_t bad;			/* offset where it fails, or 0 */
	unsigned int flushes;
} medium;

/* The drive promises whole sectors inside the medium. */
static bool medium_fails(uint64_t offset, size_t len)
{
	if (offset % RF_ATA_SECTOR || len % RF_ATA_SECTOR || !len ||
	    offset > medium.media.len || len > medium.media.len - offset)
		abort();
	return medium.bad && offset + len > medium.bad;
}

static int medium_read(void *ctx, uint64_t offset, void *buf, size_t len)
{
	if (medium_fails(offset, len))
		return 1;
	memcpy(buf, medium.bytes + offset, len);
	return 0;
}

static int medium_write(void *ctx, uint64_t offset, const void *buf, size_t len)
{
	if (medium.media.read_only)
		abort();
	if (medium_fails(offset, len))
		return 1;
	memcpy(medium.bytes + offset, buf, len);
	return 0;
}

static int medium_flush(void *ctx)
{
	medium.flushes++;
	return !!medium.bad;
}

static void medium_make(uint64_t len)
{
	medium.media = (struct rf_ata_media){
		.read = medium_read,
		.write = medium_write,
		.flush = medium_flush,
		.len = len,
		.serial = "serial-1",
	};
	medium.bad = 0;
	medium.flushes = 0;
	for (size_t i = 0; i < len; i++)
		medium.bytes[i] = i / 512 + i * 7;
}

#endif /* RF_FAKE_MEDIUM_H */
