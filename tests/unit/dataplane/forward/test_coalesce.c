/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which datagrams leave as one super-frame, why a run ends, and what the receiver gets,
 * which cuts it again (receiver.h).
 */

#include "coalesce_fixture.h"

static void test_run_is_one_message(void **state)
{
	members(NULL, GRP, "12");
	stream(40, 1316);
	go();
	assert_int_equal(got.n_messages, 2);
	assert_int_equal(got.n, 80);
	assert_int_equal(got.largest, 40);
	for (unsigned i = 0; i < 80; i++) {
		assert_int_equal(get16(got.v[i].b + 4), 100 + i % 40);
		assert_int_equal(packet_l4_check(got.v[i].b, 20, 17), 0);
		assert_int_equal(got.v[i].b[8], 63);
	}
}

static void test_last_one_may_be_shorter(void **state)
{
	members(NULL, GRP, "1");
	stream(5, 1000);
	add(make(999, 105));
	add(make(1000, 106)); /* begins a new run */
	add(make(1000, 107));
	go();
	assert_int_equal(got.n_messages, 2);
	assert_int_equal(got.n_super, 2);
	assert_int_equal(got.largest, 6);
	assert_int_equal(got.v[5].len, 1027);
	assert_int_equal(got.n, 8);
}

static void test_larger_one_begins_a_run(void **state)
{
	members(NULL, GRP, "1");
	stream(3, 500);
	add(make(501, 103));
	go();
	assert_int_equal(got.n_messages, 2);
	assert_int_equal(got.n, 4);
}

static void test_bounds(void **state)
{
	members(NULL, GRP, "1");
	stream(300, 20); /* at most 64 datagrams */
	go();
	assert_int_equal(got.n_messages, 5);
	assert_int_equal(got.largest, 64);
	forget();
	stream(100, 1472); /* at most 64 KiB */
	go();
	assert_int_equal(got.n, 100);
	assert_int_equal(got.largest, 44);
}

static void pairs_that_differ(enum coalesce_mode mode)
{
	members(NULL, GRP, "1");
	fw->coalesce = mode;
	for (size_t i = 0; i < array_len(differences); i++) {
		const struct difference *d = &differences[i];
		bool joined = mode == COALESCE_ON ? d->on : d->exact;
		struct packet *first = make(100, 7), *second = make(100, 8);

		print_message("%s\n", d->what);
		d->change(second);
		packet_seal(second);
		add(first);
		add(second);
		go();
		assert_int_equal(got.n_super, joined);
		assert_int_equal(got.n, 2);
		forget();

		if (d->change == nothing)
			continue;
		/* in the other order */
		first = make(100, 7);
		second = make(100, 8);
		d->change(first);
		packet_seal(first);
		add(first);
		add(second);
		go();
		assert_int_equal(got.n_super, joined);
		forget();
	}
}

static void test_what_must_not_be_joined(void **state)
{
	pairs_that_differ(COALESCE_ON);
	pairs_that_differ(COALESCE_EXACT);
}

static void test_options_are_not_joined(void **state)
{
	members(NULL, GRP, "1");
	for (unsigned i = 0; i < 2; i++) {
		struct packet *p = next_packet();

		packet_v4_opt(p, STREAM, GRP, "\x94\x04\0\0", 4, 100);
		add(p);
	}
	go();
	assert_int_equal(got.n_super, 0);
	assert_int_equal(got.n, 2);
}

