// SPDX-License-Identifier: GPL-2.0
/*
 * eventfd.c - ports whose other end is an eventfd of the launcher
 *
 *	guest sends    --> evtchn_send()  --> to_launcher is signalled
 *	guest's port   <-- eventfd_wake() <-- from_launcher is signalled
 */
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/poll.h>
#include <linux/refcount.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "../compat.h"
#include "../vm.h"
#include "ports.h"

/*
 * The launcher's end of a port.
 *
 * The reference to from_launcher keeps the wait queue even when the launcher
 * closes its descriptors, so nothing is to be done on EPOLLHUP.
 */
struct rf_eventfd {
	refcount_t ref;		/* of the bound port and of each send under way */
	struct rf_evtchns *evtchns;
	u32 port;		/* 0 until it is bound */
	struct eventfd_ctx *to_launcher;	/* NULL if none */
	struct eventfd_ctx *from_launcher;	/* NULL if none */
	wait_queue_entry_t wait;		/* on from_launcher's queue */
};

/* Find the wait queue through poll(), which is how an eventfd shows it. */
struct eventfd_listener {
	poll_table table;
	struct rf_eventfd *eventfd;
};

struct rf_eventfd *rf_eventfd_get(struct rf_eventfd *eventfd)
{
	refcount_inc(&eventfd->ref);
	return eventfd;
}

void rf_eventfd_put(struct rf_eventfd *eventfd)
{
	if (!refcount_dec_and_test(&eventfd->ref))
		return;

	if (eventfd->to_launcher)
		eventfd_ctx_put(eventfd->to_launcher);
	if (eventfd->from_launcher)
		eventfd_ctx_put(eventfd->from_launcher);
	kfree(eventfd);
}

void rf_eventfd_send(struct rf_eventfd *eventfd)
{
	if (eventfd->to_launcher)
		rf_eventfd_signal(eventfd->to_launcher);
}

/* Return: false while it is not bound yet, so the signal must stay. */
static bool eventfd_raise(struct rf_eventfd *eventfd)
{
	struct rf_evtchns *evtchns = eventfd->evtchns;
	unsigned long flags;
	u32 index;

	spin_lock_irqsave(&evtchns->lock, flags);
	index = eventfd->port;
	/* The guest may have closed the port and bound it to something else. */
	if (index && evtchns->ports[index].type == EVTCHNSTAT_interdomain &&
	    evtchns->ports[index].eventfd == eventfd)
		rf_port_set_pending(evtchns, index);
	spin_unlock_irqrestore(&evtchns->lock, flags);
	return index;
}

/* Runs under the lock of the eventfd's wait queue, interrupts off. */
static int eventfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync,
			void *key)
{
	struct rf_eventfd *eventfd = container_of(wait, struct rf_eventfd, wait);
	u64 count;

	if ((key_to_poll(key) & EPOLLIN) && eventfd_raise(eventfd))
		eventfd_ctx_do_read(eventfd->from_launcher, &count);
	return 0;
}

static void eventfd_enqueue(struct file *file, wait_queue_head_t *head,
			    poll_table *table)
{
	struct eventfd_listener *listener =
		container_of(table, struct eventfd_listener, table);

	add_wait_queue(head, &listener->eventfd->wait);
}

static void eventfd_unlisten(struct rf_eventfd *eventfd)
{
	u64 count;

	/* Once this returns, eventfd_wake() neither runs nor will. */
	if (eventfd->from_launcher)
		eventfd_ctx_remove_wait_queue(eventfd->from_launcher,
					      &eventfd->wait, &count);
}

/* The port is gone already, so that no send can find the binding. */
void rf_eventfd_destroy(struct rf_eventfd *eventfd)
{
	eventfd_unlisten(eventfd);
	rf_eventfd_put(eventfd);
}

static int eventfd_listen(struct rf_eventfd *eventfd, struct file *file)
{
	struct eventfd_listener listener = { .eventfd = eventfd };

	eventfd->from_launcher = eventfd_ctx_fileget(file);
	if (IS_ERR(eventfd->from_launcher))
		return PTR_ERR(eventfd->from_launcher);

	init_waitqueue_func_entry(&eventfd->wait, eventfd_wake);
	init_poll_funcptr(&listener.table, eventfd_enqueue);
	vfs_poll(file, &listener.table);
	return 0;
}

/* Bind @eventfd to @port, or a new one; @file is its from_launcher, or NULL. */
static int eventfd_bind(struct rf_eventfd *eventfd, struct file *file,
			domid_t remote_domid, u32 port)
{
	struct rf_evtchns *evtchns = eventfd->evtchns;
	int index;

	spin_lock_irq(&evtchns->lock);
	index = port ? rf_port_rebind_launcher(evtchns, eventfd, remote_domid, port) :
		       rf_port_bind_launcher(evtchns, eventfd, remote_domid);
	if (index > 0) {
		eventfd->port = index;
		rf_eventfd_get(eventfd);
	}
	spin_unlock_irq(&evtchns->lock);
	if (index < 0)
		return index;

	/* Signalled before there was a port to raise. */
	if (file && (vfs_poll(file, NULL) & EPOLLIN))
		eventfd_raise(eventfd);
	return index;
}

static int eventfd_create(struct rf_evtchns *evtchns, struct eventfd_ctx *to_launcher,
			  struct file *file, domid_t remote_domid, u32 port)
{
	struct rf_eventfd *eventfd;
	int ret;

	eventfd = kzalloc(sizeof(*eventfd), GFP_KERNEL_ACCOUNT);
	if (!eventfd)
		return -ENOMEM;

	refcount_set(&eventfd->ref, 1);
	eventfd->evtchns = evtchns;

	/*
	 * Listen first: once the port is bound, the guest may close it, and
	 * closing stops the listening.
	 */
	if (file) {
		ret = eventfd_listen(eventfd, file);
		if (ret) {
			kfree(eventfd);
			return ret;
		}
	}

	eventfd->to_launcher = to_launcher;
	ret = eventfd_bind(eventfd, file, remote_domid, port);
	if (ret < 0) {
		/* Still the caller's. */
		eventfd->to_launcher = NULL;
		eventfd_unlisten(eventfd);
	}
	rf_eventfd_put(eventfd);
	return ret;
}

int rf_evtchn_bind_eventfd(struct rf_vm *vm, struct eventfd_ctx *to_launcher,
			   int from_launcher_fd, u32 remote_domid, u32 port)
{
	struct file *file = NULL;
	int ret;

	if (remote_domid >= DOMID_FIRST_RESERVED)
		return -EINVAL;

	if (from_launcher_fd >= 0) {
		file = eventfd_fget(from_launcher_fd);
		if (IS_ERR(file))
			return PTR_ERR(file);
	}

	ret = eventfd_create(vm->evtchns, to_launcher, file, remote_domid, port);
	if (file)
		fput(file);
	return ret;
}
