// SPDX-License-Identifier: GPL-2.0
/*
 * mmu.c - mmu_update, update_va_mapping, mmuext_op
 */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "../guestmem.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

enum mmu_limits {
	MAX_ENTRIES = 1 << 16,		/* in one call */
};

/* The owner of the pages, and of the tables: both the guest itself. */
static bool domain_ok(u64 foreigndom)
{
	u16 owner = foreigndom;
	u16 table_owner = foreigndom >> 16;

	return owner == DOMID_SELF && (!table_owner || table_owner == DOMID_SELF + 1);
}

static long write_done(struct rf_vcpu *vcpu, u64 gva, u32 done, long err)
{
	if (gva && rf_guest_write(vcpu, gva, &done, sizeof(done)))
		return -EFAULT;
	return err;
}

/* M2P is the identity; saying so again is no change. */
static long update_machphys(struct rf_vcpu *vcpu, u64 gpa, u64 val)
{
	rf_gfn_t gfn = RF_GFN(gpa >> PAGE_SHIFT);

	return rf_gfn_in_memory(vcpu->vm, gfn) && val == gfn.v ? 0 : -EINVAL;
}

/* The first of @updates, and maybe more of the same sort.  How many, or an error. */
static long update_some(struct rf_vcpu *vcpu, const struct mmu_update *updates, u32 nr)
{
	u32 cmd = updates->ptr & 3, n = 1;

	if (cmd == MMU_MACHPHYS_UPDATE)
		return update_machphys(vcpu, updates->ptr & ~3ULL, updates->val) ?: 1;
	if (cmd == MMU_PT_UPDATE_NO_TRANSLATE)
		return -ENOSYS;
	/* Aligned, and with the same command. */
	if ((updates->ptr & 7) != cmd)
		return -EINVAL;
	while (n < nr && (updates[n].ptr & 7) == cmd)
		n++;
	return rf_mmu_write_entries(vcpu, updates, n, cmd == MMU_PT_UPDATE_PRESERVE_AD);
}

/* mmu_update(updates, nr, done, foreigndom) */
long rf_hypercall_mmu_update(struct rf_vcpu *vcpu,
			     const struct rf_hypercall_args *args)
{
	struct mmu_update *updates = vcpu->mmu.updates;
	u32 nr = args->arg[1];
	u32 done = 0;
	long err = 0;

	if (!domain_ok(args->arg[3]))
		return -EPERM;
	if (nr > MAX_ENTRIES)
		return -EINVAL;

	while (done < nr && !err && !fatal_signal_pending(current)) {
		u32 i, count = min_t(u32, nr - done, RF_UPDATES);
		long some;

		if (rf_guest_read(vcpu, updates, args->arg[0] + done * sizeof(updates[0]),
				  count * sizeof(updates[0]))) {
			err = -EFAULT;
			break;
		}
		for (i = 0; i < count && !err; i += some) {
			some = update_some(vcpu, &updates[i], count - i);
			if (some < 0) {
				err = some;
				some = 0;
			}
		}
		done += i;
		cond_resched();
	}
	return write_done(vcpu, args->arg[2], done, err);
}

/* Flush the vCPUs in the guest's bitmap at @gva. */
static long flush_mask(struct rf_vcpu *vcpu, u64 gva)
{
	unsigned long mask;

	BUILD_BUG_ON(RF_MAX_VCPUS > BITS_PER_LONG);

	if (rf_guest_read(vcpu, &mask, gva, sizeof(mask)))
		return -EFAULT;
	rf_mmu_sync(vcpu);
	rf_mmu_flush_vcpus(vcpu->vm, &mask);
	return 0;
}

static long flush_all(struct rf_vcpu *vcpu)
{
	rf_mmu_sync(vcpu);
	rf_mmu_flush_vcpus(vcpu->vm, NULL);
	return 0;
}

/* Its own TLB is gone when the vCPU enters the guest again. */
static long flush_local(struct rf_vcpu *vcpu)
{
	rf_mmu_sync(vcpu);
	return 0;
}

/* update_va_mapping(va, val, flags) */
long rf_hypercall_update_va_mapping(struct rf_vcpu *vcpu,
				    const struct rf_hypercall_args *args)
{
	u64 flags = args->arg[2];
	u64 mask_gva = flags & ~UVMF_FLUSHTYPE_MASK;
	long err;

	err = rf_mmu_write_va(vcpu, args->arg[0], args->arg[1]);
	if (err)
		return err;

	switch (flags & UVMF_FLUSHTYPE_MASK) {
	case UVMF_NONE:
		return 0;
	case UVMF_TLB_FLUSH:
	case UVMF_INVLPG:
		if (mask_gva == UVMF_LOCAL)
			return flush_local(vcpu);
		if (mask_gva == UVMF_ALL)
			return flush_all(vcpu);
		return flush_mask(vcpu, mask_gva);
	default:
		return -EINVAL;
	}
}

