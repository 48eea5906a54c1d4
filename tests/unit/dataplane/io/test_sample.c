/* SPDX-License-Identifier: GPL-2.0-or-later */

/* sample and capfilter: which frames are copied, for which capture, and up to which
 * length; a full ring, and its end; one writer and one reader; filters from clients. */

#include "dataplane/io/sample.h"
#include "dataplane/packet/latency.h"
#include "test.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* frames with an Ethernet header: byte i is i */
struct fixture {
	struct sample_ring *ring;
	struct sample_spec *spec;
	uint8_t bytes[2048];
	struct frame_meta m;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_int_equal(sample_ring_new(&f->ring), 0);
	f->spec = sample_spec_new();
	assert_non_null(f->spec);
	for (size_t i = 0; i < sizeof(f->bytes); i++)
		f->bytes[i] = (uint8_t)i;
	f->m = (struct frame_meta){.l2 = f->bytes,
		.l3 = f->bytes + 14,
		.l3_caplen = 1000,
		.l3_len = 1400,
		.pkttype = PACKET_MULTICAST};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sample_ring_free(f->ring);
	sample_spec_free(f->spec);
	free(f);
	return 0;
}

static void want(struct fixture *f, unsigned i, uint32_t id, uint32_t snaplen,
	uint32_t one_of, const char *filter)
{
	struct sample_want w = {.id = id, .one_of = one_of, .snaplen = snaplen};

	portset_add(&w.ports, 3);
	if (filter)
		assert_int_equal(capfilter_parse(filter, &w.filter.ethernet), 0);
	assert_int_equal(sample_spec_set(f->spec, i, &w), 0);
	capfilter_deinit(&w.filter);
}

/* A frame that arrived at this nanosecond of 1970. */
static void feed(struct fixture *f, unsigned port, uint32_t ns)
{
	f->m.stamp = latency_stamp(0, ns);
	sample_frame(f->ring, f->spec, port, &f->m);
}

static unsigned drain(struct fixture *f)
{
	struct sample s;
	unsigned n = 0;

	for (; sample_peek(f->ring, &s); n++)
		sample_pop(f->ring);
	return n;
}

static void copies_what_is_wanted(void **state)
{
	struct fixture *f = *state;
	struct sample s;

	want(f, 1, 7, 100, 1, NULL);
	feed(f, 2, 5); /* another port */
	feed(f, 3, 6);
	assert_true(sample_peek(f->ring, &s));
	assert_int_equal(s.time_ns, 6);
	assert_int_equal(s.port, 3);
	assert_true(s.has_l2);
	assert_int_equal(s.pkttype, PACKET_MULTICAST);
	assert_int_equal(s.caplen, 100);
	assert_int_equal(s.len, 1414);
	assert_memory_equal(s.data, f->bytes, 100);
	for (unsigned i = 0; i < SAMPLE_WANTS_MAX; i++)
		assert_int_equal(s.id[i], i == 1 ? 7 : 0);
	sample_pop(f->ring);
	assert_false(sample_peek(f->ring, &s));
}

static void copies_no_more_than_there_is(void **state)
{
	struct fixture *f = *state;
	struct sample s;

	want(f, 0, 1, 65535, 1, NULL);
	f->m.l2 = NULL;
	feed(f, 3, 0);
	assert_true(sample_peek(f->ring, &s));
	assert_false(s.has_l2);
	assert_int_equal(s.caplen, 1000);
	assert_int_equal(s.len, 1400);
	assert_memory_equal(s.data, f->bytes + 14, 1000);
}

static void stripped_tag_is_put_back(void **state)
{
	struct fixture *f = *state;
	struct sample s;
	const uint8_t *d;

	want(f, 0, 1, 100, 1, NULL);
	f->m.vlan_valid = true;
	f->m.vlan_tci = 0x2064;
	feed(f, 3, 0);
	assert_true(sample_peek(f->ring, &s));
	d = s.data;
	assert_int_equal(s.caplen, 100);
	assert_int_equal(s.len, 1418);
	assert_memory_equal(d, f->bytes, 12);
	assert_memory_equal(d + 12, "\x81\x00\x20\x64", 4);
	assert_memory_equal(d + 16, f->bytes + 12, 84);
}

/* ldb [14]; jeq #14, pass, drop: PASSES accepts our frames, and REFUSES none. */
#define PASSES                                                                         \
	"003000000000000e"                                                             \
	"001500010000000e"                                                             \
	"0006000000000001"                                                             \
	"0006000000000000"
#define REFUSES "0006000000000000"

static void filter_decides_for_each(void **state)
{
	struct fixture *f = *state;
	struct sample s;

	want(f, 0, 1, 64, 1, REFUSES);
	want(f, 1, 2, 64, 1, PASSES);
	want(f, 2, 3, 128, 1, NULL);
	feed(f, 3, 0);
	assert_true(sample_peek(f->ring, &s));
	assert_int_equal(s.id[0], 0);
	assert_int_equal(s.id[1], 2);
	assert_int_equal(s.id[2], 3);
	assert_int_equal(s.caplen, 128); /* the largest snaplen of the three */
	want(f, 2, 0, 0, 1, NULL);
	f->bytes[14] = 0;
	sample_pop(f->ring);
	feed(f, 3, 0);
	assert_false(sample_peek(f->ring, &s));
}

