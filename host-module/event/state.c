// SPDX-License-Identifier: GPL-2.0
/*
 * state.c - what the event room saves: ports, timers, time, where vcpu_info is
 *
 *	save: freeze, timers, ports	a timer that fires in between is seen
 *	load: ports, timers, thaw	twice, and never not at all
 *
 * Pending and mask bits, and the links of the FIFO ABI, are in guest memory.
 * While frozen nothing is written there: a port remembers that it was raised.
 */
#include <linux/bitmap.h>
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/slab.h>

#include "../stream.h"
#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"

static_assert(RF_NR_WATCHDOGS == RF_SAVED_WATCHDOGS);

void rf_event_freeze(struct rf_vm *vm)
{
	struct rf_evtchns *evtchns = vm->evtchns;

	spin_lock_irq(&evtchns->lock);
	evtchns->frozen = true;
	spin_unlock_irq(&evtchns->lock);
}

void rf_event_thaw(struct rf_vm *vm)
{
	struct rf_evtchns *evtchns = vm->evtchns;
	u32 index;

	if (likely(!READ_ONCE(evtchns->frozen)))
		return;

	spin_lock_irq(&evtchns->lock);
	WRITE_ONCE(evtchns->frozen, false);
	for_each_set_bit(index, evtchns->used, RF_MAX_PORTS) {
		struct rf_port *port = &evtchns->ports[index];

		if (!port->pending)
			continue;
		port->pending = false;
		rf_port_set_pending(evtchns, index);
	}
	spin_unlock_irq(&evtchns->lock);
}

/*
 * A vCPU
 */

/* Guest time at which @timer is due; false if it is not armed. */
static bool timer_due(const struct rf_vm *vm, const struct hrtimer *timer, u64 *due)
{
	*due = 0;
	/* One whose handler runs is saved too: it has yet to raise its port. */
	if (!hrtimer_active(timer))
		return false;
	*due = ktime_to_ns(hrtimer_get_expires(timer)) - vm->clock_base_ns;
	return true;
}

static void timers_save(struct rf_vcpu *vcpu, struct rf_saved_time *saved)
{
	struct rf_vcpu_event *event = &vcpu->event;

	if (timer_due(vcpu->vm, &event->singleshot, &saved->singleshot))
		saved->flags |= RF_SAVED_SINGLESHOT;
	if (timer_due(vcpu->vm, &event->periodic, &saved->periodic)) {
		saved->flags |= RF_SAVED_PERIODIC;
		saved->period_ns = event->period_ns;
	}
	/* Before the poll's state: one that is not armed has ended the poll. */
	if (timer_due(vcpu->vm, &event->poll_timer, &saved->poll_timeout))
		saved->flags |= RF_SAVED_POLL_TIMER;
	smp_rmb();	/* timer, then state */
	saved->poll = READ_ONCE(event->poll);
	saved->poll_port = saved->poll ? event->poll_port : 0;
}

int rf_event_vcpu_save(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_vcpu_event *event = &vcpu->event;
	struct rf_saved_time saved = {
		.time_area = event->time_gva,
		.time_version = event->time_version,
		.runstate_area = event->runstate_gva,
	};

	BUILD_BUG_ON(ARRAY_SIZE(saved.runstate_ns) != ARRAY_SIZE(event->runstate.time));
	BUILD_BUG_ON((int)RF_POLL_WAITING != RF_SAVED_POLL_WAITING);
	BUILD_BUG_ON((int)RF_POLL_DONE != RF_SAVED_POLL_DONE);

	if (event->info_page) {
		saved.flags |= RF_SAVED_INFO;
		saved.info_pfn = event->info_gfn.v;
		saved.info_offset = offset_in_page(event->info);
	}
	spin_lock(&event->runstate_lock);
	saved.runstate = event->runstate.state;
	saved.runstate_since = event->runstate.state_entry_time;
	memcpy(saved.runstate_ns, event->runstate.time, sizeof(saved.runstate_ns));
	spin_unlock(&event->runstate_lock);
	timers_save(vcpu, &saved);
	rf_stream_write(stream, RF_SAVED_TIME, &saved, sizeof(saved));
	return 0;
}

static bool time_ok(const struct rf_saved_time *saved)
{
	const u32 flags = RF_SAVED_SINGLESHOT | RF_SAVED_PERIODIC | RF_SAVED_POLL_TIMER |
			  RF_SAVED_INFO;

	if ((saved->flags & RF_SAVED_PERIODIC) && !rf_timer_period_ok(saved->period_ns))
		return false;
	return !(saved->flags & ~flags) && !(saved->time_version & 1) &&
	       saved->runstate <= RUNSTATE_offline && saved->poll <= RF_SAVED_POLL_DONE &&
	       saved->poll_port < RF_MAX_PORTS;
}

