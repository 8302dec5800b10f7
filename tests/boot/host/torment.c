// SPDX-License-Identifier: GPL-2.0
/*
 * torment.c - a launcher that does to its guest's memory what it likes
 *
 *	LD_PRELOAD=/lib/torment.so TORMENT="pageout fork" \
 *		TORMENT_LOG=/tmp/log ringfence run --seccomp off ...
 *
 * A thread of the launcher's own does the named things to ranges of the memory
 * while the guest runs, and writes how often each succeeded to the log.  None of
 * them changes what is in the memory, so the guest must not notice.
 *
 *	dontneed pageout cold willneed	madvise()
 *	huge nohuge collapse		madvise(), for huge pages
 *	migrate				move_pages() between nodes 0 and 1
 *	fork				a child that ends after a moment
 *	anon				memory is private and anonymous
 *	merge				memory may be merged (KSM)
 */
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE		4096UL
#define MOST_PAGES	512UL		/* in one go */
#define MOVED_PAGES	256UL
#define GUEST_AT_LEAST	(16UL << 20)

#ifndef MADV_COLD
#define MADV_COLD	20
#define MADV_PAGEOUT	21
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE	25
#endif
#define MPOL_MF_MOVE	2

static uint8_t *memory;
static unsigned long nr_pages;
static uint64_t random_state = 88172645463325252ULL;

static unsigned long pick(unsigned long below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state % below;
}

static bool wanted(const char *word)
{
	const char *all = getenv("TORMENT");
	const char *at = all;
	size_t len = strlen(word);

	while (at && (at = strstr(at, word))) {
		if ((at == all || at[-1] == ' ') && (!at[len] || at[len] == ' '))
			return true;
		at += len;
	}
	return false;
}

static bool advise(int how)
{
	unsigned long first = pick(nr_pages);
	unsigned long nr = 1 + pick(MOST_PAGES);

	if (nr > nr_pages - first)
		nr = nr_pages - first;
	return !madvise(memory + first * PAGE, nr * PAGE, how);
}

static bool do_dontneed(void) { return advise(MADV_DONTNEED); }
static bool do_pageout(void) { return advise(MADV_PAGEOUT); }
static bool do_cold(void) { return advise(MADV_COLD); }
static bool do_willneed(void) { return advise(MADV_WILLNEED); }
static bool do_huge(void) { return advise(MADV_HUGEPAGE); }
static bool do_nohuge(void) { return advise(MADV_NOHUGEPAGE); }

/* It wants the range mapped, for a part at least. */
static bool do_collapse(void)
{
	unsigned long at = (uintptr_t)memory + pick(nr_pages) * PAGE;
	unsigned long huge = 512 * PAGE;

	at = (at + huge - 1) & -huge;
	return !madvise((void *)at, huge, MADV_COLLAPSE);
}

static bool do_migrate(void)
{
	static int nodes[MOVED_PAGES], status[MOVED_PAGES];
	static void *pages[MOVED_PAGES];
	unsigned long first = pick(nr_pages - MOVED_PAGES);
	int node = pick(2);
	int moved = 0;

	for (unsigned long i = 0; i < MOVED_PAGES; i++) {
		pages[i] = memory + (first + i) * PAGE;
		nodes[i] = node;
	}
	if (syscall(SYS_move_pages, 0, MOVED_PAGES, pages, nodes, status, MPOL_MF_MOVE) < 0)
		return false;
	for (unsigned long i = 0; i < MOVED_PAGES; i++)
		moved += status[i] == node;
	return moved;
}

/* The child has everything the launcher has, for a moment. */
static bool do_fork(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		usleep(pick(30000));
		_exit(0);
	}
	usleep(200000 + pick(200000));
	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

static struct act {
	const char *word;
	bool (*act)(void);
	unsigned long nr;
	unsigned long nr_failed;
} acts[] = {
	{ .word = "dontneed", .act = do_dontneed },
	{ .word = "pageout", .act = do_pageout },
	{ .word = "cold", .act = do_cold },
	{ .word = "willneed", .act = do_willneed },
	{ .word = "huge", .act = do_huge },
	{ .word = "nohuge", .act = do_nohuge },
	{ .word = "collapse", .act = do_collapse },
	{ .word = "migrate", .act = do_migrate },
	{ .word = "fork", .act = do_fork },
};

#define NR_ACTS	(sizeof(acts) / sizeof(*acts))

static void report(void)
{
	const char *path = getenv("TORMENT_LOG");
	FILE *f = path ? fopen(path, "w") : NULL;

	if (!f)
		return;
	for (size_t i = 0; i < NR_ACTS; i++)
		if (wanted(acts[i].word))
			fprintf(f, "%s %lu failed %lu\n", acts[i].word, acts[i].nr,
				acts[i].nr_failed);
	fclose(f);
}

static void *torment(void *arg)
{
	sigset_t all;

	(void)arg;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (unsigned int round = 0;; round++) {
		for (size_t i = 0; i < NR_ACTS; i++) {
			if (!wanted(acts[i].word))
				continue;
			if (acts[i].act())
				acts[i].nr++;
			else
				acts[i].nr_failed++;
			usleep(10000 + pick(20000));
		}
		if (round % 16 == 0)
			report();
	}
	return NULL;
}

static void begin(void)
{
	pthread_t thread;

	if (wanted("merge"))
		madvise(memory, nr_pages * PAGE, MADV_MERGEABLE);
	if (wanted("anon") && wanted("huge"))
		madvise(memory, nr_pages * PAGE, MADV_HUGEPAGE);
	if (!pthread_create(&thread, NULL, torment, NULL))
		pthread_detach(thread);
}

/* The first large shared mapping is the guest's memory. */
void *mmap(void *addr, size_t len, int prot, int flags, int fd, off_t offset)
{
	typeof(&mmap) next = dlsym(RTLD_NEXT, "mmap");
	bool guest = !memory && len >= GUEST_AT_LEAST && (flags & MAP_SHARED) &&
		     (prot & PROT_WRITE) && getenv("TORMENT");
	void *p;

	if (guest && wanted("anon")) {
		flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
		fd = -1;
	}
	p = next(addr, len, prot, flags, fd, offset);
	if (guest && p != MAP_FAILED) {
		memory = p;
		nr_pages = len / PAGE;
		begin();
	}
	return p;
}
