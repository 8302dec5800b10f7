// SPDX-License-Identifier: GPL-2.0
/*
 * mmu_update of one leaf, which the switcher serves by itself: it does so only
 * where it may, takes nothing of the guest's on trust, and keeps the books that
 * others rely on when they take a frame or a table away.
 *
 * It may not, for it does without the host's locks and checks.  Who has served a
 * call is seen by an event that the guest has made pending itself: the host looks
 * for events on the way back, the switcher does not.
 */
#include "device.h"

#define REGION(_n)	(FREE_VA + (_n) * 0x200000UL)	/* a leaf table each */
#define NR_FRAMES	8
#define ROUNDS		20000

#define HOST_LOOKED(_do)						\
	({								\
		struct vcpu_info *info_ = this_cpu()->info;		\
		u32 before_ = READ_ONCE(event_log.upcalls);		\
									\
		WRITE_ONCE(info_->evtchn_upcall_pending, 1);		\
		WRITE_ONCE(info_->evtchn_upcall_mask, 0);		\
		barrier();						\
		_do;							\
		events_off();						\
		WRITE_ONCE(info_->evtchn_upcall_pending, 0);		\
		READ_ONCE(event_log.upcalls) != before_;		\
	})

/* --- who serves it ---------------------------------------------------------------- */

static long result;

static bool host_looked(const struct mmu_update *update, u64 nr, u32 *done, u64 dom)
{
	return HOST_LOOKED(result = HYPERCALL4(mmu_update, update, nr, done, dom));
}

/* An interrupt of the host's may come at any time, but not at all times. */
static bool switcher_serves(u64 ptr, u64 val)
{
	struct mmu_update update = { .ptr = ptr, .val = val };
	u32 i;

	for (i = 0; i < 1000; i++)
		if (!host_looked(&update, 1, NULL, DOMID_SELF))
			return true;
	return false;
}

static bool host_serves(u64 ptr, u64 val)
{
	struct mmu_update update = { .ptr = ptr, .val = val };
	u32 i;

	for (i = 0; i < 20; i++)
		if (!host_looked(&update, 1, NULL, DOMID_SELF))
			return false;
	return true;
}

/*
 * An entry of region @n, whose table has a shadow that the switcher knows of, and
 * which maps nothing.
 */
static u64 *warm_entry(u32 n)
{
	u64 va = REGION(n), *entry;

	map(kernel_root(), va, mkpte(mfn_of(page_alloc()), PTE_RW));
	EXPECT_EQ(try_read(va, NULL), VEC_NONE);
	entry = pte_find(kernel_root(), va, 1);
	EXPECT_EQ(pte_write(entry, *entry), 0);
	return entry + 1;
}

static void one_leaf_is_the_switchers(void)
{
	u64 *entry = warm_entry(0), mfn = mfn_of(page_alloc());

	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RW)));
	EXPECT_EQ(result, 0);
	EXPECT_EQ(*entry, mkpte(mfn, PTE_RW));
	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RO)));
	EXPECT_EQ(*entry, mkpte(mfn, PTE_RO));
	*(u64 *)va_of(mfn) = 4711;
	EXPECT_EQ(*(volatile u64 *)(REGION(0) + PAGE_SIZE), 4711);
	EXPECT(switcher_serves(pte_ma(entry) | MMU_PT_UPDATE_PRESERVE_AD, mkpte(mfn, PTE_RO)));
	pte_write(entry, 0);
}

