// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - a VM's state: save all of it, load all of it
 *
 *	rf_state_save() --> domain, CPUID, tables --> each vCPU --> events
 *	                      each room its own records, by stream.h
 *
 * The launcher that brings a state is as little trusted as the guest it is of:
 * each field is checked as the hypercall that sets it would.
 */
#include <linux/atomic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/time64.h>

#include <asm/processor-flags.h>

#include "backend/backend.h"
#include "emul/emul.h"
#include "event/event.h"
#include "mmu/mmu.h"
#include "state.h"
#include "stream.h"
#include "vcpu.h"
#include "vm.h"

/* What ring 3 can have set in RFLAGS; IF and bit 1 always are. */
#define RFLAGS_GUEST	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF |	\
			 X86_EFLAGS_SF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_OF |	\
			 X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)
#define RFLAGS_FIXED	(X86_EFLAGS_IF | X86_EFLAGS_FIXED)

#define CPU_FLAGS	(RF_SAVED_ONLINE | RF_SAVED_INITIALISED | RF_SAVED_HALTED |	\
			 RF_SAVED_KERNEL | RF_SAVED_NMI)

/* So that no sum of it and a time of the host's overflows: 146 years. */
#define GUEST_NS_MAX	(1ULL << 62)

/* trap_info.flags: bit 2 is "mask events", bits 0 and 1 the DPL. */
#define TRAP_FLAGS	7

/* --- registers ------------------------------------------------------------ */

