/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Super-frames: a receiver gets the same datagrams as without them. The receiver here
 * cuts and completes as Linux does (inet_gso_segment, __udp_gso_segment,
 * CHECKSUM_PARTIAL) and keeps the datagrams of each port. Every test compares them with
 * those of a port that takes only single packets.
 */

#include "receiver.h"

static int set_up(void **state)
{
	got.caps = SUPER;
	got.refuse = false;
	return setup(state);
}

static int tear_down(void **state)
{
	forget();
	return teardown(state);
}

static void go(void)
{
	forward_and_send(fw, &burst, plan, fib, &to_receiver);
	n_pool = 0;
}

/* Adds a datagram of the stream, which the caller may change before add(). */
static struct packet *make(size_t payload, unsigned id)
{
	struct packet *p = next_packet();

	packet_v4(p, STREAM, GRP, payload);
	packet_put16(p, 4, id);
	packet_seal(p);
	return p;
}

static void add(struct packet *p)
{
	arrives(0, p);
}

static void stream(unsigned n, size_t payload)
{
	for (unsigned i = 0; i < n; i++)
		add(make(payload, 100 + i));
}

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

/* A difference between two datagrams, and in which modes they are still joined. */
struct difference {
	const char *what;
	bool on, exact;
	void (*change)(struct packet *second);
};

static void seal_udp(struct packet *p)
{
	packet_put16(p, 26, 0);
	packet_put16(p, 26, packet_l4_check(p->b, 20, 17));
	packet_seal(p);
}

static void nothing(struct packet *p)
{
}
static void set_ttl(struct packet *p)
{
	p->b[8]--;
}
static void set_tos(struct packet *p)
{
	p->b[1] ^= 4;
}
static void set_df(struct packet *p)
{
	p->b[6] = 0x40;
}
static void set_source_port(struct packet *p)
{
	packet_put16(p, 20, 4001);
	seal_udp(p);
}
static void set_destination_port(struct packet *p)
{
	packet_put16(p, 22, 5001);
	seal_udp(p);
}
static void no_checksum(struct packet *p)
{
	packet_put16(p, 26, 0);
}
static void be_fragment(struct packet *p)
{
	p->b[6] = 0x20;
}
static void be_later_fragment(struct packet *p)
{
	p->b[7] = 8;
}
static void other_protocol(struct packet *p)
{
	p->b[9] = 136; /* UDP-Lite */
}
static void short_udp_length(struct packet *p)
{
	packet_put16(p, 24, 8 + 90);
}

static const struct difference differences[] = {
	{"none", true, true, nothing},
	{"TTL", false, false, set_ttl},
	{"TOS", false, false, set_tos},
	{"DF", false, false, set_df},
	{"source port", false, false, set_source_port},
	{"destination port", false, false, set_destination_port},
	{"no checksum", true, false, no_checksum},
	{"first fragment", false, false, be_fragment},
	{"later fragment", false, false, be_later_fragment},
	{"protocol", false, false, other_protocol},
	{"bytes behind UDP", false, false, short_udp_length},
};

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

static void add_partial(struct packet *p)
{
	struct frame f = packet_frame(p);

	packet_put16(
		p, 26, (uint16_t)~inet_fold(rewrite_pseudo_sum(&f, f.ip_len - 20)));
	f.csum_not_ready = true;
	f.csum_valid = false;
	burst_add(&burst, 0, &f);
}

/* R182: joined, alone, or fragmented because of a narrow port. */
static void r182_partial_checksums(void **state)
{
	members(NULL, GRP, "12");
	for (unsigned i = 0; i < 4; i++)
		add_partial(make(1000, i));
	add_partial(make(50, 2)); /* not joined, because its identification is lower */
	go();
	assert_int_equal(got.n, 10);
	assert_int_equal(got.n_messages, 4);
	for (unsigned i = 0; i < got.n; i++)
		assert_int_equal(packet_l4_check(got.v[i].b, 20, 17), 0);
	forget();

	plan->port[2].mtu = 600;
	add_partial(make(1000, 1));
	add_partial(make(1000, 2));
	go();
	assert_int_equal(got.n, 2 + 4);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(packet_l4_check(got.v[i].b, 20, 17), 0);
	/* the first fragment has the UDP header, with the checksum of the whole
	 * datagram */
	assert_memory_equal(got.v[2].b + 20, got.v[0].b + 20, 8);
}

static void test_narrow_port_next_to_a_wide_one(void **state)
{
	members(NULL, GRP, "12");
	plan->port[1].mtu = 600;
	stream(3, 1000);
	go();
	assert_int_equal(got.n_messages, 3 * 2 + 1);
	assert_int_equal(got.n_super, 1);
}

static void test_threshold_counts_datagrams(void **state)
{
	members(NULL, GRP, "12");
	plan->port[1].threshold = 64;
	stream(5, 100);
	go();
	assert_int_equal(got.n, 5);
	assert_int_equal(drops(1, VERDICT_TTL_THRESHOLD), 5);
}

