/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon as one object. It owns the configuration, the interfaces, the instances of
 * the proxy, the membership sockets, the data plane and the control socket, and runs
 * them on one event loop.
 */

#include "base/log/log.h"
#include "control/config/config.h"

struct app;
struct inherit_fds;

/* exit statuses of the daemon */
enum {
	APP_EXIT_OK = 0,
	APP_EXIT_USAGE = 1,
	APP_EXIT_CONFIG = 2,
	APP_EXIT_CAPABILITY = 3,
	APP_EXIT_FAILURE = 4,
	/* another process takes over: the service manager must start it at once */
	APP_EXIT_UPGRADE = 5,
};

struct app_options {
	const char *config_path;
	/* the path of the control socket; if NULL, the file or the built-in default
	 * decides */
	const char *control_socket;
	bool foreground;
	bool log_to_stderr; /* option -d, which overrides the file */
	/* defaults for settings that are not in the file */
	enum log_sink log_sink;
	enum log_level log_level;
	bool log_level_given; /* option -v, which overrides the file */
	/* the descriptors of the old process, or NULL; app_new() takes them out */
	struct inherit_fds *handed;
};

/* Does everything before the loop runs, and logs errors. Returns an exit status. If
 * that is APP_EXIT_OK, *ret_app is set, and the caller frees it with app_free(). */
int app_new(const struct app_options *options, struct app **ret_app);
struct app *app_free(struct app *app);
/* Runs until SIGTERM or SIGINT; returns the exit status. */
int app_run(struct app *app);

/* a file that was refused */
struct app_refused {
	struct config *cfg; /* owned, with its errors; NULL if the file was not read */
	int error;	    /* -errno of reading the file, or 0 */
};

/* Returns a descriptor of the directory of a file, which the caller closes, or -1. */
int app_open_dir_of(const char *path);
/* Reads the file and logs its messages. `dir` is its directory, and `path` is its name
 * as the user wrote it. The caller frees the result. Returns NULL if the file cannot be
 * used; *ret_status is then the exit status, and *ret_refused has the reason, unless
 * `ret_refused` is NULL. */
struct config *app_read_config(
	int dir, const char *path, int *ret_status, struct app_refused *ret_refused);

/* Looks up the group of control-group. Returns APP_EXIT_OK, with *ret_gid (gid_t)-1 if
 * no group is configured; or logs that the group is missing and returns an exit
 * status. */
int app_find_group(const char *path, const struct config *cfg, gid_t *ret_gid);

/* After a successful start: stops writing log lines to the terminal in addition to
 * syslog. */
void app_log_started(const struct app *app);
