/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Burst: grouping by flow keeps the order of arrival. A burst can be full of flows. */

#include "base/portset.h"
#include "base/rng.h"
#include "dataplane/forward/burst.h"
#include "test.h"

static struct burst b;

static struct frame frame_of(unsigned src, unsigned group, uint32_t len)
{
	return (struct frame){
		.src = ADDR_V4(10, 0, (uint8_t)(src >> 8), (uint8_t)src),
		.group = ADDR_V4(239, 0, (uint8_t)(group >> 8), (uint8_t)group),
		.ip_len = len,
	};
}

static void check_links(void)
{
	unsigned seen = 0;

	for (unsigned i = 0; i < b.n_flows; i++) {
		const struct burst_flow *fl = &b.flow[i];
		unsigned n = 0, last = BURST_MAX;

		for (unsigned k = fl->first; k < BURST_MAX; k = b.frame[k].next) {
			assert_true(
				last == BURST_MAX || k > last); /* order of arrival */
			assert_int_equal(b.frame[k].flow, i);
			assert_true(addr_eq(&b.frame[k].f.src, &fl->src));
			assert_true(addr_eq(&b.frame[k].f.group, &fl->group));
			assert_false(b.frame[k].drop);
			last = k;
			n++;
		}
		assert_int_equal(fl->n, n);
		assert_int_equal(fl->last, last);
		seen += n;
	}
	assert_int_equal(seen, b.n_frames);
}

static void flows_are_kept_apart(void **state)
{
	struct frame f = frame_of(1, 1, 0), g = frame_of(1, 2, 0),
		     h = frame_of(2, 1, 0);

	burst_clear(&b);
	burst_add(&b, 0, &f);
	burst_add(&b, 0, &g);
	burst_add(&b, 0, &h);
	burst_add(&b, 1, &f); /* another input */
	burst_add(&b, 0, &f);
	assert_int_equal(b.n_flows, 4);
	assert_int_equal(b.frame[4].flow, b.frame[0].flow);
	assert_int_equal(b.flow[b.frame[3].flow].port, 1);
	check_links();
}

static void random_bursts_equal_a_model(void **state)
{
	struct rng rng;

	print_message("seed 11\n");
	rng_seed(&rng, 11);
	for (int round = 0; round < 200; round++) {
		unsigned n = 1 + (unsigned)rng_below(&rng, BURST_MAX);
		unsigned key[BURST_MAX], n_keys = 0;
		uint64_t span = 1 + rng_below(&rng, 30);

		burst_clear(&b);
		for (unsigned i = 0; i < n; i++) {
			unsigned port = (unsigned)rng_below(&rng, 3), k;
			unsigned src = (unsigned)rng_below(&rng, span);
			unsigned group = (unsigned)rng_below(&rng, span);
			struct frame f = frame_of(src, group, i);

			burst_add(&b, port, &f);
			assert_int_equal(b.frame[i].f.ip_len, i);
			/* flows are numbered in order of their first frame */
			for (k = 0; k < n_keys; k++)
				if (key[k] == (port << 20 | src << 10 | group))
					break;
			if (k == n_keys)
				key[n_keys++] = port << 20 | src << 10 | group;
			assert_int_equal(b.frame[i].flow, k);
		}
		assert_int_equal(b.n_flows, n_keys);
		check_links();
	}
}

static void as_many_flows_as_frames(void **state)
{
	burst_clear(&b);
	for (unsigned i = 0; i < BURST_MAX; i++) {
		struct frame f = frame_of(i, i, 0);

		assert_false(burst_full(&b));
		burst_add(&b, i % PORT_MAX, &f);
	}
	assert_true(burst_full(&b));
	assert_int_equal(b.n_flows, BURST_MAX);
	check_links();
	burst_clear(&b);
	assert_int_equal(b.n_frames, 0);
	assert_false(burst_full(&b));
	for (unsigned i = 0; i < array_len(b.index); i++)
		assert_int_equal(b.index[i], 0);
}

static void enough_is_less_the_more_copies_are_made(void **state)
{
	assert_int_equal(burst_enough(0, 0), BURST_MAX);
	assert_int_equal(burst_enough(100, 0), BURST_MAX);
	assert_int_equal(burst_enough(1, 1), BURST_MAX);
	assert_int_equal(burst_enough(1, 8), 2048);
	assert_int_equal(burst_enough(300, 300 * 10), 1638);
	assert_int_equal(burst_enough(BURST_MAX, BURST_MAX * 16), 1024);
	assert_int_equal(burst_enough(77, 77 * 32), 512);
	assert_int_equal(burst_enough(512, 512 * 255), 512);
	assert_int_equal(burst_enough(1, UINT64_MAX), 512);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_are_kept_apart),
		cmocka_unit_test(random_bursts_equal_a_model),
		cmocka_unit_test(as_many_flows_as_frames),
		cmocka_unit_test(enough_is_less_the_more_copies_are_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
