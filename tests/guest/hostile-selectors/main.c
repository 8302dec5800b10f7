// SPDX-License-Identifier: GPL-2.0
/*
 * No selector, far jump, far call, gate or INT n leads from ring 3 into the
 * hypervisor: its descriptors are there for its own use and fault for others.
 *
 * It may lead there: hardware looks at descriptors and gates by itself, and the
 * hypervisor's are in every guest's GDT.
 */
#include "guest.h"

USER_ASM(code_lcall, "lcall *(%rdi); ud2");
USER_ASM(code_ljmp, "ljmp *(%rdi); ud2");
USER_ASM(code_iret, "iretq; ud2");
USER_ASM(code_int, "int $0; ud2");

static struct regs r;

static u64 kernel_lcall(u16 selector)
{
	u64 far_pointer = (u64)selector << 32 | 0x1000;

	return TRY("lcall *(%0)", : : "r" (&far_pointer) : "memory");
}

static void far_calls_end_in_gp(void)
{
	u16 selector;

	for (selector = 0xe000; selector < 0xe100; selector += 8) {
		u32 rpl;

		if (selector == (FLAT_RING3_CS32 & ~7) || selector == (FLAT_RING3_CS64 & ~7))
			continue;
		for (rpl = 0; rpl < 4; rpl += 3) {
			EXPECT_EQ(kernel_lcall(selector | rpl), 13);
			user_data[0] = user_va(code_int) | (u64)(selector | rpl) << 32;
			r = user_regs(code_lcall);
			r.rdi = USER_DATA;
			EXPECT_EQ(user_run(&r), 13);
			r = user_regs(code_ljmp);
			r.rdi = USER_DATA;
			EXPECT_EQ(user_run(&r), 13);
		}
	}
}

/* A program's own IRETQ, to ring 0 and to the hypervisor's segments. */
static void a_users_iret_stays_in_ring_3(void)
{
	static const u16 selectors[] = { 0xe008, 0xe00b, 0xe010, 0x10, 0x08, 0, 3, 0xe040 };
	u64 *stack = (u64 *)(USER_STACK - 64);
	u32 i;

	for (i = 0; i < ARRAY_SIZE(selectors); i++) {
		stack[0] = user_va(code_int) + 2;
		stack[1] = selectors[i];
		stack[2] = 0x3202;
		stack[3] = USER_STACK;
		stack[4] = FLAT_USER_SS;
		r = user_regs(code_iret);
		r.rsp = USER_STACK - 64;
		EXPECT_EQ(user_run(&r), 13);
	}
	stack[1] = FLAT_USER_CS64;
	stack[4] = 0xe010;
	r = user_regs(code_iret);
	r.rsp = USER_STACK - 64;
	EXPECT(user_run(&r) != 6);
	stack[4] = FLAT_USER_SS;
	r = user_regs(code_iret);
	r.rsp = USER_STACK - 64;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rflags & (FLAGS_IOPL | FLAGS_IF), FLAGS_IF);
}

static bool is_the_guests(u32 selector)
{
	return (selector | 3) == FLAT_RING3_SS32 || (selector | 3) == FLAT_RING3_CS32 ||
	       (selector | 3) == FLAT_RING3_CS64;
}

static void data_segments_of_the_hypervisor(void)
{
	u32 selector;

	for (selector = 0xe000; selector < 0xe100; selector += 8) {
		u64 vector = TRY("movw %0, %%es", : : "r" ((u16)(selector | 3)));

		asm volatile("movw %0, %%es" : : "r" ((u16)0));
		EXPECT_EQ(vector, is_the_guests(selector) ? VEC_NONE : 13);
	}
	EXPECT(TRY("movw %0, %%ss", : : "r" ((u16)0xe010)) != VEC_NONE);
	EXPECT(TRY("movw %0, %%ss", : : "r" ((u16)0xe013)) != VEC_NONE);
}

/* What LAR and LSL tell of them: nothing. */
static void descriptors_are_not_shown(void)
{
	u32 selector, seen = 0;

	for (selector = 0xe008; selector < 0xe100; selector += 8) {
		u32 ar = 0, limit = 0;

		if (is_the_guests(selector))
			continue;
		asm volatile("larl %2, %0; lsll %2, %1" : "+r" (ar), "+r" (limit) : "r" (selector));
		seen |= ar | limit;
	}
	EXPECT_EQ(seen, 0);
}

