/* SPDX-License-Identifier: GPL-2.0-or-later */

/* table, heap, bytes, mul64 and rng, compared with naive models. The seed is
 * printed. */

#include "base/bytes.h"
#include "base/heap.h"
#include "base/mul64.h"
#include "base/rng.h"
#include "base/table.h"
#include "test.h"

#define N 2000

struct item {
	struct table_node node;
	struct heap_node timer;
	uint32_t key;
	bool in;
};

static struct item items[N];

static struct item *find(struct table *t, uint32_t key)
{
	uint64_t h = table_hash(t, &key, sizeof(key));
	struct table_node *n = table_find(t, h);

	while (n && container_of(n, struct item, node)->key != key)
		n = table_next(n);
	return n ? container_of(n, struct item, node) : NULL;
}

static void table_equals_model(void **state)
{
	struct rng rng;
	struct table t;
	size_t n_in = 0, walked = 0;

	print_message("seed 42\n");
	rng_seed(&rng, 42);
	table_init(&t, 7);
	for (int step = 0; step < 20 * N; step++) {
		uint32_t k = (uint32_t)rng_below(&rng, N);
		struct item *it = &items[k];

		it->key = k;
		assert_ptr_equal(find(&t, k), it->in ? it : NULL);
		if (it->in) {
			table_remove(&t, &it->node);
			n_in--;
		} else {
			uint64_t h = table_hash(&t, &k, sizeof(k));

			assert_int_equal(table_insert(&t, &it->node, h), 0);
			n_in++;
		}
		it->in = !it->in;
		assert_int_equal(t.n, n_in);
	}
	table_for_each (&t, n) {
		struct item *it = container_of(n, struct item, node);

		assert_true(it->in);
		table_remove(&t, n); /* removes during the walk */
		it->in = false;
		walked++;
	}
	assert_int_equal(walked, n_in);
	assert_int_equal(t.n, 0);
	table_deinit(&t);
}

/* Hashes are the same on machines of either byte order, because they decide the order
 * of walks and so of effects. The values come from another implementation, whose
 * SipHash-2-4 reproduces the vector of the paper. */
static void hash_vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} c[] = {
		{0, UINT64_C(0x0db4c629dcc2223c)},
		{3, UINT64_C(0x0bd9d9ff86e81495)},
		{8, UINT64_C(0x861b16533c46563b)},
		{15, UINT64_C(0x7441720d8ae15cb8)},
		{16, UINT64_C(0x8770dfcd455d19dc)},
	};
	struct table t;
	uint8_t key[16];

	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	table_init(&t, 7);
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		assert_true(table_hash(&t, key, c[i].len) == c[i].hash);
}

static void product(uint64_t x, uint64_t y, uint64_t high, uint64_t low)
{
	struct mul64 m = mul64(x, y), h = mul64_by_halves(x, y);

	assert_true(m.high == high && m.low == low);
	assert_true(h.high == high && h.low == low);
	assert_true(mul64_fold(x, y) == (high ^ low));
}

static void products_of_128_bits(void **state)
{
	const uint64_t all = UINT64_MAX, one = UINT64_C(1) << 32;
	struct rng rng;

	product(0, all, 0, 0);
	product(1, all, 0, all);
	product(one, one, 1, 0);
	product(one - 1, one + 1, 0, all);
	product(all, all, all - 1, 1);
	product(UINT64_C(0x123456789abcdef0), UINT64_C(0xfedcba9876543210),
		UINT64_C(0x121fa00ad77d7422), UINT64_C(0x236d88fe5618cf00));
	rng_seed(&rng, 4);
	for (int i = 0; i < 100000; i++) {
		uint64_t x = rng_next(&rng), y = rng_next(&rng);
		struct mul64 m = mul64(x, y), h = mul64_by_halves(x, y);

		assert_true(m.low == h.low && m.high == h.high);
	}
	for (int i = 0; i < 100000; i++)
		assert_in_range(rng_below(&rng, 10), 0, 9);
}

static void hash_depends_on_everything(void **state)
{
	struct table t, u;
	uint8_t key[32] = {0};
	uint64_t h0;

	table_init(&t, 1);
	table_init(&u, 2);
	h0 = table_hash(&t, key, sizeof(key));
	assert_int_not_equal(h0, table_hash(&u, key, sizeof(key)));
	for (size_t i = 0; i < sizeof(key); i++) {
		key[i] = 1;
		assert_int_not_equal(h0, table_hash(&t, key, sizeof(key)));
		key[i] = 0;
	}
	assert_int_not_equal(h0, table_hash(&t, key, sizeof(key) - 1));
}

