// SPDX-License-Identifier: GPL-2.0
/*
 * TF stops a guest's kernel and its programs behind each instruction, those that
 * the hypervisor carries out as well, and a trap's handler begins without it.
 *
 * It may stop the hypervisor instead: TF is on while SYSCALL, SYSENTER and IRET
 * lead into it, and a #DB there finds half a guest.
 */
#include "guest.h"

#define TF_ON	"pushfq; orl $0x100, (%%rsp); popfq; "
#define TF_OFF	"pushfq; andl $~0x100, (%%rsp); popfq; "

USER_ASM(code_nops, "nop; nop; nop; ud2");
USER_ASM(code_popf, "pushfq; orl $0x100, (%rsp); popfq; nop; nop; ud2");
USER_ASM(code_call, "syscall; ud2");
USER_ASM(code_cpuid, "cpuid; nop; ud2");
USER_ASM(code_bad_iret, "iretq; ud2");
USER_ASM(code_good_iret, "iretq; ud2");
USER_ASM(code_sysenter, "sysenter; ud2");
USER_ASM(code_ss_icebp, "movw (%rdi), %ss; .byte 0xf1; nop; ud2");
USER_ASM(code_ss_iret, "movw (%rdi), %ss; iretq; ud2");
USER_ASM(code_ss_in, "movw (%rdi), %ss; inb $0x80, %al; ud2");
USER_ASM(code_pop_ss, ".code32; popl %ss; int3; .code64; ud2");
USER_ASM(code_pop_ss_call, ".code32; popl %ss; int $0x80; .code64; ud2");
USER_ASM(code_pop_ss_sysenter, ".code32; popl %ss; sysenter; .code64; ud2");
USER_ASM(code_pop_ss_syscall, ".code32; popl %ss; syscall; .code64; ud2");

static struct regs r;

/* Run until something but a step comes; say how many there were. */
static u64 steps(const u8 *code, u64 *nr)
{
	u64 vector;

	r = user_regs(code);
	r.rdi = USER_DATA;
	r.rflags |= FLAGS_TF;
	user_data[0] = FLAT_USER_SS;
	*nr = 0;
	do {
		vector = user_run(&r);
		EXPECT_EQ(r.entry_flags & FLAGS_TF, 0);
	} while (vector == 1 && ++*nr < 16);
	return vector;
}

static void a_program_is_stepped(void)
{
	u64 nr;

	EXPECT_EQ(steps(code_nops, &nr), 6);
	EXPECT_EQ(nr, 3);
	EXPECT_EQ(r.rip, user_va(code_nops) + 3);
	EXPECT_EQ(r.rflags & FLAGS_TF, FLAGS_TF);
}

static void from_the_instruction_after_popf(void)
{
	r = user_regs(code_popf);
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rip, user_va(code_popf) + 10);
	EXPECT_EQ(get_debugreg(6) & 0x4000, 0x4000);
}

static void a_system_call_is_one(void)
{
	u64 nr;

	EXPECT_EQ(steps(code_call, &nr), VEC_SYSCALL);
	EXPECT_EQ(r.rip, user_va(code_call) + 2);
	EXPECT_EQ(r.rflags & FLAGS_TF, FLAGS_TF);
	EXPECT_EQ(steps(code_cpuid, &nr), 6);
	EXPECT_EQ(nr, 2);
}

/* There is SYSENTER where the CPU's maker has it; nothing stops in it. */
static void sysenter_is_one(void)
{
	u64 vector, nr;

	vector = steps(code_sysenter, &nr);
	EXPECT(vector == VEC_SYSENTER || vector == 6 || vector == 13);
	EXPECT_EQ(nr, 0);
}

static void iret_stack(u64 cs)
{
	u64 *stack = (u64 *)(USER_STACK - 64);

	stack[0] = user_va(code_nops) + 1;
	stack[1] = cs;
	stack[2] = 0x302;
	stack[3] = USER_STACK;
	stack[4] = FLAT_USER_SS;
}

