/* SPDX-License-Identifier: GPL-2.0 */
/*
 * switcher.h - the contract between C and the world switch
 *
 * The switcher lives in the hole, the address range that Linux keeps empty
 * for hypervisors, mapped alike in the launcher's and in every guest's tables:
 *
 *	hole + cpu * 256K	one CPU: switcher text, then its own data
 *	hole + 8G + vm * 1G	one VM: 256K a vCPU: world, GDT, LDT
 *
 * The text is mapped once per CPU, just below that CPU's data, so it finds its
 * data relative to its own address and needs no register and no %gs for it.
 */
#ifndef RF_SWITCHER_H
#define RF_SWITCHER_H

#include <asm/page_types.h>

#define RF_TEXT_PAGES		3
#define RF_FIXUP_PAGE		2	/* the last of them: where faults go on */

/* Pages of one CPU's area. */
#define RF_CPU_AREA_SHIFT	18
#define RF_CPU_TEXT		0
#define RF_CPU_DATA		RF_TEXT_PAGES
#define RF_CPU_TSS		(RF_CPU_DATA + 1)
#define RF_CPU_IDT		(RF_CPU_DATA + 2)
#define RF_CPU_STACKS		(RF_CPU_DATA + 3)	/* one page each */
#define RF_CPU_NR_STACKS	5
#define RF_CPU_GDT		32			/* 15 pages used */

/* Pages of one vCPU's area. */
#define RF_VCPU_AREA_SHIFT	18
#define RF_VCPU_WORLD		0
#define RF_VCPU_INFO		1
#define RF_VCPU_GDT		16
#define RF_VCPU_LDT		32

#define RF_NR_GDT_PAGES		15
#define RF_HV_GDT_PAGE		14			/* the ABI's reserved page */
#define RF_GDT_BYTES		(RF_NR_GDT_PAGES * PAGE_SIZE)

/* Descriptors of the hypervisor, in the last GDT page (ABI: page 14). */
#define RF_SEL_HV_CS		0xe008
#define RF_SEL_HV_DS		0xe010
#define RF_SEL_HV_TSS		0xe040
#define RF_SEL_HV_LDT		0xe050

/* rf_regs.exit beyond the vectors. */
#define RF_EXIT_SYSCALL		0x100	/* 64-bit SYSCALL */
#define RF_EXIT_SYSCALL32	0x101	/* SYSCALL from compatibility mode */
#define RF_EXIT_SYSENTER	0x102
#define RF_EXIT_BAD_IRET	0x103	/* the entry itself faulted */
#define RF_EXIT_BAD_SEGMENT	0x104	/* so did a segment load; selector is 0 now */
#define RF_EXIT_SENTINEL	0x1ff

/* Roots of a kind that a vCPU may change to without the host. */
#define RF_WORLD_ROOTS		8

/* Leaf tables an entry of which a vCPU may change without the host; 2^n. */
#define RF_WORLD_LEAVES		16

/* Where in a leaf table's shadow the switcher finds what it changes. */
#define RF_SHADOW_SPT		0
#define RF_SHADOW_SYNCED	8
#define RF_SHADOW_LINKS		16
#define RF_SHADOW_TABLE		24
#define RF_SHADOW_ID		32
#define RF_SHADOW_USED		40

#ifndef __ASSEMBLY__

#include <linux/atomic.h>
#include <linux/build_bug.h>
#include <linux/mm_types.h>
#include <linux/stddef.h>
#include <linux/types.h>

/**
 * struct rf_regs - the guest's registers, as the stubs push them
 * @error: Hardware error code, 0 where there is none
 * @exit: Vector, or RF_EXIT_*
 */
struct rf_regs {
	u64 r15;
	u64 r14;
	u64 r13;
	u64 r12;
	u64 rbp;
	u64 rbx;
	u64 r11;
	u64 r10;
	u64 r9;
	u64 r8;
	u64 rax;
	u64 rcx;
	u64 rdx;
	u64 rsi;
	u64 rdi;
	u64 exit;
	u64 error;
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};

/**
 * struct rf_world_root - a root that has a shadow
 * @gfn: Frame of the guest's table
 * @cr3: To load, flushing; 0: the shadow is gone
 */
struct rf_world_root {
	u64 gfn;
	u64 cr3;
};

/**
 * struct rf_world_leaf - a leaf table that has one shadow
 * @gfn: Frame of the guest's table
 * @shadow: The shadow, in host memory; 0: it is gone
 */
struct rf_world_leaf {
	u64 gfn;
	u64 shadow;
};

/**
 * struct rf_leaves - a VM's leaf entries, as the switcher changes them
 * @gate: Who is at them: so many in C, or one vCPU's switcher: its gate_mark.
 *	The switcher only tries; C waits for it, with a few dozen instructions to go
 * @nr_frames: Frames from 0 on that all are memory; an entry of others is C's
 * @shadowed: gfn has a shadow
 * @rmap: gfn -> first entry that maps it
 * @by_id: Shadow number -> shadow
 *
 * In host memory, which the switcher sees with the host's CR3.
 */
struct rf_leaves {
	atomic_t gate;
	u64 nr_frames;
	unsigned long *shadowed;
	u32 *rmap;
	struct rf_shadow **by_id;
};

/**
 * struct rf_world - one vCPU as the switcher sees it; one page
 *
 * Seen by C at a kernel address and by the switcher in the hole.
 */
