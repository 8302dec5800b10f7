// SPDX-License-Identifier: GPL-2.0
/*
 * evtchn.c - a VM's event channels: bind, send, mask, raise, close
 *
 * Ports are Xen's: a number, what it is bound to, and the vCPU that is told.
 * Where "pending" is written, and how the vCPU finds it, is the ABI the guest
 * chose: bits in shared_info (2-level, here) or linked words (fifo.c).
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/nospec.h>
#include <linux/slab.h>

#include "../trace.h"
#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"

/* A bound port, or NULL. */
static struct rf_port *port_lookup(struct rf_evtchns *evtchns, u32 index)
{
	struct rf_port *port;

	lockdep_assert_held(&evtchns->lock);

	if (index >= RF_MAX_PORTS)
		return NULL;

	port = &evtchns->ports[array_index_nospec(index, RF_MAX_PORTS)];
	return port->type == EVTCHNSTAT_closed ? NULL : port;
}

static u32 port_index(const struct rf_evtchns *evtchns, const struct rf_port *port)
{
	return port - evtchns->ports;
}

struct rf_vcpu *rf_evtchn_vcpu(struct rf_evtchns *evtchns, u32 id)
{
	if (id >= RF_MAX_VCPUS)
		return NULL;
	return evtchns->vcpus[array_index_nospec(id, RF_MAX_VCPUS)];
}

bool rf_virq_is_global(u32 virq)
{
	switch (virq) {
	case VIRQ_TIMER:
	case VIRQ_DEBUG:
	case VIRQ_XENOPROF:
	case VIRQ_XENPMU:
		return false;
	default:
		return true;
	}
}

/*
 * 2-level ABI.  The guest writes these words as well, and the order of the
 * steps is the protocol: see struct shared_info.
 */

static void two_level_tell(struct rf_vcpu *vcpu, u32 index)
{
	unsigned long *selector = (unsigned long *)&vcpu->event.info->evtchn_pending_sel;

	if (!test_and_set_bit(index / BITS_PER_LONG, selector))
		rf_upcall_raise(vcpu);
}

static void two_level_set_pending(struct rf_evtchns *evtchns, u32 index,
				  struct rf_vcpu *vcpu)
{
	struct shared_info *shared = evtchns->vm->shared;

	if (test_and_set_bit(index, (unsigned long *)shared->evtchn_pending))
		return;

	if (!test_bit(index, (unsigned long *)shared->evtchn_mask))
		two_level_tell(vcpu, index);
	rf_upcall_end_polls(evtchns, index);
}

static void two_level_unmask(struct rf_evtchns *evtchns, u32 index,
			     struct rf_vcpu *vcpu)
{
	struct shared_info *shared = evtchns->vm->shared;

	if (test_and_clear_bit(index, (unsigned long *)shared->evtchn_mask) &&
	    test_bit(index, (unsigned long *)shared->evtchn_pending))
		two_level_tell(vcpu, index);
}

/* Both ABIs. */

bool rf_port_is_pending(struct rf_evtchns *evtchns, u32 index)
{
	struct shared_info *shared = evtchns->vm->shared;

	lockdep_assert_held(&evtchns->lock);

	if (evtchns->fifo)
		return rf_fifo_is_pending(evtchns, index);
	return shared && test_bit(index, (unsigned long *)shared->evtchn_pending);
}

void rf_port_set_pending(struct rf_evtchns *evtchns, u32 index)
{
	struct rf_port *port = &evtchns->ports[index];
	struct rf_vcpu *vcpu = evtchns->vcpus[port->vcpu];

	lockdep_assert_held(&evtchns->lock);
	trace_rf_event_raise(evtchns->vm, index, port->vcpu);

	/* No time to show it to the guest: a vCPU that comes, or runs again, will. */
	if (unlikely(!vcpu || !evtchns->vm->shared || evtchns->frozen)) {
		port->pending = true;
		return;
	}

	if (evtchns->fifo)
		rf_fifo_set_pending(evtchns, index, vcpu);
	else
		two_level_set_pending(evtchns, index, vcpu);
}

static void port_clear_pending(struct rf_evtchns *evtchns, u32 index)
{
	struct shared_info *shared = evtchns->vm->shared;

	evtchns->ports[index].pending = false;
	/* The VM goes, and its memory goes on in another one. */
	if (evtchns->frozen)
		return;
	if (evtchns->fifo)
		rf_fifo_clear_pending(evtchns, index);
	else if (shared)
		clear_bit(index, (unsigned long *)shared->evtchn_pending);
}

