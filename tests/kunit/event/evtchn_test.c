// SPDX-License-Identifier: GPL-2.0
/*
 * evtchn_test.c - ports, the 2-level ABI, upcalls, and what a vCPU sleeps for
 */
/* The module has the tracepoints. */
#define NOTRACE

#include <linux/module.h>

#include "../../../host-module/event/evtchn.c"
#include "../../../host-module/event/fifo.c"
#include "../../../host-module/event/upcall.c"
#include "fake.h"

static bool shared_bit(const xen_ulong_t *words, u32 port)
{
	return test_bit(port, (const unsigned long *)words);
}

static struct vcpu_info *info_of(u32 vcpu)
{
	return fake->vcpu[vcpu].event.info;
}

static u32 bind_ipi(struct kunit *test, u32 vcpu)
{
	u32 port;

	KUNIT_ASSERT_EQ(test, guest_bind_ipi(vcpu, &port), 0);
	return port;
}

static void ports_start_at_1_and_are_given_out_upwards(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, bind_ipi(test, 0), 1);
	KUNIT_EXPECT_EQ(test, bind_ipi(test, 0), 2);
	KUNIT_EXPECT_EQ(test, guest_close(1), 0);
	KUNIT_EXPECT_EQ(test, bind_ipi(test, 0), 1);
}

static void send_tells_the_vcpu_of_the_port(struct kunit *test)
{
	u32 port = bind_ipi(test, 1);

	KUNIT_EXPECT_EQ(test, guest_send(port), 0);
	KUNIT_EXPECT_TRUE(test, shared_bit(fake->vm.shared->evtchn_pending, port));
	KUNIT_EXPECT_EQ(test, info_of(1)->evtchn_pending_sel, 1);
	KUNIT_EXPECT_EQ(test, info_of(1)->evtchn_upcall_pending, 1);
	KUNIT_EXPECT_TRUE(test, fake->vcpu[1].kicked);
	KUNIT_EXPECT_EQ(test, info_of(0)->evtchn_upcall_pending, 0);
}

static void masked_port_is_pending_and_tells_nobody(struct kunit *test)
{
	u32 port = bind_ipi(test, 0);

	set_bit(port, (unsigned long *)fake->vm.shared->evtchn_mask);
	guest_send(port);
	KUNIT_EXPECT_TRUE(test, shared_bit(fake->vm.shared->evtchn_pending, port));
	KUNIT_EXPECT_EQ(test, info_of(0)->evtchn_upcall_pending, 0);

	KUNIT_EXPECT_EQ(test, guest_unmask(port), 0);
	KUNIT_EXPECT_EQ(test, info_of(0)->evtchn_upcall_pending, 1);
}

static void bad_ports_are_refused(struct kunit *test)
{
	static const u32 bad[] = { 0, 1, RF_MAX_PORTS - 1, RF_MAX_PORTS, 1U << 17, ~0U };
	int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct evtchn_bind_vcpu bind = { .port = bad[i] };

		KUNIT_EXPECT_EQ(test, guest_send(bad[i]), -EINVAL);
		KUNIT_EXPECT_EQ(test, guest_close(bad[i]), -EINVAL);
		KUNIT_EXPECT_EQ(test, rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_bind_vcpu, &bind),
				-EINVAL);
		rf_evtchn_raise(&fake->vm, bad[i]);
	}
	KUNIT_EXPECT_TRUE(test, bitmap_empty((unsigned long *)fake->vm.shared->evtchn_pending,
					     RF_MAX_PORTS));
}

static void guest_runs_out_of_ports(struct kunit *test)
{
	u32 port, i;

	for (i = 1; i < RF_MAX_PORTS; i++)
		KUNIT_ASSERT_EQ(test, guest_bind_ipi(0, &port), 0);
	KUNIT_EXPECT_EQ(test, guest_bind_ipi(0, &port), -ENOSPC);
	KUNIT_EXPECT_EQ(test, guest_close(77), 0);
	KUNIT_EXPECT_EQ(test, bind_ipi(test, 0), 77);
}

