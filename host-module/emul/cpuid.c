// SPDX-License-Identifier: GPL-2.0
/*
 * cpuid.c - what the guest sees of the CPU
 *
 *	host CPU --masks--> host policy --launcher--> VM's policy
 *	VM's policy + vCPU's state --rf_cpuid_lookup()--> answer
 *
 * A feature is offered if ring 3 can use it with no help (most vector and
 * string extensions), or if the guest kernel's use of it is carried out here.
 * What is not named below is hidden, so a new CPU adds nothing by itself.
 */
#include <linux/cpu.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/xcr.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include <asm/xen/cpuid.h>

#include "../vcpu.h"
#include "../vm.h"
#include "priv.h"

enum { EAX, EBX, ECX, EDX, NR_REGS };

#define F(_feature)	(1U << ((_feature) & 31))
#define ALL		(~0U)

enum cpuid_limits {
	MAX_BASIC	= 0xd,
	MAX_EXTENDED	= 0x80000021,
	MAX_CACHES	= 8,
	LINEAR_BITS	= 48,
	XEN_VERSION	= 4 << 16 | 17,
	XEN_MSR		= 0x40000000,
};

/* XCR0 bits whose state XSAVE can keep for the guest. */
#define XCR0_X87	(1U << 0)
#define XCR0_SSE	(1U << 1)
#define XCR0_AVX	(1U << 2)
#define XCR0_AVX512	(7U << 5)
#define XCR0_GUEST	(XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512)
#define XSAVE_LEGACY	(512 + 64)

/* Leaf 1. */
#define ECX_1	(F(X86_FEATURE_XMM3) | F(X86_FEATURE_PCLMULQDQ) |		\
		 F(X86_FEATURE_SSSE3) | F(X86_FEATURE_FMA) |			\
		 F(X86_FEATURE_CX16) | F(X86_FEATURE_XMM4_1) |			\
		 F(X86_FEATURE_XMM4_2) | F(X86_FEATURE_MOVBE) |			\
		 F(X86_FEATURE_POPCNT) | F(X86_FEATURE_AES) |			\
		 F(X86_FEATURE_XSAVE) | F(X86_FEATURE_AVX) |			\
		 F(X86_FEATURE_F16C) | F(X86_FEATURE_RDRAND) |			\
		 F(X86_FEATURE_HYPERVISOR))
#define EDX_1	(F(X86_FEATURE_FPU) | F(X86_FEATURE_DE) |			\
		 F(X86_FEATURE_TSC) | F(X86_FEATURE_MSR) |			\
		 F(X86_FEATURE_PAE) | F(X86_FEATURE_MCE) |			\
		 F(X86_FEATURE_CX8) | F(X86_FEATURE_APIC) |			\
		 F(X86_FEATURE_SEP) | F(X86_FEATURE_MCA) |			\
		 F(X86_FEATURE_CMOV) | F(X86_FEATURE_PAT) |			\
		 F(X86_FEATURE_CLFLUSH) | F(X86_FEATURE_MMX) |			\
		 F(X86_FEATURE_FXSR) | F(X86_FEATURE_XMM) |			\
		 F(X86_FEATURE_XMM2) | F(X86_FEATURE_SELFSNOOP))

/* Leaf 7.  No HLE, RTM: aborts would show when the hypervisor ran. */
#define EBX_7	(F(X86_FEATURE_BMI1) | F(X86_FEATURE_AVX2) |			\
		 F(X86_FEATURE_FDP_EXCPTN_ONLY) | F(X86_FEATURE_BMI2) |		\
		 F(X86_FEATURE_ERMS) | F(X86_FEATURE_ZERO_FCS_FDS) |		\
		 F(X86_FEATURE_AVX512F) | F(X86_FEATURE_AVX512DQ) |		\
		 F(X86_FEATURE_RDSEED) | F(X86_FEATURE_ADX) |			\
		 F(X86_FEATURE_AVX512IFMA) | F(X86_FEATURE_CLFLUSHOPT) |	\
		 F(X86_FEATURE_CLWB) | F(X86_FEATURE_AVX512PF) |		\
		 F(X86_FEATURE_AVX512ER) | F(X86_FEATURE_AVX512CD) |		\
		 F(X86_FEATURE_SHA_NI) | F(X86_FEATURE_AVX512BW) |		\
		 F(X86_FEATURE_AVX512VL))
