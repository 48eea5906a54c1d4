/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Evidence of another forwarder, see forwarder.h. Copies come from the sensor of the
 * port, and decisions are due at regular intervals.
 *
 *   unknown --copy--> noted --we must stop--> standby
 *      ^--------silence--'  ^--missing copies--'
 */

#include "control/member/forwarder.h"

#include "base/array.h"
#include "base/minmax.h"
#include "base/search.h"
#include "control/member/gm_state.h"

#include <errno.h>
#include <stdlib.h>

#define PAUSE_MS   2000 /* copies further apart are separate runs */
#define FRESH_MS   1000 /* the other is there if its last copy is not older */
#define PERSIST_MS 5000 /* after this time the other should have stopped */
/* We resume after this time without enough copies, but not earlier than MISSED_MS after
 * the first datagram without a copy. If copies are only sampled, this many must be
 * missing. */
#define SILENCE_MS 1000
#define MISSED_MS  500
#define MISSED_MIN 8
/* If copies come within this time after we have resumed, that was too early. */
#define RETURN_MS 10000
/* A station is a forwarder if it sends copies of at least one in ENOUGH_PART of our
 * datagrams. On standby, one copy is enough for COVER_PART of our datagrams. Between
 * these two limits nothing changes. */
#define ENOUGH_PART 2
#define COVER_PART  4
#define FORGET_MS   10000
#define STALE_MS    600000 /* a standby is kept this long without any copy */
#define MAX_RETURNS 5

void forwarder_clear(struct forwarder *f)
{
	free(f->v);
	f->v = NULL;
	f->n = f->cap = f->n_standby = 0;
}

/* ---- the table ---- */

static int forwarder_compare(const struct forwarder_stream *s, const struct addr *group,
	const struct addr *source)
{
	int c = addr_cmp(&s->group, group);

	return c || !source ? c : addr_cmp(&s->source, source);
}

/* The first stream that is not before (group, source); without a source, the first of
 * the group. */
static size_t first_stream(
	const struct forwarder *f, const struct addr *group, const struct addr *source)
{
	return first_not_before(
		0, f->n, i, forwarder_compare(&f->v[i], group, source) < 0);
}

const struct forwarder_stream *forwarder_of_group(
	const struct forwarder *f, const struct addr *group, size_t *ret_n)
{
	size_t first = f->n ? first_stream(f, group, NULL) : 0, n = 0;

	while (first + n < f->n && addr_eq(&f->v[first + n].group, group))
		n++;
	*ret_n = n;
	return n ? &f->v[first] : NULL;
}

const struct forwarder_stream *forwarder_find(
	const struct forwarder *f, const struct addr *group, const struct addr *source)
{
	size_t i = f->n ? first_stream(f, group, source) : 0;

	return i < f->n && forwarder_compare(&f->v[i], group, source) == 0 ? &f->v[i]
									   : NULL;
}

static int insert(struct forwarder *f, size_t i, const struct forwarder_stream *s)
{
	if (f->n == FORWARDER_MAX)
		return -ENOSPC;
	if (array_reserve(f->v, f->cap, f->n + 1, 16) < 0)
		return -ENOMEM;
	memmove(&f->v[i + 1], &f->v[i], (f->n - i) * sizeof(*f->v));
	f->v[i] = *s;
	f->n++;
	f->n_standby += s->standby;
	return 0;
}

void forwarder_forget(struct forwarder *f, size_t i)
{
	f->n_standby -= f->v[i].standby;
	f->n--;
	memmove(&f->v[i], &f->v[i + 1], (f->n - i) * sizeof(*f->v));
}

/* ---- evidence ---- */

/* The weight of one interval. It loses a quarter with each following one, so a datagram
 * and its copy may be seen two intervals apart. */
#define INTERVAL_WEIGHT 64
#define LITTLE		8 /* weight of a datagram that is older than seven of them */
#define COPIES_MAX	2 /* the copies count at most twice as much as ours, plus one */

static bool within(mono_t since, int64_t ms, mono_t now)
{
	return mono_before(now, mono_add_ms(since, ms));
}

/* A station that has sent more than half of the bytes of an interval has won then. */
static void vote(struct forwarder_stream *s, const struct gm_mac *mac, uint32_t bytes)
{
	if (gm_mac_eq(&s->mac, mac)) {
		s->votes += bytes;
	} else if (s->votes >= bytes) {
		s->votes -= bytes;
	} else {
		s->mac = *mac;
		s->votes = bytes - s->votes;
	}
}

