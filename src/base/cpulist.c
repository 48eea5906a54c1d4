/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/cpulist.h"

#include <stdbool.h>

static bool scan(const char **s, unsigned *ret)
{
	const char *p = *s;
	unsigned v = 0;

	for (; *p >= '0' && *p <= '9'; p++) {
		v = 10 * v + (unsigned)(*p - '0');
		if (v > CPULIST_CPU)
			return false;
	}
	if (p == *s)
		return false;
	*s = p;
	*ret = v;
	return true;
}

size_t cpulist_parse(const char *s, unsigned ret[CPULIST_MAX])
{
	size_t n = 0;

	for (;;) {
		unsigned first, last;

		if (!scan(&s, &first))
			return 0;
		last = first;
		if (*s == '-') {
			s++;
			if (!scan(&s, &last) || last < first)
				return 0;
		}
		for (unsigned cpu = first; cpu <= last; cpu++) {
			if (n == CPULIST_MAX)
				return 0;
			ret[n++] = cpu;
		}
		if (*s == '\0')
			return n;
		if (*s++ != ',')
			return 0;
	}
}
