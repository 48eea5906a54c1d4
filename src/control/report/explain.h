/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * "Why does this stream not arrive?": the checks that a stream of an instance passes,
 * in their order, each with its result and what to change. The caller collects the
 * facts with the functions of the real path; here they are judged and put into words.
 * Pure.
 *
 * Evidence is what was seen of this group. Counters of a port are for all groups, so
 * they are mentioned as such and decide nothing.
 */

#include "base/addr.h"
#include "base/joined.h"
#include "control/config/config.h"
#include "control/member/policy.h"
#include "control/proto/effect.h"
#include "control/quality/stream_verdict.h"

#include <net/if.h>

enum explain_verdict {
	EXPLAIN_PASS = 1,
	EXPLAIN_REFUSE,
	EXPLAIN_UNKNOWN, /* it passes as far as we can see, but see the text */
	EXPLAIN_NOTE,	 /* worth knowing, but no obstacle */
};

/* How strongly a check points to the cause. The answer names the check with the largest
 * weight. */
enum explain_weight {
	EXPLAIN_LATER = 1, /* it may stop the stream later */
	EXPLAIN_FOLLOWS,   /* it follows from the cause in another check */
	EXPLAIN_ABSENT,	   /* no host asks, or no datagram comes */
	EXPLAIN_FAULT,	   /* something is wrong */
	EXPLAIN_STOPPED,   /* it stopped datagrams just now */
};

#define EXPLAIN_NOW_MS	  3000	 /* an event this recent counts as continuing */
#define EXPLAIN_LATELY_MS 600000 /* older events do not count */

/* Why datagrams were refused. */
enum explain_why {
	EXPLAIN_BY_SOURCE = 1, /* it may not send there */
	EXPLAIN_BY_OWN_MAC,
	EXPLAIN_BY_OTHER_HOST, /* Ethernet frame for another station */
	EXPLAIN_BY_VLAN,
	EXPLAIN_BY_VERSION,
	EXPLAIN_BY_HEADER,
	EXPLAIN_BY_LENGTH,
	EXPLAIN_BY_CHECKSUM,
	EXPLAIN_BY_RING_SLOT,
	EXPLAIN_BY_MTU_IN,
	EXPLAIN_BY_MARTIAN,
	EXPLAIN_BY_SOURCE_ROUTE,
	EXPLAIN_BY_BOUNDARY,
	EXPLAIN_BY_MEMBERS, /* they want other sources */
	EXPLAIN_BY_OUTPUTS, /* no output is left */
	EXPLAIN_BY_TTL,
	EXPLAIN_BY_PARTIAL, /* a checksum that cannot be completed */
	/* copies */
	EXPLAIN_BY_THRESHOLD,
	EXPLAIN_BY_MTU_OUT,
	EXPLAIN_BY_FRAGMENTS,
};

/* What was refused of the group at an interface; the last one of its kind. */
struct explain_refusal {
	enum explain_why why; /* of datagrams */
	enum note note;	      /* of reports */
	uint64_t n;
	int64_t age_ms;	  /* of the last one */
	struct addr from; /* of the last one */
	uint32_t value;	  /* the limit, if one has refused */
	bool would_pass;  /* the configuration has changed since, so it would now be
			   * admitted */
};

struct explain_refusals {
	const struct explain_refusal *v;
	size_t n;
};

/* what both sides have in common */
struct explain_iface {
	char name[IFNAMSIZ];
	bool has_role;	   /* it is a port of the instance */
	bool present, up;  /* in the system */
	const char *error; /* why its sockets are not open, or NULL */
	bool family;	   /* the family is on here */
	bool group_ok;	   /* no boundary (on upstreams, also no list) is in the way */
	char decided[CONFIG_DECIDE_LEN]; /* the line that decided, or empty */
	char echo_of[IFNAMSIZ]; /* an interface of ours whose frames come back here */
	struct explain_refusals refused; /* datagrams, copies for outputs */
};

