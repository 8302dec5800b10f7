// SPDX-License-Identifier: GPL-2.0
/*
 * misc.c - version, console, assists, FPU and debug registers
 */
#include <linux/bitops.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

/* The version of Xen whose ABI this is. */
#define XEN_VERSION	(4 << 16 | 17)

/* Bytes of SYSCALL: so far back is the call itself. */
#define SYSCALL_LEN	2

/*
 * xen_version
 */

static long give(struct rf_vcpu *vcpu, u64 gva, const void *answer, size_t len)
{
	return rf_guest_write(vcpu, gva, answer, len);
}

static long compile_info(struct rf_vcpu *vcpu, u64 gva)
{
	static const struct xen_compile_info info = {
		.compiler = "gcc",
		.compile_by = "ringfence",
	};

	return give(vcpu, gva, &info, sizeof(info));
}

/* 1 KiB, of which the guest may expect all to be written. */
static long capabilities(struct rf_vcpu *vcpu, u64 gva)
{
	static const struct xen_capabilities_info info = { "xen-3.0-x86_64 " };

	return give(vcpu, gva, &info, sizeof(info));
}

static long commandline(struct rf_vcpu *vcpu, u64 gva)
{
	static const struct xen_commandline info = { "" };

	return give(vcpu, gva, &info, sizeof(info));
}

static long get_features(struct rf_vcpu *vcpu, u64 gva)
{
	struct xen_feature_info info;

	if (rf_guest_read(vcpu, &info, gva, sizeof(info)))
		return -EFAULT;
	if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
		return -EINVAL;

	info.submap = 1U << XENFEAT_pae_pgdir_above_4gb |
		      1U << XENFEAT_mmu_pt_update_preserve_ad |
		      1U << XENFEAT_highmem_assist |
		      1U << XENFEAT_gnttab_map_avail_bits;
	return give(vcpu, gva, &info, sizeof(info));
}

/* xen_version(cmd, arg) */
long rf_hypercall_xen_version(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	static const struct xen_extraversion extra = { "-ringfence" };
	static const struct xen_changeset_info changeset = { "unavailable" };
	static const struct xen_platform_parameters platform = { RF_M2P_VIRT_START };
	static const xen_domain_handle_t handle;
	u64 gva = args->arg[1];

	switch ((int)args->arg[0]) {
	case XENVER_version:	/* also asked just to have events looked at */
		return XEN_VERSION;
	case XENVER_extraversion:
		return give(vcpu, gva, &extra, sizeof(extra));
	case XENVER_compile_info:
		return compile_info(vcpu, gva);
	case XENVER_capabilities:
		return capabilities(vcpu, gva);
	case XENVER_changeset:
		return give(vcpu, gva, &changeset, sizeof(changeset));
	case XENVER_platform_parameters:
		return give(vcpu, gva, &platform, sizeof(platform));
	case XENVER_get_features:
		return get_features(vcpu, gva);
	case XENVER_pagesize:
		return PAGE_SIZE;
	case XENVER_guest_handle:
		return give(vcpu, gva, handle, sizeof(handle));
	case XENVER_commandline:
		return commandline(vcpu, gva);
	case XENVER_build_id:
		return -ENODATA;
	default:
		return -ENOSYS;
	}
}

/*
 * console_io
 */

/*
 * Hand the launcher what fits; a guest takes any success for all of it, so
 * have it make the call again for the rest.
 */
static long console_write(struct rf_vcpu *vcpu, u32 len, u64 gva)
{
	struct rf_regs *regs = vcpu->regs;
	struct rf_run *run = vcpu->run;
	u32 now = min_t(u32, len, RF_RUN_DATA);

	if (!len)
		return 0;
	if (rf_guest_read(vcpu, run->data, gva, now))
		return -EFAULT;

	run->exit_reason = RF_RUN_CONSOLE;
	run->len = now;
	rf_vcpu_leave(vcpu);
	if (now == len)
		return 0;

	regs->rip -= SYSCALL_LEN;
	regs->rsi = len - now;
	regs->rdx = gva + now;
	return __HYPERVISOR_console_io;
}

/* console_io(cmd, len, buffer) */
long rf_hypercall_console_io(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	switch ((int)args->arg[0]) {
	case CONSOLEIO_write:
		return console_write(vcpu, args->arg[1], args->arg[2]);
	case CONSOLEIO_read:
		return 0;
	default:
		return -ENOSYS;
	}
}

/*
 * The rest
 */

/* vm_assist(cmd, type) */
long rf_hypercall_vm_assist(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	u32 type = args->arg[1];

	if (type > MAX_VMASST_TYPE)
		return -EINVAL;

	switch ((u32)args->arg[0]) {
	case VMASST_CMD_enable:
		set_bit(type, &vcpu->vm->vm_assist);
		return 0;
	case VMASST_CMD_disable:
		clear_bit(type, &vcpu->vm->vm_assist);
		return 0;
	default:
		return -ENOSYS;
	}
}

/* A guest kernel has all ports; these are about its programs. */
static long set_iopl(struct rf_vcpu *vcpu, u64 gva)
{
	struct physdev_set_iopl op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	if (op.iopl > 3)
		return -EINVAL;
	vcpu->emul.iopl = op.iopl;
	return 0;
}

static long set_iobitmap(struct rf_vcpu *vcpu, u64 gva)
{
	struct physdev_set_iobitmap op;

	if (rf_guest_read(vcpu, &op, gva, sizeof(op)))
		return -EFAULT;
	if (op.nr_ports > 65536)
		return -EINVAL;
	vcpu->emul.iobitmap_gva = (u64)op.bitmap;
	vcpu->emul.nr_io_ports = op.nr_ports;
	return 0;
}

/* physdev_op(cmd, arg) */
long rf_hypercall_physdev_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	switch ((int)args->arg[0]) {
	case PHYSDEVOP_set_iopl:
		return set_iopl(vcpu, args->arg[1]);
	case PHYSDEVOP_set_iobitmap:
		return set_iobitmap(vcpu, args->arg[1]);
	default:
		return -ENOSYS;
	}
}

/* fpu_taskswitch(set) */
long rf_hypercall_fpu_taskswitch(struct rf_vcpu *vcpu,
				 const struct rf_hypercall_args *args)
{
	vcpu->emul.ts = (u32)args->arg[0];
	return 0;
}

/* set_debugreg(reg, value) */
long rf_hypercall_set_debugreg(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	return rf_debugreg_set(vcpu, args->arg[0], args->arg[1]);
}

/* get_debugreg(reg) */
long rf_hypercall_get_debugreg(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	return rf_debugreg_get(vcpu, args->arg[0]);
}
