// SPDX-License-Identifier: GPL-2.0
/*
 * trap.c - why the guest came out: handle or bounce
 */
#include <linux/kernel.h>

#include <asm/irq_vectors.h>
#include <asm/trapnr.h>

#include "bounce.h"
#include "emul/emul.h"
#include "guestmem.h"
#include "hypercall/hypercall.h"
#include "trace.h"
#include "trap.h"
#include "vcpu.h"
#include "vm.h"

/* Not inline, nor are others: what they have on the stack costs every trap a canary. */
static noinline void trap_hypercall(struct rf_vcpu *vcpu)
{
	struct rf_regs *regs = vcpu->regs;
	struct rf_hypercall_args args = {
		.arg = { regs->rdi, regs->rsi, regs->rdx, regs->r10, regs->r8 },
	};
	u32 nr = regs->rax;

	rf_count(vcpu, EXIT_HYPERCALL);
	if (nr == __HYPERVISOR_iret) {
		/* Gives every register a value of its own, RAX as well. */
		rf_bounce_iret(vcpu);
		return;
	}
	regs->rax = rf_hypercall(vcpu, nr, &args);
}

static void trap_syscall(struct rf_vcpu *vcpu)
{
	if (rf_vcpu_in_kernel(vcpu)) {
		trap_hypercall(vcpu);
		return;
	}
	rf_count(vcpu, EXIT_SYSCALL);
	if (!rf_bounce_callback(vcpu, CALLBACKTYPE_syscall))
		rf_bounce_trap(vcpu, X86_TRAP_UD, RF_NO_ERROR_CODE);
}

static void trap_callback(struct rf_vcpu *vcpu, int type, int otherwise)
{
	rf_count(vcpu, EXIT_SYSCALL);
	if (rf_vcpu_in_kernel(vcpu) || !rf_bounce_callback(vcpu, type))
		rf_bounce_trap(vcpu, otherwise,
			       otherwise == X86_TRAP_GP ? 0 : RF_NO_ERROR_CODE);
}

static noinline void trap_page_fault(struct rf_vcpu *vcpu)
{
	u32 error = vcpu->regs->error;
	u64 gva = vcpu->fault_gva;
	enum rf_fault outcome;

	rf_count(vcpu, EXIT_PAGE_FAULT);
	/* Some CPUs read the stack of a ring-3 IRET as if it were ring 0's. */
	if (!(error & RF_PF_USER) && rf_emulate(vcpu, X86_TRAP_PF) != RF_EMUL_NO) {
		rf_count(vcpu, EMULATED);
		return;
	}
	/* A reserved bit is in those entries that the guest does not map. */
	if (WARN_ON_ONCE((error & RF_PF_RSVD) && !rf_mmu_marks_absent())) {
		rf_vm_kill(vcpu->vm, "shadow entry of %#llx is malformed", gva);
		return;
	}
	/* A host of 5 levels finds an address where the guest's CPU has none. */
	if (!rf_canonical(gva)) {
		rf_bounce_gp(vcpu, 0);
		return;
	}
	outcome = rf_mmu_fault(vcpu, gva, &error);
	trace_rf_page_fault(vcpu, gva, vcpu->regs->error, outcome);
	if (outcome == RF_FAULT_GUEST)
		rf_bounce_page_fault(vcpu, gva, error);
}

static void trap_emulate(struct rf_vcpu *vcpu, int vector, s64 error)
{
	switch (rf_emulate(vcpu, vector)) {
	case RF_EMUL_NO:
		rf_bounce_trap(vcpu, vector, error);
		break;
	case RF_EMUL_DONE:
	case RF_EMUL_EXIT:
	case RF_EMUL_FAULT:
		rf_count(vcpu, EMULATED);
		break;
	}
}

/*
 * INT3, INTO and INT 0x80 have gates that are open to ring 3; the guest's own
 * may be closed, and then the instruction faults as it would on hardware.
 */
