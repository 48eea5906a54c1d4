/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The container that hands state to the next process: reading returns what was written,
 * and data that is damaged, foreign or too old is refused by name. */

#include "base/state.h"

#include "fail_alloc.h"
#include "test.h"

#include <errno.h>
#include <string.h>

#define MAX_AGE_MS 5000

static const mono_t now = {1000 * NS_PER_SEC};

static enum state_bad open_at(struct state_in *in, const struct state_out *o, mono_t at)
{
	return state_in_init(in, o->buf, o->n, at, MAX_AGE_MS);
}

/* a number, and a section inside another one */
static void write_some(struct state_out *o)
{
	size_t outer, inner;

	state_out_init(o, now, now);
	state_put_u32(o, 77);
	outer = state_begin(o, 1);
	state_put_text(o, "outer");
	inner = state_begin(o, 2);
	state_put_u64(o, UINT64_C(0x0102030405060708));
	state_end(o, inner);
	state_end(o, outer);
}

static struct state_out sealed(void)
{
	struct state_out o;

	write_some(&o);
	assert_int_equal(state_out_seal(&o), 0);
	return o;
}

static void comes_out_as_it_went_in(void **state)
{
	struct state_out o = sealed();
	struct state_in in, outer, inner;
	char text[8];
	uint32_t tag;

	assert_int_equal(open_at(&in, &o, now), STATE_OK);
	assert_int_equal(state_get_u32(&in), 77);
	assert_true(state_get_section(&in, &tag, &outer));
	assert_int_equal(tag, 1);
	state_get_text(&outer, text, sizeof(text));
	assert_string_equal(text, "outer");
	assert_true(state_get_section(&outer, &tag, &inner));
	assert_int_equal(tag, 2);
	assert_true(state_get_u64(&inner) == UINT64_C(0x0102030405060708));
	assert_false(state_get_section(&outer, &tag, &inner));
	assert_false(state_get_section(&in, &tag, &outer));
	assert_false(state_is_bad(&in) || state_is_bad(&outer) || state_is_bad(&inner));
	state_out_deinit(&o);
}

/* A reader skips sections that only a newer version writes. */
static void unread_sections_are_skipped(void **state)
{
	struct state_out o;
	struct state_in in, s;
	uint32_t tag;
	size_t at;

	state_out_init(&o, now, now);
	at = state_begin(&o, 9);
	state_put_text(&o, "of another version");
	state_end(&o, at);
	at = state_begin(&o, 1);
	state_put_u8(&o, 5);
	state_end(&o, at);
	assert_int_equal(state_out_seal(&o), 0);
	assert_int_equal(open_at(&in, &o, now), STATE_OK);
	assert_true(state_get_section(&in, &tag, &s) && tag == 9);
	assert_true(state_get_section(&in, &tag, &s) && tag == 1);
	assert_int_equal(state_get_u8(&s), 5);
	state_out_deinit(&o);
}

/* The writer knows more counters than the reader, or fewer. */
static void counters_of_another_version(void **state)
{
	static const uint64_t written[] = {1, 2, 3, 4};
	static const struct {
		uint32_t n_written, n_read;
		uint64_t want[5];
	} c[] = {
		{4, 4, {1, 2, 3, 4, 9}},
		{4, 2, {1, 2, 9, 9, 9}},
		{2, 4, {1, 2, 9, 9, 9}},
		{0, 4, {9, 9, 9, 9, 9}},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		uint64_t read[5] = {9, 9, 9, 9, 9};
		struct state_out o;
		struct state_in in;

		state_out_init(&o, now, now);
		state_put_counts(&o, written, c[i].n_written);
		state_put_u32(&o, 77);
		assert_int_equal(state_out_seal(&o), 0);
		assert_int_equal(open_at(&in, &o, now), STATE_OK);
		state_get_counts(&in, read, c[i].n_read);
		assert_memory_equal(read, c[i].want, sizeof(read));
		assert_int_equal(state_get_u32(&in), 77);
		assert_false(state_is_bad(&in));
		state_out_deinit(&o);
	}
}

static void too_many_counters(void **state)
{
	struct state_out o;
	struct state_in in;
	uint64_t read = 9;

	state_out_init(&o, now, now);
	state_put_u32(&o, 257);
	for (unsigned i = 0; i < 257; i++)
		state_put_u64(&o, i);
	assert_int_equal(state_out_seal(&o), 0);
	assert_int_equal(open_at(&in, &o, now), STATE_OK);
	state_get_counts(&in, &read, 1);
	assert_true(state_is_bad(&in));
	assert_int_equal(read, 9);
	state_out_deinit(&o);
}

/* ---- refused as a whole ---- */

static void expect(
	struct state_out *o, mono_t at, enum state_bad want, const char *words)
{
	struct state_in in;
	enum state_bad bad = open_at(&in, o, at);

