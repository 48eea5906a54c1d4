/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One proxy instance (RFC 4605): its downstream ports with querier and group state, its
 * upstream ports with the host side, and the merged database between them. It connects
 * the modules of the core. The results of every input are effects. Pure.
 */

#include "base/rng.h"
#include "control/config/config.h"
#include "control/member/forwarder.h"
#include "control/member/mdb.h"
#include "control/member/mgroup.h"
#include "control/member/querier.h"
#include "control/proto/effect.h"
#include "control/proxy/iface.h"
#include "control/proxy/port_numbers.h"
#include "control/upstream/kgroups.h"
#include "control/upstream/upstream.h"

#include <limits.h>

struct proxy_port {
	unsigned port;
	struct proxy *proxy; /* the instance that it belongs to */
	char name[IFNAMSIZ];
	enum config_role role;		/* UPSTREAM or DOWNSTREAM */
	const struct config_iface *cfg; /* borrowed from the configuration in force */
	int ifindex;			/* 0 if the interface does not exist */
	unsigned born;			/* iface.born of that interface */
	bool up;			/* data can pass */
	struct prefix *subnet;		/* connected subnets, owned */
	size_t n_subnet;
	/* The interface for membership messages. That is `ifindex`, except for an
	 * upstream with a report-interface. */
	int report_ifindex;
	bool report_up; /* membership messages can pass */
	/* its iface.born and iface.ups when that began */
	unsigned report_born, report_ups;
	struct gm_link link;
	struct iface_addr *report_addr; /* its addresses, owned */
	size_t n_report_addr;
	struct gm_mac mac;	   /* zero if it has none */
	uint8_t forced[_FAMILY_N]; /* iface.forced */
	/* the last port whose frames have come back here, and when, or MONO_UNSET */
	unsigned echo_port;
	mono_t echo_at;
	/* downstream */
	struct querier querier[_FAMILY_N];
	struct mgroup_db groups;
	struct forwarder forwarder[_FAMILY_N];
	/* upstream */
	struct upstream upstream;
	enum gm_version version[_FAMILY_N]; /* the version that was last reported */
	/* statistics */
	uint64_t n_received[_GM_VERSION_N][2]; /* accepted queries and reports */
	uint64_t n_bad[_GM_BAD_N];
	uint64_t n_odd[_GM_ODD_N]; /* accepted messages */
};

/* Returns the first port from number `i` on in an array of ports by number, or NULL. */
static inline struct proxy_port *proxy_port_from(
	struct proxy_port *const v[PORT_MAX], unsigned i)
{
	while (i < PORT_MAX && !v[i])
		i++;
	return i < PORT_MAX ? v[i] : NULL;
}

/* Visits the ports of an array; the current one must not be freed. */
#define proxy_ports_for_each(v, pp)                                                    \
	for (struct proxy_port *pp = proxy_port_from(v, 0); pp;                        \
		pp = proxy_port_from(v, pp->port + 1))

struct proxy_port *proxy_port_named(
	struct proxy_port *const v[PORT_MAX], const char *name); /* or NULL */

#define PROXY_NO_SECTION UINT_MAX

/* A list of groups of the merged database, the oldest first. */
struct proxy_queue {
	struct mdb_group *first, *last;
};

struct proxy {
	unsigned instance; /* number in the forwarding table */
	unsigned section;  /* index into config.instance, or PROXY_NO_SECTION */
	/* The instances of a process share these; without others it is &own_numbers. */
	struct port_numbers *numbers, own_numbers;
	struct proxy_port *const *all; /* the ports of the process, by number */
	bool family[_FAMILY_N];	       /* families that are enabled at all */
	const struct config *cfg;      /* borrowed */
	/* groups that the kernel holds for programs; borrowed, or NULL if not known */
	const struct kgroups *kernel[_FAMILY_N];
	struct rng rng;
	struct proxy_port *port[PORT_MAX];
	struct mgroup_db *groups[PORT_MAX];    /* those of the downstreams, for mdb */
	struct portset upstreams, downstreams; /* the ports that exist */
	struct mdb mdb;
	/* when everything is merged again because memory was short, or MONO_NEVER */
	mono_t again_at;
	/* groups to merge: those touched just now, and those that wait for credit */
	struct proxy_queue touched, waiting;
	int64_t credit; /* work that is allowed now, see proxy_merge.c */
	mono_t credit_at;
	mono_t rest_until; /* no credit before this time; MONO_UNSET if there is some */
	/* sender of the report that is being handled, or NULL */
	const struct addr *reporter;
};

