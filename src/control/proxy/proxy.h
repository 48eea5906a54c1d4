/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * One proxy instance (RFC 4605): its downstream ports with querier and group state, its
 * upstream ports with the host side, the merged database between them. Joins the
 * modules of the core; every input ends in effects. Pure.
 */

#include "base/rng.h"
#include "control/config/config.h"
#include "control/member/forwarder.h"
#include "control/member/mdb.h"
#include "control/member/mgroup.h"
#include "control/member/querier.h"
#include "control/proto/effect.h"
#include "control/proxy/iface.h"
#include "control/upstream/kgroups.h"
#include "control/upstream/upstream.h"

#include <limits.h>

struct proxy_port {
	unsigned port;
	struct proxy *proxy; /* whose port it is */
	char name[IFNAMSIZ];
	enum config_role role;		/* UPSTREAM or DOWNSTREAM */
	const struct config_iface *cfg; /* borrowed from the configuration in force */
	int ifindex;			/* 0 if the interface is not there */
	unsigned born;			/* of that interface, see struct iface */
	int report_ifindex; /* where membership messages are sent: `ifindex`, except
			     * for an upstream with a report-interface */
	bool up;	    /* data can pass */
	bool report_up;	    /* membership messages can pass */
	unsigned report_born, report_ups; /* of the interface, when they began to */
	struct gm_link link;		  /* of the interface where they pass */
	struct prefix *subnet;		  /* connected subnets, owned */
	size_t n_subnet;
	struct iface_addr *report_addr; /* where messages are sent, owned */
	size_t n_report_addr;
	struct gm_mac mac;	   /* there; zero if it has none */
	uint8_t forced[_FAMILY_N]; /* see struct iface */
	unsigned echo_port;	   /* a port whose frames have come back here ... */
	mono_t echo_at;		   /* ... the last time; MONO_UNSET means never */
	/* downstream */
	struct querier querier[_FAMILY_N];
	struct mgroup_db groups;
	struct forwarder forwarder[_FAMILY_N];
	/* upstream */
	struct upstream upstream;
	enum gm_version version[_FAMILY_N]; /* the version that was last reported */
	/* statistics */
	uint64_t n_received[_GM_VERSION_N][2]; /* accepted, by version and kind (query,
						  report) */
	uint64_t n_bad[_GM_BAD_N];
	uint64_t n_odd[_GM_ODD_N]; /* of the accepted */
};

/* The first port from number `i` on in an array of ports by number, or NULL. */
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

/* groups of the merged database, oldest first */
struct proxy_queue {
	struct mdb_group *first, *last;
};

struct proxy {
	unsigned instance;	  /* number in the forwarding table */
	unsigned section;	  /* index into config.instance, or PROXY_NO_SECTION */
	struct portset *taken;	  /* port numbers that are not free; shared by the
				     instances of a process */
	struct portset own_taken; /* `taken`, unless it is shared */
	struct proxy_port *const *all; /* the ports of the process, by number */
	bool family[_FAMILY_N];	       /* families that are enabled at all */
	const struct config *cfg;      /* borrowed */
	/* groups that the kernel holds for programs; borrowed, NULL if not known */
	const struct kgroups *kernel[_FAMILY_N];
	struct rng rng;
	struct proxy_port *port[PORT_MAX];
	struct mgroup_db *groups[PORT_MAX];    /* those of the downstreams, for mdb */
	struct portset upstreams, downstreams; /* the ports that exist */
	struct mdb mdb;
	mono_t again_at; /* after lack of memory, everything is merged again then; or
			  * MONO_NEVER */
	/* groups to merge: those touched just now, and those that wait for credit */
	struct proxy_queue touched, waiting;
	int64_t credit; /* work that is allowed now, see proxy_merge.c */
	mono_t credit_at;
	mono_t rest_until; /* no credit before this time; MONO_UNSET if there is some */
	const struct addr
		*reporter; /* sender of the report that is being handled, or NULL */
};

/* No ports yet. `seed` feeds hash tables and response delays. 0 or -ENOMEM. */
int proxy_new(unsigned instance, const bool family[_FAMILY_N], uint64_t seed,
	struct proxy **ret_proxy);
struct proxy *proxy_free(struct proxy *p); /* takes and returns NULL */

