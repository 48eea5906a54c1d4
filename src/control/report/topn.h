/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The first K of many in some order, in memory for K: for example a page of a long
 * list. Items are copied. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

struct topn {
	size_t size, max; /* bytes of an item; K */
	bool (*before)(const void *a, const void *b, const void *arg);
	const void *arg;
	unsigned char *v; /* a heap with the last one of the order on top */
	size_t n, cap, n_offered, n_sorted;
	size_t n_loose; /* of the first ones, which are not yet in the heap */
};

void topn_deinit(struct topn *t);
/* Without memory for it, an item is left out. */
void topn_add(struct topn *t, const void *item);
/* Those that are in are to be sorted in another order than the one that chose them.
 * Nothing can be added any more. */
void topn_reorder(
	struct topn *t, bool (*before)(const void *a, const void *b, const void *arg));
/* Sort, in `max` steps at most; true: all are in their place. Nothing can be added any
 * more. */
bool topn_sort(struct topn *t, size_t max);
const void *topn_get(const struct topn *t, size_t i);
