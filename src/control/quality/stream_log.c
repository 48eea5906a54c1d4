/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The streams and their results, see stream_log.h.
 *
 * Each generation of a view begins its counters at 0, so its first view has only new
 * counts. The thread finds the faults of a drop of the ring only when it reaches the
 * datagrams after it. So faults count as ours until it has analysed a datagram that
 * arrived after the drop was noticed.
 */

#include "control/quality/stream_log.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

#define FLOWS_MS 10000 /* a stream flows this long after its last datagram */

struct stream_log {
	struct table table;
	struct stream_entry *newest, *oldest; /* by when they were last judged */
	size_t bytes, max_bytes;	      /* of entries and chunks */
};

/* ---- memory ---- */

int stream_log_new(uint64_t seed, size_t memory, struct stream_log **ret)
{
	struct stream_log *l = calloc(1, sizeof(*l));

	if (!l)
		return -ENOMEM;
	table_init(&l->table, seed);
	l->max_bytes = memory;
	*ret = l;
	return 0;
}

static void unlink_entry(struct stream_log *l, struct stream_entry *e)
{
	*(e->newer ? &e->newer->older : &l->newest) = e->older;
	*(e->older ? &e->older->newer : &l->oldest) = e->newer;
	e->newer = e->older = NULL;
}

static void link_entry(struct stream_log *l, struct stream_entry *e)
{
	e->older = l->newest;
	*(l->newest ? &l->newest->newer : &l->oldest) = e;
	l->newest = e;
}

static void free_chunk(struct stream_log *l, struct history_chunk *c)
{
	l->bytes -= sizeof(*c);
	free(c);
}

static void drop_entry(struct stream_log *l, struct stream_entry *e)
{
	struct history_chunk *c;

	while ((c = history_give(&e->history)))
		free_chunk(l, c);
	unlink_entry(l, e);
	table_remove(&l->table, &e->node);
	l->bytes -= sizeof(*e);
	free(e);
}

struct stream_log *stream_log_free(struct stream_log *l)
{
	if (!l)
		return NULL;
	while (l->oldest)
		drop_entry(l, l->oldest);
	table_deinit(&l->table);
	free(l);
	return NULL;
}

/* Frees `bytes` by dropping the streams that have been silent longest, but never the
 * entry `keep`. */
static bool make_room_for(struct stream_log *l, size_t bytes, struct stream_entry *keep)
{
	while (l->bytes + bytes > l->max_bytes) {
		struct stream_entry *e = l->oldest;
		struct history_chunk *c = e ? history_give(&e->history) : NULL;

		if (c)
			free_chunk(l, c);
		else if (e && e != keep)
			drop_entry(l, e);
		else
			return false;
	}
	return true;
}

/* Allocates a chunk for `e`, all zero, and counts it as used. NULL if there is no
 * room. */
static struct history_chunk *stream_log_chunk(
	struct stream_log *l, struct stream_entry *e)
{
	struct history_chunk *c;

	if (!make_room_for(l, sizeof(*c), e))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c)
		l->bytes += sizeof(*c);
	return c;
}

static void stream_log_give_back(struct stream_log *l, struct history_chunk *list)
{
	while (list) {
		struct history_chunk *older = list->older;

		free_chunk(l, list);
		list = older;
	}
}

void stream_log_set_memory(struct stream_log *l, size_t memory)
{
	l->max_bytes = memory;
	(void)make_room_for(l, 0, NULL);
}

size_t stream_log_memory(const struct stream_log *l)
{
	return l->bytes;
}

size_t stream_log_size(const struct stream_log *l)
{
	return l->table.n;
}

/* ---- entries ---- */

/* The hash does not depend on the UDP port, so that all streams of a group and a source
 * have the same one. */
static uint64_t hash_of_stream(
	const struct stream_log *l, const struct addr *group, const struct addr *source)
{
	struct addr key[] = {*group, *source};

	return table_hash(&l->table, key, sizeof(key));
}

static uint64_t hash_of_key(const struct stream_log *l, const struct quality_stream *s)
{
	return hash_of_stream(l, &s->group, &s->source);
}

