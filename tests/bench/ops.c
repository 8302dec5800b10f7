// SPDX-License-Identifier: GPL-2.0
/*
 * ops.c - what basic operations of a kernel cost
 *
 * The same static program runs natively and in a guest.  It prints one JSON
 * line per operation, with the median nanoseconds of five runs; where the
 * clock counts instructions, those are instructions.
 *
 *	ops [--step] [--scale N] [NAME...]
 *	ops --stamp TEXT	copy a console, and say when a line with TEXT came
 *	ops --now		say what time it is
 *
 * With --step there is one run more, in which it prints OPS-READY before what
 * is measured and OPS-DONE after it, and waits for a line of input each time,
 * so that somebody can read counters that belong to exactly that.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "measure.h"

#define PAGE	4096UL
#define PAGES	1024UL		/* in a region that is measured per page */
#define BALLAST	1024UL		/* pages a process has, when it forks */
#define BALLAST_AT	(1UL << 40)

static long raw_syscall(long nr, long a, long b)
{
	long ret;

	asm volatile("syscall"
		     : "=a" (ret)
		     : "a" (nr), "D" (a), "S" (b)
		     : "rcx", "r11", "memory");
	return ret;
}

/* ---- The vDSO, looked up by hand: a static C library may go round it. */

static void *vdso_symbol(const char *name)
{
	char *base = (char *)getauxval(AT_SYSINFO_EHDR);
	const Elf64_Ehdr *eh = (void *)base;
	const Elf64_Phdr *ph;
	const Elf64_Dyn *dyn = NULL;
	const Elf64_Sym *sym = NULL;
	const char *strings = NULL;
	const uint32_t *hash = NULL;
	uintptr_t bias = 0;

	if (!base)
		return NULL;
	ph = (void *)(base + eh->e_phoff);
	for (int i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_type == PT_LOAD)
			bias = (uintptr_t)base + ph[i].p_offset - ph[i].p_vaddr;
		if (ph[i].p_type == PT_DYNAMIC)
			dyn = (void *)(base + ph[i].p_offset);
	}
	for (; dyn && dyn->d_tag != DT_NULL; dyn++) {
		void *at = (void *)(dyn->d_un.d_ptr + bias);

		if (dyn->d_tag == DT_SYMTAB)
			sym = at;
		else if (dyn->d_tag == DT_STRTAB)
			strings = at;
		else if (dyn->d_tag == DT_HASH)
			hash = at;
	}
	if (!sym || !strings || !hash)
		return NULL;
	for (uint32_t i = 0; i < hash[1]; i++)
		if (!strcmp(strings + sym[i].st_name, name))
			return (void *)(sym[i].st_value + bias);
	return NULL;
}

/* ---- Memory to work on */

static char *ballast;

static char *map_anon(unsigned long pages)
{
	char *p = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	madvise(p, pages * PAGE, MADV_NOHUGEPAGE);
	return p;
}

/* A page whose neighbours are nothing like it, so its area never merges. */
static char *map_lone_page(void)
{
	char *p = mmap(NULL, 3 * PAGE, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED || mprotect(p + PAGE, PAGE, PROT_READ | PROT_WRITE))
		die("mmap");
	return p + PAGE;
}

static void unmap_lone_page(char *p)
{
	munmap(p - PAGE, 3 * PAGE);
}

static void touch(char *p, unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++)
		*(volatile char *)(p + i * PAGE) = 1;
}

static volatile char sink;

static void look(const char *p, unsigned long pages)
{
	for (unsigned long i = 0; i < pages; i++)
		sink = *(const volatile char *)(p + i * PAGE);
}

/* A file in memory, all of it in the page cache. */
static int cached_file(void)
{
	static int fd = -1;
	static char page[PAGE];

	if (fd >= 0)
		return fd;
	fd = memfd_create("ops", 0);
	if (fd < 0)
		die("memfd_create");
	for (unsigned long i = 0; i < PAGES; i++)
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			die("write");
	return fd;
}

