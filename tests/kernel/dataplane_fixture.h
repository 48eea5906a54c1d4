/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The data plane between real interfaces: port 0 is the upstream "up0", ports 1 and 2
 * the downstreams "da0" and "db0"; the other ends of the veth pairs are the world. All
 * cases run with sendmmsg, with io_uring, and with rings of single frames. For programs
 * that link lab.c.
 */

#include "dataplane/thread/dataplane.h"
#include "lab.h"

#include <errno.h>
#include <stdio.h>

#define UP	  0
#define DA	  1
#define DB	  2
#define SOON	  5000 /* ms; a frame must arrive */
#define QUIET	  200  /* ms; no frame may arrive */
#define RING_SIZE (4u * 1024 * 1024)

static enum dataplane_transmit kind;

struct lab {
	struct dataplane *dp;
	int inject, sink[3]; /* sockets in the world; sink by port */
	int tun, counter;    /* -1 if the case has none */
	uint8_t mac[6];	     /* of a sender in the world */
	struct plan_port port[PORT_MAX];
	uint8_t buf[70000];
};

static const struct lab_packet packet4 = {.src = "192.0.2.7",
	.group = "239.1.2.3",
	.ttl = 9,
	.number = 1,
	.payload = 1316};
static const struct lab_packet packet6 = {.src = "2001:db8::7",
	.group = "ff0e::1:2:3",
	.ttl = 9,
	.number = 1,
	.payload = 1200};

/* Plan and table */

static inline void define_port(struct lab *l, unsigned i, const char *name, bool has_l2)
{
	struct plan_port *p = &l->port[i];

	*p = (struct plan_port){
		.present = true,
		.ifindex = lab_ifindex(name),
		.role = i == UP ? PLAN_UPSTREAM : PLAN_DOWNSTREAM,
		.has_l2 = has_l2,
		.mtu = 1500,
		.threshold = 1,
		.receive = i == UP,
		.ipv4 = true,
		.ipv6 = true,
	};
	snprintf(p->name, sizeof(p->name), "%s", name);
	if (has_l2)
		lab_mac(name, p->mac);
	memset(&p->allowed, 0xff, sizeof(p->allowed));
}

static inline void apply(struct lab *l)
{
	static const struct plan_source all[] = {
		{.prefix = {.addr = ADDR_V4(0, 0, 0, 0), .len = 96}, .accept = true},
		{.prefix = {.len = 0}, .accept = true},
	};
	struct plan *plan = plan_new();

	assert_non_null(plan);
	for (unsigned i = 0; i < PORT_MAX; i++) {
		plan->port[i] = l->port[i];
		if (plan->port[i].present)
			assert_int_equal(plan_set_sources(&plan->port[i], all, 2), 0);
	}
	assert_int_equal(dataplane_apply(l->dp, plan), 0);
}

static inline void join(struct lab *l, const char *group, unsigned port)
{
	struct portset out = {0};
	struct addr any, g = a(group);

	any = addr_any(addr_family(&g));
	portset_add(&out, port);
	if (port == DB)
		portset_add(&out, DA);
	assert_int_equal(fib_set(dataplane_fib(l->dp), 0, &any, &g, &out), 0);
}

static bool receive_offload;
static enum dataplane_latency latency;
static enum quality_mode quality; /* the default if 0 */

static inline void start(struct lab *l, unsigned threads, uint32_t ring_size)
{
	struct dataplane_config cfg = {
		/* the tests count datagrams with plain packet sockets */
		.coalesce = COALESCE_OFF,
		.threads = threads,
		.ring_size = ring_size,
		.transmit = kind,
		.latency = latency,
		.receive_offload = receive_offload,
		.quality = quality,
		.seed = 1,
	};

	assert_int_equal(dataplane_new(&cfg, &l->dp), 0);
	assert_string_equal(dataplane_transmit(l->dp, NULL),
		kind == DATAPLANE_TX_IO_URING ? "io_uring" : "sendmmsg");
	assert_int_equal(dataplane_threads(l->dp), threads);
	apply(l);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(dataplane_port_error(l->dp, i), 0);
	join(l, packet4.group, DB);
	join(l, packet6.group, DB);
}

static inline uint64_t verdict_of(struct lab *l, unsigned port, enum verdict v)
{
	struct dataplane_port_stats st;

	dataplane_port_stats(l->dp, port, &st);
	return st.verdict[v];
}

struct expected {
	struct lab *l;
	unsigned port;
	enum verdict verdict;
	uint64_t n;
};

/* Number of copies for a port that were sent or refused. */
static inline uint64_t copies_of(struct lab *l, unsigned port)
{
	struct dataplane_port_stats st;
	uint64_t n;

	dataplane_port_stats(l->dp, port, &st);
	n = st.count[PORT_COUNT_TX_PACKETS];
	for (unsigned v = _VERDICT_FRAME_N; v < _VERDICT_N; v++)
		n += st.verdict[v];
	return n;
}

