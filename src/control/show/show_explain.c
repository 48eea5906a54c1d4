/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "explain GROUP [SOURCE] [from INTERFACE] [on INTERFACE]", see show.h: collects the
 * facts for explain.c with the functions that decide about real frames and reports: the
 * port plan, the policy, the group state, the forwarding table.
 */

#include "base/cleanup.h"
#include "control/proxy/portplan.h"
#include "control/quality/stream_log.h"
#include "control/report/explain.h"
#include "control/report/explain_words.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/view.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ECHO_MS	    300000 /* how long we remember that our frames came back */
#define STREAMS_MAX 8	   /* whose quality is told */
#define HOUR_S	    3600
#define ANSWER_MS   10000 /* about the longest time that a query gives for answers */

/* what the forwarding table has about the group in one instance */
struct traffic {
	unsigned instance;
	bool exact; /* there is an entry for the source */
	bool seen;
	int64_t age_ms;	      /* -1 means not known */
	struct portset table; /* that the entries name */
	uint64_t packets, wrong;
	struct addr last_source;
	char last_input[IFNAMSIZ];
};

/* refusals of the group in all instances, combined by kind */
#define SEEN_MAX (4 * REFUSALS_WAYS)

struct question {
	struct show_answer a;
	struct fib_cursor at;
	struct traffic *traffic; /* a.owned; one for each instance at the beginning */
	size_t n_traffic;
	struct addr group, source;
	bool has_source;
	char from[IFNAMSIZ]; /* empty for any upstream */
	char on[IFNAMSIZ];   /* empty for any downstream */
	enum family family;
	const struct proxy *instance;
	const struct plan *plan;
	struct portset inputs; /* where the stream may come in */
	struct portset table;  /* the ports that the forwarding entries name */
	struct timespec now;   /* of the clock that stamps frames */
	struct explain_refusal datagrams[SEEN_MAX], joins[SEEN_MAX];
	size_t n_datagrams, n_joins;
	struct explain_facts facts;
};

/* ---- request ---- */

#define QUESTION_MAX 512

/* Where the words after the name of a channel begin. */
static size_t name_length(const char *args)
{
	const char *from = strstr(args, " from "), *on = strstr(args, " on ");
	const char *end = from && (!on || from < on) ? from : on;

	return end ? (size_t)(end - args) : strlen(args);
}

/* Replaces the name of a channel at the beginning by its group and source. Returns an
 * error, or NULL also if there is no such channel: `text` is then empty. */
static json_t *name_to_group(
	const struct question *q, const char *args, char text[QUESTION_MAX])
{
	char name[CHANNELS_NAME_MAX], group[ADDR_STRLEN], source[ADDR_STRLEN];
	const struct channels *c = view_channels(q->a.app);
	size_t len = strlen(args);
	const char *other;
	/* a name may have the words "on" and "from" */
	const struct channel *ch = channels_find(c, args, &other);
	bool any;

	*text = '\0';
	if (!ch)
		len = name_length(args);
	snprintf(name, sizeof(name), "%.*s", (int)len, args);
	if (!ch)
		ch = channels_find(c, name, &other);
	if (!ch)
		return NULL;
	if (other)
		return ctl_error(
			"explain: '%s' is a part of the names of several channels, "
			"such as %s and %s",
			name, channels_name(c, &ch->group, &ch->source), other);
	any = addr_is_any(&ch->source);
	snprintf(text, QUESTION_MAX, "%s%s%s%s", addr_format(&ch->group, group),
		any ? "" : " ", any ? "" : addr_format(&ch->source, source),
		args + len);
	return NULL;
}

