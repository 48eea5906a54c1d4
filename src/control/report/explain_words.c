/* SPDX-License-Identifier: GPL-2.0-or-later */

/* See explain_words.h. */

#include "control/report/explain_words.h"

#include "control/config/channels_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define WORD_LEN 128

__attribute__((__format__(__printf__, 2, 3))) static bool refuse_words(
	char error[EXPLAIN_WORDS_ERROR], const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(error, EXPLAIN_WORDS_ERROR, format, ap);
	va_end(ap);
	return false;
}

/* Returns false if there is none, or if it is too long. */
static bool copy_word(const char **text, char *word, size_t size)
{
	size_t n = strcspn(*text, " ");

	if (n == 0 || n >= size)
		return false;
	memcpy(word, *text, n);
	word[n] = '\0';
	*text += n + strspn(*text + n, " ");
	return true;
}

/* "udp://@239.1.2.3:5000?pkt_size=1316" to "@239.1.2.3:5000", and
 * "http://router:4022/udp/239.1.2.3:5000", as udpxy has it, to "239.1.2.3:5000" */
static char *without_scheme(char *word)
{
	char *p = strstr(word, "://"), *path;

	if (!p)
		return word;
	p += 3;
	path = strstr(p, "/udp/");
	if (!path)
		path = strstr(p, "/rtp/");
	if (path && strncmp(word, "http", 4) == 0)
		p = path + 5;
	p[strcspn(p, "/?#")] = '\0';
	return p;
}

static bool read_address(const char *s, struct addr *ret)
{
	return channels_host((struct channels_text){s, strlen(s)}, ret);
}

/* GROUP, or SOURCE@GROUP of a playlist. */
static bool read_group(
	char *word, struct explain_words *ret, char error[EXPLAIN_WORDS_ERROR])
{
	char *group = without_scheme(word), *at = strchr(group, '@');

	if (at) {
		*at = '\0';
		if (at != group && !read_address(group, &ret->source))
			return refuse_words(
				error, "'%.60s' is not the address of a source", group);
		ret->has_source = at != group;
		group = at + 1;
	}
	if (!read_address(group, &ret->group))
		return refuse_words(error, "'%.60s' is not an address", group);
	return true;
}

static bool read_interface_name(const char **text, const char *keyword, char *name,
	char error[EXPLAIN_WORDS_ERROR])
{
	if (copy_word(text, name, IFNAMSIZ))
		return true;
	return refuse_words(error, "%s needs an interface", keyword);
}

/* The words after the group. */
static bool read_rest(
	const char *text, struct explain_words *ret, char error[EXPLAIN_WORDS_ERROR])
{
	char word[WORD_LEN];

	while (*text) {
		if (!copy_word(&text, word, sizeof(word)))
			return refuse_words(error, "a word is too long");
		if (strcmp(word, "from") == 0 || strcmp(word, "on") == 0) {
			if (!read_interface_name(&text, word,
				    *word == 'f' ? ret->from : ret->on, error))
				return false;
			continue;
		}
		if (ret->has_source)
			return refuse_words(
				error, "'%.60s' is one word too many", word);
		if (!read_address(word, &ret->source))
			return refuse_words(
				error, "'%.60s' is not the address of a source", word);
		ret->has_source = true;
	}
	return true;
}

bool explain_words_read(
	const char *text, struct explain_words *ret, char error[EXPLAIN_WORDS_ERROR])
{
	char word[WORD_LEN];

	*ret = (struct explain_words){0};
	if (!copy_word(&text, word, sizeof(word)))
		return refuse_words(error,
			*text ? "a word is too long"
			      : "which group? GROUP [SOURCE] [from INTERFACE] [on INTERFACE]");
	if (!read_group(word, ret, error) || !read_rest(text, ret, error))
		return false;
	if (ret->has_source && addr_family(&ret->source) != addr_family(&ret->group))
		return refuse_words(
			error, "group and source are of different families");
	return true;
}
