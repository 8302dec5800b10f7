// SPDX-License-Identifier: GPL-2.0
/*
 * io.c - emulated devices, and who of them answers at which port
 *
 *	0x1f0 0x3f6	ATA, primary channel: up to two disks
 *	0x170 0x376	ATA, secondary channel: a CD-ROM drive
 *	0x3f8		16550A
 *
 * A channel that has no drive, and a port that nobody has, is an empty bus.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ata.h"
#include "io.h"
#include "media.h"
#include "serial.h"

#define NR_CHANNELS	2
#define MAX_RANGES	(2 * NR_CHANNELS + 1)

/* A channel, and which vCPU is at it. */
struct channel {
	pthread_mutex_t lock;
	struct rf_ata ata;
};

/**
 * struct io_range - ports with somebody behind them
 * @first: First port
 * @last: Last port
 * @device: Who
 * @serve: Serve an exit at one of them
 */
struct io_range {
	uint16_t first;
	uint16_t last;
	void *device;
	void (*serve)(void *device, const struct io_range *range, struct rf_run *run);
};

struct rf_io {
	struct rf_serial *serial;
	struct rf_media_file disks[RF_MAX_ATA];
	struct rf_media_file cdrom;
	struct channel channels[NR_CHANNELS];
	struct io_range ranges[MAX_RANGES];
	unsigned int nr_ranges;
};

static uint32_t string_len(const struct rf_run *run)
{
	return run->len < RF_RUN_DATA ? run->len : RF_RUN_DATA;
}

/*
 * Byte registers.  A wider access reaches the first alone.
 */

/* How many accesses an exit has. */
static uint32_t nr_units(const struct rf_run *run)
{
	return run->len ? string_len(run) / run->io_size : 1;
}

static uint8_t written(const struct rf_run *run, uint32_t unit)
{
	return run->len ? run->data[unit * run->io_size] : run->io_value;
}

static void give(struct rf_run *run, uint32_t unit, uint8_t value)
{
	uint32_t wide = value | 0xffffff00;

	if (run->len)
		memcpy(run->data + unit * run->io_size, &wide, run->io_size);
	else
		run->io_value = run->io_size == 4 ? wide : wide & ((1U << run->io_size * 8) - 1);
}

static void serve_serial(void *device, const struct io_range *range, struct rf_run *run)
{
	unsigned int reg = run->io_port - range->first;

	for (uint32_t unit = 0; unit < nr_units(run); unit++)
		if (run->io_write)
			rf_serial_write(device, reg, written(run, unit));
		else
			give(run, unit, rf_serial_read(device, reg));
}

static void serve_registers(struct rf_ata *ata, enum rf_ata_register reg, struct rf_run *run)
{
	for (uint32_t unit = 0; unit < nr_units(run); unit++)
		if (run->io_write)
			rf_ata_write(ata, reg, written(run, unit));
		else
			give(run, unit, rf_ata_read(ata, reg));
}

/*
 * ATA
 */

static void serve_data(struct rf_ata *ata, struct rf_run *run)
{
	void *data = run->len ? (void *)run->data : (void *)&run->io_value;
	uint32_t len = run->len ? string_len(run) : run->io_size;

	if (run->io_write) {
		rf_ata_write_data(ata, data, len);
		return;
	}
	run->io_value = 0;
	rf_ata_read_data(ata, data, len);
}

static void serve_ata(void *device, const struct io_range *range, struct rf_run *run)
{
	struct channel *channel = device;
	enum rf_ata_register reg = run->io_port - range->first;

	if (range->first == range->last)
		reg = RF_ATA_CONTROL;
	pthread_mutex_lock(&channel->lock);
	if (reg == RF_ATA_DATA)
		serve_data(&channel->ata, run);
	else
		serve_registers(&channel->ata, reg, run);
	pthread_mutex_unlock(&channel->lock);
}

/*
 * The bus
 */

static void serve_nobody(struct rf_run *run)
{
	if (run->io_write)
		return;
	if (run->len)
		memset(run->data, 0xff, string_len(run));
	else
		give(run, 0, 0xff);
}

void rf_io_serve(struct rf_io *io, struct rf_run *run)
{
	for (unsigned int i = 0; i < io->nr_ranges; i++) {
		const struct io_range *range = &io->ranges[i];

		if (run->io_port >= range->first && run->io_port <= range->last) {
			range->serve(range->device, range, run);
			return;
		}
	}
	serve_nobody(run);
}

static void add_range(struct rf_io *io, uint16_t first, uint16_t nr, void *device,
		      void (*serve)(void *device, const struct io_range *range,
				    struct rf_run *run))
{
	io->ranges[io->nr_ranges++] = (struct io_range){ first, first + nr - 1, device, serve };
}

static void add_channel(struct rf_io *io, struct channel *channel, uint16_t port)
{
	if (!channel->ata.drives[0].media)
		return;
	add_range(io, port, 8, channel, serve_ata);
	add_range(io, port + 0x206, 1, channel, serve_ata);
}

static int open_disks(struct rf_io *io, const struct rf_config *config, struct rf_error *err)
{
	for (unsigned int i = 0; i < config->nr_ata; i++) {
		struct rf_media_file *disk = &io->disks[i];

		if (rf_media_open(disk, "disk", config->ata[i].path, config->ata[i].read_only,
				  RF_ATA_SECTOR, err))
			return -1;
		snprintf(disk->media.serial, sizeof(disk->media.serial), "ata%u", i);
		rf_ata_attach(&io->channels[0].ata, i, false, &disk->media);
	}
	if (!config->cdrom)
		return 0;
	if (rf_media_open(&io->cdrom, "CD-ROM", config->cdrom, true, RF_CD_SECTOR, err))
		return -1;
	strcpy(io->cdrom.media.serial, "cdrom");
	rf_ata_attach(&io->channels[1].ata, 0, true, &io->cdrom.media);
	return 0;
}

struct rf_io *rf_io_create(const struct rf_config *config, struct rf_error *err)
{
	struct rf_io *io = calloc(1, sizeof(*io));

	if (!io) {
		rf_error_set(err, "not enough memory");
		return NULL;
	}
	io->cdrom.fd = -1;
	for (unsigned int i = 0; i < RF_MAX_ATA; i++)
		io->disks[i].fd = -1;
	for (unsigned int i = 0; i < NR_CHANNELS; i++)
		pthread_mutex_init(&io->channels[i].lock, NULL);
	if (open_disks(io, config, err))
		goto err_destroy;
	if (config->serial != RF_SERIAL_NONE) {
		io->serial = rf_serial_create(config, err);
		if (!io->serial)
			goto err_destroy;
		add_range(io, 0x3f8, 8, io->serial, serve_serial);
	}
	add_channel(io, &io->channels[0], 0x1f0);
	add_channel(io, &io->channels[1], 0x170);
	return io;

err_destroy:
	rf_io_destroy(io);
	return NULL;
}

int rf_io_start(struct rf_io *io, struct rf_error *err)
{
	return io->serial ? rf_serial_start(io->serial, err) : 0;
}

void rf_io_reset(struct rf_io *io)
{
	for (unsigned int i = 0; i < NR_CHANNELS; i++)
		rf_ata_reset(&io->channels[i].ata);
	if (io->serial)
		rf_serial_reset(io->serial);
}

void rf_io_destroy(struct rf_io *io)
{
	if (io->serial)
		rf_serial_destroy(io->serial);
	rf_media_close(&io->cdrom);
	for (unsigned int i = 0; i < RF_MAX_ATA; i++)
		rf_media_close(&io->disks[i]);
	free(io);
}
