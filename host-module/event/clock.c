// SPDX-License-Identifier: GPL-2.0
/*
 * clock.c - guest system time and wall clock
 *
 *	host timekeeper --> clock_notify() --> the host's clock: a segment, for all VMs
 *	                                          |
 *	                    rf_clock_update()  <--'  version changed?
 *	                      |            |
 *	              vcpu_info.time   time area (the vDSO's)
 *
 * Guest system time is the host's CLOCK_MONOTONIC since the VM was created: it
 * stands still while the host sleeps, as its timers do.  All vCPUs compute it
 * by the same line over the TSC, so it is the same on all of them, and guest
 * and host agree within a microsecond or two.
 *
 * Where the host does not keep time by its TSC, a vCPU's copy is a fresh reading
 * instead, and the guest is not promised that copies agree.
 */
#include <linux/clocksource.h>
#include <linux/irq_work.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mutex.h>
#include <linux/pvclock_gtod.h>
#include <linux/seqlock.h>
#include <linux/timekeeper_internal.h>
#include <linux/workqueue.h>
#include <asm/pvclock-abi.h>
#include <asm/tsc.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"
#include "segment.h"

/* What all VMs' clocks are made of. */
struct host_clock {
	struct rf_clock_head head;
	struct rf_segment segment;
	s64 real_offset_ns;	/* wall clock minus CLOCK_MONOTONIC */
};

/* Written under the timekeeper's lock; so is rf_clock_head, which belongs to it. */
static seqcount_t clock_seq = SEQCNT_ZERO(clock_seq);
static struct rf_segment clock_segment;
static s64 clock_real_offset_ns;
struct rf_clock_head rf_clock_head = { .version = 1 };

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);			/* rf_evtchns.node, under vms_lock */

/*
 * A vCPU that stays in the guest, or sleeps while others read its time area,
 * would keep the old line for long.
 */
static void clock_kick_vcpu(struct rf_vcpu *vcpu)
{
	if (!READ_ONCE(vcpu->halted) || rf_clock_stale(vcpu))
		rf_vcpu_kick(vcpu);
}

static void clock_kick_all(struct work_struct *work)
{
	struct rf_evtchns *evtchns;
	int i;

	mutex_lock(&vms_lock);
	list_for_each_entry(evtchns, &vms, node) {
		spin_lock_irq(&evtchns->lock);
		for (i = 0; i < RF_MAX_VCPUS; i++)
			if (evtchns->vcpus[i])
				clock_kick_vcpu(evtchns->vcpus[i]);
		spin_unlock_irq(&evtchns->lock);
	}
	mutex_unlock(&vms_lock);
}

static DECLARE_WORK(clock_kick_work, clock_kick_all);

static void clock_changed(struct irq_work *work)
{
	schedule_work(&clock_kick_work);
}

static DEFINE_IRQ_WORK(clock_changed_work, clock_changed);

/*
 * Called at each of the host's ticks, inside the timekeeper's own write
 * section: nothing here may ask for the time, and waking a task does.
 */
static int clock_notify(struct notifier_block *nb, unsigned long was_set, void *data)
{
	const struct timekeeper *tk = data;
	const struct tk_read_base *mono = &tk->tkr_mono;
	const struct rf_host_sample sample = {
		.tsc = mono->cycle_last,
		.ns = ktime_to_ns(mono->base) + (mono->xtime_nsec >> mono->shift),
		.mult = mono->mult,
		.shift = mono->shift,
	};
	bool by_tsc = mono->clock->vdso_clock_mode == VDSO_CLOCKMODE_TSC;
	s64 real_offset_ns = ktime_to_ns(tk->offs_real);
	struct rf_segment segment = clock_segment;
	bool changed;

	changed = by_tsc != rf_clock_head.by_tsc ||
		  real_offset_ns != clock_real_offset_ns;
	if (by_tsc)
		changed |= rf_segment_update(&segment, &sample);
	if (!changed)
		return NOTIFY_OK;

	write_seqcount_begin(&clock_seq);
	clock_segment = segment;
	WRITE_ONCE(rf_clock_head.by_tsc, by_tsc);
	clock_real_offset_ns = real_offset_ns;
	WRITE_ONCE(rf_clock_head.version, rf_clock_head.version + 1);
	write_seqcount_end(&clock_seq);

	irq_work_queue(&clock_changed_work);
	return NOTIFY_OK;
}

