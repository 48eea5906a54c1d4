/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reads what a VyOS configuration says about igmp-proxy. Internal to
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
	char *text; /* owned; the words point into it */
	struct vyos_statement *v;
	size_t n;
	bool seen; /* the file mentions igmp-proxy */
};

/* Reads all forms and applies delete commands. Faults become errors of the
 * conversion. */
void vyos_read(struct vyos *x, const struct convert_source *source);
void vyos_deinit(struct vyos *x);

/* Makes set commands of a configuration in JSON. The caller frees them. Returns NULL
 * after an error, or when out of memory. */
char *vyos_commands_of_json(struct converter *c, const char *text);
