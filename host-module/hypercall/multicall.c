// SPDX-License-Identifier: GPL-2.0
/*
 * multicall.c - several hypercalls in one
 */
#include <linux/sched/signal.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

/* Bytes of SYSCALL: so far back is the call itself. */
#define SYSCALL_LEN	2

/*
 * These work on the caller's own registers, which in a batch are the batch's;
 * and a batch in a batch would have no bound.
 */
static bool call_stands_alone(u64 nr)
{
	return nr == __HYPERVISOR_multicall || nr == __HYPERVISOR_iret ||
	       nr == __HYPERVISOR_console_io;
}

static long call_one(struct rf_vcpu *vcpu, const struct multicall_entry *entry)
{
	struct rf_hypercall_args args;

	if (call_stands_alone(entry->op))
		return -EINVAL;
	memcpy(args.arg, entry->args, sizeof(args.arg));
	return rf_hypercall(vcpu, entry->op, &args);
}

/* Have the guest make the call again for what is left, after a look around. */
static long call_again(struct rf_vcpu *vcpu, u64 gva, u64 nr_left)
{
	struct rf_regs *regs = vcpu->regs;

	regs->rip -= SYSCALL_LEN;
	regs->rdi = gva;
	regs->rsi = nr_left;
	return __HYPERVISOR_multicall;
}

/* multicall(entries, nr) */
long rf_hypercall_multicall(struct rf_vcpu *vcpu,
			    const struct rf_hypercall_args *args)
{
	u64 gva = args->arg[0];
	u64 nr = (u32)args->arg[1];
	struct multicall_entry entry;

	for (; nr; nr--, gva += sizeof(entry)) {
		if (rf_guest_read(vcpu, &entry, gva, sizeof(entry)))
			return -EFAULT;
		entry.result = call_one(vcpu, &entry);
		if (rf_guest_write(vcpu, gva + offsetof(struct multicall_entry, result),
				   &entry.result, sizeof(entry.result)))
			return -EFAULT;

		cond_resched();
		if (nr > 1 && (signal_pending(current) || READ_ONCE(vcpu->vm->dead)))
			return call_again(vcpu, gva + sizeof(entry), nr - 1);
	}
	return 0;
}
