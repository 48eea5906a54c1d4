/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the daemon gives up at its start, in two steps. Before it starts a thread, it
 * gives up all privileges except CAP_NET_RAW (privdrop), and files (landlock). It gives
 * up system calls (callfilter) when everything that is made once has been made,
 * especially the io_urings of the data plane, and before it reads a packet or a client.
 *
 * The files that stay accessible are those that a reload and /proc need, see
 * doc/service.md. Files that libraries open once are opened before.
 */

#include "control/daemon/app_priv.h"

#include "control/sys/callfilter.h"
#include "control/sys/landlock.h"
#include "control/sys/privdrop.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The user that the daemon becomes if root starts it and the file names none; and the
 * fallback if that user does not exist, a user that owns no files on any system. */
#define DEFAULT_USER "ringcast"
#define NOBODY	     65534

/* A file that does not exist needs no right. A file whose path is too long gets
 * none. */
static int allow(struct landlock *l, const char *path)
{
	int r = landlock_allow(l, path, LANDLOCK_READ);

	return r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : r;
}

static bool is_root_directory(const struct stat *s)
{
	struct stat root;

	return stat("/", &root) == 0 && s->st_dev == root.st_dev &&
		s->st_ino == root.st_ino;
}

/* Allows the directory instead of the file, because editors replace files. But in the
 * root directory that would allow all files, so there the file alone is allowed. */
static int allow_directory_of(struct landlock *l, const char *path)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	int len = slash ? (int)(slash + 1 - path) : 0;
	struct stat s;

	if (strlen(path) >= sizeof(dir))
		return 0;
	snprintf(dir, sizeof(dir), "%.*s.", len, path);
	if (stat(dir, &s) == 0 && is_root_directory(&s))
		return allow(l, path);
	return allow(l, dir);
}

/* Also allows the directory that symbolic links lead to now. */
static int allow_config(const struct app *app, struct landlock *l)
{
	const char *path = app->options.config_path;
	char real[PATH_MAX];
	struct stat s;
	int r;

	if (fstat(app->config_dir, &s) == 0 && is_root_directory(&s))
		r = allow(l, path);
	else
		r = landlock_allow_fd(l, app->config_dir, LANDLOCK_READ);
	if (r == 0 && realpath(path, real))
		r = allow_directory_of(l, real);
	return r;
}

/* Allows what allow_config() allows. Relative paths are in the directory of the
 * configuration. */
static int allow_name_file(const struct app *app, struct landlock *l, const char *path)
{
	const char *config = app->options.config_path, *slash = strrchr(config, '/');
	char full[PATH_MAX], real[PATH_MAX];
	int r = 0;

	if (*path == '/') {
		snprintf(full, sizeof(full), "%s", path);
		r = allow_directory_of(l, path);
	} else {
		snprintf(full, sizeof(full), "%.*s%s",
			slash ? (int)(slash + 1 - config) : 0, config, path);
	}
	if (r == 0 && realpath(full, real))
		r = allow_directory_of(l, real);
	return r;
}

static int allow_names(const struct app *app, struct landlock *l)
{
	const struct config *c = app->cfg;
	int r = c->channel_names ? allow_name_file(app, l, c->channel_names) : 0;

	for (size_t i = 0; r == 0 && i < c->n_host_names; i++)
		r = allow_name_file(app, l, c->host_names[i]);
	return r;
}

static int choose_files(const struct app *app, struct landlock *l)
{
	int r = landlock_init(l);

	if (r == 0)
		r = allow_config(app, l);
	if (r == 0)
		r = allow_names(app, l);
	if (r == 0 && app->metrics.port)
		r = landlock_allow_bind(l, app->metrics.port);
	if (r == 0 && app->web_listener.port)
		r = landlock_allow_bind(l, app->web_listener.port);
	/* other daemons; malloc */
	if (r == 0 && app->rivals.proc >= 0)
		r = landlock_allow_fd(
			l, app->rivals.proc, LANDLOCK_READ | LANDLOCK_LIST);
	/* liburcu and malloc count processors */
	if (r == 0)
		r = allow(l, "/sys/devices/system/cpu");
	return r;
}

/* It is worth a warning unless the kernel lacks it, or the process that started us
 * forbids it. */
static void no_landlock(int r)
{
	if (r == -ENOSYS || r == -EOPNOTSUPP)
		log_info(
			"landlock: this kernel has none, or it is switched off; files are "
			"not confined");
	else if (r == -EPERM || r == -EACCES || r == -EINVAL)
		log_info("landlock: the kernel refuses it: %s; files are not confined",
			strerror(-r));
	else
		log_warn("landlock: %s; files are not confined", strerror(-r));
}

static void confine_files(struct app *app, const struct landlock *l)
{
	int r = landlock_apply(l);

	app->files_confined = r == 0;
	if (r < 0)
		no_landlock(r);
	else
		log_info("files are confined (landlock, version %d)", l->version);
}

/* Files that libraries open at the first use of something. */
static void touch_libraries(void)
{
	tzset();	     /* lines of syslog */
	json_object_seed(0); /* random numbers for the keys of tables */
}

/* Becomes the default user, which must not prevent a start. Returns false if root
 * stays. */
