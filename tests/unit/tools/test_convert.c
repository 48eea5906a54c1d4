/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Conversions beyond the golden files: odd bytes, quoting and bounds, and inputs that
 * try to add lines of their own.
 */

#include "control/config/config.h"
#include "test.h"
#include "tools/convert/convert.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct conversion *run(
	enum convert_dialect dialect, const char *text, size_t len, int expected)
{
	struct convert_source source = {.name = "in", .text = text, .len = len};
	struct conversion *r;

	assert_int_equal(convert_run(dialect, &source, 1, NULL, 0, &r), expected);
	assert_int_equal(!r->text, expected);
	assert_int_equal(r->n_errors > 0, expected);
	return r;
}

static bool says(const struct conversion *r, unsigned line, const char *words)
{
	for (size_t i = 0; i < r->n_message; i++)
		if (r->message[i].line == line && strstr(r->message[i].text, words))
			return true;
	return false;
}

#define IMPROXY CONVERT_IMPROXY
#define VYOS	CONVERT_VYOS
#define OPENWRT CONVERT_OPENWRT
#define PHYINT	"config phyint\noption direction upstream\noption network "

static void accepted(void **state)
{
	static const struct {
		const char *what;
		enum convert_dialect dialect;
		const char *in, *out; /* `out` must be part of the text */
	} c[] = {
		{"CR LF, no end of the last line", IMPROXY,
			"igmp enable\r\nupstream eth0\r\ndownstream eth1",
			"\nphyint eth1 downstream\n"},
		{"byte order mark", IMPROXY, "\xef\xbb\xbfupstream eth0",
			"\nphyint eth0 upstream\n"},
		{"CR LF", VYOS,
			"set protocols igmp-proxy interface eth0 role upstream\r\n",
			"\nphyint eth0 upstream\n"},
		{"pieces of a word", VYOS,
			"igmp-proxy interface e'th'\"0\" role upstream",
			"\nphyint eth0 upstream\n"},
		{"one line", VYOS,
			"protocols{igmp-proxy{interface eth0{role upstream}interface a{}}}",
			"\nphyint eth0 upstream\n\nphyint a downstream\n"},
		{"a comment inside a line", VYOS,
			"igmp-proxy { /* a { b */ interface eth0 { role upstream } }",
			"\nphyint eth0 upstream\n"},
		{"the role that was set last", VYOS,
			"set protocols igmp-proxy interface a role downstream\n"
			"set protocols igmp-proxy interface a role upstream",
			"\nphyint a upstream\n"},
		{"delete and set again", VYOS,
			"set protocols igmp-proxy interface a role upstream\n"
			"delete protocols igmp-proxy\n"
			"set protocols igmp-proxy interface b role upstream",
			"ipv4 only\n\nphyint b upstream\n"},
		{"CR LF", OPENWRT, PHYINT "wan\r\n", "phyint wan upstream "},
		{"short comment", OPENWRT, PHYINT "wan#lan", "phyint wan upstream "},
		{"continued line", OPENWRT, PHYINT "\\\r\n \"w\\\na\\n\"",
			"phyint wan up"},
		{"an alias of an alias", OPENWRT,
			PHYINT "tv\nconfig interface tv\noption device @b\n"
			       "config interface b\noption ifname @c\n"
			       "config interface c\noption ifname eth0.9",
			"phyint eth0.9 upstream "},
		{"aliases in a circle", OPENWRT,
			PHYINT "tv\nconfig interface tv\noption device @tv",
			"phyint tv upstream "},
		{"bridge of old", OPENWRT,
			PHYINT "tv\nconfig interface tv\noption type bridge\n"
			       "option ifname 'eth0 eth1'",
			"phyint br-tv upstream "},
		{"the last option counts, a list is appended to it", OPENWRT,
			PHYINT "a\noption network b\nlist altnet 10.0.0.0/8\n"
			       "option altnet 11.0.0.0/8\nlist altnet 12.0.0.0/8",
			"phyint b upstream                       # network b\n"
			"\taltnet 11.0.0.0/8\n\taltnet 12.0.0.0/8\n"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct conversion *r = run(c[i].dialect, c[i].in, strlen(c[i].in), 0);
		struct config *cfg;

		if (!strcasestr(r->text, c[i].out))
			fail_msg("%s: %s", c[i].what, r->text);
		assert_int_equal(config_parse(r->text, strlen(r->text), &cfg), 0);
		config_free(cfg);
		conversion_free(r);
	}
}

static void refused(void **state)
{
	static const struct {
		enum convert_dialect dialect;
		const char *in;
		size_t len; /* 0 means the length of the string */
		unsigned line;
		const char *words;
	} c[] = {
		{IMPROXY, "upstream a\nb\0c", 14, 2, "NUL byte"},
		{VYOS, "\n\n\0", 3, 3, "NUL byte"},
		{OPENWRT, "\0", 1, 1, "NUL byte"},
		{IMPROXY, "", 0, 0, "no upstream"},
		{VYOS, "", 0, 0, "nothing about"},
		{OPENWRT, "", 0, 0, "no section"},
		{IMPROXY, "upstream a#b", 0, 1, "not a valid name of an interface"},
		{IMPROXY,
			"upstream a\xe2\x80\x89"
			"1",
			0, 1,
			"contains a thin space (U+2009); write an ordinary blank"},
		{IMPROXY, "upstream eth*", 0, 1, "would be a pattern"},
		{VYOS, "set interface 'a b' role upstream", 0, 1, "not a valid name"},
		{VYOS, "\n/* a", 0, 2, "a comment has no end"},
		{VYOS, "igmp-proxy { interface eth0 { role 'up", 0, 1,
			"a quote has no end"},
		{VYOS, "protocols igmp-proxy interface x role upstream y", 0, 1,
			"takes one value"},
		{OPENWRT, "config phyint 'a\nb", 0, 1, "a quote has no end; add '"},
		{OPENWRT, PHYINT "a b", 0, 3, "too many words"},
		{OPENWRT, PHYINT "a/b", 0, 3, "not a valid name"},
		{OPENWRT, PHYINT "a\nconfig interface a\noption device 'b c'", 0, 3,
			"device of the network 'b c' is not a valid name"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct conversion *r = run(c[i].dialect, c[i].in,
			c[i].len ? c[i].len : strlen(c[i].in), 1);

		if (!says(r, c[i].line, c[i].words))
			fail_msg("%s: not '%s' but %u: '%s'", c[i].in, c[i].words,
				r->message[0].line, r->message[0].text);
		conversion_free(r);
	}
}

/* Line breaks in quoted words become visible escapes in comments, not lines. */
static void no_lines_from_outside(void **state)
{
	static const struct {
		enum convert_dialect dialect;
		const char *in;
	} c[] = {
		{OPENWRT, PHYINT "a\noption 'x\nphyint evil upstream' 1"},
		{OPENWRT, PHYINT "a\noption ratelimit '1\nphyint evil upstream'"},
		{OPENWRT,
			PHYINT "'a\nphyint evil upstream'\n"
			       "config interface 'a\nphyint evil upstream'\n"
			       "option device eth0"},
		{VYOS, "interface a role upstream\ninterface a 'x\rphyint evil up'"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		struct conversion *r = run(c[i].dialect, c[i].in, strlen(c[i].in), 0);

		assert_non_null(strstr(r->text, "phyint evil"));
		assert_null(strstr(r->text, "\nphyint evil"));
		assert_null(strchr(r->text, '\r'));
		conversion_free(r);
	}
}

static void name_of_the_source(void **state)
{
	static const char text[] = "upstream eth0";
	struct convert_source source = {
		.name = "a\nphyint b upstream", .text = text, .len = strlen(text)};
	struct conversion *r;

	assert_int_equal(convert_run(CONVERT_IMPROXY, &source, 1, NULL, 0, &r), 0);
	assert_null(strstr(r->text, "\nphyint b"));
	conversion_free(r);
}

/* `head`, followed by n times `line`. */
static char *many(const char *head, const char *line, unsigned n)
{
	size_t size = strlen(head) + n * (strlen(line) + 12) + 1, len;
	char *s = malloc(size);

	assert_non_null(s);
	len = (size_t)snprintf(s, size, "%s", head);
	for (unsigned i = 0; i < n; i++) {
		char *mark;

		len += (size_t)snprintf(s + len, size - len, "%s\n", line);
		mark = memrchr(s, '%', len);
		if (mark && mark > s + len - strlen(line) - 2) {
			char digits[16];

			snprintf(digits, sizeof(digits), "%06u", i);
			memcpy(mark, digits, 6);
		}
	}
	return s;
}

static void bounds(void **state)
{
	static const struct {
		enum convert_dialect dialect;
		const char *head, *line; /* %.....: a running number */
		unsigned n;
		const char *words;
	} c[] = {
		{IMPROXY, "upstream u\n", "downstream %.....", 1001, "more than 1000"},
		{IMPROXY, "", "nonsense", 100000, "too many errors"},
		{VYOS, "", "set interface i%..... role downstream", 1100,
			"more than 1000"},
		{VYOS, "", "set interface i role downstream", 10001, "more than 10000"},
		{VYOS, "", "a {", 40, "braces are 32 deep"},
		{OPENWRT, "", "config phyint n%.....", 4097, "more than 4096"},
		{OPENWRT, "config phyint\n", "option o%..... 1", 257, "more than 256"},
	};

	for (size_t i = 0; i < array_len(c); i++) {
		_cleanup_(freep) char *text = many(c[i].head, c[i].line, c[i].n);
		struct conversion *r = run(c[i].dialect, text, strlen(text), 1);
		bool found = false;

		for (size_t k = 0; k < r->n_message; k++)
			found |= strstr(r->message[k].text, c[i].words) != NULL;
		if (!found)
			fail_msg("not '%s' but '%s'", c[i].words, r->message[0].text);
		assert_true(r->n_errors <= 21);
		conversion_free(r);
	}
}

static void dialects(void **state)
{
	enum convert_dialect d;

	assert_int_equal(convert_dialect_parse("vyos", &d), 0);
	assert_int_equal(d, CONVERT_VYOS);
	assert_int_equal(convert_dialect_parse("VyOS", &d), -EINVAL);
	assert_int_equal(convert_dialect_parse("", &d), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepted),
		cmocka_unit_test(refused),
		cmocka_unit_test(no_lines_from_outside),
		cmocka_unit_test(name_of_the_source),
		cmocka_unit_test(bounds),
		cmocka_unit_test(dialects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
