/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Datagrams and fragments of several streams, marks, restarts, steps of the clock and
 * time, for three watches. One is left alone. The second is also queried, ticked and
 * flushed in between, and must end with the same results. The third has room for fewer
 * streams than there are. Each datagram that it gets must be in a view, be counted as
 * not watched, or belong to a stream that was replaced.
 */

#include "dataplane/quality/quality_watch.h"
#include "fuzz.h"

#define N_GROUPS 5
#define N_PORTS	 3
#define N_SMALL	 4
#define REAL_NS	 (INT64_C(1700000000) * NS_PER_SEC)
#define RECENT	 (900 * NS_PER_MS)

enum { ALONE, ASKED, SMALL, N_WATCHES };

struct run {
	struct quality_watch *w[N_WATCHES];
	int64_t now, step; /* monotonic; by how much the other clock was set */
	int64_t ticked;	   /* no datagram that came before is given after this */
	mono_t last[N_GROUPS][N_PORTS]; /* datagrams, without fragments */
	bool known[N_GROUPS][N_PORTS];
	uint64_t given; /* datagrams and fragments */
	uint32_t mark;
	uint8_t payload[1400];
	size_t len;
};

static struct addr group_of(unsigned g)
{
	return ADDR_V4(239, 0, 0, (uint8_t)g);
}

struct seen {
	unsigned n;
	uint64_t sum;
	struct quality_view v[N_GROUPS * N_PORTS];
};

static void see(void *arg, const struct quality_view *v)
{
	struct seen *s = arg;

	fuzz_assert(s->n < array_len(s->v));
	fuzz_assert(v->full + v->light == v->count[QUALITY_DATAGRAMS]);
	fuzz_assert(v->light == v->count[QUALITY_TRUNCATED]);
	fuzz_assert(v->count[QUALITY_TIME_STEPS] == 0);
	fuzz_assert(mono_is_set(v->first) && !mono_before(v->last, v->first));
	fuzz_assert(!mono_is_set(v->mark_pat) || v->mark);
	fuzz_assert(!mono_is_set(v->mark_pat) || mono_is_set(v->mark_first));
	s->sum += v->full + v->light + v->fragments;
	s->v[s->n++] = *v;
}

static struct seen look(const struct run *r, unsigned which)
{
	struct seen s = {0};

	quality_watch_views(r->w[which], NULL, see, &s);
	return s;
}

static const struct addr source = ADDR_V4(10, 0, 0, 1);

/* A few datagrams of a group, in a burst. */
static void burst(struct run *r, struct rd *in)
{
	unsigned what = rd_u8(in), g = what % N_GROUPS, n = rd_u8(in) % 8;
	struct addr group = group_of(g);
	struct quality_moment m = {{r->now}, {r->now + 1}, REAL_NS + r->now + r->step};
	int64_t late = (int64_t)(what >> 4) * NS_PER_MS;
	uint8_t ports = rd_u8(in);

	if (late > r->now - r->ticked)
		late = r->now - r->ticked;
	for (unsigned i = 0; i < N_WATCHES; i++) {
		quality_watch_begin(r->w[i], &m);
		quality_watch_expect(r->w[i], 1, &source, &group);
		quality_watch_flow(r->w[i], 1, &source, &group);
		for (unsigned k = 0; k <= n; k++) {
			unsigned port = (unsigned)(ports >> k % 8) % N_PORTS;

			/* analysers see no fragments */
			if (!(what & 8) || k > 0)
				r->last[g][port] = (mono_t){r->now};
			r->known[g][port] = true;
			if (what & 8 && k == 0)
				quality_watch_fragment(r->w[i], ports & 1,
					(uint16_t)port, m.real_ns - late);
			else
				quality_watch_datagram(r->w[i], (uint16_t)port,
					r->payload, r->len, m.real_ns - late);
		}
		quality_watch_end(r->w[i]);
	}
	r->given += n + 1;
}

static void change_payload(struct run *r, struct rd *in)
{
	unsigned n = rd_u8(in) % 8;

	if (n == 0) {
		r->len = rd_u8(in);
		return;
	}
	r->len = n * 188;
	for (unsigned i = 0; i < n; i++) {
		uint8_t *p = r->payload + i * 188;
		unsigned what = rd_u8(in);

		p[0] = 0x47;
		p[1] = what & 16 ? 0x40 : 1;
		p[3] = (uint8_t)(0x10 | (what & 15));
		if (what & 32) {
			p[3] |= 0x20;
			p[4] = 1;
			p[5] = what & 64 ? 0x40 : 0x80;
		}
	}
}

/* Returns true if no stream has been silent for long enough for an outage, so that one
 * more question changes nothing. */
static bool all_recent(const struct run *r)
{
	for (unsigned i = 0; i < N_GROUPS * N_PORTS; i++) {
		mono_t last = r->last[i / N_PORTS][i % N_PORTS];

		if (mono_is_set(last) && r->now - last.ns > RECENT)
			return false;
	}
	return true;
}

static void order(struct run *r, struct rd *in)
{
	unsigned what = rd_u8(in);
	struct addr group = group_of(what % N_GROUPS);

	if (what & 8 && !all_recent(r))
		return;
	if (!(what & 8))
		r->mark++;
	for (unsigned i = 0; i < N_WATCHES; i++)
		if (what & 8)
			quality_watch_restart(r->w[i], &group, (mono_t){r->now + 1});
		else
			quality_watch_mark(r->w[i], &group, r->mark, (mono_t){r->now});
}