/* Makes an instance without ports. `seed` is for hash tables and response delays.
 * Returns 0 or -ENOMEM. */
int proxy_new(unsigned instance, const bool family[_FAMILY_N], uint64_t seed,
	struct proxy **ret_proxy);
struct proxy *proxy_free(struct proxy *p);

/* Frees the ports that the configuration no longer has, or has in another role. Call it
 * before proxy_sync(). */
void proxy_release(struct proxy *p, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* Brings the ports into line with the configuration and the system's interfaces. Call
 * it at the start, after interface events, and after a reload with the new
 * configuration; the old one may be freed afterwards. A port whose role and name stay
 * keeps its number and state. Returns 0, -ENOMEM, or the number (> 0) of interfaces for
 * which no port number was free. */
int proxy_sync(struct proxy *p, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* Calls `fn` for each interface that has a role in the configuration in force, but no
 * port. Before proxy_sync() these are all; after it, those for which no port number was
 * free. Stops at the first value of `fn` that is < 0 and returns it; else returns 0. */
int proxy_each_missing(const struct proxy *p, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg);

/* Handles a decoded message that has arrived on a port, and counts the result. Returns
 * GM_OK if the message was used. */
enum gm_bad proxy_input(struct proxy *p, mono_t now, unsigned port,
	const struct gm_msg *msg, struct effects *fx);
/* Counts a message that the decoder has refused. */
void proxy_input_bad(struct proxy *p, unsigned port, enum gm_bad bad);

mono_t proxy_deadline(const struct proxy *p);
void proxy_tick(struct proxy *p, mono_t now, struct effects *fx);

/* Is it worth looking for other forwarders on a downstream? It is if another querier is
 * or was heard, or if forwarders are known. */
bool proxy_wants_sensor(const struct proxy_port *pp, enum family family, mono_t now);

/* A datagram that a foreign station has sent to the link of a downstream. */
struct proxy_copy {
	struct addr group, source;
	struct gm_mac mac;
	uint32_t bytes; /* length of the IP packet, which may be a super-frame */
};
void proxy_copy(struct proxy_port *pp, mono_t now, const struct proxy_copy *copy,
	struct effects *fx);

/* `received` returns what this system has received of a stream on ports other than
 * `pp`. Its packets may be FORWARDER_UNKNOWN. */
struct proxy_counts {
	struct forwarder_count (*received)(void *ctx, const struct proxy_port *pp,
		const struct addr *group, const struct addr *source);
	void *ctx;
	unsigned sampling; /* one of 2^n datagrams of other stations is sampled */
};
/* Call it every FORWARDER_INTERVAL_MS, after proxy_copy() for the copies since the
 * last call. */
void proxy_forwarder_decide(struct proxy_port *pp, mono_t now, enum family family,
	const struct proxy_counts *counts, struct effects *fx);

/* Queries the hosts and reports upstream as if the links had come up, because nothing
 * was received for a while. Memberships stay. */
void proxy_resume(struct proxy *p, mono_t now, struct effects *fx);

/* Leaves every group upstream, except those that the kernel holds (R119). The proxy
 * must not send anything afterwards. */
void proxy_shutdown(struct proxy *p, mono_t now, struct effects *fx);

/* The kernel holds other groups than before. `old` is the previous value of
 * p->kernel[family]. Changes the reports on the upstreams. */
void proxy_kernel_changed(
	struct proxy *p, mono_t now, enum family family, const struct kgroups *old);
/* Did this host send the message that left on an upstream? Otherwise it was routed. */
bool proxy_kernel_sent(const struct proxy_port *us, const struct gm_msg *msg);
/* This host's kernel, or another program, has sent a message on an upstream. The
 * provider may have ended memberships of ours because of it, so these are reported
 * again. */
void proxy_kernel_says(
	struct proxy *p, mono_t now, unsigned port, const struct gm_msg *msg);

/* ---- live upgrade ---- */

/* Writes the state of all ports, for the process that takes over. */
void proxy_export(const struct proxy *p, struct state_out *o);
/* Reads a state. Call it after the first proxy_sync() has made the ports and before any
 * other input, and drop the effects of that sync. Ports are identified by name. Changes
 * of configuration and links since the state was written are applied as after a reload,
 * and every forwarding entry is set. Returns 0, -ENOMEM, or -EINVAL if the state is
 * faulty; on failure the caller must free the proxy. */
int proxy_import(struct proxy *p, mono_t now, struct state_in *in, struct effects *fx);
