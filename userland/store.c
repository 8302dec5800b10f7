// SPDX-License-Identifier: GPL-2.0
/*
 * store.c - a xenstore: messages, watches, transactions  (pure)
 *
 *	rf_store_put() ---> in ---> do_...() ---> tree
 *	rf_store_peek() <-- out <--- answers <-----'
 *	rf_store_set() ------------> events: who watches?
 *
 * A transaction works on a copy of the tree.  If the tree has changed by its
 * end, the guest is told to try again; else the copy becomes the tree, and
 * watches fire for what the transaction changed.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "store_tree.h"
#include "xen_store_wire.h"

/* A handler that has answered itself; others leave that to their caller. */
#define ANSWERED	1

struct watch {
	char *token;		/* NULL: a free place */
	char path[RF_STORE_PATH];
	bool relative;		/* to RF_STORE_HOME, and so are its events */
};

struct change {
	char path[RF_STORE_PATH];
	bool removed;
};

struct transaction {
	uint32_t id;		/* 0: a free place */
	uint64_t generation;	/* of the tree it is a copy of */
	struct rf_store_tree tree;
	struct change changes[RF_STORE_CHANGES];
	unsigned int nr_changes;
};

struct message {
	struct xsd_sockmsg head;
	char payload[XENSTORE_PAYLOAD_MAX + 1];
	size_t got;		/* bytes of both */
	size_t read;		/* bytes of the payload that were looked at */
};

struct rf_store {
	struct rf_store_tree tree;
	uint64_t generation;
	struct watch watches[RF_STORE_WATCHES];
	struct transaction *transactions[RF_STORE_TRANSACTIONS];
	uint32_t last_id;
	struct message in;
	char *out;
	size_t out_at;		/* what is before it has been fetched */
	size_t out_len;
	size_t out_room;
	const char *broken;
};

/* ---- Out */

static void out_put(struct rf_store *store, const void *data, size_t len)
{
	if (store->broken || !len)
		return;
	if (store->out_len + len > store->out_room) {
		size_t room = (store->out_len + len) * 2;
		char *more = room > RF_STORE_OUT ? NULL :
						   realloc(store->out, room);

		if (!more) {
			store->broken = "it does not read what it is told";
			return;
		}
		store->out = more;
		store->out_room = room;
	}
	memcpy(store->out + store->out_len, data, len);
	store->out_len += len;
}

size_t rf_store_peek(const struct rf_store *store, const void **data)
{
	*data = NULL;
	if (!store->out || store->broken)
		return 0;
	*data = store->out + store->out_at;
	return store->out_len - store->out_at;
}

void rf_store_took(struct rf_store *store, size_t len)
{
	store->out_at += len;
	if (store->out_at < store->out_len)
		return;
	free(store->out);
	store->out = NULL;
	store->out_at = 0;
	store->out_len = 0;
	store->out_room = 0;
}

static int answer(struct rf_store *store, uint32_t type, const void *data,
		  size_t len)
{
	struct xsd_sockmsg head = store->in.head;

	head.type = type;
	head.len = len;
	out_put(store, &head, sizeof(head));
	out_put(store, data, len);
	return ANSWERED;
}

static int answer_text(struct rf_store *store, const char *text)
{
	return answer(store, store->in.head.type, text, strlen(text) + 1);
}

static void answer_error(struct rf_store *store, int err)
{
	static const struct {
		int err;
		const char *name;
	} names[] = {
		{ EACCES, "EACCES" }, { EEXIST, "EEXIST" },
		{ ENOENT, "ENOENT" }, { ENOMEM, "ENOMEM" },
		{ ENOSPC, "ENOSPC" }, { ENOSYS, "ENOSYS" },
		{ EBUSY, "EBUSY" }, { EAGAIN, "EAGAIN" },
		{ E2BIG, "E2BIG" },
	};
	const char *name = "EINVAL";

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].err == err)
			name = names[i].name;
	answer(store, XS_ERROR, name, strlen(name) + 1);
}

