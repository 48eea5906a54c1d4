/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The answers of explain: the effect of each fact on the answer, and which of two facts
 * is named as the cause.
 */

#include "explain_fixture.h"

#include <stdlib.h>

/* Datagrams of G from the source in question, or from 172.16.5.5, were refused. */
static void refused(struct situation *s, unsigned input, enum verdict why, int64_t age)
{
	struct explain_refusals *r = &s->in[input].i.refused;

	s->refused[input][r->n] = (struct explain_refusal){.why = why,
		.n = 313,
		.age_ms = age,
		.from = s->f.has_source ? s->f.source : a("172.16.5.5")};
	r->v = s->refused[input];
	r->n++;
}

static void copies(struct situation *s, enum verdict why, int64_t age)
{
	struct explain_refusals *r = &s->out[0].i.refused;

	s->copies[r->n] = (struct explain_refusal){
		.why = why, .n = 5, .age_ms = age, .from = a("10.9.0.1")};
	r->v = s->copies;
	r->n++;
}

static void join_refused(
	struct situation *s, unsigned lan, enum note note, uint32_t value, int64_t age)
{
	struct explain_refusals *r = &s->out[lan].joins;

	s->out[lan].has_group = false;
	s->joins[lan][r->n] = (struct explain_refusal){.note = note,
		.n = 1,
		.age_ms = age,
		.from = a("10.1.0.66"),
		.value = value};
	r->v = s->joins[lan];
	r->n++;
}

static void stops(struct situation *s)
{
	s->f.seen = false;
	s->f.packets = 0;
	s->f.age_ms = -1;
}

#define CHANGE(name, ...)                                                              \
	static void name(struct situation *s)                                          \
	{                                                                              \
		__VA_ARGS__;                                                           \
	}

/* the group and the source */
CHANGE(unicast, s->f.group = a("10.1.2.3"))
CHANGE(local_group, s->f.group = a("224.0.0.251"))
CHANGE(local_group6, s->f.group = a("ff02::fb"))
CHANGE(loopback_source, s->f.source = a("127.0.0.1"))
CHANGE(link_local_source, s->f.source = a("169.254.1.1"))
CHANGE(own_source, s->f.source_own = true)
CHANGE(any_source, s->f.has_source = false)
CHANGE(group6, s->f.group = a("ff0e::1"); s->f.source = a("2001:db8::1"))
/* the input */
CHANGE(no_role, s->in[0].i.has_role = false)
CHANGE(absent, s->in[0].i.present = false; stops(s))
CHANGE(down, s->in[0].i.up = false; stops(s))
CHANGE(socket_error, s->in[0].i.error = "Operation not permitted"; stops(s))
CHANGE(family_off, s->in[0].i.family = false; stops(s))
CHANGE(from_lan, s->in[0].receive = s->in[0].upstream = false; stops(s);
	strcpy(s->in[0].i.name, "lan3"))
CHANGE(among_lans, s->in[0].upstream = s->in[0].asked = false)
CHANGE(foreign_source, s->in[0].source_ok = false; stops(s))
CHANGE(source_elsewhere, s->in[0].source_ok = false; stops(s);
	strcpy(s->in[0].subnet_of, "lan2"))
CHANGE(by_altnet, strcpy(s->in[0].admitted, "'altnet 10.9.0.0/16', line 3 of tv.conf"))
CHANGE(no_altnet, s->f.has_source = false; stops(s); s->f.wrong = 313;
	refused(s, 0, VERDICT_WRONG_INPUT, 100))
CHANGE(no_altnet_named, s->in[0].source_ok = false; stops(s);
	refused(s, 0, VERDICT_WRONG_INPUT, 100))
CHANGE(no_altnet_before, s->f.has_source = false; stops(s); s->f.wrong = 313;
	refused(s, 0, VERDICT_WRONG_INPUT, 90000))
CHANGE(no_altnet_cured, no_altnet(s); s->refused[0][0].would_pass = true)
CHANGE(other_sender, s->f.has_source = false; refused(s, 0, VERDICT_WRONG_INPUT, 0))
CHANGE(boundary_in, s->in[0].i.group_ok = false; stops(s);
	strcpy(s->in[0].i.decided, "'boundary 239.0.0.0/8', line 7 of tv.conf"))
CHANGE(denied_upstream, s->in[0].policy_ok = false; stops(s);
	strcpy(s->in[0].policy_by, "'blacklist 239.1.0.0/16', line 9 of tv.conf"))
CHANGE(report_down, s->in[0].report_up = false; stops(s);
	strcpy(s->in[0].report_interface, "voice"))
