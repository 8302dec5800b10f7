// SPDX-License-Identifier: GPL-2.0
/*
 * asm-offsets.c - every offset the assembly uses
 */
#include <linux/kbuild.h>
#include <linux/stddef.h>

#include "../xen_abi.h"
#include "cpu.h"
#include "switcher.h"

#define WORLD(_field)	DEFINE(WORLD_##_field, offsetof(struct rf_world, _field))
#define CPU(_field)	DEFINE(CPU_##_field, offsetof(struct rf_cpu, _field))

int main(void)
{
	DEFINE(REGS_SIZE, sizeof(struct rf_regs));
	DEFINE(WORLD_regs_exit, offsetof(struct rf_world, regs.exit));
	DEFINE(WORLD_regs_rip, offsetof(struct rf_world, regs.rip));
	DEFINE(WORLD_regs_cs, offsetof(struct rf_world, regs.cs));
	DEFINE(WORLD_regs_rflags, offsetof(struct rf_world, regs.rflags));
	DEFINE(WORLD_regs_rsp, offsetof(struct rf_world, regs.rsp));
	DEFINE(WORLD_regs_ss, offsetof(struct rf_world, regs.ss));
	WORLD(regs);
	WORLD(fs_base);
	WORLD(gs_base);
	WORLD(gs_base_other);
	WORLD(ds);
	WORLD(es);
	WORLD(fs);
	WORLD(gs);
	WORLD(in_kernel);
	WORLD(kernel_cr3);
	WORLD(user_cr3);
	WORLD(kernel_sp);
	WORLD(kernel_ss);
	WORLD(syscall_rip);
	WORLD(syscall_mask);
	WORLD(info);
	WORLD(fast);
	WORLD(cr3_noflush);
	WORLD(gdt_limit_base);
	WORLD(dr7);
	WORLD(fast_roots);
	WORLD(kernel_roots);
	WORLD(user_roots);
	WORLD(no_root);
	WORLD(leaf_tables);
	WORLD(leaves);
	WORLD(gate_mark);
	DEFINE(LEAVES_gate, offsetof(struct rf_leaves, gate));
	DEFINE(LEAVES_nr_frames, offsetof(struct rf_leaves, nr_frames));
	DEFINE(LEAVES_shadowed, offsetof(struct rf_leaves, shadowed));
	DEFINE(LEAVES_rmap, offsetof(struct rf_leaves, rmap));
	DEFINE(LEAVES_by_id, offsetof(struct rf_leaves, by_id));
	WORLD(kernel_gfn);
	WORLD(user_gfn);
	WORLD(nr_fast_syscall);
	WORLD(nr_fast_iret);
	WORLD(nr_fast_hypercall);
	WORLD(nr_fast_fault);
	WORLD(fault_rip);
	WORLD(fault_cs);
	WORLD(fault_mask);
	DEFINE(WORLD_regs_error, offsetof(struct rf_world, regs.error));
	DEFINE(INFO_cr2, offsetof(struct vcpu_info, arch.cr2));
	WORLD(nr_cr3_writes);
	BLANK();
	CPU(world_top);
	CPU(guest_cr3);
	CPU(host_cr3);
	CPU(host_fs_base);
	CPU(ldt_selector);
	CPU(spec_ctrl);
	CPU(self);
	CPU(host_gs_base);
	CPU(host_tr);
	CPU(stack_top);
	CPU(transition_gdt);
	CPU(hv_idt);
	CPU(host_gdt);
	CPU(host_idt);
	CPU(clear_buffers);
	CPU(verw_selector);
	CPU(host_rsp);
	CPU(host_rip);
	CPU(scratch);
	CPU(nmi_pending);
	CPU(mce_pending);
	CPU(fault_vector);
	CPU(fault_error);
	CPU(fault_rip);
	return 0;
}
