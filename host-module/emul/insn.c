// SPDX-License-Identifier: GPL-2.0
/*
 * insn.c - decode one privileged instruction (pure)
 *
 *	[prefixes] [REX] opcode [ModRM [SIB] [disp]] [imm]
 *
 * Only what emul/priv.c answers for is known here; the rest is the guest's own
 * business.  Nothing is read beyond the bytes given, and running out of them is
 * the same as not knowing the instruction.
 */
#include "insn.h"

#define REX_W	8
#define REX_R	4
#define REX_X	2
#define REX_B	1

/* Where the decoder is, and what the prefixes said. */
struct cursor {
	const u8 *bytes;
	size_t len;
	size_t pos;
	bool ended;		/* a byte was asked for that is not there */
	int bits;
	u8 rex;
	u8 rep;			/* 0xf2, 0xf3 or 0; the last one counts */
	bool lock;
	bool opsize;
	bool addrsize;
	u8 seg;			/* override or RF_INSN_NO_REG */
};

struct modrm {
	u8 mod;
	u8 reg;			/* with REX.R */
	u8 rm;			/* without REX.B */
};

static u8 fetch(struct cursor *c)
{
	if (c->pos >= c->len) {
		c->ended = true;
		return 0;
	}
	return c->bytes[c->pos++];
}

static u32 fetch_bytes(struct cursor *c, int count)
{
	u32 value = 0;
	int i;

	for (i = 0; i < count; i++)
		value |= (u32)fetch(c) << (8 * i);
	return value;
}

/* A displacement or immediate of 1, 2 or 4 bytes, with its sign. */
static s32 fetch_signed(struct cursor *c, int count)
{
	u32 value = fetch_bytes(c, count);
	u32 sign = 1U << (8 * count - 1);

	return (s32)((value ^ sign) - sign);
}

static u8 segment_of_prefix(u8 byte)
{
	switch (byte) {
	case 0x26:
		return RF_SEG_ES;
	case 0x2e:
		return RF_SEG_CS;
	case 0x36:
		return RF_SEG_SS;
	case 0x3e:
		return RF_SEG_DS;
	case 0x64:
		return RF_SEG_FS;
	case 0x65:
		return RF_SEG_GS;
	default:
		return RF_INSN_NO_REG;
	}
}

/* In 64-bit mode the four old overrides mean nothing, not even to undo %fs. */
static bool take_segment(struct cursor *c, u8 byte)
{
	u8 seg = segment_of_prefix(byte);

	if (seg == RF_INSN_NO_REG)
		return false;
	if (c->bits != 64 || seg == RF_SEG_FS || seg == RF_SEG_GS)
		c->seg = seg;
	return true;
}

static bool take_prefix(struct cursor *c, u8 byte)
{
	switch (byte) {
	case 0x66:
		c->opsize = true;
		return true;
	case 0x67:
		c->addrsize = true;
		return true;
	case 0xf0:
		c->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		c->rep = byte;
		return true;
	default:
		return take_segment(c, byte);
	}
}

/* Return the first byte that is no prefix.  A REX counts only just before it. */
static u8 fetch_opcode(struct cursor *c)
{
	for (;;) {
		u8 byte = fetch(c);

		if (c->ended)
			return 0;
		if (c->bits == 64 && (byte & 0xf0) == 0x40) {
			c->rex = byte;
			continue;
		}
		if (!take_prefix(c, byte))
			return byte;
		c->rex = 0;
	}
}

static int operand_size(const struct cursor *c)
{
	if (c->rex & REX_W)
		return 8;
	if (c->bits == 16)
		return c->opsize ? 4 : 2;
	return c->opsize ? 2 : 4;
}

static int address_size(const struct cursor *c)
{
	if (c->bits == 64)
		return c->addrsize ? 4 : 8;
	return (c->bits == 32) != c->addrsize ? 4 : 2;
}

static struct modrm fetch_modrm(struct cursor *c)
{
	u8 byte = fetch(c);

	return (struct modrm) {
		.mod = byte >> 6,
		.reg = ((byte >> 3) & 7) | (c->rex & REX_R ? 8 : 0),
		.rm = byte & 7,
	};
}

/* 16-bit addressing: registers come in fixed pairs. */
static void fetch_mem16(struct cursor *c, const struct modrm *m,
			struct rf_insn_operand *op)
{
	static const u8 base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	static const u8 index[8] = {
		6, 7, 6, 7, RF_INSN_NO_REG, RF_INSN_NO_REG, RF_INSN_NO_REG, RF_INSN_NO_REG,
	};

