/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What explain says: one stream that arrives, and what each fact does to the answer.
 */

#include "control/explain.h"

#include "fail_alloc.h"
#include "test.h"

#include <string.h>

/* wan -> lan1 with members, lan2 without; everything in order for lan1 */
struct situation {
	struct explain_facts f;
	struct explain_input in;
	struct explain_output out[2];
};

static void arrives(struct situation *s)
{
	*s = (struct situation){
		.f = {.group = a("239.1.2.3"),
			.has_source = true,
			.source = a("10.9.0.1"),
			.seen = true,
			.packets = 100,
			.rate_known = true,
			.rate = 10,
			.last_source = a("10.9.0.1"),
			.last_input = "wan",
			.n_input = 1,
			.n_output = 2},
		.in = {.i = {.name = "wan",
			       .has_role = true,
			       .present = true,
			       .up = true,
			       .family = true,
			       .group_ok = true},
			.upstream = true,
			.receive = true,
			.source_ok = true,
			.report_up = true,
			.policy_ok = true,
			.asked = true,
			.asked_this = true,
			.version = 3,
			.names_sources = true,
			.query_heard = true,
			.querier = a("10.0.0.1"),
			.query_age_ms = 5000,
			.query_expected_ms = 260000},
	};
	for (unsigned i = 0; i < 2; i++)
		s->out[i] = (struct explain_output){
			.i = {.has_role = true,
				.present = true,
				.up = true,
				.family = true,
				.group_ok = true},
			.allowed = true,
			.querier = true,
			.forwards = true,
			.threshold = 1,
			.mtu = 1500,
		};
	strcpy(s->out[0].i.name, "lan1");
	strcpy(s->out[1].i.name, "lan2");
	s->out[0].has_group = s->out[0].wants = s->out[0].in_table = true;
	s->out[0].n_hosts = 2;
}

#define CHANGE(name, ...)                                                              \
	static void name(struct situation *s)                                          \
	{                                                                              \
		__VA_ARGS__;                                                           \
	}

CHANGE(unicast, s->f.group = a("10.1.2.3"))
CHANGE(local_group, s->f.group = a("224.0.0.251"))
CHANGE(local_group6, s->f.group = a("ff02::fb"))
CHANGE(loopback_source, s->f.source = a("127.0.0.1"))
CHANGE(link_local_source, s->f.source = a("169.254.1.1"))
CHANGE(own_source, s->f.source_own = true)
CHANGE(no_role, s->in.i.has_role = false)
CHANGE(absent, s->in.i.present = false)
CHANGE(down, s->in.i.up = false)
CHANGE(socket_error, s->in.i.error = "Operation not permitted")
CHANGE(family_off, s->in.i.family = false)
CHANGE(family_off6, s->f.group = a("ff0e::1"); s->f.source = a("2001:db8::1");
	s->in.i.family = false)
CHANGE(from_lan, s->in.receive = s->in.upstream = false; strcpy(s->in.i.name, "lan3"))
CHANGE(foreign_source, s->in.source_ok = false)
CHANGE(foreign_source6, s->f.group = a("ff0e::1"); s->f.source = a("2001:db8::1");
	s->in.source_ok = false)
CHANGE(among_lans, s->in.upstream = s->in.asked = false)
CHANGE(some_wrong, s->f.has_source = false; s->f.wrong = 7)
CHANGE(wrong_sources, s->f.has_source = s->f.seen = false; s->f.wrong = 7)
CHANGE(boundary_in, s->in.i.group_ok = false)
CHANGE(denied_upstream, s->in.policy_ok = false)
CHANGE(report_down, s->in.report_up = false; strcpy(s->in.report_interface, "voice"))
CHANGE(not_asked, s->in.asked = s->in.asked_this = false)
CHANGE(not_this_source, s->in.asked_this = false)
CHANGE(old_querier, s->in.asked_this = s->in.names_sources = false)
CHANGE(no_query, s->in.query_heard = false)
CHANGE(no_query_refreshed, s->in.query_heard = false; s->in.refresh_interval_ms = 60000)
CHANGE(query_long_ago, s->in.query_age_ms = 300000)
CHANGE(nothing_came, s->f.seen = false; s->f.packets = 0)
CHANGE(came_elsewhere, strcpy(s->f.last_input, "wan2"))
CHANGE(paused, s->f.rate = 0)
CHANGE(ttl_one, s->in.ttl_expired = 9)
CHANGE(ring_full, s->in.ring_drops = 9)
CHANGE(vlan_tag, s->f.seen = false; s->in.foreign_vlan = 3; s->f.rate_known = false)
CHANGE(damaged, s->f.seen = false; s->in.damaged = 2; s->in.truncated = 1)
CHANGE(damaged_others, s->in.damaged = 2)
CHANGE(rate_unknown, s->f.rate_known = false; s->f.rate = 0)
CHANGE(below_limit, s->out[0].has_group = false; s->out[0].n_groups = 7;
	s->out[0].max_groups = 8)
