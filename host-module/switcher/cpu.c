// SPDX-License-Identifier: GPL-2.0
/*
 * cpu.c - per-CPU setup and teardown of the switcher: MSRs, IDT, TSS, GDT
 */
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/platform_device.h>
#include <linux/pm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/user-return-notifier.h>

#include <asm/apic.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>
#include <asm/trapnr.h>

#include "cpu.h"
#include "cpuid_fault.h"
#include "switcher.h"

/* MSRs that only matter to ring 3, so they stay the guest's until it returns. */
enum {
	MSR_SLOT_STAR,
	MSR_SLOT_LSTAR,
	MSR_SLOT_CSTAR,
	MSR_SLOT_FMASK,
	MSR_SLOT_SYSENTER_CS,
	MSR_SLOT_SYSENTER_ESP,
	MSR_SLOT_SYSENTER_EIP,
	MSR_SLOT_TSC_AUX,
	NR_MSR_SLOTS
};

static const u32 msr_index[NR_MSR_SLOTS] = {
	[MSR_SLOT_STAR]		= MSR_STAR,
	[MSR_SLOT_LSTAR]	= MSR_LSTAR,
	[MSR_SLOT_CSTAR]	= MSR_CSTAR,
	[MSR_SLOT_FMASK]	= MSR_SYSCALL_MASK,
	[MSR_SLOT_SYSENTER_CS]	= MSR_IA32_SYSENTER_CS,
	[MSR_SLOT_SYSENTER_ESP]	= MSR_IA32_SYSENTER_ESP,
	[MSR_SLOT_SYSENTER_EIP]	= MSR_IA32_SYSENTER_EIP,
	[MSR_SLOT_TSC_AUX]	= MSR_TSC_AUX,		/* last: not every CPU has it */
};

/* STAR as the ABI wants it: HV %cs at SYSCALL, flat ring-3 selectors at SYSRET. */
#define STAR_VALUE	(((u64)(0xe023) << 48) | ((u64)RF_SEL_HV_CS << 32))
#define FMASK_VALUE	(X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF |	\
			 X86_EFLAGS_NT | X86_EFLAGS_AC | X86_EFLAGS_RF)

/* The switcher's side of one CPU, in C. */
struct cpu_state {
	struct user_return_notifier urn;
	bool msrs_loaded;
	u64 host_msrs[NR_MSR_SLOTS];
	u64 guest_msrs[NR_MSR_SLOTS];
	struct rf_cpuid_fault cpuid_fault;

	u64 va;				/* of this CPU's area */
	u64 entry;			/* rf_hole_enter in it */
	struct rf_cpu *cpu;
	struct x86_hw_tss *tss;
	gate_desc *idt;
	struct desc_struct *gdt;	/* first page of the transition GDT */
	struct desc_struct *hv_gdt;	/* page 14 of it */
	struct page *pages[3 + RF_CPU_NR_STACKS + 2];
	int nr_pages;
};

static DEFINE_PER_CPU(struct cpu_state, cpu_states);
static struct page *text_pages[RF_TEXT_PAGES];
static enum cpuhp_state hotplug_state;
static DEFINE_MUTEX(users_lock);
static unsigned int nr_users;

struct page *rf_switcher_gdt_page;	/* page 14 of every guest's GDT */

/* --- MSRs ------------------------------------------------------------- */

/*
 * KVM keeps some of these MSRs lazily as well, TSC_AUX on SVM and most of them
 * on VMX, and believes to be alone with them: there they are switched each
 * time, and the host's are whatever was live.  They are the last ones.
 */
static int nr_msrs __ro_after_init;
static int first_shared_msr __ro_after_init;

static void msrs_init(void)
{
	nr_msrs = MSR_SLOT_TSC_AUX;
	if (boot_cpu_has(X86_FEATURE_RDTSCP) || boot_cpu_has(X86_FEATURE_RDPID))
		nr_msrs = NR_MSR_SLOTS;
	first_shared_msr = nr_msrs;
	if (boot_cpu_has(X86_FEATURE_VMX))
		first_shared_msr = 0;
	else if (boot_cpu_has(X86_FEATURE_SVM))
		first_shared_msr = MSR_SLOT_TSC_AUX;
}

/*
 * CPUID in a guest's program: with this bit it is #GP in ring 3, and shows what
 * the guest's kernel sees.  Linux has the bit on for tasks that asked for it.
 */
