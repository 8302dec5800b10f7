// SPDX-License-Identifier: GPL-2.0
/*
 * ports.c - ports of the launcher: an event goes through an eventfd both ways
 *
 * A launcher in miniature, by ioctl alone.  Its guest does one thing: make the
 * hypercalls that it finds in its mailbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "../../../uapi/ringfence.h"
#include "../../fuzz/ioctl/tiny_guest.h"
#include "../../unit/userland/tap.h"

#define NR_PAGES	64
#define MAILBOX_PAGE	6
#define SHARED_PAGE	7
#define FRAME(_n)	(TINY_BASE + (_n) * 4096ULL)

/* Numbers of the ABI. */
#define EVENT_CHANNEL_OP	32
#define SCHED_OP		29
#define BIND_INTERDOMAIN	0
#define CLOSE			3
#define SEND			4
#define STATUS			5
#define ALLOC_UNBOUND		6
#define UNMASK			9
#define SCHEDOP_POLL		3
#define DOMID_SELF		0x7ff0
#define STATUS_INTERDOMAIN	2

/* Offset of evtchn_pending in shared_info: after 32 vcpu_infos. */
#define PENDING_OFFSET		(32 * 64)

/* The mailbox, and behind it room for what the hypercalls point to. */
struct mailbox {
	uint64_t nr_plus_1;	/* the launcher sets it, the guest clears it */
	uint64_t arg[5];
	int64_t result;
	uint64_t pad;
	uint32_t op[16];
	uint32_t ports[128];
};

extern const uint8_t guest_code[], guest_code_end[];
asm(".pushsection .rodata\n"
	"guest_code:	movq $0xffffffff80006000, %rbx\n"
	"1:	movq (%rbx), %rax\n"
	"	testq %rax, %rax\n"
	"	jnz 2f\n"
	"	movl $29, %eax\n"
	"	xorl %edi, %edi\n"
	"	syscall\n"
	"	jmp 1b\n"
	"2:	decq %rax\n"
	"	movq 8(%rbx), %rdi\n"
	"	movq 16(%rbx), %rsi\n"
	"	movq 24(%rbx), %rdx\n"
	"	syscall\n"
	"	movq %rax, 48(%rbx)\n"
	"	movq $0, (%rbx)\n"
	"	jmp 1b\n"
	"guest_code_end:\n"
	".popsection");

static int system_fd, vm_fd, vcpu_fd;
static uint8_t *memory;
static struct mailbox *mailbox;
static pthread_t runner;

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void *run(void *unused)
{
	struct rf_run run = { .size = sizeof(run) };

	while (!ioctl(vcpu_fd, RF_VCPU_RUN, &run) && run.exit_reason != RF_RUN_ENDED)
		;
	return unused;
}

/* A VM with memory and shared_info, but no vCPU yet. */
static bool vm_make(void)
{
	struct rf_create_vm create = { .size = sizeof(create), .max_vcpus = 1, .name = "ports" };
	struct rf_set_memory set_memory = { .size = sizeof(set_memory), .nr_pages = NR_PAGES };
	struct rf_set_domain domain = {
		.size = sizeof(domain), .shared_info_pfn = SHARED_PAGE, .nr_pages = NR_PAGES,
	};

	memset(memory, 0, NR_PAGES * 4096);
	tiny_guest_make(memory, NR_PAGES, 1);
	memcpy(memory + 5 * 4096, guest_code, guest_code_end - guest_code);
	mailbox = (void *)(memory + MAILBOX_PAGE * 4096);

	vm_fd = ioctl(system_fd, RF_CREATE_VM, &create);
	set_memory.user_va = (uintptr_t)memory;
	return vm_fd >= 0 && !ioctl(vm_fd, RF_SET_MEMORY, &set_memory) &&
	       !ioctl(vm_fd, RF_SET_DOMAIN, &domain);
}

static bool vcpu_start(void)
{
	struct rf_create_vcpu create = { .size = sizeof(create) };
	struct rf_set_regs regs = {
		.size = sizeof(regs), .flags = RF_REGS_ONLINE, .rip = TINY_CODE,
		.rsp = TINY_STACK,
	};

	vcpu_fd = ioctl(vm_fd, RF_CREATE_VCPU, &create);
	return vcpu_fd >= 0 && !ioctl(vcpu_fd, RF_SET_REGS, &regs) &&
	       !pthread_create(&runner, NULL, run, NULL);
}

