// SPDX-License-Identifier: GPL-2.0
/*
 * pcid_test.c - no guest ever uses a TLB entry that is gone from its tables
 *
 * A machine in miniature: CPUs with a TLB by PCID, VMs whose vCPUs move about,
 * roots that change, go, and come back as somebody else's.  What the MMU does
 * around the pure file (tlb.c, and the switcher) is done here in the same
 * order.  Emulators have no PCIDs, so this is where they are tested.
 *
 * Flags: -Itests/unit/include
 * Sources: host-module/mmu/pcid.c
 */
#include <stdlib.h>
#include <string.h>

#include "host-module/mmu/pcid.h"
#include "userland/tap.h"

#define CPUS		3
#define NR_VMS		2
#define NR_VCPUS	4	/* vCPU v is of VM v % NR_VMS */
#define NR_ROOTS	6
#define NR_ADDRESSES	3
#define NR_HW_PCIDS	4096
#define PCID_MASK	0xfffULL

/* Page tables: what each address of a root leads to, 0 for nothing. */
struct root {
	int vm;			/* -1: free */
	unsigned int page[NR_ADDRESSES];
};

struct cpu {
	unsigned int tlb[NR_HW_PCIDS][NR_ADDRESSES];
	u64 cr3;
	struct rf_pcids *last;
};

struct vcpu {
	struct rf_pcids pcids;
	bool flush;
	int in_guest;		/* CPU, or -1 */
	enum rf_pcid mode;
	int root[RF_NR_PCIDS];	/* -1: none */
	u64 cr3[RF_NR_PCIDS];	/* as in the world */
};

static struct root roots[NR_ROOTS];
static struct cpu cpus[CPUS];
static struct vcpu vcpus[NR_VCPUS];
static unsigned int next_page, nr_flushes, nr_kept, nr_stale;

static u64 root_address(int root)
{
	return (u64)(root + 1) << 12;
}

static void start(void)
{
	int i;

	memset(cpus, 0, sizeof(cpus));
	memset(roots, 0, sizeof(roots));
	memset(vcpus, 0, sizeof(vcpus));
	for (i = 0; i < NR_ROOTS; i++)
		roots[i].vm = -1;
	for (i = 0; i < NR_VCPUS; i++) {
		rf_pcid_init(&vcpus[i].pcids);
		vcpus[i].flush = true;
		vcpus[i].in_guest = -1;
		vcpus[i].root[RF_PCID_KERNEL] = -1;
		vcpus[i].root[RF_PCID_USER] = -1;
	}
	next_page = 1;
	nr_flushes = 0;
	nr_kept = 0;
	nr_stale = 0;
}

/* --- the hardware ---------------------------------------------------------- */

static void write_cr3(struct cpu *cpu, u64 cr3)
{
	if (cr3 & RF_CR3_NOFLUSH) {
		nr_kept++;
	} else {
		nr_flushes++;
		memset(cpu->tlb[cr3 & PCID_MASK], 0, sizeof(cpu->tlb[0]));
	}
	cpu->cr3 = cr3 & ~RF_CR3_NOFLUSH;
}

static void touch(struct cpu *cpu, int address)
{
	unsigned int *entry = &cpu->tlb[cpu->cr3 & PCID_MASK][address];
	unsigned int page = roots[(cpu->cr3 >> 12) - 1].page[address];

	/* A walk sees the tables; only an entry can be out of date. */
	if (!*entry)
		*entry = page;
	if (*entry != page)
		nr_stale++;
}

/* --- what the module does around it ------------------------------------------ */

/* The switcher: load a CR3; from now on it need not flush. */
static void switch_mode(struct vcpu *vcpu, enum rf_pcid mode)
{
	write_cr3(&cpus[vcpu->in_guest], vcpu->cr3[mode]);
	vcpu->cr3[mode] |= RF_CR3_NOFLUSH;
	vcpu->mode = mode;
}

/* mmuext_op in the switcher: another root, or -1 to flush only. */
static void change_root(struct vcpu *vcpu, enum rf_pcid pcid, int root)
{
	int i;

	if (root >= 0) {
		vcpu->root[pcid] = root;
		vcpu->cr3[pcid] = rf_pcid_cr3_flush(pcid, root_address(root));
	}
	for (i = 0; i < RF_NR_PCIDS; i++)
		vcpu->cr3[i] &= ~RF_CR3_NOFLUSH;
	switch_mode(vcpu, RF_PCID_KERNEL);
}

/* rf_mmu_update_world(), rf_mmu_first_cr3(), and the way in. */
static void enter(struct vcpu *vcpu, int cpu)
{
	int i;

	if (vcpu->root[RF_PCID_KERNEL] < 0 ||
	    (vcpu->mode == RF_PCID_USER && vcpu->root[RF_PCID_USER] < 0))
		return;
	rf_pcid_enter(&vcpu->pcids, &cpus[cpu].last, cpu, vcpu->flush);
	vcpu->flush = false;
	for (i = 0; i < RF_NR_PCIDS; i++)
		vcpu->cr3[i] = vcpu->root[i] < 0 ? 0 :
			       rf_pcid_cr3(&vcpu->pcids, i, root_address(vcpu->root[i]));
	vcpu->in_guest = cpu;
	switch_mode(vcpu, vcpu->mode);
}

