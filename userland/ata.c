// SPDX-License-Identifier: GPL-2.0
/*
 * ata.c - registers and transfers of an ATA channel  (pure)
 */
#include <string.h>

#include "ata.h"

/* Device control. */
#define CONTROL_RESET		0x04
#define CONTROL_PREVIOUS	0x80	/* read what was written before the last */

#define DEVICE_SLAVE		0x10
#define DEVICE_ONES		0xa0

enum feature {
	FEATURE_CACHE_ON = 0x02,
	FEATURE_MODE = 0x03,
	FEATURE_NO_AHEAD = 0x55,
	FEATURE_CACHE_OFF = 0x82,
	FEATURE_AHEAD = 0xaa,
};

static struct rf_ata_drive *selected(struct rf_ata *ata)
{
	return &ata->drives[ata->selected];
}

/*
 * Transfers
 */

void rf_ata_done(struct rf_ata_drive *drive)
{
	drive->transfer = RF_ATA_IDLE;
	drive->status = RF_ATA_DRDY | RF_ATA_DSC;
	drive->error = 0;
}

void rf_ata_fail(struct rf_ata_drive *drive, uint8_t error)
{
	rf_ata_done(drive);
	drive->status |= RF_ATA_ERR;
	drive->error = error;
}

static void begin_block(struct rf_ata_drive *drive)
{
	uint32_t len = drive->filled - drive->at;

	if (len > drive->block)
		len = drive->block;
	drive->block_end = drive->at + len;
	drive->status = RF_ATA_DRDY | RF_ATA_DSC | RF_ATA_DRQ;
	if (drive->is_cdrom)
		rf_atapi_block(drive, len);
}

static void begin_transfer(struct rf_ata_drive *drive, uint32_t filled, uint32_t block,
			   enum rf_ata_transfer transfer)
{
	drive->transfer = transfer;
	drive->at = 0;
	drive->filled = filled;
	drive->block = block;
	begin_block(drive);
}

void rf_ata_give(struct rf_ata_drive *drive, uint32_t filled, uint32_t block)
{
	begin_transfer(drive, filled, block, RF_ATA_GIVE);
}

void rf_ata_take(struct rf_ata_drive *drive, uint32_t filled, uint32_t block)
{
	begin_transfer(drive, filled, block, RF_ATA_TAKE);
}

/* The last byte of a DRQ has gone. */
static void end_block(struct rf_ata_drive *drive)
{
	if (drive->at < drive->filled) {
		begin_block(drive);
		return;
	}
	switch (drive->transfer) {
	case RF_ATA_GIVE:
		if (drive->is_cdrom)
			rf_atapi_given(drive);
		else
			rf_disk_given(drive);
		break;
	case RF_ATA_TAKE:
		rf_disk_taken(drive);
		break;
	default:
		rf_atapi_packet(drive);
		break;
	}
}

/* How much of @len the DRQ under way has. */
static size_t in_block(const struct rf_ata_drive *drive, size_t len)
{
	size_t left = drive->block_end - drive->at;

	return len < left ? len : left;
}

void rf_ata_read_data(struct rf_ata *ata, void *buf, size_t len)
{
	struct rf_ata_drive *drive = selected(ata);
	uint8_t *to = buf;

	while (len && drive->transfer == RF_ATA_GIVE) {
		size_t now = in_block(drive, len);

		memcpy(to, drive->buffer + drive->at, now);
		drive->at += now;
		to += now;
		len -= now;
		if (drive->at == drive->block_end)
			end_block(drive);
	}
	memset(to, 0xff, len);
}

void rf_ata_write_data(struct rf_ata *ata, const void *buf, size_t len)
{
	struct rf_ata_drive *drive = selected(ata);
	const uint8_t *from = buf;

	while (len && drive->transfer >= RF_ATA_TAKE) {
		size_t now = in_block(drive, len);

		memcpy(drive->buffer + drive->at, from, now);
		drive->at += now;
		from += now;
		len -= now;
		if (drive->at == drive->block_end)
			end_block(drive);
	}
}

/*
 * What both kinds of drive have
 */

void rf_ata_set_word(struct rf_ata_drive *drive, unsigned int word, uint16_t value)
{
	drive->buffer[2 * word] = value;
	drive->buffer[2 * word + 1] = value >> 8;
}

/* Text has its bytes swapped in each word, and blanks at its end. */
static void set_text(struct rf_ata_drive *drive, unsigned int word, unsigned int nr_words,
		     const char *text)
{
	uint8_t *to = drive->buffer + 2 * word;
	size_t len = strlen(text);

	for (size_t i = 0; i < 2 * nr_words; i++)
		to[i ^ 1] = i < len ? text[i] : ' ';
}

void rf_ata_identify(struct rf_ata_drive *drive, const char *model)
{
	memset(drive->buffer, 0, RF_ATA_SECTOR);
	set_text(drive, 10, 10, drive->media->serial);
	set_text(drive, 23, 4, "1.0");
	set_text(drive, 27, 20, model);
	rf_ata_set_word(drive, 49, 0x0a00);	/* LBA, IORDY; no DMA */
	rf_ata_set_word(drive, 50, 0x4000);
	rf_ata_set_word(drive, 51, 0x0200);	/* PIO mode 2 without IORDY */
	rf_ata_set_word(drive, 64, 0x0003);	/* 3 and 4 with it */
	for (unsigned int word = 65; word <= 68; word++)
		rf_ata_set_word(drive, word, 120);	/* ns of a cycle */
	rf_ata_set_word(drive, 80, 0x007e);	/* ATA-1 to ATA/ATAPI-6 */
}