/* Frees the ports that the configuration no longer has, or has in another role. The
 * first half of proxy_sync(). */
void proxy_release(struct proxy *p, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* Brings the ports into line with the configuration and the system's interfaces: at
 * start, after a reload (then with the new configuration; the old one may be freed
 * afterwards), after interface events. Ports keep their number and state where role and
 * name stay. Returns 0, -ENOMEM, or the number (> 0) of interfaces that found no free
 * port number. */
int proxy_sync(struct proxy *p, mono_t now, const struct config *cfg,
	const struct iface_table *ifaces, struct effects *fx);

/* Interfaces that have a role in the configuration in force, but no port: all of them
 * before proxy_sync(), afterwards those that found no port number. Stops at the first
 * value of `fn` that is < 0 and returns it; else 0. */
int proxy_each_missing(const struct proxy *p, const struct iface_table *ifaces,
	int (*fn)(void *arg, const char *name, const struct config_iface *ci),
	void *arg);

/* A decoded message that arrived on a port. Returns GM_OK if it was used. Counts the
 * result. */
enum gm_bad proxy_input(struct proxy *p, mono_t now, unsigned port,
	const struct gm_msg *msg, struct effects *fx);
/* A message that the decoder refused: counts it. */
void proxy_input_bad(struct proxy *p, unsigned port, enum gm_bad bad);

mono_t proxy_deadline(const struct proxy *p);
void proxy_tick(struct proxy *p, mono_t now, struct effects *fx);

/* Other forwarders on a downstream. Is it worth looking for them? Only if another
 * querier is or was heard, or if forwarders are there. */
bool proxy_wants_sensor(const struct proxy_port *pp, enum family family, mono_t now);

/* A datagram that a foreign station has sent to the link of a downstream. */
struct proxy_copy {
	struct addr group, source;
	struct gm_mac mac;
	uint32_t bytes; /* length of the IP packet, which may be a super-frame */
};
void proxy_copy(struct proxy_port *pp, mono_t now, const struct proxy_copy *copy,
	struct effects *fx);

/* What this system has received of a stream on ports other than `pp`; packets may be
 * FORWARDER_UNKNOWN. */
struct proxy_counts {
	struct forwarder_count (*received)(void *ctx, const struct proxy_port *pp,
		const struct addr *group, const struct addr *source);
	void *ctx;
	unsigned sampling; /* one of 2^n datagrams of other stations is looked at */
};
/* Every FORWARDER_TURN_MS, after the copies since the turn before. */
void proxy_forwarder_turn(struct proxy_port *pp, mono_t now, enum family family,
	const struct proxy_counts *counts, struct effects *fx);

/* Nothing was received for a while: queries the hosts and reports upstream as if the
 * links had come up. Memberships stay. */
void proxy_resume(struct proxy *p, mono_t now, struct effects *fx);

/* Leaves every group upstream, except those that the kernel holds; nothing is sent
 * afterwards (R119). */
void proxy_shutdown(struct proxy *p, mono_t now, struct effects *fx);

/* The kernel holds other groups than before: `old` is the previous value of
 * p->kernel[family]. Reports on the upstreams follow. */
void proxy_kernel_changed(
	struct proxy *p, mono_t now, enum family family, const struct kgroups *old);
/* Did this host send the message that left on an upstream? Otherwise it was routed. */
bool proxy_kernel_sent(const struct proxy_port *us, const struct gm_msg *msg);
/* This host's kernel, or another program, has sent a message on an upstream.
 * Memberships of ours that the provider may have ended because of it are reported
 * again. */
void proxy_kernel_says(
	struct proxy *p, mono_t now, unsigned port, const struct gm_msg *msg);

/* ---- live upgrade ---- */

/* The state of all ports, for the process that takes over. */
void proxy_export(const struct proxy *p, struct state_out *o);
/* Reads a state, after the first proxy_sync() has made the ports and before any other
 * input; the effects of that sync must be dropped. Ports are identified by name.
 * Changes of configuration and links since then are applied as after a reload, and
 * every forwarding entry is set. Returns 0, -ENOMEM, or -EINVAL if the state is faulty;
 * the proxy must then be freed. */
int proxy_import(struct proxy *p, mono_t now, struct state_in *in, struct effects *fx);
