// SPDX-License-Identifier: GPL-2.0
/*
 * insn_test.c - the decoder knows its instructions, and no byte beyond them
 *
 * Sources: host-module/emul/insn.c
 */
#include <stdlib.h>
#include <string.h>

#include "host-module/emul/insn.h"
#include "userland/tap.h"

#define NO	RF_INSN_NO_REG

static struct rf_insn insn;

/* Decode from memory that ends with the bytes, so that ASan sees one more. */
static bool decode(const char *bytes, size_t len, int bits)
{
	u8 *copy = malloc(len ?: 1);
	bool known;

	memcpy(copy, bytes, len);
	known = rf_insn_decode(&insn, copy, len, bits);
	free(copy);
	return known;
}

#define DECODE(_bytes, _bits)	decode(_bytes, sizeof(_bytes) - 1, _bits)

#define EXPECT_OP(_bytes, _bits, _op)					\
	do {								\
		EXPECT(DECODE(_bytes, _bits));				\
		EXPECT_EQ(insn.op, _op);				\
		EXPECT_EQ(insn.len, sizeof(_bytes) - 1);		\
	} while (0)

#define EXPECT_UNKNOWN(_bytes, _bits)					\
	do {								\
		EXPECT(!DECODE(_bytes, _bits));				\
		EXPECT_EQ(insn.op, RF_INSN_UNKNOWN);			\
		EXPECT_EQ(insn.len, 0);					\
	} while (0)

static void expect_mem(u8 base, u8 index, u8 shift, s32 disp, u8 seg)
{
	EXPECT(insn.operand.is_mem);
	EXPECT_EQ(insn.operand.base, base);
	EXPECT_EQ(insn.operand.index, index);
	EXPECT_EQ(insn.operand.shift, shift);
	EXPECT_EQ(insn.operand.disp, disp);
	EXPECT_EQ(insn.operand.seg, seg);
}

static void opcodes_without_operands_are_known(void)
{
	EXPECT_OP("\x0f\xa2", 64, RF_INSN_CPUID);
	EXPECT_OP("\x0f\x32", 64, RF_INSN_RDMSR);
	EXPECT_OP("\x0f\x30", 64, RF_INSN_WRMSR);
	EXPECT_OP("\x0f\x31", 64, RF_INSN_RDTSC);
	EXPECT_OP("\x0f\x06", 64, RF_INSN_CLTS);
	EXPECT_OP("\x0f\x08", 64, RF_INSN_FLUSH_CACHE);
	EXPECT_OP("\x0f\x09", 64, RF_INSN_FLUSH_CACHE);
	EXPECT_OP("\xf3\x0f\x09", 64, RF_INSN_FLUSH_CACHE);
	EXPECT_OP("\x0f\x01\xd1", 64, RF_INSN_XSETBV);
	EXPECT_OP("\xf4", 64, RF_INSN_HLT);
	EXPECT_OP("\xfa", 64, RF_INSN_CLI);
	EXPECT_OP("\xfb", 64, RF_INSN_STI);
}

static void xen_prefix_forces_cpuid(void)
{
	EXPECT_OP("\x0f\x0bxen\x0f\xa2", 64, RF_INSN_XEN_CPUID);
	EXPECT_OP("\x0f\x0bxen\x0f\xa2", 32, RF_INSN_XEN_CPUID);
	EXPECT_UNKNOWN("\x0f\x0b", 64);
	EXPECT_UNKNOWN("\x0f\x0bxen", 64);
	EXPECT_UNKNOWN("\x0f\x0bxen\x0f", 64);
	EXPECT_UNKNOWN("\x0f\x0bxen\x0f\x32", 64);
	EXPECT_UNKNOWN("\x0f\x0bxeN\x0f\xa2", 64);
	EXPECT_UNKNOWN("\x66\x0f\x0bxen\x0f\xa2", 64);
	EXPECT_UNKNOWN("\x0f\x0bxen\x66\x0f\xa2", 64);
}

