// SPDX-License-Identifier: GPL-2.0
/*
 * print.c - text to the emergency console
 */
#include <stdarg.h>

#include "guest.h"

/* The compiler calls these by itself. */
void *memset(void *dst, int c, size_t len)
{
	void *d = dst;

	asm volatile("rep stosb" : "+D" (d), "+c" (len) : "a" (c) : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, size_t len)
{
	void *d = dst;

	asm volatile("rep movsb" : "+D" (d), "+S" (src), "+c" (len) : : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t len)
{
	const u8 *x = a, *y = b;

	for (; len; len--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

size_t strlen(const char *s)
{
	size_t len = 0;

	while (s[len])
		len++;
	return len;
}

struct text {
	char buf[512];
	u32 len;
};

static void put(struct text *text, char c)
{
	if (text->len < sizeof(text->buf))
		text->buf[text->len++] = c;
}

static void put_number(struct text *text, u64 value, u32 base)
{
	char digits[20];
	int n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(text, digits[--n]);
}

/* %s %c %d %u %x, with l for 64 bits, and # for 0x. */
static const char *put_argument(struct text *text, const char *fmt, va_list *ap)
{
	bool is_long = false;
	const char *s;
	s64 value;

	for (;; fmt++) {
		switch (*fmt) {
		case '#':
			put(text, '0');
			put(text, 'x');
			continue;
		case 'l':
			is_long = true;
			continue;
		case 's':
			for (s = va_arg(*ap, const char *); *s; s++)
				put(text, *s);
			return fmt;
		case 'c':
			put(text, va_arg(*ap, int));
			return fmt;
		case 'd':
			value = is_long ? va_arg(*ap, long) : va_arg(*ap, int);
			if (value < 0)
				put(text, '-');
			put_number(text, value < 0 ? -value : value, 10);
			return fmt;
		case 'u':
		case 'x':
			value = is_long ? va_arg(*ap, u64) : va_arg(*ap, u32);
			put_number(text, value, *fmt == 'x' ? 16 : 10);
			return fmt;
		default:
			put(text, *fmt);
			return fmt;
		}
	}
}

void print(const char *fmt, ...)
{
	struct text text = { .len = 0 };
	va_list ap;

	va_start(ap, fmt);
	for (; *fmt; fmt++) {
		if (*fmt == '%')
			fmt = put_argument(&text, fmt + 1, &ap);
		else
			put(&text, *fmt);
	}
	va_end(ap);
	console_io(CONSOLEIO_write, text.len, text.buf);
}
