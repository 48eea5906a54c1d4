/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * /etc/config/igmpproxy of OpenWrt -> our configuration, in the same way as OpenWrt's
 * init script makes an igmpproxy.conf of it. The sections name logical networks
 * ("lan"); their devices come from the caller or from the sections of
 * /etc/config/network, if that file is among the sources. omcproxy has a file of its
 * own.
 */

#include "tools/convert/convert_openwrt.h"

#include <stdio.h>
#include <string.h>

#define MAX_ALIASES 8

struct phyint {
	struct converter *c;
	const struct uci *u;
	char (*device)[IFNAMSIZ]; /* that have a section */
	size_t n;
	unsigned n_upstream, n_downstream;
};

static const struct uci_section *find_network(const struct uci *u, const char *name)
{
	for (size_t i = 0; i < u->n_section; i++)
		if (strcmp(u->section[i].type, "interface") == 0 &&
			strcmp(u->section[i].name, name) == 0)
			return &u->section[i];
	return NULL;
}

static const char *text_of(const struct uci_section *s, const char *name)
{
	const struct uci_value *v = uci_get(s, name);

	return v ? v->text : "";
}

/* Finds a network's device by its section, as netifd does. Returns false if unknown. */
static bool network_device(
	const struct uci *u, const struct uci_section *s, char *buf, size_t size)
{
	/* protocols whose device carries the name of the network */
	static const char *const prefixed[] = {"pppoe", "pppoa", "pptp", "l2tp"};

	for (unsigned depth = 0; s && depth < MAX_ALIASES; depth++) {
		const char *device = text_of(s, "device"), *proto = text_of(s, "proto");

		if (!*device)
			device = text_of(s, "ifname"); /* before OpenWrt 21.02 */
		for (size_t i = 0; i < array_len(prefixed); i++) {
			if (strcmp(proto, prefixed[i]) == 0) {
				snprintf(buf, size, "%s-%s", proto, s->name);
				return true;
			}
		}
		if (strcmp(text_of(s, "type"), "bridge") == 0) {
			snprintf(buf, size, "br-%s", s->name);
			return true;
		}
		if (*device && *device != '@') {
			snprintf(buf, size, "%s", device);
			return true;
		}
		s = *device ? find_network(u, device + 1) : NULL;
	}
	return false;
}

/* Finds the device that the caller or the sources name. Returns false if none. */
static bool known_device(const struct converter *c, const struct uci *u,
	const char *network, char *buf, size_t size)
{
	for (size_t i = 0; i < c->n_device; i++) {
		if (strcmp(c->device[i].network, network) == 0) {
			snprintf(buf, size, "%s", c->device[i].device);
			return true;
		}
	}
	return network_device(u, find_network(u, network), buf, size);
}

bool openwrt_device(struct converter *c, const struct uci *u, unsigned line,
	const char *network, char ret[IFNAMSIZ])
{
	char buf[64];
	bool known = known_device(c, u, network, buf, sizeof(buf));
	const char *name = known ? buf : network;

	if (!convert_check_name(
		    c, line, known ? "device of the network" : "network", name))
		return false;
	memcpy(ret, name, strlen(name) + 1);
	if (!known)
		convert_note(c, line, "",
			"The device of the network '%s' is not known here; put its name in "
			"place of '%s', or convert again with --device %s=DEVICE or with "
			"/etc/config/network before this file. 'ifstatus %s' shows it as "
			"l3_device%s.",
			network, network, network, network,
			strcmp(network, "lan") == 0 ? ", mostly br-lan" : "");
	return true;
}

void openwrt_put_phyint(
	struct converter *c, const char *network, const char *device, const char *role)
{
	char comment[80];

	snprintf(comment, sizeof(comment), "network %s", config_show(network).s);
	convert_put(c, comment, "phyint %s %s", device, role);
}

void openwrt_for_each_word(struct converter *c, const struct uci_section *s,
	const char *name, openwrt_take_word take, void *arg)
{
	const struct uci_option *o = uci_find(s, name);

	for (size_t i = 0; o && i < o->n_value; i++) {
		_cleanup_(freep) char *copy = strdup(o->value[i].text);
		char *rest = copy, *word;

		if (!copy)
			c->no_memory = true;
		while ((word = strsep(&rest, " \t\r\n")))
			if (*word)
				take(c, o->value[i].line, word, arg);
	}
}

