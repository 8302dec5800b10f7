// SPDX-License-Identifier: GPL-2.0
/*
 * Privileged instructions of a guest kernel have the effect they have in ring 0,
 * as far as the ABI gives them one, and end in #GP or #UD otherwise.
 *
 * They may not: each is decoded from bytes the guest can change, and carried out
 * with rights it has not.
 */
#include "guest.h"

static u64 rdmsr(u32 msr, u64 *value)
{
	u32 lo = 0, hi = 0;
	u64 vector = TRY("rdmsr", : "+a" (lo), "+d" (hi) : "c" (msr));

	*value = (u64)hi << 32 | lo;
	return vector;
}

static u64 wrmsr(u32 msr, u64 value)
{
	return TRY("wrmsr", : : "c" (msr), "a" ((u32)value), "d" ((u32)(value >> 32)));
}

static void cpuid_says_xen(void)
{
	u32 eax = 0x40000000, ebx, ecx = 0, edx;

	asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
		     : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	EXPECT(eax >= 0x40000002);
	EXPECT_EQ(ebx, 0x566e6558);
	EXPECT_EQ(ecx, 0x65584d4d);
	EXPECT_EQ(edx, 0x4d4d566e);
	eax = 1;
	asm volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
		     : "+a" (eax), "=b" (ebx), "+c" (ecx), "=d" (edx));
	EXPECT_EQ(ecx >> 31, 1);
	EXPECT_EQ(ecx >> 17 & 1, 0);	/* PCID */
	EXPECT_EQ(ecx >> 5 & 1, 0);	/* VMX */
}

static void msrs(void)
{
	u64 value, gs = (u64)this_cpu();

	EXPECT_EQ(rdmsr(0xc0000080, &value), VEC_NONE);
	EXPECT_EQ(value & 0x501, 0x501);	/* SCE, LME, LMA */
	EXPECT_EQ(rdmsr(0xc0000101, &value), VEC_NONE);
	EXPECT_EQ(value, gs);
	EXPECT_EQ(wrmsr(0xc0000100, 0x123000), VEC_NONE);
	EXPECT_EQ(rdmsr(0xc0000100, &value), VEC_NONE);
	EXPECT_EQ(value, 0x123000);
	EXPECT_EQ(wrmsr(0xc0000100, 0x8000000000000000), 13);
	EXPECT_EQ(wrmsr(0xc0000100, 0), VEC_NONE);
	EXPECT_EQ(rdmsr(0x12345678, &value), 13);
	EXPECT_EQ(wrmsr(0x12345678, 0), 13);
	/* What would be the host's. */
	EXPECT_EQ(wrmsr(0xc0000080, 0), 13);
	EXPECT_EQ(wrmsr(0x1d9, 1), 13);
	EXPECT_EQ(wrmsr(0x79, 0), 13);
}

static void control_registers(void)
{
	u64 cr0, cr4, value = 0;

	asm volatile("movq %%cr0, %0; movq %%cr4, %1" : "=r" (cr0), "=r" (cr4));
	EXPECT_EQ(cr0 & 0x80010001, 0x80010001);
	EXPECT_EQ(cr4 & (1 << 5), 1 << 5);
	EXPECT_EQ(cr4 & (1 << 16 | 1 << 17 | 1 << 20 | 1 << 21), 0);
	EXPECT_EQ(TRY("movq %0, %%cr0", : : "r" (cr0 | 8)), VEC_NONE);
	EXPECT_EQ(TRY("fnop"), 7);
	EXPECT_EQ(TRY("movq %0, %%cr0", : : "r" (cr0 | 8)), VEC_NONE);
	EXPECT_EQ(TRY("clts"), VEC_NONE);
	EXPECT_EQ(TRY("fnop"), VEC_NONE);
	EXPECT_EQ(TRY("movq %0, %%cr0", : : "r" (cr0 & ~(1UL << 31))), 13);
	EXPECT_EQ(TRY("movq %0, %%cr0", : : "r" (cr0 & ~(1UL << 16))), 13);
	EXPECT_EQ(TRY("movq %0, %%cr4", : : "r" (cr4 & ~(1UL << 5))), 13);
	EXPECT_EQ(TRY("movq %0, %%cr4", : : "r" (cr4 | 1UL << 32)), 13);
	EXPECT_EQ(TRY("movq %0, %%cr4", : : "r" (cr4)), VEC_NONE);
	EXPECT_EQ(TRY("movq %%cr8, %0", : "=r" (value)), VEC_NONE);
	EXPECT_EQ(TRY("movq %0, %%cr3", : : "r" (~0UL)), 13);
	EXPECT_EQ(TRY("movq %0, %%cr2; movq %%cr2, %0", : "+r" (cr4)), VEC_NONE);
}

