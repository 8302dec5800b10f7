// SPDX-License-Identifier: GPL-2.0
/*
 * counters.c - enum rf_counter in words
 */
#include "counters.h"
#include "ringfence.h"

static const char *const names[] = {
	[RF_COUNT_SWITCHES]		= "switches",
	[RF_COUNT_EXIT_INTERRUPT]	= "exit_interrupt",
	[RF_COUNT_EXIT_NMI]		= "exit_nmi",
	[RF_COUNT_EXIT_PAGE_FAULT]	= "exit_page_fault",
	[RF_COUNT_EXIT_GP]		= "exit_gp",
	[RF_COUNT_EXIT_OTHER_TRAP]	= "exit_other_trap",
	[RF_COUNT_EXIT_HYPERCALL]	= "exit_hypercall",
	[RF_COUNT_EXIT_SYSCALL]		= "exit_syscall",
	[RF_COUNT_FAST_SYSCALL]		= "fast_syscall",
	[RF_COUNT_FAST_IRET]		= "fast_iret",
	[RF_COUNT_FAST_HYPERCALL]	= "fast_hypercall",
	[RF_COUNT_CR3_WRITES]		= "cr3_writes",
	[RF_COUNT_BOUNCED_TRAPS]	= "bounced_traps",
	[RF_COUNT_EVENTS]		= "events",
	[RF_COUNT_SHADOW_FILL]		= "shadow_fill",
	[RF_COUNT_SHADOW_CREATE]	= "shadow_create",
	[RF_COUNT_SHADOW_DROP]		= "shadow_drop",
	[RF_COUNT_OUT_OF_SYNC]		= "out_of_sync",
	[RF_COUNT_RESYNC]		= "resync",
	[RF_COUNT_SHOOTDOWN]		= "shootdown",
	[RF_COUNT_EMULATED]		= "emulated",
	[RF_COUNT_IO_EXITS]		= "io_exits",
	[RF_COUNT_HALTS]		= "halts",
	[RF_COUNT_KICKS]		= "kicks",
	[RF_COUNT_NOTIFIER_ZAP]		= "notifier_zap",
	[RF_COUNT_FAST_FAULT]		= "fast_fault",
};

_Static_assert(sizeof(names) / sizeof(names[0]) == RF_NR_COUNTERS,
	       "a counter has no name");

const char *rf_counter_name(size_t index)
{
	return index < RF_NR_COUNTERS ? names[index] : NULL;
}
