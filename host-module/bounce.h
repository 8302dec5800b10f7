/* SPDX-License-Identifier: GPL-2.0 */
/*
 * bounce.h - build a trap, syscall or event frame on the guest kernel's stack
 */
#ifndef RF_BOUNCE_H
#define RF_BOUNCE_H

#include <linux/types.h>

struct rf_vcpu;

#define RF_NO_ERROR_CODE	(-1)

/**
 * rf_bounce_trap() - Give the guest kernel a trap, as the hardware would
 * @vcpu: The caller's own vCPU
 * @vector: 0 to 31 for a trap, any for INT n
 * @error: Error code, or RF_NO_ERROR_CODE
 *
 * A vector the guest kernel has no handler for, or a stack that cannot take
 * the frame, is the failsafe callback's or, failing that, the end of the VM.
 */
void rf_bounce_trap(struct rf_vcpu *vcpu, int vector, s64 error);

/* #PF: CR2 and error code as the guest kernel would see them on hardware. */
void rf_bounce_page_fault(struct rf_vcpu *vcpu, u64 gva, u32 error);

/* #GP(0) and friends, for emulation. */
static inline void rf_bounce_gp(struct rf_vcpu *vcpu, u32 error)
{
	rf_bounce_trap(vcpu, 13, error);
}

/**
 * rf_bounce_callback() - Enter the guest kernel at a registered callback
 * @vcpu: The caller's own vCPU
 * @type: CALLBACKTYPE_* of xen/interface/callback.h
 *
 * Return: false if the guest registered none.
 */
bool rf_bounce_callback(struct rf_vcpu *vcpu, int type);

/* An entry faulted: the guest kernel made a frame that does not load. */
void rf_bounce_bad_iret(struct rf_vcpu *vcpu);

/* Leave the guest kernel: HYPERVISOR_iret, the slow path. */
void rf_bounce_iret(struct rf_vcpu *vcpu);

/* Enter guest kernel or guest user: base of %gs, root. */
void rf_vcpu_set_mode(struct rf_vcpu *vcpu, bool kernel);

#endif /* RF_BOUNCE_H */
