// SPDX-License-Identifier: GPL-2.0
/*
 * table.c - number to handler
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "../../uapi/ringfence_guest.h"
#include "../trace.h"
#include "../xen_abi.h"
#include "hypercall.h"

struct hypercall {
	long (*fn)(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args);
	const char *name;
};

#define HYPERCALL(_name)						\
	[__HYPERVISOR_##_name] = { rf_hypercall_##_name, #_name }

static const struct hypercall hypercalls[] = {
	HYPERCALL(set_trap_table),		/* callbacks.c */
	HYPERCALL(set_callbacks),
	HYPERCALL(callback_op),
	HYPERCALL(stack_switch),
	HYPERCALL(iret),
	HYPERCALL(nmi_op),
	HYPERCALL(mmu_update),			/* mmu.c */
	HYPERCALL(update_va_mapping),
	HYPERCALL(mmuext_op),
	HYPERCALL(memory_op),			/* memory.c */
	HYPERCALL(set_gdt),			/* descriptor.c */
	HYPERCALL(update_descriptor),
	HYPERCALL(set_segment_base),
	HYPERCALL(event_channel_op),		/* evtchn.c */
	HYPERCALL(sched_op),			/* sched.c */
	HYPERCALL(sched_op_compat),
	HYPERCALL(vcpu_op),
	HYPERCALL(set_timer_op),
	HYPERCALL(multicall),			/* multicall.c */
	HYPERCALL(xen_version),			/* misc.c */
	HYPERCALL(console_io),
	HYPERCALL(vm_assist),
	HYPERCALL(physdev_op),
	HYPERCALL(fpu_taskswitch),
	HYPERCALL(set_debugreg),
	HYPERCALL(get_debugreg),
	[RF_GUEST_HYPERCALL] = { rf_hypercall_device_op, "device_op" },
};

long rf_hypercall(struct rf_vcpu *vcpu, u64 nr, const struct rf_hypercall_args *args)
{
	long result = -ENOSYS;

	if (nr < ARRAY_SIZE(hypercalls)) {
		nr = array_index_nospec(nr, ARRAY_SIZE(hypercalls));
		if (hypercalls[nr].fn)
			result = hypercalls[nr].fn(vcpu, args);
	}
	trace_rf_hypercall(vcpu, nr, result);
	return result;
}
