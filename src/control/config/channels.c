/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The table of channel names, see channels.h: what the formats have in common. Entries
 * are collected in the order of the file and sorted at the end. If a group and source
 * has two names, the first one in the file is used.
 */

#include "control/config/channels_reader.h"

#include "base/array.h"
#include "base/search.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *channels_format_name(enum channels_format f)
{
	static const char name[][8] = {
		[CHANNELS_M3U] = "M3U",
		[CHANNELS_SDP] = "SDP",
		[CHANNELS_XSPF] = "XSPF",
		[CHANNELS_CSV] = "CSV",
	};

	return name[f];
}

/* ---- reading ---- */

bool channels_line(struct channels_reader *r, struct channels_text *ret)
{
	const char *end;
	size_t n;

	if (r->rest.n == 0)
		return false;
	end = memchr(r->rest.s, '\n', r->rest.n);
	n = end ? (size_t)(end - r->rest.s) : r->rest.n;
	*ret = (struct channels_text){r->rest.s, n};
	if (n > 0 && ret->s[n - 1] == '\r')
		ret->n--;
	n += end != NULL;
	r->rest.s += n;
	r->rest.n -= n;
	r->line++;
	return true;
}

void channels_say(struct channels_reader *r, unsigned line, const char *format, ...)
{
	struct channels *c = r->c;
	struct channels_message *m;
	va_list ap;

	if (c->n_messages == CHANNELS_MAX_MESSAGES) {
		c->n_more++;
		return;
	}
	m = &c->message[c->n_messages++];
	m->line = line;
	va_start(ap, format);
	vsnprintf(m->text, sizeof(m->text), format, ap);
	va_end(ap);
}

/* ---- the table ---- */

static const char *name_of_channel(const struct channels *c, const struct channel *ch)
{
	return c->names + ch->name;
}

/* Where the name is among the names; the last one is often the same. False without
 * memory. */
static bool keep_name(struct channels *c, const char *name, uint32_t *ret)
{
	size_t len = strlen(name) + 1;

	if (c->n > 0 && strcmp(name_of_channel(c, &c->v[c->n - 1]), name) == 0) {
		*ret = c->v[c->n - 1].name;
		return true;
	}
	if (array_reserve(c->names, c->cap_names, c->n_names + len, 1024) < 0)
		return false;
	memcpy(c->names + c->n_names, name, len);
	*ret = (uint32_t)c->n_names;
	c->n_names += len;
	return true;
}

void channels_add(struct channels_reader *r, unsigned line,
	const struct channels_target *target, const char *name)
{
	struct channels *c = r->c;
	struct channel ch = {
		.group = target->group, .source = target->source, .line = line};

	if (!*name) {
		r->c->n_skipped++;
		return;
	}
	if (c->n == CHANNELS_MAX) {
		channels_say(r, line,
			"more than %d channels; the rest has no names, so split the file",
			CHANNELS_MAX);
		r->rest.n = 0;
		return;
	}
	if (array_reserve(c->v, c->cap, c->n + 1, 64) < 0 ||
		!keep_name(c, name, &ch.name)) {
		r->no_memory = true;
		r->rest.n = 0;
		return;
	}
	c->v[c->n++] = ch;
}

static int cmp_key(const struct channel *a, const struct channel *b)
{
	int r = addr_cmp(&a->group, &b->group);

	return r ? r : addr_cmp(&a->source, &b->source);
}

/* Names are stored in the order of the file, so the places of two names tell which
 * entry comes first. Neighbouring entries with the same name share one copy. */
static int cmp_entry(const void *x, const void *y)
{
	const struct channel *a = x, *b = y;
	int r = cmp_key(a, b);

	if (r == 0)
		r = a->line < b->line ? -1 : a->line > b->line;
	if (r == 0)
		r = a->name < b->name ? -1 : a->name > b->name;
	return r;
}

static void say_conflict(struct channels_reader *r, const struct channel *first,
	const struct channel *second)
{
	char group[ADDR_STRLEN];

	if (strcmp(name_of_channel(r->c, first), name_of_channel(r->c, second)) == 0)
		return;
	channels_say(r, second->line,
		"%s is called \"%s\" here and \"%s\" at line %u; the first one "
		"counts, remove the other",
		addr_format(&second->group, group), name_of_channel(r->c, second),
		name_of_channel(r->c, first), first->line);
}