static long bind_virq(u32 virq, u32 vcpu, u32 *port)
{
	struct evtchn_bind_virq op = { .virq = virq, .vcpu = vcpu };
	long ret = rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_bind_virq, &op);

	*port = op.port;
	return ret;
}

static void virq_is_bound_once_per_vcpu(struct kunit *test)
{
	u32 port;

	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_TIMER, 1, &port), 0);
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_TIMER, 1, &port), -EEXIST);
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_TIMER, 0, &port), 0);
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_TIMER, 2, &port), -ENOENT);
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_TIMER, ~0U, &port), -ENOENT);
	KUNIT_EXPECT_EQ(test, bind_virq(NR_VIRQS, 0, &port), -EINVAL);
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_CONSOLE, 1, &port), -EINVAL);
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_CONSOLE, 0, &port), 0);
	KUNIT_EXPECT_EQ(test, guest_send(port), -EINVAL);
}

static void closed_virq_is_not_raised(struct kunit *test)
{
	u32 port;

	bind_virq(VIRQ_TIMER, 1, &port);
	rf_evtchn_raise_virq(&fake->vcpu[1], VIRQ_TIMER);
	KUNIT_EXPECT_EQ(test, info_of(1)->evtchn_upcall_pending, 1);

	info_of(1)->evtchn_upcall_pending = 0;
	KUNIT_EXPECT_EQ(test, guest_close(port), 0);
	rf_evtchn_raise_virq(&fake->vcpu[1], VIRQ_TIMER);
	KUNIT_EXPECT_EQ(test, info_of(1)->evtchn_upcall_pending, 0);
	KUNIT_EXPECT_FALSE(test, shared_bit(fake->vm.shared->evtchn_pending, port));
	KUNIT_EXPECT_EQ(test, bind_virq(VIRQ_TIMER, 1, &port), 0);
}

static void port_raised_before_its_vcpu_comes_is_shown_to_it(struct kunit *test)
{
	u32 port = bind_ipi(test, 0);

	rf_evtchn_vcpu_exit(&fake->vcpu[0]);
	rf_evtchn_raise(&fake->vm, port);
	KUNIT_EXPECT_EQ(test, info_of(0)->evtchn_upcall_pending, 0);

	rf_evtchn_vcpu_init(&fake->vcpu[0]);
	KUNIT_EXPECT_EQ(test, info_of(0)->evtchn_upcall_pending, 1);
	KUNIT_EXPECT_TRUE(test, shared_bit(fake->vm.shared->evtchn_pending, port));
}

static void loopback_carries_both_ways_until_an_end_closes(struct kunit *test)
{
	struct evtchn_alloc_unbound alloc = { .dom = DOMID_SELF, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	struct evtchn_status status = { .dom = DOMID_SELF };
	struct rf_vcpu *vcpu = &fake->vcpu[0];

	KUNIT_ASSERT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_alloc_unbound, &alloc), 0);
	KUNIT_EXPECT_EQ(test, guest_send(alloc.port), 0);

	bind.remote_port = alloc.port;
	KUNIT_ASSERT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_bind_interdomain, &bind), 0);
	KUNIT_EXPECT_TRUE(test, shared_bit(fake->vm.shared->evtchn_pending, bind.local_port));
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_bind_interdomain, &bind), -EINVAL);

	KUNIT_EXPECT_EQ(test, guest_send(bind.local_port), 0);
	KUNIT_EXPECT_TRUE(test, shared_bit(fake->vm.shared->evtchn_pending, alloc.port));

	KUNIT_EXPECT_EQ(test, guest_close(bind.local_port), 0);
	status.port = alloc.port;
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_status, &status), 0);
	KUNIT_EXPECT_EQ(test, status.status, EVTCHNSTAT_unbound);
}

