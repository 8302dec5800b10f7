// SPDX-License-Identifier: GPL-2.0
/*
 * storm.c - a launcher without privileges that does anything to the module
 *
 *	ioctl-storm SEED SECONDS [WORKERS]
 *
 * Each worker is a process: one thread makes ioctls with arguments that are
 * right, nearly right or noise, on descriptors that are open, closed or of
 * another kind, and changes the memory it has given to guests; two more run
 * whatever vCPUs there are.  The module may refuse everything; it must not break.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ringfence.h"
#include "tiny_guest.h"

#define NR_FDS		48
#define NR_RUNNERS	2
#define MEMORY_PAGES	2048
#define STATE_ROOM	(1 << 20)

static int system_fd;
static int fds[NR_FDS];			/* VMs, vCPUs, eventfds, whatever came */
static uint8_t *memory;			/* given to guests */
static uint8_t *edge;			/* ends where nothing is mapped */
static uint8_t state[STATE_ROOM];	/* of the VM that was saved last */
static uint64_t state_len;
static volatile bool done;
static unsigned long nr_calls, nr_ok, nr_saved, nr_loaded;

struct rng {
	uint64_t x;
};

static uint64_t rnd(struct rng *r)
{
	r->x ^= r->x << 13;
	r->x ^= r->x >> 7;
	r->x ^= r->x << 17;
	return r->x * 0x2545f4914f6cdd1dULL >> 11;
}

static uint64_t pick(struct rng *r, uint64_t below)
{
	return rnd(r) % below;
}

static int any_fd(struct rng *r)
{
	switch (pick(r, 16)) {
	case 0:
		return system_fd;
	case 1:
		return (int)pick(r, 70) - 2;
	default:
		return fds[pick(r, NR_FDS)];
	}
}

static void keep_fd(struct rng *r, int fd)
{
	int slot = pick(r, NR_FDS);

	if (fds[slot] > 2)
		close(fds[slot]);
	fds[slot] = fd;
}

/* A number that someone may have forgotten. */
static uint64_t odd(struct rng *r)
{
	static const uint64_t pool[] = {
		0, 1, 2, 63, 64, 65, 4095, 4096, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff,
		1ULL << 26, (1ULL << 26) + 1, 1ULL << 32, 1ULL << 47, 1ULL << 52, 1ULL << 63, ~0ULL,
		0xffff888000000000, 0xffff830000000000, 0xffffffff81000000, 0x800000000000,
		TINY_BASE, TINY_CODE,
	};

	switch (pick(r, 4)) {
	case 0:
		return rnd(r) >> pick(r, 53);
	case 1:
		return (uintptr_t)memory + pick(r, MEMORY_PAGES) * 4096;
	case 2:
		return (uintptr_t)edge + 4096 - pick(r, 256);
	default:
		return pool[pick(r, sizeof(pool) / sizeof(pool[0]))];
	}
}

union arg {
	uint32_t size;
	struct rf_info info;
	struct rf_cpuid cpuid;
	struct rf_create_vm create_vm;
	struct rf_set_memory set_memory;
	struct rf_set_domain set_domain;
	struct rf_create_vcpu create_vcpu;
	struct rf_bind_port bind_port;
	struct rf_vm_state vm_state;
	struct rf_stats stats;
	struct rf_kill kill;
	struct rf_set_regs set_regs;
	struct rf_get_regs get_regs;
	struct rf_run run;
	struct rf_state_buffer state;
	uint8_t bytes[8192];
};

#define BEGIN(_field)	(arg->size = sizeof(arg->_field))

