// SPDX-License-Identifier: GPL-2.0
/*
 * run.c - ringfence run: one guest from its first start to its last end
 *
 *	main thread	signals, control socket, the guest's store, the end
 *	vcpuN threads	RF_VCPU_RUN (vcpu.c)
 *	console thread	the ring and the people at it (console.c)
 *	serial thread	the same for an emulated serial port (serial.c)
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

#include <cjson/cJSON.h>

#include "balloon.h"
#include "ctl.h"
#include "event.h"
#include "json.h"
#include "report.h"
#include "rf_api.h"
#include "run.h"
#include "sandbox.h"
#include "vm.h"
#include "xen_start_info.h"

struct run {
	struct rf_vm vm;
	struct rf_ctl *ctl;
	int signal_fd;
	int quit_fd;		/* eventfd: ^] ^] was typed */
	bool kill_asked;
};

static void on_quit(void *ctx)
{
	struct run *run = ctx;

	rf_event_signal(run->quit_fd);
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

static void kill_guest(struct run *run)
{
	run->kill_asked = true;
	rf_api_kill(run->vm.vm_fd);
}

static int do_console(struct run *run, struct cJSON *answer, int fd,
		      struct rf_error *err)
{
	if (rf_console_has_room(run->vm.console, err))
		return -1;
	/* The answer goes first: after it, the socket carries the console. */
	rf_ctl_answer(fd, answer);
	rf_console_attach(run->vm.console, fd);
	return RF_CTL_GIVEN_AWAY;
}

static int do_pause(struct run *run, struct rf_error *err)
{
	if (rf_vm_pause(&run->vm)) {
		rf_vm_resume(&run->vm);
		return rf_error_set(err, "a vCPU does not come out; the guest "
					 "goes on");
	}
	return RF_CTL_CLOSE;
}

/* The connection stays, and hears how the guest ended. */
static int do_shutdown(struct run *run, const char *what, struct cJSON *answer,
		       struct rf_error *err)
{
	struct rf_domain *domain = &run->vm.domain;

	if (run->vm.paused)
		return rf_error_set(err, "it is paused, and cannot shut down; "
					 "use 'ringfence resume' first, or "
					 "'ringfence kill'");
	if (rf_domain_ask(domain, what, err))
		return -1;
	cJSON_AddStringToObject(answer, "asked", what);
	cJSON_AddBoolToObject(answer, "listens", rf_domain_listens(domain));
	return RF_CTL_KEEP;
}

static const char *text_in(const struct rf_ctl_request *request,
			   const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItem(request->members, name));
}

/* Who asks has opened it, and passes it on: nothing can be opened here. */
static int do_attach(struct run *run, struct rf_ctl_request *request,
		     struct cJSON *answer, struct rf_error *err)
{
	const char *text = text_in(request, "disk");
	struct rf_disk_spec spec;
	int fd = request->passed;

	if (!text || fd < 0)
		return rf_error_set(err, "attach-disk: send \"disk\" and an open descriptor");
	if (rf_disk_spec_parse(&spec, text, err))
		return -1;
	request->passed = -1;
	if (rf_disks_add(&run->vm.disks, &spec, fd, err))
		return -1;
	rf_disks_report(&run->vm.disks, cJSON_AddArrayToObject(answer, "disks"));
	return RF_CTL_CLOSE;
}

static int do_detach(struct run *run, struct rf_ctl_request *request,
		     struct cJSON *answer, struct rf_error *err)
{
	const char *which = text_in(request, "disk");
	bool force = cJSON_IsTrue(cJSON_GetObjectItem(request->members, "force"));

	if (!which)
		return rf_error_set(err, "detach-disk: which \"disk\"?");
	return rf_disks_remove(&run->vm.disks, which, force, answer, err) ?
		       -1 : RF_CTL_CLOSE;
}

/* Verbs about disks; 0 if it is none. */
static int handle_disks(struct run *run, struct rf_ctl_request *request,
			struct cJSON *answer, struct rf_error *err, int *after)
{
	if (!strcmp(request->verb, "attach-disk")) {
		*after = do_attach(run, request, answer, err);
	} else if (!strcmp(request->verb, "detach-disk")) {
		*after = do_detach(run, request, answer, err);
	} else if (!strcmp(request->verb, "disks")) {
		rf_disks_report(&run->vm.disks,
				cJSON_AddArrayToObject(answer, "disks"));
		*after = RF_CTL_CLOSE;
	} else {
		return 0;
	}
	return 1;
}