void rf_ata_set_features(struct rf_ata_drive *drive)
{
	switch (drive->feature[0]) {
	case FEATURE_MODE:
		/* PIO of any speed, and no DMA. */
		if (drive->count[0] & 0xf0)
			break;
		rf_ata_done(drive);
		return;
	case FEATURE_CACHE_ON:
	case FEATURE_CACHE_OFF:
		if (drive->is_cdrom)
			break;
		drive->write_cache = drive->feature[0] == FEATURE_CACHE_ON;
		rf_ata_done(drive);
		return;
	case FEATURE_AHEAD:
	case FEATURE_NO_AHEAD:
		rf_ata_done(drive);
		return;
	}
	rf_ata_fail(drive, RF_ATA_ABRT);
}

void rf_ata_sign(struct rf_ata_drive *drive)
{
	drive->count[0] = 1;
	drive->lba[0][0] = 1;
	drive->lba[1][0] = drive->is_cdrom ? 0x14 : 0;
	drive->lba[2][0] = drive->is_cdrom ? 0xeb : 0;
	drive->device &= DEVICE_SLAVE;
}

static void reset_drive(struct rf_ata_drive *drive)
{
	rf_ata_done(drive);
	rf_ata_sign(drive);
	drive->device = 0;
	drive->error = 1;			/* it has passed its test */
	if (drive->is_cdrom)
		drive->status = 0;
	drive->attention = drive->is_cdrom;
	drive->write_cache = true;
	drive->multiple = drive->is_cdrom ? 0 : RF_ATA_MAX_MULTIPLE;
}

static void reset_drives(struct rf_ata *ata)
{
	ata->selected = 0;
	reset_drive(&ata->drives[0]);
	reset_drive(&ata->drives[1]);
}

void rf_ata_reset(struct rf_ata *ata)
{
	ata->control = 0;
	reset_drives(ata);
}

void rf_ata_attach(struct rf_ata *ata, unsigned int position, bool is_cdrom,
		   const struct rf_ata_media *media)
{
	struct rf_ata_drive *drive = &ata->drives[position & 1];

	drive->media = media;
	drive->is_cdrom = is_cdrom;
	drive->nr_sectors = media->len / (is_cdrom ? RF_CD_SECTOR : RF_ATA_SECTOR);
	reset_drive(drive);
}

/*
 * Registers
 */

static uint8_t read_register(const struct rf_ata_drive *drive, enum rf_ata_register reg,
			     unsigned int previous)
{
	switch (reg) {
	case RF_ATA_ERROR:
		return drive->error;
	case RF_ATA_COUNT:
		return drive->count[previous];
	case RF_ATA_LBA_LOW:
	case RF_ATA_LBA_MID:
	case RF_ATA_LBA_HIGH:
		return drive->lba[reg - RF_ATA_LBA_LOW][previous];
	case RF_ATA_DEVICE:
		return drive->device | DEVICE_ONES;
	default:
		return drive->status;
	}
}

uint8_t rf_ata_read(struct rf_ata *ata, enum rf_ata_register reg)
{
	const struct rf_ata_drive *drive = selected(ata);

	/* The master answers for a slave that is not there: with zeroes. */
	if (!drive->media)
		return ata->drives[0].media ? 0 : 0xff;
	if (ata->control & CONTROL_RESET && reg >= RF_ATA_STATUS)
		return RF_ATA_BSY;
	return read_register(drive, reg, !!(ata->control & CONTROL_PREVIOUS));
}

static void push(uint8_t *fifo, uint8_t value)
{
	fifo[1] = fifo[0];
	fifo[0] = value;
}

/* Both drives hear it. */
static void write_registers(struct rf_ata *ata, enum rf_ata_register reg, uint8_t value)
{
	for (unsigned int i = 0; i < 2; i++) {
		struct rf_ata_drive *drive = &ata->drives[i];

		if (reg == RF_ATA_ERROR)
			push(drive->feature, value);
		else if (reg == RF_ATA_COUNT)
			push(drive->count, value);
		else if (reg == RF_ATA_DEVICE)
			drive->device = value;
		else
			push(drive->lba[reg - RF_ATA_LBA_LOW], value);
	}
}

static void command(struct rf_ata *ata, uint8_t value)
{
	struct rf_ata_drive *drive = selected(ata);

	if (value == 0x90) {			/* EXECUTE DEVICE DIAGNOSTIC, of both */
		reset_drives(ata);
		return;
	}
	if (!drive->media)
		return;
	drive->transfer = RF_ATA_IDLE;
	if (drive->is_cdrom)
		rf_atapi_command(drive, value);
	else
		rf_disk_command(drive, value);
}

static void write_control(struct rf_ata *ata, uint8_t value)
{
	bool was = ata->control & CONTROL_RESET;

	ata->control = value;
	if (was && !(value & CONTROL_RESET))
		reset_drives(ata);
}

void rf_ata_write(struct rf_ata *ata, enum rf_ata_register reg, uint8_t value)
{
	if (reg == RF_ATA_CONTROL) {
		write_control(ata, value);
		return;
	}
	ata->control &= ~CONTROL_PREVIOUS;
	if (ata->control & CONTROL_RESET)
		return;
	if (reg == RF_ATA_STATUS) {
		command(ata, value);
		return;
	}
	write_registers(ata, reg, value);
	if (reg == RF_ATA_DEVICE)
		ata->selected = !!(value & DEVICE_SLAVE);
}
