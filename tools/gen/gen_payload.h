/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The payload of ringcast-gen: a stamp of 32 bytes, then a pattern that depends on the
 * sequence number, so that the receiver can compare each byte. With `ts` it looks like
 * MPEG-TS null packets of 188 bytes, and the first one has the stamp.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GEN_PAYLOAD_MIN	   32
#define GEN_PAYLOAD_MAX	   65507
#define GEN_TS_PACKET	   188
#define GEN_PAYLOAD_MIN_TS GEN_TS_PACKET

struct gen_stamp {
	uint32_t stream; /* not 0; different for every run, group and port */
	uint64_t seq;	 /* 0, 1, 2, ... */
	int64_t sent_ns; /* CLOCK_MONOTONIC of the sender */
};

enum gen_payload {
	GEN_PAYLOAD_GOOD,
	GEN_PAYLOAD_CORRUPT, /* begins like ours, but is not what was sent */
	GEN_PAYLOAD_FOREIGN, /* from another program */
};

void gen_payload_write(
	uint8_t *buf, size_t size, bool ts, const struct gen_stamp *stamp);
/* *ret is set only for GEN_PAYLOAD_GOOD. */
enum gen_payload gen_payload_read(
	const uint8_t *buf, size_t size, struct gen_stamp *ret);
