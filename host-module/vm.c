// SPDX-License-Identifier: GPL-2.0
/*
 * vm.c - a virtual machine: create, get, put, kill; its memory
 */
#include <linux/ctype.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "backend/backend.h"
#include "debugfs.h"
#include "event/event.h"
#include "guestmem.h"
#include "switcher/switcher.h"
#include "trace.h"
#include "vcpu.h"
#include "vm.h"

static DEFINE_MUTEX(vms_lock);
static LIST_HEAD(vms);
static u32 nr_vms;
static u32 next_id;

u32 rf_vm_count(void)
{
	return READ_ONCE(nr_vms);
}

/* --- the end of a guest ------------------------------------------------------ */

static void vm_end(struct rf_vm *vm)
{
	struct rf_vcpu *vcpu;
	unsigned int i;

	/* State and reason come before anybody sees it dead. */
	smp_store_release(&vm->dead, true);
	rf_for_each_vcpu(vm, vcpu, i)
		rf_vcpu_kick(vcpu);
}

void rf_vm_kill(struct rf_vm *vm, const char *fmt, ...)
{
	unsigned long flags;
	bool first;
	va_list args;

	spin_lock_irqsave(&vm->state_lock, flags);
	first = vm->state == RF_STATE_RUNNING;
	if (first) {
		va_start(args, fmt);
		vscnprintf(vm->text, sizeof(vm->text), fmt, args);
		va_end(args);
		vm->state = RF_STATE_DEAD;
	}
	spin_unlock_irqrestore(&vm->state_lock, flags);

	if (first) {
		trace_rf_kill(vm);
		pr_info_ratelimited("ringfence: %s: killed: %s\n", vm->name, vm->text);
	}
	vm_end(vm);
}

void rf_vm_shutdown(struct rf_vm *vm, u32 reason)
{
	unsigned long flags;

	spin_lock_irqsave(&vm->state_lock, flags);
	if (vm->state == RF_STATE_RUNNING) {
		vm->state = RF_STATE_SHUTDOWN;
		vm->reason = vm->has_shutdown_code ? vm->shutdown_code : reason;
	}
	spin_unlock_irqrestore(&vm->state_lock, flags);
	vm_end(vm);
}

void rf_vm_set_shutdown_code(struct rf_vm *vm, u32 code)
{
	unsigned long flags;

	spin_lock_irqsave(&vm->state_lock, flags);
	if (!vm->has_shutdown_code) {
		vm->has_shutdown_code = true;
		vm->shutdown_code = code;
	}
	spin_unlock_irqrestore(&vm->state_lock, flags);
}

/* --- set-up --------------------------------------------------------------------- */

static bool range_overlaps(const struct rf_memslot *slot, u64 base, u64 nr)
{
	return base < slot->base_gfn + slot->nr_pages && slot->base_gfn < base + nr;
}

int rf_vm_set_memory(struct rf_vm *vm, const struct rf_set_memory *set)
{
	u64 bytes = set->nr_pages << PAGE_SHIFT;
	int err = 0;
	u32 i;

	if (!set->nr_pages || set->nr_pages > RF_MAX_PAGES || set->guest_pfn > RF_MAX_PAGES ||
	    set->guest_pfn + set->nr_pages > RF_MAX_PAGES)
		return -EINVAL;
	/* A tagged address would not be the one the notifier speaks of. */
	if (set->user_va != untagged_addr(set->user_va) || set->user_va > TASK_SIZE_MAX - bytes)
		return -EINVAL;
	if (!PAGE_ALIGNED(set->user_va) || !access_ok((void __user *)set->user_va, bytes))
		return -EINVAL;

	mutex_lock(&vm->config_lock);
	if (vm->nr_vcpus || vm->mmu.rmap) {
		err = -EBUSY;
		goto out;
	}
	for (i = 0; i < vm->nr_slots; i++)
		if (range_overlaps(&vm->slots[i], set->guest_pfn, set->nr_pages)) {
			err = -EEXIST;
			goto out;
		}
	if (vm->nr_slots == RF_MAX_MEMSLOTS) {
		err = -ENOSPC;
		goto out;
	}
	vm->slots[vm->nr_slots++] = (struct rf_memslot) {
		.base_gfn	= set->guest_pfn,
		.nr_pages	= set->nr_pages,
		.uva		= set->user_va,
	};
	vm->max_gfn = max(vm->max_gfn, set->guest_pfn + set->nr_pages);
out:
	mutex_unlock(&vm->config_lock);
	return err;
}

