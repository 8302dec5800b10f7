/* SPDX-License-Identifier: GPL-2.0 */
/*
 * switcher.S - into the guest and back
 *
 * The section .rf_switcher is copied into the hole when the module loads and
 * runs only there: it may refer to nothing but itself and, by CPU(), to the
 * data above it.  It has no RET and no indirect branch, so there is nothing in
 * it to mistrain.
 *
 * Which tables are loaded at each moment, for whoever adds a step:
 *
 *		GDT		IDT	TR	CR3	%cs
 *	host	host		host	host	host	KERNEL
 *	enter	transition	hv	hv	host	KERNEL, then HV
 *	...	guest's		hv	hv	guest	HV
 *	exit	transition	hv	host	host	HV, then KERNEL
 *	host	host		host	host	host	KERNEL
 *
 * The transition GDT has the host's descriptors and the hypervisor's, so both
 * selectors load.  The NMI gate of the hv IDT names the IST slot that is the
 * NMI stack in the host's TSS too.  Hence an NMI finds a valid stack and can
 * return at every one of these steps.
 */
#include <linux/linkage.h>
#include <linux/objtool.h>

#include "hole.h"

	.section .rf_switcher, "ax"

	.pushsection .rf_fixups, "a"
SYM_DATA_START(rf_hole_fixups)
	.popsection
	.pushsection .rf_fixups, 1, "a"
	.long	0, 0
SYM_DATA_END_LABEL(rf_hole_fixups, SYM_L_GLOBAL, rf_hole_fixups_end)
	.popsection

SYM_CODE_START(rf_switcher_text)

/*
 * rf_hole_enter: leave the host
 *
 * In:	 interrupts off, the host's stack and callee-saved registers already
 *	 put away by rf_switcher_enter()
 * Out:	 does not return; the guest runs until an exit comes to .Lexit
 */
SYM_INNER_LABEL(rf_hole_enter, SYM_L_GLOBAL)
	ENTRY_LABEL

	/* 1. Tables in which both sides are valid, and a stack of our own. */
	movq	CPU(stack_top), %rsp
	lgdt	6 + CPU(transition_gdt)
	lidt	6 + CPU(hv_idt)
	movl	$RF_SEL_HV_TSS, %eax
	ltr	%ax

	/* 2. The hypervisor's %cs; no %ss is needed in ring 0. */
	pushq	$RF_SEL_HV_CS
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:	RF_NO_UNWIND
	xorl	%eax, %eax
	movl	%eax, %ss
	movl	CPU(ldt_selector), %eax
	lldt	%ax

	/* 3. The guest's address space, and the world in it. */
	movq	CPU(guest_cr3), %rax
	movq	%rax, %cr3
	movq	CPU(world_top), %rsp
	subq	$REGS_SIZE, %rsp
	lgdt	6 + AT_REGS(gdt_limit_base)

	/*
	 * 4. Segments.  A selector that does not load is the guest's mistake:
	 * it becomes null, as it would on a return to user mode.
	 */
	cmpw	$0, AT_REGS(ds)
	je	2f
.Lload_ds:
	movw	AT_REGS(ds), %ds
2:	cmpw	$0, AT_REGS(es)
	je	3f
.Lload_es:
	movw	AT_REGS(es), %es
3:	cmpw	$0, AT_REGS(fs)
	je	4f
.Lload_fs:
	movw	AT_REGS(fs), %fs
4:	cmpw	$0, AT_REGS(gs)
	je	5f
.Lload_gs:
	movw	AT_REGS(gs), %gs
5:	movq	AT_REGS(fs_base), %rax
	wrfsbase %rax
	movq	AT_REGS(gs_base), %rax
	wrgsbase %rax

	/* 5. Breakpoints; C has loaded their addresses. */
	movq	AT_REGS(dr7), %rax
	testq	%rax, %rax
	jz	7f
	movq	%rax, %dr7
7:
	/* 6. Buffers that leak, on CPUs where they do. */
	cmpb	$0, CPU(clear_buffers)
	je	6f
	verw	CPU(verw_selector)
6:
	/* 7. Registers, and go. */
	RESTORE_GPRS
	addq	$16, %rsp
.Liret:
	iretq

FIXUP(.Lload_ds, .Lno_ds)
FIXUP(.Lload_es, .Lno_es)
FIXUP(.Lload_fs, .Lno_fs)
FIXUP(.Lload_gs, .Lno_gs)
.Lno_ds:
	RF_NO_UNWIND
	movw	$0, AT_REGS(ds)
	jmp	2b
.Lno_es:
	RF_NO_UNWIND
	movw	$0, AT_REGS(es)
	jmp	3b
.Lno_fs:
	RF_NO_UNWIND
	movw	$0, AT_REGS(fs)
	jmp	4b
.Lno_gs:
	RF_NO_UNWIND
	movw	$0, AT_REGS(gs)
	jmp	5b

