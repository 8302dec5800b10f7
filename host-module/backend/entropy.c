// SPDX-License-Identifier: GPL-2.0
/*
 * entropy.c - the host's random numbers (virtio specification 1.2, section 5.4)
 */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/string.h>

#include <uapi/linux/virtio_ids.h>

#include "../vm.h"
#include "backend.h"

/* Of one request: a driver asks for less, and one that does not gets this. */
#define MAX_BYTES	256
#define QUEUE_NUM	8

struct rf_entropy {
	struct rf_device dev;
	struct rf_chain chain;		/* serve_lock */
};

static u32 entropy_fill(struct rf_device *dev, const struct rf_chain *chain)
{
	u32 len = min_t(u32, chain->write_len, MAX_BYTES);
	u8 bytes[MAX_BYTES];

	get_random_bytes(bytes, len);
	if (rf_chain_write(dev->vm, chain, 0, bytes, len)) {
		atomic64_inc(&dev->errors);
		len = 0;
	}
	memzero_explicit(bytes, sizeof(bytes));
	atomic64_add(len, &dev->read_bytes);
	return len;
}

static void entropy_serve(struct rf_queue *q)
{
	struct rf_entropy *entropy = container_of(q->dev, struct rf_entropy, dev);
	struct rf_chain *chain = &entropy->chain;

	while (rf_queue_next(q, chain) > 0)
		rf_queue_finish(q, chain->head, entropy_fill(q->dev, chain));
}

static void entropy_destroy(struct rf_device *dev)
{
	rf_device_free_queues(dev);
	kfree(container_of(dev, struct rf_entropy, dev));
}

static const struct rf_device_ops entropy_ops = {
	.serve		= entropy_serve,
	.destroy	= entropy_destroy,
};

int rf_entropy_add(struct rf_vm *vm, struct rf_add_device *add)
{
	struct rf_entropy *entropy;
	int slot;

	entropy = kzalloc(sizeof(*entropy), GFP_KERNEL_ACCOUNT);
	if (!entropy)
		return -ENOMEM;
	slot = rf_device_init(&entropy->dev, vm, &entropy_ops, VIRTIO_ID_RNG, 1, QUEUE_NUM);
	if (!slot)
		slot = rf_bus_add(vm, &entropy->dev, true);
	if (slot < 0) {
		entropy_destroy(&entropy->dev);
		return slot;
	}
	add->slot = slot;
	return 0;
}
