/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The streams of a thread, see quality_watch.h: their places, times and budget. A flow
 * is looked up once per burst, because all UDP ports of a flow have the same hash.
 *
 * A slot has 4.5 KiB. All slots together are one mapping, which takes no memory for
 * slots that were never used.
 */

#include "dataplane/quality/quality_watch.h"

#include "base/minmax.h"
#include "base/mul64.h"
#include "base/slot.h"
#include "dataplane/quality/quality_watch_priv.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* a stream that has been silent for this long can be replaced */
#define REST_NS (10 * NS_PER_SEC)
/* a datagram waits for us at most this long */
#define LATE_MAX_NS (10 * NS_PER_SEC)
#define STEP_NS	    (10 * NS_PER_MS) /* a larger step means that the clock was set */
#define EXACT_NS    (NS_PER_MS / 10) /* longest time between readings of two clocks */
#define PERIOD_NS   NS_PER_SEC
#define TICK_NS	    NS_PER_SEC
#define TICK_SLOTS  128 /* streams of one tick; more would delay datagrams */
#define SHARE_MAX   64
#define REFUSED_MAX 16 /* attempts per burst: each waits for memory */
#define HAND_STEPS  16
#define LIGHT_BYTES 16 /* RTP header and the head of its extension */
#define STREAMS_MIN 128
#define MEMORY_PART 64
#define STREAMS_MAX 16384

static_assert(sizeof(struct watch_slot) <= 4608, "the size that quality_watch.h says");
static_assert(sizeof(struct quality_view) % sizeof(uint64_t) == 0, "copied in words");

/* ---- memory ---- */

unsigned quality_watch_streams(uint64_t memory)
{
	uint64_t n = memory / MEMORY_PART / sizeof(struct watch_slot);

	if (memory == 0 || n > QUALITY_WATCH_STREAMS)
		return QUALITY_WATCH_STREAMS;
	return n < STREAMS_MIN ? STREAMS_MIN : (unsigned)n;
}

static struct watch_slot *map_slots(unsigned n)
{
	size_t size = n * sizeof(struct watch_slot);
	void *p = mmap(
		NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	/* a huge page would be filled for the first stream */
	(void)madvise(p, size, MADV_NOHUGEPAGE);
	return p;
}

int quality_watch_new(enum quality_mode mode, unsigned n_streams, unsigned budget,
	struct quality_watch **ret)
{
	unsigned n_places = 1;
	struct quality_watch *w;

