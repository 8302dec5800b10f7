// SPDX-License-Identifier: GPL-2.0
/*
 * atapi_test.c - a CD-ROM drive, packet by packet
 *
 * Sources: userland/ata.c userland/disk.c userland/atapi.c
 */
#include "fake_medium.h"
#include "tap.h"

#define SECTORS		100U
#define READY		0x50
#define ASKS		0x58

static struct rf_ata ata;
static uint8_t data[256 << 10];
static uint32_t nr_data;

#define READ(_reg)		rf_ata_read(&ata, RF_ATA_##_reg)
#define WRITE(_reg, _value)	rf_ata_write(&ata, RF_ATA_##_reg, _value)

/* Send a packet, and take what comes in pieces of @limit.  Return: the status. */
static uint8_t packet_in(const char *bytes, size_t len, uint16_t limit)
{
	uint8_t packet[12] = { 0 };

	memcpy(packet, bytes, len);
	nr_data = 0;
	WRITE(ERROR, 0);
	WRITE(LBA_MID, limit);
	WRITE(LBA_HIGH, limit >> 8);
	WRITE(STATUS, 0xa0);
	if (READ(STATUS) != (RF_ATA_DRDY | RF_ATA_DRQ) || READ(COUNT) != 1)
		return 0xee;
	rf_ata_write_data(&ata, packet, sizeof(packet));
	while (READ(STATUS) == ASKS) {
		uint32_t now = READ(LBA_MID) | READ(LBA_HIGH) << 8;

		if (READ(COUNT) != 2 || !now || now > limit || nr_data + now > sizeof(data))
			return 0xee;
		rf_ata_read_data(&ata, data + nr_data, now);
		nr_data += now;
	}
	return READ(COUNT) == 3 ? READ(STATUS) : 0xee;
}

#define PACKET(_bytes)		packet_in(_bytes, sizeof(_bytes) - 1, 0xfffe)

/* It failed so, and says so when asked. */
static bool failed(uint8_t status, uint8_t key, uint8_t code)
{
	if (status != (READY | RF_ATA_ERR) || READ(ERROR) != (key << 4 | RF_ATA_ABRT))
		return false;
	return PACKET("\x03\0\0\0\x12") == READY && nr_data == 18 && data[2] == key &&
	       data[12] == code;
}

static void start(void)
{
	medium_make(SECTORS * 2048);
	medium.media.read_only = true;
	memset(&ata, 0, sizeof(ata));
	rf_ata_attach(&ata, 0, true, &medium.media);
	rf_ata_reset(&ata);
}

static void start_ready(void)
{
	start();
	PACKET("\0");
	PACKET("\x03\0\0\0\x12");
}

static void it_signs_as_what_it_is(void)
{
	start();
	EXPECT_EQ(READ(STATUS), 0);
	EXPECT_EQ(READ(LBA_MID), 0x14);
	EXPECT_EQ(READ(LBA_HIGH), 0xeb);
	WRITE(LBA_MID, 0);
	WRITE(STATUS, 0xec);
	EXPECT_EQ(READ(STATUS), READY | RF_ATA_ERR);
	EXPECT_EQ(READ(LBA_MID), 0x14);
	WRITE(STATUS, 0xa1);
	EXPECT_EQ(READ(STATUS), ASKS);
	rf_ata_read_data(&ata, data, 512);
	EXPECT_EQ(READ(STATUS), READY);
	EXPECT_EQ(data[0] | data[1] << 8, 0x85c0);
	WRITE(STATUS, 0x20);
	EXPECT_EQ(READ(STATUS), READY | RF_ATA_ERR);
	WRITE(STATUS, 0x08);
	EXPECT_EQ(READ(STATUS), 0);
	EXPECT_EQ(READ(ERROR), 1);
}

/* A reset is told once; INQUIRY is answered even before. */
static void a_reset_is_told(void)
{
	start();
	EXPECT_EQ(PACKET("\x12\0\0\0\x24"), READY);
	EXPECT_EQ(nr_data, 36);
	EXPECT_EQ(data[0], 5);
	EXPECT(!memcmp(data + 8, "RFENCE  CD-ROM", 14));
	EXPECT(failed(PACKET("\0"), 6, 0x29));
	EXPECT_EQ(PACKET("\0"), READY);
	EXPECT_EQ(PACKET("\x03\0\0\0\x12"), READY);
	EXPECT_EQ(data[2], 0);
}

static void sectors_are_read(void)
{
	start_ready();
	EXPECT_EQ(PACKET("\x25"), READY);
	EXPECT_EQ(data[3], SECTORS - 1);
	EXPECT_EQ(data[6], 8);
	EXPECT_EQ(PACKET("\x28\0\0\0\0\x05\0\0\x50"), READY);
	EXPECT_EQ(nr_data, 80 * 2048);
	EXPECT(!memcmp(data, medium.bytes + 5 * 2048, nr_data));
	EXPECT_EQ(PACKET("\xa8\0\0\0\0\x63\0\0\0\x01"), READY);
	EXPECT(!memcmp(data, medium.bytes + 99 * 2048, 2048));
	EXPECT_EQ(PACKET("\x28\0\0\0\0\0\0\0\0"), READY);
	EXPECT_EQ(nr_data, 0);
}

