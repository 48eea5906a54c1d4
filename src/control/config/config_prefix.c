/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * altnet, whitelist, blacklist, boundary, ssm-range and web-allow: prefixes, and advice
 * for those that cannot work as they are written. Sources and groups are easily
 * confused, so each keyword says when it got the other.
 */

#include "base/bytes.h"
#include "control/config/config_parse.h"
#include "control/config/config_text.h"

#include <stdio.h>
#include <string.h>

bool config_is_group_prefix(const struct prefix *x)
{
	return addr_is_multicast(&x->addr) &&
		prefix_len_in_family(x) >= (addr_is_v4(&x->addr) ? 4 : 8);
}

/* Does it contain a group, or is it contained in a range of groups? */
static bool touches_groups(const struct prefix *x)
{
	struct addr first =
		addr_is_v4(&x->addr) ? ADDR_V4(224, 0, 0, 0) : (struct addr){{0xff}};

	return config_is_group_prefix(x) || prefix_contains(x, &first);
}

/* Is every group in it one that never leaves its link? */
static bool is_local_range(const struct prefix *x)
{
	if (!config_is_group_prefix(x) || !addr_is_local_group(&x->addr))
		return false;
	return prefix_len_in_family(x) >= (addr_is_v4(&x->addr) ? 24 : 16);
}

/* The bits of a netmask in dotted form, or -1. */
static int mask_bits(const char *s)
{
	struct addr a;
	uint32_t mask;

	if (addr_parse(s, &a) < 0 || !addr_is_v4(&a))
		return -1;
	mask = get_u32be(addr_v4_bytes(&a));
	if (mask & (~mask >> 1)) /* not ones followed by zeros */
		return -1;
	return __builtin_popcount(mask);
}

/* One number of an address as inet_aton(3) reads it: a leading 0 makes it octal.
 * Returns what follows it, or NULL. */
static const char *aton_number(const char *s, uint64_t *ret)
{
	const char *rest = config_scan_number(s, ret);

	if (!rest || rest - s > 4 || *ret > 377)
		return NULL;
	if (*s == '0' && rest - s > 1) {
		for (*ret = 0; s < rest; s++) {
			if (*s > '7')
				return NULL;
			*ret = 8 * *ret + (uint64_t)(*s - '0');
		}
	}
	return *ret > 255 ? NULL : rest;
}

/* "172.16/12", "0/0", "192.168.001.0/24": forms that inet_aton(3), and therefore
 * igmpproxy, reads. With fewer than four numbers, the last one fills the rest of the
 * address, so "10/8" would be 0.0.0.10; such a form has the intended meaning only if
 * the last number is 0. Returns how many numbers there are, with the address in `value`
 * and what follows it, or 0 if it is something else. */
static unsigned aton(const char *s, uint64_t value[static 4], const char **ret_rest)
{
	unsigned n = 0;

	do {
		s = aton_number(s + (n > 0), &value[n]);
		n++;
	} while (s && *s == '.' && s[1] && n < 4);
	if (!s || (*s && *s != '/' && strcmp(s, ".") != 0))
		return 0;
	for (unsigned i = n; i < 4; i++)
		value[i] = 0;
	*ret_rest = s;
	return n;
}

/* The same prefix with four plain numbers; false if inet_aton(3) would not read it
 * so. */
static bool normalise(const char *s, char *buf, size_t size)
{
	const char *rest;
	uint64_t v[4];
	unsigned n = aton(s, v, &rest);
	int len;

	if (n == 0 || (n < 4 && v[n - 1] != 0))
		return false;
	len = snprintf(buf, size, "%u.%u.%u.%u%s", (unsigned)v[0], (unsigned)v[1],
		(unsigned)v[2], (unsigned)v[3], rest);
	return len > 0 && (size_t)len < size;
}

