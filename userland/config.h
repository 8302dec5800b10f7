/* SPDX-License-Identifier: GPL-2.0 */
/* What the command line says. */
#ifndef RF_CONFIG_H
#define RF_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "disk_spec.h"
#include "error.h"
#include "net_spec.h"

/* Exit statuses; ringfence(1) documents them. */
enum rf_exit {
	RF_EXIT_POWEROFF = 0,
	RF_EXIT_ERROR = 1,
	RF_EXIT_USAGE = 2,
	RF_EXIT_REBOOT = 3,
	RF_EXIT_CRASH = 4,
	RF_EXIT_GUEST_KILLED = 5,	/* by the module */
	RF_EXIT_KILLED = 6,		/* by a person */
};

enum rf_verb {
	RF_VERB_HELP,
	RF_VERB_VERSION,
	RF_VERB_RUN,
	RF_VERB_INSPECT,
	RF_VERB_DOCTOR,
	RF_VERB_LIST,
	RF_VERB_INFO,
	RF_VERB_CONSOLE,
	RF_VERB_PAUSE,
	RF_VERB_RESUME,
	RF_VERB_STOP,
	RF_VERB_REBOOT,
	RF_VERB_KILL,
	RF_VERB_STATS,
	RF_VERB_DISKS,
	RF_VERB_ATTACH_DISK,
	RF_VERB_DETACH_DISK,
	RF_VERB_BALLOON,
	RF_VERB_VCPUS,
};

enum rf_console_mode {
	RF_CONSOLE_STDIO,
	RF_CONSOLE_SOCKET,
	RF_CONSOLE_NONE,
	RF_CONSOLE_FILE,
	RF_CONSOLE_UNSAID,		/* while options are read */
};

enum rf_serial_mode {
	RF_SERIAL_NONE,
	RF_SERIAL_STDIO,
	RF_SERIAL_SOCKET,
	RF_SERIAL_FILE,
};

#define RF_MAX_ATA	2

/* An emulated disk. */
struct rf_ata_config {
	const char *path;
	bool read_only;
};

/**
 * struct rf_config - one invocation
 * @verb: What to do
 * @name: Of the VM, or NULL
 * @json: Print JSON
 * @run_dir: Where control sockets are, or NULL for the usual place
 * @kernel: run, inspect: path of the kernel
 * @initrd: run: path of the initrd, or NULL
 * @cmdline: run: kernel command line
 * @memory: run: bytes, a multiple of 4096
 * @nr_vcpus: run
 * @console: run: where the console goes
 * @console_path: run: for RF_CONSOLE_FILE
 * @serial: run: where the emulated serial port goes
 * @serial_path: run: for RF_SERIAL_FILE and RF_SERIAL_SOCKET
 * @ata: run: files of emulated disks
 * @nr_ata: run: how many
 * @cdrom: run: file of the emulated CD-ROM, or NULL
 * @no_reboot: run: a reboot ends the run
 * @seccomp: run: confine the process after set-up
 * @user: run: whom to become after set-up, or NULL
 * @timeout: stop, reboot, detach-disk, balloon, vcpus: seconds to wait
 * @force: stop: end the guest if it does not do so by then; detach-disk: at once
 * @disks: run: what it has
 * @nr_disks: run: how many
 * @nets: run: its network devices
 * @nr_nets: run: how many
 * @disk: attach-disk: what --disk takes; detach-disk: slot or serial number
 * @balloon_auto: run: size it by the host's need
 * @balloon_min: run: what the guest keeps then in any case, bytes
 * @balloon_size: balloon: what it is to keep, bytes; 0: only look
 * @vcpus_online: vcpus: how many are to be up; 0: only look
 * @extract: inspect: where to put the unpacked kernel, or NULL
 */
struct rf_config {
	enum rf_verb verb;
	const char *name;
	bool json;
	const char *run_dir;
	const char *kernel;
	const char *initrd;
	const char *cmdline;
	uint64_t memory;
	unsigned int nr_vcpus;
	enum rf_console_mode console;
	const char *console_path;
	enum rf_serial_mode serial;
	const char *serial_path;
	struct rf_ata_config ata[RF_MAX_ATA];
	unsigned int nr_ata;
	const char *cdrom;
	bool no_reboot;
	bool seccomp;
	const char *user;
	unsigned int timeout;
	bool force;
	struct rf_disk_spec disks[RF_MAX_DISKS];
	unsigned int nr_disks;
	struct rf_net_spec nets[RF_MAX_NETS];
	unsigned int nr_nets;
	const char *disk;
	bool balloon_auto;
	uint64_t balloon_min;
	uint64_t balloon_size;
	unsigned int vcpus_online;
	const char *extract;
};

/* Read argv.  Strings stay argv's.  Return: 0, or -1 and what is wrong. */
int rf_config_parse(struct rf_config *config, int argc, char **argv,
		    struct rf_error *err);

/* "512M", "2G", "1048576K"; a bare number is MiB.  Return: 0 or -1. */
int rf_config_parse_size(const char *text, uint64_t *bytes);

/* Fit for a VM's name: letters, digits, "._-", not too long for a socket. */
bool rf_config_name_is_good(const char *name);

void rf_config_print_help(void);

#endif /* RF_CONFIG_H */
