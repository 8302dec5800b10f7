// SPDX-License-Identifier: GPL-2.0
/*
 * evtchn.c - event_channel_op
 */
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "../event/event.h"
#include "../guestmem.h"
#include "hypercall.h"

union evtchn_arg {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_pirq bind_pirq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
	struct evtchn_init_control init_control;
	struct evtchn_expand_array expand_array;
	struct evtchn_set_priority set_priority;
};

struct evtchn_command {
	u8 len;
	bool out;	/* has OUT fields */
};

#define COMMAND(_name, _out) \
	[EVTCHNOP_##_name] = { sizeof(struct evtchn_##_name), _out }

static const struct evtchn_command commands[] = {
	COMMAND(bind_interdomain, true),
	COMMAND(bind_virq, true),
	COMMAND(bind_pirq, true),
	COMMAND(close, false),
	COMMAND(send, false),
	COMMAND(status, true),
	COMMAND(alloc_unbound, true),
	COMMAND(bind_ipi, true),
	COMMAND(bind_vcpu, false),
	COMMAND(unmask, false),
	COMMAND(reset, false),
	COMMAND(init_control, true),
	COMMAND(expand_array, false),
	COMMAND(set_priority, false),
};

long rf_hypercall_event_channel_op(struct rf_vcpu *vcpu,
				   const struct rf_hypercall_args *args)
{
	const struct evtchn_command *command;
	u64 gva = args->arg[1];
	union evtchn_arg op;
	u32 cmd = args->arg[0];
	long ret;

	if (cmd >= ARRAY_SIZE(commands))
		return -ENOSYS;

	command = &commands[array_index_nospec(cmd, ARRAY_SIZE(commands))];
	if (rf_guest_read(vcpu, &op, gva, command->len))
		return -EFAULT;

	ret = rf_evtchn_op(vcpu, cmd, &op);
	if (!ret && command->out && rf_guest_write(vcpu, gva, &op, command->len))
		return -EFAULT;
	return ret;
}
