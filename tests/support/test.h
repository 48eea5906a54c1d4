/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The headers of every cmocka program, in the order that cmocka requires. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/cleanup.h"

/* Rounds of a loop over random input. A build for another machine runs under an
 * emulator, which takes up to sixty times as long, so meson lets it run a tenth of
 * them. */
#ifndef ROUNDS_PART
#define ROUNDS_PART 1
#endif
#define ROUNDS(n) ((n) / ROUNDS_PART)

static inline struct addr a(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}
