/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Super-frames at the ports: which port gets them, where they are cut, and what happens
 * when the kernel refuses one.
 */

#include "coalesce_fixture.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(r182_partial_checksums),
		CASE(test_narrow_port_next_to_a_wide_one),
		CASE(test_threshold_counts_datagrams),
		CASE(test_refused_super_frame_is_sent_one_by_one),
		CASE(test_first_super_frame_goes_alone),
		CASE(r186_super_frame_without_link_header),
		CASE(test_ipv6),
		CASE(r183_received_super_frames),
		CASE(r183_received_super_frame_and_a_narrow_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
