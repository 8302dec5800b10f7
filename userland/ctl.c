// SPDX-License-Identifier: GPL-2.0
/*
 * ctl.c - control socket: connections in, lines to a handler, answers out
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "ctl.h"
#include "run_dir.h"

struct client {
	int fd;
	int passed;		/* came with the request, or -1 */
	bool kept;		/* answered; stays open */
	size_t len;
	char line[RF_CTL_LINE];
};

struct rf_ctl {
	int listener;
	char path[RF_SOCKET_PATH];
	uid_t owner;
	rf_ctl_handler handler;
	void *ctx;
	struct client clients[RF_CTL_MAX_CLIENTS];
};

struct rf_ctl *rf_ctl_create(const char *run_dir, const char *name, uid_t owner,
			     rf_ctl_handler handler, void *ctx,
			     struct rf_error *err)
{
	struct rf_ctl *ctl = calloc(1, sizeof(*ctl));

	if (!ctl) {
		rf_error_set(err, "not enough memory");
		return NULL;
	}
	ctl->owner = owner;
	ctl->handler = handler;
	ctl->ctx = ctx;
	for (int i = 0; i < RF_CTL_MAX_CLIENTS; i++)
		ctl->clients[i] = (struct client){ .fd = -1, .passed = -1 };
	ctl->listener = rf_run_dir_listen(run_dir, name, owner, ctl->path, err);
	if (ctl->listener < 0) {
		free(ctl);
		return NULL;
	}
	return ctl;
}

static void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	if (client->passed >= 0)
		close(client->passed);
	*client = (struct client){ .fd = -1, .passed = -1 };
}

void rf_ctl_destroy(struct rf_ctl *ctl)
{
	if (!ctl)
		return;
	/* The name first: who waits for the connection to end finds it free. */
	unlink(ctl->path);
	close(ctl->listener);
	for (int i = 0; i < RF_CTL_MAX_CLIENTS; i++)
		client_close(&ctl->clients[i]);
	free(ctl);
}

static void send_line(int fd, const cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);
	size_t len = text ? strlen(text) : 0;
	size_t done = 0;

	if (text)
		text[len++] = '\n';
	/* Answers fit in a socket's buffer; a peer that reads nothing loses. */
	while (done < len) {
		ssize_t sent = send(fd, text + done, len - done,
				    MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			break;
		done += sent;
	}
	cJSON_free(text);
}

void rf_ctl_answer(int fd, struct cJSON *answer)
{
	cJSON_AddTrueToObject(answer, "ok");
	send_line(fd, answer);
}

void rf_ctl_tell(struct rf_ctl *ctl, const struct cJSON *news, bool goes_on)
{
	for (int i = 0; i < RF_CTL_MAX_CLIENTS; i++) {
		struct client *client = &ctl->clients[i];

		if (client->fd < 0 || !client->kept)
			continue;
		send_line(client->fd, news);
		if (goes_on)
			client_close(client);
	}
}

static void answer_error(int fd, const char *text)
{
	cJSON *answer = cJSON_CreateObject();

	cJSON_AddFalseToObject(answer, "ok");
	cJSON_AddStringToObject(answer, "error", text);
	send_line(fd, answer);
	cJSON_Delete(answer);
}

static int client_handle(struct rf_ctl *ctl, struct client *client)
{
	cJSON *request = cJSON_ParseWithLength(client->line, client->len);
	struct rf_ctl_request asked = {
		.verb = cJSON_GetStringValue(cJSON_GetObjectItem(request, "verb")),
		.members = request,
		.fd = client->fd,
		.passed = client->passed,
	};
	cJSON *answer = cJSON_CreateObject();
	struct rf_error err = { "not a request: send one line of JSON with a verb" };
	int after = -1;

	if (asked.verb && answer)
		after = ctl->handler(ctl->ctx, &asked, answer, &err);
	client->passed = asked.passed;
	if (after < 0)
		answer_error(client->fd, err.text);
	else if (after != RF_CTL_GIVEN_AWAY)
		rf_ctl_answer(client->fd, answer);
	cJSON_Delete(answer);
	cJSON_Delete(request);
	return after;
}

/* One descriptor may come along; the last one counts. */
static void take_passed(struct client *client, struct msghdr *msg)
{
	struct cmsghdr *cmsg;

	for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_SOCKET ||
		    cmsg->cmsg_type != SCM_RIGHTS ||
		    cmsg->cmsg_len != CMSG_LEN(sizeof(int)))
			continue;
		if (client->passed >= 0)
			close(client->passed);
		memcpy(&client->passed, CMSG_DATA(cmsg), sizeof(int));
	}
}

static ssize_t client_receive(struct client *client)
{
	/* Room for one, aligned: what does not fit is closed by the kernel. */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {
		.iov_base = client->line + client->len,
		.iov_len = sizeof(client->line) - client->len,
	};
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_LEN(sizeof(int)),
	};
	ssize_t got = recvmsg(client->fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (got >= 0)
		take_passed(client, &msg);
	return got;
}

static void client_serve(struct rf_ctl *ctl, struct client *client)
{
	ssize_t got = client_receive(client);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0 || client->kept) {
		client_close(client);
		return;
	}
	client->len += got;
	if (!memchr(client->line, '\n', client->len)) {
		if (client->len == sizeof(client->line))
			client_close(client);
		return;
	}
	switch (client_handle(ctl, client)) {
	case RF_CTL_KEEP:
		client->kept = true;
		break;
	case RF_CTL_GIVEN_AWAY:
		client->fd = -1;
		client_close(client);
		break;
	default:
		client_close(client);
	}
}

static bool peer_is_welcome(const struct rf_ctl *ctl, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	return !peer.uid || peer.uid == ctl->owner;
}

static void accept_client(struct rf_ctl *ctl)
{
	int fd = accept4(ctl->listener, NULL, NULL,
			 SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (!peer_is_welcome(ctl, fd)) {
		answer_error(fd, "this guest is somebody else's");
		close(fd);
		return;
	}
	for (int i = 0; i < RF_CTL_MAX_CLIENTS; i++) {
		if (ctl->clients[i].fd < 0) {
			ctl->clients[i].fd = fd;
			return;
		}
	}
	answer_error(fd, "too many requests at once; try again");
	close(fd);
}

void rf_ctl_prepare(struct rf_ctl *ctl, struct pollfd *polls)
{
	polls[0] = (struct pollfd){ ctl->listener, POLLIN, 0 };
	for (int i = 0; i < RF_CTL_MAX_CLIENTS; i++)
		polls[1 + i] = (struct pollfd){
			ctl->clients[i].fd, POLLIN, 0
		};
}

void rf_ctl_serve(struct rf_ctl *ctl, const struct pollfd *polls)
{
	for (int i = 0; i < RF_CTL_MAX_CLIENTS; i++)
		if (polls[1 + i].revents && ctl->clients[i].fd >= 0)
			client_serve(ctl, &ctl->clients[i]);
	if (polls[0].revents)
		accept_client(ctl);
}
