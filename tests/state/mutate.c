// SPDX-License-Identifier: GPL-2.0
/*
 * mutate.c - a launcher without privileges that loads what nobody saved
 *
 *	mutate SEED SECONDS run -k KERNEL ...
 *
 * A guest is saved at work.  First come changes that have to be refused, each
 * for its own reason; then its state, changed here and there, is loaded into one
 * VM after the other, and what is let in is run for a moment.  A guest may die of
 * it; nothing else may happen.  At last the state as it was still loads.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "records.h"
#include "rf_api.h"
#include "vm.h"

#define PAGE_SIZE	4096ULL
#define RUN_MS		5
#define SLACK		65536
#define NR_CALLS	11	/* cases of try_calls() and of try_chance() */
#define NR_CHANCES	2

static struct rf_vm guest;	/* whose memory and state are used all along */
static uint8_t *memory_saved;
static struct state good, bad;
static volatile bool stop;
static unsigned int nr_cases, nr_failed;

static void say(bool ok, const char *what)
{
	nr_cases++;
	nr_failed += !ok;
	printf("%s %u %s\n", ok ? "ok" : "not ok", nr_cases, what);
	fflush(stdout);
}

/* --- one VM after the other ------------------------------------------------- */

struct vm {
	int fd;
	int vcpus[RF_MAX_VCPUS];
};

static bool vm_make(struct vm *vm)
{
	vm->fd = rf_api_create_vm(guest.system_fd, "mutate", guest.nr_vcpus);
	if (vm->fd < 0 ||
	    rf_api_set_memory(vm->fd, 0, guest.memory_len / PAGE_SIZE, guest.memory) < 0 ||
	    rf_api_set_domain(vm->fd, guest.nr_pages, guest.nr_pages) < 0)
		return false;
	for (unsigned int i = 0; i < guest.nr_vcpus; i++) {
		vm->vcpus[i] = rf_api_create_vcpu(vm->fd, i);
		if (vm->vcpus[i] < 0)
			return false;
	}
	return true;
}

static void vm_close(struct vm *vm)
{
	for (unsigned int i = 0; i < guest.nr_vcpus; i++)
		close(vm->vcpus[i]);
	close(vm->fd);
}

static void vm_open(struct vm *vm)
{
	memcpy(guest.memory, memory_saved, guest.memory_len);
	if (vm_make(vm))
		return;
	printf("# cannot make a VM: %s\n", strerror(errno));
	exit(2);
}

static void *runner(void *arg)
{
	struct rf_run run = { .size = sizeof(run) };
	int fd = (int)(intptr_t)arg;

	while (!stop)
		if (rf_api_run(fd, &run) || run.exit_reason == RF_RUN_ENDED)
			break;
	return NULL;
}

static void vm_run(struct vm *vm, int ms)
{
	pthread_t threads[RF_MAX_VCPUS];

	stop = false;
	for (unsigned int i = 0; i < guest.nr_vcpus; i++)
		pthread_create(&threads[i], NULL, runner, (void *)(intptr_t)vm->vcpus[i]);
	usleep(ms * 1000);
	stop = true;
	for (unsigned int i = 0; i < guest.nr_vcpus; i++)
		while (pthread_tryjoin_np(threads[i], NULL)) {
			pthread_kill(threads[i], SIGUSR1);
			usleep(200);
		}
}

static int load(const struct state *state)
{
	struct vm vm;
	int ret;

	vm_open(&vm);
	ret = rf_api_load_state(vm.fd, state->buffer, state->len);
	if (!ret)
		vm_run(&vm, RUN_MS);
	vm_close(&vm);
	return ret;
}

/* --- what has to be refused --------------------------------------------------- */

static void *of_cpu(unsigned int type)
{
	return state_find(&bad, type, 0);
}

