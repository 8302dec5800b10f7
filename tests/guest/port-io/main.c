// SPDX-License-Identifier: GPL-2.0
/*
 * User mode may use the ports its kernel opens to it: all of them with an IOPL
 * of 3, or those whose bits are clear in the kernel's I/O bitmap.
 *
 * It may more or less: the CPU knows of neither, and the bitmap lies where user
 * mode maps nothing.
 */
#include "guest.h"

USER_ASM(code_in, "inb %dx, %al; ud2");
USER_ASM(code_in2, "inw %dx, %ax; ud2");
USER_ASM(code_in4, "inl %dx, %eax; ud2");
USER_ASM(code_in_imm, "inb $0x61, %al; ud2");
USER_ASM(code_out, "outb %al, %dx; ud2");
USER_ASM(code_ins, "rep insw; ud2");
USER_ASM(code_outs, "rep outsb; ud2");
USER_ASM(code_cli, "cli; sti; ud2");

/* Answered by nobody, by way of the launcher. */
#define PORT	0x1230

/* 8 KiB for all ports, of which only the first page is mapped. */
#define BITMAP	(FREE_VA + 0x500000)

static u8 *bitmap;
static struct regs r;

static u64 run(const u8 *code, u16 port)
{
	r = user_regs(code);
	r.rax = 0x1111111111111111;
	r.rdx = port;
	return user_run(&r);
}

static long set_iopl(u32 iopl)
{
	struct physdev_set_iopl op = { .iopl = iopl };

	return physdev_op(PHYSDEVOP_set_iopl, &op);
}

static long set_bitmap(u64 va, u32 nr_ports)
{
	struct physdev_set_iobitmap op = { .bitmap = (u8 *)va, .nr_ports = nr_ports };

	return physdev_op(PHYSDEVOP_set_iobitmap, &op);
}

static void ports_are_closed_at_first(void)
{
	const u8 *const codes[] = { code_in, code_in2, code_in4, code_in_imm, code_out, code_cli };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(codes); i++) {
		EXPECT_EQ(run(codes[i], PORT), 13);
		EXPECT_EQ(r.error, 0);
		EXPECT_EQ(r.rip, user_va(codes[i]));
		EXPECT_EQ(r.rax, 0x1111111111111111);
	}
}

static void iopl_3_opens_them_all(void)
{
	u32 iopl;

	for (iopl = 0; iopl < 3; iopl++) {
		EXPECT_EQ(set_iopl(iopl), 0);
		EXPECT_EQ(run(code_in, PORT), 13);
		EXPECT_EQ(run(code_cli, 0), 13);
	}
	EXPECT_EQ(set_iopl(3), 0);
	EXPECT_EQ(run(code_in, PORT), 6);
	EXPECT_EQ(r.rax, 0x11111111111111ff);
	EXPECT_EQ(r.rip, user_va(code_in) + 1);
	EXPECT_EQ(run(code_in2, 0xffff), 6);
	EXPECT_EQ(r.rax, 0x111111111111ffff);
	EXPECT_EQ(run(code_in4, PORT), 6);
	EXPECT_EQ(r.rax, 0xffffffff);
	EXPECT_EQ(run(code_in_imm, 0), 6);
	EXPECT_EQ(r.rax, 0x1111111111111120);
	EXPECT_EQ(run(code_out, PORT), 6);
	EXPECT_EQ(run(code_cli, 0), 6);
	EXPECT_EQ(r.rflags & FLAGS_IF, FLAGS_IF);
	EXPECT_EQ(set_iopl(0), 0);
	EXPECT_EQ(run(code_in, PORT), 13);
}

static void the_bitmap_opens_single_ports(void)
{
	bitmap = page_alloc();
	map(kernel_root(), BITMAP, mkpte(mfn_of(bitmap), PTE_RW));
	memset(bitmap, 0xff, PAGE_SIZE);
	EXPECT_EQ(set_bitmap(BITMAP, 65536), 0);
	EXPECT_EQ(run(code_in, PORT), 13);
	bitmap[PORT / 8] = 0xfe;
	EXPECT_EQ(run(code_in, PORT), 6);
	EXPECT_EQ(r.rax, 0x11111111111111ff);
	EXPECT_EQ(run(code_out, PORT), 6);
	EXPECT_EQ(run(code_in, PORT + 1), 13);
	EXPECT_EQ(run(code_in2, PORT), 13);
	EXPECT_EQ(run(code_cli, 0), 13);
}