static void debug_registers(void)
{
	u64 value = (u64)this_cpu();

	EXPECT_EQ(TRY("movq %0, %%db0", : : "r" (value)), VEC_NONE);
	value = 0;
	EXPECT_EQ(TRY("movq %%db0, %0", : "=r" (value)), VEC_NONE);
	EXPECT_EQ(value, (u64)this_cpu());
	EXPECT_EQ(TRY("movq %0, %%db1", : : "r" (0xffff830000000000)), 13);
	set_debugreg(0, 0);
}

static void ports(void)
{
	u8 byte;

	asm volatile("inb $0x42, %0" : "=a" (byte));
	EXPECT(byte != 0xff);
	EXPECT_EQ(TRY("inb %%dx, %%al", : "=a" (byte) : "d" (0x9f0)), VEC_NONE);
	EXPECT_EQ(byte, 0xff);
	EXPECT_EQ(TRY("outb %%al, %%dx", : : "a" (0), "d" (0x9f0)), VEC_NONE);
	EXPECT_EQ(TRY("outb %%al, $0x80", : : "a" (0)), VEC_NONE);
}

static void what_has_no_effect(void)
{
	u64 flags;

	EXPECT_EQ(TRY("cli"), VEC_NONE);
	asm volatile("pushfq; popq %0" : "=r" (flags));
	EXPECT_EQ(flags & FLAGS_IF, FLAGS_IF);
	EXPECT_EQ(TRY("sti"), VEC_NONE);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 1);
	EXPECT_EQ(TRY("wbinvd"), VEC_NONE);
	EXPECT_EQ(TRY("invlpg (%0)", : : "r" (&flags)), VEC_NONE);
}

static void what_a_guest_may_not(void)
{
	u8 buf[16] = { };

	EXPECT_EQ(TRY("lgdt %0", : : "m" (buf)), 13);
	EXPECT_EQ(TRY("lidt %0", : : "m" (buf)), 13);
	EXPECT_EQ(TRY("ltr %w0", : : "r" (0xe040)), 13);
	EXPECT_EQ(TRY("lldt %w0", : : "r" (0xe050)), 13);
	EXPECT_EQ(TRY("swapgs"), 13);
	EXPECT_EQ(TRY("sysretq"), 13);
	EXPECT(TRY("sysexitl") != VEC_NONE);	/* #UD or #GP, by its maker */
	EXPECT_EQ(TRY("rdpmc", : : "c" (0) : "eax", "edx"), 13);
	EXPECT_EQ(TRY("invd"), VEC_NONE);
	EXPECT_EQ(TRY("vmcall"), 6);
	EXPECT_EQ(TRY("ud2; .ascii \"xeN\""), 6);
}

static void hlt_waits_for_an_event(void)
{
	u32 port = bind_virq(VIRQ_TIMER, 0);
	u64 due = now_ns() + 20000000;

	event_forget();
	set_timer_op(due);
	this_cpu()->info->evtchn_upcall_mask = 0;
	asm volatile("hlt");
	EXPECT_EQ(event_log.count[port], 1);
	EXPECT(now_ns() >= due);
	port_close(port);
}

