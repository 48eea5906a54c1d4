/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The forwarding table compared with a naive list; shared port sets, growth,
 * counters. */

#include "base/rng.h"
#include "dataplane/fib/fib.h"
#include "test.h"

#include <urcu-qsbr.h>

#define N_MODEL 600

struct model {
	unsigned instance;
	struct addr source, group;
	struct portset out;
	bool in;
};

static struct fib *fib;
static struct model model[N_MODEL];

static const struct addr any4 = ADDR_V4(0, 0, 0, 0);

static int setup(void **state)
{
	rcu_register_thread();
	return fib_new(1, 77, &fib);
}

static int teardown(void **state)
{
	fib = fib_free(fib);
	rcu_unregister_thread();
	return 0;
}

static struct portset ports(unsigned x, unsigned y)
{
	struct portset s = {0};

	portset_add(&s, x);
	portset_add(&s, y);
	return s;
}

static const struct fib_outset *out_of(
	unsigned instance, const struct addr *src, const struct addr *group)
{
	const struct fib_outset *out = NULL;

	return fib_lookup(fib, instance, src, group, &out) ? out : NULL;
}

static void r153_source_before_any_source(void **state)
{
	struct addr s1 = a("10.0.0.1"), s2 = a("10.0.0.2"), g = a("232.1.2.3");
	struct portset some = ports(1, 200), none = {0};

	assert_null(out_of(0, &s1, &g));
	assert_int_equal(fib_set(fib, 0, &any4, &g, &none), 0);
	assert_int_equal(fib_set(fib, 0, &s1, &g, &some), 0);
	assert_int_equal(fib_size(fib), 2);
	assert_true(portset_eq(&out_of(0, &s1, &g)->ports, &some));
	assert_int_equal(out_of(0, &s1, &g)->n_ports, 2);
	assert_true(portset_empty(&out_of(0, &s2, &g)->ports));
	assert_null(out_of(1, &s1, &g)); /* instances do not share entries */
	fib_del(fib, 0, &s1, &g);
	assert_true(portset_empty(&out_of(0, &s1, &g)->ports));
	fib_del(fib, 0, &s1, &g); /* already deleted */
	fib_del(fib, 0, &any4, &g);
	assert_null(out_of(0, &s1, &g));
	assert_int_equal(fib_size(fib), 0);
}

static void any_source_of_ipv6(void **state)
{
	struct addr any = a("::"), s = a("2001:db8::1"), g = a("ff0e::1");
	struct portset some = ports(3, 4);

	assert_int_equal(fib_set(fib, 0, &any, &g, &some), 0);
	assert_non_null(out_of(0, &s, &g));
	fib_del(fib, 0, &any, &g);
	assert_null(out_of(0, &s, &g));
}

static void equal_sets_are_one_object(void **state)
{
	struct addr g1 = a("239.0.0.1"), g2 = a("239.0.0.2"), s = a("10.0.0.1");
	struct portset x = ports(1, 2), y = ports(1, 3);

	fib_set(fib, 0, &any4, &g1, &x);
	fib_set(fib, 0, &any4, &g2, &x);
	assert_ptr_equal(out_of(0, &s, &g1), out_of(0, &s, &g2));
	fib_set(fib, 0, &any4, &g2, &y);
	assert_ptr_not_equal(out_of(0, &s, &g1), out_of(0, &s, &g2));
	assert_true(portset_eq(&out_of(0, &s, &g1)->ports, &x));
	assert_true(portset_eq(&out_of(0, &s, &g2)->ports, &y));
	fib_set(fib, 0, &any4, &g2, &x);
	assert_ptr_equal(out_of(0, &s, &g1), out_of(0, &s, &g2));
	assert_int_equal(out_of(0, &s, &g1)->refs, 2);
	fib_set(fib, 0, &any4, &g2, &x); /* no change */
	assert_int_equal(out_of(0, &s, &g1)->refs, 2);
	fib_del(fib, 0, &any4, &g1);
	fib_del(fib, 0, &any4, &g2);
}

static struct model *find_model(
	unsigned instance, const struct addr *src, const struct addr *group)
{
	for (unsigned i = 0; i < N_MODEL; i++)
		if (model[i].in && model[i].instance == instance &&
			addr_eq(&model[i].source, src) &&
			addr_eq(&model[i].group, group))
			return &model[i];
	return NULL;
}

