/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Budgets of membership messages under virtual time (R082): what a host and a port may
 * cause, in messages and in work. A flood must not drown the messages of a neighbour,
 * whatever addresses it carries. Results that depend on chance have wide bounds; the
 * seed is fixed.
 */

#include "control/proto/admission.h"
#include "test.h"

#include <string.h>

static struct admission *flood;
static struct admission_port port;

static const struct admission_limit defaults = {
	.host_rate = 1000, .port_rate = 20000, .loud_rate = 20000};

static int set_up(void **state)
{
	port = (struct admission_port){0};
	return admission_new(1, &flood);
}

static int tear_down(void **state)
{
	flood = admission_free(flood);
	return 0;
}

static struct admission_host host_of(uint32_t mac, uint32_t ip)
{
	struct admission_host h = {.has_mac = true,
		.from = ADDR_V4(
			10, (uint8_t)(ip >> 16), (uint8_t)(ip >> 8), (uint8_t)ip)};

	h.mac.byte[0] = 2;
	for (unsigned i = 0; i < sizeof(mac); i++)
		h.mac.byte[2 + i] = (uint8_t)(mac >> 8 * i);
	return h;
}

/* A message with contents `word` that asks for an amount of work. */
static struct admission_verdict say(int64_t ms, const struct admission_limit *limit,
	struct admission_host host, uint32_t word, uint32_t work)
{
	struct admission_message m = {
		.host = host, .bytes = &word, .len = sizeof(word), .work = work};
	struct admission_verdict v =
		admission_input(flood, mono_from_ms(ms), &port, limit, &m);

	if (v.work && v.work < work)
		admission_cut(&port, mono_from_ms(ms), v.cause, &host);
	return v;
}

/* Number of n equal small messages that pass at one moment. */
static unsigned n_pass(
	int64_t ms, const struct admission_limit *limit, uint32_t host, unsigned n)
{
	unsigned pass = 0;

	for (unsigned i = 0; i < n; i++)
		pass += say(ms, limit, host_of(host, host), 0, 1).work == 1;
	return pass;
}

#define assert_between(v, lo, hi) assert_in_range((v), (lo), (hi))

static void r082_host_has_its_rate(void **state)
{
	static const struct admission_limit limit = {.host_rate = 100};

	/* the budget of two seconds, a few by chance, and the share of quiet hosts */
	assert_between(n_pass(1000, &limit, 1, 2000), 200, 250 + 64 + 4);
	/* then the rate refills the budget */
	assert_between(n_pass(6000, &limit, 1, 2000), 200, 250 + 64 + 4);
	/* another host has its own budget */
	assert_between(n_pass(6000, &limit, 2, 2000), 200, 250 + 64 + 4);
}

static void r082_lasting_rate(void **state)
{
	static const struct admission_limit limit = {.host_rate = 1000};
	unsigned pass = 0;

	for (int64_t ms = 1000; ms < 11000; ms++)
		pass += n_pass(ms, &limit, 1, 5);
	assert_between(pass, 10000 + 2000, 10000 + 2500 + 64 + 160 + 4 + 20 + 10);
}

static void r082_nothing_is_limited_by_zero(void **state)
{
	static const struct admission_limit limit = {0};

	assert_int_equal(n_pass(1000, &limit, 1, 100000), 100000);
	assert_int_equal(say(1000, &limit, host_of(1, 1), 0, 5000).work, 5000);
	assert_int_equal(port.struck[ADMISSION_BY_HOST].at.ns, MONO_UNSET.ns);
}

/* Ports have separate budgets, also for a host that sends to both. */
static void r082_ports_are_apart(void **state)
{
	static const struct admission_limit limit = {
		.host_rate = 10, .port_rate = 1000};
	struct admission_port other = {0};
	struct admission_message m = {
		.host = host_of(1, 1), .bytes = "", .len = 1, .work = 1};
	struct admission_verdict v;

	n_pass(1000, &limit, 1, 1000);
	assert_int_equal(
		say(1000, &limit, host_of(1, 1), 0, 1).cause, ADMISSION_BY_HOST);
	v = admission_input(flood, mono_from_ms(1000), &other, &limit, &m);
	assert_int_equal(v.work, 1);
	assert_int_equal(v.cause, ADMISSION_NOTHING);
}