static void gprs_save(const struct rf_regs *r, u64 *gpr)
{
	const u64 gprs[16] = {
		r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	memcpy(gpr, gprs, sizeof(gprs));
}

static void gprs_load(struct rf_regs *r, const u64 *gpr)
{
	u64 *const gprs[16] = {
		&r->rax, &r->rbx, &r->rcx, &r->rdx, &r->rsi, &r->rdi, &r->rbp, &r->rsp,
		&r->r8, &r->r9, &r->r10, &r->r11, &r->r12, &r->r13, &r->r14, &r->r15,
	};
	int i;

	for (i = 0; i < 16; i++)
		*gprs[i] = gpr[i];
}

static u32 cpu_flags(const struct rf_vcpu *vcpu)
{
	return (vcpu->online ? RF_SAVED_ONLINE : 0) |
	       (vcpu->initialised ? RF_SAVED_INITIALISED : 0) |
	       (vcpu->halted ? RF_SAVED_HALTED : 0) |
	       (rf_vcpu_in_kernel(vcpu) ? RF_SAVED_KERNEL : 0) |
	       (READ_ONCE(vcpu->event.nmi_pending) ? RF_SAVED_NMI : 0);
}

static void cpu_save(const struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	const struct rf_world *world = vcpu->world;
	const struct rf_regs *regs = vcpu->regs;
	struct rf_saved_cpu saved = {
		.flags = cpu_flags(vcpu),
		.rip = regs->rip,
		.rflags = (regs->rflags & RFLAGS_GUEST) | RFLAGS_FIXED,
		.cs = regs->cs,
		.ss = regs->ss,
		.ds = world->ds,
		.es = world->es,
		.fs = world->fs,
		.gs = world->gs,
		.kernel_ss = world->kernel_ss,
		.kernel_sp = world->kernel_sp,
		.fs_base = world->fs_base,
		.gs_base = world->gs_base,
		.gs_base_other = world->gs_base_other,
		.kernel_pfn = vcpu->mmu.kernel_gfn.v,
		.user_pfn = vcpu->mmu.user_gfn.v,
	};
	int i;

	BUILD_BUG_ON(RF_NR_CALLBACKS != RF_SAVED_CALLBACKS);

	gprs_save(regs, saved.gpr);
	for (i = 0; i < RF_NR_CALLBACKS; i++) {
		saved.callback_rip[i] = vcpu->callbacks[i].rip;
		saved.callback_flags[i] = vcpu->callbacks[i].flags;
	}
	rf_stream_write(stream, RF_SAVED_CPU, &saved, sizeof(saved));
}

static bool roots_ok(const struct rf_vcpu *vcpu, const struct rf_saved_cpu *saved)
{
	const struct rf_vm *vm = vcpu->vm;

	if (saved->user_pfn && !rf_gfn_in_memory(vm, RF_GFN(saved->user_pfn)))
		return false;
	/* In user mode it has to have a table for that. */
	if (!(saved->flags & RF_SAVED_KERNEL) && !saved->user_pfn)
		return !(saved->flags & RF_SAVED_INITIALISED) && !saved->kernel_pfn;
	return rf_gfn_in_memory(vm, RF_GFN(saved->kernel_pfn));
}

static bool callbacks_ok(const struct rf_saved_cpu *saved)
{
	int i;

	for (i = 0; i < RF_NR_CALLBACKS; i++)
		if (!rf_gva_ok(saved->callback_rip[i]) ||
		    (saved->callback_flags[i] & ~CALLBACKF_mask_events))
			return false;
	return true;
}

/* RIP, RSP and selectors are what an iret may bring: anything, but of ring 3. */
static bool cpu_ok(const struct rf_vcpu *vcpu, const struct rf_saved_cpu *saved)
{
	if ((saved->flags & ~CPU_FLAGS) || saved->reserved || saved->pad)
		return false;
	if ((saved->flags & RF_SAVED_ONLINE) && !(saved->flags & RF_SAVED_INITIALISED))
		return false;
	if ((saved->rflags & RFLAGS_FIXED) != RFLAGS_FIXED ||
	    (saved->rflags & ~(u64)(RFLAGS_GUEST | RFLAGS_FIXED)))
		return false;
	if ((saved->flags & RF_SAVED_INITIALISED) &&
	    (saved->cs & saved->ss & saved->kernel_ss & 3) != 3)
		return false;
	return rf_canonical(saved->fs_base) && rf_canonical(saved->gs_base) &&
	       rf_canonical(saved->gs_base_other) && roots_ok(vcpu, saved) &&
	       callbacks_ok(saved);
}

static void cpu_use(struct rf_vcpu *vcpu, const struct rf_saved_cpu *saved)
{
	struct rf_world *world = vcpu->world;
	struct rf_regs *regs = vcpu->regs;
	int i;

	gprs_load(regs, saved->gpr);
	regs->rip = saved->rip;
	regs->rflags = saved->rflags;
	regs->cs = saved->cs;
	regs->ss = saved->ss;
	world->ds = saved->ds;
	world->es = saved->es;
	world->fs = saved->fs;
	world->gs = saved->gs;
	world->fs_base = saved->fs_base;
	world->gs_base = saved->gs_base;
	world->gs_base_other = saved->gs_base_other;
	world->in_kernel = !!(saved->flags & RF_SAVED_KERNEL);
	world->kernel_ss = saved->kernel_ss;
	world->kernel_sp = saved->kernel_sp;

	for (i = 0; i < RF_NR_CALLBACKS; i++) {
		vcpu->callbacks[i].rip = saved->callback_rip[i];
		vcpu->callbacks[i].flags = saved->callback_flags[i];
	}
	world->syscall_rip = vcpu->callbacks[CALLBACKTYPE_syscall].rip;
	world->syscall_mask = !!(vcpu->callbacks[CALLBACKTYPE_syscall].flags &
				 CALLBACKF_mask_events);

	vcpu->mmu.kernel_gfn = RF_GFN(saved->kernel_pfn);
	vcpu->mmu.user_gfn = RF_GFN(saved->user_pfn);
	vcpu->online = saved->flags & RF_SAVED_ONLINE;
	vcpu->initialised = saved->flags & RF_SAVED_INITIALISED;
	vcpu->halted = saved->flags & RF_SAVED_HALTED;
	vcpu->event.nmi_pending = saved->flags & RF_SAVED_NMI;
	vcpu->has_run = true;
}

static int cpu_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_saved_cpu saved;
	int err;

	err = rf_stream_read(stream, RF_SAVED_CPU, &saved, sizeof(saved), sizeof(saved));
	if (!err && !cpu_ok(vcpu, &saved))
		err = -EINVAL;
	if (!err)
		cpu_use(vcpu, &saved);
	return err;
}

/* --- trap table ------------------------------------------------------------ */

