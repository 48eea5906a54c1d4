/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The way out, see explain.h: does a host want the stream here, may it go there, and do
 * copies get through?
 */

#include "control/report/explain_priv.h"

#include <inttypes.h>
#include <stdio.h>

static bool check_direction(const struct explain_output *out, struct explain *e)
{
	if (out->allowed)
		return true;
	explain_add(e, "direction", out->i.name, EXPLAIN_REFUSE,
		"what comes in there does not go to %s", out->i.name);
	explain_weigh(e, EXPLAIN_FOLLOWS);
	explain_advise(
		e, "forward-from-downstream says where frames of a downstream go");
	return false;
}

static bool check_output_boundary(const struct explain_output *out, struct explain *e)
{
	if (out->i.group_ok)
		return true;
	explain_add(e, "boundary", out->i.name, EXPLAIN_REFUSE,
		"%s does not let the group pass: %s", out->i.name, out->i.decided);
	explain_advise(e,
		"see these keywords in the phyint block of %s; of whitelist and "
		"blacklist the last match decides",
		out->i.name);
	return false;
}

const char *explain_yet(const struct explain_output *out, char buf[EXPLAIN_YET_LEN])
{
	*buf = '\0';
	if (out->answer_ms > 0)
		snprintf(buf, EXPLAIN_YET_LEN,
			" yet: the hosts were asked %" PRId64
			" s ago and may take %" PRId64 " s to answer",
			out->asked_ms / 1000, (out->answer_ms + 999) / 1000);
	return buf;
}

/* Explains that no host has joined, if no refused join is known. */
static void no_member(const struct explain_facts *f, const struct explain_output *out,
	struct explain *e)
{
	const char *name = out->i.name;
	bool full = out->max_groups > 0 && out->n_groups >= out->max_groups;
	char yet[EXPLAIN_YET_LEN];

	explain_add(e, "members", name, EXPLAIN_REFUSE,
		"no host on %s has joined the group%s", name,
		full ? ", and the interface is at its limit of groups"
		     : explain_yet(out, yet));
	explain_weigh(e,
		full || *out->limited_host || out->limited ? EXPLAIN_FAULT
							   : EXPLAIN_ABSENT);
	if (full)
		explain_advise(e,
			"%s has %zu groups, more are refused: raise max-groups, if the memory "
			"of this machine is enough for more",
			name, out->max_groups);
	else if (*out->limited_host)
		explain_advise(e,
			"%s sends more than host-message-rate allows, and messages of such "
			"hosts were refused or used in part within the last minute: a join "
			"may be missing. Its address may be forged",
			out->limited_host);
	else if (out->limited)
		explain_advise(e,
			"the hosts of %s together send more than message-rate allows, and "
			"messages were refused or used in part within the last minute: a "
			"join may be missing",
			name);
	else if (f->ssm)
		explain_advise(e,
			"join it there; in the SSM range a join must name its source "
			"(IGMPv3, MLDv2)");
	else
		explain_advise(e,
			"join it there; if a host says it has, 'ringcastctl capture -i %s' "
			"shows whether its report arrives: a switch, an access point or the host's "
			"firewall may drop it",
			name);
}

bool explain_output_is_quiet(
	const struct explain_facts *f, const struct explain_output *out)
{
	bool limited = out->limited || *out->limited_host ||
		(out->max_groups > 0 && out->n_groups >= out->max_groups);

	return out->i.has_role && out->i.present && out->i.up && !out->i.error &&
		out->i.family && out->i.group_ok && out->allowed && !out->has_group &&
		out->forwards && !limited && !explain_refused_join(out);
}

