/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* IPv4 packets with IGMP inside, made field by field, independent of the encoder. */

#include "base/bytes.h"
#include "test.h"

#include <stdio.h>

struct igmp_packet {
	uint8_t b[65536];
	size_t len;	   /* captured bytes, set by igmp_packet_make() */
	size_t header_len; /* of the IP header */
};

struct igmp_packet_spec {
	const char *hex;       /* message; bytes 2 and 3 are replaced by the checksum */
	const char *from, *to; /* default 10.0.0.1, 224.0.0.1 */
	const char *options;   /* hex; default Router Alert, or "" for none */
	uint8_t ttl;	       /* default 1 */
	uint16_t fragment;     /* flags and offset */
	size_t frame_pad;      /* bytes after the IP packet */
	uint8_t pad_with;
	uint16_t checksum_add; /* added, which makes it wrong */
};

static inline size_t unhex(const char *hex, uint8_t *out)
{
	size_t n = 0;

	for (; *hex; hex++) {
		unsigned v;

		if (*hex == ' ')
			continue;
		assert_int_equal(sscanf(hex, "%2x", &v), 1);
		out[n++] = (uint8_t)v;
		hex++;
	}
	return n;
}

static inline void igmp_packet_put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Recomputes both checksums and the total length after a change by a test. */
static inline void igmp_packet_seal(struct igmp_packet *p, size_t total)
{
	uint8_t *message = p->b + p->header_len;
	size_t n = total - p->header_len;

	igmp_packet_put16(p->b + 2, total);
	igmp_packet_put16(p->b + 10, 0);
	igmp_packet_put16(p->b + 10, inet_fold(inet_sum(p->b, p->header_len, 0)));
	if (n >= 4) {
		igmp_packet_put16(message + 2, 0);
		igmp_packet_put16(message + 2, inet_fold(inet_sum(message, n, 0)));
	}
}

static inline void igmp_packet_make(
	struct igmp_packet *p, const struct igmp_packet_spec *spec)
{
	struct addr from = a(spec->from ? spec->from : "10.0.0.1");
	struct addr to = a(spec->to ? spec->to : "224.0.0.1");
	size_t n, total;

	memset(p->b, 0, 128);
	n = unhex(spec->options ? spec->options : "94040000", p->b + 20);
	p->header_len = 20 + n;
	p->b[0] = (uint8_t)(0x40 | p->header_len / 4);
	p->b[1] = 0xc0;
	igmp_packet_put16(p->b + 6, spec->fragment);
	p->b[8] = spec->ttl ? spec->ttl : 1;
	p->b[9] = 2;
	memcpy(p->b + 12, addr_v4_bytes(&from), 4);
	memcpy(p->b + 16, addr_v4_bytes(&to), 4);
	total = p->header_len + unhex(spec->hex, p->b + p->header_len);
	igmp_packet_seal(p, total);
	if (spec->checksum_add) {
		uint8_t *c = p->b + p->header_len + 2;

		igmp_packet_put16(
			c, (uint16_t)((c[0] << 8 | c[1]) + spec->checksum_add));
	}
	memset(p->b + total, spec->pad_with, spec->frame_pad);
	p->len = total + spec->frame_pad;
}