/*
 * ---- The operations
 *
 * Each returns the nanoseconds of its measured parts, so that setting up and
 * tearing down are outside.
 */

static uint64_t op_getpid(unsigned long n)
{
	uint64_t start = begin(n);

	while (n--)
		raw_syscall(SYS_getpid, 0, 0);
	return end(start);
}

static uint64_t op_gettimeofday(unsigned long n)
{
	static int (*fn)(struct timeval *tv, void *tz);
	struct timeval tv;
	uint64_t start;

	if (!fn)
		fn = vdso_symbol("__vdso_gettimeofday");
	start = begin(n);
	while (n--) {
		if (fn)
			fn(&tv, NULL);
		else
			raw_syscall(SYS_gettimeofday, (long)&tv, 0);
	}
	return end(start);
}

static uint64_t op_clock_gettime(unsigned long n)
{
	struct timespec ts;
	uint64_t start = begin(n);

	while (n--)
		raw_syscall(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&ts);
	return end(start);
}

static uint64_t op_pipe_rt(unsigned long n)
{
	int there[2], back[2];
	uint64_t ns;
	char c = 0;
	pid_t pid;

	if (pipe(there) || pipe(back))
		die("pipe");
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid) {
		close(there[1]);
		while (read(there[0], &c, 1) == 1)
			if (write(back[1], &c, 1) != 1)
				break;
		_exit(0);
	}
	close(there[0]);
	close(back[1]);
	ns = begin(n);
	while (n--)
		if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
			die("pipe round trip");
	ns = end(ns);
	close(there[1]);
	close(back[0]);
	waitpid(pid, NULL, 0);
	return ns;
}

static uint64_t op_fork_exit(unsigned long n)
{
	uint64_t start = begin(n);

	while (n--) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (!pid)
			_exit(0);
		waitpid(pid, NULL, 0);
	}
	return end(start);
}

static uint64_t op_fork_exec(unsigned long n)
{
	static char *const argv[] = { "ops", "--exit", NULL };
	static char *const envp[] = { NULL };
	uint64_t start = begin(n);

	while (n--) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			die("fork");
		if (!pid) {
			execve("/proc/self/exe", argv, envp);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid || status)
			die("exec");
	}
	return end(start);
}

static uint64_t op_anon_touch(unsigned long n)
{
	uint64_t sum = 0;

	for (; n >= PAGES; n -= PAGES) {
		char *p = map_anon(PAGES);
		uint64_t start = begin(PAGES);

		touch(p, PAGES);
		sum += end(start);
		munmap(p, PAGES * PAGE);
	}
	return sum;
}

static uint64_t op_munmap_page(unsigned long n)
{
	uint64_t sum = 0;

	for (; n >= PAGES; n -= PAGES) {
		char *p = map_anon(PAGES);
		uint64_t start;

		touch(p, PAGES);
		start = begin(PAGES);
		munmap(p, PAGES * PAGE);
		sum += end(start);
	}
	return sum;
}

static uint64_t op_mprotect_page(unsigned long n)
{
	char *p = map_anon(PAGES);
	uint64_t sum = 0;
	int prot = PROT_READ;

	touch(p, PAGES);
	for (; n >= PAGES; n -= PAGES) {
		uint64_t start = begin(PAGES);

		mprotect(p, PAGES * PAGE, prot);
		sum += end(start);
		prot ^= PROT_WRITE;
	}
	munmap(p, PAGES * PAGE);
	return sum;
}

static uint64_t op_mprotect_cycle(unsigned long n)
{
	char *p = map_lone_page();
	uint64_t start;

	touch(p, 1);
	start = begin(n);
	while (n--) {
		mprotect(p, PAGE, PROT_READ);
		mprotect(p, PAGE, PROT_READ | PROT_WRITE);
		touch(p, 1);
	}
	start = end(start);
	unmap_lone_page(p);
	return start;
}

