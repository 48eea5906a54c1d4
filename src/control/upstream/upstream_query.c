/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side on the upstream: queries, answers and the version spoken (RFC 9776 5.2 and
 * 7.2.1, RFC 9777 6.2 and 8.2.1). A query never causes anything except a timer, of
 * which there is one per family and one per group, and answers are rationed, so that a
 * flood of queries cannot cause a flood of reports.
 *
 * Some providers send queries from addresses outside the subnets of the link, such as
 * 0.0.0.0 or management addresses. Anybody can do that, so the values of these queries
 * (version, interval, robustness) count only while no querier inside is heard, and not
 * for long.
 *
 * The answer to a general query walks the list of memberships. If it takes several
 * messages, they leave one by one within the response time. A query heard meanwhile
 * makes it start again after its end.
 */

#include "base/minmax.h"
#include "control/upstream/upstream_internal.h"

/* At least this long between two answers of the same kind (R193). It is the shortest
 * response time that IGMP can ask for, so no answer becomes late. */
#define ANSWER_GAP_MS 100

/* The answer to a general query takes at least this much time for each of its
 * messages. */
#define ANSWER_STEP_MS 1

/* No query makes an answer wait longer. IGMPv2 has 25.5 s at most. */
#define MAX_RESPONSE_MS 60000

/* How long adopted values last after the last query: first those of a querier inside
 * the link's subnets, which may query only every 30 minutes with a robustness of two;
 * then others. */
#define TAUGHT_INSIDE_MS  (60 * 60 * 1000)
#define TAUGHT_OUTSIDE_MS (10 * 60 * 1000)

/* Returns about how many messages a full answer takes. The number may be too low,
 * because records are not split to fill a message. */
static size_t count_messages(const struct upstream *u, enum family family)
{
	const struct upstream_family *f = &u->family[family];
	size_t space = u->report[family].space;

	if (f->version != GM_V3)
		return f->n_groups;
	return (f->bytes + space - 1) / space;
}

/* RFC 9776 7.2.1 cancels everything that is pending, so that nothing of the old version
 * is sent. The provider must still hear it. It is therefore sent in the new version at
 * the same time, and a spread answer continues where it was. Otherwise a stranger could
 * silence us by changing the version. */
static void change_version(
	struct upstream *u, enum family family, enum gm_version version)
{
	struct upstream_family *f = &u->family[family];
	size_t before = count_messages(u, family);

	f->version = version;
	upstream_restate_owed(u, family);
	if (before)
		f->answer_left = f->answer_left * count_messages(u, family) / before;
}

bool upstream_version_update(struct upstream *u, mono_t now, enum family family)
{
	struct upstream_family *f = &u->family[family];
	enum gm_version version = GM_V3;

	if (mono_due(f->taught_until, now))
		upstream_unlearn(u, family);
	for (enum gm_version v = GM_V2; v >= GM_V1; v--) {
		if (mono_due(f->older_until[v], now))
			f->older_until[v] = MONO_UNSET;
		else if (u->params.fallback[family])
			version = v;
	}
	version = min(version, u->params.max_version[family]);
	if (version == f->version)
		return false;
	change_version(u, family, version);
	if (u->up)
		upstream_report_setup(&u->report[family], &u->link, family, version);
	return true;
}

void upstream_answer_stop(struct upstream_family *f)
{
	f->answer_at = MONO_NEVER;
	f->again_until = MONO_NEVER;
	f->answering = false;
	f->answer_next = NULL;
}

void upstream_answer_skip(struct upstream_family *f, const struct upstream_group *g)
{
	if (f->answer_next == g)
		f->answer_next = g->next;
}

void upstream_refresh_arm(struct upstream *u, mono_t now, enum family family)
{
	uint32_t ms = u->params.refresh_interval_ms;

	u->family[family].refresh_at = u->up && ms ? mono_add_ms(now, ms) : MONO_NEVER;
}

void upstream_unlearn(struct upstream *u, enum family family)
{
	struct upstream_family *f = &u->family[family];

	f->rv = u->params.gm.robustness ? u->params.gm.robustness : 1;
	f->qi_ms = u->params.gm.query_interval_ms;
	f->taught_until = MONO_NEVER;
}

