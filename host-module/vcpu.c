// SPDX-License-Identifier: GPL-2.0
/*
 * vcpu.c - a virtual CPU and the loop that runs it
 *
 *	RF_VCPU_RUN -> rf_vcpu_run() -> vcpu_enter() -> switcher -> guest
 *	                    ^                                        |
 *	                    '---- rf_trap() <---- vcpu_enter() <-----'
 */
#include <linux/hw_breakpoint.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>

#include <asm/debugreg.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/nospec-branch.h>
#include <asm/pkru.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "bounce.h"
#include "compat.h"
#include "guestmem.h"
#include "trace.h"
#include "trap.h"
#include "vcpu.h"
#include "vm.h"

/* Somebody else wants the CPU, or something of the thread itself. */
#define LOOK_UP_FLAGS	(_TIF_NEED_RESCHED | _TIF_SIGPENDING | _TIF_NOTIFY_SIGNAL | \
			 _TIF_NOTIFY_RESUME)

/* Any of the guest's four breakpoints is on, locally or globally. */
#define DR_ENABLED	0xff

/* Whose guest this CPU ran last, for its branch predictors. */
static DEFINE_PER_CPU(struct rf_vm *, last_vm);

void rf_vcpu_kick(struct rf_vcpu *vcpu)
{
	int cpu;

	WRITE_ONCE(vcpu->kicked, true);
	smp_mb();	/* pairs with the one in vcpu_enter(): kicked, then mode */
	if (wq_has_sleeper(&vcpu->wait))
		wake_up(&vcpu->wait);

	preempt_disable();
	cpu = READ_ONCE(vcpu->cpu);
	if (READ_ONCE(vcpu->mode) == RF_IN_GUEST && cpu != smp_processor_id()) {
		rf_count(vcpu, KICKS);
		smp_send_reschedule(cpu);
	}
	preempt_enable();
}

/* --- what C switches ------------------------------------------------------- */

static void load_debug(struct rf_vcpu *vcpu)
{
	const u64 *dr = vcpu->emul.dr;

	vcpu->world->dr7 = 0;
	if (likely(!hw_breakpoint_active() && !(dr[7] & DR_ENABLED)))
		return;

	/*
	 * DR7 is the switcher's to load, for a guest's addresses may be the
	 * host's as well: nothing of the host runs with it.
	 */
	set_debugreg(0, 7);
	if (dr[7] & DR_ENABLED) {
		set_debugreg(dr[0], 0);
		set_debugreg(dr[1], 1);
		set_debugreg(dr[2], 2);
		set_debugreg(dr[3], 3);
		set_debugreg(DR6_RESERVED, 6);
		vcpu->world->dr7 = dr[7];
	}
}

static void save_debug(struct rf_vcpu *vcpu)
{
	u64 *dr = vcpu->emul.dr;

	if (vcpu->regs->exit == X86_TRAP_DB) {
		get_debugreg(dr[6], 6);
		set_debugreg(DR6_RESERVED, 6);
	} else if (vcpu->world->dr7 || vcpu->regs->exit == RF_EXIT_SYSENTER) {
		set_debugreg(DR6_RESERVED, 6);
	}
	if (hw_breakpoint_active())
		hw_breakpoint_restore();
}

/* Interrupts off.  Vector state is the thread's own, see emul/vector.c. */
static void vcpu_load(struct rf_vcpu *vcpu)
{
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();

	if (cpu_feature_enabled(X86_FEATURE_OSXSAVE) &&
	    vcpu->host_xcr0 != vcpu->emul.xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->emul.xcr0);
	if (unlikely(vcpu->emul.ts))
		write_cr0(read_cr0() | X86_CR0_TS);
	if (unlikely(vcpu->emul.cr4 & X86_CR4_TSD))
		cr4_set_bits_irqsoff(X86_CR4_TSD);
	load_debug(vcpu);

	if (this_cpu_read(last_vm) != vcpu->vm) {
		indirect_branch_prediction_barrier();
		this_cpu_write(last_vm, vcpu->vm);
	}
}

