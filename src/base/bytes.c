/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/bytes.h"

#include <endian.h>
#include <string.h>

const uint8_t *rd_take(struct rd *r, size_t n)
{
	const uint8_t *p = r->p;

	if (r->bad || rd_left(r) < n) {
		r->bad = true;
		return NULL;
	}
	r->p += n;
	return p;
}

uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1);

	return p ? *p : 0;
}

uint16_t rd_u16be(struct rd *r)
{
	const uint8_t *p = rd_take(r, 2);

	return p ? get_u16be(p) : 0;
}

uint32_t rd_u32be(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4);

	return p ? get_u32be(p) : 0;
}

void wr_bytes(struct wr *w, const void *p, size_t n)
{
	if (w->bad || (size_t)(w->end - w->p) < n) {
		w->bad = true;
		return;
	}
	memcpy(w->p, p, n);
	w->p += n;
}

void wr_u8(struct wr *w, uint8_t v)
{
	wr_bytes(w, &v, 1);
}

void wr_u16be(struct wr *w, uint16_t v)
{
	const uint8_t b[2] = {(uint8_t)(v >> 8), (uint8_t)v};

	wr_bytes(w, b, 2);
}

void wr_u32be(struct wr *w, uint32_t v)
{
	const uint8_t b[4] = {
		(uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v};

	wr_bytes(w, b, 4);
}

/* A sum of words and how often it went over. */
struct wide_sum {
	uint64_t sum, carry;
};

static inline void add_word(struct wide_sum *s, const uint8_t *p)
{
	uint64_t w;

	memcpy(&w, p, sizeof(w));
	s->sum += w;
	s->carry += s->sum < w;
}

/* The sum does not depend on the byte order (RFC 1071 2.B). So long words are added in
 * the order of the machine, and the bytes of the sum are swapped at the end. */
static uint16_t sum_native(const uint8_t *p, size_t n_words)
{
	struct wide_sum wide = {0};
	uint64_t sum;

	for (; n_words >= 8; n_words -= 8, p += 32) {
		add_word(&wide, p);
		add_word(&wide, p + 8);
		add_word(&wide, p + 16);
		add_word(&wide, p + 24);
	}
	sum = (wide.sum & 0xffffffff) + (wide.sum >> 32) + wide.carry;
	for (; n_words > 0; n_words--, p += 4) {
		uint32_t w;

		memcpy(&w, p, sizeof(w));
		sum += w;
	}
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

uint32_t inet_sum(const void *buf, size_t len, uint32_t sum)
{
	const uint8_t *p = buf;
	uint64_t s = sum;

	s += be16toh(sum_native(p, len / 4));
	p += len & ~(size_t)3;
	if (len & 2) {
		s += (uint32_t)p[0] << 8 | p[1];
		p += 2;
	}
	if (len & 1)
		s += (uint32_t)p[0] << 8;
	s = (s & 0xffffffff) + (s >> 32);
	return (uint32_t)(s & 0xffff) + (uint32_t)(s >> 16);
}

uint16_t inet_fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}
