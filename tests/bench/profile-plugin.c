// SPDX-License-Identifier: GPL-2.0
/*
 * profile-plugin.c - count the instructions of every block that QEMU runs
 *
 * A plugin for QEMU's TCG (10.0 or later).  It counts between two marks, NOPs
 * that programs execute around what they measure, and writes one line a block:
 *
 *	KIND RUN VIRTUAL-ADDRESS HOST-POINTER INSTRUCTIONS EXECUTIONS OPERATION DEAR
 *
 * The kind of measurement is in the mark, the run counts its ends.  The pointer
 * tells apart two kernels that run at the same addresses.  OPERATION counts the
 * operations of ops.c; it is 0 outside the one run of each that is to be looked
 * at, and with "picked=on" such runs are left out.  DEAR says how many
 * instructions of the block cost far more than others on hardware: "cr3:1,verw:1".
 * What is declared here of QEMU's plugin interface is all that is used of it.
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

/* What costs far more on hardware than an instruction does on average. */
enum dear {
	CR3, WRMSR, RDMSR, SYSCALL, SYSRET, IRETQ, LRETQ, INT, SWAPGS, WRBASE, RDBASE, VERW,
	INVLPG, INVPCID, LGDT, LIDT, LTR, LLDT, MOV_SEG, DR, LFENCE, XSETBV, CPUID, NR_DEAR
};

static const char *const dear_names[] = {
	"cr3", "wrmsr", "rdmsr", "syscall", "sysret", "iretq", "lretq", "int", "swapgs",
	"wrbase", "rdbase", "verw", "invlpg", "invpcid", "lgdt", "lidt", "ltr", "lldt",
	"mov_seg", "dr", "lfence", "xsetbv", "cpuid"
};

struct block {
	struct block *next;
	uint8_t dear[NR_DEAR];
	bool known;
	uint64_t va;
	void *ptr;
	size_t insns;
	uint64_t count;
};

#define BUCKETS (1 << 16)
static struct block *blocks[BUCKETS];
static bool counting;
static unsigned int runs;
static unsigned int operations;
static bool picked, in_operation;
static FILE *out;

/*
 * NOPL 0x726670kn(%rax): k is the kind; n 1 begins, 2 ends.  From 3 to 4 is the
 * run of an operation that is to be looked at.
 */
static const uint8_t mark[] = { 0x0f, 0x1f, 0x80 };
#define MARK		0x72667000
#define MARK_KIND(_nr)	(((_nr) >> 4) & 0xf)
#define MARK_BEGINS	1
#define MARK_ENDS	2
#define MARK_OPERATION	3
#define MARK_OVER	4

/* Group 0F 00 and 0F 01, by the byte that follows. */
static int dear_of_system(uint8_t opcode, uint8_t modrm, bool repeated)
{
	uint8_t reg = (modrm >> 3) & 7;

	if (!opcode)
		return reg == 2 ? LLDT : reg == 3 ? LTR : reg == 5 ? VERW : NR_DEAR;
	if (modrm == 0xf8)
		return SWAPGS;
	if (modrm == 0xd1 && !repeated)
		return XSETBV;
	if (modrm >= 0xc0)
		return NR_DEAR;
	return reg == 2 ? LGDT : reg == 3 ? LIDT : reg == 7 ? INVLPG : NR_DEAR;
}

/* Two-byte opcodes. */
static int dear_of_0f(const uint8_t *b, uint8_t repeat, bool size16)
{
	uint8_t reg = (b[1] >> 3) & 7;

	switch (b[0]) {
	case 0x00: case 0x01:
		return dear_of_system(b[0], b[1], repeat);
	case 0x05:
		return SYSCALL;
	case 0x07:
		return SYSRET;
	case 0x22:
		return reg == 3 ? CR3 : NR_DEAR;
	case 0x23:
		return DR;
	case 0x30:
		return WRMSR;
	case 0x32:
		return RDMSR;
	case 0x38:
		return b[1] == 0x82 && size16 ? INVPCID : NR_DEAR;
	case 0xa2:
		return CPUID;
	case 0xae:
		if (repeat == 0xf3 && b[1] >= 0xc0 && reg < 4)
			return reg < 2 ? RDBASE : WRBASE;
		return b[1] == 0xe8 && !repeat ? LFENCE : NR_DEAR;
	default:
		return NR_DEAR;
	}
}

