// SPDX-License-Identifier: GPL-2.0
/*
 * bus.c - a VM's slots, and what is the same for every device in one
 *
 * The guest's side is uapi/ringfence_guest.h.  Status, features and
 * configuration are the virtio specification's (1.2, sections 2.1 to 2.5).
 */
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/rwsem.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <uapi/linux/virtio_config.h>

#include "../event/event.h"
#include "../vm.h"
#include "backend.h"

#define STATUS_ALL	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |		\
			 VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK |	\
			 VIRTIO_CONFIG_S_FAILED)

/**
 * struct rf_bus - a VM's bus
 * @lock: Slots; for reading: devices stay
 * @slots: Devices, or NULL
 * @next_instance: Of the next device
 * @port_lock: Making the port
 * @port: The bus's own event channel, 0: none yet
 */
struct rf_bus {
	struct rw_semaphore lock;	/* slots */
	struct rf_device *slots[RF_GUEST_MAX_SLOTS];
	u32 next_instance;

	struct mutex port_lock;		/* making the port */
	u32 port;
};

/* --- a device ------------------------------------------------------------------------ */

/* A ring that a thread of the host's has to serve, in the launcher's memory. */
static void serve_work(struct work_struct *work)
{
	struct rf_queue *q = container_of(work, struct rf_queue, work.work);
	struct mm_struct *mm = q->dev->vm->mm;

	if (!mmget_not_zero(mm))
		return;
	kthread_use_mm(mm);
	rf_queue_serve(q);
	kthread_unuse_mm(mm);
	mmput(mm);
}

static int queue_init(struct rf_device *dev, u32 index)
{
	struct rf_queue *q = &dev->queues[index];

	q->dev = dev;
	q->index = index;
	mutex_init(&q->serve_lock);
	spin_lock_init(&q->used_lock);
	INIT_DELAYED_WORK(&q->work, serve_work);
	q->table = kcalloc(RF_MAX_SEGMENTS, sizeof(*q->table), GFP_KERNEL_ACCOUNT);
	return q->table ? 0 : -ENOMEM;
}

void rf_device_free_queues(struct rf_device *dev)
{
	u32 i;

	for (i = 0; dev->queues && i < dev->nr_queues; i++)
		kfree(dev->queues[i].table);
	kvfree(dev->queues);
	dev->queues = NULL;
}

int rf_device_init(struct rf_device *dev, struct rf_vm *vm, const struct rf_device_ops *ops,
		   u32 device_id, u32 nr_queues, u32 queue_num)
{
	u32 i;

	if (!nr_queues || nr_queues > RF_GUEST_MAX_QUEUES || queue_num < 2 ||
	    queue_num > RF_GUEST_MAX_QUEUE_NUM || !is_power_of_2(queue_num))
		return -EINVAL;

	dev->vm = vm;
	dev->ops = ops;
	dev->device_id = device_id;
	dev->queue_num = queue_num;
	dev->nr_queues = nr_queues;
	dev->offered = BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
		       BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	mutex_init(&dev->lock);
	init_waitqueue_head(&dev->idle);

	dev->queues = kvcalloc(nr_queues, sizeof(*dev->queues), GFP_KERNEL_ACCOUNT);
	if (!dev->queues)
		return -ENOMEM;
	for (i = 0; i < nr_queues; i++)
		if (queue_init(dev, i)) {
			rf_device_free_queues(dev);
			return -ENOMEM;
		}
	return 0;
}

void rf_bus_tell(struct rf_vm *vm)
{
	u32 port = READ_ONCE(vm->bus->port);

	if (port)
		rf_evtchn_raise(vm, port);
}

void rf_device_set_config(struct rf_device *dev, u32 offset, const void *data, u32 len)
{
	if (WARN_ON_ONCE(offset > dev->config_len || len > dev->config_len - offset))
		return;
	mutex_lock(&dev->lock);
	memcpy(dev->config + offset, data, len);
	dev->generation++;
	mutex_unlock(&dev->lock);
	rf_bus_tell(dev->vm);
}