/* ---- Watches */

static void watch_fire(struct rf_store *store, const struct watch *watch,
		       const char *path)
{
	struct xsd_sockmsg head = { .type = XS_WATCH_EVENT };

	if (watch->relative)
		path += strlen(RF_STORE_HOME "/");
	head.len = strlen(path) + strlen(watch->token) + 2;
	out_put(store, &head, sizeof(head));
	out_put(store, path, strlen(path) + 1);
	out_put(store, watch->token, strlen(watch->token) + 1);
}

/* A removed node takes along what was below it, and watched. */
static void watches_fire(struct rf_store *store, const char *path, bool removed)
{
	for (int i = 0; i < RF_STORE_WATCHES; i++) {
		const struct watch *watch = &store->watches[i];

		if (!watch->token)
			continue;
		if (rf_store_path_is_in(path, watch->path))
			watch_fire(store, watch, path);
		else if (removed && rf_store_path_is_in(watch->path, path))
			watch_fire(store, watch, watch->path);
	}
}

static struct watch *watch_find(struct rf_store *store, const char *path,
				const char *token)
{
	for (int i = 0; i < RF_STORE_WATCHES; i++) {
		struct watch *watch = &store->watches[i];

		if (watch->token && !strcmp(watch->path, path) &&
		    !strcmp(watch->token, token))
			return watch;
	}
	return NULL;
}

static void watch_forget(struct watch *watch)
{
	free(watch->token);
	watch->token = NULL;
}

/* ---- Transactions */

/* The place of transaction @id; that of 0 is a free one. */
static struct transaction **transaction_find(struct rf_store *store,
					     uint32_t id)
{
	for (int i = 0; i < RF_STORE_TRANSACTIONS; i++) {
		struct transaction *t = store->transactions[i];

		if (t ? t->id == id : !id)
			return &store->transactions[i];
	}
	return NULL;
}

static void transaction_forget(struct transaction **place)
{
	if (*place)
		rf_store_tree_free(&(*place)->tree);
	free(*place);
	*place = NULL;
}

static void transaction_commit(struct rf_store *store, struct transaction *t)
{
	struct rf_store_tree old = store->tree;

	store->tree = t->tree;
	t->tree = old;
	store->generation++;
	for (unsigned int i = 0; i < t->nr_changes; i++)
		watches_fire(store, t->changes[i].path, t->changes[i].removed);
}

/* ---- What a request works on */

/**
 * struct target - a path of a request, in the tree it means
 * @tree: The store's, or a transaction's
 * @transaction: Or NULL
 * @path: From the root
 */
struct target {
	struct rf_store_tree *tree;
	struct transaction *transaction;
	char path[RF_STORE_PATH];
};

/* The next string of the payload, or NULL if there is none. */
static const char *next_string(struct message *in)
{
	const char *text = in->payload + in->read;
	size_t left = in->head.len - in->read;
	const char *end = memchr(text, 0, left);

	if (!end)
		return NULL;
	in->read += end + 1 - text;
	return text;
}

/* What follows the strings that were read. */
static size_t rest(struct message *in, const char **data)
{
	*data = in->payload + in->read;
	return in->head.len - in->read;
}

static int target_find(struct rf_store *store, struct target *target)
{
	const char *path = next_string(&store->in);
	uint32_t id = store->in.head.tx_id;
	struct transaction **place;

	*target = (struct target){ .tree = &store->tree };
	if (!path || rf_store_path_resolve(path, target->path))
		return -EINVAL;
	if (!id)
		return 0;
	place = transaction_find(store, id);
	if (!place)
		return -ENOENT;
	target->transaction = *place;
	target->tree = &(*place)->tree;
	return 0;
}

/* May the target change?  Return: 0, or why not. */
static int target_open(struct target *target)
{
	struct transaction *t = target->transaction;

	return t && t->nr_changes == RF_STORE_CHANGES ? -ENOSPC : 0;
}