/* Which of them an instruction is; NR_DEAR: none. */
static int dear_of(const uint8_t *b)
{
	uint8_t repeat = 0;
	bool size16 = false;

	for (;; b++) {
		if (*b == 0xf2 || *b == 0xf3)
			repeat = *b;
		else if (*b == 0x66)
			size16 = true;
		else if ((*b & 0xf0) != 0x40 && *b != 0x64 && *b != 0x65 && *b != 0x2e &&
			 *b != 0x3e)
			break;
	}
	switch (*b) {
	case 0x0f:
		return dear_of_0f(b + 1, repeat, size16);
	case 0x8e:
		return MOV_SEG;
	case 0xcb:
		return LRETQ;
	case 0xcd:
		return INT;
	case 0xcf:
		return IRETQ;
	default:
		return NR_DEAR;
	}
}

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

static void operation(unsigned int vcpu, void *data)
{
	(void)vcpu;
	in_operation = data;
	if (in_operation)
		operations++;
}

static void print_block(const struct block *b, unsigned int kind)
{
	const char *comma = "";

	fprintf(out, "%u %u %#" PRIx64 " %#" PRIxPTR " %zu %" PRIu64 " %u ", kind, runs, b->va,
		(uintptr_t)b->ptr, b->insns, b->count, in_operation ? operations : 0);
	for (int i = 0; i < NR_DEAR; i++) {
		if (!b->dear[i])
			continue;
		fprintf(out, "%s%s:%u", comma, dear_names[i], b->dear[i]);
		comma = ",";
	}
	fputs(*comma ? "\n" : "-\n", out);
}

static void end(unsigned int vcpu, void *data)
{
	(void)vcpu;
	if (!counting)
		return;
	counting = false;
	runs++;
	if (picked && !in_operation && !data)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		for (struct block *b = blocks[i]; b; b = b->next)
			if (b->count)
				print_block(b, (uintptr_t)data);
	fflush(out);
}

/* What is to happen where a program has a mark. */
static void register_mark(struct qemu_plugin_insn *insn, const uint8_t *bytes)
{
	void *data = NULL;
	exec_cb cb;
	uint32_t nr;

	memcpy(&nr, bytes + sizeof(mark), sizeof(nr));
	if ((nr & ~0xff) != MARK)
		return;
	switch (nr & 0xf) {
	case MARK_BEGINS:
		cb = begin;
		break;
	case MARK_ENDS:
		cb = end;
		data = (void *)(uintptr_t)MARK_KIND(nr);
		break;
	case MARK_OPERATION:
		cb = operation;
		data = (void *)(uintptr_t)1;
		break;
	case MARK_OVER:
		cb = operation;
		break;
	default:
		return;
	}
	qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, 0, data);
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
	size_t i, n = qemu_plugin_tb_n_insns(tb);
	struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, 0);
	struct block *block;
	bool fresh;

	(void)id;
	block = block_of(qemu_plugin_tb_vaddr(tb), qemu_plugin_insn_haddr(insn), n);
	fresh = !block->known;
	block->known = true;
	qemu_plugin_register_vcpu_tb_exec_cb(tb, count, 0, block);
	for (i = 0; i < n; i++) {
		uint8_t bytes[16] = {};
		size_t len;
		int dear;

		insn = qemu_plugin_tb_get_insn(tb, i);
		len = qemu_plugin_insn_data(insn, bytes, sizeof(bytes) - 1);
		dear = dear_of(bytes);
		if (fresh && dear < NR_DEAR && block->dear[dear] < UINT8_MAX)
			block->dear[dear]++;
		if (len == 7 && !memcmp(bytes, mark, sizeof(mark)))
			register_mark(insn, bytes);
	}
}

EXPORT int qemu_plugin_install(uint64_t id, const struct qemu_info_t *info, int argc, char **argv)
{
	const char *path = NULL;

	(void)info;
	for (int i = 0; i < argc; i++)
		if (!strncmp(argv[i], "out=", 4))
			path = argv[i] + 4;
		else if (!strcmp(argv[i], "picked=on"))
			picked = true;
	out = path ? fopen(path, "w") : NULL;
	if (!out)
		return 1;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
	return 0;
}
