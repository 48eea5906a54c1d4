/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that the files of the parser share. Internal to config*.c. */

#include "base/cleanup.h"
#include "control/config/config.h"
#include "control/config/config_keyword.h"
#include "control/config/config_lex.h"

struct config_parser {
	struct config *c;
	struct config_tokens tokens;
	size_t next;
	/* The place for keywords of a block: &c->defaults before the first phyint, then
	 * an entry of c->iface, or &discarded for a block that does not count. NULL
	 * after the end of a block. */
	struct config_iface *block;
	struct config_iface discarded;
	const char *block_name; /* the name after the last phyint, as in the file */
	const char *ended_by;	/* the global keyword that has ended its block */
	bool seen_phyint;
	unsigned instance; /* index of the instance that is open */
	bool ssm_given, ssm_none;
	/* where each keyword was used last, by its index in config_keywords; cleared at
	 * each phyint for keywords of a block */
	struct config_pos given[CONFIG_MAX_KEYWORDS];
	unsigned n_errors;
	bool no_memory; /* sticky */
};

/* A word as messages show it: shortened, and without control characters. The result is
 * valid only in the same full expression: config_show(token->s).s */
struct config_shown {
	char s[64];
};
struct config_shown config_show(const char *word);

void config_say(struct config_parser *p, enum config_severity severity,
	struct config_pos pos, const char *format, ...) _printf_(4, 5);

/* Makes room for one more element in the array *v, which has `n` elements of `size`
 * bytes. Returns false when out of memory. */
bool config_grow(struct config_parser *p, void *v, size_t n, size_t size);

static inline bool config_in_ignored_block(const struct config_parser *p)
{
	return p->block == &p->discarded;
}

static inline struct config_pos *config_given(struct config_parser *p, const char *name)
{
	return &p->given[config_keyword_find(name) - config_keywords];
}

/* Converts the argument and stores it in the field of `kw` in `base`, which is a struct
 * config or a struct config_iface. A fault causes a message. */
typedef void config_set_fn(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg);
config_set_fn config_value, config_add_web_allow, config_add_altnet, config_add_filter,
	config_add_boundary, config_add_ssm;
/* Returns the block with exactly this name or pattern, else the defaults. */
const struct config_iface *config_iface_named(const struct config *c, const char *name);
/* Is it within 224.0.0.0/4 or ff00::/8? */
bool config_is_group_prefix(const struct prefix *x);
/* Adds the usual error: "'altnet' takes ..., not 'x'". */
void config_refuse(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg);
/* Is this word meant as the argument of `kw`, though it is a keyword? */
bool config_value_is_word_of(const struct config_keyword *kw, const char *word);
/* Is it the label of an address, such as eth0:1, instead of an interface? */
bool config_is_label(const char *name);
bool config_check_ifname(
	struct config_parser *p, const char *kw, const struct config_token *arg);

/* Checks at the end of a block, and of the file. */
void config_check_block(struct config_parser *p, const struct config_iface *ci);
void config_check_file(struct config_parser *p);

/* Runs over all tokens and fills p->c and its messages. */
void config_parse_tokens(struct config_parser *p);
void config_iface_deinit(struct config_iface *ci);

#define CONFIG_N_SSM_DEFAULT 17
struct prefix config_ssm_default(size_t i); /* 232.0.0.0/8, ff30::/32 .. ff3f::/32 */
