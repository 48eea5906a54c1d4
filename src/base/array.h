/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Arrays and texts that grow by doubling. */

#include <stddef.h>

/* Makes room for `n` items in total. `v` points to the items or is NULL, and `cap` is
 * the number of items that have room. Both change if there is too little room. The
 * first allocation has room for at least `first` items. Returns 0, or -ENOMEM with
 * nothing changed. */
#define array_reserve(v, cap, n, first)                                                \
	array_reserve_items(&(v), &(cap), n, sizeof(*(v)), first)
/* The function of the macro. `array` points to the pointer to items of `size` bytes. */
int array_reserve_items(void *array, size_t *cap, size_t n, size_t size, size_t first);
