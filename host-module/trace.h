/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trace.h - tracepoints: /sys/kernel/tracing/events/ringfence
 *
 * Every event starts with "vm=ID" or "vm=ID vcpu=ID"; the number is the one in
 * the name of the VM's debugfs folder.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM ringfence

#if !defined(RF_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define RF_TRACE_H

#include <linux/string.h>
#include <linux/tracepoint.h>

#include <asm/trapnr.h>

#include "vcpu.h"
#include "vm.h"

TRACE_DEFINE_ENUM(RF_FAULT_FIXED);
TRACE_DEFINE_ENUM(RF_FAULT_GUEST);
TRACE_DEFINE_ENUM(RF_FAULT_KILLED);
TRACE_DEFINE_ENUM(RF_FAULT_RETRY);

#define RF_TRACE_TRAPS							\
	{ X86_TRAP_DE, "#DE" }, { X86_TRAP_DB, "#DB" },			\
	{ X86_TRAP_NMI, "NMI" }, { X86_TRAP_BP, "#BP" },		\
	{ X86_TRAP_OF, "#OF" }, { X86_TRAP_BR, "#BR" },			\
	{ X86_TRAP_UD, "#UD" }, { X86_TRAP_NM, "#NM" },			\
	{ X86_TRAP_DF, "#DF" }, { X86_TRAP_TS, "#TS" },			\
	{ X86_TRAP_NP, "#NP" }, { X86_TRAP_SS, "#SS" },			\
	{ X86_TRAP_GP, "#GP" }, { X86_TRAP_PF, "#PF" },			\
	{ X86_TRAP_MF, "#MF" }, { X86_TRAP_AC, "#AC" },			\
	{ X86_TRAP_MC, "#MC" }, { X86_TRAP_XF, "#XF" }

#define RF_TRACE_EXITS							\
	RF_TRACE_TRAPS,							\
	{ RF_EXIT_SYSCALL, "syscall" },					\
	{ RF_EXIT_SYSCALL32, "syscall32" },				\
	{ RF_EXIT_SYSENTER, "sysenter" },				\
	{ RF_EXIT_BAD_IRET, "bad-iret" },				\
	{ RF_EXIT_SENTINEL, "switcher-fault" }

#define RF_TRACE_HYPERCALLS						\
	{ __HYPERVISOR_set_trap_table, "set_trap_table" },		\
	{ __HYPERVISOR_mmu_update, "mmu_update" },			\
	{ __HYPERVISOR_set_gdt, "set_gdt" },				\
	{ __HYPERVISOR_stack_switch, "stack_switch" },			\
	{ __HYPERVISOR_set_callbacks, "set_callbacks" },		\
	{ __HYPERVISOR_fpu_taskswitch, "fpu_taskswitch" },		\
	{ __HYPERVISOR_set_debugreg, "set_debugreg" },			\
	{ __HYPERVISOR_get_debugreg, "get_debugreg" },			\
	{ __HYPERVISOR_update_descriptor, "update_descriptor" },	\
	{ __HYPERVISOR_memory_op, "memory_op" },			\
	{ __HYPERVISOR_multicall, "multicall" },			\
	{ __HYPERVISOR_update_va_mapping, "update_va_mapping" },	\
	{ __HYPERVISOR_set_timer_op, "set_timer_op" },			\
	{ __HYPERVISOR_xen_version, "xen_version" },			\
	{ __HYPERVISOR_console_io, "console_io" },			\
	{ __HYPERVISOR_grant_table_op, "grant_table_op" },		\
	{ __HYPERVISOR_vm_assist, "vm_assist" },			\
	{ __HYPERVISOR_iret, "iret" },					\
	{ __HYPERVISOR_vcpu_op, "vcpu_op" },				\
	{ __HYPERVISOR_set_segment_base, "set_segment_base" },		\
	{ __HYPERVISOR_mmuext_op, "mmuext_op" },			\
	{ __HYPERVISOR_nmi_op, "nmi_op" },				\
	{ __HYPERVISOR_sched_op, "sched_op" },				\
	{ __HYPERVISOR_callback_op, "callback_op" },			\
	{ __HYPERVISOR_event_channel_op, "event_channel_op" },		\
	{ __HYPERVISOR_physdev_op, "physdev_op" }

#define RF_TRACE_FAULTS							\
	{ RF_FAULT_FIXED, "fixed" }, { RF_FAULT_GUEST, "guest" },	\
	{ RF_FAULT_KILLED, "killed" }, { RF_FAULT_RETRY, "retry" }

/* The vCPU goes into the guest. */
TRACE_EVENT(rf_enter,
	TP_PROTO(const struct rf_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, rip)
		__field(bool, kernel)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->rip = vcpu->regs->rip;
		__entry->kernel = rf_vcpu_in_kernel(vcpu);
	),
	TP_printk("vm=%u vcpu=%u %s rip=%#llx", __entry->vm, __entry->vcpu,
		  __entry->kernel ? "kernel" : "user", __entry->rip)
);

/* It has come out. */
TRACE_EVENT(rf_exit,
	TP_PROTO(const struct rf_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, rip)
		__field(u32, reason)
		__field(bool, kernel)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->rip = vcpu->regs->rip;
		__entry->reason = vcpu->regs->exit;
		__entry->kernel = rf_vcpu_in_kernel(vcpu);
	),
	TP_printk("vm=%u vcpu=%u %s rip=%#llx reason=%s", __entry->vm, __entry->vcpu,
		  __entry->kernel ? "kernel" : "user", __entry->rip,
		  __print_symbolic(__entry->reason, RF_TRACE_EXITS))
);