/* The ioctl as it should be. */
static unsigned long right_call(struct rng *r, union arg *arg)
{
	memset(arg, 0, sizeof(*arg));
	switch (pick(r, 17)) {
	case 0:
		BEGIN(info);
		return RF_GET_INFO;
	case 1:
	case 2:
		BEGIN(cpuid);
		arg->cpuid.nr_entries = RF_MAX_CPUID_ENTRIES;
		arg->cpuid.entries = (uintptr_t)memory + 4096 * pick(r, MEMORY_PAGES - 8);
		return pick(r, 2) ? RF_GET_CPUID : RF_SET_CPUID;
	case 3:
		BEGIN(create_vm);
		arg->create_vm.max_vcpus = 1 + pick(r, 64);
		snprintf(arg->create_vm.name, RF_NAME_LEN, "storm-%d", (int)pick(r, 1000));
		arg->create_vm.max_shadow_pages = pick(r, 2) ? 0 : pick(r, 4096);
		return RF_CREATE_VM;
	case 4:
	case 5:
		BEGIN(set_memory);
		arg->set_memory.nr_pages = 1 + pick(r, MEMORY_PAGES);
		arg->set_memory.user_va = (uintptr_t)memory;
		arg->set_memory.guest_pfn = pick(r, 3) ? 0 : pick(r, 4096);
		return RF_SET_MEMORY;
	case 6:
		BEGIN(set_domain);
		arg->set_domain.nr_pages = pick(r, MEMORY_PAGES);
		arg->set_domain.shared_info_pfn = pick(r, 2) ? 8 : pick(r, MEMORY_PAGES);
		arg->set_domain.nr_p2m_pages = pick(r, MEMORY_PAGES);
		return RF_SET_DOMAIN;
	case 7:
	case 8:
		BEGIN(create_vcpu);
		arg->create_vcpu.vcpu_id = pick(r, 3);
		return RF_CREATE_VCPU;
	case 9:
		BEGIN(bind_port);
		arg->bind_port.to_launcher = any_fd(r);
		arg->bind_port.from_launcher = any_fd(r);
		return RF_BIND_PORT;
	case 10:
		BEGIN(vm_state);
		return RF_GET_STATE;
	case 11:
		BEGIN(stats);
		arg->stats.nr_counters = pick(r, 2 * RF_NR_COUNTERS);
		arg->stats.counters = (uintptr_t)memory;
		return RF_GET_STATS;
	case 12:
		BEGIN(set_regs);
		arg->set_regs.flags = RF_REGS_ONLINE;
		arg->set_regs.rip = TINY_CODE;
		arg->set_regs.rsp = TINY_STACK;
		return RF_SET_REGS;
	case 13:
	case 14:
		BEGIN(state);
		arg->state.buffer = (uintptr_t)state;
		arg->state.len = pick(r, 4) ? sizeof(state) : pick(r, 2 * state_len + 64);
		return RF_SAVE_STATE;
	case 15:
		BEGIN(state);
		arg->state.buffer = (uintptr_t)state;
		arg->state.len = pick(r, 4) ? state_len : pick(r, 2 * state_len + 64);
		return RF_LOAD_STATE;
	default:
		if (!pick(r, 8)) {
			BEGIN(kill);
			return RF_KILL;
		}
		BEGIN(get_regs);
		return RF_GET_REGS;
	}
}

/* And as it should not. */
static void spoil(struct rng *r, union arg *arg)
{
	uint32_t size = arg->size;

	switch (pick(r, 8)) {
	case 0:
		arg->size = odd(r);
		break;
	case 1:
		arg->size = size + 1 + pick(r, 64);
		if (pick(r, 2))
			arg->bytes[size + pick(r, 64)] = 1;
		break;
	case 2:
		arg->size = pick(r, size + 1);
		break;
	default:
		for (int n = 1 + pick(r, 3); n > 0; n--) {
			uint64_t value = odd(r);
			size_t at = 4 + pick(r, size) / 4 * 4;

			memcpy(arg->bytes + at, &value, pick(r, 2) ? 4 : 8);
		}
	}
	/* Memory is for others, too. */
	if (arg->set_memory.nr_pages > 1 << 20 && pick(r, 8))
		arg->set_memory.nr_pages &= 0xfff;
}