static void vcpu_save(struct rf_vcpu *vcpu)
{
	rf_distrust_branches();
	vcpu->fault_gva = native_read_cr2();
	save_debug(vcpu);
	if (unlikely(vcpu->emul.ts))
		write_cr0(read_cr0() & ~X86_CR0_TS);
	if (unlikely(vcpu->emul.cr4 & X86_CR4_TSD) && !test_thread_flag(TIF_NOTSC))
		cr4_clear_bits_irqsoff(X86_CR4_TSD);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE) && read_pkru() != vcpu->host_pkru)
		write_pkru(vcpu->host_pkru);
	if (cpu_feature_enabled(X86_FEATURE_OSXSAVE) &&
	    vcpu->host_xcr0 != vcpu->emul.xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->host_xcr0);
}

/*
 * What the host has of these does not change while RF_VCPU_RUN is under way: XCR0
 * never does, and a thread's PKRU by its own user mode only.
 */
static void read_host(struct rf_vcpu *vcpu)
{
	if (cpu_feature_enabled(X86_FEATURE_OSXSAVE))
		vcpu->host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	if (cpu_feature_enabled(X86_FEATURE_OSPKE))
		vcpu->host_pkru = read_pkru();
}

/* --- the loop ------------------------------------------------------------------ */

/*
 * Is there more to do than to enter the guest?  Asked with interrupts off before
 * each entry; vcpu_look_up() does it.  Whoever ends the VM, halts a vCPU, takes it
 * down, or has something for it or for its launcher, has kicked it.  Not so the
 * guest that unmasks its events, the scheduler and the timekeeper.
 */
static bool vcpu_must_look_up(struct rf_vcpu *vcpu)
{
	return READ_ONCE(vcpu->kicked) || (read_thread_flags() & LOOK_UP_FLAGS) ||
	       rf_event_deliverable(vcpu) || rf_clock_due(vcpu);
}

/* Are the CR3s in the world those to enter with?  Without PCIDs they stay so. */
static bool vcpu_update_roots(struct rf_vcpu *vcpu)
{
	if (!cpu_feature_enabled(X86_FEATURE_PCID) && vcpu->world->fast_roots &&
	    !READ_ONCE(vcpu->mmu.roots_stale))
		return true;
	return rf_mmu_update_world(vcpu);
}

/* Has the switcher changed them? */
static bool roots_changed(const struct rf_vcpu *vcpu)
{
	return vcpu->world->kernel_gfn != vcpu->mmu.kernel_gfn.v ||
	       vcpu->world->user_gfn != vcpu->mmu.user_gfn.v;
}

/* One excursion.  False if something came up and the guest was not entered. */
static bool vcpu_enter(struct rf_vcpu *vcpu)
{
	bool for_host;

	local_irq_disable();
	WRITE_ONCE(vcpu->cpu, smp_processor_id());
	WRITE_ONCE(vcpu->mode, RF_IN_GUEST);
	/*
	 * Look once more with interrupts off.  An event or a flush asked for
	 * before this point is seen here; one asked for after it sends an IPI,
	 * which the guest comes out for.
	 */
	smp_mb();
	if (unlikely(vcpu_must_look_up(vcpu) || !vcpu_update_roots(vcpu))) {
		WRITE_ONCE(vcpu->mode, RF_OUTSIDE_GUEST);
		local_irq_enable();
		return false;
	}

	trace_rf_enter(vcpu);
	vcpu_load(vcpu);
	for_host = rf_switch_to_guest(vcpu->world, vcpu->world_va, rf_mmu_first_cr3(vcpu));
	if (cpu_feature_enabled(X86_FEATURE_PCID))
		rf_mmu_left_guest(vcpu);
	vcpu_save(vcpu);
	rf_count(vcpu, SWITCHES);
	WRITE_ONCE(vcpu->mode, RF_OUTSIDE_GUEST);
	/* Before anything that may trap: an NMI's exit keeps NMIs out until now. */
	if (for_host)
		rf_switcher_reraise(vcpu->regs->exit);
	trace_rf_exit(vcpu);
	local_irq_enable();

	if (unlikely(roots_changed(vcpu)))
		rf_mmu_follow_roots(vcpu);
	return true;
}