static void other_commands_and_entries_are_the_hosts(void)
{
	u64 *entry = warm_entry(0), mfn = mfn_of(page_alloc()), other = mfn_of(page_alloc());
	static const u64 none[] = { 0, PTE_P, PTE_A, PTE_RW & ~PTE_P, PTE_RW & ~PTE_A };
	u32 i;

	EXPECT(host_serves(pte_ma(entry) | 1, mkpte(mfn, PTE_RW)));
	EXPECT(host_serves(pte_ma(entry) | 3, mkpte(mfn, PTE_RW)));
	for (i = 4; i < 8; i++) {
		EXPECT(host_serves(pte_ma(entry) | i, mkpte(mfn, PTE_RW)));
		EXPECT(result < 0);
	}
	EXPECT_EQ(*entry, 0);
	for (i = 0; i < ARRAY_SIZE(none); i++) {
		EXPECT(host_serves(pte_ma(entry), mkpte(mfn, none[i])));
		EXPECT_EQ(*entry, mkpte(mfn, none[i]));
	}
	/* Frames there are none of. */
	pte_write(entry, 0);
	EXPECT(host_serves(pte_ma(entry), mkpte(start_info->nr_pages + 4096, PTE_RW)));
	EXPECT(result < 0);
	EXPECT(host_serves(pte_ma(entry), mkpte(0xffffffffffUL, PTE_RW)));
	EXPECT(result < 0);
	/* A frame that nothing maps, and one in the place of another. */
	EXPECT(host_serves(pte_ma(entry), mkpte(start_info->nr_pages - 7, PTE_RW)));
	pte_write(entry, mkpte(mfn, PTE_RW));
	for (i = 0; i < 20; i++) {
		struct mmu_update update = {
			.ptr = pte_ma(entry), .val = mkpte(i & 1 ? mfn : other, PTE_RW),
		};

		EXPECT(host_looked(&update, 1, NULL, DOMID_SELF));
		EXPECT_EQ(*entry, update.val);
	}
	/* Tables that are known to nobody, in the places of known ones. */
	EXPECT(host_serves(pte_ma(entry) | 1UL << 52, mkpte(mfn, PTE_RW)));
	EXPECT(host_serves(pte_ma(entry) | 1UL << 40, mkpte(mfn, PTE_RW)));
	EXPECT(result < 0);
	pte_write(entry, 0);
}

static void other_arguments_are_the_hosts(void)
{
	u64 *entry = warm_entry(0), mfn = mfn_of(page_alloc());
	struct mmu_update updates[2] = {
		{ .ptr = pte_ma(entry), .val = mkpte(mfn, PTE_RW) },
		{ .ptr = pte_ma(entry + 1), .val = mkpte(mfn, PTE_RW) },
	};
	static const u64 nrs[] = { 0, 2, 1UL << 32, 1UL << 32 | 1, ~0UL };
	static const u64 doms[] = { 0, DOMID_IO, DOMID_SELF | (DOMID_SELF + 1) << 16 };
	u32 done = 4711, i, j;

	EXPECT(switcher_serves(pte_ma(entry), updates[0].val));
	for (j = 0; j < 20; j++) {
		for (i = 0; i < ARRAY_SIZE(nrs); i++)
			EXPECT(host_looked(updates, nrs[i], NULL, DOMID_SELF));
		EXPECT(host_looked(updates, 1, &done, DOMID_SELF));
		EXPECT_EQ(done, 1);
		for (i = 0; i < ARRAY_SIZE(doms); i++)
			EXPECT(host_looked(updates, 1, NULL, doms[i]));
	}
	pte_write(entry, 0);
	EXPECT_EQ(HYPERCALL4(mmu_update, updates, 0, NULL, DOMID_SELF), 0);
	EXPECT_EQ(*entry, 0);
	pte_write(entry + 1, 0);
}

/* A breakpoint would tell the guest where the host is. */
static void with_a_breakpoint_it_is_the_hosts(void)
{
	u64 *entry = warm_entry(0), mfn = mfn_of(page_alloc());

	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RW)));
	EXPECT_EQ(set_debugreg(0, USER_DATA), 0);
	EXPECT_EQ(set_debugreg(7, 0x10402), 0);		/* writes of a byte */
	EXPECT(host_serves(pte_ma(entry), mkpte(mfn, PTE_RO)));
	EXPECT_EQ(set_debugreg(7, 0x400), 0);
	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RW)));
	pte_write(entry, 0);
}

/* --- where it reads ----------------------------------------------------------------- */

static void arguments_that_are_not_there_fault(void)
{
	u64 *entry = warm_entry(0), *page = page_alloc(), end = REGION(1) + PAGE_SIZE;
	static const u64 nowhere[] = { REGION(2), 0x8000000000000000, ~15UL, ~7UL };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(nowhere); i++)
		EXPECT_EQ(mmu_update((void *)nowhere[i], 1, NULL), -EFAULT);
	/* Half of it is. */
	map(kernel_root(), REGION(1), mkpte(mfn_of(page), PTE_RW));
	page[511] = pte_ma(entry);
	EXPECT_EQ(*(volatile u64 *)(end - 8), page[511]);
	EXPECT_EQ(mmu_update((void *)(end - 8), 1, NULL), -EFAULT);
	EXPECT_EQ(*entry, 0);
}

