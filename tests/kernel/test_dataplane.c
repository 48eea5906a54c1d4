/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The data plane with frames between real interfaces: which ones it forwards, and that
 * only the TTL changes.
 */

#include "dataplane/io/sockfilter.h"
#include "dataplane_fixture.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

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
	assert_int_equal(st.count[PORT_COUNT_TX_PACKETS], 2);
	assert_int_equal(st.count[PORT_COUNT_TX_BYTES], 20 + 8 + 1316 + 40 + 8 + 1200);
	dataplane_port_stats(l->dp, UP, &st);
	assert_int_equal(st.count[PORT_COUNT_RX_PACKETS], 2);
	assert_int_equal(st.count[PORT_COUNT_RING_PACKETS], 2);
	assert_int_equal(st.count[PORT_COUNT_RING_DROPS], 0);
}

/* More frames at once than fit into a burst, to one port only. */
static void test_forwards_many_in_order(void **state)
{
	struct lab *l = *state;
	struct lab_packet p = packet4;

	p.group = "239.9.9.9";
	p.payload = 64;
	/* A block is closed when it is full or a millisecond old. Many of them are
	 * needed for a thread that is slow under a sanitizer. */
	start(l, 1, 8 * RING_SIZE);
	join(l, p.group, DA);
	for (uint32_t first = 0; first < 7500; first += 2500) {
		for (uint32_t i = first; i < first + 2500; i++)
			inject_numbered(l, &p, i);
		for (uint32_t i = first; i < first + 2500; i++) {
			assert_int_not_equal(
				lab_receive(l->sink[DA], l->buf, sizeof(l->buf), SOON),
				0);
			assert_int_equal(lab_number(l->buf + LAB_L2), i);
		}
	}
	expect_nothing(l, DB);
}

/* An ordinary UDP socket on a veth leaves the checksum to its device. */
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
	assert_false(lab_udp_ok(l->buf + LAB_L2, n - LAB_L2)); /* incomplete */
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
	assert_int_equal(st.count[PORT_COUNT_TX_PACKETS], 20);
	assert_int_equal(st.count[PORT_COUNT_RING_PACKETS], 0);

	/* reflected by the world, so the source is our own MAC */
	lab_send(l->sink[DA], l->buf, lab_frame(l->buf, &packet4, l->port[DA].mac));
	wait_verdict(l, DA, VERDICT_OWN_MAC, 1);
	lab_send(l->sink[DA], l->buf, lab_frame(l->buf, &packet4, l->port[UP].mac));
	wait_verdict(l, DA, VERDICT_OWN_MAC, 2);
	lab_send(l->sink[DA], l->buf, lab_frame(l->buf, &packet4, l->mac));
	wait_verdict(l, DA, VERDICT_FORWARDED, 1); /* to DB */
}

/* IPv4 and IPv6 have separate rings, of which either may be read first. */
static bool is_all_judged(void *arg)
{
	struct lab *l = arg;
	struct dataplane_port_stats st;
	uint64_t n = 0;

	dataplane_port_stats(l->dp, UP, &st);
	for (unsigned v = 0; v < _VERDICT_FRAME_N; v++)
		n += st.verdict[v];
	return n == st.count[PORT_COUNT_RING_PACKETS];
}

/* Frames in the rings of "up0", without the random sample of one in SOCKFILTER_ONE_OF
 * frames for other stations and VLANs that the filter admits. */
static uint64_t ring_packets_for_us(struct lab *l)
{
	struct dataplane_port_stats st;

	assert_true(lab_wait(is_all_judged, l));
	dataplane_port_stats(l->dp, UP, &st);
	return st.count[PORT_COUNT_RING_PACKETS] - st.verdict[VERDICT_OTHERHOST] -
		st.verdict[VERDICT_VLAN_MISMATCH];
}

