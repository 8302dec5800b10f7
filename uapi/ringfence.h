/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ringfence.h - what a launcher and the module say to each other
 *
 * Three kinds of file descriptor, each with ioctls of its own:
 *
 *	system	open("/dev/ringfence")		RF_GET_INFO, RF_GET_CPUID, RF_CREATE_VM,
 *						RF_CREATE_NIC
 *	VM	RF_CREATE_VM			memory, policy, event channels, state
 *						(ringfence_state.h)
 *	vCPU	RF_CREATE_VCPU			registers, RF_VCPU_RUN
 *
 * Closing a descriptor is its destructor; a VM lives as long as its own
 * descriptor or one of its vCPUs'.
 */
#ifndef _UAPI_RINGFENCE_H
#define _UAPI_RINGFENCE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: Form of every ioctl
 *
 * The argument is one struct whose first field is its own size.  Bytes the
 * module does not know must be 0, so a newer launcher runs on an older module.
 * Numbers are never reused and structs only grow; there is no version field.
 *
 *  - ENOTTY: no such ioctl on this fd
 *  - E2BIG: a byte the module does not know is not 0
 *  - EOPNOTSUPP: a known field asks for something this module cannot do
 *  - EINVAL: a known field is wrong
 *  - EFAULT: a pointer is bad
 *  - EPERM: called by a process whose address space is not the VM's
 */
#define RF_IOCTL_TYPE		0xf5

#define RF_MAX_VCPUS		64
#define RF_NAME_LEN		64
#define RF_REASON_LEN		160
#define RF_PAGE_SHIFT		12

/* rf_info.features */
#define RF_FEATURE_FSGSBASE	(1ULL << 0)	/* host has FSGSBASE on */
#define RF_FEATURE_PCID		(1ULL << 1)	/* guest roots keep TLB entries */
#define RF_FEATURE_LA57		(1ULL << 2)	/* host uses 5-level paging */
#define RF_FEATURE_KPTI		(1ULL << 3)	/* host isolates its page tables */
#define RF_FEATURE_SMAP		(1ULL << 4)
#define RF_FEATURE_STABLE_TSC	(1ULL << 5)	/* guests read time with no exit */
#define RF_FEATURE_RING3_IRET_QUIRK (1ULL << 6)	/* CPU fails IRETQ in ring 3; a guest has tried */
#define RF_FEATURE_CPUID_FAULT	(1ULL << 7)	/* programs of guests see their policy too */

/**
 * struct rf_info - ioctl(RF_GET_INFO), system fd
 * @size: sizeof(struct rf_info)
 * @nr_vms: Out: VMs alive on this host
 * @features: Out: RF_FEATURE_* bits
 * @max_vcpus: Out: vCPUs one VM may have
 * @max_vms: Out: VMs this host may have
 * @max_pages: Out: guest frames one VM may have
 * @version: Out: version of the module, a string
 *
 * Return: 0.
 */
struct rf_info {
	__u32 size;
	__u32 nr_vms;
	__aligned_u64 features;
	__u32 max_vcpus;
	__u32 max_vms;
	__aligned_u64 max_pages;
	char version[32];
};
#define RF_GET_INFO		_IO(RF_IOCTL_TYPE, 0x01)

/**
 * struct rf_cpuid_entry - one row of a CPUID policy
 * @function: Leaf (EAX in)
 * @index: Sub-leaf (ECX in); ignored unless RF_CPUID_INDEX is set
 * @flags: RF_CPUID_INDEX if @index matters for this leaf
 * @eax: Answer
 * @ebx: Answer
 * @ecx: Answer
 * @edx: Answer
 * @reserved: Must be 0
 */
struct rf_cpuid_entry {
	__u32 function;
	__u32 index;
	__u32 flags;
	__u32 eax;
	__u32 ebx;
	__u32 ecx;
	__u32 edx;
	__u32 reserved;
};
#define RF_CPUID_INDEX		(1U << 0)
#define RF_MAX_CPUID_ENTRIES	128

