// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - what the MMU saves: which frames the guest has pinned as tables
 *
 * Shadows are made anew from the guest's tables, which are in its memory.  The
 * roots of a vCPU are among its registers.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>

#include "../stream.h"
#include "../vm.h"

static size_t tables_size(const struct rf_vm *vm)
{
	return offsetof(struct rf_saved_tables, pinned) +
	       BITS_TO_LONGS(vm->max_gfn) * sizeof(u64);
}

int rf_mmu_save(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_tables *saved;
	u64 i;

	saved = kvzalloc(tables_size(vm), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	saved->max_pfn = vm->max_gfn;
	for (i = 0; i < BITS_TO_LONGS(vm->max_gfn); i++)
		saved->pinned[i] = vm->mmu.pinned[i];
	rf_stream_write(stream, RF_SAVED_TABLES, saved, tables_size(vm));
	kvfree(saved);
	return 0;
}

/* No frame is pinned that the guest does not have. */
static bool tables_ok(const struct rf_vm *vm, const struct rf_saved_tables *saved)
{
	u64 gfn;

	if (saved->head.size != tables_size(vm) || saved->max_pfn != vm->max_gfn)
		return false;
	for_each_set_bit(gfn, (const unsigned long *)saved->pinned,
			 ALIGN(vm->max_gfn, BITS_PER_LONG))
		if (!rf_gfn_in_memory(vm, RF_GFN(gfn)))
			return false;
	return true;
}

int rf_mmu_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_tables *saved;
	int err = -EINVAL;

	saved = rf_stream_read_array(stream, RF_SAVED_TABLES, sizeof(*saved), tables_size(vm));
	if (IS_ERR(saved))
		return PTR_ERR(saved);
	if (tables_ok(vm, saved)) {
		bitmap_copy(vm->mmu.pinned, (const unsigned long *)saved->pinned, vm->max_gfn);
		err = 0;
	}
	kvfree(saved);
	return err;
}
