// SPDX-License-Identifier: GPL-2.0
/*
 * Whatever a guest has in its GDT and LDT, and however it uses it, by far jumps,
 * returns, loads, LAR and callbacks: it stays in ring 3, and has its fault.
 *
 * It may not, since the CPU itself interprets each of these, with the bits that
 * the guest chose: gates, conforming code, D with L, segments that grow down.
 */
#include "guest.h"

#define PRESENT		(1UL << 47)
#define DPL(_n)		((u64)(_n) << 45)
#define SEGMENT		(1UL << 44)
#define TYPE(_n)	((u64)(_n) << 40)
#define LONG		(1UL << 53)
#define DEFAULT		(1UL << 54)	/* 32 bits */
#define FLAT		0x008f00000000ffffUL

#define FIRST		16	/* of the entries under test */
#define NR		64	/* segments, by type and L and D */

USER_ASM(code_target, ".byte 0x0f, 0x0b, 0x0f, 0x0b");
USER_ASM(code_ljmp, "ljmp *(%rdi); ud2");
USER_ASM(code_lcall, "lcall *(%rdi); ud2");
USER_ASM(code_lret, "lretq; ud2");
USER_ASM(code_iret, "iretq; ud2");
USER_ASM(code_loads, "movw %ax, %ds; movw %ax, %es; movw %ax, %fs; ud2");
USER_ASM(code_ss, "movw %ax, %ss; ud2");

static u64 *gdt, *ldt;
static struct regs r;

static u64 segment(u32 n)
{
	return FLAT | SEGMENT | TYPE(n & 15) | DPL(n % 3) | PRESENT |
	       (n & 16 ? LONG : 0) | (n & 32 ? DEFAULT : 0);
}

static long set_ldt(u64 va, u32 nr)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = va,
				.arg2.nr_ents = nr };

	return mmuext_op(&op, 1, NULL);
}

static void make_tables(void)
{
	unsigned long frame;
	u32 i;

	gdt = page_alloc();
	ldt = page_alloc();
	for (i = 0; i < NR; i++) {
		gdt[FIRST + i] = segment(i);
		ldt[FIRST + i] = segment(i);
	}
	/* In an LDT, a descriptor that is none is taken, and means nothing. */
	for (i = 0; i < 16; i++)
		ldt[FIRST + NR + i] = PRESENT | DPL(3) | TYPE(i) | 0xe0080000UL;
	frame = mfn_of(gdt);
	EXPECT_EQ(set_gdt(&frame, 512), 0);
	EXPECT_EQ(set_ldt((u64)ldt, 512), 0);
}

/* Still here, in ring 3 and with the kernel's own segments. */
static void expect_sane(u64 vector)
{
	EXPECT(vector < 32 || vector == VEC_FAILSAFE);
	EXPECT_EQ(r.entry_cs & 3, 3);
	EXPECT_EQ(this_cpu(), this_cpu()->self);
	if (vector < 32)
		EXPECT_EQ(r.cs & 3, 3);
}

static u64 far(const u8 *code, u16 selector, u64 target)
{
	u64 *stack = (u64 *)(USER_STACK - 64);

	user_data[0] = (u32)target | (u64)selector << 32;
	stack[0] = target;
	stack[1] = selector;
	stack[2] = 0x202;
	stack[3] = USER_STACK - 128;
	stack[4] = FLAT_USER_SS;
	r = user_regs(code);
	r.rdi = USER_DATA;
	r.rsp = USER_STACK - 64;
	return user_run(&r);
}

static const u8 *const ways[] = { code_ljmp, code_lcall, code_lret, code_iret };

static bool is_code(u32 n)
{
	return n & 8;
}

/* L and D at once is no code segment, which not all emulators know. */
static void far_transfers_to_code(void)
{
	u64 target = user_va(code_target);
	u32 i, n, ti;

	for (ti = 0; ti < 2; ti++)
		for (n = 0; n < NR; n++)
			for (i = 0; i < ARRAY_SIZE(ways); i++) {
				u16 selector = (FIRST + n) * 8 | ti * 4 | 3;
				u64 vector = far(ways[i], selector, target);

				expect_sane(vector);
				if (is_code(n) && (n & 48) == 48)
					continue;
				/* An operand of 64 bits is not cut for 16-bit code. */
				if (is_code(n) && (n & 48)) {
					EXPECT_EQ(vector, 6);
					EXPECT_EQ((u16)r.cs, selector);
					EXPECT_EQ(r.rip, target);
				} else if (!is_code(n)) {
					EXPECT_EQ(vector, 13);
					EXPECT_EQ(r.error, selector & ~3);
				}
			}
}

/* Gates, TSSes and LDTs in an LDT; in a GDT they are refused (segments). */
static void far_transfers_to_gates(void)
{
	u32 i, n;

	for (n = 0; n < 16; n++)
		for (i = 0; i < ARRAY_SIZE(ways); i++) {
			u16 selector = (FIRST + NR + n) * 8 | 7;
			u64 vector = far(ways[i], selector, user_va(code_target));

			expect_sane(vector);
			EXPECT_EQ(vector, 13);
			EXPECT_EQ(r.error, selector & ~3);
		}
}

