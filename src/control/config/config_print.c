/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The configuration as text in its own language, with every keyword and its value in
 * force. The order is that of the keyword table. Keywords without a value (no user, no
 * chroot) are comments that say what holds instead. Values from the defaults of all
 * interfaces are written once, before the first phyint, so that reading the text again
 * gives the same lists.
 */

#include "control/config/config_parse.h"
#include "control/config/config_text.h"

#include <stdio.h>
#include <string.h>

static const void *const_field(const struct config_keyword *kw, const void *base)
{
	return (const char *)base + kw->offset;
}

static uint32_t config_print_number(const struct config_keyword *kw, const void *base)
{
	uint8_t byte;
	uint32_t v;

	if (kw->size == sizeof(byte)) {
		memcpy(&byte, const_field(kw, base), sizeof(byte));
		return byte;
	}
	memcpy(&v, const_field(kw, base), sizeof(v));
	return v;
}

static void print_ssm(struct config_text *t, const struct config *c)
{
	char buf[PREFIX_STRLEN];
	size_t i = 0;

	if (!c->n_ssm)
		config_text_add(t, "ssm-range none\n");
	for (; i < CONFIG_N_SSM_DEFAULT && i < c->n_ssm; i++) {
		struct prefix x = config_ssm_default(i);

		if (!prefix_eq(&x, &c->ssm[i]))
			break;
	}
	if (i == CONFIG_N_SSM_DEFAULT)
		config_text_add(t, "ssm-range default\n");
	else
		i = 0;
	for (; i < c->n_ssm; i++)
		config_text_add(t, "ssm-range %s\n", prefix_format(&c->ssm[i], buf));
}

static void print_prefixes(struct config_text *t, const struct config_keyword *kw,
	const struct prefix *v, size_t n, size_t from, const char *indent)
{
	char buf[PREFIX_STRLEN];

	for (size_t i = from; i < n; i++)
		config_text_add(
			t, "%s%s %s\n", indent, kw->name, prefix_format(&v[i], buf));
}

static void print_host_names(
	struct config_text *t, const struct config_keyword *kw, const struct config *c)
{
	for (size_t i = 0; i < c->n_host_names; i++)
		config_text_add(t, "%s %s\n", kw->name, c->host_names[i]);
}

/* Prints both keywords together, because their order among each other counts. */
static void print_filter(struct config_text *t, const struct config_iface *ci,
	size_t from, const char *indent)
{
	char buf[PREFIX_STRLEN];

	for (size_t i = from; i < ci->n_filter; i++)
		config_text_add(t, "%s%s %s\n", indent,
			ci->filter[i].allow ? "whitelist" : "blacklist",
			prefix_format(&ci->filter[i].groups, buf));
}

static void print_unset(
	struct config_text *t, const struct config_keyword *kw, const char *indent)
{
	config_text_add(t, "%s# %s is not set: %s\n", indent, kw->name, kw->unset);
}

/* The value, "" for a flag that is on, or NULL if there is none. */
static const char *value_text(const struct config_keyword *kw, const void *base,
	char buf[CONFIG_SECONDS_STRLEN])
{
	const void *value = const_field(kw, base);
	uint32_t v = kw->kind <= CONFIG_KIND_CHOICE ? config_print_number(kw, base) : 0;

	if (kw->kind <= CONFIG_KIND_ON_OFF && !v)
		return "off";
	if (kw->kind <= CONFIG_KIND_ON_OFF)
		/* igmpproxy can also read a flag without a value */
		return kw->kind == CONFIG_KIND_FLAG ? "" : "on";
	if (kw->or_auto && v == 0)
		return "auto";
	if (kw->kind <= CONFIG_KIND_LENIENT) {
		snprintf(buf, CONFIG_SECONDS_STRLEN, "%u", v);
		return v < kw->lo ? NULL : buf;
	}
	if (kw->kind == CONFIG_KIND_SECONDS)
		return config_format_seconds(v, buf);
	if (kw->kind == CONFIG_KIND_BYTES)
		return config_format_bytes(v, buf);
	if (kw->kind == CONFIG_KIND_CHOICE)
		return kw->words[v - 1];
	if (kw->kind <= CONFIG_KIND_CPUS)
		return *(char *const *)value;
	return kw->kind == CONFIG_KIND_IFNAME && *(const char *)value ? value : NULL;
}

