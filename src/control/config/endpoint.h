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

/* 0 or -EINVAL */
int endpoint_parse(const char *s, struct endpoint *ret);
/* with the address spelt out; returns `buf` */
const char *endpoint_format(const struct endpoint *e, char buf[ENDPOINT_STRLEN]);

/* A Host field of HTTP that names this system whatever a name server says: an address,
 * "localhost" or a name below it, with or without a port. */
bool endpoint_is_local_host(const char *host);
