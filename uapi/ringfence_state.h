/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ringfence_state.h - the state of a VM, as RF_SAVE_STATE writes it
 *
 *	HEAD DOMAIN CPUID TABLES
 *	CPU TRAPS GDT LDT EMUL VECTOR TIME	of the first vCPU
 *	CPU ...					of the next
 *	SHARED_INFO FIFO PORTS
 *
 * Records follow each other in this order, all of them always there.  Guest
 * memory is not among them: it is the launcher's.
 */
#ifndef _UAPI_RINGFENCE_STATE_H
#define _UAPI_RINGFENCE_STATE_H

#include <linux/types.h>

#include "ringfence.h"

/**
 * DOC: Form of every record
 *
 * A record begins with its own size, a multiple of 8.  Records only grow, at
 * their ends: what is missing is 0, and a byte the module does not know must be
 * 0 or the load is E2BIG.  Those that end in an array cannot grow.  Addresses are
 * the guest's, frames the guest's, times guest system time.
 */

/**
 * enum rf_saved_type - which record
 * @RF_SAVED_HEAD: struct rf_saved_start
 * @RF_SAVED_DOMAIN: struct rf_saved_domain
 * @RF_SAVED_CPUID: struct rf_saved_cpuid
 * @RF_SAVED_TABLES: struct rf_saved_tables
 * @RF_SAVED_CPU: struct rf_saved_cpu
 * @RF_SAVED_TRAPS: struct rf_saved_traps
 * @RF_SAVED_GDT: struct rf_saved_descriptors
 * @RF_SAVED_LDT: struct rf_saved_descriptors
 * @RF_SAVED_EMUL: struct rf_saved_emul
 * @RF_SAVED_VECTOR: struct rf_saved_vector
 * @RF_SAVED_TIME: struct rf_saved_time
 * @RF_SAVED_SHARED_INFO: struct rf_saved_shared_info
 * @RF_SAVED_FIFO: struct rf_saved_fifo
 * @RF_SAVED_PORTS: struct rf_saved_ports
 */
enum rf_saved_type {
	RF_SAVED_HEAD = 1,
	RF_SAVED_DOMAIN,
	RF_SAVED_CPUID,
	RF_SAVED_TABLES,
	RF_SAVED_CPU,
	RF_SAVED_TRAPS,
	RF_SAVED_GDT,
	RF_SAVED_LDT,
	RF_SAVED_EMUL,
	RF_SAVED_VECTOR,
	RF_SAVED_TIME,
	RF_SAVED_SHARED_INFO,
	RF_SAVED_FIFO,
	RF_SAVED_PORTS
};

/**
 * struct rf_saved_head - how each record begins
 * @size: Bytes of the record, this included
 * @type: enum rf_saved_type
 * @vcpu_id: vCPU that the record is about; 0 if about the VM
 */
struct rf_saved_head {
	__u32 size;
	__u16 type;
	__u16 vcpu_id;
};

#define RF_SAVED_MAGIC		0x6574617473206672ULL	/* "rf state" */

/**
 * struct rf_saved_start - what this is
 * @head: RF_SAVED_HEAD
 * @magic: RF_SAVED_MAGIC
 * @nr_vcpus: vCPUs that follow
 * @reserved: 0
 */
struct rf_saved_start {
	struct rf_saved_head head;
	__aligned_u64 magic;
	__u32 nr_vcpus;
	__u32 reserved;
};

/* rf_saved_domain.flags */
#define RF_SAVED_SHUTDOWN_CODE	(1U << 0)

/**
 * struct rf_saved_domain - the VM as a whole
 * @head: RF_SAVED_DOMAIN
 * @max_pfn: First frame beyond the memory; on load the VM's must be the same
 * @nr_pages: As in RF_SET_DOMAIN; the VM's must be the same
 * @nr_p2m_pages: The same
 * @shared_info_pfn: The same
 * @wallclock_offset_ns: As in RF_SET_DOMAIN; takes the place of the VM's
 * @vm_assist: VMASST_TYPE_* that are on, as bits
 * @guest_ns: Guest system time; goes on from here when loaded
 * @flags: RF_SAVED_SHUTDOWN_CODE if @shutdown_code counts
 * @shutdown_code: SCHEDOP_shutdown_code: SHUTDOWN_*
 */
