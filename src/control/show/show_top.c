/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * "show top", see show.h: everything on one page, for `ringcastctl watch`. The reply
 * has a bounded size for any number of groups: the forwarding entries are sorted and
 * filtered here, and only one page of them is in the reply. A refresh walks the table
 * once, in pieces, and finds the first entries in the order by their keys. The rows are
 * then written as they are in the table at that moment.
 *
 * Request: show top [sort KEY] [offset N] [limit N] [reverse] [filter TEXT]
 */

#include "base/cleanup.h"
#include "build_config.h"
#include "control/config/config_text.h"
#include "control/report/topn.h"
#include "control/show/show.h"
#include "control/show/show_answer.h"
#include "control/show/show_mfc.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     500
#define OFFSET_MAX    100000
#define FILTER_LEN    128

enum sort {
	SORT_RATE = 1,
	SORT_PACKETS,
	SORT_MEMBERS,
	SORT_WRONG,
	SORT_GROUP,
};

enum step {
	STEP_READ, /* of the counters that rates come from */
	STEP_WALK,
	STEP_SORT,
	STEP_PORTS,
	STEP_ROWS,
};

struct page {
	struct show_answer a;
	enum sort sort;
	bool reverse;
	size_t offset, limit;
	char filter[FILTER_LEN]; /* lower case; empty for all */
	enum step step;
	struct fib_cursor at;
	struct topn top;	   /* of struct row */
	size_t n_total, n_matched; /* rows that there are, and those of the filter */
	struct show_ports ports;
	size_t row; /* the next one to write */
	uint64_t sum[_VERDICT_N];
};

struct row {
	struct addr group, source;
	uint64_t value; /* the sort key */
	unsigned instance;
};

/* ---- request ---- */

static bool is_word(const char *args, size_t n, const char *name)
{
	return strlen(name) == n && strncmp(args, name, n) == 0;
}

static bool read_sort(const char *word, size_t n, enum sort *ret)
{
	static const char name[][8] = {[SORT_RATE] = "rate",
		[SORT_PACKETS] = "packets",
		[SORT_MEMBERS] = "members",
		[SORT_WRONG] = "wrong",
		[SORT_GROUP] = "group"};

	*ret = SORT_RATE;
	while (*ret <= SORT_GROUP && !is_word(word, n, name[*ret]))
		++*ret;
	return *ret <= SORT_GROUP;
}

static bool read_position(const char *word, size_t n, size_t max, size_t *ret)
{
	uint64_t v;

	if (config_scan_number(word, &v) != word + n || v > max)
		return false;
	*ret = (size_t)v;
	return true;
}

static bool read_args(struct page *p, const char *args)
{
	while (*args) {
		size_t n = strcspn(args, " "), skip = n + strspn(args + n, " "), m;
		const char *value = args + skip;
		bool ok = false;

		if (is_word(args, n, "filter")) {
			if (strlen(value) >= sizeof(p->filter))
				return false;
			for (size_t i = 0; value[i]; i++)
				p->filter[i] = (char)(value[i] >= 'A' && value[i] <= 'Z'
						? value[i] + ('a' - 'A')
						: value[i]);
			return true;
		}
		if (is_word(args, n, "reverse")) {
			p->reverse = true;
			args = value;
			continue;
		}
		m = strcspn(value, " ");
		if (is_word(args, n, "sort"))
			ok = read_sort(value, m, &p->sort);
		else if (is_word(args, n, "offset"))
			ok = read_position(value, m, OFFSET_MAX, &p->offset);
		else if (is_word(args, n, "limit"))
			ok = read_position(value, m, LIMIT_MAX, &p->limit);
		if (!ok)
			return false;
		args = value + m + strspn(value + m, " ");
	}
	return true;
}

/* ---- rows ---- */

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* The largest number first; equal ones by address, so that rows do not jump. */
static bool row_before(const void *a_, const void *b_, const void *arg)
{
	const struct row *a = a_, *b = b_;
	const struct page *p = arg;
	int c = compare_u64(b->value, a->value);
	if (c == 0)
		c = addr_cmp(&a->group, &b->group);
	if (c == 0)
		c = addr_cmp(&a->source, &b->source);
	if (c == 0)
		c = compare_u64(a->instance, b->instance);
	return p->reverse ? c > 0 : c < 0;
}

static bool addr_matches(const struct page *p, const struct addr *a)
{
	char text[ADDR_STRLEN];

	return strstr(addr_format(a, text), p->filter) != NULL;
}

static bool port_matches(const struct page *p, unsigned port)
{
	const struct proxy_port *pp =
		port < PORT_MAX ? view_instances(p->a.app)->port[port] : NULL;

	return pp && strcasestr(pp->name, p->filter) != NULL;
}

