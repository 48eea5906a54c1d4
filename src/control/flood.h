/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * How many membership messages a port and a host may send, decided before a message is
 * looked at. Two buckets for a host and two for a port: up to host_rate each, up to
 * port_rate together; and when a port has more, a host that is quiet still gets
 * through, so that those who shout do not keep the others from being heard. Pure, and
 * of fixed size: strangers choose the hosts' addresses.
 */

#include "base/mono.h"

#include <stdbool.h>
#include <stddef.h>

#define FLOOD_HOSTS 8192 /* remembered at once, of all ports together */

struct flood_limit {
	uint32_t host_rate, port_rate; /* messages per second; 0: no limit */
};

/* of one port; zero is a port from which nothing has come */
struct flood_port {
	mono_t busy, quiet; /* buckets: when they will be empty again */
	uint64_t n_dropped;
};

enum flood_verdict {
	FLOOD_PASS = 0,
	FLOOD_DROP,
	FLOOD_SILENCE, /* dropped, and so many before that the kernel should do it */
};

struct flood;

/* 0 or -ENOMEM. `seed` makes places in the table unguessable. */
int flood_new(uint64_t seed, struct flood **ret_flood);
struct flood *flood_free(struct flood *f); /* takes and returns NULL */

/* A message of the host with this address (link-layer or IP, `len` octets, at most 16)
 * has arrived on the port. FLOOD_SILENCE comes once for each second of a flood. */
enum flood_verdict flood_input(struct flood *f, mono_t now, struct flood_port *port,
	const struct flood_limit *limit, const void *host, size_t len);
