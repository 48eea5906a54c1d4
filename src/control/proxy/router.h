/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * All proxy instances of the process (R132, R200; TR-124 .4). Makes one for each
 * instance of the configuration, gives every port of all of them its own number and
 * every instance its own number in the forwarding table; instances share nothing else.
 * Pure.
 */

#include "control/proxy/proxy.h"

struct router_instance {
	char name[CONFIG_INSTANCE_MAX]; /* empty: the unnamed one */
	struct proxy *proxy;
};

struct router {
	bool family[_FAMILY_N];
	struct rng rng;
	struct router_instance *instance; /* those that are in use */
	size_t n_instance;
	struct portset taken;			 /* port numbers in use */
	struct proxy_port *port[PORT_MAX];	 /* of all instances; owned by them */
	const struct kgroups *kernel[_FAMILY_N]; /* see router_kernel_changed() */
};

/* No instance yet. 0 or -ENOMEM. */
int router_new(const bool family[_FAMILY_N], uint64_t seed, struct router **ret_router);
struct router *router_free(struct router *r); /* takes and returns NULL */

/* Give up the ports and instances that the configuration no longer has. Their last
 * words are in `fx`: to be sent before the sockets of these ports are closed and before
 * router_sync() uses their numbers anew. */
void router_release(struct router *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);
/* Bring everything into line, see proxy_sync(); after router_release() with the same
 * arguments. 0 or -ENOMEM; > 0: that many interfaces found no free port number. */
int router_sync(struct router *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* See proxy_each_missing(); of all instances. */
int router_each_missing(const struct router *r, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg);

mono_t router_deadline(const struct router *r);
void router_tick(struct router *r, mono_t now, struct effects *fx);
void router_resume(
	struct router *r, mono_t now, struct effects *fx); /* proxy_resume() */
void router_shutdown(struct router *r, mono_t now, struct effects *fx);

/* What the kernel holds for programs of this host, borrowed until the next call; `old`
 * is what was given before. See proxy_kernel_changed(). */
void router_kernel_changed(struct router *r, mono_t now, enum family family,
	const struct kgroups *old, const struct kgroups *new);

/* the first port that speaks on the interface, or NULL */
struct proxy_port *router_port_by_index(const struct router *r, int ifindex);
/* Name of the instance that a port belongs to, or that has a number in the forwarding
 * table ("" is the unnamed one, and a number that nobody has). */
const char *router_instance_name(const struct router *r, unsigned number);
/* Entries of the forwarding table: see mdb_has_entry() and mdb_emit_all(). */
bool router_has_entry(const struct router *r, unsigned number, const struct addr *group,
	const struct addr *source);
void router_emit_all(const struct router *r, struct effects *fx);
/* groups that some downstream wants */
size_t router_n_groups(const struct router *r);

/* ---- live upgrade: see proxy_export() and proxy_import() ---- */

void router_export(const struct router *r, struct state_out *o);
int router_import(
	struct router *r, mono_t now, struct state_in *in, struct effects *fx);
