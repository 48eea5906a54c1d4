/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Statements of the configuration. Global keywords are allowed anywhere. A phyint opens
 * a block, and the next global keyword ends it, as in igmpproxy. Keywords of a block
 * before the first phyint are the defaults of every block.
 *
 * After a fault the parser continues, so that one run shows all of them. It gives at
 * most one message about unknown words per line.
 */

#include "control/config/config_parse.h"
#include "control/config/config_foreign.h"
#include "control/config/config_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_ERRORS 25

struct config_shown config_show(const char *word)
{
	struct config_shown r;
	size_t n = 0;

	for (; *word; word++) {
		unsigned char c = (unsigned char)*word;

		if (n + sizeof("\\xff...") > sizeof(r.s)) {
			n += (size_t)snprintf(r.s + n, sizeof(r.s) - n, "...");
			break;
		}
		if (c < 0x20 || c >= 0x7f)
			n += (size_t)snprintf(r.s + n, sizeof(r.s) - n, "\\x%02x", c);
		else
			r.s[n++] = (char)c;
	}
	r.s[n] = '\0';
	return r;
}

bool config_grow(struct config_parser *p, void *v, size_t n, size_t size)
{
	void *old, *grown;

	memcpy(&old, v, sizeof(old));
	grown = reallocarray(old, n + 1, size);
	if (!grown) {
		p->no_memory = true;
		return false;
	}
	memcpy(v, &grown, sizeof(grown));
	return true;
}

void config_say(struct config_parser *p, enum config_severity severity,
	struct config_pos pos, const char *format, ...)
{
	struct config_message m = {
		.severity = severity, .line = pos.line, .column = pos.column};
	struct config_text text = {0};
	va_list ap;

	/* advice about a block that does not count would be misleading */
	if (severity == CONFIG_WARNING && config_in_ignored_block(p))
		return;
	if (severity == CONFIG_ERROR)
		p->n_errors++;
	va_start(ap, format);
	config_text_vadd(&text, format, ap);
	va_end(ap);
	m.text = config_text_take(&text);
	if (m.text && config_grow(p, &p->c->message, p->c->n_message, sizeof(m)))
		p->c->message[p->c->n_message++] = m;
	else {
		free(m.text);
		p->no_memory = true;
	}
}

/* Skip the rest of the line, up to a new phyint. */
static void skip_line(struct config_parser *p, unsigned line)
{
	for (; p->next < p->tokens.n; p->next++) {
		const struct config_token *t = &p->tokens.v[p->next];

		if (t->pos.line != line || strcmp(t->s, "phyint") == 0)
			return;
	}
}

/* Is the word that was just read the one after "phyint NAME"? */
static bool follows_phyint(const struct config_parser *p)
{
	return p->next >= 3 && strcmp(p->tokens.v[p->next - 3].s, "phyint") == 0;
}

static bool next_is_role(const struct config_parser *p)
{
	const struct config_keyword *kw = p->next < p->tokens.n
		? config_keyword_find(p->tokens.v[p->next].s)
		: NULL;

	return kw && kw->kind == CONFIG_KIND_ROLE;
}

/* Reports an unknown word. Returns the keyword that was probably meant, which is then
 * obeyed, because the next words belong to it. */
static const struct config_keyword *unknown_word(
	struct config_parser *p, const struct config_token *t)
{
	const char *near = config_keyword_suggest(t->s);
	const char *advice = config_foreign_advice(t->s);
	struct prefix x;

