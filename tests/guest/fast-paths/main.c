// SPDX-License-Identifier: GPL-2.0
/*
 * What the switcher serves by itself ends bit by bit as what C serves: system
 * calls, iret, stack_switch, set_segment_base, xen_version, changes of root, page
 * faults at what is not mapped, changes of one entry.
 *
 * It may not, for they are written twice.  The slow one is had by a stack whose
 * page the shadow does not have yet, and by a multicall.
 */
#include "guest.h"

#define STACK_ALIAS	FREE_VA
#define CALL_STACK	(FREE_VA + 0x100000)

USER_ASM(code_syscall, "syscall");
USER_ASM(code_ud, "ud2");
USER_ASM(code_read, "movq (%rdi), %rax; ud2");
USER_ASM(code_write, "movq %rax, (%rdi); ud2");
USER_ASM(code_jump, "jmp *%rdi");

static struct regs distinct(const u8 *code)
{
	struct regs regs = user_regs(code);
	u64 *reg;
	u64 n = 1;

	for (reg = &regs.r15; reg <= &regs.rdi; reg++, n++)
		*reg = n * 0x0101010101010101;
	return regs;
}

/* Map anew, never accessed, so that the shadow has nothing. */
static void map_cold(u64 va, u64 mfn)
{
	map(kernel_root(), va, 0);
	flush_tlb_local();
	map(kernel_root(), va, mkpte(mfn, PTE_P | PTE_W | PTE_U));
}

/* The other address of the stack this runs on, all of its pages cold. */
static u64 alias_of_stack(void)
{
	u64 page = (u64)__builtin_frame_address(0) & ~(PAGE_SIZE - 1);
	u64 i;

	for (i = 0; i < 3; i++)
		map_cold(STACK_ALIAS + i * PAGE_SIZE, mfn_of((void *)page) + i - 1);
	return STACK_ALIAS + PAGE_SIZE - page;
}

static void same(const struct regs *slow, const struct regs *fast)
{
	const u64 *a = (const u64 *)slow, *b = (const u64 *)fast;
	u32 i;

	for (i = 0; i < sizeof(*slow) / sizeof(u64); i++)
		if (a[i] != b[i])
			print("# word %u of struct regs: slow %#lx, fast %#lx\n", i, a[i], b[i]);
	EXPECT(!memcmp(slow, fast, sizeof(*slow)));
}

static void system_call(u64 rflags)
{
	struct regs slow = distinct(code_syscall), fast;

	slow.rflags = rflags;
	fast = slow;
	map_cold(CALL_STACK, mfn_of(page_alloc()));
	this_cpu()->kernel_sp = CALL_STACK + PAGE_SIZE - 40;
	EXPECT_EQ(user_run(&slow), VEC_SYSCALL);
	EXPECT_EQ(user_run(&fast), VEC_SYSCALL);
	this_cpu()->kernel_sp = 0;
	same(&slow, &fast);
}

static void system_calls_are_bounced_alike(void)
{
	system_call(0x202);
	system_call(0x002);
	system_call(0x202 | FLAGS_DF | FLAGS_AC | FLAGS_ID | FLAGS_CF);
	callback_register(CALLBACKTYPE_syscall, 0, entry_syscall);
	system_call(0x202);
	callback_register(CALLBACKTYPE_syscall, CALLBACKF_mask_events, entry_syscall);
}

/* The page after the user's only one: its table is there, its entry is not. */
#define NOT_THERE	(USER_DATA + PAGE_SIZE + 24)

static void page_fault(const u8 *code, u64 rflags)
{
	struct regs slow = distinct(code), fast;
	u64 cr2;

	slow.rflags = rflags;
	slow.rdi = NOT_THERE;
	fast = slow;
	map_cold(CALL_STACK, mfn_of(page_alloc()));
	this_cpu()->kernel_sp = CALL_STACK + PAGE_SIZE - 40;
	EXPECT_EQ(user_run(&slow), 14);
	cr2 = this_cpu()->info->arch.cr2;
	this_cpu()->info->arch.cr2 = 0;
	EXPECT_EQ(user_run(&fast), 14);
	EXPECT_EQ(cr2, NOT_THERE);
	EXPECT_EQ(this_cpu()->info->arch.cr2, cr2);
	this_cpu()->kernel_sp = 0;
	same(&slow, &fast);
}

