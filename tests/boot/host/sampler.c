// SPDX-License-Identifier: GPL-2.0
/*
 * sampler.c - perf record, in small: every CPU, a thousand times a second
 *
 *	sampler SECONDS
 *
 * A sample has all that makes the kernel look around: call chains of both kinds,
 * the user's registers and a piece of its stack.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define MOST_CPUS	64
#define PAGES		256UL
#define PERIOD_NS	1000000

struct ring {
	struct perf_event_mmap_page *page;
	uint64_t tail;
};

static struct ring rings[MOST_CPUS];
static unsigned long nr_samples, nr_in_vcpus, nr_lost;

static int open_event(int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_period = PERIOD_NS,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_CALLCHAIN |
			       PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
		.sample_regs_user = 0x1ff,
		.sample_stack_user = 1024,
		.comm = 1,
	};

	return syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static int start(int cpu)
{
	int fd = open_event(cpu);
	void *p;

	if (fd < 0)
		return -1;
	p = mmap(NULL, (PAGES + 1) * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -1;
	rings[cpu].page = p;
	return ioctl(fd, PERF_EVENT_IOC_ENABLE, 0);
}

static uint64_t word(const struct ring *ring, uint64_t at)
{
	const uint8_t *data = (uint8_t *)ring->page + 4096;

	return *(const uint64_t *)(data + at % (PAGES * 4096));
}

/* Is it a vCPU's thread?  They are called so. */
static int is_vcpu(int tid)
{
	static int known[2];		/* the last answer */
	char path[64], name[16] = "";
	FILE *f;

	if (known[0] == tid)
		return known[1];
	snprintf(path, sizeof(path), "/proc/%d/comm", tid);
	f = fopen(path, "r");
	if (f && fgets(name, sizeof(name), f))
		known[1] = !strncmp(name, "vcpu", 4);
	if (f)
		fclose(f);
	known[0] = tid;
	return known[1];
}

static void drain(struct ring *ring)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);

	while (ring->tail < head) {
		uint64_t header = word(ring, ring->tail);
		uint32_t type = header;
		uint16_t size = header >> 48;

		if (type == PERF_RECORD_SAMPLE) {
			nr_samples++;
			nr_in_vcpus += is_vcpu(word(ring, ring->tail + 8) >> 32);
		} else if (type == PERF_RECORD_LOST) {
			nr_lost++;
		}
		ring->tail += size;
	}
	__atomic_store_n(&ring->page->data_tail, ring->tail, __ATOMIC_RELEASE);
}

int main(int argc, char **argv)
{
	time_t until = time(NULL) + (argc > 1 ? atoi(argv[1]) : 5);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	for (int cpu = 0; cpu < cpus && cpu < MOST_CPUS; cpu++)
		if (start(cpu)) {
			perror("perf_event_open");
			return 1;
		}
	while (time(NULL) < until) {
		for (int cpu = 0; cpu < cpus && cpu < MOST_CPUS; cpu++)
			drain(&rings[cpu]);
		usleep(20000);
	}
	printf("# %lu samples, %lu in vCPUs, %lu losses\n", nr_samples, nr_in_vcpus, nr_lost);
	return !nr_samples || !nr_in_vcpus;
}
