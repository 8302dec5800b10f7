// SPDX-License-Identifier: GPL-2.0
/*
 * event.c - event channels, the 2-level ABI
 */
#include "guest.h"

struct event_log event_log;

static unsigned long *pending_word(u32 port)
{
	return (unsigned long *)&shared_info->evtchn_pending[port / 64];
}

static unsigned long *mask_word(u32 port)
{
	return (unsigned long *)&shared_info->evtchn_mask[port / 64];
}

static void log_port(u32 port)
{
	if (event_log.nr < ARRAY_SIZE(event_log.order))
		event_log.order[event_log.nr++] = port;
	if (port < ARRAY_SIZE(event_log.count))
		__atomic_add_fetch(&event_log.count[port], 1, __ATOMIC_SEQ_CST);
}

/* As Linux does it: clear "pending", take the selector, then its words. */
void event_upcall(void)
{
	struct vcpu_info *info = this_cpu()->info;
	u64 selector;
	u32 word, bit;

	__atomic_add_fetch(&event_log.upcalls, 1, __ATOMIC_SEQ_CST);
	WRITE_ONCE(info->evtchn_upcall_pending, 0);
	selector = __atomic_exchange_n(&info->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	for (word = 0; word < 64; word++) {
		u64 bits;

		if (!(selector & (1UL << word)))
			continue;
		bits = READ_ONCE(shared_info->evtchn_pending[word]) &
		       ~READ_ONCE(shared_info->evtchn_mask[word]);
		for (bit = 0; bit < 64; bit++) {
			if (!(bits & (1UL << bit)))
				continue;
			__atomic_and_fetch(pending_word(word * 64), ~(1UL << bit),
					   __ATOMIC_SEQ_CST);
			log_port(word * 64 + bit);
		}
	}
}

void event_forget(void)
{
	memset(&event_log, 0, sizeof(event_log));
}

/* Any hypercall looks at events; this one does nothing else. */
void events_on(void)
{
	struct vcpu_info *info = this_cpu()->info;

	WRITE_ONCE(info->evtchn_upcall_mask, 0);
	barrier();
	if (READ_ONCE(info->evtchn_upcall_pending))
		xen_version(XENVER_version, NULL);
}

long port_send(u32 port)
{
	struct evtchn_send op = { .port = port };

	return event_channel_op(EVTCHNOP_send, &op);
}

long port_close(u32 port)
{
	struct evtchn_close op = { .port = port };

	return event_channel_op(EVTCHNOP_close, &op);
}

void port_mask(u32 port)
{
	__atomic_or_fetch(mask_word(port), 1UL << (port % 64), __ATOMIC_SEQ_CST);
}

void port_unmask(u32 port)
{
	struct evtchn_unmask op = { .port = port };

	event_channel_op(EVTCHNOP_unmask, &op);
}

bool port_is_pending(u32 port)
{
	return READ_ONCE(*pending_word(port)) >> (port % 64) & 1;
}

/* Ports come masked; 0 if there is none to be had. */
static u32 port_open(long err, u32 port)
{
	if (err)
		return 0;
	port_unmask(port);
	return port;
}

u32 bind_virq(u32 virq, u32 cpu)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = cpu };
	long err = event_channel_op(EVTCHNOP_bind_virq, &op);

	return port_open(err, op.port);
}

u32 bind_ipi(u32 cpu)
{
	struct evtchn_bind_ipi op = { .vcpu = cpu };
	long err = event_channel_op(EVTCHNOP_bind_ipi, &op);

	return port_open(err, op.port);
}

u32 alloc_unbound(void)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	long err = event_channel_op(EVTCHNOP_alloc_unbound, &op);

	return port_open(err, op.port);
}

void event_init(void)
{
	event_forget();
}
