// SPDX-License-Identifier: GPL-2.0
/*
 * atapi.c - commands of an ATAPI CD-ROM drive  (pure)
 *
 *	PACKET -> 12 bytes -> a table of SCSI commands -> bytes, or sense data
 *
 * The disc is one data track.  It cannot be taken out.
 */
#include <string.h>

#include "ata.h"

#define PACKET_LEN	12

/* The count register while a packet is under way. */
#define REASON_COMMAND	1		/* packet, rather than data */
#define REASON_IN	2		/* to the guest */

#define LEAD_OUT	0xaa
#define TRACK_1_DATA	0x14		/* ADR 1, data */

enum command {
	CMD_DEVICE_RESET = 0x08,
	CMD_PACKET = 0xa0,
	CMD_IDENTIFY_PACKET = 0xa1,
	CMD_STANDBY_NOW = 0xe0,
	CMD_IDLE_NOW = 0xe1,
	CMD_CHECK_POWER = 0xe5,
	CMD_SLEEP = 0xe6,
	CMD_IDENTIFY = 0xec,
	CMD_SET_FEATURES = 0xef,
};

enum scsi_command {
	SCSI_TEST_UNIT_READY = 0x00,
	SCSI_REQUEST_SENSE = 0x03,
	SCSI_INQUIRY = 0x12,
	SCSI_START_STOP = 0x1b,
	SCSI_PREVENT_REMOVAL = 0x1e,
	SCSI_READ_CAPACITY = 0x25,
	SCSI_READ_10 = 0x28,
	SCSI_SEEK = 0x2b,
	SCSI_READ_TOC = 0x43,
	SCSI_GET_CONFIGURATION = 0x46,
	SCSI_GET_EVENT = 0x4a,
	SCSI_READ_DISC_INFO = 0x51,
	SCSI_MODE_SENSE_10 = 0x5a,
	SCSI_READ_12 = 0xa8,
	SCSI_SET_SPEED = 0xbb,
	SCSI_MECHANISM_STATUS = 0xbd,
};

/* Key, code and qualifier. */
static const uint8_t sense_none[3] = { 0x00, 0x00, 0x00 };
static const uint8_t sense_read_error[3] = { 0x03, 0x11, 0x00 };
static const uint8_t sense_bad_command[3] = { 0x05, 0x20, 0x00 };
static const uint8_t sense_out_of_range[3] = { 0x05, 0x21, 0x00 };
static const uint8_t sense_bad_field[3] = { 0x05, 0x24, 0x00 };
static const uint8_t sense_no_eject[3] = { 0x05, 0x53, 0x02 };
static const uint8_t sense_reset[3] = { 0x06, 0x29, 0x00 };

static uint32_t get_be(const uint8_t *from, unsigned int len)
{
	uint32_t value = 0;

	while (len--)
		value = value << 8 | *from++;
	return value;
}

static void put_be(uint8_t *to, unsigned int len, uint32_t value)
{
	while (len--) {
		to[len] = value;
		value >>= 8;
	}
}

/*
 * How a packet ends
 */

static void packet_done(struct rf_ata_drive *drive)
{
	rf_ata_done(drive);
	drive->count[0] = REASON_COMMAND | REASON_IN;
}

static void packet_good(struct rf_ata_drive *drive)
{
	memcpy(drive->sense, sense_none, sizeof(drive->sense));
	packet_done(drive);
}

static void packet_failed(struct rf_ata_drive *drive, const uint8_t *sense)
{
	memcpy(drive->sense, sense, sizeof(drive->sense));
	packet_done(drive);
	drive->status |= RF_ATA_ERR;
	drive->error = sense[0] << 4 | RF_ATA_ABRT;
}

/* The guest takes at most @wanted of the @len bytes in the buffer. */
static void packet_give(struct rf_ata_drive *drive, uint32_t len, uint32_t wanted)
{
	drive->nr_left = 0;
	if (len > wanted)
		len = wanted;
	if (len)
		rf_ata_give(drive, len, drive->limit);
	else
		packet_good(drive);
}

void rf_atapi_block(struct rf_ata_drive *drive, uint32_t len)
{
	if (drive->transfer == RF_ATA_TAKE_PACKET) {
		drive->count[0] = REASON_COMMAND;
		return;
	}
	drive->count[0] = REASON_IN;
	drive->lba[1][0] = len;
	drive->lba[2][0] = len >> 8;
}