CHANGE(no_members, s->out[0].has_group = false)
CHANGE(limit, s->out[0].has_group = false;
	s->out[0].n_groups = s->out[0].max_groups = 8)
CHANGE(ssm, s->out[0].has_group = false; s->f.ssm = true)
CHANGE(foreign_reports, s->out[0].has_group = false; s->out[0].n_foreign = 4)
CHANGE(filtered_reports, s->out[0].has_group = false; s->out[0].n_filtered = 4)
CHANGE(refused_reports, s->out[0].has_group = false; s->out[0].n_refused = 4)
CHANGE(host_limited, s->out[0].has_group = false;
	strcpy(s->out[0].limited_host, "02:00:00:00:00:66 (10.1.0.66)"))
CHANGE(port_limited, s->out[0].has_group = false; s->out[0].limited = true)
CHANGE(other_source_wanted, s->out[0].wants = false; s->out[0].n_sources = 3)
CHANGE(older_members, s->out[0].n_hosts = 0)
CHANGE(standby, s->out[0].querier = s->out[0].forwards = false;
	s->out[0].other_querier = a("10.0.1.9"))
CHANGE(non_querier, s->out[0].querier = false; s->out[0].other_querier = a("10.0.1.9"))
CHANGE(left_to_other, s->out[0].standby = true;
	s->out[0].other_mac = ((struct gm_mac){{2, [5] = 9}}))
CHANGE(doubled, s->out[0].doubled = true;
	s->out[0].other_mac = ((struct gm_mac){{2, [5] = 9}}))
CHANGE(boundary_out, s->out[0].i.group_ok = false)
CHANGE(not_allowed, s->out[0].allowed = s->out[1].allowed = false)
CHANGE(lan_down, s->out[0].i.up = false)
CHANGE(not_in_table, s->out[0].in_table = false)
CHANGE(below_threshold, s->out[0].threshold = 16; s->out[0].ttl_threshold = 5)
CHANGE(too_large, s->out[0].mtu_df = 5)
CHANGE(link_full, s->out[0].not_sent = 5; s->out[0].port_down = 1)
CHANGE(link_lost, s->out[0].port_down = 2)
CHANGE(no_other, s->f.n_output = 1; s->out[0].is_input = true)
CHANGE(no_upstream, s->f.n_input = 0)
CHANGE(no_downstream, s->f.n_output = 0)
CHANGE(own_output, s->out[0].is_input = true)

