/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Text of strangers, see printable.h. */

#include "tools/ctl/printable.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* The length of the character at `s` in octets; 0: it is no UTF-8. */
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
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f ||
		(c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
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
