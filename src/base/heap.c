/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Binary min-heap over intrusive nodes, see heap.h. Pure. */

#include "base/heap.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

void heap_deinit(struct heap *h)
{
	free(h->v);
	*h = (struct heap){0};
}

int heap_reserve(struct heap *h, size_t n)
{
	size_t cap = h->cap ? h->cap : 16;
	struct heap_node **v;

	if (n <= h->cap)
		return 0;
	while (cap < n)
		cap *= 2;
	v = realloc(h->v, cap * sizeof(struct heap_node *));
	if (!v)
		return -ENOMEM;
	h->v = v;
	h->cap = cap;
	return 0;
}

static void place(struct heap *h, size_t slot, struct heap_node *node)
{
	h->v[slot - 1] = node;
	node->slot = slot;
}

static void sift(struct heap *h, struct heap_node *node)
{
	size_t slot = node->slot;

	while (slot > 1 && mono_before(node->at, h->v[slot / 2 - 1]->at)) {
		place(h, slot, h->v[slot / 2 - 1]);
		slot /= 2;
	}
	for (;;) {
		size_t child = 2 * slot;

		if (child > h->n)
			break;
		if (child < h->n && mono_before(h->v[child]->at, h->v[child - 1]->at))
			child++;
		if (!mono_before(h->v[child - 1]->at, node->at))
			break;
		place(h, slot, h->v[child - 1]);
		slot = child;
	}
	place(h, slot, node);
}

void heap_set(struct heap *h, struct heap_node *node, mono_t at)
{
	node->at = at;
	if (node->slot == 0) {
		assert(h->n < h->cap);
		place(h, ++h->n, node);
	}
	sift(h, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
	struct heap_node *last;
	size_t slot = node->slot;

	if (slot == 0)
		return;
	last = h->v[--h->n];
	node->slot = 0;
	if (last == node)
		return;
	place(h, slot, last);
	sift(h, last);
}

struct heap_node *heap_first(const struct heap *h)
{
	return h->n ? h->v[0] : NULL;
}
