// SPDX-License-Identifier: GPL-2.0
/*
 * iret takes the guest kernel anywhere its frame says: RPL 0 to itself, RPL 3 to
 * user mode, 64 or 32 bits, with flags a program may have, events unmasked if IF
 * says so, and by VGCF_in_syscall as SYSRET would.
 *
 * It may not, where the switcher's own iret and the one in C differ, or where a
 * flag of the frame goes to the CPU as it is.
 */
#include "guest.h"

USER_ASM(code_ud, "ud2");
USER_ASM(code_flags, "pushfq; popq %rax; ud2");
USER_ASM(code_segments, "movl %cs, %eax; movl %ss, %ebx; ud2");
USER_ASM(code32_pop, ".code32; popl %eax; ud2; .code64");

static struct regs r;
static u32 port;

/* Every register a value of its own. */
static struct regs distinct(const u8 *code)
{
	struct regs regs = user_regs(code);
	u64 *reg;
	u64 n = 1;

	for (reg = &regs.r15; reg <= &regs.rdi; reg++, n++)
		*reg = n * 0x0101010101010101;
	return regs;
}

static void every_register_is_restored(void)
{
	struct regs first = distinct(code_ud);

	r = first;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT(!memcmp(&r.r15, &first.r15, 15 * sizeof(u64)));
	EXPECT_EQ(r.rip, first.rip);
	EXPECT_EQ(r.rsp, first.rsp);
}

/* NT, VM and IOPL in a user's hands would be the kernel's trouble. */
static void only_a_programs_flags_are_restored(void)
{
	r = user_regs(code_flags);
	r.rflags = ~FLAGS_TF & 0xffffffff;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax, 0x240ed7);
	r = user_regs(code_flags);
	r.rflags = 0;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax, 0x202);
	EXPECT_EQ(r.cs >> 32, 1);
}

static void selectors_are_the_frames(void)
{
	r = user_regs(code_segments);
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax, FLAT_USER_CS64);
	EXPECT_EQ(r.rbx, FLAT_USER_SS);
	r.rip = user_va(code_segments);
	r.cs = FLAT_USER_CS32;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax, FLAT_USER_CS32);
}

/* In 32-bit code the same bytes mean something else: one pop is 4 bytes. */
static void code_of_32_bits_runs(void)
{
	r = user_regs(code32_pop);
	r.cs = FLAT_USER_CS32;
	r.rsp = USER_DATA;
	user_data[0] = 0x1122334455667788;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax, 0x55667788);
	EXPECT_EQ(r.rsp, USER_DATA + 4);
	EXPECT_EQ(r.cs, FLAT_USER_CS32);
}

static u64 run_in_syscall(struct regs *regs)
{
	this_cpu()->user = regs;
	user_enter(regs, VGCF_in_syscall);
	return regs->vector;
}

/* Restore rax, rip, rflags and rsp; discard r11, rcx, cs and ss. */
static void in_syscall_is_sysret(void)
{
	struct regs first = distinct(code_ud);

	r = first;
	EXPECT_EQ(run_in_syscall(&r), 6);
	EXPECT_EQ(r.rax, first.rax);
	EXPECT_EQ(r.rip, first.rip);
	EXPECT_EQ(r.rcx, first.rip);
	EXPECT_EQ(r.r11, first.rflags);
	EXPECT_EQ(r.rsp, first.rsp);
	EXPECT_EQ(r.rdi, first.rdi);
	EXPECT_EQ(r.rbp, first.rbp);
}

static void in_syscall_discards_selectors(void)
{
	r = user_regs(code_segments);
	r.cs = 0x1233;
	r.ss = 0x1233;
	EXPECT_EQ(run_in_syscall(&r), 6);
	EXPECT_EQ(r.rax, FLAT_USER_CS64);
	EXPECT_EQ(r.rbx, FLAT_USER_SS);
}

static void in_syscall_shows_the_flags_there_are(void)
{
	r = user_regs(code_flags);
	r.rflags = 0x202 | FLAGS_IOPL | FLAGS_NT;
	EXPECT_EQ(run_in_syscall(&r), 6);
	EXPECT_EQ(r.rax, 0x202);
	EXPECT_EQ(r.r11, 0x202);
}

static void if_is_the_event_mask(void)
{
	event_forget();
	EXPECT_EQ(port_send(port), 0);
	EXPECT_EQ(event_log.upcalls, 0);
	r = user_regs(code_ud);
	r.rflags = 2;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(event_log.upcalls, 0);
	EXPECT_EQ(r.cs >> 32, 1);
	r = user_regs(code_ud);
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(event_log.upcalls, 1);
	EXPECT_EQ(event_log.count[port], 1);
	EXPECT_EQ(r.cs >> 32, 0);
}

static struct regs upcall;

static bool keep_upcall(struct regs *regs)
{
	if (regs->vector == VEC_EVENT)
		upcall = *regs;
	return false;
}

/* The program has run nothing yet when the event that waited comes. */
static void an_event_comes_before_the_first_instruction(void)
{
	trap_hook = keep_upcall;
	port_send(port);
	r = distinct(code_ud);
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(upcall.rip, user_va(code_ud));
	EXPECT_EQ(upcall.cs, FLAT_USER_CS64);
	EXPECT(!memcmp(&r.r15, &upcall.r15, 15 * sizeof(u64)));
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 1);
}

static void set_up(void)
{
	port = bind_ipi(0);
	EXPECT(port);
}

GUEST_TEST(CASE(set_up), CASE(every_register_is_restored),
	   CASE(only_a_programs_flags_are_restored), CASE(selectors_are_the_frames),
	   CASE(code_of_32_bits_runs), CASE(in_syscall_is_sysret),
	   CASE(in_syscall_discards_selectors), CASE(in_syscall_shows_the_flags_there_are),
	   CASE(if_is_the_event_mask), CASE(an_event_comes_before_the_first_instruction));