static void heap_gives_the_earliest(void **state)
{
	struct heap h = {0};
	struct rng rng;

	rng_seed(&rng, 3);
	memset(items, 0, sizeof(items));
	assert_int_equal(heap_reserve(&h, N), 0);
	for (int step = 0; step < 5 * N; step++) {
		struct item *it = &items[rng_below(&rng, N)];
		struct heap_node *first;

		if (rng_below(&rng, 3) == 0)
			heap_remove(&h, &it->timer);
		else
			heap_set(&h, &it->timer,
				mono_from_ms((int64_t)rng_below(&rng, 999)));
		first = heap_first(&h);
		for (int i = 0; i < N && step % 100 == 0; i++)
			if (items[i].timer.slot)
				assert_false(mono_before(items[i].timer.at, first->at));
	}
	for (mono_t last = {0}; heap_first(&h);) {
		assert_false(mono_before(heap_first(&h)->at, last));
		last = heap_first(&h)->at;
		heap_remove(&h, heap_first(&h));
	}
	heap_deinit(&h);
}

static void bytes_are_bounded(void **state)
{
	uint8_t buf[7];
	struct wr w = wr_init(buf, sizeof(buf));
	struct rd r;

	wr_u8(&w, 1);
	wr_u16be(&w, 0x0203);
	wr_u32be(&w, 0x04050607);
	assert_false(w.bad);
	wr_u8(&w, 9);
	assert_true(w.bad);
	assert_int_equal(wr_len(&w), 7);

	r = rd_init(buf, sizeof(buf));
	assert_int_equal(rd_u8(&r), 1);
	assert_int_equal(rd_u16be(&r), 0x0203);
	assert_null(rd_take(&r, 5));
	assert_true(r.bad);
	assert_int_equal(rd_u32be(&r), 0); /* the error is sticky */
}

/* The example of RFC 1071 section 3, and an odd length. */
static void checksum_vectors(void **state)
{
	static const uint8_t v[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
	static const uint8_t odd[] = {0x12, 0x34, 0x56};

	assert_int_equal(inet_fold(inet_sum(v, sizeof(v), 0)), (uint16_t)~0xddf2);
	assert_int_equal(inet_fold(inet_sum(odd, 3, 0)), (uint16_t) ~(0x1234 + 0x5600));
}

/* All lengths, with many carries and with few. */
static void checksum_of_any_length(void **state)
{
	static const uint8_t fill[] = {0xff, 0x00, 0x01, 0xfe};
	uint8_t v[150];

	for (size_t k = 0; k < array_len(fill); k++)
		for (size_t len = 0; len <= sizeof(v); len++) {
			uint64_t sum = 0;

			for (size_t i = 0; i < len; i++) {
				v[i] = (uint8_t)(fill[k] - (k > 1 ? i * 37 : 0));
				sum += i % 2 ? v[i] : (uint32_t)v[i] << 8;
			}
			while (sum >> 16)
				sum = (sum & 0xffff) + (sum >> 16);
			assert_int_equal(
				inet_fold(inet_sum(v, len, 0)), (uint16_t)~sum);
			if (len % 4 == 0)
				assert_int_equal(
					inet_header_good(v, len), sum == 0xffff);
		}
}

/* F7: a walk in parts, while the table grows and nodes are added and removed. */
static void walk_in_parts(void **state)
{
	static struct item item[N];
	static unsigned met[N];
	struct table_cursor c = {0};
	struct rng rng;
	struct table t;
	unsigned steps = 0;

	rng_seed(&rng, 3);
	table_init(&t, 5);
	for (uint32_t k = 0; k < N; k++) {
		item[k] = (struct item){.key = k};
		if (k >= N / 4)
			continue;
		item[k].in = true;
		assert_int_equal(
			table_insert(&t, &item[k].node, table_hash(&t, &k, sizeof(k))),
			0);
	}
	for (; !c.end; steps++) {
		int budget = 8;
		struct table_node *n = table_step(&t, &c, &budget);
		uint32_t k = (uint32_t)rng_below(&rng, N);

		assert_in_range(budget, 0, 7);
		if (n)
			met[container_of(n, struct item, node)->key]++;
		if (k % 2)
			continue;
		if (item[k].in && k >= N / 4)
			table_remove(&t, &item[k].node);
		else if (!item[k].in)
			table_insert(&t, &item[k].node, table_hash(&t, &k, sizeof(k)));
		item[k].in = !item[k].in || k < N / 4;
	}
	for (uint32_t k = 0; k < N; k++) {
		assert_in_range(met[k], 0, 1);
		assert_true(met[k] == 1 || k >= N / 4);
	}
	assert_true(steps >= N / 4);
	table_deinit(&t);
	c = (struct table_cursor){0};
	assert_null(table_step(&t, &c, &(int){1}));
	assert_true(c.end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_equals_model),
		cmocka_unit_test(walk_in_parts),
		cmocka_unit_test(hash_vectors),
		cmocka_unit_test(hash_depends_on_everything),
		cmocka_unit_test(products_of_128_bits),
		cmocka_unit_test(heap_gives_the_earliest),
		cmocka_unit_test(bytes_are_bounded),
		cmocka_unit_test(checksum_vectors),
		cmocka_unit_test(checksum_of_any_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
