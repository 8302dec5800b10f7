// SPDX-License-Identifier: GPL-2.0
/*
 * cpuid_test.c - what a launcher may have a guest see, and what a vCPU is told
 */
#include <kunit/test.h>
#include <linux/mm.h>
#include <linux/module.h>

#include "../../../host-module/emul/cpuid.c"

struct fake {
	struct rf_cpuid_policy host;	/* this CPU's */
	struct rf_cpuid_policy policy;	/* a launcher's */
	struct rf_vm vm;
	struct rf_vcpu vcpu;
	struct rf_world world;
};

static struct fake *fake;

static int fake_init(struct kunit *test)
{
	fake = kvzalloc(sizeof(*fake), GFP_KERNEL);
	if (!fake)
		return -ENOMEM;
	fake->vcpu.vm = &fake->vm;
	fake->vcpu.world = &fake->world;
	fake->vcpu.id = 3;
	fake->vcpu.emul.xcr0 = XCR0_X87;
	fake->world.in_kernel = 1;
	rf_cpuid_host_policy(&fake->host);
	fake->policy = fake->host;
	return 0;
}

static void fake_exit(struct kunit *test)
{
	kvfree(fake);
}

static int check(void)
{
	return rf_cpuid_check(&fake->policy, &fake->host);
}

static struct rf_cpuid_entry *entry_of(u32 function, u32 index)
{
	return (struct rf_cpuid_entry *)find(&fake->policy, function, index);
}

static void add(struct rf_cpuid_policy *policy, struct rf_cpuid_entry entry)
{
	policy->entries[policy->nr++] = entry;
}

/* The vCPU's answer, from a policy that has nothing but what was add()ed. */
static const u32 *look_up(u32 function, u32 index)
{
	static u32 out[NR_REGS];

	memset(out, 0xaa, sizeof(out));
	rf_cpuid_lookup(&fake->vcpu, function, index, out);
	return out;
}

static bool nothing(const u32 out[NR_REGS])
{
	return !(out[EAX] | out[EBX] | out[ECX] | out[EDX]);
}

/*
 * The host's policy
 */

static void hosts_own_policy_is_good(struct kunit *test)
{
	KUNIT_EXPECT_GT(test, fake->host.nr, 4);
	KUNIT_EXPECT_EQ(test, check(), 0);
}

/* With these a guest would use, or try to use, what it does not have. */
static void host_policy_hides_what_ring_3_has_not(struct kunit *test)
{
	static const struct {
		u32 function, reg, bits;
	} hidden[] = {
		{ 0x1, ECX, F(X86_FEATURE_VMX) | F(X86_FEATURE_SMX) | F(X86_FEATURE_MWAIT) |
			    F(X86_FEATURE_PCID) | F(X86_FEATURE_X2APIC) |
			    F(X86_FEATURE_TSC_DEADLINE_TIMER) | F(X86_FEATURE_OSXSAVE) },
		{ 0x1, EDX, F(X86_FEATURE_VME) | F(X86_FEATURE_PSE) | F(X86_FEATURE_MTRR) |
			    F(X86_FEATURE_PGE) | F(X86_FEATURE_PSE36) | F(X86_FEATURE_DS) |
			    F(X86_FEATURE_ACPI) | F(X86_FEATURE_HT) },
		{ 0x7, EBX, F(X86_FEATURE_FSGSBASE) | F(X86_FEATURE_SGX) | F(X86_FEATURE_HLE) |
			    F(X86_FEATURE_SMEP) | F(X86_FEATURE_INVPCID) | F(X86_FEATURE_RTM) |
			    F(X86_FEATURE_SMAP) | F(X86_FEATURE_INTEL_PT) },
		{ 0x7, ECX, F(X86_FEATURE_UMIP) | F(X86_FEATURE_PKU) | F(X86_FEATURE_OSPKE) |
			    F(X86_FEATURE_LA57) | F(X86_FEATURE_RDPID) },
		{ 0x80000001, ECX, F(X86_FEATURE_SVM) | F(X86_FEATURE_SKINIT) },
		{ 0x80000001, EDX, F(X86_FEATURE_RDTSCP) | F(X86_FEATURE_GBPAGES) },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(hidden); i++) {
		const struct rf_cpuid_entry *entry = entry_of(hidden[i].function, 0);

		if (!entry)
			continue;
		KUNIT_EXPECT_EQ(test, entry_value(entry, hidden[i].reg) & hidden[i].bits, 0);
	}
}

static void host_policy_trusts_the_tsc_as_the_host_does(struct kunit *test)
{
	const struct rf_cpuid_entry *power = entry_of(0x80000007, 0);

	if (!power)
		kunit_skip(test, "this CPU has no such leaf");
	KUNIT_EXPECT_EQ(test, power->edx, check_tsc_unstable() ? 0 : 1U << 8);
	KUNIT_EXPECT_EQ(test, power->eax | power->ebx | power->ecx, 0);
}

