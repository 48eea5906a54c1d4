/* SPDX-License-Identifier: GPL-2.0-or-later */

/* config: the value that each keyword sets, defaults, and lists in which the last match
 * decides. */

#include "config_fixture.h"

static bool prefix_is(const struct prefix *x, const char *text)
{
	char buf[PREFIX_STRLEN];

	return strcmp(prefix_format(x, buf), text) == 0;
}

/* The printed configuration has one line per value, so a row checks that the print of
 * "text" contains the line "line". */
static const struct {
	const char *text, *line;
} rows[] = {
	{"quickleave ", "quickleave"},
	{"", "quickleave off"},
	{"quickleave off ", "quickleave off"},
	{"defaultdown ", "defaultdown"},
	{"rescanvif ", "rescanvif"},
	{"quickleave hashtablesize 536870912 ", "hashtablesize 536870912"},
	{"chroot /var/lib/a-very-long-path/that/igmpproxy/would/have/cut/in/two ",
		"chroot /var/lib/a-very-long-path/that/igmpproxy/would/have/cut/in/two"},
	{"user nobody ", "user nobody"},
	{"user upstream ", "user upstream"},
	{"timers rfc3376 ", "timers rfc3376"},
	{"robustness 255 ", "robustness 255"},
	{"query-interval 31744 ", "query-interval 31744"},
	{"query-interval 10.5 query-response-interval 10.4 ",
		"query-response-interval 10.4"},
	{"query-response-interval 0.1 ", "query-response-interval 0.1"},
	{"last-member-query-interval 3174.4 ", "last-member-query-interval 3174.4"},
	{"last-member-query-count 9 ", "last-member-query-count 9"},
	{"startup-query-interval 1.25 ", "startup-query-interval 1.25"},
	{"startup-query-count 1 ", "startup-query-count 1"},
	{"", "startup-query-interval 31.25"},
	{"query-interval 60 ", "startup-query-interval 15"},
	{"robustness 3 ", "startup-query-count 3"},
	{"robustness 3 ", "last-member-query-count 3"},
	{"last-member-query-count 1 robustness 3 ", "last-member-query-count 1"},
	{"refresh-interval 0 ", "refresh-interval 0"},
	{"refresh-interval 60.0 ", "refresh-interval 60"},
	{"forward-from-downstream none ", "forward-from-downstream none"},
	{"forward-from-downstream downstream ", "forward-from-downstream downstream"},
	{"forward-from-downstream all ", "forward-from-downstream all"},
	{"", "ssm-range none"},
	{"ssm-range default ", "ssm-range default"},
	{"ssm-range none ", "ssm-range none"},
	{"ssm-range 239.232.0.0/16 ", "ssm-range 239.232.0.0/16"},
	{"ssm-range default ssm-range 239.232.0.0/16 ", "ssm-range default"},
	{"threads auto ", "threads auto"},
	{"threads 64 ", "threads 64"},
	{"cpu-affinity 0,2-5 ", "cpu-affinity 0,2-5"},
	{"", "ring-size auto"},
	{"ring-size 8M ", "ring-size 8M"},
	{"ring-size 8M ring-size auto ", "ring-size auto"},
	{"ring-size 64k ", "ring-size 64K"},
	{"ring-size 65537 ", "ring-size 65537"},
	{"ring-size 1G ", "ring-size 1G"},
	{"transmit auto ", "transmit auto"},
	{"transmit sendmmsg ", "transmit sendmmsg"},
	{"transmit io_uring ", "transmit io_uring"},
	{"", "coalesce on"},
	{"coalesce off ", "coalesce off"},
	{"coalesce exact ", "coalesce exact"},
	{"", "latency auto"},
	{"latency balanced ", "latency balanced"},
	{"latency low ", "latency low"},
	{"latency throughput ", "latency throughput"},
	{"", "collect-time 0.008"},
	{"collect-time 0.001 ", "collect-time 0.001"},
	{"collect-time 0.1 ", "collect-time 0.1"},
	{"", "receive-offload on"},
	{"receive-offload off ", "receive-offload off"},
	{"", "quality auto"},
	{"quality on ", "quality on"},
	{"quality off ", "quality off"},
	{"control-socket /run/x.sock ", "control-socket /run/x.sock"},
	{"", "seccomp on"},
	{"seccomp off ", "seccomp off"},
	{"", "landlock on"},
	{"landlock off ", "landlock off"},
	{"control-group wheel ", "control-group wheel"},
	{"metrics-listen 127.0.0.1:9100 ", "metrics-listen 127.0.0.1:9100"},
	{"metrics-listen [::1]:65535 ", "metrics-listen [::1]:65535"},
	{"metrics-listen :9337 ", "metrics-listen :9337"},
	{"metrics-groups 0 ", "metrics-groups 0"},
	{"channel-names tv/a.csv ", "channel-names tv/a.csv"},
	{"host-names /etc/hosts host-names leases ", "host-names leases"},
	{"", "quality-memory auto"},
	{"quality-memory 64k ", "quality-memory 64K"},
	{"web-listen :8080 ", "web-listen :8080"},
	{"web-allow 10.1.0.0/16 web-allow ::/0 ", "web-allow ::/0"},
	{"", "web-names on"},
	{"web-names off ", "web-names off"},
	{"ratelimit 9 ", "ratelimit 9"},
	{"threshold 255 ", "threshold 255"},
	{"threshold +7 ", "threshold 7"},
	{"igmp-version 1 ", "igmp-version 1"},
	{"mld-version 1 ", "mld-version 1"},
	{"ipv4 off ", "ipv4 off"},
	{"ipv6 off ", "ipv6 off"},
	{"fast-leave ", "fast-leave"},
	{"fast-leave on ", "fast-leave"},
	{"fast-leave off ", "fast-leave off"},
	{"require-router-alert ", "require-router-alert"},
	{"mld-router-alert require ", "mld-router-alert require"},
	{"mld-router-alert optional ", "mld-router-alert optional"},
	{"always-querier ", "always-querier"},
	{"max-groups 4294967295 ", "max-groups 4294967295"},
	{"max-sources 0 ", "max-sources 0"},
	{"altnet 10.0.0.1 ", "altnet 10.0.0.1/32"},
	{"altnet 2001:db8::/32 ", "altnet 2001:db8::/32"},
	{"altnet ::/0 ", "altnet ::/0"},
	{"whitelist ff05::/16 ", "whitelist ff05::/16"},
	{"boundary 239.255.0.0/16 ", "boundary 239.255.0.0/16"},
	{"boundary ff05::/16 ", "boundary ff05::/16"},
	{"boundary-scope 2 ", "boundary-scope 2"},
	{"boundary-scope 14 ", "boundary-scope 14"},
	{"", "version-fallback on"},
	{"version-fallback off ", "version-fallback off"},
	{"phyint v upstream phyint e downstream instance a ", "instance a"},
	{"blacklist 239.255.255.250 ", "blacklist 239.255.255.250/32"},
	{"phyint x upstream report-interface x.7 ", "\treport-interface x.7"},
};

