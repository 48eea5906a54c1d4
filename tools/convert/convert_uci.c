/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * UCI as libuci reads it: statements end with the line or a semicolon, words are
 * separated by white space, pieces in single quotes (everything literal), in double
 * quotes (backslash takes the next byte literally) and without quotes may follow each
 * other in one word, quotes may span lines, '#' outside of quotes begins a comment,
 * backslash before a line end continues the line. A named section may be opened again.
 * A second `option` replaces the first, `list` adds.
 */

#include "tools/convert/convert_uci.h"

#include <string.h>

#define MAX_SECTIONS 4096
#define MAX_OPTIONS  256 /* of different names in a section */

struct reader {
	struct uci *u;
	const struct convert_source *source;
	const char *p;
	char *out;
	unsigned line;
	struct uci_section *section; /* NULL before the first one */
};

static struct uci_option *find(const struct uci_section *s, const char *name)
{
	for (size_t i = 0; i < s->n_option; i++)
		if (strcmp(s->option[i].name, name) == 0)
			return &s->option[i];
	return NULL;
}

const struct uci_option *uci_find(const struct uci_section *s, const char *name)
{
	return find(s, name);
}

const struct uci_value *uci_get(const struct uci_section *s, const char *name)
{
	const struct uci_option *o = find(s, name);

	return o && o->n_value && *o->value[o->n_value - 1].text
		? &o->value[o->n_value - 1]
		: NULL;
}

bool uci_get_bool(const struct uci_section *s, const char *name, bool otherwise)
{
	static const char *const words[2][5] = {
		{"0", "off", "false", "no", "disabled"},
		{"1", "on", "true", "yes", "enabled"},
	};
	const struct uci_value *v = uci_get(s, name);

	for (size_t i = 0; v && i < 10; i++)
		if (strcmp(v->text, words[i / 5][i % 5]) == 0)
			return i / 5;
	return otherwise;
}

void uci_deinit(struct uci *u)
{
	for (size_t i = 0; i < u->n_section; i++) {
		for (size_t k = 0; k < u->section[i].n_option; k++)
			free(u->section[i].option[k].value);
		free(u->section[i].option);
	}
	free(u->section);
	for (size_t i = 0; i < u->n_text; i++)
		free(u->text[i]);
	free(u->text);
	*u = (struct uci){0};
}

static bool is_blank(char o)
{
	return o == ' ' || o == '\t' || o == '\r' || o == '\v' || o == '\f';
}

/* backslash, CR maybe, LF */
static size_t continuation(const char *p)
{
	if (*p != '\\')
		return 0;
	if (p[1] == '\n')
		return 2;
	return p[1] == '\r' && p[2] == '\n' ? 3 : 0;
}

static void skip_blanks(struct reader *r)
{
	size_t n;

	while (is_blank(*r->p) || (n = continuation(r->p))) {
		if (*r->p == '\\') {
			r->p += n;
			r->line++;
		} else {
			r->p++;
		}
	}
}

static bool ends_statement(char o)
{
	return !o || o == '\n' || o == ';' || o == '#';
}

/* A piece in quotes. Returns false if it has no end. */
static bool read_quoted(struct reader *r)
{
	unsigned line = r->line;
	char quote = *r->p++;

	for (; *r->p && *r->p != quote; r->p++) {
		size_t n = quote == '"' ? continuation(r->p) : 0;

		if (n) {
			r->p += n - 1;
			r->line++;
			continue;
		}
		if (quote == '"' && *r->p == '\\' && r->p[1])
			r->p++;
		r->line += *r->p == '\n';
		*r->out++ = *r->p;
	}
	if (!*r->p) {
		convert_error(r->u->c, line, "a quote has no end; add %c", quote);
		return false;
	}
	r->p++;
	return true;
}

/* NULL at the end of the statement. */
static const char *read_word(struct reader *r)
{
	const char *start = r->out;
	size_t n;

	skip_blanks(r);
	if (ends_statement(*r->p))
		return NULL;
	while (!ends_statement(*r->p) && !is_blank(*r->p)) {
		if (*r->p == '\'' || *r->p == '"') {
			if (!read_quoted(r))
				break;
			continue;
		}
		n = continuation(r->p);
		if (n) {
			r->p += n;
			r->line++;
			continue;
		}
		if (*r->p == '\\' && r->p[1])
			r->p++;
		*r->out++ = *r->p++;
	}
	*r->out++ = '\0';
	return start;
}

