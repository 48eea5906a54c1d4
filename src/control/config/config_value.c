/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Stores one argument of the configuration in its field, or says in a message what
 * would be right. igmpproxy accepts a number with text after it, because its atoi stops
 * there. We also accept it, with a warning.
 */

#include "base/cpulist.h"
#include "control/config/config_parse.h"
#include "control/config/config_text.h"
#include "control/config/endpoint.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_refuse(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg)
{
	config_say(p, CONFIG_ERROR, arg->pos, "'%s' takes %s, not '%s'", kw->name,
		kw->takes, config_show(arg->s).s);
}

static void *field(const struct config_keyword *kw, void *base)
{
	return (char *)base + kw->offset;
}

static void store_number(const struct config_keyword *kw, void *base, uint32_t v)
{
	uint8_t byte = (uint8_t)v;

	if (kw->size == sizeof(byte))
		memcpy(field(kw, base), &byte, sizeof(byte));
	else
		memcpy(field(kw, base), &v, sizeof(v));
}

static bool in_range(const struct config_keyword *kw, uint64_t v)
{
	return (v >= kw->lo && v <= kw->hi) || (v == 0 && kw->or_zero);
}

static void refuse_range(struct config_parser *p, const struct config_keyword *kw,
	const struct config_token *arg)
{
	config_say(p, CONFIG_ERROR, arg->pos, "'%s' must be from %u to %u, not '%s'",
		kw->name, kw->lo, kw->hi, config_show(arg->s).s);
}

static void set_number(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	uint64_t v;
	const char *rest = config_scan_number(arg->s, &v);

	if (!rest || *rest)
		config_refuse(p, kw, arg);
	else if (!in_range(kw, v))
		refuse_range(p, kw, arg);
	else
		store_number(kw, base, (uint32_t)v);
}

/* Reads like atoi, but a value out of range is an error. */
static void set_lenient(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	const char *digits = arg->s + (*arg->s == '+');
	uint64_t v;
	const char *rest = config_scan_number(digits, &v);

	if (!rest && *digits == '-') {
		config_refuse(p, kw, arg);
		return;
	}
	if (rest && kw->unused && v > kw->hi) {
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s' has no effect, and %s is more than the %u that it can hold; "
			"remove it",
			kw->name, config_show(arg->s).s, kw->hi);
		v = kw->hi;
		rest = "";
	}
	if (!in_range(kw, v)) {
		(rest ? refuse_range : config_refuse)(p, kw, arg);
		return;
	}
	if (!rest || *rest)
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s' takes %s; '%s' is read as %u", kw->name, kw->takes,
			config_show(arg->s).s, (unsigned)v);
	store_number(kw, base, (uint32_t)v);
}

/* "12", "0.1", "31.25": up to three decimals. */
static bool scan_seconds(const char *s, uint64_t *ret_ms)
{
	uint64_t whole, ms = 0;
	unsigned unit = 100;

	s = config_scan_number(s, &whole);
	if (!s)
		return false;
	if (*s == '.') {
		if (!s[1])
			return false;
		for (s++; *s >= '0' && *s <= '9' && unit; s++, unit /= 10)
			ms += (uint64_t)(*s - '0') * unit;
	}
	*ret_ms = whole * 1000 + ms;
	return *s == '\0';
}

static void set_seconds(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	char lo[CONFIG_SECONDS_STRLEN], hi[CONFIG_SECONDS_STRLEN];
	uint64_t ms;

	if (!scan_seconds(arg->s, &ms))
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s' takes seconds as a plain number such as 10 or 0.5, not '%s'",
			kw->name, config_show(arg->s).s);
	else if (!in_range(kw, ms))
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s' must be from %s to %s seconds%s, not '%s'", kw->name,
			config_format_seconds(kw->lo, lo),
			config_format_seconds(kw->hi, hi),
			kw->or_zero ? ", or 0 for off" : "", config_show(arg->s).s);
	else
		store_number(kw, base, (uint32_t)ms);
}

