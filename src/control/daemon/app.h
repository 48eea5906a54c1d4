/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon as one object: configuration, interfaces, router, membership sockets, data
 * plane, control socket, all on one event loop.
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
	APP_EXIT_UPGRADE = 5, /* the service manager must start the next process at
			       * once */
};

struct app_options {
	const char *config_path;
	const char *control_socket; /* NULL means from the file, else the built-in
				     * path */
	bool foreground;
	bool log_to_stderr; /* -d: overrides the file */
	/* defaults for settings that are not in the file */
	enum log_sink log_sink;
	enum log_level log_level;
	bool log_level_given;	    /* -v: overrides the file */
	struct inherit_fds *handed; /* from the old process; emptied; may be NULL */
};

/* Does everything before the loop runs. Logs errors. Returns the exit status; with
 * APP_EXIT_OK, *ret_app is set. */
int app_new(const struct app_options *options, struct app **ret_app);
struct app *app_free(struct app *app); /* takes and returns NULL */
/* Runs until SIGTERM or SIGINT; returns the exit status. */
int app_run(struct app *app);

/* a file that was refused */
struct app_refused {
	struct config *cfg; /* with errors, owned; NULL if it was not even read */
	int error;	    /* -errno of reading it */
};

/* Read the file (`dir` is its directory, `path` its name as the user wrote it) and log
 * its messages. Returns NULL if it is unusable; *ret_status is then the exit status,
 * and *ret_refused (unless NULL) has the reason. */
struct config *app_read_config(
	int dir, const char *path, int *ret_status, struct app_refused *ret_refused);

/* Looks up the group of control-group. Returns APP_EXIT_OK, with *ret_gid (gid_t)-1 if
 * no group is configured; or logs that the group is missing and returns an exit
 * status. */
int app_find_group(const char *path, const struct config *cfg, gid_t *ret_gid);

/* After a successful start: stops writing log lines to the terminal in addition to
 * syslog. */
void app_log_started(const struct app *app);