static void test_refused_super_frame_is_sent_one_by_one(void **state)
{
	members(NULL, GRP, "1");
	got.caps = SUPER | TX_UNTRIED;
	got.refuse = true;
	add(make(77, 1)); /* precedes the super-frames */
	stream(30, 700);
	stream(20, 600);
	go();
	assert_int_equal(got.n, 51);
	assert_int_equal(got.n_super, 0);
	assert_int_equal(got.v[0].len, 105);
	for (unsigned i = 1; i < 51; i++) {
		assert_int_equal(got.v[i].len, i <= 30 ? 728 : 628);
		assert_int_equal(
			get16(got.v[i].b + 4), i <= 30 ? 100 + i - 1 : 100 + i - 31);
	}
}

static void test_first_super_frame_goes_alone(void **state)
{
	members(NULL, GRP, "1");
	got.caps = SUPER | TX_UNTRIED;
	add(make(77, 1));
	stream(30, 700);
	stream(20, 600);
	go();
	assert_int_equal(got.n, 51);
	assert_int_equal(got.n_super, 2);
	assert_int_equal(got.caps, SUPER);
}

static void r186_super_frame_without_link_header(void **state)
{
	members(NULL, GRP, "1");
	plan->port[1].has_l2 = false;
	stream(10, 300);
	go();
	assert_int_equal(got.n_super, 1);
	assert_int_equal(got.n, 10);
}

static void test_ipv6(void **state)
{
	members(NULL, "ff0e::1", "1");
	for (unsigned i = 0; i < 6; i++) {
		struct packet *p = next_packet();

		packet_v6(p, "2001:db8:9::9", "ff0e::1", 800);
		if (i >= 4)
			p->b[3]++; /* flow label */
		add(p);
	}
	go();
	assert_int_equal(got.n_messages, 2);
	assert_int_equal(got.n, 6);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(packet_l4_check(got.v[i].b, 40, 17), 0);
}

/* A received super-frame is forwarded whole where the port takes it, and cut
 * elsewhere. */
static void add_super_frame(bool v6, unsigned payload, uint16_t gso_size)
{
	struct packet *p = next_packet();
	struct frame f;

	if (v6)
		packet_v6(p, "2001:db8:9::9", "ff0e::1", payload);
	else
		packet_v4(p, STREAM, GRP, payload);
	f = packet_frame(p);
	f.gso_size = gso_size;
	burst_add(&burst, 0, &f);
}

static void r183_received_super_frames(void **state)
{
	members(NULL, GRP, "12");
	members(NULL, "ff0e::1", "12");
	for (int v6 = 0; v6 < 2; v6++)
		for (int whole = 0; whole < 2; whole++) {
			unsigned head = v6 ? 48 : 28;

			got.caps = whole ? SUPER : TX_VNET;
			add_super_frame(v6, 10500, 1000);
			go();
			assert_int_equal(got.n, 2 * 11);
			assert_int_equal(got.n_super, whole ? 2 : 0);
			for (unsigned i = 0; i < 22; i++) {
				const struct datagram *d = &got.v[i];

				assert_int_equal(
					d->len, head + (i % 11 == 10 ? 500 : 1000));
				assert_int_equal(
					packet_l4_check(d->b, head - 8, 17), 0);
				/* byte k of the payload is k * 7 + k / 256 + 1 */
				assert_int_equal(d->b[head],
					(uint8_t)(i % 11 * 7000 + (i % 11 * 1000 >> 8) +
						1));
				if (!v6)
					assert_int_equal(
						get16(d->b + 4), 0x1234 + i % 11);
			}
			forget();
		}
}

static void r183_received_super_frame_and_a_narrow_port(void **state)
{
	members(NULL, GRP, "1");
	plan->port[1].mtu = 600;
	add_super_frame(false, 3000, 1000);
	go();
	assert_int_equal(got.n_super, 0);
	assert_int_equal(got.n, 3 * 2);
}

/* Television without checksums: one counter gives the identifications of all streams of
 * a sender, and FEC uses other ports. */

static uint64_t ends(enum joined_end e)
{
	return atomic_load(&fw->counters.run_end[e]);
}

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

/* Random datagrams in random order: the same ones arrive with and without joining. */

/* `id` holds the next identification of each group, and the number of the datagram. */
static void random_datagram(struct rng *rng, unsigned id[4])
{
	static const char *const groups[] = {"239.0.0.1", "239.0.0.2", "239.0.0.3"};
	unsigned g = (unsigned)rng_below(rng, 3);
	struct packet *p = next_packet();
	size_t payload = rng_below(rng, 8) ? 300 : rng_below(rng, 301);
	struct frame f;

	packet_v4(p, STREAM, groups[g], payload);
	packet_put16(p, 4, id[g]);
	if (payload >= 2)
		packet_put16(p, 28, id[3]++);
	seal_udp(p);
	id[g] += rng_below(rng, 9) ? 1 : 2;
	if (rng_below(rng, 40) == 0)
		set_destination_port(p);
	if (rng_below(rng, 10) == 0)
		differences[rng_below(rng, array_len(differences))].change(p);
	packet_seal(p);
	f = packet_frame(p);
	f.csum_valid = rng_below(rng, 2);
	if (!f.csum_valid && rng_below(rng, 16) == 0)
		p->b[30 + (payload > 20 ? 5 : 0)] ^= 1;
	burst_add(&burst, 0, &f);
}