static json_t *read_question(struct question *q, const char *args)
{
	struct explain_words w;
	char error[EXPLAIN_WORDS_ERROR], text[QUESTION_MAX];

	if (!explain_words_read(args, &w, error)) {
		json_t *several = name_to_group(q, args, text);

		if (several)
			return several;
		if (!*text)
			return ctl_error("explain: %s%s", error,
				view_channels(q->a.app) &&
						strstr(error, "' is not an address")
					? ", nor the name of a channel"
					: "");
		if (!explain_words_read(text, &w, error))
			return ctl_error("explain: %s", error);
	}
	q->group = w.group;
	q->family = addr_family(&q->group);
	q->has_source = w.has_source;
	q->source = w.source;
	memcpy(q->from, w.from, sizeof(q->from));
	memcpy(q->on, w.on, sizeof(q->on));
	return NULL;
}

/* ---- what was refused ---- */

static void add_seen(
	struct explain_refusal *v, size_t *n, const struct explain_refusal *r)
{
	for (size_t i = 0; i < *n; i++) {
		struct explain_refusal *o = &v[i];
		uint64_t sum = o->n + r->n;

		if (o->port != r->port || o->why != r->why || o->note != r->note)
			continue;
		if (r->age_ms < o->age_ms)
			*o = *r;
		o->n = sum;
		return;
	}
	if (*n < SEEN_MAX)
		v[(*n)++] = *r;
}

static int64_t age_ms(const struct question *q, uint64_t stamp)
{
	int64_t ms = ((int64_t)q->now.tv_sec - (int64_t)latency_stamp_s(stamp)) * 1000 +
		((int64_t)q->now.tv_nsec - (int64_t)(stamp & UINT32_MAX)) / NS_PER_MS;

	/* in the future: the clock was set back */
	return ms < -1000 ? INT64_MAX : ms < 0 ? 0 : ms;
}

static void see_datagram(void *arg, const struct refusal *r)
{
	struct question *q = arg;
	bool by_source = r->why == VERDICT_WRONG_INPUT;

	add_seen(q->datagrams, &q->n_datagrams,
		&(struct explain_refusal){.why = (enum verdict)r->why,
			.port = r->port,
			.n = r->n,
			.age_ms = age_ms(q, r->at),
			.from = r->from,
			.would_pass = by_source &&
				plan_source_ok(&q->plan->port[r->port], &r->from)});
}

static void see_join(void *arg, const struct refusal *r)
{
	struct question *q = arg;

	add_seen(q->joins, &q->n_joins,
		&(struct explain_refusal){.note = (enum note)r->why,
			.port = r->port,
			.n = r->n,
			.age_ms = (view_now(q->a.app).ns - (int64_t)r->at) / NS_PER_MS,
			.from = r->from,
			.value = r->value});
}

/* ---- facts ---- */

/* "'blacklist 239.0.0.0/8', line 12 of hotel.conf" */
static void name_file(const struct question *q, char text[CONFIG_DECIDE_LEN])
{
	const char *path = view_config_path(q->a.app), *slash = strrchr(path, '/');
	size_t n = strlen(text);

	if (strstr(text, ", line "))
		snprintf(text + n, CONFIG_DECIDE_LEN - n, " of %s",
			slash ? slash + 1 : path);
}

static void iface_facts(
	struct question *q, const struct proxy_port *pp, struct explain_iface *ret)
{
	const struct config_iface *ci = pp->cfg;
	const struct iface *i = iface_by_index(view_ifaces(q->a.app), pp->ifindex);
	const char *master = iface_master_name(view_ifaces(q->a.app), i);

	*ret = (struct explain_iface){
		.has_role = true,
		.present = pp->ifindex != 0,
		.up = pp->up,
		.error = show_port_error(q->a.app, pp->port),
		.family = view_instances(q->a.app)->family[q->family] &&
			(q->family == FAMILY_IPV4 ? ci->ipv4 : ci->ipv6),
	};
	memcpy(ret->name, pp->name, sizeof(ret->name));
	if (master)
		memcpy(ret->master, master, IFNAMSIZ);
	ret->refused =
		(struct explain_refusals){q->datagrams, q->n_datagrams, pp->port};
	if (mono_is_set(pp->echo_at) &&
		view_now(q->a.app).ns - pp->echo_at.ns < ECHO_MS * NS_PER_MS &&
		view_instances(q->a.app)->port[pp->echo_port])
		memcpy(ret->echo_of,
			view_instances(q->a.app)->port[pp->echo_port]->name,
			sizeof(ret->echo_of));
}

