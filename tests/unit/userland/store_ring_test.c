// SPDX-License-Identifier: GPL-2.0
/*
 * store_ring_test.c - the store's ring, with a guest that lies
 *
 * Sources: userland/store_ring.c
 */
#include <string.h>

#include "tap.h"
#include "userland/store_ring.h"

static struct xenstore_domain_interface page;
static struct rf_store_ring ring;

static void start(void)
{
	memset(&page, 0, sizeof(page));
	rf_store_ring_init(&ring, &page);
}

/* As the guest's driver does it.  Return: bytes that found room. */
static size_t guest_write(const char *text, size_t len)
{
	size_t done = 0;

	while (done < len && page.req_prod - page.req_cons < sizeof(page.req))
		page.req[page.req_prod++ % sizeof(page.req)] = text[done++];
	return done;
}

static size_t guest_read(char *buf, size_t len)
{
	size_t done = 0;

	while (done < len && page.rsp_cons != page.rsp_prod)
		buf[done++] = page.rsp[page.rsp_cons++ % sizeof(page.rsp)];
	return done;
}

static void requests_come_out_and_answers_go_in(void)
{
	char buf[16];

	start();
	EXPECT_EQ(rf_store_ring_read(&ring, buf, sizeof(buf)), 0);
	guest_write("hello", 5);
	EXPECT_EQ(rf_store_ring_read(&ring, buf, 3), 3);
	EXPECT_EQ(page.req_cons, 3);
	EXPECT_EQ(rf_store_ring_read(&ring, buf + 3, 13), 2);
	EXPECT(!memcmp(buf, "hello", 5));
	EXPECT_EQ(rf_store_ring_write(&ring, "answer", 6), 6);
	EXPECT_EQ(guest_read(buf, sizeof(buf)), 6);
	EXPECT(!memcmp(buf, "answer", 6));
}

static void a_full_ring_takes_no_more(void)
{
	char text[4096], buf[1024];

	start();
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * 7;
	EXPECT_EQ(rf_store_ring_write(&ring, text, sizeof(text)), 1024);
	EXPECT_EQ(rf_store_ring_write(&ring, text, 1), 0);
	EXPECT_EQ(guest_read(buf, 10), 10);
	EXPECT_EQ(rf_store_ring_write(&ring, text + 1024, 100), 10);
	EXPECT_EQ(guest_read(buf, 1024), 1024);
	EXPECT(!memcmp(buf, text + 10, 1024));
	EXPECT(!ring.broken);
}

/* Indices are 32 bits and run through all of them. */
static void indices_wrap(void)
{
	char text[1000], buf[1000];

	start();
	page.req_prod = -700U;
	page.req_cons = -700U;
	ring.req_cons = -700U;
	page.rsp_prod = -700U;
	page.rsp_cons = -700U;
	ring.rsp_prod = -700U;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i * 3;
	EXPECT_EQ(guest_write(text, sizeof(text)), sizeof(text));
	EXPECT_EQ(rf_store_ring_read(&ring, buf, sizeof(buf)), sizeof(text));
	EXPECT(!memcmp(buf, text, sizeof(text)));
	EXPECT_EQ(rf_store_ring_write(&ring, text, 1000), 1000);
	EXPECT_EQ(guest_read(buf, 1000), 1000);
	EXPECT(!memcmp(buf, text, 1000));
}

static void request_indices_that_make_no_sense_break_the_ring(void)
{
	char buf[4096];

	start();
	page.req_prod = 1024;
	EXPECT_EQ(rf_store_ring_read(&ring, buf, 1), 1);
	page.req_prod = 1026;
	EXPECT_EQ(rf_store_ring_read(&ring, buf, sizeof(buf)), 0);
	EXPECT(ring.broken);
	/* And it stays broken: the stream would have a hole. */
	page.req_prod = 2;
	EXPECT_EQ(rf_store_ring_read(&ring, buf, sizeof(buf)), 0);
	EXPECT_EQ(rf_store_ring_write(&ring, buf, 1), 0);
}

static void answer_indices_that_make_no_sense_break_the_ring(void)
{
	start();
	page.rsp_cons = 1;
	EXPECT_EQ(rf_store_ring_write(&ring, "x", 1), 0);
	EXPECT(ring.broken);
}

/* What the guest writes where the launcher's own indices are is not read. */
static void our_own_indices_are_not_believed(void)
{
	char buf[16];

	start();
	guest_write("hello", 5);
	page.req_cons = 12345;
	page.rsp_prod = 54321;
	EXPECT_EQ(rf_store_ring_read(&ring, buf, sizeof(buf)), 5);
	EXPECT_EQ(page.req_cons, 5);
	EXPECT_EQ(rf_store_ring_write(&ring, "x", 1), 1);
	EXPECT_EQ(page.rsp_prod, 1);
	EXPECT(!ring.broken);
}

static void the_guest_is_told_of_the_end(void)
{
	start();
	EXPECT_EQ(page.server_features, XENSTORE_SERVER_FEATURE_ERROR);
	rf_store_ring_close(&ring, XENSTORE_ERROR_PROTO);
	EXPECT_EQ(page.error, XENSTORE_ERROR_PROTO);
	EXPECT_EQ(rf_store_ring_write(&ring, "x", 1), 0);
}

static const struct tap_case cases[] = {
	TAP_CASE(requests_come_out_and_answers_go_in),
	TAP_CASE(a_full_ring_takes_no_more),
	TAP_CASE(indices_wrap),
	TAP_CASE(request_indices_that_make_no_sense_break_the_ring),
	TAP_CASE(answer_indices_that_make_no_sense_break_the_ring),
	TAP_CASE(our_own_indices_are_not_believed),
	TAP_CASE(the_guest_is_told_of_the_end),
};

int main(void)
{
	return TAP_RUN(cases);
}
