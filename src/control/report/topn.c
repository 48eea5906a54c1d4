/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The first K of many, see topn.h. The top of the heap is the last item that is in. A
 * new item is compared only with that, so most items of a long list cost one comparison
 * each.
 */

#include "control/report/topn.h"

#include "base/array.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAP 64

static void *at(const struct topn *t, size_t i)
{
	return t->v + i * t->size;
}

static void topn_put(struct topn *t, size_t i, const void *item)
{
	memcpy(at(t, i), item, t->size);
}

/* The free place that topn_add() always leaves. */
static void *spare(const struct topn *t)
{
	return at(t, t->cap - 1);
}

/* Puts `item`, which is not in the heap, into place i or an ancestor of it. */
static void sift_up(struct topn *t, size_t i, const void *item)
{
	for (; i > 0 && t->before(at(t, (i - 1) / 2), item, t->arg); i = (i - 1) / 2)
		topn_put(t, i, at(t, (i - 1) / 2));
	topn_put(t, i, item);
}

/* Puts `item` into place i or a descendant of it. The heap has n places, and the
 * subtrees below i are heaps. */
static void sift_down(struct topn *t, size_t i, size_t n, const void *item)
{
	for (size_t k; (k = 2 * i + 1) < n; i = k) {
		if (k + 1 < n && t->before(at(t, k), at(t, k + 1), t->arg))
			k++;
		if (!t->before(item, at(t, k), t->arg))
			break;
		topn_put(t, i, at(t, k));
	}
	topn_put(t, i, item);
}

void topn_add(struct topn *t, const void *item)
{
	size_t first = t->max < FIRST_CAP ? t->max + 1 : FIRST_CAP;

	t->n_offered++;
	if (t->n < t->max) {
		if (array_reserve_items(&t->v, &t->cap, t->n + 2, t->size, first) == 0)
			sift_up(t, t->n++, item);
	} else if (t->max > 0 && t->before(item, at(t, 0), t->arg)) {
		sift_down(t, 0, t->n, item);
	}
}

void topn_reorder(
	struct topn *t, bool (*before)(const void *a, const void *b, const void *arg))
{
	t->before = before;
	t->n_loose = t->n / 2; /* the others have nothing below them in the heap */
}

bool topn_sort(struct topn *t, size_t max)
{
	for (; max > 0 && t->n_loose > 0; max--) {
		memcpy(spare(t), at(t, --t->n_loose), t->size);
		sift_down(t, t->n_loose, t->n, spare(t));
	}
	for (; max > 0 && t->n_sorted < t->n; max--) {
		size_t last = t->n - ++t->n_sorted;

		if (last == 0)
			break;
		memcpy(spare(t), at(t, last), t->size);
		topn_put(t, last, at(t, 0));
		sift_down(t, 0, last, spare(t));
	}
	return t->n_sorted == t->n;
}

void *topn_get(const struct topn *t, size_t i)
{
	return at(t, i);
}

void topn_deinit(struct topn *t)
{
	free(t->v);
	t->v = NULL;
	t->n = t->cap = t->n_sorted = t->n_loose = 0;
}