/* One thread at a time, and none while the VM's state is saved or loaded. */
static bool vcpu_trylock(struct rf_vcpu *vcpu)
{
	if (!atomic_inc_unless_negative(&vcpu->vm->nr_busy))
		return false;
	if (mutex_trylock(&vcpu->run_lock))
		return true;
	atomic_dec(&vcpu->vm->nr_busy);
	return false;
}

static void vcpu_unlock(struct rf_vcpu *vcpu)
{
	mutex_unlock(&vcpu->run_lock);
	atomic_dec(&vcpu->vm->nr_busy);
}

/* Time that counts as running begins, or has ended. */
static void vcpu_set_running(struct rf_vcpu *vcpu, bool running)
{
	u64 now = ktime_get_ns();

	write_seqcount_begin(&vcpu->run_seq);
	if (vcpu->run_since)
		vcpu->run_ns += now - vcpu->run_since;
	vcpu->run_since = running ? now : 0;
	write_seqcount_end(&vcpu->run_seq);
}

u64 rf_vcpu_run_ns(const struct rf_vcpu *vcpu)
{
	unsigned int seq;
	u64 ns;

	do {
		seq = read_seqcount_begin(&vcpu->run_seq);
		ns = vcpu->run_ns;
		if (vcpu->run_since)
			ns += ktime_get_ns() - vcpu->run_since;
	} while (read_seqcount_retry(&vcpu->run_seq, seq));
	return ns;
}

/* One that is down waits to come up. */
static void wait_online(struct rf_vcpu *vcpu)
{
	rf_runstate_set(vcpu, RUNSTATE_offline);
	wait_event_interruptible(vcpu->wait, READ_ONCE(vcpu->online) ||
				 READ_ONCE(vcpu->vm->dead));
}

/* One that is halted waits for an event, or to be taken down. */
static void wait_for_event(struct rf_vcpu *vcpu)
{
	struct rf_vm *vm = vcpu->vm;
	int err;

	rf_count(vcpu, HALTS);
	rf_runstate_set(vcpu, RUNSTATE_blocked);
	/* Other vCPUs may read the time from the area of this one. */
	do {
		err = wait_event_interruptible(vcpu->wait, rf_event_wakes(vcpu) ||
					       READ_ONCE(vm->dead) ||
					       !READ_ONCE(vcpu->online) ||
					       rf_clock_stale(vcpu));
		rf_clock_update(vcpu);
	} while (!err && !rf_event_wakes(vcpu) && !READ_ONCE(vm->dead) &&
		 READ_ONCE(vcpu->online));
	if (!err)
		WRITE_ONCE(vcpu->halted, false);
}

/* It may have come up since its caller looked: then there is no wait at all. */
static void vcpu_wait(struct rf_vcpu *vcpu)
{
	vcpu_set_running(vcpu, false);
	if (!READ_ONCE(vcpu->online))
		wait_online(vcpu);
	else if (READ_ONCE(vcpu->halted))
		wait_for_event(vcpu);
	rf_runstate_set(vcpu, RUNSTATE_running);
	vcpu_set_running(vcpu, true);
}

