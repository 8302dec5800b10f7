// SPDX-License-Identifier: GPL-2.0
/*
 * Hypercalls at random, on every vCPU at once, with arguments from a pool of
 * what hurts: the guest goes on and keeps what is its own.  With "wild=1"
 * nothing is spared, and it may die of it; the host may not.
 *
 * "seed=N" repeats one run as far as two vCPUs can, "calls=N" makes it longer.
 */
#include "guest.h"

#define NR_BUFFERS	8
#define PLAY_VA		(FREE_VA + 0x100000000UL)

static u8 *buffers[MAX_CPUS][NR_BUFFERS];
static u64 frames[16], wild, nr_calls, canary[512];

static u64 rnd(u64 *seed, u64 below)
{
	return (random64(seed) >> 20) % below;
}

static u64 interesting(u64 *seed)
{
	static const u64 pool[] = {
		0, 1, 2, 3, 4, 7, 8, 16, 31, 32, 63, 64, 255, 256, 511, 512, 1023, 4095, 4096,
		0x7fff, 0x7ff0, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, 0xe008, 0xe033,
		0x100000000, 0x7ffffffff000, 0x800000000000, 0x8000000000000000,
		0xffff7fffffffffff, 0xffff800000000000, 0xffff830000003000, 0xffff830200000000,
		0xffff87ffffffffff, 0xffff880000000000, 0xffffffff7ffff000, ~0UL, ~7UL,
		0x00affb000000ffff, 0x0000ec0000080000,
	};
	u8 **own = buffers[this_cpu()->id];

	switch (rnd(seed, 6)) {
	case 0:
		return random64(seed) >> rnd(seed, 64);
	case 1:
		return (u64)own[rnd(seed, NR_BUFFERS)] + rnd(seed, 8) * 8;
	case 2:
		return (u64)own[rnd(seed, NR_BUFFERS)] + PAGE_SIZE - rnd(seed, 64);
	case 3:
		return mkpte(frames[rnd(seed, ARRAY_SIZE(frames))],
			     rnd(seed, 2) ? PTE_RW : rnd(seed, 128));
	case 4:
		return PLAY_VA + rnd(seed, 16) * PAGE_SIZE;
	default:
		return pool[rnd(seed, ARRAY_SIZE(pool))];
	}
}

static void fill_buffers(u64 *seed)
{
	u64 *words = (u64 *)buffers[this_cpu()->id][rnd(seed, NR_BUFFERS)];
	u32 i, n = rnd(seed, 24);

	for (i = 0; i < n; i++)
		words[rnd(seed, 2) ? i : 511 - i] = interesting(seed);
}

/* Calls that would only end the run, one way or another. */
static bool is_the_end(u64 nr, const u64 *arg)
{
	switch (nr) {
	case __HYPERVISOR_iret:
	case __HYPERVISOR_set_trap_table:
	case __HYPERVISOR_set_callbacks:
	case __HYPERVISOR_callback_op:
	case __HYPERVISOR_console_io:
	case __HYPERVISOR_multicall:
	case __HYPERVISOR_mmuext_op:
	case __HYPERVISOR_mmu_update:
	case __HYPERVISOR_nmi_op:
		return true;
	case __HYPERVISOR_set_segment_base:
		return arg[0] == SEGBASE_GS_KERNEL;
	case __HYPERVISOR_sched_op:
	case __HYPERVISOR_sched_op_compat:
		return (u32)arg[0] != SCHEDOP_yield;
	case __HYPERVISOR_vcpu_op:
		return (u32)arg[0] <= VCPUOP_down || (u32)arg[0] == VCPUOP_send_nmi ||
		       (u32)arg[0] == VCPUOP_register_vcpu_info;
	case __HYPERVISOR_update_va_mapping:
		return arg[0] - PLAY_VA >= 16 * PAGE_SIZE;
	case __HYPERVISOR_set_debugreg:
		return true;
	default:
		return false;
	}
}

/* mmu_update and mmuext_op with what the others cannot spoil. */
static void touch_play_tables(u64 *seed)
{
	u64 va = PLAY_VA + rnd(seed, 16) * PAGE_SIZE;
	u64 val = mkpte(frames[rnd(seed, ARRAY_SIZE(frames))], rnd(seed, 256));

	switch (rnd(seed, 5)) {
	case 0:
		pte_write(pte_find(kernel_root(), va, 1), val & ~PTE_PS);
		break;
	case 1:
		try_write((u64)pte_find(kernel_root(), va, 1), val);
		break;
	case 2:
		rnd(seed, 2) ? flush_tlb_all() : flush_tlb_local();
		break;
	case 3:
		try_write(va + 8 * rnd(seed, 512), val);
		break;
	default:
		try_read(va + 8 * rnd(seed, 512), NULL);
		break;
	}
}

static void fuzz(void)
{
	u64 seed = cmdline_number("seed=", 1) + 7919 * this_cpu()->id, i, j;

	for (i = 0; i < nr_calls; i++) {
		u64 nr = rnd(&seed, 64), arg[5];

		fill_buffers(&seed);
		for (j = 0; j < ARRAY_SIZE(arg); j++)
			arg[j] = interesting(&seed);
		if (nr >= 42)
			nr = rnd(&seed, 2) ? __HYPERVISOR_event_channel_op : __HYPERVISOR_vcpu_op;
		if (nr == __HYPERVISOR_event_channel_op || nr == __HYPERVISOR_vcpu_op ||
		    nr == __HYPERVISOR_memory_op || nr == __HYPERVISOR_mmuext_op)
			arg[0] = rnd(&seed, 16);
		if (nr == __HYPERVISOR_vcpu_op)
			arg[1] = rnd(&seed, 3);
		/* Death comes soon enough. */
		if (is_the_end(nr, arg) && (!wild || rnd(&seed, 32)))
			touch_play_tables(&seed);
		else
			hypercall(nr, arg[0], arg[1], arg[2], arg[3], arg[4]);
	}
}

static void set_up(void)
{
	u32 cpu, i;

	print("# seed=%lu\n", cmdline_number("seed=", 1));
	wild = cmdline_number("wild=", 0);
	nr_calls = cmdline_number("calls=", 5000);
	for (cpu = 0; cpu < 4; cpu++)
		for (i = 0; i < NR_BUFFERS; i++)
			buffers[cpu][i] = page_alloc();
	for (i = 0; i < ARRAY_SIZE(frames); i++)
		frames[i] = mfn_of(page_alloc());
	for (i = 0; i < 16; i++)
		map(kernel_root(), PLAY_VA + i * PAGE_SIZE, 0);
	for (i = 0; i < ARRAY_SIZE(canary); i++)
		canary[i] = i * 0x9e3779b97f4a7c15;
}

static void the_guest_goes_on(void)
{
	u32 i, cpus = cpu_count();

	for (i = 1; i < cpus; i++)
		EXPECT(cpu_run(i, fuzz));
	fuzz();
	for (i = 1; i < cpus; i++)
		cpu_wait(i);
	for (i = 0; i < ARRAY_SIZE(canary); i++)
		if (canary[i] != i * 0x9e3779b97f4a7c15)
			break;
	EXPECT_EQ(i, ARRAY_SIZE(canary));
	EXPECT_EQ(xen_version(XENVER_pagesize, NULL), 4096);
	EXPECT_EQ(TRY("ud2"), 6);
}

GUEST_TEST(CASE(set_up), CASE(the_guest_goes_on));
