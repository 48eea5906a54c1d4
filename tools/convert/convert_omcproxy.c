/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * /etc/config/omcproxy of OpenWrt -> our configuration. Each section is a proxy with
 * one uplink; several become instances. omcproxy does not check senders, handles both
 * families, and forwards groups whose scope is `scope` or wider, from the uplink only.
 */

#include "tools/convert/convert_openwrt.h"

#include <stdio.h>
#include <string.h>

struct omcproxy {
	struct converter *c;
	const struct uci *u;
	char (*device)[IFNAMSIZ]; /* of all proxies; a device may be in one only */
	size_t n_device;
	unsigned n_downlink; /* of this proxy */
	unsigned n_written;
};

/* Scopes of RFC 7346; IPv4 has its own for two ranges (RFC 2365). */
struct scope {
	const char *word;
	unsigned scope;
};

static bool is_taken(const struct omcproxy *x, const char *device)
{
	for (size_t i = 0; i < x->n_device; i++)
		if (strcmp(x->device[i], device) == 0)
			return true;
	return false;
}

static void take_device(struct omcproxy *x, const char *device)
{
	if (convert_grow(x->c, &x->device, x->n_device, sizeof(*x->device)))
		strcpy(x->device[x->n_device++], device);
}

static void write_scope(struct omcproxy *x, const struct uci_section *s)
{
	static const struct scope scopes[] = {{"global", 14}, {"organization", 8},
		{"site", 5}, {"admin", 4}, {"realm", 3}};
	const struct uci_value *v = uci_get(s, "scope");
	const struct scope *scope = v ? NULL : &scopes[0];
	char comment[32];

	for (size_t i = 0; v && i < array_len(scopes); i++)
		if (strcmp(scopes[i].word, v->text) == 0)
			scope = &scopes[i];
	if (!scope) {
		convert_error(x->c, v->line,
			"scope takes global, organization, site, admin or realm, not '%s'",
			config_show(v->text).s);
		return;
	}
	snprintf(comment, sizeof(comment), "scope %s", scope->word);
	convert_put(x->c, comment, "\tboundary-scope %u", scope->scope - 1);
	if (scope->scope > 3)
		convert_put(x->c, NULL, "\tboundary 239.255.0.0/16");
	if (scope->scope > 8)
		convert_put(x->c, NULL, "\tboundary 239.192.0.0/14");
}

static void take_downlink(
	struct converter *c, unsigned line, const char *word, void *arg)
{
	struct omcproxy *x = arg;
	char device[IFNAMSIZ];

	convert_put(c, NULL, "%s", "");
	if (!openwrt_device(c, x->u, line, word, device))
		return;
	if (is_taken(x, device)) {
		convert_note(c, line, "",
			"%s is already in use; it is left out here, because ringcast "
			"accepts each interface only once.",
			device);
		return;
	}
	take_device(x, device);
	x->n_downlink++;
	openwrt_put_phyint(c, word, device, "downstream");
	convert_put(c, NULL, "\taltnet 0.0.0.0/0");
}

static void write_name(struct omcproxy *x, const struct uci_section *s)
{
	char name[CONFIG_INSTANCE_MAX];

	x->n_written++;
	if (*s->name && strlen(s->name) < sizeof(name) &&
		strspn(s->name,
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
			"0123456789_") == strlen(s->name))
		strcpy(name, s->name);
	else
		snprintf(name, sizeof(name), "proxy%u", x->n_written);
	convert_put(x->c, NULL, "\ninstance %s", name);
}

static void write_proxy(struct omcproxy *x, const struct uci_section *s, bool named)
{
	const struct uci_value *uplink = uci_get(s, "uplink");
	struct converter *c = x->c;
	char device[IFNAMSIZ];

	c->source = s->source;
	x->n_downlink = 0;
	if (!uplink) {
		convert_put(c, NULL, "%s", "");
		convert_note(c, s->line, "",
			"This section has no uplink and is left out, as OpenWrt does.");
		return;
	}
	if (named)
		write_name(x, s);
	convert_put(c, NULL, "%s", "");
	if (!openwrt_device(c, x->u, uplink->line, uplink->text, device))
		return;
	if (is_taken(x, device)) {
		convert_error(c, uplink->line,
			"the uplink %s belongs to another section already; join the two "
			"sections",
			device);
		return;
	}
	take_device(x, device);
	openwrt_put_phyint(c, uplink->text, device, "upstream");
	convert_put(c, "omcproxy takes streams from any sender", "\taltnet 0.0.0.0/0");
	convert_put(c, NULL, "\taltnet ::/0");
	write_scope(x, s);
	openwrt_for_each_word(c, s, "downlink", take_downlink, x);
	if (!x->n_downlink)
		convert_note(c, s->line, "",
			"This proxy has no downlink: nothing is forwarded until there is "
			"one.");
}

static bool has_uplink(const struct uci_section *s)
{
	return strcmp(s->type, "proxy") == 0 && uci_get(s, "uplink");
}

void openwrt_omcproxy(struct converter *c, const struct uci *u)
{
	struct omcproxy x = {.c = c, .u = u};
	size_t n = 0;

	for (size_t i = 0; i < u->n_section; i++)
		n += has_uplink(&u->section[i]);
	convert_comment(c, "",
		"Firewall rules neither permit nor stop what ringcast forwards.");
	for (size_t i = 0; i < u->n_section; i++)
		if (strcmp(u->section[i].type, "proxy") == 0)
			write_proxy(&x, &u->section[i], n > 1);
	if (!n)
		convert_error(c, 0,
			"no section proxy has an uplink; add 'option uplink NETWORK'");
	free(x.device);
}
