/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Reads the sections of UCI files, the configuration of OpenWrt. Internal to
 * convert*.c. */

#include "tools/convert/convert_priv.h"

struct uci_value {
	const char *text; /* never NULL */
	unsigned line;
};

struct uci_option {
	const char *name;
	unsigned line;		 /* of its first value */
	struct uci_value *value; /* one, or those of a list */
	size_t n_value;		 /* may be 0 */
};

struct uci_section {
	const char *type, *name; /* `name` is empty if it has none */
	const struct convert_source *source;
	unsigned line;
	struct uci_option *option;
	size_t n_option;
};

struct uci {
	struct converter *c;
	struct uci_section *section;
	size_t n_section;
	char **text; /* owned; the words point into these texts */
	size_t n_text;
};

/* Reads one more file. Faults become errors of the conversion. */
void uci_read(struct uci *u, const struct convert_source *source);
void uci_deinit(struct uci *u);

/* Returns the option, or NULL if the section does not have it. */
const struct uci_option *uci_find(const struct uci_section *s, const char *name);
/* Returns the value of an option, or the last value of a list, or NULL if there is
 * none. */
const struct uci_value *uci_get(const struct uci_section *s, const char *name);
/* Understands 1, on, true, yes, enabled and their opposites. Returns `otherwise` for
 * anything else. */
bool uci_get_bool(const struct uci_section *s, const char *name, bool otherwise);