static struct notifier_block clock_notifier = {
	.notifier_call = clock_notify,
};

static void clock_get(struct host_clock *clock)
{
	unsigned int seq;

	do {
		seq = read_seqcount_begin(&clock_seq);
		clock->head = rf_clock_head;
		clock->segment = clock_segment;
		clock->real_offset_ns = clock_real_offset_ns;
	} while (read_seqcount_retry(&clock_seq, seq));
}

u64 rf_clock_now(struct rf_vm *vm)
{
	return ktime_get_ns() - vm->clock_base_ns;
}

/* The host's time by which all guests compute theirs, at this moment. */
static u64 clock_line_now(void)
{
	struct host_clock clock;

	clock_get(&clock);
	if (!clock.head.by_tsc)
		return ktime_get_ns();
	return rf_segment_read(&clock.segment, rdtsc_ordered());
}

u64 rf_clock_save(const struct rf_vm *vm)
{
	return clock_line_now() - vm->clock_base_ns;
}

void rf_clock_load(struct rf_vm *vm, u64 guest_ns)
{
	vm->clock_base_ns = clock_line_now() - guest_ns;
}

/* The host's TSC is not its clock: start a short line here and now. */
static void segment_sample(struct rf_vcpu *vcpu, struct rf_segment *segment)
{
	unsigned long flags;

	local_irq_save(flags);
	vcpu->event.time_cpu = smp_processor_id();
	segment->tsc = rdtsc_ordered();
	segment->ns = ktime_get_ns();
	local_irq_restore(flags);

	rf_segment_set_slope(segment, div_u64(NSEC_PER_MSEC << 32, tsc_khz ?: 1), 0);
	vcpu->event.time_sampled = segment->tsc;
}

/*
 * Both copies: odd version, contents, even version, in this order for a reader
 * on another CPU.
 *
 * The secondary area: the ABI lets a guest register an address and be wrong.
 */
static void time_write_area(struct rf_vcpu *vcpu, u64 gva,
			    const struct pvclock_vcpu_time_info *time)
{
	struct pvclock_vcpu_time_info area = *time;

	area.version = time->version - 1;
	if (rf_guest_write_area(vcpu, gva, &area.version, sizeof(area.version)))
		return;
	smp_wmb();	/* odd before contents */
	if (rf_guest_write_area(vcpu, gva, &area, sizeof(area)))
		return;
	smp_wmb();	/* contents before even */
	rf_guest_write_area(vcpu, gva, &time->version, sizeof(time->version));
}

static void time_write_info(struct vcpu_info *info,
			    const struct pvclock_vcpu_time_info *time)
{
	struct pvclock_vcpu_time_info *shared = &info->time;

	WRITE_ONCE(shared->version, time->version - 1);
	smp_wmb();	/* odd before contents */
	WRITE_ONCE(shared->tsc_timestamp, time->tsc_timestamp);
	WRITE_ONCE(shared->system_time, time->system_time);
	WRITE_ONCE(shared->tsc_to_system_mul, time->tsc_to_system_mul);
	WRITE_ONCE(shared->tsc_shift, time->tsc_shift);
	WRITE_ONCE(shared->flags, time->flags);
	smp_wmb();	/* contents before even */
	WRITE_ONCE(shared->version, time->version);
}

static void time_publish(struct rf_vcpu *vcpu, const struct rf_segment *segment,
			 bool stable)
{
	struct rf_vcpu_event *event = &vcpu->event;
	const struct pvclock_vcpu_time_info time = {
		.version = event->time_version += 2,
		.tsc_timestamp = segment->tsc,
		.system_time = segment->ns - vcpu->vm->clock_base_ns,
		.tsc_to_system_mul = segment->mul,
		.tsc_shift = segment->shift,
		.flags = stable ? PVCLOCK_TSC_STABLE_BIT : 0,
	};
	u64 gva = READ_ONCE(event->time_gva);

	time_write_info(event->info, &time);
	if (gva)
		time_write_area(vcpu, gva, &time);
}

