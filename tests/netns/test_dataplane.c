/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The data plane between real interfaces: port 0 is the upstream "up0", ports 1 and 2
 * the downstreams "da0" and "db0"; the other ends of the veth pairs are the world. All
 * cases run with sendmmsg, with io_uring, and with rings of single frames.
 */

#include "dataplane/dataplane.h"

#include "dataplane/sockfilter.h"
#include "lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define UP	  0
#define DA	  1
#define DB	  2
#define SOON	  5000 /* ms: a frame that must come */
#define QUIET	  200  /* ms: nothing may come */
#define RING_SIZE (4u * 1024 * 1024)

static enum dataplane_transmit kind;

struct lab {
	struct dataplane *dp;
	int inject, sink[3]; /* world ends; sink by port */
	int tun;
	uint8_t mac[6]; /* of a sender in the world */
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

static void define_port(struct lab *l, unsigned i, const char *name, bool has_l2)
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

static void apply(struct lab *l)
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

static void join(struct lab *l, const char *group, unsigned port)
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

static void start(struct lab *l, unsigned threads, uint32_t ring_size)
{
	struct dataplane_config cfg = {
		/* these hosts count datagrams with plain packet sockets */
		.coalesce = COALESCE_OFF,
		.threads = threads,
		.ring_size = ring_size,
		.transmit = kind,
		.latency = latency,
		.receive_offload = receive_offload,
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

static uint64_t verdict_of(struct lab *l, unsigned port, enum verdict v)
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

/* copies of a port that have an end, good or bad */
static uint64_t copies_of(struct lab *l, unsigned port)
{
	struct dataplane_port_stats st;
	uint64_t n;

	dataplane_port_stats(l->dp, port, &st);
	n = st.tx_packets;
	for (unsigned v = _VERDICT_FRAME_N; v < _VERDICT_N; v++)
		n += st.verdict[v];
	return n;
}

static bool are_copies_counted(void *arg)
{
	struct expected *e = arg;

	return copies_of(e->l, e->port) >= e->n;
}

static void wait_copies(struct lab *l, unsigned port, uint64_t n)
{
	struct expected e = {.l = l, .port = port, .n = n};

	assert_true(lab_wait(are_copies_counted, &e));
	assert_int_equal(copies_of(l, port), n);
}

static bool is_counted(void *arg)
{
	struct expected *e = arg;
	bool done = verdict_of(e->l, e->port, e->verdict) >= e->n;

	dataplane_control_sleep();
	dataplane_control_wake();
	return done;
}

static void wait_verdict(struct lab *l, unsigned port, enum verdict v, uint64_t n)
{
	struct expected e = {l, port, v, n};

	if (!lab_wait(is_counted, &e))
		fail_msg("port %u %s: %ju of %ju", port, verdict_name(v),
			(uintmax_t)verdict_of(l, port, v), (uintmax_t)n);
	assert_int_equal(verdict_of(l, port, v), n);
}

/* Frames */

static void inject(struct lab *l, const struct lab_packet *p)
{
	lab_send(l->inject, l->buf, lab_frame(l->buf, p, l->mac));
}

static void inject_numbered(struct lab *l, const struct lab_packet *p, uint32_t number)
{
	struct lab_packet n = *p;

	n.number = number;
	inject(l, &n);
}

/* What comes out of a downstream next is exactly this packet, one hop older. */
static void expect(struct lab *l, unsigned port, const struct lab_packet *p)
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

static void expect_nothing(struct lab *l, unsigned port)
{
	assert_int_equal(lab_receive(l->sink[port], l->buf, sizeof(l->buf), QUIET), 0);
}

static void test_forwards_both_families(void **state)
{
	struct lab *l = *state;
	struct dataplane_port_stats st;

	start(l, 1, RING_SIZE);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	inject(l, &packet6);
	expect(l, DA, &packet6);
	expect(l, DB, &packet6);
	wait_verdict(l, UP, VERDICT_FORWARDED, 2);
	wait_copies(l, DA, 2);
	dataplane_port_stats(l->dp, DA, &st);
	assert_int_equal(st.tx_packets, 2);
	assert_int_equal(st.tx_bytes, 20 + 8 + 1316 + 40 + 8 + 1200);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.rx_packets, 2);
	assert_int_equal(st.ring_packets, 2);
	assert_int_equal(st.ring_drops, 0);
}

/* A burst of more frames than a burst holds, to one port only. */
static void test_forwards_many_in_order(void **state)
{
	struct lab *l = *state;
	struct lab_packet p = packet4;

	p.group = "239.9.9.9";
	p.payload = 64;
	/* A block is full or a millisecond old: many of them bridge a thread that is
	 * slow under a sanitizer. */
	start(l, 1, 8 * RING_SIZE);
	join(l, p.group, DA);
	for (uint32_t first = 0; first < 3000; first += 1000) {
		for (uint32_t i = first; i < first + 1000; i++)
			inject_numbered(l, &p, i);
		for (uint32_t i = first; i < first + 1000; i++) {
			assert_int_not_equal(
				lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON),
				0);
			assert_int_equal(lab_number(l->buf + LAB_L2), i);
		}
	}
	expect_nothing(l, DB);
}

/* An ordinary UDP socket behind a veth leaves the checksum to its device. */
static void r182_partial_checksum_is_completed(void **state)
{
	struct lab *l = *state;
	uint8_t payload[999];
	int raw = lab_socket("up0"), fd;
	size_t n;

	lab_ip("addr add 192.0.2.7/24 dev up1");
	start(l, 1, RING_SIZE);
	fd = lab_udp_sender("up1", "192.0.2.7");
	memset(payload, 0x5a, sizeof(payload));
	assert_true(lab_udp_send(fd, packet4.group, payload, sizeof(payload), 0));
	close(fd);

	n = lab_receive(raw, l->buf, sizeof(l->buf), SOON);
	close(raw);
	assert_int_equal(n, LAB_L2 + 28 + sizeof(payload));
	assert_false(lab_udp_ok(l->buf + LAB_L2, n - LAB_L2)); /* the case is real */
	for (unsigned port = DA; port <= DB; port++) {
		n = lab_receive(l->sink[port], l->buf, sizeof(l->buf), SOON);
		assert_int_equal(n, LAB_L2 + 28 + sizeof(payload));
		assert_true(lab_udp_ok(l->buf + LAB_L2, n - LAB_L2));
		assert_memory_equal(l->buf + LAB_L2 + 28, payload, sizeof(payload));
	}
}

static void r180_own_frames_do_not_come_back(void **state)
{
	struct lab *l = *state;
	struct dataplane_port_stats st;

	l->port[DA].receive = true;
	start(l, 1, RING_SIZE);
	for (uint32_t i = 0; i < 20; i++)
		inject_numbered(l, &packet4, i);
	for (uint32_t i = 0; i < 20; i++)
		assert_int_not_equal(
			lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON), 0);
	wait_copies(l, DA, 20);
	dataplane_port_stats(l->dp, DA, &st);
	assert_int_equal(st.tx_packets, 20);
	assert_int_equal(st.ring_packets, 0);

