/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cpu.h - one CPU's data in the hole; private to the switcher
 */
#ifndef RF_SWITCHER_CPU_H
#define RF_SWITCHER_CPU_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include <asm/page_types.h>

/* Operand of LGDT and LIDT, padded so that @base is aligned. */
struct rf_table_ptr {
	u16 pad[3];
	u16 limit;
	u64 base;
};

/**
 * struct rf_cpu - one page, just above this CPU's view of the text
 */
struct rf_cpu {
	/* Written by C before entry, read by the switcher. */
	u64 world_top;		/* just beyond world->regs, in the hole */
	u64 guest_cr3;
	u64 host_cr3;
	u64 host_fs_base;
	u64 ldt_selector;
	u64 spec_ctrl;		/* to write on the way out; 0: nothing */

	/* Written once, when the CPU is set up. */
	u64 self;		/* kernel address of this struct */
	u64 host_gs_base;
	u64 host_tr;
	u64 stack_top;		/* of the switcher's own stack */
	struct rf_table_ptr transition_gdt;
	struct rf_table_ptr hv_idt;
	struct rf_table_ptr host_gdt;
	struct rf_table_ptr host_idt;
	u64 clear_buffers;	/* VERW before entering the guest */
	u64 verw_selector;

	/* Written by the switcher. */
	u64 host_rsp;
	u64 host_rip;
	u64 scratch;
	u64 nmi_pending;	/* came while in the switcher */
	u64 mce_pending;
	u64 fault_vector;	/* of the last fault the switcher took itself */
	u64 fault_error;
	u64 fault_rip;		/* offset in the text; 0 unless unexpected */
};

static_assert(sizeof(struct rf_cpu) <= PAGE_SIZE);

/* switcher.S, stubs.S */
extern u8 rf_switcher_text[], rf_switcher_text_end[];
extern u8 rf_hole_fixups[], rf_hole_fixups_end[];
extern u8 rf_hole_enter[], rf_hole_syscall64[], rf_hole_syscall32[], rf_hole_sysenter[];
extern u8 rf_hole_vectors[];
#define RF_VECTOR_STUB_SIZE	16

void rf_switcher_enter(struct rf_cpu *cpu, u64 entry);
typedef void rf_reraise_fn(void);
extern u8 rf_reraise_stubs[];
#define RF_RERAISE_STUB_SIZE	16

#endif /* RF_SWITCHER_CPU_H */
