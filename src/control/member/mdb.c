/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Merging of the downstream memberships (RFC 4605 4.1, RFC 9776 3.2; R133) and
 * derivation of forwarding entries (RFC 9776 6.3 per port; RFC 4605 4.2: only where no
 * other router forwards). A group that changed on a port is merged again by walking the
 * sorted lists of all ports side by side. Let E be the ports in EXCLUDE mode, and N(s)
 * the ports whose list names the source s. Then
 *
 *   forwarded to       (N(s) xor E) where we forward
 *   E is empty         INCLUDE, s is in the list
 *   E is not empty     EXCLUDE, s is in the list if N(s) = E
 *
 * (*,G) holds the ports in EXCLUDE mode. A source that a port names gets its own entry
 * if its set differs from that. The forwarder may read between two effects, so their
 * order matters: a source never falls back to a (*,G) set that is older than its own.
 */

#include "control/member/mdb.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "base/search.h"

#include <errno.h>
#include <stdlib.h>

void mdb_init(struct mdb *mdb, unsigned instance, uint64_t seed)
{
	*mdb = (struct mdb){.instance = instance};
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
	table_for_each (&mdb->groups, node)
		group_free(mdb, container_of(node, struct mdb_group, node));
	table_deinit(&mdb->groups);
	addrset_deinit(&mdb->merged);
	free(mdb->src);
}

struct mdb_group *mdb_find(const struct mdb *mdb, const struct addr *group)
{
	return table_search(&mdb->groups,
		table_hash(&mdb->groups, group, sizeof(*group)), struct mdb_group, m,
		addr_eq(&m->group, group));
}

struct mdb_group *mdb_touch(struct mdb *mdb, unsigned port, const struct addr *group)
{
	struct mdb_group *m = mdb_find(mdb, group);

	if (!m) {
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
	}
	portset_add(&m->members, port);
	return m;
}

/* the group on a port that has it */
struct member {
	unsigned port;
	const struct mgroup *g;
	size_t i; /* the next source */
	/* the streams that another router forwards there */
	const struct forwarder_stream *other;
	size_t n_other;
};

/* What one merge works on, in addition to the lists in struct mdb. */
struct merge {
	struct member member[PORT_MAX];
	size_t n;
	struct portset ports, forwards, exclude, out;
	/* for the current source: ports where another router sends it; and where we
	 * leave it to that router */
	struct portset seen, standby;
	enum gm_mode mode;
	size_t work;
};

static bool has_next(struct member *x)
{
	while (x->i < x->g->n_src && !mgroup_names(x->g, &x->g->src[x->i]))
		x->i++;
	return x->i < x->g->n_src || x->n_other > 0;
}

/* The next source of both lists. */
static const struct addr *next_of(const struct member *x)
{
	const struct addr *a = x->i < x->g->n_src ? &x->g->src[x->i].addr : NULL;
	const struct addr *o = x->n_other ? &x->other->source : NULL;

	return !a || (o && addr_cmp(o, a) < 0) ? o : a;
}

/* Advances past the source if it is the next one. */
static void take_next(
	struct merge *w, struct member *x, const struct addr *a, struct portset *named)
{
	if (x->i < x->g->n_src && addr_eq(&x->g->src[x->i].addr, a)) {
		portset_add(named, x->port);
		x->i++;
	}
	if (x->n_other && addr_eq(&x->other->source, a)) {
		portset_add(&w->seen, x->port);
		if (x->other->standby)
			portset_add(&w->standby, x->port);
		x->other++;
		x->n_other--;
	}
}

static struct member member_of(const struct mgroup_db *db, const struct mgroup *g)
{
	const struct forwarder *f = db->role[addr_family(&g->group)].forwarder;
	struct member x = {.port = db->port, .g = g};

	if (f)
		x.other = forwarder_of_group(f, &g->group, &x.n_other);
	return x;
}

static void gather_members(struct merge *w, const struct mdb_group *m,
	struct mgroup_db *const db[PORT_MAX])
{
	enum family family = addr_family(&m->group);

