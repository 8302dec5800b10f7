// SPDX-License-Identifier: GPL-2.0
/*
 * strangers.c - somebody else's VM
 *
 *	strangers			descriptors in hands they were not made for
 *	strangers attach PID		0 if it may be traced
 *	strangers plant DIR NAME TARGET	for ever: NAME.sock is a link to TARGET
 *	strangers listen PATH SAY	take one connection; status 0; say SAY, hang on
 *	strangers drip PATH [ANSWER]	take one, answer, and go on a byte a second
 *	strangers hold DIR		lock a directory for ever
 */
#include <errno.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "../../unit/userland/tap.h"
#include "tiny_vm.h"

#define STRANGER	1002

static struct tiny_vm vm;

/* --- descriptors -------------------------------------------------------------------- */

static const unsigned long vm_calls[] = {
	RF_SET_MEMORY, RF_SET_DOMAIN, RF_SET_CPUID, RF_CREATE_VCPU, RF_BIND_PORT,
	RF_GET_STATE, RF_GET_STATS, RF_KILL, RF_SAVE_STATE, RF_LOAD_STATE,
};

static const unsigned long vcpu_calls[] = {
	RF_SET_REGS, RF_VCPU_RUN, RF_GET_REGS, RF_GET_STATS,
};

static bool refused(int fd, unsigned long call)
{
	uint32_t arg[1024] = { sizeof(arg) };

	errno = 0;
	if (ioctl(fd, call, arg) == -1 && errno == EPERM)
		return true;
	printf("# %#lx: errno %d\n", call, errno);
	return false;
}

static bool all_is_refused(int vm_fd, int vcpu_fd)
{
	bool all = true;
	char byte;

	for (size_t i = 0; i < sizeof(vm_calls) / sizeof(vm_calls[0]); i++)
		all &= refused(vm_fd, vm_calls[i]);
	for (size_t i = 0; i < sizeof(vcpu_calls) / sizeof(vcpu_calls[0]); i++)
		all &= refused(vcpu_fd, vcpu_calls[i]);
	all &= read(vm_fd, &byte, 1) < 0 && write(vcpu_fd, &byte, 1) < 0;
	all &= mmap(NULL, 4096, PROT_READ, MAP_SHARED, vm_fd, 0) == MAP_FAILED;
	all &= mmap(NULL, 4096, PROT_READ, MAP_SHARED, vcpu_fd, 0) == MAP_FAILED;
	fflush(stdout);
	return all;
}

static bool become(uid_t uid)
{
	return !setgroups(0, NULL) && !setgid(uid) && !setuid(uid);
}

static bool child_says_yes(pid_t child)
{
	int status;

	return waitpid(child, &status, 0) == child && !status;
}

/* It runs for its own: the guest goes on, and nothing was changed. */
static bool still_runs(void)
{
	struct rf_run run = { .size = sizeof(run) };

	int err;

	alarm(1);
	err = ioctl(vm.vcpu_fd, RF_VCPU_RUN, &run);
	alarm(0);
	return !err && run.exit_reason == RF_RUN_INTERRUPTED;
}

static void a_fork_may_do_nothing(void)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (!child)
		_exit(!all_is_refused(vm.vm_fd, vm.vcpu_fd));
	EXPECT(child_says_yes(child));
	child = fork();
	if (!child)
		_exit(!become(STRANGER) || !all_is_refused(vm.vm_fd, vm.vcpu_fd));
	EXPECT(child_says_yes(child));
	EXPECT(still_runs());
}

union fd_message {
	char room[CMSG_SPACE(2 * sizeof(int))];
	struct cmsghdr align;
};

static bool pass(int to, const int *fds)
{
	union fd_message control = { 0 };
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof(control.room),
	};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(2 * sizeof(int));
	memcpy(CMSG_DATA(c), fds, 2 * sizeof(int));
	return sendmsg(to, &msg, 0) == 1;
}

static bool take(int from, int *fds)
{
	union fd_message control = { 0 };
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = control.room, .msg_controllen = sizeof(control.room),
	};

	if (recvmsg(from, &msg, 0) != 1 || !CMSG_FIRSTHDR(&msg))
		return false;
	memcpy(fds, CMSG_DATA(CMSG_FIRSTHDR(&msg)), 2 * sizeof(int));
	return true;
}

