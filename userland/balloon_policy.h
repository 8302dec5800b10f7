/* SPDX-License-Identifier: GPL-2.0 */
/* How much memory a guest should keep, by what the host has to spare.  (pure) */
#ifndef RF_BALLOON_POLICY_H
#define RF_BALLOON_POLICY_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct rf_balloon_view - what the policy looks at, every two seconds
 * @pressure: Part of the last 10 s that some task of the host waited for
 *	memory, in 1/100 % ("some avg10" of /proc/pressure/memory)
 * @memory: What the guest was started with, bytes
 * @least: What it is to keep in any case, bytes
 * @kept: What it keeps now, bytes
 * @target: What it was last asked to keep, bytes
 * @knows_available: @available is known
 * @available: What the guest could do without, by its own account, bytes
 */
struct rf_balloon_view {
	unsigned int pressure;
	uint64_t memory;
	uint64_t least;
	uint64_t kept;
	uint64_t target;
	bool knows_available;
	uint64_t available;
};

/* Return: what it should keep, bytes; @target if nothing is to be changed. */
uint64_t rf_balloon_decide(const struct rf_balloon_view *view);

/* "some avg10=1.23 ..." to 123.  Return: 0 or -1. */
int rf_balloon_parse_pressure(const char *text, unsigned int *pressure);

#endif /* RF_BALLOON_POLICY_H */
