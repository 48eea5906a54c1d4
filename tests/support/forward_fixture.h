/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The hot path between a burst and a fake transmitter that keeps every byte: ports,
 * table and packets for the tests of forward.c. The state is global; each test begins
 * with setup() and ends with teardown(). */

#include "dataplane/forward/forward.h"
#include "packet.h"
#include <errno.h>
#include <stdio.h>
#include <urcu-qsbr.h>

#define N_PORTS	 10
#define SENT_MAX 40000
#define STREAM	 "203.0.113.9"
#define GRP	 "239.1.2.3"

struct sent {
	unsigned port, n_iov;
	enum family family;
	size_t l2_len, len;
	uint8_t *l2, *ip;
};

struct fake {
	struct sent v[SENT_MAX];
	unsigned n, n_flushed, n_flush, n_send;
	uint8_t *bytes; /* the copies that flush made */
	size_t used;
	struct portset dead;
	unsigned caps; /* the same for all ports */
};

#define BYTES (64u << 20)

static struct fake fake;
static struct forward *fw;
static struct fib *fib;
static struct plan *plan;
static struct burst burst;
static struct packet pool[BURST_MAX];
static unsigned n_pool;

static unsigned fake_caps(void *ctx, unsigned port)
{
	return fake.caps;
}

/* Keeps a message, which may have separate headers; the packet must be in one piece. */
static bool fake_send(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n)
{
	assert_in_range(n, 1, 64);
	fake.n_send++;
	for (unsigned i = 0; i < n; i++) {
		const struct iovec *ip = &msg[i].iov[msg[i].n_iov - 1];

		if (portset_has(&fake.dead, port)) {
			counter_add_verdict(
				&fw->counters, port, verdict_of_errno(ENETDOWN), 1);
			continue;
		}
		assert_in_range(fake.n, 0, SENT_MAX - 1);
		fake.v[fake.n++] = (struct sent){
			.port = port,
			.n_iov = msg[i].n_iov,
			.family = msg[i].family,
			.l2_len = msg[i].n_iov == 2 ? msg[i].iov[0].iov_len : 0,
			.l2 = msg[i].n_iov == 2 ? msg[i].iov[0].iov_base : NULL,
			.len = ip->iov_len,
			.ip = ip->iov_base,
		};
		counter_add_tx(&fw->counters, port, 1, 1, ip->iov_len);
	}
	return true;
}

static inline uint8_t *keep(const uint8_t *p, size_t len)
{
	uint8_t *copy = fake.bytes + fake.used;

	assert_true(fake.used + len <= BYTES);
	if (len)
		memcpy(copy, p, len);
	fake.used += len;
	return copy;
}

static void fake_flush(void *ctx)
{
	fake.n_flush++;
	for (; fake.n_flushed < fake.n; fake.n_flushed++) {
		struct sent *s = &fake.v[fake.n_flushed];

		s->l2 = keep(s->l2, s->l2_len);
		s->ip = keep(s->ip, s->len);
	}
}

static const struct tx_ops tx = {
	.caps = fake_caps, .send = fake_send, .flush = fake_flush};

static inline void set_sources(unsigned port, const char *v4, const char *v6)
{
	struct plan_source v[2] = {{.accept = true}, {.accept = true}};

	assert_int_equal(prefix_parse(v4, &v[0].prefix, NULL), 0);
	assert_int_equal(prefix_parse(v6, &v[1].prefix, NULL), 0);
	assert_int_equal(plan_set_sources(&plan->port[port], v, 2), 0);
}

static inline void make_port(unsigned i)
{
	struct plan_port *p = &plan->port[i];
	char v4[40], v6[40];

	p->present = p->receive = p->has_l2 = p->ipv4 = p->ipv6 = true;
	p->role = i == 0 ? PLAN_UPSTREAM : PLAN_DOWNSTREAM;
	memcpy(p->mac, (const uint8_t[]){2, 0, 0, 0, 1, (uint8_t)i}, 6);
	p->mtu = 1500;
	for (unsigned out = 0; out < N_PORTS; out++)
		portset_add(&p->allowed, out);
	snprintf(v4, sizeof(v4), "192.168.%u.0/24", i);
	snprintf(v6, sizeof(v6), "2001:db8:%u::/48", i);
	if (i == 0)
		set_sources(i, "0.0.0.0/0", "::/0");
	else
		set_sources(i, v4, v6);
}

