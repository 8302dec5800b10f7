// SPDX-License-Identifier: GPL-2.0
/*
 * guestmem.c - the only door to guest memory
 *
 *	by address:	shadow entry -> host page	(a miss is faulted in)
 *	by frame:	memory range -> launcher address -> user copy
 */
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "guestmem.h"
#include "vcpu.h"
#include "vm.h"

/* A host that keeps taking the page away right after it has been found. */
#define MAX_TRIES	64

/*
 * What a guest reads or writes as one word is copied as one: memcpy() may go
 * byte by byte, and another vCPU would see a number that never was.
 */
static void copy_words(void *dst, const void *src, size_t len)
{
	unsigned long both = (unsigned long)dst | (unsigned long)src;

	if (len == sizeof(u64) && IS_ALIGNED(both, sizeof(u64)))
		WRITE_ONCE(*(u64 *)dst, READ_ONCE(*(const u64 *)src));
	else if (len == sizeof(u32) && IS_ALIGNED(both, sizeof(u32)))
		WRITE_ONCE(*(u32 *)dst, READ_ONCE(*(const u32 *)src));
	else
		memcpy(dst, src, len);
}

/*
 * Have something done in one page, through the shadow.  @error: in: the access;
 * out: what the guest would see of it, if it is the guest's own fault.
 */
static int copy_in_page(struct rf_vcpu *vcpu, void *buf, u64 gva, size_t len, u32 *error)
{
	bool write = *error & RF_PF_WRITE;
	struct rf_vm *vm = vcpu->vm;
	u32 asked = *error;
	int try = 0;

	while (try < MAX_TRIES) {
		void *p;

		*error = asked;
		read_lock(&vm->mmu.lock);
		p = rf_mmu_translate(vcpu, gva, asked);
		if (p) {
			if (write)
				copy_words(p, buf, len);
			else
				copy_words(buf, p, len);
		}
		read_unlock(&vm->mmu.lock);
		if (p)
			return 0;

		switch (rf_mmu_fault(vcpu, gva, error)) {
		case RF_FAULT_FIXED:
			try++;
			break;
		case RF_FAULT_RETRY:
			/* The host's doing: no reason to fail the guest. */
			if (fatal_signal_pending(current) || READ_ONCE(vm->dead))
				return -EFAULT;
			break;
		default:
			return -EFAULT;
		}
	}
	return -EFAULT;
}

static int copy_pages(struct rf_vcpu *vcpu, void *buf, u64 gva, size_t len, u32 access)
{
	while (len) {
		size_t now = min_t(size_t, len, PAGE_SIZE - offset_in_page(gva));
		u32 error = access;
		int err = rf_gva_ok(gva) ? copy_in_page(vcpu, buf, gva, now, &error) : -EFAULT;

		if (err)
			return err;
		buf += now;
		gva += now;
		len -= now;
	}
	return 0;
}

int rf_guest_read(struct rf_vcpu *vcpu, void *dst, u64 gva, size_t len)
{
	return copy_pages(vcpu, dst, gva, len, 0);
}

int rf_guest_write(struct rf_vcpu *vcpu, u64 gva, const void *src, size_t len)
{
	return copy_pages(vcpu, (void *)src, gva, len, RF_PF_WRITE);
}

int rf_guest_touch(struct rf_vcpu *vcpu, u64 gva, u32 *error)
{
	if (rf_gva_ok(gva))
		return copy_in_page(vcpu, NULL, gva, 0, error);
	if (!rf_vcpu_in_kernel(vcpu))
		*error |= RF_PF_USER;
	return -EFAULT;
}

int rf_guest_write_area(struct rf_vcpu *vcpu, u64 gva, const void *src, size_t len)
{
	struct rf_world *world = vcpu->world;
	u64 mode = world->in_kernel;
	int err;

	world->in_kernel = 1;
	err = rf_guest_write(vcpu, gva, src, len);
	world->in_kernel = mode;
	return err;
}

int rf_guest_fetch(struct rf_vcpu *vcpu, void *dst, u64 gva, size_t len)
{
	return copy_pages(vcpu, dst, gva, len, RF_PF_FETCH);
}

/* --- by guest physical address ---------------------------------------------- */

static void __user *gpa_user(struct rf_vm *vm, u64 gpa)
{
	unsigned long uva = rf_memory_uva(vm, RF_GFN(gpa >> PAGE_SHIFT));

	return uva ? (void __user *)(uva + offset_in_page(gpa)) : NULL;
}

int rf_guest_read_gpa(struct rf_vm *vm, void *dst, u64 gpa, size_t len)
{
	while (len) {
		size_t now = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		void __user *p = gpa_user(vm, gpa);

		if (!p || copy_from_user(dst, p, now))
			return -EFAULT;
		dst += now;
		gpa += now;
		len -= now;
	}
	return 0;
}

int rf_guest_read_entry(struct rf_vm *vm, u64 *entry, u64 gpa)
{
	u64 __user *p = gpa_user(vm, gpa);

	return p && !get_user(*entry, p) ? 0 : -EFAULT;
}

int rf_guest_write_entry(struct rf_vm *vm, u64 gpa, u64 entry)
{
	u64 __user *p = gpa_user(vm, gpa);

	return p && !put_user(entry, p) ? 0 : -EFAULT;
}

int rf_guest_write_entries(struct rf_vm *vm, rf_gfn_t table, const struct mmu_update *updates,
			   u32 nr)
{
	u64 __user *p = gpa_user(vm, table.v << PAGE_SHIFT);
	u32 i;

	if (!p || !user_access_begin(p, PAGE_SIZE))
		return -EFAULT;
	for (i = 0; i < nr; i++)
		unsafe_put_user(updates[i].val, &p[offset_in_page(updates[i].ptr) / sizeof(*p)],
				fault);
	user_access_end();
	return 0;

fault:
	user_access_end();
	return -EFAULT;
}

int rf_guest_write_gpa(struct rf_vm *vm, u64 gpa, const void *src, size_t len)
{
	while (len) {
		size_t now = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));
		void __user *p = gpa_user(vm, gpa);

		if (!p || copy_to_user(p, src, now))
			return -EFAULT;
		src += now;
		gpa += now;
		len -= now;
	}
	return 0;
}

int rf_guest_cmpxchg_gpa(struct rf_vm *vm, u64 gpa, u64 *old, u64 new)
{
	u64 __user *p = gpa_user(vm, gpa);
	bool done;

	if (!p || gpa % sizeof(u64) || !access_ok(p, sizeof(*p)))
		return -EFAULT;
	__uaccess_begin_nospec();
	done = unsafe_try_cmpxchg_user(p, old, new, fault);
	__uaccess_end();
	return done;

fault:
	__uaccess_end();
	return -EFAULT;
}

/* --- pinned pages --------------------------------------------------------------- */

struct page *rf_guest_pin(struct rf_vm *vm, rf_gfn_t gfn)
{
	unsigned long uva = rf_memory_uva(vm, gfn);
	struct page *page;
	int nr;

	if (!uva)
		return ERR_PTR(-EFAULT);
	nr = pin_user_pages_fast(uva, 1, FOLL_WRITE | FOLL_LONGTERM, &page);
	if (nr == 1)
		return page;
	return ERR_PTR(nr == -ENOMEM ? -ENOMEM : -EFAULT);
}

void rf_guest_unpin(struct page *page)
{
	unpin_user_pages_dirty_lock(&page, 1, true);
}
