// SPDX-License-Identifier: GPL-2.0
/*
 * upcall.c - is something pending for a vCPU, may it be told, does it sleep
 *
 * vcpu_info is the meeting point: ports set evtchn_upcall_pending there, the
 * guest sets and clears evtchn_upcall_mask, and an upcall is due when the one
 * is set and the other clear.
 */
#include <linux/bitmap.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/nospec.h>

#include "../bounce.h"
#include "../guestmem.h"
#include "../trace.h"
#include "../vcpu.h"
#include "../vm.h"
#include "ports.h"

/* Wake @vcpu out of SCHEDOP_poll, if it is in there. */
static bool upcall_end_poll(struct rf_vcpu *vcpu)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;

	lockdep_assert_held(&evtchns->lock);

	if (!__test_and_clear_bit(vcpu->id, evtchns->pollers))
		return false;

	WRITE_ONCE(vcpu->event.poll, RF_POLL_DONE);
	return true;
}

/* A port became pending: that is news for pollers even if it is masked. */
void rf_upcall_end_polls(struct rf_evtchns *evtchns, u32 port)
{
	unsigned int id;

	for_each_set_bit(id, evtchns->pollers, RF_MAX_VCPUS) {
		struct rf_vcpu *vcpu = evtchns->vcpus[id];

		if (vcpu->event.poll_port && vcpu->event.poll_port != port)
			continue;
		upcall_end_poll(vcpu);
		rf_vcpu_kick(vcpu);
	}
}

void rf_upcall_raise(struct rf_vcpu *vcpu)
{
	lockdep_assert_held(&vcpu->vm->evtchns->lock);

	if (xchg(&vcpu->event.info->evtchn_upcall_pending, 1))
		return;

	upcall_end_poll(vcpu);
	rf_vcpu_kick(vcpu);
}

enum hrtimer_restart rf_upcall_poll_timeout(struct hrtimer *timer)
{
	struct rf_vcpu *vcpu = container_of(timer, struct rf_vcpu, event.poll_timer);
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	unsigned long flags;

	spin_lock_irqsave(&evtchns->lock, flags);
	if (upcall_end_poll(vcpu))
		rf_vcpu_kick(vcpu);
	spin_unlock_irqrestore(&evtchns->lock, flags);
	return HRTIMER_NORESTART;
}

/* The vCPU goes on: whatever it polled for is of no interest any more. */
static void upcall_forget_poll(struct rf_vcpu *vcpu)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;

	hrtimer_cancel(&vcpu->event.poll_timer);

	spin_lock_irq(&evtchns->lock);
	__clear_bit(vcpu->id, evtchns->pollers);
	vcpu->event.poll = RF_POLL_NONE;
	spin_unlock_irq(&evtchns->lock);
}

void rf_event_deliver(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;

	if (unlikely(!vcpu->online))
		return;

	if (unlikely(event->poll != RF_POLL_NONE) && !vcpu->halted)
		upcall_forget_poll(vcpu);

	/* One that the guest did not ask for is dropped, as on Xen. */
	if (unlikely(READ_ONCE(event->nmi_pending)) &&
	    xchg(&event->nmi_pending, false) &&
	    rf_bounce_callback(vcpu, CALLBACKTYPE_nmi))
		vcpu->halted = false;

	if (rf_event_deliverable(vcpu) && rf_bounce_callback(vcpu, CALLBACKTYPE_event)) {
		rf_count(vcpu, EVENTS);
		trace_rf_upcall(vcpu);
		vcpu->halted = false;
	}
}

bool rf_event_wakes(struct rf_vcpu *vcpu)
{
	const struct rf_vcpu_event *event = &vcpu->event;

	if (READ_ONCE(event->nmi_pending))
		return true;

	switch (READ_ONCE(event->poll)) {
	case RF_POLL_DONE:
		return true;
	case RF_POLL_WAITING:
		/* With events masked, only what it polls for ends a poll. */
		return rf_event_pending(event->info);
	default:
		return READ_ONCE(event->info->evtchn_upcall_pending);
	}
}

