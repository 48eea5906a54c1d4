/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show upstream", see show.h: what is reported to the provider. */

#include "base/cleanup.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_wanted.h"

static json_t *host_family_json(
	const struct upstream_family *hf, enum family family, mono_t now)
{
	return json_pack("{so si si so so so so so sI sI}", "address",
		json_of_addr_or_null(&hf->own), "version",
		(int)gm_version_number(family, hf->version), "robustness", (int)hf->rv,
		"querier", json_of_addr_or_null(&hf->querier), "last_query_ms",
		json_of_ms_since(hf->last_query, now), "answer_ms",
		json_of_ms_until(hf->answer_at, now), "older_v1_ms",
		show_older(hf->older_until, family, 1, now), "older_v2_ms",
		show_older(hf->older_until, family, 2, now), "queries",
		(json_int_t)hf->n_queries, "reports_sent",
		(json_int_t)hf->n_reports_sent);
}

/* ---- groups ---- */

enum part {
	PART_PORTS,
	PART_GROUPS,  /* of a port */
	PART_SOURCES, /* of `group`; then those that are reported again */
	PART_REPEATS,
};

struct upstream_answer {
	struct show_answer a;
	mono_t now;
	struct show_wanted wanted;
	struct show_ports ports;
	struct table_cursor at;
	enum part part;
	struct addr group;
	struct show_place place; /* in the list of a part */
};

static void begin_list(struct upstream_answer *u, enum part part, const char *text)
{
	show_begin(&u->a, text);
	u->part = part;
	u->place = (struct show_place){0};
}

static void show_upstream_begin_group(
	struct upstream_answer *u, const struct upstream_group *g)
{
	show_open(&u->a,
		json_pack("{so ss sb si so so}", "group", json_of_addr(&g->group),
			"mode", show_mode(g->now.mode), "pending",
			g->change_at.ns != MONO_NEVER.ns, "mode_repeats",
			(int)g->mode_repeats, "next_ms",
			json_of_ms_until(g->change_at, u->now), "answer_ms",
			json_of_ms_until(g->answer_at, u->now)));
	u->group = g->group;
	begin_list(u, PART_SOURCES, ",\"sources\":[");
}

static void write_sources(
	struct upstream_answer *u, const struct upstream_group *g, int *work)
{
	const struct addrset *src = &g->now.src;

	if (show_list(&u->a, src->v, src->n, sizeof(*src->v), SIZE_MAX, show_address,
		    &u->place, work))
		begin_list(u, PART_REPEATS, "],\"source_repeats\":[");
}

static json_t *repeat_json(const void *element, mono_t now)
{
	const struct upstream_source *s = element;

	return json_pack("{so ss si}", "address", json_of_addr(&s->addr), "type",
		s->allow ? "allow" : "block", "left", (int)s->repeats);
}

static void write_repeats(
	struct upstream_answer *u, const struct upstream_group *g, int *work)
{
	if (!show_list(&u->a, g->change, g->n_change, sizeof(*g->change), SIZE_MAX,
		    repeat_json, &u->place, work))
		return;
	show_end(&u->a, "]}");
	u->part = PART_GROUPS;
}

/* Ends the row of a group that was removed before the row was complete. */
static void end_group(struct upstream_answer *u)
{
	show_end(&u->a, u->part == PART_SOURCES ? "],\"source_repeats\":[]}" : "]}");
	u->part = PART_GROUPS;
}

/* ---- ports ---- */

#define MAX_HELD 64 /* groups of the kernel that are shown for a port */

/* What programs of this host have joined there; `sources` is null for all. */
static json_t *kernel_json(
	const struct app *app, const struct proxy_port *pp, const struct show_wanted *w)
{
	json_t *list = json_array();

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		const struct kgroups *k = view_kernel(app, (enum family)f);

		for (size_t i = 0; i < k->n && json_array_size(list) < MAX_HELD; i++) {
			const struct kgroup *g = &k->v[i];
			struct kgroups_filter held;
			json_t *sources;

			if (g->ifindex != pp->report_ifindex ||
				!show_wants_group(w, &g->group))
				continue;
			held = kgroups_filter(k, g->ifindex, &g->group);
			sources = held.mode == GM_EXCLUDE ? json_null() : json_array();
			for (size_t n = 0; json_is_array(sources) && n < held.src->n &&
				n < MAX_HELD;
				n++)
				json_array_append_new(
					sources, json_of_addr(&held.src->v[n]));
			json_array_append_new(list,
				json_pack("{so so}", "group", json_of_addr(&g->group),
					"sources", sources));
		}
	}
	return list;
}

