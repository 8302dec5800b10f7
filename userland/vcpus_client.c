// SPDX-License-Identifier: GPL-2.0
/*
 * vcpus_client.c - ringfence vcpus
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "client.h"
#include "json.h"
#include "vcpus_client.h"

#define LOOK_MS		100

static double number_in(const cJSON *object, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

/* Ask once; with a number, set it. */
static cJSON *ask(const struct rf_config *config, bool set, struct rf_error *err)
{
	cJSON *request = cJSON_CreateObject(), *answer;

	cJSON_AddStringToObject(request, "verb", "vcpus");
	if (set)
		cJSON_AddNumberToObject(request, "online", config->vcpus_online);
	answer = rf_client_request(config, request, -1, err);
	cJSON_Delete(request);
	return answer;
}

static bool is_there(const cJSON *answer)
{
	return number_in(answer, "online") == number_in(answer, "wanted");
}

static cJSON *wait_for_it(const struct rf_config *config, cJSON *answer,
			  struct rf_error *err)
{
	const struct timespec look = { .tv_nsec = LOOK_MS * 1000000 };
	unsigned int looks = config->timeout * (1000 / LOOK_MS);

	while (answer && !is_there(answer) && looks--) {
		cJSON_Delete(answer);
		nanosleep(&look, NULL);
		answer = ask(config, false, err);
	}
	return answer;
}

/* The guest has not done it.  Say as much as is known. */
static void complain(const struct rf_config *config, const cJSON *answer)
{
	double online = number_in(answer, "online");
	double wanted = number_in(answer, "wanted");

	if (!cJSON_IsTrue(cJSON_GetObjectItem(answer, "listens")))
		rf_error_say("%s: nobody in the guest has listened for %u s: it still "
			     "boots, or its kernel has no CONFIG_HOTPLUG_CPU; it is "
			     "still to use %.0f", config->name, config->timeout, wanted);
	else if (online < wanted)
		rf_error_say("%s: after %u s %.0f vCPUs are up and not %.0f; the guest "
			     "has them, and has to switch them on: echo 1 >"
			     "/sys/devices/system/cpu/cpuN/online, or a rule for udev",
			     config->name, config->timeout, online, wanted);
	else
		rf_error_say("%s: after %u s %.0f vCPUs are up and not %.0f; the "
			     "guest's log may say why one cannot go",
			     config->name, config->timeout, online, wanted);
}

enum rf_exit rf_vcpus_client(const struct rf_config *config)
{
	struct rf_error err;
	cJSON *answer = ask(config, config->vcpus_online, &err);
	enum rf_exit status = 0;

	if (answer && config->vcpus_online)
		answer = wait_for_it(config, answer, &err);
	if (!answer) {
		rf_error_say("%s", err.text);
		return RF_EXIT_ERROR;
	}
	if (config->vcpus_online && config->timeout && !is_there(answer)) {
		complain(config, answer);
		status = RF_EXIT_ERROR;
	}
	rf_json_print(answer, config->json);
	return status;
}
