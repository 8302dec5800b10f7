// SPDX-License-Identifier: GPL-2.0
/*
 * priv.c - do what a privileged instruction asks for
 *
 * A guest kernel believes to be in ring 0 and runs in ring 3, so such an
 * instruction ends in #GP (or #UD).  What is not answered here is the guest
 * kernel's own fault to handle, as on the bare machine.
 */
#include <linux/nospec.h>
#include <linux/string.h>
#include <asm/msr.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>
#include <uapi/asm/debugreg.h>

#include "../bounce.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "insn.h"
#include "priv.h"
#include "segment.h"

/* One instruction under way. */
struct emul {
	struct rf_vcpu *vcpu;
	struct rf_regs *regs;
	struct rf_insn insn;
	int bits;		/* of the code segment */
	bool jumped;		/* RIP is set already */
};

/* What tables a program sees: Linux's own answers where UMIP hides them. */
enum emul_tables {
	EMUL_TR = 0x40,
	EMUL_LDTR = 0x50,
};

#define EMUL_GDT_BASE	0xfffffffffffe0000ULL
#define EMUL_IDT_BASE	0xffffffffffff0000ULL

/* Bit 10 of DR7 is always 1. */
#define EMUL_DR7_ONE	0x400ULL
#define EMUL_DR7_GD	0x2000ULL	/* trap moves to debug registers */

#define EMUL_CR0	(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | \
			 X86_CR0_WP | X86_CR0_AM | X86_CR0_PG)

/* Of CR4, what has an effect here or at least does no harm. */
#define EMUL_CR4	(X86_CR4_TSD | X86_CR4_DE | X86_CR4_PAE | X86_CR4_MCE | \
			 X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT)

/* RFLAGS bits IRET takes from the stack at CPL 3. */
#define EMUL_IRET_FLAGS	(X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | \
			 X86_EFLAGS_ZF | X86_EFLAGS_SF | X86_EFLAGS_TF | \
			 X86_EFLAGS_DF | X86_EFLAGS_OF | X86_EFLAGS_NT | \
			 X86_EFLAGS_RF | X86_EFLAGS_AC | X86_EFLAGS_ID)

int rf_emul_vcpu_init(struct rf_vcpu *vcpu)
{
	vcpu->emul = (struct rf_vcpu_emul) {
		.cr0 = EMUL_CR0,
		.cr4 = X86_CR4_PAE,
		.xcr0 = 1,		/* x87, which is always on */
		.dr[6] = DR6_RESERVED,
		.dr[7] = EMUL_DR7_ONE,
	};
	return rf_vector_create(vcpu);
}

void rf_emul_vcpu_exit(struct rf_vcpu *vcpu)
{
	rf_vector_destroy(vcpu);
}

/*
 * Registers and operands
 */

static u64 *gpr(struct emul *e, u8 number)
{
	struct rf_regs *regs = e->regs;
	u64 *const gprs[16] = {
		&regs->rax, &regs->rcx, &regs->rdx, &regs->rbx,
		&regs->rsp, &regs->rbp, &regs->rsi, &regs->rdi,
		&regs->r8, &regs->r9, &regs->r10, &regs->r11,
		&regs->r12, &regs->r13, &regs->r14, &regs->r15,
	};

	return gprs[number & 15];
}

static u64 segment_base(struct emul *e, u8 seg)
{
	const struct rf_world *world = e->vcpu->world;

	if (seg == RF_SEG_FS)
		return world->fs_base;
	if (seg == RF_SEG_GS)
		return world->gs_base;
	if (e->bits == 64)
		return 0;

	switch (seg) {
	case RF_SEG_ES:
		return rf_segment_base(rf_segment_get(e->vcpu, world->es));
	case RF_SEG_CS:
		return rf_segment_base(rf_segment_get(e->vcpu, e->regs->cs));
	case RF_SEG_SS:
		return rf_segment_base(rf_segment_get(e->vcpu, e->regs->ss));
	default:
		return rf_segment_base(rf_segment_get(e->vcpu, world->ds));
	}
}

