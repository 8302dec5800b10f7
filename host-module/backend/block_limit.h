/* SPDX-License-Identifier: GPL-2.0 */
/* block_limit.h - so much a second, and no more than so much at once */
#ifndef RF_BLOCK_LIMIT_H
#define RF_BLOCK_LIMIT_H

#include <linux/types.h>

/**
 * struct rf_bucket - a token bucket, told in time
 * @ns_per_k: What 1024 units take, in ns; 0: no limit
 * @burst_ns: How far ahead of its time something may come
 * @due: When all that was taken would have passed at the rate
 */
struct rf_bucket {
	u64 ns_per_k;
	u64 burst_ns;
	u64 due;
};

/* @rate: units a second, 0: no limit.  @burst: units at once, 0: 1/10 second's. */
void rf_bucket_init(struct rf_bucket *bucket, u64 rate, u64 burst);

/* How many ns from @now until something may be taken; 0: now. */
u64 rf_bucket_wait(const struct rf_bucket *bucket, u64 now);

/* Take @units, 2^32 at most.  What is larger than the burst is owed. */
void rf_bucket_take(struct rf_bucket *bucket, u64 now, u32 units);

#endif /* RF_BLOCK_LIMIT_H */