static void runstate_load(struct rf_vcpu_event *event, const struct rf_saved_time *saved)
{
	spin_lock(&event->runstate_lock);
	event->runstate.state = saved->runstate;
	event->runstate.state_entry_time = saved->runstate_since;
	memcpy(event->runstate.time, saved->runstate_ns, sizeof(saved->runstate_ns));
	spin_unlock(&event->runstate_lock);
}

static void poll_load(struct rf_vcpu *vcpu, const struct rf_saved_time *saved)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;

	spin_lock_irq(&evtchns->lock);
	vcpu->event.poll = saved->poll;
	vcpu->event.poll_port = saved->poll_port;
	if (saved->poll == RF_SAVED_POLL_WAITING)
		__set_bit(vcpu->id, evtchns->pollers);
	spin_unlock_irq(&evtchns->lock);
}

/* Due at guest time @due, once timers_start() says so; 0 is not at all. */
static void timer_load(struct rf_vcpu *vcpu, struct hrtimer *timer, u64 due)
{
	hrtimer_set_expires(timer, max_t(ktime_t, rf_timer_expiry(vcpu->vm, due), 1));
}

static void timers_load(struct rf_vcpu *vcpu, const struct rf_saved_time *saved)
{
	struct rf_vcpu_event *event = &vcpu->event;

	if (saved->flags & RF_SAVED_SINGLESHOT)
		timer_load(vcpu, &event->singleshot, saved->singleshot);
	if (saved->flags & RF_SAVED_POLL_TIMER)
		timer_load(vcpu, &event->poll_timer, saved->poll_timeout);
	if (saved->flags & RF_SAVED_PERIODIC) {
		event->period_ns = saved->period_ns;
		timer_load(vcpu, &event->periodic, saved->periodic);
	}
}

static void timer_start(struct hrtimer *timer)
{
	if (hrtimer_get_expires(timer))
		hrtimer_start_expires(timer, HRTIMER_MODE_ABS);
}

/* There is a port now that they can raise; what is due already fires at once. */
static void timers_start(struct rf_vcpu *vcpu)
{
	timer_start(&vcpu->event.singleshot);
	timer_start(&vcpu->event.poll_timer);
	timer_start(&vcpu->event.periodic);
}

int rf_event_vcpu_load(struct rf_vcpu *vcpu, struct rf_stream *stream)
{
	struct rf_vcpu_event *event = &vcpu->event;
	struct rf_saved_time saved;
	int err;

	err = rf_stream_read(stream, RF_SAVED_TIME, &saved, sizeof(saved), sizeof(saved));
	if (err)
		return err;
	if (!time_ok(&saved))
		return -EINVAL;
	if (saved.flags & RF_SAVED_INFO) {
		err = rf_upcall_load_info(vcpu, saved.info_pfn, saved.info_offset);
		if (err)
			return err;
	}
	event->time_gva = saved.time_area;
	event->time_version = saved.time_version;
	event->runstate_gva = saved.runstate_area;
	runstate_load(event, &saved);
	poll_load(vcpu, &saved);
	timers_load(vcpu, &saved);
	return 0;
}

/*
 * shared_info
 */

static int shared_info_save(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_shared_info *saved;

	BUILD_BUG_ON(sizeof(saved->page) != PAGE_SIZE);

	saved = kmalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	memcpy(saved->page, vm->shared, PAGE_SIZE);
	rf_stream_write(stream, RF_SAVED_SHARED_INFO, saved, sizeof(*saved));
	kfree(saved);
	return 0;
}

/* All of it is the guest's to write: there is nothing to check. */
static int shared_info_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_saved_shared_info *saved;
	int err;

	saved = kmalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	err = rf_stream_read(stream, RF_SAVED_SHARED_INFO, saved, sizeof(*saved),
			     sizeof(*saved));
	if (!err)
		memcpy(vm->shared, saved->page, PAGE_SIZE);
	kfree(saved);
	return err;
}

/*
 * FIFO ABI
 */

static int fifo_save(struct rf_evtchns *evtchns, struct rf_stream *stream)
{
	struct rf_saved_fifo *saved;

	saved = kvzalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	spin_lock_irq(&evtchns->lock);
	rf_fifo_save(evtchns, saved);
	spin_unlock_irq(&evtchns->lock);
	rf_stream_write(stream, RF_SAVED_FIFO, saved, sizeof(*saved));
	kvfree(saved);
	return 0;
}