	/* reflected by the world: the source is a MAC of ours */
	lab_send(l->sink[DA], l->buf, lab_frame(l->buf, &packet4, l->port[DA].mac));
	wait_verdict(l, DA, VERDICT_OWN_MAC, 1);
	lab_send(l->sink[DA], l->buf, lab_frame(l->buf, &packet4, l->port[UP].mac));
	wait_verdict(l, DA, VERDICT_OWN_MAC, 2);
	lab_send(l->sink[DA], l->buf, lab_frame(l->buf, &packet4, l->mac));
	wait_verdict(l, DA, VERDICT_FORWARDED, 1); /* to DB */
}

static void test_unicast_mac(void **state)
{
	static const uint8_t stranger[6] = {2, 0, 0, 0, 0, 0x77};
	struct lab *l = *state;
	struct dataplane_port_stats st;
	size_t n;

	start(l, 1, RING_SIZE);
	/* for another station */
	n = lab_frame(l->buf, &packet4, l->mac);
	memcpy(l->buf, stranger, 6);
	lab_send(l->inject, l->buf, n);
	/* for us: a bridge or access point made unicast of it */
	n = lab_frame(l->buf, &packet6, l->mac);
	memcpy(l->buf, l->port[UP].mac, 6);
	lab_send(l->inject, l->buf, n);
	expect(l, DA, &packet6);
	expect(l, DB, &packet6);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.ring_packets, 1);
}

