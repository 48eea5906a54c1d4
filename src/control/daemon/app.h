/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * The daemon as one object: configuration, interfaces, router, membership sockets, data
 * plane, control socket, all on one event loop.
 */

#include "base/log/log.h"
#include "control/config/config.h"

struct app;
struct listen_fds;

/* exit statuses of the daemon */
enum {
	APP_EXIT_OK = 0,
	APP_EXIT_USAGE = 1,
	APP_EXIT_CONFIG = 2,
	APP_EXIT_CAPABILITY = 3,
	APP_EXIT_FAILURE = 4,
	APP_EXIT_UPGRADE = 5, /* the service manager is to start the next one at once */
};

struct app_options {
	const char *config_path;
	const char *control_socket; /* NULL: from the file, else the built-in path */
	bool foreground;
	bool log_to_stderr; /* -d: whatever the file says */
	/* what holds unless the file says something else */
	enum log_sink log_sink;
	enum log_level log_level;
	bool log_level_given;	   /* -v: the file says nothing */
	struct listen_fds *handed; /* by the process before; emptied; may be NULL */
};

/* Everything up to the running loop. Logs what is wrong; the value is the exit status,
 * APP_EXIT_OK with *ret_app set. */
int app_new(const struct app_options *options, struct app **ret_app);
struct app *app_free(struct app *app); /* takes and returns NULL */
/* Runs until SIGTERM or SIGINT; exit status. */
int app_run(struct app *app);

/* a file that is of no use */
struct app_refused {
	struct config *cfg; /* with errors, owned; NULL: it was not even read */
	int error;	    /* -errno of reading it */
};

/* Read the file (`dir` is its directory, `path` its name as the user wrote it) and log
 * its messages. NULL: unusable, *ret_status is the exit status, and *ret_refused says
 * more, unless that is NULL. */
struct config *app_read_config(
	int dir, const char *path, int *ret_status, struct app_refused *ret_refused);

/* The group of control-group, which must be there, else a line in the log and an exit
 * status. APP_EXIT_OK without one, and *ret_gid is (gid_t)-1. */
int app_find_group(const char *path, const struct config *cfg, gid_t *ret_gid);

/* After a start that went well: no more lines to the terminal as well as to syslog. */
void app_log_started(const struct app *app);
