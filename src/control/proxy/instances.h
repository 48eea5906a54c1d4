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
	struct port_numbers numbers;		 /* of ports */
	struct proxy_port *port[PORT_MAX];	 /* of all instances; owned by them */
	const struct kgroups *kernel[_FAMILY_N]; /* see instances_kernel_changed() */
	uint64_t memory; /* of the machine in bytes, set by the owner; 0 if unknown */
};

/* Makes an object without instances. Returns 0 or -ENOMEM. */
int instances_new(
	const bool family[_FAMILY_N], uint64_t seed, struct instances **ret_instances);
struct instances *instances_free(struct instances *r);

/* Frees the ports and instances that the configuration no longer has. `fx` gets their
 * last messages. Execute these before you close the sockets of these ports and before
 * instances_sync() reuses their numbers. */
void instances_release(struct instances *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);
/* Brings everything into line, see proxy_sync(). Call instances_release() with the same
 * arguments before. Returns 0, -ENOMEM, or the number (> 0) of interfaces for which no
 * port number was free. */
int instances_sync(struct instances *r, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* Calls proxy_each_missing() for all instances. */
int instances_each_missing(const struct instances *r, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg);

mono_t instances_deadline(const struct instances *r);
void instances_tick(struct instances *r, mono_t now, struct effects *fx);
/* Call proxy_resume() and proxy_shutdown() for all instances. */
void instances_resume(struct instances *r, mono_t now, struct effects *fx);
void instances_shutdown(struct instances *r, mono_t now, struct effects *fx);

/* The kernel holds the groups `new` for programs of this host, and held `old` before.
 * `new` is borrowed until the next call. See proxy_kernel_changed(). */
void instances_kernel_changed(struct instances *r, mono_t now, enum family family,
	const struct kgroups *old, const struct kgroups *new);

/* Returns the first port that sends its messages on the interface, or NULL. */
struct proxy_port *instances_port_by_index(const struct instances *r, int ifindex);
/* Returns the name of the instance that has this number in the forwarding table, or ""
 * for the unnamed instance and for a number that no instance has. */
const char *instances_name(const struct instances *r, unsigned number);
/* Entries of the forwarding table: see mdb_has_entry() and mdb_emit_all(). */
bool instances_has_entry(const struct instances *r, unsigned number,
	const struct addr *group, const struct addr *source);
void instances_emit_all(const struct instances *r, struct effects *fx);
/* Returns the number of groups that some downstream wants. */
size_t instances_n_groups(const struct instances *r);

/* ---- live upgrade: see proxy_export() and proxy_import() ---- */

void instances_export(const struct instances *r, struct state_out *o);
int instances_import(
	struct instances *r, mono_t now, struct state_in *in, struct effects *fx);
