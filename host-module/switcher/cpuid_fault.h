/* SPDX-License-Identifier: GPL-2.0 */
/*
 * cpuid_fault.h - when the bit that has CPUID fault in ring 3 is written
 */
#ifndef RF_CPUID_FAULT_H
#define RF_CPUID_FAULT_H

#include <linux/types.h>

/**
 * struct rf_cpuid_fault - one CPU's bit, while it is the guest's lazily
 * @on: It has been set for a guest, and no user has been returned to since
 * @task: Whose guest that was
 * @switches: How often that task had been switched out by then
 */
struct rf_cpuid_fault {
	bool on;
	const void *task;
	u64 switches;
};

/**
 * rf_cpuid_fault_enter() - Before a guest is entered
 * @fault: This CPU's
 * @task: The current one
 * @switches: How often it has been switched out in its life
 *
 * Return: true if the bit has to be set.
 */
bool rf_cpuid_fault_enter(struct rf_cpuid_fault *fault, const void *task, u64 switches);

/**
 * rf_cpuid_fault_leave() - Before a user's program goes on, or the CPU goes
 * @fault: This CPU's
 *
 * Return: true if the bit has to be what the current task wants.
 */
bool rf_cpuid_fault_leave(struct rf_cpuid_fault *fault);

#endif /* RF_CPUID_FAULT_H */