/* With "keep", bytes: ask the guest for the rest. */
static int do_balloon(struct run *run, struct rf_ctl_request *request,
		      struct cJSON *answer, struct rf_error *err)
{
	const struct cJSON *keep = cJSON_GetObjectItem(request->members, "keep");
	double bytes = cJSON_GetNumberValue(keep);

	if (keep && !(bytes >= 0 && bytes < 1e15))
		return rf_error_set(err, "balloon: \"keep\" is a number of bytes");
	if (keep && rf_balloon_set(&run->vm, bytes, err))
		return -1;
	return rf_balloon_report(&run->vm, answer, err) ? -1 : RF_CTL_CLOSE;
}

/* With "online", a number: ask the guest to use so many. */
static int do_vcpus(struct run *run, struct rf_ctl_request *request,
		    struct cJSON *answer, struct rf_error *err)
{
	const struct cJSON *online = cJSON_GetObjectItem(request->members, "online");
	double nr = cJSON_GetNumberValue(online);
	struct rf_vm *vm = &run->vm;

	if (online && !(nr >= 0 && nr <= RF_MAX_VCPUS && nr == (unsigned int)nr))
		return rf_error_set(err, "vcpus: \"online\" is a number of vCPUs");
	if (online && vm->paused)
		return rf_error_set(err, "it is paused, and cannot hear; use "
					 "'ringfence resume' first");
	if (online && rf_domain_want_vcpus(&vm->domain, nr, vm->nr_vcpus, err))
		return -1;
	return rf_report_vcpus(vm, answer, err) ? -1 : RF_CTL_CLOSE;
}

static int handle(void *ctx, struct rf_ctl_request *request,
		  struct cJSON *answer, struct rf_error *err)
{
	const char *verb = request->verb;
	struct run *run = ctx;
	int after;

	if (!strcmp(verb, "info")) {
		rf_report_info(&run->vm, answer);
		return RF_CTL_CLOSE;
	}
	if (!strcmp(verb, "stats"))
		return rf_report_stats(&run->vm, answer, err);
	if (!strcmp(verb, "console"))
		return do_console(run, answer, request->fd, err);

	cJSON_AddStringToObject(answer, "name", run->vm.name);
	if (handle_disks(run, request, answer, err, &after))
		return after;
	if (!strcmp(verb, "pause"))
		return do_pause(run, err);
	if (!strcmp(verb, "resume")) {
		rf_vm_resume(&run->vm);
		return RF_CTL_CLOSE;
	}
	if (!strcmp(verb, "kill")) {
		kill_guest(run);
		return RF_CTL_KEEP;
	}
	if (!strcmp(verb, "balloon"))
		return do_balloon(run, request, answer, err);
	if (!strcmp(verb, "vcpus"))
		return do_vcpus(run, request, answer, err);
	if (!strcmp(verb, "stop"))
		return do_shutdown(run, "poweroff", answer, err);
	if (!strcmp(verb, "reboot"))
		return do_shutdown(run, "reboot", answer, err);
	return rf_error_set(err, "its launcher does not know '%.40s'", verb);
}

enum { POLL_END, POLL_SIGNAL, POLL_QUIT, POLL_STORE, POLL_CTL };

/* Until the guest has ended, for whatever reason. */
static void wait_for_end(struct run *run)
{
	struct pollfd polls[POLL_CTL + RF_CTL_NR_POLLS] = {
		[POLL_END] = { .fd = run->vm.ended_fd, .events = POLLIN },
		[POLL_SIGNAL] = { .fd = run->signal_fd, .events = POLLIN },
		[POLL_QUIT] = { .fd = run->quit_fd, .events = POLLIN },
	};

	while (!run->kill_asked) {
		polls[POLL_STORE] = (struct pollfd){
			rf_domain_fd(&run->vm.domain), POLLIN, 0
		};
		rf_ctl_prepare(run->ctl, &polls[POLL_CTL]);
		if (poll(polls, sizeof(polls) / sizeof(polls[0]),
			 rf_balloon_due(&run->vm)) < 0)
			continue;
		if (polls[POLL_END].revents)
			return;
		if (polls[POLL_SIGNAL].revents || polls[POLL_QUIT].revents) {
			kill_guest(run);
			return;
		}
		if (polls[POLL_STORE].revents)
			rf_domain_serve(&run->vm.domain, run->vm.name);
		rf_balloon_tick(&run->vm);
		rf_ctl_serve(run->ctl, &polls[POLL_CTL]);
	}
}

static enum rf_exit judge_shutdown(struct rf_vm *vm, unsigned int reason,
				   struct rf_error *text)
{
	switch (reason) {
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
				   "ringfence does not have", vm->name, reason);
		return RF_EXIT_CRASH;
	}
}

