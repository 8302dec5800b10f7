/* SPDX-License-Identifier: GPL-2.0 */
/* eventfds that count to "something happened". */
#ifndef RF_EVENT_H
#define RF_EVENT_H

#include <stdint.h>
#include <unistd.h>

static inline void rf_event_signal(int fd)
{
	uint64_t one = 1;

	/* Full means signalled. */
	if (write(fd, &one, sizeof(one)) < 0)
		return;
}

static inline void rf_event_clear(int fd)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) < 0)
		return;
}

#endif /* RF_EVENT_H */
