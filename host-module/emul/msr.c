// SPDX-License-Identifier: GPL-2.0
/*
 * msr.c - what the guest kernel sees of the model-specific registers
 *
 * As on Xen: a few are real, some read as what a PV guest expects, a few writes
 * are let pass because a kernel does them before it asks where it is.  All
 * others are #GP, which Linux takes as "this CPU has no such register".
 */
#include <linux/slab.h>
#include <asm/apicdef.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "priv.h"

#define MSR_XEN_HYPERCALL_PAGE	0x40000000

/* Two banks of machine checks, in which nothing is ever found. */
#define MCE_BANKS		2

/* MSR_K7_HWCR: the TSC counts at the rate of P-state 0. */
#define HWCR_TSC_FREQ_SEL	(1ULL << 24)

/* The meaning of PAT bits in guest entries, part of the ABI. */
#define XEN_PAT			0x050100070406ULL

#define EFER_VISIBLE		(EFER_SCE | EFER_LME | EFER_LMA | EFER_NX)

static bool is_amd(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_AMD ||
	       boot_cpu_data.x86_vendor == X86_VENDOR_HYGON;
}

static bool is_intel(void)
{
	return boot_cpu_data.x86_vendor == X86_VENDOR_INTEL;
}

static bool read_host(u32 msr, u64 *value)
{
	return !rdmsrl_safe(msr, value);
}

static u64 read_efer(void)
{
	u64 efer = 0;

	rdmsrl_safe(MSR_EFER, &efer);
	return efer & EFER_VISIBLE;
}

static bool read_misc_enable(u64 *value)
{
	if (!is_intel() || !read_host(MSR_IA32_MISC_ENABLE, value))
		return false;
	*value &= ~(MSR_IA32_MISC_ENABLE_EMON | MSR_IA32_MISC_ENABLE_MWAIT);
	*value |= MSR_IA32_MISC_ENABLE_BTS_UNAVAIL | MSR_IA32_MISC_ENABLE_PEBS_UNAVAIL |
		  MSR_IA32_MISC_ENABLE_XTPR_DISABLE;
	return true;
}

/* Registers that only the CPUs of one maker have. */
static bool read_amd(u32 msr, u64 *value)
{
	if (!is_amd())
		return false;

	switch (msr) {
	case MSR_K7_HWCR:
		*value = HWCR_TSC_FREQ_SEL;
		return true;
	case MSR_AMD64_SYSCFG:
	case MSR_K8_TOP_MEM1:
	case MSR_K8_TOP_MEM2:
		*value = 0;
		return true;
	case MSR_AMD64_DE_CFG:
		return read_host(msr, value);
	default:
		return false;
	}
}

static bool read_machine_check(u32 msr, u64 *value)
{
	switch (msr) {
	case MSR_IA32_MCG_CAP:
		*value = MCE_BANKS;
		return true;
	case MSR_IA32_MCG_STATUS:
		*value = 0;
		return true;
	case MSR_IA32_MC0_CTL ... MSR_IA32_MC0_CTL + 4 * MCE_BANKS - 1:
		*value = msr % 4 ? 0 : ~0ULL;	/* CTL: all errors enabled */
		return true;
	default:
		return false;
	}
}

bool rf_msr_read(struct rf_vcpu *vcpu, u32 msr, u64 *value)
{
	const struct rf_world *world = vcpu->world;

	switch (msr) {
	case MSR_FS_BASE:
		*value = world->fs_base;
		return true;
	case MSR_GS_BASE:
		*value = world->gs_base;
		return true;
	case MSR_KERNEL_GS_BASE:
		*value = world->gs_base_other;
		return true;
	case MSR_EFER:
		*value = read_efer();
		return true;
	case MSR_IA32_TSC:
		*value = rdtsc_ordered();
		return true;
	case MSR_IA32_APICBASE:
		*value = APIC_DEFAULT_PHYS_BASE | MSR_IA32_APICBASE_ENABLE;
		if (vcpu->id == 0)
			*value |= MSR_IA32_APICBASE_BSP;
		return true;
	case MSR_IA32_CR_PAT:
		*value = XEN_PAT;
		return true;
	case MSR_IA32_UCODE_REV:
		return read_host(msr, value);
	case MSR_IA32_PLATFORM_ID:
		return is_intel() && read_host(msr, value);
	case MSR_IA32_MISC_ENABLE:
		return read_misc_enable(value);
	case MSR_IA32_TSC_ADJUST:
	case MSR_IA32_SYSENTER_CS:
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_SYSCALL_MASK:
		*value = 0;
		return true;
	default:
		return read_machine_check(msr, value) || read_amd(msr, value);
	}
}