static struct addr address(bool v6, bool group, unsigned n)
{
	if (!v6)
		return group ? ADDR_V4(239, 1, 0, (uint8_t)n)
			     : ADDR_V4(10, 0, 0, (uint8_t)n);
	return group ? (struct addr){{0xff, 0x0e, [15] = (uint8_t)n}}
		     : (struct addr){{0x20, 0x01, [15] = (uint8_t)n}};
}

static unsigned n_walked;

static void check_view(const struct fib_view *v, void *arg)
{
	struct model *m = find_model(v->instance, &v->source, &v->group);

	assert_non_null(m);
	assert_true(portset_eq(&m->out, &v->out));
	assert_int_equal(v->packets, 0);
	assert_false(v->seen);
	n_walked++;
}

static void check_lookup(
	unsigned instance, const struct addr *src, const struct addr *group)
{
	struct addr any = addr_any(addr_family(group));
	struct model *m = find_model(instance, src, group);
	const struct fib_outset *out = out_of(instance, src, group);

	if (!m)
		m = find_model(instance, &any, group);
	assert_int_equal(!!m, !!out);
	if (m)
		assert_true(portset_eq(&m->out, &out->ports));
}

static void random_changes_equal_a_list(void **state)
{
	struct rng rng;
	unsigned n = 0;

	print_message("seed 21\n");
	rng_seed(&rng, 21);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < 40000; step++) {
		bool v6 = rng_below(&rng, 2);
		unsigned instance = (unsigned)rng_below(&rng, 2);
		struct addr g = address(v6, true, (unsigned)rng_below(&rng, 12));
		struct addr s = address(v6, false, 1 + (unsigned)rng_below(&rng, 9));
		struct portset out = ports((unsigned)rng_below(&rng, PORT_MAX),
			(unsigned)rng_below(&rng, 4));
		struct model *m;

		check_lookup(instance, &s, &g);
		if (rng_below(&rng, 4) == 0)
			s = addr_any(addr_family(&g));
		m = find_model(instance, &s, &g);
		if (rng_below(&rng, 5) < 2) {
			fib_del(fib, instance, &s, &g);
			n -= m ? 1 : 0;
			if (m)
				m->in = false;
		} else {
			assert_int_equal(fib_set(fib, instance, &s, &g, &out), 0);
			n += m ? 0 : 1;
			for (unsigned i = 0; !m; i++)
				if (!model[i].in)
					m = &model[i];
			*m = (struct model){instance, s, g, out, true};
		}
		assert_int_equal(fib_size(fib), n);
		if (step % 4000 == 0)
			rcu_quiescent_state();
	}
	n_walked = 0;
	fib_walk(fib, check_view, NULL);
	assert_int_equal(n_walked, n);
	for (unsigned i = 0; i < N_MODEL; i++)
		if (model[i].in)
			fib_del(fib, model[i].instance, &model[i].source,
				&model[i].group);
	assert_int_equal(fib_size(fib), 0);
}

static void last_view(const struct fib_view *v, void *arg)
{
	*(struct fib_view *)arg = *v;
}

static void counters_are_kept(void **state)
{
	struct addr s = a("10.0.0.1"), s2 = a("10.0.0.2"), g = a("239.0.0.1");
	struct portset x = ports(1, 2);
	const struct fib_outset *out;
	struct fib_view v;
	struct fib *f3;
	struct fib_entry *e;

	for (unsigned n_threads = 1; n_threads <= 3; n_threads++) {
		assert_int_equal(fib_new(n_threads, 1, &f3), 0);
		assert_int_equal(fib_set(f3, 5, &any4, &g, &x), 0);
		e = fib_lookup(f3, 5, &s, &g, &out);
		fib_count_wrong(e, 600);
		fib_walk(f3, last_view, &v);
		assert_false(v.seen);
		assert_int_equal(v.wrong, 600);
		fib_count(f3, e, 3, 30, &s2, 8, 0);
		fib_count(f3, e, 4, 30, &s, PORT_MAX - 1, 0);
		fib_walk(f3, last_view, &v);
		assert_true(v.seen);
		assert_int_equal(v.instance, 5);
		assert_int_equal(v.packets, 7);
		assert_int_equal(v.bytes, 60);
		assert_int_equal(v.last_port, PORT_MAX - 1);
		assert_true(addr_eq(&v.last_source, &s));
		assert_true(addr_eq(&v.source, &any4));
		/* a change keeps the counters */
		fib_set(f3, 5, &any4, &g, &(struct portset){0});
		fib_walk(f3, last_view, &v);
		assert_int_equal(v.packets, 7);
		fib_count_wrong(e, UINT32_MAX); /* the counter saturates */
		fib_walk(f3, last_view, &v);
		assert_int_equal(v.wrong, UINT32_MAX);
		fib_free(f3);
	}
}

