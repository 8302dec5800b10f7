// SPDX-License-Identifier: GPL-2.0
/*
 * ata_test.c - a disk and its channel, register by register
 *
 * Sources: userland/ata.c userland/disk.c userland/atapi.c
 */
#include "fake_medium.h"
#include "tap.h"

#define SECTORS		512U
#define READY		0x50
#define ASKS		0x58		/* ready, and DRQ */
#define FAILED		0x51

static struct rf_ata ata;
static uint8_t data[256 << 10];

static void start(void)
{
	medium_make(SECTORS * 512);
	memset(&ata, 0, sizeof(ata));
	rf_ata_attach(&ata, 0, false, &medium.media);
	rf_ata_reset(&ata);
}

#define READ(_reg)		rf_ata_read(&ata, RF_ATA_##_reg)
#define WRITE(_reg, _value)	rf_ata_write(&ata, RF_ATA_##_reg, _value)

static uint8_t status(void)
{
	return READ(STATUS);
}

/* A command on @nr sectors (0: 256) from @lba. */
static void command(uint8_t command, uint32_t lba, uint8_t nr)
{
	WRITE(COUNT, nr);
	WRITE(LBA_LOW, lba);
	WRITE(LBA_MID, lba >> 8);
	WRITE(LBA_HIGH, lba >> 16);
	WRITE(DEVICE, 0xe0 | (lba >> 24 & 0xf));
	WRITE(STATUS, command);
}

static void command_ext(uint8_t command, uint64_t lba, uint16_t nr)
{
	WRITE(COUNT, nr >> 8);
	WRITE(COUNT, nr);
	for (int i = 0; i < 3; i++) {
		rf_ata_write(&ata, RF_ATA_LBA_LOW + i, lba >> (8 * (i + 3)));
		rf_ata_write(&ata, RF_ATA_LBA_LOW + i, lba >> (8 * i));
	}
	WRITE(DEVICE, 0xe0);
	WRITE(STATUS, command);
}

/* Take @len bytes, and see DRQ before each @block of them. */
static bool take(uint32_t len, uint32_t block)
{
	for (uint32_t at = 0; at < len; at += block) {
		if (status() != ASKS)
			return false;
		rf_ata_read_data(&ata, data + at, len - at < block ? len - at : block);
	}
	return status() == READY;
}

static bool give(uint32_t len, uint32_t block)
{
	for (uint32_t at = 0; at < len; at += block) {
		if (status() != ASKS)
			return false;
		rf_ata_write_data(&ata, data + at, len - at < block ? len - at : block);
	}
	return status() == READY;
}

static bool is_medium(uint32_t lba, uint32_t nr)
{
	return !memcmp(data, medium.bytes + lba * 512, nr * 512);
}

static bool failed(uint8_t error)
{
	return status() == FAILED && READ(ERROR) == error;
}

static uint16_t word(unsigned int nr)
{
	return data[2 * nr] | data[2 * nr + 1] << 8;
}

static void it_says_what_it_is(void)
{
	start();
	WRITE(STATUS, 0xec);
	EXPECT(take(512, 512));
	EXPECT_EQ(word(0), 0x0040);
	EXPECT_EQ(word(47), 0x8010);
	EXPECT_EQ(word(49) & 0x300, 0x200);	/* LBA, no DMA */
	EXPECT_EQ(word(59), 0x0110);
	EXPECT_EQ(word(60) | word(61) << 16, SECTORS);
	EXPECT_EQ(word(83) & 0xc400, 0x4400);
	EXPECT_EQ(word(100) | word(101) << 16, SECTORS);
	EXPECT(!memcmp(data + 20, "esirla1-", 8));
	EXPECT(!memcmp(data + 54, "IRGNEFCN ETA", 12));
	WRITE(STATUS, 0xa1);
	EXPECT(failed(RF_ATA_ABRT));
}

static void sectors_are_read(void)
{
	start();
	command(0x20, 3, 2);
	EXPECT(take(1024, 512));
	EXPECT(is_medium(3, 2));
	command_ext(0x24, 300, 200);
	EXPECT(take(200 * 512, 512));
	EXPECT(is_medium(300, 200));
	command(0x20, 100, 0);
	EXPECT(take(256 * 512, 512));
	EXPECT(is_medium(100, 256));
}

