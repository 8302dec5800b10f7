// SPDX-License-Identifier: GPL-2.0
/*
 * bounce.c - build a trap, syscall or event frame on the guest kernel's stack
 *
 * The frame, downwards from the guest kernel's stack pointer, by the ABI:
 *
 *	ss  rsp  rflags  cs  rip  [error]  r11  rcx
 *
 * with the saved event mask in the byte above the %cs selector, and RPL 0 in
 * the selector when the guest kernel itself was interrupted.  The failsafe
 * callback finds ds es fs gs between r11 and rip.
 */
#include <linux/kernel.h>

#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "bounce.h"
#include "guestmem.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"

#define RFLAGS_GUEST	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |	\
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |	\
			 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)
#define RFLAGS_FIXED	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

/* Where to go, and how. */
struct bounce {
	u64 rip;
	u16 cs;
	bool mask_events;
	s64 error;		/* or RF_NO_ERROR_CODE */
	bool segments;		/* failsafe: the data selectors stand in the frame */
	u64 clear_flags;
};

#define CLEAR_ON_TRAP	(X86_EFLAGS_TF | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_VM |	\
			 X86_EFLAGS_AC | X86_EFLAGS_DF)

void rf_vcpu_set_mode(struct rf_vcpu *vcpu, bool kernel)
{
	struct rf_world *world = vcpu->world;

	if (!!world->in_kernel == kernel)
		return;
	swap(world->gs_base, world->gs_base_other);
	world->in_kernel = kernel;
}

/* Returns 0, or -EFAULT with nothing changed: the stack cannot take it. */
static int bounce(struct rf_vcpu *vcpu, const struct bounce *to)
{
	struct rf_world *world = vcpu->world;
	struct vcpu_info *info = vcpu->event.info;
	struct rf_regs *regs = vcpu->regs;
	bool from_kernel = rf_vcpu_in_kernel(vcpu);
	u8 mask = READ_ONCE(info->evtchn_upcall_mask);
	u64 frame[12], sp;
	int n = 0;

	sp = (from_kernel ? regs->rsp : world->kernel_sp) & ~15ULL;

	frame[n++] = regs->rcx;
	frame[n++] = regs->r11;
	if (to->segments) {
		frame[n++] = world->ds;
		frame[n++] = world->es;
		frame[n++] = world->fs;
		frame[n++] = world->gs;
	}
	if (to->error != RF_NO_ERROR_CODE)
		frame[n++] = to->error;
	frame[n++] = regs->rip;
	frame[n++] = ((regs->cs & 0xffff) & ~(from_kernel ? 3ULL : 0)) | ((u64)mask << 32);
	frame[n++] = (regs->rflags & ~(u64)(X86_EFLAGS_IF | X86_EFLAGS_IOPL)) |
		     (mask ? 0 : X86_EFLAGS_IF);
	frame[n++] = regs->rsp;
	frame[n++] = regs->ss & 0xffff;
	sp -= n * sizeof(u64);

	rf_vcpu_set_mode(vcpu, true);
	if (rf_guest_write(vcpu, sp, frame, n * sizeof(u64))) {
		rf_vcpu_set_mode(vcpu, from_kernel);
		return -EFAULT;
	}

	if (to->mask_events)
		WRITE_ONCE(info->evtchn_upcall_mask, 1);
	regs->rip = to->rip;
	regs->cs = to->cs | 3;
	regs->ss = RF_FLAT_KERNEL_SS;
	regs->rsp = sp;
	regs->rflags = (regs->rflags & ~to->clear_flags) | RFLAGS_FIXED;
	return 0;
}

static bool bounce_failsafe(struct rf_vcpu *vcpu)
{
	const struct rf_callback *cb = &vcpu->callbacks[CALLBACKTYPE_failsafe];
	struct bounce to = {
		.rip = cb->rip,
		.cs = RF_FLAT_KERNEL_CS,
		.mask_events = cb->flags & CALLBACKF_mask_events,
		.error = RF_NO_ERROR_CODE,
		.segments = true,
		.clear_flags = CLEAR_ON_TRAP,
	};

	return cb->rip && !bounce(vcpu, &to);
}

