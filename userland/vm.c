// SPDX-License-Identifier: GPL-2.0
/*
 * vm.c - a guest's life: memory, build, start, stop
 *
 *	rf_vm_create()		files, device, memory
 *	  rf_vm_start()		VM fd, frames filled, vCPUs and their threads
 *	  rf_vm_stop()		...upside down; memory is empty again
 *	rf_vm_destroy()
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "balloon.h"
#include "event.h"
#include "image.h"
#include "rf_api.h"
#include "start_info.h"
#include "vm.h"

#define PAGE_SIZE	4096ULL

/* Memory is reserved in pieces that take no time. */
#define RESERVED_AT_ONCE	(1 << 20)

static int open_device(struct rf_vm *vm, struct rf_error *err)
{
	struct rf_info info;
	int ret;

	vm->system_fd = rf_api_open();
	switch (vm->system_fd) {
	case -ENOENT:
	case -ENXIO:
	case -ENODEV:
		return rf_error_set(err, "there is no " RF_DEVICE ": load the "
					 "module ('modprobe ringfence'); "
					 "'ringfence doctor' says more");
	case -EACCES:
	case -EPERM:
		return rf_error_set(err, "no permission to open " RF_DEVICE ": "
					 "run as root or join the group it "
					 "belongs to");
	}
	if (vm->system_fd < 0)
		return rf_error_set(err, "cannot open " RF_DEVICE ": %s",
				    strerror(-vm->system_fd));
	ret = rf_api_get_info(vm->system_fd, &info);
	if (ret < 0)
		return rf_error_set(err, RF_DEVICE " does not answer as it "
						   "should (%s): is the module "
						   "of another version loaded?",
				    strerror(-ret));
	if (vm->nr_vcpus > info.max_vcpus)
		return rf_error_set(err, "-c %u: this host gives a guest at most %u vCPUs",
				    vm->nr_vcpus, info.max_vcpus);
	if (vm->nr_pages > info.max_pages)
		return rf_error_set(err, "-m %lluM: this host gives a guest at most %lluM",
				    (unsigned long long)vm->nr_pages >> 8,
				    (unsigned long long)info.max_pages >> 8);
	return 0;
}

