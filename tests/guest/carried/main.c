// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that is stopped, saved and loaded into another VM at any moment does
 * not notice: registers of all kinds, events, timers and time go on.
 *
 * Alone it only shows that its checks hold; tests/boot/host/carry.sh carries it.
 * "ms=" says how long it looks, "fifo=1" that it uses the FIFO event ABI.
 */
#include "guest.h"

#define MS		1000000UL
#define PORT		0x1230		/* nobody answers: by way of the launcher */
#define LDT		(FREE_VA + 0x600000)
#define WINDOW		(FREE_VA + 0x800000)
#define DATA_DESC	0x00cff3000000ffffUL
#define IN_LDT(_n)	((_n) * 8 | 7)
#define DR7_WRITE_1	(0x400UL | 2UL << 2 | 1UL << 20 | 2UL << 22)
#define USER_GS_BASE	USER_DATA

static u64 start_ns, last_ns, nr_rounds;

/* --- events, by either ABI ------------------------------------------------- */

#define LINKED	(1U << EVTCHN_FIFO_LINKED)
#define LINK	EVTCHN_FIFO_LINK_MASK

static struct evtchn_fifo_control_block *control[2];
static event_word_t *words;
static bool fifo;
static volatile u32 nr_debug_traps;

/* The head in the control block is only the host's to write. */
static void fifo_take(u32 priority)
{
	u32 port = READ_ONCE(control[this_cpu()->id]->head[priority]), word;

	while (port) {
		word = __atomic_fetch_and(&words[port], ~(LINKED | LINK), __ATOMIC_SEQ_CST);
		if ((word & (1U << EVTCHN_FIFO_PENDING)) &&
		    !(word & (1U << EVTCHN_FIFO_MASKED))) {
			__atomic_fetch_and(&words[port], ~(1U << EVTCHN_FIFO_PENDING),
					   __ATOMIC_SEQ_CST);
			__atomic_add_fetch(&event_log.count[port], 1, __ATOMIC_SEQ_CST);
		}
		port = word & LINK;
	}
}

static bool hook(struct regs *regs)
{
	u32 ready, priority;

	if (regs->vector == 1) {
		nr_debug_traps++;
		set_debugreg(6, 0);
		return true;
	}
	if (regs->vector != VEC_EVENT || !fifo)
		return false;
	WRITE_ONCE(this_cpu()->info->evtchn_upcall_pending, 0);
	ready = __atomic_exchange_n(&control[this_cpu()->id]->ready, 0, __ATOMIC_SEQ_CST);
	for (priority = 0; priority < EVTCHN_FIFO_MAX_QUEUES; priority++)
		if (ready & (1U << priority))
			fifo_take(priority);
	return true;
}

static void fifo_set_up(u32 id)
{
	struct evtchn_init_control init;
	struct evtchn_expand_array expand;

	control[id] = page_alloc();
	init = (struct evtchn_init_control){ .control_gfn = mfn_of(control[id]), .vcpu = id };
	EXPECT_EQ(event_channel_op(EVTCHNOP_init_control, &init), 0);
	if (words)
		return;
	words = page_alloc();
	expand.array_gfn = mfn_of(words);
	EXPECT_EQ(event_channel_op(EVTCHNOP_expand_array, &expand), 0);
}

static void mask(u32 port)
{
	if (fifo)
		__atomic_fetch_or(&words[port], 1U << EVTCHN_FIFO_MASKED, __ATOMIC_SEQ_CST);
	else
		port_mask(port);
}

static bool pending(u32 port)
{
	return fifo ? READ_ONCE(words[port]) >> EVTCHN_FIFO_PENDING & 1 : port_is_pending(port);
}

static void look_at_events(void)
{
	events_on();
	events_off();
}

/* --- what is set up once ----------------------------------------------------- */

static u32 timer_port, self_port, held_port, pair[2], watchdog;
static u64 *watched, *fs_page;
static struct vcpu_runstate_info *runstate;
static bool have_avx;
static u64 *window_entry, frames[2];

/* Offset by a bit, so that it begins in the middle of nowhere. */
static void move_vcpu_info(void)
{
	u8 *page = page_alloc();
	struct vcpu_register_vcpu_info op = { .mfn = mfn_of(page), .offset = 640 };

	EXPECT_EQ(vcpu_op(VCPUOP_register_vcpu_info, 0, &op), 0);
	this_cpu()->info = (void *)(page + 640);
}

static void set_up_areas(void)
{
	struct vcpu_register_runstate_memory_area area;

	runstate = page_alloc();
	area.addr.v = runstate;
	EXPECT_EQ(vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0);
}