static int traps_save(const struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_saved_traps *saved;
	size_t i;

	BUILD_BUG_ON(ARRAY_SIZE(saved->traps) != ARRAY_SIZE(vcpu->traps));

	saved = kzalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(vcpu->traps); i++) {
		const struct trap_info *trap = &vcpu->traps[i];

		if (!trap->address)
			continue;
		saved->traps[i].address = trap->address;
		saved->traps[i].cs = trap->cs;
		saved->traps[i].flags = trap->flags & TRAP_FLAGS;
	}
	rf_stream_write(stream, RF_SAVED_TRAPS, saved, sizeof(*saved));
	kfree(saved);
	return 0;
}

static bool trap_use(struct rf_vcpu *vcpu, u8 vector, const struct rf_saved_trap *saved)
{
	if (!rf_gva_ok(saved->address) || (saved->flags & ~TRAP_FLAGS) || saved->cs > U16_MAX)
		return false;
	vcpu->traps[vector] = (struct trap_info) {
		.vector = vector,
		.flags = saved->flags,
		.cs = saved->cs | 3,
		.address = saved->address,
	};
	return true;
}

static int traps_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_saved_traps *saved;
	size_t i;
	int err;

	saved = kmalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	err = rf_stream_read(stream, RF_SAVED_TRAPS, saved, sizeof(*saved), sizeof(*saved));
	for (i = 0; i < ARRAY_SIZE(saved->traps) && !err; i++)
		if (!trap_use(vcpu, i, &saved->traps[i]))
			err = -EINVAL;
	rf_vcpu_show_traps(vcpu);
	kfree(saved);
	return err;
}

/* --- a vCPU ------------------------------------------------------------------ */

static int vcpu_save(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	int err;

	stream->vcpu_id = vcpu->id;
	cpu_save(vcpu, stream);
	err = traps_save(vcpu, stream);
	if (!err)
		err = rf_descriptors_save(vcpu, stream);
	if (!err)
		err = rf_emul_save(vcpu, stream);
	if (!err)
		err = rf_event_vcpu_save(vcpu, stream);
	stream->vcpu_id = 0;
	return err;
}

static int vcpu_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	int err;

	stream->vcpu_id = vcpu->id;
	err = cpu_load(vcpu, stream);
	if (!err)
		err = traps_load(vcpu, stream);
	if (!err)
		err = rf_descriptors_load(vcpu, stream);
	if (!err)
		err = rf_emul_load(vcpu, stream);
	if (!err)
		err = rf_event_vcpu_load(vcpu, stream);
	/* It could never be told of an event. */
	if (!err && vcpu->initialised && vcpu->event.dummy_page && !vcpu->event.info_page)
		err = -EINVAL;
	stream->vcpu_id = 0;
	return err;
}

/* --- the VM as a whole -------------------------------------------------------- */

static void domain_save(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_start start = {
		.magic = RF_SAVED_MAGIC,
		.nr_vcpus = vm->nr_vcpus,
	};
	struct rf_saved_domain saved = {
		.max_pfn = vm->max_gfn,
		.nr_pages = vm->nr_pages,
		.nr_p2m_pages = vm->nr_p2m_pages,
		.shared_info_pfn = vm->shared_gfn.v,
		.wallclock_offset_ns = vm->wallclock_offset_ns,
		.vm_assist = vm->vm_assist,
		.guest_ns = rf_clock_save(vm),
	};

	if (vm->has_shutdown_code) {
		saved.flags = RF_SAVED_SHUTDOWN_CODE;
		saved.shutdown_code = vm->shutdown_code;
	}

	rf_stream_write(stream, RF_SAVED_HEAD, &start, sizeof(start));
	rf_stream_write(stream, RF_SAVED_DOMAIN, &saved, sizeof(saved));
}

static int start_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_start saved;
	int err;

	err = rf_stream_read(stream, RF_SAVED_HEAD, &saved, sizeof(saved), sizeof(saved));
	if (err)
		return err;
	return saved.magic == RF_SAVED_MAGIC && saved.nr_vcpus == vm->nr_vcpus &&
	       !saved.reserved ? 0 : -EINVAL;
}