#define ECX_7	((1U << 0 /* PREFETCHWT1 */) | F(X86_FEATURE_AVX512VBMI) |	\
		 F(X86_FEATURE_AVX512_VBMI2) | F(X86_FEATURE_GFNI) |		\
		 F(X86_FEATURE_VAES) | F(X86_FEATURE_VPCLMULQDQ) |		\
		 F(X86_FEATURE_AVX512_VNNI) | F(X86_FEATURE_AVX512_BITALG) |	\
		 F(X86_FEATURE_AVX512_VPOPCNTDQ) | F(X86_FEATURE_CLDEMOTE) |	\
		 F(X86_FEATURE_MOVDIRI) | F(X86_FEATURE_MOVDIR64B))
#define EDX_7	(F(X86_FEATURE_AVX512_4VNNIW) | F(X86_FEATURE_AVX512_4FMAPS) |	\
		 F(X86_FEATURE_FSRM) | F(X86_FEATURE_AVX512_VP2INTERSECT) |	\
		 F(X86_FEATURE_MD_CLEAR) | F(X86_FEATURE_SERIALIZE) |		\
		 F(X86_FEATURE_AVX512_FP16))
#define EAX_7_1	((1U << 4 /* AVX-VNNI */) | (1U << 5 /* AVX512-BF16 */) |	\
		 (1U << 10 /* FZRM */) | (1U << 11 /* FSRS */) |		\
		 (1U << 12 /* FSRC */) | (1U << 23 /* AVX-IFMA */))
#define EDX_7_1	((1U << 4 /* AVX-VNNI-INT8 */) | (1U << 5 /* AVX-NE-CONVERT */) | \
		 (1U << 14 /* PREFETCHI */))

/* Leaf 0xd, sub-leaf 1: no XSAVES, which ring 3 does not have. */
#define EAX_D_1	(F(X86_FEATURE_XSAVEOPT) | F(X86_FEATURE_XSAVEC) |		\
		 F(X86_FEATURE_XGETBV1))

/* Leaf 0x80000001; AMD repeats parts of leaf 1 there.  No RDTSCP: the CPU
 * number it gives would be the host's.
 */
#define ECX_E1	(F(X86_FEATURE_LAHF_LM) | F(X86_FEATURE_ABM) |			\
		 F(X86_FEATURE_SSE4A) | F(X86_FEATURE_MISALIGNSSE) |		\
		 F(X86_FEATURE_3DNOWPREFETCH) | F(X86_FEATURE_XOP) |		\
		 F(X86_FEATURE_FMA4) | F(X86_FEATURE_TBM))
#define EDX_E1	(F(X86_FEATURE_SYSCALL) | F(X86_FEATURE_NX) |			\
		 F(X86_FEATURE_MMXEXT) | F(X86_FEATURE_LM) |			\
		 F(X86_FEATURE_3DNOWEXT) | F(X86_FEATURE_3DNOW) |		\
		 (EDX_1 & 0x0183f3ff))
/* Leaf 0x80000007: the TSC is of one rate, never stops, and all CPUs agree. */
#define EDX_E7	(1U << 8)
#define EBX_E8	(F(X86_FEATURE_CLZERO) | F(X86_FEATURE_XSAVEERPTR) |		\
		 F(X86_FEATURE_AMD_SSB_NO) | F(X86_FEATURE_BTC_NO))