/* rf_mmu_left_guest() */
static void leave(struct vcpu *vcpu)
{
	int i;

	if (vcpu->in_guest < 0)
		return;
	for (i = 0; i < RF_NR_PCIDS; i++)
		rf_pcid_left(&vcpu->pcids, i, vcpu->cr3[i]);
	vcpu->in_guest = -1;
}

/* rf_mmu_flush_vcpus(): the flag, then an IPI for those in the guest. */
static void flush_vm(int vm)
{
	int i;

	for (i = vm; i < NR_VCPUS; i += NR_VMS) {
		vcpus[i].flush = true;
		leave(&vcpus[i]);
	}
}

static void set_page(int root, int address, unsigned int page)
{
	bool was_there = roots[root].page[address];

	roots[root].page[address] = page;
	if (was_there)
		flush_vm(roots[root].vm);
}

/* rf_shadow_drop(), and freed after a flush. */
static void drop_root(int root)
{
	int vm = roots[root].vm, i, j;

	for (i = 0; i < NR_VCPUS; i++)
		for (j = 0; j < RF_NR_PCIDS; j++)
			if (vcpus[i].root[j] == root) {
				leave(&vcpus[i]);
				vcpus[i].root[j] = -1;
			}
	flush_vm(vm);
	memset(&roots[root], 0, sizeof(roots[root]));
	roots[root].vm = -1;
}

/* Give a vCPU that is out of the guest a root: one of its VM's, or a new one. */
static void load_root(struct vcpu *vcpu, enum rf_pcid pcid, int root)
{
	int vm = (int)(vcpu - vcpus) % NR_VMS;

	if (vcpu->in_guest >= 0 || (roots[root].vm >= 0 && roots[root].vm != vm))
		return;
	roots[root].vm = vm;
	vcpu->root[pcid] = root;
}

/* A vCPU is destroyed, and another made in the same place. */
static void remake_vcpu(struct vcpu *vcpu)
{
	int i;

	leave(vcpu);
	for (i = 0; i < CPUS; i++)
		if (cpus[i].last == &vcpu->pcids)
			cpus[i].last = NULL;
	rf_pcid_init(&vcpu->pcids);
	vcpu->flush = true;
	vcpu->mode = RF_PCID_KERNEL;
	vcpu->root[RF_PCID_KERNEL] = -1;
	vcpu->root[RF_PCID_USER] = -1;
}

/* --- one thing at a time ------------------------------------------------------- */

/* vCPU 0 with both roots, and pages behind address 0. */
static struct vcpu *one_vcpu(void)
{
	struct vcpu *vcpu = &vcpus[0];

	start();
	load_root(vcpu, RF_PCID_KERNEL, 0);
	load_root(vcpu, RF_PCID_USER, 1);
	roots[0].page[0] = next_page++;
	roots[1].page[0] = next_page++;
	return vcpu;
}

static void a_first_entry_flushes(void)
{
	struct vcpu *vcpu = one_vcpu();

	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 1);
	switch_mode(vcpu, RF_PCID_USER);
	EXPECT_EQ(nr_flushes, 2);
	EXPECT_EQ(nr_kept, 0);
}

/* What PCIDs are for. */
static void a_known_root_is_kept(void)
{
	struct vcpu *vcpu = one_vcpu();
	int i;

	enter(vcpu, 0);
	switch_mode(vcpu, RF_PCID_USER);
	for (i = 0; i < 10; i++) {
		switch_mode(vcpu, RF_PCID_KERNEL);
		leave(vcpu);
		enter(vcpu, 0);
		switch_mode(vcpu, RF_PCID_USER);
		leave(vcpu);
		enter(vcpu, 0);
	}
	EXPECT_EQ(nr_flushes, 2);
	EXPECT_EQ(nr_kept, 40);
}

/* The root that was not loaded since has the flush coming. */
static void a_flush_is_owed_to_both_roots(void)
{
	struct vcpu *vcpu = one_vcpu();

	enter(vcpu, 0);
	switch_mode(vcpu, RF_PCID_USER);
	switch_mode(vcpu, RF_PCID_KERNEL);
	set_page(1, 0, next_page++);
	EXPECT_EQ(nr_flushes, 2);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 3);
	leave(vcpu);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 3);
	switch_mode(vcpu, RF_PCID_USER);
	EXPECT_EQ(nr_flushes, 4);
}

static void another_root_flushes(void)
{
	struct vcpu *vcpu = one_vcpu();

	enter(vcpu, 0);
	leave(vcpu);
	load_root(vcpu, RF_PCID_KERNEL, 2);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 2);
	leave(vcpu);
	/* Its entries went when the other root came. */
	load_root(vcpu, RF_PCID_KERNEL, 0);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 3);
	EXPECT_EQ(nr_kept, 0);
}

