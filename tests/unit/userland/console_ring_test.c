// SPDX-License-Identifier: GPL-2.0
/*
 * console_ring_test.c - the console ring, with a guest that lies
 *
 * Sources: userland/console_ring.c
 */
#include <string.h>

#include "tap.h"
#include "userland/console_ring.h"

static struct xencons_interface page;
static struct rf_console_ring ring;

static void start(void)
{
	memset(&page, 0, sizeof(page));
	rf_console_ring_init(&ring, &page);
}

/* As the guest's driver does it.  Return: bytes that found room. */
static size_t guest_write(const char *text, size_t len)
{
	size_t done = 0;

	while (done < len && page.out_prod - page.out_cons < sizeof(page.out))
		page.out[page.out_prod++ % sizeof(page.out)] = text[done++];
	return done;
}

static size_t guest_read(char *buf, size_t len)
{
	size_t done = 0;

	while (done < len && page.in_cons != page.in_prod)
		buf[done++] = page.in[page.in_cons++ % sizeof(page.in)];
	return done;
}

static void output_comes_out(void)
{
	char buf[16];

	start();
	EXPECT_EQ(rf_console_ring_read(&ring, buf, sizeof(buf)), 0);
	guest_write("hello", 5);
	EXPECT_EQ(rf_console_ring_read(&ring, buf, 3), 3);
	EXPECT_EQ(page.out_cons, 3);
	EXPECT_EQ(rf_console_ring_read(&ring, buf + 3, 13), 2);
	EXPECT(!memcmp(buf, "hello", 5));
	EXPECT_EQ(rf_console_ring_read(&ring, buf, sizeof(buf)), 0);
}

static void input_goes_in(void)
{
	char buf[16];

	start();
	EXPECT_EQ(rf_console_ring_write(&ring, "hello", 5), 5);
	EXPECT_EQ(guest_read(buf, sizeof(buf)), 5);
	EXPECT(!memcmp(buf, "hello", 5));
}

static void a_full_ring_takes_no_more(void)
{
	char text[4096], buf[1024];

	start();
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * 7;
	EXPECT_EQ(rf_console_ring_write(&ring, text, sizeof(text)), 1024);
	EXPECT_EQ(rf_console_ring_write(&ring, text, 1), 0);
	EXPECT_EQ(guest_read(buf, 10), 10);
	EXPECT_EQ(rf_console_ring_write(&ring, text + 1024, 100), 10);
	EXPECT_EQ(guest_read(buf, 1024), 1024);
	EXPECT(!memcmp(buf, text + 10, 1024));
}

/* Indices are 32 bits and run through all of them. */
static void indices_wrap(void)
{
	char text[1500], buf[1500];

	start();
	page.out_prod = -700U;
	page.out_cons = -700U;
	ring.out_cons = -700U;
	page.in_prod = -700U;
	page.in_cons = -700U;
	ring.in_prod = -700U;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * 3;
	EXPECT_EQ(guest_write(text, sizeof(text)), sizeof(text));
	EXPECT_EQ(rf_console_ring_read(&ring, buf, sizeof(buf)), sizeof(text));
	EXPECT(!memcmp(buf, text, sizeof(text)));
	EXPECT_EQ(rf_console_ring_write(&ring, text, 1000), 1000);
	EXPECT_EQ(guest_read(buf, 1000), 1000);
	EXPECT(!memcmp(buf, text, 1000));
}

static void output_indices_that_make_no_sense_break_the_ring(void)
{
	char buf[4096];

	start();
	page.out_prod = 2048;
	EXPECT_EQ(rf_console_ring_read(&ring, buf, 1), 1);
	page.out_prod = 2050;
	EXPECT_EQ(rf_console_ring_read(&ring, buf, sizeof(buf)), 0);
	EXPECT(ring.broken);
	/* And it stays broken: the stream would have a hole. */
	page.out_prod = 2;
	EXPECT_EQ(rf_console_ring_read(&ring, buf, sizeof(buf)), 0);
	EXPECT_EQ(rf_console_ring_write(&ring, buf, 1), 0);
}

static void input_indices_that_make_no_sense_break_the_ring(void)
{
	start();
	page.in_cons = 1;
	EXPECT_EQ(rf_console_ring_write(&ring, "x", 1), 0);
	EXPECT(ring.broken);
}

/* What the guest writes where the launcher's own indices are is not read. */
static void our_own_indices_are_not_believed(void)
{
	char buf[16];

	start();
	guest_write("hello", 5);
	page.out_cons = 12345;
	page.in_prod = 54321;
	EXPECT_EQ(rf_console_ring_read(&ring, buf, sizeof(buf)), 5);
	EXPECT_EQ(page.out_cons, 5);
	EXPECT_EQ(rf_console_ring_write(&ring, "x", 1), 1);
	EXPECT_EQ(page.in_prod, 1);
	EXPECT(!ring.broken);
}

static const struct tap_case cases[] = {
	TAP_CASE(output_comes_out),
	TAP_CASE(input_goes_in),
	TAP_CASE(a_full_ring_takes_no_more),
	TAP_CASE(indices_wrap),
	TAP_CASE(output_indices_that_make_no_sense_break_the_ring),
	TAP_CASE(input_indices_that_make_no_sense_break_the_ring),
	TAP_CASE(our_own_indices_are_not_believed),
};

int main(void)
{
	return TAP_RUN(cases);
}
