/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * ringfence_guest.h - what a guest's drivers and the module say to each other
 *
 * A VM has a bus of RF_GUEST_MAX_SLOTS slots.  A device in a slot is a device of
 * the virtio specification 1.x (section 2: status, features, configuration,
 * split virtqueues; section 5: each kind of device), with a transport of its
 * own: hypercalls in place of registers, event channels in place of
 * interrupts.  All numbers are little-endian, all addresses guest physical.
 */
#ifndef _UAPI_RINGFENCE_GUEST_H
#define _UAPI_RINGFENCE_GUEST_H

#include <linux/types.h>

/**
 * DOC: The hypercall
 *
 * SYSCALL from guest kernel mode with RAX = RF_GUEST_HYPERCALL, as every
 * hypercall of the Xen PV ABI (RCX and R11 are lost): RDI is RF_GUEST_*, RSI
 * and RDX the arguments.  Where an argument is the address of a struct, it is a
 * guest virtual address; the struct is read once, and written back whole if it
 * has fields that come out.
 *
 * A hypervisor that is not this one answers ENOSYS.
 *
 *  - ENOSYS: no such operation, or not this hypervisor
 *  - ENODEV: the slot is empty
 *  - EINVAL: a field is wrong
 *  - EFAULT: an address is bad
 *  - EBUSY: not in this state of the device
 *  - ENOMEM, ENOSPC: the host cannot; nothing has changed
 *
 * Only a guest's kernel can make hypercalls.  A device is the VM's, not a
 * vCPU's: any vCPU may ask, and two that ask for the same device are served one
 * after the other.
 */
#define RF_GUEST_HYPERCALL	55

#define RF_GUEST_BUS_INFO	0	/* struct rf_guest_bus_info */
#define RF_GUEST_DEVICE_INFO	1	/* struct rf_guest_device_info */
#define RF_GUEST_READ_CONFIG	2	/* struct rf_guest_config */
#define RF_GUEST_WRITE_CONFIG	3	/* struct rf_guest_config */
#define RF_GUEST_SET_FEATURES	4	/* struct rf_guest_features */
#define RF_GUEST_GET_STATUS	5	/* slot; returns the status */
#define RF_GUEST_SET_STATUS	6	/* slot, status */
#define RF_GUEST_QUEUE_INFO	7	/* struct rf_guest_queue_info */
#define RF_GUEST_QUEUE_SET	8	/* struct rf_guest_queue */
#define RF_GUEST_DOORBELL	9	/* slot, queue */

#define RF_GUEST_VERSION	1
#define RF_GUEST_MAX_SLOTS	32
#define RF_GUEST_MAX_QUEUES	64	/* of one device */
#define RF_GUEST_MAX_QUEUE_NUM	1024	/* descriptors in a queue */
#define RF_GUEST_MAX_CONFIG	256	/* bytes of configuration */

/**
 * struct rf_guest_bus_info - RF_GUEST_BUS_INFO
 * @version: Out: RF_GUEST_VERSION; a higher one still serves this header
 * @nr_slots: Out: slots are 0 to @nr_slots - 1
 * @port: Out: event channel of the bus
 * @reserved: Out: 0
 *
 * The port is raised when a device has come or gone and when the configuration
 * of one has changed: the guest then looks at each slot.  It is made by the
 * first call; after the guest has closed it, another call makes a new one.
 *
 * Return: 0, -ENOSPC if the guest has its most ports.
 */
struct rf_guest_bus_info {
	__u32 version;
	__u32 nr_slots;
	__u32 port;
	__u32 reserved;
};

/**
 * struct rf_guest_device_info - RF_GUEST_DEVICE_INFO
 * @slot: In: slot
 * @device_id: Out: kind of device, virtio specification section 5; 0: empty
 * @instance: Out: differs for each device that has ever been in the slot
 * @generation: Out: differs after each change of the configuration
 * @nr_queues: Out: queues are 0 to @nr_queues - 1
 * @config_len: Out: bytes of configuration
 * @features: Out: feature bits offered
 * @flags: Out: RF_GUEST_DEVICE_*
 * @reserved: Out: 0
 *
 * Return: 0; an empty slot is no error.
 */
