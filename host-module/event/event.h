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

#include "../xen_abi.h"

struct rf_vm;
struct rf_vcpu;

struct rf_evtchns;	/* evtchn.c: a VM's ports */

/**
 * struct rf_vcpu_event - the event room's part of a vCPU
 * @info: Its vcpu_info, in a pinned guest page, kernel address; never NULL
 *	once the vCPU exists (the shared_info slot until the guest registers one)
 */
struct rf_vcpu_event {
	struct vcpu_info *info;
	struct page *info_page;		/* pinned; NULL while in shared_info */
	u32 info_offset;

	u64 time_gva;			/* secondary pvclock area, 0: none */
	u64 runstate_gva;		/* 0: none */
	struct vcpu_runstate_info runstate;
	bool runstate_update_flag;

	struct hrtimer singleshot;
	struct hrtimer periodic;
	u64 period_ns;
	bool nmi_pending;

	u32 virq_port[NR_VIRQS];	/* 0: not bound */

	u64 time_version_seen;		/* of the host timekeeper, see clock.c */
	unsigned long poll_ports;	/* SCHEDOP_poll in progress */
};

/* A VM and a vCPU come and go. */
int rf_event_vm_init(struct rf_vm *vm);
void rf_event_vm_exit(struct rf_vm *vm);
int rf_event_vcpu_init(struct rf_vcpu *vcpu);
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

/* Launcher: an interdomain port on eventfds; returns the port or -Exx. */
int rf_evtchn_bind_eventfd(struct rf_vm *vm, struct eventfd_ctx *to_launcher,
			   int from_launcher_fd, u32 remote_domid);

/* hypercall/evtchn.c comes in here, once its arguments are copied. */
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
 * NMI first, then the event upcall if it is pending and not masked.  Sleeps.
 */
void rf_event_deliver(struct rf_vcpu *vcpu);

/* Would rf_event_deliver() do something?  Interrupts off. */
bool rf_event_deliverable(struct rf_vcpu *vcpu);

/* A blocked vCPU has a reason to go on (mask ignored, as for SCHEDOP_block). */
bool rf_event_wakes(struct rf_vcpu *vcpu);

/* hypercall/sched.c, timers and areas. */
long rf_timer_set_singleshot(struct rf_vcpu *vcpu, u64 abs_ns, bool must_be_future);
void rf_timer_stop_singleshot(struct rf_vcpu *vcpu);
long rf_timer_set_periodic(struct rf_vcpu *vcpu, u64 period_ns);
void rf_timer_stop_periodic(struct rf_vcpu *vcpu);
long rf_event_register_info(struct rf_vcpu *vcpu, u64 gfn, u32 offset);

/* clock.c: guest system time, in ns since the VM was created. */
u64 rf_clock_now(struct rf_vm *vm);

/* Bring pvclock, wall clock and runstate areas up to date; vCPU's own thread. */
void rf_clock_update(struct rf_vcpu *vcpu);
void rf_runstate_set(struct rf_vcpu *vcpu, int state);

#endif /* RF_EVENT_H */
