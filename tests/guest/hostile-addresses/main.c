// SPDX-License-Identifier: GPL-2.0
/*
 * Addresses at the edges: a SYSCALL whose return address is no address, stack
 * pointers of 0, near 2^64, in the hypervisor's range or non-canonical, frames
 * over the end of the address space.  Each ends in a trap of the guest's.
 *
 * It may not: SYSRET to a non-canonical address faults in ring 0 with the user's
 * stack, and a frame pushed at a user's stack pointer is written by the
 * hypervisor.
 */
#include "guest.h"

#define EDGE		0x7ffffffff000UL	/* last page of the lower half */
#define TOP		0xfffffffffffff000UL	/* last page of all */

USER_ASM(code_syscall, "syscall");
USER_ASM(code_int80, "int $0x80");
USER_ASM(code_ud, "ud2");
USER_ASM(code_sysenter32, ".code32; sysenter; .code64");
USER_ASM(code_push, "pushq %rax; ud2");

static struct regs r;

static const u64 stacks[] = {
	0, 8, 0x1000, EDGE + 0x1000, EDGE + 0x1008, 0x8000000000000000, 0xffff7ffffffffff8,
	0xffff800000000000, 0xffff830000000000, 0xffff830000003000, 0xffff8302000003ff,
	0xffff880000000000, 0xfffffffffffffff8, 0xffffffffffffffff, 0xff00000000000000,
};

static void the_users_stack_does_not_matter(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(stacks); i++) {
		r = user_regs(code_syscall);
		r.rsp = stacks[i];
		EXPECT_EQ(user_run(&r), VEC_SYSCALL);
		EXPECT_EQ(r.rsp, stacks[i]);
		r = user_regs(code_int80);
		r.rsp = stacks[i];
		EXPECT_EQ(user_run(&r), 0x80);
		EXPECT_EQ(r.rsp, stacks[i]);
		r = user_regs(code_ud);
		r.rsp = stacks[i];
		EXPECT_EQ(user_run(&r), 6);
		EXPECT_EQ(r.rsp, stacks[i]);
		r = user_regs(code_sysenter32);
		r.cs = FLAT_USER_CS32;
		r.rsp = stacks[i];
		EXPECT_EQ(user_run(&r), VEC_SYSENTER);
	}
}

/* A push there is the user's own fault: #PF, #GP, or on real hardware #SS. */
static void a_push_there_is_a_fault(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(stacks); i++) {
		u64 vector;

		r = user_regs(code_push);
		r.rsp = stacks[i];
		vector = user_run(&r);
		if (stacks[i] == EDGE + 0x1000 && vector == 6)
			continue;
		EXPECT(vector == 14 || vector == 13 || vector == 12);
	}
}

static u64 edge_mfn;

static void map_edges(void)
{
	u8 *page = page_alloc();

	edge_mfn = mfn_of(page);
	page[4094] = 0x0f;
	page[4095] = 0x05;
	map(kernel_root(), EDGE, mkpte(edge_mfn, PTE_RW));
	map(kernel_root(), TOP, mkpte(edge_mfn, PTE_RW));
	pte_write(&((u64 *)va_of(user_root))[255], ((u64 *)va_of(kernel_root()))[255]);
}

/* The return address is the first beyond the lower half. */
static void a_syscall_at_the_edge(void)
{
	u64 vector;

	r = user_regs(code_ud);
	r.rip = EDGE + 4094;
	EXPECT_EQ(user_run(&r), VEC_SYSCALL);
	EXPECT_EQ(r.rip, EDGE + 4096);
	EXPECT_EQ(r.rcx, EDGE + 4096);
	/* And back there, as SYSRET and as IRET. */
	this_cpu()->user = &r;
	user_enter(&r, VGCF_in_syscall);
	vector = r.vector;
	EXPECT(vector == 13 || vector == VEC_FAILSAFE);
	EXPECT_EQ(r.rip, EDGE + 4096);
	r = user_regs(code_ud);
	r.rip = EDGE + 4096;
	vector = user_run(&r);
	EXPECT(vector == 13 || vector == VEC_FAILSAFE);
}

static struct regs where;
static u64 back_rip, back_rsp;

static bool come_back(struct regs *regs)
{
	if (regs->vector == VEC_EVENT)
		return false;
	where = *regs;
	regs->rip = back_rip;
	regs->rsp = back_rsp;
	regs->cs = FLAT_KERNEL_CS & ~3;
	return true;
}