static void page_faults_are_bounced_alike(void)
{
	struct regs there = user_regs(code_read);

	there.rdi = USER_DATA;
	EXPECT_EQ(user_run(&there), 6);
	page_fault(code_read, 0x202);
	page_fault(code_write, 0x202 | FLAGS_DF | FLAGS_ID | FLAGS_CF);
	page_fault(code_jump, 0x202);
	page_fault(code_read, 0x002);
}

/* What a fault says once may be otherwise the next time, without a flush. */
static void what_is_mapped_faults_no_more(void)
{
	u64 *entry = pte_find(kernel_root(), USER_DATA + PAGE_SIZE, 1);
	struct regs r = user_regs(code_read);
	u64 *page = page_alloc();
	u32 i;

	for (i = 0; i < 3; i++) {
		page[3] = 4711 + i;
		r = user_regs(code_read);
		r.rdi = NOT_THERE;
		EXPECT_EQ(user_run(&r), 14);
		if (i < 2)
			pte_write(entry, mkpte(mfn_of(page), PTE_RW));
		else
			EXPECT_EQ(try_write((u64)entry, mkpte(mfn_of(page), PTE_RW)), VEC_NONE);
		r = user_regs(code_read);
		r.rdi = NOT_THERE;
		EXPECT_EQ(user_run(&r), 6);
		EXPECT_EQ(r.rax, 4711 + i);
		pte_write(entry, 0);
		flush_tlb_all();
	}
}

static void iret_with(u64 rflags, u64 cs)
{
	struct regs slow = distinct(code_ud), fast;

	slow.rflags = rflags;
	slow.cs = cs;
	fast = slow;
	this_cpu()->iret_offset = alias_of_stack();
	EXPECT_EQ(user_run(&slow), 6);
	EXPECT_EQ(user_run(&fast), 6);
	this_cpu()->iret_offset = 0;
	same(&slow, &fast);
}

static void irets_to_user_mode_are_alike(void)
{
	iret_with(0x202, FLAT_USER_CS64);
	iret_with(0x002, FLAT_USER_CS64);
	iret_with(0xffffffff & ~FLAGS_TF, FLAT_USER_CS64);
	iret_with(0x202, FLAT_USER_CS32);
	iret_with(0x202, 0xffff00000000 | FLAT_USER_CS64);
}

/* In kernel mode the trap looks for user_run() in vain; it is found here. */
static bool leave_from_kernel(struct regs *regs)
{
	if (regs->vector != 6)
		return false;
	*this_cpu()->user = *regs;
	this_cpu()->user = NULL;
	events_off();
	user_leave();
}

static void irets_to_the_kernel_are_alike(void)
{
	trap_hook = leave_from_kernel;
	iret_with(0x202, FLAT_KERNEL_CS & ~3);
	iret_with(0x002, FLAT_KERNEL_CS & ~3);
	iret_with(0xffffffff & ~FLAGS_TF, FLAT_KERNEL_CS & ~2);
}

static long by_multicall(u64 op, u64 a, u64 b)
{
	struct multicall_entry entry = { .op = op, .args = { a, b } };

	EXPECT_EQ(multicall(&entry, 1), 0);
	return entry.result;
}

static u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a" (lo), "=d" (hi) : "c" (msr));
	return (u64)hi << 32 | lo;
}

static const u64 addresses[] = {
	0, 0x1000, 0x7fffffffffff, 0x800000000000, 0x8000000000000000, 0xffff7fffffffffff,
	0xffff800000000000, 0xffff830000001000, 0xffff87fffffffff0, 0xffff880000000000,
	0xffff880000001000, 0xffffffff80000000, 0xfffffffffffffff0, 0xffffffffffffffff,
};

static void segment_bases_are_set_alike(void)
{
	u64 gs = (u64)this_cpu();
	u32 which, i;

	for (which = 0; which < 5; which++) {
		for (i = 0; i < ARRAY_SIZE(addresses); i++) {
			long slow, fast, base_slow, base_fast;
			u32 msr = 0xc0000100 + (which == 0 ? 0 : which == 1 ? 2 : 1);

			slow = by_multicall(__HYPERVISOR_set_segment_base, which, addresses[i]);
			base_slow = rdmsr(msr);
			set_segment_base(which, 0x1234000);
			fast = set_segment_base(which, addresses[i]);
			base_fast = rdmsr(msr);
			set_segment_base(SEGBASE_GS_KERNEL, gs);
			EXPECT_EQ(fast, slow);
			if (!slow)
				EXPECT_EQ(base_fast, base_slow);
		}
	}
	set_segment_base(SEGBASE_FS, 0);
	set_segment_base(SEGBASE_GS_USER, 0);
}

