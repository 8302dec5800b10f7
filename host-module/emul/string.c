// SPDX-License-Identifier: GPL-2.0
/*
 * string.c - INS and OUTS: port I/O from and to memory, many units at once
 *
 *	OUTS: guest memory -> rf_run.data -> launcher
 *	INS:  launcher -> rf_run.data -> guest memory, when the vCPU runs again
 *
 * One exit carries what lies in one page, as far as there is room for it.
 * Registers move when the launcher has served it, so that the guest can be
 * interrupted, saved and resumed between any two exits, as between two units
 * on the bare machine.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <asm/processor-flags.h>

#include "../bounce.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "insn.h"
#include "priv.h"

static u64 address_mask(u8 addr_size)
{
	return addr_size == 8 ? ~0ULL : (1ULL << (8 * addr_size)) - 1;
}

/* A register that counts or points: 4 bytes clear the upper half, 2 leave it. */
static void set_register(u64 *reg, u64 value, u8 addr_size)
{
	u64 keep = addr_size == 2 ? *reg & ~address_mask(2) : 0;

	*reg = keep | (value & address_mask(addr_size));
}

/*
 * How many units are next.  One at a time if they go downwards, if a debugger
 * wants to see each, and where one lies across the end of a page.
 */
static u32 units_next(const struct rf_vcpu *vcpu, const struct rf_insn *insn, u64 gva,
		      u64 offset, u64 count)
{
	u64 room = min_t(u64, PAGE_SIZE - offset_in_page(gva), RF_RUN_DATA);
	u8 addr_size = insn->operand.addr_size;

	if (vcpu->regs->rflags & (X86_EFLAGS_DF | X86_EFLAGS_TF))
		return 1;
	/* Where the offset wraps, the address does not go on. */
	if (addr_size != 8)
		room = min(room, address_mask(addr_size) + 1 - offset);
	return clamp_t(u64, room / insn->size, 1, count);
}

enum rf_emul_result rf_operand_fault(struct rf_vcpu *vcpu, u64 gva, u32 error)
{
	if (!rf_vcpu_in_kernel(vcpu))
		error |= RF_PF_USER;
	rf_bounce_page_fault(vcpu, gva, error);
	return RF_EMUL_FAULT;
}

static enum rf_emul_result touch(struct rf_vcpu *vcpu, u64 gva, bool write)
{
	u32 error = write ? RF_PF_WRITE : 0;

	if (!rf_guest_touch(vcpu, gva, &error))
		return RF_EMUL_DONE;
	rf_bounce_page_fault(vcpu, gva, error);
	return RF_EMUL_FAULT;
}

enum rf_emul_result rf_operand_touch(struct rf_vcpu *vcpu, u64 gva, u32 len, bool write)
{
	u64 last = gva + len - 1;
	enum rf_emul_result result;

	if (!rf_canonical(gva) || !rf_canonical(last) || last < gva)
		return RF_EMUL_NO;
	result = touch(vcpu, gva, write);
	if (result == RF_EMUL_DONE && (gva ^ last) & PAGE_MASK)
		result = touch(vcpu, last & PAGE_MASK, write);
	return result;
}

/*
 * The guest's fault comes before the device gives or takes anything, for a byte
 * that it has given is gone.
 */
static enum rf_emul_result string_prepare(struct rf_vcpu *vcpu, bool write_port, u64 gva,
					  u32 len)
{
	enum rf_emul_result result = rf_operand_touch(vcpu, gva, len, !write_port);

	if (result != RF_EMUL_DONE)
		return result;
	if (write_port && rf_guest_read(vcpu, vcpu->run->data, gva, len))
		return rf_operand_fault(vcpu, gva, 0);
	return RF_EMUL_EXIT;
}

enum rf_emul_result rf_string_io(struct rf_vcpu *vcpu, const struct rf_insn *insn, u64 gva)
{
	u8 addr_size = insn->operand.addr_size;
	bool write = insn->op == RF_INSN_OUTS;
	u64 offset = (write ? vcpu->regs->rsi : vcpu->regs->rdi) & address_mask(addr_size);
	u64 count = insn->rep ? vcpu->regs->rcx & address_mask(addr_size) : 1;
	enum rf_emul_result result;
	u32 len;

	if (!count)
		return RF_EMUL_DONE;
	len = units_next(vcpu, insn, gva, offset, count) * insn->size;
	result = string_prepare(vcpu, write, gva, len);
	if (result != RF_EMUL_EXIT)
		return result;

	vcpu->emul.string = (struct rf_string) {
		.gva = gva,
		.len = len,
		.addr_size = addr_size,
		.rep = insn->rep,
		.write = write,
	};
	vcpu->run->len = len;
	return RF_EMUL_EXIT;
}

/* Move the registers on.  Return: is the instruction over? */
static bool string_advance(struct rf_vcpu *vcpu, const struct rf_string *s)
{
	struct rf_regs *regs = vcpu->regs;
	u64 *pointer = s->write ? &regs->rsi : &regs->rdi;
	u64 step = regs->rflags & X86_EFLAGS_DF ? -(u64)s->len : s->len;

	set_register(pointer, *pointer + step, s->addr_size);
	if (!s->rep)
		return true;
	set_register(&regs->rcx, regs->rcx - s->len / vcpu->emul.io_size, s->addr_size);
	return !(regs->rcx & address_mask(s->addr_size));
}

void rf_string_done(struct rf_vcpu *vcpu, const void *data)
{
	struct rf_string s = vcpu->emul.string;
	bool over;

	vcpu->emul.string.len = 0;
	/* Another vCPU has taken the page away meanwhile: as if it had before. */
	if (!s.write && rf_guest_write(vcpu, s.gva, data, s.len)) {
		rf_operand_fault(vcpu, s.gva, RF_PF_WRITE);
		return;
	}
	over = string_advance(vcpu, &s);
	rf_retire(vcpu, over ? vcpu->emul.io_len : 0);
}