/* Neither the age nor the counter affects the other. */
static void an_entry_knows_its_last_packet(void **state)
{
	static const struct {
		uint32_t at;
		uint64_t now;
		int32_t age;
	} rows[] = {
		{1800000000, 1800000000, 0},
		{1800000000, 1800000007, 7},
		{1800000000, 1799999999, 0}, /* the clocks were read at two times */
		{1800000000, 1799999000, -1},
		{1800000000, 1800000000 + 86400 * 90, 86400 * 90},
		{UINT32_MAX, (uint64_t)UINT32_MAX + 3, 3},
	};
	struct addr s = a("10.0.0.1"), g = a("239.0.0.1");
	const struct fib_outset *out;
	struct portset x = ports(1, 2);
	struct fib_view v;
	struct fib *f;

	for (unsigned threads = 1; threads <= 2; threads++) {
		assert_int_equal(fib_new(threads, 1, &f), 0);
		assert_int_equal(fib_set(f, FIB_INSTANCE_MAX, &any4, &g, &x), 0);
		assert_true(fib_read(f, FIB_INSTANCE_MAX, &any4, &g, &v));
		assert_int_equal(v.instance, FIB_INSTANCE_MAX);
		assert_int_equal(fib_age_s(&v, 1800000000), -1);
		for (size_t i = 0; i < array_len(rows); i++) {
			fib_count(f, fib_lookup(f, FIB_INSTANCE_MAX, &s, &g, &out),
				UINT32_MAX, 9, &s, 3, rows[i].at);
			assert_true(fib_read(f, FIB_INSTANCE_MAX, &any4, &g, &v));
			assert_int_equal(fib_age_s(&v, rows[i].now), rows[i].age);
			assert_int_equal(v.packets, (i + 1) * (uint64_t)UINT32_MAX);
		}
		fib_free(f);
	}
}

static void counters_of_a_named_source(void **state)
{
	struct addr s = a("2001:db8::1"), g = a("ff3e::8000:1"), any = a("::");
	struct portset x = ports(1, 2);
	const struct fib_outset *out;
	struct fib_view v;

	assert_int_equal(fib_set(fib, 0, &s, &g, &x), 0);
	fib_count(fib, fib_lookup(fib, 0, &s, &g, &out), 1, 2, &s, 3, 0);
	fib_walk(fib, last_view, &v);
	assert_true(addr_eq(&v.source, &s));
	assert_true(addr_eq(&v.last_source, &s));
	assert_int_equal(v.packets, 1);
	assert_int_equal(v.last_port, 3);
	fib_del(fib, 0, &s, &g);
	fib_del(fib, 0, &any, &g);
}

static void grows_to_many_entries(void **state)
{
	enum { N = 100000 };
	struct addr s = a("10.0.0.1");

	for (unsigned i = 0; i < N; i++) {
		struct addr g =
			ADDR_V4(239, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
		struct portset x = ports(i % PORT_MAX, i / PORT_MAX % PORT_MAX);

		assert_int_equal(fib_set(fib, 0, &any4, &g, &x), 0);
		if (i % 1000 == 0)
			rcu_quiescent_state();
	}
	assert_int_equal(fib_size(fib), N);
	for (unsigned i = 0; i < N; i++) {
		struct addr g =
			ADDR_V4(239, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i);
		struct portset x = ports(i % PORT_MAX, i / PORT_MAX % PORT_MAX);

		assert_true(portset_eq(&out_of(0, &s, &g)->ports, &x));
	}
	/* teardown frees the full table */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(r153_source_before_any_source),
		cmocka_unit_test(any_source_of_ipv6),
		cmocka_unit_test(equal_sets_are_one_object),
		cmocka_unit_test(random_changes_equal_a_list),
		cmocka_unit_test(counters_are_kept),
		cmocka_unit_test(an_entry_knows_its_last_packet),
		cmocka_unit_test(counters_of_a_named_source),
		cmocka_unit_test(grows_to_many_entries),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
