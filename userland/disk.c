// SPDX-License-Identifier: GPL-2.0
/*
 * disk.c - commands of an ATA disk  (pure)
 *
 *	READ:  medium -> buffer, up to 64 KiB at a time -> guest, a DRQ at a time
 *	WRITE: the other way; the medium has it when the command is over
 */
#include "ata.h"

#define LBA_MODE	0x40	/* of the device register */
#define HEADS		16U
#define TRACK		63U	/* sectors */

enum command {
	CMD_RECALIBRATE = 0x10,
	CMD_READ = 0x20,
	CMD_READ_ONCE = 0x21,
	CMD_READ_EXT = 0x24,
	CMD_READ_MULTIPLE_EXT = 0x29,
	CMD_WRITE = 0x30,
	CMD_WRITE_ONCE = 0x31,
	CMD_WRITE_EXT = 0x34,
	CMD_WRITE_MULTIPLE_EXT = 0x39,
	CMD_VERIFY = 0x40,
	CMD_VERIFY_ONCE = 0x41,
	CMD_VERIFY_EXT = 0x42,
	CMD_SEEK = 0x70,
	CMD_INIT_PARAMETERS = 0x91,
	CMD_IDENTIFY_PACKET = 0xa1,
	CMD_READ_MULTIPLE = 0xc4,
	CMD_WRITE_MULTIPLE = 0xc5,
	CMD_SET_MULTIPLE = 0xc6,
	CMD_STANDBY_NOW = 0xe0,
	CMD_IDLE_NOW = 0xe1,
	CMD_STANDBY = 0xe2,
	CMD_IDLE = 0xe3,
	CMD_CHECK_POWER = 0xe5,
	CMD_SLEEP = 0xe6,
	CMD_FLUSH = 0xe7,
	CMD_FLUSH_EXT = 0xea,
	CMD_IDENTIFY = 0xec,
	CMD_SET_FEATURES = 0xef,
};

static uint32_t cylinders(const struct rf_ata_drive *drive)
{
	uint64_t nr = drive->nr_sectors / (HEADS * TRACK);

	return nr < 16383 ? nr : 16383;
}

static void identify_size(struct rf_ata_drive *drive)
{
	uint32_t nr = drive->nr_sectors < 0xfffffff ? drive->nr_sectors : 0xfffffff;
	uint32_t chs = cylinders(drive) * HEADS * TRACK;

	rf_ata_set_word(drive, 1, cylinders(drive));
	rf_ata_set_word(drive, 3, HEADS);
	rf_ata_set_word(drive, 6, TRACK);
	rf_ata_set_word(drive, 54, cylinders(drive));
	rf_ata_set_word(drive, 55, HEADS);
	rf_ata_set_word(drive, 56, TRACK);
	rf_ata_set_word(drive, 57, chs);
	rf_ata_set_word(drive, 58, chs >> 16);
	rf_ata_set_word(drive, 60, nr);
	rf_ata_set_word(drive, 61, nr >> 16);
	for (unsigned int i = 0; i < 4; i++)
		rf_ata_set_word(drive, 100 + i, drive->nr_sectors >> (16 * i));
}

static void identify(struct rf_ata_drive *drive)
{
	const uint16_t has[] = {
		0x4020,			/* NOP, write cache */
		0x7400,			/* FLUSH CACHE, its EXT, 48 bits */
		0x4000,
	};

	rf_ata_identify(drive, "RINGFENCE ATA DISK");
	rf_ata_set_word(drive, 0, 0x0040);
	identify_size(drive);
	rf_ata_set_word(drive, 47, 0x8000 | RF_ATA_MAX_MULTIPLE);
	rf_ata_set_word(drive, 53, 0x0003);	/* words 54 to 58, 64 to 70 are good */
	rf_ata_set_word(drive, 59, drive->multiple ? 0x100 | drive->multiple : 0);
	for (unsigned int i = 0; i < 3; i++) {
		rf_ata_set_word(drive, 82 + i, has[i]);
		rf_ata_set_word(drive, 85 + i, has[i]);	/* and it is on */
	}
	if (!drive->write_cache)
		rf_ata_set_word(drive, 85, has[0] & ~0x20);
	rf_ata_set_word(drive, 93, 0x4041);	/* it has been reset */
	drive->nr_left = 0;
	rf_ata_give(drive, RF_ATA_SECTOR, RF_ATA_SECTOR);
}