static void ports_are_taken_from_dx_or_the_byte(void)
{
	EXPECT_OP("\xe4\x61", 64, RF_INSN_IN);
	EXPECT_EQ(insn.size, 1);
	EXPECT_EQ(insn.imm, 0x61);
	EXPECT(!insn.port_dx);
	EXPECT_OP("\xe5\xff", 64, RF_INSN_IN);
	EXPECT_EQ(insn.size, 4);
	EXPECT_EQ(insn.imm, 0xff);
	EXPECT_OP("\xe6\x80", 64, RF_INSN_OUT);
	EXPECT_EQ(insn.size, 1);
	EXPECT_OP("\x66\xe7\x80", 64, RF_INSN_OUT);
	EXPECT_EQ(insn.size, 2);

	EXPECT_OP("\xec", 64, RF_INSN_IN);
	EXPECT_EQ(insn.size, 1);
	EXPECT(insn.port_dx);
	EXPECT_OP("\xee", 64, RF_INSN_OUT);
	EXPECT_EQ(insn.size, 1);
	EXPECT_OP("\xef", 64, RF_INSN_OUT);
	EXPECT_EQ(insn.size, 4);
}

static void port_size_follows_prefix_and_mode(void)
{
	EXPECT_OP("\x66\xed", 64, RF_INSN_IN);
	EXPECT_EQ(insn.size, 2);
	/* A port is never 8 bytes wide, and a byte stays a byte. */
	EXPECT_OP("\x48\xed", 64, RF_INSN_IN);
	EXPECT_EQ(insn.size, 4);
	EXPECT_OP("\x66\xec", 64, RF_INSN_IN);
	EXPECT_EQ(insn.size, 1);
	EXPECT_OP("\xed", 16, RF_INSN_IN);
	EXPECT_EQ(insn.size, 2);
	EXPECT_OP("\x66\xed", 16, RF_INSN_IN);
	EXPECT_EQ(insn.size, 4);
}

static void strings_have_a_port_and_an_address(void)
{
	EXPECT_OP("\x6c", 64, RF_INSN_INS);
	EXPECT_EQ(insn.size, 1);
	EXPECT(insn.port_dx && !insn.rep);
	expect_mem(7, NO, 0, 0, RF_SEG_ES);
	EXPECT_EQ(insn.operand.addr_size, 8);
	EXPECT_OP("\xf3\x66\x6d", 64, RF_INSN_INS);
	EXPECT_EQ(insn.size, 2);
	EXPECT(insn.rep);
	EXPECT_OP("\xf2\x6f", 64, RF_INSN_OUTS);
	EXPECT_EQ(insn.size, 4);
	EXPECT(insn.rep);
	expect_mem(6, NO, 0, 0, RF_SEG_DS);
	EXPECT_OP("\x48\x6f", 64, RF_INSN_OUTS);
	EXPECT_EQ(insn.size, 4);
	EXPECT_OP("\x67\x6e", 64, RF_INSN_OUTS);
	EXPECT_EQ(insn.operand.addr_size, 4);
	EXPECT_OP("\x67\x6d", 32, RF_INSN_INS);
	EXPECT_EQ(insn.size, 4);
	EXPECT_EQ(insn.operand.addr_size, 2);
	EXPECT_UNKNOWN("\xf0\x6d", 64);
}

static void strings_come_from_any_segment_and_go_to_one(void)
{
	EXPECT_OP("\x65\x6f", 64, RF_INSN_OUTS);
	EXPECT_EQ(insn.operand.seg, RF_SEG_GS);
	EXPECT_OP("\x36\x6f", 64, RF_INSN_OUTS);
	EXPECT_EQ(insn.operand.seg, RF_SEG_DS);
	EXPECT_OP("\x36\x6f", 32, RF_INSN_OUTS);
	EXPECT_EQ(insn.operand.seg, RF_SEG_SS);
	EXPECT_OP("\x64\x6d", 64, RF_INSN_INS);
	EXPECT_EQ(insn.operand.seg, RF_SEG_ES);
}

static void moves_name_their_registers(void)
{
	EXPECT_OP("\x0f\x20\xc0", 64, RF_INSN_MOV_FROM_CR);	/* %cr0, %rax */
	EXPECT_EQ(insn.reg, 0);
	EXPECT_EQ(insn.gpr, 0);
	EXPECT_EQ(insn.size, 8);
	EXPECT_OP("\x41\x0f\x20\xe7", 64, RF_INSN_MOV_FROM_CR);	/* %cr4, %r15 */
	EXPECT_EQ(insn.reg, 4);
	EXPECT_EQ(insn.gpr, 15);
	EXPECT_OP("\x44\x0f\x22\xc3", 64, RF_INSN_MOV_TO_CR);	/* %rbx, %cr8 */
	EXPECT_EQ(insn.reg, 8);
	EXPECT_EQ(insn.gpr, 3);
	EXPECT_OP("\x0f\x23\xfe", 64, RF_INSN_MOV_TO_DR);	/* %rsi, %db7 */
	EXPECT_EQ(insn.reg, 7);
	EXPECT_EQ(insn.gpr, 6);
	EXPECT_OP("\x0f\x21\xf1", 64, RF_INSN_MOV_FROM_DR);	/* %db6, %rcx */
	EXPECT_EQ(insn.reg, 6);
	EXPECT_EQ(insn.gpr, 1);
}

