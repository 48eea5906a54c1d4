/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The way in, see explain.h: may the stream be received here, is the provider asked
 * for it, does it come. The order is that of forward.c.
 */

#include "control/explain_priv.h"

#include <inttypes.h>
#include <string.h>

static bool check_role(const struct explain_input *in, struct explain *e)
{
	struct explain_check *c;

	if (in->receive) {
		explain_add(e, "role", in->i.name, EXPLAIN_PASS,
			"%s is %s, what arrives there is forwarded", in->i.name,
			in->upstream ? "an upstream" : "a downstream");
		return true;
	}
	c = explain_add(e, "role", in->i.name, EXPLAIN_REFUSE,
		"%s is a downstream, and what arrives on downstreams is not forwarded",
		in->i.name);
	explain_advise(c,
		"forward-from-downstream downstream (to the other downstreams) or all "
		"(to the upstream, too)");
	return false;
}

static bool check_source(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	const char *name = in->i.name;
	char source[ADDR_STRLEN];
	struct explain_check *c;

	if (f->has_source && !in->source_ok) {
		addr_format(&f->source, source);
		if (in->source_broadcast) {
			explain_add(e, "source", name, EXPLAIN_REFUSE,
				"%s is the broadcast address of a subnet of %s, which no "
				"host has",
				source, name);
			return false;
		}
		c = explain_add(e, "source", name, EXPLAIN_REFUSE,
			"%s is in no subnet and no altnet of %s", source, name);
		explain_advise(c,
			"altnet %s/%d, or its network, in the phyint block of %s",
			source, addr_is_v4(&f->source) ? 32 : 128, name);
		return false;
	}
	if (f->has_source) {
		explain_add(e, "source", name, EXPLAIN_PASS,
			"%s may send on %s (its subnet or an altnet)",
			addr_format(&f->source, source), name);
		return true;
	}
	if (f->wrong > 0 && !f->seen) {
		c = explain_add(e, "source", name, EXPLAIN_REFUSE,
			"%" PRIu64
			" datagrams of the group came from sources in no subnet "
			"and no altnet of their interface",
			f->wrong);
		explain_advise(c,
			"name the source to see what it needs: explain GROUP "
			"SOURCE; altnet admits it");
		return false;
	}
	return true;
}

static bool check_boundary(const struct explain_input *in, struct explain *e)
{
	struct explain_check *c;

	if (in->i.group_ok)
		return true;
	c = explain_add(e, "boundary", in->i.name, EXPLAIN_REFUSE,
		"the group ends at %s: a boundary, or the scope of the address",
		in->i.name);
	explain_advise(c, "see boundary and boundary-scope in the phyint block of %s",
		in->i.name);
	return false;
}

/* Is the provider asked? */
static bool check_report(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	const char *on = *in->report_interface ? in->report_interface : in->i.name;
	struct explain_check *c;

	if (!in->policy_ok) {
		c = explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"whitelist, blacklist or a boundary of %s keep the group from "
			"being asked for",
			in->i.name);
		explain_advise(c, "whitelist it in the phyint block of %s", in->i.name);
		return false;
	}
	if (!in->report_up) {
		c = explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"nothing can be reported: %s is not up, or has no address", on);
		explain_advise(c, "check the link and the addresses of %s", on);
		return false;
	}
	if (!in->asked) {
		c = explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"the provider is not asked for the group, because no member wants it");
		explain_advise(c, "see the checks of the members");
		return false;
	}
	if (f->has_source && !in->asked_this && in->names_sources) {
		c = explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"the provider is asked for the group, but not from this source");
		explain_advise(c,
			"the members name or exclude sources: show groups "
			"detail GROUP");
		return false;
	}
	explain_add(e, "report", in->i.name, EXPLAIN_PASS,
		"the provider is asked for the group on %s (version %u)", on,
		in->version);
	return true;
}