static bool cpuid_fault;
module_param(cpuid_fault, bool, 0444);
MODULE_PARM_DESC(cpuid_fault, "Show programs of a guest its CPUID, if the CPU can");

bool rf_switcher_cpuid_faults(void)
{
	return cpuid_fault && boot_cpu_has(X86_FEATURE_CPUID_FAULT);
}

static void cpuid_fault_write(bool on)
{
	u64 value;

	rdmsrl(MSR_MISC_FEATURES_ENABLES, value);
	value &= ~(u64)MSR_MISC_FEATURES_ENABLES_CPUID_FAULT;
	if (on)
		value |= MSR_MISC_FEATURES_ENABLES_CPUID_FAULT;
	wrmsrl(MSR_MISC_FEATURES_ENABLES, value);
}

/* A guest of KVM would have the bit as well: it is entered from the kernel. */
static bool cpuid_fault_is_lazy(void)
{
	return !boot_cpu_has(X86_FEATURE_VMX) && !boot_cpu_has(X86_FEATURE_SVM);
}

static void cpuid_fault_load(struct cpu_state *st)
{
	if (!rf_switcher_cpuid_faults())
		return;
	if (!cpuid_fault_is_lazy())
		cpuid_fault_write(true);
	else if (rf_cpuid_fault_enter(&st->cpuid_fault, current,
				      current->nvcsw + current->nivcsw))
		cpuid_fault_write(true);
}

/* Right after the guest. */
static void cpuid_fault_unload(void)
{
	if (rf_switcher_cpuid_faults() && !cpuid_fault_is_lazy())
		cpuid_fault_write(test_thread_flag(TIF_NOCPUID));
}

static void msrs_restore(struct cpu_state *st)
{
	int i;

	if (!st->msrs_loaded)
		return;
	st->msrs_loaded = false;
	user_return_notifier_unregister(&st->urn);
	if (rf_cpuid_fault_leave(&st->cpuid_fault))
		cpuid_fault_write(test_thread_flag(TIF_NOCPUID));
	for (i = 0; i < first_shared_msr; i++)
		wrmsrl(msr_index[i], st->host_msrs[i]);
}

static void msrs_on_user_return(struct user_return_notifier *urn)
{
	unsigned long flags;

	/*
	 * The notifier runs with interrupts off or on, depending on the kernel;
	 * an entry to a guest may not come between.
	 */
	local_irq_save(flags);
	msrs_restore(container_of(urn, struct cpu_state, urn));
	local_irq_restore(flags);
}

/* Inline: some are written twice at each switch. */
static __always_inline void msr_write(int slot, u64 value)
{
	__wrmsr(msr_index[slot], (u32)value, value >> 32);
}

/* Those that stay loaded until the thread returns to user mode. */
static void msrs_load_lazily(struct cpu_state *st)
{
	int i;

	st->msrs_loaded = true;
	st->urn.on_user_return = msrs_on_user_return;
	user_return_notifier_register(&st->urn);
	for (i = 0; i < first_shared_msr; i++)
		wrmsrl(msr_index[i], st->guest_msrs[i]);
}

static __always_inline void msr_switch(struct cpu_state *st, int slot)
{
	st->host_msrs[slot] = __rdmsr(msr_index[slot]);
	msr_write(slot, st->guest_msrs[slot]);
}

/* By itself: where it is the only one, it takes no loop. */
static bool tsc_aux_is_shared(void)
{
	return first_shared_msr <= MSR_SLOT_TSC_AUX && nr_msrs > MSR_SLOT_TSC_AUX;
}

static void msrs_load(struct cpu_state *st)
{
	int i;

	for (i = first_shared_msr; i < MSR_SLOT_TSC_AUX; i++)
		msr_switch(st, i);
	if (tsc_aux_is_shared())
		msr_switch(st, MSR_SLOT_TSC_AUX);
	if (!st->msrs_loaded && first_shared_msr)
		msrs_load_lazily(st);
	cpuid_fault_load(st);
}

static void msrs_unload(struct cpu_state *st)
{
	int i;

	cpuid_fault_unload();
	for (i = first_shared_msr; i < MSR_SLOT_TSC_AUX; i++)
		msr_write(i, st->host_msrs[i]);
	if (tsc_aux_is_shared())
		msr_write(MSR_SLOT_TSC_AUX, st->host_msrs[MSR_SLOT_TSC_AUX]);
}

