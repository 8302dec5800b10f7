// SPDX-License-Identifier: GPL-2.0
/*
 * store_test.c - the store as its guest sees it: messages in, messages out
 *
 * Sources: userland/store.c userland/store_tree.c
 */
#include <stdlib.h>
#include <string.h>

#include "tap.h"
#include "userland/store.h"
#include "userland/store_tree.h"
#include "userland/xen_store_wire.h"

static struct rf_store *store;

/* What came last. */
static struct xsd_sockmsg head;
static char said[XENSTORE_PAYLOAD_MAX + 1];

static void start(void)
{
	rf_store_destroy(store);
	store = rf_store_create();
	if (!store)
		abort();
	rf_store_set(store, RF_STORE_HOME "/name", "g");
	rf_store_set(store, RF_STORE_HOME "/control", "");
	rf_store_give(store, RF_STORE_HOME "/control");
	rf_store_set(store, RF_STORE_HOME "/control/shutdown", "");
}

/* Give it bytes as a ring would, a few at a time. */
static void put(const void *bytes, size_t len)
{
	const char *from = bytes;

	while (len) {
		size_t some = rf_store_wants(store);

		if (!some)
			return;
		if (some > 7)
			some = 7;
		if (some > len)
			some = len;
		rf_store_put(store, from, some);
		from += some;
		len -= some;
	}
}

static void take(void *to, size_t len)
{
	const void *data;

	if (rf_store_peek(store, &data) < len)
		abort();
	memcpy(to, data, len);
	rf_store_took(store, len);
}

/* The next message it has.  Return: its type, or -1 if there is none. */
static int hear(void)
{
	const void *data;

	if (!rf_store_peek(store, &data))
		return -1;
	take(&head, sizeof(head));
	if (head.len > XENSTORE_PAYLOAD_MAX)
		abort();
	take(said, head.len);
	said[head.len] = 0;
	return head.type;
}

static int ask_in(uint32_t tx, uint32_t type, const char *payload, size_t len)
{
	struct xsd_sockmsg ask = { type, 42, tx, len };

	put(&ask, sizeof(ask));
	put(payload, len);
	return hear();
}

static int ask(uint32_t type, const char *payload, size_t len)
{
	return ask_in(0, type, payload, len);
}

/* Is this answered by an error of that name? */
static bool refuses(uint32_t type, const char *payload, size_t len,
		    const char *name)
{
	int ret = ask(type, payload, len);

	if (ret == XS_ERROR && !strcmp(said, name))
		return true;
	printf("# answer %d: %s\n", ret, said);
	return false;
}

/* The same with string literals, every 0 in them and the last one too. */
#define ASK(_type, _text)	ask(_type, _text, sizeof(_text))
#define ASK_IN(_tx, _type, _text) ask_in(_tx, _type, _text, sizeof(_text))
#define REFUSES(_type, _text, _name) refuses(_type, _text, sizeof(_text), _name)

static bool hears_event(const char *path, const char *token)
{
	return hear() == XS_WATCH_EVENT && !strcmp(said, path) &&
	       !strcmp(said + strlen(path) + 1, token) &&
	       head.len == strlen(path) + strlen(token) + 2;
}

static uint32_t begin(void)
{
	EXPECT_EQ(ASK(XS_TRANSACTION_START, ""), XS_TRANSACTION_START);
	return strtoul(said, NULL, 10);
}

static void a_guest_reads_what_the_host_wrote(void)
{
	start();
	EXPECT_EQ(ASK(XS_READ, "name"), XS_READ);
	EXPECT(head.req_id == 42 && head.len == 1 && *said == 'g');
	EXPECT_EQ(ASK(XS_READ, RF_STORE_HOME "/name"), XS_READ);
	EXPECT(REFUSES(XS_READ, "nothing", "ENOENT"));
	EXPECT_EQ(ASK(XS_DIRECTORY, "control"), XS_DIRECTORY);
	EXPECT(head.len == 9 && !strcmp(said, "shutdown"));
	EXPECT_EQ(ASK(XS_GET_PERMS, "name"), XS_GET_PERMS);
	EXPECT(head.len == 6 && !memcmp(said, "n0\0r1", 6));
	EXPECT_EQ(hear(), -1);
}

