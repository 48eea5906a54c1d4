/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Random changes of the forwarding table, in waves so that it grows and shrinks,
 * compared with a plain array: single lookups, bursts and walks.
 */

#include "base/rng.h"
#include "dataplane/fib/fib.h"
#include "test.h"

#include <urcu-qsbr.h>

#define N_GROUPS  20000
#define N_SOURCES 4 /* number 0 means any source */
#define N_STEPS	  600000
#define N_WAVES	  4

struct model {
	uint64_t set; /* 0 means no entry */
	uint64_t packets;
};

static struct fib *fib;
static struct model model[N_GROUPS][N_SOURCES];
static size_t n_model;

static struct addr group_of(unsigned g)
{
	if (g % 2)
		return ADDR_V4(239, 0, (uint8_t)(g >> 8), (uint8_t)g);
	return (struct addr){{0xff, 0x0e, [14] = (uint8_t)(g >> 8), [15] = (uint8_t)g}};
}

static struct addr source_of(unsigned g, unsigned s)
{
	if (s == 0)
		return addr_any(g % 2 ? FAMILY_IPV4 : FAMILY_IPV6);
	if (g % 2)
		return ADDR_V4(10, 0, 0, (uint8_t)s);
	return (struct addr){{0x20, 0x01, [15] = (uint8_t)s}};
}

static struct portset ports_of(uint64_t set)
{
	return (struct portset){{set, ~set, 0, set << 7}};
}

static struct model *expected(unsigned g, unsigned s)
{
	if (model[g][s].set)
		return &model[g][s];
	return model[g][0].set ? &model[g][0] : NULL;
}

static void check(unsigned g, unsigned s, struct fib_entry *e,
	const struct fib_outset *out, bool count)
{
	struct addr src = source_of(g, s);
	struct model *m = expected(g, s);
	struct portset p;

	assert_int_equal(!!m, !!e);
	if (!m)
		return;
	p = ports_of(m->set);
	assert_true(portset_eq(&p, &out->ports));
	assert_int_equal(out->n_ports, portset_count(&p));
	if (count) {
		fib_count(fib, e, 1, 2, &src, 1, 0);
		m->packets++;
	}
}

static void look_up(struct rng *rng, bool count)
{
	unsigned g = (unsigned)rng_below(rng, N_GROUPS);
	unsigned s = 1 + (unsigned)rng_below(rng, N_SOURCES - 1);
	struct addr group = group_of(g), source = source_of(g, s);
	const struct fib_outset *out = NULL;
	struct fib_entry *e = fib_lookup(fib, 1, &source, &group, &out);

	check(g, s, e, out, count);
}

static void look_up_many(struct rng *rng)
{
	enum { N = 70 };
	struct addr group[N], source[N];
	unsigned g[N], s[N], n = (unsigned)rng_below(rng, N + 1);
	struct fib_query q[N] = {0};

	for (unsigned i = 0; i < n; i++) {
		g[i] = (unsigned)rng_below(rng, N_GROUPS);
		s[i] = 1 + (unsigned)rng_below(rng, N_SOURCES - 1);
		group[i] = group_of(g[i]);
		source[i] = source_of(g[i], s[i]);
		q[i] = (struct fib_query){&source[i], &group[i], 1, NULL, NULL};
	}
	fib_lookup_burst(fib, q, n);
	for (unsigned i = 0; i < n; i++) {
		check(g[i], s[i], q[i].entry, q[i].out, false);
		if (!q[i].entry)
			assert_null(q[i].out);
	}
}

/* With `up` mostly new entries, otherwise mostly deletions. */
static void change(struct rng *rng, bool up)
{
	unsigned g = (unsigned)rng_below(rng, N_GROUPS);
	unsigned s = (unsigned)rng_below(rng, N_SOURCES);
	struct addr group = group_of(g), source = source_of(g, s);
	struct model *m = &model[g][s];
	struct portset p;

	if (rng_below(rng, 10) < (up ? 1 : 9)) {
		fib_del(fib, 1, &source, &group);
		n_model -= m->set ? 1 : 0;
		*m = (struct model){0};
		return;
	}
	n_model += m->set ? 0 : 1;
	m->set = 1 + rng_below(rng, 5000);
	p = ports_of(m->set);
	assert_int_equal(fib_set(fib, 1, &source, &group, &p), 0);
}

static size_t n_walked;
static uint64_t n_packets;

static void check_view(const struct fib_view *v, void *arg)
{
	unsigned g = (unsigned)v->group.b[14] << 8 | v->group.b[15];
	unsigned s = addr_is_any(&v->source) ? 0 : v->source.b[15];
	struct portset p;

	n_walked++;
	assert_true(g < N_GROUPS && s < N_SOURCES);
	p = ports_of(model[g][s].set);
	assert_int_equal(v->instance, 1);
	assert_true(portset_eq(&p, &v->out));
	assert_int_equal(v->packets, model[g][s].packets);
	assert_int_equal(v->bytes, 2 * v->packets);
	n_packets += v->packets;
}

static void random_changes_equal_an_array(void **state)
{
	size_t most = 0, least = SIZE_MAX;
	struct rng rng;

	print_message("seed 41\n");
	rng_seed(&rng, 41);
	assert_int_equal(fib_new(1, 41, &fib), 0);
	for (unsigned i = 0; i < N_STEPS; i++) {
		bool up = i / (N_STEPS / N_WAVES / 2) % 2 == 0;

		change(&rng, up);
		look_up(&rng, true);
		assert_int_equal(fib_size(fib), n_model);
		if (i % 50 == 0)
			look_up_many(&rng);
		if (i % 16 == 0)
			rcu_quiescent_state();
		most = n_model > most ? n_model : most;
		if (i >= N_STEPS / N_WAVES && n_model < least)
			least = n_model;
		if (i % 50000 == 0) {
			n_walked = 0;
			fib_walk(fib, check_view, NULL);
			assert_int_equal(n_walked, n_model);
		}
	}
	print_message("%zu to %zu entries, %llu packets\n", least, most,
		(unsigned long long)n_packets);
	assert_true(most > 2 * least);
	fib = fib_free(fib);
}

static void delete_named(const struct fib_view *v, void *arg)
{
	struct addr any = addr_any(addr_family(&v->group));

	/* the entry itself, or another one of its group */
	if (!addr_is_any(&v->source))
		fib_del(fib, 1, &v->source, &v->group);
	else if (v->group.b[15] % 3 == 0)
		fib_del(fib, 1, &any, &v->group);
}

static void a_walk_may_delete(void **state)
{
	size_t left = 0;

	assert_int_equal(fib_new(1, 41, &fib), 0);
	for (unsigned g = 0; g < N_GROUPS; g++)
		for (unsigned s = 0; s < N_SOURCES; s++) {
			struct addr group = group_of(g), source = source_of(g, s);
			struct portset p = ports_of(g + 1);

			assert_int_equal(fib_set(fib, 1, &source, &group, &p), 0);
			model[g][s] = (struct model){0};
			if (s == 0 && (g & 0xff) % 3) {
				model[g][s].set = g + 1;
				left++;
			}
			rcu_quiescent_state();
		}
	fib_walk(fib, delete_named, NULL);
	assert_int_equal(fib_size(fib), left);
	n_walked = 0;
	fib_walk(fib, check_view, NULL);
	assert_int_equal(n_walked, left);
	fib = fib_free(fib);
}

static int setup(void **state)
{
	rcu_register_thread();
	return 0;
}

static int teardown(void **state)
{
	rcu_unregister_thread();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_changes_equal_an_array),
		cmocka_unit_test(a_walk_may_delete),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
