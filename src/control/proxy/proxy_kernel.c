/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One membership with the kernel. A program on the router that joins a group on an
 * upstream makes the kernel report from the address that we report from, so to the
 * provider both are one host: the end of either membership would end the other.
 * Therefore the groups of the kernel are added to those that the LANs want, and a
 * kernel report that could be taken for a leave is followed by a report of our own
 * state.
 *
 * Groups that only the kernel holds are reported only by the kernel. Once we have
 * reported a group, we keep reporting it until the kernel has also left it.
 */

#include "control/proxy/proxy_priv.h"

static struct kgroups_filter held(
	const struct proxy *p, const struct proxy_port *us, const struct addr *group)
{
	static const struct kgroups nothing;
	const struct kgroups *k = p->kernel[addr_family(group)];

	return kgroups_filter(k ? k : &nothing, us->report_ifindex, group);
}

static bool is_none(const struct kgroups_filter *k)
{
	return k->mode == GM_INCLUDE && k->src->n == 0;
}

static bool is_reported(const struct proxy_port *us, const struct addr *group)
{
	const struct upstream_group *g = upstream_find(&us->upstream, group);

	return g && !gm_filter_is_none(&g->now);
}

const struct gm_filter *proxy_kernel_add(const struct proxy *p,
	const struct proxy_port *us, const struct addr *group,
	const struct gm_filter *wanted, struct gm_filter *buf)
{
	struct kgroups_filter k = held(p, us, group);
	bool nobody = gm_filter_is_none(wanted);
	int r;

	if (is_none(&k) || (nobody && !is_reported(us, group)))
		return wanted;
	buf->mode = k.mode == GM_EXCLUDE ? GM_EXCLUDE : wanted->mode;
	addrset_clear(&buf->src);
	if (k.mode == GM_EXCLUDE) /* EXCLUDE of everything */
		return buf;
	r = addrset_copy(&buf->src, &wanted->src);
	if (r == 0 && wanted->mode == GM_INCLUDE)
		r = addrset_union(&buf->src, k.src);
	else if (r == 0)
		addrset_subtract(&buf->src, k.src);
	return r < 0 ? NULL : buf;
}

static void report_again(
	struct proxy *p, mono_t now, struct proxy_port *us, const struct addr *group)
{
	static const struct gm_filter none = {.mode = GM_INCLUDE};
	const struct mdb_group *m = mdb_find(&p->mdb, group);

	proxy_report_upstream(p, now, us, group, m ? &m->merged : &none, NULL);
}

static void report_all(struct proxy *p, mono_t now, const struct kgroups *k)
{
	portset_for_each (&p->upstreams, i) {
		struct proxy_port *us = p->port[i];

		for (size_t n = 0; k && n < k->n; n++)
			if (k->v[n].ifindex == us->report_ifindex)
				report_again(p, now, us, &k->v[n].group);
	}
}

void proxy_kernel_changed(
	struct proxy *p, mono_t now, enum family family, const struct kgroups *old)
{
	report_all(p, now, old);
	report_all(p, now, p->kernel[family]);
}

/* Could a router that mistakes the record for ours conclude that we want less than
 * before? */
static bool takes_away(const struct gm_record *rec)
{
	switch (rec->type) {
	case GM_TO_IN:
	case GM_BLOCK:
		return true;
	case GM_TO_EX:
		return rec->n_src > 0;
	case GM_IS_IN:
	case GM_IS_EX:
	case GM_ALLOW:
		return false;
	}
	return false;
}

/* Forwarded messages also leave here, but messages with TTL 1 are never forwarded. A
 * link without an address borrows that of another one (IPv4). */
bool proxy_kernel_sent(const struct proxy_port *us, const struct gm_msg *msg)
{
	bool none = true;

	if (msg->notes & (GM_NOTE_UNICAST | GM_NOTE_TTL))
		return false;
	for (size_t i = 0; i < us->n_report_addr; i++) {
		const struct addr *own = &us->report_addr[i].addr;

		if (addr_eq(own, &msg->from))
			return true;
		if (addr_family(own) == msg->family)
			none = false;
	}
	return none;
}

void proxy_kernel_says(
	struct proxy *p, mono_t now, unsigned port, const struct gm_msg *msg)
{
	struct proxy_port *us = p->port[port];

	if (!us || us->role != CONFIG_ROLE_UPSTREAM || msg->kind != GM_REPORT)
		return;
	for (size_t i = 0; i < msg->n_rec; i++)
		if (takes_away(&msg->rec[i]))
			upstream_restate(&us->upstream, now, &msg->rec[i].group);
}

void proxy_kernel_keep(struct proxy *p, mono_t now, struct proxy_port *us)
{
	static const struct gm_filter none = {.mode = GM_INCLUDE};

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		const struct kgroups *k = p->kernel[f];

		for (size_t i = 0; k && i < k->n; i++) {
			if (k->v[i].ifindex != us->report_ifindex)
				continue;
			proxy_report_upstream(p, now, us, &k->v[i].group, &none, NULL);
			upstream_keep(&us->upstream, &k->v[i].group);
		}
	}
}
