// SPDX-License-Identifier: GPL-2.0
/*
 * A guest finds a xenstore behind its ring: it reads what it is called, writes
 * what is its own, and hears of changes.
 *
 * It may not: messages are longer than the ring, and arrive in pieces.
 */
#include "guest.h"

static char said[XENSTORE_PAYLOAD_MAX + 1];
static u32 len;

static int ask(u32 type, const void *payload, u32 payload_len)
{
	if (!store_send(type, payload, payload_len))
		return -1;
	return store_hear(said, &len);
}

static void a_name_is_read(void)
{
	store_init();
	EXPECT(start_info->store_evtchn);
	EXPECT_EQ(ask(XS_READ, "domid", 6), XS_READ);
	EXPECT(len == 1 && said[0] == '1');
	EXPECT_EQ(ask(XS_DIRECTORY, "device", 7), XS_DIRECTORY);
	EXPECT_EQ(len, 0);
	EXPECT_EQ(ask(XS_READ, "cpu/0/availability", 19), XS_READ);
	EXPECT(!memcmp(said, "online", 7));
}

static void what_is_not_there_is_an_error(void)
{
	EXPECT_EQ(ask(XS_READ, "nothing", 8), XS_ERROR);
	EXPECT(!memcmp(said, "ENOENT", 7));
	EXPECT_EQ(ask(XS_WRITE, "domid\0002", 7), XS_ERROR);
	EXPECT(!memcmp(said, "EACCES", 7));
}

/* Three times what the ring holds, in both directions. */
static void a_long_value_comes_back(void)
{
	static char text[3000] = "data/long";
	u32 i;

	for (i = 10; i < sizeof(text); i++)
		text[i] = i * 11;
	EXPECT_EQ(ask(XS_WRITE, text, sizeof(text)), XS_WRITE);
	EXPECT_EQ(ask(XS_READ, text, 10), XS_READ);
	EXPECT_EQ(len, sizeof(text) - 10);
	EXPECT(!memcmp(said, text + 10, len));
}

static void a_change_is_heard_of(void)
{
	EXPECT_EQ(ask(XS_WATCH, "data\0token", 11), XS_WATCH);
	EXPECT_EQ(store_hear(said, &len), XS_WATCH_EVENT);
	EXPECT(!memcmp(said, "data\0token", 11));
	EXPECT(store_send(XS_WRITE, "data/x\0y", 8));
	EXPECT_EQ(store_hear(said, &len), XS_WATCH_EVENT);
	EXPECT(!memcmp(said, "data/x\0token", 13));
	EXPECT_EQ(store_hear(said, &len), XS_WRITE);
}

/* An answer comes with an event: nobody has to poll for it. */
static void an_answer_rings(void)
{
	u32 port = start_info->store_evtchn;
	u64 limit = now_ns() + 5000000000;

	port_unmask(port);
	event_forget();
	EXPECT(store_send(XS_READ, "domid", 6));
	events_on();
	while (!READ_ONCE(event_log.count[port]) && now_ns() < limit)
		relax();
	events_off();
	EXPECT(event_log.count[port]);
	EXPECT_EQ(store_hear(said, &len), XS_READ);
}

GUEST_TEST(CASE(a_name_is_read), CASE(what_is_not_there_is_an_error),
	   CASE(a_long_value_comes_back), CASE(a_change_is_heard_of), CASE(an_answer_rings));