static void values(void **state)
{
	char text[256], line[128];

	for (size_t i = 0; i < array_len(rows); i++) {
		_cleanup_(freep) char *print = NULL;
		struct config *c;

		snprintf(text, sizeof(text), "%s" ROLES, rows[i].text);
		c = parse(text, 0);
		print = config_print(c);
		assert_non_null(print);
		snprintf(line, sizeof(line), "%s\n", rows[i].line);
		if (strncmp(print, line, strlen(line)) != 0) {
			snprintf(line, sizeof(line), "\n%s\n", rows[i].line);
			if (!strstr(print, line))
				fail_msg("'%s' lacks '%s' in\n%s", text, rows[i].line,
					print);
		}
		config_free(c);
	}
}

static void defaults(void **state)
{
	struct config *c = parse(ROLES, 0);
	const struct config_iface *d = config_iface_find(c, "not-named");

	assert_int_equal(c->n_message, 0);
	assert_memory_equal(&c->gm, &gm_params_default, sizeof(c->gm));
	assert_ptr_equal(d, &c->defaults);
	assert_int_equal(d->role, CONFIG_ROLE_DISABLED);
	assert_int_equal(d->line, 0);
	assert_int_equal(d->threshold, 1);
	assert_true(d->ipv4 && d->ipv6);
	assert_int_equal(c->threads, 1);
	assert_int_equal(c->ring_size, 0);
	assert_int_equal(c->forward_from_downstream, CONFIG_FORWARD_NONE);
	assert_null(c->user);
	assert_null(c->control_socket);
	assert_null(c->control_group);
	assert_null(c->metrics_listen);
	assert_int_equal(c->metrics_groups, 256);
	assert_null(c->channel_names);
	assert_int_equal(c->n_host_names, 0);
	assert_null(c->web_listen);
	assert_int_equal(c->n_web_allow, 0);
	config_free(c);
	assert_null(config_free(NULL));
}

/* The group is looked up later; its position is kept for the error message. */
static void place_of_the_group_is_known(void **state)
{
	struct config *c = parse("quickleave\n  control-group staff " ROLES, 0);

	assert_string_equal(c->control_group, "staff");
	assert_int_equal(c->control_group_line, 2);
	assert_int_equal(c->control_group_column, 3);
	config_free(c);
}

static void role_of_others_follows_defaultdown(void **state)
{
	struct config *c = parse("phyint a phyint u upstream defaultdown phyint b", 0);

	assert_int_equal(named(c, "a")->role, CONFIG_ROLE_DISABLED);
	assert_int_equal(named(c, "b")->role, CONFIG_ROLE_DOWNSTREAM);
	assert_int_equal(config_iface_find(c, "z")->role, CONFIG_ROLE_DOWNSTREAM);
	config_free(c);
}

