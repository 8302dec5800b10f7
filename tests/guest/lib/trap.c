// SPDX-License-Identifier: GPL-2.0
/*
 * trap.c - what to do about a trap
 */
#include "guest.h"

_Static_assert(offsetof(struct regs, r15) == REGS_R15, "regs.h");
_Static_assert(offsetof(struct regs, vector) == REGS_VECTOR, "regs.h");
_Static_assert(offsetof(struct regs, rip) == REGS_RIP, "regs.h");
_Static_assert(offsetof(struct cpu, self) == CPU_SELF, "regs.h");
_Static_assert(offsetof(struct cpu, user_sp) == CPU_USER_SP, "regs.h");
_Static_assert(offsetof(struct cpu, kernel_sp) == CPU_KERNEL_SP, "regs.h");
_Static_assert(offsetof(struct cpu, iret_offset) == CPU_IRET_OFFSET, "regs.h");

struct ex_entry {
	u64 start;
	u64 end;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];

bool (*trap_hook)(struct regs *regs);

void trap(struct regs *regs);

/* A trap of the instruction in a TRY(): remember it, and go on behind it. */
static bool trap_caught(struct regs *regs)
{
	const struct ex_entry *entry;

	for (entry = ex_table_start; entry < ex_table_end; entry++) {
		if (regs->rip < entry->start || regs->rip > entry->end)
			continue;
		this_cpu()->last = *regs;
		regs->rip = entry->end;
		regs->rflags &= ~(FLAGS_TF | FLAGS_AC);
		return true;
	}
	return false;
}

static void trap_fatal(const struct regs *regs)
{
	print("# vCPU %u: trap %lu (error %#lx) at %#lx, cs %#lx, rsp %#lx, cr2 %#lx\n",
	      this_cpu()->id, regs->vector, regs->error, regs->rip, regs->cs, regs->rsp,
	      this_cpu()->info->arch.cr2);
	print("not ok 9999 the guest went astray\n");
	shut_down(SHUTDOWN_crash);
}

void trap(struct regs *regs)
{
	bool from_user = (regs->cs & 3) == 3;
	struct cpu *cpu;

	/* A test may have to mend %gs first. */
	if (trap_hook && trap_hook(regs))
		return;
	cpu = this_cpu();
	if (regs->vector == VEC_EVENT) {
		event_upcall();
		return;
	}
	if (from_user && cpu->user) {
		*cpu->user = *regs;
		cpu->user = NULL;
		events_off();
		user_leave();
	}
	if (!from_user && trap_caught(regs))
		return;
	trap_fatal(regs);
}

/* A call to nowhere is caught at its target; only the stack knows whence. */
static u64 call_back;

static bool call_hook(struct regs *regs)
{
	if (regs->vector != 14 && regs->vector != 13)
		return false;
	this_cpu()->last = *regs;
	regs->rip = call_back;
	regs->rsp += 8;
	return true;
}

u64 try_call(u64 va)
{
	bool (*hook)(struct regs *regs) = trap_hook;

	trap_hook = call_hook;
	this_cpu()->last.vector = VEC_NONE;
	asm volatile("leaq 1f(%%rip), %%rax\n"
		     "movq %%rax, %0\n"
		     "call *%1\n"
		     "1:"
		     : "=m" (call_back)
		     : "r" (va)
		     : "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory");
	trap_hook = hook;
	return this_cpu()->last.vector;
}

long callback_register(u16 type, u16 flags, void *address)
{
	struct callback_register op = {
		.type = type, .flags = flags, .address = (u64)address,
	};

	return callback_op(CALLBACKOP_register, &op);
}

/* One entry for every vector, and the end; user mode may INT 3, 4 and 0x80. */
void trap_table_init(struct trap_info *table)
{
	int i;

	for (i = 0; i < 256; i++) {
		table[i].vector = i;
		table[i].flags = i == 3 || i == 4 || i == 0x80 ? 3 : 0;
		table[i].cs = FLAT_KERNEL_CS;
		table[i].address = (u64)(trap_stubs + 16 * i);
	}
	table[i].address = 0;
}

void trap_init(struct cpu *cpu)
{
	static struct trap_info table[257];

	cpu->self = cpu;
	set_segment_base(SEGBASE_GS_KERNEL, (u64)cpu);
	trap_table_init(table);
	set_trap_table(table);
	callback_register(CALLBACKTYPE_event, 0, entry_event);
	callback_register(CALLBACKTYPE_failsafe, CALLBACKF_mask_events, entry_failsafe);
	callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events, entry_syscall);
	callback_register(CALLBACKTYPE_syscall32, CALLBACKF_mask_events, entry_syscall32);
	callback_register(CALLBACKTYPE_sysenter, CALLBACKF_mask_events, entry_sysenter);
}