static void port_unmask(struct rf_evtchns *evtchns, u32 index)
{
	struct rf_vcpu *vcpu = evtchns->vcpus[evtchns->ports[index].vcpu];

	if (!vcpu || !evtchns->vm->shared)
		return;
	if (evtchns->fifo)
		rf_fifo_unmask(evtchns, index, vcpu);
	else
		two_level_unmask(evtchns, index, vcpu);
}

/*
 * The lowest free port, as Xen gives them out.  One that is still on a queue is
 * not free: its next event would be found at the place of the last.
 */
static struct rf_port *port_alloc(struct rf_evtchns *evtchns, u8 type, u8 vcpu)
{
	struct rf_port *port;
	u32 index = 0;

	lockdep_assert_held(&evtchns->lock);

	do {
		index = find_next_zero_bit(evtchns->used, RF_MAX_PORTS, index + 1);
		if (index >= RF_MAX_PORTS)
			return NULL;
	} while (evtchns->fifo && rf_fifo_is_busy(evtchns, index));

	__set_bit(index, evtchns->used);
	port = &evtchns->ports[index];
	port->type = type;
	port->vcpu = vcpu;
	port->priority = EVTCHN_FIFO_PRIORITY_DEFAULT;
	port->pending = false;
	return port;
}

static void port_free(struct rf_evtchns *evtchns, struct rf_port *port)
{
	u32 index = port_index(evtchns, port);

	port_clear_pending(evtchns, index);
	port->type = EVTCHNSTAT_closed;
	port->vcpu = 0;
	port->eventfd = NULL;
	__clear_bit(index, evtchns->used);
}

/* Raising, from any context. */

void rf_evtchn_raise(struct rf_vm *vm, u32 index)
{
	struct rf_evtchns *evtchns = vm->evtchns;
	struct rf_port *port;
	unsigned long flags;

	spin_lock_irqsave(&evtchns->lock, flags);
	port = port_lookup(evtchns, index);
	if (port)
		rf_port_set_pending(evtchns, port_index(evtchns, port));
	spin_unlock_irqrestore(&evtchns->lock, flags);
}

void rf_evtchn_raise_virq(struct rf_vcpu *vcpu, u32 virq)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	unsigned long flags;
	u32 index;

	if (WARN_ON_ONCE(virq >= NR_VIRQS))
		return;

	spin_lock_irqsave(&evtchns->lock, flags);
	index = vcpu->event.virq_port[virq];
	if (index)
		rf_port_set_pending(evtchns, index);
	spin_unlock_irqrestore(&evtchns->lock, flags);
}

/* Binding. */

int rf_port_bind_launcher(struct rf_evtchns *evtchns, struct rf_eventfd *eventfd,
			  domid_t remote_domid)
{
	struct rf_port *port;

	lockdep_assert_held(&evtchns->lock);

	port = port_alloc(evtchns, EVTCHNSTAT_interdomain, 0);
	if (!port)
		return -ENOSPC;

	port->remote_domid = remote_domid;
	port->eventfd = eventfd;
	return port_index(evtchns, port);
}

int rf_evtchn_bind_device(struct rf_vm *vm)
{
	int port;

	spin_lock_irq(&vm->evtchns->lock);
	port = rf_port_bind_launcher(vm->evtchns, NULL, 0);
	spin_unlock_irq(&vm->evtchns->lock);
	return port;
}

bool rf_evtchn_is_device(struct rf_vm *vm, u32 index)
{
	const struct rf_port *port;
	bool is_device;

	spin_lock_irq(&vm->evtchns->lock);
	port = port_lookup(vm->evtchns, index);
	is_device = port && port->type == EVTCHNSTAT_interdomain &&
		    port->remote_domid != DOMID_SELF && !port->eventfd;
	spin_unlock_irq(&vm->evtchns->lock);
	return is_device;
}

/* One that was loaded, and whose eventfds the launcher has yet to give. */
int rf_port_rebind_launcher(struct rf_evtchns *evtchns, struct rf_eventfd *eventfd,
			    domid_t remote_domid, u32 index)
{
	struct rf_port *port = port_lookup(evtchns, index);

	if (!port || port->type != EVTCHNSTAT_interdomain ||
	    port->remote_domid == DOMID_SELF || port->remote_domid != remote_domid ||
	    port->eventfd)
		return -EINVAL;

	port->eventfd = eventfd;
	return port_index(evtchns, port);
}