CHANGE(no_address, s->in[0].no_address = true)
CHANGE(no_address_there, no_address(s); strcpy(s->in[0].report_interface, "voice"))
CHANGE(unknown_role, s->in[0].i.has_role = s->in[0].i.present = false)
CHANGE(not_asked, s->in[0].asked = s->in[0].asked_this = false; stops(s))
CHANGE(not_this_source, s->in[0].asked_this = false; stops(s))
CHANGE(old_querier, s->in[0].asked_this = s->in[0].names_sources = false)
CHANGE(no_query, s->in[0].query_heard = false)
CHANGE(refreshed, s->in[0].refresh_interval_ms = 60000)
CHANGE(query_long_ago, s->in[0].query_age_ms = 300000)
CHANGE(nothing_came, stops(s))
CHANGE(died, s->f.age_ms = 8000)
CHANGE(age_unknown, s->f.age_ms = -1)
CHANGE(pause_of_a_moment, s->f.age_ms = EXPLAIN_NOW_MS)
CHANGE(ttl_one, s->f.packets = 313; refused(s, 0, VERDICT_TTL_EXPIRED, 0))
CHANGE(ttl_of_some, s->f.packets = 1000; refused(s, 0, VERDICT_TTL_EXPIRED, 0))
CHANGE(ttl_before, s->f.packets = 1000; refused(s, 0, VERDICT_TTL_EXPIRED, 60000))
CHANGE(ttl_of_another, ttl_one(s); s->refused[0][0].from = a("10.9.0.2"))
CHANGE(own_mac, stops(s); refused(s, 0, VERDICT_OWN_MAC, 0))
CHANGE(echo_with, refused(s, 0, VERDICT_OWN_MAC, 0))
CHANGE(other_host, stops(s); refused(s, 0, VERDICT_OTHERHOST, 0))
CHANGE(vlan_tag, stops(s); refused(s, 0, VERDICT_VLAN_MISMATCH, 0))
CHANGE(bad_checksum, stops(s); refused(s, 0, VERDICT_BAD_CHECKSUM, 0))
CHANGE(partly_damaged, refused(s, 0, VERDICT_BAD_LENGTH, 0))
CHANGE(too_long, stops(s); refused(s, 0, VERDICT_SUPERFRAME, 0))
CHANGE(unwanted_source, stops(s); refused(s, 0, VERDICT_SOURCE_FILTERED, 0))
CHANGE(ring_full, s->in[0].ring_drops = 9)
CHANGE(echo, strcpy(s->in[0].i.echo_of, "lan1"))
/* a second upstream */
CHANGE(two_inputs, s->f.n_input = 2)
CHANGE(came_elsewhere, s->f.n_input = 2; strcpy(s->f.last_input, "wan2"))
CHANGE(ttl_one_elsewhere, s->f.n_input = 2; stops(s);
	refused(s, 1, VERDICT_TTL_EXPIRED, 0))
/* the output */
CHANGE(no_members, s->out[0].has_group = false)
CHANGE(
	just_asked, for (unsigned i = 0; i < 2; i++) {
		s->out[i].asked_ms = 3100;
		s->out[i].answer_ms = 10000;
	})
CHANGE(four_lans, s->f.n_output = N_LANS)
CHANGE(one_lan, s->f.n_output = 1)
CHANGE(full, s->out[0].has_group = false; s->out[0].n_groups = s->out[0].max_groups = 8)
CHANGE(below_limit, s->out[0].has_group = false; s->out[0].n_groups = 7;
	s->out[0].max_groups = 8)
CHANGE(ssm, s->f.ssm = true; s->out[0].has_group = false)
CHANGE(host_limited, s->out[0].has_group = false;
	strcpy(s->out[0].limited_host, "02:00:00:00:00:66 (10.1.0.66)"))
CHANGE(port_limited, s->out[0].has_group = false; s->out[0].limited = true)
CHANGE(quota, join_refused(s, 1, NOTE_HOST_QUOTA, 8, 2000))
CHANGE(quota_long_ago, join_refused(s, 1, NOTE_HOST_QUOTA, 8, 3600000))
CHANGE(foreign_host, join_refused(s, 0, NOTE_REPORT_FOREIGN, 0, 2000))
CHANGE(ssm_join, join_refused(s, 0, NOTE_SSM_REFUSED, 0, 2000))
CHANGE(listed_join, join_refused(s, 0, NOTE_GROUP_DENIED, 0, 2000))
CHANGE(evicted, join_refused(s, 0, NOTE_GROUP_EVICTED, 512, 200000))
CHANGE(two_refusals, join_refused(s, 0, NOTE_GROUP_LIMIT, 16, 9000);
	join_refused(s, 0, NOTE_HOST_QUOTA, 8, 1000))
