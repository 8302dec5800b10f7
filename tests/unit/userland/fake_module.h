/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A module and a guest in 400 lines: rf_api.c's functions, and a guest that
 * prints, echoes what is typed, and does what the letter typed says:
 *
 *	p	powers off		r	reboots
 *	c	crashes			k	is killed by the module
 *	w	asks its watchdog	f	floods its console
 *	l	listens to its store, and shuts down when asked to
 *	d	listens, takes note, and goes on
 *	o	listens, and crashes when asked to
 *	g	writes garbage into its store's ring
 */
#ifndef RF_FAKE_MODULE_H
#define RF_FAKE_MODULE_H

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "userland/rf_api.h"
#include "userland/xen_start_info.h"
#include "userland/xen_store_wire.h"

#define FAKE_STORE_PORT	6
#define FAKE_PORT	7

/* Numbers at which nothing is open; closing them does nothing. */
#define FAKE_FD		900
#define FAKE_VCPU_FD	910

static struct {
	int open_error;		/* what opening the device gives */
	uint8_t *memory;
	uint64_t nr_pages;
	uint64_t shared_info_pfn;
	uint64_t balloon_target;
	uint64_t balloon_actual;
	int to_launcher;
	int from_launcher;
	int ended;		/* eventfd, drained by the next start */
	struct rf_vm_state state;
	unsigned int nr_vcpus;
	int step;
	struct xencons_interface *ring;
	unsigned int nr_ports;
	int to_store;
	int from_store;
	struct xenstore_domain_interface *store;
	char listens;		/* the letter that made it */
} fake = { .ended = -1 };

int rf_api_open(void)
{
	/* Now: later a launcher may open nothing any more. */
	fake.ended = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return fake.open_error ? fake.open_error : FAKE_FD;
}

int rf_api_get_info(int system_fd, struct rf_info *info)
{
	(void)system_fd;
	*info = (struct rf_info){
		.size = sizeof(*info), .max_vcpus = 4, .max_vms = 8,
		.max_pages = 1 << 20, .version = "fake",
	};
	return 0;
}

