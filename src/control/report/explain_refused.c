/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Recorded refusals of the group in question, see explain.h: datagrams at an input,
 * copies at an output, reports of hosts. Refusals of other groups are ignored.
 */

#include "control/report/explain_priv.h"

#include "base/cleanup.h"

#include <inttypes.h>
#include <stdio.h>

#define AGO_LEN 32

static const char *ago(int64_t ms, char buf[AGO_LEN])
{
	if (ms <= EXPLAIN_NOW_MS)
		snprintf(buf, AGO_LEN, "just now");
	else if (ms < 120000)
		snprintf(buf, AGO_LEN, "%" PRId64 " s ago", ms / 1000);
	else
		snprintf(buf, AGO_LEN, "%" PRId64 " min ago", ms / 60000);
	return buf;
}

static bool is_lately(const struct explain_refusal *r)
{
	return r->age_ms >= 0 && r->age_ms <= EXPLAIN_LATELY_MS && !r->would_pass;
}

static enum explain_weight weight_of(const struct explain_refusal *r)
{
	return r->age_ms <= EXPLAIN_NOW_MS ? EXPLAIN_STOPPED : EXPLAIN_FAULT;
}

const struct explain_refusal *explain_find_refusal(
	const struct explain_facts *f, const struct explain_iface *i, enum verdict why)
{
	for (size_t k = 0; k < i->refused.n; k++) {
		const struct explain_refusal *r = &i->refused.v[k];

		if (r->port == i->refused.port && r->why == why && is_lately(r) &&
			(!f->has_source || addr_eq(&r->from, &f->source)))
			return r;
	}
	return NULL;
}

/* ---- datagrams ---- */

/* Continues "N datagrams of it from S, the last one now, ". */
static const struct {
	enum verdict why;
	const char *check, *text, *advice;
	bool is_part; /* it may be a part of a stream that otherwise comes in */
} kinds[] = {
	{VERDICT_OWN_MAC, "loop",
		"had the MAC address of one of our interfaces as their source",
		"give the sender a MAC address of its own (a clone?), or look for the loop "
		"that brings our frames back"},
	{VERDICT_OTHERHOST, "frames",
		"were in Ethernet frames for the MAC address of another machine (of which one "
		"in 64 is counted)",
		"a switch or access point that turns multicast into unicast, or a MAC "
		"address that has changed: look at the frames with tcpdump -e"},
	{VERDICT_VLAN_MISMATCH, "vlan",
		"had the tag of another VLAN (one in 64 of them is counted)",
		"the phyint must be the interface of that VLAN (such as eth0.10), not the "
		"one below it"},
	{VERDICT_BAD_VERSION, "frames", "were not IP packets",
		"the sender, or something on the way, damages them", true},
	{VERDICT_BAD_IHL, "frames", "had a damaged IP header",
		"the sender, or something on the way, damages them", true},
	{VERDICT_BAD_LENGTH, "frames", "had an impossible IP length",
		"the sender, or something on the way, damages them", true},
	{VERDICT_BAD_CHECKSUM, "frames", "had a wrong checksum in the IP header",
		"the sender, or something on the way, damages them", true},
	{VERDICT_TRUNCATED, "frames", "were too large for the receive ring",
		"lower the MTU of the sender, or turn off generic-receive-offload",
		true},
	{VERDICT_SUPERFRAME, "frames",
		"were longer than the MTU of the interface and could not be cut",
		"ethtool -K INTERFACE gro off lro off", true},
	{VERDICT_MARTIAN_SOURCE, "source",
		"came from an address that no sender may have",
		"give the sender an ordinary address"},
	{VERDICT_SOURCE_ROUTE, "frames", "carried a source route",
		"no router forwards them; change the sender", true},
	{VERDICT_SOURCE_FILTERED, "members", "came from a source that no member wants",
		"the members name or exclude sources: show groups detail"},
	{VERDICT_EMPTY_OUTPUT, "members",
		"have members only on the interface where they arrive, or behind a port "
		"that refuses them",
		"see the checks of the outputs"},
	{VERDICT_CHECKSUM_UNFIXABLE, "frames",
		"had a partial checksum that could not be completed",
		"turn off transmit checksums at the sender: ethtool -K INTERFACE tx off",
		true},
};

