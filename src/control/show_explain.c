/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "explain GROUP [SOURCE] [from INTERFACE]", see show.h: collects the facts for
 * explain.c with the functions that decide about real frames and reports: the port
 * plan, the policy, the group state, the forwarding table.
 */

#include "base/cleanup.h"
#include "control/app_priv.h"
#include "control/explain.h"
#include "control/portplan.h"
#include "control/show_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ECHO_MS	  300000 /* so long it is remembered that our frames came back */
#define ANSWER_MS 10000	 /* what a query leaves for answers at most, about */

/* what the forwarding table knows of the group in one instance */
struct traffic {
	unsigned instance;
	bool exact; /* there is an entry for the source */
	bool seen, rate_known;
	struct portset table; /* that the entries name */
	uint64_t packets, wrong, rate;
	struct addr last_source;
	char last_input[IFNAMSIZ];
};

struct question {
	struct show_answer a;
	struct app *app;
	struct show_rates rates;
	struct fib_cursor at;
	struct traffic *traffic; /* owned; one for each instance of the beginning */
	size_t n_traffic;
	struct addr group, source;
	bool has_source;
	char from[IFNAMSIZ]; /* empty: any upstream */
	enum family family;
	const struct proxy *instance;
	const struct plan *plan;
	struct portset inputs; /* in use */
	struct portset table;  /* that the forwarding entries name */
	struct explain_facts facts;
};

/* ---- request ---- */

static bool next_word(const char **args, char *word, size_t size)
{
	size_t n = strcspn(*args, " ");

	if (n == 0 || n >= size)
		return false;
	memcpy(word, *args, n);
	word[n] = '\0';
	*args += n + strspn(*args + n, " ");
	return true;
}

static json_t *read_question(struct question *q, const char *args)
{
	char word[ADDR_STRLEN];

	if (!next_word(&args, word, sizeof(word)) || addr_parse(word, &q->group) < 0)
		return ctl_error("explain takes GROUP [SOURCE] [from INTERFACE]");
	q->family = addr_family(&q->group);
	while (*args) {
		if (!next_word(&args, word, sizeof(word)))
			return ctl_error("explain: a word is too long");
		if (strcmp(word, "from") == 0) {
			if (!next_word(&args, q->from, sizeof(q->from)))
				return ctl_error("explain: from needs an interface");
		} else if (addr_parse(word, &q->source) == 0 && !q->has_source) {
			q->has_source = true;
		} else {
			return ctl_error("explain: '%s' is no source", word);
		}
	}
	if (q->has_source && addr_family(&q->source) != q->family)
		return ctl_error("explain: group and source are of different families");
	return NULL;
}

/* ---- facts ---- */

static void iface_facts(const struct question *q, const struct proxy_port *pp,
	struct explain_iface *ret)
{
	const struct config_iface *ci = pp->cfg;

	*ret = (struct explain_iface){
		.has_role = true,
		.present = pp->ifindex != 0,
		.up = pp->up,
		.error = show_port_error(q->app, pp->port),
		.family = q->app->router->family[q->family] &&
			(q->family == FAMILY_IPV4 ? ci->ipv4 : ci->ipv6),
	};
	memcpy(ret->name, pp->name, sizeof(ret->name));
	if (mono_is_set(pp->echo_at) &&
		loop_now(q->app->loop).ns - pp->echo_at.ns < ECHO_MS * NS_PER_MS &&
		q->app->router->port[pp->echo_port])
		memcpy(ret->echo_of, q->app->router->port[pp->echo_port]->name,
			sizeof(ret->echo_of));
}

static bool includes(const struct gm_filter *f, const struct addr *source)
{
	return addrset_contains(&f->src, source) == (f->mode == GM_INCLUDE);
}

