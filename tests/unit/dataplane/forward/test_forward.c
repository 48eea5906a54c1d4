/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * forward_burst() with a fake transmitter that keeps the copies. It copies the bytes
 * only in flush, as a kernel with a queue may do, so memory that is reused too early
 * shows as wrong bytes.
 *
 * Port 0 is the upstream and accepts every source. Ports 1 to 9 are downstreams with
 * 192.168.N.0/24 and 2001:db8:N::/48.
 */

#include "forward_fixture.h"

static void r137_only_members_get_copies(void **state)
{
	members(NULL, GRP, "13");
	udp(0, STREAM, GRP, 100);
	run();
	assert_sent("13");
	assert_int_equal(drops(0, VERDICT_FORWARDED), 1);
	udp(0, "2001:db8::9", "ff0e::1", 100);
	members(NULL, "ff0e::1", "2");
	run();
	assert_int_equal(fake.v[0].family, FAMILY_IPV6);
	assert_sent("2");
}

static void r138_from_downstream(void **state)
{
	portset_add(&plan->port[2].always, 0);
	udp(2, "192.168.2.7", GRP, 100); /* no member, so only upstream */
	run();
	assert_sent("0");
	members(NULL, GRP, "123");
	udp(2, "192.168.2.7", GRP, 100);
	run();
	assert_sent("013"); /* not back to port 2 */
	assert_int_equal(drops(2, VERDICT_FORWARDED), 2);
}

static void r147_lan_to_lan(void **state)
{
	portset_del(&plan->port[1].allowed, 0);
	members(NULL, GRP, "02");
	udp(1, "192.168.1.7", GRP, 100);
	run();
	assert_sent("2");
}

static void r139_change_holds_from_the_next_packet(void **state)
{
	members(NULL, GRP, "");
	udp(0, STREAM, GRP, 100);
	run();
	assert_sent("");
	members(NULL, GRP, "4");
	udp(0, STREAM, GRP, 100);
	run();
	assert_sent("4");
	members(NULL, GRP, "");
	udp(0, STREAM, GRP, 100);
	run();
	assert_sent("");
	assert_int_equal(drops(0, VERDICT_SOURCE_FILTERED), 2);
}

static void r153_channels_are_isolated(void **state)
{
	members(NULL, "232.1.2.3", "");
	members("203.0.113.1", "232.1.2.3", "1");
	udp(0, "203.0.113.1", "232.1.2.3", 10);
	udp(0, "203.0.113.2", "232.1.2.3", 10);
	run();
	assert_sent("1");
	assert_int_equal(drops(0, VERDICT_SOURCE_FILTERED), 1);
}

/* packets given to programs of this host */
static struct given {
	int ifindex;
	enum family family;
	size_t len;
	uint8_t byte[2048];
} given[8];
static unsigned n_given;

static void give(void *ctx, int ifindex, enum family family, struct iovec iov[2])
{
	struct given *g = &given[n_given++];

	assert_in_range(n_given, 1, array_len(given));
	assert_true(iov[0].iov_len + iov[1].iov_len <= sizeof(g->byte));
	*g = (struct given){.ifindex = ifindex, .family = family};
	for (unsigned i = 0; i < 2; i++) {
		memcpy(g->byte + g->len, iov[i].iov_base, iov[i].iov_len);
		g->len += iov[i].iov_len;
	}
}

/* The program gets the packet with TTL 0, and a LAN member the usual copy. The program
 * gets only groups that it has joined. */
