/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The table of keywords: what each takes, where its value goes, and whether a reload can
 * change it. Parser, printer and the documentation test read the same table.
 */

#include "control/config/config.h"

enum config_kind {
	CONFIG_KIND_FLAG = 1, /* nothing, "on" or "off" -> bool */
	CONFIG_KIND_ON_OFF,   /* on|off -> bool */
	CONFIG_KIND_ROLE,     /* nothing; `lo` is the enum config_role */
	CONFIG_KIND_NUMBER,   /* whole number lo..hi */
	CONFIG_KIND_LENIENT,  /* the same, but text after the digits causes only a
			      * warning */
	CONFIG_KIND_SECONDS,  /* lo..hi are milliseconds -> uint32_t */
	CONFIG_KIND_BYTES,    /* number with K, M or G -> uint32_t */
	CONFIG_KIND_CHOICE,   /* one of `words`; the value is its index + 1 */
	CONFIG_KIND_TEXT,     /* any word -> char * */
	/* absolute path that fits a Unix socket address -> char * */
	CONFIG_KIND_SOCKET,
	CONFIG_KIND_ENDPOINT,	/* ADDR:PORT or :PORT -> char * */
	CONFIG_KIND_CPUS,	/* list of processors -> char * */
	CONFIG_KIND_IFNAME,	/* -> char[IFNAMSIZ] */
	CONFIG_KIND_PHYINT,	/* opens a block */
	CONFIG_KIND_INSTANCE,	/* opens an instance */
	CONFIG_KIND_SSM,	/* prefix, none or default */
	CONFIG_KIND_WEB_ALLOW,	/* prefix of clients */
	CONFIG_KIND_HOST_NAMES, /* path of a file, added to a list */
	CONFIG_KIND_ALTNET,
	CONFIG_KIND_BOUNDARY,
	CONFIG_KIND_FILTER, /* `lo`: 1 whitelist, 0 blacklist */
};

enum config_where {
	CONFIG_GLOBAL = 1,
	CONFIG_BLOCK,	   /* in a phyint block, or before the first one as default */
	CONFIG_BLOCK_ONLY, /* only in a phyint block */
};

struct config_keyword {
	const char *name;
	enum config_where where;
	enum config_kind kind;
	uint16_t offset; /* into struct config, or struct config_iface */
	uint8_t size;	 /* of the number: 1 or 4 */
	uint32_t lo, hi;
	bool or_zero; /* 0 is also legal */
	bool or_auto; /* the word auto is legal and stored as 0 */
	bool fixed;   /* cannot change while the daemon runs */
	bool unused;  /* the value has no effect, so more than hi causes only a
		       * warning */
	const char *const *words;
	const char *takes; /* the argument in the words of a message */
	const char *unset; /* what holds without a value; NULL if it always has one */
};

#define CONFIG_MAX_KEYWORDS 96

extern const struct config_keyword config_keywords[];
extern const size_t config_n_keywords;

const struct config_keyword *config_keyword_find(const char *name);

/* Have two `struct config` (CONFIG_GLOBAL) or two `struct config_iface` the same value?
 * True for keywords that have none or that add to a list. */
bool config_keyword_eq(const struct config_keyword *kw, const void *a, const void *b);

/* The nearest keyword if it is near enough for a typing error, else NULL. */
const char *config_keyword_suggest(const char *word);
/* The same among the words of a choice, NULL-terminated. */
const char *config_suggest_among(const char *word, const char *const *among);
