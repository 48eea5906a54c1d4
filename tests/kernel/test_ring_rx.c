/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Receive rings alone, on one end of a veth pair: their description of frames that an
 * ordinary host sends from the other end.
 */

#include "dataplane/io/ring_rx.h"

#include "lab.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>

#define SOON	  5000 /* ms; a frame must arrive */
#define RING_SIZE (4u * 1024 * 1024)
#define GROUP	  "239.1.2.3"
#define SENDER	  "192.0.2.7"

static enum ring_rx_kind kind;
static struct ring_rx_mode mode;

struct lab {
	struct ring_rx *ring;
	int inject, udp;
	uint8_t mac[6];
	struct ring_block block; /* of the frame that receive() returned */
	bool holds;
	uint8_t buf[70000];
};

static const struct lab_packet packet4 = {
	.src = SENDER, .group = GROUP, .ttl = 9, .number = 1, .payload = 1316};

static struct ring_rx_params params(const struct lab *l)
{
	return (struct ring_rx_params){
		.ifindex = lab_ifindex("up0"),
		.family = FAMILY_IPV4,
		.has_l2 = true,
		.mtu = 1500,
		.size = RING_SIZE,
		.mode = &mode,
		.fanout = RING_RX_NO_FANOUT,
	};
}

static void start(struct lab *l, const struct ring_rx_params *p)
{
	assert_int_equal(ring_rx_open(p, &l->ring), 0);
}

static void give_back(struct lab *l)
{
	if (l->holds)
		ring_rx_release(l->ring, &l->block);
	l->holds = false;
}

/* The next frame; valid until the next call. */
static struct frame_meta receive(struct lab *l)
{
	struct pollfd p = {.fd = ring_rx_fd(l->ring), .events = POLLIN};
	struct frame_meta m;

	while (!l->holds || !ring_rx_next(l->ring, &l->block, &m)) {
		give_back(l);
		l->holds = ring_rx_peek(l->ring, &l->block);
		if (!l->holds && poll(&p, 1, SOON) <= 0)
			fail_msg("no frame came");
	}
	return m;
}

static bool send_segments(struct lab *l, size_t len, uint16_t size)
{
	for (size_t i = 0; i < len; i++)
		l->buf[i] = (uint8_t)(i * 7 + (i >> 8));
	return lab_udp_send(l->udp, GROUP, l->buf, len, size);
}

static void expect_payload(const struct lab *l, const struct frame_meta *m, size_t len)
{
	assert_int_equal(m->l3_len, 28 + len);
	assert_int_equal(m->l3_caplen, 28 + len);
	assert_memory_equal(m->l3 + 28, l->buf, len);
}

/* Returns false if the kernel cannot do it. */
static bool want_offload(void)
{
	mode.offload = true;
	ring_rx_probe(&mode);
	return mode.offload;
}

static void check_plain_frame(struct lab *l)
{
	struct ring_rx_params p = params(l);
	struct frame_meta m;
	size_t n;

	start(l, &p);
	n = lab_frame(l->buf, &packet4, l->mac);
	lab_send(l->inject, l->buf, n);
	m = receive(l);
	assert_int_equal(m.l3_len, n - LAB_L2);
	assert_int_equal(m.l3_caplen, n - LAB_L2);
	assert_memory_equal(m.l3, l->buf + LAB_L2, n - LAB_L2);
	assert_memory_equal(m.l2, l->buf, LAB_L2);
	assert_int_equal(m.gso_size, 0);
	assert_false(m.gso_udp || m.csum_not_ready || m.vlan_valid);
	assert_int_equal((uintptr_t)m.l3 % 16, 0);
}

static void test_plain_frame(void **state)
{
	check_plain_frame(*state);
}

static void test_plain_frame_behind_a_header(void **state)
{
	if (!want_offload())
		skip();
	check_plain_frame(*state);
}

static void r183_size_of_the_pieces(void **state)
{
	static const struct {
		size_t len;
		uint16_t size;
	} row[] = {{2944, 1472}, {2000, 1000}, {64768, 1472}, {65000, 1300},
		{1473, 1472}, {65490, 1472}};
	struct lab *l = *state;
	struct ring_rx_params p = params(l);

	if (!want_offload())
		skip();
	start(l, &p);
	for (size_t i = 0; i < array_len(row); i++) {
		struct frame_meta m;

		if (!send_segments(l, row[i].len, row[i].size))
			skip();
		m = receive(l);
		expect_payload(l, &m, row[i].len);
		assert_int_equal(m.gso_size, row[i].size);
		assert_true(m.gso_udp);
		assert_true(m.csum_not_ready);
	}
	assert_true(send_segments(l, 1472, 1472));
	assert_int_equal(receive(l).gso_size, 0);
}

/* Without the vnet header it is one large, complete frame. */
static void r183_size_unknown(void **state)
{
	struct lab *l = *state;
	struct ring_rx_params p = params(l);
	struct frame_meta m;

	start(l, &p);
	if (!send_segments(l, 29440, 1472))
		skip();
	m = receive(l);
	expect_payload(l, &m, 29440);
	assert_int_equal(m.gso_size, 0);
}

static void numbered(struct lab *l, uint32_t number, size_t payload)
{
	struct lab_packet p = packet4;

	p.number = number;
	p.payload = payload;
	lab_send(l->inject, l->buf, lab_frame(l->buf, &p, l->mac));
}