static void k03_programs_of_this_host(void **state)
{
	static const struct {
		const char *src, *group, *other;
		size_t ttl;
	} t[] = {
		{STREAM, GRP, "239.9.9.9", 8},
		{"2001:db8::9", "ff0e::1", "ff0e::9", 7},
	};
	struct tx_ops ops = tx;

	ops.local = give;
	for (size_t i = 0; i < array_len(t); i++) {
		struct addr group = a(t[i].group);

		n_given = fake.n = fake.n_flushed = 0;
		plan->port[1].ifindex = 17;
		assert_int_equal(plan_set_local(&plan->port[1], &group, 1), 0);
		assert_int_equal(plan_set_local(&plan->port[3], &group, 1), 0);
		members(NULL, t[i].group, "12");
		members(NULL, t[i].other, "1");
		udp(0, t[i].src, t[i].group, 100);
		udp(0, t[i].src, t[i].other, 100);
		forward_and_send(fw, &burst, plan, fib, &ops);
		assert_int_equal(fake.n, 3);
		assert_int_equal(n_given, 1);
		assert_int_equal(given[0].ifindex, 17);
		assert_int_equal(given[0].family, addr_family(&group));
		assert_int_equal(given[0].len, fake.v[0].len);
		assert_int_equal(given[0].byte[t[i].ttl], 0);
		given[0].byte[t[i].ttl] = fake.v[0].ip[t[i].ttl];
		assert_memory_equal(given[0].byte, fake.v[0].ip, given[0].len);
	}
	/* a transmitter without this function still sends the copies */
	members(NULL, GRP, "1");
	udp(0, STREAM, GRP, 100);
	run();
	assert_int_equal(n_given, 1);
}

static void r154_ttl_falls_once_for_all_copies(void **state)
{
	members(NULL, GRP, "1234");
	members(NULL, "ff0e::1", "1234");
	udp(0, STREAM, GRP, 100);
	udp(0, "2001:db8:9::9", "ff0e::1", 100);
	run();
	assert_int_equal(fake.n, 8);
	for (unsigned i = 0; i < fake.n; i++) {
		const uint8_t *ip = fake.v[i].ip;

		assert_int_equal(fake.v[i].family == FAMILY_IPV4 ? ip[8] : ip[7], 63);
		if (fake.v[i].family == FAMILY_IPV4)
			assert_int_equal(inet_fold(inet_sum(ip, 20, 0)), 0);
	}
}

static void r155_expired_ttl(void **state)
{
	members(NULL, GRP, "1");
	for (uint8_t ttl = 0; ttl <= 2; ttl++)
		udp_ttl(0, STREAM, GRP, ttl);
	run();
	assert_int_equal(fake.v[0].ip[8], 1);
	assert_sent("1");
	assert_int_equal(drops(0, VERDICT_TTL_EXPIRED), 2);
	/* the TTL is checked before the empty output */
	members(NULL, GRP, "0");
	udp_ttl(0, STREAM, GRP, 1);
	udp_ttl(0, STREAM, GRP, 2);
	run();
	assert_int_equal(drops(0, VERDICT_TTL_EXPIRED), 3);
	assert_int_equal(drops(0, VERDICT_EMPTY_OUTPUT), 1);
}

static void r156_threshold_compares_received_ttl(void **state)
{
	members(NULL, GRP, "12");
	plan->port[1].threshold = 3;
	plan->port[2].threshold = 1;
	for (uint8_t ttl = 2; ttl <= 4; ttl++)
		udp_ttl(0, STREAM, GRP, ttl);
	run();
	assert_int_equal(fake.v[0].ip[8], 3); /* was 4 */
	assert_sent("1222");
	assert_int_equal(drops(1, VERDICT_TTL_THRESHOLD), 2);
	assert_int_equal(drops(2, VERDICT_TTL_THRESHOLD), 0);
	assert_int_equal(drops(0, VERDICT_FORWARDED), 3);
}

static void r166_fragments_where_the_link_is_smaller(void **state)
{
	struct packet *p;

	members(NULL, GRP, "123");
	plan->port[2].mtu = 600;
	udp(0, STREAM, GRP, 1400);
	run();
	assert_int_equal(fake.v[1].len, 596);
	assert_int_equal(fake.v[3].len, 276);
	for (unsigned i = 1; i <= 3; i++)
		assert_memory_equal(fake.v[i].l2, fake.v[1].l2, 14);
	assert_sent("12223");

	p = next_packet();
	packet_v4(p, STREAM, GRP, 1400);
	p->b[6] = 0x40; /* DF */
	packet_seal(p);
	arrives(0, p);
	run();
	assert_sent("13");
	assert_int_equal(drops(2, VERDICT_MTU_DF), 1);
	plan->port[2].mtu = 20; /* no room for data */
	udp(0, STREAM, GRP, 1400);
	run();
	assert_sent("13");
	assert_int_equal(drops(2, VERDICT_FRAG_FAILED), 1);
}

