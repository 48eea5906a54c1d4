/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * altnet, whitelist, blacklist, boundary and ssm-range: prefixes of the configuration,
 * and the advice for those that are written in a way that cannot work. Sources and
 * groups are easily confused, so each says when it got the other.
 */

#include "control/config_parse.h"

#include <stdio.h>
#include <string.h>

bool config_is_group_prefix(const struct prefix *x)
{
	return addr_is_multicast(&x->addr) &&
		prefix_len_in_family(x) >= (addr_is_v4(&x->addr) ? 4 : 8);
}

/* Does it contain a group, or lie among them? */
static bool touches_groups(const struct prefix *x)
{
	struct addr first =
		addr_is_v4(&x->addr) ? ADDR_V4(224, 0, 0, 0) : (struct addr){{0xff}};

	return config_is_group_prefix(x) || prefix_contains(x, &first);
}

/* The bits of a netmask in dotted form, or -1. */
static int mask_bits(const char *s)
{
	struct addr a;
	uint32_t mask = 0;
	int n = 0;

	if (addr_parse(s, &a) < 0 || !addr_is_v4(&a))
		return -1;
	for (int i = 0; i < 4; i++)
		mask = mask << 8 | addr_v4_octets(&a)[i];
	if (mask & (~mask >> 1)) /* not ones followed by zeros */
		return -1;
	for (; mask; mask <<= 1)
		n++;
	return n;
}

/* "10/8", "192.168/16", "10": numbers and dots, fewer than four numbers. Returns the
 * length of that part, 0 when it is something else. */
static size_t short_form(const char *s, unsigned *ret_missing)
{
	unsigned n = 0;
	const char *q = s;

	for (;;) {
		uint64_t v;
		const char *rest = config_scan_number(q, &v);

		if (!rest || v > 255 || rest - q > 3)
			break;
		n++;
		q = rest;
		if (*q != '.')
			break;
		q++;
	}
	if (n == 0 || n > 3 || (*q && *q != '/'))
		return 0;
	*ret_missing = 4 - n;
	return (size_t)(q - s) - (q[-1] == '.');
}

static void refuse_prefix(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg)
{
	const char *slash = strchr(arg->s, '/');
	unsigned missing;
	size_t n = short_form(arg->s, &missing);
	char len[8];
	uint64_t bits;

	if (n) {
		snprintf(len, sizeof(len), "/%u", 8 * (4 - missing));
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': write all four numbers of the address, '%.*s%s%s'",
			kw->name, config_show(arg->s).s, (int)n, arg->s,
			&".0.0.0"[2 * (3 - missing)],
			slash ? config_show(slash).s : len);
	} else if (slash && mask_bits(slash + 1) >= 0)
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': write the length of the prefix instead of a netmask, '/%d'",
			kw->name, config_show(arg->s).s, mask_bits(slash + 1));
	else if (slash && !slash[1])
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': the length of the prefix is missing after '/'",
			kw->name, config_show(arg->s).s);
	else if (slash && config_scan_number(slash + 1, &bits) &&
		bits > (strchr(arg->s, ':') ? 128 : 32))
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': the length of the prefix must be from 0 to %d",
			kw->name, config_show(arg->s).s,
			strchr(arg->s, ':') ? 128 : 32);
	else
		config_refuse(p, kw, arg);
}

static bool take_prefix(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg, struct prefix *ret)
{
	const char *slash = strchr(arg->s, '/'), *rest = NULL;
	char norm[PREFIX_STRLEN], head[PREFIX_STRLEN];
	bool host_bits;
	uint64_t v;
	int r = prefix_parse(arg->s, ret, &host_bits);

	if (r < 0 && slash)
		rest = config_scan_number(slash + 1, &v);
	if (rest && *rest && (size_t)(rest - arg->s) < sizeof(head)) {
		snprintf(head, sizeof(head), "%.*s", (int)(rest - arg->s), arg->s);
		r = prefix_parse(head, ret, &host_bits);
	}
	if (r < 0) {
		refuse_prefix(p, kw, arg);
		return false;
	}
	prefix_format(ret, norm);
	if (rest && *rest)
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s': read as %s; remove '%s'", kw->name,
			config_show(arg->s).s, norm, config_show(rest).s);
	else if (host_bits)
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' names a host within the network; it means %s, write it so",
			kw->name, config_show(arg->s).s, norm);
	return true;
}

void config_add_altnet(struct config_parser *p, const struct config_keyword *kw,
	struct config_iface *ci, const struct config_token *arg)
{
	char norm[PREFIX_STRLEN];
	struct prefix x;

	if (!take_prefix(p, kw, arg, &x))
		return;
	if (config_is_group_prefix(&x))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'altnet %s' has no effect: altnet matches sources, not groups; did "
			"you mean 'whitelist'?",
			prefix_format(&x, norm));
	if (config_grow(p, &ci->altnet, ci->n_altnet, sizeof(*ci->altnet)))
		ci->altnet[ci->n_altnet++] = x;
}

void config_add_filter(struct config_parser *p, const struct config_keyword *kw,
	struct config_iface *ci, const struct config_token *arg)
{
	struct config_filter f = {.allow = kw->lo};
	char norm[PREFIX_STRLEN];

	if (!take_prefix(p, kw, arg, &f.groups))
		return;
	if (!touches_groups(&f.groups))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' matches no group: %s matches groups, not sources; did you "
			"mean 'altnet'?",
			kw->name, prefix_format(&f.groups, norm), kw->name);
	if (config_grow(p, &ci->filter, ci->n_filter, sizeof(*ci->filter)))
		ci->filter[ci->n_filter++] = f;
	ci->has_whitelist |= f.allow;
}

static bool refuse_sources(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg, const struct prefix *x)
{
	if (config_is_group_prefix(x))
		return false;
	config_say(p, CONFIG_ERROR, arg->pos,
		"'%s %s' is no range of groups; it must lie in 224.0.0.0/4 or ff00::/8",
		kw->name, config_show(arg->s).s);
	return true;
}

void config_add_boundary(struct config_parser *p, const struct config_keyword *kw,
	struct config_iface *ci, const struct config_token *arg)
{
	struct prefix x;

	if (!take_prefix(p, kw, arg, &x) || refuse_sources(p, kw, arg, &x))
		return;
	if (config_grow(p, &ci->boundary, ci->n_boundary, sizeof(*ci->boundary)))
		ci->boundary[ci->n_boundary++] = x;
}

static void add_ssm(struct config_parser *p, struct prefix x)
{
	struct config *c = p->c;

	if (config_grow(p, &c->ssm, c->n_ssm, sizeof(*c->ssm)))
		c->ssm[c->n_ssm++] = x;
}

void config_add_ssm(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg)
{
	bool none = strcmp(arg->s, "none") == 0;
	bool first = !p->ssm_given;
	struct prefix x;

	if (p->ssm_none || (none && p->ssm_given)) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'ssm-range none' stands alone: remove it, or the other ssm-range");
		return;
	}
	p->ssm_given = true;
	p->ssm_none = none;
	if (none)
		return;
	if (strcmp(arg->s, "default") == 0) {
		if (!first)
			config_say(p, CONFIG_ERROR, arg->pos,
				"'ssm-range default' must come before every other ssm-range");
		for (size_t i = 0; i < CONFIG_N_SSM_DEFAULT; i++)
			add_ssm(p, config_ssm_default(i));
		return;
	}
	if (take_prefix(p, kw, arg, &x) && !refuse_sources(p, kw, arg, &x))
		add_ssm(p, x);
}
