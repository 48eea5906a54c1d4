/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Points in time on the monotonic clock. A struct, so that seconds, milliseconds and
 * points in time cannot be mixed by accident. Nothing here reads a clock: only the
 * event loop and the data-plane worker do, and all other code gets `now` as a
 * parameter.
 */

#include <stdbool.h>
#include <stdint.h>

typedef struct {
	int64_t ns;
} mono_t;

#define MONO_NEVER ((mono_t){INT64_MAX}) /* a deadline that never comes */
#define MONO_UNSET ((mono_t){0}) /* "timer does not run" where a field says so */
#define NS_PER_MS  INT64_C(1000000)
#define NS_PER_SEC INT64_C(1000000000)

static inline mono_t mono_from_ms(int64_t ms)
{
	return (mono_t){ms * NS_PER_MS};
}

static inline mono_t mono_add_ms(mono_t t, int64_t ms)
{
	return (mono_t){t.ns + ms * NS_PER_MS};
}

static inline mono_t mono_add_ns(mono_t t, int64_t ns)
{
	return (mono_t){t.ns + ns};
}

/* a is earlier than b */
static inline bool mono_before(mono_t a, mono_t b)
{
	return a.ns < b.ns;
}

/* deadline t has been reached */
static inline bool mono_due(mono_t t, mono_t now)
{
	return t.ns <= now.ns;
}

static inline mono_t mono_min(mono_t a, mono_t b)
{
	return a.ns < b.ns ? a : b;
}

static inline mono_t mono_max(mono_t a, mono_t b)
{
	return a.ns > b.ns ? a : b;
}

static inline bool mono_is_set(mono_t t)
{
	return t.ns != 0;
}

/* whole milliseconds from t, which is not later, until `now` */
static inline int64_t mono_ms_since(mono_t t, mono_t now)
{
	return (now.ns - t.ns) / NS_PER_MS;
}

/* milliseconds from `now` until t, rounded up, 0 when t has passed */
static inline int64_t mono_ms_until(mono_t t, mono_t now)
{
	return t.ns <= now.ns ? 0 : (t.ns - now.ns + NS_PER_MS - 1) / NS_PER_MS;
}
