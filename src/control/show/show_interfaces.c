/* SPDX-License-Identifier: GPL-2.0-or-later */

/* "show interfaces", see show.h. Reads, never changes. */

#include "base/cleanup.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_wanted.h"

#include <errno.h>
#include <string.h>

static const char *sensor_text(const struct view_port *v, enum family family)
{
	int error = v->sensor_error[family];

	if (v->sensor[family])
		return "on";
	if (error == EOPNOTSUPP)
		return "no Ethernet frames";
	return error ? strerror(error) : "off";
}

/* which router forwards, in addition to the querier */
static void add_forwarding(json_t *o, const struct app *app,
	const struct proxy_port *pp, enum family f, mono_t now)
{
	const struct forwarder *fw = &pp->forwarder[f];
	struct view_port v = view_port(app, pp->port);

	json_object_set_new(o, "forwards", json_boolean(pp->groups.role[f].forwards));
	json_put_count(o, "standby_streams", fw->n_standby);
	json_put_count(o, "double_streams", forwarder_n_double(fw, now));
	json_object_set_new(o, "sensor", json_string(sensor_text(&v, f)));
}

static json_t *querier_json(const struct querier *q, mono_t now)
{
	const struct addr *who = q->state == QUERIER_STANDBY ? &q->other : &q->own;

	return json_pack("{ss so si so so si si sI sI}", "state",
		querier_state_name(q->state), "address", json_of_addr(who), "version",
		(int)gm_version_number(q->family, q->rules.version), "next_query_ms",
		json_of_ms_until(q->query_at, now), "other_querier_ms",
		json_of_ms_until(q->other_until, now), "robustness", (int)q->rv,
		"query_interval_ms", (int)q->qi_ms, "queries_sent",
		(json_int_t)q->n_queries_sent, "queries_heard",
		(json_int_t)q->n_queries_heard);
}

static json_t *addresses_json(const struct iface *i)
{
	json_t *list = json_array();

	for (size_t n = 0; i && n < i->n_addr; n++)
		json_array_append_new(list, json_of_addr(&i->addr[n].addr));
	return list;
}

static json_t *mac_json(const struct iface *i)
{
	return i && iface_has_l2(i) ? json_of_mac(i->mac) : json_null();
}

static json_t *interface_json(struct app *app, const struct proxy_port *pp, mono_t now)
{
	static const enum port_count shown[] = {PORT_COUNT_RX_PACKETS,
		PORT_COUNT_RX_BYTES, PORT_COUNT_TX_PACKETS, PORT_COUNT_TX_BYTES,
		PORT_COUNT_RING_PACKETS, PORT_COUNT_RING_DROPS};
	const struct iface *i = iface_by_index(view_ifaces(app), pp->ifindex);
	struct dataplane_port_stats s;
	json_t *o;

	dataplane_port_stats(view_dataplane(app), pp->port, &s);
	o = json_pack("{so ss si ss si sb sb so si so so si ss}", "name",
		json_of_text(pp->name), "instance", show_instance(app, pp), "port",
		(int)pp->port, "role", config_role_word(pp->role), "ifindex",
		pp->ifindex, "present", i != NULL, "up", (int)pp->up, "mac",
		mac_json(i), "mtu", i ? (int)i->mtu : 0, "local",
		json_of_addr_or_null(&pp->link.own[FAMILY_IPV4]), "addresses",
		addresses_json(i), "threshold", (int)pp->cfg->threshold, "transmit",
		dataplane_port_transmit(view_dataplane(app), pp->port));
	if (!o)
		return NULL;
	json_object_set_new(o, "error", json_of_text(show_port_error(app, pp->port)));
	json_object_set_new(
		o, "master", json_of_text(iface_master_name(view_ifaces(app), i)));
	json_object_set_new(o, "pattern",
		pp->cfg->pattern ? json_of_text(pp->cfg->name) : json_null());
	json_object_set_new(
		o, "local6", json_of_addr_or_null(&pp->link.own[FAMILY_IPV6]));
	for (size_t k = 0; k < array_len(shown); k++)
		json_put_count(o, port_count_name(shown[k]), s.count[shown[k]]);
	if (pp->role == CONFIG_ROLE_DOWNSTREAM) {
		json_t *q = json_object();

		for (enum family f = 0; f < _FAMILY_N; f++) {
			json_t *one;

			if (!view_instances(app)->family[f])
				continue;
			one = querier_json(&pp->querier[f], now);
			add_forwarding(one, app, pp, f, now);
			json_object_set_new(q, family_name(f), one);
		}
		json_object_set_new(o, "querier", q);
		json_put_count(o, "groups", pp->groups.groups.n);
		json_put_count(o, "refused", pp->groups.n_refused);
	}
	return o;
}

