/* SPDX-License-Identifier: GPL-2.0-or-later */

/* The daemon as views see it, see show/view.h. Functions that do more than return a
 * member are defined in the files that have the facts. */

#include "control/show/view.h"

#include "control/daemon/app_priv.h"

mono_t view_now(const struct app *app)
{
	return loop_now(app->loop);
}

mono_t view_started(const struct app *app)
{
	return app->started;
}

const struct config *view_config(const struct app *app)
{
	return app->cfg;
}

const char *view_config_path(const struct app *app)
{
	return app->options.config_path;
}

const struct channels *view_channels(const struct app *app)
{
	return app->channels;
}

const struct iface_table *view_ifaces(const struct app *app)
{
	return &app->ifaces;
}

const struct instances *view_instances(const struct app *app)
{
	return app->instances;
}

struct dataplane *view_dataplane(const struct app *app)
{
	return app->dp;
}

const struct view_counts *view_counts(const struct app *app)
{
	return &app->count;
}

struct view_memory *view_memory(struct app *app)
{
	return &app->views;
}

const struct refusals *view_reports(const struct app *app)
{
	return &app->reports;
}

const struct kgroups *view_kernel(const struct app *app, enum family family)
{
	return &app->kernel[family];
}

struct view_port view_port(const struct app *app, unsigned port)
{
	const struct app_port *ap = &app->port[port];
	struct view_port v = {.error = ap->error};

	for (unsigned f = 0; f < _FAMILY_N; f++) {
		v.sensor[f] = ap->sensor[f] != NULL;
		v.sensor_error[f] = ap->sensor_error[f];
		v.socket[f] = ap->sock[f] != NULL;
		if (ap->sock[f])
			mcsock_queue(ap->sock[f], &v.queue[f], &v.queue_limit[f]);
	}
	return v;
}

bool view_is_struck(const struct app *app, unsigned port, enum admission_cause cause,
	struct view_struck *ret)
{
	const struct admission_port *admission = &app->port[port].admission;
	const struct admission_struck *s = &admission->struck[cause];
	mono_t now = loop_now(app->loop);

	if (!admission_is_struck(admission, cause, now))
		return false;
	app_format_host(&s->host, ret->host);
	app_format_struck(s, now, ret->done);
	return true;
}

uint64_t view_netlink_overruns(const struct app *app)
{
	return netlink_overruns(app->netlink);
}

void view_ctl_stats(const struct app *app, struct ctl_stats *ret)
{
	ctl_stats(app->ctl, ret);
}

void view_selfstat(const struct app *app, struct selfstat_values *ret)
{
	selfstat_read(&app->selfstat, ret);
}
