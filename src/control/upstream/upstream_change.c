/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Host side on the upstream: memberships and the reports of their changes (RFC 9776
 * 5.1, RFC 9777 6.1; RFC 4605 4.1).
 *
 * A change is reported as soon as its turn comes, and then repeated at random times
 * until it was sent robustness times. Transmissions that are still owed are counted per
 * group for a change of the filter mode, and per source for a change of the list. While
 * the group owes transmissions, a report carries TO_IN or TO_EX with the whole list.
 * This covers every source, so it also counts for the sources. Afterwards a report
 * carries ALLOW and BLOCK with the sources that still owe transmissions.
 *
 * A second change is therefore not merged with the report of the first: it adds to the
 * owed transmissions, and the report is built from these when it is sent. A group that
 * was left stays as INCLUDE({}) until nothing is owed. Groups with a membership are
 * also in the list of their family, from which general queries are answered.
 */

#include "control/upstream/upstream_internal.h"

#include <errno.h>
#include <stdlib.h>

/* The most often that a last leave is sent: a stop must not take long, and a query
 * cannot ask for more robustness. */
#define MAX_LEAVES 7

#define LATER_MS 1000

struct upstream_group *upstream_lookup(
	const struct upstream *u, const struct addr *group)
{
	return table_search(&u->groups, table_hash(&u->groups, group, sizeof(*group)),
		struct upstream_group, g, addr_eq(&g->group, group));
}

const struct upstream_group *upstream_find(
	const struct upstream *u, const struct addr *group)
{
	return upstream_lookup(u, group);
}

int upstream_group_new(
	struct upstream *u, const struct addr *group, struct upstream_group **ret)
{
	struct upstream_family *f = &u->family[addr_family(group)];
	struct upstream_group *g;
	int r;

	if (heap_reserve(&u->timers, u->groups.n + 1) < 0 ||
		heap_reserve(&f->answers, u->groups.n + 1) < 0)
		return -ENOMEM;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->group = *group;
	g->now.mode = GM_INCLUDE;
	g->change_at = g->answer_at = MONO_NEVER;
	r = table_insert(
		&u->groups, &g->node, table_hash(&u->groups, group, sizeof(*group)));
	if (r < 0) {
		free(g);
		return r;
	}
	*ret = g;
	return 0;
}

void upstream_forget_asked(struct upstream *u, struct upstream_group *g)
{
	u->family[addr_family(&g->group)].n_asked -= g->asked.n;
	addrset_deinit(&g->asked);
}

/* only for a group without membership */
void upstream_group_free(struct upstream *u, struct upstream_group *g)
{
	struct upstream_family *f = &u->family[addr_family(&g->group)];

	heap_remove(&u->timers, &g->timer);
	upstream_pace_drop(u->pace, addr_family(&g->group), &g->turn);
	heap_remove(&f->answers, &g->answer);
	table_remove(&u->groups, &g->node);
	addrset_deinit(&g->now.src);
	upstream_forget_asked(u, g);
	free(g->change);
	free(g);
}

static void link_member(struct upstream_family *f, struct upstream_group *g)
{
	g->prev = f->last;
	g->next = NULL;
	if (f->last)
		f->last->next = g;
	else
		f->first = g;
	f->last = g;
	f->n_groups++;
}

static void unlink_member(struct upstream_family *f, struct upstream_group *g)
{
	upstream_answer_skip(f, g);
	if (g->prev)
		g->prev->next = g->next;
	else
		f->first = g->next;
	if (g->next)
		g->next->prev = g->prev;
	else
		f->last = g->prev;
	g->prev = g->next = NULL;
	f->n_groups--;
}

void upstream_set_filter(struct upstream *u, struct upstream_group *g,
	enum gm_mode mode, struct addrset *src)
{
	enum family family = addr_family(&g->group);
	struct upstream_family *f = &u->family[family];
	bool was = !gm_filter_is_none(&g->now), is;

	if (was)
		f->bytes -= gm_record_bytes(family, g->now.src.n);
	g->now.mode = mode;
	addrset_move(&g->now.src, src);
	is = !gm_filter_is_none(&g->now);
	if (is)
		f->bytes += gm_record_bytes(family, g->now.src.n);
	if (is && !was)
		link_member(f, g);
	if (was && !is)
		unlink_member(f, g);
}

/* The sources that are owed a report after the list of a group went from `old` to `now`
 * in the same mode: those that differ, and those that already owed one. */