static struct trap_info table[257];

/* Exceptions with an error code have stubs that expect it; INT n has none. */
static void trap_table_for_int(u8 dpl)
{
	u32 i;

	trap_table_init(table);
	for (i = 0; i < 256; i++)
		table[i].flags = dpl;
	if (dpl == 3)
		for (i = 0; i < 32; i++)
			if (i == 8 || i == 17 || i == 21 || (i >= 10 && i <= 14))
				table[i].address = (u64)(trap_stubs + 16 * (0xc0 + i));
	set_trap_table(table);
}

static u64 user_int(u8 *code, u32 vector)
{
	code[1] = vector;
	r = user_regs(code_int);
	return user_run(&r);
}

static u8 *writable_code(void)
{
	u64 va = user_va(code_int);
	u64 mfn = (*pte_find(kernel_root(), va, 1) & PTE_MFN) >> 12;

	return (u8 *)va_of(mfn) + (va & 4095);
}

static void int_n_goes_where_the_table_says(void)
{
	u8 *code = writable_code();
	u32 i;

	for (i = 0; i < 256; i++) {
		u32 should = i;

		if (i == 8 || i == 17 || i == 21 || (i >= 10 && i <= 14))
			should = 0xc0 + i;
		trap_table_for_int(3);
		EXPECT_EQ(user_int(code, i), should);
		EXPECT_EQ(r.rip, user_va(code_int) + 2);
	}
}

static void int_n_is_refused_by_the_dpl(void)
{
	u8 *code = writable_code();
	u32 i;

	trap_table_for_int(0);
	for (i = 0; i < 256; i++) {
		EXPECT_EQ(user_int(code, i), 13);
		EXPECT_EQ(r.error, i * 8 + 2);
		EXPECT_EQ(r.rip, user_va(code_int));
	}
	trap_table_init(table);
	set_trap_table(table);
}

/* A program must not end a kernel that has no use for INT 0x80. */
static void int_n_without_a_handler_is_refused(void)
{
	static const u8 vectors[] = { 0x80, 0x81, 0x20, 0xff };
	u8 *code = writable_code();
	u32 i;

	set_trap_table(NULL);
	trap_table_init(table);
	table[0] = table[13];
	table[1] = (struct trap_info){ .address = 0 };
	set_trap_table(table);
	for (i = 0; i < ARRAY_SIZE(vectors); i++) {
		EXPECT_EQ(user_int(code, vectors[i]), 13);
		EXPECT_EQ(r.error, vectors[i] * 8 + 2);
	}
	trap_table_init(table);
	set_trap_table(table);
}

/* A handler in the hypervisor's segment does not load, and failsafe is told. */
static u64 handler_rip;

static bool catch_failsafe(struct regs *regs)
{
	struct regs *frame = (struct regs *)regs->rsp;

	if (regs->vector != VEC_FAILSAFE)
		return false;
	handler_rip = regs->rip;
	/* The frame for the handler was made and lies on the stack: rcx r11 rip... */
	regs->rip = ((u64 *)frame)[2];
	regs->rsp = ((u64 *)frame)[5];
	regs->rflags = ((u64 *)frame)[4];
	regs->cs = FLAT_KERNEL_CS & ~3;
	this_cpu()->last = *regs;
	return true;
}

static void a_handler_with_its_selector(void)
{
	trap_table_init(table);
	table[0x85].flags = 3;
	table[0x85].cs = 0xe008;
	set_trap_table(table);
	trap_hook = catch_failsafe;
	EXPECT_EQ(TRY("int $0x85"), VEC_FAILSAFE);
	EXPECT_EQ(handler_rip, (u64)(trap_stubs + 16 * 0x85));
	trap_hook = NULL;
	trap_table_init(table);
	set_trap_table(table);
}

GUEST_TEST(CASE(far_calls_end_in_gp), CASE(a_users_iret_stays_in_ring_3),
	   CASE(data_segments_of_the_hypervisor), CASE(descriptors_are_not_shown),
	   CASE(int_n_goes_where_the_table_says), CASE(int_n_is_refused_by_the_dpl),
	   CASE(a_handler_with_its_selector), CASE(int_n_without_a_handler_is_refused));
