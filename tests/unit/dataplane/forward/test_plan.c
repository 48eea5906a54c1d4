/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Port plan: which sources are accepted, and the search by MAC. */

#include "dataplane/forward/plan.h"

#include "fail_alloc.h"
#include "test.h"

#include <errno.h>

static struct plan_source src(const char *text, bool accept)
{
	struct plan_source s = {.accept = accept};

	assert_int_equal(prefix_parse(text, &s.prefix, NULL), 0);
	return s;
}

static bool ok(const struct plan_port *port, const char *text)
{
	struct addr x = a(text);

	return plan_source_ok(port, &x);
}

static void r174_no_list_refuses(void **state)
{
	struct plan *p = plan_new();

	assert_non_null(p);
	assert_false(ok(&p->port[0], "10.0.0.1"));
	assert_int_equal(plan_set_sources(&p->port[0], NULL, 0), 0);
	assert_false(ok(&p->port[0], "10.0.0.1"));
	assert_null(plan_free(p));
	assert_null(plan_free(NULL));
}

/* The own subnet and "altnet 0.0.0.0/0" accept; the subnet of another port within it
 * refuses. */
static void r174_longest_prefix_decides(void **state)
{
	const struct plan_source v[] = {src("0.0.0.0/0", true),
		src("10.1.0.0/16", false), src("10.1.7.0/24", true),
		src("10.0.0.0/24", true), src("2001:db8::/32", true),
		src("2001:db8:1::/48", false)};
	static const struct {
		const char *addr;
		bool ok;
	} c[] = {
		{"10.0.0.9", true},
		{"8.8.8.8", true},
		{"10.1.0.1", false},
		{"10.1.255.255", false},
		{"10.1.7.1", true},
		{"10.2.0.1", true},
		{"2001:db8::1", true},
		{"2001:db8:1::1", false},
		{"2001:db9::1", false},
	};
	struct plan *p = plan_new();

	assert_int_equal(plan_set_sources(&p->port[3], v, array_len(v)), 0);
	for (size_t i = 0; i < array_len(c); i++)
		assert_int_equal(ok(&p->port[3], c[i].addr), c[i].ok);
	for (size_t i = 1; i < p->port[3].n_source; i++)
		assert_true(p->port[3].source[i - 1].prefix.len >=
			p->port[3].source[i].prefix.len);
	assert_false(ok(&p->port[2], "10.0.0.9"));
	plan_free(p);
}

static void r143_accept_wins_between_equals(void **state)
{
	const struct plan_source v[] = {src("10.1.0.0/16", false),
		src("10.1.0.0/16", true), src("10.1.0.0/16", false)};
	struct plan *p = plan_new();

	for (size_t first = 0; first <= 1; first++) {
		assert_int_equal(plan_set_sources(&p->port[0], v + first, 2), 0);
		assert_true(ok(&p->port[0], "10.1.2.3"));
	}
	/* another call replaces the list */
	assert_int_equal(plan_set_sources(&p->port[0], v, 1), 0);
	assert_false(ok(&p->port[0], "10.1.2.3"));
	plan_free(p);
}

/* in file order; the last match decides */
static void r144_last_rule_decides(void **state)
{
	static const struct {
		const char *group;
		bool ok, ok_if_others_pass;
	} c[] = {
		{"239.1.2.3", true, true},
		{"239.255.0.1", false, false},
		{"239.255.1.1", true, true},
		{"225.1.1.1", false, true},
		{"ff05::1", false, false},
		{"ff0e::1", false, true},
		{"ff0e:1::1", true, true},
	};
	static const char *const text[] = {"239.0.0.0/8", "239.255.0.0/16",
		"239.255.1.0/24", "ff05::/16", "ff0e:1::/32"};
	static const bool allow[] = {true, false, true, true, true};
	struct plan_rule v[array_len(text)];
	struct plan *p = plan_new();
	struct plan_filter *f = &p->port[1].out;
	struct addr group = a("239.1.2.3");

	assert_true(plan_group_ok(f, &group)); /* no rules */
	for (size_t i = 0; i < array_len(v); i++) {
		v[i].allow = allow[i];
		assert_int_equal(prefix_parse(text[i], &v[i].groups, NULL), 0);
	}
	assert_int_equal(plan_set_rules(f, v, array_len(v)), 0);
	f->scope = 8; /* overrides any rule */
	for (size_t i = 0; i < array_len(c); i++) {
		group = a(c[i].group);
		f->refuse_others = true;
		assert_int_equal(plan_group_ok(f, &group), c[i].ok);
		f->refuse_others = false;
		assert_int_equal(plan_group_ok(f, &group), c[i].ok_if_others_pass);
	}
	plan_free(p);
}

