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

/* Returns an empty list of the `max` entries with the most bytes, whose items are
 * struct metrics_entry. */
struct topn metrics_top(size_t max);

/* Sorts the entries by instance, group and source, in at most `steps` steps per call.
 * Call it after the last topn_add(), until it returns true. */
bool metrics_top_sort(struct topn *t, size_t steps);

/* Is entry `i` of the sorted ones the same as the one before? It may have moved in the
 * forwarding table during the walk, and was then offered twice. */
bool metrics_top_is_double(const struct topn *t, size_t i);