/**
 * struct rf_cpuid - ioctl(RF_GET_CPUID), system fd; ioctl(RF_SET_CPUID), VM fd
 * @size: sizeof(struct rf_cpuid)
 * @nr_entries: Rows at @entries; on RF_GET_CPUID in: room, out: rows written
 * @entries: Address of an array of struct rf_cpuid_entry
 *
 * RF_GET_CPUID gives the most this host can offer a guest.  RF_SET_CPUID makes
 * a table the policy of the VM; feature bits the host cannot honour are
 * refused.  A VM that never sets one has what RF_GET_CPUID gives.  Fields that
 * depend on the vCPU (APIC id) are filled in by the module.
 *
 * Return: 0, ENOSPC if @entries is too small for RF_GET_CPUID, EINVAL for a
 * bit the host cannot honour, EBUSY once a vCPU has run.
 */
struct rf_cpuid {
	__u32 size;
	__u32 nr_entries;
	__aligned_u64 entries;
};
#define RF_GET_CPUID		_IO(RF_IOCTL_TYPE, 0x02)

/**
 * struct rf_create_vm - ioctl(RF_CREATE_VM), system fd
 * @size: sizeof(struct rf_create_vm)
 * @flags: Must be 0
 * @max_vcpus: vCPUs this VM may create, 1 to RF_MAX_VCPUS
 * @reserved: Must be 0
 * @name: For logs and debugfs: printable, no '/', ends in 0
 * @max_shadow_pages: Bound on shadow page tables; 0 lets the module choose
 *
 * Return: a VM fd (close-on-exec), ENOSPC if the host has its most VMs, EINTR if
 * a signal came first: call again.
 */
struct rf_create_vm {
	__u32 size;
	__u32 flags;
	__u32 max_vcpus;
	__u32 reserved;
	char name[RF_NAME_LEN];
	__aligned_u64 max_shadow_pages;
};
#define RF_CREATE_VM		_IO(RF_IOCTL_TYPE, 0x03)

/**
 * struct rf_create_nic - ioctl(RF_CREATE_NIC), system fd
 * @size: sizeof(struct rf_create_nic)
 * @flags: RF_NIC_*
 * @name: In: of the interface on the host, which may have one "%d"; empty:
 *	"rf%d"; out: as it is named
 * @mac: In: of the guest's end, all 0: random; out: as it is
 * @reserved: Must be 0
 * @nr_pairs: In: pairs of queues, 1 to RF_MAX_NIC_PAIRS; 0: one
 * @mtu: In: of both ends, 68 to 65535; 0: 1500
 * @ifindex: Out: index of the interface
 *
 * Make a network interface in the network namespace of the caller, down, whose
 * other end is a guest's to be.  RF_ADD_NET gives it to a VM, and to another
 * one after that has ended.  The interface goes with the last copy of the
 * descriptor and the last VM that has it; with its namespace; or when somebody
 * deletes it: then the guest's link is down for good.
 *
 * Return: a descriptor (close-on-exec), EPERM without CAP_NET_ADMIN over the
 * namespace, EEXIST if there is an interface of that name, EINVAL if a field is
 * wrong.
 */
struct rf_create_nic {
	__u32 size;
	__u32 flags;
	char name[16];
	__u8 mac[6];
	__u16 reserved;
	__u32 nr_pairs;
	__u32 mtu;
	__u32 ifindex;
};
#define RF_NIC_LOCK_MAC		(1U << 0)	/* frames from another address are dropped */
#define RF_MAX_NIC_PAIRS	8
#define RF_CREATE_NIC		_IO(RF_IOCTL_TYPE, 0x04)

