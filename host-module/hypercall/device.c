// SPDX-License-Identifier: GPL-2.0
/*
 * device.c - the hypercall of uapi/ringfence_guest.h
 */
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "../backend/backend.h"
#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

union device_arg {
	u32 slot;
	struct rf_guest_bus_info bus_info;
	struct rf_guest_device_info device_info;
	struct rf_guest_config config;
	struct rf_guest_features features;
	struct rf_guest_queue_info queue_info;
	struct rf_guest_queue queue;
};

/**
 * struct device_op - an operation whose argument is a struct
 * @fn: Sees a copy
 * @len: Of the struct
 * @copy_back: It has fields that come out
 */
struct device_op {
	int (*fn)(struct rf_vm *vm, union device_arg *arg);
	u32 len;
	bool copy_back;
};

static int bus_info(struct rf_vm *vm, union device_arg *arg)
{
	return rf_bus_info(vm, &arg->bus_info);
}

static int device_info(struct rf_vm *vm, union device_arg *arg)
{
	return rf_bus_device_info(vm, &arg->device_info);
}

static int read_config(struct rf_vm *vm, union device_arg *arg)
{
	return rf_bus_read_config(vm, &arg->config);
}

static int write_config(struct rf_vm *vm, union device_arg *arg)
{
	if (arg->config.len > sizeof(arg->config.data))
		return -EINVAL;
	return rf_bus_write_config(vm, &arg->config);
}

static int set_features(struct rf_vm *vm, union device_arg *arg)
{
	return rf_bus_set_features(vm, &arg->features);
}

static int queue_info(struct rf_vm *vm, union device_arg *arg)
{
	return rf_bus_queue_info(vm, &arg->queue_info);
}

static int queue_set(struct rf_vm *vm, union device_arg *arg)
{
	return rf_bus_queue_set(vm, &arg->queue);
}

#define OP(_nr, _fn, _member, _back)						\
	[_nr] = {								\
		.fn = (_fn), .len = sizeof(((union device_arg *)0)->_member),	\
		.copy_back = (_back),						\
	}

static const struct device_op ops[] = {
	OP(RF_GUEST_BUS_INFO, bus_info, bus_info, true),
	OP(RF_GUEST_DEVICE_INFO, device_info, device_info, true),
	OP(RF_GUEST_READ_CONFIG, read_config, config, true),
	OP(RF_GUEST_WRITE_CONFIG, write_config, config, false),
	OP(RF_GUEST_SET_FEATURES, set_features, features, false),
	OP(RF_GUEST_QUEUE_INFO, queue_info, queue_info, true),
	OP(RF_GUEST_QUEUE_SET, queue_set, queue, true),
};

static long by_struct(struct rf_vcpu *vcpu, u64 nr, u64 gva)
{
	const struct device_op *op;
	union device_arg arg = {};
	long ret;

	if (nr >= ARRAY_SIZE(ops))
		return -ENOSYS;
	op = &ops[array_index_nospec(nr, ARRAY_SIZE(ops))];
	if (!op->fn)
		return -ENOSYS;
	if (rf_guest_read(vcpu, &arg, gva, op->len))
		return -EFAULT;
	ret = op->fn(vcpu->vm, &arg);
	if (!ret && op->copy_back && rf_guest_write(vcpu, gva, &arg, op->len))
		return -EFAULT;
	return ret;
}

/* Slots, queues and status are 32 bits wide. */
long rf_hypercall_device_op(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	u64 slot = args->arg[1], what = args->arg[2];

	switch (args->arg[0]) {
	case RF_GUEST_DOORBELL:
		if (slot > U32_MAX || what > U32_MAX)
			return -EINVAL;
		return rf_bus_doorbell(vcpu->vm, slot, what);
	case RF_GUEST_GET_STATUS:
		return slot > U32_MAX ? -EINVAL : rf_bus_get_status(vcpu->vm, slot);
	case RF_GUEST_SET_STATUS:
		if (slot > U32_MAX || what > U32_MAX)
			return -EINVAL;
		return rf_bus_set_status(vcpu->vm, slot, what);
	default:
		return by_struct(vcpu, args->arg[0], slot);
	}
}
