// SPDX-License-Identifier: GPL-2.0
/*
 * errands.c - what the host has a thread do when it returns to user mode
 *
 * A thread whose guest never comes out by itself does it all the same, without a
 * signal; and one that has nothing to do is not sent out for nothing.
 */
#include <errno.h>
#include <linux/rseq.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "../../unit/userland/tap.h"
#include "tiny_vm.h"

#define LONG_ENOUGH		20	/* seconds */

#define KEYCTL_GET_KEYRING_ID	0
#define KEYCTL_JOIN_SESSION	1
#define KEYCTL_SESSION_TO_PARENT 18
#define SESSION_KEYRING		-3

static struct tiny_vm vm;
static volatile sig_atomic_t alarmed;

static void on_alarm(int sig)
{
	(void)sig;
	alarmed = 1;
}

static struct rseq *own_rseq(void)
{
	return (void *)((char *)__builtin_thread_pointer() + __rseq_offset);
}

static bool rseq_forget(void)
{
	return !syscall(SYS_rseq, own_rseq(), sizeof(struct rseq),
			RSEQ_FLAG_UNREGISTER, RSEQ_SIG);
}

static bool rseq_register(void)
{
	own_rseq()->cpu_id = RSEQ_CPU_ID_UNINITIALIZED;
	return !syscall(SYS_rseq, own_rseq(), sizeof(struct rseq), 0, RSEQ_SIG);
}

/* How often the guest came out before the alarm, or once if @once. */
static int run_until_alarm(unsigned int seconds, bool once)
{
	struct rf_run run = { .size = sizeof(run) };
	int nr = 0;

	alarmed = 0;
	alarm(seconds);
	do {
		EXPECT_EQ(ioctl(vm.vcpu_fd, RF_VCPU_RUN, &run), 0);
		EXPECT_EQ(run.exit_reason, RF_RUN_INTERRUPTED);
		nr++;
	} while (!alarmed && !once && !tap_failed);
	alarm(0);
	return nr;
}

/* --- cases ----------------------------------------------------------------------- */

static long session(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, SESSION_KEYRING, 0);
}

/* The parent's credentials are the parent's to change: the host leaves it to it. */
static void give_session(void)
{
	usleep(300000);
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION, NULL) < 0 ||
	    syscall(SYS_keyctl, KEYCTL_SESSION_TO_PARENT))
		_exit(1);
	_exit(0);
}

static void work_of_another_process_is_done(void)
{
	long before = session();
	int status = -1;
	pid_t child;

	EXPECT(rseq_forget());
	child = fork();
	if (!child)
		give_session();
	while (session() == before && !tap_failed) {
		run_until_alarm(LONG_ENOUGH, true);
		EXPECT(!alarmed);
	}
	EXPECT(waitpid(child, &status, 0) == child && !status);
	EXPECT(rseq_register());
}

static void a_thread_without_work_stays(void)
{
	EXPECT(rseq_forget());
	EXPECT_EQ(run_until_alarm(2, false), 1);
	EXPECT(rseq_register());
}

static struct rseq *volatile runners;
static pid_t runner_tid;
static volatile bool enough;

static void *run_guest(void *unused)
{
	struct rf_run run = { .size = sizeof(run) };

	runner_tid = syscall(SYS_gettid);
	runners = own_rseq();
	while (!enough && !ioctl(vm.vcpu_fd, RF_VCPU_RUN, &run) &&
	       run.exit_reason == RF_RUN_INTERRUPTED)
		;
	return unused;
}

static bool moved_to(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(runner_tid, sizeof(set), &set))
		return false;
	for (int i = 0; i < LONG_ENOUGH * 100; i++) {
		if (__atomic_load_n(&runners->cpu_id, __ATOMIC_RELAXED) == cpu)
			return true;
		usleep(10000);
	}
	return false;
}

/* The kernel writes a thread's area when it returns to user mode, or never. */
static void a_thread_knows_its_cpu(void)
{
	const struct rf_kill kill = { .size = sizeof(kill) };
	pthread_t runner;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		return;
	EXPECT(!pthread_create(&runner, NULL, run_guest, NULL));
	while (!runners)
		usleep(1000);
	for (int i = 0; i < 10 && !tap_failed; i++)
		EXPECT(moved_to(i % 2));
	enough = true;
	EXPECT(!ioctl(vm.vm_fd, RF_KILL, &kill));
	pthread_join(runner, NULL);
}

int main(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(work_of_another_process_is_done),
		TAP_CASE(a_thread_without_work_stays),
		TAP_CASE(a_thread_knows_its_cpu),
	};
	struct sigaction action = { .sa_handler = on_alarm };

	sigaction(SIGALRM, &action, NULL);
	if (!tiny_vm_make(&vm, tiny_spin, sizeof(tiny_spin))) {
		perror("errands");
		return 1;
	}
	return TAP_RUN(cases);
}