/*
 * The IRETQ itself faulted: the guest's own frame is bad.  %rsp is back at
 * regs.rip and every other register is the guest's, so this is an exit like
 * any other, at the instruction the guest never reached.
 */
FIXUP(.Liret, .Lbad_iret)
FIXUP(.Lfast_iret, .Lbad_iret)
.Lbad_iret:
	RF_NO_UNWIND
	pushq	CPU(fault_error)
	pushq	$RF_EXIT_BAD_IRET

/*
 * An exit, from here on or from a stub: %rsp is at regs.exit, every other
 * register is still the guest's.
 */
SYM_INNER_LABEL(rf_leave_guest, SYM_L_GLOBAL)
	SAVE_GPRS

SYM_INNER_LABEL(rf_leave_saved, SYM_L_GLOBAL)
	/*
	 * 6. Flags.  SYSENTER clears none of them but IF, and neither LRETQ nor
	 * RET does: NT would go on to whatever the host runs next.
	 */
	pushq	$X86_EFLAGS_FIXED
	popfq

	/* 5. The guest's breakpoints, which may lie where the host is. */
	xorl	%eax, %eax
	cmpq	%rax, AT_REGS(dr7)
	je	1f
	movq	%rax, %dr7
1:
	/* 4. Segments: null ones need no reload in the host. */
	xorl	%ecx, %ecx
	movl	%ds, %eax
	movq	%rax, AT_REGS(ds)
	testl	%eax, %eax
	jz	1f
	movl	%ecx, %ds
1:	movl	%es, %eax
	movq	%rax, AT_REGS(es)
	testl	%eax, %eax
	jz	2f
	movl	%ecx, %es
2:	rdfsbase %rax
	movq	%rax, AT_REGS(fs_base)
	rdgsbase %rax
	movq	%rax, AT_REGS(gs_base)
	movl	%fs, %eax
	movq	%rax, AT_REGS(fs)
	testl	%eax, %eax
	jz	3f
	movl	%ecx, %fs
3:	movl	%gs, %eax
	movq	%rax, AT_REGS(gs)
	testl	%eax, %eax
	jz	4f
	movl	%ecx, %gs
4:
	/* 3. The host's address space.  The world is C's again. */
	movq	CPU(host_cr3), %rax
	movq	%rax, %cr3
	movq	CPU(stack_top), %rsp
	movq	CPU(host_fs_base), %rax
	wrfsbase %rax
	movq	CPU(host_gs_base), %rax
	wrgsbase %rax

	/* 1. Tables in which both sides are valid; the host's TSS from them. */
	lgdt	6 + CPU(transition_gdt)
	lldt	%cx
	movl	CPU(host_tr), %eax
	ltr	%ax
	movl	$__KERNEL_DS, %eax
	movl	%eax, %ss
	movq	CPU(self), %rdi
	movq	CPU(host_rsp), %rsp

	/* 2. The host's %cs, and its text: rf_switcher_enter() goes on. */
	pushq	$__KERNEL_CS
	pushq	CPU(host_rip)
	lretq

/*
 * SYSCALL.  %rcx and %r11 hold RIP and RFLAGS, %rsp is still the guest's.
 * Build the frame an interrupt would have made, then see whether the call can
 * be served here.
 */
SYM_INNER_LABEL(rf_hole_syscall64, SYM_L_GLOBAL)
	ENTRY_LABEL
	movq	%rsp, CPU(scratch)
	movq	CPU(world_top), %rsp
	pushq	$(RF_FLAT_USER_SS_)
	pushq	CPU(scratch)
	pushq	%r11
	pushq	$(RF_FLAT_CS64_)
	pushq	%rcx
	pushq	$0
	pushq	$RF_EXIT_SYSCALL
	cmpb	$0, AT_EXIT(fast)
	je	rf_leave_guest
	cmpb	$0, AT_EXIT(in_kernel)
	jne	.Lhypercall

/*
 * A system call of the guest's user: enter the guest kernel at its syscall
 * callback.  What rf_bounce_callback() does, in the common case.  %rcx and
 * %r11 are in the frame already and free.
 */
	cmpq	$0, AT_EXIT(syscall_rip)
	je	rf_leave_guest
	movq	AT_EXIT(kernel_sp), %rcx
	andq	$~15, %rcx
	movabsq	$GUEST_KERNEL_HALF + 4096, %r11
	cmpq	%r11, %rcx
	jb	rf_leave_guest
	movq	AT_EXIT(info), %r11
	testq	%r11, %r11
	jz	rf_leave_guest
	pushq	%rax
	pushq	%rbx
	movq	16 + AT_EXIT(kernel_cr3), %rax
	movq	%rax, %cr3
	orq	16 + AT_EXIT(cr3_noflush), %rax
	movq	%rax, 16 + AT_EXIT(kernel_cr3)
	incq	16 + AT_EXIT(nr_cr3_writes)

	/* The frame: ss rsp rflags cs rip r11 rcx, downwards. */
	movzbl	1(%r11), %ebx			/* evtchn_upcall_mask */
	movq	16 + AT_EXIT(regs_rsp), %rax
	ASM_STAC
