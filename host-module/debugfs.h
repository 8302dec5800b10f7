/* SPDX-License-Identifier: GPL-2.0 */
/*
 * debugfs.h - /sys/kernel/debug/ringfence: counters and "why did it die"
 */
#ifndef RF_DEBUGFS_H
#define RF_DEBUGFS_H

struct rf_vm;

void rf_debugfs_init(void);
void rf_debugfs_exit(void);
void rf_debugfs_add(struct rf_vm *vm);
void rf_debugfs_remove(struct rf_vm *vm);

#endif /* RF_DEBUGFS_H */
