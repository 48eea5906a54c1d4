/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Which line of the file decides about a group or a source, and why. Same rules as
 * config_group_allowed() and config_is_boundary(), as text.
 */

#include "control/config/config.h"

#include <stdio.h>
#include <string.h>

/* The last line that has this prefix. */
static unsigned line_of(
	const struct config_iface *ci, const char *keyword, const struct prefix *x)
{
	for (size_t i = ci->n_place; i > 0; i--)
		if (strcmp(ci->place[i - 1].keyword, keyword) == 0 &&
			prefix_eq(&ci->place[i - 1].prefix, x))
			return ci->place[i - 1].line;
	return 0;
}

static void name_prefix(const struct config_iface *ci, const char *keyword,
	const struct prefix *x, char buf[CONFIG_DECIDE_LEN])
{
	char prefix[PREFIX_STRLEN];

	snprintf(buf, CONFIG_DECIDE_LEN, "'%s %s', line %u", keyword,
		prefix_format(x, prefix), line_of(ci, keyword, x));
}

static bool decide_boundary(const struct config_iface *ci, const struct addr *group,
	char buf[CONFIG_DECIDE_LEN])
{
	for (size_t i = 0; i < ci->n_boundary; i++)
		if (prefix_contains(&ci->boundary[i], group)) {
			name_prefix(ci, "boundary", &ci->boundary[i], buf);
			return true;
		}
	if (!config_is_beyond_scope(ci, group))
		return false;
	snprintf(buf, CONFIG_DECIDE_LEN, "'boundary-scope %u'%s",
		config_boundary_scope(ci),
		ci->boundary_scope ? ""
			: ci->role == CONFIG_ROLE_UPSTREAM
			? ", the default of an upstream"
			: ", the default of a downstream");
	return true;
}

bool config_decide_group(const struct config_iface *ci, const struct addr *group,
	bool lists, char buf[CONFIG_DECIDE_LEN])
{
	buf[0] = '\0';
	if (decide_boundary(ci, group, buf))
		return true;
	for (size_t i = ci->n_filter; lists && i > 0; i--) {
		const struct config_filter *f = &ci->filter[i - 1];

		if (!prefix_contains(&f->groups, group))
			continue;
		name_prefix(ci, f->allow ? "whitelist" : "blacklist", &f->groups, buf);
		return !f->allow;
	}
	if (!lists || !ci->has_whitelist)
		return false;
	snprintf(buf, CONFIG_DECIDE_LEN, "no whitelist names it");
	return true;
}

bool config_decide_source(const struct config_iface *ci, const struct addr *source,
	char buf[CONFIG_DECIDE_LEN])
{
	const struct prefix *best = NULL;

	buf[0] = '\0';
	for (size_t i = 0; i < ci->n_altnet; i++)
		if (prefix_contains(&ci->altnet[i], source) &&
			(!best || ci->altnet[i].len > best->len))
			best = &ci->altnet[i];
	if (best)
		name_prefix(ci, "altnet", best, buf);
	return best != NULL;
}
