// SPDX-License-Identifier: GPL-2.0
/*
 * A guest writes what it likes into its store's ring; in the end the store
 * closes, says so in the page, and the guest goes on without.
 *
 * It may not: all that is in the page, lengths and indices too, is the guest's
 * to change at any moment.
 */
#include "guest.h"

#define ROUNDS		3000
#define NR_WAITING	100	/* more than the ring of answers holds, less than both */

static char payload[XENSTORE_PAYLOAD_MAX + 1];

static void make_payload(u64 *seed, u32 len)
{
	static const char *const starts[] = {
		"control", "control/shutdown", "/", "data/x", "@x", "a//b", "",
	};
	const char *start = starts[random64(seed) % ARRAY_SIZE(starts)];
	u32 i;

	for (i = 0; i < len; i++)
		payload[i] = random64(seed) >> 13;
	for (i = 0; i <= strlen(start) && i < len; i++)
		payload[i] = start[i];
}

/* Whatever it says, there is an answer to each. */
static void every_message_is_answered(void)
{
	u64 seed = cmdline_number("seed=", 1);
	u32 i, len, got;
	int type;

	store_init();
	for (i = 0; i < ROUNDS && !test_has_failed(); i++) {
		len = random64(&seed) % (i % 16 ? 64 : XENSTORE_PAYLOAD_MAX + 1);
		make_payload(&seed, len);
		EXPECT(store_send(random64(&seed) % (XS_TYPE_COUNT + 2), payload, len));
		do
			type = store_hear(payload, &got);
		while (type == XS_WATCH_EVENT);
		EXPECT(type >= 0);
	}
}

/* Until the ring of answers is full; then its own requests are left waiting. */
static void not_listening_hurts_nobody(void)
{
	u32 i;

	for (i = 0; i < NR_WAITING; i++)
		store_send(XS_READ, "domid", 6);
	for (i = 0; i < NR_WAITING; i++) {
		u32 len;

		EXPECT_EQ(store_hear(payload, &len), XS_READ);
	}
}

/* The launcher has closed the store by the time it says so. */
static void bent_indices_close_the_store(void)
{
	u64 limit = now_ns() + 5000000000;

	WRITE_ONCE(store_page->req_prod, store_page->req_prod + 0x80000000);
	WRITE_ONCE(store_page->rsp_cons, store_page->rsp_cons + 12345);
	port_send(start_info->store_evtchn);
	while (!READ_ONCE(store_page->error) && now_ns() < limit)
		relax();
	EXPECT_EQ(store_page->error, XENSTORE_ERROR_RINGIDX);
}

static void nobody_answers_after_that(void)
{
	u32 i, prod = READ_ONCE(store_page->rsp_prod);

	for (i = 0; i < 1000; i++) {
		memset(store_page, i, PAGE_SIZE);
		WRITE_ONCE(store_page->rsp_prod, prod);
		port_send(start_info->store_evtchn);
	}
	EXPECT_EQ(READ_ONCE(store_page->rsp_prod), prod);
	EXPECT_EQ(console_io(CONSOLEIO_write, 13, "# still here\n"), 0);
}

GUEST_TEST(CASE(every_message_is_answered), CASE(not_listening_hurts_nobody),
	   CASE(bent_indices_close_the_store), CASE(nobody_answers_after_that));