/**
 * struct rf_set_memory - ioctl(RF_SET_MEMORY), VM fd
 * @size: sizeof(struct rf_set_memory)
 * @flags: Must be 0
 * @guest_pfn: First guest frame of the range
 * @nr_pages: Length of the range
 * @user_va: Launcher address of the memory, page aligned
 *
 * Give the guest a range of the launcher's own memory.  The pages stay the
 * launcher's: they are charged to it and freed when it unmaps them after the
 * VM fd is closed.
 *
 * Return: 0, or EBUSY once a vCPU exists, EEXIST if the range overlaps,
 * ENOSPC if there are too many ranges.
 */
struct rf_set_memory {
	__u32 size;
	__u32 flags;
	__aligned_u64 guest_pfn;
	__aligned_u64 nr_pages;
	__aligned_u64 user_va;
};
#define RF_SET_MEMORY		_IO(RF_IOCTL_TYPE, 0x11)

/**
 * struct rf_set_domain - ioctl(RF_SET_DOMAIN), VM fd
 * @size: sizeof(struct rf_set_domain)
 * @flags: Must be 0
 * @shared_info_pfn: Guest frame of Xen's shared_info page, inside the memory
 * @nr_pages: What the guest is told its memory is (XENMEM_maximum_reservation)
 * @wallclock_offset_ns: Added to the host's wall clock; 0 for none
 * @nr_p2m_pages: Frames below which the guest sees RAM in XENMEM_memory_map
 *
 * What belongs to the domain as a whole.  To be called once, after
 * RF_SET_MEMORY and before the first RF_CREATE_VCPU.
 *
 * Return: 0, EBUSY if a vCPU exists, EINVAL if the frame is not the guest's.
 */
struct rf_set_domain {
	__u32 size;
	__u32 flags;
	__aligned_u64 shared_info_pfn;
	__aligned_u64 nr_pages;
	__s64 wallclock_offset_ns;
	__aligned_u64 nr_p2m_pages;
};
#define RF_SET_DOMAIN		_IO(RF_IOCTL_TYPE, 0x12)
#define RF_SET_CPUID		_IO(RF_IOCTL_TYPE, 0x13)

/**
 * struct rf_create_vcpu - ioctl(RF_CREATE_VCPU), VM fd
 * @size: sizeof(struct rf_create_vcpu)
 * @vcpu_id: 0 to max_vcpus - 1, each once
 *
 * Return: a vCPU fd (close-on-exec), EEXIST if the id is taken.
 */
struct rf_create_vcpu {
	__u32 size;
	__u32 vcpu_id;
};
#define RF_CREATE_VCPU		_IO(RF_IOCTL_TYPE, 0x14)

/**
 * struct rf_bind_port - ioctl(RF_BIND_PORT), VM fd
 * @size: sizeof(struct rf_bind_port)
 * @flags: 0 or RF_BIND_RESTORED
 * @to_launcher: eventfd signalled when the guest sends on the port; -1 if none
 * @from_launcher: eventfd whose signal raises the port in the guest; -1 if none
 * @port: Out: the guest's port; in, with RF_BIND_RESTORED
 * @remote_domid: Domain id the guest sees at the other end
 *
 * Make an interdomain event channel between the guest and the launcher (for
 * the console ring, say); it is bound until the guest closes it or the VM goes.
 * Events from the launcher go to vCPU 0 until the guest binds the port to
 * another.
 *
 * With RF_BIND_RESTORED, @port is one that RF_LOAD_STATE brought and that was
 * bound to the launcher when it was saved: it gets eventfds again.
 *
 * Return: 0, ENOSPC if the guest has its most ports.
 */
struct rf_bind_port {
	__u32 size;
	__u32 flags;
	__s32 to_launcher;
	__s32 from_launcher;
	__u32 port;
	__u32 remote_domid;
};
#define RF_BIND_PORT		_IO(RF_IOCTL_TYPE, 0x15)
#define RF_BIND_RESTORED	(1U << 0)

/* rf_vm_state.state */
#define RF_STATE_RUNNING	0
#define RF_STATE_SHUTDOWN	1	/* the guest asked; see reason */
#define RF_STATE_DEAD		2	/* killed; see text */

