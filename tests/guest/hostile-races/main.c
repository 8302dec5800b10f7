// SPDX-License-Identifier: GPL-2.0
/*
 * One vCPU makes a hypercall while another changes its arguments from harmless
 * to harmful and back: what is checked is what is used.  And both work on the
 * same tables of descriptors, ports and roots at once.
 *
 * It may not be, if anything is read from the guest twice.
 */
#include "guest.h"

#define PRESENT		(1UL << 47)
#define DPL3		(3UL << 45)
#define DATA		0x00cff3000000ffffUL
#define CALL_GATE	(PRESENT | DPL3 | 12UL << 40 | 0xe0080000UL)
#define TSS		(PRESENT | DPL3 | 9UL << 40)
#define FAR_MFN		(1UL << 28)	/* no guest has that */
#define ROUNDS		3000

static u64 *word;		/* what is flipped */
static u64 good, bad;
static u32 stop, started;

static bool alone(void)
{
	if (cpu_count() >= 2)
		return false;
	test_skip("one vCPU");
	return true;
}

static void flip(void)
{
	__atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		u32 i;

		for (i = 0; i < 200; i++) {
			WRITE_ONCE(*word, good);
			WRITE_ONCE(*word, bad);
		}
	}
	WRITE_ONCE(*word, good);
}

static void start(u64 *at, u64 one, u64 other)
{
	word = at;
	good = one;
	bad = other;
	stop = 0;
	started = 0;
	cpu_run(1, flip);
	while (!__atomic_load_n(&started, __ATOMIC_SEQ_CST))
		relax();
}

static void end(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	cpu_wait(1);
}

static u32 rights(u16 selector)
{
	u32 ar = 0;

	asm volatile("larl %1, %0; jz 1f; xorl %0, %0; 1:" : "=r" (ar) : "r" ((u32)selector));
	return ar;
}

/* A code or data segment, or none: bit 12 is clear in what belongs to a system. */
static bool is_a_system_descriptor(u16 selector)
{
	u32 ar = rights(selector);

	return ar && !(ar & (1 << 12));
}

static void a_gdt_that_changes_while_it_is_read(void)
{
	u64 *gdt = page_alloc();
	unsigned long frame = mfn_of(gdt);
	u32 i, seen = 0, took = 0;

	if (alone())
		return;
	start(&gdt[5], DATA, CALL_GATE);
	for (i = 0; i < ROUNDS; i++) {
		took += set_gdt(&frame, 512) == 0;
		seen += is_a_system_descriptor(5 * 8 + 3);
	}
	end();
	EXPECT_EQ(seen, 0);
	/* On a single CPU it may always be found with the call gate in it. */
	print("# %u of %u were taken\n", took, i);
	gdt[5] = DATA;
	EXPECT_EQ(set_gdt(&frame, 512), 0);
}

static void an_ldt_that_changes_while_it_is_read(void)
{
	u64 *ldt = page_alloc();
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (u64)ldt,
				.arg2.nr_ents = 512 };
	u32 i, seen = 0;

	if (alone())
		return;
	start(&ldt[5], DATA, TSS);
	for (i = 0; i < ROUNDS; i++) {
		mmuext_op(&op, 1, NULL);
		update_descriptor((mfn_of(ldt) << 12) + 48, i & 1 ? DATA : 0);
		seen += is_a_system_descriptor(5 * 8 + 7);
	}
	end();
	op.arg2.nr_ents = 0;
	mmuext_op(&op, 1, NULL);
	EXPECT_EQ(seen, 0);
}

static void an_update_that_changes_while_it_is_made(void)
{
	struct mmu_update *update = page_alloc();
	u64 va = FREE_VA, mfn = mfn_of(page_alloc()), *entry;
	u32 i, wrong = 0;

	if (alone())
		return;
	map(kernel_root(), va, mkpte(mfn, PTE_RW));
	entry = pte_find(kernel_root(), va, 1);
	update->ptr = pte_ma(entry);
	/* They differ in one byte: half of each would be an entry for any frame. */
	start(&update->val, mkpte(mfn, PTE_RW), mkpte(mfn | FAR_MFN, PTE_RW));
	for (i = 0; i < ROUNDS; i++) {
		mmu_update(update, 1, NULL);
		wrong += (READ_ONCE(*entry) & PTE_MFN) >> 12 != mfn;
		try_write(va, i);
	}
	end();
	EXPECT_EQ(wrong, 0);
	start(&update->ptr, pte_ma(entry), pte_ma(entry) | FAR_MFN << 12);
	for (i = 0; i < ROUNDS; i++)
		mmu_update(update, 1, NULL);
	end();
}

/* A nested multicall, or an iret, that was a harmless call when it was looked at. */
static void a_batch_that_changes_while_it_is_made(void)
{
	struct multicall_entry *batch = page_alloc();
	u32 i;

	if (alone())
		return;
	batch[0].op = __HYPERVISOR_xen_version;
	batch[0].args[0] = (u64)batch;
	batch[0].args[1] = 1;
	batch[1].op = __HYPERVISOR_xen_version;
	start((u64 *)&batch[0].op, __HYPERVISOR_xen_version, __HYPERVISOR_multicall);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(multicall(batch, 2), 0);
	end();
	start((u64 *)&batch[1].op, __HYPERVISOR_xen_version, __HYPERVISOR_iret);
	for (i = 0; i < ROUNDS; i++)
		EXPECT_EQ(multicall(batch, 2), 0);
	end();
}