static void test_unicast_mac(void **state)
{
	static const uint8_t stranger[6] = {2, 0, 0, 0, 0, 0x77};
	struct lab *l = *state;
	size_t n;

	start(l, 1, RING_SIZE);
	/* for another station */
	n = lab_frame(l->buf, &packet4, l->mac);
	memcpy(l->buf, stranger, 6);
	lab_send(l->inject, l->buf, n);
	/* to our MAC, as a bridge or access point that converts to unicast sends it */
	n = lab_frame(l->buf, &packet6, l->mac);
	memcpy(l->buf, l->port[UP].mac, 6);
	lab_send(l->inject, l->buf, n);
	expect(l, DA, &packet6);
	expect(l, DB, &packet6);
	assert_int_equal(ring_packets_for_us(l), 1);
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

	start(l, 1, RING_SIZE);
	/* VLAN 7 is not one of ours */
	lab_send(
		l->inject, l->buf, tag(l->buf, lab_frame(l->buf, &packet4, l->mac), 7));
	/* VID 0 only carries a priority */
	lab_send(l->inject, l->buf,
		tag(l->buf, lab_frame(l->buf, &packet6, l->mac), 5 << 13));
	expect(l, DA, &packet6); /* and no tag leaves */
	expect(l, DB, &packet6);
	assert_int_equal(ring_packets_for_us(l), 1);
}

/* Bursts that fit into a socket's receive buffer. There are so many that a filter which
 * admits one in SOCKFILTER_ONE_OF admits at least one and at most three times its
 * share, except in one run of 10^13. */
#define FOREIGN_BURST  32
#define FOREIGN_BURSTS (60 * SOCKFILTER_ONE_OF / FOREIGN_BURST)

/* The filter alone, on a socket that receives frames with the VLAN tag. */
static void r181_filter_samples_foreign_frames(void **state)
{
	struct lab *l = *state;
	struct sockfilter f;
	int raw = lab_socket("up0");
	unsigned passed[2] = {0};
	size_t n;

	sockfilter_data(true, &f);
	assert_int_equal(
		setsockopt(raw, SOL_SOCKET, SO_ATTACH_FILTER, &f.prog, sizeof(f.prog)),
		0);
	for (uint32_t i = 0; i < FOREIGN_BURSTS; i++) {
		for (unsigned j = 0; j < FOREIGN_BURST; j++) {
			n = tag(l->buf, lab_frame(l->buf, &packet4, l->mac), 7);
			lab_send(l->inject, l->buf, n);
			n = lab_frame(l->buf, &packet4, l->mac);
			memcpy(l->buf, "\2\0\0\0\0\x77", 6); /* another station */
			lab_send(l->inject, l->buf, n);
		}
		inject_numbered(l, &packet4, 42 + i);
		for (;;) {
			n = lab_receive(raw, l->buf, sizeof(l->buf), SOON);
			assert_int_not_equal(n, 0);
			if (lab_number(l->buf + LAB_L2) == 42 + i)
				break;
			passed[l->buf[5] == 0x77]++;
		}
	}
	for (unsigned i = 0; i < 2; i++)
		assert_in_range(passed[i], 1, 3 * 60);
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
	assert_int_equal(st.count[PORT_COUNT_RING_PACKETS], 1);
}

/* The payload of a port's output, until there are `len` bytes of it. */
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

/* The frame leaves whole or cut, as the port takes it: the receivers get all of it, in
 * order. */
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
		/* a shorter last piece, and a plain frame after it */
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

/* A large frame of unknown segment size cannot be cut. */
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
	/* blocks of one page are too small for the frame; the kernel queues a frame
	 * that is too long for a slot on the socket */
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
	inject(l, &jumbo); /* has DF and is too large for DB */
	expect(l, DA, &jumbo);
	wait_verdict(l, DB, VERDICT_MTU_DF, 1);
	expect_nothing(l, DB);
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

int main(void)
{
	const struct CMUnitTest cases[] = {
		CASE(test_forwards_both_families),
		CASE(test_forwards_many_in_order),
		CASE(r182_partial_checksum_is_completed),
		CASE(r180_own_frames_do_not_come_back),
		CASE(test_unicast_mac),
		CASE(r181_vlan_tags),
		CASE(r181_filter_samples_foreign_frames),
		CASE(r175_control_stays_out_of_the_ring),
		CASE(r183_super_frames_pass),
		CASE(r183_without_offload),
		CASE(r184_too_long_for_link_or_slot),
		CASE(r186_tun_upstream),
		CASE(r186_tun_downstream),
	};

	return run_in_each_way(cases, array_len(cases));
}
