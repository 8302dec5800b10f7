// SPDX-License-Identifier: GPL-2.0
/*
 * sched.c - sched_op, vcpu_op, set_timer_op
 */
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "../event/event.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

/* Ports one SCHEDOP_poll may name; the ABI's limit. */
#define POLL_MAX_PORTS	128

/* Timeouts that a guest means as "I do not know", see set_timer_op. */
#define TIMEOUT_MAX_NS	BIT_ULL(50)
#define TIMEOUT_FAR_NS	(100 * NSEC_PER_MSEC)

static long sched_shutdown(struct rf_vcpu *vcpu, u64 gva)
{
	struct sched_shutdown op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;

	rf_vm_shutdown(vcpu->vm, op.reason);
	return 0;
}

/* What it will be told as, however it ends then. */
static long sched_shutdown_code(struct rf_vcpu *vcpu, u64 gva)
{
	struct sched_shutdown op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;

	rf_vm_set_shutdown_code(vcpu->vm, op.reason);
	return 0;
}

static long sched_poll(struct rf_vcpu *vcpu, u64 gva)
{
	evtchn_port_t ports[POLL_MAX_PORTS];
	struct sched_poll op;
	u64 ports_gva;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	if (op.nr_ports > POLL_MAX_PORTS)
		return -EINVAL;

	ports_gva = (u64)op.ports;
	if (rf_guest_read(vcpu, ports, ports_gva, op.nr_ports * sizeof(ports[0])))
		return -EFAULT;

	return rf_event_poll(vcpu, ports, op.nr_ports, op.timeout);
}

static long sched_watchdog(struct rf_vcpu *vcpu, u64 gva)
{
	struct sched_watchdog op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	return rf_timer_watchdog(vcpu->vm, op.id, op.timeout);
}

long rf_hypercall_sched_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	u64 gva = args->arg[1];

	switch ((u32)args->arg[0]) {
	case SCHEDOP_yield:
		/* Let others run that have as good a claim to the CPU. */
		schedule();
		return 0;
	case SCHEDOP_block:
		rf_event_block(vcpu);
		return 0;
	case SCHEDOP_shutdown:
		return sched_shutdown(vcpu, gva);
	case SCHEDOP_shutdown_code:
		return sched_shutdown_code(vcpu, gva);
	case SCHEDOP_poll:
		return sched_poll(vcpu, gva);
	case SCHEDOP_watchdog:
		return sched_watchdog(vcpu, gva);
	case SCHEDOP_remote_shutdown:
	case SCHEDOP_pin_override:
		return -EPERM;
	default:
		return -ENOSYS;
	}
}

/* The older form: the reason itself in place of its address. */
long rf_hypercall_sched_op_compat(struct rf_vcpu *vcpu,
				  const struct rf_hypercall_args *args)
{
	u64 reason = args->arg[1];

	switch ((int)args->arg[0]) {
	case SCHEDOP_yield:
	case SCHEDOP_block:
		return rf_hypercall_sched_op(vcpu, args);
	case SCHEDOP_shutdown:
		if (reason > SHUTDOWN_MAX)
			return -EINVAL;
		rf_vm_shutdown(vcpu->vm, reason);
		return 0;
	default:
		return -ENOSYS;
	}
}

static long vcpu_initialise(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_guest_context *ctxt;
	long ret;

	/* It could never be told of an event. */
	if (target->event.dummy_page && !target->event.info_page)
		return -EINVAL;

	ctxt = kmalloc(sizeof(*ctxt), GFP_KERNEL_ACCOUNT);
	if (!ctxt)
		return -ENOMEM;

	ret = -EFAULT;
	if (!rf_guest_read(vcpu, ctxt, gva, sizeof(*ctxt)))
		ret = rf_vcpu_initialise(target, ctxt);
	kfree(ctxt);
	return ret;
}

static long vcpu_get_runstate(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_runstate_info runstate;

	rf_runstate_get(target, &runstate);
	return rf_guest_write(vcpu, gva, &runstate, sizeof(runstate));
}

