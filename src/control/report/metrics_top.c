/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The busiest entries, see metrics_top.h. While entries are offered, a heap whose first
 * one is the least busy; then the same memory becomes a heap by key, and is sorted by
 * taking the last one out again and again. A library sort would do that at one go and
 * hold up the control thread for as long. Pure.
 */

#include "control/report/metrics_top.h"

#include <stdlib.h>

/* > 0: `a` stands above `b` in the heap */
typedef int order_fn(const struct metrics_entry *a, const struct metrics_entry *b);

static int by_key(const struct metrics_entry *a, const struct metrics_entry *b)
{
	int r;

	if (a->proxy != b->proxy)
		return a->proxy > b->proxy ? 1 : -1;
	r = addr_cmp(&a->group, &b->group);
	return r ? r : addr_cmp(&a->source, &b->source);
}

/* The same traffic decides nothing, so the choice stays when nothing flows. */
static int least_busy(const struct metrics_entry *a, const struct metrics_entry *b)
{
	if (a->bytes != b->bytes)
		return a->bytes < b->bytes ? 1 : -1;
	return by_key(a, b);
}

static void swap(struct metrics_entry *a, struct metrics_entry *b)
{
	struct metrics_entry old = *a;

	*a = *b;
	*b = old;
}

static void sift_up(struct metrics_entry *v, size_t i, order_fn *above)
{
	while (i > 0 && above(&v[i], &v[(i - 1) / 2]) > 0) {
		swap(&v[i], &v[(i - 1) / 2]);
		i = (i - 1) / 2;
	}
}

static void sift_down(struct metrics_entry *v, size_t n, size_t i, order_fn *above)
{
	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && above(&v[child + 1], &v[child]) > 0)
			child++;
		if (above(&v[child], &v[i]) <= 0)
			break;
		swap(&v[i], &v[child]);
		i = child;
	}
}

void metrics_top_init(struct metrics_top *t, size_t max)
{
	*t = (struct metrics_top){.max = max};
}

void metrics_top_deinit(struct metrics_top *t)
{
	free(t->v);
	*t = (struct metrics_top){0};
}

static bool grow(struct metrics_top *t)
{
	size_t cap = t->cap ? 2 * t->cap : 64;
	struct metrics_entry *v;

	if (t->n < t->cap)
		return true;
	v = realloc(t->v, cap * sizeof(*v));
	if (!v)
		return false;
	t->v = v;
	t->cap = cap;
	return true;
}

void metrics_top_offer(struct metrics_top *t, const struct metrics_entry *e)
{
	if (t->n < t->max && grow(t)) {
		t->v[t->n] = *e;
		sift_up(t->v, t->n++, least_busy);
		return;
	}
	t->n_truncated++;
	if (t->n > 0 && least_busy(&t->v[0], e) > 0) {
		t->v[0] = *e;
		sift_down(t->v, t->n, 0, least_busy);
	}
}

bool metrics_top_sort(struct metrics_top *t, size_t steps)
{
	size_t n_build = t->n / 2, n_all = t->n ? n_build + t->n - 1 : 0;

	for (; steps > 0 && t->done < n_all; steps--, t->done++) {
		if (t->done < n_build) {
			sift_down(t->v, t->n, n_build - 1 - t->done, by_key);
		} else {
			size_t left = t->n - 1 - (t->done - n_build);

			swap(&t->v[0], &t->v[left]);
			sift_down(t->v, left, 0, by_key);
		}
	}
	return t->done == n_all;
}

bool metrics_top_is_double(const struct metrics_top *t, size_t i)
{
	return i > 0 && by_key(&t->v[i], &t->v[i - 1]) == 0;
}