static void a_trap_table_that_changes_while_it_is_read(void)
{
	static struct trap_info table[257];
	u32 i, took = 0, refused = 0;

	if (alone())
		return;
	trap_table_init(table);
	start((u64 *)&table[5].address, (u64)(trap_stubs + 80), 0xffff830000003000);
	for (i = 0; i < 300; i++) {
		long err = set_trap_table(table);

		took += err == 0;
		refused += err == -EINVAL;
		EXPECT_EQ(TRY("ud2"), 6);
	}
	end();
	EXPECT_EQ(took + refused, 300);
	EXPECT_EQ(set_trap_table(table), 0);
}

static u32 ports[8];

static void use_ports(void)
{
	u64 seed = this_cpu()->id + 1;
	u32 i;

	__atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
	for (i = 0; i < ROUNDS; i++) {
		u32 at = random64(&seed) % ARRAY_SIZE(ports);
		struct evtchn_bind_vcpu bind = { .port = ports[at], .vcpu = random64(&seed) & 1 };

		switch (random64(&seed) % 5) {
		case 0:
			ports[at] = random64(&seed) & 1 ? bind_ipi(random64(&seed) & 1) :
							  alloc_unbound();
			break;
		case 1:
			port_close(ports[at]);
			break;
		case 2:
			event_channel_op(EVTCHNOP_bind_vcpu, &bind);
			break;
		default:
			port_send(ports[at]);
		}
	}
}

static void ports_that_both_use(void)
{
	struct evtchn_reset reset = { .dom = DOMID_SELF };
	u32 port;

	if (alone())
		return;
	events_off();
	EXPECT(cpu_run(1, use_ports));
	use_ports();
	cpu_wait(1);
	EXPECT_EQ(event_channel_op(EVTCHNOP_reset, &reset), 0);
	this_cpu()->info->evtchn_pending_sel = 0;
	this_cpu()->info->evtchn_upcall_pending = 0;
	event_forget();
	port = bind_ipi(0);
	events_on();
	port_send(port);
	events_off();
	EXPECT_EQ(event_log.count[port], 1);
}

static bool take_nmis(struct regs *regs)
{
	return regs->vector == 2 || regs->vector == VEC_NMI;
}

static void one_goes_down_while_the_other_flushes(void)
{
	u32 i;

	if (alone())
		return;
	stop = 1;
	trap_hook = take_nmis;
	for (i = 0; i < 300; i++) {
		cpu_run(1, flip);
		vcpu_op(VCPUOP_down, 1, NULL);
		flush_tlb_all();
		vcpu_op(VCPUOP_send_nmi, 1, NULL);
		EXPECT_EQ(vcpu_op(VCPUOP_up, 1, NULL), 0);
		flush_tlb_all();
	}
	/* Once for what was sent last. */
	cpu_wait(1);
	cpu_run(1, flip);
	cpu_wait(1);
	EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 1);
}

static u64 roots[2];

static void change_roots(void)
{
	u32 i;

	for (i = 0; i < 500; i++) {
		mmuext(MMUEXT_NEW_USER_BASEPTR, roots[i & 1]);
		mmuext(i % 3 ? MMUEXT_PIN_L4_TABLE : MMUEXT_UNPIN_TABLE, roots[~i & 1]);
		pte_write((u64 *)va_of(roots[i & 1]), i & 2 ? *(u64 *)va_of(kernel_root()) : 0);
		if (i % 7 == 0)
			flush_tlb_all();
	}
	mmuext(MMUEXT_NEW_USER_BASEPTR, user_root);
}

static void roots_that_both_change(void)
{
	if (alone())
		return;
	roots[0] = table_alloc();
	roots[1] = table_alloc();
	EXPECT(cpu_run(1, change_roots));
	change_roots();
	cpu_wait(1);
	EXPECT_EQ(try_read((u64)roots, NULL), VEC_NONE);
}

#define MARK	0x200UL			/* in an entry that is not present */

static u64 table_va;
static u32 nr_wrong;

/* A of the entry by which a table is stored to goes and comes back. */
static void flip_accessed(void)
{
	u64 value;
	u32 i;

	for (i = 0; i < 4 * ROUNDS; i++) {
		pte_write(word, good & ~PTE_A);
		pte_write(word, good);
		if (try_read(table_va, &value) != VEC_NONE || (value & (PAGE_SIZE - 1)) != MARK)
			nr_wrong++;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
}

/* Meanwhile the address shows the table, and no other frame. */
static void a_table_stored_to_while_its_entry_changes(void)
{
	u64 mfn = table_alloc(), i;

	if (alone())
		return;
	table_va = FREE_VA + 0x3000000;
	good = mkpte(mfn, PTE_RO);
	map(kernel_root(), table_va, good);
	EXPECT_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn), 0);
	EXPECT_EQ(try_write(table_va, MARK), VEC_NONE);
	flush_tlb_all();
	word = pte_find(kernel_root(), table_va, 1);
	nr_wrong = 0;
	stop = 0;
	cpu_run(1, flip_accessed);
	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++)
		EXPECT_EQ(try_write(table_va, i << 12 | MARK), VEC_NONE);
	cpu_wait(1);
	EXPECT_EQ(nr_wrong, 0);
}

GUEST_TEST(CASE(a_gdt_that_changes_while_it_is_read),
	   CASE(an_ldt_that_changes_while_it_is_read),
	   CASE(an_update_that_changes_while_it_is_made),
	   CASE(a_batch_that_changes_while_it_is_made),
	   CASE(a_trap_table_that_changes_while_it_is_read), CASE(ports_that_both_use),
	   CASE(one_goes_down_while_the_other_flushes), CASE(roots_that_both_change),
	   CASE(a_table_stored_to_while_its_entry_changes));
