/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Binary search in a sorted array of anything. */

#include <stddef.h>

/* The first place in [lo, hi) that is not before the value searched for, or hi if all
 * are before it. `is_before` is an expression in `i`, the index, whose name the caller
 * chooses. */
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