/*
 * A launcher's policy
 */

static void less_than_the_host_has_is_good(struct kunit *test)
{
	entry_of(0x1, 0)->ecx = 0;
	entry_of(0x1, 0)->edx = 0;
	entry_of(0x0, 0)->eax = 1;
	KUNIT_EXPECT_EQ(test, check(), 0);
	fake->policy.nr = 0;
	KUNIT_EXPECT_EQ(test, check(), 0);
}

static void names_can_be_anything(struct kunit *test)
{
	entry_of(0x0, 0)->ebx = 0x12345678;
	entry_of(0x1, 0)->eax = ~0U;
	entry_of(0x80000002, 0)->ecx = 0x41414141;
	KUNIT_EXPECT_EQ(test, check(), 0);
}

/* One bit more than the host has, each in its turn. */
static void no_feature_beyond_the_hosts(struct kunit *test)
{
	u32 i, reg, bit, nr = 0;

	for (i = 0; i < fake->policy.nr; i++) {
		struct rf_cpuid_entry *entry = &fake->policy.entries[i];
		const struct leaf *leaf = leaf_of(entry);

		for (reg = 0; reg < NR_REGS; reg++) {
			u32 *value = entry_reg(entry, reg), was = *value;

			if (leaf->rule[reg] != 'f')
				continue;
			for (bit = 0; bit < 32; bit++) {
				*value = was | 1U << bit;
				if (*value == was)
					continue;
				nr++;
				KUNIT_EXPECT_EQ(test, check(), -EINVAL);
			}
			*value = was;
		}
	}
	KUNIT_EXPECT_GT(test, nr, 32);
	KUNIT_EXPECT_EQ(test, check(), 0);
}

static void leaves_beyond_the_hosts_are_refused(struct kunit *test)
{
	entry_of(0x0, 0)->eax++;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry_of(0x0, 0)->eax--;
	entry_of(0x80000000, 0)->eax = ~0U;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
}

static void leaves_that_are_not_known_are_refused(struct kunit *test)
{
	static const u32 functions[] = {
		0x3, 0x5, 0x6, 0xa, 0xb, 0x14, 0x40000000, 0x40000100, 0x8000000a, ~0U,
	};
	struct rf_cpuid_entry *entry = &fake->policy.entries[fake->policy.nr++];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		*entry = (struct rf_cpuid_entry){ .function = functions[i], .ebx = 1 };
		KUNIT_EXPECT_EQ(test, check(), -EINVAL);
		entry->ebx = 0;
		KUNIT_EXPECT_EQ(test, check(), 0);
	}
}

static void entries_must_be_well_formed(struct kunit *test)
{
	struct rf_cpuid_entry *entry = entry_of(0x1, 0);

	entry->reserved = 1;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry->reserved = 0;
	entry->flags = RF_CPUID_INDEX << 1;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry->flags = RF_CPUID_INDEX;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry->flags = 0;
	KUNIT_EXPECT_EQ(test, check(), 0);
	fake->policy.nr = RF_MAX_CPUID_ENTRIES + 1;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	fake->policy.nr = ~0U;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
}

/* Or what is checked would not be what is shown. */
static void each_leaf_comes_once(struct kunit *test)
{
	add(&fake->policy, (struct rf_cpuid_entry){ .function = 0x1 });
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
}

/* One for every index comes first, so that the indexed one is never shown. */
static void leaf_for_every_index_covers_no_indexed_one(struct kunit *test)
{
	fake->policy.nr = 0;
	add(&fake->policy, (struct rf_cpuid_entry){ .function = 0xd });
	add(&fake->policy, (struct rf_cpuid_entry){ .function = 0xd, .flags = RF_CPUID_INDEX });
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
}

static void addresses_are_of_48_bits(struct kunit *test)
{
	struct rf_cpuid_entry *entry = entry_of(0x80000008, 0);
	u32 phys;

	KUNIT_ASSERT_NOT_NULL(test, entry);
	phys = entry->eax & 0xff;
	entry->eax = (phys + 1) | 48 << 8;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry->eax = phys | 57 << 8;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry->eax = phys | 48 << 8 | 1 << 16;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry->eax = 36 | 48 << 8;
	KUNIT_EXPECT_EQ(test, check(), 0);
}

