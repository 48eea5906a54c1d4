/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Which command the words mean, and the message if they mean none. */

#include "test.h"

#include "tools/ctl/command_name.h"

#include <string.h>

static const char *const names[] = {
	"show groups",
	"show groups detail",
	"show mfc",
	"clear group",
	"log",
	"reload",
	"capture",
};

static const struct {
	const char *words[5];
	int number;
	size_t used;
	const char *said; /* `right` of a match, otherwise `why` */
} rows[] = {
	{{"show", "mfc"}, 2, 2, "show mfc"},
	{{"sh", "m"}, 2, 2, "show mfc"},
	{{"s", "groups"}, 0, 2, "show groups"},
	/* the other words belong to the command */
	{{"log", "debug"}, 4, 1, "log"},
	{{"show", "mfc", "--json"}, 2, 2, "show mfc"},
	{{"cl", "g", "239.1.2.3"}, 3, 2, "clear group"},
	/* after a complete command a short word may be an argument: lan "de" */
	{{"show", "groups", "detail"}, 1, 3, "show groups detail"},
	{{"sh", "gr", "detail", "lan1"}, 1, 3, "show groups detail"},
	{{"show", "groups", "de"}, 0, 2, "show groups"},
	/* several matches, a similar one, and none */
	{{"c"}, COMMAND_UNKNOWN, 0, "'c' may be clear or capture"},
	{{"cpature"}, COMMAND_UNKNOWN, 0,
		"unknown command 'cpature'; did you mean 'capture'?"},
	{{"show", "mfcs"}, COMMAND_UNKNOWN, 1,
		"unknown command 'show mfcs'; did you mean 'show mfc'?"},
	{{"mfc"}, COMMAND_UNKNOWN, 0,
		"unknown command 'mfc'; did you mean 'show mfc'?"},
	{{"restart"}, COMMAND_UNKNOWN, 0,
		"unknown command 'restart'; the service manager does that: systemctl "
		"restart ringcast"},
	{{"sh", "routes"}, COMMAND_UNKNOWN, 1,
		"unknown command 'show routes'; did you mean 'show mfc'?"},
	{{"nonsense"}, COMMAND_UNKNOWN, 0,
		"unknown command 'nonsense'; 'ringcastctl help' lists them"},
	{{""}, COMMAND_UNKNOWN, 0, "unknown command ''; 'ringcastctl help' lists them"},
	/* a word is missing */
	{{"sh"}, COMMAND_INCOMPLETE, 1, "'show' needs another word"},
	{{"show", "--json"}, COMMAND_INCOMPLETE, 1, "'show' needs another word"},
	{{"sh", "nonsense"}, COMMAND_INCOMPLETE, 1, "unknown command 'show nonsense'"},
	{{"show", ""}, COMMAND_INCOMPLETE, 1, "unknown command 'show '"},
};

static void table_of_words(void **state)
{
	for (size_t i = 0; i < array_len(rows); i++) {
		char copy[5][32], *words[5];
		struct command_match m;
		size_t n = 0;

		for (; n < 5 && rows[i].words[n]; n++) {
			strcpy(copy[n], rows[i].words[n]);
			words[n] = copy[n];
		}
		command_find(names, array_len(names), words, n, &m);
		assert_int_equal(m.number, rows[i].number);
		assert_int_equal(m.used, rows[i].used);
		assert_string_equal(m.number < 0 ? m.why : m.right, rows[i].said);
	}
}

/* An overlong word truncates the message and does not overrun it. */
static void long_words(void **state)
{
	char word[5000];
	char *words[] = {word, word};
	struct command_match m;

	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	command_find(names, array_len(names), words, 2, &m);
	assert_int_equal(m.number, COMMAND_UNKNOWN);
	assert_true(strlen(m.why) < sizeof(m.why) - 1);
	memcpy(word, "show", 5);
	words[1] = word + 5;
	command_find(names, array_len(names), words, 2, &m);
	assert_int_equal(m.number, COMMAND_INCOMPLETE);
	assert_string_equal(m.right, "show");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_of_words),
		cmocka_unit_test(long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
