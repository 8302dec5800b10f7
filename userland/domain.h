/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest is told about itself by its xenstore, and asked to do. */
#ifndef RF_DOMAIN_H
#define RF_DOMAIN_H

#include <stdbool.h>

#include "error.h"
#include "store_ring.h"

struct rf_store;

/* What has become of a request to shut down. */
enum rf_shutdown {
	RF_SHUTDOWN_NONE,
	RF_SHUTDOWN_UNHEARD,	/* nobody in the guest listens */
	RF_SHUTDOWN_ASKED,
	RF_SHUTDOWN_TAKEN,	/* the guest has taken note of it */
};

/**
 * struct rf_domain - the store of one guest, and its ring
 * @store: NULL while there is no guest
 * @ring: In guest memory
 * @to_launcher: eventfd: the guest has sent an event
 * @from_launcher: eventfd: it is to have one
 * @asked: What was last written to control/shutdown, or NULL
 * @wanted: vCPUs the guest is to use, the first ones; 0: all
 * @closed: The store has given the guest up, and said so
 */
struct rf_domain {
	struct rf_store *store;
	struct rf_store_ring ring;
	int to_launcher;
	int from_launcher;
	const char *asked;
	unsigned int wanted;
	bool closed;
};

/* On failure nothing is left. */
int rf_domain_create(struct rf_domain *domain, struct rf_error *err);
void rf_domain_destroy(struct rf_domain *domain);

/* A guest begins, with its ring in @page; it ends, and @page goes away. */
int rf_domain_connect(struct rf_domain *domain, void *page, const char *name,
		      unsigned int nr_vcpus, struct rf_error *err);
void rf_domain_disconnect(struct rf_domain *domain);

/* Descriptor to poll for input, or -1. */
int rf_domain_fd(const struct rf_domain *domain);

/* Serve the guest for a while; @name is for what is to be said. */
void rf_domain_serve(struct rf_domain *domain, const char *name);

/* Ask for "poweroff" or "reboot".  Return: 0, or -1 and why it is no use. */
int rf_domain_ask(struct rf_domain *domain, const char *what,
		  struct rf_error *err);

/* Would it hear if it were asked? */
bool rf_domain_listens(const struct rf_domain *domain);
enum rf_shutdown rf_domain_shutdown(const struct rf_domain *domain);

/*
 * Have the guest use the first @wanted of @nr_vcpus, now and after reboots.
 * Return: 0, or -1 and why it is no use.
 */
int rf_domain_want_vcpus(struct rf_domain *domain, unsigned int wanted,
			 unsigned int nr_vcpus, struct rf_error *err);

/* Would it hear of that? */
bool rf_domain_hears_of_vcpus(const struct rf_domain *domain);

#endif /* RF_DOMAIN_H */