static void stacks_are_switched_alike(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++) {
		long fast = stack_switch(FLAT_KERNEL_SS, addresses[i]);
		long slow = by_multicall(__HYPERVISOR_stack_switch, FLAT_KERNEL_SS,
					 addresses[i]);

		if (fast != slow)
			print("# stack_switch(%#lx)\n", addresses[i]);
		EXPECT_EQ(fast, slow);
	}
}

static void versions_are_alike(void)
{
	EXPECT_EQ(xen_version(XENVER_version, NULL),
		  by_multicall(__HYPERVISOR_xen_version, XENVER_version, 0));
}

static long mmuext_slow(const struct mmuext_op *ops, u64 nr, u32 *done, u64 dom)
{
	struct multicall_entry entry = {
		.op = __HYPERVISOR_mmuext_op, .args = { (u64)ops, nr, (u64)done, dom },
	};

	EXPECT_EQ(multicall(&entry, 1), 0);
	return entry.result;
}

static void one_mmuext(const struct mmuext_op *ops, u64 nr, u32 *done, u64 dom)
{
	long slow = mmuext_slow(ops, nr, done, dom);
	long fast = HYPERCALL4(mmuext_op, ops, nr, done, dom);
	struct mmuext_op back[2] = {
		{ .cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = kernel_root() },
		{ .cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = user_root },
	};

	if (fast != slow)
		print("# mmuext_op %u, %lu: slow %ld, fast %ld\n", ops->cmd, nr, slow, fast);
	EXPECT_EQ(fast, slow);
	mmuext_op(back, 2, NULL);
}

/* Commands with frames good, bad and none, in ones and twos. */
static void roots_are_changed_alike(void)
{
	const u64 frames[] = { kernel_root(), user_root, 0, 1UL << 30, ~0UL };
	struct mmuext_op ops[3] = {};
	u32 cmd, i, done;

	for (cmd = MMUEXT_NEW_BASEPTR; cmd <= MMUEXT_NEW_USER_BASEPTR; cmd++) {
		if (cmd >= MMUEXT_TLB_FLUSH_MULTI && cmd <= MMUEXT_SET_LDT)
			continue;
		for (i = 0; i < ARRAY_SIZE(frames); i++) {
			/* A frame that is no root of a kernel kills. */
			if (cmd == MMUEXT_NEW_BASEPTR && i && i < 3)
				continue;
			ops[0] = (struct mmuext_op) { .cmd = cmd, .arg1.mfn = frames[i] };
			ops[1] = ops[0];
			one_mmuext(ops, 1, NULL, DOMID_SELF);
			one_mmuext(ops, 2, NULL, DOMID_SELF);
			one_mmuext(ops, 1, &done, DOMID_SELF);
		}
	}
	ops[0] = (struct mmuext_op) { .cmd = MMUEXT_TLB_FLUSH_LOCAL };
	ops[1] = ops[0];
	ops[2] = ops[0];
	one_mmuext(ops, 0, NULL, DOMID_SELF);
	one_mmuext(ops, 3, NULL, DOMID_SELF);
	one_mmuext(ops, 1UL << 32, NULL, DOMID_SELF);
	one_mmuext(ops, (1UL << 32) + 1, NULL, DOMID_SELF);
	one_mmuext(ops, 1, NULL, 0);
	one_mmuext(ops, 1, NULL, DOMID_SELF | 1UL << 32);
	one_mmuext(ops, 1, (u32 *)8, DOMID_SELF);
}

/* Arguments that are not all there: nothing of them has happened. */
static void half_an_argument_changes_nothing(void)
{
	static const u64 nowhere[] = {
		0, 8, 0x800000000000, 0xffff830000000000, 0xffff800000000000 - 8,
		0xffff87fffffffff8, 0xfffffffffffffff8,
	};
	struct mmuext_op *ops = (struct mmuext_op *)(FREE_VA + PAGE_SIZE) - 1;
	u32 i;

	map(kernel_root(), FREE_VA, mkpte(mfn_of(page_alloc()), PTE_RW));
	map(kernel_root(), FREE_VA + PAGE_SIZE, 0);
	ops->cmd = MMUEXT_NEW_BASEPTR;
	ops->arg1.mfn = kernel_root();
	EXPECT_EQ(mmuext_op(ops, 1, NULL), 0);
	EXPECT_EQ(mmuext_op(ops, 2, NULL), -EFAULT);
	EXPECT_EQ(mmuext_slow(ops, 2, NULL, DOMID_SELF), -EFAULT);
	for (i = 0; i < ARRAY_SIZE(nowhere); i++)
		EXPECT_EQ(mmuext_op((void *)nowhere[i], 1, NULL), -EFAULT);
}

