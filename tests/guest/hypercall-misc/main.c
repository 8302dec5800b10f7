// SPDX-License-Identifier: GPL-2.0
/*
 * The small hypercalls answer as the ABI says: xen_version, memory_op, vm_assist,
 * console_io, physdev_op, debug registers; and what there is not is ENOSYS.
 *
 * They may not: each writes to an address it is given, and a guest goes by the
 * error number to learn what it runs on.
 */
#include "guest.h"

#define UNMAPPED	((void *)0x123456789000UL)

static u8 buf[4096];

static void versions_are_told(void)
{
	static const int commands[] = {
		XENVER_extraversion, XENVER_compile_info, XENVER_capabilities,
		XENVER_changeset, XENVER_platform_parameters, XENVER_guest_handle,
		XENVER_commandline,
	};
	struct xen_platform_parameters platform;
	struct xen_capabilities_info capabilities;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		EXPECT_EQ(xen_version(commands[i], buf), 0);
		EXPECT_EQ(xen_version(commands[i], UNMAPPED), -EFAULT);
		EXPECT_EQ(xen_version(commands[i], NULL), -EFAULT);
	}
	EXPECT_EQ(xen_version(XENVER_platform_parameters, &platform), 0);
	EXPECT_EQ(platform.virt_start, 0xffff800000000000);
	EXPECT_EQ(xen_version(XENVER_capabilities, &capabilities), 0);
	EXPECT(!memcmp(capabilities.info, "xen-3.0-x86_64 ", 16));
	EXPECT_EQ(xen_version(XENVER_pagesize, NULL), 4096);
	EXPECT_EQ(xen_version(99, NULL), -ENOSYS);
	EXPECT_EQ(xen_version(-1, NULL), -ENOSYS);
}

static void features_are_told(void)
{
	struct xen_feature_info info = { .submap_idx = 0 };

	EXPECT_EQ(xen_version(XENVER_get_features, &info), 0);
	EXPECT(info.submap & (1 << XENFEAT_mmu_pt_update_preserve_ad));
	EXPECT(!(info.submap & (1 << XENFEAT_auto_translated_physmap)));
	EXPECT(!(info.submap & (1 << XENFEAT_writable_page_tables)));
	EXPECT(!(info.submap & (1 << XENFEAT_supervisor_mode_kernel)));
	info.submap_idx = 1000;
	EXPECT_EQ(xen_version(XENVER_get_features, &info), -EINVAL);
	EXPECT_EQ(xen_version(XENVER_get_features, UNMAPPED), -EFAULT);
}

static void memory_is_told(void)
{
	struct {
		u64 addr, size;
		u32 type;
	} __attribute__((packed)) e820[2] = { };
	struct xen_memory_map map = { .nr_entries = 2, .buffer = (void *)e820 };
	struct xen_machphys_mapping m2p;
	domid_t self = DOMID_SELF, other = 5;

	EXPECT_EQ(memory_op(XENMEM_memory_map, &map), 0);
	EXPECT_EQ(map.nr_entries, 1);
	EXPECT_EQ(e820[0].addr, 0);
	EXPECT(e820[0].size >= start_info->nr_pages << 12);
	EXPECT_EQ(e820[0].type, 1);
	map.buffer = UNMAPPED;
	EXPECT_EQ(memory_op(XENMEM_memory_map, &map), -EFAULT);
	EXPECT_EQ(memory_op(XENMEM_memory_map, UNMAPPED), -EFAULT);
	EXPECT_EQ(memory_op(XENMEM_current_reservation, &self), start_info->nr_pages);
	EXPECT_EQ(memory_op(XENMEM_maximum_reservation, &self), start_info->nr_pages);
	EXPECT(memory_op(XENMEM_maximum_reservation, &other) < 0);
	EXPECT_EQ(memory_op(XENMEM_maximum_reservation, UNMAPPED), -EFAULT);
	EXPECT(memory_op(XENMEM_maximum_ram_page, NULL) >= (long)start_info->nr_pages - 1);
	EXPECT_EQ(memory_op(XENMEM_machphys_mapping, &m2p), 0);
	EXPECT_EQ(m2p.v_start, MACH2PHYS_VIRT_START);
	EXPECT(m2p.max_mfn >= start_info->nr_pages - 1);
	EXPECT(memory_op(XENMEM_machine_memory_map, &map) < 0);
	EXPECT_EQ(memory_op(50, buf), -ENOSYS);
}