#define NULL_CLEARS_BASE	(1U << 6)
#define EAX_E21	((1U << 2 /* LFENCE waits */) | NULL_CLEARS_BASE)

/*
 * @rule, for EAX to EDX, is what a policy may say against the host's:
 *
 *	.  anything: it only informs
 *	f  features: no bit the host's policy lacks
 *	m  at most the host's
 *	=  the same as the host's
 *	a  address sizes: at most the host's, and 48 bits linear
 */
struct leaf {
	u32 function;
	u32 index;
	bool indexed;
	char rule[NR_REGS + 1];
	u32 mask[NR_REGS];
};

#define LEAF(_function, _rule, ...) \
	{ (_function), 0, false, _rule, { __VA_ARGS__ } }
#define SUBLEAF(_function, _index, _rule, ...) \
	{ (_function), (_index), true, _rule, { __VA_ARGS__ } }

static const struct leaf leaves[] = {
	LEAF(0x0, "m...", ALL, ALL, ALL, ALL),
	LEAF(0x1, "..ff", ALL, 0xff00, ECX_1, EDX_1),
	LEAF(0x2, "....", ALL, ALL, ALL, ALL),
	SUBLEAF(0x4, 0, "....", 0x3fff, ALL, ALL, ALL),
	SUBLEAF(0x4, 1, "....", 0x3fff, ALL, ALL, ALL),
	SUBLEAF(0x4, 2, "....", 0x3fff, ALL, ALL, ALL),
	SUBLEAF(0x4, 3, "....", 0x3fff, ALL, ALL, ALL),
	SUBLEAF(0x7, 0, "mfff", ALL, EBX_7, ECX_7, EDX_7),
	SUBLEAF(0x7, 1, "ffff", EAX_7_1, 0, 0, EDX_7_1),
	SUBLEAF(0xd, 0, "f..f", XCR0_GUEST, 0, 0, 0),
	SUBLEAF(0xd, 1, "f...", EAX_D_1, 0, 0, 0),
	SUBLEAF(0xd, 2, "====", ALL, ALL, ALL, ALL),
	SUBLEAF(0xd, 5, "====", ALL, ALL, ALL, ALL),
	SUBLEAF(0xd, 6, "====", ALL, ALL, ALL, ALL),
	SUBLEAF(0xd, 7, "====", ALL, ALL, ALL, ALL),
	LEAF(0x80000000, "m...", ALL, ALL, ALL, ALL),
	LEAF(0x80000001, "..ff", ALL, ALL, ECX_E1, EDX_E1),
	LEAF(0x80000002, "....", ALL, ALL, ALL, ALL),
	LEAF(0x80000003, "....", ALL, ALL, ALL, ALL),
	LEAF(0x80000004, "....", ALL, ALL, ALL, ALL),
	LEAF(0x80000005, "....", ALL, ALL, ALL, ALL),
	LEAF(0x80000006, "....", ALL, ALL, ALL, ALL),
	LEAF(0x80000007, "...f", 0, 0, 0, EDX_E7),
	LEAF(0x80000008, "af..", 0xffff, EBX_E8, 0, 0),
	LEAF(0x80000019, "....", ALL, ALL, 0, 0),
	LEAF(0x8000001a, "....", ALL, 0, 0, 0),
	LEAF(0x80000021, "f...", EAX_E21, 0, 0, 0),
};

/*
 * The host's policy
 */

static u32 *entry_reg(struct rf_cpuid_entry *entry, int reg)
{
	u32 *const regs[NR_REGS] = { &entry->eax, &entry->ebx, &entry->ecx, &entry->edx };

	return regs[reg];
}

static u32 entry_value(const struct rf_cpuid_entry *entry, int reg)
{
	const u32 regs[NR_REGS] = { entry->eax, entry->ebx, entry->ecx, entry->edx };

	return regs[reg];
}

