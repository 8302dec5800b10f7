/* SPDX-License-Identifier: GPL-2.0 */
/* What went wrong, in one line a person can act on. */
#ifndef RF_ERROR_H
#define RF_ERROR_H

struct rf_error {
	char text[512];
};

/* Writes the line and returns -1, so that a failing function can return it. */
int rf_error_set(struct rf_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Print "ringfence: ..." on stderr, with the tty in whatever mode it is. */
void rf_error_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif /* RF_ERROR_H */