.Lb0:	movq	$RF_FLAT_USER_SS_, -8(%rcx)
.Lb1:	movq	%rax, -16(%rcx)
	movq	16 + AT_EXIT(regs_rflags), %rax
.Lb2:	movq	%rax, -48(%rcx)
	testl	%ebx, %ebx
	jz	1f
	andl	$~X86_EFLAGS_IF, %eax
1:
.Lb3:	movq	%rax, -24(%rcx)
	shlq	$32, %rbx
	orq	$RF_FLAT_CS64_, %rbx
.Lb4:	movq	%rbx, -32(%rcx)
	movq	16 + AT_EXIT(regs_rip), %rax
.Lb5:	movq	%rax, -40(%rcx)
.Lb6:	movq	%rax, -56(%rcx)
	ASM_CLAC
	movb	16 + AT_EXIT(syscall_mask), %al
	orb	%al, 1(%r11)

	/* Kernel mode: its base of %gs, its stack, its entry point. */
	rdgsbase %rax
	movq	16 + AT_EXIT(gs_base_other), %rbx
	movq	%rax, 16 + AT_EXIT(gs_base_other)
	wrgsbase %rbx
	movb	$1, 16 + AT_EXIT(in_kernel)
	incq	16 + AT_EXIT(nr_fast_syscall)
	popq	%rbx
	popq	%rax
	leaq	-56(%rcx), %r11
	movq	AT_EXIT(syscall_rip), %rcx
	movq	%r11, %rsp
	movl	$RFLAGS_FIXED, %r11d
	sysretq

FIXUP(.Lb0, .Lbounce_fault)
FIXUP(.Lb1, .Lbounce_fault)
FIXUP(.Lb2, .Lbounce_fault)
FIXUP(.Lb3, .Lbounce_fault)
FIXUP(.Lb4, .Lbounce_fault)
FIXUP(.Lb5, .Lbounce_fault)
FIXUP(.Lb6, .Lbounce_fault)
.Lbounce_fault:
	RF_NO_UNWIND
	ASM_CLAC
	popq	%rbx
	popq	%rax
	movq	AT_EXIT(regs_rip), %rcx
	movq	AT_EXIT(regs_rflags), %r11
	jmp	rf_leave_guest

/*
 * A hypercall.  Those served here return by SYSRET, whose %rcx must be an
 * address of the kernel half: a non-canonical one would fault in ring 0.
 */
.Lhypercall:
	cmpl	$23, %eax			/* iret */
	je	.Lhypercall_iret
	btq	$63, %rcx
	jnc	rf_leave_guest
	cmpl	$1, %eax			/* mmu_update */
	je	.Lhypercall_update
	cmpl	$17, %eax			/* xen_version */
	je	.Lhypercall_version
	cmpl	$3, %eax			/* stack_switch */
	je	.Lhypercall_stack
	cmpl	$26, %eax			/* mmuext_op */
	je	.Lhypercall_mmuext
	cmpl	$25, %eax			/* set_segment_base */
	jne	rf_leave_guest

	/* set_segment_base(which, base) */
	movq	%rsi, CPU(scratch)
	sarq	$47, CPU(scratch)
	je	1f
	cmpq	$-1, CPU(scratch)
	jne	rf_leave_guest
1:	cmpl	$2, %edi
	ja	rf_leave_guest
	je	3f
	testl	%edi, %edi
	jz	2f
	movq	%rsi, AT_EXIT(gs_base_other)
	jmp	.Lhypercall_done
2:	wrfsbase %rsi
	jmp	.Lhypercall_done
3:	wrgsbase %rsi
	jmp	.Lhypercall_done

.Lhypercall_stack:				/* stack_switch(ss, sp) */
	movq	%rdi, %rax
	orq	$3, %rax
	movzwl	%ax, %eax
	movq	%rax, AT_EXIT(kernel_ss)
	movq	%rsi, AT_EXIT(kernel_sp)
.Lhypercall_done:
	xorl	%eax, %eax
.Lhypercall_return:
	incq	AT_EXIT(nr_fast_hypercall)
	movq	AT_EXIT(regs_rsp), %rsp
	sysretq

.Lhypercall_version:
	/* Command 0 is how a guest asks for events it has just unmasked. */
	testl	%edi, %edi
	jnz	rf_leave_guest
	pushq	%rbx
	movq	8 + AT_EXIT(info), %rbx
	testq	%rbx, %rbx
	jz	1f
	cmpb	$0, 1(%rbx)			/* evtchn_upcall_mask */
	jne	2f
	cmpb	$0, (%rbx)			/* evtchn_upcall_pending */
	jne	1f