static int domain_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_domain saved;
	int err;

	err = rf_stream_read(stream, RF_SAVED_DOMAIN, &saved, sizeof(saved), sizeof(saved));
	if (err)
		return err;
	if (saved.max_pfn != vm->max_gfn || saved.nr_pages != vm->nr_pages ||
	    saved.nr_p2m_pages != vm->nr_p2m_pages ||
	    saved.shared_info_pfn != vm->shared_gfn.v ||
	    saved.vm_assist >> (MAX_VMASST_TYPE + 1) || saved.guest_ns > GUEST_NS_MAX ||
	    (saved.flags & ~RF_SAVED_SHUTDOWN_CODE) || saved.shutdown_code > SHUTDOWN_MAX)
		return -EINVAL;

	if (saved.flags)
		rf_vm_set_shutdown_code(vm, saved.shutdown_code);
	vm->wallclock_offset_ns = saved.wallclock_offset_ns;
	vm->vm_assist = saved.vm_assist;
	rf_clock_load(vm, saved.guest_ns);
	return 0;
}

static int vm_save(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_vcpu *vcpu;
	unsigned int i;
	int err;

	rf_event_freeze(vm);
	domain_save(vm, stream);
	err = rf_cpuid_save(vm, stream);
	if (!err)
		err = rf_mmu_save(vm, stream);
	rf_for_each_vcpu(vm, vcpu, i)
		if (!err)
			err = vcpu_save(vcpu, stream);
	return err ?: rf_event_save(vm, stream);
}

static int vm_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_vcpu *vcpu;
	unsigned int i;
	int err;

	rf_event_freeze(vm);
	err = start_load(vm, stream);
	if (!err)
		err = domain_load(vm, stream);
	if (!err)
		err = rf_cpuid_load(vm, stream);
	if (!err)
		err = rf_mmu_load(vm, stream);
	rf_for_each_vcpu(vm, vcpu, i)
		if (!err)
			err = vcpu_load(vcpu, stream);
	if (!err)
		err = rf_event_load(vm, stream);
	if (!err && stream->pos != stream->len)
		err = -EINVAL;
	return err;
}

/* --- ioctls -------------------------------------------------------------------- */

/* Can the VM be saved, or loaded, at all? */
static int vm_check(struct rf_vm *vm)
{
	if (READ_ONCE(vm->dead))
		return -ESHUTDOWN;
	if (!vm->nr_vcpus)
		return -EINVAL;
	/* Rings, and what is under way in devices, are no part of a state. */
	return rf_bus_is_idle(vm) ? 0 : -EOPNOTSUPP;
}

/* Keep the vCPUs' threads out; -EBUSY if one is in there. */
static int vm_hold(struct rf_vm *vm)
{
	int err = -EBUSY;

	mutex_lock(&vm->config_lock);
	if (!atomic_cmpxchg(&vm->nr_busy, 0, -1)) {
		err = vm_check(vm);
		if (!err)
			return 0;
		atomic_set_release(&vm->nr_busy, 0);
	}
	mutex_unlock(&vm->config_lock);
	return err;
}

static void vm_release(struct rf_vm *vm)
{
	atomic_set_release(&vm->nr_busy, 0);
	mutex_unlock(&vm->config_lock);
}

int rf_state_save(struct rf_vm *vm, struct rf_state_buffer *state)
{
	struct rf_stream stream = {
		.base = u64_to_user_ptr(state->buffer),
		.len = state->len,
	};
	int err;

	err = vm_hold(vm);
	if (err)
		return err;
	err = vm_save(vm, &stream);
	vm_release(vm);

	state->len = stream.pos;
	return err ?: stream.error;
}

int rf_state_load(struct rf_vm *vm, const struct rf_state_buffer *state)
{
	struct rf_stream stream = {
		.base = u64_to_user_ptr(state->buffer),
		.len = state->len,
	};
	int err;

	err = vm_hold(vm);
	if (err)
		return err;
	if (vm->started) {
		err = -EBUSY;
	} else {
		WRITE_ONCE(vm->started, true);
		err = vm_load(vm, &stream);
		if (err)
			rf_vm_kill(vm, "its state does not load: error %d", err);
	}
	vm_release(vm);
	return err;
}
