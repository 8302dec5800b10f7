/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hypercall.h - number to handler; handlers decode arguments and hand down
 */
#ifndef RF_HYPERCALL_H
#define RF_HYPERCALL_H

#include <linux/types.h>

struct rf_vcpu;

/**
 * struct rf_hypercall_args - the five arguments, in the ABI's order
 * @arg: RDI, RSI, RDX, R10, R8
 */
struct rf_hypercall_args {
	u64 arg[5];
};

long rf_hypercall(struct rf_vcpu *vcpu, u64 nr, const struct rf_hypercall_args *args);

#define RF_DECLARE_HYPERCALL(_name) \
	long rf_hypercall_##_name(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)

/* callbacks.c */
RF_DECLARE_HYPERCALL(set_trap_table);
RF_DECLARE_HYPERCALL(set_callbacks);
RF_DECLARE_HYPERCALL(callback_op);
RF_DECLARE_HYPERCALL(stack_switch);
RF_DECLARE_HYPERCALL(iret);
RF_DECLARE_HYPERCALL(nmi_op);
/* mmu.c */
RF_DECLARE_HYPERCALL(mmu_update);
RF_DECLARE_HYPERCALL(update_va_mapping);
RF_DECLARE_HYPERCALL(mmuext_op);
/* memory.c */
RF_DECLARE_HYPERCALL(memory_op);
/* descriptor.c */
RF_DECLARE_HYPERCALL(set_gdt);
RF_DECLARE_HYPERCALL(update_descriptor);
RF_DECLARE_HYPERCALL(set_segment_base);
/* evtchn.c */
RF_DECLARE_HYPERCALL(event_channel_op);
/* sched.c */
RF_DECLARE_HYPERCALL(sched_op);
RF_DECLARE_HYPERCALL(sched_op_compat);
RF_DECLARE_HYPERCALL(vcpu_op);
RF_DECLARE_HYPERCALL(set_timer_op);
/* multicall.c */
RF_DECLARE_HYPERCALL(multicall);
/* misc.c */
RF_DECLARE_HYPERCALL(xen_version);
RF_DECLARE_HYPERCALL(console_io);
RF_DECLARE_HYPERCALL(vm_assist);
RF_DECLARE_HYPERCALL(physdev_op);
RF_DECLARE_HYPERCALL(fpu_taskswitch);
RF_DECLARE_HYPERCALL(set_debugreg);
RF_DECLARE_HYPERCALL(get_debugreg);
/* device.c */
RF_DECLARE_HYPERCALL(device_op);

#endif /* RF_HYPERCALL_H */