	assert(n_streams > 0 && n_streams <= STREAMS_MAX);
	while (n_places < 2 * n_streams)
		n_places *= 2;
	w = calloc(1, sizeof(*w) + n_places * sizeof(w->index[0]));
	if (!w)
		return -ENOMEM;
	w->slot = map_slots(n_streams);
	if (!w->slot) {
		free(w);
		return -ENOMEM;
	}
	w->mode = mode;
	w->budget = budget ? budget : 1;
	w->max = n_streams;
	w->mask = n_places - 1;
	w->key = (uint64_t)(uintptr_t)w->slot * UINT64_C(0x9e3779b97f4a7c15);
	w->share = 1;
	w->dirty = w->pass = WATCH_NONE;
	w->due = w->next_pass = MONO_NEVER;
	for (unsigned i = 0; i < WATCH_GROUPS; i++)
		w->groups[i] = WATCH_NONE;
	*ret = w;
	return 0;
}

struct quality_watch *quality_watch_free(struct quality_watch *w)
{
	if (w)
		munmap(w->slot, w->max * sizeof(w->slot[0]));
	free(w);
	return NULL;
}

/* ---- streams ---- */

/* Senders choose source and group, but do not know the key. */
static uint32_t hash_of_flow(const struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group)
{
	return (uint32_t)(mul64_hash_pair(w->key, source->b, group->b, port) >> 16);
}

static unsigned home_of(const struct quality_watch *w, uint32_t hash)
{
	return hash >> 16 & w->mask;
}

/* An entry of the index without its slot. */
static uint32_t tag_of(uint32_t hash)
{
	return hash << 16;
}

static bool has_tag(uint32_t entry, uint32_t hash)
{
	return (entry & ~UINT32_C(0xffff)) == tag_of(hash);
}

static struct watch_slot *slot_at(const struct quality_watch *w, uint32_t entry)
{
	return &w->slot[(entry & UINT16_MAX) - 1];
}

static bool has_flow(const struct watch_slot *s, const struct watch_flow *f)
{
	return s->stream.port == f->port && addr_eq(&s->stream.group, f->group) &&
		addr_eq(&s->stream.source, f->source);
}

/* The stream of the flow with this port, or without a port the last one that was
 * active. */
static struct watch_slot *find_slot(
	const struct quality_watch *w, bool has_port, uint16_t dport)
{
	const struct watch_flow *f = &w->flow;
	struct watch_slot *found = NULL;

	for (unsigned i = home_of(w, f->hash); w->index[i]; i = (i + 1) & w->mask) {
		struct watch_slot *s = slot_at(w, w->index[i]);

		if (!has_tag(w->index[i], f->hash) || !has_flow(s, f))
			continue;
		if (has_port && s->stream.dport == dport)
			return s;
		if (!has_port && (!found || mono_before(found->last, s->last)))
			found = s;
	}
	return found;
}

static void index_add(struct quality_watch *w, const struct watch_slot *s)
{
	unsigned i = home_of(w, s->hash);

	while (w->index[i])
		i = (i + 1) & w->mask;
	w->index[i] = tag_of(s->hash) | (uint32_t)(s - w->slot + 1);
}

/* Moves later entries of the same run forward, so that no probe ends too early. */
static void index_del(struct quality_watch *w, const struct watch_slot *s)
{
	unsigned i = home_of(w, s->hash);

	while (slot_at(w, w->index[i]) != s)
		i = (i + 1) & w->mask;
	for (unsigned k = (i + 1) & w->mask; w->index[k]; k = (k + 1) & w->mask) {
		unsigned home = home_of(w, slot_at(w, w->index[k])->hash);

		if (((k - home) & w->mask) < ((k - i) & w->mask))
			continue;
		w->index[i] = w->index[k];
		i = k;
	}
	w->index[i] = 0;
}

static uint16_t *list_of(struct quality_watch *w, const struct watch_slot *s)
{
	return &w->groups[slot_set(&s->stream.group, WATCH_GROUPS)];
}

static void list_add(struct quality_watch *w, struct watch_slot *s)
{
	uint16_t *list = list_of(w, s);

	s->next_group = *list;
	*list = (uint16_t)(s - w->slot);
}

static void list_del(struct quality_watch *w, const struct watch_slot *s)
{
	uint16_t *at = list_of(w, s);

	while (&w->slot[*at] != s)
		at = &w->slot[*at].next_group;
	*at = s->next_group;
}

static bool may_go(const struct quality_watch *w, const struct watch_slot *s)
{
	return !s->dirty && w->now.ns - s->last.ns >= REST_NS;
}

/* A slot without a stream, or NULL if there is no room. */
static struct watch_slot *take_slot(struct quality_watch *w)
{
	unsigned n = atomic_load_explicit(&w->n_used, memory_order_relaxed);

	if (n < w->max) {
		/* pairs with the acquire in quality_watch_views() */
		atomic_store_explicit(&w->n_used, n + 1, memory_order_release);
		return &w->slot[n];
	}
	for (unsigned i = 0; i < HAND_STEPS; i++) {
		struct watch_slot *s = &w->slot[w->hand];

		w->hand = (w->hand + 1) % w->max;
		if (!may_go(w, s))
			continue;
		index_del(w, s);
		list_del(w, s);
		return s;
	}
	return NULL;
}

/* Readers may still look at the view of the slot's last stream. */
static struct watch_slot *add_slot(struct quality_watch *w, uint16_t dport)
{
	struct watch_slot *s = take_slot(w);

