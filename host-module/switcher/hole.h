/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hole.h - assembly macros of code that runs in the hole
 */
#ifndef RF_SWITCHER_HOLE_H
#define RF_SWITCHER_HOLE_H

#include <asm/asm.h>
#include <asm/processor-flags.h>
#include <asm/segment.h>
#include <asm/smap.h>
#include <asm/trapnr.h>

#include "../compat.h"
#include "asm-offsets.h"
#include "switcher.h"

/* A field of this CPU's data, which lies just above its view of the text. */
#define CPU(_field)	(rf_switcher_text + (RF_TEXT_PAGES << 12) + CPU_##_field)(%rip)

/* A field of the world while %rsp is at world->regs, or at world->regs.exit. */
#define AT_REGS(_field)	(WORLD_##_field - WORLD_regs)(%rsp)
#define AT_EXIT(_field)	(WORLD_##_field - WORLD_regs_exit)(%rsp)

/*
 * The instruction at _insn may fault; go on at _fixup, all registers as before.
 * The table is copied to the last page of the text, where the ring-0 fault stub
 * searches it.
 */
#define FIXUP(_insn, _fixup)				\
	.pushsection .rf_fixups, "a";			\
	.long _insn - rf_switcher_text;			\
	.long _fixup - rf_switcher_text;		\
	.popsection

/* Flat selectors and version of the ABI; xen_abi.h is C only. */
#define RF_FLAT_USER_SS_	0xe02b
#define RF_FLAT_CS64_		0xe033
#define RF_FLAT_CS32_		0xe023
#define RF_XEN_VERSION_		((4 << 16) | 17)
#define RF_STUB_BYTES		16

/* What a guest may have in RFLAGS: arithmetic, TF, DF, RF, AC, ID. */
#define RFLAGS_GUEST	0x250dd5
#define RFLAGS_FIXED	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/* What a trap clears of them: TF, DF, NT, RF, VM, AC. */
#define RFLAGS_CLEAR_ON_TRAP	0x74500

/* Bits of page-table entries; mmu/walk.h and mmu/entry.h are C only. */
#define PTE_W			0x02
#define PTE_A			0x20
#define PTE_P_A			0x21
#define PTE_A_D			0x60
#define PTE_W_D			0x42
#define PTE_P_U_A_D		0x65
#define PTE_GFN			0x000ffffffffff000
#define SPTE_HOST_WRITABLE	0x200

/* First address of the guest kernel's half. */
#define GUEST_KERNEL_HALF	0xffff880000000000

#define FIXUPS		(rf_switcher_text + (RF_FIXUP_PAGE << 12))(%rip)

#define ENDBR64		.byte 0xf3, 0x0f, 0x1e, 0xfa

/* Code that nothing seems to lead to: an entry, or where a fault goes on. */
.macro ENTRY_LABEL
	RF_NO_UNWIND
	ENDBR64
.endm

/*
 * FILL_RETURN_BUFFER with its loop unrolled, as Linux has it for 32 bits: half as
 * many instructions, and no branch at its end to predict.
 */
.macro RF_FILL_RETURN_BUFFER nr:req ftr:req
	ALTERNATIVE "jmp 773f", "", \ftr
	.rept	\nr
	__FILL_RETURN_SLOT
	.endr
	addq	$(8 * \nr), %rsp
	lfence
#ifdef CREDIT_CALL_DEPTH
	CREDIT_CALL_DEPTH
#endif
773:
.endm

.macro SAVE_GPRS
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
.endm

.macro RESTORE_GPRS
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
.endm

#endif /* RF_SWITCHER_HOLE_H */