2:	popq	%rbx
	movl	$RF_XEN_VERSION_, %eax
	jmp	.Lhypercall_return
1:	popq	%rbx
	jmp	rf_leave_guest

/*
 * mmuext_op(ops, nr, done, dom): a change to roots whose shadows are known, and
 * flushes of this vCPU's own TLB; what rf_mmu_set_root() and flush_local() do
 * while no table is out of sync.  All of the guest's arguments are read before
 * anything is changed, so that the slow path may start over.
 */
.Lhypercall_mmuext:
	cmpq	$0, AT_EXIT(fast_roots)
	je	rf_leave_guest
	testq	%rdx, %rdx			/* done */
	jnz	rf_leave_guest
	cmpq	$0x7ff0, %r10			/* DOMID_SELF */
	jne	rf_leave_guest
	leaq	-1(%rsi), %r11
	cmpq	$1, %r11			/* nr: 1 or 2 */
	ja	.Lmmuext_no
	movabsq	$GUEST_KERNEL_HALF, %r11
	cmpq	%r11, %rdi
	jb	.Lmmuext_no
	sbbq	%rdx, %rdx			/* 0, but all ones where that is mispredicted */
	orq	%rdx, %rdi
	pushq	%rbx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	leaq	32 + AT_EXIT(kernel_cr3), %rbx	/* its root to be: now the same */
	leaq	32 + AT_EXIT(user_cr3), %rdx
	ASM_STAC
.Lmmuext_next:
.Lm0:	movl	(%rdi), %eax			/* cmd */
.Lm1:	movq	8(%rdi), %r8			/* arg1.mfn */
	cmpl	$5, %eax			/* MMUEXT_NEW_BASEPTR */
	je	.Lmmuext_kernel
	cmpl	$15, %eax			/* MMUEXT_NEW_USER_BASEPTR */
	je	.Lmmuext_user
	andl	$~1, %eax			/* MMUEXT_TLB_FLUSH_LOCAL, INVLPG_LOCAL */
	cmpl	$6, %eax
	jne	.Lmmuext_slow
.Lmmuext_done:
	addq	$24, %rdi
	decq	%rsi
	jnz	.Lmmuext_next
	ASM_CLAC

	/* All known.  The kernel's is loaded, the user's when its turn comes. */
	movq	(%rbx), %rax
	btrq	$63, %rax
	testq	%rax, %rax
	jz	.Lmmuext_slow
	leaq	32 + AT_EXIT(user_cr3), %rdi
	movq	(%rdx), %rsi
	btrq	$63, %rsi
	cmpq	%rdi, %rdx
	je	1f
	movq	-8(%rdx), %r8
	testq	%rsi, %rsi
	jnz	3f
	testq	%r8, %r8			/* frame 0: none, and none is wanted */
	jnz	.Lmmuext_slow
3:
	movq	%r8, 32 + AT_EXIT(user_gfn)
1:	movq	%rsi, (%rdi)
	leaq	32 + AT_EXIT(kernel_cr3), %rdi
	cmpq	%rdi, %rbx
	je	2f
	movq	-8(%rbx), %r8
	movq	%r8, 32 + AT_EXIT(kernel_gfn)
2:	movq	%rax, %cr3
	orq	32 + AT_EXIT(cr3_noflush), %rax
	movq	%rax, (%rdi)
	incq	32 + AT_EXIT(nr_cr3_writes)
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbx
	xorl	%edx, %edx
	movq	AT_EXIT(regs_rflags), %r11
	jmp	.Lhypercall_done

.Lmmuext_kernel:
	leaq	32 + 8 + AT_EXIT(kernel_roots), %rbx
	.rept	RF_WORLD_ROOTS
	cmpq	%r8, -8(%rbx)
	je	.Lmmuext_done
	addq	$16, %rbx
	.endr
	jmp	.Lmmuext_slow

.Lmmuext_user:
	leaq	32 + 8 + AT_EXIT(no_root), %rdx
	testq	%r8, %r8
	jz	.Lmmuext_done
	leaq	32 + 8 + AT_EXIT(user_roots), %rdx
	.rept	RF_WORLD_ROOTS
	cmpq	%r8, -8(%rdx)
	je	.Lmmuext_done
	addq	$16, %rdx
	.endr
	jmp	.Lmmuext_slow

FIXUP(.Lm0, .Lmmuext_slow)
FIXUP(.Lm1, .Lmmuext_slow)
.Lmmuext_slow:
	RF_NO_UNWIND
	ASM_CLAC
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rbx
	xorl	%edx, %edx
.Lmmuext_no:
	movl	$26, %eax
	movq	AT_EXIT(regs_rflags), %r11
	jmp	rf_leave_guest

