// SPDX-License-Identifier: GPL-2.0
/*
 * console.c - one thread that carries the console ring to and from people
 *
 *	guest ring ----> stream ----> main sink: stdout or a file; misses nothing
 *	console_io ---^          '--> clients: sockets; may fall behind
 *
 *	stdin, clients ----> input ----> guest ring
 *
 * The stream keeps the last 64 KiB, so who attaches late sees what was said
 * before.  If the main sink does not take its bytes, the ring is not emptied
 * either and the guest waits; clients that fall behind lose the oldest bytes.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "console.h"
#include "console_ring.h"
#include "event.h"
#include "tty.h"

#define STREAM_SIZE	(64U << 10)
#define MAX_CLIENTS	8
#define NR_SINKS	(1 + MAX_CLIENTS)	/* [0] is the main one */
#define CHUNK		512
#define ESCAPE		0x1d			/* ^] */
#define DRAIN_SECONDS	2

/* Where output goes.  fd is -1 when there is none. */
struct sink {
	int fd;
	uint64_t at;		/* bytes of the stream it has had */
};

struct rf_console {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;	/* a sink took bytes */

	struct rf_console_ring ring;
	bool connected;
	bool closing;
	int to_launcher;
	int from_launcher;
	int wake;
	bool started;

	char stream[STREAM_SIZE];
	uint64_t head;		/* bytes that ever went into the stream */
	struct sink sinks[NR_SINKS];

	bool wants_stdin;
	int input_fd;		/* stdin, or -1 */
	bool input_is_tty;
	bool escape_seen;
	char input[CHUNK];	/* waits for room in the ring */
	size_t nr_input;
	bool no_clients;

	void (*on_quit)(void *ctx);
	void *ctx;
};

/* Bytes that can go into the stream before the main sink loses one. */
static size_t stream_room(const struct rf_console *console)
{
	const struct sink *sink = &console->sinks[0];

	if (sink->fd < 0)
		return STREAM_SIZE;
	return STREAM_SIZE - (console->head - sink->at);
}

static void stream_put(struct rf_console *console, char c)
{
	console->stream[console->head++ % STREAM_SIZE] = c;
}

/* Copy what @sink is to have next.  Return: bytes. */
static size_t stream_next(struct rf_console *console, struct sink *sink,
			  char *buf, size_t len)
{
	size_t done = 0;

	if (console->head - sink->at > STREAM_SIZE)
		sink->at = console->head - STREAM_SIZE;
	while (done < len && sink->at + done < console->head) {
		buf[done] = console->stream[(sink->at + done) % STREAM_SIZE];
		done++;
	}
	return done;
}

/* Ring to stream, as much as there is room for. */
static void pull_output(struct rf_console *console)
{
	char buf[CHUNK];
	size_t room, len;
	bool took = false;

	while (console->connected) {
		room = stream_room(console);
		len = rf_console_ring_read(&console->ring, buf,
					   room < CHUNK ? room : CHUNK);
		if (!len)
			break;
		took = true;
		for (size_t i = 0; i < len; i++)
			stream_put(console, buf[i]);
	}
	/* A guest whose ring was full waits to hear that it no longer is. */
	if (took)
		rf_event_signal(console->from_launcher);
}

/* Input to ring.  The guest sends an event when it has made room. */
static void push_input(struct rf_console *console)
{
	size_t len;

	if (!console->connected || !console->nr_input)
		return;
	len = rf_console_ring_write(&console->ring, console->input,
				    console->nr_input);
	if (!len)
		return;
	console->nr_input -= len;
	memmove(console->input, console->input + len, console->nr_input);
	rf_event_signal(console->from_launcher);
}

