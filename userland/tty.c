// SPDX-License-Identifier: GPL-2.0
/*
 * tty.c - raw mode that does not outlive the process
 */
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "tty.h"

static struct termios saved;
static volatile sig_atomic_t raw_fd = -1;

bool rf_tty_is_ours(int fd)
{
	pid_t foreground;

	if (!isatty(fd))
		return false;
	/* Without job control nobody is in the background. */
	foreground = tcgetpgrp(fd);
	return foreground < 0 || foreground == getpgrp();
}

/* Called from signal handlers: async-signal-safe functions only. */
void rf_tty_restore(void)
{
	int fd = raw_fd;

	raw_fd = -1;
	if (fd >= 0)
		tcsetattr(fd, TCSADRAIN, &saved);
}

static void die_of(int sig)
{
	rf_tty_restore();
	/* SA_RESETHAND has put the default action back. */
	raise(sig);
}

int rf_tty_raw(int fd)
{
	static const int fatal[] = {
		SIGABRT, SIGALRM, SIGBUS, SIGFPE, SIGHUP, SIGILL, SIGINT,
		SIGQUIT, SIGSEGV, SIGSYS, SIGTERM, SIGTRAP, SIGUSR2, SIGVTALRM,
		SIGXCPU, SIGXFSZ,
	};
	struct sigaction action = {
		.sa_handler = die_of,
		.sa_flags = SA_RESETHAND | SA_NODEFER,
	};
	static bool registered;
	struct termios raw;

	if (tcgetattr(fd, &saved))
		return -1;
	if (!registered && atexit(rf_tty_restore))
		return -1;
	registered = true;
	/* Putting the mode back must work from the background as well. */
	signal(SIGTTOU, SIG_IGN);
	for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++)
		sigaction(fatal[i], &action, NULL);

	raw = saved;
	cfmakeraw(&raw);
	raw_fd = fd;
	return tcsetattr(fd, TCSADRAIN, &raw);
}
