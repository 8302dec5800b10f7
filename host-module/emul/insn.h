/* SPDX-License-Identifier: GPL-2.0 */
/*
 * insn.h - decode one privileged instruction (pure; also a host program)
 */
#ifndef RF_EMUL_INSN_H
#define RF_EMUL_INSN_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
#endif

#define RF_INSN_MAX_LEN		15

enum rf_insn_op {
	RF_INSN_UNKNOWN,	/* nothing the emulator answers for */
	RF_INSN_CPUID,
	RF_INSN_XEN_CPUID,	/* with Xen's forced-emulation prefix */
	RF_INSN_RDMSR,
	RF_INSN_WRMSR,
	RF_INSN_RDTSC,
	RF_INSN_IN,		/* @size, port @imm unless @port_dx */
	RF_INSN_OUT,
	RF_INSN_CLI,
	RF_INSN_STI,
	RF_INSN_HLT,
	RF_INSN_MOV_FROM_CR,	/* @gpr from control register @reg */
	RF_INSN_MOV_TO_CR,
	RF_INSN_MOV_FROM_DR,
	RF_INSN_MOV_TO_DR,
	RF_INSN_CLTS,
	RF_INSN_LMSW,		/* @operand, 2 bytes */
	RF_INSN_SMSW,		/* @operand, @size bytes; memory: 2 */
	RF_INSN_SGDT,		/* memory @operand */
	RF_INSN_SIDT,
	RF_INSN_SLDT,		/* @operand as for SMSW */
	RF_INSN_STR,
	RF_INSN_FLUSH_CACHE,	/* WBINVD, WBNOINVD, INVD */
	RF_INSN_INVLPG,		/* memory @operand */
	RF_INSN_XSETBV,
	RF_INSN_INT,		/* vector @imm */
	RF_INSN_IRET,		/* @size: of each word on the stack */
	RF_INSN_LRET,		/* the same; then @imm bytes more */
	RF_INSN_INS,		/* @size, @rep; to ES:RDI by @operand.addr_size */
	RF_INSN_OUTS,		/* the same; from @operand.seg:RSI */
};

#define RF_INSN_NO_REG		0xff
#define RF_INSN_RIP		0xfe	/* as a base: of the next instruction */

/* Segment registers in the CPU's own numbering. */
enum rf_insn_seg {
	RF_SEG_ES, RF_SEG_CS, RF_SEG_SS, RF_SEG_DS, RF_SEG_FS, RF_SEG_GS,
};

/**
 * struct rf_insn_operand - what a ModRM byte points to
 * @is_mem: Memory; otherwise register @base
 * @seg: enum rf_insn_seg, default or override
 * @base: Register, RF_INSN_RIP or RF_INSN_NO_REG
 * @index: Register or RF_INSN_NO_REG
 * @shift: Of the index
 * @addr_size: Bytes the sum is truncated to
 * @disp: Displacement
 */
struct rf_insn_operand {
	bool is_mem;
	u8 seg;
	u8 base;
	u8 index;
	u8 shift;
	u8 addr_size;
	s32 disp;
};

/**
 * struct rf_insn - one decoded instruction
 * @op: enum rf_insn_op; says which other fields mean something
 * @len: Bytes, prefixes included
 * @size: Operand size in bytes
 * @reg: Control or debug register
 * @gpr: General register, in the CPU's own numbering
 * @port_dx: The port is in DX
 * @rep: A string instruction repeats, RCX times
 * @imm: Immediate
 * @operand: ModRM operand
 */
struct rf_insn {
	u8 op;
	u8 len;
	u8 size;
	u8 reg;
	u8 gpr;
	bool port_dx;
	bool rep;
	u16 imm;
	struct rf_insn_operand operand;
};

/**
 * rf_insn_decode() - Decode the instruction at the start of @bytes
 * @insn: Out: the instruction; RF_INSN_UNKNOWN if it returns false
 * @bytes: Code
 * @len: How much of it there is; what is beyond RF_INSN_MAX_LEN is not used
 * @bits: 64, 32 or 16: the code segment's mode
 *
 * Return: true if it is one of enum rf_insn_op and all its bytes are there.
 */
bool rf_insn_decode(struct rf_insn *insn, const u8 *bytes, size_t len, int bits);

#endif /* RF_EMUL_INSN_H */
