// SPDX-License-Identifier: GPL-2.0
/*
 * domain.c - the guest's xenstore: what is in it, and who carries its bytes
 *
 *	guest ---> ring ---> store ---> control/shutdown ---> guest
 *	                       ^  '---> cpu/N/availability ----^
 *	ringfence stop, vcpus -'
 *
 * All of it happens in the launcher's main thread.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "domain.h"
#include "event.h"
#include "store.h"
#include "store_tree.h"

#define SHUTDOWN	RF_STORE_HOME "/control/shutdown"
#define CPU		RF_STORE_HOME "/cpu"

/* Then others in the main thread have their turn. */
#define TURNS		64

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

int rf_domain_create(struct rf_domain *domain, struct rf_error *err)
{
	*domain = (struct rf_domain){
		.to_launcher = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
		.from_launcher = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
	};
	if (domain->to_launcher >= 0 && domain->from_launcher >= 0)
		return 0;
	rf_error_set(err, "cannot make an eventfd: %s", strerror(errno));
	rf_domain_destroy(domain);
	return -1;
}

void rf_domain_destroy(struct rf_domain *domain)
{
	rf_domain_disconnect(domain);
	close_fd(&domain->to_launcher);
	close_fd(&domain->from_launcher);
}

/* The first of them are to be up. */
static int fill_vcpus(struct rf_store *store, unsigned int wanted,
		      unsigned int nr_vcpus)
{
	char path[RF_STORE_PATH];
	int ret = 0;

	for (unsigned int i = 0; i < nr_vcpus; i++) {
		snprintf(path, sizeof(path), CPU "/%u/availability", i);
		ret |= rf_store_set(store, path,
				    i < wanted ? "online" : "offline");
	}
	return ret;
}

/* The guest's own nodes are those that Xen's tools give to it. */
static int fill(struct rf_store *store, const char *name)
{
	int ret = 0;

	ret |= rf_store_set(store, RF_STORE_HOME "/name", name);
	ret |= rf_store_set(store, RF_STORE_HOME "/domid", "1");
	/* No devices here: no driver of the guest's waits for one. */
	ret |= rf_store_set(store, RF_STORE_HOME "/device", "");
	ret |= rf_store_set(store, RF_STORE_HOME "/control", "");
	ret |= rf_store_give(store, RF_STORE_HOME "/control");
	ret |= rf_store_set(store, SHUTDOWN, "");
	ret |= rf_store_set(store, RF_STORE_HOME "/data", "");
	ret |= rf_store_give(store, RF_STORE_HOME "/data");
	return ret;
}

int rf_domain_connect(struct rf_domain *domain, void *page, const char *name,
		      unsigned int nr_vcpus, struct rf_error *err)
{
	domain->store = rf_store_create();
	if (!domain->store || fill(domain->store, name) ||
	    fill_vcpus(domain->store, domain->wanted ?: nr_vcpus, nr_vcpus))
		return rf_error_set(err, "not enough memory");
	domain->asked = NULL;
	domain->closed = false;
	rf_event_clear(domain->to_launcher);
	rf_event_clear(domain->from_launcher);
	rf_store_ring_init(&domain->ring, page);
	return 0;
}

void rf_domain_disconnect(struct rf_domain *domain)
{
	rf_store_destroy(domain->store);
	domain->store = NULL;
}

int rf_domain_fd(const struct rf_domain *domain)
{
	return domain->store && !domain->closed ? domain->to_launcher : -1;
}

/* Answers to the ring.  Return: did any go? */
static bool push(struct rf_domain *domain)
{
	const void *data;
	size_t len = rf_store_peek(domain->store, &data);

	if (len)
		len = rf_store_ring_write(&domain->ring, data, len);
	rf_store_took(domain->store, len);
	return len;
}

/* Requests from the ring.  Return: did any come? */
static bool pull(struct rf_domain *domain)
{
	char buf[XENSTORE_RING_SIZE];
	size_t len = rf_store_wants(domain->store);

	if (len > sizeof(buf))
		len = sizeof(buf);
	if (len)
		len = rf_store_ring_read(&domain->ring, buf, len);
	if (len)
		rf_store_put(domain->store, buf, len);
	return len;
}

/* Why the guest cannot be served any more, or NULL. */
static const char *trouble(const struct rf_domain *domain)
{
	if (domain->ring.broken)
		return "its ring makes no sense";
	return rf_store_broken(domain->store);
}

static void close_if_broken(struct rf_domain *domain, const char *name)
{
	const char *why = trouble(domain);

	if (!why)
		return;
	rf_store_ring_close(&domain->ring, domain->ring.broken ?
						   XENSTORE_ERROR_RINGIDX :
						   XENSTORE_ERROR_PROTO);
	domain->closed = true;
	rf_error_say("%s: its store is closed: %s", name, why);
}

void rf_domain_serve(struct rf_domain *domain, const char *name)
{
	bool moved = false;
	int turns = TURNS;

	if (rf_domain_fd(domain) < 0)
		return;
	rf_event_clear(domain->to_launcher);
	while (turns && (push(domain) || pull(domain))) {
		moved = true;
		turns--;
	}
	if (moved)
		rf_event_signal(domain->from_launcher);
	if (!turns)
		rf_event_signal(domain->to_launcher);
	close_if_broken(domain, name);
}

static int check_open(const struct rf_domain *domain, struct rf_error *err)
{
	if (!domain->closed)
		return 0;
	return rf_error_set(err, "it cannot be asked: its store is closed, for %s; "
				 "use 'ringfence kill'", trouble(domain));
}

int rf_domain_ask(struct rf_domain *domain, const char *what,
		  struct rf_error *err)
{
	int ret;

	if (check_open(domain, err))
		return -1;
	ret = rf_store_set(domain->store, SHUTDOWN, what);
	if (ret)
		return rf_error_set(err, "it cannot be asked: its store is "
					 "full; use 'ringfence kill'");
	domain->asked = what;
	/* The main loop is to carry it. */
	rf_event_signal(domain->to_launcher);
	return 0;
}

bool rf_domain_listens(const struct rf_domain *domain)
{
	return domain->store && !domain->closed &&
	       rf_store_is_watched(domain->store, SHUTDOWN);
}

enum rf_shutdown rf_domain_shutdown(const struct rf_domain *domain)
{
	if (!domain->store || !domain->asked)
		return RF_SHUTDOWN_NONE;
	if (!rf_store_says(domain->store, SHUTDOWN, domain->asked))
		return RF_SHUTDOWN_TAKEN;
	return rf_domain_listens(domain) ? RF_SHUTDOWN_ASKED :
					   RF_SHUTDOWN_UNHEARD;
}

int rf_domain_want_vcpus(struct rf_domain *domain, unsigned int wanted,
			 unsigned int nr_vcpus, struct rf_error *err)
{
	if (!wanted || wanted > nr_vcpus)
		return rf_error_set(err, "it has %u vCPUs: say how many it is to use, "
					 "from 1 to %u", nr_vcpus, nr_vcpus);
	if (check_open(domain, err))
		return -1;
	domain->wanted = wanted;
	if (fill_vcpus(domain->store, wanted, nr_vcpus))
		return rf_error_set(err, "it cannot be asked: its store is full");
	rf_event_signal(domain->to_launcher);
	return 0;
}

bool rf_domain_hears_of_vcpus(const struct rf_domain *domain)
{
	return domain->store && !domain->closed &&
	       rf_store_is_watched(domain->store, CPU);
}