static bool same(const struct quality_stream *a, const struct quality_stream *b)
{
	return a->dport == b->dport && a->port == b->port &&
		addr_eq(&a->group, &b->group) && addr_eq(&a->source, &b->source);
}

static struct stream_entry *find_entry(
	const struct stream_log *l, const struct quality_stream *key)
{
	return table_search(&l->table, hash_of_key(l, key), struct stream_entry, e,
		same(&e->stream, key));
}

/* Adds an entry, as the newest one, for a key that has none. NULL if there is no
 * memory. */
static struct stream_entry *stream_log_add(
	struct stream_log *l, const struct quality_stream *key)
{
	struct stream_entry *e;

	while (l->table.n >= STREAM_LOG_MAX)
		drop_entry(l, l->oldest);
	if (!make_room_for(l, sizeof(*e), NULL))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->stream = *key;
	if (table_insert(&l->table, &e->node, hash_of_key(l, key)) < 0) {
		free(e);
		return NULL;
	}
	l->bytes += sizeof(*e);
	link_entry(l, e);
	return e;
}

const struct stream_entry *stream_log_find(
	const struct stream_log *l, const struct quality_stream *key)
{
	return find_entry(l, key);
}

enum stream_place stream_log_worst(
	const struct stream_log *l, const struct addr *group, const struct addr *source)
{
	static const unsigned badness[_STREAM_PLACE_N] = {
		[STREAM_UNKNOWN] = 0,
		[STREAM_CLEAN] = 1,
		[STREAM_PERHAPS] = 2,
		[STREAM_BEYOND] = 3,
		[STREAM_PROVIDER] = 4,
		[STREAM_ROUTER] = 5,
	};
	enum stream_place worst = STREAM_UNKNOWN;

	for (struct table_node *n =
			table_find(&l->table, hash_of_stream(l, group, source));
		n; n = table_next(n)) {
		const struct stream_entry *e =
			container_of(n, struct stream_entry, node);
		enum stream_place p = stream_entry_present(e)->place;

		if (addr_eq(&e->stream.group, group) &&
			addr_eq(&e->stream.source, source) &&
			badness[p] > badness[worst])
			worst = p;
	}
	return worst;
}

const struct stream_entry *stream_log_next(
	const struct stream_log *l, const struct stream_entry *e)
{
	return e ? e->older : l->newest;
}

/* ---- an interval ---- */

/* What an interval has brought. */
struct news {
	uint64_t datagrams, faults, lost, continuity, outages, full;
	int64_t gap_ns;
};

static uint64_t since(uint64_t now, uint64_t then)
{
	return now >= then ? now - then : 0;
}

/* Adds what is new to the sums, and remembers the view. */
static struct news take_counts(struct stream_entry *e, const struct quality_view *v)
{
	static const enum quality_count fault[] = {QUALITY_MISFITS,
		QUALITY_TS_SYNC_BYTES, QUALITY_TS_CONTINUITY,
		QUALITY_TS_TRANSPORT_ERRORS};
	uint64_t n[_QUALITY_COUNT_N];
	struct news news = {0};

	if (!e->based || e->generation != v->generation) {
		memset(e->count, 0, sizeof(e->count));
		e->lost = e->full = e->light = e->fragments = 0;
	}
	for (unsigned i = 0; i < _QUALITY_COUNT_N; i++) {
		n[i] = since(v->count[i], e->count[i]);
		e->total[i] += n[i];
		e->count[i] = v->count[i];
	}
	news.lost = since(v->result.rtp_lost, e->lost);
	news.continuity = n[QUALITY_TS_CONTINUITY];
	news.datagrams = n[QUALITY_DATAGRAMS];
	news.full = since(v->full, e->full);
	news.outages = n[QUALITY_OUTAGES];
	news.faults = news.lost;
	for (size_t i = 0; i < array_len(fault); i++)
		news.faults += n[fault[i]];
	if (v->gap_max_ns > e->gap_max_ns)
		news.gap_ns = e->gap_max_ns = v->gap_max_ns;
	e->total_full += news.full;
	e->total_light += since(v->light, e->light);
	e->total_fragments += since(v->fragments, e->fragments);
	/* a number that comes late reduces the loss: it must not count again */
	if (v->result.rtp_lost > e->lost)
		e->lost = v->result.rtp_lost;
	e->full = v->full;
	e->light = v->light;
	e->fragments = v->fragments;
	e->kind = v->kind;
	e->result = v->result;
	e->generation = v->generation;
	return news;
}

