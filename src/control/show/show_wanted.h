/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* What a list should contain: the words after a command. */

#include "control/show/view.h"

#include <jansson.h>

/* The words after a command: a group or a range of them, another address or prefix, and
 * an interface, each at most once. All zero means everything. */
struct show_wanted {
	bool has_groups, has_address, has_port;
	struct prefix groups, address;
	unsigned port;
};
/* Reads the words. Returns NULL, or the error to answer. */
json_t *show_wanted_read(
	const struct app *app, const char *args, struct show_wanted *ret);
/* Do the words want it? They do if they name nothing of its kind. */
bool show_wants_group(const struct show_wanted *w, const struct addr *group);
bool show_wants_address(const struct show_wanted *w, const struct addr *a);
bool show_wants_port(const struct show_wanted *w, unsigned port);
/* Returns the only wanted group, or NULL if there may be others. */
const struct addr *show_wanted_group(const struct show_wanted *w);
