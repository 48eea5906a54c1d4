/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* IPv4 and IPv6 packets for tests of the packet path, with correct checksums. */

#include "base/bytes.h"
#include "base/rng.h"
#include "dataplane/packet/frame.h"
#include "test.h"

#include <linux/if_packet.h>

#define PACKET_SIZE_MAX 65600

struct packet {
	uint8_t b[PACKET_SIZE_MAX];
	size_t len;
};

static inline void packet_put16(struct packet *p, size_t at, unsigned v)
{
	p->b[at] = (uint8_t)(v >> 8);
	p->b[at + 1] = (uint8_t)v;
}

static inline unsigned packet_get16(const struct packet *p, size_t at)
{
	return (unsigned)(p->b[at] << 8 | p->b[at + 1]);
}

/* Makes the IPv4 header checksum right again. */
static inline void packet_seal(struct packet *p)
{
	packet_put16(p, 10, 0);
	packet_put16(p, 10, inet_fold(inet_sum(p->b, (p->b[0] & 15u) * 4, 0)));
}

/* payload with a pattern that differs from byte to byte */
static inline void packet_fill(struct packet *p, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p->b[from + i] = (uint8_t)(i * 7 + (i >> 8) + 1);
	p->len = from + n;
}

/* UDP checksum of an unfragmented packet with the UDP header at l4; 0 when correct */
static inline uint16_t packet_l4_check(const uint8_t *ip, size_t l4, uint8_t proto)
{
	bool v6 = ip[0] >> 4 == 6;
	size_t total = v6 ? 40u + (unsigned)(ip[4] << 8 | ip[5])
			  : (unsigned)(ip[2] << 8 | ip[3]);
	uint32_t sum = (uint32_t)(total - l4) + proto;

	sum = v6 ? inet_sum(ip + 8, 32, sum) : inet_sum(ip + 12, 8, sum);
	return inet_fold(inet_sum(ip + l4, total - l4, sum));
}

static inline void packet_udp(struct packet *p, size_t l4, size_t payload)
{
	packet_fill(p, l4 + 8, payload);
	packet_put16(p, l4, 4000);
	packet_put16(p, l4 + 2, 5000);
	packet_put16(p, l4 + 4, (unsigned)(8 + payload));
	packet_put16(p, l4 + 6, 0);
}

/* `opt_len` must be a multiple of 4 */
static inline void packet_v4_opt(struct packet *p, const char *src, const char *dst,
	const void *opt, size_t opt_len, size_t payload)
{
	struct addr s = a(src), d = a(dst);
	size_t hlen = 20 + opt_len;

	memset(p->b, 0, hlen);
	p->b[0] = (uint8_t)(0x40 | hlen / 4);
	p->b[1] = 0xb8;
	packet_put16(p, 2, (unsigned)(hlen + 8 + payload));
	packet_put16(p, 4, 0x1234);
	p->b[8] = 64;
	p->b[9] = 17;
	memcpy(p->b + 12, addr_v4_bytes(&s), 4);
	memcpy(p->b + 16, addr_v4_bytes(&d), 4);
	if (opt_len)
		memcpy(p->b + 20, opt, opt_len);
	packet_udp(p, hlen, payload);
	packet_put16(p, hlen + 6, packet_l4_check(p->b, hlen, 17));
	packet_seal(p);
}

static inline void packet_v4(
	struct packet *p, const char *src, const char *dst, size_t payload)
{
	packet_v4_opt(p, src, dst, NULL, 0, payload);
}

/* `ext` is a chain of extension headers whose last "next header" is set by the
 * caller. */
static inline void packet_v6_ext(struct packet *p, const char *src, const char *dst,
	uint8_t first, const void *ext, size_t ext_len, size_t payload)
{
	struct addr s = a(src), d = a(dst);

	memset(p->b, 0, 40);
	p->b[0] = 0x6b;
	p->b[3] = 0x77;
	packet_put16(p, 4, (unsigned)(ext_len + 8 + payload));
	p->b[6] = first;
	p->b[7] = 64;
	memcpy(p->b + 8, s.b, 16);
	memcpy(p->b + 24, d.b, 16);
	if (ext_len)
		memcpy(p->b + 40, ext, ext_len);
	packet_udp(p, 40 + ext_len, payload);
	packet_put16(p, 40 + ext_len + 6, packet_l4_check(p->b, 40 + ext_len, 17));
}

static inline void packet_v6(
	struct packet *p, const char *src, const char *dst, size_t payload)
{
	packet_v6_ext(p, src, dst, 17, NULL, 0, payload);
}

/* The metadata that the receive ring would give. */
static inline struct frame_meta packet_meta(struct packet *p)
{
	return (struct frame_meta){
		.l3 = p->b,
		.l3_caplen = (uint32_t)p->len,
		.l3_len = (uint32_t)p->len,
		.ethertype = p->b[0] >> 4 == 6 ? 0x86dd : 0x0800,
		.csum_valid = true,
		.pkttype = PACKET_MULTICAST,
	};
}

static inline struct frame packet_frame(struct packet *p)
{
	struct frame_meta m = packet_meta(p);
	struct frame f;

	assert_int_equal(frame_parse(&m, UINT32_MAX, &f), VERDICT_FORWARDED);
	return f;
}
