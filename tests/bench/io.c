// SPDX-License-Identifier: GPL-2.0
/*
 * io.c - what reading and writing a block device costs
 *
 * The same static program runs natively and in a guest, on every kind of device:
 *
 *	io [--step] [--share N] NAME PATH [OP...]
 *
 * prints one JSON line per operation: the median nanoseconds of five runs, and
 * percentiles of what single requests took in another.  Where the clock counts
 * instructions, those are instructions.  NAME is what the device is called in
 * the output.  --share N makes each run N times shorter, for slow devices.
 *
 * The first BYTES of the device are overwritten.  Each block begins with its
 * number, which is looked at whenever one has been read: a device that is quick
 * because it does not do its work is not quick.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "measure.h"

#define BLOCK		4096UL
#define LARGE		(128UL << 10)
#define BYTES		(32UL << 20)
#define BLOCKS		(BYTES / BLOCK)
#define DEPTH		16
#define MAX_SAMPLES	4096
#define MAGIC		0x7266b10c00000000ULL

/**
 * struct op - an operation
 * @name: What it is called
 * @write: Or read
 * @sequential: Or at random
 * @size: Bytes of a request
 * @depth: Requests under way at once
 * @n: Requests of a run
 */
struct op {
	const char *name;
	bool write;
	bool sequential;
	unsigned long size;
	unsigned int depth;
	unsigned long n;
};

static const struct op ops[] = {
	{ "randread_4k_qd1", false, false, BLOCK, 1, 1600 },
	{ "randwrite_4k_qd1", true, false, BLOCK, 1, 1600 },
	{ "randread_4k_qd16", false, false, BLOCK, DEPTH, 3200 },
	{ "randwrite_4k_qd16", true, false, BLOCK, DEPTH, 3200 },
	{ "seqread_128k_qd1", false, true, LARGE, 1, BYTES / LARGE },
	{ "seqwrite_128k_qd1", true, true, LARGE, 1, BYTES / LARGE },
};

static int fd;
static aio_context_t aio;
static char *buffers;		/* DEPTH of LARGE bytes */
static double samples[MAX_SAMPLES];
static unsigned long nr_samples;
static bool sampling;

/* ---- Where the next request goes, and what is in it */

static unsigned long next_block;

/* Every block once in BLOCKS turns, in an order that looks like none. */
static unsigned long random_block(void)
{
	next_block = (next_block * 1664525 + 1013904223) % BLOCKS;
	return next_block;
}

static unsigned long sequential_block(unsigned long blocks)
{
	unsigned long block = next_block;

	next_block = (next_block + blocks) % BLOCKS;
	return block;
}

static unsigned long choose_block(const struct op *op)
{
	return op->sequential ? sequential_block(op->size / BLOCK) : random_block();
}

static void number_blocks(char *buffer, unsigned long block, unsigned long size)
{
	for (; size; size -= BLOCK, buffer += BLOCK)
		*(uint64_t *)buffer = MAGIC + block++;
}

/* What was read is gone from the buffer, lest it be found there next time. */
static void check_blocks(char *buffer, unsigned long block, unsigned long size)
{
	for (; size; size -= BLOCK, buffer += BLOCK, block++) {
		if (*(uint64_t *)buffer != MAGIC + block) {
			fprintf(stderr, "io: block %lu is not what was written\n", block);
			exit(1);
		}
		*(uint64_t *)buffer = 0;
	}
}

static void sample(uint64_t ns)
{
	if (sampling && nr_samples < MAX_SAMPLES)
		samples[nr_samples++] = ns;
}

/* ---- One request after the other */

static void request(const struct op *op)
{
	unsigned long block = choose_block(op);
	off_t pos = block * BLOCK;
	ssize_t done;

	if (op->write) {
		number_blocks(buffers, block, op->size);
		done = pwrite(fd, buffers, op->size, pos);
	} else {
		done = pread(fd, buffers, op->size, pos);
	}
	if (done != (ssize_t)op->size)
		die(op->name);
	if (!op->write)
		check_blocks(buffers, block, op->size);
}

static void run_one_by_one(const struct op *op, unsigned long n)
{
	while (n--) {
		uint64_t start = sampling ? now_ns() : 0;

		request(op);
		if (sampling)
			sample(now_ns() - start);
	}
}

/* ---- DEPTH requests under way: for each that ends another begins */

static struct iocb iocbs[DEPTH];
static uint64_t begun[DEPTH];

static struct iocb *prepare(const struct op *op, unsigned int i)
{
	unsigned long block = choose_block(op);
	char *buffer = buffers + i * LARGE;

	if (op->write)
		number_blocks(buffer, block, op->size);
	iocbs[i] = (struct iocb) {
		.aio_data	= i,
		.aio_lio_opcode	= op->write ? IOCB_CMD_PWRITE : IOCB_CMD_PREAD,
		.aio_fildes	= fd,
		.aio_buf	= (uintptr_t)buffer,
		.aio_nbytes	= op->size,
		.aio_offset	= block * BLOCK,
	};
	return &iocbs[i];
}

