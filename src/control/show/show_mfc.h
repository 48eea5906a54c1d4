/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Entries of the forwarding table in answers. */

#include "control/show/show_answer.h"

#include <jansson.h>

/* Are the rates of forwarding entries up to date? See struct show_rates. */
bool show_rates_ready(struct app *app, struct show_rates *r);
void show_rates_leave(struct app *app, struct show_rates *r);

/* Returns the number of hosts that are tracked for the group of an entry. Each output
 * that has the group counts as at least 1. */
unsigned show_count_members(const struct app *app, const struct fib_view *v);
struct rate show_rate_of(struct app *app, const struct fib_view *v);
json_t *show_mfc_entry(struct app *app, const struct fib_view *v, const struct rate *r);
json_t *show_rate_interval(struct app *app);