static inline int setup(void **state)
{
	rcu_register_thread();
	n_pool = 0;
	fake.n = fake.n_flushed = fake.n_flush = fake.n_send = 0;
	fake.used = 0;
	fake.dead = (struct portset){0};
	fake.caps = 0;
	fake.bytes = malloc(BYTES);
	plan = plan_new();
	if (!fake.bytes || !plan || fib_new(1, 3, &fib) < 0 || forward_new(&fw) < 0)
		return -1;
	for (unsigned i = 0; i < N_PORTS; i++)
		make_port(i);
	burst_clear(&burst);
	return 0;
}

/* In every test the copies and fragments that are due equal those sent and refused. */
static inline void check_copies(void)
{
	const struct forward_counters *c = &fw->counters;
	uint64_t due = atomic_load(&c->count[THREAD_COUNT_DUE]), done = 0;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		due += atomic_load(&c->port[i].count[PORT_COUNT_FRAGMENTS]);
		done += atomic_load(&c->port[i].count[PORT_COUNT_TX_PACKETS]);
		for (unsigned v = _VERDICT_FRAME_N; v < _VERDICT_N; v++)
			done += atomic_load(&c->port[i].drop[v]);
	}
	assert_int_equal(due, done);
}

static inline int teardown(void **state)
{
	check_copies();
	fw = forward_free(fw);
	fib = fib_free(fib);
	plan = plan_free(plan);
	free(fake.bytes);
	rcu_unregister_thread();
	return 0;
}

/* members of a group as digits: "123" */
static inline void members(const char *source, const char *group, const char *digits)
{
	struct addr g = a(group), s = source ? a(source) : addr_any(addr_family(&g));
	struct portset out = {0};

	for (; *digits; digits++)
		portset_add(&out, (unsigned)(*digits - '0'));
	assert_int_equal(fib_set(fib, 0, &s, &g, &out), 0);
}

static inline struct packet *next_packet(void)
{
	assert_in_range(n_pool, 0, BURST_MAX - 1);
	return &pool[n_pool++];
}

/* Puts the packet into the burst. It keeps its own memory. */
static inline struct packet *arrives(unsigned port, struct packet *p)
{
	struct frame f = packet_frame(p);

	burst_add(&burst, port, &f);
	return p;
}

static inline struct packet *udp(
	unsigned port, const char *src, const char *dst, size_t payload)
{
	struct packet *p = next_packet();

	if (strchr(dst, ':'))
		packet_v6(p, src, dst, payload);
	else
		packet_v4(p, src, dst, payload);
	return arrives(port, p);
}

static inline struct packet *udp_ttl(
	unsigned port, const char *src, const char *dst, uint8_t ttl)
{
	struct packet *p = next_packet();

	packet_v4(p, src, dst, 50);
	p->b[8] = ttl;
	packet_seal(p);
	return arrives(port, p);
}

/* Handles a burst as a worker without helpers does. */
static inline void forward_and_send(struct forward *f, struct burst *b,
	const struct plan *p, struct fib *t, const struct tx_ops *ops)
{
	struct replicate_job job;

	forward_burst(f, b, p, t, ops, &job);
	replicate_serve_all(f->replicator, &job, ops);
	burst_clear(b);
}

static inline void run(void)
{
	forward_and_send(fw, &burst, plan, fib, &tx);
	assert_int_equal(fake.n_flushed, fake.n); /* everything was flushed */
	assert_int_equal(burst.n_frames, 0);
	n_pool = 0;
}

static inline unsigned sent_to(unsigned port)
{
	unsigned n = 0;

	for (unsigned i = 0; i < fake.n; i++)
		n += fake.v[i].port == port;
	return n;
}

/* digits of the ports that got something, with repetition: "1123" */
static inline void assert_sent(const char *digits)
{
	char got[SENT_MAX + 1];

	for (unsigned i = 0; i < fake.n; i++)
		got[i] = (char)('0' + fake.v[i].port);
	got[fake.n] = '\0';
	assert_string_equal(got, digits);
	fake.n = fake.n_flushed = 0;
}

static inline uint64_t drops(unsigned port, enum verdict v)
{
	return atomic_load(&fw->counters.port[port].drop[v]);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