static void print_value(struct config_text *t, const struct config_keyword *kw,
	const void *base, const char *indent)
{
	char buf[CONFIG_SECONDS_STRLEN];
	const char *text = value_text(kw, base, buf);

	if (kw->kind == CONFIG_KIND_ROLE || kw->kind == CONFIG_KIND_PHYINT ||
		kw->kind == CONFIG_KIND_INSTANCE)
		return; /* config_print() writes these */
	if (text)
		config_text_add(
			t, "%s%s%s%s\n", indent, kw->name, *text ? " " : "", text);
	else
		print_unset(t, kw, indent);
}

/* A list that an interface has from the defaults is written there. Returns false if
 * `kw` is not a list. */
static bool print_list(struct config_text *t, const struct config_keyword *kw,
	const struct config_iface *ci, const struct config_iface *defaults,
	const char *indent)
{
	static const struct config_iface none;
	const struct config_iface *before = ci == defaults ? &none : defaults;
	size_t n = 0;

	if (kw->kind == CONFIG_KIND_ALTNET) {
		n = ci->n_altnet;
		print_prefixes(t, kw, ci->altnet, n, before->n_altnet, indent);
	} else if (kw->kind == CONFIG_KIND_BOUNDARY) {
		n = ci->n_boundary;
		print_prefixes(t, kw, ci->boundary, n, before->n_boundary, indent);
	} else if (kw->kind == CONFIG_KIND_FILTER) {
		if (kw->lo)
			print_filter(t, ci, before->n_filter, indent);
		for (size_t i = 0; i < ci->n_filter; i++)
			n += ci->filter[i].allow == (kw->lo != 0);
	} else {
		return false;
	}
	if (n == 0 && ci == defaults)
		print_unset(t, kw, indent);
	return true;
}

static void print_iface(struct config_text *t, const struct config_iface *ci,
	const struct config_iface *defaults, const char *indent)
{
	for (size_t i = 0; i < config_n_keywords; i++) {
		const struct config_keyword *kw = &config_keywords[i];

		if (kw->where == CONFIG_GLOBAL ||
			(kw->where == CONFIG_BLOCK_ONLY && ci == defaults))
			continue;
		if (!print_list(t, kw, ci, defaults, indent))
			print_value(t, kw, ci, indent);
	}
}

const char *config_role_word(enum config_role role)
{
	static const char word[][12] = {
		[CONFIG_ROLE_DISABLED] = "disabled",
		[CONFIG_ROLE_UPSTREAM] = "upstream",
		[CONFIG_ROLE_DOWNSTREAM] = "downstream",
	};

	return word[role];
}

char *config_print(const struct config *c)
{
	struct config_text t = {0};
	unsigned instance = 0;

	for (size_t i = 0; i < config_n_keywords; i++) {
		const struct config_keyword *kw = &config_keywords[i];

		if (kw->where != CONFIG_GLOBAL)
			continue;
		if (kw->kind == CONFIG_KIND_SSM)
			print_ssm(&t, c);
		else if (kw->kind == CONFIG_KIND_WEB_ALLOW && c->n_web_allow)
			print_prefixes(&t, kw, c->web_allow, c->n_web_allow, 0, "");
		else if (kw->kind == CONFIG_KIND_HOST_NAMES && c->n_host_names)
			print_host_names(&t, kw, c);
		else
			print_value(&t, kw, c, "");
	}
	config_text_add(&t, "\n# defaults of all interfaces\n");
	print_iface(&t, &c->defaults, &c->defaults, "");
	for (size_t i = 0; i < c->n_iface; i++) {
		if (c->iface[i].instance != instance) {
			instance = c->iface[i].instance;
			config_text_add(
				&t, "\ninstance %s\n", c->instance[instance].name);
		}
		config_text_add(&t, "\nphyint %s %s\n", c->iface[i].name,
			config_role_word(c->iface[i].role));
		print_iface(&t, &c->iface[i], &c->defaults, "\t");
	}
	return config_text_take(&t);
}