static const struct rf_cpuid_entry *find(const struct rf_cpuid_policy *policy,
					 u32 function, u32 index)
{
	u32 i;

	for (i = 0; i < policy->nr; i++) {
		const struct rf_cpuid_entry *entry = &policy->entries[i];

		if (entry->function != function)
			continue;
		if (!(entry->flags & RF_CPUID_INDEX) || entry->index == index)
			return entry;
	}
	return NULL;
}

/* Does the host's CPU have this leaf? */
static bool host_has(u32 function)
{
	if (function == 0x80000021)	/* see null_clears_base() */
		return true;
	return function <= cpuid_eax(function & 0x80000000);
}

/*
 * Does a null selector clear the base of %fs?  Few CPUs say so that do, and a
 * Linux that is not told makes two hypercalls more at each context switch.
 */
static bool null_clears_base(void)
{
	unsigned long flags, fs_base, now;
	u16 fs;

	if (!boot_cpu_has(X86_FEATURE_FSGSBASE))
		return false;
	local_irq_save(flags);
	savesegment(fs, fs);
	fs_base = rdfsbase();
	wrfsbase(1);
	loadsegment(fs, 0);
	now = rdfsbase();
	loadsegment(fs, fs);
	wrfsbase(fs_base);
	local_irq_restore(flags);
	return now == 0;
}

/* The vector states that this kernel keeps for a thread, and a guest may use. */
u32 rf_host_xcr0(void)
{
	u32 xcr0;

	if (!boot_cpu_has(X86_FEATURE_OSXSAVE))
		return 0;

	xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK) & XCR0_GUEST;
	if ((xcr0 & XCR0_AVX512) != XCR0_AVX512)
		xcr0 &= ~XCR0_AVX512;
	return xcr0;
}

/* Without the state there is no use for the instructions. */
static void drop_without_state(struct rf_cpuid_entry *entry, u32 xcr0)
{
	const u32 avx512_ebx = F(X86_FEATURE_AVX512F) | F(X86_FEATURE_AVX512DQ) |
		F(X86_FEATURE_AVX512IFMA) | F(X86_FEATURE_AVX512PF) |
		F(X86_FEATURE_AVX512ER) | F(X86_FEATURE_AVX512CD) |
		F(X86_FEATURE_AVX512BW) | F(X86_FEATURE_AVX512VL);
	const u32 avx512_ecx = F(X86_FEATURE_AVX512VBMI) |
		F(X86_FEATURE_AVX512_VBMI2) | F(X86_FEATURE_AVX512_VNNI) |
		F(X86_FEATURE_AVX512_BITALG) | F(X86_FEATURE_AVX512_VPOPCNTDQ);
	const u32 avx512_edx = F(X86_FEATURE_AVX512_4VNNIW) |
		F(X86_FEATURE_AVX512_4FMAPS) | F(X86_FEATURE_AVX512_VP2INTERSECT) |
		F(X86_FEATURE_AVX512_FP16);
	bool avx = xcr0 & XCR0_AVX, avx512 = xcr0 & XCR0_AVX512;

	switch (entry->function) {
	case 0x1:
		if (!xcr0)
			entry->ecx &= ~F(X86_FEATURE_XSAVE);
		if (!avx)
			entry->ecx &= ~(F(X86_FEATURE_AVX) | F(X86_FEATURE_FMA) |
					F(X86_FEATURE_F16C));
		break;
	case 0x7:
		if (entry->index == 1) {
			if (!avx)
				entry->eax &= ~((1U << 4) | (1U << 23));
			if (!avx)
				entry->edx &= ~((1U << 4) | (1U << 5));
			if (!avx512)
				entry->eax &= ~(1U << 5);
			break;
		}
		if (!avx) {
			entry->ebx &= ~F(X86_FEATURE_AVX2);
			entry->ecx &= ~(F(X86_FEATURE_VAES) | F(X86_FEATURE_VPCLMULQDQ));
		}
		if (!avx512) {
			entry->ebx &= ~avx512_ebx;
			entry->ecx &= ~avx512_ecx;
			entry->edx &= ~avx512_edx;
		}
		break;
	case 0x80000001:
		if (!avx)
			entry->ecx &= ~(F(X86_FEATURE_XOP) | F(X86_FEATURE_FMA4));
		break;
	}
}