static void open_section(
	struct reader *r, unsigned line, const char *type, const char *name)
{
	struct uci *u = r->u;
	struct uci_section s = {.type = type,
		.name = name ? name : "",
		.source = r->source,
		.line = line};

	r->section = NULL;
	if (!type || !*type) {
		convert_error(u->c, line, "'config' takes the type of a section");
		return;
	}
	for (size_t i = 0; *s.name && i < u->n_section; i++) {
		if (u->section[i].source == r->source &&
			strcmp(u->section[i].name, name) == 0) {
			r->section = &u->section[i];
			r->section->type = type;
			return;
		}
	}
	if (u->n_section == MAX_SECTIONS) {
		convert_error(u->c, line, "more than %d sections", MAX_SECTIONS);
		u->c->stop = true;
	} else if (convert_grow(u->c, &u->section, u->n_section, sizeof(s))) {
		r->section = &u->section[u->n_section];
		u->section[u->n_section++] = s;
	}
}

static void add_value(
	struct reader *r, unsigned line, const char *name, const char *value, bool list)
{
	struct converter *c = r->u->c;
	struct uci_section *s = r->section;
	struct uci_option *o = find(s, name);
	struct uci_value v = {.text = value, .line = line};

	if (!o) {
		if (s->n_option == MAX_OPTIONS) {
			convert_error(c, line, "more than %d options in a section",
				MAX_OPTIONS);
			c->stop = true;
			return;
		}
		if (!convert_grow(c, &s->option, s->n_option, sizeof(*s->option)))
			return;
		o = &s->option[s->n_option++];
		*o = (struct uci_option){.name = name, .line = line};
	}
	if (!list && o->n_value) {
		/* free the old values; convert_grow() starts again from none */
		free(o->value);
		o->value = NULL;
		o->n_value = 0;
	}
	if (convert_grow(c, &o->value, o->n_value, sizeof(v)))
		o->value[o->n_value++] = v;
}

static void take_option(struct reader *r, unsigned line, const char *keyword,
	const char *name, const char *value)
{
	if (!name || !*name)
		convert_error(r->u->c, line, "'%s' takes a name and a value", keyword);
	else if (r->section)
		add_value(r, line, name, value ? value : "", *keyword == 'l');
	else if (!r->u->n_section)
		convert_error(r->u->c, line,
			"'%s' before the first section; is a line 'config TYPE' missing?",
			keyword);
}

/* One statement. `first` is its first word. */
static void take_statement(struct reader *r, unsigned line, const char *first)
{
	struct converter *c = r->u->c;
	const char *name = read_word(r);
	const char *value = name ? read_word(r) : NULL;
	bool is_option = strcmp(first, "option") == 0 || strcmp(first, "list") == 0;
	bool more = value && (read_word(r) || !ends_statement(*r->p));

	if (more && is_option) {
		convert_error(c, line,
			"too many words; put a value with blanks in quotes: "
			"%s %s 'VALUE'",
			first, config_show(name).s);
	} else if (is_option) {
		take_option(r, line, first, name, value);
	} else if (strcmp(first, "config") == 0) {
		open_section(r, line, name, value);
	} else if (strcmp(first, "package") != 0) {
		if (strchr(first, '=') && strchr(first, '.'))
			convert_error(c, line,
				"this is what 'uci show' prints; take the file "
				"/etc/config/igmpproxy or the output of 'uci export igmpproxy'");
		else
			convert_error(c, line,
				"unknown word '%s'; a line begins with config, option, list or "
				"package",
				config_show(first).s);
	}
}

/* To the start of the next statement. */
static void finish_statement(struct reader *r)
{
	while (read_word(r))
		;
	if (*r->p == '#')
		r->p += strcspn(r->p, "\n");
	if (*r->p == '\n')
		r->line++;
	if (*r->p)
		r->p++;
}

void uci_read(struct uci *u, const struct convert_source *source)
{
	struct converter *c = u->c;
	_cleanup_(freep) char *text = convert_copy_text(c, source);
	struct reader r = {.u = u, .source = source, .p = text, .line = 1};

	if (!text || !convert_grow(c, &u->text, u->n_text, sizeof(*u->text)))
		return;
	/* a word takes at least one byte of input, and its end mark one of output */
	r.out = malloc(2 * strlen(text) + 1);
	if (!r.out) {
		c->no_memory = true;
		return;
	}
	u->text[u->n_text++] = r.out;
	while (*r.p && !c->stop) {
		unsigned line;
		const char *first;

		skip_blanks(&r);
		line = r.line;
		first = read_word(&r);
		if (first)
			take_statement(&r, line, first);
		finish_statement(&r);
	}
}
