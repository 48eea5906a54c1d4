/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * All proxy instances of the process (R132, R200; TR-124 .4). There is one for each
 * instance of the configuration. Every port has its own number across all instances,
 * and every instance has its own number in the forwarding table; instances share
 * nothing else. Pure.
 */

#include "control/proxy/proxy.h"

struct instance {
	char name[CONFIG_INSTANCE_MAX]; /* empty for the unnamed one */
	struct proxy *proxy;
};

struct instances {
	bool family[_FAMILY_N];
	struct rng rng;
	struct instance *instance; /* those that are in use */
	size_t n_instance;
	struct portset taken;			 /* port numbers in use */
	struct proxy_port *port[PORT_MAX];	 /* of all instances; owned by them */
	const struct kgroups *kernel[_FAMILY_N]; /* see instances_kernel_changed() */
	uint64_t memory; /* of the machine in bytes, set by the owner; 0 if unknown */
};

/* No instance yet. 0 or -ENOMEM. */
int instances_new(
	const bool family[_FAMILY_N], uint64_t seed, struct instances **ret_router);
struct instances *instances_free(struct instances *r); /* takes and returns NULL */

/* Frees the ports and instances that the configuration no longer has. Their last
 * messages are in `fx`. They must be sent before the sockets of these ports are closed
 * and before instances_sync() reuses their numbers. */
void instances_release(struct instances *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);
/* Brings everything into line, see proxy_sync(). Must follow instances_release() with
 * the same arguments. Returns 0, -ENOMEM, or the number (> 0) of interfaces that found
 * no free port number. */
int instances_sync(struct instances *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* proxy_each_missing() for all instances. */
int instances_each_missing(const struct instances *r, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg);

mono_t instances_deadline(const struct instances *r);
void instances_tick(struct instances *r, mono_t now, struct effects *fx);
void instances_resume(
	struct instances *r, mono_t now, struct effects *fx); /* proxy_resume() */
void instances_shutdown(struct instances *r, mono_t now, struct effects *fx);

/* What the kernel holds for programs of this host, borrowed until the next call; `old`
 * is the previous value. See proxy_kernel_changed(). */
void instances_kernel_changed(struct instances *r, mono_t now, enum family family,
	const struct kgroups *old, const struct kgroups *new);

/* the first port that sends its messages on the interface, or NULL */
struct proxy_port *instances_port_by_index(const struct instances *r, int ifindex);
/* Name of the instance that a port belongs to, or that has a number in the forwarding
 * table ("" for the unnamed one, and for a number that no instance has). */
const char *instances_name(const struct instances *r, unsigned number);
/* Entries of the forwarding table: see mdb_has_entry() and mdb_emit_all(). */
bool instances_has_entry(const struct instances *r, unsigned number,
	const struct addr *group, const struct addr *source);
void instances_emit_all(const struct instances *r, struct effects *fx);
/* groups that a downstream wants */
size_t instances_n_groups(const struct instances *r);

/* ---- live upgrade: see proxy_export() and proxy_import() ---- */

void instances_export(const struct instances *r, struct state_out *o);
int instances_import(
	struct instances *r, mono_t now, struct state_in *in, struct effects *fx);
