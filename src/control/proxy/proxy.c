/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The proxy: messages and time in, effects out. The life cycle of ports is in
 * proxy_port.c. RFC 4605 4.1: group state per downstream -> merged database -> host
 * side; a report that changes nothing there ends here (R134).
 */

#include "control/proxy/proxy.h"

#include "control/member/policy.h"
#include "control/proxy/proxy_priv.h"

#include <errno.h>
#include <stdlib.h>

int proxy_new(unsigned instance, const bool family[_FAMILY_N], uint64_t seed,
	struct proxy **ret_proxy)
{
	struct proxy *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->instance = instance;
	p->numbers = &p->own_numbers;
	p->all = p->port;
	memcpy(p->family, family, sizeof(p->family));
	p->again_at = MONO_NEVER;
	p->credit_at = MONO_UNSET;
	rng_seed(&p->rng, seed);
	mdb_init(&p->mdb, instance, rng_next(&p->rng));
	*ret_proxy = p;
	return 0;
}

struct proxy *proxy_free(struct proxy *p)
{
	if (!p)
		return NULL;
	for (unsigned i = 0; i < PORT_MAX; i++)
		proxy_port_free(p, i);
	mdb_deinit(&p->mdb);
	free(p);
	return NULL;
}

bool proxy_family_on(
	const struct proxy *p, const struct config_iface *ci, enum family family)
{
	return p->family[family] && (family == FAMILY_IPV4 ? ci->ipv4 : ci->ipv6);
}

/* ---- messages ---- */

void proxy_note_version(struct proxy_port *us, struct effects *fx)
{
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		const struct upstream_family *hf = &us->upstream.family[f];

		if (hf->version == us->version[f])
			continue;
		us->version[f] = hf->version;
		if (proxy_family_on(us->proxy, us->cfg, (enum family)f))
			effects_note(fx, us->port, NOTE_HOST_VERSION, NULL,
				&hf->querier, hf->version);
	}
}

/* R152: answered like other queries, because only an old router of the provider sends
 * such a query. */
static bool is_older_ssm_query(const struct proxy *p, const struct gm_msg *msg)
{
	return msg->version < GM_V3 && !addr_is_any(&msg->query.group) &&
		config_is_ssm(p->cfg, &msg->query.group);
}

/* Is it a neighbour on the link where an upstream reports? A subnet that contains only
 * our own address tells nothing; on point-to-point links the subnet is that of the
 * peer. If no subnet is known, no IPv4 address counts as a neighbour. */
static bool is_inside(const struct proxy_port *us, const struct addr *from)
{
	for (size_t i = 0; i < us->n_report_addr; i++) {
		const struct iface_addr *a = &us->report_addr[i];

		if (!addr_is_v4(&a->addr) || addr_eq(&a->addr, &a->subnet.addr))
			continue;
		if (prefix_contains(&a->subnet, from))
			return policy_querier(&a->subnet, 1, from);
	}
	return !addr_is_v4(from) && policy_querier(NULL, 0, from);
}

static void query_upstream(struct proxy_port *us, mono_t now, const struct gm_msg *msg)
{
	struct addr own;

	upstream_query(&us->upstream, now, msg, is_inside(us, &msg->from));
	own = proxy_own_addr(us, now, msg->family);
	if (addr_eq(&own, &us->link.own[msg->family]))
		return;
	us->link.own[msg->family] = own;
	upstream_set_own(&us->upstream, &own);
}

static enum gm_bad input_query(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct gm_msg *msg, struct effects *fx)
{
	struct querier *q = &pp->querier[msg->family];

	if (pp->role == CONFIG_ROLE_UPSTREAM) {
		if (is_older_ssm_query(p, msg))
			effects_note(fx, pp->port, NOTE_SSM_QUERY, &msg->query.group,
				&msg->from, msg->version);
		query_upstream(pp, now, msg);
		proxy_note_version(pp, fx);
		return GM_OK;
	}
	if (!addr_is_any(&msg->from) &&
		!policy_querier(pp->subnet, pp->n_subnet, &msg->from)) {
		effects_note(fx, pp->port, NOTE_QUERIER_FOREIGN, NULL, &msg->from, 0);
		return GM_OK;
	}
	if (querier_query(q, now, msg, fx))
		proxy_port_changed(p, now, pp, msg->family);
	/* hosts do not answer a query that they have not received */
	if (q->state == QUERIER_STANDBY && addr_eq(&msg->from, &q->other) &&
		!addr_is_any(&msg->query.group) && !(msg->notes & GM_NOTE_LINK_UNICAST))
		mgroup_heard_query(&pp->groups, now, msg);
	return GM_OK;
}

static enum gm_bad input_record(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct gm_msg *msg, const struct gm_record *rec, struct effects *fx)
{
	uint64_t refused = pp->groups.n_refused;
	int r;