static void it_writes_and_removes_what_is_its_own(void)
{
	start();
	EXPECT_EQ(ask(XS_WRITE, "control/x\0two words", 19), XS_WRITE);
	EXPECT(!strcmp(said, "OK") && head.len == 3);
	EXPECT(rf_store_says(store, RF_STORE_HOME "/control/x", "two words"));
	EXPECT_EQ(ASK(XS_MKDIR, "control/d"), XS_MKDIR);
	EXPECT_EQ(ASK(XS_SET_PERMS, "control/d\0n1\0r0"), XS_SET_PERMS);
	EXPECT_EQ(ASK(XS_RM, "control/x"), XS_RM);
	EXPECT_EQ(ASK(XS_RM, "control/x"), XS_RM);
	EXPECT(REFUSES(XS_READ, "control/x", "ENOENT"));
	EXPECT(REFUSES(XS_WRITE, "name\0h", "EACCES"));
	EXPECT(REFUSES(XS_RM, "name", "EACCES"));
}

static void what_makes_no_sense_is_refused(void)
{
	start();
	EXPECT(refuses(XS_READ, "name", 4, "EINVAL"));
	EXPECT(refuses(XS_READ, "", 0, "EINVAL"));
	EXPECT(REFUSES(XS_READ, "a//b", "EINVAL"));
	EXPECT(refuses(XS_WRITE, "control", 7, "EINVAL"));
	EXPECT(REFUSES(XS_WATCH, "control", "EINVAL"));
	EXPECT(REFUSES(XS_SET_PERMS, "control", "EINVAL"));
	EXPECT(REFUSES(XS_TRANSACTION_END, "T", "ENOENT"));
	EXPECT(REFUSES(XS_TRANSACTION_END, "X", "EINVAL"));
	EXPECT(REFUSES(XS_GET_DOMAIN_PATH, "x", "EINVAL"));
	EXPECT(REFUSES(XS_GET_DOMAIN_PATH, "99999999999999999999", "EINVAL"));
	EXPECT(REFUSES(XS_INTRODUCE, "1", "EACCES"));
	EXPECT(REFUSES(XS_RELEASE, "1", "EACCES"));
	EXPECT(REFUSES(XS_CONTROL, "print", "EACCES"));
	EXPECT(REFUSES(XS_DIRECTORY_PART, "control", "ENOSYS"));
	EXPECT(REFUSES(XS_WATCH_EVENT, "x", "ENOSYS"));
	EXPECT(REFUSES(1000, "x", "ENOSYS"));
	EXPECT(REFUSES(0xffffffff, "x", "ENOSYS"));
	EXPECT_EQ(ASK_IN(77, XS_READ, "name"), XS_ERROR);
	EXPECT(!strcmp(said, "ENOENT"));
}

static void domains_are_two(void)
{
	start();
	EXPECT_EQ(ASK(XS_GET_DOMAIN_PATH, "1"), XS_GET_DOMAIN_PATH);
	EXPECT(!strcmp(said, RF_STORE_HOME));
	EXPECT_EQ(ASK(XS_IS_DOMAIN_INTRODUCED, "1"), XS_IS_DOMAIN_INTRODUCED);
	EXPECT(!strcmp(said, "T"));
	EXPECT_EQ(ASK(XS_IS_DOMAIN_INTRODUCED, "2"), XS_IS_DOMAIN_INTRODUCED);
	EXPECT(!strcmp(said, "F"));
}

/* The way of a request to shut down. */
static void a_watch_hears_what_the_host_writes(void)
{
	const char *path = RF_STORE_HOME "/control/shutdown";

	start();
	EXPECT(!rf_store_is_watched(store, path));
	EXPECT_EQ(ASK(XS_WATCH, "control/shutdown\0tok"), XS_WATCH);
	EXPECT(rf_store_is_watched(store, path));
	EXPECT(hears_event("control/shutdown", "tok"));
	EXPECT_EQ(rf_store_set(store, path, "poweroff"), 0);
	EXPECT(hears_event("control/shutdown", "tok"));
	/* Asked twice is asked once. */
	EXPECT_EQ(rf_store_set(store, path, "poweroff"), 0);
	EXPECT_EQ(hear(), -1);
	EXPECT_EQ(ASK(XS_READ, "control/shutdown"), XS_READ);
	EXPECT(!strcmp(said, "poweroff"));
	EXPECT_EQ(ASK(XS_WRITE, "control/shutdown"), XS_WATCH_EVENT);
	EXPECT_EQ(hear(), XS_WRITE);
	EXPECT(rf_store_says(store, path, ""));
}

