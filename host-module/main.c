// SPDX-License-Identifier: GPL-2.0
/*
 * main.c - init and exit: what the module consists of
 */
#include <linux/cc_platform.h>
#include <linux/module.h>

#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <asm/tlbflush.h>

#include "backend/backend.h"
#include "compat.h"
#include "debugfs.h"
#include "dev.h"
#include "mmu/mmu.h"
#include "switcher/switcher.h"
#include "vcpu.h"
#include "vm.h"

#define CREATE_TRACE_POINTS
#include "trace.h"

/* Why this host cannot run guests, and what to do about it; NULL if it can. */
static const char *host_objection(void)
{
	if (boot_cpu_has(X86_FEATURE_XENPV))
		return "this kernel itself runs as a Xen PV guest; use a host that does not";
	if (!boot_cpu_has(X86_FEATURE_FSGSBASE))
		return "no FSGSBASE: needs an Ivy Bridge or newer, booted without nofsgsbase";
	if (!boot_cpu_has(X86_FEATURE_NX))
		return "the CPU has no NX, or it is off; boot without noexec=off";
	if (rf_host_has_fred())
		return "the kernel uses FRED event delivery; boot with fred=off";
	if (cc_platform_has(CC_ATTR_MEM_ENCRYPT))
		return "memory is encrypted (SME, SEV, TDX); boot without, or use another host";
	return NULL;
}

static int __init rf_init(void)
{
	const char *objection = host_objection();
	int err;

	if (objection) {
		pr_err("ringfence: not loaded: %s\n", objection);
		return -EOPNOTSUPP;
	}

	err = rf_switcher_init();
	if (err)
		return err;

	err = rf_mmu_init();
	if (err)
		goto err_switcher;

	err = rf_nic_init();
	if (err)
		goto err_mmu;

	rf_debugfs_init();

	/* Last: once the device node exists, a launcher can be at the door. */
	err = rf_dev_init();
	if (err)
		goto err_debugfs;

	return 0;

err_debugfs:
	rf_debugfs_exit();
	rf_nic_exit();
err_mmu:
	rf_mmu_exit();
err_switcher:
	rf_switcher_exit();
	return err;
}

static void __exit rf_exit(void)
{
	rf_dev_exit();
	rf_debugfs_exit();
	rf_nic_exit();
	rf_mmu_exit();
	rf_switcher_exit();
}

module_init(rf_init);
module_exit(rf_exit);

MODULE_DESCRIPTION("Virtual machines where there is no virtualization hardware");
MODULE_LICENSE("GPL");
MODULE_VERSION("0.1.0");
