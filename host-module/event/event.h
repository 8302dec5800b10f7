/* SPDX-License-Identifier: GPL-2.0 */
/*
 * event.h - event channels, timers and time: what other rooms may ask
 *
 * A device reaches the guest through rf_evtchn_raise() and in no other way.
 */
#ifndef RF_EVENT_H
#define RF_EVENT_H

#include <linux/eventfd.h>
#include <linux/hrtimer.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../types.h"
#include "../xen_abi.h"

struct rf_vm;
struct rf_vcpu;
struct rf_stream;

/**
 * struct rf_clock_head - what a vCPU looks at of the host's clock before each entry
 * @version: +1 for each change; 0 is none
 * @by_tsc: It is the TSC, so a copy of it does not grow old
 */
struct rf_clock_head {
	u64 version;
	bool by_tsc;
};

extern struct rf_clock_head rf_clock_head;	/* clock.c */

struct rf_evtchns;	/* ports.h: a VM's ports */

/* SCHEDOP_poll of a vCPU. */
enum rf_poll {
	RF_POLL_NONE,
	RF_POLL_WAITING,
	RF_POLL_DONE,
};

/**
 * struct rf_vcpu_event - the event room's part of a vCPU
 * @info: Its vcpu_info, in a pinned guest page, kernel address; never NULL
 *	once the vCPU exists (the shared_info slot until the guest registers one)
 * @info_page: Pinned page of @info; NULL while in shared_info
 * @info_gfn: Frame of @info_page
 * @dummy_page: @info of a vCPU that has no slot in shared_info
 * @time_gva: Secondary pvclock area, 0: none
 * @time_version: Of the guest's copies of the time; even
 * @time_version_seen: Of the host clock, see clock.c; 0: refresh
 * @time_sampled: TSC of the last refresh, where the host's clock is no TSC
 * @time_cpu: CPU of that refresh
 * @runstate: Own record; the guest's copies are only written
 * @runstate_gva: Guest's copy, 0: none
 * @runstate_lock: Protects @runstate against VCPUOP_get_runstate_info
 * @run_task: Whose run delay is accounted
 * @run_delay: Part of it that is in @runstate
 * @singleshot: VIRQ_TIMER once
 * @periodic: VIRQ_TIMER each @period_ns
 * @timer_lock: Serializes those who start @periodic
 * @period_ns: Of @periodic
 * @nmi_pending: VCPUOP_send_nmi, not delivered yet
 * @virq_port: 0: not bound; a global VIRQ is in vCPU 0's
 * @poll: enum rf_poll
 * @poll_port: Port polled for; 0: any
 * @poll_timer: Ends the poll
 */
struct rf_vcpu_event {
	struct vcpu_info *info;
	struct page *info_page;
	rf_gfn_t info_gfn;
	struct page *dummy_page;

	u64 time_gva;
	u32 time_version;
	u64 time_version_seen;
	u64 time_sampled;
	int time_cpu;

	struct vcpu_runstate_info runstate;
	u64 runstate_gva;
	spinlock_t runstate_lock;	/* @runstate */
	struct task_struct *run_task;
	u64 run_delay;

	struct hrtimer singleshot;
	struct hrtimer periodic;
	spinlock_t timer_lock;		/* starting @periodic */
	u64 period_ns;
	bool nmi_pending;

	u32 virq_port[NR_VIRQS];

	int poll;
	u32 poll_port;
	struct hrtimer poll_timer;
};

/**
 * rf_event_vm_init() - A VM comes: no ports yet, time starts at 0
 * @vm: The VM
 *
 * Sets vm->clock_base_ns if it is 0.  Before the first rf_event_vcpu_init().
 *
 * Return: 0, or -ENOMEM.
 */
int rf_event_vm_init(struct rf_vm *vm);

/* Nothing of the VM runs any more, and every vCPU has exited. */
void rf_event_vm_exit(struct rf_vm *vm);

/**
 * rf_event_vcpu_init() - A vCPU comes, in vm->shared's slot if it has one
 * @vcpu: The vCPU; its wait queue must be ready to be woken
 *
 * Shows vcpu_info to the switcher if vcpu->world exists by now.
 *
 * Return: 0, or -ENOMEM.
 */
int rf_event_vcpu_init(struct rf_vcpu *vcpu);

/* Before the VM's rf_event_vm_exit().  Sleeps until no timer runs. */
void rf_event_vcpu_exit(struct rf_vcpu *vcpu);

/**
 * rf_evtchn_raise() - Make a port pending and wake who listens
 * @vm: The VM
 * @port: Its port; one that is not bound is ignored
 *
 * Any context that may take a spinlock with interrupts off.
 */
void rf_evtchn_raise(struct rf_vm *vm, u32 port);

/* Raise a virtual interrupt of one vCPU (VIRQ_TIMER, ...), if it is bound. */
void rf_evtchn_raise_virq(struct rf_vcpu *vcpu, u32 virq);

/**
 * rf_evtchn_bind_eventfd() - An interdomain port between guest and launcher
 * @vm: The VM
 * @to_launcher: Signalled when the guest sends, or NULL; the reference is
 *	taken over on success
 * @from_launcher_fd: eventfd whose signal raises the port, or -1
 * @remote_domid: What the guest sees at the other end
 * @port: One that was loaded without, or 0 for a new one
 *
 * Return: the port; -EINVAL for a descriptor that is no eventfd, a reserved
 * @remote_domid or a @port that waits for none; -EBADF, -ENOSPC, -ENOMEM.
 */