static bool includes(const struct gm_filter *f, const struct addr *source)
{
	return addrset_contains(&f->src, source) == (f->mode == GM_INCLUDE);
}

static void upstream_facts(
	const struct question *q, const struct proxy_port *pp, struct explain_input *in)
{
	const struct upstream_family *hf = &pp->upstream.family[q->family];
	const struct upstream_group *g = upstream_find(&pp->upstream, &q->group);
	mono_t now = view_now(q->a.app);

	in->report_up = pp->report_up;
	in->no_address = addr_is_any(&pp->link.own[q->family]);
	memcpy(in->report_interface, pp->cfg->report_interface,
		sizeof(in->report_interface));
	in->policy_ok = !config_decide_group(pp->cfg, &q->group, true, in->policy_by);
	name_file(q, in->policy_by);
	in->asked = g && !(g->now.mode == GM_INCLUDE && g->now.src.n == 0);
	in->asked_this = in->asked && (!q->has_source || includes(&g->now, &q->source));
	in->version = gm_version_number(q->family, hf->version);
	in->names_sources = hf->version == GM_V3;
	in->query_heard = mono_is_set(hf->last_query);
	in->querier = hf->querier;
	if (in->query_heard)
		in->query_age_ms = mono_ms_since(hf->last_query, now);
	in->query_expected_ms = (int64_t)hf->rv * hf->qi_ms + ANSWER_MS;
	in->refresh_interval_ms = pp->upstream.params.refresh_interval_ms;
}

/* The statement that admits the source, or the interface that it belongs to. */
static void source_facts(
	const struct question *q, const struct proxy_port *pp, struct explain_input *in)
{
	unsigned best = 0;

	for (size_t i = 0; i < pp->n_subnet; i++)
		if (prefix_contains(&pp->subnet[i], &q->source))
			return;
	if (config_decide_source(pp->cfg, &q->source, in->admitted)) {
		name_file(q, in->admitted);
		if (in->source_ok)
			return;
	}
	proxy_ports_for_each (view_instances(q->a.app)->port, other)
		for (size_t k = 0; other != pp && k < other->n_subnet; k++)
			if (prefix_contains(&other->subnet[k], &q->source) &&
				other->subnet[k].len >= best) {
				best = other->subnet[k].len;
				memcpy(in->subnet_of, other->name,
					sizeof(in->subnet_of));
			}
}

static void input_facts(
	struct question *q, const struct proxy_port *pp, struct explain_input *in)
{
	const struct plan_port *port = &q->plan->port[pp->port];
	struct dataplane_port_stats s;

	dataplane_port_stats(view_dataplane(q->a.app), pp->port, &s);
	*in = (struct explain_input){
		.upstream = pp->role == CONFIG_ROLE_UPSTREAM,
		.receive = port->receive,
		.source_broadcast = portplan_is_broadcast(pp, &q->source),
		.source_ok = plan_source_ok(port, &q->source),
		.ring_packets = s.count[PORT_COUNT_RING_PACKETS],
		.ring_drops = s.count[PORT_COUNT_RING_DROPS],
	};
	iface_facts(q, pp, &in->i);
	if (q->has_source)
		source_facts(q, pp, in);
	in->i.group_ok = plan_group_ok(&port->in, &q->group);
	config_decide_group(pp->cfg, &q->group, false, in->i.decided);
	name_file(q, in->i.decided);
	if (in->upstream)
		upstream_facts(q, pp, in);
}

/* Notes the other forwarder of the stream. Without a source, any stream of the group
 * counts. */
static void other_facts(const struct question *q, const struct proxy_port *pp,
	struct explain_output *out)
{
	mono_t now = view_now(q->a.app);
	size_t n;
	const struct forwarder_stream *s =
		forwarder_of_group(&pp->forwarder[q->family], &q->group, &n);