static bool row_matches(const struct page *p, const struct fib_view *v)
{
	const char *name;

	if (!*p->filter || addr_matches(p, &v->group) || addr_matches(p, &v->source))
		return true;
	if (v->seen &&
		(addr_matches(p, &v->last_source) || port_matches(p, v->last_port)))
		return true;
	portset_for_each (&v->out, port)
		if (port_matches(p, port))
			return true;
	name = channels_name(view_channels(p->a.app), &v->group,
		v->seen ? &v->last_source : &v->source);
	if (name && strcasestr(name, p->filter))
		return true;
	return strcasestr(instances_name(view_instances(p->a.app), v->instance),
		       p->filter) != NULL;
}

static uint64_t sort_value(const struct page *p, const struct fib_view *v)
{
	switch (p->sort) {
	case SORT_RATE:
		return show_rate_of(p->a.app, v).bytes;
	case SORT_PACKETS:
		return v->packets;
	case SORT_MEMBERS:
		return show_count_members(p->a.app, v);
	case SORT_WRONG:
		return v->wrong;
	case SORT_GROUP:
		break;
	}
	return 0;
}

static void take_row(const struct fib_view *v, void *arg)
{
	struct page *p = arg;
	struct row row;

	/* skip the empty (*,G) entry of a group that is joined only for named
	 * sources */
	if (addr_is_any(&v->source) && portset_empty(&v->out) && !v->seen && !v->wrong)
		return;
	p->n_total++;
	if (!row_matches(p, v))
		return;
	p->n_matched++;
	row = (struct row){v->group, v->source, sort_value(p, v), v->instance};
	topn_add(&p->top, &row);
}

static json_t *top_row_json(const struct page *p, const struct fib_view *v)
{
	struct rate rate = show_rate_of(p->a.app, v);
	json_t *o = show_mfc_entry(p->a.app, v, &rate);

	json_object_set_new(
		o, "members", json_integer(show_count_members(p->a.app, v)));
	return o;
}

/* ---- the rest of the page ---- */

static void add_upstream(
	json_t *o, const struct app *app, const struct proxy_port *pp, mono_t now)
{
	json_t *list = json_array();
	json_int_t n = 0;

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		const struct upstream_family *hf = &pp->upstream.family[f];

		n += (json_int_t)hf->n_groups;
		if (view_instances(app)->family[f])
			json_array_append_new(list,
				json_pack("{ss si so so sI}", "family", family_name(f),
					"version",
					(int)gm_version_number(
						(enum family)f, hf->version),
					"querier", json_of_addr_or_null(&hf->querier),
					"last_query_ms",
					json_of_ms_since(hf->last_query, now),
					"reports_sent",
					(json_int_t)hf->n_reports_sent));
	}
	json_object_set_new(o, "upstream", list);
	json_object_set_new(o, "groups", json_integer(n));
}

static void add_downstream(
	json_t *o, const struct app *app, const struct proxy_port *pp)
{
	json_t *q = json_object();

	for (unsigned f = 0; f < _FAMILY_N; f++)
		if (view_instances(app)->family[f])
			json_object_set_new(q, family_name(f),
				json_string(querier_state_name(pp->querier[f].state)));
	json_object_set_new(o, "querier", q);
	json_put_count(o, "groups", pp->groups.groups.n);
}

static json_t *top_port_json(
	struct app *app, const struct proxy_port *pp, mono_t now, uint64_t *sum)
{
	struct dataplane_port_stats s;
	uint64_t dropped = 0, refused = 0;
	const char *error = show_port_error(app, pp->port);
	json_t *o;

	dataplane_port_stats(view_dataplane(app), pp->port, &s);
	for (unsigned v = 0; v < _VERDICT_N; v++) {
		sum[v] += s.verdict[v];
		if (v >= _VERDICT_FRAME_N)
			refused += s.verdict[v];
		else if (v != VERDICT_FORWARDED)
			dropped += s.verdict[v];
	}
	o = json_pack("{so ss ss sb sb so sI sI sI sI sI sI sI}", "name",
		json_of_text(pp->name), "instance", show_instance(app, pp), "role",
		config_role_word(pp->role), "present", pp->ifindex != 0, "up",
		(int)pp->up, "error", error ? json_string(error) : json_null(),
		"rx_packets", (json_int_t)s.count[PORT_COUNT_RX_PACKETS], "rx_bytes",
		(json_int_t)s.count[PORT_COUNT_RX_BYTES], "tx_packets",
		(json_int_t)s.count[PORT_COUNT_TX_PACKETS], "tx_bytes",
		(json_int_t)s.count[PORT_COUNT_TX_BYTES], "ring_drops",
		(json_int_t)s.count[PORT_COUNT_RING_DROPS], "dropped",
		(json_int_t)dropped, "refused", (json_int_t)refused);
	if (pp->role == CONFIG_ROLE_UPSTREAM)
		add_upstream(o, app, pp, now);
	else
		add_downstream(o, app, pp);
	return o;
}