/* Do what is to be done before the next entry.  True if it is to leave the ioctl. */
static bool vcpu_look_up(struct rf_vcpu *vcpu, u32 *exit_reason)
{
	struct rf_vm *vm = vcpu->vm;

	/* First: what comes from here on has the vCPU look again. */
	WRITE_ONCE(vcpu->kicked, false);
	smp_mb();	/* pairs with the one in rf_vcpu_kick() */
	if (READ_ONCE(vm->dead)) {
		*exit_reason = RF_RUN_ENDED;
		return true;
	}
	if (vcpu->exit_to_launcher) {
		vcpu->exit_to_launcher = false;
		*exit_reason = vcpu->run->exit_reason;
		return true;
	}
	/*
	 * What the host has left for the thread's return to user mode, such as
	 * task work and a cgroup's throttling, is only done there.
	 */
	if (signal_pending(current) || test_thread_flag(TIF_NOTIFY_RESUME)) {
		*exit_reason = RF_RUN_INTERRUPTED;
		return true;
	}
	cond_resched();

	if (!READ_ONCE(vcpu->online) || READ_ONCE(vcpu->halted)) {
		vcpu_wait(vcpu);
		rf_vcpu_look_again(vcpu);
		return false;
	}

	rf_clock_update(vcpu);
	rf_event_deliver(vcpu);
	if (rf_mmu_load_roots(vcpu))
		rf_vm_kill(vm, "vCPU %u: no memory for its page tables", vcpu->id);
	return false;
}

static u32 vcpu_loop(struct rf_vcpu *vcpu)
{
	u32 exit_reason;

	for (;;) {
		if (vcpu_enter(vcpu))
			rf_trap(vcpu);
		else if (vcpu_look_up(vcpu, &exit_reason))
			return exit_reason;
	}
}

int rf_vcpu_run(struct rf_vcpu *vcpu, struct rf_run *run)
{
	if (!vcpu_trylock(vcpu))
		return -EBUSY;
	/* A hypercall may (rf_vcpu_initialise()): have lockdep know of it. */
	might_lock(&vcpu->vm->config_lock);

	rf_event_thaw(vcpu->vm);
	if (vcpu->emul.io_pending)
		rf_emul_io_done(vcpu, run);
	memset_after(run, 0, size);
	vcpu->run = run;
	vcpu->has_run = true;
	rf_vcpu_look_again(vcpu);
	WRITE_ONCE(vcpu->vm->started, true);
	read_host(vcpu);

	vcpu_set_running(vcpu, true);
	if (vcpu->online)
		rf_runstate_set(vcpu, RUNSTATE_running);
	rf_vector_load(vcpu);
	run->exit_reason = vcpu_loop(vcpu);
	rf_vector_save(vcpu);
	/* Not its own choice to stop here: that is time stolen from it. */
	if (vcpu->online)
		rf_runstate_set(vcpu, RUNSTATE_runnable);
	vcpu_set_running(vcpu, false);

	vcpu->run = NULL;
	vcpu_unlock(vcpu);
	return 0;
}

/* --- state ------------------------------------------------------------------------ */

int rf_vcpu_set_regs(struct rf_vcpu *vcpu, const struct rf_set_regs *set)
{
	int err = 0;

	if (set->flags & ~RF_REGS_ONLINE)
		return -EOPNOTSUPP;
	if (!rf_gva_ok(set->rip) || !rf_gva_ok(set->rsp) ||
	    !rf_gfn_in_memory(vcpu->vm, RF_GFN(set->cr3_pfn)))
		return -EINVAL;
	if (!vcpu_trylock(vcpu))
		return -EBUSY;
	if (vcpu->has_run) {
		err = -EBUSY;
		goto out;
	}

	vcpu->regs->rip = set->rip;
	vcpu->regs->rsp = set->rsp;
	vcpu->regs->rsi = set->rsi;
	vcpu->regs->rflags = (set->rflags & 0xdd5) | X86_EFLAGS_IF | X86_EFLAGS_FIXED;
	vcpu->regs->cs = RF_FLAT_KERNEL_CS;
	vcpu->regs->ss = RF_FLAT_KERNEL_SS;
	vcpu->world->in_kernel = 1;
	vcpu->world->kernel_ss = RF_FLAT_KERNEL_SS;
	vcpu->world->kernel_sp = set->rsp;
	vcpu->mmu.kernel_gfn = RF_GFN(set->cr3_pfn);
	/* The ABI has the builder pin it; the guest unpins it when it moves on. */
	rf_mmu_pin(vcpu, vcpu->mmu.kernel_gfn, 4);
	vcpu->event.info->evtchn_upcall_mask = 1;
	vcpu->initialised = true;
	vcpu->online = set->flags & RF_REGS_ONLINE;
out:
	vcpu_unlock(vcpu);
	return err;
}