/* Let a record grow by @nr bytes of @value. */
static void grow(unsigned int type, size_t nr, int value)
{
	struct rf_saved_head *head = of_cpu(type);
	uint8_t *end = (uint8_t *)head + head->size;

	memmove(end + nr, end, bad.buffer + bad.len - end);
	memset(end, value, nr);
	head->size += nr;
	bad.len += nr;
}

static void change_nothing(void)
{
}

static void change_end(void)
{
	bad.len -= 8;
}

static void change_all(void)
{
	bad.len -= bad.len;
}

static void change_tail(void)
{
	memset(bad.buffer + bad.len, 0, 8);
	bad.len += 8;
}

static void change_grown(void)
{
	grow(RF_SAVED_EMUL, 16, 0);
}

static void change_unknown(void)
{
	grow(RF_SAVED_EMUL, 16, 1);
}

static void change_array(void)
{
	grow(RF_SAVED_PORTS, 16, 0);
}

/* String I/O of @len bytes, whatever I/O was under way when the guest was saved. */
static void under_way(struct rf_saved_emul *emul, __u32 flags, __u32 len)
{
	emul->flags &= ~RF_SAVED_IO;
	emul->flags |= flags | RF_SAVED_STRING;
	emul->io_size = 4;
	emul->io_len = 1;
	emul->string_addr_size = 8;
	emul->string_len = len;
}

#define CHANGE(_name, _struct, _type, _statement)			\
static void change_##_name(void)					\
{									\
	struct _struct *r = of_cpu(_type);				\
									\
	_statement;							\
}

