// SPDX-License-Identifier: GPL-2.0
/*
 * vcpu_op and sched_op: who is up, where its vcpu_info, time and runstate are
 * kept, and what is refused.
 *
 * It may go wrong, for each hands over an address that is written later, when
 * nobody looks.
 */
#include "guest.h"

#define UNMAPPED	((void *)0x123456789000UL)

static void those_that_are_not_there(void)
{
	int cmd;

	for (cmd = 0; cmd < 14; cmd++) {
		EXPECT_EQ(vcpu_op(cmd, 63, UNMAPPED), -ENOENT);
		EXPECT_EQ(vcpu_op(cmd, 64, UNMAPPED), -ENOENT);
		EXPECT_EQ(vcpu_op(cmd, 0xffffffff, UNMAPPED), -ENOENT);
	}
	EXPECT_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1);
	EXPECT_EQ(vcpu_op(14, 0, NULL), -ENOSYS);
	EXPECT_EQ(vcpu_op(-1, 0, NULL), -ENOSYS);
}

static void bad_pointers(void)
{
	static const int commands[] = {
		VCPUOP_register_runstate_memory_area, VCPUOP_register_vcpu_info,
		VCPUOP_register_vcpu_time_memory_area, VCPUOP_get_runstate_info,
		VCPUOP_set_periodic_timer, VCPUOP_set_singleshot_timer,
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		EXPECT_EQ(vcpu_op(commands[i], 0, UNMAPPED), -EFAULT);
	EXPECT_EQ(vcpu_op(VCPUOP_send_nmi, 0, UNMAPPED), -EINVAL);
}

static void one_that_runs_is_not_initialised(void)
{
	static struct vcpu_guest_context ctxt;
	static struct cpu cpu;

	cpu_init_context(&ctxt, &cpu, page_alloc());
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 0, &ctxt), -EEXIST);
}

static void a_context_is_looked_at(void)
{
	static struct vcpu_guest_context ctxt;
	static struct cpu cpu;

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	EXPECT_EQ(vcpu_op(VCPUOP_up, 1, NULL), -EINVAL);
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, UNMAPPED), -EFAULT);
	cpu_init_context(&ctxt, &cpu, page_alloc());
	ctxt.ctrlreg[3] = ~0UL << 12;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	cpu_init_context(&ctxt, &cpu, page_alloc());
	ctxt.gdt_ents = 1;
	ctxt.gdt_frames[0] = ~0UL;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	cpu_init_context(&ctxt, &cpu, page_alloc());
	ctxt.gs_base_kernel = 0x8000000000000000;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	cpu_init_context(&ctxt, &cpu, page_alloc());
	ctxt.trap_ctxt[14].address = 0xffff830000000000;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
	EXPECT_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0);
}

/* Nowhere to be: the CPU would be given no page table at all. */
static void one_in_user_mode_needs_a_root(void)
{
	static struct vcpu_guest_context ctxt;
	static struct cpu cpu;

	if (cpu_count() < 2) {
		test_skip("one vCPU");
		return;
	}
	cpu_init_context(&ctxt, &cpu, page_alloc());
	ctxt.flags = 0;
	ctxt.ctrlreg[1] = 0;
	EXPECT_EQ(vcpu_op(VCPUOP_initialise, 1, &ctxt), -EINVAL);
}

static void runstate_adds_up_to_time(void)
{
	struct vcpu_runstate_info info;
	u64 sum, now;

	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
	now = now_ns();
	sum = info.time[0] + info.time[1] + info.time[2] + info.time[3];
	EXPECT_EQ(info.state, RUNSTATE_running);
	EXPECT(sum <= now && now - sum < 1000000000);
}

