// SPDX-License-Identifier: GPL-2.0
/*
 * balloon_policy_test.c - who gives memory back, how fast, and how far
 *
 * Sources: userland/balloon_policy.c
 */
#include "tap.h"
#include "userland/balloon_policy.h"

#define MB	(1ULL << 20)

static struct rf_balloon_view idle(void)
{
	return (struct rf_balloon_view){
		.memory = 1024 * MB, .least = 128 * MB, .kept = 1024 * MB,
		.target = 1024 * MB,
	};
}

static void nothing_changes_without_need(void)
{
	struct rf_balloon_view view = idle();

	EXPECT(rf_balloon_decide(&view) == 1024 * MB);
	view.pressure = 500;
	view.target = 512 * MB;
	EXPECT(rf_balloon_decide(&view) == 512 * MB);
}

static void pressure_takes_a_sixteenth(void)
{
	struct rf_balloon_view view = idle();

	view.pressure = 1000;
	EXPECT(rf_balloon_decide(&view) == 960 * MB);
	view.knows_available = true;
	view.available = 900 * MB;
	EXPECT(rf_balloon_decide(&view) == 960 * MB);
	/* Half of what it can do without, if that is less. */
	view.available = 40 * MB;
	EXPECT(rf_balloon_decide(&view) == 1004 * MB);
	view.available = 0;
	EXPECT(rf_balloon_decide(&view) == 1024 * MB);
}

static void there_is_a_least(void)
{
	struct rf_balloon_view view = idle();

	view.pressure = 9999;
	view.kept = 140 * MB;
	view.target = 140 * MB;
	EXPECT(rf_balloon_decide(&view) == 128 * MB);
	view.kept = 128 * MB;
	view.target = 128 * MB;
	EXPECT(rf_balloon_decide(&view) == 128 * MB);
	view.kept = 64 * MB;
	view.target = 64 * MB;
	EXPECT(rf_balloon_decide(&view) == 64 * MB);
}

static void one_that_does_not_follow_is_not_asked_for_more(void)
{
	struct rf_balloon_view view = idle();

	view.pressure = 5000;
	view.target = 512 * MB;
	EXPECT(rf_balloon_decide(&view) == 512 * MB);
	view.kept = 513 * MB;
	EXPECT(rf_balloon_decide(&view) == 448 * MB);
}

static void it_comes_back_slower_and_whole(void)
{
	struct rf_balloon_view view = idle();
	int steps = 0;

	view.target = 128 * MB;
	EXPECT(rf_balloon_decide(&view) == 160 * MB);
	for (; view.target < view.memory && steps < 100; steps++)
		view.target = rf_balloon_decide(&view);
	EXPECT(view.target == view.memory);
	EXPECT_EQ(steps, 28);
}

static void pressure_is_read(void)
{
	unsigned int pressure = 7;

	EXPECT_EQ(rf_balloon_parse_pressure("some avg10=12.34 avg60=1.00\n", &pressure), 0);
	EXPECT_EQ(pressure, 1234);
	EXPECT_EQ(rf_balloon_parse_pressure("some avg10=0.00 a", &pressure), 0);
	EXPECT_EQ(pressure, 0);
	EXPECT(rf_balloon_parse_pressure("full avg10=1.00", &pressure) < 0);
	EXPECT(rf_balloon_parse_pressure("some avg10=999.00", &pressure) < 0);
	EXPECT(rf_balloon_parse_pressure("", &pressure) < 0);
}

static const struct tap_case cases[] = {
	TAP_CASE(nothing_changes_without_need),
	TAP_CASE(pressure_takes_a_sixteenth),
	TAP_CASE(there_is_a_least),
	TAP_CASE(one_that_does_not_follow_is_not_asked_for_more),
	TAP_CASE(it_comes_back_slower_and_whole),
	TAP_CASE(pressure_is_read),
};

int main(void)
{
	return TAP_RUN(cases);
}
