/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Binary search in a sorted array of anything. */

#include <stddef.h>

/* The first place of lo to hi - 1 that is not before what is looked for; hi if all are.
 * `is_before` says it of place `i`, which is a name of the caller's choice. */
#define first_not_before(lo, hi, i, is_before)                                         \
	({                                                                             \
		size_t _lo = (lo), _hi = (hi);                                         \
                                                                                       \
		while (_lo < _hi) {                                                    \
			size_t i = _lo + (_hi - _lo) / 2;                              \
                                                                                       \
			if (is_before)                                                 \
				_lo = i + 1;                                           \
			else                                                           \
				_hi = i;                                               \
		}                                                                      \
		_lo;                                                                   \
	})
