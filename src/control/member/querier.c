/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Querier role of one downstream port and family: RFC 9776 6.6.2, 8.6, 8.7 and RFC 9777
 * 7.6.2.
 *
 *   DOWN --up--> ACTIVE --query from a lower address--> STANDBY
 *                  ^------other querier present timer------'
 *
 * Queries from 0.0.0.0 (snooping switches, R049), by unicast (R015) and queries that
 * keep no memberships alive change nothing.
 */

#include "control/member/querier.h"

#include "base/minmax.h"
#include "control/member/gm_state.h"

#include <errno.h>

static void querier_publish(const struct querier *q)
{
	q->role->querier = q->state == QUERIER_ACTIVE;
	q->role->forwards = q->state == QUERIER_ACTIVE ||
		(q->state == QUERIER_STANDBY && !q->rules.only_querier);
	q->role->version = q->rules.version;
	q->role->rv = q->rv;
	q->role->qi_ms = q->qi_ms;
	q->role->own = q->own;
}

const char *querier_state_name(enum querier_state state)
{
	static const char name[][8] = {
		[QUERIER_DOWN] = "down",
		[QUERIER_ACTIVE] = "active",
		[QUERIER_STANDBY] = "standby",
	};

	return name[state];
}

void querier_init(struct querier *q, unsigned port, enum family family,
	const struct gm_params *params, const struct querier_rules *rules,
	struct querier_view *role)
{
	*q = (struct querier){
		.port = port,
		.family = family,
		.params = *params,
		.rules = *rules,
		.state = QUERIER_DOWN,
		.own = addr_any(family),
		.other = addr_any(family),
		.rival = addr_any(family),
		.asserted_at = MONO_UNSET,
		.query_at = MONO_NEVER,
		.other_until = MONO_NEVER,
		.rv = params->robustness,
		.qi_ms = params->query_interval_ms,
		.role = role,
	};
	querier_publish(q);
}

static void send_query(struct querier *q, struct effects *fx)
{
	struct gm_query query = {
		.group = addr_any(q->family),
		.max_resp_ms = q->params.response_interval_ms,
		.qrv = q->rv,
		.qqi_ms = q->qi_ms,
	};

	effects_query(fx, q->port, q->rules.version, &q->own, &query);
	q->n_queries_sent++;
}

static void send_general(struct querier *q, mono_t now, struct effects *fx)
{
	uint32_t gap = q->qi_ms;

	send_query(q, fx);
	if (q->startup_left && --q->startup_left)
		gap = q->params.startup_interval_ms;
	q->query_at = mono_add_ms(now, gap);
}

static void become_active(struct querier *q, mono_t now, struct effects *fx)
{
	q->state = QUERIER_ACTIVE;
	q->rv = q->params.robustness;
	q->qi_ms = q->params.query_interval_ms;
	q->other = addr_any(q->family);
	q->other_mac = (struct gm_mac){0};
	q->other_until = MONO_NEVER;
	querier_publish(q);
	send_general(q, now, fx);
}

void querier_up(
	struct querier *q, mono_t now, const struct addr *own, struct effects *fx)
{
	if (q->state != QUERIER_DOWN && addr_eq(&q->own, own))
		return;
	/* MLD needs a link-local source (R055); IGMP works without an address */
	if (q->family == FAMILY_IPV6 && addr_is_any(own)) {
		querier_down(q);
		return;
	}
	q->own = *own;
	q->startup_left = q->params.startup_count;
	become_active(q, now, fx);
}

void querier_down(struct querier *q)
{
	q->state = QUERIER_DOWN;
	q->query_at = MONO_NEVER;
	q->other_until = MONO_NEVER;
	q->other = addr_any(q->family);
	querier_publish(q);
}

void querier_again(struct querier *q, mono_t now, struct effects *fx)
{
	if (q->state != QUERIER_ACTIVE)
		return; /* the querier does this */
	q->startup_left = q->params.startup_count;
	send_general(q, now, fx);
}

bool querier_set_params(struct querier *q, mono_t now, const struct gm_params *params,
	const struct querier_rules *rules, struct effects *fx)
{
	bool forwarded = q->role->forwards;
	bool robustness = q->params.robustness != params->robustness;
	bool interval = q->params.query_interval_ms != params->query_interval_ms;

	q->params = *params;
	q->rules = *rules;
	if (robustness)
		q->rv = params->robustness;
	if (q->state == QUERIER_ACTIVE && interval) {
		q->qi_ms = params->query_interval_ms;
		q->query_at = mono_min(q->query_at, mono_add_ms(now, q->qi_ms));
	}
	if (q->state == QUERIER_STANDBY && rules->always) {
		effects_note(fx, q->port, NOTE_QUERIER_WON, NULL, &q->other, 0);
		become_active(q, now, fx);
	}
	querier_publish(q);
	return q->role->forwards != forwarded;
}

