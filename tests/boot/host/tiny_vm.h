/* SPDX-License-Identifier: GPL-2.0 */
/* A VM with one vCPU and some code to run, by ioctl alone. */
#ifndef TINY_VM_H
#define TINY_VM_H

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../uapi/ringfence.h"
#include "../../fuzz/ioctl/tiny_guest.h"

#define TINY_PAGES	64
#define TINY_SHARED	7	/* frame of shared_info */

struct tiny_vm {
	int system_fd, vm_fd, vcpu_fd;
	uint8_t *memory;
};

/* For ever, without a way out. */
static const uint8_t tiny_spin[] = { 0xeb, 0xfe };

/* The VM, ready to run @code; what is missing after a failure is -1. */
static inline bool tiny_vm_make(struct tiny_vm *vm, const void *code, size_t len)
{
	struct rf_create_vm create = { .size = sizeof(create), .max_vcpus = 1, .name = "tiny" };
	struct rf_set_memory memory = { .size = sizeof(memory), .nr_pages = TINY_PAGES };
	struct rf_set_domain domain = {
		.size = sizeof(domain), .shared_info_pfn = TINY_SHARED, .nr_pages = TINY_PAGES,
	};
	struct rf_create_vcpu vcpu = { .size = sizeof(vcpu) };
	struct rf_set_regs regs = {
		.size = sizeof(regs), .flags = RF_REGS_ONLINE, .rip = TINY_CODE,
		.rsp = TINY_STACK,
	};

	vm->vm_fd = -1;
	vm->vcpu_fd = -1;
	vm->system_fd = open("/dev/ringfence", O_RDWR | O_CLOEXEC);
	vm->memory = mmap(NULL, TINY_PAGES * 4096, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (vm->system_fd < 0 || vm->memory == MAP_FAILED)
		return false;
	tiny_guest_make(vm->memory, TINY_PAGES, 1);
	memcpy(vm->memory + 5 * 4096, code, len);

	vm->vm_fd = ioctl(vm->system_fd, RF_CREATE_VM, &create);
	memory.user_va = (uintptr_t)vm->memory;
	if (vm->vm_fd < 0 || ioctl(vm->vm_fd, RF_SET_MEMORY, &memory) ||
	    ioctl(vm->vm_fd, RF_SET_DOMAIN, &domain))
		return false;
	vm->vcpu_fd = ioctl(vm->vm_fd, RF_CREATE_VCPU, &vcpu);
	return vm->vcpu_fd >= 0 && !ioctl(vm->vcpu_fd, RF_SET_REGS, &regs);
}

static inline void tiny_vm_end(struct tiny_vm *vm)
{
	close(vm->vcpu_fd);
	close(vm->vm_fd);
	close(vm->system_fd);
	munmap(vm->memory, TINY_PAGES * 4096);
}

#endif /* TINY_VM_H */
