/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The configuration of mcproxy -> ours. One statement ends at ';':
 *
 *   protocol IGMPv3;
 *   pinstance main: eth0 ==> eth1 "eth2";
 *
 * Each pinstance becomes an instance, unless it is the only one. Tables and rules of
 * interfaces cannot be translated without knowing their purpose, so each is named in a
 * warning.
 */

#include "tools/convert/convert_priv.h"

#include <string.h>

#define MAX_WORDS 256 /* of a statement */

struct statement {
	char *word[MAX_WORDS];
	unsigned n, line;
};

struct mcproxy {
	struct converter *c;
	bool ipv6;	  /* protocol MLDv1 or MLDv2 */
	unsigned version; /* of IGMP or MLD */
	unsigned n_instance;
	unsigned n_pinstance; /* in the whole file */
};

/* Cut the next statement out of the text; false at its end. Braces hold a table. */
static bool next_statement(
	struct converter *c, char **p, unsigned *line, struct statement *s)
{
	unsigned depth = 0;
	char *word = NULL;

	s->n = 0;
	for (; **p; (*p)++) {
		char ch = **p;
		bool arrow = strncmp(*p, "==>", 3) == 0;

		if (ch == '#') {
			*p += strcspn(*p, "\n");
			(*p)--;
			ch = ' ';
		}
		*line += ch == '\n';
		depth += ch == '{';
		depth -= ch == '}' && depth > 0;
		if (!strchr(" \t\r\n;:\"", ch) && !arrow) {
			if (!word && s->n < MAX_WORDS)
				s->line = s->n ? s->line : *line;
			if (!word && s->n < MAX_WORDS)
				s->word[s->n++] = *p;
			word = *p;
			continue;
		}
		**p = '\0';
		word = NULL;
		if (arrow && s->n < MAX_WORDS) {
			static char mark[] = "==>";

			s->word[s->n++] = mark;
			*p += 2;
		}
		if (ch == ';' && depth == 0) {
			(*p)++;
			return true;
		}
	}
	if (s->n)
		convert_error(c, s->line, "this statement has no end; add ';'");
	return false;
}

static void take_protocol(struct mcproxy *m, const struct statement *s)
{
	static const struct {
		const char *word;
		bool ipv6;
		unsigned version;
	} t[] = {
		{"IGMPv1", false, 1},
		{"IGMPv2", false, 2},
		{"IGMPv3", false, 3},
		{"MLDv1", true, 1},
		{"MLDv2", true, 2},
	};

	for (size_t i = 0; s->n == 2 && i < array_len(t); i++)
		if (strcmp(s->word[1], t[i].word) == 0) {
			m->ipv6 = t[i].ipv6;
			m->version = t[i].version;
			return;
		}
	convert_error(
		m->c, s->line, "protocol takes IGMPv1, IGMPv2, IGMPv3, MLDv1 or MLDv2");
}

static void put_interface(
	struct mcproxy *m, const struct statement *s, const char *name, bool up)
{
	struct converter *c = m->c;

	if (!convert_check_name(c, s->line, up ? "upstream" : "downstream", name))
		return;
	convert_put(c, NULL, "\nphyint %s %s", name, up ? "upstream" : "downstream");
	if (up)
		convert_put(c, "mcproxy takes streams from any sender", "\taltnet %s",
			m->ipv6 ? "::/0" : "0.0.0.0/0");
	if (m->version < (m->ipv6 ? 2 : 3))
		convert_put(c, NULL, "\t%s %u",
			m->ipv6 ? "mld-version" : "igmp-version", m->version);
}

/* pinstance NAME UPSTREAM... ==> DOWNSTREAM... */
static void take_instance(struct mcproxy *m, const struct statement *s, unsigned arrow)
{
	struct converter *c = m->c;

	if (arrow == 2 || arrow + 1 == s->n) {
		convert_error(c, s->line, "no interface %s '==>'; name one",
			arrow == 2 ? "before" : "after");
		return;
	}
	if (m->n_pinstance > 1)
		convert_put(c, NULL, "\ninstance %s", s->word[1]);
	for (unsigned i = 2; i < s->n; i++)
		if (i > 2 && i < arrow && m->n_pinstance > 1)
			convert_note(c, s->line, "",
				"'%s' is a further upstream of '%s' and is left out, because an "
				"instance has one; give it an instance of its own.",
				config_show(s->word[i]).s, config_show(s->word[1]).s);
		else if (i != arrow)
			put_interface(m, s, s->word[i], i < arrow);
	m->n_instance++;
}

static void take_statement(struct mcproxy *m, const struct statement *s)
{
	unsigned arrow = 2;

	if (strcmp(s->word[0], "protocol") == 0) {
		take_protocol(m, s);
		return;
	}
	while (arrow < s->n && strcmp(s->word[arrow], "==>") != 0)
		arrow++;
	if (strcmp(s->word[0], "pinstance") == 0 && arrow < s->n)
		take_instance(m, s, arrow);
	else if (strcmp(s->word[0], "pinstance") == 0 ||
		strcmp(s->word[0], "table") == 0 || strcmp(s->word[0], "disable") == 0)
		convert_note(m->c, s->line, "",
			"A statement '%s' of mcproxy is left out; see whitelist, blacklist and "
			"altnet for what may pass.",
			s->word[0]);
	else
		convert_error(m->c, s->line,
			"unknown word '%s'; mcproxy knows protocol, pinstance, table and "
			"disable",
			config_show(s->word[0]).s);
}

static bool is_instance(const struct statement *s)
{
	bool arrow = false;

	for (unsigned i = 1; i < s->n; i++)
		arrow |= strcmp(s->word[i], "==>") == 0;
	return s->n > 2 && arrow && strcmp(s->word[0], "pinstance") == 0;
}

/* Lines that must come first, but are known only at the end. */
static void look_ahead(struct mcproxy *m, const struct convert_source *source)
{
	_cleanup_(freep) char *text = convert_copy_text(m->c, source);
	struct statement s;
	unsigned line = 1;
	char *p = text;

	while (p && next_statement(m->c, &p, &line, &s)) {
		m->n_pinstance += is_instance(&s);
		if (s.n && strcmp(s.word[0], "protocol") == 0)
			take_protocol(m, &s);
	}
}

void convert_mcproxy(struct converter *c, const struct convert_source *source)
{
	struct mcproxy m = {.c = c, .version = 3};
	_cleanup_(freep) char *text = NULL;
	struct statement s;
	unsigned line = 1;
	char *p;

	look_ahead(&m, source);
	if (c->result->n_errors || c->no_memory)
		return;
	convert_comment(c, "", "Converted from the mcproxy file %s.",
		config_show(source->name).s);
	convert_put(c, "mcproxy speaks one protocol", m.ipv6 ? "ipv4 off" : "ipv6 off");
	p = text = convert_copy_text(c, source);
	while (p && !c->stop && next_statement(c, &p, &line, &s))
		if (s.n)
			take_statement(&m, &s);
	if (!m.n_instance)
		convert_error(c, 0,
			"no 'pinstance NAME: UPSTREAM ==> DOWNSTREAM...;' in this file");
}