static int create_memory(struct rf_vm *vm, struct rf_error *err)
{
	const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct sysinfo info;
	uint64_t host;

	vm->memory_len = (vm->nr_pages + RF_NR_SPECIAL_FRAMES) * PAGE_SIZE;
	sysinfo(&info);
	host = ((uint64_t)info.totalram + info.totalswap) * info.mem_unit;
	if (vm->memory_len > host)
		return rf_error_set(err, "-m %lluM: this host has only %lluM, swap included",
				    (unsigned long long)vm->nr_pages >> 8,
				    (unsigned long long)host >> 20);

	vm->memory_fd = memfd_create(vm->name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (vm->memory_fd < 0 || ftruncate(vm->memory_fd, vm->memory_len) ||
	    fcntl(vm->memory_fd, F_ADD_SEALS, seals))
		return rf_error_set(err, "cannot make %lluM of guest memory: %s; use a smaller -m",
				    (unsigned long long)vm->nr_pages >> 8,
				    strerror(errno));
	vm->memory = mmap(NULL, vm->memory_len, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_NORESERVE, vm->memory_fd, 0);
	if (vm->memory == MAP_FAILED) {
		vm->memory = NULL;
		return rf_error_set(err, "cannot map %lluM of guest memory: %s; use a smaller -m",
				    (unsigned long long)vm->nr_pages >> 8,
				    strerror(errno));
	}
	return 0;
}

static int open_disks(struct rf_vm *vm, struct rf_error *err)
{
	for (unsigned int i = 0; i < vm->config->nr_disks; i++) {
		const struct rf_disk_spec *spec = &vm->config->disks[i];
		int fd = rf_disk_open(spec, err);

		if (fd < 0 || rf_disks_add(&vm->disks, spec, fd, err))
			return -1;
	}
	return 0;
}

static int open_nets(struct rf_vm *vm, struct rf_error *err)
{
	for (unsigned int i = 0; i < vm->config->nr_nets; i++)
		if (rf_nets_open(&vm->nets, vm->system_fd, &vm->config->nets[i], err))
			return -1;
	return 0;
}

int rf_vm_create(struct rf_vm *vm, const struct rf_config *config,
		 struct rf_error *err)
{
	memset(vm, 0, sizeof(*vm));
	vm->config = config;
	vm->system_fd = -1;
	vm->vm_fd = -1;
	vm->memory_fd = -1;
	vm->ended_fd = -1;
	vm->domain.to_launcher = -1;
	vm->domain.from_launcher = -1;
	vm->balloon.pressure_fd = -1;
	rf_disks_init(&vm->disks);
	vm->nets.vm_fd = -1;
	vm->nr_vcpus = config->nr_vcpus;
	vm->nr_pages = config->memory / PAGE_SIZE;
	for (unsigned int i = 0; i < RF_MAX_VCPUS; i++)
		vm->vcpus[i] = (struct rf_vcpu){ .vm = vm, .id = i, .fd = -1 };
	pthread_mutex_init(&vm->lock, NULL);
	pthread_cond_init(&vm->changed, NULL);
	if (config->name)
		snprintf(vm->name, sizeof(vm->name), "%s", config->name);
	else
		snprintf(vm->name, sizeof(vm->name), "vm-%d", getpid());

	if (rf_file_map(&vm->kernel, "kernel", config->kernel, err))
		goto err_destroy;
	if (config->initrd &&
	    rf_file_map(&vm->initrd, "initrd", config->initrd, err))
		goto err_destroy;
	vm->io = rf_io_create(config, err);
	if (!vm->io || open_device(vm, err) || create_memory(vm, err) ||
	    rf_domain_create(&vm->domain, err) || open_disks(vm, err) ||
	    open_nets(vm, err) || rf_balloon_create(vm, err))
		goto err_destroy;
	vm->ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (vm->ended_fd < 0) {
		rf_error_set(err, "cannot make an eventfd: %s",
			     strerror(errno));
		goto err_destroy;
	}
	return 0;

err_destroy:
	rf_vm_destroy(vm);
	return -1;
}

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void rf_vm_destroy(struct rf_vm *vm)
{
	if (vm->io)
		rf_io_destroy(vm->io);
	vm->io = NULL;
	rf_disks_close(&vm->disks);
	rf_nets_close(&vm->nets);
	rf_balloon_destroy(vm);
	close_fd(&vm->ended_fd);
	rf_domain_destroy(&vm->domain);
	if (vm->memory)
		munmap(vm->memory, vm->memory_len);
	close_fd(&vm->memory_fd);
	close_fd(&vm->system_fd);
	rf_file_unmap(&vm->initrd);
	rf_file_unmap(&vm->kernel);
}

static int create_vm_fd(struct rf_vm *vm, struct rf_error *err)
{
	int ret;

	vm->vm_fd = rf_api_create_vm(vm->system_fd, vm->name, vm->nr_vcpus);
	if (vm->vm_fd == -ENOSPC)
		return rf_error_set(err, "this host runs as many guests as it "
					 "can; end one first ('ringfence list')");
	if (vm->vm_fd < 0)
		return rf_error_set(err, "the module will not make a VM: %s",
				    strerror(-vm->vm_fd));
	ret = rf_api_set_memory(vm->vm_fd, 0, vm->memory_len / PAGE_SIZE,
				vm->memory);
	if (ret < 0)
		return rf_error_set(err, "the module will not take the guest's memory: %s",
				    strerror(-ret));
	ret = rf_api_set_domain(vm->vm_fd, vm->nr_pages, vm->nr_pages);
	if (ret < 0)
		return rf_error_set(err, "the module will not make a domain: %s",
				    strerror(-ret));
	return 0;
}

/* What every guest has, its disks, its networks. */
static int add_devices(struct rf_vm *vm, struct rf_error *err)
{
	static const unsigned int kinds[] = { RF_DEVICE_ENTROPY, RF_DEVICE_BALLOON };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int ret = rf_api_add_device(vm->vm_fd, kinds[i]);

		if (ret < 0)
			return rf_error_set(err, "the module will not make a device of kind %u: %s",
					    kinds[i], strerror(-ret));
	}
	if (rf_disks_connect(&vm->disks, vm->vm_fd, err))
		return -1;
	return rf_nets_connect(&vm->nets, vm->vm_fd, err);
}

/*
 * Any signal interrupts it, even one to stop and continue, and what it has done
 * is undone: in pieces, or a stream of signals would keep it from ever ending.
 */
static int reserve_memory(int fd, off_t len)
{
	for (off_t at = 0; at < len; at += RESERVED_AT_ONCE) {
		off_t now = len - at < RESERVED_AT_ONCE ? len - at : RESERVED_AT_ONCE;

		while (fallocate(fd, 0, at, now))
			if (errno != EINTR)
				return -1;
	}
	return 0;
}

/* Pages now rather than SIGBUS later. */
static int reserve_frames(struct rf_vm *vm, uint64_t nr, struct rf_error *err)
{
	if (reserve_memory(vm->memory_fd, nr * PAGE_SIZE))
		return rf_error_set(err, "no memory for the guest to start in: it needs %lluM (%s)",
				    (unsigned long long)nr >> 8,
				    strerror(errno));
	return 0;
}

/* A kernel, unpacked for as long as it takes to put it in place. */
struct unpacked {
	uint8_t *elf;
	size_t len;
	struct rf_kernel kernel;
};

static void unpacked_free(struct unpacked *image)
{
	munmap(image->elf, image->len);
}

static int kernel_unpack(struct rf_vm *vm, struct unpacked *image,
			 struct rf_error *err)
{
	struct rf_payload payload;
	struct rf_error why;

