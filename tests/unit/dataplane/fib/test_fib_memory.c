/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Memory of the forwarding table: it may run out anywhere, and it is returned. */

#include "base/rng.h"
#include "dataplane/fib/fib_entry.h"
#include "fail_alloc.h"
#include "test.h"

#include <errno.h>
#include <urcu-qsbr.h>

#define N_GROUPS 6000 /* more than one chunk of entries, and the index grows */

static const struct addr any4 = ADDR_V4(0, 0, 0, 0);
static struct fib *fib;

static struct addr group_of(unsigned n)
{
	return ADDR_V4(239, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n);
}

static struct addr source_of(unsigned n)
{
	return n % 4 == 3 ? ADDR_V4(10, 0, 0, 1) : any4;
}

static struct portset ports_of(unsigned n)
{
	return (struct portset){{n, 0, 0, 1}};
}

static int set(unsigned n)
{
	struct addr s = source_of(n), g = group_of(n);
	struct portset p = ports_of(n);

	rcu_quiescent_state();
	return fib_set(fib, 0, &s, &g, &p);
}

static void del(unsigned n)
{
	struct addr s = source_of(n), g = group_of(n);

	rcu_quiescent_state();
	fib_del(fib, 0, &s, &g);
}

static bool is_there(unsigned n)
{
	struct addr s = ADDR_V4(10, 0, 0, 1), g = group_of(n);
	struct portset p = ports_of(n);
	const struct fib_outset *out;

	if (!fib_lookup(fib, 0, &s, &g, &out))
		return false;
	assert_true(portset_eq(&out->ports, &p));
	return true;
}

static void count_view(const struct fib_view *v, void *arg)
{
	++*(size_t *)arg;
}

static void check_first(unsigned n)
{
	size_t n_walked = 0;

	for (unsigned i = 0; i < N_GROUPS; i++)
		assert_int_equal(is_there(i), i < n);
	assert_int_equal(fib_size(fib), n);
	fib_walk(fib, count_view, &n_walked);
	assert_int_equal(n_walked, n);
}

/* Builds the table while request number `n` fails. Returns how many calls failed. */
static unsigned build_with_failure(long n)
{
	unsigned n_failed = 0;

	fail_alloc_after = n;
	if (fib_new(2, 3, &fib) < 0) {
		assert_int_equal(fib_new(2, 3, &fib), 0);
		n_failed++;
	}
	for (unsigned i = 0; i < N_GROUPS; i++) {
		int r = set(i);

		if (r == 0)
			continue;
		assert_int_equal(r, -ENOMEM);
		n_failed++;
		check_first(i);
		assert_int_equal(set(i), 0);
	}
	return n_failed;
}

static void each_request_may_fail(void **state)
{
	unsigned n_failed = 0;
	long n;

	for (n = 0;; n++) {
		bool done;

		n_failed += build_with_failure(n);
		done = fail_alloc_after >= 0;
		fail_alloc_after = -1;
		check_first(N_GROUPS);
		fib = fib_free(fib);
		if (done)
			break;
	}
	print_message("%ld requests, %u of them made a call fail\n", n, n_failed);
	/* a failure to grow the index may be silent, any other must not */
	assert_true(n_failed > 5 && (long)n_failed <= n);
}

static void full_without_memory(void **state)
{
	unsigned n, m;

	assert_int_equal(fib_new(2, 3, &fib), 0);
	for (n = 0; n < 200; n++)
		assert_int_equal(set(n), 0);
	/* the chunks have room, and the index does not */
	for (; n < N_GROUPS; n++) {
		fail_alloc_after = 0;
		if (set(n) < 0)
			break;
		fail_alloc_after = -1;
	}
	fail_alloc_after = -1;
	print_message("full with %u entries\n", n);
	assert_true(n > 200 && n < N_GROUPS);
	check_first(n);
	/* a full table can still be changed */
	assert_int_equal(set(5), 0);
	del(--n);
	check_first(n);
	for (m = 0; n < N_GROUPS; m++) {
		n += set(n) == 0 ? 1 : 0;
		assert_true(m < 2 * N_GROUPS);
	}
	check_first(n);
	fib = fib_free(fib);
}

