/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A router for measurements, with eight LANs, one or two upstreams, both families, and
 * virtual time. It does everything that the daemon does with a packet, from decoding it
 * to encoding messages and changing a real forwarding table. The processor times of
 * packets and of deadlines are counted separately.
 */

#include "base/mono.h"
#include "control/proxy/instances.h"
#include "dataplane/fib/fib.h"

#define WORLD_LANS  8
#define WORLD_BYTES 1500

struct world {
	struct instances *instances;
	struct config *cfg;
	struct iface_table ifaces;
	struct effects fx;
	struct fib *fib;
	mono_t now;
	unsigned lan[WORLD_LANS]; /* port numbers */
	/* packets */
	uint64_t n_packets, n_bytes;
	int64_t packet_ns;
	/* processor time of all deadlines, of the longest one, and the most within a
	 * second of virtual time */
	int64_t tick_ns, longest_ns, second_ns;
	mono_t second;
	int64_t in_second_ns;
};

void die_if(bool failed, const char *what);

struct world *world_new(bool fast_leave, unsigned n_upstreams);
struct world *world_free(struct world *w); /* returns NULL */
/* Resets all counts. */
void world_count(struct world *w);

struct addr world_group(enum family family, unsigned n);
struct addr world_source(enum family family, unsigned n);
struct addr world_host(enum family family, unsigned lan, unsigned n);

/* Encodes a report of IGMPv3 or MLDv2. Records that do not fit are left out. Returns
 * the length. */
size_t world_encode(enum family family, unsigned lan, unsigned host,
	const struct gm_record *rec, size_t n_rec, uint8_t packet[WORLD_BYTES]);
/* A packet arrives on a LAN. Deferred work is done in world_pass(). */
void world_packet(struct world *w, enum family family, unsigned lan,
	const uint8_t *packet, size_t len);
/* Lets time pass and handles all deadlines in it. */
void world_pass(struct world *w, int64_t ms);
