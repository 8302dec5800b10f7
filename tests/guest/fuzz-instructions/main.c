// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions at random: any bytes at all in user mode, and what an emulator
 * looks at in the guest kernel.  Each ends in a trap of the guest's, in user mode
 * with a user's frame, and the kernel finds itself as it was.
 *
 * It may not, if the decoder and the CPU disagree on what the bytes are.
 * "seed=N" repeats one run, "tries=N" makes it longer; "show=N" prints the bytes
 * from try N on, should the machine not live to tell.
 */
#include "guest.h"

#define CODE		0x900000UL		/* writable and executable in user mode */
#define KERNEL_CODE	(FREE_VA + 0x700000000UL) /* the same page; a jump cannot reach C */
#define SCRATCH		(KERNEL_CODE + 0x100000)
#define NR_SCRATCH	8

static u64 seed, canary[64];
static u8 *code;
static struct regs r;
static struct cpu *self;

static u64 rnd(u64 below)
{
	return (random64(&seed) >> 20) % below;
}

static u64 value(bool user)
{
	static const u64 pool[] = {
		0, 1, 0x10, 0x80, 0xff, 0x3f8, 0xcf8, 0x8000, 0xffffffff, 0x1000, ~0UL, 0x40000000,
		0xc0000080, 0xc0000100, 0x8000000000000000, 0xffff830000003000, 0xffff880000000000,
		0x7ffffffff000, FLAT_USER_SS, 0xe008, 0xe033,
	};

	if (rnd(2))
		return user ? USER_DATA + rnd(4000) : SCRATCH + rnd(NR_SCRATCH * PAGE_SIZE - 64);
	return rnd(4) ? pool[rnd(ARRAY_SIZE(pool))] : random64(&seed) >> rnd(64);
}

static void random_regs(bool user)
{
	u64 *reg;

	r = user_regs(NULL);
	for (reg = &r.r15; reg <= &r.rdi; reg++)
		*reg = value(user);
	r.rflags = 0x202 | FLAGS_TF | (random64(&seed) & (FLAGS_CF | FLAGS_DF));
}

/* Anything, with a liking for prefixes and the two-byte map. */
static void random_bytes(void)
{
	static const u8 prefixes[] = { 0x66, 0x67, 0xf0, 0xf2, 0xf3, 0x2e, 0x64, 0x65, 0x48, 0x4c };
	u32 n = 0, i;

	memset(code, 0xcc, PAGE_SIZE);
	while (n < 4 && rnd(3) == 0)
		code[n++] = prefixes[rnd(ARRAY_SIZE(prefixes))];
	if (rnd(2))
		code[n++] = 0x0f;
	for (i = 0; i < 12; i++)
		code[n++] = random64(&seed) >> 40;
	/*
	 * QEMU 10 takes segment registers 6 and 7, and any with REX.R, for real:
	 * MOV to those overwrites its own TR, or the mask of A20.
	 */
	for (i = 0; i < n; i++)
		if (code[i] == 0x8e)
			code[i] = 0x90;
}

/* What is still running when the clock strikes is brought back. */
static bool end_by_clock(struct regs *regs)
{
	if (regs->vector != VEC_EVENT || (regs->cs & 3) != 3)
		return false;
	event_upcall();
	*this_cpu()->user = *regs;
	this_cpu()->user = NULL;
	events_off();
	user_leave();
}

static void show(u64 i)
{
	u64 from = cmdline_number("show=", ~0UL), t = now_ns() + 100000000;
	u32 k;

	if (i < from)
		return;
	print("# %lu:", i);
	for (k = 0; k < 16; k++)
		print(" %x", code[k]);
	print(", cs %lx, flags %lx\n", r.cs, r.rflags);
	while (now_ns() < t)
		relax();
}

