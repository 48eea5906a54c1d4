/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The processors that the system lets us use. */

/* Keep the calling thread on one processor: 0 or -errno (-EINVAL if it does not exist,
 * or is not for us). */
int cpus_pin(unsigned cpu);
/* The default number of threads. */
unsigned cpus_threads(void);