int rf_vcpu_get_regs(struct rf_vcpu *vcpu, struct rf_get_regs *get)
{
	const struct rf_regs *r = vcpu->regs;
	const u64 gpr[16] = {
		r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp,
		r->r8, r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15,
	};

	if (!vcpu_trylock(vcpu))
		return -EBUSY;
	get->flags = (vcpu->online ? RF_REGS_ONLINE : 0) |
		     (rf_vcpu_in_kernel(vcpu) ? RF_REGS_KERNEL : 0);
	memcpy(get->gpr, gpr, sizeof(gpr));
	get->rip = r->rip;
	get->rflags = r->rflags;
	get->cs = r->cs;
	get->ss = r->ss;
	get->cr2 = vcpu->event.info->arch.cr2;
	get->kernel_cr3_pfn = vcpu->mmu.kernel_gfn.v;
	get->user_cr3_pfn = vcpu->mmu.user_gfn.v;
	get->fs_base = vcpu->world->fs_base;
	get->gs_base = vcpu->world->gs_base;
	vcpu_unlock(vcpu);
	return 0;
}

void rf_vcpu_read_counters(const struct rf_vcpu *vcpu, u64 *counters)
{
	const struct rf_world *world = vcpu->world;
	int i;

	for (i = 0; i < RF_NR_COUNTERS; i++)
		counters[i] = READ_ONCE(vcpu->counters[i]);
	counters[RF_COUNT_FAST_SYSCALL] = READ_ONCE(world->nr_fast_syscall);
	counters[RF_COUNT_FAST_IRET] = READ_ONCE(world->nr_fast_iret);
	counters[RF_COUNT_FAST_HYPERCALL] = READ_ONCE(world->nr_fast_hypercall);
	counters[RF_COUNT_FAST_FAULT] = READ_ONCE(world->nr_fast_fault);
	counters[RF_COUNT_BOUNCED_TRAPS] += READ_ONCE(world->nr_fast_fault);
	/* The switch itself writes CR3 on the way in and on the way out. */
	counters[RF_COUNT_CR3_WRITES] = READ_ONCE(world->nr_cr3_writes) +
					2 * counters[RF_COUNT_SWITCHES];
}

void rf_vcpu_show_traps(struct rf_vcpu *vcpu)
{
	const struct trap_info *ti = &vcpu->traps[X86_TRAP_PF];

	vcpu->world->fault_mask = !!TI_GET_IF(ti);
	vcpu->world->fault_cs = ti->cs;
	vcpu->world->fault_rip = ti->address;
}

static void set_callback(struct rf_vcpu *vcpu, int type, u64 rip, bool mask)
{
	vcpu->callbacks[type].rip = rip;
	vcpu->callbacks[type].flags = mask ? CALLBACKF_mask_events : 0;
}