static void ask(struct run *r, struct rd *in)
{
	unsigned what = rd_u8(in);

	r->ticked = what & 1 ? r->now : r->ticked;
	for (unsigned i = ASKED; i < N_WATCHES; i++) {
		if (what & 1)
			quality_watch_tick(r->w[i], (mono_t){r->now}, (mono_t){r->now});
		if (what & 2)
			quality_watch_flush(r->w[i]);
		(void)look(r, i);
	}
}

static void pass(struct run *r, struct rd *in)
{
	static const int64_t unit[] = {
		1000, NS_PER_MS, 100 * NS_PER_MS, 2 * NS_PER_SEC};
	unsigned what = rd_u8(in);

	r->now += unit[what & 3] * (1 + (what >> 2));
}

static void set_clock(struct run *r, struct rd *in)
{
	int64_t by = (int64_t)rd_u8(in) - 128;

	if (!all_recent(r))
		return;
	r->step += by * 50 * NS_PER_MS;
	for (unsigned i = 0; i < N_WATCHES; i++) { /* they notice */
		quality_watch_begin(r->w[i],
			&(struct quality_moment){
				{r->now}, {r->now + 1}, REAL_NS + r->now + r->step});
		quality_watch_end(r->w[i]);
	}
}

/* The pause of a stream ends, which brings its seconds up to date. */
static void end_pause(struct run *r, unsigned g, unsigned port)
{
	struct addr group = group_of(g);

	for (unsigned i = 0; i < N_WATCHES; i++) {
		quality_watch_begin(r->w[i],
			&(struct quality_moment){
				{r->now}, {r->now + 1}, REAL_NS + r->now + r->step});
		quality_watch_flow(r->w[i], 1, &source, &group);
		quality_watch_datagram(r->w[i], (uint16_t)port, r->payload, r->len,
			REAL_NS + r->now + r->step);
		quality_watch_end(r->w[i]);
	}
	r->given++;
}

/* memcmp() would also compare padding. */
static bool same_stream(const struct quality_stream *a, const struct quality_stream *b)
{
	return addr_eq(&a->group, &b->group) && addr_eq(&a->source, &b->source) &&
		a->dport == b->dport && a->port == b->port;
}

static void same_in_the_end(struct run *r)
{
	struct seen s[N_WATCHES];

	r->now += 2 * NS_PER_SEC;
	for (unsigned i = 0; i < N_GROUPS * N_PORTS; i++)
		if (r->known[i / N_PORTS][i % N_PORTS])
			end_pause(r, i / N_PORTS, i % N_PORTS);
	for (unsigned i = 0; i < N_WATCHES; i++) {
		quality_watch_tick(r->w[i], (mono_t){r->now}, (mono_t){r->now});
		s[i] = look(r, i);
	}
	fuzz_assert(s[ALONE].n == s[ASKED].n);
	for (unsigned i = 0; i < s[ALONE].n; i++) {
		const struct quality_view *a = &s[ALONE].v[i], *b = &s[ASKED].v[i];

		fuzz_assert(same_stream(&a->stream, &b->stream));
		fuzz_assert(memcmp(a->count, b->count, sizeof(a->count)) == 0);
		fuzz_assert(a->kind == b->kind && a->full == b->full);
		fuzz_assert(a->first.ns == b->first.ns && a->last.ns == b->last.ns);
		fuzz_assert(a->mark == b->mark && a->mark_first.ns == b->mark_first.ns);
		fuzz_assert(a->mark_pat.ns == b->mark_pat.ns &&
			a->mark_random.ns == b->mark_random.ns);
	}
}

static void nothing_is_lost(const struct run *r)
{
	for (unsigned i = 0; i < N_WATCHES; i++) {
		struct quality_watch_stats st = {0};
		struct seen s = look(r, i);

		quality_watch_stats(r->w[i], &st);
		fuzz_assert(st.streams <= st.max && s.n == st.streams);
		fuzz_assert(s.sum + st.unwatched <= r->given);
		if (i != SMALL)
			fuzz_assert(s.sum + st.unwatched == r->given);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct run run;
	struct run *r = &run;
	struct rd in = rd_init(data, size);
	enum quality_mode mode = rd_u8(&in) & 1 ? QUALITY_MODE_AUTO : QUALITY_MODE_ON;

	*r = (struct run){.now = 50 * NS_PER_SEC, .len = 188, .payload = {0x47}};
	for (unsigned i = 0; i < N_WATCHES; i++)
		fuzz_assert(quality_watch_new(mode,
				    i == SMALL ? N_SMALL : N_GROUPS * N_PORTS, 20,
				    &r->w[i]) == 0);
	while (fuzz_more(&in)) {
		static void (*const op[])(struct run * r, struct rd * in) = {burst,
			burst, burst, change_payload, pass, pass, order, ask,
			set_clock};

		op[rd_u8(&in) % array_len(op)](r, &in);
	}
	same_in_the_end(r);
	nothing_is_lost(r);
	for (unsigned i = 0; i < N_WATCHES; i++)
		quality_watch_free(r->w[i]);
	return 0;
}
