// SPDX-License-Identifier: GPL-2.0
/*
 * disk_client.c - ringfence disks, attach-disk, detach-disk
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "client.h"
#include "disks.h"
#include "disk_client.h"
#include "json.h"

#define TRY_AGAIN_MS	100

static cJSON *request_new(const char *verb, const char *disk)
{
	cJSON *request = cJSON_CreateObject();

	cJSON_AddStringToObject(request, "verb", verb);
	if (disk)
		cJSON_AddStringToObject(request, "disk", disk);
	return request;
}

/* Send it, and forget it. */
static cJSON *request_send(const struct rf_config *config, cJSON *request,
			   int passed, struct rf_error *err)
{
	cJSON *answer = rf_client_request(config, request, passed, err);

	cJSON_Delete(request);
	return answer;
}

static enum rf_exit fail(const struct rf_error *err)
{
	rf_error_say("%s", err->text);
	return RF_EXIT_ERROR;
}

/* --- disks ------------------------------------------------------------------- */

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text && *text ? text : "-";
}

static double number_of(const cJSON *object, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

static void print_table(const cJSON *disks)
{
	const cJSON *disk;

	printf("%4s %-20s %-10s %10s %10s %10s %7s  %s\n", "SLOT", "SERIAL",
	       "STATE", "REQUESTS", "READ", "WRITTEN", "ERRORS", "PATH");
	cJSON_ArrayForEach(disk, disks)
		printf("%4.0f %-20s %-10s %10.0f %9.0fK %9.0fK %7.0f  %s\n",
		       number_of(disk, "slot"), text_of(disk, "serial"),
		       cJSON_IsTrue(cJSON_GetObjectItem(disk, "leaving")) ?
		       "leaving" :
		       cJSON_IsTrue(cJSON_GetObjectItem(disk, "driver")) ?
		       "in use" : "no driver",
		       number_of(disk, "requests"),
		       number_of(disk, "read_bytes") / 1024,
		       number_of(disk, "written_bytes") / 1024,
		       number_of(disk, "errors"), text_of(disk, "path"));
}

static void print_disks(const struct rf_config *config, cJSON *answer)
{
	if (config->json) {
		rf_json_print(answer, true);
		return;
	}
	print_table(cJSON_GetObjectItem(answer, "disks"));
	cJSON_Delete(answer);
}

static cJSON *ask_disks(const struct rf_config *config, struct rf_error *err)
{
	return request_send(config, request_new("disks", NULL), -1, err);
}

enum rf_exit rf_disk_client_list(const struct rf_config *config)
{
	struct rf_error err;
	cJSON *answer = ask_disks(config, &err);

	if (!answer)
		return fail(&err);
	print_disks(config, answer);
	return 0;
}

/* --- attach-disk --------------------------------------------------------------- */

enum rf_exit rf_disk_client_attach(const struct rf_config *config)
{
	struct rf_disk_spec spec;
	struct rf_error err;
	cJSON *answer;
	int fd;

	if (rf_disk_spec_parse(&spec, config->disk, &err)) {
		rf_error_say("%s", err.text);
		return RF_EXIT_USAGE;
	}
	fd = rf_disk_open(&spec, &err);
	if (fd < 0)
		return fail(&err);
	answer = request_send(config, request_new("attach-disk", config->disk),
			      fd, &err);
	close(fd);
	if (!answer)
		return fail(&err);
	print_disks(config, answer);
	return 0;
}

/* --- detach-disk --------------------------------------------------------------- */

static bool is_listed(const cJSON *disks, double slot, double instance)
{
	const cJSON *disk;

	cJSON_ArrayForEach(disk, disks)
		if (number_of(disk, "slot") == slot &&
		    number_of(disk, "instance") == instance)
			return true;
	return false;
}

/* Until the guest's driver has let go of it.  Return: has it? */
static bool wait_until_gone(const struct rf_config *config, const cJSON *asked)
{
	const struct timespec pause = { 0, TRY_AGAIN_MS * 1000000 };
	long tries = config->timeout * 1000L / TRY_AGAIN_MS;

	while (tries-- > 0) {
		struct rf_error err;
		cJSON *answer = ask_disks(config, &err);
		bool there = answer &&
			     is_listed(cJSON_GetObjectItem(answer, "disks"),
				       number_of(asked, "slot"),
				       number_of(asked, "instance"));

		cJSON_Delete(answer);
		if (!there)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

enum rf_exit rf_disk_client_detach(const struct rf_config *config)
{
	cJSON *request = request_new("detach-disk", config->disk);
	struct rf_error err;
	cJSON *answer;
	bool gone;

	if (config->force)
		cJSON_AddTrueToObject(request, "force");
	answer = request_send(config, request, -1, &err);
	if (!answer)
		return fail(&err);
	gone = cJSON_IsTrue(cJSON_GetObjectItem(answer, "gone")) ||
	       wait_until_gone(config, answer);
	if (gone)
		cJSON_ReplaceItemInObject(answer, "gone", cJSON_CreateTrue());
	rf_json_print(answer, config->json);
	if (gone)
		return 0;
	rf_error_say("%s: the guest still uses disk %s after %u s; unmount it there, "
		     "or use --force",
		     config->name, config->disk, config->timeout);
	return RF_EXIT_ERROR;
}