/* The guest says how much it takes with one DRQ. */
static void pieces_are_as_small_as_asked_for(void)
{
	static const char read[] = "\x28\0\0\0\0\x01\0\0\x02";

	start_ready();
	for (unsigned int limit = 2; limit < 5000; limit += 333) {
		memset(data, 0, 4096);
		EXPECT_EQ(packet_in(read, 9, limit), READY);
		EXPECT_EQ(nr_data, 4096);
		EXPECT(!memcmp(data, medium.bytes + 2048, 4096));
	}
}

static void what_is_not_there_is_refused(void)
{
	start_ready();
	EXPECT(failed(PACKET("\x28\0\0\0\0\x63\0\0\x02"), 5, 0x21));
	EXPECT(failed(PACKET("\xa8\0\xff\xff\xff\xff\xff\xff\xff\xff"), 5, 0x21));
	EXPECT(failed(PACKET("\x2a\0\0\0\0\0\0\0\x01"), 5, 0x20));
	EXPECT(failed(PACKET("\x12\x01\x80\0\xff"), 5, 0x24));
	EXPECT(failed(PACKET("\x1b\0\0\0\x02"), 5, 0x53));
	medium.bad = 50 * 2048;
	EXPECT(failed(PACKET("\x28\0\0\0\0\x31\0\0\x02"), 3, 0x11));
	EXPECT_EQ(PACKET("\x28\0\0\0\0\x31\0\0\x01"), READY);
	/* DMA */
	WRITE(ERROR, 1);
	WRITE(STATUS, 0xa0);
	EXPECT_EQ(READ(STATUS), READY | RF_ATA_ERR);
}

static void the_disc_has_one_track(void)
{
	start_ready();
	EXPECT_EQ(PACKET("\x43\0\0\0\0\0\0\0\x40"), READY);
	EXPECT_EQ(nr_data, 20);
	EXPECT_EQ(data[1], 18);
	EXPECT_EQ(data[6], 1);
	EXPECT_EQ(data[5], 0x14);
	EXPECT_EQ(data[14], 0xaa);
	EXPECT_EQ(data[19], SECTORS);
	EXPECT_EQ(PACKET("\x43\x02\0\0\0\0\xaa\0\x40"), READY);
	EXPECT_EQ(nr_data, 12);
	EXPECT_EQ(data[9], 0);
	EXPECT_EQ(data[10], 3);		/* 150 + 100 frames */
	EXPECT_EQ(data[11], 25);
	EXPECT_EQ(PACKET("\x43\0\x01\0\0\0\0\0\x40"), READY);
	EXPECT_EQ(nr_data, 12);
	EXPECT(failed(PACKET("\x43\0\0\0\0\0\x05\0\x40"), 5, 0x24));
	EXPECT_EQ(PACKET("\x43\0\0\0\0\0\0\0\x04"), READY);
	EXPECT_EQ(nr_data, 4);
}

static void it_tells_about_itself(void)
{
	start_ready();
	EXPECT_EQ(PACKET("\x46\0\0\0\0\0\0\0\xff"), READY);
	EXPECT_EQ(data[7], 8);
	EXPECT_EQ(nr_data, data[3] + 4);
	EXPECT_EQ(PACKET("\x4a\x01\0\0\x10\0\0\0\x08"), READY);
	EXPECT_EQ(data[5], 2);
	EXPECT_EQ(PACKET("\x5a\0\x3f\0\0\0\0\0\xff"), READY);
	EXPECT_EQ(nr_data, data[1] + 2);
	EXPECT_EQ(PACKET("\x5a\0\x2a\0\0\0\0\0\x80"), READY);
	EXPECT_EQ(data[8], 0x2a);
	EXPECT(failed(PACKET("\x5a\0\x0d\0\0\0\0\0\x80"), 5, 0x24));
	EXPECT_EQ(PACKET("\x51\0\0\0\0\0\0\0\x22"), READY);
	EXPECT_EQ(nr_data, 34);
	EXPECT_EQ(PACKET("\xbd\0\0\0\0\0\0\0\0\x08"), READY);
	EXPECT_EQ(nr_data, 8);
	EXPECT_EQ(PACKET("\x1e\0\0\0\x01"), READY);
}

static const struct tap_case cases[] = {
	TAP_CASE(it_signs_as_what_it_is),
	TAP_CASE(a_reset_is_told),
	TAP_CASE(sectors_are_read),
	TAP_CASE(pieces_are_as_small_as_asked_for),
	TAP_CASE(what_is_not_there_is_refused),
	TAP_CASE(the_disc_has_one_track),
	TAP_CASE(it_tells_about_itself),
};

int main(void)
{
	return TAP_RUN(cases);
}