void rf_event_block(struct rf_vcpu *vcpu)
{
	struct vcpu_info *info = vcpu->event.info;

	if (vcpu->event.poll != RF_POLL_NONE)
		upcall_forget_poll(vcpu);

	/*
	 * An event that comes after this look finds the vCPU awake or kicks
	 * it; rf_event_wakes() is asked before it sleeps.
	 */
	WRITE_ONCE(info->evtchn_upcall_mask, 0);
	vcpu->halted = !READ_ONCE(info->evtchn_upcall_pending);
	rf_vcpu_look_again(vcpu);
}

static bool poll_any_pending(struct rf_evtchns *evtchns, const evtchn_port_t *ports,
			     u32 nr_ports)
{
	u32 i;

	for (i = 0; i < nr_ports; i++)
		if (rf_port_is_pending(evtchns, array_index_nospec(ports[i], RF_MAX_PORTS)))
			return true;
	return false;
}

long rf_event_poll(struct rf_vcpu *vcpu, const evtchn_port_t *ports,
		   u32 nr_ports, u64 abs_ns)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	struct rf_vcpu_event *event = &vcpu->event;
	u32 i;

	for (i = 0; i < nr_ports; i++)
		if (ports[i] >= RF_MAX_PORTS)
			return -EINVAL;

	upcall_forget_poll(vcpu);

	/* Look and start to wait in one step, or a wake-up is lost. */
	spin_lock_irq(&evtchns->lock);
	if (rf_event_pending(event->info) ||
	    poll_any_pending(evtchns, ports, nr_ports)) {
		spin_unlock_irq(&evtchns->lock);
		return 0;
	}
	event->poll_port = nr_ports == 1 ? ports[0] : 0;
	event->poll = RF_POLL_WAITING;
	__set_bit(vcpu->id, evtchns->pollers);
	vcpu->halted = true;
	rf_vcpu_look_again(vcpu);
	spin_unlock_irq(&evtchns->lock);

	if (abs_ns)
		hrtimer_start(&event->poll_timer, rf_timer_expiry(vcpu->vm, abs_ns),
			      HRTIMER_MODE_ABS);
	return 0;
}

void rf_event_send_nmi(struct rf_vcpu *vcpu)
{
	if (!xchg(&vcpu->event.nmi_pending, true))
		rf_vcpu_kick(vcpu);
}

/* Let the switcher find vcpu_info, at @offset of @page. */
static int info_show(struct rf_vcpu *vcpu, struct page *page, u32 offset)
{
	int err;

	err = rf_hole_map_vcpu_page(vcpu->vm->hole, vcpu->id, RF_VCPU_INFO, page, true);
	if (err)
		return err;

	/* The page that was there may still be in a TLB. */
	WRITE_ONCE(vcpu->mmu.flush, true);
	vcpu->world->info = vcpu->world_va + (RF_VCPU_INFO << PAGE_SHIFT) + offset;
	return 0;
}

/* Move what the old vcpu_info says into the new one, and lose nothing. */
static void info_move(struct rf_vcpu *vcpu, struct vcpu_info *info)
{
	struct rf_vcpu_event *event = &vcpu->event;

	lockdep_assert_held(&vcpu->vm->evtchns->lock);

	memcpy(info, event->info, sizeof(*info));
	event->info = info;

	/*
	 * A bit set between the copy and now is in neither; say that all are.
	 * The guest finds the ports that are not pending and ignores them.
	 */
	WRITE_ONCE(info->evtchn_pending_sel, ~0UL);
	WRITE_ONCE(info->evtchn_upcall_pending, 1);
}

