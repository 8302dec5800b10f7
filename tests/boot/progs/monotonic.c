// SPDX-License-Identifier: GPL-2.0
/*
 * monotonic.c - time never goes back, on whatever CPU one looks
 *
 * A thread on each CPU reads the clock and compares it with the latest that
 * any thread has seen.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t latest[2];
static uint64_t worst;
static unsigned int backwards;
static volatile int stop;

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

static void look(int which, clockid_t id)
{
	uint64_t seen = __atomic_load_n(&latest[which], __ATOMIC_SEQ_CST);
	uint64_t now = read_clock(id);

	if (now < seen) {
		__atomic_add_fetch(&backwards, 1, __ATOMIC_RELAXED);
		if (seen - now > worst)
			worst = seen - now;
		return;
	}
	while (seen < now &&
	       !__atomic_compare_exchange_n(&latest[which], &seen, now, 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void *run(void *arg)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((long)arg, &set);
	pthread_setaffinity_np(pthread_self(), sizeof(set), &set);
	while (!stop) {
		look(0, CLOCK_MONOTONIC);
		look(1, CLOCK_REALTIME);
	}
	return NULL;
}

int main(int argc, char **argv)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int seconds = argc > 1 ? atoi(argv[1]) : 5;
	pthread_t threads[64];

	for (long i = 0; i < cpus && i < 64; i++)
		pthread_create(&threads[i], NULL, run, (void *)i);
	sleep(seconds);
	stop = 1;
	for (long i = 0; i < cpus && i < 64; i++)
		pthread_join(threads[i], NULL);
	printf("steps backwards: %u\n", backwards);
	if (backwards)
		fprintf(stderr, "worst: %llu ns on %ld CPUs\n", (unsigned long long)worst, cpus);
	return !!backwards;
}
