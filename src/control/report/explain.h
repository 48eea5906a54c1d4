/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Answers "why does this stream not arrive?" with the checks that a stream of an
 * instance passes, in their order, each with its result and what to change. The caller
 * collects the facts with the functions of the real path. This module judges them and
 * puts them into words. Pure.
 *
 * Only what was seen of this group is evidence. Counters of a port are about all
 * groups, so they are mentioned, but decide nothing.
 */

#include "base/addr.h"
#include "base/joined.h"
#include "control/config/config.h"
#include "control/member/policy.h"
#include "control/proto/effect.h"
#include "control/quality/stream_verdict.h"
#include "dataplane/packet/verdict.h"

#include <net/if.h>

enum explain_verdict {
	EXPLAIN_PASS = 1,
	EXPLAIN_REFUSE,
	EXPLAIN_UNKNOWN, /* it passes as far as we know; the text names the doubt */
	EXPLAIN_NOTE,	 /* worth knowing, but no obstacle */
};

/* How strongly a check points to the cause. The answer names the check with the largest
 * weight. */
enum explain_weight {
	EXPLAIN_LATER = 1, /* it may stop the stream later */
	EXPLAIN_FOLLOWS,   /* it follows from the cause in another check */
	EXPLAIN_ABSENT,	   /* no host asks, or no datagram comes */
	EXPLAIN_FAULT,	   /* something is wrong */
	EXPLAIN_STOPPED,   /* it has stopped datagrams within EXPLAIN_NOW_MS */
};

#define EXPLAIN_NOW_MS	  3000	 /* an event this recent counts as continuing */
#define EXPLAIN_LATELY_MS 600000 /* older events do not count */

/* Refusals of one kind, at an interface, of datagrams or reports of the group. */
struct explain_refusal {
	enum verdict why; /* why datagrams or copies were refused */
	enum note note;	  /* why reports were refused */
	unsigned port;
	uint64_t n;
	int64_t age_ms;	  /* time since the last one */
	struct addr from; /* sender of the last one */
	uint32_t value;	  /* the limit that has refused it, if any */
	bool would_pass;  /* admitted now, because the configuration has changed */
};

/* The refusals of one port, in a list of those of all ports. */
struct explain_refusals {
	const struct explain_refusal *v;
	size_t n;
	unsigned port;
};

/* What inputs and outputs have in common. */
struct explain_iface {
	char name[IFNAMSIZ];
	bool has_role; /* it is a port of the instance */
	bool present, up;
	char master[IFNAMSIZ]; /* the bridge or bond that takes its frames, or "" */
	const char *error;     /* why its sockets are not open, or NULL */
	bool family;	       /* the family is enabled here */
	bool group_ok; /* no boundary, and on an upstream no list, refuses the group */
	char decided[CONFIG_DECIDE_LEN]; /* the line of the file that decided, or "" */
	char echo_of[IFNAMSIZ]; /* the interface of ours whose frames come back here */
	struct explain_refusals refused; /* datagrams, or on an output copies */
};

/* An interface that the stream may come in at. */
struct explain_input {
	struct explain_iface i;
	bool upstream;
	bool receive;	       /* frames from here are forwarded at all */
	bool source_broadcast; /* the source is the broadcast address of a subnet */
	bool source_ok;	       /* the source, if there is one, may send here */
	char admitted[CONFIG_DECIDE_LEN]; /* the altnet that admits the source, or "" */
	char subnet_of[IFNAMSIZ]; /* another interface whose subnet it is in, or "" */
	/* the rest is about an upstream: is the provider asked for the group? */
	bool report_up;	 /* messages can be sent */
	bool no_address; /* of the family, so that an IPv4 report comes from 0.0.0.0 */
	char report_interface[IFNAMSIZ];
	bool policy_ok; /* lists and boundaries let the group be asked for */
	char policy_by[CONFIG_DECIDE_LEN]; /* the line of the file that forbids it */
	bool asked;			   /* a membership is reported */
	bool asked_this;		   /* that membership includes the source */
	unsigned version;		   /* the version of IGMP or MLD that we use */
	bool names_sources;		   /* that version can name sources */
	bool query_heard;
	struct addr querier;
	int64_t query_age_ms;	   /* time since the last query */
	int64_t query_expected_ms; /* the longest time between two queries */
	uint32_t refresh_interval_ms;
	/* these count all groups since the start */
	uint64_t ring_packets, ring_drops;
};

