/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Merging of the downstream memberships (RFC 4605 4.1, RFC 9776 3.2; R133) and
 * derivation of forwarding entries (RFC 9776 6.3 per port, RFC 4605 4.2: only where we
 * are querier). The proxy calls mdb_update after each change of a group on a port.
 *
 * (*,G) holds the ports in EXCLUDE mode. A source that some port names gets an entry of
 * its own when its set differs from that. The order of the effects matters to a
 * forwarder that reads along: a source never falls back to a (*,G) set that is older
 * than itself.
 */

#include "control/mdb.h"

#include "base/cleanup.h"

#include <errno.h>
#include <stdlib.h>

void mdb_init(struct mdb *mdb, unsigned instance, uint64_t seed)
{
	mdb->instance = instance;
	table_init(&mdb->groups, seed);
}

static void group_free(struct mdb *mdb, struct mdb_group *m)
{
	table_remove(&mdb->groups, &m->node);
	addrset_deinit(&m->merged.src);
	free(m->src);
	free(m);
}

void mdb_deinit(struct mdb *mdb)
{
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&mdb->groups, pos, node, next)
		group_free(mdb, container_of(node, struct mdb_group, node));
	table_deinit(&mdb->groups);
}

struct mdb_group *mdb_find(const struct mdb *mdb, const struct addr *group)
{
	struct table_node *n = table_find(
		&mdb->groups, table_hash(&mdb->groups, group, sizeof(*group)));

	for (; n; n = table_next(n)) {
		struct mdb_group *m = container_of(n, struct mdb_group, node);

		if (addr_eq(&m->group, group))
			return m;
	}
	return NULL;
}

static struct mdb_group *group_get(struct mdb *mdb, const struct addr *group)
{
	struct mdb_group *m = mdb_find(mdb, group);

	if (m)
		return m;
	m = calloc(1, sizeof(*m));
	if (!m)
		return NULL;
	m->group = *group;
	m->merged.mode = GM_INCLUDE;
	if (table_insert(&mdb->groups, &m->node,
		    table_hash(&mdb->groups, group, sizeof(*group))) < 0) {
		free(m);
		return NULL;
	}
	return m;
}

/* everything that one merge works on */
struct merge {
	struct gm_filter merged;
	struct addrset include; /* union of INCLUDE lists */
	struct addrset named;	/* every source that some port names */
	struct portset out;	/* (*,G) */
	struct gm_filter one;	/* of the port at hand */
};

/* the group on each of the ports that have it; the other places are not set */
struct members {
	struct portset ports;
	const struct mgroup *g[PORT_MAX];
};

static void merge_deinit(struct merge *w)
{
	addrset_deinit(&w->merged.src);
	addrset_deinit(&w->include);
	addrset_deinit(&w->named);
	addrset_deinit(&w->one.src);
}

static int merge_port(struct merge *w, unsigned port, const struct mgroup_db *db,
	const struct mgroup *g, mono_t now)
{
	int r = mgroup_filter(g, now, &w->one);

	if (r == 0)
		r = addrset_union(&w->named, &w->one.src);
	if (r < 0)
		return r;
	if (w->one.mode == GM_INCLUDE)
		return addrset_union(&w->include, &w->one.src);

	if (db->role[addr_family(&g->group)].querier)
		portset_add(&w->out, port);
	if (w->merged.mode == GM_EXCLUDE) {
		addrset_intersect(&w->merged.src, &w->one.src);
		return 0;
	}
	w->merged.mode = GM_EXCLUDE;
	return addrset_copy(&w->merged.src, &w->one.src);
}

/* Output sets of the named sources that differ from w->out, into a new array. */
static int resolve_sources(const struct merge *w, struct mgroup_db *const db[PORT_MAX],
	const struct members *members, struct mdb_source **ret, size_t *ret_n)
{
	_cleanup_(freep) struct mdb_source *v = NULL;
	size_t n = 0;

	if (w->named.n) {
		v = calloc(w->named.n, sizeof(*v));
		if (!v)
			return -ENOMEM;
	}
	for (size_t i = 0; i < w->named.n; i++) {
		struct portset out = {{0}};

		portset_for_each (&members->ports, port) {
			const struct mgroup *g = members->g[port];

			if (db[port]->role[addr_family(&g->group)].querier &&
				mgroup_wants(g, &w->named.v[i]))
				portset_add(&out, port);
		}
		if (!portset_eq(&out, &w->out))
			v[n++] = (struct mdb_source){w->named.v[i], out};
	}
	*ret = take_ptr(v);
	*ret_n = n;
	return 0;
}