/* With one DRQ for up to 16, and never across the buffer's end. */
static void many_sectors_are_read_at_once(void)
{
	start();
	command(0xc4, 5, 200);
	EXPECT(take(200 * 512, 16 * 512));
	EXPECT(is_medium(5, 200));
	WRITE(COUNT, 2);
	WRITE(STATUS, 0xc6);
	EXPECT_EQ(status(), READY);
	command_ext(0x29, 0, 3);
	EXPECT(take(3 * 512, 1024));
	EXPECT(is_medium(0, 3));
	WRITE(COUNT, 3);
	WRITE(STATUS, 0xc6);
	EXPECT(failed(RF_ATA_ABRT));
	WRITE(COUNT, 32);
	WRITE(STATUS, 0xc6);
	EXPECT(failed(RF_ATA_ABRT));
	WRITE(COUNT, 0);
	WRITE(STATUS, 0xc6);
	EXPECT_EQ(status(), READY);
	command(0xc4, 0, 1);
	EXPECT(failed(RF_ATA_ABRT));
}

static void sectors_are_written(void)
{
	start();
	for (uint32_t i = 0; i < sizeof(data); i++)
		data[i] = i * 13;
	command(0x30, 7, 3);
	EXPECT(give(3 * 512, 512));
	EXPECT(is_medium(7, 3));
	command_ext(0x39, 20, 150);
	EXPECT(give(150 * 512, 16 * 512));
	EXPECT(is_medium(20, 150));
	EXPECT_EQ(medium.bytes[6 * 512], (uint8_t)(6 + 6 * 512 * 7));
	EXPECT_EQ(medium.flushes, 0);
	WRITE(STATUS, 0xe7);
	EXPECT_EQ(status(), READY);
	WRITE(STATUS, 0xea);
	EXPECT_EQ(medium.flushes, 2);
	WRITE(ERROR, 0x82);		/* no write cache */
	WRITE(STATUS, 0xef);
	command(0xc5, 0, 1);
	EXPECT(give(512, 512));
	EXPECT_EQ(medium.flushes, 3);
}

static void what_it_has_not_is_not_found(void)
{
	start();
	command(0x20, SECTORS, 1);
	EXPECT(failed(RF_ATA_IDNF));
	command(0x20, SECTORS - 1, 2);
	EXPECT(failed(RF_ATA_IDNF));
	command(0xc5, 0xfffffff, 0);
	EXPECT(failed(RF_ATA_IDNF));
	command_ext(0x34, 0xffffffffffff, 0);
	EXPECT(failed(RF_ATA_IDNF));
	command_ext(0x24, 1ULL << 40, 1);
	EXPECT(failed(RF_ATA_IDNF));
	command_ext(0x42, 0, SECTORS);
	EXPECT_EQ(status(), READY);
	command_ext(0x42, 0, SECTORS + 1);
	EXPECT(failed(RF_ATA_IDNF));
	command(0x20, SECTORS - 1, 1);
	EXPECT(take(512, 512));
}

static void older_addresses_are_known(void)
{
	start();
	WRITE(COUNT, 1);
	WRITE(LBA_LOW, 5);		/* sector 5 of head 2 */
	WRITE(LBA_MID, 0);
	WRITE(LBA_HIGH, 0);
	WRITE(DEVICE, 0xa2);
	WRITE(STATUS, 0x20);
	EXPECT(take(512, 512));
	EXPECT(is_medium(2 * 63 + 4, 1));
	WRITE(LBA_LOW, 0);
	WRITE(STATUS, 0x20);
	EXPECT(failed(RF_ATA_IDNF));
}

static void read_only_is_read_only(void)
{
	start();
	medium.media.read_only = true;
	command(0x30, 0, 1);
	EXPECT(failed(RF_ATA_ABRT));
	command_ext(0x39, 0, 1);
	EXPECT(failed(RF_ATA_ABRT));
	rf_ata_write_data(&ata, data, 512);
	WRITE(STATUS, 0xe7);
	EXPECT_EQ(status(), READY);
	EXPECT_EQ(medium.flushes, 0);
	command(0x20, 0, 1);
	EXPECT(take(512, 512));
}

static void a_medium_may_fail(void)
{
	start();
	medium.bad = 200 * 512;
	command(0x20, 199, 1);
	EXPECT(take(512, 512));
	command(0xc4, 10, 250);
	for (int i = 0; i < 8; i++)
		rf_ata_read_data(&ata, data, 16 * 512);
	EXPECT(failed(RF_ATA_UNC));
	EXPECT_EQ(READ(LBA_LOW), 138);
	command(0x30, 200, 1);
	rf_ata_write_data(&ata, data, 512);
	EXPECT(failed(RF_ATA_UNC));
	WRITE(STATUS, 0xe7);
	EXPECT(failed(RF_ATA_UNC));
}

