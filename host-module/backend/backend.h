/* SPDX-License-Identifier: GPL-2.0 */
/*
 * backend.h - the bus, a device on it, and its rings
 *
 *	hypercall, ioctl --> bus.c --> device (block.c, ...) --> ring.c --> guest memory
 *
 * The bus owns status, features and rings; a device is asked to serve a queue
 * and knows what a request means.
 */
#ifndef RF_BACKEND_H
#define RF_BACKEND_H

#include <linux/atomic.h>
#include <linux/bvec.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/virtio_ring.h>

#include "../../uapi/ringfence.h"
#include "../../uapi/ringfence_guest.h"

struct page;
struct rf_bus;
struct rf_device;
struct rf_queue;
struct rf_vm;

/* What one request may consist of, headers and status included. */
#define RF_MAX_SEGMENTS		130

/**
 * struct rf_segment - a piece of guest memory that belongs to a request
 * @gpa: Guest physical address; not checked yet
 * @len: Bytes
 * @write: The device writes there; else it reads
 */
struct rf_segment {
	u64 gpa;
	u32 len;
	bool write;
};

/**
 * struct rf_chain - a request as it came out of a ring
 * @head: By which it is given back
 * @nr: Segments
 * @read_len: Bytes of the segments the device reads; these come first
 * @write_len: Bytes of those it writes
 * @segments: What the descriptors said, copied once
 */
struct rf_chain {
	u16 head;
	u16 nr;
	u32 read_len;
	u32 write_len;
	struct rf_segment segments[RF_MAX_SEGMENTS];
};

/**
 * struct rf_used - a request that is given back
 * @head: Of its chain
 * @written: Bytes written to it from its beginning
 */
struct rf_used {
	u16 head;
	u32 written;
};

/**
 * struct rf_device_ops - what a kind of device can do
 * @start: The driver is ready (DRIVER_OK); features are final.  May be NULL
 * @stop: Reset, or the device goes: begin nothing more, and return when
 *	nothing is under way.  Nothing is served meanwhile.  May be NULL
 * @serve: Take what is in the queue and serve it as far as it goes without
 *	waiting.  In the launcher's address space, q->serve_lock held; sleeps
 * @set_config: The driver has written @len bytes at @offset, which lie inside
 *	the configuration; store what it may change.  0 or -EINVAL.  NULL: it may
 *	change nothing
 * @destroy: Free what holds @dev; stopped, and off the bus
 *
 * @start, @stop, @set_config: dev->lock held.
 */
struct rf_device_ops {
	int (*start)(struct rf_device *dev);
	void (*stop)(struct rf_device *dev);
	void (*serve)(struct rf_queue *q);
	int (*set_config)(struct rf_device *dev, u32 offset, u32 len, const u8 *data);
	void (*destroy)(struct rf_device *dev);
};

/* A part of a ring: pinned guest pages, seen as one piece. */
struct rf_ring_area {
	struct page **pages;
	u32 nr_pages;
	void *map;
};

/**
 * struct rf_queue - a split virtqueue, as its device sees it
 * @dev: The device
 * @index: Of @dev->queues
 * @num: Descriptors; 0 until the guest has set it up
 * @port: Event channel
 * @broken: The guest has broken the rules: nothing is taken any more
 * @serve_lock: One serves at a time; see rf_queue_next()
 * @last_avail: Next entry of the available ring to look at
 * @budget: Requests it may still take before others have their turn
 * @table: Copy of an indirect table, RF_MAX_SEGMENTS
 * @work: Serves it later, see rf_queue_serve_later()
 * @used_lock: Used ring; irq-safe
 * @used_idx: Next entry of the used ring
 * @signalled: @used_idx when the guest was last told, for the event index
 */
struct rf_queue {
	struct rf_device *dev;
	u32 index;
	u32 num;
	u32 port;
	bool broken;

	struct mutex serve_lock;	/* taking requests */
	u16 last_avail;
	u32 budget;
	struct vring_desc *table;
	struct delayed_work work;

	spinlock_t used_lock;		/* giving them back */
	u16 used_idx;
	u16 signalled;

	const struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	struct rf_ring_area areas[3];
};

/**
 * struct rf_device - a device in a slot
 * @vm: The VM
 * @ops: Its kind
 * @device_id: Of the virtio specification
 * @slot: Slot, once it is on the bus
 * @instance: Differs for each device that has ever been in the slot
 * @offered: Feature bits
 * @features: Those the driver accepted
 * @queue_num: Most descriptors of a queue
 * @nr_queues: Queues
 * @queues: Array of them; made by rf_device_init()
 * @lock: Status, features, set-up of queues, configuration
 * @status: Virtio status
 * @config: Configuration space, little-endian
 * @config_len: Of it
 * @generation: Of it
 * @leaving: The launcher wants it back
 * @running: DRIVER_OK: queues are served
 * @broken: The guest has broken the rules, see rf_device_broken()
 * @in_flight: Requests taken and not given back
 * @idle: For @in_flight to become 0
 */
