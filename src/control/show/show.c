/* SPDX-License-Identifier: GPL-2.0-or-later */

/* Helpers that the answers of the control socket share, and the short answers. Each
 * longer answer has a file of its own, show_*.c. */

#include "control/show/show.h"

#include "base/cleanup.h"
#include "build_config.h"
#include "control/show/health.h"
#include "control/show/show_priv.h"

#include <string.h>

json_t *show_ports(const struct app *app, const struct portset *ports)
{
	json_t *list = json_array();

	portset_for_each (ports, port)
		if (view_instances(app)->port[port])
			json_array_append_new(list,
				json_of_text(view_instances(app)->port[port]->name));
	return list;
}

json_t *show_channel(
	const struct app *app, const struct addr *group, const struct addr *source)
{
	return json_of_text(channels_name(view_channels(app), group, source));
}

const char *show_instance(const struct app *app, const struct proxy_port *pp)
{
	return instances_name(view_instances(app), pp->proxy->instance);
}

const char *show_mode(enum gm_mode mode)
{
	return mode == GM_INCLUDE ? "include" : "exclude";
}

json_t *show_older(const mono_t until[_GM_VERSION_N], enum family family,
	unsigned number, mono_t now)
{
	for (unsigned v = GM_V1; v < _GM_VERSION_N; v++)
		if (gm_version_number(family, (enum gm_version)v) == number &&
			v < GM_V3)
			return json_of_ms_until(until[v], now);
	return json_null();
}

json_t *show_version(void *ctx, const char *args)
{
	struct app *app = ctx;

	return json_pack("{ss ss ss si}", "name", "ringcastd", "version",
		RINGCAST_VERSION, "transmit",
		dataplane_transmit(view_dataplane(app), NULL), "pid", (int)getpid());
}

json_t *show_health(void *ctx, const char *args)
{
	struct app *app = ctx;
	bool allow_down = strcmp(args, "allow-down") == 0;

	if (*args && !allow_down)
		return ctl_error("health takes nothing, or allow-down");
	return health_json(app, view_now(app), allow_down);
}