/* RPL 0 to 2 of a descriptor that is in ring 3. */
static void requested_levels(void)
{
	u32 i, n, rpl;

	for (n = 0; n < NR; n++)
		for (rpl = 0; rpl < 3; rpl++)
			for (i = 0; i < ARRAY_SIZE(ways); i++)
				expect_sane(far(ways[i], (FIRST + n) * 8 | rpl,
						user_va(code_target)));
}

static void data_segments_are_loaded(void)
{
	u32 n;

	for (n = 0; n < NR + 16; n++) {
		u16 selector = (FIRST + n) * 8 | 7;
		bool data = n < NR && (!is_code(n) || n & 2);
		bool stack = n < NR && !is_code(n) && n & 2;
		u64 vector;

		r = user_regs(code_loads);
		r.rax = selector;
		vector = user_run(&r);
		expect_sane(vector);
		EXPECT_EQ(vector, data ? 6 : 13);
		r = user_regs(code_ss);
		r.rax = selector;
		vector = user_run(&r);
		expect_sane(vector);
		EXPECT_EQ(vector, stack ? 6 : 13);
	}
	asm volatile("movw %0, %%ds; movw %0, %%es; movw %0, %%fs" : : "r" ((u16)0));
}

/* What LAR, LSL, VERR and VERW say: ring 3 for segments, nothing else. */
static void what_the_cpu_tells(void)
{
	u32 n, ar, limit;
	u8 readable, writable;

	for (n = 0; n < NR + 16; n++) {
		u32 selector = (FIRST + n) * 8 | 7;

		ar = 0;
		limit = 0;
		asm volatile("larl %4, %0; lsll %4, %1; verr %w4; setz %2; verw %w4; setz %3"
			     : "+r" (ar), "+r" (limit), "=r" (readable), "=r" (writable)
			     : "r" (selector));
		EXPECT_EQ(ar >> 13 & 3, n < NR ? 3 : 0);
		EXPECT_EQ(limit, n < NR ? ~0U : 0);
		EXPECT_EQ(readable, n < NR && (!is_code(n) || n & 2));
		EXPECT_EQ(writable, n < NR && !is_code(n) && n & 2);
	}
}

/* By the hypercall, for programs: a bad one is the failsafe's or a #GP. */
static void frames_of_iret(void)
{
	u32 n;

	for (n = 0; n < NR + 16; n++) {
		u16 selector = (FIRST + n) * 8 | 7;

		r = user_regs(code_target);
		r.cs = selector;
		expect_sane(user_run(&r));
		r = user_regs(code_target);
		r.ss = selector;
		expect_sane(user_run(&r));
	}
}

static u64 handler_cs;

static bool catch_handler(struct regs *regs)
{
	u64 *frame = (u64 *)regs->rsp;

	handler_cs = regs->entry_cs;
	if (regs->vector != VEC_FAILSAFE) {
		EXPECT_EQ(regs->vector, 0x85);
		return true;
	}
	/* The handler's frame was made: rcx r11 rip cs rflags rsp ss. */
	regs->rip = frame[2];
	regs->rflags = frame[4];
	regs->rsp = frame[5];
	regs->cs = FLAT_KERNEL_CS & ~3;
	return true;
}

/* A trap's handler in each segment there is: it runs in ring 3, or failsafe does. */
static void selectors_of_handlers(void)
{
	static struct trap_info table[257];
	u32 n;

	trap_hook = catch_handler;
	for (n = 0; n < NR + 16; n++) {
		trap_table_init(table);
		table[0x85].flags = 3;
		table[0x85].cs = (FIRST + n) * 8 | 4;
		/* 32-bit code would not come back from the stub. */
		if (n < NR && is_code(n) && (n & 48) != 48 && !(n & 16))
			continue;
		set_trap_table(table);
		handler_cs = 0;
		asm volatile("int $0x85" : : : "memory");
		EXPECT_EQ(handler_cs & 3, 3);
		EXPECT_EQ(this_cpu(), this_cpu()->self);
	}
	trap_hook = NULL;
	trap_table_init(table);
	set_trap_table(table);
}

/* A vCPU that is not up yet, with tables that are none. */
static void a_vcpu_with_bad_tables(void)
{
	static struct vcpu_guest_context ctxt;
	static u8 stack[4096];
	static struct cpu cpu;
	u64 *gates = page_alloc();

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	gates[5] = PRESENT | DPL(3) | TYPE(12) | 0xe0080000UL;
	cpu_init_context(&ctxt, &cpu, stack + sizeof(stack));
	ctxt.gdt_frames[0] = mfn_of(gates);
	ctxt.gdt_ents = 512;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	ctxt.gdt_frames[0] = start_info->nr_pages + 0x1000;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	ctxt.gdt_frames[0] = ~0UL;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	ctxt.gdt_ents = 14 * 512 + 1;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	ctxt.gdt_ents = ~0UL;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	ctxt.gdt_ents = 0;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), 0);
}

GUEST_TEST(CASE(make_tables), CASE(far_transfers_to_code), CASE(far_transfers_to_gates),
	   CASE(requested_levels), CASE(data_segments_are_loaded), CASE(what_the_cpu_tells),
	   CASE(frames_of_iret), CASE(selectors_of_handlers), CASE(a_vcpu_with_bad_tables));
