/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Channel names in the formats that consist of lines, see channels.h: M3U playlists as
 * set-top boxes and players have them, session descriptions (RFC 8866, with the source
 * filters of RFC 4570), and comma-separated values (RFC 4180, except that a field ends
 * with its line).
 */

#include "control/config/channels_reader.h"

#include <string.h>

/* ---- M3U ---- */

/* "#EXTINF:-1 tvg-id="a,b" group-title="News",The name": the comma after the
 * attributes, whose values may contain commas. */
static struct channels_text title_of(struct channels_text t)
{
	bool quoted = false;

	for (size_t i = 0; i < t.n; i++) {
		if (t.s[i] == '"')
			quoted = !quoted;
		else if (t.s[i] == ',' && !quoted)
			return (struct channels_text){t.s + i + 1, t.n - i - 1};
	}
	return (struct channels_text){t.s + t.n, 0};
}

void channels_read_m3u(struct channels_reader *r)
{
	char name[CHANNELS_NAME_MAX] = "";
	struct channels_target target;
	struct channels_text line;

	while (channels_line(r, &line)) {
		line = channels_trim(line);
		if (channels_begins(line, "#EXTINF:"))
			channels_clean(title_of(line), name);
		if (line.n == 0 || *line.s == '#')
			continue;
		if (channels_target(line, &target))
			channels_add(r, r->line, &target, name);
		else
			r->c->n_skipped++;
		name[0] = '\0';
	}
}

/* ---- CSV ---- */

#define MAX_FIELDS 32

struct record {
	struct channels_text field[MAX_FIELDS]; /* without the quotes around it */
	size_t n;
};

/* a column is MAX_FIELDS if there is none */
struct columns {
	char separator;
	size_t group, name, source;
};

/* The usual separator that comes first, outside of quotes. */
static char separator_of(struct channels_text t)
{
	bool quoted = false;

	for (size_t i = 0; i < t.n; i++) {
		if (!quoted && (t.s[i] == ',' || t.s[i] == ';' || t.s[i] == '\t'))
			return t.s[i];
		quoted ^= t.s[i] == '"';
	}
	return ',';
}

static struct channels_text unquote(struct channels_text t)
{
	t = channels_trim(t);
	if (t.n >= 2 && t.s[0] == '"' && t.s[t.n - 1] == '"')
		t = (struct channels_text){t.s + 1, t.n - 2};
	return t;
}

static void split(struct channels_text t, char separator, struct record *ret)
{
	size_t from = 0;
	bool quoted = false;

	ret->n = 0;
	for (size_t i = 0; i <= t.n && ret->n < MAX_FIELDS; i++) {
		if (i < t.n && t.s[i] == '"')
			quoted = !quoted;
		if (i < t.n && (t.s[i] != separator || quoted))
			continue;
		ret->field[ret->n++] =
			unquote((struct channels_text){t.s + from, i - from});
		from = i + 1;
	}
}

static size_t column_of(const struct record *rec, const char *const *words)
{
	for (size_t i = 0; i < rec->n; i++)
		for (size_t k = 0; words[k]; k++)
			if (channels_is(rec->field[i], words[k]))
				return i;
	return MAX_FIELDS;
}

/* Does the first record name the columns? Without such a line they are group, name and
 * source. */
static bool takes_header(const struct record *rec, struct columns *c)
{
	static const char *const group[] = {"group", "address", "url", "uri", NULL};
	static const char *const name[] = {"name", "channel", "title", NULL};
	static const char *const source[] = {"source", NULL};
	size_t g = column_of(rec, group), n = column_of(rec, name);

	if (g == MAX_FIELDS || n == MAX_FIELDS)
		return false;
	c->group = g;
	c->name = n;
	c->source = column_of(rec, source);
	return true;
}

static struct channels_text field_of(const struct record *rec, size_t column)
{
	return column < rec->n ? rec->field[column] : (struct channels_text){"", 0};
}

/* "" in a quoted field is one quote (RFC 4180 2). */
static void unquote_name(struct channels_text t, char name[CHANNELS_NAME_MAX])
{
	char text[4 * CHANNELS_NAME_MAX];
	size_t n = 0;

	for (size_t i = 0; i < t.n && n < sizeof(text); i++) {
		text[n++] = t.s[i];
		i += t.s[i] == '"' && i + 1 < t.n && t.s[i + 1] == '"';
	}
	channels_clean((struct channels_text){text, n}, name);
}

static void take_record(
	struct channels_reader *r, const struct columns *c, const struct record *rec)
{
	struct channels_text source = field_of(rec, c->source);
	struct channels_target target;
	char name[CHANNELS_NAME_MAX];

	unquote_name(field_of(rec, c->name), name);
	if (!channels_target(field_of(rec, c->group), &target)) {
		channels_clean(field_of(rec, c->group), name);
		channels_say(r, r->line,
			"'%s' is not a group; a line is GROUP,NAME or GROUP,NAME,SOURCE, or "
			"as the first line names the columns",
			name);
		r->c->n_skipped++;
		return;
	}
	if (source.n > 0 &&
		(!channels_addr(source, &target.source) ||
			!addr_is_usable_source(&target.source) ||
			addr_family(&target.source) != addr_family(&target.group))) {
		channels_say(r, r->line,
			"the source is not an address of the group's family; leave the column "
			"empty if the group has any source");
		r->c->n_skipped++;
		return;
	}
	channels_add(r, r->line, &target, name);
}

