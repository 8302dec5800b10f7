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

GUEST_TEST(CASE(ports_are_closed_at_first), CASE(iopl_3_opens_them_all),
	   CASE(the_bitmap_opens_single_ports), CASE(wide_access_needs_all_of_its_ports),
	   CASE(the_bitmap_has_an_end), CASE(a_bitmap_that_is_not_there_opens_nothing),
	   CASE(the_kernel_needs_neither));
