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
#include <linux/slab.h>

#include <asm/nospec-branch.h>

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

/* A shrinker with an owner, allocated and registered; NULL if out of memory. */
typedef unsigned long (*rf_shrink_fn)(struct shrinker *, struct shrink_control *);

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 7, 0)
struct rf_shrinker {
	struct shrinker shrinker;
	void *private;
};

static inline void *rf_shrinker_private(struct shrinker *shrinker)
{
	return container_of(shrinker, struct rf_shrinker, shrinker)->private;
}

static inline struct shrinker *rf_shrinker_create(rf_shrink_fn count, rf_shrink_fn scan,
						  long batch, void *private)
{
	struct rf_shrinker *rs = kzalloc(sizeof(*rs), GFP_KERNEL);

	if (!rs)
		return NULL;
	rs->private = private;
	rs->shrinker.count_objects = count;
	rs->shrinker.scan_objects = scan;
	rs->shrinker.batch = batch;
	rs->shrinker.seeks = DEFAULT_SEEKS;
	if (!register_shrinker(&rs->shrinker, "ringfence"))
		return &rs->shrinker;
	kfree(rs);
	return NULL;
}

static inline void rf_shrinker_destroy(struct shrinker *shrinker)
{
	unregister_shrinker(shrinker);
	kfree(container_of(shrinker, struct rf_shrinker, shrinker));
}
#else
static inline void *rf_shrinker_private(struct shrinker *shrinker)
{
	return shrinker->private_data;
}

static inline struct shrinker *rf_shrinker_create(rf_shrink_fn count, rf_shrink_fn scan,
						  long batch, void *private)
{
	struct shrinker *shrinker = shrinker_alloc(0, "ringfence");

	if (!shrinker)
		return NULL;
	shrinker->private_data = private;
	shrinker->count_objects = count;
	shrinker->scan_objects = scan;
	shrinker->batch = batch;
	shrinker_register(shrinker);
	return shrinker;
}

#define rf_shrinker_destroy(shrinker)	shrinker_free(shrinker)
#endif

/*
 * A guest has run on this CPU: no program may run here with the branch targets
 * it has trained, the launcher itself least of all, which is in the same mode.
 * Linux does as much for guests of KVM, on CPUs that need it.
 */
static inline void rf_distrust_branches(void)
{
#ifdef X86_FEATURE_IBPB_EXIT_TO_USER
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
#endif
}

/* FRED replaces the IDT, whose gates the switcher takes over. */
#ifdef X86_FEATURE_FRED
#define rf_host_has_fred()	cpu_feature_enabled(X86_FEATURE_FRED)
#else
#define rf_host_has_fred()	false
#endif

#endif /* __ASSEMBLY__ */
#endif /* RF_COMPAT_H */
