/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Streams in the log at level info, and as events: the first datagrams of a stream, and
 * its end. This does not touch the path of packets: the counters of the forwarding
 * entries are read every two seconds, in slices, as long as datagrams arrive and the
 * result is wanted.
 */

#include "control/daemon/app_priv.h"

#include <time.h>

#define LOOK_MS 2000
#define STEPS	512 /* of the table, in one round of the loop */

static bool is_told(const struct app *app)
{
	return log_enabled(LOG_LEVEL_INFO) || monitor_has_followers(&app->monitor) ||
		app->web;
}

static void app_streams_say(struct app *app, const struct fib_view *v,
	const char *event, const char *cause, const char *text)
{
	char group[ADDR_STRLEN], source[ADDR_STRLEN];
	struct log_about about = {.interface = app_port_name(app, v->last_port),
		.group = addr_format(&v->group, group),
		.source = addr_format(&v->last_source, source),
		.cause = cause};
	mono_t now = loop_now(app->loop);

	app_monitor_note(app, now, event, &about, text, 0);
	log_limited(&app->streams_limit, now, LOG_LEVEL_INFO, &about, "%s", text);
}

static void see_entry(const struct fib_view *v, void *arg)
{
	struct app *app = arg;
	int32_t age_s = fib_age_s(v, (uint64_t)time(NULL));

	switch (streams_see(&app->streams, v->instance, &v->source, &v->group, age_s)) {
	case STREAMS_BEGAN:
		if (!app->streams_late)
			app_streams_say(app, v, "stream_arrives", "stream-arrives",
				"the stream arrives");
		break;
	case STREAMS_ENDED:
		app_streams_say(app, v, "stream_ended", "stream-ended",
			"the stream has ended: no datagram for ten seconds");
		break;
	case STREAMS_NOTHING:
		break;
	}
}

void app_streams_tick(struct app *app, mono_t now)
{
	struct fib_cursor *c = &app->streams_at;

	if (!mono_due(app->streams_due, now))
		return;
	if (!is_told(app)) {
		streams_deinit(&app->streams);
		app->streams_late = true;
		*c = (struct fib_cursor){0};
		app->streams_due = MONO_NEVER;
		return;
	}
	for (int i = 0; !c->end && i < STEPS; i++)
		fib_step(dataplane_fib(app->dp), c, see_entry, app);
	if (!c->end)
		return;
	*c = (struct fib_cursor){0};
	app->streams_late = false;
	streams_end(&app->streams);
	app->streams_due = app_datagrams_arrive(app, &app->streams_frames) ||
			app->streams.table.n > 0
		? mono_add_ms(now, LOOK_MS)
		: MONO_NEVER;
}

void app_streams_stir(struct app *app, mono_t now)
{
	if (app->streams_due.ns != MONO_NEVER.ns)
		return;
	/* streams that already flow must be known before new ones are reported */
	if (!is_told(app))
		app->streams_late = true;
	else
		app->streams_due = app->streams_late ? now : mono_add_ms(now, LOOK_MS);
}