/* Several times round the ring, with some frames that do not fit into a slot. */
static void test_order_and_wrap(void **state)
{
	struct lab *l = *state;
	struct ring_rx_params p = params(l);
	struct ring_rx_stats st;
	uint32_t got = 0;

	lab_ip("link set up0 mtu 9000");
	lab_ip("link set up1 mtu 9000");
	p.size = 256 * 1024;
	start(l, &p);
	for (uint32_t i = 0; i < 1000; i++) {
		numbered(l, i, i % 7 == 3 ? 8000 : 100 + i);
		while (i % 10 == 9 && got <= i) {
			struct frame_meta m = receive(l);

			assert_int_equal(m.l3_caplen, m.l3_len);
			assert_int_equal(lab_number(m.l3), got++);
		}
	}
	ring_rx_stats(l->ring, &st);
	assert_int_equal(st.packets, 1000);
	assert_int_equal(st.drops, 0);
}

/* A full ring drops the newest frames, counts them, and continues when it is read. */
static void test_overrun(void **state)
{
	struct lab *l = *state;
	struct ring_rx_params p = params(l);
	struct ring_rx_stats st;
	uint32_t n;

	p.size = 64 * 1024;
	start(l, &p);
	for (uint32_t i = 0; i < 200; i++)
		numbered(l, i, 1316);
	ring_rx_stats(l->ring, &st);
	assert_int_equal(st.packets, 200);
	assert_true(st.drops > 0);
	n = 200 - st.drops;
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(lab_number(receive(l).l3), i);
	give_back(l);
	numbered(l, 1000, 1316);
	assert_int_equal(lab_number(receive(l).l3), 1000);
}

/* Blocks may be held for long, but half of the ring must be left to the kernel. */
static void test_scarce(void **state)
{
	struct lab *l = *state;
	struct ring_rx_params p = params(l);
	struct ring_block held[128];
	struct ring_rx_place place;
	uint32_t n = 0, n_slots = 0;

	p.size = 256 * 1024;
	start(l, &p);
	ring_rx_place(l->ring, &place);
	assert_in_range(place.n_slots, 2, 128);
	while (n_slots < place.n_slots) {
		struct pollfd fd = {.fd = ring_rx_fd(l->ring), .events = POLLIN};

		assert_int_equal(
			ring_rx_is_scarce(l->ring), n_slots > place.n_slots / 2);
		numbered(l, n, 100);
		while (!ring_rx_peek(l->ring, &held[n]))
			if (poll(&fd, 1, SOON) <= 0)
				fail_msg("no frame came");
		n_slots += held[n++].n_slots;
	}
	assert_true(ring_rx_is_scarce(l->ring));
	for (uint32_t i = 0; i < n; i++)
		ring_rx_release(l->ring, &held[i]);
	assert_false(ring_rx_is_scarce(l->ring));
}

/* TPACKET_V2: a frame that is longer than a slot needs room in the receive buffer. */
static void r184_no_room_for_a_long_frame(void **state)
{
	struct lab *l = *state;
	struct ring_rx_params p = params(l);
	struct frame_meta m;
	int bytes = 1;

	if (kind != RING_RX_FRAMES)
		skip();
	start(l, &p);
	assert_int_equal(setsockopt(ring_rx_fd(l->ring), SOL_SOCKET, SO_RCVBUF, &bytes,
				 sizeof(bytes)),
		0);
	for (unsigned i = 0; i < 3; i++)
		if (!send_segments(l, 60000, 1000))
			skip();
	m = receive(l);
	expect_payload(l, &m, 60000);
	for (unsigned i = 0; i < 2; i++) {
		m = receive(l);
		assert_int_equal(m.l3_len, 60028);
		assert_true(m.l3_caplen < m.l3_len);
	}
	/* the first frame was fetched, so there is room again */
	assert_true(send_segments(l, 60000, 1000));
	m = receive(l);
	expect_payload(l, &m, 60000);
}

static int set_up(void **state)
{
	static struct lab lab;

	lab = (struct lab){.inject = -1, .udp = -1};
	mode = (struct ring_rx_mode){.kind = kind};
	lab_veth("up");
	lab_ip("link set up0 mtu 1500");
	lab_ip("link set up1 mtu 1500");
	lab_ip("addr add " SENDER "/24 dev up1");
	lab.inject = lab_socket("up1");
	lab.udp = lab_udp_sender("up1", SENDER);
	lab_mac("up1", lab.mac);
	*state = &lab;
	return 0;
}

static int tear_down(void **state)
{
	struct lab *l = *state;

	ring_rx_close(l->ring);
	closep(&l->inject);
	closep(&l->udp);
	lab_delete("up0");
	return 0;
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest cases[] = {
		CASE(test_plain_frame),
		CASE(test_plain_frame_behind_a_header),
		CASE(r183_size_of_the_pieces),
		CASE(r183_size_unknown),
		CASE(test_order_and_wrap),
		CASE(test_overrun),
		CASE(test_scarce),
		CASE(r184_no_room_for_a_long_frame),
	};
	int r = lab_enter(), n;

	if (r < 0) {
		printf("skipped: no network namespace of our own (%s)\n", strerror(-r));
		return 77;
	}
	kind = RING_RX_BLOCKS;
	n = cmocka_run_group_tests_name("TPACKET_V3", cases, NULL, NULL);
	kind = RING_RX_FRAMES;
	n += cmocka_run_group_tests_name("TPACKET_V2", cases, NULL, NULL);
	return n ? 1 : 0;
}
