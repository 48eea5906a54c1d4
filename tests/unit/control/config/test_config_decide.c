/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which line of a file decides, and how it is named. */

#include "control/config/config.h"

#include "test.h"

#include <string.h>

static const char file[] = "altnet 172.16.0.0/12\n"			      /* 1 */
			   "boundary 239.255.0.0/16\n"			      /* 2 */
			   "phyint wan upstream altnet 172.16.5.0/24\n"	      /* 3 */
			   "  whitelist 239.0.0.0/8 blacklist 239.1.0.0/16\n" /* 4 */
			   "  whitelist 239.1.2.0/24\n"			      /* 5 */
			   "phyint lan1 downstream\n"			      /* 6 */
			   "  blacklist 239.9.0.0/16\n"			      /* 7 */
			   "  boundary-scope 5\n";			      /* 8 */

static void the_line_that_decides_is_named(void **state)
{
	static const struct {
		const char *name, *group;
		bool lists, refused;
		const char *text;
	} rows[] = {
		{"wan", "239.2.0.1", true, false, "'whitelist 239.0.0.0/8', line 4"},
		{"wan", "239.1.9.1", true, true, "'blacklist 239.1.0.0/16', line 4"},
		{"wan", "239.1.9.1", false, false, ""},
		{"wan", "239.1.2.1", true, false, "'whitelist 239.1.2.0/24', line 5"},
		{"wan", "232.1.1.1", true, true, "no whitelist names it"},
		{"wan", "239.255.1.1", false, true,
			"'boundary 239.255.0.0/16', line 2"},
		{"wan", "ff08::1", false, true,
			"'boundary-scope 8', the default of an upstream"},
		{"lan1", "239.9.1.1", true, true, "'blacklist 239.9.0.0/16', line 7"},
		{"lan1", "239.8.1.1", true, false, ""},
		{"lan1", "ff05::1", true, true, "'boundary-scope 5'"},
		{"lan1", "239.255.255.250", true, true,
			"'boundary 239.255.0.0/16', line 2"},
	};
	char text[CONFIG_DECIDE_LEN];
	struct config *c;

	assert_int_equal(config_parse(file, strlen(file), &c), 0);
	for (size_t i = 0; i < array_len(rows); i++) {
		struct addr group = a(rows[i].group);

		assert_int_equal(config_decide_group(config_iface_find(c, rows[i].name),
					 &group, rows[i].lists, text),
			rows[i].refused);
		assert_string_equal(text, rows[i].text);
	}
	config_free(c);
}

static void the_altnet_that_admits_is_named(void **state)
{
	static const struct {
		const char *name, *source, *text;
	} rows[] = {
		{"wan", "172.16.5.5", "'altnet 172.16.5.0/24', line 3"},
		{"wan", "172.17.5.5", "'altnet 172.16.0.0/12', line 1"},
		{"lan1", "172.16.5.5", "'altnet 172.16.0.0/12', line 1"},
		{"wan", "10.0.0.1", ""},
	};
	char text[CONFIG_DECIDE_LEN];
	struct config *c;

	assert_int_equal(config_parse(file, strlen(file), &c), 0);
	for (size_t i = 0; i < array_len(rows); i++) {
		struct addr source = a(rows[i].source);

		assert_int_equal(
			config_decide_source(
				config_iface_find(c, rows[i].name), &source, text),
			*rows[i].text != '\0');
		assert_string_equal(text, rows[i].text);
	}
	config_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_line_that_decides_is_named),
		cmocka_unit_test(the_altnet_that_admits_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
