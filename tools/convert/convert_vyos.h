/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* A VyOS configuration -> what it says about igmp-proxy. Internal to
 * convert_vyos*.c. */

#include "tools/convert/convert_priv.h"

/* "interface eth0 role upstream": the longest statement of igmp-proxy has 4 words */
#define VYOS_MAX_WORDS 6

struct vyos_statement {
	const char *word[VYOS_MAX_WORDS]; /* after "protocols igmp-proxy" */
	unsigned n;
	unsigned line;
};

struct vyos {
	struct converter *c;
	char *text; /* the words live in here */
	struct vyos_statement *v;
	size_t n;
	bool seen; /* igmp-proxy is mentioned at all */
};

/* Reads all forms and applies delete commands. Faults become errors of the
 * conversion. */
void vyos_read(struct vyos *x, const struct convert_source *source);
void vyos_deinit(struct vyos *x);

/* The tree as JSON -> set commands, malloc'ed; NULL after an error or without
 * memory. */
char *vyos_commands_of_json(struct converter *c, const char *text);
