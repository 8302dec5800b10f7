// SPDX-License-Identifier: GPL-2.0
/*
 * port.c - IN and OUT: which ports are open, and who answers
 */
#include <linux/mm.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "insn.h"
#include "priv.h"

bool rf_iopl_ok(const struct rf_vcpu *vcpu)
{
	return rf_vcpu_in_kernel(vcpu) || vcpu->emul.iopl >= 3;
}

/* The byte with the bit of @port; a byte that is not there closes its ports. */
static u8 io_bitmap_byte(struct rf_vcpu *vcpu, u32 port)
{
	u64 gva = vcpu->emul.iobitmap_gva + port / 8;
	rf_gfn_t gfn;
	u8 byte;

	if (rf_mmu_kernel_gfn(vcpu, gva, &gfn) ||
	    rf_guest_read_gpa(vcpu->vm, &byte, (gfn.v << PAGE_SHIFT) + offset_in_page(gva), 1))
		return 0xff;
	return byte;
}

/* Are all of @size ports from @port open?  By IOPL, or else by the bitmap. */
static bool ports_ok(struct rf_vcpu *vcpu, u32 port, u32 size)
{
	u32 bits, mask = ((1U << size) - 1) << (port & 7);

	if (rf_iopl_ok(vcpu))
		return true;
	if (port + size > vcpu->emul.nr_io_ports)
		return false;

	bits = io_bitmap_byte(vcpu, port);
	if (mask > 0xff)
		bits |= io_bitmap_byte(vcpu, port + 8) << 8;
	return !(bits & mask);
}

/*
 * Legacy devices that a PC has and a guest has not: answered here, since a
 * kernel asks them at every boot.  The launcher's devices are elsewhere.
 */
static bool port_is_absent(u16 port)
{
	switch (port) {
	case 0x20: case 0x21: case 0xa0: case 0xa1:	/* PIC */
	case 0x40 ... 0x43: case 0x61:			/* PIT */
	case 0x60: case 0x64:				/* i8042 */
	case 0x70: case 0x71:				/* RTC */
	case 0x80:					/* delay */
	case 0x4d0: case 0x4d1:				/* ELCR */
	case 0xcf8 ... 0xcff:				/* PCI */
		return true;
	default:
		return false;
	}
}

/*
 * Linux waits for PIT output 2 to rise, and reads a count of 0xff as one that
 * is about to move: let it be risen and the count be 0.
 */
static u32 port_absent_value(u16 port)
{
	switch (port) {
	case 0x61:
		return 0x20;
	case 0x40 ... 0x43:
		return 0;
	default:
		return ~0U;
	}
}

/* Leave it to the launcher. */
static enum rf_emul_result port_exit(struct rf_vcpu *vcpu, const struct rf_insn *insn,
				     u16 port, bool write)
{
	struct rf_run *run = vcpu->run;

	run->exit_reason = RF_RUN_IO;
	run->io_port = port;
	run->io_size = insn->size;
	run->io_write = write;
	vcpu->emul.io_pending = true;
	vcpu->emul.io_size = insn->size;
	vcpu->emul.io_len = insn->len;
	rf_vcpu_leave(vcpu);
	rf_count(vcpu, IO_EXITS);
	return RF_EMUL_EXIT;
}

enum rf_emul_result rf_port_io(struct rf_vcpu *vcpu, const struct rf_insn *insn, bool write)
{
	u16 port = insn->port_dx ? vcpu->regs->rdx : insn->imm;
	u64 *rax = &vcpu->regs->rax;

	if (!ports_ok(vcpu, port, insn->size))
		return RF_EMUL_NO;
	if (port_is_absent(port)) {
		if (!write)
			rf_set_gpr(rax, port_absent_value(port), insn->size);
		return RF_EMUL_DONE;
	}

	port_exit(vcpu, insn, port, write);
	vcpu->run->io_value = write ? rf_truncate(*rax, insn->size) : 0;
	vcpu->emul.io_size = write ? 0 : insn->size;
	return RF_EMUL_EXIT;
}

enum rf_emul_result rf_port_string_io(struct rf_vcpu *vcpu, const struct rf_insn *insn, u64 gva)
{
	u16 port = vcpu->regs->rdx;
	enum rf_emul_result result;

	if (!ports_ok(vcpu, port, insn->size))
		return RF_EMUL_NO;
	result = rf_string_io(vcpu, insn, gva);
	if (result != RF_EMUL_EXIT)
		return result;
	return port_exit(vcpu, insn, port, insn->op == RF_INSN_OUTS);
}

void rf_emul_io_done(struct rf_vcpu *vcpu, const struct rf_run *run)
{
	struct rf_vcpu_emul *emul = &vcpu->emul;

	if (!emul->io_pending)
		return;
	emul->io_pending = false;
	if (emul->string.len) {
		rf_string_done(vcpu, run->data);
		return;
	}
	if (emul->io_size)
		rf_set_gpr(&vcpu->regs->rax, run->io_value, emul->io_size);
	rf_retire(vcpu, emul->io_len);
}