int rf_api_create_vm(int system_fd, const char *name, unsigned int max_vcpus)
{
	uint64_t count;

	(void)system_fd;
	(void)name;
	fake.nr_vcpus = max_vcpus;
	fake.state = (struct rf_vm_state){ .nr_online = max_vcpus };
	fake.step = 0;
	if (read(fake.ended, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	return FAKE_FD + 1;
}

int rf_api_set_memory(int vm_fd, uint64_t guest_pfn, uint64_t nr_pages,
		      const void *memory)
{
	(void)vm_fd;
	fake.memory = (uint8_t *)memory;
	fake.nr_pages = nr_pages;
	return guest_pfn ? -EINVAL : 0;
}

/* Disks by slot, from 1 on; one that was asked to leave has left when looked at. */
static struct {
	bool there;
	bool leaving;
} fake_disk[8];

int rf_api_add_block(int vm_fd, struct rf_add_block *add)
{
	(void)vm_fd;
	if (add->offset % 512)
		return -EINVAL;
	for (int i = 1; i < 8; i++)
		if (!fake_disk[i].there) {
			fake_disk[i].there = true;
			fake_disk[i].leaving = false;
			add->slot = i;
			return 0;
		}
	return -ENOSPC;
}

/* Nobody here may make an interface. */
int rf_api_create_nic(int system_fd, struct rf_create_nic *create)
{
	(void)system_fd;
	return create->name[0] ? -EPERM : -EINVAL;
}

int rf_api_add_net(int vm_fd, struct rf_add_net *add)
{
	(void)vm_fd;
	(void)add;
	return -EBADF;
}

int rf_api_get_device(int vm_fd, unsigned int slot,
		      struct rf_device_state *state)
{
	(void)vm_fd;
	/* Above the disks, the balloon, with a driver. */
	if (slot >= 8) {
		*state = (struct rf_device_state){
			.device_id = slot == 8 ? RF_DEVICE_BALLOON : 0,
			.status = 15,
		};
		return 0;
	}
	if (fake_disk[slot].leaving)
		fake_disk[slot].there = false;
	*state = (struct rf_device_state){
		.device_id = fake_disk[slot].there ? 2 : 0, .status = 15,
		.requests = 7,
	};
	return 0;
}

int rf_api_remove_device(int vm_fd, unsigned int slot, bool force)
{
	(void)vm_fd;
	fake_disk[slot].leaving = true;
	fake_disk[slot].there = !force;
	return force ? 0 : -EINPROGRESS;
}

int rf_api_add_device(int vm_fd, unsigned int device_id)
{
	(void)vm_fd;
	return device_id == RF_DEVICE_ENTROPY ||
		       device_id == RF_DEVICE_BALLOON ? 0 : -EOPNOTSUPP;
}

int rf_api_balloon(int vm_fd, struct rf_balloon *balloon)
{
	(void)vm_fd;
	if (balloon->flags & RF_BALLOON_SET)
		fake.balloon_target = balloon->target_pages;
	balloon->target_pages = fake.balloon_target;
	balloon->actual_pages = fake.balloon_actual;
	balloon->reported_pages = 3;
	balloon->stats_valid = 1 << 4;
	balloon->stats[4] = 4096;
	return 0;
}

int rf_api_set_domain(int vm_fd, uint64_t shared_info_pfn, uint64_t nr_pages)
{
	(void)vm_fd;
	if (shared_info_pfn >= fake.nr_pages || nr_pages >= fake.nr_pages)
		return -EINVAL;
	/* The memory of a guest that was never there is zero. */
	for (uint64_t i = 0; i < fake.nr_pages * 4096; i += 4096)
		if (*(uint64_t *)(fake.memory + i))
			return -EUCLEAN;
	fake.shared_info_pfn = shared_info_pfn;
	return 0;
}

int rf_api_bind_port(int vm_fd, int to_launcher, int from_launcher)
{
	(void)vm_fd;
	if (fake.nr_ports++ % 2 == 0) {
		fake.to_store = to_launcher;
		fake.from_store = from_launcher;
		return FAKE_STORE_PORT;
	}
	fake.to_launcher = to_launcher;
	fake.from_launcher = from_launcher;
	return FAKE_PORT;
}

int rf_api_create_vcpu(int vm_fd, unsigned int id)
{
	(void)vm_fd;
	return FAKE_VCPU_FD + id;
}

int rf_api_set_regs(int vcpu_fd, struct rf_set_regs *regs)
{
	struct start_info *si;
	uint64_t *top;

	(void)vcpu_fd;
	top = (uint64_t *)(fake.memory + regs->cr3_pfn * 4096);
	if (!(top[regs->rip >> 39 & 511] & 1) || regs->flags != RF_REGS_ONLINE)
		return -EINVAL;
	si = (struct start_info *)(fake.memory +
				   (regs->rsi - 0xffffffff80000000));
	if (strcmp(si->magic, "xen-3.0-x86_64") ||
	    si->shared_info != fake.shared_info_pfn * 4096 ||
	    si->store_evtchn != FAKE_STORE_PORT ||
	    si->console.evtchn != FAKE_PORT)
		return -EINVAL;
	fake.store = (void *)(fake.memory + si->store_mfn * 4096);
	fake.listens = 0;
	fake.ring = (void *)(fake.memory + si->console.mfn * 4096);
	return 0;
}

int rf_api_get_regs(int vcpu_fd, struct rf_get_regs *regs)
{
	(void)vcpu_fd;
	*regs = (struct rf_get_regs){
		.flags = RF_REGS_ONLINE | RF_REGS_KERNEL,
		.rip = 0x1234,
	};
	return 0;
}

int rf_api_get_state(int vm_fd, struct rf_vm_state *state)
{
	(void)vm_fd;
	*state = fake.state;
	return 0;
}

static void fake_end(uint32_t state, uint32_t reason, const char *text)
{
	uint64_t one = 1;

	if (fake.state.state == RF_STATE_RUNNING) {
		fake.state.state = state;
		fake.state.reason = reason;
		strcpy(fake.state.text, text);
	}
	if (write(fake.ended, &one, sizeof(one)) < 0)
		abort();
}

int rf_api_kill(int vm_fd)
{
	(void)vm_fd;
	fake_end(RF_STATE_DEAD, 0, "killed by the launcher");
	return 0;
}

int rf_api_get_stats(int fd, struct rf_stats *stats, uint64_t *counters,
		     size_t nr)
{
	*stats = (struct rf_stats){
		.size = sizeof(*stats), .nr_counters = RF_NR_COUNTERS + 1,
		.shadow_pages = 11, .mapped_pages = 12, .run_ns = 13,
	};
	for (size_t i = 0; i < nr && i < RF_NR_COUNTERS + 1; i++)
		counters[i] = i + (fd >= FAKE_VCPU_FD ? 0 : 1000);
	return 0;
}

static void guest_put(const char *text, size_t len)
{
	uint64_t one = 1;

	while (len) {
		while (len && fake.ring->out_prod - fake.ring->out_cons <
				      sizeof(fake.ring->out)) {
			fake.ring->out[fake.ring->out_prod % 2048] = *text++;
			__atomic_fetch_add(&fake.ring->out_prod, 1,
					   __ATOMIC_RELEASE);
			len--;
		}
		if (write(fake.to_launcher, &one, sizeof(one)) < 0)
			abort();
		/* As a guest that polls while its host waits for nobody. */
		if (len && fake.state.state != RF_STATE_RUNNING)
			return;
		if (len)
			usleep(1000);
	}
}

static void guest_flood(void)
{
	char line[101];

	memset(line, 'x', 100);
	line[100] = '\n';
	for (int i = 0; i < 10000; i++)
		guest_put(line, sizeof(line));
	guest_put("flood ends\n", 11);
}

static void store_put(const void *bytes, size_t len)
{
	struct xenstore_domain_interface *page = fake.store;
	const char *from = bytes;

	for (size_t i = 0; i < len; i++)
		page->req[(page->req_prod + i) % sizeof(page->req)] = from[i];
	__atomic_fetch_add(&page->req_prod, len, __ATOMIC_RELEASE);
}

static void store_ask(uint32_t type, const char *payload, size_t len)
{
	struct xsd_sockmsg head = { .type = type, .len = len };
	uint64_t one = 1;

	store_put(&head, sizeof(head));
	store_put(payload, len);
	if (write(fake.to_store, &one, sizeof(one)) < 0)
		abort();
}

/* A message, if there is one; all of it comes at once. */
static bool store_hear(struct xsd_sockmsg *head, char *payload)
{
	struct xenstore_domain_interface *page = fake.store;
	uint32_t prod = __atomic_load_n(&page->rsp_prod, __ATOMIC_ACQUIRE);
	char *to = (char *)head;

	if (prod == page->rsp_cons)
		return false;
	for (size_t i = 0; i < sizeof(*head); i++)
		to[i] = page->rsp[page->rsp_cons++ % sizeof(page->rsp)];
	for (size_t i = 0; i < head->len; i++)
		payload[i] = page->rsp[page->rsp_cons++ % sizeof(page->rsp)];
	payload[head->len] = 0;
	return true;
}

static void guest_shut_down(const char *how)
{
	if (!*how)
		return;
	store_ask(XS_WRITE, "control/shutdown", 17);
	if (fake.listens == 'd')
		guest_put("taken\n", 6);
	else if (fake.listens == 'o')
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_crash, "");
	else if (!strcmp(how, "poweroff"))
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_poweroff, "");
	else if (!strcmp(how, "reboot"))
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_reboot, "");
}

