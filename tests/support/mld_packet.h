/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* IPv6 packets with MLD inside, made field by field, independent of the encoder. */

#include "base/bytes.h"
#include "test.h"

#include <stdio.h>

/* a hop-by-hop header with the Router Alert option and padding */
#define MLD_ALERT "00 05020000 0100"

struct mld_packet {
	uint8_t b[40 + 65535 + 64];
	size_t len;	   /* captured bytes, set by mld_packet_make() */
	size_t header_len; /* of all headers before the message */
};

/* An extension header: its number and, in hex, its bytes after the first one, which is
 * the number of the next header. */
struct mld_extension {
	uint8_t kind;
	const char *hex;
};

struct mld_packet_spec {
	const char *hex;       /* message; bytes 2 and 3 are replaced by the checksum */
	const char *from, *to; /* default fe80::1, ff02::1 */
	/* up to the first one without hex; default hop-by-hop with Router Alert */
	struct mld_extension ext[4];
	bool bare;	   /* no extension header */
	uint8_t hop_limit; /* default 1 */
	size_t frame_pad;  /* bytes after the IP packet */
	uint8_t pad_with;
	uint16_t checksum_add; /* added, which makes it wrong */
};

static inline size_t mld_unhex(const char *hex, uint8_t *out)
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

static inline void mld_packet_put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The sum of ICMPv6 with its pseudo header: 0 over a correct message. */
static inline uint16_t mld_packet_sum(
	const uint8_t *ip, const uint8_t *message, size_t n)
{
	uint8_t pseudo[40] = {0};

	memcpy(pseudo, ip + 8, 32);
	pseudo[33] = (uint8_t)(n >> 16);
	mld_packet_put16(pseudo + 34, n & 0xffff);
	pseudo[39] = 58;
	return inet_fold(inet_sum(message, n, inet_sum(pseudo, sizeof(pseudo), 0)));
}

/* Recomputes the checksum and the payload length after a change by a test. */
static inline void mld_packet_seal(struct mld_packet *p, size_t total)
{
	uint8_t *message = p->b + p->header_len;
	size_t n = total - p->header_len;

	mld_packet_put16(p->b + 4, total - 40);
	if (n >= 4) {
		mld_packet_put16(message + 2, 0);
		mld_packet_put16(message + 2, mld_packet_sum(p->b, message, n));
	}
}

static inline void mld_packet_make(
	struct mld_packet *p, const struct mld_packet_spec *spec)
{
	static const struct mld_extension alert[4] = {{0, MLD_ALERT}};
	const struct mld_extension *ext =
		spec->bare || spec->ext[0].hex ? spec->ext : alert;
	struct addr from = a(spec->from ? spec->from : "fe80::1");
	struct addr to = a(spec->to ? spec->to : "ff02::1");
	uint8_t *next = p->b + 6;
	size_t n = 40, total;

	memset(p->b, 0, 128);
	p->b[0] = 0x60;
	p->b[7] = spec->hop_limit ? spec->hop_limit : 1;
	memcpy(p->b + 8, from.b, 16);
	memcpy(p->b + 24, to.b, 16);
	for (size_t i = 0; i < 4 && ext[i].hex; i++) {
		*next = ext[i].kind;
		next = p->b + n;
		n += 1 + mld_unhex(ext[i].hex, p->b + n + 1);
	}
	*next = 58;
	p->header_len = n;
	total = n + mld_unhex(spec->hex, p->b + n);
	mld_packet_seal(p, total);
	if (spec->checksum_add) {
		uint8_t *c = p->b + n + 2;

		mld_packet_put16(
			c, (uint16_t)((c[0] << 8 | c[1]) + spec->checksum_add));
	}
	memset(p->b + total, spec->pad_with, spec->frame_pad);
	p->len = total + spec->frame_pad;
}
