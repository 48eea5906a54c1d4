/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The files of `host-names`. They are read at the start, after the rights have been
 * given up, and with each reload. Both log what is wrong with the files. Leases change
 * all the time. So when a client asks for a name after LOOK_MS, the files that have
 * changed are read again. Without a request nothing is read.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"
#include "control/config/host_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_MS 5000

/* Is the file another one than before? */
static bool has_changed(const struct app *app, const char *path, struct host_file *f)
{
	struct host_file is = {.inode = 0};
	struct stat st;
	bool changed;

	if (fstatat(app->config_dir, path, &st, 0) == 0) {
		is.inode = st.st_ino;
		is.size = st.st_size;
		is.changed = st.st_ctim;
	}
	changed = is.inode != f->inode || is.size != f->size ||
		is.changed.tv_sec != f->changed.tv_sec ||
		is.changed.tv_nsec != f->changed.tv_nsec;
	*f = is;
	return changed;
}

static int read_host_file(
	const struct app *app, const char *path, struct host_names *names)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	int r = app_read_names(app, path, HOST_NAMES_MAX_FILE, &text, &len);

	return r < 0 ? r : host_names_add(names, text, len);
}

static const char *host_file_advice(const struct app *app, int error)
{
	if (error == -EFBIG)
		return "256 KiB are the limit";
	if (error == -ENOENT)
		return "it is read when it appears";
	return app_names_advice(app, error);
}

static void say_host_file(const struct app *app, const char *path, int r)
{
	if (r < 0)
		log_warn("host-names %s: cannot read it: %s; %s", path, strerror(-r),
			host_file_advice(app, r));
}

static void say_hosts(const struct host_names *names)
{
	log_info("host-names: names of %zu hosts", names->n);
	if (names->n_left_out)
		log_warn("host-names: %zu more names than the limit of %d are left out",
			names->n_left_out, HOST_NAMES_MAX);
}

static void read_hosts(struct app *app, bool say)
{
	const struct config *c = app->cfg;
	struct host_names names = {0};

	for (size_t i = 0; i < c->n_host_names; i++) {
		int r = read_host_file(app, c->host_names[i], &names);

		if (say)
			say_host_file(app, c->host_names[i], r);
	}
	host_names_sort(&names);
	if (say)
		say_hosts(&names);
	app_hosts_free(app);
	app->hosts.names = names;
}

void app_hosts_read(struct app *app)
{
	for (size_t i = 0; i < app->cfg->n_host_names; i++)
		(void)has_changed(app, app->cfg->host_names[i], &app->hosts.file[i]);
	read_hosts(app, app->cfg->n_host_names > 0);
	app->hosts.look_at = mono_add_ms(loop_now(app->loop), LOOK_MS);
}

void app_hosts_free(struct app *app)
{
	host_names_deinit(&app->hosts.names);
}

const char *view_host_name(struct app *app, const struct addr *host)
{
	struct app_hosts *h = &app->hosts;
	mono_t now = loop_now(app->loop);
	bool changed = false;

	if (mono_due(h->look_at, now)) {
		h->look_at = mono_add_ms(now, LOOK_MS);
		for (size_t i = 0; i < app->cfg->n_host_names; i++)
			changed |=
				has_changed(app, app->cfg->host_names[i], &h->file[i]);
		if (changed)
			read_hosts(app, false);
	}
	return host_names_find(&h->names, host);
}
