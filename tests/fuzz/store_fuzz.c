// SPDX-License-Identifier: GPL-2.0
/*
 * store_fuzz.c - a guest that writes whatever it likes into its store's page
 *
 * A round of input is four bytes of type, transaction, length and how much of
 * the answers to read, then the payload; one in eight bends an index.
 *
 * Sources: userland/store.c userland/store_tree.c userland/store_ring.c
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "userland/store.h"
#include "userland/store_ring.h"
#include "userland/store_tree.h"

static struct xenstore_domain_interface page;
static struct rf_store_ring ring;
static struct rf_store *store;

/* What domain.c does when the guest has sent an event. */
static void serve(void)
{
	char buf[XENSTORE_RING_SIZE];
	const void *data;
	size_t len;

	for (;;) {
		len = rf_store_peek(store, &data);
		if (len)
			len = rf_store_ring_write(&ring, data, len);
		rf_store_took(store, len);
		if (len)
			continue;
		len = rf_store_wants(store);
		len = rf_store_ring_read(&ring, buf, len < sizeof(buf) ?
						     len : sizeof(buf));
		if (!len)
			return;
		rf_store_put(store, buf, len);
	}
}

/* Into the ring, served whenever it is full. */
static void put(const void *bytes, size_t len)
{
	const char *from = bytes;

	for (size_t i = 0; i < len; i++) {
		if (page.req_prod - page.req_cons >= sizeof(page.req))
			serve();
		page.req[page.req_prod++ % sizeof(page.req)] = from[i];
	}
}

static void bend(const uint8_t *data)
{
	uint32_t *const indices[] = {
		&page.req_prod, &page.req_cons, &page.rsp_prod, &page.rsp_cons,
	};

	*indices[data[1] % 4] += (int8_t)data[2];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	memset(&page, 0, sizeof(page));
	rf_store_ring_init(&ring, &page);
	store = rf_store_create();
	if (!store)
		return 0;
	rf_store_set(store, RF_STORE_HOME "/control", "");
	rf_store_give(store, RF_STORE_HOME "/control");

	while (size >= 4) {
		struct xsd_sockmsg head = {
			.type = data[0] % (XS_TYPE_COUNT + 1),
			.tx_id = data[1] % 4,
			.len = data[2],
		};
		bool bent = data[3] % 8 == 7;
		size_t len = head.len < size - 4 ? head.len : size - 4;

		if (bent)
			bend(data);
		put(&head, sizeof(head));
		put(data + 4, len);
		serve();
		page.rsp_cons += (page.rsp_prod - page.rsp_cons) * data[3] / 255;
		rf_store_set(store, RF_STORE_HOME "/control/shutdown",
			     data[3] & 1 ? "poweroff" : "reboot");
		serve();
		data += 4 + len;
		size -= 4 + len;
	}
	rf_store_destroy(store);
	return 0;
}
