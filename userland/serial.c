// SPDX-License-Identifier: GPL-2.0
/*
 * serial.c - one thread that carries a UART's bytes to and from people
 *
 *	UART ----> out ----> stdout, a file or a socket
 *	UART <--- as many as its FIFO has room for <--- stdin or the socket
 *
 * When out is full, the UART's transmitter is not empty, and the guest waits as
 * it does for a slow line.  With nobody at the socket, bytes are lost as on an
 * open wire.
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
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "serial.h"
#include "uart.h"

#define OUT_SIZE	(16U << 10)
#define CHUNK		512
#define DRAIN_SECONDS	2

struct rf_serial {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved;	/* bytes have gone out */
	bool started;
	bool closing;

	struct rf_uart uart;
	struct rf_uart_line line;
	char out[OUT_SIZE];
	uint64_t head;		/* bytes that ever went in */
	uint64_t tail;		/* and out */

	int in_fd;
	int out_fd;
	int listen_fd;		/* socket: who comes gets in_fd and out_fd */
	const char *path;	/* socket: to be removed */
	int wake;
};

static bool is_full(const struct rf_serial *serial)
{
	return serial->head - serial->tail == OUT_SIZE;
}

static bool line_can_send(void *ctx)
{
	return !is_full(ctx);
}

static void line_send(void *ctx, uint8_t byte)
{
	struct rf_serial *serial = ctx;

	if (serial->out_fd < 0)
		return;
	if (serial->head == serial->tail)
		rf_event_signal(serial->wake);
	serial->out[serial->head++ % OUT_SIZE] = byte;
}

/*
 * The thread.  Its functions are called with the lock held.
 */

static void hang_up(struct rf_serial *serial)
{
	close(serial->out_fd);
	serial->in_fd = -1;
	serial->out_fd = -1;
	serial->tail = serial->head;
	rf_uart_set_carrier(&serial->uart, false);
}