static void test_identification_of_atomic_datagrams(void **state)
{
	static const struct {
		enum coalesce_mode mode;
		unsigned id[3], n_super, n_messages;
	} c[] = {
		{COALESCE_ON, {0, 0, 0}, 1, 1},
		{COALESCE_ON, {9, 4, 7}, 1, 1},
		{COALESCE_EXACT, {0, 0, 0}, 0, 3},
		{COALESCE_EXACT, {65534, 65535, 0}, 1, 1},
		{COALESCE_OFF, {1, 2, 3}, 0, 3},
	};

	members(NULL, GRP, "1");
	for (size_t i = 0; i < array_len(c); i++) {
		fw->coalesce = c[i].mode;
		for (unsigned k = 0; k < 3; k++) {
			struct packet *p = make(100, c[i].id[k]);

			p->b[6] = 0x40;
			packet_seal(p);
			add(p);
		}
		go();
		assert_int_equal(got.n_super, c[i].n_super);
		assert_int_equal(got.n_messages, c[i].n_messages);
		for (unsigned k = 0; k < 3 && c[i].mode == COALESCE_EXACT; k++)
			assert_int_equal(get16(got.v[k].b + 4), c[i].id[k]);
		forget();
	}
}

/* A checksum that was not verified on receipt is verified here. A datagram with a wrong
 * one is sent alone and unchanged. */
static void test_wrong_checksum_stays_wrong(void **state)
{
	members(NULL, GRP, "1");
	for (unsigned i = 0; i < 9; i++) {
		struct packet *p = make(100, i);
		struct frame f;

		if (i == 0 || i == 4)
			p->b[60] ^= 1;
		f = packet_frame(p);
		f.csum_valid = false;
		burst_add(&burst, 0, &f);
	}
	go();
	assert_int_equal(got.n, 9);
	assert_int_equal(got.n_messages, 4); /* 0, 1 to 3, 4, 5 to 8 */
	assert_int_equal(got.n_super, 2);
	for (unsigned i = 0; i < 9; i++) {
		bool wrong = packet_l4_check(got.v[i].b, 20, 17) != 0;

		assert_int_equal(get16(got.v[i].b + 4), i);
		assert_int_equal(wrong, i == 0 || i == 4);
	}
}

/* Television without checksums: one counter gives the identifications of all streams of
 * a sender, and FEC uses other ports. */

static void test_no_checksum_becomes_a_right_one(void **state)
{
	members(NULL, GRP, "1");
	for (int exact = 0; exact < 2; exact++) {
		fw->coalesce = exact ? COALESCE_EXACT : COALESCE_ON;
		for (unsigned i = 0; i < 6; i++) {
			struct packet *p = make(200, i);

			no_checksum(p);
			add(p);
		}
		go();
		assert_int_equal(got.n, 6);
		assert_int_equal(got.n_messages, exact ? 6 : 1);
		for (unsigned i = 0; i < 6; i++) {
			if (exact)
				assert_int_equal(get16(got.v[i].b + 26), 0);
			else
				assert_int_equal(
					packet_l4_check(got.v[i].b, 20, 17), 0);
			/* nothing else differs */
			put16(got.v[i].b + 26, 0);
			assert_memory_equal(
				got.v[i].b, got.v[0].b, 4); /* lengths, TOS */
			assert_int_equal(get16(got.v[i].b + 4), i);
		}
		forget();
	}
	assert_int_equal(ends(JOINED_CHECKSUM), 6);
	/* alone it is not changed */
	fw->coalesce = COALESCE_ON;
	{
		struct packet *p = make(300, 9);

		no_checksum(p);
		add(p);
	}
	go();
	assert_int_equal(get16(got.v[0].b + 26), 0);
}

/* RFC 8200 8.1: an IPv6 datagram has a checksum. */
static void test_ipv6_without_checksum_goes_alone(void **state)
{
	members(NULL, "ff0e::1", "1");
	for (unsigned i = 0; i < 3; i++) {
		struct packet *p = next_packet();

		packet_v6(p, "2001:db8:9::9", "ff0e::1", 100);
		packet_put16(p, 46, 0);
		add(p);
	}
	go();
	assert_int_equal(got.n_super, 0);
	assert_int_equal(get16(got.v[2].b + 46), 0);
}