static void set_up_events(void)
{
	struct evtchn_bind_interdomain bind = { .remote_dom = DOMID_SELF };
	struct sched_watchdog dog = { .timeout = 300 };

	timer_port = bind_virq(VIRQ_TIMER, 0);
	self_port = bind_ipi(0);
	held_port = bind_ipi(0);
	pair[0] = alloc_unbound();
	bind.remote_port = pair[0];
	EXPECT_EQ(event_channel_op(EVTCHNOP_bind_interdomain, &bind), 0);
	pair[1] = bind.local_port;
	port_unmask(pair[1]);
	look_at_events();
	mask(held_port);
	port_send(held_port);
	watchdog = sched_op(SCHEDOP_watchdog, &dog);
	EXPECT(watchdog == 1 || watchdog == 2);
}

static void set_up_segments(void)
{
	u64 *table = page_alloc();
	struct mmuext_op op = { .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = LDT,
				.arg2.nr_ents = 16 };

	table[5] = DATA_DESC;
	map(kernel_root(), LDT, mkpte(mfn_of(table), PTE_RO));
	EXPECT_EQ(mmuext_op(&op, 1, NULL), 0);
	/* The copy counts, whatever becomes of the page. */
	table[5] = 0;
	fs_page = page_alloc();
	*fs_page = 0x1234567887654321;
	set_segment_base(SEGBASE_FS, (u64)fs_page);
	set_segment_base(SEGBASE_GS_USER, USER_GS_BASE);
}

static void set_up_pages(void)
{
	u32 i;

	for (i = 0; i < 2; i++) {
		u64 *page = page_alloc();

		*page = 0x1111 * (i + 1);
		frames[i] = mfn_of(page);
	}
	map(kernel_root(), WINDOW, mkpte(frames[0], PTE_RO));
	window_entry = pte_find(kernel_root(), WINDOW, 1);
	/* As Linux does with its own: it may be stored to. */
	EXPECT_EQ(mmuext(MMUEXT_PIN_L1_TABLE, mfn_of(window_entry)), 0);
}

static void set_up_avx(void)
{
	u32 eax = 1, ebx, ecx, edx;
	u64 cr4;

	asm volatile("ud2; .ascii \"xen\"; cpuid"
		     : "+a" (eax), "=b" (ebx), "=c" (ecx), "=d" (edx));
	have_avx = (ecx >> 27 & 1) && (ecx >> 28 & 1);
	if (!have_avx)
		return;
	asm volatile("movq %%cr4, %0" : "=r" (cr4));
	asm volatile("movq %0, %%cr4" : : "r" (cr4 | 1UL << 18));
	asm volatile("xsetbv" : : "a" (7), "d" (0), "c" (0));
}

static void set_up_vector(u64 seed)
{
	u64 pattern[4] __attribute__((aligned(32))) = { seed, ~seed, seed * 3, seed * 5 };
	u32 mxcsr = 0x3f80;
	u16 fcw = 0x077f;

	asm volatile("ldmxcsr %0; fninit; fldcw %1; fldpi" : : "m" (mxcsr), "m" (fcw));
	asm volatile("movups %0, %%xmm3; movups %0, %%xmm15" : : "m" (pattern));
	if (have_avx)
		asm volatile("vmovups %0, %%ymm7" : : "m" (pattern));
}

static void check_vector(u64 seed)
{
	u64 right[4] = { seed, ~seed, seed * 3, seed * 5 }, out[4];
	u32 mxcsr;
	u16 fcw, fsw;

	asm volatile("stmxcsr %0; fnstcw %1; fnstsw %2" : "=m" (mxcsr), "=m" (fcw), "=m" (fsw));
	EXPECT_EQ(mxcsr, 0x3f80);
	EXPECT_EQ(fcw, 0x077f);
	EXPECT_EQ(fsw >> 11 & 7, 7);
	asm volatile("movups %%xmm3, %0" : "=m" (out));
	EXPECT(!memcmp(out, right, 16));
	asm volatile("movups %%xmm15, %0" : "=m" (out));
	EXPECT(!memcmp(out, right, 16));
	if (!have_avx)
		return;
	asm volatile("vmovups %%ymm7, %0" : "=m" (out));
	EXPECT(!memcmp(out, right, 32));
}

/* --- what has to hold in each round ----------------------------------------- */

