/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Followers of events, see monitor.h; app_monitor.c says what happens. */

#include "control/show/monitor.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct follower {
	struct ctl_stream stream;
	struct monitor *monitor;
	struct follower *next;
	uint64_t n_lost; /* since it was told */
};

struct monitor {
	struct follower *first;
	unsigned room; /* events that may be said at `at` */
	mono_t at;
};

static json_int_t wall_clock_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (json_int_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static json_t *with_time(json_t *event)
{
	if (event &&
		json_object_set_new(event, "unix_ms", json_integer(wall_clock_ms())) <
			0) {
		json_decref(event);
		return NULL;
	}
	return event;
}

static json_t *lost_event(uint64_t n)
{
	return with_time(json_pack("{ss sI ss}", "event", "lost", "count",
		(json_int_t)n, "text",
		"events were lost: too many at once, or they were not read in time"));
}

/* The event, which may be missing, behind how many it has lost before: both or neither,
 * so that one word about a loss does not take the room of what comes next. */
static bool write_event(struct follower *f, const json_t *event)
{
	json_t *lost = f->n_lost ? lost_event(f->n_lost) : NULL;
	_cleanup_(freep) char *first = lost ? json_dumps(lost, JSON_COMPACT) : NULL;
	_cleanup_(freep) char *then = event ? json_dumps(event, JSON_COMPACT) : NULL;
	_cleanup_(freep) char *lines = NULL;
	int n = 0;

	json_decref(lost);
	if ((f->n_lost && !first) || (event && !then))
		return false;
	n = asprintf(&lines, "%s%s%s%s", first ? first : "", first ? "\n" : "",
		then ? then : "", then ? "\n" : "");
	if (n < 0) {
		lines = NULL;
		return false;
	}
	if (!ctl_stream_write(&f->stream, lines, (size_t)n))
		return false;
	f->n_lost = 0;
	return true;
}

bool monitor_has_followers(const struct monitor *m)
{
	return m->first != NULL;
}

bool monitor_wants(struct monitor *m, mono_t now)
{
	int64_t ms = (now.ns - m->at.ns) / NS_PER_MS;

	if (!m->first)
		return false;
	if (!mono_is_set(m->at) || ms >= 1000 * MONITOR_BURST / MONITOR_RATE) {
		m->room = MONITOR_BURST;
		m->at = now;
	} else if (ms > 0) {
		m->room += (unsigned)ms * MONITOR_RATE / 1000;
		m->room = m->room < MONITOR_BURST ? m->room : MONITOR_BURST;
		m->at = mono_add_ms(m->at, ms);
	}
	if (m->room > 0) {
		m->room--;
		return true;
	}
	for (struct follower *f = m->first; f; f = f->next)
		f->n_lost++;
	return false;
}

void monitor_say(struct monitor *m, json_t *event)
{
	event = with_time(event);
	for (struct follower *f = m->first; f; f = f->next)
		if (!event || !write_event(f, event))
			f->n_lost++;
	json_decref(event);
}

/* ---- life of a follower ---- */

static struct follower *follower_of(struct ctl_stream *s)
{
	return container_of(s, struct follower, stream);
}

static void opened(struct ctl_stream *s)
{
}

static void ending(struct ctl_stream *s)
{
	(void)write_event(follower_of(s), NULL);
}

static void closed(struct ctl_stream *s)
{
	struct follower *f = follower_of(s), **at = &f->monitor->first;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free(f);
}

static const struct ctl_stream_ops stream_ops = {
	.opened = opened,
	.ending = ending,
	.closed = closed,
};

json_t *monitor_open(struct monitor *m, const char *args, struct ctl_stream **ret)
{
	struct follower *f;

	if (*args)
		return ctl_error("monitor takes no argument");
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	*f = (struct follower){
		.stream.ops = &stream_ops, .monitor = m, .next = m->first};
	m->first = f;
	*ret = &f->stream;
	return json_pack("{ss}", "monitor", "events");
}

int monitor_new(struct monitor **ret)
{
	*ret = calloc(1, sizeof(**ret));
	return *ret ? 0 : -ENOMEM;
}

struct monitor *monitor_free(struct monitor *m)
{
	free(m);
	return NULL;
}