CHANGE(other_source_wanted, s->out[0].wants = false; s->out[0].n_sources = 3)
CHANGE(older_members, s->out[0].n_hosts = 0)
CHANGE(standby, s->out[0].querier = s->out[0].forwards = false;
	s->out[0].other_querier = a("10.0.1.9"))
CHANGE(standby2, s->out[1].querier = s->out[1].forwards = false;
	s->out[1].other_querier = a("10.0.1.9"))
CHANGE(non_querier, s->out[0].querier = false; s->out[0].other_querier = a("10.0.1.9"))
CHANGE(left_to_other, s->out[0].standby = true;
	s->out[0].other_mac = ((struct gm_mac){{2, [5] = 9}}))
CHANGE(doubled, s->out[0].doubled = true;
	s->out[0].other_mac = ((struct gm_mac){{2, [5] = 9}}))
CHANGE(boundary_out, s->out[0].i.group_ok = false;
	strcpy(s->out[0].i.decided, "no whitelist names it"))
CHANGE(not_allowed, s->out[0].allowed = s->out[1].allowed = false)
CHANGE(lan_down, s->out[0].i.up = false; s->out[0].has_group = false)
CHANGE(lan2_down, s->out[1].i.up = false)
CHANGE(bridge_port, s->out[0].i.up = s->out[0].has_group = false;
	strcpy(s->out[0].i.master, "br0"))
CHANGE(bridge_port_in, s->in[0].i.up = false; strcpy(s->in[0].i.master, "br0");
	stops(s))
CHANGE(both_down, lan_down(s); lan2_down(s))
CHANGE(
	both_barred, for (unsigned i = 0; i < 2; i++) {
		s->out[i].i.group_ok = s->out[i].has_group = false;
		strcpy(s->out[i].i.decided, "no whitelist names it");
	})
CHANGE(barred_apart, both_barred(s);
	strcpy(s->out[1].i.decided, "'blacklist 239.1.2.0/24', line 9 of tv.conf"))
CHANGE(barred_join, both_barred(s); join_refused(s, 1, NOTE_GROUP_DENIED, 0, 2000))
CHANGE(
	all_barred, s->f.n_output = N_LANS; for (unsigned i = 0; i < N_LANS; i++) {
		s->out[i].i.group_ok = s->out[i].has_group = false;
		strcpy(s->out[i].i.decided, "no whitelist names it");
	} join_refused(s, 2, NOTE_GROUP_DENIED, 0, 60000))
CHANGE(
	others_barred, s->f.n_output = N_LANS; for (unsigned i = 1; i < N_LANS; i++) {
		s->out[i].i.group_ok = false;
		strcpy(s->out[i].i.decided, "no whitelist names it");
	})
CHANGE(others_down, s->f.n_output = N_LANS;
	for (unsigned i = 1; i < N_LANS; i++) s->out[i].i.up = false)
CHANGE(not_in_table, s->out[0].in_table = false)
CHANGE(below_threshold, s->out[0].threshold = 16; copies(s, VERDICT_TTL_THRESHOLD, 0))
CHANGE(too_large, copies(s, VERDICT_MTU_DF, 0))
CHANGE(too_large_before, copies(s, VERDICT_MTU_DF, 9000))
CHANGE(link_full, s->out[0].not_sent = 5)
CHANGE(no_other, s->f.n_output = 1; s->out[0].is_input = true)
CHANGE(no_upstream, s->f.n_input = 0; stops(s))
CHANGE(no_downstream, s->f.n_output = 0)
CHANGE(own_output, s->out[0].is_input = true)
CHANGE(asked_about_input, s->f.n_output = 1;
	s->f.one_output = s->out[0].is_input = true)
CHANGE(asked_about_one, s->out[0] = s->out[1]; s->f.n_output = 1;
	s->f.one_output = true)

#define STOPS  "it stops here: "
#define DOUBTS "nothing refuses it, but: "

/* A situation has one fault or several. The summary begins with `headline`. If `check`
 * is given, that check has that verdict on that interface, and its advice contains
 * `advice`. */