	if (rf_image_find(vm->kernel.data, vm->kernel.len, &payload, &why))
		return rf_error_set(err, "cannot use the kernel %s: %.300s",
				    vm->config->kernel, why.text);
	image->len = payload.elf_len;
	image->elf = mmap(NULL, image->len, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (image->elf == MAP_FAILED)
		return rf_error_set(err, "no memory to unpack the kernel in "
					 "(%zuM)", image->len >> 20);
	if (rf_image_unpack(&payload, image->elf, &why) ||
	    rf_image_parse(image->elf, image->len, &image->kernel, &why)) {
		unpacked_free(image);
		return rf_error_set(err, "cannot use the kernel %s: %.300s",
				    vm->config->kernel, why.text);
	}
	return 0;
}

/* Return: a port of the guest's for @what, or -1. */
static int bind_port(struct rf_vm *vm, const char *what, int to_launcher,
		     int from_launcher, struct rf_error *err)
{
	int port = rf_api_bind_port(vm->vm_fd, to_launcher, from_launcher);

	if (port < 0)
		return rf_error_set(err, "the module will not bind the %s: %s",
				    what, strerror(-port));
	return port;
}

static int bind_ports(struct rf_vm *vm, struct rf_build *build,
		      struct rf_error *err)
{
	int store, console;

	store = bind_port(vm, "store", vm->domain.to_launcher,
			  vm->domain.from_launcher, err);
	if (store < 0)
		return -1;
	console = bind_port(vm, "console", rf_console_to_launcher(vm->console),
			    rf_console_from_launcher(vm->console), err);
	if (console < 0)
		return -1;
	build->store_port = store;
	build->console_port = console;
	return 0;
}

/* Everything a file can get wrong is seen before there is a VM. */
static int build_guest(struct rf_vm *vm, struct rf_layout *layout,
		       struct rf_entry *entry, struct rf_error *err)
{
	struct unpacked image;
	struct rf_build build = {
		.kernel = &image.kernel,
		.initrd = vm->initrd.data,
		.initrd_len = vm->initrd.len,
		.cmdline = vm->config->cmdline,
		.memory = vm->memory,
		.nr_pages = vm->nr_pages,
	};
	int ret;

	if (kernel_unpack(vm, &image, err))
		return -1;
	ret = rf_start_info_plan(&build, layout, err) ||
	      reserve_frames(vm, layout->end_pfn, err) ||
	      create_vm_fd(vm, err) || add_devices(vm, err) ||
	      bind_ports(vm, &build, err);
	if (!ret)
		rf_start_info_fill(&build, layout, entry);
	unpacked_free(&image);
	return ret ? -1 : 0;
}

static int create_vcpus(struct rf_vm *vm, const struct rf_entry *entry,
			struct rf_error *err)
{
	struct rf_set_regs regs = {
		.flags = RF_REGS_ONLINE,
		.rip = entry->rip,
		.rsp = entry->rsp,
		.rsi = entry->rsi,
		.cr3_pfn = entry->cr3_pfn,
	};
	int ret;

	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = rf_api_create_vcpu(vm->vm_fd, i);
		if (ret < 0)
			return rf_error_set(err, "the module will not make vCPU %u: %s",
					    i, strerror(-ret));
		vm->vcpus[i].fd = ret;
	}
	ret = rf_api_set_regs(vm->vcpus[0].fd, &regs);
	if (ret < 0)
		return rf_error_set(err, "the module will not start vCPU 0 at %#llx: %s",
				    (unsigned long long)entry->rip,
				    strerror(-ret));
	return 0;
}

int rf_vm_start(struct rf_vm *vm, struct rf_error *err)
{
	struct rf_layout layout;
	struct rf_entry entry;

	vm->ending = false;
	vm->failure.text[0] = 0;
	if (build_guest(vm, &layout, &entry, err) ||
	    create_vcpus(vm, &entry, err) ||
	    rf_domain_connect(&vm->domain,
			      vm->memory + layout.store_pfn * PAGE_SIZE,
			      vm->name, vm->nr_vcpus, err))
		goto err_stop;

	rf_io_reset(vm->io);
	rf_console_connect(vm->console,
			   vm->memory + layout.console_pfn * PAGE_SIZE);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		if (rf_vcpu_start(&vm->vcpus[i], err))
			goto err_stop;
	if (!vm->nr_starts++)
		vm->started_at = time(NULL);
	return 0;

err_stop:
	rf_vm_stop(vm);
	return -1;
}

void rf_vm_stop(struct rf_vm *vm)
{
	rf_vcpu_join_all(vm);
	rf_console_disconnect(vm->console);
	rf_domain_disconnect(&vm->domain);
	rf_disks_disconnect(&vm->disks);
	rf_nets_disconnect(&vm->nets);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		close_fd(&vm->vcpus[i].fd);
	close_fd(&vm->vm_fd);

	/* The next guest finds zeroes, and meanwhile the host has its pages. */
	if (fallocate(vm->memory_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      0, vm->memory_len))
		memset(vm->memory, 0, vm->memory_len);
	rf_event_clear(vm->ended_fd);
}