	if (!s)
		return NULL;
	memset(s, 0, offsetof(struct watch_slot, seq));
	s->stream = (struct quality_stream){
		.group = *w->flow.group,
		.source = *w->flow.source,
		.dport = dport,
		.port = (uint8_t)w->flow.port,
	};
	s->hash = w->flow.hash;
	s->generation = ++w->generation;
	s->epoch = w->epoch;
	s->resume_after = INT64_MAX;
	index_add(w, s);
	list_add(w, s);
	watch_find_orders(w, s);
	return s;
}

/* ---- budget ---- */

/* The period is over: how many streams have to share the budget in the next one? */
static void next_period(struct quality_watch *w)
{
	int64_t ns = w->now.ns - w->period.ns;
	double rate = ns > 0 ? (double)w->period_n * 1e9 / (double)ns : 0;

	w->share = 1;
	if (w->mode == QUALITY_MODE_AUTO && rate > w->budget)
		w->share = rate < (double)w->budget * (SHARE_MAX - 1)
			? (unsigned)(rate / w->budget) + 1
			: SHARE_MAX;
	w->turn++;
	w->period = w->now;
	w->period_n = 0;
	atomic_store_explicit(&w->sampling, w->share > 1, memory_order_relaxed);
}

/* A flood is noticed before a second is over. */
static bool is_period_over(const struct quality_watch *w)
{
	if (w->now.ns - w->period.ns >= PERIOD_NS)
		return true;
	return w->mode == QUALITY_MODE_AUTO && w->share == 1 && w->period_n > w->budget;
}

static bool is_television(const struct watch_slot *s)
{
	return s->q.kind == QUALITY_TS || s->q.kind == QUALITY_RTP_TS;
}

/* ---- flows and datagrams ---- */

static uint64_t faults_of(const struct quality *q)
{
	static const enum quality_count what[] = {QUALITY_MISFITS, QUALITY_SILENT_GAPS,
		QUALITY_OUTAGES, QUALITY_RTP_MISSING, QUALITY_RTP_REORDERED,
		QUALITY_RTP_DUPLICATED, QUALITY_RTP_SKIPPED, QUALITY_TS_SYNC_BYTES,
		QUALITY_TS_CONTINUITY, QUALITY_TS_TRANSPORT_ERRORS};
	uint64_t n = 0;

	for (unsigned i = 0; i < sizeof(what) / sizeof(what[0]); i++)
		n += q->count[what[i]];
	return n;
}

static void close_current(struct quality_watch *w)
{
	struct watch_slot *s = w->current;
	uint64_t faults;

	w->current = NULL;
	if (!s || !s->seen)
		return;
	s->seen = false;
	slot_put(&s->last_ns, (uint64_t)s->last.ns);
	if (!s->dirty) {
		s->dirty = true;
		s->next_dirty = w->dirty;
		w->dirty = (uint16_t)(s - w->slot);
		if (w->due.ns == INT64_MAX)
			w->due = w->next_pass = mono_add_ns(w->now, TICK_NS);
	}
	faults = faults_of(&s->q);
	if (s->news || faults != s->faults) {
		s->faults = faults;
		watch_publish(s);
	}
}

/* Returns the slot of the flow's stream with this port, or NULL if there is no room. */
static struct watch_slot *turn_to(struct quality_watch *w, uint16_t dport)
{
	struct watch_slot *s;

	close_current(w);
	s = find_slot(w, true, dport);
	if (!s && w->refused < REFUSED_MAX)
		s = add_slot(w, dport);
	if (!s) {
		w->refused++;
		return NULL;
	}
	if (s->mark_open && w->now.ns - s->mark_at.ns > QUALITY_MARK_NS)
		s->mark_open = false;
	s->full = w->share == 1 || s->mark_open ||
		(s->generation + w->turn) % w->share == 0;
	w->current = s;
	return s;
}

/* Converts a time to CLOCK_MONOTONIC. Within a stream, time does not go back. */
static mono_t arrival_of(
	const struct quality_watch *w, const struct watch_slot *s, int64_t real_ns)
{
	int64_t at = real_ns + w->offset;

	if (at < w->now.ns - LATE_MAX_NS)
		at = w->now.ns - LATE_MAX_NS;
	at = min(at, w->now.ns);
	return mono_max((mono_t){at}, s->last);
}

/* Notes for which event after the mark this datagram is the first. */
static bool put_marked(
	struct watch_slot *s, const uint8_t *payload, size_t len, mono_t at)
{
	uint64_t pat = s->q.count[QUALITY_TS_PAT];
	uint64_t random = s->q.count[QUALITY_TS_RANDOM_ACCESS];
	bool complete = quality_datagram(&s->q, payload, len, len, at);