/* --- tables ------------------------------------------------------------ */

static void *cpu_page(struct cpu_state *st, int cpu, unsigned int index)
{
	struct page *page = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);

	if (!page)
		return NULL;
	st->pages[st->nr_pages++] = page;
	if (rf_hole_map_cpu_page(cpu, index, page, false))
		return NULL;
	return page_address(page);
}

static u64 cpu_area(const struct cpu_state *st, unsigned int index)
{
	return st->va + ((u64)index << PAGE_SHIFT);
}

/* Where a symbol of the text is, in this CPU's view. */
static u64 text_va(const struct cpu_state *st, const u8 *symbol)
{
	return st->va + (symbol - rf_switcher_text);
}

/* The vectors that need a good stack whatever %rsp is: host's slot numbers. */
static int vector_ist(int vector)
{
	switch (vector) {
	case X86_TRAP_DF:
		return IST_INDEX_DF + 1;
	case X86_TRAP_NMI:
		return IST_INDEX_NMI + 1;
	case X86_TRAP_DB:
		return IST_INDEX_DB + 1;
	case X86_TRAP_MC:
		return IST_INDEX_MCE + 1;
	default:
		return 0;
	}
}

/* A guest may run INT3, INTO and INT 0x80; any other INT n is #GP first. */
static int vector_dpl(int vector)
{
	return vector == X86_TRAP_BP || vector == X86_TRAP_OF ||
	       vector == IA32_SYSCALL_VECTOR ? 3 : 0;
}

static void cpu_init_idt(struct cpu_state *st)
{
	int vector;

	for (vector = 0; vector < 256; vector++) {
		u64 va = text_va(st, rf_hole_vectors + vector * RF_VECTOR_STUB_SIZE);

		st->idt[vector] = (gate_desc) {
			.offset_low	= va & 0xffff,
			.offset_middle	= (va >> 16) & 0xffff,
			.offset_high	= va >> 32,
			.segment	= RF_SEL_HV_CS,
			.bits		= {
				.ist	= vector_ist(vector),
				.type	= GATE_INTERRUPT,
				.dpl	= vector_dpl(vector),
				.p	= 1,
			},
		};
	}
}

static void cpu_init_tss(struct cpu_state *st)
{
	static const int ist[] = { IST_INDEX_DF, IST_INDEX_NMI, IST_INDEX_DB, IST_INDEX_MCE };
	int i;

	for (i = 0; i < ARRAY_SIZE(ist); i++)
		st->tss->ist[ist[i]] = cpu_area(st, RF_CPU_STACKS + i + 1);
	st->tss->io_bitmap_base = sizeof(*st->tss);
	st->cpu->stack_top = cpu_area(st, RF_CPU_STACKS + RF_CPU_NR_STACKS);
}

static struct desc_struct *hv_desc(struct cpu_state *st, unsigned int selector)
{
	return st->hv_gdt + (selector >> 3) - (RF_HV_GDT_PAGE << 9);
}

/* The part of the table that every GDT shares: the ABI's flat segments. */
static void flat_segments(struct desc_struct *table)
{
	u64 *desc = (u64 *)table;

	desc[1] = 0x00af9b000000ffffULL;	/* 0xe008 hypervisor code */
	desc[2] = 0x00cf93000000ffffULL;	/* 0xe010 hypervisor data */
	desc[4] = 0x00cffb000000ffffULL;	/* 0xe023 ring 3 code, 32 bits */
	desc[5] = 0x00cff3000000ffffULL;	/* 0xe02b ring 3 data */
	desc[6] = 0x00affb000000ffffULL;	/* 0xe033 ring 3 code, 64 bits */
}

static void set_system_desc(void *desc, u64 base, u32 limit, int type)
{
	struct ldttss_desc *d = desc;

	set_tssldt_descriptor(d, base, type, limit);
}

/* What the host has loaded on this CPU; called on the CPU itself. */
static void cpu_read_host(struct cpu_state *st)
{
	struct rf_cpu *cpu = st->cpu;
	struct desc_ptr ptr;
	int i;

	native_store_gdt(&ptr);
	cpu->host_gdt.limit = ptr.size;
	cpu->host_gdt.base = ptr.address;
	memcpy(st->gdt, (void *)ptr.address, min_t(u32, ptr.size + 1, PAGE_SIZE));
	store_idt(&ptr);
	cpu->host_idt.limit = ptr.size;
	cpu->host_idt.base = ptr.address;
	cpu->host_tr = GDT_ENTRY_TSS * 8;
	cpu->host_gs_base = rdgsbase();

	for (i = 0; i < nr_msrs; i++)
		rdmsrl(msr_index[i], st->host_msrs[i]);
}