/* Memberships live at the provider for two query intervals and a bit: 260 s. */
static void check_querier(const struct explain_input *in, struct explain *e)
{
	char querier[ADDR_STRLEN];
	struct explain_check *c;

	if (in->query_heard && in->query_age_ms <= in->query_expected_ms) {
		explain_add(e, "querier", in->i.name, EXPLAIN_PASS,
			"%s asked %" PRId64 " s ago and was answered",
			addr_format(&in->querier, querier), in->query_age_ms / 1000);
		return;
	}
	if (in->refresh_interval_ms > 0) {
		explain_add(e, "querier", in->i.name, EXPLAIN_PASS,
			"nobody asks on %s, but memberships are repeated every %u s",
			in->i.name, in->refresh_interval_ms / 1000);
		return;
	}
	if (in->query_heard)
		c = explain_add(e, "querier", in->i.name, EXPLAIN_UNKNOWN,
			"the last query on %s was %" PRId64
			" s ago: the provider may have forgotten the membership",
			in->i.name, in->query_age_ms / 1000);
	else
		c = explain_add(e, "querier", in->i.name, EXPLAIN_UNKNOWN,
			"no query was ever heard on %s: the provider may forget the "
			"membership after some minutes",
			in->i.name);
	explain_advise(c,
		"refresh-interval 60 repeats memberships unasked; also check "
		"that nothing filters IGMP or MLD queries on the way");
}

static void check_arrival(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	bool here = f->seen && strcmp(f->last_input, in->i.name) == 0;
	char source[ADDR_STRLEN];
	struct explain_check *c;

	if (here && (!f->rate_known || f->rate > 0)) {
		explain_add(e, "arrival", in->i.name, EXPLAIN_PASS,
			"%" PRIu64 " datagrams have arrived, the last one from %s",
			f->packets, addr_format(&f->last_source, source));
		return;
	}
	if (here) {
		c = explain_add(e, "arrival", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64
			" datagrams have arrived, but none at the moment; the "
			"last one came from %s",
			f->packets, addr_format(&f->last_source, source));
		explain_advise(c,
			"the sender pauses, or the provider has stopped: look "
			"at the querier above");
		return;
	}
	c = explain_add(e, "arrival", in->i.name, EXPLAIN_UNKNOWN,
		"no datagram of it has arrived on %s since the entry exists (%" PRIu64
		" frames of all kinds have)",
		in->i.name, in->ring_packets);
	explain_advise(c,
		"look at the wire: tcpdump -ni %s multicast; the sender, the "
		"VLAN and snooping switches are the usual causes",
		in->i.name);
}

/* What the counters of the interface tell; they are of all groups. */
static void check_counters(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e)
{
	bool arrives = f->seen && strcmp(f->last_input, in->i.name) == 0;
	struct explain_check *c;

	if (in->ttl_expired > 0) {
		c = explain_add(e, "ttl", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " datagrams arrived on %s with a TTL of 1, which no "
			"router forwards",
			in->ttl_expired, in->i.name);
		explain_advise(c,
			"let the sender use a larger TTL (IP_MULTICAST_TTL; "
			"many programs have 1 as default)");
	}
	if (in->ring_drops > 0) {
		c = explain_add(e, "load", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " frames were lost because the ring of %s was full",
			in->ring_drops, in->i.name);
		explain_advise(c, "ring-size, threads, cpu-affinity");
	}
	if (!arrives && in->foreign_vlan > 0) {
		c = explain_add(e, "vlan", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " frames on %s had the tag of another VLAN",
			in->foreign_vlan, in->i.name);
		explain_advise(c,
			"the phyint is the VLAN interface (%s.ID), not the "
			"one below it",
			in->i.name);
	}
	if (!arrives && in->damaged + in->truncated > 0) {
		c = explain_add(e, "frames", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " frames on %s were damaged or cut off",
			in->damaged + in->truncated, in->i.name);
		explain_advise(c, "show stats names the reasons");
	}
}

void explain_cabling(const struct explain_iface *i, struct explain *e)
{
	struct explain_check *c;

	if (!i->echo_of[0])
		return;
	c = explain_add(e, "cabling", i->name, EXPLAIN_UNKNOWN,
		"frames that this router sends on %s come back here: both interfaces are on "
		"one segment",
		i->echo_of);
	explain_advise(c, "separate their cables, or their VLANs in the switch");
}

void explain_input_checks(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	if (!explain_iface_usable(f, &in->i, e) || !check_role(in, e))
		return;
	explain_cabling(&in->i, e);
	if (!check_source(f, in, e) || !check_boundary(in, e))
		return;
	if (in->upstream) {
		if (!check_report(f, in, e))
			return;
		check_querier(in, e);
	}
	/* first what may be the cause of the other */
	check_counters(f, in, e);
	check_arrival(f, in, e);
}