static void refused_kind(const struct explain_facts *f, const struct explain_input *in,
	const struct explain_refusal *r, unsigned kind, struct explain *e)
{
	enum explain_verdict v = EXPLAIN_REFUSE;
	char source[ADDR_STRLEN], when[AGO_LEN];

	/* another sender, or a part of the stream that comes in */
	if (explain_flows(f))
		v = kinds[kind].is_part && r->age_ms <= EXPLAIN_NOW_MS ? EXPLAIN_UNKNOWN
								       : EXPLAIN_NOTE;
	explain_add(e, kinds[kind].check, in->i.name, v,
		"%" PRIu64
		" frames of it arrived on %s from %s, the last one %s, and were "
		"refused: they %s",
		r->n, in->i.name, addr_format(&r->from, source), ago(r->age_ms, when),
		kinds[kind].text);
	explain_weigh(e, weight_of(r));
	explain_advise(e, "%s", kinds[kind].advice);
}

static void refused_ttl(const struct explain_facts *f, const struct explain_input *in,
	struct explain *e)
{
	const struct explain_refusal *r =
		explain_find_refusal(f, &in->i, VERDICT_TTL_EXPIRED);
	char source[ADDR_STRLEN], when[AGO_LEN];

	if (!r || (r->age_ms > EXPLAIN_NOW_MS && explain_flows(f)))
		return;
	if (r->n >= f->packets)
		explain_add(e, "ttl", in->i.name, EXPLAIN_REFUSE,
			"all %" PRIu64 " datagrams of it that arrived on %s, the last "
			"one %s from %s, had a TTL of 1, which no router forwards",
			r->n, in->i.name, ago(r->age_ms, when),
			addr_format(&r->from, source));
	else
		explain_add(e, "ttl", in->i.name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " of %" PRIu64 " datagrams of it that arrived on "
			"%s, the last one %s from %s, had a TTL of 1, which no router "
			"forwards",
			r->n, f->packets, in->i.name, ago(r->age_ms, when),
			addr_format(&r->from, source));
	explain_weigh(e, weight_of(r));
	explain_advise(e,
		"let the sender use a larger TTL (IP_MULTICAST_TTL; many programs have 1 "
		"as default)");
}

void explain_refused_datagrams(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e)
{
	for (unsigned i = 0; i < array_len(kinds); i++) {
		const struct explain_refusal *r =
			explain_find_refusal(f, &in->i, kinds[i].why);

		if (r)
			refused_kind(f, in, r, i, e);
	}
	refused_ttl(f, in, e);
}

bool explain_refused_source(const struct explain_facts *f,
	const struct explain_input *in, struct explain *e)
{
	const struct explain_refusal *r =
		explain_find_refusal(f, &in->i, VERDICT_WRONG_INPUT);
	char source[ADDR_STRLEN], when[AGO_LEN];

	if (!r)
		return false;
	addr_format(&r->from, source);
	explain_add(e, "source", in->i.name,
		explain_flows(f) ? EXPLAIN_NOTE : EXPLAIN_REFUSE,
		"%" PRIu64
		" datagrams of it were refused on %s, the last one %s from %s: "
		"that is in no subnet and no altnet of %s",
		r->n, in->i.name, ago(r->age_ms, when), source, in->i.name);
	explain_weigh(e, weight_of(r));
	explain_advise(e, "altnet %s/%d, or its network, in the phyint block of %s",
		source, addr_is_v4(&r->from) ? 32 : 128, in->i.name);
	return !explain_flows(f);
}

/* ---- copies ---- */