/**
 * struct rf_vm_state - ioctl(RF_GET_STATE), VM fd
 * @size: sizeof(struct rf_vm_state)
 * @state: Out: RF_STATE_*
 * @reason: Out: SHUTDOWN_* of xen/interface/sched.h
 * @nr_online: Out: vCPUs that are up
 * @text: Out: why it was killed, in words; empty otherwise
 *
 * Return: 0.
 */
struct rf_vm_state {
	__u32 size;
	__u32 state;
	__u32 reason;
	__u32 nr_online;
	char text[RF_REASON_LEN];
};
#define RF_GET_STATE		_IO(RF_IOCTL_TYPE, 0x16)

/**
 * enum rf_counter - what struct rf_stats counts, in this order
 * @RF_COUNT_SWITCHES: Times the guest was entered and left
 * @RF_COUNT_EXIT_INTERRUPT: Left for a host interrupt
 * @RF_COUNT_EXIT_NMI: Left for an NMI
 * @RF_COUNT_EXIT_PAGE_FAULT: Left for a page fault
 * @RF_COUNT_EXIT_GP: Left for #GP
 * @RF_COUNT_EXIT_OTHER_TRAP: Left for another exception
 * @RF_COUNT_EXIT_HYPERCALL: Hypercalls served by the host
 * @RF_COUNT_EXIT_SYSCALL: User system calls bounced by the host
 * @RF_COUNT_FAST_SYSCALL: User system calls bounced in the switcher
 * @RF_COUNT_FAST_IRET: Returns served in the switcher
 * @RF_COUNT_FAST_HYPERCALL: Other hypercalls served in the switcher
 * @RF_COUNT_CR3_WRITES: CR3 writes, switches included
 * @RF_COUNT_BOUNCED_TRAPS: Traps given to the guest kernel
 * @RF_COUNT_EVENTS: Event upcalls delivered
 * @RF_COUNT_SHADOW_FILL: Leaf entries filled by faults
 * @RF_COUNT_SHADOW_CREATE: Shadow tables made
 * @RF_COUNT_SHADOW_DROP: Shadow tables dropped
 * @RF_COUNT_OUT_OF_SYNC: Tables opened for direct stores
 * @RF_COUNT_RESYNC: Tables brought up to date again
 * @RF_COUNT_SHOOTDOWN: CPUs interrupted to drop their TLB
 * @RF_COUNT_EMULATED: Instructions emulated
 * @RF_COUNT_IO_EXITS: Port I/O handed to the launcher
 * @RF_COUNT_HALTS: Times a vCPU went to sleep
 * @RF_COUNT_KICKS: Interrupts sent to a vCPU in the guest
 * @RF_COUNT_NOTIFIER_ZAP: Guest frames the host took back
 * @RF_COUNT_FAST_FAULT: Page faults bounced in the switcher
 * @RF_NR_COUNTERS: How many there are
 *
 * New counters are added at the end, before RF_NR_COUNTERS.
 */
enum rf_counter {
	RF_COUNT_SWITCHES,
	RF_COUNT_EXIT_INTERRUPT,
	RF_COUNT_EXIT_NMI,
	RF_COUNT_EXIT_PAGE_FAULT,
	RF_COUNT_EXIT_GP,
	RF_COUNT_EXIT_OTHER_TRAP,
	RF_COUNT_EXIT_HYPERCALL,
	RF_COUNT_EXIT_SYSCALL,
	RF_COUNT_FAST_SYSCALL,
	RF_COUNT_FAST_IRET,
	RF_COUNT_FAST_HYPERCALL,
	RF_COUNT_CR3_WRITES,
	RF_COUNT_BOUNCED_TRAPS,
	RF_COUNT_EVENTS,
	RF_COUNT_SHADOW_FILL,
	RF_COUNT_SHADOW_CREATE,
	RF_COUNT_SHADOW_DROP,
	RF_COUNT_OUT_OF_SYNC,
	RF_COUNT_RESYNC,
	RF_COUNT_SHOOTDOWN,
	RF_COUNT_EMULATED,
	RF_COUNT_IO_EXITS,
	RF_COUNT_HALTS,
	RF_COUNT_KICKS,
	RF_COUNT_NOTIFIER_ZAP,
	RF_COUNT_FAST_FAULT,
	RF_NR_COUNTERS
};

