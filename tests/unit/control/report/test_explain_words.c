/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Words that people type or paste after `explain`. */

#include "control/report/explain_words.h"

#include "test.h"

#include <string.h>

static void what_people_have_in_hand(void **state)
{
	static const struct {
		const char *text, *group, *source, *from, *on;
	} rows[] = {
		{"239.1.2.3", "239.1.2.3", NULL, "", ""},
		{"239.1.2.3 10.0.0.1", "239.1.2.3", "10.0.0.1", "", ""},
		{"239.1.2.3 from wan", "239.1.2.3", NULL, "wan", ""},
		{"239.1.2.3 10.0.0.1 on lan1 from wan", "239.1.2.3", "10.0.0.1", "wan",
			"lan1"},
		{"239.1.2.3 from wan 10.0.0.1", "239.1.2.3", "10.0.0.1", "wan", ""},
		{"239.1.2.3:5000", "239.1.2.3", NULL, "", ""},
		{"udp://239.1.2.3:5000", "239.1.2.3", NULL, "", ""},
		{"udp://@239.1.2.3:5000", "239.1.2.3", NULL, "", ""},
		{"udp://@239.1.2.3:5000?pkt_size=1316", "239.1.2.3", NULL, "", ""},
		{"rtp://10.0.0.1@232.1.2.3:5004", "232.1.2.3", "10.0.0.1", "", ""},
		{"rtp://10.0.0.1@232.1.2.3:5004/", "232.1.2.3", "10.0.0.1", "", ""},
		{"10.0.0.1@232.1.2.3", "232.1.2.3", "10.0.0.1", "", ""},
		{"http://192.168.1.1:4022/udp/239.1.2.3:5000", "239.1.2.3", NULL, "",
			""},
		{"https://tv.lan/rtp/@232.1.2.3:5000/", "232.1.2.3", NULL, "", ""},
		{"239.1.2.3:65535", "239.1.2.3", NULL, "", ""},
		{"239.1.2.3:", "239.1.2.3", NULL, "", ""}, /* RFC 3986 3.2.3 */
		{"igmp://239.1.2.3:5000", "239.1.2.3", NULL, "", ""},
		{"igmp://239.1.2.3 10.0.0.1:77", "239.1.2.3", "10.0.0.1", "", ""},
		{"ff0e::1:2", "ff0e::1:2", NULL, "", ""},
		{"udp://@[ff0e::1]:5000", "ff0e::1", NULL, "", ""},
		{"rtp://[2001:db8::1]@[ff3e::8000:1]:5000", "ff3e::8000:1",
			"2001:db8::1", "", ""},
		{"10.1.2.3", "10.1.2.3", NULL, "", ""}, /* explain() will refuse it */
	};
	char error[EXPLAIN_WORDS_ERROR];
	struct explain_words w;

	for (size_t i = 0; i < array_len(rows); i++) {
		struct addr group = a(rows[i].group), source;

		if (!explain_words_read(rows[i].text, &w, error))
			fail_msg("%s: %s", rows[i].text, error);
		assert_true(addr_eq(&w.group, &group));
		assert_int_equal(w.has_source, rows[i].source != NULL);
		if (rows[i].source) {
			source = a(rows[i].source);
			assert_true(addr_eq(&w.source, &source));
		}
		assert_string_equal(w.from, rows[i].from);
		assert_string_equal(w.on, rows[i].on);
	}
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *text, *error;
	} rows[] = {
		{"", "which group? GROUP [SOURCE] [from INTERFACE] [on INTERFACE]"},
		{"239.1.2.300", "'239.1.2.300' is not an address"},
		{"239.1.2.3:65536", "'239.1.2.3:65536' is not an address"},
		{"239.1.2.3:500000", "'239.1.2.3:500000' is not an address"},
		{"239.1.2.3:5000x", "'239.1.2.3:5000x' is not an address"},
		{"udp://@239.1.2.300:5000", "'239.1.2.300:5000' is not an address"},
		{"rtp://10.0.0.999@232.1.2.3",
			"'10.0.0.999' is not the address of a source"},
		{"udp://[ff0e::1", "'[ff0e::1' is not an address"},
		{"udp://", "'' is not an address"},
		{"239.1.2.3 tv", "'tv' is not the address of a source"},
		{"239.1.2.3 10.0.0.1 10.0.0.2", "'10.0.0.2' is one word too many"},
		{"10.0.0.1@232.1.2.3 10.0.0.2", "'10.0.0.2' is one word too many"},
		{"239.1.2.3 from", "from needs an interface"},
		{"239.1.2.3 on a-name-that-is-too-long", "on needs an interface"},
		{"239.1.2.3 2001:db8::1", "group and source are of different families"},
	};
	char error[EXPLAIN_WORDS_ERROR], much[5000];
	struct explain_words w;

	for (size_t i = 0; i < array_len(rows); i++) {
		assert_false(explain_words_read(rows[i].text, &w, error));
		assert_string_equal(error, rows[i].error);
	}
	memset(much, '1', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	assert_false(explain_words_read(much, &w, error));
	assert_string_equal(error, "a word is too long");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_people_have_in_hand),
		cmocka_unit_test(what_is_wrong_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