static void set_bytes(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	char lo[CONFIG_SECONDS_STRLEN], hi[CONFIG_SECONDS_STRLEN];
	unsigned shift = 0;
	uint64_t v;
	const char *rest = config_scan_number(arg->s, &v);

	if (rest && *rest) {
		static const char units[] = "kmgKMG";
		const char *unit = strchr(units, *rest);

		if (unit) {
			shift = 10 * ((unsigned)(unit - units) % 3 + 1);
			rest++;
		}
	}
	if (!rest || *rest)
		config_refuse(p, kw, arg);
	else if (!in_range(kw, v << shift))
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s' must be from %s to %s, not '%s'", kw->name,
			config_format_bytes(kw->lo, lo),
			config_format_bytes(kw->hi, hi), config_show(arg->s).s);
	else
		store_number(kw, base, (uint32_t)(v << shift));
}

static void set_choice(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	const char *near;

	for (uint32_t i = 0; kw->words[i]; i++)
		if (strcmp(kw->words[i], arg->s) == 0) {
			store_number(kw, base, i + 1);
			return;
		}
	near = config_suggest_among(arg->s, kw->words);
	if (near)
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s' takes %s, not '%s'; did you mean '%s'?", kw->name,
			kw->takes, config_show(arg->s).s, near);
	else
		config_refuse(p, kw, arg);
}

static void set_on_off(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	bool on = strcmp(arg->s, "on") == 0;

	if (on || strcmp(arg->s, "off") == 0)
		memcpy(field(kw, base), &on, sizeof(on));
	else
		config_refuse(p, kw, arg);
}

static void set_text(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	char *copy = strdup(arg->s), *old;

	if (!copy) {
		p->no_memory = true;
		return;
	}
	memcpy(&old, field(kw, base), sizeof(old));
	free(old);
	memcpy(field(kw, base), &copy, sizeof(copy));
}

static void add_host_names(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	struct config *c = base;

	if (c->n_host_names == CONFIG_HOST_FILES_MAX) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s' can name %d files; remove this one, or put the lines of "
			"several files into one",
			kw->name, CONFIG_HOST_FILES_MAX);
		return;
	}
	c->host_names[c->n_host_names] = strdup(arg->s);
	if (c->host_names[c->n_host_names])
		c->n_host_names++;
	else
		p->no_memory = true;
}

static void set_socket(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	if (arg->s[0] != '/')
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s' takes a path from the root on (/run/ringcast.sock), not '%s'",
			kw->name, config_show(arg->s).s);
	else if (strlen(arg->s) > 107) /* sun_path, with its NUL */
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s': a socket path has at most 107 bytes, '%s' has %zu",
			kw->name, config_show(arg->s).s, strlen(arg->s));
	else
		set_text(p, kw, base, arg);
}

static void set_endpoint(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	struct endpoint endpoint;

	if (endpoint_parse(arg->s, &endpoint) == 0)
		set_text(p, kw, base, arg);
	else
		config_refuse(p, kw, arg);
}

static void set_cpus(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	unsigned cpus[CPULIST_MAX];

	if (cpulist_parse(arg->s, cpus) > 0)
		set_text(p, kw, base, arg);
	else
		config_refuse(p, kw, arg);
}

static bool check_pattern(
	struct config_parser *p, const char *kw, const struct config_token *arg)
{
	const char *s = arg->s;

	if (strcmp(kw, "phyint") != 0) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s' is a pattern; name the one interface that is meant",
			kw, config_show(s).s);
		return false;
	}
	if (strlen(s) >= CONFIG_NAME_MAX) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': a pattern has at most %d characters", kw,
			config_show(s).s, CONFIG_NAME_MAX - 1);
		return false;
	}
	if (strpbrk(s, ":/"))
		config_say(p, CONFIG_WARNING, arg->pos,
			"no interface can match '%s', because no name has a ':' or '/'; see "
			"'ip link' for the names",
			config_show(s).s);
	return true;
}

bool config_is_label(const char *name)
{
	return !config_is_pattern(name) && strcspn(name, ":") > 0 && strchr(name, ':');
}