static void another_cpu_flushes_and_so_does_the_way_back(void)
{
	struct vcpu *vcpu = one_vcpu();

	enter(vcpu, 0);
	leave(vcpu);
	enter(vcpu, 1);
	EXPECT_EQ(nr_flushes, 2);
	leave(vcpu);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 3);
}

static void another_vcpu_in_between_flushes(void)
{
	struct vcpu *vcpu = one_vcpu();

	load_root(&vcpus[1], RF_PCID_KERNEL, 3);
	enter(vcpu, 0);
	leave(vcpu);
	enter(&vcpus[1], 0);
	EXPECT_EQ(nr_flushes, 2);
	leave(&vcpus[1]);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 3);
	EXPECT_EQ(nr_kept, 0);
}

/* Also to the root that is not loaded, and comes out before it is. */
static void a_flush_in_the_guest_is_owed_to_both_roots(void)
{
	struct vcpu *vcpu = one_vcpu();

	enter(vcpu, 0);
	switch_mode(vcpu, RF_PCID_USER);
	switch_mode(vcpu, RF_PCID_KERNEL);
	EXPECT_EQ(nr_flushes, 2);
	change_root(vcpu, RF_PCID_KERNEL, -1);
	EXPECT_EQ(nr_flushes, 3);
	leave(vcpu);
	enter(vcpu, 0);
	EXPECT_EQ(nr_flushes, 3);
	switch_mode(vcpu, RF_PCID_USER);
	EXPECT_EQ(nr_flushes, 4);
}

/* --- all at once ---------------------------------------------------------------- */

static unsigned int below(unsigned int n)
{
	return (unsigned int)random() % n;
}

/* A CPU runs one guest at a time. */
static void enter_somewhere(struct vcpu *vcpu)
{
	int cpu = below(CPUS), i;

	leave(vcpu);
	for (i = 0; i < NR_VCPUS; i++)
		if (vcpus[i].in_guest == cpu)
			leave(&vcpus[i]);
	enter(vcpu, cpu);
}

static void step(void)
{
	struct vcpu *vcpu = &vcpus[below(NR_VCPUS)];
	int root = below(NR_ROOTS);

	switch (below(32)) {
	case 0:
		if (roots[root].vm >= 0)
			drop_root(root);
		break;
	case 1:
		if (!below(16))
			remake_vcpu(vcpu);
		break;
	case 2 ... 5:
		load_root(vcpu, below(RF_NR_PCIDS), root);
		break;
	case 6 ... 8:
		if (roots[root].vm >= 0)
			set_page(root, below(NR_ADDRESSES), below(4) ? next_page++ : 0);
		break;
	case 9:
		flush_vm(below(NR_VMS));
		break;
	case 10 ... 12:
		leave(vcpu);
		break;
	case 13 ... 19:
		/* Mostly where it was, or there would be nothing to keep. */
		if (vcpu->in_guest < 0 && vcpu->pcids.cpu >= 0 && below(4)) {
			bool busy = false;
			int i;

			for (i = 0; i < NR_VCPUS; i++)
				busy |= vcpus[i].in_guest == vcpu->pcids.cpu;
			if (!busy)
				enter(vcpu, vcpu->pcids.cpu);
		} else {
			enter_somewhere(vcpu);
		}
		break;
	case 20 ... 23:
		if (vcpu->in_guest >= 0 && vcpu->root[!vcpu->mode] >= 0)
			switch_mode(vcpu, !vcpu->mode);
		break;
	case 24 ... 25:
		if (vcpu->in_guest >= 0 && vcpu->mode == RF_PCID_KERNEL &&
		    roots[root].vm == (int)(vcpu - vcpus) % NR_VMS)
			change_root(vcpu, below(RF_NR_PCIDS), below(2) ? root : -1);
		break;
	default:
		if (vcpu->in_guest >= 0)
			touch(&cpus[vcpu->in_guest], below(NR_ADDRESSES));
	}
}

static void no_stale_entry_is_used(void)
{
	unsigned int seed, i, kept = 0;

	for (seed = 1; seed <= 200; seed++) {
		srandom(seed);
		start();
		for (i = 0; i < 20000 && !nr_stale; i++)
			step();
		kept += nr_kept;
		if (nr_stale) {
			printf("# seed %u, step %u\n", seed, i);
			break;
		}
	}
	EXPECT_EQ(nr_stale, 0);
	/* And not because nothing was ever kept. */
	EXPECT(kept > 50000);
}

int main(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(a_first_entry_flushes),
		TAP_CASE(a_known_root_is_kept),
		TAP_CASE(a_flush_is_owed_to_both_roots),
		TAP_CASE(another_root_flushes),
		TAP_CASE(another_cpu_flushes_and_so_does_the_way_back),
		TAP_CASE(another_vcpu_in_between_flushes),
		TAP_CASE(a_flush_in_the_guest_is_owed_to_both_roots),
		TAP_CASE(no_stale_entry_is_used),
	};

	return TAP_RUN(cases);
}