/* Does a win against b? The lower address wins; MLD compares interface identifiers
 * (R055) */
static bool beats(const struct querier *q, const struct addr *a, const struct addr *b)
{
	if (addr_is_any(b)) /* we have no address, so any router that has one wins */
		return true;
	if (q->family == FAMILY_IPV6)
		return memcmp(a->b + 8, b->b + 8, 8) < 0;
	return addr_cmp(a, b) < 0;
}

/* Is it a query that hosts receive and answer soon enough to keep their memberships?
 * Any other query neither renews nor takes the role: if it silenced us, no router would
 * query the hosts. */
static bool keeps_memberships(const struct querier *q, const struct gm_query *query)
{
	return addr_is_any(&query->group) &&
		query->max_resp_ms <= gm_max_response_ms(&q->params);
}

/* Values of a query as far as they are adopted; 0 or absent means ours (R051). */
static void read_values(const struct querier *q, const struct gm_query *query,
	uint8_t *ret_rv, uint32_t *ret_qi_ms)
{
	uint32_t qi = query->qqi_ms ? query->qqi_ms : q->params.query_interval_ms;
	uint8_t rv = query->qrv ? query->qrv : q->params.robustness;

	*ret_qi_ms = gm_cap_query_interval(&q->params, qi);
	*ret_rv = gm_cap_robustness(&q->params, rv, *ret_qi_ms);
}

/* The sender is querier. One that was heard before counts as permanent. */
static void follow(struct querier *q, mono_t now, const struct gm_msg *msg)
{
	bool again = addr_eq(&msg->from, &q->rival) && mono_before(now, q->rival_until);
	uint32_t qi, present;
	uint8_t rv;

	read_values(q, &msg->query, &rv, &qi);
	present = gm_other_querier_ms(&q->params, rv, qi);
	if (q->state == QUERIER_ACTIVE || !addr_eq(&q->other, &msg->from))
		q->standby_since = now;
	q->state = QUERIER_STANDBY;
	q->other = q->rival = msg->from;
	q->other_mac = msg->mac;
	q->rival_until = mono_add_ms(now, present);
	q->rv = again ? rv : q->params.robustness;
	q->qi_ms = again ? qi : q->params.query_interval_ms;
	q->other_until =
		again ? q->rival_until : mono_add_ms(now, q->params.query_interval_ms);
	q->query_at = MONO_NEVER;
	q->startup_left = 0;
	querier_publish(q);
}

/* A querier with a higher address does not know of us, otherwise it would be silent.
 * Send a query now, but not for each of its queries. */
static void assert_role(struct querier *q, mono_t now)
{
	mono_t at = mono_max(
		now, mono_add_ms(q->asserted_at, q->params.startup_interval_ms));

	if (!mono_before(at, q->query_at))
		return;
	q->query_at = at;
	q->asserted_at = at;
}

bool querier_query(
	struct querier *q, mono_t now, const struct gm_msg *msg, struct effects *fx)
{
	bool elected, active = q->state == QUERIER_ACTIVE;
	const struct addr *best = active ? &q->own : &q->other;
	bool forwarded = q->role->forwards;

	if (q->state == QUERIER_DOWN)
		return false;
	q->n_queries_heard++;
	if (msg->version < q->rules.version)
		effects_note(fx, q->port, NOTE_OLDER_QUERIER, NULL, &msg->from,
			msg->version);
	if (msg->notes & (GM_NOTE_UNICAST | GM_NOTE_LINK_UNICAST)) {
		effects_note(fx, q->port, NOTE_QUERIER_UNICAST, NULL, &msg->from, 0);
		return false;
	}
	if (addr_is_any(&msg->from) || !keeps_memberships(q, &msg->query))
		return false;
	q->heard_until = mono_add_ms(now,
		gm_other_querier_ms(&q->params, q->params.robustness,
			gm_cap_query_interval(&q->params, UINT32_MAX)));
	if (q->rules.always)
		return false;
	elected = (!active && addr_eq(&msg->from, best)) || beats(q, &msg->from, best);
	if (elected)
		follow(q, now, msg);
	else if (active)
		assert_role(q, now);
	if (elected && active)
		effects_note(fx, q->port, NOTE_QUERIER_LOST, NULL, &msg->from,
			q->rules.only_querier);
	return q->role->forwards != forwarded;
}