/*
 * mmu_update(updates, nr, done, dom) of one leaf: what rf_mmu_write_entries() does
 * where no frame has to be looked up or taken out of the reverse map.  It works on
 * host memory, with the host's CR3, and has it alone behind the gate.  Nothing is
 * changed until nothing can send it to the slow path any more.
 *
 * Which table an entry of the world is of, only this vCPU's own thread changes, so
 * it may be compared before the gate.  Whether it has a shadow still, others change,
 * and so it is with all that is read from there on: but they do it behind the gate.
 * Dropped shadows, pins and unpins, shoot-downs and the host's notifier are all kept
 * out, and whoever waits for one of them to end has this one's work seen or undone.
 * Only the guest's own entry may change: by the guest's stores, and by faults that
 * set A and D before they enter the gate.
 */
.Lhypercall_update:
	testq	%rdx, %rdx			/* done */
	jnz	rf_leave_guest
	cmpq	$0x7ff0, %r10			/* DOMID_SELF */
	jne	rf_leave_guest
	cmpq	$1, %rsi			/* nr */
	jne	rf_leave_guest
	cmpq	$0, AT_EXIT(dr7)		/* may lie where the host is */
	jne	rf_leave_guest
	movabsq	$GUEST_KERNEL_HALF, %r11
	cmpq	%r11, %rdi
	jb	.Lupdate_no
	pushq	%rbx
	pushq	%rbp
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	pushq	%r12
	/* Behind what is guessed of the comparison, not the hole: it picks a line. */
	sbbq	%r11, %r11
	orq	%r11, %rdi
	ASM_STAC
.Lu0:	movq	(%rdi), %r8			/* ptr and command */
.Lu1:	movq	8(%rdi), %r9			/* val */
	ASM_CLAC
	testb	$5, %r8b			/* aligned; NORMAL or PRESERVE_AD */
	jnz	.Lupdate_slow
	movl	%r9d, %eax
	andl	$PTE_P_A, %eax
	cmpl	$PTE_P_A, %eax
	jne	.Lupdate_slow
	movq	%r8, %rdx
	shrq	$12, %rdx
	movl	%edx, %eax
	andl	$(RF_WORLD_LEAVES - 1), %eax
	shll	$4, %eax
	leaq	48 + AT_EXIT(leaf_tables), %r10
	addq	%rax, %r10
	cmpq	%rdx, (%r10)
	jne	.Lupdate_slow
	movq	48 + AT_EXIT(leaves), %rdi

	movq	CPU(host_cr3), %rax
	movq	%rax, %cr3
	xorl	%eax, %eax
	movl	48 + AT_EXIT(gate_mark), %ecx
	lock cmpxchgl %ecx, LEAVES_gate(%rdi)
	jne	.Lupdate_slow
	movq	8(%r10), %rsi			/* the table's shadow */
	testq	%rsi, %rsi
	jz	.Lupdate_leave
	movq	RF_SHADOW_TABLE(%rsi), %r12
	testq	%r12, %r12
	jz	.Lupdate_leave
	movl	%r8d, %ebx
	andl	$0xff8, %ebx			/* 8 * index */
	addq	%rbx, %r12			/* the guest's entry */
	movq	(%r12), %rax
	testb	$2, %r8b			/* PRESERVE_AD */
	jz	1f
	movl	%eax, %ecx
	andl	$PTE_A_D, %ecx
	orq	%rcx, %r9
1:	movq	%rax, %r8			/* what it is now */

	/* The frame; behind what is guessed of the comparison it is 0. */
	movq	%r9, %rdx
	shlq	$12, %rdx
	shrq	$24, %rdx
	cmpq	LEAVES_nr_frames(%rdi), %rdx
	jae	.Lupdate_leave
	sbbq	%rax, %rax
	andq	%rax, %rdx

	/* A shadow entry that maps it: this one, or the first of the reverse map. */
	movq	RF_SHADOW_SPT(%rsi), %r10
	addq	%rbx, %r10
	xorl	%r11d, %r11d
	movq	(%r10), %rax
	testb	$PTE_A, %al
	jz	2f
	movq	RF_SHADOW_SYNCED(%rsi), %rcx
	movq	(%rcx, %rbx), %rcx
	xorq	%r9, %rcx
	shlq	$12, %rcx
	shrq	$24, %rcx
	jnz	.Lupdate_leave
	jmp	3f
2:	movq	LEAVES_rmap(%rdi), %rax
	movl	(%rax, %rdx, 4), %r11d		/* its number; 0: it is this one */
	testl	%r11d, %r11d
	jz	.Lupdate_leave
	movl	%r11d, %eax
	shrl	$9, %eax
	movq	LEAVES_by_id(%rdi), %rcx
	movq	(%rcx, %rax, 8), %rbp		/* its shadow */
	movl	%r11d, %ecx
	andl	$511, %ecx
	movq	RF_SHADOW_SPT(%rbp), %rax
	movq	(%rax, %rcx, 8), %rax

	/* rf_entry_leaf() */
