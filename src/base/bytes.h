/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Bounds-checked reading and writing of wire data. Both sides have a sticky error:
 * after the first access out of bounds every read gives 0, every write is dropped, and
 * `bad` stays set. Parsers check once at the end instead of at each field.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct rd {
	const uint8_t *p, *end;
	bool bad;
};

static inline struct rd rd_init(const void *buf, size_t len)
{
	return (struct rd){.p = buf, .end = (const uint8_t *)buf + len};
}

static inline size_t rd_left(const struct rd *r)
{
	return (size_t)(r->end - r->p);
}

uint8_t rd_u8(struct rd *r);
uint16_t rd_u16be(struct rd *r);
uint32_t rd_u32be(struct rd *r);
/* Returns a pointer into the data, to the next n bytes, or NULL if there are fewer. */
const uint8_t *rd_take(struct rd *r, size_t n);

struct wr {
	uint8_t *start, *p, *end;
	bool bad;
};

static inline struct wr wr_init(void *buf, size_t size)
{
	return (struct wr){.start = buf, .p = buf, .end = (uint8_t *)buf + size};
}

static inline size_t wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

void wr_u8(struct wr *w, uint8_t v);
void wr_u16be(struct wr *w, uint16_t v);
void wr_u32be(struct wr *w, uint32_t v);
void wr_bytes(struct wr *w, const void *p, size_t n);

/* Big-endian fields of a header, without a check of bounds. */
static inline uint16_t get_u16be(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_u32be(const uint8_t *p)
{
	return (uint32_t)get_u16be(p) << 16 | get_u16be(p + 2);
}

static inline void put_u16be(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Internet checksum (RFC 1071). `inet_sum` adds to a running sum, `inet_fold` gives the
 * value for a header field, in host order. A correct header sums to 0. */
uint32_t inet_sum(const void *buf, size_t len, uint32_t sum);
uint16_t inet_fold(uint32_t sum);

/* Is the checksum of an IPv4 header right? Its length is a multiple of four. */
static inline bool inet_header_good(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i += 4) {
		uint32_t w;

		memcpy(&w, p + i, sizeof(w));
		sum += w;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff; /* in any byte order */
}