static void target_changed(struct rf_store *store, struct target *target,
			   bool removed)
{
	struct transaction *t = target->transaction;
	struct change *change;

	if (!t) {
		store->generation++;
		watches_fire(store, target->path, removed);
		return;
	}
	change = &t->changes[t->nr_changes++];
	strcpy(change->path, target->path);
	change->removed = removed;
}

/* ---- Requests */

static int do_read(struct rf_store *store)
{
	const struct rf_store_node *node;
	struct target target;
	int ret = target_find(store, &target);

	if (ret)
		return ret;
	node = rf_store_tree_find(target.tree, target.path);
	if (!node)
		return -ENOENT;
	return answer(store, XS_READ, node->value, node->len);
}

static int do_directory(struct rf_store *store)
{
	char names[XENSTORE_PAYLOAD_MAX];
	struct target target;
	int ret = target_find(store, &target);

	if (!ret)
		ret = rf_store_tree_list(target.tree, target.path, names,
					 sizeof(names));
	return ret < 0 ? ret : answer(store, XS_DIRECTORY, names, ret);
}

static int do_get_perms(struct rf_store *store)
{
	const struct rf_store_node *node;
	struct target target;
	int ret = target_find(store, &target);

	if (ret)
		return ret;
	node = rf_store_tree_find(target.tree, target.path);
	if (!node)
		return -ENOENT;
	return answer(store, XS_GET_PERMS, node->perms, node->perms_len);
}

static int do_write(struct rf_store *store)
{
	struct target target;
	const char *value;
	size_t len;
	int ret = target_find(store, &target);

	if (!ret)
		ret = target_open(&target);
	if (ret)
		return ret;
	len = rest(&store->in, &value);
	ret = rf_store_tree_write(target.tree, RF_STORE_GUEST, target.path,
				  value, len);
	if (!ret)
		target_changed(store, &target, false);
	return ret;
}

static int do_mkdir(struct rf_store *store)
{
	struct target target;
	int ret = target_find(store, &target);

	if (!ret)
		ret = target_open(&target);
	if (!ret)
		ret = rf_store_tree_make(target.tree, RF_STORE_GUEST,
					 target.path);
	if (ret > 0)
		target_changed(store, &target, false);
	return ret < 0 ? ret : 0;
}

static int do_rm(struct rf_store *store)
{
	struct target target;
	int ret = target_find(store, &target);

	if (!ret)
		ret = target_open(&target);
	if (!ret)
		ret = rf_store_tree_remove(target.tree, RF_STORE_GUEST,
					   target.path);
	if (ret > 0)
		target_changed(store, &target, true);
	return ret < 0 ? ret : 0;
}

static int do_set_perms(struct rf_store *store)
{
	struct target target;
	const char *perms;
	size_t len;
	int ret = target_find(store, &target);

	if (!ret)
		ret = target_open(&target);
	if (ret)
		return ret;
	len = rest(&store->in, &perms);
	ret = rf_store_tree_set_perms(target.tree, RF_STORE_GUEST, target.path,
				      perms, len);
	if (!ret)
		target_changed(store, &target, false);
	return ret;
}

/* Path and token of a watch.  "@..." stands for events that never come. */
static int watch_read(struct rf_store *store, char path[static RF_STORE_PATH],
		      const char **token, bool *relative)
{
	const char *given = next_string(&store->in);

	*token = given ? next_string(&store->in) : NULL;
	if (!*token || strlen(*token) >= RF_STORE_TOKEN)
		return -EINVAL;
	*relative = *given != '/' && *given != '@';
	if (*given != '@')
		return rf_store_path_resolve(given, path);
	if (strlen(given) >= RF_STORE_PATH)
		return -EINVAL;
	strcpy(path, given);
	return 0;
}