/* What a vCPU's registers were when it last left for the host lies in the hole. */
static long update_at(u64 va, u64 r15, u64 r14)
{
	u64 nr = 1, done = 0;
	long ret;

	asm volatile("movq %[a], %%r15; movq %[b], %%r14; movl $0x7ff0, %%r10d; syscall"
		     : "=a" (ret), "+D" (va), "+S" (nr), "+d" (done)
		     : "a" (__HYPERVISOR_mmu_update), [a] "r" (r15), [b] "r" (r14)
		     : "rcx", "r8", "r9", "r10", "r11", "r14", "r15", "memory");
	return ret;
}

/* The hypervisor's own memory is none of the guest's arguments. */
static void arguments_in_the_hole_are_none(void)
{
	static const u64 holes[] = { 0xffff830000000000, 0xff00000000000000 };
	u64 *entry = warm_entry(0), mfn = mfn_of(page_alloc()), vm, at, i;

	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RW)));
	pte_write(entry, 0);
	/* The first vCPU's page of the first VMs, with r15 and r14 somewhere in it. */
	for (i = 0; i < ARRAY_SIZE(holes); i++)
		for (vm = 8; vm < 11; vm++)
			for (at = 512; at < 1536; at += 8)
				EXPECT_EQ(update_at(holes[i] + (vm << 30) + at, pte_ma(entry),
						    mkpte(mfn, PTE_RW)), -EFAULT);
	EXPECT_EQ(*entry, 0);
}

/* --- what it may not rely on --------------------------------------------------------- */

static struct ring ring;
static u32 *pfns;
static int slot;

static bool balloon(void)
{
	if (pfns)
		return true;
	slot = device_find(DEVICE_BALLOON);
	if (slot < 0) {
		test_skip("no balloon");
		return false;
	}
	device_begin(slot, F_EVENT_IDX);
	ring_set(&ring, slot, 0, 8);
	device_ready(slot);
	pfns = page_alloc();
	return true;
}

/* Have the host take a frame away: it reads as zero, from then on. */
static void take_away(u64 mfn)
{
	pfns[0] = mfn;
	ring.desc[0] = (struct vring_desc) { .addr = gpa_of(pfns), .len = 4 };
	ring_offer(&ring, 0);
	doorbell(slot, 0);
}

static void a_table_that_has_no_shadow_any_more(void)
{
	u64 *entry = warm_entry(3), mfn = mfn_of(page_alloc());
	u32 i;

	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RW)));
	for (i = 0; i < 20; i++) {
		struct mmu_update update = { .ptr = pte_ma(entry), .val = mkpte(mfn, PTE_RO) };

		mmuext(MMUEXT_PIN_L1_TABLE, pte_ma(entry) / PAGE_SIZE);
		EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, pte_ma(entry) / PAGE_SIZE), 0);
		EXPECT(host_looked(&update, 1, NULL, DOMID_SELF));
		EXPECT_EQ(result, 0);
		EXPECT_EQ(*entry, update.val);
	}
	EXPECT_EQ(try_write(REGION(3) + PAGE_SIZE, 1), 14);
}

static void a_table_that_the_host_has_taken(void)
{
	u64 *entry = warm_entry(4), mfn = mfn_of(page_alloc());

	if (!balloon())
		return;
	EXPECT(switcher_serves(pte_ma(entry), mkpte(mfn, PTE_RW)));
	take_away(pte_ma(entry) / PAGE_SIZE);
	EXPECT_EQ(pte_write(entry, mkpte(mfn, PTE_RO)), 0);
	EXPECT_EQ(*entry, mkpte(mfn, PTE_RO));
	*(u64 *)va_of(mfn) = 815;
	EXPECT_EQ(*(volatile u64 *)(REGION(4) + PAGE_SIZE), 815);
	EXPECT_EQ(try_write(REGION(4) + PAGE_SIZE, 1), 14);
}

/* What the host has looked up for reading only may not be written to as well. */
static void a_page_that_the_host_has_to_make_writable(void)
{
	u64 *entry = warm_entry(5), mfn = start_info->nr_pages - 9;

	EXPECT_EQ(pte_write(entry, mkpte(mfn, PTE_RO)), 0);
	EXPECT_EQ(try_read(REGION(5) + PAGE_SIZE, NULL), VEC_NONE);
	EXPECT(switcher_serves(pte_ma(entry + 1), mkpte(mfn, PTE_RW)));
	EXPECT(HOST_LOOKED(*(volatile u64 *)(REGION(5) + 2 * PAGE_SIZE) = 4711));
	EXPECT_EQ(*(volatile u64 *)(REGION(5) + PAGE_SIZE), 4711);
	pte_write(entry, 0);
	pte_write(entry + 1, 0);
}