/* Every port that is touched needs its bit, and they may be in two bytes. */
static void wide_access_needs_all_of_its_ports(void)
{
	bitmap[PORT / 8] = 0x3f;
	bitmap[PORT / 8 + 1] = 0xfc;
	EXPECT_EQ(run(code_in4, PORT + 6), 6);
	EXPECT_EQ(run(code_in4, PORT + 5), 13);
	EXPECT_EQ(run(code_in4, PORT + 7), 13);
	EXPECT_EQ(run(code_in2, PORT + 6), 6);
	EXPECT_EQ(run(code_in2, PORT + 7), 6);
	EXPECT_EQ(run(code_in2, PORT + 9), 13);
}

static void the_bitmap_has_an_end(void)
{
	memset(bitmap, 0, PAGE_SIZE);
	EXPECT_EQ(set_bitmap(BITMAP, PORT + 2), 0);
	EXPECT_EQ(run(code_in, PORT + 1), 6);
	EXPECT_EQ(run(code_in, PORT + 2), 13);
	EXPECT_EQ(run(code_in2, PORT), 6);
	EXPECT_EQ(run(code_in2, PORT + 1), 13);
	EXPECT_EQ(run(code_in4, 0xffff), 13);
	EXPECT_EQ(set_bitmap(BITMAP, 0), 0);
	EXPECT_EQ(run(code_in, 0), 13);
	EXPECT_EQ(set_bitmap(BITMAP, 65537), -EINVAL);
	EXPECT_EQ(run(code_in, 0), 13);
}

/* The second page is not there: its ports are closed, the first one's open. */
static void a_bitmap_that_is_not_there_opens_nothing(void)
{
	EXPECT_EQ(set_bitmap(BITMAP, 65536), 0);
	EXPECT_EQ(run(code_in, 0x7fff), 6);
	EXPECT_EQ(run(code_in, 0x8000), 13);
	EXPECT_EQ(run(code_in2, 0x7fff), 13);
	EXPECT_EQ(set_bitmap(0x8000000000000000, 65536), 0);
	EXPECT_EQ(run(code_in, 0), 13);
	EXPECT_EQ(set_bitmap(~0UL, 65536), 0);
	EXPECT_EQ(run(code_in, 8), 13);
	EXPECT_EQ(set_bitmap(0xffff800000000000, 65536), 0);
	EXPECT_EQ(run(code_in, 0), 13);
	EXPECT_EQ(set_bitmap(0, 0), 0);
}

static void the_kernel_needs_neither(void)
{
	u32 eax = 0;

	EXPECT_EQ(TRY("inb %%dx, %%al", : "+a" (eax) : "d" (PORT)), VEC_NONE);
	EXPECT_EQ(eax, 0xff);
	EXPECT_EQ(TRY("cli; sti"), VEC_NONE);
}

/* --- strings ------------------------------------------------------------------- */

/* Two pages that follow each other, and a third address where nothing is. */
#define STRING_VA	(FREE_VA + 0x900000)
#define STRING_END	(STRING_VA + 2 * PAGE_SIZE)

static u8 *string_page[2];
static struct { u64 di, si, cx; } after;

#define STRING(_insn, _di, _si, _cx)						\
	({									\
		u64 di_ = (_di), si_ = (_si), cx_ = (_cx);			\
		u64 vector_ = TRY(_insn "; cld", : "+D" (di_), "+S" (si_), "+c" (cx_) \
				  : "d" (PORT) : "memory", "cc");		\
		after.di = di_;							\
		after.si = si_;							\
		after.cx = cx_;							\
		vector_;							\
	})

static void strings_set_up(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		string_page[i] = page_alloc();
		map(kernel_root(), STRING_VA + i * PAGE_SIZE,
		    mkpte(mfn_of(string_page[i]), PTE_RW));
	}
}

static void strings_clear(void)
{
	if (!string_page[0])
		strings_set_up();
	memset(string_page[0], 0, PAGE_SIZE);
	memset(string_page[1], 0, PAGE_SIZE);
}

