/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Where a server listens, as the configuration writes it: 192.0.2.1:9337,
 * [2001:db8::1]:9337, or :9337 for the loopback address. Pure. */

#include "base/addr.h"

struct endpoint {
	struct addr addr;
	uint16_t port;
};

#define ENDPOINT_STRLEN (ADDR_STRLEN + 8)

/* Returns 0 or -EINVAL. */
int endpoint_parse(const char *s, struct endpoint *ret);
/* Writes the address and the port, also for the loopback address. Returns `buf`. */
const char *endpoint_format(const struct endpoint *e, char buf[ENDPOINT_STRLEN]);

/* Whose name a Host field of HTTP has. */
enum endpoint_host {
	/* this system, whatever name servers say: a loopback address, the address that
	 * is listened on, "localhost" or a name below it */
	ENDPOINT_HOST_OURS,
	ENDPOINT_HOST_ADDRESS, /* another address */
	/* a name that only name servers of the local network know: a name without a
	 * dot, or below local (RFC 6762), home.arpa (RFC 8375), internal, lan or
	 * home */
	ENDPOINT_HOST_PRIVATE,
	ENDPOINT_HOST_OTHER,   /* another name */
	ENDPOINT_HOST_INVALID, /* it is not HOST or HOST:PORT (RFC 9110 7.2) */
};

/* Checks the whole field; `listens` is the address that is listened on. */
enum endpoint_host endpoint_host(const char *field, const struct addr *listens);
