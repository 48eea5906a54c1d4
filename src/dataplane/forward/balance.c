/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The conservation rule, see balance.h. It works on sums of counters that threads keep
 * writing. A queue is served in order, so everything that was begun before the mark
 * must be done. While a stream runs, only a loss of more frames than came since the
 * mark is found; as soon as the stream pauses, each lost frame is found.
 */

#include "dataplane/forward/balance.h"

#include <inttypes.h>
#include <stdio.h>

#define PATIENCE_MS 1000 /* every frame is handled within this time */

static uint64_t lacking(uint64_t begun, uint64_t done)
{
	return begun > done ? begun - done : 0;
}

/* A mark becomes the older one when it is old enough; then a new one is made. */
static void move_marks(struct balance *b, mono_t now, uint64_t frames, uint64_t copies)
{
	if (mono_is_set(b->mark[1].at) &&
		!mono_due(mono_add_ms(b->mark[1].at, PATIENCE_MS), now))
		return;
	b->mark[0] = b->mark[1];
	b->mark[1] = (struct balance_mark){now, frames, copies};
}

static uint64_t frames_done(const struct balance_sums *s)
{
	return s->forwarded + s->dropped + s->abandoned;
}

bool balance_plausible(const struct balance_sums *s)
{
	return (s->closing || frames_done(s) <= s->ring_packets - s->ring_drops) &&
		s->sent + s->refused <= s->due + s->fragments;
}

struct balance_result balance_check(
	struct balance *b, mono_t now, const struct balance_sums *s)
{
	uint64_t frames = s->ring_packets - s->ring_drops;
	uint64_t copies = s->due + s->fragments, copies_done = s->sent + s->refused;
	struct balance_result r = {
		.waiting = (int64_t)(frames - frames_done(s)),
		.under_way = (int64_t)(copies - copies_done),
	};

	move_marks(b, now, frames, copies);
	r.copies_missing = lacking(b->mark[0].copies, copies_done);
	r.ok = r.under_way >= 0 && r.copies_missing == 0;
	if (s->closing)
		return r;
	r.frames_missing = lacking(b->mark[0].frames, frames_done(s));
	r.ok = r.ok && r.waiting >= 0 && r.frames_missing == 0;
	return r;
}

static const char *describe_ok(const struct balance_sums *s,
	const struct balance_result *r, char buf[BALANCE_TEXT_LEN])
{
	if (s->closing)
		snprintf(buf, BALANCE_TEXT_LEN,
			"ok (an interface is being closed, its frames are not counted "
			"yet)");
	else if (r->waiting || r->under_way)
		snprintf(buf, BALANCE_TEXT_LEN,
			"ok (%" PRId64 " frames wait in the rings, %" PRId64
			" copies are under way)",
			r->waiting, r->under_way);
	else
		snprintf(buf, BALANCE_TEXT_LEN, "ok");
	return buf;
}

const char *balance_format(const struct balance_sums *s, const struct balance_result *r,
	char buf[BALANCE_TEXT_LEN])
{
	if (r->ok)
		return describe_ok(s, r, buf);
	if (r->frames_missing || (!s->closing && r->waiting < 0))
		snprintf(buf, BALANCE_TEXT_LEN,
			"%" PRIu64 " frames missing, %" PRId64 " too many: %" PRIu64
			" from the rings, %" PRIu64 " forwarded, %" PRIu64
			" dropped, %" PRIu64 " abandoned",
			r->frames_missing, r->waiting < 0 ? -r->waiting : 0,
			s->ring_packets - s->ring_drops, s->forwarded, s->dropped,
			s->abandoned);
	else
		snprintf(buf, BALANCE_TEXT_LEN,
			"%" PRIu64 " copies missing, %" PRId64 " too many: %" PRIu64
			" due, %" PRIu64 " more as fragments, %" PRIu64
			" sent, %" PRIu64 " refused",
			r->copies_missing, r->under_way < 0 ? -r->under_way : 0, s->due,
			s->fragments, s->sent, s->refused);
	return buf;
}