static void refuse_prefix(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg)
{
	const char *slash = strchr(arg->s, '/'), *rest;
	uint64_t bits, v[4];
	unsigned n = aton(arg->s, v, &rest);
	char len[8];

	if (n > 0 && n < 4) {
		snprintf(len, sizeof(len), "/%u", 8 * n);
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': write all four numbers of the address, "
			"'%u.%u.%u.%u%s'",
			kw->name, config_show(arg->s).s, (unsigned)v[0], (unsigned)v[1],
			(unsigned)v[2], (unsigned)v[3],
			*rest == '/' ? config_show(rest).s : len);
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

/* "213.75.0.0" without a length is one host, and most likely meant as a network.
 * Returns the length of that, or 0 if the address does not look like one. */
static unsigned meant_length(const char *word, const struct prefix *x)
{
	const uint8_t *b = addr_v4_bytes(&x->addr);
	unsigned len = 32;

	if (!addr_is_v4(&x->addr) || strchr(word, '/'))
		return 0;
	while (len > 0 && b[len / 8 - 1] == 0)
		len -= 8;
	return len < 32 ? len : 0;
}

static bool take_prefix(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg, struct prefix *ret)
{
	char norm[PREFIX_STRLEN], head[PREFIX_STRLEN], full[64];
	const char *word = arg->s, *slash, *rest = NULL;
	bool host_bits;
	uint64_t v;
	int r = prefix_parse(word, ret, &host_bits);

	if (r < 0 && normalise(arg->s, full, sizeof(full))) {
		word = full;
		r = prefix_parse(word, ret, &host_bits);
	}
	slash = strchr(word, '/');
	if (r < 0 && slash)
		rest = config_scan_number(slash + 1, &v);
	if (rest && *rest && (size_t)(rest - word) < sizeof(head)) {
		snprintf(head, sizeof(head), "%.*s", (int)(rest - word), word);
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
	else if (word == full)
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' is read as %s, as igmpproxy reads it; write that",
			kw->name, config_show(arg->s).s, norm);
	else if (host_bits)
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' names a host within the network and is read as %s; write that",
			kw->name, config_show(arg->s).s, norm);
	else if (meant_length(word, ret))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' names a single address; if a network is meant, write "
			"%s/%u",
			kw->name, config_show(arg->s).s, config_show(arg->s).s,
			meant_length(word, ret));
	return true;
}

static void add_place(struct config_parser *p, const struct config_keyword *kw,
	struct config_iface *ci, const struct config_token *arg, const struct prefix *x)
{
	if (config_grow(p, &ci->place, ci->n_place, sizeof(*ci->place)))
		ci->place[ci->n_place++] =
			(struct config_place){kw->name, *x, arg->pos.line};
}

void config_add_web_allow(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	struct config *c = base;
	struct prefix x;

	if (!take_prefix(p, kw, arg, &x))
		return;
	if (config_is_group_prefix(&x)) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'web-allow %s' names groups; it takes the addresses of those who "
			"may read the page",
			config_show(arg->s).s);
		return;
	}
	if (config_grow(p, &c->web_allow, c->n_web_allow, sizeof(*c->web_allow)))
		c->web_allow[c->n_web_allow++] = x;
}

void config_add_altnet(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	struct config_iface *ci = base;
	char norm[PREFIX_STRLEN];
	struct prefix x;

	if (!take_prefix(p, kw, arg, &x))
		return;
	if (config_is_group_prefix(&x))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'altnet %s' has no effect, because altnet matches sources, not "
			"groups; remove it",
			prefix_format(&x, norm));
	if (config_grow(p, &ci->altnet, ci->n_altnet, sizeof(*ci->altnet)))
		ci->altnet[ci->n_altnet++] = x;
	add_place(p, kw, ci, arg, &x);
}

void config_add_filter(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	struct config_iface *ci = base;
	struct config_filter f = {.allow = kw->lo};
	char norm[PREFIX_STRLEN];

	if (!take_prefix(p, kw, arg, &f.groups))
		return;
	if (f.allow && is_local_range(&f.groups))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' lets nothing pass, because groups of 224.0.0.0/24 and of "
			"link-local scope are never forwarded; name the groups of the streams",
			kw->name, prefix_format(&f.groups, norm));
	else if (!touches_groups(&f.groups))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s %s' matches no group: %s matches groups, not sources; did you "
			"mean 'altnet'?",
			kw->name, prefix_format(&f.groups, norm), kw->name);
	if (config_grow(p, &ci->filter, ci->n_filter, sizeof(*ci->filter)))
		ci->filter[ci->n_filter++] = f;
	add_place(p, kw, ci, arg, &f.groups);
	ci->has_whitelist |= f.allow;
}

static bool refuse_sources(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg, const struct prefix *x)
{
	if (config_is_group_prefix(x))
		return false;
	config_say(p, CONFIG_ERROR, arg->pos,
		"'%s %s' is not a range of groups; it must lie in 224.0.0.0/4 or ff00::/8",
		kw->name, config_show(arg->s).s);
	return true;
}

void config_add_boundary(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	struct config_iface *ci = base;
	struct prefix x;

	if (!take_prefix(p, kw, arg, &x) || refuse_sources(p, kw, arg, &x))
		return;
	if (config_grow(p, &ci->boundary, ci->n_boundary, sizeof(*ci->boundary)))
		ci->boundary[ci->n_boundary++] = x;
	add_place(p, kw, ci, arg, &x);
}

static void add_ssm(struct config_parser *p, struct prefix x)
{
	struct config *c = p->c;

	if (config_grow(p, &c->ssm, c->n_ssm, sizeof(*c->ssm)))
		c->ssm[c->n_ssm++] = x;
}

void config_add_ssm(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	bool none = strcmp(arg->s, "none") == 0;
	bool first = !p->ssm_given;
	struct prefix x;

	if (p->ssm_none || (none && p->ssm_given)) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'ssm-range none' must be the only one: remove it, or the other "
			"ssm-range");
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