static void assert_ids(const unsigned *id, unsigned n)
{
	assert_int_equal(got.n, n);
	for (unsigned i = 0; i < n; i++)
		assert_int_equal(get16(got.v[i].b + 4), id[i]);
}

/* Without DF, identifications must differ within source, group and protocol. Those of
 * the burst are reassigned where they increase. */
static void test_identifications_that_rise(void **state)
{
	static const struct {
		const char *what;
		unsigned n, id[4], n_messages, got[4];
	} c[] = {
		{"in turn", 4, {7, 8, 9, 10}, 1, {7, 8, 9, 10}},
		{"rise", 4, {7, 9, 30, 31}, 1, {7, 8, 9, 10}},
		{"over the end", 4, {65530, 65535, 3, 4}, 1,
			{65530, 65531, 65532, 65533}},
		{"one twice", 4, {7, 9, 9, 30}, 4, {7, 9, 9, 30}},
		{"one falls", 4, {7, 30, 9, 31}, 4, {7, 30, 9, 31}},
		{"all the same", 3, {0, 0, 0}, 3, {0, 0, 0}},
		{"too far", 3, {0, 30000, 60000}, 3, {0, 30000, 60000}},
	};

	members(NULL, GRP, "1");
	for (size_t i = 0; i < array_len(c); i++) {
		print_message("%s\n", c[i].what);
		for (unsigned k = 0; k < c[i].n; k++)
			add(make(100, c[i].id[k]));
		go();
		assert_int_equal(got.n_messages, c[i].n_messages);
		assert_ids(c[i].got, c[i].n);
		for (unsigned k = 0; k < c[i].n; k++)
			assert_int_equal(inet_fold(inet_sum(got.v[k].b, 20, 0)), 0);
		forget();
	}
}

static void test_identifications_stay_with_exact(void **state)
{
	static const unsigned id[] = {7, 9, 30};

	members(NULL, GRP, "1");
	fw->coalesce = COALESCE_EXACT;
	for (unsigned k = 0; k < 3; k++)
		add(make(100, id[k]));
	go();
	assert_int_equal(got.n_super, 0);
	assert_ids(id, 3);
	assert_int_equal(ends(JOINED_ID), 2);
}

/* Another burst may have fragments with the identification of a fragment here. */
static void test_identifications_with_a_fragment(void **state)
{
	static const unsigned id[] = {7, 9, 20, 30, 31};
	struct packet *p;

	members(NULL, GRP, "1");
	add(make(100, 7));
	add(make(100, 9));
	p = make(100, 20);
	be_fragment(p);
	packet_seal(p);
	add(p);
	add(make(100, 30));
	add(make(100, 31));
	go();
	assert_ids(id, 5);
	assert_int_equal(got.n_messages, 4);
}

/* Media and two FEC streams of a flow share a counter. A datagram that is too large for
 * a port is fragmented there, with the same identification as elsewhere. */
static void test_ports_take_turns(void **state)
{
	members(NULL, GRP, "12");
	plan->port[2].mtu = 600;
	for (unsigned i = 0; i < 12; i++) {
		struct packet *p = make(i % 3 == 2 ? 900 : 800, 100 + 2 * i);

		if (i % 3 == 2)
			set_destination_port(p);
		add(p);
	}
	go();
	assert_int_equal(ends(JOINED_LAST), 2);
	/* port 1: eight of media and four of FEC, one message per stream */
	for (unsigned i = 0; i < 12; i++) {
		assert_int_equal(got.v[i].port, 1);
		assert_int_equal(get16(got.v[i].b + 22), i < 8 ? 5000 : 5001);
		assert_int_equal(get16(got.v[i].b + 4), 100 + i);
	}
	/* port 2: two fragments each */
	assert_int_equal(got.n, 12 + 24);
	for (unsigned i = 12; i < got.n; i++)
		assert_int_equal(get16(got.v[i].b + 4), 100 + (i - 12) / 2);
}

