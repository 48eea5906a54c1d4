/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The effect list: copies, growth, lack of memory, and the text form. */

#include "control/proto/effect.h"
#include "fail_alloc.h"
#include "test.h"

static void assert_text(const struct effect *e, const char *want)
{
	char buf[512];

	assert_int_equal(effect_format(e, buf, sizeof(buf)), strlen(want));
	assert_string_equal(buf, want);
}

static void query_text(void **state)
{
	struct addr src[] = {a("10.0.0.1"), a("10.0.0.2")}, own = a("10.0.0.1");
	struct addr none = addr_any(FAMILY_IPV4), own6 = a("fe80::1");
	struct gm_query q = {
		.group = none, .max_resp_ms = 10000, .qrv = 2, .qqi_ms = 125000};
	struct effects fx = {0};

	effects_query(&fx, 1, GM_V3, &own, &q);
	q = (struct gm_query){.group = a("239.1.2.3"),
		.max_resp_ms = 1000,
		.suppress = true,
		.src = src,
		.n_src = 2};
	effects_query(&fx, 1, GM_V3, &none, &q);
	q = (struct gm_query){.group = a("239.1.2.3"),
		.max_resp_ms = 1000,
		.qrv = 2,
		.qqi_ms = 125000,
		.src = src,
		.n_src = 1};
	effects_query(&fx, 2, GM_V3, &own, &q);
	q = (struct gm_query){.group = addr_any(FAMILY_IPV6), .max_resp_ms = 10000};
	effects_query(&fx, 255, GM_V2, &own6, &q);
	memset(src, 0, sizeof(src)); /* the list has its own copies */

	assert_int_equal(fx.n, 4);
	assert_text(&fx.v[0],
		"port 1 query v3 general max-resp 10000 qrv 2 qqi 125000"
		" from 10.0.0.1");
	assert_text(&fx.v[1],
		"port 1 query v3 239.1.2.3 s max-resp 1000"
		" sources 10.0.0.1,10.0.0.2");
	assert_text(&fx.v[2],
		"port 2 query v3 239.1.2.3 max-resp 1000 qrv 2 qqi 125000"
		" from 10.0.0.1 sources 10.0.0.1");
	assert_text(
		&fx.v[3], "port 255 query mldv1 general max-resp 10000 from fe80::1");
	effects_deinit(&fx);
}

static void report_text(void **state)
{
	struct addr src[] = {a("10.0.0.1"), a("10.0.0.2")};
	struct addr src6 = a("2001:db8::1"), own = a("10.9.0.1"), none6 = a("::");
	struct gm_record rec[] = {
		{GM_TO_EX, a("239.1.2.3"), NULL, 0},
		{GM_ALLOW, a("232.1.1.1"), src, 1},
		{GM_BLOCK, a("232.1.1.1"), src + 1, 1},
		{GM_IS_IN, a("232.1.1.2"), src, 2},
		{GM_IS_EX, a("239.1.1.2"), NULL, 0},
		{GM_TO_IN, a("239.1.1.2"), NULL, 0},
	};
	struct gm_record rec6 = {GM_ALLOW, a("ff3e::8000:1"), &src6, 1};
	struct effects fx = {0};

	effects_report(&fx, 0, GM_V3, FAMILY_IPV4, &own, rec, 2, 0);
	effects_report(&fx, 3, GM_V3, FAMILY_IPV4, &own, rec + 2, 4, 0);
	effects_report(&fx, 3, GM_V3, FAMILY_IPV6, &none6, &rec6, 1, 0);
	memset(src, 0, sizeof(src));
	memset(rec, 0, sizeof(rec));

	assert_text(&fx.v[0],
		"port 0 report v3 from 10.9.0.1 to_ex 239.1.2.3 {}"
		" allow 232.1.1.1 {10.0.0.1}");
	assert_text(&fx.v[1],
		"port 3 report v3 from 10.9.0.1 block 232.1.1.1 {10.0.0.2}"
		" is_in 232.1.1.2 {10.0.0.1,10.0.0.2}"
		" is_ex 239.1.1.2 {} to_in 239.1.1.2 {}");
	assert_text(&fx.v[2],
		"port 3 report mldv2 from :: allow ff3e::8000:1"
		" {2001:db8::1}");
	assert_int_equal(fx.v[2].report.family, FAMILY_IPV6);
	effects_deinit(&fx);
}

static void fib_text(void **state)
{
	struct addr group = a("239.1.2.3"), any = addr_any(FAMILY_IPV4);
	struct addr ssm = a("232.1.1.1"), src = a("10.0.0.1");
	struct portset two = {0}, none = {0};
	struct effects fx = {0};

	portset_add(&two, 1);
	portset_add(&two, 2);
	effects_fib_set(&fx, 0, &group, &any, &two);
	effects_fib_set(&fx, 0, &ssm, &src, &none);
	effects_fib_del(&fx, 0, &group, &any);
	assert_text(&fx.v[0], "fib 0 * 239.1.2.3 -> 1,2");
	assert_text(&fx.v[1], "fib 0 10.0.0.1 232.1.1.1 -> {}");
	assert_text(&fx.v[2], "fib 0 * 239.1.2.3 del");
	effects_deinit(&fx);
}