int rf_evtchn_bind_eventfd(struct rf_vm *vm, struct eventfd_ctx *to_launcher,
			   int from_launcher_fd, u32 remote_domid, u32 port);

/**
 * rf_evtchn_bind_device() - An interdomain port by which a device is heard
 * @vm: The VM
 *
 * The guest closes it; what it sends on it goes nowhere.
 *
 * Return: the port, or -ENOSPC.
 */
int rf_evtchn_bind_device(struct rf_vm *vm);

/* Is it such a port, still? */
bool rf_evtchn_is_device(struct rf_vm *vm, u32 port);

/**
 * rf_evtchn_op() - event_channel_op, once its argument is copied
 * @vcpu: The caller's own vCPU
 * @cmd: EVTCHNOP_*
 * @op: struct of that command; its OUT fields are filled in
 *
 * Return: as the ABI says; -ENOSYS for a command it does not have.
 */
long rf_evtchn_op(struct rf_vcpu *vcpu, int cmd, void *op);

/* upcall.c: may the guest be told now? */
static inline bool rf_event_pending(const struct vcpu_info *info)
{
	return READ_ONCE(info->evtchn_upcall_pending) &&
	       !READ_ONCE(info->evtchn_upcall_mask);
}

/**
 * rf_event_deliver() - Bounce what is deliverable before the next entry
 * @vcpu: The caller's own vCPU
 *
 * NMI first, then the event upcall if it is pending and not masked.  A vCPU
 * that got something is no longer halted.  Sleeps.
 */
void rf_event_deliver(struct rf_vcpu *vcpu);

/* A blocked vCPU has a reason to go on (mask ignored, as for SCHEDOP_block). */
bool rf_event_wakes(struct rf_vcpu *vcpu);

/* SCHEDOP_block, and HLT: unmask events; halted unless one is pending. */
void rf_event_block(struct rf_vcpu *vcpu);

/* SCHEDOP_poll: halted until one of @ports is pending, an event, or @abs_ns. */
long rf_event_poll(struct rf_vcpu *vcpu, const evtchn_port_t *ports,
		   u32 nr_ports, u64 abs_ns);

/* VCPUOP_send_nmi, to any vCPU. */
void rf_event_send_nmi(struct rf_vcpu *vcpu);

/* VCPUOP_register_vcpu_info: for the caller's own vCPU, or one that is down. */
long rf_event_register_info(struct rf_vcpu *vcpu, u64 gfn, u32 offset);

/* hypercall/sched.c, timers; times are guest system time. */
long rf_timer_set_singleshot(struct rf_vcpu *vcpu, u64 abs_ns, bool must_be_future);
void rf_timer_stop_singleshot(struct rf_vcpu *vcpu);
long rf_timer_set_periodic(struct rf_vcpu *vcpu, u64 period_ns);
void rf_timer_stop_periodic(struct rf_vcpu *vcpu);

/* SCHEDOP_watchdog: id of a new one for @id 0, else 0, -EINVAL, -ENOSPC. */
long rf_timer_watchdog(struct rf_vm *vm, u32 id, u32 timeout_s);

/* clock.c: guest system time, in ns since the VM was created. */
u64 rf_clock_now(struct rf_vm *vm);

/* The same as the guest computes it; and let it go on from @guest_ns. */
u64 rf_clock_save(const struct rf_vm *vm);
void rf_clock_load(struct rf_vm *vm, u64 guest_ns);

/* Where the host keeps no time by its TSC: is @vcpu's reading too old, or another CPU's? */
bool rf_clock_sample_is_old(const struct rf_vcpu *vcpu);

/**
 * rf_clock_update() - Bring pvclock, wall clock and runstate up to date
 * @vcpu: The caller's own vCPU
 *
 * Before every entry; a few instructions if nothing changed.  Sleeps.
 */
void rf_clock_update(struct rf_vcpu *vcpu);

/* A sleeping vCPU should run rf_clock_update(): others read its time area. */
bool rf_clock_stale(const struct rf_vcpu *vcpu);

/* VCPUOP_register_vcpu_time_memory_area of @target, asked for by @vcpu. */
void rf_clock_register(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva);

/* Enter RUNSTATE_* @state; the vCPU's own thread.  Sleeps. */
void rf_runstate_set(struct rf_vcpu *vcpu, int state);

/* VCPUOP_get_runstate_info of any vCPU. */
void rf_runstate_get(struct rf_vcpu *vcpu, struct vcpu_runstate_info *runstate);

/* VCPUOP_register_runstate_memory_area of @target, asked for by @vcpu. */
void rf_runstate_register(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva);

/**
 * rf_event_freeze() - Write no event to guest memory until rf_event_thaw()
 * @vm: The VM; none of its vCPUs runs
 *
 * Its memory is to be copied, and what is in there has to fit what is saved.
 */
void rf_event_freeze(struct rf_vm *vm);

/* A vCPU is about to run: show what was raised meanwhile. */
void rf_event_thaw(struct rf_vm *vm);

/* state.c: a vCPU's part of the VM's state, and after all of them the rest. */
int rf_event_vcpu_save(struct rf_vcpu *vcpu, struct rf_stream *stream);
int rf_event_vcpu_load(struct rf_vcpu *vcpu, struct rf_stream *stream);
int rf_event_save(struct rf_vm *vm, struct rf_stream *stream);
int rf_event_load(struct rf_vm *vm, struct rf_stream *stream);

#endif /* RF_EVENT_H */
