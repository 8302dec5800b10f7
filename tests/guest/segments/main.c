// SPDX-License-Identifier: GPL-2.0
/*
 * A guest has a GDT and an LDT of its own: set_gdt, update_descriptor, SET_LDT
 * and set_segment_base.  What they hold is looked at first, and a system
 * descriptor or a ring below 3 never gets to the CPU.
 *
 * It may, for the CPU reads descriptors by itself, and a call gate in one of
 * them is a door to ring 0.
 */
#include "guest.h"

#define DATA	0x00cf93000000ffffUL	/* flat, DPL 0, writable */
#define CODE64	0x00af9b000000ffffUL
#define CODE32	0x00cf9b000000ffffUL
#define DPL3	(3UL << 45)
#define PRESENT	(1UL << 47)
#define BASED(_desc, _base) ((_desc) | ((_base) & 0xffffffUL) << 16 | \
			     ((_base) >> 24 & 0xffUL) << 56)

USER_ASM(code_load, "movw %ax, %gs; movq %gs:(%rdi), %rbx; ud2");
USER_ASM(code_gs, "movw %gs, %ax; movq %gs:(%rdi), %rbx; ud2");

static u64 *gdt;
static struct regs r;

static long use_gdt(u64 *page, u32 nr)
{
	unsigned long frame = mfn_of(page);

	return set_gdt(&frame, nr);
}

static u64 load_ds(u16 selector)
{
	u64 vector = TRY("movw %0, %%ds", : : "r" (selector));

	asm volatile("movw %0, %%ds" : : "r" ((u16)0));
	return vector;
}

/* Access rights, as the CPU has them; 0 if it has none for this selector. */
static u32 rights(u16 selector)
{
	u32 ar = 0;

	asm volatile("larl %1, %0; jz 1f; xorl %0, %0; 1:" : "=r" (ar) : "r" ((u32)selector));
	return ar;
}

static void a_gdt_takes_effect(void)
{
	gdt = page_alloc();
	gdt[1] = DATA;
	gdt[2] = CODE64;
	gdt[3] = (DATA | DPL3) & ~PRESENT;
	EXPECT_EQ(use_gdt(gdt, 512), 0);
	EXPECT_EQ(load_ds(8 | 3), VEC_NONE);
	EXPECT_EQ(load_ds(16 | 3), VEC_NONE);
	EXPECT_EQ(load_ds(24 | 3), 11);
	EXPECT_EQ(this_cpu()->last.error, 24);
	EXPECT_EQ(load_ds(32 | 3), 13);
}

/* Ring 3 it is, and accessed, since the CPU cannot write to the copy. */
static void descriptors_are_made_fit(void)
{
	EXPECT_EQ(rights(8) >> 13 & 3, 3);
	EXPECT_EQ(rights(16) >> 13 & 3, 3);
	EXPECT_EQ(rights(8) >> 8 & 1, 1);
}

static void the_flat_segments_are_always_there(void)
{
	EXPECT_EQ(load_ds(FLAT_RING3_DS32), VEC_NONE);
	EXPECT(rights(FLAT_RING3_CS64));
	EXPECT(rights(FLAT_RING3_CS32));
}

static void system_descriptors_are_refused(void)
{
	u32 type;

	for (type = 1; type < 16; type++) {
		u64 desc = PRESENT | DPL3 | (u64)type << 40 | 0xe0080000UL;

		gdt[5] = desc;
		EXPECT_EQ(use_gdt(gdt, 512), -EINVAL);
		gdt[5] = 0;
		EXPECT_EQ(update_descriptor((mfn_of(gdt) << 12) + 40, desc), -EINVAL);
		EXPECT_EQ(gdt[5], 0);
	}
	EXPECT_EQ(load_ds(8 | 3), VEC_NONE);
}

static void bad_arguments_are_refused(void)
{
	unsigned long frames[14] = { mfn_of(gdt), start_info->nr_pages + 0x1000 };
	u64 ma = mfn_of(gdt) << 12;

	EXPECT_EQ(set_gdt(frames, 513), -EINVAL);
	frames[0] = ~0UL;
	EXPECT_EQ(set_gdt(frames, 1), -EINVAL);
	EXPECT_EQ(set_gdt(frames, 14 * 512 + 1), -EINVAL);
	EXPECT_EQ(set_gdt(frames, 0xffffffff), -EINVAL);
	EXPECT_EQ(set_gdt((void *)0x123456789000, 1), -EFAULT);
	EXPECT_EQ(update_descriptor(ma + 12, DATA), -EINVAL);
	EXPECT_EQ(update_descriptor(~7UL, DATA), -EINVAL);
	EXPECT_EQ(update_descriptor((start_info->nr_pages + 0x1000) << 12, DATA), -EINVAL);
	EXPECT_EQ(load_ds(8 | 3), VEC_NONE);
}

