// SPDX-License-Identifier: GPL-2.0
/*
 * nbd.c - images that are not raw, by qemu-nbd and the kernel's nbd
 *
 *	image <-- qemu-nbd --socket--> /dev/nbdN <-- the launcher, O_EXCL
 *	                                  ^
 *	                                  '-- guard: disconnects it when it is free
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nbd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "nbd.h"

#define MAX_DEVICES	64
#define CONNECT_MS	15000

static void sleep_ms(long ms)
{
	struct timespec time = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&time, NULL);
}

/* A device that nobody has connected has no process of its own. */
static bool is_free(int i)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/block/nbd%d", i);
	if (access(path, F_OK))
		return false;
	snprintf(path, sizeof(path), "/sys/block/nbd%d/pid", i);
	return access(path, F_OK) != 0;
}

/* Signals are its own again: it is no part of the launcher. */
static void exec_qemu_nbd(const struct rf_disk_spec *spec, const char *device)
{
	const char *const args[] = {
		"qemu-nbd", "--fork", "--format", spec->format,
		"--cache", spec->cache == RF_DISK_DIRECT ? "none" : "writeback",
		"--discard", spec->discard ? "unmap" : "ignore",
		"--connect", device, spec->read_only ? "--read-only" : "--",
		spec->read_only ? "--" : spec->path,
		spec->read_only ? spec->path : NULL, NULL,
	};
	sigset_t none;

	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(args[0], (char *const *)args);
	_exit(127);
}

/* Run it; it returns when the device is connected, and stays behind. */
static int run_qemu_nbd(const struct rf_disk_spec *spec, const char *device)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid)
		exec_qemu_nbd(spec, device);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void disconnect(int fd)
{
	ioctl(fd, NBD_CLEAR_QUE);
	ioctl(fd, NBD_DISCONNECT);
	ioctl(fd, NBD_CLEAR_SOCK);
}

static bool has_bytes(int i)
{
	unsigned long long sectors = 0;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/block/nbd%d/size", i);
	file = fopen(path, "re");
	if (!file)
		return false;
	if (fscanf(file, "%llu", &sectors) != 1)
		sectors = 0;
	fclose(file);
	return sectors;
}

/* qemu-nbd returns before it has connected the device; its size comes last. */
static bool is_connected(int i)
{
	for (int ms = 0; ms < CONNECT_MS; ms += 10) {
		if (!is_free(i) && has_bytes(i))
			return true;
		sleep_ms(10);
	}
	return false;
}

/* Return: 0, or what qemu-nbd returned, or -1 if somebody else has the device. */
static int connect_device(const struct rf_disk_spec *spec, int i, const char *device)
{
	int claim = open(device, O_RDONLY | O_EXCL | O_CLOEXEC);
	int ret = -1;

	if (claim < 0)
		return -1;
	if (is_free(i)) {
		/* It may have the size of what was there before. */
		ioctl(claim, NBD_CLEAR_SOCK);
		ret = run_qemu_nbd(spec, device);
		if (!ret && !is_connected(i)) {
			disconnect(claim);
			ret = 1;
		}
	}
	close(claim);
	return ret;
}

int rf_nbd_start(const struct rf_disk_spec *spec, char *device, size_t room,
		 struct rf_error *err)
{
	int ret = 1;

	if (access("/sys/block/nbd0", F_OK))
		return rf_error_set(err, "disk %s: an image in format %s needs the "
					 "kernel's nbd: 'modprobe nbd'",
				    spec->path, spec->format);
	for (int i = 0; ret && i < MAX_DEVICES; i++) {
		if (!is_free(i))
			continue;
		snprintf(device, room, "/dev/nbd%d", i);
		ret = connect_device(spec, i, device);
		if (ret == 127)
			return rf_error_set(err, "disk %s: an image in format %s needs "
						 "qemu-nbd (package qemu-utils)",
					    spec->path, spec->format);
		/* Somebody else was quicker, or the image is no good. */
		if (ret > 0 && is_free(i))
			break;
	}
	if (ret)
		return rf_error_set(err, "disk %s: qemu-nbd does not open it as %s, or no "
					 "/dev/nbd* is free",
				    spec->path, spec->format);
	return 0;
}

/* Holds nothing of its parent's, and is told nothing by its terminal. */
static void guard(const char *device)
{
	int fd;

	setsid();
	close_range(0, ~0U, 0);
	/* Who started it has the device open by now, or has failed to. */
	while ((fd = open(device, O_RDONLY | O_EXCL | O_CLOEXEC)) < 0) {
		if (errno != EBUSY)
			return;
		sleep_ms(500);
	}
	disconnect(fd);
	close(fd);
}

void rf_nbd_guard(const char *device)
{
	pid_t pid = fork();

	if (pid > 0) {
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		return;
	}
	/* Twice, so that nobody has to wait for it. */
	if (!pid && !fork())
		guard(device);
	if (!pid)
		_exit(0);
}
