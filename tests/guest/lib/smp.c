// SPDX-License-Identifier: GPL-2.0
/*
 * smp.c - more vCPUs
 */
#include "guest.h"

#define STACK_SIZE	16384

extern u8 start_cpu[];

static struct cpu cpus[MAX_CPUS];
static u8 stacks[4][STACK_SIZE] __attribute__((aligned(16)));

void cpu_start(struct cpu *cpu);

u32 cpu_count(void)
{
	u32 id;

	for (id = 0; id < ARRAY_SIZE(stacks) + 1; id++)
		if (vcpu_op(VCPUOP_is_up, id, NULL) < 0)
			break;
	return id;
}

void cpu_init_context(struct vcpu_guest_context *ctxt, struct cpu *cpu, void *stack)
{
	memset(ctxt, 0, sizeof(*ctxt));
	ctxt->flags = VGCF_IN_KERNEL;
	ctxt->user_regs.rip = (u64)start_cpu;
	ctxt->user_regs.rsp = (u64)stack;
	ctxt->user_regs.rdi = (u64)cpu;
	ctxt->user_regs.cs = FLAT_KERNEL_CS;
	ctxt->user_regs.ss = FLAT_KERNEL_SS;
	ctxt->kernel_ss = FLAT_KERNEL_SS;
	ctxt->kernel_sp = (u64)stack;
	ctxt->ctrlreg[3] = xen_pfn_to_cr3(kernel_root());
	ctxt->ctrlreg[1] = xen_pfn_to_cr3(user_root);
	ctxt->gs_base_kernel = (u64)cpu;
	ctxt->event_callback_eip = (u64)entry_event;
	ctxt->failsafe_callback_eip = (u64)entry_failsafe;
	ctxt->syscall_callback_eip = (u64)entry_syscall;
}

/* The work done, wait for more of it. */
void cpu_start(struct cpu *cpu)
{
	trap_init(cpu);
	for (;;) {
		if (__atomic_load_n(&cpu->fn, __ATOMIC_ACQUIRE)) {
			cpu->fn();
			events_off();
			__atomic_store_n(&cpu->fn, NULL, __ATOMIC_RELEASE);
		}
		relax();
	}
}

static bool cpu_create(struct cpu *cpu, u32 id)
{
	static struct vcpu_guest_context ctxt;

	if (id - 1 >= ARRAY_SIZE(stacks) || vcpu_op(VCPUOP_is_up, id, NULL) < 0)
		return false;
	cpu->id = id;
	cpu->info = &shared_info->vcpu_info[id];
	cpu_init_context(&ctxt, cpu, stacks[id - 1] + STACK_SIZE);
	if (vcpu_op(VCPUOP_initialise, id, &ctxt) || vcpu_op(VCPUOP_up, id, NULL))
		return false;
	cpu->running = true;
	return true;
}

bool cpu_run(u32 id, void (*fn)(void))
{
	struct cpu *cpu = &cpus[id];

	if (!cpu->running && !cpu_create(cpu, id))
		return false;
	cpu_wait(id);
	__atomic_store_n(&cpu->fn, fn, __ATOMIC_RELEASE);
	return true;
}

void cpu_wait(u32 id)
{
	while (__atomic_load_n(&cpus[id].fn, __ATOMIC_ACQUIRE))
		relax();
}
