/* SPDX-License-Identifier: GPL-2.0-or-later */

#pragma once

/*
 * What the files of the control socket's replies share: show.c (the table of commands),
 * show_*.c (a subject each). The functions answer the command of their name.
 */

#include "control/app.h"
#include "control/json.h"

json_t *show_interfaces(void *ctx, const char *args);
json_t *show_groups(void *ctx, const char *args);
json_t *show_groups_detail(void *ctx, const char *args);
json_t *show_mfc(void *ctx, const char *args);
json_t *show_top(void *ctx, const char *args);
json_t *show_explain(void *ctx, const char *args);
json_t *show_upstream(void *ctx, const char *args);
json_t *show_stats(void *ctx, const char *args);

/* names of ports */
json_t *show_ports(const struct app *app, const struct portset *ports);
const char *show_instance(const struct app *app, const struct proxy_port *pp);
/* why the port does not work, or NULL */
const char *show_port_error(const struct app *app, unsigned port);
const char *show_mode(enum gm_mode mode);	 /* "include", "exclude" */
extern const char *const show_family[_FAMILY_N]; /* "ipv4", "ipv6" */
/* When hosts or queriers of an older version are over: of version `number` of the
 * protocol, null when that is no older one. */
json_t *show_older(const mono_t until[_GM_VERSION_N], enum family family,
	unsigned number, mono_t now);

/* Walk the forwarding table with show_rate_of() for each entry. */
void show_walk_fib(
	struct app *app, void (*fn)(const struct fib_view *v, void *arg), void *arg);
struct rate show_rate_of(struct app *app, const struct fib_view *v);
json_t *show_mfc_entry(
	const struct app *app, const struct fib_view *v, const struct rate *r);
json_t *show_rate_interval(const struct app *app);