/*
 * Where a command wants to go
 */

static uint64_t address_28(const struct rf_ata_drive *drive)
{
	uint32_t low = drive->lba[0][0];
	uint32_t cylinder = drive->lba[1][0] | (uint32_t)drive->lba[2][0] << 8;
	uint32_t head = drive->device & 0xf;

	if (drive->device & LBA_MODE)
		return low | cylinder << 8 | head << 24;
	/* Sectors of a track are counted from 1. */
	if (!low || low > TRACK)
		return UINT64_MAX;
	return ((uint64_t)cylinder * HEADS + head) * TRACK + low - 1;
}

static uint64_t address_48(const struct rf_ata_drive *drive)
{
	uint64_t address = 0;

	for (unsigned int i = 0; i < 6; i++)
		address |= (uint64_t)drive->lba[i % 3][i / 3] << (8 * i);
	return address;
}

/* An old command of cylinders hears of the sector's number all the same. */
static void set_address(struct rf_ata_drive *drive, uint64_t address)
{
	for (unsigned int i = 0; i < 3; i++) {
		drive->lba[i][0] = address >> (8 * i);
		if (drive->ext)
			drive->lba[i][1] = address >> (8 * (i + 3));
	}
	if (!drive->ext)
		drive->device = (drive->device & 0xf0) | (address >> 24 & 0xf);
}

/* Find the sectors a command is for; false if the disk has not all of them. */
static bool take_range(struct rf_ata_drive *drive, bool ext)
{
	uint64_t first = ext ? address_48(drive) : address_28(drive);
	uint32_t nr = ext ? drive->count[0] | drive->count[1] << 8 : drive->count[0];

	if (!nr)
		nr = ext ? 65536 : 256;
	if (first >= drive->nr_sectors || nr > drive->nr_sectors - first) {
		rf_ata_fail(drive, RF_ATA_IDNF);
		return false;
	}
	drive->ext = ext;
	drive->sector = first;
	drive->nr_left = nr;
	return true;
}

/*
 * Data
 */

/* The medium has failed: say from which sector on. */
static void media_failed(struct rf_ata_drive *drive, uint8_t error)
{
	set_address(drive, drive->sector);
	rf_ata_fail(drive, error);
}

static uint32_t buffer_sectors(const struct rf_ata_drive *drive)
{
	const uint32_t most = RF_ATA_BUFFER / RF_ATA_SECTOR;

	return drive->nr_left < most ? drive->nr_left : most;
}

static void read_more(struct rf_ata_drive *drive)
{
	const struct rf_ata_media *media = drive->media;
	uint32_t nr = buffer_sectors(drive);

	if (media->read(media->ctx, drive->sector * RF_ATA_SECTOR, drive->buffer,
			nr * RF_ATA_SECTOR)) {
		media_failed(drive, RF_ATA_UNC);
		return;
	}
	drive->sector += nr;
	drive->nr_left -= nr;
	rf_ata_give(drive, nr * RF_ATA_SECTOR, drive->block);
}

void rf_disk_given(struct rf_ata_drive *drive)
{
	if (drive->nr_left)
		read_more(drive);
	else
		rf_ata_done(drive);
}

void rf_disk_taken(struct rf_ata_drive *drive)
{
	const struct rf_ata_media *media = drive->media;

	if (media->write(media->ctx, drive->sector * RF_ATA_SECTOR, drive->buffer,
			 drive->filled) ||
	    (!drive->write_cache && media->flush(media->ctx))) {
		media_failed(drive, RF_ATA_UNC);
		return;
	}
	drive->sector += drive->filled / RF_ATA_SECTOR;
	drive->nr_left -= drive->filled / RF_ATA_SECTOR;
	if (drive->nr_left)
		rf_ata_take(drive, buffer_sectors(drive) * RF_ATA_SECTOR, drive->block);
	else
		rf_ata_done(drive);
}

