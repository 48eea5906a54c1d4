/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Is the daemon well? Every configured port is there, up and has its sockets, and every
 * data-plane thread sleeps or gets on. That a thread gets on shows only in comparison
 * with an earlier look, so the first one that meets it at work may be unsure.
 */

#include "base/mono.h"

#include <jansson.h>
#include <stdbool.h>

struct app;
struct health; /* what was seen last of each thread */

struct health *health_free(struct health *h); /* takes and returns NULL */

/* {"ok": bool, "problems": [text...], "unsure": [text...], "limits": [text...],
 * "warnings": [text...]}; NULL when out of memory. Limits that hold and warnings are no
 * problem of the daemon: whoever floods must not be able to have it restarted. With
 * `allow_down`, ports that are not there or down are no problem. Cheap: no system call
 * but those of looking at the threads. */
json_t *health_json(struct app *app, mono_t now, bool allow_down);
