/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The versions that the kernel is set to use as a host: net.ipv4.conf.IF.
 * force_igmp_version and net.ipv6.conf.IF.force_mld_version, or those of "all". Users
 * set them for an upstream whose provider only supports an old version, and a proxy
 * that reports through the kernel obeys them. The kernel does not say when they change,
 * so they are read with the ports and, in rounds in which something is sent or changed,
 * every few seconds. An idle daemon reads nothing.
 */

#include "control/daemon/app_priv.h"

#include "control/config/config_text.h"

#include <stdio.h>
#include <stdlib.h>

#define LOOK_MS 5000

static const struct {
	const char *dir, *key, *protocol;
} of_family[_FAMILY_N] = {
	[FAMILY_IPV4] = {"net/ipv4", "force_igmp_version", "IGMP"},
	[FAMILY_IPV6] = {"net/ipv6", "force_mld_version", "MLD"},
};

static unsigned read_setting(
	const struct app *app, enum family family, const char *name)
{
	char path[96], text[16];

	snprintf(path, sizeof(path), "sys/%s/conf/%s/%s", of_family[family].dir, name,
		of_family[family].key);
	(void)proctext_short(app->rivals.proc, path, text, sizeof(text));
	return (unsigned)strtoul(text, NULL, 10);
}

/* Combined like in the kernel: for IGMP the older of the two, for MLD the one of
 * "all". */
static uint8_t forced(const struct app *app, enum family family, const char *name)
{
	unsigned all = read_setting(app, family, "all");
	unsigned own = read_setting(app, family, name);
	unsigned v = !all || (family == FAMILY_IPV4 && own && own < all) ? own : all;

	return v <= (family == FAMILY_IPV4 ? 3 : 2) ? (uint8_t)v : 0;
}

static void app_force_say(struct app *app, const struct proxy_port *pp,
	const struct iface *i, enum family family, unsigned v)
{
	const char *key = of_family[family].key,
		   *ours = family == FAMILY_IPV4 ? "igmp-version" : "mld-version";
	struct log_about about = {.interface = i->name, .cause = key};

	if (pp->cfg->version_given[family])
		log_about(LOG_LEVEL_NOTICE, &about,
			"the kernel's %s is %u; '%s' in the file overrules it", key, v,
			ours);
	else if (v)
		log_about(LOG_LEVEL_NOTICE, &about,
			"the kernel's %s is %u, so %sv%u is spoken upstream; '%s' in the "
			"file overrules it",
			key, v, of_family[family].protocol, v, ours);
	else
		log_about(LOG_LEVEL_NOTICE, &about,
			"the kernel's %s is 0 again: as the file says", key);
}

bool app_force_look(struct app *app, mono_t now)
{
	bool changed = false;

	app->forced_at = now;
	if (app->rivals.proc < 0)
		return false;
	proxy_ports_for_each (app->instances->port, pp) {
		struct iface *i = pp->role == CONFIG_ROLE_UPSTREAM
			? iface_by_index(&app->ifaces, pp->report_ifindex)
			: NULL;

		for (enum family f = 0; i && f < _FAMILY_N; f++) {
			uint8_t v = forced(app, f, i->name);

			if (v == i->forced[f])
				continue;
			i->forced[f] = v;
			app_force_say(app, pp, i, f, v);
			changed = true;
		}
	}
	return changed;
}

void app_force_tick(struct app *app, mono_t now)
{
	/* without messages the version does not matter */
	if (app->fx.n && !app->stopping &&
		mono_due(mono_add_ms(app->forced_at, LOOK_MS), now) &&
		app_force_look(app, now))
		app_sync(app, now, app->cfg);
}

void view_force_comment(const struct app *app, struct config_text *text)
{
	proxy_ports_for_each (app->instances->port, pp)
		for (enum family f = 0; f < _FAMILY_N; f++)
			if (pp->forced[f] && !pp->cfg->version_given[f])
				config_text_add(text,
					"# the kernel's %s is %u: %sv%u is spoken on "
					"%s\n",
					of_family[f].key, pp->forced[f],
					of_family[f].protocol, pp->forced[f], pp->name);
}