static void test_ports_in_turn_stay_in_turn_with_exact(void **state)
{
	members(NULL, GRP, "1");
	fw->coalesce = COALESCE_EXACT;
	for (unsigned i = 0; i < 9; i++) {
		struct packet *p = make(100, 100 + i);

		if (i % 3 == 2)
			set_destination_port(p);
		add(p);
	}
	go();
	assert_int_equal(got.n_messages, 6);
	for (unsigned i = 0; i < 9; i++)
		assert_int_equal(get16(got.v[i].b + 4), 100 + i);
	assert_int_equal(ends(JOINED_PORTS), 5);
	assert_int_equal(ends(JOINED_LAST), 1);
}

/* Datagrams are not reordered with others that could have any ports. With more ports
 * than runs can be open, the run that has been open longest ends. */
static void test_order_with_fragments_and_many_ports(void **state)
{
	struct packet *p;

	members(NULL, GRP, "1");
	add(make(100, 1));
	p = make(100, 2);
	be_later_fragment(p);
	packet_seal(p);
	add(p);
	add(make(100, 3));
	go();
	assert_int_equal(got.n_messages, 3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(get16(got.v[i].b + 4), i + 1);
	forget();

	for (unsigned i = 0; i < 40; i++) {
		p = make(100, i);
		packet_put16(p, 22, 5000 + i % 20);
		seal_udp(p);
		add(p);
	}
	go();
	assert_int_equal(got.n, 40);
	assert_int_equal(got.n_messages, 40);
	assert_int_equal(ends(JOINED_PORTS), 32);
}

static void test_why_runs_end(void **state)
{
	struct packet *p;

	members(NULL, GRP, "1");
	stream(70, 20); /* full, last */
	go();
	add(make(100, 1)); /* size */
	add(make(101, 2)); /* header */
	p = make(101, 3);
	set_tos(p);
	packet_seal(p);
	add(p);
	add(make(101, 4)); /* (header), last */
	go();
	assert_int_equal(ends(JOINED_FULL), 1);
	assert_int_equal(ends(JOINED_SIZE), 1);
	assert_int_equal(ends(JOINED_HEADER), 2);
	assert_int_equal(ends(JOINED_LAST), 2);
	fw->coalesce = COALESCE_OFF;
	stream(3, 20);
	go();
	assert_int_equal(ends(JOINED_OFF), 3);
	assert_int_equal(
		atomic_load(&fw->counters.count[THREAD_COUNT_JOINED]), 2 + 4 + 3);
	assert_int_equal(
		atomic_load(&fw->counters.count[THREAD_COUNT_JOINABLE]), 70 + 4 + 3);
}

static void test_streams_have_counts(void **state)
{
	struct addr group = a(GRP), source = a(STREAM);
	struct joined_counts n = {0};

	members(NULL, GRP, "12");
	stream(40, 1000);
	go();
	joined_sum(&fw->joined, &group, &source, &n);
	assert_int_equal(n.datagrams, 40);
	assert_int_equal(n.messages, 1);
	assert_int_equal(n.end[JOINED_LAST], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_run_is_one_message),
		CASE(test_last_one_may_be_shorter),
		CASE(test_larger_one_begins_a_run),
		CASE(test_bounds),
		CASE(test_what_must_not_be_joined),
		CASE(test_options_are_not_joined),
		CASE(test_identification_of_atomic_datagrams),
		CASE(test_wrong_checksum_stays_wrong),
		CASE(test_no_checksum_becomes_a_right_one),
		CASE(test_ipv6_without_checksum_goes_alone),
		CASE(test_identifications_that_rise),
		CASE(test_identifications_stay_with_exact),
		CASE(test_identifications_with_a_fragment),
		CASE(test_ports_take_turns),
		CASE(test_ports_in_turn_stay_in_turn_with_exact),
		CASE(test_order_with_fragments_and_many_ports),
		CASE(test_why_runs_end),
		CASE(test_streams_have_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
