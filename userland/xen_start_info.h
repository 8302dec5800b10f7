/* SPDX-License-Identifier: MIT */
/*
 * xen_start_info.h - the part of Xen's public ABI that a domain builder needs
 *
 * Names and layouts are those of the kernel's headers, which Debian does not
 * package for user space; the header each thing is from stands above it.
 */
#ifndef RF_XEN_START_INFO_H
#define RF_XEN_START_INFO_H

#include <stddef.h>
#include <stdint.h>

/* include/xen/interface/elfnote.h */
#define XEN_ELFNOTE_ENTRY		1
#define XEN_ELFNOTE_HYPERCALL_PAGE	2
#define XEN_ELFNOTE_VIRT_BASE		3
#define XEN_ELFNOTE_PADDR_OFFSET	4
#define XEN_ELFNOTE_XEN_VERSION		5
#define XEN_ELFNOTE_GUEST_OS		6
#define XEN_ELFNOTE_GUEST_VERSION	7
#define XEN_ELFNOTE_LOADER		8
#define XEN_ELFNOTE_PAE_MODE		9
#define XEN_ELFNOTE_FEATURES		10
#define XEN_ELFNOTE_BSD_SYMTAB		11
#define XEN_ELFNOTE_L1_MFN_VALID	13
#define XEN_ELFNOTE_INIT_P2M		15
#define XEN_ELFNOTE_MOD_START_PFN	16
#define XEN_ELFNOTE_PHYS32_ENTRY	18
#define XEN_ELFNOTE_MAX			19

/* include/xen/interface/xen.h */
#define MAX_GUEST_CMDLINE		1024
#define SIF_MOD_START_PFN		(1 << 3)
#define SIF_VIRT_P2M_4TOOLS		(1 << 4)

struct start_info {
	char magic[32];
	uint64_t nr_pages;
	uint64_t shared_info;		/* machine address */
	uint32_t flags;
	uint64_t store_mfn;
	uint32_t store_evtchn;
	struct {
		uint64_t mfn;
		uint32_t evtchn;
	} console;			/* the domU half of the union */
	uint64_t pt_base;		/* virtual address */
	uint64_t nr_pt_frames;
	uint64_t mfn_list;		/* virtual address */
	uint64_t mod_start;		/* virtual address, or a frame */
	uint64_t mod_len;
	int8_t cmd_line[MAX_GUEST_CMDLINE];
	uint64_t first_p2m_pfn;
	uint64_t nr_p2m_frames;
};

_Static_assert(offsetof(struct start_info, shared_info) == 40, "xen.h");
_Static_assert(offsetof(struct start_info, console) == 72, "xen.h");
_Static_assert(offsetof(struct start_info, cmd_line) == 128, "xen.h");
_Static_assert(offsetof(struct start_info, first_p2m_pfn) == 1152, "xen.h");
_Static_assert(sizeof(struct start_info) == 1168, "xen.h");

#define __HYPERVISOR_iret		23

/* include/xen/interface/sched.h */
#define SHUTDOWN_poweroff		0
#define SHUTDOWN_reboot			1
#define SHUTDOWN_suspend		2
#define SHUTDOWN_crash			3
#define SHUTDOWN_watchdog		4
#define SHUTDOWN_soft_reset		5

/* include/xen/interface/io/console.h */
struct xencons_interface {
	char in[1024];
	char out[2048];
	uint32_t in_cons, in_prod;
	uint32_t out_cons, out_prod;
};

#endif /* RF_XEN_START_INFO_H */
