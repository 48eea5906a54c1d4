/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Prints the parser's table of keywords as lines with tabs, for test_manual.py:
 *   keyword NAME WHERE KIND LO HI WORDS
 *   default NAME VALUE
 * LO and HI are as a user writes them, or "-" if the kind has none. The defaults are
 * the output of show config for a file that sets nothing.
 */

#include "base/cleanup.h"
#include "control/config/config_keyword.h"

#include <stdio.h>
#include <string.h>

static const char *where_name(enum config_where where)
{
	return where == CONFIG_GLOBAL ? "global" : "interface";
}

static void print_words(const struct config_keyword *k)
{
	static const char *const on_off[] = {"on", "off", NULL};
	const char *const *word = k->kind == CONFIG_KIND_ON_OFF ? on_off : k->words;

	for (; word && *word; word++)
		printf("%s%s", *word, word[1] ? " " : "");
}

static void print_limit(const struct config_keyword *k, uint32_t n)
{
	switch (k->kind) {
	case CONFIG_KIND_SECONDS:
		printf("%.10g\t", n / 1000.0);
		return;
	case CONFIG_KIND_BYTES:
		if (n >> 30)
			printf("%uG\t", n >> 30);
		else
			printf("%uK\t", n >> 10);
		return;
	case CONFIG_KIND_NUMBER:
	case CONFIG_KIND_LENIENT:
		printf("%u\t", n);
		return;
	case CONFIG_KIND_FLAG:
	case CONFIG_KIND_ON_OFF:
	case CONFIG_KIND_ROLE:
	case CONFIG_KIND_CHOICE:
	case CONFIG_KIND_TEXT:
	case CONFIG_KIND_SOCKET:
	case CONFIG_KIND_ENDPOINT:
	case CONFIG_KIND_CPUS:
	case CONFIG_KIND_IFNAME:
	case CONFIG_KIND_PHYINT:
	case CONFIG_KIND_INSTANCE:
	case CONFIG_KIND_SSM:
	case CONFIG_KIND_WEB_ALLOW:
	case CONFIG_KIND_HOST_NAMES:
	case CONFIG_KIND_ALTNET:
	case CONFIG_KIND_BOUNDARY:
	case CONFIG_KIND_FILTER:
		fputs("-\t", stdout);
		return;
	}
}

static int print_defaults(void)
{
	static const char nothing[] = "phyint a upstream\nphyint b downstream\n";
	struct config *c = NULL;
	_cleanup_(freep) char *text = NULL;
	char *save = NULL;

	if (config_parse(nothing, strlen(nothing), &c) != 0)
		return 1;
	text = config_print(c);
	config_free(c);
	if (!text)
		return 1;
	for (char *line = strtok_r(text, "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		char *blank = strchr(line, ' ');

		if (strncmp(line, "phyint", 6) == 0)
			break;
		if (line[0] != '#' && blank)
			printf("default\t%.*s\t%s\n", (int)(blank - line), line,
				blank + 1);
	}
	return 0;
}

int main(void)
{
	for (size_t i = 0; i < config_n_keywords; i++) {
		const struct config_keyword *k = &config_keywords[i];

		printf("keyword\t%s\t%s\t%s\t", k->name, where_name(k->where),
			k->kind == CONFIG_KIND_ROLE ? "role" : "value");
		print_limit(k, k->lo);
		print_limit(k, k->hi);
		print_words(k);
		puts("");
	}
	return print_defaults();
}