	if (advice) {
		config_say(p, CONFIG_ERROR, t->pos, "unknown word '%s': %s",
			config_show(t->s).s, advice);
		/* each further line would only report one more consequence */
		p->next = p->tokens.n;
		return NULL;
	}
	if (near) {
		config_say(p, CONFIG_ERROR, t->pos,
			"unknown word '%s'; did you mean '%s'?", config_show(t->s).s,
			near);
		return config_keyword_find(near);
	}
	if (prefix_parse(t->s, &x, NULL) == 0)
		config_say(p, CONFIG_ERROR, t->pos,
			"'%s' has no keyword; each prefix needs its own altnet, whitelist, "
			"blacklist or boundary before it",
			config_show(t->s).s);
	else if (follows_phyint(p) && next_is_role(p))
		config_say(p, CONFIG_ERROR, t->pos,
			"'%s' is one name too many; each interface has a phyint line of its "
			"own",
			config_show(t->s).s);
	else if (follows_phyint(p))
		config_say(p, CONFIG_ERROR, t->pos,
			"'%s' is not a role; write upstream (towards the provider), downstream "
			"(towards the hosts) or disabled",
			config_show(t->s).s);
	else
		config_say(p, CONFIG_ERROR, t->pos,
			"unknown word '%s'; remove it, or put '#' before it if it is a comment",
			config_show(t->s).s);
	skip_line(p, t->pos.line);
	return NULL;
}

static bool takes_any_word(const struct config_keyword *kw)
{
	return kw->kind == CONFIG_KIND_TEXT || kw->kind == CONFIG_KIND_IFNAME ||
		kw->kind == CONFIG_KIND_PHYINT;
}

/* The argument of a keyword; NULL after a message if it is missing. */
static const struct config_token *take_argument(struct config_parser *p,
	const struct config_keyword *kw, const struct config_token *at)
{
	const struct config_token *t = &p->tokens.v[p->next];

	if (p->next == p->tokens.n) {
		config_say(p, CONFIG_ERROR, at->pos,
			"'%s' takes %s, but the file ends here", kw->name, kw->takes);
		return NULL;
	}
	if (config_keyword_find(t->s) && !config_value_is_word_of(kw, t->s) &&
		(!takes_any_word(kw) || t->pos.line != at->pos.line)) {
		config_say(p, CONFIG_ERROR, at->pos, "'%s' takes %s, but '%s' follows",
			kw->name, kw->takes, t->s);
		return NULL;
	}
	p->next++;
	return t;
}

static bool next_is_on_off(const struct config_parser *p)
{
	const char *s = p->next < p->tokens.n ? p->tokens.v[p->next].s : "";

	return strcmp(s, "on") == 0 || strcmp(s, "off") == 0;
}

/* The kernel's own setting counts if the file does not set the version. */
static void note_version(const struct config_keyword *kw, void *base)
{
	struct config_iface *ci = base;

	if (kw->where == CONFIG_GLOBAL)
		return;
	ci->version_given[FAMILY_IPV4] |=
		kw->offset == offsetof(struct config_iface, igmp_version);
	ci->version_given[FAMILY_IPV6] |=
		kw->offset == offsetof(struct config_iface, mld_version);
}

/* Stores the values of a keyword into `base`. */
static void apply_keyword(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *at)
{
	static char on[] = "on";
	const struct config_token *arg;

	p->given[kw - config_keywords] = at->pos;
	if (kw->kind == CONFIG_KIND_FLAG && !next_is_on_off(p)) {
		config_value(p, kw, base, &(struct config_token){on, at->pos});
		return;
	}
	arg = take_argument(p, kw, at);
	if (!arg)
		return;
	config_value(p, kw, base, arg);
	note_version(kw, base);
}

static void end_block(struct config_parser *p, const char *by)
{
	if (!p->seen_phyint || !p->block)
		return;
	if (!config_in_ignored_block(p))
		config_check_block(p, p->block);
	config_iface_deinit(&p->discarded);
	p->block = NULL;
	p->ended_by = by;
}

/* Makes `*v` a copy of the list that it points to; NULL on failure. */
static bool copy_list(struct config_parser *p, void *v, size_t n, size_t size)
{
	void *from, *copy = NULL;

	memcpy(&from, v, sizeof(from));
	if (n)
		copy = reallocarray(NULL, n, size);
	if (copy)
		memcpy(copy, from, n * size);
	memcpy(v, &copy, sizeof(copy));
	p->no_memory |= n && !copy;
	return !p->no_memory;
}

