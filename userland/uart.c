// SPDX-License-Identifier: GPL-2.0
/*
 * uart.c - a 16550A serial port, register by register  (pure)
 *
 * No time passes on the wire: a byte is sent when it is written, unless who
 * listens is behind; then the transmitter is not empty.  No interrupt is ever
 * raised, but IIR says what it would be about, which is what a driver that
 * polls goes by.
 */
#include <string.h>

#include "uart.h"

enum { REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH };

#define IER_RECEIVED	0x01
#define IER_SENT	0x02
#define IER_ERROR	0x04
#define IER_MODEM	0x08

#define IIR_MODEM	0x00
#define IIR_NONE	0x01
#define IIR_SENT	0x02
#define IIR_RECEIVED	0x04
#define IIR_ERROR	0x06
#define IIR_TIMEOUT	0x0c	/* some are there, though not enough */
#define IIR_FIFO	0xc0

#define FCR_ON		0x01
#define FCR_CLEAR_IN	0x02
#define FCR_KEPT	0xc9

#define LCR_DIVISOR	0x80

#define MCR_DTR		0x01
#define MCR_RTS		0x02
#define MCR_OUT1	0x04
#define MCR_OUT2	0x08
#define MCR_LOOP	0x10
#define MCR_KNOWN	0x1f

#define LSR_READY	0x01
#define LSR_OVERRUN	0x02
#define LSR_EMPTY	0x60	/* THR, and what comes after it */

#define MSR_CTS		0x10
#define MSR_DSR		0x20
#define MSR_RI		0x40
#define MSR_DCD		0x80

static uint8_t capacity(const struct rf_uart *uart)
{
	return uart->fcr & FCR_ON ? RF_UART_FIFO : 1;
}

static uint8_t trigger(const struct rf_uart *uart)
{
	static const uint8_t levels[4] = { 1, 4, 8, 14 };

	return uart->fcr & FCR_ON ? levels[uart->fcr >> 6] : 1;
}

static bool can_send(const struct rf_uart *uart)
{
	return uart->mcr & MCR_LOOP || uart->line->can_send(uart->line->ctx);
}

/* The modem's lines: its own outputs in a loop, and else the other end's. */
static uint8_t modem_lines(const struct rf_uart *uart)
{
	uint8_t mcr = uart->mcr;

	if (!(mcr & MCR_LOOP))
		return uart->carrier ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
	return (mcr & MCR_RTS ? MSR_CTS : 0) | (mcr & MCR_DTR ? MSR_DSR : 0) |
	       (mcr & MCR_OUT1 ? MSR_RI : 0) | (mcr & MCR_OUT2 ? MSR_DCD : 0);
}

/* Remember which lines have changed; of the bell, only that it has stopped. */
static void update_modem(struct rf_uart *uart)
{
	uint8_t now = modem_lines(uart);
	uint8_t changed = now ^ uart->modem;

	if (now & MSR_RI)
		changed &= ~MSR_RI;
	uart->changes |= changed >> 4;
	uart->modem = now;
}

static void put(struct rf_uart *uart, uint8_t byte)
{
	if (uart->nr < capacity(uart)) {
		uart->fifo[uart->nr++] = byte;
		return;
	}
	uart->errors |= LSR_OVERRUN;
	/* Without FIFOs the older byte is the one that is lost. */
	if (!(uart->fcr & FCR_ON))
		uart->fifo[0] = byte;
}

static uint8_t take(struct rf_uart *uart)
{
	uint8_t byte = uart->fifo[0];

	if (!uart->nr)
		return 0;
	uart->nr--;
	memmove(uart->fifo, uart->fifo + 1, uart->nr);
	return byte;
}

static void transmit(struct rf_uart *uart, uint8_t byte)
{
	uart->sent = true;
	if (uart->mcr & MCR_LOOP)
		put(uart, byte);
	else if (uart->line->can_send(uart->line->ctx))
		uart->line->send(uart->line->ctx, byte);
}