static bool context_ok(struct rf_vcpu *vcpu, const struct vcpu_guest_context *c)
{
	unsigned int i;

	if (!(c->flags & VGCF_in_kernel) && !c->ctrlreg[1])
		return false;
	if (!rf_gva_ok(c->event_callback_eip) || !rf_gva_ok(c->failsafe_callback_eip) ||
	    !rf_gva_ok(c->syscall_callback_eip) || !rf_gva_ok(c->fs_base) ||
	    !rf_gva_ok(c->gs_base_kernel) || !rf_gva_ok(c->gs_base_user) ||
	    !rf_canonical(c->user_regs.rip))
		return false;
	for (i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		if (!rf_gva_ok(c->trap_ctxt[i].address))
			return false;
	return rf_gfn_in_memory(vcpu->vm, RF_GFN(c->ctrlreg[3] >> PAGE_SHIFT)) &&
	       (!c->ctrlreg[1] ||
		rf_gfn_in_memory(vcpu->vm, RF_GFN(c->ctrlreg[1] >> PAGE_SHIFT)));
}

static void set_context(struct rf_vcpu *vcpu, const struct vcpu_guest_context *c)
{
	const struct cpu_user_regs *u = &c->user_regs;
	struct rf_world *world = vcpu->world;
	bool kernel = c->flags & VGCF_in_kernel;
	bool mask = c->flags & VGCF_syscall_disables_events;
	unsigned int i;

	*vcpu->regs = (struct rf_regs) {
		.r15 = u->r15, .r14 = u->r14, .r13 = u->r13, .r12 = u->r12,
		.rbp = u->rbp, .rbx = u->rbx, .r11 = u->r11, .r10 = u->r10,
		.r9 = u->r9, .r8 = u->r8, .rax = u->rax, .rcx = u->rcx,
		.rdx = u->rdx, .rsi = u->rsi, .rdi = u->rdi,
		.rip = u->rip, .rsp = u->rsp,
		.cs = u->cs | 3, .ss = u->ss | 3,
		.rflags = (u->eflags & 0x250dd5) | X86_EFLAGS_IF | X86_EFLAGS_FIXED,
	};
	world->ds = u->ds;
	world->es = u->es;
	world->fs = u->fs;
	world->gs = u->gs;
	world->fs_base = c->fs_base;
	world->gs_base = kernel ? c->gs_base_kernel : c->gs_base_user;
	world->gs_base_other = kernel ? c->gs_base_user : c->gs_base_kernel;
	world->in_kernel = kernel;
	world->kernel_ss = c->kernel_ss | 3;
	world->kernel_sp = c->kernel_sp;
	vcpu->emul.iopl = (u->eflags & X86_EFLAGS_IOPL) >> X86_EFLAGS_IOPL_BIT;

	for (i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++) {
		vcpu->traps[i] = c->trap_ctxt[i];
		vcpu->traps[i].cs |= 3;
	}
	rf_vcpu_show_traps(vcpu);
	set_callback(vcpu, CALLBACKTYPE_event, c->event_callback_eip, true);
	set_callback(vcpu, CALLBACKTYPE_failsafe, c->failsafe_callback_eip,
		     c->flags & VGCF_failsafe_disables_events);
	set_callback(vcpu, CALLBACKTYPE_nmi, c->trap_ctxt[X86_TRAP_NMI].address, true);
	set_callback(vcpu, CALLBACKTYPE_syscall, c->syscall_callback_eip, mask);
	world->syscall_rip = c->syscall_callback_eip;
	world->syscall_mask = mask;

	vcpu->mmu.kernel_gfn = RF_GFN(c->ctrlreg[3] >> PAGE_SHIFT);
	vcpu->mmu.user_gfn = RF_GFN(c->ctrlreg[1] >> PAGE_SHIFT);
}

long rf_vcpu_initialise(struct rf_vcpu *vcpu, const struct vcpu_guest_context *ctxt)
{
	struct rf_vm *vm = vcpu->vm;
	long err = -EINVAL;

	mutex_lock(&vm->config_lock);
	if (vcpu->initialised) {
		err = -EEXIST;
		goto out;
	}
	if (!context_ok(vcpu, ctxt))
		goto out;
	err = rf_gdt_set(vcpu, ctxt->gdt_frames, ctxt->gdt_ents);
	if (err)
		goto out;
	set_context(vcpu, ctxt);
	vcpu->event.info->evtchn_upcall_mask = 1;
	vcpu->initialised = true;
out:
	mutex_unlock(&vm->config_lock);
	return err;
}

long rf_vcpu_up(struct rf_vcpu *vcpu)
{
	if (!READ_ONCE(vcpu->initialised))
		return -EINVAL;
	WRITE_ONCE(vcpu->halted, false);
	/* Whoever sees it up sees the state it was initialised with. */
	smp_store_release(&vcpu->online, true);
	rf_vcpu_kick(vcpu);
	return 0;
}

long rf_vcpu_down(struct rf_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->online, false);
	rf_vcpu_kick(vcpu);
	return 0;
}