static bool copy_defaults(struct config_parser *p, struct config_iface *ci)
{
	bool ok;

	*ci = p->c->defaults;
	/* all of them, so that none is shared with the defaults */
	ok = copy_list(p, &ci->altnet, ci->n_altnet, sizeof(*ci->altnet));
	ok &= copy_list(p, &ci->filter, ci->n_filter, sizeof(*ci->filter));
	ok &= copy_list(p, &ci->boundary, ci->n_boundary, sizeof(*ci->boundary));
	ok &= copy_list(p, &ci->place, ci->n_place, sizeof(*ci->place));
	return ok;
}

/* The block of a new interface, or NULL if it does not count. */
static struct config_iface *new_block(struct config_parser *p,
	const struct config_token *at, const struct config_token *arg)
{
	struct config *c = p->c;
	const struct config_iface *first;
	struct config_iface *ci;

	if (!arg || !config_check_ifname(p, "phyint", arg))
		return NULL;
	first = config_iface_named(c, arg->s);
	if (first != &c->defaults && first->instance != p->instance) {
		config_say(p, CONFIG_ERROR, at->pos,
			"'phyint %s' is already at line %u, in another instance; an interface "
			"belongs to one instance, remove it from one of them",
			config_show(arg->s).s, first->line);
		return NULL;
	}
	if (first != &c->defaults) {
		config_say(p, CONFIG_WARNING, at->pos,
			"'phyint %s' is already at line %u; that one counts, this one is "
			"ignored, remove one of them",
			config_show(arg->s).s, first->line);
		return NULL;
	}
	if (!config_grow(p, &c->iface, c->n_iface, sizeof(*c->iface)))
		return NULL;
	ci = &c->iface[c->n_iface];
	if (!copy_defaults(p, ci)) {
		config_iface_deinit(ci);
		return NULL;
	}
	c->n_iface++;
	snprintf(ci->name, sizeof(ci->name), "%s", arg->s);
	ci->pattern = config_is_pattern(ci->name);
	ci->label = config_is_label(ci->name);
	ci->instance = p->instance;
	ci->line = at->pos.line;
	ci->column = at->pos.column;
	ci->role = c->defaultdown ? CONFIG_ROLE_DOWNSTREAM : CONFIG_ROLE_DISABLED;
	return ci;
}

static void phyint(struct config_parser *p, const struct config_token *at)
{
	const struct config_token *arg =
		take_argument(p, config_keyword_find("phyint"), at);

	p->seen_phyint = true;
	p->block_name = arg ? arg->s : "phyint";
	for (size_t i = 0; i < config_n_keywords; i++)
		if (config_keywords[i].where != CONFIG_GLOBAL)
			p->given[i] = (struct config_pos){0};
	p->block = new_block(p, at, arg);
	if (!p->block)
		p->block = &p->discarded;
}

static bool is_instance_name(const char *s)
{
	size_t n = strspn(
		s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return n > 0 && n < CONFIG_INSTANCE_MAX && s[n] == '\0';
}

static void instance(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *at)
{
	const struct config_token *arg = take_argument(p, kw, at);
	struct config *c = p->c;
	struct config_instance *in;

	if (!arg)
		return;
	if (!is_instance_name(arg->s)) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'instance %s': a name has 1 to %d letters, digits, '-', '_' or '.'",
			config_show(arg->s).s, CONFIG_INSTANCE_MAX - 1);
		return;
	}
	for (size_t i = 1; i < c->n_instance; i++)
		if (strcmp(c->instance[i].name, arg->s) == 0) {
			config_say(p, CONFIG_ERROR, at->pos,
				"'instance %s' is already at line %u; put all its interfaces "
				"there",
				arg->s, c->instance[i].line);
			p->instance = (unsigned)i;
			return;
		}
	if (!config_grow(p, &c->instance, c->n_instance, sizeof(*c->instance)))
		return;
	p->instance = (unsigned)c->n_instance;
	in = &c->instance[c->n_instance++];
	*in = (struct config_instance){.line = at->pos.line, .column = at->pos.column};
	snprintf(in->name, sizeof(in->name), "%s", arg->s);
}

