/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Is the daemon well? It is if every configured port exists, is up and has its sockets,
 * and every data-plane thread sleeps or makes progress. Progress shows only in
 * comparison with an earlier check, so the first check that finds a thread at work may
 * be unsure.
 */

#include "base/mono.h"

#include <jansson.h>
#include <stdbool.h>

struct app;

/* Returns {"ok": bool, "problems": [text...], "unsure": [text...], "limits": [text...],
 * "warnings": [text...]}, or NULL when out of memory. Limits and warnings are not
 * problems of the daemon, because a flooding host must not be able to get it restarted.
 * With `allow_down`, ports that are missing or down are not problems. Cheap: the only
 * system calls are those that ask about the threads. */
json_t *health_json(struct app *app, mono_t now, bool allow_down);
