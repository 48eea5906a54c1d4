/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The way in, see explain.h: may the stream be received here, is the provider asked for
 * it, and does it arrive? The order is that of forward.c.
 */

#include "control/report/explain_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static bool check_role(const struct explain_input *in, struct explain *e)
{
	if (in->receive) {
		explain_add(e, "role", in->i.name, EXPLAIN_PASS,
			"%s is %s, what arrives there is forwarded", in->i.name,
			in->upstream ? "an upstream" : "a downstream");
		return true;
	}
	explain_add(e, "role", in->i.name, EXPLAIN_REFUSE,
		"%s is a downstream, and what arrives on downstreams is not forwarded",
		in->i.name);
	explain_advise(e,
		"forward-from-downstream downstream (to the other downstreams) or all "
		"(also to the upstream)");
	return false;
}

/* The source was named, and must not send there. */
static bool refuse_source(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	const char *name = in->i.name;
	char source[ADDR_STRLEN], arrives[48] = "";
	const struct explain_refusal *seen =
		explain_find_refusal(f, &in->i, VERDICT_WRONG_INPUT);

	addr_format(&f->source, source);
	if (seen)
		snprintf(arrives, sizeof(arrives),
			"; %" PRIu64 " datagrams were refused", seen->n);
	if (in->source_broadcast) {
		explain_add(e, "source", name, EXPLAIN_REFUSE,
			"%s is the broadcast address of a subnet of %s, which no host has",
			source, name);
		return false;
	}
	if (*in->subnet_of)
		explain_add(e, "source", name, EXPLAIN_REFUSE,
			"%s belongs to the subnet of %s, so it must not send on %s%s",
			source, in->subnet_of, name, arrives);
	else
		explain_add(e, "source", name, EXPLAIN_REFUSE,
			"%s is in no subnet and no altnet of %s%s", source, name,
			arrives);
	if (seen)
		explain_weigh(e, EXPLAIN_STOPPED);
	explain_advise(e, "altnet %s/%d, or its network, in the phyint block of %s",
		source, addr_is_v4(&f->source) ? 32 : 128, name);
	return false;
}

static bool check_source(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	const char *name = in->i.name;
	char source[ADDR_STRLEN];

	if (f->has_source && !in->source_ok)
		return refuse_source(f, in, e);
	if (f->has_source) {
		explain_add(e, "source", name, EXPLAIN_PASS, "%s may send on %s: %s",
			addr_format(&f->source, source), name,
			*in->admitted ? in->admitted : "it is in its subnet");
		return true;
	}
	if (explain_refused_source(f, in, e))
		return false;
	if (f->wrong > 0 && !f->seen) {
		explain_add(e, "source", NULL, EXPLAIN_UNKNOWN,
			"%" PRIu64
			" datagrams of the group came from sources in no subnet "
			"and no altnet of their interface, but none lately",
			f->wrong);
		explain_advise(
			e, "altnet admits them; tcpdump -ni %s shows senders", name);
	}
	return true;
}

static bool check_input_boundary(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e)
{
	if (in->i.group_ok)
		return true;
	explain_add(e, "boundary", in->i.name, EXPLAIN_REFUSE,
		"the group ends at %s: %s", in->i.name, in->i.decided);
	if (explain_find_refusal(f, &in->i, VERDICT_ACL))
		explain_weigh(e, EXPLAIN_STOPPED);
	explain_advise(e, "see boundary and boundary-scope in the phyint block of %s",
		in->i.name);
	return false;
}

/* Is the provider asked? */
static bool check_report(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	const char *on = *in->report_interface ? in->report_interface : in->i.name;

	if (!in->policy_ok) {
		explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"the provider is not asked for the group on %s: %s", in->i.name,
			in->policy_by);
		explain_advise(e, "whitelist it in the phyint block of %s", in->i.name);
		return false;
	}
	if (!in->report_up) {
		explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"nothing can be reported: %s is not up, or has no address", on);
		explain_advise(e, "check the link and the addresses of %s", on);
		return false;
	}
	if (!in->asked) {
		explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"the provider is not asked for the group, because no member wants it");
		explain_weigh(e, EXPLAIN_FOLLOWS);
		explain_advise(e, "see the checks of the members");
		return false;
	}
	if (f->has_source && !in->asked_this && in->names_sources) {
		explain_add(e, "report", in->i.name, EXPLAIN_REFUSE,
			"the provider is asked for the group, but not from this source");
		explain_weigh(e, EXPLAIN_FOLLOWS);
		explain_advise(e,
			"the members name or exclude sources: show groups "
			"detail GROUP");
		return false;
	}
	explain_add(e, "report", in->i.name, EXPLAIN_PASS,
		"the provider is asked for the group on %s (version %u)", on,
		in->version);
	return true;
}

/* Reports may come from the unspecified address (R113), but many routers ignore
 * them. */
