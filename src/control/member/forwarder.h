/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Who else forwards multicast to one downstream port, of one family. The evidence is
 * datagrams that arrive there from a foreign MAC address, of a stream that we send
 * there also, with at least half the bytes that we receive of it from elsewhere: a host
 * that sends a few into a stream of the provider is no forwarder. Of two forwarders one
 * stops, without a conversation: the one that is not querier; beside a third querier
 * the one with the higher MAC address; and in any case the one whose opposite does not
 * stop within seconds. It goes on when datagrams come in and the other sends no copy of
 * three quarters of them any more, so a stream that pauses changes nothing. Pure.
 */

#include "base/mono.h"
#include "base/state.h"
#include "control/proto/gm_msg.h"

#define FORWARDER_MAX	  4096 /* streams of a port and family; more are not looked at */
#define FORWARDER_TURN_MS 250  /* between two turns */

/* How many datagrams came from elsewhere is not known at this turn. */
#define FORWARDER_UNKNOWN UINT64_MAX

/* A stream that another station sends there, or has sent there a moment ago. */
struct forwarder_stream {
	struct addr group, source;
	struct gm_mac mac;     /* who sends most of the copies */
	uint64_t votes;	       /* for that, since the last turn, in bytes */
	bool standby;	       /* we leave the stream to that one */
	bool counted;	       /* `weight` is known */
	bool enough;	       /* copies, to take that one for a forwarder */
	uint64_t weight;       /* of what we had received at the last turn */
	uint64_t copies;       /* frames that came since the last turn, and ... */
	uint64_t copies_bytes; /* ... their bytes: a super-frame is several datagrams */
	/* of the last turns, the older the less they weigh: what we have received, and
	 * copies */
	uint64_t recent_ours, recent_copies;
	uint64_t missed;    /* that we have received without copies, on standby */
	mono_t missed_at;   /* the first of them */
	mono_t covered;	    /* the last time that none was missed */
	mono_t first, last; /* enough copies without a long pause from, copies until */
	mono_t since;	    /* on standby, or not */
	uint8_t returns;    /* the other came back soon after we had taken over */
};

struct forwarder {
	bool acts;		    /* evidence stops us; else it is only noted */
	struct forwarder_stream *v; /* sorted by group and source */
	size_t n, cap;
	size_t n_standby;
	uint64_t n_refused; /* copies of streams that found no place */
};

/* What the decision depends on. */
struct forwarder_rank {
	bool querier;	       /* we are querier */
	struct gm_mac own;     /* of the port */
	struct gm_mac elected; /* of the querier, if it is somebody else */
};

enum forwarder_change {
	FORWARDER_SAME = 0,
	FORWARDER_STOPPED,   /* the stream is left to the other */
	FORWARDER_RESUMED,   /* and taken back */
	FORWARDER_FORGOTTEN, /* the entry is gone */
};

void forwarder_deinit(struct forwarder *f);
void forwarder_clear(struct forwarder *f); /* forget all streams */

/* A copy of a stream has arrived, an IP packet of `bytes`. 1: the stream is a new one;
 * 0; -ENOSPC, -ENOMEM: it is not looked at. */
int forwarder_copy(struct forwarder *f, mono_t now, const struct addr *group,
	const struct addr *source, const struct gm_mac *mac, uint32_t bytes);

/* What we have received of a stream from elsewhere so far. */
struct forwarder_count {
	uint64_t packets; /* or FORWARDER_UNKNOWN */
	uint64_t bytes;	  /* of IP packets */
};

/* A turn for stream number i. Of the copies one of 2^`sampling` was looked at.
 * FORWARDER_FORGOTTEN: another stream has the number now. */
enum forwarder_change forwarder_turn(struct forwarder *f, mono_t now, size_t i,
	const struct forwarder_count *ours, unsigned sampling,
	const struct forwarder_rank *rank);
/* Nobody wants the stream there any more. */
void forwarder_forget(struct forwarder *f, size_t i);

/* The streams of a group, one after the other; *ret_n is 0 when there is none. */
const struct forwarder_stream *forwarder_of_group(
	const struct forwarder *f, const struct addr *group, size_t *ret_n);
/* NULL means nobody else sends it */
const struct forwarder_stream *forwarder_find(
	const struct forwarder *f, const struct addr *group, const struct addr *source);
/* Datagrams of it arrive twice: both of us forward. */
bool forwarder_is_double(const struct forwarder_stream *s, mono_t now);
size_t forwarder_n_double(const struct forwarder *f, mono_t now);

/* For the process that takes over. 0, -ENOMEM, -EINVAL: the state is faulty. */
void forwarder_export(const struct forwarder *f, struct state_out *o);
int forwarder_import(struct forwarder *f, enum family family, struct state_in *in);