/* Called with the lock held, which is let go for the write. */
static void serve_sink(struct rf_console *console, struct sink *sink)
{
	char buf[CHUNK];
	size_t len = stream_next(console, sink, buf, sizeof(buf));
	bool is_client = sink != &console->sinks[0];
	int fd = sink->fd;
	ssize_t done;

	if (!len)
		return;
	pthread_mutex_unlock(&console->lock);
	if (is_client)
		done = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		done = write(fd, buf, len);
	pthread_mutex_lock(&console->lock);

	if (done > 0) {
		sink->at += done;
	} else if (done < 0 && errno != EAGAIN && errno != EINTR) {
		if (is_client)
			close(fd);
		else if (errno != EPIPE)
			rf_error_say("console output is lost from here on: %s",
				     strerror(errno));
		sink->fd = -1;
	}
	pthread_cond_broadcast(&console->moved);
}

/* One typed character.  ^] twice ends the guest. */
static void type(struct rf_console *console, char c)
{
	static const char hint[] =
		"\r\nringfence: ^] again ends the guest; any other key goes on\r\n";

	if (console->input_is_tty) {
		bool again = console->escape_seen;

		console->escape_seen = c == ESCAPE && !again;
		if (console->escape_seen) {
			if (write(STDERR_FILENO, hint, sizeof(hint) - 1) < 0)
				return;
			return;
		}
		if (c == ESCAPE) {
			console->on_quit(console->ctx);
			return;
		}
	}
	console->input[console->nr_input++] = c;
}

static void serve_stdin(struct rf_console *console)
{
	char buf[CHUNK];
	ssize_t len = read(console->input_fd, buf,
			   sizeof(buf) - console->nr_input);

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (len <= 0)
		console->input_fd = -1;
	for (ssize_t i = 0; i < len; i++)
		type(console, buf[i]);
}

static void serve_client_input(struct rf_console *console, struct sink *sink)
{
	ssize_t len = recv(sink->fd, console->input + console->nr_input,
			   sizeof(console->input) - console->nr_input,
			   MSG_DONTWAIT);

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (len > 0) {
		console->nr_input += len;
		return;
	}
	close(sink->fd);
	sink->fd = -1;
}

enum { POLL_RING, POLL_WAKE, POLL_STDIN, POLL_SINKS, NR_POLLS = POLL_SINKS + NR_SINKS };

static void prepare_polls(struct rf_console *console, struct pollfd *polls)
{
	bool room = console->nr_input < sizeof(console->input);

	polls[POLL_RING] = (struct pollfd){ console->to_launcher, POLLIN, 0 };
	polls[POLL_WAKE] = (struct pollfd){ console->wake, POLLIN, 0 };
	polls[POLL_STDIN] = (struct pollfd){
		room ? console->input_fd : -1, POLLIN, 0
	};
	for (int i = 0; i < NR_SINKS; i++) {
		struct sink *sink = &console->sinks[i];
		struct pollfd *poll = &polls[POLL_SINKS + i];

		*poll = (struct pollfd){ .fd = sink->fd };
		if (i && room)
			poll->events |= POLLIN;
		if (sink->at < console->head)
			poll->events |= POLLOUT;
		if (!poll->events)
			poll->fd = -1;
	}
}

static void serve_polls(struct rf_console *console, struct pollfd *polls)
{
	if (polls[POLL_RING].revents)
		rf_event_clear(console->to_launcher);
	if (polls[POLL_WAKE].revents)
		rf_event_clear(console->wake);
	if (polls[POLL_STDIN].revents)
		serve_stdin(console);
	for (int i = 0; i < NR_SINKS; i++) {
		struct sink *sink = &console->sinks[i];
		int revents = polls[POLL_SINKS + i].revents;

		if (sink->fd < 0 || sink->fd != polls[POLL_SINKS + i].fd)
			continue;
		if (i && revents & (POLLIN | POLLHUP | POLLERR) &&
		    console->nr_input < sizeof(console->input))
			serve_client_input(console, sink);
		if (sink->fd >= 0 && revents & (POLLOUT | POLLERR))
			serve_sink(console, sink);
	}
}

static void *console_main(void *arg)
{
	struct rf_console *console = arg;
	struct pollfd polls[NR_POLLS];

	prctl(PR_SET_NAME, "console");
	pthread_mutex_lock(&console->lock);
	while (!console->closing) {
		pull_output(console);
		push_input(console);
		prepare_polls(console, polls);
		pthread_mutex_unlock(&console->lock);
		poll(polls, NR_POLLS, -1);
		pthread_mutex_lock(&console->lock);
		serve_polls(console, polls);
	}
	pthread_mutex_unlock(&console->lock);
	return NULL;
}

