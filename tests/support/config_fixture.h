/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Configuration texts of a line or two, and what they mean. */

#include "control/config/config.h"
#include "test.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* every file needs this in addition to the statement under test */
#define ROLES "phyint u upstream phyint d downstream "

static inline struct config *parse(const char *text, int expected)
{
	struct config *c = NULL;
	int r = config_parse(text, strlen(text), &c);

	if (r != expected) {
		print_error("'%s' gives %d\n", text, r);
		for (size_t i = 0; c && i < c->n_message; i++)
			print_error("%u:%u: %s\n", c->message[i].line,
				c->message[i].column, c->message[i].text);
	}
	assert_int_equal(r, expected);
	return c;
}

static inline const struct config_iface *named(const struct config *c, const char *name)
{
	const struct config_iface *ci = config_iface_find(c, name);

	assert_string_equal(ci->name, name);
	return ci;
}
