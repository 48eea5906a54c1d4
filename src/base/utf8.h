/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Characters of UTF-8 (RFC 3629). */

#include <stddef.h>

/* Returns the bytes of the character at `s`, of which `n` bytes can be read, or 0 if it
 * is not a character. In a text that ends with NUL, `n` may be SIZE_MAX. */
size_t utf8_length(const unsigned char *s, size_t n);
