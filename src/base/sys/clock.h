/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The clocks of the system. Pure code gets the time as a parameter instead. */

#include "base/mono.h"

#include <time.h>

/* Returns nanoseconds, or 0 if the system does not have that clock. */
static inline int64_t clock_ns(clockid_t clock)
{
	struct timespec ts = {0};

	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}