	if (mono_before(at, s->mark_at))
		return complete;
	if (!mono_is_set(s->mark_first)) {
		s->mark_first = at;
		s->news = true;
	}
	if (!mono_is_set(s->mark_pat) && s->q.count[QUALITY_TS_PAT] != pat) {
		s->mark_pat = at;
		s->news = true;
	}
	if (!mono_is_set(s->mark_random) &&
		s->q.count[QUALITY_TS_RANDOM_ACCESS] != random) {
		s->mark_random = at;
		s->news = true;
	}
	s->mark_open = !mono_is_set(s->mark_pat) || !mono_is_set(s->mark_random);
	return complete;
}

/* Earlier datagrams must not be compared with this one. */
static void begin_anew(const struct quality_watch *w, struct watch_slot *s)
{
	s->epoch = w->epoch;
	s->resume_after = INT64_MAX;
	quality_resume(&s->q);
}

static void note_arrival(struct watch_slot *s, mono_t at)
{
	if (!mono_is_set(s->first)) {
		s->first = at;
		s->news = true;
	}
	s->news |= s->silent;
	s->silent = false;
	s->last = at;
	s->seen = true;
}

void quality_watch_datagram(struct quality_watch *w, uint16_t dport,
	const uint8_t *payload, size_t len, int64_t real_ns)
{
	struct watch_slot *s = w->current;
	mono_t at;

	if (!s || s->stream.dport != dport)
		s = turn_to(w, dport);
	if (!s) {
		w->unwatched++;
		return;
	}
	at = arrival_of(w, s, real_ns);
	if (s->epoch != w->epoch || at.ns > s->resume_after)
		begin_anew(w, s);
	note_arrival(s, at);
	w->period_n += is_television(s);
	if (!s->full && len > LIGHT_BYTES && is_television(s)) {
		s->light_n++;
		w->light++;
		s->news |= quality_datagram(&s->q, payload, LIGHT_BYTES, len, at);
		return;
	}
	s->full_n++;
	w->full++;
	s->news |= s->mark_open ? put_marked(s, payload, len, at)
				: quality_datagram(&s->q, payload, len, len, at);
}

void quality_watch_fragment(
	struct quality_watch *w, bool has_port, uint16_t dport, int64_t real_ns)
{
	struct watch_slot *s = w->current;