static long evtchn_alloc_unbound(struct rf_evtchns *evtchns,
				 struct evtchn_alloc_unbound *op)
{
	struct rf_port *port;

	if (op->dom != DOMID_SELF)
		return -EPERM;
	if (op->remote_dom != DOMID_SELF && op->remote_dom >= DOMID_FIRST_RESERVED)
		return -ESRCH;

	port = port_alloc(evtchns, EVTCHNSTAT_unbound, 0);
	if (!port)
		return -ENOSPC;

	port->remote_domid = op->remote_dom;
	op->port = port_index(evtchns, port);
	return 0;
}

/* Only the guest itself listens on ports the guest can name. */
static long evtchn_bind_interdomain(struct rf_evtchns *evtchns,
				    struct evtchn_bind_interdomain *op)
{
	struct rf_port *local, *remote;

	if (op->remote_dom != DOMID_SELF)
		return -ESRCH;

	remote = port_lookup(evtchns, op->remote_port);
	if (!remote || remote->type != EVTCHNSTAT_unbound ||
	    remote->remote_domid != DOMID_SELF)
		return -EINVAL;

	local = port_alloc(evtchns, EVTCHNSTAT_interdomain, 0);
	if (!local)
		return -ENOSPC;

	local->remote_domid = DOMID_SELF;
	local->remote_port = port_index(evtchns, remote);
	remote->type = EVTCHNSTAT_interdomain;
	remote->remote_port = port_index(evtchns, local);
	op->local_port = port_index(evtchns, local);

	/* Events sent while the other end was unbound were dropped. */
	rf_port_set_pending(evtchns, op->local_port);
	return 0;
}

static long evtchn_bind_virq(struct rf_evtchns *evtchns, struct evtchn_bind_virq *op)
{
	struct rf_vcpu *vcpu;
	struct rf_port *port;
	u32 virq;

	if (op->virq >= NR_VIRQS)
		return -EINVAL;
	virq = array_index_nospec(op->virq, NR_VIRQS);
	if (rf_virq_is_global(virq) && op->vcpu)
		return -EINVAL;

	vcpu = rf_evtchn_vcpu(evtchns, op->vcpu);
	if (!vcpu)
		return -ENOENT;
	if (vcpu->event.virq_port[virq])
		return -EEXIST;

	port = port_alloc(evtchns, EVTCHNSTAT_virq, vcpu->id);
	if (!port)
		return -ENOSPC;

	port->virq = virq;
	op->port = port_index(evtchns, port);
	vcpu->event.virq_port[virq] = op->port;
	return 0;
}

static long evtchn_bind_ipi(struct rf_evtchns *evtchns, struct evtchn_bind_ipi *op)
{
	struct rf_vcpu *vcpu = rf_evtchn_vcpu(evtchns, op->vcpu);
	struct rf_port *port;

	if (!vcpu)
		return -ENOENT;

	port = port_alloc(evtchns, EVTCHNSTAT_ipi, vcpu->id);
	if (!port)
		return -ENOSPC;

	op->port = port_index(evtchns, port);
	return 0;
}

static long evtchn_bind_vcpu(struct rf_evtchns *evtchns,
			     const struct evtchn_bind_vcpu *op)
{
	struct rf_vcpu *vcpu = rf_evtchn_vcpu(evtchns, op->vcpu);
	struct rf_port *port;

	if (!vcpu)
		return -ENOENT;

	port = port_lookup(evtchns, op->port);
	if (!port)
		return -EINVAL;

	switch (port->type) {
	case EVTCHNSTAT_virq:
		if (!rf_virq_is_global(port->virq))
			return -EINVAL;
		break;
	case EVTCHNSTAT_unbound:
	case EVTCHNSTAT_interdomain:
		break;
	default:
		return -EINVAL;
	}

	port->vcpu = vcpu->id;
	return 0;
}

/* Using. */

static long evtchn_status(struct rf_evtchns *evtchns, struct evtchn_status *op)
{
	struct rf_port *port;

	if (op->dom != DOMID_SELF)
		return -EPERM;
	if (op->port >= RF_MAX_PORTS)
		return -EINVAL;

	memset(&op->u, 0, sizeof(op->u));
	op->vcpu = 0;
	op->status = EVTCHNSTAT_closed;

	port = port_lookup(evtchns, op->port);
	if (!port)
		return 0;

	op->status = port->type;
	op->vcpu = port->vcpu;
	switch (port->type) {
	case EVTCHNSTAT_unbound:
		op->u.unbound.dom = port->remote_domid;
		break;
	case EVTCHNSTAT_interdomain:
		op->u.interdomain.dom = port->remote_domid;
		if (port->remote_domid == DOMID_SELF)
			op->u.interdomain.port = port->remote_port;
		break;
	case EVTCHNSTAT_virq:
		op->u.virq = port->virq;
		break;
	}
	return 0;
}

