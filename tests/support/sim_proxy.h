/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A proxy in the virtual network: the control core, told about its interfaces by a
 * table and by configuration text, with a forwarding table that is a plain hash table.
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
	struct forwarder_count received; /* at an upstream */
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
	mono_t turn_at;	  /* of looking for other forwarders */
	unsigned n_ticks; /* at the same instant */
	mono_t ticked;
};

/* "phyint wan upstream ... phyint lan1 downstream ..." with all senders allowed; `more`
 * comes before the first phyint, where defaults belong. Not malloc'ed. */
const char *sim_config(const char *more, unsigned n_downstreams);

struct sim_proxy *sim_proxy_new(struct sim *sim, const char *name, const char *config);
/* Another interface, up, with the address of station n of the link, or none if n is 0.
 * Takes effect with sim_proxy_sync(). Returns the port of the node. */
struct sim_port *sim_proxy_attach(
	struct sim_proxy *x, const char *ifname, struct sim_link *link, unsigned n);
/* configuration and interfaces as they are now */
void sim_proxy_sync(struct sim_proxy *x);
/* another configuration, as a reload does it; the old one is freed */
void sim_proxy_reload(struct sim_proxy *x, const char *config);
void sim_proxy_link(struct sim_proxy *x, const char *ifname, bool up);
/* the interface gets another address */
void sim_proxy_readdress(struct sim_proxy *x, const char *ifname, unsigned n);
/* A new process takes over the state, see instances_export(). It sends nothing for
 * that. */
void sim_proxy_upgrade(struct sim_proxy *x);
/* The state that it would hand over, sealed; free it with state_out_deinit(). */
void sim_proxy_export(const struct sim_proxy *x, struct state_out *out);
/* A new process takes over a state that may be faulty. Returns -EINVAL if it is; the
 * process then begins with nothing. */
int sim_proxy_take_over(struct sim_proxy *x, const void *state, size_t len);
void sim_proxy_stop(struct sim_proxy *x);  /* leaves upstream */
void sim_proxy_crash(struct sim_proxy *x); /* sends nothing */

/* the port of the proxy behind an interface name */
struct proxy_port *sim_proxy_port(const struct sim_proxy *x, const char *ifname);
/* Gives it a message as if it had arrived on the interface. */
enum gm_bad sim_proxy_input(
	struct sim_proxy *x, const char *ifname, const struct gm_msg *msg);
/* What "clear group" does on an interface. */
void sim_proxy_doubt(struct sim_proxy *x, const char *ifname, const struct addr *group);

/* ports through which a packet leaves; ifname NULL means that it arrives on the
 * upstream */
struct portset sim_proxy_route(const struct sim_proxy *x, const char *in_ifname,
	const struct addr *src, const struct addr *group);
/* would a packet (src, group) that arrives on `in` leave through `out`? */
bool sim_proxy_forwards(const struct sim_proxy *x, const char *in, const char *out,
	const struct addr *src, const struct addr *group);
const struct sim_fib_entry *sim_proxy_entry(
	const struct sim_proxy *x, const struct addr *group, const struct addr *source);

/* What the proxy reports upstream about a group, or NULL. */
const struct upstream_group *sim_proxy_reported(
	const struct sim_proxy *x, const char *upstream, const struct addr *group);

/* Forwarding table, merged database and upstream records equal those that follow from
 * the group states of the downstreams; fails the test when they do not. */
void sim_proxy_check(const struct sim_proxy *x);
/* there is no group anywhere */
bool sim_proxy_empty(const struct sim_proxy *x);
