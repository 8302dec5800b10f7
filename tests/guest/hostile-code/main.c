// SPDX-License-Identifier: GPL-2.0
/*
 * Code that another vCPU rewrites, replaces or takes away between the trap and the
 * look at what has trapped, and code at the ends of pages and of the address space:
 * what is emulated is one of the instructions that were there, with the rights of
 * who executed it.
 *
 * It may not, if an instruction is read twice, or from where the CPU would not
 * execute.
 */
#include "guest.h"

#define ROUNDS		3000
#define KERNEL_CODE	(FREE_VA + 0x900000000UL)
#define LEAF_SPAN	0x200000UL		/* what one table of leaves maps */
#define USER_PAGE	0x900000UL
#define SHIFTED		0x10000UL		/* base of a segment of 32 bits */
#define EDGE		0x7ffffffff000UL	/* last page of the lower half */
#define TOP		0xfffffffffffff000UL	/* last page of all */
#define BITMAP		(FREE_VA + 0x500000)
#define FS_BASE		0x123000UL
#define CLOSED		0x82UL			/* INT n that programs may not */
#define OPEN		0x83UL
#define CODE32_AT(_base) (0x00cffb000000ffffUL | ((_base) & 0xffffffUL) << 16)

/* Two that are exchanged differ in one byte: a CPU may execute half of each else. */
#define IN_42		0x0b0f0b0fc3c342e4UL	/* in $0x42, %al; ret: 0 */
#define IN_A0		0x0b0f0b0fc3c3a0e4UL	/* in $0xa0, %al; ret: 0xff */
#define RDMSR		0x0b0f0b0fc3c3320fUL
#define WRMSR		0x0b0f0b0fc3c3300fUL
#define CLTS		0x0b0f0b0fc3c3060fUL
#define CLI_RDMSR	0x0b0f0b0fc3320ffaUL	/* two instructions */
#define LONG_RDMSR	0x0b0f0b0fc3320f3eUL	/* and one with a prefix */
#define FORCED_CPUID	0xc3a20f6e65780b0fUL
#define FORCED_NOTHING	0xc3060f6e65780b0fUL
#define CLI		0x0b0f0b0fc39090faUL
#define HLT		0x0b0f0b0fc39090f4UL
#define INT(_n)		(0x0b0f0b0f0b0f00cdUL | (_n) << 8)
#define USER_IN(_port)	(0x0b0f0b0f0b0f00e4UL | (_port) << 8)

static u64 *word;			/* what is rewritten */
static u64 code[2];
static u64 *entry, ptes[3];		/* what is mapped anew */
static u32 stop, started;
static u64 *page, *other;		/* two frames of code */
static struct regs r, where;
static u64 called, back_rip, back_rsp;

static bool alone(void)
{
	if (cpu_count() >= 2)
		return false;
	test_skip("one vCPU");
	return true;
}

static void rewrite(void)
{
	u32 i;

	__atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++)
		WRITE_ONCE(*word, code[i & 1]);
}

static void remap(void)
{
	u32 i;

	__atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++) {
		pte_write(entry, ptes[i % ARRAY_SIZE(ptes)]);
		flush_tlb_all();
	}
}

static void start(void (*fn)(void))
{
	stop = 0;
	started = 0;
	cpu_run(1, fn);
	while (!__atomic_load_n(&started, __ATOMIC_SEQ_CST))
		relax();
}

static void start_rewriting(u64 one, u64 two)
{
	word = page;
	code[0] = one;
	code[1] = two;
	*word = one;
	start(rewrite);
}

static void end(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	cpu_wait(1);
}

static bool come_back(struct regs *regs)
{
	if (regs->vector == VEC_EVENT || this_cpu()->id)
		return false;
	/* Stepped by POPF, it is stopped where it begins. */
	if (regs->vector == 1 && regs->rip == called)
		return true;
	where = *regs;
	regs->rip = back_rip;
	regs->rsp = back_rsp;
	regs->cs = FLAT_KERNEL_CS & ~3;
	regs->rflags &= ~FLAGS_TF;
	return true;
}

/* Call code of the guest kernel's; RAX is returned, @where says how it ended. */
static u64 call_kernel(u64 va, u64 rax, u64 rcx, u64 rdx, u64 flags)
{
	where.vector = VEC_NONE;
	called = va;
	trap_hook = come_back;
	asm volatile("leaq 1f(%%rip), %%rsi; movq %%rsi, %0\n"
		     "movq %%rsp, %1\n"
		     "pushq %%rsi\n"
		     "pushq %%rdi\n"
		     "pushfq; orq %%r8, (%%rsp); popfq\n"
		     "ret\n"
		     "1:"
		     : "=m" (back_rip), "=m" (back_rsp), "+a" (rax), "+c" (rcx), "+d" (rdx)
		     : "D" (va), "r" (flags)
		     : "rsi", "rbx", "r9", "r10", "r11", "memory");
	trap_hook = NULL;
	return rax;
}

