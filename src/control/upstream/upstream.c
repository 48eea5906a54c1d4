/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side on the upstream: its life, its link and its clock. upstream_change.c
 * reports changes of memberships, upstream_query.c answers queries, and
 * upstream_report.c packs records into messages. Pure.
 */

#include "control/upstream/upstream.h"

#include "control/upstream/upstream_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Changes share the time of their repeats, and therefore their reports, if at least
 * this part of the interval is between a change and its repeat. */
#define SHARE_PART 8

mono_t upstream_random_after(struct upstream *u, mono_t now, uint32_t ms)
{
	uint64_t ns = (uint64_t)(ms ? ms : 1) * (uint64_t)NS_PER_MS;

	return mono_add_ns(now, 1 + (int64_t)rng_below(u->rng, ns));
}

mono_t upstream_repeat_time(struct upstream *u, mono_t now)
{
	uint32_t ms = u->params.gm.unsolicited_interval_ms;

	/* A time that was drawn for another change a moment ago is equally random for
	 * this one, unless it is so near that one loss could hit both messages. */
	if (mono_before(u->repeat_at, mono_add_ms(now, ms / SHARE_PART)) ||
		mono_before(mono_add_ms(now, ms), u->repeat_at))
		u->repeat_at = upstream_random_after(u, now, ms);
	return u->repeat_at;
}

int upstream_init(
	struct upstream *u, const struct upstream_params *params, struct rng *rng)
{
	*u = (struct upstream){.params = *params, .rng = rng};
	u->report = calloc(_FAMILY_N, sizeof(*u->report));
	if (!u->report || upstream_pace_new(&u->pace) < 0) {
		free(u->report);
		u->report = NULL;
		return -ENOMEM;
	}
	table_init(&u->groups, rng_next(rng));
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_family *f = &u->family[family];

		f->own = f->inside = addr_any(family);
		upstream_unlearn(u, family);
		f->version = params->max_version[family];
		f->refresh_at = MONO_NEVER;
		upstream_answer_stop(f);
	}
	return 0;
}

void upstream_deinit(struct upstream *u)
{
	table_for_each (&u->groups, node)
		upstream_group_free(u, upstream_group_of(node));
	table_deinit(&u->groups);
	heap_deinit(&u->timers);
	for (enum family family = 0; family < _FAMILY_N; family++)
		heap_deinit(&u->family[family].answers);
	upstream_pace_free(u->pace);
	free(u->report);
	*u = (struct upstream){0};
}

/* Makes the next reports fit the present link and version. */
static void setup_report(struct upstream *u, enum family family)
{
	upstream_report_setup(
		&u->report[family], &u->link, family, u->family[family].version);
}

void upstream_set_params(
	struct upstream *u, mono_t now, const struct upstream_params *params)
{
	struct upstream_params old = u->params;

	u->params = *params;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_family *f = &u->family[family];

		/* values adopted from a querier stay in force */
		if (f->taught_until.ns == MONO_NEVER.ns)
			upstream_unlearn(u, family);
		if (params->refresh_interval_ms != old.refresh_interval_ms)
			upstream_refresh_arm(u, now, family);
		if (upstream_version_update(u, now, family) && u->up)
			upstream_announce(u, now, family);
	}
}

void upstream_link_up(struct upstream *u, mono_t now, const struct gm_link *link)
{
	struct gm_link old = u->link;
	bool was_up = u->up;

	u->link = *link;
	u->up = true;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct upstream_family *f = &u->family[family];

		if (addr_is_any(&u->link.own[family]))
			u->link.own[family] = addr_any(family);
		f->own = u->link.own[family];
		if (!was_up) {
			upstream_unlearn(u, family);
			upstream_refresh_arm(u, now, family);
		}
		upstream_version_update(u, now, family);
		setup_report(u, family);
		if (!was_up || old.port != link->port || old.mtu != link->mtu ||
			!addr_eq(&old.own[family], &f->own))
			upstream_announce(u, now, family);
	}
}

void upstream_set_own(struct upstream *u, const struct addr *own)
{
	enum family family = addr_family(own);

	u->link.own[family] = u->family[family].own = *own;
	setup_report(u, family);
}

void upstream_link_down(struct upstream *u)
{
	u->up = false;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		upstream_cancel(u, family);
		u->family[family].refresh_at = MONO_NEVER;
	}
}

static mono_t changes_deadline(const struct upstream *u, enum family family)
{
	const struct upstream_family *f = &u->family[family];
	struct upstream_turn *first = upstream_pace_first(u->pace, family);

	if (!first)
		return MONO_NEVER;
	return mono_max(container_of(first, struct upstream_group, turn)->change_at,
		upstream_bucket_at(&f->changes_sent));
}

mono_t upstream_deadline(const struct upstream *u)
{
	const struct heap_node *first = heap_first(&u->timers);
	mono_t at = first ? first->at : MONO_NEVER;

	if (!u->up)
		return MONO_NEVER;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		at = mono_min(at, upstream_answer_deadline(&u->family[family]));
		at = mono_min(at, changes_deadline(u, family));
	}
	return at;
}

/* Puts due repetitions into the queues. */
static void queue_repeats(struct upstream *u, mono_t now)
{
	struct heap_node *first;

	while ((first = heap_first(&u->timers)) && mono_due(first->at, now)) {
		struct upstream_group *g =
			container_of(first, struct upstream_group, timer);

		heap_remove(&u->timers, first);
		if (upstream_pace_repeat(u->pace, addr_family(&g->group), &g->turn) < 0)
			upstream_later(u, now, g);
	}
}

void upstream_tick(struct upstream *u, mono_t now, struct effects *fx)
{
	if (!u->up)
		return;
	for (enum family family = 0; family < _FAMILY_N; family++)
		upstream_version_update(u, now, family);
	queue_repeats(u, now);
	for (enum family family = 0; family < _FAMILY_N; family++) {
		upstream_send_changes(u, now, family, fx);
		upstream_answer_tick(u, now, family, fx);
		u->family[family].n_reports_sent = u->report[family].n_sent;
	}
}