CHANGE(magic, rf_saved_start, RF_SAVED_HEAD, r->magic++)
CHANGE(nr_vcpus, rf_saved_start, RF_SAVED_HEAD, r->nr_vcpus++)
CHANGE(type, rf_saved_head, RF_SAVED_TRAPS, r->type = RF_SAVED_GDT)
CHANGE(vcpu, rf_saved_head, RF_SAVED_TRAPS, r->vcpu_id = 1)
CHANGE(small, rf_saved_head, RF_SAVED_EMUL, r->size = 16)
CHANGE(huge, rf_saved_head, RF_SAVED_EMUL, r->size = 0xfffffff8)
CHANGE(odd, rf_saved_head, RF_SAVED_EMUL, r->size -= 1)
CHANGE(max_pfn, rf_saved_domain, RF_SAVED_DOMAIN, r->max_pfn--)
CHANGE(shared, rf_saved_domain, RF_SAVED_DOMAIN, r->shared_info_pfn--)
CHANGE(guest_ns, rf_saved_domain, RF_SAVED_DOMAIN, r->guest_ns = ~0ULL)
CHANGE(assist, rf_saved_domain, RF_SAVED_DOMAIN, r->vm_assist = 1ULL << 40)
CHANGE(shutdown, rf_saved_domain, RF_SAVED_DOMAIN, r->flags = 1; r->shutdown_code = 99)
CHANGE(rows, rf_saved_cpuid, RF_SAVED_CPUID, r->nr_entries++)
CHANGE(features, rf_saved_cpuid, RF_SAVED_CPUID, r->entries[1].ecx = ~0U)
CHANGE(pinned, rf_saved_tables, RF_SAVED_TABLES, r->pinned[r->max_pfn / 64] |= 1ULL << 63)
CHANGE(cpu_flags, rf_saved_cpu, RF_SAVED_CPU, r->flags |= 1U << 31)
CHANGE(kernel_pfn, rf_saved_cpu, RF_SAVED_CPU, r->kernel_pfn = 1ULL << 40)
CHANGE(no_user, rf_saved_cpu, RF_SAVED_CPU, r->user_pfn = 0; r->flags &= ~RF_SAVED_KERNEL)
CHANGE(iopl, rf_saved_cpu, RF_SAVED_CPU, r->rflags |= 3 << 12)
CHANGE(vm86, rf_saved_cpu, RF_SAVED_CPU, r->rflags |= 1 << 17)
CHANGE(no_if, rf_saved_cpu, RF_SAVED_CPU, r->rflags &= ~(1ULL << 9))
CHANGE(ring0, rf_saved_cpu, RF_SAVED_CPU, r->cs = 0x10)
CHANGE(fs_base, rf_saved_cpu, RF_SAVED_CPU, r->fs_base = 1ULL << 60)
CHANGE(gs_base, rf_saved_cpu, RF_SAVED_CPU, r->gs_base_other = 1ULL << 60)
CHANGE(callback, rf_saved_cpu, RF_SAVED_CPU, r->callback_rip[0] = 0xffff800000000000)
CHANGE(trap, rf_saved_traps, RF_SAVED_TRAPS, r->traps[14].address = 0xffff830000000000)
CHANGE(trap_flags, rf_saved_traps, RF_SAVED_TRAPS, r->traps[14].flags = 8)
CHANGE(ldt, rf_saved_descriptors, RF_SAVED_LDT, r->entries[1] = 0x00008c0000000000)
CHANGE(ldt_dpl, rf_saved_descriptors, RF_SAVED_LDT, r->entries[1] = 0x00cf93000000ffff)
CHANGE(ldt_nr, rf_saved_descriptors, RF_SAVED_LDT, r->nr_entries += 8)
CHANGE(ldt_pfn, rf_saved_descriptors, RF_SAVED_LDT, r->pfn[0] = 1ULL << 40)
CHANGE(cr4, rf_saved_emul, RF_SAVED_EMUL, r->cr4 |= 1 << 20)
CHANGE(xcr0, rf_saved_emul, RF_SAVED_EMUL, r->xcr0 = 1 << 9)
CHANGE(xcr0_none, rf_saved_emul, RF_SAVED_EMUL, r->xcr0 = 0)
CHANGE(dr0, rf_saved_emul, RF_SAVED_EMUL, r->dr[0] = 0xffff830000000000)
CHANGE(dr7, rf_saved_emul, RF_SAVED_EMUL, r->dr[7] = 0x20401)
CHANGE(io, rf_saved_emul, RF_SAVED_EMUL, r->flags |= RF_SAVED_IO; r->io_size = 3; r->io_len = 1)
CHANGE(string, rf_saved_emul, RF_SAVED_EMUL, under_way(r, RF_SAVED_IO, 1028))
CHANGE(string_units, rf_saved_emul, RF_SAVED_EMUL, under_way(r, RF_SAVED_IO, 6))
CHANGE(string_alone, rf_saved_emul, RF_SAVED_EMUL, under_way(r, 0, 4))
CHANGE(io_ports, rf_saved_emul, RF_SAVED_EMUL, r->nr_io_ports = 65537)
CHANGE(mxcsr, rf_saved_vector, RF_SAVED_VECTOR, r->area[27] = 0xff)
CHANGE(xfeatures, rf_saved_vector, RF_SAVED_VECTOR, r->area[512 + 1] = 0x02)
CHANGE(xcomp, rf_saved_vector, RF_SAVED_VECTOR, r->area[520 + 7] = 0x80)
CHANGE(xreserved, rf_saved_vector, RF_SAVED_VECTOR, r->area[530] = 1)
CHANGE(states, rf_saved_vector, RF_SAVED_VECTOR, r->states |= 1 << 9)
CHANGE(info, rf_saved_time, RF_SAVED_TIME, r->info_offset = 4095)
CHANGE(info_pfn, rf_saved_time, RF_SAVED_TIME, r->info_pfn = 1ULL << 40)
CHANGE(version, rf_saved_time, RF_SAVED_TIME, r->time_version |= 1)
CHANGE(runstate, rf_saved_time, RF_SAVED_TIME, r->runstate = 4)
CHANGE(poll, rf_saved_time, RF_SAVED_TIME, r->poll_port = 4096)
CHANGE(period, rf_saved_time, RF_SAVED_TIME, r->flags |= RF_SAVED_PERIODIC; r->period_ns = 1)
CHANGE(fifo_pages, rf_saved_fifo, RF_SAVED_FIFO, r->nr_pages = 5)
CHANGE(fifo_pfn, rf_saved_fifo, RF_SAVED_FIFO, r->pfn[0] = 1ULL << 40)
CHANGE(control, rf_saved_fifo, RF_SAVED_FIFO, r->queues[0].offset = 4)
CHANGE(control_vcpu, rf_saved_fifo, RF_SAVED_FIFO, r->queues[63] = r->queues[0])
CHANGE(tail_word, rf_saved_fifo, RF_SAVED_FIFO, r->queues[0].tail[3] = 4000)
CHANGE(tail_far, rf_saved_fifo, RF_SAVED_FIFO, r->queues[0].tail[3] = 0x20000)
CHANGE(tails, rf_saved_fifo, RF_SAVED_FIFO, r->queues[0].tail[3] = r->queues[0].tail[4] = 9)
CHANGE(port, rf_saved_ports, RF_SAVED_PORTS, r->ports[1].port = r->ports[0].port)
CHANGE(port_far, rf_saved_ports, RF_SAVED_PORTS, r->ports[r->nr_ports - 1].port = 4096)
CHANGE(port_none, rf_saved_ports, RF_SAVED_PORTS, r->ports[0].port = 0)
CHANGE(port_vcpu, rf_saved_ports, RF_SAVED_PORTS, r->ports[1].vcpu_id = 63)
CHANGE(port_type, rf_saved_ports, RF_SAVED_PORTS, r->ports[1].type = 3)
CHANGE(priority, rf_saved_ports, RF_SAVED_PORTS, r->ports[1].priority = 16)
CHANGE(virq, rf_saved_ports, RF_SAVED_PORTS, r->ports[1].type = 4; r->ports[1].target = 24)
CHANGE(nr_ports, rf_saved_ports, RF_SAVED_PORTS, r->nr_ports--)
CHANGE(wall, rf_saved_ports, RF_SAVED_PORTS, r->wc_version |= 1)