static void map_code(void)
{
	u32 i;

	page = page_alloc();
	other = page_alloc();
	memset(page, 0xcc, PAGE_SIZE);
	memset(other, 0xcc, PAGE_SIZE);
	map(kernel_root(), KERNEL_CODE, mkpte(mfn_of(page), PTE_RO));
	map(kernel_root(), USER_PAGE, mkpte(mfn_of(page), PTE_RO));
	map(kernel_root(), EDGE, mkpte(mfn_of(page), PTE_RO));
	map(kernel_root(), TOP, mkpte(mfn_of(page), PTE_RO));
	for (i = 0; i < 2; i++)
		pte_write(&((u64 *)va_of(user_root))[i * 255],
			  ((u64 *)va_of(kernel_root()))[i * 255]);
	EXPECT_EQ(set_segment_base(SEGBASE_FS, FS_BASE), 0);
	EXPECT_EQ(call_kernel(KERNEL_CODE, 0, 0, 0, 0), 0);
	EXPECT_EQ(where.vector, 3);
}

/* What was called did one of them, or trapped before it did anything. */
static bool is_one_of(u64 rax, u64 one, u64 two, u64 nothing)
{
	if (where.vector == VEC_NONE)
		return rax == one || rax == two;
	return rax == nothing && where.rip == KERNEL_CODE &&
	       (where.vector == 13 || where.vector == 6);
}

static void rewritten_in_the_kernel(u64 one, u64 two, u64 rax_one, u64 rax_two)
{
	u32 i, wrong = 0;

	start_rewriting(one, two);
	for (i = 0; i < ROUNDS; i++) {
		u64 rax = call_kernel(KERNEL_CODE, 0x40000000, 0xc0000100, 0, 0);

		if (is_one_of(rax, rax_one, rax_two, 0x40000000))
			continue;
		if (!wrong++)
			print("# rax %#lx, trap %lu at %#lx\n", rax, where.vector, where.rip);
	}
	end();
	EXPECT_EQ(wrong, 0);
}

static void an_instruction_that_changes_in_the_kernel(void)
{
	u64 cpuid;

	if (alone())
		return;
	*page = FORCED_CPUID;
	cpuid = call_kernel(KERNEL_CODE, 0x40000000, 0xc0000100, 0, 0);
	EXPECT_EQ(where.vector, VEC_NONE);
	rewritten_in_the_kernel(IN_42, IN_A0, 0x40000000, 0x400000ff);
	rewritten_in_the_kernel(RDMSR, CLTS, FS_BASE, 0x40000000);
	rewritten_in_the_kernel(LONG_RDMSR, CLI_RDMSR, FS_BASE, FS_BASE);
	rewritten_in_the_kernel(FORCED_CPUID, FORCED_NOTHING, cpuid, cpuid);
}

static u64 run_user(u64 rip)
{
	r = user_regs(NULL);
	r.rip = rip;
	r.rax = 0x1111;
	r.rcx = 0xc0000100;
	r.rdx = 0x42;
	return user_run(&r);
}

/* Neither is for programs, and nothing between the two. */
static void an_instruction_that_changes_in_a_program(void)
{
	static const u64 pairs[][2] = {
		{ RDMSR, WRMSR }, { CLTS, RDMSR }, { CLI, HLT }, { FORCED_CPUID, FORCED_NOTHING },
	};
	u32 i, k;

	if (alone())
		return;
	for (k = 0; k < ARRAY_SIZE(pairs); k++) {
		u32 wrong = 0;

		start_rewriting(pairs[k][0], pairs[k][1]);
		for (i = 0; i < ROUNDS; i++) {
			u64 vector = run_user(USER_PAGE);

			wrong += (vector != 13 && vector != 6) || r.rip != USER_PAGE ||
				 r.rax != 0x1111 || r.rdx != 0x42;
		}
		end();
		EXPECT_EQ(wrong, 0);
	}
}

static void open_one_port(u8 port)
{
	struct physdev_set_iobitmap op = { .bitmap = (u8 *)BITMAP, .nr_ports = 65536 };
	u8 *bitmap = page_alloc();

	memset(bitmap, 0xff, PAGE_SIZE);
	bitmap[port / 8] &= ~(1 << (port & 7));
	map(kernel_root(), BITMAP, mkpte(mfn_of(bitmap), PTE_RW));
	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iobitmap, &op), 0);
}

