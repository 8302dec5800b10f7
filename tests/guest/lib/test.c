// SPDX-License-Identifier: GPL-2.0
/*
 * test.c - run the cases and say in KTAP how they went
 */
#include <stdarg.h>

#include "guest.h"

struct start_info *start_info;
struct shared_info *shared_info;

static bool failed, skipped;

void test_fail(const char *file, int line, const char *what)
{
	failed = true;
	print("# %s:%d: not so: %s\n", file, line, what);
}

void test_fail_eq(const char *file, int line, const char *what, u64 is, u64 should)
{
	failed = true;
	print("# %s:%d: %s is %#lx, not %#lx\n", file, line, what, is, should);
}

void test_skip(const char *fmt, ...)
{
	skipped = true;
	print("# skipped: %s\n", fmt);
}

void shut_down(u32 reason)
{
	struct sched_shutdown op = { .reason = reason };

	for (;;)
		sched_op(SCHEDOP_shutdown, &op);
}

bool cmdline_has(const char *word)
{
	const char *at = (const char *)start_info->cmd_line;
	size_t len = strlen(word);

	for (; *at; at++)
		if (!memcmp(at, word, len) && (!at[len] || at[len] == ' '))
			return true;
	return false;
}

static void run_case(const struct test_case *c, int n)
{
	failed = false;
	skipped = false;
	c->run();
	trap_hook = NULL;
	events_off();
	print("%s %d %s%s\n", failed ? "not ok" : "ok", n, c->name,
	      skipped && !failed ? " # SKIP" : "");
}

/* Called on the boot stack, with nothing set up. */
void guest_start(struct start_info *si)
{
	static struct cpu cpu0;
	int n = 0;

	start_info = si;
	cpu0.running = true;
	memory_init();
	cpu0.info = &shared_info->vcpu_info[0];
	trap_init(&cpu0);
	event_init();
	user_init();

	while (guest_cases[n].name)
		n++;
	print("KTAP version 1\n1..%d\n", n);
	for (n = 0; guest_cases[n].name; n++)
		run_case(&guest_cases[n], n + 1);
	shut_down(SHUTDOWN_poweroff);
}
