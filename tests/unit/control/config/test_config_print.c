/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * config: printed text reads back to the same configuration, the description names the
 * settings in force, and no text does harm. The token soup mixes keywords, values and
 * stray bytes from a seed that is printed; SEED=n in the environment repeats it.
 */

#include "config_fixture.h"
#include "control/config/config_keyword.h"

/* --- print and describe --- */

/* Everything that has a place of its own: see config_keyword_eq(). */
static void equal_values(const void *x, const void *y, bool global)
{
	for (size_t i = 0; i < config_n_keywords; i++)
		if ((config_keywords[i].where == CONFIG_GLOBAL) == global &&
			!config_keyword_eq(&config_keywords[i], x, y))
			fail_msg("%s", config_keywords[i].name);
}

static void equal_prefixes(
	const struct prefix *x, size_t n_x, const struct prefix *y, size_t n_y)
{
	assert_int_equal(n_x, n_y);
	for (size_t i = 0; i < n_x; i++)
		assert_true(prefix_eq(&x[i], &y[i]));
}

static void equal_iface(const struct config_iface *x, const struct config_iface *y)
{
	equal_values(x, y, false);
	assert_string_equal(x->name, y->name);
	assert_int_equal(x->role, y->role);
	assert_int_equal(x->instance, y->instance);
	equal_prefixes(x->altnet, x->n_altnet, y->altnet, y->n_altnet);
	equal_prefixes(x->boundary, x->n_boundary, y->boundary, y->n_boundary);
	assert_int_equal(x->has_whitelist, y->has_whitelist);
	assert_int_equal(x->n_filter, y->n_filter);
	for (size_t i = 0; i < x->n_filter; i++) {
		assert_true(prefix_eq(&x->filter[i].groups, &y->filter[i].groups));
		assert_int_equal(x->filter[i].allow, y->filter[i].allow);
	}
}

static void equal_config(const struct config *x, const struct config *y)
{
	equal_values(x, y, true);
	equal_prefixes(x->ssm, x->n_ssm, y->ssm, y->n_ssm);
	equal_prefixes(x->web_allow, x->n_web_allow, y->web_allow, y->n_web_allow);
	assert_int_equal(x->n_host_names, y->n_host_names);
	for (size_t i = 0; i < x->n_host_names; i++)
		assert_string_equal(x->host_names[i], y->host_names[i]);
	equal_iface(&x->defaults, &y->defaults);
	assert_int_equal(x->n_instance, y->n_instance);
	for (size_t i = 0; i < x->n_instance; i++)
		assert_string_equal(x->instance[i].name, y->instance[i].name);
	assert_int_equal(x->n_iface, y->n_iface);
	for (size_t i = 0; i < x->n_iface; i++)
		equal_iface(&x->iface[i], &y->iface[i]);
}

static void check_round_trip(const struct config *c)
{
	_cleanup_(freep) char *print = config_print(c), *again = NULL;
	struct config *c2;

	assert_non_null(print);
	c2 = parse(print, 0);
	equal_config(c, c2);
	again = config_print(c2);
	assert_string_equal(print, again);
	config_free(c2);
}

/* N35: a keyword that is not set is printed as a comment with the value in force. */
static void every_keyword_is_printed(void **state)
{
	struct config *c = parse(ROLES, 0);
	_cleanup_(freep) char *print = config_print(c);
	char line[64];

	assert_non_null(print);
	for (size_t i = 0; i < config_n_keywords; i++) {
		const struct config_keyword *kw = &config_keywords[i];
		bool in_defaults = kw->where == CONFIG_BLOCK;

		if (kw->kind == CONFIG_KIND_ROLE || kw->kind == CONFIG_KIND_PHYINT ||
			kw->kind == CONFIG_KIND_INSTANCE || kw->kind == CONFIG_KIND_SSM)
			continue;
		snprintf(line, sizeof(line), "%s%s", i ? "\n" : "", kw->name);
		if (strstr(print, line) && (in_defaults || kw->where == CONFIG_GLOBAL))
			continue;
		snprintf(line, sizeof(line), "\n%s# %s is not set: ",
			in_defaults || kw->where == CONFIG_GLOBAL ? "" : "\t",
			kw->name);
		if (!strstr(print, line))
			fail_msg("no %s in\n%s", kw->name, print);
		assert_non_null(kw->unset);
	}
	assert_non_null(strstr(print, "\n# control-socket is not set: /run/"));
	assert_non_null(strstr(print, "\n# boundary-scope is not set: 8 on "));
	config_free(c);
}