static size_t tag(uint8_t *frame, size_t len, uint16_t tci)
{
	memmove(frame + 16, frame + 12, len - 12);
	frame[12] = 0x81;
	frame[13] = 0;
	frame[14] = (uint8_t)(tci >> 8);
	frame[15] = (uint8_t)tci;
	return len + 4;
}

static void r181_vlan_tags(void **state)
{
	struct lab *l = *state;
	struct dataplane_port_stats st;

	start(l, 1, RING_SIZE);
	/* VLAN 7 is not ours */
	lab_send(
		l->inject, l->buf, tag(l->buf, lab_frame(l->buf, &packet4, l->mac), 7));
	/* VID 0 only carries a priority */
	lab_send(l->inject, l->buf,
		tag(l->buf, lab_frame(l->buf, &packet6, l->mac), 5 << 13));
	expect(l, DA, &packet6); /* and no tag gets out */
	expect(l, DB, &packet6);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.ring_packets, 1);
}

/* The filter alone, on a socket that stands before VLAN demultiplexing. */
static void r181_filter_refuses_tags(void **state)
{
	struct lab *l = *state;
	struct sock_fprog prog;
	int raw = lab_socket("up0");
	size_t n;

	assert_int_equal(sockfilter_data(FAMILY_IPV4, true, &prog), 0);
	assert_int_equal(
		setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)), 0);
	sockfilter_deinit(&prog);
	n = tag(l->buf, lab_frame(l->buf, &packet4, l->mac), 7);
	lab_send(l->inject, l->buf, n);
	n = lab_frame(l->buf, &packet4, l->mac);
	memcpy(l->buf, "\2\0\0\0\0\x77", 6); /* another station */
	lab_send(l->inject, l->buf, n);
	inject(l, &packet6);
	inject_numbered(l, &packet4, 42);
	assert_int_not_equal(lab_receive(raw, l->buf, sizeof(l->buf), SOON), 0);
	assert_int_equal(lab_number(l->buf + LAB_L2), 42);
	close(raw);
}

static void r175_control_stays_out_of_the_ring(void **state)
{
	static const uint8_t report[] = {0x46, 0xc0, 0, 32, 0, 0, 0x40, 0, 1, 2, 0, 0,
		192, 0, 2, 7, 239, 1, 2, 3, 0x94, 4, 0, 0, 0x16, 0, 0xf8, 0xf6, 239, 1,
		2, 3};
	struct lab *l = *state;
	struct dataplane_port_stats st;

	start(l, 1, RING_SIZE);
	lab_frame(l->buf, &packet4, l->mac);
	memcpy(l->buf + LAB_L2, report, sizeof(report));
	lab_send(l->inject, l->buf, LAB_L2 + sizeof(report));
	inject(l, &packet4);
	expect(l, DA, &packet4);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.ring_packets, 1);
}

/* Payload of what comes out of a port, until there are `len` octets of it. */
static void expect_stream(struct lab *l, unsigned port, const uint8_t *want, size_t len)
{
	size_t got = 0;

	while (got < len) {
		size_t n = lab_receive(l->sink[port], l->buf, sizeof(l->buf), SOON);

		assert_true(n > LAB_L2 + 28);
		n -= LAB_L2 + 28;
		assert_true(n <= len - got);
		assert_memory_equal(l->buf + LAB_L2 + 28, want + got, n);
		got += n;
	}
}