/* F2: 1,800 packets of 182 records each arrive at once. */
static void f2_work_is_charged(void **state)
{
	uint64_t work = 0;

	for (unsigned i = 0; i < 1800; i++)
		work += say(1000, &defaults, host_of(1, 1), i, 183).work;
	/* out of 329,400: the host's budget of two seconds, its zone of chance, and the
	 * two other ways */
	assert_between(work, 32000, 40000 + 64 + 12500 + 183);
	assert_int_equal(port.struck[ADMISSION_BY_HOST].at.ns, mono_from_ms(1000).ns);
	assert_int_equal(port.struck[ADMISSION_BY_PORT].at.ns, MONO_UNSET.ns);
}

/* The record of a limit: how many messages were refused or cut since the last pause of
 * a minute, and the sender of the last one. */
static void what_was_struck(void **state)
{
	static const struct admission_limit limit = {
		.host_rate = 10, .port_rate = 1000};
	const struct admission_struck *s = &port.struck[ADMISSION_BY_HOST];
	struct admission_host host = host_of(1, 1);
	unsigned pass = n_pass(1000, &limit, 1, 500);

	assert_int_equal(s->n_refused, 500 - pass);
	assert_int_equal(s->n_cut, 0);
	assert_true(addr_eq(&s->host.from, &host.from));
	host = host_of(2, 2);
	admission_cut(&port, mono_from_ms(50000), ADMISSION_BY_HOST, &host);
	assert_int_equal(s->n_cut, 1);
	assert_int_equal(s->since.ns, mono_from_ms(1000).ns);
	assert_true(addr_eq(&s->host.from, &host.from));
	assert_true(
		admission_is_struck(&port, ADMISSION_BY_HOST, mono_from_ms(109999)));
	assert_false(
		admission_is_struck(&port, ADMISSION_BY_HOST, mono_from_ms(110000)));
	assert_false(
		admission_is_struck(&port, ADMISSION_BY_PORT, mono_from_ms(50000)));
	admission_cut(&port, mono_from_ms(110000), ADMISSION_BY_HOST, &host);
	assert_int_equal(s->n_refused, 0);
	assert_int_equal(s->n_cut, 1);
}

/* F2: 10,000 packets per second for ten seconds, of any size, from one host or from
 * many. The work of a port is bounded. */
static void f2_lasting_work_is_bounded(void **state)
{
	static const uint32_t size[] = {1, 2, 8, 23, 183, 1400};
	static const uint32_t hosts[] = {1, 1000, 1000000};

	for (size_t k = 0; k < array_len(size) * array_len(hosts); k++) {
		uint32_t n = hosts[k % array_len(hosts)], i = 0;
		int64_t start = 1000 + (int64_t)k * 100000;
		uint64_t work = 0;

		for (int64_t ms = start; ms < start + 10000; ms++)
			for (unsigned j = 0; j < 10; j++, i++)
				work += say(ms, &defaults, host_of(i % n, i % n), i,
					size[k / array_len(hosts)])
						.work;
		/* three ways of 40,000/s each, and their bursts */
		assert_true(work <= 10 * 120000 + 50000 + 2 * 12500 + 3 * 1400);
	}
}

/* A downstream proxy with as many groups as a LAN may have answers a general query. */
static void r082_a_large_answer_is_taken_whole(void **state)
{
	for (unsigned i = 0; i < 91; i++)
		assert_int_equal(say(1000, &defaults, host_of(1, 1), i, 183).work, 183);
}