static void answer(struct rf_serial *serial)
{
	int fd = accept4(serial->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	serial->in_fd = fd;
	serial->out_fd = fd;
	rf_uart_set_carrier(&serial->uart, true);
}

/* The other end does not take bytes any more. */
static void out_failed(struct rf_serial *serial)
{
	if (serial->listen_fd >= 0) {
		hang_up(serial);
		return;
	}
	if (errno != EPIPE)
		rf_error_say("serial output is lost from here on: %s", strerror(errno));
	serial->out_fd = -1;
	serial->tail = serial->head;
}

static size_t next_out(const struct rf_serial *serial, char *buf)
{
	size_t len = 0;

	while (len < CHUNK && serial->tail + len < serial->head) {
		buf[len] = serial->out[(serial->tail + len) % OUT_SIZE];
		len++;
	}
	return len;
}

/* The lock is let go for the write. */
static void push_out(struct rf_serial *serial)
{
	char buf[CHUNK];
	size_t len = next_out(serial, buf);
	int fd = serial->out_fd;
	ssize_t done;

	if (!len)
		return;
	pthread_mutex_unlock(&serial->lock);
	if (serial->listen_fd >= 0)
		done = send(fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		done = write(fd, buf, len);
	pthread_mutex_lock(&serial->lock);
	if (done > 0)
		serial->tail += done;
	else if (done < 0 && errno != EAGAIN && errno != EINTR)
		out_failed(serial);
	pthread_cond_broadcast(&serial->moved);
}

static void pull_in(struct rf_serial *serial)
{
	char buf[RF_UART_FIFO];
	ssize_t len = read(serial->in_fd, buf, rf_uart_room(&serial->uart));

	if (len < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	for (ssize_t i = 0; i < len; i++)
		rf_uart_receive(&serial->uart, buf[i]);
	if (len > 0)
		return;
	if (serial->listen_fd >= 0)
		hang_up(serial);
	else
		serial->in_fd = -1;
}

enum { POLL_WAKE, POLL_LISTEN, POLL_IN, POLL_OUT, NR_POLLS };

static void prepare_polls(const struct rf_serial *serial, struct pollfd *polls)
{
	bool room = rf_uart_room(&serial->uart);
	bool full = serial->head != serial->tail;

	polls[POLL_WAKE] = (struct pollfd){ serial->wake, POLLIN, 0 };
	polls[POLL_LISTEN] = (struct pollfd){
		serial->out_fd < 0 ? serial->listen_fd : -1, POLLIN, 0
	};
	polls[POLL_IN] = (struct pollfd){ room ? serial->in_fd : -1, POLLIN, 0 };
	polls[POLL_OUT] = (struct pollfd){ full ? serial->out_fd : -1, POLLOUT, 0 };
}

static void serve_polls(struct rf_serial *serial, const struct pollfd *polls)
{
	if (polls[POLL_WAKE].revents)
		rf_event_clear(serial->wake);
	if (polls[POLL_LISTEN].revents)
		answer(serial);
	if (polls[POLL_OUT].revents && serial->out_fd >= 0)
		push_out(serial);
	/* The guest may have filled its FIFO itself by now, in a loop. */
	if (polls[POLL_IN].revents && serial->in_fd >= 0 && rf_uart_room(&serial->uart))
		pull_in(serial);
}

static void *serial_main(void *arg)
{
	struct rf_serial *serial = arg;
	struct pollfd polls[NR_POLLS];

	prctl(PR_SET_NAME, "serial");
	pthread_mutex_lock(&serial->lock);
	while (!serial->closing) {
		prepare_polls(serial, polls);
		pthread_mutex_unlock(&serial->lock);
		poll(polls, NR_POLLS, -1);
		pthread_mutex_lock(&serial->lock);
		serve_polls(serial, polls);
	}
	pthread_mutex_unlock(&serial->lock);
	return NULL;
}

/*
 * For vCPUs
 */

uint8_t rf_serial_read(struct rf_serial *serial, unsigned int reg)
{
	size_t room;
	uint8_t value;

	pthread_mutex_lock(&serial->lock);
	room = rf_uart_room(&serial->uart);
	value = rf_uart_read(&serial->uart, reg);
	/* The thread does not look for input while there is nowhere to put it. */
	if (!room && rf_uart_room(&serial->uart))
		rf_event_signal(serial->wake);
	pthread_mutex_unlock(&serial->lock);
	return value;
}

void rf_serial_write(struct rf_serial *serial, unsigned int reg, uint8_t value)
{
	size_t room;

	pthread_mutex_lock(&serial->lock);
	room = rf_uart_room(&serial->uart);
	rf_uart_write(&serial->uart, reg, value);
	if (!room && rf_uart_room(&serial->uart))
		rf_event_signal(serial->wake);
	pthread_mutex_unlock(&serial->lock);
}

void rf_serial_reset(struct rf_serial *serial)
{
	pthread_mutex_lock(&serial->lock);
	rf_uart_reset(&serial->uart, &serial->line);
	pthread_mutex_unlock(&serial->lock);
	rf_event_signal(serial->wake);
}

/*
 * Open and close
 */

/* A launcher that was killed has left its socket: nobody answers there. */
static void remove_stale(const struct sockaddr_un *address)
{
	struct stat st;
	int fd;

	/* A file that is no socket refuses connections, too. */
	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
	    errno == ECONNREFUSED)
		unlink(address->sun_path);
	close(fd);
}

static int open_socket(struct rf_serial *serial, const char *path, struct rf_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return rf_error_set(err, "--serial socket:%.120s: the path is too long", path);
	strcpy(address.sun_path, path);
	remove_stale(&address);
	serial->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (serial->listen_fd < 0 ||
	    bind(serial->listen_fd, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(serial->listen_fd, 1))
		return rf_error_set(err, "cannot make the serial port's socket %s: %s", path,
				    strerror(errno));
	serial->path = path;
	return 0;
}

static int open_ends(struct rf_serial *serial, const struct rf_config *config,
		     struct rf_error *err)
{
	switch (config->serial) {
	case RF_SERIAL_STDIO:
		serial->in_fd = STDIN_FILENO;
		serial->out_fd = STDOUT_FILENO;
		break;
	case RF_SERIAL_FILE:
		serial->out_fd = open(config->serial_path,
				      O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
		if (serial->out_fd < 0)
			return rf_error_set(err, "cannot write the serial port to %s: %s",
					    config->serial_path, strerror(errno));
		break;
	default:
		return open_socket(serial, config->serial_path, err);
	}
	serial->uart.carrier = true;
	return 0;
}

static void free_serial(struct rf_serial *serial)
{
	if (serial->path)
		unlink(serial->path);
	if (serial->out_fd > STDERR_FILENO)
		close(serial->out_fd);
	if (serial->listen_fd >= 0)
		close(serial->listen_fd);
	if (serial->wake >= 0)
		close(serial->wake);
	free(serial);
}

struct rf_serial *rf_serial_create(const struct rf_config *config, struct rf_error *err)
{
	struct rf_serial *serial = calloc(1, sizeof(*serial));
	pthread_condattr_t attr;

	if (!serial) {
		rf_error_set(err, "not enough memory");
		return NULL;
	}
	serial->in_fd = -1;
	serial->out_fd = -1;
	serial->listen_fd = -1;
	serial->line = (struct rf_uart_line){ line_can_send, line_send, serial };
	serial->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&serial->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&serial->moved, &attr);
	if (serial->wake < 0)
		rf_error_set(err, "cannot make an eventfd: %s", strerror(errno));
	if (serial->wake < 0 || open_ends(serial, config, err)) {
		free_serial(serial);
		return NULL;
	}
	rf_uart_reset(&serial->uart, &serial->line);
	return serial;
}

int rf_serial_start(struct rf_serial *serial, struct rf_error *err)
{
	int ret = pthread_create(&serial->thread, NULL, serial_main, serial);

	if (ret)
		return rf_error_set(err, "cannot start the serial port: %s", strerror(ret));
	serial->started = true;
	return 0;
}

void rf_serial_destroy(struct rf_serial *serial)
{
	struct timespec until;
	int stuck;

	if (!serial->started) {
		free_serial(serial);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += DRAIN_SECONDS;
	pthread_mutex_lock(&serial->lock);
	while (serial->out_fd >= 0 && serial->head != serial->tail)
		if (pthread_cond_timedwait(&serial->moved, &serial->lock, &until))
			break;
	serial->closing = true;
	pthread_mutex_unlock(&serial->lock);
	rf_event_signal(serial->wake);
	/* A reader that takes nothing may hold the thread; leave it then. */
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DRAIN_SECONDS;
	stuck = pthread_timedjoin_np(serial->thread, NULL, &until);
	if (!stuck)
		free_serial(serial);
}
