// SPDX-License-Identifier: GPL-2.0
/*
 * launcher_confined_test.c - launcher_test.c again, with the system call
 * filter on and therefore without sanitizers
 *
 * Flags: -fno-sanitize=all
 * Sources: userland/config.c userland/run.c userland/vm.c userland/vcpu.c
 * Sources: userland/io.c userland/uart.c userland/serial.c userland/ata.c
 * Sources: userland/disk.c userland/atapi.c userland/media.c
 * Sources: userland/image.c userland/decompress.c
 * Sources: userland/start_info.c userland/console.c userland/console_ring.c
 * Sources: userland/tty.c userland/ctl.c userland/run_dir.c userland/report.c
 * Sources: userland/domain.c userland/store.c userland/store_tree.c
 * Sources: userland/store_ring.c userland/stop.c
 * Sources: userland/counters.c userland/sandbox.c userland/client.c
 * Sources: userland/disks.c userland/disk_spec.c userland/disk_client.c
 * Sources: userland/balloon.c userland/balloon_policy.c userland/balloon_client.c
 * Sources: userland/vcpus_client.c userland/nets.c userland/net_spec.c userland/link.c
 * Sources: userland/nbd.c userland/json.c userland/file.c userland/error.c
 * Libs: -lelf -llzma -lzstd -lz -llz4 -lbz2 -llzo2 -lcjson -lseccomp -lcap-ng
 * Libs: -lmnl -lm -lutil -pthread
 */
#define SECCOMP	"--seccomp=on"

#include "launcher_test.c"