static void random_burst(uint64_t seed)
{
	unsigned id[4] = {1, 30000, 65530, 0};
	struct rng rng;

	rng_seed(&rng, seed);
	for (unsigned n = 1 + (unsigned)rng_below(&rng, 400); n > 0; n--)
		random_datagram(&rng, id);
	go();
}

/* Clears the fields that joining may change: right UDP checksums, which it adds where
 * they are missing, and identifications. */
static void even_out(struct receiver *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		uint8_t *b = r->v[i].b;
		bool whole = b[9] == 17 && (get16(b + 6) & 0x3fff) == 0 &&
			get16(b + 24) == r->v[i].len - 20;

		if (whole && packet_l4_check(b, 20, 17) == 0)
			put16(b + 26, 0);
		assert_int_equal(inet_fold(inet_sum(b, 20, 0)), 0);
		put16(b + 10, 0);
		put16(b + 4, 0);
	}
}

static bool is_whole(const struct datagram *d)
{
	return get16(d->b + 6) % 0x4000 == 0;
}

static int by_bytes(const void *x, const void *y)
{
	const struct datagram *p = x, *q = y;
	size_t len = p->len < q->len ? p->len : q->len;
	int d = (int)p->port - (int)q->port;

	if (d == 0)
		d = memcmp(p->b, q->b, len);
	return d ? d : (p->len > q->len) - (p->len < q->len);
}

/* By port of the router, group and UDP ports, otherwise in order. */
static int by_five(const void *x, const void *y)
{
	const struct datagram *p = x, *q = y;
	int d = (int)p->port - (int)q->port;

	if (d == 0)
		d = memcmp(p->b + 16, q->b + 16, 8);
	return d ? d : p->b < q->b ? -1 : 1;
}

/* Keeps only whole datagrams, sorted so that the order for equal addresses and ports
 * can be compared. */
static void whole_by_five(struct receiver *x)
{
	unsigned n = 0;

	for (unsigned i = 0; i < x->n; i++)
		if (is_whole(&x->v[i]))
			x->v[n++] = x->v[i];
	x->n = n;
	qsort(x->v, x->n, sizeof(x->v[0]), by_five);
}

/* Counts identifications that occur twice for a port and group. */
static unsigned n_doubles(const struct receiver *r)
{
	static uint8_t seen[N_PORTS][4][65536];
	unsigned n = 0;

	memset(seen, 0, sizeof(seen));
	for (unsigned i = 0; i < r->n; i++) {
		const uint8_t *b = r->v[i].b;

		/* fragments share one, and with DF it has no meaning */
		if (b[9] == 17 && (get16(b + 6) & 0x7fff) == 0)
			n += seen[r->v[i].port][b[19] & 3][get16(b + 4)]++ > 0;
	}
	return n;
}

static void test_same_datagrams_with_and_without(void **state)
{
	static struct receiver single;
	unsigned n_super = 0;

	members(NULL, "239.0.0.1", "12");
	members(NULL, "239.0.0.2", "13");
	members(NULL, "239.0.0.3", "123");
	plan->port[3].mtu = 200;
	for (uint64_t seed = 1; seed <= 400; seed++) {
		got.caps = 0;
		random_burst(seed);
		set_aside(&single);
		got.caps = SUPER;
		random_burst(seed);
		n_super += got.n_super;
		assert_in_range(n_doubles(&got), 0, n_doubles(&single));
		even_out(&single);
		even_out(&got);
		qsort(single.v, single.n, sizeof(single.v[0]), by_bytes);
		qsort(got.v, got.n, sizeof(got.v[0]), by_bytes);
		assert_same_datagrams(&single, &got, true);
		whole_by_five(&single);
		whole_by_five(&got);
		assert_same_datagrams(&single, &got, true);
		forget();
	}
	assert_true(n_super > 1000);
}

static void test_same_bytes_with_exact(void **state)
{
	static struct receiver single;
	unsigned n_super = 0;

	members(NULL, "239.0.0.1", "12");
	members(NULL, "239.0.0.2", "13");
	members(NULL, "239.0.0.3", "123");
	plan->port[3].mtu = 200;
	fw->coalesce = COALESCE_EXACT;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		got.caps = 0;
		random_burst(seed);
		set_aside(&single);
		got.caps = SUPER;
		random_burst(seed);
		n_super += got.n_super;
		assert_same_datagrams(&single, &got, true);
		forget();
	}
	assert_true(n_super > 500);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

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
		CASE(r182_partial_checksums),
		CASE(test_narrow_port_next_to_a_wide_one),
		CASE(test_threshold_counts_datagrams),
		CASE(test_refused_super_frame_is_sent_one_by_one),
		CASE(test_first_super_frame_goes_alone),
		CASE(r186_super_frame_without_link_header),
		CASE(test_ipv6),
		CASE(r183_received_super_frames),
		CASE(r183_received_super_frame_and_a_narrow_port),
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
		CASE(test_same_datagrams_with_and_without),
		CASE(test_same_bytes_with_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