/* The same from the guest kernel: a hypercall that returns to no address. */
static u64 hypercall_at(u64 va, u64 nr, u64 arg1, u64 arg2)
{
	trap_hook = come_back;
	asm volatile("leaq 1f(%%rip), %%rcx; movq %%rcx, %0\n"
		     "movq %%rsp, %1\n"
		     "jmp *%2\n"
		     "1:"
		     : "=m" (back_rip), "=m" (back_rsp), "+r" (va), "+a" (nr), "+D" (arg1),
		       "+S" (arg2)
		     : : "rcx", "rdx", "r8", "r9", "r10", "r11", "memory");
	trap_hook = NULL;
	return where.vector;
}

static void a_hypercall_at_the_edge(void)
{
	static const u64 calls[][3] = {
		{ __HYPERVISOR_xen_version, XENVER_version, 0 },
		{ __HYPERVISOR_xen_version, XENVER_pagesize, 0 },
		{ __HYPERVISOR_set_segment_base, SEGBASE_FS, 0 },
		{ __HYPERVISOR_stack_switch, FLAT_KERNEL_SS, 0x1000 },
		{ 1000, 0, 0 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		u64 vector = hypercall_at(EDGE + 4094, calls[i][0], calls[i][1], calls[i][2]);

		EXPECT(vector == 13 || vector == VEC_FAILSAFE);
		EXPECT_EQ(where.rip, EDGE + 4096);
		/* At the end of all addresses the next one is 0. */
		vector = hypercall_at(TOP + 4094, calls[i][0], calls[i][1], calls[i][2]);
		EXPECT_EQ(vector, 14);
		EXPECT_EQ(where.rip, 0);
	}
}

/* In user mode the kernel's half is not there at all. */
static void the_users_last_page_is_not_there(void)
{
	r = user_regs(code_ud);
	r.rip = TOP + 4094;
	EXPECT_EQ(user_run(&r), 14);
	EXPECT_EQ(r.rip, TOP + 4094);
}

/*
 * Where the host has 57 bits of address, a guest has 48 nevertheless.  A guest
 * kernel may check a program's pointer by its sign only, for it relies on the
 * fault; and what is there must not be the kernel by another address.
 */
static void an_address_of_57_bits_is_none(void)
{
	static u64 secret = 1;
	u64 low = (u64)&secret & 0x0000ffffffffffff, value = 0;
	u64 high = USER_DATA | 0xffff000000000000;
	u64 vector;

	EXPECT_EQ(READ_ONCE(secret), 1);
	vector = try_read(low, &value);
	EXPECT(vector == 13 || vector == 14);
	EXPECT_EQ(value, 0);
	vector = try_write(low, 2);
	EXPECT(vector == 13 || vector == 14);
	EXPECT_EQ(READ_ONCE(secret), 1);
	EXPECT_EQ(READ_ONCE(*(u64 *)USER_DATA) * 0, 0);
	EXPECT(try_read(high, NULL) != VEC_NONE);
	EXPECT_EQ(try_read(MACH2PHYS_VIRT_START, NULL), VEC_NONE);
	EXPECT(try_read(MACH2PHYS_VIRT_START & 0x0000ffffffffffff, NULL) != VEC_NONE);
	EXPECT(try_read(0x0000830000000000, NULL) != VEC_NONE);
}

/* Code of 32 bits cannot leave the first 4 GiB. */
static void code_of_32_bits_at_the_edge(void)
{
	u64 vector;

	r = user_regs(code_ud);
	r.cs = FLAT_USER_CS32;
	r.rip = 0xffffffff00000000 | user_va(code_ud);
	vector = user_run(&r);
	EXPECT(vector == 6 || vector == VEC_FAILSAFE || vector == 13);
}

/* Arguments that wrap around the end of the address space. */
static void buffers_that_wrap(void)
{
	EXPECT_EQ(console_io(CONSOLEIO_write, 100, (void *)0xfffffffffffffff0), -EFAULT);
	EXPECT_EQ(mmu_update((void *)0xfffffffffffffff8, 2, NULL), -EFAULT);
	EXPECT_EQ(mmu_update((void *)0xfffffffffffffff0, 60000, NULL), -EFAULT);
	EXPECT_EQ(multicall((void *)0xffffffffffffffe0, 2), -EFAULT);
	EXPECT_EQ(multicall((void *)(EDGE + 4096 - 8), 2), -EFAULT);
	EXPECT_EQ(set_trap_table((void *)0xfffffffffffffffa), -EFAULT);
}

GUEST_TEST(CASE(the_users_stack_does_not_matter), CASE(a_push_there_is_a_fault),
	   CASE(map_edges), CASE(a_syscall_at_the_edge), CASE(a_hypercall_at_the_edge),
	   CASE(the_users_last_page_is_not_there), CASE(code_of_32_bits_at_the_edge),
	   CASE(buffers_that_wrap), CASE(an_address_of_57_bits_is_none));
