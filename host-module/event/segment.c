// SPDX-License-Identifier: GPL-2.0
/*
 * segment.c - guest time as straight lines over the TSC (pure)
 *
 *	ns                    . host
 *	               ___..-'
 *	          __.-' ^ next segment: host's slope, and a bit to meet it
 *	      _.-'
 *	   .-'  ^ segment in use
 */
#include "segment.h"

/* How far from the host a line may be: well below what a switch costs. */
#define ERROR_MAX_NS	1000

/* Time to make up for an error, and the most that is made up for in it. */
#define STEER_NS	4000000000LL
#define STEER_MAX_NS	400000		/* 100 ppm */

/* So wrong that no guest was running meanwhile: the host slept. */
#define STEP_NS		1000000

/* Lines are not shorter: each costs an exit of every vCPU that runs. */
#define LENGTH_MIN_NS	100000000

static u64 magnitude(s64 error)
{
	u64 bits = error;

	return error < 0 ? -bits : bits;
}

static s64 clamp_error(s64 error)
{
	if (error > STEER_MAX_NS)
		return STEER_MAX_NS;
	return error < -STEER_MAX_NS ? -STEER_MAX_NS : error;
}

void rf_segment_set_slope(struct rf_segment *segment, u64 mul, int shift)
{
	while (mul >> 32) {
		mul >>= 1;
		shift++;
	}
	while (!(mul >> 31)) {
		mul <<= 1;
		shift--;
	}
	segment->mul = mul;
	segment->shift = shift;
}

u64 rf_segment_read(const struct rf_segment *segment, u64 tsc)
{
	u64 cycles = tsc - segment->tsc;

	if (segment->shift < 0)
		cycles >>= -segment->shift;
	else
		cycles <<= segment->shift;

	/* cycles * mul / 2^32, of which no bit is lost on the way. */
	return segment->ns + (cycles >> 32) * segment->mul +
	       ((cycles & 0xffffffff) * segment->mul >> 32);
}

static void segment_begin(struct rf_segment *segment,
			  const struct rf_host_sample *host, u64 ns)
{
	s64 error = clamp_error(host->ns - ns);
	s64 steer;

	segment->tsc = host->tsc;
	segment->ns = ns;
	segment->host_ns = host->ns;
	segment->error = magnitude(error) > ERROR_MAX_NS ? error : 0;

	rf_segment_set_slope(segment, host->mult, 32 - (int)host->shift);
	steer = (s64)segment->mul * segment->error / STEER_NS;
	rf_segment_set_slope(segment, segment->mul + steer, segment->shift);
}

/* Does @error say that the line does what it was made for? */
static bool segment_is_good(const struct rf_segment *segment, s64 error)
{
	if (!segment->error)
		return magnitude(error) <= ERROR_MAX_NS;

	/* Still on its way: the error is on the same side, and no larger. */
	return (error > 0) == (segment->error > 0) &&
	       magnitude(error) <= magnitude(segment->error) + ERROR_MAX_NS;
}

bool rf_segment_update(struct rf_segment *segment, const struct rf_host_sample *host)
{
	s64 error;
	u64 ns;

	if (!host->mult)
		return false;

	/* The first, or the TSC began anew while the host slept. */
	if (!segment->mul || host->tsc < segment->tsc) {
		segment_begin(segment, host, host->ns);
		return true;
	}

	ns = rf_segment_read(segment, host->tsc);
	error = host->ns - ns;
	if (magnitude(error) > STEP_NS) {
		segment_begin(segment, host, host->ns);
		return true;
	}

	if (host->ns - segment->host_ns < LENGTH_MIN_NS ||
	    segment_is_good(segment, error))
		return false;

	segment_begin(segment, host, ns);
	return true;
}