/* Whole or cut, as the port takes it: the receivers get all of it, in order. */
static void r183_super_frames_pass(void **state)
{
	static uint8_t payload[61000];
	struct lab *l = *state;
	int fd;

	lab_ip("addr add 192.0.2.7/24 dev up1");
	start(l, 1, RING_SIZE);
	if (!dataplane_receive_offload(l->dp))
		skip();
	fd = lab_udp_sender("up1", "192.0.2.7");
	for (size_t i = 0; i < sizeof(payload); i++)
		payload[i] = (uint8_t)(i * 7 + (i >> 8));
	for (unsigned i = 0; i < 20; i++) {
		/* a shorter last piece, and a plain frame behind it */
		if (!lab_udp_send(fd, packet4.group, payload, sizeof(payload), 1400))
			skip();
		inject_numbered(l, &packet4, i);
		for (unsigned port = DA; port <= DB; port++) {
			expect_stream(l, port, payload, sizeof(payload));
			assert_int_not_equal(lab_receive(l->sink[port], l->buf,
						     sizeof(l->buf), SOON),
				0);
			assert_int_equal(lab_number(l->buf + LAB_L2), i);
		}
	}
	close(fd);
	assert_int_equal(verdict_of(l, UP, VERDICT_SUPERFRAME), 0);
	assert_int_equal(verdict_of(l, UP, VERDICT_TRUNCATED), 0);
}

/* A large frame whose pieces are unknown cannot be cut. */
static void r183_without_offload(void **state)
{
	struct lab *l = *state;
	int fd;

	receive_offload = false;
	lab_ip("addr add 192.0.2.7/24 dev up1");
	start(l, 1, RING_SIZE);
	fd = lab_udp_sender("up1", "192.0.2.7");
	memset(l->buf, 0x5a, 30000);
	if (!lab_udp_send(fd, packet4.group, l->buf, 30000, 1000))
		skip();
	close(fd);
	wait_verdict(l, UP, VERDICT_SUPERFRAME, 1);
	inject(l, &packet4);
	expect(l, DA, &packet4);
}

static void r184_too_long_for_link_or_slot(void **state)
{
	struct lab *l = *state;
	struct lab_packet jumbo = packet4;

	jumbo.payload = 8972;
	/* blocks of one page: the frame does not fit; a long one that does not fit into
	 * a slot of its own comes beside the ring */
	start(l, 1, 16384);
	inject(l, &jumbo);
	wait_verdict(l, UP,
		latency == DATAPLANE_LATENCY_LOW ? VERDICT_SUPERFRAME
						 : VERDICT_TRUNCATED,
		1);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	l->dp = dataplane_free(l->dp);
	expect(l, DB, &packet4);

	start(l, 1, RING_SIZE);
	inject(l, &jumbo);
	wait_verdict(l, UP, VERDICT_SUPERFRAME, 1);
	l->port[UP].mtu = 9200;
	l->port[DA].mtu = 9200;
	apply(l);
	inject(l, &jumbo); /* DF: DB cannot take it */
	expect(l, DA, &jumbo);
	wait_verdict(l, DB, VERDICT_MTU_DF, 1);
	expect_nothing(l, DB);
}

/* The kernel makes a link that comes up usable a little later: send until a frame gets
 * through to that port. */
static void wait_link(struct lab *l, unsigned port)
{
	for (int i = 0; i < SOON / 20; i++) {
		inject(l, &packet4);
		if (lab_receive(l->sink[port], l->buf, sizeof(l->buf), 20) == 0)
			continue;
		for (unsigned k = DA; k <= DB; k++)
			while (lab_receive(l->sink[k], l->buf, sizeof(l->buf), 20) > 0)
				;
		return;
	}
	fail_msg("nothing comes through to port %u", port);
}

static void test_port_down_leaves_others_alone(void **state)
{
	struct lab *l = *state;

	start(l, 1, RING_SIZE);
	lab_ip("link set da0 down");
	for (uint32_t i = 0; i < 100; i++)
		inject_numbered(l, &packet4, i);
	for (uint32_t i = 0; i < 100; i++) {
		assert_int_not_equal(
			lab_receive(l->sink[DB], l->buf, sizeof(l->buf), SOON), 0);
		assert_int_equal(lab_number(l->buf + LAB_L2), i);
	}
	wait_verdict(l, DA, VERDICT_PORT_DOWN, 100);
	lab_ip("link set da0 up");
	wait_link(l, DA);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
}