/* The port that is looked up in the bitmap is the port that is read. */
static void a_port_that_changes(void)
{
	u32 i, read = 0, refused = 0;

	if (alone())
		return;
	open_one_port(0xa0);
	start_rewriting(USER_IN(0x42UL), USER_IN(0xa0UL));
	for (i = 0; i < ROUNDS; i++) {
		u64 vector = run_user(USER_PAGE);

		read += vector == 6 && r.rip == USER_PAGE + 2 && r.rax == 0x11ff;
		refused += vector == 13 && r.rip == USER_PAGE && r.rax == 0x1111;
	}
	end();
	EXPECT_EQ(read + refused, ROUNDS);
}

/* One gate is open to programs. */
static void open_a_gate(bool open)
{
	static struct trap_info table[257];

	trap_table_init(table);
	table[OPEN].flags = open ? 3 : 0;
	set_trap_table(table);
}

static void an_int_n_that_changes(void)
{
	u32 i, taken = 0, refused = 0;

	if (alone())
		return;
	open_a_gate(true);
	start_rewriting(INT(CLOSED), INT(OPEN));
	for (i = 0; i < ROUNDS; i++) {
		u64 vector = run_user(USER_PAGE);

		taken += vector == OPEN && r.rip == USER_PAGE + 2;
		refused += vector == 13 && r.rip == USER_PAGE && (r.error | 8) == OPEN * 8 + 2;
	}
	end();
	open_a_gate(false);
	EXPECT_EQ(taken + refused, ROUNDS);
}

/* Then it has happened, or not yet, or it is a page fault at one of its ends. */
static void a_page_that_comes_and_goes(void)
{
	u32 i, wrong = 0;

	if (alone())
		return;
	*page = IN_A0;
	*other = IN_42;
	ptes[0] = mkpte(mfn_of(page), PTE_RO);
	ptes[1] = mkpte(mfn_of(other), PTE_RO);
	ptes[2] = 0;
	entry = pte_find(kernel_root(), KERNEL_CODE, 1);
	start(remap);
	for (i = 0; i < ROUNDS; i++) {
		u64 rax = call_kernel(KERNEL_CODE, 0x40000000, 0xc0000100, 0, 0);

		if (is_one_of(rax, 0x400000ff, 0x40000000, 0x40000000))
			continue;
		if (where.vector == 14 && this_cpu()->info->arch.cr2 == where.rip &&
		    (where.rip == KERNEL_CODE + 2 ||
		     (where.rip == KERNEL_CODE && rax == 0x40000000)))
			continue;
		if (!wrong++)
			print("# rax %#lx, trap %lu at %#lx\n", rax, where.vector, where.rip);
	}
	end();
	EXPECT_EQ(wrong, 0);
	pte_write(entry, ptes[0]);
	flush_tlb_all();
}

static u8 *at_end(u32 len)
{
	memset(page, 0xcc, PAGE_SIZE);
	return (u8 *)page + PAGE_SIZE - len;
}

/* The last instruction of a page is carried out, and the next one is not there. */
static void the_last_instruction_before_nothing(void)
{
	static const u64 pages[] = { KERNEL_CODE, EDGE, TOP };
	static const u16 ports[][2] = { { 0x42, 0x1100 }, { 0x9f0, 0x11ff } };
	u32 i, k;

	*at_end(1) = 0xec;			/* inb %dx, %al */
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		for (k = 0; k < 4; k++) {
			bool step = k & 2;

			EXPECT_EQ(call_kernel(pages[i] + 4095, 0x1111, 0, ports[k & 1][0],
					      step ? FLAGS_TF : 0), ports[k & 1][1]);
			EXPECT_EQ(where.rip, pages[i] + PAGE_SIZE);
			if (step)
				EXPECT_EQ(where.vector, 1);
			else if (pages[i] == EDGE)
				EXPECT(where.vector == 13 || where.vector == VEC_FAILSAFE);
			else
				EXPECT_EQ(where.vector, 14);
		}
}

static void a_programs_last_instruction(void)
{
	u8 *end = at_end(2);

	open_a_gate(true);
	end[0] = 0xcd;
	end[1] = OPEN;
	EXPECT_EQ(run_user(EDGE + 4094), OPEN);
	EXPECT_EQ(r.rip, EDGE + PAGE_SIZE);
	end[1] = 0x80;
	EXPECT_EQ(run_user(EDGE + 4094), 0x80);
	EXPECT_EQ(r.rip, EDGE + PAGE_SIZE);
	end[1] = CLOSED;
	EXPECT_EQ(run_user(EDGE + 4094), 13);
	EXPECT_EQ(r.rip, EDGE + 4094);
	open_a_gate(false);
	end[1] = 0xf4;
	EXPECT_EQ(run_user(EDGE + 4095), 13);
	EXPECT_EQ(r.rip, EDGE + 4095);
	end[1] = 0xcc;
	EXPECT_EQ(run_user(EDGE + 4095), 3);
	EXPECT_EQ(r.rip, EDGE + PAGE_SIZE);
}

