/* SPDX-License-Identifier: GPL-2.0 */
/* The disks of a guest: opened, put on its bus, taken away. */
#ifndef RF_DISKS_H
#define RF_DISKS_H

#include "disk_spec.h"

struct cJSON;

/**
 * struct rf_disk - a disk of a guest
 * @spec: What it is
 * @fd: Open image or device; -1: none
 * @slot: On the bus of the guest that runs, or -1
 * @instance: Of the device in the slot
 * @leaving: The guest has been asked to let go of it
 */
struct rf_disk {
	struct rf_disk_spec spec;
	int fd;
	int slot;
	unsigned int instance;
	bool leaving;
};

/**
 * struct rf_disks - all disks of a guest
 * @vm_fd: The guest that runs, or -1
 * @disk: Those with a descriptor are there
 */
struct rf_disks {
	int vm_fd;
	struct rf_disk disk[RF_MAX_DISKS];
};

void rf_disks_init(struct rf_disks *disks);
void rf_disks_close(struct rf_disks *disks);

/*
 * Open what @spec says, the way it says: a block device for nobody else.
 * An image in another format is given to qemu-nbd, which stays until the
 * descriptor is closed, by whomever.  Return: a descriptor, or -1.
 */
int rf_disk_open(const struct rf_disk_spec *spec, struct rf_error *err);

/* Keep @fd, which is the disk @spec, from now on; on the bus if a guest runs. */
int rf_disks_add(struct rf_disks *disks, const struct rf_disk_spec *spec,
		 int fd, struct rf_error *err);

/* A guest is made, with no disk yet: @vm_fd gets all of them. */
int rf_disks_connect(struct rf_disks *disks, int vm_fd, struct rf_error *err);
void rf_disks_disconnect(struct rf_disks *disks);

/*
 * Take the disk with this slot or serial number away; out: where it is and
 * whether it is gone.  Return: 0 or -1.
 */
int rf_disks_remove(struct rf_disks *disks, const char *which, bool force,
		    struct cJSON *answer, struct rf_error *err);

/* Into @array, one object a disk, with counters. */
void rf_disks_report(struct rf_disks *disks, struct cJSON *array);

#endif /* RF_DISKS_H */