struct rf_saved_domain {
	struct rf_saved_head head;
	__aligned_u64 max_pfn;
	__aligned_u64 nr_pages;
	__aligned_u64 nr_p2m_pages;
	__aligned_u64 shared_info_pfn;
	__s64 wallclock_offset_ns;
	__aligned_u64 vm_assist;
	__aligned_u64 guest_ns;
	__u32 flags;
	__u32 shutdown_code;
};

/**
 * struct rf_saved_cpuid - the CPUID policy, which the host must be able to give
 * @head: RF_SAVED_CPUID
 * @nr_entries: Rows that follow
 * @reserved: 0
 * @entries: As in RF_SET_CPUID
 */
struct rf_saved_cpuid {
	struct rf_saved_head head;
	__u32 nr_entries;
	__u32 reserved;
	struct rf_cpuid_entry entries[];
};

/**
 * struct rf_saved_tables - frames that the guest has pinned as page tables
 * @head: RF_SAVED_TABLES
 * @max_pfn: Bits that follow, as in RF_SAVED_DOMAIN
 * @pinned: One bit a frame, the lowest of the first word for frame 0
 */
struct rf_saved_tables {
	struct rf_saved_head head;
	__aligned_u64 max_pfn;
	__aligned_u64 pinned[];
};

/* rf_saved_cpu.flags */
#define RF_SAVED_ONLINE		(1U << 0)	/* VCPUOP_up */
#define RF_SAVED_INITIALISED	(1U << 1)	/* VCPUOP_initialise, RF_SET_REGS */
#define RF_SAVED_HALTED		(1U << 2)
#define RF_SAVED_KERNEL		(1U << 3)	/* in the guest kernel */
#define RF_SAVED_NMI		(1U << 4)	/* VCPUOP_send_nmi, not delivered */

#define RF_SAVED_CALLBACKS	8

/**
 * struct rf_saved_cpu - registers of a vCPU, and where its kernel is entered
 * @head: RF_SAVED_CPU
 * @flags: RF_SAVED_ONLINE and so on
 * @reserved: 0
 * @gpr: rax rbx rcx rdx rsi rdi rbp rsp r8..r15
 * @rip: Next instruction
 * @rflags: Without IOPL; IF is always set
 * @cs: Selectors, of RPL 3
 * @ss: See @cs
 * @ds: Any selector
 * @es: Any
 * @fs: Any
 * @gs: Any
 * @kernel_ss: HYPERVISOR_stack_switch, of RPL 3
 * @pad: 0
 * @kernel_sp: HYPERVISOR_stack_switch
 * @fs_base: Base of %fs
 * @gs_base: Base of %gs in the mode the vCPU is in
 * @gs_base_other: Base of %gs in the other mode
 * @kernel_pfn: Top-level table of the kernel
 * @user_pfn: Top-level table of the user; 0: none
 * @callback_rip: By CALLBACKTYPE_*; 0: none
 * @callback_flags: CALLBACKF_*
 */
struct rf_saved_cpu {
	struct rf_saved_head head;
	__u32 flags;
	__u32 reserved;
	__aligned_u64 gpr[16];
	__aligned_u64 rip;
	__aligned_u64 rflags;
	__u16 cs;
	__u16 ss;
	__u16 ds;
	__u16 es;
	__u16 fs;
	__u16 gs;
	__u16 kernel_ss;
	__u16 pad;
	__aligned_u64 kernel_sp;
	__aligned_u64 fs_base;
	__aligned_u64 gs_base;
	__aligned_u64 gs_base_other;
	__aligned_u64 kernel_pfn;
	__aligned_u64 user_pfn;
	__aligned_u64 callback_rip[RF_SAVED_CALLBACKS];
	__u32 callback_flags[RF_SAVED_CALLBACKS];
};

/**
 * struct rf_saved_trap - where one exception goes
 * @address: 0: nowhere
 * @cs: Selector, of RPL 3
 * @flags: As in struct trap_info
 */
struct rf_saved_trap {
	__aligned_u64 address;
	__u32 cs;
	__u32 flags;
};

/**
 * struct rf_saved_traps - the trap table of a vCPU
 * @head: RF_SAVED_TRAPS
 * @traps: By vector
 */
struct rf_saved_traps {
	struct rf_saved_head head;
	struct rf_saved_trap traps[256];
};