void rf_device_broken(struct rf_device *dev)
{
	WRITE_ONCE(dev->broken, true);
	rf_bus_tell(dev->vm);
}

/* Nothing of the guest's memory is in use afterwards. */
static void device_reset(struct rf_device *dev)
{
	u32 i;

	lockdep_assert_held(&dev->lock);

	WRITE_ONCE(dev->running, false);
	for (i = 0; i < dev->nr_queues; i++) {
		/* Who serves it now has finished when the lock is free. */
		mutex_lock(&dev->queues[i].serve_lock);
		mutex_unlock(&dev->queues[i].serve_lock);
		cancel_delayed_work_sync(&dev->queues[i].work);
	}
	if (dev->ops->stop && (dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		dev->ops->stop(dev);
	rf_device_drain(dev);
	for (i = 0; i < dev->nr_queues; i++) {
		mutex_lock(&dev->queues[i].serve_lock);
		/* One that was asked for while the device stopped. */
		cancel_delayed_work(&dev->queues[i].work);
		rf_ring_unmap(&dev->queues[i]);
		dev->queues[i].port = 0;
		mutex_unlock(&dev->queues[i].serve_lock);
	}
	dev->status = 0;
	dev->features = 0;
	WRITE_ONCE(dev->broken, false);
}

/* It is on no bus any more. */
static void device_destroy(struct rf_device *dev)
{
	u32 i;

	mutex_lock(&dev->lock);
	device_reset(dev);
	mutex_unlock(&dev->lock);
	for (i = 0; i < dev->nr_queues; i++)
		cancel_delayed_work_sync(&dev->queues[i].work);
	dev->ops->destroy(dev);
}

/* --- slots ----------------------------------------------------------------------------- */

int rf_bus_vm_init(struct rf_vm *vm)
{
	struct rf_bus *bus = kzalloc(sizeof(*bus), GFP_KERNEL_ACCOUNT);

	if (!bus)
		return -ENOMEM;
	init_rwsem(&bus->lock);
	mutex_init(&bus->port_lock);
	vm->bus = bus;
	return 0;
}

void rf_bus_vm_exit(struct rf_vm *vm)
{
	struct rf_bus *bus = vm->bus;
	u32 slot;

	if (!bus)
		return;
	for (slot = 0; slot < RF_GUEST_MAX_SLOTS; slot++)
		if (bus->slots[slot])
			device_destroy(bus->slots[slot]);
	kfree(bus);
	vm->bus = NULL;
}

static struct rf_device *device_at(struct rf_bus *bus, u32 slot)
{
	lockdep_assert_held(&bus->lock);

	if (slot >= RF_GUEST_MAX_SLOTS)
		return NULL;
	return bus->slots[array_index_nospec(slot, RF_GUEST_MAX_SLOTS)];
}

/* The device in a slot, which stays, and stays as it is; or NULL. */
static struct rf_device *device_lock(struct rf_bus *bus, u32 slot)
{
	struct rf_device *dev;

	down_read(&bus->lock);
	dev = device_at(bus, slot);
	if (dev)
		mutex_lock(&dev->lock);
	else
		up_read(&bus->lock);
	return dev;
}

static void device_unlock(struct rf_bus *bus, struct rf_device *dev)
{
	mutex_unlock(&dev->lock);
	up_read(&bus->lock);
}

static struct rf_device *device_of_kind(struct rf_bus *bus, u32 device_id)
{
	u32 slot;

	for (slot = 0; slot < RF_GUEST_MAX_SLOTS; slot++)
		if (bus->slots[slot] && bus->slots[slot]->device_id == device_id)
			return bus->slots[slot];
	return NULL;
}

static int bus_add(struct rf_bus *bus, struct rf_device *dev, bool only)
{
	u32 slot;

	if (only && device_of_kind(bus, dev->device_id))
		return -EEXIST;
	for (slot = 0; slot < RF_GUEST_MAX_SLOTS; slot++)
		if (!bus->slots[slot]) {
			dev->slot = slot;
			dev->instance = ++bus->next_instance;
			bus->slots[slot] = dev;
			return slot;
		}
	return -ENOSPC;
}

int rf_bus_add(struct rf_vm *vm, struct rf_device *dev, bool only)
{
	int slot;

	down_write(&vm->bus->lock);
	slot = bus_add(vm->bus, dev, only);
	up_write(&vm->bus->lock);
	if (slot >= 0)
		rf_bus_tell(vm);
	return slot;
}

/* Unless it is gone by now: a slot's next device is another instance. */
static void bus_destroy(struct rf_vm *vm, u32 slot, u32 instance)
{
	struct rf_bus *bus = vm->bus;
	struct rf_device *dev;

	down_write(&bus->lock);
	dev = device_at(bus, slot);
	if (dev && dev->instance == instance)
		bus->slots[slot] = NULL;
	else
		dev = NULL;
	up_write(&bus->lock);

	if (dev)
		device_destroy(dev);
	rf_bus_tell(vm);
}

int rf_bus_remove(struct rf_vm *vm, u32 slot, bool force)
{
	struct rf_device *dev = device_lock(vm->bus, slot);
	bool now;
	u32 instance;

	if (!dev)
		return slot < RF_GUEST_MAX_SLOTS ? -ENODEV : -EINVAL;
	dev->leaving = true;
	instance = dev->instance;
	now = force || !dev->status;
	device_unlock(vm->bus, dev);

	if (now)
		bus_destroy(vm, slot, instance);
	else
		rf_bus_tell(vm);
	return now ? 0 : -EINPROGRESS;
}

struct rf_device *rf_bus_lookup(struct rf_vm *vm, u32 device_id)
{
	struct rf_bus *bus = vm->bus;
	struct rf_device *dev;

	down_read(&bus->lock);
	dev = device_of_kind(bus, device_id);
	if (!dev)
		up_read(&bus->lock);
	return dev;
}

void rf_bus_unlock(struct rf_vm *vm)
{
	up_read(&vm->bus->lock);
}

bool rf_bus_is_idle(struct rf_vm *vm)
{
	struct rf_bus *bus = vm->bus;
	struct rf_device *dev;
	bool idle = !READ_ONCE(bus->port);
	u32 slot;

	for (slot = 0; slot < RF_GUEST_MAX_SLOTS; slot++) {
		dev = device_lock(bus, slot);
		if (!dev)
			continue;
		idle &= !dev->status && !READ_ONCE(dev->broken);
		device_unlock(bus, dev);
	}
	return idle;
}

static u32 device_status(const struct rf_device *dev)
{
	return dev->status | (READ_ONCE(dev->broken) ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

int rf_bus_get_state(struct rf_vm *vm, struct rf_device_state *state)
{
	u32 size = state->size, slot = state->slot;
	struct rf_device *dev;

	if (slot >= RF_GUEST_MAX_SLOTS)
		return -EINVAL;
	*state = (struct rf_device_state) { .size = size, .slot = slot };
	dev = device_lock(vm->bus, slot);
	if (!dev)
		return 0;
	state->device_id = dev->device_id;
	state->instance = dev->instance;
	state->status = device_status(dev);
	state->nr_queues = dev->nr_queues;
	state->doorbells = atomic64_read(&dev->doorbells);
	state->events = atomic64_read(&dev->events);
	state->requests = atomic64_read(&dev->requests);
	state->read_bytes = atomic64_read(&dev->read_bytes);
	state->written_bytes = atomic64_read(&dev->written_bytes);
	state->errors = atomic64_read(&dev->errors);
	device_unlock(vm->bus, dev);
	return 0;
}

/* --- what the guest asks ----------------------------------------------------------------- */

int rf_bus_info(struct rf_vm *vm, struct rf_guest_bus_info *info)
{
	struct rf_bus *bus = vm->bus;
	int port;

	mutex_lock(&bus->port_lock);
	if (!rf_evtchn_is_device(vm, bus->port)) {
		port = rf_evtchn_bind_device(vm);
		if (port > 0)
			WRITE_ONCE(bus->port, port);
	} else {
		port = bus->port;
	}
	mutex_unlock(&bus->port_lock);
	if (port < 0)
		return port;

	*info = (struct rf_guest_bus_info) {
		.version	= RF_GUEST_VERSION,
		.nr_slots	= RF_GUEST_MAX_SLOTS,
		.port		= port,
	};
	return 0;
}

int rf_bus_device_info(struct rf_vm *vm, struct rf_guest_device_info *info)
{
	struct rf_device *dev;
	u32 slot = info->slot;

	if (slot >= RF_GUEST_MAX_SLOTS)
		return -EINVAL;
	*info = (struct rf_guest_device_info) { .slot = slot };
	dev = device_lock(vm->bus, slot);
	if (!dev)
		return 0;
	info->device_id = dev->device_id;
	info->instance = dev->instance;
	info->generation = dev->generation;
	info->nr_queues = dev->nr_queues;
	info->config_len = dev->config_len;
	info->features = dev->offered;
	info->flags = dev->leaving ? RF_GUEST_DEVICE_LEAVING : 0;
	device_unlock(vm->bus, dev);
	return 0;
}

static bool config_range_ok(const struct rf_device *dev, const struct rf_guest_config *config)
{
	return config->len && config->len <= dev->config_len &&
	       config->offset <= dev->config_len - config->len;
}

static int device_read_config(struct rf_device *dev, struct rf_guest_config *config)
{
	if (!config_range_ok(dev, config))
		return -EINVAL;
	memcpy(config->data, dev->config + config->offset, config->len);
	config->generation = dev->generation;
	return 0;
}

static int device_write_config(struct rf_device *dev, const struct rf_guest_config *config)
{
	if (!config_range_ok(dev, config) || !dev->ops->set_config)
		return -EINVAL;
	return dev->ops->set_config(dev, config->offset, config->len, config->data);
}

static int device_set_features(struct rf_device *dev, u64 features)
{
	if (dev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		return -EBUSY;
	if ((features & ~dev->offered) || !(features & BIT_ULL(VIRTIO_F_VERSION_1)))
		return -EINVAL;
	dev->features = features;
	return 0;
}

static int device_set_status(struct rf_device *dev, u32 status)
{
	u32 new = status & ~dev->status;
	int err;

	if (!status) {
		device_reset(dev);
		return 0;
	}
	/* The host's own bit comes back with the rest. */
	status &= ~VIRTIO_CONFIG_S_NEEDS_RESET;
	if ((status & ~STATUS_ALL) || (dev->status & ~status))
		return -EINVAL;
	if ((new & VIRTIO_CONFIG_S_FEATURES_OK) && !rf_device_has(dev, VIRTIO_F_VERSION_1))
		status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	if (new & VIRTIO_CONFIG_S_DRIVER_OK) {
		if (!(status & VIRTIO_CONFIG_S_FEATURES_OK))
			return -EINVAL;
		err = dev->ops->start ? dev->ops->start(dev) : 0;
		if (err)
			return err;
		WRITE_ONCE(dev->running, true);
	}
	dev->status = status;
	return 0;
}

static int device_queue_info(struct rf_device *dev, struct rf_guest_queue_info *info)
{
	if (info->queue >= dev->nr_queues)
		return -EINVAL;
	info->queue = array_index_nospec(info->queue, dev->nr_queues);
	info->max_num = dev->queue_num;
	info->port = dev->queues[info->queue].port;
	return 0;
}

static bool queue_set_ok(const struct rf_device *dev, const struct rf_guest_queue *set)
{
	return set->num >= 2 && set->num <= dev->queue_num && is_power_of_2(set->num) &&
	       !(set->desc % 16) && !(set->driver % 2) && !(set->device % 4);
}

static int device_queue_set(struct rf_device *dev, struct rf_guest_queue *set)
{
	struct rf_queue *q;
	int err, port;

	if (set->queue >= dev->nr_queues || !queue_set_ok(dev, set))
		return -EINVAL;
	q = &dev->queues[array_index_nospec(set->queue, dev->nr_queues)];
	if (q->num || !(dev->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    (dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return -EBUSY;

	err = rf_ring_map(q, set);
	if (err)
		return err;
	port = rf_evtchn_bind_device(dev->vm);
	if (port < 0) {
		rf_ring_unmap(q);
		return port;
	}
	q->port = port;
	set->port = port;
	return 0;
}

int rf_bus_read_config(struct rf_vm *vm, struct rf_guest_config *config)
{
	struct rf_device *dev = device_lock(vm->bus, config->slot);
	int err;

	if (!dev)
		return -ENODEV;
	err = device_read_config(dev, config);
	device_unlock(vm->bus, dev);
	return err;
}

int rf_bus_write_config(struct rf_vm *vm, const struct rf_guest_config *config)
{
	struct rf_device *dev = device_lock(vm->bus, config->slot);
	int err;

	if (!dev)
		return -ENODEV;
	err = device_write_config(dev, config);
	device_unlock(vm->bus, dev);
	return err;
}

int rf_bus_set_features(struct rf_vm *vm, const struct rf_guest_features *set)
{
	struct rf_device *dev = device_lock(vm->bus, set->slot);
	int err;

	if (!dev)
		return -ENODEV;
	err = device_set_features(dev, set->features);
	device_unlock(vm->bus, dev);
	return err;
}

int rf_bus_get_status(struct rf_vm *vm, u32 slot)
{
	struct rf_device *dev = device_lock(vm->bus, slot);
	int status;

	if (!dev)
		return -ENODEV;
	status = device_status(dev);
	device_unlock(vm->bus, dev);
	return status;
}

int rf_bus_queue_info(struct rf_vm *vm, struct rf_guest_queue_info *info)
{
	struct rf_device *dev = device_lock(vm->bus, info->slot);
	int err;

	if (!dev)
		return -ENODEV;
	err = device_queue_info(dev, info);
	device_unlock(vm->bus, dev);
	return err;
}

int rf_bus_queue_set(struct rf_vm *vm, struct rf_guest_queue *set)
{
	struct rf_device *dev = device_lock(vm->bus, set->slot);
	int err;

	if (!dev)
		return -ENODEV;
	err = device_queue_set(dev, set);
	device_unlock(vm->bus, dev);
	return err;
}

int rf_bus_set_status(struct rf_vm *vm, u32 slot, u32 status)
{
	struct rf_device *dev = device_lock(vm->bus, slot);
	u32 instance = 0;
	int err;

	if (!dev)
		return -ENODEV;
	err = device_set_status(dev, status);
	/* The guest has let go of what the launcher wants back. */
	if (!err && !status && dev->leaving)
		instance = dev->instance;
	device_unlock(vm->bus, dev);

	if (instance)
		bus_destroy(vm, slot, instance);
	return err;
}

int rf_bus_doorbell(struct rf_vm *vm, u32 slot, u32 queue)
{
	struct rf_bus *bus = vm->bus;
	struct rf_device *dev;
	int err = 0;

	down_read(&bus->lock);
	dev = device_at(bus, slot);
	if (!dev) {
		err = -ENODEV;
	} else if (queue >= dev->nr_queues) {
		err = -EINVAL;
	} else if (!READ_ONCE(dev->running)) {
		err = -EBUSY;
	} else {
		atomic64_inc(&dev->doorbells);
		rf_queue_serve(&dev->queues[array_index_nospec(queue, dev->nr_queues)]);
	}
	up_read(&bus->lock);
	return err;
}
