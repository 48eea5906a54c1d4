/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The daemon's own judgement, see health.h. Getting an answer at all shows that the
 * control thread is alive.
 */

#include "control/show/health.h"

#include "base/cleanup.h"
#include "control/show/show_answer.h"

#include <stdio.h>

/* A turn of a thread takes a few milliseconds at most; one that has not ended after
 * this long never will. */
#define STUCK_MS 2000
/* A limit is reported for this long after it was met. */
#define LATELY_MS 600000

struct health_thread {
	uint64_t turns;
	mono_t since; /* when they were first seen; MONO_UNSET means never */
};

_printf_(2, 3) static void health_say(json_t *list, const char *format, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	json_array_append_new(list, json_of_text(text));
}

static void check_port(
	struct app *app, const struct proxy_port *pp, bool allow_down, json_t *problems)
{
	const struct iface *i = iface_by_index(view_ifaces(app), pp->ifindex);
	const char *master = iface_master_name(view_ifaces(app), i);
	const char *error = show_port_error(app, pp->port);

	if (error)
		health_say(
			problems, "%s: sockets cannot be opened: %s", pp->name, error);
	else if (!allow_down && pp->ifindex == 0)
		health_say(problems, "%s: there is no such interface", pp->name);
	else if (!allow_down && i && i->enslaved)
		health_say(problems,
			"%s: is a port of %s, which takes its frames: name %s in the "
			"configuration",
			pp->name, master ? master : "a bridge",
			master ? master : "the bridge");
	else if (!allow_down && !pp->up)
		health_say(problems, "%s: the interface is down", pp->name);
}

/* The limit of groups or addresses that was met last. It is reported, but it is no
 * fault of the daemon: a restart would be what the attacker wants. */
static void check_quota(const struct proxy_port *pp, mono_t now, json_t *limits)
{
	const struct mgroup_struck *s = &pp->groups.struck;
	char text[200] = "";

	if (pp->role != CONFIG_ROLE_DOWNSTREAM || !s->note ||
		mono_due(mono_add_ms(s->at, LATELY_MS), now))
		return;
	mgroup_struck_format(s, text, sizeof(text));
	health_say(limits, "%s: %s", pp->name, text);
}

/* The host that met a limit of messages within the last minute. */
static void check_limits(struct app *app, const struct proxy_port *pp, json_t *limits)
{
	struct view_struck by;

	if (view_is_struck(app, pp->port, ADMISSION_BY_HOST, &by))
		health_say(limits,
			"%s: host %s sends more than host-message-rate allows; from all "
			"hosts that do: %s",
			pp->name, by.host, by.done);
	if (view_is_struck(app, pp->port, ADMISSION_BY_PORT, &by))
		health_say(limits,
			"%s: its hosts together send more than message-rate allows, the "
			"last one was %s; %s",
			pp->name, by.host, by.done);
}

static void check_thread(struct app *app, struct health_thread *t, unsigned i,
	mono_t now, json_t *problems, json_t *unsure)
{
	struct dataplane_thread_stats s;

	dataplane_thread_stats(view_dataplane(app), i, &s);
	if (s.asleep) {
		t->since = MONO_UNSET; /* it wakes up within the same turn */
	} else if (!mono_is_set(t->since) || s.count[THREAD_COUNT_TURNS] != t->turns) {
		if (!mono_is_set(t->since))
			health_say(unsure, "data-plane thread %u is at work", i);
		t->turns = s.count[THREAD_COUNT_TURNS];
		t->since = now;
	} else if (mono_due(mono_add_ms(t->since, STUCK_MS), now)) {
		health_say(problems, "data-plane thread %u hangs", i);
	} else {
		health_say(unsure, "data-plane thread %u is at work", i);
	}
}

/* Faults that are not ours, but that viewers notice. */
static void check_others(
	const struct proxy_port *pp, enum family family, mono_t now, json_t *warnings)
{
	const struct forwarder *f = &pp->forwarder[family];
	size_t n = forwarder_n_double(f, now), i = 0;
	char mac[ADDR_STRLEN];

	while (i < f->n && !forwarder_is_double(&f->v[i], now))
		i++;
	if (i < f->n)
		health_say(warnings,
			"%s: %s also forwards %zu stream%s there, so datagrams arrive "
			"twice",
			pp->name, gm_format_mac(&f->v[i].mac, mac), n,
			n == 1 ? "" : "s");
}

json_t *health_json(struct app *app, mono_t now, bool allow_down)
{
	json_t *problems = json_array(), *unsure = json_array(), *limits = json_array();
	json_t *warnings = json_array();
	struct view_memory *m = view_memory(app);
	unsigned n = dataplane_threads(view_dataplane(app));

	proxy_ports_for_each (view_instances(app)->port, pp) {
		check_port(app, pp, allow_down, problems);
		check_limits(app, pp, limits);
		check_quota(pp, now, limits);
		for (enum family f = 0; f < _FAMILY_N; f++)
			check_others(pp, f, now, warnings);
	}
	if (!m->health)
		m->health = calloc(n, sizeof(*m->health));
	for (unsigned i = 0; m->health && i < n; i++)
		check_thread(app, &m->health[i], i, now, problems, unsure);
	if (view_counts(app)->fib_unsure)
		health_say(problems,
			"the forwarding table is incomplete for lack of memory");
	return json_pack("{sb so so so so}", "ok",
		problems && json_array_size(problems) == 0, "problems", problems,
		"unsure", unsure, "limits", limits, "warnings", warnings);
}