3:	movabsq	$(PTE_GFN | SPTE_HOST_WRITABLE), %rcx
	andq	%rax, %rcx
	orq	$PTE_P_U_A_D, %rcx
	movq	%r9, %rax
	shrq	$63, %rax
	shlq	$63, %rax			/* NX */
	orq	%rax, %rcx
	movl	%r9d, %eax
	notl	%eax
	testb	$PTE_W_D, %al
	jnz	4f
	testl	$SPTE_HOST_WRITABLE, %ecx
	jz	4f
	movq	LEAVES_shadowed(%rdi), %rax
	btq	%rdx, (%rax)
	jc	4f
	orq	$PTE_W, %rcx

	/* Another vCPU's fault may have set A or D. */
4:	movq	%r8, %rax
	lock cmpxchgq %r9, (%r12)
	jne	.Lupdate_leave
	movq	RF_SHADOW_SYNCED(%rsi), %rax
	movq	%r9, (%rax, %rbx)
	testl	%r11d, %r11d
	jz	5f

	/* Into the reverse map, as the first: rf_leaf_set(). */
	movl	%ebx, %r8d
	shrl	$3, %r8d
	movl	RF_SHADOW_ID(%rsi), %eax
	shll	$9, %eax
	orl	%r8d, %eax
	movq	RF_SHADOW_LINKS(%rsi), %r9
	movq	%r11, (%r9, %rbx)		/* next, and no prev */
	movq	RF_SHADOW_LINKS(%rbp), %r9
	andl	$511, %r11d
	movl	%eax, 4(%r9, %r11, 8)		/* prev */
	movq	LEAVES_rmap(%rdi), %r9
	movl	%eax, (%r9, %rdx, 4)
	btsq	%r8, RF_SHADOW_USED(%rsi)
5:	movq	%rcx, (%r10)
	movl	$0, LEAVES_gate(%rdi)

	movq	48 + AT_EXIT(kernel_cr3), %rax
	movq	%rax, %cr3
	addq	$2, 48 + AT_EXIT(nr_cr3_writes)
	cmpb	$0, CPU(clear_buffers)
	je	6f
	verw	CPU(verw_selector)
6:	popq	%r12
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rbp
	popq	%rbx
	movq	AT_EXIT(regs_rip), %rcx
	movq	AT_EXIT(regs_rflags), %r11
	xorl	%edx, %edx
	movl	$1, %esi
	movl	$0x7ff0, %r10d
	jmp	.Lhypercall_done

FIXUP(.Lu0, .Lupdate_slow)
FIXUP(.Lu1, .Lupdate_slow)
.Lupdate_leave:
	movl	$0, LEAVES_gate(%rdi)
.Lupdate_slow:
	RF_NO_UNWIND
	ASM_CLAC
	popq	%r12
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rbp
	popq	%rbx
	xorl	%edx, %edx
	movl	$1, %esi
	movl	$0x7ff0, %r10d
	movq	AT_EXIT(regs_rip), %rcx
.Lupdate_no:
	movl	$1, %eax
	movq	AT_EXIT(regs_rflags), %r11
	jmp	rf_leave_guest

/*
 * iret: what rf_bounce_iret() does, in the common case.  The guest's frame is
 * read through its own address into registers first; nothing of the world is
 * changed until all of it has been read.
 */
.Lhypercall_iret:
	pushq	%rax
	pushq	%rbx
	pushq	%rdx
	pushq	%rsi
	pushq	%rdi
	pushq	%r8
	pushq	%r9
	movq	56 + AT_EXIT(regs_rsp), %rax
	movabsq	$GUEST_KERNEL_HALF, %r11
	cmpq	%r11, %rax
	jb	.Liret_slow
	sbbq	%rdx, %rdx			/* 0, but all ones where that is mispredicted */
	orq	%rdx, %rax
	movq	56 + AT_EXIT(info), %r9
	testq	%r9, %r9
	jz	.Liret_slow
	ASM_STAC
.Li0:	cmpq	$0, 24(%rax)			/* flags: in_syscall and so on */
	jne	.Liret_slow
.Li1:	movq	32(%rax), %rcx			/* rip */
.Li2:	movzwl	40(%rax), %ebx			/* cs */
.Li3:	movq	48(%rax), %r11			/* rflags */
.Li4:	movq	56(%rax), %rdx			/* rsp */
.Li5:	movzwl	64(%rax), %esi			/* ss */
.Li6:	movq	16(%rax), %rdi			/* rcx */
.Li7:	movq	8(%rax), %r8			/* r11 */
.Li8:	movq	(%rax), %rax			/* rax */
	ASM_CLAC

	/* Events: the mask is the inverse of the IF to come. */
	testl	$X86_EFLAGS_IF, %r11d
	jz	1f
	cmpb	$0, (%r9)			/* evtchn_upcall_pending */
	jne	.Liret_slow
	/*
	 * To user mode only with a user root.  The mask is written when no way
	 * back to the slow path is left.
	 */
