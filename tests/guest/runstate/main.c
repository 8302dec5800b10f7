// SPDX-License-Identifier: GPL-2.0
/*
 * Where a vCPU's time has gone: it runs, waits for a CPU, sleeps or is off, each
 * moment is one of these, and whoever reads the record while it is written can
 * tell.  A guest charges its programs by it.
 *
 * It may not add up, or say that a vCPU ran while another had the CPU.  With
 * "one-cpu=1" on the command line all vCPUs share one; tests/guest/outside.sh
 * sees to that.
 */
#include "guest.h"

#define MS	1000000UL

static struct vcpu_runstate_info get(u32 id)
{
	struct vcpu_runstate_info info = { };

	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, id, &info), 0);
	return info;
}

static u64 sum(const struct vcpu_runstate_info *info)
{
	return info->time[0] + info->time[1] + info->time[2] + info->time[3];
}

static bool alone(void)
{
	if (cpu_count() >= 2)
		return false;
	test_skip("one vCPU");
	return true;
}

static void sleep_ns(u64 ns)
{
	struct sched_poll op = { .timeout = now_ns() + ns };

	while (now_ns() < op.timeout)
		sched_op(SCHEDOP_poll, &op);
}

static void spin_ns(u64 ns)
{
	u64 start = now_ns();

	while (now_ns() - start < ns)
		;
}

/* What has passed between two looks is what the states have got together. */
static void every_moment_is_counted_once(void)
{
	struct vcpu_runstate_info before, after;
	u64 from, to;

	from = now_ns();
	before = get(0);
	spin_ns(30 * MS);
	sleep_ns(30 * MS);
	after = get(0);
	to = now_ns();
	EXPECT(sum(&after) - sum(&before) <= to - from);
	EXPECT(sum(&after) - sum(&before) >= 60 * MS);
	EXPECT(after.time[RUNSTATE_running] - before.time[RUNSTATE_running] +
	       after.time[RUNSTATE_runnable] - before.time[RUNSTATE_runnable] >= 30 * MS);
	EXPECT(after.time[RUNSTATE_blocked] - before.time[RUNSTATE_blocked] >= 20 * MS);
	EXPECT_EQ(after.time[RUNSTATE_offline], before.time[RUNSTATE_offline]);
}

static void one_that_is_down_is_offline(void)
{
	struct vcpu_runstate_info before, after;
	u32 last = cpu_count() - 1;

	if (alone())
		return;
	before = get(last);
	EXPECT_EQ(before.state, RUNSTATE_offline);
	spin_ns(20 * MS);
	after = get(last);
	EXPECT(after.time[RUNSTATE_offline] - before.time[RUNSTATE_offline] >= 20 * MS);
	EXPECT_EQ(after.time[RUNSTATE_running], before.time[RUNSTATE_running]);
}

static u32 go;
static struct {
	struct vcpu_runstate_info before, after;
	u64 from, to;
} busy[2];

static void be_busy(void)
{
	u32 id = this_cpu()->id;

	__atomic_add_fetch(&go, 1, __ATOMIC_SEQ_CST);
	while (READ_ONCE(go) < 2)
		relax();
	busy[id].from = now_ns();
	busy[id].before = get(id);
	while (now_ns() - busy[id].from < 600 * MS)
		;
	busy[id].after = get(id);
	busy[id].to = now_ns();
}

static u64 spent(u32 id, int state)
{
	return busy[id].after.time[state] - busy[id].before.time[state];
}

/* Two that want all of one CPU: what one runs, the other waits. */
static void what_another_has_is_stolen(void)
{
	u64 ran = 0, wall = 0;
	u32 id;

	if (alone())
		return;
	EXPECT(cpu_run(1, be_busy));
	be_busy();
	cpu_wait(1);
	for (id = 0; id < 2; id++) {
		u64 took = busy[id].to - busy[id].from;
		u64 counted = sum(&busy[id].after) - sum(&busy[id].before);

		print("# vCPU %u: %lu ms, ran %lu, waited %lu\n", id, took / MS,
		      spent(id, RUNSTATE_running) / MS, spent(id, RUNSTATE_runnable) / MS);
		EXPECT(counted <= took && took - counted < 50 * MS);
		EXPECT_EQ(spent(id, RUNSTATE_blocked), 0);
		EXPECT_EQ(spent(id, RUNSTATE_offline), 0);
		ran += spent(id, RUNSTATE_running);
		wall = took > wall ? took : wall;
		if (cmdline_number("one-cpu=", 0)) {
			EXPECT(spent(id, RUNSTATE_runnable) > took / 5);
			EXPECT(spent(id, RUNSTATE_running) > took / 5);
		}
	}
	if (cmdline_number("one-cpu=", 0))
		EXPECT(ran < wall + wall / 4);
}

