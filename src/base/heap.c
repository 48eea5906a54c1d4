/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/heap.h"

#include "base/array.h"
#include "base/minmax.h"

#include <assert.h>
#include <stdlib.h>

void heap_deinit(struct heap *h)
{
	free(h->v);
	*h = (struct heap){0};
}

int heap_reserve(struct heap *h, size_t n)
{
	return array_reserve(h->v, h->cap, n, 16);
}

#define CHILDREN 4

static void place(struct heap *h, size_t i, struct heap_entry e)
{
	h->v[i] = e;
	e.node->slot = i + 1;
}

/* The earliest child of place i, or h->n. */
static size_t first_child(const struct heap *h, size_t i)
{
	size_t first = CHILDREN * i + 1, end = first + CHILDREN;

	if (first >= h->n)
		return h->n;
	end = min(end, h->n);
	for (size_t k = first + 1; k < end; k++)
		if (mono_before(h->v[k].at, h->v[first].at))
			first = k;
	return first;
}

/* Place i is free: puts the entry where it belongs. */
static void sift(struct heap *h, size_t i, struct heap_entry e)
{
	size_t child;

	while (i > 0 && mono_before(e.at, h->v[(i - 1) / CHILDREN].at)) {
		place(h, i, h->v[(i - 1) / CHILDREN]);
		i = (i - 1) / CHILDREN;
	}
	while ((child = first_child(h, i)) < h->n &&
		mono_before(h->v[child].at, e.at)) {
		place(h, i, h->v[child]);
		i = child;
	}
	place(h, i, e);
}

void heap_set(struct heap *h, struct heap_node *node, mono_t at)
{
	node->at = at;
	if (node->slot == 0) {
		assert(h->n < h->cap);
		node->slot = ++h->n;
	}
	sift(h, node->slot - 1, (struct heap_entry){at, node});
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	size_t slot = node->slot;
	struct heap_entry last;

	if (slot == 0)
		return;
	last = h->v[--h->n];
	node->slot = 0;
	if (last.node != node)
		sift(h, slot - 1, last);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->n ? h->v[0].node : NULL;
}