bool config_check_ifname(
	struct config_parser *p, const char *kw, const struct config_token *arg)
{
	const char *s = arg->s;

	if (config_is_pattern(s))
		return check_pattern(p, kw, arg);
	if (strlen(s) >= IFNAMSIZ) {
		config_say(p, CONFIG_ERROR, arg->pos,
			"'%s %s': the name of an interface has at most %d characters; see "
			"'ip link' for the names",
			kw, config_show(s).s, IFNAMSIZ - 1);
		return false;
	}
	if (config_is_label(s)) {
		if (strcmp(kw, "phyint") == 0)
			return true; /* check_label() looks at the whole file */
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s' is the label of an address, not an interface; write '%.*s'",
			config_show(s).s, (int)strcspn(s, ":"), s);
	} else if (strpbrk(s, ":/") || strcmp(s, ".") == 0 || strcmp(s, "..") == 0)
		config_say(p, CONFIG_WARNING, arg->pos,
			"no interface can be called '%s'; see 'ip link' for the names",
			config_show(s).s);
	else if (strpbrk(s, "\"'"))
		config_say(p, CONFIG_WARNING, arg->pos,
			"the quotes of '%s' are taken as a part of the name; remove them",
			config_show(s).s);
	else if (strchr(s, ','))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s' is taken as one name; each interface has a phyint line of its "
			"own",
			config_show(s).s);
	else if (strchr(s, '['))
		config_say(p, CONFIG_WARNING, arg->pos,
			"'%s' has a '[' without ']', so it is a name, not a pattern; see "
			"'ip link' for the names",
			config_show(s).s);
	return true;
}

static void set_ifname(struct config_parser *p, const struct config_keyword *kw,
	void *base, const struct config_token *arg)
{
	if (config_check_ifname(p, kw->name, arg))
		memcpy(field(kw, base), arg->s, strlen(arg->s) + 1);
}

bool config_value_is_word_of(const struct config_keyword *kw, const char *word)
{
	const struct config_keyword *other = config_keyword_find(word);

	for (size_t i = 0; kw->words && kw->words[i]; i++)
		if (strcmp(kw->words[i], word) == 0)
			return true;
	/* "ipv6 disabled" is a wrong word about ipv6 and says nothing about the role */
	return (kw->kind == CONFIG_KIND_ON_OFF || kw->kind == CONFIG_KIND_CHOICE) &&
		other && other->kind == CONFIG_KIND_ROLE;
}

void config_value(struct config_parser *p, const struct config_keyword *kw, void *base,
	const struct config_token *arg)
{
	/* the parser handles the other kinds itself */
	static config_set_fn *const set[] = {
		[CONFIG_KIND_FLAG] = set_on_off,
		[CONFIG_KIND_ON_OFF] = set_on_off,
		[CONFIG_KIND_NUMBER] = set_number,
		[CONFIG_KIND_LENIENT] = set_lenient,
		[CONFIG_KIND_SECONDS] = set_seconds,
		[CONFIG_KIND_BYTES] = set_bytes,
		[CONFIG_KIND_CHOICE] = set_choice,
		[CONFIG_KIND_TEXT] = set_text,
		[CONFIG_KIND_SOCKET] = set_socket,
		[CONFIG_KIND_ENDPOINT] = set_endpoint,
		[CONFIG_KIND_CPUS] = set_cpus,
		[CONFIG_KIND_IFNAME] = set_ifname,
		[CONFIG_KIND_SSM] = config_add_ssm,
		[CONFIG_KIND_WEB_ALLOW] = config_add_web_allow,
		[CONFIG_KIND_HOST_NAMES] = add_host_names,
		[CONFIG_KIND_ALTNET] = config_add_altnet,
		[CONFIG_KIND_BOUNDARY] = config_add_boundary,
		[CONFIG_KIND_FILTER] = config_add_filter,
	};

	assert(kw->kind < array_len(set) && set[kw->kind]);
	if (kw->or_auto && strcmp(arg->s, "auto") == 0)
		store_number(kw, base, 0);
	else
		set[kw->kind](p, kw, base, arg);
}