/* In a table of its own, which comes and goes with the page. */
static uint64_t op_mmap_cycle(unsigned long n)
{
	uint64_t start = begin(n);

	while (n--) {
		char *p = mmap(ballast + (64UL << 20), PAGE,
			       PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED)
			die("mmap");
		touch(p, 1);
		munmap(p, PAGE);
	}
	return end(start);
}

static uint64_t file_fault(unsigned long n, int prot)
{
	int fd = cached_file();
	uint64_t sum = 0;

	for (; n >= PAGES; n -= PAGES) {
		char *p = mmap(NULL, PAGES * PAGE, prot, MAP_PRIVATE, fd, 0);
		uint64_t start;

		if (p == MAP_FAILED)
			die("mmap");
		start = begin(PAGES);
		if (prot & PROT_WRITE)
			touch(p, PAGES);
		else
			look(p, PAGES);
		sum += end(start);
		munmap(p, PAGES * PAGE);
	}
	return sum;
}

static uint64_t op_file_read_fault(unsigned long n)
{
	return file_fault(n, PROT_READ);
}

static uint64_t op_file_cow_fault(unsigned long n)
{
	return file_fault(n, PROT_READ | PROT_WRITE);
}

static volatile sig_atomic_t signals;

static void on_signal(int sig)
{
	(void)sig;
	signals++;
}

static uint64_t op_signal(unsigned long n)
{
	struct sigaction sa = { .sa_handler = on_signal };
	pid_t pid = getpid();
	uint64_t start;

	sigaction(SIGUSR1, &sa, NULL);
	start = begin(n);
	while (n--)
		kill(pid, SIGUSR1);
	return end(start);
}

static char *segv_page;

static void on_segv(int sig)
{
	(void)sig;
	mprotect(segv_page, PAGE, PROT_READ | PROT_WRITE);
}

static uint64_t op_segv(unsigned long n)
{
	struct sigaction sa = { .sa_handler = on_segv };
	uint64_t start;

	segv_page = map_lone_page();
	touch(segv_page, 1);
	sigaction(SIGSEGV, &sa, NULL);
	start = begin(n);
	while (n--) {
		mprotect(segv_page, PAGE, PROT_READ);
		touch(segv_page, 1);
	}
	start = end(start);
	signal(SIGSEGV, SIG_DFL);
	unmap_lone_page(segv_page);
	return start;
}

static uint64_t op_int_loop(unsigned long n)
{
	uint64_t start = begin(n);
	unsigned long x = 1;

	while (n--)
		asm volatile("imul $7, %0, %0\n\tadd $3, %0" : "+r" (x));
	return end(start);
}

static uint64_t op_memcpy(unsigned long n)
{
	static char from[16 * PAGE], to[16 * PAGE];
	uint64_t start = begin(n);

	while (n--) {
		memcpy(to, from, sizeof(to));
		asm volatile("" ::: "memory");
	}
	return end(start);
}

/* What starting and ending the measurement costs: to be taken off counts. */
static uint64_t op_nothing(unsigned long n)
{
	uint64_t start = begin(n);

	(void)n;
	return end(start);
}

struct op {
	const char *name;
	uint64_t (*run)(unsigned long n);
	unsigned long n;	/* per run: some ten million instructions */
};

static const struct op ops[] = {
	{ "nothing",		op_nothing,		1 },
	{ "getpid",		op_getpid,		20000 },
	{ "gettimeofday",	op_gettimeofday,	50000 },
	{ "clock_gettime",	op_clock_gettime,	20000 },
	{ "pipe_rt",		op_pipe_rt,		1000 },
	{ "fork_exit",		op_fork_exit,		20 },
	{ "fork_exec",		op_fork_exec,		20 },
	{ "anon_touch",		op_anon_touch,		2 * PAGES },
	{ "munmap_page",	op_munmap_page,		2 * PAGES },
	{ "mprotect_page",	op_mprotect_page,	32 * PAGES },
	{ "mprotect_cycle",	op_mprotect_cycle,	1000 },
	{ "mmap_cycle",		op_mmap_cycle,		400 },
	{ "file_read_fault",	op_file_read_fault,	8 * PAGES },
	{ "file_cow_fault",	op_file_cow_fault,	2 * PAGES },
	{ "signal",		op_signal,		2000 },
	{ "segv",		op_segv,		1000 },
	{ "int_loop",		op_int_loop,		2000000 },
	{ "memcpy",		op_memcpy,		100 },
};

