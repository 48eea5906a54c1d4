/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The common part of the conversions, see convert.h: messages with their lines, output
 * with its comments, and the checks of values. Whatever comes from the input is masked
 * before it goes into a comment, so that no input can write lines of its own.
 */

#include "tools/convert/convert_priv.h"

#include "control/config/config_foreign.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define MAX_ERRORS     20
#define COMMENT_COLUMN 40 /* where a comment after a line begins */
#define WIDTH	       80

static const char *const dialects[] = {
	[CONVERT_IMPROXY] = "improxy",
	[CONVERT_VYOS] = "vyos",
	[CONVERT_MCPROXY] = "mcproxy",
	[CONVERT_OPENWRT] = "openwrt",
};

int convert_dialect_parse(const char *word, enum convert_dialect *ret_dialect)
{
	if (strcmp(word, "edgeos") == 0 || strcmp(word, "unifi") == 0)
		word = "vyos"; /* the same tree */
	for (size_t i = CONVERT_IMPROXY; i < array_len(dialects); i++) {
		if (strcmp(word, dialects[i]) == 0) {
			*ret_dialect = (enum convert_dialect)i;
			return 0;
		}
	}
	return -EINVAL;
}

bool convert_grow(struct converter *c, void *v, size_t n, size_t size)
{
	void *p;

	if (n & (n - 1)) /* room for the next power of two */
		return true;
	memcpy(&p, v, sizeof(p));
	p = reallocarray(p, n ? 2 * n : 1, size);
	if (!p) {
		c->no_memory = true;
		return false;
	}
	memcpy(v, &p, sizeof(p));
	return true;
}

/* takes ownership of `text`; NULL means that memory ran out */
static void add_message(struct converter *c, bool is_error, unsigned line, char *text)
{
	struct conversion *r = c->result;

	if (!text || !convert_grow(c, &r->message, r->n_message, sizeof(*r->message))) {
		free(text);
		c->no_memory = true;
		return;
	}
	r->message[r->n_message] = (struct convert_message){.is_error = is_error,
		.file = c->source->name,
		.line = line,
		.text = text,
		.order = r->n_message};
	r->n_message++;
	r->n_errors += is_error;
}

_printf_(1, 0) static char *format_text(const char *format, va_list ap)
{
	struct config_text t = {0};

	config_text_vadd(&t, format, ap);
	return config_text_take(&t);
}

void convert_error(struct converter *c, unsigned line, const char *format, ...)
{
	va_list ap;

	if (c->stop)
		return;
	va_start(ap, format);
	add_message(c, true, line, format_text(format, ap));
	va_end(ap);
	if (c->result->n_errors == MAX_ERRORS) {
		add_message(c, true, line,
			strdup("too many errors; the rest of the file was not read"));
		c->stop = true;
	}
}

void convert_warn(struct converter *c, unsigned line, const char *format, ...)
{
	va_list ap;

	if (c->stop)
		return;
	va_start(ap, format);
	add_message(c, false, line, format_text(format, ap));
	va_end(ap);
}

static size_t columns(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = s[i] == '\t' ? (n / 8 + 1) * 8 : n + 1;
	return n;
}

void convert_put(struct converter *c, const char *comment, const char *format, ...)
{
	size_t start = c->out.len, used;
	va_list ap;

	va_start(ap, format);
	config_text_vadd(&c->out, format, ap);
	va_end(ap);
	if (comment && !c->out.bad) {
		used = columns(c->out.s + start, c->out.len - start);
		config_text_add(&c->out, "%*s# %s",
			used < COMMENT_COLUMN ? (int)(COMMENT_COLUMN - used) : 1, "",
			comment);
	}
	config_text_add(&c->out, "\n");
}

static void wrap_comment(struct converter *c, const char *indent, const char *text)
{
	size_t room = WIDTH - columns(indent, strlen(indent)) - 2;

	while (*text) {
		size_t n = strlen(text), cut = n;

		if (n > room) {
			for (cut = room; cut > 0 && text[cut] != ' '; cut--)
				;
			if (cut == 0) /* a word that is longer than a line */
				cut = strcspn(text, " ");
		}
		convert_put(c, NULL, "%s# %.*s", indent, (int)cut, text);
		text += cut;
		text += strspn(text, " ");
	}
}

void convert_comment(struct converter *c, const char *indent, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = format_text(format, ap);
	va_end(ap);
	if (text)
		wrap_comment(c, indent, text);
	else
		c->no_memory = true;
}

void convert_note(
	struct converter *c, unsigned line, const char *indent, const char *format, ...)
{
	char *text;
	va_list ap;

	if (c->stop)
		return;
	va_start(ap, format);
	text = format_text(format, ap);
	va_end(ap);
	if (text)
		wrap_comment(c, indent, text);
	add_message(c, false, line, text);
}

bool convert_check_name(
	struct converter *c, unsigned line, const char *what, const char *name)
{
	const char *foreign;
	size_t n = strlen(name);

	if (name[config_foreign_character(name, &foreign)]) {
		convert_error(c, line, "%s '%s' contains %s", what, config_show(name).s,
			foreign);
		return false;
	}
	if (config_is_pattern(name)) {
		convert_error(c, line,
			"%s '%s' would be a pattern in our file, which matches many "
			"interfaces; write the name of one",
			what, config_show(name).s);
		return false;
	}
	if (n >= IFNAMSIZ) {
		convert_error(c, line,
			"%s '%s': the name of an interface has at most %d characters; "
			"see 'ip link'",
			what, config_show(name).s, IFNAMSIZ - 1);
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		unsigned char o = (unsigned char)name[i];

		if (o <= ' ' || o == 0x7f || strchr("/#;:", o)) {
			n = 0;
			break;
		}
	}
	if (n == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		convert_error(c, line,
			"%s '%s' is not a valid name of an interface; see 'ip link'",
			what, config_show(name).s);
		return false;
	}
	return true;
}