static void r167_ipv6_is_never_fragmented(void **state)
{
	members(NULL, "ff0e::1", "12");
	plan->port[1].mtu = 1280;
	udp(0, "2001:db8:9::9", "ff0e::1", 1280 - 48);
	udp(0, "2001:db8:9::9", "ff0e::1", 1281 - 48);
	run();
	assert_sent("122");
	assert_int_equal(drops(1, VERDICT_MTU_DF), 1);
}

/* More fragments than scratch memory holds between two flushes. */
static void r166_scratch_memory_is_flushed_in_time(void **state)
{
	static const unsigned sizes[] = {65000, 30000, 9000, 40000};
	unsigned n = 0;
	size_t data = 0;

	/* half of them belong to one flow */
	for (unsigned i = 0; i < 40; i++) {
		char group[20];

		snprintf(group, sizeof(group), "239.1.2.%u", i % 2 ? 0 : i);
		members(NULL, group, "1");
		udp(0, STREAM, group, sizes[i % 4]);
		data += sizes[i % 4] + 8;
	}
	run();
	assert_true(fake.n_flush > 1);
	for (unsigned at = 0; at < 40; at++) {
		/* by flow: 0, 1, 3, ... 39, then 2, 4, ... 38 */
		unsigned i = at == 0 ? 0 : at <= 20 ? 2 * at - 1 : 2 * (at - 20);
		/* the pattern of the payload shows whether bytes were overwritten */
		static uint8_t got[65536];
		size_t have = 0;
		bool more;

		do {
			const struct sent *s = &fake.v[n++];

			more = s->ip[6] & 0x20;
			assert_true(s->len <= 1500);
			assert_int_equal(s->l2[5], i % 2 ? 0 : i);
			assert_int_equal(s->ip[19], i % 2 ? 0 : i);
			memcpy(got + have, s->ip + 20, s->len - 20);
			have += s->len - 20;
		} while (more);
		assert_int_equal(have, sizes[i % 4] + 8);
		for (size_t k = 8; k < have; k++)
			assert_int_equal(
				got[k], (uint8_t)((k - 8) * 7 + ((k - 8) >> 8) + 1));
		data -= have;
	}
	assert_int_equal(n, fake.n);
	assert_int_equal(data, 0);
}

static void r171_link_header_per_port(void **state)
{
	static const uint8_t dst[6] = {0x01, 0x00, 0x5e, 0x01, 0x02, 0x03};

	members(NULL, GRP, "139");
	members(NULL, "ff0e::1:2:3", "139");
	udp(0, STREAM, GRP, 100);
	udp(0, "2001:db8:9::9", "ff0e::1:2:3", 100);
	run();
	for (unsigned i = 0; i < fake.n; i++) {
		const struct sent *s = &fake.v[i];

		assert_int_equal(s->l2_len, 14);
		assert_memory_equal(s->l2 + 6, plan->port[s->port].mac, 6);
		if (s->family == FAMILY_IPV4)
			assert_memory_equal(s->l2, dst, 6);
		assert_int_equal(s->l2[12], s->family == FAMILY_IPV4 ? 0x08 : 0x86);
	}
	assert_sent("113399");
}

/* More link headers than scratch memory holds between two flushes. */
static void r171_many_flows_and_ports(void **state)
{
	enum { N = 500 }; /* not a divisor, so memory runs out within a port */

	for (unsigned i = 0; i < N; i++) {
		char group[20];

		snprintf(group, sizeof(group), "239.7.%u.%u", i >> 8, i & 255);
		members(NULL, group, "123456789");
		udp(0, STREAM, group, 20);
	}
	run();
	assert_true(fake.n_flush > 1);
	assert_int_equal(fake.n, 9 * N);
	for (unsigned i = 0; i < fake.n; i++) {
		const struct sent *s = &fake.v[i];

		assert_int_equal(s->port, 1 + i / N);
		assert_int_equal(s->l2[11], s->port);
		assert_memory_equal(s->l2 + 4, s->ip + 18, 2);
		assert_int_equal((s->ip[18] << 8 | s->ip[19]), i % N);
	}
}