static void other_domains_are_refused(struct kunit *test)
{
	struct evtchn_alloc_unbound alloc = { .dom = 1, .remote_dom = DOMID_SELF };
	struct evtchn_bind_interdomain bind = { .remote_dom = 1, .remote_port = 1 };
	struct evtchn_status status = { .dom = 1 };
	struct evtchn_reset reset = { .dom = 1 };
	struct rf_vcpu *vcpu = &fake->vcpu[0];

	KUNIT_EXPECT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_alloc_unbound, &alloc), -EPERM);
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_bind_interdomain, &bind), -ESRCH);
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_status, &status), -EPERM);
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(vcpu, EVTCHNOP_reset, &reset), -EPERM);
}

static void reset_closes_every_port(struct kunit *test)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };

	bind_ipi(test, 0);
	bind_ipi(test, 1);
	guest_send(2);
	KUNIT_EXPECT_EQ(test, rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_reset, &reset), 0);
	KUNIT_EXPECT_EQ(test, guest_send(1), -EINVAL);
	KUNIT_EXPECT_FALSE(test, shared_bit(fake->vm.shared->evtchn_pending, 2));
}

static void upcall_waits_for_the_mask(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[0];
	u32 port = bind_ipi(test, 0);

	info_of(0)->evtchn_upcall_mask = 1;
	guest_send(port);
	KUNIT_EXPECT_FALSE(test, rf_event_deliverable(vcpu));
	rf_event_deliver(vcpu);
	KUNIT_EXPECT_EQ(test, fake->nr_bounced, 0);

	info_of(0)->evtchn_upcall_mask = 0;
	KUNIT_EXPECT_TRUE(test, rf_event_deliverable(vcpu));
	rf_event_deliver(vcpu);
	KUNIT_EXPECT_EQ(test, fake->nr_bounced, 1);
	KUNIT_EXPECT_FALSE(test, rf_event_deliverable(vcpu));
}

/* It would spin in the host otherwise. */
static void guest_without_a_callback_has_nothing_deliverable(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[0];

	vcpu->callbacks[CALLBACKTYPE_event].rip = 0;
	guest_send(bind_ipi(test, 0));
	rf_event_send_nmi(vcpu);
	rf_event_deliver(vcpu);
	KUNIT_EXPECT_FALSE(test, rf_event_deliverable(vcpu));
}

static void block_unmasks_and_sleeps_unless_pending(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[0];
	u32 port = bind_ipi(test, 0);

	info_of(0)->evtchn_upcall_mask = 1;
	rf_event_block(vcpu);
	KUNIT_EXPECT_EQ(test, info_of(0)->evtchn_upcall_mask, 0);
	KUNIT_EXPECT_TRUE(test, vcpu->halted);
	KUNIT_EXPECT_FALSE(test, rf_event_wakes(vcpu));

	guest_send(port);
	KUNIT_EXPECT_TRUE(test, rf_event_wakes(vcpu));
	rf_event_block(vcpu);
	KUNIT_EXPECT_FALSE(test, vcpu->halted);
}

static void poll_ends_with_its_own_port_though_masked(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[0];
	evtchn_port_t port = bind_ipi(test, 0);
	u32 other = bind_ipi(test, 0);

	memset(fake->vm.shared->evtchn_mask, 0xff, sizeof(fake->vm.shared->evtchn_mask));
	info_of(0)->evtchn_upcall_mask = 1;

	KUNIT_EXPECT_EQ(test, rf_event_poll(vcpu, &port, 1, 0), 0);
	KUNIT_EXPECT_TRUE(test, vcpu->halted);
	guest_send(other);
	KUNIT_EXPECT_FALSE(test, rf_event_wakes(vcpu));
	guest_send(port);
	KUNIT_EXPECT_TRUE(test, rf_event_wakes(vcpu));
	KUNIT_EXPECT_TRUE(test, vcpu->kicked);

	/* Awake, it polls again: the port is still pending. */
	vcpu->halted = false;
	rf_event_deliver(vcpu);
	KUNIT_EXPECT_EQ(test, rf_event_poll(vcpu, &port, 1, 0), 0);
	KUNIT_EXPECT_FALSE(test, vcpu->halted);
}

