/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The busiest entries, see metrics_top.h. Pure. */

#include "control/report/metrics_top.h"

static int compare_keys(const struct metrics_entry *a, const struct metrics_entry *b)
{
	int r;

	if (a->proxy != b->proxy)
		return a->proxy > b->proxy ? 1 : -1;
	r = addr_cmp(&a->group, &b->group);
	return r ? r : addr_cmp(&a->source, &b->source);
}

static bool by_key(const void *a, const void *b, const void *arg)
{
	(void)arg;
	return compare_keys(a, b) < 0;
}

/* Equal traffic does not change the order, so the choice is stable when nothing
 * flows. */
static bool by_traffic(const void *a_, const void *b_, const void *arg)
{
	const struct metrics_entry *a = a_, *b = b_;

	return a->bytes != b->bytes ? a->bytes > b->bytes : by_key(a, b, arg);
}

struct topn metrics_top(size_t max)
{
	return (struct topn){
		.size = sizeof(struct metrics_entry), .max = max, .before = by_traffic};
}

bool metrics_top_sort(struct topn *t, size_t steps)
{
	if (t->before != by_key)
		topn_reorder(t, by_key);
	return topn_sort(t, steps);
}

bool metrics_top_is_double(const struct topn *t, size_t i)
{
	return i > 0 && compare_keys(topn_get(t, i), topn_get(t, i - 1)) == 0;
}
