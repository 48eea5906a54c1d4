/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The smaller and the larger of two numbers. Each is evaluated once. The result has the
 * type that C gives to the sum of both. */

#define min(a, b) minmax_of(a, <, b, __COUNTER__)
#define max(a, b) minmax_of(a, >, b, __COUNTER__)

/* `n` makes the names differ, so that one min() can be an argument of another one. */
#define minmax_of(a, op, b, n) minmax_named(a, op, b, n)
#define minmax_named(a, op, b, n)                                                      \
	({                                                                             \
		__typeof__(1 ? (a) : (b)) _a##n = (a), _b##n = (b);                    \
                                                                                       \
		_a##n op _b##n ? _a##n : _b##n;                                        \
	})