/* Nobody answers, so what was read is ones: from @first on, @len bytes, no more. */
static bool ones_are(u32 first, u32 len)
{
	u32 i;

	for (i = 0; i < 2 * PAGE_SIZE; i++) {
		u8 is = string_page[i / PAGE_SIZE][i % PAGE_SIZE];

		if (is != (i - first < len ? 0xff : 0))
			return false;
	}
	return true;
}

static void ins_fills_memory(void)
{
	strings_clear();
	EXPECT_EQ(STRING("insw", STRING_VA + 6, 5, 99), VEC_NONE);
	EXPECT(ones_are(6, 2));
	EXPECT_EQ(after.di, STRING_VA + 8);
	EXPECT_EQ(after.cx, 99);
	strings_clear();
	EXPECT_EQ(STRING("rep insb", STRING_VA + 1, 5, 3), VEC_NONE);
	EXPECT(ones_are(1, 3));
	EXPECT_EQ(after.di, STRING_VA + 4);
	EXPECT_EQ(after.si, 5);
	EXPECT_EQ(after.cx, 0);
	strings_clear();
	EXPECT_EQ(STRING("rep insl", STRING_VA, 5, 0), VEC_NONE);
	EXPECT(ones_are(0, 0));
	EXPECT_EQ(after.di, STRING_VA);
}

/* More than one exit carries, from an odd address across the pages' border. */
static void long_strings_cross_pages(void)
{
	strings_clear();
	EXPECT_EQ(STRING("rep insw", STRING_VA + 0x3ff, 0, 3000), VEC_NONE);
	EXPECT(ones_are(0x3ff, 6000));
	EXPECT_EQ(after.di, STRING_VA + 0x3ff + 6000);
	EXPECT_EQ(after.cx, 0);
	EXPECT_EQ(STRING("rep outsl", 0, STRING_VA + 3, 1500), VEC_NONE);
	EXPECT_EQ(after.si, STRING_VA + 3 + 6000);
	EXPECT_EQ(after.cx, 0);
}

static void strings_go_down_too(void)
{
	strings_clear();
	EXPECT_EQ(STRING("std; rep insw", STRING_VA + PAGE_SIZE + 2, 0, 5), VEC_NONE);
	EXPECT(ones_are(PAGE_SIZE - 6, 10));
	EXPECT_EQ(after.di, STRING_VA + PAGE_SIZE - 8);
	EXPECT_EQ(after.cx, 0);
}

/* As far as there is memory; then a fault that shows how far. */
static void strings_fault_where_they_are(void)
{
	strings_clear();
	EXPECT_EQ(STRING("rep insw", STRING_END - 100, 0, 1000), 14);
	EXPECT_EQ(this_cpu()->last.rdi, STRING_END);
	EXPECT_EQ(this_cpu()->last.rcx, 950);
	EXPECT_EQ(this_cpu()->last.error, PF_W);
	EXPECT_EQ(this_cpu()->info->arch.cr2, STRING_END);
	EXPECT(ones_are(2 * PAGE_SIZE - 100, 100));
	/* A unit that lies half in it is not read at all. */
	strings_clear();
	EXPECT_EQ(STRING("rep insl", STRING_END - 6, 0, 2), 14);
	EXPECT_EQ(this_cpu()->last.rdi, STRING_END - 2);
	EXPECT_EQ(this_cpu()->last.rcx, 1);
	EXPECT_EQ(this_cpu()->info->arch.cr2, STRING_END);
	EXPECT(ones_are(2 * PAGE_SIZE - 6, 4));
	EXPECT_EQ(STRING("rep outsb", 0, STRING_END - 1, 2), 14);
	EXPECT_EQ(this_cpu()->last.rsi, STRING_END);
	EXPECT_EQ(this_cpu()->last.error, 0);
	EXPECT_EQ(STRING("outsb", 0, 0x8000000000000000, 1), 13);
	EXPECT_EQ(STRING("insb", 0xffff830000000000, 0, 1), 14);
	EXPECT_EQ(STRING("insl", ~0UL - 1, 0, 1), 13);
}