/*
 * What the host's kernel found out, or was told, counts for more than what the
 * CPU says of itself.
 */
static bool host_tsc_reliable(void)
{
	return !check_tsc_unstable();
}

/* What differs from a masked copy of the CPU's answer. */
static void adjust(struct rf_cpuid_entry *entry, u32 xcr0)
{
	drop_without_state(entry, xcr0);
	switch (entry->function) {
	case 0x0:
		entry->eax = min_t(u32, entry->eax, MAX_BASIC);
		break;
	case 0x1:
		entry->ecx |= F(X86_FEATURE_HYPERVISOR);
		break;
	case 0x7:
		if (entry->index)
			break;
		entry->eax = min(entry->eax, 1U);
		/* Nobody moves a guest's TSC: it need not watch for that. */
		if (host_tsc_reliable())
			entry->ebx |= F(X86_FEATURE_TSC_ADJUST);
		break;
	case 0xd:
		if (entry->index == 0)
			entry->eax &= xcr0;
		break;
	case 0x80000000:
		entry->eax = MAX_EXTENDED;
		break;
	case 0x80000007:
		entry->edx = host_tsc_reliable() ? EDX_E7 : 0;
		break;
	case 0x80000008:
		entry->eax = (entry->eax & 0xff) | LINEAR_BITS << 8;
		break;
	case 0x80000021:
		if (cpuid_eax(0x80000000) < entry->function)
			entry->eax = 0;
		if (null_clears_base())
			entry->eax |= NULL_CLEARS_BASE;
		break;
	}
}

static bool leaf_applies(const struct leaf *leaf, u32 xcr0)
{
	if (!host_has(leaf->function))
		return false;
	if (leaf->function == 0xd)
		return leaf->index < 2 ? xcr0 : xcr0 & (1U << leaf->index);
	if (leaf->function == 0x7)
		return leaf->index <= cpuid_eax(0x7);
	return true;
}

int rf_cpuid_host_policy(struct rf_cpuid_policy *policy)
{
	u32 xcr0 = rf_host_xcr0();
	size_t i;
	int reg;

	BUILD_BUG_ON(ARRAY_SIZE(leaves) > RF_MAX_CPUID_ENTRIES);

	memset(policy, 0, sizeof(*policy));
	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct leaf *leaf = &leaves[i];
		struct rf_cpuid_entry *entry = &policy->entries[policy->nr];

		if (!leaf_applies(leaf, xcr0))
			continue;
		entry->function = leaf->function;
		entry->index = leaf->index;
		entry->flags = leaf->indexed ? RF_CPUID_INDEX : 0;
		cpuid_count(leaf->function, leaf->index, &entry->eax, &entry->ebx,
			    &entry->ecx, &entry->edx);
		for (reg = 0; reg < NR_REGS; reg++)
			*entry_reg(entry, reg) &= leaf->mask[reg];
		adjust(entry, xcr0);
		policy->nr++;
	}
	return 0;
}

/*
 * A launcher's policy against the host's
 */

static bool rule_ok(char rule, u32 value, u32 host)
{
	switch (rule) {
	case 'f':
		return !(value & ~host);
	case 'm':
		return value <= host;
	case '=':
		return value == host;
	case 'a':
		return (value & 0xff) <= (host & 0xff) && (value >> 8) == LINEAR_BITS;
	default:
		return true;
	}
}

static const struct leaf *leaf_of(const struct rf_cpuid_entry *entry)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(leaves); i++) {
		const struct leaf *leaf = &leaves[i];

		if (leaf->function == entry->function &&
		    leaf->indexed == !!(entry->flags & RF_CPUID_INDEX) &&
		    leaf->index == (leaf->indexed ? entry->index : 0))
			return leaf;
	}
	return NULL;
}