/* A qdisc that lets nothing through: the socket fills up. */
static void test_full_port_leaves_others_alone(void **state)
{
	const unsigned rounds = 60, n = 100;
	struct lab *l = *state;
	struct dataplane_port_stats st;

	if (system("tc qdisc add dev da0 root tbf rate 8bit burst 1600 limit 100m") !=
		0)
		skip();
	start(l, 1, RING_SIZE);
	for (uint32_t i = 0; i < rounds * n; i++) {
		inject_numbered(l, &packet4, i);
		if (i % n < n - 1)
			continue;
		for (uint32_t k = i + 1 - n; k <= i; k++) {
			assert_int_not_equal(
				lab_receive(l->sink[DB], l->buf, sizeof(l->buf), SOON),
				0);
			assert_int_equal(lab_number(l->buf + LAB_L2), k);
		}
	}
	wait_copies(l, DA, rounds * n);
	dataplane_port_stats(l->dp, DA, &st);
	assert_int_not_equal(st.verdict[VERDICT_TX_FULL], 0);
	assert_int_not_equal(st.tx_packets, 0);
}

static void r187_upstream_comes_back(void **state)
{
	struct lab *l = *state;
	struct dataplane_port_stats st;
	struct dataplane_stats before, after;

	start(l, 1, RING_SIZE);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	close(l->inject);
	lab_delete("up0");
	expect_nothing(l, DA);
	/* the error of the dead ring does not keep the thread awake */
	dataplane_stats(l->dp, &before);
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &after);
	assert_int_equal(after.wakeups, before.wakeups);

	l->port[UP].present = false;
	apply(l);
	lab_veth("up");
	define_port(l, UP, "up0", true);
	l->inject = lab_socket("up1");
	apply(l);
	assert_int_equal(dataplane_port_error(l->dp, UP), 0);
	inject(l, &packet6);
	expect(l, DA, &packet6);
	expect(l, DB, &packet6);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.rx_packets, 2);
	assert_int_equal(st.ring_packets, 2);
}

static void test_upstream_down_and_up(void **state)
{
	struct lab *l = *state;

	start(l, 1, RING_SIZE);
	lab_ip("link set up0 down");
	lab_ip("link set up0 up");
	wait_link(l, DA);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
}

static bool is_down(void *arg)
{
	struct expected *e = arg;
	struct dataplane_stats st;

	dataplane_stats(e->l->dp, &st);
	return st.wakeups > e->n;
}

/* The error of a ring whose interface is down wakes the thread once; then it sleeps,
 * until something else arrives. */
static void r187_down_ring_is_not_polled(void **state)
{
	struct lab *l = *state;
	struct dataplane_stats before, after;
	struct expected woken = {.l = l};

	l->port[DB].receive = true;
	start(l, 1, RING_SIZE);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &before);
	woken.n = before.wakeups;
	lab_ip("link set up0 down");
	assert_true(lab_wait(is_down, &woken));
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &before);
	expect_nothing(l, DA);
	expect_nothing(l, DB);
	dataplane_stats(l->dp, &after);
	assert_int_equal(after.wakeups, before.wakeups);

	/* a live ring beside it works, and costs a wake-up or two for each frame */
	for (uint32_t i = 0; i < 10; i++) {
		lab_send(l->sink[DB], l->buf, lab_frame(l->buf, &packet4, l->mac));
		assert_int_not_equal(
			lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON), 0);
	}
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &after);
	assert_true(after.wakeups - before.wakeups <= 30);

	lab_ip("link set up0 up");
	wait_link(l, DA);
	inject(l, &packet4);
	expect(l, DA, &packet4);
}

static void test_port_that_cannot_be_opened(void **state)
{
	struct lab *l = *state;

	start(l, 1, RING_SIZE);
	define_port(l, 7, "da0", true);
	l->port[7].ifindex = 9999;
	l->port[7].receive = true;
	apply(l);
	assert_int_equal(dataplane_port_error(l->dp, 7), ENODEV);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	l->port[7].present = false;
	apply(l);
	assert_int_equal(dataplane_port_error(l->dp, 7), 0);
}

/* Links without header */

static bool add_tun(struct lab *l)
{
	struct ifreq ifr = {.ifr_name = "tun0", .ifr_flags = IFF_TUN};

	l->tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (l->tun < 0 || ioctl(l->tun, TUNSETIFF, &ifr) < 0) {
		print_message("skipped: no /dev/net/tun (%s)\n", strerror(errno));
		return false;
	}
	lab_ip("link set tun0 up");
	return true;
}