static void vm_end(void)
{
	struct rf_kill kill = { .size = sizeof(kill) };

	ioctl(vm_fd, RF_KILL, &kill);
	pthread_join(runner, NULL);
	close(vcpu_fd);
	close(vm_fd);
}

/* Have the guest make a hypercall; -ETIME if it does not within ten seconds. */
static bool call_done(void)
{
	return !__atomic_load_n(&mailbox->nr_plus_1, __ATOMIC_ACQUIRE);
}

static void call_begin(uint64_t nr, uint64_t a1, uint64_t a2)
{
	mailbox->arg[0] = a1;
	mailbox->arg[1] = a2;
	__atomic_store_n(&mailbox->nr_plus_1, nr + 1, __ATOMIC_RELEASE);
}

static int64_t call_end(void)
{
	uint64_t limit = now_ms() + 10000;

	while (!call_done()) {
		if (now_ms() > limit)
			return -ETIME;
		usleep(500);
	}
	return mailbox->result;
}

static int64_t event_channel_op(uint32_t cmd)
{
	call_begin(EVENT_CHANNEL_OP, cmd,
		   FRAME(MAILBOX_PAGE) + offsetof(struct mailbox, op));
	return call_end();
}

static int64_t port_op(uint32_t cmd, uint32_t port)
{
	mailbox->op[0] = port;
	return event_channel_op(cmd);
}

/* Start a poll of @nr ports; the guest is asleep in it, or it is over. */
static void poll_begin(const uint32_t *ports, uint32_t nr, uint64_t abs_ns)
{
	uint64_t *op = (uint64_t *)mailbox->op;

	memcpy(mailbox->ports, ports, nr * sizeof(*ports));
	op[0] = FRAME(MAILBOX_PAGE) + offsetof(struct mailbox, ports);
	op[1] = nr;
	op[2] = abs_ns;
	call_begin(SCHED_OP, SCHEDOP_POLL, FRAME(MAILBOX_PAGE) + offsetof(struct mailbox, op));
}

static uint64_t *pending_word(uint32_t port)
{
	return (uint64_t *)(memory + SHARED_PAGE * 4096 + PENDING_OFFSET) + port / 64;
}

static bool is_pending(uint32_t port)
{
	return __atomic_load_n(pending_word(port), __ATOMIC_SEQ_CST) >> (port % 64) & 1;
}

static void clear_pending(uint32_t port)
{
	__atomic_and_fetch(pending_word(port), ~(1ULL << (port % 64)), __ATOMIC_SEQ_CST);
}

/* Port, or -errno. */
static int bind_port(int to_launcher, int from_launcher)
{
	struct rf_bind_port bind = {
		.size = sizeof(bind), .to_launcher = to_launcher,
		.from_launcher = from_launcher, .remote_domid = 3,
	};

	return ioctl(vm_fd, RF_BIND_PORT, &bind) ? -errno : (int)bind.port;
}

/* What the eventfd has counted since the last look; 0 if nothing comes. */
static uint64_t taken(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t count = 0;

	if (poll(&p, 1, timeout_ms) == 1 && read(fd, &count, sizeof(count)) != sizeof(count))
		return 0;
	return count;
}

static void signal_fd(int fd)
{
	const uint64_t one = 1;

	EXPECT(write(fd, &one, sizeof(one)) == sizeof(one));
}

