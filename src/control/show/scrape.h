/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One scrape: reads the daemon's counters and writes them as metrics, in slices of a
 * fraction of a millisecond. The event loop continues between slices. A scrape is
 * therefore no snapshot, but each counter is right at some moment of it.
 */

#include "control/report/metrics.h"

struct app;
struct scrape;

int scrape_new(struct app *app, enum metrics_format format, struct scrape **ret_scrape);
struct scrape *scrape_free(struct scrape *s); /* takes and returns NULL */

/* Does one slice; returns false if nothing is left to do. */
bool scrape_slice(struct scrape *s);

/* After the last slice: the text, malloc'ed; NULL if memory ran out. */
char *scrape_take(struct scrape *s, size_t *ret_len);
/* processor time that its slices took so far */
uint64_t scrape_cost_ns(const struct scrape *s);