static void take_altnet(struct converter *c, unsigned line, const char *word, void *arg)
{
	convert_altnet(c, line, "altnet", word);
}

static void take_whitelist(
	struct converter *c, unsigned line, const char *word, void *arg)
{
	convert_filter(c, line, "whitelist", "whitelist", word);
}

static void take_blacklist(
	struct converter *c, unsigned line, const char *word, void *arg)
{
	convert_filter(c, line, "blacklist", "blacklist", word);
}

static void warn_unknown(struct converter *c, const struct uci_section *s,
	const char *const *known, size_t n_known)
{
	for (size_t i = 0; i < s->n_option; i++) {
		size_t k = 0;

		while (k < n_known && strcmp(known[k], s->option[i].name))
			k++;
		if (k == n_known)
			convert_note(c, s->option[i].line, "",
				"'%s' is not an option of a section '%s'; it is left out.",
				config_show(s->option[i].name).s,
				config_show(s->type).s);
	}
}

/* NULL after a note or an error */
static const char *take_direction(struct converter *c, const struct uci_section *s)
{
	const struct uci_value *v = uci_get(s, "direction");
	const char *role = v ? convert_role(v->text) : "disabled";

	if (!v)
		convert_note(c, s->line, "",
			"This section has no direction, so igmpproxy leaves it alone.");
	else if (!role)
		convert_error(c, v->line,
			"direction takes upstream, downstream or disabled, not '%s'",
			config_show(v->text).s);
	return role;
}

/* igmpproxy takes the first section of a device */
static bool is_first(struct phyint *p, const struct uci_section *s, const char *device)
{
	for (size_t i = 0; i < p->n; i++) {
		if (strcmp(p->device[i], device) == 0) {
			convert_note(p->c, s->line, "",
				"A second section for %s; the first one counts.",
				device);
			return false;
		}
	}
	if (!convert_grow(p->c, &p->device, p->n, sizeof(*p->device)))
		return false;
	strcpy(p->device[p->n++], device);
	return true;
}

static void write_values(struct converter *c, const struct uci_section *s, bool down)
{
	const struct uci_value *v = uci_get(s, "threshold");
	unsigned n;

	if (v && convert_number(c, v->line, "threshold", v->text, 1, 255, &n))
		convert_put(c, NULL, "\tthreshold %u", n);
	v = uci_get(s, "ratelimit");
	if (v && strcmp(v->text, "0"))
		convert_note(c, v->line, "\t",
			"'ratelimit %s' is left out: Linux has never limited anything by it.",
			config_show(v->text).s);
	openwrt_for_each_word(c, s, "altnet", take_altnet, NULL);
	/* the init script writes them in this order, and the last match decides */
	openwrt_for_each_word(c, s, "whitelist", take_whitelist, NULL);
	openwrt_for_each_word(c, s, "blacklist", take_blacklist, NULL);
	if (down && uci_get(s, "zone") && uci_get_bool(s, "fw_drop_ssdp", true))
		convert_put(c, "fw_drop_ssdp", "\tblacklist 239.255.255.250/32");
}

static void write_phyint(struct phyint *p, const struct uci_section *s)
{
	static const char *const known[] = {"network", "zone", "direction", "ratelimit",
		"threshold", "altnet", "whitelist", "blacklist", "fw_drop_ssdp"};
	const struct uci_value *network = uci_get(s, "network");
	struct converter *c = p->c;
	char device[IFNAMSIZ];
	const char *role;

	c->source = s->source;
	convert_put(c, NULL, "%s", "");
	warn_unknown(c, s, known, array_len(known));
	if (!network) {
		convert_note(c, s->line, "",
			"This section has no network and is left out, as OpenWrt does.");
		return;
	}
	role = take_direction(c, s);
	if (!openwrt_device(c, p->u, network->line, network->text, device) || !role ||
		!is_first(p, s, device))
		return;
	p->n_upstream += strcmp(role, "upstream") == 0;
	p->n_downstream += strcmp(role, "downstream") == 0;
	openwrt_put_phyint(c, network->text, device, role);
	write_values(c, s, strcmp(role, "downstream") == 0);
}