/* Tell the guest what the wall clock says at its system time 0. */
static void wall_publish(struct rf_vm *vm, s64 real_offset_ns)
{
	s64 wall_ns = real_offset_ns + vm->clock_base_ns + vm->wallclock_offset_ns;
	struct rf_evtchns *evtchns = vm->evtchns;
	struct shared_info *shared = vm->shared;
	u32 nsec;
	u64 sec;

	if (!shared)
		return;

	spin_lock_irq(&evtchns->lock);
	if (wall_ns != evtchns->wall_ns) {
		evtchns->wall_ns = wall_ns;
		sec = div_u64_rem(max_t(s64, wall_ns, 0), NSEC_PER_SEC, &nsec);

		WRITE_ONCE(shared->wc.version, ++vm->wc_version);
		smp_wmb();	/* odd before contents */
		WRITE_ONCE(shared->wc.sec, (u32)sec);
		WRITE_ONCE(shared->wc.nsec, nsec);
		WRITE_ONCE(shared->wc_sec_hi, (u32)(sec >> 32));
		smp_wmb();	/* contents before even */
		WRITE_ONCE(shared->wc.version, ++vm->wc_version);
	}
	spin_unlock_irq(&evtchns->lock);
}

static void clock_refresh(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;
	struct host_clock clock;

	clock_get(&clock);

	/* First: another vCPU may ask for one more refresh meanwhile. */
	xchg(&event->time_version_seen, clock.head.version);

	if (!clock.head.by_tsc)
		segment_sample(vcpu, &clock.segment);
	time_publish(vcpu, &clock.segment, clock.head.by_tsc);
	wall_publish(vcpu->vm, clock.real_offset_ns);
}

void rf_clock_load_vcpu(struct rf_vcpu *vcpu)
{
	clock_refresh(vcpu);
}

bool rf_clock_sample_is_old(const struct rf_vcpu *vcpu)
{
	const struct rf_vcpu_event *event = &vcpu->event;

	return event->time_cpu != raw_smp_processor_id() ||
	       rdtsc() - event->time_sampled > tsc_khz;
}

static bool copy_is_old(const struct rf_vcpu *vcpu)
{
	return READ_ONCE(rf_clock_head.version) != READ_ONCE(vcpu->event.time_version_seen) ||
	       (unlikely(!READ_ONCE(rf_clock_head.by_tsc)) && rf_clock_sample_is_old(vcpu));
}

void rf_clock_update(struct rf_vcpu *vcpu)
{
	if (copy_is_old(vcpu))
		clock_refresh(vcpu);
	rf_runstate_account(vcpu);
}

bool rf_clock_stale(const struct rf_vcpu *vcpu)
{
	return READ_ONCE(vcpu->event.time_gva) &&
	       READ_ONCE(rf_clock_head.version) != READ_ONCE(vcpu->event.time_version_seen);
}

void rf_clock_register(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	WRITE_ONCE(target->event.time_gva, gva);
	xchg(&target->event.time_version_seen, 0);

	/* The guest looks at its own area as soon as this returns. */
	if (target == vcpu)
		clock_refresh(vcpu);
	else
		rf_vcpu_kick(target);
}

int rf_clock_vm_init(struct rf_evtchns *evtchns)
{
	struct rf_vm *vm = evtchns->vm;
	int err = 0;

	mutex_lock(&vms_lock);
	if (list_empty(&vms)) {
		/* Nobody looked for a while: start from where the host is. */
		clock_segment.mul = 0;
		err = pvclock_gtod_register_notifier(&clock_notifier);
	}
	if (!err)
		list_add(&evtchns->node, &vms);
	mutex_unlock(&vms_lock);

	if (!err && !vm->clock_base_ns)
		vm->clock_base_ns = ktime_get_ns();
	return err;
}

void rf_clock_vm_exit(struct rf_evtchns *evtchns)
{
	bool last;

	mutex_lock(&vms_lock);
	list_del(&evtchns->node);
	last = list_empty(&vms);
	if (last)
		pvclock_gtod_unregister_notifier(&clock_notifier);
	mutex_unlock(&vms_lock);

	/* The module may go with its last VM. */
	if (last) {
		irq_work_sync(&clock_changed_work);
		cancel_work_sync(&clock_kick_work);
	}
}