/* A process that had no descriptor of its own, and takes two of the VM's. */
static pid_t receiver(int pair[2], bool owner_goes_first)
{
	pid_t child;

	fflush(stdout);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair))
		return -1;
	child = fork();
	if (!child) {
		char byte;
		int fds[2];

		close(pair[1]);
		close(vm.vm_fd);
		close(vm.vcpu_fd);
		if (!become(STRANGER) || !take(pair[0], fds))
			_exit(1);
		/* Until the other end is gone. */
		while (owner_goes_first && read(pair[0], &byte, 1) > 0)
			;
		_exit(!all_is_refused(fds[0], fds[1]));
	}
	close(pair[0]);
	return child;
}

static void one_it_was_passed_to_may_do_nothing(void)
{
	const int fds[2] = { vm.vm_fd, vm.vcpu_fd };
	int pair[2];
	pid_t child = receiver(pair, false);

	EXPECT(pass(pair[1], fds));
	EXPECT(child_says_yes(child));
	EXPECT(still_runs());
	close(pair[1]);
}

/* Its memory is gone, and nobody takes its place. */
static void one_whose_owner_is_gone_may_do_nothing(void)
{
	int pair[2];
	pid_t child = receiver(pair, true), owner = fork();

	if (!owner) {
		int fds[2];

		vm = (struct tiny_vm){ 0 };
		if (!tiny_vm_make(&vm, tiny_spin, sizeof(tiny_spin)))
			_exit(1);
		fds[0] = vm.vm_fd;
		fds[1] = vm.vcpu_fd;
		_exit(!still_runs() || !pass(pair[1], fds));
	}
	EXPECT(child_says_yes(owner));
	close(pair[1]);
	EXPECT(child_says_yes(child));
	EXPECT(still_runs());
}

static void nothing(int sig)
{
	(void)sig;
}

static int test_descriptors(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(a_fork_may_do_nothing),
		TAP_CASE(one_it_was_passed_to_may_do_nothing),
		TAP_CASE(one_whose_owner_is_gone_may_do_nothing),
	};
	struct sigaction action = { .sa_handler = nothing, .sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	if (!tiny_vm_make(&vm, tiny_spin, sizeof(tiny_spin))) {
		perror("strangers");
		return 1;
	}
	return TAP_RUN(cases);
}

/* --- tools --------------------------------------------------------------------------- */

static int attach(const char *pid)
{
	return ptrace(PTRACE_SEIZE, atoi(pid), NULL, NULL) ? 1 : 0;
}

static int plant(const char *dir, const char *name, const char *target)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/planted", dir);
	snprintf(to, sizeof(to), "%s/%s.sock", dir, name);
	for (;;) {
		struct stat st;

		/* Only over a socket: where there is none, one is to be made. */
		if (lstat(to, &st) || !S_ISSOCK(st.st_mode))
			continue;
		if (symlink(target, from) && errno != EEXIST)
			return 1;
		rename(from, to);
	}
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 4)) {
		perror(path);
		exit(2);
	}
	return fd;
}

static int take_one(const char *path, const char *say)
{
	int fd = accept(listen_at(path), NULL, NULL);
	char request[128];

	if (fd < 0 || read(fd, request, sizeof(request)) < 0 ||
	    write(fd, say, strlen(say)) < 0)
		return 1;
	return 0;
}

static int drip(const char *path, const char *say)
{
	int fd = accept(listen_at(path), NULL, NULL);

	if (write(fd, say, strlen(say)) < 0)
		return 1;
	while (write(fd, " ", 1) == 1)
		sleep(1);
	return 0;
}

static int hold(const char *dir)
{
	if (flock(open(dir, O_RDONLY), LOCK_EX))
		return 1;
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (argc == 1)
		return test_descriptors();
	if (!strcmp(what, "attach") && argc == 3)
		return attach(argv[2]);
	if (!strcmp(what, "plant") && argc == 5)
		return plant(argv[2], argv[3], argv[4]);
	if (!strcmp(what, "listen") && argc == 4)
		return take_one(argv[2], argv[3]);
	if (!strcmp(what, "drip") && (argc == 3 || argc == 4))
		return drip(argv[2], argc == 4 ? argv[3] : "");
	if (!strcmp(what, "hold") && argc == 3)
		return hold(argv[2]);
	return 2;
}
