// SPDX-License-Identifier: GPL-2.0
/*
 * block_extent_test.c - a guest's sectors never lead out of its extent
 *
 * Flags: -Itests/unit/include
 * Sources: host-module/backend/block_extent.c
 */
#include "host-module/backend/block_extent.h"
#include "userland/tap.h"

#define MB	(1ULL << 20)

static struct rf_extent extent;

static bool make(u64 file_len, u64 offset, u64 len, u32 block_size)
{
	return rf_extent_make(&extent, file_len, offset, len, block_size);
}

static void extents_lie_in_the_file(void)
{
	EXPECT(make(4 * MB, 0, 0, 512) && extent.len == 4 * MB);
	EXPECT(make(4 * MB, MB, MB, 512) && extent.offset == MB && extent.len == MB);
	EXPECT(make(4 * MB + 700, MB, 0, 512) && extent.len == 3 * MB + 512);
	EXPECT(make(4 * MB + 700, 0, 0, 4096) && extent.len == 4 * MB);
	EXPECT(!make(0, 0, 0, 512));
	EXPECT(!make(511, 0, 0, 512));
	EXPECT(!make(4 * MB, 4 * MB, 0, 512));
	EXPECT(!make(4 * MB, 5 * MB, 0, 512));
	EXPECT(!make(4 * MB, 3 * MB, MB + 512, 512));
	EXPECT(!make(4 * MB, 1, 512, 512));
	EXPECT(!make(4 * MB, 512, 4096, 4096));
	EXPECT(!make(4 * MB, 0, 513, 512));
	EXPECT(!make(4 * MB, MB, -MB, 512));
	EXPECT(!make(4 * MB, -512ULL, 1024, 512));
	EXPECT(!make(-1ULL, 0, 0, 512));
}

static bool maps(u64 sector, u64 len)
{
	u64 pos = 0;
	bool ok = rf_extent_map(&extent, sector, len, &pos);

	return ok && pos == extent.offset + sector * 512;
}

static void sectors_stay_in_the_extent(void)
{
	EXPECT(make(4 * MB, MB, MB, 512));
	EXPECT(maps(0, 512) && maps(2047, 512) && maps(0, MB) && maps(2048, 0));
	EXPECT(!maps(2048, 512) && !maps(2047, 1024) && !maps(0, MB + 512));
	EXPECT(!maps(-1ULL, 512) && !maps(1ULL << 55, 512) && !maps((1ULL << 55) - 2048, MB));
	EXPECT(!maps(0, -512ULL) && !maps(1, -512ULL) && !maps(2047, 1ULL << 63));
	EXPECT(!maps(0, 511) && !maps(0, 1));
}

static void blocks_are_whole(void)
{
	EXPECT(make(4 * MB, MB, MB, 4096));
	EXPECT(maps(0, 4096) && maps(8, 4096) && maps(2040, 4096));
	EXPECT(!maps(1, 4096) && !maps(0, 512) && !maps(4, 2048));
}

/* Every sector and length near where numbers end, against plain arithmetic. */
static void edges_agree_with_wide_arithmetic(void)
{
	static const u64 near[] = { 0, 2048, 1ULL << 32, 1ULL << 54, 1ULL << 55, 1ULL << 63 };
	u64 nr = sizeof(near) / sizeof(near[0]), i, j;
	int a, b, wrong = 0;

	EXPECT(make(4 * MB, MB, MB, 512));
	for (i = 0; i < nr; i++)
		for (j = 0; j < nr; j++)
			for (a = -3; a <= 3; a++)
				for (b = -3; b <= 3; b++) {
					u64 sector = near[i] + a, len = near[j] + b * 512;
					__uint128_t end = (__uint128_t)sector * 512 + len;

					wrong += maps(sector, len) != (end <= MB && !(len % 512));
				}
	EXPECT_EQ(wrong, 0);
}

static const struct tap_case cases[] = {
	TAP_CASE(extents_lie_in_the_file),
	TAP_CASE(sectors_stay_in_the_extent),
	TAP_CASE(blocks_are_whole),
	TAP_CASE(edges_agree_with_wide_arithmetic),
};

int main(void)
{
	return TAP_RUN(cases);
}
