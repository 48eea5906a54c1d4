/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What the daemon gives up at the end of its start, before there are threads: other
 * privileges than CAP_NET_RAW (privdrop), files (landlock), system calls (callfilter).
 * Files come before system calls, because Landlock is asked by such.
 *
 * Files are those that a reload, /proc and the end of the daemon need, doc/service.md.
 * Whatever libraries would open once is opened before.
 */

#include "control/app_priv.h"

#include "base/cleanup.h"
#include "control/callfilter.h"
#include "control/landlock.h"
#include "control/privdrop.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <string.h>
#include <time.h>

/* A file that is not there needs no right, and one that cannot be named gets none. */
static int allow(struct landlock *l, const char *path, unsigned rights)
{
	int r = landlock_allow(l, path, rights);

	return r == -ENOENT || r == -ENOTDIR || r == -EACCES ? 0 : r;
}

static int allow_directory_of(struct landlock *l, const char *path, unsigned rights)
{
	char dir[PATH_MAX];
	char *slash;

	if (strlen(path) >= sizeof(dir))
		return 0;
	strcpy(dir, path);
	slash = strrchr(dir, '/');
	if (slash)
		slash[slash == dir] = '\0';
	return allow(l, slash ? dir : ".", rights);
}

/* The directory and not the file, because editors replace files; and the one that links
 * lead to now. */
static int allow_config(const struct app *app, struct landlock *l)
{
	char real[PATH_MAX];
	int r = landlock_allow_fd(l, app->config_dir, LANDLOCK_READ);

	if (r == 0 && realpath(app->options.config_path, real))
		r = allow_directory_of(l, real, LANDLOCK_READ);
	return r;
}

static int choose_files(const struct app *app, struct landlock *l)
{
	int r = landlock_init(l);

	if (r == 0)
		r = allow_config(app, l);
	if (r == 0)
		r = allow_directory_of(l, app->socket_path, LANDLOCK_REMOVE);
	/* other daemons; malloc */
	if (r == 0 && app->rivals.proc >= 0)
		r = landlock_allow_fd(
			l, app->rivals.proc, LANDLOCK_READ | LANDLOCK_LIST);
	/* liburcu and malloc count processors */
	if (r == 0)
		r = allow(l, "/sys/devices/system/cpu", LANDLOCK_READ);
	return r;
}

/* The kernel has it not, or who started us forbids it. */
static bool is_policy(int r)
{
	return r == -ENOSYS || r == -EOPNOTSUPP || r == -EPERM || r == -EACCES ||
		r == -EINVAL;
}

static void say_missing(const char *what, int r, const char *so)
{
	if (r == -ENOSYS || r == -EOPNOTSUPP)
		log_info("%s: this kernel has none, or it is switched off; %s", what,
			so);
	else if (is_policy(r))
		log_info("%s: the kernel refuses it: %s; %s", what, strerror(-r), so);
	else
		log_warn("%s: %s; %s", what, strerror(-r), so);
}

static void no_landlock(int r)
{
	say_missing("landlock", r, "files are not confined");
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

static void confine_calls(const struct app *app)
{
	struct callfilter_options o = {
		.io_uring = app->cfg->transmit != CONFIG_TRANSMIT_SENDMMSG};
	int r = callfilter_apply(&o);

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

/* Files that libraries open at the first use of something. */
static void touch_libraries(void)
{
	tzset();	     /* syslog(3) */
	json_object_seed(0); /* random numbers for the keys of tables */
}

static int drop_privileges(const struct app *app)
{
	const char *what;
	int r = privdrop_apply(app->cfg->chroot, app->cfg->user, &what);

	log_root_changed();
	if (r == 0)
		return APP_EXIT_OK;
	log_err("cannot give up privileges: %s: %s", what, strerror(-r));
	return r == -EPERM ? APP_EXIT_CAPABILITY : APP_EXIT_FAILURE;
}

int app_confine(struct app *app)
{
	struct landlock files = {.fd = -1};
	int status, r = -ENOSYS;

	touch_libraries();
	/* before a chroot, from which they cannot be named */
	if (app->cfg->landlock)
		r = choose_files(app, &files);
	status = drop_privileges(app);
	if (status == APP_EXIT_OK && app->cfg->landlock && r < 0)
		no_landlock(r);
	else if (status == APP_EXIT_OK && app->cfg->landlock)
		confine_files(app, &files);
	landlock_deinit(&files);
	if (status == APP_EXIT_OK && app->cfg->seccomp)
		confine_calls(app);
	return status;
}