1:	movl	%ebx, %r9d
	andl	$3, %r9d
	cmpl	$3, %r9d
	jne	2f
	movq	56 + AT_EXIT(user_cr3), %r9
	testq	%r9, %r9
	jz	.Liret_slow
	movq	%r9, %cr3
	orq	56 + AT_EXIT(cr3_noflush), %r9
	movq	%r9, 56 + AT_EXIT(user_cr3)
	incq	56 + AT_EXIT(nr_cr3_writes)
	movb	$0, 56 + AT_EXIT(in_kernel)
	rdgsbase %r9
	movq	%r9, CPU(scratch)
	movq	56 + AT_EXIT(gs_base_other), %r9
	wrgsbase %r9
	movq	CPU(scratch), %r9
	movq	%r9, 56 + AT_EXIT(gs_base_other)
2:	movq	56 + AT_EXIT(info), %r9
	testl	$X86_EFLAGS_IF, %r11d
	setz	1(%r9)				/* evtchn_upcall_mask */
	incq	56 + AT_EXIT(nr_fast_iret)

	andl	$RFLAGS_GUEST, %r11d
	orl	$RFLAGS_FIXED, %r11d
	orl	$3, %ebx
	orl	$3, %esi
	movq	%rcx, 56 + AT_EXIT(regs_rip)
	movq	%rbx, 56 + AT_EXIT(regs_cs)
	movq	%r11, 56 + AT_EXIT(regs_rflags)
	movq	%rdx, 56 + AT_EXIT(regs_rsp)
	movq	%rsi, 56 + AT_EXIT(regs_ss)
	movq	%rdi, %rcx
	movq	%r8, %r11
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rbx
	addq	$8 + 16, %rsp
.Lfast_iret:
	iretq

FIXUP(.Li0, .Liret_slow)
FIXUP(.Li1, .Liret_slow)
FIXUP(.Li2, .Liret_slow)
FIXUP(.Li3, .Liret_slow)
FIXUP(.Li4, .Liret_slow)
FIXUP(.Li5, .Liret_slow)
FIXUP(.Li6, .Liret_slow)
FIXUP(.Li7, .Liret_slow)
FIXUP(.Li8, .Liret_slow)
.Liret_slow:
	RF_NO_UNWIND
	ASM_CLAC
	popq	%r9
	popq	%r8
	popq	%rdi
	popq	%rsi
	popq	%rdx
	popq	%rbx
	popq	%rax
	movq	AT_EXIT(regs_rip), %rcx
	movq	AT_EXIT(regs_rflags), %r11
	jmp	rf_leave_guest

/*
 * #PF.  Where the error code has the bit of reserved bits, the guest does not map
 * the address either (RF_SPTE_ABSENT), and while no table is out of sync that is
 * still true: what rf_bounce_page_fault() does, in the common case.  A fault on
 * the guest kernel's stack changes %cr2, which the slow path wants to see.
 */
SYM_INNER_LABEL(rf_hole_page_fault, SYM_L_GLOBAL)
	RF_NO_UNWIND
	testb	$3, 24(%rsp)
	jz	rf_hole_vector
	testb	$8, AT_EXIT(regs_error)		/* X86_PF_RSVD */
	jz	rf_leave_guest
	testb	$4, AT_EXIT(regs_error)		/* X86_PF_USER; some emulators forget it */
	jz	rf_leave_guest
	cmpb	$0, AT_EXIT(fast)
	je	rf_leave_guest
	cmpq	$0, AT_EXIT(fast_roots)
	je	rf_leave_guest
	cmpq	$0, AT_EXIT(fault_rip)
	je	rf_leave_guest
	pushq	%rax
	pushq	%rbx
	pushq	%rcx
	pushq	%rdx
	movq	%cr2, %rdx
	movq	32 + AT_EXIT(info), %rbx
	testq	%rbx, %rbx
	jz	.Lfault_slow
	movq	32 + AT_EXIT(regs_rsp), %rcx
	cmpb	$0, 32 + AT_EXIT(in_kernel)
	jne	1f
	movq	32 + AT_EXIT(kernel_sp), %rcx
1:	andq	$~15, %rcx
	movabsq	$GUEST_KERNEL_HALF + 4096, %rax
	cmpq	%rax, %rcx
	jb	.Lfault_slow
	cmpb	$0, 32 + AT_EXIT(in_kernel)
	jne	2f
	movq	32 + AT_EXIT(kernel_cr3), %rax
	movq	%rax, %cr3
	orq	32 + AT_EXIT(cr3_noflush), %rax
	movq	%rax, 32 + AT_EXIT(kernel_cr3)
	incq	32 + AT_EXIT(nr_cr3_writes)

	/* The frame: ss rsp rflags cs rip error r11 rcx, downwards. */
2:	ASM_STAC
	movzwl	32 + AT_EXIT(regs_ss), %eax
.Lp0:	movq	%rax, -8(%rcx)
	movq	32 + AT_EXIT(regs_rsp), %rax
