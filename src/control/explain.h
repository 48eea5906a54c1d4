/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * "Why does this stream not arrive?": the checks that a stream of an instance goes
 * through, in their order, each with what it says and what to change. The caller
 * collects the facts with the functions of the real path (show_explain.c); here they
 * are judged and put into words. Pure.
 */

#include "base/addr.h"
#include "control/policy.h"

#include <net/if.h>

enum explain_verdict {
	EXPLAIN_PASS = 1,
	EXPLAIN_REFUSE,
	EXPLAIN_UNKNOWN, /* it passes as far as can be seen, but see the text */
};

/* what both sides have in common */
struct explain_iface {
	char name[IFNAMSIZ];
	bool has_role;	   /* it is a port of the instance */
	bool present, up;  /* in the system */
	const char *error; /* why its sockets are not open, or NULL */
	bool family;	   /* the family is on here */
	bool group_ok;	   /* no boundary (of upstreams: no list either) in the way */
	char echo_of[IFNAMSIZ]; /* an interface of ours whose frames come back here */
};

/* An interface that the stream may come in at. */
struct explain_input {
	struct explain_iface i;
	bool upstream;
	bool receive;	/* frames from here are forwarded at all */
	bool source_broadcast; /* it is the broadcast address of a subnet */
	bool source_ok; /* the source may send here; when there is one */
	/* of an upstream: the provider is asked for it */
	bool report_up; /* messages can be sent */
	char report_interface[IFNAMSIZ];
	bool policy_ok;	    /* lists and boundaries let the group be asked for */
	bool asked;	    /* a membership is reported ... */
	bool asked_this;    /* ... that includes the source */
	unsigned version;   /* of IGMP or MLD that is spoken */
	bool names_sources; /* that version can */
	bool query_heard;
	struct addr querier;
	int64_t query_age_ms, query_expected_ms; /* the next one is due within that */
	uint32_t refresh_interval_ms;
	/* counters since start */
	uint64_t ring_packets, ring_drops, ttl_expired, truncated, damaged,
		foreign_vlan;
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
	char limit[200]; /* which limit has struck whom last; "": none */
	uint64_t n_refused, n_foreign, n_filtered; /* reports, since start */
	bool in_table;				   /* the forwarding entry names it */
	uint8_t threshold;
	uint32_t mtu;
	/* copies that were refused since start */
	uint64_t ttl_threshold, mtu_df, port_down, not_sent;
};

struct explain_facts {
	char instance[CONFIG_INSTANCE_MAX];
	struct addr group;
	bool has_source;
	struct addr source;
	bool source_own; /* an address of this system */
	bool ssm;	 /* the group is in the SSM range */
	/* of the forwarding entry */
	bool seen; /* datagrams have passed the check of the source */
	uint64_t packets, wrong;
	bool rate_known;
	uint64_t rate;
	struct addr last_source;
	char last_input[IFNAMSIZ];
	const struct explain_input *input;
	size_t n_input;
	const struct explain_output *output;
	size_t n_output;
};

#define EXPLAIN_TEXT_LEN 240

struct explain_check {
	const char *check;	  /* static: "group", "interface", "source", ... */
	char interface[IFNAMSIZ]; /* empty: of none */
	enum explain_verdict verdict;
	char text[EXPLAIN_TEXT_LEN], advice[EXPLAIN_TEXT_LEN]; /* advice may be empty */
};

/* Zero octets to begin with. */
struct explain {
	enum explain_verdict verdict; /* of the whole */
	char summary[EXPLAIN_TEXT_LEN + 64];
	struct explain_check *check; /* owned */
	size_t n, cap;
	bool lost; /* memory ran out: checks are missing */
};

void explain(const struct explain_facts *f, struct explain *ret);
void explain_deinit(struct explain *e);

const char *explain_verdict_name(enum explain_verdict v); /* "pass", ... */