static int do_watch(struct rf_store *store)
{
	char path[RF_STORE_PATH];
	struct watch *watch = NULL;
	const char *token;
	bool relative;
	int ret = watch_read(store, path, &token, &relative);

	if (ret)
		return ret;
	if (watch_find(store, path, token))
		return -EEXIST;
	for (int i = 0; !watch && i < RF_STORE_WATCHES; i++)
		if (!store->watches[i].token)
			watch = &store->watches[i];
	if (!watch)
		return -ENOSPC;
	watch->token = strdup(token);
	if (!watch->token)
		return -ENOMEM;
	watch->relative = relative;
	strcpy(watch->path, path);
	/* It fires once at the start, for what was there before; after "OK". */
	answer_text(store, "OK");
	watch_fire(store, watch, path);
	return ANSWERED;
}

static int do_unwatch(struct rf_store *store)
{
	char path[RF_STORE_PATH];
	struct watch *watch;
	const char *token;
	bool relative;
	int ret = watch_read(store, path, &token, &relative);

	if (ret)
		return ret;
	watch = watch_find(store, path, token);
	if (!watch)
		return -ENOENT;
	watch_forget(watch);
	return 0;
}

static int do_transaction_start(struct rf_store *store)
{
	struct transaction **place, *t;
	char id[16];

	if (store->in.head.tx_id)
		return -EBUSY;
	place = transaction_find(store, 0);
	if (!place)
		return -ENOSPC;
	t = calloc(1, sizeof(*t));
	if (!t || rf_store_tree_copy(&t->tree, &store->tree)) {
		free(t);
		return -ENOMEM;
	}
	do
		t->id = ++store->last_id;
	while (!t->id || transaction_find(store, t->id));
	t->generation = store->generation;
	*place = t;
	snprintf(id, sizeof(id), "%u", t->id);
	return answer_text(store, id);
}

static int do_transaction_end(struct rf_store *store)
{
	const char *verdict = next_string(&store->in);
	uint32_t id = store->in.head.tx_id;
	struct transaction **place = id ? transaction_find(store, id) : NULL;
	int ret = 0;

	if (!verdict || (strcmp(verdict, "T") && strcmp(verdict, "F")))
		return -EINVAL;
	if (!place)
		return -ENOENT;
	if (*verdict == 'T' && (*place)->nr_changes) {
		if ((*place)->generation == store->generation)
			transaction_commit(store, *place);
		else
			ret = -EAGAIN;
	}
	transaction_forget(place);
	return ret;
}

/* The domain a request names, or -1. */
static long domain_read(struct rf_store *store)
{
	const char *text = next_string(&store->in);
	char *end;
	long domain;

	if (!text || *text < '0' || *text > '9')
		return -1;
	domain = strtol(text, &end, 10);
	return *end || domain > 0x7fff ? -1 : domain;
}

static int do_get_domain_path(struct rf_store *store)
{
	long domain = domain_read(store);
	char path[40];

	if (domain < 0)
		return -EINVAL;
	snprintf(path, sizeof(path), "/local/domain/%ld", domain);
	return answer_text(store, path);
}

static int do_is_domain_introduced(struct rf_store *store)
{
	long domain = domain_read(store);

	if (domain < 0)
		return -EINVAL;
	return answer_text(store, domain <= RF_STORE_GUEST ? "T" : "F");
}

static void forget_all(struct rf_store *store)
{
	for (int i = 0; i < RF_STORE_WATCHES; i++)
		watch_forget(&store->watches[i]);
	for (int i = 0; i < RF_STORE_TRANSACTIONS; i++)
		transaction_forget(&store->transactions[i]);
}

static int do_reset_watches(struct rf_store *store)
{
	forget_all(store);
	return 0;
}

/* What only the host's tools may ask. */
static int do_refuse(struct rf_store *store)
{
	(void)store;
	return -EACCES;
}

