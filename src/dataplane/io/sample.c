/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Rings of copied frames, see sample.h. There is one writer, the data-plane thread, and
 * one reader, the control thread. Records have variable length and are never split at
 * the end of the memory: the remainder is skipped.
 */

#include "dataplane/io/sample.h"

#include "base/minmax.h"
#include "dataplane/packet/latency.h"

#include <errno.h>
#include <string.h>

#define RING_SIZE  (512u << 10) /* touched only during a capture */
#define CAPLEN_MAX (64u << 10)
#define L2_LEN	   14
#define MACS_LEN   12 /* the part of L2_LEN before a VLAN tag */
#define TAG_LEN	   4

struct record {
	uint32_t size; /* of the whole record, a multiple of 8 */
	uint16_t port;
	uint8_t pkttype;
	bool has_l2;
	uint64_t time_ns;
	uint32_t caplen, len;
	uint32_t id[SAMPLE_WANTS_MAX]; /* skip the record if all are 0 */
	uint8_t data[];
};

struct sample_ring {
	_Atomic uint64_t head; /* thread: bytes written */
	_Atomic uint64_t tail; /* control: bytes read */
	uint32_t passed[SAMPLE_WANTS_MAX];
	_Atomic uint64_t lost[SAMPLE_WANTS_MAX][PORT_MAX];
	_Alignas(8) uint8_t data[RING_SIZE];
};

int sample_ring_new(struct sample_ring **ret)
{
	struct sample_ring *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	*ret = r;
	return 0;
}

struct sample_ring *sample_ring_free(struct sample_ring *r)
{
	free(r);
	return NULL;
}

struct sample_spec *sample_spec_new(void)
{
	return calloc(1, sizeof(struct sample_spec));
}

struct sample_spec *sample_spec_free(struct sample_spec *s)
{
	for (unsigned i = 0; s && i < SAMPLE_WANTS_MAX; i++)
		capfilter_deinit(&s->want[i].filter);
	free(s);
	return NULL;
}

int sample_spec_set(struct sample_spec *s, unsigned i, const struct sample_want *want)
{
	struct capfilter filter;
	int r = capfilter_copy(&filter, &want->filter);

	if (r < 0)
		return r;
	s->want[i] = *want;
	s->want[i].filter = filter;
	return 0;
}

static struct record *record_at(struct sample_ring *r, uint64_t at)
{
	return (void *)(r->data + at % RING_SIZE);
}

/* ---- the thread ---- */

/* a frame in one or two pieces */
struct pieces {
	const uint8_t *p; /* without a VLAN tag that the kernel has taken out */
	uint32_t caplen, len;
	bool tagged;
	uint8_t tag[TAG_LEN];
};

static struct pieces pieces_of(const struct frame_meta *m)
{
	uint32_t l2_len = m->l2 ? (uint32_t)(m->l3 - m->l2) : 0;
	struct pieces o = {
		.p = m->l2 ? m->l2 : m->l3,
		.caplen = l2_len + m->l3_caplen,
		.len = l2_len + m->l3_len,
		.tagged = m->l2 && m->vlan_valid && l2_len >= L2_LEN,
		.tag = {0x81, 0x00, (uint8_t)(m->vlan_tci >> 8), (uint8_t)m->vlan_tci},
	};

	return o;
}

static void copy_frame(uint8_t *to, const struct pieces *o, uint32_t n)
{
	if (!o->tagged) {
		memcpy(to, o->p, n);
		return;
	}
	memcpy(to, o->p, min(n, MACS_LEN));
	if (n >= MACS_LEN + TAG_LEN) {
		memcpy(to + MACS_LEN, o->tag, TAG_LEN);
		memcpy(to + MACS_LEN + TAG_LEN, o->p + MACS_LEN,
			n - MACS_LEN - TAG_LEN);
	}
}

/* Fills `id` with the captures that want the frame. Returns the largest snaplen among
 * them, or 0 if none wants it. */
static uint32_t choose_captures(struct sample_ring *r, const struct sample_spec *spec,
	unsigned port, const struct pieces *o, bool has_l2,
	uint32_t id[SAMPLE_WANTS_MAX])
{
	uint32_t n = 0;

	for (unsigned i = 0; i < SAMPLE_WANTS_MAX; i++) {
		const struct sample_want *w = &spec->want[i];

		id[i] = 0;
		if (!w->id || !portset_has(&w->ports, port) ||
			!capfilter_match(&w->filter, has_l2, o->p, o->caplen, o->len))
			continue;
		if (r->passed[i]++ % w->one_of)
			continue;
		id[i] = w->id;
		if (w->snaplen > n)
			n = w->snaplen;
	}
	return n;
}