	w->n = 0;
	w->ports = w->forwards = w->exclude = (struct portset){{0}};
	w->work = m->n_src + m->merged.src.n;
	portset_for_each (&m->members, port) {
		const struct mgroup *g =
			db[port] ? mgroup_find(db[port], &m->group) : NULL;

		if (!g)
			continue;
		w->member[w->n] = member_of(db[port], g);
		w->work += g->n_src + w->member[w->n++].n_other;
		portset_add(&w->ports, port);
		if (db[port]->role[family].forwards)
			portset_add(&w->forwards, port);
		if (g->mode == GM_EXCLUDE)
			portset_add(&w->exclude, port);
	}
	w->mode = portset_empty(&w->exclude) ? GM_INCLUDE : GM_EXCLUDE;
	w->out = w->exclude;
	portset_intersect(&w->out, &w->forwards);
}

/* The smallest source that is left, and the ports that name it. A stream of another
 * forwarder is included even if no port names it. Its own entry shows whether we
 * receive it, and leaves out the ports where it is left to the other router. */
static bool next_source(struct merge *w, struct addr *ret_source, struct portset *ret)
{
	const struct addr *least = NULL;

	for (size_t k = 0; k < w->n; k++) {
		struct member *x = &w->member[k];

		if (has_next(x) && (!least || addr_cmp(next_of(x), least) < 0))
			least = next_of(x);
	}
	if (!least)
		return false;
	*ret_source = *least;
	*ret = w->seen = w->standby = (struct portset){{0}};
	for (size_t k = 0; k < w->n; k++)
		take_next(w, &w->member[k], ret_source, ret);
	return true;
}

static int add_source(struct mdb *mdb, const struct mdb_source *s)
{
	if (array_reserve(mdb->src, mdb->cap_src, mdb->n_src + 1, 16) < 0)
		return -ENOMEM;
	mdb->src[mdb->n_src++] = *s;
	return 0;
}

/* Fills mdb->merged, and mdb->src with the sets that differ from w->out. */
static int merge_sources(struct mdb *mdb, struct merge *w)
{
	struct mdb_source s;
	struct portset named;
	int r = 0;

	mdb->n_src = 0;
	addrset_clear(&mdb->merged);
	while (r == 0 && next_source(w, &s.addr, &named)) {
		s.out = named;
		portset_toggle(&s.out, &w->exclude);
		portset_intersect(&s.out, &w->forwards);
		portset_for_each (&w->standby, port)
			portset_del(&s.out, port);
		if (!portset_eq(&s.out, &w->out) || !portset_empty(&w->seen))
			r = add_source(mdb, &s);
		if (r == 0 && !portset_empty(&named) &&
			(w->mode == GM_INCLUDE || portset_eq(&named, &w->exclude)))
			r = addrset_append(&mdb->merged, &s.addr);
	}
	return r;
}

static const struct mdb_source *source_find(
	const struct mdb_source *v, size_t n, const struct addr *a)
{
	size_t i = first_not_before(0, n, k, addr_cmp(&v[k].addr, a) < 0);

	return i < n && addr_eq(&v[i].addr, a) ? &v[i] : NULL;
}

/* Emits new and changed sets of mdb->src, then (*,G), then the end of sets that are no
 * longer in mdb->src. */
static void emit(const struct mdb *mdb, const struct mdb_group *m,
	const struct merge *w, struct effects *fx)
{
	struct addr any = addr_any(addr_family(&m->group));
	size_t k = 0;

	for (size_t i = 0; i < mdb->n_src; i++) {
		const struct mdb_source *s = &mdb->src[i];
		bool same;

		while (k < m->n_src && addr_cmp(&m->src[k].addr, &s->addr) < 0)
			k++;
		same = k < m->n_src && addr_eq(&m->src[k].addr, &s->addr) &&
			portset_eq(&m->src[k].out, &s->out);
		if (!same)
			effects_fib_set(
				fx, mdb->instance, &m->group, &s->addr, &s->out);
	}
	if (!m->shown || !portset_eq(&m->out, &w->out))
		effects_fib_set(fx, mdb->instance, &m->group, &any, &w->out);
	k = 0;
	for (size_t i = 0; i < m->n_src; i++) {
		const struct addr *a = &m->src[i].addr;

		while (k < mdb->n_src && addr_cmp(&mdb->src[k].addr, a) < 0)
			k++;
		if (k == mdb->n_src || !addr_eq(&mdb->src[k].addr, a))
			effects_fib_del(fx, mdb->instance, &m->group, a);
	}
}