bool querier_tick(struct querier *q, mono_t now, struct effects *fx)
{
	bool forwarded = q->role->forwards;

	if (q->state == QUERIER_ACTIVE && mono_due(q->query_at, now))
		send_general(q, now, fx);
	if (q->state == QUERIER_STANDBY && mono_due(q->other_until, now)) {
		effects_note(fx, q->port, NOTE_QUERIER_WON, NULL, &q->other, 0);
		become_active(q, now, fx);
	}
	return q->role->forwards != forwarded;
}

/* How long before the end of a membership we ask: long enough for two queries with
 * their answers, but not before the membership would normally be renewed, which is half
 * an interval after the next query. */
static uint32_t chance_ms(const struct querier *q)
{
	uint32_t two = 2 * q->params.response_interval_ms + 1000;
	uint32_t part = gm_membership_ms(&q->params, q->rv, q->qi_ms) / 4;

	return min(two, part);
}

mono_t querier_chance(const struct querier *q, mono_t first_end)
{
	uint32_t early = chance_ms(q);
	mono_t late = mono_add_ms(first_end, -(int64_t)gm_last_member_ms(&q->params));
	mono_t next = mono_add_ms(q->asserted_at, q->params.response_interval_ms);
	mono_t at = mono_max(mono_add_ms(first_end, -(int64_t)early), next);

	if (q->state != QUERIER_STANDBY || first_end.ns == MONO_NEVER.ns ||
		!mono_before(at, late))
		return MONO_NEVER;
	return at;
}

void querier_last_chance(
	struct querier *q, mono_t now, mono_t first_end, struct effects *fx)
{
	if (!mono_due(querier_chance(q, first_end), now))
		return;
	if (mono_before(now,
		    mono_add_ms(first_end, -(int64_t)gm_last_member_ms(&q->params))))
		send_query(q, fx);
	q->asserted_at = now;
}

mono_t querier_deadline(const struct querier *q)
{
	return mono_min(q->query_at, q->other_until);
}

/* ---- live upgrade ---- */

#define MAX_INTERVAL_MS 86400000 /* a day: longer than QQIC can say */

void querier_export(const struct querier *q, struct state_out *o)
{
	gm_put_params(o, &q->params);
	state_put_u8(o, (uint8_t)q->state);
	state_put_addr(o, &q->own);
	state_put_u32(o, q->startup_left);
	state_put_time(o, q->asserted_at);
	state_put_time(o, q->query_at);
	state_put_addr(o, &q->other);
	gm_put_mac(o, &q->other_mac);
	state_put_time(o, q->other_until);
	state_put_addr(o, &q->rival);
	state_put_time(o, q->rival_until);
	state_put_time(o, q->heard_until);
	state_put_u8(o, q->rv);
	state_put_u32(o, q->qi_ms);
	state_put_u64(o, q->n_queries_sent);
	state_put_u64(o, q->n_queries_heard);
}

/* Each role has one timer that ends it; any other would have no effect. */
static bool timers_fit(const struct querier *q, unsigned state)
{
	bool asks = q->query_at.ns != MONO_NEVER.ns;
	bool waits = q->other_until.ns != MONO_NEVER.ns;

	return asks == (state == QUERIER_ACTIVE) && waits == (state == QUERIER_STANDBY);
}

int querier_import(
	struct querier *q, mono_t now, struct state_in *in, struct effects *fx)
{
	struct gm_params params = q->params; /* of the configuration */
	struct querier_rules rules = q->rules;
	unsigned state;

	gm_get_params(in, &q->params);
	state = state_get_u8(in);
	q->own = state_get_addr(in);
	q->startup_left = state_get_up_to(in, 255);
	q->asserted_at = state_get_time(in);
	q->query_at = gm_get_deadline(in);
	q->other = state_get_addr(in);
	q->other_mac = gm_get_mac(in);
	q->other_until = gm_get_deadline(in);
	q->rival = state_get_addr(in);
	q->rival_until = state_get_time(in);
	q->heard_until = state_get_time(in);
	q->rv = state_get_u8(in);
	q->qi_ms = state_get_up_to(in, MAX_INTERVAL_MS);
	q->n_queries_sent = state_get_u64(in);
	q->n_queries_heard = state_get_u64(in);
	if (state < QUERIER_DOWN || state > QUERIER_STANDBY || q->rv == 0 ||
		q->qi_ms == 0 || !timers_fit(q, state) ||
		addr_family(&q->own) != q->family ||
		addr_family(&q->other) != q->family)
		state_set_bad(in);
	if (state_is_bad(in))
		return -EINVAL;
	q->state = (enum querier_state)state;
	(void)querier_set_params(q, now, &params, &rules, fx);
	return 0;
}