static u64 operand_gva(struct emul *e)
{
	const struct rf_insn_operand *op = &e->insn.operand;
	u64 addr = (s64)op->disp;

	if (op->base == RF_INSN_RIP)
		addr += e->regs->rip + e->insn.len;
	else if (op->base != RF_INSN_NO_REG)
		addr += *gpr(e, op->base);
	if (op->index != RF_INSN_NO_REG)
		addr += *gpr(e, op->index) << op->shift;

	addr = rf_truncate(addr, op->addr_size) + segment_base(e, op->seg);
	return e->bits == 64 ? addr : (u32)addr;
}

static enum rf_emul_result write_memory(struct emul *e, const void *src, int len)
{
	u64 gva = operand_gva(e);
	enum rf_emul_result result = rf_operand_touch(e->vcpu, gva, len, true);

	if (result != RF_EMUL_DONE || !rf_guest_write(e->vcpu, gva, src, len))
		return result;
	return rf_operand_fault(e->vcpu, gva, RF_PF_WRITE);
}

static enum rf_emul_result read_memory(struct emul *e, void *dst, int len)
{
	u64 gva = operand_gva(e);
	enum rf_emul_result result = rf_operand_touch(e->vcpu, gva, len, false);

	if (result != RF_EMUL_DONE || !rf_guest_read(e->vcpu, dst, gva, len))
		return result;
	return rf_operand_fault(e->vcpu, gva, 0);
}

/* SMSW and its kin: to memory always 2 bytes. */
static enum rf_emul_result write_operand(struct emul *e, u64 value)
{
	const struct rf_insn_operand *op = &e->insn.operand;

	if (op->is_mem)
		return write_memory(e, &value, 2);
	rf_set_gpr(gpr(e, op->base), value, e->insn.size);
	return RF_EMUL_DONE;
}

static enum rf_emul_result raise(struct emul *e, int vector, s64 error)
{
	rf_bounce_trap(e->vcpu, vector, error);
	return RF_EMUL_FAULT;
}

/*
 * Control registers
 */

static u64 cr0_read(const struct rf_vcpu *vcpu)
{
	return vcpu->emul.cr0 | (vcpu->emul.ts ? X86_CR0_TS : 0);
}

/* Only TS can change. */
static bool cr0_write(struct rf_vcpu *vcpu, u64 value)
{
	if ((value ^ vcpu->emul.cr0) & ~(u64)X86_CR0_TS)
		return false;
	vcpu->emul.ts = value & X86_CR0_TS;
	return true;
}

static bool cr3_write(struct rf_vcpu *vcpu, u64 value)
{
	return !rf_mmu_set_root(vcpu, RF_GFN(value >> PAGE_SHIFT), true);
}

/* A bit without effect is dropped, as Xen does, which guests rely on. */
bool rf_cr4_write(struct rf_vcpu *vcpu, u64 value)
{
	u64 allowed = EMUL_CR4;

	if ((value >> 32) || !(value & X86_CR4_PAE))
		return false;
	if (rf_cpuid_has_xsave(vcpu->vm))
		allowed |= X86_CR4_OSXSAVE;
	vcpu->emul.cr4 = value & allowed;
	return true;
}

static enum rf_emul_result mov_from_cr(struct emul *e)
{
	struct rf_vcpu *vcpu = e->vcpu;
	u64 value;

	switch (e->insn.reg) {
	case 0:
		value = cr0_read(vcpu);
		break;
	case 2:
		value = vcpu->event.info->arch.cr2;
		break;
	case 3:
		value = vcpu->mmu.kernel_gfn.v << PAGE_SHIFT;
		break;
	case 4:
		value = vcpu->emul.cr4;
		break;
	case 8:
		value = 0;
		break;
	default:
		return RF_EMUL_NO;
	}

