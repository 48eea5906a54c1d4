/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The processors that the system lets us use. */

/* Keeps the calling thread on one processor. Returns 0, -EINVAL if the processor does
 * not exist or we are not allowed to use it, or another -errno. */
int cpus_pin(unsigned cpu);
/* Returns the default number of threads. */
unsigned cpus_threads(void);
