/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Untrusted text, see printable.h. */

#include "tools/ctl/printable.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The length of the character at `s` in bytes; 0 if it is not UTF-8. */
static unsigned decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	unsigned n = *s < 0x80 ? 1 : *s < 0xc0 ? 0 : *s < 0xe0 ? 2 : *s < 0xf0 ? 3 : 4;

	*ret = n == 1 ? *s : *s & 0xffu >> (n + 1);
	for (unsigned i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*ret = *ret << 6 | (s[i] & 0x3f);
	}
	return n > 1 && (*s >= 0xf8 || *ret < least[n]) ? 0 : n;
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
		unsigned n = decode((const unsigned char *)p, &c);
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
	unsigned char bytes[5] = {0}; /* decode() stops at a NUL */
	unsigned len;
	uint32_t c;

	memcpy(bytes, p, n < 4 ? n : 4);
	len = decode(bytes, &c);
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
