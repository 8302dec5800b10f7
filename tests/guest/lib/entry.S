/* SPDX-License-Identifier: GPL-2.0 */
/*
 * entry.S - into the guest kernel by trap, callback and event, and out of it
 *
 * The hypervisor leaves, upwards from %rsp: rcx r11 [error] rip cs rflags rsp
 * ss.  The stubs make a struct regs of it.
 */
#include <asm/xen/interface.h>
#include <xen/interface/xen.h>

#include "regs.h"

#define HAS_ERROR(_v)	((_v) == 8 || ((_v) >= 10 && (_v) <= 14) || (_v) == 17 || \
			 (_v) == 21)

	.text

	/* 256 stubs, 16 bytes each. */
	.globl	trap_stubs
	.balign	16
trap_stubs:
	vector = 0
	.rept	256
	.balign	16
	popq	%rcx
	popq	%r11
	.if	!(HAS_ERROR(vector))
	pushq	$0
	.endif
	pushq	$vector
	jmp	trap_common
	vector = vector + 1
	.endr

.macro CALLBACK name vector
	.globl	\name
	.balign	16
\name:
	popq	%rcx
	popq	%r11
	pushq	$0
	pushq	$\vector
	jmp	trap_common
.endm

	CALLBACK entry_syscall VEC_SYSCALL
	CALLBACK entry_syscall32 VEC_SYSCALL32
	CALLBACK entry_sysenter VEC_SYSENTER
	CALLBACK entry_event VEC_EVENT
	CALLBACK entry_nmi VEC_NMI

	/* rcx r11 ds es fs gs, then the frame that could not be returned to. */
	.globl	entry_failsafe
	.balign	16
entry_failsafe:
	popq	failsafe_frame + 0(%rip)
	popq	failsafe_frame + 8(%rip)
	popq	failsafe_frame + 16(%rip)
	popq	failsafe_frame + 24(%rip)
	popq	failsafe_frame + 32(%rip)
	popq	failsafe_frame + 40(%rip)
	movq	failsafe_frame + 0(%rip), %rcx
	movq	failsafe_frame + 8(%rip), %r11
	pushq	$0
	pushq	$VEC_FAILSAFE

trap_common:
	pushq	%rdi
	pushq	%rsi
	pushq	%rdx
	pushq	%rcx
	pushq	%rax
	pushq	%r8
	pushq	%r9
	pushq	%r10
	pushq	%r11
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	pushfq
	movl	%ss, %eax
	pushq	%rax
	movl	%cs, %eax
	pushq	%rax
	cld
	movq	%rsp, %rdi
	movq	%rsp, %rbp
	andq	$-16, %rsp
	call	trap
	movq	%rbp, %rdi

	/* void regs_return(struct regs *regs): go where @regs says. */
	.globl	regs_return
regs_return:
	leaq	REGS_R15(%rdi), %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	popq	%r11
	popq	%r10
	popq	%r9
	popq	%r8
	popq	%rax
	popq	%rcx
	popq	%rdx
	popq	%rsi
	popq	%rdi
	addq	$16, %rsp
	pushq	$0
	pushq	%rcx
	pushq	%r11
	pushq	%rax
	movl	$__HYPERVISOR_iret, %eax
	syscall
	ud2

	/*
	 * void user_enter(const struct regs *regs, u64 iret_flags): run user
	 * code until it traps; user_leave() comes back from here.
	 */
	.globl	user_enter
user_enter:
	pushq	%rbp
	pushq	%rbx
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	movq	%rsp, %gs:CPU_USER_SP
	movq	%rdi, %rbx
	movq	%rsi, %rbp
	movl	$FLAT_KERNEL_SS, %edi
	movq	%gs:CPU_KERNEL_SP, %rsi
	testq	%rsi, %rsi
	cmovzq	%rsp, %rsi
	movl	$__HYPERVISOR_stack_switch, %eax
	syscall

	pushq	REGS_RIP + 32(%rbx)
	pushq	REGS_RIP + 24(%rbx)
	pushq	REGS_RIP + 16(%rbx)
	pushq	REGS_RIP + 8(%rbx)
	pushq	REGS_RIP(%rbx)
	pushq	%rbp
	movq	REGS_R15(%rbx), %r15
	movq	REGS_R15 + 8(%rbx), %r14
	movq	REGS_R15 + 16(%rbx), %r13
	movq	REGS_R15 + 24(%rbx), %r12
	movq	REGS_R15 + 32(%rbx), %rbp
	pushq	REGS_R15 + 88(%rbx)		/* rcx */
	pushq	REGS_R15 + 48(%rbx)		/* r11 */
	pushq	REGS_R15 + 80(%rbx)		/* rax */
	movq	REGS_R15 + 56(%rbx), %r10
	movq	REGS_R15 + 64(%rbx), %r9
	movq	REGS_R15 + 72(%rbx), %r8
	movq	REGS_R15 + 104(%rbx), %rsi
	movq	REGS_R15 + 112(%rbx), %rdi
	movq	REGS_R15 + 96(%rbx), %rdx
	movq	REGS_R15 + 40(%rbx), %rbx
	addq	%gs:CPU_IRET_OFFSET, %rsp
	movl	$__HYPERVISOR_iret, %eax
	syscall
	ud2

	.globl	user_leave
user_leave:
	movq	%gs:CPU_USER_SP, %rsp
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbx
	popq	%rbp
	ret

	.bss
	.balign	8
	.globl	failsafe_frame
failsafe_frame:
	.skip	48
	.section .note.GNU-stack, "", @progbits