static bool entry_is_zero(const struct rf_cpuid_entry *entry)
{
	return !entry->eax && !entry->ebx && !entry->ecx && !entry->edx;
}

static bool entry_ok(const struct rf_cpuid_entry *entry,
		     const struct rf_cpuid_policy *host)
{
	const struct leaf *leaf = leaf_of(entry);
	const struct rf_cpuid_entry *most;
	int reg;

	if (entry->reserved || (entry->flags & ~RF_CPUID_INDEX))
		return false;
	if (entry_is_zero(entry))
		return true;
	if (!leaf)
		return false;

	most = find(host, entry->function, entry->index);
	if (!most)
		return false;
	for (reg = 0; reg < NR_REGS; reg++)
		if (!rule_ok(leaf->rule[reg], entry_value(entry, reg),
			     entry_value(most, reg)))
			return false;
	return true;
}

/* Every state that XCR0 may name has its size, or the sum would be wrong. */
static bool xstates_ok(const struct rf_cpuid_policy *policy)
{
	const struct rf_cpuid_entry *entry = find(policy, 0xd, 0);
	u32 bit;

	if (!entry)
		return true;
	for (bit = 2; bit < 32; bit++)
		if ((entry->eax & (1U << bit)) && !find(policy, 0xd, bit))
			return false;
	return true;
}

int rf_cpuid_check(const struct rf_cpuid_policy *policy,
		   const struct rf_cpuid_policy *host)
{
	u32 i;

	if (policy->nr > RF_MAX_CPUID_ENTRIES)
		return -EINVAL;
	for (i = 0; i < policy->nr; i++) {
		const struct rf_cpuid_entry *entry = &policy->entries[i];

		/* Each leaf once: the first is what the guest is shown. */
		if (!entry_ok(entry, host) ||
		    find(policy, entry->function, entry->index) != entry)
			return -EINVAL;
	}
	return xstates_ok(policy) ? 0 : -EINVAL;
}

/*
 * What a vCPU is told
 */

static u32 xcr0_mask(const struct rf_cpuid_policy *policy)
{
	const struct rf_cpuid_entry *entry = find(policy, 0xd, 0);

	return entry ? entry->eax : 0;
}

u32 rf_cpuid_xcr0(const struct rf_vm *vm)
{
	return xcr0_mask(&vm->cpuid);
}

bool rf_cpuid_has_xsave(const struct rf_vm *vm)
{
	const struct rf_cpuid_entry *entry = find(&vm->cpuid, 0x1, 0);

	return entry && (entry->ecx & F(X86_FEATURE_XSAVE)) && xcr0_mask(&vm->cpuid);
}

bool rf_xcr0_ok(const struct rf_vm *vm, u64 xcr0)
{
	u32 avx512 = xcr0 & XCR0_AVX512;

	if (xcr0 & ~(u64)xcr0_mask(&vm->cpuid))
		return false;
	if (!(xcr0 & XCR0_X87))
		return false;
	if ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE))
		return false;
	return !avx512 || (avx512 == XCR0_AVX512 && (xcr0 & XCR0_AVX));
}

/* Size of an XSAVE area for @xcr0, in the standard or the compacted format. */
static u32 xsave_size(const struct rf_cpuid_policy *policy, u32 xcr0, bool compact)
{
	u32 size = XSAVE_LEGACY;
	u32 bit;

	for (bit = 2; bit < 32; bit++) {
		const struct rf_cpuid_entry *entry;

		if (!(xcr0 & (1U << bit)))
			continue;
		entry = find(policy, 0xd, bit);
		if (!entry)
			continue;
		if (!compact) {
			size = max(size, entry->ebx + entry->eax);
			continue;
		}
		if (entry->ecx & 2)
			size = ALIGN(size, 64);
		size += entry->eax;
	}
	return size;
}

