/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The processors that the system lets us use. */

/* Keep the calling thread on one processor: 0 or -errno (-EINVAL: not there, or not for
 * us). */
int cpus_pin(unsigned cpu);
/* How many threads are worth while when nobody says. */
unsigned cpus_threads(void);