void explain_refused_copies(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e)
{
	const struct explain_refusal *ttl =
		explain_find_refusal(f, &out->i, VERDICT_TTL_THRESHOLD);
	const struct explain_refusal *mtu =
		explain_find_refusal(f, &out->i, VERDICT_MTU_DF);
	const char *name = out->i.name;

	if (!mtu)
		mtu = explain_find_refusal(f, &out->i, VERDICT_FRAG_FAILED);
	if (ttl && ttl->age_ms <= EXPLAIN_NOW_MS) {
		explain_add(e, "threshold", name, EXPLAIN_REFUSE,
			"%" PRIu64 " copies of it had a TTL that is not above the "
			"threshold %u of %s",
			ttl->n, out->threshold, name);
		explain_weigh(e, EXPLAIN_STOPPED);
		explain_advise(e, "threshold 1, or a larger TTL at the sender");
	}
	if (mtu && mtu->age_ms <= EXPLAIN_NOW_MS) {
		explain_add(e, "mtu", name, EXPLAIN_UNKNOWN,
			"%" PRIu64 " copies of it were larger than the MTU %u of %s "
			"and must not be fragmented (DF, or IPv6)",
			mtu->n, out->mtu, name);
		explain_weigh(e, EXPLAIN_STOPPED);
		explain_advise(e,
			"raise the MTU of %s, or let the sender use smaller packets",
			name);
	}
}

/* ---- reports ---- */

const struct explain_refusal *explain_refused_join(const struct explain_output *out)
{
	const struct explain_refusal *best = NULL;

	for (size_t i = 0; i < out->joins.n; i++) {
		const struct explain_refusal *r = &out->joins.v[i];

		if (r->port == out->joins.port && is_lately(r) &&
			(!best || r->age_ms < best->age_ms))
			best = r;
	}
	return best;
}

static const struct {
	const char *text, *advice; /* NULL for a note about something else */
} joins[_NOTE_N] = {
	[NOTE_GROUP_LIMIT] = {"max-groups of the interface",
		"raise it if all of these groups are wanted"},
	[NOTE_GROUP_MEMORY] = {"the memory for groups of a LAN",
		"lower max-groups-per-host, or use a machine with more memory"},
	[NOTE_HOST_QUOTA] = {"max-groups-per-host",
		"raise it if that is a router with many hosts behind it"},
	[NOTE_SOURCE_LIMIT] = {"max-sources", "raise it if all of them are wanted"},
	[NOTE_ADDRESS_LIMIT] = {"the limit of all addresses",
		"lower max-sources or max-groups-per-host"},
	[NOTE_ADDRESS_SHARE] = {"the limit of addresses of one host",
		"find out what it does with so many sources"},
	[NOTE_GROUP_EVICTED] = {"the full table, in favour of hosts with less",
		"raise max-groups, or lower max-groups-per-host"},
	[NOTE_SOURCE_EVICTED] = {"max-sources, in favour of hosts with less",
		"raise it if all of them are wanted"},
	[NOTE_GROUP_DENIED] = {"whitelist, blacklist or boundary",
		"see these keywords in the phyint block"},
	[NOTE_SSM_REFUSED] = {"ssm-range: in it a join must name its source",
		"let the host use IGMPv3 or MLDv2 and name the source, or take the group "
		"out of ssm-range"},
	[NOTE_REPORT_FOREIGN] = {"the check of senders: it is in no subnet there",
		NULL},
};

bool explain_is_refused_join(enum note note)
{
	return joins[note].text != NULL;
}

void explain_name_join(const struct explain_output *out,
	const struct explain_refusal *r, struct explain *e)
{
	const char *name = out->i.name;
	char host[ADDR_STRLEN], limit[24] = "", when[AGO_LEN];

	if (r->value)
		snprintf(limit, sizeof(limit), " (%" PRIu32 ")", r->value);
	explain_add(e, "members", name, EXPLAIN_REFUSE,
		"the join of %s on %s was refused %s, by %s%s",
		gm_format_host(&r->from, host), name, ago(r->age_ms, when),
		joins[r->note].text, limit);
	if (joins[r->note].advice)
		explain_advise(e, "%s", joins[r->note].advice);
	else
		explain_advise(e,
			"altnet %s/%d, or its network, in the phyint block of %s", host,
			addr_is_v4(&r->from) ? 32 : 128, name);
}
