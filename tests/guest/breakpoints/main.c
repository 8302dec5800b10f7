// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's four breakpoints stop its own kernel and its own programs, at the
 * instruction, after the access, and nowhere else; what they hit while the
 * hypervisor works for the guest is nobody's.
 *
 * It may be the host's: they are armed in the CPU while the guest runs, and MOV
 * to %ss holds one back until after a SYSCALL, in ring 0.
 */
#include "guest.h"

#define DR7(_n, _type, _len) \
	((2UL << ((_n) * 2)) | (u64)((_type) | (_len) << 2) << (16 + (_n) * 4))
#define EXEC	0
#define WRITE	1
#define ACCESS	3

USER_ASM(code_nop, "nop; nop; ud2");
USER_ASM(code_write, "movq %rax, (%rdi); nop; ud2");
USER_ASM(code_ss_syscall, "movw (%rdi), %ss; syscall");
USER_ASM(code_ss_int, "movw (%rdi), %ss; int $0x80");
USER_ASM(code_ss_int3, "movw (%rdi), %ss; int3");
USER_ASM(code_ss_ud, "movw (%rdi), %ss; ud2");
USER_ASM(code_icebp, ".byte 0xf1; ud2");

static struct regs r;

static void arm(int n, u64 address, u64 type, u64 len)
{
	EXPECT_EQ(set_debugreg(n, address), 0);
	EXPECT_EQ(set_debugreg(6, 0), 0);
	EXPECT_EQ(set_debugreg(7, DR7(n, type, len) | 0x400), 0);
}

static void disarm(void)
{
	set_debugreg(7, 0x400);
}

static void at_an_instruction_of_a_program(void)
{
	arm(0, user_va(code_nop) + 1, EXEC, 0);
	r = user_regs(code_nop);
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rip, user_va(code_nop) + 1);
	EXPECT_EQ(get_debugreg(6) & 15, 1);
	/* With RF it goes on over it. */
	r.rflags |= 1UL << 16;
	EXPECT_EQ(user_run(&r), 6);
	disarm();
}

static void after_a_write_of_a_program(void)
{
	arm(3, USER_DATA + 8, WRITE, 2);
	r = user_regs(code_write);
	r.rdi = USER_DATA + 8;
	r.rax = 0x77;
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rip, user_va(code_write) + 3);
	EXPECT_EQ(user_data[1], 0x77);
	EXPECT_EQ(get_debugreg(6) & 15, 8);
	disarm();
	r = user_regs(code_write);
	r.rdi = USER_DATA + 8;
	EXPECT_EQ(user_run(&r), 6);
}

static u64 watched;

static void in_the_guest_kernel(void)
{
	arm(1, (u64)&watched, WRITE, 2);
	EXPECT_EQ(TRY("movq $5, %0; nop", : "+m" (watched)), 1);
	EXPECT_EQ(get_debugreg(6) & 15, 2);
	disarm();
	EXPECT_EQ(TRY("movq $5, %0; nop", : "+m" (watched)), VEC_NONE);
}

/* The hypervisor writes where the breakpoint is, for the guest. */
static void a_hypercall_does_not_stop(void)
{
	static struct xen_platform_parameters platform;

	arm(0, (u64)&platform, ACCESS, 2);
	EXPECT_EQ(xen_version(XENVER_platform_parameters, &platform), 0);
	disarm();
	EXPECT_EQ(platform.virt_start, 0xffff800000000000);
	/* And the frame of a system call. */
	this_cpu()->kernel_sp = (u64)page_alloc() + PAGE_SIZE;
	arm(0, this_cpu()->kernel_sp - 16, WRITE, 2);
	r = user_regs(code_ss_ud);
	r.rdi = USER_DATA + 0x100;
	user_data[0x20] = FLAT_USER_SS;
	EXPECT_EQ(user_run(&r), 6);
	disarm();
	this_cpu()->kernel_sp = 0;
}

/* MOV to %ss holds the breakpoint of its operand back by one instruction. */
static void held_back_into_ring_0(void)
{
	static const struct {
		const u8 *code;
		u64 vector;
	} cases[] = {
		{ code_ss_syscall, VEC_SYSCALL }, { code_ss_int, 0x80 }, { code_ss_int3, 3 },
		{ code_ss_ud, 6 },
	};
	u32 i;

	user_data[0x20] = FLAT_USER_SS;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 vector;

		arm(2, USER_DATA + 0x100, ACCESS, 1);
		r = user_regs(cases[i].code);
		r.rdi = USER_DATA + 0x100;
		vector = user_run(&r);
		if (vector == 1)
			vector = user_run(&r);
		EXPECT_EQ(vector, cases[i].vector);
		disarm();
	}
	/* The same with TF. */
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 vector, steps = 0;

		r = user_regs(cases[i].code);
		r.rdi = USER_DATA + 0x100;
		r.rflags |= FLAGS_TF;
		do {
			vector = user_run(&r);
		} while (vector == 1 && ++steps < 4);
		EXPECT_EQ(vector, cases[i].vector);
	}
}

static void icebp_is_a_debug_trap(void)
{
	r = user_regs(code_icebp);
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rip, user_va(code_icebp) + 1);
}

GUEST_TEST(CASE(at_an_instruction_of_a_program), CASE(after_a_write_of_a_program),
	   CASE(in_the_guest_kernel), CASE(a_hypercall_does_not_stop),
	   CASE(held_back_into_ring_0), CASE(icebp_is_a_debug_trap));
