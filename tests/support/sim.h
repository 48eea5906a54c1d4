/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * A virtual network under virtual time: links with delay, loss and duplication, which
 * connect proxies (the control core with a plain table for forwarding), hosts and
 * routers (separate models that share only the codec with the core). One seed decides
 * everything random. A network has one family, so the same scenario runs for both.
 *
 * Membership messages travel as bytes and arrive after the delay of the link. Data
 * packets cross links in no time and without loss, so a packet that a host misses was
 * not sent to it.
 */

#include "base/heap.h"
#include "base/portset.h"
#include "base/rng.h"
#include "control/proto/gm_msg.h"

#define SIM_MAX_PORTS	10 /* of a node */
#define SIM_MAX_ON_LINK 16
#define SIM_MAX_STREAMS 16

struct sim;
struct sim_node;
struct sim_link;

struct sim_timer {
	struct heap_node heap;
	void (*fire)(struct sim *sim, struct sim_timer *t);
};

struct sim_port {
	struct sim_node *node;
	struct sim_link *link;
	unsigned index;
	struct addr own; /* source of membership messages */
	struct gm_mac mac;
	bool up;
};

/* a data packet */
struct sim_data {
	unsigned stream;
	struct addr src, group;
	uint32_t seq;
	unsigned hops;	    /* detects loops */
	struct gm_mac from; /* of the last station that sent it */
};

struct sim_node_ops {
	void (*input)(struct sim_node *n, unsigned port, const struct gm_msg *msg);
	void (*data)(struct sim_node *n, unsigned port, const struct sim_data *d);
	mono_t (*deadline)(const struct sim_node *n);
	void (*tick)(struct sim_node *n);
	void (*free)(struct sim_node *n);
	/* Whether the node's own stream may leave the port; NULL means always. */
	bool (*wanted)(
		struct sim_node *n, const struct addr *src, const struct addr *group);
};

struct sim_node {
	struct sim *sim;
	const struct sim_node_ops *ops;
	struct sim_node *next;
	const char *name;
	struct sim_timer timer;
	struct sim_port port[SIM_MAX_PORTS];
	unsigned n_ports;
	bool dead; /* neither receives nor sends */
};

/* a record or query that was sent on a link */
struct sim_seen {
	mono_t at;
	const struct sim_node *node;
	enum gm_kind kind;
	enum gm_version version;
	enum gm_record_type type; /* of a record */
	struct addr group;	  /* unspecified means a general query */
	struct addr from;
	size_t n_src, bytes; /* bytes of the whole packet */
	struct addr src[4];  /* the first of them */
	size_t message;	     /* records of one message have the same number */
	bool suppress;
};

/* returns true if this copy of the message is lost */
typedef bool sim_drop_fn(
	void *arg, const struct sim_port *to, const struct gm_msg *msg);

struct sim_link {
	struct sim *sim;
	struct sim_link *next;
	unsigned number;
	uint32_t delay_ms, mtu;
	unsigned loss, duplicate; /* per mille, of each copy */
	sim_drop_fn *drop;	  /* in addition to loss; may be NULL */
	void *drop_arg;
	struct sim_port *port[SIM_MAX_ON_LINK];
	unsigned n_ports;
	mono_t last_at; /* links do not reorder */
	struct sim_seen *seen;
	size_t n_seen, cap_seen, n_messages;
	size_t mark; /* sim_count() counts from here on */
	uint64_t n_data[SIM_MAX_STREAMS];
	mono_t data_at[SIM_MAX_STREAMS];
};

struct sim_stream {
	struct sim *sim;
	struct sim_timer timer;
	unsigned number;
	struct addr src, group;
	struct sim_port *from;
	int64_t period_ns;
	uint32_t seq;
	bool paused;
};

struct sim {
	enum family family;
	mono_t now;
	struct rng rng;
	uint64_t seed;
	struct heap timers;
	size_t n_timers;
	struct sim_node *nodes;
	struct sim_link *links;
	unsigned n_links;
	struct sim_stream *stream[SIM_MAX_STREAMS];
	unsigned n_streams;
	struct gm_scratch *scratch;
};

struct sim *sim_new(enum family family, uint64_t seed);
struct sim *sim_free(struct sim *sim); /* also frees all nodes; returns NULL */
/* RINGCAST_SEED or the argument; the seed is printed so that a run can be repeated. */
uint64_t sim_seed(uint64_t otherwise);

struct sim_link *sim_link_new(struct sim *sim, uint32_t delay_ms);

/* Lets time pass. */
void sim_run(struct sim *sim, int64_t ms);
/* Lets time pass until a condition holds. Returns false if it did not within max_ms. */
bool sim_run_until(
	struct sim *sim, bool (*holds)(void *arg), void *arg, int64_t max_ms);
/* Lets time pass until this time since the start. */
void sim_run_to(struct sim *sim, int64_t ms);
int64_t sim_ms(const struct sim *sim); /* since the start */

/* Addresses by number: a station on a link, a source in the provider's network, a group
 * of any source, one of the source-specific range. IPv6 stations speak MLD from their
 * link-local address and send data from a global one. */
struct addr sim_station(const struct sim *sim, const struct sim_link *link, unsigned n);
struct addr sim_sender(const struct sim *sim, const struct sim_link *link, unsigned n);
struct addr sim_source(const struct sim *sim, unsigned n);
struct addr sim_group(const struct sim *sim, unsigned n);
struct addr sim_ssm(const struct sim *sim, unsigned n);

/* ---- data ---- */

/* Sends a packet per period out of a port. A router sends only what its table asks
 * for. */
struct sim_stream *sim_stream_new(struct sim_port *from, const struct addr *src,
	const struct addr *group, int64_t period_ms);
void sim_data_send(struct sim_port *from, const struct sim_data *d);

/* ---- what was sent ---- */

/* Begins a new count; earlier messages are ignored. */
void sim_mark(struct sim *sim);
/* Selects what is counted; fields that are 0 match anything. */
struct sim_match {
	const struct sim_node *node, *not_node;
	enum gm_kind kind;
	enum gm_version version;
	enum gm_record_type type;
	const struct addr *group;
	bool general;
};
/* Queries and records since the mark that match. */
size_t sim_count(const struct sim_link *link, const struct sim_match *m);
/* The last of these, or NULL. */
const struct sim_seen *sim_last(const struct sim_link *link, const struct sim_match *m);

/* Prints all messages about a group since the mark, for the log of a failed test. */
void sim_print(const struct sim *sim, const struct addr *group);

/* ---- for the nodes ---- */

void sim_node_init(struct sim *sim, struct sim_node *n, const struct sim_node_ops *ops,
	const char *name);
struct sim_port *sim_attach(
	struct sim_node *n, struct sim_link *link, const struct addr *own);
/* Call this after any change of the node's deadline. */
void sim_node_arm(struct sim_node *n);
void sim_timer_add(struct sim *sim, struct sim_timer *t);
void sim_timer_set(struct sim *sim, struct sim_timer *t, mono_t at);
/* A random time in (0, ms] from now. */
mono_t sim_random_after(struct sim *sim, uint32_t ms);

void sim_send_query(
	struct sim_port *from, enum gm_version version, const struct gm_query *q);
void sim_send_report(struct sim_port *from, enum gm_version version,
	const struct gm_record *rec, size_t n_rec);
/* Send a message that has another sender. */
void sim_send_query_as(struct sim_port *from, const struct addr *as,
	enum gm_version version, const struct gm_query *q);
void sim_send_report_as(struct sim_port *from, const struct addr *as,
	enum gm_version version, const struct gm_record *rec, size_t n_rec);