/* Port 2, the console, is its own other end. */
static void change_self(void)
{
	struct rf_saved_ports *ports = of_cpu(RF_SAVED_PORTS);

	ports->ports[1].type = 2;
	ports->ports[1].remote_domid = 0x7ff0;
	ports->ports[1].target = 2;
}

#define REFUSED(_name)	{ #_name, change_##_name, -EINVAL }

static const struct {
	const char *name;
	void (*change)(void);
	int ret;
} changes[] = {
	{ "nothing", change_nothing, 0 },
	{ "grown", change_grown, 0 },
	{ "unknown", change_unknown, -E2BIG },
	REFUSED(end), REFUSED(all), REFUSED(tail), REFUSED(magic), REFUSED(array),
	REFUSED(nr_vcpus), REFUSED(type), REFUSED(vcpu), REFUSED(small), REFUSED(huge),
	REFUSED(odd), REFUSED(max_pfn), REFUSED(shared), REFUSED(guest_ns), REFUSED(assist),
	REFUSED(shutdown),
	REFUSED(rows), REFUSED(features), REFUSED(pinned), REFUSED(cpu_flags),
	REFUSED(kernel_pfn), REFUSED(no_user), REFUSED(iopl), REFUSED(vm86), REFUSED(no_if),
	REFUSED(ring0), REFUSED(fs_base), REFUSED(gs_base), REFUSED(callback), REFUSED(trap),
	REFUSED(trap_flags), REFUSED(ldt), REFUSED(ldt_dpl), REFUSED(ldt_nr), REFUSED(ldt_pfn),
	REFUSED(cr4), REFUSED(xcr0), REFUSED(xcr0_none), REFUSED(dr0), REFUSED(dr7), REFUSED(io),
	REFUSED(io_ports), REFUSED(string), REFUSED(string_units),
	REFUSED(string_alone), REFUSED(mxcsr), REFUSED(xfeatures), REFUSED(xcomp),
	REFUSED(xreserved), REFUSED(states), REFUSED(info), REFUSED(info_pfn), REFUSED(version),
	REFUSED(runstate), REFUSED(poll), REFUSED(period), REFUSED(fifo_pages),
	REFUSED(fifo_pfn), REFUSED(control), REFUSED(control_vcpu), REFUSED(tail_word),
	REFUSED(tail_far), REFUSED(tails), REFUSED(port), REFUSED(port_far), REFUSED(port_none),
	REFUSED(port_vcpu), REFUSED(port_type), REFUSED(priority), REFUSED(virq),
	REFUSED(self), REFUSED(nr_ports), REFUSED(wall),
};