static void r172_groups_with_one_mac(void **state)
{
	members(NULL, "239.1.2.3", "1");
	udp(0, STREAM, "224.1.2.3", 10);
	udp(0, STREAM, "225.129.2.3", 10);
	udp(0, STREAM, "239.1.2.3", 10);
	run();
	assert_int_equal(fake.v[0].ip[16], 239);
	assert_sent("1");
	assert_int_equal(drops(0, VERDICT_NO_GROUP), 2);
}

static unsigned n_views;
static void last_view(const struct fib_view *v, void *arg)
{
	*(struct fib_view *)arg = *v;
	n_views++;
}

static void r174_sources(void **state)
{
	struct fib_view v;
	struct addr src = a("192.168.1.7");

	members(NULL, GRP, "23");
	udp(1, "192.168.1.7", GRP, 10);
	udp(1, "192.168.2.7", GRP, 10); /* subnet of another port */
	udp(1, STREAM, GRP, 10);
	run();
	assert_sent("23");
	assert_int_equal(drops(1, VERDICT_WRONG_INPUT), 2);
	n_views = 0;
	fib_walk(fib, last_view, &v);
	assert_int_equal(n_views, 1);
	assert_int_equal(v.wrong, 2);
	assert_int_equal(v.packets, 1);
	assert_int_equal(v.bytes, 38);
	assert_int_equal(v.last_port, 1);
	assert_true(v.seen && addr_eq(&v.last_source, &src));
	/* altnet accepts it */
	set_sources(1, "203.0.113.0/24", "::/0");
	udp(1, STREAM, GRP, 10);
	run();
	assert_sent("23");
	udp(1, "203.0.114.1", "239.9.9.9", 10); /* there is no entry to count on */
	run();
	assert_int_equal(drops(1, VERDICT_WRONG_INPUT), 3);
}

static void input_port_must_be_usable(void **state)
{
	members(NULL, GRP, "1");
	plan->port[0].receive = false;
	udp(0, STREAM, GRP, 10);
	run();
	plan->port[0].receive = true;
	plan->port[0].ipv4 = false;
	udp(0, STREAM, GRP, 10);
	run();
	plan->port[0].ipv4 = true;
	plan->port[0].present = false;
	udp(0, STREAM, GRP, 10);
	run();
	assert_sent("");
	assert_int_equal(drops(0, VERDICT_WRONG_INPUT), 3);
	plan->port[0].present = true;
	udp(0, STREAM, GRP, 10);
	run();
	assert_sent("1");
}

static void output_ports_that_refuse(void **state)
{
	members(NULL, GRP, "0123");
	plan->port[1].present = false;
	plan->port[2].ipv4 = false;
	portset_del(&plan->port[0].allowed, 3);
	udp(0, STREAM, GRP, 10);
	run();
	assert_sent("");
	assert_int_equal(drops(0, VERDICT_EMPTY_OUTPUT), 1);
	plan->port[2].ipv4 = true;
	udp(0, STREAM, GRP, 10);
	run();
	assert_sent("2");
}

static void r178_unknown_group(void **state)
{
	udp(0, STREAM, GRP, 10);
	udp(0, STREAM, GRP, 10);
	run();
	assert_sent("");
	assert_int_equal(fake.n_flush, 0);
	assert_int_equal(drops(0, VERDICT_NO_GROUP), 2);
	assert_int_equal(fib_size(fib), 0); /* traffic creates no state */
	plan->port[0].instance = 1; /* entries of another instance are ignored */
	members(NULL, GRP, "1");
	udp(0, STREAM, GRP, 10);
	run();
	assert_int_equal(drops(0, VERDICT_NO_GROUP), 3);
}

