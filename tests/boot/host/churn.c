// SPDX-License-Identifier: GPL-2.0
/*
 * churn.c - VMs that come and go, without a launcher's ceremony
 *
 *	churn COUNT	make, run and drop a VM so many times
 *	churn nth	the same once for each allocation or copy in it that can
 *			fail, and it fails (/proc/thread-self/fail-nth)
 *	churn orphan	make and run one, and leave it to a child: that may do
 *			nothing with it, and lets go of it after SECONDS_HELD
 *
 * The guest makes hypercalls for ever; another thread ends its run.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../../uapi/ringfence.h"
#include "../../fuzz/ioctl/tiny_guest.h"

#define NR_PAGES	512UL
#define RUN_US		3000
#define MOST_FAILURES	300
#define SECONDS_HELD	3

static int system_fd, nth_fd = -1;

/* --- one life, step by step ------------------------------------------------ */

static struct life {
	uint8_t *memory;
	int vm, vcpu[2], event;
} life;

static int step_memory(void)
{
	void *p = mmap(NULL, NR_PAGES * 4096, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return -1;
	life.memory = p;
	tiny_guest_make(life.memory, NR_PAGES, 0);
	return 0;
}

static int step_vm(void)
{
	struct rf_create_vm create = { .size = sizeof(create), .max_vcpus = 2, .name = "churn" };

	life.vm = ioctl(system_fd, RF_CREATE_VM, &create);
	return life.vm;
}

static int step_set_memory(void)
{
	struct rf_set_memory set = {
		.size = sizeof(set), .nr_pages = NR_PAGES, .user_va = (uintptr_t)life.memory,
	};

	return ioctl(life.vm, RF_SET_MEMORY, &set);
}

static int step_domain(void)
{
	struct rf_set_domain set = {
		.size = sizeof(set), .shared_info_pfn = NR_PAGES - 1,
		.nr_pages = NR_PAGES - 1, .nr_p2m_pages = NR_PAGES - 1,
	};

	return ioctl(life.vm, RF_SET_DOMAIN, &set);
}

static int step_port(void)
{
	struct rf_bind_port bind = { .size = sizeof(bind), .to_launcher = -1 };

	life.event = eventfd(0, EFD_CLOEXEC);
	bind.from_launcher = life.event;
	return life.event < 0 ? -1 : ioctl(life.vm, RF_BIND_PORT, &bind);
}

static int make_vcpu(int id)
{
	struct rf_create_vcpu create = { .size = sizeof(create), .vcpu_id = id };

	life.vcpu[id] = ioctl(life.vm, RF_CREATE_VCPU, &create);
	return life.vcpu[id];
}

static int step_vcpu0(void) { return make_vcpu(0); }
static int step_vcpu1(void) { return make_vcpu(1); }

static int step_regs(void)
{
	struct rf_set_regs set = {
		.size = sizeof(set), .flags = RF_REGS_ONLINE,
		.rip = TINY_CODE, .rsp = TINY_STACK,
	};

	return ioctl(life.vcpu[0], RF_SET_REGS, &set);
}

static bool running;

/* A signal would do as well, but for what can fail when it is delivered. */
static void *end_runs(void *arg)
{
	struct rf_kill kill = { .size = sizeof(kill) };

	for (;;) {
		usleep(RUN_US);
		if (__atomic_load_n(&running, __ATOMIC_SEQ_CST))
			ioctl(life.vm, RF_KILL, &kill);
	}
	return arg;
}

static int step_run(void)
{
	struct rf_run run = { .size = sizeof(run) };
	int ret;

	__atomic_store_n(&running, true, __ATOMIC_SEQ_CST);
	ret = ioctl(life.vcpu[0], RF_VCPU_RUN, &run);
	__atomic_store_n(&running, false, __ATOMIC_SEQ_CST);
	return ret;
}

static int step_stats(void)
{
	uint64_t counters[RF_NR_COUNTERS] = {};
	struct rf_stats stats = {
		.size = sizeof(stats), .nr_counters = RF_NR_COUNTERS,
		.counters = (uintptr_t)counters,
	};

	return ioctl(life.vm, RF_GET_STATS, &stats);
}

static const struct step {
	const char *name;
	int (*fn)(void);
} steps[] = {
	{ "memory", step_memory },
	{ "create_vm", step_vm },
	{ "set_memory", step_set_memory },
	{ "set_domain", step_domain },
	{ "bind_port", step_port },
	{ "create_vcpu", step_vcpu0 },
	{ "create_vcpu 1", step_vcpu1 },
	{ "set_regs", step_regs },
	{ "run", step_run },
	{ "get_stats", step_stats },
};

#define NR_STEPS	(sizeof(steps) / sizeof(*steps))

static void drop(void)
{
	int fds[] = { life.vcpu[0], life.vcpu[1], life.vm, life.event };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (life.memory)
		munmap(life.memory, NR_PAGES * 4096);
}

static void begin(void)
{
	life = (struct life){ .vm = -1, .vcpu = { -1, -1 }, .event = -1 };
}

/* --- failing at the nth chance ------------------------------------------------ */

static void arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	/* It may be this that fails. */
	while (pwrite(nth_fd, text, len, 0) < 0)
		;
}