	for (size_t i = 0; i < n && !out->standby; i++) {
		if (q->has_source && !addr_eq(&s[i].source, &q->source))
			continue;
		out->standby = s[i].standby;
		out->doubled = forwarder_is_double(&s[i], now);
		if (out->standby || out->doubled)
			out->other_mac = s[i].mac;
	}
}

static void limit_facts(const struct question *q, const struct proxy_port *pp,
	struct explain_output *out)
{
	struct view_struck by;

	out->limited = view_is_struck(q->a.app, pp->port, ADMISSION_BY_PORT, &by);
	if (view_is_struck(q->a.app, pp->port, ADMISSION_BY_HOST, &by))
		snprintf(out->limited_host, sizeof(out->limited_host), "%s", by.host);
}

/* After a start, or when a link has come up, hosts need a moment to answer. */
static void first_answers(
	const struct querier *querier, mono_t now, struct explain_output *out)
{
	const struct gm_params *p = &querier->params;
	int64_t left_ms = (querier->query_at.ns - now.ns) / NS_PER_MS;
	int64_t asked_ms = (int64_t)p->startup_interval_ms - left_ms;

	if (querier->state != QUERIER_ACTIVE || querier->startup_left == 0 ||
		asked_ms < 0 || asked_ms > (int64_t)p->response_interval_ms)
		return;
	out->asked_ms = asked_ms;
	out->answer_ms = p->response_interval_ms;
}

static void member_facts(
	struct question *q, const struct proxy_port *pp, struct explain_output *out)
{
	const struct mgroup *g = mgroup_find(&pp->groups, &q->group);
	const struct querier *querier = &pp->querier[q->family];

	out->has_group = g != NULL;
	out->wants = g && (!q->has_source || mgroup_wants(g, &q->source));
	out->n_hosts = g ? (unsigned)g->n_host : 0;
	out->n_sources = g ? (unsigned)g->n_src : 0;
	out->querier = querier->state == QUERIER_ACTIVE;
	first_answers(querier, view_now(q->a.app), out);
	out->other_querier = querier->other;
	out->forwards = pp->groups.role[q->family].forwards;
	other_facts(q, pp, out);
	out->n_groups = pp->groups.groups.n;
	out->max_groups = mgroup_max_groups(&pp->groups);
	limit_facts(q, pp, out);
	out->joins = (struct explain_refusals){q->joins, q->n_joins, pp->port};
}

static void output_facts(
	struct question *q, const struct proxy_port *pp, struct explain_output *out)
{
	struct dataplane_port_stats s;

	dataplane_port_stats(view_dataplane(q->a.app), pp->port, &s);
	*out = (struct explain_output){
		.is_input = portset_has(&q->inputs, pp->port),
		.in_table = portset_has(&q->table, pp->port),
		.threshold = pp->cfg->threshold,
		.mtu = q->plan->port[pp->port].mtu,
		.not_sent = s.verdict[VERDICT_TX_FULL] + s.verdict[VERDICT_TX_QUEUE] +
			s.verdict[VERDICT_TX_SIZE] + s.verdict[VERDICT_TX_ERROR] +
			s.verdict[VERDICT_PORT_DOWN],
	};
	iface_facts(q, pp, &out->i);
	/* members are refused by the lists of the downstream, frames by its
	 * boundaries */
	out->i.group_ok = policy_group(pp->cfg, &q->group) &&
		plan_group_ok(&q->plan->port[pp->port].out, &q->group);
	config_decide_group(pp->cfg, &q->group, true, out->i.decided);
	name_file(q, out->i.decided);
	portset_for_each (&q->inputs, in)
		/* an input that is down has no outputs; the output is not at fault */
		if (!q->plan->port[in].present ||
			portset_has(&q->plan->port[in].allowed, pp->port))
			out->allowed = true;
	if (!q->plan->port[pp->port].present || portset_empty(&q->inputs))
		out->allowed = true;
	member_facts(q, pp, out);
}

