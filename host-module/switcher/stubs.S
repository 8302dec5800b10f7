/* SPDX-License-Identifier: GPL-2.0 */
/*
 * stubs.S - 256 vectors in the hole, and the host's side of the switch
 */
#include <linux/linkage.h>
#include <linux/objtool.h>
#include <asm/msr-index.h>
#include <asm/nospec-branch.h>
#include <uapi/asm/debugreg.h>

#include "hole.h"

	.section .rf_switcher, "ax"

/* Vectors for which the CPU pushes an error code. */
#define HAS_ERROR(_v)	((_v) == 8 || ((_v) >= 10 && (_v) <= 14) ||	\
			 (_v) == 17 || (_v) == 21 || (_v) == 29 || (_v) == 30)
/* Vectors on a stack of their own, see cpu_init_idt(). */
#define HAS_IST(_v)	((_v) == 1 || (_v) == 2 || (_v) == 8 || (_v) == 18)

	.balign	16
SYM_CODE_START(rf_hole_vectors)
	vector = 0
	.rept	256
	ENTRY_LABEL
	.if	!(HAS_ERROR(vector))
	pushq	$0
	.endif
	pushq	$vector
	.if	HAS_IST(vector)
	jmp	rf_hole_ist
	.elseif	vector == X86_TRAP_PF
	jmp	rf_hole_page_fault
	.else
	jmp	rf_hole_vector
	.endif
	.balign	RF_STUB_BYTES, 0xcc
	vector = vector + 1
	.endr
SYM_CODE_END(rf_hole_vectors)

/* Frame from %rsp up: vector, error, rip, cs, rflags, rsp, ss. */
SYM_CODE_START(rf_hole_vector)
	testb	$3, 24(%rsp)
	jnz	rf_leave_guest

/*
 * The switcher itself faulted.  It may do so where FIXUP() says; registers are
 * kept, for they may be the guest's.
 */
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	movq	24(%rsp), %rax
	movq	%rax, CPU(fault_vector)
	movq	32(%rsp), %rax
	movq	%rax, CPU(fault_error)
	leaq	rf_switcher_text(%rip), %rax
	movq	40(%rsp), %rcx
	subq	%rax, %rcx
	leaq	FIXUPS, %rdx
1:	cmpl	$0, (%rdx)
	je	rf_hole_fatal
	cmpl	%ecx, (%rdx)
	je	2f
	addq	$8, %rdx
	jmp	1b
2:	movl	4(%rdx), %edx
	addq	%rdx, %rax
	movq	%rax, 40(%rsp)
	popq	%rdx
	popq	%rcx
	popq	%rax
	addq	$16, %rsp
	iretq

/*
 * It may not fault here: a bug of ours.  Leave with the sentinel that C wrote
 * before entry, so that it says where, and kills the guest.  A SYSCALL, or a fault
 * of the guest's, has overwritten it since.
 */
rf_hole_fatal:
	RF_NO_UNWIND
	movq	%rcx, CPU(fault_rip)
	movq	CPU(world_top), %rsp
	subq	$REGS_SIZE, %rsp
	movq	$RF_EXIT_SENTINEL, AT_REGS(regs_exit)
	jmp	rf_leave_saved
SYM_CODE_END(rf_hole_vector)

/*
 * #DB, NMI, #DF and #MC have stacks of their own, for they may come while %rsp
 * is a guest's: right after SYSCALL, right before SYSRET.
 */
SYM_CODE_START_LOCAL(rf_hole_ist)
	testb	$3, 24(%rsp)
	jz	1f

	/* From the guest: move the frame to the world, then as any other. */
	pushq	%rax
	pushq	%rbx
	movq	CPU(world_top), %rax
	offset = 0
	.rept	7
	movq	16 + offset(%rsp), %rbx
	movq	%rbx, offset - 56(%rax)
	offset = offset + 8
	.endr
	popq	%rbx
	subq	$56, %rax
	movq	%rax, CPU(scratch)
	popq	%rax
	movq	CPU(scratch), %rsp
	jmp	rf_leave_guest

	/*
	 * From the switcher.  NMI and #MC: remember, the host handles it once
	 * it is back.  #DB: a guest single-stepped into SYSENTER.
	 */
