/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Bodies that many clients ask for: each is made once, and the addresses take turns.
 * The server is replaced here by one that only notes which client got which body. */

#include "control/sys/http_share.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct http_body {
	unsigned n_references;
};

struct http_request {
	struct addr from;
	unsigned code; /* of the answer, or 0 if there is none yet */
	const struct http_body *body;
};

void http_answer(struct http_request *q, unsigned code, struct http_body *b)
{
	assert_int_equal(q->code, 0);
	q->code = b ? code : 503;
	q->body = b;
}

void http_answer_text(struct http_request *q, unsigned code, char *text)
{
	assert_int_equal(q->code, 0);
	q->code = code;
	free(text);
}

static unsigned n_bodies;

struct http_body *http_body_free(struct http_body *b)
{
	if (b && --b->n_references == 0) {
		n_bodies--;
		free(b);
	}
	return NULL;
}

const struct addr *http_client(const struct http_request *q)
{
	return &q->from;
}

static struct http_share s;
static unsigned n_made;

static void make(void *ctx, const char *key)
{
	n_made++;
}

static int setup(void **state)
{
	s = (struct http_share){.ops = {.make = make}};
	n_made = 0;
	return 0;
}

static int teardown(void **state)
{
	http_share_clear(&s);
	assert_int_equal(n_bodies, 0);
	return 0;
}

static struct http_request from(const char *address)
{
	return (struct http_request){.from = a(address)};
}

static void ask(struct http_request *q, const char *key, int64_t ms)
{
	http_share_ask(&s, q, key, mono_from_ms(ms));
}

/* The body that was asked for; fresh for ten milliseconds. */
static struct http_body *give(unsigned code, int64_t ms)
{
	struct http_body *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	n_bodies++;
	b->n_references = 1;
	http_share_give(&s, code, b, mono_from_ms(ms), mono_from_ms(ms + 10));
	return b;
}

static void one_for_all(void **state)
{
	struct http_request q[4], other = from("10.0.0.2"), later = from("10.0.0.3");
	const struct http_body *b;

	for (size_t i = 0; i < array_len(q); i++) {
		q[i] = from("10.0.0.1");
		ask(&q[i], "top", 100);
	}
	ask(&other, "mfc", 100);
	assert_string_equal(s.making, "top");
	assert_int_equal(n_made, 1);
	b = give(200, 105);
	for (size_t i = 0; i < array_len(q); i++) {
		assert_int_equal(q[i].code, 200);
		assert_ptr_equal(q[i].body, b);
	}
	assert_int_equal(other.code, 0);
	assert_string_equal(s.making, "mfc");
	give(200, 106);
	/* while it is fresh */
	ask(&later, "top", 114);
	assert_ptr_equal(later.body, b);
	assert_int_equal(n_made, 2);
}

static void not_for_long(void **state)
{
	struct http_request q = from("10.0.0.1"), old = q, changed = q;

	ask(&q, "top", 100);
	give(200, 100);
	ask(&old, "top", 110);
	assert_int_equal(old.code, 0);
	give(200, 110);
	http_share_forget(&s);
	ask(&changed, "top", 111);
	assert_int_equal(changed.code, 0);
	assert_int_equal(n_made, 3);
}

/* Old bodies are freed, because they can be large and no client gets them again. */
static void old_bodies_take_no_memory(void **state)
{
	struct http_request q[HTTP_SHARE_BODIES];
	char key[16];

	for (unsigned i = 0; i < array_len(q); i++) {
		q[i] = from("10.0.0.1");
		snprintf(key, sizeof(key), "mfc %u", i);
		ask(&q[i], key, 100 + 5 * i);
		give(200, 100 + 5 * i);
		assert_in_range(n_bodies, 1, 2);
	}
	http_share_forget(&s);
	assert_int_equal(n_bodies, 0);
}

/* An error is given to all clients that wait, but not kept; so is a lack of memory. */
static void errors(void **state)
{
	struct http_request q = from("10.0.0.1"), again = q, long_key = q;
	char key[HTTP_SHARE_KEY + 1];

	ask(&q, "mfc x", 100);
	give(400, 100);
	assert_int_equal(q.code, 400);
	ask(&again, "mfc x", 101);
	assert_int_equal(n_made, 2);
	http_share_give(&s, 200, NULL, mono_from_ms(101), mono_from_ms(200));
	assert_int_equal(again.code, 503);
	memset(key, 'x', HTTP_SHARE_KEY);
	key[HTTP_SHARE_KEY] = '\0';
	ask(&long_key, key, 102);
	assert_int_equal(long_key.code, 400);
}

/* A client whose questions fill the places waits for its turn, which comes after those
 * of others, however often it asks again. */
static void turns(void **state)
{
	struct http_request greedy[100], modest = from("10.0.0.2"), third;
	char key[16];
	unsigned n = 0;

	for (unsigned i = 0; i < array_len(greedy); i++) {
		greedy[i] = from("10.0.0.1");
		snprintf(key, sizeof(key), "mfc %u", i);
		ask(&greedy[i], key, 100);
	}
	ask(&modest, "top", 100);
	third = from("10.0.0.3");
	ask(&third, "groups", 100);
	for (; !modest.code || !third.code; n++) {
		/* it takes the first place that is free, and asks for another body */
		for (unsigned i = 0; i < array_len(greedy); i++)
			if (greedy[i].code) {
				greedy[i].code = 0;
				snprintf(
					key, sizeof(key), "mfc %u", 1000 + 100 * n + i);
				ask(&greedy[i], key, 100);
			}
		give(200, 100);
	}
	/* the one that was being made, one more of the first address, and these two */
	assert_in_range(n, 3, 4);
}

/* A request that has lost its connection is not answered, and its turn is over. */
static void gone(void **state)
{
	struct http_request q = from("10.0.0.1"), other = from("10.0.0.2"), third = q;

	ask(&q, "top", 100);
	ask(&other, "mfc", 100);
	ask(&third, "groups", 100);
	http_share_gone(&s, &q);
	http_share_gone(&s, &third);
	give(200, 105);
	assert_int_equal(q.code, 0);
	assert_string_equal(s.making, "mfc");
	give(200, 106);
	assert_int_equal(other.code, 200);
	assert_int_equal(third.code, 0);
	assert_string_equal(s.making, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		T(one_for_all),
		T(not_for_long),
		T(old_bodies_take_no_memory),
		T(errors),
		T(turns),
		T(gone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
