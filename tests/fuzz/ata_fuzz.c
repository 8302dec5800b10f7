// SPDX-License-Identifier: GPL-2.0
/*
 * ata_fuzz.c - a guest that does anything to a channel with a disk and a CD-ROM
 *
 * A round of input is three bytes: register and direction, value, and how many
 * bytes of data or which command.  The medium ends the run if it is asked for
 * what it does not have, or written to where it must not be.
 *
 * Sources: userland/ata.c userland/disk.c userland/atapi.c
 */
#include <stdlib.h>

#include "tests/unit/userland/fake_medium.h"

#define REQUIRE(_cond)	do { if (!(_cond)) abort(); } while (0)

static struct rf_ata ata;
static uint8_t data[RF_ATA_BUFFER + 512];

/* What holds of a drive after every access. */
static void check(const struct rf_ata_drive *drive)
{
	REQUIRE(drive->at <= drive->block_end && drive->block_end <= drive->filled);
	REQUIRE(drive->filled <= RF_ATA_BUFFER);
	REQUIRE(!(drive->status & RF_ATA_BSY));
	if (drive->transfer != RF_ATA_IDLE) {
		REQUIRE(drive->status & RF_ATA_DRQ);
		REQUIRE(drive->at < drive->block_end);
	} else {
		REQUIRE(!(drive->status & RF_ATA_DRQ));
	}
}

/* Commands that lead somewhere come more often than by chance. */
static uint8_t likely_command(uint8_t value)
{
	static const uint8_t commands[] = {
		0x20, 0x24, 0x29, 0x30, 0x34, 0x39, 0xc4, 0xc5, 0xc6, 0xec, 0xef, 0xa0, 0xa1,
		0xe7, 0x90, 0x08,
	};

	return value & 0x80 ? commands[value % sizeof(commands)] : value;
}

static void access_data(bool write, size_t len, uint8_t value)
{
	if (write) {
		memset(data, value, len);
		rf_ata_write_data(&ata, data, len);
	} else {
		rf_ata_read_data(&ata, data, len);
	}
}

/* A packet in one piece, from the input. */
static size_t send_packet(const uint8_t *from, size_t size)
{
	if (size < 12)
		return size;
	rf_ata_write_data(&ata, from, 12);
	return 12;
}

static size_t round_of(const uint8_t *from, size_t size)
{
	enum rf_ata_register reg = (from[0] & 0xf) % 9;
	bool write = from[0] & 0x10;

	if (from[0] & 0x20)
		return 3 + send_packet(from + 3, size - 3);
	if (reg == RF_ATA_DATA)
		access_data(write, from[1] << 8 | from[2], from[2]);
	else if (!write)
		rf_ata_read(&ata, reg);
	else
		rf_ata_write(&ata, reg,
			     reg == RF_ATA_STATUS ? likely_command(from[1]) : from[1]);
	return 3;
}

int LLVMFuzzerTestOneInput(const uint8_t *from, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *from, size_t size)
{
	static struct rf_ata_media disc;

	if (size < 1)
		return 0;
	medium_make(sizeof(medium.bytes));
	disc = medium.media;
	disc.read_only = true;
	medium.media.read_only = from[0] & 1;
	medium.bad = from[0] & 2 ? 100 * 512 : 0;
	memset(&ata, 0, sizeof(ata));
	rf_ata_attach(&ata, from[0] & 4 ? 1 : 0, false, &medium.media);
	rf_ata_attach(&ata, from[0] & 4 ? 0 : 1, true, &disc);
	rf_ata_reset(&ata);
	from++;
	size--;
	while (size >= 3) {
		size_t used = round_of(from, size);

		check(&ata.drives[0]);
		check(&ata.drives[1]);
		from += used;
		size -= used;
	}
	return 0;
}