	assert_int_equal(bad, want);
	assert_string_equal(state_bad_text(bad), words);
}

static void header(void **state)
{
	struct state_out o = sealed();
	mono_t later = mono_add_ms(now, MAX_AGE_MS);

	expect(&o, now, STATE_OK, "is good");
	expect(&o, later, STATE_OK, "is good");
	expect(&o, mono_add_ms(later, 1), STATE_TOO_OLD, "is too old");
	/* the clock restarted, so the machine did */
	expect(&o, mono_from_ms(5), STATE_TOO_OLD, "is too old");
	o.buf[o.n - 1] ^= 1;
	expect(&o, now, STATE_DAMAGED, "is damaged");
	o.buf[o.n - 1] ^= 1;
	o.buf[11]++;
	expect(&o, now, STATE_OTHER_VERSION, "has the format of another version");
	o.buf[11]--;
	o.buf[0] = 'R';
	expect(&o, now, STATE_FOREIGN, "is not from ringcastd");
	state_out_deinit(&o);
	assert_string_equal(state_bad_text((enum state_bad)99), "");
}

/* The clock of the system has no time before 0. */
static void time_that_cannot_be(void **state)
{
	struct state_out o;

	state_out_init(&o, (mono_t){-1}, (mono_t){-1});
	assert_int_equal(state_out_seal(&o), 0);
	expect(&o, now, STATE_TOO_OLD, "is too old");
	state_out_deinit(&o);
}

static void cut_off_anywhere(void **state)
{
	struct state_out o = sealed();

	for (size_t n = 0; n < o.n; n++) {
		struct state_in in;
		enum state_bad bad = state_in_init(&in, o.buf, n, now, MAX_AGE_MS);

		assert_int_equal(bad,
			n < 8		 ? STATE_FOREIGN
				: n < 12 ? STATE_OTHER_VERSION
					 : STATE_CUT_OFF);
	}
	state_out_deinit(&o);
}

/* ---- impossible values ---- */

/* A state with one value of eight bytes. */
static struct state_in value(struct state_out *o, uint64_t v)
{
	struct state_in in;

	state_out_init(o, now, now);
	state_put_u64(o, v);
	assert_int_equal(state_out_seal(o), 0);
	assert_int_equal(open_at(&in, o, now), STATE_OK);
	return in;
}

static void times(void **state)
{
	static const int64_t day = 86400 * NS_PER_SEC;
	const struct {
		int64_t ns;
		bool good;
	} rows[] = {
		{0, true}, /* MONO_UNSET */
		{INT64_MAX, true},
		{now.ns, true},
		{now.ns + 99 * day, true},
		{1, true}, /* just after the machine started */
		{now.ns + 101 * day, false},
		{-1, false},
		{INT64_MIN, false},
		{INT64_MAX - 1, false},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct state_out o;
		struct state_in in = value(&o, (uint64_t)rows[i].ns);
		mono_t t = state_get_time(&in);

		assert_int_equal(state_is_bad(&in), !rows[i].good);
		assert_true(t.ns == (rows[i].good ? rows[i].ns : MONO_NEVER.ns));
		/* nothing is left to read */
		assert_true(state_get_time(&in).ns == MONO_NEVER.ns);
		assert_true(state_is_bad(&in));
		state_out_deinit(&o);
	}
}

/* A member may have been there for years. */
static void times_of_long_ago(void **state)
{
	const mono_t late = {2000 * 86400 * NS_PER_SEC}, early = {5 * NS_PER_SEC};
	struct state_out o;
	struct state_in in;

	state_out_init(&o, late, late);
	state_put_time(&o, early);
	assert_int_equal(state_out_seal(&o), 0);
	assert_int_equal(open_at(&in, &o, late), STATE_OK);
	assert_true(state_get_time(&in).ns == early.ns);
	assert_false(state_is_bad(&in));
	state_out_deinit(&o);
}

/* Two processes share only the clock of the system. */
static void times_are_of_the_system(void **state)
{
	mono_t ours = mono_from_ms(5000), system_now = mono_from_ms(305000);
	struct state_out o;
	struct state_in in;

	state_out_init(&o, ours, system_now);
	state_put_time(&o, mono_from_ms(5100));
	state_put_time(&o, MONO_NEVER);
	state_put_time(&o, MONO_UNSET);
	assert_int_equal(state_out_seal(&o), 0);
	/* a state that was written in the future is refused */
	assert_int_not_equal(state_in_init(&in, o.buf, o.n, ours, 1000), 0);
	assert_int_equal(state_in_init(&in, o.buf, o.n, system_now, 1000), 0);
	assert_int_equal(state_get_time(&in).ns, mono_from_ms(305100).ns);
	assert_int_equal(state_get_time(&in).ns, MONO_NEVER.ns);
	assert_int_equal(state_get_time(&in).ns, MONO_UNSET.ns);
	assert_false(state_is_bad(&in));
	state_out_deinit(&o);
}