static const struct situation_case {
	const char *name;
	void (*change[3])(struct situation *s);
	enum explain_verdict verdict; /* of the whole answer */
	const char *headline;
	const char *check, *interface;
	enum explain_verdict check_verdict;
	const char *advice;
} cases[] = {
#define P EXPLAIN_PASS
#define R EXPLAIN_REFUSE
#define U EXPLAIN_UNKNOWN
#define N EXPLAIN_NOTE
	{"all is well", {NULL}, P, FLOWS, "sent", "", N, "ip -s link show lan1"},
	/* one fault */
	{"unicast group", {unicast}, R, STOPS "10.1.2.3 is not a multicast address",
		"group", "", R, "comes first"},
	{"group of the link", {local_group}, R,
		STOPS "224.0.0.251 never leaves its link", "group", "", R,
		"239.0.0.0/8"},
	{"group of the link, IPv6", {local_group6}, R,
		STOPS "ff02::fb never leaves its link", "group", "", R, "ff05::"},
	{"loopback source", {loopback_source}, R,
		STOPS "packets from 127.0.0.1 are not forwarded", "source", "", R,
		"ordinary"},
	{"link-local source", {link_local_source}, R,
		STOPS "packets from 169.254.1.1 are not forwarded", "source", "", R,
		"ordinary"},
	{"source is this router", {own_source}, R,
		STOPS "10.9.0.1 is an address of this router", "source", "", R, "loop"},
	{"interface without a role", {no_role}, R, STOPS "wan has no role in the proxy",
		"interface", "wan", R, "phyint wan upstream"},
	{"a name that nobody has", {unknown_role}, R,
		STOPS "there is no interface wan, neither in the system nor in",
		"interface", "wan", R, "show interfaces"},
	{"upstream is absent", {absent}, R, STOPS "the system has no interface wan",
		"interface", "wan", R, "create it"},
	{"upstream is down", {down}, R, STOPS "wan is down", "interface", "wan", R,
		"ip link show wan"},
	{"no sockets", {socket_error}, R,
		STOPS "no sockets could be opened on wan: Operation not permitted",
		"interface", "wan", R, "log"},
	{"family is off", {family_off}, R, STOPS "IPv4 is switched off on wan",
		"interface", "wan", R, "ipv4 on"},
	{"family is off, IPv6", {group6, family_off}, R,
		STOPS "IPv6 is switched off on wan", "interface", "wan", R, "ipv6 on"},
	{"from a LAN", {from_lan}, R,
		STOPS "lan3 is a downstream, and what arrives on downstreams is not",
		"role", "lan3", R, "forward-from-downstream"},
	{"from LAN to LAN, allowed", {among_lans}, P, FLOWS},
	{"the source must not send there", {foreign_source}, R,
		STOPS "10.9.0.1 is in no subnet and no altnet of wan", "source", "wan",
		R, "altnet 10.9.0.1/32"},
	{"the same, IPv6", {group6, foreign_source}, R,
		STOPS "2001:db8::1 is in no subnet and no altnet of wan", "source",
		"wan", R, "altnet 2001:db8::1/128"},
	{"the source belongs to another interface", {source_elsewhere}, R,
		STOPS "10.9.0.1 belongs to the subnet of lan2", "source", "wan", R,
		"altnet"},
	{"an altnet admits it", {by_altnet}, P, FLOWS},
	{"no altnet, source not named", {no_altnet}, R,
		STOPS
		"313 datagrams of it were refused on wan, the last one just now from "
		"172.16.5.5: that is in no subnet and no altnet",
		"source", "wan", R, "altnet 172.16.5.5/32"},
	{"no altnet, source named", {no_altnet_named}, R,
		STOPS
		"10.9.0.1 is in no subnet and no altnet of wan; 313 datagrams were "
		"refused",
		"source", "wan", R, "altnet 10.9.0.1/32"},
	{"no altnet, the stream has ended", {no_altnet_before}, R,
		STOPS "313 datagrams of it were refused on wan, the last one 90 s ago",
		"source", "wan", R, "altnet"},
	{"no altnet before a reload", {no_altnet_cured}, U,
		DOUBTS "313 datagrams of the group came from sources", "source", "", U,
		"tcpdump -ni wan"},
	{"another sender has no altnet", {other_sender}, P, FLOWS, "source", "wan", N,
		"altnet 172.16.5.5/32"},
	{"boundary at the upstream", {boundary_in}, R,
		STOPS
		"the group ends at wan: 'boundary 239.0.0.0/8', line 7 of tv.conf",
		"boundary", "wan", R, "boundary-scope"},
	{"blacklist of the upstream", {denied_upstream}, R,
		STOPS
		"the provider is not asked for the group on wan: 'blacklist 239.1.0.0/16', line 9",
		"report", "wan", R, "whitelist it"},
	{"report-interface is down", {report_down}, R,
		STOPS "nothing can be reported: voice is not up", "report", "wan", R,
		"voice"},
	{"provider is not asked", {not_asked}, R,
		STOPS "the provider is not asked for the group", "report", "wan", R,
		"members"},
	{"provider is asked for other sources", {not_this_source}, R,
		STOPS "the provider is asked for the group, but not from this source",
		"report", "wan", R, "detail"},
	{"older querier, no sources", {old_querier}, P, FLOWS},
	{"no query, but it arrives", {no_query}, P,
		FLOWS "; but: no query was ever heard on wan", "querier", "wan", U,
		"refresh-interval 60"},
	{"no query, refreshed", {no_query, refreshed}, P, FLOWS},
	{"last query long ago, but it arrives", {query_long_ago}, P,
		FLOWS "; but: the last query on wan was 300 s ago", "querier", "wan", U,
		"refresh-interval 60"},
	{"nothing came", {nothing_came}, U,
		DOUBTS "no datagram of it has arrived on wan", "arrival", "wan", U,
		"tcpdump -eni wan"},
	{"it has died", {died}, U,
		DOUBTS "100 datagrams have arrived, but none for 8 s", "arrival", "wan",
		U, "stopped"},
	{"the clock was set back", {age_unknown}, U,
		DOUBTS "100 datagrams have arrived, but none at the moment", "arrival",
		"wan", U, "stopped"},
	{"a pause of a moment", {pause_of_a_moment}, P, FLOWS},
	{"TTL 1", {ttl_one}, R, STOPS "all 313 datagrams of it that arrived on wan",
		"ttl", "wan", R, "larger TTL"},
	{"TTL 1 of some", {ttl_of_some}, U,
		DOUBTS "313 of 1000 datagrams of it that arrived on wan", "ttl", "wan",
		U, "larger TTL"},
	{"TTL 1 was cured", {ttl_before}, P, FLOWS},
	{"TTL 1 of another source", {ttl_of_another}, P, FLOWS},
	{"MAC address of ours", {own_mac}, R,
		STOPS
		"313 frames of it arrived on wan from 10.9.0.1, the last one just now, "
		"and were refused: they had the MAC address of one of our",
		"loop", "wan", R, "of its own"},
	{"also frames of our own", {echo_with}, P, FLOWS, "loop", "wan", N, "loop"},
	{"frames for another machine", {other_host}, R,
		STOPS "313 frames of it arrived on wan", "frames", "wan", R,
		"tcpdump -e"},
	{"tag of another VLAN", {vlan_tag}, R, STOPS "313 frames of it arrived on wan",
		"vlan", "wan", R, "eth0.10"},
	{"bad checksum", {bad_checksum}, R, STOPS "313 frames of it arrived on wan",
		"frames", "wan", R, "damages"},
	{"a part is damaged", {partly_damaged}, U,
		DOUBTS "313 frames of it arrived on wan", "frames", "wan", U,
		"damages"},
	{"longer than the MTU", {too_long}, R, STOPS "313 frames of it arrived on wan",
		"frames", "wan", R, "gro off"},
	{"no member wants the source", {unwanted_source}, R,
		STOPS
		"313 frames of it arrived on wan from 10.9.0.1, the last one just now, "
		"and were refused: they came from a source that no member wants",
		"members", "wan", R, "detail"},
	{"the ring was full some time", {ring_full}, P, FLOWS, "load", "wan", N,
		"ring-size"},
	{"two interfaces on one segment", {echo}, P,
		FLOWS "; but: frames that this router sends on lan1 come back here",
		"cabling", "wan", U, "separate"},
	{"nobody has joined", {no_members, one_lan}, R,
		STOPS "no host on lan1 has joined the group", "members", "lan1", R,
		"join it"},
	{"the port of a bridge", {bridge_port, one_lan}, R,
		STOPS "lan1 is a port of br0, which takes all of its frames",
		"interface", "lan1", R, "phyint br0 in place of phyint lan1"},
	{"the upstream is the port of a bridge", {bridge_port_in}, R,
		STOPS "wan is a port of br0", "interface", "wan", R, "phyint br0"},
	{"upstream without an address", {no_address}, P,
		FLOWS "; but: wan has no IPv4 address, so the provider is asked from "
		      "0.0.0.0, which many routers ignore",
		"address", "wan", U, "DHCP"},
	{"upstream without an address, IPv6", {no_address, group6}, P,
		FLOWS "; but: wan has no link-local IPv6 address", "address", "wan", U,
		"disable_ipv6"},
	{"report-interface without an address", {no_address_there}, P,
		FLOWS "; but: voice has no IPv4 address", "address", "wan", U,
		"dev voice"},
	{"two LANs are down", {both_down}, R, STOPS "lan1, lan2 are down", "interface",
		"", R, "ip -br link"},
	{"a list on two LANs", {both_barred}, R,
		STOPS "lan1, lan2 do not let the group pass: no whitelist names it",
		"boundary", "", R, "phyint blocks"},
	{"different lines on two LANs", {barred_apart}, R,
		STOPS "lan1 does not let the group pass: no whitelist names it",
		"boundary", "lan2", R, "lan2"},
	{"a list on two LANs, of which one has asked", {barred_join}, R,
		STOPS "lan1 does not let the group pass", "boundary", "lan2", R,
		"lan2"},
	{"a list on four LANs, of which one has asked", {all_barred}, R,
		STOPS "lan3 does not let the group pass", "boundary", "", R,
		"their phyint blocks"},
	{"a list on the other LANs", {others_barred}, P, FLOWS, "boundary", "", N,
		"phyint blocks"},
	{"the other LANs are down", {others_down}, P,
		FLOWS "; but: lan2, lan3, lan4 are down", "interface", "", R, "links"},
	{"nobody has joined yet", {no_members, one_lan, just_asked}, R,
		STOPS
		"no host on lan1 has joined the group yet: the hosts were asked 3 s "
		"ago and may take 10 s to answer",
		"members", "lan1", R, "join it"},
	{"nobody on two LANs yet", {no_members, just_asked}, R,
		STOPS "no host on lan1, lan2 has joined the group yet: the hosts were",
		"members", "", R, "--on INTERFACE"},
	{"nobody on two LANs", {no_members}, R,
		STOPS "no host on lan1, lan2 has joined the group", "members", "", R,
		"--on INTERFACE"},
	{"nobody on the other LANs", {four_lans}, P, FLOWS, "members", "", N, "--on"},
	{"nobody on the LAN in question", {asked_about_one}, R,
		STOPS "no host on lan2 has joined the group", "members", "lan2", R,
		"ringcastctl capture -i lan2"},
	{"below a limit", {below_limit, one_lan}, R,
		STOPS "no host on lan1 has joined the group", "members", "lan1", R,
		"join it"},
	{"max-groups", {full, one_lan}, R,
		STOPS
		"no host on lan1 has joined the group, and the interface is at its "
		"limit",
		"members", "lan1", R, "raise max-groups"},
	{"SSM range", {ssm, one_lan}, R, STOPS "no host on lan1 has joined", "members",
		"lan1", R, "name its source"},
	{"host-message-rate", {host_limited, one_lan}, R,
		STOPS "no host on lan1 has joined", "members", "lan1", R,
		"02:00:00:00:00:66 (10.1.0.66) sends more than host-message-rate"},
	{"message-rate", {port_limited, one_lan}, R, STOPS "no host on lan1 has joined",
		"members", "lan1", R, "together send more than message-rate"},
	{"join from a foreign subnet", {foreign_host}, R,
		STOPS
		"the join of 10.1.0.66 on lan1 was refused just now, by the check of "
		"senders",
		"members", "lan1", R, "altnet 10.1.0.66/32"},
	{"join without a source in the SSM range", {ssm_join}, R,
		STOPS
		"the join of 10.1.0.66 on lan1 was refused just now, by ssm-range",
		"members", "lan1", R, "name the source"},
	{"join of a group on a list", {listed_join}, R,
		STOPS
		"the join of 10.1.0.66 on lan1 was refused just now, by whitelist",
		"members", "lan1", R, "phyint block"},
	{"group ended for another", {evicted}, R,
		STOPS
		"the join of 10.1.0.66 on lan1 was refused 3 min ago, by the full "
		"table, in favour of hosts with less (512)",
		"members", "lan1", R, "max-groups-per-host"},
	{"two refusals, the last one counts", {two_refusals}, R,
		STOPS "the join of 10.1.0.66 on lan1 was refused just now, by "
		      "max-groups-per-host (8)",
		"members", "lan1", R, "many hosts"},
	{"members want other sources", {other_source_wanted}, R,
		STOPS "the members on lan1 want the group, but not from this source",
		"members", "lan1", R, "detail"},
	{"members of an older version", {older_members}, P, FLOWS},
	{"standby", {standby}, R,
		STOPS "10.0.1.9 is querier on lan1, so that router forwards there",
		"querier", "lan1", R, "always-querier"},
	{"not querier, but forwarding", {non_querier}, P, FLOWS},
	{"left to another forwarder", {left_to_other}, R,
		STOPS "02:00:00:00:00:09 forwards the stream to lan1, so this router",
		"forwarder", "lan1", R, "forwarding always"},
	{"a rival doubles it", {doubled}, U,
		DOUBTS
		"02:00:00:00:00:09 forwards the stream to lan1, and so does this",
		"forwarder", "lan1", U, "one of the two"},
	{"list of the downstream", {boundary_out}, R,
		STOPS "lan1 does not let the group pass: no whitelist names it",
		"boundary", "lan1", R, "last match"},
	{"direction", {not_allowed}, R, STOPS "what comes in there does not go to lan1",
		"direction", "lan1", R, "forward-from-downstream"},
	{"entry does not name it", {not_in_table}, U,
		DOUBTS "the forwarding entry does not name lan1 yet", "table", "lan1",
		U, "again"},
	{"threshold", {below_threshold}, R,
		STOPS
		"5 copies of it had a TTL that is not above the threshold 16 of lan1",
		"threshold", "lan1", R, "threshold 1"},
	{"too large for the LAN", {too_large}, U,
		DOUBTS "5 copies of it were larger than the MTU 1500 of lan1", "mtu",
		"lan1", U, "smaller"},
	{"was too large for the LAN", {too_large_before}, P, FLOWS},
	{"copies of some group were not sent", {link_full}, P, FLOWS, "transmit",
		"lan1", N, "tx_full"},
	{"the only LAN is down", {lan_down, one_lan}, R, STOPS "lan1 is down",
		"interface", "lan1", R, "ip link show lan1"},
	{"no other downstream", {no_other}, R,
		STOPS "the configuration has no other downstream", "output", "", R,
		"phyint NAME downstream"},
	{"no upstream", {no_upstream}, R, STOPS "the configuration has no upstream",
		"input", "", R, "phyint NAME upstream"},
	{"no downstream", {no_downstream}, R,
		STOPS "the configuration has no downstream", "output", "", R,
		"phyint NAME downstream"},
	{"the output in question is the input", {asked_about_input}, R,
		STOPS "streams come in on lan1 and are not sent there", "direction",
		"lan1", R, "--on a downstream"},
	{"nobody except on the input", {own_output}, R,
		STOPS "no host on lan2 has joined the group", "members", "lan2", R,
		"join"},
	/* two faults: a check that stopped datagrams precedes one that may stop them
	 * later */
	{"TTL 1, and no query", {ttl_one, no_query}, R,
		STOPS "all 313 datagrams of it"},
	{"no altnet, and no query", {no_altnet, no_query}, R,
		STOPS "313 datagrams of it were refused on wan"},
	{"no altnet, and nobody has joined", {no_altnet, no_members}, R,
		STOPS "313 datagrams of it were refused on wan"},
	{"no altnet, and lan2 is down", {no_altnet, lan2_down}, R,
		STOPS "313 datagrams of it were refused on wan"},
	{"bad checksum, and no query", {bad_checksum, no_query}, R,
		STOPS "313 frames of it arrived on wan"},
	{"boundary, and nobody has joined", {boundary_in, no_members}, R,
		STOPS "the group ends at wan"},
	{"nothing came, and no address", {nothing_came, no_address, no_query}, U,
		DOUBTS "wan has no IPv4 address"},
	{"nothing came, and no query", {nothing_came, no_query}, U,
		DOUBTS "no datagram of it has arrived on wan"},
	{"it has died, the last query is long ago", {died, query_long_ago}, U,
		DOUBTS "the last query on wan was 300 s ago"},
	{"it has died, and no query was ever heard", {died, no_query}, U,
		DOUBTS "100 datagrams have arrived, but none for 8 s"},
	{"too large, and no query", {too_large, no_query}, U,
		DOUBTS "5 copies of it were larger"},
	{"a rival, and no query", {doubled, no_query}, U,
		DOUBTS "02:00:00:00:00:09 forwards"},
	/* two faults: a fault of one LAN precedes another LAN that nobody has joined */
	{"lan2 is down, nobody on lan1", {lan2_down, no_members}, R,
		STOPS "lan2 is down", "interface", "lan2", R, "cable"},
	{"a join refused on lan2, nobody on lan1", {quota, no_members}, R,
		STOPS "the join of 10.1.0.66 on lan2 was refused just now, by "
		      "max-groups-per-host (8)"},
	{"a join refused long ago, nobody on lan1", {quota_long_ago, no_members}, R,
		STOPS "no host on lan1, lan2 has joined the group"},
	{"standby on lan2, nobody on lan1", {standby2, no_members}, R,
		STOPS "10.0.1.9 is querier on lan2"},
	{"max-groups on lan1, nobody on lan2", {full}, R,
		STOPS
		"no host on lan1 has joined the group, and the interface is at its"},
	{"lan2 is down, lan1 gets it", {lan2_down}, P, FLOWS "; but: lan2 is down"},
	{"a join refused on lan2, lan1 gets it", {quota}, P,
		FLOWS "; but: the join of 10.1.0.66 on lan2 was refused"},
	{"standby on lan2, lan1 gets it", {standby2}, P,
		FLOWS "; but: 10.0.1.9 is querier on lan2"},
	/* two faults: one that only follows from the other is not named */
	{"not asked, because nobody has joined", {not_asked, no_members, one_lan}, R,
		STOPS "no host on lan1 has joined"},
	{"wan is down, nobody has joined", {down, no_members}, R, STOPS "wan is down"},
	{"nobody has joined, nothing came", {nothing_came, no_members, one_lan}, R,
		STOPS "no host on lan1 has joined"},
	{"another source is wanted, and asked for",
		{other_source_wanted, not_this_source}, R,
		STOPS "the members on lan1 want the group, but not from this source"},
	{"not in the table yet, nothing came", {not_in_table, nothing_came}, U,
		DOUBTS "no datagram of it has arrived on wan"},
	/* two inputs: the better one counts, and evidence precedes possibility */
	{"it comes in at wan2, not at wan", {came_elsewhere}, P, FLOWS, "arrival",
		"wan", N, "tcpdump"},
	{"wan is down, nothing at wan2", {two_inputs, down}, U,
		DOUBTS "no datagram of it has arrived on wan2"},
	{"TTL 1 at wan2, nothing at wan", {ttl_one_elsewhere}, R,
		STOPS "all 313 datagrams of it that arrived on wan2"},
	{"no altnet at wan, nothing at wan2", {two_inputs, no_altnet}, R,
		STOPS "313 datagrams of it were refused on wan"},
	{"source not named", {any_source}, P, FLOWS},
};

