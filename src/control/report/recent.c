/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The last events, see recent.h. */

#include "control/report/recent.h"

struct recent_event *recent_add(struct recent *r, mono_t now, const char *name)
{
	struct recent_event *e = &r->event[r->n++ % RECENT_MAX];

	*e = (struct recent_event){.at = now, .name = name};
	return e;
}

const struct recent_event *recent_get(const struct recent *r, uint64_t back)
{
	if (back >= r->n || back >= RECENT_MAX)
		return NULL;
	return &r->event[(r->n - 1 - back) % RECENT_MAX];
}

uint64_t recent_forgotten(const struct recent *r)
{
	return r->n > RECENT_MAX ? r->n - RECENT_MAX : 0;
}

int64_t recent_unix_ms(const struct recent_event *e, mono_t now, int64_t unix_ms)
{
	return unix_ms - mono_ms_since(e->at, now);
}