static void settle(struct channels_reader *r)
{
	struct channels *c = r->c;
	size_t n = 0;

	if (c->n > 0)
		qsort(c->v, c->n, sizeof(*c->v), cmp_entry);
	for (size_t i = 0; i < c->n; i++) {
		if (n > 0 && cmp_key(&c->v[n - 1], &c->v[i]) == 0)
			say_conflict(r, &c->v[n - 1], &c->v[i]);
		else
			c->v[n++] = c->v[i];
	}
	c->n = n;
	if (n == 0 && !r->refused)
		channels_say(r, 0,
			"no channel with a group and a name; the file was read as %s, and "
			"may also be M3U, SDP, XSPF or CSV",
			channels_format_name(c->format));
}

const char *channels_name(
	const struct channels *c, const struct addr *group, const struct addr *source)
{
	struct channel key = {.group = *group};
	size_t n = c ? c->n : 0, from, at;

	/* the first of the group: any source comes first */
	from = first_not_before(0, n, i, addr_cmp(&c->v[i].group, group) < 0);
	if (from == n || !addr_eq(&c->v[from].group, group))
		return NULL;
	if (!source || addr_is_any(source))
		return name_of_channel(c, &c->v[from]);
	key.source = *source;
	at = first_not_before(from, n, i, cmp_key(&c->v[i], &key) < 0);
	if (at < n && cmp_key(&c->v[at], &key) == 0)
		return name_of_channel(c, &c->v[at]);
	return addr_is_any(&c->v[from].source) ? name_of_channel(c, &c->v[from]) : NULL;
}

const struct channel *channels_find(
	const struct channels *c, const char *text, const char **ret_other)
{
	const struct channel *best = NULL;

	*ret_other = NULL;
	for (size_t i = 0; c && *text && i < c->n; i++) {
		const char *name = name_of_channel(c, &c->v[i]);

		if (strcasecmp(name, text) == 0) {
			*ret_other = NULL;
			return &c->v[i];
		}
		if (!strcasestr(name, text))
			continue;
		if (!best)
			best = &c->v[i];
		else if (!*ret_other && strcmp(name, name_of_channel(c, best)) != 0)
			*ret_other = name;
	}
	return best;
}

/* ---- the file ---- */

/* A list of addresses may be a playlist without its first line. */
static bool has_url(struct channels_text t)
{
	struct channels_reader r = {.rest = t};
	struct channels_text line;

	while (channels_line(&r, &line)) {
		line = channels_trim(line);
		if (channels_begins(line, "#EXTINF:"))
			return true;
		if (line.n > 0 && *line.s != '#')
			return false;
	}
	return false;
}

static enum channels_format guess(struct channels_text t)
{
	t = channels_trim(t);
	if (t.n > 0 && *t.s == '<')
		return CHANNELS_XSPF;
	if (channels_begins(t, "v=0"))
		return CHANNELS_SDP;
	return channels_begins(t, "#EXTM3U") || has_url(t) ? CHANNELS_M3U
							   : CHANNELS_CSV;
}

static void read_format(struct channels_reader *r)
{
	static const char mark[] =
		"\xef\xbb\xbf"; /* of UTF-8, at the start of a file */

	if (channels_begins(r->rest, mark))
		r->rest = channels_after(r->rest, strlen(mark));
	r->c->format = guess(r->rest);
	switch (r->c->format) {
	case CHANNELS_M3U:
		channels_read_m3u(r);
		break;
	case CHANNELS_SDP:
		channels_read_sdp(r);
		break;
	case CHANNELS_XSPF:
		channels_read_xspf(r);
		break;
	case CHANNELS_CSV:
		channels_read_csv(r);
		break;
	}
}

int channels_parse(const char *text, size_t len, struct channels **ret_channels)
{
	struct channels_reader r = {.c = calloc(1, sizeof(*r.c)), .rest = {text, len}};

	if (!r.c)
		return -ENOMEM;
	read_format(&r);
	if (r.refused)
		r.c->n = 0;
	settle(&r);
	if (r.no_memory) {
		channels_free(r.c);
		return -ENOMEM;
	}
	*ret_channels = r.c;
	return r.refused;
}

struct channels *channels_free(struct channels *c)
{
	if (!c)
		return NULL;
	free(c->v);
	free(c->names);
	free(c);
	return NULL;
}