static void deadline(struct timespec *when, clockid_t clock)
{
	clock_gettime(clock, when);
	when->tv_sec += DRAIN_SECONDS;
}

/* Wait, with the lock held, until the main sink has @room.  Return: has it? */
static bool wait_for_room(struct rf_console *console, size_t room,
			  const struct timespec *until)
{
	while (stream_room(console) < room && !console->closing)
		if (pthread_cond_timedwait(&console->moved, &console->lock,
					   until))
			return stream_room(console) >= room;
	return !console->closing;
}

int rf_console_to_launcher(const struct rf_console *console)
{
	return console->to_launcher;
}

int rf_console_from_launcher(const struct rf_console *console)
{
	return console->from_launcher;
}

void rf_console_connect(struct rf_console *console, void *page)
{
	pthread_mutex_lock(&console->lock);
	rf_console_ring_init(&console->ring, page);
	console->nr_input = 0;
	console->connected = true;
	pthread_mutex_unlock(&console->lock);
	rf_event_signal(console->wake);
}

void rf_console_disconnect(struct rf_console *console)
{
	struct timespec until;

	deadline(&until, CLOCK_MONOTONIC);
	pthread_mutex_lock(&console->lock);
	if (console->connected) {
		rf_event_signal(console->wake);
		wait_for_room(console, sizeof(console->ring.shared->out),
			      &until);
		pull_output(console);
		console->connected = false;
		/* What is said next about the guest comes after its own words. */
		rf_event_signal(console->wake);
		wait_for_room(console, STREAM_SIZE, &until);
	}
	pthread_mutex_unlock(&console->lock);
	rf_event_signal(console->wake);
}

void rf_console_write(struct rf_console *console, const char *text, size_t len)
{
	struct timespec until;

	deadline(&until, CLOCK_MONOTONIC);
	pthread_mutex_lock(&console->lock);
	for (size_t i = 0; i < len; i++) {
		char before = console->head ?
			console->stream[(console->head - 1) % STREAM_SIZE] : 0;

		if (stream_room(console) < 2) {
			rf_event_signal(console->wake);
			if (!wait_for_room(console, 2, &until))
				break;
		}
		if (text[i] == '\n' && before != '\r')
			stream_put(console, '\r');
		stream_put(console, text[i]);
	}
	pthread_mutex_unlock(&console->lock);
	rf_event_signal(console->wake);
}

/* A free place, or NULL.  Called with the lock held. */
static struct sink *free_client(struct rf_console *console)
{
	for (int i = 1; i < NR_SINKS; i++)
		if (console->sinks[i].fd < 0)
			return &console->sinks[i];
	return NULL;
}

int rf_console_has_room(struct rf_console *console, struct rf_error *err)
{
	bool room;

	if (console->no_clients)
		return rf_error_set(err, "it runs with --console none");
	pthread_mutex_lock(&console->lock);
	room = free_client(console);
	pthread_mutex_unlock(&console->lock);
	if (!room)
		return rf_error_set(err, "%d people are at its console already",
				    MAX_CLIENTS);
	return 0;
}

void rf_console_attach(struct rf_console *console, int fd)
{
	struct sink *sink;

	pthread_mutex_lock(&console->lock);
	sink = free_client(console);
	if (sink)
		*sink = (struct sink){ .fd = fd };
	else
		close(fd);
	pthread_mutex_unlock(&console->lock);
	rf_event_signal(console->wake);
}