static struct traffic *traffic_of(const struct question *q, unsigned instance)
{
	for (size_t i = 0; i < q->n_traffic; i++)
		if (q->traffic[i].instance == instance)
			return &q->traffic[i];
	return NULL;
}

static void take_traffic(const struct fib_view *v, void *arg)
{
	struct question *q = arg;
	bool named = !addr_is_any(&v->source);
	struct traffic *t;
	int32_t age;

	if (!addr_eq(&v->group, &q->group))
		return;
	if (q->has_source && named && !addr_eq(&v->source, &q->source))
		return;
	t = traffic_of(q, v->instance);
	/* with its own entry, the rest of the group does not matter */
	if (!t || (q->has_source && t->exact && !named))
		return;
	if (q->has_source && named)
		*t = (struct traffic){
			.instance = v->instance, .exact = true, .age_ms = -1};
	portset_or(&t->table, &v->out);
	t->wrong += v->wrong;
	/* datagrams that no member wants are counted there, but go nowhere */
	if (!v->seen || portset_empty(&v->out))
		return;
	t->packets += v->packets;
	age = fib_age_s(v, (uint64_t)q->now.tv_sec);
	if (t->seen && (age < 0 || (t->age_ms >= 0 && t->age_ms <= age * 1000LL)))
		return;
	t->seen = true;
	t->age_ms = age < 0 ? -1 : age * 1000LL;
	t->last_source = v->last_source;
	memset(t->last_input, 0, sizeof(t->last_input));
	if (v->last_port < PORT_MAX && view_instances(q->a.app)->port[v->last_port])
		memcpy(t->last_input,
			view_instances(q->a.app)->port[v->last_port]->name,
			sizeof(t->last_input));
}

static void traffic_facts(struct question *q)
{
	const struct traffic *t = traffic_of(q, q->instance->instance);
	struct explain_facts *f = &q->facts;

	q->table = t ? t->table : (struct portset){0};
	if (!t)
		return;
	f->seen = t->seen;
	f->packets = t->packets;
	f->wrong = t->wrong;
	f->age_ms = t->age_ms;
	f->last_source = t->last_source;
	memcpy(f->last_input, t->last_input, sizeof(f->last_input));
}

static bool is_input(const struct question *q, const struct proxy_port *pp)
{
	return *q->from ? strcmp(pp->name, q->from) == 0
			: pp->role == CONFIG_ROLE_UPSTREAM;
}

static bool is_output(const struct question *q, const struct proxy_port *pp)
{
	return *q->on ? strcmp(pp->name, q->on) == 0
		      : pp->role == CONFIG_ROLE_DOWNSTREAM;
}

/* The streams that were asked about, of this instance. False without memory. */
static bool quality_facts(struct question *q)
{
	const struct stream_log *log = view_streams(q->a.app);
	mono_t now = view_system_now(q->a.app);
	const struct stream_entry *e = NULL;
	struct explain_stream *v;

	if (!log)
		return true;
	v = calloc(STREAMS_MAX, sizeof(*v));
	q->facts.stream = v;
	while (v && q->facts.n_stream < STREAMS_MAX && (e = stream_log_next(log, e))) {
		const struct proxy_port *pp =
			view_instances(q->a.app)->port[e->stream.port];
		struct history_sum sum;
		uint32_t bucket_s;
		mono_t end = history_end(now, HOUR_S, &bucket_s);

		if (!pp || pp->proxy != q->instance ||
			!addr_eq(&e->stream.group, &q->group) ||
			(q->has_source && !addr_eq(&e->stream.source, &q->source)))
			continue;
		history_range(
			&e->history, now, mono_add_ms(end, -1000 * HOUR_S), end, &sum);
		v[q->facts.n_stream++] = (struct explain_stream){
			.source = e->stream.source,
			.port = e->stream.dport,
			.kind = quality_kind_name(e->kind),
			.place = stream_entry_present(e)->place,
			.drop = e->fault.drop,
			.judged = sum.judged,
			.provider = sum.provider,
			.router = sum.router,
			.lost = sum.lost,
			.continuity = sum.continuity,
		};
	}
	return v != NULL;
}

