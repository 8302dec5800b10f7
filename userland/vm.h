/* SPDX-License-Identifier: GPL-2.0 */
/* One guest: memory, the module's descriptors, a thread a vCPU. */
#ifndef RF_VM_H
#define RF_VM_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "config.h"
#include "console.h"
#include "disks.h"
#include "domain.h"
#include "error.h"
#include "file.h"
#include "io.h"
#include "nets.h"
#include "ringfence.h"

struct rf_vm;

struct rf_vcpu {
	struct rf_vm *vm;
	unsigned int id;
	int fd;
	pthread_t thread;
	bool started;
};

/**
 * struct rf_vm - a guest, from the first start to the last end
 * @config: What the user asked for
 * @name: Of the guest
 * @system_fd: /dev/ringfence
 * @vm_fd: This incarnation's, or -1
 * @kernel: The file; unpacked again at each start
 * @initrd: The file, or nothing
 * @memory_fd: Guest memory
 * @memory: Guest memory, mapped
 * @memory_len: With the special frames
 * @nr_pages: Without them
 * @console: Outlives reboots
 * @io: Emulated devices; outlive them too
 * @domain: The guest's store; the main thread's alone
 * @disks: Outlive reboots; the main thread's alone
 * @nets: Outlive reboots; the main thread's alone
 * @balloon: --balloon auto: what tells the host's need, or -1; and when to look
 *	next, in ms
 * @ended_fd: eventfd: a vCPU has seen the end
 * @vcpus: The vCPUs
 * @nr_vcpus: How many
 * @nr_starts: 1, and 1 more for each reboot
 * @started_at: When, by the wall clock
 * @lock: For what follows
 * @changed: Something that follows did
 * @paused: vCPUs are to park
 * @ending: vCPU threads are to return
 * @nr_parked: Threads that have parked
 * @nr_alive: Threads that have not returned
 * @failure: Why RUN failed, or empty
 */
struct rf_vm {
	const struct rf_config *config;
	char name[RF_NAME_LEN];
	int system_fd;
	int vm_fd;
	struct rf_file kernel;
	struct rf_file initrd;
	int memory_fd;
	uint8_t *memory;
	size_t memory_len;
	uint64_t nr_pages;
	struct rf_console *console;
	struct rf_io *io;
	struct rf_domain domain;
	struct rf_disks disks;
	struct rf_nets nets;
	struct {
		int pressure_fd;
		long long next_tick;
	} balloon;
	int ended_fd;
	struct rf_vcpu vcpus[RF_MAX_VCPUS];
	unsigned int nr_vcpus;
	unsigned int nr_starts;
	time_t started_at;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool paused;
	bool ending;
	unsigned int nr_parked;
	unsigned int nr_alive;
	struct rf_error failure;
};

/* Open files and device, allocate memory.  On failure nothing is left. */
int rf_vm_create(struct rf_vm *vm, const struct rf_config *config,
		 struct rf_error *err);
void rf_vm_destroy(struct rf_vm *vm);

/* Build the guest and let it run; take it down again, threads and all. */
int rf_vm_start(struct rf_vm *vm, struct rf_error *err);
void rf_vm_stop(struct rf_vm *vm);

/* Return when no vCPU runs any more, or 1 if one would not come out. */
int rf_vm_pause(struct rf_vm *vm);
void rf_vm_resume(struct rf_vm *vm);

/* vcpu.c: threads, called by vm.c. */
int rf_vcpu_start(struct rf_vcpu *vcpu, struct rf_error *err);
void rf_vcpu_join_all(struct rf_vm *vm);

#endif /* RF_VM_H */
