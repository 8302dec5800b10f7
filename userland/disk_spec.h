/* SPDX-License-Identifier: GPL-2.0 */
/* What --disk and attach-disk say of a disk. */
#ifndef RF_DISK_SPEC_H
#define RF_DISK_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"

#define RF_MAX_DISKS		24
#define RF_DISK_SERIAL		20
#define RF_DISK_PATH		512

enum rf_disk_cache {
	RF_DISK_BY_KIND,	/* a block device direct, a file buffered */
	RF_DISK_BUFFERED,
	RF_DISK_DIRECT,
};

/**
 * struct rf_disk_spec - one disk
 * @path: Image or block device
 * @serial: What the guest reads as such
 * @format: Of the image: "raw" or what qemu-nbd knows
 * @cache: Whether the host's page cache is used
 * @read_only: The guest may not write
 * @discard: The guest may give space back
 * @offset: First byte that is the guest's
 * @size: Bytes that are; 0: all there are
 * @iops: Requests a second, or 0
 * @bps: Bytes a second, or 0
 * @nr_queues: 0: the launcher chooses
 * @block_size: 0: by kind
 */
struct rf_disk_spec {
	char path[RF_DISK_PATH];
	char serial[RF_DISK_SERIAL + 1];
	char format[16];
	enum rf_disk_cache cache;
	bool read_only;
	bool discard;
	uint64_t offset;
	uint64_t size;
	uint64_t iops;
	uint64_t bps;
	unsigned int nr_queues;
	unsigned int block_size;
};

/*
 * "PATH[,readonly][,direct|buffered][,serial=S][,discard][,offset=N][,size=N]
 * [,iops=N][,bps=N][,queues=N][,blocksize=N][,format=F]"; ",," is a comma in the
 * path.  Return: 0, or -1 and what is wrong.
 */
int rf_disk_spec_parse(struct rf_disk_spec *spec, const char *text,
		       struct rf_error *err);

/* "4096", "64K", "10G"; a bare number is bytes.  Return: 0 or -1. */
int rf_disk_spec_bytes(const char *text, uint64_t *bytes);

#endif /* RF_DISK_SPEC_H */
