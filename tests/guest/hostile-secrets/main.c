// SPDX-License-Identifier: GPL-2.0
/*
 * Nothing that a guest can read tells of the host or of another guest: registers
 * at the start and after hypercalls, what hypercalls write, MSRs, descriptor
 * tables, shared pages.
 *
 * It may, wherever something is handed over that was not written as a whole, or
 * an instruction is let through that shows the CPU's own state.
 */
#include "guest.h"

#define HOLE_START	0xffff800000000000UL
#define HOLE_END	0xffff880000000000UL
#define HOLE5_START	0xff00000000000000UL
#define HOLE5_END	0xff10000000000000UL
#define PATTERN		0xa5

USER_ASM(code_tables, "sgdt (%rdi); sidt 16(%rdi); sldt 32(%rdi); str 40(%rdi); smsw 48(%rdi);"
	 "ud2");

/* The host's direct map, vmalloc, modules: whatever is not the guest's own. */
static bool is_of_the_host(u64 value)
{
	if (value >= 0xffffffff80000000)	/* may be the guest's own */
		return value >= 0xffffffff90000000 && value < 0xffffffffff000000;
	return value >= 0xffff800000000000 && value < 0xffffffff00000000;
}

static void check_value(const char *what, u64 where, u64 value)
{
	if (!is_of_the_host(value))
		return;
	print("# %s %#lx: %#lx\n", what, where, value);
	EXPECT(!"nothing of the host");
}

static void registers_at_the_start(void)
{
	u64 base = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(start_regs); i++)
		if (i != 4 && i != 7)		/* start_info, stack */
			EXPECT_EQ(start_regs[i], 0);
	if (TRY("rdfsbase %0", : "+r" (base)) == VEC_NONE)
		EXPECT_EQ(base, 0);
	for (i = 0; i < 4; i++)
		EXPECT_EQ(get_debugreg(i), 0);
}

static void scan(const char *what, const void *page, u64 size)
{
	const u64 *words = page;
	u64 i;

	for (i = 0; i < size / 8; i++)
		check_value(what, i * 8, READ_ONCE(words[i]));
}

static void shared_pages(void)
{
	const u64 *m2p = (u64 *)MACH2PHYS_VIRT_START;
	u64 i, wrong = 0;

	scan("shared_info", shared_info, PAGE_SIZE);
	scan("console ring", (void *)va_of(start_info->console.domU.mfn), PAGE_SIZE);
	for (i = 0; i < start_info->nr_pages; i++)
		wrong += READ_ONCE(m2p[i]) != i;
	EXPECT_EQ(wrong, 0);
}

/* Each writes what it says it does, all of that, and not a byte more. */
static void what_hypercalls_write(void)
{
	static const struct { int cmd; u32 size; } versions[] = {
		{ XENVER_extraversion, 16 }, { XENVER_compile_info, 64 + 16 + 32 + 32 },
		{ XENVER_capabilities, 1024 }, { XENVER_changeset, 64 },
		{ XENVER_platform_parameters, 8 }, { XENVER_guest_handle, 16 },
		{ XENVER_commandline, 1024 },
	};
	u8 *page = page_alloc();
	u32 i, j;

	for (i = 0; i < ARRAY_SIZE(versions); i++) {
		u32 left = 0, beyond = 0;

		memset(page, PATTERN, PAGE_SIZE);
		EXPECT_EQ(xen_version(versions[i].cmd, page), 0);
		for (j = 0; j < PAGE_SIZE; j++) {
			left += j < versions[i].size && page[j] == PATTERN;
			beyond += j >= versions[i].size && page[j] != PATTERN;
		}
		if (left || beyond)
			print("# xen_version %d: %u left, %u beyond\n", versions[i].cmd, left,
			      beyond);
		EXPECT_EQ(left + beyond, 0);
		if (versions[i].cmd != XENVER_platform_parameters)
			scan("xen_version", page, versions[i].size);
	}
	memset(page, PATTERN, PAGE_SIZE);
	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, page), 0);
	EXPECT(page[sizeof(struct vcpu_runstate_info)] == PATTERN);
	scan("runstate", page, sizeof(struct vcpu_runstate_info) & ~7UL);
}

static void ports_that_are_not_there(void)
{
	struct evtchn_status *status = page_alloc();
	u32 port;

	for (port = 0; port < 4096; port += 7) {
		memset(status, PATTERN, PAGE_SIZE);
		status->dom = DOMID_SELF;
		status->port = port;
		EXPECT_EQ(event_channel_op(EVTCHNOP_status, status), 0);
		if (status->status != EVTCHNSTAT_closed)
			continue;
		EXPECT_EQ(status->vcpu, 0);
		EXPECT_EQ(status->u.virq, 0);
	}
}