/* What is read-only stays what it is, and says so. */
static void strings_obey_the_tables(void)
{
	map(kernel_root(), STRING_VA, mkpte(mfn_of(string_page[0]), PTE_RO));
	strings_clear();
	EXPECT_EQ(STRING("rep insw", STRING_VA, 0, 8), 14);
	EXPECT_EQ(this_cpu()->last.error, PF_P | PF_W);
	EXPECT_EQ(this_cpu()->last.rcx, 8);
	EXPECT(ones_are(0, 0));
	EXPECT_EQ(STRING("rep outsw", 0, STRING_VA, 8), VEC_NONE);
	map(kernel_root(), STRING_VA, mkpte(mfn_of(string_page[0]), PTE_RW));
}

/* With 32-bit addresses registers lose their upper halves. */
static void strings_with_short_addresses(void)
{
	EXPECT_EQ(STRING("rep insb (%%dx), %%es:(%%edi)", 0x100000123, 0, 0x500000002), 14);
	EXPECT_EQ(this_cpu()->info->arch.cr2, 0x123);
	EXPECT_EQ(this_cpu()->last.rcx, 0x500000002);
	EXPECT_EQ(STRING("rep insb (%%dx), %%es:(%%edi)", 0, 0, 0x500000000), VEC_NONE);
}

/* A debugger sees each unit. */
static void strings_can_be_stepped(void)
{
	r = user_regs(code_ins);
	r.rdi = USER_DATA;
	r.rcx = 3;
	r.rdx = PORT;
	r.rflags |= FLAGS_TF;
	EXPECT_EQ(set_iopl(3), 0);
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rcx, 2);
	EXPECT_EQ(r.rip, user_va(code_ins));
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(user_run(&r), 1);
	EXPECT_EQ(r.rcx, 0);
	EXPECT_EQ(r.rdi, USER_DATA + 6);
	EXPECT_EQ(r.rip, user_va(code_ins) + 3);
	EXPECT_EQ(set_iopl(0), 0);
}

static u64 run_string(const u8 *code, u64 va, u64 count)
{
	r = user_regs(code);
	r.rdi = va;
	r.rsi = va;
	r.rcx = count;
	r.rdx = PORT;
	return user_run(&r);
}

/* With the ports of its kernel, but never its memory. */
static void user_mode_has_strings_too(void)
{
	EXPECT_EQ(run_string(code_ins, USER_DATA, 4), 13);
	EXPECT_EQ(r.rcx, 4);
	EXPECT_EQ(set_iopl(3), 0);
	user_data[0] = 0;
	user_data[1] = 0;
	EXPECT_EQ(run_string(code_ins, USER_DATA, 4), 6);
	EXPECT_EQ(user_data[0], ~0UL);
	EXPECT_EQ(user_data[1], 0);
	EXPECT_EQ(run_string(code_outs, USER_DATA, 2000), 6);
	EXPECT_EQ(r.rsi, USER_DATA + 2000);
	strings_clear();
	EXPECT_EQ(run_string(code_ins, STRING_VA, 4), 14);
	EXPECT_EQ(r.error & PF_U, PF_U);
	EXPECT_EQ(run_string(code_outs, STRING_VA, 4), 14);
	EXPECT_EQ(r.error & PF_U, PF_U);
	EXPECT_EQ(run_string(code_ins, 0xffff830000000000, 4), 14);
	EXPECT_EQ(r.error & PF_U, PF_U);
	EXPECT(ones_are(0, 0));
	EXPECT_EQ(set_iopl(0), 0);
}

GUEST_TEST(CASE(ports_are_closed_at_first), CASE(iopl_3_opens_them_all),
	   CASE(the_bitmap_opens_single_ports), CASE(wide_access_needs_all_of_its_ports),
	   CASE(the_bitmap_has_an_end), CASE(a_bitmap_that_is_not_there_opens_nothing),
	   CASE(the_kernel_needs_neither), CASE(ins_fills_memory), CASE(long_strings_cross_pages),
	   CASE(strings_go_down_too), CASE(strings_fault_where_they_are),
	   CASE(strings_obey_the_tables), CASE(strings_with_short_addresses),
	   CASE(strings_can_be_stepped), CASE(user_mode_has_strings_too));
