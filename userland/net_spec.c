// SPDX-License-Identifier: GPL-2.0
/*
 * net_spec.c - what --net says of a network device  (pure)
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net_spec.h"
#include "ringfence.h"

/* What the kernel takes as the name of an interface, and a shell does too. */
static int take_name(char *to, const char *value)
{
	size_t len = strlen(value);

	if (!len || len >= RF_NET_NAME || !strcmp(value, ".") || !strcmp(value, ".."))
		return -1;
	for (size_t i = 0; i < len; i++)
		if (!isalnum((unsigned char)value[i]) && !strchr("._-", value[i]))
			return -1;
	memcpy(to, value, len + 1);
	return 0;
}

/* Six pairs of digits; of one host, and not of none. */
static int take_mac(uint8_t *mac, const char *value)
{
	unsigned int byte[6], any = 0;
	int end = 0;

	for (const char *c = value; *c; c++)
		if (!isxdigit((unsigned char)*c) && *c != ':')
			return -1;
	if (sscanf(value, "%2x:%2x:%2x:%2x:%2x:%2x%n", &byte[0], &byte[1], &byte[2],
		   &byte[3], &byte[4], &byte[5], &end) != 6 || value[end] || end != 17)
		return -1;
	for (int i = 0; i < 6; i++) {
		mac[i] = byte[i];
		any |= byte[i];
	}
	return any && !(mac[0] & 1) ? 0 : -1;
}

static int take_number(unsigned int *to, unsigned int min, unsigned int max,
		       const char *value)
{
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)*value))
		return -1;
	number = strtoul(value, &end, 10);
	if (*end || number < min || number > max)
		return -1;
	*to = number;
	return 0;
}

static int take_word(struct rf_net_spec *spec, char *word)
{
	char *value = strchr(word, '=');

	if (!value) {
		spec->lock_mac = !strcmp(word, "lockmac");
		return spec->lock_mac ? 0 : -1;
	}
	*value++ = 0;
	if (!strcmp(word, "if"))
		return take_name(spec->name, value);
	if (!strcmp(word, "bridge"))
		return take_name(spec->bridge, value);
	if (!strcmp(word, "mac"))
		return take_mac(spec->mac, value);
	if (!strcmp(word, "queues"))
		return take_number(&spec->nr_pairs, 1, RF_MAX_NIC_PAIRS, value);
	if (!strcmp(word, "mtu"))
		return take_number(&spec->mtu, 68, 65535, value);
	return -1;
}

int rf_net_spec_parse(struct rf_net_spec *spec, const char *text,
		      struct rf_error *err)
{
	char word[64];
	size_t len;

	*spec = (struct rf_net_spec){ .nr_pairs = 0 };
	for (; *text; text += len + !!text[len]) {
		len = strcspn(text, ",");
		snprintf(word, sizeof(word), "%.*s", (int)len, text);
		if (len >= sizeof(word) || take_word(spec, word))
			return rf_error_set(err, "--net: what is '%.*s'? See ringfence(1)",
					    len > 60 ? 60 : (int)len, text);
	}
	if (!spec->name[0])
		return rf_error_set(err, "--net: which interface? Say if=NAME");
	return 0;
}
