/* SPDX-License-Identifier: GPL-2.0-or-later */

/* States as text, see snapshot.h. */

#include "snapshot.h"

#include "test.h"

#include <stdio.h>
#include <stdlib.h>

struct out {
	FILE *f;
	const struct sim_proxy *x;
	bool times;
};

/* the last byte is the number; the ranges of groups differ before it */
static void put_group(struct out *o, const struct addr *a)
{
	bool ssm = addr_is_v4(a) ? a->b[12] == 232 : a->b[1] == 0x3e;

	fprintf(o->f, "%c%u", ssm ? 's' : 'g', a->b[15]);
}

static void put_set(struct out *o, const char *before, const struct addrset *s)
{
	fprintf(o->f, "%s{", before);
	for (size_t i = 0; i < s->n; i++)
		fprintf(o->f, " %u", s->v[i].b[15]);
	fprintf(o->f, " }");
}

static void put_time(struct out *o, const char *what, mono_t at)
{
	if (!o->times)
		return;
	if (!mono_is_set(at) || at.ns == MONO_NEVER.ns)
		fprintf(o->f, " %s -", what);
	else
		fprintf(o->f, " %s %lld", what,
			(long long)(at.ns - o->x->node.sim->now.ns));
}

static void put_filter(struct out *o, const struct gm_filter *f)
{
	put_set(o, f->mode == GM_INCLUDE ? " in" : " ex", &f->src);
}

static void put_mgroup(struct out *o, const struct mgroup *g)
{
	mono_t now = o->x->node.sim->now;

	put_group(o, &g->group);
	fprintf(o->f, " %s v%d", g->mode == GM_INCLUDE ? "in" : "ex",
		(int)mgroup_version(g, now));
	put_time(o, "until", g->until);
	for (size_t i = 0; i < g->n_src; i++) {
		fprintf(o->f, " %c%u", mono_is_set(g->src[i].until) ? '+' : '-',
			g->src[i].addr.b[15]);
		put_time(o, "until", g->src[i].until);
		if (o->times)
			fprintf(o->f, " repeats %u", g->src[i].repeats);
	}
	put_time(o, "repeat", g->repeat_at);
	for (size_t i = 0; i < g->n_host; i++) {
		fprintf(o->f, "; host %u v%d", g->host[i].addr.b[15],
			(int)g->host[i].version);
		put_filter(o, &g->host[i].filter);
		put_time(o, "until", g->host[i].until);
	}
	fprintf(o->f, "\n");
}

static void put_host_group(struct out *o, const struct upstream_group *g)
{
	/* a group that was left stays until all its reports are sent */
	if (gm_filter_is_none(&g->now) && !o->times)
		return;
	put_group(o, &g->group);
	put_filter(o, &g->now);
	put_time(o, "change", g->change_at);
	put_time(o, "answer", g->answer_at);
	fprintf(o->f, "\n");
}

static int by_address(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

/* The addresses at `offset` in each node of a table, sorted. */
static struct addr *sorted(const struct table *t, ptrdiff_t offset)
{
	struct addr *v = calloc(t->n + 1, sizeof(*v));
	size_t n = 0;

	assert_non_null(v);
	table_for_each (t, node)
		memcpy(&v[n++], (const char *)node + offset, sizeof(*v));
	qsort(v, n, sizeof(*v), by_address);
	return v;
}

#define OFFSET(type)                                                                   \
	((ptrdiff_t)offsetof(struct type, group) -                                     \
		(ptrdiff_t)offsetof(struct type, node))

/* IPv4 groups of the source-specific range come first, IPv6 ones last */
static const struct addr *pick(const struct addr *v, size_t n, size_t i, bool ssm)
{
	size_t k = 0;

	for (size_t j = 0; j < n; j++) {
		bool is = addr_is_v4(&v[j]) ? v[j].b[12] == 232 : v[j].b[1] == 0x3e;

		if (is == ssm && k++ == i)
			return &v[j];
	}
	return NULL;
}

static void put_table(struct out *o, const struct table *t, ptrdiff_t offset,
	void (*put)(struct out *o, const struct addr *group, const void *arg),
	const void *arg)
{
	struct addr *v = sorted(t, offset);

	for (unsigned ssm = 0; ssm < 2; ssm++)
		for (size_t i = 0; pick(v, t->n, i, ssm); i++)
			put(o, pick(v, t->n, i, ssm), arg);
	free(v);
}

static void one_mgroup(struct out *o, const struct addr *group, const void *arg)
{
	put_mgroup(o, mgroup_find(arg, group));
}

static void one_host_group(struct out *o, const struct addr *group, const void *arg)
{
	put_host_group(o, upstream_find(arg, group));
}

static void one_merged(struct out *o, const struct addr *group, const void *arg)
{
	const struct mdb_group *m = mdb_find(arg, group);

	put_group(o, group);
	put_filter(o, &m->merged);
	fprintf(o->f, " -> %llx", (unsigned long long)m->out.w[0]);
	for (size_t i = 0; i < m->n_src; i++)
		fprintf(o->f, " %u -> %llx", m->src[i].addr.b[15],
			(unsigned long long)m->src[i].out.w[0]);
	fprintf(o->f, "\n");
}

static void put_port(struct out *o, const struct proxy_port *pp)
{
	enum family family = o->x->node.sim->family;
	const struct querier *q = &pp->querier[family];

	fprintf(o->f, "%s", pp->name);
	if (pp->role == CONFIG_ROLE_UPSTREAM) {
		fprintf(o->f, " v%d\n", (int)pp->upstream.family[family].version);
		put_table(o, &pp->upstream.groups, OFFSET(upstream_group),
			one_host_group, &pp->upstream);
		return;
	}
	fprintf(o->f, " %d", (int)q->state);
	put_time(o, "query", q->query_at);
	put_time(o, "other", q->other_until);
	fprintf(o->f, "\n");
	put_table(o, &pp->groups.groups, OFFSET(mgroup), one_mgroup, &pp->groups);
}

char *snapshot(const struct sim_proxy *x, bool times)
{
	char *text = NULL;
	size_t size;
	struct out o = {open_memstream(&text, &size), x, times};
	const struct mdb *mdb = &x->instances->instance[0].proxy->mdb;

	assert_non_null(o.f);
	for (unsigned i = 0; i < PORT_MAX; i++)
		if (x->instances->port[i])
			put_port(&o, x->instances->port[i]);
	put_table(&o, &mdb->groups, OFFSET(mdb_group), one_merged, mdb);
	fclose(o.f);
	return text;
}