int rf_vm_set_domain(struct rf_vm *vm, const struct rf_set_domain *set)
{
	struct page *page;
	int err;

	mutex_lock(&vm->config_lock);
	err = -EBUSY;
	if (vm->shared)
		goto out;
	err = -EINVAL;
	if (!set->nr_pages || set->nr_pages > vm->max_gfn ||
	    set->nr_p2m_pages > vm->max_gfn)
		goto out;

	page = rf_guest_pin(vm, RF_GFN(set->shared_info_pfn));
	if (IS_ERR(page)) {
		err = PTR_ERR(page) == -ENOMEM ? -ENOMEM : -EINVAL;
		goto out;
	}
	err = rf_mmu_vm_size(vm);
	if (err) {
		rf_guest_unpin(page);
		goto out;
	}
	vm->shared_page = page;
	vm->shared = page_address(page);
	vm->shared_gfn = RF_GFN(set->shared_info_pfn);
	memset(vm->shared, 0, PAGE_SIZE);
	memset(vm->shared->evtchn_mask, 0xff, sizeof(vm->shared->evtchn_mask));
	vm->nr_pages = set->nr_pages;
	vm->nr_p2m_pages = set->nr_p2m_pages;
	vm->wallclock_offset_ns = set->wallclock_offset_ns;
out:
	mutex_unlock(&vm->config_lock);
	return err;
}

int rf_vm_set_cpuid(struct rf_vm *vm, const struct rf_cpuid_policy *policy)
{
	struct rf_cpuid_policy *host;
	int err;

	host = kmalloc(sizeof(*host), GFP_KERNEL);
	if (!host)
		return -ENOMEM;
	err = rf_cpuid_host_policy(host);
	if (!err)
		err = rf_cpuid_check(policy, host);
	kfree(host);
	if (err)
		return err;

	mutex_lock(&vm->config_lock);
	if (vm->started || vm->nr_vcpus)
		err = -EBUSY;
	else
		vm->cpuid = *policy;
	mutex_unlock(&vm->config_lock);
	return err;
}

/* --- create and destroy -------------------------------------------------------------- */

static bool name_ok(const char *name)
{
	const char *p;

	if (strnlen(name, RF_NAME_LEN) == RF_NAME_LEN || !name[0])
		return false;
	for (p = name; *p; p++)
		if (!isprint(*p) || *p == '/')
			return false;
	return true;
}

/* Several VMs may share an address space; the hole is taken out with the last. */
static void list_vm(struct rf_vm *vm)
{
	mutex_lock(&vms_lock);
	vm->id = ++next_id;
	list_add_tail(&vm->node, &vms);
	WRITE_ONCE(nr_vms, nr_vms + 1);
	rf_hole_attach(vm->mm);
	mutex_unlock(&vms_lock);
}

static void unlist_vm(struct rf_vm *vm)
{
	struct rf_vm *other;

	mutex_lock(&vms_lock);
	list_del(&vm->node);
	WRITE_ONCE(nr_vms, nr_vms - 1);
	list_for_each_entry(other, &vms, node)
		if (other->mm == vm->mm)
			goto out;
	rf_hole_detach(vm->mm);
out:
	mutex_unlock(&vms_lock);
}