static void xsave_leaf(const struct rf_vcpu *vcpu, u32 index, u32 out[NR_REGS])
{
	const struct rf_cpuid_policy *policy = &vcpu->vm->cpuid;

	if (index == 0) {
		out[EBX] = xsave_size(policy, vcpu->emul.xcr0, false);
		out[ECX] = xsave_size(policy, out[EAX], false);
	} else if (index == 1 && (out[EAX] & F(X86_FEATURE_XSAVEC))) {
		out[EBX] = xsave_size(policy, vcpu->emul.xcr0, true);
	}
}

/*
 * A guest kernel looks at OSXSAVE to learn whether it may set CR4.OSXSAVE,
 * since the ABI says that Xen has; a program has the guest's CR4 mirrored.
 */
static bool shows_osxsave(const struct rf_vcpu *vcpu)
{
	return rf_cpuid_has_xsave(vcpu->vm) &&
	       (rf_vcpu_in_kernel(vcpu) || (vcpu->emul.cr4 & X86_CR4_OSXSAVE));
}

/* Each vCPU is a package of its own; its APIC id is its number, as Linux has it. */
static void fill_dynamic(const struct rf_vcpu *vcpu, u32 function, u32 index,
			 u32 out[NR_REGS])
{
	switch (function) {
	case 0x1:
		out[EBX] = (out[EBX] & 0xff00) | 1U << 16 | vcpu->id << 24;
		if (shows_osxsave(vcpu))
			out[ECX] |= F(X86_FEATURE_OSXSAVE);
		break;
	case 0xb:
		out[ECX] = index & 0xff;
		out[EDX] = vcpu->id;
		break;
	case 0xd:
		xsave_leaf(vcpu, index, out);
		break;
	}
}

/* 0x40000000 to 0x40000005: Xen's own. */
static void xen_leaf(u32 leaf, u32 index, u32 out[NR_REGS])
{
	switch (leaf) {
	case 0:
		out[EAX] = XEN_CPUID_LEAF(XEN_CPUID_MAX_NUM_LEAVES);
		out[EBX] = XEN_CPUID_SIGNATURE_EBX;
		out[ECX] = XEN_CPUID_SIGNATURE_ECX;
		out[EDX] = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		out[EAX] = XEN_VERSION;
		break;
	case 2:
		out[EAX] = 1;		/* hypercall page */
		out[EBX] = XEN_MSR;
		out[ECX] = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 3:
		if (index == 0) {
			out[EAX] = host_tsc_reliable() ? 1U << 1 : 0;
			out[ECX] = tsc_khz;
		} else if (index == 2) {
			out[EAX] = tsc_khz;
		}
		break;
	case 5:
		out[EBX] = boot_cpu_data.x86_phys_bits;
		break;
	}
}

/* Beyond the policy's own highest leaf there is nothing. */
static bool leaf_in_range(const struct rf_cpuid_policy *policy, u32 function)
{
	const struct rf_cpuid_entry *entry = find(policy, function & 0x80000000, 0);

	return entry && function <= entry->eax;
}

void rf_cpuid_lookup(const struct rf_vcpu *vcpu, u32 function, u32 index,
		     u32 out[4])
{
	const struct rf_cpuid_policy *policy = &vcpu->vm->cpuid;
	const struct rf_cpuid_entry *entry;
	int reg;

	memset(out, 0, NR_REGS * sizeof(*out));
	if ((function & ~0xffU) == XEN_CPUID_FIRST_LEAF) {
		xen_leaf(function & 0xff, index, out);
		return;
	}
	if (!leaf_in_range(policy, function))
		return;

	entry = find(policy, function, index);
	if (entry)
		for (reg = 0; reg < NR_REGS; reg++)
			out[reg] = entry_value(entry, reg);
	if (entry || function == 0xb)
		fill_dynamic(vcpu, function, index, out);
}