static int open_main_sink(struct rf_console *console,
			  const struct rf_config *config, struct rf_error *err)
{
	struct sink *sink = &console->sinks[0];

	switch (config->console) {
	case RF_CONSOLE_STDIO:
		sink->fd = STDOUT_FILENO;
		console->wants_stdin = true;
		break;
	case RF_CONSOLE_FILE:
		sink->fd = open(config->console_path,
				O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (sink->fd < 0)
			return rf_error_set(err, "cannot write the console to %s: %s",
					    config->console_path,
					    strerror(errno));
		break;
	case RF_CONSOLE_NONE:
		console->no_clients = true;
		break;
	case RF_CONSOLE_SOCKET:
	case RF_CONSOLE_UNSAID:
		break;
	}
	return 0;
}

/* Take the terminal if there is one; a job in the background leaves it. */
static void open_stdin(struct rf_console *console)
{
	bool is_tty = isatty(STDIN_FILENO);

	if (!console->wants_stdin || (is_tty && !rf_tty_is_ours(STDIN_FILENO)))
		return;
	if (is_tty) {
		rf_error_say("the terminal is the guest's console now; "
			     "^] ^] ends the guest");
		rf_tty_raw(STDIN_FILENO);
	}
	console->input_is_tty = is_tty;
	console->input_fd = STDIN_FILENO;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

static void free_console(struct rf_console *console)
{
	if (console->sinks[0].fd != STDOUT_FILENO)
		close_fd(console->sinks[0].fd);
	close_fd(console->to_launcher);
	close_fd(console->from_launcher);
	close_fd(console->wake);
	free(console);
}

struct rf_console *rf_console_create(const struct rf_config *config,
				     void (*on_quit)(void *ctx), void *ctx,
				     struct rf_error *err)
{
	struct rf_console *console = calloc(1, sizeof(*console));
	pthread_condattr_t attr;

	if (!console) {
		rf_error_set(err, "not enough memory");
		return NULL;
	}
	console->input_fd = -1;
	console->to_launcher = -1;
	console->from_launcher = -1;
	console->wake = -1;
	console->on_quit = on_quit;
	console->ctx = ctx;
	for (int i = 0; i < NR_SINKS; i++)
		console->sinks[i].fd = -1;
	if (open_main_sink(console, config, err))
		goto err_free;

	console->to_launcher = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	console->from_launcher = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	console->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&console->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&console->moved, &attr);
	if (console->to_launcher < 0 || console->from_launcher < 0 ||
	    console->wake < 0) {
		rf_error_set(err, "cannot make an eventfd: %s",
			     strerror(errno));
		goto err_free;
	}
	return console;

err_free:
	free_console(console);
	return NULL;
}

int rf_console_start(struct rf_console *console, struct rf_error *err)
{
	int ret;

	open_stdin(console);
	ret = pthread_create(&console->thread, NULL, console_main, console);
	if (ret) {
		rf_tty_restore();
		return rf_error_set(err, "cannot start the console: %s",
				    strerror(ret));
	}
	console->started = true;
	return 0;
}

/* Last words go out as far as the socket takes them. */
static void close_client(struct rf_console *console, struct sink *sink)
{
	char buf[CHUNK];
	ssize_t done = 1;

	if (sink->fd < 0)
		return;
	while (done > 0) {
		size_t len = stream_next(console, sink, buf, sizeof(buf));

		done = len ? send(sink->fd, buf, len,
				  MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
		sink->at += done > 0 ? done : 0;
	}
	close(sink->fd);
}

void rf_console_destroy(struct rf_console *console)
{
	struct timespec until;
	int stuck;

	if (!console->started) {
		free_console(console);
		return;
	}
	deadline(&until, CLOCK_MONOTONIC);
	pthread_mutex_lock(&console->lock);
	rf_event_signal(console->wake);
	wait_for_room(console, STREAM_SIZE, &until);
	console->closing = true;
	pthread_mutex_unlock(&console->lock);
	rf_event_signal(console->wake);
	/* A terminal that takes nothing may hold the thread; leave it then. */
	deadline(&until, CLOCK_REALTIME);
	stuck = pthread_timedjoin_np(console->thread, NULL, &until);
	rf_tty_restore();
	if (stuck)
		return;

	for (int i = 1; i < NR_SINKS; i++)
		close_client(console, &console->sinks[i]);
	free_console(console);
}
