// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing of the hypervisor can be read, written or executed by a guest, in
 * kernel or in user mode, through its own tables or through a hypercall; what it
 * writes into the hypervisor's slots of a root has no effect.
 *
 * It can, if an entry of the hole is a user entry, or if a pointer is looked at
 * with the hypervisor's rights.
 */
#include "guest.h"

#define HOLE	0xffff830000000000UL
#define HOLE5	0xff00000000000000UL

USER_ASM(code_read, "movq (%rdi), %rax; ud2");
USER_ASM(code_write, "movq %rax, (%rdi); ud2");
USER_ASM(code_jump, "jmp *%rdi");

static struct regs r;

static u64 user_at(const u8 *code, u64 rdi)
{
	r = user_regs(code);
	r.rdi = rdi;
	return user_run(&r);
}

/* A fault that tells nothing: not present, or not an address at all. */
static bool tells_nothing(u64 vector, u64 error)
{
	return vector == 13 || (vector == 14 && !(error & (PF_P | PF_RSVD)));
}

static void check(u64 va)
{
	bool ok = tells_nothing(try_read(va, NULL), this_cpu()->last.error) &&
		  tells_nothing(try_write(va, 0), this_cpu()->last.error) &&
		  tells_nothing(try_call(va), this_cpu()->last.error) &&
		  tells_nothing(user_at(code_read, va), r.error) &&
		  tells_nothing(user_at(code_write, va), r.error) &&
		  tells_nothing(user_at(code_jump, va), r.error);

	if (!ok)
		print("# at %#lx\n", va);
	EXPECT(ok);
}

/* Text, data, TSS, IDT, stacks and GDT of the first CPUs. */
static void the_cpus_area(void)
{
	u64 cpu, page;

	for (cpu = 0; cpu < 4; cpu++)
		for (page = 0; page < 48; page++)
			check(HOLE + (cpu << 18) + page * PAGE_SIZE);
}

/* World, vcpu_info, GDT and LDT of the first vCPUs of the first VMs. */
static void the_vms_areas(void)
{
	u64 vm, vcpu, page;

	for (vm = 0; vm < 3; vm++)
		for (vcpu = 0; vcpu < 2; vcpu++)
			for (page = 0; page < 34; page += 1 + (page > 2) * 7)
				check(HOLE + ((8 + vm) << 30) + (vcpu << 18) + page * PAGE_SIZE);
}

static void the_guard_hole_of_5_levels(void)
{
	check(HOLE5);
	check(HOLE5 + 3 * PAGE_SIZE);
	check(HOLE5 + (8UL << 30));
	check(0x0000800000000000);
	check(0xffff7fffffffffff - 7);
}

/* All of the hypervisor's range, coarsely; only the M2P may be read. */
static void the_rest_of_the_range(void)
{
	u64 va, seen = 0;

	for (va = MACH2PHYS_VIRT_START; va < 0xffff880000000000; va += 0x3ffff000) {
		u64 vector = try_read(va, NULL);

		if (va < MACH2PHYS_VIRT_START + start_info->nr_pages * 8 + PAGE_SIZE)
			continue;
		if (!tells_nothing(vector, this_cpu()->last.error))
			seen++;
	}
	EXPECT_EQ(seen, 0);
}

/* The guest's own entries there are not looked at. */
static void entries_in_its_slots_have_no_effect(void)
{
	u64 *root = (u64 *)va_of(kernel_root());
	u64 table = *pte_find(kernel_root(), VIRT_BASE, 4);
	u32 slot;

	for (slot = 256; slot < 272; slot++) {
		pte_write(&root[slot], table);
		try_write((u64)&root[slot], table);
	}
	flush_tlb_all();
	check(HOLE);
	check(HOLE + 3 * PAGE_SIZE);
	check(0xffff870000000000);
	EXPECT_EQ(READ_ONCE(((u64 *)MACH2PHYS_VIRT_START)[7]), 7);
	for (slot = 256; slot < 272; slot++)
		pte_write(&root[slot], 0);
	flush_tlb_all();
	check(HOLE);
}

static const u64 addresses[] = {
	HOLE, HOLE + 3 * PAGE_SIZE, HOLE + (8UL << 30), 0xffff82fffffffff8, 0xffff87fffffffff8,
	0xffff7ffffffffff8, 0x7ffffffffff8, 0xfffffffffffffff8, 0xffff888000000000,
};

/* Pointers handed over are the guest's, and are looked at as such. */
static void hypercalls_do_not_reach_it(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		void *p = (void *)addresses[i];

		EXPECT_EQ(xen_version(XENVER_extraversion, p), -EFAULT);
		EXPECT_EQ(xen_version(XENVER_get_features, p), -EFAULT);
		EXPECT_EQ(memory_op(XENMEM_memory_map, p), -EFAULT);
		EXPECT_EQ(multicall(p, 1), -EFAULT);
		EXPECT_EQ(mmu_update(p, 1, NULL), -EFAULT);
		EXPECT_EQ(mmuext_op(p, 1, NULL), -EFAULT);
		EXPECT_EQ(set_trap_table(p), -EFAULT);
		EXPECT_EQ(set_gdt(p, 1), -EFAULT);
		EXPECT_EQ(console_io(CONSOLEIO_write, 16, p), -EFAULT);
		EXPECT_EQ(sched_op(SCHEDOP_poll, p), -EFAULT);
		EXPECT_EQ(event_channel_op(EVTCHNOP_send, p), -EFAULT);
		EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, p), -EFAULT);
		EXPECT_EQ(physdev_op(PHYSDEVOP_set_iopl, p), -EFAULT);
	}
}

/* Nor do areas written later. */
static void areas_do_not_reach_it(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct vcpu_register_runstate_memory_area run = { .addr.p = addresses[i] };
		struct vcpu_register_time_memory_area time = { .addr.p = addresses[i] };

		vcpu_op(VCPUOP_register_runstate_memory_area, 0, &run);
		vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
		sched_op(SCHEDOP_yield, NULL);
		set_timer_op(now_ns() + 1000000);
	}
	EXPECT_EQ(xen_version(XENVER_pagesize, NULL), 4096);
}

GUEST_TEST(CASE(the_cpus_area), CASE(the_vms_areas), CASE(the_guard_hole_of_5_levels),
	   CASE(the_rest_of_the_range), CASE(entries_in_its_slots_have_no_effect),
	   CASE(hypercalls_do_not_reach_it), CASE(areas_do_not_reach_it));
