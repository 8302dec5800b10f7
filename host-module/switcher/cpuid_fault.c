// SPDX-License-Identifier: GPL-2.0
/*
 * cpuid_fault.c - when the bit that has CPUID fault in ring 3 is written (pure)
 *
 * The bit matters to ring 3 only, so it stays the guest's until the CPU returns
 * to a user.  Linux writes it as well: it is on for tasks that have asked for
 * it, and written when the CPU switches from one that has to one that has not,
 * or back.  So it is on in the guest only as long as the vCPU's thread has not
 * been switched out; and what it is to be afterwards is not what it was before,
 * but what the task wants that is current then.
 */
#include "cpuid_fault.h"

bool rf_cpuid_fault_enter(struct rf_cpuid_fault *fault, const void *task, u64 switches)
{
	if (fault->on && fault->task == task && fault->switches == switches)
		return false;

	fault->on = true;
	fault->task = task;
	fault->switches = switches;
	return true;
}

bool rf_cpuid_fault_leave(struct rf_cpuid_fault *fault)
{
	bool was_on = fault->on;

	fault->on = false;
	return was_on;
}
