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

#include "control/upstream/host_internal.h"

#include <errno.h>
#include <stdlib.h>

/* The most often that a last leave is sent: a stop must not take long, and a query
 * cannot ask for more robustness. */
#define MAX_LEAVES 7

#define LATER_MS 1000

struct host_group *host_lookup(const struct host *h, const struct addr *group)
{
	uint64_t hash = table_hash(&h->groups, group, sizeof(*group));
	struct table_node *node = table_find(&h->groups, hash);

	while (node && !addr_eq(&host_group_of(node)->group, group))
		node = table_next(node);
	return host_group_of(node);
}

const struct host_group *host_find(const struct host *h, const struct addr *group)
{
	return host_lookup(h, group);
}

static int reserve_timers(struct host *h, struct host_family *f)
{
	struct heap *heap[] = {&h->timers, &f->answers};
	int r = 0;

	for (size_t i = 0; i < array_len(heap) && r == 0; i++)
		r = heap_reserve(heap[i], h->groups.n + 1);
	return r;
}

int host_group_new(struct host *h, const struct addr *group, struct host_group **ret)
{
	struct host_group *g;
	int r;

	r = reserve_timers(h, &h->family[addr_family(group)]);
	if (r < 0)
		return r;
	g = calloc(1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	g->group = *group;
	g->now.mode = GM_INCLUDE;
	g->change_at = g->answer_at = MONO_NEVER;
	r = table_insert(
		&h->groups, &g->node, table_hash(&h->groups, group, sizeof(*group)));
	if (r < 0) {
		free(g);
		return r;
	}
	*ret = g;
	return 0;
}

void host_forget_asked(struct host *h, struct host_group *g)
{
	h->family[addr_family(&g->group)].n_asked -= g->asked.n;
	addrset_deinit(&g->asked);
}

/* only for a group without membership */
void host_group_free(struct host *h, struct host_group *g)
{
	struct host_family *f = &h->family[addr_family(&g->group)];

	heap_remove(&h->timers, &g->timer);
	host_pace_drop(h->pace, addr_family(&g->group), &g->turn);
	heap_remove(&f->answers, &g->answer);
	table_remove(&h->groups, &g->node);
	addrset_deinit(&g->now.src);
	host_forget_asked(h, g);
	free(g->change);
	free(g);
}

static void link_member(struct host_family *f, struct host_group *g)
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

static void unlink_member(struct host_family *f, struct host_group *g)
{
	host_answer_skip(f, g);
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

void host_set_filter(
	struct host *h, struct host_group *g, enum gm_mode mode, struct addrset *src)
{
	enum family family = addr_family(&g->group);
	struct host_family *f = &h->family[family];
	bool was = !gm_filter_is_none(&g->now), is;

	if (was)
		f->octets -= host_report_octets(family, g->now.src.n);
	g->now.mode = mode;
	addrset_move(&g->now.src, src);
	is = !gm_filter_is_none(&g->now);
	if (is)
		f->octets += host_report_octets(family, g->now.src.n);
	if (is && !was)
		link_member(f, g);
	if (was && !is)
		unlink_member(f, g);
}

/* The sources that are owed a report after the list of a group went from `old` to `now`
 * in the same mode: those that differ, and those that already owed one. */
static int merge_changes(const struct host_group *g, const struct addrset *old,
	const struct addrset *now, uint8_t rv, struct host_source **ret, size_t *ret_n)
{
	size_t i = 0, j = 0, k = 0, n = 0;
	size_t cap = g->n_change + old->n + now->n;
	struct host_source *v = malloc((cap ? cap : 1) * sizeof(*v));

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
			v[n++] = (struct host_source){.addr = *a,
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

static void set_changes(struct host_group *g, struct host_source *v, size_t n)
{
	free(g->change);
	g->change = v;
	g->n_change = n;
}

static bool owes_change(const struct host_group *g)
{
	return g->mode_repeats || g->n_change;
}

static void add_changes(struct host_report *r, const struct host_group *g, bool allow,
	struct effects *fx)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_change; i++)
		n += g->change[i].allow == allow;
	if (n == 0)
		return;
	host_report_record(r, allow ? GM_ALLOW : GM_BLOCK, &g->group, n, fx);
	for (size_t i = 0; i < g->n_change; i++)
		if (g->change[i].allow == allow)
			host_report_source(r, &g->change[i].addr, fx);
}

/* A leave is sent once to an IGMPv2 or MLDv1 router, and never to an older one (R125,
 * R127). */
static void report_older(
	struct host_report *r, struct host_group *g, struct effects *fx)
{
	bool is_member = !gm_filter_is_none(&g->now);

	if (is_member || r->version == GM_V2)
		host_report_record(
			r, is_member ? GM_IS_EX : GM_TO_IN, &g->group, 0, fx);
	if (!is_member)
		g->mode_repeats = 1;
}

/* Puts one transmission that the group owes into the report. */
static void report_change(struct host *h, struct host_group *g, struct effects *fx)
{
	struct host_report *r = &h->report[addr_family(&g->group)];
	size_t left = 0;

	if (r->version != GM_V3) {
		report_older(r, g, fx);
	} else if (g->mode_repeats) {
		host_report_record(r, g->now.mode == GM_INCLUDE ? GM_TO_IN : GM_TO_EX,
			&g->group, g->now.src.n, fx);
		for (size_t i = 0; i < g->now.src.n; i++)
			host_report_source(r, &g->now.src.v[i], fx);
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

static void owe_nothing(struct host_group *g)
{
	g->mode_repeats = 0;
	g->n_change = 0;
	g->change_at = MONO_NEVER;
}

void host_settle(struct host *h, struct host_group *g)
{
	struct host_family *f = &h->family[addr_family(&g->group)];

	if (gm_filter_is_none(&g->now) && !owes_change(g)) {
		host_group_free(h, g);
		return;
	}
	if (g->change_at.ns == MONO_NEVER.ns) {
		heap_remove(&h->timers, &g->timer);
		host_pace_drop(h->pace, addr_family(&g->group), &g->turn);
	} else if (!g->turn.line) {
		heap_set(&h->timers, &g->timer, g->change_at);
	}
	if (g->answer_at.ns == MONO_NEVER.ns) {
		heap_remove(&f->answers, &g->answer);
		host_forget_asked(h, g);
	} else {
		heap_set(&f->answers, &g->answer, g->answer_at);
	}
}

void host_later(struct host *h, mono_t now, struct host_group *g)
{
	g->change_at = mono_add_ms(now, LATER_MS);
	heap_set(&h->timers, &g->timer, g->change_at);
}

/* Queues the group to send what it owes. If it already waits, it keeps the better
 * place. `n_new` is the number of sources that the change adds; sources that others
 * named before do not make it more expensive. */
static void queue_change(struct host *h, mono_t now, struct host_group *g,
	const struct host_cause *cause, size_t n_new)
{
	enum family family = addr_family(&g->group);
	size_t octets = host_report_octets(family, 0), large = 0;

	if (n_new > 1 && h->family[family].version == GM_V3)
		large = host_report_octets(family, n_new) - octets;
	heap_remove(&h->timers, &g->timer);
	g->change_at = now;
	if (host_pace_change(h->pace, family, now, &h->groups, cause, octets, large,
		    &g->turn) < 0 &&
		!g->turn.line)
		host_later(h, now, g);
}

void host_send_changes(
	struct host *h, mono_t now, enum family family, struct effects *fx)
{
	struct host_family *f = &h->family[family];
	struct host_report *r = &h->report[family];
	struct host_turn *first;
	mono_t next = MONO_NEVER;
	uint64_t sent;

	while ((first = host_pace_first(h->pace, family)) &&
		mono_due(host_bucket_at(&f->changes_sent), now)) {
		struct host_group *g = container_of(first, struct host_group, turn);

		/* changes that share a report now also share the next one */
		if (next.ns == MONO_NEVER.ns)
			next = host_repeat_time(h, now);
		host_pace_take(h->pace, family, first);
		sent = r->n_sent;
		report_change(h, g, fx);
		host_bucket_take(&f->changes_sent, now, r->n_sent - sent);
		g->change_at = owes_change(g) ? next : MONO_NEVER;
		host_settle(h, g);
	}
	sent = r->n_sent;
	host_report_flush(r, fx);
	host_bucket_take(&f->changes_sent, now, r->n_sent - sent);
}

/* Older versions can only express joining and leaving (R128). */
static int owe_older(const struct host_family *f, struct host_group *g, bool was_member)
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
static int owe_change(
	struct host *h, struct host_group *g, enum gm_mode mode, struct addrset *src)
{
	struct host_family *f = &h->family[addr_family(&g->group)];
	bool was_member = !gm_filter_is_none(&g->now);
	bool v3 = h->up && f->version == GM_V3;
	struct host_source *v = NULL;
	size_t n = 0;

	if (v3 && mode == g->now.mode) {
		int r = merge_changes(g, &g->now.src, src, f->rv, &v, &n);

		if (r < 0)
			return r;
	} else if (v3) {
		g->mode_repeats = f->rv;
	}
	set_changes(g, v, n);
	host_set_filter(h, g, mode, src);
	return v3 ? 1 : h->up ? owe_older(f, g, was_member) : 0;
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
static int change_group(struct host *h, mono_t now, struct host_group *g,
	const struct gm_filter *filter, const struct host_cause *cause)
{
	size_t n_new = n_new_sources(&g->now, filter);
	struct addrset src = {0};
	int r;

	r = addrset_copy(&src, &filter->src);
	if (r == 0)
		r = owe_change(h, g, filter->mode, &src);
	addrset_deinit(&src);
	if (r < 0)
		return r;
	/* the end of a membership that was never reported is not reported either */
	if (gm_filter_is_none(filter) && !g->told)
		owe_nothing(g);
	else if (r > 0)
		queue_change(h, now, g, cause, n_new);
	host_settle(h, g);
	return 0;
}

int host_set(struct host *h, mono_t now, const struct addr *group,
	const struct gm_filter *filter, const struct host_cause *cause)
{
	struct host_group *g;
	int r;

	if (!addr_is_multicast(group) || addr_is_local_group(group))
		return 0;
	host_version_update(h, now, addr_family(group));
	g = host_lookup(h, group);
	if (g ? gm_filter_eq(&g->now, filter) : gm_filter_is_none(filter))
		return 0;
	if (g)
		return change_group(h, now, g, filter, cause);
	r = host_group_new(h, group, &g);
	if (r < 0)
		return r;
	r = change_group(h, now, g, filter, cause);
	if (r < 0)
		host_group_free(h, g);
	return r;
}

void host_cancel(struct host *h, enum family family)
{
	struct table_node *node, *next;
	size_t pos;

	host_answer_stop(&h->family[family]);
	table_for_each (&h->groups, pos, node, next) {
		struct host_group *g = host_group_of(node);

		if (addr_family(&g->group) != family)
			continue;
		g->answer_at = MONO_NEVER;
		owe_nothing(g);
		host_settle(h, g);
	}
}

void host_restate_owed(struct host *h, enum family family)
{
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&h->groups, pos, node, next) {
		struct host_group *g = host_group_of(node);

		if (addr_family(&g->group) != family)
			continue;
		for (size_t i = 0; i < g->n_change; i++)
			if (g->change[i].repeats > g->mode_repeats)
				g->mode_repeats = g->change[i].repeats;
		g->n_change = 0;
	}
}

/* all sources as if they were new; TO_IN needs no memory and means the same */
static void owe_all(struct host_group *g, uint8_t rv)
{
	const struct addrset none = {0};
	struct host_source *v;
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

void host_announce(struct host *h, mono_t now, enum family family)
{
	struct host_family *f = &h->family[family];

	for (struct host_group *g = f->first; g; g = g->next) {
		if (f->version == GM_V3)
			owe_all(g, f->rv);
		else
			g->mode_repeats = f->rv;
		queue_change(h, now, g, NULL, 0);
		host_settle(h, g);
	}
}

void host_restate(struct host *h, mono_t now, const struct addr *group)
{
	struct host_group *g = host_lookup(h, group);
	struct host_family *f = &h->family[addr_family(group)];

	if (!g || gm_filter_is_none(&g->now) || !h->up)
		return;
	if (f->version == GM_V3)
		owe_all(g, f->rv);
	else
		g->mode_repeats = f->rv;
	queue_change(h, now, g, NULL, 0);
	host_settle(h, g);
}

void host_keep(struct host *h, const struct addr *group)
{
	struct host_group *g = host_lookup(h, group);

	if (g && !gm_filter_is_none(&g->now))
		g->kept = true;
}

/* Makes it INCLUDE({}), owing all transmissions of the leave. */
static void leave(struct host *h, struct host_group *g)
{
	struct addrset none = {0};

	if (gm_filter_is_none(&g->now) || g->kept)
		return;
	if (owe_change(h, g, GM_INCLUDE, &none) < 0) {
		g->mode_repeats = h->family[addr_family(&g->group)].rv;
		host_set_filter(h, g, GM_INCLUDE, &none);
	}
	if (!g->told)
		owe_nothing(g);
}

/* Sends one transmission of every group; returns true if some owe more. */
static bool leave_round(struct host *h, struct effects *fx)
{
	struct table_node *node, *next;
	bool owed = false;
	size_t pos;

	table_for_each (&h->groups, pos, node, next) {
		struct host_group *g = host_group_of(node);

		if (owes_change(g))
			report_change(h, g, fx);
		owed |= owes_change(g);
	}
	for (enum family family = 0; family < _FAMILY_N; family++) {
		host_report_flush(&h->report[family], fx);
		h->report[family].delay_ms += HOST_LEAVE_GAP_MS;
	}
	return owed;
}

static void forget(struct host *h, struct host_group *g)
{
	struct addrset none = {0};

	host_set_filter(h, g, GM_INCLUDE, &none);
	host_group_free(h, g);
}

void host_leave_all(struct host *h, struct effects *fx)
{
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&h->groups, pos, node, next)
		leave(h, host_group_of(node));
	for (int i = 0; h->up && i < MAX_LEAVES && leave_round(h, fx); i++)
		;
	table_for_each (&h->groups, pos, node, next)
		forget(h, host_group_of(node));
	for (enum family family = 0; family < _FAMILY_N; family++) {
		host_answer_stop(&h->family[family]);
		h->report[family].delay_ms = 0;
	}
}
