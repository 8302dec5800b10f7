/* SPDX-License-Identifier: GPL-2.0 */
/*
 * priv.h - what the files of the emulator share; private to the room
 */
#ifndef RF_EMUL_PRIV_H
#define RF_EMUL_PRIV_H

#include <linux/types.h>

#include "emul.h"

struct rf_vm;
struct rf_vcpu;
struct rf_insn;

static inline u64 rf_truncate(u64 value, int size)
{
	return size == 8 ? value : value & ((1ULL << (8 * size)) - 1);
}

/* Write as the CPU does: 4 bytes clear the upper half, fewer leave it. */
static inline void rf_set_gpr(u64 *reg, u64 value, int size)
{
	u64 keep = size < 4 ? *reg & ~((1ULL << (8 * size)) - 1) : 0;

	*reg = keep | rf_truncate(value, size);
}

/* msr.c; false is #GP(0). */
bool rf_msr_read(struct rf_vcpu *vcpu, u32 msr, u64 *value);
bool rf_msr_write(struct rf_vcpu *vcpu, u32 msr, u64 value);

/* vector.c */
int rf_vector_create(struct rf_vcpu *vcpu);
void rf_vector_destroy(struct rf_vcpu *vcpu);

/* cpuid.c: vector states that the host keeps and a guest may use; 0: no XSAVE. */
u32 rf_host_xcr0(void);

/* cpuid.c: those that the policy of @vm has. */
u32 rf_cpuid_xcr0(const struct rf_vm *vm);

/* priv.c: false is #GP(0). */
bool rf_cr4_write(struct rf_vcpu *vcpu, u64 value);

/* priv.c: the instruction is done; a debugger that steps is to see it. */
void rf_retire(struct rf_vcpu *vcpu, u8 len);

/* port.c: may the guest do I/O, whatever its bitmap says? */
bool rf_iopl_ok(const struct rf_vcpu *vcpu);

/* port.c: IN or OUT; INS or OUTS at @gva. */
enum rf_emul_result rf_port_io(struct rf_vcpu *vcpu, const struct rf_insn *insn, bool write);
enum rf_emul_result rf_port_string_io(struct rf_vcpu *vcpu, const struct rf_insn *insn, u64 gva);

/*
 * string.c: can the guest reach all of an operand, of at most a page?  DONE if it
 * can; NO is #GP; FAULT: it has its #PF, with the address of the page that failed.
 */
enum rf_emul_result rf_operand_touch(struct rf_vcpu *vcpu, u64 gva, u32 len, bool write);

/* string.c: it could, and another vCPU has changed that since. */
enum rf_emul_result rf_operand_fault(struct rf_vcpu *vcpu, u64 gva, u32 error);

/* string.c: INS or OUTS at @gva, its port open; what goes in vcpu->run but @data is not. */
enum rf_emul_result rf_string_io(struct rf_vcpu *vcpu, const struct rf_insn *insn, u64 gva);

/* string.c: the launcher has served it, and has put into @data what was read. */
void rf_string_done(struct rf_vcpu *vcpu, const void *data);

/* cpuid.c: may the guest have @xcr0? */
bool rf_xcr0_ok(const struct rf_vm *vm, u64 xcr0);

/* Does the policy of @vm have XSAVE, and so CR4.OSXSAVE and XCR0? */
bool rf_cpuid_has_xsave(const struct rf_vm *vm);

#endif /* RF_EMUL_PRIV_H */