void rf_bounce_trap(struct rf_vcpu *vcpu, int vector, s64 error)
{
	const struct trap_info *ti = &vcpu->traps[vector];
	struct bounce to = {
		.rip = ti->address,
		.cs = ti->cs,
		.mask_events = TI_GET_IF(ti),
		.error = error,
		.clear_flags = CLEAR_ON_TRAP,
	};

	rf_count(vcpu, BOUNCED_TRAPS);
	trace_rf_bounce_trap(vcpu, vector, error);
	if (!ti->address) {
		rf_vm_kill(vcpu->vm,
			   "vCPU %u: trap %d (error %#llx) at %#llx, cr2 %#lx, and the guest has no handler",
			   vcpu->id, vector, error == RF_NO_ERROR_CODE ? 0 : error,
			   vcpu->regs->rip, vcpu->event.info->arch.cr2);
		return;
	}
	if (!bounce(vcpu, &to))
		return;
	rf_vm_kill(vcpu->vm,
		   "vCPU %u: trap %d at %#llx, and the guest kernel's stack at %#llx cannot take it",
		   vcpu->id, vector, vcpu->regs->rip,
		   rf_vcpu_in_kernel(vcpu) ? vcpu->regs->rsp : vcpu->world->kernel_sp);
}

void rf_bounce_page_fault(struct rf_vcpu *vcpu, u64 gva, u32 error)
{
	vcpu->event.info->arch.cr2 = gva;
	rf_bounce_trap(vcpu, X86_TRAP_PF, error);
}

static bool callback_is_syscall(int type)
{
	return type == CALLBACKTYPE_syscall || type == CALLBACKTYPE_syscall32 ||
	       type == CALLBACKTYPE_sysenter;
}

bool rf_bounce_callback(struct rf_vcpu *vcpu, int type)
{
	const struct rf_callback *cb = &vcpu->callbacks[type];
	struct bounce to = {
		.rip = cb->rip,
		.cs = RF_FLAT_KERNEL_CS,
		.mask_events = type == CALLBACKTYPE_event ||
			       (cb->flags & CALLBACKF_mask_events),
		.error = RF_NO_ERROR_CODE,
		/* A system call starts with the flags that SYSCALL leaves. */
		.clear_flags = callback_is_syscall(type) ? ~0ULL : CLEAR_ON_TRAP,
	};

	if (!cb->rip)
		return false;
	if (bounce(vcpu, &to))
		rf_vm_kill(vcpu->vm,
			   "vCPU %u: the guest kernel's stack at %#llx cannot take a callback",
			   vcpu->id, rf_vcpu_in_kernel(vcpu) ? vcpu->regs->rsp :
			   vcpu->world->kernel_sp);
	return true;
}

void rf_bounce_iret(struct rf_vcpu *vcpu)
{
	struct vcpu_info *info = vcpu->event.info;
	struct rf_regs *regs = vcpu->regs;
	struct rf_iret_frame frame;

	if (rf_guest_read(vcpu, &frame, regs->rsp, sizeof(frame))) {
		rf_vm_kill(vcpu->vm, "vCPU %u: iret with an unreadable stack at %#llx",
			   vcpu->id, regs->rsp);
		return;
	}

	if ((frame.cs & 3) == 3) {
		if (!vcpu->mmu.user_gfn.v) {
			rf_vm_kill(vcpu->vm, "vCPU %u: iret to user mode without a user page table",
				   vcpu->id);
			return;
		}
		rf_vcpu_set_mode(vcpu, false);
	}
	regs->rip = frame.rip;
	regs->cs = (frame.cs & 0xffff) | 3;
	regs->rflags = (frame.rflags & RFLAGS_GUEST) | RFLAGS_FIXED;
	regs->rsp = frame.rsp;
	regs->ss = (frame.ss & 0xffff) | 3;
	regs->rax = frame.rax;
	if (!(frame.flags & RF_VGCF_IN_SYSCALL)) {
		regs->rcx = frame.rcx;
		regs->r11 = frame.r11;
	} else {
		/* As SYSRET would: flat selectors, RIP and RFLAGS to be seen. */
		regs->rcx = regs->rip;
		regs->r11 = regs->rflags;
		regs->ss = RF_FLAT_USER_SS;
		if (regs->cs != RF_FLAT_USER_CS32)
			regs->cs = RF_FLAT_USER_CS64;
	}
	WRITE_ONCE(info->evtchn_upcall_mask, !(frame.rflags & X86_EFLAGS_IF));
}

void rf_bounce_bad_iret(struct rf_vcpu *vcpu)
{
	struct rf_regs *regs = vcpu->regs;
	u64 rip = regs->rip;

	/* As Xen: the failsafe callback, with the frame that did not load. */
	if (!bounce_failsafe(vcpu))
		rf_vm_kill(vcpu->vm,
			   "vCPU %u: return to %#llx with cs %#llx ss %#llx faults, and no callback takes it",
			   vcpu->id, rip, regs->cs, regs->ss);
}