/* --- one entry ------------------------------------------------------------------ */

static long update_slow(const struct mmu_update *update, u64 nr, u32 *done, u64 dom)
{
	struct multicall_entry entry = {
		.op = __HYPERVISOR_mmu_update, .args = { (u64)update, nr, (u64)done, dom },
	};

	EXPECT_EQ(multicall(&entry, 1), 0);
	return entry.result;
}

/* What comes of an update, for the caller, the guest's entry and its user. */
struct outcome {
	long result;
	u64 stored;
	int read;
	int write;
	int jump;
	u64 left;
};

static int user_at(const u8 *code)
{
	struct regs r = user_regs(code);

	r.rdi = NOT_THERE;
	r.rax = 0x0b0f0b0f0b0f0b0f;	/* ud2, and not present */
	return user_run(&r);
}

static struct outcome updated(bool fast, u64 *entry, u64 before, u64 cmd, u64 val)
{
	struct mmu_update update = { .ptr = pte_ma(entry) | cmd, .val = val };
	struct outcome out = {};

	EXPECT_EQ(pte_write(entry, 0), 0);
	EXPECT_EQ(pte_write(entry, before), 0);
	flush_tlb_all();
	if (before & PTE_A)
		user_at(code_read);
	out.result = fast ? mmu_update(&update, 1, NULL) :
			    update_slow(&update, 1, NULL, DOMID_SELF);
	out.stored = *entry;
	flush_tlb_all();
	out.read = user_at(code_read);
	out.write = user_at(code_write);
	out.jump = user_at(code_jump);
	out.left = *entry;
	return out;
}

static void one_update(u64 *entry, u64 before, u64 cmd, u64 val)
{
	struct outcome slow = updated(false, entry, before, cmd, val);
	struct outcome fast = updated(true, entry, before, cmd, val);

	if (memcmp(&slow, &fast, sizeof(slow)))
		print("# %#lx, command %lu, %#lx: slow %ld %#lx %d %d %d %#lx\n", before, cmd,
		      val, slow.result, slow.stored, slow.read, slow.write, slow.jump, slow.left);
	EXPECT_EQ(fast.result, slow.result);
	EXPECT_EQ(fast.stored, slow.stored);
	EXPECT_EQ(fast.read, slow.read);
	EXPECT_EQ(fast.write, slow.write);
	EXPECT_EQ(fast.jump, slow.jump);
	EXPECT_EQ(fast.left, slow.left);
}

static u64 page_of_ud2(void)
{
	u64 *page = page_alloc();
	u32 i;

	for (i = 0; i < PAGE_SIZE / sizeof(u64); i++)
		page[i] = 0x0b0f0b0f0b0f0b0f;
	return mfn_of(page);
}

static void entries_are_changed_alike(void)
{
	static const u64 flags[] = {
		PTE_RW, PTE_RO, PTE_RW | PTE_NX, PTE_RW & ~PTE_D, PTE_RW & ~PTE_A,
		PTE_RO | PTE_D, PTE_RW & ~PTE_U, PTE_RW & ~PTE_P, PTE_RW | 0xe00, 0,
	};
	u64 *entry = pte_find(kernel_root(), USER_DATA + PAGE_SIZE, 1);
	u64 one = page_of_ud2(), other = page_of_ud2();
	const u64 before[] = { 0, mkpte(one, PTE_RW), mkpte(one, PTE_RO), mkpte(other, PTE_RW),
			       mkpte(one, PTE_P | PTE_W | PTE_U) };
	u32 i, j, cmd;

	for (i = 0; i < ARRAY_SIZE(before); i++)
		for (j = 0; j < ARRAY_SIZE(flags); j++)
			for (cmd = 0; cmd < 4; cmd++)
				one_update(entry, before[i], cmd, mkpte(one, flags[j]));
	/* Frames that there are none of, while frame 0 is mapped. */
	map(kernel_root(), FREE_VA + 8 * PAGE_SIZE, mkpte(0, PTE_RO));
	EXPECT_EQ(*(volatile u64 *)(FREE_VA + 8 * PAGE_SIZE), *(u64 *)va_of(0));
	one_update(entry, before[1], 0, mkpte(1UL << 30, PTE_RW));
	one_update(entry, 0, 0, mkpte(0xffffffffffUL, PTE_RW));
	one_update(entry, 0, 0, mkpte(0xffffffffffUL, PTE_RW) & ~PTE_P);
	one_update(entry, 0, 4, mkpte(one, PTE_RW));
	pte_write(entry, 0);
}