/* An interface that the stream may come in at. */
struct explain_input {
	struct explain_iface i;
	bool upstream;
	bool receive;	       /* frames from here are forwarded at all */
	bool source_broadcast; /* it is the broadcast address of a subnet */
	bool source_ok;	       /* the source may send here; when there is one */
	/* the altnet that admits the source, or the interface whose subnet it is in (""
	 * if its own, or none) */
	char admitted[CONFIG_DECIDE_LEN], subnet_of[IFNAMSIZ];
	/* of an upstream: is the provider asked for the group? */
	bool report_up; /* messages can be sent */
	char report_interface[IFNAMSIZ];
	bool policy_ok; /* lists and boundaries let the group be asked for */
	char policy_by[CONFIG_DECIDE_LEN]; /* the line that does not */
	bool asked;			   /* a membership is reported ... */
	bool asked_this;		   /* ... that includes the source */
	unsigned version;		   /* of IGMP or MLD that is used */
	bool names_sources;		   /* that version can name sources */
	bool query_heard;
	struct addr querier;
	int64_t query_age_ms, query_expected_ms; /* the next one is due within the
						  * second value */
	uint32_t refresh_interval_ms;
	/* since the start, for all groups */
	uint64_t ring_packets, ring_drops;
};

#define EXPLAIN_HOST_LEN 80

/* An interface that the stream may go out at. */
struct explain_output {
	struct explain_iface i;
	bool is_input; /* the stream comes from here; or all inputs */
	bool allowed;  /* frames of the input may go here at all */
	/* members */
	bool has_group, wants;	     /* state for the group; it wants this source */
	bool any_source;	     /* a member asked for the group without a source */
	unsigned n_hosts, n_sources; /* tracked; named */
	struct explain_refusals joins; /* reports of the group that were refused */
	bool querier;
	bool forwards; /* we forward, as querier or beside another one */
	struct addr other_querier;
	/* another router forwards the stream there, and we leave it to that router, or
	 * both forward it */
	bool standby, doubled;
	struct gm_mac other_mac;
	size_t n_groups, max_groups; /* max 0 means no limit */
	/* host that met host-message-rate within the last minute, and whether hosts met
	 * message-rate together; empty if none has */
	char limited_host[EXPLAIN_HOST_LEN];
	bool limited;
	bool in_table; /* the forwarding entry names it */
	uint8_t threshold;
	uint32_t mtu;
	uint64_t not_sent; /* copies of all groups that the kernel refused */
};

/* One of its streams in the last hour, as far as that is known. */
struct explain_stream {
	struct addr source;
	uint16_t port;			   /* UDP */
	const char *kind;		   /* static */
	enum stream_place place;	   /* now */
	enum stream_drop drop;		   /* of the last fault */
	uint64_t judged, provider, router; /* seconds */
	uint64_t lost, continuity;
};

struct explain_facts {
	char instance[CONFIG_INSTANCE_MAX];
	struct addr group;
	bool has_source;
	struct addr source;
	bool source_own; /* an address of this system */
	bool ssm;	 /* the group is in the SSM range */
	bool one_output; /* only one was asked about, so report everything about it */
	/* of the forwarding entries that name an output */
	bool seen; /* datagrams have passed the source check */
	uint64_t packets;
	int64_t age_ms; /* of the last one; -1 means not known */
	uint64_t wrong; /* from sources that may not send on their interface */
	struct addr last_source;
	char last_input[IFNAMSIZ];
	struct joined_counts joined; /* of the group, or of the source */
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
	char interface[IFNAMSIZ]; /* or empty */
	enum explain_verdict verdict;
	enum explain_weight weight;			       /* unless it passes */
	char text[EXPLAIN_TEXT_LEN], advice[EXPLAIN_TEXT_LEN]; /* advice may be empty */
};

/* All zero at the beginning. */
struct explain {
	enum explain_verdict verdict; /* of the whole: not EXPLAIN_NOTE */
	enum explain_weight weight;   /* of the cause; 0 means it passes */
	char summary[2 * EXPLAIN_TEXT_LEN];
	struct explain_check *check; /* owned */
	size_t n, cap;
	bool lost; /* memory ran out, so checks are missing */
};

void explain(const struct explain_facts *f, struct explain *ret);
void explain_deinit(struct explain *e);

const char *explain_verdict_name(enum explain_verdict v); /* "pass", ... */
