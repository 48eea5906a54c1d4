/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The table of channel names, see channels.h: what the formats have in common. Entries
 * are collected in the order of the file and sorted at the end. Of two names for the
 * same group and source the first counts, whatever the format.
 */

#include "control/config/channels_priv.h"

#include "base/array.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *channels_format_name(enum channels_format f)
{
	switch (f) {
	case CHANNELS_M3U:
		return "M3U";
	case CHANNELS_SDP:
		return "SDP";
	case CHANNELS_XSPF:
		return "XSPF";
	case CHANNELS_CSV:
		return "CSV";
	}
	return "?";
}

/* ---- text ---- */

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

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct channels_text channels_trim(struct channels_text t)
{
	while (t.n > 0 && is_space(*t.s)) {
		t.s++;
		t.n--;
	}
	while (t.n > 0 && is_space(t.s[t.n - 1]))
		t.n--;
	return t;
}

bool channels_is(struct channels_text t, const char *word)
{
	return t.n == strlen(word) && strncasecmp(t.s, word, t.n) == 0;
}

bool channels_begins(struct channels_text t, const char *word)
{
	size_t n = strlen(word);

	return t.n >= n && strncasecmp(t.s, word, n) == 0;
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

void channels_skip(struct channels_reader *r)
{
	r->c->n_skipped++;
}

/* ---- names ---- */

static bool is_utf8(struct channels_text t)
{
	size_t len;

	for (size_t i = 0; i < t.n; i += len) {
		len = utf8_length((const unsigned char *)t.s + i, t.n - i);
		if (len == 0)
			return false;
	}
	return true;
}

static bool is_control(const unsigned char *s, size_t len)
{
	return s[0] < 0x20 || s[0] == 0x7f || (len == 2 && s[0] == 0xc2 && s[1] < 0xa0);
}

/* Text that is not UTF-8 is taken for ISO 8859-1, in which old playlists are written.
 * Control characters become spaces, and several spaces one. */
void channels_clean(struct channels_text t, char name[CHANNELS_NAME_MAX])
{
	bool latin1;
	size_t n = 0, len;

	t = channels_trim(t);
	latin1 = !is_utf8(t);
	for (size_t i = 0; i < t.n; i += latin1 ? 1 : len) {
		const unsigned char *s = (const unsigned char *)t.s + i;
		unsigned char two[2] = {(unsigned char)(0xc0 | *s >> 6),
			(unsigned char)(0x80 | (*s & 0x3f))};

		len = latin1 ? 1 + (*s >= 0x80) : utf8_length(s, t.n - i);
		if (len == 2 && latin1)
			s = two;
		if (is_control(s, len) || *s == ' ') {
			if (n > 0 && name[n - 1] != ' ' && n + 1 < CHANNELS_NAME_MAX)
				name[n++] = ' ';
			continue;
		}
		if (n + len >= CHANNELS_NAME_MAX)
			break;
		memcpy(name + n, s, len);
		n += len;
	}
	while (n > 0 && name[n - 1] == ' ')
		n--;
	name[n] = '\0';
}

/* ---- targets ---- */

bool channels_addr(struct channels_text t, struct addr *ret)
{
	char text[ADDR_STRLEN];

	if (t.n == 0 || t.n >= sizeof(text) || memchr(t.s, '\0', t.n))
		return false;
	memcpy(text, t.s, t.n);
	text[t.n] = '\0';
	return addr_parse(text, ret) == 0;
}

static bool is_port(struct channels_text t)
{
	unsigned v = 0;

	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] < '0' || t.s[i] > '9' || v > UINT16_MAX)
			return false;
		v = 10 * v + (unsigned)(t.s[i] - '0');
	}
	return v <= UINT16_MAX;
}

/* ADDRESS, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT; the port does not matter. */
static bool host(struct channels_text t, struct addr *ret)
{
	struct channels_text address = t, port;
	const char *end;

	if (channels_addr(t, ret))
		return true;
	if (t.n > 0 && *t.s == '[') {
		end = memchr(t.s, ']', t.n);
		if (!end)
			return false;
		address = (struct channels_text){t.s + 1, (size_t)(end - t.s) - 1};
		port = (struct channels_text){end + 1, t.n - address.n - 2};
		if (port.n > 0 && *port.s != ':')
			return false;
	} else {
		end = memchr(t.s, ':', t.n);
		if (!end)
			return false;
		address.n = (size_t)(end - t.s);
		port = (struct channels_text){end, t.n - address.n};
	}
	if (port.n > 0)
		port = (struct channels_text){port.s + 1, port.n - 1};
	return is_port(port) && channels_addr(address, ret);
}

/* the part up to one of these characters */
static struct channels_text up_to(struct channels_text t, const char *stop)
{
	for (size_t i = 0; i < t.n; i++)
		if (t.s[i] == '\0' || strchr(stop, t.s[i]))
			return (struct channels_text){t.s, i};
	return t;
}

