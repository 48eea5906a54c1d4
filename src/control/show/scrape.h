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

/* Returns 0 or -ENOMEM. */
int scrape_new(struct app *app, enum metrics_format format, struct scrape **ret_scrape);
struct scrape *scrape_free(struct scrape *s);

/* Does one slice; returns false if nothing is left to do. */
bool scrape_slice(struct scrape *s);

/* Takes the text out after the last slice. The caller frees it. Returns NULL if
 * there was no memory. */
char *scrape_take(struct scrape *s, size_t *ret_len);
/* Returns the processor time that its slices have taken so far. */
uint64_t scrape_cost_ns(const struct scrape *s);