static void numbers(void **state)
{
	struct state_out o;
	struct state_in in = value(&o, UINT64_C(7) << 32);

	assert_int_equal(state_get_up_to(&in, 7), 7);
	assert_false(state_is_bad(&in));
	state_out_deinit(&o);

	in = value(&o, UINT64_C(8) << 32);
	assert_int_equal(state_get_up_to(&in, 7), 0);
	assert_true(state_is_bad(&in));
	state_out_deinit(&o);

	in = value(&o, UINT64_C(0x0100020000000000));
	assert_true(state_get_bool(&in));
	assert_false(state_get_bool(&in));
	assert_false(state_is_bad(&in));
	assert_false(state_get_bool(&in)); /* reads a 2 */
	assert_true(state_is_bad(&in));
	/* after an error every read returns 0 */
	assert_int_equal(state_get_u8(&in), 0);
	state_out_deinit(&o);
}

/* A count is accepted only if that many items fit into the rest. */
static void counts(void **state)
{
	struct state_out o;
	struct state_in in = value(&o, UINT64_C(2) << 32);

	assert_int_equal(state_get_count(&in, 2), 2);
	assert_false(state_is_bad(&in));
	state_out_deinit(&o);

	in = value(&o, UINT64_C(2) << 32);
	assert_int_equal(state_get_count(&in, 3), 0);
	assert_true(state_is_bad(&in));
	state_out_deinit(&o);

	in = value(&o, UINT64_MAX);
	assert_int_equal(state_get_count(&in, 1), 0);
	assert_true(state_is_bad(&in));
	state_out_deinit(&o);
}

static void texts(void **state)
{
	static const struct {
		const char *bytes; /* eight bytes */
		const char *text;  /* NULL if bad */
	} rows[] = {
		{"\2ab.....", "ab"},
		{"\0.......", ""},
		{"\3abc....", "abc"},
		{"\4abcd...", NULL},  /* no room for the NUL */
		{"\2a\0.....", NULL}, /* a NUL inside */
		{"\10abcdefg", NULL}, /* longer than the rest */
		{"\377abcdefg", NULL},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct state_out o;
		struct state_in in;
		char text[4] = "???";

		state_out_init(&o, now, now);
		for (size_t k = 0; k < 8; k++)
			state_put_u8(&o, (uint8_t)rows[i].bytes[k]);
		assert_int_equal(state_out_seal(&o), 0);
		assert_int_equal(open_at(&in, &o, now), STATE_OK);
		state_get_text(&in, text, sizeof(text));
		assert_string_equal(text, rows[i].text ? rows[i].text : "");
		assert_int_equal(state_is_bad(&in), !rows[i].text);
		state_out_deinit(&o);
	}
}

static void section_longer_than_the_rest(void **state)
{
	struct state_out o;
	struct state_in in = value(&o, UINT64_C(1) << 32 | 1), s;
	uint32_t tag = 99;

	assert_false(state_get_section(&in, &tag, &s));
	assert_true(state_is_bad(&in));
	assert_int_equal(tag, 99);
	assert_false(state_get_section(&in, &tag, &s));
	state_out_deinit(&o);
}

/* ---- memory ---- */

static void memory_runs_out(void **state)
{
	struct state_out o;
	unsigned n_failed = 0;

	for (long n = 0;; n++) {
		bool failed;

		fail_alloc_after = n;
		write_some(&o);
		for (unsigned i = 0; i < 10000; i++)
			state_put_u64(&o, i);
		state_put_addr(&o, &(struct addr){{0}});
		failed = fail_alloc_after < 0;
		fail_alloc_after = -1;
		/* a later successful write does not hide the failure */
		state_put_u64(&o, 1);
		assert_int_equal(state_out_seal(&o), failed ? -ENOMEM : 0);
		state_out_deinit(&o);
		if (!failed)
			break;
		n_failed++;
	}
	assert_true(n_failed >= 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_as_it_went_in),
		cmocka_unit_test(unread_sections_are_skipped),
		cmocka_unit_test(counters_of_another_version),
		cmocka_unit_test(too_many_counters),
		cmocka_unit_test(header),
		cmocka_unit_test(time_that_cannot_be),
		cmocka_unit_test(cut_off_anywhere),
		cmocka_unit_test(times),
		cmocka_unit_test(times_of_long_ago),
		cmocka_unit_test(times_are_of_the_system),
		cmocka_unit_test(numbers),
		cmocka_unit_test(counts),
		cmocka_unit_test(texts),
		cmocka_unit_test(section_longer_than_the_rest),
		cmocka_unit_test(memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
