/* SPDX-License-Identifier: GPL-2.0-or-later */

/* When ringcastctl gives up an answer. */

#include "test.h"
#include "tools/ctl/patience.h"

/* How long an answer that brings `n` bytes each `ms` is waited for. */
static int64_t lasts_ms(uint64_t n, int64_t ms)
{
	struct patience p = {0};
	int64_t left;

	while ((left = patience_left(&p)) >= ms) {
		p.waited_ms += ms;
		p.n += n;
	}
	return p.waited_ms + left;
}

static void silence(void **state)
{
	struct patience p = {0};

	assert_int_equal(patience_left(&p), PATIENCE_SILENCE_MS);
	p.n = PATIENCE_BYTES_MAX;
	assert_int_equal(patience_left(&p), PATIENCE_SILENCE_MS);
	p.waited_ms = INT64_MAX;
	assert_int_equal(patience_left(&p), 0);
}

/* A byte per second counts as no progress. */
static void drops(void **state)
{
	assert_int_equal(lasts_ms(1, 1000), PATIENCE_SILENCE_MS);
	assert_int_equal(
		lasts_ms(PATIENCE_RATE / 2, 1000), 2 * PATIENCE_SILENCE_MS - 1000);
	assert_int_equal(
		lasts_ms(PATIENCE_RATE, PATIENCE_SILENCE_MS + 1), PATIENCE_SILENCE_MS);
}

/* A steady answer is read to its end, within the limits. */
static void streams(void **state)
{
	assert_int_equal(lasts_ms(10 * PATIENCE_RATE, 1000), PATIENCE_ALL_MS);
	assert_int_equal(lasts_ms(UINT64_C(1) << 40, 10), PATIENCE_ALL_MS);
	/* room for 500,000 entries from a slow machine */
	assert_true(PATIENCE_BYTES_MAX / (PATIENCE_ALL_MS / 1000) > 1000000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence),
		cmocka_unit_test(drops),
		cmocka_unit_test(streams),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
