/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * The groups that this host's kernel holds for programs. They are read from /proc/net
 * when a message of the kernel leaves on an upstream, when the ports change, and every
 * few seconds while any group is wanted.
 */

#include "control/daemon/app_priv.h"

#include "base/sys/clock.h"
#include "control/proto/igmp.h"
#include "control/proto/mld.h"

#include <errno.h>

/* between two readings while groups are wanted. A program may join one on a LAN at any
 * time, and we do not receive the kernel's messages there. */
#define LOOK_MS 2000
/* the least time between two readings, except after leaves */
#define SOON_MS	   20
#define STRETCH_NS (2 * NS_PER_MS) /* work after which the network gets its turn */

static void app_kernel_take(struct app *app, mono_t now, enum family family)
{
	const struct proctext *text = app->kernel_look.text;
	struct kgroups *k = &app->kernel[family], old = *k, new = {0};

	if (kgroups_parse(&new, family, text[0].text, text[1].text) < 0 ||
		kgroups_eq(&new, k)) {
		kgroups_deinit(&new);
		return;
	}
	*k = new;
	instances_kernel_changed(app->instances, now, family, &old, k);
	kgroups_deinit(&old);
	app->plan_stale = true;
}

static void app_kernel_forget(struct kernel_look *look)
{
	for (unsigned i = 0; i < array_len(look->text); i++)
		proctext_deinit(&look->text[i]);
	look->file = 0;
}

/* Reads a piece; uses the groups of a family when both of its files are complete. */
static void read_piece(struct app *app, mono_t now)
{
	static const char *const path[_FAMILY_N][2] = {
		[FAMILY_IPV4] = {"net/igmp", "net/mcfilter"},
		[FAMILY_IPV6] = {"net/igmp6", "net/mcfilter6"},
	};
	struct kernel_look *look = &app->kernel_look;
	int r = -ENOENT;

	if (app->instances->family[look->family])
		r = proctext_read(&look->text[look->file], app->rivals.proc,
			path[look->family][look->file]);
	if (r > 0)
		return;
	if (look->file == 0 && r == 0) {
		look->file = 1;
		return;
	}
	if (look->file == 1) /* without mcfilter all sources are wanted */
		app_kernel_take(app, now, look->family);
	app_kernel_forget(look);
	look->on = ++look->family < _FAMILY_N;
}

static void read_pieces(struct app *app, mono_t now)
{
	struct kernel_look *look = &app->kernel_look;
	int64_t from = clock_ns(CLOCK_MONOTONIC), cost;

	do
		read_piece(app, now);
	while (look->on && clock_ns(CLOCK_MONOTONIC) - from < STRETCH_NS);
	if (app->plan_stale)
		app_sync_plan(app, now);
	cost = clock_ns(CLOCK_MONOTONIC) - from;
	app->kernel_looked = now;
	app->kernel_rest = proctext_again(now, cost, 0);
	if (look->on || look->again)
		app->kernel_at = proctext_again(now, cost, SOON_MS);
	else
		app->kernel_at = app_datagrams_arrive(app, &app->kernel_frames)
			? proctext_again(now, cost, LOOK_MS)
			: MONO_NEVER;
}

static void app_kernel_begin(struct app *app)
{
	struct kernel_look *look = &app->kernel_look;

	look->again = look->on;
	if (look->on)
		return;
	look->family = FAMILY_IPV4;
	look->on = true;
}

/* Reads at once, unless the files are so long that this is expensive. */
void app_kernel_look(struct app *app, mono_t now)
{
	app_kernel_begin(app);
	if (mono_due(app->kernel_rest, now))
		read_pieces(app, now);
	else
		app->kernel_at = mono_min(app->kernel_at, app->kernel_rest);
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
	return instances_n_groups(app->instances) > 0 || app->kernel_look.on
		? app->kernel_at
		: MONO_NEVER;
}

void app_kernel_tick(struct app *app, mono_t now)
{
	if (!mono_due(app_kernel_deadline(app), now))
		return;
	if (!app->kernel_look.on)
		app_kernel_begin(app);
	read_pieces(app, now);
}

/* Answers a leave from the last reading, so many leaves cost no further readings. */
void app_kernel_heard(void *ctx, enum family family, const void *data, size_t len)
{
	const struct app_port *ap = ctx;
	struct app *app = ap->app;
	const struct gm_rules lax = {0};
	mono_t now = loop_now(app->loop);
	mono_t next =
		mono_max(mono_add_ms(app->kernel_looked, SOON_MS), app->kernel_rest);
	struct proxy_port *pp = app->instances->port[ap->number];
	struct gm_msg msg;
	enum gm_bad bad;

	if (!pp)
		return;
	if (family == FAMILY_IPV4)
		bad = igmp_decode(data, len, &lax, &app->scratch, &msg);
	else
		bad = mld_decode(data, len, &lax, &app->scratch, &msg);
	if (bad != GM_OK || !proxy_kernel_sent(pp, &msg))
		return;
	if (!mono_is_set(app->kernel_looked) || mono_due(next, now))
		app_kernel_look(app, now);
	else {
		app->kernel_look.again = app->kernel_look.on;
		app->kernel_at = mono_min(app->kernel_at, next);
	}
	proxy_kernel_says(pp->proxy, now, ap->number, &msg);
}

void app_kernel_free(struct app *app)
{
	for (unsigned f = 0; f < _FAMILY_N; f++)
		kgroups_deinit(&app->kernel[f]);
	app_kernel_forget(&app->kernel_look);
}
