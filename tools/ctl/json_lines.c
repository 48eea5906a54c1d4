/* SPDX-License-Identifier: GPL-2.0-or-later */

/* JSON over several lines, see json_lines.h. */

#include "tools/ctl/json_lines.h"

#include "tools/ctl/printable.h"

#include <string.h>

static void new_line(const struct json_lines *j, FILE *out)
{
	fprintf(out, "\n%*s", (int)(2 * j->depth), "");
}

/* The length of the string, number or word at `text`. */
static size_t token(const char *text, size_t n)
{
	size_t i = 1;

	if (*text != '"') {
		while (i < n && !strchr("[]{},: \t\r\n", text[i]))
			i++;
		return i;
	}
	while (i < n && text[i] != '"')
		i += text[i] == '\\' ? 2 : 1;
	return i < n ? i + 1 : n;
}

static void close_one(struct json_lines *j, char c, FILE *out)
{
	if (j->depth > 0)
		j->depth--;
	if (!j->is_first)
		new_line(j, out);
	j->is_first = false;
	putc(c, out);
}

/* The first value of an array or object begins a line. */
static void begin_value(struct json_lines *j, FILE *out)
{
	if (j->is_first)
		new_line(j, out);
	j->is_first = false;
}

/* Writes the token at `text`. Returns its length. */
static size_t put(struct json_lines *j, const char *text, size_t n, FILE *out)
{
	size_t len = 1;

	switch (*text) {
	case '[':
	case '{':
		begin_value(j, out);
		putc(*text, out);
		j->depth++;
		j->is_first = true;
		break;
	case ']':
	case '}':
		close_one(j, *text, out);
		break;
	case ',':
		putc(',', out);
		new_line(j, out);
		break;
	case ':':
		fputs(": ", out);
		break;
	case '\n':
		putc('\n', out);
		break;
	case ' ':
	case '\t':
	case '\r':
		break;
	default:
		len = token(text, n);
		begin_value(j, out);
		printable_json(text, len, out);
		break;
	}
	return len;
}

void json_lines_put(struct json_lines *j, const char *text, size_t n, FILE *out)
{
	while (n > 0) {
		size_t len = put(j, text, n, out);

		text += len;
		n -= len;
	}
}