static void one_ioctl(struct rng *r)
{
	static const unsigned long all[] = {
		RF_GET_INFO, RF_GET_CPUID, RF_CREATE_VM, RF_SET_MEMORY, RF_SET_DOMAIN, RF_SET_CPUID,
		RF_CREATE_VCPU, RF_BIND_PORT, RF_GET_STATE, RF_GET_STATS, RF_KILL, RF_SET_REGS,
		RF_GET_REGS, RF_SAVE_STATE, RF_LOAD_STATE,
	};
	union arg arg;
	unsigned long cmd = right_call(r, &arg);
	void *pointer = &arg;
	int fd = any_fd(r), ret;

	if (cmd <= RF_CREATE_VM && pick(r, 4))
		fd = system_fd;
	if (pick(r, 3) == 0)
		spoil(r, &arg);
	if (pick(r, 32) == 0)
		cmd = pick(r, 2) ? all[pick(r, sizeof(all) / sizeof(all[0]))] : rnd(r);
	if (cmd == RF_VCPU_RUN)
		return;		/* would wait for ever in this thread */
	if (pick(r, 32) == 0)
		pointer = (void *)(uintptr_t)odd(r);
	ret = ioctl(fd, cmd, pointer);
	nr_calls++;
	if (ret < 0)
		return;
	nr_ok++;
	if (cmd == RF_CREATE_VM || cmd == RF_CREATE_VCPU)
		keep_fd(r, ret);
	if (cmd == RF_SAVE_STATE && arg.state.buffer == (uintptr_t)state &&
	    arg.state.len <= sizeof(state)) {
		state_len = arg.state.len;
		nr_saved++;
	}
}

