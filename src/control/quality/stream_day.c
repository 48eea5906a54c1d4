/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The last 24 hours, see stream_day.h. A group's viewers in a minute are the most that
 * any of its streams had. The viewers of all groups are added, so a viewer who changes
 * the channel counts for both groups in that minute. The same address in two instances
 * is two groups, whose viewers are on other LANs.
 */

#include "control/quality/stream_day.h"

#include "base/minmax.h"

#include <string.h>

void stream_day_begin(struct stream_day *d, mono_t now)
{
	uint32_t bucket_s;

	*d = (struct stream_day){0};
	d->end = history_end(now, HISTORY_MINUTES_MAX * 60, &bucket_s);
}

/* ---- what was watched ---- */

static void rank_watched(struct stream_day *d, const struct stream_day_watched *w)
{
	size_t at = d->n_watched;

	while (at > 0 && d->watched[at - 1].viewer_minutes < w->viewer_minutes)
		at--;
	if (at == STREAM_DAY_WATCHED)
		return;
	if (d->n_watched < STREAM_DAY_WATCHED)
		d->n_watched++;
	memmove(&d->watched[at + 1], &d->watched[at],
		(d->n_watched - 1 - at) * sizeof(*w));
	d->watched[at] = *w;
}

void stream_day_end(struct stream_day *d)
{
	struct stream_day_watched w = {.group = d->group, .instance = d->instance};

	for (unsigned i = 0; d->has_group && i < HISTORY_MINUTES_MAX; i++) {
		uint8_t n = d->group_viewers[i];

		d->viewers[i] += n;
		w.viewer_minutes += n;
		w.viewers = max(w.viewers, n);
	}
	if (w.viewers > 0)
		rank_watched(d, &w);
	memset(d->group_viewers, 0, sizeof(d->group_viewers));
	d->has_group = false;
}

uint32_t stream_day_viewers(const struct stream_day *d, unsigned from, unsigned n)
{
	uint32_t most = 0;

	for (unsigned i = from; i < from + n && i < HISTORY_MINUTES_MAX; i++)
		most = max(most, d->viewers[i]);
	return most;
}

/* ---- faults ---- */

static void add_fault(struct stream_day *d, const struct stream_day_fault *f)
{
	size_t at = d->n_faults;

	while (at > 0 && mono_before(d->fault[at - 1].begin, f->begin))
		at--;
	d->n_forgotten += d->n_faults == STREAM_DAY_FAULTS;
	if (at == STREAM_DAY_FAULTS)
		return;
	if (d->n_faults < STREAM_DAY_FAULTS)
		d->n_faults++;
	memmove(&d->fault[at + 1], &d->fault[at], (d->n_faults - 1 - at) * sizeof(*f));
	d->fault[at] = *f;
}

static mono_t minute_begin(const struct stream_day *d, unsigned i)
{
	return mono_add_ms(d->end, ((int64_t)i - HISTORY_MINUTES_MAX) * 60000);
}

static bool is_faulty(const struct history_bucket *b)
{
	return b && (b->provider > 0 || b->router > 0);
}

static void find_faults(struct stream_day *d, const struct stream_entry *e)
{
	for (unsigned i = 0; i < HISTORY_MINUTES_MAX; i++) {
		struct stream_day_fault f = {.stream = e->stream};

		if (!is_faulty(d->minute[i]))
			continue;
		f.begin = minute_begin(d, i);
		for (; i < HISTORY_MINUTES_MAX && is_faulty(d->minute[i]); i++)
			history_sum_add(&f.sum, d->minute[i]);
		f.end = minute_begin(d, i);
		add_fault(d, &f);
	}
}

void stream_day_add(
	struct stream_day *d, const struct stream_entry *e, unsigned instance)
{
	if (d->has_group &&
		(d->instance != instance || !addr_eq(&d->group, &e->stream.group)))
		stream_day_end(d);
	d->has_group = true;
	d->group = e->stream.group;
	d->instance = instance;
	history_day(&e->history, d->end, d->minute);
	for (unsigned i = 0; i < HISTORY_MINUTES_MAX; i++)
		if (d->minute[i] && d->minute[i]->viewers > d->group_viewers[i])
			d->group_viewers[i] = d->minute[i]->viewers;
	find_faults(d, e);
}
