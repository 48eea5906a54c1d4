/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side on the upstream: queries, answers and the version spoken (RFC 9776 5.2 and
 * 7.2.1, RFC 9777 6.2 and 8.2.1). A query never causes anything but a timer, of which
 * there is one per family and one per group, so that a flood of queries cannot cause a
 * flood of reports.
 *
 * The answer to a general query walks the list of memberships. When it takes several
 * messages, they leave one by one within the response time; a query heard meanwhile
 * makes it start over when it is through.
 */

#include "control/host_internal.h"

#include <assert.h>

/* At least so long between two answers of the same kind (R193). No query with a
 * response time of its own, the shortest of IGMP, is answered late by that. */
#define ANSWER_GAP_MS 100

/* sources of pending group-and-source queries beyond which the whole list is the answer
 */
#define MAX_ASKED 1024

/* messages that a full answer takes, about: records are not divided to fill the last
 * one */
static size_t count_messages(const struct host *h, enum family family)
{
	const struct host_family *f = &h->family[family];
	size_t space = h->report[family].space;

	if (f->version != GM_V3)
		return f->n_groups;
	return (f->octets + space - 1) / space;
}

bool host_version_update(struct host *h, mono_t now, enum family family)
{
	struct host_family *f = &h->family[family];
	enum gm_version version = GM_V3;

	for (enum gm_version v = GM_V2; v >= GM_V1; v--) {
		if (mono_due(f->older_until[v], now))
			f->older_until[v] = MONO_UNSET;
		else if (h->params.fallback)
			version = v;
	}
	if (version > h->params.max_version[family])
		version = h->params.max_version[family];
	if (version == f->version)
		return false;
	f->version = version;
	host_cancel(h, family);
	if (h->up)
		host_report_setup(&h->report[family], &h->link, family, version);
	return true;
}

void host_answer_stop(struct host_family *f)
{
	f->answer_at = MONO_NEVER;
	f->again_until = MONO_NEVER;
	f->answering = false;
	f->answer_next = NULL;
}

void host_answer_skip(struct host_family *f, const struct host_group *g)
{
	if (f->answer_next == g)
		f->answer_next = g->next;
}

void host_refresh_arm(struct host *h, mono_t now, enum family family)
{
	uint32_t ms = h->params.refresh_interval_ms;

	h->family[family].refresh_at = h->up && ms ? mono_add_ms(now, ms) : MONO_NEVER;
}

mono_t host_answer_deadline(const struct host_family *f)
{
	mono_t at = mono_min(f->answer_at, f->refresh_at);

	for (enum gm_version v = GM_V1; v <= GM_V2; v++)
		if (mono_is_set(f->older_until[v]))
			at = mono_min(at, f->older_until[v]);
	return at;
}

/* not before the gap since the last answer is over */
static mono_t after_gap(mono_t at, mono_t answered)
{
	return mono_is_set(answered)
		? mono_max(at, mono_add_ms(answered, ANSWER_GAP_MS))
		: at;
}

/* Answer everything within max_ms; an answer that is due earlier anyway will do. */
static void schedule_all(
	struct host *h, mono_t now, enum family family, uint32_t max_ms)
{
	struct host_family *f = &h->family[family];
	size_t n = count_messages(h, family);
	mono_t until = mono_add_ms(now, max_ms), at;

	if (f->n_groups == 0)
		return;
	if (f->answering) {
		f->again_until = mono_min(f->again_until, until);
		return;
	}
	/* the first of several messages leaves room for the others */
	at = host_random_after(h, now, (uint32_t)(max_ms / n));
	at = after_gap(at, f->answered);
	until = mono_max(until, at);
	f->answer_until = f->answer_at.ns == MONO_NEVER.ns
		? until
		: mono_min(f->answer_until, until);
	f->answer_at = mono_min(f->answer_at, at);
}

/* false: the answer has to be the whole list */
static bool add_asked(struct host_group *g, const struct gm_query *q)
{
	struct addrset asked = {0};
	bool ok = q->n_src + g->asked.n <= MAX_ASKED &&
		addrset_from_array(&asked, q->src, q->n_src) == 0 &&
		addrset_union(&g->asked, &asked) == 0;

	addrset_deinit(&asked);
	return ok;
}

static void schedule_group(struct host *h, mono_t now, const struct gm_query *q)
{
	struct host_group *g = host_lookup(h, &q->group);
	enum family family = addr_family(&q->group);
	const struct host_family *f = &h->family[family];
	mono_t at;

	if (!g || gm_filter_is_none(&g->now))
		return;
	at = after_gap(host_random_after(h, now, q->max_resp_ms), g->answered);
	/* RFC 9776 5.2 rule 1: the general answer comes first and says it all */
	if (!mono_before(at, f->answer_at) && !f->answering &&
		count_messages(h, family) <= 1)
		return;
	if (g->answer_at.ns == MONO_NEVER.ns) {
		addrset_clear(&g->asked);
		g->answer_sources = true;
	}
	if (g->answer_sources && (q->n_src == 0 || !add_asked(g, q)))
		g->answer_sources = false;
	g->answer_at = mono_min(g->answer_at, at);
	host_settle(h, g);
}