/* As Linux does it: an event comes, the node is read and emptied. */
static void guest_serve_store(void)
{
	struct xsd_sockmsg head;
	char payload[4097];

	while (store_hear(&head, payload)) {
		if (head.type == XS_WATCH_EVENT)
			store_ask(XS_READ, "control/shutdown", 17);
		if (head.type == XS_WATCH)
			guest_put("listens\n", 8);
		if (head.type == XS_READ)
			guest_shut_down(payload);
	}
}

static void guest_break_store(void)
{
	uint64_t one = 1;

	memset(fake.store, 0xa5, 4096);
	if (write(fake.to_store, &one, sizeof(one)) < 0)
		abort();
}

static void guest_listen(char c)
{
	fake.listens = c;
	store_ask(XS_WATCH, "control/shutdown\0token", 23);
}

static void guest_obey(char c)
{
	guest_put(&c, 1);
	if (c == 'p')
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_poweroff, "");
	if (c == 'r')
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_reboot, "");
	if (c == 'c')
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_crash, "");
	if (c == 'w')
		fake_end(RF_STATE_SHUTDOWN, SHUTDOWN_watchdog, "");
	if (c == 'k')
		fake_end(RF_STATE_DEAD, 0, "it wrote to the moon");
	if (c == 'f')
		guest_flood();
	if (c == 'l' || c == 'd' || c == 'o')
		guest_listen(c);
	if (c == 'g')
		guest_break_store();
}

/* Sleep until an event, a signal or the end. */
static int guest_halt(int event_fd, int store_fd, struct rf_run *run)
{
	struct pollfd polls[] = {
		{ .fd = fake.ended, .events = POLLIN },
		{ .fd = event_fd, .events = POLLIN },
		{ .fd = store_fd, .events = POLLIN },
	};
	uint64_t count;

	run->exit_reason = RF_RUN_INTERRUPTED;
	if (poll(polls, 3, -1) < 0)
		return 0;
	if (polls[0].revents)
		run->exit_reason = RF_RUN_ENDED;
	for (int i = 1; i < 3; i++)
		if (polls[i].revents &&
		    read(polls[i].fd, &count, sizeof(count)) < 0)
			return 0;
	return 0;
}

int rf_api_run(int vcpu_fd, struct rf_run *run)
{
	static const char early[] = "early\n", hello[] = "hello\n";

	if (vcpu_fd != FAKE_VCPU_FD)
		return guest_halt(-1, -1, run);
	switch (fake.step++) {
	case 0:
		run->exit_reason = RF_RUN_CONSOLE;
		run->len = strlen(early);
		memcpy(run->data, early, run->len);
		return 0;
	case 1:
		run->exit_reason = RF_RUN_IO;
		run->io_port = 0x70;
		run->io_size = 2;
		run->io_write = 0;
		run->len = 0;
		return 0;
	case 2:
		if (run->io_value != 0xffff)
			return -EUCLEAN;
		guest_put(hello, strlen(hello));
		break;
	}
	while (fake.ring->in_cons != __atomic_load_n(&fake.ring->in_prod,
						     __ATOMIC_ACQUIRE))
		guest_obey(fake.ring->in[fake.ring->in_cons++ % 1024]);
	if (fake.listens)
		guest_serve_store();
	return guest_halt(fake.from_launcher, fake.from_store, run);
}

#endif /* RF_FAKE_MODULE_H */
