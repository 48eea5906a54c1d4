/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The commands of the control socket with their rights, and those that change the
 * daemon. Commands that only show something are in show/. */

#include "control/daemon/app_priv.h"

#include "base/log/log.h"
#include "control/daemon/captures.h"
#include "control/show/show.h"

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

	return captures_open(app->captures, args, ret);
}

static json_t *list_commands(void *ctx, const char *args)
{
	return json_pack("{so}", "commands", ctl_list(app_commands));
}

static bool log_changes(const char *args)
{
	return *args != '\0';
}

const struct ctl_command app_commands[] = {
	{"show interfaces", .answer = show_interfaces, .right = CTL_READ},
	/* must come before the shorter command */
	{"show groups detail", .answer = show_groups_detail, .right = CTL_READ},
	{"show groups", .answer = show_groups, .right = CTL_READ},
	{"show mfc", .answer = show_mfc, .right = CTL_READ},
	{"show top", .answer = show_top, .right = CTL_READ},
	{"show upstream", .answer = show_upstream, .right = CTL_READ},
	{"show quality", .answer = show_quality, .right = CTL_READ},
	{"show zaps", .answer = show_zaps, .right = CTL_READ},
	{"show stats", .answer = show_stats, .right = CTL_READ},
	{"show config", .answer = show_config, .right = CTL_READ},
	{"explain", .answer = show_explain, .right = CTL_READ},
	{"commands", list_commands, .right = CTL_READ},
	{"version", show_version, .right = CTL_READ},
	{"metrics", .answer = show_metrics, .right = CTL_READ},
	{"health", show_health, .right = CTL_READ},
	{"page", app_web_page, .right = CTL_READ},
	{"clear group", app_clear_group, .right = CTL_CHANGE},
	{"reload", reload, .right = CTL_CHANGE},
	{"upgrade", app_upgrade, .right = CTL_CHANGE},
	{"log", log_level, .right = CTL_READ, .changes = log_changes},
	{"monitor", .stream = app_monitor_open, .right = CTL_READ},
	/* messages of hosts are state, but data frames show what people watch */
	{"capture", .stream = capture, .right = CTL_READ,
		.changes = captures_shows_data},
	{NULL, NULL},
};
