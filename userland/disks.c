// SPDX-License-Identifier: GPL-2.0
/*
 * disks.c - the disks of a guest: opened, put on its bus, taken away
 *
 *	run:		rf_disk_open() -> rf_disks_add() -> rf_disks_connect(), at each start
 *	attach-disk:	rf_disk_open() by who asks, the descriptor over the socket,
 *			rf_disks_add()
 *
 * A launcher that runs a guest opens nothing any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "disks.h"
#include "nbd.h"
#include "rf_api.h"

void rf_disks_init(struct rf_disks *disks)
{
	disks->vm_fd = -1;
	for (int i = 0; i < RF_MAX_DISKS; i++)
		disks->disk[i] = (struct rf_disk){ .fd = -1, .slot = -1 };
}

static void disk_close(struct rf_disk *disk)
{
	if (disk->fd >= 0)
		close(disk->fd);
	*disk = (struct rf_disk){ .fd = -1, .slot = -1 };
}

void rf_disks_close(struct rf_disks *disks)
{
	for (int i = 0; i < RF_MAX_DISKS; i++)
		disk_close(&disks->disk[i]);
}

/* --- opening ----------------------------------------------------------------- */

static int open_error(const struct rf_disk_spec *spec, int error,
		      struct rf_error *err)
{
	if (error == EBUSY)
		return rf_error_set(err, "disk %s: it is in use on this host (mounted, "
					 "swapped to, part of another device, or another "
					 "guest's)",
				    spec->path);
	if (error == EROFS || error == EACCES)
		return rf_error_set(err, "disk %s: %s%s", spec->path,
				    strerror(error), spec->read_only ?
				    "" : "; add ',readonly' if the guest only reads");
	if (error == EINVAL && spec->cache == RF_DISK_DIRECT)
		return rf_error_set(err, "disk %s: its file system cannot do direct I/O; "
					 "use ',buffered'",
				    spec->path);
	return rf_error_set(err, "disk %s: cannot open it: %s", spec->path,
			    strerror(error));
}

/* Nothing but a regular file or a block device, and neither FIFO nor device waits. */
static int look_at(const struct rf_disk_spec *spec, bool *is_device,
		   struct rf_error *err)
{
	struct stat st;

	if (stat(spec->path, &st))
		return open_error(spec, errno, err);
	*is_device = S_ISBLK(st.st_mode);
	if (!*is_device && !S_ISREG(st.st_mode))
		return rf_error_set(err, "disk %s: it is neither a file nor a block device",
				    spec->path);
	return 0;
}

static int open_raw(const struct rf_disk_spec *spec, const char *path,
		    bool is_device, struct rf_error *err)
{
	int flags = O_CLOEXEC | O_NONBLOCK | (spec->read_only ? O_RDONLY : O_RDWR);
	int fd;

	if (is_device)
		flags |= O_EXCL;
	if (spec->cache == RF_DISK_DIRECT ||
	    (is_device && spec->cache == RF_DISK_BY_KIND))
		flags |= O_DIRECT;
	fd = open(path, flags);
	return fd < 0 ? open_error(spec, errno, err) : fd;
}

int rf_disk_open(const struct rf_disk_spec *spec, struct rf_error *err)
{
	bool is_device = false;
	char device[32];
	int fd;

	if (look_at(spec, &is_device, err))
		return -1;
	if (!strcmp(spec->format, "raw"))
		return open_raw(spec, spec->path, is_device, err);
	if (rf_nbd_start(spec, device, sizeof(device), err))
		return -1;
	fd = open_raw(spec, device, true, err);
	rf_nbd_guard(device);
	return fd;
}

/* --- the bus ------------------------------------------------------------------ */

static int add_error(const struct rf_disk *disk, int error, struct rf_error *err)
{
	switch (error) {
	case -EINVAL:
		return rf_error_set(err, "disk %s: offset, size or block size do not fit "
					 "what it is",
				    disk->spec.path);
	case -ENOSPC:
		return rf_error_set(err, "disk %s: the guest's bus is full",
				    disk->spec.path);
	case -ETXTBSY:
		return rf_error_set(err, "disk %s: this host swaps to it",
				    disk->spec.path);
	default:
		return rf_error_set(err, "disk %s: the module will not take it: %s",
				    disk->spec.path, strerror(-error));
	}
}

static int disk_connect(struct rf_disk *disk, int vm_fd, struct rf_error *err)
{
	struct rf_device_state state;
	struct rf_add_block add = {
		.flags = (disk->spec.read_only ? RF_BLOCK_READ_ONLY : 0) |
			 (disk->spec.discard ? RF_BLOCK_DISCARD : 0),
		.fd = disk->fd,
		.offset = disk->spec.offset,
		.len = disk->spec.size,
		.block_size = disk->spec.block_size,
		.nr_queues = disk->spec.nr_queues,
		.iops = disk->spec.iops,
		.bytes = disk->spec.bps,
	};
	int ret;

	memcpy(add.serial, disk->spec.serial, RF_DISK_SERIAL);
	ret = rf_api_add_block(vm_fd, &add);
	if (ret < 0)
		return add_error(disk, ret, err);
	disk->slot = add.slot;
	disk->leaving = false;
	rf_api_get_device(vm_fd, disk->slot, &state);
	disk->instance = state.instance;
	return 0;
}

