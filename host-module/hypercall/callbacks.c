// SPDX-License-Identifier: GPL-2.0
/*
 * callbacks.c - where the guest kernel wants to be entered, and how it leaves
 */
#include <linux/nospec.h>
#include <linux/string.h>
#include <asm/trapnr.h>

#include "../bounce.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

/* trap_info.flags: bit 2 is "mask events", bits 0 and 1 the DPL. */
#define TRAP_FLAGS	7

/* The guest kernel runs in ring 3, whatever it calls its segments. */
static u16 ring3(u16 selector)
{
	return selector | 3;
}

/* Where an NMI goes can be said in the trap table and as a callback. */
static void trap_set(struct rf_vcpu *vcpu, const struct trap_info *trap)
{
	vcpu->traps[trap->vector] = (struct trap_info) {
		.vector = trap->vector,
		.flags = trap->flags & TRAP_FLAGS,
		.cs = ring3(trap->cs),
		.address = trap->address,
	};
	if (trap->vector == X86_TRAP_NMI)
		vcpu->callbacks[CALLBACKTYPE_nmi].rip = trap->address;
}

static long set_traps(struct rf_vcpu *vcpu, u64 gva)
{
	struct trap_info trap;
	int i;

	if (!gva) {
		memset(vcpu->traps, 0, sizeof(vcpu->traps));
		vcpu->callbacks[CALLBACKTYPE_nmi].rip = 0;
		return 0;
	}

	/* One entry for each vector and the end: more is a broken table. */
	for (i = 0; i <= (int)ARRAY_SIZE(vcpu->traps); i++) {
		if (rf_guest_read(vcpu, &trap, gva + i * sizeof(trap), sizeof(trap)))
			return -EFAULT;
		if (!trap.address)
			return 0;
		if (!rf_gva_ok(trap.address))
			return -EINVAL;
		trap_set(vcpu, &trap);
	}
	return -EINVAL;
}

/*
 * set_trap_table(traps): an array that ends at address 0.  None clears all.
 */
long rf_hypercall_set_trap_table(struct rf_vcpu *vcpu,
				 const struct rf_hypercall_args *args)
{
	long err = set_traps(vcpu, args->arg[0]);

	/* Up to a bad one they are set. */
	rf_vcpu_show_traps(vcpu);
	return err;
}

/* The switcher bounces system calls by itself, so it has to know. */
static void publish_syscall(struct rf_vcpu *vcpu)
{
	const struct rf_callback *callback = &vcpu->callbacks[CALLBACKTYPE_syscall];

	vcpu->world->syscall_mask = !!(callback->flags & CALLBACKF_mask_events);
	vcpu->world->syscall_rip = callback->rip;
}

static void nmi_set(struct rf_vcpu *vcpu, u64 rip)
{
	const struct trap_info trap = {
		.vector = X86_TRAP_NMI,
		.flags = 4,		/* mask events */
		.cs = RF_FLAT_KERNEL_CS,
		.address = rip,
	};

	trap_set(vcpu, &trap);
}

static long callback_set(struct rf_vcpu *vcpu, u16 type, u64 rip, u16 flags)
{
	if (!rf_gva_ok(rip))
		return -EINVAL;

	switch (type) {
	case CALLBACKTYPE_event:
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_nmi:
	case CALLBACKTYPE_sysenter:
	case CALLBACKTYPE_syscall32:
		break;
	default:
		return -ENOSYS;
	}

	type = array_index_nospec(type, RF_NR_CALLBACKS);
	vcpu->callbacks[type].rip = rip;
	vcpu->callbacks[type].flags = flags & CALLBACKF_mask_events;
	if (type == CALLBACKTYPE_syscall)
		publish_syscall(vcpu);
	if (type == CALLBACKTYPE_nmi)
		nmi_set(vcpu, rip);
	return 0;
}

/* set_callbacks(event, failsafe, syscall): the old way, without flags. */
long rf_hypercall_set_callbacks(struct rf_vcpu *vcpu,
				const struct rf_hypercall_args *args)
{
	static const u16 types[] = {
		CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		if (!rf_gva_ok(args->arg[i]))
			return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(types); i++)
		callback_set(vcpu, types[i], args->arg[i], 0);
	return 0;
}

static long callback_register(struct rf_vcpu *vcpu, u64 gva)
{
	struct callback_register op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	return callback_set(vcpu, op.type, op.address, op.flags);
}

static long callback_unregister(struct rf_vcpu *vcpu, u64 gva)
{
	struct callback_unregister op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;

	switch (op.type) {
	case CALLBACKTYPE_nmi:
		return callback_set(vcpu, CALLBACKTYPE_nmi, 0, 0);
	case CALLBACKTYPE_event:	/* a guest cannot live without */
	case CALLBACKTYPE_failsafe:
	case CALLBACKTYPE_syscall:
	case CALLBACKTYPE_sysenter:
	case CALLBACKTYPE_syscall32:
		return -EINVAL;
	default:
		return -ENOSYS;
	}
}

long rf_hypercall_callback_op(struct rf_vcpu *vcpu,
			      const struct rf_hypercall_args *args)
{
	switch ((int)args->arg[0]) {
	case CALLBACKOP_register:
		return callback_register(vcpu, args->arg[1]);
	case CALLBACKOP_unregister:
		return callback_unregister(vcpu, args->arg[1]);
	default:
		return -ENOSYS;
	}
}

long rf_hypercall_nmi_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	struct xennmi_callback op;

	switch ((int)args->arg[0]) {
	case XENNMI_register_callback:
		if (rf_guest_read(vcpu, &op, args->arg[1], sizeof(op)))
			return -EFAULT;
		return callback_set(vcpu, CALLBACKTYPE_nmi, op.handler_address, 0);
	case XENNMI_unregister_callback:
		return callback_set(vcpu, CALLBACKTYPE_nmi, 0, 0);
	default:
		return -ENOSYS;
	}
}

/*
 * stack_switch(ss, sp): where frames go when the guest comes from user mode.
 * Any address will do here; whoever writes a frame looks where to.
 */
long rf_hypercall_stack_switch(struct rf_vcpu *vcpu,
			       const struct rf_hypercall_args *args)
{
	vcpu->world->kernel_ss = ring3(args->arg[0]);
	vcpu->world->kernel_sp = args->arg[1];
	return 0;
}

/* RAX is restored with the rest: give back what it is now. */
long rf_hypercall_iret(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	rf_bounce_iret(vcpu);
	return vcpu->regs->rax;
}
