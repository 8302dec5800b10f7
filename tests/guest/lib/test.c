// SPDX-License-Identifier: GPL-2.0
/*
 * test.c - run the cases and say in KTAP how they went
 */
#include <stdarg.h>

#include "guest.h"

struct start_info *start_info;
struct shared_info *shared_info;

static bool failed, skipped;

bool test_has_failed(void)
{
	return failed;
}

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

u64 cmdline_number(const char *name, u64 otherwise)
{
	const char *at = (const char *)start_info->cmd_line;
	size_t len = strlen(name);
	u64 value = 0;

	for (; *at; at++) {
		if (memcmp(at, name, len))
			continue;
		for (at += len; *at >= '0' && *at <= '9'; at++)
			value = value * 10 + *at - '0';
		return value;
	}
	return otherwise;
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