/* --- what others rely on --------------------------------------------------------------- */

/*
 * The entries that map a frame, one of them gone by now: the host finds all others
 * when it takes the frame.
 */
static void no_entry_of_a_frame_is_forgotten(void)
{
	u64 *entry = warm_entry(6), *page = page_alloc(), gone, i;
	volatile u64 *there = (u64 *)(REGION(6) + PAGE_SIZE);

	if (!balloon())
		return;
	for (gone = 0; gone < 5; gone++) {
		page[0] = 4711;
		for (i = 0; i < 4; i++)
			EXPECT(switcher_serves(pte_ma(entry + i), mkpte(mfn_of(page), PTE_RW)));
		if (gone < 4)
			pte_write(entry + gone, 0);
		flush_tlb_all();
		for (i = 0; i < 4; i++)
			if (i != gone)
				EXPECT_EQ(there[i * 512], 4711);
		take_away(mfn_of(page));
		for (i = 0; i < 4; i++)
			if (i != gone)
				EXPECT_EQ(there[i * 512], 0);
		page[0] = 815 + gone;
		for (i = 0; i < 4; i++)
			if (i != gone)
				EXPECT_EQ(there[i * 512], 815 + gone);
		for (i = 0; i < 4; i++)
			pte_write(entry + i, 0);
		flush_tlb_all();
		for (i = 0; i < 4; i++)
			EXPECT_EQ(try_read((u64)&there[i * 512], NULL), 14);
	}
}

/* A table that goes takes all of its entries along: the next one begins empty. */
static void nothing_is_left_of_a_table(void)
{
	u64 *entry, *page = page_alloc(), n, i;

	for (n = 16; n < 40; n++) {
		entry = warm_entry(n) - 1;
		/* Once in the first table of all, then in each new one. */
		for (i = 100; i < 512; i += 100)
			EXPECT_EQ(try_read(REGION(n) + i * PAGE_SIZE, NULL), 14);
		for (i = 100; i < 512; i += 100)
			EXPECT(switcher_serves(pte_ma(&entry[i]), mkpte(mfn_of(page), PTE_RW)));
		page[0] = n;
		EXPECT_EQ(*(volatile u64 *)(REGION(n) + 300 * PAGE_SIZE), n);
		mmuext(MMUEXT_PIN_L1_TABLE, pte_ma(entry) / PAGE_SIZE);
		pte_write(pte_find(kernel_root(), REGION(n), 2), 0);
		EXPECT_EQ(mmuext(MMUEXT_UNPIN_TABLE, pte_ma(entry) / PAGE_SIZE), 0);
	}
}

/* --- with another vCPU ------------------------------------------------------------------- */

static u64 *entry_of_both, *others_entry;
static u64 mfns[NR_FRAMES];
static u32 stop, started, lost;

static bool alone(void)
{
	if (cpu_count() >= 2)
		return false;
	test_skip("one vCPU");
	return true;
}

static void start(void (*fn)(void))
{
	stop = 0;
	started = 0;
	EXPECT(cpu_run(1, fn));
	while (!__atomic_load_n(&started, __ATOMIC_ACQUIRE))
		relax();
}

static void end(void)
{
	__atomic_store_n(&stop, 1, __ATOMIC_RELEASE);
	cpu_wait(1);
}