static void any_bytes_in_user_mode(void)
{
	u64 tries = cmdline_number("tries=", 1000), i, before = 0;

	bind_virq(VIRQ_TIMER, 0);
	trap_hook = end_by_clock;
	for (i = 0; i < tries && !test_has_failed(); i++) {
		before = seed;
		random_bytes();
		random_regs(true);
		r.rip = CODE;
		if (rnd(4))
			r.rflags &= ~FLAGS_TF;
		if (rnd(8) == 0)
			r.cs = FLAT_USER_CS32;
		show(i);
		set_timer_op(now_ns() + 20000000);
		user_run(&r);
		EXPECT_EQ(r.cs & 3, 3);
		EXPECT_EQ(r.rflags & (FLAGS_IF | FLAGS_IOPL), FLAGS_IF);
		EXPECT_EQ(this_cpu(), self);
	}
	if (test_has_failed())
		print("# try %lu, seed %lu\n", i, before);
	EXPECT_EQ(canary[63], 63 * 0x9e3779b97f4a7c15);
}

static bool leave_from_kernel(struct regs *regs)
{
	set_segment_base(SEGBASE_GS_KERNEL, (u64)self);
	if (!this_cpu()->user)
		return false;
	*this_cpu()->user = *regs;
	this_cpu()->user = NULL;
	events_off();
	user_leave();
}

/* Privileged, or at least looked at; none that moves the stack or the root. */
static void privileged_bytes(void)
{
	static const u8 one[] = { 0x6c, 0x6e, 0xe4, 0xe5, 0xe6, 0xec, 0xed, 0xee, 0xef, 0xfa, 0xfb,
				  0xcc, 0xf1, 0xce };
	static const u8 two[] = { 0x00, 0x01, 0x06, 0x08, 0x09, 0x0b, 0x20, 0x21, 0x22, 0x23, 0x30,
				  0x31, 0x32, 0x33, 0xa2, 0xc7, 0xae };
	u32 n = 0, i;
	u8 op;

	memset(code, 0xcc, PAGE_SIZE);
	if (rnd(3) == 0)
		code[n++] = rnd(2) ? 0x66 : 0xf2 + rnd(2);
	if (rnd(3) == 0)
		code[n++] = 0x40 + rnd(16);
	if (rnd(3) == 0) {
		code[n++] = one[rnd(ARRAY_SIZE(one))];
		code[n] = rnd(256);
		return;
	}
	op = two[rnd(ARRAY_SIZE(two))];
	code[n++] = 0x0f;
	code[n++] = op;
	for (i = 0; i < 8; i++)
		code[n + i] = rnd(256);
	if (op == 0x0b)
		memcpy(&code[n], "xen\x0f\xa2", 5);
	/* Not to %cr3, and not to %rsp. */
	if (op == 0x22 && (code[n] >> 3 & 7) == 3)
		code[n] ^= 0x20;
	if ((code[n] & 7) == 4)
		code[n] ^= 1;
}

static void privileged_bytes_in_the_kernel(void)
{
	u64 tries = cmdline_number("tries=", 1000), i, before = 0;

	trap_hook = leave_from_kernel;
	for (i = 0; i < tries && !test_has_failed(); i++) {
		before = seed;
		privileged_bytes();
		random_regs(false);
		r.rip = KERNEL_CODE;
		r.cs = FLAT_KERNEL_CS & ~3;
		r.rsp = SCRATCH + 4 * PAGE_SIZE;
		show(i);
		user_run(&r);
		EXPECT_EQ(this_cpu(), self);
		set_debugreg(7, 0x400);
		EXPECT_EQ(xen_version(XENVER_pagesize, NULL), 4096);
	}
	if (test_has_failed())
		print("# try %lu, seed %lu\n", i, before);
	EXPECT_EQ(canary[63], 63 * 0x9e3779b97f4a7c15);
}

static void set_up(void)
{
	u32 i;

	seed = cmdline_number("seed=", 1);
	print("# seed=%lu\n", seed);
	self = this_cpu();
	code = page_alloc();
	map(kernel_root(), CODE, mkpte(mfn_of(code), PTE_RW));
	map(kernel_root(), KERNEL_CODE, mkpte(mfn_of(code), PTE_RW));
	for (i = 0; i < NR_SCRATCH; i++)
		map(kernel_root(), SCRATCH + i * PAGE_SIZE, mkpte(mfn_of(page_alloc()), PTE_RW));
	for (i = 0; i < ARRAY_SIZE(canary); i++)
		canary[i] = i * 0x9e3779b97f4a7c15;
}

GUEST_TEST(CASE(set_up), CASE(any_bytes_in_user_mode), CASE(privileged_bytes_in_the_kernel));
