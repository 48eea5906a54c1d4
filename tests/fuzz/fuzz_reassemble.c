/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Fragments, compared with a model that keeps each byte separately: the result of each
 * fragment, and the whole message. Or raw packets, which must not be read beyond their
 * end.
 */

#include "control/proto/reassemble.h"
#include "fuzz.h"

struct model {
	unsigned sender, id;
	int64_t until;
	bool refused;
	size_t top, end;
	int16_t byte[REASSEMBLE_SIZE]; /* -1 if missing */
};

/* unfinished messages, the oldest first */
static struct model *model[REASSEMBLE_MESSAGES];
static unsigned n_model;

static void drop(unsigned i)
{
	free(model[i]);
	n_model--;
	memmove(model + i, model + i + 1, (n_model - i) * sizeof(*model));
}

static struct model *find(unsigned sender, unsigned id, unsigned *ret_i)
{
	for (*ret_i = 0; *ret_i < n_model; ++*ret_i)
		if (model[*ret_i]->sender == sender && model[*ret_i]->id == id)
			return model[*ret_i];
	return NULL;
}

static struct model *begin(int64_t now, unsigned sender, unsigned id)
{
	struct model *m = malloc(sizeof(*m));
	unsigned of_sender = 0, first = 0;

	fuzz_assert(m);
	for (unsigned i = n_model; i-- > 0;)
		if (model[i]->sender == sender) {
			of_sender++;
			first = i;
		}
	if (of_sender == REASSEMBLE_OF_SENDER)
		drop(first);
	else if (n_model == REASSEMBLE_MESSAGES)
		drop(0);
	*m = (struct model){.sender = sender, .id = id, .until = now + REASSEMBLE_MS};
	memset(m->byte, 0xff, sizeof(m->byte));
	model[n_model++] = m;
	return m;
}

static enum reassemble_result put(struct model *m, const struct reassemble_piece *p)
{
	size_t end = p->offset + p->len, known = 0;

	if (end > REASSEMBLE_SIZE)
		return REASSEMBLE_LARGE;
	if (p->last ? (m->end ? m->end != end : m->top > end) : m->end && end >= m->end)
		return REASSEMBLE_OVERLAP;
	for (size_t i = 0; i < p->len; i++) {
		int16_t o = m->byte[p->offset + i];

		known += o >= 0;
		if (o >= 0 && o != p->data[i])
			return REASSEMBLE_OVERLAP;
	}
	if (known > 0)
		return known < p->len ? REASSEMBLE_OVERLAP : REASSEMBLE_REPEATED;
	for (size_t i = 0; i < p->len; i++)
		m->byte[p->offset + i] = p->data[i];
	if (end > m->top)
		m->top = end;
	if (p->last)
		m->end = end;
	for (size_t i = 0; i < m->end; i++)
		if (m->byte[i] < 0)
			return REASSEMBLE_WAIT;
	return m->end ? REASSEMBLE_WHOLE : REASSEMBLE_WAIT;
}

static void check_piece(struct reassemble *r, int64_t now, unsigned sender,
	const struct reassemble_piece *p)
{
	enum reassemble_result result, expected;
	struct model *m;
	uint8_t *whole = NULL;
	size_t len = 0;
	unsigned i;

	while (n_model > 0 && model[0]->until <= now)
		drop(0);
	m = find(sender, p->id, &i);
	if (!m) {
		m = begin(now, sender, p->id);
		i = n_model - 1;
	}
	expected = m->refused ? REASSEMBLE_OVERLAP : put(m, p);
	result = reassemble_add(r, mono_from_ms(now), p, &whole, &len);
	fuzz_assert(result == expected);
	if (result == REASSEMBLE_OVERLAP || result == REASSEMBLE_LARGE)
		m->refused = true;
	if (result != REASSEMBLE_WHOLE)
		return;
	fuzz_assert(len == p->header_len + m->end);
	for (size_t at = 0; at < m->end; at++)
		fuzz_assert(whole[p->header_len + at] == m->byte[at]);
	free(whole);
	drop(i);
}

static void pieces(struct rd *in)
{
	static const uint8_t header[20] = {0x45};
	static uint8_t data[REASSEMBLE_SIZE + 64];
	struct reassemble r = {0};
	int64_t now = 1;

	while (fuzz_more(in)) {
		unsigned what = rd_u8(in), sender = what % 12, salt = what >> 7;
		struct reassemble_piece p = {.host = {.has_mac = sender % 2,
						     .from = ADDR_V4(10, 0, 0, sender)},
			.id = fuzz_below(in, 5),
			.last = what >> 4 & 1,
			.data = data,
			.header = header,
			.header_len = sizeof(header)};

		p.host.mac.byte[0] = (uint8_t)sender;
		p.offset = 8u * fuzz_below(in, 24);
		p.len = 1 + rd_u8(in);
		if (what >> 5 & 1) /* sometimes large */
			p.len *= 64;
		if (!p.last)
			p.len = (p.len + 7) & ~(size_t)7;
		if (p.len > sizeof(data))
			p.len = sizeof(data);
		if (what >> 6 & 1)
			now += 100 * rd_u8(in);
		for (size_t i = 0; i < p.len; i++)
			data[i] = (uint8_t)(p.offset + i + salt);
		check_piece(&r, now, sender, &p);
	}
	while (n_model > 0)
		drop(0);
	fuzz_assert(reassemble_tick(&r, mono_from_ms(now + REASSEMBLE_MS)).ns ==
		MONO_NEVER.ns);
	reassemble_deinit(&r);
}

static bool is_inside(const uint8_t *p, size_t len, const uint8_t *packet, size_t size)
{
	return p >= packet && len <= size && p - packet <= (ptrdiff_t)(size - len);
}

static void one_packet(
	struct reassemble *r, enum family family, const uint8_t *packet, size_t size)
{
	struct reassemble_piece p;
	uint8_t *whole = NULL;
	size_t len = 0;

	if (!reassemble_parse(family, packet, size, &p))
		return;
	fuzz_assert(is_inside(p.data, p.len, packet, size));
	fuzz_assert(is_inside(p.header, p.header_len, packet, size));
	fuzz_assert(p.len > 0 && p.offset % 8 == 0 && (p.last || p.len % 8 == 0));
	if (reassemble_add(r, mono_from_ms(1), &p, &whole, &len) != REASSEMBLE_WHOLE)
		return;
	fuzz_assert(len <= REASSEMBLE_HEADERS + REASSEMBLE_SIZE);
	fuzz_assert(!reassemble_parse(family, whole, len, &p));
	free(whole);
}

static void packets(struct rd *in, enum family family)
{
	struct reassemble r = {0};

	while (fuzz_more(in)) {
		size_t len = rd_u16be(in);
		struct rd rest = *in;
		const uint8_t *p;
		uint8_t *copy;

		if (len > rd_left(&rest))
			len = rd_left(&rest);
		p = rd_take(in, len);
		if (!p)
			break;
		/* of the exact size, so that a read beyond its end is found */
		copy = malloc(len ? len : 1);
		fuzz_assert(copy);
		memcpy(copy, p, len);
		one_packet(&r, family, copy, len);
		free(copy);
	}
	reassemble_deinit(&r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_init(data, size);
	unsigned what = fuzz_below(&in, 3);

	if (what == 0)
		pieces(&in);
	else
		packets(&in, what == 1 ? FAMILY_IPV4 : FAMILY_IPV6);
	return 0;
}
