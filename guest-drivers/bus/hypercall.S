/* SPDX-License-Identifier: GPL-2.0 */
#include <linux/linkage.h>
#include <asm/unwind_hints.h>

/*
 * long rf_raw_hypercall(unsigned long nr, unsigned long a1, unsigned long a2,
 *			 unsigned long a3)
 *
 * The plain instruction, for the hypercall page has gone from newer kernels.
 * Uses: %rcx and %r11, which the instruction loses
 */
SYM_FUNC_START(rf_raw_hypercall)
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	syscall
	/* It comes back, with the stack as it was. */
	UNWIND_HINT_FUNC
	RET
SYM_FUNC_END(rf_raw_hypercall)
