/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The memory of refused streams: a reader sees only whole entries while the writer
 * works.
 */

#include "base/refusals.h"

#include "test.h"

#include <pthread.h>
#include <stdlib.h>

static void *write_much(void *arg)
{
	struct refusals *v = arg;

	for (uint32_t i = 1; i <= 300000; i++) {
		struct refusal r = {.port = i % 3,
			.why = i % 5,
			.group = a("239.1.2.3"),
			.value = i,
			.n = 1,
			.at = i};

		r.from = ADDR_V4((uint8_t)(i >> 24), (uint8_t)(i >> 16),
			(uint8_t)(i >> 8), (uint8_t)i);
		refusals_note(v, &r);
	}
	return NULL;
}

static void is_whole(void *arg, const struct refusal *r)
{
	const uint8_t *o = addr_v4_bytes(&r->from);

	*(uint64_t *)arg = r->at;
	assert_int_equal(r->value, r->at);
	assert_int_equal((uint32_t)o[0] << 24 | (uint32_t)o[1] << 16 |
			(uint32_t)o[2] << 8 | o[3],
		r->at);
	assert_int_equal(r->at % 3, r->port);
	assert_int_equal(r->at % 5, r->why);
}

static void readers_see_whole_entries(void **state)
{
	struct refusals *v = calloc(1, sizeof(*v));
	struct addr group = a("239.1.2.3");
	uint64_t last = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, write_much, v), 0);
	while (last < 250000)
		refusals_of(v, &group, is_whole, &last);
	pthread_join(thread, NULL);
	free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(readers_see_whole_entries),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
