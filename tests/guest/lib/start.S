/* SPDX-License-Identifier: GPL-2.0 */
/*
 * start.S - notes for the domain builder, and the first instructions
 */
#include <linux/elfnote.h>
#include <xen/interface/elfnote.h>

	ELFNOTE(Xen, XEN_ELFNOTE_GUEST_OS,	.asciz "test")
	ELFNOTE(Xen, XEN_ELFNOTE_LOADER,	.asciz "generic")
	ELFNOTE(Xen, XEN_ELFNOTE_XEN_VERSION,	.asciz "xen-3.0")
	ELFNOTE(Xen, XEN_ELFNOTE_PAE_MODE,	.asciz "yes")
	ELFNOTE(Xen, XEN_ELFNOTE_VIRT_BASE,	.quad VIRT_BASE)
	ELFNOTE(Xen, XEN_ELFNOTE_PADDR_OFFSET,	.quad 0)
	ELFNOTE(Xen, XEN_ELFNOTE_ENTRY,		.quad start)
	ELFNOTE(Xen, XEN_ELFNOTE_HYPERCALL_PAGE, .quad hypercall_page)

	.section .text.first, "ax"
	.globl	hypercall_page
	.balign	4096
hypercall_page:
	.skip	4096

	/* %rsi = start_info */
	.globl	start
start:
	/* What it is given, before anything is done with it: see guest.h. */
	movq	%rax, start_regs(%rip)
	movq	%rbx, start_regs + 8(%rip)
	movq	%rcx, start_regs + 16(%rip)
	movq	%rdx, start_regs + 24(%rip)
	movq	%rsi, start_regs + 32(%rip)
	movq	%rdi, start_regs + 40(%rip)
	movq	%rbp, start_regs + 48(%rip)
	movq	%rsp, start_regs + 56(%rip)
	movq	%r8, start_regs + 64(%rip)
	movq	%r9, start_regs + 72(%rip)
	movq	%r10, start_regs + 80(%rip)
	movq	%r11, start_regs + 88(%rip)
	movq	%r12, start_regs + 96(%rip)
	movq	%r13, start_regs + 104(%rip)
	movq	%r14, start_regs + 112(%rip)
	movq	%r15, start_regs + 120(%rip)
	cld
	movq	%rsi, %rdi
	leaq	boot_stack_top(%rip), %rsp
	xorl	%ebp, %ebp
	call	guest_start
	ud2

	/* A vCPU started later: %rdi = struct cpu, %rsi = what to call with it. */
	.globl	start_cpu
start_cpu:
	cld
	xorl	%ebp, %ebp
	call	cpu_start
	ud2

	.bss
	.globl	start_regs
	.balign	4096
start_regs:
	.skip	4096
	.skip	32768
boot_stack_top:
	.section .note.GNU-stack, "", @progbits