static void r186_tun_upstream(void **state)
{
	struct lab *l = *state;

	if (!add_tun(l))
		skip();
	define_port(l, UP, "tun0", false);
	start(l, 1, RING_SIZE);
	lab_send_tun(l->tun, l->buf, lab_build(l->buf, &packet4));
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	lab_send_tun(l->tun, l->buf, lab_build(l->buf, &packet6));
	expect(l, DA, &packet6);
	expect(l, DB, &packet6);
}

static void r186_tun_downstream(void **state)
{
	const struct lab_packet *packet[] = {&packet4, &packet6};
	static uint8_t want[2000];
	struct lab *l = *state;

	if (!add_tun(l))
		skip();
	define_port(l, DA, "tun0", false);
	start(l, 1, RING_SIZE);
	for (unsigned i = 0; i < 2; i++) {
		struct lab_packet older = *packet[i];
		size_t len, n;

		older.ttl--;
		len = lab_build(want, &older);
		inject(l, packet[i]);
		n = lab_receive_tun(l->tun, l->buf, sizeof(l->buf), SOON);
		assert_int_equal(n, len);
		assert_memory_equal(l->buf, want, len);
		expect(l, DB, packet[i]);
	}
}

/* Changes */

#define N_CHANGES  10
#define N_NUMBERED 2000 /* frames at least */
#define WINDOW	   50	/* frames on the way */

struct stream {
	struct lab *l;
	uint32_t sent, got;   /* got: in order, on both downstreams */
	_Atomic bool changed; /* all changes are made */
	_Atomic bool over;
};

/* true: the next frame of both downstreams is the one with this number */
static bool receives_number(const struct lab *l, uint32_t number)
{
	uint8_t frame[2000];

	for (unsigned port = DA; port <= DB; port++)
		if (lab_receive(l->sink[port], frame, sizeof(frame), SOON) == 0 ||
			lab_number(frame + LAB_L2) != number)
			return false;
	return true;
}

/* Source and receivers, while the control thread changes the plan. Ends with the first
 * frame that is missing, late or double. */
static void *run_stream(void *arg)
{
	struct stream *s = arg;

	for (;;) {
		bool enough = s->changed && s->sent >= N_NUMBERED;
		struct lab_packet p = packet4;
		uint8_t frame[2000];

		for (; !enough && s->sent < s->got + WINDOW; s->sent++) {
			p.number = s->sent;
			if (send(s->l->inject, frame, lab_frame(frame, &p, s->l->mac),
				    0) < 0)
				break;
		}
		if (s->got == s->sent || !receives_number(s->l, s->got))
			break;
		s->got++;
	}
	s->over = true;
	return NULL;
}

static void test_plan_change_loses_nothing(void **state)
{
	struct lab *l = *state;
	struct stream stream = {.l = l};
	unsigned changes = 0;
	pthread_t thread;

	start(l, 1, RING_SIZE);
	lab_veth("dc");
	define_port(l, 3, "dc0", true);
	l->port[3].receive = true;
	assert_int_equal(pthread_create(&thread, NULL, run_stream, &stream), 0);
	for (; changes < N_CHANGES && !stream.over; changes++) {
		l->port[3].present = !l->port[3].present;
		apply(l);
		dataplane_control_sleep();
		dataplane_control_wake();
	}
	stream.changed = true;
	pthread_join(thread, NULL);
	assert_int_equal(changes, N_CHANGES);
	assert_true(stream.sent >= N_NUMBERED);
	assert_int_equal(stream.got, stream.sent);
	wait_verdict(l, UP, VERDICT_FORWARDED, stream.sent);
}

