/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reads a VyOS (or EdgeOS) configuration as JSON, or in the two other forms, which may
 * be mixed:
 *
 *   set protocols igmp-proxy interface eth0 role 'upstream'
 *   protocols { igmp-proxy { interface eth0 { role upstream } } }
 *
 * and keeps the statements below igmp-proxy. The second form may be a whole
 * config.boot, the section alone, or what `show` prints in configuration mode, with its
 * marks of what has changed. Words may be quoted; a comment is the text between
 * slash-asterisk pairs, or a line that begins with '#' or two slashes.
 */

#include "tools/convert/convert_vyos.h"

#include <string.h>

#define MAX_DEPTH      32
#define MAX_STATEMENTS 10000

/* the words of a path with braces, or of a command */
struct path {
	const char *word[64];
	unsigned n;
	bool too_long;
};

struct reader {
	struct vyos *x;
	const char *p; /* next byte to read */
	char *out;     /* where the next word goes */
	unsigned line;
	struct path path;	       /* open sections, then the words of this line */
	unsigned n_open[MAX_DEPTH];    /* words of the path before each section */
	unsigned open_line[MAX_DEPTH]; /* of their braces */
	unsigned depth;
	bool broken; /* a quote of this line has no end */
};

void vyos_deinit(struct vyos *x)
{
	free(x->v);
	free(x->text);
	*x = (struct vyos){0};
}

static void add_word(struct path *p, const char *word)
{
	if (p->n < array_len(p->word))
		p->word[p->n++] = word;
	else
		p->too_long = true;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (strcmp(word, *list) == 0)
			return true;
	return false;
}

/* The words after igmp-proxy, or NULL if the path leads elsewhere. */
static const char *const *inside(const struct path *p, unsigned *ret_n)
{
	static const char *const own[] = {
		"interface", "disable", "disable-quickleave", NULL};
	unsigned skip;

	if (p->n >= 2 && strcmp(p->word[0], "protocols") == 0 &&
		strcmp(p->word[1], "igmp-proxy") == 0)
		skip = 2;
	else if (p->n >= 1 && strcmp(p->word[0], "igmp-proxy") == 0)
		skip = 1;
	else if (p->n >= 1 && is_one_of(p->word[0], own))
		skip = 0; /* the section without its head */
	else
		return NULL;
	*ret_n = p->n - skip;
	return p->word + skip;
}

static void keep(struct reader *r, const char *const *word, unsigned n)
{
	struct vyos *x = r->x;
	struct vyos_statement s = {.n = n, .line = r->line};

	if (n > VYOS_MAX_WORDS) {
		convert_error(x->c, r->line,
			"too many words after '%s'; put a value with blanks in quotes",
			config_show(word[VYOS_MAX_WORDS - 1]).s);
		return;
	}
	if (x->n == MAX_STATEMENTS) {
		convert_error(x->c, r->line, "more than %d settings", MAX_STATEMENTS);
		x->c->stop = true;
		return;
	}
	memcpy(s.word, word, n * sizeof(*word));
	if (convert_grow(x->c, &x->v, x->n, sizeof(*x->v)))
		x->v[x->n++] = s;
}

/* keeps the words of a line after the settings that were recognised */
static void keep_rest(
	struct reader *r, const char *const *word, unsigned from, unsigned n)
{
	const char *rest[VYOS_MAX_WORDS + 1] = {word[0], word[1]};
	unsigned n_rest = 2;

	for (; from < n && n_rest < array_len(rest); from++)
		rest[n_rest++] = word[from];
	if (n_rest > 2)
		keep(r, rest, n_rest);
}

static bool begins_with(
	const struct vyos_statement *s, const char *const *word, unsigned n)
{
	if (s->n < n)
		return false;
	for (unsigned i = 0; i < n; i++)
		if (strcmp(s->word[i], word[i]) != 0)
			return false;
	return true;
}

static void drop(struct reader *r, const char *const *word, unsigned n)
{
	struct vyos *x = r->x;
	size_t kept = 0;

	for (size_t i = 0; i < x->n; i++)
		if (!begins_with(&x->v[i], word, n))
			x->v[kept++] = x->v[i];
	if (kept == x->n)
		convert_warn(x->c, r->line, "nothing of this was set before");
	x->n = kept;
}

/* A quote without an end, or a path that is too long, matters only here. */
static bool sound(struct reader *r)
{
	if (r->broken)
		convert_error(r->x->c, r->line,
			"a quote has no end; add it, or quote the value again");
	else if (r->path.too_long)
		convert_error(r->x->c, r->line, "too many words");
	return !r->broken && !r->path.too_long;
}

static void take_command(struct reader *r)
{
	struct path rest = {.n = r->path.n - 1};
	bool set = strcmp(r->path.word[0], "set") == 0;
	const char *const *word;
	unsigned n;

	memcpy(rest.word, r->path.word + 1, rest.n * sizeof(*rest.word));
	word = inside(&rest, &n);
	if (!word && !(rest.n == 1 && strcmp(rest.word[0], "protocols") == 0))
		return;
	r->x->seen = true;
	if (!sound(r))
		return;
	if (!set)
		drop(r, word, word ? n : 0);
	else if (word && n)
		keep(r, word, n);
}