	op->base = base[m->rm];
	op->index = index[m->rm];
	op->seg = op->base == 5 ? RF_SEG_SS : RF_SEG_DS;
	if (m->mod == 0 && m->rm == 6) {
		op->base = RF_INSN_NO_REG;
		op->seg = RF_SEG_DS;
		op->disp = fetch_signed(c, 2);
	} else if (m->mod) {
		op->disp = fetch_signed(c, m->mod);
	}
}

static void fetch_sib(struct cursor *c, const struct modrm *m,
		      struct rf_insn_operand *op)
{
	u8 sib = fetch(c);
	u8 index = ((sib >> 3) & 7) | (c->rex & REX_X ? 8 : 0);
	u8 base = sib & 7;

	op->shift = sib >> 6;
	op->index = index == 4 ? RF_INSN_NO_REG : index;
	if (base == 5 && m->mod == 0) {
		op->base = RF_INSN_NO_REG;
		op->disp = fetch_signed(c, 4);
	} else {
		op->base = base | (c->rex & REX_B ? 8 : 0);
	}
}

static void fetch_mem(struct cursor *c, const struct modrm *m,
		      struct rf_insn_operand *op)
{
	op->index = RF_INSN_NO_REG;
	if (m->rm == 4) {
		fetch_sib(c, m, op);
	} else if (m->mod == 0 && m->rm == 5) {
		op->base = c->bits == 64 ? RF_INSN_RIP : RF_INSN_NO_REG;
		op->disp = fetch_signed(c, 4);
	} else {
		op->base = m->rm | (c->rex & REX_B ? 8 : 0);
	}

	op->seg = op->base == 4 || op->base == 5 ? RF_SEG_SS : RF_SEG_DS;
	if (m->mod == 1)
		op->disp = fetch_signed(c, 1);
	else if (m->mod == 2)
		op->disp = fetch_signed(c, 4);
}

static void fetch_operand(struct cursor *c, const struct modrm *m,
			  struct rf_insn_operand *op)
{
	op->addr_size = address_size(c);
	op->is_mem = m->mod != 3;
	if (!op->is_mem) {
		op->base = m->rm | (c->rex & REX_B ? 8 : 0);
		op->index = RF_INSN_NO_REG;
		return;
	}

	if (op->addr_size == 2)
		fetch_mem16(c, m, op);
	else
		fetch_mem(c, m, op);
	if (c->seg != RF_INSN_NO_REG)
		op->seg = c->seg;
}

/* A mandatory prefix would make another instruction of it. */
static bool plain(const struct cursor *c)
{
	return !c->rep && !c->opsize;
}

/* 0f 00 /reg */
static u8 decode_group6(struct cursor *c, struct rf_insn *insn)
{
	struct modrm m = fetch_modrm(c);

	fetch_operand(c, &m, &insn->operand);
	insn->size = operand_size(c);
	switch (m.reg & 7) {
	case 0: return RF_INSN_SLDT;
	case 1: return RF_INSN_STR;
	default: return RF_INSN_UNKNOWN;
	}
}

/* 0f 01 with a register for ModRM: instructions of their own. */
static u8 decode_group7_reg(const struct cursor *c, const struct modrm *m)
{
	switch ((m->reg & 7) << 3 | m->rm) {
	case 0x11:				/* 0f 01 d1 */
		return plain(c) ? RF_INSN_XSETBV : RF_INSN_UNKNOWN;
	case 0x20 ... 0x27:
		return RF_INSN_SMSW;
	case 0x30 ... 0x37:
		return RF_INSN_LMSW;
	default:
		return RF_INSN_UNKNOWN;
	}
}

/* 0f 01 /reg */
static u8 decode_group7(struct cursor *c, struct rf_insn *insn)
{
	struct modrm m = fetch_modrm(c);

	fetch_operand(c, &m, &insn->operand);
	insn->size = operand_size(c);
	if (m.mod == 3)
		return decode_group7_reg(c, &m);

	switch (m.reg & 7) {
	case 0: return RF_INSN_SGDT;
	case 1: return RF_INSN_SIDT;
	case 4: return RF_INSN_SMSW;
	case 6: return RF_INSN_LMSW;
	case 7: return RF_INSN_INVLPG;
	default: return RF_INSN_UNKNOWN;
	}
}

/* 0f 20 to 0f 23: the mod bits do not count, and memory is never meant. */
static u8 decode_mov_special(struct cursor *c, struct rf_insn *insn, u8 opcode)
{
	struct modrm m = fetch_modrm(c);

	insn->reg = m.reg;
	insn->gpr = m.rm | (c->rex & REX_B ? 8 : 0);
	insn->size = c->bits == 64 ? 8 : 4;
	switch (opcode) {
	case 0x20: return RF_INSN_MOV_FROM_CR;
	case 0x21: return RF_INSN_MOV_FROM_DR;
	case 0x22: return RF_INSN_MOV_TO_CR;
	default:   return RF_INSN_MOV_TO_DR;
	}
}

