// SPDX-License-Identifier: GPL-2.0
/*
 * prod.c - a debugger that cannot leave a launcher alone
 *
 *	prod PID ROUNDS
 *
 * In each round every thread of the process is seized, stopped, looked at, given a
 * breakpoint of its own, let run, stopped again and let go.  Threads that run vCPUs
 * are to have no area for restartable sequences.
 */
#include <dirent.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <elf.h>
#include <unistd.h>

#define MOST_THREADS	64
#define RUN_US		20000

/* An address that is never executed: the breakpoint is only carried around. */
#define NOWHERE		0x10000UL
#define DR7_EXECUTE_0	1UL

static pid_t threads[MOST_THREADS];
static int nr_threads, nr_vcpus;

static int seize_all(const char *pid)
{
	char path[64];
	struct dirent *entry;
	DIR *dir;

	nr_threads = 0;
	snprintf(path, sizeof(path), "/proc/%s/task", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir)) && nr_threads < MOST_THREADS) {
		pid_t tid = atoi(entry->d_name);

		if (tid && !ptrace(PTRACE_SEIZE, tid, NULL, NULL))
			threads[nr_threads++] = tid;
	}
	closedir(dir);
	return nr_threads ? 0 : -1;
}

static int stop(pid_t tid)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, tid, NULL, NULL))
		return -1;
	return waitpid(tid, &status, __WALL) == tid && WIFSTOPPED(status) ? 0 : -1;
}

static int set_debugreg(pid_t tid, int nr, unsigned long value)
{
	return ptrace(PTRACE_POKEUSER, tid, offsetof(struct user, u_debugreg[nr]), value);
}

static int look_at(pid_t tid)
{
	static char xstate[16384];
	struct iovec iov = { xstate, sizeof(xstate) };
	struct user_regs_struct regs;

	return ptrace(PTRACE_GETREGS, tid, NULL, &regs) ||
	       ptrace(PTRACE_GETREGSET, tid, NT_X86_XSTATE, &iov) ||
	       ptrace(PTRACE_SETREGSET, tid, NT_X86_XSTATE, &iov);
}

/* The host would have it come out of the guest each time it was off its CPU. */
static int has_rseq(const char *pid, pid_t tid)
{
	struct __ptrace_rseq_configuration rseq;
	char path[64], name[16] = "";
	FILE *comm;

	snprintf(path, sizeof(path), "/proc/%s/task/%d/comm", pid, tid);
	comm = fopen(path, "r");
	if (!comm || !fgets(name, sizeof(name), comm))
		return -1;
	fclose(comm);
	if (strncmp(name, "vcpu", 4))
		return 0;
	nr_vcpus++;
	if (ptrace(PTRACE_GET_RSEQ_CONFIGURATION, tid, sizeof(rseq), &rseq) < 0)
		return -1;
	if (!rseq.rseq_abi_pointer)
		return 0;
	errno = EEXIST;
	return -1;
}

static int prod(const char *pid)
{
	if (seize_all(pid))
		return -1;
	for (int i = 0; i < nr_threads; i++)
		if (stop(threads[i]) || look_at(threads[i]) || has_rseq(pid, threads[i]) ||
		    set_debugreg(threads[i], 0, NOWHERE) ||
		    set_debugreg(threads[i], 7, DR7_EXECUTE_0) ||
		    ptrace(PTRACE_CONT, threads[i], NULL, NULL))
			return -1;
	usleep(RUN_US);
	for (int i = 0; i < nr_threads; i++)
		if (stop(threads[i]) || set_debugreg(threads[i], 7, 0) ||
		    ptrace(PTRACE_DETACH, threads[i], NULL, NULL))
			return -1;
	usleep(RUN_US);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	for (int round = 0; round < atoi(argv[2]); round++)
		if (prod(argv[1])) {
			perror("prod");
			return 1;
		}
	printf("# prodded %d threads\n", nr_threads);
	return nr_vcpus ? 0 : 1;
}