void channels_read_csv(struct channels_reader *r)
{
	struct columns c = {.group = 0, .name = 1, .source = 2};
	struct channels_text line;
	struct record rec;

	while (channels_line(r, &line)) {
		line = channels_trim(line);
		if (line.n == 0 || *line.s == '#')
			continue;
		if (!c.separator) {
			c.separator = separator_of(line);
			split(line, c.separator, &rec);
			if (takes_header(&rec, &c))
				continue;
		}
		split(line, c.separator, &rec);
		take_record(r, &c, &rec);
	}
}

/* ---- SDP ---- */

#define MAX_GROUPS  32 /* of a description */
#define MAX_SOURCES 64

/* One description. All groups of all its media get its name. */
struct session {
	char name[CHANNELS_NAME_MAX];
	struct {
		struct addr group;
		unsigned line;
	} group[MAX_GROUPS];
	size_t n_groups;
	struct {
		bool all; /* for every group; if false, for `group` */
		struct addr group, source;
	} source[MAX_SOURCES];
	size_t n_sources;
};

/* the next word, which is removed from `t`; empty at the end */
static struct channels_text word(struct channels_text *t)
{
	struct channels_text w;

	*t = channels_trim(*t);
	w = (struct channels_text){t->s, 0};
	while (w.n < t->n && t->s[w.n] != ' ' && t->s[w.n] != '\t')
		w.n++;
	*t = (struct channels_text){t->s + w.n, t->n - w.n};
	return w;
}

/* What is before the '/', which is removed with it. */
static struct channels_text take_part(struct channels_text *t)
{
	const char *slash = memchr(t->s, '/', t->n);
	struct channels_text p = {t->s, slash ? (size_t)(slash - t->s) : t->n};
	size_t n = p.n + (slash != NULL);

	*t = (struct channels_text){t->s + n, t->n - n};
	return p;
}

static unsigned number(struct channels_text t)
{
	unsigned v = 0;

	for (size_t i = 0; i < t.n && v < 1000; i++) {
		if (t.s[i] < '0' || t.s[i] > '9')
			return 0;
		v = 10 * v + (unsigned)(t.s[i] - '0');
	}
	return v;
}

/* RFC 8866 5.7: "IN IP4 233.252.0.1/127/3" are three groups one after the other, "IN
 * IP6 ff15::101/3" as well. */
static void take_connection(
	struct channels_reader *r, struct session *s, struct channels_text t)
{
	struct channels_text rest, count;
	struct addr group;
	unsigned n;

	if (!channels_is(word(&t), "IN"))
		return;
	(void)word(&t);
	rest = word(&t);
	if (!channels_addr(take_part(&rest), &group) || !addr_is_multicast(&group))
		return;
	if (addr_is_v4(&group))
		(void)take_part(&rest); /* the TTL */
	count = take_part(&rest);
	n = count.n > 0 ? number(count) : 1;
	for (unsigned i = 0; i < n && s->n_groups < MAX_GROUPS; i++) {
		s->group[s->n_groups].group = group;
		s->group[s->n_groups++].line = r->line;
		for (int k = 15; k >= 0 && ++group.b[k] == 0; k--)
			;
		if (!addr_is_multicast(&group))
			break;
	}
}

/* RFC 4570 3: "source-filter: incl IN IP4 GROUP|* SOURCE..." */
static void take_filter(struct session *s, struct channels_text t)
{
	struct channels_text dest, source;
	struct addr group = {{0}};
	bool all;

	if (!channels_is(word(&t), "incl") || !channels_is(word(&t), "IN"))
		return;
	(void)word(&t);
	dest = word(&t);
	all = channels_is(dest, "*");
	if (!all && !channels_addr(dest, &group))
		return;
	for (source = word(&t); source.n > 0 && s->n_sources < MAX_SOURCES;
		source = word(&t)) {
		struct addr a;

		if (!channels_addr(source, &a) || !addr_is_usable_source(&a))
			continue;
		s->source[s->n_sources].all = all;
		s->source[s->n_sources].group = group;
		s->source[s->n_sources++].source = a;
	}
}

static void take_session(struct channels_reader *r, struct session *s)
{
	for (size_t i = 0; i < s->n_groups; i++) {
		struct channels_target target = {.group = s->group[i].group};
		bool named = false;

		for (size_t k = 0; k < s->n_sources; k++) {
			target.source = s->source[k].source;
			if ((!s->source[k].all &&
				    !addr_eq(&s->source[k].group, &target.group)) ||
				addr_family(&target.source) !=
					addr_family(&target.group))
				continue;
			channels_add(r, s->group[i].line, &target, s->name);
			named = true;
		}
		target.source = addr_any(addr_family(&target.group));
		if (!named)
			channels_add(r, s->group[i].line, &target, s->name);
	}
	*s = (struct session){.name = ""};
}

void channels_read_sdp(struct channels_reader *r)
{
	static const char filter[] = "source-filter:";
	struct session s = {.name = ""};
	struct channels_text line, value;

	while (channels_line(r, &line)) {
		if (line.n < 2 || line.s[1] != '=')
			continue;
		value = (struct channels_text){line.s + 2, line.n - 2};
		if (*line.s == 'v')
			take_session(r, &s);
		else if (*line.s == 's' && !channels_is(channels_trim(value), "-"))
			channels_clean(value, s.name);
		else if (*line.s == 'c')
			take_connection(r, &s, value);
		else if (*line.s == 'a' && channels_begins(value, filter))
			take_filter(&s,
				(struct channels_text){value.s + strlen(filter),
					value.n - strlen(filter)});
	}
	take_session(r, &s);
}