/* `s` is the last section igmpproxy, or NULL */
static void write_global(struct converter *c, const struct uci_section *s)
{
	static const char *const known[] = {"quickleave", "verbose"};
	static const char *const levels[] = {NULL, NULL, "info", "debug"};
	const struct uci_value *v;
	unsigned verbose;

	convert_comment(c, "",
		"Firewall rules neither permit nor stop what ringcast forwards: the lists "
		"below do.");
	if (s) {
		c->source = s->source;
		warn_unknown(c, s, known, array_len(known));
		v = uci_get(s, "verbose");
		if (v &&
			convert_number(
				c, v->line, "verbose", v->text, 0, 3, &verbose) &&
			levels[verbose])
			convert_put(c, "verbose", "log-level %s", levels[verbose]);
	}
	if (s && uci_get_bool(s, "quickleave", false))
		convert_put(c, NULL, "quickleave");
	convert_put(c, "igmpproxy has IPv4 only", "ipv6 off");
}

/* Only for the file with the phyints, because /etc/config/network has many others. */
static void note_other_sections(
	struct converter *c, const struct uci *u, const struct convert_source *source)
{
	for (size_t i = 0; i < u->n_section; i++) {
		const struct uci_section *s = &u->section[i];

		if (s->source != source || strcmp(s->type, "igmpproxy") == 0 ||
			strcmp(s->type, "phyint") == 0)
			continue;
		c->source = source;
		convert_note(c, s->line, "",
			"igmpproxy has no section '%s'; it is left out.",
			config_show(s->type).s);
	}
}

static void write_igmpproxy(struct converter *c, const struct uci *u)
{
	const struct convert_source *phyints = NULL;
	const struct uci_section *global = NULL;
	struct phyint p = {.c = c, .u = u};

	for (size_t i = 0; i < u->n_section; i++)
		if (strcmp(u->section[i].type, "igmpproxy") == 0)
			global = &u->section[i];
	write_global(c, global);
	for (size_t i = 0; i < u->n_section; i++) {
		const struct uci_section *s = &u->section[i];

		if (strcmp(s->type, "phyint") != 0)
			continue;
		if (s->source != phyints)
			note_other_sections(c, u, s->source);
		phyints = s->source;
		write_phyint(&p, s);
	}
	if (!p.n_upstream)
		convert_error(c, 0,
			"no section phyint has 'option direction upstream'; set it for the "
			"network towards the provider");
	else if (!p.n_downstream)
		convert_warn(c, 0,
			"there is no downstream: nothing is forwarded until there is one");
	free(p.device);
}

static size_t count(const struct uci *u, const char *type)
{
	size_t n = 0;

	for (size_t i = 0; i < u->n_section; i++)
		n += strcmp(u->section[i].type, type) == 0;
	return n;
}

void convert_openwrt(
	struct converter *c, const struct convert_source *source, size_t n_source)
{
	struct uci u = {.c = c};
	size_t n_phyint, n_proxy;

	for (size_t i = 0; i < n_source; i++)
		uci_read(&u, &source[i]);
	n_phyint = count(&u, "phyint");
	n_proxy = count(&u, "proxy");
	convert_comment(c, "", "Converted from the OpenWrt configuration %s.",
		config_show(source[n_source - 1].name).s);
	if (n_phyint && n_proxy)
		convert_error(c, 0,
			"sections of igmpproxy (phyint) and of omcproxy (proxy); convert the "
			"one that is in use");
	else if (n_phyint)
		write_igmpproxy(c, &u);
	else if (n_proxy)
		openwrt_omcproxy(c, &u);
	else if (!c->result->n_errors)
		convert_error(c, 0,
			"no section 'phyint' (igmpproxy) and none 'proxy' (omcproxy); take "
			"/etc/config/igmpproxy or /etc/config/omcproxy");
	uci_deinit(&u);
}