/* Returns room for a record of `size` bytes, or NULL. */
static struct record *sample_reserve(
	struct sample_ring *r, uint64_t *head, uint32_t size)
{
	/* pairs with the release in sample_pop(): the reader has read these bytes */
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	uint32_t to_end = RING_SIZE - (uint32_t)(*head % RING_SIZE);
	uint32_t skip = to_end < size ? to_end : 0;

	if (*head + skip + size - tail > RING_SIZE)
		return NULL;
	/* a remainder too small for a record needs no mark */
	if (skip >= sizeof(struct record))
		*record_at(r, *head) = (struct record){.size = skip};
	*head += skip;
	return record_at(r, *head);
}

static void count_lost(
	struct sample_ring *r, const uint32_t id[SAMPLE_WANTS_MAX], unsigned port)
{
	for (unsigned i = 0; i < SAMPLE_WANTS_MAX; i++) {
		_Atomic uint64_t *c = &r->lost[i][port];
		uint64_t n = atomic_load_explicit(c, memory_order_relaxed);

		/* one writer, so no read-modify-write is needed */
		if (id[i])
			atomic_store_explicit(c, n + 1, memory_order_relaxed);
	}
}

void sample_frame(struct sample_ring *r, const struct sample_spec *spec, unsigned port,
	const struct frame_meta *m)
{
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct pieces o = pieces_of(m);
	uint32_t id[SAMPLE_WANTS_MAX], tag = o.tagged ? TAG_LEN : 0, n, size;
	struct record *rec;

	n = choose_captures(r, spec, port, &o, m->l2 != NULL, id);
	if (n == 0)
		return;
	if (n > o.caplen + tag)
		n = o.caplen + tag;
	n = min(n, CAPLEN_MAX);
	size = (uint32_t)(sizeof(*rec) + n + 7) & ~7u;
	rec = sample_reserve(r, &head, size);
	if (!rec) {
		count_lost(r, id, port);
		return;
	}
	*rec = (struct record){
		.size = size,
		.port = (uint16_t)port,
		.pkttype = m->pkttype,
		.has_l2 = m->l2 != NULL,
		.time_ns = latency_stamp_ns(m->stamp),
		.caplen = n,
		.len = o.len + tag,
	};
	memcpy(rec->id, id, sizeof(id));
	copy_frame(rec->data, &o, n);
	/* pairs with the acquire in sample_peek(): the record is complete */
	atomic_store_explicit(&r->head, head + size, memory_order_release);
}

/* ---- control ---- */

static bool is_skip(const struct record *rec)
{
	for (unsigned i = 0; i < SAMPLE_WANTS_MAX; i++)
		if (rec->id[i])
			return false;
	return true;
}

/* The next record, after the remainder at the end of the memory. */
static struct record *oldest_record(struct sample_ring *r, uint64_t *tail)
{
	uint32_t to_end = RING_SIZE - (uint32_t)(*tail % RING_SIZE);

	if (to_end < sizeof(struct record) || is_skip(record_at(r, *tail)))
		*tail += to_end;
	return record_at(r, *tail);
}

bool sample_peek(struct sample_ring *r, struct sample *ret)
{
	/* pairs with the release in sample_frame() */
	uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	const struct record *rec;

	if (head == tail)
		return false;
	rec = oldest_record(r, &tail);
	*ret = (struct sample){
		.time_ns = rec->time_ns,
		.port = rec->port,
		.has_l2 = rec->has_l2,
		.pkttype = rec->pkttype,
		.caplen = rec->caplen,
		.len = rec->len,
		.id = rec->id,
		.data = rec->data,
	};
	return true;
}

void sample_pop(struct sample_ring *r)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	const struct record *rec = oldest_record(r, &tail);

	/* pairs with the acquire in sample_reserve(): we have read it */
	atomic_store_explicit(&r->tail, tail + rec->size, memory_order_release);
}

uint64_t sample_lost(struct sample_ring *r, unsigned want, unsigned port)
{
	return atomic_load_explicit(&r->lost[want][port], memory_order_relaxed);
}
