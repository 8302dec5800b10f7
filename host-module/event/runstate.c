// SPDX-License-Identifier: GPL-2.0
/*
 * runstate.c - how long a vCPU ran, waited for a CPU, slept or was off
 *
 * The host's scheduler knows how long the vCPU's thread waited for a CPU; that
 * is RUNSTATE_runnable, which the guest calls stolen time.
 */
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "../compat.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"

/* Time since the last look, of which some was spent waiting for a CPU. */
static void runstate_advance(struct rf_vcpu *vcpu, u64 now)
{
	struct rf_vcpu_event *event = &vcpu->event;
	struct vcpu_runstate_info *runstate = &event->runstate;
	u64 delay = rf_run_delay();
	u64 elapsed, waited = 0;

	lockdep_assert_held(&event->runstate_lock);

	elapsed = now > runstate->state_entry_time ? now - runstate->state_entry_time : 0;
	if (event->run_task == current)
		waited = min(delay - event->run_delay, elapsed);
	event->run_task = current;
	event->run_delay = delay;

	runstate->time[runstate->state] += elapsed - waited;
	runstate->time[RUNSTATE_runnable] += waited;
	runstate->state_entry_time += elapsed;
}

/* The guest's copy; XEN_RUNSTATE_UPDATE brackets it for those who asked. */
static void runstate_write(struct rf_vcpu *vcpu, u64 gva,
			   struct vcpu_runstate_info *runstate)
{
	bool flag = test_bit(VMASST_TYPE_runstate_update_flag, &vcpu->vm->vm_assist);
	u64 entry_gva = gva + offsetof(struct vcpu_runstate_info, state_entry_time);
	u64 *entry_time = &runstate->state_entry_time;

	if (flag) {
		*entry_time |= XEN_RUNSTATE_UPDATE;
		if (rf_guest_write_area(vcpu, entry_gva, entry_time, sizeof(*entry_time)))
			return;
		smp_wmb();	/* flag before contents */
	}

	if (rf_guest_write_area(vcpu, gva, runstate, sizeof(*runstate)))
		return;

	if (flag) {
		smp_wmb();	/* contents before flag */
		*entry_time &= ~XEN_RUNSTATE_UPDATE;
		rf_guest_write_area(vcpu, entry_gva, entry_time, sizeof(*entry_time));
	}
}

static void runstate_publish(struct rf_vcpu *vcpu)
{
	u64 gva = READ_ONCE(vcpu->event.runstate_gva);
	struct vcpu_runstate_info runstate;

	if (!gva)
		return;

	/* Only the vCPU's own thread writes it, and that is here. */
	memcpy(&runstate, &vcpu->event.runstate, sizeof(runstate));
	runstate_write(vcpu, gva, &runstate);
}

void rf_runstate_set(struct rf_vcpu *vcpu, int state)
{
	struct rf_vcpu_event *event = &vcpu->event;

	spin_lock(&event->runstate_lock);
	runstate_advance(vcpu, rf_clock_now(vcpu->vm));
	event->runstate.state = state;
	spin_unlock(&event->runstate_lock);

	runstate_publish(vcpu);
}

/* Before each entry: did the thread wait for a CPU meanwhile? */
void rf_runstate_account(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;

	if (event->run_delay == rf_run_delay() && event->run_task == current)
		return;

	spin_lock(&event->runstate_lock);
	runstate_advance(vcpu, rf_clock_now(vcpu->vm));
	spin_unlock(&event->runstate_lock);

	runstate_publish(vcpu);
}

void rf_runstate_get(struct rf_vcpu *vcpu, struct vcpu_runstate_info *runstate)
{
	struct rf_vcpu_event *event = &vcpu->event;
	u64 now;

	spin_lock(&event->runstate_lock);
	memcpy(runstate, &event->runstate, sizeof(*runstate));
	now = rf_clock_now(vcpu->vm);
	spin_unlock(&event->runstate_lock);

	if (now > runstate->state_entry_time)
		runstate->time[runstate->state] += now - runstate->state_entry_time;
}

void rf_runstate_register(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_runstate_info runstate;

	WRITE_ONCE(target->event.runstate_gva, gva);
	if (!gva)
		return;

	spin_lock(&target->event.runstate_lock);
	memcpy(&runstate, &target->event.runstate, sizeof(runstate));
	spin_unlock(&target->event.runstate_lock);
	runstate_write(vcpu, gva, &runstate);
}

void rf_runstate_vcpu_init(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;

	spin_lock_init(&event->runstate_lock);
	event->runstate.state = RUNSTATE_offline;
	event->runstate.state_entry_time = rf_clock_now(vcpu->vm);
}
