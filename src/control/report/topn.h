/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The first K of many items in some order, for example a page of a long list, in memory
 * for K. Items are copied. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

struct topn {
	size_t size, max; /* bytes of an item; K */
	/* Is item `a` before `b` in the order? */
	bool (*before)(const void *a, const void *b, const void *arg);
	const void *arg;
	unsigned char *v; /* a heap whose top is the last item of the order */
	size_t n, cap, n_offered, n_sorted;
	size_t n_loose; /* the first items that are not yet in heap order */
};

void topn_deinit(struct topn *t);
/* An item for which there is no memory is left out. */
void topn_add(struct topn *t, const void *item);
/* Sets another order for topn_sort() than the one that has selected the items. Nothing
 * can be added afterwards. */
void topn_reorder(
	struct topn *t, bool (*before)(const void *a, const void *b, const void *arg));
/* Sorts, in at most `max` steps per call. Returns true when done. Nothing can be added
 * afterwards. */
bool topn_sort(struct topn *t, size_t max);
void *topn_get(const struct topn *t, size_t i);