static json_t *upstream_port_json(const struct app *app, const struct proxy_port *pp,
	mono_t now, const struct show_wanted *w)
{
	json_t *o = json_pack("{so ss so sb so so}", "interface",
		json_of_text(pp->name), "instance", show_instance(app, pp),
		"report_interface",
		json_of_text(*pp->cfg->report_interface ? pp->cfg->report_interface
							: pp->name),
		"up", (int)pp->report_up, "address",
		json_of_addr_or_null(&pp->link.own[FAMILY_IPV4]), "kernel",
		kernel_json(app, pp, w));

	for (unsigned f = 0; f < _FAMILY_N; f++)
		if (view_instances(app)->family[f])
			json_object_set_new(o, family_name(f),
				host_family_json(
					&pp->upstream.family[f], (enum family)f, now));
	return o;
}

/* Returns false after the last port. */
static bool begin_port(struct upstream_answer *u)
{
	const struct proxy_port *pp = show_next_port(u->a.app, &u->ports, &u->wanted);

	if (!pp)
		return false;
	show_open(&u->a, upstream_port_json(u->a.app, pp, u->now, &u->wanted));
	show_begin(&u->a, ",\"groups\":[");
	u->at = (struct table_cursor){0};
	u->part = PART_GROUPS;
	return true;
}

/* An address is that of a source. */
static bool show_upstream_is_wanted(
	const struct show_wanted *w, const struct upstream_group *g)
{
	if (!show_wants_group(w, &g->group))
		return false;
	for (size_t i = 0; w->has_address && i < g->now.src.n; i++)
		if (show_wants_address(w, &g->now.src.v[i]))
			return true;
	return !w->has_address;
}

static void next_group(struct upstream_answer *u, const struct upstream *h, int *work)
{
	struct table_node *node = h ? table_step(&h->groups, &u->at, work) : NULL;
	const struct upstream_group *g =
		node ? container_of(node, struct upstream_group, node) : NULL;

	if (g && u->wanted.has_address)
		*work -= (int)g->now.src.n / SHOW_ROW;
	if (g && show_upstream_is_wanted(&u->wanted, g)) {
		show_upstream_begin_group(u, g);
		*work -= SHOW_ROW;
	} else if (g) {
		--*work;
	} else if (!h || u->at.end) {
		show_end(&u->a, "]}");
		u->part = PART_PORTS;
	}
}

static void go_on_with_port(struct upstream_answer *u, int *work)
{
	const struct proxy_port *pp = show_port(u->a.app, &u->ports);
	const struct upstream *h = pp ? &pp->upstream : NULL;
	const struct upstream_group *g =
		h && u->part != PART_GROUPS ? upstream_find(h, &u->group) : NULL;

	if (u->part == PART_GROUPS)
		next_group(u, h, work);
	else if (!g)
		end_group(u);
	else if (u->part == PART_SOURCES)
		write_sources(u, g, work);
	else
		write_repeats(u, g, work);
}

static int show_upstream_piece(struct ctl_answer *answer)
{
	struct upstream_answer *u =
		container_of(answer, struct upstream_answer, a.answer);
	int work = SHOW_WORK;

	u->now = view_now(u->a.app);
	if (show_first(&u->a))
		show_begin(&u->a, "{\"upstream\":[");
	for (; work > 0; work--) {
		if (u->part != PART_PORTS) {
			go_on_with_port(u, &work);
		} else if (!begin_port(u)) {
			show_end(&u->a, "]}");
			return 0;
		}
	}
	return 1;
}

json_t *show_upstream(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {
		show_upstream_piece, show_answer_closed};
	struct upstream_answer *u = show_answer_new(ctx, &ops, sizeof(*u), ret);

	if (!u)
		return NULL;
	u->ports.role = CONFIG_ROLE_UPSTREAM;
	return show_answer_refused(show_wanted_read(ctx, args, &u->wanted), ret);
}