/* @block: sectors with one DRQ; 0 if the guest has not set it. */
static void read_sectors(struct rf_ata_drive *drive, bool ext, uint32_t block)
{
	if (!block) {
		rf_ata_fail(drive, RF_ATA_ABRT);
		return;
	}
	if (!take_range(drive, ext))
		return;
	drive->block = block * RF_ATA_SECTOR;
	read_more(drive);
}

static void write_sectors(struct rf_ata_drive *drive, bool ext, uint32_t block)
{
	if (!block || drive->media->read_only) {
		rf_ata_fail(drive, RF_ATA_ABRT);
		return;
	}
	if (take_range(drive, ext))
		rf_ata_take(drive, buffer_sectors(drive) * RF_ATA_SECTOR,
			    block * RF_ATA_SECTOR);
}

/* All a disk of files can say of them is that they are there. */
static void verify(struct rf_ata_drive *drive, bool ext)
{
	if (take_range(drive, ext))
		rf_ata_done(drive);
}

static void set_multiple(struct rf_ata_drive *drive)
{
	uint8_t nr = drive->count[0];

	if (nr > RF_ATA_MAX_MULTIPLE || nr & (nr - 1)) {
		rf_ata_fail(drive, RF_ATA_ABRT);
		return;
	}
	drive->multiple = nr;
	rf_ata_done(drive);
}

static void flush(struct rf_ata_drive *drive)
{
	const struct rf_ata_media *media = drive->media;

	if (!media->read_only && media->flush(media->ctx))
		rf_ata_fail(drive, RF_ATA_UNC);
	else
		rf_ata_done(drive);
}

void rf_disk_command(struct rf_ata_drive *drive, uint8_t command)
{
	switch (command) {
	case CMD_READ:
	case CMD_READ_ONCE:
		read_sectors(drive, false, 1);
		break;
	case CMD_READ_EXT:
		read_sectors(drive, true, 1);
		break;
	case CMD_READ_MULTIPLE:
		read_sectors(drive, false, drive->multiple);
		break;
	case CMD_READ_MULTIPLE_EXT:
		read_sectors(drive, true, drive->multiple);
		break;
	case CMD_WRITE:
	case CMD_WRITE_ONCE:
		write_sectors(drive, false, 1);
		break;
	case CMD_WRITE_EXT:
		write_sectors(drive, true, 1);
		break;
	case CMD_WRITE_MULTIPLE:
		write_sectors(drive, false, drive->multiple);
		break;
	case CMD_WRITE_MULTIPLE_EXT:
		write_sectors(drive, true, drive->multiple);
		break;
	case CMD_VERIFY:
	case CMD_VERIFY_ONCE:
		verify(drive, false);
		break;
	case CMD_VERIFY_EXT:
		verify(drive, true);
		break;
	case CMD_SET_MULTIPLE:
		set_multiple(drive);
		break;
	case CMD_IDENTIFY:
		identify(drive);
		break;
	case CMD_SET_FEATURES:
		rf_ata_set_features(drive);
		break;
	case CMD_FLUSH:
	case CMD_FLUSH_EXT:
		flush(drive);
		break;
	case CMD_CHECK_POWER:
		drive->count[0] = 0xff;		/* on */
		rf_ata_done(drive);
		break;
	case CMD_RECALIBRATE:
	case CMD_SEEK:
	case CMD_INIT_PARAMETERS:
	case CMD_STANDBY_NOW:
	case CMD_IDLE_NOW:
	case CMD_STANDBY:
	case CMD_IDLE:
	case CMD_SLEEP:
		rf_ata_done(drive);
		break;
	default:
		rf_ata_fail(drive, RF_ATA_ABRT);
		break;
	}
}