#define RF_SAVED_DESCRIPTOR_PAGES	16

/**
 * struct rf_saved_descriptors - GDT or LDT of a vCPU
 * @head: RF_SAVED_GDT or RF_SAVED_LDT
 * @nr_entries: Descriptors that follow
 * @reserved: 0
 * @pfn: Frames they were copied from, as far as there are descriptors
 * @entries: As the CPU is given them: accessed, and of ring 3
 */
struct rf_saved_descriptors {
	struct rf_saved_head head;
	__u32 nr_entries;
	__u32 reserved;
	__aligned_u64 pfn[RF_SAVED_DESCRIPTOR_PAGES];
	__aligned_u64 entries[];
};

/* rf_saved_emul.flags */
#define RF_SAVED_TS		(1U << 0)	/* CR0.TS */
#define RF_SAVED_IO		(1U << 1)	/* an RF_RUN_IO is not answered yet */
#define RF_SAVED_STRING		(1U << 2)	/* it is INS or OUTS */
#define RF_SAVED_REP		(1U << 3)	/* which repeats, RCX times */
#define RF_SAVED_OUTS		(1U << 4)

/**
 * struct rf_saved_emul - registers that only a kernel has
 * @head: RF_SAVED_EMUL
 * @flags: RF_SAVED_TS, RF_SAVED_IO
 * @iopl: PHYSDEVOP_set_iopl
 * @io_size: RF_SAVED_IO: bytes of RAX the answer is put in; 0 for a write; of a
 *	string: bytes of a unit
 * @io_len: RF_SAVED_IO: bytes of the instruction
 * @reserved: 0
 * @cr4: What the guest reads from CR4
 * @xcr0: XCR0
 * @dr: Debug registers; 4 and 5 are 0
 * @iobitmap: PHYSDEVOP_set_iobitmap
 * @nr_io_ports: PHYSDEVOP_set_iobitmap
 * @string_gva: RF_SAVED_STRING: where in the guest it begins
 * @string_len: RF_SAVED_STRING: bytes that the launcher serves, whole units
 * @string_addr_size: RF_SAVED_STRING: bytes of RSI, RDI and RCX that move
 * @pad: 0
 */
struct rf_saved_emul {
	struct rf_saved_head head;
	__u32 flags;
	__u8 iopl;
	__u8 io_size;
	__u8 io_len;
	__u8 reserved;
	__aligned_u64 cr4;
	__aligned_u64 xcr0;
	__aligned_u64 dr[8];
	__aligned_u64 iobitmap;
	__aligned_u64 nr_io_ports;
	__aligned_u64 string_gva;
	__u32 string_len;
	__u8 string_addr_size;
	__u8 pad[3];
};

/**
 * struct rf_saved_vector - x87, SSE and AVX registers
 * @head: RF_SAVED_VECTOR
 * @states: XCR0 bits it was saved with; 0: @area is of FXSAVE
 * @len: Bytes of @area that count
 * @area: As of XSAVE, standard format
 */
struct rf_saved_vector {
	struct rf_saved_head head;
	__u32 states;
	__u32 len;
	__u8 area[4096];
};

/* rf_saved_time.flags */
#define RF_SAVED_SINGLESHOT	(1U << 0)
#define RF_SAVED_PERIODIC	(1U << 1)
#define RF_SAVED_POLL_TIMER	(1U << 2)
#define RF_SAVED_INFO		(1U << 3)	/* VCPUOP_register_vcpu_info */

/* rf_saved_time.poll */
#define RF_SAVED_POLL_NONE	0
#define RF_SAVED_POLL_WAITING	1
#define RF_SAVED_POLL_DONE	2

/**
 * struct rf_saved_time - timers and time of a vCPU, and its vcpu_info
 * @head: RF_SAVED_TIME
 * @flags: RF_SAVED_SINGLESHOT and so on: which of these fields count
 * @info_offset: vcpu_info in its frame
 * @info_pfn: Frame of vcpu_info
 * @time_area: VCPUOP_register_vcpu_time_memory_area; 0: none
 * @runstate_area: VCPUOP_register_runstate_memory_area; 0: none
 * @time_version: Of the guest's copies of the time, even
 * @runstate: RUNSTATE_*
 * @runstate_since: When that began
 * @runstate_ns: Time spent in each before
 * @singleshot: When the single-shot timer is due
 * @periodic: When the periodic timer is due
 * @period_ns: And how often
 * @poll_timeout: When SCHEDOP_poll gives up
 * @poll: RF_SAVED_POLL_*
 * @poll_port: Port that SCHEDOP_poll waits for; 0: any
 */