mono_t upstream_answer_deadline(const struct upstream_family *f)
{
	const struct heap_node *first = heap_first(&f->answers);
	mono_t at = first ? mono_min(f->answer_at, first->at) : f->answer_at;

	at = mono_max(at, upstream_bucket_at(&f->answers_sent));
	at = mono_min(at, f->refresh_at);
	for (enum gm_version v = GM_V1; v <= GM_V2; v++)
		if (mono_is_set(f->older_until[v]))
			at = mono_min(at, f->older_until[v]);
	return at;
}

/* Returns `at`, or the end of the gap after the last answer if that is later. */
static mono_t after_gap(mono_t at, mono_t answered)
{
	return mono_is_set(answered)
		? mono_max(at, mono_add_ms(answered, ANSWER_GAP_MS))
		: at;
}

/* Returns when the next message of the answer leaves, so that the last one is on time.
 * Counts one interval more than messages, because the count may be too low. */
static mono_t next_step(const struct upstream_family *f, mono_t now)
{
	int64_t left = f->answer_until.ns - now.ns;

	return left <= 0 ? now : mono_add_ns(now, left / (int64_t)(f->answer_left + 1));
}

/* The answer begins at `at` and ends at `until`, or earlier if that was due already. */
static void answer_by(struct upstream_family *f, mono_t at, mono_t until)
{
	f->answer_until = f->answer_at.ns == MONO_NEVER.ns
		? until
		: mono_min(f->answer_until, until);
	f->answer_at = mono_min(f->answer_at, at);
}

/* Lets the answer that is being sent end within ms. */
static void hurry(struct upstream_family *f, mono_t now, uint32_t ms)
{
	f->answer_until = mono_min(f->answer_until, mono_add_ms(now, ms));
	f->answer_at = mono_min(f->answer_at, next_step(f, now));
}

/* Answers everything within max_ms; an answer that is already due earlier is enough. */
static void schedule_all(
	struct upstream *u, mono_t now, enum family family, uint32_t max_ms)
{
	struct upstream_family *f = &u->family[family];
	size_t n = count_messages(u, family);
	mono_t until, at;

	if (f->n_groups == 0)
		return;
	max_ms = (uint32_t)max(max_ms, n * ANSWER_STEP_MS);
	until = mono_add_ms(now, max_ms);
	if (f->answering) {
		f->again_until = mono_min(f->again_until, until);
		hurry(f, now, max_ms / 2); /* the rest is for the next answer */
		return;
	}
	/* the first of several messages leaves room for the others */
	at = upstream_random_after(u, now, (uint32_t)(max_ms / n));
	at = after_gap(at, f->answered);
	answer_by(f, at, mono_max(until, at));
}

/* false if the answer must be the whole list, because a query asked for that, for more
 * sources than there is room for, or for more than were read */
static bool add_asked(
	struct upstream_family *f, struct upstream_group *g, const struct gm_query *q)
{
	struct addrset asked = {0};
	size_t before = g->asked.n;
	bool ok = q->n_src > 0 && q->n_left == 0 &&
		q->n_src + before <= UPSTREAM_GROUP_ASKED &&
		q->n_src + f->n_asked <= UPSTREAM_ASKED &&
		addrset_from_array(&asked, q->src, q->n_src) == 0 &&
		addrset_union(&g->asked, &asked) == 0;

	f->n_asked += g->asked.n - before;
	addrset_deinit(&asked);
	return ok;
}

static void schedule_group(
	struct upstream *u, mono_t now, const struct gm_query *q, uint32_t max_ms)
{
	struct upstream_group *g = upstream_lookup(u, &q->group);
	enum family family = addr_family(&q->group);
	struct upstream_family *f = &u->family[family];
	mono_t at;

	if (!g || gm_filter_is_none(&g->now))
		return;
	at = after_gap(upstream_random_after(u, now, max_ms), g->answered);
	/* RFC 9776 5.2 rule 1: the general answer comes first and includes
	 * everything */
	if (!mono_before(at, f->answer_at) && !f->answering &&
		count_messages(u, family) <= 1)
		return;
	if (g->answer_at.ns == MONO_NEVER.ns)
		g->answer_sources = true;
	if (g->answer_sources && !add_asked(f, g, q)) {
		g->answer_sources = false;
		upstream_forget_asked(u, g);
	}
	g->answer_at = mono_min(g->answer_at, at);
	upstream_settle(u, g);
}