static void one_of_so_many(void **state)
{
	struct fixture *f = *state;

	want(f, 0, 1, 64, 10, NULL);
	for (int i = 0; i < 95; i++)
		feed(f, 3, 0);
	assert_int_equal(drain(f), 10);
}

static void full_ring_loses_and_counts(void **state)
{
	struct fixture *f = *state;
	unsigned n = 0;

	want(f, 2, 1, 2000, 1, NULL);
	while (sample_lost(f->ring, 2, 3) == 0) {
		feed(f, 3, n);
		assert_true(++n < 10000);
	}
	feed(f, 3, n);
	assert_int_equal(sample_lost(f->ring, 2, 3), 2);
	assert_int_equal(sample_lost(f->ring, 1, 3), 0);
	assert_int_equal(drain(f), n - 1);
	/* there is room again */
	feed(f, 3, 0);
	assert_int_equal(drain(f), 1);
}

static void records_survive_the_end_of_the_memory(void **state)
{
	struct fixture *f = *state;
	struct sample s;

	want(f, 0, 1, 2000, 1, NULL);
	for (uint32_t i = 0; i < 20000; i++) {
		f->m.l3_caplen = i * 37 % 1500;
		feed(f, 3, i);
		if (i < 100)
			continue; /* keeps about that many in the ring */
		assert_true(sample_peek(f->ring, &s));
		assert_int_equal(s.time_ns, i - 100);
		assert_int_equal(s.caplen, 14 + (i - 100) * 37 % 1500);
		assert_memory_equal(s.data, f->bytes, s.caplen);
		sample_pop(f->ring);
	}
	assert_int_equal(drain(f), 100);
	assert_int_equal(sample_lost(f->ring, 0, 3), 0);
}

#define N_RACE 100000

static void *write_frames(void *arg)
{
	struct fixture *f = arg;

	for (uint32_t i = 1; i <= N_RACE; i++)
		feed(f, 3, i);
	return NULL;
}

static void writer_and_reader_at_once(void **state)
{
	struct fixture *f = *state;
	uint64_t last = 0, n = 0;
	pthread_t thread;
	struct sample s;

	want(f, 0, 1, 200, 1, NULL);
	assert_int_equal(pthread_create(&thread, NULL, write_frames, f), 0);
	while (n + sample_lost(f->ring, 0, 3) < N_RACE) {
		if (!sample_peek(f->ring, &s))
			continue;
		assert_true(s.time_ns > last);
		last = s.time_ns;
		assert_memory_equal(s.data, f->bytes, 200);
		sample_pop(f->ring);
		n++;
	}
	pthread_join(thread, NULL);
	assert_false(sample_peek(f->ring, &s));
}

static void programs_are_checked(void **state)
{
	static const struct {
		const char *text;
		int r;
	} c[] = {
		{PASSES, 0}, {REFUSES, 0}, {"", -EINVAL},
		{"00060000000000", -EINVAL},   /* half an instruction */
		{"000600000000000X", -EINVAL}, /* not a hexadecimal digit */
		{"0030000000000000", -EINVAL}, /* does not end with a return */
		{"00150001000000000006000000000000", -EINVAL}, /* jumps outside */
		{"0005000000000005"
		 "0006000000000000",
			-EINVAL},
		/* a jump to itself, which libpcap would run for ever */
		{"00050000ffffffff"
		 "0006000000000000",
			-EINVAL},
		{"0034000000000000"
		 "0006000000000000",
			-EINVAL}, /* division by 0 */
	};
	struct bpf_program p;
	char *text;

	for (size_t i = 0; i < array_len(c); i++) {
		int r = capfilter_parse(c[i].text, &p);

		if (r != c[i].r)
			fail_msg("%s: %d", c[i].text, r);
		if (r == 0)
			free(p.bf_insns);
	}
	text = calloc(1, CAPFILTER_DIGITS * (CAPFILTER_MAX + 1) + 1);
	for (unsigned i = 0; i <= CAPFILTER_MAX; i++)
		strcat(text, REFUSES);
	assert_int_equal(capfilter_parse(text, &p), -EINVAL);
	assert_int_equal(capfilter_parse(text + CAPFILTER_DIGITS, &p), 0);
	free(p.bf_insns);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(copies_what_is_wanted, setup, teardown),
		cmocka_unit_test_setup_teardown(
			copies_no_more_than_there_is, setup, teardown),
		cmocka_unit_test_setup_teardown(
			stripped_tag_is_put_back, setup, teardown),
		cmocka_unit_test_setup_teardown(
			filter_decides_for_each, setup, teardown),
		cmocka_unit_test_setup_teardown(one_of_so_many, setup, teardown),
		cmocka_unit_test_setup_teardown(
			full_ring_loses_and_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(
			records_survive_the_end_of_the_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(
			writer_and_reader_at_once, setup, teardown),
		cmocka_unit_test(programs_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
