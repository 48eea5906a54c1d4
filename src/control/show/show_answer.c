/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Replies in pieces, see show_answer.h: shared by the tables of show_*.c.
 */

#include "control/show/show_answer.h"

#include "base/cleanup.h"
#include "base/search.h"
#include "control/show/show_mfc.h"
#include "control/show/show_wanted.h"

#include <stdlib.h>
#include <string.h>

/* ---- writing ---- */

bool show_first(struct show_answer *a)
{
	bool first = !a->begun;

	a->begun = true;
	return first;
}

void show_text(struct show_answer *a, const char *text)
{
	ctl_answer_write(&a->answer, text, strlen(text));
}

void show_begin(struct show_answer *a, const char *text)
{
	show_text(a, text);
	a->comma = false;
}

void show_end(struct show_answer *a, const char *text)
{
	show_text(a, text);
	a->comma = true;
}

static void comma(struct show_answer *a)
{
	if (a->comma)
		show_text(a, ",");
	a->comma = true;
}

void show_item(struct show_answer *a, json_t *value)
{
	comma(a);
	ctl_answer_json(&a->answer, value);
}

void show_open(struct show_answer *a, json_t *object)
{
	_cleanup_(freep) char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	json_decref(object);
	comma(a);
	if (text)
		ctl_answer_write(&a->answer, text, strlen(text) - 1);
	else
		a->answer.failed = true;
}

void *show_answer_new(struct app *app, const struct ctl_answer_ops *ops, size_t size,
	struct ctl_answer **ret)
{
	struct show_answer *a = calloc(1, size);

	if (!a)
		return NULL;
	a->answer.ops = ops;
	a->app = app;
	*ret = &a->answer;
	return a;
}

void show_answer_closed(struct ctl_answer *answer)
{
	struct show_answer *a = container_of(answer, struct show_answer, answer);

	show_rates_leave(a->app, &a->rates);
	free(a->owned);
	free(a);
}

json_t *show_answer_refused(json_t *error, struct ctl_answer **ret)
{
	if (error) {
		show_answer_closed(*ret);
		*ret = NULL;
	}
	return error;
}

/* ---- walks ---- */

static bool is_after(const void *v, size_t i, size_t size, const struct addr *place)
{
	struct addr a;

	memcpy(&a, (const char *)v + i * size, sizeof(a));
	return addr_cmp(&a, place) > 0;
}

size_t show_behind(const void *v, size_t n, size_t size, const struct show_place *p)
{
	return p->n_written
		? first_not_before(0, n, i, !is_after(v, i, size, &p->after))
		: 0;
}

bool show_list(struct show_answer *a, const void *v, size_t n, size_t size, size_t max,
	json_t *(*item)(const void *element, mono_t now), struct show_place *p,
	int *work)
{
	for (size_t i = show_behind(v, n, size, p); i < n && p->n_written < max; i++) {
		const char *element = (const char *)v + i * size;

		if (*work <= 0)
			return false;
		show_item(a, item(element, view_now(a->app)));
		memcpy(&p->after, element, sizeof(p->after));
		p->n_written++;
		--*work;
	}
	return true;
}

json_t *show_address(const void *element, mono_t now)
{
	return json_of_addr(element);
}

const struct proxy_port *show_port(const struct app *app, const struct show_ports *p)
{
	const struct proxy_port *pp =
		p->number < PORT_MAX ? view_instances(app)->port[p->number] : NULL;

	return pp && pp->role == p->role && strcmp(pp->name, p->name) == 0 ? pp : NULL;
}

const struct proxy_port *show_next_port(
	const struct app *app, struct show_ports *p, const struct show_wanted *w)
{
	for (p->number += *p->name != '\0'; p->number < PORT_MAX; p->number++) {
		const struct proxy_port *pp = view_instances(app)->port[p->number];

		if (!pp || (p->role && pp->role != p->role) ||
			(w && !show_wants_port(w, p->number)))
			continue;
		memcpy(p->name, pp->name, sizeof(p->name));
		return pp;
	}
	return NULL;
}

/* ---- values ---- */

json_t *show_ports(const struct app *app, const struct portset *ports)
{
	json_t *list = json_array();

	portset_for_each (ports, port)
		if (view_instances(app)->port[port])
			json_array_append_new(list,
				json_of_text(view_instances(app)->port[port]->name));
	return list;
}

json_t *show_channel(
	const struct app *app, const struct addr *group, const struct addr *source)
{
	return json_of_text(channels_name(view_channels(app), group, source));
}

const char *show_instance(const struct app *app, const struct proxy_port *pp)
{
	return instances_name(view_instances(app), pp->proxy->instance);
}

const char *show_mode(enum gm_mode mode)
{
	return mode == GM_INCLUDE ? "include" : "exclude";
}

json_t *show_older(const mono_t until[_GM_VERSION_N], enum family family,
	unsigned number, mono_t now)
{
	for (unsigned v = GM_V1; v < _GM_VERSION_N; v++)
		if (gm_version_number(family, (enum gm_version)v) == number &&
			v < GM_V3)
			return json_of_ms_until(until[v], now);
	return json_null();
}

const char *show_port_error(const struct app *app, unsigned port)
{
	int err = view_port(app, port).error;

	if (!err)
		err = dataplane_port_error(view_dataplane(app), port);
	return err ? strerror(err) : NULL;
}