static const struct mdb_source *source_find(
	const struct mdb_source *v, size_t n, const struct addr *a)
{
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = addr_cmp(&v[mid].addr, a);

		if (c == 0)
			return &v[mid];
		if (c < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

static void emit(const struct mdb *mdb, const struct mdb_group *m, bool fresh,
	const struct merge *w, const struct mdb_source *src, size_t n_src,
	struct effects *fx)
{
	struct addr any = addr_any(addr_family(&m->group));

	for (size_t i = 0; i < n_src; i++) {
		const struct mdb_source *old =
			source_find(m->src, m->n_src, &src[i].addr);

		if (!old || !portset_eq(&old->out, &src[i].out))
			effects_fib_set(fx, mdb->instance, &m->group, &src[i].addr,
				&src[i].out);
	}
	if (fresh || !portset_eq(&m->out, &w->out))
		effects_fib_set(fx, mdb->instance, &m->group, &any, &w->out);
	for (size_t i = 0; i < m->n_src; i++)
		if (!source_find(src, n_src, &m->src[i].addr))
			effects_fib_del(fx, mdb->instance, &m->group, &m->src[i].addr);
}

static void emit_gone(
	const struct mdb *mdb, const struct mdb_group *m, struct effects *fx)
{
	struct addr any = addr_any(addr_family(&m->group));

	effects_fib_del(fx, mdb->instance, &m->group, &any);
	for (size_t i = 0; i < m->n_src; i++)
		effects_fib_del(fx, mdb->instance, &m->group, &m->src[i].addr);
}

static int merge_all(struct merge *w, struct mgroup_db *const db[PORT_MAX], mono_t now,
	const struct addr *group, struct members *members)
{
	struct portset all = members->ports;

	w->merged.mode = w->one.mode = GM_INCLUDE;
	portset_for_each (&all, port) {
		const struct mgroup *g = db[port] ? mgroup_find(db[port], group) : NULL;
		int r = 0;

		members->g[port] = g;
		if (g)
			r = merge_port(w, port, db[port], g, now);
		else
			portset_del(&members->ports, port);
		if (r < 0)
			return r;
	}
	if (w->merged.mode == GM_INCLUDE) {
		addrset_move(&w->merged.src, &w->include);
		return 0;
	}
	addrset_subtract(&w->merged.src, &w->include);
	return 0;
}

int mdb_update(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX], mono_t now,
	unsigned port, const struct addr *group, struct effects *fx,
	const struct gm_filter **ret_merged)
{
	static const struct gm_filter none = {.mode = GM_INCLUDE};
	_cleanup_(merge_deinit) struct merge w = {0};
	_cleanup_(freep) struct mdb_source *src = NULL;
	struct mdb_group *m = group_get(mdb, group);
	struct members members;
	size_t n_src;
	bool fresh;
	int r;

	if (!m)
		return -ENOMEM;
	fresh = portset_empty(&m->members);
	members.ports = m->members;
	portset_add(&members.ports, port);
	r = merge_all(&w, db, now, group, &members);
	if (r == 0)
		r = resolve_sources(&w, db, &members, &src, &n_src);
	if (r < 0) {
		if (fresh)
			group_free(mdb, m);
		return r;
	}
	if (portset_empty(&members.ports)) {
		if (!fresh)
			emit_gone(mdb, m, fx);
		group_free(mdb, m);
		*ret_merged = &none;
		return 0;
	}
	emit(mdb, m, fresh, &w, src, n_src, fx);
	m->members = members.ports;
	m->out = w.out;
	m->merged.mode = w.merged.mode;
	addrset_move(&m->merged.src, &w.merged.src);
	free(m->src);
	m->src = take_ptr(src);
	m->n_src = n_src;
	*ret_merged = &m->merged;
	return 0;
}

bool mdb_has_entry(
	const struct mdb *mdb, const struct addr *group, const struct addr *source)
{
	const struct mdb_group *m = mdb_find(mdb, group);

	return m && (addr_is_any(source) || source_find(m->src, m->n_src, source));
}

void mdb_emit_all(const struct mdb *mdb, struct effects *fx)
{
	struct table_node *node, *next;
	size_t pos;

	table_for_each (&mdb->groups, pos, node, next) {
		const struct mdb_group *m = container_of(node, struct mdb_group, node);
		struct addr any = addr_any(addr_family(&m->group));

		for (size_t i = 0; i < m->n_src; i++)
			effects_fib_set(fx, mdb->instance, &m->group, &m->src[i].addr,
				&m->src[i].out);
		effects_fib_set(fx, mdb->instance, &m->group, &any, &m->out);
	}
}