static void trap_software(struct rf_vcpu *vcpu, int vector)
{
	const struct trap_info *ti = &vcpu->traps[vector];
	struct rf_regs *regs = vcpu->regs;
	u8 last = 0;

	if (ti->address && (rf_vcpu_in_kernel(vcpu) || TI_GET_DPL(ti) == 3)) {
		rf_bounce_trap(vcpu, vector, RF_NO_ERROR_CODE);
		return;
	}
	/* Back to the instruction: INT3 and INTO have one byte, INT n has two. */
	rf_guest_fetch(vcpu, &last, regs->rip - 1, sizeof(last));
	regs->rip -= last == 0xcc || last == 0xce ? 1 : 2;
	rf_bounce_gp(vcpu, vector * 8 + 2);
}

/* Does the CPU push an error code for this vector? */
static bool has_error_code(int vector)
{
	return vector == X86_TRAP_DF || vector == X86_TRAP_AC || vector == X86_TRAP_CP ||
	       (vector >= X86_TRAP_TS && vector <= X86_TRAP_PF);
}

static noinline void trap_other(struct rf_vcpu *vcpu)
{
	struct rf_regs *regs = vcpu->regs;
	int vector = regs->exit;

	switch (regs->exit) {
	case RF_EXIT_SYSCALL32:
		trap_callback(vcpu, CALLBACKTYPE_syscall32, X86_TRAP_UD);
		return;
	case RF_EXIT_SYSENTER:
		trap_callback(vcpu, CALLBACKTYPE_sysenter, X86_TRAP_GP);
		return;
	case RF_EXIT_BAD_IRET:
		rf_bounce_bad_iret(vcpu);
		return;
	case RF_EXIT_SENTINEL:
		rf_mmu_open_gate(vcpu);
		rf_vm_kill(vcpu->vm, "the switcher faulted; see the host's log");
		return;
	case X86_TRAP_GP:
		rf_count(vcpu, EXIT_GP);
		trap_emulate(vcpu, vector, regs->error);
		return;
	case X86_TRAP_UD:
		rf_count(vcpu, EXIT_OTHER_TRAP);
		trap_emulate(vcpu, vector, RF_NO_ERROR_CODE);
		return;
	case X86_TRAP_NM:
		/* The host's own TS is never set: this one is the guest's. */
		rf_count(vcpu, EXIT_OTHER_TRAP);
		vcpu->emul.ts = false;
		rf_bounce_trap(vcpu, vector, RF_NO_ERROR_CODE);
		return;
	case X86_TRAP_NMI:
		rf_count(vcpu, EXIT_NMI);
		return;
	case X86_TRAP_MC:
		return;
	case X86_TRAP_BP:
	case X86_TRAP_OF:
		rf_count(vcpu, EXIT_OTHER_TRAP);
		trap_software(vcpu, vector);
		return;
	case IA32_SYSCALL_VECTOR:
		rf_count(vcpu, EXIT_SYSCALL);
		trap_software(vcpu, vector);
		return;
	case FIRST_EXTERNAL_VECTOR ... IA32_SYSCALL_VECTOR - 1:
	case IA32_SYSCALL_VECTOR + 1 ... NR_VECTORS - 1:
		/* The host's own handler has run already. */
		rf_count(vcpu, EXIT_INTERRUPT);
		return;
	}

	rf_count(vcpu, EXIT_OTHER_TRAP);
	rf_bounce_trap(vcpu, vector, has_error_code(vector) ? regs->error : RF_NO_ERROR_CODE);
}

/* Most are one of two. */
void rf_trap(struct rf_vcpu *vcpu)
{
	switch (vcpu->regs->exit) {
	case RF_EXIT_SYSCALL:
		trap_syscall(vcpu);
		return;
	case X86_TRAP_PF:
		trap_page_fault(vcpu);
		return;
	}
	trap_other(vcpu);
}