	rf_set_gpr(gpr(e, e->insn.gpr), value, e->insn.size);
	return RF_EMUL_DONE;
}

static enum rf_emul_result mov_to_cr(struct emul *e)
{
	struct rf_vcpu *vcpu = e->vcpu;
	u64 value = rf_truncate(*gpr(e, e->insn.gpr), e->insn.size);
	bool ok = false;

	switch (e->insn.reg) {
	case 0:
		ok = cr0_write(vcpu, value);
		break;
	case 2:
		vcpu->event.info->arch.cr2 = value;
		ok = true;
		break;
	case 3:
		ok = cr3_write(vcpu, value);
		break;
	case 4:
		ok = rf_cr4_write(vcpu, value);
		break;
	case 8:
		ok = value < 16;
		break;
	}
	return ok ? RF_EMUL_DONE : RF_EMUL_NO;
}

/* LMSW cannot clear PE and reaches the low four bits only. */
static enum rf_emul_result lmsw(struct emul *e)
{
	const struct rf_insn_operand *op = &e->insn.operand;
	enum rf_emul_result result;
	u16 value;

	if (!op->is_mem) {
		value = *gpr(e, op->base);
	} else {
		result = read_memory(e, &value, sizeof(value));
		if (result != RF_EMUL_DONE)
			return result;
	}

	if (!cr0_write(e->vcpu, (cr0_read(e->vcpu) & ~0xeULL) | (value & 0xf)))
		return RF_EMUL_NO;
	return RF_EMUL_DONE;
}

static enum rf_emul_result xsetbv(struct emul *e)
{
	struct rf_regs *regs = e->regs;
	u64 value = regs->rdx << 32 | (u32)regs->rax;

	if (!(e->vcpu->emul.cr4 & X86_CR4_OSXSAVE))
		return raise(e, X86_TRAP_UD, RF_NO_ERROR_CODE);
	if ((u32)regs->rcx || !rf_xcr0_ok(e->vcpu->vm, value))
		return RF_EMUL_NO;
	e->vcpu->emul.xcr0 = value;
	return RF_EMUL_DONE;
}

/*
 * Debug registers
 */

static bool dr7_ok(const struct rf_vcpu *vcpu, u64 value)
{
	int i;

	if (value & EMUL_DR7_GD)
		return false;
	if (!(value & DR_GLOBAL_ENABLE_MASK) && !(value & DR_LOCAL_ENABLE_MASK))
		return true;

	/* Type 2 watches ports, which are nobody's here. */
	for (i = 0; i < 4; i++)
		if (((value >> (DR_CONTROL_SHIFT + i * DR_CONTROL_SIZE)) & 3) == 2)
			return false;
	return true;
}

/* With CR4.DE clear, 4 and 5 are other names of 6 and 7. */
static int dr_number(const struct rf_vcpu *vcpu, int reg)
{
	if (reg != 4 && reg != 5)
		return reg;
	return vcpu->emul.cr4 & X86_CR4_DE ? -1 : reg + 2;
}

long rf_debugreg_set(struct rf_vcpu *vcpu, int reg, u64 value)
{
	u64 *dr = vcpu->emul.dr;

	reg = dr_number(vcpu, reg);
	switch (reg) {
	case 0 ... 3:
		/* The switcher is not to be watched. */
		if (!rf_gva_ok(value))
			return -EPERM;
		dr[array_index_nospec(reg, 4)] = value;
		return 0;
	case 6:
		dr[6] = (value & 0xffffefffULL) | DR6_RESERVED;
		return 0;
	case 7:
		value = (value & 0xffff27ffULL) | EMUL_DR7_ONE;
		if (!dr7_ok(vcpu, value))
			return -EPERM;
		dr[7] = value;
		return 0;
	default:
		return -EINVAL;
	}
}

u64 rf_debugreg_get(struct rf_vcpu *vcpu, int reg)
{
	reg = dr_number(vcpu, reg);
	if (reg < 0 || reg > 7)
		return -EINVAL;
	return vcpu->emul.dr[array_index_nospec(reg, 8)];
}