static void copy_good(void)
{
	memcpy(bad.buffer, good.buffer, good.len);
	bad.len = good.len;
}

static void try_changes(void)
{
	char what[128];

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		int ret;

		copy_good();
		changes[i].change();
		ret = load(&bad);
		snprintf(what, sizeof(what), "change of %s: %s", changes[i].name,
			 strerror(-ret));
		say(ret == changes[i].ret, what);
	}
}

/* The ioctls themselves. */
static void try_calls(void)
{
	struct rf_state_buffer flags = {
		.size = sizeof(flags), .flags = 1, .buffer = (uintptr_t)good.buffer,
		.len = good.len,
	};
	size_t none = 0;
	struct vm vm;

	vm_open(&vm);
	say(rf_api_save_state(vm.fd, NULL, &none) == 0 && none > 4096, "no room, but how much");
	say(rf_api_load_state(vm.fd, good.buffer, good.len) == 0, "a load");
	say(rf_api_load_state(vm.fd, good.buffer, good.len) == -EBUSY, "and no other");
	vm_run(&vm, RUN_MS);
	say(rf_api_rebind_port(vm.fd, 1, -1, -1) == 0, "its port is bound again");
	say(rf_api_rebind_port(vm.fd, 1, -1, -1) == -EINVAL, "once");
	say(rf_api_rebind_port(vm.fd, 3, -1, -1) == -EINVAL, "no other port");
	say(rf_api_kill(vm.fd) == 0 && rf_api_save_state(vm.fd, NULL, &none) == -ESHUTDOWN,
	    "the dead are not saved");
	vm_close(&vm);

	vm_open(&vm);
	say(rf_api_bind_port(vm.fd, -1, -1) == 1 &&
	    rf_api_load_state(vm.fd, good.buffer, good.len) == -EBUSY, "no ports before");
	vm_close(&vm);

	vm_open(&vm);
	say(rf_api_load_state(vm.fd, (void *)8, 4096) == -EFAULT, "a bad address");
	vm_close(&vm);

	vm_open(&vm);
	say(ioctl(vm.fd, RF_LOAD_STATE, &flags) < 0 && errno == EOPNOTSUPP, "an unknown flag");
	say(rf_api_load_state(vm.fd, good.buffer, good.len) == 0, "harms nobody");
	vm_close(&vm);
}

/* --- chance ----------------------------------------------------------------------- */

static uint64_t rng;

static uint64_t rnd(uint64_t below)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return (rng * 0x2545f4914f6cdd1dULL >> 11) % below;
}

static uint64_t odd_value(void)
{
	static const uint64_t pool[] = {
		0, 1, 2, 3, 63, 64, 255, 4095, 4096, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		1ULL << 32, 1ULL << 47, 1ULL << 62, 1ULL << 63, ~0ULL, 0xffff800000000000,
		0xffff830000000000, 0xffffffff80000000, 0x800000000000, 0xe008, 0xe033,
	};

	return rnd(2) ? pool[rnd(sizeof(pool) / sizeof(pool[0]))] : rnd(~0ULL) >> rnd(64);
}

static struct rf_saved_head *any_record(void)
{
	struct rf_saved_head *head = NULL, *found = NULL;
	unsigned int nr = 0;