/**
 * struct rf_stats - ioctl(RF_GET_STATS), VM or vCPU fd
 * @size: sizeof(struct rf_stats)
 * @nr_counters: In: room in @counters; out: counters written
 * @counters: Address of an array of __u64, indexed by enum rf_counter
 * @shadow_pages: Out: shadow page tables alive (VM fd)
 * @mapped_pages: Out: guest frames with a shadow entry (VM fd)
 * @run_ns: Out: time spent in RF_VCPU_RUN and not halted
 *
 * On a VM fd, sums over the vCPUs.  Return: 0.
 */
struct rf_stats {
	__u32 size;
	__u32 nr_counters;
	__aligned_u64 counters;
	__aligned_u64 shadow_pages;
	__aligned_u64 mapped_pages;
	__aligned_u64 run_ns;
};
#define RF_GET_STATS		_IO(RF_IOCTL_TYPE, 0x17)

/**
 * struct rf_kill - ioctl(RF_KILL), VM fd
 * @size: sizeof(struct rf_kill)
 * @flags: Must be 0
 *
 * End the VM now, as if the guest had done something unforgivable; every
 * RF_VCPU_RUN returns.  Return: 0.
 */
struct rf_kill {
	__u32 size;
	__u32 flags;
};
#define RF_KILL			_IO(RF_IOCTL_TYPE, 0x18)

/**
 * struct rf_state_buffer - ioctl(RF_SAVE_STATE) and ioctl(RF_LOAD_STATE), VM fd
 * @size: sizeof(struct rf_state_buffer)
 * @flags: Must be 0
 * @buffer: Address of the records of ringfence_state.h
 * @len: Bytes at @buffer; RF_SAVE_STATE: in: room, out: what the state takes
 *
 * RF_SAVE_STATE writes the state of the VM but for its memory.  No vCPU may be
 * running.  From then until one runs again nothing is written to the memory,
 * which is to be copied or kept meanwhile: an event that comes is remembered.
 * If @len comes out larger than it was, the room was too small.
 *
 * RF_LOAD_STATE gives a VM that has not run yet the state of another.  It has
 * the same memory, RF_SET_DOMAIN with the same frames, the same vCPUs, and no
 * ports; guest time goes on from when it was saved.  The launcher then binds its
 * ports again, with RF_BIND_RESTORED: each of them has been raised, so that the
 * guest looks after what it may have missed.
 *
 * Return: 0, EOPNOTSUPP if the guest uses a device (its rings would not be saved),
 * EBUSY if a vCPU is running or (RF_LOAD_STATE) the VM has run, has been loaded
 * or has ports, ESHUTDOWN if the VM has ended, EINVAL if the state is
 * cut short, wrong, or of another VM.  A load that fails ends the VM.
 */
struct rf_state_buffer {
	__u32 size;
	__u32 flags;
	__aligned_u64 buffer;
	__aligned_u64 len;
};
#define RF_SAVE_STATE		_IO(RF_IOCTL_TYPE, 0x19)
#define RF_LOAD_STATE		_IO(RF_IOCTL_TYPE, 0x1a)

/**
 * DOC: Devices
 *
 * A VM has a bus of 32 slots; the guest's side of it is ringfence_guest.h.
 * RF_ADD_* put a device there before the first vCPU runs or later;
 * RF_REMOVE_DEVICE takes one away.
 */