static void r177_order_of_arrival_per_flow(void **state)
{
	struct rng rng;
	unsigned last[N_PORTS][4] = {{0}}, n[3] = {0};

	print_message("seed 17\n");
	rng_seed(&rng, 17);
	members(NULL, "239.0.0.1", "12");
	members(NULL, "239.0.0.2", "13");
	members(NULL, "239.0.0.3", "123");
	for (unsigned i = 1; i <= 300; i++) {
		static const char *const groups[] = {
			"239.0.0.1", "239.0.0.2", "239.0.0.3"};
		unsigned g = (unsigned)rng_below(&rng, 3);
		struct packet *p = next_packet();

		n[g]++;
		packet_v4(p, STREAM, groups[g], 10);
		packet_put16(p, 4, i);
		packet_seal(p);
		arrives(0, p);
	}
	run();
	for (unsigned i = 0; i < fake.n; i++) {
		const struct sent *s = &fake.v[i];
		unsigned id = (unsigned)(s->ip[4] << 8 | s->ip[5]);

		assert_true(id > last[s->port][s->ip[19]]);
		last[s->port][s->ip[19]] = id;
		if (i > 0)
			assert_true(s->port >= fake.v[i - 1].port);
	}
	assert_int_equal(sent_to(1), 300);
	assert_int_equal(sent_to(2), n[0] + n[2]);
	assert_int_equal(sent_to(3), n[1] + n[2]);
}

static void r182_checksum_is_completed_once(void **state)
{
	struct packet *p = next_packet();
	struct frame f;

	members(NULL, GRP, "123");
	packet_v4(p, STREAM, GRP, 101);
	packet_put16(p, 26, 0x1111);
	f = packet_frame(p);
	f.csum_not_ready = true;
	burst_add(&burst, 0, &f);
	p = next_packet();
	packet_v4(p, STREAM, GRP, 101);
	p->b[9] = 132;
	packet_seal(p);
	f = packet_frame(p);
	f.csum_not_ready = true;
	burst_add(&burst, 0, &f);
	run();
	for (unsigned i = 0; i < fake.n; i++)
		assert_int_equal(packet_l4_check(fake.v[i].ip, 20, 17), 0);
	assert_sent("123");
	assert_int_equal(drops(0, VERDICT_CHECKSUM_UNFIXABLE), 1);
}

static void r186_ports_without_link_header(void **state)
{
	members(NULL, GRP, "12");
	members(NULL, "ff0e::1", "12");
	plan->port[1].has_l2 = false;
	udp(0, STREAM, GRP, 10);
	udp(0, "2001:db8:9::9", "ff0e::1", 10);
	run();
	assert_int_equal(fake.v[0].n_iov, 1);
	assert_int_equal(fake.v[0].ip[0], 0x45);
	assert_int_equal(fake.v[0].family, FAMILY_IPV4);
	assert_int_equal(fake.v[1].n_iov, 1);
	assert_int_equal(fake.v[1].family, FAMILY_IPV6);
	assert_int_equal(fake.v[2].n_iov, 2);
	assert_sent("1122");
}

static void dead_port_next_to_live_ones(void **state)
{
	members(NULL, GRP, "123");
	portset_add(&fake.dead, 2);
	for (unsigned i = 0; i < 100; i++)
		udp(0, STREAM, GRP, 10);
	run();
	assert_int_equal(sent_to(1), 100);
	assert_int_equal(sent_to(3), 100);
	assert_int_equal(drops(2, VERDICT_PORT_DOWN), 100);
	assert_int_equal(fake.n_send, 6); /* chunks of 64 */
	assert_int_equal(fake.n_flush, 1);
	assert_int_equal(
		atomic_load(&fw->counters.port[1].count[PORT_COUNT_TX_PACKETS]), 100);
	assert_int_equal(
		atomic_load(&fw->counters.port[1].count[PORT_COUNT_TX_BYTES]), 3800);
	assert_int_equal(
		atomic_load(&fw->counters.port[0].count[PORT_COUNT_RX_BYTES]), 3800);
}

/* Everything except TTL and header checksum stays the same (R176), in any kind of
 * packet. */
