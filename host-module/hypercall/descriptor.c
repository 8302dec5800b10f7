// SPDX-License-Identifier: GPL-2.0
/*
 * descriptor.c - GDT, LDT and segment bases
 *
 * The CPU is given checked copies, never the guest's own pages:
 *
 *	guest page --read, check--> copy, mapped read-only in the hole
 *	update_descriptor --check--> guest page and every copy of it
 *
 * A copy, once mapped, stays until the vCPU goes: what it no longer needs to
 * hold is cleared, and no stale translation can lead to a page that is free.
 *
 * The VM's descriptor_lock is held from reading a guest page to knowing of its
 * copy, or a change made between the two would miss it.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "../emul/segment.h"
#include "../guestmem.h"
#include "../stream.h"
#include "../vcpu.h"
#include "../vm.h"
#include "hypercall.h"

enum descriptor_limits {
	MAX_LDT_ENTRIES = 8192,
};

static u32 nr_pages_of(u32 nr_entries)
{
	return DIV_ROUND_UP(nr_entries, RF_DESCS_PER_PAGE);
}

/**
 * rf_descriptor_fix() - Make a descriptor fit for the CPU, if it can be
 * @desc: The guest's descriptor; adjusted
 *
 * Code and data become ring 3, since that is where the guest's kernel is, and
 * accessed, since the CPU cannot write to the copy.  Nothing that changes
 * privilege or names a table is let in.
 *
 * Return: false if the CPU must never see it.
 */
bool rf_descriptor_fix(u64 *desc)
{
	if (!(*desc & RF_DESC_P))
		return true;
	if (*desc & RF_DESC_S) {
		*desc |= RF_DESC_DPL | RF_DESC_ACCESSED;
		return true;
	}
	/* Type 0 is harmless: the upper half of something not there. */
	return !(*desc & RF_DESC_TYPE);
}

static void copy_descriptors(struct page *page, const u64 *descs)
{
	u64 *copy = page_address(page);
	size_t i;

	for (i = 0; i < RF_DESCS_PER_PAGE; i++)
		WRITE_ONCE(copy[i], descs ? descs[i] : 0);
}

/* The page that holds the copy, mapped at @page_index of the vCPU's area. */
static int have_copy(struct rf_vcpu *vcpu, struct page **page, unsigned int page_index)
{
	unsigned long self = 1UL << vcpu->id;
	struct page *new;
	int err;

	if (*page)
		return 0;
	new = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!new)
		return -ENOMEM;

	err = rf_hole_map_vcpu_page(vcpu->vm->hole, vcpu->id, page_index, new, false);
	if (err) {
		__free_page(new);
		return err;
	}
	WRITE_ONCE(*page, new);

	/* The vCPU may have looked at the empty page that was there before. */
	rf_mmu_flush_vcpus(vcpu->vm, &self);
	return 0;
}

static void drop_copy(struct rf_vcpu *vcpu, struct page **page, unsigned int page_index)
{
	if (!*page)
		return;
	rf_hole_map_vcpu_page(vcpu->vm->hole, vcpu->id, page_index, NULL, false);
	__free_page(*page);
	*page = NULL;
}

void rf_gdt_free(struct rf_vcpu *vcpu)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(vcpu->gdt_pages); i++)
		drop_copy(vcpu, &vcpu->gdt_pages[i], RF_VCPU_GDT + i);
	for (i = 0; i < ARRAY_SIZE(vcpu->ldt_pages); i++)
		drop_copy(vcpu, &vcpu->ldt_pages[i], RF_VCPU_LDT + i);
	vcpu->nr_gdt_entries = 0;
	vcpu->nr_ldt_entries = 0;
}

/*
 * GDT
 */

/* Read @nr_entries descriptors from the guest's frames, all of them good. */
static int gdt_read(struct rf_vm *vm, u64 *descs, const unsigned long *frames,
		    u32 nr_entries)
{
	u32 i;

	for (i = 0; i < nr_pages_of(nr_entries); i++) {
		u32 first = i * RF_DESCS_PER_PAGE;
		u32 count = min_t(u32, nr_entries - first, RF_DESCS_PER_PAGE);

		if (!rf_gfn_in_memory(vm, RF_GFN(frames[i])))
			return -EINVAL;
		if (rf_guest_read_gpa(vm, descs + first, (u64)frames[i] << PAGE_SHIFT,
				      count * sizeof(*descs)))
			return -EINVAL;
	}

	for (i = 0; i < nr_entries; i++)
		if (!rf_descriptor_fix(&descs[i]))
			return -EINVAL;
	return 0;
}