/**
 * struct rf_add_block - ioctl(RF_ADD_BLOCK), VM fd
 * @size: sizeof(struct rf_add_block)
 * @flags: RF_BLOCK_*
 * @slot: Out: slot it was put into
 * @fd: Regular file or block device, open for reading, and for writing unless
 *	RF_BLOCK_READ_ONLY; I/O bypasses the page cache if it was opened O_DIRECT
 * @offset: First byte of it that is the guest's, a multiple of @block_size
 * @len: Bytes that are the guest's, a multiple of @block_size; 0: to its end
 * @block_size: Logical block size the guest sees, a power of 2 from 512 to 4096;
 *	0: that of @fd
 * @nr_queues: 1 to RF_MAX_VCPUS; 0: one
 * @queue_num: Descriptors in a queue, a power of 2, 16 to 1024; 0: 256
 * @reserved: Must be 0
 * @serial: What the guest reads as the serial number; not ended by 0 if full
 * @iops: Requests a second, 0: no limit
 * @bytes: Bytes a second, 0: no limit
 * @iops_burst: Requests that may come at once beyond that; 0: 1/10 second's
 * @bytes_burst: Bytes that may come at once beyond that; 0: 1/10 second's
 *
 * Whatever the guest asks for, only these bytes of @fd are read or written.
 *
 * Return: 0, EINVAL if @fd is neither kind of file or a field is wrong, EBADF if
 * it is not open for what is asked, ENOSPC if all slots are taken.
 */
struct rf_add_block {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__s32 fd;
	__aligned_u64 offset;
	__aligned_u64 len;
	__u32 block_size;
	__u32 nr_queues;
	__u32 queue_num;
	__u32 reserved;
	char serial[24];
	__aligned_u64 iops;
	__aligned_u64 bytes;
	__aligned_u64 iops_burst;
	__aligned_u64 bytes_burst;
};
#define RF_BLOCK_READ_ONLY	(1U << 0)
#define RF_BLOCK_DISCARD	(1U << 1)	/* offer discard and write-zeroes with unmap */
#define RF_ADD_BLOCK		_IO(RF_IOCTL_TYPE, 0x1b)

/**
 * struct rf_add_device - ioctl(RF_ADD_DEVICE), VM fd
 * @size: sizeof(struct rf_add_device)
 * @flags: Must be 0
 * @device_id: RF_DEVICE_*
 * @slot: Out: slot it was put into
 *
 * A device that needs no more than its kind: RF_DEVICE_ENTROPY gives the guest
 * what the host's /dev/urandom gives, RF_DEVICE_BALLOON takes memory back
 * (struct rf_balloon) by punching holes into the file whose shared mapping the
 * memory is; memory that is no such mapping stays.  One of a kind.
 *
 * Return: 0, EEXIST if there is one, EOPNOTSUPP for another kind, ENOSPC.
 */
struct rf_add_device {
	__u32 size;
	__u32 flags;
	__u32 device_id;
	__u32 slot;
};
#define RF_DEVICE_ENTROPY	4
#define RF_DEVICE_BALLOON	5
#define RF_ADD_DEVICE		_IO(RF_IOCTL_TYPE, 0x1c)

/**
 * struct rf_remove_device - ioctl(RF_REMOVE_DEVICE), VM fd
 * @size: sizeof(struct rf_remove_device)
 * @flags: RF_REMOVE_FORCE or 0
 * @slot: Slot
 * @reserved: Must be 0
 *
 * Ask the guest to let go of a device; when its driver has reset it, it is
 * gone.  With RF_REMOVE_FORCE it is gone at once: what is under way is waited
 * for, and requests made later come back as errors.
 *
 * Return: 0 if it is gone, EINPROGRESS if the guest was asked, ENODEV if the
 * slot is empty.
 */
struct rf_remove_device {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__u32 reserved;
};
#define RF_REMOVE_FORCE		(1U << 0)
#define RF_REMOVE_DEVICE	_IO(RF_IOCTL_TYPE, 0x1d)

