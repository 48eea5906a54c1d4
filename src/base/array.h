/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Arrays and texts that grow by doubling. */

#include <stddef.h>

/* Room for `n` items in all. `v` points to the items or is NULL, `cap` says how many
 * have room; both change when there is too little, and from NULL to at least `first`
 * items. 0, or -ENOMEM and nothing has changed. */
#define array_reserve(v, cap, n, first)                                                \
	array_reserve_items(&(v), &(cap), n, sizeof(*(v)), first)
/* The same; `array` points to the pointer to items of `size` bytes. */
int array_reserve_items(void *array, size_t *cap, size_t n, size_t size, size_t first);