static int merge_changes(const struct upstream_group *g, const struct addrset *old,
	const struct addrset *now, uint8_t rv, struct upstream_source **ret,
	size_t *ret_n)
{
	size_t i = 0, j = 0, k = 0, n = 0;
	size_t cap = g->n_change + old->n + now->n;
	struct upstream_source *v = malloc((cap ? cap : 1) * sizeof(*v));

	if (!v)
		return -ENOMEM;
	while (i < old->n || j < now->n || k < g->n_change) {
		const struct addr *a = i < old->n ? &old->v[i] : NULL;
		bool in_old, in_now, owed;

		if (j < now->n && (!a || addr_cmp(&now->v[j], a) < 0))
			a = &now->v[j];
		if (k < g->n_change && (!a || addr_cmp(&g->change[k].addr, a) < 0))
			a = &g->change[k].addr;
		in_old = i < old->n && addr_eq(&old->v[i], a);
		in_now = j < now->n && addr_eq(&now->v[j], a);
		owed = k < g->n_change && addr_eq(&g->change[k].addr, a);
		if (in_old != in_now)
			v[n++] = (struct upstream_source){.addr = *a,
				.repeats = rv,
				.allow = in_now == (g->now.mode == GM_INCLUDE)};
		else if (owed)
			v[n++] = g->change[k];
		i += in_old;
		j += in_now;
		k += owed;
	}
	*ret = v;
	*ret_n = n;
	return 0;
}

static void set_changes(struct upstream_group *g, struct upstream_source *v, size_t n)
{
	free(g->change);
	g->change = v;
	g->n_change = n;
}

static bool owes_change(const struct upstream_group *g)
{
	return g->mode_repeats || g->n_change;
}

static void add_changes(struct upstream_report *r, const struct upstream_group *g,
	bool allow, struct effects *fx)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_change; i++)
		n += g->change[i].allow == allow;
	if (n == 0)
		return;
	upstream_report_record(r, allow ? GM_ALLOW : GM_BLOCK, &g->group, n, fx);
	for (size_t i = 0; i < g->n_change; i++)
		if (g->change[i].allow == allow)
			upstream_report_source(r, &g->change[i].addr, fx);
}

/* A leave is sent once to an IGMPv2 or MLDv1 router, and never to an older one (R125,
 * R127). */
static void report_older(
	struct upstream_report *r, struct upstream_group *g, struct effects *fx)
{
	bool is_member = !gm_filter_is_none(&g->now);

	if (is_member || r->version == GM_V2)
		upstream_report_record(
			r, is_member ? GM_IS_EX : GM_TO_IN, &g->group, 0, fx);
	if (!is_member)
		g->mode_repeats = 1;
}

/* Puts one transmission that the group owes into the report. */
static void report_change(
	struct upstream *u, struct upstream_group *g, struct effects *fx)
{
	struct upstream_report *r = &u->report[addr_family(&g->group)];
	size_t left = 0;

	if (r->version != GM_V3) {
		report_older(r, g, fx);
	} else if (g->mode_repeats) {
		upstream_report_list(r, g->now.mode == GM_INCLUDE ? GM_TO_IN : GM_TO_EX,
			&g->group, &g->now.src, fx);
	} else {
		add_changes(r, g, true, fx);
		add_changes(r, g, false, fx);
	}
	if (g->mode_repeats)
		g->mode_repeats--;
	for (size_t i = 0; i < g->n_change; i++)
		if (--g->change[i].repeats)
			g->change[left++] = g->change[i];
	g->n_change = left;
	g->told = true;
}

static void owe_nothing(struct upstream_group *g)
{
	g->mode_repeats = 0;
	g->n_change = 0;
	g->change_at = MONO_NEVER;
}

void upstream_settle(struct upstream *u, struct upstream_group *g)
{
	struct upstream_family *f = &u->family[addr_family(&g->group)];

	if (gm_filter_is_none(&g->now) && !owes_change(g)) {
		upstream_group_free(u, g);
		return;
	}
	if (g->change_at.ns == MONO_NEVER.ns) {
		heap_remove(&u->timers, &g->timer);
		upstream_pace_drop(u->pace, addr_family(&g->group), &g->turn);
	} else if (!g->turn.line) {
		heap_set(&u->timers, &g->timer, g->change_at);
	}
	if (g->answer_at.ns == MONO_NEVER.ns) {
		heap_remove(&f->answers, &g->answer);
		upstream_forget_asked(u, g);
	} else {
		heap_set(&f->answers, &g->answer, g->answer_at);
	}
}

void upstream_later(struct upstream *u, mono_t now, struct upstream_group *g)
{
	g->change_at = mono_add_ms(now, LATER_MS);
	heap_set(&u->timers, &g->timer, g->change_at);
}

/* Queues the group to send what it owes. If it already waits, it keeps the better
 * place. `n_new` is the number of sources that the change adds; sources that others
 * named before do not make it more expensive. */
