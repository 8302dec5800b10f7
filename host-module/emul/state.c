// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - what the emulator saves: CPUID policy, kernel registers, vector state
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "../stream.h"
#include "../vcpu.h"
#include "../vm.h"
#include "priv.h"

#define MAX_INSN_LEN	15
#define MAX_IO_PORTS	65536

#define KNOWN_FLAGS	(RF_SAVED_TS | RF_SAVED_IO | RF_SAVED_STRING | RF_SAVED_REP | RF_SAVED_OUTS)

/* Of rf_saved_emul, what there was from the beginning. */
#define FIRST_EMUL_SIZE	offsetofend(struct rf_saved_emul, nr_io_ports)

/*
 * The policy
 */

int rf_cpuid_save(struct rf_vm *vm, struct rf_stream *stream)
{
	const struct rf_cpuid_policy *policy = &vm->cpuid;
	size_t size = struct_size_t(struct rf_saved_cpuid, entries, policy->nr);
	struct rf_saved_cpuid *saved;

	saved = kzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	saved->nr_entries = policy->nr;
	memcpy(saved->entries, policy->entries, policy->nr * sizeof(policy->entries[0]));
	rf_stream_write(stream, RF_SAVED_CPUID, saved, size);
	kfree(saved);
	return 0;
}

static int policy_use(struct rf_vm *vm, const struct rf_saved_cpuid *saved)
{
	struct rf_cpuid_policy *policies;	/* the saved one, and the host's */
	int err;

	if (saved->head.size != struct_size(saved, entries, saved->nr_entries))
		return -EINVAL;
	policies = kcalloc(2, sizeof(*policies), GFP_KERNEL_ACCOUNT);
	if (!policies)
		return -ENOMEM;

	policies[0].nr = saved->nr_entries;
	memcpy(policies[0].entries, saved->entries,
	       saved->nr_entries * sizeof(saved->entries[0]));
	err = rf_cpuid_host_policy(&policies[1]);
	if (!err)
		err = rf_cpuid_check(&policies[0], &policies[1]);
	if (!err)
		vm->cpuid = policies[0];
	kfree(policies);
	return err;
}

int rf_cpuid_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_cpuid *saved;
	int err;

	saved = rf_stream_read_array(stream, RF_SAVED_CPUID, sizeof(*saved),
				     struct_size_t(struct rf_saved_cpuid, entries,
						   RF_MAX_CPUID_ENTRIES));
	if (IS_ERR(saved))
		return PTR_ERR(saved);
	err = saved->nr_entries > RF_MAX_CPUID_ENTRIES ? -EINVAL : policy_use(vm, saved);
	kvfree(saved);
	return err;
}

/*
 * Registers
 */

static void string_save(const struct rf_string *string, struct rf_saved_emul *saved)
{
	if (!string->len)
		return;
	saved->flags |= RF_SAVED_STRING | (string->rep ? RF_SAVED_REP : 0) |
			(string->write ? RF_SAVED_OUTS : 0);
	saved->string_gva = string->gva;
	saved->string_len = string->len;
	saved->string_addr_size = string->addr_size;
}

/* It is only an address and a length: what is wrong with them is the guest's. */
static bool string_ok(const struct rf_saved_emul *saved)
{
	u8 size = saved->string_addr_size;

	if (!(saved->flags & RF_SAVED_STRING))
		return !(saved->flags & (RF_SAVED_REP | RF_SAVED_OUTS)) &&
		       !saved->string_gva && !saved->string_len && !size;
	return (saved->flags & RF_SAVED_IO) && saved->io_size && saved->string_len &&
	       saved->string_len <= RF_RUN_DATA && !(saved->string_len % saved->io_size) &&
	       (size == 2 || size == 4 || size == 8) && rf_canonical(saved->string_gva);
}

static void string_load(struct rf_string *string, const struct rf_saved_emul *saved)
{
	*string = (struct rf_string) {
		.gva = saved->string_gva,
		.len = saved->string_len,
		.addr_size = saved->string_addr_size,
		.rep = saved->flags & RF_SAVED_REP,
		.write = saved->flags & RF_SAVED_OUTS,
	};
}

static void registers_save(const struct rf_vcpu_emul *emul, struct rf_stream *stream)
{
	struct rf_saved_emul saved = {
		.flags = (emul->ts ? RF_SAVED_TS : 0) | (emul->io_pending ? RF_SAVED_IO : 0),
		.iopl = emul->iopl,
		.cr4 = emul->cr4,
		.xcr0 = emul->xcr0,
		.iobitmap = emul->iobitmap_gva,
		.nr_io_ports = emul->nr_io_ports,
	};

	if (emul->io_pending) {
		saved.io_size = emul->io_size;
		saved.io_len = emul->io_len;
		string_save(&emul->string, &saved);
	}
	memcpy(saved.dr, emul->dr, sizeof(saved.dr));
	rf_stream_write(stream, RF_SAVED_EMUL, &saved, sizeof(saved));
}

