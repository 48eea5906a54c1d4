/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * IMProxy's configuration -> ours. One statement per line, words between blanks, '#'
 * before a comment line. IMProxy does not check senders: it forwards every source, and
 * every host may join. It always forwards between the downstreams. Its built-in values
 * are written out as our keywords, so that the new file has the same effect.
 */

#include "tools/convert/convert_priv.h"

#include <string.h>

struct interface {
	const char *name;
	unsigned line;
};

struct improxy {
	struct converter *c;
	unsigned igmp, mld; /* versions; 0 means off */
	unsigned igmp_line, mld_line;
	bool quickleave, down_to_up;
	struct interface upstream;
	struct interface *downstream;
	size_t n_downstream;
};

/* The next word of the line, cut off; NULL at its end. */
static char *next_word(char **line)
{
	char *word;

	do
		word = strsep(line, " \t\r");
	while (word && !*word);
	return word;
}

/* enable or disable */
static bool take_switch(struct improxy *x, unsigned line, const char *statement,
	const char *value, bool *ret)
{
	if (value && strcmp(value, "enable") == 0) {
		*ret = true;
		return true;
	}
	if (value && strcmp(value, "disable") == 0) {
		*ret = false;
		return true;
	}
	convert_error(x->c, line, "'%s' takes enable or disable, not '%s'", statement,
		config_show(value ? value : "").s);
	return false;
}

/* igmp or mld; `max` is the version that 'enable' alone means */
static void take_protocol(struct improxy *x, unsigned line, const char *statement,
	char **rest, unsigned max, unsigned *ret)
{
	const char *word;
	bool on;

	if (!take_switch(x, line, statement, next_word(rest), &on))
		return;
	*ret = on ? max : 0;
	word = on ? next_word(rest) : NULL;
	if (!word || *word == '#')
		return;
	if (strcmp(word, "version") != 0) {
		convert_error(x->c, line,
			"'%s enable' is followed by 'version N' or nothing, not by '%s'",
			statement, config_show(word).s);
		return;
	}
	word = next_word(rest);
	convert_number(x->c, line,
		max == 3 ? "'igmp enable version'" : "'mld enable version'",
		word ? word : "", 1, max, ret);
}

static const struct interface *find_interface(const struct improxy *x, const char *name)
{
	if (x->upstream.name && strcmp(x->upstream.name, name) == 0)
		return &x->upstream;
	for (size_t i = 0; i < x->n_downstream; i++)
		if (strcmp(x->downstream[i].name, name) == 0)
			return &x->downstream[i];
	return NULL;
}

static void take_interface(
	struct improxy *x, unsigned line, const char *statement, const char *name)
{
	bool up = strcmp(statement, "upstream") == 0;
	const struct interface *old;

	if (!name) {
		convert_error(
			x->c, line, "'%s' takes the name of an interface", statement);
		return;
	}
	if (!convert_check_name(x->c, line, statement, name))
		return;
	if (up && x->upstream.name) {
		convert_error(x->c, line,
			"a second upstream; the first one is in line %u. Remove one of them",
			x->upstream.line);
		return;
	}
	old = find_interface(x, name);
	if (old && (up || old == &x->upstream)) {
		convert_error(x->c, line,
			"'%s' is upstream and downstream (line %u); it can be only one",
			config_show(name).s, old->line);
	} else if (old) {
		convert_warn(x->c, line, "'%s' is already in line %u",
			config_show(name).s, old->line);
	} else if (up) {
		x->upstream = (struct interface){name, line};
	} else if (x->n_downstream == 1000) {
		convert_error(x->c, line, "more than 1000 interfaces");
	} else if (convert_grow(x->c, &x->downstream, x->n_downstream,
			   sizeof(*x->downstream))) {
		x->downstream[x->n_downstream++] = (struct interface){name, line};
	}
}

