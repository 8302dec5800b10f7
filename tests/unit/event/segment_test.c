// SPDX-License-Identifier: GPL-2.0
/*
 * segment_test.c - guest time follows the host's clock, and never goes back
 *
 * Sources: host-module/event/segment.c
 */
#include "host-module/event/segment.h"
#include "userland/tap.h"

#define KHZ		2900000ULL
#define TICK_CYCLES	(4 * KHZ)	/* 4 ms */
#define TICKS_PER_S	250
#define SHIFT		24
#define MULT		((1000000ULL << SHIFT) / KHZ)

/* A host's timekeeper: time adds up, whatever the slope does. */
struct host {
	struct rf_host_sample sample;
	u64 shifted_ns;
};

static struct host host;
static struct rf_segment segment;
static unsigned int nr_lines;
static u64 worst_ns;		/* guest against host */
static s64 worst_back_ns;	/* next line against last, 4 ms on */

static void start(u32 mult)
{
	host = (struct host){
		.sample = {
			.tsc = 123456789012ULL, .ns = 5000000000ULL,
			.mult = mult, .shift = SHIFT,
		},
		.shifted_ns = 5000000000ULL << SHIFT,
	};
	segment = (struct rf_segment){};
	nr_lines = 0;
	worst_ns = 0;
	worst_back_ns = 0;
	rf_segment_update(&segment, &host.sample);
}

static void tick(void)
{
	struct rf_segment last = segment;
	u64 guest_ns, late;
	s64 error, back;

	host.sample.tsc += TICK_CYCLES;
	host.shifted_ns += TICK_CYCLES * host.sample.mult;
	host.sample.ns = host.shifted_ns >> SHIFT;

	if (rf_segment_update(&segment, &host.sample)) {
		nr_lines++;
		late = host.sample.tsc + TICK_CYCLES;
		back = rf_segment_read(&last, late) - rf_segment_read(&segment, late);
		if (back > worst_back_ns)
			worst_back_ns = back;
	}

	guest_ns = rf_segment_read(&segment, host.sample.tsc);
	error = guest_ns - host.sample.ns;
	if (error < 0)
		error = -error;
	if ((u64)error > worst_ns)
		worst_ns = error;
}

static void run(unsigned int seconds)
{
	unsigned int i;

	for (i = 0; i < seconds * TICKS_PER_S; i++)
		tick();
}

static void first_line_is_the_hosts(void)
{
	start(MULT);
	EXPECT_EQ(rf_segment_read(&segment, host.sample.tsc), host.sample.ns);
	EXPECT_EQ(segment.mul >> 31, 1);
	run(60);
	EXPECT_EQ(nr_lines, 0);
	EXPECT(worst_ns <= 2);
}

static void slopes_of_any_size_are_kept(void)
{
	static const u32 mults[] = { 1, 3, 0x7fffffff, 0x80000000, 0xffffffff, 5592405 };
	unsigned int i, shift;

	for (i = 0; i < sizeof(mults) / sizeof(mults[0]); i++) {
		for (shift = 0; shift <= 32; shift += 4) {
			const struct rf_host_sample at = {
				.tsc = 1000, .ns = 7, .mult = mults[i], .shift = shift,
			};
			u64 cycles = 1ULL << 30;
			u64 exact = 7 + (cycles * mults[i] >> shift);
			struct rf_segment line = {};

			EXPECT(rf_segment_update(&line, &at));
			EXPECT_EQ(rf_segment_read(&line, 1000 + cycles), exact);
		}
	}
}

/* The timekeeper dithers between two slopes to hit one in between. */
static void ten_minutes_of_dither_stay_within_2_us(void)
{
	unsigned int i;

	start(MULT);
	for (i = 0; i < 600 * TICKS_PER_S; i++) {
		host.sample.mult = MULT + (i * 7919 % 10 < 3);
		tick();
	}
	EXPECT(worst_ns <= 2100);
	EXPECT(nr_lines > 0 && nr_lines < 300);
	EXPECT(worst_back_ns <= 5);
}

static void host_that_slews_is_followed(void)
{
	start(MULT);
	run(2);
	host.sample.mult = MULT + MULT / 2000;		/* 500 ppm */
	run(30);
	EXPECT(worst_ns < 60000);
	host.sample.mult = MULT - MULT / 2000;
	run(30);
	EXPECT(worst_ns < 120000);

	worst_ns = 0;
	run(60);
	EXPECT(worst_ns <= 2100);
}

static void time_never_goes_back_at_a_joint(void)
{
	u64 last_ns = 0;
	unsigned int i;

	start(MULT);
	for (i = 0; i < 100 * TICKS_PER_S; i++) {
		host.sample.mult = MULT + (i / 777 % 3) * (MULT / 4000);
		tick();
		EXPECT(rf_segment_read(&segment, host.sample.tsc) >= last_ns);
		last_ns = rf_segment_read(&segment, host.sample.tsc + TICK_CYCLES - 10000);
	}
}

static void time_stands_still_while_the_host_sleeps(void)
{
	start(MULT);
	run(5);
	/* The TSC ran on, CLOCK_MONOTONIC did not. */
	host.sample.tsc += 3600 * 1000 * KHZ;
	tick();
	EXPECT_EQ(rf_segment_read(&segment, host.sample.tsc), host.sample.ns);
}

static void tsc_may_begin_anew(void)
{
	start(MULT);
	run(5);
	host.sample.tsc = 1000;
	tick();
	EXPECT_EQ(rf_segment_read(&segment, host.sample.tsc), host.sample.ns);
	run(5);
	EXPECT(worst_ns <= 2);
}

static void host_without_a_slope_changes_nothing(void)
{
	const struct rf_host_sample none = { .tsc = 1, .ns = 1 };

	start(MULT);
	EXPECT(!rf_segment_update(&segment, &none));
}

static const struct tap_case cases[] = {
	TAP_CASE(first_line_is_the_hosts),
	TAP_CASE(slopes_of_any_size_are_kept),
	TAP_CASE(ten_minutes_of_dither_stay_within_2_us),
	TAP_CASE(host_that_slews_is_followed),
	TAP_CASE(time_never_goes_back_at_a_joint),
	TAP_CASE(time_stands_still_while_the_host_sleeps),
	TAP_CASE(tsc_may_begin_anew),
	TAP_CASE(host_without_a_slope_changes_nothing),
};

int main(void)
{
	return TAP_RUN(cases);
}
