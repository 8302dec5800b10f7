// SPDX-License-Identifier: GPL-2.0
/*
 * stop.c - ringfence stop, ringfence reboot
 *
 *	ask ---> wait ---> it did: 0
 *	            '----> it did something else, or nothing: say so; --force
 *
 * The launcher keeps the connection, and says on it how the guest ended.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "client.h"
#include "json.h"
#include "stop.h"

static const char *text_in(const cJSON *object, const char *name)
{
	const char *text =
		cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text ? text : "";
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Wait for something to come on @fd.  Return: did it? */
static bool wait_for_news(int fd, unsigned int seconds)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	long until = now_ms() + seconds * 1000L;
	long left;

	while ((left = until - now_ms()) > 0) {
		int ret = poll(&poll_fd, 1, left);

		if (ret > 0)
			return true;
		if (ret < 0 && errno != EINTR)
			return false;
	}
	return false;
}

/* Ask @verb on a connection of its own.  Return: the connection, or -1. */
static int ask_again(const struct rf_config *config, enum rf_verb verb,
		     cJSON **answer)
{
	struct rf_error err;
	int fd = rf_client_connect(config, verb, answer, &err);

	if (fd < 0)
		rf_error_say("%s", err.text);
	return fd;
}

/* The guest has not done it.  Say as much as is known. */
static enum rf_exit complain(const struct rf_config *config)
{
	cJSON *info;
	const char *state;
	int fd = ask_again(config, RF_VERB_INFO, &info);

	if (fd < 0)
		return RF_EXIT_ERROR;
	state = text_in(info, "shutdown");
	if (!strcmp(state, "unheard"))
		rf_error_say("%s: nobody in the guest has listened for %u s: it "
			     "still boots, or its kernel has no driver for "
			     "this; 'ringfence kill %s' ends it",
			     config->name, config->timeout, config->name);
	else if (!strcmp(state, "taken"))
		rf_error_say("%s: the guest took note but still runs after %u s; "
			     "give it more time, or 'ringfence kill %s'",
			     config->name, config->timeout, config->name);
	else
		rf_error_say("%s: the guest has not answered for %u s; "
			     "'ringfence kill %s' ends it",
			     config->name, config->timeout, config->name);
	cJSON_Delete(info);
	close(fd);
	return RF_EXIT_ERROR;
}

static enum rf_exit kill_it(const struct rf_config *config, cJSON *answer)
{
	cJSON *killed;
	int fd = ask_again(config, RF_VERB_KILL, &killed);
	bool done;

	if (fd < 0) {
		cJSON_Delete(answer);
		return RF_EXIT_ERROR;
	}
	done = rf_client_wait(config, fd);
	close(fd);
	cJSON_Delete(killed);
	cJSON_AddStringToObject(answer, "result", "killed");
	rf_json_print(answer, config->json);
	return done ? 0 : RF_EXIT_ERROR;
}

/* There is news on @fd.  Was it what was asked for? */
static enum rf_exit judge(const struct rf_config *config, int fd, cJSON *answer)
{
	cJSON *news = rf_client_hear(fd);
	const char *result = news ? text_in(news, "result") : "gone";
	enum rf_exit status = RF_EXIT_ERROR;

	if (!strcmp(result, text_in(answer, "asked"))) {
		/* The name is free when the launcher has gone. */
		status = rf_client_wait(config, fd) ? 0 : RF_EXIT_ERROR;
		cJSON_AddStringToObject(answer, "result", result);
		rf_json_print(answer, config->json);
		answer = NULL;
	} else if (news) {
		rf_error_say("%s: the guest was asked for %s, and its end was: %s",
			     config->name, text_in(answer, "asked"), result);
	} else {
		rf_error_say("%s: its launcher went away", config->name);
	}
	cJSON_Delete(news);
	cJSON_Delete(answer);
	return status;
}

static enum rf_exit see_it_through(const struct rf_config *config, int fd,
				   cJSON *answer)
{
	if (!config->timeout && !config->force) {
		rf_json_print(answer, config->json);
		return 0;
	}
	if (!cJSON_IsTrue(cJSON_GetObjectItem(answer, "listens")))
		rf_error_say("%s: nobody in the guest listens yet; waiting",
			     config->name);
	if (wait_for_news(fd, config->timeout))
		return judge(config, fd, answer);
	if (config->force)
		return kill_it(config, answer);
	cJSON_Delete(answer);
	return complain(config);
}

enum rf_exit rf_stop_main(const struct rf_config *config)
{
	enum rf_exit status;
	struct rf_error err;
	cJSON *answer;
	int fd;

	fd = rf_client_connect(config, config->verb, &answer, &err);
	if (fd < 0) {
		rf_error_say("%s", err.text);
		return RF_EXIT_ERROR;
	}
	status = see_it_through(config, fd, answer);
	close(fd);
	return status;
}