bool convert_prefix(struct converter *c, unsigned line, const char *what,
	const char *word, struct prefix *ret)
{
	char norm[PREFIX_STRLEN];
	bool host_bits;

	if (prefix_parse(word, ret, &host_bits) < 0 || !addr_is_v4(&ret->addr)) {
		convert_error(c, line,
			"%s '%s': write an IPv4 network as address and length, such as "
			"10.0.0.0/8",
			what, config_show(word).s);
		return false;
	}
	if (host_bits)
		convert_warn(c, line, "%s '%s' is the network %s", what,
			config_show(word).s, prefix_format(ret, norm));
	return true;
}

void convert_altnet(
	struct converter *c, unsigned line, const char *what, const char *word)
{
	char norm[PREFIX_STRLEN];
	struct prefix x;

	if (!convert_prefix(c, line, what, word, &x))
		return;
	prefix_format(&x, norm);
	if (config_is_group_prefix(&x)) {
		convert_note(c, line, "\t",
			"%s %s has no effect: it means senders, and no sender has such an "
			"address. To choose groups use whitelist.",
			what, norm);
		convert_put(c, NULL, "\t#altnet %s", norm);
		return;
	}
	convert_put(c, NULL, "\taltnet %s", norm);
}

void convert_filter(struct converter *c, unsigned line, const char *keyword,
	const char *what, const char *word)
{
	char norm[PREFIX_STRLEN];
	struct prefix x;

	if (convert_prefix(c, line, what, word, &x))
		convert_put(c, NULL, "\t%s %s", keyword, prefix_format(&x, norm));
}

bool convert_number(struct converter *c, unsigned line, const char *what,
	const char *word, unsigned lo, unsigned hi, unsigned *ret)
{
	uint64_t v;
	const char *rest = config_scan_number(word, &v);

	if (!rest || *rest || v < lo || v > hi) {
		convert_error(c, line, "%s takes a number from %u to %u, not '%s'",
			what, lo, hi, config_show(word).s);
		return false;
	}
	*ret = (unsigned)v;
	return true;
}

char *convert_copy_text(struct converter *c, const struct convert_source *source)
{
	static const char bom[] = "\xef\xbb\xbf";
	const char *text = source->text, *nul;
	size_t len = source->len;
	unsigned line = 1;
	char *copy;

	c->source = source;
	if (len >= 3 && memcmp(text, bom, 3) == 0) {
		text += 3;
		len -= 3;
	}
	nul = len ? memchr(text, '\0', len) : NULL;
	if (nul) {
		for (const char *p = text; p < nul; p++)
			line += *p == '\n';
		convert_error(c, line, "a NUL byte; this is not a text file");
		return NULL;
	}
	copy = malloc(len + 1);
	if (!copy) {
		c->no_memory = true;
		return NULL;
	}
	if (len)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

const char *convert_role(const char *word)
{
	static const char *const roles[] = {"upstream", "downstream", "disabled"};

	for (size_t i = 0; i < array_len(roles); i++)
		if (strcmp(word, roles[i]) == 0)
			return roles[i];
	return NULL;
}

static int compare_messages(const void *pa, const void *pb)
{
	const struct convert_message *a = pa, *b = pb;

	if (a->file == b->file && a->line != b->line)
		return a->line - 1 < b->line - 1 ? -1 : 1; /* 0 wraps around */
	return a->order < b->order ? -1 : 1;
}

/* Sorts the messages of each source by line; the sources already are in order. */
static void sort_messages(struct conversion *r)
{
	for (size_t from = 0, to; from < r->n_message; from = to) {
		for (to = from + 1; to < r->n_message; to++)
			if (r->message[to].file != r->message[from].file)
				break;
		qsort(r->message + from, to - from, sizeof(*r->message),
			compare_messages);
	}
}

struct conversion *conversion_free(struct conversion *r)
{
	if (!r)
		return NULL;
	for (size_t i = 0; i < r->n_message; i++)
		free(r->message[i].text);
	free(r->message);
	free(r->text);
	free(r);
	return NULL;
}

int convert_run(enum convert_dialect dialect, const struct convert_source *source,
	size_t n_source, const struct convert_device *device, size_t n_device,
	struct conversion **ret)
{
	struct converter c = {.source = source, .device = device, .n_device = n_device};

	c.result = calloc(1, sizeof(*c.result));
	if (!c.result)
		return -ENOMEM;
	switch (dialect) {
	case CONVERT_IMPROXY:
		convert_improxy(&c, source);
		break;
	case CONVERT_VYOS:
		convert_vyos(&c, source);
		break;
	case CONVERT_MCPROXY:
		convert_mcproxy(&c, source);
		break;
	case CONVERT_OPENWRT:
		convert_openwrt(&c, source, n_source);
		break;
	}
	c.no_memory |= c.out.bad;
	if (!c.no_memory && c.result->n_errors == 0) {
		c.result->text = config_text_take(&c.out);
		c.no_memory = !c.result->text;
	}
	config_text_deinit(&c.out);
	if (c.no_memory) {
		conversion_free(c.result);
		return -ENOMEM;
	}
	sort_messages(c.result);
	*ret = c.result;
	return c.result->n_errors ? 1 : 0;
}
