/* SPDX-License-Identifier: GPL-2.0 */
/*
 * regs.h - what a trap leaves on the kernel's stack, once entry.S has its own
 */
#ifndef GUEST_REGS_H
#define GUEST_REGS_H

/* Vectors beyond the CPU's: how else a guest kernel is entered. */
#define VEC_SYSCALL	0x100
#define VEC_SYSCALL32	0x101
#define VEC_SYSENTER	0x102
#define VEC_EVENT	0x103
#define VEC_FAILSAFE	0x104
#define VEC_NMI		0x105
#define VEC_NONE	0xffff

/* Offsets in struct regs and struct cpu, checked in trap.c. */
#define REGS_R15	24
#define REGS_VECTOR	144
#define REGS_RIP	160
#define CPU_SELF	0
#define CPU_USER_SP	8
#define CPU_KERNEL_SP	16
#define CPU_IRET_OFFSET	24

#ifndef __ASSEMBLER__
#include "xen.h"

/**
 * struct regs - a trap
 * @entry_cs: In %cs, %ss and RFLAGS when the kernel was entered
 * @vector: CPU's, or VEC_*
 * @error: Error code, 0 where there is none
 * @cs: As saved, with the event mask in bits 32 to 39
 */
struct regs {
	u64 entry_cs;
	u64 entry_ss;
	u64 entry_flags;
	u64 r15;
	u64 r14;
	u64 r13;
	u64 r12;
	u64 rbp;
	u64 rbx;
	u64 r11;
	u64 r10;
	u64 r9;
	u64 r8;
	u64 rax;
	u64 rcx;
	u64 rdx;
	u64 rsi;
	u64 rdi;
	u64 vector;
	u64 error;
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};
#endif

#endif /* GUEST_REGS_H */