/* A stub per hypercall, each in 32 bytes, as the ABI lays the page out. */
static bool write_hypercall_page(struct rf_vcpu *vcpu, u64 value)
{
	/* push %rcx; push %r11; mov $nr, %eax; syscall; pop %r11; pop %rcx; ret */
	static const u8 stub[] = {
		0x51, 0x41, 0x53, 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0x41, 0x5b, 0x59, 0xc3,
	};
	/* push %rcx; push %r11; push %rax; mov $nr, %eax; syscall */
	static const u8 stub_iret[] = {
		0x51, 0x41, 0x53, 0x50, 0xb8, __HYPERVISOR_iret, 0, 0, 0, 0x0f, 0x05,
	};
	u8 *page;
	u32 nr;
	int err;

	/* Below bit 12: which of the pages; there is one. */
	if (value & ~PAGE_MASK)
		return false;
	page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!page)
		return false;

	memset(page, 0xcc, PAGE_SIZE);
	for (nr = 0; nr < PAGE_SIZE / 32; nr++) {
		memcpy(page + nr * 32, stub, sizeof(stub));
		memcpy(page + nr * 32 + 4, &nr, sizeof(nr));
	}
	memcpy(page + __HYPERVISOR_iret * 32, stub_iret, sizeof(stub_iret));
	err = rf_guest_write_gpa(vcpu->vm, value, page, PAGE_SIZE);
	kfree(page);
	return !err;
}

static bool write_base(u64 *base, u64 value)
{
	if (!rf_canonical(value))
		return false;
	*base = value;
	return true;
}

static bool write_amd(u32 msr)
{
	return is_amd() && (msr == MSR_K7_HWCR || msr == MSR_AMD64_DE_CFG);
}

/* What a bank says can be cleared, and which errors it reports be chosen. */
static bool write_machine_check(u32 msr, u64 value)
{
	u64 unused;

	if (msr == MSR_IA32_MCG_CAP || !read_machine_check(msr, &unused))
		return false;
	return !value || (msr != MSR_IA32_MCG_STATUS && msr % 4 == 0);
}

bool rf_msr_write(struct rf_vcpu *vcpu, u32 msr, u64 value)
{
	struct rf_world *world = vcpu->world;
	u64 now;

	switch (msr) {
	case MSR_FS_BASE:
		return write_base(&world->fs_base, value);
	case MSR_GS_BASE:
		return write_base(&world->gs_base, value);
	case MSR_KERNEL_GS_BASE:
		return write_base(&world->gs_base_other, value);
	case MSR_XEN_HYPERCALL_PAGE:
		return write_hypercall_page(vcpu, value);
	case MSR_IA32_SYSENTER_CS:	/* set by hypercalls instead */
	case MSR_IA32_SYSENTER_ESP:
	case MSR_IA32_SYSENTER_EIP:
	case MSR_STAR:
	case MSR_LSTAR:
	case MSR_CSTAR:
	case MSR_SYSCALL_MASK:
	case MSR_IA32_UCODE_REV:	/* written before it is read */
		return true;
	case MSR_EFER:
	case MSR_IA32_APICBASE:
	case MSR_IA32_CR_PAT:
	case MSR_IA32_MISC_ENABLE:
	case MSR_IA32_TSC_ADJUST:
		return rf_msr_read(vcpu, msr, &now) && now == value;
	default:
		return write_machine_check(msr, value) || write_amd(msr);
	}
}