/* The first request of a change fails at each stage: with full chunks, at the group's
 * own entry or at that of the source, with and without room in the index. */
static void sources_without_memory(void **state)
{
	const struct addr src = ADDR_V4(10, 0, 0, 1);
	unsigned n_failed = 0;

	for (unsigned shift = 0; shift <= 1; shift++) {
		assert_int_equal(fib_new(2, 3, &fib), 0);
		if (shift)
			assert_int_equal(set(0), 0);
		for (unsigned n = 1; n < N_GROUPS; n++) {
			struct addr g = group_of(n);
			struct portset p = ports_of(n);
			const struct fib_outset *out;
			int r;

			rcu_quiescent_state();
			for (long k = 0; k < 4; k++) {
				fail_alloc_after = k;
				r = fib_set(fib, 0, &src, &g, &p);
				fail_alloc_after = -1;
				if (r == 0)
					break;
				n_failed++;
				assert_int_equal(r, -ENOMEM);
				assert_int_equal(fib_size(fib), n - 1 + shift);
				assert_null(fib_lookup(fib, 0, &src, &g, &out));
			}
			/* the index grows step by step */
			for (unsigned m = 0; r < 0 && m < 2 * N_GROUPS; m++)
				r = fib_set(fib, 0, &src, &g, &p);
			assert_int_equal(r, 0);
			assert_non_null(fib_lookup(fib, 0, &src, &g, &out));
			assert_true(portset_eq(&out->ports, &p));
		}
		assert_int_equal(fib_size(fib), N_GROUPS - 1 + shift);
		fib = fib_free(fib);
	}
	print_message("%u changes failed\n", n_failed);
	assert_true(n_failed > 5);
}

struct part {
	unsigned number;
	size_t n;
	uint64_t seen; /* sum of the ports that were visited */
};

static void count_part(const struct fib_view *v, void *arg)
{
	struct part *p = arg;

	p->n++;
	p->seen += v->out.w[0];
}

/* Visits all entries, a bounded number at a time, as metrics are read. */
static void walk_in_parts(void **state)
{
	struct part p = {0};
	size_t n_before;

	assert_int_equal(fib_new(2, 3, &fib), 0);
	assert_false(fib_walk_part(fib, 0, count_part, &p));
	assert_int_equal(p.n, 0);
	for (unsigned i = 0; i < N_GROUPS; i++)
		assert_int_equal(set(i), 0);
	do {
		n_before = p.n;
	} while (fib_walk_part(fib, p.number++, count_part, &p));
	assert_int_equal(p.n, N_GROUPS);
	assert_true(p.seen == (uint64_t)N_GROUPS * (N_GROUPS - 1) / 2);
	assert_true(p.number > 2 && n_before <= N_GROUPS);
	fib = fib_free(fib);
}

static void count_met(const struct fib_view *v, void *arg)
{
	unsigned char *met = arg;

	met[v->out.w[0]]++;
}

/* F7: entries that stay are visited once, and none twice, while the table grows,
 * shrinks, and moves entries to save memory. */
static void walk_while_it_changes(void **state)
{
	static unsigned char met[N_GROUPS];
	struct addr stays = group_of(8);
	struct fib_cursor c = {0};
	struct fib_view v;
	unsigned n = 0;

	memset(met, 0, sizeof(met));
	assert_int_equal(fib_new(2, 3, &fib), 0);
	for (unsigned i = 0; i < N_GROUPS; i++)
		assert_int_equal(set(i), 0);
	for (; !c.end; n++) {
		fib_step(fib, &c, count_met, met);
		/* seven of eight entries are deleted, then set again */
		for (unsigned i = n * 20; i < n * 20 + 20; i++)
			if (i % N_GROUPS % 8 && i / N_GROUPS % 2 == 0)
				del(i % N_GROUPS);
			else if (i % N_GROUPS % 8)
				assert_int_equal(set(i % N_GROUPS), 0);
	}
	assert_true(n * 20 > N_GROUPS);
	for (unsigned i = 0; i < N_GROUPS; i++) {
		assert_in_range(met[i], 0, 1);
		assert_true(met[i] == 1 || i % 8);
	}
	assert_true(fib_read(fib, 0, &any4, &stays, &v));
	assert_true(v.out.w[0] == 8 && addr_eq(&v.group, &stays));
	assert_false(fib_read(fib, 1, &any4, &stays, &v));
	fib = fib_free(fib);
}

