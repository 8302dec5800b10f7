/* SPDX-License-Identifier: GPL-2.0 */
/*
 * trap.h - why the guest came out: handle or bounce
 */
#ifndef RF_TRAP_H
#define RF_TRAP_H

struct rf_vcpu;

/* Serve one exit; interrupts on. */
void rf_trap(struct rf_vcpu *vcpu);

#endif /* RF_TRAP_H */