static void global(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *at)
{
	end_block(p, kw->name);
	if (kw->kind == CONFIG_KIND_PHYINT) {
		phyint(p, at);
		return;
	}
	if (kw->kind == CONFIG_KIND_INSTANCE) {
		instance(p, kw, at);
		return;
	}
	if (kw->offset == offsetof(struct config, hashtablesize) && !p->c->quickleave)
		config_say(p, CONFIG_WARNING, at->pos,
			"'hashtablesize' has no effect here, and igmpproxy refuses it without "
			"an earlier 'quickleave'; remove it");
	apply_keyword(p, kw, p->c, at);
}

/* The interface of a phyint on the rest of this line, or NAME. */
static const char *next_phyint(const struct config_parser *p)
{
	const struct config_token *t = &p->tokens.v[p->next];

	return p->next + 1 < p->tokens.n && strcmp(t->s, "phyint") == 0 &&
			t[1].pos.line == t[-1].pos.line
		? t[1].s
		: "NAME";
}

/* A keyword of a block outside of a block; its argument is skipped. */
static void misplaced(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *at)
{
	if (p->seen_phyint)
		config_say(p, CONFIG_ERROR, at->pos,
			"'%s' belongs to a phyint, but '%s' has ended the block of '%s'; put it "
			"before '%s'",
			kw->name, p->ended_by, config_show(p->block_name).s,
			p->ended_by);
	else
		config_say(p, CONFIG_ERROR, at->pos,
			"'%s' must follow the interface it is about: 'phyint %s %s%s'",
			kw->name, config_show(next_phyint(p)).s, kw->name,
			kw->kind == CONFIG_KIND_IFNAME ? " OTHER" : "");
	skip_line(p, at->pos.line);
}

static void set_role(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *at)
{
	static const char roles[][12] = {"upstream", "downstream", "disabled"};

	for (size_t i = 0; i < array_len(roles); i++)
		if (config_given(p, roles[i])->line &&
			strcmp(roles[i], kw->name) != 0) {
			config_say(p, CONFIG_WARNING, at->pos,
				"'%s' has two roles, '%s' and '%s'; the last one counts, "
				"remove the other",
				config_show(p->block_name).s, roles[i], kw->name);
			*config_given(p, roles[i]) = (struct config_pos){0};
		}
	*config_given(p, kw->name) = at->pos;
	p->block->role = (enum config_role)kw->lo;
}

static void statement(struct config_parser *p)
{
	const struct config_token *at = &p->tokens.v[p->next++];
	const struct config_keyword *kw = config_keyword_find(at->s);

	if (!kw)
		kw = unknown_word(p, at);
	if (!kw)
		return;
	if (kw->where == CONFIG_GLOBAL)
		global(p, kw, at);
	else if (!p->block || (kw->where == CONFIG_BLOCK_ONLY && !p->seen_phyint))
		misplaced(p, kw, at);
	else if (kw->kind == CONFIG_KIND_ROLE)
		set_role(p, kw, at);
	else
		apply_keyword(p, kw, p->block, at);
}

/* Words with such characters are wrong in any case. Messages about them as keywords or
 * values would be misleading. */
static bool has_foreign_characters(struct config_parser *p)
{
	const char *what;

	for (size_t i = 0; i < p->tokens.n && p->n_errors < MAX_ERRORS; i++) {
		const struct config_token *t = &p->tokens.v[i];
		size_t at = config_foreign_character(t->s, &what);

		if (t->s[at])
			config_say(p, CONFIG_ERROR,
				(struct config_pos){
					t->pos.line, t->pos.column + (unsigned)at},
				"'%s' contains %s", config_show(t->s).s, what);
	}
	return p->n_errors > 0;
}

void config_parse_tokens(struct config_parser *p)
{
	if (has_foreign_characters(p))
		return;
	p->block = &p->c->defaults;
	while (p->next < p->tokens.n && !p->no_memory) {
		if (p->n_errors >= MAX_ERRORS) {
			config_say(p, CONFIG_ERROR, p->tokens.v[p->next].pos,
				"too many errors, the rest was not read; correct these first");
			return;
		}
		statement(p);
	}
	end_block(p, "the end of the file");
}
