/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A proxy in the virtual network: the control core, with interfaces from a table, a
 * configuration text, and a plain hash table as forwarding table.
 */

#include "base/table.h"
#include "control/proxy/instances.h"
#include "dataplane/forward/plan.h"
#include "sim.h"

struct sim_fib_entry {
	struct table_node node;
	struct {
		struct addr group, source; /* an unspecified source means (*,G) */
	} key;
	struct portset out;
	struct forwarder_count received; /* counted at an upstream */
};

struct sim_proxy {
	struct sim_node node;
	struct instances *instances;
	struct config *cfg;
	struct iface_table ifaces;
	struct effects fx;
	struct table fib;
	struct plan *plan;
	char ifname[SIM_MAX_PORTS][IFNAMSIZ];
	uint64_t n_notes[_NOTE_N];
	uint64_t n_fib_changes;
	mono_t decide_at; /* next look for other forwarders */
	unsigned n_ticks; /* at the same instant */
	mono_t ticked;
};

/* "phyint wan upstream ... phyint lan1 downstream ..." with all senders allowed. `more`
 * comes before the first phyint, where defaults belong. The text is static. */
const char *sim_config(const char *more, unsigned n_downstreams);

struct sim_proxy *sim_proxy_new(struct sim *sim, const char *name, const char *config);
/* Adds an interface that is up, with the address of station n of the link, or without
 * one if n is 0. Takes effect with sim_proxy_sync(). Returns the port of the node. */
struct sim_port *sim_proxy_attach(
	struct sim_proxy *x, const char *ifname, struct sim_link *link, unsigned n);
/* Applies the current configuration and interfaces. */
void sim_proxy_sync(struct sim_proxy *x);
/* Applies another configuration as a reload does, and frees the old one. */
void sim_proxy_reload(struct sim_proxy *x, const char *config);
void sim_proxy_link(struct sim_proxy *x, const char *ifname, bool up);
/* Gives the interface another address. */
void sim_proxy_readdress(struct sim_proxy *x, const char *ifname, unsigned n);
/* Replaces the process by a new one that takes over the state, see instances_export().
 * This sends nothing. */
void sim_proxy_upgrade(struct sim_proxy *x);
/* Returns the sealed state for the next process; free it with state_out_deinit(). */
void sim_proxy_export(const struct sim_proxy *x, struct state_out *out);
/* Replaces the process by a new one that reads a state, which may be faulty. If it is,
 * returns -EINVAL, and the process begins without state. */
int sim_proxy_take_over(struct sim_proxy *x, const void *state, size_t len);
void sim_proxy_stop(struct sim_proxy *x);  /* leaves upstream */
void sim_proxy_crash(struct sim_proxy *x); /* sends nothing */

/* The port of the proxy for an interface name. */
struct proxy_port *sim_proxy_port(const struct sim_proxy *x, const char *ifname);
/* Passes a message to the proxy as if it had arrived on the interface. */
enum gm_bad sim_proxy_input(
	struct sim_proxy *x, const char *ifname, const struct gm_msg *msg);
/* Does what "clear group" does on an interface. */
void sim_proxy_doubt(struct sim_proxy *x, const char *ifname, const struct addr *group);

/* The ports through which a packet leaves. If in_ifname is NULL, it arrives on the
 * upstream. */
struct portset sim_proxy_route(const struct sim_proxy *x, const char *in_ifname,
	const struct addr *src, const struct addr *group);
/* Whether a packet (src, group) that arrives on `in` leaves through `out`. */
bool sim_proxy_forwards(const struct sim_proxy *x, const char *in, const char *out,
	const struct addr *src, const struct addr *group);
const struct sim_fib_entry *sim_proxy_entry(
	const struct sim_proxy *x, const struct addr *group, const struct addr *source);

/* The state that the proxy reports upstream about a group, or NULL. */
const struct upstream_group *sim_proxy_reported(
	const struct sim_proxy *x, const char *upstream, const struct addr *group);

/* Fails the test unless forwarding table, merged database and upstream records equal
 * those that follow from the group states of the downstreams. */
void sim_proxy_check(const struct sim_proxy *x);
/* Whether no group is left anywhere. */
bool sim_proxy_empty(const struct sim_proxy *x);
