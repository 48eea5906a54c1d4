/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The state of the instances written for the next process (live upgrade) and read
 * there, when memory runs out and when the state is damaged. The reader trusts none of
 * it: a fault of the writing version must not crash the next one. The suite sim shows
 * that an undamaged state changes nothing.
 */

#include "fail_alloc.h"
#include "instances_fixture.h"

#include <errno.h>

#define CONFIG                                                                         \
	"max-groups-per-host 50\nrefresh-interval 60\n"                                \
	"instance tv\n phyint wan1 upstream\n phyint lan1 downstream\n"                \
	"  fast-leave on\n"                                                            \
	"instance radio\n phyint wan2 upstream\n phyint lan2 downstream\n"

#define MAX_AGE_MS 1000
#define MAX_TICKS  5000 /* in five minutes */

static void interfaces(struct instances_fixture *t)
{
	fixture_iface(t, 11, "wan1", "10.0.1");
	fixture_iface(t, 12, "wan2", "10.0.2");
	fixture_iface(t, 21, "lan1", "192.168.1");
	fixture_iface(t, 22, "lan2", "192.168.2");
}

static void join(struct instances_fixture *t, const char *lan, const char *from,
	enum gm_record_type type, const char *group, const char *src)
{
	assert_int_equal(fixture_report(t, lan, GM_V3, from, type, group, src), GM_OK);
}

/* Groups of every kind: modes, sources, older and tracked hosts, pending leaves, and
 * pending repeats and answers on the upstream. */
static void live(struct instances_fixture *t)
{
	struct addr src[2] = {a("203.0.113.1"), a("203.0.113.2")};
	struct gm_record rec = {.type = GM_BLOCK, .group = a("239.1.1.2"), .n_src = 2};
	struct gm_msg msg = {.kind = GM_REPORT,
		.family = FAMILY_IPV4,
		.version = GM_V3,
		.from = a("192.168.1.9"),
		.rec = &rec,
		.n_rec = 1};

	rec.src = src;
	fixture_configure(t, CONFIG);
	fixture_run(t, 60000);
	join(t, "lan1", "192.168.1.9", GM_TO_EX, "239.1.1.1", NULL);
	join(t, "lan1", "192.168.1.9", GM_TO_EX, "239.1.1.2", NULL);
	assert_int_equal(fixture_input(t, "lan1", &msg), GM_OK);
	join(t, "lan1", "192.168.1.8", GM_ALLOW, "232.1.1.1", "203.0.113.1");
	join(t, "lan1", "192.168.1.9", GM_ALLOW, "232.1.1.1", "203.0.113.2");
	join(t, "lan1", "fe80::99", GM_ALLOW, "ff3e::8000:1", "2001:db8::1");
	join(t, "lan2", "fe80::98", GM_TO_EX, "ff1e::1", NULL);
	join(t, "lan2", "192.168.2.9", GM_TO_EX, "239.1.1.1", NULL);
	/* an older host, and one of version 3 */
	assert_int_equal(fixture_report(t, "lan2", GM_V2, "192.168.2.8", GM_IS_EX,
				 "239.2.2.2", NULL),
		GM_OK);
	fixture_run(t, 20000);
	/* a last member leaves, the provider asks, and a new member joins */
	join(t, "lan2", "192.168.2.9", GM_TO_IN, "239.1.1.1", NULL);
	assert_int_equal(fixture_query(t, "wan1", GM_V3, "10.0.1.254", NULL), GM_OK);
	assert_int_equal(
		fixture_query(t, "wan1", GM_V3, "10.0.1.254", "239.1.1.1"), GM_OK);
	assert_int_equal(fixture_query(t, "lan2", GM_V3, "fe80::1", NULL), GM_OK);
	join(t, "lan1", "192.168.1.9", GM_ALLOW, "232.1.1.1", "203.0.113.7");
	join(t, "lan1", "192.168.1.9", GM_BLOCK, "232.1.1.1", "203.0.113.2");
	effects_clear(&t->fx);
}

/* ---- the next process ---- */

static struct state_out written(const struct instances_fixture *t)
{
	struct state_out o;

	state_out_init(&o, t->now, t->now);
	instances_export(t->instances, &o);
	assert_int_equal(state_out_seal(&o), 0);
	return o;
}

static void start_next(struct instances_fixture *t, mono_t now)
{
	fixture_start(t);
	t->now = now;
	interfaces(t);
	fixture_configure(t, CONFIG);
	effects_clear(&t->fx);
}

