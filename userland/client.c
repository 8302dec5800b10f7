// SPDX-License-Identifier: GPL-2.0
/*
 * client.c - verbs that ask the launcher of a running guest
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "client.h"
#include "ctl.h"
#include "json.h"
#include "run_dir.h"
#include "tty.h"

#define ANSWER_SECONDS	15
#define END_SECONDS	30
#define MAX_ANSWER	(1 << 20)
#define ESCAPE		0x1d	/* ^] */

static struct timespec in_seconds(unsigned int seconds)
{
	struct timespec when;

	clock_gettime(CLOCK_MONOTONIC, &when);
	when.tv_sec += seconds;
	return when;
}

/* Each byte in time is not all of them in time. */
static bool is_over(const struct timespec *until)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return until && now.tv_sec >= until->tv_sec;
}

/* One line, byte by byte at its end: what follows may be the console. */
static char *read_line(int fd, const struct timespec *until)
{
	size_t len = 0, room = 4096;
	char *line = malloc(room);

	while (line && len < MAX_ANSWER && !is_over(until)) {
		char *end;
		ssize_t got = recv(fd, line + len, room - len - 1, MSG_PEEK);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		end = memchr(line + len, '\n', got);
		if (end)
			got = end - (line + len) + 1;
		got = recv(fd, line + len, got, 0);
		len += got > 0 ? got : 0;
		if (end) {
			line[len] = 0;
			return line;
		}
		if (len == room - 1) {
			char *more = realloc(line, room *= 2);

			if (!more)
				break;
			line = more;
		}
	}
	free(line);
	return NULL;
}

/* Length of the character at @c; 0 if it is none, or none to be printed. */
static int printable(const unsigned char *c)
{
	int len = *c < 0x80 ? 1 : *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4;

	if (*c < ' ' || *c == 0x7f || (*c >= 0x80 && *c < 0xc2) || *c > 0xf4 ||
	    (*c == 0xc2 && c[1] < 0xa0))
		return 0;
	for (int i = 1; i < len; i++)
		if ((c[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

/* Whoever is at the other end has nothing to say to our terminal. */
static void tame_text(char *text)
{
	while (text && *text) {
		int len = printable((unsigned char *)text);

		if (!len)
			*text = '?';
		text += len ? len : 1;
	}
}

static void tame(cJSON *said)
{
	cJSON *item;

	cJSON_ArrayForEach(item, said) {
		tame_text(item->string);
		tame_text(item->valuestring);
		tame(item);
	}
}

static cJSON *hear(int fd, const struct timespec *until)
{
	char *line = read_line(fd, until);
	cJSON *said = line ? cJSON_Parse(line) : NULL;

	free(line);
	tame(said);
	return said;
}

cJSON *rf_client_hear(int fd)
{
	const struct timespec until = in_seconds(ANSWER_SECONDS + 1);

	return hear(fd, &until);
}

static const char *text_of(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(object, name));

	return text ? text : "-";
}

/* A line, and a descriptor with its first byte if there is one. */
static void send_request(int fd, const char *line, int passed)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec iov = { (char *)line, strlen(line) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *cmsg;

	if (passed >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		cmsg = CMSG_FIRSTHDR(&msg);
		cmsg->cmsg_level = SOL_SOCKET;
		cmsg->cmsg_type = SCM_RIGHTS;
		cmsg->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cmsg), &passed, sizeof(int));
	}
	sendmsg(fd, &msg, MSG_NOSIGNAL);
}

/* Send the line @request.  Return: the answer, to be deleted, or NULL. */
static cJSON *ask_line(int fd, const char *request, int passed,
		       struct rf_error *err)
{
	struct timeval patience = { .tv_sec = ANSWER_SECONDS };
	cJSON *answer;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	send_request(fd, request, passed);
	answer = rf_client_hear(fd);
	if (!answer) {
		rf_error_set(err, "the guest's launcher does not answer");
		return NULL;
	}
	if (!cJSON_IsTrue(cJSON_GetObjectItem(answer, "ok"))) {
		rf_error_set(err, "%.400s", text_of(answer, "error"));
		cJSON_Delete(answer);
		return NULL;
	}
	cJSON_DeleteItemFromObject(answer, "ok");
	return answer;
}

static cJSON *ask(int fd, const char *verb, struct rf_error *err)
{
	char request[64];

	snprintf(request, sizeof(request), "{\"verb\":\"%s\"}\n", verb);
	return ask_line(fd, request, -1, err);
}

cJSON *rf_client_request(const struct rf_config *config, const cJSON *request,
			 int passed, struct rf_error *err)
{
	char *text = cJSON_PrintUnformatted(request);
	char line[RF_CTL_LINE];
	cJSON *answer = NULL;
	struct rf_error why;
	int fd = -1, len = -1;

	if (text)
		len = snprintf(line, sizeof(line), "%s\n", text);
	cJSON_free(text);
	if (len < 0 || len >= (int)sizeof(line))
		rf_error_set(err, "%s: too much for one request", config->name);
	else
		fd = rf_run_dir_connect(config->run_dir, config->name, err);
	if (fd < 0)
		return NULL;
	answer = ask_line(fd, line, passed, &why);
	if (!answer)
		rf_error_set(err, "%s: %s", config->name, why.text);
	close(fd);
	return answer;
}

static const char *verb_name(enum rf_verb verb)
{
	switch (verb) {
	case RF_VERB_CONSOLE:
		return "console";
	case RF_VERB_PAUSE:
		return "pause";
	case RF_VERB_RESUME:
		return "resume";
	case RF_VERB_STOP:
		return "stop";
	case RF_VERB_REBOOT:
		return "reboot";
	case RF_VERB_KILL:
		return "kill";
	case RF_VERB_STATS:
		return "stats";
	default:
		return "info";
	}
}

int rf_client_connect(const struct rf_config *config, enum rf_verb verb,
		      cJSON **answer, struct rf_error *err)
{
	struct rf_error why;
	int fd;

	fd = rf_run_dir_connect(config->run_dir, config->name, err);
	if (fd < 0)
		return -1;
	*answer = ask(fd, verb_name(verb), &why);
	if (!*answer) {
		rf_error_set(err, "%s: %s", config->name, why.text);
		close(fd);
		return -1;
	}
	return fd;
}

bool rf_client_wait(const struct rf_config *config, int fd)
{
	const struct timespec until = in_seconds(END_SECONDS);
	char buf[64];
	ssize_t got;

	do
		got = recv(fd, buf, sizeof(buf), 0);
	while ((got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN))) &&
	       !is_over(&until));
	if (!got || (got < 0 && errno == ECONNRESET))
		return true;
	rf_error_say("%s: its launcher has not ended within %u s", config->name,
		     END_SECONDS);
	return false;
}

