/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Names of commands, see command_name.h. */

#include "tools/ctl/command_name.h"

#include "base/cleanup.h"
#include "control/config/config_keyword.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 64
#define WORD_MAX  32

/* The words that may come next. */
struct choice {
	char word[NAMES_MAX][WORD_MAX];
	const char *list[NAMES_MAX + 1]; /* ends with NULL */
	size_t n;
};

/* Word `level` of a name. Returns false if it has fewer. */
static bool word_of(const char *name, size_t level, char ret[WORD_MAX])
{
	for (; level > 0 && *name; level--) {
		name += strcspn(name, " ");
		name += strspn(name, " ");
	}
	snprintf(ret, WORD_MAX, "%.*s", (int)strcspn(name, " "), name);
	return *ret != '\0';
}

static void add(struct choice *c, const char *word)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->word[i], word) == 0)
			return;
	strcpy(c->word[c->n], word);
	c->list[c->n] = c->word[c->n];
	c->list[++c->n] = NULL;
}

/* The words at `level` of the names in `set` that begin with `prefix`. */
static void choices(const char *const *names, size_t n_names, uint64_t set,
	size_t level, const char *prefix, struct choice *ret)
{
	char word[WORD_MAX];

	ret->n = 0;
	ret->list[0] = NULL;
	for (size_t i = 0; i < n_names; i++)
		if ((set >> i & 1) && word_of(names[i], level, word) &&
			strncmp(word, prefix, strlen(prefix)) == 0)
			add(ret, word);
}

static uint64_t with_word(const char *const *names, size_t n_names, uint64_t set,
	size_t level, const char *wanted)
{
	char word[WORD_MAX];
	uint64_t left = 0;

	for (size_t i = 0; i < n_names; i++)
		if ((set >> i & 1) && word_of(names[i], level, word) &&
			strcmp(word, wanted) == 0)
			left |= UINT64_C(1) << i;
	return left;
}

/* The name in `set` that has no more than `level` words, or -1. */
static int whole(const char *const *names, size_t n_names, uint64_t set, size_t level)
{
	char word[WORD_MAX];

	for (size_t i = 0; i < n_names && level > 0; i++)
		if ((set >> i & 1) && !word_of(names[i], level, word))
			return (int)i;
	return -1;
}

/* "capture, clear or convert" */
static void list_words(const struct choice *c, char *buf, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n && n < size; i++)
		n += (size_t)snprintf(buf + n, size - n, "%s%s",
			i == 0		       ? ""
				: i + 1 < c->n ? ", "
					       : " or ",
			c->word[i]);
}

/* Returns the command that has `word` as its second word, for a user who types only
 * "groups"; or NULL. */
static const char *forgotten_word(
	const char *const *names, size_t n_names, const char *word)
{
	char second[WORD_MAX];
	struct choice c;
	const char *near;

	choices(names, n_names, UINT64_MAX, 1, "", &c);
	near = config_suggest_among(word, c.list);
	for (size_t i = 0; i < n_names && near; i++)
		if (word_of(names[i], 1, second) && strcmp(second, near) == 0)
			return names[i];
	return NULL;
}

/* Words that other programs have, with what to do here. */
static const struct {
	const char *after, *word, *advice;
} other_words[] = {
	{"", "start", "the service manager does that: systemctl start ringcast"},
	{"", "stop", "the service manager does that: systemctl stop ringcast"},
	{"", "restart", "the service manager does that: systemctl restart ringcast"},
	{"", "check", "did you mean 'ringcastd -C FILE'?"},
	{"show", "status", "did you mean 'show interfaces', or 'health'?"},
	{"show", "health", "did you mean 'health'?"},
	{"show", "quality", "did you mean 'quality'?"},
	{"show", "log",
		"'log' shows its level; journalctl -u ringcast shows the lines"},
	{"show", "ports", "did you mean 'show interfaces'?"},
	{"show", "routes", "did you mean 'show mfc'?"},
	{"show", "streams", "did you mean 'show mfc'?"},
	{"show", "channels", "did you mean 'show mfc'?"},
	{"show", "hosts", "did you mean 'show groups detail'?"},
	{"show", "members", "did you mean 'show groups detail'?"},
	{"show", "viewers", "did you mean 'show groups detail'?"},
};

static const char *other_word(const char *right, const char *word)
{
	for (size_t i = 0; i < array_len(other_words); i++)
		if (strcmp(other_words[i].after, right) == 0 &&
			strcmp(other_words[i].word, word) == 0)
			return other_words[i].advice;
	return NULL;
}

/* Why `word`, after the words that were right, fits none of the names in `set`. */
static void say_unknown(const char *const *names, size_t n_names, uint64_t set,
	const char *word, struct command_match *m)
{
	const char *blank = *m->right ? " " : "", *near, *whole_name = NULL;
	const char *advice = other_word(m->right, word);
	char list[128] = "";
	struct choice c;

	m->number = COMMAND_UNKNOWN;
	if (advice) {
		snprintf(m->why, sizeof(m->why), "unknown command '%.40s%s%.40s'; %s",
			m->right, blank, word, advice);
		return;
	}
	choices(names, n_names, set, m->used, word, &c);
	if (c.n > 1 && *word) {
		list_words(&c, list, sizeof(list));
		snprintf(m->why, sizeof(m->why), "'%.40s%s%.40s' may be %s", m->right,
			blank, word, list);
		return;
	}
	choices(names, n_names, set, m->used, "", &c);
	near = config_suggest_among(word, c.list);
	if (!near && m->used == 0)
		whole_name = forgotten_word(names, n_names, word);
	if (near || whole_name)
		snprintf(m->why, sizeof(m->why),
			"unknown command '%.40s%s%.40s'; did you mean '%.40s%s%s'?",
			m->right, blank, word, m->right, blank,
			near ? near : whole_name);
	else
		snprintf(m->why, sizeof(m->why), "unknown command '%.40s%s%.40s'%s",
			m->right, blank, word,
			m->used == 0 ? "; 'ringcastctl help' lists them" : "");
	if (!near && m->used > 0)
		m->number = COMMAND_INCOMPLETE;
}

/* Adds one more word. Returns false if no name continues with it; *m then has the
 * reason. */
static bool take_word(const char *const *names, size_t n_names, uint64_t *set,
	const char *word, struct command_match *m)
{
	uint64_t left = with_word(names, n_names, *set, m->used, word);
	size_t len = strlen(m->right);
	struct choice c;

	choices(names, n_names, *set, m->used, word, &c);
	if (!left && (c.n != 1 || !*word)) {
		say_unknown(names, n_names, *set, word, m);
		return false;
	}
	if (!left)
		word = c.word[0];
	snprintf(m->right + len, sizeof(m->right) - len, "%s%s", len ? " " : "", word);
	*set = with_word(names, n_names, *set, m->used, word);
	m->used++;
	return true;
}

void command_find(const char *const *names, size_t n_names, char *const *words,
	size_t n_words, struct command_match *ret)
{
	uint64_t set = UINT64_MAX;

	*ret = (struct command_match){0};
	while (ret->used < n_words && words[ret->used][0] != '-') {
		const char *word = words[ret->used];

		if (whole(names, n_names, set, ret->used) >= 0 &&
			!with_word(names, n_names, set, ret->used, word))
			break; /* an argument */
		if (!take_word(names, n_names, &set, word, ret))
			return;
	}
	ret->number = whole(names, n_names, set, ret->used);
	if (ret->number >= 0)
		return;
	ret->number = COMMAND_INCOMPLETE;
	snprintf(ret->why, sizeof(ret->why), "'%s' needs another word", ret->right);
}