static long vcpu_register_runstate(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_register_runstate_memory_area area;

	if (rf_guest_read(vcpu, &area, gva, sizeof(area)))
		return -EFAULT;

	rf_runstate_register(vcpu, target, area.addr.p);
	return 0;
}

static long vcpu_register_time(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_register_time_memory_area area;

	if (rf_guest_read(vcpu, &area, gva, sizeof(area)))
		return -EFAULT;

	rf_clock_register(vcpu, target, area.addr.p);
	return 0;
}

static long vcpu_register_info(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_register_vcpu_info op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	if (target != vcpu && READ_ONCE(target->online))
		return -EINVAL;

	return rf_event_register_info(target, op.mfn, op.offset);
}

static long vcpu_set_periodic(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_set_periodic_timer op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	return rf_timer_set_periodic(target, op.period_ns);
}

static long vcpu_set_singleshot(struct rf_vcpu *vcpu, struct rf_vcpu *target, u64 gva)
{
	struct vcpu_set_singleshot_timer op;

	if (target != vcpu)
		return -EINVAL;
	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	return rf_timer_set_singleshot(vcpu, op.timeout_abs_ns,
				       op.flags & VCPU_SSHOTTMR_future);
}

static long vcpu_stop_singleshot(struct rf_vcpu *vcpu, struct rf_vcpu *target)
{
	if (target != vcpu)
		return -EINVAL;
	rf_timer_stop_singleshot(vcpu);
	return 0;
}

static long vcpu_send_nmi(struct rf_vcpu *target, u64 gva)
{
	if (gva)
		return -EINVAL;
	rf_event_send_nmi(target);
	return 0;
}

long rf_hypercall_vcpu_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	u32 id = args->arg[1];
	u64 gva = args->arg[2];
	struct rf_vcpu *target;

	if (id >= RF_MAX_VCPUS)
		return -ENOENT;
	target = rf_vm_vcpu(vcpu->vm, array_index_nospec(id, RF_MAX_VCPUS));
	if (!target)
		return -ENOENT;

	switch ((u32)args->arg[0]) {
	case VCPUOP_initialise:
		return vcpu_initialise(vcpu, target, gva);
	case VCPUOP_up:
		return rf_vcpu_up(target);
	case VCPUOP_down:
		return rf_vcpu_down(target);
	case VCPUOP_is_up:
		return READ_ONCE(target->online);
	case VCPUOP_get_runstate_info:
		return vcpu_get_runstate(vcpu, target, gva);
	case VCPUOP_register_runstate_memory_area:
		return vcpu_register_runstate(vcpu, target, gva);
	case VCPUOP_set_periodic_timer:
		return vcpu_set_periodic(vcpu, target, gva);
	case VCPUOP_stop_periodic_timer:
		rf_timer_stop_periodic(target);
		return 0;
	case VCPUOP_set_singleshot_timer:
		return vcpu_set_singleshot(vcpu, target, gva);
	case VCPUOP_stop_singleshot_timer:
		return vcpu_stop_singleshot(vcpu, target);
	case VCPUOP_register_vcpu_info:
		return vcpu_register_info(vcpu, target, gva);
	case VCPUOP_register_vcpu_time_memory_area:
		return vcpu_register_time(vcpu, target, gva);
	case VCPUOP_send_nmi:
		return vcpu_send_nmi(target, gva);
	case VCPUOP_get_physid:
		/* Only for vCPUs that never leave their CPU; none here. */
		return -EINVAL;
	default:
		return -ENOSYS;
	}
}

/*
 * Guests ask for times that have wrapped, or for times far away when they have
 * nothing to wait for.  The ABI takes either as "soon, but not now".
 */
long rf_hypercall_set_timer_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	u64 timeout = args->arg[0];
	u64 now = rf_clock_now(vcpu->vm);

	if (!timeout) {
		rf_timer_stop_singleshot(vcpu);
		return 0;
	}

	if ((s64)timeout < 0 || (timeout > now && timeout - now >= TIMEOUT_MAX_NS))
		timeout = now + TIMEOUT_FAR_NS;
	return rf_timer_set_singleshot(vcpu, timeout, false);
}
