/* SPDX-License-Identifier: GPL-2.0 */
/*
 * dev.h - /dev/ringfence and the descriptors made from it
 */
#ifndef RF_DEV_H
#define RF_DEV_H

struct rf_vm;
struct rf_vcpu;

int rf_dev_init(void);
void rf_dev_exit(void);

/* A new descriptor that owns one reference to the VM.  fd, or -Exx. */
int rf_dev_vm_fd(struct rf_vm *vm);
int rf_dev_vcpu_fd(struct rf_vcpu *vcpu);

#endif /* RF_DEV_H */
