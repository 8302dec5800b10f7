// SPDX-License-Identifier: GPL-2.0
/*
 * What a guest kernel does that leaves it nothing to go on with ends that guest,
 * at once and with a reason that says what it was.
 *
 * It may end the host, or not end at all.  tests/guest/deaths.sh runs this once
 * for each way to die, "death=N" on the command line; without, it says how many
 * there are.
 */
#include "guest.h"

USER_ASM(code_syscall, "syscall");
USER_ASM(code_ud, "ud2");

static struct regs r;

static void run_with_stack(const u8 *code, u64 sp)
{
	this_cpu()->kernel_sp = sp;
	r = user_regs(code);
	user_run(&r);
}

static void stack_in_the_hole(void) { run_with_stack(code_syscall, 0xffff830000004000); }
static void stack_in_the_world(void) { run_with_stack(code_syscall, 0xffff830200000c00); }
static void stack_that_wraps(void) { run_with_stack(code_syscall, 8); }
static void stack_not_canonical(void) { run_with_stack(code_ud, 0x8000000000000000); }
static void stack_unmapped(void) { run_with_stack(code_ud, FREE_VA); }

static void stack_of_the_trap(u64 sp)
{
	asm volatile("movq %0, %%rsp; ud2" : : "r" (sp));
}

static void own_stack_in_the_hole(void) { stack_of_the_trap(0xffff830000004000); }
static void own_stack_unmapped(void) { stack_of_the_trap(FREE_VA); }
static void own_stack_at_zero(void) { stack_of_the_trap(0); }

static void iret_from(u64 sp)
{
	asm volatile("movq %0, %%rsp; movl $23, %%eax; syscall" : : "r" (sp) : "rcx", "r11");
}

static void iret_in_the_hole(void) { iret_from(0xffff830000004000); }
static void iret_in_the_world(void) { iret_from(0xffff830200000380); }
static void iret_unmapped(void) { iret_from(FREE_VA); }
static void iret_that_wraps(void) { iret_from(0xffffffffffffffe0); }
static void iret_not_canonical(void) { iret_from(0x8000000000000000); }

static void no_user_root(void)
{
	mmuext(MMUEXT_NEW_USER_BASEPTR, 0);
	r = user_regs(code_ud);
	user_run(&r);
}

static void no_handler(void)
{
	set_trap_table(NULL);
	asm volatile("ud2");
}

static void no_failsafe(void)
{
	callback_register(CALLBACKTYPE_failsafe, 0, NULL);
	r = user_regs(code_ud);
	r.cs = 0x1233;
	user_run(&r);
}

/* The stack cannot take the frame that says that the stack is bad. */
static void a_handler_that_faults_for_ever(void)
{
	static struct trap_info table[257];

	trap_table_init(table);
	table[14].address = FREE_VA;
	set_trap_table(table);
	try_read(FREE_VA, NULL);
}

static void a_root_of_noise(void)
{
	u64 *page = page_alloc();

	memset(page, 0xff, PAGE_SIZE);
	mmuext(MMUEXT_NEW_BASEPTR, mfn_of(page));
}

static void an_empty_root(void)
{
	mmuext(MMUEXT_NEW_BASEPTR, mfn_of(page_alloc()));
}

static void the_root_is_emptied(void)
{
	pte_write(pte_find(kernel_root(), VIRT_BASE, 4), 0);
	flush_tlb_all();
}

static const struct test_case deaths[] = {
	CASE(stack_in_the_hole), CASE(stack_in_the_world), CASE(stack_that_wraps),
	CASE(stack_not_canonical), CASE(stack_unmapped), CASE(own_stack_in_the_hole),
	CASE(own_stack_unmapped), CASE(own_stack_at_zero), CASE(iret_in_the_hole),
	CASE(iret_in_the_world), CASE(iret_unmapped), CASE(iret_that_wraps),
	CASE(iret_not_canonical), CASE(no_user_root), CASE(no_handler), CASE(no_failsafe),
	CASE(a_handler_that_faults_for_ever), CASE(a_root_of_noise), CASE(an_empty_root),
	CASE(the_root_is_emptied),
};

static void die(void)
{
	u64 n = cmdline_number("death=", 0);

	if (n < 1 || n > ARRAY_SIZE(deaths)) {
		test_skip("each death=N kills it");
		print("# deaths: %u\n", (u32)ARRAY_SIZE(deaths));
		return;
	}
	print("# dying by %s\n", deaths[n - 1].name);
	deaths[n - 1].run();
	print("# alive\n");
	EXPECT(!"alive");
}

GUEST_TEST(CASE(die));