struct rf_world {
	/* Below the registers: room for the switcher's own frames. */
	u8 stack[1024 - sizeof(struct rf_regs) % 16];

	/* Written by both: loaded on entry, saved on exit. */
	struct rf_regs regs;

	u64 fs_base;
	u64 gs_base;		/* of the mode the guest is in */
	u64 gs_base_other;	/* of the other mode */
	u64 ds;
	u64 es;
	u64 fs;
	u64 gs;
	u64 in_kernel;		/* 1: guest kernel, 0: guest user */

	/* Written by C, read by the switcher. */
	u64 kernel_cr3;
	u64 user_cr3;		/* 0: none */
	u64 kernel_sp;		/* HYPERVISOR_stack_switch */
	u64 kernel_ss;
	u64 syscall_rip;	/* 0: take the slow path */
	u64 syscall_mask;	/* 1: the callback wants events masked */
	u64 fault_rip;		/* page-fault handler; 0: take the slow path */
	u64 fault_cs;
	u64 fault_mask;		/* 1: it wants events masked */
	u64 info;		/* address of vcpu_info in the hole; 0: none yet */
	u64 fast;		/* 0: every fast path off */
	u64 cr3_noflush;	/* added to a CR3 once it has been loaded */
	u64 gdt_limit_base[2];	/* for LGDT, at byte 6 */
	u64 ldt_selector;	/* RF_SEL_HV_LDT, or 0 */
	u64 ldt_limit;
	u64 dr7;		/* 0: no breakpoint is on */
	u64 fast_roots;		/* 0: a change of root, or a flush, is C's */
	struct rf_world_root kernel_roots[RF_WORLD_ROOTS];
	struct rf_world_root user_roots[RF_WORLD_ROOTS];
	struct rf_world_root no_root;	/* zeroes: NEW_USER_BASEPTR 0 */
	struct rf_world_leaf leaf_tables[RF_WORLD_LEAVES];	/* by gfn */
	u64 leaves;		/* struct rf_leaves of the VM */
	s64 gate_mark;		/* less than 0, and no other vCPU's */

	/* The roots of kernel_cr3 and user_cr3; the switcher may change them. */
	u64 kernel_gfn;
	u64 user_gfn;

	/* Counted by the switcher. */
	u64 nr_fast_syscall;
	u64 nr_fast_iret;
	u64 nr_fast_hypercall;
	u64 nr_fast_fault;
	u64 nr_cr3_writes;
};

static_assert(sizeof(struct rf_world) <= PAGE_SIZE);
static_assert((offsetof(struct rf_world, regs) + sizeof(struct rf_regs)) % 16 == 0);

struct rf_hole;
struct rf_shadow;

/* Page 14 of every GDT: the ABI's flat segments; map it into each vCPU's. */
extern struct page *rf_switcher_gdt_page;

/* cpu.c: what the module keeps on every CPU while it is loaded. */
int rf_switcher_init(void);
void rf_switcher_exit(void);

/* Does CPUID trap in ring 3 while a guest runs? */
bool rf_switcher_cpuid_faults(void);

/**
 * rf_switcher_get() - Have every CPU ready for guests
 *
 * Clears CR4.PGE everywhere, also on CPUs that come online later: global TLB
 * entries of the host would shadow the guest's kernel addresses.  Nests.
 */
void rf_switcher_get(void);
void rf_switcher_put(void);

/**
 * rf_switch_to_guest() - Run the guest until something happens
 * @world: The vCPU, as C sees it
 * @world_va: The same in the hole
 * @guest_cr3: Which of the world's roots to start with
 *
 * Interrupts off on entry and on return; @world->regs.exit says why.
 *
 * Return: is there something for the host that it has not handled yet, an
 * interrupt or an NMI?  Then call rf_switcher_reraise().
 */
bool rf_switch_to_guest(struct rf_world *world, u64 world_va, u64 guest_cr3);

/**
 * rf_switcher_reraise() - Let the host handle what took the CPU from the guest
 * @vector: rf_regs.exit
 *
 * Call with interrupts off, right after rf_switch_to_guest().
 */
void rf_switcher_reraise(u64 vector);

/* map.c: the hole in every address space. */
int rf_hole_init(void);
void rf_hole_exit(void);
u64 rf_hole_cpu_va(int cpu);
int rf_hole_map_cpu_page(int cpu, unsigned int page_index, struct page *page, bool exec);

/**
 * rf_hole_create() - A VM's view of the hole: the CPUs, and its own vCPUs
 *
 * Return: the hole, or ERR_PTR(-ENOSPC) when the host has its most VMs,
 * ERR_PTR(-ENOMEM).
 */
struct rf_hole *rf_hole_create(void);
void rf_hole_destroy(struct rf_hole *hole);
u64 rf_hole_vcpu_va(struct rf_hole *hole, unsigned int vcpu_id);
int rf_hole_map_vcpu_page(struct rf_hole *hole, unsigned int vcpu_id,
			  unsigned int page_index, struct page *page,
			  bool writable);

/* The top-level entry of the hole, for a root of @hole's VM, and its index. */
u64 rf_hole_root_entry(struct rf_hole *hole);
unsigned int rf_hole_root_index(void);
#define RF_MAX_VMS		500

/* Put the hole into @mm, the launcher's; and take it out again. */
void rf_hole_attach(struct mm_struct *mm);
void rf_hole_detach(struct mm_struct *mm);

#endif /* __ASSEMBLY__ */
#endif /* RF_SWITCHER_H */
