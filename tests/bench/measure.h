/* SPDX-License-Identifier: GPL-2.0 */
/*
 * measure.h - how ops.c and io.c measure
 *
 * What is measured is between begin() and end().  In a run in steps they print
 * OPS-READY before it and OPS-DONE after it, and wait for a line of input each
 * time, so that somebody can read counters that belong to exactly that.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define RUNS	5

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/* The operation whose counters somebody reads in this run. */
static const char *stepping;

static inline void pause_for(const char *what, unsigned long n)
{
	char line[80];

	printf("OPS-%s %s %lu\n", what, stepping, n);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(1);
}

/* NOPs that a profiler finds: see profile-plugin.c. */
#define MARK_BEGINS	0x72667001
#define MARK_ENDS	0x72667002
#define MARK_OPERATION	0x72667003
#define MARK_OVER	0x72667004
#define MARK_BOOT	0x10

static inline __attribute__((always_inline)) void mark(const unsigned int nr)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long %c0" : : "i" (nr) : "memory");
}

static inline uint64_t begin(unsigned long n)
{
	if (stepping)
		pause_for("READY", n);
	mark(MARK_BEGINS);
	return now_ns();
}

static inline uint64_t end(uint64_t start)
{
	uint64_t ns = now_ns() - start;

	mark(MARK_ENDS);
	if (stepping)
		pause_for("DONE", 0);
	return ns;
}

/* For qsort() of doubles. */
static inline int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

#endif /* MEASURE_H */