/* downstreams on which reports were refused, and the limit that was met last */
static json_t *refusals_json(const struct app *app, const struct show_wanted *w)
{
	json_t *list = json_array();

	proxy_ports_for_each (view_instances(app)->port, pp) {
		char text[200] = "";

		if (pp->role != CONFIG_ROLE_DOWNSTREAM ||
			!show_wants_port(w, pp->port) ||
			pp->groups.n_refused + pp->n_bad[GM_BAD_FILTERED] +
					pp->n_bad[GM_BAD_FOREIGN] ==
				0)
			continue;
		mgroup_struck_format(&pp->groups.struck, text, sizeof(text));
		json_array_append_new(list,
			json_pack("{so sI sI sI so}", "interface",
				json_of_text(pp->name), "limits",
				(json_int_t)pp->groups.n_refused, "lists",
				(json_int_t)pp->n_bad[GM_BAD_FILTERED], "senders",
				(json_int_t)pp->n_bad[GM_BAD_FOREIGN], "last_limit",
				*text ? json_of_text(text) : json_null()));
	}
	return list;
}

/* Returns all rivals, or those on one port if the request names it. */
static json_t *rivals_json(struct app *app, const struct show_wanted *w)
{
	json_t *list = view_rivals(app), *name, *its;
	const struct proxy_port *pp =
		w->has_port ? view_instances(app)->port[w->port] : NULL;
	size_t k;

	if (!pp)
		return list;
	name = json_of_text(pp->name);
	for (size_t i = json_array_size(list); i-- > 0;) {
		const json_t *on =
			json_object_get(json_array_get(list, i), "interfaces");
		bool found = false;

		json_array_foreach(on, k, its)
		{
			found |= json_equal(its, name);
		}
		if (!found)
			json_array_remove(list, i);
	}
	json_decref(name);
	return list;
}

struct interfaces_answer {
	struct show_answer a;
	struct show_wanted wanted;
	struct show_ports ports;
};

static int show_interfaces_piece(struct ctl_answer *answer)
{
	struct interfaces_answer *n =
		container_of(answer, struct interfaces_answer, a.answer);
	struct app *app = n->a.app;

	if (show_first(&n->a)) {
		show_open(&n->a,
			json_pack("{so so}", "rivals", rivals_json(app, &n->wanted),
				"refusals", refusals_json(app, &n->wanted)));
		show_begin(&n->a, ",\"interfaces\":[");
		return 1;
	}
	for (int work = SHOW_WORK; work > 0; work -= 4 * SHOW_ROW) {
		const struct proxy_port *pp =
			show_next_port(app, &n->ports, &n->wanted);

		if (!pp) {
			show_end(&n->a, "]}");
			return 0;
		}
		show_item(&n->a, interface_json(app, pp, view_now(app)));
	}
	return 1;
}

json_t *show_interfaces(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {
		show_interfaces_piece, show_answer_closed};
	struct interfaces_answer *n = show_answer_new(ctx, &ops, sizeof(*n), ret);
	json_t *error;

	if (!n)
		return NULL;
	error = show_wanted_read(ctx, args, &n->wanted);
	if (!error && (n->wanted.has_groups || n->wanted.has_address))
		error = ctl_error("show interfaces takes the name of an interface");
	return show_answer_refused(error, ret);
}