static enum rf_emul_result mov_dr(struct emul *e, bool write)
{
	u64 *reg = gpr(e, e->insn.gpr);

	if (e->insn.reg > 7 || dr_number(e->vcpu, e->insn.reg) < 0)
		return raise(e, X86_TRAP_UD, RF_NO_ERROR_CODE);
	if (!write) {
		rf_set_gpr(reg, rf_debugreg_get(e->vcpu, e->insn.reg), e->insn.size);
		return RF_EMUL_DONE;
	}
	if (rf_debugreg_set(e->vcpu, e->insn.reg, rf_truncate(*reg, e->insn.size)))
		return RF_EMUL_NO;
	return RF_EMUL_DONE;
}

/*
 * CPUID, MSRs, TSC
 */

static enum rf_emul_result cpuid_give(struct emul *e)
{
	struct rf_regs *regs = e->regs;
	u32 out[4];

	rf_cpuid_lookup(e->vcpu, regs->rax, regs->rcx, out);
	regs->rax = out[0];
	regs->rbx = out[1];
	regs->rcx = out[2];
	regs->rdx = out[3];
	return RF_EMUL_DONE;
}

static void set_edx_eax(struct rf_regs *regs, u64 value)
{
	regs->rax = (u32)value;
	regs->rdx = value >> 32;
}

static enum rf_emul_result msr_read(struct emul *e)
{
	u64 value = 0;

	if (!rf_msr_read(e->vcpu, e->regs->rcx, &value))
		return RF_EMUL_NO;
	set_edx_eax(e->regs, value);
	return RF_EMUL_DONE;
}

static enum rf_emul_result msr_write(struct emul *e)
{
	u64 value = e->regs->rdx << 32 | (u32)e->regs->rax;

	return rf_msr_write(e->vcpu, e->regs->rcx, value) ? RF_EMUL_DONE : RF_EMUL_NO;
}

static enum rf_emul_result tsc_read(struct emul *e)
{
	set_edx_eax(e->regs, rdtsc_ordered());
	return RF_EMUL_DONE;
}

/*
 * Descriptor tables, as far as UMIP stops a program from looking at them
 */

static enum rf_emul_result store_table(struct emul *e, u64 base)
{
	u8 buf[2 + sizeof(base)] = { };

	memcpy(buf + 2, &base, sizeof(base));
	return write_memory(e, buf, e->bits == 64 ? 10 : 6);
}

/*
 * Control flow
 */

/* INT n: the guest's own gate decides, not the hypervisor's. */
static enum rf_emul_result software_interrupt(struct emul *e)
{
	u8 vector = e->insn.imm;
	const struct trap_info *trap = &e->vcpu->traps[vector];
	int cpl = rf_vcpu_in_kernel(e->vcpu) ? 0 : 3;

	if (!trap->address || TI_GET_DPL(trap) < cpl)
		return raise(e, X86_TRAP_GP, vector * 8 + 2);

	e->regs->rip += e->insn.len;
	return raise(e, vector, RF_NO_ERROR_CODE);
}

/* Emulators of one make have it; once seen, it is for good. */
static bool iret_quirk;

bool rf_emul_iret_quirk(void)
{
	return READ_ONCE(iret_quirk);
}

/*
 * Read @nr words of the instruction's size from the stack, at which the CPU has
 * failed.  If it failed at a descriptor that is its due; if at the stack, it
 * has looked with the wrong rights.
 */
static bool read_stack(struct emul *e, u64 *words, int nr)
{
	int i, size = e->insn.size;

	if (e->bits != 64 || size < 4)
		return false;
	if (rf_guest_read(e->vcpu, words, e->regs->rsp, nr * size))
		return false;
	if (e->vcpu->fault_gva - e->regs->rsp < nr * size)
		WRITE_ONCE(iret_quirk, true);
	/* Spread 4-byte words, from the last to the first. */
	if (size == 4)
		for (i = nr - 1; i >= 0; i--)
			words[i] = ((u32 *)words)[i];
	return true;
}