static void test_idle_threads_sleep(void **state)
{
	struct lab *l = *state;
	struct dataplane_stats before, after;

	start(l, 2, RING_SIZE);
	inject(l, &packet4);
	expect(l, DA, &packet4);
	expect(l, DB, &packet4);
	expect_nothing(l, DA);
	dataplane_stats(l->dp, &before);
	expect_nothing(l, DA);
	expect_nothing(l, DB);
	dataplane_stats(l->dp, &after);
	assert_int_equal(after.wakeups, before.wakeups);
	inject(l, &packet6); /* and wake up again */
	expect(l, DA, &packet6);
	dataplane_stats(l->dp, &after);
	assert_true(after.wakeups > before.wakeups);
}

#define N_GROUPS 16

static void test_two_threads_keep_order_of_flows(void **state)
{
	const uint32_t n = 100;
	struct lab *l = *state;
	uint32_t next[N_GROUPS] = {0};
	char group[N_GROUPS][16];
	struct dataplane_port_stats st;

	/* a block for each millisecond: room for as long as a thread may have to wait
	 */
	start(l, 2, 8 * RING_SIZE);
	for (unsigned g = 0; g < N_GROUPS; g++) {
		snprintf(group[g], sizeof(group[g]), "239.5.5.%u", g);
		join(l, group[g], DA);
	}
	for (uint32_t i = 0; i < n * N_GROUPS; i++) {
		struct lab_packet p = packet4;

		p.group = group[i % N_GROUPS];
		p.number = i / N_GROUPS;
		inject(l, &p);
	}
	for (uint32_t i = 0; i < n * N_GROUPS; i++) {
		unsigned g;

		assert_int_not_equal(
			lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON), 0);
		g = l->buf[LAB_L2 + 19];
		assert_true(g < N_GROUPS);
		assert_int_equal(lab_number(l->buf + LAB_L2), next[g]++);
	}
	expect_nothing(l, DA); /* each frame once */
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.ring_packets, n * N_GROUPS);
	inject(l, &packet6);
	expect(l, DB, &packet6);
}

/* Fixture */

static int set_up(void **state)
{
	static struct lab lab;

	lab = (struct lab){.inject = -1, .sink = {-1, -1, -1}, .tun = -1};
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

static int tear_down(void **state)
{
	struct lab *l = *state;

	dataplane_free(l->dp);
	closep(&l->inject);
	closep(&l->sink[DA]);
	closep(&l->sink[DB]);
	closep(&l->tun);
	lab_delete("up0");
	lab_delete("da0");
	lab_delete("db0");
	lab_delete("dc0");
	return 0;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

static const struct CMUnitTest cases[] = {
	CASE(test_forwards_both_families),
	CASE(test_forwards_many_in_order),
	CASE(r182_partial_checksum_is_completed),
	CASE(r180_own_frames_do_not_come_back),
	CASE(test_unicast_mac),
	CASE(r181_vlan_tags),
	CASE(r181_filter_refuses_tags),
	CASE(r175_control_stays_out_of_the_ring),
	CASE(r183_super_frames_pass),
	CASE(r183_without_offload),
	CASE(r184_too_long_for_link_or_slot),
	CASE(test_port_down_leaves_others_alone),
	CASE(test_full_port_leaves_others_alone),
	CASE(r187_upstream_comes_back),
	CASE(test_upstream_down_and_up),
	CASE(r187_down_ring_is_not_polled),
	CASE(test_port_that_cannot_be_opened),
	CASE(r186_tun_upstream),
	CASE(r186_tun_downstream),
	CASE(test_plan_change_loses_nothing),
	CASE(test_idle_threads_sleep),
	CASE(test_two_threads_keep_order_of_flows),
};

static bool uring_permitted(void)
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

int main(void)
{
	int r = lab_enter(), n;

	if (r < 0) {
		printf("skipped: no network namespace of our own (%s)\n", strerror(-r));
		return 77;
	}
	kind = DATAPLANE_TX_SENDMMSG;
	latency = DATAPLANE_LATENCY_LOW;
	n = cmocka_run_group_tests_name("latency low", cases, NULL, NULL);
	latency = DATAPLANE_LATENCY_BALANCED;
	n += cmocka_run_group_tests_name("sendmmsg", cases, NULL, NULL);
	kind = DATAPLANE_TX_IO_URING;
	if (uring_permitted())
		n += cmocka_run_group_tests_name("io_uring", cases, NULL, NULL);
	return n ? 1 : 0;
}