static void note_text(void **state)
{
	struct addr group = a("239.1.2.3"), peer = a("10.0.0.9");
	struct effects fx = {0};
	char buf[80];

	effects_note(&fx, 1, NOTE_GROUP_NEW, &group, &peer, 0);
	effects_note(&fx, 1, NOTE_HOST_VERSION, NULL, NULL, 2);
	assert_text(&fx.v[0], "port 1 note group-new 239.1.2.3 peer 10.0.0.9 value 0");
	assert_text(&fx.v[1], "port 1 note host-version value 2");
	effects_clear(&fx);

	/* Every note has its own name. */
	for (int i = 1; i < _NOTE_N; i++)
		effects_note(&fx, 0, (enum note)i, NULL, NULL, 0);
	effects_for_each (&fx, e) {
		effect_format(e, buf, sizeof(buf));
		assert_null(strstr(buf, "null"));
	}
	effects_deinit(&fx);
}

static void format_counts_what_does_not_fit(void **state)
{
	struct addr group = a("239.1.2.3"), any = addr_any(FAMILY_IPV4);
	const char *want = "fib 7 * 239.1.2.3 del";
	struct effects fx = {0};
	char buf[32];

	effects_fib_del(&fx, 7, &group, &any);
	for (size_t size = 0; size < strlen(want) + 2; size++) {
		memset(buf, '#', sizeof(buf));
		assert_int_equal(effect_format(fx.v, buf, size), strlen(want));
		assert_int_equal(buf[size], '#');
		if (size) {
			size_t n = size - 1 < strlen(want) ? size - 1 : strlen(want);

			assert_int_equal(strlen(buf), n);
			assert_memory_equal(buf, want, n);
		}
	}
	effects_deinit(&fx);
}

static void list_grows_and_is_cleared(void **state)
{
	struct addr src[400], group = a("232.1.1.1"), own = a("10.9.0.1");
	struct gm_record rec = {GM_ALLOW, group, src, array_len(src)};
	struct effects fx = {0};

	for (int round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 2000; i++) {
			for (size_t s = 0; s < array_len(src); s++)
				src[s] = ADDR_V4(
					10, (uint8_t)(i >> 8), (uint8_t)i, (uint8_t)s);
			effects_report(&fx, i, GM_V3, FAMILY_IPV4, &own, &rec, 1, 0);
		}
		assert_int_equal(fx.n, 2000);
		assert_int_equal(fx.lost, 0);
		for (unsigned i = 0; i < 2000; i++) {
			const struct gm_record *r = fx.v[i].report.rec;
			struct addr last = ADDR_V4(10, (uint8_t)(i >> 8), (uint8_t)i,
				(uint8_t)(array_len(src) - 1));

			assert_int_equal(fx.v[i].port, i);
			assert_int_equal(r->n_src, array_len(src));
			assert_true(addr_eq(&r->src[r->n_src - 1], &last));
		}
		effects_clear(&fx);
		assert_int_equal(fx.n, 0);
	}
	effects_deinit(&fx);
}

static void large_array_has_its_own_chunk(void **state)
{
	static struct addr src[5000];
	struct addr group = a("232.1.1.1"), own = a("10.9.0.1");
	struct gm_record rec = {GM_ALLOW, group, src, array_len(src)};
	struct effects fx = {0};

	src[4999] = own;
	for (int i = 0; i < 2; i++) {
		effects_report(&fx, 0, GM_V3, FAMILY_IPV4, &own, &rec, 1, 0);
		effects_report(&fx, 0, GM_V3, FAMILY_IPV4, &own, &rec, 1, 0);
		assert_int_equal(fx.n, 2);
		assert_true(addr_eq(&fx.v[1].report.rec->src[4999], &own));
		effects_clear(&fx);
	}
	effects_deinit(&fx);
}

static void loss_is_counted(void **state)
{
	struct addr src = a("10.0.0.1"), group = a("232.1.1.1"), own = a("10.9.0.1");
	struct gm_record rec = {GM_ALLOW, group, &src, 1};
	struct gm_query q = {.group = group, .src = &src, .n_src = 1};
	struct effects fx = {0};

	fail_alloc_after = 0; /* fails to allocate the chunk */
	effects_report(&fx, 0, GM_V3, FAMILY_IPV4, &own, &rec, 1, 0);
	fail_alloc_after = 0;
	effects_query(&fx, 0, GM_V3, &own, &q);
	fail_alloc_after = 0; /* fails to allocate the list */
	effects_fib_del(&fx, 0, &group, &src);
	fail_alloc_after = 1; /* allocates the chunk, fails to allocate the list */
	effects_query(&fx, 0, GM_V3, &own, &q);
	fail_alloc_after = -1;
	assert_int_equal(fx.n, 0);
	assert_int_equal(fx.lost, 4);

	/* later effects are complete */
	effects_query(&fx, 0, GM_V3, &own, &q);
	assert_int_equal(fx.n, 1);
	assert_int_equal(fx.lost, 4);
	effects_clear(&fx);
	assert_int_equal(fx.lost, 0);
	effects_deinit(&fx);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(query_text),
		cmocka_unit_test(report_text),
		cmocka_unit_test(fib_text),
		cmocka_unit_test(note_text),
		cmocka_unit_test(format_counts_what_does_not_fit),
		cmocka_unit_test(list_grows_and_is_cleared),
		cmocka_unit_test(large_array_has_its_own_chunk),
		cmocka_unit_test(loss_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
