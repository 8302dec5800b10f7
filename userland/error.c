// SPDX-License-Identifier: GPL-2.0
/*
 * error.c - errors are lines of text, said once, by whoever gives up
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

int rf_error_set(struct rf_error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
	return -1;
}

void rf_error_say(const char *fmt, ...)
{
	char line[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	/* A raw tty does not turn a line feed into a new line. */
	fprintf(stderr, "ringfence: %s%s\n", line,
		isatty(STDERR_FILENO) ? "\r" : "");
	fflush(stderr);
}