	while ((head = state_next(&good, head)))
		if (!rnd(++nr))
			found = head;
	return (void *)(bad.buffer + ((uint8_t *)found - good.buffer));
}

static void cut_record(struct rf_saved_head *head)
{
	uint8_t *end = (uint8_t *)head + head->size;

	memmove(head, end, bad.buffer + bad.len - end);
	bad.len -= end - (uint8_t *)head;
}

/* Fields are near the beginning of a record, and what follows is arrays. */
static void change_field(void)
{
	struct rf_saved_head *head = any_record();
	size_t reach = rnd(4) && head->size > 512 ? 512 : head->size;
	size_t len = 1ULL << rnd(4), at = (8 + rnd(reach - 8)) & ~(len - 1);
	uint64_t value = odd_value();

	memcpy((uint8_t *)head + at, &value, len);
}

static void mutate(void)
{
	copy_good();
	switch (rnd(16)) {
	case 0:
		bad.len = rnd(bad.len);
		return;
	case 1:
		any_record()->size = odd_value();
		return;
	case 2:
		cut_record(any_record());
		return;
	case 3:
		for (uint64_t n = 1 + rnd(8); n; n--)
			bad.buffer[rnd(bad.len)] ^= 1 << rnd(8);
		return;
	default:
		for (uint64_t n = 1 + rnd(3); n; n--)
			change_field();
	}
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void try_chance(double seconds)
{
	double end = seconds_now() + seconds;
	unsigned int nr = 0, nr_in = 0;

	while (seconds_now() < end) {
		mutate();
		nr++;
		nr_in += !load(&bad);
	}
	printf("# %u states, of which %u were let in\n", nr, nr_in);
	say(nr_in > 0 && nr_in < nr, "chance");
	say(!load(&good), "the state as it was");
}

/* --- the guest ----------------------------------------------------------------------- */

static void on_quit(void *ctx)
{
	(void)ctx;
}

static void nothing(int sig)
{
	(void)sig;
}

static bool save_guest(const struct rf_config *config, struct rf_error *err)
{
	struct sigaction action = { .sa_handler = nothing };

	if (rf_vm_create(&guest, config, err))
		return false;
	guest.console = rf_console_create(config, on_quit, NULL, err);
	if (!guest.console || rf_vm_start(&guest, err))
		return false;
	usleep(500 * 1000);
	if (rf_vm_pause(&guest) || state_save(&good, guest.vm_fd))
		return false;
	memory_saved = malloc(guest.memory_len);
	bad.buffer = calloc(1, good.len + SLACK);
	if (!memory_saved || !bad.buffer)
		return false;
	memcpy(memory_saved, guest.memory, guest.memory_len);

	/* Its threads go, and it with them: its memory is needed. */
	guest.ending = true;
	rf_vcpu_join_all(&guest);
	rf_console_disconnect(guest.console);
	for (unsigned int i = 0; i < guest.nr_vcpus; i++)
		close(guest.vcpus[i].fd);
	close(guest.vm_fd);
	sigaction(SIGUSR1, &action, NULL);
	return true;
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	struct rf_error err = { "it does not stop, or cannot be saved" };
	struct rf_config config;

	if (argc < 4 || rf_config_parse(&config, argc - 2, argv + 2, &err)) {
		fprintf(stderr, "usage: mutate SEED SECONDS run OPTION...\n");
		return 2;
	}
	rng = strtoull(argv[1], NULL, 0) * 0x9e3779b97f4a7c15ULL | 1;
	setrlimit(RLIMIT_CORE, &no_core);
	if (!save_guest(&config, &err)) {
		printf("# %s\n", err.text);
		return 2;
	}
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534)))
		return 2;

	printf("KTAP version 1\n1..%zu\n",
	       sizeof(changes) / sizeof(changes[0]) + NR_CALLS + NR_CHANCES);
	try_changes();
	try_calls();
	try_chance(strtod(argv[2], NULL));
	return nr_failed ? 1 : 0;
}