/*
 * Sectors
 */

static void read_more(struct rf_ata_drive *drive)
{
	const struct rf_ata_media *media = drive->media;
	uint32_t nr = RF_ATA_BUFFER / RF_CD_SECTOR;

	if (nr > drive->nr_left)
		nr = drive->nr_left;
	if (media->read(media->ctx, drive->sector * RF_CD_SECTOR, drive->buffer,
			nr * RF_CD_SECTOR)) {
		packet_failed(drive, sense_read_error);
		return;
	}
	drive->sector += nr;
	drive->nr_left -= nr;
	rf_ata_give(drive, nr * RF_CD_SECTOR, drive->limit);
}

void rf_atapi_given(struct rf_ata_drive *drive)
{
	if (drive->nr_left)
		read_more(drive);
	else
		packet_good(drive);
}

static void read_sectors(struct rf_ata_drive *drive, uint32_t first, uint32_t nr)
{
	if (first > drive->nr_sectors || nr > drive->nr_sectors - first) {
		packet_failed(drive, sense_out_of_range);
		return;
	}
	drive->sector = first;
	drive->nr_left = nr;
	rf_atapi_given(drive);
}

/*
 * What the drive says of itself and of the disc
 */

static void scsi_request_sense(struct rf_ata_drive *drive, const uint8_t *packet)
{
	uint8_t *data = drive->buffer;
	const uint8_t *sense = drive->sense;

	if (drive->attention && !sense[0])
		sense = sense_reset;
	drive->attention = false;
	memset(data, 0, 18);
	data[0] = 0x70;
	data[2] = sense[0];
	data[7] = 10;
	data[12] = sense[1];
	data[13] = sense[2];
	memcpy(drive->sense, sense_none, sizeof(drive->sense));
	packet_give(drive, 18, packet[4]);
}

static void scsi_inquiry(struct rf_ata_drive *drive, const uint8_t *packet)
{
	static const uint8_t head[8] = { 0x05, 0x80, 0x00, 0x21, 31 };

	if (packet[1] & 1 || packet[2]) {	/* no vital product data */
		packet_failed(drive, sense_bad_field);
		return;
	}
	memcpy(drive->buffer, head, sizeof(head));
	memcpy(drive->buffer + 8, "RFENCE  CD-ROM          1.0 ", 28);
	packet_give(drive, 36, get_be(packet + 3, 2));
}

static void scsi_read_capacity(struct rf_ata_drive *drive)
{
	put_be(drive->buffer, 4, drive->nr_sectors ? drive->nr_sectors - 1 : 0);
	put_be(drive->buffer + 4, 4, RF_CD_SECTOR);
	packet_give(drive, 8, 8);
}

/* An address as minute, second and frame, from the beginning of the lead-in. */
static void put_address(uint8_t *to, uint32_t sector, bool msf)
{
	if (!msf) {
		put_be(to, 4, sector);
		return;
	}
	sector += 150;
	to[0] = 0;
	to[1] = sector / (75 * 60);
	to[2] = sector / 75 % 60;
	to[3] = sector % 75;
}

static uint8_t *put_track(uint8_t *to, uint8_t track, uint32_t sector, bool msf)
{
	to[0] = 0;
	to[1] = TRACK_1_DATA;
	to[2] = track;
	to[3] = 0;
	put_address(to + 4, sector, msf);
	return to + 8;
}

static void scsi_read_toc(struct rf_ata_drive *drive, const uint8_t *packet)
{
	uint8_t format = packet[2] & 0xf ? packet[2] & 0xf : packet[9] >> 6;
	uint8_t first = packet[6];
	bool msf = packet[1] & 2;
	uint8_t *data = drive->buffer, *end = data + 4;

	if (format > 1 || (format == 0 && first > 1 && first != LEAD_OUT)) {
		packet_failed(drive, sense_bad_field);
		return;
	}
	if (format == 1 || first <= 1)		/* sessions: the first is the last */
		end = put_track(end, 1, 0, msf);
	if (format == 0)
		end = put_track(end, LEAD_OUT, drive->nr_sectors, msf);
	put_be(data, 2, end - data - 2);
	data[2] = 1;
	data[3] = 1;
	packet_give(drive, end - data, get_be(packet + 7, 2));
}

