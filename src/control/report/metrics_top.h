/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The busiest forwarding entries: of all that are offered, the `max` ones with the most
 * bytes, and how many were left out. Each step does bounded work, so that a scrape can
 * pause between any two. Pure.
 */

#include "base/addr.h"
#include "control/report/metrics.h"
#include "control/report/topn.h"

struct metrics_entry {
	unsigned proxy; /* number of the instance */
	struct addr group, source;
	uint64_t packets, bytes, wrong, n_out;
	struct metrics_span labels; /* the caller's */
};

struct metrics_top {
	struct topn top; /* its items are struct metrics_entry */
	bool sorting;
};

void metrics_top_init(struct metrics_top *t, size_t max);
void metrics_top_deinit(struct metrics_top *t);

/* If there is no memory, the entry counts as left out. */
void metrics_top_offer(struct metrics_top *t, const struct metrics_entry *e);

/* Sorts the entries by instance, group and source, in at most `steps` steps per call. Call
 * it after the last offer, until it returns true. */
bool metrics_top_sort(struct metrics_top *t, size_t steps);

size_t metrics_top_n(const struct metrics_top *t);
size_t metrics_top_n_truncated(const struct metrics_top *t); /* left out */
/* Returns entry `i` of the sorted ones. The caller may write `labels`. */
struct metrics_entry *metrics_top_get(struct metrics_top *t, size_t i);

/* Is entry `i` of the sorted ones the same as the one before? It may have moved in the
 * forwarding table during the walk, and was then offered twice. */
bool metrics_top_is_double(const struct metrics_top *t, size_t i);