static void submit(const struct op *op, struct iocb **list, long nr)
{
	uint64_t now = sampling ? now_ns() : 0;

	for (long i = 0; i < nr; i++)
		begun[list[i]->aio_data] = now;
	while (nr) {
		long done = syscall(SYS_io_submit, aio, nr, list);

		if (done <= 0)
			die(op->name);
		list += done;
		nr -= done;
	}
}

static void finish(const struct op *op, const struct io_event *event, uint64_t now)
{
	const struct iocb *iocb = &iocbs[event->data];

	if (event->res != (int64_t)op->size) {
		errno = -event->res;
		die(op->name);
	}
	if (!op->write)
		check_blocks((char *)(uintptr_t)iocb->aio_buf, iocb->aio_offset / BLOCK, op->size);
	if (sampling)
		sample(now - begun[event->data]);
}

static void run_deep(const struct op *op, unsigned long n)
{
	struct io_event events[DEPTH];
	struct iocb *list[DEPTH];
	long under_way = 0, nr = 0;

	for (; nr < DEPTH && n; n--, nr++)
		list[nr] = prepare(op, nr);
	do {
		uint64_t now;
		long got;

		submit(op, list, nr);
		under_way += nr;
		got = syscall(SYS_io_getevents, aio, 1, DEPTH, events, NULL);
		if (got < 1)
			die(op->name);
		now = sampling ? now_ns() : 0;
		under_way -= got;
		for (long i = nr = 0; i < got; i++) {
			finish(op, &events[i], now);
			if (!n)
				continue;
			n--;
			list[nr++] = prepare(op, events[i].data);
		}
	} while (nr || under_way);
}

/* ---- Measuring */

/* Return: nanoseconds of a request. */
static double run(const struct op *op, unsigned long n)
{
	uint64_t ns = begin(n);

	if (op->depth > 1)
		run_deep(op, n);
	else
		run_one_by_one(op, n);
	return (double)end(ns) / n;
}

/* What starting and ending the measurement costs: to be taken off counts. */
static void run_nothing(const char *name)
{
	char step[80];

	snprintf(step, sizeof(step), "%s/nothing", name);
	stepping = step;
	end(begin(1));
	stepping = NULL;
}

static void run_in_steps(const struct op *op, const char *name, unsigned long n)
{
	char step[80];

	snprintf(step, sizeof(step), "%s/%s", name, op->name);
	stepping = step;
	run(op, n);
	stepping = NULL;
}

static void run_sampling(const struct op *op, unsigned long n)
{
	nr_samples = 0;
	sampling = true;
	run(op, n);
	sampling = false;
	qsort(samples, nr_samples, sizeof(*samples), compare);
}

static double percentile(unsigned int percent)
{
	return nr_samples ? samples[(nr_samples - 1) * percent / 100] : 0;
}

static void measure(const struct op *op, const char *name, unsigned long share, bool step)
{
	unsigned long n = op->n / share < DEPTH ? DEPTH : op->n / share;
	double ns[RUNS];

	next_block = 0;
	run(op, n);
	for (int i = 0; i < RUNS; i++)
		ns[i] = run(op, n);
	run_sampling(op, n);
	if (step)
		run_in_steps(op, name, n);
	qsort(ns, RUNS, sizeof(*ns), compare);
	printf("{\"op\": \"%s\", \"device\": \"%s\", \"ns\": %.1f, \"min\": %.1f, \"max\": %.1f, ",
	       op->name, name, ns[RUNS / 2], ns[0], ns[RUNS - 1]);
	printf("\"p50\": %.0f, \"p99\": %.0f, \"size\": %lu, \"n\": %lu}\n",
	       percentile(50), percentile(99), op->size, n);
	fflush(stdout);
}

/* ---- Setting up */

/* Number every block; what has never been written may be quicker to read. */
static void fill(void)
{
	static const struct op op = { "fill", true, true, LARGE, 1, BYTES / LARGE };

	run_one_by_one(&op, op.n);
}

static void set_up(const char *path)
{
	fd = open(path, O_RDWR | O_DIRECT);
	if (fd < 0)
		die(path);
	if (syscall(SYS_io_setup, DEPTH, &aio))
		die("io_setup");
	buffers = mmap(NULL, DEPTH * LARGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buffers == MAP_FAILED)
		die("mmap");
	madvise(buffers, DEPTH * LARGE, MADV_NOHUGEPAGE);
	memset(buffers, 0x5a, DEPTH * LARGE);
	fill();
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

static int usage(void)
{
	fputs("usage: io [--step] [--share N] NAME PATH [OP...]\n", stderr);
	return 2;
}

int main(int argc, char **argv)
{
	unsigned long share = 1;
	const char *name;
	bool step = false;

	for (argc--, argv++; argc && !strncmp(*argv, "--", 2); argc--, argv++) {
		if (!strcmp(*argv, "--step")) {
			step = true;
		} else if (!strcmp(*argv, "--share") && argc > 1) {
			share = strtoul(argv[1], NULL, 0);
			argc--, argv++;
		} else {
			return usage();
		}
	}
	if (argc < 2 || !share)
		return usage();
	name = argv[0];
	set_up(argv[1]);
	if (step)
		run_nothing(name);
	for (unsigned int i = 0; i < sizeof(ops) / sizeof(*ops); i++)
		if (wanted(ops[i].name, argc - 2, argv + 2))
			measure(&ops[i], name, share, step);
	return 0;
}
