// SPDX-License-Identifier: GPL-2.0
/*
 * Every command of event_channel_op: ports are given out, bound, sent on, looked
 * at, moved and closed as the ABI says, and nothing else has an effect.
 *
 * It may have: a port is an index that the guest names, and what it is bound to
 * decides who is woken.
 */
#include "guest.h"

#define UNMAPPED	((void *)0x123456789000UL)

static const u32 bad_ports[] = { 0, 4095, 4096, 0x7fffffff, 0xffffffff };

static struct evtchn_status status(u32 port)
{
	struct evtchn_status op = { .dom = DOMID_SELF, .port = port };

	EXPECT_EQ(event_channel_op(EVTCHNOP_status, &op), 0);
	return op;
}

static void ports_that_are_not_there(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(bad_ports); i++) {
		struct evtchn_status st = { .dom = DOMID_SELF, .port = bad_ports[i] };
		struct evtchn_bind_vcpu bind = { .port = bad_ports[i] };
		struct evtchn_unmask unmask = { .port = bad_ports[i] };

		EXPECT_EQ(port_send(bad_ports[i]), -EINVAL);
		EXPECT_EQ(port_close(bad_ports[i]), -EINVAL);
		EXPECT_EQ(event_channel_op(EVTCHNOP_bind_vcpu, &bind), -EINVAL);
		if (bad_ports[i] < 4096) {
			EXPECT_EQ(event_channel_op(EVTCHNOP_status, &st), 0);
			EXPECT_EQ(st.status, EVTCHNSTAT_closed);
		} else {
			EXPECT_EQ(event_channel_op(EVTCHNOP_status, &st), -EINVAL);
			EXPECT_EQ(event_channel_op(EVTCHNOP_unmask, &unmask), -EINVAL);
		}
	}
}

static void an_ipi_port(void)
{
	struct evtchn_bind_ipi op = { .vcpu = 1000 };
	u32 port = bind_ipi(0);

	EXPECT(port);
	EXPECT_EQ(status(port).status, EVTCHNSTAT_ipi);
	EXPECT_EQ(port_send(port), 0);
	EXPECT(port_is_pending(port));
	EXPECT_EQ(port_close(port), 0);
	EXPECT(!port_is_pending(port));
	EXPECT_EQ(status(port).status, EVTCHNSTAT_closed);
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_ipi, &op), -ENOENT);
}

static void a_virq_port(void)
{
	struct evtchn_bind_virq op = { .virq = VIRQ_TIMER, .vcpu = 0 };
	u32 port = bind_virq(VIRQ_TIMER, 0);

	EXPECT(port);
	EXPECT_EQ(status(port).status, EVTCHNSTAT_virq);
	EXPECT_EQ(status(port).u.virq, VIRQ_TIMER);
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_virq, &op), -EEXIST);
	EXPECT_EQ(port_send(port), -EINVAL);
	EXPECT_EQ(port_close(port), 0);
	op.virq = NR_VIRQS;
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_virq, &op), -EINVAL);
	op = (struct evtchn_bind_virq){ .virq = VIRQ_TIMER, .vcpu = 64 };
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_virq, &op), -ENOENT);
	op = (struct evtchn_bind_virq){ .virq = VIRQ_DOM_EXC, .vcpu = 1 };
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_virq, &op), -EINVAL);
}

static void two_ports_bound_to_each_other(void)
{
	struct evtchn_bind_interdomain op = { .remote_dom = DOMID_SELF };
	u32 a = alloc_unbound(), b;

	EXPECT_EQ(status(a).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_send(a), 0);
	op.remote_port = a;
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_interdomain, &op), 0);
	b = op.local_port;
	EXPECT_EQ(status(a).status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(status(b).u.interdomain.port, a);
	/* A second time it is bound already. */
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_interdomain, &op), -EINVAL);
	EXPECT_EQ(port_send(b), 0);
	EXPECT(port_is_pending(a));
	EXPECT_EQ(port_close(b), 0);
	EXPECT_EQ(status(a).status, EVTCHNSTAT_unbound);
	EXPECT_EQ(port_close(a), 0);
	op.remote_dom = 7;
	EXPECT(event_channel_op(EVTCHNOP_bind_interdomain, &op) < 0);
}

static void foreign_domains_are_refused(void)
{
	struct evtchn_alloc_unbound alloc = { .dom = 7, .remote_dom = 0 };
	struct evtchn_status st = { .dom = 7, .port = 1 };
	struct evtchn_reset reset = { .dom = 7 };

	EXPECT(event_channel_op(EVTCHNOP_alloc_unbound, &alloc) < 0);
	EXPECT(event_channel_op(EVTCHNOP_status, &st) < 0);
	EXPECT(event_channel_op(EVTCHNOP_reset, &reset) < 0);
}

static void the_console_is_bound(void)
{
	struct evtchn_status st = status(start_info->console.domU.evtchn);

	EXPECT_EQ(st.status, EVTCHNSTAT_interdomain);
	EXPECT_EQ(st.vcpu, 0);
}

static void bad_commands_and_pointers(void)
{
	struct evtchn_bind_pirq pirq = { .pirq = 1 };
	u32 cmd;

	for (cmd = 0; cmd < 14; cmd++)
		EXPECT(event_channel_op(cmd, UNMAPPED) < 0);
	EXPECT_EQ(event_channel_op(EVTCHNOP_send, UNMAPPED), -EFAULT);
	EXPECT_EQ(event_channel_op(14, &pirq), -ENOSYS);
	EXPECT_EQ(event_channel_op(-1, &pirq), -ENOSYS);
	EXPECT(event_channel_op(EVTCHNOP_bind_pirq, &pirq) < 0);
}

/* The last port of all, and then no more: the limit is the ABI's. */
static void ports_run_out(void)
{
	struct evtchn_alloc_unbound op = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	static u32 first, last;
	long err;

	while (!(err = event_channel_op(EVTCHNOP_alloc_unbound, &op))) {
		first = first ?: op.port;
		last = op.port;
	}
	EXPECT_EQ(err, -ENOSPC);
	EXPECT(last >= 1023 && last < 4096);
	for (; last >= first; last--)
		EXPECT_EQ(port_close(last), 0);
}

static void reset_closes_all(void)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	u32 port = bind_ipi(0);

	EXPECT_EQ(event_channel_op(EVTCHNOP_reset, &reset), 0);
	EXPECT_EQ(status(port).status, EVTCHNSTAT_closed);
}

GUEST_TEST(CASE(ports_that_are_not_there), CASE(an_ipi_port), CASE(a_virq_port),
	   CASE(two_ports_bound_to_each_other), CASE(foreign_domains_are_refused),
	   CASE(the_console_is_bound), CASE(bad_commands_and_pointers), CASE(ports_run_out),
	   CASE(reset_closes_all));