/* Atomics on a word across two cache lines would be a split lock. */
static bool info_offset_ok(u32 *offset)
{
	const u32 last = PAGE_SIZE - sizeof(struct vcpu_info);

	if (*offset > last || !IS_ALIGNED(*offset, sizeof(long)))
		return false;
	*offset = array_index_nospec(*offset, last + 1);
	return true;
}

long rf_event_register_info(struct rf_vcpu *vcpu, u64 gfn, u32 offset)
{
	struct rf_evtchns *evtchns = vcpu->vm->evtchns;
	struct rf_vcpu_event *event = &vcpu->event;
	struct page *page;

	if (!info_offset_ok(&offset))
		return -EINVAL;

	if (READ_ONCE(event->info_page))
		return -EINVAL;

	page = rf_guest_pin(vcpu->vm, RF_GFN(gfn));
	if (IS_ERR(page))
		return PTR_ERR(page) == -ENOMEM ? -ENOMEM : -EINVAL;

	spin_lock_irq(&evtchns->lock);
	if (event->info_page) {
		spin_unlock_irq(&evtchns->lock);
		rf_guest_unpin(page);
		return -EINVAL;
	}
	event->info_page = page;
	event->info_gfn = RF_GFN(gfn);
	info_move(vcpu, page_address(page) + offset);
	event->time_version_seen = 0;
	spin_unlock_irq(&evtchns->lock);

	if (info_show(vcpu, page, offset))
		rf_vm_kill(vcpu->vm, "no memory to map vcpu_info of vCPU %u", vcpu->id);
	rf_vcpu_kick(vcpu);
	return 0;
}

/* The same for a vCPU that is loaded: all that it says is there already. */
int rf_upcall_load_info(struct rf_vcpu *vcpu, u64 gfn, u32 offset)
{
	struct rf_vcpu_event *event = &vcpu->event;
	struct page *page;

	if (!info_offset_ok(&offset) || event->info_page)
		return -EINVAL;
	page = rf_guest_pin(vcpu->vm, RF_GFN(gfn));
	if (IS_ERR(page))
		return PTR_ERR(page) == -ENOMEM ? -ENOMEM : -EINVAL;

	spin_lock_irq(&vcpu->vm->evtchns->lock);
	event->info_page = page;
	event->info_gfn = RF_GFN(gfn);
	event->info = page_address(page) + offset;
	spin_unlock_irq(&vcpu->vm->evtchns->lock);
	return info_show(vcpu, page, offset);
}

/* The vcpu_info a vCPU starts with: its slot, or a page nobody sees. */
static int info_init(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;
	struct rf_vm *vm = vcpu->vm;

	if (vm->shared && vcpu->id < MAX_VIRT_CPUS) {
		event->info = &vm->shared->vcpu_info[vcpu->id];
		if (vcpu->world && info_show(vcpu, vm->shared_page,
					     offset_in_page(event->info)))
			return -ENOMEM;
	} else {
		event->dummy_page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);
		if (!event->dummy_page)
			return -ENOMEM;
		event->info = page_address(event->dummy_page);
	}

	WRITE_ONCE(event->info->evtchn_upcall_mask, 1);
	return 0;
}

int rf_event_vcpu_init(struct rf_vcpu *vcpu)
{
	int err;

	err = info_init(vcpu);
	if (err)
		return err;

	rf_timer_vcpu_init(vcpu);
	rf_runstate_vcpu_init(vcpu);

	/* Last: from here on it is woken. */
	rf_evtchn_vcpu_init(vcpu);
	return 0;
}

void rf_event_vcpu_exit(struct rf_vcpu *vcpu)
{
	struct rf_vcpu_event *event = &vcpu->event;

	if (!event->info)
		return;

	rf_timer_vcpu_exit(vcpu);
	rf_evtchn_vcpu_exit(vcpu);
	event->info = NULL;

	if (event->info_page)
		rf_guest_unpin(event->info_page);
	if (event->dummy_page)
		__free_page(event->dummy_page);
}