static bool code_target_ok(struct emul *e, u64 rip, u64 cs)
{
	return rf_canonical(rip) && cs <= U16_MAX && (cs & 3) == 3 &&
	       rf_segment_is_code(rf_segment_get(e->vcpu, cs));
}

/* IRETQ in ring 3, to ring 3: rip, cs, rflags, rsp, ss. */
static enum rf_emul_result iret(struct emul *e)
{
	struct rf_regs *regs = e->regs;
	u64 words[5];

	if (!read_stack(e, words, ARRAY_SIZE(words)))
		return RF_EMUL_NO;
	if (!code_target_ok(e, words[0], (u16)words[1]))
		return RF_EMUL_NO;
	if ((words[4] & 3) != 3 ||
	    !rf_segment_is_stack(rf_segment_get(e->vcpu, words[4])))
		return RF_EMUL_NO;

	regs->rip = words[0];
	regs->cs = (u16)words[1];
	regs->rflags = (regs->rflags & ~(u64)EMUL_IRET_FLAGS) |
		       (words[2] & EMUL_IRET_FLAGS);
	regs->rsp = words[3];
	regs->ss = (u16)words[4];
	e->jumped = true;
	return RF_EMUL_DONE;
}

/* LRETQ in ring 3, to ring 3: rip, cs. */
static enum rf_emul_result lret(struct emul *e)
{
	struct rf_regs *regs = e->regs;
	u64 words[2];

	if (!read_stack(e, words, ARRAY_SIZE(words)))
		return RF_EMUL_NO;
	if (!code_target_ok(e, words[0], (u16)words[1]))
		return RF_EMUL_NO;

	regs->rip = words[0];
	regs->cs = (u16)words[1];
	regs->rsp += ARRAY_SIZE(words) * e->insn.size + e->insn.imm;
	e->jumped = true;
	return RF_EMUL_DONE;
}

static enum rf_emul_result halt_vcpu(struct emul *e)
{
	rf_event_block(e->vcpu);
	return RF_EMUL_DONE;
}

/*
 * Dispatch
 */

/* Legal at CPL 3 too. */
static enum rf_emul_result emulate_any(struct emul *e)
{
	switch (e->insn.op) {
	case RF_INSN_CPUID:
		return cpuid_give(e);
	case RF_INSN_INT:
		return software_interrupt(e);
	case RF_INSN_IRET:
		return iret(e);
	case RF_INSN_LRET:
		return lret(e);
	case RF_INSN_SMSW:
		return write_operand(e, cr0_read(e->vcpu));
	case RF_INSN_SLDT:
		return write_operand(e, e->vcpu->nr_ldt_entries ? EMUL_LDTR : 0);
	case RF_INSN_STR:
		return write_operand(e, EMUL_TR);
	case RF_INSN_SGDT:
		return store_table(e, EMUL_GDT_BASE);
	case RF_INSN_SIDT:
		return store_table(e, EMUL_IDT_BASE);
	case RF_INSN_IN:
		return rf_port_io(e->vcpu, &e->insn, false);
	case RF_INSN_OUT:
		return rf_port_io(e->vcpu, &e->insn, true);
	case RF_INSN_INS:
		return rf_port_string_io(e->vcpu, &e->insn, operand_gva(e));
	case RF_INSN_OUTS:
		return rf_port_string_io(e->vcpu, &e->insn, operand_gva(e));
	case RF_INSN_CLI:		/* events are masked in vcpu_info only */
	case RF_INSN_STI:
		return rf_iopl_ok(e->vcpu) ? RF_EMUL_DONE : RF_EMUL_NO;
	default:
		return RF_EMUL_NO;
	}
}