static void take_line(struct improxy *x, unsigned line, char *rest)
{
	const char *word = next_word(&rest), *more;

	if (!word || *word == '#')
		return;
	if (strcmp(word, "igmp") == 0) {
		x->igmp_line = line;
		take_protocol(x, line, word, &rest, 3, &x->igmp);
	} else if (strcmp(word, "mld") == 0) {
		x->mld_line = line;
		take_protocol(x, line, word, &rest, 2, &x->mld);
	} else if (strcmp(word, "upstream") == 0 || strcmp(word, "downstream") == 0) {
		take_interface(x, line, word, next_word(&rest));
	} else if (strcmp(word, "quickleave") == 0) {
		take_switch(x, line, word, next_word(&rest), &x->quickleave);
	} else if (strcmp(word, "down_to_up") == 0) {
		take_switch(x, line, word, next_word(&rest), &x->down_to_up);
	} else {
		convert_error(x->c, line,
			"unknown word '%s'; IMProxy knows igmp, mld, upstream, downstream, "
			"quickleave and down_to_up",
			config_show(word).s);
		return;
	}
	more = next_word(&rest);
	if (more && *more != '#')
		convert_warn(x->c, line, "'%s' is ignored, as IMProxy does",
			config_show(more).s);
}

static void write_global(struct improxy *x)
{
	struct converter *c = x->c;

	if (!x->igmp && !x->mld)
		convert_note(c, 0, "",
			"Neither igmp nor mld is enabled, so IMProxy does nothing with this "
			"file. To begin, remove 'ipv4 off' or 'ipv6 off'.");
	if (x->down_to_up)
		convert_put(c, "down_to_up enable", "forward-from-downstream all");
	else
		convert_put(c, "IMProxy always does that",
			"forward-from-downstream downstream");
	if (x->quickleave)
		convert_put(c, NULL, "quickleave");
	if (!x->igmp)
		convert_put(c, x->igmp_line ? "igmp disable" : "there is no igmp line",
			"ipv4 off");
	if (!x->mld)
		convert_put(c, x->mld_line ? "mld disable" : "there is no mld line",
			"ipv6 off");
}

static void write_upstream(struct improxy *x)
{
	struct converter *c = x->c;

	convert_put(c, NULL, "\nphyint %s upstream", x->upstream.name);
	convert_comment(c, "\t",
		"IMProxy takes streams from any sender. Better name the provider's "
		"networks here, because firewall rules do not apply to ringcast.");
	if (x->igmp)
		convert_put(c, NULL, "\taltnet 0.0.0.0/0");
	if (x->mld) {
		convert_put(c, NULL, "\taltnet ::/0");
		convert_put(c, "IMProxy keeps back link-local groups only",
			"\tboundary-scope 2");
	}
}

static void write_downstream(struct improxy *x, const struct interface *i)
{
	struct converter *c = x->c;

	convert_put(c, NULL, "\nphyint %s downstream", i->name);
	if (x->quickleave)
		convert_put(c, NULL, "\tfast-leave");
	if (x->igmp) {
		if (x->igmp < 3)
			convert_put(c, NULL, "\tigmp-version %u", x->igmp);
		convert_put(c, "IMProxy grants none of these",
			"\tblacklist 239.255.0.0/16");
		convert_put(c, "hosts with any address", "\taltnet 0.0.0.0/0");
	}
	if (x->mld && x->mld < 2)
		convert_put(c, NULL, "\tmld-version %u", x->mld);
}

static void write_all(struct improxy *x)
{
	struct converter *c = x->c;

	if (!x->upstream.name)
		convert_error(
			c, 0, "there is no upstream; add a line 'upstream INTERFACE'");
	if (c->result->n_errors)
		return;
	convert_comment(c, "", "Converted from the IMProxy file %s.",
		config_show(c->source->name).s);
	write_global(x);
	write_upstream(x);
	for (size_t i = 0; i < x->n_downstream; i++)
		write_downstream(x, &x->downstream[i]);
	if (!x->n_downstream)
		convert_note(c, 0, "",
			"There is no downstream: nothing is forwarded until you add "
			"'phyint NAME downstream'.");
}

void convert_improxy(struct converter *c, const struct convert_source *source)
{
	_cleanup_(freep) char *text = convert_copy_text(c, source);
	struct improxy x = {.c = c};
	char *rest = text, *line;

	if (!text)
		return;
	for (unsigned n = 1; (line = strsep(&rest, "\n")) && !c->stop; n++)
		take_line(&x, n, line);
	write_all(&x);
	free(x.downstream);
}
