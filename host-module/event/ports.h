/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ports.h - inside the event room: a VM's ports and who touches them
 *
 *	device, timer, eventfd --> port --> pending bit --> vcpu_info --> kick
 *	                             (2-level or FIFO)
 */
#ifndef RF_PORTS_H
#define RF_PORTS_H

#include <linux/bitops.h>
#include <linux/list.h>
#include <linux/spinlock.h>
#include <linux/types.h>

#include "../../uapi/ringfence.h"
#include "../xen_abi.h"
#include "event.h"

struct rf_fifo;
struct rf_eventfd;
struct rf_saved_fifo;

/* Port 0 is never given out. */
#define RF_MAX_PORTS		((u32)EVTCHN_2L_NR_CHANNELS)
#define RF_NR_WATCHDOGS		2

/**
 * struct rf_port - an event channel as its owner sees it
 * @type: EVTCHNSTAT_*; EVTCHNSTAT_closed is a free port
 * @vcpu: Number of the vCPU that is told
 * @priority: FIFO: queue for the next event
 * @queue_vcpu: FIFO: vCPU of the queue it was last linked on
 * @queue_priority: FIFO: priority of that queue
 * @pending: Raised before there was a place where the guest could see it, or
 *	while that was frozen
 * @remote_domid: Unbound, interdomain: DOMID_SELF is this guest, anything else
 *	the launcher
 * @virq: VIRQ_*
 * @remote_port: Interdomain with DOMID_SELF
 * @eventfd: Interdomain with the launcher
 */
struct rf_port {
	u8 type;
	u8 vcpu;
	u8 priority;
	u8 queue_vcpu;
	u8 queue_priority;
	bool pending;
	domid_t remote_domid;
	union {
		u32 virq;
		u32 remote_port;
		struct rf_eventfd *eventfd;
	};
};

struct rf_watchdog {
	struct rf_vm *vm;
	struct hrtimer timer;
	bool used;
};

/**
 * struct rf_evtchns - a VM's ports
 * @vm: The VM
 * @lock: Everything below, the pending state of ports, and which vcpu_info is
 *	a vCPU's; taken with interrupts off
 * @ports: RF_MAX_PORTS of them
 * @used: Ports that are not closed
 * @vcpus: Those that can be told
 * @pollers: Those that wait in SCHEDOP_poll
 * @fifo: NULL while the guest uses the 2-level ABI
 * @frozen: The VM is saved or loaded: nothing is written to its memory
 * @watchdogs: SCHEDOP_watchdog
 * @wall_ns: Wall clock at guest time 0, as the guest was last told
 * @node: In clock.c's list of VMs
 */
struct rf_evtchns {
	struct rf_vm *vm;
	spinlock_t lock;		/* ports and what they raise */
	struct rf_port *ports;
	DECLARE_BITMAP(used, RF_MAX_PORTS);
	struct rf_vcpu *vcpus[RF_MAX_VCPUS];
	DECLARE_BITMAP(pollers, RF_MAX_VCPUS);
	struct rf_fifo *fifo;
	bool frozen;
	struct rf_watchdog watchdogs[RF_NR_WATCHDOGS];
	s64 wall_ns;
	struct list_head node;
};

/* evtchn.c */
void rf_evtchn_vcpu_init(struct rf_vcpu *vcpu);
void rf_evtchn_vcpu_exit(struct rf_vcpu *vcpu);
struct rf_vcpu *rf_evtchn_vcpu(struct rf_evtchns *evtchns, u32 id);
bool rf_port_is_pending(struct rf_evtchns *evtchns, u32 port);
void rf_port_set_pending(struct rf_evtchns *evtchns, u32 port);
int rf_port_bind_launcher(struct rf_evtchns *evtchns, struct rf_eventfd *eventfd,
			  domid_t remote_domid);
int rf_port_rebind_launcher(struct rf_evtchns *evtchns, struct rf_eventfd *eventfd,
			    domid_t remote_domid, u32 index);
bool rf_virq_is_global(u32 virq);

/* fifo.c, the first five with the ports locked. */
bool rf_fifo_is_pending(struct rf_evtchns *evtchns, u32 index);
bool rf_fifo_is_busy(struct rf_evtchns *evtchns, u32 index);
void rf_fifo_set_pending(struct rf_evtchns *evtchns, u32 index, struct rf_vcpu *vcpu);
void rf_fifo_clear_pending(struct rf_evtchns *evtchns, u32 index);
void rf_fifo_unmask(struct rf_evtchns *evtchns, u32 index, struct rf_vcpu *vcpu);
long rf_fifo_init_control(struct rf_evtchns *evtchns, struct evtchn_init_control *op);
long rf_fifo_expand_array(struct rf_evtchns *evtchns, const struct evtchn_expand_array *op);
void rf_fifo_destroy(struct rf_evtchns *evtchns);
void rf_fifo_save(const struct rf_evtchns *evtchns, struct rf_saved_fifo *saved);
int rf_fifo_load(struct rf_evtchns *evtchns, const struct rf_saved_fifo *saved);

/* eventfd.c; a guest that closes the port destroys, a send gets and puts. */
struct rf_eventfd *rf_eventfd_get(struct rf_eventfd *eventfd);
void rf_eventfd_put(struct rf_eventfd *eventfd);
void rf_eventfd_send(struct rf_eventfd *eventfd);
void rf_eventfd_destroy(struct rf_eventfd *eventfd);

/* upcall.c, both with the ports locked. */
void rf_upcall_raise(struct rf_vcpu *vcpu);
void rf_upcall_end_polls(struct rf_evtchns *evtchns, u32 port);
enum hrtimer_restart rf_upcall_poll_timeout(struct hrtimer *timer);
int rf_upcall_load_info(struct rf_vcpu *vcpu, u64 gfn, u32 offset);

/* timer.c */
void rf_timer_vm_init(struct rf_evtchns *evtchns);
void rf_timer_vm_exit(struct rf_evtchns *evtchns);
void rf_timer_vcpu_init(struct rf_vcpu *vcpu);
void rf_timer_vcpu_exit(struct rf_vcpu *vcpu);
ktime_t rf_timer_expiry(const struct rf_vm *vm, u64 abs_ns);
bool rf_timer_period_ok(u64 period_ns);

/* clock.c, runstate.c */
int rf_clock_vm_init(struct rf_evtchns *evtchns);
void rf_clock_vm_exit(struct rf_evtchns *evtchns);
void rf_clock_load_vcpu(struct rf_vcpu *vcpu);
void rf_runstate_vcpu_init(struct rf_vcpu *vcpu);
void rf_runstate_account(struct rf_vcpu *vcpu);

#endif /* RF_PORTS_H */