struct rf_device {
	struct rf_vm *vm;
	const struct rf_device_ops *ops;
	u32 device_id;
	u32 slot;
	u32 instance;
	u64 offered;
	u64 features;
	u32 queue_num;
	u32 nr_queues;
	struct rf_queue *queues;

	struct mutex lock;		/* what the guest configures */
	u32 status;
	u8 config[RF_GUEST_MAX_CONFIG];
	u32 config_len;
	u32 generation;
	bool leaving;
	bool running;
	bool broken;

	atomic_t in_flight;
	wait_queue_head_t idle;

	atomic64_t doorbells;
	atomic64_t events;
	atomic64_t requests;
	atomic64_t read_bytes;
	atomic64_t written_bytes;
	atomic64_t errors;
};

static inline bool rf_device_has(const struct rf_device *dev, unsigned int feature)
{
	return dev->features & (1ULL << feature);
}

/**
 * rf_device_init() - A device, before rf_bus_add()
 * @dev: Inside a struct of the caller, zeroed
 * @vm: The VM
 * @ops: Its kind
 * @device_id: Of the virtio specification
 * @nr_queues: Queues
 * @queue_num: Most descriptors of each, a power of 2
 *
 * Offers VIRTIO_F_VERSION_1, VIRTIO_RING_F_EVENT_IDX and
 * VIRTIO_RING_F_INDIRECT_DESC; the caller adds to @dev->offered and fills in
 * @dev->config.
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int rf_device_init(struct rf_device *dev, struct rf_vm *vm, const struct rf_device_ops *ops,
		   u32 device_id, u32 nr_queues, u32 queue_num);

/* What rf_device_init() allocated: in @destroy, or of a device that is on no bus. */
void rf_device_free_queues(struct rf_device *dev);

/* A change of @dev->config by the host: @len bytes at @offset; tell the guest. */
void rf_device_set_config(struct rf_device *dev, u32 offset, const void *data, u32 len);

/* The guest has broken the device's rules: NEEDS_RESET.  Any context. */
void rf_device_broken(struct rf_device *dev);

/* Wait until every request that was taken has been given back. */
void rf_device_drain(struct rf_device *dev);

/* Its configuration, or whether it is wanted back, is news to the guest. */
void rf_bus_tell(struct rf_vm *vm);

/* --- bus.c ------------------------------------------------------------------------- */

/**
 * rf_bus_add() - Put a device into the lowest free slot
 * @vm: The VM
 * @dev: The device; the bus owns it from then on
 * @only: Not if there is one of its kind
 *
 * Return: the slot, -EEXIST, or -ENOSPC.
 */
int rf_bus_add(struct rf_vm *vm, struct rf_device *dev, bool only);

/* 0 if it is gone, -EINPROGRESS if the guest was asked, -ENODEV, -EINVAL. */
int rf_bus_remove(struct rf_vm *vm, u32 slot, bool force);

/**
 * rf_bus_lookup() - The first device of a kind; it stays until rf_bus_unlock()
 * @vm: The VM
 * @device_id: Of the virtio specification
 *
 * Return: the device with the bus locked, or NULL with the bus not locked.
 */
struct rf_device *rf_bus_lookup(struct rf_vm *vm, u32 device_id);
void rf_bus_unlock(struct rf_vm *vm);

int rf_bus_get_state(struct rf_vm *vm, struct rf_device_state *state);

/* Has the guest no driver for any of it?  Then there is nothing to be saved. */
bool rf_bus_is_idle(struct rf_vm *vm);

int rf_bus_vm_init(struct rf_vm *vm);
void rf_bus_vm_exit(struct rf_vm *vm);

/* What the guest asks; hypercall/device.c has copied the argument. */
int rf_bus_info(struct rf_vm *vm, struct rf_guest_bus_info *info);
int rf_bus_device_info(struct rf_vm *vm, struct rf_guest_device_info *info);
int rf_bus_read_config(struct rf_vm *vm, struct rf_guest_config *config);
int rf_bus_write_config(struct rf_vm *vm, const struct rf_guest_config *config);
int rf_bus_set_features(struct rf_vm *vm, const struct rf_guest_features *features);
int rf_bus_get_status(struct rf_vm *vm, u32 slot);
int rf_bus_set_status(struct rf_vm *vm, u32 slot, u32 status);
int rf_bus_queue_info(struct rf_vm *vm, struct rf_guest_queue_info *info);
int rf_bus_queue_set(struct rf_vm *vm, struct rf_guest_queue *queue);
int rf_bus_doorbell(struct rf_vm *vm, u32 slot, u32 queue);