static void scsi_get_configuration(struct rf_ata_drive *drive, const uint8_t *packet)
{
	static const uint8_t features[] = {
		0, 0, 0, 16, 0, 0, 0, 8,	/* 16 more bytes; profile: CD-ROM */
		0, 0, 0x03, 4, 0, 8, 1, 0,	/* list of profiles */
		0, 1, 0x03, 4, 0, 0, 0, 2,	/* core: ATAPI */
	};

	memcpy(drive->buffer, features, sizeof(features));
	put_be(drive->buffer, 4, sizeof(features) - 4);
	packet_give(drive, sizeof(features), get_be(packet + 7, 2));
}

/* Of media events there is never one: a disc is in, and the tray is closed. */
static void scsi_get_event(struct rf_ata_drive *drive, const uint8_t *packet)
{
	static const uint8_t event[8] = { 0, 6, 4, 0x10, 0, 2, 0, 0 };
	static const uint8_t other[4] = { 0, 2, 0x80, 0x10 };
	bool is_media = packet[4] & 0x10;
	uint32_t len = is_media ? sizeof(event) : sizeof(other);

	if (!(packet[1] & 1)) {			/* in its own time: not here */
		packet_failed(drive, sense_bad_field);
		return;
	}
	memcpy(drive->buffer, is_media ? event : other, len);
	packet_give(drive, len, get_be(packet + 7, 2));
}

/* Finished, one session, one track. */
static void scsi_read_disc_info(struct rf_ata_drive *drive, const uint8_t *packet)
{
	static const uint8_t info[34] = { 0, 32, 0x0e, 1, 1, 1, 1, 0x20 };

	memcpy(drive->buffer, info, sizeof(info));
	packet_give(drive, sizeof(info), get_be(packet + 7, 2));
}

static void scsi_mechanism_status(struct rf_ata_drive *drive, const uint8_t *packet)
{
	static const uint8_t status[8] = { 0, 0, 0, 0, 0, 1 };

	memcpy(drive->buffer, status, sizeof(status));
	packet_give(drive, sizeof(status), get_be(packet + 8, 2));
}

/* Pages: error recovery; capabilities, which read and write no other disc. */
static void scsi_mode_sense(struct rf_ata_drive *drive, const uint8_t *packet)
{
	static const uint8_t recovery[8] = { 0x01, 6, 0, 5 };
	static const uint8_t capabilities[20] = {
		0x2a, 18, 0, 0, 0, 0, 0x20, 0, 0x0b, 0, 0, 2, 0, 0, 0x0b,
	};
	uint8_t page = packet[2] & 0x3f, *data = drive->buffer, *end = data + 8;

	if (packet[2] >> 6 == 3 || (page != 0x01 && page != 0x2a && page != 0x3f)) {
		packet_failed(drive, sense_bad_field);
		return;
	}
	memset(data, 0, 8);
	if (page != 0x2a) {
		memcpy(end, recovery, sizeof(recovery));
		end += sizeof(recovery);
	}
	if (page != 0x01) {
		memcpy(end, capabilities, sizeof(capabilities));
		end += sizeof(capabilities);
	}
	put_be(data, 2, end - data - 2);
	data[2] = 0x01;				/* a CD-ROM, of data */
	packet_give(drive, end - data, get_be(packet + 7, 2));
}

static void scsi_start_stop(struct rf_ata_drive *drive, const uint8_t *packet)
{
	/* Load and eject: it stays where it is. */
	if ((packet[4] & 3) == 2)
		packet_failed(drive, sense_no_eject);
	else
		packet_good(drive);
}

/*
 * Dispatch
 */