/* Part of a message is admitted when the host's budget is smaller than its work. */
static void r082_taken_in_part(void **state)
{
	static const struct admission_limit limit = {.host_rate = 10};
	struct admission_verdict v = say(1000, &limit, host_of(1, 1), 0, 1000);

	assert_between(v.work, 320, 401);
	assert_int_equal(v.cause, ADMISSION_BY_HOST);
	assert_int_equal(port.struck[ADMISSION_BY_HOST].host.mac.byte[2], 1);
}

/* 50 hosts send for ten seconds, each within its own limit. Another host sends every
 * 200 ms, and all of its messages are heard. */
static void r082_quiet_host_gets_through(void **state)
{
	static const struct admission_limit limit = {
		.host_rate = 1000, .port_rate = 5000};
	unsigned quiet = 0;

	for (int64_t ms = 1000; ms < 11000; ms++) {
		for (uint32_t host = 1; host <= 50; host++)
			say(ms, &limit, host_of(host, host), (uint32_t)ms, 1);
		if (ms % 200 == 0)
			quiet += say(ms, &limit, host_of(99, 99), (uint32_t)ms, 3)
					 .work == 3;
	}
	assert_int_equal(quiet, 50);
}

/* ---- members ---- */

#define MEMBERSHIP_MS 260000

/* The same, and the sender becomes a member by the granted part. */
static struct admission_verdict join(int64_t ms, const struct admission_limit *limit,
	struct admission_host host, uint32_t word, uint32_t work)
{
	struct admission_message m = {
		.host = host, .bytes = &word, .len = sizeof(word), .work = work};
	struct admission_verdict v =
		admission_input(flood, mono_from_ms(ms), &port, limit, &m);

	if (v.work)
		admission_member(flood, mono_from_ms(ms), &port, &m, v.work,
			mono_from_ms(ms + MEMBERSHIP_MS));
	return v;
}

/* 10,000 made-up hosts send 10,000 reports of 182 records per second and become members
 * by them. An older host with 20 groups answers general queries, and all its answers
 * are heard. */
static void f2_strangers_do_not_cut_a_member(void **state)
{
	const struct admission_host old = host_of(7, 7);
	uint64_t work = 0;
	unsigned n = 0, i = 0;

	for (unsigned k = 0; k < 20; k++)
		join(100, &defaults, old, 1000000 + k, 2);
	for (int64_t ms = 1000; ms < 201000; ms++) {
		for (unsigned k = 0; k < 10; k++, i++) {
			uint32_t made_up = 1000 + i % 10000;

			work += join(ms, &defaults, host_of(made_up, made_up), i, 183)
					.work;
		}
		if (ms % 20000 != 500)
			continue;
		/* it changes a group each time */
		assert_int_equal(join(ms, &defaults, old, (uint32_t)ms, 21).work, 21);
		n++;
	}
	assert_int_equal(n, 10);
	/* four ways of 40,000/s each, and their bursts */
	assert_true(work <= 200 * 160000 + 50000 + 3 * 12500);
}

/* A neighbour forges both addresses of a member and sends large reports of other
 * groups. The reports that the member repeats are heard completely. */
static void f4_a_forger_does_not_silence_a_member(void **state)
{
	const struct admission_host member = host_of(7, 7);
	unsigned i = 0;

	assert_int_equal(join(100, &defaults, member, 42, 21).work, 21);
	for (int64_t ms = 1000; ms < 201000; ms++) {
		for (unsigned k = 0; k < 10; k++)
			join(ms, &defaults, member, 1000000 + i++, 183);
		if (ms % 20000 == 500)
			assert_int_equal(join(ms, &defaults, member, 42, 21).work, 21);
	}
}

/* Joins, then sends while only the way of members is open. */
static uint32_t heard_as_member(
	int64_t ms, struct admission_port *p, struct admission_host host)
{
	struct admission_message m = {.host = host, .bytes = "", .len = 1, .work = 40};
	struct admission_port closed;
	uint32_t work;

	admission_input(flood, mono_from_ms(ms), p, &defaults, &m);
	admission_member(
		flood, mono_from_ms(ms), p, &m, 1, mono_from_ms(ms + MEMBERSHIP_MS));
	closed = *p;
	p->messages = p->quiet = p->fresh = mono_from_ms(ms + 100000);
	work = admission_input(flood, mono_from_ms(ms), p, &defaults, &m).work;
	*p = closed;
	return work;
}

