// SPDX-License-Identifier: GPL-2.0
/*
 * store.c - the guest's end of its xenstore
 */
#include "guest.h"

struct xenstore_domain_interface *store_page;

/* Sends, and what waits for an answer, have so long. */
#define PATIENCE_NS	5000000000

void store_init(void)
{
	store_page = (void *)va_of(start_info->store_mfn);
}

static bool store_put(const void *bytes, u32 len)
{
	struct xenstore_domain_interface *page = store_page;
	u64 limit = now_ns() + PATIENCE_NS;
	const char *from = bytes;

	while (len) {
		if (page->req_prod - READ_ONCE(page->req_cons) >= sizeof(page->req)) {
			port_send(start_info->store_evtchn);
			if (now_ns() > limit)
				return false;
			continue;
		}
		page->req[MASK_XENSTORE_IDX(page->req_prod)] = *from++;
		__atomic_store_n(&page->req_prod, page->req_prod + 1, __ATOMIC_RELEASE);
		len--;
	}
	return true;
}

static bool store_get(void *bytes, u32 len)
{
	struct xenstore_domain_interface *page = store_page;
	u64 limit = now_ns() + PATIENCE_NS;
	char *to = bytes;

	while (len) {
		if (READ_ONCE(page->rsp_prod) == page->rsp_cons) {
			port_send(start_info->store_evtchn);
			if (now_ns() > limit)
				return false;
			relax();
			continue;
		}
		*to++ = page->rsp[MASK_XENSTORE_IDX(page->rsp_cons)];
		__atomic_store_n(&page->rsp_cons, page->rsp_cons + 1, __ATOMIC_RELEASE);
		len--;
	}
	return true;
}

bool store_send(u32 type, const void *payload, u32 len)
{
	struct xsd_sockmsg head = { .type = type, .req_id = 7, .len = len };
	bool sent = store_put(&head, sizeof(head)) && store_put(payload, len);

	port_send(start_info->store_evtchn);
	return sent;
}

int store_hear(char *payload, u32 *len)
{
	struct xsd_sockmsg head;

	if (!store_get(&head, sizeof(head)) || head.len > XENSTORE_PAYLOAD_MAX ||
	    !store_get(payload, head.len))
		return -1;
	payload[head.len] = 0;
	*len = head.len;
	return head.type;
}