	switch (policy_record(p->cfg, pp->cfg, msg->version, rec)) {
	case POLICY_PASS:
		break;
	case POLICY_LOCAL:
		return GM_OK;
	case POLICY_DENIED:
		effects_note(
			fx, pp->port, NOTE_GROUP_DENIED, &rec->group, &msg->from, 0);
		return GM_BAD_FILTERED;
	case POLICY_SSM:
		effects_note(
			fx, pp->port, NOTE_SSM_REFUSED, &rec->group, &msg->from, 0);
		return GM_BAD_FILTERED;
	}
	r = mgroup_input(&pp->groups, now, msg, rec, fx);
	if (r != 0)
		proxy_group_changed(p, now, pp->port, &rec->group);
	if (r < 0)
		return GM_BAD_MEMORY;
	return pp->groups.n_refused != refused ? GM_BAD_LIMIT : GM_OK;
}

static enum gm_bad input_report(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct gm_msg *msg, struct effects *fx)
{
	enum gm_bad worst = GM_OK;
	bool used = msg->n_rec == 0;

	if (pp->role == CONFIG_ROLE_UPSTREAM)
		return GM_BAD_ROLE; /* R060, R115 */
	if (!policy_sender(pp->cfg, pp->subnet, pp->n_subnet, &msg->from)) {
		effects_note(fx, pp->port, NOTE_REPORT_FOREIGN,
			msg->n_rec ? &msg->rec[0].group : NULL, &msg->from, 0);
		return GM_BAD_FOREIGN;
	}
	mgroup_begin(&pp->groups, now);
	p->reporter = &msg->from;
	for (size_t i = 0; i < msg->n_rec; i++) {
		enum gm_bad bad = input_record(p, now, pp, msg, &msg->rec[i], fx);

		if (bad == GM_OK)
			used = true;
		else
			worst = bad;
	}
	p->reporter = NULL;
	return used ? GM_OK : worst;
}

/* Is it an address of the port? Link-local addresses of other ports may belong to other
 * machines here. */
static bool is_address_of(
	const struct proxy_port *pp, const struct addr *from, bool here)
{
	if (!here && addr_is_link_local(from))
		return false;
	if (here && addr_eq(from, &pp->link.own[addr_family(from)]))
		return true;
	for (size_t i = 0; i < pp->n_report_addr; i++)
		if (addr_eq(&pp->report_addr[i].addr, from))
			return true;
	return false;
}

static bool is_sent_by(const struct proxy_port *pp, const struct gm_msg *msg,
	const struct proxy_port *here)
{
	static const struct gm_mac none = {0};

	if (memcmp(&msg->mac, &none, sizeof(none)) != 0 &&
		memcmp(&msg->mac, &pp->mac, sizeof(none)) == 0)
		return true;
	return !addr_is_any(&msg->from) && is_address_of(pp, &msg->from, pp == here);
}

/* Have we sent it ourselves, on this port or another one (R026)? */
static bool is_own(const struct proxy *p, mono_t now, struct proxy_port *here,
	const struct gm_msg *msg, struct effects *fx)
{
	if (is_sent_by(here, msg, here))
		return true;
	portset_for_each (&p->numbers->taken, i) {
		const struct proxy_port *pp = p->all[i];

		if (!pp || !is_sent_by(pp, msg, here))
			continue;
		here->echo_port = i;
		here->echo_at = now;
		effects_note(fx, here->port, NOTE_OWN_FRAMES, NULL, &msg->from, i);
		return true;
	}
	return false;
}

/* R015, R037: a unicast message may be for an address of its link. Other unicast
 * messages come from anywhere and are for hosts behind us. */
static bool is_for_other(const struct proxy_port *pp, const struct gm_msg *msg)
{
	return msg->notes & GM_NOTE_UNICAST && !is_address_of(pp, &msg->to, true);
}

static enum gm_bad input(struct proxy *p, mono_t now, struct proxy_port *pp,
	const struct gm_msg *msg, struct effects *fx)
{
	if (!proxy_family_on(p, pp->cfg, msg->family))
		return GM_BAD_FAMILY;
	if (is_for_other(pp, msg))
		return GM_BAD_DESTINATION;
	if (is_own(p, now, pp, msg, fx))
		return GM_BAD_OWN;
	return msg->kind == GM_QUERY ? input_query(p, now, pp, msg, fx)
				     : input_report(p, now, pp, msg, fx);
}

enum gm_bad proxy_input(struct proxy *p, mono_t now, unsigned port,
	const struct gm_msg *msg, struct effects *fx)
{
	struct proxy_port *pp = p->port[port];
	enum gm_bad bad;

	if (!pp)
		return GM_BAD_ROLE;
	pp->groups.member_until = MONO_UNSET;
	bad = input(p, now, pp, msg, fx);
	proxy_merge(p, now, fx);
	if (bad != GM_OK) {
		pp->n_bad[bad]++;
		return bad;
	}
	pp->n_received[msg->version][msg->kind - GM_QUERY]++;
	for (unsigned i = 0; i < _GM_ODD_N; i++)
		pp->n_odd[i] += msg->notes >> i & 1;
	return GM_OK;
}

