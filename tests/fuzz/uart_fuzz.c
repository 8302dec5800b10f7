// SPDX-License-Identifier: GPL-2.0
/*
 * uart_fuzz.c - a guest and another end that do anything to a serial port
 *
 * Two bytes of input are a register and a value; or a byte that comes, or how
 * much the other end takes.
 *
 * Sources: userland/uart.c
 */
#include <stdlib.h>

#include "userland/uart.h"

#define REQUIRE(_cond)	do { if (!(_cond)) abort(); } while (0)

static unsigned int room;

static bool can_send(void *ctx)
{
	return room;
}

static void send(void *ctx, uint8_t byte)
{
	REQUIRE(room);
	room--;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct rf_uart_line line = { can_send, send, NULL };
	struct rf_uart uart = { .carrier = true };
	uint8_t before;

	room = 0;
	rf_uart_reset(&uart, &line);
	for (; size >= 2; data += 2, size -= 2) {
		switch (data[0] >> 3 & 7) {
		case 0:
			before = uart.nr;
			if (rf_uart_room(&uart)) {
				rf_uart_receive(&uart, data[1]);
				REQUIRE(uart.nr == before + 1);
			}
			break;
		case 1:
			room = data[1];
			break;
		case 2:
			rf_uart_set_carrier(&uart, data[1] & 1);
			break;
		case 3:
		case 4:
			rf_uart_write(&uart, data[0] & 7, data[1]);
			break;
		default:
			rf_uart_read(&uart, data[0] & 7);
			break;
		}
		REQUIRE(uart.nr <= RF_UART_FIFO);
		REQUIRE(rf_uart_room(&uart) <= RF_UART_FIFO);
	}
	return 0;
}