static void random_packet(struct rng *rng, struct packet *p, size_t len)
{
	bool v6 = rng_below(rng, 2);
	size_t head = v6 ? 40 : 20 + 4 * rng_below(rng, 6);

	if (head + 8 > len)
		head = v6 ? 40 : 20;
	for (size_t i = 0; i < len; i++)
		p->b[i] = (uint8_t)rng_next(rng);
	p->len = len;
	if (v6) {
		p->b[0] = (uint8_t)(0x60 | (p->b[0] & 15));
		packet_put16(p, 4, (unsigned)(len - 40));
		p->b[6] = 17;
		p->b[7] = (uint8_t)(2 + rng_below(rng, 254));
		memcpy(p->b + 8, a("2001:db8:9::9").b, 16);
		memcpy(p->b + 24, a("ff0e::1").b, 16);
		return;
	}
	p->b[0] = (uint8_t)(0x40 | head / 4);
	packet_put16(p, 2, (unsigned)len);
	p->b[8] = (uint8_t)(2 + rng_below(rng, 254));
	p->b[9] = 17;
	memset(p->b + 20, 1, head - 20); /* options: NOP */
	memcpy(p->b + 12, a(STREAM).b + 12, 4);
	memcpy(p->b + 16, a(GRP).b + 12, 4);
	packet_seal(p);
}

/* In the order of sending: first the flow of the first packet, then the other one. */
static unsigned by_flow(const struct packet *p, unsigned n, unsigned *ret)
{
	unsigned k = 0;

	for (int second = 0; second < 2; second++)
		for (unsigned i = 0; i < n; i++)
			if ((p[i].b[0] >> 4 != p[0].b[0] >> 4) == second)
				ret[k++] = i;
	return k;
}

static void r176_everything_else_is_unchanged(void **state)
{
	static struct packet before[BURST_MAX];
	unsigned order[BURST_MAX];
	struct rng rng;
	size_t len = 60;

	print_message("seed 23\n");
	rng_seed(&rng, 23);
	members(NULL, GRP, "14");
	members(NULL, "ff0e::1", "14");
	plan->port[1].mtu = plan->port[4].mtu = 1514;
	for (unsigned done = 0; done < 10000;) {
		unsigned n = 1 + (unsigned)rng_below(&rng, 100);

		fake.n = fake.n_flushed = 0;
		fake.used = 0;
		for (unsigned i = 0; i < n; i++) {
			struct packet *p = next_packet();

			random_packet(&rng, p, len);
			len = len == 1514 ? 60 : len + 1;
			memcpy(before[i].b, p->b, p->len);
			before[i].len = p->len;
			arrives(0, p);
		}
		run();
		assert_int_equal(fake.n, 2 * n);
		assert_int_equal(by_flow(before, n, order), n);
		for (unsigned i = 0; i < fake.n; i++) {
			struct packet *want = &before[order[i % n]];
			const struct sent *s = &fake.v[i];
			bool v6 = want->b[0] >> 4 == 6;

			assert_int_equal(s->len, want->len);
			if (i < n) {
				want->b[v6 ? 7 : 8]--;
				if (!v6)
					packet_seal(want);
			}
			assert_memory_equal(s->ip, want->b, s->len);
		}
		done += n;
	}
}

static void check_conservation(uint64_t handed_in, uint64_t expected_copies)
{
	const struct forward_counters *c = &fw->counters;
	uint64_t frames = 0, copies = 0;

	for (unsigned i = 0; i < PORT_MAX; i++) {
		for (unsigned v = 0; v < _VERDICT_FRAME_N; v++)
			frames += drops(i, v);
		for (unsigned v = _VERDICT_FRAME_N; v < _VERDICT_N; v++)
			copies += drops(i, v);
		copies += atomic_load(&c->port[i].count[PORT_COUNT_TX_PACKETS]);
	}
	assert_int_equal(frames, handed_in);
	assert_int_equal(atomic_load(&c->count[THREAD_COUNT_FRAMES]), handed_in);
	assert_int_equal(copies, expected_copies);
}