static void cpu_start(void *unused)
{
	struct cpu_state *st = this_cpu_ptr(&cpu_states);

	st->msrs_loaded = false;
	st->cpuid_fault = (struct rf_cpuid_fault){ };
	cpu_read_host(st);
	if (nr_users)
		cr4_clear_bits(X86_CR4_PGE);
}

static void cpu_stop(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	msrs_restore(this_cpu_ptr(&cpu_states));
	local_irq_restore(flags);
}

static int cpu_alloc(int cpu)
{
	struct cpu_state *st = per_cpu_ptr(&cpu_states, cpu);
	int i;

	st->va = rf_hole_cpu_va(cpu);
	st->entry = text_va(st, rf_hole_enter);
	for (i = 0; i < RF_TEXT_PAGES; i++)
		if (rf_hole_map_cpu_page(cpu, RF_CPU_TEXT + i, text_pages[i], true))
			return -ENOMEM;

	st->cpu = cpu_page(st, cpu, RF_CPU_DATA);
	st->tss = cpu_page(st, cpu, RF_CPU_TSS);
	st->idt = cpu_page(st, cpu, RF_CPU_IDT);
	st->gdt = cpu_page(st, cpu, RF_CPU_GDT);
	st->hv_gdt = cpu_page(st, cpu, RF_CPU_GDT + RF_HV_GDT_PAGE);
	if (!st->cpu || !st->tss || !st->idt || !st->gdt || !st->hv_gdt)
		return -ENOMEM;
	for (i = 0; i < RF_CPU_NR_STACKS; i++)
		if (!cpu_page(st, cpu, RF_CPU_STACKS + i))
			return -ENOMEM;

	cpu_init_idt(st);
	cpu_init_tss(st);
	flat_segments(st->hv_gdt);
	set_system_desc(hv_desc(st, RF_SEL_HV_TSS), cpu_area(st, RF_CPU_TSS),
			sizeof(*st->tss) - 1, DESC_TSS);

	st->cpu->self = (u64)st->cpu;
	st->cpu->verw_selector = __KERNEL_DS;
	st->cpu->clear_buffers = boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF);
	st->cpu->hv_idt.limit = 256 * sizeof(gate_desc) - 1;
	st->cpu->hv_idt.base = cpu_area(st, RF_CPU_IDT);
	st->cpu->transition_gdt.limit = RF_GDT_BYTES - 1;
	st->cpu->transition_gdt.base = cpu_area(st, RF_CPU_GDT);

	st->guest_msrs[MSR_SLOT_STAR] = STAR_VALUE;
	st->guest_msrs[MSR_SLOT_LSTAR] = text_va(st, rf_hole_syscall64);
	st->guest_msrs[MSR_SLOT_CSTAR] = text_va(st, rf_hole_syscall32);
	st->guest_msrs[MSR_SLOT_FMASK] = FMASK_VALUE;
	st->guest_msrs[MSR_SLOT_SYSENTER_CS] = RF_SEL_HV_CS;
	st->guest_msrs[MSR_SLOT_SYSENTER_ESP] = st->cpu->stack_top;
	st->guest_msrs[MSR_SLOT_SYSENTER_EIP] = text_va(st, rf_hole_sysenter);
	return 0;
}

static void cpu_free(int cpu)
{
	struct cpu_state *st = per_cpu_ptr(&cpu_states, cpu);

	while (st->nr_pages)
		__free_page(st->pages[--st->nr_pages]);
}

/* --- the switch --------------------------------------------------------- */

/* Of a system descriptor: the byte with its type, and that of a TSS to be loaded. */
#define DESC_ACCESS_BYTE	5
#define TSS_AVAILABLE		(0x80 | DESC_TSS)

/*
 * LTR wants a descriptor that is not busy, and makes it busy.  Both TSSes are
 * loaded from the transition GDT, so that the host's own, which is read-only,
 * is never written.
 */
