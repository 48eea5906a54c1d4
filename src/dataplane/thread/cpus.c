/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Processors for the data plane, see cpus.h. Only processors that the process may use
 * count: containers and taskset(1) give less than the machine has.
 */

#include "dataplane/thread/cpus.h"

#include <errno.h>
#include <sched.h>

/* Threads compete with the receive softirq for the same processors, and more than a few
 * only help if the load is spread over many flows. */
#define THREADS_MAX 4u

/* at least 1 */
static unsigned usable(void)
{
	cpu_set_t set;
	int n = 1;

	/* fails where there are more processors than the set can hold */
	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n > 1 ? (unsigned)n : 1;
}

int cpus_pin(unsigned cpu)
{
	cpu_set_t set;

	if (cpu >= CPU_SETSIZE)
		return -EINVAL;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) < 0 ? -errno : 0;
}

unsigned cpus_threads(void)
{
	unsigned n = usable();

	if (n <= 2)
		return 1;
	return n - 1 < THREADS_MAX ? n - 1 : THREADS_MAX;
}