struct rf_saved_time {
	struct rf_saved_head head;
	__u32 flags;
	__u32 info_offset;
	__aligned_u64 info_pfn;
	__aligned_u64 time_area;
	__aligned_u64 runstate_area;
	__u32 time_version;
	__u32 runstate;
	__aligned_u64 runstate_since;
	__aligned_u64 runstate_ns[4];
	__aligned_u64 singleshot;
	__aligned_u64 periodic;
	__aligned_u64 period_ns;
	__aligned_u64 poll_timeout;
	__u32 poll;
	__u32 poll_port;
};

/**
 * struct rf_saved_shared_info - shared_info, which RF_SET_DOMAIN clears
 * @head: RF_SAVED_SHARED_INFO
 * @page: The page
 */
struct rf_saved_shared_info {
	struct rf_saved_head head;
	__u8 page[4096];
};

#define RF_SAVED_FIFO_PAGES	4
#define RF_SAVED_FIFO_QUEUES	16

/* rf_saved_queues.flags */
#define RF_SAVED_CONTROL	(1U << 0)	/* EVTCHNOP_init_control */

/**
 * struct rf_saved_queues - FIFO event queues of a vCPU
 * @flags: RF_SAVED_CONTROL if it has any
 * @offset: Control block in its frame
 * @pfn: Frame of the control block
 * @tail: Port linked last, by priority; 0: none
 */
struct rf_saved_queues {
	__u32 flags;
	__u32 offset;
	__aligned_u64 pfn;
	__u32 tail[RF_SAVED_FIFO_QUEUES];
};

/* rf_saved_fifo.flags */
#define RF_SAVED_FIFO_ON	(1U << 0)

/**
 * struct rf_saved_fifo - the FIFO event ABI, where the guest has chosen it
 * @head: RF_SAVED_FIFO
 * @flags: RF_SAVED_FIFO_ON, or the 2-level ABI is in use and the rest is 0
 * @nr_pages: EVTCHNOP_expand_array: how many
 * @pfn: EVTCHNOP_expand_array: frames of the event array
 * @queues: By vCPU
 */
struct rf_saved_fifo {
	struct rf_saved_head head;
	__u32 flags;
	__u32 nr_pages;
	__aligned_u64 pfn[RF_SAVED_FIFO_PAGES];
	struct rf_saved_queues queues[RF_MAX_VCPUS];
};

/* rf_saved_port.flags */
#define RF_SAVED_PENDING	(1U << 0)	/* raised, and not shown to the guest */

/**
 * struct rf_saved_port - an event channel
 * @port: Its number
 * @type: EVTCHNSTAT_*
 * @vcpu_id: vCPU that is told
 * @priority: FIFO: of the next event
 * @flags: RF_SAVED_PENDING
 * @target: VIRQ, or the port at the other end if that is the guest's own
 * @remote_domid: DOMID_SELF is the guest itself
 *
 * One between guest and launcher has no eventfds when it has been loaded: see
 * RF_BIND_RESTORED.
 */
struct rf_saved_port {
	__u32 port;
	__u8 type;
	__u8 vcpu_id;
	__u8 priority;
	__u8 flags;
	__u32 target;
	__u32 remote_domid;
};

#define RF_SAVED_WATCHDOGS	2

/**
 * struct rf_saved_ports - event channels of the VM
 * @head: RF_SAVED_PORTS
 * @watchdog: SCHEDOP_watchdog: when it bites; 0: not in use
 * @wc_version: Of the wall clock in shared_info, even
 * @nr_ports: Ports that follow
 * @ports: Those in use, in ascending order
 */
struct rf_saved_ports {
	struct rf_saved_head head;
	__aligned_u64 watchdog[RF_SAVED_WATCHDOGS];
	__u32 wc_version;
	__u32 nr_ports;
	struct rf_saved_port ports[];
};

#endif /* _UAPI_RINGFENCE_STATE_H */