/* The words since the last brace are one setting or, on one line, several. */
static void take_leaf(struct reader *r)
{
	static const char *const valued[] = {
		"role", "alt-subnet", "threshold", "whitelist", NULL};
	unsigned head = r->depth ? r->n_open[r->depth - 1] : 0, n = 0, i = 2;
	const char *const *word = inside(&r->path, &n);
	unsigned n_open = n - (r->path.n - head); /* those before the brace */

	if (word)
		r->x->seen = true;
	if (word && n && sound(r)) {
		for (; n_open == 2 && i + 2 < n && is_one_of(word[i], valued); i += 2)
			keep(r,
				(const char *[]){
					word[0], word[1], word[i], word[i + 1]},
				4);
		if (i == 2)
			keep(r, word, n);
		else
			keep_rest(r, word, i, n);
	}
	r->path.n = head;
	r->path.too_long = false;
}

static void open_brace(struct reader *r)
{
	unsigned n;

	if (r->depth == MAX_DEPTH) {
		convert_error(r->x->c, r->line, "braces are %d deep", MAX_DEPTH);
		r->x->c->stop = true;
		return;
	}
	if (inside(&r->path, &n)) {
		r->x->seen = true;
		/* an interface counts even if nothing is in it */
		if (sound(r) && n >= 2)
			keep(r, inside(&r->path, &n), n);
	}
	r->open_line[r->depth] = r->line;
	r->n_open[r->depth++] = r->path.n;
}

static void close_brace(struct reader *r)
{
	if (r->path.n > (r->depth ? r->n_open[r->depth - 1] : 0))
		take_leaf(r);
	if (r->depth == 0) {
		convert_error(r->x->c, r->line,
			"a closing brace without an opening one; is the beginning missing?");
		return;
	}
	r->depth--;
	r->path.n = r->depth ? r->n_open[r->depth - 1] : 0;
}

static bool is_blank(char o)
{
	return o == ' ' || o == '\t' || o == '\r';
}

/* One word without its quotes, which may be inside it. With `braces`, a brace ends
 * it. */
static const char *read_word(struct reader *r, bool braces)
{
	const char *start = r->out;
	char quote = 0;

	for (; *r->p && *r->p != '\n'; r->p++) {
		char o = *r->p;

		if (quote ? o == quote : o == '\'' || o == '"') {
			quote = quote ? 0 : o;
			continue;
		}
		if (!quote && (is_blank(o) || (braces && (o == '{' || o == '}'))))
			break;
		if (o == '\\' && quote != '\'' && r->p[1] && r->p[1] != '\n')
			o = *++r->p;
		*r->out++ = o;
	}
	*r->out++ = '\0';
	r->broken |= quote != 0;
	return start;
}

/* Skips blanks and slash-asterisk comments, which may span lines. */
static void skip_blanks(struct reader *r)
{
	for (;;) {
		const char *end;

		while (is_blank(*r->p))
			r->p++;
		if (strncmp(r->p, "/*", 2) != 0)
			return;
		end = strstr(r->p + 2, "*/");
		if (!end) {
			convert_error(
				r->x->c, r->line, "a comment has no end; add '*/'");
			end = r->p + strlen(r->p) - 2;
		}
		for (; r->p < end + 2; r->p++)
			r->line += *r->p == '\n';
	}
}

static void skip_line(struct reader *r)
{
	r->p += strcspn(r->p, "\n");
}

/* set and delete, and the other words that begin a line of commands */
static bool read_command(struct reader *r)
{
	static const char *const commands[] = {"set", "delete", "edit", "top", "up",
		"exit", "commit", "save", "configure", "comment", "run", NULL};
	const char *word;

	if (r->depth || *r->p == '{' || *r->p == '}')
		return false;
	word = r->path.word[0] = read_word(r, true);
	r->path.n = 1;
	if (!is_one_of(word, commands))
		return false;
	for (skip_blanks(r); *r->p && *r->p != '\n'; skip_blanks(r))
		add_word(&r->path, read_word(r, false));
	if (strcmp(word, "set") == 0 || strcmp(word, "delete") == 0)
		take_command(r);
	r->path.n = 0;
	return true;
}

static void read_line(struct reader *r)
{
	r->broken = r->path.too_long = false;
	/* marks of `show`: added, changed, removed */
	if (*r->p == '+' || *r->p == '>')
		r->p++;
	else if (*r->p == '-')
		skip_line(r);
	skip_blanks(r);
	if (*r->p == '#' || strncmp(r->p, "//", 2) == 0)
		skip_line(r);
	if (!*r->p || *r->p == '\n' || read_command(r))
		return;
	for (skip_blanks(r); *r->p && *r->p != '\n'; skip_blanks(r)) {
		if (*r->p == '{')
			open_brace(r);
		else if (*r->p == '}')
			close_brace(r);
		else {
			add_word(&r->path, read_word(r, true));
			continue;
		}
		r->p++;
	}
	if (r->path.n > (r->depth ? r->n_open[r->depth - 1] : 0))
		take_leaf(r);
}

void vyos_read(struct vyos *x, const struct convert_source *source)
{
	_cleanup_(freep) char *text = convert_copy_text(x->c, source);
	struct reader r = {.x = x, .line = 1};

	if (text && text[strspn(text, " \t\r\n")] == '{') {
		char *commands = vyos_commands_of_json(x->c, text);

		free(text);
		text = commands;
		r.line = 0; /* commands made from JSON have no line in the file */
	}
	if (!text)
		return;
	r.p = text;
	/* a word takes at least one byte of input, and its end mark one of output */
	r.out = x->text = malloc(2 * strlen(text) + 1);
	if (!x->text) {
		x->c->no_memory = true;
		return;
	}
	while (!x->c->stop) {
		read_line(&r);
		if (!*r.p)
			break;
		r.p++;
		r.line += r.line > 0;
	}
	if (r.depth)
		convert_error(x->c, r.open_line[r.depth - 1],
			"this brace is not closed; is the end of the file missing?");
}