/* How it ended, and what to tell about it; the text is empty if nothing. */
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
		rf_error_set(text, "%s: the module does not say how it ended: "
				   "%s", vm->name, strerror(-ret));
		return RF_EXIT_ERROR;
	}
	switch (state.state) {
	case RF_STATE_SHUTDOWN:
		return judge_shutdown(vm, state.reason, text);
	case RF_STATE_DEAD:
		rf_error_set(text, "%s: killed by the module: %.*s", vm->name,
			     RF_REASON_LEN, state.text);
		rf_report_regs(vm);
		return RF_EXIT_GUEST_KILLED;
	default:
		rf_error_set(text, "%s: %.300s", vm->name,
			     vm->failure.text);
		return RF_EXIT_ERROR;
	}
}

static const char *name_of(enum rf_exit status)
{
	static const char *const names[] = {
		[RF_EXIT_POWEROFF] = "poweroff",
		[RF_EXIT_ERROR] = "error",
		[RF_EXIT_USAGE] = "usage",
		[RF_EXIT_REBOOT] = "reboot",
		[RF_EXIT_CRASH] = "crash",
		[RF_EXIT_GUEST_KILLED] = "killed by the module",
		[RF_EXIT_KILLED] = "killed",
	};

	return names[status];
}

/* Tell who asked for the end how it came. */
static void tell_end(struct run *run, enum rf_exit status, bool goes_on)
{
	cJSON *news = cJSON_CreateObject();

	cJSON_AddStringToObject(news, "result", name_of(status));
	rf_ctl_tell(run->ctl, news, goes_on);
	cJSON_Delete(news);
}

/* Reboots included. */
static enum rf_exit run_guest(struct run *run, struct rf_error *text)
{
	const struct rf_config *config = run->vm.config;
	enum rf_exit status;
	bool goes_on;

	do {
		if (rf_vm_start(&run->vm, text))
			return RF_EXIT_ERROR;
		wait_for_end(run);
		rf_vcpu_join_all(&run->vm);
		rf_console_disconnect(run->vm.console);
		status = judge_end(run, text);
		goes_on = status == RF_EXIT_REBOOT && !config->no_reboot;
		tell_end(run, status, goes_on);
		rf_vm_stop(&run->vm);
	} while (goes_on);
	return status;
}

/* Everything that needs privileges or opens something. */
static int set_up(struct run *run, const struct rf_config *config,
		  struct rf_error *err)
{
	uid_t uid;
	gid_t gid;

	if (rf_sandbox_find_user(config->user, &uid, &gid, err) ||
	    open_signals(run, err) || rf_vm_create(&run->vm, config, err))
		return -1;
	run->vm.console = rf_console_create(config, on_quit, run, err);
	if (!run->vm.console)
		goto err_vm;
	run->ctl = rf_ctl_create(config->run_dir, run->vm.name, uid, handle,
				 run, err);
	if (!run->ctl)
		goto err_console;
	if (rf_sandbox_enter(uid, gid, config->seccomp, err) ||
	    rf_io_start(run->vm.io, err) ||
	    rf_console_start(run->vm.console, err))
		goto err_ctl;
	return 0;

err_ctl:
	rf_ctl_destroy(run->ctl);
err_console:
	rf_console_destroy(run->vm.console);
err_vm:
	rf_vm_destroy(&run->vm);
	return -1;
}

static void report_result(const struct run *run, enum rf_exit status,
			  const struct rf_error *text)
{
	cJSON *answer = cJSON_CreateObject();

	cJSON_AddStringToObject(answer, "name", run->vm.name);
	cJSON_AddStringToObject(answer, "result", name_of(status));
	cJSON_AddNumberToObject(answer, "status", status);
	cJSON_AddNumberToObject(answer, "starts", run->vm.nr_starts);
	cJSON_AddStringToObject(answer, "text", text->text);
	rf_json_print(answer, true);
}

enum rf_exit rf_run_main(const struct rf_config *config)
{
	struct run *run = calloc(1, sizeof(*run));
	enum rf_exit status = RF_EXIT_ERROR;
	struct rf_error text = { "not enough memory" };

	if (!run) {
		rf_error_say("%s", text.text);
		return status;
	}
	if (!set_up(run, config, &text)) {
		status = run_guest(run, &text);
		/* Who waits for the end sees it once all output is out. */
		rf_console_destroy(run->vm.console);
		rf_vm_destroy(&run->vm);
		rf_ctl_destroy(run->ctl);
	}
	if (text.text[0])
		rf_error_say("%s", text.text);
	if (config->json)
		report_result(run, status, &text);
	free(run);
	return status;
}
