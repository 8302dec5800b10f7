// SPDX-License-Identifier: GPL-2.0
/* Which instructions tests/bench/profile-plugin.c takes for dear ones. */
#include "../../bench/profile-plugin.c"

void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id, trans_cb cb)
{
}

void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb, exec_cb cb, int flags,
					  void *data)
{
}

void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn, exec_cb cb,
					    int flags, void *data)
{
}

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb)
{
	return 0;
}

uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *tb)
{
	return 0;
}

struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t i)
{
	return NULL;
}

size_t qemu_plugin_insn_data(const struct qemu_plugin_insn *insn, void *dest, size_t len)
{
	return 0;
}

void *qemu_plugin_insn_haddr(const struct qemu_plugin_insn *insn)
{
	return NULL;
}

static const struct {
	const char *text;
	uint8_t bytes[16];
	int want;
} cases[] = {
	{ "mov %rax,%cr3",	{ 0x0f, 0x22, 0xd8 },			CR3 },
	{ "mov %rax,%cr0",	{ 0x0f, 0x22, 0xc0 },			NR_DEAR },
	{ "mov %cr3,%rax",	{ 0x0f, 0x20, 0xd8 },			NR_DEAR },
	{ "wrmsr",		{ 0x0f, 0x30 },				WRMSR },
	{ "rdmsr",		{ 0x0f, 0x32 },				RDMSR },
	{ "rdtsc",		{ 0x0f, 0x31 },				NR_DEAR },
	{ "syscall",		{ 0x0f, 0x05 },				SYSCALL },
	{ "sysretq",		{ 0x48, 0x0f, 0x07 },			SYSRET },
	{ "iretq",		{ 0x48, 0xcf },				IRETQ },
	{ "lretq",		{ 0x48, 0xcb },				LRETQ },
	{ "ret",		{ 0xc3 },				NR_DEAR },
	{ "int $0x20",		{ 0xcd, 0x20 },				INT },
	{ "swapgs",		{ 0x0f, 0x01, 0xf8 },			SWAPGS },
	{ "rdtscp",		{ 0x0f, 0x01, 0xf9 },			NR_DEAR },
	{ "clac",		{ 0x0f, 0x01, 0xca },			NR_DEAR },
	{ "wrgsbase %rax",	{ 0xf3, 0x48, 0x0f, 0xae, 0xd8 },	WRBASE },
	{ "wrfsbase %rsi",	{ 0xf3, 0x48, 0x0f, 0xae, 0xd6 },	WRBASE },
	{ "rdgsbase %rax",	{ 0xf3, 0x48, 0x0f, 0xae, 0xc8 },	RDBASE },
	{ "lfence",		{ 0x0f, 0xae, 0xe8 },			LFENCE },
	{ "mfence",		{ 0x0f, 0xae, 0xf0 },			NR_DEAR },
	{ "verw 0(%rip)",	{ 0x0f, 0x00, 0x2d },			VERW },
	{ "verr (%rax)",	{ 0x0f, 0x00, 0x20 },			NR_DEAR },
	{ "ltr %ax",		{ 0x0f, 0x00, 0xd8 },			LTR },
	{ "lldt %ax",		{ 0x0f, 0x00, 0xd0 },			LLDT },
	{ "lgdt (%rax)",	{ 0x0f, 0x01, 0x10 },			LGDT },
	{ "lidt %gs:(%rax)",	{ 0x65, 0x0f, 0x01, 0x18 },		LIDT },
	{ "sgdt (%rax)",	{ 0x0f, 0x01, 0x00 },			NR_DEAR },
	{ "invlpg (%rax)",	{ 0x0f, 0x01, 0x38 },			INVLPG },
	{ "invpcid (%rax),%rbx", { 0x66, 0x0f, 0x38, 0x82, 0x18 },	INVPCID },
	{ "pshufb %mm0,%mm1",	{ 0x0f, 0x38, 0x00, 0xc8 },		NR_DEAR },
	{ "mov %eax,%ds",	{ 0x8e, 0xd8 },				MOV_SEG },
	{ "mov %ds,%eax",	{ 0x8c, 0xd8 },				NR_DEAR },
	{ "mov %rax,%dr7",	{ 0x0f, 0x23, 0xf8 },			DR },
	{ "xsetbv",		{ 0x0f, 0x01, 0xd1 },			XSETBV },
	{ "xgetbv",		{ 0x0f, 0x01, 0xd0 },			NR_DEAR },
	{ "cpuid",		{ 0x0f, 0xa2 },				CPUID },
	{ "nop",		{ 0x90 },				NR_DEAR },
};

int main(void)
{
	size_t n = sizeof(cases) / sizeof(*cases);
	int bad = 0;

	for (size_t i = 0; i < n; i++) {
		int got = dear_of(cases[i].bytes);

		if (got == cases[i].want)
			continue;
		printf("not ok - %s is number %d of %d\n", cases[i].text, got, NR_DEAR);
		bad = 1;
	}
	if (sizeof(dear_names) / sizeof(*dear_names) != NR_DEAR) {
		printf("not ok - names and numbers differ\n");
		bad = 1;
	}
	printf("%zu instructions\n", n);
	return bad;
}