/* How long a querier counts as present follows from its robustness and interval, but
 * never from less than our own values. Otherwise one query of a stranger could make us
 * forget the provider's querier between two of its queries. */
static unsigned least_robustness(
	const struct upstream *u, const struct upstream_family *f)
{
	return max(f->rv, u->params.gm.robustness);
}

static uint32_t least_interval_ms(
	const struct upstream *u, const struct upstream_family *f)
{
	uint32_t ours = u->params.gm.query_interval_ms;

	return max(f->qi_ms, ours);
}

/* A later query can only extend it. */
static void extend(mono_t *until, mono_t now, uint32_t ms, uint32_t most_ms)
{
	*until = mono_max(*until, mono_add_ms(now, min(ms, most_ms)));
}

/* Version, interval and robustness of a query (RFC 9776 4.1.6, 4.1.7, 7.2.1). */
static void learn(
	struct upstream *u, mono_t now, const struct gm_msg *msg, uint32_t lasts_ms)
{
	struct upstream_family *f = &u->family[msg->family];
	const struct gm_query *q = &msg->query;
	uint32_t ms;

	if (msg->version == GM_V3) {
		upstream_unlearn(u, msg->family);
		if (q->qrv)
			f->rv = q->qrv;
		if (q->qqi_ms)
			f->qi_ms = min(q->qqi_ms, lasts_ms);
		f->taught_until = mono_add_ms(now, lasts_ms);
	} else if (addr_is_any(&q->group)) {
		ms = gm_older_querier_ms(&u->params.gm, msg->family,
			least_robustness(u, f), least_interval_ms(u, f),
			q->max_resp_ms);
		extend(&f->older_until[msg->version], now, ms, lasts_ms);
	}
}

static void learn_inside(struct upstream *u, mono_t now, const struct gm_msg *msg)
{
	struct upstream_family *f = &u->family[msg->family];

	if (!f->taught_inside) { /* what others have taught no longer counts */
		upstream_unlearn(u, msg->family);
		f->older_until[GM_V1] = f->older_until[GM_V2] = MONO_UNSET;
	}
	f->taught_inside = true;
	learn(u, now, msg, TAUGHT_INSIDE_MS);
	extend(&f->inside_until, now,
		gm_other_querier_ms(
			&u->params.gm, least_robustness(u, f), least_interval_ms(u, f)),
		TAUGHT_INSIDE_MS);
	if (addr_is_any(&msg->query.group) &&
		(mono_due(f->follow_until, now) || addr_eq(&f->inside, &msg->from))) {
		f->inside = msg->from;
		f->follow_until = f->inside_until;
	}
}

static void learn_outside(struct upstream *u, mono_t now, const struct gm_msg *msg)
{
	struct upstream_family *f = &u->family[msg->family];

	if (!mono_due(f->inside_until, now))
		return;
	f->taught_inside = false;
	learn(u, now, msg, TAUGHT_OUTSIDE_MS);
}

/* A unicast query, or one whose TTL is not 1, may have been routed here from anywhere.
 * It is answered but changes nothing else. */
static bool is_from_link(const struct gm_msg *msg)
{
	return !(msg->notes & (GM_NOTE_UNICAST | GM_NOTE_TTL));
}

static void heard_querier(
	struct upstream *u, mono_t now, const struct gm_msg *msg, bool inside)
{
	struct upstream_family *f = &u->family[msg->family];

	f->last_query = now;
	f->querier = msg->from;
	if (inside)
		learn_inside(u, now, msg);
	else
		learn_outside(u, now, msg);
}

void upstream_query(
	struct upstream *u, mono_t now, const struct gm_msg *msg, bool inside)
{
	struct upstream_family *f = &u->family[msg->family];
	const struct gm_query *q = &msg->query;
	uint32_t max_ms = q->max_resp_ms;

	if (!u->up || msg->kind != GM_QUERY)
		return;
	f->n_queries++;
	if (is_from_link(msg))
		heard_querier(u, now, msg, inside);
	upstream_version_update(u, now, msg->family);
	max_ms = min(max_ms, MAX_RESPONSE_MS);
	if (addr_is_any(&q->group))
		schedule_all(u, now, msg->family, max_ms);
	else
		schedule_group(u, now, q, max_ms);
}