static int read_state(struct instances_fixture *t, const struct state_out *o)
{
	struct state_in in;

	assert_int_equal(
		state_in_init(&in, o->buf, o->n, t->now, MAX_AGE_MS), STATE_OK);
	return instances_import(t->instances, t->now, &in, &t->fx);
}

/* Timers continue and expire, as no host answers for five minutes. */
static bool lives_on(struct instances_fixture *t)
{
	mono_t until = mono_add_ms(t->now, 5 * 60000), at;
	unsigned n_ticks = 0;

	while (mono_due(at = instances_deadline(t->instances), until)) {
		t->now = mono_before(t->now, at) ? at : t->now;
		instances_tick(t->instances, t->now, &t->fx);
		effects_clear(&t->fx);
		if (++n_ticks > MAX_TICKS)
			return false;
	}
	t->now = until;
	return t->fx.lost == 0;
}

static size_t size_of(const struct instances_fixture *t)
{
	struct state_out o = written(t);
	size_t n = o.n;

	state_out_deinit(&o);
	return n;
}

/* ---- cases ---- */

static struct instances_fixture old, next;

static int setup(void **state)
{
	fixture_start(&old);
	interfaces(&old);
	live(&old);
	return 0;
}

static int teardown(void **state)
{
	fixture_stop(&old);
	return 0;
}

static void everything_is_taken_over(void **state)
{
	struct state_out o = written(&old);
	struct addr group = a("239.1.1.1"), src = a("203.0.113.1"),
		    ssm = a("232.1.1.1");
	struct addr any = addr_any(FAMILY_IPV4);
	unsigned tv;

	start_next(&next, old.now);
	assert_int_equal(instances_n_groups(next.instances), 0);
	assert_int_equal(read_state(&next, &o), 0);
	assert_int_equal(size_of(&next), o.n);
	assert_int_equal(
		instances_n_groups(next.instances), instances_n_groups(old.instances));
	assert_true(fixture_count(&next, "fib", "239.1.1.1") > 0);

	/* compared with the forwarding table that the other process left */
	tv = fixture_port(&next, "lan1")->proxy->instance;
	assert_true(instances_has_entry(next.instances, tv, &group, &any));
	assert_true(instances_has_entry(next.instances, tv, &ssm, &src));
	assert_false(instances_has_entry(next.instances, tv, &group, &src));
	assert_false(instances_has_entry(next.instances, tv + 2, &group, &any));
	effects_clear(&next.fx);
	instances_emit_all(next.instances, &next.fx);
	assert_int_equal(fixture_count(&next, "fib", "* 239.1.1.1"), 2);
	assert_int_equal(fixture_count(&next, "fib", "* 239.2.2.2"), 1);
	effects_clear(&next.fx);

	assert_true(lives_on(&next));
	assert_int_equal(instances_n_groups(next.instances), 0);
	fixture_stop(&next);
	state_out_deinit(&o);
}

/* K01: a program has joined from an IPv4 source, which the kernel allows. */
static void what_programs_have_joined_is_taken_over(void **state)
{
	static const char groups[] =
		"11   wan1   ff3e0000000000000000000080000001     1 "
		"00000004 0\n";
	static const char sources[] = " 11   wan1 ff3e0000000000000000000080000001 "
				      "00000000000000000000ffff0a000001  1  0\n"
				      " 11   wan1 ff3e0000000000000000000080000001 "
				      "20010db8000000000000000000000009  1  0\n";
	static const struct kgroups none;
	struct kgroups k = {0};
	struct state_out o;

	assert_int_equal(kgroups_parse(&k, FAMILY_IPV6, groups, sources), 0);
	instances_kernel_changed(old.instances, old.now, FAMILY_IPV6, &none, &k);
	o = written(&old);
	start_next(&next, old.now);
	assert_int_equal(read_state(&next, &o), 0);
	state_out_deinit(&o);
	fixture_stop(&next);
	instances_kernel_changed(old.instances, old.now, FAMILY_IPV6, &k, &none);
	kgroups_deinit(&k);
}

