/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An ATA channel: two positions behind one set of registers  (pure)
 *
 *	ata.c	registers, transfers	disk.c	commands of a disk
 *					atapi.c	commands of a CD-ROM drive
 *
 * A guest may write any register at any time.  Every command is carried out at
 * once, so BSY is never seen, and nobody waits for an interrupt.
 */
#ifndef RF_ATA_H
#define RF_ATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_ATA_SECTOR		512
#define RF_CD_SECTOR		2048
#define RF_ATA_MAX_MULTIPLE	16	/* sectors in one go */
#define RF_ATA_BUFFER		(64U << 10)

/* Registers of the command block; 0 is data. */
enum rf_ata_register {
	RF_ATA_DATA,
	RF_ATA_ERROR,			/* written: features */
	RF_ATA_COUNT,
	RF_ATA_LBA_LOW,
	RF_ATA_LBA_MID,
	RF_ATA_LBA_HIGH,
	RF_ATA_DEVICE,
	RF_ATA_STATUS,			/* written: command */
	RF_ATA_CONTROL,			/* read: status, by its other name */
};

/* Status and error. */
enum rf_ata_bits {
	RF_ATA_ERR = 0x01,
	RF_ATA_DRQ = 0x08,
	RF_ATA_DSC = 0x10,
	RF_ATA_DF = 0x20,
	RF_ATA_DRDY = 0x40,
	RF_ATA_BSY = 0x80,

	RF_ATA_ABRT = 0x04,
	RF_ATA_IDNF = 0x10,
	RF_ATA_UNC = 0x40,
};

/**
 * struct rf_ata_media - what is behind a drive
 * @read: @len bytes from @offset; 0 if they could be had
 * @write: The other way
 * @flush: What was written is to stay
 * @ctx: For these
 * @len: Bytes there are
 * @read_only: @write is never called
 * @serial: Serial number, up to 20 letters
 *
 * @offset and @len are whole sectors, and inside the medium.
 */
struct rf_ata_media {
	int (*read)(void *ctx, uint64_t offset, void *buf, size_t len);
	int (*write)(void *ctx, uint64_t offset, const void *buf, size_t len);
	int (*flush)(void *ctx);
	void *ctx;
	uint64_t len;
	bool read_only;
	char serial[21];
};

/* Which way the bytes at the data register go. */
enum rf_ata_transfer {
	RF_ATA_IDLE,
	RF_ATA_GIVE,			/* to the guest */
	RF_ATA_TAKE,			/* from the guest */
	RF_ATA_TAKE_PACKET,
};

/**
 * struct rf_ata_drive - one position
 * @media: What is in it, or NULL: there is no drive
 * @is_cdrom: It speaks ATAPI
 * @nr_sectors: Of the drive's own size
 * @status: RF_ATA_* bits
 * @error: RF_ATA_* bits, or an ATAPI sense key
 * @feature: Last value written, and the one before
 * @count: The same
 * @lba: The same, of the three registers
 * @device: Device register
 * @multiple: Sectors in one go, or 0
 * @write_cache: SET FEATURES
 * @transfer: enum rf_ata_transfer
 * @at: Bytes of @buffer that have been transferred
 * @block_end: End of what goes with one DRQ
 * @filled: Bytes of @buffer that are, or will be, good
 * @block: Bytes with one DRQ
 * @ext: The command has a 48-bit address
 * @sector: Next one between medium and @buffer
 * @nr_left: Sectors after those in @buffer
 * @sense: Sense key, code and qualifier of the last packet that failed
 * @attention: The guest has not heard of the reset
 * @limit: ATAPI: bytes the guest wants with one DRQ
 * @buffer: Data on its way
 */
struct rf_ata_drive {
	const struct rf_ata_media *media;
	bool is_cdrom;
	uint64_t nr_sectors;

	uint8_t status;
	uint8_t error;
	uint8_t feature[2];
	uint8_t count[2];
	uint8_t lba[3][2];
	uint8_t device;
	uint8_t multiple;
	bool write_cache;

	enum rf_ata_transfer transfer;
	uint32_t at;
	uint32_t block_end;
	uint32_t filled;
	uint32_t block;
	bool ext;
	uint64_t sector;
	uint32_t nr_left;

	uint8_t sense[3];
	bool attention;
	uint32_t limit;

	uint8_t buffer[RF_ATA_BUFFER];
};

/**
 * struct rf_ata - a channel
 * @drives: Master and slave
 * @selected: Which of them is talked to
 * @control: Device control register
 */
struct rf_ata {
	struct rf_ata_drive drives[2];
	uint8_t selected;
	uint8_t control;
};

/* Put a drive in @position, 0 or 1.  @media is to stay. */
void rf_ata_attach(struct rf_ata *ata, unsigned int position, bool is_cdrom,
		   const struct rf_ata_media *media);

/* The power is switched on. */
void rf_ata_reset(struct rf_ata *ata);

/* RF_ATA_ERROR to RF_ATA_CONTROL. */
uint8_t rf_ata_read(struct rf_ata *ata, enum rf_ata_register reg);
void rf_ata_write(struct rf_ata *ata, enum rf_ata_register reg, uint8_t value);

/* RF_ATA_DATA: the next @len bytes. */
void rf_ata_read_data(struct rf_ata *ata, void *buf, size_t len);
void rf_ata_write_data(struct rf_ata *ata, const void *buf, size_t len);

/*
 * Between the three files.
 */

/* A command is over: well, or with RF_ATA_ERR and @error. */
void rf_ata_done(struct rf_ata_drive *drive);
void rf_ata_fail(struct rf_ata_drive *drive, uint8_t error);

/* @filled bytes are in the buffer and go to the guest, @block with one DRQ. */
void rf_ata_give(struct rf_ata_drive *drive, uint32_t filled, uint32_t block);

/* They come from the guest. */
void rf_ata_take(struct rf_ata_drive *drive, uint32_t filled, uint32_t block);

/* Put the signature into the registers, by which the kind of drive is known. */
void rf_ata_sign(struct rf_ata_drive *drive);

/* Words 10 to 46 of IDENTIFY, and what else both kinds have. */
void rf_ata_identify(struct rf_ata_drive *drive, const char *model);
void rf_ata_set_word(struct rf_ata_drive *drive, unsigned int word, uint16_t value);

/* SET FEATURES, by both kinds. */
void rf_ata_set_features(struct rf_ata_drive *drive);

/* disk.c: a command; the buffer has been given or taken. */
void rf_disk_command(struct rf_ata_drive *drive, uint8_t command);
void rf_disk_given(struct rf_ata_drive *drive);
void rf_disk_taken(struct rf_ata_drive *drive);

/* atapi.c: the same; a DRQ begins; a packet is in the buffer. */
void rf_atapi_command(struct rf_ata_drive *drive, uint8_t command);
void rf_atapi_given(struct rf_ata_drive *drive);
void rf_atapi_block(struct rf_ata_drive *drive, uint32_t len);
void rf_atapi_packet(struct rf_ata_drive *drive);

#endif /* RF_ATA_H */