static void assists_are_those_of_the_abi(void)
{
	EXPECT_EQ(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	EXPECT_EQ(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
	EXPECT(vm_assist(VMASST_CMD_enable, 31) < 0);
	EXPECT(vm_assist(VMASST_CMD_enable, 64) < 0);
	EXPECT(vm_assist(VMASST_CMD_enable, 0xffffffff) < 0);
	EXPECT(vm_assist(2, VMASST_TYPE_runstate_update_flag) < 0);
}

/* More than the hypervisor takes at once, over a page boundary. */
static void long_lines_reach_the_console(void)
{
	u32 i;

	for (i = 0; i < sizeof(buf); i++)
		buf[i] = i % 64 == 63 ? '\n' : i % 64 == 0 ? '#' : 'x';
	EXPECT_EQ(console_io(CONSOLEIO_write, sizeof(buf), buf), 0);
	EXPECT_EQ(console_io(CONSOLEIO_write, 0, UNMAPPED), 0);
	EXPECT_EQ(console_io(CONSOLEIO_write, 16, UNMAPPED), -EFAULT);
	map(kernel_root(), FREE_VA, mkpte(mfn_of(page_alloc()), PTE_RW));
	memcpy((void *)(FREE_VA + PAGE_SIZE - 7), "# end\n", 7);
	EXPECT_EQ(console_io(CONSOLEIO_write, -1, (void *)(FREE_VA + PAGE_SIZE - 7)), -EFAULT);
	EXPECT_EQ(console_io(CONSOLEIO_read, 16, buf), 0);
	EXPECT_EQ(console_io(2, 16, buf), -ENOSYS);
}

static void ports_can_be_asked_for(void)
{
	struct physdev_set_iopl iopl = { .iopl = 3 };
	struct physdev_set_iobitmap bitmap = { .nr_ports = 65536 };

	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
	iopl.iopl = 4;
	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iopl, &iopl), -EINVAL);
	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iobitmap, &bitmap), 0);
	bitmap.nr_ports = 65537;
	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iobitmap, &bitmap), -EINVAL);
	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iopl, UNMAPPED), -EFAULT);
	EXPECT_EQ(physdev_op(99, buf), -ENOSYS);
}

static void debug_registers_are_checked(void)
{
	EXPECT_EQ(set_debugreg(0, (u64)buf), 0);
	EXPECT_EQ(get_debugreg(0), (u64)buf);
	EXPECT_EQ(set_debugreg(0, 0), 0);
	EXPECT(set_debugreg(1, 0xffff830000001000) < 0);
	EXPECT(set_debugreg(1, 0x8000000000000000) < 0);
	EXPECT(set_debugreg(8, 0) < 0);
	EXPECT(set_debugreg(-1, 0) < 0);
	EXPECT(set_debugreg(7, 0x2000) < 0);	/* general detect */
	EXPECT(set_debugreg(7, 0x20001) < 0);	/* watch a port */
	EXPECT((long)get_debugreg(9) < 0);
	EXPECT((long)get_debugreg(-1) < 0);
}

static void what_there_is_not_is_enosys(void)
{
	static const u64 numbers[] = {
		__HYPERVISOR_platform_op, 11, __HYPERVISOR_grant_table_op, __HYPERVISOR_xsm_op,
		__HYPERVISOR_xenoprof_op, __HYPERVISOR_hvm_op, __HYPERVISOR_sysctl,
		__HYPERVISOR_domctl, __HYPERVISOR_kexec_op, __HYPERVISOR_tmem_op,
		__HYPERVISOR_xenpmu_op, __HYPERVISOR_dm_op, 42, 47, 56, 63, 64, 127, 255, 256,
		1000, 0x7fffffff, 0x80000000, 0xffffffff,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++)
		EXPECT_EQ(hypercall(numbers[i], 0, 0, 0, 0, 0), -ENOSYS);
	EXPECT_EQ(hypercall(0xffffffffffffffff, 0, 0, 0, 0, 0), -ENOSYS);
}

GUEST_TEST(CASE(versions_are_told), CASE(features_are_told), CASE(memory_is_told),
	   CASE(assists_are_those_of_the_abi), CASE(long_lines_reach_the_console),
	   CASE(ports_can_be_asked_for), CASE(debug_registers_are_checked),
	   CASE(what_there_is_not_is_enosys));