void host_query(
	struct host *h, mono_t now, const struct gm_msg *msg, struct effects *fx)
{
	struct host_family *f = &h->family[msg->family];
	const struct gm_query *q = &msg->query;
	const struct gm_params *own = &h->params.gm;
	bool general = addr_is_any(&q->group);

	if (!h->up || msg->kind != GM_QUERY)
		return;
	f->n_queries++;
	f->last_query = now;
	f->querier = msg->from;
	host_refresh_arm(h, now, msg->family);
	if (msg->version == GM_V3) {
		f->rv = q->qrv ? q->qrv : own->robustness ? own->robustness : 1;
		f->qi_ms = q->qqi_ms ? q->qqi_ms : own->query_interval_ms;
	} else if (general) {
		f->older_until[msg->version] = mono_add_ms(now,
			gm_older_querier_ms(
				own, msg->family, f->rv, f->qi_ms, q->max_resp_ms));
	}
	host_version_update(h, now, msg->family);
	if (general)
		schedule_all(h, now, msg->family, q->max_resp_ms);
	else
		schedule_group(h, now, q);
}

static void report_state(
	struct host_report *r, const struct host_group *g, struct effects *fx)
{
	if (r->version != GM_V3) {
		host_report_record(r, GM_IS_EX, &g->group, 0, fx);
		return;
	}
	host_report_record(r, g->now.mode == GM_INCLUDE ? GM_IS_IN : GM_IS_EX,
		&g->group, g->now.src.n, fx);
	for (size_t i = 0; i < g->now.src.n; i++)
		host_report_source(r, &g->now.src.v[i], fx);
}

/* the asked sources that we want (R109) */
static void report_asked(
	struct host_report *r, const struct host_group *g, struct effects *fx)
{
	bool include = g->now.mode == GM_INCLUDE;
	size_t n = 0;

	for (size_t i = 0; i < g->asked.n; i++)
		n += addrset_contains(&g->now.src, &g->asked.v[i]) == include;
	if (n == 0)
		return;
	host_report_record(r, GM_IS_IN, &g->group, n, fx);
	for (size_t i = 0; i < g->asked.n; i++)
		if (addrset_contains(&g->now.src, &g->asked.v[i]) == include)
			host_report_source(r, &g->asked.v[i], fx);
}

void host_answer_group(
	struct host *h, mono_t now, struct host_group *g, struct effects *fx)
{
	struct host_report *r = &h->report[addr_family(&g->group)];

	g->answer_at = MONO_NEVER;
	if (gm_filter_is_none(&g->now))
		return;
	if (g->answer_sources && r->version == GM_V3)
		report_asked(r, g, fx);
	else
		report_state(r, g, fx);
	g->answered = now;
}

/* One message of the answer to a general query. */
static void answer_step(
	struct host *h, mono_t now, enum family family, struct effects *fx)
{
	struct host_family *f = &h->family[family];
	struct host_report *r = &h->report[family];
	struct host_group *g;
	size_t n = 0;

	if (!f->answering) {
		f->answering = true;
		f->answer_next = f->first;
		f->answer_left = count_messages(h, family);
	}
	for (g = f->answer_next; g; g = g->next, n++) {
		if (n &&
			(r->version != GM_V3 || !host_report_has_room(r, g->now.src.n)))
			break;
		report_state(r, g, fx);
	}
	host_report_flush(r, fx);
	f->answer_next = g;
	if (f->answer_left > 1)
		f->answer_left--;
	if (g) {
		int64_t left = f->answer_until.ns - now.ns;

		/* one interval more than messages: the count may be too low */
		f->answer_at = left <= 0
			? now
			: mono_add_ns(now, left / (int64_t)(f->answer_left + 1));
	} else {
		mono_t again = f->again_until;

		host_answer_stop(f);
		f->answered = now;
		if (again.ns != MONO_NEVER.ns)
			schedule_all(
				h, now, family, (uint32_t)mono_ms_until(again, now));
	}
}

void host_answer_tick(
	struct host *h, mono_t now, enum family family, struct effects *fx)
{
	struct host_family *f = &h->family[family];
	const struct host_params *p = &h->params;

	if (mono_due(f->refresh_at, now)) {
		host_refresh_arm(h, now, family);
		if (f->n_groups && f->answer_at.ns == MONO_NEVER.ns) {
			uint32_t ms = p->refresh_interval_ms;

			if (ms > p->gm.response_interval_ms)
				ms = p->gm.response_interval_ms;
			f->answer_at = now;
			f->answer_until = mono_add_ms(now, ms);
		}
	}
	while (mono_due(f->answer_at, now))
		answer_step(h, now, family, fx);
}