/* Fresh memory with a guest in it, whatever there was. */
static void fill_memory(struct rng *r, size_t nr_pages)
{
	mmap(memory, nr_pages * 4096, PROT_READ | PROT_WRITE,
	     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	tiny_guest_make(memory, nr_pages, rnd(r));
}

/* What was saved last, or nearly that. */
static void load_state(struct rng *r, int vm)
{
	struct rf_state_buffer load = {
		.size = sizeof(load), .buffer = (uintptr_t)state, .len = state_len,
	};

	if (!state_len)
		return;
	for (int n = pick(r, 4); n > 0; n--)
		state[pick(r, state_len)] ^= 1 << pick(r, 8);
	nr_loaded += !ioctl(vm, RF_LOAD_STATE, &load);
}

/* One VM from the beginning to a vCPU, with nothing wrong; or where another was. */
static void make_vm(struct rng *r)
{
	struct rf_create_vm create = { .size = sizeof(create), .max_vcpus = 4, .name = "storm" };
	struct rf_set_memory mem = {
		.size = sizeof(mem), .nr_pages = MEMORY_PAGES, .user_va = (uintptr_t)memory,
	};
	struct rf_set_domain domain = {
		.size = sizeof(domain), .shared_info_pfn = MEMORY_PAGES - 1,
		.nr_pages = MEMORY_PAGES - 1, .nr_p2m_pages = MEMORY_PAGES - 1,
	};
	struct rf_create_vcpu vcpu = { .size = sizeof(vcpu) };
	struct rf_set_regs regs = {
		.size = sizeof(regs), .flags = RF_REGS_ONLINE, .rip = TINY_CODE,
		.rsp = TINY_STACK,
	};
	int vm = ioctl(system_fd, RF_CREATE_VM, &create), fd;

	if (vm < 0)
		return;
	fill_memory(r, pick(r, 2) ? 16 : MEMORY_PAGES);
	ioctl(vm, RF_SET_MEMORY, &mem);
	ioctl(vm, RF_SET_DOMAIN, &domain);
	for (vcpu.vcpu_id = 0; vcpu.vcpu_id < 2; vcpu.vcpu_id++) {
		fd = ioctl(vm, RF_CREATE_VCPU, &vcpu);
		if (fd < 0)
			break;
		if (!vcpu.vcpu_id)
			ioctl(fd, RF_SET_REGS, &regs);
		keep_fd(r, fd);
	}
	if (pick(r, 3) == 0)
		load_state(r, vm);
	keep_fd(r, vm);
}

/* Take memory away, or its rights, while guests run in it. */
static void change_memory(struct rng *r)
{
	size_t first = pick(r, MEMORY_PAGES - 64), nr = 1 + pick(r, 64);
	uint8_t *at = memory + first * 4096;

	switch (pick(r, 6)) {
	case 0:
		madvise(at, nr * 4096, MADV_DONTNEED);
		break;
	case 1:
		mprotect(at, nr * 4096, PROT_READ);
		break;
	case 2:
		mprotect(at, nr * 4096, PROT_READ | PROT_WRITE);
		break;
	case 3:
		mmap(at, nr * 4096, PROT_READ | PROT_WRITE,
		     MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		break;
	case 4:
		munmap(at, nr * 4096);
		break;
	default:
		fill_memory(r, MEMORY_PAGES);
	}
}

/* What else can be done to a file. */
static void other_calls(struct rng *r)
{
	char buf[64] = { 0 };
	int fd = any_fd(r);
	void *p;

	if (fd <= 2)
		return;
	switch (pick(r, 7)) {
	case 0:
		(void)!read(fd, buf, sizeof(buf));
		break;
	case 1:
		(void)!write(fd, buf, 8);
		break;
	case 2:
		p = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
		if (p != MAP_FAILED)
			munmap(p, 4096);
		break;
	case 3:
		keep_fd(r, dup(fd));
		break;
	case 4:
		keep_fd(r, eventfd(0, EFD_NONBLOCK));
		break;
	case 5:
		if (fd != system_fd)
			close(fd);
		break;
	default:
		/* Another address space with the same files. */
		if (pick(r, 16) == 0 && fork() == 0) {
			for (int i = 0; i < 50; i++)
				one_ioctl(r);
			_exit(0);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void *runner(void *arg)
{
	struct rng r = { (uintptr_t)arg | 1 };
	struct rf_run run;

	while (!done) {
		memset(&run, 0, sizeof(run));
		run.size = sizeof(run);
		run.io_value = rnd(&r);
		if (ioctl(fds[pick(&r, NR_FDS)], RF_VCPU_RUN, &run) < 0)
			usleep(100);
	}
	return NULL;
}

static double seconds_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void storm(uint64_t seed, double seconds)
{
	struct sigaction action = { .sa_handler = on_alarm };
	struct rng r = { seed * 0x9e3779b97f4a7c15ULL | 1 };
	double end = seconds_now() + seconds;
	pthread_t threads[NR_RUNNERS];

	sigaction(SIGUSR1, &action, NULL);
	memory = mmap(NULL, MEMORY_PAGES * 4096, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	edge = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(edge + 4096, 4096);
	for (int i = 0; i < NR_FDS; i++)
		fds[i] = -1;
	for (long i = 0; i < NR_RUNNERS; i++)
		pthread_create(&threads[i], NULL, runner, (void *)(uintptr_t)rnd(&r));

	while (seconds_now() < end) {
		for (int i = 0; i < 100; i++) {
			switch (pick(&r, 32)) {
			case 0:
				make_vm(&r);
				break;
			case 1:
				change_memory(&r);
				break;
			case 2:
			case 3:
				other_calls(&r);
				break;
			default:
				one_ioctl(&r);
			}
		}
		for (int i = 0; i < NR_RUNNERS; i++)
			pthread_kill(threads[i], SIGUSR1);
	}
	done = true;
	for (int i = 0; i < NR_RUNNERS; i++) {
		while (pthread_tryjoin_np(threads[i], NULL)) {
			pthread_kill(threads[i], SIGUSR1);
			usleep(1000);
		}
	}
	printf("# seed %llu: %lu ioctls, %lu done; %lu states saved, %lu loaded\n",
	       (unsigned long long)seed, nr_calls, nr_ok, nr_saved, nr_loaded);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 1;
	double seconds = argc > 2 ? strtod(argv[2], NULL) : 5;
	int workers = argc > 3 ? atoi(argv[3]) : 2;
	const struct rlimit no_core = { 0, 0 };
	int status, bad = 0;

	system_fd = open("/dev/ringfence", O_RDWR | O_CLOEXEC);
	if (system_fd < 0) {
		perror("/dev/ringfence");
		return 2;
	}
	setrlimit(RLIMIT_CORE, &no_core);
	if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))) {
		perror("setresuid");
		return 2;
	}
	for (int i = 0; i < workers; i++)
		if (fork() == 0) {
			storm(seed * 100 + i, seconds);
			_exit(0);
		}
	while (wait(&status) > 0)
		if (WIFSIGNALED(status)) {
			printf("# a worker died of signal %d\n", WTERMSIG(status));
			bad = 1;
		}
	return bad;
}
