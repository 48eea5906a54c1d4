/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the thread of a watch and control pass to each other, without locks. The thread
 * writes views of the streams, and control writes orders (marks, restarts). Both are
 * slots whose `seq` is odd while they are written; a reader that meets the writer
 * tries again.
 */

#include "base/slot.h"
#include "dataplane/quality/quality_watch_priv.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#define TRIES 64

static_assert(offsetof(struct quality_view, stream.group) == 0,
	"quality_watch_views() looks for it in the first words");

/* ---- views ---- */

static void fill_view(const struct watch_slot *s, struct quality_view *v)
{
	memset(v, 0, sizeof(*v)); /* also what is between the members */
	v->stream = s->stream;
	v->generation = s->generation;
	v->kind = s->q.kind;
	memcpy(v->count, s->q.count, sizeof(v->count));
	quality_result(&s->q, &v->result);
	v->gap_max_ns = s->q.arrival.gap_max_ns;
	v->full = s->full_n;
	v->light = s->light_n;
	v->fragments = s->fragments;
	v->first = s->first;
	v->last = s->last;
	v->silent = s->silent;
	v->mark = s->mark;
	v->mark_first = s->mark_first;
	v->mark_pat = s->mark_pat;
	v->mark_random = s->mark_random;
}

void watch_publish(struct watch_slot *s)
{
	uint32_t seq = atomic_load_explicit(&s->seq, memory_order_relaxed);
	uint64_t word[WATCH_VIEW_WORDS];
	struct quality_view v;

	fill_view(s, &v);
	memcpy(word, &v, sizeof(word));
	s->news = false;
	s->published = s->full_n + s->light_n + s->fragments;
	atomic_store_explicit(&s->seq, seq + 1, memory_order_relaxed);
	for (unsigned i = 0; i < WATCH_VIEW_WORDS; i++)
		slot_put(&s->view[i], word[i]);
	/* pairs with the acquire in read_view() */
	atomic_store_explicit(&s->seq, seq + 2, memory_order_release);
}

/* Returns false if there is none, or if it is written all the time. */
static bool read_view(const struct watch_slot *s, struct quality_view *ret)
{
	uint64_t word[WATCH_VIEW_WORDS];

	for (unsigned n = 0; n < TRIES; n++) {
		/* pairs with the release in watch_publish() */
		uint32_t seq = atomic_load_explicit(&s->seq, memory_order_acquire);
		int64_t last = (int64_t)slot_get(&s->last_ns);

		if (seq == 0)
			return false;
		for (unsigned i = 0; i < WATCH_VIEW_WORDS; i++)
			word[i] = slot_get(&s->view[i]);
		if (seq % 2 ||
			atomic_load_explicit(&s->seq, memory_order_relaxed) != seq)
			continue;
		memcpy(ret, word, sizeof(word));
		if (ret->last.ns < last) {
			ret->last.ns = last;
			ret->silent = false;
		}
		return true;
	}
	return false;
}

void quality_watch_views(const struct quality_watch *w, const struct addr *group,
	void (*fn)(void *arg, const struct quality_view *v), void *arg)
{
	/* pairs with the release in take_slot() */
	unsigned n = atomic_load_explicit(&w->n_used, memory_order_acquire);
	struct quality_view v;

	for (unsigned i = 0; i < n; i++) {
		/* compare the address first, because a view is long */
		if (group && !slot_has_addr(w->slot[i].view, group))
			continue;
		if (read_view(&w->slot[i], &v) &&
			(!group || addr_eq(group, &v.stream.group)))
			fn(arg, &v);
	}
}

static uint64_t counted(const _Atomic uint64_t *n)
{
	return atomic_load_explicit(n, memory_order_relaxed);
}

void quality_watch_stats(const struct quality_watch *w, struct quality_watch_stats *sum)
{
	sum->streams += atomic_load_explicit(&w->n_used, memory_order_relaxed);
	sum->max += w->max;
	sum->full += counted(&w->full_n);
	sum->light += counted(&w->light_n);
	sum->unwatched += counted(&w->unwatched_n);
	sum->sampling |= atomic_load_explicit(&w->sampling, memory_order_relaxed);
}

/* ---- orders ---- */

/* The place of the group's orders, else the one whose orders are the oldest. */
static struct watch_order *order_of(struct quality_watch *w, const struct addr *group)
{
	struct watch_order *set = w->order[slot_set(group, WATCH_ORDER_SETS)];
	struct watch_order *oldest = set;

	for (unsigned i = 0; i < WATCH_ORDER_WAYS; i++) {
		if (slot_get(&set[i].serial) && slot_has_addr(set[i].group, group))
			return &set[i];
		if (slot_get(&set[i].serial) < slot_get(&oldest->serial))
			oldest = &set[i];
	}
	return oldest;
}