static long clear_page_of(struct rf_vcpu *vcpu, u64 gfn)
{
	if (!rf_gfn_in_memory(vcpu->vm, RF_GFN(gfn)) ||
	    rf_mmu_is_table(vcpu->vm, RF_GFN(gfn)))
		return -EINVAL;
	return rf_guest_write_gpa(vcpu->vm, gfn << PAGE_SHIFT,
				  page_address(ZERO_PAGE(0)), PAGE_SIZE);
}

static long copy_page_of(struct rf_vcpu *vcpu, u64 dst_gfn, u64 src_gfn)
{
	struct rf_vm *vm = vcpu->vm;
	void *page;
	long err;

	if (!rf_gfn_in_memory(vm, RF_GFN(dst_gfn)) ||
	    !rf_gfn_in_memory(vm, RF_GFN(src_gfn)) ||
	    rf_mmu_is_table(vm, RF_GFN(dst_gfn)))
		return -EINVAL;

	page = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!page)
		return -ENOMEM;
	err = rf_guest_read_gpa(vm, page, src_gfn << PAGE_SHIFT, PAGE_SIZE);
	if (!err)
		err = rf_guest_write_gpa(vm, dst_gfn << PAGE_SHIFT, page, PAGE_SIZE);
	kfree(page);
	return err;
}

static long mmuext_one(struct rf_vcpu *vcpu, const struct mmuext_op *op)
{
	rf_gfn_t gfn = RF_GFN(op->arg1.mfn);

	switch (op->cmd) {
	case MMUEXT_PIN_L1_TABLE ... MMUEXT_PIN_L4_TABLE:
		return rf_mmu_pin(vcpu, gfn, op->cmd - MMUEXT_PIN_L1_TABLE + 1);
	case MMUEXT_UNPIN_TABLE:
		return rf_mmu_unpin(vcpu, gfn);
	case MMUEXT_NEW_BASEPTR:
		return rf_mmu_set_root(vcpu, gfn, true);
	case MMUEXT_NEW_USER_BASEPTR:
		return rf_mmu_set_root(vcpu, gfn, false);
	case MMUEXT_TLB_FLUSH_LOCAL:
	case MMUEXT_INVLPG_LOCAL:
		return flush_local(vcpu);
	case MMUEXT_TLB_FLUSH_MULTI:
	case MMUEXT_INVLPG_MULTI:
		return flush_mask(vcpu, (u64)op->arg2.vcpumask);
	case MMUEXT_TLB_FLUSH_ALL:
	case MMUEXT_INVLPG_ALL:
		return flush_all(vcpu);
	case MMUEXT_FLUSH_CACHE:	/* no device looks behind the caches */
	case MMUEXT_FLUSH_CACHE_GLOBAL:
		return 0;
	case MMUEXT_SET_LDT:
		return rf_ldt_set(vcpu, op->arg1.linear_addr, op->arg2.nr_ents);
	case MMUEXT_CLEAR_PAGE:
		return clear_page_of(vcpu, op->arg1.mfn);
	case MMUEXT_COPY_PAGE:
		return copy_page_of(vcpu, op->arg1.mfn, op->arg2.src_mfn);
	case MMUEXT_MARK_SUPER:
	case MMUEXT_UNMARK_SUPER:
		return -EOPNOTSUPP;
	default:
		return -ENOSYS;
	}
}

/* mmuext_op(ops, nr, done, foreigndom) */
long rf_hypercall_mmuext_op(struct rf_vcpu *vcpu,
			    const struct rf_hypercall_args *args)
{
	u32 nr = args->arg[1];
	struct mmuext_op op;
	u32 done;
	long err = 0;

	if (!domain_ok(args->arg[3]))
		return -EPERM;
	if (nr > MAX_ENTRIES)
		return -EINVAL;

	for (done = 0; done < nr && !fatal_signal_pending(current); done++) {
		if (rf_guest_read(vcpu, &op, args->arg[0] + done * sizeof(op), sizeof(op)))
			err = -EFAULT;
		else
			err = mmuext_one(vcpu, &op);
		if (err)
			break;
		cond_resched();
	}
	return write_done(vcpu, args->arg[2], done, err);
}