/* Counts what was dropped of its group in the interval. The first view has no
 * interval. */
static void take_drops(struct stream_entry *e, const struct stream_local *local,
	uint64_t drops[_STREAM_DROP_N])
{
	for (unsigned d = 0; d < _STREAM_DROP_N; d++) {
		drops[d] = e->based ? since(local->refused[d], e->refused[d]) : 0;
		e->refused[d] = local->refused[d];
		if (local->wanted)
			e->dropped[d] += drops[d];
	}
}

static void take_wanted(struct stream_entry *e, mono_t now, bool wanted)
{
	if (wanted && !e->wanted)
		e->wanted_since = now;
	e->wanted = wanted;
}

static bool is_steady(const struct stream_entry *e)
{
	return e->kind != QUALITY_UNKNOWN || e->steady >= STREAM_LOG_STEADY;
}

/* Returns how long a stream that flowed and is wanted has been silent, or 0. Datagrams
 * that wait in a ring of this router have come. */
static int64_t silence_ns(const struct stream_entry *e, mono_t now)
{
	int64_t ns = now.ns - e->last.ns;

	if (!e->silent || !is_steady(e) || !e->wanted || !mono_is_set(e->last) ||
		!mono_before(e->wanted_since, e->last) ||
		ns >= STREAM_LOG_OUTAGE_MS * NS_PER_MS)
		return 0;
	return ns > 0 ? ns : 0;
}

/* Is enough known to call it clean? Light analysis skips the contents, and only RTP
 * shows loss without them. */
static bool is_looked_at(const struct stream_entry *e, const struct news *n)
{
	return n->datagrams > 0 && (n->full > 0 || e->kind != QUALITY_TS);
}

/* The pause of a steady stream must be judged before a new beginning is counted, so
 * call judge_second() first. */
static void count_steady(struct stream_entry *e, const struct news *n)
{
	if (n->datagrams == 0)
		return;
	if (n->outages > 0)
		e->steady = 0;
	else if (e->steady < STREAM_LOG_STEADY)
		e->steady++;
}

static struct stream_verdict judge_second(struct stream_entry *e, mono_t now,
	mono_t before, const struct news *n, const struct stream_local *local,
	const uint64_t drops[_STREAM_DROP_N])
{
	struct stream_second s = {
		.wanted = e->wanted,
		.looked = is_looked_at(e, n),
		.faults = n->faults,
		.outage = silence_ns(e, now) > NS_PER_SEC ||
			(n->outages > 0 && is_steady(e)),
		.ring = mono_is_set(local->ring_at) &&
			!mono_before(local->ring_at, before),
		.asked = local->asked,
	};

	memcpy(s.drops, drops, sizeof(s.drops));
	return stream_verdict(&s);
}

static void remember(struct stream_log *l, struct stream_entry *e, mono_t now,
	const struct news *n, const struct stream_local *local)
{
	struct history_chunk *fresh = NULL, *old = NULL;
	struct history_second s = {
		.provider = e->now.provider,
		.router = e->now.router,
		.perhaps = e->now.place == STREAM_PERHAPS,
		.beyond = e->now.place == STREAM_BEYOND,
		.lost = n->lost,
		.continuity = n->continuity,
		.rate_bps = n->datagrams ? e->result.rate_bps : 0,
		.gap_ns = n->gap_ns,
		.viewers = local->viewers,
	};
	int64_t silence = silence_ns(e, now);

	if (silence > NS_PER_SEC && silence > s.gap_ns)
		s.gap_ns = silence;
	for (unsigned i = history_needs(&e->history, now); i > 0; i--) {
		struct history_chunk *c = stream_log_chunk(l, e);

		if (!c)
			break;
		c->older = fresh;
		fresh = c;
	}
	(void)history_add(&e->history, now, &s, &fresh, &old);
	stream_log_give_back(l, fresh);
	stream_log_give_back(l, old);
}