/* The guest computes with these sizes, and the CPU with its own. */
static void vector_states_have_the_hosts_sizes(struct kunit *test)
{
	struct rf_cpuid_entry *avx = entry_of(0xd, 2);

	if (!avx)
		kunit_skip(test, "this CPU has no AVX");
	avx->eax++;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	avx->eax--;
	avx->ebx -= 64;
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	avx->ebx += 64;
	KUNIT_EXPECT_EQ(test, check(), 0);

	*avx = (struct rf_cpuid_entry){ .function = 0x6 };
	KUNIT_EXPECT_EQ(test, check(), -EINVAL);
	entry_of(0xd, 0)->eax &= ~XCR0_AVX;
	entry_of(0xd, 0)->eax &= ~XCR0_AVX512;
	KUNIT_EXPECT_EQ(test, check(), 0);
}

/*
 * What a vCPU is told
 */

static void use_small_policy(void)
{
	struct rf_cpuid_policy *policy = &fake->vm.cpuid;

	add(policy, (struct rf_cpuid_entry){ .function = 0x0, .eax = 0xd, .ebx = 0x756e6547 });
	add(policy, (struct rf_cpuid_entry){
		.function = 0x1, .ebx = 0xff000800, .ecx = F(X86_FEATURE_XSAVE),
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0x7, .index = 1, .flags = RF_CPUID_INDEX, .eax = 0x10,
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0xd, .flags = RF_CPUID_INDEX,
		.eax = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0xd, .index = 1, .flags = RF_CPUID_INDEX,
		.eax = F(X86_FEATURE_XSAVEC),
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0xd, .index = 2, .flags = RF_CPUID_INDEX, .eax = 256, .ebx = 576,
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0xd, .index = 5, .flags = RF_CPUID_INDEX, .eax = 64, .ebx = 1088,
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0xd, .index = 6, .flags = RF_CPUID_INDEX, .eax = 512, .ebx = 1152,
	});
	add(policy, (struct rf_cpuid_entry){
		.function = 0xd, .index = 7, .flags = RF_CPUID_INDEX, .eax = 1024, .ebx = 1664,
	});
	add(policy, (struct rf_cpuid_entry){ .function = 0x80000000, .eax = 0x80000001 });
	add(policy, (struct rf_cpuid_entry){ .function = 0x80000002, .eax = 0x41414141 });
}

/* Not the highest leaf again, as an Intel CPU would have it. */
static void beyond_the_last_leaf_is_nothing(struct kunit *test)
{
	static const u32 functions[] = {
		0xe, 0x1f, 0x3fffffff, 0x40000100, 0x7fffffff, 0x80000002, 0x80000021,
		0xc0000000, ~0U,
	};
	size_t i;

	use_small_policy();
	for (i = 0; i < ARRAY_SIZE(functions); i++)
		KUNIT_EXPECT_TRUE(test, nothing(look_up(functions[i], 0)));
}

static void without_a_policy_there_is_nothing_but_xen(struct kunit *test)
{
	KUNIT_EXPECT_TRUE(test, nothing(look_up(0x0, 0)));
	KUNIT_EXPECT_TRUE(test, nothing(look_up(0x1, 0)));
	KUNIT_EXPECT_TRUE(test, nothing(look_up(0x80000000, 0)));
	KUNIT_EXPECT_EQ(test, look_up(XEN_CPUID_FIRST_LEAF, 0)[EBX], XEN_CPUID_SIGNATURE_EBX);
}

static void index_counts_where_a_leaf_has_one(struct kunit *test)
{
	use_small_policy();
	KUNIT_EXPECT_EQ(test, look_up(0x0, 0)[EAX], 0xd);
	KUNIT_EXPECT_EQ(test, look_up(0x0, 77)[EAX], 0xd);
	KUNIT_EXPECT_EQ(test, look_up(0x7, 1)[EAX], 0x10);
	KUNIT_EXPECT_TRUE(test, nothing(look_up(0x7, 0)));
	KUNIT_EXPECT_TRUE(test, nothing(look_up(0x7, ~0U)));
}

static void apic_id_is_the_vcpus_number(struct kunit *test)
{
	use_small_policy();
	KUNIT_EXPECT_EQ(test, look_up(0x1, 0)[EBX], 3 << 24 | 1 << 16 | 0x800);
	KUNIT_EXPECT_EQ(test, look_up(0xb, 1)[EDX], 3);
	KUNIT_EXPECT_EQ(test, look_up(0xb, 1)[ECX], 1);
	KUNIT_EXPECT_EQ(test, look_up(0xb, 0)[EBX], 0);
}

/* A kernel asks whether it may set it; a program, whether it is set. */
static void osxsave_depends_on_who_asks(struct kunit *test)
{
	use_small_policy();
	KUNIT_EXPECT_TRUE(test, look_up(0x1, 0)[ECX] & F(X86_FEATURE_OSXSAVE));
	fake->world.in_kernel = 0;
	KUNIT_EXPECT_FALSE(test, look_up(0x1, 0)[ECX] & F(X86_FEATURE_OSXSAVE));
	fake->vcpu.emul.cr4 = X86_CR4_OSXSAVE;
	KUNIT_EXPECT_TRUE(test, look_up(0x1, 0)[ECX] & F(X86_FEATURE_OSXSAVE));

	fake->world.in_kernel = 1;
	fake->vm.cpuid.entries[1].ecx = 0;
	KUNIT_EXPECT_FALSE(test, look_up(0x1, 0)[ECX] & F(X86_FEATURE_OSXSAVE));
}