static void moves_ignore_mod_and_operand_size(void)
{
	/* mod 0, rm 5 would be memory with a displacement anywhere else. */
	EXPECT_OP("\x0f\x20\x05", 64, RF_INSN_MOV_FROM_CR);
	EXPECT_EQ(insn.gpr, 5);
	EXPECT_OP("\x66\x0f\x20\xc0", 64, RF_INSN_MOV_FROM_CR);
	EXPECT_EQ(insn.size, 8);
	EXPECT_OP("\x0f\x20\xc0", 32, RF_INSN_MOV_FROM_CR);
	EXPECT_EQ(insn.size, 4);
}

static void tables_are_told_apart(void)
{
	EXPECT_OP("\x0f\x01\x00", 64, RF_INSN_SGDT);
	EXPECT_OP("\x0f\x01\x08", 64, RF_INSN_SIDT);
	EXPECT_OP("\x0f\x01\x20", 64, RF_INSN_SMSW);
	EXPECT_OP("\x0f\x01\x30", 64, RF_INSN_LMSW);
	EXPECT_OP("\x0f\x01\x38", 64, RF_INSN_INVLPG);
	EXPECT_OP("\x0f\x00\x00", 64, RF_INSN_SLDT);
	EXPECT_OP("\x0f\x00\x08", 64, RF_INSN_STR);
	EXPECT_OP("\x0f\x00\xc8", 64, RF_INSN_STR);
	EXPECT_OP("\x48\x0f\x01\xe2", 64, RF_INSN_SMSW);	/* %rdx */
	EXPECT(!insn.operand.is_mem);
	EXPECT_EQ(insn.operand.base, 2);
	EXPECT_EQ(insn.size, 8);
	/* LGDT, LIDT, LLDT, LTR, VERR; and what has a register for memory. */
	EXPECT_UNKNOWN("\x0f\x01\x10", 64);
	EXPECT_UNKNOWN("\x0f\x01\x18", 64);
	EXPECT_UNKNOWN("\x0f\x00\x10", 64);
	EXPECT_UNKNOWN("\x0f\x00\x18", 64);
	EXPECT_UNKNOWN("\x0f\x00\x20", 64);
	EXPECT_UNKNOWN("\x0f\x01\xc0", 64);
	EXPECT_UNKNOWN("\x0f\x01\xf8", 64);			/* SWAPGS */
}

static void addresses_of_64_bit_code(void)
{
	EXPECT_OP("\x0f\x01\x38", 64, RF_INSN_INVLPG);		/* (%rax) */
	expect_mem(0, NO, 0, 0, RF_SEG_DS);
	EXPECT_EQ(insn.operand.addr_size, 8);
	EXPECT_OP("\x0f\x01\x7d\xf0", 64, RF_INSN_INVLPG);	/* -16(%rbp) */
	expect_mem(5, NO, 0, -16, RF_SEG_SS);
	EXPECT_OP("\x41\x0f\x01\xb8\x78\x56\x34\x12", 64, RF_INSN_INVLPG);
	expect_mem(8, NO, 0, 0x12345678, RF_SEG_DS);
	EXPECT_OP("\x0f\x01\x3d\xfc\xff\xff\xff", 64, RF_INSN_INVLPG);
	expect_mem(RF_INSN_RIP, NO, 0, -4, RF_SEG_DS);		/* -4(%rip) */
	EXPECT_OP("\x67\x0f\x01\x38", 64, RF_INSN_INVLPG);	/* (%eax) */
	EXPECT_EQ(insn.operand.addr_size, 4);
}

