// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - ringfence run: one guest from its first start to its last end
 *
 *	main thread	signals, control socket, the end
 *	vcpuN threads	RF_VCPU_RUN (vcpu.c)
 *	console thread	the ring and the people at it (console.c)
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "rf_api.h"
#include "run.h"
#include "vm.h"
#include "xen_start_info.h"

struct run {
	struct rf_vm vm;
	int signal_fd;
	int quit_fd;		/* eventfd: ^] ^] was typed */
	bool kill_asked;
};

static void on_quit(void *ctx)
{
	struct run *run = ctx;
	uint64_t one = 1;

	if (write(run->quit_fd, &one, sizeof(one)) < 0)
		return;
}

static int open_signals(struct run *run, struct rf_error *err)
{
	sigset_t set;

	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	/* Before any thread exists, so that all of them inherit it. */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	run->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	run->quit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (run->signal_fd < 0 || run->quit_fd < 0)
		return rf_error_set(err, "cannot watch for signals: %s",
				    strerror(errno));
	return 0;
}

/* Until the guest has ended, for whatever reason. */
static void wait_for_end(struct run *run)
{
	struct pollfd polls[] = {
		{ .fd = run->vm.ended_fd, .events = POLLIN },
		{ .fd = run->signal_fd, .events = POLLIN },
		{ .fd = run->quit_fd, .events = POLLIN },
	};

	for (;;) {
		if (poll(polls, sizeof(polls) / sizeof(polls[0]), -1) < 0)
			continue;
		if (polls[0].revents)
			return;
		if (polls[1].revents || polls[2].revents) {
			run->kill_asked = true;
			rf_api_kill(run->vm.vm_fd);
			return;
		}
	}
}

/* How it ended, and what to tell about it; *text is empty if nothing. */
static enum rf_exit judge_end(struct run *run, struct rf_error *text)
{
	struct rf_vm *vm = &run->vm;
	struct rf_vm_state state;
	int ret;

	text->text[0] = 0;
	if (run->kill_asked) {
		rf_error_set(text, "%s: killed on request", vm->name);
		return RF_EXIT_KILLED;
	}
	ret = rf_api_get_state(vm->vm_fd, &state);
	if (ret < 0) {
		rf_error_set(text, "%s: the module does not say how it ended: %s",
			     vm->name, strerror(-ret));
		return RF_EXIT_ERROR;
	}
	if (state.state == RF_STATE_DEAD) {
		rf_error_set(text, "%s: killed by the module: %.*s", vm->name,
			     RF_REASON_LEN, state.text);
		return RF_EXIT_GUEST_KILLED;
	}
	if (state.state != RF_STATE_SHUTDOWN) {
		rf_error_set(text, "%s: %s", vm->name, vm->failure.text);
		return RF_EXIT_ERROR;
	}
	switch (state.reason) {
	case SHUTDOWN_poweroff:
		return RF_EXIT_POWEROFF;
	case SHUTDOWN_reboot:
	case SHUTDOWN_soft_reset:
		return RF_EXIT_REBOOT;
	case SHUTDOWN_crash:
		rf_error_set(text, "%s: the guest crashed", vm->name);
		return RF_EXIT_CRASH;
	case SHUTDOWN_watchdog:
		rf_error_set(text, "%s: the guest's watchdog bit", vm->name);
		return RF_EXIT_CRASH;
	default:
		rf_error_set(text, "%s: the guest asked for shutdown %u, which "
				   "ringfence does not have",
			     vm->name, state.reason);
		return RF_EXIT_CRASH;
	}
}

/* Reboots included. */
static enum rf_exit run_guest(struct run *run, struct rf_error *text)
{
	const struct rf_config *config = run->vm.config;
	enum rf_exit status;

	do {
		if (rf_vm_start(&run->vm, text))
			return RF_EXIT_ERROR;
		wait_for_end(run);
		rf_vcpu_join_all(&run->vm);
		status = judge_end(run, text);
		rf_vm_stop(&run->vm);
	} while (status == RF_EXIT_REBOOT && !config->no_reboot);
	return status;
}

enum rf_exit rf_run_main(const struct rf_config *config)
{
	struct run *run = calloc(1, sizeof(*run));
	enum rf_exit status = RF_EXIT_ERROR;
	struct rf_error text = { "not enough memory" };

	if (!run || open_signals(run, &text) ||
	    rf_vm_create(&run->vm, config, &text))
		goto out;
	run->vm.console = rf_console_create(config, on_quit, run, &text);
	if (run->vm.console) {
		status = run_guest(run, &text);
		rf_console_destroy(run->vm.console);
	}
	rf_vm_destroy(&run->vm);
out:
	if (text.text[0])
		rf_error_say("%s", text.text);
	free(run);
	return status;
}