/* Gives a mark, or with 0 a restart. It replaces orders for another group. */
static void give_order(struct quality_watch *w, const struct addr *group, uint32_t mark,
	mono_t mark_at, mono_t restart_at)
{
	struct watch_order *o = order_of(w, group);
	uint32_t seq = atomic_load_explicit(&o->seq, memory_order_relaxed);
	uint64_t serial = atomic_load_explicit(&w->orders_n, memory_order_relaxed) + 1;
	bool fresh = !slot_get(&o->serial) || !slot_has_addr(o->group, group);

	atomic_store_explicit(&o->seq, seq + 1, memory_order_relaxed);
	slot_put_addr(o->group, group);
	if (mark || fresh) {
		slot_put(&o->mark, mark);
		slot_put(&o->mark_ns, (uint64_t)mark_at.ns);
	}
	if (!mark || fresh)
		slot_put(&o->restart_ns, (uint64_t)restart_at.ns);
	slot_put(&o->serial, serial);
	/* pairs with the acquire in read_order() */
	atomic_store_explicit(&o->seq, seq + 2, memory_order_release);
	slot_put(&w->orders_n, serial);
}

void quality_watch_mark(
	struct quality_watch *w, const struct addr *group, uint32_t mark, mono_t now)
{
	give_order(w, group, mark, now, MONO_UNSET);
}

void quality_watch_restart(
	struct quality_watch *w, const struct addr *group, mono_t now)
{
	give_order(w, group, 0, MONO_UNSET, now);
}

struct order {
	uint64_t serial;
	struct addr group;
	uint32_t mark;
	mono_t mark_at, restart_at;
};

/* Returns false if it is free, or written all the time. */
static bool read_order(const struct watch_order *o, struct order *ret)
{
	for (unsigned n = 0; n < TRIES; n++) {
		/* pairs with the release in give_order() */
		uint32_t seq = atomic_load_explicit(&o->seq, memory_order_acquire);

		ret->serial = slot_get(&o->serial);
		slot_get_addr(o->group, &ret->group);
		ret->mark = (uint32_t)slot_get(&o->mark);
		ret->mark_at.ns = (int64_t)slot_get(&o->mark_ns);
		ret->restart_at.ns = (int64_t)slot_get(&o->restart_ns);
		if (seq % 2 == 0 &&
			atomic_load_explicit(&o->seq, memory_order_relaxed) == seq)
			return ret->serial > 0;
	}
	return false;
}

static void set_mark(
	const struct quality_watch *w, struct watch_slot *s, const struct order *o)
{
	mono_t begun = mono_is_set(s->first) ? s->first : w->now;

	if (!o->mark || begun.ns - o->mark_at.ns >= QUALITY_MARK_NS)
		return;
	if (o->mark == s->mark && o->mark_at.ns == s->mark_at.ns)
		return;
	s->mark = o->mark;
	s->mark_at = o->mark_at;
	s->mark_first = s->mark_pat = s->mark_random = MONO_UNSET;
	s->mark_open = true;
}

static void obey(struct quality_watch *w, const struct order *o)
{
	uint16_t i = w->groups[slot_set(&o->group, WATCH_GROUPS)];

	for (; i != WATCH_NONE; i = w->slot[i].next_group) {
		struct watch_slot *s = &w->slot[i];

		if (!addr_eq(&s->stream.group, &o->group))
			continue;
		set_mark(w, s, o);
		/* a restart before its first datagram has no effect */
		if (mono_before(s->restart_at, o->restart_at) &&
			!mono_before(o->restart_at, s->first)) {
			s->restart_at = o->restart_at;
			s->resume_after = o->restart_at.ns;
		}
	}
}

void watch_take_orders(struct quality_watch *w)
{
	/* pairs with the release in give_order() */
	uint64_t n = slot_get(&w->orders_n);
	struct order o;

	if (n == w->orders_seen)
		return;
	for (unsigned i = 0; i < WATCH_ORDER_SETS * WATCH_ORDER_WAYS; i++) {
		const struct watch_order *at =
			&w->order[i / WATCH_ORDER_WAYS][i % WATCH_ORDER_WAYS];

		if (slot_get(&at->serial) > w->orders_seen && read_order(at, &o))
			obey(w, &o);
	}
	w->orders_seen = n;
}

void watch_find_orders(const struct quality_watch *w, struct watch_slot *s)
{
	const struct watch_order *set =
		w->order[slot_set(&s->stream.group, WATCH_ORDER_SETS)];
	struct order o;

	for (unsigned i = 0; i < WATCH_ORDER_WAYS; i++) {
		if (!slot_has_addr(set[i].group, &s->stream.group) ||
			!read_order(&set[i], &o) ||
			!addr_eq(&o.group, &s->stream.group))
			continue;
		set_mark(w, s, &o);
		if (mono_is_set(o.restart_at)) {
			s->restart_at = o.restart_at;
			s->resume_after = o.restart_at.ns;
		}
	}
}