struct rf_guest_device_info {
	__u32 slot;
	__u32 device_id;
	__u32 instance;
	__u32 generation;
	__u32 nr_queues;
	__u32 config_len;
	__u64 features;
	__u32 flags;
	__u32 reserved;
};
#define RF_GUEST_DEVICE_LEAVING	(1U << 0)	/* the host wants it back: let go */

/**
 * struct rf_guest_config - RF_GUEST_READ_CONFIG, RF_GUEST_WRITE_CONFIG
 * @slot: In: slot
 * @offset: In: first byte
 * @len: In: bytes, 1 to RF_GUEST_MAX_CONFIG
 * @generation: Out: of the configuration that was read
 * @data: Out: bytes read; in: bytes to write
 *
 * One call is one moment: what it reads fits together.
 *
 * Return: 0, -EINVAL beyond the end of the configuration or (WRITE) for a field
 * that only the host sets.
 */
struct rf_guest_config {
	__u32 slot;
	__u32 offset;
	__u32 len;
	__u32 generation;
	__u8 data[RF_GUEST_MAX_CONFIG];
};

/**
 * struct rf_guest_features - RF_GUEST_SET_FEATURES
 * @slot: In: slot
 * @reserved: 0
 * @features: In: feature bits accepted; VIRTIO_F_VERSION_1 must be among them
 *
 * Return: 0, -EINVAL for a bit that is not offered, -EBUSY once FEATURES_OK.
 */
struct rf_guest_features {
	__u32 slot;
	__u32 reserved;
	__u64 features;
};

/**
 * struct rf_guest_queue_info - RF_GUEST_QUEUE_INFO
 * @slot: In: slot
 * @queue: In: queue
 * @max_num: Out: most descriptors, a power of 2
 * @port: Out: event channel of the queue, 0 if it is not set up
 *
 * Return: 0, -EINVAL if there is no such queue.
 */
struct rf_guest_queue_info {
	__u32 slot;
	__u32 queue;
	__u32 max_num;
	__u32 port;
};

/**
 * struct rf_guest_queue - RF_GUEST_QUEUE_SET
 * @slot: In: slot
 * @queue: In: queue
 * @num: In: descriptors, a power of 2, 2 to the max_num of RF_GUEST_QUEUE_INFO
 * @port: Out: event channel that says that there is something in the used ring
 * @desc: In: descriptor table, 16 bytes each, aligned to 16
 * @driver: In: available ring, aligned to 2
 * @device: In: used ring, aligned to 4
 *
 * The pages of the three are held by the host until the device is reset.  The
 * port is the guest's to bind to a vCPU, and to close: after it has reset the
 * device, for the host closes none, and goes on raising this number until
 * then.  A queue is set up once between two resets.
 *
 * Queues have no gaps: where the features that were accepted leave out a queue of
 * the specification, it takes no number, and those behind it move up.  So the
 * balloon's queue of free page reports is 3 with that of statistics, and 2
 * without it.
 *
 * Return: 0, -EBUSY if the queue is set up, or the device is not between
 * FEATURES_OK and DRIVER_OK; -EFAULT for memory the guest does not have;
 * -ENOSPC if the guest has its most ports.
 */
struct rf_guest_queue {
	__u32 slot;
	__u32 queue;
	__u32 num;
	__u32 port;
	__u64 desc;
	__u64 driver;
	__u64 device;
};

/**
 * DOC: Status, and the doorbell
 *
 * RF_GUEST_SET_STATUS writes the virtio status (section 2.1).  0 resets the
 * device: when the call returns, nothing of the guest's memory is used any
 * more, and all queues are as never set up.  A bit that was set can only go by
 * a reset.  FEATURES_OK (8) that does not stick
 * (GET_STATUS) means that the features were refused.  The host sets
 * NEEDS_RESET (0x40) when the guest has broken the device's rules, and serves
 * it no more until it is reset.
 *
 * RF_GUEST_DOORBELL: there is something in the available ring.  It is served
 * before the call returns, as far as that can be done without waiting; what was
 * finished is in the used ring by then, and raises no event unless the guest
 * has asked for one by the ring's used_event.  So a driver that keeps
 * used_event away, rings, and then looks needs no interrupt for what was quick.
 *
 * Return: 0, -ENODEV, -EINVAL for a queue that does not exist, -EBUSY if it is
 * not set up, or the device not DRIVER_OK.
 */

#endif /* _UAPI_RINGFENCE_GUEST_H */
