/* SPDX-License-Identifier: GPL-2.0 */
/* Names of what the module counts. */
#ifndef RF_COUNTERS_H
#define RF_COUNTERS_H

#include <stddef.h>

/* Name of counter @index of enum rf_counter, or NULL if it is newer. */
const char *rf_counter_name(size_t index);

#endif /* RF_COUNTERS_H */
