/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What must hold in a proxy at any time: forwarding table, merged database and upstream
 * records follow from the group states of the downstreams alone. All of it is derived
 * again here, source by source, in the simplest way.
 */

#include "sim_proxy.h"
#include "test.h"

#include <stdlib.h>

/* RFC 9776 6.3 for one source, computed from the state of the group. */
static bool wants(const struct mgroup *g, const struct addr *src)
{
	for (size_t i = 0; i < g->n_src; i++)
		if (addr_eq(&g->src[i].addr, src))
			return mono_is_set(g->src[i].until);
	return g->mode == GM_EXCLUDE;
}

/* working data of the check of one group */
struct check {
	const struct sim_proxy *x;
	struct addr group;
	struct addrset named;		 /* sources that any downstream names */
	struct addrset include, exclude; /* RFC 4605 4.1 */
	bool any_exclude;
	struct portset all; /* ports that forward sources not named by any host */
	size_t n_entries;
};

static const struct mgroup *state_on(const struct check *c, unsigned port)
{
	const struct proxy_port *pp = c->x->instances->port[port];

	return pp && pp->role == CONFIG_ROLE_DOWNSTREAM
		? mgroup_find(&pp->groups, &c->group)
		: NULL;
}

/* Whether the port forwards, as far as its role decides. */
static bool forwards_on(const struct check *c, unsigned port)
{
	const struct proxy_port *pp = c->x->instances->port[port];
	enum querier_state state = pp->querier[addr_family(&c->group)].state;

	return state == QUERIER_ACTIVE ||
		(state == QUERIER_STANDBY &&
			pp->cfg->forwarding != CONFIG_FORWARDING_QUERIER);
}

/* What the port's sensor knows of a stream, or NULL. */
static const struct forwarder_stream *other_on(
	const struct check *c, unsigned port, const struct addr *src)
{
	const struct proxy_port *pp = c->x->instances->port[port];

	return forwarder_find(&pp->forwarder[addr_family(&c->group)], &c->group, src);
}

static void name_others(struct check *c, unsigned port)
{
	size_t n;
	const struct forwarder_stream *s = forwarder_of_group(
		&c->x->instances->port[port]->forwarder[addr_family(&c->group)],
		&c->group, &n);

	for (size_t i = 0; i < n; i++)
		addrset_add(&c->named, &s[i].source);
}

/* Returns the visible lists of a port: INCLUDE(A), EXCLUDE(Y). */
/* Removes from dst what is not in b. */
static void intersect(struct addrset *dst, const struct addrset *b)
{
	struct addrset other = {0};

	addrset_copy(&other, dst);
	addrset_subtract(&other, b);
	addrset_subtract(dst, &other);
	addrset_deinit(&other);
}

static void merge_port(struct check *c, const struct mgroup *g)
{
	struct addrset list = {0};

	for (size_t i = 0; i < g->n_src; i++)
		if (g->mode == GM_INCLUDE || !mono_is_set(g->src[i].until))
			addrset_add(&list, &g->src[i].addr);
	addrset_union(&c->named, &list);
	if (g->mode == GM_INCLUDE) {
		addrset_union(&c->include, &list);
	} else if (!c->any_exclude) {
		c->any_exclude = true;
		addrset_copy(&c->exclude, &list);
	} else {
		intersect(&c->exclude, &list);
	}
	addrset_deinit(&list);
}

static void check_source(struct check *c, const struct addr *src)
{
	const struct sim_fib_entry *e = sim_proxy_entry(c->x, &c->group, src);
	struct portset want = {0};
	bool other = false;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct mgroup *g = state_on(c, i);

		const struct forwarder_stream *s = g ? other_on(c, i, src) : NULL;

		other |= s != NULL;
		if (g && forwards_on(c, i) && !(s && s->standby) && wants(g, src))
			portset_add(&want, i);
	}
	/* a source has its own entry only if it differs from the group's, or is counted
	 * separately */
	assert_int_equal(e != NULL, other || !portset_eq(&want, &c->all));
	if (e) {
		assert_true(portset_eq(&e->out, &want));
		c->n_entries++;
	}
}

static void check_merged(struct check *c)
{
	const struct mdb_group *m =
		mdb_find(&c->x->instances->instance[0].proxy->mdb, &c->group);
	struct gm_filter want = {.mode = GM_INCLUDE};

	if (c->any_exclude) {
		want.mode = GM_EXCLUDE;
		addrset_copy(&want.src, &c->exclude);
		addrset_subtract(&want.src, &c->include);
	} else {
		addrset_copy(&want.src, &c->include);
	}
	assert_non_null(m);
	assert_true(gm_filter_eq(&m->merged, &want));
	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = c->x->instances->port[i];
		const struct upstream_group *hg;

		if (!pp || pp->role != CONFIG_ROLE_UPSTREAM ||
			!config_group_allowed(pp->cfg, &c->group))
			continue;
		hg = upstream_find(&pp->upstream, &c->group);
		assert_non_null(hg);
		assert_true(gm_filter_eq(&hg->now, &want));
	}
	addrset_deinit(&want.src);
}

/* Returns the number of forwarding entries of the group. */
static size_t check_group(const struct sim_proxy *x, const struct addr *group)
{
	struct addr any = addr_any(addr_family(group));
	struct check c = {.x = x, .group = *group};
	const struct sim_fib_entry *e = sim_proxy_entry(x, group, &any);

	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct mgroup *g = state_on(&c, i);

		if (g)
			merge_port(&c, g);
		if (g)
			name_others(&c, i);
		if (g && g->mode == GM_EXCLUDE && forwards_on(&c, i))
			portset_add(&c.all, i);
	}
	assert_non_null(e);
	assert_true(portset_eq(&e->out, &c.all));
	c.n_entries = 1;
	for (size_t i = 0; i < c.named.n; i++)
		check_source(&c, &c.named.v[i]);
	check_merged(&c);
	addrset_deinit(&c.named);
	addrset_deinit(&c.include);
	addrset_deinit(&c.exclude);
	return c.n_entries;
}

void sim_proxy_check(const struct sim_proxy *x)
{
	struct addrset groups = {0};
	size_t n_entries = 0;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = x->instances->port[i];

		if (!pp || pp->role != CONFIG_ROLE_DOWNSTREAM)
			continue;
		table_for_each (&pp->groups.groups, node)
			assert_int_equal(
				addrset_add(&groups,
					&container_of(node, struct mgroup, node)
						 ->group),
				0);
	}
	for (size_t i = 0; i < groups.n; i++)
		n_entries += check_group(x, &groups.v[i]);
	assert_int_equal(x->instances->instance[0].proxy->mdb.groups.n, groups.n);
	assert_int_equal(x->fib.n, n_entries);
	addrset_deinit(&groups);
}

bool sim_proxy_empty(const struct sim_proxy *x)
{
	size_t n = x->fib.n + x->instances->instance[0].proxy->mdb.groups.n;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		const struct proxy_port *pp = x->instances->port[i];

		if (pp && pp->role == CONFIG_ROLE_DOWNSTREAM)
			n += pp->groups.groups.n;
		else if (pp)
			n += pp->upstream.groups.n;
	}
	return n == 0;
}
