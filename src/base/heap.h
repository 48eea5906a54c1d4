/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Min-heap of deadlines with intrusive nodes. A heap finds the next deadline, and the
 * event loop arms one timer for it. All zero is an empty heap, and a node outside of
 * any heap.
 *
 * Each node has four children, and the array holds the times together with the
 * pointers, so a step down reads one cache line instead of two nodes. With ten thousand
 * deadlines such reads are most of the cost of a removal.
 */

#include "base/mono.h"

#include <stddef.h>

struct heap_node {
	mono_t at;
	size_t slot; /* place in the heap, from 1 on; 0 if it is not in a heap */
};

struct heap_entry {
	mono_t at; /* a copy of node->at */
	struct heap_node *node;
};

struct heap {
	struct heap_entry *v;
	size_t n, cap;
};

void heap_deinit(struct heap *h);
/* Makes room for n nodes in total, so that heap_set() cannot fail for up to n nodes.
 * Returns 0 or -ENOMEM. */
int heap_reserve(struct heap *h, size_t n);
/* Adds a node, or moves it to another time. The caller has reserved room. MONO_NEVER is
 * an ordinary time and keeps the node in the heap. */
void heap_set(struct heap *h, struct heap_node *node, mono_t at);
/* Does nothing if the node is not in the heap. */
void heap_remove(struct heap *h, struct heap_node *node);
struct heap_node *heap_first(const struct heap *h); /* NULL if the heap is empty */