/* --- ring.c ------------------------------------------------------------------------ */

/* Pin the three parts at the addresses in @set, and start at 0; -EFAULT, -ENOMEM. */
int rf_ring_map(struct rf_queue *q, const struct rf_guest_queue *set);
void rf_ring_unmap(struct rf_queue *q);

/* Serve what is there, if the device runs.  In the launcher's address space. */
void rf_queue_serve(struct rf_queue *q);

/**
 * rf_queue_next() - Take the next request
 * @q: The queue, serve_lock held, in the launcher's address space
 * @chain: Out: the request
 *
 * Counts it as in flight.  A chain that breaks the rules (an index outside the
 * ring, a loop, too many segments, readable after writable) ends the queue.
 *
 * Return: 1; 0 if there is none; -EINVAL if the queue is or has just been ended.
 */
int rf_queue_next(struct rf_queue *q, struct rf_chain *chain);

/**
 * rf_queue_finish() - Give a request back
 * @q: The queue
 * @head: Of its chain
 * @written: Bytes written to it from its beginning
 *
 * Any context.  The guest is not told: that is rf_queue_signal()'s, once for
 * many.  Only for one who serves the queue: in any other context the queue may
 * be gone with its last request, so there it is rf_queue_complete().
 */
void rf_queue_finish(struct rf_queue *q, u16 head, u32 written);

/**
 * rf_queue_finish_all() - Give several requests back as one
 * @q: The queue
 * @used: Heads and bytes written, as rf_queue_finish() takes them
 * @nr: How many
 *
 * The guest sees all of them or none.  Where rf_queue_finish() may be called.
 */
void rf_queue_finish_all(struct rf_queue *q, const struct rf_used *used, u32 nr);

/* Something was finished: raise the event if the guest wants one. */
void rf_queue_signal(struct rf_queue *q);

/* Both, for a request that finishes out of turn.  @q may be gone afterwards. */
void rf_queue_complete(struct rf_queue *q, u16 head, u32 written);

/* Have a thread of the host's serve it, in @delay jiffies. */
void rf_queue_serve_later(struct rf_queue *q, unsigned long delay);

/* Copy from the part of a chain that is read, to the part that is written; -EFAULT. */
int rf_chain_read(struct rf_vm *vm, const struct rf_chain *chain, u32 offset,
		  void *dst, u32 len);
int rf_chain_write(struct rf_vm *vm, const struct rf_chain *chain, u32 offset,
		   const void *src, u32 len);

/**
 * rf_chain_pin() - Pages behind a part of a chain, for I/O
 * @vm: The VM; the caller is in the launcher's address space
 * @chain: The chain
 * @write: Of the part that the device writes, else of the part that it reads
 * @offset: First byte, in that part
 * @len: Bytes
 * @bvecs: Out: pages
 * @max: Room in @bvecs
 *
 * Return: how many, -EFAULT if the guest does not have the memory, -E2BIG if
 * there are more than @max.  To be given back by rf_bvecs_unpin(), in any
 * context.
 */
int rf_chain_pin(struct rf_vm *vm, const struct rf_chain *chain, bool write, u32 offset,
		 u32 len, struct bio_vec *bvecs, u32 max);

/*
 * The same for writing, from the beginning, and for as long as it takes the
 * guest or the world outside: the pages are held where they are.
 */
int rf_chain_hold(struct rf_vm *vm, const struct rf_chain *chain, u32 len,
		  struct bio_vec *bvecs, u32 max);
void rf_bvecs_unpin(struct bio_vec *bvecs, u32 nr, bool dirty);

/* One page for I/O, until rf_bvecs_unpin(); NULL if the guest does not have it. */
struct page *rf_gpa_pin(struct rf_vm *vm, u64 gpa, bool write);

/* --- devices ----------------------------------------------------------------------- */

/* block.c */
int rf_block_add(struct rf_vm *vm, struct rf_add_block *add);

/* nic.c */
int rf_nic_create(struct rf_create_nic *create);
int rf_nic_init(void);
void rf_nic_exit(void);

/* net.c */
int rf_net_add(struct rf_vm *vm, struct rf_add_net *add);

/* entropy.c */
int rf_entropy_add(struct rf_vm *vm, struct rf_add_device *add);

/* balloon.c */
int rf_balloon_add(struct rf_vm *vm, struct rf_add_device *add);
int rf_balloon_control(struct rf_vm *vm, struct rf_balloon *balloon);

#endif /* RF_BACKEND_H */