/* RCX and R11 are the call's; every other register is as it was. */
static u64 changed_by(u64 nr, u64 arg1)
{
	u64 regs[20], *p = regs, ret, i, changed = 0;

	for (i = 0; i < 10; i++)
		regs[i] = 0x1111111111111111 * (i + 1);
	regs[1] = arg1;
	asm volatile("movq %%rcx, %%r15\n"
		     "movq 0(%%r15), %%rbx; movq 8(%%r15), %%rdi; movq 16(%%r15), %%rsi\n"
		     "movq 24(%%r15), %%rdx; movq 32(%%r15), %%r8; movq 40(%%r15), %%r9\n"
		     "movq 48(%%r15), %%r10; movq 56(%%r15), %%r12; movq 64(%%r15), %%r13\n"
		     "movq 72(%%r15), %%r14\n"
		     "syscall\n"
		     "movq %%rbx, 80(%%r15); movq %%rdi, 88(%%r15); movq %%rsi, 96(%%r15)\n"
		     "movq %%rdx, 104(%%r15); movq %%r8, 112(%%r15); movq %%r9, 120(%%r15)\n"
		     "movq %%r10, 128(%%r15); movq %%r12, 136(%%r15); movq %%r13, 144(%%r15)\n"
		     "movq %%r14, 152(%%r15)\n"
		     : "=a" (ret), "+c" (p)
		     : "a" (nr)
		     : "rbx", "rdi", "rsi", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
		       "r15", "memory");
	for (i = 0; i < 10; i++)
		changed += regs[i] != regs[i + 10];
	check_value("result of call", nr, ret);
	return changed;
}

static void registers_after_a_hypercall(void)
{
	u64 nr;

	for (nr = 0; nr < 64; nr++) {
		if (nr == __HYPERVISOR_iret || nr == __HYPERVISOR_console_io ||
		    nr == __HYPERVISOR_set_callbacks || nr == __HYPERVISOR_fpu_taskswitch)
			continue;
		EXPECT_EQ(changed_by(nr, 0x7fffffff), 0);
	}
	EXPECT_EQ(changed_by(__HYPERVISOR_xen_version, XENVER_version), 0);
}

static bool msr_read(u32 msr, u64 *value)
{
	u32 lo = 0, hi = 0;
	u64 vector = TRY("rdmsr", : "+a" (lo), "+d" (hi) : "c" (msr));

	*value = (u64)hi << 32 | lo;
	return vector == VEC_NONE;
}

static void msrs(void)
{
	static const u32 ranges[][2] = {
		{ 0, 0x1000 }, { 0x4b564d00, 0x4b564d10 }, { 0x40000000, 0x40000200 },
		{ 0xc0000000, 0xc0000200 }, { 0xc0010000, 0xc0010200 }, { 0xc0011000, 0xc0011040 },
	};
	u64 value;
	u32 i, msr;

	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		for (msr = ranges[i][0]; msr < ranges[i][1]; msr++)
			if (msr_read(msr, &value) && value != (u64)this_cpu())
				check_value("MSR", msr, value);
}

static bool base_tells_nothing(u64 base)
{
	return base >= 0xfffffffffffe0000 || (base >= HOLE_START && base < HOLE_END) ||
	       (base >= HOLE5_START && base < HOLE5_END);
}

static void descriptor_tables(void)
{
	struct __attribute__((packed)) { u16 limit; u64 base; } table = { };
	u64 selector = 0;
	struct regs r;

	if (TRY("sgdt %0", : "=m" (table)) == VEC_NONE)
		EXPECT(base_tells_nothing(table.base));
	if (TRY("sidt %0", : "=m" (table)) == VEC_NONE)
		EXPECT(base_tells_nothing(table.base));
	if (TRY("str %0", : "+r" (selector)) == VEC_NONE)
		check_value("TR", 0, selector);
	if (TRY("sldt %0", : "+r" (selector)) == VEC_NONE)
		check_value("LDTR", 0, selector);
	r = user_regs(code_tables);
	r.rdi = USER_DATA;
	if (user_run(&r) != 6)
		return;
	EXPECT(base_tells_nothing(*(u64 *)((u8 *)user_data + 2)));
	EXPECT(base_tells_nothing(*(u64 *)((u8 *)user_data + 18)));
}

/* On which of the host's CPUs a vCPU runs is none of its business. */
static void the_hosts_cpu_number(void)
{
	u32 aux = 0, lo, hi, limit = 0;
	u64 now, t = now_ns() + 20000000;

	while (now_ns() < t) {
		if (TRY("rdtscp", : "=c" (aux), "=a" (lo), "=d" (hi)) == VEC_NONE)
			EXPECT_EQ(aux, 0);
		relax();
	}
	now = 0;
	if (TRY("rdpid %0", : "+r" (now)) == VEC_NONE)
		EXPECT_EQ(now, 0);
	asm volatile("lsll %1, %0" : "+r" (limit) : "r" (0x7bU));
	EXPECT_EQ(limit, 0);
}

GUEST_TEST(CASE(registers_at_the_start), CASE(shared_pages), CASE(what_hypercalls_write),
	   CASE(ports_that_are_not_there), CASE(registers_after_a_hypercall), CASE(msrs),
	   CASE(descriptor_tables), CASE(the_hosts_cpu_number));