/* Legal for what believes to be in ring 0. */
static enum rf_emul_result emulate_kernel(struct emul *e)
{
	switch (e->insn.op) {
	case RF_INSN_XEN_CPUID:
		return cpuid_give(e);
	case RF_INSN_RDMSR:
		return msr_read(e);
	case RF_INSN_WRMSR:
		return msr_write(e);
	case RF_INSN_RDTSC:
		return tsc_read(e);
	case RF_INSN_HLT:
		return halt_vcpu(e);
	case RF_INSN_MOV_FROM_CR:
		return mov_from_cr(e);
	case RF_INSN_MOV_TO_CR:
		return mov_to_cr(e);
	case RF_INSN_MOV_FROM_DR:
		return mov_dr(e, false);
	case RF_INSN_MOV_TO_DR:
		return mov_dr(e, true);
	case RF_INSN_CLTS:
		e->vcpu->emul.ts = false;
		return RF_EMUL_DONE;
	case RF_INSN_LMSW:
		return lmsw(e);
	case RF_INSN_XSETBV:
		return xsetbv(e);
	case RF_INSN_INVLPG:
		rf_mmu_sync(e->vcpu);
		return RF_EMUL_DONE;
	case RF_INSN_FLUSH_CACHE:	/* no device looks behind the caches */
		return RF_EMUL_DONE;
	default:
		return emulate_any(e);
	}
}

/* Could this instruction have raised @vector? */
static bool vector_fits(const struct rf_insn *insn, int vector)
{
	switch (insn->op) {
	case RF_INSN_XEN_CPUID:
		return vector == X86_TRAP_UD;
	case RF_INSN_IRET:
	case RF_INSN_LRET:
		return vector == X86_TRAP_PF;
	default:
		return vector == X86_TRAP_GP;
	}
}

/* Read as much code as is there: it may end at the end of a page. */
static size_t fetch_code(struct emul *e, u8 *bytes)
{
	u64 desc = rf_segment_get(e->vcpu, e->regs->cs);
	u64 gva = e->regs->rip;
	size_t first;

	e->bits = desc & RF_DESC_L ? 64 : desc & RF_DESC_D ? 32 : 16;
	if (e->bits != 64)
		gva = (u32)(gva + rf_segment_base(desc));

	first = min_t(size_t, RF_INSN_MAX_LEN, PAGE_SIZE - offset_in_page(gva));
	if (rf_guest_fetch(e->vcpu, bytes, gva, first))
		return 0;
	if (first < RF_INSN_MAX_LEN &&
	    rf_guest_fetch(e->vcpu, bytes + first, gva + first, RF_INSN_MAX_LEN - first))
		return first;
	return RF_INSN_MAX_LEN;
}

/* Move on, and let a debugger that steps see it. */
void rf_retire(struct rf_vcpu *vcpu, u8 len)
{
	struct rf_regs *regs = vcpu->regs;

	regs->rip += len;
	regs->rflags &= ~(u64)X86_EFLAGS_RF;
	if (regs->rflags & X86_EFLAGS_TF) {
		vcpu->emul.dr[6] |= DR_STEP;
		rf_bounce_trap(vcpu, X86_TRAP_DB, RF_NO_ERROR_CODE);
	}
}

enum rf_emul_result rf_emulate(struct rf_vcpu *vcpu, int vector)
{
	struct emul e = { .vcpu = vcpu, .regs = vcpu->regs };
	enum rf_emul_result result;
	u8 bytes[RF_INSN_MAX_LEN];
	size_t len;

	len = fetch_code(&e, bytes);
	if (!rf_insn_decode(&e.insn, bytes, len, e.bits) ||
	    !vector_fits(&e.insn, vector))
		return RF_EMUL_NO;

	result = rf_vcpu_in_kernel(vcpu) ? emulate_kernel(&e) : emulate_any(&e);
	if (result == RF_EMUL_DONE && !e.jumped)
		rf_retire(vcpu, e.insn.len);
	return result;
}
