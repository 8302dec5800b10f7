// SPDX-License-Identifier: GPL-2.0
/*
 * balloon_policy.c - how much memory a guest should keep  (pure)
 *
 * Under pressure it gives up a sixteenth at a time, never more than half of
 * what it says it can do without, and only once it has done what it was last
 * asked for.  When there has been none for a while, it gets a thirty-second
 * back at a time: slower, so that it does not swing.
 */
#include <stdio.h>
#include <string.h>

#include "balloon_policy.h"

#define PRESSED		1000	/* 10 % */
#define EASY		100	/* 1 % */
#define PAGE		4096ULL

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t rf_balloon_decide(const struct rf_balloon_view *view)
{
	uint64_t step = view->memory / 16;
	uint64_t target = view->target;

	if (view->pressure >= PRESSED) {
		/* One that does not follow is not asked for more. */
		if (view->kept > target + step || target <= view->least)
			return target;
		if (view->knows_available)
			step = min(step, view->available / 2);
		step = min(step, target - view->least);
		target -= step;
	} else if (view->pressure < EASY && target < view->memory) {
		target += min(step / 2, view->memory - target);
	}
	return target / PAGE * PAGE;
}

int rf_balloon_parse_pressure(const char *text, unsigned int *pressure)
{
	unsigned int whole, part;

	if (sscanf(text, "some avg10=%3u.%2u", &whole, &part) != 2 ||
	    whole > 100)
		return -1;
	*pressure = whole * 100 + part;
	return 0;
}