static void print_reads_back(void **state)
{
	static const char *const texts[] = {
		ROLES,
		"quickleave hashtablesize 64 chroot /x user y rescanvif defaultdown " ROLES
		"phyint a phyint b disabled ratelimit 4",
		"hashtablesize 64 " ROLES,
		"robustness 7 query-interval 33.333 timers rfc3376 refresh-interval 61.5 " ROLES,
		"last-member-query-count 9 startup-query-count 8 startup-query-interval 7 " ROLES,
		"ssm-range none " ROLES,
		"ssm-range default ssm-range 239.1.0.0/16 " ROLES,
		"ssm-range 239.1.0.0/16 ssm-range ff35::/32 ssm-range 232.0.0.0/8 " ROLES,
		"threads 7 cpu-affinity 1-3,0 ring-size 100000 transmit io_uring coalesce exact "
		"latency low collect-time 0.004 receive-offload off quality on control-socket /a control-group b "
		"seccomp off landlock off "
		"metrics-listen [::1]:1 metrics-groups 65536 channel-names a.m3u quality-memory 3M "
		"host-names a host-names b host-names c host-names d "
		"web-listen :8080 web-allow 10.0.0.0/8 web-allow fd00::/8 web-names off "
		"forward-from-downstream downstream " ROLES,
		"altnet 10.0.0.0/8 whitelist 239.0.0.0/8 blacklist 239.1.0.0/16 ipv6 off "
		"fast-leave max-groups 3 phyint u upstream altnet 1.0.0.0/8 "
		"report-interface v igmp-version 2 phyint d downstream fast-leave off "
		"whitelist 239.1.1.0/24 whitelist ff05::/16 ipv6 on max-groups 0 "
		"always-querier require-router-alert mld-router-alert optional "
		"mld-version 1 threshold 200",
		"boundary 239.255.0.0/16 boundary-scope 5 version-fallback off "
		"phyint u upstream boundary ff15::/16 boundary 239.192.0.0/14 "
		"version-fallback on phyint d downstream boundary-scope 14",
		"instance one phyint u upstream phyint d downstream "
		"instance two phyint v upstream report-interface w phyint e downstream",
		ROLES "phyint x disabled instance two phyint v upstream "
		      "phyint e downstream phyint y disabled quickleave",
	};

	for (size_t i = 0; i < array_len(texts); i++) {
		struct config *c = parse(texts[i], 0);

		check_round_trip(c);
		config_free(c);
	}
}