static void queue_change(struct upstream *u, mono_t now, struct upstream_group *g,
	const struct host_cause *cause, size_t n_new)
{
	enum family family = addr_family(&g->group);
	size_t bytes = gm_record_bytes(family, 0), large = 0;

	if (n_new > 1 && u->family[family].version == GM_V3)
		large = gm_record_bytes(family, n_new) - bytes;
	heap_remove(&u->timers, &g->timer);
	g->change_at = now;
	if (upstream_pace_change(u->pace, family, now, &u->groups, cause, bytes, large,
		    &g->turn) < 0 &&
		!g->turn.line)
		upstream_later(u, now, g);
}

void upstream_send_changes(
	struct upstream *u, mono_t now, enum family family, struct effects *fx)
{
	struct upstream_family *f = &u->family[family];
	struct upstream_report *r = &u->report[family];
	struct upstream_turn *first;
	mono_t next = MONO_NEVER;
	uint64_t sent;

	while ((first = upstream_pace_first(u->pace, family)) &&
		mono_due(upstream_bucket_at(&f->changes_sent), now)) {
		struct upstream_group *g =
			container_of(first, struct upstream_group, turn);

		/* changes that share a report now also share the next one */
		if (next.ns == MONO_NEVER.ns)
			next = upstream_repeat_time(u, now);
		upstream_pace_take(u->pace, family, first);
		sent = r->n_sent;
		report_change(u, g, fx);
		upstream_bucket_take(&f->changes_sent, now, r->n_sent - sent);
		g->change_at = owes_change(g) ? next : MONO_NEVER;
		upstream_settle(u, g);
	}
	sent = r->n_sent;
	upstream_report_flush(r, fx);
	upstream_bucket_take(&f->changes_sent, now, r->n_sent - sent);
}

/* Older versions can only express joining and leaving (R128). */
static int owe_older(
	const struct upstream_family *f, struct upstream_group *g, bool was_member)
{
	bool is_member = !gm_filter_is_none(&g->now);

	if (is_member == was_member)
		return 0;
	if (!is_member && f->version == GM_V1) {
		owe_nothing(g);
		return 0;
	}
	g->mode_repeats = f->rv;
	return 1;
}

/* Sets the filter of the group to (mode, src) and takes `src` over. Returns 1 if the
 * group owes a report of it at once, 0 if it does not, or -ENOMEM with the group
 * unchanged. */
static int owe_change(struct upstream *u, struct upstream_group *g, enum gm_mode mode,
	struct addrset *src)
{
	struct upstream_family *f = &u->family[addr_family(&g->group)];
	bool was_member = !gm_filter_is_none(&g->now);
	bool v3 = u->up && f->version == GM_V3;
	struct upstream_source *v = NULL;
	size_t n = 0;

	if (v3 && mode == g->now.mode) {
		int r = merge_changes(g, &g->now.src, src, f->rv, &v, &n);

		if (r < 0)
			return r;
	} else if (v3) {
		g->mode_repeats = f->rv;
	}
	set_changes(g, v, n);
	upstream_set_filter(u, g, mode, src);
	return v3 ? 1 : u->up ? owe_older(f, g, was_member) : 0;
}

/* The number of sources that are named now and were not before. */
static size_t n_new_sources(const struct gm_filter *old, const struct gm_filter *now)
{
	size_t n = 0, i = 0;

	if (old->mode != now->mode)
		return now->src.n;
	for (size_t k = 0; k < now->src.n; k++) {
		while (i < old->src.n && addr_cmp(&old->src.v[i], &now->src.v[k]) < 0)
			i++;
		n += i == old->src.n || !addr_eq(&old->src.v[i], &now->src.v[k]);
	}
	return n;
}

/* returns 0 or -ENOMEM; on failure the group is unchanged */
static int change_group(struct upstream *u, mono_t now, struct upstream_group *g,
	const struct gm_filter *filter, const struct host_cause *cause)
{
	size_t n_new = n_new_sources(&g->now, filter);
	struct addrset src = {0};
	int r;

	r = addrset_copy(&src, &filter->src);
	if (r == 0)
		r = owe_change(u, g, filter->mode, &src);
	addrset_deinit(&src);
	if (r < 0)
		return r;
	/* the end of a membership that was never reported is not reported either */
	if (gm_filter_is_none(filter) && !g->told)
		owe_nothing(g);
	else if (r > 0)
		queue_change(u, now, g, cause, n_new);
	upstream_settle(u, g);
	return 0;
}