/* One bit for each kind of fault that has a text of its own. */
static uint32_t kind_of_fault(const struct stream_verdict *v)
{
	if (v->router)
		return UINT32_C(1) << v->drop;
	return UINT32_C(1) << (_STREAM_DROP_N + v->silent);
}

/* Counts the verdict, and finds out whether it is news. */
static enum stream_event conclude_second(
	struct stream_entry *e, mono_t now, const struct news *n)
{
	bool bad = e->now.provider || e->now.router;

	e->place_seconds[e->now.place]++;
	e->provider_seconds += e->now.provider;
	e->router_seconds += e->now.router;
	if (e->now.place == STREAM_ROUTER && e->now.drop == STREAM_DROP_RING)
		e->dropped[STREAM_DROP_RING]++;
	if (bad) {
		uint32_t known;

		if (!e->faulty) {
			e->faulty_since = now;
			e->faulty_seconds = e->faulty_lost = 0;
			e->faulty_kinds = 0;
		}
		e->faulty = true;
		e->fault = e->now;
		e->fault_at = now;
		e->faulty_seconds++;
		e->faulty_lost += n->lost;
		known = e->faulty_kinds;
		e->faulty_kinds |= kind_of_fault(&e->fault);
		return e->faulty_kinds == known ? STREAM_NOTHING : STREAM_FAULT_NEW;
	}
	if (!e->faulty || !mono_due(mono_add_ms(e->fault_at, STREAM_LOG_CLEAN_MS), now))
		return STREAM_NOTHING;
	e->faulty = false;
	/* a stream that is no longer analysed is not clean */
	return e->now.place == STREAM_UNKNOWN ? STREAM_NOTHING : STREAM_BECAME_CLEAN;
}

enum stream_event stream_log_see(struct stream_log *l, mono_t now,
	const struct quality_view *v, const struct stream_local *local,
	struct stream_entry **ret_entry)
{
	struct stream_entry *e = find_entry(l, &v->stream);
	uint64_t drops[_STREAM_DROP_N];
	mono_t before;
	struct news n;

	*ret_entry = e;
	/* an old slot, whose stream already has a newer one */
	if (e && e->based && e->generation != v->generation &&
		mono_before(v->last, e->last))
		return STREAM_NOTHING;
	if (!e)
		e = *ret_entry = stream_log_add(l, &v->stream);
	if (!e)
		return STREAM_NOTHING;
	if (!mono_is_set(e->first))
		e->first = v->first;
	before = mono_is_set(e->last) ? e->last : v->first;
	take_wanted(e, now, local->wanted);
	n = take_counts(e, v);
	take_drops(e, local, drops);
	e->based = true;
	e->last = v->last;
	e->silent = v->silent;
	e->viewers = local->viewers;
	e->now = judge_second(e, now, before, &n, local, drops);
	count_steady(e, &n);
	e->open = !mono_due(mono_add_ms(v->last, FLOWS_MS), now) ||
		silence_ns(e, now) > 0 || e->faulty;
	if (e->now.place == STREAM_UNKNOWN && n.datagrams == 0 && !e->faulty)
		return STREAM_NOTHING;
	unlink_entry(l, e);
	link_entry(l, e);
	if (e->now.place != STREAM_UNKNOWN)
		remember(l, e, now, &n, local);
	return conclude_second(e, now, &n);
}

void stream_log_unseen(const struct stream_log *l, mono_t now,
	void (*fn)(void *arg, const struct quality_view *v), void *arg)
{
	for (const struct stream_entry *e = l->newest; e; e = e->older) {
		struct quality_view v = {.stream = e->stream,
			.kind = e->kind,
			.first = e->first,
			.last = e->last};
		int64_t silence = now.ns - e->last.ns;

		/* views of the threads have a generation */
		if (e->generation || !mono_is_set(e->last) ||
			(silence >= STREAM_LOG_OUTAGE_MS * NS_PER_MS && !e->faulty))
			continue;
		/* at first, datagrams may still wait where the earlier process left
		 * them */
		v.silent = e->based ? silence > NS_PER_SEC : e->silent;
		fn(arg, &v);
	}
}

