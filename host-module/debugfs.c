// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs.c - one folder a VM: state, counters by vCPU
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>

#include "debugfs.h"
#include "vcpu.h"
#include "vm.h"

static struct dentry *root;

/* In the order of enum rf_counter. */
static const char * const counter_names[RF_NR_COUNTERS] = {
	"switches", "exit_interrupt", "exit_nmi", "exit_page_fault", "exit_gp",
	"exit_other_trap", "exit_hypercall", "exit_syscall", "fast_syscall",
	"fast_iret", "fast_hypercall", "cr3_writes", "bounced_traps", "events",
	"shadow_fill", "shadow_create", "shadow_drop", "out_of_sync", "resync",
	"shootdown", "emulated", "io_exits", "halts", "kicks", "notifier_zap",
	"fast_fault",
};

static int state_show(struct seq_file *m, void *unused)
{
	static const char * const names[] = { "running", "shutdown", "dead" };
	struct rf_vm *vm = m->private;

	seq_printf(m, "name: %s\nstate: %s\nreason: %u\ntext: %s\n", vm->name,
		   names[vm->state], vm->reason, vm->text);
	seq_printf(m, "vcpus: %u of %u\npages: %llu\n", vm->nr_vcpus, vm->max_vcpus,
		   vm->nr_pages);
	seq_printf(m, "shadow_pages: %u of %u\nmapped_pages: %lld\nout_of_sync: %d\n",
		   vm->mmu.nr_shadows, vm->mmu.max_shadows,
		   (long long)atomic64_read(&vm->mmu.nr_mapped),
		   READ_ONCE(vm->mmu.nr_out_of_sync));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(state);

static int counters_show(struct seq_file *m, void *unused)
{
	struct rf_vm *vm = m->private;
	u64 counters[RF_NR_COUNTERS];
	struct rf_vcpu *vcpu;
	unsigned int i, c;

	rf_for_each_vcpu(vm, vcpu, i) {
		rf_vcpu_read_counters(vcpu, counters);
		for (c = 0; c < RF_NR_COUNTERS; c++)
			seq_printf(m, "vcpu%u %s %llu\n", vcpu->id, counter_names[c],
				   counters[c]);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(counters);

/* Where each vCPU was when it last came out; it may be running meanwhile. */
static int regs_show(struct seq_file *m, void *unused)
{
	struct rf_vm *vm = m->private;
	struct rf_vcpu *vcpu;
	unsigned int i;

	rf_for_each_vcpu(vm, vcpu, i) {
		const struct rf_regs *r = vcpu->regs;

		seq_printf(m, "vcpu%u: %s%s rip %04llx:%016llx rsp %04llx:%016llx rflags %08llx\n",
			   vcpu->id, vcpu->online ? "up" : "down",
			   vcpu->halted ? " halted" : "", r->cs, r->rip, r->ss, r->rsp, r->rflags);
		seq_printf(m, "  rax %016llx rbx %016llx rcx %016llx rdx %016llx\n",
			   r->rax, r->rbx, r->rcx, r->rdx);
		seq_printf(m, "  rsi %016llx rdi %016llx rbp %016llx r8  %016llx\n",
			   r->rsi, r->rdi, r->rbp, r->r8);
		seq_printf(m, "  kernel %llu exit %#llx error %#llx cr2 %016llx roots %llx %llx\n",
			   vcpu->world->in_kernel, r->exit, r->error, vcpu->fault_gva,
			   vcpu->mmu.kernel_gfn.v, vcpu->mmu.user_gfn.v);
	}
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(regs);

void rf_debugfs_add(struct rf_vm *vm)
{
	char folder[RF_NAME_LEN + 16];

	snprintf(folder, sizeof(folder), "%u-%s", vm->id, vm->name);
	vm->debugfs = debugfs_create_dir(folder, root);
	debugfs_create_file("state", 0400, vm->debugfs, vm, &state_fops);
	debugfs_create_file("counters", 0400, vm->debugfs, vm, &counters_fops);
	debugfs_create_file("regs", 0400, vm->debugfs, vm, &regs_fops);
}

/* Waits for readers. */
void rf_debugfs_remove(struct rf_vm *vm)
{
	debugfs_remove_recursive(vm->debugfs);
}

void rf_debugfs_init(void)
{
	root = debugfs_create_dir("ringfence", NULL);
}

void rf_debugfs_exit(void)
{
	debugfs_remove_recursive(root);
}
