/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ioctl.h - ioctl tables of the three kinds of fd
 */
#ifndef RF_IOCTL_H
#define RF_IOCTL_H

#include <linux/types.h>

enum rf_fd_kind { RF_FD_SYSTEM, RF_FD_VM, RF_FD_VCPU };

/**
 * rf_ioctl_dispatch() - Copy the argument in, call, copy it back
 * @kind: Whose table
 * @object: The VM, the vCPU, or NULL
 * @cmd: RF_*
 * @arg: User address of the struct
 *
 * Return: as "Form of every ioctl" in the uapi header says.
 */
long rf_ioctl_dispatch(enum rf_fd_kind kind, void *object, unsigned int cmd,
		       unsigned long arg);

#endif /* RF_IOCTL_H */