static bool io_ok(const struct rf_saved_emul *saved)
{
	if (!(saved->flags & RF_SAVED_IO))
		return !saved->io_size && !saved->io_len;
	return (!saved->io_size || saved->io_size == 1 || saved->io_size == 2 ||
		saved->io_size == 4) && saved->io_len && saved->io_len <= MAX_INSN_LEN;
}

/* Each as the guest would set it; DR7 last, for it says what the others mean. */
static bool debug_registers_set(struct rf_vcpu *vcpu, const u64 *dr)
{
	static const int regs[] = { 0, 1, 2, 3, 6, 7 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(regs); i++)
		if (rf_debugreg_set(vcpu, regs[i], dr[regs[i]]))
			return false;
	return !dr[4] && !dr[5];
}

static int registers_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_vcpu_emul *emul = &vcpu->emul;
	struct rf_saved_emul saved;
	int err;

	err = rf_stream_read(stream, RF_SAVED_EMUL, &saved, FIRST_EMUL_SIZE, sizeof(saved));
	if (err)
		return err;
	if ((saved.flags & ~KNOWN_FLAGS) || saved.reserved || saved.iopl > 3 ||
	    saved.nr_io_ports > MAX_IO_PORTS || memchr_inv(saved.pad, 0, sizeof(saved.pad)) ||
	    !io_ok(&saved) || !string_ok(&saved))
		return -EINVAL;
	/* A bit that has no effect is dropped, so that it never was there. */
	if (!rf_cr4_write(vcpu, saved.cr4) || emul->cr4 != saved.cr4)
		return -EINVAL;
	/* Without XSAVE there is nobody to change it. */
	if (saved.xcr0 != 1 && !rf_xcr0_ok(vcpu->vm, saved.xcr0))
		return -EINVAL;
	if (!debug_registers_set(vcpu, saved.dr))
		return -EINVAL;

	emul->xcr0 = saved.xcr0;
	emul->ts = saved.flags & RF_SAVED_TS;
	emul->iopl = saved.iopl;
	emul->iobitmap_gva = saved.iobitmap;
	emul->nr_io_ports = saved.nr_io_ports;
	emul->io_pending = saved.flags & RF_SAVED_IO;
	emul->io_size = saved.io_size;
	emul->io_len = saved.io_len;
	string_load(&emul->string, &saved);
	return 0;
}

/*
 * Vector registers
 */

/* The guest's, which the rest of the area may have been before. */
static u32 vector_states(const struct rf_vm *vm)
{
	return rf_host_xcr0() & (rf_cpuid_xcr0(vm) | XFEATURE_MASK_FPSSE);
}

static int vector_save(const struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_saved_vector *saved;
	struct xregs_state *area;

	BUILD_BUG_ON(sizeof(saved->area) != PAGE_SIZE);

	saved = kmalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	area = (void *)saved->area;
	memcpy(area, vcpu->emul.vector, PAGE_SIZE);
	saved->states = vector_states(vcpu->vm);
	saved->len = saved->states ? PAGE_SIZE : sizeof(area->i387);
	if (saved->states)
		area->header.xfeatures &= saved->states;
	else
		memset(saved->area + sizeof(area->i387), 0, PAGE_SIZE - sizeof(area->i387));
	rf_stream_write(stream, RF_SAVED_VECTOR, saved, sizeof(*saved));
	kfree(saved);
	return 0;
}

/* Nothing that XRSTOR or FXRSTOR would refuse. */
static bool vector_ok(const struct rf_vcpu *vcpu, const struct rf_saved_vector *saved)
{
	const struct xregs_state *area = (const void *)saved->area;
	const struct xregs_state *own = vcpu->emul.vector;
	u32 states = vector_states(vcpu->vm);

	if (area->i387.mxcsr & ~own->i387.mxcsr_mask)
		return false;
	if (!states)
		return !saved->states && saved->len == sizeof(area->i387);
	return saved->states && !(saved->states & ~states) && saved->len == PAGE_SIZE &&
	       !(area->header.xfeatures & ~(u64)saved->states) &&
	       !area->header.xcomp_bv &&
	       !memchr_inv(area->header.reserved, 0, sizeof(area->header.reserved));
}

static int vector_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_saved_vector *saved;
	int err;

	saved = kmalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	err = rf_stream_read(stream, RF_SAVED_VECTOR, saved, sizeof(*saved), sizeof(*saved));
	if (!err && !vector_ok(vcpu, saved))
		err = -EINVAL;
	if (!err)
		memcpy(vcpu->emul.vector, saved->area, saved->len);
	kfree(saved);
	return err;
}

int rf_emul_save(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	registers_save(&vcpu->emul, stream);
	return vector_save(vcpu, stream);
}

int rf_emul_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	int err = registers_load(vcpu, stream);

	return err ?: vector_load(vcpu, stream);
}