static void poll_ends_in_time(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[0];
	evtchn_port_t port = bind_ipi(test, 0);
	ktime_t start = ktime_get();

	KUNIT_EXPECT_EQ(test, rf_event_poll(vcpu, &port, 1, ktime_to_ns(start) + 1), 0);
	while (!rf_event_wakes(vcpu) && ktime_ms_delta(ktime_get(), start) < 1000)
		cpu_relax();
	KUNIT_EXPECT_TRUE(test, rf_event_wakes(vcpu));
}

static void poll_refuses_ports_that_cannot_be(struct kunit *test)
{
	evtchn_port_t ports[] = { 1, RF_MAX_PORTS };

	KUNIT_EXPECT_EQ(test, rf_event_poll(&fake->vcpu[0], ports, 2, 0), -EINVAL);
	KUNIT_EXPECT_FALSE(test, fake->vcpu[0].halted);
}

static void registered_info_loses_no_event(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[1];
	struct vcpu_info *info = page_address(fake->pages[3]) + 64;

	info_of(1)->evtchn_upcall_mask = 1;
	guest_send(bind_ipi(test, 1));
	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, 3, 64), 0);
	KUNIT_EXPECT_PTR_EQ(test, vcpu->event.info, info);
	KUNIT_EXPECT_EQ(test, info->evtchn_upcall_pending, 1);
	KUNIT_EXPECT_EQ(test, info->evtchn_upcall_mask, 1);
	KUNIT_EXPECT_EQ(test, info->evtchn_pending_sel, ~0UL);
	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, 4, 0), -EINVAL);
}

static void info_that_does_not_fit_is_refused(struct kunit *test)
{
	struct rf_vcpu *vcpu = &fake->vcpu[1];
	u32 last = PAGE_SIZE - sizeof(struct vcpu_info);

	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, 3, last + 8), -EINVAL);
	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, 3, ~0U), -EINVAL);
	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, 3, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, NR_FAKE_PAGES, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, rf_event_register_info(vcpu, 3, last), 0);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(ports_start_at_1_and_are_given_out_upwards),
	KUNIT_CASE(send_tells_the_vcpu_of_the_port),
	KUNIT_CASE(masked_port_is_pending_and_tells_nobody),
	KUNIT_CASE(bad_ports_are_refused),
	KUNIT_CASE(guest_runs_out_of_ports),
	KUNIT_CASE(virq_is_bound_once_per_vcpu),
	KUNIT_CASE(closed_virq_is_not_raised),
	KUNIT_CASE(port_raised_before_its_vcpu_comes_is_shown_to_it),
	KUNIT_CASE(loopback_carries_both_ways_until_an_end_closes),
	KUNIT_CASE(other_domains_are_refused),
	KUNIT_CASE(reset_closes_every_port),
	KUNIT_CASE(upcall_waits_for_the_mask),
	KUNIT_CASE(guest_without_a_callback_has_nothing_deliverable),
	KUNIT_CASE(block_unmasks_and_sleeps_unless_pending),
	KUNIT_CASE(poll_ends_with_its_own_port_though_masked),
	KUNIT_CASE(poll_ends_in_time),
	KUNIT_CASE(poll_refuses_ports_that_cannot_be),
	KUNIT_CASE(registered_info_loses_no_event),
	KUNIT_CASE(info_that_does_not_fit_is_refused),
	{}
};

static struct kunit_suite suite = {
	.name = "rf_event_evtchn",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("ringfence tests: event channels");
MODULE_LICENSE("GPL");