/* The facts of one instance; arrays are allocated. False if there is no memory. */
static bool show_explain_collect(struct question *q)
{
	struct explain_input *in = calloc(PORT_MAX, sizeof(*in));
	struct explain_output *out = calloc(PORT_MAX, sizeof(*out));
	struct explain_facts *f = &q->facts;

	*f = (struct explain_facts){
		.group = q->group,
		.has_source = q->has_source,
		.source = q->source,
		.source_own = q->has_source && plan_is_own(q->plan, &q->source),
		.ssm = config_is_ssm(view_config(q->a.app), &q->group),
		.one_output = *q->on,
		.age_ms = -1,
		.input = in,
		.output = out,
	};
	if (!in || !out || !quality_facts(q))
		return false;
	q->inputs = (struct portset){0};
	traffic_facts(q);
	dataplane_joined(view_dataplane(q->a.app), &q->group,
		q->has_source ? &q->source : NULL, &f->joined);
	proxy_ports_for_each (q->instance->port, pp) {
		if (!is_input(q, pp))
			continue;
		portset_add(&q->inputs, pp->port);
		input_facts(q, pp, &in[f->n_input++]);
	}
	proxy_ports_for_each (q->instance->port, pp)
		if (is_output(q, pp))
			output_facts(q, pp, &out[f->n_output++]);
	return true;
}

static void show_explain_forget(struct explain_facts *f)
{
	free((void *)(uintptr_t)f->stream);
	f->stream = NULL;
	free((void *)(uintptr_t)f->input);
	free((void *)(uintptr_t)f->output);
	f->input = NULL;
	f->output = NULL;
}

/* ---- reply ---- */

static void add_checks(json_t *list, const struct explain *e, const char *instance)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct explain_check *c = &e->check[i];

		json_array_append_new(list,
			json_pack("{ss ss so ss so so}", "instance", instance, "check",
				c->check, "interface",
				*c->interface ? json_of_text(c->interface)
					      : json_null(),
				"verdict", explain_verdict_name(c->verdict), "text",
				json_of_text(c->text), "advice",
				*c->advice ? json_of_text(c->advice) : json_null()));
	}
}

/* Orders verdicts: pass, then unknown, then refuse. */
static unsigned goodness(enum explain_verdict v)
{
	return v == EXPLAIN_PASS ? 2 : v == EXPLAIN_UNKNOWN ? 1 : 0;
}

/* Should the answer of this instance come first? The best one does; of several that
 * refuse, the one with the most evidence. */
static bool show_explain_is_better(
	const struct explain *e, enum explain_verdict best, enum explain_weight weight)
{
	if (goodness(e->verdict) != goodness(best))
		return goodness(e->verdict) > goodness(best);
	return e->weight > weight;
}

/* Does the instance have the named interfaces? */
static bool is_asked_about(const struct question *q, const struct proxy *p)
{
	bool from = !*q->from, on = !*q->on;

	proxy_ports_for_each (p->port, pp) {
		from |= is_input(q, pp);
		on |= is_output(q, pp);
	}
	return from && on;
}

static json_t *reply_json(const struct question *q, enum explain_verdict v,
	json_t *summary, json_t *checks)
{
	return json_pack("{so so so so so ss so so}", "group", json_of_addr(&q->group),
		"channel",
		show_channel(q->a.app, &q->group, q->has_source ? &q->source : NULL),
		"source", q->has_source ? json_of_addr(&q->source) : json_null(),
		"from", *q->from ? json_of_text(q->from) : json_null(), "on",
		*q->on ? json_of_text(q->on) : json_null(), "verdict",
		explain_verdict_name(v), "summary", summary, "checks", checks);
}