/* The guest may have let go of some that it was asked for. */
static void disks_reap(struct rf_disks *disks)
{
	struct rf_device_state state;

	for (int i = 0; i < RF_MAX_DISKS; i++) {
		struct rf_disk *disk = &disks->disk[i];

		if (disk->fd < 0 || !disk->leaving || disks->vm_fd < 0)
			continue;
		if (!rf_api_get_device(disks->vm_fd, disk->slot, &state) &&
		    (!state.device_id || state.instance != disk->instance))
			disk_close(disk);
	}
}

int rf_disks_add(struct rf_disks *disks, const struct rf_disk_spec *spec,
		 int fd, struct rf_error *err)
{
	struct rf_disk *disk = NULL;

	disks_reap(disks);
	for (int i = 0; i < RF_MAX_DISKS && !disk; i++)
		if (disks->disk[i].fd < 0)
			disk = &disks->disk[i];
	if (!disk) {
		close(fd);
		return rf_error_set(err, "disk %s: the guest has %d already",
				    spec->path, RF_MAX_DISKS);
	}
	*disk = (struct rf_disk){ .spec = *spec, .fd = fd, .slot = -1 };
	if (disks->vm_fd >= 0 && disk_connect(disk, disks->vm_fd, err)) {
		disk_close(disk);
		return -1;
	}
	return 0;
}

int rf_disks_connect(struct rf_disks *disks, int vm_fd, struct rf_error *err)
{
	disks->vm_fd = vm_fd;
	for (int i = 0; i < RF_MAX_DISKS; i++)
		if (disks->disk[i].fd >= 0 &&
		    disk_connect(&disks->disk[i], vm_fd, err))
			return -1;
	return 0;
}

/* What was leaving is gone with the guest. */
void rf_disks_disconnect(struct rf_disks *disks)
{
	disks->vm_fd = -1;
	for (int i = 0; i < RF_MAX_DISKS; i++) {
		disks->disk[i].slot = -1;
		if (disks->disk[i].leaving)
			disk_close(&disks->disk[i]);
	}
}

static struct rf_disk *disk_find(struct rf_disks *disks, const char *which)
{
	char slot[12];

	for (int i = 0; i < RF_MAX_DISKS; i++) {
		struct rf_disk *disk = &disks->disk[i];

		snprintf(slot, sizeof(slot), "%d", disk->slot);
		if (disk->fd >= 0 && disk->slot >= 0 &&
		    (!strcmp(which, slot) || !strcmp(which, disk->spec.serial)))
			return disk;
	}
	return NULL;
}

int rf_disks_remove(struct rf_disks *disks, const char *which, bool force,
		    struct cJSON *answer, struct rf_error *err)
{
	struct rf_disk *disk;
	int ret;

	disks_reap(disks);
	disk = disk_find(disks, which);
	if (!disk)
		return rf_error_set(err, "it has no disk '%.60s'; see 'ringfence disks'",
				    which);
	ret = rf_api_remove_device(disks->vm_fd, disk->slot, force);
	if (ret && ret != -EINPROGRESS && ret != -ENODEV)
		return rf_error_set(err, "disk %s: %s", disk->spec.path,
				    strerror(-ret));
	cJSON_AddNumberToObject(answer, "slot", disk->slot);
	cJSON_AddNumberToObject(answer, "instance", disk->instance);
	cJSON_AddBoolToObject(answer, "gone", ret != -EINPROGRESS);
	disk->leaving = true;
	if (ret != -EINPROGRESS)
		disk_close(disk);
	return 0;
}

/* --- telling -------------------------------------------------------------------- */

static void report_counters(const struct rf_device_state *state,
			    struct cJSON *object)
{
	/* DRIVER_OK, of the virtio specification. */
	cJSON_AddBoolToObject(object, "driver", state->status & 4);
	cJSON_AddNumberToObject(object, "requests", state->requests);
	cJSON_AddNumberToObject(object, "read_bytes", state->read_bytes);
	cJSON_AddNumberToObject(object, "written_bytes", state->written_bytes);
	cJSON_AddNumberToObject(object, "errors", state->errors);
	cJSON_AddNumberToObject(object, "doorbells", state->doorbells);
	cJSON_AddNumberToObject(object, "interrupts", state->events);
}

static void report_disk(int vm_fd, const struct rf_disk *disk,
			struct cJSON *object)
{
	const struct rf_disk_spec *spec = &disk->spec;
	struct rf_device_state state;

	cJSON_AddNumberToObject(object, "slot", disk->slot);
	cJSON_AddNumberToObject(object, "instance", disk->instance);
	cJSON_AddStringToObject(object, "path", spec->path);
	cJSON_AddStringToObject(object, "format", spec->format);
	cJSON_AddStringToObject(object, "serial", spec->serial);
	cJSON_AddBoolToObject(object, "read_only", spec->read_only);
	cJSON_AddBoolToObject(object, "leaving", disk->leaving);
	if (!rf_api_get_device(vm_fd, disk->slot, &state))
		report_counters(&state, object);
}

void rf_disks_report(struct rf_disks *disks, struct cJSON *array)
{
	disks_reap(disks);
	for (int i = 0; i < RF_MAX_DISKS; i++) {
		cJSON *object;

		if (disks->disk[i].fd < 0 || disks->vm_fd < 0)
			continue;
		object = cJSON_CreateObject();
		report_disk(disks->vm_fd, &disks->disk[i], object);
		cJSON_AddItemToArray(array, object);
	}
}