static void an_interface_that_is_another_one_starts_anew(void **state)
{
	struct state_out o = written(&old);
	struct addr group = a("239.1.1.1");
	const struct upstream_group *g;

	fixture_start(&next);
	next.now = old.now;
	fixture_iface(&next, 31, "wan1", "10.0.1");
	fixture_iface(&next, 12, "wan2", "10.0.2");
	fixture_iface(&next, 41, "lan1", "192.168.1");
	fixture_iface(&next, 22, "lan2", "192.168.2");
	fixture_configure(&next, CONFIG);
	assert_int_equal(read_state(&next, &o), 0);
	assert_int_equal(fixture_port(&next, "lan1")->groups.groups.n, 0);
	/* no LAN wants it yet, so it is left */
	g = upstream_find(&fixture_port(&next, "wan1")->upstream, &group);
	assert_true(g && gm_filter_is_none(&g->now));
	assert_true(fixture_port(&next, "lan2")->groups.groups.n > 0);
	assert_true(lives_on(&next));
	fixture_stop(&next);
	state_out_deinit(&o);
}

/* Ports, instances and families that the new configuration lacks, and a port that has
 * changed its role. */
static void what_the_configuration_has_no_more_is_left(void **state)
{
	struct state_out o = written(&old);
	struct addr group = a("239.1.1.1");

	fixture_start(&next);
	next.now = old.now;
	interfaces(&next);
	fixture_configure(&next,
		"instance tv\n phyint lan1 upstream\n phyint wan1 downstream\n"
		"  ipv6 off\n phyint lan2 downstream\n");
	assert_int_equal(read_state(&next, &o), 0);
	assert_int_equal(instances_n_groups(next.instances), 0);
	assert_null(upstream_find(&fixture_port(&next, "lan1")->upstream, &group));
	assert_true(lives_on(&next));
	fixture_stop(&next);
	state_out_deinit(&o);
}

static void a_limit_that_is_lower_now(void **state)
{
	struct state_out o = written(&old);

	fixture_start(&next);
	next.now = old.now;
	interfaces(&next);
	fixture_configure(&next,
		"max-groups 2\ninstance tv\n phyint wan1 upstream\n"
		" phyint lan1 downstream\n");
	assert_int_equal(read_state(&next, &o), 0);
	assert_int_equal(fixture_port(&next, "lan1")->groups.groups.n, 2);
	assert_true(lives_on(&next));
	fixture_stop(&next);
	state_out_deinit(&o);
}

static void memory_runs_out(void **state)
{
	struct state_out o = written(&old);
	unsigned n_failed = 0;

	for (bool failed = true; failed; n_failed += failed) {
		int r;

		start_next(&next, old.now);
		fail_alloc_after = n_failed;
		r = read_state(&next, &o);
		failed = fail_alloc_after < 0;
		fail_alloc_after = -1;
		if (failed && next.fx.lost)
			assert_int_equal(r, 0); /* the caller checks fx.lost */
		else
			assert_int_equal(r, failed ? -ENOMEM : 0);
		next.fx.lost = 0;
		effects_clear(&next.fx);
		/* after an error the state is not used */
		assert_true(r < 0 || lives_on(&next));
		fixture_stop(&next);
	}
	print_message("%u requests\n", n_failed);
	assert_true(n_failed > 30);
	state_out_deinit(&o);
}

/* Any wrong byte: the state is refused with -EINVAL, or accepted and usable. */
static void any_byte_may_be_wrong(void **state)
{
	static const uint8_t other[] = {0x00, 0x80, 0xff};
	struct state_out o = written(&old);
	unsigned n_refused = 0, n_taken = 0;

	for (size_t i = 32 + 8; i < o.n; i++)
		for (size_t k = 0; k < array_len(other); k++) {
			uint8_t right = o.buf[i];
			int r;

			if (right == other[k])
				continue;
			o.buf[i] = other[k];
			assert_int_equal(state_out_seal(&o), 0);
			start_next(&next, old.now);
			r = read_state(&next, &o);
			o.buf[i] = right;
			if (r != 0 && r != -EINVAL)
				fail_msg("byte %zu is %u: %d", i, other[k], r);
			n_refused += r != 0;
			n_taken += r == 0;
			effects_clear(&next.fx);
			if (r == 0 && !lives_on(&next))
				fail_msg("byte %zu is %u: no rest", i, other[k]);
			fixture_stop(&next);
		}
	print_message("%u refused, %u taken\n", n_refused, n_taken);
	assert_true(n_refused > 1000 && n_taken > 1000);
	state_out_deinit(&o);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(everything_is_taken_over),
		CASE(what_programs_have_joined_is_taken_over),
		CASE(an_interface_that_is_another_one_starts_anew),
		CASE(what_the_configuration_has_no_more_is_left),
		CASE(a_limit_that_is_lower_now),
		CASE(memory_runs_out),
		CASE(any_byte_may_be_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