static inline bool are_copies_counted(void *arg)
{
	struct expected *e = arg;

	return copies_of(e->l, e->port) >= e->n;
}

static inline void wait_copies(struct lab *l, unsigned port, uint64_t n)
{
	struct expected e = {.l = l, .port = port, .n = n};

	assert_true(lab_wait(are_copies_counted, &e));
	assert_int_equal(copies_of(l, port), n);
}

static inline bool is_counted(void *arg)
{
	struct expected *e = arg;
	bool done = verdict_of(e->l, e->port, e->verdict) >= e->n;

	dataplane_control_sleep();
	dataplane_control_wake();
	return done;
}

static inline void wait_verdict(
	struct lab *l, unsigned port, enum verdict v, uint64_t n)
{
	struct expected e = {l, port, v, n};

	if (!lab_wait(is_counted, &e))
		fail_msg("port %u %s: %ju of %ju", port, verdict_name(v),
			(uintmax_t)verdict_of(l, port, v), (uintmax_t)n);
	assert_int_equal(verdict_of(l, port, v), n);
}

/* Frames */

static inline void inject(struct lab *l, const struct lab_packet *p)
{
	lab_send(l->inject, l->buf, lab_frame(l->buf, p, l->mac));
}

static inline void inject_numbered(
	struct lab *l, const struct lab_packet *p, uint32_t number)
{
	struct lab_packet n = *p;

	n.number = number;
	inject(l, &n);
}

/* The next frame of a downstream is exactly this packet, with the TTL one lower. */
static inline void expect(struct lab *l, unsigned port, const struct lab_packet *p)
{
	static uint8_t want[70000];
	struct lab_packet older = *p;
	size_t len, n;

	older.ttl--;
	len = lab_frame(want, &older, l->port[port].mac);
	n = lab_receive(l->sink[port], l->buf, sizeof(l->buf), SOON);
	assert_int_equal(n, len);
	assert_memory_equal(l->buf, want, len);
}

static inline void expect_nothing(struct lab *l, unsigned port)
{
	assert_int_equal(lab_receive(l->sink[port], l->buf, sizeof(l->buf), QUIET), 0);
}

/* Fixture */

static inline int set_up(void **state)
{
	static struct lab lab;

	lab = (struct lab){
		.inject = -1, .sink = {-1, -1, -1}, .tun = -1, .counter = -1};
	receive_offload = true;
	lab_veth("up");
	lab_veth("da");
	lab_veth("db");
	define_port(&lab, UP, "up0", true);
	define_port(&lab, DA, "da0", true);
	define_port(&lab, DB, "db0", true);
	lab.inject = lab_socket("up1");
	lab.sink[DA] = lab_socket("da1");
	lab.sink[DB] = lab_socket("db1");
	lab_mac("up1", lab.mac);
	*state = &lab;
	return 0;
}

static inline int tear_down(void **state)
{
	struct lab *l = *state;

	dataplane_free(l->dp);
	closep(&l->inject);
	closep(&l->sink[DA]);
	closep(&l->sink[DB]);
	closep(&l->tun);
	closep(&l->counter);
	lab_delete("up0");
	lab_delete("da0");
	lab_delete("db0");
	lab_delete("dc0");
	return 0;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

static inline bool uring_permitted(void)
{
	struct dataplane_config cfg = {
		.threads = 1,
		.ring_size = RING_SIZE,
		.transmit = DATAPLANE_TX_AUTO,
	};
	struct dataplane *dp;
	const char *why;
	bool permitted;

	if (dataplane_new(&cfg, &dp) < 0)
		return false;
	permitted = strcmp(dataplane_transmit(dp, &why), "io_uring") == 0;
	if (!permitted)
		printf("skipped: %s\n", why);
	dataplane_free(dp);
	return permitted;
}

/* The body of main(). */
static inline int run_in_each_way(const struct CMUnitTest *cases, size_t n_cases)
{
	int r = lab_enter(), n;

	if (r < 0) {
		printf("skipped: no network namespace of our own (%s)\n", strerror(-r));
		return 77;
	}
	kind = DATAPLANE_TX_SENDMMSG;
	latency = DATAPLANE_LATENCY_LOW;
	n = _cmocka_run_group_tests("latency low", cases, n_cases, NULL, NULL);
	latency = DATAPLANE_LATENCY_BALANCED;
	n += _cmocka_run_group_tests("sendmmsg", cases, n_cases, NULL, NULL);
	kind = DATAPLANE_TX_IO_URING;
	if (uring_permitted())
		n += _cmocka_run_group_tests("io_uring", cases, n_cases, NULL, NULL);
	return n ? 1 : 0;
}
