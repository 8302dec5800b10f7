/* SPDX-License-Identifier: GPL-2.0 */
/* How the bus asks the hypervisor: uapi/ringfence_guest.h. */
#ifndef RF_BUS_HYPERCALL_H
#define RF_BUS_HYPERCALL_H

#include <linux/types.h>

#include "../../uapi/ringfence_guest.h"

/* Only for a PV guest: elsewhere it would be a system call from the kernel. */
long rf_raw_hypercall(unsigned long nr, unsigned long a1, unsigned long a2, unsigned long a3);

/* RF_GUEST_* with the address of its struct. */
static inline int rf_ask(unsigned long op, void *arg)
{
	return rf_raw_hypercall(RF_GUEST_HYPERCALL, op, (unsigned long)arg, 0);
}

/* RF_GUEST_* with one or two numbers. */
static inline int rf_tell(unsigned long op, u32 a1, u32 a2)
{
	return rf_raw_hypercall(RF_GUEST_HYPERCALL, op, a1, a2);
}

#endif /* RF_BUS_HYPERCALL_H */