static long evtchn_set_priority(struct rf_evtchns *evtchns,
				const struct evtchn_set_priority *op)
{
	struct rf_port *port;

	if (!evtchns->fifo)
		return -ENOSYS;

	port = port_lookup(evtchns, op->port);
	if (!port || op->priority > EVTCHN_FIFO_PRIORITY_MIN)
		return -EINVAL;

	/* One that is on a queue stays there until the guest takes it off. */
	port->priority = array_index_nospec(op->priority, EVTCHN_FIFO_MAX_QUEUES);
	return 0;
}

static long evtchn_unmask(struct rf_evtchns *evtchns, const struct evtchn_unmask *op)
{
	if (op->port >= RF_MAX_PORTS)
		return -EINVAL;

	port_unmask(evtchns, array_index_nospec(op->port, RF_MAX_PORTS));
	return 0;
}

static long evtchn_send(struct rf_evtchns *evtchns, const struct evtchn_send *op)
{
	struct rf_eventfd *eventfd = NULL;
	struct rf_port *port;
	unsigned long flags;
	long ret = 0;

	spin_lock_irqsave(&evtchns->lock, flags);
	port = port_lookup(evtchns, op->port);
	switch (port ? port->type : EVTCHNSTAT_closed) {
	case EVTCHNSTAT_ipi:
		rf_port_set_pending(evtchns, port_index(evtchns, port));
		break;
	case EVTCHNSTAT_interdomain:
		if (port->remote_domid == DOMID_SELF)
			rf_port_set_pending(evtchns, port->remote_port);
		else if (port->eventfd)
			eventfd = rf_eventfd_get(port->eventfd);
		break;
	case EVTCHNSTAT_unbound:
		/* Nobody listens, and the ABI says that is not an error. */
		break;
	default:
		ret = -EINVAL;
	}
	spin_unlock_irqrestore(&evtchns->lock, flags);

	/*
	 * Signal with the ports unlocked: the launcher may have given one
	 * eventfd for both directions, and then this raises a port.
	 */
	if (eventfd) {
		rf_eventfd_send(eventfd);
		rf_eventfd_put(eventfd);
	}
	return ret;
}

static void port_unbind_virq(struct rf_evtchns *evtchns, struct rf_port *port)
{
	u32 owner = rf_virq_is_global(port->virq) ? 0 : port->vcpu;
	struct rf_vcpu *vcpu = evtchns->vcpus[owner];

	if (vcpu)
		vcpu->event.virq_port[port->virq] = 0;
}

static long evtchn_close(struct rf_evtchns *evtchns, u32 index)
{
	struct rf_eventfd *eventfd = NULL;
	struct rf_port *port;
	unsigned long flags;

	spin_lock_irqsave(&evtchns->lock, flags);
	port = port_lookup(evtchns, index);
	if (!port) {
		spin_unlock_irqrestore(&evtchns->lock, flags);
		return -EINVAL;
	}

	switch (port->type) {
	case EVTCHNSTAT_virq:
		port_unbind_virq(evtchns, port);
		break;
	case EVTCHNSTAT_interdomain:
		if (port->remote_domid == DOMID_SELF)
			evtchns->ports[port->remote_port].type = EVTCHNSTAT_unbound;
		else
			eventfd = port->eventfd;
		break;
	}
	port_free(evtchns, port);
	spin_unlock_irqrestore(&evtchns->lock, flags);

	if (eventfd)
		rf_eventfd_destroy(eventfd);
	return 0;
}

static void evtchn_close_all(struct rf_evtchns *evtchns)
{
	u32 index;

	for_each_set_bit(index, evtchns->used, RF_MAX_PORTS)
		evtchn_close(evtchns, index);
}

static long evtchn_reset(struct rf_evtchns *evtchns, const struct evtchn_reset *op)
{
	if (op->dom != DOMID_SELF)
		return -EPERM;

	evtchn_close_all(evtchns);
	/* Back to the 2-level ABI. */
	rf_fifo_destroy(evtchns);
	return 0;
}

