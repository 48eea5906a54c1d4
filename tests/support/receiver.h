/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A receiver for the hot path: it cuts super-frames and completes checksums as Linux
 * does (inet_gso_segment, __udp_gso_segment, CHECKSUM_PARTIAL) and keeps the datagrams
 * of each port. The state is global, as in forward_fixture.h.
 */

#include "base/inet.h"
#include "dataplane/packet/rewrite.h"
#include "dataplane/packet/vnet.h"

#include "forward_fixture.h"

#include <linux/virtio_net.h>

#define KEPT_MAX 8192

struct datagram {
	unsigned port;
	uint8_t *b;
	size_t len;
};

struct receiver {
	struct datagram v[KEPT_MAX];
	unsigned n, n_messages, n_super, largest; /* of the largest super-frame */
	unsigned caps;
	bool refuse;
};

static struct receiver got;
static uint8_t wire[70000];
/* storage of `got`, and of datagrams that were set aside */
static uint8_t kept[2][16u << 20];
static unsigned side;
static size_t n_kept;

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
	return (unsigned)(p[0] << 8 | p[1]);
}

static void keep_datagram(unsigned port, const uint8_t *ip, size_t len)
{
	struct datagram *d = &got.v[got.n++];

	assert_in_range(got.n, 1, KEPT_MAX);
	assert_in_range(n_kept + len, 1, sizeof(kept[side]));
	*d = (struct datagram){port, kept[side] + n_kept, len};
	memcpy(d->b, ip, len);
	n_kept += len;
}

/* Completes a partial checksum as a device does. The field holds the sum of the pseudo
 * header. */
static void finish_checksum(uint8_t *ip, size_t len, unsigned start, unsigned offset)
{
	uint16_t csum = inet_fold(inet_sum(ip + start, len - start, 0));

	put16(ip + start + offset, csum ? csum : 0xffff);
}

static void cut(unsigned port, uint8_t *ip, size_t len, const struct virtio_net_hdr *h,
	unsigned l2_len)
{
	unsigned l4 = h->csum_start - l2_len, head = l4 + 8, gso = h->gso_size;
	unsigned udp_len = get16(ip + l4 + 4), n = 0;
	bool v4 = ip[0] >> 4 == 4;
	uint8_t one[2048];

	assert_int_equal(h->flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h->hdr_len, l2_len + head);
	assert_int_equal(udp_len, len - l4);
	assert_true(len - head > gso); /* otherwise the kernel refuses it */
	if (v4) {
		assert_int_equal(get16(ip + 2), len);
		assert_int_equal(inet_fold(inet_sum(ip, l4, 0)), 0);
	}
	for (size_t at = head; at < len; at += gso, n++) {
		unsigned part = len - at < gso ? (unsigned)(len - at) : gso;

		assert_in_range(head + part, 1, sizeof(one));
		memcpy(one, ip, head);
		memcpy(one + head, ip + at, part);
		if (v4) {
			put16(one + 2, head + part);
			put16(one + 4, get16(ip + 4) + n);
			put16(one + 10, 0);
			put16(one + 10, inet_fold(inet_sum(one, l4, 0)));
		} else {
			put16(one + 4, head + part - 40);
		}
		put16(one + l4 + 4, 8 + part);
		/* the pseudo header also contains the length */
		put16(one + l4 + 6,
			(uint16_t)~inet_fold(get16(ip + l4 + 6) +
				(uint32_t)(uint16_t)~udp_len + 8 + part));
		finish_checksum(one, head + part, l4, 6);
		keep_datagram(port, one, head + part);
	}
	if (n > got.largest)
		got.largest = n;
}

static void receive(unsigned port, const struct tx_msg *m)
{
	unsigned l2_len = plan->port[port].has_l2 ? 14 : 0, before = got.n;
	struct virtio_net_hdr h = {0};
	uint8_t *ip = wire + VNET_LEN + l2_len;
	size_t len = 0;

	if (!(got.caps & TX_VNET))
		len = VNET_LEN;
	for (unsigned i = 0; i < m->n_iov; i++) {
		memcpy(wire + len, m->iov[i].iov_base, m->iov[i].iov_len);
		len += m->iov[i].iov_len;
	}
	if (got.caps & TX_VNET)
		memcpy(&h, wire, sizeof(h));
	len -= VNET_LEN + l2_len;
	got.n_messages++;
	assert_int_equal(m->super_frame, h.gso_type == VIRTIO_NET_HDR_GSO_UDP_L4);
	if (m->super_frame) {
		got.n_super++;
		cut(port, ip, len, &h, l2_len);
	} else {
		if (h.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM)
			finish_checksum(ip, len, h.csum_start - l2_len, h.csum_offset);
		keep_datagram(port, ip, len);
	}
	assert_int_equal(m->n_packets, got.n - before);
	len = 0;
	for (unsigned i = before; i < got.n; i++)
		len += got.v[i].len;
	assert_int_equal(m->bytes, len);
	counter_add_tx(&fw->counters, port, 1, m->n_packets, m->bytes);
}

static unsigned caps_of(void *ctx, unsigned port)
{
	return got.caps;
}

static bool take(void *ctx, unsigned port, const struct tx_msg *msg, unsigned n)
{
	if (msg->super_frame && (got.caps & TX_UNTRIED)) {
		assert_int_equal(n, 1);
		got.caps &= ~(unsigned)TX_UNTRIED;
		if (got.refuse) {
			got.caps = TX_VNET;
			return false;
		}
	}
	for (unsigned i = 0; i < n; i++)
		receive(port, &msg[i]);
	return true;
}

static void flush(void *ctx)
{
}

static const struct tx_ops to_receiver = {
	.caps = caps_of, .send = take, .flush = flush, .copied = true};

static void forget(void)
{
	got.n = got.n_messages = got.n_super = got.largest = 0;
	n_kept = 0;
}

/* Sets the received datagrams aside until the next call. */
static inline void set_aside(struct receiver *ret)
{
	ret->n = got.n;
	memcpy(ret->v, got.v, got.n * sizeof(got.v[0]));
	side = 1 - side;
	forget();
}

/* Both received the same. Without `exact`, identifications that have no meaning (RFC
 * 6864: with DF) are cleared first. */
static inline void assert_same_datagrams(
	const struct receiver *a, const struct receiver *b, bool exact)
{
	assert_int_equal(a->n, b->n);
	for (unsigned i = 0; i < a->n; i++) {
		uint8_t *x = a->v[i].b, *y = b->v[i].b;

		assert_int_equal(a->v[i].port, b->v[i].port);
		assert_int_equal(a->v[i].len, b->v[i].len);
		if (!exact && x[0] >> 4 == 4 && (x[6] & 0x40)) {
			memset(x + 4, 0, 2);
			memset(x + 10, 0, 2);
			memset(y + 4, 0, 2);
			memset(y + 10, 0, 2);
		}
		assert_memory_equal(x, y, a->v[i].len);
	}
}

#define SUPER (TX_VNET | TX_SUPER_FRAME)