static void xsave_area_grows_with_xcr0(struct kunit *test)
{
	use_small_policy();
	KUNIT_EXPECT_EQ(test, look_up(0xd, 0)[EBX], 576);
	KUNIT_EXPECT_EQ(test, look_up(0xd, 0)[ECX], 2688);
	fake->vcpu.emul.xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
	KUNIT_EXPECT_EQ(test, look_up(0xd, 0)[EBX], 832);
	KUNIT_EXPECT_EQ(test, look_up(0xd, 1)[EBX], 832);
	fake->vcpu.emul.xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512;
	KUNIT_EXPECT_EQ(test, look_up(0xd, 0)[EBX], 2688);
	KUNIT_EXPECT_EQ(test, look_up(0xd, 1)[EBX], 2432);
	KUNIT_EXPECT_EQ(test, look_up(0xd, 2)[EBX], 576);
	KUNIT_EXPECT_TRUE(test, nothing(look_up(0xd, 3)));
}

static void xcr0_is_what_the_cpu_would_take(struct kunit *test)
{
	struct rf_vm *vm = &fake->vm;

	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_X87));
	use_small_policy();
	KUNIT_EXPECT_TRUE(test, rf_xcr0_ok(vm, XCR0_X87));
	KUNIT_EXPECT_TRUE(test, rf_xcr0_ok(vm, XCR0_X87 | XCR0_SSE | XCR0_AVX));
	KUNIT_EXPECT_TRUE(test, rf_xcr0_ok(vm, XCR0_GUEST));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, 0));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_SSE));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_X87 | XCR0_AVX));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_GUEST & ~XCR0_AVX));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_GUEST & ~(1U << 6)));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_GUEST | 1U << 9));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, XCR0_GUEST | 1ULL << 32));
	KUNIT_EXPECT_FALSE(test, rf_xcr0_ok(vm, ~0ULL));
}

/* Mode 2, "never emulated", would have Linux prefer the TSC to Xen's clock. */
static void xen_leaf_leaves_the_clock_to_xen(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, look_up(XEN_CPUID_FIRST_LEAF + 3, 0)[EBX], 0);
	KUNIT_EXPECT_EQ(test, look_up(XEN_CPUID_FIRST_LEAF + 3, 0)[ECX], tsc_khz);
	KUNIT_EXPECT_EQ(test, look_up(XEN_CPUID_FIRST_LEAF + 3, 0)[EAX],
			check_tsc_unstable() ? 0 : 2);
	KUNIT_EXPECT_TRUE(test, nothing(look_up(XEN_CPUID_FIRST_LEAF + 0xff, 0)));
}

static struct kunit_case cases[] = {
	KUNIT_CASE(hosts_own_policy_is_good),
	KUNIT_CASE(host_policy_hides_what_ring_3_has_not),
	KUNIT_CASE(host_policy_trusts_the_tsc_as_the_host_does),
	KUNIT_CASE(less_than_the_host_has_is_good),
	KUNIT_CASE(names_can_be_anything),
	KUNIT_CASE(no_feature_beyond_the_hosts),
	KUNIT_CASE(leaves_beyond_the_hosts_are_refused),
	KUNIT_CASE(leaves_that_are_not_known_are_refused),
	KUNIT_CASE(entries_must_be_well_formed),
	KUNIT_CASE(each_leaf_comes_once),
	KUNIT_CASE(leaf_for_every_index_covers_no_indexed_one),
	KUNIT_CASE(addresses_are_of_48_bits),
	KUNIT_CASE(vector_states_have_the_hosts_sizes),
	KUNIT_CASE(beyond_the_last_leaf_is_nothing),
	KUNIT_CASE(without_a_policy_there_is_nothing_but_xen),
	KUNIT_CASE(index_counts_where_a_leaf_has_one),
	KUNIT_CASE(apic_id_is_the_vcpus_number),
	KUNIT_CASE(osxsave_depends_on_who_asks),
	KUNIT_CASE(xsave_area_grows_with_xcr0),
	KUNIT_CASE(xcr0_is_what_the_cpu_would_take),
	KUNIT_CASE(xen_leaf_leaves_the_clock_to_xen),
	{}
};

static struct kunit_suite suite = {
	.name = "rf_emul_cpuid",
	.init = fake_init,
	.exit = fake_exit,
	.test_cases = cases,
};

kunit_test_suite(suite);

MODULE_DESCRIPTION("ringfence tests: CPUID");
MODULE_LICENSE("GPL");
