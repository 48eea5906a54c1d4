/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Channel names in XSPF (version 1), see channels.h: the title and the locations of
 * each track. This is not a general reader of XML: it knows elements, the five named
 * entities, character references, CDATA, comments and processing instructions. It
 * refuses a document type, with which other entities could be defined, elements that
 * are not closed in order, and more than MAX_DEPTH of them inside each other.
 */

#include "control/config/channels_reader.h"

#include <string.h>

#define MAX_DEPTH     16
#define MAX_LOCATIONS 8
#define TEXT_MAX      512 /* bytes of a title or location; the rest is left out */

struct xspf {
	struct channels_reader *r;
	struct channels_text open[MAX_DEPTH]; /* names of the elements that are open */
	size_t depth;
	bool began; /* the root is, or was, there */
	char text[TEXT_MAX];
	size_t n_text;
	/* of the track */
	unsigned line;
	char title[CHANNELS_NAME_MAX];
	struct channels_target location[MAX_LOCATIONS];
	size_t n_locations;
};

static void refuse_file(struct xspf *x, const char *what)
{
	if (!x->r->refused)
		channels_say(x->r, x->r->line,
			"%s; the XSPF is not complete, so none of its names is used",
			what);
	x->r->refused = true;
}

/* Removes `n` bytes, and counts lines. */
static void skip(struct xspf *x, size_t n)
{
	struct channels_text *t = &x->r->rest;

	for (size_t i = 0; i < n; i++)
		x->r->line += t->s[i] == '\n';
	*t = (struct channels_text){t->s + n, t->n - n};
}

/* Removes everything up to and including `end`; *ret is what is before it. */
static bool skip_past(struct xspf *x, const char *end, struct channels_text *ret)
{
	struct channels_text t = x->r->rest;
	const char *found = memmem(t.s, t.n, end, strlen(end));

	if (!found) {
		refuse_file(x, "the file ends inside a tag or comment");
		return false;
	}
	*ret = (struct channels_text){t.s, (size_t)(found - t.s)};
	skip(x, ret->n + strlen(end));
	return true;
}

/* ---- text ---- */

static void put(struct xspf *x, const char *s, size_t n)
{
	if (n > TEXT_MAX - x->n_text)
		n = TEXT_MAX - x->n_text;
	memcpy(x->text + x->n_text, s, n);
	x->n_text += n;
}