int forwarder_copy(struct forwarder *f, mono_t now, const struct addr *group,
	const struct addr *source, const struct gm_mac *mac, uint32_t bytes)
{
	size_t i = first_stream(f, group, source);
	struct forwarder_stream *s;
	int r;

	if (i == f->n || forwarder_compare(&f->v[i], group, source) != 0) {
		r = insert(f, i,
			&(struct forwarder_stream){.group = *group,
				.source = *source,
				.mac = *mac,
				.votes = bytes,
				.copies = 1,
				.copies_bytes = bytes,
				.first = now,
				.last = now,
				.covered = now,
				.since = now});
		f->n_refused += r < 0;
		return r < 0 ? r : 1;
	}
	s = &f->v[i];
	if (!within(s->last, PAUSE_MS, now))
		s->enough = false; /* and a new run begins */
	vote(s, mac, bytes);
	s->copies++;
	s->copies_bytes += bytes;
	s->last = now;
	return 0;
}

/* ---- decisions ---- */

/* A forwarder that came back twice gets more time to send copies, and must send them
 * for as long before it is believed again. Nobody can silence us for longer than it
 * sends. */
static int64_t patience_ms(const struct forwarder_stream *s)
{
	unsigned doubled = s->returns > 2 ? s->returns - 2u : 0;

	return doubled ? (int64_t)SILENCE_MS << doubled : 0;
}

static bool must_stop(
	const struct forwarder_stream *s, mono_t now, const struct forwarder_rank *rank)
{
	bool yields = !rank->querier &&
		(gm_mac_eq(&s->mac, &rank->elected) ||
			memcmp(&s->mac, &rank->own, sizeof(s->mac)) < 0);
	bool soon = s->returns && within(s->since, RETURN_MS, now);

	if (soon && within(s->first, patience_ms(s), now))
		return false;
	return yields || !within(s->first, PERSIST_MS, now);
}

static enum forwarder_change stop_stream(
	struct forwarder *f, struct forwarder_stream *s, mono_t now)
{
	bool soon = s->returns && within(s->since, RETURN_MS, now);

	s->returns = soon ? s->returns : 1;
	s->standby = true;
	s->since = s->covered = now;
	s->missed = 0;
	f->n_standby++;
	return FORWARDER_STOPPED;
}

static enum forwarder_change resume_stream(
	struct forwarder *f, struct forwarder_stream *s, mono_t now)
{
	if (s->returns < MAX_RETURNS)
		s->returns++;
	s->standby = s->enough = false;
	s->since = now;
	f->n_standby--;
	return FORWARDER_RESUMED;
}

/* Have copies been missing for long enough, and not only because they were not
 * sampled? */
static bool is_silent(const struct forwarder_stream *s, mono_t now, unsigned sampling)
{
	int64_t ms = patience_ms(s);

	return s->missed > 0 &&
		(!sampling || s->missed / INTERVAL_WEIGHT >> sampling >= MISSED_MIN) &&
		!within(s->covered, max(ms, SILENCE_MS), now) &&
		!within(s->missed_at, MISSED_MS, now);
}

static enum forwarder_change forget(struct forwarder *f, size_t i)
{
	forwarder_forget(f, i);
	return FORWARDER_FORGOTTEN;
}

/* The weight of frames: bytes without headers. A super-frame, which virtual links carry
 * in one piece, therefore weighs as much as its datagrams. A datagram without a payload
 * also has some weight. */
static uint64_t weight_of_frames(enum family family, uint64_t packets, uint64_t bytes)
{
	uint64_t headers = packets * (family == FAMILY_IPV4 ? 28u : 48u);

	return packets + (bytes > headers ? bytes - headers : 0);
}

/* What we have received since the last decision. A new entry of the forwarding table
 * counts from 0. */
static uint64_t received_since(
	struct forwarder_stream *s, const struct forwarder_count *ours)
{
	bool known = ours->packets != FORWARDER_UNKNOWN;
	uint64_t all = known
		? weight_of_frames(addr_family(&s->group), ours->packets, ours->bytes)
		: 0;
	uint64_t n = all >= s->weight ? all - s->weight : all;

	if (!s->counted || !known)
		n = 0;
	s->counted = known;
	s->weight = all;
	return n;
}

/* A weight as a number of our frames, in units of 1/INTERVAL_WEIGHT. */
static uint64_t in_parts(uint64_t weight, uint64_t frame)
{
	return weight * INTERVAL_WEIGHT / frame;
}

/* What our frames of the stream weigh on average, or the copies if nothing is known. */
static uint64_t frame_weight(
	const struct forwarder_stream *s, const struct forwarder_count *ours)
{
	enum family family = addr_family(&s->group);
	bool known = ours->packets != FORWARDER_UNKNOWN && ours->packets > 0;
	uint64_t n = known ? ours->packets : s->copies;
	uint64_t bytes = known ? ours->bytes : s->copies_bytes;

	return n ? weight_of_frames(family, n, bytes) / n : 1;
}

/* Adds `n` and `copies` of this interval, in units of in_parts(), to the fading sums of
 * earlier ones. The weight of copies is bounded by that of the originals, so that a
 * short burst of copies stops counting as a forwarder as soon as it is old. */