static void watches_are_by_path_and_token(void)
{
	start();
	EXPECT_EQ(ASK(XS_WATCH, RF_STORE_HOME "/control\0t"), XS_WATCH);
	EXPECT(hears_event(RF_STORE_HOME "/control", "t"));
	EXPECT(REFUSES(XS_WATCH, "control\0t", "EEXIST"));
	EXPECT_EQ(ASK(XS_WRITE, "control/a\0x"), XS_WATCH_EVENT);
	EXPECT(!strcmp(said, RF_STORE_HOME "/control/a"));
	EXPECT_EQ(hear(), XS_WRITE);
	EXPECT(REFUSES(XS_UNWATCH, "control\0u", "ENOENT"));
	EXPECT_EQ(ASK(XS_UNWATCH, "control\0t"), XS_UNWATCH);
	EXPECT_EQ(ASK(XS_WRITE, "control/a\0y"), XS_WRITE);
	EXPECT_EQ(ASK(XS_WATCH, "@releaseDomain\0t"), XS_WATCH);
	EXPECT(hears_event("@releaseDomain", "t"));
}

static void a_removal_reaches_watches_below(void)
{
	start();
	ASK(XS_WRITE, "control/a/b\0x");
	EXPECT_EQ(ASK(XS_WATCH, "control/a/b\0t"), XS_WATCH);
	EXPECT(hears_event("control/a/b", "t"));
	EXPECT_EQ(ASK(XS_RM, "control/a"), XS_WATCH_EVENT);
	EXPECT(!strcmp(said, "control/a/b"));
	EXPECT_EQ(hear(), XS_RM);
}

static void watches_go_at_a_reset(void)
{
	start();
	ASK(XS_WATCH, "control\0t");
	EXPECT(hears_event("control", "t"));
	begin();
	EXPECT_EQ(ASK(XS_RESET_WATCHES, ""), XS_RESET_WATCHES);
	EXPECT_EQ(ASK(XS_WRITE, "control/a\0x"), XS_WRITE);
	EXPECT_EQ(hear(), -1);
}

static void a_transaction_is_seen_at_its_end(void)
{
	uint32_t tx;

	start();
	ASK(XS_WATCH, "control\0t");
	EXPECT(hears_event("control", "t"));
	tx = begin();
	EXPECT_EQ(ASK_IN(tx, XS_WRITE, "control/a\0x"), XS_WRITE);
	EXPECT_EQ(ASK_IN(tx, XS_READ, "control/a"), XS_READ);
	EXPECT(REFUSES(XS_READ, "control/a", "ENOENT"));
	EXPECT_EQ(ASK_IN(tx, XS_TRANSACTION_END, "T"), XS_WATCH_EVENT);
	EXPECT(!strcmp(said, "control/a"));
	EXPECT_EQ(hear(), XS_TRANSACTION_END);
	EXPECT_EQ(ASK(XS_READ, "control/a"), XS_READ);
	EXPECT_EQ(ASK_IN(tx, XS_READ, "control/a"), XS_ERROR);
}

static void a_transaction_can_be_dropped(void)
{
	uint32_t tx;

	start();
	tx = begin();
	EXPECT_EQ(ASK_IN(tx, XS_RM, "control"), XS_RM);
	EXPECT_EQ(ASK_IN(tx, XS_TRANSACTION_END, "F"), XS_TRANSACTION_END);
	EXPECT_EQ(ASK(XS_DIRECTORY, "control"), XS_DIRECTORY);
}

static void a_transaction_that_was_overtaken_starts_again(void)
{
	uint32_t tx;

	start();
	tx = begin();
	ASK_IN(tx, XS_WRITE, "control/a\0x");
	rf_store_set(store, RF_STORE_HOME "/control/shutdown", "reboot");
	EXPECT_EQ(ASK_IN(tx, XS_TRANSACTION_END, "T"), XS_ERROR);
	EXPECT(!strcmp(said, "EAGAIN"));
	EXPECT(REFUSES(XS_READ, "control/a", "ENOENT"));
	/* One that has only read has seen one state of things. */
	tx = begin();
	ASK_IN(tx, XS_READ, "name");
	rf_store_set(store, RF_STORE_HOME "/control/shutdown", "poweroff");
	EXPECT_EQ(ASK_IN(tx, XS_TRANSACTION_END, "T"), XS_TRANSACTION_END);
}