TRACE_EVENT(rf_hypercall,
	TP_PROTO(const struct rf_vcpu *vcpu, u64 nr, long result),
	TP_ARGS(vcpu, nr, result),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, nr)
		__field(s64, result)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->nr = nr;
		__entry->result = result;
	),
	TP_printk("vm=%u vcpu=%u %s result=%lld", __entry->vm, __entry->vcpu,
		  __print_symbolic(__entry->nr, RF_TRACE_HYPERCALLS), __entry->result)
);

/* @error is the hardware's, not the one the guest is shown. */
TRACE_EVENT(rf_page_fault,
	TP_PROTO(const struct rf_vcpu *vcpu, u64 gva, u32 error, int outcome),
	TP_ARGS(vcpu, gva, error, outcome),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, gva)
		__field(u32, error)
		__field(int, outcome)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->gva = gva;
		__entry->error = error;
		__entry->outcome = outcome;
	),
	TP_printk("vm=%u vcpu=%u gva=%#llx error=%#x %s", __entry->vm, __entry->vcpu,
		  __entry->gva, __entry->error,
		  __print_symbolic(__entry->outcome, RF_TRACE_FAULTS))
);

/* A trap is handed to the guest kernel. */
TRACE_EVENT(rf_bounce_trap,
	TP_PROTO(const struct rf_vcpu *vcpu, int vector, s64 error),
	TP_ARGS(vcpu, vector, error),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
		__field(u64, rip)
		__field(int, vector)
		__field(s64, error)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
		__entry->rip = vcpu->regs->rip;
		__entry->vector = vector;
		__entry->error = error;
	),
	TP_printk("vm=%u vcpu=%u %s error=%lld rip=%#llx", __entry->vm, __entry->vcpu,
		  __print_symbolic(__entry->vector, RF_TRACE_TRAPS), __entry->error,
		  __entry->rip)
);

/* A port becomes pending; @target is the vCPU that is told. */
TRACE_EVENT(rf_event_raise,
	TP_PROTO(const struct rf_vm *vm, u32 port, u32 target),
	TP_ARGS(vm, port, target),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, port)
		__field(u32, target)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->port = port;
		__entry->target = target;
	),
	TP_printk("vm=%u port=%u target=%u", __entry->vm, __entry->port, __entry->target)
);

/* The guest kernel is entered at its event callback. */
TRACE_EVENT(rf_upcall,
	TP_PROTO(const struct rf_vcpu *vcpu),
	TP_ARGS(vcpu),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, vcpu)
	),
	TP_fast_assign(
		__entry->vm = vcpu->vm->id;
		__entry->vcpu = vcpu->id;
	),
	TP_printk("vm=%u vcpu=%u", __entry->vm, __entry->vcpu)
);

DECLARE_EVENT_CLASS(rf_shadow,
	TP_PROTO(const struct rf_vm *vm, u64 gfn, int level),
	TP_ARGS(vm, gfn, level),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u64, gfn)
		__field(int, level)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->gfn = gfn;
		__entry->level = level;
	),
	TP_printk("vm=%u gfn=%#llx level=%d", __entry->vm, __entry->gfn, __entry->level)
);

DEFINE_EVENT(rf_shadow, rf_shadow_create,
	TP_PROTO(const struct rf_vm *vm, u64 gfn, int level),
	TP_ARGS(vm, gfn, level)
);

DEFINE_EVENT(rf_shadow, rf_shadow_drop,
	TP_PROTO(const struct rf_vm *vm, u64 gfn, int level),
	TP_ARGS(vm, gfn, level)
);

DEFINE_EVENT(rf_shadow, rf_out_of_sync,
	TP_PROTO(const struct rf_vm *vm, u64 gfn, int level),
	TP_ARGS(vm, gfn, level)
);

DEFINE_EVENT(rf_shadow, rf_resync,
	TP_PROTO(const struct rf_vm *vm, u64 gfn, int level),
	TP_ARGS(vm, gfn, level)
);

/* vCPUs are to drop their TLBs; @nr_in_guest of them had to be interrupted. */
TRACE_EVENT(rf_flush,
	TP_PROTO(const struct rf_vm *vm, u32 nr_in_guest),
	TP_ARGS(vm, nr_in_guest),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(u32, nr_in_guest)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->nr_in_guest = nr_in_guest;
	),
	TP_printk("vm=%u in_guest=%u", __entry->vm, __entry->nr_in_guest)
);

/* The host takes addresses of the launcher back, the guest's memory or others. */
TRACE_EVENT(rf_notifier,
	TP_PROTO(const struct rf_vm *vm, unsigned long start, unsigned long end),
	TP_ARGS(vm, start, end),
	TP_STRUCT__entry(
		__field(u32, vm)
		__field(unsigned long, start)
		__field(unsigned long, end)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		__entry->start = start;
		__entry->end = end;
	),
	TP_printk("vm=%u uva=%#lx-%#lx", __entry->vm, __entry->start, __entry->end)
);

TRACE_EVENT(rf_kill,
	TP_PROTO(const struct rf_vm *vm),
	TP_ARGS(vm),
	TP_STRUCT__entry(
		__field(u32, vm)
		__array(char, text, RF_REASON_LEN)
	),
	TP_fast_assign(
		__entry->vm = vm->id;
		strscpy(__entry->text, vm->text, RF_REASON_LEN);
	),
	TP_printk("vm=%u %s", __entry->vm, __entry->text)
);

#endif /* RF_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
