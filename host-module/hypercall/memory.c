// SPDX-License-Identifier: GPL-2.0
/*
 * memory.c - memory_op: what memory the guest has
 *
 * The answers are fixed when the VM is made.  Frames do not come and go by
 * these calls: a guest gives memory back through the balloon.
 */
#include <asm/bootparam.h>
#include <asm/e820/types.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

/* Xen keeps how far an interrupted call has come in the bits above. */
#define MEMOP_CMD_MASK		0x3f

static long memory_map(struct rf_vcpu *vcpu, u64 gva)
{
	const struct rf_vm *vm = vcpu->vm;
	struct boot_e820_entry ram = {
		.addr = 0,
		.size = max(vm->nr_p2m_pages, vm->nr_pages) << PAGE_SHIFT,
		.type = E820_TYPE_RAM,
	};
	struct xen_memory_map map;

	if (rf_guest_read(vcpu, &map, gva, sizeof(map)))
		return -EFAULT;

	map.nr_entries = min(map.nr_entries, 1U);
	if (map.nr_entries && rf_guest_write(vcpu, (u64)map.buffer, &ram, sizeof(ram)))
		return -EFAULT;
	return rf_guest_write(vcpu, gva, &map.nr_entries, sizeof(map.nr_entries));
}

/* A reservation is asked for by domain; there is but the guest's own. */
static long reservation(struct rf_vcpu *vcpu, u64 gva)
{
	domid_t domid;

	if (rf_guest_read(vcpu, &domid, gva, sizeof(domid)))
		return -EFAULT;
	if (domid != DOMID_SELF)
		return -EPERM;
	return vcpu->vm->nr_pages;
}

static long machphys_mapping(struct rf_vcpu *vcpu, u64 gva)
{
	const struct xen_machphys_mapping mapping = {
		.v_start = RF_M2P_VIRT_START,
		.v_end = RF_M2P_VIRT_END,
		.max_mfn = vcpu->vm->max_gfn - 1,
	};

	return rf_guest_write(vcpu, gva, &mapping, sizeof(mapping));
}

/* memory_op(cmd, arg) */
long rf_hypercall_memory_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	u64 gva = args->arg[1];

	switch (args->arg[0] & MEMOP_CMD_MASK) {
	case XENMEM_memory_map:
		return memory_map(vcpu, gva);
	case XENMEM_maximum_ram_page:
		return vcpu->vm->max_gfn - 1;
	case XENMEM_current_reservation:
	case XENMEM_maximum_reservation:
		return reservation(vcpu, gva);
	case XENMEM_machphys_mapping:
		return machphys_mapping(vcpu, gva);
	case XENMEM_machine_memory_map:
		return -EPERM;
	default:
		return -ENOSYS;
	}
}
