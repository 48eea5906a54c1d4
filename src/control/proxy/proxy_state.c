/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * An instance for the next process (live upgrade). The new process has made its ports
 * from its configuration and the interfaces, and reads for each of them the state of
 * the port of that name; groups only if it is still the same interface. Then everything
 * is merged, and only differences from earlier reports are reported upstream. Pure.
 */

#include "control/member/gm_state.h"
#include "control/proxy/proxy_priv.h"

#include <errno.h>

#define TAG_PORT      1
#define TAG_QUERIER   2 /* + family */
#define TAG_GROUPS    4
#define TAG_HOST      5
#define TAG_FORWARDER 6 /* + family */

/* ---- writing ---- */

static void put_counters(struct state_out *o, const struct proxy_port *pp)
{
	for (unsigned v = GM_V1; v < _GM_VERSION_N; v++) {
		state_put_u64(o, pp->n_received[v][0]);
		state_put_u64(o, pp->n_received[v][1]);
	}
	state_put_counts(o, pp->n_odd, _GM_ODD_N);
	state_put_counts(o, pp->n_bad, _GM_BAD_N);
}

static void put_downstream(struct state_out *o, const struct proxy_port *pp)
{
	size_t at;

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		at = state_begin(o, TAG_QUERIER + f);
		querier_export(&pp->querier[f], o);
		state_end(o, at);
	}
	for (unsigned f = 0; f < _FAMILY_N; f++) {
		at = state_begin(o, TAG_FORWARDER + f);
		forwarder_export(&pp->forwarder[f], o);
		state_end(o, at);
	}
	at = state_begin(o, TAG_GROUPS);
	mgroup_export(&pp->groups, o);
	state_end(o, at);
}

static void put_upstream(struct state_out *o, const struct proxy_port *pp)
{
	size_t at = state_begin(o, TAG_HOST);

	for (unsigned f = 0; f < _FAMILY_N; f++)
		state_put_u8(o, (uint8_t)pp->version[f]);
	upstream_export(&pp->upstream, o);
	state_end(o, at);
}

void proxy_export(const struct proxy *p, struct state_out *o)
{
	state_put_u64(o, p->rng.state);
	proxy_ports_for_each (p->port, pp) {
		size_t at = state_begin(o, TAG_PORT);

		state_put_text(o, pp->name);
		state_put_u8(o, (uint8_t)pp->role);
		state_put_u32(o, (uint32_t)pp->ifindex);
		state_put_u32(o, (uint32_t)pp->report_ifindex);
		put_counters(o, pp);
		if (pp->role == CONFIG_ROLE_UPSTREAM)
			put_upstream(o, pp);
		else
			put_downstream(o, pp);
		state_end(o, at);
	}
}

/* ---- reading ---- */

static void get_counters(struct state_in *in, struct proxy_port *pp)
{
	for (unsigned v = GM_V1; v < _GM_VERSION_N; v++) {
		pp->n_received[v][0] = state_get_u64(in);
		pp->n_received[v][1] = state_get_u64(in);
	}
	state_get_counts(in, pp->n_odd, _GM_ODD_N);
	state_get_counts(in, pp->n_bad, _GM_BAD_N);
}

static int get_querier(struct proxy_port *pp, mono_t now, enum family family,
	bool same_link, struct state_in *in, struct effects *fx)
{
	struct querier *q = &pp->querier[family];
	int r = same_link ? querier_import(q, now, in, fx) : 0;

	if (r < 0)
		return r;
	if (pp->up && proxy_family_on(pp->proxy, pp->cfg, family))
		querier_up(q, now, &pp->link.own[family], fx);
	else
		querier_down(q);
	return 0;
}

static int get_groups(struct proxy_port *pp, mono_t now, struct state_in *in)
{
	bool on[_FAMILY_N];

	for (unsigned f = 0; f < _FAMILY_N; f++)
		on[f] = proxy_family_on(pp->proxy, pp->cfg, (enum family)f);
	return mgroup_import(&pp->groups, now, on, in);
}

static int get_host(struct proxy_port *pp, mono_t now, bool same_link,
	struct state_in *in, struct effects *fx)
{
	int r;