static void one_descriptor_can_be_changed(void)
{
	u64 ma = (mfn_of(gdt) << 12) + 8 * 8;

	EXPECT_EQ(load_ds(64 | 3), 13);
	EXPECT_EQ(update_descriptor(ma, DATA), 0);
	EXPECT_EQ(load_ds(64 | 3), VEC_NONE);
	EXPECT_EQ(update_descriptor(ma, 0), 0);
	EXPECT_EQ(load_ds(64 | 3), 13);
}

/* The CPU has a copy that was looked at; the page is only where it came from. */
static void stores_to_the_page_change_nothing(void)
{
	gdt[9] = PRESENT | DPL3 | 12UL << 40 | 0xe0080000UL;
	EXPECT_EQ(rights(72), 0);
	gdt[9] = 0;
}

static void a_shorter_gdt_is_shorter(void)
{
	EXPECT_EQ(use_gdt(gdt, 2), 0);
	EXPECT_EQ(load_ds(8 | 3), VEC_NONE);
	EXPECT_EQ(load_ds(16 | 3), 13);
	EXPECT_EQ(set_gdt(NULL, 0), 0);
	EXPECT_EQ(load_ds(8 | 3), 13);
	EXPECT_EQ(use_gdt(gdt, 512), 0);
}

static long set_ldt(u64 va, u32 nr)
{
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = va,
				.arg2.nr_ents = nr };

	return mmuext_op(&op, 1, NULL);
}

static void an_ldt_works_as_well(void)
{
	u64 *ldt = page_alloc();

	ldt[1] = DATA | DPL3;
	ldt[2] = PRESENT | DPL3 | 12UL << 40 | 0xe0080000UL;
	EXPECT_EQ(load_ds(8 | 7), 13);
	EXPECT_EQ(set_ldt((u64)ldt + 8, 512), -EINVAL);
	EXPECT_EQ(set_ldt((u64)ldt, 8193), -EINVAL);
	EXPECT_EQ(set_ldt((u64)ldt, 512), 0);
	EXPECT_EQ(load_ds(8 | 7), VEC_NONE);
	EXPECT_EQ(rights(16 | 7), 0);
	EXPECT_EQ(load_ds(24 | 7), 13);
	EXPECT_EQ(update_descriptor((mfn_of(ldt) << 12) + 24, DATA | DPL3), 0);
	EXPECT_EQ(load_ds(24 | 7), VEC_NONE);
	EXPECT_EQ(set_ldt(0, 0), 0);
	EXPECT_EQ(load_ds(8 | 7), 13);
}

static void a_segment_of_the_gdt_has_its_base(void)
{
	user_data[2] = 0x1122334455667788;
	update_descriptor((mfn_of(gdt) << 12) + 80, BASED(DATA, USER_DATA));
	r = user_regs(code_load);
	r.rax = 80 | 3;
	r.rdi = 16;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rbx, 0x1122334455667788);
	EXPECT_EQ(this_cpu(), this_cpu()->self);
}

static void the_kernel_can_load_the_users_gs(void)
{
	EXPECT_EQ(set_segment_base(SEGBASE_GS_USER_SEL, 80 | 3), 0);
	r = user_regs(code_gs);
	r.rdi = 16;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax & 0xffff, 80 | 3);
	EXPECT_EQ(r.rbx, 0x1122334455667788);
	EXPECT_EQ(set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
	EXPECT_EQ(set_segment_base(SEGBASE_GS_USER, 0), 0);
	EXPECT_EQ(set_segment_base(4, 0), -EINVAL);
	EXPECT_EQ(set_segment_base(SEGBASE_FS, 0x800000000000), -EINVAL);
}

GUEST_TEST(CASE(a_gdt_takes_effect), CASE(descriptors_are_made_fit),
	   CASE(the_flat_segments_are_always_there), CASE(system_descriptors_are_refused),
	   CASE(bad_arguments_are_refused), CASE(one_descriptor_can_be_changed),
	   CASE(stores_to_the_page_change_nothing), CASE(a_shorter_gdt_is_shorter),
	   CASE(an_ldt_works_as_well), CASE(a_segment_of_the_gdt_has_its_base),
	   CASE(the_kernel_can_load_the_users_gs));
