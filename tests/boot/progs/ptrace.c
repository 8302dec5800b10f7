// SPDX-License-Identifier: GPL-2.0
/*
 * ptrace.c - what a debugger can do: registers, steps, breakpoints
 *
 * Prints what it sees, to be compared with what the bare machine prints.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <elf.h>

static volatile long watched;

__attribute__((noinline)) static void landmark(void)
{
	asm volatile("nop");
}

static pid_t start(void (*fn)(void))
{
	pid_t pid;
	int status;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		fn();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return pid;
}

static int go_on(pid_t pid, long how, int sig)
{
	int status;

	if (ptrace(how, pid, NULL, (void *)(long)sig))
		return -1;
	waitpid(pid, &status, 0);
	return status;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void do_syscalls(void)
{
	syscall(SYS_getppid);
	syscall(SYS_getuid);
}

static void syscalls(void)
{
	pid_t pid = start(do_syscalls);

	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	for (;;) {
		struct user_regs_struct regs;
		int status = go_on(pid, PTRACE_SYSCALL, 0);

		if (status < 0 || WIFEXITED(status))
			break;
		if (WSTOPSIG(status) != (SIGTRAP | 0x80))
			continue;
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		if (regs.orig_rax != SYS_getuid)
			continue;
		printf("syscall stop: rax %lld cs %#llx ss %#llx\n",
		       (long long)regs.rax, regs.cs, regs.ss);
		/* Change the result on the way out. */
		if ((long)regs.rax != -ENOSYS)
			ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 77L);
	}
}

static void do_steps(void)
{
	asm volatile("nop\n\tnop\n\tcpuid" ::"a" (0) : "rbx", "rcx", "rdx");
	asm volatile("mov $39, %%eax\n\tsyscall" ::: "rax", "rcx", "r11", "memory");
	asm volatile("pushfq\n\tpopfq\n\tnop");
}

static void steps(void)
{
	pid_t pid = start(do_steps);
	int n = 0, in_fn = 0, status;

	do {
		struct user_regs_struct regs;

		status = go_on(pid, PTRACE_SINGLESTEP, 0);
		if (status < 0 || !WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		in_fn += regs.rip >= (unsigned long)do_steps &&
			 regs.rip < (unsigned long)do_steps + 64;
	} while (++n < 200000);
	printf("steps in the function: %d, exited %d\n", in_fn,
	       status >= 0 && WIFEXITED(status));
}

static void do_watch(void)
{
	for (int i = 0; i < 3; i++) {
		landmark();
		watched = i;
	}
}

static long set_dr(pid_t pid, int nr, unsigned long value)
{
	return ptrace(PTRACE_POKEUSER, pid,
		      offsetof(struct user, u_debugreg[0]) + nr * sizeof(long), value);
}

static void breakpoints(void)
{
	pid_t pid = start(do_watch);

	/* DR0: execution of landmark(); DR1: eight bytes written. */
	printf("set dr: %ld %ld %ld\n", set_dr(pid, 0, (unsigned long)landmark),
	       set_dr(pid, 1, (unsigned long)&watched),
	       set_dr(pid, 7, 0x5 | (0x9UL << 20)));
	for (;;) {
		int status = go_on(pid, PTRACE_CONT, 0);
		siginfo_t si = { };
		long dr6;

		if (status < 0 || !WIFSTOPPED(status))
			break;
		ptrace(PTRACE_GETSIGINFO, pid, NULL, &si);
		dr6 = ptrace(PTRACE_PEEKUSER, pid,
			     offsetof(struct user, u_debugreg[0]) + 6 * sizeof(long), NULL);
		printf("stop: signal %d code %d dr6 %#lx\n", WSTOPSIG(status),
		       si.si_code, dr6 & 0xf);
	}
	pid = start(do_watch);
	errno = 0;
	printf("kernel address in dr: %ld", set_dr(pid, 0, 0xffffffff81000000UL));
	printf(" errno %d\n", errno);
	end(pid);
}

static void do_int3(void)
{
	asm volatile("int3");
	landmark();
}

static void traps(void)
{
	pid_t pid = start(do_int3);
	int status = go_on(pid, PTRACE_CONT, 0);
	siginfo_t si = { };

	ptrace(PTRACE_GETSIGINFO, pid, NULL, &si);
	printf("int3: signal %d code %d\n", WSTOPSIG(status), si.si_code);
	status = go_on(pid, PTRACE_CONT, 0);
	printf("after int3: exited %d\n", WIFEXITED(status));
}

static void do_nothing(void)
{
	for (;;)
		asm volatile("");
}

/* Values a debugger must not be able to load. */
static void bad_registers(void)
{
	static const struct {
		const char *name;
		size_t offset;
		unsigned long value;
	} pokes[] = {
		{ "cs", offsetof(struct user, regs.cs), 0x10 },
		{ "ss", offsetof(struct user, regs.ss), 0x18 },
		{ "ds", offsetof(struct user, regs.ds), 0x7777 },
		{ "fs_base", offsetof(struct user, regs.fs_base), 0xffff800000000000UL },
		{ "gs_base", offsetof(struct user, regs.gs_base), 0xffffffff81000000UL },
		{ "rip", offsetof(struct user, regs.rip), 0x8000000000000000UL },
		{ "flags", offsetof(struct user, regs.eflags), 0xffffffff },
	};

	for (size_t i = 0; i < sizeof(pokes) / sizeof(*pokes); i++) {
		pid_t pid = start(do_nothing);
		struct user_regs_struct regs;
		int status;
		long ret;

		errno = 0;
		ret = ptrace(PTRACE_POKEUSER, pid, pokes[i].offset, pokes[i].value);
		printf("poke %s: %ld errno %d", pokes[i].name, ret, errno);
		ptrace(PTRACE_GETREGS, pid, NULL, &regs);
		printf(" flags %#llx", regs.eflags & 0x3f7d00);
		kill(pid, SIGUSR1);
		status = go_on(pid, PTRACE_CONT, 0);
		printf(" then signal %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : -1);
		end(pid);
	}
}

static void do_fp(void)
{
	static const double x = 1.25;

	asm volatile("movsd %0, %%xmm9\n\tmovsd %0, %%xmm3\n\tint3\n\t"
		     "ucomisd %0, %%xmm9\n\tje 1f\n\tud2\n1:" :: "m" (x) : "xmm9", "xmm3");
}

static void fp_registers(void)
{
	pid_t pid = start(do_fp);
	struct user_fpregs_struct fp;
	int status = go_on(pid, PTRACE_CONT, 0);

	ptrace(PTRACE_GETFPREGS, pid, NULL, &fp);
	printf("fp: signal %d xmm3 %#x %#x mxcsr %#x\n", WSTOPSIG(status),
	       fp.xmm_space[12], fp.xmm_space[13], fp.mxcsr);
	fp.xmm_space[12] = 1;
	printf("set fp: %ld\n", ptrace(PTRACE_SETFPREGS, pid, NULL, &fp));
	status = go_on(pid, PTRACE_CONT, 0);
	printf("fp end: exited %d\n", WIFEXITED(status));
}

int main(void)
{
	syscalls();
	steps();
	breakpoints();
	traps();
	bad_registers();
	fp_registers();
	return 0;
}