/* What a table is changed to through an entry that may write to it is seen. */
static void stores_to_a_table_are_seen(void)
{
	u64 *entry = pte_find(kernel_root(), USER_DATA + PAGE_SIZE, 1), *table;
	volatile u64 *there = (u64 *)(FREE_VA + (1UL << 30) + 3 * PAGE_SIZE);
	u64 *pages[2] = { page_alloc(), page_alloc() };
	struct regs r;
	u64 cmd, i = 0;

	for (cmd = 0; cmd <= MMU_PT_UPDATE_PRESERVE_AD; cmd += MMU_PT_UPDATE_PRESERVE_AD) {
		struct mmu_update update = { .ptr = pte_ma(entry) | cmd };

		pages[i][0] = 4711 + i;
		pages[1 - i][0] = 815 + i;
		map(kernel_root(), (u64)there, mkpte(mfn_of(pages[i]), PTE_RO));
		EXPECT_EQ(*there, 4711 + i);
		table = pte_find(kernel_root(), (u64)there, 1);
		update.val = mkpte(pte_ma(table) / PAGE_SIZE, PTE_RW);
		EXPECT_EQ(pte_write(entry, 0), 0);
		EXPECT_EQ(mmu_update(&update, 1, NULL), 0);
		r = user_regs(code_write);
		r.rdi = NOT_THERE;		/* entry 3 of the page */
		r.rax = mkpte(mfn_of(pages[1 - i]), PTE_RO);
		EXPECT_EQ(user_run(&r), 6);
		flush_tlb_all();
		EXPECT_EQ(*there, 815 + i);
		pte_write(entry, 0);
		flush_tlb_all();
		i++;
	}
}

/* Arguments that C judges: the switcher must leave them to it. */
static void odd_updates_are_alike(void)
{
	u64 *entry = pte_find(kernel_root(), USER_DATA + PAGE_SIZE, 1);
	struct mmu_update two[2] = {
		{ .ptr = pte_ma(entry), .val = mkpte(page_of_ud2(), PTE_RW) },
		{ .ptr = pte_ma(entry + 1), .val = mkpte(page_of_ud2(), PTE_RW) },
	};
	static const u64 ptrs[] = { ~7UL, 1UL << 52, 0xffffffffffff000UL, ~0xfffUL };
	u32 done, i;

	for (i = 0; i < 3; i++)
		EXPECT_EQ(HYPERCALL4(mmu_update, two, i, NULL, DOMID_SELF), 0);
	EXPECT_EQ(*entry, two[0].val);
	EXPECT_EQ(entry[1], two[1].val);
	done = 4711;
	EXPECT_EQ(HYPERCALL4(mmu_update, two, 1, &done, DOMID_SELF), 0);
	EXPECT_EQ(done, 1);
	EXPECT_EQ(HYPERCALL4(mmu_update, two, 1, NULL, 0), update_slow(two, 1, NULL, 0));
	EXPECT_EQ(HYPERCALL4(mmu_update, NULL, 1, NULL, DOMID_SELF), -EFAULT);
	EXPECT_EQ(HYPERCALL4(mmu_update, 0xffff830000000000, 1, NULL, DOMID_SELF), -EFAULT);
	for (i = 0; i < ARRAY_SIZE(ptrs); i++) {
		two[0].ptr = ptrs[i];
		EXPECT_EQ(HYPERCALL4(mmu_update, two, 1, NULL, DOMID_SELF), -EINVAL);
	}
	pte_write(entry, 0);
	pte_write(entry + 1, 0);
}

GUEST_TEST(CASE(system_calls_are_bounced_alike), CASE(page_faults_are_bounced_alike),
	   CASE(what_is_mapped_faults_no_more), CASE(irets_to_user_mode_are_alike),
	   CASE(irets_to_the_kernel_are_alike), CASE(segment_bases_are_set_alike),
	   CASE(stacks_are_switched_alike), CASE(versions_are_alike),
	   CASE(roots_are_changed_alike), CASE(half_an_argument_changes_nothing),
	   CASE(entries_are_changed_alike), CASE(stores_to_a_table_are_seen),
	   CASE(odd_updates_are_alike));
