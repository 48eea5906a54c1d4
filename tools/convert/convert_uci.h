/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* UCI, the configuration files of OpenWrt -> sections. Internal to convert*.c. */

#include "tools/convert/convert_priv.h"

struct uci_value {
	const char *text; /* never NULL */
	unsigned line;
};

struct uci_option {
	const char *name;
	unsigned line;		 /* where it occurs first */
	struct uci_value *value; /* one, or those of a list; may be none */
	size_t n_value;
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
	char **text; /* the words live in here */
	size_t n_text;
};

/* Reads one more file. Faults end in errors. */
void uci_read(struct uci *u, const struct convert_source *source);
void uci_deinit(struct uci *u);

/* NULL when the section does not have it */
const struct uci_option *uci_find(const struct uci_section *s, const char *name);
/* The value of an option, NULL when there is none; of a list the last one. */
const struct uci_value *uci_get(const struct uci_section *s, const char *name);
/* 1, on, true, yes, enabled and their opposites; anything else is `otherwise` */
bool uci_get_bool(const struct uci_section *s, const char *name, bool otherwise);
