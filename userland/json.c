// SPDX-License-Identifier: GPL-2.0
/*
 * json.c - one answer, two ways to print it
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json.h"

static void print_value(const cJSON *item)
{
	if (cJSON_IsString(item))
		printf("%s\n", item->valuestring);
	else if (cJSON_IsBool(item))
		printf("%s\n", cJSON_IsTrue(item) ? "yes" : "no");
	else if (cJSON_IsNumber(item) && item->valuedouble == floor(item->valuedouble))
		printf("%.0f\n", item->valuedouble);
	else if (cJSON_IsNumber(item))
		printf("%g\n", item->valuedouble);
	else
		printf("-\n");
}

static void print_members(const cJSON *object, int indent)
{
	const cJSON *item;

	cJSON_ArrayForEach(item, object) {
		const char *name = item->string ? item->string : "-";

		if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
			printf("%*s%s\n", indent, "", name);
			print_members(item, indent + 2);
			continue;
		}
		printf("%*s%-*s ", indent, "", 24 - indent, name);
		print_value(item);
	}
}

void rf_json_print(cJSON *object, bool as_json)
{
	char *text = as_json ? cJSON_PrintUnformatted(object) : NULL;

	if (text)
		puts(text);
	else
		print_members(object, 0);
	cJSON_free(text);
	cJSON_Delete(object);
	fflush(stdout);
}