	if (has_port && (!s || s->stream.dport != dport)) {
		s = turn_to(w, dport);
	} else if (!s) {
		s = find_slot(w, false, 0);
		w->current = s;
	}
	if (!s) {
		w->unwatched++;
		return;
	}
	note_arrival(s, arrival_of(w, s, real_ns));
	s->fragments++;
}

void quality_watch_flow(struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group)
{
	close_current(w);
	w->flow = (struct watch_flow){
		port, source, group, hash_of_flow(w, port, source, group)};
}

void quality_watch_expect(const struct quality_watch *w, unsigned port,
	const struct addr *source, const struct addr *group)
{
	uint32_t hash = hash_of_flow(w, port, source, group);

	for (unsigned i = home_of(w, hash); w->index[i]; i = (i + 1) & w->mask) {
		const struct watch_slot *s = slot_at(w, w->index[i]);

		if (!has_tag(w->index[i], hash))
			continue;
		__builtin_prefetch(s);
		__builtin_prefetch((const char *)s + 64);
		__builtin_prefetch((const char *)s + 128);
		__builtin_prefetch(&s->q.arrival);
		__builtin_prefetch(&s->q.rtp);
		__builtin_prefetch(&s->q.ts);
		return;
	}
}

/* ---- bursts ---- */

static void set_time(struct quality_watch *w, const struct quality_moment *m)
{
	int64_t between = m->after.ns - m->before.ns;
	int64_t offset = m->before.ns + between / 2 - m->real_ns;
	int64_t step = offset - w->offset;

	w->now = m->after;
	if (w->has_offset && between > EXACT_NS) /* the thread was interrupted */
		return;
	if (w->has_offset && (step > STEP_NS || step < -STEP_NS))
		w->epoch++;
	w->offset = offset;
	w->has_offset = true;
}

void quality_watch_begin(struct quality_watch *w, const struct quality_moment *now)
{
	set_time(w, now);
	w->refused = 0;
	watch_take_orders(w);
	if (is_period_over(w))
		next_period(w);
}

static void store_count(_Atomic uint64_t *to, uint64_t n)
{
	atomic_store_explicit(to, n, memory_order_relaxed);
}

void quality_watch_end(struct quality_watch *w)
{
	close_current(w);
	store_count(&w->full_n, w->full);
	store_count(&w->light_n, w->light);
	store_count(&w->unwatched_n, w->unwatched);
	/* The rings of a busy thread may never be empty, so an overdue tick does not
	 * wait for that, nor does the rest of a pass. */
	if (w->pass != WATCH_NONE || mono_due(w->due, mono_add_ns(w->now, -TICK_NS)))
		quality_watch_tick(w, w->now, mono_add_ns(w->now, -LATE_MAX_NS));
}

/* ---- what is left to publish ---- */

mono_t quality_watch_due(const struct quality_watch *w)
{
	return w->due;
}

static void publish_rest(struct watch_slot *s)
{
	uint64_t n = s->full_n + s->light_n + s->fragments;

	if (!s->news && n == s->published)
		return;
	watch_publish(s);
}

/* Returns true if nothing more must be published of the stream until its next
 * datagram. */
static bool tick_slot(const struct quality_watch *w, struct watch_slot *s, mono_t until)
{
	bool silent = until.ns - s->last.ns > NS_PER_SEC;

	/* the silence of a stream that nobody wants does not count */
	if (silent && s->resume_after == INT64_MAX && s->epoch == w->epoch) {
		(void)quality_until(&s->q, until);
		s->faults = faults_of(&s->q);
	}
	s->news |= silent;
	s->silent = silent;
	publish_rest(s);
	return silent;
}

void quality_watch_tick(struct quality_watch *w, mono_t now, mono_t until)
{
	w->now = mono_max(w->now, now);
	w->until = until = mono_max(w->until, until);
	watch_take_orders(w);
	if (w->pass == WATCH_NONE) {
		w->pass = w->dirty;
		w->dirty = WATCH_NONE;
		w->next_pass = mono_add_ns(now, TICK_NS);
	}
	for (unsigned n = 0; n < TICK_SLOTS && w->pass != WATCH_NONE; n++) {
		struct watch_slot *s = &w->slot[w->pass];

		w->pass = s->next_dirty;
		s->dirty = !tick_slot(w, s, until);
		if (!s->dirty)
			continue;
		s->next_dirty = w->dirty;
		w->dirty = (uint16_t)(s - w->slot);
	}
	if (w->pass != WATCH_NONE)
		w->due = now;
	else
		w->due = w->dirty == WATCH_NONE ? MONO_NEVER : w->next_pass;
	if (w->pass == WATCH_NONE && w->dirty == WATCH_NONE)
		atomic_store_explicit(&w->sampling, false, memory_order_relaxed);
}

static void publish_list(struct quality_watch *w, uint16_t list)
{
	for (uint16_t i = list; i != WATCH_NONE; i = w->slot[i].next_dirty)
		publish_rest(&w->slot[i]);
}

void quality_watch_flush(struct quality_watch *w)
{
	publish_list(w, w->dirty);
	publish_list(w, w->pass);
}
