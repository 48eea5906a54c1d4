/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The tokeniser of the configuration. Words are separated by blank, tab, CR and LF; a
 * line end means nothing more than a blank. A CR alone also ends a line, because some
 * editors write only that. `#` starts a comment anywhere in a line and ends the word
 * before it. Semicolons at the end of a word are dropped, because files with them are
 * in use. There is no limit on the length of a word.
 */

#include "control/config/config_lex.h"

#include "base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lex {
	char *p, *end;
	struct config_pos pos;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_line_end(const struct lex *l)
{
	return *l->p == '\n' ||
		(*l->p == '\r' && !(l->p + 1 < l->end && l->p[1] == '\n'));
}

static void lex_step(struct lex *l)
{
	bool line_end = is_line_end(l);

	l->p++;
	if (line_end) {
		l->pos.line++;
		l->pos.column = 1;
	} else {
		l->pos.column++;
	}
}

static void skip_to_word(struct lex *l)
{
	bool comment = false;

	for (; l->p < l->end; lex_step(l)) {
		if (is_line_end(l))
			comment = false;
		else if (*l->p == '#')
			comment = true;
		else if (!comment && !is_blank(*l->p))
			return;
	}
}

static int config_lex_append(struct config_tokens *t, struct config_token token)
{
	if (array_reserve(t->v, t->cap, t->n + 1, 64) < 0)
		return -ENOMEM;
	t->v[t->n++] = token;
	return 0;
}

/* One word; `l` is at its first byte. */
static int take_word(struct lex *l, struct config_tokens *t, bool *ret_comment)
{
	struct config_token token = {.s = l->p, .pos = l->pos};
	char *tail;

	while (l->p < l->end && *l->p != '#' && !is_blank(*l->p))
		lex_step(l);
	tail = l->p;
	*ret_comment = l->p < l->end && *l->p == '#';
	if (l->p < l->end)
		lex_step(l);
	while (tail > token.s && tail[-1] == ';')
		tail--;
	/* the character there is consumed: a separator, `#`, `;`, or the end */
	*tail = '\0';
	return tail > token.s ? config_lex_append(t, token) : 0;
}

int config_tokens_init(struct config_tokens *t, const char *text, size_t len)
{
	static const char bom[] = {'\xef', '\xbb', '\xbf'};
	struct lex l = {.pos = {1, 1}};
	int r;

	*t = (struct config_tokens){.buf = malloc(len + 1)};
	if (!t->buf)
		return -ENOMEM;
	if (len)
		memcpy(t->buf, text, len);
	t->buf[len] = '\0';
	l.p = t->buf;
	l.end = t->buf + len;
	if (len >= sizeof(bom) && memcmp(t->buf, bom, sizeof(bom)) == 0)
		l.p += sizeof(bom);

	for (;;) {
		bool comment;

		skip_to_word(&l);
		if (l.p == l.end)
			break;
		r = take_word(&l, t, &comment);
		if (r < 0) {
			config_tokens_deinit(t);
			return r;
		}
		while (comment && l.p < l.end && !is_line_end(&l))
			lex_step(&l);
	}
	return 0;
}

void config_tokens_deinit(struct config_tokens *t)
{
	free(t->v);
	free(t->buf);
	*t = (struct config_tokens){0};
}
