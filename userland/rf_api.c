// SPDX-License-Identifier: GPL-2.0
/*
 * rf_api.c - one function per ioctl; the only ioctl(2) to the module
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "rf_api.h"

static int call(int fd, unsigned long nr, void *arg)
{
	int ret = ioctl(fd, nr, arg);

	return ret < 0 ? -errno : ret;
}

int rf_api_open(void)
{
	int fd = open(RF_DEVICE, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int rf_api_get_info(int system_fd, struct rf_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	return call(system_fd, RF_GET_INFO, info);
}

int rf_api_create_nic(int system_fd, struct rf_create_nic *create)
{
	create->size = sizeof(*create);
	return call(system_fd, RF_CREATE_NIC, create);
}

int rf_api_create_vm(int system_fd, const char *name, unsigned int max_vcpus)
{
	struct rf_create_vm create = {
		.size = sizeof(create),
		.max_vcpus = max_vcpus,
	};
	int ret;

	snprintf(create.name, sizeof(create.name), "%s", name);
	do {
		ret = call(system_fd, RF_CREATE_VM, &create);
	} while (ret == -EINTR);
	return ret;
}

int rf_api_set_memory(int vm_fd, uint64_t guest_pfn, uint64_t nr_pages,
		      const void *memory)
{
	struct rf_set_memory set = {
		.size = sizeof(set),
		.guest_pfn = guest_pfn,
		.nr_pages = nr_pages,
		.user_va = (uintptr_t)memory,
	};

	return call(vm_fd, RF_SET_MEMORY, &set);
}

int rf_api_set_domain(int vm_fd, uint64_t shared_info_pfn, uint64_t nr_pages)
{
	struct rf_set_domain set = {
		.size = sizeof(set),
		.shared_info_pfn = shared_info_pfn,
		.nr_pages = nr_pages,
		.nr_p2m_pages = nr_pages,
	};

	return call(vm_fd, RF_SET_DOMAIN, &set);
}

int rf_api_create_vcpu(int vm_fd, unsigned int id)
{
	struct rf_create_vcpu create = {
		.size = sizeof(create),
		.vcpu_id = id,
	};

	return call(vm_fd, RF_CREATE_VCPU, &create);
}

int rf_api_bind_port(int vm_fd, int to_launcher, int from_launcher)
{
	struct rf_bind_port bind = {
		.size = sizeof(bind),
		.to_launcher = to_launcher,
		.from_launcher = from_launcher,
	};
	int ret = call(vm_fd, RF_BIND_PORT, &bind);

	return ret < 0 ? ret : (int)bind.port;
}

int rf_api_get_state(int vm_fd, struct rf_vm_state *state)
{
	memset(state, 0, sizeof(*state));
	state->size = sizeof(*state);
	return call(vm_fd, RF_GET_STATE, state);
}

int rf_api_kill(int vm_fd)
{
	struct rf_kill kill = { .size = sizeof(kill) };

	return call(vm_fd, RF_KILL, &kill);
}

int rf_api_rebind_port(int vm_fd, unsigned int port, int to_launcher,
		       int from_launcher)
{
	struct rf_bind_port bind = {
		.size = sizeof(bind),
		.flags = RF_BIND_RESTORED,
		.to_launcher = to_launcher,
		.from_launcher = from_launcher,
		.port = port,
	};

	return call(vm_fd, RF_BIND_PORT, &bind);
}

int rf_api_save_state(int vm_fd, void *buffer, size_t *len)
{
	struct rf_state_buffer state = {
		.size = sizeof(state),
		.buffer = (uintptr_t)buffer,
		.len = *len,
	};
	int ret = call(vm_fd, RF_SAVE_STATE, &state);

	*len = state.len;
	return ret;
}

int rf_api_load_state(int vm_fd, const void *buffer, size_t len)
{
	struct rf_state_buffer state = {
		.size = sizeof(state),
		.buffer = (uintptr_t)buffer,
		.len = len,
	};

	return call(vm_fd, RF_LOAD_STATE, &state);
}

int rf_api_add_block(int vm_fd, struct rf_add_block *add)
{
	add->size = sizeof(*add);
	return call(vm_fd, RF_ADD_BLOCK, add);
}

int rf_api_add_net(int vm_fd, struct rf_add_net *add)
{
	add->size = sizeof(*add);
	return call(vm_fd, RF_ADD_NET, add);
}

int rf_api_add_device(int vm_fd, unsigned int device_id)
{
	struct rf_add_device add = { .size = sizeof(add), .device_id = device_id };

	return call(vm_fd, RF_ADD_DEVICE, &add);
}

int rf_api_remove_device(int vm_fd, unsigned int slot, bool force)
{
	struct rf_remove_device remove = {
		.size = sizeof(remove),
		.flags = force ? RF_REMOVE_FORCE : 0,
		.slot = slot,
	};

	return call(vm_fd, RF_REMOVE_DEVICE, &remove);
}

int rf_api_get_device(int vm_fd, unsigned int slot,
		      struct rf_device_state *state)
{
	memset(state, 0, sizeof(*state));
	state->size = sizeof(*state);
	state->slot = slot;
	return call(vm_fd, RF_GET_DEVICE, state);
}

int rf_api_balloon(int vm_fd, struct rf_balloon *balloon)
{
	balloon->size = sizeof(*balloon);
	return call(vm_fd, RF_BALLOON, balloon);
}

int rf_api_get_stats(int fd, struct rf_stats *stats, uint64_t *counters,
		     size_t nr)
{
	memset(stats, 0, sizeof(*stats));
	stats->size = sizeof(*stats);
	stats->nr_counters = nr;
	stats->counters = (uintptr_t)counters;
	return call(fd, RF_GET_STATS, stats);
}

int rf_api_set_regs(int vcpu_fd, struct rf_set_regs *regs)
{
	regs->size = sizeof(*regs);
	return call(vcpu_fd, RF_SET_REGS, regs);
}

int rf_api_get_regs(int vcpu_fd, struct rf_get_regs *regs)
{
	memset(regs, 0, sizeof(*regs));
	regs->size = sizeof(*regs);
	return call(vcpu_fd, RF_GET_REGS, regs);
}

/*
 * The vector registers hold anything afterwards: to the compiler this is a
 * call like any other, but the control words survive calls and must be put
 * back by hand, and x87 left as the calling convention wants it.
 */
int rf_api_run(int vcpu_fd, struct rf_run *run)
{
	uint32_t mxcsr;
	uint16_t control;
	int ret;

	run->size = sizeof(*run);
	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(control));
	ret = ioctl(vcpu_fd, RF_VCPU_RUN, run);
	asm volatile("fninit; fldcw %1; ldmxcsr %0"
		     : : "m"(mxcsr), "m"(control) : "memory");
	return ret < 0 ? -errno : ret;
}
