// SPDX-License-Identifier: GPL-2.0
/*
 * disk_spec.c - what --disk and attach-disk say of a disk  (pure)
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "disk_spec.h"
#include "ringfence.h"

int rf_disk_spec_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	unsigned long long number;
	unsigned int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*text))
		return -1;
	errno = 0;
	number = strtoull(text, &end, 10);
	if (errno)
		return -1;
	if (*end) {
		const char *unit = strchr(units, toupper((unsigned char)*end));

		if (!unit)
			return -1;
		shift = 10 * (unit - units + 1);
		end++;
	}
	if (*end || number > UINT64_MAX >> shift)
		return -1;
	*bytes = (uint64_t)number << shift;
	return 0;
}

/* Up to the first comma that is not two.  Return: what follows, or NULL. */
static const char *take_path(struct rf_disk_spec *spec, const char *text)
{
	size_t len = 0;

	for (; *text && (*text != ',' || text[1] == ','); text++) {
		if (len + 1 == sizeof(spec->path))
			return NULL;
		spec->path[len++] = *text;
		text += *text == ',';
	}
	spec->path[len] = 0;
	return len ? text : NULL;
}

static int take_text(char *to, size_t room, const char *value)
{
	size_t len = strlen(value);

	if (!len || len >= room)
		return -1;
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)value[i]))
			return -1;
	memcpy(to, value, len + 1);
	return 0;
}

static int take_number(unsigned int *to, unsigned int max, const char *value)
{
	uint64_t number;

	if (rf_disk_spec_bytes(value, &number) || !number || number > max)
		return -1;
	*to = number;
	return 0;
}

static int take_block_size(struct rf_disk_spec *spec, const char *value)
{
	if (take_number(&spec->block_size, 4096, value))
		return -1;
	if (spec->block_size < 512)
		return -1;
	return spec->block_size & (spec->block_size - 1) ? -1 : 0;
}

/* A format is a word that qemu-nbd is given as an argument. */
static int take_format(struct rf_disk_spec *spec, const char *value)
{
	for (const char *c = value; *c; c++)
		if (!isalnum((unsigned char)*c))
			return -1;
	return take_text(spec->format, sizeof(spec->format), value);
}

static int take_cache(struct rf_disk_spec *spec, enum rf_disk_cache cache)
{
	if (spec->cache != RF_DISK_BY_KIND && spec->cache != cache)
		return -1;
	spec->cache = cache;
	return 0;
}

static int take_flag(struct rf_disk_spec *spec, const char *name)
{
	if (!strcmp(name, "readonly"))
		spec->read_only = true;
	else if (!strcmp(name, "discard"))
		spec->discard = true;
	else if (!strcmp(name, "direct"))
		return take_cache(spec, RF_DISK_DIRECT);
	else if (!strcmp(name, "buffered"))
		return take_cache(spec, RF_DISK_BUFFERED);
	else
		return -1;
	return 0;
}

static int take_value(struct rf_disk_spec *spec, const char *name,
		      const char *value)
{
	if (!strcmp(name, "serial"))
		return take_text(spec->serial, sizeof(spec->serial), value);
	if (!strcmp(name, "format"))
		return take_format(spec, value);
	if (!strcmp(name, "offset"))
		return rf_disk_spec_bytes(value, &spec->offset);
	if (!strcmp(name, "size"))
		return rf_disk_spec_bytes(value, &spec->size);
	if (!strcmp(name, "iops"))
		return rf_disk_spec_bytes(value, &spec->iops);
	if (!strcmp(name, "bps"))
		return rf_disk_spec_bytes(value, &spec->bps);
	if (!strcmp(name, "queues"))
		return take_number(&spec->nr_queues, RF_MAX_VCPUS, value);
	if (!strcmp(name, "blocksize"))
		return take_block_size(spec, value);
	return -1;
}

static int take_option(struct rf_disk_spec *spec, char *option)
{
	char *value = strchr(option, '=');

	if (!value)
		return take_flag(spec, option);
	*value++ = 0;
	return take_value(spec, option, value);
}

int rf_disk_spec_parse(struct rf_disk_spec *spec, const char *text,
		       struct rf_error *err)
{
	*spec = (struct rf_disk_spec){ .format = "raw" };
	text = take_path(spec, text);
	if (!text)
		return rf_error_set(err, "a disk needs a path, of at most %d bytes",
				    RF_DISK_PATH - 1);
	while (*text) {
		size_t len = strcspn(++text, ",");
		char option[64], word[64];

		if (len >= sizeof(option))
			return rf_error_set(err, "disk %s: what is '%.60s...'?",
					    spec->path, text);
		memcpy(option, text, len);
		option[len] = 0;
		strcpy(word, option);
		if (take_option(spec, option))
			return rf_error_set(err, "disk %s: '%s' is no option, or its value "
						 "is wrong; see ringfence(1)",
					    spec->path, word);
		text += len;
	}
	return 0;
}