static void there_are_bounds(void)
{
	char text[80];
	uint32_t tx;
	int ret;

	start();
	for (int i = 0; i <= RF_STORE_WATCHES; i++) {
		int len = sprintf(text, "control%c%d", 0, i);

		ret = ask(XS_WATCH, text, len + 1);
		EXPECT_EQ(ret, i < RF_STORE_WATCHES ? XS_WATCH : XS_ERROR);
		hear();
	}
	for (int i = 0; i < RF_STORE_TRANSACTIONS; i++)
		tx = begin();
	EXPECT(REFUSES(XS_TRANSACTION_START, "", "ENOSPC"));
	EXPECT_EQ(ASK_IN(tx, XS_TRANSACTION_START, ""), XS_ERROR);
	for (int i = 0; i <= RF_STORE_CHANGES; i++) {
		int len = sprintf(text, "control/%d", i);

		ret = ask_in(tx, XS_MKDIR, text, len + 1);
		EXPECT_EQ(ret, i < RF_STORE_CHANGES ? XS_MKDIR : XS_ERROR);
	}
	/* All changes to all watches: a lot to say, but no more than that. */
	ret = ASK_IN(tx, XS_TRANSACTION_END, "T");
	for (int i = 0; i < RF_STORE_CHANGES * RF_STORE_WATCHES; i++, ret = hear())
		EXPECT_EQ(ret, XS_WATCH_EVENT);
	EXPECT_EQ(ret, XS_TRANSACTION_END);
	EXPECT_EQ(hear(), -1);
	EXPECT(!rf_store_broken(store));
}

/* A guest that does not read is not listened to, and in the end given up. */
static void who_does_not_read_cannot_ask(void)
{
	struct xsd_sockmsg read = { XS_READ, 1, 0, 5 };
	bool odd = false;

	start();
	ASK(XS_WATCH, "control\0t");
	hear();
	put(&read, sizeof(read));
	put("name", 5);
	EXPECT_EQ(rf_store_wants(store), 0);
	for (int i = 0; i < 1 << 20 && !rf_store_broken(store); i++, odd = !odd)
		rf_store_set(store, RF_STORE_HOME "/control/shutdown",
			     odd ? "reboot" : "poweroff");
	EXPECT(rf_store_broken(store));
	EXPECT_EQ(hear(), -1);
}

static void a_message_that_is_too_long_is_the_end(void)
{
	struct xsd_sockmsg big = { XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };
	static char payload[XENSTORE_PAYLOAD_MAX];

	start();
	memset(payload, 'x', sizeof(payload));
	EXPECT(refuses(XS_READ, payload, sizeof(payload), "EINVAL"));
	memcpy(payload, "control/a", 10);
	EXPECT_EQ(ask(XS_WRITE, payload, sizeof(payload)), XS_WRITE);
	EXPECT_EQ(ASK(XS_READ, "control/a"), XS_READ);
	EXPECT_EQ(head.len, sizeof(payload) - 10);
	put(&big, sizeof(big));
	EXPECT(rf_store_broken(store));
	EXPECT_EQ(rf_store_wants(store), 0);
	EXPECT_EQ(hear(), -1);
}

static const struct tap_case cases[] = {
	TAP_CASE(a_guest_reads_what_the_host_wrote),
	TAP_CASE(it_writes_and_removes_what_is_its_own),
	TAP_CASE(what_makes_no_sense_is_refused),
	TAP_CASE(domains_are_two),
	TAP_CASE(a_watch_hears_what_the_host_writes),
	TAP_CASE(watches_are_by_path_and_token),
	TAP_CASE(a_removal_reaches_watches_below),
	TAP_CASE(watches_go_at_a_reset),
	TAP_CASE(a_transaction_is_seen_at_its_end),
	TAP_CASE(a_transaction_can_be_dropped),
	TAP_CASE(a_transaction_that_was_overtaken_starts_again),
	TAP_CASE(there_are_bounds),
	TAP_CASE(who_does_not_read_cannot_ask),
	TAP_CASE(a_message_that_is_too_long_is_the_end),
};

int main(void)
{
	int ret = TAP_RUN(cases);

	rf_store_destroy(store);
	return ret;
}
