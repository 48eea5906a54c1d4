/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Sees which streams other stations send to a link with Ethernet frames: a packet
 * socket of one interface and family with a small ring, into which the kernel puts the
 * beginning of multicast datagrams that are neither ours nor membership messages nor of
 * link-local scope. They cause no wake-up; the owner reads what has gathered. After the
 * ring was full, the kernel samples one of 2^n of them at random. Needs CAP_NET_RAW.
 */

#include "base/addr.h"
#include "control/proto/gm_msg.h"

struct sensor;

/* 0 or -errno. */
int sensor_open(int ifindex, enum family family, struct sensor **ret);
struct sensor *sensor_close(struct sensor *s); /* takes and returns NULL */

/* Hands over the gathered datagrams. `bytes` is the length of the IP packet: a
 * super-frame, which arrives in one piece through virtual links, is several datagrams
 * (R183). */
void sensor_read(struct sensor *s,
	void (*fn)(void *arg, const struct addr *group, const struct addr *source,
		const struct gm_mac *mac, uint32_t bytes),
	void *arg);
/* The n of "one of 2^n", for the datagrams that are read next. */
unsigned sensor_sampling(const struct sensor *s);
