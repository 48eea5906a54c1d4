/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * "Why does this stream not arrive?": the checks that a stream of an instance goes
 * through, in their order, each with what it says and what to change. The caller
 * collects the facts with the functions of the real path (show_explain.c); here they
 * are judged and put into words. Pure.
 *
 * Evidence is what was seen of this very group. Counters of a port are of all groups:
 * they are told as such, and decide nothing.
 */

#include "base/addr.h"
#include "base/joined.h"
#include "control/config/config.h"
#include "control/member/policy.h"
#include "control/proto/effect.h"

#include <net/if.h>

enum explain_verdict {
	EXPLAIN_PASS = 1,
	EXPLAIN_REFUSE,
	EXPLAIN_UNKNOWN, /* it passes as far as can be seen, but see the text */
	EXPLAIN_NOTE,	 /* worth knowing, and no obstacle */
};

/* Which of several checks is the cause that is named: the largest. */
enum explain_weight {
	EXPLAIN_LATER = 1, /* it may stop the stream some time */
	EXPLAIN_FOLLOWS,   /* it follows from something that another check names */
	EXPLAIN_ABSENT,	   /* nobody asks, or nothing comes */
	EXPLAIN_FAULT,	   /* something is not as it should be */
	EXPLAIN_STOPPED,   /* datagrams were stopped by it just now */
};

#define EXPLAIN_NOW_MS	  3000	 /* what was seen within that goes on */
#define EXPLAIN_LATELY_MS 600000 /* what is older counts for nothing */

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
	EXPLAIN_BY_OUTPUTS, /* none is left */
	EXPLAIN_BY_TTL,
	EXPLAIN_BY_PARTIAL, /* checksum that cannot be completed */
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
	uint32_t value;	  /* the limit, where one has refused */
	bool would_pass;  /* the configuration has changed since: it would not be now */
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
	bool group_ok;	   /* no boundary (of upstreams: no list either) in the way */
	char decided[CONFIG_DECIDE_LEN]; /* by which line; empty: by none */
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
	/* the altnet that admits the source, or the interface whose subnet it is in
	 * ("" : its own, or none) */
	char admitted[CONFIG_DECIDE_LEN], subnet_of[IFNAMSIZ];
	/* of an upstream: the provider is asked for it */
	bool report_up; /* messages can be sent */
	char report_interface[IFNAMSIZ];
	bool policy_ok; /* lists and boundaries let the group be asked for */
	char policy_by[CONFIG_DECIDE_LEN]; /* which line does not */
	bool asked;			   /* a membership is reported ... */
	bool asked_this;		   /* ... that includes the source */
	unsigned version;		   /* of IGMP or MLD that is spoken */
	bool names_sources;		   /* that version can */
	bool query_heard;
	struct addr querier;
	int64_t query_age_ms, query_expected_ms; /* the next one is due within that */
	uint32_t refresh_interval_ms;
	/* since start, of all groups */
	uint64_t ring_packets, ring_drops;
};

#define EXPLAIN_HOST_LEN 80

/* An interface that the stream may go out at. */
struct explain_output {
	struct explain_iface i;
	bool is_input; /* that the stream comes from; or all there are */
	bool allowed;  /* frames of the input may go here at all */
	/* members */
	bool has_group, wants;	     /* state for the group; it wants this source */
	bool any_source;	     /* a member asked for the group without a source */
	unsigned n_hosts, n_sources; /* tracked; named */
	struct explain_refusals joins; /* reports of the group that were refused */
	bool querier;
	bool forwards; /* as querier or beside another one */
	struct addr other_querier;
	/* somebody else forwards the stream there, and we leave it to that one, or both
	 * do */
	bool standby, doubled;
	struct gm_mac other_mac;
	size_t n_groups, max_groups; /* max 0: no limit */
	/* host that met host-message-rate within the last minute, and whether hosts met
	 * message-rate together; empty: none has */
	char limited_host[EXPLAIN_HOST_LEN];
	bool limited;
	bool in_table; /* the forwarding entry names it */
	uint8_t threshold;
	uint32_t mtu;
	uint64_t not_sent; /* copies of all groups that the kernel refused */
};

struct explain_facts {
	char instance[CONFIG_INSTANCE_MAX];
	struct addr group;
	bool has_source;
	struct addr source;
	bool source_own; /* an address of this system */
	bool ssm;	 /* the group is in the SSM range */
	bool one_output; /* only one was asked about: say all about it */
	/* of the forwarding entries that name an output */
	bool seen; /* datagrams have passed the check of the source */
	uint64_t packets;
	int64_t age_ms; /* of the last one; -1 means not known */
	uint64_t wrong; /* of sources that may not send where they do */
	struct addr last_source;
	char last_input[IFNAMSIZ];
	struct joined_counts joined; /* of the group, or of the source */
	const struct explain_input *input;
	size_t n_input;
	const struct explain_output *output;
	size_t n_output;
};

#define EXPLAIN_TEXT_LEN 320

struct explain_check {
	const char *check;	  /* static: "group", "interface", "source", ... */
	char interface[IFNAMSIZ]; /* empty: of none */
	enum explain_verdict verdict;
	enum explain_weight weight;			       /* unless it passes */
	char text[EXPLAIN_TEXT_LEN], advice[EXPLAIN_TEXT_LEN]; /* advice may be empty */
};

/* Zero bytes to begin with. */
struct explain {
	enum explain_verdict verdict; /* of the whole: not EXPLAIN_NOTE */
	enum explain_weight weight;   /* of the cause; 0 means it passes */
	char summary[2 * EXPLAIN_TEXT_LEN];
	struct explain_check *check; /* owned */
	size_t n, cap;
	bool lost; /* memory ran out: checks are missing */
};

void explain(const struct explain_facts *f, struct explain *ret);
void explain_deinit(struct explain *e);

const char *explain_verdict_name(enum explain_verdict v); /* "pass", ... */
