/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Patterns of interface names: which words are patterns, which block applies to a name,
 * and what the parser reports. */

#include "config_fixture.h"

#define UP " phyint u upstream "

/* igmpproxy allows any character in a name. Only the wildcards of the shell make it a
 * pattern. */
static void words(void **state)
{
	static const struct {
		const char *word;
		bool pattern;
	} w[] = {
		{"eth0.*", true},
		{"lan?", true},
		{"lan[0-9]", true},
		{"[ew]n*", true},
		{"eth0", false},
		{"eth0.35", false},
		{"br-lan", false},
		{"ppp+", false}, /* iptables' way */
		{"en0^", false},
		{"vlan(2)", false},
		{"a|b", false},
		{"wan$", false},
		{"a{1,2}", false},
		{"a\\d", false},
		{"lan]", false},
		{"lan[1", false},
		{"%d", false},
		{"!x", false},
	};

	for (size_t i = 0; i < array_len(w); i++) {
		_cleanup_(freep) char *text = NULL;
		const struct config_iface *ci;
		struct config *c;

		if (config_is_pattern(w[i].word) != w[i].pattern)
			fail_msg("'%s'", w[i].word);
		assert_true(asprintf(&text, UP "phyint %s downstream threshold 7",
				    w[i].word) > 0);
		c = parse(text, 0);
		/* a block always applies to its own literal name */
		ci = config_iface_find(c, w[i].word);
		assert_int_equal(ci->threshold, 7);
		assert_int_equal(ci->pattern, w[i].pattern);
		/* a name that a regular expression would match */
		assert_ptr_equal(config_iface_find(c, "eth0x"), &c->defaults);
		assert_ptr_equal(config_iface_find(c, "pppp"), &c->defaults);
		assert_ptr_equal(config_iface_find(c, "b"), &c->defaults);
		config_free(c);
	}
}

static unsigned threshold(const struct config *c, const char *name)
{
	return config_iface_find(c, name)->threshold;
}

static void which_counts(void **state)
{
	struct config *c = parse(UP "phyint eth0.1? downstream threshold 2 "
				    "phyint eth0.* downstream threshold 3 "
				    "phyint eth0.12 downstream threshold 4 "
				    "phyint eth[!0-3] downstream threshold 5 "
				    "phyint a\\* downstream threshold 6",
		0);

	assert_int_equal(threshold(c, "eth0.12"), 4); /* the exact name */
	assert_int_equal(threshold(c, "eth0.13"), 2); /* the first match */
	assert_int_equal(threshold(c, "eth0.1"), 3);
	assert_int_equal(threshold(c, "eth0."), 3);
	assert_int_equal(threshold(c, "eth0"), 1);
	assert_int_equal(threshold(c, "eth4"), 5);
	assert_int_equal(threshold(c, "eth2"), 1);
	assert_int_equal(threshold(c, "a\\x"), 6); /* no escapes */
	assert_int_equal(threshold(c, "a*"), 1);
	config_free(c);
}

static void messages(void **state)
{
	static const struct {
		const char *text;
		int r;
		const char *says; /* NULL if there is no message */
	} m[] = {
		{UP "phyint eth* downstream", 0, NULL},
		{UP "phyint enp[0-9]s[0-9]f[0-9].[0-9]* downstream", 0, NULL},
		{UP "phyint lan* downstream phyint lan1 disabled", 0, NULL},
		{UP "phyint lan? downstream phyint lan* disabled", 0, NULL},
		{UP "phyint lan* downstream phyint lan? disabled", 0,
			"'phyint lan?' has no effect"},
		{UP "phyint * downstream phyint eth0.* disabled", 0,
			"'phyint eth0.*' has no effect"},
		{UP "phyint lan* downstream phyint lan* disabled", 0,
			"that one counts, this one is ignored"},
		{UP "phyint lan[1 downstream", 0, "a name, not a pattern"},
		{UP "phyint lan:* downstream", 0, "no interface can match"},
		{UP "phyint 0123456789012345678901234567890123456789012345678901234567890123*"
		    " downstream",
			1, "at most 63 characters"},
		{UP "phyint 0123456789012345 downstream", 1, "at most 15 characters"},
		{"phyint u upstream report-interface v* phyint d downstream", 1,
			"name the one interface"},
		{"phyint ppp* upstream phyint d downstream", 0, NULL},
		/* a pattern does not take the interface of report-interface */
		{"phyint eth0.35 upstream report-interface eth0.4 phyint eth0.* downstream",
			0, NULL},
		{"instance a phyint ppp* upstream phyint x upstream phyint d downstream",
			1, "second upstream of instance 'a'"},
	};

	for (size_t i = 0; i < array_len(m); i++) {
		struct config *c = parse(m[i].text, m[i].r);

		if (c->n_message != (m[i].says != NULL) ||
			(m[i].says && !strstr(c->message[0].text, m[i].says)))
			fail_msg("'%s': %s", m[i].text,
				c->n_message ? c->message[0].text : "no message");
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words),
		cmocka_unit_test(which_counts),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
