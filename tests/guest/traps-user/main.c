// SPDX-License-Identifier: GPL-2.0
/*
 * A trap in user mode enters the guest kernel on the stack named by
 * stack_switch, with the kernel's %gs, a frame that says RPL 3, and the user bit
 * in a page fault's error code.  INT n goes by the DPL the trap table gave.
 *
 * It may not, since user mode and kernel mode are both ring 3: only the
 * hypervisor's book-keeping tells them apart.
 */
#include "guest.h"

USER_ASM(code_ud, "nop; nop; ud2");
USER_ASM(code_div, "xorl %ecx, %ecx; divl %ecx");
USER_ASM(code_bp, "int3");
USER_ASM(code_of, "int $4");
USER_ASM(code_80, "int $0x80");
USER_ASM(code_81, "int $0x81");
USER_ASM(code_13, "int $13");
USER_ASM(code_hlt, "hlt");
USER_ASM(code_cli, "cli");
USER_ASM(code_cr3, "movq %cr3, %rax");
USER_ASM(code_msr, "rdmsr");
USER_ASM(code_in, "inb $0x60, %al");
USER_ASM(code_read, "movq (%rdi), %rax; ud2");
USER_ASM(code_write, "movq %rax, (%rdi); ud2");
USER_ASM(code_jump, "jmp *%rdi");
USER_ASM(code_step, "pushfq; orq $0x100, (%rsp); popfq; nop; nop");
USER_ASM(code_flags, "std; stc; ud2");
USER_ASM(code_gs, "movq %gs:(%rdi), %rax; ud2");

static struct regs r;

static u64 run(const u8 *code)
{
	r = user_regs(code);
	return user_run(&r);
}

static u64 run_at(const u8 *code, u64 rdi)
{
	r = user_regs(code);
	r.rdi = rdi;
	return user_run(&r);
}

static void a_frame_says_user(void)
{
	r = user_regs(code_ud);
	r.rax = 0x1111111111111111;
	r.rcx = 0x2222222222222222;
	r.r11 = 0x3333333333333333;
	r.r15 = 0x4444444444444444;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rip, user_va(code_ud) + 2);
	EXPECT_EQ(r.cs, FLAT_USER_CS64);
	EXPECT_EQ(r.ss, FLAT_USER_SS);
	EXPECT_EQ(r.rsp, USER_STACK);
	EXPECT_EQ(r.rflags & (FLAGS_IF | FLAGS_IOPL), FLAGS_IF);
	EXPECT_EQ(r.rax, 0x1111111111111111);
	EXPECT_EQ(r.rcx, 0x2222222222222222);
	EXPECT_EQ(r.r11, 0x3333333333333333);
	EXPECT_EQ(r.r15, 0x4444444444444444);
	EXPECT_EQ(r.entry_cs, FLAT_KERNEL_CS);
	EXPECT_EQ(r.entry_ss, FLAT_KERNEL_SS);
}

static void exceptions_have_their_vectors(void)
{
	EXPECT_EQ(run(code_div), 0);
	EXPECT_EQ(run(code_bp), 3);
	EXPECT_EQ(r.rip, user_va(code_bp) + 1);
	EXPECT_EQ(run(code_of), 4);
	EXPECT_EQ(r.rip, user_va(code_of) + 2);
}

static void int_n_goes_by_the_dpl(void)
{
	EXPECT_EQ(run(code_80), 0x80);
	EXPECT_EQ(r.rip, user_va(code_80) + 2);
	EXPECT_EQ(run(code_81), 13);
	EXPECT_EQ(r.error, 0x81 * 8 + 2);
	EXPECT_EQ(r.rip, user_va(code_81));
	EXPECT_EQ(run(code_13), 13);
	EXPECT_EQ(r.error, 13 * 8 + 2);
}

static void privileged_instructions_fault(void)
{
	const u8 *const codes[] = { code_hlt, code_cli, code_cr3, code_msr, code_in };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		EXPECT_EQ(run(codes[i]), 13);
		EXPECT_EQ(r.error, 0);
		EXPECT_EQ(r.rip, user_va(codes[i]));
	}
}

static void page_faults_have_the_user_bit(void)
{
	EXPECT_EQ(run_at(code_read, 0x700000), 14);
	EXPECT_EQ(r.error, PF_U);
	EXPECT_EQ(this_cpu()->info->arch.cr2, 0x700000);
	EXPECT_EQ(run_at(code_write, 0x700008), 14);
	EXPECT_EQ(r.error, PF_U | PF_W);
	EXPECT_EQ(run_at(code_write, USER_CODE), 14);
	EXPECT_EQ(r.error, PF_U | PF_W | PF_P);
	EXPECT_EQ(run_at(code_read, USER_CODE), 6);
	EXPECT_EQ(run_at(code_jump, 0x700000), 14);
	EXPECT_EQ(r.error & ~PF_FETCH, PF_U);
	EXPECT_EQ(r.rip, 0x700000);
}

static void the_kernel_is_out_of_reach(void)
{
	EXPECT_EQ(run_at(code_read, (u64)&r), 14);
	EXPECT_EQ(r.error, PF_U);
	EXPECT_EQ(run_at(code_write, va_of(kernel_root())), 14);
	EXPECT_EQ(r.error, PF_U | PF_W);
	EXPECT_EQ(run_at(code_jump, (u64)trap_stubs), 14);
	EXPECT_EQ(run_at(code_read, 0xffff800000000000UL), 14);
	EXPECT_EQ(r.error & ~PF_P, PF_U);
	EXPECT_EQ(run_at(code_read, 0x8000000000000000UL), 13);
}

static void single_step(void)
{
	set_debugreg(6, 0);
	EXPECT_EQ(run(code_step), 1);
	EXPECT_EQ(r.rflags & FLAGS_TF, FLAGS_TF);
	EXPECT_EQ(r.entry_flags & FLAGS_TF, 0);
	EXPECT_EQ(get_debugreg(6) & (1 << 14), 1 << 14);
}

static void flags_are_kept(void)
{
	EXPECT_EQ(run(code_flags), 6);
	EXPECT_EQ(r.rflags & (FLAGS_CF | FLAGS_DF), FLAGS_CF | FLAGS_DF);
	EXPECT_EQ(r.entry_flags & FLAGS_NT, 0);
}

static void each_mode_has_its_gs(void)
{
	user_data[1] = 0x5555555555555555;
	EXPECT_EQ(set_segment_base(SEGBASE_GS_USER, USER_DATA), 0);
	EXPECT_EQ(run_at(code_gs, 8), 6);
	EXPECT_EQ(r.rax, 0x5555555555555555);
	EXPECT_EQ(this_cpu(), this_cpu()->self);
	EXPECT_EQ(run_at(code_gs, 8), 6);
	EXPECT_EQ(r.rax, 0x5555555555555555);
	set_segment_base(SEGBASE_GS_USER, 0);
}

GUEST_TEST(CASE(a_frame_says_user), CASE(exceptions_have_their_vectors),
	   CASE(int_n_goes_by_the_dpl), CASE(privileged_instructions_fault),
	   CASE(page_faults_have_the_user_bit), CASE(the_kernel_is_out_of_reach),
	   CASE(single_step), CASE(flags_are_kept), CASE(each_mode_has_its_gs));
