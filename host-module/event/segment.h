/* SPDX-License-Identifier: GPL-2.0 */
/*
 * segment.h - guest time as straight lines over the TSC (pure; also a host program)
 *
 * A guest computes its time from the TSC by one straight line, a segment, until
 * it is given the next.  Segments join without a step, so time never goes back;
 * where the host's clock has left the line, the next one leads to it.
 */
#ifndef RF_SEGMENT_H
#define RF_SEGMENT_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <linux/types.h>
#include <stdbool.h>

typedef __s8 s8;
typedef __u32 u32;
typedef __u64 u64;
typedef __s64 s64;
#endif

/**
 * struct rf_host_sample - the host's clock at one moment
 * @tsc: TSC then
 * @ns: CLOCK_MONOTONIC then
 * @mult: Slope: ns = cycles * @mult >> @shift
 * @shift: See @mult
 */
struct rf_host_sample {
	u64 tsc;
	u64 ns;
	u32 mult;
	u32 shift;
};

/**
 * struct rf_segment - one line; as pvclock, @mul is a 32-bit fraction
 * @tsc: Where it starts
 * @ns: Guest time there
 * @host_ns: Host time there
 * @error: What of @host_ns - @ns the slope makes up for; 0: nothing
 * @mul: Slope: ns = (cycles << @shift) * @mul >> 32; 0: no line yet
 * @shift: See @mul; negative shifts to the right
 */
struct rf_segment {
	u64 tsc;
	u64 ns;
	u64 host_ns;
	s64 error;
	u32 mul;
	s8 shift;
};

/* Make the fraction @mul / 2^32, times 2^@shift, a slope. */
void rf_segment_set_slope(struct rf_segment *segment, u64 mul, int shift);

/* Guest time at @tsc, computed as a guest does. */
u64 rf_segment_read(const struct rf_segment *segment, u64 tsc);

/**
 * rf_segment_update() - Keep a segment, or begin the next
 * @segment: The line in use
 * @host: Where the host's clock is now
 *
 * Return: whether @segment changed.
 */
bool rf_segment_update(struct rf_segment *segment, const struct rf_host_sample *host);

#endif /* RF_SEGMENT_H */
