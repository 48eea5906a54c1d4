/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The file of `channel-names`: read at the start, after the rights have been given up,
 * and with each reload. So a file that the daemon's user cannot read is noticed at the
 * start. Names are a convenience: a file that is missing or wrong is logged and changes
 * nothing else.
 */

#include "control/daemon/app_priv.h"

#include "base/cleanup.h"

#include <errno.h>
#include <string.h>

static const char *advice_on_file(const struct app *app, int error)
{
	return error == -EFBIG ? "8 MiB are the limit" : app_names_advice(app, error);
}

static void log_channels(const char *path, const struct channels *c)
{
	for (size_t i = 0; i < c->n_messages; i++) {
		const struct channels_message *m = &c->message[i];

		if (m->line)
			log_warn("%s:%u: %s", path, m->line, m->text);
		else
			log_warn("%s: %s", path, m->text);
	}
	if (c->n_more)
		log_warn("%s: %zu more messages of this kind are left out", path,
			c->n_more);
	if (c->n > 0)
		log_info("%s: names of %zu channels (%s)%s", path, c->n,
			channels_format_name(c->format),
			c->n_skipped
				? "; entries without a group or a name were skipped"
				: "");
}

void app_channels_read(struct app *app, const struct config *old)
{
	const char *path = app->cfg->channel_names;
	_cleanup_(freep) char *text = NULL;
	struct channels *c = NULL;
	size_t len = 0;
	int r;

	if (!path || (old && !config_same_text(path, old->channel_names)))
		app->channels = channels_free(app->channels);
	if (!path)
		return;
	r = app_read_names(app, path, CHANNELS_MAX_FILE, &text, &len);
	if (r < 0) {
		log_warn("channel-names %s: cannot read it: %s; %s", path, strerror(-r),
			advice_on_file(app, r));
		return;
	}
	r = channels_parse(text, len, &c);
	if (r < 0) {
		log_warn("channel-names %s: %s", path, strerror(-r));
		return;
	}
	log_channels(path, c);
	if (r > 0) {
		channels_free(c);
		return;
	}
	channels_free(app->channels);
	app->channels = c;
}
