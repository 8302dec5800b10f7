// SPDX-License-Identifier: GPL-2.0
/*
 * block_limit_test.c - so much a second, whatever is asked for
 *
 * Flags: -Itests/unit/include
 * Sources: host-module/backend/block_limit.c
 */
#include "host-module/backend/block_limit.h"
#include "userland/tap.h"

#define SECOND	1000000000ULL

static struct rf_bucket bucket;

/* As much as may be taken in @seconds, by pieces of @units. */
static u64 taken(u32 units, u64 seconds)
{
	u64 now = SECOND, end = now + seconds * SECOND, sum = 0;

	while (now < end) {
		u64 wait = rf_bucket_wait(&bucket, now);

		if (!wait) {
			rf_bucket_take(&bucket, now, units);
			sum += units;
		}
		now += wait;
	}
	return sum;
}

static bool about(u64 is, u64 should)
{
	u64 off = is > should ? is - should : should - is;

	if (off > should / 50)
		printf("# %llu, not %llu\n", (unsigned long long)is,
		       (unsigned long long)should);
	return off <= should / 50;
}

static void no_rate_is_no_limit(void)
{
	rf_bucket_init(&bucket, 0, 0);
	rf_bucket_take(&bucket, 5, 0xffffffff);
	EXPECT_EQ(rf_bucket_wait(&bucket, 5), 0);
}

static void rates_are_kept(void)
{
	rf_bucket_init(&bucket, 100, 1);
	EXPECT(about(taken(1, 100), 10000));
	rf_bucket_init(&bucket, 1000000, 1);
	EXPECT(about(taken(1, 10), 10000000));
	rf_bucket_init(&bucket, 10000000, 4096);
	EXPECT(about(taken(4096, 100), 1000000000));
	rf_bucket_init(&bucket, 1ULL << 32, 65536);
	EXPECT(about(taken(65536, 10), 10ULL << 32));
}

static void bursts_are_short(void)
{
	u64 n;

	rf_bucket_init(&bucket, 100, 50);
	for (n = 0; !rf_bucket_wait(&bucket, SECOND); n++)
		rf_bucket_take(&bucket, SECOND, 1);
	EXPECT(n == 50 || n == 51);
	/* A tenth of a second's, if nothing is said. */
	rf_bucket_init(&bucket, 1000, 0);
	for (n = 0; !rf_bucket_wait(&bucket, SECOND); n++)
		rf_bucket_take(&bucket, SECOND, 1);
	EXPECT(n == 100 || n == 101);
}

/* One that is larger than the burst passes, and the next one waits for it. */
static void large_ones_are_owed(void)
{
	rf_bucket_init(&bucket, 1000, 10);
	EXPECT_EQ(rf_bucket_wait(&bucket, SECOND), 0);
	rf_bucket_take(&bucket, SECOND, 4000);
	EXPECT(about(rf_bucket_wait(&bucket, SECOND), 4 * SECOND));
	EXPECT_EQ(rf_bucket_wait(&bucket, 5 * SECOND), 0);
}

static void time_unused_is_not_saved(void)
{
	u64 n;

	rf_bucket_init(&bucket, 100, 1);
	for (n = 0; !rf_bucket_wait(&bucket, 1000 * SECOND); n++)
		rf_bucket_take(&bucket, 1000 * SECOND, 1);
	EXPECT(n <= 2);
}

static void wild_numbers_do_no_harm(void)
{
	static const u64 wild[] = { 1, 2, SECOND, 1ULL << 34, 1ULL << 40, 1ULL << 63, -1ULL };
	u32 i, j;

	for (i = 0; i < 7; i++)
		for (j = 0; j < 7; j++) {
			rf_bucket_init(&bucket, wild[i], wild[j]);
			EXPECT_EQ(rf_bucket_wait(&bucket, SECOND), 0);
			rf_bucket_take(&bucket, SECOND, 0xffffffff);
			EXPECT(bucket.due >= SECOND);
		}
}

static const struct tap_case cases[] = {
	TAP_CASE(no_rate_is_no_limit),
	TAP_CASE(rates_are_kept),
	TAP_CASE(bursts_are_short),
	TAP_CASE(large_ones_are_owed),
	TAP_CASE(time_unused_is_not_saved),
	TAP_CASE(wild_numbers_do_no_harm),
};

int main(void)
{
	return TAP_RUN(cases);
}