static void cpu_prepare_tss(struct cpu_state *st)
{
	u8 *host = (u8 *)&st->gdt[GDT_ENTRY_TSS];
	u8 *hv = (u8 *)hv_desc(st, RF_SEL_HV_TSS);

	host[DESC_ACCESS_BYTE] = TSS_AVAILABLE;
	hv[DESC_ACCESS_BYTE] = TSS_AVAILABLE;
}

/* Does rf_switcher_reraise() have something to do?  A page fault is no news. */
static bool is_for_host(const struct rf_cpu *cpu, u64 vector)
{
	return (vector < NR_VECTORS && vector != X86_TRAP_PF) ||
	       cpu->nmi_pending || cpu->mce_pending;
}

bool rf_switch_to_guest(struct rf_world *world, u64 world_va, u64 guest_cr3)
{
	struct cpu_state *st = this_cpu_ptr(&cpu_states);
	struct rf_cpu *cpu = st->cpu;

	lockdep_assert_irqs_disabled();

	msrs_load(st);
	cpu_prepare_tss(st);
	if (world->ldt_selector)
		set_system_desc(hv_desc(st, RF_SEL_HV_LDT),
				world_va + ((RF_VCPU_LDT - RF_VCPU_WORLD) << PAGE_SHIFT),
				world->ldt_limit, DESC_LDT);
	cpu->ldt_selector = world->ldt_selector;
	cpu->world_top = world_va + offsetof(struct rf_world, regs) +
			 sizeof(struct rf_regs);
	st->tss->sp0 = cpu->world_top;
	cpu->guest_cr3 = guest_cr3;
	cpu->host_cr3 = __read_cr3();
	if (cpu_feature_enabled(X86_FEATURE_PCID))
		cpu->host_cr3 |= X86_CR3_PCID_NOFLUSH;
	cpu->host_fs_base = rdfsbase();
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		cpu->spec_ctrl = this_cpu_read(x86_spec_ctrl_current);

	world->regs.exit = RF_EXIT_SENTINEL;
	rf_switcher_enter(cpu, st->entry);
	msrs_unload(st);

	if (unlikely(world->regs.exit == RF_EXIT_SENTINEL))
		pr_err_ratelimited("ringfence: the switcher faulted: vector %llu error %#llx at text+%#llx\n",
				   cpu->fault_vector, cpu->fault_error, cpu->fault_rip);
	return is_for_host(cpu, world->regs.exit);
}

static void reraise(unsigned int vector)
{
	rf_reraise_fn *stub = (void *)(rf_reraise_stubs + vector * RF_RERAISE_STUB_SIZE);

	stub();
}

/*
 * An NMI that ended the excursion still keeps others out: nothing has executed
 * an IRET since.  So INT 2 is as good as the NMI itself, and the handler's IRET
 * lets others in.  One that the switcher has counted was ended by the IRETQ
 * there, and another might come while INT 2 enters the handler, onto the same
 * stack, before Linux can tell that it is nested: have the APIC send a real one.
 */
static void reraise_nmi(bool blocked)
{
	if (blocked || !boot_cpu_has(X86_FEATURE_APIC))
		reraise(X86_TRAP_NMI);
	else
		apic->send_IPI_mask(cpumask_of(smp_processor_id()), NMI_VECTOR);
}

void rf_switcher_reraise(u64 vector)
{
	struct rf_cpu *cpu = this_cpu_ptr(&cpu_states)->cpu;
	bool nmi_exit = vector == X86_TRAP_NMI;

	lockdep_assert_irqs_disabled();

	/* First: a machine check's IRET would let NMIs in. */
	if (xchg(&cpu->nmi_pending, 0) || nmi_exit)
		reraise_nmi(nmi_exit);
	if (xchg(&cpu->mce_pending, 0) || vector == X86_TRAP_MC)
		reraise(X86_TRAP_MC);
	if (vector >= FIRST_EXTERNAL_VECTOR && vector < NR_VECTORS &&
	    vector != IA32_SYSCALL_VECTOR)
		reraise(vector);
}

/* --- users -------------------------------------------------------------- */

static void pge_clear(void *unused)
{
	cr4_clear_bits(X86_CR4_PGE);
}

static void pge_set(void *unused)
{
	cr4_set_bits(X86_CR4_PGE);
}

void rf_switcher_get(void)
{
	cpus_read_lock();
	mutex_lock(&users_lock);
	if (!nr_users++ && boot_cpu_has(X86_FEATURE_PGE))
		on_each_cpu(pge_clear, NULL, 1);
	mutex_unlock(&users_lock);
	cpus_read_unlock();
}

