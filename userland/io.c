// SPDX-License-Identifier: GPL-2.0
/*
 * io.c - who answers at which port
 */
#include <stdint.h>
#include <string.h>

#include "io.h"

/**
 * struct io_device - a range of ports with somebody behind it
 * @first: First port
 * @last: Last port
 * @read: Value of an IN of @size bytes
 * @write: An OUT
 */
struct io_device {
	uint16_t first;
	uint16_t last;
	uint32_t (*read)(uint16_t port, unsigned int size);
	void (*write)(uint16_t port, unsigned int size, uint32_t value);
};

/* An empty bus reads as all ones, and that is how guests find it empty. */
static uint32_t nobody_read(uint16_t port, unsigned int size)
{
	(void)port;
	return size == 4 ? UINT32_MAX : (1U << size * 8) - 1;
}

static void nobody_write(uint16_t port, unsigned int size, uint32_t value)
{
	(void)port;
	(void)size;
	(void)value;
}

/* First match wins; the last row is everything. */
static const struct io_device devices[] = {
	{ 0x0000, 0xffff, nobody_read, nobody_write },
};

/* Unit by unit, as many as there are. */
static void serve_string(const struct io_device *device, struct rf_run *run)
{
	uint32_t len = run->len < RF_RUN_DATA ? run->len : RF_RUN_DATA;
	uint32_t value;

	for (uint32_t at = 0; at + run->io_size <= len; at += run->io_size) {
		if (run->io_write) {
			value = 0;
			memcpy(&value, run->data + at, run->io_size);
			device->write(run->io_port, run->io_size, value);
		} else {
			value = device->read(run->io_port, run->io_size);
			memcpy(run->data + at, &value, run->io_size);
		}
	}
}

void rf_io_serve(struct rf_run *run)
{
	const struct io_device *device = devices;

	while (run->io_port < device->first || run->io_port > device->last)
		device++;
	if (run->len)
		serve_string(device, run);
	else if (run->io_write)
		device->write(run->io_port, run->io_size, run->io_value);
	else
		run->io_value = device->read(run->io_port, run->io_size);
}