static const struct explain_check *find(
	const struct explain *e, const struct situation_case *c)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->check[i].check, c->check) == 0 &&
			strcmp(e->check[i].interface, c->interface) == 0 &&
			e->check[i].verdict == c->check_verdict)
			return &e->check[i];
	return NULL;
}

static void print_checks(const struct explain *e)
{
	for (size_t i = 0; i < e->n; i++)
		print_error("%s %s %s: %s [%s]\n", e->check[i].check,
			e->check[i].interface,
			explain_verdict_name(e->check[i].verdict), e->check[i].text,
			e->check[i].advice);
	print_error("%s\n", e->summary);
}

static void make(struct situation *s, const struct situation_case *c)
{
	arrives(s);
	for (size_t k = 0; k < array_len(c->change) && c->change[k]; k++)
		c->change[k](s);
}

/* EXPLAIN_SHOW in the environment prints the table. */
static void each_situation_has_its_headline(void **state)
{
	struct explain e = {0};
	struct situation s;
	unsigned wrong = 0;

	for (size_t i = 0; i < array_len(cases); i++) {
		const struct situation_case *c = &cases[i];
		const struct explain_check *check;

		make(&s, c);
		judge(&s, &e);
		if (getenv("EXPLAIN_SHOW"))
			printf("%-45s %s\n", c->name, e.summary);
		check = c->check ? find(&e, c) : NULL;
		assert_false(e.lost);
		if (e.verdict == c->verdict &&
			strncmp(e.summary, c->headline, strlen(c->headline)) == 0 &&
			(strcmp(c->headline, FLOWS) != 0 ||
				strcmp(e.summary, FLOWS) == 0) &&
			(!c->check ||
				(check &&
					(!c->advice ||
						strstr(check->advice, c->advice)))))
			continue;
		print_error("---- %s\n", c->name);
		print_checks(&e);
		wrong++;
	}
	explain_deinit(&e);
	assert_int_equal(wrong, 0);
	assert_true(array_len(cases) >= 40);
}

