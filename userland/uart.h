/* SPDX-License-Identifier: GPL-2.0 */
/* A 16550A serial port, register by register  (pure) */
#ifndef RF_UART_H
#define RF_UART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RF_UART_FIFO		16
#define RF_UART_NR_REGISTERS	8

/**
 * struct rf_uart_line - what the wire leads to
 * @can_send: May a byte be sent now?
 * @send: Send one; @can_send has just said yes
 * @ctx: For these
 */
struct rf_uart_line {
	bool (*can_send)(void *ctx);
	void (*send)(void *ctx, uint8_t byte);
	void *ctx;
};

/**
 * struct rf_uart - a port
 * @line: Its wire
 * @carrier: Somebody is at the other end
 * @ier: Interrupts the guest wants
 * @fcr: FIFO control: on, trigger level
 * @lcr: Line control
 * @mcr: Modem control
 * @scratch: Scratch register
 * @divisor: Two bytes
 * @errors: LSR bits to be seen once
 * @modem: MSR bits when last looked at
 * @changes: MSR bits to be seen once
 * @sent: THR has been written, or its interrupt enabled, since IIR said so
 * @fifo: Received bytes
 * @nr: How many
 */
struct rf_uart {
	const struct rf_uart_line *line;
	bool carrier;
	uint8_t ier;
	uint8_t fcr;
	uint8_t lcr;
	uint8_t mcr;
	uint8_t scratch;
	uint8_t divisor[2];
	uint8_t errors;
	uint8_t modem;
	uint8_t changes;
	bool sent;
	uint8_t fifo[RF_UART_FIFO];
	uint8_t nr;
};

/* The power is switched on. */
void rf_uart_reset(struct rf_uart *uart, const struct rf_uart_line *line);

/* @reg is below RF_UART_NR_REGISTERS. */
uint8_t rf_uart_read(struct rf_uart *uart, unsigned int reg);
void rf_uart_write(struct rf_uart *uart, unsigned int reg, uint8_t value);

/* Bytes that can be received without loss. */
size_t rf_uart_room(const struct rf_uart *uart);

/* One byte from the other end; one too many is an overrun. */
void rf_uart_receive(struct rf_uart *uart, uint8_t byte);

/* Somebody comes to the other end, or goes. */
void rf_uart_set_carrier(struct rf_uart *uart, bool carrier);

#endif /* RF_UART_H */