static int (*const requests[XS_TYPE_COUNT])(struct rf_store *store) = {
	[XS_DIRECTORY] = do_directory,
	[XS_READ] = do_read,
	[XS_GET_PERMS] = do_get_perms,
	[XS_WATCH] = do_watch,
	[XS_UNWATCH] = do_unwatch,
	[XS_TRANSACTION_START] = do_transaction_start,
	[XS_TRANSACTION_END] = do_transaction_end,
	[XS_GET_DOMAIN_PATH] = do_get_domain_path,
	[XS_WRITE] = do_write,
	[XS_MKDIR] = do_mkdir,
	[XS_RM] = do_rm,
	[XS_SET_PERMS] = do_set_perms,
	[XS_IS_DOMAIN_INTRODUCED] = do_is_domain_introduced,
	[XS_RESET_WATCHES] = do_reset_watches,
	[XS_CONTROL] = do_refuse,
	[XS_INTRODUCE] = do_refuse,
	[XS_RELEASE] = do_refuse,
	[XS_RESUME] = do_refuse,
	[XS_SET_TARGET] = do_refuse,
};

static void serve(struct rf_store *store)
{
	uint32_t type = store->in.head.type;
	int ret = -ENOSYS;

	store->in.read = 0;
	store->in.payload[store->in.head.len] = 0;
	if (type < XS_TYPE_COUNT && requests[type])
		ret = requests[type](store);
	if (ret < 0)
		answer_error(store, -ret);
	else if (ret != ANSWERED)
		answer_text(store, "OK");
}

/* ---- In */

size_t rf_store_wants(const struct rf_store *store)
{
	const struct message *in = &store->in;

	if (store->broken || store->out_len)
		return 0;
	if (in->got < sizeof(in->head))
		return sizeof(in->head) - in->got;
	return sizeof(in->head) + in->head.len - in->got;
}

void rf_store_put(struct rf_store *store, const void *buf, size_t len)
{
	struct message *in = &store->in;

	if (in->got < sizeof(in->head))
		memcpy((char *)&in->head + in->got, buf, len);
	else
		memcpy(in->payload + (in->got - sizeof(in->head)), buf, len);
	in->got += len;
	if (in->got < sizeof(in->head))
		return;
	if (in->head.len > XENSTORE_PAYLOAD_MAX) {
		store->broken = "it sent a message that is too long";
		return;
	}
	if (in->got < sizeof(in->head) + in->head.len)
		return;
	serve(store);
	in->got = 0;
}

/* ---- The host's side */

struct rf_store *rf_store_create(void)
{
	struct rf_store *store = calloc(1, sizeof(*store));

	if (store && rf_store_tree_init(&store->tree)) {
		free(store);
		return NULL;
	}
	return store;
}

void rf_store_destroy(struct rf_store *store)
{
	if (!store)
		return;
	forget_all(store);
	rf_store_tree_free(&store->tree);
	free(store->out);
	free(store);
}

int rf_store_set(struct rf_store *store, const char *path, const char *value)
{
	int ret;

	if (rf_store_says(store, path, value))
		return 0;
	ret = rf_store_tree_write(&store->tree, RF_STORE_HOST, path, value,
				  strlen(value));
	if (ret)
		return ret;
	store->generation++;
	watches_fire(store, path, false);
	return 0;
}

int rf_store_give(struct rf_store *store, const char *path)
{
	return rf_store_tree_give(&store->tree, path);
}

bool rf_store_says(const struct rf_store *store, const char *path,
		   const char *value)
{
	const struct rf_store_node *node =
		rf_store_tree_find(&store->tree, path);

	return node && node->len == strlen(value) &&
	       (!node->len || !memcmp(node->value, value, node->len));
}

bool rf_store_is_watched(const struct rf_store *store, const char *path)
{
	for (int i = 0; i < RF_STORE_WATCHES; i++)
		if (store->watches[i].token &&
		    rf_store_path_is_in(path, store->watches[i].path))
			return true;
	return false;
}

const char *rf_store_broken(const struct rf_store *store)
{
	return store->broken;
}
