// SPDX-License-Identifier: GPL-2.0
/*
 * timer.c - timers of a vCPU (VIRQ_TIMER) and watchdogs of a VM
 *
 *	guest system time + vm->clock_base_ns = host CLOCK_MONOTONIC
 */
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/ktime.h>
#include <linux/nospec.h>
#include <linux/overflow.h>

#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"

/* A guest must not storm the host: the limit is the ABI's. */
#define TIMER_MIN_PERIOD_NS	NSEC_PER_MSEC
#define TIMER_MAX_PERIOD_NS	(KTIME_MAX / 2)

/* A time beyond what the host can hold is never. */
ktime_t rf_timer_expiry(const struct rf_vm *vm, u64 abs_ns)
{
	/* Negative, if the guest's time began before the host's. */
	s64 base = vm->clock_base_ns, sum;

	if (abs_ns > KTIME_MAX || check_add_overflow((s64)abs_ns, base, &sum))
		return KTIME_MAX;
	return ns_to_ktime(max_t(s64, sum, 0));
}

static enum hrtimer_restart timer_singleshot(struct hrtimer *timer)
{
	struct rf_vcpu *vcpu = container_of(timer, struct rf_vcpu, event.singleshot);

	rf_evtchn_raise_virq(vcpu, VIRQ_TIMER);
	return HRTIMER_NORESTART;
}

static enum hrtimer_restart timer_periodic(struct hrtimer *timer)
{
	struct rf_vcpu *vcpu = container_of(timer, struct rf_vcpu, event.periodic);

	if (READ_ONCE(vcpu->vm->dead))
		return HRTIMER_NORESTART;

	rf_evtchn_raise_virq(vcpu, VIRQ_TIMER);
	hrtimer_forward_now(timer, ns_to_ktime(READ_ONCE(vcpu->event.period_ns)));
	return HRTIMER_RESTART;
}

long rf_timer_set_singleshot(struct rf_vcpu *vcpu, u64 abs_ns, bool must_be_future)
{
	struct hrtimer *timer = &vcpu->event.singleshot;

	if (abs_ns <= rf_clock_now(vcpu->vm)) {
		if (must_be_future)
			return -ETIME;
		/* What the timer would do, without the interrupt. */
		hrtimer_cancel(timer);
		rf_evtchn_raise_virq(vcpu, VIRQ_TIMER);
		return 0;
	}

	hrtimer_start(timer, rf_timer_expiry(vcpu->vm, abs_ns), HRTIMER_MODE_ABS);
	return 0;
}

void rf_timer_stop_singleshot(struct rf_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->event.singleshot);
}

bool rf_timer_period_ok(u64 period_ns)
{
	return period_ns >= TIMER_MIN_PERIOD_NS && period_ns <= TIMER_MAX_PERIOD_NS;
}

long rf_timer_set_periodic(struct rf_vcpu *vcpu, u64 period_ns)
{
	struct hrtimer *timer = &vcpu->event.periodic;

	if (!rf_timer_period_ok(period_ns))
		return -EINVAL;

	/*
	 * Two vCPUs may set a third one's timer.  Started while its handler
	 * runs, a timer must not be forwarded.
	 */
	spin_lock(&vcpu->event.timer_lock);
	hrtimer_cancel(timer);
	WRITE_ONCE(vcpu->event.period_ns, period_ns);
	hrtimer_start(timer, ns_to_ktime(period_ns), HRTIMER_MODE_REL);
	spin_unlock(&vcpu->event.timer_lock);
	return 0;
}

void rf_timer_stop_periodic(struct rf_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->event.periodic);
}

static enum hrtimer_restart watchdog_bites(struct hrtimer *timer)
{
	struct rf_watchdog *watchdog = container_of(timer, struct rf_watchdog, timer);

	rf_vm_shutdown(watchdog->vm, SHUTDOWN_watchdog);
	return HRTIMER_NORESTART;
}

static void watchdog_start(struct rf_watchdog *watchdog, u32 timeout_s)
{
	hrtimer_start(&watchdog->timer, ktime_set(timeout_s, 0), HRTIMER_MODE_REL);
}

static long watchdog_create(struct rf_evtchns *evtchns, u32 timeout_s)
{
	int i;

	if (!timeout_s)
		return -EINVAL;

	for (i = 0; i < RF_NR_WATCHDOGS; i++) {
		struct rf_watchdog *watchdog = &evtchns->watchdogs[i];

		if (xchg(&watchdog->used, true))
			continue;
		watchdog_start(watchdog, timeout_s);
		return i + 1;
	}
	return -ENOSPC;
}

long rf_timer_watchdog(struct rf_vm *vm, u32 id, u32 timeout_s)
{
	struct rf_watchdog *watchdog;

	if (!id)
		return watchdog_create(vm->evtchns, timeout_s);
	if (id > RF_NR_WATCHDOGS)
		return -EINVAL;

	watchdog = &vm->evtchns->watchdogs[array_index_nospec(id - 1, RF_NR_WATCHDOGS)];
	if (!READ_ONCE(watchdog->used))
		return -EINVAL;

	if (timeout_s) {
		watchdog_start(watchdog, timeout_s);
	} else {
		hrtimer_cancel(&watchdog->timer);
		WRITE_ONCE(watchdog->used, false);
	}
	return 0;
}

void rf_timer_vm_init(struct rf_evtchns *evtchns)
{
	int i;

	for (i = 0; i < RF_NR_WATCHDOGS; i++) {
		struct rf_watchdog *watchdog = &evtchns->watchdogs[i];

		watchdog->vm = evtchns->vm;
		hrtimer_init(&watchdog->timer, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		watchdog->timer.function = watchdog_bites;
	}
}

void rf_timer_vm_exit(struct rf_evtchns *evtchns)
{
	int i;

	for (i = 0; i < RF_NR_WATCHDOGS; i++)
		hrtimer_cancel(&evtchns->watchdogs[i].timer);
}

void rf_timer_vcpu_init(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;

	spin_lock_init(&event->timer_lock);
	hrtimer_init(&event->singleshot, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	event->singleshot.function = timer_singleshot;
	hrtimer_init(&event->periodic, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	event->periodic.function = timer_periodic;
	hrtimer_init(&event->poll_timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	event->poll_timer.function = rf_upcall_poll_timeout;
}

void rf_timer_vcpu_exit(struct rf_vcpu *vcpu)
{
	hrtimer_cancel(&vcpu->event.singleshot);
	hrtimer_cancel(&vcpu->event.periodic);
	hrtimer_cancel(&vcpu->event.poll_timer);
}