static void a_runstate_area_is_kept(void)
{
	static struct vcpu_runstate_info area;
	struct vcpu_register_runstate_memory_area op = { .addr.v = &area };
	u64 before;

	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
	EXPECT_EQ(area.state, RUNSTATE_running);
	EXPECT(area.state_entry_time);
	before = area.time[RUNSTATE_blocked];
	set_timer_op(now_ns() + 500000000);
	bind_virq(VIRQ_TIMER, 0);
	sched_op(SCHEDOP_block, NULL);
	events_off();
	EXPECT(area.time[RUNSTATE_blocked] - before >= 10000000);
	EXPECT_EQ(area.state_entry_time & XEN_RUNSTATE_UPDATE, 0);
	/* Where it cannot be written, it is not. */
	op.addr.p = 0x123456789000;
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
	sched_op(SCHEDOP_yield, NULL);
	op.addr.p = 0xffff830000001000;
	vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op);
	sched_op(SCHEDOP_yield, NULL);
	op.addr.p = 0;
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &op), 0);
}

static void a_time_area_tells_the_same_time(void)
{
	static struct pvclock_vcpu_time_info area;
	struct vcpu_register_time_memory_area op = { .addr.v = &area };
	const struct pvclock_vcpu_time_info *time;

	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op), 0);
	time = &this_cpu()->info->time;
	EXPECT_EQ(area.version & 1, 0);
	EXPECT_EQ(area.tsc_to_system_mul, time->tsc_to_system_mul);
	EXPECT_EQ(area.tsc_timestamp, time->tsc_timestamp);
	EXPECT_EQ(area.system_time, time->system_time);
	op.addr.p = 0xffffffffffffffe8;
	vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op);
	sched_op(SCHEDOP_yield, NULL);
	op.addr.p = 0;
	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &op), 0);
}

static void vcpu_info_moves_once(void)
{
	u8 *page = page_alloc();
	struct vcpu_register_vcpu_info op = { .mfn = mfn_of(page), .offset = 4096 - 63 };
	u32 port = bind_ipi(0);

	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &op), -EINVAL);
	op.offset = 0xffffffff;
	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &op), -EINVAL);
	op = (struct vcpu_register_vcpu_info){ .mfn = ~0UL };
	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &op), -EINVAL);
	port_send(port);
	op = (struct vcpu_register_vcpu_info){ .mfn = mfn_of(page), .offset = 64 };
	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &op), 0);
	this_cpu()->info = (void *)(page + 64);
	EXPECT_EQ(this_cpu()->info->evtchn_upcall_mask, 1);
	event_forget();
	events_on();
	EXPECT_EQ(event_log.count[port], 1);
	port_send(port);
	EXPECT_EQ(event_log.count[port], 2);
	events_off();
	EXPECT(now_ns());
	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &op), -EINVAL);
	EXPECT_EQ(TRY("ud2"), 6);
	EXPECT_EQ(this_cpu()->last.cs >> 32, 1);
}

static void scheduling(void)
{
	struct sched_shutdown shutdown = { .reason = 99 };
	struct sched_watchdog dog = { .id = 77, .timeout = 10 };
	long id;

	EXPECT_EQ(sched_op(SCHEDOP_yield, NULL), 0);
	EXPECT_EQ(sched_op(SCHEDOP_shutdown, &shutdown), -EINVAL);
	EXPECT_EQ(sched_op(SCHEDOP_shutdown, UNMAPPED), -EFAULT);
	EXPECT_EQ(sched_op(SCHEDOP_watchdog, &dog), -EINVAL);
	dog.id = 0;
	id = sched_op(SCHEDOP_watchdog, &dog);
	EXPECT(id > 0);
	dog = (struct sched_watchdog){ .id = id };
	EXPECT_EQ(sched_op(SCHEDOP_watchdog, &dog), 0);
	EXPECT_EQ(sched_op(SCHEDOP_watchdog, &dog), -EINVAL);
	EXPECT(sched_op(SCHEDOP_remote_shutdown, &shutdown) < 0);
	EXPECT_EQ(sched_op(99, NULL), -ENOSYS);
	EXPECT_EQ(hypercall(__HYPERVISOR_sched_op_compat, 0, 0, 0, 0, 0), 0);
}

GUEST_TEST(CASE(those_that_are_not_there), CASE(bad_pointers),
	   CASE(one_that_runs_is_not_initialised), CASE(a_context_is_looked_at),
	   CASE(one_in_user_mode_needs_a_root), CASE(runstate_adds_up_to_time),
	   CASE(a_runstate_area_is_kept),
	   CASE(a_time_area_tells_the_same_time), CASE(vcpu_info_moves_once), CASE(scheduling));