static void measure(const struct op *op, unsigned long scale, bool step)
{
	unsigned long n = op->n * scale;
	double ns[RUNS];

	op->run(n);
	op->run(n);
	for (int i = 0; i < RUNS; i++)
		ns[i] = (double)op->run(n) / n;
	if (step)
		stepping = op->name;
	mark(MARK_OPERATION);
	op->run(n);
	mark(MARK_OVER);
	stepping = NULL;
	qsort(ns, RUNS, sizeof(*ns), compare);
	printf("{\"op\": \"%s\", \"ns\": %.2f, ", op->name, ns[RUNS / 2]);
	printf("\"min\": %.2f, \"max\": %.2f, \"n\": %lu, \"runs\": %d}\n",
	       ns[0], ns[RUNS - 1], n, RUNS);
	fflush(stdout);
}

/*
 * Be the same process each time: no random addresses, and some memory of its
 * own, as a process that forks usually has.
 */
static void settle(char **argv)
{
	int persona = personality(0xffffffff);

	if (!(persona & ADDR_NO_RANDOMIZE) &&
	    personality(persona | ADDR_NO_RANDOMIZE) >= 0)
		execv("/proc/self/exe", argv);
	ballast = mmap((void *)BALLAST_AT, BALLAST * PAGE,
		       PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (ballast == MAP_FAILED)
		die("mmap");
	madvise(ballast, BALLAST * PAGE, MADV_NOHUGEPAGE);
	touch(ballast, BALLAST);
}

static bool wanted(const char *name, int argc, char **argv)
{
	if (!argc)
		return true;
	while (argc--)
		if (!strcmp(*argv++, name))
			return true;
	return false;
}

/*
 * Lines are held back until the one that is waited for: passing them on, to
 * readers that take a byte at a time, costs as much as what is measured.
 */
static void stamp(const char *text)
{
	char line[4096], *held = NULL;
	unsigned long long when;
	bool waiting = true;
	FILE *out;
	size_t len;

	out = open_memstream(&held, &len);
	if (!out)
		die("open_memstream");
	while (fgets(line, sizeof(line), stdin)) {
		char *end = strstr(line, "\r\n");

		if (end)
			strcpy(end, "\n");
		if (waiting) {
			fputs(line, out);
			if (!strstr(line, text))
				continue;
			when = now_ns();
			mark(MARK_ENDS | MARK_BOOT);
			waiting = false;
			fclose(out);
			printf("%sSTAMP %llu\n", held, when);
		} else {
			fputs(line, stdout);
		}
		fflush(stdout);
	}
	if (waiting) {
		fclose(out);
		fputs(held, stdout);
	}
}

int main(int argc, char **argv)
{
	unsigned long scale = 1;
	char **whole = argv;
	bool step = false;

	for (argc--, argv++; argc && !strncmp(*argv, "--", 2); argc--, argv++) {
		if (!strcmp(*argv, "--exit"))
			return 0;
		if (!strcmp(*argv, "--now")) {
			printf("STAMP %llu\n", (unsigned long long)now_ns());
			mark(MARK_BEGINS | MARK_BOOT);
			return 0;
		}
		if (!strcmp(*argv, "--stamp") && argc > 1) {
			stamp(argv[1]);
			return 0;
		}
		if (!strcmp(*argv, "--scale") && argc > 1) {
			scale = strtoul(argv[1], NULL, 0);
			argc--, argv++;
		} else if (!strcmp(*argv, "--step")) {
			step = true;
		} else {
			fprintf(stderr, "ops: what is %s?\n", *argv);
			return 2;
		}
	}
	settle(whole);
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (wanted(ops[i].name, argc, argv))
			measure(&ops[i], scale ? scale : 1, step);
	return 0;
}