static const struct explain_case {
	void (*change)(struct situation *s);
	enum explain_verdict verdict; /* of the whole */
	/* a check with that verdict, what it says and what it advises */
	const char *check, *interface, *text, *advice;
} cases[] = {
	{NULL, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{unicast, EXPLAIN_REFUSE, "group", "", "no multicast address", "comes first"},
	{local_group, EXPLAIN_REFUSE, "group", "", "never leaves its link",
		"239.0.0.0/8"},
	{local_group6, EXPLAIN_REFUSE, "group", "", "never leaves its link", "ff05::"},
	{loopback_source, EXPLAIN_REFUSE, "source", "", "127.0.0.1", "ordinary"},
	{link_local_source, EXPLAIN_REFUSE, "source", "", "169.254.1.1", "ordinary"},
	{own_source, EXPLAIN_REFUSE, "source", "", "of this router", "loop"},
	{no_role, EXPLAIN_REFUSE, "interface", "wan", "no role", "phyint wan upstream"},
	{absent, EXPLAIN_REFUSE, "interface", "wan", "no interface wan", "create it"},
	{down, EXPLAIN_REFUSE, "interface", "wan", "wan is down", "ip link show wan"},
	{socket_error, EXPLAIN_REFUSE, "interface", "wan", "not permitted", "log"},
	{family_off, EXPLAIN_REFUSE, "interface", "wan", "IPv4 is switched off",
		"ipv4 on"},
	{family_off6, EXPLAIN_REFUSE, "interface", "wan", "IPv6 is switched off",
		"ipv6 on"},
	{among_lans, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{from_lan, EXPLAIN_REFUSE, "role", "lan3", "is not forwarded",
		"forward-from-downstream"},
	{foreign_source, EXPLAIN_REFUSE, "source", "wan", "no subnet and no altnet",
		"altnet 10.9.0.1/32"},
	{foreign_source6, EXPLAIN_REFUSE, "source", "wan", "no subnet and no altnet",
		"altnet 2001:db8::1/128"},
	{some_wrong, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{wrong_sources, EXPLAIN_REFUSE, "source", "wan", "7 datagrams", "altnet"},
	{boundary_in, EXPLAIN_REFUSE, "boundary", "wan", "ends at wan",
		"boundary-scope"},
	{denied_upstream, EXPLAIN_REFUSE, "report", "wan", "whitelist", "whitelist it"},
	{report_down, EXPLAIN_REFUSE, "report", "wan", "voice is not up", "voice"},
	{not_asked, EXPLAIN_REFUSE, "report", "wan", "not asked", "members"},
	{not_this_source, EXPLAIN_REFUSE, "report", "wan", "not from this source",
		"detail"},
	{old_querier, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{no_query, EXPLAIN_UNKNOWN, "querier", "wan", "ever heard",
		"refresh-interval 60"},
	{no_query_refreshed, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{query_long_ago, EXPLAIN_UNKNOWN, "querier", "wan", "300 s ago",
		"refresh-interval 60"},
	{nothing_came, EXPLAIN_UNKNOWN, "arrival", "wan", "no datagram",
		"tcpdump -ni wan"},
	{came_elsewhere, EXPLAIN_UNKNOWN, "arrival", "wan", "no datagram", "tcpdump"},
	{paused, EXPLAIN_UNKNOWN, "arrival", "wan", "none at the moment", "pauses"},
	{ttl_one, EXPLAIN_UNKNOWN, "ttl", "wan", "TTL of 1", "larger TTL"},
	{ring_full, EXPLAIN_UNKNOWN, "load", "wan", "9 frames were lost", "ring-size"},
	{vlan_tag, EXPLAIN_UNKNOWN, "vlan", "wan", "another VLAN", "wan.ID"},
	{damaged, EXPLAIN_UNKNOWN, "frames", "wan", "3 frames on wan", "show stats"},
	{damaged_others, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{rate_unknown, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{below_limit, EXPLAIN_REFUSE, "members", "lan1", "no host", "join it"},
	{no_members, EXPLAIN_REFUSE, "members", "lan1", "no host on lan1", "join it"},
	{limit, EXPLAIN_REFUSE, "members", "lan1", "no host", "limit of 8 groups"},
	{ssm, EXPLAIN_REFUSE, "members", "lan1", "no host", "name its source"},
	{foreign_reports, EXPLAIN_REFUSE, "members", "lan1", "no host", "in no subnet"},
	{filtered_reports, EXPLAIN_REFUSE, "members", "lan1", "no host", "whitelist"},
	{refused_reports, EXPLAIN_REFUSE, "members", "lan1", "no host", "by a limit"},
	{host_limited, EXPLAIN_REFUSE, "members", "lan1", "no host",
		"02:00:00:00:00:66 (10.1.0.66) sends more than host-message-rate"},
	{port_limited, EXPLAIN_REFUSE, "members", "lan1", "no host",
		"together send more than message-rate"},
	{other_source_wanted, EXPLAIN_REFUSE, "members", "lan1", "not from this source",
		"detail"},
	{older_members, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{standby, EXPLAIN_REFUSE, "querier", "lan1", "10.0.1.9 is querier",
		"always-querier"},
	{non_querier, EXPLAIN_PASS, NULL, NULL, NULL, NULL},
	{left_to_other, EXPLAIN_REFUSE, "forwarder", "lan1",
		"02:00:00:00:00:09 forwards the stream to lan1", "forwarding always"},
	{doubled, EXPLAIN_UNKNOWN, "forwarder", "lan1", "arrive twice",
		"one of the two"},
	{boundary_out, EXPLAIN_REFUSE, "boundary", "lan1", "does not let the group",
		"last match"},
	{not_allowed, EXPLAIN_REFUSE, "direction", "lan1", "does not go to lan1",
		"forward-from-downstream"},
	{lan_down, EXPLAIN_REFUSE, "interface", "lan1", "lan1 is down", "ip link"},
	{not_in_table, EXPLAIN_UNKNOWN, "table", "lan1", "does not name lan1", "again"},
	{below_threshold, EXPLAIN_UNKNOWN, "threshold", "lan1", "threshold 16",
		"threshold 1"},
	{too_large, EXPLAIN_UNKNOWN, "mtu", "lan1", "MTU 1500", "smaller"},
	{link_full, EXPLAIN_UNKNOWN, "transmit", "lan1", "6 copies", "tx_full"},
	{link_lost, EXPLAIN_UNKNOWN, "transmit", "lan1", "2 of them", "tx_full"},
	{no_other, EXPLAIN_REFUSE, "output", "", "no other downstream",
		"phyint NAME downstream"},
	{no_upstream, EXPLAIN_REFUSE, "input", "", "no upstream",
		"phyint NAME upstream"},
	{no_downstream, EXPLAIN_REFUSE, "output", "", "no downstream",
		"phyint NAME downstream"},
	{own_output, EXPLAIN_REFUSE, "members", "lan2", "no host on lan2", "join"},
};

static const struct explain_check *find(
	const struct explain *e, const struct explain_case *c)
{
	for (size_t i = 0; i < e->n; i++)
		if (strcmp(e->check[i].check, c->check) == 0 &&
			strcmp(e->check[i].interface, c->interface) == 0 &&
			e->check[i].verdict == c->verdict)
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

static void each_fact_has_its_answer(void **state)
{
	struct explain e = {0};
	struct situation s;

	for (size_t i = 0; i < array_len(cases); i++) {
		const struct explain_case *c = &cases[i];
		const struct explain_check *check;

		arrives(&s);
		if (c->change)
			c->change(&s);
		s.f.input = &s.in;
		s.f.output = s.out;
		explain(&s.f, &e);
		check = c->check ? find(&e, c) : NULL;
		if (e.verdict != c->verdict || (c->check && !check)) {
			print_checks(&e);
			fail_msg("case %zu (%s)", i, c->text ? c->text : "passes");
		}
		assert_false(e.lost);
		if (!check)
			continue;
		if (!strstr(check->text, c->text) ||
			!strstr(check->advice, c->advice)) {
			print_checks(&e);
			fail_msg("case %zu (%s)", i, c->text);
		}
		/* the summary names this cause, and no other one */
		assert_non_null(strstr(e.summary, check->text));
	}
	explain_deinit(&e);
}

/* a LAN that gets it makes up for one that does not */
static void some_output_is_enough(void **state)
{
	struct explain e = {0};
	struct situation s;
	unsigned refused = 0;

	arrives(&s);
	s.f.input = &s.in;
	s.f.output = s.out;
	explain(&s.f, &e);
	assert_int_equal(e.verdict, EXPLAIN_PASS);
	for (size_t i = 0; i < e.n; i++)
		refused += e.check[i].verdict == EXPLAIN_REFUSE;
	assert_int_equal(refused, 1); /* no member on lan2 */
	assert_string_equal(e.summary,
		"it arrives and is sent to every interface that asks for it");
	explain_deinit(&e);
}

/* Of several ways in, or out, the best one counts: it arrives before it may arrive,
 * and that before it does not. */
static void the_best_way_counts(void **state)
{
	static const struct {
		void (*first)(struct situation *s), (*second)(struct situation *s);
		enum explain_verdict verdict;
	} rows[] = {
		{down, no_query, EXPLAIN_UNKNOWN},
		{no_query, down, EXPLAIN_UNKNOWN},
		{down, NULL, EXPLAIN_PASS},
		{NULL, down, EXPLAIN_PASS},
		{no_query, NULL, EXPLAIN_PASS},
		{down, absent, EXPLAIN_REFUSE},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct explain_input in[2];
		struct explain e = {0};
		struct situation s;

		arrives(&s);
		for (unsigned k = 0; k < 2; k++) {
			void (*change)(struct situation *) =
				k ? rows[i].second : rows[i].first;
			struct situation one = s;

			if (change)
				change(&one);
			in[k] = one.in;
		}
		s.f.input = in;
		s.f.n_input = 2;
		s.f.output = s.out;
		explain(&s.f, &e);
		if (e.verdict != rows[i].verdict) {
			print_checks(&e);
			fail_msg("row %zu", i);
		}
		explain_deinit(&e);
	}
}

static void one_host_and_several(void **state)
{
	static const char *const want[] = {
		NULL, "1 host on lan1 wants it", "2 hosts on lan1 want it"};

	for (unsigned n = 1; n <= 2; n++) {
		struct explain e = {0};
		struct situation s;
		bool found = false;

		arrives(&s);
		s.out[0].n_hosts = n;
		s.f.input = &s.in;
		s.f.output = s.out;
		explain(&s.f, &e);
		for (size_t i = 0; i < e.n; i++)
			found |= strcmp(e.check[i].text, want[n]) == 0;
		assert_true(found);
		explain_deinit(&e);
	}
}

/* words of the control socket */
static void verdicts_have_names(void **state)
{
	assert_string_equal(explain_verdict_name(EXPLAIN_PASS), "pass");
	assert_string_equal(explain_verdict_name(EXPLAIN_REFUSE), "refuse");
	assert_string_equal(explain_verdict_name(EXPLAIN_UNKNOWN), "unknown");
}

/* The caller learns that the list is not whole; 40 outputs are more than fit at once.
 */
static void memory_runs_out(void **state)
{
	struct explain_output out[40];

	for (long n = 0;; n++) {
		struct explain e = {0};
		struct situation s;

		arrives(&s);
		for (size_t i = 0; i < array_len(out); i++)
			out[i] = s.out[0];
		s.f.input = &s.in;
		s.f.output = out;
		s.f.n_output = array_len(out);
		fail_alloc_after = n;
		explain(&s.f, &e);
		assert_int_equal(e.lost, fail_alloc_after < 0);
		assert_true(*e.summary);
		explain_deinit(&e);
		if (fail_alloc_after >= 0) {
			assert_true(n >= 3);
			break;
		}
	}
	fail_alloc_after = -1;
}

static void texts_fit(void **state)
{
	struct explain e = {0};
	struct situation s;

	for (size_t i = 0; i < array_len(cases); i++) {
		arrives(&s);
		if (cases[i].change)
			cases[i].change(&s);
		/* the longest there are */
		memset(s.in.i.name, 'w', sizeof(s.in.i.name) - 1);
		for (unsigned k = 0; k < 2; k++)
			memset(s.out[k].i.name, 'l', sizeof(s.out[k].i.name) - 1);
		s.f.packets = s.f.packets ? UINT64_MAX : 0;
		s.f.wrong = s.f.wrong ? UINT64_MAX : 0;
		s.in.ttl_expired = s.in.ttl_expired ? UINT64_MAX : 0;
		s.out[0].mtu_df = s.out[0].mtu_df ? UINT64_MAX : 0;
		s.f.input = &s.in;
		s.f.output = s.out;
		explain(&s.f, &e);
		for (size_t k = 0; k < e.n; k++) {
			assert_in_range(
				strlen(e.check[k].text), 1, EXPLAIN_TEXT_LEN - 2);
			assert_in_range(
				strlen(e.check[k].advice), 0, EXPLAIN_TEXT_LEN - 2);
		}
	}
	explain_deinit(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fact_has_its_answer),
		cmocka_unit_test(some_output_is_enough),
		cmocka_unit_test(the_best_way_counts),
		cmocka_unit_test(one_host_and_several),
		cmocka_unit_test(verdicts_have_names),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(texts_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
