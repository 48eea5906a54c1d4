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

void metrics_top_init(struct metrics_top *t, size_t max)
{
	*t = (struct metrics_top){
		.top = {.size = sizeof(struct metrics_entry),
			.max = max,
			.before = by_traffic},
	};
}

void metrics_top_deinit(struct metrics_top *t)
{
	topn_deinit(&t->top);
}

void metrics_top_offer(struct metrics_top *t, const struct metrics_entry *e)
{
	topn_add(&t->top, e);
}

bool metrics_top_sort(struct metrics_top *t, size_t steps)
{
	if (!t->sorting)
		topn_reorder(&t->top, by_key);
	t->sorting = true;
	return topn_sort(&t->top, steps);
}

size_t metrics_top_n(const struct metrics_top *t)
{
	return t->top.n;
}

size_t metrics_top_n_truncated(const struct metrics_top *t)
{
	return t->top.n_offered - t->top.n;
}

struct metrics_entry *metrics_top_get(struct metrics_top *t, size_t i)
{
	return (struct metrics_entry *)(void *)t->top.v + i;
}

bool metrics_top_is_double(const struct metrics_top *t, size_t i)
{
	return i > 0 &&
		compare_keys(topn_get(&t->top, i), topn_get(&t->top, i - 1)) == 0;
}