/* Runs of blanks and line ends become one blank. */
static void unwrap(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (*s == '\n' || *s == ' ') {
			if (to[-1] != ' ')
				*to++ = ' ';
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static void describe_says(void **state)
{
	static const char *const parts[] = {"u: upstream, is not there now",
		"d: downstream, is there now", "at least 4 on arrival (threshold 3)",
		"10.0.0.0/8 (altnet)", "Disabled: x", "(quickleave)",
		"reported again every 60 s", "allow 239.0.0.0/8",
		"refuse 239.255.255.250/32"};
	struct config *c =
		parse("quickleave refresh-interval 60 phyint u upstream "
		      "altnet 10.0.0.0/8 phyint x disabled "
		      "phyint d downstream threshold 3 whitelist 239.0.0.0/8 "
		      "blacklist 239.255.255.250",
			0);
	static const char *const there[] = {"d", NULL};
	_cleanup_(freep) char *text = config_describe(c, there);
	_cleanup_(freep) char *plain = config_describe(c, NULL);

	assert_non_null(text);
	assert_non_null(plain);
	for (char *line = strtok(strdupa(text), "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
	unwrap(text);
	for (size_t i = 0; i < array_len(parts); i++)
		if (!strstr(text, parts[i]))
			fail_msg("no '%s' in\n%s", parts[i], text);
	assert_null(strstr(plain, "there now"));
	config_free(c);
}

/* --- token soup --- */

static uint64_t soup_state;

static unsigned soup(unsigned n)
{
	soup_state ^= soup_state << 13;
	soup_state ^= soup_state >> 7;
	soup_state ^= soup_state << 17;
	return (unsigned)(soup_state >> 11) % n;
}

/* Statements that are valid in any order. Every one that is read must also be
 * printed. */
static size_t cook_well(char *text, size_t size)
{
	static const char *const statements[] = {"quickleave", "defaultdown",
		"rescanvif off", "robustness 3", "query-interval 33.3",
		"query-response-interval 0.5", "last-member-query-count 4",
		"ssm-range default", "timers rfc3376", "threads 3", "cpu-affinity 2",
		"ring-size 3M", "transmit io_uring", "coalesce off", "latency low",
		"collect-time 0.004", "receive-offload off", "quality off", "user x",
		"control-socket /x", "control-group y", "seccomp off", "landlock off",
		"phyint a upstream", "phyint b downstream", "phyint c",
		"phyint e disabled",
		"phyint f downstream altnet 10.1.0.0/16 whitelist 239.0.0.0/8 fast-leave",
		"phyint g downstream ipv6 off blacklist 239.1.0.0/16 threshold 9;",
		"phyint h upstream report-interface i altnet 2001:db8::/32 max-groups 0",
		"phyint j downstream boundary 239.192.0.0/14 boundary-scope 3"};
	static const char *const before[] = {"altnet 10.0.0.0/8", "threshold 4",
		"blacklist 239.255.255.250", "boundary 239.255.0.0/16",
		"version-fallback off", "ipv6 off", "max-sources 4", "fast-leave"};
	size_t len = 0;
	bool ssm = false;

	for (unsigned n = soup(4); n; n--)
		len += (size_t)snprintf(text + len, size - len, "%s\n",
			before[soup(array_len(before))]);
	for (unsigned n = 4 + soup(20); n; n--) {
		const char *statement = statements[soup(array_len(statements))];

		if (strncmp(statement, "ssm", 3) == 0 && ssm)
			continue;
		ssm |= strncmp(statement, "ssm", 3) == 0;
		len += (size_t)snprintf(text + len, size - len, "%s\n", statement);
	}
	len += (size_t)snprintf(text + len, size - len, "phyint up upstream");
	return len;
}

static size_t cook(char *text, size_t size)
{
	static const char *const words[] = {"eth0", "eth1", "lan", "10.0.0.0/8", "10/8",
		"239.0.0.0/8", "ff05::/16", "::/0", "0", "1", "3;", "255", "256", "0.1",
		"60", "1.23", "on", "off", "none", "all", "auto", "default", "8M",
		"rfc3376", "/run/x", "[::1]:80", "#", ";", "\\",
		"averyveryverylongword", "\xff\xfe", "-1", "/", ":", "4294967296",
		"1.2.3.4/", "10.0.0.0/8x", "io_uring", "sendmmsg", "downstream"};
	static const char *const gaps[] = {
		" ", " ", " ", "\n", "\n", "\t", "\r\n", "", "#", ";"};
	size_t len = 0;

	for (unsigned n = soup(120); n; n--) {
		const char *word = soup(5) < 3
			? config_keywords[soup((unsigned)config_n_keywords)].name
			: words[soup(array_len(words))];
		const char *gap = gaps[soup(array_len(gaps))];

		if (len + strlen(word) + strlen(gap) + 1 >= size)
			break;
		len += (size_t)sprintf(text + len, "%s%s", word, gap);
	}
	if (len && soup(8) == 0)
		text[soup((unsigned)len)] = (char)soup(256);
	return len;
}

static void token_soup(void **state)
{
	const char *given = getenv("SEED");
	uint64_t seed = given ? strtoull(given, NULL, 0) : 0x9776;
	unsigned n_good = 0;

	print_message("SEED=%#llx\n", (unsigned long long)seed);
	for (unsigned round = 0; round < 4000; round++) {
		char text[4096];
		struct config *c = NULL;
		size_t len;
		unsigned n_errors = 0;
		int r;

		soup_state = (seed + round) * 0x9e3779b97f4a7c15u | 1;
		len = round % 4 ? cook(text, sizeof(text))
				: cook_well(text, sizeof(text));
		r = config_parse(text, len, &c);
		for (size_t i = 0; i < c->n_message; i++) {
			const struct config_message *m = &c->message[i];

			n_errors += m->severity == CONFIG_ERROR;
			/* in file order, then the messages about the whole file */
			if (i && m->line)
				assert_true(m[-1].line < m->line ||
					(m[-1].line == m->line &&
						m[-1].column <= m->column));
		}
		if (r != (n_errors ? 1 : 0))
			fail_msg("SEED=%#llx", (unsigned long long)(seed + round));
		if (r == 0) {
			_cleanup_(freep) char *sentences = config_describe(c, NULL);

			assert_non_null(sentences);
			check_round_trip(c);
			n_good++;
		}
		config_free(c);
	}
	assert_true(n_good >= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_keyword_is_printed),
		cmocka_unit_test(print_reads_back),
		cmocka_unit_test(describe_says),
		cmocka_unit_test(token_soup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