void rf_switcher_put(void)
{
	cpus_read_lock();
	mutex_lock(&users_lock);
	if (!--nr_users && boot_cpu_has(X86_FEATURE_PGE))
		on_each_cpu(pge_set, NULL, 1);
	mutex_unlock(&users_lock);
	cpus_read_unlock();
}

static int switcher_online(unsigned int cpu)
{
	cpu_start(NULL);
	return 0;
}

static int switcher_offline(unsigned int cpu)
{
	cpu_stop(NULL);
	return 0;
}

/*
 * The CPU that suspends the machine goes through no hotplug callback, and wakes
 * with the host's MSRs.  A device is told while every vCPU thread is frozen.
 */
static int switcher_suspend(struct device *dev)
{
	on_each_cpu(cpu_stop, NULL, 1);
	return 0;
}

static const struct dev_pm_ops switcher_pm_ops = {
	.suspend	= switcher_suspend,
	.freeze		= switcher_suspend,
	.poweroff	= switcher_suspend,
};

static struct platform_driver switcher_driver = {
	.driver = {
		.name	= "ringfence",
		.pm	= &switcher_pm_ops,
	},
};

static struct platform_device *switcher_device;

static int pm_init(void)
{
	int err = platform_driver_register(&switcher_driver);

	if (err)
		return err;
	switcher_device = platform_device_register_simple("ringfence", PLATFORM_DEVID_NONE,
							  NULL, 0);
	if (!IS_ERR(switcher_device))
		return 0;
	platform_driver_unregister(&switcher_driver);
	return PTR_ERR(switcher_device);
}

static void pm_exit(void)
{
	platform_device_unregister(switcher_device);
	platform_driver_unregister(&switcher_driver);
}

static int text_init(void)
{
	size_t len = rf_switcher_text_end - rf_switcher_text;
	size_t fixups = rf_hole_fixups_end - rf_hole_fixups;
	int i;

	if (WARN_ON(len > RF_FIXUP_PAGE << PAGE_SHIFT) || WARN_ON(fixups > PAGE_SIZE))
		return -ENOEXEC;

	for (i = 0; i < RF_TEXT_PAGES; i++) {
		size_t at = (size_t)i << PAGE_SHIFT;

		text_pages[i] = alloc_page(GFP_KERNEL);
		if (!text_pages[i])
			return -ENOMEM;
		memset(page_address(text_pages[i]), 0xcc, PAGE_SIZE);
		if (at < len)
			memcpy(page_address(text_pages[i]), rf_switcher_text + at,
			       min_t(size_t, len - at, PAGE_SIZE));
	}

	memcpy(page_address(text_pages[RF_FIXUP_PAGE]), rf_hole_fixups, fixups);

	rf_switcher_gdt_page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!rf_switcher_gdt_page)
		return -ENOMEM;
	flat_segments(page_address(rf_switcher_gdt_page));
	return 0;
}

static void text_exit(void)
{
	int i;

	for (i = 0; i < RF_TEXT_PAGES; i++)
		if (text_pages[i])
			__free_page(text_pages[i]);
	if (rf_switcher_gdt_page)
		__free_page(rf_switcher_gdt_page);
}

int rf_switcher_init(void)
{
	int cpu, err;

	msrs_init();
	err = rf_hole_init();
	if (err)
		return err;

	err = text_init();
	if (err)
		goto err_cpus;
	for_each_possible_cpu(cpu) {
		err = cpu_alloc(cpu);
		if (err)
			goto err_cpus;
	}

	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "ringfence:online",
				switcher_online, switcher_offline);
	if (err < 0)
		goto err_cpus;
	hotplug_state = err;
	err = pm_init();
	if (err)
		goto err_hotplug;
	return 0;

err_hotplug:
	cpuhp_remove_state(hotplug_state);
err_cpus:
	for_each_possible_cpu(cpu)
		cpu_free(cpu);
	text_exit();
	rf_hole_exit();
	return err;
}

void rf_switcher_exit(void)
{
	int cpu;

	pm_exit();
	/* Runs switcher_offline() on every CPU: the MSRs are the host's again. */
	cpuhp_remove_state(hotplug_state);
	for_each_possible_cpu(cpu)
		cpu_free(cpu);
	text_exit();
	rf_hole_exit();
}
