/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Whom a fault is blamed on: item 2 of the quality of streams, one row for each
 * rule. */

#include "control/quality/stream_verdict.h"
#include "test.h"

static const struct {
	const char *rule;
	struct stream_second second;
	enum stream_place place;
	enum stream_drop drop;
	bool provider, router;
} rows[] = {
	{"V1 nobody wants it: nothing is said", {.looked = true, .faults = 3},
		STREAM_UNKNOWN, STREAM_DROP_NONE, false, false},
	{"V2 wanted, but not looked at", {.wanted = true}, STREAM_UNKNOWN,
		STREAM_DROP_NONE, false, false},
	{"V3 clean in, nothing dropped", {.wanted = true, .looked = true}, STREAM_CLEAN,
		STREAM_DROP_NONE, false, false},
	{"V4 faults at the input, nothing lost here: the provider",
		{.wanted = true, .looked = true, .faults = 1}, STREAM_PROVIDER,
		STREAM_DROP_NONE, true, false},
	{"V5 an outage is the provider's", {.wanted = true, .outage = true},
		STREAM_PROVIDER, STREAM_DROP_NONE, true, false},
	{"V6 faults while the ring lost frames: never the provider",
		{.wanted = true, .looked = true, .faults = 1, .ring = true},
		STREAM_ROUTER, STREAM_DROP_RING, false, true},
	{"V7 an outage while the ring lost frames",
		{.wanted = true, .outage = true, .ring = true}, STREAM_ROUTER,
		STREAM_DROP_RING, false, true},
	{"V8 the ring lost frames, but none of this one were missed",
		{.wanted = true, .looked = true, .ring = true}, STREAM_PERHAPS,
		STREAM_DROP_RING, false, false},
	{"V9 own drops have the name of the most frequent one",
		{.wanted = true,
			.looked = true,
			.drops = {[STREAM_DROP_FULL] = 2, [STREAM_DROP_MTU] = 5}},
		STREAM_ROUTER, STREAM_DROP_MTU, false, true},
	{"V10 own drops of copies do not excuse the provider",
		{.wanted = true,
			.looked = true,
			.faults = 1,
			.drops = {[STREAM_DROP_DOWN] = 1}},
		STREAM_ROUTER, STREAM_DROP_DOWN, true, true},
	{"V11 clean, and a host asks again and again",
		{.wanted = true, .looked = true, .asked = true}, STREAM_BEYOND,
		STREAM_DROP_NONE, false, false},
	{"V12 whoever asks, faults at the input come first",
		{.wanted = true, .looked = true, .asked = true, .faults = 1},
		STREAM_PROVIDER, STREAM_DROP_NONE, true, false},
	{"V13 what is not known to be clean is not beyond",
		{.wanted = true, .asked = true}, STREAM_UNKNOWN, STREAM_DROP_NONE,
		false, false},
	{"V14 own drops count even if it was not looked at",
		{.wanted = true, .drops = {[STREAM_DROP_QUEUE] = 1}}, STREAM_ROUTER,
		STREAM_DROP_QUEUE, false, true},
};

static void each_rule(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		struct stream_verdict v = stream_verdict(&rows[i].second);

		if (v.place != rows[i].place || v.drop != rows[i].drop ||
			v.provider != rows[i].provider || v.router != rows[i].router ||
			v.silent != (rows[i].second.outage && rows[i].second.wanted))
			fail_msg("%s: %s, %s, provider %d, router %d", rows[i].rule,
				stream_place_name(v.place), stream_drop_name(v.drop),
				v.provider, v.router);
	}
}

static void every_place_and_drop_has_texts(void **state)
{
	for (unsigned p = 0; p < _STREAM_PLACE_N; p++)
		assert_true(*stream_place_name((enum stream_place)p));
	for (unsigned d = STREAM_DROP_NONE + 1; d < _STREAM_DROP_N; d++) {
		assert_true(*stream_drop_name((enum stream_drop)d));
		assert_true(*stream_drop_text((enum stream_drop)d));
		assert_true(*stream_drop_advice((enum stream_drop)d));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule),
		cmocka_unit_test(every_place_and_drop_has_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