1:	cmpl	$X86_TRAP_NMI, (%rsp)
	jne	2f
	incq	CPU(nmi_pending)
	jmp	4f
2:	cmpl	$X86_TRAP_MC, (%rsp)
	jne	3f
	incq	CPU(mce_pending)
	jmp	4f
3:	cmpl	$X86_TRAP_DB, (%rsp)
	jne	6f
	pushq	%rax
	leaq	rf_hole_vectors + X86_TRAP_DB * RF_STUB_BYTES(%rip), %rax
	cmpq	%rax, 24(%rsp)
	je	5f
	/* Nor shall the guest hear of it with its next one. */
	movl	$DR6_RESERVED, %eax
	movq	%rax, %dr6
	popq	%rax
	andq	$~X86_EFLAGS_TF, 32(%rsp)
4:	addq	$16, %rsp
	iretq

	/*
	 * Nothing to return to.  #DF; or a #DB right at the stub of #DB, held back
	 * by MOV to %ss before an ICEBP: its frame lies where that of the ICEBP was,
	 * and returning to the stub would find it there again, without end.
	 */
5:	addq	$8, %rsp
6:	movl	(%rsp), %eax
	movq	%rax, CPU(fault_vector)
	movq	8(%rsp), %rax
	movq	%rax, CPU(fault_error)
	movq	16(%rsp), %rcx
	leaq	rf_switcher_text(%rip), %rax
	subq	%rax, %rcx
	jmp	rf_hole_fatal
SYM_CODE_END(rf_hole_ist)
SYM_CODE_START(rf_switcher_text_end)
	RF_NO_UNWIND
	ANNOTATE_NOENDBR
	int3
SYM_CODE_END(rf_switcher_text_end)

	.text

/*
 * void rf_switcher_enter(struct rf_cpu *cpu, u64 entry)
 *
 * In:	 %rdi = this CPU's data, %rsi = rf_hole_enter in this CPU's view of the
 *	 hole; interrupts off
 * Out:	 the guest has come out again; the host's tables are loaded
 * Uses: the callee-saved registers are kept here
 */
SYM_CODE_START(rf_switcher_enter)
	ENTRY_LABEL
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, CPU_host_rsp(%rdi)
	leaq	.Lback(%rip), %rax
	movq	%rax, CPU_host_rip(%rdi)
	JMP_NOSPEC rsi

	/* %rdi = this CPU's data; still on the transition GDT and the hv IDT. */
.Lback:
	RF_NO_UNWIND
	lidt	6 + CPU_host_idt(%rdi)
	lgdt	6 + CPU_host_gdt(%rdi)

	/*
	 * What the host does when its own user enters it, before the first RET
	 * or indirect branch: IBRS where it relies on it, return predictors
	 * untrained, branch history cleared.  Each is there on CPUs that need it.
	 */
	movq	CPU_spec_ctrl(%rdi), %rax
	testq	%rax, %rax
	jz	1f
	movq	%rax, %rdx
	shrq	$32, %rdx
	movl	$MSR_IA32_SPEC_CTRL, %ecx
	wrmsr
	/*
	 * The guest's calls come from addresses that are the host's too, so its
	 * return predictions are not stopped by SMEP.
	 */
1:	RF_FILL_RETURN_BUFFER RSB_CLEAR_LOOPS, X86_FEATURE_RSB_CTXSW
	UNTRAIN_RET
	CLEAR_BRANCH_HISTORY
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	RET
SYM_CODE_END(rf_switcher_enter)

/* Re-raise vector n: ENDBR, INT n, RET. */
	.balign	RF_STUB_BYTES
SYM_CODE_START(rf_reraise_stubs)
	vector = 0
	.rept	256
	ENTRY_LABEL
	.byte	0xcd, vector
	RET
	.balign	RF_STUB_BYTES, 0xcc
	vector = vector + 1
	.endr
SYM_CODE_END(rf_reraise_stubs)
