/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Datagrams that may be joined into super-frames: a stream, and the differences between
 * two of its datagrams. Each test begins with set_up() and ends with tear_down(). */

#include "receiver.h"

static inline int set_up(void **state)
{
	got.caps = SUPER;
	got.refuse = false;
	return setup(state);
}

static inline int tear_down(void **state)
{
	forget();
	return teardown(state);
}

static inline void go(void)
{
	forward_and_send(fw, &burst, plan, fib, &to_receiver);
	n_pool = 0;
}

/* Adds a datagram of the stream, which the caller may change before add(). */
static inline struct packet *make(size_t payload, unsigned id)
{
	struct packet *p = next_packet();

	packet_v4(p, STREAM, GRP, payload);
	packet_put16(p, 4, id);
	packet_seal(p);
	return p;
}

static inline void add(struct packet *p)
{
	arrives(0, p);
}

static inline void stream(unsigned n, size_t payload)
{
	for (unsigned i = 0; i < n; i++)
		add(make(payload, 100 + i));
}

static inline uint64_t ends(enum joined_end e)
{
	return atomic_load(&fw->counters.run_end[e]);
}

/* A difference between two datagrams, and in which modes they are still joined. */
struct difference {
	const char *what;
	bool on, exact;
	void (*change)(struct packet *second);
};

static inline void seal_udp(struct packet *p)
{
	packet_put16(p, 26, 0);
	packet_put16(p, 26, packet_l4_check(p->b, 20, 17));
	packet_seal(p);
}

static inline void nothing(struct packet *p)
{
}
static inline void set_ttl(struct packet *p)
{
	p->b[8]--;
}
static inline void set_tos(struct packet *p)
{
	p->b[1] ^= 4;
}
static inline void set_df(struct packet *p)
{
	p->b[6] = 0x40;
}
static inline void set_source_port(struct packet *p)
{
	packet_put16(p, 20, 4001);
	seal_udp(p);
}
static inline void set_destination_port(struct packet *p)
{
	packet_put16(p, 22, 5001);
	seal_udp(p);
}
static inline void no_checksum(struct packet *p)
{
	packet_put16(p, 26, 0);
}
static inline void be_fragment(struct packet *p)
{
	p->b[6] = 0x20;
}
static inline void be_later_fragment(struct packet *p)
{
	p->b[7] = 8;
}
static inline void other_protocol(struct packet *p)
{
	p->b[9] = 136; /* UDP-Lite */
}
static inline void short_udp_length(struct packet *p)
{
	packet_put16(p, 24, 8 + 90);
}

static const struct difference differences[] = {
	{"none", true, true, nothing},
	{"TTL", false, false, set_ttl},
	{"TOS", false, false, set_tos},
	{"DF", false, false, set_df},
	{"source port", false, false, set_source_port},
	{"destination port", false, false, set_destination_port},
	{"no checksum", true, false, no_checksum},
	{"first fragment", false, false, be_fragment},
	{"later fragment", false, false, be_later_fragment},
	{"protocol", false, false, other_protocol},
	{"bytes behind UDP", false, false, short_udp_length},
};

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