/* A membership that ends frees its place. Even if members of one port hold all their
 * places, another port still has some. */
static void r082_places_of_members(void **state)
{
	static struct admission_port other;
	const struct admission_host first = host_of(7, 7), late = host_of(8, 8);
	struct admission_message m = {.bytes = "", .len = 1, .work = 40};

	assert_int_equal(heard_as_member(100, &port, first), 40);
	for (unsigned i = 0; i < 10 * ADMISSION_MEMBERS; i++) {
		m.host = host_of(1000 + i, 1000 + i);
		admission_input(flood, mono_from_ms(200), &port, &defaults, &m);
		admission_member(flood, mono_from_ms(200), &port, &m, 1,
			mono_from_ms(200 + MEMBERSHIP_MS));
	}
	assert_int_equal(heard_as_member(30000, &port, first), 40);
	assert_int_equal(heard_as_member(30000, &port, late), 0);
	assert_int_equal(heard_as_member(30000, &other, late), 40);
	assert_int_equal(heard_as_member(30000, &other, host_of(9, 9)), 40);
	assert_int_equal(heard_as_member(60000, &port, first), 40);
	assert_int_equal(heard_as_member(300 + MEMBERSHIP_MS, &port, late), 40);
}

/* ---- forged addresses ---- */

/* The kind of a flood, and how much of the victim's messages must get through. */
struct forgery {
	const char *what;
	bool mac, ip; /* the victim's addresses, otherwise made-up ones */
	bool random;  /* all messages differ */
	uint32_t work, per_ms, hosts;
	/* at least this many of 100 joins are heard, sent once or, as hosts do,
	 * twice */
	unsigned once, twice;
};

static const struct forgery forgeries[] = {
	{"empty reports with the victim's MAC", true, false, false, 1, 20, 1, 99, 100},
	{"the same, and its IP", true, true, false, 1, 20, 1, 99, 100},
	{"MAC and IP, random groups", true, true, true, 2, 10, 1, 99, 100},
	{"MAC and IP, large reports", true, true, true, 183, 10, 1, 97, 99},
	{"MAC and IP, jumbo frames", true, true, true, 1400, 10, 1, 97, 99},
	{"MAC and IP, the same large report", true, true, false, 183, 10, 1, 97, 99},
	{"MAC and IP, 50,000/s", true, true, true, 2, 50, 1, 25, 45},
	{"the victim's MAC, 1000 IPs", true, false, true, 183, 10, 1000, 99, 100},
	{"1000 made-up hosts", false, false, true, 183, 10, 1000, 97, 99},
	{"1000 made-up hosts, jumbo", false, false, true, 1400, 10, 1000, 97, 99},
	{"a new host for each message", false, false, true, 183, 10, 1u << 30, 97, 99},
	{"a new host each, small, 50,000/s", false, false, true, 2, 50, 1u << 30, 60,
		85},
};

struct heard {
	unsigned once, twice;
};

/* How many of the victim's 100 joins in 20 seconds are heard the first time, and how
 * many the first or second time. */
static struct heard n_heard(const struct forgery *f)
{
	const uint32_t victim = 7;
	struct admission_host h = host_of(victim, victim);
	struct heard heard = {0};
	unsigned i = 0;

	for (int64_t ms = 1000; ms < 21000; ms++) {
		for (uint32_t k = 0; k < f->per_ms; k++, i++) {
			uint32_t made_up = 1000 + i % f->hosts;

			say(ms, &defaults,
				host_of(f->mac ? victim : made_up,
					f->ip ? victim : made_up),
				f->random ? i : 1, f->work);
		}
		if (ms % 200 == 100) {
			uint32_t join = 0x80000000u | (uint32_t)ms;
			bool once = say(ms, &defaults, h, join, 3).work == 3;

			heard.once += once;
			heard.twice += once || say(ms, &defaults, h, join, 3).work == 3;
		}
	}
	return heard;
}

