/* SPDX-License-Identifier: GPL-2.0 */
/* The module's ioctls as functions.  Each returns what ioctl(2) does, or -errno. */
#ifndef RF_API_H
#define RF_API_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ringfence.h"

#define RF_DEVICE	"/dev/ringfence"

/* System fd. */
int rf_api_open(void);
int rf_api_get_info(int system_fd, struct rf_info *info);
/* Return: a descriptor; out: name, MAC address and index. */
int rf_api_create_nic(int system_fd, struct rf_create_nic *create);
int rf_api_create_vm(int system_fd, const char *name, unsigned int max_vcpus);

/* VM fd. */
int rf_api_set_memory(int vm_fd, uint64_t guest_pfn, uint64_t nr_pages,
		      const void *memory);
int rf_api_set_domain(int vm_fd, uint64_t shared_info_pfn, uint64_t nr_pages);
int rf_api_create_vcpu(int vm_fd, unsigned int id);
/* Return: the port. */
int rf_api_bind_port(int vm_fd, int to_launcher, int from_launcher);
int rf_api_get_state(int vm_fd, struct rf_vm_state *state);
int rf_api_kill(int vm_fd);
/* Give a port eventfds again that was loaded without. */
int rf_api_rebind_port(int vm_fd, unsigned int port, int to_launcher,
		       int from_launcher);
/* @len: room, then what it takes; more than the room if that was too little. */
int rf_api_save_state(int vm_fd, void *buffer, size_t *len);
int rf_api_load_state(int vm_fd, const void *buffer, size_t len);
/* Put a device of a kind, RF_DEVICE_*, on the bus. */
int rf_api_add_block(int vm_fd, struct rf_add_block *add);
int rf_api_add_net(int vm_fd, struct rf_add_net *add);
int rf_api_add_device(int vm_fd, unsigned int device_id);
int rf_api_remove_device(int vm_fd, unsigned int slot, bool force);
int rf_api_get_device(int vm_fd, unsigned int slot,
		      struct rf_device_state *state);
/* With RF_BALLOON_SET in its flags: set the target. */
int rf_api_balloon(int vm_fd, struct rf_balloon *balloon);

/* VM or vCPU fd. */
int rf_api_get_stats(int fd, struct rf_stats *stats, uint64_t *counters,
		     size_t nr);

/* vCPU fd. */
int rf_api_set_regs(int vcpu_fd, struct rf_set_regs *regs);
int rf_api_get_regs(int vcpu_fd, struct rf_get_regs *regs);
int rf_api_run(int vcpu_fd, struct rf_run *run);

#endif /* RF_API_H */
