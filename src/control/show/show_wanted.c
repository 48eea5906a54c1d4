/* SPDX-License-Identifier: GPL-2.0-or-later */

#include "control/show/show_wanted.h"

#include <string.h>

/* NULL, or the error to answer. */
static json_t *take_wanted_word(
	const struct app *app, const char *word, struct show_wanted *w)
{
	struct prefix p;
	const struct proxy_port *pp = proxy_port_named(view_instances(app)->port, word);
	bool host_bits, *has;

	if (pp) {
		w->port = pp->port;
		has = &w->has_port;
	} else if (prefix_parse(word, &p, &host_bits) < 0) {
		return ctl_error(
			"'%s' is not a group, an address or an interface of the "
			"proxy",
			word);
	} else if (addr_is_multicast(&p.addr)) {
		has = &w->has_groups;
		w->groups = p;
	} else {
		has = &w->has_address;
		w->address = p;
	}
	if (*has)
		return ctl_error(
			"'%s' is one word too many: name one group, one address and "
			"one interface at most",
			word);
	*has = true;
	return NULL;
}

json_t *show_wanted_read(
	const struct app *app, const char *args, struct show_wanted *ret)
{
	char word[PREFIX_STRLEN];
	json_t *error = NULL;

	*ret = (struct show_wanted){0};
	while (*args && !error) {
		size_t n = strcspn(args, " ");

		if (n >= sizeof(word))
			return ctl_error(
				"'%s' is not a group, an address or an interface",
				args);
		memcpy(word, args, n);
		word[n] = '\0';
		args += n + strspn(args + n, " ");
		error = take_wanted_word(app, word, ret);
	}
	return error;
}

bool show_wants_group(const struct show_wanted *w, const struct addr *group)
{
	return !w->has_groups || prefix_contains(&w->groups, group);
}

bool show_wants_address(const struct show_wanted *w, const struct addr *a)
{
	return !w->has_address || prefix_contains(&w->address, a);
}

bool show_wants_port(const struct show_wanted *w, unsigned port)
{
	return !w->has_port || w->port == port;
}

const struct addr *show_wanted_group(const struct show_wanted *w)
{
	return w->has_groups && w->groups.len == 128 ? &w->groups.addr : NULL;
}