	for (enum family f = 0; f < _FAMILY_N; f++)
		pp->version[f] = gm_get_version(in, f);
	r = upstream_import(&pp->upstream, in);
	if (r < 0)
		return r;
	pp->upstream.link.port = pp->port;
	for (unsigned f = 0; f < _FAMILY_N; f++)
		pp->link.own[f] = proxy_own_addr(pp, now, (enum family)f);
	if (!same_link || !pp->report_up)
		upstream_link_down(&pp->upstream);
	if (pp->report_up)
		upstream_link_up(&pp->upstream, now, &pp->link);
	return 0;
}

static int get_port_sections(struct proxy_port *pp, mono_t now, bool same_link,
	struct state_in *in, struct effects *fx)
{
	bool upstream = pp->role == CONFIG_ROLE_UPSTREAM;
	struct state_in section;
	uint32_t tag;
	int r = 0;

	while (r == 0 && state_get_section(in, &tag, &section)) {
		if (upstream && tag == TAG_HOST)
			r = get_host(pp, now, same_link, &section, fx);
		else if (!upstream && tag == TAG_GROUPS && same_link)
			r = get_groups(pp, now, &section);
		else if (!upstream && tag >= TAG_FORWARDER &&
			tag < TAG_FORWARDER + _FAMILY_N && same_link)
			r = forwarder_import(&pp->forwarder[tag - TAG_FORWARDER],
				(enum family)(tag - TAG_FORWARDER), &section);
		else if (!upstream && tag >= TAG_QUERIER &&
			tag < TAG_QUERIER + _FAMILY_N)
			r = get_querier(pp, now, (enum family)(tag - TAG_QUERIER),
				same_link, &section, fx);
	}
	return r == 0 && state_is_bad(in) ? -EINVAL : r;
}

static int proxy_state_get_port(
	struct proxy *p, mono_t now, struct state_in *in, struct effects *fx)
{
	char name[IFNAMSIZ];
	struct proxy_port *pp;
	uint32_t ifindex, report_ifindex;
	unsigned role;
	bool same_link;

	state_get_text(in, name, sizeof(name));
	role = state_get_u8(in);
	ifindex = state_get_u32(in);
	report_ifindex = state_get_u32(in);
	if (state_is_bad(in))
		return -EINVAL;
	pp = proxy_port_named(p->port, name);
	if (!pp || (unsigned)pp->role != role)
		return 0; /* the configuration has changed */
	get_counters(in, pp);
	same_link = (uint32_t)pp->report_ifindex == report_ifindex;
	if (pp->role == CONFIG_ROLE_DOWNSTREAM)
		same_link = pp->ifindex && (uint32_t)pp->ifindex == ifindex;
	return get_port_sections(pp, now, same_link, in, fx);
}

/* Merges what was read. The upstreams are not updated yet, because their state was also
 * read. */
static int merge_groups(struct proxy *p, struct effects *fx)
{
	for (unsigned i = 0; i < PORT_MAX; i++) {
		if (!p->groups[i])
			continue;
		table_for_each (&p->groups[i]->groups, node) {
			struct addr group =
				container_of(node, struct mgroup, node)->group;
			const struct gm_filter *merged;
			int r = mdb_update(&p->mdb, p->groups, i, &group, fx, &merged);

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* Applies changes of the configuration, and memberships that ended during the
 * upgrade. */
static void catch_up(struct proxy *p, mono_t now, struct effects *fx)
{
	proxy_ports_for_each (p->port, pp)
		proxy_port_configure(p, now, pp, pp->cfg, fx);
	portset_for_each (&p->upstreams, i)
		proxy_leave_stale(p, now, p->port[i]);
}

int proxy_import(struct proxy *p, mono_t now, struct state_in *in, struct effects *fx)
{
	uint64_t random = state_get_u64(in);
	struct state_in section;
	uint32_t tag;
	int r = 0;

	while (r == 0 && state_get_section(in, &tag, &section))
		if (tag == TAG_PORT)
			r = proxy_state_get_port(p, now, &section, fx);
	if (r == 0 && state_is_bad(in))
		r = -EINVAL;
	if (r == 0)
		r = merge_groups(p, fx);
	if (r < 0)
		return r;
	p->rng.state = random;
	catch_up(p, now, fx);
	proxy_merge_all(p, now, fx);
	return 0;
}