static void defaults_hold_for_later_interfaces(void **state)
{
	struct config *c = parse("threshold 5 altnet 10.0.0.0/8 whitelist 239.0.0.0/8 "
				 "user x max-groups 7 "
				 "phyint u upstream phyint d downstream threshold 6 "
				 "altnet 11.0.0.0/8 blacklist 239.1.0.0/16",
		0);
	const struct config_iface *u = named(c, "u"), *d = named(c, "d");

	assert_int_equal(u->threshold, 5);
	assert_int_equal(d->threshold, 6);
	assert_int_equal(d->max_groups, 7);
	assert_int_equal(u->n_altnet, 1);
	assert_int_equal(d->n_altnet, 2);
	assert_true(prefix_is(&d->altnet[0], "10.0.0.0/8"));
	assert_true(prefix_is(&d->altnet[1], "11.0.0.0/8"));
	assert_int_equal(d->n_filter, 2);
	assert_true(d->has_whitelist);
	assert_int_equal(c->defaults.n_filter, 1);
	/* inherited, not written for the upstream, so there is no warning */
	assert_int_equal(c->n_message, 0);
	config_free(c);
}

static void ssm_ranges(void **state)
{
	static const struct {
		const char *text, *group;
		bool ssm;
	} t[] = {
		{"", "232.0.0.1", false}, /* K20 */
		{"", "ff3e::8000:1", false},
		{"ssm-range default ", "232.0.0.1", true},
		{"ssm-range default ", "231.255.255.255", false},
		{"ssm-range default ", "ff3e::8000:1", true},
		{"ssm-range default ", "ff30::1", true},
		{"ssm-range default ", "ff3f::1", true},
		/* RFC 3306: has a unicast prefix */
		{"ssm-range default ", "ff3e:30:2001:db8::1", false},
		{"ssm-range default ", "ff0e::1", false},
		{"ssm-range none ", "232.0.0.1", false},
		{"ssm-range 239.1.0.0/16 ", "232.0.0.1", false},
		{"ssm-range 239.1.0.0/16 ", "239.1.2.3", true},
		{"ssm-range 239.1.0.0/16 ssm-range 239.3.0.0/16 ", "239.1.2.3", true},
		{"ssm-range default ssm-range 239.3.0.0/16 ", "239.3.2.3", true},
		{"ssm-range default ssm-range 239.3.0.0/16 ", "232.3.2.3", true},
	};
	char text[128];

	for (size_t i = 0; i < array_len(t); i++) {
		struct addr group = a(t[i].group);
		struct config *c;

		snprintf(text, sizeof(text), "%s" ROLES, t[i].text);
		c = parse(text, 0);
		assert_int_equal(config_is_ssm(c, &group), t[i].ssm);
		config_free(c);
	}
}

/* in file order, the last match decides */
static void group_filters(void **state)
{
	static const struct {
		const char *text, *group;
		bool allowed;
	} t[] = {
		{"", "239.1.2.3", true},
		{"whitelist 239.1.0.0/16", "239.1.2.3", true},
		{"whitelist 239.1.0.0/16", "239.2.2.3", false},
		{"whitelist 239.1.0.0/16", "ff05::1", false},
		{"blacklist 239.1.0.0/16", "239.1.2.3", false},
		{"blacklist 239.1.0.0/16", "239.2.2.3", true},
		{"whitelist 239.0.0.0/8 blacklist 239.1.0.0/16", "239.1.2.3", false},
		{"blacklist 239.1.0.0/16 whitelist 239.0.0.0/8", "239.1.2.3", true},
		{"whitelist 239.0.0.0/8 blacklist 239.1.0.0/16 whitelist 239.1.1.0/24",
			"239.1.1.9", true},
		{"whitelist 239.0.0.0/8 blacklist 239.1.0.0/16 whitelist 239.1.1.0/24",
			"239.1.2.9", false},
		{"blacklist ff02::/16", "ff02::fb", false},
		{"whitelist 0.0.0.0/0", "ff05::1", false},
	};
	char text[256];

	for (size_t i = 0; i < array_len(t); i++) {
		struct addr group = a(t[i].group);
		struct config *c;

		snprintf(text, sizeof(text), "phyint d downstream %s phyint u upstream",
			t[i].text);
		c = parse(text, 0);
		if (config_group_allowed(named(c, "d"), &group) != t[i].allowed)
			fail_msg("%s: %s", t[i].text, t[i].group);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values),
		cmocka_unit_test(defaults),
		cmocka_unit_test(place_of_the_group_is_known),
		cmocka_unit_test(role_of_others_follows_defaultdown),
		cmocka_unit_test(defaults_hold_for_later_interfaces),
		cmocka_unit_test(ssm_ranges),
		cmocka_unit_test(group_filters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