static void r162_own_addresses(void **state)
{
	const struct addr own[] = {a("10.0.0.2"), a("2001:db8::1"), a("10.0.0.1")};
	static const char *const other[] = {
		"10.0.0.3", "0.0.0.0", "2001:db8::2", "::1"};
	struct plan *p = plan_new();

	assert_false(plan_is_own(p, &own[0]));
	assert_int_equal(plan_set_own(p, own, array_len(own)), 0);
	for (size_t i = 0; i < array_len(own); i++)
		assert_true(plan_is_own(p, &own[i]));
	for (size_t i = 0; i < array_len(other); i++) {
		struct addr x = a(other[i]);

		assert_false(plan_is_own(p, &x));
	}
	plan_free(p);
}

/* After a failure the previous settings remain. */
static void memory_runs_out(void **state)
{
	const struct plan_source source = src("10.0.0.0/8", true);
	const struct plan_rule rule = {source.prefix, false};
	const struct addr own = a("10.0.0.1"), group = a("10.1.2.3");
	struct plan *p = plan_new();
	struct plan_port *port = &p->port[0];

	assert_int_equal(plan_set_sources(port, &source, 1), 0);
	assert_int_equal(plan_set_rules(&port->in, &rule, 1), 0);
	assert_int_equal(plan_set_own(p, &own, 1), 0);
	fail_alloc_after = 0;
	assert_int_equal(plan_set_sources(port, &source, 1), -ENOMEM);
	fail_alloc_after = 0;
	assert_int_equal(plan_set_rules(&port->in, &rule, 1), -ENOMEM);
	fail_alloc_after = 0;
	assert_int_equal(plan_set_own(p, &own, 1), -ENOMEM);
	fail_alloc_after = 0;
	assert_null(plan_new());
	assert_int_equal(fail_alloc_after, -1);
	assert_true(ok(port, "10.0.0.9"));
	assert_false(plan_group_ok(&port->in, &group));
	assert_true(plan_is_own(p, &own));
	/* an empty list needs no memory */
	fail_alloc_after = 0;
	assert_int_equal(plan_set_sources(port, NULL, 0), 0);
	fail_alloc_after = -1;
	assert_false(ok(port, "10.0.0.9"));
	plan_free(p);
}

static void port_by_mac(void **state)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9}, zero[6];
	static const uint8_t other[6] = {2, 0, 0, 0, 0, 8};
	struct plan *p = plan_new();

	assert_int_equal(plan_port_by_mac(p, zero), PORT_MAX);
	memcpy(p->port[200].mac, mac, 6);
	assert_int_equal(plan_port_by_mac(p, mac), PORT_MAX); /* absent */
	p->port[200].present = true;
	assert_int_equal(plan_port_by_mac(p, mac), PORT_MAX); /* not Ethernet */
	assert_int_equal(plan_port_by_mac(p, zero), PORT_MAX);
	p->port[200].has_l2 = true;
	assert_int_equal(plan_port_by_mac(p, mac), 200);
	assert_int_equal(plan_port_by_mac(p, other), PORT_MAX);
	plan_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r174_no_list_refuses),
		cmocka_unit_test(r174_longest_prefix_decides),
		cmocka_unit_test(r143_accept_wins_between_equals),
		cmocka_unit_test(r144_last_rule_decides),
		cmocka_unit_test(r162_own_addresses),
		cmocka_unit_test(memory_runs_out),
		cmocka_unit_test(port_by_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
