// SPDX-License-Identifier: GPL-2.0
/*
 * What a hypercall costs that does nothing: answered in the switcher, and by
 * the host.  A measurement, not a test: it prints what make bench reads.
 */
#include "guest.h"

#define ROUNDS	10000
#define RUNS	5

/* Nobody has this number, so the host's table is as far as it gets. */
#define NOBODY	63

/* NOPs that a profiler finds: see tests/bench/profile-plugin.c. */
#define MARK_BEGINS	0x72667001
#define MARK_ENDS	0x72667002
#define MARK_FAST	0x20
#define MARK_HOST	0x30

static inline __attribute__((always_inline)) void mark(const unsigned int nr)
{
	asm volatile(".byte 0x0f, 0x1f, 0x80; .long %c0" : : "i" (nr) : "memory");
}

static u64 median_of(u64 (*run)(void))
{
	u64 ns[RUNS];

	run();
	for (int i = 0; i < RUNS; i++) {
		u64 now = run();
		int j = i;

		for (; j && ns[j - 1] > now; j--)
			ns[j] = ns[j - 1];
		ns[j] = now;
	}
	return ns[RUNS / 2];
}

static u64 in_switcher(void)
{
	u64 start = now_ns();

	mark(MARK_BEGINS | MARK_FAST);
	for (int i = 0; i < ROUNDS; i++)
		xen_version(XENVER_version, NULL);
	mark(MARK_ENDS | MARK_FAST);
	return now_ns() - start;
}

static u64 through_host(void)
{
	u64 start = now_ns();

	mark(MARK_BEGINS | MARK_HOST);
	for (int i = 0; i < ROUNDS; i++)
		hypercall(NOBODY, 0, 0, 0, 0, 0);
	mark(MARK_ENDS | MARK_HOST);
	return now_ns() - start;
}

static void say(const char *name, u64 ns)
{
	u64 cents = ns * 100 / ROUNDS;

	print("{\"op\": \"%s\", \"ns\": %lu.%lu%lu, \"n\": %d, \"runs\": %d}\n", name,
	      cents / 100, cents / 10 % 10, cents % 10, ROUNDS, RUNS);
}

static void hypercalls(void)
{
	say("hypercall_fast", median_of(in_switcher));
	say("hypercall_host", median_of(through_host));
}

GUEST_TEST(CASE(hypercalls));