/* Has it failed? */
static bool disarm(void)
{
	char text[16] = "";
	bool hit = pread(nth_fd, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;

	arm(0);
	return hit;
}

/* Live up to step @which, whose nth chance to fail is taken; was there one? */
static bool fail_at(size_t which, unsigned int nth, unsigned int *refused)
{
	bool hit = false;

	begin();
	for (size_t i = 0; i < NR_STEPS; i++) {
		int ret;

		if (i == which)
			arm(nth);
		ret = steps[i].fn();
		if (i == which)
			hit = disarm();
		if (ret >= 0)
			continue;
		if (i < which) {
			perror(steps[i].name);
			exit(1);
		}
		(*refused)++;
		break;
	}
	drop();
	return hit;
}

static int fail_everywhere(void)
{
	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0) {
		perror("/proc/thread-self/fail-nth");
		return 1;
	}
	for (size_t i = 0; i < NR_STEPS; i++) {
		unsigned int nth = 1, refused = 0;

		while (nth <= MOST_FAILURES && fail_at(i, nth, &refused))
			nth++;
		printf("# %s: failed at %u places, %u times heard of\n", steps[i].name,
		       nth - 1, refused);
		fflush(stdout);
	}
	return 0;
}

/* --------------------------------------------------------------------------------- */

static int churn(unsigned int count)
{
	while (count--) {
		begin();
		for (size_t i = 0; i < NR_STEPS; i++)
			if (steps[i].fn() < 0) {
				perror(steps[i].name);
				return 1;
			}
		drop();
	}
	return 0;
}

/* Once its parent is gone, and the guest's memory with it. */
static void be_orphan(void)
{
	struct rf_run run = { .size = sizeof(run) };
	const char *verdict = "orphan: refused\n";

	sleep(1);
	if (!ioctl(life.vcpu[0], RF_VCPU_RUN, &run) || errno != EPERM)
		verdict = "orphan: not refused\n";
	if (write(STDOUT_FILENO, verdict, strlen(verdict)) < 0)
		_exit(1);
	sleep(SECONDS_HELD - 1);
	_exit(0);
}

static int leave_orphan(void)
{
	begin();
	for (size_t i = 0; i < NR_STEPS; i++)
		if (steps[i].fn() < 0) {
			perror(steps[i].name);
			return 1;
		}
	switch (fork()) {
	case -1:
		return 1;
	case 0:
		be_orphan();
	}
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	begin();
	system_fd = open("/dev/ringfence", O_RDWR | O_CLOEXEC);
	if (system_fd < 0 || argc != 2 || pthread_create(&thread, NULL, end_runs, NULL)) {
		perror("churn");
		return 2;
	}
	if (!strcmp(argv[1], "nth"))
		return fail_everywhere();
	if (!strcmp(argv[1], "orphan"))
		return leave_orphan();
	return churn(atoi(argv[1]));
}
