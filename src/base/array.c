/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int array_reserve_items(void *array, size_t *cap, size_t n, size_t size, size_t first)
{
	size_t larger = *cap ? *cap : first;
	void *old = NULL, *v;

	if (n <= *cap)
		return 0;
	while (larger < n)
		larger *= 2;
	memcpy(&old, array, sizeof(old)); /* a pointer of any type */
	v = realloc(old, larger * size);
	if (!v)
		return -ENOMEM;
	memcpy(array, &v, sizeof(v));
	*cap = larger;
	return 0;
}