enum stream_place stream_log_place(const struct history_sum *sum)
{
	if (sum->judged == 0)
		return STREAM_UNKNOWN;
	if (sum->router > 0 && sum->router >= sum->provider)
		return STREAM_ROUTER;
	if (sum->provider > 0)
		return STREAM_PROVIDER;
	if (sum->beyond)
		return STREAM_BEYOND;
	return sum->perhaps ? STREAM_PERHAPS : STREAM_CLEAN;
}

/* ---- the next process ---- */

/* Sections that a reader does not know are skipped. */
#define TAG_STREAM  1
#define TAG_HISTORY 2
#define TAG_PRESENT 3

/* The system's clock is the same for both processes. */
static void put_system_time(struct state_out *o, mono_t t)
{
	state_put_u64(o, (uint64_t)t.ns);
}

static void export_verdict(const struct stream_verdict *v, struct state_out *o)
{
	state_put_u32(o, v->place);
	state_put_u32(o, v->drop);
	state_put_u8(o, v->provider);
	state_put_u8(o, v->router);
	state_put_u8(o, v->silent);
}

/* Writes the present state, so that the next process continues an outage or a fault. */
static void export_present(const struct stream_entry *e, struct state_out *o)
{
	size_t at = state_begin(o, TAG_PRESENT);

	put_system_time(o, e->last);
	state_put_u8(o, e->silent);
	state_put_u32(o, e->steady);
	state_put_u8(o, e->wanted);
	put_system_time(o, e->wanted_since);
	export_verdict(&e->now, o);
	state_put_u8(o, e->faulty);
	export_verdict(&e->fault, o);
	put_system_time(o, e->fault_at);
	put_system_time(o, e->faulty_since);
	state_put_u64(o, e->faulty_seconds);
	state_put_u64(o, e->faulty_lost);
	state_put_u32(o, e->faulty_kinds);
	state_end(o, at);
}

static void export_entry(
	const struct stream_entry *e, const char *name, struct state_out *o)
{
	size_t at = state_begin(o, TAG_STREAM), history;
	const uint64_t sums[] = {e->total_full, e->total_light, e->total_fragments,
		e->provider_seconds, e->router_seconds, (uint64_t)e->gap_max_ns};

	state_put_text(o, name);
	state_put_addr(o, &e->stream.group);
	state_put_addr(o, &e->stream.source);
	state_put_u32(o, e->stream.dport);
	state_put_u32(o, e->kind);
	put_system_time(o, e->first);
	state_put_counts(o, e->total, _QUALITY_COUNT_N);
	state_put_counts(o, e->dropped, _STREAM_DROP_N);
	state_put_counts(o, e->place_seconds, _STREAM_PLACE_N);
	state_put_counts(o, sums, sizeof(sums) / sizeof(sums[0]));
	export_present(e, o);
	history = state_begin(o, TAG_HISTORY);
	history_export(&e->history, o);
	state_end(o, history);
	state_end(o, at);
}

void stream_log_export(const struct stream_log *l, struct state_out *o,
	const char *(*name)(void *ctx, unsigned port), void *ctx)
{
	/* a reader adds each one as the newest */
	for (const struct stream_entry *e = l->oldest; e; e = e->newer) {
		const char *port = name(ctx, e->stream.port);

		if (port)
			export_entry(e, port, o);
	}
}

static int import_history(
	struct stream_log *l, struct stream_entry *e, mono_t now, struct state_in *in)
{
	struct history_chunk read, *c;
	enum history_level level;

	while (history_import(in, now, &level, &read)) {
		c = stream_log_chunk(l, e);
		if (!c)
			return 0; /* as much as fits */
		*c = read;
		if (!history_append(&e->history, now, level, c))
			stream_log_give_back(l, c);
	}
	return state_is_bad(in) ? -EINVAL : 0;
}