static struct channels_text after(struct channels_text t, size_t n)
{
	return (struct channels_text){t.s + n, t.n - n};
}

static bool authority(struct channels_text t, struct channels_target *ret)
{
	const char *at = memchr(t.s, '@', t.n);
	struct channels_target x;
	struct channels_text source = {t.s, at ? (size_t)(at - t.s) : 0};

	if (at)
		t = after(t, source.n + 1);
	if (!host(t, &x.group) || !addr_is_multicast(&x.group))
		return false;
	x.source = addr_any(addr_family(&x.group));
	if (source.n > 0 &&
		(!host(source, &x.source) || !addr_is_usable_source(&x.source) ||
			addr_family(&x.source) != addr_family(&x.group)))
		return false;
	*ret = x;
	return true;
}

/* http://ROUTER:4022/udp/239.1.2.3:1234, as programs like udpxy and msd_lite have it */
static bool by_proxy(struct channels_text path, struct channels_target *ret)
{
	static const char *const kind[] = {"/udp/", "/rtp/"};

	for (size_t i = 0; i < path.n; i++)
		for (size_t k = 0; k < array_len(kind); k++)
			if (channels_begins(after(path, i), kind[k]))
				return authority(
					up_to(after(path, i + 5), "/?#| "), ret);
	return false;
}

bool channels_target(struct channels_text t, struct channels_target *ret)
{
	static const char *const scheme[] = {"udp://", "rtp://", "igmp://"};
	static const char *const proxy[] = {"http://", "https://"};

	t = channels_trim(t);
	for (size_t i = 0; i < array_len(scheme); i++)
		if (channels_begins(t, scheme[i]))
			return authority(
				up_to(after(t, strlen(scheme[i])), "/?#| "), ret);
	for (size_t i = 0; i < array_len(proxy); i++)
		if (channels_begins(t, proxy[i]))
			return by_proxy(after(t, strlen(proxy[i])), ret);
	return authority(t, ret);
}

/* ---- the table ---- */

static const char *name_of(const struct channels *c, const struct channel *ch)
{
	return c->names + ch->name;
}

/* Where the name is among the names; the last one is often the same. False without
 * memory. */
static bool keep_name(struct channels *c, const char *name, uint32_t *ret)
{
	size_t len = strlen(name) + 1;

	if (c->n > 0 && strcmp(name_of(c, &c->v[c->n - 1]), name) == 0) {
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
		channels_skip(r);
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

/* Names are kept in the order of the file, so theirs is that of the entries, except
 * that neighbours may share one. */
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

	if (strcmp(name_of(r->c, first), name_of(r->c, second)) == 0)
		return;
	channels_say(r, second->line,
		"%s is called \"%s\" here and \"%s\" at line %u; the first one "
		"counts, remove the other",
		addr_format(&second->group, group), name_of(r->c, second),
		name_of(r->c, first), first->line);
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
	struct channel key = {.group = *group, .source = addr_any(addr_family(group))};
	bool whole = !source || addr_is_any(source);
	size_t from = 0, end = c ? c->n : 0;

	while (from < end) { /* the first of the group: any source comes first */
		size_t middle = (from + end) / 2;

		if (addr_cmp(&c->v[middle].group, group) < 0)
			from = middle + 1;
		else
			end = middle;
	}
	if (!c || from == c->n || !addr_eq(&c->v[from].group, group))
		return NULL;
	if (whole)
		return name_of(c, &c->v[from]);
	key.source = *source;
	for (size_t i = from, stop = c->n; i < stop;) {
		size_t middle = (i + stop) / 2;
		int r = cmp_key(&c->v[middle], &key);

		if (r == 0)
			return name_of(c, &c->v[middle]);
		if (r < 0)
			i = middle + 1;
		else
			stop = middle;
	}
	return addr_is_any(&c->v[from].source) ? name_of(c, &c->v[from]) : NULL;
}

const struct channel *channels_find(
	const struct channels *c, const char *text, const char **ret_other)
{
	const struct channel *best = NULL;

	*ret_other = NULL;
	for (size_t i = 0; c && *text && i < c->n; i++) {
		const char *name = name_of(c, &c->v[i]);

		if (strcasecmp(name, text) == 0) {
			*ret_other = NULL;
			return &c->v[i];
		}
		if (!strcasestr(name, text))
			continue;
		if (!best)
			best = &c->v[i];
		else if (!*ret_other && strcmp(name, name_of(c, best)) != 0)
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

static void read_file(struct channels_reader *r)
{
	static const char mark[] =
		"\xef\xbb\xbf"; /* of UTF-8, at the start of a file */

	if (channels_begins(r->rest, mark))
		r->rest = after(r->rest, strlen(mark));
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
	read_file(&r);
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