static void report_state(
	struct upstream_report *r, const struct upstream_group *g, struct effects *fx)
{
	if (r->version != GM_V3) {
		upstream_report_record(r, GM_IS_EX, &g->group, 0, fx);
		return;
	}
	upstream_report_list(r, g->now.mode == GM_INCLUDE ? GM_IS_IN : GM_IS_EX,
		&g->group, &g->now.src, fx);
}

/* Reports those of the asked sources that we want (R109). */
static void report_asked(
	struct upstream_report *r, const struct upstream_group *g, struct effects *fx)
{
	bool include = g->now.mode == GM_INCLUDE;
	size_t n = 0;

	for (size_t i = 0; i < g->asked.n; i++)
		n += addrset_contains(&g->now.src, &g->asked.v[i]) == include;
	if (n == 0)
		return;
	upstream_report_record(r, GM_IS_IN, &g->group, n, fx);
	for (size_t i = 0; i < g->asked.n; i++)
		if (addrset_contains(&g->now.src, &g->asked.v[i]) == include)
			upstream_report_source(r, &g->asked.v[i], fx);
}

/* Puts the due answer to a group query into the report. */
static void answer_group(
	struct upstream *u, mono_t now, struct upstream_group *g, struct effects *fx)
{
	struct upstream_report *r = &u->report[addr_family(&g->group)];

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
	struct upstream *u, mono_t now, enum family family, struct effects *fx)
{
	struct upstream_family *f = &u->family[family];
	struct upstream_report *r = &u->report[family];
	struct upstream_group *g;
	size_t n = 0;

	if (!f->answering) {
		f->answering = true;
		f->answer_next = f->first;
		f->answer_left = count_messages(u, family);
	}
	for (g = f->answer_next; g; g = g->next, n++) {
		if (n &&
			(r->version != GM_V3 ||
				!upstream_report_has_room(r, g->now.src.n)))
			break;
		report_state(r, g, fx);
	}
	upstream_report_flush(r, fx);
	f->answer_next = g;
	if (f->answer_left > 1)
		f->answer_left--;
	if (g) {
		f->answer_at = next_step(f, now);
	} else {
		mono_t again = f->again_until;

		upstream_answer_stop(f);
		upstream_refresh_arm(u, now, family);
		f->answered = now;
		if (again.ns != MONO_NEVER.ns)
			schedule_all(
				u, now, family, (uint32_t)mono_ms_until(again, now));
	}
}

static void answer_groups(
	struct upstream *u, mono_t now, enum family family, struct effects *fx)
{
	struct upstream_family *f = &u->family[family];
	struct heap_node *first;

	while ((first = heap_first(&f->answers)) && mono_due(first->at, now) &&
		mono_due(upstream_bucket_at(&f->answers_sent), now)) {
		struct upstream_group *g =
			container_of(first, struct upstream_group, answer);
		uint64_t sent = u->report[family].n_sent;

		answer_group(u, now, g, fx);
		upstream_bucket_take(
			&f->answers_sent, now, u->report[family].n_sent - sent);
		upstream_settle(u, g);
	}
}

static void refresh(struct upstream *u, mono_t now, enum family family)
{
	struct upstream_family *f = &u->family[family];
	uint32_t ms = u->params.refresh_interval_ms;

	upstream_refresh_arm(u, now, family);
	if (f->n_groups == 0)
		return;
	ms = min(ms, u->params.gm.response_interval_ms);
	if (f->answering)
		hurry(f, now, ms);
	else
		answer_by(f, now, mono_add_ms(now, ms));
}

void upstream_answer_tick(
	struct upstream *u, mono_t now, enum family family, struct effects *fx)
{
	struct upstream_family *f = &u->family[family];
	struct upstream_report *r = &u->report[family];
	uint64_t sent;

	if (mono_due(f->refresh_at, now))
		refresh(u, now, family);
	answer_groups(u, now, family, fx);
	sent = r->n_sent;
	upstream_report_flush(r, fx);
	while (mono_due(f->answer_at, now) &&
		mono_due(upstream_bucket_at(&f->answers_sent), now)) {
		answer_step(u, now, family, fx);
		upstream_bucket_take(&f->answers_sent, now, r->n_sent - sent);
		sent = r->n_sent;
	}
	upstream_bucket_take(&f->answers_sent, now, r->n_sent - sent);
}
