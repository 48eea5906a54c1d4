/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The commands of the control socket, see show.h; what is more than a few lines has a
 * file of its own, show_*.c.
 */

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
		if (app->router->port[port])
			json_array_append_new(
				list, json_of_text(app->router->port[port]->name));
	return list;
}

const char *show_instance(const struct app *app, const struct proxy_port *pp)
{
	return router_instance_name(app->router, pp->proxy->instance);
}

const char *show_mode(enum gm_mode mode)
{
	return mode == GM_INCLUDE ? "include" : "exclude";
}

const char *const show_family[_FAMILY_N] = {"ipv4", "ipv6"};

json_t *show_older(const mono_t until[_GM_VERSION_N], enum family family,
	unsigned number, mono_t now)
{
	for (unsigned v = GM_V1; v < _GM_VERSION_N; v++)
		if (gm_version_number(family, (enum gm_version)v) == number &&
			v < GM_V3)
			return json_of_ms_until(until[v], now);
	return json_null();
}

static json_t *version(void *ctx, const char *args)
{
	struct app *app = ctx;

	return json_pack("{ss ss ss si}", "name", "ringcastd", "version",
		RINGCAST_VERSION, "transmit", dataplane_transmit(app->dp, NULL), "pid",
		(int)getpid());
}

static json_t *health(void *ctx, const char *args)
{
	struct app *app = ctx;
	bool allow_down = strcmp(args, "allow-down") == 0;

	if (*args && !allow_down)
		return ctl_error("health takes nothing, or allow-down");
	return health_json(app, loop_now(app->loop), allow_down);
}

static json_t *reload(void *ctx, const char *args)
{
	json_t *messages = NULL;
	bool ok = app_reload(ctx, &messages);

	return json_pack("{sb so}", "ok", (int)ok, "messages",
		messages ? messages : json_array());
}

static json_t *log_level(void *ctx, const char *args)
{
	const struct app *app = ctx;
	enum log_level level;

	if (strcmp(args, "default") == 0)
		app_log_default_level(app);
	else if (*args && log_level_parse(args, &level) < 0)
		return ctl_error("unknown log level \"%s\"; there are error, warning, "
				 "notice, info, debug and default",
			args);
	else if (*args)
		log_set_level(level);
	return json_pack("{ss}", "level", log_level_name(log_get_level()));
}

static json_t *capture(void *ctx, const char *args, struct ctl_stream **ret)
{
	struct app *app = ctx;

	return tap_open(app->tap, args, ret);
}

static json_t *list_commands(void *ctx, const char *args)
{
	return json_pack("{so}", "commands", ctl_list(show_commands));
}

static bool log_changes(const char *args)
{
	return *args != '\0';
}

const struct ctl_command show_commands[] = {
	{"show interfaces", .answer = show_interfaces, .right = CTL_READ},
	/* before its shorter relative */
	{"show groups detail", .answer = show_groups_detail, .right = CTL_READ},
	{"show groups", .answer = show_groups, .right = CTL_READ},
	{"show mfc", .answer = show_mfc, .right = CTL_READ},
	{"show top", .answer = show_top, .right = CTL_READ},
	{"show upstream", .answer = show_upstream, .right = CTL_READ},
	{"show stats", .answer = show_stats, .right = CTL_READ},
	{"show config", .answer = show_config, .right = CTL_READ},
	{"explain", .answer = show_explain, .right = CTL_READ},
	{"commands", list_commands, .right = CTL_READ},
	{"version", version, .right = CTL_READ},
	{"metrics", .answer = show_metrics, .right = CTL_READ},
	{"health", health, .right = CTL_READ},
	{"clear group", show_clear_group, .right = CTL_CHANGE},
	{"reload", reload, .right = CTL_CHANGE},
	{"upgrade", app_upgrade, .right = CTL_CHANGE},
	{"log", log_level, .right = CTL_READ, .changes = log_changes},
	{"monitor", .stream = app_monitor_open, .right = CTL_READ},
	/* messages of hosts are state; data frames are what they watch */
	{"capture", .stream = capture, .right = CTL_READ, .changes = tap_shows_data},
	{NULL, NULL},
};
