/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Writer and reader of pcapng blocks, see pcapng.h. Blocks: section header (4.1),
 * interface description (4.2), enhanced packet (4.3), interface statistics (4.6) of
 * draft-ietf-opsawg-pcapng-03. A block is its type, its length, the body padded to 32
 * bits, and the length again. Pure.
 */

#include "base/pcapng.h"

#include "base/bytes.h"

#include <errno.h>
#include <string.h>

#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define BLOCK_OVERHEAD	 12	     /* type and both lengths */
#define BLOCK_MAX	 (16u << 20) /* also libpcap's limit */
#define OPTION_LEN_MAX	 255

enum {
	OPT_END = 0,
	OPT_SHB_USERAPPL = 4,
	OPT_IF_NAME = 2,
	OPT_IF_TSRESOL = 9,
	OPT_EPB_FLAGS = 2,
	OPT_ISB_STARTTIME = 2,
	OPT_ISB_ENDTIME = 3,
	OPT_ISB_FILTERACCEPT = 6,
	OPT_ISB_OSDROP = 7,
	OPT_ISB_USRDELIV = 8,
};

/* ---- writing ---- */

/* `n` bytes, the lowest one first */
static void put_le(struct wr *w, uint64_t v, unsigned n)
{
	for (; n > 0; n--, v >>= 8)
		wr_u8(w, (uint8_t)v);
}

/* times are two words, the higher one first */
static void put_time(struct wr *w, uint64_t ns)
{
	put_le(w, ns >> 32, 4);
	put_le(w, ns, 4);
}

static void put_padded(struct wr *w, const void *p, size_t n)
{
	wr_bytes(w, p, n);
	for (; n % 4; n++)
		wr_u8(w, 0);
}

static void put_option(struct wr *w, uint16_t code, uint16_t len)
{
	put_le(w, code, 2);
	put_le(w, len, 2);
}

static void put_text(struct wr *w, uint16_t code, const char *text)
{
	size_t n = strnlen(text, OPTION_LEN_MAX);

	put_option(w, code, (uint16_t)n);
	put_padded(w, text, n);
}

static void put_count(struct wr *w, uint16_t code, uint64_t v)
{
	put_option(w, code, 8);
	put_le(w, v, 8);
}

static struct wr pcapng_begin(void *buf, size_t size, enum pcapng_type type)
{
	struct wr w = wr_init(buf, size);

	put_le(&w, type, 4);
	put_le(&w, 0, 4); /* written by pcapng_end() */
	return w;
}

static int pcapng_end(struct wr *w)
{
	struct wr at = wr_init(w->start + 4, 4);
	size_t len;

	put_option(w, OPT_END, 0);
	len = wr_len(w) + 4;
	put_le(w, len, 4);
	if (w->bad)
		return -EMSGSIZE;
	put_le(&at, len, 4);
	return (int)len;
}

int pcapng_write_section(void *buf, size_t size, const char *application)
{
	struct wr w = pcapng_begin(buf, size, PCAPNG_SECTION);

	put_le(&w, BYTE_ORDER_MAGIC, 4);
	put_le(&w, 1, 2); /* version 1.0 */
	put_le(&w, 0, 2);
	put_le(&w, UINT64_MAX, 8); /* length of the section: unknown */
	put_text(&w, OPT_SHB_USERAPPL, application);
	return pcapng_end(&w);
}

int pcapng_write_interface(
	void *buf, size_t size, enum pcapng_link link, const char *name)
{
	struct wr w = pcapng_begin(buf, size, PCAPNG_INTERFACE);

	put_le(&w, link, 2);
	put_le(&w, 0, 2);
	put_le(&w, PCAPNG_SNAPLEN, 4);
	put_text(&w, OPT_IF_NAME, name);
	put_option(&w, OPT_IF_TSRESOL, 1);
	put_padded(&w, "\x09", 1);
	return pcapng_end(&w);
}

int pcapng_write_packet(void *buf, size_t size, const struct pcapng_packet *p)
{
	struct wr w = pcapng_begin(buf, size, PCAPNG_PACKET);

	put_le(&w, p->interface, 4);
	put_time(&w, p->time_ns);
	put_le(&w, p->caplen, 4);
	put_le(&w, p->len, 4);
	put_padded(&w, p->data, p->caplen);
	put_option(&w, OPT_EPB_FLAGS, 4);
	put_le(&w, (uint32_t)p->direction | (uint32_t)p->reception << 2, 4);
	return pcapng_end(&w);
}

int pcapng_write_stats(void *buf, size_t size, const struct pcapng_stats *s)
{
	struct wr w = pcapng_begin(buf, size, PCAPNG_STATS);

	put_le(&w, s->interface, 4);
	put_time(&w, s->end_ns);
	put_option(&w, OPT_ISB_STARTTIME, 8);
	put_time(&w, s->start_ns);
	put_option(&w, OPT_ISB_ENDTIME, 8);
	put_time(&w, s->end_ns);
	put_count(&w, OPT_ISB_FILTERACCEPT, s->accepted);
	put_count(&w, OPT_ISB_OSDROP, s->lost);
	put_count(&w, OPT_ISB_USRDELIV, s->delivered);
	return pcapng_end(&w);
}