/* No address of the host's tables is to be had by asking the CPU. */
static void tables_are_not_shown(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) gdt = { }, idt = { };

	EXPECT_EQ(TRY("sgdt %0", : "+m" (gdt)), VEC_NONE);
	EXPECT_EQ(TRY("sidt %0", : "+m" (idt)), VEC_NONE);
	EXPECT(gdt.base >> 36 != 0xffff830);
	EXPECT(idt.base >> 36 != 0xffff830);
	EXPECT((s64)gdt.base >> 56 != -256);
}

#define NO_ADDRESS	0x8000000000000000UL
#define OPERANDS	(FREE_VA + 0x40000000UL)	/* a page, and none behind */

USER_ASM(code_sgdt, "sgdt (%rdi); ud2");
USER_ASM(code_smsw, "smsw (%rdi); ud2");

static void no_address_is_gp(void)
{
	struct regs r;

	EXPECT_EQ(TRY("sgdt (%0)", : : "r" (NO_ADDRESS) : "memory"), 13);
	EXPECT_EQ(this_cpu()->last.error, 0);
	EXPECT_EQ(TRY("smsw (%0)", : : "r" (NO_ADDRESS) : "memory"), 13);
	EXPECT_EQ(TRY("sidt (%0)", : : "r" (0x7ffffffffff8) : "memory"), 13);
	EXPECT_EQ(TRY("lmsw (%0)", : : "r" (NO_ADDRESS) : "memory"), 13);
	r = user_regs(code_sgdt);
	r.rdi = NO_ADDRESS;
	EXPECT_EQ(user_run(&r), 13);
	EXPECT_EQ(r.error, 0);
}

static void expect_fault(u64 va, u64 error)
{
	EXPECT_EQ(this_cpu()->info->arch.cr2, va);
	EXPECT_EQ(this_cpu()->last.error, error);
}

/* #PF names the first byte that is not there, and what for. */
static void an_operand_in_two_pages(void)
{
	u64 end = OPERANDS + PAGE_SIZE;

	map(kernel_root(), OPERANDS, mkpte(mfn_of(page_alloc()), PTE_RW));
	EXPECT_EQ(TRY("sgdt (%0)", : : "r" (end - 10) : "memory"), VEC_NONE);
	EXPECT_EQ(TRY("sgdt (%0)", : : "r" (end - 4) : "memory"), 14);
	expect_fault(end, PF_W);
	EXPECT_EQ(TRY("smsw (%0)", : : "r" (end - 1) : "memory"), 14);
	expect_fault(end, PF_W);
	EXPECT_EQ(TRY("smsw (%0)", : : "r" (end + 1) : "memory"), 14);
	expect_fault(end + 1, PF_W);
	EXPECT_EQ(TRY("lmsw (%0)", : : "r" (end - 1) : "memory"), 14);
	expect_fault(end, 0);
	map(kernel_root(), end, mkpte(mfn_of(page_alloc()), PTE_RO));
	EXPECT_EQ(TRY("sgdt (%0)", : : "r" (end - 4) : "memory"), 14);
	expect_fault(end, PF_W | PF_P);
}

static void a_programs_operand_in_two_pages(void)
{
	struct regs r = user_regs(code_smsw);

	r.rdi = USER_DATA + PAGE_SIZE - 1;
	EXPECT_EQ(user_run(&r), 14);
	EXPECT_EQ(this_cpu()->info->arch.cr2, USER_DATA + PAGE_SIZE);
	EXPECT_EQ(r.error, PF_W | PF_U);
	r = user_regs(code_sgdt);
	r.rdi = user_va(code_sgdt);
	EXPECT_EQ(user_run(&r), 14);
	EXPECT_EQ(this_cpu()->info->arch.cr2, user_va(code_sgdt));
	EXPECT_EQ(r.error, PF_W | PF_U | PF_P);
}

GUEST_TEST(CASE(cpuid_says_xen), CASE(msrs), CASE(control_registers), CASE(debug_registers),
	   CASE(ports), CASE(what_has_no_effect), CASE(what_a_guest_may_not),
	   CASE(hlt_waits_for_an_event), CASE(tables_are_not_shown),
	   CASE(no_address_is_gp), CASE(an_operand_in_two_pages),
	   CASE(a_programs_operand_in_two_pages));