/* Store D as another kernel would, and see that it stays. */
static void set_dirty(void)
{
	u32 i;

	lost = 0;
	while (!__atomic_load_n(&stop, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_or(entry_of_both, PTE_D, __ATOMIC_SEQ_CST);
		__atomic_store_n(&started, 1, __ATOMIC_RELEASE);
		for (i = 0; i < 40; i++)
			if (!(READ_ONCE(*entry_of_both) & PTE_D))
				lost++;
		__atomic_fetch_and(entry_of_both, ~PTE_D, __ATOMIC_SEQ_CST);
	}
}

static void no_dirty_bit_is_lost(void)
{
	u64 mfn = mfn_of(page_alloc());
	u32 i;

	if (alone())
		return;
	entry_of_both = warm_entry(7);
	EXPECT(switcher_serves(pte_ma(entry_of_both), mkpte(mfn, PTE_RO)));
	start(set_dirty);
	for (i = 0; i < ROUNDS; i++) {
		struct mmu_update update = {
			.ptr = pte_ma(entry_of_both) | MMU_PT_UPDATE_PRESERVE_AD,
			.val = mkpte(mfn, PTE_RO | (i & 7) << 9),
		};

		mmu_update(&update, 1, NULL);
	}
	end();
	EXPECT_EQ(lost, 0);
	pte_write(entry_of_both, 0);
}

/* Through the host, entries that map the same frames: the lists of both are one. */
static void disturb_entries(u64 *seed)
{
	struct mmu_update two[2] = {
		{ .ptr = pte_ma(&others_entry[random64(seed) % 64]) },
		{ .ptr = pte_ma(&others_entry[random64(seed) % 64]) },
	};

	if (random64(seed) & 1)
		two[0].val = mkpte(mfns[random64(seed) % NR_FRAMES], PTE_RW);
	mmu_update(two, 2, NULL);
}

static void disturb(void)
{
	u64 seed = 4711, table = pte_ma(entry_of_both) / PAGE_SIZE, i;

	for (i = 0; !__atomic_load_n(&stop, __ATOMIC_ACQUIRE); i++) {
		disturb_entries(&seed);
		__atomic_store_n(&started, 1, __ATOMIC_RELEASE);
		if (i % 16 == 3) {
			mmuext(MMUEXT_PIN_L1_TABLE, table);
			mmuext(MMUEXT_UNPIN_TABLE, table);
		}
		if (i % 8 == 1)
			take_away(mfns[random64(&seed) % NR_FRAMES]);
		try_write(REGION(9) + (random64(&seed) % 64) * PAGE_SIZE, 1);
	}
}

/* Entries 0 to 63 are changed by the switcher, while the other changes everything. */
static void change_entries(void)
{
	u64 seed = 815;
	u32 i;

	for (i = 0; i < ROUNDS; i++) {
		u32 at = random64(&seed) % 64;
		u64 val = mkpte(mfns[at % NR_FRAMES], random64(&seed) & 1 ? PTE_RW : PTE_RO);

		if (random64(&seed) % 8 == 0)
			val = 0;
		pte_write(&entry_of_both[at], val);
		if (i % 4 == 0)
			try_read(REGION(8) + (1 + at) * PAGE_SIZE, NULL);
	}
}

/* Each entry shows its frame, which the host finds at each of them, and no other. */
static void check_books(void)
{
	volatile u64 *there = (u64 *)(REGION(8) + PAGE_SIZE);
	u32 i;

	for (i = 0; i < 64; i++) {
		pte_write(&others_entry[i], 0);
		pte_write(&entry_of_both[i], mkpte(mfns[i % NR_FRAMES], PTE_RW));
	}
	flush_tlb_all();
	for (i = 0; i < 64; i++)
		there[i * 512] = 4711 + i % NR_FRAMES;
	for (i = 0; i < NR_FRAMES; i++) {
		EXPECT_EQ(*(volatile u64 *)va_of(mfns[i]), 4711 + i);
		take_away(mfns[i]);
	}
	for (i = 0; i < 64; i++)
		EXPECT_EQ(there[i * 512], 0);
	for (i = 0; i < 64; i++)
		pte_write(&entry_of_both[i], 0);
	flush_tlb_all();
	for (i = 0; i < 64; i++)
		EXPECT_EQ(try_read((u64)&there[i * 512], NULL), 14);
}

static void both_work_on_the_same_lists(void)
{
	u32 i;

	if (alone() || !balloon())
		return;
	entry_of_both = warm_entry(8);
	others_entry = warm_entry(9) - 1;
	for (i = 0; i < NR_FRAMES; i++)
		mfns[i] = mfn_of(page_alloc());
	start(disturb);
	change_entries();
	end();
	check_books();
}

GUEST_TEST(CASE(one_leaf_is_the_switchers), CASE(other_commands_and_entries_are_the_hosts),
	   CASE(other_arguments_are_the_hosts), CASE(with_a_breakpoint_it_is_the_hosts),
	   CASE(arguments_that_are_not_there_fault), CASE(arguments_in_the_hole_are_none),
	   CASE(a_table_that_has_no_shadow_any_more), CASE(a_table_that_the_host_has_taken),
	   CASE(a_page_that_the_host_has_to_make_writable),
	   CASE(no_entry_of_a_frame_is_forgotten), CASE(nothing_is_left_of_a_table),
	   CASE(no_dirty_bit_is_lost), CASE(both_work_on_the_same_lists));