/* The order that vm.h draws, once through: a kernel without lockdep skips it. */
static void teach_lock_order(struct rf_vm *vm)
{
	if (!IS_ENABLED(CONFIG_PROVE_LOCKING))
		return;

	mutex_lock(&vm->config_lock);
	mutex_lock(&vm->descriptor_lock);
	mmap_read_lock(vm->mm);
	write_lock(&vm->mmu.lock);
	might_lock(&vm->mmu.out_of_sync_lock);
	might_lock(&vm->mmu.rmap_locks[0]);
	/* Interrupts take it too, a watchdog's timer for one. */
	local_irq_disable();
	might_lock(&vm->state_lock);
	local_irq_enable();
	write_unlock(&vm->mmu.lock);
	mmap_read_unlock(vm->mm);
	mutex_unlock(&vm->descriptor_lock);
	mutex_unlock(&vm->config_lock);
}

struct rf_vm *rf_vm_create(const struct rf_create_vm *create)
{
	struct rf_vm *vm;
	int err;

	if (create->flags || create->reserved)
		return ERR_PTR(-EOPNOTSUPP);
	if (!create->max_vcpus || create->max_vcpus > RF_MAX_VCPUS || !name_ok(create->name))
		return ERR_PTR(-EINVAL);

	vm = kvzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	if (!vm)
		return ERR_PTR(-ENOMEM);
	kref_init(&vm->ref);
	mutex_init(&vm->config_lock);
	mutex_init(&vm->descriptor_lock);
	spin_lock_init(&vm->state_lock);
	strscpy(vm->name, create->name, sizeof(vm->name));
	vm->max_vcpus = create->max_vcpus;
	vm->clock_base_ns = ktime_get_ns();

	err = rf_mmu_vm_init(vm, create->max_shadow_pages);
	if (err)
		goto err_free;
	err = rf_cpuid_host_policy(&vm->cpuid);
	if (err)
		goto err_free;
	vm->hole = rf_hole_create();
	if (IS_ERR(vm->hole)) {
		err = PTR_ERR(vm->hole);
		goto err_free;
	}
	err = rf_bus_vm_init(vm);
	if (err)
		goto err_hole;
	err = rf_event_vm_init(vm);
	if (err)
		goto err_bus;

	vm->mm = current->mm;
	mmgrab(vm->mm);
	vm->notifier.ops = &rf_mmu_notifier_ops;
	err = mmu_notifier_register(&vm->notifier, vm->mm);
	if (err)
		goto err_mm;

	teach_lock_order(vm);
	rf_switcher_get();
	list_vm(vm);
	rf_debugfs_add(vm);
	return vm;

err_mm:
	mmdrop(vm->mm);
	rf_event_vm_exit(vm);
err_bus:
	rf_bus_vm_exit(vm);
err_hole:
	rf_hole_destroy(vm->hole);
err_free:
	kvfree(vm);
	return ERR_PTR(err);
}

static void vm_destroy(struct kref *ref)
{
	struct rf_vm *vm = container_of(ref, struct rf_vm, ref);
	struct rf_vcpu *vcpu;
	unsigned int i;

	rf_debugfs_remove(vm);
	WRITE_ONCE(vm->dead, true);
	rf_bus_vm_exit(vm);
	/* Events first: nothing may wake a vCPU that is going. */
	rf_for_each_vcpu(vm, vcpu, i)
		rf_event_vcpu_exit(vcpu);
	rf_event_vm_exit(vm);
	mmu_notifier_unregister(&vm->notifier, vm->mm);
	rf_mmu_vm_exit(vm);
	rf_for_each_vcpu(vm, vcpu, i)
		rf_vcpu_destroy(vcpu);
	if (vm->shared_page)
		rf_guest_unpin(vm->shared_page);
	unlist_vm(vm);
	rf_switcher_put();
	rf_hole_destroy(vm->hole);
	mmdrop(vm->mm);
	kvfree(vm);
}

void rf_vm_get(struct rf_vm *vm)
{
	kref_get(&vm->ref);
}

void rf_vm_put(struct rf_vm *vm)
{
	kref_put(&vm->ref, vm_destroy);
}
