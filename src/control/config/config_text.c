/* SPDX-License-Identifier: GPL-2.0-or-later */

/* A growing string, and the text forms of the values of the configuration. Pure. */

#include "control/config/config_text.h"

#include "base/array.h"

#include <stdio.h>

void config_text_deinit(struct config_text *t)
{
	free(t->s);
	*t = (struct config_text){0};
}

void config_text_vadd(struct config_text *t, const char *format, va_list ap)
{
	va_list again;
	int n;

	if (t->bad)
		return;
	va_copy(again, ap);
	n = vsnprintf(NULL, 0, format, ap);
	if (n < 0 || array_reserve(t->s, t->cap, t->len + (size_t)n + 1, 128) < 0) {
		t->bad = true;
	} else {
		vsnprintf(t->s + t->len, t->cap - t->len, format, again);
		t->len += (size_t)n;
	}
	va_end(again);
}

void config_text_add(struct config_text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	config_text_vadd(t, format, ap);
	va_end(ap);
}

char *config_text_take(struct config_text *t)
{
	char *s;

	config_text_add(t, "%s", "");
	s = t->bad ? NULL : take_ptr(t->s);
	config_text_deinit(t);
	return s;
}

const char *config_scan_number(const char *s, uint64_t *ret)
{
	const char *start = s;
	uint64_t v = 0;

	for (; *s >= '0' && *s <= '9'; s++) {
		v = 10 * v + (uint64_t)(*s - '0');
		if (v > UINT32_MAX)
			v = (uint64_t)UINT32_MAX + 1;
	}
	*ret = v;
	return s == start ? NULL : s;
}

const char *config_format_seconds(uint32_t ms, char buf[CONFIG_SECONDS_STRLEN])
{
	int n = snprintf(buf, CONFIG_SECONDS_STRLEN, "%u.%03u", ms / 1000, ms % 1000);

	while (buf[n - 1] == '0')
		buf[--n] = '\0';
	if (buf[n - 1] == '.')
		buf[n - 1] = '\0';
	return buf;
}

const char *config_format_bytes(uint32_t n, char buf[CONFIG_SECONDS_STRLEN])
{
	if (n && n % (1 << 30) == 0)
		snprintf(buf, CONFIG_SECONDS_STRLEN, "%uG", n >> 30);
	else if (n && n % (1 << 20) == 0)
		snprintf(buf, CONFIG_SECONDS_STRLEN, "%uM", n >> 20);
	else if (n && n % (1 << 10) == 0)
		snprintf(buf, CONFIG_SECONDS_STRLEN, "%uK", n >> 10);
	else
		snprintf(buf, CONFIG_SECONDS_STRLEN, "%u", n);
	return buf;
}