static void a_programs_iret(void)
{
	u64 vector;

	iret_stack(FLAT_USER_CS64);
	r = user_regs(code_good_iret);
	r.rsp = USER_STACK - 64;
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rip, user_va(code_nops) + 2);

	iret_stack(0xe008);
	r = user_regs(code_bad_iret);
	r.rsp = USER_STACK - 64;
	r.rflags |= FLAGS_TF;
	vector = user_run(&r);
	EXPECT_EQ(vector, 13);
	EXPECT_EQ(r.rip, user_va(code_bad_iret));
	EXPECT_EQ(r.entry_flags & FLAGS_TF, 0);
}

/* The hypercall's frame, in each form that does not load: failsafe is told. */
static void an_iret_that_faults(void)
{
	static const struct {
		u64 rip;
		u16 cs, ss;
	} cases[] = {
		{ USER_CODE, 0x1233, FLAT_USER_SS }, { USER_CODE, FLAT_USER_CS64, 0x1233 },
		{ USER_CODE, 0xe00b, FLAT_USER_SS }, { 1UL << 63, FLAT_USER_CS64, FLAT_USER_SS },
		{ USER_CODE, FLAT_USER_CS64, 3 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		u64 vector;

		r = user_regs(code_nops);
		r.rip = cases[i].rip;
		r.cs = cases[i].cs;
		r.ss = cases[i].ss;
		r.rflags |= FLAGS_TF;
		vector = user_run(&r);
		EXPECT(vector == VEC_FAILSAFE || vector == 13 || vector == 12 ||
		       (vector == 1 && i == 4));
		EXPECT_EQ(r.entry_flags & FLAGS_TF, 0);
	}
}

/* Written by STEP_OVER() alone. */
static volatile u64 step_first __attribute__((used)), step_last __attribute__((used));
static u32 nr_stops;

/* Stops of the guest kernel: go on, with TF. */
static bool count_stop(struct regs *regs)
{
	if (regs->vector != 1 || (regs->cs & 3))
		return false;
	EXPECT_EQ(regs->entry_flags & FLAGS_TF, 0);
	if (regs->rip > step_first && regs->rip <= step_last)
		nr_stops++;
	return true;
}

/* Step over @_insn; how often it stopped between its begin and the NOP behind. */
#define STEP_OVER(_insn, ...)						\
	({								\
		nr_stops = 0;						\
		trap_hook = count_stop;					\
		asm volatile("leaq 771f(%%rip), %%rax; movq %%rax, step_first(%%rip)\n" \
			     "leaq 772f(%%rip), %%rax; movq %%rax, step_last(%%rip)\n" \
			     "movl %%r8d, %%eax\n" TF_ON		\
			     "771: " _insn "; nop; 772: nop\n" TF_OFF	\
			     : __VA_ARGS__);				\
		trap_hook = NULL;					\
		nr_stops;						\
	})
#define CLOBBERS "rax", "rbx", "rcx", "rdx", "r8", "r11", "memory", "cc"

static void what_is_emulated_is_stepped(void)
{
	/* One behind the instruction, one behind the NOP. */
	EXPECT_EQ(STEP_OVER("cli", : : CLOBBERS), 2);
	EXPECT_EQ(STEP_OVER("movq %%cr0, %%rbx", : : CLOBBERS), 2);
	EXPECT_EQ(STEP_OVER("movq %%db7, %%rbx", : : CLOBBERS), 2);
	EXPECT_EQ(STEP_OVER("inb $0x61, %%al", : : CLOBBERS), 2);
	EXPECT_EQ(STEP_OVER("movl $0xc0000080, %%ecx; rdmsr", : : CLOBBERS), 3);
	EXPECT_EQ(STEP_OVER(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid", : : CLOBBERS), 2);
	EXPECT_EQ(STEP_OVER("wbinvd", : : CLOBBERS), 2);
}

/* By SYSRET in the switcher, and by way of C: the CPUs differ by one. */
static void a_hypercall_is_stepped_over(void)
{
	static const u32 calls[] = { 17, 25, 3, 29, 32, 55 };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(calls); i++) {
		register u64 nr asm("r8") = calls[i];
		u32 stops;

		/* set_segment_base of FS, and nothing for the rest. */
		stops = STEP_OVER("syscall", "+r" (nr) : "D" (0), "S" (0)
				  : "rax", "rbx", "rcx", "rdx", "r10", "r11", "memory", "cc");
		EXPECT(stops == 1 || stops == 2);
		if (calls[i] == 3)
			this_cpu()->kernel_sp = 0;
	}
}

/* A step or a breakpoint that MOV to %ss holds back, into whatever is next. */
static void held_back(const u8 *code, bool compat, u64 should)
{
	u64 vector, nr = 0;
	int step;

	for (step = 0; step < 3; step++) {
		user_data[0] = FLAT_USER_SS;
		*(u32 *)&user_data[1] = FLAT_USER_SS;
		EXPECT_EQ(set_debugreg(0, USER_DATA + (compat ? 8 : 0)), 0);
		EXPECT_EQ(set_debugreg(7, step == 1 ? 0x400 : 0x30402), 0);
		iret_stack(FLAT_USER_CS64);
		((u64 *)(USER_STACK - 64))[2] = 0x202;
		r = user_regs(code);
		r.rdi = USER_DATA;
		r.rsp = USER_STACK - 64;
		if (compat) {
			r.cs = FLAT_USER_CS32;
			r.rsp = USER_DATA + 8;
		}
		if (step)
			r.rflags |= FLAGS_TF;
		nr = 0;
		do {
			vector = user_run(&r);
			EXPECT_EQ(r.entry_flags & FLAGS_TF, 0);
		} while (vector == 1 && ++nr < 16);
		EXPECT(nr < 16);
		if (should)
			EXPECT_EQ(vector, should);
	}
	set_debugreg(7, 0x400);
}

static void mov_ss_holds_it_back(void)
{
	held_back(code_ss_icebp, false, 6);
	held_back(code_ss_iret, false, 6);
	held_back(code_ss_in, false, 13);
}

static void pop_ss_holds_it_back(void)
{
	held_back(code_pop_ss, true, 3);
	held_back(code_pop_ss_call, true, 0x80);
	/* By the CPU's maker: the call, #UD or #GP. */
	held_back(code_pop_ss_sysenter, true, 0);
	held_back(code_pop_ss_syscall, true, 0);
}

static u64 dr6_of_user;

/* The guest kernel's own accesses are none of this test's. */
static bool ignore_own_stops(struct regs *regs)
{
	if (regs->vector != 1)
		return false;
	if (!(regs->cs & 3))
		return true;
	dr6_of_user = get_debugreg(6);
	return false;
}

/* What the switcher reads for the guest is watched: its stack, its arguments. */
static void the_switcher_reads_what_is_watched(void)
{
	static struct mmuext_op op = { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
	u64 *stack = page_alloc(), i;

	trap_hook = ignore_own_stops;
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(set_debugreg(0, (u64)this_cpu()->info), 0);
		EXPECT_EQ(set_debugreg(1, (u64)&op), 0);
		EXPECT_EQ(set_debugreg(2, (u64)stack + PAGE_SIZE - 8 - 8 * i), 0);
		EXPECT_EQ(set_debugreg(3, user_va(code_nops) + 1), 0);
		EXPECT_EQ(set_debugreg(7, 0x0bb304aa), 0);
		EXPECT_EQ(mmuext_op(&op, 1, NULL), 0);
		this_cpu()->kernel_sp = (u64)stack + PAGE_SIZE;
		r = user_regs(code_nops);
		EXPECT_EQ(user_run(&r), 1);
		EXPECT_EQ(r.rip, user_va(code_nops) + 1);
		EXPECT_EQ(dr6_of_user & 15, 8);
		this_cpu()->kernel_sp = 0;
		set_debugreg(7, 0x400);
	}
	trap_hook = NULL;
}

GUEST_TEST(CASE(a_program_is_stepped), CASE(from_the_instruction_after_popf),
	   CASE(a_system_call_is_one), CASE(sysenter_is_one), CASE(a_programs_iret),
	   CASE(an_iret_that_faults), CASE(what_is_emulated_is_stepped),
	   CASE(a_hypercall_is_stepped_over), CASE(mov_ss_holds_it_back),
	   CASE(pop_ss_holds_it_back), CASE(the_switcher_reads_what_is_watched));
