/* SPDX-License-Identifier: GPL-2.0 */
/*
 * compat.h - what differs between the kernels ringfence builds for
 *
 * The only mention of LINUX_VERSION_CODE.
 */
#ifndef RF_COMPAT_H
#define RF_COMPAT_H

#include <linux/version.h>

#ifdef __ASSEMBLY__

#include <asm/unwind_hints.h>

/* Tells objtool that nothing is known of the stack from here on. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#define RF_NO_UNWIND	UNWIND_HINT_EMPTY
#else
#define RF_NO_UNWIND	UNWIND_HINT_UNDEFINED
#endif

#else /* !__ASSEMBLY__ */

#include <linux/eventfd.h>
#include <linux/sched.h>
#include <linux/shrinker.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 8, 0)
#define rf_eventfd_signal(ctx)	((void)eventfd_signal(ctx, 1))
#else
#define rf_eventfd_signal(ctx)	eventfd_signal(ctx)
#endif

/* How long the current task has waited for a CPU; 0 if nobody counts. */
static inline u64 rf_run_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return READ_ONCE(current->sched_info.run_delay);
#else
	return 0;
#endif
}

/* smp_send_reschedule() is traced from 6.4 on, and leaves the header to us. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
#include <trace/events/ipi.h>
#endif

/* FRED replaces the IDT, whose gates the switcher takes over. */
#ifdef X86_FEATURE_FRED
#define rf_host_has_fred()	cpu_feature_enabled(X86_FEATURE_FRED)
#else
#define rf_host_has_fred()	false
#endif

#endif /* __ASSEMBLY__ */
#endif /* RF_COMPAT_H */