static void weigh(struct forwarder_stream *s, mono_t now, uint64_t n, uint64_t copies)
{
	bool before = s->enough;
	uint64_t most;

	s->recent_ours += n - s->recent_ours / 4;
	s->recent_copies += copies - s->recent_copies / 4;
	most = COPIES_MAX * (s->recent_ours + INTERVAL_WEIGHT);
	s->recent_copies = min(s->recent_copies, most);
	s->enough = s->recent_ours > LITTLE &&
		s->recent_copies >= s->recent_ours / ENOUGH_PART;
	if (!before)
		s->first = now;
}

/* On standby, each copy covers some of our frames. */
static void cover(struct forwarder_stream *s, mono_t now, uint64_t n, uint64_t copies)
{
	uint64_t covered = copies * COVER_PART;

	if (s->missed == 0)
		s->missed_at = now;
	s->missed += n;
	s->missed = s->missed > covered ? s->missed - covered : 0;
	if (copies > 0 && s->missed == 0)
		s->covered = now;
}

static enum forwarder_change decide_forwarding(
	struct forwarder *f, mono_t now, size_t i, const struct forwarder_rank *rank)
{
	struct forwarder_stream *s = &f->v[i];

	if (f->acts && s->enough && within(s->last, FRESH_MS, now) &&
		must_stop(s, now, rank))
		return stop_stream(f, s, now);
	return within(s->last, FORGET_MS, now) ? FORWARDER_SAME : forget(f, i);
}

static enum forwarder_change decide_standby(
	struct forwarder *f, mono_t now, size_t i, unsigned sampling)
{
	struct forwarder_stream *s = &f->v[i];

	if (!f->acts || is_silent(s, now, sampling))
		return resume_stream(f, s, now);
	return within(mono_max(s->last, s->since), STALE_MS, now) ? FORWARDER_SAME
								  : forget(f, i);
}

enum forwarder_change forwarder_decide(struct forwarder *f, mono_t now, size_t i,
	const struct forwarder_count *ours, unsigned sampling,
	const struct forwarder_rank *rank)
{
	struct forwarder_stream *s = &f->v[i];
	uint64_t frame = frame_weight(s, ours);
	uint64_t n = in_parts(received_since(s, ours), frame);
	uint64_t copies = in_parts(
		weight_of_frames(addr_family(&s->group), s->copies, s->copies_bytes)
			<< sampling,
		frame);

	s->copies = s->copies_bytes = 0;
	s->votes = 0;
	weigh(s, now, n, copies);
	if (!s->standby)
		return decide_forwarding(f, now, i, rank);
	cover(s, now, n, copies);
	return decide_standby(f, now, i, sampling);
}

bool forwarder_is_double(const struct forwarder_stream *s, mono_t now)
{
	return !s->standby && s->enough && within(s->last, PAUSE_MS, now);
}

size_t forwarder_n_double(const struct forwarder *f, mono_t now)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += forwarder_is_double(&f->v[i], now);
	return n;
}

/* ---- live upgrade ---- */

#define STREAM_BYTES 64 /* the least that a stream takes in a state */

void forwarder_export(const struct forwarder *f, struct state_out *o)
{
	state_put_u32(o, (uint32_t)f->n);
	for (size_t i = 0; i < f->n; i++) {
		const struct forwarder_stream *s = &f->v[i];

		state_put_addr(o, &s->group);
		state_put_addr(o, &s->source);
		gm_put_mac(o, &s->mac);
		state_put_u8(o, s->standby);
		state_put_u8(o, s->returns);
		state_put_time(o, s->first);
		state_put_time(o, s->last);
		state_put_time(o, s->since);
	}
}

int forwarder_import(struct forwarder *f, enum family family, struct state_in *in)
{
	size_t n = state_get_count(in, STREAM_BYTES);

	for (size_t i = 0; i < n && !state_is_bad(in); i++) {
		struct forwarder_stream s = {
			.group = state_get_addr(in), .source = state_get_addr(in)};
		int r;

		s.mac = gm_get_mac(in);
		s.standby = state_get_bool(in);
		s.returns = state_get_u8(in);
		s.first = state_get_time(in);
		s.last = state_get_time(in);
		s.since = state_get_time(in);
		s.covered = s.last;
		if (s.returns > MAX_RETURNS || addr_family(&s.group) != family ||
			addr_family(&s.source) != family ||
			(f->n &&
				forwarder_compare(
					&f->v[f->n - 1], &s.group, &s.source) >= 0))
			state_set_bad(in);
		if (state_is_bad(in))
			break;
		r = insert(f, f->n, &s);
		if (r < 0)
			return r;
	}
	return state_is_bad(in) ? -EINVAL : 0;
}
