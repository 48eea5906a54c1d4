/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Min-heap of deadlines with intrusive nodes. One heap finds the next thing to do, the
 * event loop arms one timer for it. Zero bytes are an empty heap and a node outside of
 * any heap.
 *
 * Each node has four children, and the times lie beside the pointers: a step down reads
 * one cache line instead of two nodes. With ten thousand deadlines that is most of what
 * a removal costs.
 */

#include "base/mono.h"

#include <stddef.h>

struct heap_node {
	mono_t at;
	size_t slot; /* 1-based place in the heap, 0 = not in one */
};

struct heap_entry {
	mono_t at; /* of the node */
	struct heap_node *node;
};

struct heap {
	struct heap_entry *v;
	size_t n, cap;
};

void heap_deinit(struct heap *h);
/* room for n nodes in all; 0 or -ENOMEM. Afterwards heap_set cannot fail up to n
 * nodes. */
int heap_reserve(struct heap *h, size_t n);
/* Put in, or move to another time. The caller has reserved room; MONO_NEVER is a time
 * like any other and keeps the node in. */
void heap_set(struct heap *h, struct heap_node *node, mono_t at);
void heap_remove(struct heap *h, struct heap_node *node); /* no-op when not in */
struct heap_node *heap_first(const struct heap *h);	  /* NULL when empty */
