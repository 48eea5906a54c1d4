/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Other forwarders on the downstreams: copies that a sensor has seen go into the port's
 * struct forwarder, and its decisions into the forwarding entries and the log. Nothing
 * is reported upstream, because the port may have to take over at any time (R141).
 */

#include "control/proxy/proxy_priv.h"

bool proxy_wants_sensor(const struct proxy_port *pp, enum family family, mono_t now)
{
	const struct querier *q = &pp->querier[family];

	if (pp->role != CONFIG_ROLE_DOWNSTREAM || q->state == QUERIER_DOWN)
		return false;
	return q->state == QUERIER_STANDBY || mono_before(now, q->heard_until) ||
		pp->forwarder[family].n > 0;
}

/* A host of the LAN that sends to a group is not a forwarder. */
static bool is_sender(const struct proxy_port *pp, const struct addr *source)
{
	return prefix_any_contains(pp->subnet, pp->n_subnet, source) ||
		!addr_is_usable_source(source) || addr_is_link_local(source);
}

static bool proxy_forwarder_is_wanted(const struct proxy_port *pp,
	const struct addr *group, const struct addr *source)
{
	const struct mgroup *g = mgroup_find(&pp->groups, group);

	return g && mgroup_wants(g, source);
}

void proxy_copy(struct proxy_port *pp, mono_t now, const struct proxy_copy *copy,
	struct effects *fx)
{
	enum family family = addr_family(&copy->group);
	struct forwarder *f = &pp->forwarder[family];

	if (!forwarder_find(f, &copy->group, &copy->source) &&
		(is_sender(pp, &copy->source) ||
			!proxy_forwarder_is_wanted(pp, &copy->group, &copy->source)))
		return;
	if (forwarder_copy(
		    f, now, &copy->group, &copy->source, &copy->mac, copy->bytes) <= 0)
		return;
	proxy_group_changed(pp->proxy, now, pp->port, &copy->group);
	proxy_merge(pp->proxy, now, fx);
}

static void note_change(const struct proxy_port *pp, enum forwarder_change change,
	const struct forwarder_stream *s, struct effects *fx)
{
	const struct querier *q = &pp->querier[addr_family(&s->group)];
	bool elected = q->state == QUERIER_STANDBY && gm_mac_eq(&s->mac, &q->other_mac);

	if (change == FORWARDER_STOPPED || change == FORWARDER_RESUMED)
		effects_note_forwarder(fx, pp->port,
			change == FORWARDER_STOPPED ? NOTE_FORWARDER_STOPPED
						    : NOTE_FORWARDER_RESUMED,
			&s->group, elected ? &q->other : NULL, &s->mac);
}

void proxy_forwarder_decide(struct proxy_port *pp, mono_t now, enum family family,
	const struct proxy_counts *counts, struct effects *fx)
{
	const struct querier *q = &pp->querier[family];
	struct forwarder *f = &pp->forwarder[family];
	struct forwarder_rank rank = {.querier = q->state == QUERIER_ACTIVE,
		.own = pp->mac,
		.elected = q->other_mac};
	size_t i = 0;

	while (i < f->n) {
		struct forwarder_stream s = f->v[i];
		enum forwarder_change change = FORWARDER_FORGOTTEN;

		if (proxy_forwarder_is_wanted(pp, &s.group, &s.source)) {
			struct forwarder_count ours =
				counts->received(counts->ctx, pp, &s.group, &s.source);

			change = forwarder_decide(
				f, now, i, &ours, counts->sampling, &rank);
		} else
			forwarder_forget(f, i);
		if (change != FORWARDER_SAME)
			proxy_group_changed(pp->proxy, now, pp->port, &s.group);
		note_change(pp, change, &s, fx);
		i += change != FORWARDER_FORGOTTEN;
	}
	proxy_merge(pp->proxy, now, fx);
}