/* The longest names, numbers and addresses. */
static void texts_fit(void **state)
{
	struct explain e = {0};
	struct situation s;

	for (size_t i = 0; i < array_len(cases); i++) {
		make(&s, &cases[i]);
		for (unsigned k = 0; k < 2; k++) {
			struct explain_input *in = &s.in[k];

			memset(in->i.name, 'w', sizeof(in->i.name) - 1);
			if (*in->i.decided)
				memset(in->i.decided, 'd', sizeof(in->i.decided) - 1);
			if (*in->policy_by)
				memset(in->policy_by, 'd', sizeof(in->policy_by) - 1);
			for (unsigned r = 0; r < in->i.refused.n; r++) {
				s.refused[k][r].n = UINT64_MAX;
				s.refused[k][r].from = s.f.has_source
					? s.refused[k][r].from
					: a("2001:db8:1111:2222:3333:4444:5555:6666");
			}
		}
		for (unsigned k = 0; k < N_LANS; k++)
			memset(s.out[k].i.name, 'l', sizeof(s.out[k].i.name) - 1);
		s.f.packets = s.f.packets ? UINT64_MAX : 0;
		s.f.wrong = s.f.wrong ? UINT64_MAX : 0;
		judge(&s, &e);
		for (size_t k = 0; k < e.n; k++) {
			assert_in_range(
				strlen(e.check[k].text), 1, EXPLAIN_TEXT_LEN - 2);
			assert_in_range(
				strlen(e.check[k].advice), 0, EXPLAIN_TEXT_LEN - 2);
		}
		assert_in_range(strlen(e.summary), 1, sizeof(e.summary) - 2);
	}
	explain_deinit(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_situation_has_its_headline),
		cmocka_unit_test(texts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
