// SPDX-License-Identifier: GPL-2.0
/*
 * vector.c - x87, SSE and AVX registers between two runs of a vCPU
 *
 *	RF_VCPU_RUN begins:	vCPU's area --XRSTOR--> registers of the thread
 *	RF_VCPU_RUN ends:	vCPU's area <--XSAVE--- registers of the thread
 *
 * In between the registers are the thread's own user state, which the host saves
 * and loads with the thread.  The launcher is a program that uses them as well,
 * and any of its threads may be the next to run the vCPU.
 */
#include <linux/irqflags.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "../vcpu.h"
#include "priv.h"

/* As after a reset; with XSAVE, the header says the rest. */
enum vector_reset {
	RESET_CONTROL	= 0x37f,
	RESET_MXCSR	= 0x1f80,
	DEFAULT_MXCSR_MASK = 0xffbf,
};

int rf_vector_create(struct rf_vcpu *vcpu)
{
	struct fxregs_state *area;
	u32 mxcsr_mask;

	/* Its own page: XSAVE wants 64 bytes of alignment. */
	area = (void *)__get_free_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!area)
		return -ENOMEM;
	/* Only the CPU knows which bits MXCSR has. */
	asm volatile("fxsave64 %0" : "=m" (*area));
	mxcsr_mask = area->mxcsr_mask ?: DEFAULT_MXCSR_MASK;
	*area = (struct fxregs_state) {
		.cwd = RESET_CONTROL,
		.mxcsr = RESET_MXCSR,
		.mxcsr_mask = mxcsr_mask,
	};
	vcpu->emul.vector = area;
	return 0;
}

void rf_vector_destroy(struct rf_vcpu *vcpu)
{
	free_page((unsigned long)vcpu->emul.vector);
	vcpu->emul.vector = NULL;
}

/* What the registers hold now is to be the user's, and the thread's. */
static void own_registers(void)
{
	lockdep_assert_irqs_disabled();
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
}

/* The area is the kernel's own, and checked if it came from a launcher. */
void rf_vector_load(struct rf_vcpu *vcpu)
{
	struct xregs_state *area = vcpu->emul.vector;
	u32 states = rf_host_xcr0();

	local_irq_disable();
	own_registers();
	if (states)
		asm volatile("xrstor64 %0" : : "m" (*area), "a" (states), "d" (0) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m" (area->i387));
	local_irq_enable();
}

void rf_vector_save(struct rf_vcpu *vcpu)
{
	struct xregs_state *area = vcpu->emul.vector;
	u32 states = rf_host_xcr0();

	local_irq_disable();
	own_registers();
	if (states)
		asm volatile("xsave64 %0" : "+m" (*area) : "a" (states), "d" (0) : "memory");
	else
		asm volatile("fxsave64 %0" : "=m" (area->i387));
	local_irq_enable();
}
