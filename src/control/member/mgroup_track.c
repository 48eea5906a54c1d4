/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Explicit tracking of the hosts of a group, for fast leave and for the operator (R092,
 * E13). Each host's own filter follows its records. A host is identified by its address
 * and its station, so a forged leave does not end the real member. When in doubt, a
 * host is assumed to want more than it does. The only cost is that its leave is
 * confirmed by queries.
 */

#include "base/search.h"
#include "control/member/mgroup_priv.h"

#include <errno.h>
#include <stdlib.h>

int mgroup_host_cmp(
	const struct mgroup_host *h, const struct addr *a, const struct gm_mac *mac)
{
	int c = addr_cmp(&h->addr, a);

	return c ? c : memcmp(h->mac.byte, mac->byte, sizeof(mac->byte));
}

static size_t host_slot(
	const struct mgroup *g, const struct addr *a, const struct gm_mac *mac)
{
	return first_not_before(
		0, g->n_host, i, mgroup_host_cmp(&g->host[i], a, mac) < 0);
}

/* A host that used the address before, from another station, remains a member until it
 * has been asked or has been silent too long. */
static bool is_known_elsewhere(
	const struct mgroup *g, const struct addr *a, const struct gm_mac *mac)
{
	static const struct gm_mac lowest;

	for (size_t i = host_slot(g, a, &lowest);
		i < g->n_host && addr_eq(&g->host[i].addr, a); i++)
		if (!gm_mac_eq(&g->host[i].mac, mac))
			return true;
	return false;
}

static void host_del(struct mgroup *g, size_t i)
{
	g->n_named -= g->host[i].filter.src.n;
	addrset_deinit(&g->host[i].filter.src);
	memmove(&g->host[i], &g->host[i + 1], (g->n_host - i - 1) * sizeof(*g->host));
	g->n_host--;
}

static void hosts_expire(struct mgroup *g, mono_t now)
{
	if (!mono_due(g->host_at, now))
		return;
	g->host_at = MONO_NEVER;
	for (size_t i = g->n_host; i-- > 0;)
		if (mono_due(g->host[i].until, now))
			host_del(g, i);
		else
			g->host_at = mono_min(g->host_at, g->host[i].until);
}

int mgroup_hosts_reserve(struct mgroup *g, size_t n)
{
	bool inside = g->host == &g->one;
	size_t cap = 2 * g->cap_host > n ? 2 * g->cap_host : n;
	struct mgroup_host *v;

	if (n <= g->cap_host)
		return 0;
	if (!g->host && n == 1) { /* most groups have one host on a port */
		g->host = &g->one;
		g->cap_host = 1;
		return 0;
	}
	v = realloc(inside ? NULL : g->host, cap * sizeof(*v));
	if (!v)
		return -ENOMEM;
	if (inside)
		memcpy(v, &g->one, g->n_host * sizeof(*v));
	g->host = v;
	g->cap_host = cap;
	return 0;
}

void mgroup_hosts_forget(struct mgroup *g)
{
	for (size_t i = 0; i < g->n_host; i++)
		addrset_deinit(&g->host[i].filter.src);
	g->n_host = g->n_named = 0;
	g->host_at = MONO_NEVER;
}

/* Finds or adds the host of a message. Returns NULL if there is no memory, or if there
 * are too many hosts. */
static struct mgroup_host *host_get(
	const struct mgroup_db *db, struct mgroup *g, const struct gm_msg *msg)
{
	size_t i = host_slot(g, &msg->from, &msg->mac);

	if (i < g->n_host && mgroup_host_cmp(&g->host[i], &msg->from, &msg->mac) == 0)
		return &g->host[i];
	if (g->n_host == MGROUP_MAX_HOSTS || mgroup_is_full(db) ||
		mgroup_hosts_reserve(g, g->n_host + 1) < 0)
		return NULL;
	memmove(&g->host[i + 1], &g->host[i], (g->n_host - i) * sizeof(*g->host));
	g->host[i] = (struct mgroup_host){
		.addr = msg->from, .mac = msg->mac, .filter.mode = GM_INCLUDE};
	g->n_host++;
	return &g->host[i];
}

