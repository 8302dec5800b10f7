// SPDX-License-Identifier: GPL-2.0
/*
 * block_limit.c - so much a second, and no more than so much at once  (pure)
 *
 * A bucket is one moment: when all that was taken would have passed, one after
 * the other.  As long as that is not further ahead than the burst, more may be
 * taken.  So one request may be larger than the burst; the next ones pay.
 */
#include "block_limit.h"

#define SECOND_NS	1000000000ULL
#define UNITS_SHIFT	10

/* More than an hour ahead is not told apart from that. */
#define MAX_BURST_NS	(3600 * SECOND_NS)

static u64 cost(const struct rf_bucket *bucket, u32 units)
{
	u64 whole = units >> UNITS_SHIFT, rest = units & ((1 << UNITS_SHIFT) - 1);

	return whole * bucket->ns_per_k + ((rest * bucket->ns_per_k) >> UNITS_SHIFT);
}

void rf_bucket_init(struct rf_bucket *bucket, u64 rate, u64 burst)
{
	*bucket = (struct rf_bucket) {};
	if (!rate)
		return;
	bucket->ns_per_k = (SECOND_NS << UNITS_SHIFT) / rate;
	bucket->burst_ns = SECOND_NS / 10;
	if (!burst)
		return;
	/* As seconds and the rest of one, so that no product is too large. */
	if (burst / rate >= MAX_BURST_NS / SECOND_NS)
		bucket->burst_ns = MAX_BURST_NS;
	else if (rate < ~0ULL / SECOND_NS)
		bucket->burst_ns = burst / rate * SECOND_NS + burst % rate * SECOND_NS / rate;
	else
		bucket->burst_ns = burst / (rate / SECOND_NS);
}

u64 rf_bucket_wait(const struct rf_bucket *bucket, u64 now)
{
	u64 free_at = now + bucket->burst_ns;

	return bucket->due > free_at ? bucket->due - free_at : 0;
}

void rf_bucket_take(struct rf_bucket *bucket, u64 now, u32 units)
{
	if (bucket->due < now)
		bucket->due = now;
	bucket->due += cost(bucket, units);
}
