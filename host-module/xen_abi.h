/* SPDX-License-Identifier: GPL-2.0 */
/*
 * xen_abi.h - the Xen PV ABI, from the kernel's own headers
 *
 * The only place that includes <xen/interface/...>: those headers do not
 * compile alone.  What they leave out, because Linux as a guest never names
 * it, is added here with Xen's own names.
 */
#ifndef RF_XEN_ABI_H
#define RF_XEN_ABI_H

#include <linux/types.h>
#include <asm/xen/interface.h>
#include <xen/interface/xen.h>
#include <xen/interface/callback.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/features.h>
#include <xen/interface/memory.h>
#include <xen/interface/nmi.h>
#include <xen/interface/physdev.h>
#include <xen/interface/sched.h>
#include <xen/interface/vcpu.h>
#include <xen/interface/version.h>

/* Selectors the ABI reserves, public/arch-x86/xen-x86_64.h. */
#define RF_FIRST_RESERVED_GDT_PAGE	14
#define RF_FIRST_RESERVED_GDT_ENTRY	(RF_FIRST_RESERVED_GDT_PAGE * 512)
#define RF_FLAT_KERNEL_CS		0xe033
#define RF_FLAT_KERNEL_SS		0xe02b
#define RF_FLAT_USER_CS32		0xe023
#define RF_FLAT_USER_CS64		0xe033
#define RF_FLAT_USER_SS			0xe02b

/* Hypervisor address space, public/arch-x86/xen-x86_64.h. */
#define RF_M2P_VIRT_START		0xffff800000000000ULL
#define RF_M2P_VIRT_END			0xffff804000000000ULL
#define RF_HYPERVISOR_VIRT_END		0xffff880000000000ULL

/* struct iret_context.flags, public/arch-x86/xen-x86_64.h. */
#define RF_VGCF_IN_SYSCALL		0x100

/*
 * The error a guest is shown is a Xen errno; the values it uses are Linux's,
 * and a guest knows ENOSYS.
 */

/* The frame HYPERVISOR_iret finds on the guest kernel's stack. */
struct rf_iret_frame {
	u64 rax;
	u64 r11;
	u64 rcx;
	u64 flags;
	u64 rip;
	u64 cs;
	u64 rflags;
	u64 rsp;
	u64 ss;
};

#endif /* RF_XEN_ABI_H */