static struct vcpu_runstate_info area;
static u32 stop, alarm;

/* Every sleep and every wake-up writes the area. */
static void nap_often(void)
{
	events_on();
	while (!READ_ONCE(stop))
		sched_op(SCHEDOP_block, NULL);
	events_off();
}

/* As Linux reads it: again, if it is being written or has been meanwhile. */
static struct vcpu_runstate_info read_area(void)
{
	struct vcpu_runstate_info info;
	u64 entry;

	do {
		entry = __atomic_load_n(&area.state_entry_time, __ATOMIC_ACQUIRE);
		info.state = READ_ONCE(area.state);
		info.time[0] = READ_ONCE(area.time[0]);
		info.time[1] = READ_ONCE(area.time[1]);
		info.time[2] = READ_ONCE(area.time[2]);
		info.time[3] = READ_ONCE(area.time[3]);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		info.state_entry_time = READ_ONCE(area.state_entry_time);
	} while (entry != info.state_entry_time || (entry & XEN_RUNSTATE_UPDATE));
	return info;
}

/*
 * Time spent and the moment up to which it is counted move together: their
 * difference is always the same, in whatever state the area is found.
 */
static void a_record_in_the_making_shows(void)
{
	struct vcpu_register_runstate_memory_area op = { .addr.v = &area };
	struct vcpu_runstate_info info;
	u32 torn = 0, changes = 0;
	u64 base, last, limit;
	u32 i;

	if (alone())
		return;
	alarm = bind_ipi(1);
	EXPECT(alarm);
	EXPECT_EQ(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 1, &op), 0);
	EXPECT(cpu_run(1, nap_often));
	info = read_area();
	base = info.state_entry_time - sum(&info);
	last = info.state_entry_time;
	limit = now_ns() + 400 * MS;
	for (i = 0; now_ns() < limit; i++) {
		if (i % 256 == 0)
			port_send(alarm);
		info = read_area();
		torn += info.state_entry_time - sum(&info) != base;
		EXPECT(info.state_entry_time >= last);
		changes += info.state_entry_time != last;
		last = info.state_entry_time;
	}
	WRITE_ONCE(stop, 1);
	port_send(alarm);
	cpu_wait(1);
	print("# %u changes seen, %u torn\n", changes, torn);
	EXPECT_EQ(torn, 0);
	EXPECT(changes > 5);
	op.addr.p = 0;
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 1, &op), 0);
	EXPECT_EQ(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
}

/* Its second half cannot be written: then it is never shown as whole. */
static void a_record_that_is_not_whole_shows(void)
{
	struct vcpu_register_runstate_memory_area op = { .addr.p = FREE_VA + PAGE_SIZE - 16 };
	struct vcpu_runstate_info *half = (void *)op.addr.p;

	map(kernel_root(), FREE_VA, mkpte(mfn_of(page_alloc()), PTE_RW));
	EXPECT_EQ(vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
	EXPECT_EQ(READ_ONCE(half->state_entry_time) & XEN_RUNSTATE_UPDATE, XEN_RUNSTATE_UPDATE);
	sleep_ns(MS);
	EXPECT_EQ(READ_ONCE(half->state_entry_time) & XEN_RUNSTATE_UPDATE, XEN_RUNSTATE_UPDATE);
	map(kernel_root(), FREE_VA + PAGE_SIZE, mkpte(mfn_of(page_alloc()), PTE_RW));
	sleep_ns(MS);
	EXPECT_EQ(READ_ONCE(half->state_entry_time) & XEN_RUNSTATE_UPDATE, 0);
	EXPECT(half->state_entry_time && sum(half));
	/* Nobody has asked for the mark: it is no time. */
	EXPECT_EQ(vm_assist(VMASST_CMD_disable, VMASST_TYPE_runstate_update_flag), 0);
	pte_write(pte_find(kernel_root(), FREE_VA + PAGE_SIZE, 1), 0);
	flush_tlb_all();
	sleep_ns(MS);
	EXPECT_EQ(READ_ONCE(half->state_entry_time) & XEN_RUNSTATE_UPDATE, 0);
	op.addr.p = 0;
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
}

GUEST_TEST(CASE(every_moment_is_counted_once), CASE(one_that_is_down_is_offline),
	   CASE(what_another_has_is_stolen), CASE(a_record_in_the_making_shows),
	   CASE(a_record_that_is_not_whole_shows));
