/* SPDX-License-Identifier: MIT */
/*
 * xen_store_wire.h - what a guest and its xenstore say to each other
 *
 * Names and layouts are those of the kernel's include/xen/interface/io/xs_wire.h,
 * which Debian does not package for user space.
 */
#ifndef RF_XEN_STORE_WIRE_H
#define RF_XEN_STORE_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum xsd_sockmsg_type {
	XS_CONTROL,
	XS_DIRECTORY,
	XS_READ,
	XS_GET_PERMS,
	XS_WATCH,
	XS_UNWATCH,
	XS_TRANSACTION_START,
	XS_TRANSACTION_END,
	XS_INTRODUCE,
	XS_RELEASE,
	XS_GET_DOMAIN_PATH,
	XS_WRITE,
	XS_MKDIR,
	XS_RM,
	XS_SET_PERMS,
	XS_WATCH_EVENT,
	XS_ERROR,
	XS_IS_DOMAIN_INTRODUCED,
	XS_RESUME,
	XS_SET_TARGET,
	XS_RESET_WATCHES = XS_SET_TARGET + 2,
	XS_DIRECTORY_PART,
	XS_TYPE_COUNT
};

struct xsd_sockmsg {
	uint32_t type;
	uint32_t req_id;		/* comes back with the answer */
	uint32_t tx_id;			/* 0 outside of transactions */
	uint32_t len;			/* of what follows */
};

#define XENSTORE_PAYLOAD_MAX		4096
#define XENSTORE_RING_SIZE		1024

struct xenstore_domain_interface {
	char req[XENSTORE_RING_SIZE];
	char rsp[XENSTORE_RING_SIZE];
	uint32_t req_cons, req_prod;
	uint32_t rsp_cons, rsp_prod;
	uint32_t server_features;
	uint32_t connection;
	uint32_t error;
};

_Static_assert(offsetof(struct xenstore_domain_interface, req_cons) == 2048,
	       "xs_wire.h");
_Static_assert(sizeof(struct xenstore_domain_interface) == 2076, "xs_wire.h");

#define XENSTORE_SERVER_FEATURE_ERROR	2	/* there is an error field */
#define XENSTORE_ERROR_RINGIDX		2
#define XENSTORE_ERROR_PROTO		3

#endif /* RF_XEN_STORE_WIRE_H */
