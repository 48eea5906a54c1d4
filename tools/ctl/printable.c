/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Untrusted text, see printable.h. */

#include "tools/ctl/printable.h"

#include "base/utf8.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Returns the length of the character at `s` as utf8_length(). */
static size_t decode(const char *s, size_t n, uint32_t *ret)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t len = utf8_length(p, n);

	*ret = len <= 1 ? *p : *p & 0xffu >> (len + 1);
	for (size_t i = 1; i < len; i++)
		*ret = *ret << 6 | (p[i] & 0x3f);
	return len;
}

static bool is_obeyed(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e ||
		c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
		(c >= 0x2066 && c <= 0x2069);
}

char *printable(char *text, const char *keep)
{
	char *p = text;

	while (*p) {
		uint32_t c;
		size_t n = decode(p, SIZE_MAX, &c);
		bool replace =
			n == 0 || (is_obeyed(c) && !(n == 1 && strchr(keep, *p)));

		n = n ? n : 1;
		if (replace)
			memset(p, '?', n);
		p += n;
	}
	return text;
}

/* The first character of n bytes; returns its length. */
static size_t print_char(const char *p, size_t n, FILE *out)
{
	uint32_t c;
	size_t len = decode(p, n, &c);

	if (*p == '\r')
		putc(' ', out);
	else if (len == 0)
		putc('?', out); /* no parser lets it pass */
	else if (c >= 0x7f && is_obeyed(c))
		fprintf(out, "\\u%04" PRIx32, c);
	else
		fwrite(p, 1, len, out);
	return len ? len : 1;
}

void printable_json(const char *text, size_t n, FILE *out)
{
	while (n > 0) {
		size_t plain = 0;

		while (plain < n && (unsigned char)text[plain] < 0x7f &&
			text[plain] != '\r')
			plain++;
		fwrite(text, 1, plain, out);
		text += plain;
		n -= plain;
		if (n == 0)
			break;
		plain = print_char(text, n, out);
		text += plain;
		n -= plain;
	}
}