int upstream_set(struct upstream *u, mono_t now, const struct addr *group,
	const struct gm_filter *filter, const struct host_cause *cause)
{
	struct upstream_group *g;
	int r;

	if (!addr_is_multicast(group) || addr_is_local_group(group))
		return 0;
	upstream_version_update(u, now, addr_family(group));
	g = upstream_lookup(u, group);
	if (g ? gm_filter_eq(&g->now, filter) : gm_filter_is_none(filter))
		return 0;
	if (g)
		return change_group(u, now, g, filter, cause);
	r = upstream_group_new(u, group, &g);
	if (r < 0)
		return r;
	r = change_group(u, now, g, filter, cause);
	if (r < 0)
		upstream_group_free(u, g);
	return r;
}

void upstream_cancel(struct upstream *u, enum family family)
{
	upstream_answer_stop(&u->family[family]);
	table_for_each (&u->groups, node) {
		struct upstream_group *g = upstream_group_of(node);

		if (addr_family(&g->group) != family)
			continue;
		g->answer_at = MONO_NEVER;
		owe_nothing(g);
		upstream_settle(u, g);
	}
}

void upstream_restate_owed(struct upstream *u, enum family family)
{
	table_for_each (&u->groups, node) {
		struct upstream_group *g = upstream_group_of(node);

		if (addr_family(&g->group) != family)
			continue;
		for (size_t i = 0; i < g->n_change; i++)
			if (g->change[i].repeats > g->mode_repeats)
				g->mode_repeats = g->change[i].repeats;
		g->n_change = 0;
	}
}

/* Will report all sources as if they were new. Without memory uses TO_IN, which means
 * the same. */
static void owe_all(struct upstream_group *g, uint8_t rv)
{
	const struct addrset none = {0};
	struct upstream_source *v;
	size_t n;

	if (g->now.mode == GM_EXCLUDE || g->mode_repeats) {
		g->mode_repeats = rv;
		g->n_change = 0;
	} else if (merge_changes(g, &none, &g->now.src, rv, &v, &n) == 0) {
		set_changes(g, v, n);
	} else {
		g->mode_repeats = rv;
	}
}

static void report_as_new(struct upstream *u, mono_t now, struct upstream_group *g)
{
	struct upstream_family *f = &u->family[addr_family(&g->group)];

	if (f->version == GM_V3)
		owe_all(g, f->rv);
	else
		g->mode_repeats = f->rv;
	queue_change(u, now, g, NULL, 0);
	upstream_settle(u, g);
}

void upstream_announce(struct upstream *u, mono_t now, enum family family)
{
	for (struct upstream_group *g = u->family[family].first; g; g = g->next)
		report_as_new(u, now, g);
}

void upstream_restate(struct upstream *u, mono_t now, const struct addr *group)
{
	struct upstream_group *g = upstream_lookup(u, group);

	if (g && !gm_filter_is_none(&g->now) && u->up)
		report_as_new(u, now, g);
}

void upstream_keep(struct upstream *u, const struct addr *group)
{
	struct upstream_group *g = upstream_lookup(u, group);

	if (g && !gm_filter_is_none(&g->now))
		g->kept = true;
}

/* Makes it INCLUDE({}), owing all transmissions of the leave. */
static void leave_group(struct upstream *u, struct upstream_group *g)
{
	struct addrset none = {0};

	if (gm_filter_is_none(&g->now) || g->kept)
		return;
	if (owe_change(u, g, GM_INCLUDE, &none) < 0) {
		g->mode_repeats = u->family[addr_family(&g->group)].rv;
		upstream_set_filter(u, g, GM_INCLUDE, &none);
	}
	if (!g->told)
		owe_nothing(g);
}

/* Sends one transmission of every group; returns true if some owe more. */
static bool leave_once(struct upstream *u, struct effects *fx)
{
	bool owed = false;

	table_for_each (&u->groups, node) {
		struct upstream_group *g = upstream_group_of(node);

		if (owes_change(g))
			report_change(u, g, fx);
		owed |= owes_change(g);
	}
	for (enum family family = 0; family < _FAMILY_N; family++) {
		upstream_report_flush(&u->report[family], fx);
		u->report[family].delay_ms += UPSTREAM_LEAVE_GAP_MS;
	}
	return owed;
}

void upstream_leave_all(struct upstream *u, struct effects *fx)
{
	table_for_each (&u->groups, node)
		leave_group(u, upstream_group_of(node));
	for (int i = 0; u->up && i < MAX_LEAVES && leave_once(u, fx); i++)
		;
	table_for_each (&u->groups, node) {
		struct addrset none = {0};

		upstream_set_filter(u, upstream_group_of(node), GM_INCLUDE, &none);
		upstream_group_free(u, upstream_group_of(node));
	}
	for (enum family family = 0; family < _FAMILY_N; family++) {
		upstream_answer_stop(&u->family[family]);
		u->report[family].delay_ms = 0;
	}
}