static int event_fd(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* --- cases ----------------------------------------------------------------------- */

static void the_guest_sends_and_an_eventfd_is_signalled(void)
{
	int to = event_fd(), port, i;

	EXPECT(vm_make());
	port = bind_port(to, -1);
	EXPECT(port > 0);
	EXPECT(vcpu_start());
	EXPECT_EQ(taken(to, 20), 0);
	for (i = 0; i < 50 && !tap_failed; i++) {
		EXPECT_EQ(port_op(SEND, port), 0);
		EXPECT_EQ(taken(to, 2000), 1);
	}
	/* They add up until somebody looks. */
	for (i = 0; i < 5; i++)
		port_op(SEND, port);
	EXPECT_EQ(taken(to, 2000), 5);
	EXPECT(!is_pending(port));
	close(to);
	/* Nobody can read it any more; that is not the guest's fault. */
	EXPECT_EQ(port_op(SEND, port), 0);
	vm_end();
}

static void an_eventfd_is_signalled_and_the_guest_wakes(void)
{
	int from[3] = { event_fd(), event_fd(), event_fd() }, i;
	uint32_t ports[3];

	EXPECT(vm_make());
	for (i = 0; i < 3; i++)
		ports[i] = bind_port(-1, from[i]);
	EXPECT(vcpu_start());
	for (i = 0; i < 60 && !tap_failed; i++) {
		poll_begin(ports, 3, 0);
		if (i % 2)
			usleep(2000);
		EXPECT(!call_done());
		signal_fd(from[i % 3]);
		EXPECT_EQ(call_end(), 0);
		EXPECT(is_pending(ports[i % 3]));
		EXPECT(!is_pending(ports[(i + 1) % 3]));
		/* It was taken: the eventfd is empty again. */
		EXPECT_EQ(taken(from[i % 3], 0), 0);
		clear_pending(ports[i % 3]);
	}
	/* A port that has no way out: nothing happens. */
	EXPECT_EQ(port_op(SEND, ports[0]), 0);
	vm_end();
	for (i = 0; i < 3; i++)
		close(from[i]);
}

static void one_port_goes_both_ways(void)
{
	int to = event_fd(), from = event_fd(), i;
	uint32_t port;

	EXPECT(vm_make());
	port = bind_port(to, from);
	EXPECT(vcpu_start());
	for (i = 0; i < 50 && !tap_failed; i++) {
		signal_fd(from);
		poll_begin(&port, 1, 0);
		EXPECT_EQ(call_end(), 0);
		EXPECT(is_pending(port));
		clear_pending(port);
		EXPECT_EQ(port_op(SEND, port), 0);
		EXPECT_EQ(taken(to, 2000), 1);
		EXPECT(!is_pending(port));
	}
	/* The descriptor is closed, and yet the port is bound. */
	close(from);
	EXPECT_EQ(port_op(SEND, port), 0);
	EXPECT_EQ(taken(to, 2000), 1);
	vm_end();
	close(to);
}

/* Before there is a vCPU to see it, or even a port. */
static void a_signal_that_comes_early_is_kept(void)
{
	int before = event_fd(), between = event_fd();
	int a, b;

	EXPECT(vm_make());
	signal_fd(before);
	a = bind_port(-1, before);
	b = bind_port(-1, between);
	signal_fd(between);
	EXPECT(a > 0 && b > 0 && a != b);
	EXPECT(vcpu_start());
	EXPECT_EQ(port_op(CLOSE, 4095), -EINVAL);
	EXPECT(is_pending(a));
	EXPECT(is_pending(b));
	vm_end();
	close(before);
	close(between);
}

static void a_port_that_is_closed_is_silent(void)
{
	int to = event_fd(), from = event_fd(), other = event_fd();
	int port, again;

	EXPECT(vm_make());
	port = bind_port(to, from);
	EXPECT(vcpu_start());
	EXPECT_EQ(port_op(CLOSE, port), 0);
	EXPECT_EQ(port_op(SEND, port), -EINVAL);
	EXPECT_EQ(taken(to, 20), 0);
	again = bind_port(to, other);
	EXPECT_EQ(again, port);
	/* The one that was bound here before has no say any more. */
	signal_fd(from);
	usleep(20000);
	EXPECT(!is_pending(port));
	EXPECT_EQ(taken(from, 0), 1);
	signal_fd(other);
	usleep(20000);
	EXPECT(is_pending(port));
	EXPECT_EQ(port_op(SEND, port), 0);
	EXPECT_EQ(taken(to, 2000), 1);
	vm_end();
	close(to);
	close(from);
	close(other);
}

/* What the guest sends raises its own port. */
static void one_eventfd_for_both_ways(void)
{
	int fd = event_fd(), port;

	EXPECT(vm_make());
	port = bind_port(fd, fd);
	EXPECT(vcpu_start());
	EXPECT_EQ(port_op(SEND, port), 0);
	EXPECT(is_pending(port));
	vm_end();
	close(fd);
}

/* The guest's own: unbound ones, and those it binds to each other. */
static void other_ports_do_not_mind(void)
{
	int to = event_fd(), from = event_fd(), port;
	uint32_t unbound, bound;

	EXPECT(vm_make());
	port = bind_port(to, from);
	EXPECT(vcpu_start());
	mailbox->op[0] = DOMID_SELF | DOMID_SELF << 16;
	EXPECT_EQ(event_channel_op(ALLOC_UNBOUND), 0);
	unbound = mailbox->op[1];
	EXPECT(unbound != (uint32_t)port);
	EXPECT_EQ(port_op(SEND, unbound), 0);
	EXPECT_EQ(taken(to, 20), 0);
	mailbox->op[0] = DOMID_SELF;
	mailbox->op[1] = unbound;
	EXPECT_EQ(event_channel_op(BIND_INTERDOMAIN), 0);
	bound = mailbox->op[2];
	clear_pending(bound);
	EXPECT_EQ(port_op(SEND, bound), 0);
	EXPECT(is_pending(unbound));
	EXPECT_EQ(taken(to, 20), 0);
	/* The launcher's is nobody else's to bind. */
	mailbox->op[0] = DOMID_SELF;
	mailbox->op[1] = port;
	EXPECT_EQ(event_channel_op(BIND_INTERDOMAIN), -EINVAL);
	mailbox->op[0] = DOMID_SELF;
	mailbox->op[1] = port;
	EXPECT_EQ(event_channel_op(STATUS), 0);
	EXPECT_EQ(mailbox->op[2], STATUS_INTERDOMAIN);
	EXPECT_EQ(mailbox->op[4] & 0xffff, 3);
	vm_end();
	close(to);
	close(from);
}

static void what_is_wrong_is_refused(void)
{
	struct rf_bind_port bind = {
		.size = sizeof(bind), .to_launcher = -1, .from_launcher = -1,
	};
	int fd = event_fd(), nr = 0, err;

	EXPECT(vm_make());
	EXPECT_EQ(bind_port(system_fd, -1), -EINVAL);
	EXPECT_EQ(bind_port(-1, system_fd), -EINVAL);
	EXPECT_EQ(bind_port(999, -1), -EBADF);
	EXPECT_EQ(bind_port(fd, 999), -EBADF);
	bind.flags = RF_BIND_RESTORED << 1;
	EXPECT(ioctl(vm_fd, RF_BIND_PORT, &bind) && errno == EOPNOTSUPP);
	bind.flags = RF_BIND_RESTORED;
	EXPECT(ioctl(vm_fd, RF_BIND_PORT, &bind) && errno == EINVAL);
	bind.flags = 0;
	bind.remote_domid = 0x7ff0;
	EXPECT(ioctl(vm_fd, RF_BIND_PORT, &bind) && errno == EINVAL);
	bind.remote_domid = 0x10000;
	EXPECT(ioctl(vm_fd, RF_BIND_PORT, &bind) && errno == EINVAL);
	while ((err = bind_port(fd, fd)) > 0)
		nr++;
	EXPECT_EQ(err, -ENOSPC);
	EXPECT_EQ(nr, 4095);
	close(vm_fd);
	/* All were given up with the VM: no one listens. */
	signal_fd(fd);
	EXPECT_EQ(taken(fd, 0), 1);
	close(fd);
}

int main(void)
{
	static const struct tap_case cases[] = {
		TAP_CASE(the_guest_sends_and_an_eventfd_is_signalled),
		TAP_CASE(an_eventfd_is_signalled_and_the_guest_wakes),
		TAP_CASE(one_port_goes_both_ways),
		TAP_CASE(a_signal_that_comes_early_is_kept),
		TAP_CASE(a_port_that_is_closed_is_silent),
		TAP_CASE(one_eventfd_for_both_ways),
		TAP_CASE(other_ports_do_not_mind),
		TAP_CASE(what_is_wrong_is_refused),
	};

	system_fd = open("/dev/ringfence", O_RDWR | O_CLOEXEC);
	memory = mmap(NULL, NR_PAGES * 4096, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (system_fd < 0 || memory == MAP_FAILED) {
		perror("ports");
		return 1;
	}
	return TAP_RUN(cases);
}