static void what_it_cannot_is_aborted(void)
{
	start();
	for (unsigned int c = 0; c < 256; c++) {
		WRITE(STATUS, 0xff);
		EXPECT(failed(RF_ATA_ABRT));
		WRITE(STATUS, c);
		EXPECT(status() != 0xff && !(status() & RF_ATA_BSY));
	}
	WRITE(STATUS, 0xb0);
	EXPECT(failed(RF_ATA_ABRT));
	WRITE(ERROR, 3);
	WRITE(COUNT, 0x45);		/* ultra DMA */
	WRITE(STATUS, 0xef);
	EXPECT(failed(RF_ATA_ABRT));
	WRITE(COUNT, 0x0c);		/* PIO 4 */
	WRITE(STATUS, 0xef);
	EXPECT_EQ(status(), READY);
}

static void data_out_of_turn_is_nothing(void)
{
	start();
	rf_ata_read_data(&ata, data, 4);
	EXPECT_EQ(data[3], 0xff);
	rf_ata_write_data(&ata, data, 4);
	EXPECT_EQ(status(), READY);
	command(0x20, 0, 1);
	rf_ata_write_data(&ata, data, 512);	/* it wants to give */
	EXPECT(take(512, 512));
	command(0x30, 0, 1);
	rf_ata_read_data(&ata, data, 512);
	EXPECT_EQ(status(), ASKS);
	command(0x20, 1, 1);			/* something else instead */
	rf_ata_read_data(&ata, data, 600);
	EXPECT(is_medium(1, 1));
	EXPECT_EQ(data[512], 0xff);
}

static void resets_are_noticed(void)
{
	start();
	command(0x20, 5, 2);
	WRITE(CONTROL, 0x04);
	EXPECT_EQ(status(), RF_ATA_BSY);
	EXPECT_EQ(READ(CONTROL), RF_ATA_BSY);
	WRITE(COUNT, 9);
	WRITE(CONTROL, 0);
	EXPECT_EQ(status(), READY);
	EXPECT_EQ(READ(ERROR), 1);
	EXPECT_EQ(READ(COUNT), 1);
	EXPECT_EQ(READ(LBA_LOW), 1);
	EXPECT_EQ(READ(LBA_MID) | READ(LBA_HIGH), 0);
	command(0x20, 5, 2);
	WRITE(STATUS, 0x90);
	EXPECT_EQ(status(), READY);
	EXPECT_EQ(READ(LBA_LOW), 1);
}

static void registers_remember_two_values(void)
{
	start();
	WRITE(LBA_MID, 0x12);
	WRITE(LBA_MID, 0x34);
	EXPECT_EQ(READ(LBA_MID), 0x34);
	WRITE(CONTROL, 0x80);
	EXPECT_EQ(READ(LBA_MID), 0x12);
	WRITE(COUNT, 1);
	EXPECT_EQ(READ(LBA_MID), 0x34);
}

/* The master answers for it, and what looks for it finds nothing. */
static void a_slave_may_be_missing(void)
{
	start();
	WRITE(DEVICE, 0xb0);
	WRITE(COUNT, 0x55);
	EXPECT_EQ(READ(COUNT), 0);
	EXPECT_EQ(status(), 0);
	WRITE(STATUS, 0xec);
	EXPECT_EQ(status(), 0);
	rf_ata_read_data(&ata, data, 4);
	WRITE(DEVICE, 0xa0);
	EXPECT_EQ(status(), READY);
	memset(&ata, 0, sizeof(ata));
	rf_ata_reset(&ata);
	EXPECT_EQ(status(), 0xff);
}

static void each_drive_has_its_state(void)
{
	start();
	rf_ata_attach(&ata, 1, false, &medium.media);
	command(0x20, 4, 1);
	WRITE(DEVICE, 0xf0);
	EXPECT_EQ(status(), READY);
	WRITE(STATUS, 0xff);
	EXPECT(failed(RF_ATA_ABRT));
	WRITE(DEVICE, 0xe0);
	EXPECT(take(512, 512));
	EXPECT(is_medium(4, 1));
}

static const struct tap_case cases[] = {
	TAP_CASE(it_says_what_it_is),
	TAP_CASE(sectors_are_read),
	TAP_CASE(many_sectors_are_read_at_once),
	TAP_CASE(sectors_are_written),
	TAP_CASE(what_it_has_not_is_not_found),
	TAP_CASE(older_addresses_are_known),
	TAP_CASE(read_only_is_read_only),
	TAP_CASE(a_medium_may_fail),
	TAP_CASE(what_it_cannot_is_aborted),
	TAP_CASE(data_out_of_turn_is_nothing),
	TAP_CASE(resets_are_noticed),
	TAP_CASE(registers_remember_two_values),
	TAP_CASE(a_slave_may_be_missing),
	TAP_CASE(each_drive_has_its_state),
};

int main(void)
{
	return TAP_RUN(cases);
}