static u8 decode_two_byte(struct cursor *c, struct rf_insn *insn)
{
	u8 opcode = fetch(c);

	switch (opcode) {
	case 0x00: return decode_group6(c, insn);
	case 0x01: return decode_group7(c, insn);
	case 0x06: return RF_INSN_CLTS;
	case 0x08:				/* INVD */
	case 0x09: return RF_INSN_FLUSH_CACHE;	/* F3: WBNOINVD */
	case 0x20 ... 0x23:
		return decode_mov_special(c, insn, opcode);
	case 0x30: return RF_INSN_WRMSR;
	case 0x31: return RF_INSN_RDTSC;
	case 0x32: return RF_INSN_RDMSR;
	case 0xa2: return RF_INSN_CPUID;
	default:   return RF_INSN_UNKNOWN;
	}
}

/* IN and OUT; a port is never accessed by 8 bytes. */
static u8 decode_port(struct cursor *c, struct rf_insn *insn, u8 opcode)
{
	int size = operand_size(c);

	insn->size = opcode & 1 ? (size == 8 ? 4 : size) : 1;
	insn->port_dx = opcode & 8;
	if (!insn->port_dx)
		insn->imm = fetch(c);
	return opcode & 2 ? RF_INSN_OUT : RF_INSN_IN;
}

/* INS and OUTS; only the source's segment can be another one. */
static u8 decode_string(struct cursor *c, struct rf_insn *insn, u8 opcode)
{
	bool out = opcode & 2;

	insn->size = opcode & 1 ? (operand_size(c) == 2 ? 2 : 4) : 1;
	insn->port_dx = true;
	insn->rep = c->rep;
	insn->operand.is_mem = true;
	insn->operand.addr_size = address_size(c);
	insn->operand.base = out ? 6 : 7;
	insn->operand.index = RF_INSN_NO_REG;
	insn->operand.seg = !out ? RF_SEG_ES : c->seg == RF_INSN_NO_REG ? RF_SEG_DS : c->seg;
	return out ? RF_INSN_OUTS : RF_INSN_INS;
}

static u8 decode_return(struct cursor *c, struct rf_insn *insn, u8 opcode)
{
	insn->size = operand_size(c);
	if (opcode == 0xca)
		insn->imm = fetch_bytes(c, 2);
	return opcode == 0xcf ? RF_INSN_IRET : RF_INSN_LRET;
}

static u8 decode_one_byte(struct cursor *c, struct rf_insn *insn, u8 opcode)
{
	switch (opcode) {
	case 0x0f: return decode_two_byte(c, insn);
	case 0x6c ... 0x6f:
		return decode_string(c, insn, opcode);
	case 0xca:
	case 0xcb:
	case 0xcf:
		return decode_return(c, insn, opcode);
	case 0xcd:
		insn->imm = fetch(c);
		return RF_INSN_INT;
	case 0xe4 ... 0xe7:
	case 0xec ... 0xef:
		return decode_port(c, insn, opcode);
	case 0xf4: return RF_INSN_HLT;
	case 0xfa: return RF_INSN_CLI;
	case 0xfb: return RF_INSN_STI;
	default:   return RF_INSN_UNKNOWN;
	}
}

/* UD2 and the letters "xen", right before a CPUID that has no prefix. */
static bool has_xen_prefix(const u8 *bytes, size_t len)
{
	static const u8 forced[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
	size_t i;

	if (len < sizeof(forced))
		return false;
	for (i = 0; i < sizeof(forced); i++)
		if (bytes[i] != forced[i])
			return false;
	return true;
}

bool rf_insn_decode(struct rf_insn *insn, const u8 *bytes, size_t len, int bits)
{
	struct cursor c = { .bytes = bytes, .bits = bits, .seg = RF_INSN_NO_REG };
	u8 opcode;

	*insn = (struct rf_insn){ .op = RF_INSN_UNKNOWN };
	if (has_xen_prefix(bytes, len)) {
		insn->op = RF_INSN_XEN_CPUID;
		insn->len = 7;
		return true;
	}

	c.len = len < RF_INSN_MAX_LEN ? len : RF_INSN_MAX_LEN;
	opcode = fetch_opcode(&c);
	if (!c.ended && !c.lock)
		insn->op = decode_one_byte(&c, insn, opcode);
	if (c.ended || insn->op == RF_INSN_UNKNOWN) {
		*insn = (struct rf_insn){ .op = RF_INSN_UNKNOWN };
		return false;
	}

	insn->len = c.pos;
	return true;
}