void proxy_input_bad(struct proxy *p, unsigned port, enum gm_bad bad)
{
	if (p->port[port])
		p->port[port]->n_bad[bad]++;
}

/* ---- time ---- */

static void tick_querier(
	struct proxy *p, mono_t now, struct proxy_port *pp, struct effects *fx)
{
	mono_t first_end = mgroup_deadline(&pp->groups);

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		querier_last_chance(&pp->querier[f], now, first_end, fx);
		if (querier_tick(&pp->querier[f], now, fx))
			proxy_port_changed(p, now, pp, (enum family)f);
	}
}

/* Handles one group of each port in turn, so that no port delays the others. */
static void tick_groups(struct proxy *p, mono_t now, struct effects *fx)
{
	bool more = true;

	while (more && proxy_earn(p, now)) {
		more = false;
		portset_for_each (&p->downstreams, i) {
			struct addr group;
			size_t work = 0, n = fx->n;

			if (!mgroup_tick(p->groups[i], now, fx, &group, &work))
				continue;
			proxy_spend(p, work + PROXY_EFFECT_WORK * (fx->n - n));
			if (!addr_is_any(&group))
				proxy_group_changed(p, now, i, &group);
			more = true;
		}
	}
}

void proxy_leave_stale(struct proxy *p, mono_t now, struct proxy_port *us)
{
	static const struct gm_filter none = {.mode = GM_INCLUDE};

	table_for_each (&us->upstream.groups, node) {
		struct addr group =
			container_of(node, struct upstream_group, node)->group;

		if (!mdb_find(&p->mdb, &group))
			proxy_report_upstream(p, now, us, &group, &none, NULL);
	}
}

/* Merges again the groups that a port has or had, and leaves those that none has. */
static void merge_again(struct proxy *p, mono_t now)
{
	p->again_at = MONO_NEVER;
	table_for_each (&p->mdb.groups, node) {
		const struct mdb_group *m = container_of(node, struct mdb_group, node);
		struct portset members = m->members;
		struct addr group = m->group;

		portset_for_each (&members, port)
			proxy_group_changed(p, now, port, &group);
	}
	for (unsigned i = 0; i < PORT_MAX; i++)
		for (unsigned f = 0; p->groups[i] && f < _FAMILY_N; f++)
			proxy_port_changed(p, now, p->port[i], (enum family)f);
	portset_for_each (&p->upstreams, i)
		proxy_leave_stale(p, now, p->port[i]);
}

void proxy_tick(struct proxy *p, mono_t now, struct effects *fx)
{
	if (mono_due(p->again_at, now))
		merge_again(p, now);
	portset_for_each (&p->downstreams, i)
		tick_querier(p, now, p->port[i], fx);
	tick_groups(p, now, fx);
	proxy_merge(p, now, fx);
	/* after them, so that their changes are reported upstream in this round */
	portset_for_each (&p->upstreams, i) {
		upstream_tick(&p->port[i]->upstream, now, fx);
		proxy_note_version(p->port[i], fx);
	}
}

mono_t proxy_deadline(const struct proxy *p)
{
	mono_t at =
		mono_min(p->again_at, p->waiting.first ? p->rest_until : MONO_NEVER);

	portset_for_each (&p->upstreams, i)
		at = mono_min(at, upstream_deadline(&p->port[i]->upstream));
	portset_for_each (&p->downstreams, i) {
		const struct proxy_port *pp = p->port[i];
		mono_t first_end = mgroup_deadline(&pp->groups);

		for (unsigned f = 0; f < _FAMILY_N; f++)
			at = mono_min(at,
				mono_min(querier_deadline(&pp->querier[f]),
					querier_chance(&pp->querier[f], first_end)));
		at = mono_min(at, mono_max(first_end, p->rest_until));
	}
	return at;
}

static void resume_port(struct proxy_port *pp, mono_t now, struct effects *fx)
{
	struct gm_link link = pp->link;

	if (pp->role == CONFIG_ROLE_UPSTREAM && pp->report_up) {
		upstream_link_down(&pp->upstream);
		upstream_link_up(&pp->upstream, now, &link);
	}
	for (unsigned f = 0; f < _FAMILY_N && pp->role == CONFIG_ROLE_DOWNSTREAM; f++)
		querier_again(&pp->querier[f], now, fx);
}

void proxy_resume(struct proxy *p, mono_t now, struct effects *fx)
{
	proxy_ports_for_each (p->port, pp)
		resume_port(pp, now, fx);
}

void proxy_shutdown(struct proxy *p, mono_t now, struct effects *fx)
{
	portset_for_each (&p->upstreams, i) {
		proxy_kernel_keep(p, now, p->port[i]);
		upstream_leave_all(&p->port[i]->upstream, fx);
	}
}