static void upstream_facts(
	const struct question *q, const struct proxy_port *pp, struct explain_input *in)
{
	const struct host_family *hf = &pp->host.family[q->family];
	const struct host_group *g = host_find(&pp->host, &q->group);
	mono_t now = loop_now(q->app->loop);

	in->report_up = pp->report_up;
	memcpy(in->report_interface, pp->cfg->report_interface,
		sizeof(in->report_interface));
	in->policy_ok = policy_group(pp->cfg, &q->group);
	in->asked = g && !(g->now.mode == GM_INCLUDE && g->now.src.n == 0);
	in->asked_this = in->asked && (!q->has_source || includes(&g->now, &q->source));
	in->version = gm_version_number(q->family, hf->version);
	in->names_sources = hf->version == GM_V3;
	in->query_heard = mono_is_set(hf->last_query);
	in->querier = hf->querier;
	if (in->query_heard)
		in->query_age_ms = (now.ns - hf->last_query.ns) / NS_PER_MS;
	in->query_expected_ms = (int64_t)hf->rv * hf->qi_ms + ANSWER_MS;
	in->refresh_interval_ms = pp->host.params.refresh_interval_ms;
}

static void input_facts(
	const struct question *q, const struct proxy_port *pp, struct explain_input *in)
{
	const struct plan_port *port = &q->plan->port[pp->port];
	struct dataplane_port_stats s;

	dataplane_port_stats(q->app->dp, pp->port, &s);
	*in = (struct explain_input){
		.upstream = pp->role == CONFIG_ROLE_UPSTREAM,
		.receive = port->receive,
		.source_broadcast = portplan_is_broadcast(pp, &q->source),
		.source_ok = plan_source_ok(port, &q->source),
		.ring_packets = s.ring_packets,
		.ring_drops = s.ring_drops,
		.ttl_expired = s.verdict[VERDICT_TTL_EXPIRED],
		.truncated =
			s.verdict[VERDICT_TRUNCATED] + s.verdict[VERDICT_SUPERFRAME],
		.damaged = s.verdict[VERDICT_BAD_VERSION] + s.verdict[VERDICT_BAD_IHL] +
			s.verdict[VERDICT_BAD_LENGTH] + s.verdict[VERDICT_BAD_CHECKSUM],
		.foreign_vlan = s.verdict[VERDICT_VLAN_MISMATCH],
	};
	iface_facts(q, pp, &in->i);
	in->i.group_ok = plan_group_ok(&port->in, &q->group);
	if (in->upstream)
		upstream_facts(q, pp, in);
}

/* Without a source: of any stream of the group. */
static void other_facts(const struct question *q, const struct proxy_port *pp,
	struct explain_output *out)
{
	mono_t now = loop_now(q->app->loop);
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
	const struct app_port *ap = &q->app->port[pp->port];
	mono_t now = loop_now(q->app->loop);
	char host[APP_HOST_STRLEN];

	out->limited = app_is_struck(ap, FLOOD_BY_PORT, now);
	if (app_is_struck(ap, FLOOD_BY_HOST, now))
		snprintf(out->limited_host, sizeof(out->limited_host), "%s",
			app_format_host(&ap->flood.struck[FLOOD_BY_HOST].host, host));
}

static void member_facts(const struct question *q, const struct proxy_port *pp,
	struct explain_output *out)
{
	const struct mgroup *g = mgroup_find(&pp->groups, &q->group);
	const struct querier *querier = &pp->querier[q->family];

	out->has_group = g != NULL;
	out->wants = g && (!q->has_source || mgroup_wants(g, &q->source));
	out->any_source = g && g->mode == GM_EXCLUDE;
	out->n_hosts = g ? (unsigned)g->n_host : 0;
	out->n_sources = g ? (unsigned)g->n_src : 0;
	out->querier = querier->state == QUERIER_ACTIVE;
	out->other_querier = querier->other;
	out->forwards = pp->groups.role[q->family].forwards;
	other_facts(q, pp, out);
	out->n_groups = pp->groups.groups.n;
	out->max_groups = pp->cfg->max_groups;
	out->n_refused = pp->groups.n_refused;
	limit_facts(q, pp, out);
	mgroup_struck_format(&pp->groups.struck, out->limit, sizeof(out->limit));
	out->n_foreign = pp->n_bad[GM_BAD_FOREIGN];
	out->n_filtered = pp->n_bad[GM_BAD_FILTERED];
}

static void output_facts(const struct question *q, const struct proxy_port *pp,
	struct explain_output *out)
{
	struct dataplane_port_stats s;

