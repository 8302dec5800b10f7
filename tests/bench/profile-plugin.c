// SPDX-License-Identifier: GPL-2.0
/*
 * profile-plugin.c - count the instructions of every block that QEMU runs
 *
 * A plugin for QEMU's TCG (10.0 or later).  It counts between two marks, NOPs
 * that programs execute around what they measure, and writes one line a block:
 *
 *	KIND RUN VIRTUAL-ADDRESS HOST-POINTER INSTRUCTIONS EXECUTIONS
 *
 * The kind of measurement is in the mark, the run counts its ends.  The pointer
 * tells apart two kernels that run at the same addresses.  What is
 * declared here of QEMU's plugin interface is all that is used of it.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info_t;

typedef void (*trans_cb)(uint64_t id, struct qemu_plugin_tb *tb);
typedef void (*exec_cb)(unsigned int vcpu, void *data);

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, trans_cb cb);
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags,
					  void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb,
					    int flags, void *data);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i);
size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len);
void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn);

EXPORT int qemu_plugin_version = 4;

struct block {
	struct block *next;
	uint64_t va;
	void *ptr;
	size_t insns;
	uint64_t count;
};

#define BUCKETS (1 << 16)
static struct block *blocks[BUCKETS];
static bool counting;
static unsigned int runs;
static FILE *out;

/* NOPL 0x726670kn(%rax): k is the kind, n 1 begins, 2 ends. */
static const uint8_t mark[] = { 0x0f, 0x1f, 0x80 };
#define MARK		0x72667000
#define MARK_KIND(_nr)	(((_nr) >> 4) & 0xf)
#define MARK_BEGINS	1
#define MARK_ENDS	2

static struct block *block_of(uint64_t va, void *ptr, size_t insns)
{
	struct block **head = &blocks[((va >> 2) ^ (va >> 18) ^ (uintptr_t)ptr) % BUCKETS];
	struct block *b;

	for (b = *head; b; b = b->next)
		if (b->va == va && b->ptr == ptr && b->insns == insns)
			return b;
	b = calloc(1, sizeof(*b));
	*b = (struct block) { .next = *head, .va = va, .ptr = ptr, .insns = insns };
	*head = b;
	return b;
}

static void count(unsigned int vcpu, void *data)
{
	struct block *b = data;

	(void)vcpu;
	if (counting)
		b->count++;
}

static void begin(unsigned int vcpu, void *data)
{
	(void)vcpu;
	(void)data;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			b->count = 0;
	counting = true;
}

static void end(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if (!counting)
		return;
	counting = false;
	runs++;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			if (b->count)
				fprintf(out, "%u %u %#" PRIx64 " %#" PRIxPTR " %zu %" PRIu64 "\n",
					(unsigned int)(uintptr_t)data, runs, b->va,
					(uintptr_t)b->ptr, b->insns, b->count);
	fflush(out);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
	struct block *block;

	(void)id;
	block = block_of(qemu_plugin_tb_vaddr(tb), qemu_plugin_insn_haddr(insn), n);
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count, 0, block);
	for (i = 0; i < n; i++) {
		uint8_t bytes[16] = {};
		uint32_t nr;

		insn = qemu_plugin_tb_get_insn(tb, i);
		if (qemu_plugin_insn_data(insn, bytes, sizeof(bytes)) != 7 ||
		    memcmp(bytes, mark, sizeof(mark)))
			continue;
		memcpy(&nr, bytes + 3, sizeof(nr));
		if ((nr & ~0xff) != MARK)
			continue;
		if ((nr & 0xf) == MARK_BEGINS)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, begin, 0, NULL);
		else if ((nr & 0xf) == MARK_ENDS)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, end, 0,
							       (void *)(uintptr_t)MARK_KIND(nr));
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	const char *path = NULL;

	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			path = argv[i] + 4;
	out = path ? fopen(path, "w") : NULL;
	if (!out)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