enum rf_exit rf_client_ask(const struct rf_config *config)
{
	bool done = true;
	struct rf_error err;
	cJSON *answer;
	int fd;

	fd = rf_client_connect(config, config->verb, &answer, &err);
	if (fd < 0) {
		rf_error_say("%s", err.text);
		return RF_EXIT_ERROR;
	}
	if (config->verb == RF_VERB_KILL)
		done = rf_client_wait(config, fd);
	close(fd);
	rf_json_print(answer, config->json);
	return done ? 0 : RF_EXIT_ERROR;
}

static void list_add(void *ctx, const char *name, int fd)
{
	struct rf_error err;
	cJSON *answer = ask(fd, "info", &err);

	if (answer)
		cJSON_AddItemToArray(ctx, answer);
	else
		rf_error_say("%s: %s", name, err.text);
}

static double number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static void print_table(const cJSON *guests)
{
	const cJSON *guest;

	printf("%-24s %-8s %5s %8s %8s %8s\n", "NAME", "STATE", "CPUS",
	       "MEMORY", "PID", "SECONDS");
	cJSON_ArrayForEach(guest, guests)
		printf("%-24s %-8s %5.0f %7.0fM %8.0f %8.0f\n",
		       text_of(guest, "name"), text_of(guest, "state"),
		       number_of(guest, "vcpus"),
		       number_of(guest, "memory_bytes") / (1 << 20),
		       number_of(guest, "pid"), number_of(guest, "seconds"));
}

enum rf_exit rf_client_list(const struct rf_config *config)
{
	cJSON *guests = cJSON_CreateArray();
	struct rf_error err;

	if (!guests ||
	    rf_run_dir_each(config->run_dir, list_add, guests, &err)) {
		rf_error_say("%s", guests ? err.text : "not enough memory");
		return RF_EXIT_ERROR;
	}
	if (config->json) {
		rf_json_print(guests, true);
		return 0;
	}
	print_table(guests);
	cJSON_Delete(guests);
	return 0;
}

/* Send all of it; the launcher takes input as fast as its guest does. */
static bool send_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t done = send(fd, buf, len, MSG_NOSIGNAL);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		buf += done;
		len -= done;
	}
	return true;
}

/* Copy what came.  Return: false at the end. */
static bool copy_output(int fd)
{
	char buf[4096];
	ssize_t len = read(fd, buf, sizeof(buf));

	if (len < 0)
		return errno == EINTR || errno == EAGAIN;
	for (ssize_t done = 0, n; done < len; done += n) {
		n = write(STDOUT_FILENO, buf + done, len - done);
		if (n <= 0)
			return false;
	}
	return len > 0;
}

/* Return: false if ^] was typed. */
static bool copy_input(int fd, bool is_tty, struct pollfd *poll_stdin)
{
	char buf[512];
	ssize_t len = read(STDIN_FILENO, buf, sizeof(buf));
	char *escape = NULL;

	if (len <= 0) {
		poll_stdin->fd = -1;
		return true;
	}
	if (is_tty)
		escape = memchr(buf, ESCAPE, len);
	if (!send_all(fd, buf, escape ? escape - buf : len))
		return false;
	return !escape;
}

static void converse(int fd, bool is_tty)
{
	struct pollfd polls[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = STDIN_FILENO, .events = POLLIN },
	};

	for (;;) {
		if (poll(polls, 2, -1) < 0)
			continue;
		if (polls[0].revents && !copy_output(fd))
			return;
		if (polls[1].fd >= 0 && polls[1].revents &&
		    !copy_input(fd, is_tty, &polls[1]))
			return;
	}
}

enum rf_exit rf_client_console(const struct rf_config *config)
{
	bool is_tty = rf_tty_is_ours(STDIN_FILENO);
	struct timeval forever = { 0 };
	struct rf_error err;
	cJSON *answer;
	int fd;

	fd = rf_client_connect(config, config->verb, &answer, &err);
	if (fd < 0) {
		rf_error_say("%s", err.text);
		return RF_EXIT_ERROR;
	}
	cJSON_Delete(answer);
	signal(SIGPIPE, SIG_IGN);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &forever, sizeof(forever));
	if (is_tty) {
		rf_error_say("at the console of %s; ^] detaches", config->name);
		is_tty = !rf_tty_raw(STDIN_FILENO);
	}
	converse(fd, is_tty);
	rf_tty_restore();
	close(fd);
	if (is_tty)
		fprintf(stderr, "\nringfence: detached from %s\n",
			config->name);
	return 0;
}