/**
 * struct rf_device_state - ioctl(RF_GET_DEVICE), VM fd
 * @size: sizeof(struct rf_device_state)
 * @slot: Slot
 * @device_id: Out: kind, 0: empty
 * @instance: Out: differs for each device that has ever been in the slot
 * @status: Out: virtio status, as the guest's driver has it
 * @nr_queues: Out: queues
 * @doorbells: Out: doorbells rung
 * @events: Out: events raised
 * @requests: Out: requests finished
 * @read_bytes: Out: bytes handed to the guest
 * @written_bytes: Out: bytes taken from the guest
 * @errors: Out: requests that failed
 *
 * Return: 0; an empty slot is no error.  EINVAL for a slot there cannot be.
 */
struct rf_device_state {
	__u32 size;
	__u32 slot;
	__u32 device_id;
	__u32 instance;
	__u32 status;
	__u32 nr_queues;
	__aligned_u64 doorbells;
	__aligned_u64 events;
	__aligned_u64 requests;
	__aligned_u64 read_bytes;
	__aligned_u64 written_bytes;
	__aligned_u64 errors;
};
#define RF_GET_DEVICE		_IO(RF_IOCTL_TYPE, 0x1e)

/**
 * struct rf_balloon - ioctl(RF_BALLOON), VM fd
 * @size: sizeof(struct rf_balloon)
 * @flags: RF_BALLOON_SET or 0
 * @target_pages: In, with RF_BALLOON_SET: guest frames the balloon should hold;
 *	out: what it should hold
 * @actual_pages: Out: what the guest's driver says it holds
 * @reported_pages: Out: free frames given back so far by free page reporting
 * @stats_valid: Out: bit N is set if @stats[N] was told by the guest
 * @stats: Out: VIRTIO_BALLOON_S_* in their order, as last told by the guest
 *
 * With RF_BALLOON_SET, fresh statistics are asked for as well: they are there
 * a moment later, if the guest has a driver.
 *
 * Return: 0, ENODEV if the VM has no balloon, EINVAL if @target_pages is more
 * than the guest has.
 */
struct rf_balloon {
	__u32 size;
	__u32 flags;
	__aligned_u64 target_pages;
	__aligned_u64 actual_pages;
	__aligned_u64 reported_pages;
	__aligned_u64 stats_valid;
	__aligned_u64 stats[16];
};
#define RF_BALLOON_SET		(1U << 0)
#define RF_BALLOON		_IO(RF_IOCTL_TYPE, 0x1f)

/**
 * struct rf_add_net - ioctl(RF_ADD_NET), VM fd
 * @size: sizeof(struct rf_add_net)
 * @flags: Must be 0
 * @slot: Out: slot it was put into
 * @fd: Descriptor from RF_CREATE_NIC
 * @queue_num: Descriptors in a queue, a power of 2, 16 to 1024; 0: 256
 * @reserved: Must be 0
 *
 * Return: 0, EBADF if @fd is no such descriptor, EBUSY while another VM has it,
 * EINVAL, ENOSPC if all slots are taken.
 */
struct rf_add_net {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__s32 fd;
	__u32 queue_num;
	__u32 reserved;
};
#define RF_ADD_NET		_IO(RF_IOCTL_TYPE, 0x20)

/**
 * struct rf_set_regs - ioctl(RF_SET_REGS), vCPU fd
 * @size: sizeof(struct rf_set_regs)
 * @flags: RF_REGS_ONLINE if the vCPU is up
 * @rip: Entry point
 * @rsp: Stack
 * @rsi: Address of start_info, by the ABI
 * @cr3_pfn: Frame of the kernel's top-level table
 * @rflags: Arithmetic flags; the module forces IF and IOPL
 *
 * The state in which vCPU 0 starts.  Other vCPUs are started by the guest
 * (VCPUOP_initialise).  The guest runs in kernel mode with flat segments and
 * events masked.
 *
 * Return: 0, EBUSY while or after the vCPU has run.
 */
struct rf_set_regs {
	__u32 size;
	__u32 flags;
	__aligned_u64 rip;
	__aligned_u64 rsp;
	__aligned_u64 rsi;
	__aligned_u64 cr3_pfn;
	__aligned_u64 rflags;
};
#define RF_REGS_ONLINE		(1U << 0)
#define RF_SET_REGS		_IO(RF_IOCTL_TYPE, 0x21)

