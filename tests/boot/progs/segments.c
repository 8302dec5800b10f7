// SPDX-License-Identifier: GPL-2.0
/*
 * segments.c - segment bases and local descriptor tables
 *
 * Two processes with different tables and bases take turns; neither may see
 * the other's.  Prints what it sees.
 */
#include <asm/ldt.h>
#include <asm/prctl.h>
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long ldt_set(unsigned int entry, unsigned long base, unsigned int bits,
		    unsigned int contents)
{
	struct user_desc d = {
		.entry_number = entry,
		.base_addr = base,
		.limit = 0xfffff,
		.seg_32bit = bits,
		.contents = contents,
		.limit_in_pages = 1,
		.useable = 1,
	};
	long ret = syscall(SYS_modify_ldt, 0x11, &d, sizeof(d));

	return (int)ret;
}

static unsigned int *low_page(void)
{
	unsigned int *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	if (p == MAP_FAILED)
		exit(1);
	return p;
}

static unsigned int through_gs(unsigned int entry)
{
	unsigned int seen;

	/* %gs, for %fs is the C library's. */
	asm volatile("mov %w1, %%gs\n\tmov %%gs:0, %0"
		     : "=r" (seen) : "r" (entry * 8 + 7));
	return seen;
}

static int take_turns(unsigned int mine)
{
	unsigned int *page = low_page();
	int wrong = 0;

	*page = mine;
	if (ldt_set(5, (uintptr_t)page, 1, 0))
		return 1000;
	for (int i = 0; i < 2000; i++) {
		wrong += through_gs(5) != mine;
		sched_yield();
		unsigned int seen;

		asm volatile("mov %%gs:0, %0" : "=r" (seen));
		wrong += seen != mine;
	}
	return wrong;
}

static void two_tables(void)
{
	int wrong = 0;

	fflush(stdout);
	for (unsigned int i = 0; i < 3; i++)
		if (!fork())
			_exit(!!take_turns(0x1000 + i));
	for (int i = 0; i < 3; i++) {
		int status;

		wait(&status);
		wrong += status != 0;
	}
	printf("processes that saw another's table: %d\n", wrong);
}

/* The whole table, read back; then emptied. */
static void big_table(void)
{
	static char back[LDT_ENTRIES * LDT_ENTRY_SIZE];
	unsigned int *page = low_page();

	*page = 0xabcd;
	printf("last entry: %ld\n", ldt_set(LDT_ENTRIES - 1, (uintptr_t)page, 1, 0));
	printf("beyond: %ld\n", ldt_set(LDT_ENTRIES, (uintptr_t)page, 1, 0));
	printf("through the last: %#x\n", through_gs(LDT_ENTRIES - 1));
	printf("read back: %d\n", (int)syscall(SYS_modify_ldt, 0, back, sizeof(back)));
	printf("stack segment: %ld, conforming code: %ld\n",
	       ldt_set(1, 0, 1, 1), ldt_set(2, 0, 1, 3));
}

/* Far calls into 32-bit code of one's own, with interrupts coming meanwhile. */
static void own_code(void)
{
	unsigned char *code = (unsigned char *)low_page();
	struct { unsigned int offset; unsigned short cs; } __attribute__((packed)) far = {
		0, 3 * 8 + 7
	};
	unsigned int sum = 0;

	/* 32-bit: inc %eax; lret.  Its stack must be below 4 GiB, too. */
	memcpy(code, "\x40\xcb", 2);
	printf("own code segment: %ld\n", ldt_set(3, (uintptr_t)code, 1, 2));
	for (int i = 0; i < 100000; i++) {
		unsigned int x = i;

		asm volatile("mov %%rsp, %%rbx\n\tmov %2, %%rsp\n\t"
			     "lcall *(%1)\n\tmov %%rbx, %%rsp"
			     : "+a" (x) : "r" (&far), "r" (code + 4096)
			     : "rbx", "memory", "cc");
		sum += x - i;
	}
	printf("calls that came back: %u\n", sum);
}

static void bases(void)
{
	unsigned long value = 0, there;
	static unsigned long word = 0x1122334455667788;

	printf("set gs: %ld\n", syscall(SYS_arch_prctl, ARCH_SET_GS, &word));
	asm volatile("mov %%gs:0, %0" : "=r" (there));
	printf("through gs: %#lx\n", there);
	for (int i = 0; i < 1000; i++)
		sched_yield();
	asm volatile("mov %%gs:0, %0" : "=r" (there));
	syscall(SYS_arch_prctl, ARCH_GET_GS, &value);
	printf("still: %#lx %d\n", there, value == (unsigned long)&word);
	errno = 0;
	printf("kernel base: %ld errno %d\n",
	       syscall(SYS_arch_prctl, ARCH_SET_GS, 0xffffffff80000000UL), errno);
	/* Loading a null selector: the base depends on the maker of the CPU. */
	asm volatile("mov %w0, %%gs" :: "r" (0));
	asm volatile("mov %w0, %%es\n\tmov %w0, %%ds" :: "r" (0x2b));
	{
		unsigned short es, ds;

		sched_yield();
		asm volatile("mov %%es, %0" : "=r" (es));
		asm volatile("mov %%ds, %0" : "=r" (ds));
		printf("es %#x ds %#x\n", es, ds);
		asm volatile("mov %w0, %%es\n\tmov %w0, %%ds" :: "r" (0));
	}
}

int main(void)
{
	bases();
	two_tables();
	big_table();
	own_code();
	return 0;
}
