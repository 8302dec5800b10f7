/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vcpu.h - a virtual CPU and the loop that runs it
 */
#ifndef RF_VCPU_H
#define RF_VCPU_H

#include <linux/mutex.h>
#include <linux/seqlock.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "../uapi/ringfence.h"
#include "compat.h"
#include "emul/emul.h"
#include "event/event.h"
#include "mmu/mmu.h"
#include "switcher/switcher.h"
#include "xen_abi.h"

struct rf_vm;
struct rf_stream;

/* A callback the guest kernel registered; @rip 0 if none. */
struct rf_callback {
	u64 rip;
	u16 flags;		/* CALLBACKF_* */
};

#define RF_NR_CALLBACKS		8	/* CALLBACKTYPE_* are below */

enum rf_vcpu_mode {
	RF_OUTSIDE_GUEST,
	RF_IN_GUEST,		/* an IPI brings it out */
};

/**
 * struct rf_vcpu - a virtual CPU
 * @online: It is up (VCPUOP_up); a vCPU that is down waits in RF_VCPU_RUN
 * @halted: Blocked until rf_event_wakes()
 * @kicked: Look up before the next entry: set after whatever there is to see
 */
struct rf_vcpu {
	struct rf_vm *vm;
	u32 id;
	struct mutex run_lock;		/* one thread runs it, or sets it up */
	wait_queue_head_t wait;

	struct page *world_page;
	struct rf_world *world;
	struct rf_regs *regs;		/* &world->regs */
	u64 world_va;			/* of the world in the hole */

	int mode;			/* enum rf_vcpu_mode */
	int cpu;			/* where it last ran */
	bool kicked;
	bool online;
	bool initialised;
	bool halted;
	bool has_run;

	struct trap_info traps[256];
	struct rf_callback callbacks[RF_NR_CALLBACKS];
	struct page *gdt_pages[RF_FIRST_RESERVED_GDT_PAGE];	/* checked copies */
	rf_gfn_t gdt_gfns[RF_FIRST_RESERVED_GDT_PAGE];
	u32 nr_gdt_entries;
	struct page *ldt_pages[16];
	rf_gfn_t ldt_gfns[16];
	u32 nr_ldt_entries;

	struct rf_vcpu_mmu mmu;
	struct rf_vcpu_event event;
	struct rf_vcpu_emul emul;

	u64 fault_gva;			/* CR2 of the last exit */
	u64 host_xcr0;			/* while the guest's is loaded */
	u32 host_pkru;

	struct rf_run *run;		/* of the RF_VCPU_RUN under way */
	bool exit_to_launcher;		/* @run is filled in: return */
	u64 counters[RF_NR_COUNTERS];

	seqcount_mutex_t run_seq;	/* @run_lock is held for writing */
	u64 run_ns;			/* in RF_VCPU_RUN and not halted */
	u64 run_since;			/* and since when now; 0: not now */
};

#define rf_count(_vcpu, _what) ((_vcpu)->counters[RF_COUNT_##_what]++)

/* What no vCPU did is the first one's.  vm->mmu.lock is held for writing. */
#define rf_count_vm(_vm, _what)						\
do {									\
	struct rf_vcpu *__first = rf_vm_vcpu((_vm), 0);			\
									\
	if (__first)							\
		rf_count(__first, _what);				\
} while (0)

struct rf_vcpu *rf_vcpu_create(struct rf_vm *vm, u32 id);
void rf_vcpu_destroy(struct rf_vcpu *vcpu);
int rf_vcpu_run(struct rf_vcpu *vcpu, struct rf_run *run);

/* After a change of @traps, by the vCPU's own thread: what the switcher uses of them. */
void rf_vcpu_show_traps(struct rf_vcpu *vcpu);
int rf_vcpu_set_regs(struct rf_vcpu *vcpu, const struct rf_set_regs *set);
int rf_vcpu_get_regs(struct rf_vcpu *vcpu, struct rf_get_regs *get);
void rf_vcpu_read_counters(const struct rf_vcpu *vcpu, u64 *counters);
u64 rf_vcpu_run_ns(const struct rf_vcpu *vcpu);

/**
 * rf_vcpu_kick() - Have a vCPU look up: out of the guest, or out of its sleep
 * @vcpu: Any vCPU, from any context
 *
 * Whatever the caller stored before is seen before the next entry.
 */
void rf_vcpu_kick(struct rf_vcpu *vcpu);

/* The same for the vCPU's own thread, which is not in the guest. */
static inline void rf_vcpu_look_again(struct rf_vcpu *vcpu)
{
	WRITE_ONCE(vcpu->kicked, true);
}

/* Its own thread again: @run is filled in, return to the launcher with it. */
static inline void rf_vcpu_leave(struct rf_vcpu *vcpu)
{
	vcpu->exit_to_launcher = true;
	rf_vcpu_look_again(vcpu);
}

/* Is an upcall due?  Asked before each entry. */
static inline bool rf_event_deliverable(const struct rf_vcpu *vcpu)
{
	return rf_event_pending(vcpu->event.info) &&
	       vcpu->callbacks[CALLBACKTYPE_event].rip;
}

/*
 * Is there anything for rf_clock_update() to do?  Asked before each entry.  The
 * thread whose delay it is has been noted when RF_VCPU_RUN began.
 */
static inline bool rf_clock_due(const struct rf_vcpu *vcpu)
{
	const struct rf_vcpu_event *event = &vcpu->event;

	return READ_ONCE(rf_clock_head.version) != READ_ONCE(event->time_version_seen) ||
	       (unlikely(!READ_ONCE(rf_clock_head.by_tsc)) && rf_clock_sample_is_old(vcpu)) ||
	       event->run_delay != rf_run_delay();
}

/* VCPUOP_initialise: state of a vCPU that is down.  0, -EEXIST or -EINVAL. */
long rf_vcpu_initialise(struct rf_vcpu *vcpu, const struct vcpu_guest_context *ctxt);

/* VCPUOP_up and VCPUOP_down.  0 or -EINVAL. */
long rf_vcpu_up(struct rf_vcpu *vcpu);
long rf_vcpu_down(struct rf_vcpu *vcpu);

static inline bool rf_vcpu_in_kernel(const struct rf_vcpu *vcpu)
{
	return vcpu->world->in_kernel;
}

/* descriptor.c */
long rf_gdt_set(struct rf_vcpu *vcpu, const unsigned long *frames, u32 nr_entries);
void rf_gdt_free(struct rf_vcpu *vcpu);
long rf_ldt_set(struct rf_vcpu *vcpu, u64 gva, u32 nr_entries);
bool rf_descriptor_fix(u64 *desc);
int rf_descriptors_save(struct rf_vcpu *vcpu, struct rf_stream *stream);
int rf_descriptors_load(struct rf_vcpu *vcpu, struct rf_stream *stream);

#endif /* RF_VCPU_H */