/* ---- reading ---- */

static uint64_t get_le(struct rd *r, unsigned n)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < n; i++)
		v |= (uint64_t)rd_u8(r) << 8 * i;
	return v;
}

static uint64_t get_time(struct rd *r)
{
	uint64_t hi = get_le(r, 4);

	return hi << 32 | get_le(r, 4);
}

/* The next option: its value, and the beginning of the one after it. Returns false if
 * there is none. */
static bool get_option(struct rd *r, uint16_t *ret_code, struct rd *ret_value)
{
	uint16_t code = get_le(r, 2), len = get_le(r, 2);
	const uint8_t *value = rd_take(r, len);

	if (!value || code == OPT_END)
		return false;
	(void)rd_take(r, (4 - len % 4u) % 4u);
	*ret_code = code;
	*ret_value = rd_init(value, len);
	return !r->bad;
}

static void read_interface(struct rd *r, struct pcapng_block *b)
{
	struct rd value;
	uint16_t code;

	b->interface.link = (enum pcapng_link)get_le(r, 2);
	(void)get_le(r, 2 + 4);
	b->interface.name[0] = '\0';
	while (get_option(r, &code, &value)) {
		size_t n = rd_left(&value);

		if (code != OPT_IF_NAME)
			continue;
		if (n >= sizeof(b->interface.name))
			n = sizeof(b->interface.name) - 1;
		memcpy(b->interface.name, value.p, n);
		b->interface.name[n] = '\0';
	}
}

static void read_packet(struct rd *r, struct pcapng_block *b)
{
	struct pcapng_packet *p = &b->packet;
	struct rd value;
	uint16_t code;

	p->interface = get_le(r, 4);
	p->time_ns = get_time(r);
	p->caplen = get_le(r, 4);
	p->len = get_le(r, 4);
	p->data = rd_take(r, p->caplen);
	p->direction = PCAPNG_INBOUND;
	p->reception = PCAPNG_UNKNOWN;
	if (!p->data)
		return;
	(void)rd_take(r, (4 - p->caplen % 4) % 4);
	while (get_option(r, &code, &value)) {
		uint32_t flags;

		if (code != OPT_EPB_FLAGS)
			continue;
		flags = get_le(&value, 4);
		if ((flags & 3) == PCAPNG_OUTBOUND)
			p->direction = PCAPNG_OUTBOUND;
		p->reception = (enum pcapng_reception)(flags >> 2 & 7);
	}
}

static void read_stats(struct rd *r, struct pcapng_block *b)
{
	struct pcapng_stats *s = &b->stats;
	struct rd value;
	uint16_t code;

	*s = (struct pcapng_stats){.interface = get_le(r, 4)};
	s->end_ns = get_time(r);
	while (get_option(r, &code, &value)) {
		switch (code) {
		case OPT_ISB_STARTTIME:
			s->start_ns = get_time(&value);
			break;
		case OPT_ISB_FILTERACCEPT:
			s->accepted = get_le(&value, 8);
			break;
		case OPT_ISB_OSDROP:
			s->lost = get_le(&value, 8);
			break;
		case OPT_ISB_USRDELIV:
			s->delivered = get_le(&value, 8);
			break;
		}
	}
}

int pcapng_read(const void *buf, size_t len, struct pcapng_block *ret)
{
	struct rd r = rd_init(buf, len);
	struct pcapng_block b;
	const uint8_t *body;

	if (len < 8)
		return 0;
	memset(&b, 0, sizeof(b));
	b.type = get_le(&r, 4);
	b.size = get_le(&r, 4);
	if (b.size < BLOCK_OVERHEAD || b.size % 4 || b.size > BLOCK_MAX)
		return -EBADMSG;
	if (len < b.size)
		return 0;
	body = rd_take(&r, b.size - BLOCK_OVERHEAD);
	if (get_le(&r, 4) != b.size)
		return -EBADMSG;
	r = rd_init(body, b.size - BLOCK_OVERHEAD);
	if (b.type == PCAPNG_SECTION && get_le(&r, 4) != BYTE_ORDER_MAGIC)
		return -EBADMSG;
	if (b.type == PCAPNG_INTERFACE)
		read_interface(&r, &b);
	else if (b.type == PCAPNG_PACKET)
		read_packet(&r, &b);
	else if (b.type == PCAPNG_STATS)
		read_stats(&r, &b);
	if (b.type == PCAPNG_PACKET && !b.packet.data)
		return -EBADMSG;
	*ret = b;
	return 1;
}