/* No vCPU is shown a time before one that another has seen. */
static void check_time(void)
{
	u64 seen = __atomic_load_n(&last_ns, __ATOMIC_SEQ_CST), now = now_ns();

	if ((s64)(now - seen) < 0)
		EXPECT_EQ(now, seen);
	while (now > seen && !__atomic_compare_exchange_n(&last_ns, &seen, now, false,
							  __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

static void check_registers(void)
{
	u64 fs, cr4;
	u32 lo, hi;

	EXPECT_EQ(get_debugreg(0), 0xffff888000001000);
	EXPECT_EQ(get_debugreg(1), watched);
	EXPECT_EQ(get_debugreg(7), DR7_WRITE_1);
	asm volatile("movq %%fs:0, %0" : "=r" (fs));
	EXPECT_EQ(fs, 0x1234567887654321);
	EXPECT_EQ(TRY("movw %0, %%ds", : : "r" ((u16)IN_LDT(5))), VEC_NONE);
	asm volatile("movw %0, %%ds" : : "r" ((u16)0));
	if (!have_avx)
		return;
	asm volatile("movq %%cr4, %0" : "=r" (cr4));
	EXPECT_EQ(cr4 >> 18 & 1, 1);
	asm volatile("xgetbv" : "=a" (lo), "=d" (hi) : "c" (0));
	EXPECT_EQ(lo, 7);
}

static void check_breakpoint(void)
{
	u32 before = nr_debug_traps;

	WRITE_ONCE(*watched, nr_rounds);
	EXPECT_EQ(nr_debug_traps, before + 1);
}

/* Set now, taken at the next vector instruction. */
static void check_task_switched(void)
{
	HYPERCALL1(fpu_taskswitch, 1);
	look_at_events();
	EXPECT_EQ(TRY("movups %xmm3, %xmm4"), 7);
	EXPECT_EQ(TRY("movups %xmm3, %xmm4"), VEC_NONE);
}

static void check_ports(void)
{
	u32 self = event_log.count[self_port], other = event_log.count[pair[1]];
	struct sched_watchdog dog = { .id = watchdog, .timeout = 300 };

	port_send(self_port);
	EXPECT(pending(self_port));
	look_at_events();
	EXPECT_EQ(event_log.count[self_port], self + 1);
	port_send(pair[0]);
	look_at_events();
	EXPECT_EQ(event_log.count[pair[1]], other + 1);
	EXPECT(pending(held_port));
	EXPECT_EQ(event_log.count[held_port], 0);
	EXPECT_EQ(sched_op(SCHEDOP_watchdog, &dog), 0);
}

/* A table that is stored to is read again at the flush, wherever that is. */
static void check_pages(void)
{
	u32 next = nr_rounds % 2;

	EXPECT_EQ(try_write((u64)window_entry, mkpte(frames[next], PTE_RO)), VEC_NONE);
	flush_tlb_local();
	EXPECT_EQ(*(volatile u64 *)WINDOW, 0x1111 * (next + 1));
	EXPECT_EQ(pte_write(window_entry, mkpte(frames[!next], PTE_RO)), 0);
	flush_tlb_local();
	EXPECT_EQ(*(volatile u64 *)WINDOW, 0x1111 * (!next + 1));
}

USER_ASM(code_user, "cli; movl $20000, %ecx; 1: decl %ecx; jnz 1b; movq %gs:0, %rax; ud2");

static void check_user(void)
{
	struct regs r = user_regs(code_user);

	*user_data = 0x5a5a000000000000 + nr_rounds;
	r.r15 = 0x1515;
	r.rbx = nr_rounds;
	r.rbp = 0xb9b9;
	EXPECT_EQ(user_run(&r), 6);
	EXPECT_EQ(r.rax, 0x5a5a000000000000 + nr_rounds);
	EXPECT_EQ(r.rbx, nr_rounds);
	EXPECT_EQ(r.r15, 0x1515);
	EXPECT_EQ(r.rbp, 0xb9b9);
}

static void check_launcher(void)
{
	u32 eax = 0;

	asm volatile("inb %%dx, %%al" : "+a" (eax) : "d" (PORT));
	EXPECT_EQ(eax, 0xff);
}

/* In pieces, between any two of which it may be carried. */
static void check_strings(void)
{
	static u8 *buf;
	u64 di, cx = 3000, i, ones = 0;

	buf = buf ?: page_alloc();
	memset(buf, 0, PAGE_SIZE);
	di = (u64)buf + 3;
	asm volatile("rep insb" : "+D" (di), "+c" (cx) : "d" (PORT) : "memory");
	EXPECT_EQ(di, (u64)buf + 3003);
	EXPECT_EQ(cx, 0);
	for (i = 0; i < PAGE_SIZE; i++)
		ones += buf[i] == 0xff;
	EXPECT_EQ(ones, 3000);
	EXPECT(!buf[2] && !buf[3003]);
}

/* It comes, by time and not before, to one that polls and one that sleeps. */
static void check_timers(void)
{
	u32 before = event_log.count[timer_port];
	u64 due = now_ns() + 3 * MS, late = due + 20000 * MS;
	struct vcpu_set_singleshot_timer once = { .timeout_abs_ns = due };
	evtchn_port_t ports[1] = { timer_port };
	struct sched_poll poll = { .ports = ports, .nr_ports = 1, .timeout = late };

	EXPECT_EQ(vcpu_op(VCPUOP_set_singleshot_timer, 0, &once), 0);
	if (nr_rounds % 2)
		sched_op(SCHEDOP_poll, &poll);
	else
		sched_op(SCHEDOP_block, NULL);
	while (event_log.count[timer_port] == before && now_ns() < late)
		look_at_events();
	EXPECT(event_log.count[timer_port] > before);
	EXPECT(now_ns() >= due);
	events_off();
}

static void check_periodic(void)
{
	struct vcpu_set_periodic_timer op = { .period_ns = 2 * MS };
	u64 end = now_ns() + 30000 * MS;
	u32 wanted = event_log.count[timer_port] + 4;

	EXPECT_EQ(vcpu_op(VCPUOP_set_periodic_timer, 0, &op), 0);
	while (event_log.count[timer_port] < wanted && now_ns() < end)
		look_at_events();
	EXPECT(event_log.count[timer_port] >= wanted);
	EXPECT_EQ(vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0);
}

static void check_runstate(void)
{
	struct vcpu_runstate_info own;
	u64 sum, now;

	EXPECT_EQ(vcpu_op(VCPUOP_get_runstate_info, 0, &own), 0);
	now = now_ns();
	sum = own.time[0] + own.time[1] + own.time[2] + own.time[3];
	EXPECT_EQ(own.state, RUNSTATE_running);
	EXPECT(sum <= now + MS);
	EXPECT(sum + 1000 * MS >= now);
	EXPECT_EQ(runstate->state, RUNSTATE_running);
}

/* --- a second vCPU, with registers of its own -------------------------------- */

static u32 there_port, back_port, nr_answers;
static bool stop;

static void second_vcpu(void)
{
	evtchn_port_t ports[1] = { there_port };
	struct sched_poll poll = { .ports = ports, .nr_ports = 1 };

	set_up_avx();
	set_up_vector(0x2222);
	while (!READ_ONCE(stop)) {
		poll.timeout = now_ns() + 5 * MS;
		sched_op(SCHEDOP_poll, &poll);
		look_at_events();
		check_time();
		check_vector(0x2222);
		while (nr_answers < event_log.count[there_port]) {
			nr_answers++;
			port_send(back_port);
		}
	}
}

static void check_second_vcpu(void)
{
	u32 before = event_log.count[back_port];
	u64 end = now_ns() + 30000 * MS;

	port_send(there_port);
	while (event_log.count[back_port] == before && now_ns() < end)
		look_at_events();
	EXPECT_EQ(event_log.count[back_port], before + 1);
}

static void start_second_vcpu(void)
{
	if (fifo)
		fifo_set_up(1);
	there_port = bind_ipi(1);
	back_port = bind_ipi(0);
	EXPECT(cpu_run(1, second_vcpu));
}

static void set_up(void)
{
	struct physdev_set_iopl iopl = { .iopl = 3 };

	fifo = cmdline_number("fifo=", 0);
	trap_hook = hook;
	move_vcpu_info();
	set_up_areas();
	if (fifo)
		fifo_set_up(0);
	set_up_events();
	set_up_segments();
	set_up_pages();
	set_up_avx();
	set_up_vector(0x1111);
	watched = page_alloc();
	EXPECT_EQ(physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
	EXPECT_EQ(set_debugreg(0, 0xffff888000001000), 0);
	EXPECT_EQ(set_debugreg(1, (u64)watched), 0);
	EXPECT_EQ(set_debugreg(7, DR7_WRITE_1), 0);
	if (cpu_count() > 1)
		start_second_vcpu();
}

static void all_goes_on_as_before(void)
{
	u64 ms = cmdline_number("ms=", 300);

	set_up();
	start_ns = now_ns();
	while (now_ns() < start_ns + ms * MS && !test_has_failed()) {
		nr_rounds++;
		check_time();
		check_vector(0x1111);
		check_registers();
		check_breakpoint();
		check_task_switched();
		check_ports();
		check_pages();
		check_user();
		check_launcher();
		check_strings();
		check_timers();
		check_periodic();
		check_runstate();
		if (cpu_count() > 1)
			check_second_vcpu();
	}
	print("# %lu rounds in %lu ms\n", nr_rounds, (now_ns() - start_ns) / MS);
	set_debugreg(7, 0x400);
	stop = true;
	if (cpu_count() > 1)
		cpu_wait(1);
}

GUEST_TEST(CASE(all_goes_on_as_before));
