// SPDX-License-Identifier: GPL-2.0
/*
 * balloon.c - what a guest keeps of its memory, by request or by the host's need
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "balloon.h"
#include "balloon_policy.h"
#include "rf_api.h"
#include "ringfence_guest.h"
#include "vm.h"

#define PAGE		4096ULL
#define TICK_MS		2000
#define PRESSURE	"/proc/pressure/memory"

/* VIRTIO_BALLOON_S_*, virtio specification 1.2, section 5.5.6.3. */
#define STAT_AVAILABLE	6

static const char *const stat_names[] = {
	"swapped_in", "swapped_out", "major_faults", "minor_faults",
	"free", "total", "available", "caches",
	"huge_allocated", "huge_failed", "oom_kills",
	"stalled", "scanned_async", "scanned_direct",
	"reclaimed_async", "reclaimed_direct",
};

static long long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

int rf_balloon_create(struct rf_vm *vm, struct rf_error *err)
{
	vm->balloon.pressure_fd = -1;
	if (!vm->config->balloon_auto)
		return 0;
	vm->balloon.pressure_fd = open(PRESSURE, O_RDONLY | O_CLOEXEC);
	if (vm->balloon.pressure_fd < 0)
		return rf_error_set(err, "--balloon auto: cannot read " PRESSURE
					 ": %s; boot the host with psi=1",
				    strerror(errno));
	vm->balloon.next_tick = now_ms() + TICK_MS;
	return 0;
}

void rf_balloon_destroy(struct rf_vm *vm)
{
	if (vm->balloon.pressure_fd >= 0)
		close(vm->balloon.pressure_fd);
	vm->balloon.pressure_fd = -1;
}

/* Is there a driver in the guest? */
static bool has_driver(struct rf_vm *vm)
{
	const unsigned int driver_ok = 4;
	struct rf_device_state state;

	for (unsigned int slot = 0; slot < RF_GUEST_MAX_SLOTS; slot++)
		if (rf_api_get_device(vm->vm_fd, slot, &state) >= 0 &&
		    state.device_id == RF_DEVICE_BALLOON)
			return state.status & driver_ok;
	return false;
}

static uint64_t kept(const struct rf_vm *vm, uint64_t balloon_pages)
{
	return balloon_pages < vm->nr_pages ?
		       (vm->nr_pages - balloon_pages) * PAGE : 0;
}

int rf_balloon_report(struct rf_vm *vm, struct cJSON *answer,
		      struct rf_error *err)
{
	struct rf_balloon balloon = { 0 };
	struct cJSON *stats;
	int ret = rf_api_balloon(vm->vm_fd, &balloon);

	if (ret < 0)
		return rf_error_set(err, "the module says nothing of the balloon: %s",
				    strerror(-ret));
	cJSON_AddNumberToObject(answer, "memory", vm->nr_pages * PAGE);
	cJSON_AddNumberToObject(answer, "target", kept(vm, balloon.target_pages));
	cJSON_AddNumberToObject(answer, "kept", kept(vm, balloon.actual_pages));
	cJSON_AddNumberToObject(answer, "reported_free",
				balloon.reported_pages * PAGE);
	cJSON_AddBoolToObject(answer, "driver", has_driver(vm));
	cJSON_AddBoolToObject(answer, "auto", vm->balloon.pressure_fd >= 0);
	stats = cJSON_AddObjectToObject(answer, "guest");
	for (unsigned int i = 0; i < sizeof(stat_names) / sizeof(stat_names[0]); i++)
		if (balloon.stats_valid >> i & 1)
			cJSON_AddNumberToObject(stats, stat_names[i],
						balloon.stats[i]);
	return 0;
}

int rf_balloon_set(struct rf_vm *vm, uint64_t memory, struct rf_error *err)
{
	struct rf_balloon balloon = { .flags = RF_BALLOON_SET };
	int ret;

	if (memory > vm->nr_pages * PAGE)
		return rf_error_set(err, "the guest was started with %lluM, and cannot have more",
				    (unsigned long long)vm->nr_pages >> 8);
	balloon.target_pages = vm->nr_pages - memory / PAGE;
	ret = rf_api_balloon(vm->vm_fd, &balloon);
	if (ret < 0)
		return rf_error_set(err, "the module will not set the balloon: %s",
				    strerror(-ret));
	return 0;
}

int rf_balloon_due(const struct rf_vm *vm)
{
	long long left;

	if (vm->balloon.pressure_fd < 0)
		return -1;
	left = vm->balloon.next_tick - now_ms();
	return left < 0 ? 0 : left > TICK_MS ? TICK_MS : left;
}

static int read_pressure(int fd, unsigned int *pressure)
{
	char text[128];
	ssize_t got;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -1;
	got = read(fd, text, sizeof(text) - 1);
	if (got <= 0)
		return -1;
	text[got] = 0;
	return rf_balloon_parse_pressure(text, pressure);
}

void rf_balloon_tick(struct rf_vm *vm)
{
	struct rf_balloon balloon = { 0 };
	struct rf_balloon_view view = {
		.memory = vm->nr_pages * PAGE,
		.least = vm->config->balloon_min ?: vm->nr_pages * PAGE / 8,
	};
	struct rf_error ignored;
	uint64_t target;

	if (rf_balloon_due(vm))
		return;
	vm->balloon.next_tick = now_ms() + TICK_MS;
	if (read_pressure(vm->balloon.pressure_fd, &view.pressure) ||
	    rf_api_balloon(vm->vm_fd, &balloon) < 0)
		return;
	view.target = kept(vm, balloon.target_pages);
	view.kept = kept(vm, balloon.actual_pages);
	view.knows_available = balloon.stats_valid >> STAT_AVAILABLE & 1;
	view.available = balloon.stats[STAT_AVAILABLE];
	target = rf_balloon_decide(&view);
	/* The same again asks for news of the guest's memory. */
	if (target != view.target || !view.knows_available || view.pressure)
		rf_balloon_set(vm, target, &ignored);
}