/* An instance for each provider; the best answer counts. */
static json_t *answer(struct question *q)
{
	const struct instances *r = view_instances(q->a.app);
	json_t *checks = json_array(), *summary = NULL;
	enum explain_verdict best = EXPLAIN_REFUSE;
	enum explain_weight weight = EXPLAIN_FAULT;
	struct explain e = {0};

	for (size_t i = 0; i < r->n_instance; i++) {
		q->instance = r->instance[i].proxy;
		if (!is_asked_about(q, q->instance))
			continue;
		if (show_explain_collect(q)) {
			explain(&q->facts, &e);
			add_checks(checks, &e, r->instance[i].name);
			if (!summary || show_explain_is_better(&e, best, weight)) {
				best = e.verdict;
				weight = e.weight;
				json_decref(summary);
				summary = json_of_text(e.summary);
			}
		}
		show_explain_forget(&q->facts);
		explain_deinit(&e);
	}
	if (!summary)
		summary = json_string(*q->from && *q->on
				? "the two interfaces belong to different instances, between which "
				  "nothing is forwarded"
				: "the configuration names no interface");
	return reply_json(q, best, summary, checks);
}

/* An interface without a role has no instance: the one check that fails. */
static json_t *no_role(struct question *q, const char *name)
{
	struct explain_input in = {
		.i.present = iface_by_name(view_ifaces(q->a.app), name) != NULL};
	struct explain_output nobody = {.is_input = true};
	struct explain_facts f = {.group = q->group,
		.input = &in,
		.n_input = 1,
		.output = &nobody,
		.n_output = 1};
	json_t *checks = json_array(), *summary;
	struct explain e = {0};

	memcpy(in.i.name, name, sizeof(in.i.name));
	explain(&f, &e);
	add_checks(checks, &e, "");
	summary = json_of_text(e.summary);
	explain_deinit(&e);
	return reply_json(q, EXPLAIN_REFUSE, summary, checks);
}

/* ---- pieces ---- */

/* NULL if there is no memory */
static json_t *whole_answer(struct question *q)
{
	struct plan *plan;
	json_t *reply;

	if (*q->from && !proxy_port_named(view_instances(q->a.app)->port, q->from))
		return no_role(q, q->from);
	if (*q->on && !proxy_port_named(view_instances(q->a.app)->port, q->on))
		return no_role(q, q->on);
	plan = portplan_build(view_instances(q->a.app), view_ifaces(q->a.app));
	if (!plan)
		return NULL;
	q->plan = plan;
	dataplane_refusals(view_dataplane(q->a.app), &q->group, see_datagram, q);
	refusals_of(view_reports(q->a.app), &q->group, see_join, q);
	reply = answer(q);
	plan_free(plan);
	return reply;
}

static bool begin_traffic(struct question *q)
{
	const struct instances *r = view_instances(q->a.app);

	q->n_traffic = r->n_instance;
	q->a.owned = q->traffic = calloc(q->n_traffic + 1, sizeof(*q->traffic));
	for (size_t i = 0; q->traffic && i < q->n_traffic; i++)
		q->traffic[i] = (struct traffic){
			.instance = r->instance[i].proxy->instance, .age_ms = -1};
	return q->traffic != NULL;
}

/* Writes the table in pieces, and then everything else. */
static int show_explain_piece(struct ctl_answer *a)
{
	struct question *q = container_of(a, struct question, a.answer);

	if (show_first(&q->a) && !begin_traffic(q))
		return -ENOMEM;
	for (int work = SHOW_WORK; !q->at.end && work > 0; work--)
		fib_step(dataplane_fib(view_dataplane(q->a.app)), &q->at, take_traffic,
			q);
	if (!q->at.end)
		return 1;
	ctl_answer_json(&q->a.answer, whole_answer(q));
	return 0;
}

json_t *show_explain(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {
		show_explain_piece, show_answer_closed};
	struct question *q = show_answer_new(ctx, &ops, sizeof(*q), ret);

	if (!q)
		return NULL;
	clock_gettime(CLOCK_REALTIME, &q->now);
	return show_answer_refused(read_question(q, args), ret);
}