static void emit_gone(
	const struct mdb *mdb, const struct mdb_group *m, struct effects *fx)
{
	struct addr any = addr_any(addr_family(&m->group));

	effects_fib_del(fx, mdb->instance, &m->group, &any);
	for (size_t i = 0; i < m->n_src; i++)
		effects_fib_del(fx, mdb->instance, &m->group, &m->src[i].addr);
}

/* Stores what is emitted and the merged list. Memory comes first, so that effects are
 * emitted only if they can be stored. */
static int commit(
	struct mdb *mdb, struct mdb_group *m, const struct merge *w, struct effects *fx)
{
	struct mdb_source *src = m->src;
	int r;

	if (mdb->n_src != m->n_src) {
		src = mdb->n_src ? malloc(mdb->n_src * sizeof(*src)) : NULL;
		if (!src && mdb->n_src)
			return -ENOMEM;
	}
	r = addrset_copy(&m->merged.src, &mdb->merged);
	if (r < 0) {
		if (src != m->src)
			free(src);
		return r;
	}
	emit(mdb, m, w, fx);
	if (mdb->n_src)
		memcpy(src, mdb->src, mdb->n_src * sizeof(*src));
	if (src != m->src)
		free(m->src);
	m->src = src;
	m->n_src = mdb->n_src;
	m->merged.mode = w->mode;
	m->members = w->ports;
	m->out = w->out;
	m->shown = true;
	return 0;
}

int mdb_merge(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX],
	struct mdb_group *m, size_t max_work, struct effects *fx, size_t *ret_work,
	const struct gm_filter **ret_merged)
{
	static const struct gm_filter none = {.mode = GM_INCLUDE};
	struct merge w;
	int r;

	gather_members(&w, m, db);
	*ret_work = w.work;
	if (w.work > max_work)
		return 1;
	if (w.n == 0) {
		if (m->shown)
			emit_gone(mdb, m, fx);
		group_free(mdb, m);
		*ret_merged = &none;
		return 0;
	}
	r = merge_sources(mdb, &w);
	if (r == 0)
		r = commit(mdb, m, &w, fx);
	*ret_merged = &m->merged;
	return r;
}

int mdb_update(struct mdb *mdb, struct mgroup_db *const db[PORT_MAX], unsigned port,
	const struct addr *group, struct effects *fx,
	const struct gm_filter **ret_merged)
{
	struct mdb_group *m = mdb_touch(mdb, port, group);
	size_t work;
	int r = m ? mdb_merge(mdb, db, m, SIZE_MAX, fx, &work, ret_merged) : -ENOMEM;

	if (r < 0 && m && !m->shown)
		group_free(mdb, m);
	return r;
}

bool mdb_has_entry(
	const struct mdb *mdb, const struct addr *group, const struct addr *source)
{
	const struct mdb_group *m = mdb_find(mdb, group);

	return m && m->shown &&
		(addr_is_any(source) || source_find(m->src, m->n_src, source));
}

void mdb_emit_all(const struct mdb *mdb, struct effects *fx)
{
	table_for_each (&mdb->groups, node) {
		const struct mdb_group *m = container_of(node, struct mdb_group, node);
		struct addr any = addr_any(addr_family(&m->group));

		if (!m->shown)
			continue;
		for (size_t i = 0; i < m->n_src; i++)
			effects_fib_set(fx, mdb->instance, &m->group, &m->src[i].addr,
				&m->src[i].out);
		effects_fib_set(fx, mdb->instance, &m->group, &any, &m->out);
	}
}
