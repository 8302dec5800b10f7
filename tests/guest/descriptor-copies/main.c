// SPDX-License-Identifier: GPL-2.0
/*
 * One frame may hold descriptors of several vCPUs, in a GDT and in an LDT, and at
 * more than one address: update_descriptor changes what each of them loads.
 *
 * It may not, for the CPU is given copies, one for every place.
 */
#include "guest.h"

#define DATA	0x00cff3000000ffffUL	/* flat, DPL 3, writable */
#define PAGES	3
#define LDT	(FREE_VA + 0x600000)

static u64 *page;		/* its entries are in every page of the LDT */
static u64 *only;		/* its entries are in the last page but one */
static u64 found;
static u16 wanted;

static u64 load_ds(u16 selector)
{
	u64 vector = TRY("movw %0, %%ds", : : "r" (selector));

	asm volatile("movw %0, %%ds" : : "r" ((u16)0));
	return vector;
}

static long set_ldt(u64 va, u32 nr)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = va,
				.arg2.nr_ents = nr };

	return mmuext_op(&op, 1, NULL);
}

static u64 descriptor_ma(u64 *table, u32 index)
{
	return (mfn_of(table) << 12) + index * 8;
}

/* Selector of entry @index of an LDT. */
static u16 in_ldt(u32 index)
{
	return index * 8 | 7;
}

static void make_tables(void)
{
	page = page_alloc();
	only = page_alloc();
	map(kernel_root(), LDT, mkpte(mfn_of(page), PTE_RW));
	map(kernel_root(), LDT + PAGE_SIZE, mkpte(mfn_of(only), PTE_RW));
	map(kernel_root(), LDT + 2 * PAGE_SIZE, mkpte(mfn_of(page), PTE_RW));
	EXPECT_EQ(set_ldt(LDT, PAGES * 512), 0);
}

static void every_page_of_an_ldt_is_looked_at(void)
{
	make_tables();
	EXPECT_EQ(load_ds(in_ldt(512 + 5)), 13);
	EXPECT_EQ(update_descriptor(descriptor_ma(only, 5), DATA), 0);
	EXPECT_EQ(load_ds(in_ldt(512 + 5)), VEC_NONE);
	EXPECT_EQ(load_ds(in_ldt(5)), 13);
	EXPECT_EQ(load_ds(in_ldt(1024 + 5)), 13);
}

static void a_frame_can_be_there_twice(void)
{
	EXPECT_EQ(update_descriptor(descriptor_ma(page, 6), DATA), 0);
	EXPECT_EQ(load_ds(in_ldt(6)), VEC_NONE);
	EXPECT_EQ(load_ds(in_ldt(512 + 6)), 13);
	EXPECT_EQ(load_ds(in_ldt(1024 + 6)), VEC_NONE);
}

/* Mapped anew, the address is another frame's; the copy is of the old one. */
static void the_frame_counts_and_not_the_address(void)
{
	u64 *other = page_alloc();

	map(kernel_root(), LDT + PAGE_SIZE, mkpte(mfn_of(other), PTE_RW));
	flush_tlb_all();
	EXPECT_EQ(update_descriptor(descriptor_ma(other, 7), DATA), 0);
	EXPECT_EQ(load_ds(in_ldt(512 + 7)), 13);
	EXPECT_EQ(update_descriptor(descriptor_ma(only, 5), 0), 0);
	EXPECT_EQ(load_ds(in_ldt(512 + 5)), 13);
	EXPECT_EQ(set_ldt(LDT, PAGES * 512), 0);
	EXPECT_EQ(load_ds(in_ldt(512 + 7)), VEC_NONE);
}

static void pages_beyond_the_end_are_left_alone(void)
{
	EXPECT_EQ(set_ldt(LDT, 8), 0);
	EXPECT_EQ(update_descriptor(descriptor_ma(page, 6), 0), 0);
	EXPECT_EQ(load_ds(in_ldt(6)), 13);
	EXPECT_EQ(load_ds(in_ldt(1024 + 6)), 13);
	EXPECT_EQ(set_ldt(LDT + PAGES * PAGE_SIZE, 8), -EFAULT);
	EXPECT_EQ(load_ds(in_ldt(7)), 13);
	EXPECT_EQ(set_ldt(0, 0), 0);
}

static void use_tables(void)
{
	unsigned long frame = mfn_of(page);

	found = set_gdt(&frame, 512) ? 99 : set_ldt(LDT, 512) ? 98 : VEC_NONE;
}

static void try_wanted(void)
{
	found = load_ds(wanted);
}

static u64 other_loads(u16 selector)
{
	wanted = selector;
	cpu_run(1, try_wanted);
	cpu_wait(1);
	return found;
}

static void another_vcpu_sees_it(void)
{
	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	EXPECT(cpu_run(1, use_tables));
	cpu_wait(1);
	EXPECT_EQ(found, VEC_NONE);
	EXPECT_EQ(other_loads(in_ldt(9)), 13);
	EXPECT_EQ(other_loads(9 * 8 | 3), 13);
	EXPECT_EQ(update_descriptor(descriptor_ma(page, 9), DATA), 0);
	EXPECT_EQ(other_loads(in_ldt(9)), VEC_NONE);
	EXPECT_EQ(other_loads(9 * 8 | 3), VEC_NONE);
	EXPECT_EQ(update_descriptor(descriptor_ma(page, 9), 0), 0);
	EXPECT_EQ(other_loads(in_ldt(9)), 13);
	EXPECT_EQ(other_loads(9 * 8 | 3), 13);
}

GUEST_TEST(CASE(every_page_of_an_ldt_is_looked_at), CASE(a_frame_can_be_there_twice),
	   CASE(the_frame_counts_and_not_the_address),
	   CASE(pages_beyond_the_end_are_left_alone), CASE(another_vcpu_sees_it));