static void limits(void **state)
{
	struct addr g = group_of(1);
	struct portset p = ports_of(1);

	assert_int_equal(fib_new(2, 3, &fib), 0);
	assert_int_equal(fib_set(fib, FIB_INSTANCE_MAX + 1, &any4, &g, &p), -ENOSPC);
	assert_int_equal(fib_size(fib), 0);
	assert_int_equal(fib_set(fib, FIB_INSTANCE_MAX, &any4, &g, &p), 0);
	assert_int_equal(fib_size(fib), 1);
	fib = fib_free(fib);
}

/* After deletions, lookups still find the entries that remain. */
static const struct {
	const char *what;
	unsigned keep_each; /* 0 if none is kept */
} orders[] = {{"all", 0}, {"all except each 50th", 50}};

static void memory_goes_back(void **state)
{
	enum { N = 100000 };

	for (unsigned k = 0; k < array_len(orders); k++) {
		size_t empty, full, after;

		assert_int_equal(fib_new(2, 3, &fib), 0);
		empty = fib_bytes(fib);
		for (unsigned i = 0; i < N; i++)
			assert_int_equal(set(i), 0);
		full = fib_bytes(fib);
		for (unsigned i = 0; i < N; i++)
			if (!orders[k].keep_each || i % orders[k].keep_each)
				del(i);
		after = fib_bytes(fib);
		print_message("%s: %zu, %zu, %zu bytes\n", orders[k].what, empty, full,
			after);
		assert_true(full >= N * (64 + 48));
		/* the port sets differ and are not moved; they are half of the
		 * memory */
		assert_true(after <= (orders[k].keep_each ? full * 2 / 3 : full / 10));
		for (unsigned i = 0; i < N; i++)
			assert_int_equal(is_there(i),
				orders[k].keep_each && i % orders[k].keep_each == 0);
		fib = fib_free(fib);
	}
}

static void last_view(const struct fib_view *v, void *arg)
{
	*(struct fib_view *)arg = *v;
}

/* A reader that holds a moved entry learns that it must look up again. */
static void moved_entries_say_so(void **state)
{
	struct addr s = ADDR_V4(10, 0, 0, 1), g = group_of(4 * N_GROUPS - 1);
	struct portset p = ports_of(4 * N_GROUPS - 1);
	const struct fib_outset *out, *after;
	struct fib_entry *e, *moved;
	struct fib_view v;

	assert_int_equal(fib_new(2, 3, &fib), 0);
	for (unsigned i = 0; i < 4 * N_GROUPS; i++)
		assert_int_equal(set(i), 0);
	e = fib_lookup(fib, 0, &s, &g, &out);
	assert_non_null(e);
	fib_count(fib, e, 3, 300, &s, 9, 0);
	fib_count_wrong(e, 4);
	/* without a quiescent state from now on */
	for (unsigned i = 0; i < 4 * N_GROUPS - 1; i++) {
		struct addr si = source_of(i), gi = group_of(i);

		fib_del(fib, 0, &si, &gi);
	}
	moved = fib_lookup(fib, 0, &s, &g, &after);
	assert_ptr_not_equal(moved, e);
	assert_ptr_equal(after, out);
	assert_true(portset_eq(&p, &after->ports));
	assert_true(fib_entry_word(e) == FIB_WORD_MOVED);
	fib_walk(fib, last_view, &v);
	assert_int_equal(v.packets, 3);
	assert_int_equal(v.bytes, 300);
	assert_int_equal(v.wrong, 4);
	assert_int_equal(v.last_port, 9);
	assert_true(addr_eq(&v.last_source, &s));
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
		cmocka_unit_test(each_request_may_fail),
		cmocka_unit_test(full_without_memory),
		cmocka_unit_test(sources_without_memory),
		cmocka_unit_test(walk_in_parts),
		cmocka_unit_test(walk_while_it_changes),
		cmocka_unit_test(limits),
		cmocka_unit_test(memory_goes_back),
		cmocka_unit_test(moved_entries_say_so),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