static void addresses_with_an_index(void)
{
	EXPECT_OP("\x0f\x01\x3c\x24", 64, RF_INSN_INVLPG);	/* (%rsp) */
	expect_mem(4, NO, 0, 0, RF_SEG_SS);
	EXPECT_OP("\x0f\x01\x7c\xc8\x7f", 64, RF_INSN_INVLPG);	/* 127(%rax,%rcx,8) */
	expect_mem(0, 1, 3, 127, RF_SEG_DS);
	EXPECT_OP("\x43\x0f\x01\x3c\x64", 64, RF_INSN_INVLPG);	/* (%r12,%r12,2) */
	expect_mem(12, 12, 1, 0, RF_SEG_DS);
	EXPECT_OP("\x0f\x01\x3c\x25\x00\x10\x00\x00", 64, RF_INSN_INVLPG);
	expect_mem(NO, NO, 0, 0x1000, RF_SEG_DS);		/* 0x1000 */
	/* %r13 as a base with mod 0 is no base, as %rbp is. */
	EXPECT_OP("\x41\x0f\x01\x3c\x25\x00\x10\x00\x00", 64, RF_INSN_INVLPG);
	expect_mem(NO, NO, 0, 0x1000, RF_SEG_DS);
}

static void addresses_of_older_code(void)
{
	EXPECT_OP("\x0f\x01\x25\x00\x10\x00\x00", 32, RF_INSN_SMSW);
	expect_mem(NO, NO, 0, 0x1000, RF_SEG_DS);		/* 0x1000, not %rip */
	EXPECT_EQ(insn.operand.addr_size, 4);
	EXPECT_OP("\x67\x0f\x01\x62\xfe", 32, RF_INSN_SMSW);	/* -2(%bp,%si) */
	expect_mem(5, 6, 0, -2, RF_SEG_SS);
	EXPECT_EQ(insn.operand.addr_size, 2);
	EXPECT_OP("\x0f\x01\x26\x34\x12", 16, RF_INSN_SMSW);	/* 0x1234 */
	expect_mem(NO, NO, 0, 0x1234, RF_SEG_DS);
	EXPECT_OP("\x0f\x01\xa6\x34\x12", 16, RF_INSN_SMSW);	/* 0x1234(%bp) */
	expect_mem(5, NO, 0, 0x1234, RF_SEG_SS);
}

static void overrides_choose_the_segment(void)
{
	EXPECT_OP("\x65\x0f\x01\x38", 64, RF_INSN_INVLPG);
	EXPECT_EQ(insn.operand.seg, RF_SEG_GS);
	EXPECT_OP("\x64\x65\x0f\x01\x38", 64, RF_INSN_INVLPG);
	EXPECT_EQ(insn.operand.seg, RF_SEG_GS);
	/* The old four are no prefixes in 64-bit mode, not even the last. */
	EXPECT_OP("\x65\x3e\x0f\x01\x38", 64, RF_INSN_INVLPG);
	EXPECT_EQ(insn.operand.seg, RF_SEG_GS);
	EXPECT_OP("\x26\x0f\x01\x20", 32, RF_INSN_SMSW);
	EXPECT_EQ(insn.operand.seg, RF_SEG_ES);
}

static void rex_counts_only_before_the_opcode(void)
{
	EXPECT_OP("\x41\x66\x0f\x20\xc0", 64, RF_INSN_MOV_FROM_CR);
	EXPECT_EQ(insn.gpr, 0);
	EXPECT_OP("\x44\x41\x0f\x20\xc0", 64, RF_INSN_MOV_FROM_CR);
	EXPECT_EQ(insn.gpr, 8);
	EXPECT_EQ(insn.reg, 0);
	/* In older code these bytes are INC and DEC. */
	EXPECT_UNKNOWN("\x41\x0f\x20\xc0", 32);
}

static void mandatory_prefixes_make_other_instructions(void)
{
	EXPECT_UNKNOWN("\x66\x0f\x01\xd1", 64);
	EXPECT_UNKNOWN("\xf3\x0f\x01\xd1", 64);
	EXPECT_UNKNOWN("\xf2\x0f\x01\xd1", 64);
	EXPECT_UNKNOWN("\xf0\x0f\x20\xc0", 64);			/* LOCK */
	EXPECT_UNKNOWN("\xf0\xfa", 64);
	EXPECT_UNKNOWN("\x0f\x01\xd0", 64);			/* XGETBV */
	EXPECT_UNKNOWN("\x0f\x01\xee", 64);			/* RDPKRU */
}

