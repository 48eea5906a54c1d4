/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * Reading the configuration file, at start and on reload. A reload with an error keeps
 * the running configuration. Settings that cannot change while running are logged.
 */

#include "control/daemon/app_priv.h"

#include "base/array.h"
#include "base/cleanup.h"
#include "control/config/config_keyword.h"
#include "control/show/json.h"
#include "control/sys/sdnotify.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG_MAX_SIZE (16 << 20)

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int read_all(int fd, size_t max, char **ret_text, size_t *ret_len)
{
	_cleanup_(freep) char *text = NULL;
	size_t len = 0, cap = 0;
	ssize_t n;

	do {
		if (array_reserve(text, cap, len + 4096, 65536) < 0)
			return -ENOMEM;
		n = read(fd, text + len, cap - len);
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += (size_t)n;
		if (len > max)
			return -EFBIG;
	} while (n != 0);
	*ret_text = take_ptr(text);
	*ret_len = len;
	return 0;
}

static int app_read_file(
	int dir, const char *path, size_t max, char **ret_text, size_t *ret_len)
{
	_cleanup_(closep) int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : read_all(fd, max, ret_text, ret_len);
}

int app_read_names(const struct app *app, const char *path, size_t max, char **ret_text,
	size_t *ret_len)
{
	_cleanup_(closep) int fd = openat(
		app->config_dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	/* anything else could make us wait */
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	return read_all(fd, max, ret_text, ret_len);
}

const char *app_names_advice(const struct app *app, int error)
{
	if (error == -EACCES)
		return app->files_confined
			? "the daemon's user must be allowed to read it, and it must be "
			  "below the directory of the configuration file, or in a "
			  "directory that was named at the start (keyword landlock)"
			: "the daemon's user must be allowed to read it";
	if (error == -EINVAL)
		return "name a plain file";
	return "correct the path, then reload";
}

static void log_messages(const char *path, const struct config *cfg)
{
	for (size_t i = 0; i < cfg->n_message; i++) {
		const struct config_message *m = &cfg->message[i];
		enum log_level level = m->severity == CONFIG_ERROR ? LOG_LEVEL_ERROR
								   : LOG_LEVEL_WARNING;

		if (m->line)
			log_write(level, "%s:%u:%u: %s", path, m->line, m->column,
				m->text);
		else
			log_write(level, "%s: %s", path, m->text);
	}
}

struct config *app_read_config(
	int dir, const char *path, int *ret_status, struct app_refused *ret_refused)
{
	_cleanup_(freep) char *text = NULL;
	struct config *cfg = NULL;
	size_t len = 0;
	int r = app_read_file(dir, base_name(path), CONFIG_MAX_SIZE, &text, &len);

	if (r < 0) {
		log_err("%s: cannot read the configuration: %s", path, strerror(-r));
		*ret_status = APP_EXIT_CONFIG;
		if (ret_refused)
			ret_refused->error = r;
		return NULL;
	}
	r = config_parse(text, len, &cfg);
	if (r < 0) {
		log_err("%s: %s", path, strerror(-r));
		*ret_status = APP_EXIT_FAILURE;
		return NULL;
	}
	log_messages(path, cfg);
	if (r == 0 && !app_http_possible(path, cfg))
		r = 1;
	if (r == 0)
		return cfg;
	*ret_status = APP_EXIT_CONFIG;
	if (ret_refused)
		ret_refused->cfg = cfg;
	else
		config_free(cfg);
	return NULL;
}

/* Names of the file that the system does not have, as a sentence, or NULL. */
static char *find_missing(const struct app *app, const struct config *cfg)
{
	size_t n = app->ifaces.n;
	_cleanup_(freep) const char **names = calloc(n + 1, sizeof(*names));

	for (size_t i = 0; names && i < n; i++)
		names[i] = app->ifaces.v[i].name;
	return names ? config_missing(cfg, names) : NULL;
}

void app_warn_missing(const struct app *app, const struct config *cfg)
{
	_cleanup_(freep) char *missing = find_missing(app, cfg);

	if (missing)
		log_warn("%s: %s", app->options.config_path, missing);
}

int app_find_group(const char *path, const struct config *cfg, gid_t *ret_gid)
{
	const struct group *group;

	*ret_gid = (gid_t)-1;
	if (!cfg->control_group)
		return APP_EXIT_OK;
	errno = 0;
	group = getgrnam(cfg->control_group);
	if (group) {
		*ret_gid = group->gr_gid;
		return APP_EXIT_OK;
	}
	if (errno == 0 || errno == ENOENT)
		log_err("%s:%u:%u: control-group: there is no group '%s'; make it "
			"(groupadd --system %s), or name one that 'getent group' shows",
			path, cfg->control_group_line, cfg->control_group_column,
			cfg->control_group, cfg->control_group);
	else
		log_err("%s:%u:%u: control-group: cannot look for the group '%s': %s",
			path, cfg->control_group_line, cfg->control_group_column,
			cfg->control_group, strerror(errno));
	return APP_EXIT_CONFIG;
}

static void add_message(json_t *list, const char *path, enum config_severity severity,
	unsigned line, unsigned column, const char *text)
{
	json_array_append_new(list,
		json_pack("{ss so si si so}", "severity",
			severity == CONFIG_ERROR ? "error" : "warning", "file",
			json_of_text(path), "line", (int)line, "column", (int)column,
			"text", json_of_text(text)));
}

static json_t *messages_json(const char *path, const struct config *cfg)
{
	json_t *list = json_array();

	for (size_t i = 0; cfg && i < cfg->n_message; i++) {
		const struct config_message *m = &cfg->message[i];

		add_message(list, path, m->severity, m->line, m->column, m->text);
	}
	return list;
}

bool app_config_is_private(const struct app *app)
{
	return faccessat(app->config_dir, base_name(app->options.config_path), R_OK,
		       0) < 0 &&
		errno == EACCES;
}

static const char private[] =
	"the user that the daemon has become cannot read it: give it the right (chgrp, "
	"chmod), or name another user and restart the daemon";
static const char outside[] =
	"since its start the daemon may read the directory of the configuration file "
	"alone (keyword landlock): put the file there, or restart the daemon";

/* For a file that cannot be read there are no messages of the parser. */
static void explain_unreadable(const struct app *app, int error, json_t *list)
{
	const char *path = app->options.config_path;
	const char *hint = NULL;
	char text[512];

	if (error == -EACCES && app_config_is_private(app))
		hint = private;
	else if (error == -EACCES && app->files_confined)
		hint = outside;
	snprintf(text, sizeof(text), "cannot read the configuration: %s%s%s",
		strerror(-error), hint ? ": " : "", hint ? hint : "");
	add_message(list, path, CONFIG_ERROR, 0, 0, text);
	if (hint)
		log_err("%s: %s", path, hint);
}

/* Logs a warning about the new file, and adds it to the reply. */
_printf_(3, 4) static void warn_of(
	const struct app *app, json_t *list, const char *format, ...)
{
	_cleanup_(freep) char *text = NULL;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vasprintf(&text, format, ap);
	va_end(ap);
	if (n < 0) {
		text = NULL;
		return;
	}
	log_warn("%s: %s", app->options.config_path, text);
	add_message(list, app->options.config_path, CONFIG_WARNING, 0, 0, text);
}

static void warn_port(const struct app *app, json_t *list, const struct app_listener *l,
	const char *keyword, const char *text)
{
	unsigned port = app_listener_new_port(l, text);

	if (port)
		warn_of(app, list,
			"%s: port %u cannot be bound while running; restart the daemon for "
			"that",
			keyword, port);
}

/* Warns of keywords of the new file that are not in force after a reload. */
static void warn_of_new(const struct app *app, const struct config *new, json_t *list)
{
	_cleanup_(freep) char *missing = find_missing(app, new);

	for (size_t i = 0; i < config_n_keywords; i++)
		if (config_keywords[i].fixed &&
			!config_keyword_eq(&config_keywords[i], app->cfg, new))
			warn_of(app, list,
				"%s cannot change while running; restart the daemon for that",
				config_keywords[i].name);
	warn_port(app, list, &app->metrics, "metrics-listen", new->metrics_listen);
	warn_port(app, list, &app->web_listener, "web-listen", new->web_listen);
	if (missing)
		warn_of(app, list, "%s", missing);
}

bool app_reload(struct app *app, json_t **ret_messages)
{
	const char *path = app->options.config_path;
	struct app_refused refused = {0};
	struct config *old = app->cfg, *cfg;
	json_auto_t *messages = NULL;
	int status;

	sdnotify_reloading(loop_system_now(app->loop));
	cfg = app_read_config(app->config_dir, path, &status, &refused);
	messages = messages_json(path, cfg ? cfg : refused.cfg);
	if (refused.error)
		explain_unreadable(app, refused.error, messages);
	if (ret_messages)
		*ret_messages = json_incref(messages);
	config_free(refused.cfg);
	if (!cfg) {
		log_err("%s: reload refused; the running configuration stays in force",
			path);
		app->count.n_reloads_refused++;
		app->count.reload_refused = true;
		app_monitor_reload(app, false);
		sdnotify_ready("forwarding; the configuration file has an error");
		return false;
	}
	app_log_configure(app, old, cfg);
	warn_of_new(app, cfg, messages);
	app_sync(app, loop_now(app->loop), cfg);
	app->cfg = cfg;
	app_http_reload(app, old);
	app_channels_read(app, old);
	app_hosts_read(app);
	app_quality_reload(app);
	app->count.n_reloads++;
	app->count.reload_refused = false;
	config_free(old);
	app_rival_look(app, loop_now(app->loop), true);
	sdnotify_ready("forwarding");
	app_monitor_reload(app, true);
	log_notice("%s: reloaded", path);
	return true;
}