	dataplane_port_stats(q->app->dp, pp->port, &s);
	*out = (struct explain_output){
		.is_input = portset_has(&q->inputs, pp->port),
		.in_table = portset_has(&q->table, pp->port),
		.threshold = pp->cfg->threshold,
		.mtu = q->plan->port[pp->port].mtu,
		.ttl_threshold = s.verdict[VERDICT_TTL_THRESHOLD],
		.mtu_df = s.verdict[VERDICT_MTU_DF] + s.verdict[VERDICT_FRAG_FAILED],
		.port_down = s.verdict[VERDICT_PORT_DOWN],
		.not_sent = s.verdict[VERDICT_TX_FULL] + s.verdict[VERDICT_TX_QUEUE] +
			s.verdict[VERDICT_TX_SIZE] + s.verdict[VERDICT_TX_ERROR],
	};
	iface_facts(q, pp, &out->i);
	/* members are refused by the lists of the downstream, frames by its boundaries
	 */
	out->i.group_ok = policy_group(pp->cfg, &q->group) &&
		plan_group_ok(&q->plan->port[pp->port].out, &q->group);
	portset_for_each (&q->inputs, in)
		/* a port that is not up allows nothing, which is no fault of this one
		 */
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

static void take_entry(const struct fib_view *v, void *arg)
{
	struct question *q = arg;
	bool named = !addr_is_any(&v->source);
	struct traffic *t;
	struct rate rate;

	if (!addr_eq(&v->group, &q->group))
		return;
	if (q->has_source && named && !addr_eq(&v->source, &q->source))
		return;
	t = traffic_of(q, v->instance);
	/* with an entry of its own, the rest of the group is another matter */
	if (!t || (q->has_source && t->exact && !named))
		return;
	if (q->has_source && named)
		*t = (struct traffic){.instance = v->instance, .exact = true};
	rate = show_rate_of(q->app, v);
	portset_or(&t->table, &v->out);
	t->packets += v->packets;
	t->wrong += v->wrong;
	t->rate += rate.packets;
	t->rate_known = rate.known;
	if (!v->seen)
		return;
	t->seen = true;
	t->last_source = v->last_source;
	memset(t->last_input, 0, sizeof(t->last_input));
	if (v->last_port < PORT_MAX && q->app->router->port[v->last_port])
		memcpy(t->last_input, q->app->router->port[v->last_port]->name,
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
	f->rate = t->rate;
	f->rate_known = t->rate_known;
	f->last_source = t->last_source;
	memcpy(f->last_input, t->last_input, sizeof(f->last_input));
}

static bool is_input(const struct question *q, const struct proxy_port *pp)
{
	return *q->from ? strcmp(pp->name, q->from) == 0
			: pp->role == CONFIG_ROLE_UPSTREAM;
}

/* The facts of one instance; arrays are allocated. False: no memory. */
static bool collect(struct question *q)
{
	struct explain_input *in = calloc(PORT_MAX, sizeof(*in));
	struct explain_output *out = calloc(PORT_MAX, sizeof(*out));
	struct explain_facts *f = &q->facts;

	*f = (struct explain_facts){
		.group = q->group,
		.has_source = q->has_source,
		.source = q->source,
		.source_own = q->has_source && plan_is_own(q->plan, &q->source),
		.ssm = config_is_ssm(q->app->cfg, &q->group),
		.input = in,
		.output = out,
	};
	if (!in || !out)
		return false;
	q->inputs = (struct portset){0};
	traffic_facts(q);
	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = q->instance->port[i];

		if (!pp || !is_input(q, pp))
			continue;
		portset_add(&q->inputs, i);
		input_facts(q, pp, &in[f->n_input++]);
	}
	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = q->instance->port[i];

		if (pp && pp->role == CONFIG_ROLE_DOWNSTREAM)
			output_facts(q, pp, &out[f->n_output++]);
	}
	return true;
}