static void interrupts_and_returns_have_their_words(void)
{
	EXPECT_OP("\xcd\x80", 64, RF_INSN_INT);
	EXPECT_EQ(insn.imm, 0x80);
	EXPECT_OP("\x48\xcf", 64, RF_INSN_IRET);
	EXPECT_EQ(insn.size, 8);
	EXPECT_OP("\xcf", 64, RF_INSN_IRET);
	EXPECT_EQ(insn.size, 4);
	EXPECT_OP("\x48\xcb", 64, RF_INSN_LRET);
	EXPECT_EQ(insn.size, 8);
	EXPECT_EQ(insn.imm, 0);
	EXPECT_OP("\x48\xca\x10\x02", 64, RF_INSN_LRET);
	EXPECT_EQ(insn.imm, 0x210);
	/* These have gates of their own. */
	EXPECT_UNKNOWN("\xcc", 64);
	EXPECT_UNKNOWN("\xce", 32);
	EXPECT_UNKNOWN("\xf1", 64);
}

/* Longer than the CPU takes, though each byte is there. */
static void fifteen_bytes_are_the_most(void)
{
	char code[RF_INSN_MAX_LEN + 1];

	memset(code, 0x66, sizeof(code));
	code[RF_INSN_MAX_LEN - 1] = '\xfa';
	EXPECT(decode(code, sizeof(code), 64));
	EXPECT_EQ(insn.len, RF_INSN_MAX_LEN);

	code[RF_INSN_MAX_LEN - 1] = 0x66;
	code[RF_INSN_MAX_LEN] = '\xfa';
	EXPECT(!decode(code, sizeof(code), 64));
}

/* Code may end at the end of a page: a part of an instruction is none. */
static void missing_bytes_are_noticed(void)
{
	static const char *const codes[] = {
		"\x0f\xa2", "\xcd\x80", "\xe4\x61", "\x48\xca\x10\x02",
		"\x0f\x01\x3d\xfc\xff\xff\xff", "\x0f\x01\x7c\xc8\x7f",
		"\x65\x48\x0f\x01\x24\x25\x01\x10\x20\x30",
	};
	static const size_t lens[] = { 2, 2, 2, 4, 7, 5, 10 };
	size_t i, len;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		EXPECT(decode(codes[i], lens[i], 64));
		EXPECT_EQ(insn.len, lens[i]);
		for (len = 0; len < lens[i]; len++)
			EXPECT(!decode(codes[i], len, 64));
	}
}

static void other_instructions_are_not_ours(void)
{
	EXPECT_UNKNOWN("\x90", 64);
	EXPECT_UNKNOWN("\x0f\x05", 64);				/* SYSCALL */
	EXPECT_UNKNOWN("\x0f\x34", 64);				/* SYSENTER */
	EXPECT_UNKNOWN("\x0f\x35", 64);				/* SYSEXIT */
	EXPECT_UNKNOWN("\x48\x0f\x07", 64);			/* SYSRET */
	EXPECT_UNKNOWN("\x0f\x33", 64);				/* RDPMC */
	EXPECT_UNKNOWN("\x0f\x01\xc8", 64);			/* MONITOR */
	EXPECT_UNKNOWN("\x0f\x01\xca", 64);			/* CLAC */
	EXPECT_UNKNOWN("\xf3\x0f\xae\xc0", 64);			/* RDFSBASE */
	EXPECT_UNKNOWN("\x66\x0f\x38\x82\x00", 64);		/* INVPCID */
}

static const struct tap_case cases[] = {
	TAP_CASE(opcodes_without_operands_are_known),
	TAP_CASE(xen_prefix_forces_cpuid),
	TAP_CASE(ports_are_taken_from_dx_or_the_byte),
	TAP_CASE(port_size_follows_prefix_and_mode),
	TAP_CASE(strings_have_a_port_and_an_address),
	TAP_CASE(strings_come_from_any_segment_and_go_to_one),
	TAP_CASE(moves_name_their_registers),
	TAP_CASE(moves_ignore_mod_and_operand_size),
	TAP_CASE(tables_are_told_apart),
	TAP_CASE(addresses_of_64_bit_code),
	TAP_CASE(addresses_with_an_index),
	TAP_CASE(addresses_of_older_code),
	TAP_CASE(overrides_choose_the_segment),
	TAP_CASE(rex_counts_only_before_the_opcode),
	TAP_CASE(mandatory_prefixes_make_other_instructions),
	TAP_CASE(interrupts_and_returns_have_their_words),
	TAP_CASE(fifteen_bytes_are_the_most),
	TAP_CASE(missing_bytes_are_noticed),
	TAP_CASE(other_instructions_are_not_ours),
};

int main(void)
{
	return TAP_RUN(cases);
}