/* as UTF-8; a number that is not a character becomes U+FFFD */
static void put_character(struct xspf *x, uint32_t c)
{
	static const uint8_t mark[] = {[1] = 0, [2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
	char s[4];
	size_t n;

	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		s[i] = (char)(0x80 | (c & 0x3f));
	s[0] = (char)(mark[n] | c);
	put(x, s, n);
}

static int digit_of_reference(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* "#233", "#xe9"; false if it is neither */
static bool take_reference(struct xspf *x, struct channels_text t)
{
	bool hex = t.n > 1 && (t.s[1] | 0x20) == 'x';
	int base = hex ? 16 : 10;
	uint32_t c = 0;

	if (t.n < 2u + hex || *t.s != '#')
		return false;
	for (size_t i = 1 + hex; i < t.n; i++) {
		if (digit_of_reference(t.s[i]) >= base)
			return false;
		if (c <= 0x10ffff)
			c = c * (uint32_t)base + (uint32_t)digit_of_reference(t.s[i]);
	}
	put_character(x, c);
	return true;
}

static bool take_entity(struct xspf *x, struct channels_text t)
{
	static const struct {
		char name[8], is;
	} known[] = {
		{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};

	for (size_t i = 0; i < array_len(known); i++)
		if (t.n == strlen(known[i].name) &&
			memcmp(t.s, known[i].name, t.n) == 0) {
			put(x, &known[i].is, 1);
			return true;
		}
	return take_reference(x, t);
}

/* the text up to the next tag */
static void take_text(struct xspf *x)
{
	struct channels_text t = x->r->rest;
	const char *tag = memchr(t.s, '<', t.n);
	size_t n = tag ? (size_t)(tag - t.s) : t.n;

	for (size_t i = 0; i < n; i++) {
		const char *end = t.s[i] == '&' ? memchr(t.s + i, ';', n - i) : NULL;
		struct channels_text name = {t.s + i + 1, 0};

		if (t.s[i] != '&') {
			put(x, t.s + i, 1);
			continue;
		}
		if (end)
			name.n = (size_t)(end - name.s);
		if (!end || !take_entity(x, name)) {
			refuse_file(x,
				"there is an '&' that begins no entity; write &amp;");
			return;
		}
		i += name.n + 1;
	}
	skip(x, n);
}

/* ---- elements ---- */

/* a name without its name space */
static struct channels_text local(struct channels_text name)
{
	const char *colon = memchr(name.s, ':', name.n);
	size_t n = colon ? (size_t)(colon - name.s) + 1 : 0;

	return (struct channels_text){name.s + n, name.n - n};
}

/* Is the innermost open element, or the one around it, of that name? */
static bool is_in(const struct xspf *x, size_t outer, const char *name)
{
	return x->depth > outer &&
		channels_is(local(x->open[x->depth - 1 - outer]), name);
}

static void begin_element(struct xspf *x, struct channels_text name)
{
	if (x->depth == MAX_DEPTH) {
		refuse_file(x, "too many elements are inside each other");
		return;
	}
	if (x->depth == 0 && (x->began || !channels_is(local(name), "playlist"))) {
		refuse_file(x, "the file is not one <playlist>");
		return;
	}
	x->began = true;
	x->open[x->depth++] = name;
	x->n_text = 0;
	if (!is_in(x, 0, "track"))
		return;
	x->line = x->r->line;
	x->title[0] = '\0';
	x->n_locations = 0;
}

static void end_of_track(struct xspf *x)
{
	for (size_t i = 0; i < x->n_locations; i++)
		channels_add(x->r, x->line, &x->location[i], x->title);
	if (x->n_locations == 0)
		x->r->c->n_skipped++;
}

static void end_element(struct xspf *x, struct channels_text name)
{
	struct channels_text text = {x->text, x->n_text};

	if (x->depth == 0 || x->open[x->depth - 1].n != name.n ||
		memcmp(x->open[x->depth - 1].s, name.s, name.n) != 0) {
		refuse_file(x, "an element is closed that is not open");
		return;
	}
	if (is_in(x, 0, "title") && is_in(x, 1, "track"))
		channels_clean(text, x->title);
	if (is_in(x, 0, "location") && is_in(x, 1, "track") &&
		x->n_locations < MAX_LOCATIONS)
		x->n_locations += channels_target(text, &x->location[x->n_locations]);
	if (is_in(x, 0, "track"))
		end_of_track(x);
	x->depth--;
	x->n_text = 0;
}

/* Where the tag ends; a '>' in a quoted value is part of it. */
static bool tag_length(struct channels_text t, size_t *ret)
{
	char quote = '\0';

	for (size_t i = 0; i < t.n; i++) {
		if (quote ? t.s[i] == quote : t.s[i] == '"' || t.s[i] == '\'')
			quote = quote ? '\0' : t.s[i];
		if (!quote && t.s[i] == '>') {
			*ret = i;
			return true;
		}
	}
	return false;
}

static void take_element(struct xspf *x)
{
	struct channels_text t = x->r->rest, name;
	size_t n;
	bool closes, empty;

	if (!tag_length(t, &n)) {
		refuse_file(x, "the file ends inside a tag or comment");
		return;
	}
	closes = n > 1 && t.s[1] == '/';
	empty = n > 1 && t.s[n - 1] == '/';
	name = (struct channels_text){t.s + 1 + closes, 0};
	while (name.s + name.n < t.s + n && !strchr(" \t\r\n/", name.s[name.n]))
		name.n++;
	if (name.n == 0) {
		refuse_file(x, "there is a '<' that begins no element; write &lt;");
		return;
	}
	skip(x, n + 1);
	if (!closes)
		begin_element(x, name);
	if ((closes || empty) && !x->r->refused)
		end_element(x, name);
}

static void take_markup(struct xspf *x)
{
	struct channels_text inside;

	if (channels_begins(x->r->rest, "<!--")) {
		skip_past(x, "-->", &inside);
	} else if (channels_begins(x->r->rest, "<![CDATA[")) {
		if (skip_past(x, "]]>", &inside))
			put(x, inside.s + strlen("<![CDATA["),
				inside.n - strlen("<![CDATA["));
	} else if (channels_begins(x->r->rest, "<?")) {
		skip_past(x, "?>", &inside);
	} else if (channels_begins(x->r->rest, "<!")) {
		refuse_file(
			x, "there is a document type, which is not read; remove it");
	} else {
		take_element(x);
	}
}

void channels_read_xspf(struct channels_reader *r)
{
	struct xspf x = {.r = r};

	r->line = 1;
	while (r->rest.n > 0 && !r->refused) {
		if (*r->rest.s == '<')
			take_markup(&x);
		else
			take_text(&x);
	}
	if (!r->refused && !r->no_memory && r->c->n < CHANNELS_MAX &&
		(x.depth > 0 || !x.began))
		refuse_file(&x, "the file ends before </playlist>");
}
