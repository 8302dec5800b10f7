// SPDX-License-Identifier: GPL-2.0
/*
 * uart_test.c - a 16550A as a driver that probes and polls it sees it
 *
 * Sources: userland/uart.c
 */
#include <string.h>

#include "tap.h"
#include "userland/uart.h"

enum { DATA, IER, IIR, LCR, MCR, LSR, MSR, SCRATCH };

/* The other end, which takes @room bytes. */
static struct {
	uint8_t bytes[64];
	unsigned int nr;
	unsigned int room;
} wire;

static bool can_send(void *ctx)
{
	return wire.nr < wire.room;
}

static void send(void *ctx, uint8_t byte)
{
	wire.bytes[wire.nr++] = byte;
}

static const struct rf_uart_line line = { can_send, send, NULL };
static struct rf_uart uart;

static void start(void)
{
	memset(&wire, 0, sizeof(wire));
	wire.room = sizeof(wire.bytes);
	uart = (struct rf_uart){ .carrier = true };
	rf_uart_reset(&uart, &line);
}

#define READ(_reg)		rf_uart_read(&uart, _reg)
#define WRITE(_reg, _value)	rf_uart_write(&uart, _reg, _value)

static void receive(const char *text)
{
	while (*text)
		rf_uart_receive(&uart, *text++);
}

/* What Linux's autoconfig() looks at. */
static void it_is_found(void)
{
	start();
	WRITE(IER, 0);
	EXPECT_EQ(READ(IER), 0);
	WRITE(IER, 0xff);
	EXPECT_EQ(READ(IER), 0x0f);
	WRITE(IER, 0);
	WRITE(MCR, 0x1a);
	EXPECT_EQ(READ(MSR) & 0xf0, 0x90);
	WRITE(MCR, 0);
	WRITE(IIR, 1);
	EXPECT_EQ(READ(IIR), 0xc1);
	WRITE(IIR, 0);
	EXPECT_EQ(READ(IIR), 0x01);
	WRITE(SCRATCH, 0x5a);
	EXPECT_EQ(READ(SCRATCH), 0x5a);
	EXPECT_EQ(READ(LSR), 0x60);
}

static void the_divisor_is_behind_a_bit(void)
{
	start();
	WRITE(LCR, 0x83);
	WRITE(DATA, 0x12);
	WRITE(IER, 0x34);
	EXPECT_EQ(READ(DATA), 0x12);
	EXPECT_EQ(READ(IER), 0x34);
	WRITE(LCR, 0x03);
	EXPECT_EQ(READ(IER), 0);
	EXPECT_EQ(wire.nr, 0);
}

static void bytes_go_out_while_there_is_room(void)
{
	start();
	wire.room = 2;
	WRITE(DATA, 'a');
	EXPECT_EQ(READ(LSR), 0x60);
	WRITE(DATA, 'b');
	EXPECT_EQ(READ(LSR), 0);
	WRITE(DATA, 'c');
	EXPECT_EQ(wire.nr, 2);
	EXPECT(!memcmp(wire.bytes, "ab", 2));
	wire.room = 3;
	EXPECT_EQ(READ(LSR), 0x60);
}

static void bytes_come_in_order(void)
{
	start();
	WRITE(IIR, 1);
	receive("xyz");
	EXPECT_EQ(rf_uart_room(&uart), 13);
	EXPECT_EQ(READ(LSR), 0x61);
	EXPECT_EQ(READ(DATA), 'x');
	EXPECT_EQ(READ(DATA), 'y');
	EXPECT_EQ(READ(DATA), 'z');
	EXPECT_EQ(READ(LSR), 0x60);
	EXPECT_EQ(READ(DATA), 0);
	receive("lost");
	WRITE(IIR, 3);
	EXPECT_EQ(READ(LSR), 0x60);
}

static void one_too_many_is_an_overrun(void)
{
	start();
	receive("ab");			/* no FIFO: the older one is lost */
	EXPECT_EQ(READ(LSR), 0x63);
	EXPECT_EQ(READ(LSR), 0x61);
	EXPECT_EQ(READ(DATA), 'b');
	WRITE(IIR, 1);
	receive("0123456789abcdefg");	/* with it the newest */
	EXPECT_EQ(READ(LSR), 0x63);
	EXPECT_EQ(READ(DATA), '0');
}

/* IIR: what comes first, and what makes it go away. */
static void causes_have_an_order(void)
{
	start();
	WRITE(IIR, 0x41);		/* FIFO, of which 4 bytes count */
	WRITE(IER, 0x0f);
	rf_uart_set_carrier(&uart, false);
	receive("0123456789abcdefg");
	EXPECT_EQ(READ(IIR), 0xc6);
	READ(LSR);
	EXPECT_EQ(READ(IIR), 0xc4);
	while (uart.nr > 3)
		READ(DATA);
	EXPECT_EQ(READ(IIR), 0xcc);
	WRITE(IIR, 0x43);
	EXPECT_EQ(READ(IIR), 0xc2);	/* empty: said once */
	EXPECT_EQ(READ(IIR), 0xc0);
	EXPECT_EQ(READ(MSR), 0x0b);
	EXPECT_EQ(READ(IIR), 0xc1);
}

static void each_byte_sent_is_told(void)
{
	start();
	WRITE(IER, 2);
	EXPECT_EQ(READ(IIR), 0x02);
	EXPECT_EQ(READ(IIR), 0x01);
	wire.room = 1;
	WRITE(DATA, 'a');
	EXPECT_EQ(READ(IIR), 0x01);	/* not yet */
	wire.room = 2;
	EXPECT_EQ(READ(IIR), 0x02);
	EXPECT_EQ(READ(IIR), 0x01);
	WRITE(IER, 0);
	WRITE(IER, 2);
	EXPECT_EQ(READ(IIR), 0x02);
}

static void a_loop_has_no_other_end(void)
{
	start();
	WRITE(IIR, 1);
	WRITE(MCR, 0x10);
	WRITE(DATA, 'a');
	receive("b");
	EXPECT_EQ(rf_uart_room(&uart), 0);
	EXPECT_EQ(wire.nr, 0);
	EXPECT_EQ(READ(DATA), 'a');
	EXPECT_EQ(READ(LSR), 0x60);
	READ(MSR);
	WRITE(MCR, 0x14);		/* the bell begins, and stops */
	EXPECT_EQ(READ(MSR), 0x40);
	WRITE(MCR, 0x10);
	EXPECT_EQ(READ(MSR), 0x04);
}

static const struct tap_case cases[] = {
	TAP_CASE(it_is_found),
	TAP_CASE(the_divisor_is_behind_a_bit),
	TAP_CASE(bytes_go_out_while_there_is_room),
	TAP_CASE(bytes_come_in_order),
	TAP_CASE(one_too_many_is_an_overrun),
	TAP_CASE(causes_have_an_order),
	TAP_CASE(each_byte_sent_is_told),
	TAP_CASE(a_loop_has_no_other_end),
};

int main(void)
{
	return TAP_RUN(cases);
}
