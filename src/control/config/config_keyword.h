/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The table of keywords says what each takes, where its value is stored, and whether a
 * reload can change it. Parser, printer and the test of the documents read this table.
 */

#include "control/config/config.h"

/* What a keyword takes, and (after ->) the type of the field that its value goes to.
 * The order counts: values up to CONFIG_KIND_CHOICE are numbers of `size` bytes, then
 * values up to CONFIG_KIND_CPUS are texts. */
enum config_kind {
	CONFIG_KIND_FLAG = 1, /* nothing, "on" or "off" -> bool */
	CONFIG_KIND_ON_OFF,   /* "on" or "off" -> bool */
	CONFIG_KIND_NUMBER,   /* a whole number lo..hi -> see `size` */
	/* as CONFIG_KIND_NUMBER, but text after the digits causes only a warning */
	CONFIG_KIND_LENIENT,
	CONFIG_KIND_SECONDS, /* seconds; lo..hi are milliseconds -> uint32_t */
	CONFIG_KIND_BYTES,   /* a number with K, M or G -> uint32_t */
	CONFIG_KIND_CHOICE,  /* one of `words` -> its index + 1 */
	CONFIG_KIND_TEXT,    /* any word -> char * */
	/* an absolute path that fits into a Unix socket address -> char * */
	CONFIG_KIND_SOCKET,
	CONFIG_KIND_ENDPOINT,	/* ADDR:PORT or :PORT -> char * */
	CONFIG_KIND_CPUS,	/* a list of processors -> char * */
	CONFIG_KIND_IFNAME,	/* the name of an interface -> char[IFNAMSIZ] */
	CONFIG_KIND_ROLE,	/* nothing -> enum config_role, whose value is `lo` */
	CONFIG_KIND_PHYINT,	/* opens a block */
	CONFIG_KIND_INSTANCE,	/* opens an instance */
	CONFIG_KIND_SSM,	/* prefix, none or default */
	CONFIG_KIND_WEB_ALLOW,	/* prefix of clients */
	CONFIG_KIND_HOST_NAMES, /* path of a file, added to a list */
	CONFIG_KIND_ALTNET,
	CONFIG_KIND_BOUNDARY,
	CONFIG_KIND_FILTER, /* a whitelist if `lo` is 1, a blacklist if it is 0 */
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
	uint8_t size;	 /* bytes of the field of a number: 1 or 4 */
	uint32_t lo, hi;
	bool or_zero; /* 0 is also legal */
	bool or_auto; /* the word auto is legal and stored as 0 */
	bool fixed;   /* cannot change while the daemon runs */
	bool unused; /* it has no effect, so a value above `hi` causes only a warning */
	const char *const *words; /* ends with NULL */
	const char *takes;	  /* the argument in the words of a message */
	const char *unset; /* what holds without a value; NULL if it always has one */
};

#define CONFIG_MAX_KEYWORDS 96

extern const struct config_keyword config_keywords[];
extern const size_t config_n_keywords;

const struct config_keyword *config_keyword_find(const char *name); /* or NULL */

/* Do two `struct config` (CONFIG_GLOBAL) or two `struct config_iface` have the same
 * value? Returns true for keywords that have no value or that add to a list. */
bool config_keyword_eq(const struct config_keyword *kw, const void *a, const void *b);

/* Returns the nearest keyword if it is near enough for a typing error, else NULL. */
const char *config_keyword_suggest(const char *word);
/* Does the same for the words of a choice, which end with NULL. */
const char *config_suggest_among(const char *word, const char *const *among);
