// SPDX-License-Identifier: GPL-2.0
/*
 * balloon_client.c - ringfence balloon
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>

#include "balloon_client.h"
#include "client.h"
#include "json.h"

#define LOOK_MS		100

static double number_in(const cJSON *object, const char *name)
{
	return cJSON_GetNumberValue(cJSON_GetObjectItem(object, name));
}

/* Ask once; with a size, set it. */
static cJSON *ask(const struct rf_config *config, bool set, struct rf_error *err)
{
	cJSON *request = cJSON_CreateObject(), *answer;

	cJSON_AddStringToObject(request, "verb", "balloon");
	if (set)
		cJSON_AddNumberToObject(request, "keep", config->balloon_size);
	answer = rf_client_request(config, request, -1, err);
	cJSON_Delete(request);
	return answer;
}

/* Has it been done?  Within what a guest rounds to. */
static bool is_there(const cJSON *answer)
{
	double off = number_in(answer, "kept") - number_in(answer, "target");

	return off < 1 << 20 && off > -(1 << 20);
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

static void complain(const struct rf_config *config, const cJSON *answer)
{
	if (!cJSON_IsTrue(cJSON_GetObjectItem(answer, "driver")))
		rf_error_say("%s: the guest has no balloon driver that works; "
			     "the size is set and waits for one; "
			     "in the guest: modprobe -a rf_bus rf_balloon", config->name);
	else
		rf_error_say("%s: after %u s the guest keeps %.0fM and not %.0fM; "
			     "its cgroup holds it to what it may have",
			     config->name, config->timeout,
			     number_in(answer, "kept") / (1 << 20),
			     number_in(answer, "target") / (1 << 20));
}

enum rf_exit rf_balloon_client(const struct rf_config *config)
{
	struct rf_error err;
	cJSON *answer = ask(config, config->balloon_size, &err);
	enum rf_exit status = 0;

	if (answer && config->balloon_size)
		answer = wait_for_it(config, answer, &err);
	if (!answer) {
		rf_error_say("%s", err.text);
		return RF_EXIT_ERROR;
	}
	if (config->balloon_size && config->timeout && !is_there(answer)) {
		complain(config, answer);
		status = RF_EXIT_ERROR;
	}
	rf_json_print(answer, config->json);
	return status;
}
