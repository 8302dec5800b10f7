// SPDX-License-Identifier: GPL-2.0
/*
 * clocks.c - what time it is, and at which TSC
 *
 *	clocks now		say it once
 *	clocks every MS TIMES	say it so many times
 *
 * Each line is "CLOCK tsc ns".  A guest and its host have the same TSC; so their
 * clocks can be compared by it, however late a line comes.  A read between two
 * looks at the TSC is as good as these are close: the best of many counts.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#define READS	2000

struct stamp {
	uint64_t tsc, ns, width;
};

static struct stamp stamp_once(void)
{
	struct stamp s;
	struct timespec ts;
	uint64_t before, after;

	before = __rdtsc();
	_mm_lfence();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	_mm_lfence();
	after = __rdtsc();
	s.width = after - before;
	s.tsc = before + s.width / 2;
	s.ns = ts.tv_sec * 1000000000ULL + ts.tv_nsec;
	return s;
}

static void say(unsigned int reads)
{
	struct stamp best = stamp_once();

	while (reads--) {
		struct stamp s = stamp_once();

		if (s.width < best.width)
			best = s;
	}
	printf("CLOCK %llu %llu\n", (unsigned long long)best.tsc,
	       (unsigned long long)best.ns);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	unsigned int ms, times;

	if (argc == 2 && !strcmp(argv[1], "now")) {
		say(READS);
		return 0;
	}
	if (argc != 4 || strcmp(argv[1], "every"))
		return 2;
	ms = atoi(argv[2]);
	times = atoi(argv[3]);
	while (times--) {
		say(READS / 10);
		usleep(ms * 1000);
	}
	return 0;
}
