/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * What this host's kernel holds for programs: read from /proc/net when a message of the
 * kernel's leaves on an upstream, when the ports change, and every few seconds while
 * any group is wanted.
 */

#include "control/app_priv.h"
#include "control/igmp.h"
#include "control/mld.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

/* while somebody wants groups: a program may join one at any time on a LAN, where the
 * kernel's messages are not heard */
#define LOOK_MS	  2000
#define SOON_MS	  20	     /* at least between two looks, but for leaves */
#define FILE_SIZE (2u << 20) /* more of a file is not read */

/* The file as a string, NULL if it cannot be read: no such family in this kernel. */
static char *read_text(int proc, const char *path)
{
	_cleanup_(closep) int fd = openat(proc, path, O_RDONLY | O_CLOEXEC);
	_cleanup_(freep) char *text = NULL;
	size_t len = 0, cap = 0;
	ssize_t n = -1;

	while (fd >= 0 && len < FILE_SIZE) {
		if (cap - len < 4096) {
			char *more = realloc(text, cap + 16384);

			if (!more)
				return NULL;
			text = more;
			cap += 16384;
		}
		n = read(fd, text + len, cap - len - 1);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	if (n < 0)
		return NULL;
	text[len] = '\0';
	return take_ptr(text);
}

static void look_at(struct app *app, mono_t now, enum family family)
{
	static const char *const path[_FAMILY_N][2] = {
		[FAMILY_IPV4] = {"net/igmp", "net/mcfilter"},
		[FAMILY_IPV6] = {"net/igmp6", "net/mcfilter6"},
	};
	_cleanup_(freep) char *groups = read_text(app->rivals.proc, path[family][0]);
	_cleanup_(freep) char *sources = read_text(app->rivals.proc, path[family][1]);
	struct kgroups *k = &app->kernel[family], old = *k, new = {0};

	if (!groups)
		return;
	if (kgroups_parse(&new, family, groups, sources) < 0 || kgroups_eq(&new, k)) {
		kgroups_deinit(&new);
		return;
	}
	*k = new;
	router_kernel_changed(app->router, now, family, &old, k);
	kgroups_deinit(&old);
	app->plan_stale = true;
}

/* Since the last time that this was asked. */
static bool datagrams_arrive(struct app *app)
{
	uint64_t before = app->kernel_frames;
	struct dataplane_stats s;

	dataplane_stats(app->dp, &s);
	app->kernel_frames = s.frames;
	return s.frames != before;
}

void app_kernel_look(struct app *app, mono_t now)
{
	for (unsigned f = 0; f < _FAMILY_N; f++)
		if (app->router->family[f])
			look_at(app, now, (enum family)f);
	app->kernel_looked = now;
	app->kernel_at = datagrams_arrive(app) ? mono_add_ms(now, LOOK_MS) : MONO_NEVER;
	if (app->plan_stale)
		app_sync_plan(app, now);
}

void app_kernel_stir(struct app *app, mono_t now)
{
	if (app->kernel_at.ns == MONO_NEVER.ns)
		app->kernel_at =
			mono_max(now, mono_add_ms(app->kernel_looked, LOOK_MS));
}

mono_t app_kernel_deadline(const struct app *app)
{
	return router_n_groups(app->router) > 0 ? app->kernel_at : MONO_NEVER;
}

void app_kernel_tick(struct app *app, mono_t now)
{
	if (mono_due(app_kernel_deadline(app), now))
		app_kernel_look(app, now);
}

/* A leave is answered from what is known now, however many there are. */
void app_kernel_heard(struct app *app, unsigned port, enum family family,
	const void *data, size_t len)
{
	const struct igmp_rules igmp = {0};
	const struct mld_rules mld = {0};
	mono_t now = loop_now(app->loop);
	mono_t next = mono_add_ms(app->kernel_looked, SOON_MS);
	struct proxy_port *pp = app->router->port[port];
	struct gm_msg msg;
	enum gm_bad bad;

	if (!pp)
		return;
	bad = family == FAMILY_IPV4 ? igmp_decode(data, len, &igmp, app->scratch, &msg)
				    : mld_decode(data, len, &mld, app->scratch, &msg);
	if (bad != GM_OK)
		return;
	if (!mono_is_set(app->kernel_looked) || mono_due(next, now))
		app_kernel_look(app, now);
	else
		app->kernel_at = mono_min(app->kernel_at, next);
	proxy_kernel_says(pp->proxy, now, port, &msg);
}

void app_kernel_free(struct app *app)
{
	for (unsigned f = 0; f < _FAMILY_N; f++)
		kgroups_deinit(&app->kernel[f]);
}
