// SPDX-License-Identifier: GPL-2.0
/*
 * A frame that the CPU will not load ends in the failsafe callback: events
 * masked if it was registered so, and on the stack rcx, r11, the four data
 * selectors, then the frame that did not load.
 *
 * It may not: the CPU finds out in ring 0, in the middle of the hypervisor's
 * own IRETQ.
 */
#include "guest.h"

USER_ASM(code_ud, "ud2");

static struct regs r;

static u64 run_with(u16 cs, u16 ss)
{
	r = user_regs(code_ud);
	r.rax = 0x1111111111111111;
	r.rcx = 0x2222222222222222;
	r.r11 = 0x3333333333333333;
	r.rdi = 0x4444444444444444;
	r.cs = cs;
	r.ss = ss;
	return user_run(&r);
}

static void a_selector_without_a_descriptor(void)
{
	EXPECT_EQ(run_with(0x1233, FLAT_USER_SS), VEC_FAILSAFE);
	EXPECT_EQ(r.rip, user_va(code_ud));
	EXPECT_EQ(r.cs & 0xffff, 0x1233);
	EXPECT_EQ(r.ss, FLAT_USER_SS);
	EXPECT_EQ(r.rsp, USER_STACK);
	EXPECT_EQ(r.rflags, 0x202);
	EXPECT_EQ(run_with(FLAT_USER_CS64, 0x1233), VEC_FAILSAFE);
	EXPECT_EQ(r.ss, 0x1233);
}

static void registers_are_those_of_the_frame(void)
{
	EXPECT_EQ(run_with(0x1233, FLAT_USER_SS), VEC_FAILSAFE);
	EXPECT_EQ(r.rax, 0x1111111111111111);
	EXPECT_EQ(r.rdi, 0x4444444444444444);
	EXPECT_EQ(failsafe_frame[0], 0x2222222222222222);
	EXPECT_EQ(failsafe_frame[1], 0x3333333333333333);
}

/* Linux compares them with its own to learn what was wrong. */
static void the_data_selectors_are_between(void)
{
	asm volatile("movw %0, %%ds; movw %0, %%fs" : : "r" ((u16)FLAT_RING3_DS32));
	EXPECT_EQ(run_with(0x1233, FLAT_USER_SS), VEC_FAILSAFE);
	asm volatile("movw %0, %%ds; movw %0, %%fs" : : "r" ((u16)0));
	EXPECT_EQ(failsafe_frame[2], FLAT_RING3_DS32);
	EXPECT_EQ(failsafe_frame[3], 0);
	EXPECT_EQ(failsafe_frame[4], FLAT_RING3_DS32);
	EXPECT_EQ(failsafe_frame[5], 0);
}

static void events_are_masked_if_it_said_so(void)
{
	struct vcpu_info *info = this_cpu()->info;
	u32 port = bind_ipi(0);

	event_forget();
	EXPECT_EQ(run_with(0x1233, FLAT_USER_SS), VEC_FAILSAFE);
	EXPECT_EQ(r.cs >> 32 & 0xff, 0);
	EXPECT_EQ(info->evtchn_upcall_mask, 1);
	port_send(port);
	EXPECT_EQ(event_log.upcalls, 0);
	events_on();
	EXPECT_EQ(event_log.upcalls, 1);
	events_off();
	port_close(port);
}

/* What is the hypervisor's stays the hypervisor's, whatever the RPL says. */
static void hypervisor_selectors_do_not_load(void)
{
	u16 selector;

	for (selector = 0xe000; selector < 0xe0f0; selector += 8) {
		if (selector == (FLAT_USER_CS64 & ~7) || selector == (FLAT_USER_CS32 & ~7))
			continue;
		EXPECT_EQ(run_with(selector | 3, FLAT_USER_SS), VEC_FAILSAFE);
	}
	EXPECT_EQ(run_with(FLAT_USER_CS64, 0xe010 | 3), VEC_FAILSAFE);
	EXPECT_EQ(run_with(FLAT_USER_CS64, 0xe040 | 3), VEC_FAILSAFE);
	EXPECT_EQ(run_with(FLAT_USER_CS64, 3), VEC_FAILSAFE);
}

/* Some CPUs find out in IRETQ, some at the first fetch. */
static void an_address_that_is_none(void)
{
	u64 vector;

	r = user_regs(code_ud);
	r.rip = 0x8000000000000000;
	vector = user_run(&r);
	EXPECT(vector == VEC_FAILSAFE || vector == 13);
	EXPECT_EQ(r.rip, 0x8000000000000000);
}

static void the_guest_goes_on(void)
{
	EXPECT_EQ(run_with(FLAT_USER_CS64, FLAT_USER_SS), 6);
}

GUEST_TEST(CASE(a_selector_without_a_descriptor), CASE(registers_are_those_of_the_frame),
	   CASE(the_data_selectors_are_between), CASE(events_are_masked_if_it_said_so),
	   CASE(hypervisor_selectors_do_not_load), CASE(an_address_that_is_none),
	   CASE(the_guest_goes_on));
