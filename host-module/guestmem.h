/* SPDX-License-Identifier: GPL-2.0 */
/*
 * guestmem.h - the only door to guest memory
 *
 * By guest virtual address (takes a vCPU, obeys the guest kernel's page tables
 * and sets their A and D bits) or by guest physical address (takes a VM).
 * Both copy once; what is checked must be the copy.  Callers may sleep and run
 * in the launcher's address space.
 */
#ifndef RF_GUESTMEM_H
#define RF_GUESTMEM_H

#include <linux/mm_types.h>
#include <linux/types.h>

#include "types.h"

struct mmu_update;
struct rf_vm;
struct rf_vcpu;

/**
 * rf_guest_read() - Copy from a guest virtual address
 * @vcpu: The caller's own vCPU
 * @dst: Where to
 * @gva: Guest virtual address in the tables the guest now runs on
 * @len: Bytes, may cross pages
 *
 * Return: 0, or -EFAULT if the guest could not read there itself.
 */
int rf_guest_read(struct rf_vcpu *vcpu, void *dst, u64 gva, size_t len);
int rf_guest_write(struct rf_vcpu *vcpu, u64 gva, const void *src, size_t len);

/**
 * rf_guest_touch() - Could the guest read or write there?
 * @vcpu: The caller's own vCPU
 * @gva: Guest virtual address; sets A and D of its page as an access would
 * @error: In: RF_PF_WRITE or 0; out: the guest's error code if it could not
 *
 * Return: 0 or -EFAULT.
 */
int rf_guest_touch(struct rf_vcpu *vcpu, u64 gva, u32 *error);

/* To an area the guest kernel registered, whichever mode the vCPU is in. */
int rf_guest_write_area(struct rf_vcpu *vcpu, u64 gva, const void *src, size_t len);

/* The same for code: @gva is fetched, so NX pages do not count as readable. */
int rf_guest_fetch(struct rf_vcpu *vcpu, void *dst, u64 gva, size_t len);

int rf_guest_read_gpa(struct rf_vm *vm, void *dst, u64 gpa, size_t len);
int rf_guest_write_gpa(struct rf_vm *vm, u64 gpa, const void *src, size_t len);

/* One page-table entry, aligned; 0 or -EFAULT. */
int rf_guest_read_entry(struct rf_vm *vm, u64 *entry, u64 gpa);
int rf_guest_write_entry(struct rf_vm *vm, u64 gpa, u64 entry);

/* Several of one table: @updates has their places, of which the offset counts. */
int rf_guest_write_entries(struct rf_vm *vm, rf_gfn_t table, const struct mmu_update *updates,
			   u32 nr);

/**
 * rf_guest_cmpxchg_gpa() - Replace 8 aligned bytes if they are still @old
 * @vm: The VM
 * @gpa: Guest physical address, a multiple of 8
 * @old: What they should be; out: what they are, if not
 * @new: Replacement
 *
 * Return: 1 if done, 0 if they differ, or -EFAULT.
 */
int rf_guest_cmpxchg_gpa(struct rf_vm *vm, u64 gpa, u64 *old, u64 new);

/**
 * rf_guest_pin() - Pin one guest frame for as long as the ABI shares it
 * @vm: The VM
 * @gfn: The frame
 *
 * For the few pages that interrupt context writes (shared_info, vcpu_info,
 * event queues): a number per VM that does not depend on the guest.
 *
 * Return: the page, or ERR_PTR(-EFAULT), ERR_PTR(-ENOMEM).
 */
struct page *rf_guest_pin(struct rf_vm *vm, rf_gfn_t gfn);
void rf_guest_unpin(struct page *page);

#endif /* RF_GUESTMEM_H */
