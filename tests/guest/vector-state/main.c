// SPDX-License-Identifier: GPL-2.0
/*
 * Vector registers and their control words are the vCPU's: they begin as after a
 * reset, and nothing but the guest changes them, through traps, hypercalls and
 * exits to the launcher alike.
 *
 * They may be the launcher's, for it is a program that uses them as well, with
 * control words of its own, between one RF_VCPU_RUN and the next.
 */
#include "guest.h"

/* Answered by nobody, by way of the launcher. */
#define PORT	0x1230

#define MXCSR_INIT	0x1f80
#define MXCSR_MINE	0x7f80	/* round to zero */
#define FCW_INIT	0x037f
#define FCW_MINE	0x0f7f	/* the same */

static u8 area[512] __attribute__((aligned(16)));

static void fxsave(void)
{
	memset(area, 0, sizeof(area));
	asm volatile("fxsave64 %0" : "=m" (area));
}

static u32 get32(u32 offset)
{
	u32 value;

	memcpy(&value, area + offset, sizeof(value));
	return value;
}

/* First of all: print() may not have been through the launcher yet. */
static void they_begin_as_after_a_reset(void)
{
	u32 i, xmm = 0;

	fxsave();
	EXPECT_EQ(get32(0) & 0xffff, FCW_INIT);
	EXPECT_EQ(get32(4) & 0xff, 0);
	EXPECT_EQ(get32(24), MXCSR_INIT);
	for (i = 160; i < 416; i++)
		xmm |= area[i];
	EXPECT_EQ(xmm, 0);
}

static void set_all(void)
{
	u32 i;

	memset(area, 0, sizeof(area));
	area[0] = FCW_MINE & 0xff;
	area[1] = FCW_MINE >> 8;
	area[4] = 0xc0;		/* two of the x87 registers are in use */
	area[24] = MXCSR_MINE & 0xff;
	area[25] = MXCSR_MINE >> 8;
	for (i = 32; i < 416; i++)
		area[i] = i * 7 + i / 256;
	asm volatile("fxrstor64 %0" : : "m" (area));
}

static bool all_are_set(void)
{
	u32 i;

	fxsave();
	if ((get32(0) & 0xffff) != FCW_MINE || (get32(4) & 0xff) != 0xc0 ||
	    get32(24) != MXCSR_MINE)
		return false;
	/* Of the x87 registers 10 bytes each. */
	for (i = 32; i < 416; i++)
		if ((i >= 160 || i % 16 < 10) && area[i] != (u8)(i * 7 + i / 256))
			return false;
	return true;
}

static void traps_and_calls_leave_them(void)
{
	set_all();
	EXPECT_EQ(TRY("ud2"), 6);
	xen_version(XENVER_extraversion, NULL);
	sched_op(SCHEDOP_yield, NULL);
	EXPECT(all_are_set());
}

static void the_launcher_leaves_them(void)
{
	u32 i, eax;

	for (i = 0; i < 20 && !test_has_failed(); i++) {
		set_all();
		asm volatile("inb %%dx, %%al" : "=a" (eax) : "d" (PORT));
		EXPECT(all_are_set());
		set_all();
		console_io(CONSOLEIO_write, 2, "#\n");
		EXPECT(all_are_set());
	}
}

#define CPUID_OSXSAVE	(1U << 27)
#define CPUID_AVX	(1U << 28)
#define CR4_OSXSAVE	(1UL << 18)

static bool have_avx(void)
{
	u32 eax = 1, ebx, ecx, edx;
	u64 cr4;

	asm volatile("ud2; .ascii \"xen\"; cpuid"
		     : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	if (~ecx & (CPUID_OSXSAVE | CPUID_AVX))
		return false;
	asm volatile("movq %%cr4, %0" : "=r" (cr4));
	asm volatile("movq %0, %%cr4" : : "r" (cr4 | CR4_OSXSAVE));
	asm volatile("xsetbv" : : "a" (7), "d" (0), "c" (0));
	return true;
}

static void so_are_the_upper_halves(void)
{
	u64 in[4] __attribute__((aligned(32))) = { 1, 2, 3, 4 };
	u64 out[4] __attribute__((aligned(32)));
	u32 eax;

	if (!have_avx()) {
		test_skip("no AVX");
		return;
	}
	/* Nobody has set them yet. */
	asm volatile("vmovdqa %%ymm9, %0" : "=m" (out));
	EXPECT_EQ(out[2] | out[3], 0);
	asm volatile("vmovdqa %0, %%ymm9" : : "m" (in));
	asm volatile("inb %%dx, %%al" : "=a" (eax) : "d" (PORT));
	asm volatile("vmovdqa %%ymm9, %0" : "=m" (out));
	EXPECT(!memcmp(in, out, sizeof(in)));
}

GUEST_TEST(CASE(they_begin_as_after_a_reset), CASE(traps_and_calls_leave_them),
	   CASE(the_launcher_leaves_them), CASE(so_are_the_upper_halves));
