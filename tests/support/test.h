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

static inline struct addr a(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}
