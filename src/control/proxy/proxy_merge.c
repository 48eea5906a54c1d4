/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * From group state to the upstreams (RFC 4605 4.1): groups that changed on a port are
 * merged at the end of each call from outside, each once, however many records named
 * it.
 *
 * A record of eight bytes can affect every source of a group: when a port goes from
 * INCLUDE to EXCLUDE mode, each (S,G) entry and the whole list upstream change. Such
 * work is therefore not charged to the message. It is paid with credit that only time
 * provides, and groups wait for it in the order of their changes. A change that
 * concerns few sources never waits. Deadlines of groups use the same credit, because a
 * host can make any number of them fall on one instant.
 */

#include "base/minmax.h"
#include "control/member/policy.h"
#include "control/proxy/proxy_priv.h"

#define AGAIN_MS 1000 /* retry after memory ran out */

/* Credit is counted in sources that are processed, about 20 ns each. The rate is about
 * a tenth of a processor. The most that is done at a stretch is about 10 ms, where
 * memory goes back to the system. */
#define CREDIT_PER_MS 4000
#define CREDIT_MAX    (16 * CREDIT_PER_MS)
#define FREE_WORK     12 /* a group that is merged at once, credit or not */

/* when there will be a millisecond's worth of credit again */
static void set_rest(struct proxy *p)
{
	p->rest_until = p->credit > 0
		? MONO_UNSET
		: mono_add_ms(p->credit_at, 1 - p->credit / CREDIT_PER_MS);
}

bool proxy_earn(struct proxy *p, mono_t now)
{
	int64_t ns = now.ns - p->credit_at.ns;

	if (!mono_is_set(p->credit_at) || ns / NS_PER_MS >= CREDIT_MAX)
		p->credit = CREDIT_MAX;
	else if (ns > 0)
		p->credit += ns * CREDIT_PER_MS / NS_PER_MS;
	p->credit = min(p->credit, CREDIT_MAX);
	p->credit_at = now;
	set_rest(p);
	return p->credit > 0;
}

void proxy_spend(struct proxy *p, size_t work)
{
	p->credit -= (int64_t)work;
	set_rest(p);
}

/* ---- queues ---- */

static void queue_group(struct proxy_queue *q, struct mdb_group *m)
{
	m->next = NULL;
	m->queued = true;
	if (q->last)
		q->last->next = m;
	else
		q->first = m;
	q->last = m;
}

static struct mdb_group *pop(struct proxy_queue *q)
{
	struct mdb_group *m = q->first;

	q->first = m->next;
	if (!q->first)
		q->last = NULL;
	m->queued = false;
	return m;
}

void proxy_group_changed(
	struct proxy *p, mono_t now, unsigned port, const struct addr *group)
{
	struct mdb_group *m = mdb_touch(&p->mdb, port, group);

	if (!m) {
		p->again_at = mono_add_ms(now, AGAIN_MS);
		return;
	}
	m->changed_port = port;
	m->has_reporter = p->reporter != NULL;
	if (p->reporter)
		m->reporter = *p->reporter;
	if (!m->queued)
		queue_group(&p->touched, m);
}

void proxy_port_changed(
	struct proxy *p, mono_t now, struct proxy_port *pp, enum family family)
{
	table_for_each (&pp->groups.groups, node) {
		const struct addr *group =
			&container_of(node, struct mgroup, node)->group;

		if (addr_family(group) == family)
			proxy_group_changed(p, now, pp->port, group);
	}
}

/* ---- merging ---- */

void proxy_report_upstream(struct proxy *p, mono_t now, struct proxy_port *us,
	const struct addr *group, const struct gm_filter *merged,
	const struct host_cause *cause)
{
	static const struct gm_filter none = {.mode = GM_INCLUDE};
	struct gm_filter buf = {0};

	if (!policy_group(us->cfg, group) ||
		!proxy_family_on(p, us->cfg, addr_family(group)))
		merged = &none;
	merged = proxy_kernel_add(p, us, group, merged, &buf);
	/* without memory the old membership stays */
	if (!merged || upstream_set(&us->upstream, now, group, merged, cause) < 0)
		p->again_at = mono_add_ms(now, AGAIN_MS);
	addrset_deinit(&buf.src);
}

/* Returns false, with the group unchanged, if that is more work than allowed. */
static bool merge_group(struct proxy *p, mono_t now, struct mdb_group *m,
	size_t max_work, struct effects *fx)
{
	struct addr group = m->group, reporter = m->reporter;
	struct host_cause cause = {
		.port = m->changed_port, .by = m->has_reporter ? &reporter : NULL};
	const struct gm_filter *merged;
	size_t work, n_effects = fx->n;
	int r = mdb_merge(&p->mdb, p->groups, m, max_work, fx, &work, &merged);

	if (r > 0)
		return false;
	if (r < 0) { /* it is in the table, so it is merged again with the others */
		p->again_at = mono_add_ms(now, AGAIN_MS);
		return true;
	}
	portset_for_each (&p->upstreams, i) {
		proxy_report_upstream(p, now, p->port[i], &group, merged, &cause);
		work += merged->src.n;
	}
	proxy_spend(p, work + PROXY_EFFECT_WORK * (fx->n - n_effects));
	return true;
}

void proxy_merge(struct proxy *p, mono_t now, struct effects *fx)
{
	if (!p->touched.first && !p->waiting.first)
		return;
	proxy_earn(p, now);
	while (p->waiting.first && p->credit > 0)
		merge_group(p, now, pop(&p->waiting), SIZE_MAX, fx);
	while (p->touched.first) {
		struct mdb_group *m = pop(&p->touched);
		bool pays = p->credit > 0 && !p->waiting.first;

		if (!merge_group(p, now, m, pays ? SIZE_MAX : FREE_WORK, fx))
			queue_group(&p->waiting, m);
	}
}

void proxy_merge_all(struct proxy *p, mono_t now, struct effects *fx)
{
	int64_t credit = p->credit;

	while (p->waiting.first)
		merge_group(p, now, pop(&p->waiting), SIZE_MAX, fx);
	while (p->touched.first)
		merge_group(p, now, pop(&p->touched), SIZE_MAX, fx);
	p->credit = credit;
	set_rest(p);
}
