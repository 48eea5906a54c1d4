/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side on the upstream: its life, its link and its clock. What is reported when a
 * membership changes is in host_change.c, what queries cause is in host_query.c, and
 * host_report.c packs records into messages. Pure.
 */

#include "control/upstream/host.h"

#include "control/upstream/host_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Changes share the time of their repeats, and therefore their reports, if at least
 * this part of the interval is between a change and its repeat. */
#define SHARE_PART 8

mono_t host_random_after(struct host *h, mono_t now, uint32_t ms)
{
	uint64_t ns = (uint64_t)(ms ? ms : 1) * (uint64_t)NS_PER_MS;

	return mono_add_ns(now, 1 + (int64_t)rng_below(h->rng, ns));
}

mono_t host_repeat_time(struct host *h, mono_t now)
{
	uint32_t ms = h->params.gm.unsolicited_interval_ms;

	/* A time that was drawn for another change a moment ago is equally random for
	 * this one, unless it is so near that one loss could hit both messages. */
	if (mono_before(h->repeat_at, mono_add_ms(now, ms / SHARE_PART)) ||
		mono_before(mono_add_ms(now, ms), h->repeat_at))
		h->repeat_at = host_random_after(h, now, ms);
	return h->repeat_at;
}

int host_init(struct host *h, const struct host_params *params, struct rng *rng)
{
	*h = (struct host){.params = *params, .rng = rng};
	h->report = calloc(_FAMILY_N, sizeof(*h->report));
	if (!h->report || host_pace_new(&h->pace) < 0) {
		free(h->report);
		h->report = NULL;
		return -ENOMEM;
	}
	table_init(&h->groups, rng_next(rng));
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct host_family *f = &h->family[family];

		f->own = f->inside = addr_any(family);
		host_unlearn(h, family);
		f->version = params->max_version[family];
		f->refresh_at = MONO_NEVER;
		host_answer_stop(f);
	}
	return 0;
}

void host_deinit(struct host *h)
{
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&h->groups, pos, node, next)
		host_group_free(h, host_group_of(node));
	table_deinit(&h->groups);
	heap_deinit(&h->timers);
	for (enum family family = 0; family < _FAMILY_N; family++)
		heap_deinit(&h->family[family].answers);
	host_pace_free(h->pace);
	free(h->report);
	*h = (struct host){0};
}

/* the next reports are made for the present link and version */
static void setup_report(struct host *h, enum family family)
{
	host_report_setup(
		&h->report[family], &h->link, family, h->family[family].version);
}

void host_set_params(struct host *h, mono_t now, const struct host_params *params)
{
	struct host_params old = h->params;

	h->params = *params;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct host_family *f = &h->family[family];

		/* values adopted from a querier stay in force */
		if (f->taught_until.ns == MONO_NEVER.ns)
			host_unlearn(h, family);
		if (params->refresh_interval_ms != old.refresh_interval_ms)
			host_refresh_arm(h, now, family);
		if (host_version_update(h, now, family) && h->up)
			host_announce(h, now, family);
	}
}

void host_link_up(struct host *h, mono_t now, const struct gm_link *link)
{
	struct gm_link old = h->link;
	bool was_up = h->up;

	h->link = *link;
	h->up = true;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		struct host_family *f = &h->family[family];

		if (addr_is_any(&h->link.own[family]))
			h->link.own[family] = addr_any(family);
		f->own = h->link.own[family];
		if (!was_up) {
			host_unlearn(h, family);
			host_refresh_arm(h, now, family);
		}
		host_version_update(h, now, family);
		setup_report(h, family);
		if (!was_up || old.port != link->port || old.mtu != link->mtu ||
			!addr_eq(&old.own[family], &f->own))
			host_announce(h, now, family);
	}
}

void host_set_own(struct host *h, const struct addr *own)
{
	enum family family = addr_family(own);

	h->link.own[family] = h->family[family].own = *own;
	setup_report(h, family);
}

void host_link_down(struct host *h)
{
	h->up = false;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		host_cancel(h, family);
		h->family[family].refresh_at = MONO_NEVER;
	}
}

static mono_t changes_deadline(const struct host *h, enum family family)
{
	const struct host_family *f = &h->family[family];
	struct host_turn *first = host_pace_first(h->pace, family);

	if (!first)
		return MONO_NEVER;
	return mono_max(container_of(first, struct host_group, turn)->change_at,
		host_bucket_at(&f->changes_sent));
}

mono_t host_deadline(const struct host *h)
{
	const struct heap_node *first = heap_first(&h->timers);
	mono_t at = first ? first->at : MONO_NEVER;

	if (!h->up)
		return MONO_NEVER;
	for (enum family family = 0; family < _FAMILY_N; family++) {
		at = mono_min(at, host_answer_deadline(&h->family[family]));
		at = mono_min(at, changes_deadline(h, family));
	}
	return at;
}

/* Puts due repetitions into the queues. */
static void queue_repeats(struct host *h, mono_t now)
{
	struct heap_node *first;

	while ((first = heap_first(&h->timers)) && mono_due(first->at, now)) {
		struct host_group *g = container_of(first, struct host_group, timer);

		heap_remove(&h->timers, first);
		if (host_pace_repeat(h->pace, addr_family(&g->group), &g->turn) < 0)
			host_later(h, now, g);
	}
}

void host_tick(struct host *h, mono_t now, struct effects *fx)
{
	if (!h->up)
		return;
	for (enum family family = 0; family < _FAMILY_N; family++)
		host_version_update(h, now, family);
	queue_repeats(h, now);
	for (enum family family = 0; family < _FAMILY_N; family++) {
		host_send_changes(h, now, family, fx);
		host_answer_tick(h, now, family, fx);
		h->family[family].n_reports_sent = h->report[family].n_sent;
	}
}