#define EXPLAIN_HOST_LEN 80

/* An interface that the stream may go out at. */
struct explain_output {
	struct explain_iface i;
	bool is_input;		       /* the stream may come in here */
	bool allowed;		       /* frames of the input may go here at all */
	bool has_group;		       /* the group has members */
	bool wants;		       /* they want this source */
	unsigned n_hosts, n_sources;   /* tracked hosts; sources that members name */
	struct explain_refusals joins; /* reports of the group that were refused */
	bool querier;
	/* While hosts may still answer the first queries, these are the time since the
	 * last one and the time that hosts have to answer. Both are 0 afterwards. */
	int64_t asked_ms, answer_ms;
	bool forwards; /* we forward here, as querier or although another router is */
	struct addr other_querier;
	/* another router forwards the stream here: we leave it to that router, or both
	 * of us forward it */
	bool standby, doubled;
	struct gm_mac other_mac;
	size_t n_groups, max_groups; /* max_groups 0 means no limit */
	/* the host that has met host-message-rate within the last minute, or "" */
	char limited_host[EXPLAIN_HOST_LEN];
	bool limited;  /* hosts together have met message-rate */
	bool in_table; /* the forwarding entry names it */
	uint8_t threshold;
	uint32_t mtu;
	uint64_t not_sent; /* copies of all groups that the kernel refused */
};

/* The quality of a stream of the group in the last hour. */
struct explain_stream {
	struct addr source;
	uint16_t port;		 /* UDP destination port */
	const char *kind;	 /* static */
	enum stream_place place; /* the present verdict */
	enum stream_drop drop;	 /* the cause of the last fault */
	/* Seconds that were judged, and how many of them had faults of the provider or
	 * of this router. */
	uint64_t judged, provider, router;
	uint64_t lost, continuity;
};

struct explain_facts {
	struct addr group;
	bool has_source;
	struct addr source;
	bool source_own; /* an address of this system */
	bool ssm;	 /* the group is in the SSM range */
	bool one_output; /* the question is about one output: report all about it */
	/* the rest is about the forwarding entries that name an output */
	bool seen; /* datagrams have passed the source check */
	uint64_t packets;
	int64_t age_ms; /* time since the last datagram, or -1 if not known */
	uint64_t wrong; /* datagrams whose source must not send on their interface */
	struct addr last_source;
	char last_input[IFNAMSIZ];
	struct joined_counts joined; /* of the source, or without it of the group */
	const struct explain_stream *stream;
	size_t n_stream;
	const struct explain_input *input;
	size_t n_input;
	const struct explain_output *output;
	size_t n_output;
};

#define EXPLAIN_TEXT_LEN 320

struct explain_check {
	const char *check;	  /* static: "group", "interface", "source", ... */
	char interface[IFNAMSIZ]; /* empty if it is not about one */
	enum explain_verdict verdict;
	enum explain_weight weight; /* not set if it passes */
	char text[EXPLAIN_TEXT_LEN], advice[EXPLAIN_TEXT_LEN]; /* advice may be empty */
};

/* All zero at the beginning. */
struct explain {
	enum explain_verdict verdict; /* of all checks together; not EXPLAIN_NOTE */
	enum explain_weight weight;   /* of the cause, or 0 if the stream passes */
	char summary[2 * EXPLAIN_TEXT_LEN];
	struct explain_check *check; /* owned */
	size_t n, cap;
	bool lost; /* memory ran out, so checks are missing */
};

/* *ret owns memory also if `lost` is true. */
void explain(const struct explain_facts *f, struct explain *ret);
void explain_deinit(struct explain *e);

/* Is the note about the join of a host that was refused? */
bool explain_is_refused_join(enum note note);

const char *explain_verdict_name(enum explain_verdict v); /* static: "pass", ... */
