/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Entries of the forwarding table in answers. */

#include "control/show/view.h"

#include <jansson.h>

/* The rates of forwarding entries. A new reading may have to be taken first, during several
 * pieces without any output, until show_rates_ready() returns true. Call
 * show_rates_leave() when the answer is closed. */
struct show_rates {
	bool waiting, ready;
};
bool show_rates_ready(struct app *app, struct show_rates *r);
void show_rates_leave(struct app *app, struct show_rates *r);

/* Returns the number of hosts that are tracked for the group of an entry. Each output that
 * has the group counts as at least 1. */
unsigned show_count_members(const struct app *app, const struct fib_view *v);
struct rate show_rate_of(struct app *app, const struct fib_view *v);
json_t *show_mfc_entry(struct app *app, const struct fib_view *v, const struct rate *r);
json_t *show_rate_interval(struct app *app);
