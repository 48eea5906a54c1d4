/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The first K of many, see topn.h. A heap whose top is the last one that is in: a new
 * item is compared with that alone, so most of a long list costs one comparison each.
 */

#include "control/report/topn.h"

#include <stdlib.h>
#include <string.h>

static void *at(const struct topn *t, size_t i)
{
	return t->v + i * t->size;
}

static bool comes_before(const struct topn *t, size_t i, size_t k)
{
	return t->before(at(t, i), at(t, k), t->arg);
}

static void swap(struct topn *t, size_t i, size_t k)
{
	unsigned char *a = at(t, i), *b = at(t, k);

	for (size_t n = 0; n < t->size; n++) {
		unsigned char octet = a[n];

		a[n] = b[n];
		b[n] = octet;
	}
}

static void sift_up(struct topn *t, size_t i)
{
	for (; i > 0 && comes_before(t, (i - 1) / 2, i); i = (i - 1) / 2)
		swap(t, i, (i - 1) / 2);
}

static void sift_down(struct topn *t, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t last = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2; k++)
			if (k < n && comes_before(t, last, k))
				last = k;
		if (last == i)
			return;
		swap(t, i, last);
		i = last;
	}
}

/* False if there is no memory. */
static bool make_room(struct topn *t)
{
	size_t cap = t->cap ? 2 * t->cap : 64;
	void *v;

	if (t->n < t->cap)
		return true;
	if (cap > t->max)
		cap = t->max;
	v = realloc(t->v, cap * t->size);
	if (!v) {
		t->lost = true;
		return false;
	}
	t->v = v;
	t->cap = cap;
	return true;
}

void topn_add(struct topn *t, const void *item)
{
	if (t->max == 0)
		return;
	if (t->n < t->max) {
		if (!make_room(t))
			return;
		memcpy(at(t, t->n++), item, t->size);
		sift_up(t, t->n - 1);
	} else if (t->before(item, at(t, 0), t->arg)) {
		memcpy(at(t, 0), item, t->size);
		sift_down(t, t->n);
	}
}

bool topn_sort(struct topn *t, size_t max)
{
	for (; max > 0 && t->n_sorted < t->n; max--) {
		size_t last = t->n - ++t->n_sorted;

		swap(t, 0, last);
		sift_down(t, last);
	}
	return t->n_sorted == t->n;
}

const void *topn_get(const struct topn *t, size_t i)
{
	return at(t, i);
}

void topn_deinit(struct topn *t)
{
	free(t->v);
	t->v = NULL;
	t->n = t->cap = t->n_sorted = 0;
}