static bool choose_default(struct privdrop_id *ret)
{
	if (privdrop_find_user(DEFAULT_USER, ret) < 0) {
		*ret = (struct privdrop_id){.uid = NOBODY, .gid = NOBODY};
		log_notice(
			"there is no user " DEFAULT_USER
			", so this daemon becomes nobody "
			"(%u), whom other services may share; make the user: useradd "
			"--system --user-group --no-create-home --shell "
			"/usr/sbin/nologin " DEFAULT_USER,
			NOBODY);
	}
	if (privdrop_may_become(ret))
		return true;
	log_info("the daemon stays root: it cannot become user %u (CAP_SETUID and "
		 "CAP_SETGID are missing, or this user namespace has no such user); a "
		 "container may be started as another user",
		(unsigned)ret->uid);
	return false;
}

/* Returns 0, with *ret_change true if there is another user to become, or -errno. */
static int choose_user(
	const struct config *cfg, struct privdrop_id *ret, bool *ret_change)
{
	bool is_root = geteuid() == 0;
	int r = 0;

	*ret_change = false;
	if (cfg->user) {
		r = privdrop_find_user(cfg->user, ret);
		*ret_change = r == 0 && !(is_root && ret->uid == 0);
		if (r == 0 && ret->uid == 0)
			log_warn(
				"user %s: an attacker who takes over this daemon is root, "
				"and can have systemd end any process; remove the line, "
				"and the daemon becomes the user " DEFAULT_USER,
				cfg->user);
	} else if (is_root) {
		*ret_change = choose_default(ret);
	}
	return r;
}

/* Warn now, not only when the next reload is refused. */
static void check_config(const struct app *app)
{
	if (app_config_is_private(app))
		log_warn(
			"%s: the user that this daemon has become (%u) cannot read it, "
			"so that a reload would be refused; give it the right (chgrp, "
			"chmod), or name another user",
			app->options.config_path, (unsigned)geteuid());
}

static int drop_privileges(const struct app *app)
{
	const char *what = "user";
	struct privdrop_id id;
	bool change;
	int r = choose_user(app->cfg, &id, &change);

	if (r == 0)
		r = privdrop_apply(app->cfg->chroot, change ? &id : NULL, &what);
	log_root_changed();
	if (r < 0) {
		log_err("cannot give up privileges: %s: %s", what, strerror(-r));
		return r == -EPERM ? APP_EXIT_CAPABILITY : APP_EXIT_FAILURE;
	}
	if (change)
		check_config(app);
	return APP_EXIT_OK;
}

int app_confine(struct app *app)
{
	struct landlock files = {.fd = -1};
	int status, r = -ENOSYS;

	touch_libraries();
	/* before a chroot, where they cannot be named */
	if (app->cfg->landlock)
		r = choose_files(app, &files);
	status = drop_privileges(app);
	if (status == APP_EXIT_OK && app->cfg->landlock && r < 0)
		no_landlock(r);
	else if (status == APP_EXIT_OK && app->cfg->landlock)
		confine_files(app, &files);
	landlock_deinit(&files);
	return status;
}

static bool makes_tcp(const struct app *app)
{
	return app->metrics.port || app->web_listener.port;
}

/* Messages that a ring sends pass no filter, and a message with MSG_FASTOPEN connects.
 * So rings must not be combined with the TCP sockets that a listener may make. */
static bool could_connect(const struct app *app)
{
	return makes_tcp(app) && app->cfg->seccomp && !callfilter_missing() &&
		app->cfg->transmit != CONFIG_TRANSMIT_SENDMMSG;
}

static const char *listener_keyword(const struct app *app)
{
	return app->metrics.port ? "metrics-listen" : "web-listen";
}

enum config_transmit app_choose_transmit(const struct app *app)
{
	bool is_asked_for = app->cfg->transmit == CONFIG_TRANSMIT_IO_URING;

	if (!could_connect(app))
		return app->cfg->transmit;
	if (is_asked_for)
		log_warn(
			"transmit io_uring with %s: an attacker who takes this "
			"daemon over can connect to any TCP service; remove the line, and it "
			"sends by sendmmsg",
			listener_keyword(app));
	else
		log_info("with %s frames are sent by sendmmsg: io_uring could "
			 "not be kept from TCP connections",
			listener_keyword(app));
	return is_asked_for ? CONFIG_TRANSMIT_IO_URING : CONFIG_TRANSMIT_SENDMMSG;
}

void app_confine_calls(const struct app *app)
{
	enum config_transmit transmit = app->cfg->transmit;
	struct callfilter_options o = {
		.io_uring = transmit == CONFIG_TRANSMIT_IO_URING ||
			(transmit == CONFIG_TRANSMIT_AUTO && !could_connect(app)),
		.tcp = makes_tcp(app)};
	int r = app->cfg->seccomp ? callfilter_apply(&o) : 0;

	if (!app->cfg->seccomp)
		return;
	if (r == 0)
		log_info("system calls are filtered (seccomp)");
	else if (callfilter_missing())
		log_info("seccomp: %s; system calls are not filtered",
			callfilter_missing());
	else
		log_info(
			"seccomp: the kernel refuses a filter: %s; system calls are not "
			"filtered",
			strerror(-r));
}