static void forget(struct explain_facts *f)
{
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

/* pass, then unknown, then refuse */
static unsigned goodness(enum explain_verdict v)
{
	return v == EXPLAIN_PASS ? 2 : v == EXPLAIN_UNKNOWN ? 1 : 0;
}

static bool has_input(const struct question *q, const struct proxy *p)
{
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (p->port[i] && is_input(q, p->port[i]))
			return true;
	return false;
}

static json_t *reply_json(const struct question *q, enum explain_verdict v,
	json_t *summary, json_t *checks)
{
	return json_pack("{so so so ss so so}", "group", json_of_addr(&q->group),
		"source", q->has_source ? json_of_addr(&q->source) : json_null(),
		"from", *q->from ? json_of_text(q->from) : json_null(), "verdict",
		explain_verdict_name(v), "summary", summary, "checks", checks);
}

/* An instance for each provider; the best answer counts. */
static json_t *answer(struct question *q)
{
	const struct router *r = q->app->router;
	json_t *checks = json_array(), *summary = NULL;
	enum explain_verdict best = EXPLAIN_REFUSE;
	struct explain e = {0};

	for (size_t i = 0; i < r->n_instance; i++) {
		q->instance = r->instance[i].proxy;
		if (*q->from && !has_input(q, q->instance))
			continue;
		if (collect(q)) {
			explain(&q->facts, &e);
			add_checks(checks, &e, r->instance[i].name);
			if (!summary || goodness(e.verdict) > goodness(best)) {
				best = e.verdict;
				json_decref(summary);
				summary = json_of_text(e.summary);
			}
		}
		forget(&q->facts);
		explain_deinit(&e);
	}
	if (!summary)
		summary = json_string("the configuration names no interface");
	return reply_json(q, best, summary, checks);
}

/* An interface without a role has no instance: the one check that fails. */
static json_t *no_role(struct question *q)
{
	struct explain_input in = {0};
	struct explain_output nobody = {.is_input = true};
	struct explain_facts f = {.group = q->group,
		.input = &in,
		.n_input = 1,
		.output = &nobody,
		.n_output = 1};
	json_t *checks = json_array(), *summary;
	struct explain e = {0};

	memcpy(in.i.name, q->from, sizeof(in.i.name));
	explain(&f, &e);
	add_checks(checks, &e, "");
	summary = json_of_text(e.summary);
	explain_deinit(&e);
	return reply_json(q, EXPLAIN_REFUSE, summary, checks);
}

/* ---- pieces ---- */

/* NULL: no memory */
static json_t *whole_answer(struct question *q)
{
	bool known = !*q->from;
	struct plan *plan;
	json_t *reply;

	for (unsigned i = 0; i < PORT_MAX && !known; i++)
		known = q->app->router->port[i] &&
			strcmp(q->app->router->port[i]->name, q->from) == 0;
	if (!known)
		return no_role(q);
	plan = portplan_build(q->app->router, &q->app->ifaces);
	if (!plan)
		return NULL;
	q->plan = plan;
	reply = answer(q);
	plan_free(plan);
	return reply;
}

/* First the table, in pieces, then all the rest. */
static int piece(struct ctl_answer *a)
{
	struct question *q = container_of(a, struct question, a.answer);

	if (!show_rates_ready(q->app, &q->rates))
		return 1;
	for (int work = SHOW_WORK; !q->at.end && work > 0; work--)
		fib_step(dataplane_fib(q->app->dp), &q->at, take_entry, q);
	if (!q->at.end)
		return 1;
	ctl_answer_json(&q->a.answer, whole_answer(q));
	return 0;
}

static void closed(struct ctl_answer *a)
{
	struct question *q = container_of(a, struct question, a.answer);

	show_rates_leave(q->app, &q->rates);
	free(q->traffic);
	free(q);
}

static bool begin_traffic(struct question *q)
{
	const struct router *r = q->app->router;

	q->n_traffic = r->n_instance;
	q->traffic = calloc(q->n_traffic + 1, sizeof(*q->traffic));
	for (size_t i = 0; q->traffic && i < q->n_traffic; i++)
		q->traffic[i].instance = r->instance[i].proxy->instance;
	return q->traffic != NULL;
}

json_t *show_explain(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {piece, closed};
	struct question *q = calloc(1, sizeof(*q));
	json_t *error;

	if (!q)
		return NULL;
	q->app = q->a.app = ctx;
	q->a.answer.ops = &ops;
	error = read_question(q, args);
	if (error || !begin_traffic(q)) {
		free(q);
		return error;
	}
	*ret = &q->a.answer;
	return NULL;
}
