// SPDX-License-Identifier: GPL-2.0
/*
 * sandbox.c - user, capabilities, no_new_privs, seccomp
 *
 * The kernel image is unpacked and guests are served in here.  Files, the
 * device and the control socket are open by then; nothing can be opened,
 * connected to or executed any more.
 */
#include <errno.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cap-ng.h>
#include <seccomp.h>

#include "ringfence.h"
#include "sandbox.h"

#ifndef PR_SET_VMA
#define PR_SET_VMA	0x53564d41
#endif

int rf_sandbox_find_user(const char *user, uid_t *uid, gid_t *gid,
			 struct rf_error *err)
{
	struct passwd *pw;

	*uid = geteuid();
	*gid = getegid();
	if (!user)
		return 0;
	if (*uid)
		return rf_error_set(err, "--user %s: only root can become "
					 "somebody else", user);
	pw = getpwnam(user);
	if (!pw)
		return rf_error_set(err, "--user %s: there is no such user",
				    user);
	*uid = pw->pw_uid;
	*gid = pw->pw_gid;
	return 0;
}

static int drop_privileges(uid_t uid, gid_t gid, struct rf_error *err)
{
	int ret;

	capng_clear(CAPNG_SELECT_BOTH);
	if (uid != geteuid()) {
		ret = capng_change_id(uid, gid, CAPNG_DROP_SUPP_GRP |
						CAPNG_CLEAR_BOUNDING);
		if (ret)
			return rf_error_set(err, "cannot become user %u "
						 "(libcap-ng error %d)",
					    uid, ret);
	} else if (capng_apply(uid ? CAPNG_SELECT_CAPS : CAPNG_SELECT_BOTH)) {
		return rf_error_set(err, "cannot drop capabilities: %s",
				    strerror(errno));
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return rf_error_set(err, "cannot forbid new privileges: %s",
				    strerror(errno));
	return 0;
}

/* Whatever their arguments. */
static const int allowed[] = {
	/* Files that are open. */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(fdatasync),
	SCMP_SYS(close), SCMP_SYS(lseek), SCMP_SYS(fstat),
	SCMP_SYS(newfstatat), SCMP_SYS(fallocate), SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* The control socket. */
	SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(getsockopt),
	SCMP_SYS(shutdown), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
	/* Memory. */
	SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(brk),
	/* Threads and signals. */
	SCMP_SYS(futex), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(tgkill),
	SCMP_SYS(gettid), SCMP_SYS(getpid), SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
	SCMP_SYS(getrandom), SCMP_SYS(getuid), SCMP_SYS(geteuid),
	/* Time. */
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time),
};

/* A sane launcher never tries these: whoever does is to die. */
static const int deadly[] = {
	SCMP_SYS(execve), SCMP_SYS(execveat), SCMP_SYS(ptrace),
	SCMP_SYS(process_vm_readv), SCMP_SYS(process_vm_writev),
	SCMP_SYS(fork), SCMP_SYS(vfork),
};

/* Allowed if one argument is right: no new code, no new processes. */
static const struct condition {
	int call;
	struct scmp_arg_cmp arg;
} conditions[] = {
	{ SCMP_SYS(ioctl),	/* the module's, all of them */
	  { 1, SCMP_CMP_MASKED_EQ, 0xffffff00, RF_IOCTL_TYPE << 8 } },
	{ SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, TCGETS, 0 } },
	{ SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, TCSETSW, 0 } },
	{ SCMP_SYS(ioctl), { 1, SCMP_CMP_EQ, TIOCGWINSZ, 0 } },
	{ SCMP_SYS(mmap), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(mprotect), { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 } },
	{ SCMP_SYS(clone),
	  { 0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD } },
	{ SCMP_SYS(prctl), { 0, SCMP_CMP_EQ, PR_SET_NAME, 0 } },
	{ SCMP_SYS(prctl), { 0, SCMP_CMP_EQ, PR_SET_VMA, 0 } },
};

static int add_conditions(scmp_filter_ctx filter)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(conditions) / sizeof(conditions[0]);
	     i++)
		ret = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW,
					     conditions[i].call, 1,
					     &conditions[i].arg);
	if (ret)
		return ret;
	/* Its flags are out of sight; the C library then falls back to clone. */
	return seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS),
				SCMP_SYS(clone3), 0);
}

static int add_rules(scmp_filter_ctx filter)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(allowed) / sizeof(int); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	for (size_t i = 0; !ret && i < sizeof(deadly) / sizeof(int); i++)
		ret = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS,
				       deadly[i], 0);
	return ret ? ret : add_conditions(filter);
}

static int filter_load(struct rf_error *err)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret;

	if (!filter)
		return rf_error_set(err, "cannot make a system call filter");
	ret = add_rules(filter);
	if (!ret)
		ret = seccomp_load(filter);
	seccomp_release(filter);
	if (ret)
		return rf_error_set(err, "cannot confine the launcher: %s; if "
					 "this host has no seccomp, use "
					 "--seccomp off", strerror(-ret));
	return 0;
}

int rf_sandbox_enter(uid_t uid, gid_t gid, bool seccomp, struct rf_error *err)
{
	if (drop_privileges(uid, gid, err))
		return -1;
	return seccomp ? filter_load(err) : 0;
}
