/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Random datagrams in random order: the same ones arrive with and without joining.
 */

#include "coalesce_fixture.h"

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

static void watch_three_groups(void)
{
	members(NULL, "239.0.0.1", "12");
	members(NULL, "239.0.0.2", "13");
	members(NULL, "239.0.0.3", "123");
	plan->port[3].mtu = 200;
}

/* The same burst without and with super-frames. Returns the number of these. */
static unsigned burst_both_ways(uint64_t seed, struct receiver *ret_single)
{
	got.caps = 0;
	random_burst(seed);
	set_aside(ret_single);
	got.caps = SUPER;
	random_burst(seed);
	return got.n_super;
}

static void test_same_datagrams_with_and_without(void **state)
{
	static struct receiver single;
	unsigned n_super = 0;

	watch_three_groups();
	for (uint64_t seed = 1; seed <= 400; seed++) {
		n_super += burst_both_ways(seed, &single);
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

	watch_three_groups();
	fw->coalesce = COALESCE_EXACT;
	for (uint64_t seed = 1; seed <= 200; seed++) {
		n_super += burst_both_ways(seed, &single);
		assert_same_datagrams(&single, &got, true);
		forget();
	}
	assert_true(n_super > 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_same_datagrams_with_and_without),
		CASE(test_same_bytes_with_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
