// SPDX-License-Identifier: GPL-2.0
/*
 * carry.c - run a guest, and carry it from one VM into another now and then
 *
 *	carry TIMES SEED MS run -k KERNEL ...
 *
 * At moments up to MS milliseconds apart the vCPUs are stopped, the state is
 * saved, the VM goes, and another one with the same memory gets the state.  What
 * that one saves at once has to be what it was given.  Ends with 0 if the guest
 * was carried TIMES times and then powered off by itself.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "records.h"
#include "rf_api.h"
#include "vm.h"

#define PAGE_SIZE	4096ULL

struct carry {
	struct rf_vm vm;
	unsigned int times;
	unsigned int seed;
	int ms;
	struct state state, again;
};

static void fail(const char *what, int ret)
{
	fprintf(stderr, "carry: %s: %s\n", what, strerror(-ret));
	exit(1);
}

static void on_quit(void *ctx)
{
	(void)ctx;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Serve the guest for @ms, or until its end (-1).  Return: has it ended? */
static bool serve(struct carry *carry, long ms)
{
	struct pollfd polls[] = {
		{ .fd = carry->vm.ended_fd, .events = POLLIN },
		{ .fd = rf_domain_fd(&carry->vm.domain), .events = POLLIN },
	};
	long end = now_ms() + ms, left = ms;

	do {
		if (poll(polls, 2, left) < 0)
			continue;
		if (polls[0].revents)
			return true;
		if (polls[1].revents)
			rf_domain_serve(&carry->vm.domain, carry->vm.name);
		if (ms >= 0)
			left = end - now_ms();
	} while (ms < 0 || left > 0);
	return false;
}

static void close_vm(struct rf_vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		close(vm->vcpus[i].fd);
	close(vm->vm_fd);
}

static void make_vm(struct rf_vm *vm)
{
	int ret;

	vm->vm_fd = rf_api_create_vm(vm->system_fd, vm->name, vm->nr_vcpus);
	if (vm->vm_fd < 0)
		fail("create VM", vm->vm_fd);
	ret = rf_api_set_memory(vm->vm_fd, 0, vm->memory_len / PAGE_SIZE, vm->memory);
	if (ret < 0)
		fail("set memory", ret);
	ret = rf_api_set_domain(vm->vm_fd, vm->nr_pages, vm->nr_pages);
	if (ret < 0)
		fail("set domain", ret);
	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		ret = rf_api_create_vcpu(vm->vm_fd, i);
		if (ret < 0)
			fail("create vCPU", ret);
		vm->vcpus[i].fd = ret;
	}
}

/* The ports that had eventfds: of this launcher, the store's and the console's. */
static void bind_ports(struct rf_vm *vm, const struct state *state)
{
	const struct rf_saved_ports *ports = state_find(state, RF_SAVED_PORTS, 0);
	const int fds[2][2] = {
		{ vm->domain.to_launcher, vm->domain.from_launcher },
		{ rf_console_to_launcher(vm->console), rf_console_from_launcher(vm->console) },
	};
	unsigned int nr = 0;
	int ret;

	for (unsigned int i = 0; i < ports->nr_ports; i++) {
		if (!port_is_launchers(&ports->ports[i]))
			continue;
		if (nr == 2)
			fail("too many ports", -EINVAL);
		ret = rf_api_rebind_port(vm->vm_fd, ports->ports[i].port, fds[nr][0],
					 fds[nr][1]);
		if (ret < 0)
			fail("bind port", ret);
		nr++;
	}
}

static void load(struct rf_vm *vm, const struct state *state)
{
	struct rf_vm_state why;
	int ret = rf_api_load_state(vm->vm_fd, state->buffer, state->len);

	if (ret < 0) {
		if (!rf_api_get_state(vm->vm_fd, &why))
			fprintf(stderr, "carry: %s\n", why.text);
		fail("load", ret);
	}
}

static bool is_running(struct rf_vm *vm)
{
	struct rf_vm_state state;

	return !rf_api_get_state(vm->vm_fd, &state) && state.state == RF_STATE_RUNNING;
}

/* Its threads wait meanwhile, and find another descriptor when they go on. */
static void carry_once(struct carry *carry)
{
	struct rf_vm *vm = &carry->vm;
	int ret;

	if (rf_vm_pause(vm))
		fail("pause", -ETIMEDOUT);
	if (is_running(vm)) {
		ret = state_save(&carry->state, vm->vm_fd);
		if (ret < 0)
			fail("save", ret);
		close_vm(vm);
		make_vm(vm);
		load(vm, &carry->state);
		bind_ports(vm, &carry->state);
		ret = state_save(&carry->again, vm->vm_fd);
		if (ret < 0)
			fail("save again", ret);
		if (!state_same(&carry->state, &carry->again))
			fail("what was loaded is not what is saved", -EINVAL);
	}
	rf_vm_resume(vm);
}

static int finish(struct carry *carry)
{
	struct rf_vm *vm = &carry->vm;
	struct rf_vm_state state;

	rf_vcpu_join_all(vm);
	if (rf_api_get_state(vm->vm_fd, &state) || state.state != RF_STATE_SHUTDOWN ||
	    state.reason) {
		fprintf(stderr, "carry: the guest ended by %u, reason %u: %.*s %s\n",
			state.state, state.reason, RF_REASON_LEN, state.text,
			vm->failure.text);
		return 1;
	}
	rf_vm_stop(vm);
	rf_console_destroy(vm->console);
	rf_vm_destroy(vm);
	return 0;
}

static void start(struct carry *carry, const struct rf_config *config)
{
	struct rf_vm *vm = &carry->vm;
	struct rf_error err;

	if (rf_vm_create(vm, config, &err))
		goto err;
	vm->console = rf_console_create(config, on_quit, carry, &err);
	if (vm->console && !rf_console_start(vm->console, &err) && !rf_vm_start(vm, &err))
		return;
err:
	fprintf(stderr, "carry: %s\n", err.text);
	exit(1);
}

int main(int argc, char **argv)
{
	static struct carry carry;
	struct rf_config config;
	struct rf_error err;
	unsigned int done = 0;
	int status;

	if (argc < 5 || rf_config_parse(&config, argc - 3, argv + 3, &err)) {
		fprintf(stderr, "usage: carry TIMES SEED MS run OPTION...\n");
		return 2;
	}
	carry.times = strtoul(argv[1], NULL, 0);
	carry.seed = strtoul(argv[2], NULL, 0);
	carry.ms = strtoul(argv[3], NULL, 0);
	start(&carry, &config);
	while (done < carry.times && !serve(&carry, rand_r(&carry.seed) % (carry.ms + 1))) {
		carry_once(&carry);
		done++;
	}
	serve(&carry, -1);
	status = finish(&carry);
	fprintf(stderr, "carry: %u times\n", done);
	return status || done < carry.times;
}