static int fifo_load(struct rf_evtchns *evtchns, struct rf_stream *stream)
{
	struct rf_saved_fifo *saved;
	int err;

	saved = kvmalloc(sizeof(*saved), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	err = rf_stream_read(stream, RF_SAVED_FIFO, saved, sizeof(*saved), sizeof(*saved));
	if (!err)
		err = rf_fifo_load(evtchns, saved);
	kvfree(saved);
	return err;
}

/*
 * Ports
 */

static void port_save(const struct rf_evtchns *evtchns, u32 index,
		      struct rf_saved_port *saved)
{
	const struct rf_port *port = &evtchns->ports[index];

	*saved = (struct rf_saved_port) {
		.port = index,
		.type = port->type,
		.vcpu_id = port->vcpu,
		.priority = port->priority,
		.flags = port->pending ? RF_SAVED_PENDING : 0,
		.remote_domid = port->remote_domid,
	};
	if (port->type == EVTCHNSTAT_virq)
		saved->target = port->virq;
	else if (port->type == EVTCHNSTAT_interdomain && port->remote_domid == DOMID_SELF)
		saved->target = port->remote_port;
	if (port->type == EVTCHNSTAT_virq || port->type == EVTCHNSTAT_ipi)
		saved->remote_domid = 0;
}

static void watchdogs_save(struct rf_evtchns *evtchns, u64 *due)
{
	int i;

	for (i = 0; i < RF_NR_WATCHDOGS; i++)
		timer_due(evtchns->vm, &evtchns->watchdogs[i].timer, &due[i]);
}

static int ports_save(struct rf_evtchns *evtchns, struct rf_stream *stream)
{
	struct rf_saved_ports *saved;
	u32 index;

	saved = kvzalloc(struct_size(saved, ports, RF_MAX_PORTS), GFP_KERNEL_ACCOUNT);
	if (!saved)
		return -ENOMEM;
	saved->wc_version = evtchns->vm->wc_version;
	watchdogs_save(evtchns, saved->watchdog);

	spin_lock_irq(&evtchns->lock);
	for_each_set_bit(index, evtchns->used, RF_MAX_PORTS)
		if (index)
			port_save(evtchns, index, &saved->ports[saved->nr_ports++]);
	spin_unlock_irq(&evtchns->lock);

	rf_stream_write(stream, RF_SAVED_PORTS, saved,
			struct_size(saved, ports, saved->nr_ports));
	kvfree(saved);
	return 0;
}

/* The record of @port, or NULL; they are in ascending order. */
static const struct rf_saved_port *find_port(const struct rf_saved_ports *saved, u32 port)
{
	u32 first = 0, end = saved->nr_ports;

	while (first < end) {
		u32 middle = first + (end - first) / 2;

		if (saved->ports[middle].port == port)
			return &saved->ports[middle];
		if (saved->ports[middle].port < port)
			first = middle + 1;
		else
			end = middle;
	}
	return NULL;
}

/* An end of a port to another of the guest's, which leads back. */
static bool pair_ok(const struct rf_saved_ports *saved, const struct rf_saved_port *port)
{
	const struct rf_saved_port *other = find_port(saved, port->target);

	return other && other != port && other->type == EVTCHNSTAT_interdomain &&
	       other->remote_domid == DOMID_SELF && other->target == port->port;
}

static bool virq_ok(struct rf_evtchns *evtchns, const struct rf_saved_ports *saved,
		    const struct rf_saved_port *port)
{
	const struct rf_saved_port *other;

	if (port->target >= NR_VIRQS ||
	    (rf_virq_is_global(port->target) && !rf_evtchn_vcpu(evtchns, 0)))
		return false;
	/* Each but once, a global one in all the VM. */
	for (other = saved->ports; other < port; other++)
		if (other->type == EVTCHNSTAT_virq && other->target == port->target &&
		    (rf_virq_is_global(port->target) || other->vcpu_id == port->vcpu_id))
			return false;
	return true;
}

static bool remote_ok(u32 domid)
{
	return domid == DOMID_SELF || domid < DOMID_FIRST_RESERVED;
}

static bool port_ok(struct rf_evtchns *evtchns, const struct rf_saved_ports *saved, u32 i)
{
	const struct rf_saved_port *port = &saved->ports[i];

	if (!port->port || port->port >= RF_MAX_PORTS ||
	    (i && port->port <= saved->ports[i - 1].port))
		return false;
	if (!rf_evtchn_vcpu(evtchns, port->vcpu_id) ||
	    port->priority > EVTCHN_FIFO_PRIORITY_MIN || (port->flags & ~RF_SAVED_PENDING))
		return false;

	switch (port->type) {
	case EVTCHNSTAT_unbound:
		return remote_ok(port->remote_domid);
	case EVTCHNSTAT_interdomain:
		return port->remote_domid == DOMID_SELF ? pair_ok(saved, port) :
							  remote_ok(port->remote_domid);
	case EVTCHNSTAT_virq:
		return virq_ok(evtchns, saved, port);
	case EVTCHNSTAT_ipi:
		return true;
	default:
		return false;
	}
}

static void port_load(struct rf_evtchns *evtchns, const struct rf_saved_port *saved)
{
	struct rf_port *port = &evtchns->ports[saved->port];
	u32 owner;

	__set_bit(saved->port, evtchns->used);
	port->type = saved->type;
	port->vcpu = saved->vcpu_id;
	port->priority = saved->priority;
	port->pending = saved->flags & RF_SAVED_PENDING;
	port->remote_domid = saved->remote_domid;

	switch (saved->type) {
	case EVTCHNSTAT_virq:
		owner = rf_virq_is_global(saved->target) ? 0 : saved->vcpu_id;
		port->virq = saved->target;
		evtchns->vcpus[owner]->event.virq_port[saved->target] = saved->port;
		break;
	case EVTCHNSTAT_interdomain:
		if (saved->remote_domid == DOMID_SELF) {
			port->remote_port = saved->target;
		} else {
			/* Until it is bound again; what it missed is not known. */
			port->eventfd = NULL;
			port->pending = true;
		}
		break;
	}
}

static int ports_use(struct rf_evtchns *evtchns, const struct rf_saved_ports *saved)
{
	int err = 0;
	u32 i;

	for (i = 0; i < saved->nr_ports; i++)
		if (!port_ok(evtchns, saved, i))
			return -EINVAL;

	spin_lock_irq(&evtchns->lock);
	/* The launcher binds its own when this is done. */
	if (bitmap_weight(evtchns->used, RF_MAX_PORTS) != 1)
		err = -EBUSY;
	for (i = 0; i < saved->nr_ports && !err; i++)
		port_load(evtchns, &saved->ports[i]);
	spin_unlock_irq(&evtchns->lock);
	return err;
}

static void watchdogs_load(struct rf_evtchns *evtchns, const u64 *due)
{
	int i;

	for (i = 0; i < RF_NR_WATCHDOGS; i++) {
		struct rf_watchdog *watchdog = &evtchns->watchdogs[i];

		if (!due[i])
			continue;
		watchdog->used = true;
		hrtimer_start(&watchdog->timer, rf_timer_expiry(evtchns->vm, due[i]),
			      HRTIMER_MODE_ABS);
	}
}

static int ports_load(struct rf_evtchns *evtchns, struct rf_stream *stream)
{
	struct rf_saved_ports *saved;
	int err = -EINVAL;

	saved = rf_stream_read_array(stream, RF_SAVED_PORTS, sizeof(*saved),
				     struct_size_t(struct rf_saved_ports, ports, RF_MAX_PORTS));
	if (IS_ERR(saved))
		return PTR_ERR(saved);
	if (saved->nr_ports < RF_MAX_PORTS && !(saved->wc_version & 1) &&
	    saved->head.size == struct_size(saved, ports, saved->nr_ports))
		err = ports_use(evtchns, saved);
	if (!err) {
		evtchns->vm->wc_version = saved->wc_version;
		watchdogs_load(evtchns, saved->watchdog);
	}
	kvfree(saved);
	return err;
}

/*
 * All of it
 */

int rf_event_save(struct rf_vm *vm, struct rf_stream *stream)
{
	int err;

	err = shared_info_save(vm, stream);
	if (!err)
		err = fifo_save(vm->evtchns, stream);
	if (!err)
		err = ports_save(vm->evtchns, stream);
	return err;
}

int rf_event_load(struct rf_vm *vm, struct rf_stream *stream)
{
	struct rf_vcpu *vcpu;
	unsigned int i;
	int err;

	err = shared_info_load(vm, stream);
	if (!err)
		err = fifo_load(vm->evtchns, stream);
	if (!err)
		err = ports_load(vm->evtchns, stream);
	if (err)
		return err;

	/*
	 * The time of all before any of them runs: a vCPU may read it from the
	 * area of another, and that is of a line that does not hold any more.
	 */
	rf_for_each_vcpu(vm, vcpu, i) {
		timers_start(vcpu);
		if (vcpu->initialised)
			rf_clock_load_vcpu(vcpu);
	}
	return 0;
}
