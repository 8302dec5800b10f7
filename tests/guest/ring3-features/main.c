// SPDX-License-Identifier: GPL-2.0
/*
 * What the host has turned on for its own programs, ring 3 of a guest has too:
 * protection keys, the CPU's number, segment bases.  A program in the guest must
 * not hurt its kernel by them, nor learn about the host.
 *
 * It may: the guest kernel does not know that they are there, and is in ring 3
 * itself.
 */
#include "guest.h"

USER_ASM(code_pkru, "xorl %ecx, %ecx; xorl %edx, %edx; movl $3, %eax; wrpkru; syscall");
USER_ASM(code_rdpid, "rdpid %rax; ud2");
USER_ASM(code_rdtscp, "rdtscp; ud2");
USER_ASM(code_bases, "wrfsbase %rdi; wrgsbase %rsi; rdfsbase %rax; rdgsbase %rbx; ud2");
USER_ASM(code_read_gs, "rdgsbase %rbx; rdfsbase %rax; ud2");
USER_ASM(code_ud, "ud2");

static struct regs r;

/* Key 0 is every page's: the kernel that comes next would read nothing. */
static void a_program_cannot_lock_its_kernel_out(void)
{
	u64 vector;

	r = user_regs(code_pkru);
	vector = user_run(&r);
	EXPECT(vector == VEC_SYSCALL || vector == 6);
	r = user_regs(code_ud);
	EXPECT_EQ(user_run(&r), 6);
	if (vector == 6)
		test_skip("no protection keys here");
}

/* The host keeps the number of its CPU there. */
static void the_hosts_cpu_is_not_shown(void)
{
	u64 vector;
	u32 i;

	for (i = 0; i < 20 && !test_has_failed(); i++) {
		r = user_regs(code_rdpid);
		vector = user_run(&r);
		EXPECT_EQ(vector, 6);
		if (r.rip != user_va(code_rdpid))
			EXPECT_EQ(r.rax, 0);
		r = user_regs(code_rdtscp);
		r.rcx = 0;
		EXPECT_EQ(user_run(&r), 6);
		EXPECT_EQ(r.rcx, 0);
		relax();
	}
}

/* A base set by the program itself is the program's, and not the kernel's. */
static void bases_are_each_modes_own(void)
{
	r = user_regs(code_bases);
	r.rdi = 0x123456789000;
	r.rsi = 0x7654321000;
	EXPECT_EQ(user_run(&r), 6);
	if (r.rip == user_va(code_bases)) {
		test_skip("no FSGSBASE");
		return;
	}
	EXPECT_EQ(r.rax, 0x123456789000);
	EXPECT_EQ(r.rbx, 0x7654321000);
	EXPECT_EQ(this_cpu(), this_cpu()->self);
	r = user_regs(code_read_gs);
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rbx, 0x7654321000);
	EXPECT_EQ(r.rax, 0x123456789000);
	set_segment_base(SEGBASE_FS, 0);
	set_segment_base(SEGBASE_GS_USER, 0);
}

/* In the middle of a fast path and a slow one. */
static void bases_survive_an_exit(void)
{
	u64 base = 0;

	if (TRY("wrfsbase %0", : : "r" (0x234567000UL)) != VEC_NONE) {
		test_skip("no FSGSBASE");
		return;
	}
	xen_version(XENVER_version, NULL);
	xen_version(XENVER_extraversion, NULL);
	sched_op(SCHEDOP_yield, NULL);
	TRY("rdfsbase %0", : "=r" (base));
	EXPECT_EQ(base, 0x234567000UL);
	set_segment_base(SEGBASE_FS, 0);
}

GUEST_TEST(CASE(a_program_cannot_lock_its_kernel_out), CASE(the_hosts_cpu_is_not_shown),
	   CASE(bases_are_each_modes_own), CASE(bases_survive_an_exit));
