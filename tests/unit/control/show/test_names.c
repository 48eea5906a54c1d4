/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Names of reasons and counters are keys of the control socket and labels of metrics.
 * Each value has one name, all names differ, and none needs quotes. A counter that is
 * not shown by name has none. */

#include "control/proto/effect.h"
#include "control/proto/gm_msg.h"
#include "dataplane/packet/counters.h"
#include "dataplane/packet/verdict.h"
#include "test.h"

#include <string.h>

static const char *name_of_verdict(unsigned v)
{
	return verdict_name((enum verdict)v);
}

static const char *name_of_note(unsigned v)
{
	return note_name((enum note)v);
}

static const char *name_of_bad(unsigned v)
{
	return gm_bad_name((enum gm_bad)v);
}

static const char *name_of_port_count(unsigned v)
{
	return port_count_name((enum port_count)v);
}

static const char *name_of_thread_count(unsigned v)
{
	return thread_count_name((enum thread_count)v);
}

static const char *name_of_odd(unsigned v)
{
	return gm_odd_name((enum gm_odd)v);
}

static const struct {
	const char *what;
	const char *(*name)(unsigned);
	unsigned first, end;
	const char *beyond; /* name of a value beyond the last one */
	unsigned n_hidden;  /* number of values without a name */
} lists[] = {
	{"verdicts", name_of_verdict, 0, _VERDICT_N, NULL},
	{"notes", name_of_note, 1, _NOTE_N, "unknown"},
	{"messages refused", name_of_bad, 0, _GM_BAD_N, "unknown"},
	{"odd messages", name_of_odd, 0, _GM_ODD_N, "unknown"},
	{"counters of ports", name_of_port_count, 0, _PORT_COUNT_N, NULL, 2},
	{"counters of threads", name_of_thread_count, 0, _THREAD_COUNT_N, NULL, 4},
};

static void all_different(void **state)
{
	for (size_t l = 0; l < array_len(lists); l++) {
		unsigned n_hidden = 0;

		for (unsigned i = lists[l].first; i < lists[l].end; i++) {
			const char *s = lists[l].name(i);

			if (!s && n_hidden++ < lists[l].n_hidden)
				continue;
			if (!s || !*s || s[strspn(s, "abcdefghijklmnopqrstuvwxyz_")] ||
				strcmp(s, "unknown") == 0)
				fail_msg("%s: %u is %s", lists[l].what, i, s ? s : "-");
			for (unsigned k = lists[l].first; k < i; k++)
				if (lists[l].name(k) &&
					strcmp(s, lists[l].name(k)) == 0)
					fail_msg("%s: %u and %u are %s", lists[l].what,
						k, i, s);
		}
		assert_int_equal(n_hidden, lists[l].n_hidden);
	}
}

/* Values of a newer program, or invalid ones. */
static void values_that_are_none(void **state)
{
	for (size_t l = 0; l < array_len(lists); l++)
		for (unsigned more = 0; more <= 100; more += 100) {
			const char *s = lists[l].name(lists[l].end + more);

			if (lists[l].beyond)
				assert_string_equal(s, lists[l].beyond);
			else
				assert_null(s);
		}
	assert_string_equal(note_name((enum note)0), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_different),
		cmocka_unit_test(values_that_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