/* Applies a record to what the host has reported before. */
static int filter_change(
	struct gm_filter *f, enum gm_record_type type, const struct addrset *list)
{
	switch (type) {
	case GM_TO_IN:
		f->mode = GM_INCLUDE;
		return addrset_copy(&f->src, list);
	case GM_IS_EX:
	case GM_TO_EX:
		f->mode = GM_EXCLUDE;
		return addrset_copy(&f->src, list);
	case GM_IS_IN:
		/* May be the answer to a group-and-source query, which names only the
		 * sources that were asked for, also from a host in EXCLUDE mode (RFC
		 * 9776 5.2). So it only adds sources. */
	case GM_ALLOW:
		if (f->mode == GM_INCLUDE)
			return addrset_union(&f->src, list);
		addrset_subtract(&f->src, list);
		return 0;
	case GM_BLOCK:
		if (f->mode == GM_EXCLUDE)
			return addrset_union(&f->src, list);
		addrset_subtract(&f->src, list);
		return 0;
	}
	return 0;
}

static bool is_too_long(const struct mgroup_db *db, const struct gm_filter *f)
{
	return (db->params.max_sources && f->src.n > db->params.max_sources) ||
		db->n_addr + f->src.n > db->max_addr;
}

void mgroup_track(struct mgroup_db *db, struct mgroup *g, mono_t now,
	const struct gm_msg *msg, enum gm_record_type type, const struct addrset *list,
	struct effects *fx)
{
	mono_t until = mgroup_membership(db, g, now);
	struct mgroup_host *h = NULL;
	int r;

	hosts_expire(g, now);
	db->doubt = is_known_elsewhere(g, &msg->from, &msg->mac);
	if (!addr_is_any(&msg->from))
		h = host_get(db, g, msg);
	if (!h) {
		/* hosts without an address cannot be told apart (R020) */
		if (!addr_is_any(&msg->from))
			effects_note(fx, db->port, NOTE_HOST_LIMIT, &g->group,
				&msg->from, MGROUP_MAX_HOSTS);
		g->untracked_until = until;
		if (type == GM_IS_EX || type == GM_TO_EX || list->n)
			db->member_until = until;
		return;
	}
	h->version = msg->version;
	h->until = until;
	g->host_at = mono_min(g->host_at, until);
	g->n_named -= h->filter.src.n;
	r = filter_change(&h->filter, type, list);
	g->n_named += h->filter.src.n;
	if (r < 0) {
		g->untracked_until = until;
		return;
	}
	if (is_too_long(db, &h->filter)) {
		/* It may name new sources for ever. From then on it is treated like a
		 * host of an older version. Refused sources are noted where they are
		 * refused. */
		host_del(g, (size_t)(h - g->host));
		g->untracked_until = until;
		return;
	}
	if (gm_filter_is_none(&h->filter))
		host_del(g, (size_t)(h - g->host));
	else
		db->member_until = until;
}

bool mgroup_all_tracked(struct mgroup_db *db, struct mgroup *g, mono_t now)
{
	/* a router that is not querier leaves the decision to the querier (R054) */
	if (!db->params.fast_leave || db->doubt ||
		!db->role[addr_family(&g->group)].querier ||
		mgroup_version(g, now) < GM_V3 || mono_before(now, g->untracked_until))
		return false;
	hosts_expire(g, now);
	for (size_t i = 0; i < g->n_host; i++)
		if (g->host[i].version < GM_V3)
			return false;
	return true;
}

bool mgroup_host_wants(const struct mgroup *g, const struct addr *source)
{
	for (size_t i = 0; i < g->n_host; i++) {
		const struct gm_filter *f = &g->host[i].filter;

		if (!source) {
			if (f->mode == GM_EXCLUDE)
				return true;
		} else if ((f->mode == GM_INCLUDE) ==
			addrset_contains(&f->src, source)) {
			return true;
		}
	}
	return false;
}

int mgroup_hosts_restore(struct mgroup_db *db, struct mgroup *g, struct effects *fx)
{
	for (size_t i = 0; i < g->n_host; i++) {
		const struct mgroup_host *h = &g->host[i];

		for (size_t k = 0; h->filter.mode == GM_INCLUDE && k < h->filter.src.n;
			k++) {
			int r = mgroup_source_extend(
				db, g, &h->filter.src.v[k], h->until, fx);

			if (r < 0)
				return r;
		}
	}
	return 0;
}
