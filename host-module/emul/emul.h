/* SPDX-License-Identifier: GPL-2.0 */
/*
 * emul.h - privileged instructions a guest kernel still executes
 */
#ifndef RF_EMUL_H
#define RF_EMUL_H

#include <linux/types.h>

#include "../../uapi/ringfence.h"

struct rf_vm;
struct rf_vcpu;
struct rf_stream;

/**
 * struct rf_string - string I/O that the launcher serves
 * @gva: Where in the guest it begins
 * @len: Bytes; 0: there is none
 * @addr_size: Bytes of the registers that move
 * @rep: RCX counts
 * @write: OUTS
 */
struct rf_string {
	u64 gva;
	u16 len;
	u8 addr_size;
	bool rep;
	bool write;
};

/**
 * struct rf_vcpu_emul - the emulator's part of a vCPU
 * @cr0: What the guest reads from CR0 (TS is real, see @ts)
 * @cr4: What the guest reads from CR4
 * @xcr0: The guest's XCR0
 * @dr: Debug registers 0-3, 6, 7 as the guest sees them
 * @ts: CR0.TS is set: the next vector instruction is #NM
 * @iopl: Up to which of Xen's rings ports are open; 3 opens them to user mode
 * @iobitmap_gva: Address in the guest kernel of a bit per port, 0 if it is open
 * @nr_io_ports: Ports that have a bit
 * @io_pending: The launcher serves port I/O; the result belongs in RAX
 * @io_size: Bytes of RAX the result is put in; 0 for a write; bytes of a unit of @string
 * @io_len: Bytes of the instruction, by which RIP moves when it is served
 * @string: The port I/O is of a string, which has the result
 * @vector: XSAVE area of the vector registers while no thread runs the vCPU
 */
struct rf_vcpu_emul {
	u64 cr0;
	u64 cr4;
	u64 xcr0;
	u64 dr[8];
	bool ts;
	u8 iopl;
	u64 iobitmap_gva;
	u32 nr_io_ports;
	bool io_pending;
	u8 io_size;
	u8 io_len;
	struct rf_string string;
	void *vector;
};

/* cpuid.c: the policy of a VM. */
struct rf_cpuid_policy {
	u32 nr;
	struct rf_cpuid_entry entries[RF_MAX_CPUID_ENTRIES];
};

int rf_cpuid_host_policy(struct rf_cpuid_policy *policy);
int rf_cpuid_check(const struct rf_cpuid_policy *policy,
		   const struct rf_cpuid_policy *host);
void rf_cpuid_lookup(const struct rf_vcpu *vcpu, u32 function, u32 index,
		     u32 out[4]);

enum rf_emul_result {
	RF_EMUL_NO,		/* not ours: the guest kernel's */
	RF_EMUL_DONE,
	RF_EMUL_EXIT,		/* the launcher has to serve it */
	RF_EMUL_FAULT,		/* a trap was bounced into the guest already */
};

int rf_emul_vcpu_init(struct rf_vcpu *vcpu);
void rf_emul_vcpu_exit(struct rf_vcpu *vcpu);

/* vector.c: the thread begins to run the vCPU, and no longer does. */
void rf_vector_load(struct rf_vcpu *vcpu);
void rf_vector_save(struct rf_vcpu *vcpu);

/**
 * rf_emulate() - #GP or #UD in the guest: an instruction we answer for?
 * @vcpu: The caller's own vCPU
 * @vector: X86_TRAP_GP or X86_TRAP_UD
 */
enum rf_emul_result rf_emulate(struct rf_vcpu *vcpu, int vector);

/* A guest's IRET has met a CPU that reads its stack as if it were in ring 0. */
bool rf_emul_iret_quirk(void);

/* The launcher has served port I/O: what it read is in @run. */
void rf_emul_io_done(struct rf_vcpu *vcpu, const struct rf_run *run);

/* HYPERVISOR_set_debugreg, get_debugreg and moves to debug registers. */
long rf_debugreg_set(struct rf_vcpu *vcpu, int reg, u64 value);
u64 rf_debugreg_get(struct rf_vcpu *vcpu, int reg);

/* state.c: the VM's part of its state, and a vCPU's; none runs. */
int rf_cpuid_save(struct rf_vm *vm, struct rf_stream *stream);
int rf_cpuid_load(struct rf_vm *vm, struct rf_stream *stream);
int rf_emul_save(struct rf_vcpu *vcpu, struct rf_stream *stream);
int rf_emul_load(struct rf_vcpu *vcpu, struct rf_stream *stream);

#endif /* RF_EMUL_H */
