// SPDX-License-Identifier: GPL-2.0
/*
 * vcpu.c - one thread a vCPU: run, serve the exit, run again
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "event.h"
#include "io.h"
#include "rf_api.h"
#include "vm.h"

/* A kick between the look at a flag and the ioctl is lost: kick again. */
#define KICK_INTERVAL_NS	(10 * 1000 * 1000)
#define PAUSE_SECONDS		10

static void nothing(int sig)
{
	(void)sig;
}

/* Park while the VM is paused.  Return: false if the thread is to end. */
static bool vcpu_may_run(struct rf_vm *vm)
{
	bool may;

	pthread_mutex_lock(&vm->lock);
	if (vm->paused && !vm->ending) {
		vm->nr_parked++;
		pthread_cond_broadcast(&vm->changed);
		while (vm->paused && !vm->ending)
			pthread_cond_wait(&vm->changed, &vm->lock);
		vm->nr_parked--;
	}
	may = !vm->ending;
	pthread_mutex_unlock(&vm->lock);
	return may;
}

static void vcpu_failed(struct rf_vcpu *vcpu, int err)
{
	struct rf_vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->lock);
	if (!vm->failure.text[0])
		rf_error_set(&vm->failure, "vCPU %u cannot run: %s", vcpu->id,
			     strerror(err));
	pthread_mutex_unlock(&vm->lock);
}

/* Return: false if that was the end. */
static bool vcpu_run_once(struct rf_vcpu *vcpu, struct rf_run *run)
{
	int ret = rf_api_run(vcpu->fd, run);

	if (ret == -EINTR)
		return true;
	if (ret < 0) {
		vcpu_failed(vcpu, -ret);
		return false;
	}
	switch (run->exit_reason) {
	case RF_RUN_IO:
		rf_io_serve(vcpu->vm->io, run);
		return true;
	case RF_RUN_CONSOLE:
		rf_console_write(vcpu->vm->console, (const char *)run->data,
				 run->len < RF_RUN_DATA ? run->len :
							  RF_RUN_DATA);
		return true;
	case RF_RUN_ENDED:
		return false;
	default:
		return true;
	}
}

/*
 * With the C library's area for restartable sequences the host has the thread
 * return to user mode, to write the CPU's number there, each time it has slept.
 */
static void forget_rseq(void)
{
	char *area = (char *)__builtin_thread_pointer() + __rseq_offset;

	if (__rseq_size)
		syscall(SYS_rseq, area, sizeof(struct rseq), RSEQ_FLAG_UNREGISTER,
			RSEQ_SIG);
}

static void *vcpu_main(void *arg)
{
	struct rf_vcpu *vcpu = arg;
	struct rf_vm *vm = vcpu->vm;
	struct rf_run run = { .size = sizeof(run) };
	char name[16];

	/* For ps and top. */
	snprintf(name, sizeof(name), "vcpu%u", vcpu->id);
	prctl(PR_SET_NAME, name);
	forget_rseq();

	while (vcpu_may_run(vm))
		if (!vcpu_run_once(vcpu, &run))
			break;

	pthread_mutex_lock(&vm->lock);
	vm->nr_alive--;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
	rf_event_signal(vm->ended_fd);
	return NULL;
}

int rf_vcpu_start(struct rf_vcpu *vcpu, struct rf_error *err)
{
	struct sigaction action = { .sa_handler = nothing };
	int ret;

	sigaction(SIGUSR1, &action, NULL);
	pthread_mutex_lock(&vcpu->vm->lock);
	ret = pthread_create(&vcpu->thread, NULL, vcpu_main, vcpu);
	if (!ret) {
		vcpu->started = true;
		vcpu->vm->nr_alive++;
	}
	pthread_mutex_unlock(&vcpu->vm->lock);
	if (ret)
		return rf_error_set(err, "cannot start a thread for vCPU %u: %s",
				    vcpu->id, strerror(ret));
	return 0;
}

static void kick_all(struct rf_vm *vm)
{
	for (unsigned int i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i].started)
			pthread_kill(vm->vcpus[i].thread, SIGUSR1);
}

static void wait_a_little(struct rf_vm *vm)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += KICK_INTERVAL_NS;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&vm->changed, &vm->lock, &until);
}

void rf_vcpu_join_all(struct rf_vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->ending = true;
	pthread_cond_broadcast(&vm->changed);
	while (vm->nr_alive) {
		kick_all(vm);
		wait_a_little(vm);
	}
	pthread_mutex_unlock(&vm->lock);

	for (unsigned int i = 0; i < vm->nr_vcpus; i++) {
		struct rf_vcpu *vcpu = &vm->vcpus[i];

		if (vcpu->started)
			pthread_join(vcpu->thread, NULL);
		vcpu->started = false;
	}
}

int rf_vm_pause(struct rf_vm *vm)
{
	time_t until = time(NULL) + PAUSE_SECONDS;
	int ret;

	pthread_mutex_lock(&vm->lock);
	vm->paused = true;
	while (vm->nr_parked < vm->nr_alive && time(NULL) < until) {
		kick_all(vm);
		wait_a_little(vm);
	}
	ret = vm->nr_parked < vm->nr_alive;
	pthread_mutex_unlock(&vm->lock);
	return ret;
}

void rf_vm_resume(struct rf_vm *vm)
{
	pthread_mutex_lock(&vm->lock);
	vm->paused = false;
	pthread_cond_broadcast(&vm->changed);
	pthread_mutex_unlock(&vm->lock);
}