/* --- create and destroy --------------------------------------------------------------- */

static int map_pages(struct rf_vcpu *vcpu)
{
	struct rf_hole *hole = vcpu->vm->hole;
	int i, err;

	err = rf_hole_map_vcpu_page(hole, vcpu->id, RF_VCPU_WORLD, vcpu->world_page, true);
	if (err)
		return err;
	/* A selector the guest has no descriptor for finds an empty one. */
	for (i = 0; i < RF_FIRST_RESERVED_GDT_PAGE; i++) {
		err = rf_hole_map_vcpu_page(hole, vcpu->id, RF_VCPU_GDT + i,
					    ZERO_PAGE(0), false);
		if (err)
			return err;
	}
	return rf_hole_map_vcpu_page(hole, vcpu->id, RF_VCPU_GDT + i,
				     rf_switcher_gdt_page, false);
}

struct rf_vcpu *rf_vcpu_create(struct rf_vm *vm, u32 id)
{
	struct rf_vcpu *vcpu;
	int err = -ENOMEM;

	vcpu = kvzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->cpu = -1;
	mutex_init(&vcpu->run_lock);
	seqcount_mutex_init(&vcpu->run_seq, &vcpu->run_lock);
	init_waitqueue_head(&vcpu->wait);
	rf_mmu_vcpu_init(vcpu);

	vcpu->world_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!vcpu->world_page)
		goto err_free;
	vcpu->world = page_address(vcpu->world_page);
	vcpu->regs = &vcpu->world->regs;
	vcpu->world_va = rf_hole_vcpu_va(vm->hole, id) + (RF_VCPU_WORLD << PAGE_SHIFT);
	vcpu->world->fast = 1;
	vcpu->world->leaves = (unsigned long)&vm->mmu.shared;
	vcpu->world->gate_mark = -1 - (s64)id;
	/* LGDT's operand: the limit sits in the last two bytes of the first word. */
	vcpu->world->gdt_limit_base[0] = (u64)(RF_GDT_BYTES - 1) << 48;
	vcpu->world->gdt_limit_base[1] = rf_hole_vcpu_va(vm->hole, id) +
					 (RF_VCPU_GDT << PAGE_SHIFT);
	err = map_pages(vcpu);
	if (err)
		goto err_page;

	err = rf_emul_vcpu_init(vcpu);
	if (err)
		goto err_page;
	err = rf_event_vcpu_init(vcpu);
	if (err)
		goto err_emul;
	return vcpu;

err_emul:
	rf_emul_vcpu_exit(vcpu);
err_page:
	rf_hole_map_vcpu_page(vm->hole, id, RF_VCPU_WORLD, NULL, false);
	__free_page(vcpu->world_page);
err_free:
	kvfree(vcpu);
	return ERR_PTR(err);
}

/* The VM's last reference is gone: nothing runs and nothing raises. */
void rf_vcpu_destroy(struct rf_vcpu *vcpu)
{
	int cpu;

	for_each_possible_cpu(cpu)
		cmpxchg(per_cpu_ptr(&last_vm, cpu), vcpu->vm, NULL);
	rf_gdt_free(vcpu);
	rf_mmu_vcpu_exit(vcpu);
	rf_emul_vcpu_exit(vcpu);
	__free_page(vcpu->world_page);
	kvfree(vcpu);
}
