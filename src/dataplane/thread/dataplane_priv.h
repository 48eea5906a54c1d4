/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Declarations that dataplane.c (ports, threads), dataplane_stats.c (counters) and
 * dataplane_upgrade.c (pausing, handing over) share. */

#include "dataplane/thread/dataplane.h"
#include "dataplane/thread/worker.h"

#include <urcu-qsbr.h>

enum set_kind {
	SET_TX,
	SET_IPV4,
	SET_IPV6,
	_SET_N,
};

/* The sockets of one port for one purpose, one for each thread. */
struct socket_set {
	struct socket_set *next; /* in generation.retired */
	unsigned port;
	enum set_kind kind;
	int ifindex;
	bool has_l2;
	uint32_t mtu;	     /* when it was opened */
	uint64_t n_received; /* frames that the kernel put into the rings */
	struct ring_rx *gap; /* collects frames while no thread runs, or NULL */
	unsigned n;
	union {
		struct ring_rx *ring;
		struct tx_port *tx;
	} thread[];
};

struct generation {
	struct rcu_head rcu;
	struct dataplane *dp;
	struct plan *plan;
	struct socket_set *retired; /* sets that the next generation does not use */
	unsigned n;
	struct worker_config *cfg[];
};

struct port_state {
	struct socket_set *set[_SET_N];
	int error;
	/* Only the counters of rings are used here. Control adds to them, and the
	 * call_rcu thread adds those of retired rings. */
	_Atomic uint64_t count[_PORT_COUNT_N];
};

struct handed;

struct dataplane {
	uint32_t ring_size;
	const unsigned *cpu; /* borrowed while it starts */
	size_t n_cpu;
	/* of the thread that was started last; fib, sharing and local are owned here */
	struct worker_params params;
	const char *why; /* static: why a preferred way to send is not used */
	struct ring_rx_mode receive;
	struct generation *current;
	struct sample_spec *sample; /* NULL without a capture */
	struct port_state port[PORT_MAX];
	_Atomic unsigned n_closing; /* sets that are retired and not yet closed */
	/* counters of earlier processes, and of the work that control did in place of
	 * the threads */
	struct forward_counters drained;
	bool paused;
	bool given; /* another process also uses sockets and kernel counters */
	struct handed *handed; /* unused sockets of the previous process, or NULL */
	unsigned n_adopted;    /* sockets of the previous process that were used */
	unsigned n;
	struct worker *worker[];
};

static inline enum family set_family(enum set_kind kind)
{
	return kind == SET_IPV6 ? FAMILY_IPV6 : FAMILY_IPV4;
}

/* dataplane.c */

/* Adds the kernel's counters of the set's rings to those of the port. */
void dataplane_read_rings(struct dataplane *dp, struct socket_set *s);
struct ring_rx_params dataplane_ring_params(
	const struct dataplane *dp, const struct socket_set *s);
void dataplane_stop_threads(struct dataplane *dp);

/* dataplane_upgrade.c */

/* Fills an empty set with the rings that the previous process has handed over for this
 * port. Returns false if they do not fit. */
bool dataplane_adopt(
	struct dataplane *dp, const struct plan_port *p, struct socket_set *s);
/* Closes the sockets of the previous process that were not used. */
void dataplane_forget_handed(struct dataplane *dp);