static void import_sums(struct stream_entry *e, struct state_in *in)
{
	uint64_t sums[6] = {0};

	state_get_counts(in, e->total, _QUALITY_COUNT_N);
	state_get_counts(in, e->dropped, _STREAM_DROP_N);
	state_get_counts(in, e->place_seconds, _STREAM_PLACE_N);
	state_get_counts(in, sums, sizeof(sums) / sizeof(sums[0]));
	e->total_full = sums[0];
	e->total_light = sums[1];
	e->total_fragments = sums[2];
	e->provider_seconds = sums[3];
	e->router_seconds = sums[4];
	e->gap_max_ns = sums[5] <= INT64_MAX ? (int64_t)sums[5] : 0;
}

/* Sets the state bad if the time is in the future. */
static mono_t get_system_time(struct state_in *in, mono_t now)
{
	mono_t t = {(int64_t)state_get_u64(in)};

	if (t.ns >= 0 && !mono_before(now, t))
		return t;
	state_set_bad(in);
	return MONO_UNSET;
}

static struct stream_verdict import_verdict(struct state_in *in)
{
	struct stream_verdict v = {0};

	v.place = (enum stream_place)state_get_up_to(in, _STREAM_PLACE_N - 1);
	v.drop = (enum stream_drop)state_get_up_to(in, _STREAM_DROP_N - 1);
	v.provider = state_get_bool(in);
	v.router = state_get_bool(in);
	v.silent = state_get_bool(in);
	return v;
}

static int import_present(struct stream_entry *e, mono_t now, struct state_in *in)
{
	mono_t last = get_system_time(in, now);

	e->silent = state_get_bool(in);
	e->steady = state_get_up_to(in, STREAM_LOG_STEADY);
	e->wanted = state_get_bool(in);
	e->wanted_since = get_system_time(in, now);
	e->now = import_verdict(in);
	e->faulty = state_get_bool(in);
	e->fault = import_verdict(in);
	e->fault_at = get_system_time(in, now);
	e->faulty_since = get_system_time(in, now);
	e->faulty_seconds = state_get_u64(in);
	e->faulty_lost = state_get_u64(in);
	e->faulty_kinds = state_get_u32(in);
	if (state_is_bad(in)) {
		e->faulty = false;
		return -EINVAL;
	}
	e->last = last;
	return 0;
}

static int import_entry(struct stream_log *l, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx)
{
	struct quality_stream key = {0};
	struct state_in section;
	struct stream_entry *e;
	char name[IFNAMSIZ];
	uint32_t kind, tag;
	mono_t first;
	int n, r = 0;

	state_get_text(in, name, sizeof(name));
	key.group = state_get_addr(in);
	key.source = state_get_addr(in);
	key.dport = (uint16_t)state_get_up_to(in, UINT16_MAX);
	kind = state_get_up_to(in, _QUALITY_KIND_N - 1);
	first.ns = (int64_t)state_get_u64(in);
	if (state_is_bad(in) || first.ns < 0 || mono_before(now, first))
		return -EINVAL;
	n = port(ctx, name);
	if (n < 0)
		return 0;
	key.port = (uint8_t)n;
	if (stream_log_find(l, &key))
		return -EINVAL;
	e = stream_log_add(l, &key);
	if (!e)
		return 0; /* no room */
	e->kind = (enum quality_kind)kind;
	e->first = first;
	import_sums(e, in);
	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_HISTORY)
			r = import_history(l, e, now, &section);
		else if (tag == TAG_PRESENT)
			r = import_present(e, now, &section);
	return r < 0 || state_is_bad(in) ? -EINVAL : 0;
}

int stream_log_import(struct stream_log *l, mono_t now, struct state_in *in,
	int (*port)(void *ctx, const char *name), void *ctx)
{
	struct state_in section;
	uint32_t tag;
	int r = 0;

	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_STREAM)
			r = import_entry(l, now, &section, port, ctx);
	return r < 0 || state_is_bad(in) ? -EINVAL : 0;
}