/* All kinds of drops together. DF is set everywhere, so every copy is one packet. */
static void nothing_gets_lost_uncounted(void **state)
{
	static const char *const groups[] = {
		"239.0.0.1", "239.0.0.2", "239.0.0.3", "239.0.0.4", "239.0.0.5"};
	static const char *const sources[] = {
		"203.0.113.1", "192.168.1.7", "192.168.2.7"};
	static const unsigned n_out[] = {9, 3, 0, 0, 1}; /* from port 0 */
	uint64_t handed_in = 0, copies = 0;
	struct rng rng;

	print_message("seed 29\n");
	rng_seed(&rng, 29);
	members(NULL, groups[0], "123456789");
	members(NULL, groups[1], "0135");
	members(NULL, groups[2], "");
	members(NULL, groups[4], "08");
	portset_add(&fake.dead, 3);
	plan->port[5].threshold = 40;
	plan->port[6].mtu = 576;
	for (unsigned round = 0; round < 50; round++) {
		fake.n = fake.n_flushed = 0;
		fake.used = 0;
		for (uint64_t n = rng_below(&rng, BURST_MAX); n > 0; n--) {
			unsigned g = (unsigned)rng_below(&rng, 5);
			unsigned s = (unsigned)rng_below(&rng, 3);
			unsigned in = (unsigned)rng_below(&rng, 2);
			struct packet *p = next_packet();

			packet_v4(p, sources[s], groups[g], rng_below(&rng, 1000));
			p->b[6] = 0x40;
			p->b[8] = (uint8_t)rng_below(&rng, 80);
			packet_seal(p);
			handed_in++;
			/* port 1 accepts 192.168.1.7, and is a member of some groups
			 * itself */
			if (p->b[8] > 1 && in == 0)
				copies += n_out[g];
			if (p->b[8] > 1 && in == 1 && s == 1)
				copies += g == 0 ? 8 : g == 1 ? 3 : g == 4 ? 2 : 0;
			arrives(in, p);
		}
		run();
		forward_drop(fw, 7, VERDICT_MARTIAN_SOURCE, &(struct frame_meta){0});
		handed_in++;
	}
	check_conservation(handed_in, copies);
	assert_true(drops(5, VERDICT_TTL_THRESHOLD) > 0);
	assert_true(drops(6, VERDICT_MTU_DF) > 0);
	assert_true(drops(3, VERDICT_PORT_DOWN) > 0);
	assert_true(drops(1, VERDICT_WRONG_INPUT) > 0);
	assert_int_equal(drops(7, VERDICT_MARTIAN_SOURCE), 50);
}

static void arrives_at(unsigned port, const char *group, uint8_t ttl, uint64_t stamp)
{
	struct packet *p = next_packet();
	struct frame f;

	packet_v4(p, STREAM, group, 50);
	p->b[8] = ttl;
	packet_seal(p);
	f = packet_frame(p);
	f.stamp = stamp;
	burst_add(&burst, port, &f);
}

/* Stamps come only from frames that were sent. */
static void stamps_of_what_was_sent(void **state)
{
	uint64_t oldest, newest;

	members(NULL, GRP, "1");
	members(NULL, "239.1.2.4", "12");
	arrives_at(0, "239.9.9.9", 9, 10);
	arrives_at(0, GRP, 9, 30);
	arrives_at(0, "239.1.2.4", 9, 20);
	arrives_at(0, GRP, 9, 40);
	arrives_at(0, "239.9.9.9", 9, 50);
	run();
	assert_true(forward_stamps(fw, &oldest, &newest));
	assert_int_equal(oldest, 20);
	assert_int_equal(newest, 40);
	arrives_at(0, "239.9.9.9", 9, 60);
	arrives_at(0, GRP, 1, 70);
	run();
	assert_false(forward_stamps(fw, &oldest, &newest));
}

struct wanted {
	unsigned port, why;
	uint64_t n, at;
	struct addr from;
	unsigned found;
};

static void look_for(void *arg, const struct refusal *r)
{
	struct wanted *w = arg;

	if (r->port != w->port || r->why != w->why)
		return;
	w->found++;
	w->n = r->n;
	w->at = r->at;
	w->from = r->from;
}

static void assert_refused(unsigned port, enum verdict why, const char *group,
	const char *from, uint64_t n, uint64_t at)
{
	struct addr g = a(group), want = a(from);
	struct wanted w = {.port = port, .why = why};

	refusals_of(&fw->refusals, &g, look_for, &w);
	if (w.found != 1 || w.n != n || w.at != at || !addr_eq(&w.from, &want))
		fail_msg("port %u, %s of %s: %u found, n %u at %u", port,
			verdict_name(why), group, w.found, (unsigned)w.n,
			(unsigned)w.at);
}

static void count_refusals(void *arg, const struct refusal *r)
{
	++*(unsigned *)arg;
}

