/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Sees which streams other stations send to an Ethernet link. It is a packet socket of
 * one interface and family with a small ring. The kernel puts the beginning of
 * multicast datagrams into the ring, except of our own datagrams, membership messages,
 * and groups of link-local scope. Datagrams cause no wake-up; the owner reads what has
 * gathered. After the ring was full, the kernel puts only one of 2^n datagrams into it,
 * at random. Needs CAP_NET_RAW.
 */

#include "base/addr.h"
#include "control/proto/gm_msg.h"

struct sensor;

/* Returns 0 or -errno. */
int sensor_open(int ifindex, enum family family, struct sensor **ret);
struct sensor *sensor_close(struct sensor *s);

/* Calls `fn` for each datagram in the ring, and empties the ring. `bytes` is the length
 * of the IP packet. A super-frame, which virtual links carry in one piece, counts as
 * one packet (R183). */
void sensor_read(struct sensor *s,
	void (*fn)(void *arg, const struct addr *group, const struct addr *source,
		const struct gm_mac *mac, uint32_t bytes),
	void *arg);
/* Returns the n of "one of 2^n" for the datagrams that the next sensor_read() reads. */
unsigned sensor_sampling(const struct sensor *s);