static bool check_members(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e)
{
	const char *name = out->i.name;

	if (!out->has_group) {
		const struct explain_refusal *join = explain_refused_join(out);

		if (join)
			explain_name_join(out, join, e);
		else
			no_member(f, out, e);
		return false;
	}
	if (f->has_source && !out->wants) {
		explain_add(e, "members", name, EXPLAIN_REFUSE,
			"the members on %s want the group, but not from this source "
			"(%u sources are named)",
			name, out->n_sources);
		explain_advise(e, "show groups detail shows what each host asked for");
		return false;
	}
	if (out->n_hosts > 0)
		explain_add(e, "members", name, EXPLAIN_PASS,
			"%u host%s on %s want%s it", out->n_hosts,
			out->n_hosts == 1 ? "" : "s", name,
			out->n_hosts == 1 ? "s" : "");
	else
		explain_add(e, "members", name, EXPLAIN_PASS,
			"members on %s want it, of an older version that does not say "
			"how many",
			name);
	return true;
}

static bool check_lan_querier(const struct explain_output *out, struct explain *e)
{
	const char *name = out->i.name;
	char other[ADDR_STRLEN];

	if (out->querier) {
		explain_add(e, "querier", name, EXPLAIN_PASS,
			"this router is querier on %s", name);
		return true;
	}
	addr_format(&out->other_querier, other);
	if (out->forwards) {
		explain_add(e, "querier", name, EXPLAIN_PASS,
			"%s is querier on %s, but this router continues forwarding",
			other, name);
		return true;
	}
	explain_add(e, "querier", name, EXPLAIN_REFUSE,
		"%s is querier on %s, so that router forwards there and this one does "
		"not",
		other, name);
	explain_advise(e,
		"'forwarding evidence' or always-querier in the phyint block of %s, end the "
		"other router's querier, or give this one the lower address",
		name);
	return false;
}

static bool check_forwarder(const struct explain_output *out, struct explain *e)
{
	const char *name = out->i.name;
	char mac[ADDR_STRLEN];

	if (!out->standby && !out->doubled)
		return true;
	explain_add(e, "forwarder", name,
		out->standby ? EXPLAIN_REFUSE : EXPLAIN_UNKNOWN,
		"%s forwards the stream to %s, %s", gm_format_mac(&out->other_mac, mac),
		name,
		out->standby ? "so this router leaves the stream to it"
			     : "and so does this router: datagrams arrive twice");
	explain_advise(e,
		out->standby
			? "the hosts get it from there; if they should not, end multicast "
			  "forwarding on it or write 'forwarding always'"
			: "end multicast forwarding on one of the two; 'forwarding "
			  "evidence' without always-querier ends it here");
	return !out->standby;
}

static void check_table(const struct explain_output *out, struct explain *e)
{
	if (out->in_table) {
		explain_add(e, "table", out->i.name, EXPLAIN_PASS,
			"the forwarding entry names %s", out->i.name);
		return;
	}
	explain_add(e, "table", out->i.name, EXPLAIN_UNKNOWN,
		"the forwarding entry does not name %s yet", out->i.name);
	explain_weigh(e, EXPLAIN_FOLLOWS);
	explain_advise(e, "ask again; if it stays so, that is a fault of this program");
}

static void note_not_sent(const struct explain_output *out, struct explain *e)
{
	if (out->not_sent == 0)
		return;
	explain_add(e, "transmit", out->i.name, EXPLAIN_NOTE,
		"%" PRIu64
		" copies of all groups together were refused by the kernel for "
		"%s since the start",
		out->not_sent, out->i.name);
	explain_advise(e,
		"show stats names the reasons; tx_full and tx_queue mean that the link is "
		"slower than the stream");
}

void explain_output_checks(const struct explain_facts *f,
	const struct explain_output *out, struct explain *e)
{
	if (!explain_iface_usable(f, &out->i, e) || !check_direction(out, e))
		return;
	explain_cabling(&out->i, e);
	if (!check_output_boundary(out, e) || !check_lan_querier(out, e))
		return;
	if (!check_members(f, out, e) || !check_forwarder(out, e))
		return;
	check_table(out, e);
	explain_refused_copies(f, out, e);
	note_not_sent(out, e);
}