/* rf_run.exit_reason */
#define RF_RUN_INTERRUPTED	0	/* a signal, or work of the host's; call again */
#define RF_RUN_IO		1	/* port I/O: serve it and call again */
#define RF_RUN_CONSOLE		2	/* console_io: @data, @len bytes */
#define RF_RUN_ENDED		3	/* shutdown or death: RF_GET_STATE */

#define RF_RUN_DATA		1024

/**
 * struct rf_run - ioctl(RF_VCPU_RUN), vCPU fd
 * @size: sizeof(struct rf_run)
 * @exit_reason: Out: RF_RUN_*
 * @io_port: Out: port of RF_RUN_IO
 * @io_size: Out: 1, 2 or 4 bytes
 * @io_write: Out: 1 for OUT, 0 for IN
 * @reserved: Must be 0
 * @io_value: Out: value written; in, on the next call: value for an IN
 * @len: Out: bytes in @data; of RF_RUN_IO: 0, or those of a string
 * @data: Out: what the guest wrote to its emergency console, or by OUTS; for
 *	RF_RUN_RELEASE @len bytes of struct rf_release; in, on the next call: what
 *	INS is to read
 *
 * An RF_RUN_IO whose @len is not 0 is @len / @io_size accesses to one port, in
 * this order, by a string instruction; @io_value means nothing then.  A long one
 * comes in pieces.
 *
 * Run the vCPU until something concerns the launcher.  One thread at a time;
 * the vector registers of the calling thread, control words included, are
 * undefined afterwards.  The vCPU keeps its own: any thread may be the next.
 * A vCPU that is down waits here until the guest starts it.
 *
 * Return: 0 with @exit_reason set; EBUSY if another thread runs this vCPU.  A
 * pending signal is RF_RUN_INTERRUPTED, not EINTR; so is what the host does when
 * a thread returns to user mode.  For a thread that has an area registered for
 * restartable sequences (rseq(2), as the C library does) that is each time it was
 * not on its CPU: threads that run vCPUs had better give it up.
 */
struct rf_run {
	__u32 size;
	__u32 exit_reason;
	__u16 io_port;
	__u8 io_size;
	__u8 io_write;
	__u32 reserved;
	__u32 io_value;
	__u32 len;
	__u8 data[RF_RUN_DATA];
};
#define RF_VCPU_RUN		_IO(RF_IOCTL_TYPE, 0x22)

/**
 * struct rf_get_regs - ioctl(RF_GET_REGS), vCPU fd
 * @size: sizeof(struct rf_get_regs)
 * @flags: Out: RF_REGS_ONLINE, RF_REGS_KERNEL
 * @gpr: Out: rax rbx rcx rdx rsi rdi rbp rsp r8..r15
 * @rip: Out
 * @rflags: Out
 * @cs: Out
 * @ss: Out
 * @cr2: Out: last fault address shown to the guest
 * @kernel_cr3_pfn: Out
 * @user_cr3_pfn: Out
 * @fs_base: Out
 * @gs_base: Out
 *
 * Where the vCPU is, for crash reports; meaningful when it does not run.
 *
 * Return: 0, EBUSY while the vCPU runs.
 */
struct rf_get_regs {
	__u32 size;
	__u32 flags;
	__aligned_u64 gpr[16];
	__aligned_u64 rip;
	__aligned_u64 rflags;
	__aligned_u64 cs;
	__aligned_u64 ss;
	__aligned_u64 cr2;
	__aligned_u64 kernel_cr3_pfn;
	__aligned_u64 user_cr3_pfn;
	__aligned_u64 fs_base;
	__aligned_u64 gs_base;
};
#define RF_REGS_KERNEL		(1U << 1)
#define RF_GET_REGS		_IO(RF_IOCTL_TYPE, 0x23)

#endif /* _UAPI_RINGFENCE_H */
