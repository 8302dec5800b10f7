/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hypercall.h - one function per hypercall, as the ABI names them
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include "xen.h"

static inline long hypercall(u64 nr, u64 a1, u64 a2, u64 a3, u64 a4, u64 a5)
{
	register u64 r10 asm("r10") = a4;
	register u64 r8 asm("r8") = a5;
	long ret;

	asm volatile("syscall"
		     : "=a" (ret), "+D" (a1), "+S" (a2), "+d" (a3), "+r" (r10), "+r" (r8)
		     : "a" (nr)
		     : "rcx", "r11", "memory");
	return ret;
}

#define HYPERCALL0(_name) \
	hypercall(__HYPERVISOR_##_name, 0, 0, 0, 0, 0)
#define HYPERCALL1(_name, _a) \
	hypercall(__HYPERVISOR_##_name, (u64)(_a), 0, 0, 0, 0)
#define HYPERCALL2(_name, _a, _b) \
	hypercall(__HYPERVISOR_##_name, (u64)(_a), (u64)(_b), 0, 0, 0)
#define HYPERCALL3(_name, _a, _b, _c) \
	hypercall(__HYPERVISOR_##_name, (u64)(_a), (u64)(_b), (u64)(_c), 0, 0)
#define HYPERCALL4(_name, _a, _b, _c, _d) \
	hypercall(__HYPERVISOR_##_name, (u64)(_a), (u64)(_b), (u64)(_c), (u64)(_d), 0)

static inline long set_trap_table(const struct trap_info *traps)
{
	return HYPERCALL1(set_trap_table, traps);
}

static inline long mmu_update(const struct mmu_update *updates, u32 nr, u32 *done)
{
	return HYPERCALL4(mmu_update, updates, nr, done, DOMID_SELF);
}

static inline long set_gdt(const unsigned long *frames, u32 nr_entries)
{
	return HYPERCALL2(set_gdt, frames, nr_entries);
}

static inline long stack_switch(u64 ss, u64 sp)
{
	return HYPERCALL2(stack_switch, ss, sp);
}

static inline long set_debugreg(int reg, u64 value)
{
	return HYPERCALL2(set_debugreg, reg, value);
}

static inline u64 get_debugreg(int reg)
{
	return HYPERCALL1(get_debugreg, reg);
}

static inline long update_descriptor(u64 gpa, u64 desc)
{
	return HYPERCALL2(update_descriptor, gpa, desc);
}

static inline long memory_op(u32 cmd, void *arg)
{
	return HYPERCALL2(memory_op, cmd, arg);
}

static inline long multicall(struct multicall_entry *entries, u32 nr)
{
	return HYPERCALL2(multicall, entries, nr);
}

static inline long update_va_mapping(u64 va, u64 pte, u64 flags)
{
	return HYPERCALL3(update_va_mapping, va, pte, flags);
}

static inline long set_timer_op(u64 abs_ns)
{
	return HYPERCALL1(set_timer_op, abs_ns);
}

static inline long xen_version(int cmd, void *arg)
{
	return HYPERCALL2(xen_version, cmd, arg);
}

static inline long console_io(int cmd, u32 len, void *buf)
{
	return HYPERCALL3(console_io, cmd, len, buf);
}

static inline long vm_assist(u32 cmd, u32 type)
{
	return HYPERCALL2(vm_assist, cmd, type);
}

static inline long vcpu_op(int cmd, u32 id, void *arg)
{
	return HYPERCALL3(vcpu_op, cmd, id, arg);
}

static inline long set_segment_base(u32 which, u64 base)
{
	return HYPERCALL2(set_segment_base, which, base);
}

static inline long mmuext_op(const struct mmuext_op *ops, u32 nr, u32 *done)
{
	return HYPERCALL4(mmuext_op, ops, nr, done, DOMID_SELF);
}

static inline long sched_op(int cmd, void *arg)
{
	return HYPERCALL2(sched_op, cmd, arg);
}

static inline long callback_op(int cmd, void *arg)
{
	return HYPERCALL2(callback_op, cmd, arg);
}

static inline long event_channel_op(int cmd, void *arg)
{
	return HYPERCALL2(event_channel_op, cmd, arg);
}

static inline long physdev_op(int cmd, void *arg)
{
	return HYPERCALL2(physdev_op, cmd, arg);
}

/* One mmuext_op whose argument is a frame. */
static inline long mmuext(u32 cmd, u64 mfn)
{
	struct mmuext_op op = { .cmd = cmd, .arg1.mfn = mfn };

	return mmuext_op(&op, 1, NULL);
}

static inline long flush_tlb_local(void)
{
	return mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0);
}

static inline long flush_tlb_all(void)
{
	return mmuext(MMUEXT_TLB_FLUSH_ALL, 0);
}

#endif /* GUEST_HYPERCALL_H */
