/* SPDX-License-Identifier: GPL-2.0 */
/*
 * fake.h - a VM with two vCPUs and a few pages, for the event room's suites
 *
 * To be included after the event room's own sources.
 */
#ifndef RF_TEST_EVENT_FAKE_H
#define RF_TEST_EVENT_FAKE_H

#include <kunit/test.h>
#include <linux/gfp.h>
#include <linux/mm.h>

#define NR_FAKE_VCPUS	2
#define NR_FAKE_PAGES	8	/* guest frames 0 to 7; frame 0 is shared_info */

struct fake {
	struct rf_vm vm;
	struct rf_vcpu vcpu[NR_FAKE_VCPUS];
	struct rf_world world;
	struct page *pages[NR_FAKE_PAGES];
	unsigned int nr_pinned;
	unsigned int nr_bounced;
};

static struct fake *fake;

/* What the event room stands on. */

void rf_vcpu_kick(struct rf_vcpu *vcpu)
{
	vcpu->kicked = true;
}

bool rf_bounce_callback(struct rf_vcpu *vcpu, int type)
{
	if (!vcpu->callbacks[type].rip)
		return false;
	if (type == CALLBACKTYPE_event)
		vcpu->event.info->evtchn_upcall_mask = 1;
	fake->nr_bounced++;
	return true;
}

struct page *rf_guest_pin(struct rf_vm *vm, rf_gfn_t gfn)
{
	if (gfn.v >= NR_FAKE_PAGES)
		return ERR_PTR(-EFAULT);
	fake->nr_pinned++;
	return fake->pages[gfn.v];
}

void rf_guest_unpin(struct page *page)
{
	fake->nr_pinned--;
}

int rf_hole_map_vcpu_page(struct rf_hole *hole, unsigned int vcpu_id,
			  unsigned int page_index, struct page *page, bool writable)
{
	return 0;
}

void rf_vm_kill(struct rf_vm *vm, const char *fmt, ...)
{
	vm->dead = true;
}

struct rf_eventfd *rf_eventfd_get(struct rf_eventfd *eventfd)
{
	return eventfd;
}

void rf_eventfd_put(struct rf_eventfd *eventfd)
{
}

void rf_eventfd_send(struct rf_eventfd *eventfd)
{
}

void rf_eventfd_destroy(struct rf_eventfd *eventfd)
{
}

void rf_timer_vm_init(struct rf_evtchns *evtchns)
{
}

void rf_timer_vm_exit(struct rf_evtchns *evtchns)
{
}

void rf_timer_vcpu_init(struct rf_vcpu *vcpu)
{
	struct hrtimer *timer = &vcpu->event.poll_timer;

	hrtimer_init(timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	timer->function = rf_upcall_poll_timeout;
}

void rf_timer_vcpu_exit(struct rf_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->event.poll_timer);
}

ktime_t rf_timer_expiry(const struct rf_vm *vm, u64 abs_ns)
{
	return ns_to_ktime(abs_ns);
}

int rf_clock_vm_init(struct rf_evtchns *evtchns)
{
	return 0;
}

void rf_clock_vm_exit(struct rf_evtchns *evtchns)
{
}

void rf_runstate_vcpu_init(struct rf_vcpu *vcpu)
{
}

/* Life. */

static void fake_vcpu_init(struct kunit *test, u32 id)
{
	struct rf_vcpu *vcpu = &fake->vcpu[id];

	vcpu->vm = &fake->vm;
	vcpu->id = id;
	vcpu->online = true;
	vcpu->world = &fake->world;
	vcpu->callbacks[CALLBACKTYPE_event].rip = 0xffffffff81000000;
	KUNIT_ASSERT_EQ(test, rf_event_vcpu_init(vcpu), 0);
	vcpu->event.info->evtchn_upcall_mask = 0;
	fake->vm.vcpus[id] = vcpu;
}

/* A VM that has no vCPUs yet; all ports are unmasked. */
static int fake_vm_init(struct kunit *test)
{
	int i;

	fake = kvzalloc(sizeof(*fake), GFP_KERNEL);
	if (!fake)
		return -ENOMEM;
	for (i = 0; i < NR_FAKE_PAGES; i++) {
		fake->pages[i] = alloc_page(GFP_KERNEL | __GFP_ZERO);
		KUNIT_ASSERT_NOT_NULL(test, fake->pages[i]);
	}
	fake->vm.shared_page = fake->pages[0];
	fake->vm.shared = page_address(fake->pages[0]);
	fake->vm.max_vcpus = NR_FAKE_VCPUS;
	return rf_event_vm_init(&fake->vm);
}

static int fake_init(struct kunit *test)
{
	int i, err = fake_vm_init(test);

	for (i = 0; !err && i < NR_FAKE_VCPUS; i++)
		fake_vcpu_init(test, i);
	return err;
}

static void fake_exit(struct kunit *test)
{
	int i;

	for (i = 0; i < NR_FAKE_VCPUS; i++)
		rf_event_vcpu_exit(&fake->vcpu[i]);
	rf_event_vm_exit(&fake->vm);
	KUNIT_EXPECT_EQ(test, fake->nr_pinned, 0);
	for (i = 0; i < NR_FAKE_PAGES; i++)
		__free_page(fake->pages[i]);
	kvfree(fake);
}

/* What the guest asks for. */

static long guest_bind_ipi(u32 vcpu, u32 *port)
{
	struct evtchn_bind_ipi op = { .vcpu = vcpu };
	long ret = rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_bind_ipi, &op);

	*port = op.port;
	return ret;
}

static long guest_send(u32 port)
{
	struct evtchn_send op = { .port = port };

	return rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_send, &op);
}

static long guest_close(u32 port)
{
	struct evtchn_close op = { .port = port };

	return rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_close, &op);
}

static long guest_unmask(u32 port)
{
	struct evtchn_unmask op = { .port = port };

	return rf_evtchn_op(&fake->vcpu[0], EVTCHNOP_unmask, &op);
}

#endif /* RF_TEST_EVENT_FAKE_H */