/* Commands that need no more than the ports, locked. */
static long evtchn_op_locked(struct rf_evtchns *evtchns, int cmd, void *op)
{
	switch (cmd) {
	case EVTCHNOP_alloc_unbound:
		return evtchn_alloc_unbound(evtchns, op);
	case EVTCHNOP_bind_interdomain:
		return evtchn_bind_interdomain(evtchns, op);
	case EVTCHNOP_bind_virq:
		return evtchn_bind_virq(evtchns, op);
	case EVTCHNOP_bind_ipi:
		return evtchn_bind_ipi(evtchns, op);
	case EVTCHNOP_bind_vcpu:
		return evtchn_bind_vcpu(evtchns, op);
	case EVTCHNOP_status:
		return evtchn_status(evtchns, op);
	case EVTCHNOP_unmask:
		return evtchn_unmask(evtchns, op);
	case EVTCHNOP_set_priority:
		return evtchn_set_priority(evtchns, op);
	default:
		return -ENOSYS;
	}
}

long rf_evtchn_op(struct rf_vcpu *vcpu, int cmd, void *op)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	struct evtchn_close *close = op;
	unsigned long flags;
	long ret;

	switch (cmd) {
	case EVTCHNOP_send:
		return evtchn_send(evtchns, op);
	case EVTCHNOP_close:
		return evtchn_close(evtchns, close->port);
	case EVTCHNOP_reset:
		return evtchn_reset(evtchns, op);
	case EVTCHNOP_init_control:
		return rf_fifo_init_control(evtchns, op);
	case EVTCHNOP_expand_array:
		return rf_fifo_expand_array(evtchns, op);
	case EVTCHNOP_bind_pirq:
		return -EPERM;
	}

	spin_lock_irqsave(&evtchns->lock, flags);
	ret = evtchn_op_locked(evtchns, cmd, op);
	spin_unlock_irqrestore(&evtchns->lock, flags);
	return ret;
}

/* Life. */

void rf_evtchn_vcpu_init(struct rf_vcpu *vcpu)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	unsigned long flags;
	u32 index;

	spin_lock_irqsave(&evtchns->lock, flags);
	evtchns->vcpus[vcpu->id] = vcpu;

	/* Show it what was raised before it came. */
	for_each_set_bit(index, evtchns->used, RF_MAX_PORTS) {
		struct rf_port *port = &evtchns->ports[index];

		if (port->vcpu != vcpu->id || !port->pending)
			continue;
		port->pending = false;
		rf_port_set_pending(evtchns, index);
	}
	spin_unlock_irqrestore(&evtchns->lock, flags);
}

void rf_evtchn_vcpu_exit(struct rf_vcpu *vcpu)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	unsigned long flags;

	spin_lock_irqsave(&evtchns->lock, flags);
	if (evtchns->vcpus[vcpu->id] == vcpu) {
		evtchns->vcpus[vcpu->id] = NULL;
		__clear_bit(vcpu->id, evtchns->pollers);
	}
	spin_unlock_irqrestore(&evtchns->lock, flags);
}

int rf_event_vm_init(struct rf_vm *vm)
{
	struct rf_evtchns *evtchns;
	int err = -ENOMEM;

	evtchns = kzalloc(sizeof(*evtchns), GFP_KERNEL_ACCOUNT);
	if (!evtchns)
		return -ENOMEM;

	evtchns->ports = kvcalloc(RF_MAX_PORTS, sizeof(*evtchns->ports),
				  GFP_KERNEL_ACCOUNT);
	if (!evtchns->ports)
		goto err_evtchns;

	evtchns->vm = vm;
	spin_lock_init(&evtchns->lock);
	__set_bit(0, evtchns->used);
	rf_timer_vm_init(evtchns);

	err = rf_clock_vm_init(evtchns);
	if (err)
		goto err_ports;

	vm->evtchns = evtchns;
	return 0;

err_ports:
	kvfree(evtchns->ports);
err_evtchns:
	kfree(evtchns);
	return err;
}

void rf_event_vm_exit(struct rf_vm *vm)
{
	struct rf_evtchns *evtchns = vm->evtchns;

	if (!evtchns)
		return;

	rf_timer_vm_exit(evtchns);
	rf_clock_vm_exit(evtchns);
	evtchn_close_all(evtchns);
	rf_fifo_destroy(evtchns);
	vm->evtchns = NULL;
	kvfree(evtchns->ports);
	kfree(evtchns);
}