static void run_packet(struct rf_ata_drive *drive, const uint8_t *packet)
{
	switch (packet[0]) {
	case SCSI_REQUEST_SENSE:
		scsi_request_sense(drive, packet);
		break;
	case SCSI_INQUIRY:
		scsi_inquiry(drive, packet);
		break;
	case SCSI_READ_CAPACITY:
		scsi_read_capacity(drive);
		break;
	case SCSI_READ_10:
		read_sectors(drive, get_be(packet + 2, 4), get_be(packet + 7, 2));
		break;
	case SCSI_READ_12:
		read_sectors(drive, get_be(packet + 2, 4), get_be(packet + 6, 4));
		break;
	case SCSI_READ_TOC:
		scsi_read_toc(drive, packet);
		break;
	case SCSI_GET_CONFIGURATION:
		scsi_get_configuration(drive, packet);
		break;
	case SCSI_GET_EVENT:
		scsi_get_event(drive, packet);
		break;
	case SCSI_READ_DISC_INFO:
		scsi_read_disc_info(drive, packet);
		break;
	case SCSI_MECHANISM_STATUS:
		scsi_mechanism_status(drive, packet);
		break;
	case SCSI_MODE_SENSE_10:
		scsi_mode_sense(drive, packet);
		break;
	case SCSI_START_STOP:
		scsi_start_stop(drive, packet);
		break;
	case SCSI_TEST_UNIT_READY:
	case SCSI_PREVENT_REMOVAL:
	case SCSI_SEEK:
	case SCSI_SET_SPEED:
		packet_good(drive);
		break;
	default:
		packet_failed(drive, sense_bad_command);
		break;
	}
}

/* These are answered even before the guest has heard of a reset. */
static bool needs_no_attention(uint8_t command)
{
	return command == SCSI_INQUIRY || command == SCSI_REQUEST_SENSE ||
	       command == SCSI_GET_CONFIGURATION || command == SCSI_GET_EVENT;
}

void rf_atapi_packet(struct rf_ata_drive *drive)
{
	uint8_t packet[PACKET_LEN];

	/* The answer goes where the packet is. */
	memcpy(packet, drive->buffer, sizeof(packet));
	if (drive->attention && !needs_no_attention(packet[0])) {
		drive->attention = false;
		packet_failed(drive, sense_reset);
		return;
	}
	run_packet(drive, packet);
}

static void take_packet(struct rf_ata_drive *drive)
{
	uint32_t limit = drive->lba[1][0] | drive->lba[2][0] << 8;

	/* Features: DMA and overlap, of which there is neither. */
	if (drive->feature[0] & 3) {
		rf_ata_fail(drive, RF_ATA_ABRT);
		return;
	}
	/* Whole words but for the last: an odd limit has one byte of no use. */
	drive->limit = limit > 1 ? limit & ~1U : 0xfffe;
	drive->transfer = RF_ATA_TAKE_PACKET;
	drive->at = 0;
	drive->filled = PACKET_LEN;
	drive->block_end = PACKET_LEN;
	drive->status = RF_ATA_DRDY | RF_ATA_DRQ;
	rf_atapi_block(drive, PACKET_LEN);
}

static void identify(struct rf_ata_drive *drive)
{
	rf_ata_identify(drive, "RINGFENCE CD-ROM");
	/* ATAPI, a CD-ROM, removable, DRQ within 50 us, packets of 12 bytes. */
	rf_ata_set_word(drive, 0, 0x85c0);
	rf_ata_set_word(drive, 53, 0x0002);	/* words 64 to 70 are good */
	rf_ata_set_word(drive, 82, 0x4210);	/* NOP, DEVICE RESET, PACKET */
	rf_ata_set_word(drive, 83, 0x4000);
	rf_ata_set_word(drive, 84, 0x4000);
	rf_ata_set_word(drive, 85, 0x4210);
	rf_ata_set_word(drive, 87, 0x4000);
	rf_ata_set_word(drive, 93, 0x4041);
	drive->limit = RF_ATA_SECTOR;
	packet_give(drive, RF_ATA_SECTOR, RF_ATA_SECTOR);
}

void rf_atapi_command(struct rf_ata_drive *drive, uint8_t command)
{
	switch (command) {
	case CMD_PACKET:
		take_packet(drive);
		break;
	case CMD_IDENTIFY_PACKET:
		identify(drive);
		break;
	case CMD_IDENTIFY:
		rf_ata_sign(drive);
		rf_ata_fail(drive, RF_ATA_ABRT);
		break;
	case CMD_DEVICE_RESET:
		rf_ata_sign(drive);
		drive->status = 0;
		drive->error = 1;
		break;
	case CMD_SET_FEATURES:
		rf_ata_set_features(drive);
		break;
	case CMD_CHECK_POWER:
		drive->count[0] = 0xff;
		rf_ata_done(drive);
		break;
	case CMD_STANDBY_NOW:
	case CMD_IDLE_NOW:
	case CMD_SLEEP:
		rf_ata_done(drive);
		break;
	default:
		rf_ata_fail(drive, RF_ATA_ABRT);
		break;
	}
}
