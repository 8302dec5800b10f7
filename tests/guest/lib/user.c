// SPDX-License-Identifier: GPL-2.0
/*
 * user.c - user mode: its page table, and runs of it
 *
 * As in Linux, the lower half of both roots is the same tables; the user's root
 * has no other half.
 */
#include "guest.h"

extern u8 user_start[], user_end[];

u64 user_root;
u64 *user_data;

void user_init(void)
{
	u8 *page;

	user_root = table_alloc();
	for (page = user_start; page < user_end; page += PAGE_SIZE)
		map(kernel_root(), user_va(page), mkpte(mfn_of(page), PTE_RO));

	user_data = page_alloc();
	map(kernel_root(), USER_DATA, mkpte(mfn_of(user_data), PTE_RW));
	map(kernel_root(), USER_STACK - PAGE_SIZE, mkpte(mfn_of(page_alloc()), PTE_RW));
	pte_write((u64 *)va_of(user_root), *(u64 *)va_of(kernel_root()));

	mmuext(MMUEXT_PIN_L4_TABLE, user_root);
	mmuext(MMUEXT_NEW_USER_BASEPTR, user_root);
}

u64 user_va(const u8 *code)
{
	return USER_CODE + (code - user_start);
}

struct regs user_regs(const u8 *code)
{
	return (struct regs){
		.rip = user_va(code),
		.cs = FLAT_USER_CS64,
		.rflags = 0x202,
		.rsp = USER_STACK,
		.ss = FLAT_USER_SS,
	};
}

u64 user_run(struct regs *regs)
{
	struct cpu *cpu = this_cpu();

	cpu->user = regs;
	user_enter(regs, 0);
	return regs->vector;
}
