/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A growing string with a sticky error, for config_print and config_describe, and the
 * text forms of values. */

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

struct config_text {
	char *s; /* owned, terminated; NULL while empty */
	size_t len, cap;
	bool bad; /* out of memory; later text is dropped */
};

void config_text_deinit(struct config_text *t);
void config_text_add(struct config_text *t, const char *format, ...) _printf_(2, 3);
void config_text_vadd(struct config_text *t, const char *format, va_list ap)
	_printf_(2, 0);
/* Takes the string out of `t`, which is then empty. Returns NULL when out of memory. */
char *config_text_take(struct config_text *t);

/* Reads the decimal number at `s`. A number above UINT32_MAX becomes UINT32_MAX + 1.
 * Returns what follows the number, or NULL if there is no digit. */
const char *config_scan_number(const char *s, uint64_t *ret);

/* Writes milliseconds as seconds without idle zeros: "1", "0.1", "31.25". Returns
 * `buf`. */
#define CONFIG_SECONDS_STRLEN 16
const char *config_format_seconds(uint32_t ms, char buf[CONFIG_SECONDS_STRLEN]);
/* Writes bytes as "8M", "64K", "65537". Returns `buf`. */
const char *config_format_bytes(uint32_t n, char buf[CONFIG_SECONDS_STRLEN]);
