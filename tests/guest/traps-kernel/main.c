// SPDX-License-Identifier: GPL-2.0
/*
 * A trap of the guest kernel comes to the handler it named, on the stack it is
 * on, with the frame the ABI describes: RPL 0 in %cs though the CPU says 3, the
 * event mask above it, IF as its opposite, the CPU's error code.
 *
 * It may not, if the hypervisor takes the trap for its own, for a user's, or
 * passes on what it saw of it: an error code with the user bit, a stack with a
 * hole, TF or AC still on.
 */
#include "guest.h"

static const struct regs *last(void)
{
	return &this_cpu()->last;
}

static void a_frame_says_kernel_and_masked(void)
{
	u64 sp;

	EXPECT_EQ(TRY("movq %%rsp, %0; ud2", : "=r" (sp)), 6);
	EXPECT_EQ(last()->cs, (1UL << 32) | (FLAT_KERNEL_CS & ~3));
	EXPECT_EQ(last()->ss, FLAT_KERNEL_SS);
	EXPECT_EQ(last()->rflags & FLAGS_IF, 0);
	EXPECT_EQ(last()->rsp, sp);
	EXPECT_EQ(last()->entry_cs, FLAT_KERNEL_CS);
	EXPECT_EQ(last()->entry_ss, FLAT_KERNEL_SS);
	EXPECT_EQ(last()->entry_flags & (FLAGS_TF | FLAGS_NT | FLAGS_AC), 0);
}

static void a_frame_says_unmasked(void)
{
	this_cpu()->info->evtchn_upcall_mask = 0;
	EXPECT_EQ(TRY("ud2"), 6);
	EXPECT_EQ(last()->cs, FLAT_KERNEL_CS & ~3);
	EXPECT_EQ(last()->rflags & FLAGS_IF, FLAGS_IF);
	/* The gate did not ask for events to be masked, and the return kept it. */
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 0);
}

static void registers_survive_a_trap(void)
{
	register u64 r11 asm("r11") = 0x2222;
	u64 rcx = 0x1111;

	EXPECT_EQ(TRY("ud2", : "+c" (rcx), "+r" (r11)), 6);
	EXPECT_EQ(rcx, 0x1111);
	EXPECT_EQ(r11, 0x2222);
	EXPECT_EQ(last()->rcx, 0x1111);
	EXPECT_EQ(last()->r11, 0x2222);
}

static void divide_error(void)
{
	EXPECT_EQ(TRY("xorl %%ecx, %%ecx; divl %%ecx", : : : "eax", "ecx", "edx"), 0);
}

/* Traps point behind the instruction, faults at it. */
static void breakpoint_and_overflow(void)
{
	u64 at;

	EXPECT_EQ(TRY("leaq 1f(%%rip), %0; int3; 1: nop", : "=r" (at)), 3);
	EXPECT_EQ(last()->rip, at);
	EXPECT_EQ(TRY("leaq 1f(%%rip), %0; int $4; 1: nop", : "=r" (at)), 4);
	EXPECT_EQ(last()->rip, at);
	EXPECT_EQ(TRY("leaq 1f(%%rip), %0; int $0x80; 1: nop", : "=r" (at)), 0x80);
	EXPECT_EQ(last()->rip, at);
	EXPECT_EQ(TRY("leaq 1f(%%rip), %0; 1: ud2", : "=r" (at)), 6);
	EXPECT_EQ(last()->rip, at);
}

static void single_step(void)
{
	set_debugreg(6, 0);
	EXPECT_EQ(TRY("pushfq; orq $0x100, (%%rsp); popfq; nop; nop", : : : "memory"), 1);
	EXPECT_EQ(last()->rflags & FLAGS_TF, FLAGS_TF);
	EXPECT_EQ(last()->entry_flags & FLAGS_TF, 0);
	EXPECT_EQ(get_debugreg(6) & (1 << 14), 1 << 14);
}

/* TS is off in the handler, so that it may load what the program lacks. */
static void device_not_available(void)
{
	EXPECT_EQ(HYPERCALL1(fpu_taskswitch, 1), 0);
	EXPECT_EQ(TRY("fnop"), 7);
	EXPECT_EQ(TRY("fnop"), VEC_NONE);
	EXPECT_EQ(HYPERCALL1(fpu_taskswitch, 1), 0);
	EXPECT_EQ(HYPERCALL1(fpu_taskswitch, 0), 0);
	EXPECT_EQ(TRY("fnop"), VEC_NONE);
}

static void general_protection(void)
{
	EXPECT_EQ(TRY("movw %0, %%ds", : : "r" ((u16)0x1233)), 13);
	EXPECT_EQ(last()->error, 0x1230);
	EXPECT_EQ(try_read(0x8000000000000000UL, NULL), 13);
	EXPECT_EQ(last()->error, 0);
}

static void page_fault(void)
{
	u64 ro = va_of(table_alloc());

	EXPECT_EQ(try_read(0x123456789000UL, NULL), 14);
	EXPECT_EQ(last()->error, 0);
	EXPECT_EQ(this_cpu()->info->arch.cr2, 0x123456789000UL);
	EXPECT_EQ(try_write(0x123456789ff8UL, 1), 14);
	EXPECT_EQ(last()->error, PF_W);
	EXPECT_EQ(this_cpu()->info->arch.cr2, 0x123456789ff8UL);
	EXPECT_EQ(try_read(ro, NULL), VEC_NONE);
	EXPECT_EQ(try_write(ro + 8, 1), 14);
	EXPECT_EQ(last()->error, PF_P | PF_W);
	EXPECT_EQ(this_cpu()->info->arch.cr2, ro + 8);
}

static void floating_point_error(void)
{
	u16 unmasked = 0x37b;	/* all but division by zero */

	EXPECT_EQ(TRY("fninit; fldcw %0; fld1; fldz; fdivrp; fwait", : : "m" (unmasked)), 16);
	asm volatile("fninit");
}

/* Ring 3 has it, so a guest kernel does; not every emulator tells. */
static void alignment_check(void)
{
	u64 words[2] = { 0, 0 }, vector;

	vector = TRY("pushfq; orq $0x40000, (%%rsp); popfq; movl 1(%0), %%eax",
		     : : "r" (words) : "eax", "memory");
	asm volatile("pushfq; andq $~0x40000, (%%rsp); popfq" : : : "memory");
	if (vector == VEC_NONE) {
		test_skip("this CPU checks no alignment");
		return;
	}
	EXPECT_EQ(vector, 17);
	EXPECT_EQ(last()->error, 0);
	EXPECT_EQ(last()->entry_flags & FLAGS_AC, 0);
}

GUEST_TEST(CASE(a_frame_says_kernel_and_masked), CASE(a_frame_says_unmasked),
	   CASE(registers_survive_a_trap), CASE(divide_error),
	   CASE(breakpoint_and_overflow), CASE(single_step), CASE(device_not_available),
	   CASE(general_protection), CASE(page_fault), CASE(floating_point_error),
	   CASE(alignment_check));