static json_t *drops_json(const uint64_t sum[_VERDICT_N])
{
	json_t *o = json_object();

	for (unsigned v = 0; v < _VERDICT_N; v++)
		if (sum[v] && v != VERDICT_FORWARDED)
			json_put_count(o, verdict_name((enum verdict)v), sum[v]);
	return o;
}

/* ---- pieces ---- */

static bool read_counters(struct page *p)
{
	return show_rates_ready(p->a.app, &p->a.rates);
}

static bool walk(struct page *p)
{
	for (int work = SHOW_WORK / 2; !p->at.end && work > 0; work--)
		fib_step(dataplane_fib(view_dataplane(p->a.app)), &p->at, take_row, p);
	return p->at.end;
}

static bool sort(struct page *p)
{
	return topn_sort(&p->top, SHOW_WORK);
}

static void write_head(struct page *p)
{
	mono_t now = view_now(p->a.app);

	show_open(&p->a,
		json_pack("{ss sI sI sI sI so sI sI}", "version", RINGCAST_VERSION,
			"now_ms", (json_int_t)(now.ns / NS_PER_MS), "uptime_ms",
			(json_int_t)mono_ms_since(view_started(p->a.app), now),
			"entries",
			(json_int_t)fib_size(dataplane_fib(view_dataplane(p->a.app))),
			"total", (json_int_t)p->n_total, "rate_interval_ms",
			show_rate_interval(p->a.app), "matched",
			(json_int_t)p->n_matched, "offset", (json_int_t)p->offset));
	show_begin(&p->a, ",\"interfaces\":[");
}

static bool write_ports(struct page *p)
{
	const struct proxy_port *pp = NULL;
	struct app *app = p->a.app;

	if (show_first(&p->a))
		write_head(p);
	for (int work = SHOW_WORK; work > 0; work -= 4 * SHOW_ROW) {
		pp = show_next_port(app, &p->ports, NULL);
		if (!pp)
			break;
		show_item(&p->a, top_port_json(app, pp, view_now(app), p->sum));
	}
	if (pp)
		return false;
	show_text(&p->a, "],\"drops\":");
	ctl_answer_json(&p->a.answer, drops_json(p->sum));
	show_begin(&p->a, ",\"rows\":[");
	p->row = p->offset;
	return true;
}

static bool write_rows(struct page *p)
{
	for (int work = SHOW_WORK; p->row < p->top.n && work > 0; work -= SHOW_ROW) {
		const struct row *r = topn_get(&p->top, p->row++);
		struct fib_view v;

		if (!fib_read(dataplane_fib(view_dataplane(p->a.app)), r->instance,
			    &r->source, &r->group, &v))
			continue;
		show_item(&p->a, top_row_json(p, &v));
		work -= (int)portset_count(&v.out);
	}
	if (p->row < p->top.n)
		return false;
	show_end(&p->a, "]}");
	return true;
}

static int show_top_piece(struct ctl_answer *answer)
{
	/* true for the next step */
	static bool (*const step[])(struct page * p) = {
		[STEP_READ] = read_counters,
		[STEP_WALK] = walk,
		[STEP_SORT] = sort,
		[STEP_PORTS] = write_ports,
		[STEP_ROWS] = write_rows,
	};
	struct page *p = container_of(answer, struct page, a.answer);

	p->step += step[p->step](p);
	return p->step < array_len(step);
}

static void show_top_closed(struct ctl_answer *answer)
{
	struct page *p = container_of(answer, struct page, a.answer);

	topn_deinit(&p->top);
	show_answer_closed(answer);
}

json_t *show_top(void *ctx, const char *args, struct ctl_answer **ret)
{
	static const struct ctl_answer_ops ops = {show_top_piece, show_top_closed};
	struct page *p = show_answer_new(ctx, &ops, sizeof(*p), ret);

	if (!p)
		return NULL;
	p->sort = SORT_RATE;
	p->limit = LIMIT_DEFAULT;
	if (!read_args(p, args))
		return show_answer_refused(
			ctl_error(
				"show top takes: sort rate|packets|members|wrong|group, "
				"offset N (to %u), limit N (to %u), reverse, filter TEXT",
				OFFSET_MAX, LIMIT_MAX),
			ret);
	p->top = (struct topn){
		.size = sizeof(struct row),
		.max = p->offset + p->limit,
		.before = row_before,
		.arg = p,
	};
	return NULL;
}