static void gdt_use(struct rf_vcpu *vcpu, const u64 *descs,
		    const unsigned long *frames, u32 nr_entries)
{
	u32 i, nr = nr_pages_of(nr_entries);

	for (i = 0; i < RF_FIRST_RESERVED_GDT_PAGE; i++) {
		struct page *page = vcpu->gdt_pages[i];

		vcpu->gdt_gfns[i] = i < nr ? RF_GFN(frames[i]) : RF_NO_GFN;
		if (page)
			copy_descriptors(page, i < nr ? descs + i * RF_DESCS_PER_PAGE : NULL);
	}
	vcpu->nr_gdt_entries = nr_entries;
}

/* Of a vCPU that is the caller's own or down. */
long rf_gdt_set(struct rf_vcpu *vcpu, const unsigned long *frames, u32 nr_entries)
{
	struct rf_vm *vm = vcpu->vm;
	u64 *descs;
	u32 i;
	int err;

	if (nr_entries > RF_FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	descs = kvcalloc(max(nr_pages_of(nr_entries), 1U), PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!descs)
		return -ENOMEM;

	mutex_lock(&vm->descriptor_lock);
	err = gdt_read(vm, descs, frames, nr_entries);
	for (i = 0; i < nr_pages_of(nr_entries) && !err; i++)
		err = have_copy(vcpu, &vcpu->gdt_pages[i], RF_VCPU_GDT + i);
	if (!err)
		gdt_use(vcpu, descs, frames, nr_entries);
	mutex_unlock(&vm->descriptor_lock);
	kvfree(descs);
	return err;
}

/* set_gdt(frames, nr_entries) */
long rf_hypercall_set_gdt(struct rf_vcpu *vcpu, const struct rf_hypercall_args *args)
{
	unsigned long frames[RF_FIRST_RESERVED_GDT_PAGE];
	u32 nr_entries = args->arg[1];

	if (nr_entries > RF_FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	if (rf_guest_read(vcpu, frames, args->arg[0],
			  nr_pages_of(nr_entries) * sizeof(frames[0])))
		return -EFAULT;
	return rf_gdt_set(vcpu, frames, nr_entries);
}

/*
 * LDT
 */

/* Unlike in a GDT, a bad entry is only as good as none: it faults when used. */
static int ldt_read_page(struct rf_vm *vm, u64 *descs, rf_gfn_t gfn, u32 count)
{
	u32 i;

	memset(descs, 0, PAGE_SIZE);
	if (rf_guest_read_gpa(vm, descs, gfn.v << PAGE_SHIFT, count * sizeof(*descs)))
		return -EFAULT;
	for (i = 0; i < count; i++)
		if (!rf_descriptor_fix(&descs[i]))
			descs[i] = 0;
	return 0;
}

static int ldt_read(struct rf_vcpu *vcpu, u64 *descs, u64 gva, u32 nr_entries)
{
	u32 i;
	int err;

	for (i = 0; i < nr_pages_of(nr_entries); i++) {
		u32 left = nr_entries - i * RF_DESCS_PER_PAGE;
		rf_gfn_t *gfn = &vcpu->ldt_gfns[i];

		err = have_copy(vcpu, &vcpu->ldt_pages[i], RF_VCPU_LDT + i);
		if (!err)
			err = rf_mmu_kernel_gfn(vcpu, gva + i * PAGE_SIZE, gfn);
		if (!err)
			err = ldt_read_page(vcpu->vm, descs, *gfn,
					    min_t(u32, left, RF_DESCS_PER_PAGE));
		if (err)
			return err;
		copy_descriptors(vcpu->ldt_pages[i], descs);
	}
	return 0;
}

static void ldt_use(struct rf_vcpu *vcpu, u32 nr_entries)
{
	struct rf_world *world = vcpu->world;

	vcpu->nr_ldt_entries = nr_entries;
	world->ldt_selector = nr_entries ? RF_SEL_HV_LDT : 0;
	world->ldt_limit = nr_entries ? nr_entries * sizeof(u64) - 1 : 0;
}

/* Of the caller's own vCPU, unless there are no entries. */
long rf_ldt_set(struct rf_vcpu *vcpu, u64 gva, u32 nr_entries)
{
	u64 *descs;
	int err;

	if (nr_entries > MAX_LDT_ENTRIES || !IS_ALIGNED(gva, PAGE_SIZE))
		return -EINVAL;
	descs = kmalloc(PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	if (!descs)
		return -ENOMEM;

	mutex_lock(&vcpu->vm->descriptor_lock);
	ldt_use(vcpu, 0);
	err = ldt_read(vcpu, descs, gva, nr_entries);
	if (!err)
		ldt_use(vcpu, nr_entries);
	mutex_unlock(&vcpu->vm->descriptor_lock);
	kfree(descs);
	return err;
}

/*
 * One descriptor
 */

/* Entry @index of each of @nr copies that is of frame @gfn. */
static void refresh(struct page **pages, const rf_gfn_t *gfns, u32 nr, rf_gfn_t gfn,
		    u32 index, u64 desc)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (rf_gfn_eq(gfns[i], gfn))
			WRITE_ONCE(((u64 *)page_address(pages[i]))[index], desc);
}

static void refresh_vcpu(struct rf_vcpu *vcpu, rf_gfn_t gfn, u32 index, u64 desc)
{
	refresh(vcpu->gdt_pages, vcpu->gdt_gfns, nr_pages_of(vcpu->nr_gdt_entries),
		gfn, index, desc);
	refresh(vcpu->ldt_pages, vcpu->ldt_gfns, nr_pages_of(vcpu->nr_ldt_entries),
		gfn, index, desc);
}

/* update_descriptor(maddr, desc) */
long rf_hypercall_update_descriptor(struct rf_vcpu *vcpu,
				    const struct rf_hypercall_args *args)
{
	struct rf_vm *vm = vcpu->vm;
	u64 gpa = args->arg[0];
	u64 desc = args->arg[1];
	rf_gfn_t gfn = RF_GFN(gpa >> PAGE_SHIFT);
	u32 i, index = offset_in_page(gpa) / sizeof(desc);
	struct rf_vcpu *other;
	int err;

	if (!IS_ALIGNED(gpa, sizeof(desc)) || !rf_gfn_in_memory(vm, gfn))
		return -EINVAL;
	if (!rf_descriptor_fix(&desc))
		return -EINVAL;

	mutex_lock(&vm->descriptor_lock);
	err = rf_guest_write_gpa(vm, gpa, &desc, sizeof(desc));
	if (!err) {
		rf_for_each_vcpu(vm, other, i)
			refresh_vcpu(other, gfn, index, desc);
	}
	mutex_unlock(&vm->descriptor_lock);
	return err;
}

/*
 * State: the copies as they are, for the guest's pages may say something else
 */

static int descriptors_save(struct rf_stream *stream, enum rf_saved_type type,
			    struct page *const *pages, const rf_gfn_t *gfns, u32 nr)
{
	size_t size = struct_size_t(struct rf_saved_descriptors, entries, nr);
	struct rf_saved_descriptors *saved;
	u32 i;

	saved = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	saved->nr_entries = nr;
	for (i = 0; i < nr; i++) {
		const u64 *copy = page_address(pages[i / RF_DESCS_PER_PAGE]);

		saved->pfn[i / RF_DESCS_PER_PAGE] = gfns[i / RF_DESCS_PER_PAGE].v;
		saved->entries[i] = copy[i % RF_DESCS_PER_PAGE];
	}
	rf_stream_write(stream, type, saved, size);
	kvfree(saved);
	return 0;
}

int rf_descriptors_save(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	int err;

	err = descriptors_save(stream, RF_SAVED_GDT, vcpu->gdt_pages, vcpu->gdt_gfns,
			       vcpu->nr_gdt_entries);
	return err ?: descriptors_save(stream, RF_SAVED_LDT, vcpu->ldt_pages, vcpu->ldt_gfns,
				       vcpu->nr_ldt_entries);
}

/* Such as gdt_read() and ldt_read() would have made of some page of the guest's. */
static bool descriptors_ok(struct rf_vm *vm, const struct rf_saved_descriptors *saved,
			   u32 max_entries)
{
	u32 i;

	if (saved->nr_entries > max_entries ||
	    saved->head.size != struct_size(saved, entries, saved->nr_entries))
		return false;
	for (i = 0; i < RF_SAVED_DESCRIPTOR_PAGES; i++)
		if (i < nr_pages_of(saved->nr_entries) ?
		    !rf_gfn_in_memory(vm, RF_GFN(saved->pfn[i])) : saved->pfn[i])
			return false;
	for (i = 0; i < saved->nr_entries; i++) {
		u64 desc = saved->entries[i];

		if (!rf_descriptor_fix(&desc) || desc != saved->entries[i])
			return false;
	}
	return true;
}

/* Copies at @pages, of which the first is at @page_index of the vCPU's area. */
static int descriptors_use(struct rf_vcpu *vcpu, const struct rf_saved_descriptors *saved,
			   struct page **pages, rf_gfn_t *gfns, unsigned int page_index)
{
	u32 i;
	int err;

	for (i = 0; i < nr_pages_of(saved->nr_entries); i++) {
		err = have_copy(vcpu, &pages[i], page_index + i);
		if (err)
			return err;
		copy_descriptors(pages[i], NULL);
		gfns[i] = RF_GFN(saved->pfn[i]);
	}
	for (i = 0; i < saved->nr_entries; i++) {
		u64 *copy = page_address(pages[i / RF_DESCS_PER_PAGE]);

		copy[i % RF_DESCS_PER_PAGE] = saved->entries[i];
	}
	return 0;
}

static int gdt_load(struct rf_vcpu *vcpu, const struct rf_saved_descriptors *saved)
{
	int err = -EINVAL;

	if (descriptors_ok(vcpu->vm, saved, RF_FIRST_RESERVED_GDT_ENTRY))
		err = descriptors_use(vcpu, saved, vcpu->gdt_pages, vcpu->gdt_gfns,
				      RF_VCPU_GDT);
	if (!err)
		vcpu->nr_gdt_entries = saved->nr_entries;
	return err;
}

static int ldt_load(struct rf_vcpu *vcpu, const struct rf_saved_descriptors *saved)
{
	int err = -EINVAL;

	if (descriptors_ok(vcpu->vm, saved, MAX_LDT_ENTRIES))
		err = descriptors_use(vcpu, saved, vcpu->ldt_pages, vcpu->ldt_gfns,
				      RF_VCPU_LDT);
	if (!err)
		ldt_use(vcpu, saved->nr_entries);
	return err;
}

static int descriptors_load(struct rf_vcpu *vcpu, struct rf_stream *stream,
			    enum rf_saved_type type,
			    int (*load)(struct rf_vcpu *vcpu,
					const struct rf_saved_descriptors *saved))
{
	struct rf_saved_descriptors *saved;
	int err;

	saved = rf_stream_read_array(stream, type, sizeof(*saved),
				     struct_size_t(struct rf_saved_descriptors, entries,
						   MAX_LDT_ENTRIES));
	if (IS_ERR(saved))
		return PTR_ERR(saved);
	mutex_lock(&vcpu->vm->descriptor_lock);
	err = load(vcpu, saved);
	mutex_unlock(&vcpu->vm->descriptor_lock);
	kvfree(saved);
	return err;
}

int rf_descriptors_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	int err = descriptors_load(vcpu, stream, RF_SAVED_GDT, gdt_load);

	return err ?: descriptors_load(vcpu, stream, RF_SAVED_LDT, ldt_load);
}

/*
 * Segment bases
 */

static long set_base(u64 *base, u64 value)
{
	if (!rf_canonical(value))
		return -EINVAL;
	*base = value;
	return 0;
}

/* Load %gs for user mode, as SWAPGS; MOV; SWAPGS does: a bad one becomes 0. */
static long set_user_gs(struct rf_vcpu *vcpu, u16 selector)
{
	u64 desc = rf_segment_get(vcpu, selector);

	if (selector > 3 && !rf_segment_is_readable(desc))
		selector = 0;
	vcpu->world->gs = selector;
	vcpu->world->gs_base_other = selector > 3 ? rf_segment_base(desc) : 0;
	return 0;
}

/* set_segment_base(which, base) */
long rf_hypercall_set_segment_base(struct rf_vcpu *vcpu,
				   const struct rf_hypercall_args *args)
{
	struct rf_world *world = vcpu->world;
	u64 base = args->arg[1];

	switch ((u32)args->arg[0]) {
	case SEGBASE_FS:
		return set_base(&world->fs_base, base);
	case SEGBASE_GS_USER:
		return set_base(&world->gs_base_other, base);
	case SEGBASE_GS_KERNEL:
		return set_base(&world->gs_base, base);
	case SEGBASE_GS_USER_SEL:
		return set_user_gs(vcpu, base);
	default:
		return -EINVAL;
	}
}
