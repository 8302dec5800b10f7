// SPDX-License-Identifier: GPL-2.0
/*
 * cpuid_fault_test.c - CPUID faults in guests, and in those programs of the host
 * that have asked for it, and nowhere else
 *
 * Two CPUs and a few tasks in miniature, with Linux's own writes of the MSR.
 * Emulators cannot have CPUID fault, so this is where it is tested.
 *
 * Flags: -Itests/unit/include
 * Sources: host-module/switcher/cpuid_fault.c
 */
#include <stdlib.h>
#include <string.h>

#include "host-module/switcher/cpuid_fault.h"
#include "userland/tap.h"

#define NR_CORES	2
#define NR_TASKS	6

enum where { USER, KERNEL };

struct task {
	bool wants;		/* TIF_NOCPUID */
	bool has_vcpu;
	bool is_kthread;
	int core;		/* or -1 */
	enum where where;
	bool in_run;		/* this system call is RF_VCPU_RUN */
	u64 switches;
};

struct core {
	bool bit;
	bool notifier;
	int current;
	struct rf_cpuid_fault fault;
};

static struct task tasks[NR_TASKS];
static struct core cores[NR_CORES];
static unsigned int nr_writes, nr_entries, nr_wrong_guests, nr_wrong_users;

static void start(void)
{
	int i;

	memset(cores, 0, sizeof(cores));
	memset(tasks, 0, sizeof(tasks));
	nr_writes = 0;
	nr_entries = 0;
	nr_wrong_guests = 0;
	nr_wrong_users = 0;
	/* 0 and 1 idle; 2 and 3 run vCPUs, one of them wants; 4 wants, 5 not. */
	for (i = 0; i < NR_TASKS; i++)
		tasks[i] = (struct task){
			.is_kthread = i < 2, .has_vcpu = i == 2 || i == 3,
			.wants = i == 3 || i == 4, .where = KERNEL,
			.core = i < 2 ? i : -1,
		};
	for (i = 0; i < NR_CORES; i++)
		cores[i].current = i;
}

/* __switch_to_xtra() */
static void switch_to(struct core *core, int next)
{
	struct task *prev = &tasks[core->current];

	if (tasks[next].core >= 0)
		return;
	prev->switches++;
	prev->core = -1;
	if (prev->wants != tasks[next].wants)
		core->bit = tasks[next].wants;
	core->current = next;
	tasks[next].core = (int)(core - cores);
}

/* The user-return notifier, and then the user. */
static void return_to_user(struct core *core)
{
	struct task *task = &tasks[core->current];

	if (task->is_kthread)
		return;
	if (core->notifier) {
		core->notifier = false;
		if (rf_cpuid_fault_leave(&core->fault)) {
			core->bit = task->wants;
			nr_writes++;
		}
	}
	task->where = USER;
	task->in_run = false;
	nr_wrong_users += core->bit != task->wants;
}

static void enter_guest(struct core *core)
{
	struct task *task = &tasks[core->current];

	if (!task->has_vcpu || task->where == USER)
		return;
	task->in_run = true;
	core->notifier = true;
	if (rf_cpuid_fault_enter(&core->fault, task, task->switches)) {
		core->bit = true;
		nr_writes++;
	}
	nr_entries++;
	nr_wrong_guests += !core->bit;
}

/* arch_prctl(ARCH_CPUID) */
static void change_mind(struct core *core)
{
	struct task *task = &tasks[core->current];

	if (task->is_kthread || task->where == USER || task->in_run)
		return;
	task->wants = !task->wants;
	core->bit = task->wants;
}

static void system_call(struct core *core)
{
	tasks[core->current].where = KERNEL;
}

/* --- one thing at a time -------------------------------------------------------- */

static void entries_in_a_row_write_once(void)
{
	int i;

	start();
	switch_to(&cores[0], 2);
	for (i = 0; i < 10; i++)
		enter_guest(&cores[0]);
	EXPECT_EQ(nr_writes, 1);
	return_to_user(&cores[0]);
	EXPECT_EQ(nr_writes, 2);
	EXPECT_EQ(nr_wrong_guests + nr_wrong_users, 0);
}

static void a_user_after_a_guest_has_its_own(void)
{
	start();
	switch_to(&cores[0], 2);
	enter_guest(&cores[0]);
	switch_to(&cores[0], 5);
	return_to_user(&cores[0]);
	EXPECT(!cores[0].bit);
	system_call(&cores[0]);
	switch_to(&cores[0], 2);
	enter_guest(&cores[0]);
	switch_to(&cores[0], 4);
	return_to_user(&cores[0]);
	EXPECT(cores[0].bit);
	EXPECT_EQ(nr_wrong_guests + nr_wrong_users, 0);
}

/* Linux has switched it off on the way, and no user was returned to. */
static void a_detour_through_the_kernel_is_seen(void)
{
	start();
	switch_to(&cores[0], 2);
	enter_guest(&cores[0]);
	switch_to(&cores[0], 4);
	switch_to(&cores[0], 2);
	EXPECT(!cores[0].bit);
	enter_guest(&cores[0]);
	EXPECT(cores[0].bit);
	EXPECT_EQ(nr_wrong_guests + nr_wrong_users, 0);
}

static void a_thread_that_wants_it_keeps_it(void)
{
	start();
	switch_to(&cores[0], 3);
	enter_guest(&cores[0]);
	return_to_user(&cores[0]);
	EXPECT(cores[0].bit);
	EXPECT_EQ(nr_wrong_guests + nr_wrong_users, 0);
}

static void one_that_never_ran_a_guest_is_left_alone(void)
{
	struct rf_cpuid_fault fault = { };

	EXPECT(!rf_cpuid_fault_leave(&fault));
	EXPECT(rf_cpuid_fault_enter(&fault, &fault, 7));
	EXPECT(!rf_cpuid_fault_enter(&fault, &fault, 7));
	EXPECT(rf_cpuid_fault_leave(&fault));
	EXPECT(!rf_cpuid_fault_leave(&fault));
}

/* --- all at once ------------------------------------------------------------------ */

static void whatever_happens(void)
{
	unsigned int seed, i;

	for (seed = 1; seed <= 100; seed++) {
		srandom(seed);
		start();
		for (i = 0; i < 20000 && !nr_wrong_guests && !nr_wrong_users; i++) {
			struct core *core = &cores[random() % NR_CORES];

			switch (random() % 8) {
			case 0 ... 1:
				switch_to(core, random() % NR_TASKS);
				break;
			case 2:
				return_to_user(core);
				break;
			case 3:
				system_call(core);
				break;
			case 4:
				if (random() % 8 == 0)
					change_mind(core);
				break;
			default:
				enter_guest(core);
			}
		}
		EXPECT_EQ(nr_wrong_guests, 0);
		EXPECT_EQ(nr_wrong_users, 0);
		EXPECT(nr_writes < nr_entries * 2);
		if (tap_failed)
			break;
	}
}

int main(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(entries_in_a_row_write_once),
		TAP_CASE(a_user_after_a_guest_has_its_own),
		TAP_CASE(a_detour_through_the_kernel_is_seen),
		TAP_CASE(a_thread_that_wants_it_keeps_it),
		TAP_CASE(one_that_never_ran_a_guest_is_left_alone),
		TAP_CASE(whatever_happens),
	};

	return TAP_RUN(cases);
}
