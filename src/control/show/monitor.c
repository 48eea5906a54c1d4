/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Followers of events, see monitor.h. */

#include "control/show/monitor.h"

#include "base/cleanup.h"
#include "base/minmax.h"
#include "base/sys/clock.h"

#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INTERFACES_MAX 16

/* Events belong to the kind whose row their name begins with. Events of no row are of
 * the kind "refused". */
static const struct {
	char kind[12], prefix[16];
} kinds[] = {
	{"group", "group_new"},
	{"group", "group_gone"},
	{"host", "host_joined"},
	{"host", "host_left"},
	{"link", "link_"},
	{"querier", "querier_"},
	{"querier", "older_querier"},
	{"querier", "ssm_query"},
	{"querier", "host_version"},
	{"forwarder", "forwarder_"},
	{"forwarder", "own_frames"},
	{"stream", "stream_"},
	{"reload", "reload"},
	{"refused", ""},
};

/* What a follower asks for; all zero means everything. */
struct wish {
	uint32_t kinds; /* bits of the rows above; 0 means all */
	bool has_groups;
	struct prefix groups;
	char interface[INTERFACES_MAX][IFNAMSIZ];
	unsigned n_interface;
};

struct follower {
	struct ctl_stream stream;
	struct monitor *monitor;
	struct follower *next;
	struct wish wish;
	uint64_t n_lost; /* since the last "lost" event */
};

static json_t *with_time(json_t *event)
{
	if (event &&
		json_object_set_new(event, "unix_ms",
			json_integer(clock_ns(CLOCK_REALTIME) / NS_PER_MS)) < 0) {
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

/* The number of lost events, followed by the event, which may be missing. Both or
 * neither are written, so that a report of a loss does not take the room of the next
 * event. */
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

/* ---- filters ---- */

static unsigned kind_of_event(const char *event)
{
	unsigned i = 0;

	while (strncmp(event, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
		i++;
	return i;
}

static bool has_interface(const struct wish *w, const char *name)
{
	for (unsigned i = 0; name && i < w->n_interface; i++)
		if (strcmp(w->interface[i], name) == 0)
			return true;
	return w->n_interface == 0;
}

static bool has_group(const struct wish *w, const char *text)
{
	struct addr group;

	return !w->has_groups ||
		(text && addr_parse(text, &group) == 0 &&
			prefix_contains(&w->groups, &group));
}

static bool monitor_is_wanted(const struct wish *w, const struct monitor_subject *s)
{
	return (!w->kinds || w->kinds >> kind_of_event(s->event) & 1) &&
		has_interface(w, s->interface) && has_group(w, s->group);
}

bool monitor_has_followers(const struct monitor *m)
{
	return m->first != NULL;
}

bool monitor_wants(struct monitor *m, mono_t now, const struct monitor_subject *s)
{
	int64_t ms = mono_ms_since(m->at, now);
	struct follower *f = m->first;

	while (f && !monitor_is_wanted(&f->wish, s))
		f = f->next;
	if (!f)
		return false;
	if (!mono_is_set(m->at) || ms >= 1000 * MONITOR_BURST / MONITOR_RATE) {
		m->room = MONITOR_BURST;
		m->at = now;
	} else if (ms > 0) {
		m->room += (unsigned)ms * MONITOR_RATE / 1000;
		m->room = min(m->room, MONITOR_BURST);
		m->at = mono_add_ms(m->at, ms);
	}
	if (m->room > 0) {
		m->room--;
		return true;
	}
	for (; f; f = f->next)
		f->n_lost += monitor_is_wanted(&f->wish, s);
	return false;
}

void monitor_say(struct monitor *m, const struct monitor_subject *s, json_t *event)
{
	event = with_time(event);
	for (struct follower *f = m->first; f; f = f->next)
		if (monitor_is_wanted(&f->wish, s) && !(event && write_event(f, event)))
			f->n_lost++;
	json_decref(event);
}

/* ---- life of a follower ---- */

static struct follower *follower_of(struct ctl_stream *s)
{
	return container_of(s, struct follower, stream);
}

static void end_follower(struct ctl_stream *s)
{
	(void)write_event(follower_of(s), NULL);
}

static void monitor_closed(struct ctl_stream *s)
{
	struct follower *f = follower_of(s), **at = &f->monitor->first;

	while (*at != f)
		at = &(*at)->next;
	*at = f->next;
	free(f);
}

static const struct ctl_stream_ops stream_ops = {
	.ending = end_follower,
	.closed = monitor_closed,
};

/* ---- request ---- */

/* "stream,link" */
static json_t *read_kinds(const char *list, struct wish *w)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		bool found = false;

		for (unsigned i = 0; i < array_len(kinds); i++)
			if (strlen(kinds[i].kind) == n &&
				strncmp(kinds[i].kind, list, n) == 0) {
				w->kinds |= UINT32_C(1) << i;
				found = true;
			}
		if (!found)
			return ctl_error(
				"'%.*s' is not a kind of event; there are group, "
				"host, link, querier, forwarder, stream, "
				"refused and reload",
				(int)n, list);
		list += n + (list[n] == ',');
	}
	return NULL;
}

static json_t *read_word(const char *word, struct wish *w)
{
	bool host_bits;

	if (strncmp(word, "only=", 5) == 0)
		return read_kinds(word + 5, w);
	if (strncmp(word, "group=", 6) == 0 && !w->has_groups &&
		prefix_parse(word + 6, &w->groups, &host_bits) == 0) {
		w->has_groups = true;
		return NULL;
	}
	if (strncmp(word, "interface=", 10) == 0 && word[10] &&
		strlen(word + 10) < IFNAMSIZ && w->n_interface < INTERFACES_MAX) {
		strcpy(w->interface[w->n_interface++], word + 10);
		return NULL;
	}
	return ctl_error("'%s' is not understood: monitor takes only=KIND,..., one "
			 "group=GROUP, and up to %u interface=NAME",
		word, INTERFACES_MAX);
}

static json_t *read_wish(const char *args, struct wish *w)
{
	_cleanup_(freep) char *copy = strdup(args);
	char *save = NULL, *word;
	json_t *error = NULL;

	if (!copy)
		return ctl_error("no memory");
	for (word = strtok_r(copy, " ", &save); word && !error;
		word = strtok_r(NULL, " ", &save))
		error = read_word(word, w);
	return error;
}

json_t *monitor_open(struct monitor *m, const char *args, struct ctl_stream **ret)
{
	struct wish wish = {0};
	json_t *error = read_wish(args, &wish);
	struct follower *f;

	if (error)
		return error;
	f = calloc(1, sizeof(*f));
	if (!f)
		return NULL;
	*f = (struct follower){.stream.ops = &stream_ops,
		.monitor = m,
		.next = m->first,
		.wish = wish};
	m->first = f;
	*ret = &f->stream;
	return json_pack("{ss}", "monitor", "events");
}