static void check_address(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	bool v4 = addr_is_v4(&f->group);
	const char *on = *in->report_interface ? in->report_interface : in->i.name;

	if (!in->no_address)
		return;
	explain_add(e, "address", in->i.name, EXPLAIN_UNKNOWN,
		"%s has no %s address, so the provider is asked from %s, which many "
		"routers ignore",
		on, v4 ? "IPv4" : "link-local IPv6", v4 ? "0.0.0.0" : "::");
	explain_weigh(e, explain_flows(f) ? EXPLAIN_LATER : EXPLAIN_FAULT);
	explain_advise(e,
		v4 ? "let DHCP give it one, or ip addr add ADDRESS/LEN dev %s"
		   : "ip addr show dev %s; sysctl net.ipv6 disable_ipv6",
		on);
}

/* Memberships last at the provider for slightly more than two query intervals: 260
 * s. */
static void check_upstream_querier(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e)
{
	char querier[ADDR_STRLEN];

	if (in->query_heard && in->query_age_ms <= in->query_expected_ms) {
		explain_add(e, "querier", in->i.name, EXPLAIN_PASS,
			"%s asked %" PRId64 " s ago and was answered",
			addr_format(&in->querier, querier), in->query_age_ms / 1000);
		return;
	}
	if (in->refresh_interval_ms > 0) {
		explain_add(e, "querier", in->i.name, EXPLAIN_PASS,
			"no query comes on %s, but reports are repeated every %u s",
			in->i.name, in->refresh_interval_ms / 1000);
		return;
	}
	if (in->query_heard)
		explain_add(e, "querier", in->i.name, EXPLAIN_UNKNOWN,
			"the last query on %s was %" PRId64
			" s ago: the provider may have forgotten the membership",
			in->i.name, in->query_age_ms / 1000);
	else
		explain_add(e, "querier", in->i.name, EXPLAIN_UNKNOWN,
			"no query was ever heard on %s: the provider may forget the "
			"membership after some minutes",
			in->i.name);
	/* the most likely reason for a stream that arrived and stopped */
	explain_weigh(e,
		f->seen && !explain_flows(f) && in->query_heard ? EXPLAIN_FAULT
								: EXPLAIN_LATER);
	explain_advise(e,
		"refresh-interval 60 repeats memberships unasked; also check "
		"that nothing filters IGMP or MLD queries on the way");
}

static bool comes_in_here(const struct explain_facts *f, const struct explain_input *in)
{
	return f->seen && strcmp(f->last_input, in->i.name) == 0;
}

static void check_arrival(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	char source[ADDR_STRLEN], age[40] = "none at the moment";
	bool here = comes_in_here(f, in);

	if (here && explain_flows(f)) {
		explain_add(e, "arrival", in->i.name, EXPLAIN_PASS,
			"%" PRIu64 " datagrams have arrived, the last one now, from %s",
			f->packets, addr_format(&f->last_source, source));
		return;
	}
	if (here) {
		if (f->age_ms >= 0)
			snprintf(age, sizeof(age), "none for %" PRId64 " s",
				f->age_ms / 1000);
		explain_add(e, "arrival", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " datagrams have arrived, but %s; the last one came "
			"from %s",
			f->packets, age, addr_format(&f->last_source, source));
		explain_weigh(e, EXPLAIN_ABSENT);
		explain_advise(e,
			"the sender pauses or has stopped, or the provider has; look at "
			"the querier above");
		return;
	}
	explain_add(e, "arrival", in->i.name,
		explain_flows(f) ? EXPLAIN_NOTE : EXPLAIN_UNKNOWN,
		"no datagram of it has arrived on %s since somebody has asked for it (%" PRIu64
		" frames of all groups have)",
		in->i.name, in->ring_packets);
	explain_weigh(e, EXPLAIN_ABSENT);
	explain_advise(e,
		"look at the wire: tcpdump -eni %s multicast; the sender, the VLAN (its "
		"tag must be that of the interface) and snooping switches are the usual "
		"causes",
		in->i.name);
}

static void note_load(const struct explain_input *in, struct explain *e)
{
	if (in->ring_drops == 0)
		return;
	explain_add(e, "load", in->i.name, EXPLAIN_NOTE,
		"%" PRIu64 " frames of all groups together were lost since the start, "
		"because the ring of %s was full",
		in->ring_drops, in->i.name);
	explain_advise(e, "ring-size, threads, cpu-affinity");
}

void explain_cabling(const struct explain_iface *i, struct explain *e)
{
	if (!i->echo_of[0])
		return;
	explain_add(e, "cabling", i->name, EXPLAIN_UNKNOWN,
		"frames that this router sends on %s come back here: both interfaces are on "
		"one segment",
		i->echo_of);
	explain_weigh(e, EXPLAIN_LATER);
	explain_advise(e, "separate their cables, or their VLANs in the switch");
}

void explain_input_checks(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	size_t from;

	if (!explain_iface_usable(f, &in->i, e) || !check_role(in, e))
		return;
	explain_cabling(&in->i, e);
	if (!check_source(f, in, e) || !check_input_boundary(f, in, e))
		return;
	if (in->upstream) {
		if (!check_report(f, in, e))
			return;
		check_address(f, in, e);
		check_upstream_querier(f, in, e);
	}
	from = e->n;
	explain_refused_datagrams(f, in, e);
	note_load(in, e);
	/* else the reason why nothing arrives is known */
	if (!explain_refuses(e, from))
		check_arrival(f, in, e);
}