/* K41, K42: refusals are noted by group, source and time; a frame that is sent costs
 * nothing. */
static void refusals_are_known_by_group(void **state)
{
	struct packet *p = next_packet();
	struct frame_meta m;
	unsigned n = 0;

	plan->port[2].threshold = 9;
	members(NULL, GRP, "12");
	members(NULL, "239.1.2.4", "1");
	members(NULL, "232.1.2.3", "");
	arrives_at(0, GRP, 30, 10);
	run();
	arrives_at(0, "239.9.9.9", 9, 20); /* not joined by any host */
	run();
	refusals_all(&fw->refusals, count_refusals, &n);
	assert_int_equal(n, 0);
	arrives_at(0, GRP, 1, 30);
	arrives_at(0, GRP, 1, 31);
	arrives_at(0, GRP, 9, 32);
	arrives_at(0, "232.1.2.3", 9, 33);
	arrives_at(1, "239.1.2.4", 9, 34);
	run();
	/* stamped with the flow's last frame */
	assert_refused(0, VERDICT_TTL_EXPIRED, GRP, STREAM, 2, 32);
	assert_refused(2, VERDICT_TTL_THRESHOLD, GRP, STREAM, 1, 32);
	assert_refused(0, VERDICT_SOURCE_FILTERED, "232.1.2.3", STREAM, 1, 33);
	assert_refused(1, VERDICT_WRONG_INPUT, "239.1.2.4", STREAM, 1, 34);
	packet_v4(p, "10.0.0.7", GRP, 50);
	m = packet_meta(p);
	m.stamp = 40;
	forward_drop(fw, 0, VERDICT_OWN_MAC, &m);
	assert_refused(0, VERDICT_OWN_MAC, GRP, "10.0.0.7", 1, 40);
	m.l3_caplen = 19;
	forward_drop(fw, 0, VERDICT_BAD_LENGTH, &m);
	packet_v4(p, "10.0.0.7", "224.0.0.5", 50);
	m = packet_meta(p);
	forward_drop(fw, 0, VERDICT_LINK_LOCAL_GROUP, &m);
	n = 0;
	refusals_all(&fw->refusals, count_refusals, &n);
	assert_int_equal(n, 5);
}

static void errno_of_a_send(void **state)
{
	static const struct {
		int err;
		enum verdict want;
	} c[] = {
		{ENETDOWN, VERDICT_PORT_DOWN},
		{ENXIO, VERDICT_PORT_DOWN},
		{ENODEV, VERDICT_PORT_DOWN},
		{EAGAIN, VERDICT_TX_FULL},
		{ENOBUFS, VERDICT_TX_QUEUE},
		{EMSGSIZE, VERDICT_TX_SIZE},
		{EINVAL, VERDICT_TX_ERROR},
		{EPERM, VERDICT_TX_ERROR},
	};

	for (size_t i = 0; i < array_len(c); i++)
		assert_int_equal(verdict_of_errno(c[i].err), c[i].want);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(r137_only_members_get_copies),
		T(r138_from_downstream),
		T(r139_change_holds_from_the_next_packet),
		T(r147_lan_to_lan),
		T(r153_channels_are_isolated),
		T(k03_programs_of_this_host),
		T(r154_ttl_falls_once_for_all_copies),
		T(r155_expired_ttl),
		T(r156_threshold_compares_received_ttl),
		T(r166_fragments_where_the_link_is_smaller),
		T(r166_scratch_memory_is_flushed_in_time),
		T(r167_ipv6_is_never_fragmented),
		T(r171_link_header_per_port),
		T(r171_many_flows_and_ports),
		T(r172_groups_with_one_mac),
		T(r174_sources),
		T(input_port_must_be_usable),
		T(output_ports_that_refuse),
		T(r176_everything_else_is_unchanged),
		T(r177_order_of_arrival_per_flow),
		T(r178_unknown_group),
		T(r182_checksum_is_completed_once),
		T(r186_ports_without_link_header),
		T(dead_port_next_to_live_ones),
		T(nothing_gets_lost_uncounted),
		T(stamps_of_what_was_sent),
		T(refusals_are_known_by_group),
		cmocka_unit_test(errno_of_a_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