static void f4_forged_addresses_silence_nobody(void **state)
{
	for (size_t i = 0; i < array_len(forgeries); i++) {
		const struct forgery *f = &forgeries[i];
		struct heard heard = n_heard(f);

		print_message("%s: %u of 100 joins heard at once, %u at the second "
			      "time\n",
			f->what, heard.once, heard.twice);
		if (heard.once < f->once || heard.twice < f->twice)
			fail_msg("%s: too few", f->what);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
	}
}

/* A forger that sends bad messages with the victim's addresses does not use up the
 * victim's budget: an invalid message is not remembered as sent. */
static void f4_bad_messages_use_up_nothing(void **state)
{
	static const struct admission_limit limit = {
		.host_rate = 10, .port_rate = 1000};
	struct admission_host victim = host_of(7, 7);

	for (unsigned bad = 0; bad < 2; bad++) {
		unsigned heard = 0;

		for (int64_t ms = 1000; ms < 22000; ms += 2) {
			if (say(ms, &limit, victim, 42, 2).work && bad)
				admission_bad(flood);
			if (ms > 2000 && ms % 1000 == 0)
				heard += say(ms, &limit, victim, 42, 2).work > 0;
		}
		/* never remembered; or remembered, and so refused as a repetition */
		if (bad)
			assert_true(heard >= 18);
		else
			assert_true(heard < 5);
		assert_int_equal(tear_down(state), 0);
		assert_int_equal(set_up(state), 0);
	}
}

/* Chance decides, not the order of arrival: two hosts that send equally much at the
 * same moments get equally much, although one is always first. */
static void f4_the_first_one_has_no_advantage(void **state)
{
	static const struct admission_limit limit = {.port_rate = 1000};
	unsigned first = 0, last = 0;

	for (int64_t ms = 1000; ms < 21000; ms++) {
		for (unsigned i = 0; i < 4; i++)
			first += say(ms, &limit, host_of(1, 1), 1, 1).work;
		for (unsigned i = 0; i < 4; i++)
			last += say(ms, &limit, host_of(2, 2), 2, 1).work;
	}
	assert_true(first < last + last / 5 && last < first + first / 5);
	assert_between(first + last, 20000, 22500);
}

/* A host that costs work even when it is refused is named once per so many messages. */
static void r082_a_loud_host_is_named(void **state)
{
	static const struct admission_limit limit = {
		.host_rate = 200, .loud_rate = 1000};
	unsigned named = 0;

	for (int64_t ms = 1000; ms < 4000; ms++)
		for (unsigned i = 0; i < 10; i++)
			named += say(ms, &limit, host_of(1, 1), 0, 1).loud;
	assert_between(named, 24, 30);
	/* one and a half times the limit is not a reason */
	named = 0;
	for (int64_t ms = 10000; ms < 40000; ms += 10)
		for (unsigned i = 0; i < 3; i++)
			named += say(ms, &limit, host_of(2, 2), 0, 1).loud;
	assert_int_equal(named, 0);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		CASE(r082_host_has_its_rate),
		CASE(r082_lasting_rate),
		CASE(r082_nothing_is_limited_by_zero),
		CASE(r082_ports_are_apart),
		CASE(f2_work_is_charged),
		CASE(what_was_struck),
		CASE(f2_lasting_work_is_bounded),
		CASE(r082_a_large_answer_is_taken_whole),
		CASE(r082_taken_in_part),
		CASE(r082_quiet_host_gets_through),
		CASE(f2_strangers_do_not_cut_a_member),
		CASE(f4_a_forger_does_not_silence_a_member),
		CASE(r082_places_of_members),
		CASE(f4_forged_addresses_silence_nobody),
		CASE(f4_bad_messages_use_up_nothing),
		CASE(f4_the_first_one_has_no_advantage),
		CASE(r082_a_loud_host_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