.Lp1:	movq	%rax, -16(%rcx)
	movl	32 + AT_EXIT(regs_rflags), %eax
	andl	$~(X86_EFLAGS_IF | X86_EFLAGS_IOPL), %eax
	cmpb	$0, 1(%rbx)			/* evtchn_upcall_mask */
	jne	3f
	orl	$X86_EFLAGS_IF, %eax
3:
.Lp2:	movq	%rax, -24(%rcx)
	movzwl	32 + AT_EXIT(regs_cs), %eax
	cmpb	$0, 32 + AT_EXIT(in_kernel)
	je	4f
	andl	$~3, %eax
4:
.Lp3:	movl	%eax, -32(%rcx)
	movzbl	1(%rbx), %eax
.Lp4:	movl	%eax, -28(%rcx)
	movq	32 + AT_EXIT(regs_rip), %rax
.Lp5:	movq	%rax, -40(%rcx)
	movl	32 + AT_EXIT(regs_error), %eax
	andl	$0x12, %eax			/* X86_PF_WRITE, X86_PF_INSTR */
	cmpb	$0, 32 + AT_EXIT(in_kernel)
	jne	5f
	orl	$4, %eax			/* X86_PF_USER */
5:
.Lp6:	movq	%rax, -48(%rcx)
.Lp7:	movq	%r11, -56(%rcx)
	movq	8(%rsp), %rax
.Lp8:	movq	%rax, -64(%rcx)
	ASM_CLAC

	/* Nothing can fail any more. */
	movq	%rdx, INFO_cr2(%rbx)
	movb	32 + AT_EXIT(fault_mask), %al
	orb	%al, 1(%rbx)
	cmpb	$0, 32 + AT_EXIT(in_kernel)
	jne	6f
	rdgsbase %rax
	movq	32 + AT_EXIT(gs_base_other), %rdx
	movq	%rax, 32 + AT_EXIT(gs_base_other)
	wrgsbase %rdx
	movb	$1, 32 + AT_EXIT(in_kernel)
6:	incq	32 + AT_EXIT(nr_fast_fault)
	leaq	-64(%rcx), %rax
	movq	%rax, 32 + AT_EXIT(regs_rsp)
	movl	32 + AT_EXIT(regs_rflags), %eax
	andl	$~RFLAGS_CLEAR_ON_TRAP, %eax
	orl	$RFLAGS_FIXED, %eax
	movq	%rax, 32 + AT_EXIT(regs_rflags)
	movq	32 + AT_EXIT(fault_rip), %rax
	movq	%rax, 32 + AT_EXIT(regs_rip)
	movq	32 + AT_EXIT(fault_cs), %rax
	movq	%rax, 32 + AT_EXIT(regs_cs)
	movq	$RF_FLAT_USER_SS_, 32 + AT_EXIT(regs_ss)
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	addq	$16, %rsp
.Lfault_iret:
	iretq
FIXUP(.Lfault_iret, .Lbad_iret)

FIXUP(.Lp0, .Lfault_fault)
FIXUP(.Lp1, .Lfault_fault)
FIXUP(.Lp2, .Lfault_fault)
FIXUP(.Lp3, .Lfault_fault)
FIXUP(.Lp4, .Lfault_fault)
FIXUP(.Lp5, .Lfault_fault)
FIXUP(.Lp6, .Lfault_fault)
FIXUP(.Lp7, .Lfault_fault)
FIXUP(.Lp8, .Lfault_fault)
.Lfault_fault:
	RF_NO_UNWIND
	ASM_CLAC
	movq	%rdx, %cr2
.Lfault_slow:
	popq	%rdx
	popq	%rcx
	popq	%rbx
	popq	%rax
	jmp	rf_leave_guest

/* SYSCALL from compatibility mode. */
SYM_INNER_LABEL(rf_hole_syscall32, SYM_L_GLOBAL)
	ENTRY_LABEL
	movq	%rsp, CPU(scratch)
	movq	CPU(world_top), %rsp
	pushq	$RF_FLAT_USER_SS_
	pushq	CPU(scratch)
	pushq	%r11
	pushq	$RF_FLAT_CS32_
	pushq	%rcx
	pushq	$0
	pushq	$RF_EXIT_SYSCALL32
	jmp	rf_leave_guest

/* SYSENTER saves nothing: the guest knows where it came from. */
SYM_INNER_LABEL(rf_hole_sysenter, SYM_L_GLOBAL)
	ENTRY_LABEL
	movq	CPU(world_top), %rsp
	pushq	$RF_FLAT_USER_SS_
	pushq	$0
	pushfq
	orq	$X86_EFLAGS_IF, (%rsp)
	pushq	$RF_FLAT_CS32_
	pushq	$0
	pushq	$0
	pushq	$RF_EXIT_SYSENTER
	jmp	rf_leave_guest
SYM_CODE_END(rf_switcher_text)