static const u8 forced_cpuid[] = { 0x0f, 0x0b, 0x78, 0x65, 0x6e, 0x0f, 0xa2, 0xc3 };

/* The first @head bytes end KERNEL_CODE's page, the others begin the next. */
static u64 call_across(u32 head, u64 pte)
{
	memcpy(at_end(head), forced_cpuid, head);
	memcpy(other, forced_cpuid + head, 8 - head);
	map(kernel_root(), KERNEL_CODE + PAGE_SIZE, pte);
	flush_tlb_all();
	call_kernel(KERNEL_CODE + PAGE_SIZE - head, 0x40000000, 0, 0, 0);
	return where.vector;
}

/* UD2 alone raises #UD; its other five bytes are no code if they cannot be executed. */
static void the_rest_is_not_executable(void)
{
	u64 pte = mkpte(mfn_of(other), PTE_RO), upper;
	u32 head;

	for (head = 2; head < 7; head++) {
		EXPECT_EQ(call_across(head, 0), 6);
		EXPECT_EQ(call_across(head, pte), VEC_NONE);
		EXPECT_EQ(call_across(head, pte | PTE_NX), 6);
		EXPECT_EQ(where.rip, KERNEL_CODE + PAGE_SIZE - head);
		EXPECT_EQ(call_across(head, pte), VEC_NONE);
	}
	/* Nor if an entry above says so. */
	map(kernel_root(), KERNEL_CODE + LEAF_SPAN - PAGE_SIZE, mkpte(mfn_of(page), PTE_RO));
	map(kernel_root(), KERNEL_CODE + LEAF_SPAN, pte);
	entry = pte_find(kernel_root(), KERNEL_CODE + LEAF_SPAN, 2);
	upper = *entry;
	call_kernel(KERNEL_CODE + LEAF_SPAN - 6, 0x40000000, 0, 0, 0);
	EXPECT_EQ(where.vector, VEC_NONE);
	pte_write(entry, upper | PTE_NX);
	flush_tlb_all();
	call_kernel(KERNEL_CODE + LEAF_SPAN - 6, 0x40000000, 0, 0, 0);
	EXPECT_EQ(where.vector, 6);
	pte_write(entry, upper);
}

static void the_rest_is_no_address(void)
{
	static const u64 pages[] = { EDGE, TOP };
	u32 i, head;

	for (head = 2; head < 7; head++)
		for (i = 0; i < ARRAY_SIZE(pages); i++) {
			u64 va = pages[i] + PAGE_SIZE - head;

			memcpy(at_end(head), forced_cpuid, head);
			EXPECT_EQ(call_kernel(va, 0x40000000, 0, 0, 0), 0x40000000);
			EXPECT_EQ(where.vector, 6);
			EXPECT_EQ(where.rip, va);
		}
}

/* A segment of 32 bits has its base added: other code is where it is not. */
static void code_is_found_by_its_segment(void)
{
	u64 *ldt = page_alloc();
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (u64)ldt,
				.arg2.nr_ents = 512 };

	ldt[3] = CODE32_AT(SHIFTED);
	EXPECT_EQ(mmuext_op(&op, 1, NULL), 0);
	map(kernel_root(), USER_PAGE + SHIFTED, mkpte(mfn_of(other), PTE_RO));
	open_a_gate(true);
	*page = 0xcd | OPEN << 8;
	*other = 0xcd | CLOSED << 8;
	r = user_regs(NULL);
	r.rip = USER_PAGE;
	r.cs = 3 * 8 | 7;
	EXPECT_EQ(user_run(&r), 13);
	EXPECT_EQ(r.error, CLOSED * 8 + 2);
	*page = 0xcd | CLOSED << 8;
	*other = 0xcd | OPEN << 8;
	EXPECT_EQ(user_run(&r), OPEN);
	EXPECT_EQ(r.rip, USER_PAGE + 2);
	open_a_gate(false);
	op.arg2.nr_ents = 0;
	mmuext_op(&op, 1, NULL);
}

GUEST_TEST(CASE(map_code), CASE(an_instruction_that_changes_in_the_kernel),
	   CASE(an_instruction_that_changes_in_a_program), CASE(a_port_that_changes),
	   CASE(an_int_n_that_changes), CASE(a_page_that_comes_and_goes),
	   CASE(the_last_instruction_before_nothing), CASE(a_programs_last_instruction),
	   CASE(the_rest_is_not_executable), CASE(the_rest_is_no_address),
	   CASE(code_is_found_by_its_segment));
