// SPDX-License-Identifier: GPL-2.0
/*
 * The four ways to call a kernel: SYSCALL, SYSCALL and SYSENTER from 32-bit
 * code, INT 0x80.  Each comes to the callback registered for it, with the user's
 * registers and none of the user's dangerous flags.
 *
 * It may not, for SYSCALL and SYSENTER keep nothing of the user's stack, and on
 * Xen itself a user's DF reaches the kernel.
 */
#include "guest.h"

USER_ASM(code_syscall, "syscall");
USER_ASM(code_std, "std; stc; syscall");
USER_ASM(code_step, "pushfq; orq $0x100, (%rsp); popfq; syscall; nop; nop; ud2");
USER_ASM(code_ac, "pushfq; orq $0x244000, (%rsp); popfq; syscall");
USER_ASM(code32_int80, ".code32; int $0x80; .code64");
USER_ASM(code32_syscall, ".code32; std; syscall; .code64");
USER_ASM(code32_sysenter, ".code32; std; sysenter; .code64");
USER_ASM(code_sysenter, "sysenter");

static struct regs r;

static u64 run(const u8 *code)
{
	r = user_regs(code);
	return user_run(&r);
}

static u64 run32(const u8 *code)
{
	r = user_regs(code);
	r.cs = FLAT_USER_CS32;
	return user_run(&r);
}

static void syscall_keeps_what_it_says(void)
{
	r = user_regs(code_syscall);
	r.rax = 39;
	r.rdi = 1;
	r.rsi = 2;
	r.r10 = 0x8877665544332211;
	r.rbx = 0x1122334455667788;
	EXPECT_EQ(user_run(&r), VEC_SYSCALL);
	EXPECT_EQ(r.rax, 39);
	EXPECT_EQ(r.rdi, 1);
	EXPECT_EQ(r.rsi, 2);
	EXPECT_EQ(r.r10, 0x8877665544332211);
	EXPECT_EQ(r.rbx, 0x1122334455667788);
	EXPECT_EQ(r.rip, user_va(code_syscall) + 2);
	EXPECT_EQ(r.rcx, r.rip);
	EXPECT_EQ(r.r11, 0x202);
	EXPECT_EQ(r.rflags, 0x202);
	EXPECT_EQ(r.rsp, USER_STACK);
	EXPECT_EQ(r.cs, FLAT_USER_CS64);
	EXPECT_EQ(r.ss, FLAT_USER_SS);
}

static void the_callback_masks_events_if_it_said_so(void)
{
	u8 mask;

	callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events, entry_syscall);
	EXPECT_EQ(run(code_syscall), VEC_SYSCALL);
	EXPECT_EQ(r.cs >> 32, 0);
	r = user_regs(code_syscall);
	r.rflags &= ~FLAGS_IF;
	EXPECT_EQ(user_run(&r), VEC_SYSCALL);
	mask = r.cs >> 32;
	EXPECT_EQ(mask, 1);
	EXPECT_EQ(r.rflags & FLAGS_IF, 0);
}

#define DANGEROUS	(FLAGS_TF | FLAGS_DF | FLAGS_NT | FLAGS_AC)

static void flags_of_the_user_stay_outside(void)
{
	EXPECT_EQ(run(code_std), VEC_SYSCALL);
	EXPECT_EQ(r.entry_flags & DANGEROUS, 0);
	EXPECT_EQ(r.rflags & (FLAGS_DF | FLAGS_CF), FLAGS_DF | FLAGS_CF);
	EXPECT_EQ(r.r11 & (FLAGS_DF | FLAGS_CF), FLAGS_DF | FLAGS_CF);
	EXPECT_EQ(run(code_ac), VEC_SYSCALL);
	EXPECT_EQ(r.entry_flags & DANGEROUS, 0);
	EXPECT_EQ(r.rflags & (FLAGS_AC | FLAGS_ID), FLAGS_AC | FLAGS_ID);
}

/* A debugger steps over SYSCALL: the next trap is behind the next instruction. */
static void syscall_can_be_stepped_over(void)
{
	u64 vector = run(code_step);

	while (vector == 1 && r.rip < user_va(code_step) + 10)
		vector = user_run(&r);
	EXPECT_EQ(vector, VEC_SYSCALL);
	EXPECT_EQ(r.rflags & FLAGS_TF, FLAGS_TF);
	EXPECT_EQ(r.entry_flags & FLAGS_TF, 0);
	EXPECT_EQ(user_run(&r), 1);
	EXPECT(r.rip > user_va(code_step) + 11);
}

static void int80_from_32_bits(void)
{
	EXPECT_EQ(run32(code32_int80), 0x80);
	EXPECT_EQ(r.rip, user_va(code32_int80) + 2);
	EXPECT_EQ(r.cs, FLAT_USER_CS32);
	EXPECT_EQ(r.rsp, USER_STACK);
}

/* Only AMD's CPUs have it; on Intel's it is an undefined instruction. */
static void syscall_from_32_bits(void)
{
	u64 vector = run32(code32_syscall);

	if (vector == 6) {
		test_skip("this CPU has no 32-bit SYSCALL");
		return;
	}
	EXPECT_EQ(vector, VEC_SYSCALL32);
	EXPECT_EQ(r.rip, user_va(code32_syscall) + 3);
	EXPECT_EQ(r.cs, FLAT_USER_CS32);
	EXPECT_EQ(r.ss, FLAT_USER_SS);
	EXPECT_EQ(r.rsp, USER_STACK);
	EXPECT_EQ(r.entry_flags & DANGEROUS, 0);
	EXPECT_EQ(r.rflags & FLAGS_DF, FLAGS_DF);
}

/* SYSENTER keeps neither RIP nor RSP: the vDSO has them elsewhere. */
static void sysenter_from_32_bits(void)
{
	r = user_regs(code32_sysenter);
	r.cs = FLAT_USER_CS32;
	r.rbp = 0x12345678;
	EXPECT_EQ(user_run(&r), VEC_SYSENTER);
	EXPECT_EQ(r.cs & 3, 3);
	EXPECT_EQ(r.ss, FLAT_USER_SS);
	EXPECT_EQ(r.rbp, 0x12345678);
	EXPECT_EQ(r.entry_flags & DANGEROUS, 0);
	EXPECT_EQ(r.rflags & FLAGS_IF, FLAGS_IF);
}

/* As on a bare machine, where Linux leaves the MSR at its 32-bit entry. */
static void sysenter_from_64_bits(void)
{
	u64 vector = run(code_sysenter);

	EXPECT(vector == VEC_SYSENTER || vector == 6);
}

/* The slow road: no callback registered means #UD and #GP. */
static void without_a_callback(void)
{
	callback_register(CALLBACKTYPE_syscall, 0, NULL);
	EXPECT_EQ(run(code_syscall), 6);
	EXPECT_EQ(callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events,
				    entry_syscall), 0);
	EXPECT_EQ(run(code_syscall), VEC_SYSCALL);
}

GUEST_TEST(CASE(syscall_keeps_what_it_says), CASE(the_callback_masks_events_if_it_said_so),
	   CASE(flags_of_the_user_stay_outside), CASE(syscall_can_be_stepped_over),
	   CASE(int80_from_32_bits), CASE(syscall_from_32_bits), CASE(sysenter_from_32_bits),
	   CASE(sysenter_from_64_bits), CASE(without_a_callback));