static uint8_t interrupt_reason(const struct rf_uart *uart)
{
	if (uart->ier & IER_ERROR && uart->errors)
		return IIR_ERROR;
	if (uart->ier & IER_RECEIVED && uart->nr >= trigger(uart))
		return IIR_RECEIVED;
	if (uart->ier & IER_RECEIVED && uart->nr)
		return IIR_TIMEOUT;
	if (uart->ier & IER_SENT && uart->sent && can_send(uart))
		return IIR_SENT;
	if (uart->ier & IER_MODEM && uart->changes)
		return IIR_MODEM;
	return IIR_NONE;
}

static uint8_t read_iir(struct rf_uart *uart)
{
	uint8_t reason = interrupt_reason(uart);

	if (reason == IIR_SENT)
		uart->sent = false;
	return reason | (uart->fcr & FCR_ON ? IIR_FIFO : 0);
}

static uint8_t read_lsr(struct rf_uart *uart)
{
	uint8_t errors = uart->errors;

	uart->errors = 0;
	return errors | (uart->nr ? LSR_READY : 0) | (can_send(uart) ? LSR_EMPTY : 0);
}

static uint8_t read_msr(struct rf_uart *uart)
{
	uint8_t changes = uart->changes;

	uart->changes = 0;
	return uart->modem | changes;
}

uint8_t rf_uart_read(struct rf_uart *uart, unsigned int reg)
{
	if (uart->lcr & LCR_DIVISOR && reg <= REG_IER)
		return uart->divisor[reg];
	switch (reg) {
	case REG_DATA:
		return take(uart);
	case REG_IER:
		return uart->ier;
	case REG_IIR:
		return read_iir(uart);
	case REG_LCR:
		return uart->lcr;
	case REG_MCR:
		return uart->mcr;
	case REG_LSR:
		return read_lsr(uart);
	case REG_MSR:
		return read_msr(uart);
	default:
		return uart->scratch;
	}
}

static void write_fcr(struct rf_uart *uart, uint8_t value)
{
	if ((value ^ uart->fcr) & FCR_ON || value & FCR_CLEAR_IN)
		uart->nr = 0;
	uart->fcr = value & FCR_ON ? value & FCR_KEPT : 0;
}

static void write_ier(struct rf_uart *uart, uint8_t value)
{
	/* Who begins to ask whether it is empty hears of it at once. */
	if (value & ~uart->ier & IER_SENT)
		uart->sent = true;
	uart->ier = value & 0x0f;
}

void rf_uart_write(struct rf_uart *uart, unsigned int reg, uint8_t value)
{
	if (uart->lcr & LCR_DIVISOR && reg <= REG_IER) {
		uart->divisor[reg] = value;
		return;
	}
	switch (reg) {
	case REG_DATA:
		transmit(uart, value);
		break;
	case REG_IER:
		write_ier(uart, value);
		break;
	case REG_IIR:
		write_fcr(uart, value);
		break;
	case REG_LCR:
		uart->lcr = value;
		break;
	case REG_MCR:
		uart->mcr = value & MCR_KNOWN;
		update_modem(uart);
		break;
	case REG_SCRATCH:
		uart->scratch = value;
		break;
	}
}

size_t rf_uart_room(const struct rf_uart *uart)
{
	return uart->mcr & MCR_LOOP ? 0 : capacity(uart) - uart->nr;
}

void rf_uart_receive(struct rf_uart *uart, uint8_t byte)
{
	if (!(uart->mcr & MCR_LOOP))
		put(uart, byte);
}

void rf_uart_set_carrier(struct rf_uart *uart, bool carrier)
{
	uart->carrier = carrier;
	update_modem(uart);
}

void rf_uart_reset(struct rf_uart *uart, const struct rf_uart_line *line)
{
	bool carrier = uart->carrier;

	*uart = (struct rf_uart){ .line = line, .carrier = carrier };
	uart->modem = modem_lines(uart);
}
